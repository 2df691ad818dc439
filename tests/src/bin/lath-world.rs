//! `lath-world`: starts and stops control planes and worlds. `cargo xtask` builds and runs it.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tests::command::{bench, conformance, controlplane, demo, hidden, log_to_stderr, world};
use tests::error::{Error, Result};

/// The test world of Lath: a real control plane, nodes that are network namespaces, and a simulated cloud.
#[derive(Debug, Parser)]
#[command(name = "lath-world", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// A control plane without nodes, on the loopback interface. Needs no root.
    #[command(subcommand, name = "controlplane")]
    ControlPlane(controlplane::ControlPlane),
    /// A cluster with nodes and a cloud. Needs root.
    #[command(subcommand)]
    World(world::WorldCommand),
    /// Measure. Needs no root.
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Show Lath at work on a world of its own. Needs root.
    Demo(demo::Demo),
    /// Run Gateway API's conformance suite against Lath on a world of its own. Needs root.
    Conformance(conformance::Conformance),
}

fn main() -> ExitCode {
    let mut words = std::env::args_os().skip(1);
    if let Some(first) = words.next()
        && let Some(code) = first.to_str().and_then(|name| hidden::run(name, words.collect()))
    {
        return code;
    }
    log_to_stderr();
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lath-world: {error}");
            ExitCode::from(if matches!(error, Error::Usage(_)) { 2 } else { 1 })
        }
    }
}

#[tokio::main]
async fn run(arguments: Arguments) -> Result<()> {
    match arguments.command {
        Command::ControlPlane(command) => controlplane::run(command).await,
        Command::World(command) => world::run(command).await,
        Command::Bench(command) => bench::run(command).await,
        Command::Demo(command) => demo::run(command).await,
        Command::Conformance(command) => conformance::run(command).await,
    }
}
