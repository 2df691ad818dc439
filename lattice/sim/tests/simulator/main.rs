//! The simulator as its users see it: through the real SDK, and through raw HTTP where the SDK can't express a case.

#![expect(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "tests end by panicking")]

mod access_logs;
mod accounts;
mod admin;
mod associations;
mod backend;
#[path = "../../examples/interop/calls.rs"]
mod calls;
mod churn;
mod clients;
mod edges;
mod elsewhere;
mod endings;
mod errors;
mod faults;
mod floods;
mod frames;
mod functions;
mod gateway;
mod growth;
mod harness;
mod interop;
mod invariants;
mod kinds;
mod listeners;
mod lives;
mod negatives;
mod neighbours;
mod networks;
mod pages;
mod plane;
mod policies;
mod repeat;
mod resources;
mod rules;
mod script;
mod services;
#[path = "../../examples/interop/shapes.rs"]
mod shapes;
mod sharing;
mod snapshot;
mod socket;
mod surroundings;
mod tags;
mod target_groups;
mod targets;
mod tcp;
mod tokens;
