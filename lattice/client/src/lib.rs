//! VPC Lattice over the wire, and what its neighbours know of its resources. The only crate that names the AWS SDK.
//!
//! Every call takes its turn at its service's [`pacer`], is made once, is counted and timed, and fails with an [`Error`] that says
//! what to do about it. There is one layer of retries and it is the callers': what should be called may have changed by
//! the time a call can be repeated, so pipelines compare again rather than repeat.

mod access_logs;
mod action;
mod answer;
mod associations;
mod call;
mod certificates;
mod client;
mod cloudmap;
mod configurations;
mod connect;
mod declared;
pub mod error;
mod groups;
mod listeners;
pub mod metrics;
mod networks;
pub mod operation;
pub mod pacer;
mod policies;
mod read;
mod resource_associations;
mod resource_gateways;
mod rules;
mod services;
mod tagging;
mod tags;
mod vpcs;
mod write;

pub use associations::ServiceAssociationsOf;
pub use certificates::Certificate;
pub use client::Client;
pub use cloudmap::{NewDirectory, OperationStatus};
pub use configurations::NewConfiguration;
pub use connect::{Clock, Options, Transport};
pub use declared::Refusal;
pub use error::Error;
pub use groups::NewGroup;
pub use listeners::NewListener;
pub use metrics::Metrics;
pub use operation::Operation;
pub use pacer::Urgency;
pub use resource_gateways::NewResourceGateway;
pub use rules::{RuleChange, RuleFailure, RuleOutcome};
pub use services::NewService;
pub use vpcs::VpcAssociationsOf;
pub use write::{Failure, Outcome};
