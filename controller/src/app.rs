//! The composition root: everything is made and joined here, in order.

use std::io::Write as _;

use anyhow::Context as _;
use lath_kubernetes::connection;
use lattice_client::Client as Lattice;
use prometheus_client::{metrics::gauge::Gauge, registry::Registry};
use runtime::{admin, readiness::Readiness, shutdown, telemetry};
use tokio_util::sync::CancellationToken;

use crate::{
    bindings, cluster,
    config::{Arguments, Command, Config, Error},
    gateway::{self, takeover},
    health,
    leader::Candidate,
    pipelines::{self, Links, Metrics},
    quotas, repair, webhook,
};

/// Runs the controller until it is told to stop.
///
/// # Errors
/// When it can't start. A wrong configuration is an [`Error`].
pub fn run(arguments: Arguments) -> anyhow::Result<()> {
    telemetry::init(arguments.log_format, &arguments.log).map_err(Error::Log)?;
    let command = arguments.command;
    let config = arguments.resolve(|name| std::env::var(name).ok())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("starting the runtime failed")?;
    match command {
        Some(Command::Release { apply }) => runtime.block_on(release(&config, apply)),
        None => runtime.block_on(serve(config)),
    }
}

async fn connect(config: &Config, calls: lattice_client::Metrics) -> Lattice {
    let options = lattice_client::Options {
        region: Some(config.site.region.clone()),
        endpoint: config.endpoint.clone(),
        neighbours: config.neighbours.clone(),
        ..lattice_client::Options::default()
    };
    Lattice::connect(options, calls).await
}

/// Gives back what is Lath's, or says what would be given back.
async fn release(config: &Config, apply: bool) -> anyhow::Result<()> {
    let client = connect(config, lattice_client::Metrics::unregistered()).await;
    let manager = config
        .takeover
        .as_ref()
        .map_or_else(|| takeover::manager_of(&config.site), |settings| settings.manager.clone());
    let plan = takeover::release::plan(&client, &config.site, &manager)
        .await
        .context("finding what can be given back failed")?;
    let mut out = std::io::stdout().lock();
    for release in &plan {
        writeln!(out, "{release}")?;
    }
    if !apply {
        writeln!(
            out,
            "Nothing was changed. To do this, so that the AWS controller {manager} goes on: stop Lath's controller and agents, \
             then add --apply"
        )?;
        return Ok(());
    }
    takeover::release::perform(&client, &plan)
        .await
        .context("giving back failed on the way: repeat it, and it goes on with what is left")?;
    writeln!(out, "Done. The AWS controller {manager} goes on with what was given back")?;
    Ok(())
}

/// Registers everything that `/metrics` shows: calls to VPC Lattice, whether this controller leads, and the pipelines'.
fn register(registry: &mut Registry) -> (lattice_client::Metrics, Gauge, Metrics) {
    registry.register_collector(Box::new(runtime::process::Process));
    let calls = lattice_client::Metrics::register(registry);
    calls.expect(lattice_client::Operation::ALL);
    let own = registry.sub_registry_with_prefix("lath_controller");
    let leading = Gauge::default();
    own.register("leader", "1 while this controller acts, 0 while it stands by", leading.clone());
    let quotas = quotas::Metrics::register(own);
    let metrics = Metrics {
        cluster: cluster::metrics::Metrics::register(own),
        gateway: gateway::metrics::Metrics::register(own, &quotas),
        bindings: bindings::metrics::Metrics::register(own),
        health: health::metrics::Metrics::register(own),
        repair: repair::metrics::Metrics::register(own, quotas.clone()),
        webhook: webhook::metrics::Metrics::register(own),
        quotas,
    };
    (calls, leading, metrics)
}

async fn serve(config: Config) -> anyhow::Result<()> {
    let shutdown = shutdown::on_signal().context("installing signal handlers failed")?;
    let kubernetes = connection::clients().await.map_err(Error::from)?;
    let namespace = config.namespace.clone().unwrap_or_else(|| kubernetes.namespace.clone());

    let mut registry = Registry::default();
    let (calls, leading, metrics) = register(&mut registry);
    for (quota, is) in &config.raised_quotas {
        metrics.quotas.set(*quota, *is);
    }
    let lattice = connect(&config, calls).await;

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
    let links =
        Links { watches: kubernetes.watches, kubernetes: kubernetes.requests, lattice, metrics, readiness };
    let webhook = inject(&config, &links, &namespace, &shutdown).await?;
    reign(&config, &links, &namespace, &leading, &shutdown).await;
    if let Some(webhook) = webhook {
        webhook.finished().await;
    }
    Ok(())
}

/// Starts the webhook, if there is to be one. It serves whether this controller leads or not.
async fn inject(
    config: &Config,
    links: &Links,
    namespace: &str,
    shutdown: &CancellationToken,
) -> anyhow::Result<Option<webhook::Running>> {
    let Some(settings) = &config.webhook else { return Ok(None) };
    let links = webhook::Links {
        watches: links.watches.clone(),
        kubernetes: links.kubernetes.clone(),
        cluster: links.metrics.cluster.for_other_watches(),
        metrics: links.metrics.webhook.clone(),
        readiness: links.readiness.clone(),
    };
    let running = webhook::start(settings, namespace, links, shutdown.clone()).await;
    running.map(Some).context("starting the admission webhook failed")
}

/// Stands for election again and again, and leads while elected, until `shutdown`.
async fn reign(
    config: &Config,
    links: &Links,
    namespace: &str,
    leading: &Gauge,
    shutdown: &CancellationToken,
) {
    if !config.leader_elect {
        leading.set(1);
        let _pipelines = pipelines::start(config, namespace, links);
        shutdown.cancelled().await;
        return;
    }
    let mut candidate = Candidate::new(links.kubernetes.clone(), namespace, &config.name);
    loop {
        let mut tenure = tokio::select! {
            tenure = candidate.acquire() => tenure,
            () = shutdown.cancelled() => return,
        };
        leading.set(1);
        let mut pipelines = pipelines::start(config, namespace, links);
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
