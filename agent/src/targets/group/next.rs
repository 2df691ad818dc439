//! Which calls to start now, and when to ask again.

use lattice::{Target, limits};
use tokio::time::Instant;

use super::{DRAIN_TIMES, Group, Hold, Step, Terms, entry::Entry};

impl Group {
    /// The calls to start now, whose targets count as being called, and when to ask again if nothing happens before.
    pub fn next(&mut self, terms: &Terms, now: Instant) -> (Vec<Step>, Option<Instant>) {
        self.forget(now);
        self.forgive();
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
        let due = self.due(now, |entry| entry.wanted && entry.hold != Hold::Yes && !entry.busy);
        let free = self.register.free_at(terms.gather, now)?;
        let start = due.first()?.max(free).max(self.full.map_or(now, |full| full.try_at));
        if start > now {
            wake.at(start);
            return None;
        }
        let most = self.full.map_or(limits::TARGETS_PER_CALL, |full| full.together);
        let targets = due.one_call(most, now);
        self.register.start(now);
        self.mark_busy(&targets);
        Some(Step::Register(targets))
    }

    fn next_deregister(&mut self, terms: &Terms, now: Instant, wake: &mut Wake) -> Option<Step> {
        let due = self.due(now, |entry| entry.leaves() && entry.may_go(now));
        let start = due.first()?.max(self.deregister.free_at(terms.gather, now)?);
        if start > now {
            wake.at(start);
            return None;
        }
        let targets = due.one_call(limits::TARGETS_PER_CALL, now);
        let entries = targets.iter().filter_map(|target| self.entries.get(target));
        let send_by = entries.map(|entry| entry.may_go_until(now)).min()?;
        self.deregister.start(now);
        self.taking_out.clone_from(&targets);
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
            } else if targets.len() < limits::TARGETS_PER_CALL {
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
            .filter(|(_, entry)| entry.wanted && entry.hold == Hold::Yes && !entry.busy || entry.leaves())
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

    fn due(&self, now: Instant, waits: impl Fn(&Entry) -> bool) -> Due {
        let waiting = self.entries.iter().filter(|(_, entry)| waits(entry));
        Due(waiting
            .map(|(target, entry)| (*target, entry.retry.not_before().unwrap_or(now), entry.alone))
            .collect())
    }

    fn mark_busy(&mut self, targets: &[Target]) {
        for target in targets {
            if let Some(entry) = self.entries.get_mut(target) {
                entry.busy = true;
            }
        }
    }

    /// Trouble is over where nothing is left that it could keep from getting on.
    fn forgive(&mut self) {
        let waits = |needs: fn(&Entry) -> bool| self.entries.values().any(needs);
        let registers = waits(|entry| entry.wanted && entry.hold != Hold::Yes);
        let deregisters = waits(|entry| !entry.wanted && entry.hold != Hold::Nothing);
        let verifies = waits(|entry| !entry.verify.is_empty());
        for (lane, needed) in [
            (&mut self.register, registers),
            (&mut self.deregister, deregisters),
            (&mut self.verify, verifies),
        ] {
            if !needed && !lane.busy {
                lane.served();
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
}

/// Targets that wait for a call of one kind: from when on, and whether each has to be called by itself.
struct Due(Vec<(Target, Instant, bool)>);

impl Due {
    /// When the first of them may be called.
    fn first(&self) -> Option<Instant> {
        self.0.iter().map(|(_, at, _)| *at).min()
    }

    /// The targets of the call to make now: as many as may go together, or one that has to go by itself.
    fn one_call(&self, most: usize, now: Instant) -> Vec<Target> {
        let ready = self.0.iter().filter(|(_, at, _)| *at <= now);
        let mut together =
            ready.clone().filter(|(_, _, alone)| !alone).map(|(target, ..)| *target).peekable();
        if together.peek().is_some() {
            together.take(most).collect()
        } else {
            ready.take(1).map(|(target, ..)| *target).collect()
        }
    }
}

/// The earliest of several times.
struct Wake(Option<Instant>);

impl Wake {
    fn at(&mut self, at: Instant) {
        self.0 = Some(self.0.map_or(at, |wake| wake.min(at)));
    }
}
