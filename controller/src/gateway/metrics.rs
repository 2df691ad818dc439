//! Gateway API as metrics.

use std::time::Duration;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

use super::{directories, discovery, engine, route::RouteKind, takeover, translate::Outcome};
use crate::quotas::{self, Quota, Use};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    kind: &'static str,
    /// `true` if every parent accepts it.
    accepted: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WriteLabels {
    kind: &'static str,
    result: &'static str,
}

/// Counts routes, translations and writes.
#[derive(Debug, Clone)]
pub struct Metrics {
    /// The engine's.
    pub engine: engine::Metrics,
    /// Those of directories.
    pub directories: directories::Metrics,
    /// Those of discovery.
    pub discovery: discovery::Metrics,
    /// Those of take-overs.
    pub takeover: takeover::Metrics,
    quotas: quotas::Metrics,
    routes: Family<RouteLabels, Gauge>,
    gateways: Gauge,
    translations: Histogram,
    writes: Family<WriteLabels, Counter>,
}

/// From a handful of routes to some thousands.
const SECONDS: [f64; 7] = [0.000_1, 0.000_5, 0.002, 0.01, 0.05, 0.2, 1.0];

impl Default for Metrics {
    fn default() -> Self {
        Self {
            engine: engine::Metrics::default(),
            directories: directories::Metrics::default(),
            discovery: discovery::Metrics::default(),
            takeover: takeover::Metrics::default(),
            quotas: quotas::Metrics::default(),
            routes: Family::default(),
            gateways: Gauge::default(),
            translations: Histogram::new(SECONDS),
            writes: Family::default(),
        }
    }
}

impl Metrics {
    /// Metrics in `registry`, but for quotas, which others show as well.
    #[must_use]
    pub fn register(registry: &mut Registry, quotas: &quotas::Metrics) -> Self {
        let metrics = Self {
            engine: engine::Metrics::register(registry, quotas.clone()),
            directories: directories::Metrics::register(registry),
            discovery: discovery::Metrics::register(registry),
            takeover: takeover::Metrics::register(registry),
            quotas: quotas.clone(),
            ..Self::default()
        };
        registry.register("gateways", "Gateways that Lath serves", metrics.gateways.clone());
        registry.register(
            "routes",
            "Routes at Gateways that Lath serves, by kind and by whether they are accepted",
            metrics.routes.clone(),
        );
        registry.register_with_unit(
            "translation",
            "Time that it takes to translate all objects once",
            Unit::Seconds,
            metrics.translations.clone(),
        );
        registry.register(
            "gateway_writes",
            "Writes to Gateway API's objects, policies and bindings by kind and result",
            metrics.writes.clone(),
        );
        // Series exist from the start, so that their first increase is seen.
        for kind in RouteKind::ALL {
            for result in ["ok", "error"] {
                drop(metrics.writes.get_or_create(&WriteLabels { kind: kind.as_str(), result }));
            }
            for accepted in ["true", "false"] {
                drop(metrics.routes.get_or_create(&RouteLabels { kind: kind.as_str(), accepted }));
            }
        }
        metrics
    }

    pub(super) fn translated(&self, outcome: &Outcome, took: Duration) {
        self.translations.observe(took.as_secs_f64());
        self.gateways.set(i64::try_from(outcome.gateways.len()).unwrap_or(i64::MAX));
        for kind in RouteKind::ALL {
            let of_kind = outcome.routes.iter().filter(|(name, _)| name.kind == kind);
            let (accepted, refused): (Vec<_>, Vec<_>) =
                of_kind.partition(|(_, route)| route.parents.iter().all(|parent| parent.accepted.holds));
            for (routes, accepted) in [(accepted, "true"), (refused, "false")] {
                let label = RouteLabels { kind: kind.as_str(), accepted };
                self.routes.get_or_create(&label).set(i64::try_from(routes.len()).unwrap_or(i64::MAX));
            }
        }
        for quota in Quota::ALL.into_iter().filter(|quota| quota.is_of_gateways()) {
            let nothing = Use { used: 0, quota: quota.usual() };
            let Use { used, quota: is } = outcome.quotas.get(&quota).copied().unwrap_or(nothing);
            self.quotas.set(quota, is);
            self.quotas.show(quota, used);
        }
    }

    pub(super) fn wrote(&self, kind: &'static str, done: bool) {
        let result = if done { "ok" } else { "error" };
        self.writes.get_or_create(&WriteLabels { kind, result }).inc();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_that_nothing_uses_is_the_usual_one() {
        let metrics = Metrics::default();
        let full = Use { used: 90, quota: 100 };
        let outcome = Outcome { quotas: [(Quota::RulesPerListener, full)].into(), ..Outcome::default() };
        metrics.translated(&outcome, Duration::ZERO);
        assert_eq!(metrics.quotas.shown(Quota::RulesPerListener), (90, 100));
        metrics.translated(&Outcome::default(), Duration::ZERO);
        assert_eq!(metrics.quotas.shown(Quota::RulesPerListener), (0, 10));
    }
}
