//! The world's network: a router namespace with a bridge, one namespace per node, one per pod.
//!
//! ```text
//! host ── veth ── router namespace: routes, bridge (API server .0.1, cloud .0.2)
//!                   ├── veth ── node namespace: routes ── veth ── pod namespace
//!                   └── veth ── node namespace …
//! ```
//!
//! The router of a world that uses another world's cloud has a veth pair with that one's router.
//!
//! Every pod address is routed as such (/32 and /128), as in a VPC: any address can belong to a pod of any node.

pub mod addresses;
mod fabric;
mod join;
mod namespace;
mod netlink;
mod node;

pub use fabric::{Fabric, delete_host_link};
pub use join::share_cloud;
pub use namespace::Namespace;
pub use netlink::Netlink;
pub use node::{NodeNetwork, Peer, PodNetwork};
