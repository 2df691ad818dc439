//! Readiness: what a daemon still waits for, and what it does without.
//!
//! Something it waits for makes `/readyz` fail; something it does without is listed there and changes nothing, because
//! a daemon that reports itself unready stalls the upgrade that would mend it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The readiness of a daemon. Clones share one state.
#[derive(Debug, Clone, Default)]
pub struct Readiness(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    waiting: BTreeMap<&'static str, usize>,
    degraded: BTreeMap<String, String>,
}

/// What `/readyz` shows.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Report {
    /// Whether nothing is waited for.
    pub ready: bool,
    /// What is waited for.
    pub waiting_for: Vec<&'static str>,
    /// What is done without, and why.
    pub degraded: BTreeMap<String, String>,
}

impl Readiness {
    /// Blocks readiness until the result is dropped.
    #[must_use]
    pub fn wait_for(&self, what: &'static str) -> BlockReady {
        *self.state().waiting.entry(what).or_default() += 1;
        BlockReady { readiness: self.clone(), what }
    }

    /// Lists `what` as done without, for the reason given.
    pub fn degrade(&self, what: &str, why: impl Into<String>) {
        self.state().degraded.insert(what.into(), why.into());
    }

    /// Takes `what` off the list of what is done without.
    pub fn restore(&self, what: &str) {
        self.state().degraded.remove(what);
    }

    /// The state now.
    #[must_use]
    pub fn report(&self) -> Report {
        let state = self.state();
        Report {
            ready: state.waiting.is_empty(),
            waiting_for: state.waiting.keys().copied().collect(),
            degraded: state.degraded.clone(),
        }
    }

    /// The state, also when a thread has panicked while it held the lock: each change to it is a single step.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Blocks readiness until it is dropped.
#[derive(Debug)]
pub struct BlockReady {
    readiness: Readiness,
    what: &'static str,
}

impl Drop for BlockReady {
    fn drop(&mut self) {
        let mut state = self.readiness.state();
        if let Some(count) = state.waiting.get_mut(self.what) {
            *count -= 1;
            if *count == 0 {
                state.waiting.remove(self.what);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_once_everything_waited_for_is_there() {
        let readiness = Readiness::default();
        assert!(readiness.report().ready);
        let pods = readiness.wait_for("pods");
        let more_pods = readiness.wait_for("pods");
        assert_eq!(readiness.report().waiting_for, ["pods"]);
        drop(pods);
        assert!(!readiness.report().ready);
        drop(more_pods);
        assert!(readiness.report().ready);
    }

    #[test]
    fn a_degraded_daemon_is_ready_and_says_what_it_lacks() {
        let readiness = Readiness::default();
        readiness.degrade("journal", "read-only file system");
        let report = readiness.report();
        assert!(report.ready);
        assert_eq!(report.degraded["journal"], "read-only file system");
        readiness.restore("journal");
        assert!(readiness.report().degraded.is_empty());
    }
}
