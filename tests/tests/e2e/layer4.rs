//! From TCPRoutes and UDPRoutes in YAML to bytes in pods, and back to nothing.

use std::collections::BTreeMap;

use http::Method;
use kube::Api;
use kube::api::DeleteParams;
use lath_kubernetes::gateway::{Gateway, RouteStatus, TCPRoute, UDPRoute};
use serde_json::{Value, json};
use tests::expect::eventually;

use super::routes::{ask, world};
use super::setting::{Case, SOON};
use super::space::not_root;

/// What VPC Lattice holds of TCP.
async fn held(case: &Case<'_>) -> Vec<String> {
    let mut held = Vec::new();
    for path in ["/resourcegateways", "/resourceconfigurations"] {
        let listed = case.lattice.send(Method::GET, path, &Value::Null).await.unwrap();
        held.extend(listed["items"].as_array().into_iter().flatten().map(|item| item["name"].to_string()));
    }
    held
}

/// The message of the condition Programmed, once it is True.
fn programmed(status: Option<&RouteStatus>) -> Result<String, String> {
    let parents = status.iter().flat_map(|status| &status.parents);
    let mut conditions = parents.flat_map(|parent| &parent.conditions);
    let found =
        conditions.find(|one| one.type_ == "lath.dev/Programmed").ok_or_else(|| format!("{status:?}"))?;
    if found.status == "True" && !found.message.contains("No pod") {
        Ok(found.message.clone())
    } else {
        Err(found.message.clone())
    }
}

/// Waits until a route is served, and returns its name in DNS.
async fn served(case: &Case<'_>, udp: bool) -> String {
    eventually("the route is served", SOON, async || {
        let (client, space) = (case.space.client.clone(), case.space.name);
        let told = |error: kube::Error| error.to_string();
        let (status, meta) = if udp {
            let route = Api::<UDPRoute>::namespaced(client, space).get("web").await.map_err(told)?;
            (route.status, route.metadata)
        } else {
            let route = Api::<TCPRoute>::namespaced(client, space).get("web").await.map_err(told)?;
            (route.status, route.metadata)
        };
        let message = programmed(status.as_ref())?;
        let name = meta.annotations.unwrap_or_default().remove("lath.dev/dns-name");
        let name = name.ok_or("there is no annotation")?;
        if message.contains(&name) { Ok(name) } else { Err(message) }
    })
    .await
}

#[tokio::test]
async fn a_tcp_route_carries_bytes_and_a_udp_route_leads_to_the_pods() {
    if not_root() {
        return;
    }
    let world = world("e2e-layer4").await;
    let case = Case::new(&world, "layer4").await;
    let name = case.space.name;
    case.space
        .apply(json!({
            "apiVersion": "lath.dev/v1alpha1", "kind": "GatewayParameters", "metadata": { "name": name },
            "spec": {
                "serviceNetwork": { "create": true },
                "resourceGateway": { "subnetIds": ["subnet-0123456789abcdef0"] },
                "cloudMapNamespace": "shop.internal", "createNamespace": true, "udp": "Direct",
            },
        }))
        .await;
    case.space
        .apply(json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": { "name": name },
            "spec": {
                "gatewayClassName": "lath",
                "infrastructure": {
                    "parametersRef": { "group": "lath.dev", "kind": "GatewayParameters", "name": name },
                },
                "listeners": [
                    { "name": "tcp", "protocol": "TCP", "port": 8080 },
                    { "name": "udp", "protocol": "UDP", "port": 53 },
                ],
            },
        }))
        .await;
    case.space
        .apply(json!({
            "apiVersion": "v1", "kind": "Service", "metadata": { "name": "web" },
            "spec": {
                "selector": { "app": "web" },
                "ports": [
                    { "name": "tcp", "port": 80, "targetPort": 8080 },
                    { "name": "udp", "port": 53, "targetPort": 8080, "protocol": "UDP" },
                ],
            },
        }))
        .await;
    case.deployment("web", 2, false).await;
    for (kind, port) in [("TCPRoute", 80), ("UDPRoute", 53)] {
        case.space
            .apply(json!({
                "apiVersion": "gateway.networking.k8s.io/v1", "kind": kind, "metadata": { "name": "web" },
                "spec": {
                    "parentRefs": [{ "name": name }],
                    "rules": [{ "backendRefs": [{ "name": "web", "port": port }] }],
                },
            }))
            .await;
    }
    let tcp = served(&case, false).await;
    let udp = served(&case, true).await;
    assert_eq!(udp, format!("web.{name}.shop.internal"));
    let gateways: Api<Gateway> = Api::namespaced(case.space.client.clone(), name);
    let status = gateways.get(name).await.unwrap().status.unwrap();
    assert!(status.addresses.iter().any(|address| address.value == tcp), "{status:?}");
    let all = || BTreeMap::from([("/a web".to_owned(), 8)]);
    assert_eq!(ask(&case, "tcp", &format!("{tcp}:8080"), &["/a"], 8).await, all());
    // Whatever goes by the other name goes straight to the pods.
    assert_eq!(ask(&case, "udp", &format!("{udp}:8080"), &["/a"], 8).await, all());

    let routes: Api<TCPRoute> = Api::namespaced(case.space.client.clone(), name);
    routes.delete("web", &DeleteParams::default()).await.unwrap();
    eventually("the route is gone", SOON, async || match routes.get_opt("web").await {
        Ok(None) => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    eventually("nothing is left of it", SOON, async || match held(&case).await {
        held if held.is_empty() => Ok(()),
        held => Err(format!("{held:?}")),
    })
    .await;
    case.clear().await;
}
