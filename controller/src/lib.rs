//! The cluster-wide part of Lath: judges bindings, reads target health, opens readiness gates, repairs.

mod answer;
pub mod app;
pub mod bindings;
pub mod cluster;
mod condition;
pub mod config;
pub mod events;
pub mod gateway;
pub mod groups;
pub mod health;
pub mod leader;
pub mod pipelines;
pub mod quotas;
mod random;
pub mod repair;
pub mod shared;
pub mod webhook;

#[cfg(test)]
mod testing;
