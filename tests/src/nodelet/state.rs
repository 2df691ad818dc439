//! What a pod on this node is doing: the truth from which its status is computed.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Container, Pod};
use tokio::sync::Notify;

use crate::process::{Exit, Process};

/// What a container is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Must end well before the next may start.
    Init,
    /// An init container that runs beside the others (`restartPolicy: Always`).
    Sidecar,
    /// One of the pod's own.
    Main,
}

/// How a life of a container ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ended {
    /// How its process ended; `None` when a reboot swallowed that.
    pub exit: Option<Exit>,
    pub started: Timestamp,
    pub finished: Timestamp,
    pub id: String,
}

/// Where a container is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Phase {
    Waiting { reason: &'static str, message: String },
    Running { started: Timestamp },
    Terminated(Ended),
}

/// One container.
#[derive(Debug, Clone)]
pub(super) struct ContainerState {
    pub name: String,
    pub image: String,
    pub role: Role,
    pub phase: Phase,
    /// Its previous life.
    pub last: Option<Ended>,
    pub restarts: i32,
    /// Whether its startup probe, if any, has passed.
    pub started: bool,
    /// Whether its readiness probe, if any, passes.
    pub ready: bool,
    /// The process of its present life.
    pub process: Option<Process>,
    /// The id of its present or last life; empty before the first.
    pub id: String,
    /// Where the output of its present or last life begins in its log file.
    pub log_start: u64,
}

/// A pod as a whole.
#[derive(Debug, Clone, Default)]
pub(super) struct Pods {
    /// Its addresses, IPv4 first; empty before it has any.
    pub addresses: Vec<IpAddr>,
    /// Whether its network and volumes are there.
    pub sandbox: bool,
    /// When this node first saw it.
    pub seen: Option<Timestamp>,
    /// Init containers in their order, then the others in theirs.
    pub containers: Vec<ContainerState>,
    /// Whether its end is final, so that containers which ended do not start again.
    pub over: bool,
}

/// A pod's state, with a bell that rings when it changes.
#[derive(Debug, Default)]
pub(super) struct PodState {
    inner: Mutex<Pods>,
    pub changed: Notify,
}

impl PodState {
    /// The state of a pod of which nothing runs yet.
    pub(super) fn new(pod: &Pod) -> Self {
        let spec = pod.spec.clone().unwrap_or_default();
        let restarts = previous_restarts(pod);
        let waiting = |container: &Container, role| ContainerState {
            name: container.name.clone(),
            image: container.image.clone().unwrap_or_default(),
            role,
            phase: Phase::Waiting {
                reason: if spec.init_containers.is_some() { "PodInitializing" } else { "ContainerCreating" },
                message: String::new(),
            },
            last: None,
            restarts: restarts.get(&container.name).copied().unwrap_or_default(),
            started: false,
            ready: false,
            process: None,
            id: String::new(),
            log_start: 0,
        };
        let init =
            spec.init_containers.iter().flatten().map(|container| waiting(container, init_role(container)));
        let containers =
            init.chain(spec.containers.iter().map(|container| waiting(container, Role::Main))).collect();
        Self {
            inner: Mutex::new(Pods { seen: Some(Timestamp::now()), containers, ..Pods::default() }),
            changed: Notify::new(),
        }
    }

    /// Reads the state.
    pub(super) fn read(&self) -> MutexGuard<'_, Pods> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state and rings the bell.
    pub(super) fn update<T>(&self, change: impl FnOnce(&mut Pods) -> T) -> T {
        let result = change(&mut self.read());
        self.changed.notify_one();
        result
    }

    /// Changes one container's state and rings the bell.
    pub(super) fn update_container(&self, name: &str, change: impl FnOnce(&mut ContainerState)) {
        self.update(|pod| {
            if let Some(container) = pod.containers.iter_mut().find(|container| container.name == name) {
                change(container);
            }
        });
    }

    /// One container's state.
    pub(super) fn container(&self, name: &str) -> Option<ContainerState> {
        self.read().containers.iter().find(|container| container.name == name).cloned()
    }
}

/// What an init container is for.
pub(super) fn init_role(container: &Container) -> Role {
    if container.restart_policy.as_deref() == Some("Always") { Role::Sidecar } else { Role::Init }
}

/// The restart counts that an earlier nodelet of this node reported.
fn previous_restarts(pod: &Pod) -> BTreeMap<String, i32> {
    let status = pod.status.as_ref();
    let lists = [
        status.and_then(|status| status.container_statuses.as_ref()),
        status.and_then(|status| status.init_container_statuses.as_ref()),
    ];
    // A container that ran before counts its next start as a restart.
    lists
        .into_iter()
        .flatten()
        .flatten()
        .map(|status| {
            let ran = status.container_id.as_ref().is_some_and(|id| !id.is_empty());
            (status.name.clone(), status.restart_count + i32::from(ran))
        })
        .collect()
}
