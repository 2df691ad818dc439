//! Take-overs as metrics.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use super::{State, apply::Outcome};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: &'static str,
}

/// Counts what is taken over and what is left.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    state: Family<StateLabels, Gauge>,
    taken: Family<KindLabels, Counter>,
    failures: Counter,
    left: Family<KindLabels, Gauge>,
    rival: Gauge,
}

impl Metrics {
    /// Metrics in `registry`.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "takeover_state",
            "1 for the state that the take-over from the AWS controller is in: off, waiting or over",
            metrics.state.clone(),
        );
        registry.register(
            "takeover_resources",
            "Resources that were taken over from another controller, by kind",
            metrics.taken.clone(),
        );
        registry.register(
            "takeover_failures",
            "Services that could not be taken over and are tried again",
            metrics.failures.clone(),
        );
        registry.register(
            "takeover_left",
            "Resources of the AWS controller that match nothing that is wanted, by kind",
            metrics.left.clone(),
        );
        registry.register(
            "takeover_rival",
            "1 while the AWS controller runs although Lath has taken over from it: uninstall it",
            metrics.rival.clone(),
        );
        metrics.state(&State::Off);
        for kind in ["service", "group", "association", "vpc_association", "access_log"] {
            drop(metrics.taken.get_or_create(&KindLabels { kind }));
        }
        metrics.left(0, 0);
        metrics
    }

    pub(super) fn state(&self, is: &State) {
        let is = match is {
            State::Off => "off",
            State::Waiting(_) => "waiting",
            State::Over => "over",
        };
        for state in ["off", "waiting", "over"] {
            self.state.get_or_create(&StateLabels { state }).set(i64::from(state == is));
        }
    }

    pub(super) fn took(&self, outcome: &Outcome) {
        for (kind, count) in &outcome.counts {
            self.taken.get_or_create(&KindLabels { kind }).inc_by(*count);
        }
        self.failures.inc_by(outcome.failed.len() as u64);
    }

    pub(super) fn took_allowed(&self) {
        self.taken.get_or_create(&KindLabels { kind: "service" }).inc();
    }

    pub(super) fn left(&self, services: usize, groups: usize) {
        for (kind, count) in [("service", services), ("group", groups)] {
            self.left.get_or_create(&KindLabels { kind }).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    pub(super) fn rival(&self, is_there: bool) {
        self.rival.set(i64::from(is_there));
    }
}
