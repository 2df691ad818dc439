//! VPC Lattice in memory: control plane, data plane, neighbours, faults, clock.
//!
//! [`Simulator`] answers the requests of any AWS SDK, on a socket ([`Simulator::serve`]) or in process
//! ([`Simulator::handle`]), so that what is tested against it is the real client: encoding, paging, retries, errors.
//! Requests are checked against the service's own model ([`model`]); whatever nobody outside AWS knows is a setting
//! ([`settings`]); what surrounds VPC Lattice, accounts and VPCs say, is told to it ([`surroundings`]). A [`DataPlane`]
//! carries traffic from clients to targets.

mod access_log;
mod account;
mod admin;
mod clock;
mod data;
mod error;
mod faults;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod inspect;
pub mod model;
mod neighbours;
mod operations;
mod random;
mod rate;
mod recent;
mod record;
mod server;
pub mod settings;
mod signature;
mod simulator;
mod snapshot;
mod state;
pub mod surroundings;

pub use access_log::{AccessLogEntry, AccessLogFiles, Error as AccessLogError};
pub use account::Account;
pub use data::{DataPlane, Error as DataPlaneError, InterfaceError};
pub use faults::{Error as FaultError, Fault, UnsuccessfulTargets};
pub use inspect::{
    Absent, ListenerView, Ready, RuleView, ServiceView, SetTarget, StateView, TargetGroupView, TargetView,
};
pub use record::LogEntry;
pub use settings::Settings;
pub use simulator::{MOST_BODY_BYTES, REGION, Simulator};
pub use snapshot::{Claim, Error as SnapshotError};
pub use state::life::Failure;
pub use state::target::TargetStatus;
pub use surroundings::Surroundings;
