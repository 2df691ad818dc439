//! `cargo xtask bench targets`: measures the targets pipeline with release binaries.

use std::{
    ffi::OsString,
    os::unix::process::CommandExt as _,
    process::{Command, ExitCode},
};

use anyhow::{Context as _, Result};

use crate::{build, world};

/// Builds everything for release and runs the benchmark on it.
pub(crate) fn run(arguments: &[OsString]) -> Result<ExitCode> {
    let folder = build::release_binaries(&world::PODS)?;
    // It replaces this process, so that signals reach it.
    let error = Command::new(build::binary(&folder, "lath-world")).arg("bench").args(arguments).exec();
    Err(error).context("starting lath-world")
}
