//! The test world: a real control plane, nodes that are network namespaces, and a cloud that is the simulator.

pub mod api;
pub mod cgroup;
pub mod command;
pub mod container;
pub mod controlplane;
pub mod demo;
pub mod error;
pub mod lath;
pub mod lattice;
pub mod expect;
pub mod network;
pub mod nodelet;
pub mod process;
pub mod world;
