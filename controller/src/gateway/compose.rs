//! Translates whenever objects change, and publishes what comes out.

use std::{sync::Arc, time::Duration};

use lattice::service::Desired;
use tokio::sync::watch;

use super::{
    discovery::Discovered,
    metrics::Metrics,
    objects::Objects,
    translate::{self, Certificates, Outcome, World},
};
use crate::{bindings::judge::Site, cluster::Cluster, shared::Shared};

/// How long changes are collected before they are translated: what is applied together is called together.
const COLLECT: Duration = Duration::from_millis(20);

/// What objects come to, and which version of them.
#[derive(Debug, Default)]
pub struct Published {
    /// The revision of the objects that were translated; 0 before any were.
    pub objects: u64,
    /// The version of what VPC Lattice should hold, which the engine has been given.
    pub version: u64,
    /// What is said of them.
    pub outcome: Outcome,
}

/// What a translation is made from, and where it goes.
#[derive(Debug)]
pub struct Composer {
    /// Gateway API's objects.
    pub objects: Arc<Shared<Objects>>,
    /// The cluster, for its Services.
    pub cluster: Arc<Shared<Cluster>>,
    /// Where this controller is.
    pub site: Arc<Site>,
    /// The names of the controllers whose classes are served.
    pub controllers: Vec<&'static str>,
    /// The service network that is made if there is none of this name.
    pub default_network: Option<String>,
    /// ACM's certificates.
    pub certificates: watch::Receiver<Certificates>,
    /// What is known of services of Cloud Map.
    pub discovered: watch::Receiver<Arc<Discovered>>,
    /// What objects come to.
    pub published: watch::Sender<Arc<Published>>,
    /// What VPC Lattice should hold, for the engine.
    pub desired: watch::Sender<Option<Arc<Desired>>>,
    /// What it does.
    pub metrics: Metrics,
}

impl Composer {
    /// Translates, for ever.
    pub async fn run(mut self) {
        let mut object_changes = self.objects.subscribe();
        let mut cluster_changes = self.cluster.subscribe();
        let mut last = None;
        loop {
            object_changes.borrow_and_update();
            cluster_changes.borrow_and_update();
            let fresh = self.certificates.has_changed().unwrap_or(false)
                || self.discovered.has_changed().unwrap_or(false);
            let certificates = self.certificates.borrow_and_update().clone();
            let discovered = self.discovered.borrow_and_update().clone();
            let seen = {
                let (objects, cluster) = (self.objects.read(), self.cluster.read());
                (objects.complete() && cluster.complete())
                    .then(|| (objects.respecified(), cluster.services_changed()))
            };
            if let Some(seen) = seen
                && (fresh || last != Some(seen))
            {
                last = Some(seen);
                self.translate(&certificates, &discovered);
            }
            tokio::select! {
                changed = object_changes.changed() => if changed.is_err() { return },
                changed = cluster_changes.changed() => if changed.is_err() { return },
                changed = self.certificates.changed() => if changed.is_err() { return } else {
                    self.certificates.mark_changed();
                },
                changed = self.discovered.changed() => if changed.is_err() { return } else {
                    self.discovered.mark_changed();
                },
            }
            tokio::time::sleep(COLLECT).await;
        }
    }

    fn translate(&self, certificates: &Certificates, discovered: &Discovered) {
        let (objects, cluster) = (self.objects.read(), self.cluster.read());
        let started = tokio::time::Instant::now();
        let mut outcome = translate::translate(&World {
            objects: &objects,
            service: &|name| cluster.service(name),
            site: &self.site,
            controllers: &self.controllers,
            default_network: self.default_network.as_deref(),
            certificates,
            discovered,
        });
        self.metrics.translated(&outcome, started.elapsed());
        let version = self.desired.borrow().as_ref().map_or(0, |desired| desired.version) + 1;
        // The engine alone holds it, since it is the largest part.
        let desired = Arc::new(Desired { version, ..std::mem::take(&mut outcome.desired) });
        let objects = objects.respecified();
        self.published.send_replace(Arc::new(Published { objects, version, outcome }));
        self.desired.send_replace(Some(desired));
    }
}
