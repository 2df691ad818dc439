//! The simulator's time: tokio's, plus what it was advanced by.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Time since the simulator's start.
pub(crate) type SimTime = Duration;

/// Most that the clock can be ahead of tokio's: ten years, which no test needs and every sum of times bears.
pub(crate) const MAX_ADVANCE: Duration = Duration::from_hours(10 * 365 * 24);

/// Time since the start, and the wall clock that follows from it.
///
/// It stands still while tokio's time is paused, unless it is advanced.
#[derive(Debug)]
pub(crate) struct Clock {
    started: Instant,
    started_wall: Timestamp,
    advanced: Duration,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self { started: Instant::now(), started_wall: Timestamp::now(), advanced: Duration::ZERO }
    }

    pub(crate) fn now(&self) -> SimTime {
        self.started.elapsed() + self.advanced
    }

    /// Advances by as much of `by` as [`MAX_ADVANCE`] leaves.
    pub(crate) fn advance(&mut self, by: Duration) {
        self.advanced = self.advanced.saturating_add(by).min(MAX_ADVANCE);
    }

    /// The wall clock at `time`.
    pub(crate) fn wall(&self, time: SimTime) -> Timestamp {
        let since = SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX);
        self.started_wall.saturating_add(since).unwrap_or(Timestamp::MAX)
    }

    /// The wall clock at `time` as the API writes it: ISO 8601 with milliseconds.
    pub(crate) fn iso(&self, time: SimTime) -> String {
        format!("{:.3}", self.wall(time))
    }

    /// The wall clock at `time` in seconds since 1970 with microseconds.
    pub(crate) fn epoch_seconds(&self, time: SimTime) -> f64 {
        self.wall(time).as_microsecond() as f64 / 1e6
    }
}
