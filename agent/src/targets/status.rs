//! What the pipeline shows of itself on the status page.

use serde::Serialize;

/// The pipeline at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Status {
    /// What is wrong, in words; empty in health.
    pub troubles: Vec<String>,
    /// The epoch of the Lease; 0 before it was taken.
    pub epoch: i64,
    /// The Lease is fresh, so that targets can be taken out.
    pub lease_fresh: bool,
    /// The groups with targets on this node.
    pub groups: Vec<GroupStatus>,
}

/// A group at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupStatus {
    /// Its ARN.
    pub arn: String,
    /// It takes no more targets.
    pub full: bool,
    /// What does not get on.
    pub troubles: Vec<String>,
    /// Its targets on this node.
    pub targets: Vec<TargetStatus>,
}

/// A target at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TargetStatus {
    /// `address:port`.
    pub target: String,
    /// `namespace/name`.
    pub pod: String,
    /// `registered`, `registering` or `deregistering`.
    pub state: &'static str,
}
