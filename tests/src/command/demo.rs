//! `lath-world demo`: Lath at work, for somebody who looks on.

use clap::Args;

use crate::{
    demo::{self, Options},
    error::Result,
};

/// How the demo runs.
#[derive(Debug, Args)]
pub struct Demo {
    /// Leave everything running at the end, and say how to look at it.
    #[arg(long)]
    keep: bool,
}

/// Runs the subcommand.
pub async fn run(command: Demo) -> Result<()> {
    demo::run(Options { keep: command.keep }).await
}
