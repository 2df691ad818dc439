//! Rate limits: a token bucket for each operation of each account.

use std::collections::HashMap;

use crate::clock::SimTime;
use crate::settings::Settings;
use crate::settings::value::Rate;

/// The buckets. Their number is bounded by accounts times operations.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    buckets: HashMap<(String, &'static str), Bucket>,
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    at: SimTime,
}

impl Limits {
    /// Whether one more call is within the rate; if so, it is counted.
    pub(crate) fn admit(
        &mut self,
        account: &str,
        operation: &'static str,
        now: SimTime,
        settings: &Settings,
    ) -> bool {
        let Rate::PerSecond(rate) = settings.rate else { return true };
        let burst = settings.burst.0 as f64;
        let key = (account.to_owned(), operation);
        let bucket = self.buckets.entry(key).or_insert(Bucket { tokens: burst, at: now });
        let gained = now.saturating_sub(bucket.at).as_secs_f64() * rate;
        bucket.tokens = (bucket.tokens + gained).min(burst);
        bucket.at = now;
        if bucket.tokens < 1.0 {
            return false;
        }
        bucket.tokens -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn burst_is_admitted_then_the_rate() {
        let settings = Settings::instant()
            .with("api.rate", "2")
            .and_then(|settings| settings.with("api.burst", "3"))
            .unwrap();
        let mut limits = Limits::default();
        let mut admit = |at: f64, account: &str, operation| {
            limits.admit(account, operation, Duration::from_secs_f64(at), &settings)
        };
        let admitted: Vec<bool> = (0..4).map(|_| admit(0.0, "a", "GetService")).collect();
        assert_eq!(admitted, [true, true, true, false]);
        assert!(!admit(0.4, "a", "GetService"));
        assert!(admit(0.5, "a", "GetService"));
        assert!(!admit(0.6, "a", "GetService"));
        // Other operations and other accounts have buckets of their own.
        assert!(admit(0.6, "a", "ListServices"));
        assert!(admit(0.6, "b", "GetService"));
    }
}
