//! Tests of the test world itself: control plane, nodes, nodelet, faults. They need root.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on panics; clippy knows that of test functions, not of what they share"
)]

#[path = "world/cluster.rs"]
mod cluster;
#[path = "world/faults.rs"]
mod faults;
#[path = "world/lifecycle.rs"]
mod lifecycle;
#[path = "world/setting.rs"]
mod setting;
#[path = "world/simulator.rs"]
mod simulator;
#[path = "world/surroundings.rs"]
mod surroundings;
