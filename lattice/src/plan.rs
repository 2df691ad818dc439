//! What to call next, so that VPC Lattice comes to hold what it should: pure functions of what is wanted and what is there.
//!
//! Each function names the calls that can be made now, all of them at once if need be. It is asked again when they have
//! been answered, and names nothing once all is as it should be. So there is no script that a failure or a restart could
//! lose, and nothing waits for what it does not depend on.

pub mod group;
pub mod network;
pub mod resource;
pub mod rules;
pub mod service;

use crate::{TargetGroupArn, id::NetworkId};

/// Something that has to be called by another name than it is wanted by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known<T> {
    /// It is there.
    Yes(T),
    /// It will be.
    NotYet,
    /// It can't be made or found, and nobody knows when it will.
    No,
}

/// What a target group is called.
pub type KnownGroup = Known<TargetGroupArn>;

/// What a service network is called.
pub type KnownNetwork = Known<NetworkId>;

/// What to do about something, and what it waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan<S> {
    /// Calls that can be made now, at once and in any order.
    pub steps: Vec<S>,
    /// What has to happen by itself first.
    pub waits: Vec<Wait>,
}

/// Something that VPC Lattice is at, or that something else has to bring.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wait {
    /// The service is being made or removed.
    Service,
    /// The association with this network is being made or removed.
    Association(NetworkId),
    /// The target group is being made or removed.
    Group,
    /// A target group that a rule names is not there yet.
    GroupOf(Box<crate::service::GroupKey>),
    /// Targets of a group that requests are to be moved to are not healthy yet, or nobody knows whether they are.
    Warming(Box<crate::service::GroupKey>),
    /// The network of this name is not there yet.
    Network(String),
    /// The VPC's association with the network is being made, changed or removed.
    VpcAssociation,
    /// The resource gateway, directory or resource configuration is being made, changed or removed.
    Resource,
    /// The resource gateway that a resource configuration needs is not there yet.
    ResourceGateway,
    /// The directory that a resource configuration leads to is not there yet.
    Directory,
}

impl<S> Default for Plan<S> {
    fn default() -> Self {
        Self { steps: Vec::new(), waits: Vec::new() }
    }
}

impl<S> Plan<S> {
    /// Whether all is as it should be.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.steps.is_empty() && self.waits.is_empty()
    }
}
