//! A cloud that throttles, fails or refuses.

use serde_json::json;
use tests::expect::{eventually, get_json, request};

use super::setting::{Case, SOON, own};
use super::space::not_root;

#[tokio::test]
async fn a_refused_group_is_named_with_the_missing_action_and_the_others_go_on() {
    if not_root() {
        return;
    }
    let world = own().await;
    let case = Case::new(&world, "denied").await;
    let denied = case.bound("denied").await;
    let other = case.bound("other").await;
    case.lattice
        .set_faults(&json!([{ "operation": "RegisterTargets", "resource": denied, "error": "AccessDeniedException" }]))
        .await
        .unwrap();
    for name in ["denied", "other"] {
        case.pod(name, name, json!({ "nodeName": "node-0" }), json!({})).await;
    }
    case.settled(&other, "other", 1).await;
    let admin = case.admin(0).await;
    let missing = "vpc-lattice:RegisterTargets";
    eventually("/readyz lists what is missing, and is ready all the same", SOON, async || {
        let (status, body) = request("GET", admin, "/readyz").await.map_err(|error| error.to_string())?;
        if status == 200 && body.contains(missing) { Ok(()) } else { Err(format!("{status} {body}")) }
    })
    .await;
    let page = get_json(admin, "/statusz?format=json").await.unwrap();
    assert!(page["readiness"].to_string().contains(missing), "{page}");
    assert!(case.targets(&denied).await.unwrap().is_empty());

    case.lattice.set_faults(&json!([])).await.unwrap();
    case.settled(&denied, "denied", 1).await;
    eventually("/readyz has nothing to say any more", SOON, async || {
        let (status, body) = request("GET", admin, "/readyz").await.map_err(|error| error.to_string())?;
        if status == 200 && !body.contains(missing) { Ok(()) } else { Err(format!("{status} {body}")) }
    })
    .await;
    case.clear().await;
}

#[tokio::test]
async fn throttling_and_errors_that_did_and_did_not_apply_end_in_the_right_targets() {
    if not_root() {
        return;
    }
    let world = own().await;
    let case = Case::new(&world, "faulty").await;
    let group = case.bound("web").await;
    let fault = |operation: &str, error: &str, probability: f64, applied: bool| json!({ "operation": operation, "error": error, "probability": probability, "applied": applied });
    case.lattice
        .set_faults(&json!([
            fault("RegisterTargets", "ThrottlingException", 0.3, false),
            fault("RegisterTargets", "InternalServerException", 0.3, true),
            fault("DeregisterTargets", "ThrottlingException", 0.3, false),
            fault("DeregisterTargets", "InternalServerException", 0.3, true),
            fault("ListTargets", "ThrottlingException", 0.3, false),
        ]))
        .await
        .unwrap();
    case.deployment("web", 8, true).await;
    case.settled(&group, "web", 8).await;
    super::agents::scale(&case, "web", 2).await;
    case.settled(&group, "web", 2).await;
    case.lattice.set_faults(&json!([])).await.unwrap();
    case.settled(&group, "web", 2).await;
    case.clear().await;
}
