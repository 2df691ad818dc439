//! A pod that waits at its gate: what was seen of its targets, and what follows from it.

use std::collections::{BTreeMap, BTreeSet};

use lath_kubernetes::{
    Pod, names,
    standing::{Absence, Standing, standing},
};
use lattice::{Target, TargetGroupArn, TargetState, TargetStatus};
use tokio::time::Instant;

use super::{
    gates::{self, Gate, Part, Progress},
    looks,
    watchman::{Due, Settings, TELL_AFTER},
};
use crate::{
    cluster::{Cluster, Entry},
    groups::Groups,
};

/// What is known of a pod that waits.
#[derive(Debug)]
pub(super) struct Waiting {
    /// Since when it has been ready but for its gates.
    pub(super) ready: Option<Instant>,
    /// Some binding has selected it.
    bound: bool,
    /// What was written last.
    pub(super) told: Option<(&'static str, String)>,
    /// A condition is being written, or was tried in vain and is not tried before this.
    pub(super) writing: bool,
    pub(super) rewrite: Option<Instant>,
    pub(super) looks: BTreeMap<(TargetGroupArn, Target), Look>,
}

#[derive(Debug)]
pub(super) struct Look {
    /// From when its age counts: ready, or recorded as registered.
    pub(super) since: Instant,
    /// Its agent has recorded it as registered.
    recorded: bool,
    pub(super) due: Instant,
    found: Option<Found>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    State { status: TargetStatus, code: Option<String>, since: Instant },
}

impl Found {
    /// Whether nothing is left to look for.
    fn settled(&self) -> bool {
        matches!(
            self,
            Self::State {
                status: TargetStatus::Healthy | TargetStatus::Unavailable | TargetStatus::Unused,
                ..
            }
        )
    }
}

impl Look {
    pub(super) fn take(&mut self, state: Option<&TargetState>, asked: Instant) {
        let found = match (state, &self.found) {
            (None, _) => Found::Nothing,
            (Some(state), Some(Found::State { status, since, .. })) if *status == state.status => {
                Found::State { status: state.status, code: state.reason.clone(), since: *since }
            }
            (Some(state), _) => {
                Found::State { status: state.status, code: state.reason.clone(), since: asked }
            }
        };
        self.found = Some(found);
    }
}

impl Waiting {
    pub(super) fn new() -> Self {
        Self { ready: None, bound: false, told: None, writing: false, rewrite: None, looks: BTreeMap::new() }
    }

    pub(super) fn update(&mut self, pod: &Pod, now: Instant) {
        if pod.ready_but_for_gates {
            self.ready.get_or_insert(now);
        } else {
            self.ready = None;
        }
        if self.rewrite.is_some_and(|at| at <= now) {
            self.rewrite = None;
        }
    }

    /// What the pod's gates should be; adds the targets to look up to `wanted`.
    pub(super) fn gate(
        &mut self,
        settings: &Settings,
        cluster: &Cluster,
        groups: &Groups,
        pod: &Pod,
        now: Instant,
        wanted: &mut BTreeMap<TargetGroupArn, Due>,
    ) -> Gate {
        let mut parts = Vec::new();
        let mut current = BTreeSet::new();
        for (name, entry) in cluster.bindings_in(&pod.namespace) {
            if entry.binding.metadata.deletion_timestamp.is_some() {
                // Its pods leave the group, which is as good as gone.
                self.bound |= selects(cluster, entry, pod).is_some();
                continue;
            }
            let Some(standing) = selects(cluster, entry, pod) else {
                continue;
            };
            self.bound = true;
            let progress = self.progress(cluster, groups, pod, entry, standing, now, &mut current, wanted);
            parts.push(Part { binding: name.name.clone(), progress });
        }
        self.looks.retain(|key, _| current.contains(key));
        if parts.is_empty() {
            return match self.ready {
                Some(ready) => gates::unbound(self.bound, ready, settings.settle, now),
                None => gates::decide(&[waiting_part()], settings.propagation, now),
            };
        }
        gates::decide(&parts, settings.propagation, now)
    }

    #[expect(clippy::too_many_arguments, reason = "all that a pod's part in a binding follows from")]
    fn progress(
        &mut self,
        cluster: &Cluster,
        groups: &Groups,
        pod: &Pod,
        entry: &Entry,
        standing: Standing,
        now: Instant,
        current: &mut BTreeSet<(TargetGroupArn, Target)>,
        wanted: &mut BTreeMap<TargetGroupArn, Due>,
    ) -> Progress {
        let (true, Some(group)) = (entry.binding.accepted(), &entry.group) else {
            let accepted = entry.binding.condition(names::ACCEPTED);
            return Progress::NotAccepted {
                reason: accepted.map_or("Pending", |condition| &condition.reason).into(),
            };
        };
        let Standing::Ready(target) = standing else {
            return Progress::NotReady;
        };
        let key = (group.clone(), target);
        current.insert(key.clone());
        let since = self.ready.unwrap_or(now);
        let look = self.looks.entry(key).or_insert(Look {
            since,
            recorded: false,
            due: since + looks::FIRST,
            found: None,
        });
        match recorded(cluster, pod, group, target) {
            Recorded::ForAnother => return Progress::AddressRecordedForAnother,
            Recorded::ForThis if !look.recorded => {
                look.recorded = true;
                look.since = look.since.max(now - looks::FIRST);
                look.due = look.due.min(now);
            }
            Recorded::ForThis | Recorded::Not => {}
        }
        if groups.missing(group) {
            return Progress::NotRegistered;
        }
        if !look.found.as_ref().is_some_and(Found::settled) {
            wanted.entry(group.clone()).or_default().push((look.due, target));
        }
        match &look.found {
            None => Progress::NotRead,
            Some(Found::Nothing) => Progress::NotRegistered,
            Some(Found::State { status, code, since }) => {
                Progress::Reported { status: *status, code: code.clone(), since: *since }
            }
        }
    }

    /// Opens a gate that has waited too long, if that is what the operator wants. Also when to look at this again.
    pub(super) fn hasten(&self, settings: &Settings, gate: Gate, now: Instant) -> (Gate, Option<Instant>) {
        let Some(ready) = self.ready.filter(|_| !gate.open) else {
            return (gate, None);
        };
        let tell = ready + TELL_AFTER;
        let tell = (self.told.is_none() && tell > now).then_some(tell);
        match settings.fail_open {
            Some(after) if now >= ready + after => (gates::fail_open(&gate, after), None),
            Some(after) => (gate, Some(tell.map_or(ready + after, |tell| tell.min(ready + after)))),
            None => (gate, tell),
        }
    }

    /// Whether the gate has to be written.
    pub(super) fn wants(&self, gate: &Gate, now: Instant) -> bool {
        if self.writing || self.rewrite.is_some_and(|at| at > now) {
            return false;
        }
        if gate.open {
            return true;
        }
        // A pod whose containers are not ready says so itself.
        let Some(ready) = self.ready else {
            return false;
        };
        match &self.told {
            None => now >= ready + TELL_AFTER,
            Some((reason, _)) => *reason != gate.reason,
        }
    }
}

fn waiting_part() -> Part {
    Part { binding: "this pod".into(), progress: Progress::NotReady }
}

/// How the pod stands towards the binding's port, if it is to be one of its targets now or later.
fn selects(cluster: &Cluster, entry: &Entry, pod: &Pod) -> Option<Standing> {
    let service = cluster.service_of(&entry.binding)?;
    if !service.selects(&pod.labels) {
        return None;
    }
    let Some(port) = service.port(&entry.binding.spec.service.port) else {
        // The binding is not accepted, which the pod waits for.
        return Some(Standing::Out(Absence::NoAddress));
    };
    match standing(pod, service, port, entry.binding.spec.ip_family) {
        // A pod that has addresses, but none of this family, or that lacks the port, will never be a target.
        Standing::Out(Absence::NoAddress) if !pod.addresses.is_empty() => None,
        Standing::Out(Absence::NoPort | Absence::NotSelected) => None,
        standing => Some(standing),
    }
}

/// For whom a target is recorded.
enum Recorded {
    ForThis,
    ForAnother,
    Not,
}

/// For whom the target is recorded, on whatever node: a wrong verdict could not be taken back.
fn recorded(cluster: &Cluster, pod: &Pod, group: &TargetGroupArn, target: Target) -> Recorded {
    let records = cluster.recorded(group, target);
    if records.iter().any(|record| record.uid != pod.uid) {
        Recorded::ForAnother
    } else if records.is_empty() {
        Recorded::Not
    } else {
        Recorded::ForThis
    }
}
