//! Subcommands that the test world runs itself with: they change the calling process and become another program.
//!
//! They run before any thread exists, since namespaces and sessions belong to threads and processes.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

/// Runs the hidden subcommand `name`, if there is one of that name.
#[must_use]
pub fn run(name: &str, arguments: Vec<OsString>) -> Option<ExitCode> {
    match name {
        "session" => Some(session(arguments)),
        "supervisor" => Some(crate::world::supervisor::run(arguments)),
        "world-process" => Some(crate::world::inside::run(arguments)),
        "container" => Some(crate::container::become_container(arguments)),
        "enter" => Some(crate::container::enter(arguments)),
        _ => None,
    }
}

/// Becomes the program given, in a session of its own.
fn session(arguments: Vec<OsString>) -> ExitCode {
    let mut arguments = arguments.into_iter();
    let Some(program) = arguments.next() else {
        return failed("session", "names no program");
    };
    // Fails only for the leader of a process group, which has a session or group of its own already.
    let _ = rustix::process::setsid();
    let error = Command::new(&program).args(arguments).exec();
    failed(&program.display().to_string(), &error.to_string())
}

fn failed(what: &str, why: &str) -> ExitCode {
    eprintln!("{what}: {why}");
    ExitCode::from(127)
}
