//! The simulator's time: tokio's, plus what it was advanced by.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// Time since the simulator's start.
pub(crate) type SimTime = Duration;

/// Most that the clock can be ahead of tokio's: ten years, which no test needs and every sum of times bears.
pub(crate) const MAX_ADVANCE: Duration = Duration::from_hours(10 * 365 * 24);

/// Time since the start, and the wall clock that follows from it.
///
/// It stands still while tokio's time is paused and while it is frozen, unless it is advanced.
#[derive(Debug)]
pub(crate) struct Clock {
    /// The wall clock at the time zero.
    zero: Timestamp,
    /// Time at `since`.
    at: SimTime,
    /// When time was `at`; `None` while it is frozen.
    since: Option<Instant>,
    advanced: Duration,
}

/// A clock as it is kept.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Kept {
    zero: Timestamp,
    at: SimTime,
    advanced: Duration,
    /// The real wall clock when it was kept.
    written: Timestamp,
}

impl Clock {
    /// A clock whose time zero is now, on the wall clock at `start` where that is given.
    pub(crate) fn new(start: Option<Timestamp>, frozen: bool) -> Self {
        Self {
            zero: start.unwrap_or_else(Timestamp::now),
            at: SimTime::ZERO,
            since: (!frozen).then(Instant::now),
            advanced: Duration::ZERO,
        }
    }

    pub(crate) fn now(&self) -> SimTime {
        self.at + self.since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Stops the clock, or lets it go on from where it stands.
    pub(crate) fn freeze(&mut self, frozen: bool) {
        if frozen != self.since.is_none() {
            self.at = self.now();
            self.since = (!frozen).then(Instant::now);
        }
    }

    /// Advances by as much of `by` as [`MAX_ADVANCE`] leaves.
    pub(crate) fn advance(&mut self, by: Duration) {
        let advanced = self.advanced.saturating_add(by).min(MAX_ADVANCE);
        self.at += advanced.saturating_sub(self.advanced);
        self.advanced = advanced;
    }

    /// The wall clock at `time`.
    pub(crate) fn wall(&self, time: SimTime) -> Timestamp {
        let since = SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX);
        self.zero.saturating_add(since).unwrap_or(Timestamp::MAX)
    }

    /// The wall clock at `time` as the API writes it: ISO 8601 with milliseconds.
    pub(crate) fn iso(&self, time: SimTime) -> String {
        format!("{:.3}", self.wall(time))
    }

    /// The wall clock at `time` in seconds since 1970 with microseconds.
    pub(crate) fn epoch_seconds(&self, time: SimTime) -> f64 {
        self.wall(time).as_microsecond() as f64 / 1e6
    }

    /// As [`Clock::epoch_seconds`], without what the clock was moved on by now.
    pub(crate) fn machine_seconds(&self, time: SimTime) -> f64 {
        self.epoch_seconds(time) - self.advanced.as_secs_f64()
    }

    /// What has to be kept of it.
    pub(crate) fn keep(&self) -> Kept {
        Kept { zero: self.zero, at: self.now(), advanced: self.advanced, written: Timestamp::now() }
    }

    /// The clock that was kept. Unless it is frozen, the time since then has passed for it too.
    pub(crate) fn resume(kept: &Kept, frozen: bool) -> Self {
        let away = Timestamp::now().duration_since(kept.written);
        let away = if frozen { Duration::ZERO } else { Duration::try_from(away).unwrap_or_default() };
        Self {
            zero: kept.zero,
            at: kept.at + away.min(MAX_ADVANCE),
            since: (!frozen).then(Instant::now),
            advanced: kept.advanced,
        }
    }
}
