//! The demo: Lath at work on a real control plane, with real pods and a simulated cloud, and what came of it.

mod observe;
mod script;
mod summary;
mod view;

pub use script::run;

/// How the demo runs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Leave everything running at the end.
    pub keep: bool,
}
