//! The node-side of Lath: puts the pods of its node into VPC Lattice target groups milliseconds after they become ready,
//! and takes them out before they are gone.
//!
//! [`app`] puts everything together. [`targets`] is the pipeline: watch → desired → sync.

pub mod app;
pub mod config;
mod statusz;
pub mod targets;
