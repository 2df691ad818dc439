//! What is left of a binding that is being deleted, and when it may go: pure.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use lath_kubernetes::{TargetGroupBinding, watch::ObjectName};
use lattice::{Target, TargetGroupArn};
use tokio::time::Instant;

use super::{endpoints, proof};
use crate::cluster::{Cluster, Record, agents::Roll};

/// How long agents are given to hear of the deletion and to record what they do about it, even if nothing seems to be
/// left: they write their records at most once a second.
pub const SETTLE: Duration = Duration::from_secs(3);

/// After so many times the patience a binding goes whatever is left, so that no namespace hangs for want of a right.
pub const GIVE_UP: u32 = 10;

/// What to do about a binding that is being deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Agents are at it.
    Wait,
    /// These have to be taken out by the controller.
    TakeOut(BTreeSet<Target>),
    /// Nothing is left: the finalizer goes.
    Finish,
    /// It has taken too long: the finalizer goes, and these stay registered.
    GiveUp(BTreeSet<Target>),
}

/// What a decision goes by.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The binding.
    pub binding: &'a TargetGroupBinding,
    /// Its group.
    pub group: &'a TargetGroupArn,
    /// There is no such group any more.
    pub group_missing: bool,
    /// What the controller has taken out for this binding already.
    pub taken: &'a BTreeSet<Target>,
    /// Since when the deletion has been known.
    pub since: Instant,
    /// How long agents that live are waited for.
    pub patience: Duration,
}

/// Decides.
#[must_use]
pub fn step(cluster: &Cluster, roll: &Roll, case: Case<'_>, now: Instant) -> Step {
    if case.group_missing {
        return Step::Finish;
    }
    let waited = now - case.since;
    let left = leftovers(cluster, case);
    let targets = |left: &BTreeMap<Target, Option<Record>>| left.keys().copied().collect();
    if waited < SETTLE {
        Step::Wait
    } else if left.is_empty() {
        Step::Finish
    } else if waited >= case.patience * GIVE_UP {
        Step::GiveUp(targets(&left))
    } else {
        let patient = waited < case.patience;
        let due: BTreeSet<Target> = left
            .iter()
            .filter(|(_, record)| match record {
                Some(record) => !patient || roll.stands_in_for(&record.node),
                None => true,
            })
            .map(|(target, _)| *target)
            .collect();
        if due.is_empty() { Step::Wait } else { Step::TakeOut(due) }
    }
}

/// What is registered for the binding and for no other: records of its namespace's pods, and the controller's own.
fn leftovers(cluster: &Cluster, case: Case<'_>) -> BTreeMap<Target, Option<Record>> {
    let namespace = case.binding.metadata.namespace.as_deref().unwrap_or_default();
    let own = case.binding.status.iter().flat_map(|status| &status.endpoints);
    let own = own.filter_map(|text| endpoints::parse(text)).map(|target| (target, None));
    let records = cluster.records_of(case.group);
    let records = records
        .filter(|(_, record)| record.pod.namespace == namespace)
        .map(|(target, record)| (target, Some(record.clone())));
    // An agent's record comes last, since it says whom to wait for.
    own.chain(records)
        .filter(|(target, _)| !case.taken.contains(target))
        .filter(|(target, record)| !wanted_by_another(cluster, case.group, *target, record.as_ref()))
        .collect()
}

/// Whether another binding of the group has a right to the target.
fn wanted_by_another(
    cluster: &Cluster,
    group: &TargetGroupArn,
    target: Target,
    record: Option<&Record>,
) -> bool {
    let pod = record.and_then(|record| cluster.pod_by_uid(&record.pod, &record.uid));
    if pod.is_some_and(|pod| proof::belongs(cluster, group, target, pod)) {
        return true;
    }
    if proof::claimant(cluster, group, target, record.map(|record| record.uid.as_str()), &[]).is_some() {
        return true;
    }
    let others =
        cluster.bindings_of(group).filter(|entry| entry.binding.metadata.deletion_timestamp.is_none());
    let endpoints = others.flat_map(|entry| entry.binding.status.iter().flat_map(|status| &status.endpoints));
    endpoints.filter_map(|text| endpoints::parse(text)).any(|other| other == target)
}

/// Keeps account of deletions under way.
#[derive(Debug, Default)]
pub struct Deletions(BTreeMap<ObjectName, Deletion>);

#[derive(Debug)]
struct Deletion {
    uid: Option<String>,
    since: Instant,
    taken: BTreeSet<Target>,
}

impl Deletions {
    /// Since when the deletion of a binding has been known, and what was taken out for it.
    pub fn of(
        &mut self,
        name: &ObjectName,
        uid: Option<&String>,
        now: Instant,
    ) -> (Instant, BTreeSet<Target>) {
        let deletion = self.0.entry(name.clone()).or_insert_with(|| Deletion {
            uid: uid.cloned(),
            since: now,
            taken: BTreeSet::new(),
        });
        if deletion.uid.as_ref() != uid {
            *deletion = Deletion { uid: uid.cloned(), since: now, taken: BTreeSet::new() };
        }
        (deletion.since, deletion.taken.clone())
    }

    /// The controller has taken these out.
    pub fn took(&mut self, name: &ObjectName, targets: impl IntoIterator<Item = Target>) {
        if let Some(deletion) = self.0.get_mut(name) {
            deletion.taken.extend(targets);
        }
    }

    /// Forgets bindings that are gone.
    pub fn keep(&mut self, names: &BTreeSet<ObjectName>) {
        self.0.retain(|name, _| names.contains(name));
    }
}

#[cfg(test)]
mod tests;
