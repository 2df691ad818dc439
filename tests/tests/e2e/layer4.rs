//! From TCPRoutes and UDPRoutes in YAML to bytes in pods, and back to nothing.

use std::collections::BTreeMap;

use http::Method;
use kube::api::{ApiResource, DeleteParams, DynamicObject, GroupVersionKind};
use kube::{Api, ResourceExt as _};
use lath_kubernetes::gateway::{Gateway, RouteStatus, TCPRoute};
use serde_json::{Value, json};
use tests::expect::eventually;

use super::routes::{ask, healthy, world};
use super::setting::{Case, SOON};
use super::space::not_root;

/// The host name of the HTTPRoute, in the namespace of Cloud Map that the Gateway names.
const PUBLISHED: &str = "www.shop.internal";

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

/// Waits until the route of a kind is served and its condition tells that it is so by a name: the given one, or that of its
/// annotation. Returns the name.
async fn served(case: &Case<'_>, kind: &str, name: Option<&str>) -> String {
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("gateway.networking.k8s.io", "v1", kind));
    let routes: Api<DynamicObject> =
        Api::namespaced_with(case.space.client.clone(), case.space.name, &resource);
    eventually("the route is served", SOON, async || {
        let route = routes.get("web").await.map_err(|error| error.to_string())?;
        let status: Option<RouteStatus> =
            serde_json::from_value(route.data["status"].clone()).map_err(|error| error.to_string())?;
        let message = programmed(status.as_ref())?;
        let annotated = route.annotations().get("lath.dev/dns-name").map(String::as_str);
        let name = name.or(annotated).ok_or("there is no annotation")?;
        if message.contains(name) { Ok(name.to_owned()) } else { Err(message) }
    })
    .await
}

#[tokio::test]
async fn a_tcp_route_carries_bytes_a_udp_route_leads_to_the_pods_and_cloud_map_to_a_service() {
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
                "publishServices": true,
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
                    { "name": "http", "protocol": "HTTP", "port": 80 },
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
    for (kind, port) in [("TCPRoute", 80), ("UDPRoute", 53), ("HTTPRoute", 80)] {
        let mut spec = json!({
            "parentRefs": [{ "name": name }],
            "rules": [{ "backendRefs": [{ "name": "web", "port": port }] }],
        });
        if kind == "HTTPRoute" {
            spec["hostnames"] = json!([PUBLISHED]);
        }
        case.space
            .apply(json!({
                "apiVersion": "gateway.networking.k8s.io/v1", "kind": kind, "metadata": { "name": "web" },
                "spec": spec,
            }))
            .await;
    }
    let tcp = served(&case, "TCPRoute", None).await;
    let udp = served(&case, "UDPRoute", None).await;
    assert_eq!(udp, format!("web.{name}.shop.internal"));
    let gateways: Api<Gateway> = Api::namespaced(case.space.client.clone(), name);
    let status = gateways.get(name).await.unwrap().status.unwrap();
    assert!(status.addresses.iter().any(|address| address.value == tcp), "{status:?}");
    let all = || BTreeMap::from([("/a web".to_owned(), 8)]);
    assert_eq!(ask(&case, "tcp", &format!("{tcp}:8080"), &["/a"], 8).await, all());
    // Whatever goes by the other name goes straight to the pods.
    assert_eq!(ask(&case, "udp", &format!("{udp}:8080"), &["/a"], 8).await, all());
    // The private zone leads from the HTTPRoute's host name to its service, which takes requests of that name.
    served(&case, "HTTPRoute", Some(&format!("Cloud Map leads there from {PUBLISHED}"))).await;
    healthy(&case, 2).await;
    assert_eq!(ask(&case, "http", PUBLISHED, &["/a"], 8).await, all());

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
