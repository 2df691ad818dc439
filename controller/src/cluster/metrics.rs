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

use super::{Kind, Update, feed::Trouble};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    kind: &'static str,
}

/// Counts what goes wrong with watches.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    interruptions: Family<KindLabel, Counter>,
    invalid: Family<KindLabel, Counter>,
    broken: Arc<Mutex<BTreeSet<Kind>>>,
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
        for kind in Kind::ALL {
            let label = KindLabel { kind: kind.as_str() };
            drop(metrics.interruptions.get_or_create(&label));
            drop(metrics.invalid.get_or_create(&label));
        }
        metrics
    }

    /// Counts an update, and logs it where it tells of trouble. A watch that stays broken is logged once.
    pub(super) fn note(&self, update: &Update) {
        let (kind, trouble) = update.trouble();
        let label = KindLabel { kind: kind.as_str() };
        let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        match trouble {
            Some(Trouble::Interrupted(error)) => {
                self.interruptions.get_or_create(&label).inc();
                if broken.insert(kind) {
                    tracing::warn!(
                        kind = kind.as_str(),
                        error,
                        "a watch broke and is tried again, what is known stays; is the API server reachable?"
                    );
                }
            }
            Some(Trouble::Invalid(name, error)) => {
                self.invalid.get_or_create(&label).inc();
                tracing::warn!(kind = kind.as_str(), %name, error, "an object can't be read and is skipped");
            }
            None => {
                if broken.remove(&kind) {
                    tracing::info!(kind = kind.as_str(), "the watch is back");
                }
            }
        }
    }
}
