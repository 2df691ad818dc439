//! `cargo xtask lint`: everything that can be said of the code without running it.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};

use crate::{build, model, tidy};

/// The version of cargo-deny that checks the dependencies.
const DENY: &str = "0.20.2";

/// Formatting, clippy, dependency direction and form, generated tables.
pub(crate) fn run() -> Result<ExitCode> {
    step("formatting", &["fmt", "--all", "--check"])?;
    step("formatting of the fuzz targets", &["fmt", "--manifest-path", "tests/fuzz/Cargo.toml", "--check"])?;
    let locked = ["update", "--workspace", "--locked", "--quiet", "--manifest-path", "tests/fuzz/Cargo.toml"];
    step("the lock file of the fuzz targets", &locked)?;
    step(
        "clippy",
        &["clippy", "--workspace", "--all-targets", "--locked", "--quiet", "--", "--deny", "warnings"],
    )?;
    eprintln!("lint: tidy");
    let code = tidy::run()?;
    if code != ExitCode::SUCCESS {
        return Ok(code);
    }
    licences()?;
    eprintln!("lint: the simulator's table");
    model::run(build::workspace(), true)?;
    Ok(ExitCode::SUCCESS)
}

/// Checks by `deny.toml` what is depended on, with a cargo-deny of its own in the user's cache. Known vulnerabilities are
/// left out: their list comes from the network, and would fail what did not change. `cargo deny check advisories` has it.
fn licences() -> Result<()> {
    let root = build::cache()?.join("tools");
    let program: PathBuf = root.join("bin/cargo-deny");
    let version = Command::new(&program).arg("--version").output();
    if !version.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(DENY)) {
        eprintln!("lint: installing cargo-deny {DENY}, which takes minutes and is done once");
        let status = build::cargo()
            .args(["install", "cargo-deny", "--version", DENY, "--locked", "--quiet", "--root"])
            .arg(&root)
            .env_remove("CARGO_TARGET_DIR")
            .status()
            .context("starting cargo install")?;
        if !status.success() {
            bail!("installing cargo-deny {DENY} failed");
        }
    }
    eprintln!("lint: licences and sources of what is depended on");
    let status = Command::new(&program)
        .current_dir(build::workspace())
        .args(["--log-level=error", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"])
        .status()
        .with_context(|| format!("starting {}", program.display()))?;
    if !status.success() {
        bail!("something is depended on that deny.toml does not allow");
    }
    Ok(())
}

fn step(name: &str, arguments: &[&str]) -> Result<()> {
    eprintln!("lint: {name}");
    let status = build::cargo()
        .args(arguments)
        .status()
        .with_context(|| format!("starting cargo {}", arguments[0]))?;
    if !status.success() {
        bail!("{name} is not clean");
    }
    Ok(())
}
