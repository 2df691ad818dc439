//! Sync, one group: what to call next so that Lattice holds what it should. No I/O.
//!
//! [`Group`] is told what is wanted and how calls ended, and tells which calls to start. Registrations and
//! deregistrations are two lanes with one call in flight each, so that a registration which hangs, fails or is throttled
//! never delays a deregistration. A target is in at most one call at a time.
//!
//! What Lattice holds of a target is known ([`Hold::Yes`], [`Hold::Nothing`]) or, when a call got no answer, unknown
//! ([`Hold::Maybe`]), and then it is called again and looked at afterwards.

mod ended;
mod entry;
mod lane;
mod next;

use std::{collections::BTreeMap, time::Duration};

use lattice::Target;
use tokio::time::Instant;

use super::desired::PodRef;
use entry::Entry;
pub use entry::{DRAIN_TIMES, Hold};
use lane::Lane;
pub use lane::Trouble;

/// A call to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// RegisterTargets.
    Register(Vec<Target>),
    /// DeregisterTargets, to be sent by this time or not at all: later on another pod may have an address.
    Deregister(Vec<Target>, Instant),
    /// ListTargets of just these.
    Verify(Vec<Target>),
    /// Ask Kubernetes whether a pod has one of these addresses.
    Lookup(Vec<Target>),
}

/// Something that people should hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Lattice refused a single target.
    Refused {
        /// Whose.
        pod: PodRef,
        /// Which.
        target: Target,
        /// AWS's code and words.
        why: String,
    },
    /// The group takes no more targets.
    Full {
        /// A pod that has no place.
        pod: PodRef,
    },
    /// A deregistration was given up, because another pod has the address by now.
    Released {
        /// Which.
        target: Target,
    },
    /// A registered target was not there when it was looked at.
    Vanished {
        /// Whose.
        pod: PodRef,
        /// Which.
        target: Target,
    },
}

/// A target group as one agent sees it.
#[derive(Debug, Default)]
pub struct Group {
    entries: BTreeMap<Target, Entry>,
    register: Lane,
    deregister: Lane,
    verify: Lane,
    /// What the call of `deregister` takes out.
    taking_out: Vec<Target>,
    looking_up: bool,
    /// It has been told what it should hold. What was registered before the agent started stays until then.
    decided: bool,
    /// A quota stops registrations.
    full: Option<Full>,
}

/// A group that takes no more targets.
#[derive(Debug, Clone, Copy)]
struct Full {
    /// When to try whether there is room.
    try_at: Instant,
    /// With how many targets at most.
    together: usize,
}

/// What the agent may do at the moment, and how it is set.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// Least time between two calls of a lane, in which changes gather.
    pub gather: Duration,
    /// The agent's Lease is fresh, so that nobody acts in its place.
    pub may_deregister: bool,
}

impl Group {
    /// Takes over a target from before the agent started. One that was taken out then counts as taken out now.
    pub fn restore(&mut self, target: Target, pod: PodRef, hold: Hold, now: Instant) {
        let mut entry = Entry::new(pod, false, None);
        entry.hold = hold;
        entry.taken_out = (hold == Hold::Nothing).then_some(now);
        self.entries.insert(target, entry);
    }

    /// Takes over a target that somebody else may have registered meanwhile.
    pub fn take_over(&mut self, target: Target, pod: PodRef) {
        let entry = self.entries.entry(target).or_insert_with(|| Entry::new(pod.clone(), false, None));
        if !entry.wanted {
            entry.pod = pod;
        }
        if entry.hold == Hold::Nothing && !entry.busy {
            entry.hold = Hold::Maybe;
            entry.doubted = false;
        }
    }

    /// Whether the group holds a pod's target, or may.
    #[must_use]
    pub fn holds(&self, uid: &str, target: &Target) -> bool {
        self.entries.get(target).is_some_and(|entry| entry.hold != Hold::Nothing && &*entry.pod.uid == uid)
    }

    /// Sets what the group should hold of this node. Until `safe_until` nobody else can have the addresses of the pods
    /// that leave.
    pub fn want<'a>(
        &mut self,
        wanted: impl Iterator<Item = (Target, &'a PodRef)>,
        now: Instant,
        safe_until: Instant,
    ) {
        let wanted: BTreeMap<Target, &PodRef> = wanted.collect();
        self.decided = true;
        for (target, entry) in &mut self.entries {
            let pod = wanted.get(target);
            if let Some(pod) = pod {
                // An address that passes from one pod of the node to the next stays registered: no call.
                if entry.pod != **pod {
                    entry.pod = (*pod).clone();
                }
            }
            if entry.wanted != pod.is_some() {
                entry.wanted = pod.is_some();
                entry.since = Some(now);
                entry.safe_until = (!entry.wanted).then_some(safe_until);
                entry.verify.clear();
                entry.alone = false;
                entry.retry.reset();
                entry.cleared = None;
            }
        }
        for (target, pod) in wanted {
            self.entries.entry(target).or_insert_with(|| Entry::new(pod.clone(), true, Some(now)));
        }
    }

    /// Whether a call that takes targets out, if it has not been sent yet, should rather not be: one of them is wanted
    /// again.
    #[must_use]
    pub fn regrets(&self) -> bool {
        self.taking_out.iter().any(|target| self.entries.get(target).is_some_and(|entry| entry.wanted))
    }

    /// Doubts everything that was registered: it will be registered again. That is done to be safe rather than because
    /// something went wrong, so nothing is looked at afterwards.
    pub fn doubt(&mut self) {
        for entry in self.entries.values_mut().filter(|entry| entry.hold == Hold::Yes) {
            entry.hold = Hold::Maybe;
            entry.doubted = true;
        }
    }

    /// Every target that Lattice holds or may hold for this node, and what is on its way.
    pub fn owned(&self) -> impl Iterator<Item = Owned<'_>> {
        self.entries.iter().filter(|(_, entry)| entry.wanted || entry.hold != Hold::Nothing).map(
            |(target, entry)| Owned {
                target: *target,
                pod: &entry.pod,
                wanted: entry.wanted || !self.decided,
                hold: entry.hold,
            },
        )
    }

    /// What Lattice holds of a target.
    #[must_use]
    pub fn hold(&self, target: &Target) -> Hold {
        self.entries.get(target).map_or(Hold::Nothing, |entry| entry.hold)
    }

    /// What the agent's successor should believe that Lattice holds of a target. One that has yet to be looked at is
    /// not to be relied upon, and the successor would not know to look.
    #[must_use]
    pub fn to_remember(&self, target: &Target) -> Hold {
        self.entries.get(target).map_or(Hold::Nothing, Entry::to_remember)
    }

    /// All that the agent's successor has to know: what is registered, or about to be, and what was taken out and may still
    /// drain.
    pub fn remembered(&self) -> impl Iterator<Item = (Target, &PodRef, Hold)> {
        self.entries
            .iter()
            .filter(|(_, entry)| entry.to_remember() != Hold::Nothing || entry.taken_out.is_some())
            .map(|(target, entry)| (*target, &entry.pod, entry.to_remember()))
    }

    /// Whose a target is.
    #[must_use]
    pub fn pod(&self, target: &Target) -> Option<&PodRef> {
        self.entries.get(target).map(|entry| &entry.pod)
    }

    /// For how long a target has been waiting to be put in or taken out; `None`: since before the agent started.
    #[must_use]
    pub fn waited(&self, target: &Target, now: Instant) -> Option<Duration> {
        Some(now - self.entries.get(target)?.since?)
    }

    /// How many targets are registered and wanted.
    #[must_use]
    pub fn settled(&self) -> usize {
        self.entries.values().filter(|entry| entry.wanted && entry.hold == Hold::Yes).count()
    }

    /// Whether nothing is left to do or to remember.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether a quota stops registrations.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.full.is_some()
    }

    /// What does not get on.
    pub fn troubles(&self) -> impl Iterator<Item = &Trouble> {
        [&self.register, &self.deregister, &self.verify].into_iter().filter_map(|lane| lane.trouble.as_ref())
    }
}

/// A target that an agent answers for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owned<'a> {
    /// Which.
    pub target: Target,
    /// Whose.
    pub pod: &'a PodRef,
    /// It should be registered, as far as is known.
    pub wanted: bool,
    /// It is.
    pub hold: Hold,
}

#[cfg(test)]
mod tests;
