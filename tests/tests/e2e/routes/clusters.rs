//! Two clusters in two VPCs that serve one name together.

use std::collections::BTreeMap;

use http::Method;
use kube::ResourceExt as _;
use kube::api::{ApiResource, DeleteParams, DynamicObject, GroupVersionKind};
use kube::{Api, Client};
use serde_json::{Value, json};
use tests::expect::eventually;

use super::super::setting::{Case, SOON, two};
use super::super::space::not_root;
use super::{ask, gateway, healthy, left, pods, route, routes, served, vpcs};

const GROUP: &str = "application-networking.k8s.aws";

fn exports(client: Client, namespace: &str) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk(GROUP, "v1alpha1", "ServiceExport");
    Api::namespaced_with(client, namespace, &ApiResource::from_gvk(&kind))
}

/// A rule that sends requests to pods of this cluster and of the other one by weight.
fn shared(own: u32, imported: u32) -> Value {
    json!([{ "backendRefs": [
        { "name": "here", "port": 80, "weight": own },
        { "group": GROUP, "kind": "ServiceImport", "name": "there", "port": 80, "weight": imported },
    ] }])
}

#[tokio::test]
async fn two_clusters_share_a_service_by_weight() {
    if not_root() {
        return;
    }
    let [one, other] = two("e2e-clusters").await;
    let (here, there) = (Case::new(&one, "clusters").await, Case::new(&other, "clusters").await);
    here.lattice.send(Method::PUT, "/_sim/surroundings", &vpcs(&[&one, &other])).await.unwrap();

    pods(&there, "there", 2).await;
    there
        .space
        .apply(json!({
            "apiVersion": "application-networking.k8s.aws/v1alpha1", "kind": "ServiceExport",
            "metadata": { "name": "there", "annotations": { format!("{GROUP}/federation"): "amazon-vpc-lattice" } },
            "spec": { "exportedPorts": [{ "port": 80, "routeType": "HTTP" }] },
        }))
        .await;
    // Both have a Gateway of this name, which is one service network, and clients of both are in it.
    for case in [&here, &there] {
        gateway(case, json!({})).await;
    }
    pods(&here, "here", 1).await;
    here.space
        .apply(json!({
            "apiVersion": "application-networking.k8s.aws/v1alpha1", "kind": "ServiceImport",
            "metadata": { "name": "there" },
            "spec": { "type": "ClusterSetIP", "ports": [{ "port": 80, "protocol": "TCP" }] },
        }))
        .await;
    here.space.apply(route(&here, "shop", &shared(3, 1))).await;
    let host = served(&here, "shop").await;
    healthy(&here, 1).await;
    healthy(&there, 2).await;

    // Three parts of four: the cloud deals out by turns.
    let wanted = |answers: &[(&str, usize)]| -> BTreeMap<String, usize> {
        answers.iter().map(|(answer, count)| ((*answer).to_owned(), *count)).collect()
    };
    assert_eq!(ask(&here, "ask", &host, &["/"], 16).await, wanted(&[("/ here", 12), ("/ there", 4)]));
    assert_eq!(ask(&there, "ask", &host, &["/"], 16).await, wanted(&[("/ here", 12), ("/ there", 4)]));

    // All of it moves to the other cluster, and back; neither lets go of what the other needs.
    here.space.apply(route(&here, "shop", &shared(0, 1))).await;
    served(&here, "shop").await;
    assert_eq!(ask(&there, "moved", &host, &["/"], 4).await, wanted(&[("/ there", 4)]));
    let exports = exports(there.space.client.clone(), there.space.name);
    exports.delete("there", &DeleteParams::default()).await.unwrap();
    eventually("the export says that it is in use", SOON, async || {
        let export = exports.get("there").await.map_err(|error| error.to_string())?;
        let status = export.data["status"].to_string();
        if status.contains("InUse") { Ok(()) } else { Err(status) }
    })
    .await;
    assert_eq!(ask(&here, "still", &host, &["/"], 4).await, wanted(&[("/ there", 4)]));
    let only = json!([{ "backendRefs": [{ "name": "here", "port": 80 }] }]);
    here.space.apply(route(&here, "shop", &only)).await;
    served(&here, "shop").await;
    assert_eq!(ask(&here, "back", &host, &["/"], 4).await, wanted(&[("/ here", 4)]));
    eventually("the export is gone", SOON * 2, async || match exports.get_opt("there").await {
        Ok(None) => Ok(()),
        Ok(Some(export)) => Err(format!("{:?} {}", export.finalizers(), export.data)),
        Err(error) => Err(error.to_string()),
    })
    .await;

    routes(&here).delete("shop", &DeleteParams::default()).await.unwrap();
    eventually("nothing of the route is left", SOON * 2, async || {
        let left = left(&here).await;
        if left.is_empty() { Ok(()) } else { Err(format!("{left:?}")) }
    })
    .await;
}
