//! Differences between what a group holds and what it should hold, and since when they have been seen.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use lath_kubernetes::{
    Pod, binding::Ownership, node_targets::RecordState, standing::Standing, watch::ObjectName,
};
use lattice::{Target, TargetGroupArn, TargetState, TargetStatus};
use tokio::time::Instant;

use super::endpoints;
use crate::cluster::{
    Cluster, Record,
    agents::{Agent, Roll},
    pod_name,
};

/// What a group should hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// What has to be there: ready pods, by UID, and hand-made endpoints, which have no pod.
    pub wanted: BTreeMap<Target, Option<(ObjectName, String)>>,
    /// What may be there: every live pod of every binding.
    pub allowed: BTreeSet<Target>,
    /// Unknown targets have to go.
    pub exclusive: bool,
    /// What nodes' agents have recorded.
    pub records: BTreeMap<Target, Vec<Record>>,
}

impl Expected {
    /// What the cluster says that a group should hold.
    #[must_use]
    ///
    /// Only pods that somebody looks after are wanted: those of nodes that are gone are not.
    pub fn of(cluster: &Cluster, roll: &Roll, group: &TargetGroupArn, rules: &endpoints::Rules) -> Self {
        let mut expected = Self::default();
        for entry in cluster.bindings_of(group) {
            let binding = &entry.binding;
            if binding.metadata.deletion_timestamp.is_some() {
                continue;
            }
            let accepted = binding.accepted();
            expected.exclusive |= accepted && binding.spec.ownership == Ownership::Exclusive;
            for (pod, standing) in cluster.members(binding) {
                match standing {
                    Standing::Ready(target) => {
                        expected.allowed.insert(target);
                        if accepted && looked_after(cluster, roll, group, target, pod) {
                            expected.wanted.insert(target, Some((pod_name(pod), pod.uid.clone())));
                        }
                    }
                    Standing::Unready(target) => {
                        expected.allowed.insert(target);
                    }
                    Standing::Out(_) => {}
                }
            }
            for target in endpoints::desired(cluster, binding, rules).targets {
                expected.allowed.insert(target);
                if accepted {
                    expected.wanted.entry(target).or_insert(None);
                }
            }
            // What the controller has registered by hand-made slices is taken out by whoever follows these.
            let own = binding.status.iter().flat_map(|status| &status.endpoints);
            expected.allowed.extend(own.filter_map(|text| endpoints::parse(text)));
        }
        for (target, record) in cluster.records_of(group) {
            expected.records.entry(target).or_default().push(record.clone());
        }
        expected
    }
}

/// Whether the pod's agent lives, or the controller has recorded the target in its stead. What is not recorded is
/// registered by whoever stands in, and recorded then.
fn looked_after(cluster: &Cluster, roll: &Roll, group: &TargetGroupArn, target: Target, pod: &Pod) -> bool {
    roll.of(&pod.node) == Agent::Live
        || roll.stands_in_for(&pod.node)
            && cluster
                .recorded(group, target)
                .iter()
                .any(|record| record.uid == pod.uid && record.state == RecordState::Registered)
}

/// Something that two reads agree on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// A ready pod's target is not there.
    Missing {
        /// The target.
        target: Target,
        /// Its pod and the pod's UID; a hand-made endpoint has none.
        pod: Option<(ObjectName, String)>,
    },
    /// A target that nobody wants is there.
    Stray {
        /// The target.
        target: Target,
        /// For whom it was registered, if anybody has recorded it.
        record: Option<Record>,
    },
}

/// What differs, and since when.
#[derive(Debug, Default)]
pub struct Ledger {
    groups: BTreeMap<TargetGroupArn, BTreeMap<Target, Entry>>,
    /// Wanted targets that drain, and when they should be gone.
    revisits: BTreeMap<(TargetGroupArn, Target), Instant>,
}

#[derive(Debug)]
struct Entry {
    difference: Difference,
    since: Instant,
}

impl Ledger {
    /// Compares what a group holds, asked for at `asked`, with what it should hold. Returns the differences that this
    /// read and one at least `confirm_after` before it agree on; each is returned once per such time.
    ///
    /// `scope` limits this to some targets, where only those were asked for.
    pub fn compare(
        &mut self,
        group: &TargetGroupArn,
        expected: &Expected,
        states: &[TargetState],
        scope: Option<&BTreeSet<Target>>,
        asked: Instant,
        times: Times,
    ) -> Vec<Difference> {
        let within = |target: &Target| scope.is_none_or(|scope| scope.contains(target));
        let held: BTreeSet<Target> = states
            .iter()
            .filter(|state| state.status != TargetStatus::Draining)
            .map(|state| state.target)
            .collect();
        for state in states.iter().filter(|state| state.status == TargetStatus::Draining) {
            if expected.wanted.contains_key(&state.target) {
                self.revisits.entry((group.clone(), state.target)).or_insert(asked + times.drain);
            }
        }
        let missing = expected
            .wanted
            .iter()
            .filter(|(target, _)| within(target) && !held.contains(target))
            .map(|(target, pod)| Difference::Missing { target: *target, pod: pod.clone() });
        let stray = held
            .iter()
            .filter(|target| within(target) && !expected.allowed.contains(target))
            .filter_map(|target| {
                let record = expected.records.get(target).and_then(|records| records.first()).cloned();
                (expected.exclusive || record.is_some())
                    .then_some(Difference::Stray { target: *target, record })
            });
        let found: Vec<Difference> = missing.chain(stray).collect();

        let entries = self.groups.entry(group.clone()).or_default();
        let present: BTreeSet<Target> = found.iter().map(Difference::target).collect();
        entries.retain(|target, _| !within(target) || present.contains(target));
        let mut agreed = Vec::new();
        for difference in found {
            let entry = entries
                .entry(difference.target())
                .or_insert_with(|| Entry { difference: difference.clone(), since: asked });
            if entry.difference != difference {
                // Another pod, or the other kind: it counts from now.
                *entry = Entry { difference, since: asked };
            } else if asked.saturating_duration_since(entry.since) >= times.confirm_after {
                entry.since = asked;
                agreed.push(difference);
            }
        }
        if entries.is_empty() {
            self.groups.remove(group);
        }
        agreed
    }

    /// Draining targets that should be gone by now, by group; each is returned once.
    pub fn due(&mut self, now: Instant) -> BTreeMap<TargetGroupArn, Vec<Target>> {
        let due: Vec<_> =
            self.revisits.iter().filter(|(_, at)| **at <= now).map(|(key, _)| key.clone()).collect();
        let mut by_group: BTreeMap<TargetGroupArn, Vec<Target>> = BTreeMap::new();
        for key in due {
            self.revisits.remove(&key);
            by_group.entry(key.0).or_default().push(key.1);
        }
        by_group
    }

    /// When the next draining target should be gone.
    #[must_use]
    pub fn next_due(&self) -> Option<Instant> {
        self.revisits.values().min().copied()
    }

    /// Forgets groups that nobody binds any more.
    pub fn keep(&mut self, groups: &BTreeSet<TargetGroupArn>) {
        self.groups.retain(|group, _| groups.contains(group));
        self.revisits.retain(|(group, _), _| groups.contains(group));
    }
}

/// The times that a comparison goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// How far apart two reads have to agree.
    pub confirm_after: Duration,
    /// The longest time for which a target drains.
    pub drain: Duration,
}

impl Difference {
    /// The target.
    #[must_use]
    pub fn target(&self) -> Target {
        match self {
            Self::Missing { target, .. } | Self::Stray { target, .. } => *target,
        }
    }
}

#[cfg(test)]
mod tests;
