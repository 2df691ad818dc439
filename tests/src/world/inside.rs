//! The world process: process 1 of the world's PID namespace, parent of everything in it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Node;
use kube::api::DeleteParams;
use kube::{Api, Client};
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
use rustix::process::{Signal, set_parent_process_death_signal};
use rustix::thread::{UnshareFlags, unshare_unsafe};
use serde_json::Value;
use tokio::sync::Mutex;

use super::cloud::{self, Announcement, Cloud};
use super::control::{self, Part, PartSignal, Request};
use super::description::{Account, Description};
use super::options::{WorldOptions, node_folder, node_name};
use super::supervisor::Remains;
use crate::cgroup;
use crate::controlplane::{self, Authority, Binaries, Component, Ports, Settings, Subject, gateway_api};
use crate::error::{Doing as _, Error, Result};
use crate::network::addresses::{API_PORT, CLOUD_PORT, MAX_NODES};
use crate::network::{Fabric, Peer};
use crate::nodelet::{self, Nodelet};
use crate::process::{Process, spawn_after};

/// The name of the cluster that has its cloud for itself.
const CLUSTER: &str = "world";

/// How long a component has between SIGTERM and SIGKILL when it is restarted.
const RESTART_GRACE: Duration = Duration::from_secs(10);

/// The hidden subcommand `world-process FOLDER`.
pub(crate) fn run(arguments: Vec<OsString>) -> ExitCode {
    let folder = PathBuf::from(arguments.into_iter().next().unwrap_or_default());
    if let Err(error) = settle() {
        eprintln!("the world process could not settle in: {error}");
        return ExitCode::FAILURE;
    }
    crate::command::log_to_stderr();
    match live(&folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Makes this process's own surroundings, before it has threads.
fn settle() -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // SAFETY: the flag concerns mounts alone, and this process has one thread.
    unsafe { unshare_unsafe(UnshareFlags::NEWNS) }?;
    mount_change("/", MountPropagationFlags::REC | MountPropagationFlags::PRIVATE)?;
    // What was mounted before numbers processes as the whole machine does.
    mount("proc", "/proc", "proc", MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC, None)?;
    Ok(())
}

#[tokio::main]
async fn live(folder: &Path) -> Result<()> {
    let options = WorldOptions::load(folder)?;
    let listener = control::listen(folder)?;
    let world = Arc::new(Inside::start(options).await?);
    // The one line that the starter waits for.
    println!("{}", serde_json::to_string(&world.description).doing("composing the world's description")?);
    control::serve(world, listener).await;
    Ok(())
}

/// A world, from inside.
pub(super) struct Inside {
    options: WorldOptions,
    description: Description,
    fabric: Fabric,
    settings: Settings,
    binaries: Binaries,
    authority: Authority,
    client: Client,
    components: Mutex<BTreeMap<Component, Process>>,
    cloud: Mutex<Option<Cloud>>,
    nodes: Mutex<BTreeMap<u8, Arc<Nodelet>>>,
}

impl Inside {
    async fn start(options: WorldOptions) -> Result<Self> {
        let fabric = Fabric::create().await?;
        let plan = fabric.plan();
        // The number passes to the next world as soon as the network is gone, so it alone would name two cgroups.
        let nonce = nodelet::new_id();
        let name = format!("lath-world-{}-{}", plan.number, nonce.split('-').next().unwrap_or_default());
        let cgroup = cgroup::mount_point()?.join(name);
        // Noted before it is made, so that it is removed whatever happens next.
        Remains { cgroup: cgroup.clone(), interface: fabric.host_interface() }.save(&options.folder)?;
        cgroup::create(&cgroup)?;

        let settings = Settings {
            folder: options.folder.clone(),
            bind: std::net::Ipv6Addr::UNSPECIFIED.into(),
            address: plan.api().v4.into(),
            other_addresses: vec![plan.api().v6.into()],
            ports: Ports::usual(API_PORT),
        };
        let store = options.folder.join("etcd");
        if store.exists() {
            std::fs::remove_dir_all(&store).doing_with(|| format!("removing {}", store.display()))?;
        }
        let authority = settings.prepare()?;
        let binaries = Binaries::from_environment()?;
        let kubeconfig = options.folder.join("kubeconfig");
        let client =
            Client::try_from(controlplane::client_config(&kubeconfig).await?).doing("making a client")?;

        // Read while the API server starts.
        let gateway_api = options.gateway_api.then(|| tokio::spawn(gateway_api::definitions()));
        let mut components = BTreeMap::new();
        for component in [Component::Etcd, Component::ApiServer] {
            components.insert(component, launch(&settings, &binaries, &fabric, component)?);
        }
        let address = SocketAddr::new(plan.cloud().v4.into(), CLOUD_PORT);
        let cloud = if options.has_own_cloud() {
            Some(cloud::start(&options, fabric.router(), address).await?)
        } else {
            None
        };
        controlplane::ready(&client, || {
            let (component, _) = components.iter().find(|(_, process)| process.exit().is_some())?;
            Some(format!("{} has ended; see {}", component.program(), settings.log(*component).display()))
        })
        .await?;
        for component in [Component::ControllerManager, Component::Scheduler] {
            components.insert(component, launch(&settings, &binaries, &fabric, component)?);
        }
        if let Some(definitions) = gateway_api {
            let definitions = definitions.await.doing("reading the kinds of Gateway API")??;
            gateway_api::install(&client, &definitions).await?;
        }

        let other = options.cloud_of.as_deref().map(Description::load).transpose()?;
        let cluster = if other.is_some() { format!("{CLUSTER}-{}", plan.number) } else { CLUSTER.to_owned() };
        let Announcement { endpoint, accounts, region } = match (&cloud, other) {
            (Some(cloud), _) => cloud.announcement.clone(),
            (None, Some(other)) => other.announcement(),
            (None, None) => Announcement { region: options.region.clone(), ..Announcement::default() },
        };
        let nowhere = || Account { id: "123456789012".into(), ..Account::default() };
        let description = Description {
            kubeconfig,
            cluster,
            lattice_endpoint: endpoint,
            account: accounts.first().cloned().unwrap_or_else(nowhere),
            accounts,
            vpc: format!("vpc-{:017x}", 0x1a74_0000_0000 + u64::from(plan.number)),
            region,
            plan,
            cgroup,
        };
        let world = Self {
            fabric,
            settings,
            binaries,
            authority,
            client,
            components: Mutex::new(components),
            cloud: Mutex::new(cloud),
            nodes: Mutex::new(BTreeMap::new()),
            description,
            options,
        };
        futures::future::try_join_all((0..world.options.nodes).map(|index| world.add(index))).await?;
        world.description.save(&world.options.folder)?;
        Ok(world)
    }

    /// Does what a test asks for.
    pub(super) async fn obey(&self, request: Request) -> Result<Value> {
        match request {
            Request::Container { node, pod, container } => {
                let view = self.node(node).await?.container(&pod, &container)?;
                return serde_json::to_value(view).doing("composing an answer");
            }
            Request::SignalContainer { node, pod, container, signal } => {
                let signal = Signal::from_named_raw(signal)
                    .ok_or_else(|| Error::Usage(format!("{signal} is not the number of a signal")))?;
                self.node(node).await?.signal(&pod, &container, signal)?;
            }
            Request::Cut { peer: Peer::Cloud, .. } if self.options.cloud_of.is_some() => {
                return Err(Error::Usage("nodes can't be cut off from another world's cloud".into()));
            }
            Request::Cut { node, peer } => self.node(node).await?.network().cut(peer).await?,
            Request::Heal { node, peer } => {
                let node = self.node(node).await?;
                node.network().heal(peer).await?;
                node.reconnect();
            }
            Request::Reboot { node, off_ms } => {
                self.node(node).await?.reboot(Duration::from_millis(off_ms)).await?;
            }
            Request::Remove { node } => self.remove(node).await?,
            Request::Add { node } => self.add(node).await?,
            Request::Signal { part, signal } => self.signal(part, signal).await?,
            Request::Restart { part } => self.restart(part).await?,
            Request::WantAddress { address, pod } => {
                if !self.fabric.pool().want(address, &pod) {
                    return Err(Error::Usage(format!("{address} cannot be a pod's address in this world")));
                }
            }
            Request::RouterDescriptor => {
                let descriptor = self.fabric.router().fd().as_raw_fd();
                return serde_json::to_value(descriptor).doing("composing an answer");
            }
        }
        Ok(Value::Null)
    }

    /// A node. The list is free again when this returns, so that a slow control holds up no other.
    async fn node(&self, index: u8) -> Result<Arc<Nodelet>> {
        let node = self.nodes.lock().await.get(&index).cloned();
        node.ok_or_else(|| Error::Usage(format!("the world has no {}", node_name(index))))
    }

    /// Adds a node; it is Ready when this returns.
    async fn add(&self, index: u8) -> Result<()> {
        if index >= MAX_NODES || self.nodes.lock().await.contains_key(&index) {
            return Err(Error::Usage(format!("the world cannot have another {}", node_name(index))));
        }
        let name = node_name(index);
        let folder = node_folder(&self.options.folder, index);
        let root = nodelet::host_root(&folder);
        std::fs::create_dir_all(&root).doing_with(|| format!("making {}", root.display()))?;
        let network = self.fabric.add_node(index).await?;
        let subject = Subject { name: &name, addresses: &network.addresses().both(), ..Subject::default() };
        let serving = self.authority.sign(&format!("{name}-serving"), &subject)?;
        let kubeconfig =
            controlplane::node(&self.authority, &self.settings.server(), &name, &folder.join("kubeconfig"))?;
        let nodelet = Nodelet::start(nodelet::Settings {
            cgroup: self.description.cgroup.join(&name),
            network,
            kubeconfig,
            serving: (serving.certificate_file, serving.key_file),
            logs: self.options.folder.join("logs"),
            images: self.options.images.clone(),
            api_server: SocketAddr::new(self.fabric.plan().api().v4.into(), API_PORT),
            region: self.description.region.clone(),
            folder,
            name,
        })
        .await?;
        self.nodes.lock().await.insert(index, Arc::new(nodelet));
        Ok(())
    }

    /// Takes a node away, and then its object, as a cloud provider's controller does.
    async fn remove(&self, index: u8) -> Result<()> {
        let node = self.nodes.lock().await.remove(&index);
        let name = node_name(index);
        node.ok_or_else(|| Error::Usage(format!("the world has no {name}")))?.remove().await?;
        let nodes: Api<Node> = Api::all(self.client.clone());
        match nodes.delete(&name, &DeleteParams::default()).await {
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            other => other.map(drop).doing_with(|| format!("deleting the Node {name}")),
        }
    }

    async fn signal(&self, part: Part, signal: PartSignal) -> Result<()> {
        let signal = match signal {
            PartSignal::Stop => Signal::STOP,
            PartSignal::Continue => Signal::CONT,
            PartSignal::Kill => Signal::KILL,
        };
        self.process(part).await?.signal(signal).doing_with(|| format!("sending a signal to {part:?}"))
    }

    async fn process(&self, part: Part) -> Result<Process> {
        let process = match part {
            Part::ControlPlane(component) => self.components.lock().await.get(&component).cloned(),
            Part::Cloud => self.cloud.lock().await.as_ref().map(|cloud| cloud.process.clone()),
        };
        process.ok_or_else(|| Error::Usage(format!("the world has no {part:?}")))
    }

    async fn restart(&self, part: Part) -> Result<()> {
        let process = self.process(part).await?;
        let doing = || format!("ending {part:?}");
        process.signal(Signal::TERM).doing_with(doing)?;
        if tokio::time::timeout(RESTART_GRACE, process.wait()).await.is_err() {
            process.signal(Signal::KILL).doing_with(doing)?;
            process.wait().await.doing_with(doing)?;
        }
        match part {
            Part::ControlPlane(component) => {
                let process = launch(&self.settings, &self.binaries, &self.fabric, component)?;
                self.components.lock().await.insert(component, process);
                if component == Component::ApiServer || component == Component::Etcd {
                    controlplane::ready(&self.client, || None).await?;
                }
            }
            Part::Cloud => {
                let address = SocketAddr::new(self.fabric.plan().cloud().v4.into(), CLOUD_PORT);
                let cloud = cloud::start(&self.options, self.fabric.router(), address).await?;
                *self.cloud.lock().await = Some(cloud);
            }
        }
        Ok(())
    }
}

/// Starts a component beside the bridge.
fn launch(
    settings: &Settings,
    binaries: &Binaries,
    fabric: &Fabric,
    component: Component,
) -> Result<Process> {
    let doing = || format!("starting {}", component.program());
    let mut command = settings.command(component, binaries)?;
    let child = spawn_after(|| fabric.router().enter(), &mut command).doing_with(doing)?;
    let process = Process::adopt(&child).doing_with(doing)?;
    // Somebody has to wait for it, or it would stay a zombie and never be seen to end.
    let waited = process.clone();
    tokio::spawn(async move {
        let exit = waited.wait().await;
        tracing::info!(?exit, component = component.program(), "a component has ended");
    });
    Ok(process)
}
