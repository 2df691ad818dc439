//! Audit and repair: what Lattice holds, compared with what it should hold, and the differences mended.
//!
//! - [`audit`]: reads whole groups in turn, compares ([`ledger`], pure) and mends what two reads agree on.
//! - [`nodes`]: stands in for agents that are not there ([`standin`], pure), and clears up after nodes that are gone.
//! - [`finalizers`]: sees to it that a deleted binding leaves nothing behind ([`teardown`], pure).
//! - [`slices`]: registers hand-made endpoints ([`endpoints`], pure).
//!
//! Registering is always allowed. Taking out needs proof ([`proof`]) from reads that come from the API server's store.

use std::time::Duration;

pub mod audit;
pub mod calls;
pub mod endpoints;
pub mod finalizers;
pub mod ledger;
pub mod metrics;
pub mod nodes;
pub mod proof;
pub mod records;
pub mod slices;
pub mod standin;
pub mod teardown;

/// How repairs are made.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// ListTargets calls per second for audits.
    pub calls_per_second: f64,
    /// How often a group is audited at most.
    pub period: Duration,
    /// How far apart two audits have to agree.
    pub confirm_after: Duration,
    /// The longest time for which Lattice keeps a deregistered target.
    pub drain: Duration,
    /// How long a node without an agent is given to get one.
    pub agent_grace: Duration,
    /// How long a deleted binding waits for agents.
    pub patience: Duration,
}
