//! The controller's process: arguments, allocator, exit code.

use std::process::ExitCode;

use lath_controller::{app, config};
use runtime::usage;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const NAME: &str = "lath-controller";

fn main() -> ExitCode {
    let arguments: config::Arguments = match usage::arguments(NAME) {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    match app::run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<config::Error>() => usage::refuse(NAME, &format!("{error:#}")),
        Err(error) => usage::fail(NAME, &format!("{error:#}")),
    }
}
