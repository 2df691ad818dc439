//! The controller's process: allocator, arguments, exit code.

use std::process::ExitCode;

use clap::Parser as _;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// What Lath's programs end with when flags, environment or kubeconfig are wrong.
const BAD_CONFIGURATION: u8 = 2;

fn main() -> ExitCode {
    let arguments = lath_controller::config::Arguments::parse();
    match lath_controller::app::run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The log may not have been set up, and this is said to whoever started the process.
            eprintln!("lath-controller: {error:#}");
            if error.is::<lath_controller::config::Error>() {
                ExitCode::from(BAD_CONFIGURATION)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}
