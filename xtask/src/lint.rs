//! `cargo xtask lint`: everything that can be said of the code without running it.

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};

use crate::{build, model, tidy};

/// Formatting, clippy, dependency direction and form, generated tables.
pub(crate) fn run() -> Result<ExitCode> {
    step("formatting", &["fmt", "--all", "--check"])?;
    step(
        "clippy",
        &["clippy", "--workspace", "--all-targets", "--locked", "--quiet", "--", "--deny", "warnings"],
    )?;
    eprintln!("lint: tidy");
    let code = tidy::run()?;
    if code != ExitCode::SUCCESS {
        return Ok(code);
    }
    eprintln!("lint: the simulator's table");
    model::run(build::workspace(), true)?;
    Ok(ExitCode::SUCCESS)
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
