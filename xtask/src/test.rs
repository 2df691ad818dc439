//! `cargo xtask test`: every test, after building what they run on.

use std::{
    ffi::OsString,
    process::{Command, ExitCode},
};

use anyhow::{Context as _, Result, bail};

use crate::{build, interop, world};

/// Builds the control plane (once) and the binaries that pods run, then runs all tests. Tests that need root say that
/// they were skipped without it.
pub(crate) fn run() -> Result<ExitCode> {
    eprintln!("test: building Lath and its test world");
    let folder = build::binaries(&world::PODS)?;
    eprintln!(
        "test: making sure of the control plane (etcd, Kubernetes, helm), which takes minutes the first time"
    );
    let built = Command::new(build::binary(&folder, "lath-world"))
        .args(["controlplane", "build"].map(OsString::from))
        .status()
        .context("starting lath-world")?;
    if !built.success() {
        bail!("building the control plane failed");
    }
    eprintln!("test: running the tests");
    let tested = build::cargo()
        .args(["test", "--workspace", "--locked", "--no-fail-fast"])
        .status()
        .context("starting cargo")?;
    eprintln!("test: trying the simulator with the AWS SDKs for Python, JavaScript and Rust");
    let tried = interop::play(&build::binary(&folder, "lath"))?;
    Ok(if tested.success() { tried } else { ExitCode::FAILURE })
}
