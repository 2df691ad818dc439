//! What the programs share: command line, logs, metrics, the admin server, readiness, shutdown.

pub mod admin;
pub mod catalogue;
pub mod process;
pub mod readiness;
pub mod shutdown;
pub mod telemetry;
pub mod usage;
