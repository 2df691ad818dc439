//! The composition root: what the agent is made of, in the order in which it starts.

use anyhow::{Context as _, anyhow};
use lath_kubernetes::connection;
use prometheus_client::registry::Registry;
use runtime::{
    admin::{self, Surfaces},
    process::Process,
    readiness::Readiness,
    shutdown, telemetry,
};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use crate::{
    config::Config,
    statusz,
    targets::{self, status::Status},
};

/// Why the agent ended.
#[derive(Debug)]
pub enum Error {
    /// Something that was given to it can't be used.
    Configuration(anyhow::Error),
    /// Something failed.
    Failed(anyhow::Error),
}

/// Runs the agent until it is asked to stop.
///
/// # Errors
/// When it can't start.
pub fn run(config: Config) -> Result<(), Error> {
    telemetry::init(config.log_format, &config.log).map_err(|error| Error::Configuration(anyhow!(error)))?;
    // Targets and their tasks share one thread: they spend their time waiting, and a node's CPU belongs to its pods.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("starting the runtime failed")
        .map_err(Error::Failed)?;
    runtime.block_on(start(config))
}

async fn start(config: Config) -> Result<(), Error> {
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        node = config.node,
        cluster = config.cluster,
        targets = config.targets,
        admin_listen = %config.admin_listen,
        state_dir = %config.state_dir.display(),
        lease_seconds = config.lease.as_secs(),
        gather = ?config.gather,
        "starting"
    );
    let shutdown =
        shutdown::on_signal().context("installing signal handlers failed").map_err(Error::Failed)?;
    let kubernetes = connection::clients().await.map_err(|error| Error::Configuration(error.into()))?;

    let mut registry = Registry::default();
    let (lattice_metrics, target_metrics) = register(&mut registry);
    let lattice = lattice_client::Client::connect(lattice_client::Options::default(), lattice_metrics).await;
    let readiness = Readiness::default();
    if lattice.region().is_none() {
        return Err(Error::Configuration(anyhow!("the AWS region is not known: set AWS_REGION")));
    }

    let (status, status_seen) = watch::channel(Status::default());
    let tasks = TaskTracker::new();
    if config.targets {
        let settings = targets::Settings {
            node: config.node.clone(),
            boot_id: config.boot_id.clone(),
            journal: config.state_dir.join("targets.journal"),
            gather: config.gather,
            lease: targets::lease::Settings {
                namespace: config.namespace.clone(),
                node: config.node.clone(),
                holder: config.holder.clone(),
                boot_id: config.boot_id.clone(),
                duration: config.lease,
                remembers: false,
            },
        };
        let links = targets::Links {
            watches: kubernetes.watches,
            kubernetes: kubernetes.requests,
            lattice,
            readiness: readiness.clone(),
            metrics: target_metrics,
            status,
        };
        tasks.spawn(targets::run(settings, links, shutdown.clone()));
    }
    let surfaces = Surfaces {
        registry,
        readiness: readiness.clone(),
        more: statusz::routes(config.node.clone(), readiness, status_seen),
    };
    admin::serve(config.admin_listen, surfaces, shutdown.clone())
        .map_err(|error| Error::Configuration(error.into()))?;

    shutdown.cancelled().await;
    tasks.close();
    tasks.wait().await;
    tracing::info!("stopped; this node's targets stay registered");
    Ok(())
}

/// Registers everything that `/metrics` shows.
fn register(registry: &mut Registry) -> (lattice_client::Metrics, targets::metrics::Metrics) {
    registry.register_collector(Box::new(Process));
    (lattice_client::Metrics::register(registry), targets::metrics::Metrics::register(registry))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_documented() {
        let mut registry = Registry::default();
        register(&mut registry);
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        runtime::catalogue::check(&root, "lath-agent", &registry).unwrap();
    }
}
