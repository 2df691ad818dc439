//! Stands in for agents that are not there, and clears up after nodes that are gone.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use futures::StreamExt as _;
use k8s_openapi::api::{coordination::v1::Lease, core::v1::ObjectReference};
use kube::{
    Api, Client,
    api::{DeleteParams, PostParams, Preconditions},
    runtime::events::EventType,
};
use lath_kubernetes::{
    NodeTargets, names,
    node_targets::{NodeTargetsSpec, RecordState, Writer},
};
use lattice::{Target, TargetGroupArn};
use tokio::time::Instant;

use super::{
    Settings,
    calls::Calls,
    metrics::{Metrics, Why},
    proof::{self, Evidence, Fresh},
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

/// How long a node that could not be dealt with is left alone.
const RETRY: Duration = Duration::from_secs(5);

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
    /// Writes records.
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
        cluster.targets_of_node(node).is_some_and(|spec| spec.writer == Writer::Agent)
    })
}

impl Warden {
    /// Looks after nodes for ever.
    pub async fn run(self) {
        let mut changes = self.cluster.subscribe();
        let mut retry: BTreeMap<String, Instant> = BTreeMap::new();
        let mut orphaned: BTreeMap<String, Instant> = BTreeMap::new();
        loop {
            changes.borrow_and_update();
            let now = Instant::now();
            retry.retain(|_, at| *at > now);
            let duties = self.duties(&mut orphaned, now).await;
            let work = duties.plans.into_iter().map(|(node, (plan, agent))| (node, Some((plan, agent))));
            let work = work.chain(duties.orphans.into_iter().map(|node| (node, None)));
            let work: Vec<_> = work.filter(|(node, _)| !retry.contains_key(node)).collect();
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
                    Ok(true) => {}
                    // Something is left to do, or the watch has not brought what was done.
                    Ok(false) => drop(retry.insert(node, Instant::now() + TICK)),
                    Err(error) => {
                        tracing::warn!(node, %error, "looking after a node failed and is tried again");
                        retry.insert(node, Instant::now() + RETRY);
                    }
                }
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
        let records: Api<NodeTargets> = Api::all(self.kube.0.clone());
        let current = records.get_opt(node).await?;
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
        let mut remove = BTreeSet::new();
        let mut forget = BTreeSet::new();
        for held in plan.suspects {
            let pod = self.fresh.pod(&held.pod, &held.uid).await?;
            let fate = proof::fate_of(pod.as_ref(), held.target.address);
            let pods = self.fresh.pods_at(held.target.address).await?;
            let (place, claimed_by) = {
                let cluster = self.cluster.read();
                (
                    proof::place(&cluster, &held.group, &held.pod.namespace, pod.as_ref()),
                    proof::claimant(&cluster, &held.group, held.target, Some(&held.uid), &pods),
                )
            };
            let agentless = agent == Agent::Absent;
            let evidence = Evidence { node_gone: false, rebooted, agentless, fate, place, claimed_by };
            if proof::proves(&evidence) {
                remove.insert(held);
            } else if evidence.claimed_by.is_some() && fate == proof::Fate::Gone {
                // It is another pod's by now, and recorded for that one.
                forget.insert(held);
            } else {
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
        let current = self.write(node, current, standin::amend(&spec, &boot_id, &states, &forget)).await?;
        let registered = self.call(&register, true).await;
        let removed = self.call(&remove, false).await;
        let complete = registered.len() == register.len() && removed.len() == remove.len();
        let states = registered.into_iter().map(|held| (held, RecordState::Registered)).collect();
        let spec = standin::amend(&current.spec, &boot_id, &states, &removed);
        self.write(node, Some(current), spec).await?;
        Ok(complete)
    }

    /// Whether the node's agent is still as it was judged, by a fresh read of its Lease.
    async fn still_away(&self, node: &str, agent: Agent) -> kube::Result<bool> {
        let leases: Api<Lease> = Api::namespaced(self.kube.0.clone(), &self.namespace);
        let lease = leases.get_opt(&names::agent_lease(node)).await?;
        let renewal = lease.as_ref().and_then(AgentLease::read).map(|lease| lease.renewal);
        let known = self.cluster.read().agents().renewal(node).map(Into::into);
        Ok(renewal == known && (agent == Agent::Lapsed || renewal.is_none()))
    }

    /// Calls Lattice for targets of several groups; those for which it was done.
    async fn call(&self, targets: &BTreeSet<Held>, register: bool) -> BTreeSet<Held> {
        let mut by_group: BTreeMap<&TargetGroupArn, Vec<Target>> = BTreeMap::new();
        for held in targets {
            by_group.entry(&held.group).or_default().push(held.target);
        }
        let mut done = BTreeSet::new();
        for (group, group_targets) in by_group {
            let finished = if register {
                self.calls.register(group, &group_targets, Why::StandIn).await
            } else {
                self.calls.deregister(group, &group_targets, Why::StandIn).await
            };
            let finished: BTreeSet<Target> = finished.into_iter().collect();
            let of_group = targets.iter().filter(|held| held.group == *group);
            done.extend(of_group.filter(|held| finished.contains(&held.target)).cloned());
        }
        done
    }

    /// Writes a node's record, unless somebody else has since it was read.
    async fn write(
        &self,
        node: &str,
        current: Option<NodeTargets>,
        spec: NodeTargetsSpec,
    ) -> kube::Result<NodeTargets> {
        let records: Api<NodeTargets> = Api::all(self.kube.0.clone());
        let params = PostParams { field_manager: Some(names::CONTROLLER.into()), ..PostParams::default() };
        match current {
            Some(mut record) => {
                record.spec = spec;
                records.replace(node, &params, &record).await
            }
            None => records.create(&params, &NodeTargets::new(node, spec)).await,
        }
    }

    /// Takes out what a node that is gone has left behind. `true`: nothing is left of it.
    async fn clear(&self, node: &str) -> kube::Result<bool> {
        if !self.fresh.node_gone(node).await? {
            return Ok(false);
        }
        let records: Api<NodeTargets> = Api::all(self.kube.0.clone());
        let record = records.get_opt(node).await?;
        let mut leftovers: BTreeMap<TargetGroupArn, Vec<Target>> = BTreeMap::new();
        let recorded = record.iter().flat_map(|record| standin::held(&record.spec));
        // The agent's last calls are in its record only a moment later, which the node may not have had.
        let unrecorded = standin::members_on(&self.cluster.read(), node);
        for held in recorded.chain(unrecorded).collect::<BTreeSet<_>>() {
            let pods = self.fresh.pods_at(held.target.address).await?;
            // Pods of the node itself may still stand in the API server; they are no reason to leave anything in.
            let pods: Vec<_> = pods.into_iter().filter(|pod| pod.node != node).collect();
            let claimed_by = {
                let cluster = self.cluster.read();
                proof::claimant(&cluster, &held.group, held.target, Some(&held.uid), &pods)
            };
            let fate = self.fresh.fate(&held.pod, &held.uid, held.target.address).await?;
            let place = proof::Place::Bound;
            let evidence =
                Evidence { node_gone: true, rebooted: false, agentless: false, fate, place, claimed_by };
            if proof::proves(&evidence) {
                leftovers.entry(held.group).or_default().push(held.target);
            }
        }
        for (group, targets) in leftovers {
            let done = self.calls.deregister(&group, &targets, Why::NodeGone).await;
            if done.len() < targets.len() {
                return Ok(false);
            }
        }
        if let Some(record) = record {
            delete(&records, node, record.metadata.uid).await?;
        }
        let leases: Api<Lease> = Api::namespaced(self.kube.0.clone(), &self.namespace);
        let name = names::agent_lease(node);
        if let Some(lease) = leases.get_metadata_opt(&name).await? {
            delete(&leases, &name, lease.metadata.uid).await?;
        }
        tracing::info!(node, "the node is gone, and so is what was recorded of it");
        Ok(true)
    }
}

/// Deletes the object of this name and UID, if it is still there.
async fn delete<K>(api: &Api<K>, name: &str, uid: Option<String>) -> kube::Result<()>
where
    K: Clone + serde::de::DeserializeOwned + std::fmt::Debug,
{
    let params = DeleteParams {
        preconditions: Some(Preconditions { uid, resource_version: None }),
        ..DeleteParams::default()
    };
    match api.delete(name, &params).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
