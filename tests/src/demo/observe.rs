//! What the demo sees: pods by the API server, targets and calls by the simulator, readiness by the nodes.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, runtime::watcher};
use tokio::sync::{Mutex, watch};

use crate::{
    lattice::{Call, Lattice},
    load::PORT,
    nodelet::readiness,
};

/// How often the simulator is asked what it has seen.
const PERIOD: Duration = Duration::from_millis(100);

/// One pod, from its first sign to the end of the demo.
#[derive(Debug, Clone, Default)]
pub(super) struct Row {
    pub name: String,
    pub node: String,
    pub address: String,
    pub phase: String,
    pub leaving: bool,
    pub gone: bool,
    pub ready: bool,
    /// When the node said that its containers are ready, in seconds.
    pub ready_at: Option<f64>,
    /// When the simulator had read the RegisterTargets that names it.
    pub registered_at: Option<f64>,
    /// Its target's state at Lattice; empty: it is no target.
    pub target: String,
}

impl Row {
    /// Milliseconds from ready to RegisterTargets.
    pub(super) fn latency_ms(&self) -> Option<f64> {
        Some((self.registered_at? - self.ready_at?) * 1_000.0)
    }
}

/// Everything seen so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// By UID.
    pub pods: BTreeMap<String, Row>,
    /// The UIDs in the order in which their pods were first seen.
    pub order: Vec<String>,
    /// Calls by operation.
    pub calls: BTreeMap<String, u64>,
    /// Registrations of targets that were registered already.
    pub repeated: u64,
    /// Targets that are registered and not draining.
    pub targets: BTreeSet<String>,
    /// How many targets are draining.
    pub draining: usize,
    registered: BTreeSet<String>,
    last_call: u64,
}

/// Watches until dropped.
pub(super) struct Observer {
    seen: watch::Receiver<Seen>,
    tasks: tokio::task::JoinSet<()>,
}

impl Observer {
    /// Starts watching the pods with label `app`, and the targets of `group`.
    pub(super) fn start(pods: Api<Pod>, app: &str, lattice: Lattice, group: String, logs: PathBuf) -> Self {
        let (publish, seen) = watch::channel(Seen::default());
        let shared = Arc::new(Mutex::new(publish));
        let mut tasks = tokio::task::JoinSet::new();
        let config = watcher::Config::default().labels(&format!("app={app}"));
        tasks.spawn(watch_pods(pods, config, shared.clone()));
        tasks.spawn(poll(lattice, group, logs, shared));
        Self { seen, tasks }
    }

    /// What is seen now.
    pub(super) fn seen(&self) -> Seen {
        self.seen.borrow().clone()
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        self.tasks.abort_all();
    }
}

async fn watch_pods(api: Api<Pod>, config: watcher::Config, shared: Arc<Mutex<watch::Sender<Seen>>>) {
    let mut events = std::pin::pin!(watcher(api, config));
    while let Some(event) = events.next().await {
        let shared = shared.lock().await;
        match event {
            Ok(watcher::Event::Apply(pod) | watcher::Event::InitApply(pod)) => {
                shared.send_modify(|seen| note_pod(seen, &pod, false));
            }
            Ok(watcher::Event::Delete(pod)) => shared.send_modify(|seen| note_pod(seen, &pod, true)),
            Ok(_) => {}
            Err(error) => {
                tracing::debug!(%error, "watching pods");
                tokio::time::sleep(PERIOD).await;
            }
        }
    }
}

fn note_pod(seen: &mut Seen, pod: &Pod, gone: bool) {
    let uid = pod.metadata.uid.clone().unwrap_or_default();
    if !seen.pods.contains_key(&uid) {
        seen.order.push(uid.clone());
    }
    let row = seen.pods.entry(uid).or_default();
    let status = pod.status.clone().unwrap_or_default();
    row.name = pod.metadata.name.clone().unwrap_or_default();
    row.node = pod.spec.as_ref().and_then(|spec| spec.node_name.clone()).unwrap_or_default();
    row.address = status.pod_ip.unwrap_or_default();
    row.phase = status.phase.unwrap_or_default();
    row.leaving = pod.metadata.deletion_timestamp.is_some();
    row.gone = gone;
    row.ready = status
        .conditions
        .iter()
        .flatten()
        .any(|condition| condition.type_ == "Ready" && condition.status == "True");
}

async fn poll(lattice: Lattice, group: String, logs: PathBuf, shared: Arc<Mutex<watch::Sender<Seen>>>) {
    loop {
        let after = shared.lock().await.borrow().last_call;
        let calls = lattice.calls(after).await;
        let targets = lattice.targets(&group).await;
        let ready = readiness::read(&logs);
        shared.lock().await.send_modify(|seen| {
            for moment in ready {
                if let Some(row) = seen.pods.get_mut(&moment.uid) {
                    row.ready_at.get_or_insert(moment.time);
                }
            }
            for call in calls.unwrap_or_default() {
                note_call(seen, &call);
            }
            if let Ok(targets) = targets {
                let states: BTreeMap<String, String> = targets
                    .into_iter()
                    .map(|target| (format!("{}:{}", target.id, target.port), target.status))
                    .collect();
                for row in seen.pods.values_mut() {
                    let state = states.get(&format!("{}:{PORT}", row.address));
                    row.target = state.cloned().unwrap_or_default();
                }
                seen.draining = states.values().filter(|state| *state == "DRAINING").count();
                seen.targets = states
                    .into_iter()
                    .filter(|(_, state)| state != "DRAINING")
                    .map(|(target, _)| target)
                    .collect();
            }
        });
        tokio::time::sleep(PERIOD).await;
    }
}

fn note_call(seen: &mut Seen, call: &Call) {
    seen.last_call = seen.last_call.max(call.n);
    *seen.calls.entry(call.operation.clone()).or_default() += 1;
    for (address, port) in call.targets() {
        let target = format!("{address}:{port}");
        match call.operation.as_str() {
            "RegisterTargets" => {
                if call.status == Some(200) && !seen.registered.insert(target) {
                    seen.repeated += 1;
                }
                let rows = seen.pods.values_mut().filter(|row| row.address == address && !row.gone);
                for row in rows {
                    row.registered_at.get_or_insert(call.machine_time);
                }
            }
            "DeregisterTargets" => {
                seen.registered.remove(&target);
            }
            _ => {}
        }
    }
}
