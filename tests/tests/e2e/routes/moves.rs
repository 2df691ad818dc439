//! A route that leads to other pods from one moment to the next.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use tests::load::SLOW_CLOUD;
use tokio::time::sleep;

use super::super::setting::Case;
use super::super::space::not_root;
use super::{ask, gateway, healthy, pods, route, served, world_with};

#[tokio::test]
async fn a_route_moves_to_other_pods_without_losing_a_request() {
    if not_root() {
        return;
    }
    let world = world_with("e2e-moves", &SLOW_CLOUD).await;
    let case = Case::new(&world, "moves").await;
    gateway(&case, json!({ "warmUp": { "healthyPercent": 100 } })).await;
    pods(&case, "blue", 2).await;
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
    let requests = ask(&case, "load", &host, &["/"], 900);
    let edits = async {
        pods(&case, "green", 2).await;
        case.space.apply(route(&case, "web", &to(&["blue", "green"]))).await;
        served(&case, "web").await;
        pods(&case, "red", 2).await;
        case.space.apply(route(&case, "web", &to(&["red"]))).await;
        served(&case, "web").await;
    };
    let (answers, ()) = tokio::join!(requests, edits);
    let pods: Vec<&str> = answers.keys().map(String::as_str).collect();
    assert_eq!(pods, ["/ blue", "/ green", "/ red"], "{answers:?}");
    let after = ask(&case, "after", &host, &["/"], 8).await;
    assert_eq!(after, BTreeMap::from([("/ red".to_owned(), 8)]));
}
