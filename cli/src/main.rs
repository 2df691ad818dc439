//! `lath`: the command line.

mod sim;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use runtime::usage;

const NAME: &str = "lath";

/// Lath is the node-side of Amazon VPC Lattice on Kubernetes.
#[derive(Debug, Parser)]
#[command(name = "lath", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Sim(sim::Arguments),
}

fn main() -> ExitCode {
    let arguments: Arguments = match usage::arguments(NAME) {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    let result = match arguments.command {
        Command::Sim(arguments) => sim::run(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => usage::refuse(NAME, &format!("{error:#}")),
    }
}
