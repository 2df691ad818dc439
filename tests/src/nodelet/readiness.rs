//! When pods became ready: the moment at which a node said so, more exactly than a condition's whole seconds tell.

use std::{
    fs::OpenOptions,
    io::Write as _,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The file, in a world's folder of logs.
const FILE: &str = "readiness.jsonl";

/// A pod's containers became ready.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Moment {
    /// The pod.
    pub uid: String,
    /// Wall clock in seconds, just before the status was sent.
    pub time: f64,
}

/// Notes the moment if the status that is about to be sent says that all containers are ready.
pub(super) fn note(logs: &Path, uid: &str, patch: &Value) {
    let conditions = patch["status"]["conditions"].as_array().into_iter().flatten();
    let ready = conditions
        .into_iter()
        .any(|condition| condition["type"] == "ContainersReady" && condition["status"] == "True");
    if !ready {
        return;
    }
    let time = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
    let written =
        serde_json::to_string(&Moment { uid: uid.into(), time }).map_err(Into::into).and_then(|line| {
            let mut file = OpenOptions::new().create(true).append(true).open(logs.join(FILE))?;
            file.write_all(format!("{line}\n").as_bytes())
        });
    if let Err(error) = written {
        tracing::debug!(%error, "noting when a pod became ready");
    }
}

/// The first moment of each pod, from a world's folder of logs.
#[must_use]
pub fn read(logs: &Path) -> Vec<Moment> {
    let text = std::fs::read_to_string(logs.join(FILE)).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}
