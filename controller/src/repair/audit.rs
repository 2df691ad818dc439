//! Reads whole groups in turn, and mends what two reads agree on.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use futures::StreamExt as _;
use lath_kubernetes::{NodeTargets, node_targets::RecordState};
use lattice::{
    Target, TargetGroupArn, TargetState, batch,
    limits::{PAGE_ITEMS, TARGETS_PER_CALL},
};
use lattice_client::{Client, Error, Urgency};
use tokio::{sync::mpsc, time::Instant};

use super::{
    Settings,
    calls::Calls,
    endpoints,
    ledger::{Difference, Expected, Ledger, Times},
    metrics::{Metrics, Why},
    nodes,
    proof::{self, Evidence, Fate, Fresh, Place},
    records::Records,
    standin::{self, Held},
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
    /// Writes down what it registers.
    pub records: Records,
    /// What hand-made endpoints have to fit.
    pub rules: Arc<endpoints::Rules>,
    /// How repairs are made.
    pub settings: Settings,
    /// Who decides gates, and gets every listing.
    pub listings: mpsc::Sender<Listing>,
    /// What it finds.
    pub metrics: Metrics,
}

/// A target that has to be registered.
enum Wanted {
    /// A hand-made endpoint; its binding's status records it.
    Endpoint(Target),
    /// Its node's record has it already.
    Recorded { node: String, held: Held },
    /// Its agent has not recorded it.
    Unrecorded { node: String, held: Held },
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
            self.metrics.largest(self.largest());
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

    /// How many targets the largest group had when it was listed last. Those that drain count for the quota as well.
    fn largest(&self) -> usize {
        let groups = self.groups.read();
        let counts = groups.iter().filter_map(|(_, view)| view.counts);
        let most = counts.map(|counts| counts.total.saturating_add(counts.draining)).max();
        most.and_then(|most| usize::try_from(most).ok()).unwrap_or(0)
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
            let roll = nodes::roll(&cluster, &self.settings, Instant::now());
            let expected = Expected::of(&cluster, &roll, group, &self.rules);
            ledger.compare(group, &expected, states, scope, asked, times)
        };
        let (missing, strays): (Vec<_>, Vec<_>) =
            agreed.into_iter().partition(|difference| matches!(difference, Difference::Missing { .. }));
        self.mend_missing(group, missing).await;
        // In portions, so that no proof is old when its turn comes.
        for strays in strays.chunks(TARGETS_PER_CALL) {
            self.mend_strays(group, strays.to_vec()).await;
        }
    }

    async fn mend_missing(&self, group: &TargetGroupArn, differences: Vec<Difference>) {
        let wanted = futures::stream::iter(differences)
            .map(|difference| async move {
                self.metrics.difference("missing");
                self.still_wanted(group, &difference).await
            })
            .buffered(proof::READS_AT_ONCE);
        let mut targets = Vec::new();
        let mut known: BTreeMap<String, BTreeSet<Held>> = BTreeMap::new();
        let mut unrecorded: BTreeMap<String, BTreeSet<Held>> = BTreeMap::new();
        for wanted in wanted.filter_map(std::future::ready).collect::<Vec<Wanted>>().await {
            match wanted {
                Wanted::Endpoint(target) => targets.push(target),
                Wanted::Recorded { node, held } => drop(known.entry(node).or_default().insert(held)),
                Wanted::Unrecorded { node, held } => drop(unrecorded.entry(node).or_default().insert(held)),
            }
        }
        // Recorded before it is done, so that it can be taken out whatever comes of the call.
        let mut recorded = Vec::new();
        for (node, held) in known {
            targets.extend(held.iter().map(|held| held.target));
            recorded.push((node, None, held));
        }
        for (node, held) in unrecorded {
            match self.record(&node, &held).await {
                Ok(record) => {
                    targets.extend(held.iter().map(|held| held.target));
                    recorded.push((node, Some(record), held));
                }
                Err(error) => {
                    tracing::debug!(node, %error, "targets can't be recorded and are not registered for now");
                }
            }
        }
        let done: BTreeSet<Target> =
            self.calls.register(group, &targets, Why::Drift).await.into_iter().collect();
        for (node, record, mut held) in recorded {
            held.retain(|held| done.contains(&held.target));
            if let Err(error) = self.records.registered(&node, record, &held).await {
                tracing::warn!(node, %error, "targets were registered and could not be recorded as such");
            }
        }
    }

    /// Writes targets that are about to be registered into a node's record.
    async fn record(&self, node: &str, held: &BTreeSet<Held>) -> kube::Result<NodeTargets> {
        let current = self.records.get(node).await?;
        let spec = current.as_ref().map(|record| record.spec.clone()).unwrap_or_default();
        let states = held.iter().map(|held| (held.clone(), RecordState::Registering)).collect();
        let spec = standin::amend(&spec, &spec.boot_id, &states, &BTreeSet::new());
        self.records.write(node, current, spec).await
    }

    async fn mend_strays(&self, group: &TargetGroupArn, differences: Vec<Difference>) {
        let (found, proven) = (differences.len(), Instant::now());
        let strays = futures::stream::iter(differences)
            .map(|difference| async move {
                self.metrics.difference("stray");
                self.proven_stray(group, &difference).await.then_some(difference.target())
            })
            .buffered(proof::READS_AT_ONCE);
        let strays: Vec<Target> = strays.filter_map(std::future::ready).collect().await;
        for _ in strays.len()..found {
            self.metrics.withheld();
        }
        self.calls.deregister(group, &strays, Why::Drift, proven).await;
    }

    /// What is still wanted of a target that is missing: by a fresh read, its pod is there and ready.
    async fn still_wanted(&self, group: &TargetGroupArn, difference: &Difference) -> Option<Wanted> {
        let Difference::Missing { target, pod } = difference else {
            return None;
        };
        let Some((name, uid)) = pod else {
            return Some(Wanted::Endpoint(*target));
        };
        let pod = match self.fresh.pod(name, uid).await {
            Ok(pod) => pod?,
            Err(error) => {
                tracing::debug!(pod = %name, %error, "a pod can't be read, its target is not registered for now");
                return None;
            }
        };
        let cluster = self.cluster.read();
        let held = Held { group: group.clone(), target: *target, pod: name.clone(), uid: uid.clone() };
        standin::ready(&cluster, &held, &pod).then(|| {
            let records = cluster.recorded(group, *target);
            let node = pod.node;
            let mut mine = records.iter().filter(|record| record.node == node && record.uid == *uid);
            if mine.any(|record| record.state == RecordState::Registered) {
                Wanted::Recorded { node, held }
            } else {
                Wanted::Unrecorded { node, held }
            }
        })
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
