//! The agent's process: arguments, allocator, exit code.

use std::process::ExitCode;

use clap::Parser as _;
use lath_agent::{app, config::Args};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let config = match Args::parse().resolve() {
        Ok(config) => config,
        Err(error) => return fail(&error, 2),
    };
    match app::run(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(app::Error::Configuration(error)) => fail(&error, 2),
        Err(app::Error::Failed(error)) => fail(&error, 1),
    }
}

/// Says in one sentence what went wrong.
fn fail(error: &anyhow::Error, code: u8) -> ExitCode {
    eprintln!("lath-agent: {error:#}");
    ExitCode::from(code)
}
