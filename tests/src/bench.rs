//! The benchmark of the targets pipeline: how soon VPC Lattice hears of a pod, and what that costs.
//!
//! A real API server and endpoint controller, the simulator, one agent; no nodes, since what is measured begins with the
//! status patch that a node would send. In the same run, on the same events, a bare watch of the node's pods and one of
//! the `EndpointSlice`s show what any program could have known when.

mod cases;
mod figures;
mod lab;

use std::path::PathBuf;

use crate::error::Result;

/// What to measure, and with which binaries.
#[derive(Debug, Clone)]
pub struct Options {
    /// Milliseconds that every call to VPC Lattice takes; the cases run once for each.
    pub call_ms: Vec<u64>,
    /// How often a case with a single pod is repeated.
    pub rounds: usize,
    /// Where `lath`, `lath-agent` and `lath-controller` are.
    pub binaries: PathBuf,
    /// Write JSON instead of a table.
    pub json: bool,
}

/// Runs all cases and prints the figures.
///
/// # Errors
/// When the lab can't be set up, or something that should happen does not.
pub async fn run(options: Options) -> Result<()> {
    let report = cases::run(&options).await?;
    if options.json {
        println!("{}", report.json());
    } else {
        println!("{}", report.text());
    }
    Ok(())
}
