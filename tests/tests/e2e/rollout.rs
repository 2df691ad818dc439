//! A rolling update with readiness gates, held against the record of every pod's state and every call.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use futures::StreamExt as _;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Patch, PatchParams};
use kube::runtime::watcher;
use kube::{Api, ResourceExt as _};
use serde_json::json;
use tests::expect::eventually;
use tests::lattice::Call;

use super::setting::{Case, SOON, shared, template};
use super::space::{addresses, condition, not_root};

/// What a watch said of a pod, in order.
#[derive(Debug, Clone)]
struct Sight {
    time: f64,
    name: String,
    address: String,
    serving: bool,
}

/// How far the watch of this test may be behind the agent's, in seconds.
const BEHIND: f64 = 2.0;

#[tokio::test]
async fn a_rolling_update_with_gates_keeps_enough_ready_pods_registered_at_every_moment() {
    if not_root() {
        return;
    }
    let case = Case::new(shared().await, "rollout").await;
    let group = case.bound("web").await;
    let (replicas, unavailable) = (4, 1);
    let spec = json!({ "readinessGates": [{ "conditionType": "lath.dev/target-health" }] });
    let container = json!({ "lifecycle": { "preStop": { "sleep": { "seconds": 1 } } } });
    case.space
        .apply(json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web" },
            "spec": {
                "replicas": replicas, "selector": { "matchLabels": { "app": "web" } },
                "strategy": { "rollingUpdate": { "maxUnavailable": unavailable, "maxSurge": 1 } },
                "template": template("web", spec, container),
            },
        }))
        .await;
    case.settled(&group, "web", replicas).await;

    let mark = case.mark().await;
    let sights = Arc::new(Mutex::new(Vec::new()));
    let watch = tokio::spawn(observe(case.space.pods.clone(), Arc::clone(&sights)));
    let first_sight = async || match sights.lock().unwrap().len() {
        seen if seen >= replicas => Ok(()),
        seen => Err(seen),
    };
    eventually("the watch sees all pods", SOON, first_sight).await;
    let deployments: Api<Deployment> = Api::namespaced(case.space.client.clone(), case.space.name);
    let change = json!({ "spec": { "template": { "metadata": { "labels": { "version": "2" } } } } });
    deployments.patch("web", &PatchParams::default(), &Patch::Merge(&change)).await.unwrap();
    eventually("the rollout is complete", SOON * 2, async || {
        let deployment = deployments.get("web").await.map_err(|error| error.to_string())?;
        let current = deployment.metadata.generation;
        let status = deployment.status.unwrap_or_default();
        let done = status.observed_generation == current
            && status.updated_replicas == Some(4)
            && status.available_replicas == Some(4)
            && status.replicas == Some(4);
        if done { Ok(()) } else { Err(format!("{status:?}")) }
    })
    .await;
    case.settled(&group, "web", replicas).await;
    watch.abort();

    let sights = sights.lock().unwrap().clone();
    let calls = case.writes(mark, &group).await;
    only_the_leaving_left(&sights, &calls);
    let fewest = fewest_serving(&sights, &calls, replicas);
    assert!(
        fewest >= replicas - unavailable,
        "{fewest} pods were ready and registered: {sights:#?} {calls:#?}"
    );
    let entered =
        calls.iter().filter(|call| call.operation == "RegisterTargets").flat_map(Call::targets).count();
    assert_eq!(entered, replicas, "each new pod is registered once: {calls:#?}");
}

async fn observe(api: Api<Pod>, sights: Arc<Mutex<Vec<Sight>>>) {
    let mut events = std::pin::pin!(watcher(api, watcher::Config::default()));
    while let Some(event) = events.next().await {
        let (pod, gone) = match event {
            Ok(watcher::Event::Apply(pod) | watcher::Event::InitApply(pod)) => (pod, false),
            Ok(watcher::Event::Delete(pod)) => (pod, true),
            _ => continue,
        };
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        let serving =
            !gone && pod.metadata.deletion_timestamp.is_none() && condition(&pod, "Ready") == "True";
        let address = addresses(&pod).first().map(ToString::to_string).unwrap_or_default();
        sights.lock().unwrap().push(Sight { time, name: pod.name_any(), address, serving });
    }
}

/// Every pod whose target was deregistered had stopped serving by then, as far as the watch can tell.
fn only_the_leaving_left(sights: &[Sight], calls: &[Call]) {
    for call in calls.iter().filter(|call| call.operation == "DeregisterTargets") {
        for (address, _) in call.targets() {
            let last =
                sights.iter().rev().find(|sight| sight.address == address && sight.time < call.time + BEHIND);
            assert!(
                last.is_some_and(|sight| !sight.serving),
                "{address} was taken out while serving: {sights:#?}"
            );
        }
    }
}

/// The fewest pods that were Ready and registered at any moment, in the order in which the watch saw them. The targets
/// of the pods that were there before were registered before the first call.
fn fewest_serving(sights: &[Sight], calls: &[Call], replicas: usize) -> usize {
    let registered: BTreeMap<String, f64> = calls
        .iter()
        .filter(|call| call.operation == "RegisterTargets")
        .flat_map(|call| call.targets().into_iter().map(|(address, _)| (address, call.time)))
        .collect();
    let old: Vec<String> = sights.iter().take(replicas).map(|sight| sight.name.clone()).collect();
    let mut serving: BTreeMap<String, bool> = BTreeMap::new();
    let mut fewest = replicas;
    for (index, sight) in sights.iter().enumerate() {
        let target = old.contains(&sight.name)
            || registered.get(&sight.address).is_some_and(|time| *time <= sight.time);
        serving.insert(sight.name.clone(), sight.serving && target);
        if index + 1 >= replicas {
            fewest = fewest.min(serving.values().filter(|serving| **serving).count());
        }
    }
    fewest
}
