//! `lath-world conformance`: Gateway API's conformance suite against Lath.

use clap::Args;

use crate::conformance::{self, Options};
use crate::error::Result;

/// How the suite runs.
#[derive(Debug, Args)]
pub struct Conformance {
    /// Run only tests whose names match: a regular expression as Go has them. The report stays as it is.
    #[arg(long, value_name = "PATTERN")]
    run: Option<String>,
    /// Run what is declared as impossible as well. The report stays as it is.
    #[arg(long)]
    all: bool,
    /// Leave everything running at the end, and say how to look at it.
    #[arg(long)]
    keep: bool,
}

/// Runs the subcommand.
pub async fn run(command: Conformance) -> Result<()> {
    let Conformance { run, all, keep } = command;
    conformance::run(Options { only: run, all, keep }).await
}
