//! Audit and repair as metrics.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};
use std::sync::{Arc, atomic::AtomicU64};

use crate::{
    cluster::agents::{Agent, Roll},
    quotas::{self, Quota},
};

/// Why a repair is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// Two audits agree that it differs.
    Drift,
    /// The node has no agent, or that is lapsed.
    StandIn,
    /// The node is gone.
    NodeGone,
    /// The binding is being deleted.
    BindingDeleted,
    /// A hand-made EndpointSlice says so.
    Endpoints,
}

impl Why {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Drift, Self::StandIn, Self::NodeGone, Self::BindingDeleted, Self::Endpoints];

    /// The word in metrics and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Drift => "drift",
            Self::StandIn => "stand_in",
            Self::NodeGone => "node_gone",
            Self::BindingDeleted => "binding_deleted",
            Self::Endpoints => "endpoints",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WhyLabel {
    why: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabel {
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    kind: &'static str,
}

/// Counts what repairs find and do.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    pub(super) quotas: quotas::Metrics,
    audits: Family<ResultLabel, Counter>,
    staleness: Gauge<f64, AtomicU64>,
    differences: Family<KindLabel, Counter>,
    withheld: Counter,
    registered: Family<WhyLabel, Counter>,
    deregistered: Family<WhyLabel, Counter>,
    failures: Family<WhyLabel, Counter>,
    agents: Family<StateLabel, Gauge>,
    impaired: Gauge,
    braked: Gauge,
    tearing_down: Gauge,
    left_behind: Counter,
    told: Arc<std::sync::Mutex<bool>>,
}

impl Metrics {
    /// Metrics in `registry`, but for quotas, which others show as well.
    #[must_use]
    pub fn register(registry: &mut Registry, quotas: quotas::Metrics) -> Self {
        let metrics = Self { quotas, ..Self::default() };
        registry.register("audits", "Full listings of target groups by result", metrics.audits.clone());
        registry.register_with_unit(
            "audit_worst_staleness",
            "Time since the longest unaudited target group was audited",
            Unit::Seconds,
            metrics.staleness.clone(),
        );
        registry.register(
            "differences",
            "Differences between Lattice and the cluster that two audits agreed on, by kind",
            metrics.differences.clone(),
        );
        registry.register(
            "removals_withheld",
            "Targets that looked stray and were left in for want of proof",
            metrics.withheld.clone(),
        );
        registry.register(
            "repair_registered_targets",
            "Targets that the controller registered, by reason",
            metrics.registered.clone(),
        );
        registry.register(
            "repair_deregistered_targets",
            "Targets that the controller took out, by reason",
            metrics.deregistered.clone(),
        );
        registry.register(
            "repair_failures",
            "Calls of repairs that failed, by reason of the repair",
            metrics.failures.clone(),
        );
        registry.register(
            "agents",
            "Nodes by how their agent fares: live, lapsed, absent, unjudged",
            metrics.agents.clone(),
        );
        registry.register(
            "agents_impaired",
            "Live agents that say that their targets pipeline is not well",
            metrics.impaired.clone(),
        );
        registry.register(
            "agents_braked",
            "1 while so many agents are lapsed at once that the controller does not act on it",
            metrics.braked.clone(),
        );
        registry.register(
            "bindings_being_deleted",
            "Deleted TargetGroupBindings whose targets are still being taken out",
            metrics.tearing_down.clone(),
        );
        registry.register(
            "bindings_left_behind",
            "Deleted TargetGroupBindings that were let go with targets still registered",
            metrics.left_behind.clone(),
        );
        // Series exist from the start, so that their first increase is seen.
        for result in ["ok", "error"] {
            drop(metrics.audits.get_or_create(&ResultLabel { result }));
        }
        for why in Why::ALL {
            let label = WhyLabel { why: why.as_str() };
            drop(metrics.registered.get_or_create(&label));
            drop(metrics.deregistered.get_or_create(&label));
            drop(metrics.failures.get_or_create(&label));
        }
        for kind in ["missing", "stray"] {
            drop(metrics.differences.get_or_create(&KindLabel { kind }));
        }
        drop(metrics.agents.get_or_create(&StateLabel { state: "live" }));
        metrics
    }

    pub(super) fn audited(&self, done: bool) {
        let result = if done { "ok" } else { "error" };
        self.audits.get_or_create(&ResultLabel { result }).inc();
    }

    /// The largest group has so many targets.
    pub(super) fn largest(&self, targets: usize) {
        self.quotas.show(Quota::TargetsPerGroup, targets);
    }

    pub(super) fn staleness(&self, seconds: f64) {
        self.staleness.set(seconds);
    }

    pub(super) fn difference(&self, kind: &'static str) {
        self.differences.get_or_create(&KindLabel { kind }).inc();
    }

    pub(super) fn withheld(&self) {
        self.withheld.inc();
    }

    pub(super) fn registered(&self, why: Why, targets: usize) {
        let why = why.as_str();
        self.registered.get_or_create(&WhyLabel { why }).inc_by(targets as u64);
    }

    pub(super) fn deregistered(&self, why: Why, targets: usize) {
        let why = why.as_str();
        self.deregistered.get_or_create(&WhyLabel { why }).inc_by(targets as u64);
    }

    pub(super) fn failed(&self, why: Why) {
        self.failures.get_or_create(&WhyLabel { why: why.as_str() }).inc();
    }

    pub(super) fn impaired(&self, agents: usize) {
        self.impaired.set(i64::try_from(agents).unwrap_or(i64::MAX));
    }

    /// Shows how agents fare. Tells whether the brake has just been set (`Some(true)`) or released (`Some(false)`).
    pub(super) fn roll(&self, roll: &Roll) -> Option<bool> {
        for (agent, state) in [
            (Agent::Live, "live"),
            (Agent::Lapsed, "lapsed"),
            (Agent::Absent, "absent"),
            (Agent::Unjudged, "unjudged"),
        ] {
            let count = i64::try_from(roll.count(agent)).unwrap_or(i64::MAX);
            self.agents.get_or_create(&StateLabel { state }).set(count);
        }
        self.braked.set(i64::from(roll.braked));
        let mut told = self.told.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let news = *told != roll.braked;
        *told = roll.braked;
        news.then_some(roll.braked)
    }

    pub(super) fn tearing_down(&self, bindings: usize) {
        self.tearing_down.set(i64::try_from(bindings).unwrap_or(i64::MAX));
    }

    pub(super) fn left_behind(&self) {
        self.left_behind.inc();
    }
}
