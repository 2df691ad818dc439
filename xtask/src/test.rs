//! `cargo xtask test`: every test, after building what they run on.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitCode};

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
    let shown = demo(&build::binary(&folder, "lath-world"))?;
    Ok(if tested.success() && shown { tried } else { ExitCode::FAILURE })
}

/// Plays the demo, which fails if a rollout loses a request that it should not.
fn demo(world: &Path) -> Result<bool> {
    if !rustix::process::geteuid().is_root() {
        eprintln!("test: skipped the demo: it makes network namespaces, which needs root");
        return Ok(std::env::var_os("CI").is_none_or(|ci| ci != "true"));
    }
    eprintln!("test: playing the demo");
    let played = Command::new(world).arg("demo").status().context("starting lath-world")?;
    Ok(played.success())
}
