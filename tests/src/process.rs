//! Child processes that can be waited for by many, signalled without a race, and started in other namespaces.

use std::io;
use std::os::fd::OwnedFd;
use std::process::{Child, Command};
use std::sync::Arc;

use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, pidfd_open, pidfd_send_signal, waitid,
};
use serde::{Deserialize, Serialize};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::OnceCell;

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It returned this code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
}

impl Exit {
    /// The code that a container runtime reports: 128 + signal for a killed process.
    #[must_use]
    pub fn code(self) -> i32 {
        match self {
            Self::Code(code) => code,
            Self::Signal(signal) => 128 + signal,
        }
    }

    /// Whether it ended as a program does that succeeded.
    #[must_use]
    pub fn success(self) -> bool {
        self == Self::Code(0)
    }
}

/// A child of this process. Clones mean the same child; dropping them does not end it.
#[derive(Debug, Clone)]
pub struct Process {
    pid: u32,
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    pidfd: AsyncFd<OwnedFd>,
    exit: OnceCell<Exit>,
}

impl Process {
    /// Takes over a child that nobody has waited for yet. Needs a Tokio runtime with I/O.
    pub fn adopt(child: &Child) -> io::Result<Self> {
        let pid = pid_of(child.id())?;
        // The child is not reaped before `wait`, so its number cannot have passed to another process.
        let pidfd = pidfd_open(pid, PidfdFlags::NONBLOCK)?;
        // SAFETY: the pidfd was just opened, and nothing takes it out of the `AsyncFd`, which owns it.
        let pidfd =
            unsafe { AsyncFd::register_with_interest(pidfd, Interest::READABLE) }.map_err(io::Error::from)?;
        Ok(Self { pid: child.id(), inner: Arc::new(Inner { pidfd, exit: OnceCell::new() }) })
    }

    /// The number of the process as this process's PID namespace counts.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Sends a signal; a process that has ended already is no error.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        match pidfd_send_signal(self.inner.pidfd.get_ref(), signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Waits for the end. Any number of callers may wait; all get the same answer.
    pub async fn wait(&self) -> io::Result<Exit> {
        self.inner
            .exit
            .get_or_try_init(|| async {
                // A pidfd becomes readable when its process ends and stays so; the guard is never cleared.
                let _readable = self.inner.pidfd.readable().await?;
                let status = waitid(
                    WaitId::PidFd(std::os::fd::AsFd::as_fd(self.inner.pidfd.get_ref())),
                    WaitIdOptions::EXITED,
                )?
                .ok_or_else(|| io::Error::other("the kernel says that the process has not ended"))?;
                Ok(match status.terminating_signal() {
                    Some(signal) => Exit::Signal(signal),
                    None => Exit::Code(status.exit_status().unwrap_or(0)),
                })
            })
            .await
            .copied()
    }

    /// How it ended, if that is known already.
    #[must_use]
    pub fn exit(&self) -> Option<Exit> {
        self.inner.exit.get().copied()
    }
}

/// Which process a number means, so that a recycled number is recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Process number in the PID namespace of whoever reads this.
    pub pid: u32,
    /// Start time in clock ticks since boot: field 22 of `/proc/PID/stat`.
    pub start: u64,
}

impl Identity {
    /// The identity of a living process (or zombie).
    pub fn of(pid: u32) -> io::Result<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
        // The second field is the program's name in parentheses and may hold anything, so count from its end.
        let start = stat
            .rsplit_once(')')
            .and_then(|(_, rest)| rest.split_whitespace().nth(19))
            .and_then(|field| field.parse().ok())
            .ok_or_else(|| io::Error::other(format!("/proc/{pid}/stat has no start time")))?;
        Ok(Self { pid, start })
    }

    /// Sends a signal to exactly this process; says whether it was still there.
    pub fn signal(self, signal: Signal) -> io::Result<bool> {
        let pidfd = match pidfd_open(pid_of(self.pid)?, PidfdFlags::empty()) {
            Ok(pidfd) => pidfd,
            Err(rustix::io::Errno::SRCH) => return Ok(false),
            Err(errno) => return Err(errno.into()),
        };
        // Checked after the descriptor is open: from here on the number cannot change hands unnoticed.
        if Self::of(self.pid).ok() != Some(self) {
            return Ok(false);
        }
        match pidfd_send_signal(&pidfd, signal) {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::SRCH) => Ok(false),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Whether the process runs still; a zombie does not.
    #[must_use]
    pub fn alive(self) -> bool {
        Self::of(self.pid).ok() == Some(self)
            && std::fs::read_to_string(format!("/proc/{}/stat", self.pid))
                .ok()
                .and_then(|stat| stat.rsplit_once(')').map(|(_, rest)| !rest.trim_start().starts_with('Z')))
                .unwrap_or(false)
    }
}

/// Runs `setup` on a new thread and starts `command` there, so that the child inherits what `setup` changed of
/// the thread: its namespaces, above all. The calling thread keeps its own.
pub fn spawn_after(
    setup: impl FnOnce() -> io::Result<()> + Send,
    command: &mut Command,
) -> io::Result<Child> {
    on_own_thread(move || {
        setup()?;
        command.spawn()
    })
}

/// Runs `work` on a thread of its own, which ends with it.
pub fn on_own_thread<T: Send>(work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .spawn_scoped(scope, work)?
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("a thread panicked")))
    })
}

/// A process number as the kernel interface wants it.
pub fn pid_of(pid: u32) -> io::Result<Pid> {
    i32::try_from(pid)
        .ok()
        .and_then(Pid::from_raw)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, format!("{pid} is no process number")))
}

#[cfg(test)]
mod tests;
