//! Gateway API to VPC Lattice.
//!
//! ```text
//! watches ── feed ──► objects ── compose ── translate (pure) ──► Desired ── takeover ── engine ──► VPC Lattice
//!                                              │ verdicts                     │ progress
//!                                              ▼                              ▼
//!                                            write: statuses ◄──────────────────► bind: TargetGroupBindings
//!                                                                               directories: pods in Cloud Map
//! ```

pub mod bind;
pub mod certificates;
pub mod compose;
pub mod directories;
pub mod discovery;
pub mod engine;
pub mod feed;
pub mod leaving;
pub mod metrics;
pub mod multicluster;
pub mod objects;
pub mod route;
pub mod status;
pub mod takeover;
pub mod translate;
pub mod write;
