//! From what a pod does to what its status says, as kubelet computes it. Pure.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{
    ContainerState as ApiState, ContainerStateRunning, ContainerStateTerminated, ContainerStateWaiting,
    ContainerStatus, HostIP, Pod, PodCondition, PodIP, PodStatus,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, json};

use super::images::short_name;
use super::state::{ContainerState, Ended, Phase, Pods, Role};
use crate::process::Exit;

/// When each of our conditions last changed its status.
pub(super) type Transitions = BTreeMap<String, (String, Timestamp)>;

/// The transitions that a pod's present conditions tell.
pub(super) fn transitions(pod: &Pod) -> Transitions {
    let conditions = pod.status.iter().filter_map(|status| status.conditions.as_ref()).flatten();
    conditions
        .filter_map(|condition| {
            let time = condition.last_transition_time.as_ref()?.0;
            Some((condition.type_.clone(), (condition.status.clone(), time)))
        })
        .collect()
}

/// A strategic-merge patch of the status. It names our own conditions only, so those of other writers stay.
pub(super) fn patch(pod: &Pod, state: &Pods, hosts: &[IpAddr], transitions: &mut Transitions) -> Value {
    let status = compute(pod, state, hosts, transitions);
    let addresses = status.pod_ips.is_some();
    let mut status = json!(status);
    // Both lists merge by address, so without this an address that the pod has lost would stay.
    if addresses && let Some(list) = status["podIPs"].as_array_mut() {
        list.push(json!({"$patch": "replace"}));
    }
    // The precondition: a pod of the same name that came later is not meant.
    json!({"metadata": {"uid": pod.metadata.uid}, "status": status})
}

fn compute(pod: &Pod, state: &Pods, hosts: &[IpAddr], transitions: &mut Transitions) -> PodStatus {
    let phase = phase(pod, state);
    let (init, main): (Vec<_>, Vec<_>) =
        state.containers.iter().partition(|container| container.role != Role::Main);
    let statuses = |list: &[&ContainerState]| -> Option<Vec<ContainerStatus>> {
        (!list.is_empty()).then(|| list.iter().map(|container| container_status(container)).collect())
    };
    let mut conditions: Vec<PodCondition> = conditions(pod, state, phase)
        .into_iter()
        .map(|(kind, verdict)| condition(pod, kind, verdict, transitions))
        .collect();
    conditions.sort_by(|left, right| left.type_.cmp(&right.type_));
    PodStatus {
        phase: Some(phase.into()),
        conditions: Some(conditions),
        container_statuses: statuses(&main),
        init_container_statuses: statuses(&init),
        host_ip: hosts.first().map(ToString::to_string),
        host_ips: Some(hosts.iter().map(|address| HostIP { ip: address.to_string() }).collect()),
        pod_ip: state.addresses.first().map(ToString::to_string),
        pod_ips: (!state.addresses.is_empty())
            .then(|| state.addresses.iter().map(|address| PodIP { ip: address.to_string() }).collect()),
        start_time: state.seen.map(Time),
        observed_generation: pod.metadata.generation,
        ..PodStatus::default()
    }
}

/// The pod's phase by kubelet's rules.
pub(super) fn phase(pod: &Pod, state: &Pods) -> &'static str {
    let policy = pod.spec.as_ref().and_then(|spec| spec.restart_policy.as_deref()).unwrap_or("Always");
    let init_failed = state.containers.iter().any(|container| {
        container.role == Role::Init
            && matches!(&container.phase, Phase::Terminated(ended) if !succeeded(ended))
    });
    if init_failed && (policy == "Never" || state.over) {
        return "Failed";
    }
    if !initialized(state) && !state.over {
        return "Pending";
    }
    let mains = || state.containers.iter().filter(|container| container.role == Role::Main);
    // Of any role: a pod whose sidecars run still has not ended.
    let running = state.containers.iter().any(|container| matches!(container.phase, Phase::Running { .. }));
    let ended = || {
        mains().filter_map(|container| match &container.phase {
            Phase::Terminated(ended) => Some(ended),
            _ => None,
        })
    };
    // One that waits between two lives has lived; one that never ran keeps the pod Pending.
    let never_ran =
        mains().any(|container| matches!(container.phase, Phase::Waiting { .. }) && container.last.is_none());
    if never_ran {
        return if state.over { "Failed" } else { "Pending" };
    }
    let all_ended = ended().count() == mains().count();
    if running || !all_ended {
        return "Running";
    }
    let all_well = ended().all(succeeded);
    match policy {
        _ if state.over => {
            if all_well {
                "Succeeded"
            } else {
                "Failed"
            }
        }
        "Always" => "Running",
        _ if all_well => "Succeeded",
        "OnFailure" => "Running",
        _ => "Failed",
    }
}

fn succeeded(ended: &Ended) -> bool {
    ended.exit.is_some_and(Exit::success)
}

/// Whether all init containers have done their part.
pub(super) fn initialized(state: &Pods) -> bool {
    let begun =
        state.containers.iter().any(|container| container.role == Role::Main && !container.id.is_empty());
    state.containers.iter().all(|container| match container.role {
        Role::Main => true,
        Role::Init => matches!(&container.phase, Phase::Terminated(ended) if succeeded(ended)),
        // One that has ended after the pod's own containers ran has done its part.
        Role::Sidecar => container.started || begun,
    })
}

/// True, or why not: a reason and a message.
type Verdict = Result<(), (&'static str, String)>;

fn conditions(pod: &Pod, state: &Pods, phase: &str) -> Vec<(&'static str, Verdict)> {
    let unready = |containers: Vec<&str>| {
        ("ContainersNotReady", format!("containers with unready status: [{}]", containers.join(" ")))
    };
    let containers_ready = match phase {
        "Succeeded" => Err(("PodCompleted", String::new())),
        "Failed" => Err(("PodFailed", String::new())),
        _ => {
            let names: Vec<&str> = state
                .containers
                .iter()
                .filter(|container| container.role != Role::Init && !container.ready)
                .map(|container| container.name.as_str())
                .collect();
            if names.is_empty() { Ok(()) } else { Err(unready(names)) }
        }
    };
    let ready = containers_ready.clone().and_then(|()| gates(pod));
    let initialized = if initialized(state) {
        Ok(())
    } else {
        let names: Vec<&str> = state
            .containers
            .iter()
            .filter(|container| container.role != Role::Main)
            .filter(|container| {
                !matches!(&container.phase, Phase::Terminated(ended) if succeeded(ended))
                    && !container.started
            })
            .map(|container| container.name.as_str())
            .collect();
        Err(("ContainersNotInitialized", format!("containers with incomplete status: [{}]", names.join(" "))))
    };
    vec![
        ("PodScheduled", Ok(())),
        ("PodReadyToStartContainers", if state.sandbox { Ok(()) } else { Err(("", String::new())) }),
        ("Initialized", initialized),
        ("ContainersReady", containers_ready),
        ("Ready", ready),
    ]
}

/// Whether every readiness gate's condition, whoever writes it, is True.
fn gates(pod: &Pod) -> Verdict {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_deref()).unwrap_or_default();
    let gates = pod.spec.iter().filter_map(|spec| spec.readiness_gates.as_ref()).flatten();
    let missing: Vec<String> = gates
        .filter_map(|gate| {
            let kind = &gate.condition_type;
            match conditions.iter().find(|condition| &condition.type_ == kind) {
                None => {
                    Some(format!("corresponding condition of pod readiness gate \"{kind}\" does not exist."))
                }
                Some(condition) if condition.status != "True" => Some(format!(
                    "the status of pod readiness gate \"{kind}\" is not \"True\", but {}",
                    condition.status
                )),
                Some(_) => None,
            }
        })
        .collect();
    if missing.is_empty() { Ok(()) } else { Err(("ReadinessGatesNotReady", missing.join(", "))) }
}

fn condition(pod: &Pod, kind: &str, verdict: Verdict, transitions: &mut Transitions) -> PodCondition {
    let status = if verdict.is_ok() { "True" } else { "False" };
    let (reason, message) = verdict.err().unwrap_or_default();
    let since = match transitions.get(kind) {
        Some((before, time)) if before == status => *time,
        _ => Timestamp::now(),
    };
    transitions.insert(kind.into(), (status.into(), since));
    PodCondition {
        type_: kind.into(),
        status: status.into(),
        reason: Some(reason.into()),
        message: Some(message),
        last_transition_time: Some(Time(since)),
        observed_generation: pod.metadata.generation,
        ..PodCondition::default()
    }
}

fn container_status(container: &ContainerState) -> ContainerStatus {
    ContainerStatus {
        name: container.name.clone(),
        image: container.image.clone(),
        image_id: format!("lath://{}", short_name(&container.image)),
        container_id: (!container.id.is_empty()).then(|| container.id.clone()),
        restart_count: container.restarts,
        ready: match container.role {
            Role::Init => matches!(&container.phase, Phase::Terminated(ended) if succeeded(ended)),
            _ => container.ready,
        },
        started: Some(container.started),
        state: Some(match &container.phase {
            Phase::Waiting { reason, message } => ApiState {
                waiting: Some(ContainerStateWaiting {
                    reason: Some((*reason).into()),
                    message: (!message.is_empty()).then(|| message.clone()),
                }),
                ..ApiState::default()
            },
            Phase::Running { started } => ApiState {
                running: Some(ContainerStateRunning { started_at: Some(Time(*started)) }),
                ..ApiState::default()
            },
            Phase::Terminated(ended) => terminated(ended),
        }),
        last_state: container.last.as_ref().map(terminated),
        ..ContainerStatus::default()
    }
}

fn terminated(ended: &Ended) -> ApiState {
    let (code, signal, reason) = match ended.exit {
        Some(Exit::Code(0)) => (0, None, "Completed"),
        Some(exit @ Exit::Signal(signal)) => (exit.code(), Some(signal), "Error"),
        Some(Exit::Code(code)) => (code, None, "Error"),
        // As kubelet says of containers that went with their machine.
        None => (255, None, "Unknown"),
    };
    ApiState {
        terminated: Some(ContainerStateTerminated {
            exit_code: code,
            signal,
            reason: Some(reason.into()),
            container_id: Some(ended.id.clone()),
            started_at: Some(Time(ended.started)),
            finished_at: Some(Time(ended.finished)),
            ..ContainerStateTerminated::default()
        }),
        ..ApiState::default()
    }
}

#[cfg(test)]
mod tests;
