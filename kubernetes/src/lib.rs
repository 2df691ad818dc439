//! Kubernetes as Lath uses it: its own kinds, the names it goes by, a watch that no malformed object can stall, and
//! the pure rule which pods are targets, shared by agent and controller.

#![allow(
    clippy::duplicated_attributes,
    reason = "each printer column of a kind repeats the attribute's fields"
)]

pub mod binding;
pub mod connection;
pub mod crds;
pub mod gateway;
pub mod multicluster;
pub mod names;
pub mod node_targets;
pub mod parameters;
pub mod pod;
pub mod policy;
pub mod service;
pub mod service_network;
pub mod standing;
pub mod target_group;
pub mod watch;

pub use binding::TargetGroupBinding;
pub use node_targets::NodeTargets;
pub use parameters::GatewayParameters;
pub use pod::Pod;
pub use service::Service;
pub use service_network::ServiceNetwork;
