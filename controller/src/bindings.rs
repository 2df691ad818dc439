//! TargetGroupBindings: which are accepted, and what their status says.
//!
//! watch → [`judge`] and [`tally`] (pure) → [`status`] (pure) → [`sync`].

pub mod judge;
pub mod metrics;
pub mod reason;
pub mod status;
pub mod sync;
pub mod tally;
