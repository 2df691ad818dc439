//! Looks for the instances of Cloud Map's services that TargetGroups name, again and again.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use futures::StreamExt as _;
use lattice::{declared::CloudMapName, resource::Instance};
use lattice_client::{Client, Urgency};
use prometheus_client::{metrics::gauge::Gauge, registry::Registry};
use tokio::{sync::watch, time::Instant};

use super::compose::Published;
use crate::random::Random;

/// How often a service is looked at unless something is set.
pub const PERIOD: Duration = Duration::from_secs(15);

/// Most services that are looked at together.
const CALLS_AT_ONCE: usize = 8;

/// What is known of services of Cloud Map.
pub type Discovered = BTreeMap<CloudMapName, Discovery>;

/// What is known of a service of Cloud Map.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Discovery {
    /// Its instances, as they were found last; `None`: they never were.
    pub found: Option<BTreeSet<Instance>>,
    /// Why they could not be looked for last. It is tried again.
    pub trouble: Option<String>,
}

/// Counts what can't be looked for.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    failing: Gauge,
}

impl Metrics {
    /// Metrics in `registry`.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "discoveries_failing",
            "Services of Cloud Map behind TargetGroups whose instances could not be looked for last",
            metrics.failing.clone(),
        );
        metrics
    }
}

/// Keeps `discovered` up to date for the services that are wanted, for ever. What was found stays while Cloud Map fails.
pub async fn run(
    client: Client,
    mut published: watch::Receiver<Arc<Published>>,
    discovered: watch::Sender<Arc<Discovered>>,
    metrics: Metrics,
) {
    let mut due: BTreeMap<CloudMapName, Instant> = BTreeMap::new();
    let mut random = Random::default();
    loop {
        let wanted = published.borrow_and_update().outcome.discoveries.clone();
        let now = Instant::now();
        due.retain(|name, at| {
            let period = wanted.get(name);
            // A period may have become shorter.
            *at = period.map_or(*at, |period| (*at).min(now + *period));
            period.is_some()
        });
        let names: Vec<CloudMapName> =
            wanted.keys().filter(|name| due.get(*name).is_none_or(|at| *at <= now)).cloned().collect();
        let calls = names.into_iter().map(|name| {
            let client = &client;
            async move {
                let answer = client.discover(&name, Urgency::Observe).await;
                (name, answer)
            }
        });
        let mut answers = futures::stream::iter(calls).buffer_unordered(CALLS_AT_ONCE);
        let mut known = Discovered::clone(&discovered.borrow());
        known.retain(|name, _| wanted.contains_key(name));
        while let Some((name, answer)) = answers.next().await {
            let period = wanted.get(&name).copied().unwrap_or_default();
            due.insert(name.clone(), Instant::now() + period.mul_f64(0.75 + 0.25 * random.fraction()));
            let it = known.entry(name.clone()).or_default();
            match answer {
                Ok(found) => *it = Discovery { found: Some(found), trouble: None },
                Err(error) => {
                    let (trouble, CloudMapName { namespace, service }) = (error.chain(), &name);
                    if it.trouble.as_ref() != Some(&trouble) {
                        tracing::warn!(
                            namespace,
                            service,
                            error = trouble,
                            "looking for instances in Cloud Map failed and is tried again"
                        );
                    }
                    it.trouble = Some(trouble);
                }
            }
        }
        let failing = known.values().filter(|it| it.trouble.is_some()).count();
        metrics.failing.set(i64::try_from(failing).unwrap_or(i64::MAX));
        discovered.send_if_modified(|shown| {
            let news = **shown != known;
            if news {
                *shown = Arc::new(known);
            }
            news
        });
        let next = due.values().min().copied();
        let idle = async {
            match next {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = idle => {}
            changed = published.changed() => if changed.is_err() { return },
        }
    }
}

#[cfg(test)]
mod tests;
