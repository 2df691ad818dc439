//! The pipelines of a leading controller, and how they are joined.

use std::{fmt, sync::Arc};

use lath_kubernetes::names;
use lattice_client::Client as Lattice;
use runtime::readiness::Readiness;
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::Instant,
};

use crate::{
    bindings,
    cluster::{self, Cluster, feed},
    config::Config,
    events::Events,
    gateway::{
        self,
        compose::Published,
        discovery::Discovered,
        engine,
        objects::Objects,
        takeover::{
            State,
            gate::{Gate, UNKNOWN},
        },
        translate::Certificates,
    },
    groups::{self, Groups},
    health::{self, read::Channels, watchman::Watchman},
    quotas, repair,
    shared::Shared,
    webhook,
};

/// Conditions of gates on their way to the API server. More wait for their turn where they are decided.
const GATE_WRITES: usize = 256;

/// Listings on their way to whoever decides gates. One that finds no room is dropped: it is read anew.
const LISTINGS: usize = 16;

/// What the pipelines are connected to.
#[derive(Clone)]
pub struct Links {
    /// Kubernetes, for watches.
    pub watches: kube::Client,
    /// Kubernetes, for everything else.
    pub kubernetes: kube::Client,
    /// VPC Lattice.
    pub lattice: Lattice,
    /// What `/metrics` shows.
    pub metrics: Metrics,
    /// What `/readyz` shows.
    pub readiness: Readiness,
}

impl fmt::Debug for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Links").finish_non_exhaustive()
    }
}

/// Every pipeline's metrics.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "each is named after its pipeline")]
pub struct Metrics {
    pub cluster: cluster::metrics::Metrics,
    pub gateway: gateway::metrics::Metrics,
    pub bindings: bindings::metrics::Metrics,
    pub health: health::metrics::Metrics,
    pub repair: repair::metrics::Metrics,
    pub quotas: quotas::Metrics,
    pub webhook: webhook::metrics::Metrics,
}

/// Starts every pipeline on fresh stores: what a former leader knew is not relied on. `namespace` is the Leases'.
/// Dropping the result ends them.
#[must_use]
pub fn start(config: &Config, namespace: &str, links: &Links) -> JoinSet<()> {
    let site = Arc::new(config.site.clone());
    let kube = &links.kubernetes;
    let scope = feed::Scope { lease_namespace: namespace.into(), slices: config.site.manual_endpoints };
    let cluster: Arc<Shared<Cluster>> = Arc::new(Shared::new(Cluster::default()));
    let groups = Arc::new(Shared::new(Groups::new(config.group_refresh)));
    let events = Events::new(kube.clone(), &config.name);
    let (gate_writes, decided) = mpsc::channel(GATE_WRITES);
    let (wrote, written) = mpsc::channel(GATE_WRITES);
    let (listed, listings) = mpsc::channel(LISTINGS);

    let mut tasks = JoinSet::new();
    tasks.spawn(feed::run(
        feed::updates(&links.watches, &scope),
        cluster.clone(),
        links.metrics.cluster.clone(),
    ));
    gateway(&mut tasks, config, links, &cluster, &groups, &events);
    tasks.spawn(groups::read::run(cluster.clone(), groups.clone(), links.lattice.clone(), site.clone()));
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
        links.readiness.clone(),
        links.metrics.bindings.clone(),
    ));
    tasks.spawn(health::write::run(kube.clone(), events.clone(), decided, wrote));
    tasks.spawn(health::read::run(
        Watchman::new(config.gates.clone(), Instant::now()),
        cluster.clone(),
        groups.clone(),
        links.lattice.clone(),
        Channels { writes: gate_writes, written, listings },
        links.metrics.health.clone(),
    ));

    let rules = Arc::new(config.endpoints.clone());
    let calls = repair::calls::Calls::new(links.lattice.clone(), links.metrics.repair.clone());
    let records = repair::records::Records::new(kube.clone());
    let fresh = repair::proof::Fresh::new(kube.clone());
    let handle = repair::nodes::Kube(kube.clone());
    let auditor = repair::audit::Auditor {
        cluster: cluster.clone(),
        groups: groups.clone(),
        client: links.lattice.clone(),
        calls: calls.clone(),
        fresh: fresh.clone(),
        records: records.clone(),
        rules: rules.clone(),
        settings: config.repair.clone(),
        listings: listed,
        metrics: links.metrics.repair.clone(),
    };
    tasks.spawn(auditor.run());
    let warden = repair::nodes::Warden {
        cluster: cluster.clone(),
        calls: calls.clone(),
        fresh,
        records,
        kube: handle.clone(),
        namespace: namespace.into(),
        events: events.clone(),
        settings: config.repair.clone(),
        metrics: links.metrics.repair.clone(),
    };
    tasks.spawn(warden.run());
    let undertaker = repair::finalizers::Undertaker {
        cluster: cluster.clone(),
        groups,
        calls: calls.clone(),
        kube: handle.clone(),
        events,
        settings: config.repair.clone(),
        metrics: links.metrics.repair.clone(),
    };
    tasks.spawn(undertaker.run());
    if rules.allowed {
        let registrar = repair::slices::Registrar { cluster, calls, kube: handle, rules };
        tasks.spawn(registrar.run());
    }
    tasks
}

/// Starts looking for what objects name of ACM and Cloud Map.
fn neighbours(
    tasks: &mut JoinSet<()>,
    links: &Links,
    published: &watch::Sender<Arc<Published>>,
) -> (watch::Receiver<Certificates>, watch::Receiver<Arc<Discovered>>) {
    let (certificates, found) = watch::channel(Certificates::default());
    tasks.spawn(gateway::certificates::run(links.lattice.clone(), published.subscribe(), certificates));
    let (discovered, instances) = watch::channel(Arc::default());
    tasks.spawn(gateway::discovery::run(
        links.lattice.clone(),
        published.subscribe(),
        discovered,
        links.metrics.gateway.discovery.clone(),
    ));
    (found, instances)
}

/// Starts the pipeline from Gateway API to VPC Lattice.
fn gateway(
    tasks: &mut JoinSet<()>,
    config: &Config,
    links: &Links,
    cluster: &Arc<Shared<Cluster>>,
    groups: &Arc<Shared<Groups>>,
    events: &Events,
) {
    let site = Arc::new(config.site.clone());
    let metrics = &links.metrics.gateway;
    let objects: Arc<Shared<Objects>> = Arc::default();
    let progress: Arc<Shared<engine::Progress>> = Arc::default();
    let published = watch::Sender::new(Arc::new(Published::default()));
    let (desired, wanted) = watch::channel(None);
    let (ready, prepared) = watch::channel(None);
    let controllers = match &config.takeover {
        Some(_) => vec![names::GATEWAY_CONTROLLER, names::AWS_GATEWAY_CONTROLLER],
        None => vec![names::GATEWAY_CONTROLLER],
    };
    let (state, takeover) = watch::channel(State::Off);
    let (reason, gate) = watch::channel(config.takeover.as_ref().map(|_| UNKNOWN.to_owned()));
    match config.takeover.clone() {
        Some(settings) => {
            let gate = Gate {
                client: links.kubernetes.clone(),
                settings,
                objects: objects.clone(),
                events: events.clone(),
                state: takeover.clone(),
                reason,
                metrics: metrics.takeover.clone(),
            };
            tasks.spawn(gate.run());
        }
        // Nobody opens it, and it stays.
        None => drop(tasks.spawn(async move {
            reason.closed().await;
        })),
    }
    let taker = gateway::takeover::Links {
        client: links.lattice.clone(),
        site: site.clone(),
        cluster: cluster.clone(),
        tagging: config.engine.tagging,
        settings: config.takeover.clone(),
        gate,
        progress: progress.clone(),
        state,
        metrics: metrics.takeover.clone(),
    };
    tasks.spawn(gateway::takeover::run(taker, wanted, ready));
    let notes: Arc<Shared<gateway::directories::Notes>> = Arc::default();
    let filler = gateway::directories::Filler {
        cluster: cluster.clone(),
        progress: progress.clone(),
        desired: prepared.clone(),
        client: links.lattice.clone(),
        audit_period: config.engine.audit_period,
        notes: notes.clone(),
        metrics: metrics.directories.clone(),
    };
    tasks.spawn(filler.run());
    tasks.spawn(gateway::feed::run(
        gateway::feed::updates(&links.watches),
        objects.clone(),
        links.metrics.cluster.clone(),
    ));
    let (certificates, discovered) = neighbours(tasks, links, &published);
    let writer = gateway::write::Writer {
        client: links.kubernetes.clone(),
        objects: objects.clone(),
        published: published.subscribe(),
        progress: progress.clone(),
        notes,
        controllers: controllers.clone(),
        takeover,
        events: events.clone(),
        metrics: metrics.clone(),
    };
    tasks.spawn(writer.run());
    let composer = gateway::compose::Composer {
        objects,
        cluster: cluster.clone(),
        site: site.clone(),
        controllers,
        default_network: config.default_network.clone(),
        certificates,
        discovered,
        published,
        desired,
        metrics: metrics.clone(),
    };
    tasks.spawn(composer.run());
    tasks.spawn(gateway::bind::run(
        links.kubernetes.clone(),
        cluster.clone(),
        progress.clone(),
        metrics.clone(),
    ));
    let engine = engine::Links {
        client: links.lattice.clone(),
        site,
        groups: groups.clone(),
        cluster: cluster.clone(),
        settings: config.engine.clone(),
        metrics: metrics.engine.clone(),
        progress,
    };
    tasks.spawn(engine::run(engine, prepared));
}
