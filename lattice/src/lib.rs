//! VPC Lattice as Lath sees it: identifiers, targets and groups, their limits, the difference between what should be
//! registered and what is, and auth policies.
//!
//! Everything here is pure. There is no I/O, no clock, no AWS SDK and no Kubernetes, so that every rule can be
//! tested with values alone.

pub mod arn;
pub mod batch;
pub mod declared;
pub mod diff;
pub mod group;
pub mod id;
pub mod import;
pub mod limits;
pub mod names;
pub mod observed;
pub mod plan;
pub mod policy;
pub mod resource;
pub mod rule;
pub mod service;
pub mod tags;
pub mod target;

pub use arn::TargetGroupArn;
pub use group::TargetGroup;
pub use service::Tags;
pub use target::{Target, TargetState, TargetStatus};
