//! Taking over from the AWS Gateway API Controller, in place: what it has made and is wanted now is given Lath's tags, and the
//! engine finds it as its own. Nothing is made, changed or deleted for that but tags.
//!
//! ```text
//! compose ── Desired ──► takeover ──► engine
//!                         ▲    │ find (reads), matching (pure), apply (tags)
//!                    gate ┘    ▼
//!        is that controller    VPC Lattice
//!        away?
//! ```
//!
//! As long as that controller may act, what belongs to Gateways of its classes stays as it is. Whoever dies on the way begins
//! anew: a service gets its tags last, so that what is not taken yet is found again by those that it still has.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use lattice::{
    Tags, names,
    service::{Desired, GroupKey, Owner},
};
use lattice_client::{Client, Error};
use tokio::{sync::watch, time::Instant};

use super::engine::Progress;
use crate::{bindings::judge::Site, cluster::Cluster, shared::Shared};

mod apply;
mod find;
pub mod gate;
pub mod inherited;
mod matching;
pub mod metrics;
pub mod release;
#[cfg(test)]
mod tests;

pub use metrics::Metrics;

/// The first wait after a failure, and the longest.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

/// Most leftovers that are named in the log one by one.
const MOST_NAMED: usize = 50;

/// From whom is taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Its value of the tag `ManagedBy`: `<account>/<cluster>/<vpc>`.
    pub manager: String,
    /// Selectors of its pods: while there is one of any, it may act.
    pub pods: Vec<String>,
}

/// How far the take-over is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum State {
    /// There is none.
    #[default]
    Off,
    /// Nothing is done at Gateways of the AWS controller's classes, for this reason.
    Waiting(String),
    /// What is wanted of what that controller made is Lath's.
    Over,
}

impl State {
    /// Whether objects of the AWS controller's classes are Lath's to write.
    #[must_use]
    pub fn is_over(&self) -> bool {
        *self == Self::Over
    }
}

/// The manager that the AWS controller of this cluster writes into its tags.
#[must_use]
pub fn manager_of(site: &Site) -> String {
    format!("{}/{}/{}", site.account, site.cluster, site.vpc)
}

/// What a take-over is connected to.
#[derive(Debug)]
pub struct Links {
    /// VPC Lattice.
    pub client: Client,
    /// Where this cluster is.
    pub site: Arc<Site>,
    /// The cluster, for its Services and pods.
    pub cluster: Arc<Shared<Cluster>>,
    /// Whether resources are found by the Resource Groups Tagging API.
    pub tagging: bool,
    /// From whom; `None`: from nobody but those that routes name.
    pub settings: Option<Settings>,
    /// Whether that controller is away: `None`, or why that is not known.
    pub gate: watch::Receiver<Option<String>>,
    /// How far the engine is.
    pub progress: Arc<Shared<Progress>>,
    /// How far the take-over is.
    pub state: watch::Sender<State>,
    /// What it does.
    pub metrics: Metrics,
}

/// Passes on what is wanted, from `wanted` to the engine, after what is there already has been taken over. For ever.
pub async fn run(
    links: Links,
    wanted: watch::Receiver<Option<Arc<Desired>>>,
    engine: watch::Sender<Option<Arc<Desired>>>,
) {
    Taker {
        links,
        found: None,
        offered: BTreeSet::new(),
        settled: BTreeMap::new(),
        taken: BTreeMap::new(),
        failures: 0,
    }
    .run(wanted, engine)
    .await;
}

struct Taker {
    links: Links,
    /// What the AWS controller has made and nobody has taken yet.
    found: Option<find::Found>,
    /// Owners that the engine was given.
    offered: BTreeSet<Owner>,
    /// Owners whose permission to take over has been gone by, and from whom that was.
    settled: BTreeMap<Owner, String>,
    /// What was taken since the start.
    taken: BTreeMap<String, Tags>,
    /// Failures in a row.
    failures: u32,
}

impl Taker {
    async fn run(
        mut self,
        mut wanted: watch::Receiver<Option<Arc<Desired>>>,
        engine: watch::Sender<Option<Arc<Desired>>>,
    ) {
        let mut gate = self.links.gate.clone();
        loop {
            let desired = wanted.borrow_and_update().clone();
            gate.borrow_and_update();
            let mut again = None;
            if let Some(desired) = desired {
                let ready = self.prepare(&desired).await;
                engine.send_replace(Some(ready));
                let wait = FIRST.saturating_mul(1 << self.failures.min(10)).min(LONGEST);
                again = (self.failures > 0).then(|| Instant::now() + wait);
            }
            let idle = async {
                match again {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                changed = wanted.changed() => if changed.is_err() { return },
                changed = gate.changed() => if changed.is_err() {
                    // Whoever looks after the gate has gone, and with it the whole pipeline.
                    return;
                },
                () = idle => {}
            }
        }
    }

    /// Takes over what can be, and gives what the engine may bring about now.
    async fn prepare(&mut self, desired: &Arc<Desired>) -> Arc<Desired> {
        let shut = self.links.gate.borrow().clone();
        let settings = self.links.settings.clone();
        let mut incomplete = false;
        let mut held = match (&settings, shut) {
            (Some(_), Some(reason)) => {
                self.tell(State::Waiting(reason));
                Some(desired.inherited.clone())
            }
            (Some(settings), None) => match self.inherit(settings, desired).await {
                Ok((held, complete)) => {
                    self.tell(State::Over);
                    incomplete = !complete;
                    (!held.is_empty()).then_some(held)
                }
                Err(error) => {
                    let reason = format!("reading what the AWS controller has made fails: {}", error.chain());
                    tracing::warn!(error = error.chain(), "the take-over fails and is tried again");
                    self.tell(State::Waiting(reason));
                    incomplete = true;
                    Some(desired.inherited.clone())
                }
            },
            (None, _) => None,
        };
        let waits = matches!(*self.links.state.borrow(), State::Waiting(_));
        let allowed = self.take_allowed(desired).await;
        let failed = incomplete || !allowed.is_empty();
        self.failures = if failed { self.failures.saturating_add(1) } else { 0 };
        held.get_or_insert_default().extend(allowed);
        let held = held.unwrap_or_default();
        if settings.is_some() {
            let offered = desired.services.keys().filter(|owner| !held.contains(*owner));
            self.offered = offered.cloned().collect();
        }
        if !self.taken.is_empty() {
            let wanted: BTreeSet<String> =
                desired.services.keys().chain(&desired.held).map(names::owner_tag).collect();
            self.taken
                .retain(|_, tags| tags.get(lattice::tags::OWNER).is_some_and(|tag| wanted.contains(tag)));
        }
        if held.is_empty() && !waits && self.taken.is_empty() {
            return desired.clone();
        }
        let mut ready = hold(desired, &held, waits);
        ready.taken.clone_from(&self.taken);
        Arc::new(ready)
    }

    /// Takes over what the AWS controller has made and is wanted now. Gives the owners for which that has failed, and
    /// whether nothing has.
    async fn inherit(
        &mut self,
        settings: &Settings,
        desired: &Desired,
    ) -> Result<(BTreeSet<Owner>, bool), Error> {
        let fresh = |owner: &Owner| !self.offered.contains(owner);
        let links = &self.links;
        let mut found = match self.found.take() {
            Some(found) => found,
            None => find::find(&links.client, &links.site, links.tagging, &settings.manager, desired).await?,
        };
        self.taken.append(&mut found.ours);
        let plan = {
            let cluster = links.cluster.read();
            let fits = |key: &lattice::service::ServiceGroupKey, targets: &[lattice::Target]| {
                matching::fits(&cluster, key, targets)
            };
            matching::plan(desired, &found, &settings.manager, &fresh, &fits)
        };
        let first = self.offered.is_empty();
        let outcome = apply::apply(&links.client, &links.site, &settings.manager, &plan).await;
        links.metrics.took(&outcome);
        let left = found.without(&outcome.done);
        links.metrics.left(left.services.len(), left.groups.len());
        if first {
            report_left(&left);
        }
        self.taken.extend(outcome.taken);
        // What could not be taken may be otherwise by now.
        let complete = outcome.failed.is_empty() && !outcome.incomplete;
        self.found = complete.then_some(left);
        Ok((outcome.failed, complete))
    }

    /// Takes over the services that routes name somebody else's cluster for. Gives the owners for which that has failed.
    async fn take_allowed(&mut self, desired: &Desired) -> BTreeSet<Owner> {
        self.settled.retain(|owner, from| desired.allowed.get(owner) == Some(from));
        let links = &self.links;
        let waits = matches!(*links.state.borrow(), State::Waiting(_));
        let open: BTreeMap<&Owner, &String> = {
            let progress = links.progress.read();
            let there =
                |owner: &Owner| progress.services.get(owner).is_some_and(|service| service.service.is_some());
            desired
                .allowed
                .iter()
                .filter(|(owner, _)| desired.services.contains_key(*owner) && !there(owner))
                .filter(|(owner, from)| self.settled.get(*owner) != Some(from))
                .filter(|(owner, _)| !(waits && desired.inherited.contains(*owner)))
                .collect()
        };
        let mut failed = BTreeSet::new();
        for (owner, from) in open {
            let Some(spec) = desired.services.get(owner) else { continue };
            match apply::take_named(&links.client, &links.site, from, spec).await {
                Ok(taken) => {
                    if let Some((arn, tags)) = taken {
                        tracing::info!(owner, arn, from, "took a service over, as its route allows");
                        links.metrics.took_allowed();
                        self.taken.insert(arn, tags);
                    }
                    self.settled.insert(owner.clone(), from.clone());
                }
                Err(error) => {
                    tracing::warn!(
                        owner,
                        from,
                        error = error.chain(),
                        "taking a service over, as its route allows, fails and is tried again"
                    );
                    failed.insert(owner.clone());
                }
            }
        }
        failed
    }

    fn tell(&self, state: State) {
        self.links.metrics.state(&state);
        let changed = self.links.state.send_if_modified(|now| {
            let changed = *now != state;
            now.clone_from(&state);
            changed
        });
        if changed {
            match state {
                State::Off => {}
                State::Waiting(reason) => tracing::info!(reason, "the take-over waits"),
                State::Over => tracing::info!("what the AWS controller has made and is wanted now is Lath's"),
            }
        }
    }
}

/// Names what is left alone.
fn report_left(left: &find::Found) {
    let services = left.services.iter().map(|service| service.arn.as_str());
    let groups = left.groups.iter().map(|group| group.group.arn.as_str());
    for arn in services.chain(groups).take(MOST_NAMED) {
        tracing::warn!(
            arn,
            "this was made by the AWS controller, matches nothing that is wanted and is left alone"
        );
    }
}

/// What the engine may bring about while the services of some owners stay as they are: with `networks`, so do the
/// service networks of the Gateways that wait.
fn hold(desired: &Desired, owners: &BTreeSet<Owner>, networks: bool) -> Desired {
    let mut ready = desired.clone();
    ready.services.retain(|owner, _| !owners.contains(owner));
    ready.groups.retain(|key, _| match key {
        GroupKey::Service(key) => !owners.contains(&key.owner),
        GroupKey::Declared(key) => !owners.contains(&key.owner),
        GroupKey::External(_) | GroupKey::Imported(_) => true,
    });
    ready.held.extend(owners.iter().cloned());
    if networks {
        ready.networks.retain(|name, _| !desired.inherited_networks.contains(name));
        ready.spared_networks.extend(desired.inherited_networks.iter().cloned());
    }
    ready
}
