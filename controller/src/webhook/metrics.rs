//! The webhook as metrics.

use std::time::Duration;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

use super::mutate::{Change, Left};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AdmissionLabels {
    result: &'static str,
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

/// From a pod that is looked at and left to one whose namespace has thousands of bindings.
const ANSWER_SECONDS: [f64; 8] = [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.005, 0.025, 0.1];

/// What is added to pods.
const ADDED: [&str; 3] = ["gate", "sleep", "gate_and_sleep"];

/// Counts admissions and what they cost.
#[derive(Debug, Clone)]
pub struct Metrics {
    admissions: Family<AdmissionLabels, Counter>,
    durations: Histogram,
    handshakes: Family<ResultLabel, Counter>,
    refused: Counter,
    expiry: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            admissions: Family::default(),
            durations: Histogram::new(ANSWER_SECONDS),
            handshakes: Family::default(),
            refused: Counter::default(),
            expiry: Gauge::default(),
        }
    }
}

impl Metrics {
    /// Metrics in `registry`.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "webhook_admissions",
            "Pods that the webhook was asked about: patched, by what was added, or unchanged, by why",
            metrics.admissions.clone(),
        );
        registry.register_with_unit(
            "webhook_admission_duration",
            "Time from a review's being read to its answer",
            Unit::Seconds,
            metrics.durations.clone(),
        );
        registry.register(
            "webhook_handshakes",
            "TLS handshakes with the webhook by result; API servers that do not trust its certificate make errors",
            metrics.handshakes.clone(),
        );
        registry.register(
            "webhook_requests_refused",
            "Requests to the webhook that were no admission review, or too large or too slow",
            metrics.refused.clone(),
        );
        registry.register_with_unit(
            "webhook_certificate_expiry_timestamp",
            "When the webhook's certificate expires, in seconds since 1970; 0 without a certificate",
            Unit::Seconds,
            metrics.expiry.clone(),
        );
        // Series exist from the start, so that their first increase is seen.
        for reason in ADDED {
            drop(metrics.admissions.get_or_create(&AdmissionLabels { result: "patched", reason }));
        }
        for reason in Left::ALL.map(Left::as_str) {
            drop(metrics.admissions.get_or_create(&AdmissionLabels { result: "unchanged", reason }));
        }
        for done in [true, false] {
            drop(metrics.handshakes.get_or_create(&result(done)));
        }
        metrics
    }

    pub(super) fn answered(&self, outcome: &Result<Change, Left>, took: Duration) {
        let labels = match outcome {
            Ok(Change { gate: true, sleep: false, .. }) => ("patched", "gate"),
            Ok(Change { gate: false, .. }) => ("patched", "sleep"),
            Ok(Change { .. }) => ("patched", "gate_and_sleep"),
            Err(left) => ("unchanged", left.as_str()),
        };
        let (result, reason) = labels;
        self.admissions.get_or_create(&AdmissionLabels { result, reason }).inc();
        self.durations.observe(took.as_secs_f64());
    }

    pub(super) fn handshake(&self, done: bool) {
        self.handshakes.get_or_create(&result(done)).inc();
    }

    pub(super) fn refused(&self) {
        self.refused.inc();
    }

    pub(super) fn expires(&self, at: i64) {
        self.expiry.set(at);
    }
}

fn result(done: bool) -> ResultLabel {
    ResultLabel { result: if done { "ok" } else { "error" } }
}
