//! The pods of a node: watched at the API server, each in the hands of one worker.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::Pod;
use kube::runtime::watcher::{self, Event};
use kube::{Api, ResourceExt as _};
use rustix::process::Signal;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use super::state::PodState;
use super::worker::{self, News, not_running};
use super::{ContainerView, Context, unknown_pod};
use crate::cgroup;
use crate::error::{Doing as _, Error, Result};

/// The pause after a watch that failed.
const WATCH_RETRY: Duration = Duration::from_millis(500);

/// The workers of a node, by pod UID. Clones mean the same.
#[derive(Debug, Clone)]
pub(super) struct Pods {
    context: Arc<Context>,
    workers: Arc<Mutex<BTreeMap<String, Worker>>>,
    tasks: TaskTracker,
}

#[derive(Debug)]
struct Worker {
    news: watch::Sender<News>,
    state: Arc<PodState>,
}

impl Pods {
    pub(super) fn new(context: Arc<Context>) -> Self {
        Self { context, workers: Arc::default(), tasks: TaskTracker::new() }
    }

    fn workers(&self) -> MutexGuard<'_, BTreeMap<String, Worker>> {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a pod, new or changed, to its worker.
    fn apply(&self, pod: Pod) {
        let uid = pod.uid().unwrap_or_default();
        let pod = Arc::new(pod);
        let mut workers = self.workers();
        if let Some(worker) = workers.get(&uid) {
            worker.news.send_modify(|news| news.pod = pod);
            return;
        }
        let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
        if matches!(phase, Some("Succeeded" | "Failed")) && pod.metadata.deletion_timestamp.is_none() {
            return;
        }
        let state = Arc::new(PodState::new(&pod));
        let (news, receiver) = watch::channel(News { pod, gone: false });
        workers.insert(uid.clone(), Worker { news, state: Arc::clone(&state) });
        let pods = self.clone();
        self.tasks.spawn(async move {
            worker::run(Arc::clone(&pods.context), state, receiver).await;
            if let Some(worker) = pods.workers().remove(&uid) {
                let folder = pods.context.pod_folder(&worker.news.borrow().pod);
                if let Err(error) = std::fs::remove_dir_all(&folder)
                    && error.kind() != std::io::ErrorKind::NotFound
                {
                    tracing::warn!(%error, folder = %folder.display(), "a pod's folder could not be removed");
                }
            }
        });
    }

    /// Tells a worker that its pod's object is gone.
    fn delete(&self, uid: &str) {
        if let Some(worker) = self.workers().get(uid) {
            worker.news.send_modify(|news| news.gone = true);
        }
    }

    /// After a new list: what is not in it is gone.
    fn keep(&self, present: &BTreeSet<String>) {
        for (uid, worker) in self.workers().iter() {
            if !present.contains(uid) {
                worker.news.send_modify(|news| news.gone = true);
            }
        }
    }

    /// Ends all workers as if their pods were gone, and waits for them.
    pub(super) async fn abandon(&self) {
        self.keep(&BTreeSet::new());
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Kills every process of the node's pods and waits for their end.
    pub(super) async fn all_dead(&self) -> Result<()> {
        let cgroup = &self.context.settings.cgroup;
        for _ in 0..500 {
            // Again each time: a container may just have been starting.
            cgroup::kill(cgroup).doing_with(|| format!("killing what runs in {}", cgroup.display()))?;
            if cgroup::processes(cgroup).is_empty() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Err(Error::failed(
            format!("killing the pods of node {}", self.context.name()),
            "some process survives SIGKILL",
        ))
    }

    /// Sends a signal to a container's process.
    pub(super) fn signal(&self, pod: &str, container: &str, signal: Signal) -> Result<()> {
        let (_, state) = self.find(pod)?;
        let process = state.container(container).and_then(|container| container.process);
        process
            .ok_or_else(|| not_running(pod, container))?
            .signal(signal)
            .doing_with(|| format!("sending a signal to {container} of {pod}"))
    }

    /// How a container is.
    pub(super) fn view(&self, pod: &str, container: &str) -> Result<ContainerView> {
        let (object, state) = self.find(pod)?;
        let found = state.container(container).ok_or_else(|| not_running(pod, container))?;
        Ok(ContainerView {
            cgroup: self.context.pod_cgroup(&object).join(container),
            pid: found.process.map(|process| process.pid()),
            restarts: found.restarts,
            log: self.context.log_file(&object, container),
        })
    }

    /// A pod by `namespace/name`. While a StatefulSet's pod is replaced there can be two; the newer one is meant.
    pub(super) fn find(&self, name: &str) -> Result<(Arc<Pod>, Arc<PodState>)> {
        let workers = self.workers();
        let named = workers.values().filter_map(|worker| {
            let pod = Arc::clone(&worker.news.borrow().pod);
            let full = format!("{}/{}", pod.namespace().unwrap_or_default(), pod.name_any());
            (full == name).then(|| (pod, Arc::clone(&worker.state)))
        });
        named
            .max_by_key(|(pod, _)| pod.metadata.creation_timestamp.as_ref().map(|time| time.0))
            .ok_or_else(|| unknown_pod(self.context.name(), name))
    }
}

/// Watches the pods that are bound to this node, for ever.
pub(super) async fn watch(context: Arc<Context>, pods: Pods) {
    let api: Api<Pod> = Api::all(context.client.clone());
    let config = watcher::Config::default().fields(&format!("spec.nodeName={}", context.name()));
    loop {
        context.powered().await;
        let mut events = std::pin::pin!(watcher::watcher(api.clone(), config.clone()));
        let mut listed = BTreeSet::new();
        loop {
            let event = tokio::select! {
                event = events.next() => event,
                () = context.reconnect.notified() => break,
            };
            if !context.power.borrow().on {
                break;
            }
            match event {
                Some(Ok(Event::Apply(pod))) => pods.apply(pod),
                Some(Ok(Event::Delete(pod))) => pods.delete(&pod.uid().unwrap_or_default()),
                Some(Ok(Event::Init)) => listed.clear(),
                Some(Ok(Event::InitApply(pod))) => {
                    listed.insert(pod.uid().unwrap_or_default());
                    pods.apply(pod);
                }
                Some(Ok(Event::InitDone)) => pods.keep(&listed),
                Some(Err(error)) => {
                    tracing::debug!(%error, node = context.name(), "the watch of pods failed");
                    tokio::select! {
                        () = tokio::time::sleep(WATCH_RETRY) => {}
                        () = context.reconnect.notified() => break,
                    }
                }
                None => break,
            }
        }
    }
}
