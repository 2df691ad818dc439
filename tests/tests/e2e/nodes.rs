//! Nodes that go, boot anew, or can't reach the API server.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::api::{DeleteParams, Patch, PatchParams};
use kube::{Api, ResourceExt as _};
use lath_kubernetes::NodeTargets;
use serde_json::json;
use tests::expect::eventually;
use tests::lath;
use tests::network::Peer;

use super::setting::{Case, SOON, own, target};
use super::space::{addresses, condition, node_of, not_root, restarts};

#[tokio::test]
async fn a_node_that_is_removed_leaves_no_target_record_or_lease() {
    if not_root() {
        return;
    }
    let world = own().await;
    let case = Case::new(&world, "removed").await;
    let group = case.bound("web").await;
    let mut pods = Vec::new();
    for node in 0..2 {
        let name = format!("on-{node}");
        case.pod(&name, "web", json!({ "nodeName": format!("node-{node}") }), json!({})).await;
        pods.push(case.space.ready(&name).await);
    }
    case.holds(&group, pods.iter().map(|pod| target(pod, 8080))).await;
    let records: Api<NodeTargets> = Api::all(case.space.client.clone());
    let leases: Api<Lease> = Api::namespaced(case.space.client.clone(), lath::NAMESPACE);
    assert!(records.get_opt("node-1").await.unwrap().is_some());
    world.node(1).remove().await.unwrap();
    case.holds(&group, [target(&pods[0], 8080)]).await;
    eventually("record and Lease of the node are gone", SOON, async || {
        let record = records.get_opt("node-1").await.map_err(|error| error.to_string())?;
        let lease = leases.get_opt("lath-agent-node-1").await.map_err(|error| error.to_string())?;
        if record.is_none() && lease.is_none() { Ok(()) } else { Err(format!("{record:?} {lease:?}")) }
    })
    .await;
    case.holds(&group, [target(&pods[0], 8080)]).await;
    // A machine of the same name comes and serves.
    world.node(1).add().await.unwrap();
    case.agent(1).await;
    case.space.pods.delete("on-1", &DeleteParams::default().grace_period(0)).await.ok();
    case.space.gone("on-1").await;
    case.pod("new-1", "web", json!({ "nodeName": "node-1" }), json!({})).await;
    let new = case.space.ready("new-1").await;
    case.holds(&group, [target(&pods[0], 8080), target(&new, 8080)]).await;
    case.clear().await;
}

#[tokio::test]
async fn a_node_that_boots_anew_exchanges_its_targets_addresses() {
    if not_root() {
        return;
    }
    let world = own().await;
    let case = Case::new(&world, "rebooted").await;
    let group = case.bound("web").await;
    let mut before = Vec::new();
    for (name, node) in [("a", 0), ("b", 0), ("c", 1)] {
        case.pod(name, "web", json!({ "nodeName": format!("node-{node}") }), json!({})).await;
        before.push(case.space.ready(name).await);
    }
    case.holds(&group, before.iter().map(|pod| target(pod, 8080))).await;
    let mark = case.mark().await;
    world.node(0).reboot(Duration::from_millis(500)).await.unwrap();
    for pod in &before[..2] {
        let name = pod.name_any();
        let has_moved = |now: &Pod| {
            restarts(now) == 1 && addresses(now) != addresses(pod) && condition(now, "Ready") == "True"
        };
        let now = case.space.pod_when(&name, "has another address", has_moved).await;
        assert_eq!(now.uid(), pod.uid());
    }
    let now = case.settled(&group, "web", 3).await;
    assert_eq!(now.iter().filter(|pod| node_of(pod) == 0).count(), 2);
    // The other node's pod has not been touched.
    let other = addresses(&before[2])[0].to_string();
    let touched: Vec<_> = case
        .writes(mark, &group)
        .await
        .into_iter()
        .filter(|call| call.targets().iter().any(|(address, _)| *address == other))
        .collect();
    assert!(touched.is_empty(), "{touched:?}");
    case.clear().await;
}

#[tokio::test]
async fn a_node_cut_off_while_its_pods_are_replaced_converges_once_healed() {
    if not_root() {
        return;
    }
    let world = own().await;
    let case = Case::new(&world, "partition").await;
    let group = case.bound("web").await;
    case.deployment("web", 4, false).await;
    let pods = case.settled(&group, "web", 4).await;
    let far: Vec<_> = pods.iter().filter(|pod| node_of(pod) == 1).collect();
    assert!(!far.is_empty(), "the scheduler spreads pods");
    let nodes: Api<Node> = Api::all(case.space.client.clone());
    let cordon = async |unschedulable: bool| {
        let change = json!({ "spec": { "unschedulable": unschedulable } });
        nodes.patch("node-1", &PatchParams::default(), &Patch::Merge(&change)).await.unwrap();
    };
    cordon(true).await;
    world.node(1).cut(Peer::ApiServer).await.unwrap();
    for pod in &far {
        case.space.pods.delete(&pod.name_any(), &DeleteParams::default().grace_period(0)).await.unwrap();
    }
    // Others take their places elsewhere, while the far agent does not know.
    let near = eventually("four pods are ready on the other node", SOON, async || {
        let pods = case.pods("web").await?;
        let near =
            |pod: &&Pod| pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()) == Some("node-0");
        let ready = pods.iter().filter(near).filter(|pod| condition(pod, "Ready") == "True").count();
        if ready == 4 && pods.len() == 4 { Ok(pods) } else { Err(format!("{ready} of {}", pods.len())) }
    })
    .await;
    eventually("all four are targets", SOON, async || {
        let held = case.targets(&group).await?;
        if near.iter().all(|pod| held.contains(&target(pod, 8080))) {
            Ok(())
        } else {
            Err(format!("{held:?}"))
        }
    })
    .await;
    world.node(1).heal(Peer::ApiServer).await.unwrap();
    case.settled(&group, "web", 4).await;
    cordon(false).await;
    case.agent(1).await;
    case.clear().await;
}
