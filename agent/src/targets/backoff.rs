//! How long to wait before something that failed is tried again.

use std::time::Duration;

use tokio::time::Instant;

/// The first wait: long enough that an endpoint which restarts is not hammered, short enough to go unnoticed.
const FIRST: Duration = Duration::from_millis(200);

/// The longest wait for what mends itself.
const LONGEST: Duration = Duration::from_secs(10);

/// The longest wait for what an operator has to mend.
const LONGEST_FOR_OPERATOR: Duration = Duration::from_secs(60);

/// Waits that double from 200 ms to a bound, each shortened by up to half at random, so that many nodes do not come
/// back at once.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Backoff {
    attempts: u32,
    not_before: Option<Instant>,
}

impl Backoff {
    /// How often it failed in a row.
    #[must_use]
    pub(super) fn attempts(&self) -> u32 {
        self.attempts
    }

    /// When to try again; `None`: at once.
    #[must_use]
    pub(super) fn not_before(&self) -> Option<Instant> {
        self.not_before
    }

    /// It failed.
    pub(super) fn failed(&mut self, now: Instant, needs_operator: bool) {
        let longest = if needs_operator { LONGEST_FOR_OPERATOR } else { LONGEST };
        let doubled = FIRST.saturating_mul(2_u32.saturating_pow(self.attempts)).min(longest);
        self.attempts = self.attempts.saturating_add(1);
        self.not_before = Some(now + doubled.mul_f64(fastrand::f64().mul_add(0.5, 0.5)));
    }

    /// It succeeded.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waits_double_up_to_a_bound() {
        for (needs_operator, longest) in [(false, LONGEST), (true, LONGEST_FOR_OPERATOR)] {
            let now = Instant::now();
            let mut backoff = Backoff::default();
            assert_eq!(backoff.not_before(), None);
            let mut bound = FIRST;
            for _ in 0..40 {
                backoff.failed(now, needs_operator);
                let wait = backoff.not_before().unwrap() - now;
                assert!(wait >= bound / 2 && wait <= bound, "{wait:?} of {bound:?}");
                bound = (bound * 2).min(longest);
            }
            backoff.reset();
            assert_eq!(backoff.not_before(), None);
        }
    }
}
