//! Commands in running containers, and what a container does before it is stopped.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use tokio::time::sleep;

use super::Context;
use super::containers::Life;
use super::probes::http_get;
use crate::container::{Enter, TIMED_OUT};

/// Most of a command's output that an Event quotes.
const QUOTED: usize = 200;

/// Runs a command in a container. An error says how it ended and the beginning of what it wrote.
pub(super) async fn exec(
    context: &Context,
    pod: &Pod,
    life: &Life,
    command: Vec<String>,
    patience: Duration,
) -> Result<(), String> {
    let order = Enter {
        pid: life.process.pid(),
        cgroup: context.pod_cgroup(pod).join(&life.container.name),
        arguments: command,
        environment: life.environment.clone(),
        privileges: life.privileges.clone(),
        timeout_ms: u64::try_from(patience.as_millis()).unwrap_or(u64::MAX),
    };
    let json = serde_json::to_string(&order).map_err(|error| error.to_string())?;
    let output = tokio::process::Command::new(super::containers::PROGRAM)
        .args(["enter", &json])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    if output.status.code() == Some(TIMED_OUT.into()) {
        return Err(format!("the command did not end in {patience:?}"));
    }
    let said = [output.stdout, output.stderr].concat();
    let said: String = String::from_utf8_lossy(&said).trim().chars().take(QUOTED).collect();
    Err(format!("the command ended with {}: {said}", output.status))
}

/// Runs a container's preStop hook, if it has one. Its failure is told and changes nothing.
pub(super) async fn pre_stop(context: &Arc<Context>, pod: &Pod, life: &Life, patience: Duration) {
    let container = &life.container;
    let Some(hook) = container.lifecycle.as_ref().and_then(|lifecycle| lifecycle.pre_stop.as_ref()) else {
        return;
    };
    let result = if let Some(action) = &hook.sleep {
        sleep(Duration::from_secs(u64::try_from(action.seconds).unwrap_or_default())).await;
        Ok(())
    } else if let Some(get) = &hook.http_get {
        http_get(context, container, life.address, get, patience).await
    } else if let Some(action) = &hook.exec {
        exec(context, pod, life, action.command.clone().unwrap_or_default(), patience).await
    } else {
        Ok(())
    };
    if let Err(why) = result {
        let message = format!("PreStopHook of {} failed: {why}", container.name);
        context.event(pod, "Warning", "FailedPreStopHook", &message).await;
    }
}
