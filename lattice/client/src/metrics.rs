//! Calls as metrics.

use std::{sync::Arc, time::Duration};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _},
    metrics::{counter::Counter, family::Family, gauge::ConstGauge, histogram::Histogram},
    registry::{Registry, Unit},
};

use crate::{Operation, operation::Service, pacer::Pacer};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct CallLabels {
    pub(crate) operation: Operation,
    /// `ok`, or a label of [`crate::Error`].
    pub(crate) result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct OperationLabel {
    pub(crate) operation: Operation,
}

/// Counts and times calls.
#[derive(Debug, Clone)]
pub struct Metrics {
    pub(crate) calls: Family<CallLabels, Counter>,
    pub(crate) durations: Family<OperationLabel, Histogram>,
    pub(crate) waits: Family<OperationLabel, Histogram>,
    /// One for each service: what one of them throttles says nothing of the others.
    pacers: Arc<[Pacer; Service::COUNT]>,
}

/// From a call within a zone to one that is about to time out.
const SECONDS: [f64; 10] = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 2.0, 10.0];

/// From a pace that limits nothing to one that makes rollouts slow.
const WAIT_SECONDS: [f64; 8] = [0.001, 0.01, 0.1, 0.5, 1.0, 5.0, 20.0, 60.0];

impl Metrics {
    /// Metrics of their own pacers, registered nowhere yet.
    #[must_use]
    pub fn unregistered() -> Self {
        Self {
            calls: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            waits: Family::new_with_constructor(|| Histogram::new(WAIT_SECONDS)),
            pacers: Arc::default(),
        }
    }

    /// Metrics under `lath_lattice_…` in `registry`.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::unregistered();
        metrics.expect(&Operation::OF_TARGETS);
        let lattice = registry.sub_registry_with_prefix("lath_lattice");
        lattice.register(
            "calls",
            "Calls to VPC Lattice and services beside it by operation and result",
            metrics.calls.clone(),
        );
        lattice.register_with_unit(
            "call_duration",
            "Time from sending a call to its answer",
            Unit::Seconds,
            metrics.durations.clone(),
        );
        lattice.register_with_unit(
            "call_wait",
            "Time that a call waited for its turn before it was sent",
            Unit::Seconds,
            metrics.waits.clone(),
        );
        lattice.register_collector(Box::new(Pace(metrics.pacers.clone())));
        metrics
    }

    /// Makes the series of operations that will be called, so that their first increase is seen. Those of
    /// [`Operation::OF_TARGETS`] are there from the start; an agent, of which each node has one, needs no others.
    pub fn expect(&self, operations: &[Operation]) {
        for operation in operations.iter().copied() {
            drop(self.calls.get_or_create(&CallLabels { operation, result: "ok" }));
            drop(self.durations.get_or_create(&OperationLabel { operation }));
            drop(self.waits.get_or_create(&OperationLabel { operation }));
        }
    }

    /// What gives calls of an operation their turn.
    pub(crate) fn pacer(&self, operation: Operation) -> &Pacer {
        &self.pacers[operation.service() as usize]
    }

    pub(crate) fn record(
        &self,
        operation: Operation,
        result: &'static str,
        waited: Duration,
        took: Duration,
    ) {
        self.calls.get_or_create(&CallLabels { operation, result }).inc();
        self.waits.get_or_create(&OperationLabel { operation }).observe(waited.as_secs_f64());
        self.durations.get_or_create(&OperationLabel { operation }).observe(took.as_secs_f64());
    }

    /// How many calls of an operation ended with a result: `ok` or a label of [`crate::Error`].
    #[must_use]
    pub fn count(&self, operation: Operation, result: &'static str) -> u64 {
        self.calls.get(&CallLabels { operation, result }).map_or(0, |counter| counter.get())
    }
}

/// The pace when it is scraped.
#[derive(Debug)]
struct Pace(Arc<[Pacer; Service::COUNT]>);

impl Collector for Pace {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let rate = ConstGauge::new(self.0[Service::Lattice as usize].rate().unwrap_or(f64::INFINITY));
        rate.encode(encoder.encode_descriptor(
            "rate_limit",
            "Calls per second that may start; infinite unless VPC Lattice has throttled",
            None,
            rate.metric_type(),
        )?)?;
        let waiting: usize = self.0.iter().map(Pacer::waiting).sum();
        let waiting = ConstGauge::new(i64::try_from(waiting).unwrap_or(i64::MAX));
        waiting.encode(encoder.encode_descriptor(
            "calls_waiting",
            "Calls that wait for their turn",
            None,
            waiting.metric_type(),
        )?)
    }
}
