//! VPC Lattice over the wire. The only crate that names the AWS SDK.
//!
//! Every call takes its turn at one [`pacer`], is made once, is counted and timed, and fails with an [`Error`] that says
//! what to do about it. There is one layer of retries and it is the callers': what should be called may have changed by
//! the time a call can be repeated, so pipelines compare again rather than repeat.

mod call;
mod client;
mod connect;
pub mod error;
pub mod metrics;
pub mod pacer;
mod read;
mod write;

pub use client::Client;
pub use connect::{Clock, Options, Transport};
pub use error::Error;
pub use metrics::{Metrics, Operation};
pub use pacer::Urgency;
pub use write::{Failure, Outcome};
