//! End-to-end tests: the chart that users install, on the real control plane, with pods that are processes in network
//! namespaces of their own and the simulator for a cloud. They need root.
//!
//! Tests that disturb nothing share one world, each in a namespace of its own. The others borrow a world, of which
//! there are two, and hand it back as they found it.

#![expect(clippy::panic, clippy::unwrap_used, reason = "tests end by panicking")]

#[path = "e2e/agents.rs"]
mod agents;
#[path = "e2e/bindings.rs"]
mod bindings;
#[path = "e2e/cloud.rs"]
mod cloud;
#[path = "e2e/controlplane.rs"]
mod controlplane;
#[path = "e2e/endpointslices.rs"]
mod endpointslices;
#[path = "e2e/kubectl.rs"]
mod kubectl;
#[path = "e2e/layer4.rs"]
mod layer4;
#[path = "e2e/nodes.rs"]
mod nodes;
#[path = "e2e/pods.rs"]
mod pods;
#[path = "e2e/rights.rs"]
mod rights;
#[path = "e2e/rollout.rs"]
mod rollout;
#[path = "e2e/routes.rs"]
mod routes;
#[path = "e2e/setting.rs"]
mod setting;
#[allow(dead_code, reason = "shared with the tests of the world itself, which use more of it")]
#[path = "world/setting.rs"]
mod space;
#[path = "e2e/traffic.rs"]
mod traffic;
#[path = "e2e/webhook.rs"]
mod webhook;
#[path = "e2e/workloads.rs"]
mod workloads;
