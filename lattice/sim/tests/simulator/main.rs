//! The simulator as its users see it: through the real SDK, and through raw HTTP where the SDK can't express a case.

#![expect(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "tests end by panicking")]

mod accounts;
mod admin;
mod churn;
mod faults;
mod harness;
mod listeners;
mod negatives;
mod pages;
mod plane;
mod repeat;
mod rules;
mod services;
mod socket;
mod tags;
mod target_groups;
mod targets;
mod tokens;
