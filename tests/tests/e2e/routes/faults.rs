//! A cloud that denies, throttles or is slow, and what routes say meanwhile.

use kube::api::DeleteParams;
use serde_json::json;
use tests::expect::eventually;

use super::super::setting::{Case, SOON, id_of, own};
use super::super::space::not_root;
use super::{gateway, pods, route, routes, says, served, world};

const PROGRAMMED: &str = "lath.dev/Programmed";

/// Waits until a route has a condition that Lattice has it, for a time in which the cloud takes few calls.
async fn served_at_last(case: &Case<'_>, name: &str) {
    eventually(&format!("{name} is served"), SOON * 2, async || {
        let route = routes(case).get(name).await.map_err(|error| error.to_string())?;
        let parents = route.status.iter().flat_map(|status| &status.parents);
        let mut conditions = parents.flat_map(|parent| &parent.conditions);
        let served = conditions.any(|condition| condition.type_ == PROGRAMMED && condition.status == "True");
        if served { Ok(()) } else { Err(format!("{:?}", route.status)) }
    })
    .await;
}

#[tokio::test]
async fn a_denied_or_throttled_call_is_named_and_the_other_routes_go_on() {
    if not_root() {
        return;
    }
    let world = own().await;
    let case = Case::new(&world, "hindered").await;
    gateway(&case, json!({})).await;
    pods(&case, "web", 1).await;
    let to = |path: &str| {
        json!([{
            "matches": [{ "path": { "value": path } }], "backendRefs": [{ "name": "web", "port": 80 }],
        }])
    };
    case.space.apply(route(&case, "first", &to("/a"))).await;
    served(&case, "first").await;
    let found = routes(&case).get("first").await.unwrap();
    let service = &found.metadata.annotations.unwrap()["application-networking.k8s.aws/lattice-service-arn"];

    // What the role may not do is named, with the action; routes that do not need it are made.
    case.lattice
        .set_faults(&json!([{
            "operation": "BatchUpdateRule", "resource": id_of(service), "error": "AccessDeniedException",
        }]))
        .await
        .unwrap();
    case.space.apply(route(&case, "first", &to("/b"))).await;
    let message = says(&case, "first", PROGRAMMED, "False", "AccessDenied").await;
    assert!(message.contains("vpc-lattice:BatchUpdateRule"), "{message}");
    case.space.apply(route(&case, "second", &to("/"))).await;
    served(&case, "second").await;
    case.lattice.set_faults(&json!([])).await.unwrap();
    served(&case, "first").await;

    // Who is throttled again and again is told so.
    case.lattice
        .set_faults(&json!([{ "operation": "CreateService", "error": "ThrottlingException" }]))
        .await
        .unwrap();
    case.space.apply(route(&case, "third", &to("/"))).await;
    says(&case, "third", PROGRAMMED, "False", "Throttled").await;
    case.lattice.set_faults(&json!([])).await.unwrap();
    served(&case, "third").await;
    case.clear().await;
}

#[tokio::test]
async fn one_call_a_second_is_enough_for_new_routes_and_for_those_that_go() {
    if not_root() {
        return;
    }
    // One of its own: who has learnt to go slowly does so for a while.
    let world = world("e2e-slowly").await;
    let case = Case::new(&world, "slowly").await;
    gateway(&case, json!({})).await;
    pods(&case, "web", 1).await;
    let rules = json!([{ "backendRefs": [{ "name": "web", "port": 80 }] }]);
    case.space.apply(route(&case, "old", &rules)).await;
    served(&case, "old").await;

    case.lattice.set(&json!({ "api.rate": "1", "api.burst": "1" })).await.unwrap();
    let mark = case.mark().await;
    for name in ["first", "second", "third"] {
        case.space.apply(route(&case, name, &rules)).await;
    }
    routes(&case).delete("old", &DeleteParams::default()).await.unwrap();
    for name in ["first", "second", "third"] {
        served_at_last(&case, name).await;
    }
    eventually("the old route is gone", SOON * 2, async || match routes(&case).get_opt("old").await {
        Ok(None) => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;

    // Nothing was made twice, and few calls were in vain.
    let calls = case.lattice.calls(mark).await.unwrap();
    let made = |operation: &str| {
        calls.iter().filter(|call| call.operation == operation && call.status < Some(300)).count()
    };
    assert_eq!((made("CreateService"), made("DeleteService")), (3, 1));
    let throttled = calls.iter().filter(|call| call.status == Some(429)).count();
    assert!(throttled * 2 < calls.len(), "{throttled} of {} calls were throttled", calls.len());
}
