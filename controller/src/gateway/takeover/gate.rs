//! Whether the AWS controller is away: its Lease has lapsed or is gone, and no pod of it runs. Its garbage collector runs on
//! standbys too, so the Lease alone proves nothing.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use k8s_openapi::api::{coordination::v1::Lease, core::v1::Pod};
use kube::{Api, Client, api::ListParams, runtime::events::EventType};
use lath_kubernetes::names;
use tokio::{sync::watch, time::Instant};

use super::{Metrics, Settings, State};
use crate::{
    events::Events,
    gateway::objects::Objects,
    leader::{Judge, Move},
    shared::Shared,
};

/// How often it is looked while something waits for it, and how often afterwards.
const WAITING: Duration = Duration::from_secs(3);
const WATCHING: Duration = Duration::from_secs(30);

/// The longest time for one look.
const LOOK: Duration = Duration::from_secs(10);

/// What is said before the first look.
pub const UNKNOWN: &str = "whether the AWS controller is away is being looked at";

/// Who looks.
pub struct Gate {
    /// Kubernetes.
    pub client: Client,
    /// From whom is taken over.
    pub settings: Settings,
    /// Gateway API's objects, for the classes that an Event is about.
    pub objects: Arc<Shared<Objects>>,
    /// Tells that the AWS controller is back.
    pub events: Events,
    /// How far the take-over is.
    pub state: watch::Receiver<State>,
    /// Why nothing can be taken over yet; `None` from the moment that it can.
    pub reason: watch::Sender<Option<String>>,
    /// What is seen.
    pub metrics: Metrics,
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gate")
    }
}

impl Gate {
    /// Looks, for ever.
    pub async fn run(self) {
        let mut judges: BTreeMap<String, Judge> = BTreeMap::new();
        let mut rival = false;
        loop {
            let seen = match tokio::time::timeout(LOOK, self.look(&mut judges)).await {
                Ok(Ok(seen)) => Ok(seen),
                Ok(Err(error)) => Err(format!(
                    "whether the AWS controller is away can't be told, since its Lease {} or its pods can't be listed: {error}",
                    names::AWS_LEADER_LEASE
                )),
                Err(_elapsed) => {
                    Err("the API server does not tell whether the AWS controller is away".into())
                }
            };
            let open = self.reason.borrow().is_none();
            match seen {
                Ok(None) if !open => drop(self.reason.send_replace(None)),
                Ok(Some(reason)) | Err(reason) if !open => {
                    self.reason.send_if_modified(|now| {
                        let changed = now.as_ref() != Some(&reason);
                        *now = Some(reason);
                        changed
                    });
                }
                Ok(Some(reason)) if self.state.borrow().is_over() => {
                    self.metrics.rival(true);
                    if !std::mem::replace(&mut rival, true) {
                        self.warn(&reason).await;
                    }
                }
                Ok(_) => {
                    rival = false;
                    self.metrics.rival(false);
                }
                Err(error) => tracing::debug!(error, "looking for the AWS controller failed"),
            }
            let open = self.reason.borrow().is_none();
            tokio::time::sleep(if open { WATCHING } else { WAITING }).await;
        }
    }

    /// Why the AWS controller may act, if it may.
    async fn look(&self, judges: &mut BTreeMap<String, Judge>) -> kube::Result<Option<String>> {
        let named = ListParams::default().fields(&format!("metadata.name={}", names::AWS_LEADER_LEASE));
        let leases: Api<Lease> = Api::all(self.client.clone());
        let leases = leases.list(&named).await?.items;
        let pods: Api<Pod> = Api::all(self.client.clone());
        for selector in &self.settings.pods {
            let running = ListParams::default()
                .labels(selector)
                .fields("status.phase!=Succeeded,status.phase!=Failed")
                .limit(1);
            if let Some(pod) = pods.list_metadata(&running).await?.items.first() {
                let (namespace, name) = (pod.metadata.namespace.as_deref(), pod.metadata.name.as_deref());
                return Ok(Some(format!(
                    "waiting for the AWS controller to be away: its pod {}/{} is there. Scale it to 0 or uninstall it; as \
                     long as one of its pods runs, it may delete target groups",
                    namespace.unwrap_or_default(),
                    name.unwrap_or_default()
                )));
            }
        }
        Ok(held(&leases, judges, Instant::now()))
    }

    async fn warn(&self, reason: &str) {
        let note = format!(
            "The AWS controller is back, although Lath has taken over from it. What was taken over stays Lath's, but both \
             write to the same objects: uninstall the AWS controller. Seen: {reason}"
        );
        tracing::error!(
            reason,
            "the AWS controller is back although Lath has taken over from it: uninstall it"
        );
        let classes: Vec<_> = {
            let objects = self.objects.read();
            let of_aws = |class: &&lath_kubernetes::gateway::GatewayClass| {
                class.spec.controller_name == names::AWS_GATEWAY_CONTROLLER
            };
            objects.classes.values().filter(of_aws).cloned().collect()
        };
        for class in &classes {
            self.events.tell(class, EventType::Warning, "TakeOver", "RivalIsBack", &note).await;
        }
    }
}

/// Why the AWS controller may act, by its Leases, which may be in several namespaces.
fn held(leases: &[Lease], judges: &mut BTreeMap<String, Judge>, now: Instant) -> Option<String> {
    let namespace = |lease: &Lease| lease.metadata.namespace.clone().unwrap_or_default();
    judges.retain(|known, _| leases.iter().any(|lease| namespace(lease) == *known));
    let mut reason = None;
    for lease in leases {
        let judge = judges.entry(namespace(lease)).or_default();
        if judge.decide(lease, "", now) == Move::Wait {
            reason = Some(format!(
                "waiting for the Lease {} in namespace {} to lapse, by which the AWS controller acts",
                names::AWS_LEADER_LEASE,
                namespace(lease)
            ));
        }
    }
    reason
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::coordination::v1::LeaseSpec;
    use kube::api::ObjectMeta;

    use super::*;

    fn lease(namespace: &str, version: &str, holder: &str) -> Lease {
        Lease {
            metadata: ObjectMeta {
                namespace: Some(namespace.into()),
                resource_version: Some(version.into()),
                ..ObjectMeta::default()
            },
            spec: Some(LeaseSpec {
                holder_identity: Some(holder.into()),
                lease_duration_seconds: Some(15),
                ..LeaseSpec::default()
            }),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_is_held_until_it_has_not_been_renewed_for_its_time() {
        let mut judges = BTreeMap::new();
        let mut look = |leases: &[Lease]| held(leases, &mut judges, Instant::now()).is_some();
        assert!(!look(&[]));
        assert!(!look(&[lease("a", "1", "")]));
        assert!(look(&[lease("a", "1", "x"), lease("b", "1", "")]));
        tokio::time::sleep(Duration::from_secs(14)).await;
        assert!(look(&[lease("a", "2", "x")]), "it was renewed");
        tokio::time::sleep(Duration::from_secs(14)).await;
        assert!(look(&[lease("a", "2", "x")]));
        // Another namespace's counts by itself.
        assert!(look(&[lease("a", "2", "x"), lease("b", "1", "y")]));
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(!look(&[lease("a", "2", "x")]));
    }
}
