//! Which gated pods to look at when, and what to write into their conditions. Holds no connection: what it decides is
//! handed out, what came of it is handed back.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use lath_kubernetes::{Pod, watch::ObjectName};
use lattice::{Target, TargetGroupArn, TargetState, limits::TARGETS_PER_FILTER};
use tokio::time::Instant;

use super::{
    looks::{self, Share},
    waiting::Waiting,
};
use crate::{
    cluster::{Cluster, pod_name},
    groups::Groups,
};

/// Most reads that are on their way at once; one per group.
const READS_AT_ONCE: usize = 32;

/// How long a pod may wait before it is told what for. Most pods are healthy by then, and each condition written is a
/// change that every watch of pods carries.
pub(super) const TELL_AFTER: Duration = Duration::from_secs(1);

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

/// Targets of one group, each with the time of its next look.
pub(super) type Due = Vec<(Instant, Target)>;

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
        let mut wanted: BTreeMap<TargetGroupArn, Due> = BTreeMap::new();
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
    fn plan(&mut self, wanted: BTreeMap<TargetGroupArn, Due>, now: Instant, step: &mut Step) {
        let mut due: Vec<(Instant, TargetGroupArn, Due)> = wanted
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

/// The name of the pod of a write.
#[must_use]
pub fn name_of(write: &GateWrite) -> ObjectName {
    pod_name(&write.pod)
}

#[cfg(test)]
mod tests;
