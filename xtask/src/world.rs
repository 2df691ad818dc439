//! `cargo xtask controlplane …`, `cargo xtask world …`, `cargo xtask demo …` and
//! `cargo xtask conformance …`: builds `lath-world` and becomes it.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};

use crate::build;

/// Binaries that the pods of a world run, by package.
pub(crate) const PODS: [&str; 4] = ["tests", "lath-agent", "lath-controller", "lath"];

/// Runs `lath-world SUBCOMMAND ARGUMENTS…`; it replaces this process.
pub(crate) fn run(subcommand: &str, arguments: &[OsString]) -> Result<ExitCode> {
    // Always all of them: cargo builds dependencies anew for another selection of packages.
    let folder = build::binaries(&PODS)?;
    let error = Command::new(build::binary(&folder, "lath-world")).arg(subcommand).args(arguments).exec();
    Err(error).context("starting lath-world")
}
