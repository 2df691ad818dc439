//! Builds binaries of this workspace and says where they are.

use std::env::consts::EXE_SUFFIX;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// The folder of the workspace.
pub(crate) fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// Lath's folder in the user's cache. What is in it can be made anew.
pub(crate) fn cache() -> Result<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    variable("XDG_CACHE_HOME")
        .or_else(|| Some(variable("HOME")?.join(".cache")))
        .map(|cache| cache.join("lath"))
        .context("set HOME or XDG_CACHE_HOME, where tools are kept once built")
}

/// Builds `packages` with all their binaries and returns the folder in which these are. Cargo's progress is shown
/// on standard error, as when it is called by hand.
pub(crate) fn binaries(packages: &[&str]) -> Result<PathBuf> {
    build(packages, "debug", &[])
}

/// As [`binaries`], optimised.
pub(crate) fn release_binaries(packages: &[&str]) -> Result<PathBuf> {
    build(packages, "release", &["--release"])
}

fn build(packages: &[&str], folder: &str, flags: &[&str]) -> Result<PathBuf> {
    let mut command = cargo();
    command.args(["build", "--bins"]).args(flags);
    for package in packages {
        command.args(["--package", package]);
    }
    let status = command.stdout(Stdio::null()).status().context("starting cargo")?;
    if !status.success() {
        bail!("cargo build of {} failed", packages.join(", "));
    }
    Ok(target_folder()?.join(folder))
}

/// The path of a binary in the folder that [`binaries`] returned.
pub(crate) fn binary(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}{EXE_SUFFIX}"))
}

/// Cargo, at the workspace's root.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // `cargo run` describes this package in the environment. Build scripts that look at it (ring's does) would
    // run again each time that cargo is called by hand and from here in turn.
    for (name, _) in std::env::vars_os() {
        if name
            .to_str()
            .is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
        {
            command.env_remove(name);
        }
    }
    command.current_dir(workspace());
    command
}

/// What `cargo metadata` says, without the packages of others when `own` is set.
pub(crate) fn metadata(own: bool) -> Result<serde_json::Value> {
    let mut command = cargo();
    command.args(["metadata", "--format-version=1"]);
    if own {
        command.arg("--no-deps");
    }
    let output = command.stderr(Stdio::inherit()).output().context("starting cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata failed");
    }
    serde_json::from_slice(&output.stdout).context("reading what cargo metadata wrote")
}

fn target_folder() -> Result<PathBuf> {
    let metadata = metadata(true)?;
    let target = metadata["target_directory"].as_str().context("cargo metadata names no target directory")?;
    Ok(target.into())
}
