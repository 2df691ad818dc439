//! The test world: a real control plane, nodes that are network namespaces, and a cloud that is the simulator.

pub mod api;
pub mod bench;
pub mod cgroup;
pub mod command;
pub mod conformance;
pub mod container;
pub mod controlplane;
pub mod demo;
#[cfg(test)]
mod docs;
pub mod error;
pub mod expect;
pub mod gomodule;
pub mod interrupt;
pub mod lath;
pub mod lattice;
pub mod load;
pub mod network;
pub mod nodelet;
pub mod process;
pub mod world;
