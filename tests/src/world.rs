//! A world: a cluster and a cloud on this machine, in namespaces that vanish with it.
//!
//! ```text
//! test or lath-world ── lifeline ── supervisor ── world process (process 1 of its PID namespace)
//!                                                  ├── control plane, simulator
//!                                                  └── nodelets ── pods' processes
//! ```
//!
//! The test holds a pipe; when that closes, for whatever reason, the supervisor kills the world process, the kernel
//! kills everything else and removes the network, and the supervisor removes the cgroups.

mod cloud;
mod control;
mod description;
pub(crate) mod inside;
mod options;
pub(crate) mod supervisor;

use std::io::BufRead as _;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

pub use control::{Part, PartSignal};
pub use description::{Account, Description};
pub use options::{WorldOptions, built};

use control::Request;
use kube::Client;
use serde::de::DeserializeOwned;

use crate::controlplane::{Binaries, Component, client_config};
use crate::error::{Doing as _, Error, Result};
use crate::network::{Namespace, Peer, share_cloud};
use crate::nodelet::{self, ContainerView};

/// A world that runs. Dropping it ends it, a moment later; [`World::stop`] waits for that.
#[derive(Debug)]
pub struct World {
    folder: PathBuf,
    description: Description,
    /// `None` for a world that another process holds.
    held: Option<Held>,
}

#[derive(Debug)]
struct Held {
    supervisor: Child,
    lifeline: Option<ChildStdin>,
}

impl World {
    /// Starts a world that lives no longer than this process. Its nodes are Ready when this returns.
    ///
    /// Needs root. Builds the control plane's programs if they are missing, which takes minutes.
    pub async fn start(options: WorldOptions) -> Result<Self> {
        let (supervisor, description) = launch(&options, Stdio::piped(), false).await?;
        let mut supervisor = supervisor;
        let lifeline = supervisor.stdin.take();
        let world = Self { folder: options.folder, description, held: Some(Held { supervisor, lifeline }) };
        world.join(options.cloud_of.as_deref()).await?;
        Ok(world)
    }

    /// Starts a world that stays up until [`World::stop_detached`].
    pub async fn start_detached(options: WorldOptions) -> Result<Description> {
        let (_, description) = launch(&options, Stdio::null(), true).await?;
        let world = Self { folder: options.folder, description, held: None };
        if let Err(error) = world.join(options.cloud_of.as_deref()).await {
            supervisor::stop(&world.folder).await?;
            return Err(error);
        }
        Ok(world.description)
    }

    /// Ends a world that was started to stay up, by its folder.
    pub async fn stop_detached(folder: &Path) -> Result<()> {
        supervisor::stop(folder).await
    }

    /// A world that another process started, by its folder. Dropping the result does not end it.
    pub fn attach(folder: &Path) -> Result<Self> {
        Ok(Self { folder: folder.to_owned(), description: Description::load(folder)?, held: None })
    }

    /// Ends the world and waits until nothing but its folder is left.
    pub async fn stop(mut self) -> Result<()> {
        let Some(held) = self.held.take() else { return Self::stop_detached(&self.folder).await };
        let Held { mut supervisor, lifeline } = held;
        drop(lifeline);
        let status = tokio::task::spawn_blocking(move || supervisor.wait())
            .await
            .doing("waiting for the world's end")?
            .doing("waiting for the world's end")?;
        if status.success() {
            Ok(())
        } else {
            Err(Error::failed("ending the world", format!("its supervisor ended with {status}")))
        }
    }

    /// A new client with the administrator's rights. Each runtime needs a client of its own.
    pub async fn client(&self) -> Result<Client> {
        Client::try_from(client_config(&self.kubeconfig()).await?).doing("making a client")
    }

    /// The administrator's kubeconfig file.
    #[must_use]
    pub fn kubeconfig(&self) -> PathBuf {
        self.description.kubeconfig.clone()
    }

    /// What the world is: its addresses, accounts, names.
    #[must_use]
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// The URL of the cloud's endpoint, or an empty text without a cloud.
    #[must_use]
    pub fn lattice_endpoint(&self) -> &str {
        &self.description.lattice_endpoint
    }

    /// The account that the cluster is in.
    #[must_use]
    pub fn account(&self) -> &Account {
        &self.description.account
    }

    /// The id of the VPC that the cluster is in.
    #[must_use]
    pub fn vpc(&self) -> &str {
        &self.description.vpc
    }

    /// The AWS region.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.description.region
    }

    /// The world's folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The path of a program of the control plane's toolbox: `kubectl`, `helm`.
    pub fn program(&self, name: &str) -> Result<PathBuf> {
        Ok(Binaries::from_environment()?.path(name))
    }

    /// A node by its index, from 0.
    #[must_use]
    pub fn node(&self, index: u8) -> Node<'_> {
        Node { world: self, index }
    }

    /// Sends a signal to a part of the control plane or to the cloud: stops it, continues it, kills it.
    pub async fn signal(&self, part: Part, signal: PartSignal) -> Result<()> {
        self.ask(Request::Signal { part, signal }).await
    }

    /// Ends a part and starts it again. A control plane that is started anew keeps its data, the cloud does not.
    pub async fn restart(&self, part: Part) -> Result<()> {
        self.ask(Request::Restart { part }).await
    }

    /// As [`World::restart`] of kube-controller-manager.
    pub async fn restart_controller_manager(&self) -> Result<()> {
        self.restart(Part::ControlPlane(Component::ControllerManager)).await
    }

    /// Lets the next pod whose `namespace/name` starts with `pod` have this address, as soon as it is free.
    pub async fn want_address(&self, address: Ipv4Addr, pod: &str) -> Result<()> {
        self.ask(Request::WantAddress { address, pod: pod.to_owned() }).await
    }

    /// Joins its network to that of the world whose cloud it uses, if it uses another's.
    async fn join(&self, cloud_of: Option<&Path>) -> Result<()> {
        let Some(folder) = cloud_of else { return Ok(()) };
        let other = Self::attach(folder)?;
        let (cloud, own) = (other.router().await?, self.router().await?);
        share_cloud((&cloud, other.description.plan), (&own, self.description.plan)).await
    }

    /// The namespace of its router.
    async fn router(&self) -> Result<Namespace> {
        let doing = || format!("opening the network of the world in {}", self.folder.display());
        let descriptor: i32 = self.ask(Request::RouterDescriptor).await?;
        let process = supervisor::world_process(&self.folder)
            .ok_or_else(|| Error::failed(doing(), "its process is not known"))?;
        Namespace::open(format!("/proc/{}/fd/{descriptor}", process.pid)).doing_with(doing)
    }

    async fn ask<T: DeserializeOwned>(&self, request: Request) -> Result<T> {
        control::ask(&self.folder, request).await
    }
}

/// A node of a world, with its controls.
#[derive(Debug, Clone, Copy)]
pub struct Node<'a> {
    world: &'a World,
    index: u8,
}

impl Node<'_> {
    /// The node's name in Kubernetes.
    #[must_use]
    pub fn name(&self) -> String {
        options::node_name(self.index)
    }

    /// The cgroup of the node: its pods are below `kubepods/`.
    #[must_use]
    pub fn cgroup(&self) -> PathBuf {
        self.world.description.cgroup.join(self.name())
    }

    /// Where a path of the node's own file system, as `hostPath` volumes show it, lies on this machine.
    #[must_use]
    pub fn host_path(&self, path: &str) -> PathBuf {
        nodelet::host_root(&options::node_folder(&self.world.folder, self.index))
            .join(path.trim_start_matches('/'))
    }

    /// How a container is. `pod` is `namespace/name`.
    pub async fn container(&self, pod: &str, container: &str) -> Result<ContainerView> {
        let (pod, container) = (pod.to_owned(), container.to_owned());
        self.world.ask(Request::Container { node: self.index, pod, container }).await
    }

    /// Sends a signal, by its number, to a container's process. 9 is SIGKILL, 19 SIGSTOP, 18 SIGCONT.
    pub async fn signal(&self, pod: &str, container: &str, signal: i32) -> Result<()> {
        let (pod, container) = (pod.to_owned(), container.to_owned());
        self.world.ask(Request::SignalContainer { node: self.index, pod, container, signal }).await
    }

    /// Kills a container's process with SIGKILL; the node starts it again as the pod's policy says.
    pub async fn kill(&self, pod: &str, container: &str) -> Result<()> {
        self.signal(pod, container, 9).await
    }

    /// Cuts the node and its pods off from a peer. Nobody is told: packets vanish.
    pub async fn cut(&self, peer: Peer) -> Result<()> {
        self.world.ask(Request::Cut { node: self.index, peer }).await
    }

    /// Undoes [`Node::cut`].
    pub async fn heal(&self, peer: Peer) -> Result<()> {
        self.world.ask(Request::Heal { node: self.index, peer }).await
    }

    /// Loses power, stays off for a time and boots: new boot id, pods start in place with the same UIDs and new
    /// addresses. Returns when the node is registered again.
    pub async fn reboot(&self, off: Duration) -> Result<()> {
        let off_ms = u64::try_from(off.as_millis()).unwrap_or(u64::MAX);
        self.world.ask(Request::Reboot { node: self.index, off_ms }).await
    }

    /// Takes the machine away and deletes its Node object.
    pub async fn remove(&self) -> Result<()> {
        self.world.ask(Request::Remove { node: self.index }).await
    }

    /// Adds a machine with this index, after [`Node::remove`] or as one more. Returns when it is Ready.
    pub async fn add(&self) -> Result<()> {
        self.world.ask(Request::Add { node: self.index }).await
    }
}

/// Starts a supervisor and waits for its world to be ready.
async fn launch(options: &WorldOptions, lifeline: Stdio, detached: bool) -> Result<(Child, Description)> {
    options.check()?;
    Binaries::from_environment()?.ensure().await?;
    let folder = &options.folder;
    supervisor::refuse_if_running(folder)?;
    supervisor::clear(folder).await?;
    options.save()?;
    let log = supervisor::log(folder);
    let doing = || format!("starting a world in {}", folder.display());
    let mut command = Command::new(&options.program);
    command.arg("supervisor").arg(folder);
    if detached {
        command.arg("detached");
    }
    let mut child = command
        .stdin(lifeline)
        .stdout(Stdio::piped())
        .stderr(std::fs::File::create(&log).doing_with(|| format!("making {}", log.display()))?)
        .spawn()
        .doing_with(|| format!("{} with {}", doing(), options.program.display()))?;
    let stdout = child.stdout.take().ok_or_else(|| Error::failed(doing(), "it has no standard output"))?;
    let line = tokio::task::spawn_blocking(move || {
        let mut line = String::new();
        std::io::BufReader::new(stdout).read_line(&mut line).map(|_| line)
    })
    .await
    .doing_with(doing)?
    .doing_with(doing)?;
    if let Ok(description) = serde_json::from_str(&line) {
        return Ok((child, description));
    }
    let said = std::fs::read_to_string(&log).unwrap_or_default();
    let last = said.lines().next_back().unwrap_or("it ended without a word");
    // The lifeline closes with this child, so that nothing is left of the attempt.
    drop(child.stdin.take());
    tokio::task::spawn_blocking(move || child.wait()).await.doing_with(doing)?.doing_with(doing)?;
    Err(Error::failed(doing(), format!("{last} (more in {})", log.display())))
}
