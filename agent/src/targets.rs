//! The targets pipeline: watch → desired → sync. Puts this node's ready pods into their target groups and takes them
//! out before they are gone.
//!
//! One task owns everything: what was seen of Kubernetes, what each group should hold, and what Lattice holds. Calls
//! run beside it and come back as results. Before a call starts and after it ends a line goes into the journal; the
//! record in the cluster, the Lease and the Events are tasks of their own, which read what this one publishes.

mod backoff;
pub mod desired;
mod events;
pub mod group;
pub mod journal;
pub mod lease;
mod lookup;
pub mod metrics;
pub mod news;
pub mod observed;
mod pipeline;
pub mod record;
pub mod status;
mod watch;

pub use pipeline::{Links, Settings, run};
