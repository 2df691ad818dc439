//! What the controller does for a node whose agent is not there: a pure comparison of the node's pods with its record.

use std::collections::{BTreeMap, BTreeSet};

use lath_kubernetes::{
    Pod,
    node_targets::{GroupRecord, NodeTargetsSpec, RecordState, Summary, TargetRecord, Writer},
    standing::Standing,
    watch::ObjectName,
};
use lattice::{Target, TargetGroupArn};

use super::proof::{self, Fate, Place};
use crate::cluster::{Cluster, pod_name};

/// A target with the pod for which it is, or was, registered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Held {
    /// The group.
    pub group: TargetGroupArn,
    /// The target.
    pub target: Target,
    /// The pod.
    pub pod: ObjectName,
    /// Its UID.
    pub uid: String,
}

/// What there is to do for a node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Ready pods' targets that are not recorded as registered.
    pub register: BTreeSet<Held>,
    /// Recorded targets whose pods seem to be gone. Each needs proof.
    pub suspects: BTreeSet<Held>,
}

impl Plan {
    /// Whether nothing is to be done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.register.is_empty() && self.suspects.is_empty()
    }
}

/// Compares the pods of each node of `nodes` with its record. Nodes without anything to do are left out.
/// Cost: the pods of all bindings.
#[must_use]
pub fn plans(cluster: &Cluster, nodes: &BTreeSet<String>) -> BTreeMap<String, Plan> {
    let mut plans: BTreeMap<String, Plan> = BTreeMap::new();
    for (_, entry) in cluster.bindings() {
        let Some(group) = entry.group.as_ref().filter(|_| entry.binding.accepted()) else {
            continue;
        };
        for (pod, standing) in cluster.members(&entry.binding) {
            let Standing::Ready(target) = standing else { continue };
            if !nodes.contains(&pod.node) {
                continue;
            }
            let recorded = cluster.recorded(group, target).iter().any(|record| {
                record.node == pod.node && record.uid == pod.uid && record.state == RecordState::Registered
            });
            if !recorded {
                let held = Held { group: group.clone(), target, pod: pod_name(pod), uid: pod.uid.clone() };
                plans.entry(pod.node.clone()).or_default().register.insert(held);
            }
        }
    }
    for node in nodes {
        let suspects: BTreeSet<Held> = cluster
            .targets_of_node(node)
            .map(|spec| held(spec))
            .unwrap_or_default()
            .into_iter()
            .filter(|held| suspect(cluster, held))
            .collect();
        if !suspects.is_empty() {
            plans.entry(node.clone()).or_default().suspects = suspects;
        }
    }
    plans
}

/// Whether, by what is known, the pod of a recorded target no longer has a right to it. Only a reason to look.
fn suspect(cluster: &Cluster, held: &Held) -> bool {
    let pod = cluster.pod_by_uid(&held.pod, &held.uid);
    proof::fate_of(pod.map(|pod| &**pod), held.target.address) != Fate::Here
        || proof::place(cluster, &held.group, &held.pod.namespace, pod.map(|pod| &**pod)) != Place::Bound
}

/// Everything in a record that can be read.
#[must_use]
pub fn held(spec: &NodeTargetsSpec) -> Vec<Held> {
    let groups = spec.groups.iter().filter_map(|group| Some((group.arn.parse().ok()?, group)));
    groups
        .flat_map(|(arn, group): (TargetGroupArn, &GroupRecord)| {
            group.targets.iter().filter_map(move |record| {
                let (namespace, name) = record.pod.split_once('/')?;
                Some(Held {
                    group: arn.clone(),
                    target: Target { address: record.address.parse().ok()?, port: record.port },
                    pod: ObjectName { namespace: namespace.into(), name: name.into() },
                    uid: record.pod_uid.clone(),
                })
            })
        })
        .collect()
}

/// Every target that the agent of this node may have registered, as far as the node's pods tell.
#[must_use]
pub fn members_on(cluster: &Cluster, node: &str) -> BTreeSet<Held> {
    let bound = cluster.bindings().filter_map(|(_, entry)| Some((&entry.binding, entry.group.as_ref()?)));
    let members = bound.filter(|(binding, _)| binding.accepted()).flat_map(|(binding, group)| {
        cluster.members(binding).filter(|(pod, _)| pod.node == node).filter_map(|(pod, standing)| {
            match standing {
                Standing::Ready(target) | Standing::Unready(target) => {
                    Some(Held { group: group.clone(), target, pod: pod_name(pod), uid: pod.uid.clone() })
                }
                Standing::Out(_) => None,
            }
        })
    });
    members.collect()
}

/// The record after `set` were put into a state and `removed` were taken out.
#[must_use]
pub fn amend(
    spec: &NodeTargetsSpec,
    boot_id: &str,
    set: &BTreeMap<Held, RecordState>,
    removed: &BTreeSet<Held>,
) -> NodeTargetsSpec {
    let mut groups: BTreeMap<String, BTreeMap<(Target, String), TargetRecord>> = BTreeMap::new();
    for group in &spec.groups {
        for record in &group.targets {
            let Ok(address) = record.address.parse() else { continue };
            let target = Target { address, port: record.port };
            groups
                .entry(group.arn.clone())
                .or_default()
                .insert((target, record.pod_uid.clone()), record.clone());
        }
    }
    for held in removed {
        if let Some(targets) = groups.get_mut(held.group.as_str()) {
            targets.remove(&(held.target, held.uid.clone()));
        }
    }
    for (held, state) in set {
        groups.entry(held.group.to_string()).or_default().insert(
            (held.target, held.uid.clone()),
            TargetRecord {
                address: held.target.address.to_string(),
                port: held.target.port,
                pod: held.pod.to_string(),
                pod_uid: held.uid.clone(),
                state: *state,
            },
        );
    }
    let groups: Vec<GroupRecord> = groups
        .into_iter()
        .filter(|(_, targets)| !targets.is_empty())
        .map(|(arn, targets)| GroupRecord { arn, targets: targets.into_values().collect() })
        .collect();
    let all = || groups.iter().flat_map(|group| &group.targets);
    let registered = all().filter(|record| record.state == RecordState::Registered).count();
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    NodeTargetsSpec {
        boot_id: boot_id.into(),
        epoch: spec.epoch,
        writer: Writer::Controller,
        summary: Summary {
            groups: number(groups.len()),
            targets: number(registered),
            pending: number(all().count() - registered),
        },
        groups,
    }
}

/// The record of a node that is gone, with nothing in it but these, which are on their way out. No agent has a part in
/// it any more.
#[must_use]
pub fn only(spec: &NodeTargetsSpec, held: &BTreeSet<Held>) -> NodeTargetsSpec {
    let empty = NodeTargetsSpec { groups: Vec::new(), epoch: 0, ..spec.clone() };
    let leaving = held.iter().map(|held| (held.clone(), RecordState::Deregistering)).collect();
    amend(&empty, &spec.boot_id, &leaving, &BTreeSet::new())
}

/// Whether a pod is there under the name and UID of a record and on its node, ready to be registered.
#[must_use]
pub fn ready(cluster: &Cluster, held: &Held, pod: &Pod) -> bool {
    pod.uid == held.uid
        && cluster
            .bindings_of(&held.group)
            .filter(|entry| entry.binding.accepted())
            .any(|entry| cluster.standing(&entry.binding, pod) == Some(Standing::Ready(held.target)))
}

#[cfg(test)]
mod tests;
