//! The control plane, Lath's own and Kubernetes', goes away for a while.

use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;
use tests::controlplane::Component;
use tests::expect::eventually;
use tests::lath;
use tests::world::{Part, PartSignal};
use tokio::time::{Instant, sleep_until};

use super::agents::scale;
use super::setting::{Case, SOON, components, own, target};
use super::space::{condition, not_root};

/// Changes the number of controllers and waits until it is so.
async fn controllers(case: &Case<'_>, replicas: usize) {
    let deployments: Api<Deployment> = Api::namespaced(case.space.client.clone(), lath::NAMESPACE);
    let change = json!({ "spec": { "replicas": replicas } });
    deployments.patch("lath-controller", &PatchParams::default(), &Patch::Merge(&change)).await.unwrap();
    eventually(&format!("{replicas} controllers"), SOON, async || {
        let pods = components(case, "controller").await?;
        let ready = pods.iter().filter(|pod| condition(pod, "Ready") == "True").count();
        if pods.len() == replicas && ready == replicas {
            Ok(())
        } else {
            Err(format!("{ready} of {}", pods.len()))
        }
    })
    .await;
}

#[tokio::test]
async fn without_a_controller_targets_come_and_go_and_gates_wait_for_its_return() {
    if not_root() {
        return;
    }
    let world = own().await;
    let case = Case::new(&world, "headless").await;
    let plain = case.bound("plain").await;
    let gated = case.bound("gated").await;
    for (name, gate) in [("plain", false), ("gated", true)] {
        case.deployment(name, 2, gate).await;
    }
    case.settled(&plain, "plain", 2).await;
    case.settled(&gated, "gated", 2).await;
    controllers(&case, 0).await;

    scale(&case, "plain", 5).await;
    case.settled(&plain, "plain", 5).await;
    let deployments: Api<Deployment> = Api::namespaced(case.space.client.clone(), case.space.name);
    let change = json!({ "spec": { "template": { "metadata": { "labels": { "version": "2" } } } } });
    for name in ["plain", "gated"] {
        deployments.patch(name, &PatchParams::default(), &Patch::Merge(&change)).await.unwrap();
    }
    eventually("the plain rollout is complete", SOON * 2, async || {
        let pods = case.pods("plain").await?;
        let new = pods
            .iter()
            .filter(|pod| pod.metadata.labels.as_ref().is_some_and(|labels| labels.contains_key("version")));
        if new.count() == 5 && pods.len() == 5 { Ok(()) } else { Err(format!("{} pods", pods.len())) }
    })
    .await;
    case.settled(&plain, "plain", 5).await;
    // A gated pod is registered and waits; the old ones serve on.
    eventually("a new gated pod is a target, and waits for its gate", SOON, async || {
        let held = case.targets(&gated).await?;
        let pods = case.pods("gated").await?;
        let waiting = pods.iter().filter(|pod| {
            condition(pod, "ContainersReady") == "True"
                && condition(pod, "lath.dev/target-health") != "True"
                && held.contains(&target(pod, 8080))
        });
        let serving = pods.iter().filter(|pod| condition(pod, "Ready") == "True").count();
        if waiting.count() >= 1 && serving == 2 { Ok(()) } else { Err(format!("{serving} serve, {held:?}")) }
    })
    .await;

    controllers(&case, 2).await;
    eventually("the gated rollout is complete", SOON * 2, async || {
        let status =
            deployments.get("gated").await.map_err(|error| error.to_string())?.status.unwrap_or_default();
        let done = status.updated_replicas == Some(2)
            && status.available_replicas == Some(2)
            && status.replicas == Some(2);
        if done { Ok(()) } else { Err(format!("{status:?}")) }
    })
    .await;
    case.settled(&gated, "gated", 2).await;
    case.clear().await;
}

#[tokio::test]
async fn an_api_server_that_stands_still_for_longer_than_a_lease_costs_no_target() {
    if not_root() {
        return;
    }
    let world = own().await;
    let case = Case::new(&world, "stopped").await;
    let group = case.bound("web").await;
    case.deployment("web", 4, true).await;
    let pods = case.settled(&group, "web", 4).await;
    let mark = case.mark().await;
    let server = Part::ControlPlane(Component::ApiServer);
    world.signal(server, PartSignal::Stop).await.unwrap();
    // Long enough for Leases to lapse meanwhile; the group is looked at all the time.
    let end = Instant::now() + Duration::from_secs(20);
    while Instant::now() < end {
        let held = case.targets(&group).await.unwrap();
        assert!(pods.iter().all(|pod| held.contains(&target(pod, 8080))), "{held:?}");
        sleep_until(Instant::now() + Duration::from_millis(500)).await;
    }
    world.signal(server, PartSignal::Continue).await.unwrap();
    scale(&case, "web", 6).await;
    case.settled(&group, "web", 6).await;
    case.nothing_left(mark, &group).await;
    case.agent(0).await;
    case.agent(1).await;
    case.clear().await;
}
