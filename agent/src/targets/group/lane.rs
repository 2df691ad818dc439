//! Calls of one kind for one group, one at a time, and what becomes of those that fail.

use std::time::Duration;

use lattice_client::Error;
use tokio::time::Instant;

use super::super::backoff::Backoff;

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

/// Calls of one kind, one at a time.
#[derive(Debug, Default)]
pub(super) struct Lane {
    pub(super) busy: bool,
    /// When the last call started, for the least time between two.
    pub(super) started: Option<Instant>,
    pub(super) retry: Backoff,
    pub(super) trouble: Option<Trouble>,
}

impl Lane {
    /// When the lane is free for another call; `None`: when its call ends.
    pub(super) fn free_at(&self, gap: Duration, now: Instant) -> Option<Instant> {
        if self.busy {
            return None;
        }
        let after_last = self.started.map(|started| started + gap);
        after_last.into_iter().chain(self.retry.not_before()).chain([now]).max()
    }

    pub(super) fn start(&mut self, now: Instant) {
        self.busy = true;
        self.started = Some(now);
    }

    pub(super) fn served(&mut self) {
        self.retry.reset();
        self.trouble = None;
    }

    pub(super) fn failed(&mut self, error: &Error, now: Instant) {
        if matches!(error, Error::NotSent { .. }) {
            return;
        }
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
