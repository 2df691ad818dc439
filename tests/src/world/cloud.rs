//! The cloud: the simulator as a process at an address of its own.

use std::fs::File;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::time::timeout;

use super::description::Account;
use super::options::WorldOptions;
use crate::error::{Doing as _, Error, Result};
use crate::network::Namespace;
use crate::process::{Process, spawn_after};

/// How long the simulator may take to listen.
const READY_WITHIN: Duration = Duration::from_secs(20);

/// A simulator that runs.
#[derive(Debug)]
pub(super) struct Cloud {
    pub process: Process,
    pub announcement: Announcement,
}

/// The line that the simulator prints when it is ready.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Announcement {
    pub endpoint: String,
    pub accounts: Vec<Account>,
    pub region: String,
}

/// Starts the simulator in a namespace and waits until it listens.
pub(super) async fn start(
    options: &WorldOptions,
    namespace: &Namespace,
    address: SocketAddr,
) -> Result<Cloud> {
    let doing = || format!("starting the cloud, {}", options.cloud_program.display());
    let path = options.folder.join("logs").join("lath-sim.log");
    let log = File::options()
        .create(true)
        .append(true)
        .open(&path)
        .doing_with(|| format!("opening {}", path.display()))?;
    let mut command = Command::new(&options.cloud_program);
    command
        .args(["sim", "--listen", &address.to_string()])
        .args(&options.cloud_arguments)
        .env_clear()
        .current_dir(&options.folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log);
    let mut child = spawn_after(|| namespace.enter(), &mut command).doing_with(doing)?;
    let process = Process::adopt(&child).doing_with(doing)?;
    let stdout = child.stdout.take().ok_or_else(|| Error::failed(doing(), "it has no standard output"))?;
    let stdout = tokio::process::ChildStdout::from_std(stdout).doing_with(doing)?;
    let mut line = String::new();
    let read = timeout(READY_WITHIN, BufReader::new(stdout).read_line(&mut line)).await;
    read.doing_with(doing)?.doing_with(doing)?;
    let announcement = serde_json::from_str(&line).map_err(|_not_json| {
        Error::failed(doing(), format!("it said {line:?} instead of its endpoint; see {}", path.display()))
    })?;
    Ok(Cloud { process, announcement })
}
