//! Which gated pods to look at when, and what to write into their conditions. Holds no connection: what it decides is
//! handed out, what came of it is handed back.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use lath_kubernetes::{
    Pod, names,
    standing::{Absence, Standing, standing},
    watch::ObjectName,
};
use lattice::{Target, TargetGroupArn, TargetState, TargetStatus, limits::TARGETS_PER_FILTER};
use tokio::time::Instant;

use super::{
    gates::{self, Gate, Part, Progress},
    looks::{self, Share},
};
use crate::{
    cluster::{Cluster, Entry, pod_name},
    groups::Groups,
};

/// Most reads that are on their way at once; one per group.
const READS_AT_ONCE: usize = 32;

/// How long a pod may wait before it is told what for. Most pods are healthy by then, and each condition written is a
/// change that every watch of pods carries.
const TELL_AFTER: Duration = Duration::from_secs(1);

/// The wait before a condition that could not be written is tried again.
const REWRITE: Duration = Duration::from_secs(1);

/// How often opened gates of pods that are gone are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(60);

/// How gates are decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Most ListTargets calls per second for gates, over all groups.
    pub reads_per_second: f64,
    /// The time that Lattice is assumed to need until a registration is in force, for groups without health checks.
    pub propagation: Duration,
    /// How long a ready pod without a binding waits for one.
    pub settle: Duration,
    /// After how long a gate opens without Lattice's word; `None`: never.
    pub fail_open: Option<Duration>,
}

/// A condition to write.
#[derive(Debug, Clone)]
pub struct GateWrite {
    /// The pod.
    pub pod: Arc<Pod>,
    /// Whether its gates open.
    pub open: bool,
    /// The condition's reason.
    pub reason: &'static str,
    /// The condition's message.
    pub message: String,
    /// How long the pod has been ready but for its gates.
    pub waited: Duration,
}

/// Targets of one group to look up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// The group.
    pub group: TargetGroupArn,
    /// Which of its targets, at most [`TARGETS_PER_FILTER`].
    pub targets: Vec<Target>,
}

/// What to do now, and when to ask again at the latest.
#[derive(Debug, Default)]
pub struct Step {
    /// Conditions to write.
    pub writes: Vec<GateWrite>,
    /// Targets to look up.
    pub reads: Vec<Read>,
    /// When time alone makes something due.
    pub wake: Option<Instant>,
}

/// Keeps account of pods whose gates are shut.
#[derive(Debug)]
pub struct Watchman {
    settings: Settings,
    share: Share,
    pods: HashMap<String, Waiting>,
    /// UIDs of pods whose gates were opened. They are never shut again.
    opened: HashSet<String>,
    forget: Instant,
    reading: BTreeMap<TargetGroupArn, Instant>,
}

/// What is known of a pod that waits.
#[derive(Debug)]
struct Waiting {
    /// Since when it has been ready but for its gates.
    ready: Option<Instant>,
    /// Some binding has selected it.
    bound: bool,
    /// What was written last.
    told: Option<(&'static str, String)>,
    /// A condition is being written, or was tried in vain and is not tried before this.
    writing: bool,
    rewrite: Option<Instant>,
    looks: BTreeMap<(TargetGroupArn, Target), Look>,
}

#[derive(Debug)]
struct Look {
    /// From when its age counts: ready, or recorded as registered.
    since: Instant,
    /// Its agent has recorded it as registered.
    recorded: bool,
    due: Instant,
    found: Option<Found>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Found {
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

impl Watchman {
    /// Nobody waits yet.
    #[must_use]
    pub fn new(settings: Settings, now: Instant) -> Self {
        Self {
            share: Share::new(settings.reads_per_second, now),
            settings,
            pods: HashMap::new(),
            opened: HashSet::new(),
            forget: now + FORGET_EVERY,
            reading: BTreeMap::new(),
        }
    }

    /// How many pods wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.pods.len()
    }

    /// Decides what to write and to look up, from what is known now.
    pub fn step(&mut self, cluster: &Cluster, groups: &Groups, now: Instant) -> Step {
        let mut step = Step::default();
        let mut wanted: BTreeMap<TargetGroupArn, Vec<(Instant, Target)>> = BTreeMap::new();
        let mut present = HashSet::new();
        for pod in cluster.gated() {
            if self.opened.contains(&pod.uid) {
                continue;
            }
            present.insert(pod.uid.as_str());
            let waiting = self.pods.entry(pod.uid.clone()).or_insert_with(Waiting::new);
            waiting.update(pod, now);
            let gate = waiting.gate(&self.settings, cluster, groups, pod, now, &mut wanted);
            let (gate, told_by) = waiting.hasten(&self.settings, gate, now);
            step.wake_at(told_by);
            step.wake_at(gate.until);
            step.wake_at(waiting.rewrite);
            if waiting.wants(&gate, now) {
                waiting.writing = true;
                step.writes.push(GateWrite {
                    pod: pod.clone(),
                    open: gate.open,
                    reason: gate.reason,
                    message: gate.message,
                    waited: waiting.ready.map_or(Duration::ZERO, |ready| now - ready),
                });
            }
        }
        self.pods.retain(|uid, _| present.contains(uid.as_str()));
        self.plan(wanted, now, &mut step);
        if now >= self.forget {
            self.forget = now + FORGET_EVERY;
            let alive: HashSet<&str> = cluster.pods().map(|pod| pod.uid.as_str()).collect();
            self.opened.retain(|uid| alive.contains(uid.as_str()));
        }
        step
    }

    /// Picks the groups to read: the longest due first, one read per group, within the share.
    fn plan(
        &mut self,
        wanted: BTreeMap<TargetGroupArn, Vec<(Instant, Target)>>,
        now: Instant,
        step: &mut Step,
    ) {
        let mut due: Vec<(Instant, TargetGroupArn, Vec<(Instant, Target)>)> = wanted
            .into_iter()
            .filter(|(group, _)| !self.reading.contains_key(group))
            .filter_map(|(group, mut targets)| {
                targets.sort_unstable();
                targets.dedup_by_key(|(_, target)| *target);
                Some((targets.first()?.0, group, targets))
            })
            .collect();
        due.sort_unstable_by_key(|(first, ..)| *first);
        for (first, group, targets) in due {
            if first > now {
                step.wake_at(Some(first));
                break;
            }
            if self.reading.len() >= READS_AT_ONCE {
                // The end of a read is what asks again.
                break;
            }
            if let Err(again) = self.share.take(now) {
                step.wake_at(Some(again));
                break;
            }
            self.reading.insert(group.clone(), now);
            // Those that are not due yet ride along in a call that is made anyway.
            let targets = targets.into_iter().take(TARGETS_PER_FILTER);
            step.reads.push(Read { group, targets: targets.map(|(_, target)| target).collect() });
        }
    }

    /// Takes in what a read brought; `None`: it failed.
    pub fn read(&mut self, read: &Read, states: Option<&[TargetState]>, groups: &Groups, now: Instant) {
        let asked = self.reading.remove(&read.group).unwrap_or(now);
        let interval = groups.facts(&read.group).and_then(|facts| facts.group.health_check_interval);
        for waiting in self.pods.values_mut() {
            for target in &read.targets {
                let Some(look) = waiting.looks.get_mut(&(read.group.clone(), *target)) else {
                    continue;
                };
                look.due = now + looks::wait(now - look.since, interval);
                // What was asked before the pod was ready tells of whoever had the address then.
                if asked >= look.since
                    && let Some(states) = states
                {
                    look.take(states.iter().find(|state| state.target == *target), asked);
                }
            }
        }
    }

    /// Takes in a full listing of a group that was asked for at `asked`.
    pub fn audited(&mut self, group: &TargetGroupArn, states: &[TargetState], asked: Instant) {
        for waiting in self.pods.values_mut() {
            for ((other, target), look) in &mut waiting.looks {
                if other == group && asked >= look.since {
                    look.take(states.iter().find(|state| state.target == *target), asked);
                }
            }
        }
    }

    /// Takes in whether a condition could be written.
    pub fn wrote(&mut self, write: &GateWrite, done: bool, now: Instant) {
        if done && write.open {
            self.pods.remove(&write.pod.uid);
            self.opened.insert(write.pod.uid.clone());
        } else if let Some(waiting) = self.pods.get_mut(&write.pod.uid) {
            waiting.writing = false;
            if done {
                waiting.told = Some((write.reason, write.message.clone()));
            } else {
                waiting.rewrite = Some(now + REWRITE);
            }
        }
    }
}

impl Step {
    fn wake_at(&mut self, at: Option<Instant>) {
        self.wake = match (self.wake, at) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }
}

impl Look {
    fn take(&mut self, state: Option<&TargetState>, asked: Instant) {
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
    fn new() -> Self {
        Self { ready: None, bound: false, told: None, writing: false, rewrite: None, looks: BTreeMap::new() }
    }

    fn update(&mut self, pod: &Pod, now: Instant) {
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
    fn gate(
        &mut self,
        settings: &Settings,
        cluster: &Cluster,
        groups: &Groups,
        pod: &Pod,
        now: Instant,
        wanted: &mut BTreeMap<TargetGroupArn, Vec<(Instant, Target)>>,
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
        wanted: &mut BTreeMap<TargetGroupArn, Vec<(Instant, Target)>>,
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
    fn hasten(&self, settings: &Settings, gate: Gate, now: Instant) -> (Gate, Option<Instant>) {
        let Some(ready) = self.ready.filter(|_| !gate.open) else {
            return (gate, None);
        };
        let tell = ready + TELL_AFTER;
        let tell = (self.told.is_none() && tell > now).then_some(tell);
        match settings.fail_open {
            Some(after) if now >= ready + after => (gates::fail_open(gate, after), None),
            Some(after) => (gate, Some(tell.map_or(ready + after, |tell| tell.min(ready + after)))),
            None => (gate, tell),
        }
    }

    /// Whether the gate has to be written.
    fn wants(&self, gate: &Gate, now: Instant) -> bool {
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

/// The name of the pod of a write.
#[must_use]
pub fn name_of(write: &GateWrite) -> ObjectName {
    pod_name(&write.pod)
}

#[cfg(test)]
mod tests;
