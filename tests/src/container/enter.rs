//! Runs a command in a container that runs already: exec probes and preStop hooks.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{PidfdFlags, pidfd_open};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use serde::{Deserialize, Serialize};

use super::{Privileges, payload};
use crate::process::pid_of;

/// The exit code that says that the command did not end in time, as that of `timeout`.
pub const TIMED_OUT: u8 = 124;

/// What to run where.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Enter {
    /// The container's process.
    pub pid: u32,
    /// The container's cgroup.
    pub cgroup: PathBuf,
    /// The program and its arguments.
    pub arguments: Vec<String>,
    /// The container's environment.
    pub environment: Vec<(String, String)>,
    /// The container's privileges.
    pub privileges: Privileges,
    /// After this many milliseconds the command is killed.
    pub timeout_ms: u64,
}

/// The hidden subcommand `enter JSON`: runs the command and ends with its exit code.
#[must_use]
pub fn run(arguments: Vec<OsString>) -> ExitCode {
    match enter(arguments) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("the command could not run in the container: {error}");
            ExitCode::from(126)
        }
    }
}

fn enter(arguments: Vec<OsString>) -> io::Result<u8> {
    let json = arguments.into_iter().next().ok_or_else(|| io::Error::other("nothing says what to run"))?;
    let order: Enter = serde_json::from_slice(json.as_encoded_bytes())?;
    std::fs::write(order.cgroup.join("cgroup.procs"), "0")?;
    // The mount namespace comes last: with it, this machine's /proc is out of reach.
    let namespaces = [
        ("net", LinkNameSpaceType::Network),
        ("ipc", LinkNameSpaceType::InterProcessCommunication),
        ("uts", LinkNameSpaceType::HostNameAndNISDomainName),
        ("pid", LinkNameSpaceType::ProcessID),
        ("mnt", LinkNameSpaceType::Mount),
    ]
    .map(|(name, kind)| File::open(format!("/proc/{}/ns/{name}", order.pid)).map(|file| (file, kind)));
    for namespace in namespaces {
        let (file, kind) = namespace?;
        move_into_link_name_space(file.as_fd(), Some(kind))?;
    }
    std::env::set_current_dir("/")?;
    order.privileges.apply()?;
    let mut child = payload(&order.arguments, &order.environment)?.spawn()?;
    // The child's number here is that of the PID namespace this process was born in.
    let pidfd = pidfd_open(pid_of(child.id())?, PidfdFlags::empty())?;
    let timeout = Timespec::try_from(Duration::from_millis(order.timeout_ms)).map_err(io::Error::other)?;
    if poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&timeout))? == 0 {
        child.kill()?;
        child.wait()?;
        return Ok(TIMED_OUT);
    }
    // A signal has no code; 128 and the signal would need its number, which no caller looks at.
    Ok(child.wait()?.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(255))
}
