//! The watches as metrics.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

use super::{Kind, feed::Trouble};
use crate::gateway;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    kind: &'static str,
}

/// Counts what goes wrong with watches.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    interruptions: Family<KindLabel, Counter>,
    invalid: Family<KindLabel, Counter>,
    broken: Arc<Mutex<BTreeSet<&'static str>>>,
}

impl Metrics {
    /// Metrics in `registry`.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "watch_interruptions",
            "Times that a watch of Kubernetes objects broke and was tried again",
            metrics.interruptions.clone(),
        );
        registry.register(
            "invalid_objects",
            "Times that a Kubernetes object was skipped because it could not be read",
            metrics.invalid.clone(),
        );
        // Series exist from the start, so that their first increase is seen.
        let kinds = Kind::ALL.map(Kind::as_str).into_iter();
        for kind in kinds.chain(gateway::objects::Kind::ALL.map(gateway::objects::Kind::as_str)) {
            let label = KindLabel { kind };
            drop(metrics.interruptions.get_or_create(&label));
            drop(metrics.invalid.get_or_create(&label));
        }
        metrics
    }

    /// The same counts for watches of their own, whose breaking and coming back is logged by itself.
    #[must_use]
    pub fn for_other_watches(&self) -> Self {
        Self { broken: Arc::default(), ..self.clone() }
    }

    /// Counts a change of a kind, and logs it where it tells of trouble. A watch that stays broken is logged once.
    pub(crate) fn note(&self, kind: &'static str, trouble: Option<Trouble>) {
        let label = KindLabel { kind };
        let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        match trouble {
            Some(Trouble::Interrupted(error)) => {
                self.interruptions.get_or_create(&label).inc();
                if broken.insert(kind) {
                    tracing::warn!(
                        kind,
                        error,
                        "a watch broke and is tried again, what is known stays; is the API server reachable?"
                    );
                }
            }
            Some(Trouble::Invalid(name, error)) => {
                self.invalid.get_or_create(&label).inc();
                tracing::warn!(kind, %name, error, "an object can't be read and is skipped");
            }
            None => {
                if broken.remove(kind) {
                    tracing::info!(kind, "the watch is back");
                }
            }
        }
    }
}
