//! One container: what the nodelet orders, and the program that becomes it.
//!
//! The nodelet starts its own binary with the hidden subcommand `container` on a thread whose namespaces are new.
//! That process is the container's process 1: it builds its root, gives up its rights and becomes the payload.

mod enter;
mod privileges;
mod root;

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use serde::{Deserialize, Serialize};

pub use enter::{Enter, TIMED_OUT};
pub use privileges::{DEFAULT_CAPABILITIES, Privileges, capability};

/// Everything about a container's process. The nodelet writes it to a file, the process reads it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Container {
    /// The cgroup that it joins.
    pub cgroup: PathBuf,
    /// An empty folder, on which its root is built. What is mounted there is seen by the container alone.
    pub root: PathBuf,
    /// Whether the payload may write to its root.
    pub read_only_root: bool,
    /// What is mounted into the root, in this order.
    pub mounts: Vec<Mount>,
    /// Host name inside.
    pub hostname: String,
    /// The program and its arguments.
    pub arguments: Vec<String>,
    /// All environment variables.
    pub environment: Vec<(String, String)>,
    /// Folder in which the payload starts.
    pub working_directory: PathBuf,
    /// User, groups and capabilities.
    pub privileges: Privileges,
}

/// A file or folder that appears in a container.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Mount {
    /// Where it is outside.
    pub source: PathBuf,
    /// Where it appears, an absolute path.
    pub target: PathBuf,
    /// Whether writing is refused.
    pub read_only: bool,
}

/// What the process says on its report pipe once it has opened it.
pub const OPENED: u8 = b'.';

/// The hidden subcommand `container FILE PIPE`: becomes the container that the file describes.
///
/// The pipe ends without another byte when the payload runs, and with a message when that could not be.
#[must_use]
pub fn become_container(arguments: Vec<OsString>) -> ExitCode {
    let mut arguments = arguments.into_iter();
    let (Some(file), Some(pipe)) = (arguments.next(), arguments.next()) else {
        eprintln!("no file and no pipe name the container");
        return ExitCode::from(128);
    };
    // Closed by the kernel in the moment in which the payload takes this process over.
    let mut report = match File::options().write(true).open(pipe) {
        Ok(report) => report,
        Err(error) => {
            eprintln!("the report pipe cannot be opened: {error}");
            return ExitCode::from(128);
        }
    };
    let error = match report.write_all(&[OPENED]).and_then(|()| prepare(&file)) {
        Ok(mut command) => command.exec(),
        Err(error) => error,
    };
    // Whoever reads this has gone when it cannot be written.
    let _ = write!(report, "{error}");
    ExitCode::from(128)
}

fn prepare(file: &OsStr) -> io::Result<Command> {
    let container: Container = serde_json::from_slice(&std::fs::read(file)?)?;
    // Zero means the calling process, whatever its number is here.
    std::fs::write(container.cgroup.join("cgroup.procs"), "0")?;
    root::build(&container)?;
    rustix::system::sethostname(container.hostname.as_bytes())?;
    std::env::set_current_dir(&container.working_directory)?;
    container.privileges.apply()?;
    payload(&container.arguments, &container.environment)
}

/// The command that a container or a hook runs. The program is looked up in the `PATH` that it is given.
fn payload(arguments: &[String], environment: &[(String, String)]) -> io::Result<Command> {
    let (program, rest) = arguments.split_first().ok_or_else(|| io::Error::other("it has no command"))?;
    let mut command = Command::new(program);
    command.args(rest).env_clear().envs(environment.iter().map(|(name, value)| (name, value)));
    Ok(command)
}

pub use enter::run as enter;
