//! The world's network: a router namespace with a bridge, one namespace per node, one per pod.
//!
//! ```text
//! host ── veth ── router namespace: routes, bridge (API server .0.1, cloud .0.2)
//!                   ├── veth ── node namespace: routes ── veth ── pod namespace
//!                   └── veth ── node namespace …
//! ```
//!
//! Every pod address is routed as such (/32 and /128), as in a VPC: any address can belong to a pod of any node.

pub mod addresses;
mod fabric;
mod namespace;
mod netlink;
mod node;

pub use fabric::{Fabric, delete_host_link};
pub use namespace::Namespace;
pub use netlink::Netlink;
pub use node::{NodeNetwork, Peer, PodNetwork};
