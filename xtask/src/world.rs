//! `cargo xtask controlplane …`, `cargo xtask world …` and `cargo xtask demo …`: builds `lath-world` and becomes it.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};

use crate::build;

/// Binaries that the pods of a world run, by package.
pub(crate) const PODS: [&str; 4] = ["tests", "lath-agent", "lath-controller", "lath"];

/// Runs `lath-world SUBCOMMAND ARGUMENTS…`; it replaces this process.
pub(crate) fn run(subcommand: &str, arguments: &[OsString]) -> Result<ExitCode> {
    let starts = arguments.iter().any(|word| word == "start" || word == "run");
    let packages: &[&str] =
        if subcommand == "demo" || subcommand == "world" && starts { &PODS } else { &["tests"] };
    let folder = build::binaries(packages)?;
    let error = Command::new(build::binary(&folder, "lath-world")).arg(subcommand).args(arguments).exec();
    Err(error).context("starting lath-world")
}
