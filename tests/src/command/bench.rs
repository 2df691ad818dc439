//! `lath-world bench targets|controller`: measures.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::{
    bench::{self, Options, Subject},
    error::Result,
    world::built,
};

/// What to measure.
#[derive(Debug, Subcommand)]
pub enum Bench {
    /// From a pod's status to RegisterTargets, and what it costs.
    Targets(Targets),
    /// From a route to a service of VPC Lattice, and what it costs.
    Controller(How),
}

/// How the targets pipeline is measured.
#[derive(Debug, Args)]
pub struct Targets {
    /// How often the case with a single pod is repeated.
    #[arg(long, default_value_t = 100, value_name = "N")]
    rounds: usize,
    #[command(flatten)]
    how: How,
}

/// How something is measured.
#[derive(Debug, Args)]
pub struct How {
    /// Milliseconds that every call to VPC Lattice takes; the cases run once for each.
    #[arg(long, value_delimiter = ',', default_value = "0,20", value_name = "MS")]
    call_ms: Vec<u64>,
    /// Where the binaries lath, lath-agent and lath-controller are.
    #[arg(long, value_name = "DIR")]
    binaries: Option<PathBuf>,
    /// How to write the figures.
    #[arg(long, short, value_enum, default_value_t = Output::Table)]
    output: Output,
}

/// How figures are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// A table, for people.
    Table,
    /// JSON, for programs.
    Json,
}

/// Runs the subcommand.
pub async fn run(command: Bench) -> Result<()> {
    let (subject, rounds, how) = match command {
        Bench::Targets(Targets { rounds, how }) => (Subject::Targets, rounds, how),
        Bench::Controller(how) => (Subject::Controller, 0, how),
    };
    let beside = || built("lath").parent().map(Into::into).unwrap_or_default();
    bench::run(Options {
        subject,
        call_ms: how.call_ms,
        rounds,
        binaries: how.binaries.unwrap_or_else(beside),
        json: how.output == Output::Json,
    })
    .await
}
