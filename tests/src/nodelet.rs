//! A stand-in for kubelet and container runtime: pods bound to its node run as processes of this machine.
//!
//! It is a test double. What it honours it does as kubelet does; what it does not honour it refuses, with an Event
//! and a waiting reason that name the field.

mod connector;
mod containers;
mod environment;
mod hooks;
mod images;
mod logs;
mod node;
mod pods;
mod probes;
pub mod readiness;
mod sandbox;
mod security;
mod state;
mod status;
mod support;
mod volumes;
mod worker;

pub use images::Images;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Event, EventSource, ObjectReference, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client, Resource as _, ResourceExt as _};
use rustix::process::Signal;
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::cgroup;
use crate::error::{Error, Result};
use crate::network::NodeNetwork;

/// What a nodelet needs to know of its world.
#[derive(Debug)]
pub struct Settings {
    /// The node's name.
    pub name: String,
    /// Its network.
    pub network: NodeNetwork,
    /// Kubeconfig of the node's own identity.
    pub kubeconfig: PathBuf,
    /// Certificate and key, PEM files, of the node's own server (logs).
    pub serving: (PathBuf, PathBuf),
    /// Folder for what is the node's: its pods' volumes, its file system as `hostPath` shows it.
    pub folder: PathBuf,
    /// Folder for the containers' output.
    pub logs: PathBuf,
    /// Its cgroup.
    pub cgroup: PathBuf,
    /// Which binary an image stands for.
    pub images: Images,
    /// Where pods find the API server.
    pub api_server: SocketAddr,
    /// The AWS region that its name and labels show.
    pub region: String,
}

/// A node that runs.
#[derive(Debug)]
pub struct Nodelet {
    context: Arc<Context>,
    pods: pods::Pods,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// What all parts of a nodelet share.
struct Context {
    settings: Settings,
    client: Client,
    /// Whether the machine is on; off, it neither speaks nor runs anything.
    power: watch::Sender<Power>,
    /// Told when connections should be made anew, since the network is back.
    reconnect: Notify,
}

/// Whether a node is on, and in which of its lives.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Power {
    on: bool,
    boot: u64,
    boot_id: String,
}

/// What a container of a node is right now, for tests and their controls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerView {
    /// Its cgroup, as the whole machine sees it: the processes in it have the machine's numbers.
    pub cgroup: PathBuf,
    /// Its process, numbered as the world's PID namespace does; `None` when it does not run.
    pub pid: Option<u32>,
    /// How often it was started again.
    pub restarts: i32,
    /// What it wrote to standard output and standard error, over all its lives.
    pub log: PathBuf,
}

impl Nodelet {
    /// Registers the node and begins to run pods. The node is Ready at the API server when this returns.
    pub async fn start(settings: Settings) -> Result<Self> {
        let client = connector::client(&settings.kubeconfig, settings.network.namespace()).await?;
        cgroup::create(&settings.cgroup.join("kubepods"))?;
        let (power, _) = watch::channel(Power { on: true, boot: 0, boot_id: new_id() });
        let context = Arc::new(Context { settings, client, power, reconnect: Notify::new() });
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        node::register(&context).await?;
        let pods = pods::Pods::new(Arc::clone(&context));
        tasks.spawn(stop.clone().run_until_cancelled_owned(node::renew_lease(Arc::clone(&context))));
        tasks.spawn(stop.clone().run_until_cancelled_owned(node::report(Arc::clone(&context))));
        tasks.spawn(stop.clone().run_until_cancelled_owned(pods::watch(Arc::clone(&context), pods.clone())));
        tasks.spawn(stop.clone().run_until_cancelled_owned(logs::serve(Arc::clone(&context), pods.clone())));
        tasks.close();
        Ok(Self { context, pods, tasks, stop })
    }

    /// The node's network, with its cuts.
    #[must_use]
    pub fn network(&self) -> &NodeNetwork {
        &self.context.settings.network
    }

    /// Makes connections anew: a healed network need not wait for TCP to notice.
    pub fn reconnect(&self) {
        self.context.reconnect.notify_waiters();
    }

    /// Sends a signal to a container's process. `pod` is `namespace/name`.
    pub fn signal(&self, pod: &str, container: &str, signal: Signal) -> Result<()> {
        self.pods.signal(pod, container, signal)
    }

    /// How a container is.
    pub fn container(&self, pod: &str, container: &str) -> Result<ContainerView> {
        self.pods.view(pod, container)
    }

    /// Loses power for a time and boots: all processes die at once, pods start again in place, with new addresses.
    pub async fn reboot(&self, off: Duration) -> Result<()> {
        self.context.power.send_modify(|power| power.on = false);
        self.pods.all_dead().await?;
        tokio::time::sleep(off).await;
        self.context.power.send_modify(|power| {
            power.on = true;
            power.boot += 1;
            power.boot_id = new_id();
        });
        node::register(&self.context).await?;
        self.reconnect();
        Ok(())
    }

    /// Takes the machine away: all its processes die at once, its network goes. Its objects stay where they are.
    pub async fn remove(&self) -> Result<()> {
        self.context.power.send_modify(|power| power.on = false);
        self.stop.cancel();
        self.pods.all_dead().await?;
        self.pods.abandon().await;
        self.tasks.wait().await;
        self.context.settings.network.remove().await?;
        cgroup::remove_when_empty(&self.context.settings.cgroup).await
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Context").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Context {
    fn name(&self) -> &str {
        &self.settings.name
    }

    fn pods(&self, pod: &Pod) -> Api<Pod> {
        Api::namespaced(self.client.clone(), &pod.namespace().unwrap_or_default())
    }

    /// Waits until the machine is on.
    async fn powered(&self) -> Power {
        let mut power = self.power.subscribe();
        let on = power.wait_for(|power| power.on).await.map(|power| power.clone());
        match on {
            Ok(power) => power,
            // The sender is part of this context, so it is never gone.
            Err(_) => std::future::pending().await,
        }
    }

    /// The cgroup of a pod.
    fn pod_cgroup(&self, pod: &Pod) -> PathBuf {
        self.settings.cgroup.join("kubepods").join(format!("pod{}", pod.uid().unwrap_or_default()))
    }

    /// The folder of a pod's volumes and papers.
    fn pod_folder(&self, pod: &Pod) -> PathBuf {
        self.settings.folder.join("pods").join(pod.uid().unwrap_or_default())
    }

    /// The file of a container's output.
    fn log_file(&self, pod: &Pod, container: &str) -> PathBuf {
        self.settings
            .logs
            .join(format!("{}_{}", pod.namespace().unwrap_or_default(), pod.name_any()))
            .join(format!("{container}.log"))
    }

    /// The node's file system, as `hostPath` volumes show it.
    fn host_root(&self) -> PathBuf {
        host_root(&self.settings.folder)
    }

    /// Writes an Event about a pod. An Event that cannot be written is only logged.
    async fn event(&self, pod: &Pod, kind: &str, reason: &str, message: &str) {
        let namespace = pod.namespace().unwrap_or_default();
        let now = Time(jiff::Timestamp::now());
        let event = Event {
            metadata: ObjectMeta {
                generate_name: Some(format!("{}-", pod.name_any())),
                namespace: Some(namespace.clone()),
                ..ObjectMeta::default()
            },
            involved_object: ObjectReference { ..pod.object_ref(&()) },
            type_: Some(kind.into()),
            reason: Some(reason.into()),
            message: Some(message.into()),
            source: Some(EventSource { component: Some("nodelet".into()), host: Some(self.name().into()) }),
            reporting_component: Some("nodelet".into()),
            reporting_instance: Some(self.name().into()),
            first_timestamp: Some(now.clone()),
            last_timestamp: Some(now),
            count: Some(1),
            ..Event::default()
        };
        let events: Api<Event> = Api::namespaced(self.client.clone(), &namespace);
        if let Err(error) = events.create(&PostParams::default(), &event).await {
            tracing::warn!(%error, node = self.name(), reason, "an Event could not be written");
        }
    }
}

/// Where a node's own file system lies, given the node's folder.
#[must_use]
pub fn host_root(folder: &Path) -> PathBuf {
    folder.join("root")
}

/// A random identifier in the form of a UUID, from the kernel.
pub(crate) fn new_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/uuid").unwrap_or_default().trim().to_owned()
}

fn unknown_pod(node: &str, pod: &str) -> Error {
    Error::Usage(format!("the node {node} runs no pod {pod}; name it as namespace/name"))
}
