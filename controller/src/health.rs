//! Readiness gates: which pods Lattice finds healthy, looked up in time and written once.
//!
//! watch → [`gates`] (what is true of a pod's gate, pure) and [`watchman`] (which pods to look at when, pure) → [`read`]
//! (calls to Lattice) and [`write`] (conditions of pods).

pub mod gates;
pub mod looks;
pub mod metrics;
pub mod read;
mod waiting;
pub mod watchman;
pub mod write;
