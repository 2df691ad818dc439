//! The subcommands of `lath-world`, one file each.

pub mod bench;
pub mod conformance;
pub mod controlplane;
pub mod demo;
pub mod hidden;
pub mod world;

/// Sends the log to standard error. `LATH_LOG` says how much: a filter as of `RUST_LOG`.
pub fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("LATH_LOG")
        .unwrap_or_else(|_| "warn,kube_client=off,kube_runtime=off,netlink_proto=off".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}
