//! Pods that controllers make and end: Jobs and StatefulSets.

use kube::ResourceExt as _;
use kube::api::DeleteParams;
use serde_json::json;
use tests::expect::{eventually, request};

use super::setting::{Case, SOON, shared, target, template};
use super::space::{addresses, condition, not_root, phase, server};

#[tokio::test]
async fn a_jobs_pod_is_a_target_until_it_ends() {
    if not_root() {
        return;
    }
    let case = Case::new(shared().await, "jobs").await;
    let group = case.bound("work").await;
    case.space
        .apply(json!({
            "apiVersion": "batch/v1", "kind": "Job", "metadata": { "name": "work" },
            "spec": { "template": template("work", json!({ "restartPolicy": "Never" }), json!({})) },
        }))
        .await;
    let pod = eventually("the Job's pod is ready", SOON, async || {
        let pods = case.pods("work").await?;
        pods.first()
            .filter(|pod| condition(pod, "Ready") == "True")
            .cloned()
            .ok_or_else(|| format!("{pods:?}"))
    })
    .await;
    case.holds(&group, [target(&pod, 8080)]).await;
    request("POST", server(&pod), "/control/exit?code=0").await.unwrap();
    case.holds(&group, []).await;
    // The object outlives its processes, and its address is none any more.
    let pod = case.space.pod_when(&pod.name_any(), "has ended", |pod| phase(pod) == "Succeeded").await;
    assert!(pod.metadata.deletion_timestamp.is_none());
}

#[tokio::test]
async fn a_stateful_sets_pod_that_returns_has_its_new_address_alone() {
    if not_root() {
        return;
    }
    let case = Case::new(shared().await, "stateful").await;
    let group = case.bound("db").await;
    case.space
        .apply(json!({
            "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": { "name": "db" },
            "spec": {
                "serviceName": "db", "replicas": 1, "selector": { "matchLabels": { "app": "db" } },
                "template": template("db", json!({}), json!({})),
            },
        }))
        .await;
    let before = eventually("db-0 is there", SOON, async || {
        case.space.pods.get("db-0").await.map_err(|error| error.to_string())
    })
    .await;
    let before_uid = before.uid();
    let before = case.space.ready("db-0").await;
    case.holds(&group, [target(&before, 8080)]).await;
    case.space.pods.delete("db-0", &DeleteParams::default()).await.unwrap();
    let after = eventually("db-0 is back", SOON, async || {
        let pod = case.space.pods.get("db-0").await.map_err(|error| error.to_string())?;
        let back = pod.uid() != before_uid && condition(&pod, "Ready") == "True";
        if back { Ok(pod) } else { Err(format!("{:?}", pod.status)) }
    })
    .await;
    assert_ne!(addresses(&before), addresses(&after));
    case.holds(&group, [target(&after, 8080)]).await;
}
