//! `cargo xtask crds`: writes the chart's custom resource definitions anew from the types.

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};

use crate::build;

/// Runs the binary that knows the types; a test of its crate fails while the checked-in files are stale.
pub(crate) fn run() -> Result<ExitCode> {
    let status = build::cargo()
        .args([
            "run",
            "--quiet",
            "--package",
            "lath-kubernetes",
            "--bin",
            "crds",
            "--",
            "deploy/helm/lath/crds",
        ])
        .status()
        .context("starting cargo")?;
    if !status.success() {
        bail!("writing the custom resource definitions failed");
    }
    Ok(ExitCode::SUCCESS)
}
