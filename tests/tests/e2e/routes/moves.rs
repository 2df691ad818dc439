//! A route that leads to other pods from one moment to the next.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use tests::expect::eventually;
use tests::load::{Load, SLOW_CLOUD};
use tokio::time::sleep;

use super::super::setting::{Case, SOON};
use super::super::space::not_root;
use super::{ask, gateway, healthy, pods, route, served, world_with};

/// Pods that are checked often, so that what a check finds is soon known.
async fn checked_pods(case: &Case<'_>, name: &str) {
    let check = json!({ "intervalSeconds": 5, "timeoutSeconds": 4, "healthyThresholdCount": 2 });
    case.space
        .apply(json!({
            "apiVersion": "application-networking.k8s.aws/v1alpha1", "kind": "TargetGroupPolicy",
            "metadata": { "name": name },
            "spec": { "targetRef": { "group": "", "kind": "Service", "name": name }, "healthCheck": check },
        }))
        .await;
    pods(case, name, 2).await;
}

/// Waits until a pod of a Deployment has answered a request.
async fn answered_by(load: &Load, name: &str) {
    eventually(&format!("a pod of {name} answers"), SOON, async || {
        let seen = load.outcome().await.map_err(|error| error.to_string())?;
        let answered = seen.answered.keys().any(|pod| pod.starts_with(&format!("{name}-")));
        if answered { Ok(()) } else { Err(format!("{seen:?}")) }
    })
    .await;
}

#[tokio::test]
async fn a_route_moves_to_other_pods_without_losing_a_request() {
    if not_root() {
        return;
    }
    let world = world_with("e2e-moves", &SLOW_CLOUD).await;
    let case = Case::new(&world, "moves").await;
    gateway(&case, json!({ "warmUp": { "healthyPercent": 100 } })).await;
    checked_pods(&case, "blue").await;
    let to = |names: &[&str]| {
        let backends: Vec<_> = names.iter().map(|name| json!({ "name": name, "port": 80 })).collect();
        json!([{ "backendRefs": backends }])
    };
    case.space.apply(route(&case, "web", &to(&["blue"]))).await;
    let host = served(&case, "web").await;
    healthy(&case, 2).await;
    // Until the registrations have reached the data plane, there is nobody to answer.
    sleep(Duration::from_secs(3)).await;

    // First a share, then all, of pods that nobody has checked before.
    let load = Load::begin(case.client().await, &host, 2).await.unwrap();
    checked_pods(&case, "green").await;
    case.space.apply(route(&case, "web", &to(&["blue", "green"]))).await;
    served(&case, "web").await;
    answered_by(&load, "green").await;
    checked_pods(&case, "red").await;
    case.space.apply(route(&case, "web", &to(&["red"]))).await;
    served(&case, "web").await;
    answered_by(&load, "red").await;
    // Until the old group's pods have been given up as well.
    sleep(Duration::from_secs(3)).await;
    let seen = load.end().await.unwrap();
    assert_eq!(seen.failures, 0, "{seen:#?}");
    assert!(seen.requests() >= 900, "{seen:#?}");
    let after = ask(&case, "after", &host, &["/"], 8).await;
    assert_eq!(after, BTreeMap::from([("/ red".to_owned(), 8)]));
}
