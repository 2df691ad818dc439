//! Sync, one group: what to call next so that Lattice holds what it should. No I/O.
//!
//! [`Group`] is told what is wanted and how calls ended, and tells which calls to start. Registrations and
//! deregistrations are two lanes with one call in flight each, so that a registration which hangs, fails or is throttled
//! never delays a deregistration. A target is in at most one call at a time.
//!
//! What Lattice holds of a target is known ([`Hold::Yes`], [`Hold::Nothing`]) or, when a call got no answer, unknown
//! ([`Hold::Maybe`]), and then it is called again and looked at afterwards.

use std::{collections::BTreeMap, time::Duration};

use lattice::{Target, TargetState, TargetStatus, limits};
use lattice_client::{Error, Outcome};
use tokio::time::Instant;

use super::{backoff::Backoff, desired::PodRef};

/// What Lattice may take to let a deregistered target drain. Both figures that AWS has published count, since a target
/// that is registered again meanwhile may vanish when the time is over.
/// Source: VPC Lattice API reference, DeregisterTargets (1 minute); an earlier edition of it (5 minutes).
pub const DRAIN_TIMES: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(300)];

/// How long after a drain time to look, so that the look is not early.
const DRAIN_MARGIN: Duration = Duration::from_secs(5);

/// How long the answer that nobody has an address is good for.
const CLEARED_FOR: Duration = Duration::from_secs(5);

/// How often an agent tries whether a full group has room again: with one target, and while that goes well with twice
/// as many as before.
const FULL_PROBE: Duration = Duration::from_secs(30);

/// Most targets whose address is looked up at once; the next ones follow.
const LOOKUPS: usize = 20;

/// What Lattice holds of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// It is not registered, or was taken out.
    Nothing,
    /// Nobody knows: a call got no answer, or the agent ended before it did.
    Maybe,
    /// It is registered.
    Yes,
}

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

/// Why a lane does not get on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The label of the error.
    pub label: &'static str,
    /// What was being done and the likely cause.
    pub message: String,
    /// Whether only an operator can help.
    pub needs_operator: bool,
}

/// A target group as one agent sees it.
#[derive(Debug, Default)]
pub struct Group {
    entries: BTreeMap<Target, Entry>,
    register: Lane,
    deregister: Lane,
    verify: Lane,
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

#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "four independent facts")]
struct Entry {
    pod: PodRef,
    wanted: bool,
    hold: Hold,
    /// What it held was doubted, although no call failed.
    doubted: bool,
    busy: bool,
    /// When it became wanted or unwanted; `None`: before the agent started.
    since: Option<Instant>,
    /// Lattice refused it by itself, so it is called by itself.
    alone: bool,
    retry: Backoff,
    /// When to look at it, the next first.
    verify: Vec<Instant>,
    /// When it was taken out, if it was.
    taken_out: Option<Instant>,
    /// Until when nobody else can have its address, for want of time since its pod had it.
    safe_until: Option<Instant>,
    /// Until when nobody is known to have its address.
    cleared: Option<Instant>,
}

/// Calls of one kind, one at a time.
#[derive(Debug, Default)]
struct Lane {
    busy: bool,
    /// When the last call started, for the least time between two.
    started: Option<Instant>,
    retry: Backoff,
    trouble: Option<Trouble>,
}

impl Lane {
    /// When the lane is free for another call; `None`: when its call ends.
    fn free_at(&self, gap: Duration, now: Instant) -> Option<Instant> {
        if self.busy {
            return None;
        }
        let after_last = self.started.map(|started| started + gap);
        after_last.into_iter().chain(self.retry.not_before()).chain([now]).max()
    }

    fn start(&mut self, now: Instant) {
        self.busy = true;
        self.started = Some(now);
    }

    fn served(&mut self) {
        self.retry.reset();
        self.trouble = None;
    }

    fn failed(&mut self, error: &Error, now: Instant) {
        // The pacer already waits on behalf of throttled calls, and refused targets wait each for itself.
        if !matches!(error, Error::Throttled { .. } | Error::Refused { .. }) {
            self.retry.failed(now, error.needs_operator());
        }
        self.trouble = Some(Trouble {
            label: error.label(),
            message: error.chain(),
            needs_operator: error.needs_operator(),
        });
    }
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

    /// Whether the group held a pod's target when the agent started, or may have.
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
                entry.alone = false;
                entry.retry.reset();
                entry.cleared = None;
            }
        }
        for (target, pod) in wanted {
            self.entries.entry(target).or_insert_with(|| Entry::new(pod.clone(), true, Some(now)));
        }
    }

    /// Doubts everything that was registered: it will be registered again. That is done to be safe rather than because
    /// something went wrong, so nothing is looked at afterwards.
    pub fn doubt(&mut self) {
        for entry in self.entries.values_mut().filter(|entry| entry.hold == Hold::Yes) {
            entry.hold = Hold::Maybe;
            entry.doubted = true;
        }
    }

    /// The calls to start now, whose targets count as being called, and when to ask again if nothing happens before.
    pub fn next(&mut self, terms: &Terms, now: Instant) -> (Vec<Step>, Option<Instant>) {
        self.forget(now);
        let mut steps = Vec::new();
        let mut wake = Wake(None);
        // Registrations first: a group in which the new pods are before the old ones leave is never empty.
        steps.extend(self.next_register(terms, now, &mut wake));
        if terms.may_deregister && self.decided {
            steps.extend(self.next_deregister(terms, now, &mut wake));
            steps.extend(self.next_lookup(now, &mut wake));
        }
        steps.extend(self.next_verify(terms, now, &mut wake));
        (steps, wake.0)
    }

    fn next_register(&mut self, terms: &Terms, now: Instant, wake: &mut Wake) -> Option<Step> {
        let due: Vec<(Target, Instant, bool)> = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.wanted && entry.hold != Hold::Yes && !entry.busy)
            .map(|(target, entry)| (*target, entry.retry.not_before().unwrap_or(now), entry.alone))
            .collect();
        let first = due.iter().map(|(_, at, _)| *at).min()?;
        let free = self.register.free_at(terms.gather, now)?;
        let start = first.max(free).max(self.full.map_or(now, |full| full.try_at));
        if start > now {
            wake.at(start);
            return None;
        }
        let ready = due.iter().filter(|(_, at, _)| *at <= now);
        let together: Vec<Target> =
            ready.clone().filter(|(_, _, alone)| !alone).map(|(target, ..)| *target).collect();
        let most = self.full.map_or(limits::TARGETS_PER_CALL, |full| full.together);
        let targets: Vec<Target> = match lattice::batch::calls(&together).next() {
            Some(together) => together.iter().take(most).copied().collect(),
            None => ready.take(1).map(|(target, ..)| *target).collect(),
        };
        self.register.start(now);
        self.mark_busy(&targets);
        Some(Step::Register(targets))
    }

    fn next_deregister(&mut self, terms: &Terms, now: Instant, wake: &mut Wake) -> Option<Step> {
        let due: Vec<(Target, Instant, bool)> = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.leaves() && entry.may_go(now))
            .map(|(target, entry)| (*target, entry.retry.not_before().unwrap_or(now), entry.alone))
            .collect();
        let first = due.iter().map(|(_, at, _)| *at).min()?;
        let free = self.deregister.free_at(terms.gather, now)?;
        let start = first.max(free);
        if start > now {
            wake.at(start);
            return None;
        }
        let ready = due.iter().filter(|(_, at, _)| *at <= now);
        let together: Vec<Target> =
            ready.clone().filter(|(_, _, alone)| !alone).map(|(target, ..)| *target).collect();
        let targets = match lattice::batch::calls(&together).next() {
            Some(together) => together.to_vec(),
            None => ready.take(1).map(|(target, ..)| *target).collect(),
        };
        let entries = targets.iter().filter_map(|target| self.entries.get(target));
        let send_by = entries.map(|entry| entry.may_go_until(now)).min()?;
        self.deregister.start(now);
        self.mark_busy(&targets);
        Some(Step::Deregister(targets, send_by))
    }

    fn next_lookup(&mut self, now: Instant, wake: &mut Wake) -> Option<Step> {
        if self.looking_up {
            return None;
        }
        let mut targets = Vec::new();
        for (target, entry) in self.entries.iter().filter(|(_, entry)| entry.leaves() && !entry.may_go(now)) {
            let at = entry.retry.not_before().unwrap_or(now);
            if at > now {
                wake.at(at);
            } else if targets.len() < LOOKUPS {
                targets.push(*target);
            }
        }
        if targets.is_empty() {
            return None;
        }
        self.looking_up = true;
        self.mark_busy(&targets);
        Some(Step::Lookup(targets))
    }

    fn next_verify(&mut self, terms: &Terms, now: Instant, wake: &mut Wake) -> Option<Step> {
        let due: Vec<(Target, Instant)> = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.wanted && entry.hold == Hold::Yes && !entry.busy)
            .filter_map(|(target, entry)| Some((*target, *entry.verify.first()?)))
            .collect();
        let first = due.iter().map(|(_, at)| *at).min()?;
        let start = first.max(self.verify.free_at(terms.gather, now)?);
        if start > now {
            wake.at(start);
            return None;
        }
        let targets: Vec<Target> = due
            .iter()
            .filter(|(_, at)| *at <= now)
            .map(|(target, _)| *target)
            .take(limits::TARGETS_PER_FILTER)
            .collect();
        self.verify.start(now);
        self.mark_busy(&targets);
        Some(Step::Verify(targets))
    }

    fn mark_busy(&mut self, targets: &[Target]) {
        for target in targets {
            if let Some(entry) = self.entries.get_mut(target) {
                entry.busy = true;
            }
        }
    }

    /// Forgets targets that were taken out so long ago that their address is as good as new.
    fn forget(&mut self, now: Instant) {
        self.entries.retain(|_, entry| {
            entry.wanted
                || entry.busy
                || entry.hold != Hold::Nothing
                || entry.taken_out.is_some_and(|taken_out| now < taken_out + DRAIN_TIMES[1])
        });
    }

    /// Takes in how a RegisterTargets ended.
    pub fn registered(
        &mut self,
        sent: &[Target],
        result: &Result<Outcome, Error>,
        now: Instant,
    ) -> Vec<Notice> {
        self.register.busy = false;
        self.release(sent);
        let mut notices = Vec::new();
        match result {
            Ok(outcome) => {
                self.register.served();
                for target in &outcome.done {
                    if let Some(entry) = self.entries.get_mut(target) {
                        entry.put_in(now);
                    }
                }
                self.full = self.full.and_then(|full| {
                    let together = full.together * 2;
                    let waiting = self.entries.values().any(|entry| entry.wanted && entry.hold != Hold::Yes);
                    (waiting && together <= limits::TARGETS_PER_CALL)
                        .then_some(Full { try_at: now, together })
                });
                for failure in &outcome.failed {
                    if let Some(entry) = self.entries.get_mut(&failure.target) {
                        let first = entry.retry.attempts() == 0;
                        entry.alone = true;
                        entry.retry.failed(now, false);
                        if first {
                            notices.push(Notice::Refused {
                                pod: entry.pod.clone(),
                                target: failure.target,
                                why: format!("{}: {}", failure.code, failure.message),
                            });
                        }
                    }
                }
            }
            Err(Error::Full { .. }) => {
                if self.full.is_none() {
                    let pods = sent.iter().filter_map(|target| self.entries.get(target));
                    notices.extend(pods.map(|entry| Notice::Full { pod: entry.pod.clone() }));
                }
                self.full = Some(Full { try_at: now + FULL_PROBE, together: 1 });
            }
            Err(error) => {
                self.register.failed(error, now);
                for target in sent {
                    if let Some(entry) = self.entries.get_mut(target) {
                        if error.may_have_applied() {
                            entry.hold = Hold::Maybe;
                            entry.doubted = false;
                        }
                        entry.refused(error, sent.len(), now);
                    }
                }
            }
        }
        notices
    }

    /// Takes in how a DeregisterTargets ended.
    pub fn deregistered(&mut self, sent: &[Target], result: &Result<Outcome, Error>, now: Instant) {
        self.deregister.busy = false;
        self.release(sent);
        match result {
            Ok(outcome) => {
                self.deregister.served();
                // There is room again, perhaps.
                if let Some(full) = self.full.as_mut().filter(|_| !outcome.done.is_empty()) {
                    full.try_at = now;
                }
                for target in &outcome.done {
                    self.take_out(target, now);
                }
                for failure in &outcome.failed {
                    if let Some(entry) = self.entries.get_mut(&failure.target) {
                        entry.alone = true;
                        entry.retry.failed(now, false);
                        // Lattice may say so of a target that it does not hold. Two refusals in a row, with a lookup
                        // between them, and it is left to the audit.
                        if entry.retry.attempts() > 1 {
                            entry.hold = Hold::Nothing;
                            entry.taken_out = Some(now);
                        }
                    }
                }
            }
            // The group is gone, and its targets with it.
            Err(Error::Missing { .. }) => {
                self.deregister.served();
                for target in sent {
                    self.take_out(target, now);
                }
            }
            Err(error) => {
                self.deregister.failed(error, now);
                for target in sent {
                    if let Some(entry) = self.entries.get_mut(target) {
                        entry.cleared = None;
                        if error.may_have_applied() {
                            entry.hold = Hold::Maybe;
                        }
                        if matches!(error, Error::Refused { .. }) {
                            entry.refused(error, sent.len(), now);
                        } else if !matches!(error, Error::Throttled { .. }) {
                            entry.retry.failed(now, error.needs_operator());
                        }
                    }
                }
            }
        }
    }

    /// Takes in how a ListTargets ended.
    pub fn verified(
        &mut self,
        asked: &[Target],
        result: &Result<Vec<TargetState>, Error>,
        now: Instant,
    ) -> Vec<Notice> {
        self.verify.busy = false;
        self.release(asked);
        let states = match result {
            Ok(states) => {
                self.verify.served();
                states
            }
            Err(error) => {
                self.verify.failed(error, now);
                return Vec::new();
            }
        };
        let mut notices = Vec::new();
        for target in asked {
            let Some(entry) = self.entries.get_mut(target) else {
                continue;
            };
            if !entry.verify.is_empty() {
                entry.verify.remove(0);
            }
            match states.iter().find(|state| state.target == *target).map(|state| state.status) {
                // Accepted, but still on its way out: whether it stays shows when the drain time is over.
                Some(TargetStatus::Draining) => {
                    if entry.verify.is_empty() {
                        entry.verify.push(now + DRAIN_TIMES[0]);
                    }
                }
                Some(_) => {}
                None => {
                    entry.hold = Hold::Nothing;
                    entry.taken_out = Some(now);
                    notices.push(Notice::Vanished { pod: entry.pod.clone(), target: *target });
                }
            }
        }
        notices
    }

    /// Takes in who has the addresses that were looked up: `Some(true)` another pod, `Some(false)` nobody, `None`
    /// Kubernetes did not answer.
    pub fn looked_up(&mut self, asked: &[Target], taken: &[Option<bool>], now: Instant) -> Vec<Notice> {
        self.looking_up = false;
        self.release(asked);
        let mut notices = Vec::new();
        for (target, taken) in asked.iter().zip(taken) {
            let Some(entry) = self.entries.get_mut(target) else {
                continue;
            };
            match taken {
                Some(false) => entry.cleared = Some(now + CLEARED_FOR),
                // Kubernetes is asked again later, and until then the target stays.
                None => entry.retry.failed(now, false),
                Some(true) if entry.wanted => {}
                Some(true) => {
                    self.entries.remove(target);
                    notices.push(Notice::Released { target: *target });
                }
            }
        }
        notices
    }

    fn release(&mut self, targets: &[Target]) {
        for target in targets {
            if let Some(entry) = self.entries.get_mut(target) {
                entry.busy = false;
            }
        }
    }

    fn take_out(&mut self, target: &Target, now: Instant) {
        if let Some(entry) = self.entries.get_mut(target) {
            entry.hold = Hold::Nothing;
            entry.taken_out = Some(now);
            entry.verify.clear();
            entry.retry.reset();
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

    /// All that the agent's successor has to know: what is registered, and what was taken out and may still drain.
    pub fn remembered(&self) -> impl Iterator<Item = (Target, &PodRef, Hold)> {
        self.entries
            .iter()
            .filter(|(_, entry)| entry.hold != Hold::Nothing || entry.taken_out.is_some())
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

impl Entry {
    fn new(pod: PodRef, wanted: bool, since: Option<Instant>) -> Self {
        Self {
            pod,
            wanted,
            hold: Hold::Nothing,
            doubted: false,
            busy: false,
            since,
            alone: false,
            retry: Backoff::default(),
            verify: Vec::new(),
            taken_out: None,
            safe_until: None,
            cleared: None,
        }
    }

    fn to_remember(&self) -> Hold {
        if self.hold == Hold::Yes && !self.verify.is_empty() { Hold::Maybe } else { self.hold }
    }

    /// Whether it has to be taken out and can be called.
    fn leaves(&self) -> bool {
        !self.wanted && self.hold != Hold::Nothing && !self.busy
    }

    /// Whether it may be taken out without asking who has its address.
    fn may_go(&self, now: Instant) -> bool {
        self.may_go_until(now) > now
    }

    /// Until when that is so; in the past if it is not.
    fn may_go_until(&self, now: Instant) -> Instant {
        let fresh = self.safe_until.filter(|_| self.retry.attempts() == 0);
        fresh.into_iter().chain(self.cleared).max().unwrap_or(now)
    }

    /// Takes in that the call which it was part of was refused as a whole: one of its targets may be at fault, so each
    /// is called by itself from now on, and waits by itself once it is known to be the one.
    fn refused(&mut self, error: &Error, sent: usize, now: Instant) {
        if matches!(error, Error::Refused { .. }) {
            self.alone = true;
            if sent == 1 {
                self.retry.failed(now, true);
            }
        }
    }

    fn put_in(&mut self, now: Instant) {
        let draining = self.taken_out.is_some_and(|taken_out| now < taken_out + DRAIN_TIMES[1]);
        if self.hold == Hold::Maybe && !self.doubted || draining {
            // Lattice may have answered for a state that does not last, so it is looked at now and afterwards.
            let from = self.taken_out.unwrap_or(now);
            self.verify = DRAIN_TIMES.iter().map(|drain| from + *drain + DRAIN_MARGIN).collect();
            self.verify.retain(|at| *at > now);
            self.verify.insert(0, now);
        }
        self.hold = Hold::Yes;
        self.doubted = false;
        self.alone = false;
        self.retry.reset();
        self.taken_out = None;
    }
}

/// The earliest of several times.
struct Wake(Option<Instant>);

impl Wake {
    fn at(&mut self, at: Instant) {
        self.0 = Some(self.0.map_or(at, |wake| wake.min(at)));
    }
}

#[cfg(test)]
mod tests;
