//! News: how old what the watch of pods tells may be, and so until when a pod's address is surely nobody else's.
//!
//! A watch that lags or was cut off tells late that a pod is gone, and by then another pod may have its address. How
//! late shows in the versions that the API server gives to every write: the pod was still there when the agent's own
//! Lease was renewed at an earlier version, and when that was is known on the agent's own clock.

use std::time::Duration;

use tokio::time::Instant;

/// How long the address of a pod that is gone is given to no other pod.
/// Source: Amazon VPC CNI, `IP_COOLDOWN_PERIOD`, 30 seconds by default.
const COOLDOWN: Duration = Duration::from_secs(30);

/// From this age on a deregistration first makes sure that no other pod has the address by now, however fresh the news
/// that caused it. Half of [`COOLDOWN`], so that news which was late by as much does no harm.
pub const LATE: Duration = Duration::from_secs(15);

/// The last renewals of the Lease, each with its version and when it was asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Renewals([Option<(u64, Instant)>; 4]);

impl Renewals {
    /// Adds the newest one.
    pub fn add(&mut self, version: u64, asked: Instant) {
        self.0.rotate_right(1);
        self.0[0] = Some((version, asked));
    }

    /// A time before which nothing of this version can have happened; `None`: nobody knows.
    #[must_use]
    pub fn not_before(&self, version: u64) -> Option<Instant> {
        self.0.iter().flatten().find(|(renewed, _)| *renewed <= version).map(|(_, asked)| *asked)
    }
}

/// What the watch of pods told since the last decision.
#[derive(Debug, Default)]
pub struct News {
    unknown: bool,
    oldest: Option<Instant>,
}

impl News {
    /// Adds something that cannot have happened before a time; `None`: nobody knows when it happened.
    pub fn hear(&mut self, not_before: Option<Instant>) {
        self.unknown |= not_before.is_none();
        self.oldest = self.oldest.into_iter().chain(not_before).min();
    }

    /// Until when the address of a pod that leaves on this account is nobody else's. Not after `now`: others may have it.
    ///
    /// Without news of pods it is time that made a pod leave, or another object. How old what is known of the pod may be
    /// is not known then: the watch of pods may have died without anybody noticing while others go on.
    #[must_use]
    pub fn safe_until(&self, now: Instant) -> Instant {
        let not_before = self.oldest.filter(|_| !self.unknown);
        not_before.map_or(now, |at| (at + COOLDOWN).min(now + LATE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn news_is_as_old_as_the_renewal_before_it() {
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let mut renewals = Renewals::default();
        for n in 0..6 {
            renewals.add(100 + 10 * n, at(30 * n));
        }
        let now = at(155);
        for (what, versions, expected) in [
            ("nothing heard", vec![], now),
            ("just now", vec![155], at(170)),
            ("before the last renewal", vec![145], at(150)),
            ("long ago", vec![122], at(90)),
            ("before every renewal that is remembered", vec![119], now),
            ("the oldest decides", vec![155, 122], at(90)),
            ("one of unknown age decides", vec![155, 1], now),
        ] {
            let mut news = News::default();
            for version in versions {
                news.hear(renewals.not_before(version));
            }
            assert_eq!(news.safe_until(now), expected, "{what}");
        }
    }
}
