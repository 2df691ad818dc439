//! The engine's work as metrics.

use std::time::Duration;

use lattice_client::Error;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

use super::{unit::Kind, warm::Why};
use crate::quotas;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StepLabels {
    step: &'static str,
    /// `ok`, or a label of [`lattice_client::Error`].
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

/// Counts what the engine does.
#[derive(Debug, Clone)]
pub struct Metrics {
    /// Those of quotas, to which the engine adds what is there.
    pub(super) quotas: quotas::Metrics,
    wanted: Family<KindLabel, Gauge>,
    done: Family<KindLabel, Gauge>,
    waiting: Family<KindLabel, Gauge>,
    steps: Family<StepLabels, Counter>,
    drift: Family<KindLabel, Counter>,
    loads: Family<ResultLabel, Counter>,
    warmed: Family<ReasonLabel, Counter>,
    durations: Family<KindLabel, Histogram>,
}

/// From a rule's change within a region to a VPC association, which takes more than a minute.
const SECONDS: [f64; 10] = [0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 20.0, 60.0, 300.0];

impl Default for Metrics {
    fn default() -> Self {
        Self {
            quotas: quotas::Metrics::default(),
            wanted: Family::default(),
            done: Family::default(),
            waiting: Family::default(),
            steps: Family::default(),
            drift: Family::default(),
            loads: Family::default(),
            warmed: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(SECONDS)),
        }
    }
}

impl Metrics {
    /// Metrics in `registry`, but for quotas, which others show as well.
    #[must_use]
    pub fn register(registry: &mut Registry, quotas: quotas::Metrics) -> Self {
        let metrics = Self { quotas, ..Self::default() };
        registry.register(
            "gateway_resources_wanted",
            "Services, target groups, service networks and resources that VPC Lattice should hold, by kind",
            metrics.wanted.clone(),
        );
        registry.register(
            "gateway_resources_done",
            "Services, target groups, service networks and resources that are as they should be, by kind",
            metrics.done.clone(),
        );
        registry.register(
            "gateway_lanes_in_backoff",
            "Things that wait after a failure before they are tried again, by kind of resource",
            metrics.waiting.clone(),
        );
        registry.register(
            "gateway_steps",
            "Changes of VPC Lattice by what was done and result",
            metrics.steps.clone(),
        );
        registry.register(
            "gateway_drift",
            "Resources that were found changed by others, by kind",
            metrics.drift.clone(),
        );
        registry.register(
            "gateway_loads",
            "Times that this cluster's resources were looked for, by result",
            metrics.loads.clone(),
        );
        registry.register(
            "gateway_warm_ups",
            "Target groups that requests were moved to: since they were healthy, after too long a wait (late), or unseen \
             since the listener had no room for one more rule (no_room)",
            metrics.warmed.clone(),
        );
        registry.register_with_unit(
            "gateway_programming_delay",
            "Time from a change of what is wanted to its being done, by kind of resource",
            Unit::Seconds,
            metrics.durations.clone(),
        );
        // Series exist from the start, so that their first increase is seen.
        for kind in Kind::ALL {
            let label = KindLabel { kind: kind.as_str() };
            drop(metrics.wanted.get_or_create(&label));
            drop(metrics.done.get_or_create(&label));
            drop(metrics.waiting.get_or_create(&label));
            drop(metrics.drift.get_or_create(&label));
            drop(metrics.durations.get_or_create(&label));
        }
        for why in [Why::Healthy, Why::Late, Why::NoRoom] {
            drop(metrics.warmed.get_or_create(&ReasonLabel { reason: why.as_str() }));
        }
        for result in ["ok", "error"] {
            drop(metrics.loads.get_or_create(&ResultLabel { result }));
        }
        drop(metrics.steps.get_or_create(&StepLabels { step: "create_service", result: "ok" }));
        metrics
    }

    pub(super) fn show(&self, kind: Kind, wanted: usize, done: usize, waiting: usize) {
        let label = KindLabel { kind: kind.as_str() };
        let set = |family: &Family<KindLabel, Gauge>, count: usize| {
            family.get_or_create(&label).set(i64::try_from(count).unwrap_or(i64::MAX));
        };
        set(&self.wanted, wanted);
        set(&self.done, done);
        set(&self.waiting, waiting);
    }

    pub(super) fn stepped(&self, step: &'static str, error: Option<&Error>) {
        let result = error.map_or("ok", Error::label);
        self.steps.get_or_create(&StepLabels { step, result }).inc();
    }

    pub(super) fn drifted(&self, kind: Kind) {
        self.drift.get_or_create(&KindLabel { kind: kind.as_str() }).inc();
    }

    pub(super) fn loaded(&self, done: bool) {
        let result = if done { "ok" } else { "error" };
        self.loads.get_or_create(&ResultLabel { result }).inc();
    }

    pub(super) fn warmed(&self, why: Why) {
        self.warmed.get_or_create(&ReasonLabel { reason: why.as_str() }).inc();
    }

    pub(super) fn took(&self, kind: Kind, duration: Duration) {
        self.durations.get_or_create(&KindLabel { kind: kind.as_str() }).observe(duration.as_secs_f64());
    }

    /// How many resources were found changed by others.
    #[cfg(test)]
    pub(super) fn drift(&self) -> u64 {
        Kind::ALL
            .iter()
            .filter_map(|kind| {
                self.drift.get(&KindLabel { kind: kind.as_str() }).map(|counter| counter.get())
            })
            .sum()
    }
}
