//! The agent's process: arguments, allocator, exit code.

use std::process::ExitCode;

use lath_agent::{app, config::Args};
use runtime::usage;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const NAME: &str = "lath-agent";

fn main() -> ExitCode {
    let config = match usage::arguments(NAME).map(Args::resolve) {
        Ok(Ok(config)) => config,
        Ok(Err(error)) => return usage::refuse(NAME, &format!("{error:#}")),
        Err(code) => return code,
    };
    match app::run(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(app::Error::Configuration(error)) => usage::refuse(NAME, &format!("{error:#}")),
        Err(app::Error::Failed(error)) => usage::fail(NAME, &format!("{error:#}")),
    }
}
