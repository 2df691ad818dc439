//! What came of the demo, in figures.

use std::{collections::BTreeSet, fmt::Write as _};

use super::observe::{Row, Seen};
use crate::load::{Outcome, PORT};

/// What became of a rollout under load.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rollout {
    /// How the pods were set.
    pub what: String,
    /// Whether no request may be lost that way.
    pub lossless: bool,
    pub outcome: Outcome,
}

impl Rollout {
    /// Whether it did what it was to show. One without a request shows nothing.
    fn is_clean(&self) -> bool {
        self.outcome.requests() > 0 && (self.outcome.failures == 0 || !self.lossless)
    }
}

/// The figures.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Summary {
    /// Pods that were registered.
    pub pods: usize,
    /// Milliseconds from ready to RegisterTargets: median and 99th percentile.
    pub latency_ms: Option<(f64, f64)>,
    /// Calls by operation.
    pub calls: Vec<(String, u64)>,
    /// Ready pods that are not at Lattice.
    pub lost: Vec<String>,
    /// Addresses at Lattice that are no living pod's.
    pub stale: Vec<String>,
    /// Registrations of what was registered already.
    pub repeated: u64,
    /// The rollouts under load.
    pub rollouts: Vec<Rollout>,
}

impl Summary {
    /// What was seen by now.
    pub(super) fn of(seen: &Seen, rollouts: Vec<Rollout>) -> Self {
        let mut latencies: Vec<f64> = seen.pods.values().filter_map(Row::latency_ms).collect();
        latencies.sort_by(f64::total_cmp);
        let living = || seen.pods.values().filter(|row| !row.gone && !row.leaving);
        let addresses: BTreeSet<String> = living().map(|row| format!("{}:{PORT}", row.address)).collect();
        Self {
            pods: latencies.len(),
            latency_ms: percentile(&latencies, 50).zip(percentile(&latencies, 99)),
            calls: seen.calls.iter().map(|(operation, count)| (operation.clone(), *count)).collect(),
            lost: living()
                .filter(|row| row.ready && !seen.targets.contains(&format!("{}:{PORT}", row.address)))
                .map(|row| row.name.clone())
                .collect(),
            stale: seen.targets.difference(&addresses).cloned().collect(),
            repeated: seen.repeated,
            rollouts,
        }
    }

    /// Whether no pod and no request was lost and nothing is stale.
    pub(super) fn is_clean(&self) -> bool {
        self.lost.is_empty() && self.stale.is_empty() && self.rollouts.iter().all(Rollout::is_clean)
    }

    /// The figures for people.
    pub(super) fn text(&self) -> String {
        let mut text = String::from("\nSummary\n");
        let mut line = |name: &str, value: String| {
            // Writing into a string can't fail.
            let _infallible = writeln!(text, "  {name:<40}{value}");
        };
        line("pods registered", self.pods.to_string());
        if let Some((median, worst)) = self.latency_ms {
            line("ready to RegisterTargets", format!("p50 {median:.1} ms   p99 {worst:.1} ms"));
        }
        for (operation, count) in &self.calls {
            line(operation, count.to_string());
        }
        line("repeated registrations", self.repeated.to_string());
        line("lost  (ready, not at Lattice)", count(&self.lost));
        line("stale (at Lattice, no living pod)", count(&self.stale));
        let _infallible =
            writeln!(text, "\nRequests during rollouts{:>27}{:>8}{:>8}", "pods", "sent", "lost");
        for Rollout { what, outcome, .. } in &self.rollouts {
            let pods = outcome.answered.len();
            let _infallible =
                writeln!(text, "  {what:<42}{pods:>7}{:>8}{:>8}", outcome.requests(), outcome.failures);
        }
        text
    }
}

fn count(names: &[String]) -> String {
    if names.is_empty() { "0".into() } else { format!("{}: {}", names.len(), names.join(", ")) }
}

/// The value below or at which `percent` of the sorted values are.
fn percentile(sorted: &[f64], percent: usize) -> Option<f64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rollout_shows_something_only_if_there_were_requests() {
        for (answers, failures, lossless, clean) in [
            (9, 0, true, true),
            (9, 1, true, false),
            (9, 1, false, true),
            (0, 0, true, false),
            (0, 0, false, false),
        ] {
            let answered = [("pod".to_owned(), answers)].into();
            let outcome = Outcome { answered, failures, told: Vec::new() };
            let rollout = Rollout { what: String::new(), lossless, outcome };
            assert_eq!(rollout.is_clean(), clean, "{rollout:?}");
        }
    }

    #[test]
    fn percentiles_of_few_and_many() {
        assert_eq!(percentile(&[], 50), None);
        assert_eq!(percentile(&[7.0], 99), Some(7.0));
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(percentile(&hundred, 50), Some(50.0));
        assert_eq!(percentile(&hundred, 99), Some(99.0));
    }
}
