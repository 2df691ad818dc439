//! The process that holds a world: it starts the world process in a PID namespace and cleans up after it.
//!
//! It has one thread and no runtime, since a process that makes PID namespaces for its children cannot have threads.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{PidfdFlags, Signal, pidfd_open};
use rustix::thread::{UnshareFlags, unshare_unsafe};
use serde::{Deserialize, Serialize};

use crate::error::{Doing as _, Error, Result};
use crate::process::{Identity, pid_of};
use crate::{cgroup, network};

/// How long a world may take to be gone.
const GONE_WITHIN: Duration = Duration::from_secs(30);

/// The processes of a world as the whole machine numbers them: the file `processes.json`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Processes {
    supervisor: Identity,
    world: Identity,
}

impl Processes {
    fn file(folder: &Path) -> PathBuf {
        folder.join("processes.json")
    }

    fn load(folder: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(Self::file(folder)).ok()?).ok()
    }
}

/// The world process of a folder, as the whole machine numbers it.
pub(super) fn world_process(folder: &Path) -> Option<Identity> {
    Processes::load(folder).map(|processes| processes.world)
}

/// The log of a world's own processes.
pub(super) fn log(folder: &Path) -> PathBuf {
    folder.join("world.log")
}

/// What the kernel does not remove by itself, or much later (a namespace lives on in the sockets of the dead, until
/// these have timed out): the file `remains.json`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Remains {
    /// The world's cgroup.
    pub cgroup: PathBuf,
    /// Index of the host's end of the link into the world. Its name can be another world's by now, its index cannot.
    pub interface: u32,
}

impl Remains {
    fn file(folder: &Path) -> PathBuf {
        folder.join("remains.json")
    }

    /// Notes what will have to go.
    pub(super) fn save(&self, folder: &Path) -> Result<()> {
        let bytes = serde_json::to_vec(self).doing("composing what will remain")?;
        let file = Self::file(folder);
        std::fs::write(&file, bytes).doing_with(|| format!("writing {}", file.display()))
    }

    /// Removes the link and the cgroup with all below it. All processes are dead, or die here.
    fn clear(folder: &Path) -> io::Result<()> {
        let Ok(bytes) = std::fs::read(Self::file(folder)) else { return Ok(()) };
        let remains: Self = serde_json::from_slice(&bytes)?;
        for _ in 0..1000 {
            cgroup::kill(&remains.cgroup)?;
            if cgroup::remove(&remains.cgroup).is_ok() {
                // The link last: it is the claim on the world's addresses. A runtime of one thread, since this
                // process may not have more.
                let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
                runtime.block_on(network::delete_host_link(remains.interface)).map_err(io::Error::other)?;
                return std::fs::remove_file(Self::file(folder));
            }
            pause(Duration::from_millis(10));
        }
        Err(io::Error::other(format!("{} does not become empty", remains.cgroup.display())))
    }
}

/// Refuses a folder in which a world runs.
pub(super) fn refuse_if_running(folder: &Path) -> Result<()> {
    match Processes::load(folder) {
        Some(processes) if processes.supervisor.alive() => Err(Error::Usage(format!(
            "a world runs in {} already; stop it first, or name another folder",
            folder.display()
        ))),
        _ => Ok(()),
    }
}

/// Ends the world of a folder: exactly the processes that it recorded. Returns when nothing is left of it.
pub(super) async fn stop(folder: &Path) -> Result<()> {
    let Some(processes) = Processes::load(folder) else { return Ok(()) };
    // Only the world process; its supervisor then removes what is left and ends by itself.
    processes.world.signal(Signal::KILL).doing("ending the world")?;
    let deadline = tokio::time::Instant::now() + GONE_WITHIN;
    while processes.supervisor.alive() {
        if tokio::time::Instant::now() > deadline {
            return Err(Error::failed(
                "ending the world",
                format!("something of it lives after {GONE_WITHIN:?}"),
            ));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // A supervisor that was killed itself has left this undone.
    clear(folder).await?;
    std::fs::remove_file(Processes::file(folder)).doing("forgetting the world's processes")
}

/// Removes what an earlier world in this folder left.
pub(super) async fn clear(folder: &Path) -> Result<()> {
    let doing = "removing what is left of a world";
    let folder = folder.to_owned();
    tokio::task::spawn_blocking(move || Remains::clear(&folder)).await.doing(doing)?.doing(doing)
}

/// The hidden subcommand `supervisor FOLDER [detached]`: holds a world until it ends or the lifeline closes.
pub(crate) fn run(arguments: Vec<OsString>) -> ExitCode {
    let mut arguments = arguments.into_iter();
    let folder = PathBuf::from(arguments.next().unwrap_or_default());
    match hold(&folder, arguments.next().is_some()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("the world's supervisor failed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn hold(folder: &Path, detached: bool) -> io::Result<ExitCode> {
    // A session of its own: Ctrl-C is for the one who holds the lifeline.
    rustix::process::setsid()?;
    // SAFETY: the flag concerns the PID namespace of children alone.
    unsafe { unshare_unsafe(UnshareFlags::NEWPID) }?;
    let mut world =
        Command::new("/proc/self/exe").arg("world-process").arg(folder).stdin(Stdio::null()).spawn()?;
    let processes =
        Processes { supervisor: Identity::of(std::process::id())?, world: Identity::of(world.id())? };
    std::fs::write(Processes::file(folder), serde_json::to_vec(&processes)?)?;

    let pidfd = pidfd_open(pid_of(world.id())?, PidfdFlags::empty())?;
    let stdin = io::stdin();
    loop {
        // Nobody writes into the lifeline: it becomes readable when its other end closes. /dev/null is readable
        // always, so a world without a lifeline does not look at it.
        let mut waits = vec![PollFd::new(&pidfd, PollFlags::IN)];
        if !detached {
            waits.push(PollFd::new(&stdin, PollFlags::IN));
        }
        match poll(&mut waits, None) {
            Ok(_) => break,
            Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    world.kill()?;
    let ended_itself = world.wait()?.code();
    Remains::clear(folder)?;
    Ok(match ended_itself {
        Some(code) if code != 0 => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    })
}

/// Waits without a runtime: there is none in this process.
fn pause(time: Duration) {
    if let Ok(time) = rustix::event::Timespec::try_from(time) {
        // Interrupted, it only waits less.
        let _ = poll(&mut [], Some(&time));
    }
}
