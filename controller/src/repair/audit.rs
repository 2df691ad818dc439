//! Reads whole groups in turn, and mends what two reads agree on.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use lath_kubernetes::standing::Standing;
use lattice::{Target, TargetGroupArn, TargetState, batch, limits::PAGE_ITEMS};
use lattice_client::{Client, Error, Urgency};
use tokio::{sync::mpsc, time::Instant};

use super::{
    Settings,
    calls::Calls,
    endpoints,
    ledger::{Difference, Expected, Ledger, Times},
    metrics::{Metrics, Why},
    nodes,
    own::Own,
    proof::{self, Evidence, Fate, Fresh, Place},
};
use crate::{
    cluster::Cluster,
    groups::Groups,
    health::{looks::Share, read::Listing},
    shared::Shared,
};

/// How often it is looked whether a group is due. Audits are no matter of milliseconds.
const TICK: Duration = Duration::from_millis(500);

/// Audits groups.
#[derive(Debug)]
pub struct Auditor {
    /// What is known of the cluster.
    pub cluster: Arc<Shared<Cluster>>,
    /// What is known of groups.
    pub groups: Arc<Shared<Groups>>,
    /// Reads Lattice.
    pub client: Client,
    /// Changes it.
    pub calls: Calls,
    /// Reads the API server's store.
    pub fresh: Fresh,
    /// What the controller has registered by itself.
    pub own: Arc<Shared<Own>>,
    /// What hand-made endpoints have to fit.
    pub rules: Arc<endpoints::Rules>,
    /// How repairs are made.
    pub settings: Settings,
    /// Who decides gates, and gets every listing.
    pub listings: mpsc::Sender<Listing>,
    /// What it finds.
    pub metrics: Metrics,
}

/// Picks the group to audit next: never audited ones first, then the longest unaudited.
fn next(
    wanted: &BTreeSet<TargetGroupArn>,
    tried: &BTreeMap<TargetGroupArn, Instant>,
    period: Duration,
    now: Instant,
) -> Option<TargetGroupArn> {
    wanted
        .iter()
        .filter(|group| tried.get(group).is_none_or(|tried| now - *tried >= period))
        .min_by_key(|group| tried.get(group).copied())
        .cloned()
}

impl Auditor {
    /// Audits for ever.
    pub async fn run(self) {
        let mut ledger = Ledger::default();
        let mut tried: BTreeMap<TargetGroupArn, Instant> = BTreeMap::new();
        let began = Instant::now();
        let mut share = Share::new(self.settings.calls_per_second, began);
        let mut first_seen: BTreeMap<TargetGroupArn, Instant> = BTreeMap::new();
        loop {
            tokio::time::sleep(TICK).await;
            let now = Instant::now();
            let wanted = self.bound();
            ledger.keep(&wanted);
            tried.retain(|group, _| wanted.contains(group));
            first_seen.retain(|group, _| wanted.contains(group));
            for group in &wanted {
                first_seen.entry(group.clone()).or_insert(now);
            }
            self.metrics.staleness(self.worst_staleness(&first_seen, now));
            for (group, targets) in ledger.due(now) {
                self.revisit(&mut ledger, &group, &targets, &mut share).await;
            }
            while let Some(group) = next(&wanted, &tried, self.settings.period, Instant::now()) {
                if share.take(Instant::now()).is_err() {
                    break;
                }
                tried.insert(group.clone(), Instant::now());
                self.audit(&mut ledger, &group, &mut share).await;
            }
        }
    }

    /// The groups that are known and that bindings name.
    fn bound(&self) -> BTreeSet<TargetGroupArn> {
        let cluster = self.cluster.read();
        if !cluster.complete() {
            return BTreeSet::new();
        }
        let groups = self.groups.read();
        let bound = cluster.bindings().filter_map(|(_, entry)| entry.group.clone());
        bound.filter(|group| groups.facts(group).is_some()).collect()
    }

    fn worst_staleness(&self, first_seen: &BTreeMap<TargetGroupArn, Instant>, now: Instant) -> f64 {
        let groups = self.groups.read();
        first_seen
            .iter()
            .map(|(group, seen)| {
                let audited = groups.view(group).and_then(|view| view.audited);
                now.saturating_duration_since(audited.unwrap_or(*seen)).as_secs_f64()
            })
            .fold(0.0, f64::max)
    }

    async fn audit(&self, ledger: &mut Ledger, group: &TargetGroupArn, share: &mut Share) {
        let asked = Instant::now();
        let states = match self.client.states(group, Urgency::Observe).await {
            Ok(states) => states,
            Err(error) => return self.failed(group, &error),
        };
        self.metrics.audited(true);
        // The pages after the first count as well. They have been read, so later groups wait for them.
        for _ in 1..=states.len() / usize::try_from(PAGE_ITEMS).unwrap_or(usize::MAX) {
            let _spent = share.take(Instant::now());
        }
        self.groups.update(|groups| groups.audited(group, &states, asked));
        let states = Arc::new(states);
        let listing = Listing { group: group.clone(), states: states.clone(), asked };
        // Whoever decides gates asks for itself what it can't get here.
        drop(self.listings.try_send(listing));
        self.compare(ledger, group, &states, None, asked).await;
    }

    async fn revisit(
        &self,
        ledger: &mut Ledger,
        group: &TargetGroupArn,
        targets: &[Target],
        share: &mut Share,
    ) {
        for filter in batch::filters(targets) {
            let _spent = share.take(Instant::now());
            let asked = Instant::now();
            match self.client.states_of(group, filter, Urgency::Observe).await {
                Ok(states) => {
                    let scope = filter.iter().copied().collect();
                    self.compare(ledger, group, &states, Some(&scope), asked).await;
                }
                Err(error) => return self.failed(group, &error),
            }
        }
    }

    fn failed(&self, group: &TargetGroupArn, error: &Error) {
        self.metrics.audited(false);
        tracing::debug!(%group, error = error.chain(), "auditing a target group failed and is tried again");
        if matches!(error, Error::Missing { .. }) {
            let now = Instant::now();
            self.groups.update(|groups| groups.doubt(group, true, now));
        }
    }

    async fn compare(
        &self,
        ledger: &mut Ledger,
        group: &TargetGroupArn,
        states: &[TargetState],
        scope: Option<&BTreeSet<Target>>,
        asked: Instant,
    ) {
        let times = Times { confirm_after: self.settings.confirm_after, drain: self.settings.drain };
        let agreed = {
            let cluster = self.cluster.read();
            self.own.update(|own| own.hand_over(&cluster));
            let roll = nodes::roll(&cluster, &self.settings, Instant::now());
            let expected = Expected::of(&cluster, &roll, &self.own.read(), group, &self.rules);
            ledger.compare(group, &expected, states, scope, asked, times)
        };
        let mut missing = Vec::new();
        let mut strays = Vec::new();
        for difference in agreed {
            match &difference {
                Difference::Missing { target, pod } => {
                    self.metrics.difference("missing");
                    if self.still_wanted(group, &difference).await {
                        // Remembered before it is done, so that it can be taken out whatever comes of the call.
                        if let Some((name, uid)) = pod {
                            self.own.update(|own| own.remember(group, *target, name, uid));
                        }
                        missing.push(*target);
                    }
                }
                Difference::Stray { target, .. } => {
                    self.metrics.difference("stray");
                    if self.proven_stray(group, &difference).await {
                        strays.push(*target);
                    } else {
                        self.metrics.withheld();
                    }
                }
            }
        }
        if !missing.is_empty() {
            self.calls.register(group, &missing, Why::Drift).await;
        }
        if !strays.is_empty() {
            let done = self.calls.deregister(group, &strays, Why::Drift).await;
            self.own.update(|own| own.forget(group, &done));
        }
    }

    /// Whether the pod that lacks its target is still there and ready, by a fresh read.
    async fn still_wanted(&self, group: &TargetGroupArn, difference: &Difference) -> bool {
        let Difference::Missing { target, pod } = difference else {
            return false;
        };
        let Some((name, uid)) = pod else {
            return true;
        };
        match self.fresh.pod(name, uid).await {
            Ok(Some(pod)) => {
                let cluster = self.cluster.read();
                cluster
                    .bindings_of(group)
                    .filter(|entry| entry.binding.accepted())
                    .any(|entry| cluster.standing(&entry.binding, &pod) == Some(Standing::Ready(*target)))
            }
            Ok(None) => false,
            Err(error) => {
                tracing::debug!(pod = %name, %error, "a pod can't be read, its target is not registered for now");
                false
            }
        }
    }

    /// Whether nobody has a right to the target, by fresh reads.
    async fn proven_stray(&self, group: &TargetGroupArn, difference: &Difference) -> bool {
        let Difference::Stray { target, record } = difference else {
            return false;
        };
        let evidence = async {
            let fate = match record {
                Some(record) => self.fresh.fate(&record.pod, &record.uid, target.address).await?,
                None => Fate::Gone,
            };
            let node_gone = match record {
                Some(record) if fate != Fate::Gone => self.fresh.node_gone(&record.node).await?,
                _ => false,
            };
            let pods = self.fresh.pods_at(target.address).await?;
            let uid = record.as_ref().map(|record| record.uid.as_str());
            let claimed_by = proof::claimant(&self.cluster.read(), group, *target, uid, &pods);
            Ok::<_, kube::Error>(Evidence {
                node_gone,
                rebooted: false,
                agentless: false,
                fate,
                place: Place::Bound,
                claimed_by,
            })
        };
        match evidence.await {
            Ok(evidence) => {
                let proven = proof::proves(&evidence);
                if !proven {
                    tracing::info!(%group, %target, ?evidence, "a target looks stray and is left in for want of proof");
                }
                proven
            }
            Err(error) => {
                tracing::debug!(%group, %target, %error, "the API server does not answer, a stray target is left in");
                false
            }
        }
    }
}

#[cfg(test)]
mod tests;
