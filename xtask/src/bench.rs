//! `cargo xtask bench`: measures with release binaries, the targets pipeline or the simulator.

mod simulator;

use std::{
    ffi::OsString,
    os::unix::process::CommandExt as _,
    process::{Command, ExitCode},
};

use anyhow::{Context as _, Result};

use crate::{build, world};

/// Builds what is measured for release and runs the benchmark on it.
pub(crate) fn run(arguments: &[OsString]) -> Result<ExitCode> {
    if arguments == ["simulator"] {
        return simulator::run();
    }
    let folder = build::release_binaries(&world::PODS)?;
    // It replaces this process, so that signals reach it.
    let error = Command::new(build::binary(&folder, "lath-world")).arg("bench").args(arguments).exec();
    Err(error).context("starting lath-world")
}
