//! One target of a group: what Lattice holds of it, and what hinders the next call.

use std::time::Duration;

use lattice_client::Error;
use tokio::time::Instant;

use super::super::{backoff::Backoff, desired::PodRef};

/// What Lattice may take to let a deregistered target drain. Both figures that AWS has published count, since a target
/// that is registered again meanwhile may vanish when the time is over.
/// Source: VPC Lattice API reference, DeregisterTargets (1 minute); an earlier edition of it (5 minutes).
pub const DRAIN_TIMES: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(300)];

/// How long after a drain time to look, so that the look is not early.
const DRAIN_MARGIN: Duration = Duration::from_secs(5);

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

#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "four independent facts")]
pub(super) struct Entry {
    pub(super) pod: PodRef,
    pub(super) wanted: bool,
    pub(super) hold: Hold,
    /// What it held was doubted, although no call failed.
    pub(super) doubted: bool,
    pub(super) busy: bool,
    /// When it became wanted or unwanted; `None`: before the agent started.
    pub(super) since: Option<Instant>,
    /// Lattice refused it by itself, so it is called by itself.
    pub(super) alone: bool,
    pub(super) retry: Backoff,
    /// When to look at it, the next first.
    pub(super) verify: Vec<Instant>,
    /// When it was taken out, if it was.
    pub(super) taken_out: Option<Instant>,
    /// Until when nobody else can have its address, for want of time since its pod had it.
    pub(super) safe_until: Option<Instant>,
    /// Until when nobody is known to have its address.
    pub(super) cleared: Option<Instant>,
}

impl Entry {
    pub(super) fn new(pod: PodRef, wanted: bool, since: Option<Instant>) -> Self {
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

    pub(super) fn to_remember(&self) -> Hold {
        match self.hold {
            Hold::Yes if !self.verify.is_empty() => Hold::Maybe,
            // A call that puts it in is on its way.
            Hold::Nothing if self.wanted && self.busy => Hold::Maybe,
            hold => hold,
        }
    }

    /// Whether it has to be taken out and can be called.
    pub(super) fn leaves(&self) -> bool {
        !self.wanted && self.hold != Hold::Nothing && !self.busy
    }

    /// Whether it may be taken out without asking who has its address.
    pub(super) fn may_go(&self, now: Instant) -> bool {
        self.may_go_until(now) > now
    }

    /// Until when that is so; in the past if it is not.
    pub(super) fn may_go_until(&self, now: Instant) -> Instant {
        let fresh = self.safe_until.filter(|_| self.retry.attempts() == 0);
        fresh.into_iter().chain(self.cleared).max().unwrap_or(now)
    }

    /// Takes in that the call which it was part of was refused as a whole: one of its targets may be at fault, so each
    /// is called by itself from now on, and waits by itself once it is known to be the one.
    pub(super) fn refused(&mut self, error: &Error, sent: usize, now: Instant) {
        if matches!(error, Error::Refused { .. }) {
            self.alone = true;
            if sent == 1 {
                self.retry.failed(now, true);
            }
        }
    }

    pub(super) fn put_in(&mut self, now: Instant) {
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
