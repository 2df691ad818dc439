//! A control plane on this machine's loopback interface that stays up after the command that started it.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;
use serde::{Deserialize, Serialize};

use super::binaries::Binaries;
use super::components::{Component, Ports, Settings};
use super::kubeconfig::client_config;
use crate::error::{Doing as _, Error, Result};
use crate::process::Identity;

/// How long each component has to end in order before it is killed.
const GRACE: Duration = Duration::from_secs(10);

/// What runs with a folder as its state: the content of `processes.json` in it.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Running {
    processes: Vec<Identity>,
}

impl Running {
    fn file(folder: &Path) -> PathBuf {
        folder.join("processes.json")
    }

    fn load(folder: &Path) -> Result<Self> {
        let file = Self::file(folder);
        match std::fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes).doing_with(|| format!("reading {}", file.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).doing_with(|| format!("reading {}", file.display())),
        }
    }

    fn save(&self, folder: &Path) -> Result<()> {
        let file = Self::file(folder);
        let bytes = serde_json::to_vec(self).doing("composing the list of processes")?;
        std::fs::write(&file, bytes).doing_with(|| format!("writing {}", file.display()))
    }

    fn alive(&self) -> bool {
        self.processes.iter().any(|process| process.alive())
    }
}

/// Starts a control plane with `folder` as its state and returns the administrator's kubeconfig when it is ready.
///
/// When that fails, what was started is ended again.
pub async fn start(folder: &Path, binaries: &Binaries) -> Result<PathBuf> {
    std::fs::create_dir_all(folder).doing_with(|| format!("making {}", folder.display()))?;
    let folder = std::path::absolute(folder).doing("finding the folder")?;
    if Running::load(&folder)?.alive() {
        return Err(Error::Usage(format!(
            "a control plane runs in {} already; stop it first, or name another folder",
            folder.display()
        )));
    }
    // An earlier run's store knows certificates and tokens that no longer exist.
    let store = folder.join("etcd");
    if store.exists() {
        std::fs::remove_dir_all(&store).doing_with(|| format!("removing {}", store.display()))?;
    }
    let settings = Settings {
        folder: folder.clone(),
        bind: Ipv4Addr::LOCALHOST.into(),
        address: Ipv4Addr::LOCALHOST.into(),
        other_addresses: Vec::new(),
        ports: Ports::free()?,
    };
    settings.prepare()?;
    let started = launch(&settings, binaries).await;
    if started.is_err() {
        stop(&folder).await?;
    }
    started
}

async fn launch(settings: &Settings, binaries: &Binaries) -> Result<PathBuf> {
    let mut running = Running::default();
    for component in [Component::Etcd, Component::ApiServer] {
        running.processes.push(detach(settings, component, binaries)?);
        running.save(&settings.folder)?;
    }
    let kubeconfig = settings.folder.join("kubeconfig");
    let client = kube::Client::try_from(client_config(&kubeconfig).await?).doing("making a client")?;
    super::ready(&client, || {
        let dead = running.processes.iter().position(|process| !process.alive())?;
        let component = Component::ALL.get(dead)?;
        Some(format!("{} has ended; see {}", component.program(), settings.log(*component).display()))
    })
    .await?;
    for component in [Component::ControllerManager, Component::Scheduler] {
        running.processes.push(detach(settings, component, binaries)?);
        running.save(&settings.folder)?;
    }
    Ok(kubeconfig)
}

/// Starts a component in a session of its own, so that neither a closing terminal nor Ctrl-C reaches it.
fn detach(settings: &Settings, component: Component, binaries: &Binaries) -> Result<Identity> {
    let doing = || format!("starting {}", component.program());
    let plain = settings.command(component, binaries)?;
    let mut command = Command::new(std::env::current_exe().doing_with(doing)?);
    command.arg("session").arg(plain.get_program()).args(plain.get_args());
    command.env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let log = std::fs::File::options().append(true).open(settings.log(component)).doing_with(doing)?;
    let child = command
        .current_dir(&settings.folder)
        .stdin(std::process::Stdio::null())
        .stdout(log.try_clone().doing_with(doing)?)
        .stderr(log)
        .spawn()
        .doing_with(doing)?;
    Identity::of(child.id()).doing_with(doing)
}

/// Ends the control plane of a folder: exactly the processes that [`start`] started. Their data stays.
pub async fn stop(folder: &Path) -> Result<()> {
    let folder = std::path::absolute(folder).doing("finding the folder")?;
    let running = Running::load(&folder)?;
    // One after the other, clients first and the store last: a server whose store is gone waits for it in vain.
    for process in running.processes.iter().rev() {
        for signal in [Signal::TERM, Signal::KILL] {
            process.signal(signal).doing_with(|| format!("ending process {}", process.pid))?;
            let deadline = tokio::time::Instant::now() + GRACE;
            while process.alive() && tokio::time::Instant::now() < deadline {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
    if running.alive() {
        return Err(Error::failed("ending the control plane", "a process survives SIGKILL"));
    }
    match std::fs::remove_file(Running::file(&folder)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).doing("forgetting the processes")
        }
        _ => Ok(()),
    }
}
