//! `cargo xtask bench targets`: measures the targets pipeline with release binaries.

use std::{
    ffi::OsString,
    process::{Command, ExitCode},
};

use anyhow::{Context as _, Result};

use crate::{build, world};

/// Builds everything for release and runs the benchmark on it.
pub(crate) fn run(arguments: &[OsString]) -> Result<ExitCode> {
    let folder = build::release_binaries(&world::PODS)?;
    let status = Command::new(build::binary(&folder, "lath-world"))
        .arg("bench")
        .args(arguments)
        .status()
        .context("starting lath-world")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
