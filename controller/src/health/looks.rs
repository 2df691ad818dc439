//! When to look at a target again, and how many looks there may be.

use std::time::Duration;

use tokio::time::Instant;

/// The first look after a pod became ready: by then its agent has registered it (milliseconds and one call).
pub const FIRST: Duration = Duration::from_millis(200);

/// The longest wait between looks while a verdict is near. Leaves 200 ms of the second within which a gate has to
/// open after Lattice's verdict for the call and the patch.
pub const NEAR: Duration = Duration::from_millis(800);

/// The interval assumed of a group whose checks are off or which is not known yet.
const NO_INTERVAL: Duration = Duration::from_secs(5);

/// How long to wait for the next look at a target that has been registered for `age`, in a group that checks its
/// targets every `interval`.
///
/// A new target needs one passing check, which comes within an interval: until two have passed the looks are close
/// together. A target that has failed for longer is looked at ever more seldom, at most once an interval.
#[must_use]
pub fn wait(age: Duration, interval: Option<Duration>) -> Duration {
    let interval = interval.unwrap_or(NO_INTERVAL);
    let near = age <= interval * 2 + Duration::from_secs(2);
    let longest = if near {
        NEAR.min(interval / 5).max(FIRST)
    } else {
        (age / 8).clamp(interval / 5, interval.max(NEAR))
    };
    (age / 4).clamp(FIRST, longest)
}

/// A share of calls: so many a second, and as many at once.
#[derive(Debug)]
pub struct Share {
    per_second: f64,
    left: f64,
    filled: Instant,
}

impl Share {
    /// A full share.
    #[must_use]
    pub fn new(per_second: f64, now: Instant) -> Self {
        Self { per_second, left: per_second.max(1.0), filled: now }
    }

    /// Takes a call, or says when there will be one.
    ///
    /// # Errors
    /// When the share is used up: the time at which a call is left.
    pub fn take(&mut self, now: Instant) -> Result<(), Instant> {
        let passed = now.saturating_duration_since(self.filled).as_secs_f64();
        self.filled = now;
        self.left = (self.left + passed * self.per_second).min(self.per_second.max(1.0));
        if self.left >= 1.0 {
            self.left -= 1.0;
            Ok(())
        } else {
            let missing = Duration::from_secs_f64((1.0 - self.left) / self.per_second);
            Err(now + missing + Duration::from_nanos(1))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_close_together_while_a_verdict_is_near_and_seldom_later() {
        let ms = Duration::from_millis;
        for (age, interval, expected) in [
            (ms(0), Some(30_000), ms(200)),
            (ms(1_000), Some(30_000), ms(250)),
            (ms(10_000), Some(30_000), ms(800)),
            (ms(60_000), Some(30_000), ms(800)),
            (ms(63_000), Some(30_000), ms(7_875)),
            (ms(3_600_000), Some(30_000), ms(30_000)),
            (ms(10_000), Some(5_000), ms(800)),
            (ms(100_000), Some(5_000), ms(5_000)),
            (ms(2_000), None, ms(500)),
        ] {
            assert_eq!(wait(age, interval.map(ms)), expected, "age {age:?}, interval {interval:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_share_is_spent_and_refills() {
        let start = Instant::now();
        let mut share = Share::new(2.0, start);
        assert_eq!(share.take(start), Ok(()));
        assert_eq!(share.take(start), Ok(()));
        let again = share.take(start).unwrap_err();
        assert!(again - start >= Duration::from_millis(500), "{:?}", again - start);
        assert_eq!(share.take(again), Ok(()));
        assert!(share.take(again).is_err());
        // What is not used is not saved up beyond a second's worth.
        let later = again + Duration::from_secs(60);
        assert_eq!([(); 3].map(|()| share.take(later).is_ok()), [true, true, false]);
    }
}
