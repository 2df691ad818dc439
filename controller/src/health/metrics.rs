//! Gates as metrics.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

use super::watchman::GateWrite;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

/// From a group that is checked at once to a rollout that stalls.
const WAIT_SECONDS: [f64; 10] = [0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 600.0];

/// Counts gates and what they cost.
#[derive(Debug, Clone)]
pub struct Metrics {
    waiting: Gauge,
    opened: Family<ReasonLabel, Counter>,
    writes: Family<ResultLabel, Counter>,
    reads: Family<ResultLabel, Counter>,
    waits: Histogram,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            waiting: Gauge::default(),
            opened: Family::default(),
            writes: Family::default(),
            reads: Family::default(),
            waits: Histogram::new(WAIT_SECONDS),
        }
    }
}

impl Metrics {
    /// Metrics in `registry`.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "gates_waiting",
            "Live pods with a readiness gate of Lath's that is not open",
            metrics.waiting.clone(),
        );
        registry.register(
            "gates_opened",
            "Pods whose readiness gates were opened, by reason",
            metrics.opened.clone(),
        );
        registry.register("gate_writes", "Writes of readiness gates by result", metrics.writes.clone());
        registry.register(
            "gate_reads",
            "ListTargets calls made for readiness gates, by result",
            metrics.reads.clone(),
        );
        registry.register_with_unit(
            "gate_wait",
            "Time from a pod's being ready but for its gates to their opening",
            Unit::Seconds,
            metrics.waits.clone(),
        );
        // Series exist from the start, so that their first increase is seen.
        drop(metrics.opened.get_or_create(&ReasonLabel { reason: "Healthy" }));
        for done in [true, false] {
            drop(metrics.writes.get_or_create(&result(done)));
            drop(metrics.reads.get_or_create(&result(done)));
        }
        metrics
    }

    pub(super) fn waiting(&self, pods: usize) {
        self.waiting.set(i64::try_from(pods).unwrap_or(i64::MAX));
    }

    pub(super) fn read(&self, done: bool) {
        self.reads.get_or_create(&result(done)).inc();
    }

    pub(super) fn wrote(&self, write: &GateWrite, done: bool) {
        self.writes.get_or_create(&result(done)).inc();
        if done && write.open {
            let reason = write.reason;
            self.opened.get_or_create(&ReasonLabel { reason }).inc();
            self.waits.observe(write.waited.as_secs_f64());
        }
    }
}

fn result(done: bool) -> ResultLabel {
    ResultLabel { result: if done { "ok" } else { "error" } }
}
