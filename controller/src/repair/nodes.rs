//! Stands in for agents that are not there, and clears up after nodes that are gone.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use futures::{StreamExt as _, TryStreamExt as _, future::join_all};
use k8s_openapi::api::{coordination::v1::Lease, core::v1::ObjectReference};
use kube::{Api, Client, runtime::events::EventType};
use lath_kubernetes::{names, node_targets::RecordState};
use lattice::{Target, TargetGroupArn};
use tokio::time::Instant;

use super::{
    Settings,
    calls::Calls,
    metrics::{Metrics, Why},
    proof::{self, Evidence, Fate, Fresh},
    records::{self, Records},
    standin::{self, Held, Plan},
};
use crate::{
    cluster::{
        Cluster,
        agents::{Agent, Roll},
        objects::AgentLease,
    },
    events::Events,
    shared::Shared,
};

/// How often nodes are looked at when nothing changes: Leases run out without any event.
const TICK: Duration = Duration::from_secs(1);

/// How long changes are collected before nodes are looked at.
const COLLECT: Duration = Duration::from_millis(50);

/// How long a node that could not be dealt with is left alone, at first and at most: twice as long each time.
const RETRY: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(30)];

/// Most nodes that are dealt with at once.
const NODES_AT_ONCE: usize = 4;

/// How long a node's record may be without its node before that is looked into. A node that has just joined may be
/// seen after its record.
const GONE_FOR: Duration = Duration::from_secs(2);

/// Looks after nodes.
#[derive(Debug, Clone)]
pub struct Warden {
    /// What is known of the cluster.
    pub cluster: Arc<Shared<Cluster>>,
    /// Changes Lattice.
    pub calls: Calls,
    /// Reads the API server's store.
    pub fresh: Fresh,
    /// Reads and writes records.
    pub records: Records,
    /// Reads and deletes Leases.
    pub kube: Kube,
    /// The namespace of Leases.
    pub namespace: String,
    /// Tells of the brake.
    pub events: Events,
    /// How repairs are made.
    pub settings: Settings,
    /// What it finds.
    pub metrics: Metrics,
}

/// A client that can be shown.
#[derive(Clone)]
pub struct Kube(pub Client);

impl std::fmt::Debug for Kube {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Kube")
    }
}

/// What there is to do about nodes.
#[derive(Debug, Default)]
struct Duties {
    plans: BTreeMap<String, (Plan, Agent)>,
    orphans: BTreeSet<String>,
}

/// Judges every node's agent.
#[must_use]
pub fn roll(cluster: &Cluster, settings: &Settings, now: Instant) -> Roll {
    cluster.agents().roll(now, settings.agent_grace, |node| {
        cluster.targets_of_node(node).is_some_and(|spec| spec.epoch > 0)
    })
}

impl Warden {
    /// Looks after nodes for ever.
    pub async fn run(self) {
        let mut changes = self.cluster.subscribe();
        let mut retry: BTreeMap<String, (Instant, Duration)> = BTreeMap::new();
        let mut orphaned: BTreeMap<String, Instant> = BTreeMap::new();
        loop {
            changes.borrow_and_update();
            let now = Instant::now();
            let duties = self.duties(&mut orphaned, now).await;
            // Who has nothing left to be done begins anew.
            retry.retain(|node, _| duties.plans.contains_key(node) || duties.orphans.contains(node));
            let work = duties.plans.into_iter().map(|(node, (plan, agent))| (node, Some((plan, agent))));
            let work = work.chain(duties.orphans.into_iter().map(|node| (node, None)));
            let work: Vec<_> =
                work.filter(|(node, _)| retry.get(node).is_none_or(|(at, _)| *at <= now)).collect();
            let mut done = futures::stream::iter(work)
                .map(|(node, duty)| {
                    let warden = self.clone();
                    async move {
                        let result = match duty {
                            Some((plan, agent)) => Box::pin(warden.stand_in(&node, plan, agent)).await,
                            None => Box::pin(warden.clear(&node)).await,
                        };
                        (node, result)
                    }
                })
                .buffer_unordered(NODES_AT_ONCE);
            while let Some((node, result)) = done.next().await {
                match result {
                    Ok(true) => {
                        // The watch may not have brought yet what was done.
                        retry.insert(node, (Instant::now() + RETRY[0], RETRY[0]));
                        continue;
                    }
                    Ok(false) => {}
                    Err(error) => {
                        tracing::warn!(node, %error, "looking after a node failed and is tried again");
                    }
                }
                let wait = retry.get(&node).map_or(RETRY[0], |(_, wait)| (*wait * 2).min(RETRY[1]));
                retry.insert(node, (Instant::now() + wait, wait));
            }
            tokio::select! {
                () = tokio::time::sleep(TICK) => {}
                changed = changes.changed() => {
                    if changed.is_err() { return }
                    tokio::time::sleep(COLLECT).await;
                }
            }
        }
    }

    async fn duties(&self, orphaned: &mut BTreeMap<String, Instant>, now: Instant) -> Duties {
        let (roll, duties) = {
            let cluster = self.cluster.read();
            if !cluster.complete() {
                return Duties::default();
            }
            let roll = roll(&cluster, &self.settings, now);
            let nodes: BTreeSet<String> = roll
                .iter()
                .filter(|(node, _)| roll.stands_in_for(node))
                .map(|(node, _)| node.clone())
                .collect();
            let impaired = roll
                .iter()
                .filter(|(node, agent)| *agent == Agent::Live && cluster.agents().complaint(node).is_some());
            self.metrics.impaired(impaired.count());
            let mut duties = Duties::default();
            for (node, plan) in standin::plans(&cluster, &nodes) {
                let agent = roll.of(&node);
                duties.plans.insert(node, (plan, agent));
            }
            let without_node: BTreeSet<String> = cluster
                .node_targets()
                .map(|(node, _)| node.clone())
                .chain(cluster.agents().lease_nodes())
                .filter(|node| cluster.node(node).is_none())
                .collect();
            orphaned.retain(|node, _| without_node.contains(node));
            for node in without_node {
                let since = *orphaned.entry(node.clone()).or_insert(now);
                if now - since >= GONE_FOR {
                    duties.orphans.insert(node);
                }
            }
            (roll, duties)
        };
        if let Some(braked) = self.metrics.roll(&roll) {
            self.tell_of_brake(&roll, braked).await;
        }
        duties
    }

    async fn tell_of_brake(&self, roll: &Roll, braked: bool) {
        let lapsed = roll.count(Agent::Lapsed);
        let all = lapsed + roll.count(Agent::Live);
        if !braked {
            tracing::info!(
                lapsed,
                all,
                "few enough agents are lapsed again, the controller stands in for them"
            );
            return;
        }
        let note = format!(
            "{lapsed} of {all} agents have stopped renewing their Leases at once: the controller does not stand in for \
             them, since a fault of the network or of the API server is likelier. Look at the agents' logs"
        );
        tracing::error!(lapsed, all, "{note}");
        let lease = ObjectReference {
            api_version: Some("coordination.k8s.io/v1".into()),
            kind: Some("Lease".into()),
            namespace: Some(self.namespace.clone()),
            name: Some(names::LEADER_LEASE.into()),
            ..ObjectReference::default()
        };
        self.events.tell_reference(&lease, EventType::Warning, "StandIn", "AgentsLapsed", &note).await;
    }

    /// Does an absent agent's work. `false`: something is left to do.
    async fn stand_in(&self, node: &str, plan: Plan, agent: Agent) -> kube::Result<bool> {
        if !self.still_away(node, agent).await? {
            return Ok(false);
        }
        let current = self.records.get(node).await?;
        let boot_id = self.cluster.read().node(node).map(|node| node.boot_id.clone()).unwrap_or_default();
        let spec = current.as_ref().map(|record| record.spec.clone()).unwrap_or_default();

        let mut register = BTreeSet::new();
        for held in plan.register {
            // The store's word: the watch may be behind.
            if let Some(pod) = self.fresh.pod(&held.pod, &held.uid).await?
                && pod.node == node
                && standin::ready(&self.cluster.read(), &held, &pod)
            {
                register.insert(held);
            }
        }
        let rebooted = !spec.boot_id.is_empty() && !boot_id.is_empty() && spec.boot_id != boot_id;
        let proven = Instant::now();
        let suspects = futures::stream::iter(plan.suspects)
            .map(|held| async move {
                let pod = self.fresh.pod(&held.pod, &held.uid).await?;
                let pods = self.fresh.pods_at(held.target.address).await?;
                let cluster = self.cluster.read();
                let evidence = Evidence {
                    node_gone: false,
                    rebooted,
                    agentless: agent == Agent::Absent,
                    fate: proof::fate_of(pod.as_ref(), held.target.address),
                    place: proof::place(&cluster, &held.group, &held.pod.namespace, pod.as_ref()),
                    claimed_by: proof::claimant(&cluster, &held.group, held.target, Some(&held.uid), &pods),
                };
                drop(cluster);
                Ok::<_, kube::Error>((held, evidence))
            })
            .buffered(proof::READS_AT_ONCE)
            .try_collect::<Vec<_>>()
            .await?;
        let (mut remove, mut forget, mut unproven) = (BTreeSet::new(), BTreeSet::new(), false);
        for (held, evidence) in suspects {
            if proof::proves(&evidence) {
                remove.insert(held);
            } else if evidence.fate == Fate::Gone && self.answered_for(node, &held) {
                forget.insert(held);
            } else {
                unproven = true;
                tracing::debug!(node, ?held, ?evidence, "a recorded target stays for want of proof");
            }
        }
        if register.is_empty() && remove.is_empty() && forget.is_empty() {
            return Ok(false);
        }

        let mut states: BTreeMap<Held, RecordState> =
            register.iter().map(|held| (held.clone(), RecordState::Registering)).collect();
        states.extend(remove.iter().map(|held| (held.clone(), RecordState::Deregistering)));
        // Recorded before it is done, so that whoever comes next knows of it.
        // The boot that the record tells of stays until nothing of that is left, since it is proof.
        let amended = standin::amend(&spec, &spec.boot_id, &states, &forget);
        let current = self.records.write(node, current, amended).await?;
        // Beside each other, so that registrations that hang do not outlast what was proven.
        let (registered, removed) =
            futures::join!(self.register(&register), self.deregister(&remove, Why::StandIn, proven));
        let complete = registered.len() == register.len() && removed.len() == remove.len() && !unproven;
        let boot_id = if complete { &boot_id } else { &spec.boot_id };
        let states = registered.iter().map(|held| (held.clone(), RecordState::Registered)).collect();
        let amended = standin::amend(&current.spec, boot_id, &states, &removed);
        match self.records.write(node, Some(current), amended).await {
            // The agent is back. What was taken out is for it to find out, and what was registered for it to know.
            Err(kube::Error::Api(status)) if status.is_conflict() => {
                self.records.registered(node, None, &registered).await?;
                Ok(false)
            }
            outcome => outcome.map(|_| complete),
        }
    }

    /// Whether the node's agent is still as it was judged, by a fresh read of its Lease.
    async fn still_away(&self, node: &str, agent: Agent) -> kube::Result<bool> {
        let leases: Api<Lease> = Api::namespaced(self.kube.0.clone(), &self.namespace);
        let lease = leases.get_opt(&names::agent_lease(node)).await?;
        let renewal = lease.as_ref().and_then(AgentLease::read).map(|lease| lease.renewal);
        let known = self.cluster.read().agents().renewal(node).map(Into::into);
        Ok(renewal == known && (agent == Agent::Lapsed || renewal.is_none()))
    }

    /// Registers targets of several groups; those for which it was done.
    async fn register(&self, targets: &BTreeSet<Held>) -> BTreeSet<Held> {
        let groups = by_group(targets);
        let calls = groups.iter().map(async |(group, of_group)| {
            let registered = self.calls.register(group, of_group, Why::StandIn).await;
            among(targets, group, registered)
        });
        join_all(calls).await.into_iter().flatten().collect()
    }

    /// Deregisters targets of several groups; those for which it was done.
    async fn deregister(&self, targets: &BTreeSet<Held>, why: Why, proven: Instant) -> BTreeSet<Held> {
        let groups = by_group(targets);
        let calls = groups.iter().map(async |(group, of_group)| {
            let deregistered = self.calls.deregister(group, of_group, why, proven).await;
            among(targets, group, deregistered)
        });
        join_all(calls).await.into_iter().flatten().collect()
    }

    fn answered_for(&self, node: &str, held: &Held) -> bool {
        proof::answered_for(&self.cluster.read(), &held.group, held.target, Some(node))
    }

    /// Takes out what a node that is gone has left behind. `true`: nothing is left of it.
    async fn clear(&self, node: &str) -> kube::Result<bool> {
        if !self.fresh.node_gone(node).await? {
            return Ok(false);
        }
        let record = self.records.get(node).await?;
        let spec = record.as_ref().map(|record| record.spec.clone()).unwrap_or_default();
        let mut left_behind: BTreeSet<Held> = standin::held(&spec).into_iter().collect();
        if record.is_none() || spec.epoch > 0 {
            // The agent's last calls are in its record only a moment later, which the node may not have had.
            left_behind.extend(standin::members_on(&self.cluster.read(), node));
        }
        let proven = Instant::now();
        let left_behind = futures::stream::iter(left_behind)
            .map(|held| async move {
                let pods = self.fresh.pods_at(held.target.address).await?;
                // Pods of the node itself may still stand in the API server; they are no reason to leave anything in.
                let pods: Vec<_> = pods.into_iter().filter(|pod| pod.node != node).collect();
                let fate = self.fresh.fate(&held.pod, &held.uid, held.target.address).await?;
                let claimed_by =
                    proof::claimant(&self.cluster.read(), &held.group, held.target, Some(&held.uid), &pods);
                let evidence = Evidence {
                    node_gone: true,
                    rebooted: false,
                    agentless: false,
                    fate,
                    place: proof::Place::Bound,
                    claimed_by,
                };
                Ok::<_, kube::Error>((held, evidence))
            })
            .buffered(proof::READS_AT_ONCE)
            .try_collect::<Vec<_>>()
            .await?;
        let (mut remove, mut stay) = (BTreeSet::new(), BTreeSet::new());
        for (held, evidence) in left_behind {
            if proof::proves(&evidence) {
                remove.insert(held);
            } else if !self.answered_for(node, &held) {
                stay.insert(held);
            }
        }
        let removed = self.deregister(&remove, Why::NodeGone, proven).await;
        stay.extend(remove.difference(&removed).cloned());
        if !stay.is_empty() {
            let spec = standin::only(&spec, &stay);
            if record.as_ref().is_none_or(|record| record.spec != spec) {
                self.records.write(node, record, spec).await?;
            }
            return Ok(false);
        }
        // One of its name may have joined meanwhile, and its agent writes the same objects.
        if !self.fresh.node_gone(node).await? {
            return Ok(false);
        }
        if let Some(record) = record {
            self.records.delete(record).await?;
        }
        let leases: Api<Lease> = Api::namespaced(self.kube.0.clone(), &self.namespace);
        let name = names::agent_lease(node);
        if let Some(lease) = leases.get_metadata_opt(&name).await? {
            records::delete(&leases, &name, lease.metadata).await?;
        }
        tracing::info!(node, "the node is gone, and so is what was recorded of it");
        Ok(true)
    }
}

/// Targets, sorted by their groups.
fn by_group(targets: &BTreeSet<Held>) -> BTreeMap<&TargetGroupArn, Vec<Target>> {
    let mut by_group: BTreeMap<&TargetGroupArn, Vec<Target>> = BTreeMap::new();
    for held in targets {
        by_group.entry(&held.group).or_default().push(held.target);
    }
    by_group
}

/// Those that stand for some targets of a group.
fn among(all: &BTreeSet<Held>, group: &TargetGroupArn, targets: Vec<Target>) -> Vec<Held> {
    let targets: BTreeSet<Target> = targets.into_iter().collect();
    all.iter().filter(|held| held.group == *group && targets.contains(&held.target)).cloned().collect()
}

#[cfg(test)]
mod tests;
