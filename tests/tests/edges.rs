//! Agents and controller at their edges: whole pipelines, with the real SDK and the real Kubernetes client, against VPC
//! Lattice and an API server in memory, on paused time. No test here needs a kernel feature, a socket or root.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "tests end by panicking")]

#[path = "edges/addresses.rs"]
mod addresses;
#[path = "edges/bindings.rs"]
mod bindings;
#[path = "edges/calls.rs"]
mod calls;
#[path = "edges/controller.rs"]
mod controller;
#[path = "edges/kubernetes.rs"]
mod kubernetes;
#[path = "edges/model.rs"]
mod model;
#[path = "edges/objects.rs"]
mod objects;
#[path = "edges/pods.rs"]
mod pods;
#[path = "edges/readiness.rs"]
mod readiness;
#[path = "edges/restarts.rs"]
mod restarts;
#[path = "edges/setting.rs"]
mod setting;
