//! The targets pipeline as metrics.

use std::time::Duration;

use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

use super::observed::Kind;

/// Which way a target goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum Direction {
    /// Into a group.
    Register,
    /// Out of it.
    Deregister,
}

impl Anomaly {
    const ALL: [Self; 7] = [
        Self::Refused,
        Self::Full,
        Self::Released,
        Self::Vanished,
        Self::Repeated,
        Self::HeldRelist,
        Self::DroppedEvent,
    ];
}

/// What did not go as it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum Anomaly {
    /// Lattice refused a single target.
    Refused,
    /// A group was full.
    Full,
    /// A deregistration was given up, because another pod has the address.
    Released,
    /// A registered target was not there.
    Vanished,
    /// A target was called again, because the answer to an earlier call is not known.
    Repeated,
    /// A relist was held, because it would have dropped most targets.
    HeldRelist,
    /// An Event was dropped, because too many were waiting.
    DroppedEvent,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DirectionLabel {
    direction: Direction,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AnomalyLabel {
    kind: Anomaly,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    kind: Kind,
}

/// Counts and times what the pipeline does.
#[derive(Debug, Clone)]
pub struct Metrics {
    delays: Family<DirectionLabel, Histogram>,
    targets: Family<DirectionLabel, Counter>,
    anomalies: Family<AnomalyLabel, Counter>,
    invalid: Family<KindLabel, Counter>,
    interrupted: Family<KindLabel, Counter>,
    registered: Gauge,
    pending: Gauge,
    full_groups: Gauge,
    lease_epoch: Gauge,
}

/// From what a quiet node needs to what a throttled account takes.
const SECONDS: [f64; 11] = [0.001, 0.002, 0.005, 0.01, 0.025, 0.1, 0.5, 2.0, 10.0, 60.0, 300.0];

impl Metrics {
    /// Metrics that are registered nowhere.
    #[must_use]
    pub fn unregistered() -> Self {
        Self {
            delays: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            targets: Family::default(),
            anomalies: Family::default(),
            invalid: Family::default(),
            interrupted: Family::default(),
            registered: Gauge::default(),
            pending: Gauge::default(),
            full_groups: Gauge::default(),
            lease_epoch: Gauge::default(),
        }
    }

    /// Metrics under `lath_targets_…` in `registry`.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::unregistered();
        // Series exist from the start, so that their first increase is seen.
        for direction in [Direction::Register, Direction::Deregister] {
            drop(metrics.delays.get_or_create(&DirectionLabel { direction }));
            drop(metrics.targets.get_or_create(&DirectionLabel { direction }));
        }
        for kind in Anomaly::ALL {
            drop(metrics.anomalies.get_or_create(&AnomalyLabel { kind }));
        }
        for kind in [Kind::Pods, Kind::Services, Kind::Bindings] {
            drop(metrics.invalid.get_or_create(&KindLabel { kind }));
            drop(metrics.interrupted.get_or_create(&KindLabel { kind }));
        }
        let targets = registry.sub_registry_with_prefix("lath_targets");
        targets.register_with_unit(
            "delay",
            "Time from seeing that a target has to be put in or taken out to starting the call",
            Unit::Seconds,
            metrics.delays.clone(),
        );
        targets.register(
            "calls",
            "Targets sent to VPC Lattice by direction, repeats included",
            metrics.targets.clone(),
        );
        targets.register("anomalies", "What did not go as it should, by kind", metrics.anomalies.clone());
        targets.register(
            "invalid_objects",
            "Kubernetes objects that could not be read",
            metrics.invalid.clone(),
        );
        targets.register(
            "watch_interruptions",
            "Watches that broke and were made anew",
            metrics.interrupted.clone(),
        );
        targets.register(
            "registered",
            "Targets of this node that are registered",
            metrics.registered.clone(),
        );
        targets.register(
            "pending",
            "Targets of this node that wait for a call or its answer",
            metrics.pending.clone(),
        );
        targets.register(
            "full_groups",
            "Target groups that take no more targets",
            metrics.full_groups.clone(),
        );
        targets.register("lease_epoch", "The epoch of this agent's Lease", metrics.lease_epoch.clone());
        metrics
    }

    pub(super) fn sent(&self, direction: Direction, waited: Option<Duration>) {
        self.targets.get_or_create(&DirectionLabel { direction }).inc();
        if let Some(waited) = waited {
            self.delays.get_or_create(&DirectionLabel { direction }).observe(waited.as_secs_f64());
        }
    }

    pub(super) fn anomaly(&self, kind: Anomaly) {
        self.anomalies.get_or_create(&AnomalyLabel { kind }).inc();
    }

    pub(super) fn invalid_object(&self, kind: Kind) {
        self.invalid.get_or_create(&KindLabel { kind }).inc();
    }

    pub(super) fn watch_interrupted(&self, kind: Kind) {
        self.interrupted.get_or_create(&KindLabel { kind }).inc();
    }

    pub(super) fn state(&self, registered: usize, pending: usize, full_groups: usize) {
        for (gauge, value) in
            [(&self.registered, registered), (&self.pending, pending), (&self.full_groups, full_groups)]
        {
            gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        }
    }

    pub(super) fn epoch(&self, epoch: i64) {
        self.lease_epoch.set(epoch);
    }
}
