//! Benchmarks of the targets pipeline (how soon VPC Lattice hears of a pod) and of the controller (how soon it holds a
//! route), and what both cost.
//!
//! A real API server and endpoint controller, the simulator, one agent; no nodes, since what is measured begins with the
//! status patch that a node would send. In the same run, on the same events, a bare watch of the node's pods and one of
//! the `EndpointSlice`s show what any program could have known when.

mod cases;
mod figures;
mod lab;
mod routes;

use std::path::PathBuf;

use crate::error::Result;
use figures::Report;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// The targets pipeline.
    Targets,
    /// The controller.
    Controller,
}

/// What to measure, and with which binaries.
#[derive(Debug, Clone)]
pub struct Options {
    /// What.
    pub subject: Subject,
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
    let mut report = Report::default();
    let outcome = match options.subject {
        Subject::Targets => cases::run(&options, &mut report).await,
        Subject::Controller => routes::run(&options, &mut report).await,
    };
    // What was measured before something failed is worth reading, too.
    if options.json {
        println!("{}", report.json());
    } else {
        println!("{}", report.text());
    }
    outcome
}
