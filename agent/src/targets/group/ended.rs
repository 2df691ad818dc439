//! What follows from how a call ended.

use std::time::Duration;

use lattice::{Target, TargetState, TargetStatus, limits};
use lattice_client::{Error, Outcome};
use tokio::time::Instant;

use super::{DRAIN_TIMES, Full, Group, Hold, Notice};

/// How long the answer that nobody has an address is good for.
const CLEARED_FOR: Duration = Duration::from_secs(5);

/// How often an agent tries whether a full group has room again: with one target, and while that goes well with twice
/// as many as before.
pub(super) const FULL_PROBE: Duration = Duration::from_secs(30);

impl Group {
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
        self.taking_out.clear();
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
                        // Lattice may say so of a target that it does not hold, which a look tells.
                        entry.verify = vec![now];
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
                        } else if !matches!(error, Error::Throttled { .. } | Error::NotSent { .. }) {
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
                Some(TargetStatus::Draining) if entry.wanted => {
                    if entry.verify.is_empty() {
                        entry.verify.push(now + DRAIN_TIMES[0]);
                    }
                }
                None | Some(TargetStatus::Draining) if !entry.wanted => {
                    entry.hold = Hold::Nothing;
                    entry.taken_out = Some(now);
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

    /// Takes in who has the addresses that were looked up from `since` on: `Some(true)` another pod, `Some(false)` nobody,
    /// `None` not to be told now.
    pub fn looked_up(
        &mut self,
        asked: &[Target],
        taken: &[Option<bool>],
        since: Instant,
        now: Instant,
    ) -> Vec<Notice> {
        self.looking_up = false;
        self.release(asked);
        let mut notices = Vec::new();
        for (target, taken) in asked.iter().zip(taken) {
            let Some(entry) = self.entries.get_mut(target) else {
                continue;
            };
            match taken {
                Some(false) => entry.cleared = Some(since + CLEARED_FOR),
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
}
