//! Writes the conditions of gates: the only thing that Lath ever changes of a pod.

use futures::StreamExt as _;
use k8s_openapi::{api::core::v1 as core, jiff::Timestamp};
use kube::{
    Api, Client,
    api::{Patch, PatchParams},
    runtime::events::EventType,
};
use lath_kubernetes::names;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{
    gates::reasons,
    watchman::{GateWrite, name_of},
};
use crate::{answer, events::Events};

/// Most conditions that are being written at once.
const WRITES_AT_ONCE: usize = 16;

/// Writes what is decided until nothing will be decided any more.
pub async fn run(
    client: Client,
    events: Events,
    decided: mpsc::Receiver<GateWrite>,
    written: mpsc::Sender<(GateWrite, bool)>,
) {
    let decided = futures::stream::unfold(decided, |mut decided| async move {
        let write = decided.recv().await?;
        Some((write, decided))
    });
    decided
        .for_each_concurrent(WRITES_AT_ONCE, |write| {
            let (client, events, written) = (client.clone(), events.clone(), written.clone());
            async move {
                let done = perform(&client, &write).await;
                if done && write.reason == reasons::FAIL_OPEN {
                    events
                        .tell_pod(&write.pod, EventType::Warning, "OpenGate", write.reason, &write.message)
                        .await;
                }
                // Nobody listens any more only while everything is being stopped.
                drop(written.send((write, done)).await);
            }
        })
        .await;
}

async fn perform(client: &Client, write: &GateWrite) -> bool {
    let name = name_of(write);
    let api: Api<core::Pod> = Api::namespaced(client.clone(), &name.namespace);
    let params = PatchParams { field_manager: Some(names::CONTROLLER.into()), ..PatchParams::default() };
    let patch = patch(write, Timestamp::now());
    match api.patch_status(&name.name, &params, &Patch::Strategic(patch)).await {
        Ok(_) => true,
        Err(error) => {
            if answer::came_too_late(&error) {
                tracing::debug!(pod = %name, %error, "the pod went before its gate was written");
            } else {
                tracing::warn!(pod = %name, %error, "writing a readiness gate failed and is tried again");
            }
            false
        }
    }
}

/// The strategic merge patch of the pod's conditions. They are merged by type, so nobody else's is touched; the UID
/// makes the API server refuse it for a pod that has since been made anew under the same name.
fn patch(write: &GateWrite, now: Timestamp) -> Value {
    let conditions: Vec<Value> = write
        .pod
        .gates
        .iter()
        .filter(|(_, open)| !open)
        .map(|(gate, _)| {
            json!({
                "type": gate,
                "status": if write.open { "True" } else { "False" },
                "reason": write.reason,
                "message": write.message,
                "lastTransitionTime": k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(now),
            })
        })
        .collect();
    json!({
        "metadata": { "uid": write.pod.uid },
        "status": { "conditions": conditions },
    })
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use super::*;
    use crate::testing::pod;

    #[test]
    fn the_patch_names_the_uid_and_only_the_shut_gates_of_the_pod() {
        let mut pod = pod("web-0", 1);
        pod.gates = vec![(names::GATE, false), (names::AWS_GATE, true)];
        let write = GateWrite {
            pod: Arc::new(pod),
            open: true,
            reason: reasons::HEALTHY,
            message: "web: healthy at Lattice".into(),
            waited: Duration::ZERO,
        };
        assert_eq!(
            patch(&write, Timestamp::UNIX_EPOCH),
            json!({
                "metadata": { "uid": "uid-web-0" },
                "status": { "conditions": [{
                    "type": "lath.dev/target-health",
                    "status": "True",
                    "reason": "Healthy",
                    "message": "web: healthy at Lattice",
                    "lastTransitionTime": "1970-01-01T00:00:00Z",
                }]},
            })
        );
    }
}
