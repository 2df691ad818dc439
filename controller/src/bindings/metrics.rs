//! Bindings as metrics.

use std::collections::BTreeMap;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use super::judge::Reason;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

/// Counts bindings and writes of their status.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    bindings: Family<ReasonLabel, Gauge>,
    writes: Family<ResultLabel, Counter>,
}

impl Metrics {
    /// Metrics in `registry`.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "bindings",
            "TargetGroupBindings by the reason of their condition Accepted",
            metrics.bindings.clone(),
        );
        registry.register(
            "binding_writes",
            "Writes to TargetGroupBindings by result",
            metrics.writes.clone(),
        );
        // Series exist from the start, so that their first increase is seen.
        drop(metrics.bindings.get_or_create(&ReasonLabel { reason: Reason::Accepted.as_str() }));
        for result in ["ok", "error"] {
            drop(metrics.writes.get_or_create(&ResultLabel { result }));
        }
        metrics
    }

    /// Shows how many bindings there are by reason.
    pub(super) fn show(&self, reasons: impl Iterator<Item = Reason>) {
        let mut counts: BTreeMap<&'static str, i64> = BTreeMap::new();
        for reason in reasons {
            *counts.entry(reason.as_str()).or_default() += 1;
        }
        self.bindings.clear();
        for (reason, count) in counts {
            self.bindings.get_or_create(&ReasonLabel { reason }).set(count);
        }
    }

    pub(super) fn wrote(&self, done: bool) {
        let result = if done { "ok" } else { "error" };
        self.writes.get_or_create(&ResultLabel { result }).inc();
    }
}
