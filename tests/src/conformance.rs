//! Gateway API's own conformance suite, run in a world against Lath.
//!
//! The suite runs as a pod, since its requests have to go where any pod's go. Its manifests' image is the suite's echo
//! server; what VPC Lattice can't do of it is declared, with the reason, in `tests/conformance/declared.yaml`.

mod declared;
mod page;
mod programs;
mod results;
mod script;

pub use script::run;

/// How the suite runs.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Only tests whose names match this, a regular expression as Go has them. The report is not written then.
    pub only: Option<String>,
    /// Run what is declared as impossible as well.
    pub all: bool,
    /// Leave everything running at the end.
    pub keep: bool,
}
