//! The agent's Lease: says that this agent looks after its node's targets, and for how long nobody else need to.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
};
use kube::{
    Api, Client,
    api::{Patch, PatchParams},
};
use lath_kubernetes::names;
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior},
};
use tokio_util::sync::CancellationToken;

use super::news::Renewals;

/// How often the Lease is renewed while it lasts.
const RENEWALS: u32 = 4;

/// The share of the Lease after which the agent no longer takes targets out: the rest is for the time that a renewal
/// took, and for clocks that run at different speeds.
const TRUSTED_SHARE: f64 = 0.8;

/// Longest time for a request. One whose connection is dead is made again long before the Lease runs out.
const REQUEST: Duration = Duration::from_secs(10);

/// How soon a renewal that failed is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// How the Lease stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Grows whenever others may have acted in this agent's place. 0: the Lease has not been taken yet.
    pub epoch: i64,
    /// Until when this agent may take targets out, on the monotonic clock.
    pub trusted_until: Option<Instant>,
    /// The epoch began before this agent started, so nobody had a reason to act in its place meanwhile.
    pub continued: bool,
    /// When it was renewed, to tell how old other news is.
    pub renewals: Renewals,
}

/// What the Lease is kept with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The namespace of the Lease.
    pub namespace: String,
    /// The node.
    pub node: String,
    /// Who holds it: the agent's pod, or the node where that is not known.
    pub holder: String,
    /// The boot id of the node.
    pub boot_id: String,
    /// How long it lasts.
    pub duration: Duration,
    /// What this agent registered before it started is known from its journal, so that its epoch can go on.
    pub remembers: bool,
}

/// Keeps the Lease until `shutdown`, and then leaves it to expire, since an agent that is being replaced is back long
/// before. `health` is what the Lease says of the pipeline.
pub async fn keep(
    client: Client,
    settings: Settings,
    mut health: watch::Receiver<String>,
    standing: watch::Sender<Standing>,
    shutdown: CancellationToken,
) {
    let api: Api<Lease> = Api::namespaced(client, &settings.namespace);
    let name = names::agent_lease(&settings.node);
    let mut epoch = None;
    let mut continued = false;
    let mut last_renewed: Option<Instant> = None;
    let mut renewals = Renewals::default();
    let mut failing = false;
    let patience = REQUEST.min(settings.duration / RENEWALS);
    let mut timer = tokio::time::interval(settings.duration / RENEWALS);
    timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = timer.tick() => {}
            Ok(()) = health.changed() => {}
            () = shutdown.cancelled() => return,
        }
        let asked = Instant::now();
        let current = if let Some(epoch) = epoch {
            Ok(epoch)
        } else {
            let lease = answered(api.get_opt(&name), patience).await;
            lease.map(|lease| {
                let first;
                (first, continued) = first_epoch(lease.as_ref(), &settings);
                first
            })
        };
        let lapsed = last_renewed.is_some_and(|renewed| asked - renewed >= settings.duration);
        let renewed = match current {
            Ok(current) => {
                let next = if lapsed { current + 1 } else { current };
                let lease = lease(&settings, &name, next, &health.borrow_and_update());
                let params = PatchParams::apply(names::AGENT).force();
                let renewed = answered(api.patch(&name, &params, &Patch::Apply(&lease)), patience).await;
                renewed.map(|lease| (next, lease.metadata.resource_version))
            }
            Err(error) => Err(error),
        };
        match renewed {
            Ok((renewed, version)) => {
                if failing {
                    tracing::info!(lease = name, epoch = renewed, "the Lease is renewed again");
                }
                failing = false;
                epoch = Some(renewed);
                // The Lease counts from before it was asked for, which is the earliest that anyone can count from.
                last_renewed = Some(asked);
                let trusted_until = Some(asked + settings.duration.mul_f64(TRUSTED_SHARE));
                if let Some(version) = version.and_then(|version| version.parse().ok()) {
                    renewals.add(version, asked);
                }
                standing.send_replace(Standing { epoch: renewed, trusted_until, continued, renewals });
            }
            Err(error) => {
                if !failing {
                    tracing::warn!(
                        lease = name, namespace = settings.namespace, %error,
                        "renewing the Lease failed; without it no target is taken out. Is the API server reachable, and may this service account patch Leases here?"
                    );
                }
                failing = true;
                timer.reset_after(RETRY);
            }
        }
    }
}

/// The answer to a request, or why there is none.
async fn answered<T>(
    request: impl Future<Output = kube::Result<T>>,
    patience: Duration,
) -> Result<T, String> {
    match tokio::time::timeout(patience, request).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_elapsed) => Err(format!("no answer within {patience:?}")),
    }
}

/// The epoch to begin with: the one before, if the agent knows what it registered in it and nobody had a reason to act
/// in its place; else the next. And whether it is the one before.
fn first_epoch(lease: Option<&Lease>, settings: &Settings) -> (i64, bool) {
    let annotation = |key: &str| lease.and_then(|lease| lease.metadata.annotations.as_ref()?.get(key));
    let before = annotation(names::EPOCH).and_then(|epoch| epoch.parse().ok()).unwrap_or(0);
    let renewed = lease.and_then(|lease| lease.spec.as_ref()?.renew_time.as_ref());
    // The two clocks are this node's own. One that jumped costs at most a round of registrations.
    let fresh = renewed.is_some_and(|MicroTime(renewed)| {
        Timestamp::now().duration_since(*renewed).unsigned_abs() < settings.duration
    });
    let same_boot = annotation(names::BOOT_ID).is_some_and(|boot_id| *boot_id == settings.boot_id);
    let continued = settings.remembers && fresh && same_boot && before > 0;
    (if continued { before } else { before + 1 }, continued)
}

fn lease(settings: &Settings, name: &str, epoch: i64, health: &str) -> Lease {
    Lease {
        metadata: ObjectMeta {
            name: Some(name.into()),
            namespace: Some(settings.namespace.clone()),
            labels: Some(BTreeMap::from([(
                names::AGENT_LEASE_LABEL.into(),
                names::AGENT_LEASE_VALUE.into(),
            )])),
            annotations: Some(BTreeMap::from([
                (names::EPOCH.into(), epoch.to_string()),
                (names::BOOT_ID.into(), settings.boot_id.clone()),
                (names::TARGETS_HEALTH.into(), health.into()),
            ])),
            ..ObjectMeta::default()
        },
        spec: Some(LeaseSpec {
            holder_identity: Some(settings.holder.clone()),
            lease_duration_seconds: i32::try_from(settings.duration.as_secs()).ok(),
            renew_time: Some(MicroTime(Timestamp::now())),
            ..LeaseSpec::default()
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_epoch_goes_on_only_when_nothing_can_have_happened() {
        let settings = Settings {
            namespace: "lath".into(),
            node: "node-0".into(),
            holder: "lath-agent-x".into(),
            boot_id: "boot".into(),
            duration: Duration::from_secs(120),
            remembers: true,
        };
        let fresh = lease(&settings, "x", 7, "ok");
        let mut stale = fresh.clone();
        let long_ago = Timestamp::now() - Duration::from_secs(121);
        stale.spec.as_mut().unwrap().renew_time = Some(MicroTime(long_ago));
        let rebooted = Settings { boot_id: "another".into(), ..settings.clone() };
        let forgetful = Settings { remembers: false, ..settings.clone() };
        for (what, lease, settings, expected) in [
            ("the first start", None, &settings, 1),
            ("a quick restart", Some(&fresh), &settings, 7),
            ("a restart after the Lease lapsed", Some(&stale), &settings, 8),
            ("a restart of the node", Some(&fresh), &rebooted, 8),
            ("a restart without a journal", Some(&fresh), &forgetful, 8),
        ] {
            assert_eq!(first_epoch(lease, settings), (expected, expected == 7), "{what}");
        }
    }
}
