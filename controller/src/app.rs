//! The composition root: everything is made and joined here, in order.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context as _;
use kube::config::{KubeConfigOptions, Kubeconfig};
use lattice_client::Client as Lattice;
use prometheus_client::{metrics::gauge::Gauge, registry::Registry};
use runtime::{admin, readiness::Readiness, shutdown, telemetry};
use tokio::{sync::mpsc, task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    bindings,
    cluster::{self, Cluster, feed},
    config::{Arguments, Config, Error},
    events::Events,
    groups::{self, Groups},
    health::{self, read::Channels, watchman::Watchman},
    leader::Candidate,
    repair,
    shared::Shared,
};

/// Longest silence of the API server within one answer. Watches are renewed before it; requests have a shorter bound.
const WATCH_SILENCE: Duration = Duration::from_secs(295);

/// Longest time for a request that is not a watch.
const REQUEST: Duration = Duration::from_secs(15);

/// Conditions of gates on their way to the API server. More wait for their turn where they are decided.
const GATE_WRITES: usize = 256;

/// Listings on their way to whoever decides gates. One that finds no room is dropped: it is read anew.
const LISTINGS: usize = 16;

/// Runs the controller until it is told to stop.
///
/// # Errors
/// When it can't start. A wrong configuration is an [`Error`].
pub fn run(arguments: Arguments) -> anyhow::Result<()> {
    telemetry::init(arguments.log_format, &arguments.log).map_err(Error::Log)?;
    let config = arguments.resolve(|name| std::env::var(name).ok())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("starting the runtime failed")?;
    runtime.block_on(serve(config))
}

/// What every pipeline needs.
#[derive(Debug, Clone)]
struct Parts {
    config: Arc<Config>,
    /// For watches, which are silent for long.
    watches: KubeHandle,
    /// For everything else.
    kube: KubeHandle,
    lattice: Lattice,
    metrics: Metrics,
    readiness: Readiness,
    scope: feed::Scope,
}

/// The client of the Kubernetes API, which has no Debug of its own.
#[derive(Clone)]
struct KubeHandle(kube::Client);

impl std::fmt::Debug for KubeHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client")
    }
}

/// Every pipeline's metrics.
#[derive(Debug, Clone)]
struct Metrics {
    cluster: cluster::metrics::Metrics,
    bindings: bindings::metrics::Metrics,
    health: health::metrics::Metrics,
    repair: repair::metrics::Metrics,
}

/// Registers everything that `/metrics` shows: calls to VPC Lattice, whether this controller leads, and the pipelines'.
fn register(registry: &mut Registry) -> (lattice_client::Metrics, Gauge, Metrics) {
    registry.register_collector(Box::new(runtime::process::Process));
    let calls = lattice_client::Metrics::register(registry);
    let own = registry.sub_registry_with_prefix("lath_controller");
    let leading = Gauge::default();
    own.register("leader", "1 while this controller acts, 0 while it stands by", leading.clone());
    let metrics = Metrics {
        cluster: cluster::metrics::Metrics::register(own),
        bindings: bindings::metrics::Metrics::register(own),
        health: health::metrics::Metrics::register(own),
        repair: repair::metrics::Metrics::register(own),
    };
    (calls, leading, metrics)
}

async fn serve(config: Config) -> anyhow::Result<()> {
    let shutdown = shutdown::on_signal().context("installing signal handlers failed")?;
    let kubernetes = kubernetes_config().await?;
    let client = |silence| {
        let mut config = kubernetes.clone();
        config.read_timeout = Some(silence);
        kube::Client::try_from(config).map(KubeHandle).map_err(|error| Error::NoCluster(error.to_string()))
    };
    let watches = client(WATCH_SILENCE)?;
    let kube = client(REQUEST)?;
    let namespace = config.namespace.clone().unwrap_or_else(|| kubernetes.default_namespace.clone());

    let mut registry = Registry::default();
    let (calls, leading, metrics) = register(&mut registry);
    let lattice = Lattice::connect(
        lattice_client::Options {
            region: Some(config.site.region.clone()),
            endpoint: config.endpoint.clone(),
            ..lattice_client::Options::default()
        },
        calls,
    )
    .await;

    let readiness = Readiness::default();
    let surfaces = admin::Surfaces { registry, readiness: readiness.clone(), more: axum::Router::new() };
    admin::serve_on(&[config.metrics, config.probes], surfaces, shutdown.clone())
        .context("starting the admin server failed")?;
    tracing::info!(
        cluster = config.site.cluster,
        region = config.site.region,
        account = config.site.account,
        vpc = config.site.vpc,
        namespace,
        "started"
    );
    let parts = Parts {
        scope: feed::Scope { lease_namespace: namespace.clone(), slices: config.site.manual_endpoints },
        config: Arc::new(config),
        watches,
        kube,
        lattice,
        metrics,
        readiness,
    };
    reign(&parts, &namespace, &leading, &shutdown).await;
    Ok(())
}

/// Stands for election again and again, and leads while elected, until `shutdown`.
async fn reign(parts: &Parts, namespace: &str, leading: &Gauge, shutdown: &CancellationToken) {
    if !parts.config.leader_elect {
        leading.set(1);
        let _pipelines = pipelines(parts);
        shutdown.cancelled().await;
        return;
    }
    let mut candidate = Candidate::new(parts.kube.0.clone(), namespace, &parts.config.name);
    loop {
        let mut tenure = tokio::select! {
            tenure = candidate.acquire() => tenure,
            () = shutdown.cancelled() => return,
        };
        leading.set(1);
        let mut pipelines = pipelines(parts);
        let stopping = tokio::select! {
            () = tenure.keep() => false,
            () = shutdown.cancelled() => true,
        };
        // Nothing may be written after the Lease is given up.
        pipelines.shutdown().await;
        leading.set(0);
        if stopping {
            tenure.release().await;
            return;
        }
    }
}

/// Starts every pipeline on fresh stores: what a former leader knew is not relied on. Dropping the result ends them.
fn pipelines(parts: &Parts) -> JoinSet<()> {
    let config = &parts.config;
    let site = Arc::new(config.site.clone());
    let kube = &parts.kube.0;
    let cluster: Arc<Shared<Cluster>> = Arc::new(Shared::new(Cluster::default()));
    let groups = Arc::new(Shared::new(Groups::new(config.group_refresh)));
    let events = Events::new(kube.clone(), &config.name);
    let (gate_writes, decided) = mpsc::channel(GATE_WRITES);
    let (wrote, written) = mpsc::channel(GATE_WRITES);
    let (listed, listings) = mpsc::channel(LISTINGS);

    let mut tasks = JoinSet::new();
    tasks.spawn(feed::run(
        feed::updates(&parts.watches.0, &parts.scope),
        cluster.clone(),
        parts.metrics.cluster.clone(),
    ));
    tasks.spawn(groups::read::run(cluster.clone(), groups.clone(), parts.lattice.clone(), site.clone()));
    tasks.spawn(bindings::sync::run(
        bindings::sync::Sync::new(bindings::sync::Settings {
            site,
            endpoints: Arc::new(config.endpoints.clone()),
            numbers_every: config.numbers_every,
        }),
        cluster.clone(),
        groups.clone(),
        kube.clone(),
        events.clone(),
        parts.readiness.clone(),
        parts.metrics.bindings.clone(),
    ));
    tasks.spawn(health::write::run(kube.clone(), events.clone(), decided, wrote));
    tasks.spawn(health::read::run(
        Watchman::new(config.gates.clone(), Instant::now()),
        cluster.clone(),
        groups.clone(),
        parts.lattice.clone(),
        Channels { writes: gate_writes, written, listings },
        parts.metrics.health.clone(),
    ));

    let rules = Arc::new(config.endpoints.clone());
    let calls = repair::calls::Calls::new(parts.lattice.clone(), parts.metrics.repair.clone());
    let own = Arc::new(Shared::new(repair::own::Own::default()));
    let fresh = repair::proof::Fresh::new(kube.clone());
    let handle = repair::nodes::Kube(kube.clone());
    let auditor = repair::audit::Auditor {
        cluster: cluster.clone(),
        groups: groups.clone(),
        client: parts.lattice.clone(),
        calls: calls.clone(),
        fresh: fresh.clone(),
        own: own.clone(),
        rules: rules.clone(),
        settings: config.repair.clone(),
        listings: listed,
        metrics: parts.metrics.repair.clone(),
    };
    tasks.spawn(auditor.run());
    let warden = repair::nodes::Warden {
        cluster: cluster.clone(),
        calls: calls.clone(),
        fresh,
        kube: handle.clone(),
        namespace: parts.scope.lease_namespace.clone(),
        events: events.clone(),
        settings: config.repair.clone(),
        metrics: parts.metrics.repair.clone(),
    };
    tasks.spawn(warden.run());
    let undertaker = repair::finalizers::Undertaker {
        cluster: cluster.clone(),
        groups,
        own,
        calls: calls.clone(),
        kube: handle.clone(),
        events,
        settings: config.repair.clone(),
        metrics: parts.metrics.repair.clone(),
    };
    tasks.spawn(undertaker.run());
    if rules.allowed {
        let registrar = repair::slices::Registrar { cluster, calls, kube: handle, rules };
        tasks.spawn(registrar.run());
    }
    tasks
}

/// How to reach the cluster: `KUBECONFIG` if it is set, else the one round the process. Never the kubeconfig in the
/// home directory, which points at whatever its owner worked on last.
async fn kubernetes_config() -> Result<kube::Config, Error> {
    match std::env::var_os("KUBECONFIG").filter(|path| !path.is_empty()) {
        Some(path) => {
            let path = PathBuf::from(path);
            let refuse = |message: String| Error::Kubeconfig { path: path.clone(), message };
            let file = Kubeconfig::read_from(&path).map_err(|error| refuse(chain(&error)))?;
            kube::Config::from_custom_kubeconfig(file, &KubeConfigOptions::default())
                .await
                .map_err(|error| refuse(chain(&error)))
        }
        None => kube::Config::incluster().map_err(|error| Error::NoCluster(chain(&error))),
    }
}

/// An error and its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    // A parser's error may show the place in lines of its own.
    let first_line = |text: String| text.lines().next().unwrap_or_default().to_owned();
    let mut text = first_line(error.to_string());
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = first_line(cause.to_string());
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_documented() {
        let mut registry = Registry::default();
        register(&mut registry);
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        runtime::catalogue::check(&root, "lath-controller", &registry).unwrap();
    }
}
