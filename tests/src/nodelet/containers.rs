//! One container through all its lives: start, probes, end, backoff, start.

use std::fs::File;
use std::io;
use std::net::IpAddr;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Container, Pod};
use kube::ResourceExt as _;
use rustix::process::Signal;
use rustix::thread::{UnshareFlags, unshare_unsafe};
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::environment::{expand, hostname, variables};
use super::images::short_name;
use super::sandbox::Sandbox;
use super::state::{Ended, Phase, PodState, Role};
use super::volumes::{Volumes, of_pod};
use super::{Context, hooks, new_id, probes, security};
use crate::cgroup;
use crate::container::{self, Mount, OPENED, Privileges};
use crate::error::{Doing as _, Error, Result};
use crate::process::{Exit, Process, spawn_after};

/// This program, as process 1 of the world's PID namespace runs it, even if the file was replaced meanwhile.
pub(super) const PROGRAM: &str = "/proc/1/exe";
/// The pause before a container's second restart; it doubles up to [`LONGEST_BACKOFF`]. Kubelet's are 10 s and 5 min.
const FIRST_BACKOFF: Duration = Duration::from_millis(250);
/// The longest pause before a restart.
const LONGEST_BACKOFF: Duration = Duration::from_secs(30);
/// A container that ran for this long starts with the shortest pause again.
const LONG_LIFE: Duration = Duration::from_secs(30);
/// What a container gets between SIGTERM and SIGKILL even if its preStop hook took all of its time, as by kubelet.
const LEAST_GRACE: Duration = Duration::from_secs(2);

/// What a container is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Run, and start again as the pod's policy says.
    Run,
    /// Stop in order, by this time.
    Stop(Instant),
    /// Die now.
    Die,
}

/// One life of a container.
#[derive(Debug, Clone)]
pub(super) struct Life {
    pub container: Arc<Container>,
    /// The pod's address, which probes go to.
    pub address: IpAddr,
    pub process: Process,
    pub environment: Vec<(String, String)>,
    pub privileges: Privileges,
}

/// A container and all that it needs.
#[derive(Debug, Clone)]
pub(super) struct Supervisor {
    pub context: Arc<Context>,
    pub pod: Arc<Pod>,
    pub state: Arc<PodState>,
    pub sandbox: Arc<Sandbox>,
    pub volumes: Arc<Vec<(String, PathBuf)>>,
    pub container: Arc<Container>,
    pub role: Role,
}

impl Supervisor {
    /// Runs the container until it has ended for good.
    pub(super) async fn run(self, mut orders: watch::Receiver<Order>) {
        let mut backoff = Duration::ZERO;
        while *orders.borrow() == Order::Run {
            let begun = Instant::now();
            match self.start().await {
                Ok(life) => {
                    let ended = self.live(&life, &mut orders).await;
                    // A machine that lost its power restarts nothing; the order to die is on its way.
                    if !self.context.power.borrow().on {
                        let _ = orders.wait_for(|order| *order != Order::Run).await;
                    }
                    let again = *orders.borrow() == Order::Run && self.restarts(&ended);
                    if !again {
                        self.state.update_container(&self.container.name, |container| {
                            container.phase = Phase::Terminated(ended);
                        });
                        return;
                    }
                    if begun.elapsed() > LONG_LIFE {
                        backoff = Duration::ZERO;
                    }
                    self.wait_between(ended, backoff);
                }
                Err(error) => {
                    let message = error.to_string();
                    self.context.event(&self.pod, "Warning", "Failed", &message).await;
                    let reason = "CreateContainerError";
                    self.state.update_container(&self.container.name, |container| {
                        container.phase = Phase::Waiting { reason, message };
                    });
                    backoff = backoff.max(FIRST_BACKOFF);
                }
            }
            tokio::select! {
                () = sleep(backoff) => {}
                _ = orders.wait_for(|order| *order != Order::Run) => return,
            }
            backoff = (backoff * 2).clamp(FIRST_BACKOFF, LONGEST_BACKOFF);
        }
    }

    /// Whether the pod's policy wants another life after this one.
    pub(super) fn restarts(&self, ended: &Ended) -> bool {
        let well = ended.exit.is_some_and(Exit::success);
        let policy =
            self.pod.spec.as_ref().and_then(|spec| spec.restart_policy.as_deref()).unwrap_or("Always");
        match (self.role, policy) {
            (Role::Sidecar, _) | (Role::Main, "Always") => true,
            (Role::Init, "Always" | "OnFailure") | (Role::Main, "OnFailure") => !well,
            _ => false,
        }
    }

    /// Says that the next life comes after a pause.
    fn wait_between(&self, ended: Ended, backoff: Duration) {
        let name = &self.container.name;
        let message =
            format!("back-off {backoff:?} restarting failed container={name} pod={}", self.pod.name_any());
        self.state.update_container(name, |container| {
            container.restarts += 1;
            container.last = Some(ended.clone());
            container.phase = if backoff.is_zero() {
                Phase::Terminated(ended)
            } else {
                Phase::Waiting { reason: "CrashLoopBackOff", message }
            };
        });
    }

    /// Lives one life: from the running process to its end, whoever brings that about.
    async fn live(&self, life: &Life, orders: &mut watch::Receiver<Order>) -> Ended {
        let started = Timestamp::now();
        let name = &self.container.name;
        let id = format!("lath://{}", new_id().replace('-', ""));
        self.state.update_container(name, |container| {
            container.phase = Phase::Running { started };
            container.process = Some(life.process.clone());
            container.id.clone_from(&id);
            // A container without probes is what its process is.
            container.started = life.container.startup_probe.is_none();
            container.ready = container.started && life.container.readiness_probe.is_none();
        });
        let probes = probes::run(
            Arc::clone(&self.context),
            Arc::clone(&self.pod),
            Arc::clone(&self.state),
            life.clone(),
        );
        let mut probes = std::pin::pin!(probes);
        let mut watching = true;
        let mut stopping = false;
        let mut ending: BoxFuture<'_, ()> = std::future::pending().boxed();
        let exit = loop {
            tokio::select! {
                exit = life.process.wait() => break exit,
                why = &mut probes, if watching => {
                    watching = false;
                    let message = format!("Container {name} failed its {why:?} probe, will be restarted");
                    self.context.event(&self.pod, "Normal", "Killing", &message).await;
                    let deadline = Instant::now() + self.grace_after_probe(why);
                    stopping = true;
                    ending = self.terminate(life, orders.clone(), deadline).boxed();
                }
                () = &mut ending => ending = std::future::pending().boxed(),
                Ok(()) = orders.changed() => { let order = *orders.borrow_and_update(); match order {
                    // Where an end has begun, it watches the orders itself.
                    Order::Stop(deadline) if !stopping => {
                        stopping = true;
                        ending = self.terminate(life, orders.clone(), deadline).boxed();
                    }
                    Order::Die => kill(life),
                    _ => {}
                } }
            }
        };
        let _ = cgroup::kill(&self.cgroup());
        self.state.update_container(name, |container| {
            container.process = None;
            container.ready = false;
            container.started = false;
        });
        Ended { exit: exit.ok(), started, finished: Timestamp::now(), id }
    }

    /// Stops the container in order: preStop hook, SIGTERM, and SIGKILL when its time is over. An order that leaves
    /// less time shortens it.
    async fn terminate(&self, life: &Life, mut orders: watch::Receiver<Order>, deadline: Instant) {
        let mut deadline = deadline;
        let patience = deadline.saturating_duration_since(Instant::now());
        let hook = async {
            hooks::pre_stop(&self.context, &self.pod, life, patience).await;
        };
        until(hook, &mut orders, &mut deadline).await;
        if let Err(error) = life.process.signal(Signal::TERM) {
            tracing::warn!(%error, container = life.container.name, "SIGTERM could not be sent");
        }
        deadline = deadline.max(Instant::now() + LEAST_GRACE.min(patience));
        let gone = async {
            let _ = life.process.wait().await;
        };
        until(gone, &mut orders, &mut deadline).await;
        kill(life);
    }

    fn grace_after_probe(&self, why: probes::Unhealthy) -> Duration {
        let probe = match why {
            probes::Unhealthy::Startup => &self.container.startup_probe,
            probes::Unhealthy::Liveness => &self.container.liveness_probe,
        };
        let own = probe.as_ref().and_then(|probe| probe.termination_grace_period_seconds);
        let seconds = own.or(self.pod.spec.as_ref().and_then(|spec| spec.termination_grace_period_seconds));
        Duration::from_secs(seconds.and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(30))
    }

    fn cgroup(&self) -> PathBuf {
        self.context.pod_cgroup(&self.pod).join(&self.container.name)
    }

    /// Starts a process for the container.
    async fn start(&self) -> Result<Life> {
        let (context, pod, container) = (&self.context, &self.pod, &self.container);
        let image = container.image.as_deref().unwrap_or_default();
        let binary = context.settings.images.find(image).ok_or_else(|| {
            let known = context.settings.images.patterns();
            Error::failed(
                format!("looking for the image {image}"),
                format!("no binary stands for it; known are: {known}"),
            )
        })?;
        let addresses = &self.sandbox.addresses;
        let environment = variables(context, pod, container, addresses).await?;
        let privileges = security::privileges(pod, container)?;
        let cgroup = self.cgroup();
        cgroup::create(&cgroup)?;
        let folder = context.pod_folder(pod).join("containers").join(&container.name);
        let root = folder.join("root");
        let doing = || format!("starting the container {}", container.name);
        std::fs::create_dir_all(&root).doing_with(doing)?;

        let mut mounts = self.sandbox.mounts();
        let name = short_name(image);
        let installed = Path::new("/usr/local/bin").join(name);
        for target in [installed.clone(), Path::new("/").join(name)] {
            mounts.push(Mount { source: binary.to_owned(), target, read_only: true });
        }
        mounts.extend(self.volume_mounts()?);
        let expanded = |list: &Option<Vec<String>>| -> Vec<String> {
            list.iter().flatten().map(|text| expand(text, &environment)).collect()
        };
        let mut arguments = match &container.command {
            Some(command) if !command.is_empty() => expanded(&container.command),
            _ => vec![installed.display().to_string()],
        };
        arguments.extend(expanded(&container.args));
        let order = container::Container {
            cgroup,
            root,
            read_only_root: container.security_context.as_ref().and_then(|own| own.read_only_root_filesystem)
                == Some(true),
            mounts,
            hostname: hostname(context, pod),
            arguments,
            environment: environment.clone(),
            working_directory: container.working_dir.clone().unwrap_or_else(|| "/".into()).into(),
            privileges: privileges.clone(),
        };
        let file = folder.join("order.json");
        std::fs::write(&file, serde_json::to_vec(&order).doing_with(doing)?).doing_with(doing)?;

        let log = self.open_log()?;
        let (writer, reader) = pipe::pipe().doing_with(doing)?;
        let mut command = Command::new(PROGRAM);
        command
            .arg("container")
            .arg(&file)
            // The child opens the pipe anew, so that no other child inherits it.
            .arg(format!("/proc/1/fd/{}", writer.as_raw_fd()))
            .env_clear()
            .stdin(Stdio::null())
            .stdout(log.try_clone().doing_with(doing)?)
            .stderr(log);
        let namespace = self.sandbox.namespace().clone();
        let child = spawn_after(
            move || {
                namespace.enter()?;
                let flags =
                    UnshareFlags::NEWPID | UnshareFlags::NEWNS | UnshareFlags::NEWUTS | UnshareFlags::NEWIPC;
                // SAFETY: none of these flags shares out the descriptor table; the thread ends after one spawn.
                unsafe { unshare_unsafe(flags) }?;
                Ok(())
            },
            &mut command,
        )
        .doing_with(doing)?;
        let address =
            addresses.first().copied().ok_or_else(|| Error::failed(doing(), "the pod has no address"))?;
        let process = Process::adopt(&child).doing_with(doing)?;
        if let Some(why) = failure(&process, writer, reader).await.doing_with(doing)? {
            return Err(Error::failed(doing(), why));
        }
        Ok(Life { container: Arc::clone(container), address, process, environment, privileges })
    }

    fn open_log(&self) -> Result<File> {
        let path = self.context.log_file(&self.pod, &self.container.name);
        let doing = || format!("opening {}", path.display());
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).doing_with(doing)?;
        }
        let log = File::options().create(true).append(true).open(&path).doing_with(doing)?;
        let start = log.metadata().doing_with(doing)?.len();
        self.state.update_container(&self.container.name, |container| container.log_start = start);
        Ok(log)
    }

    fn volume_mounts(&self) -> Result<Vec<Mount>> {
        let mounts = self.container.volume_mounts.iter().flatten();
        mounts
            .map(|mount| {
                let volume = self.volumes.iter().find(|(name, _)| *name == mount.name);
                let (_, path) = volume.ok_or_else(|| {
                    Error::failed(
                        format!("mounting {}", mount.mount_path),
                        format!("the pod has no volume {}", mount.name),
                    )
                })?;
                let source = match mount.sub_path.as_deref().filter(|path| !path.is_empty()) {
                    // Resolved now: the mount keeps to what the name means at this moment, as kubelet's does.
                    Some(sub_path) => {
                        let source = path.join(sub_path);
                        source
                            .canonicalize()
                            .doing_with(|| format!("looking for the subPath {}", source.display()))?
                    }
                    None => path.clone(),
                };
                Ok(Mount {
                    source,
                    target: PathBuf::from(&mount.mount_path),
                    read_only: mount.read_only == Some(true),
                })
            })
            .collect()
    }
}

/// Waits until the payload runs; says why if it does not come to that.
async fn failure(
    process: &Process,
    writer: pipe::Sender,
    mut reader: pipe::Receiver,
) -> io::Result<Option<String>> {
    let mut said = Vec::new();
    tokio::select! {
        byte = reader.read_u8() => said.extend((byte? != OPENED).then_some(b'?')),
        exit = process.wait() => return Ok(Some(format!("its process ended at once with {:?}", exit?))),
    }
    // The child has its own end now; when that closes, the pipe is at its end.
    drop(writer);
    (&mut reader).take(4096).read_to_end(&mut said).await?;
    if said.is_empty() {
        return Ok(None);
    }
    process.wait().await?;
    Ok(Some(String::from_utf8_lossy(&said).into_owned()))
}

fn kill(life: &Life) {
    if let Err(error) = life.process.signal(Signal::KILL) {
        tracing::warn!(%error, container = life.container.name, "SIGKILL could not be sent");
    }
}

/// The paths of a pod's volumes by name.
pub(super) fn paths(pod: &Pod, volumes: &Volumes) -> Vec<(String, PathBuf)> {
    of_pod(pod)
        .iter()
        .filter_map(|volume| Some((volume.name.clone(), volumes.path(&volume.name)?.to_owned())))
        .collect()
}

/// Waits for `work`, but not beyond the deadline, which orders can bring nearer.
async fn until(work: impl Future<Output = ()>, orders: &mut watch::Receiver<Order>, deadline: &mut Instant) {
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            () = &mut work => return,
            () = sleep_until(*deadline) => return,
            Ok(()) = orders.changed() => match *orders.borrow_and_update() {
                Order::Stop(earlier) => *deadline = earlier.min(*deadline),
                Order::Die => *deadline = Instant::now(),
                Order::Run => {}
            },
        }
    }
}
