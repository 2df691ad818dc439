//! From a Gateway and its routes in YAML to bytes in pods, and back to nothing.

use std::collections::BTreeMap;

use http::Method;
use k8s_openapi::api::core::v1::Event;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use kube::{Api, ResourceExt as _};
use lath_kubernetes::gateway::{Gateway, HTTPRoute};
use serde_json::{Value, json};
use tests::expect::eventually;
use tests::world::World;

use super::setting::{Case, SOON, carrying, components, own};
use super::space::not_root;

#[path = "routes/clusters.rs"]
mod clusters;
#[path = "routes/faults.rs"]
mod faults;
#[path = "routes/functions.rs"]
mod functions;
#[path = "routes/moves.rs"]
mod moves;
#[path = "routes/policies.rs"]
mod policies;
#[path = "routes/takeover.rs"]
mod takeover;

/// The cloud's resolver, where a VPC has it.
const RESOLVER: &str = "169.254.169.253";

/// The operations that pods' coming and going may cost.
const OF_TARGETS: [&str; 5] =
    ["RegisterTargets", "DeregisterTargets", "ListTargets", "GetTargetGroup", "ListTagsForResource"];

/// A world whose cloud carries traffic. A VPC is in one service network, so that each test has a world of its own.
pub(super) async fn world(name: &str) -> World {
    world_with(name, &[]).await
}

/// Such a world whose cloud has these settings.
async fn world_with(name: &str, settings: &[&str]) -> World {
    let world = carrying(name, settings).await;
    let lattice = tests::lattice::Lattice::new(world.description());
    lattice.send(Method::PUT, "/_sim/surroundings", &vpcs(&[&world])).await.unwrap();
    world
}

/// The surroundings of worlds: the VPC of each, which its pods are in.
fn vpcs(worlds: &[&World]) -> Value {
    let vpcs = worlds.iter().map(|world| {
        let (v4, v6) = (world.description().plan.network_v4(), world.description().plan.network_v6());
        json!({ "id": world.vpc(), "cidrs": [format!("{}/{}", v4.0, v4.1), format!("{}/{}", v6.0, v6.1)] })
    });
    json!({ "vpcs": vpcs.collect::<Vec<_>>() })
}

/// A Gateway of its own for a test, whose service network Lath makes.
async fn gateway(case: &Case<'_>, parameters: Value) {
    let mut spec = json!({ "serviceNetwork": { "create": true } });
    for (name, value) in parameters.as_object().into_iter().flatten() {
        spec[name] = value.clone();
    }
    let name = case.space.name;
    case.space
        .apply(json!({
            "apiVersion": "lath.dev/v1alpha1", "kind": "GatewayParameters", "metadata": { "name": name }, "spec": spec,
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
                "listeners": [{ "name": "http", "protocol": "HTTP", "port": 80 }],
            },
        }))
        .await;
}

fn route(case: &Case<'_>, name: &str, rules: &Value) -> Value {
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": { "name": name },
        "spec": { "parentRefs": [{ "name": case.space.name }], "rules": rules },
    })
}

fn routes(case: &Case<'_>) -> Api<HTTPRoute> {
    Api::namespaced(case.space.client.clone(), case.space.name)
}

/// Waits until a condition of a route has this status and reason for its present generation. Returns the message.
async fn says(case: &Case<'_>, name: &str, kind: &str, status: &str, reason: &str) -> String {
    eventually(&format!("{kind} of {name} is {status}, {reason}"), SOON, async || {
        let route = routes(case).get(name).await.map_err(|error| error.to_string())?;
        let parents = route.status.iter().flat_map(|status| &status.parents);
        let condition = parents
            .flat_map(|parent| &parent.conditions)
            .find(|condition| {
                condition.type_ == kind && condition.observed_generation == route.metadata.generation
            })
            .ok_or_else(|| format!("{:?}", route.status))?;
        if condition.status == status && condition.reason == reason {
            Ok(condition.message.clone())
        } else {
            Err(format!("{condition:?}"))
        }
    })
    .await
}

/// Waits until a route is served, and returns the name that Lattice gave its service.
async fn served(case: &Case<'_>, name: &str) -> String {
    says(case, name, "lath.dev/Programmed", "True", "Programmed").await;
    let route = routes(case).get(name).await.unwrap();
    route.annotations()["application-networking.k8s.aws/lattice-assigned-domain-name"].clone()
}

/// Makes a Service with so many pods behind it, and waits for nothing.
async fn pods(case: &Case<'_>, name: &str, replicas: u32) {
    case.service(name, name, json!(8080)).await;
    case.deployment(name, replicas, true).await;
}

/// Waits until so many targets are healthy at the groups of a namespace's bindings.
pub(super) async fn healthy(case: &Case<'_>, count: u32) {
    eventually(&format!("{count} healthy targets"), SOON, async || {
        let bindings = case.bindings.list(&ListParams::default()).await.map_err(|error| error.to_string())?;
        let (mut healthy, mut seen) = (0, Vec::new());
        for binding in &bindings.items {
            let targets = case.lattice.targets(&binding.spec.target_group.arn).await;
            let targets = targets.map_err(|error| error.to_string())?;
            healthy += targets.iter().filter(|target| target.status == "HEALTHY").count();
            seen.push(format!("{:?}: {targets:?}, {:?}", binding.metadata.name, binding.status));
        }
        if healthy == usize::try_from(count).unwrap() { Ok(()) } else { Err(seen.join("; ")) }
    })
    .await;
}

/// Sends requests from a pod and returns what was printed: for each path, the pods that answered and how often, or the
/// status.
pub(super) async fn ask(
    case: &Case<'_>,
    name: &str,
    host: &str,
    paths: &[&str],
    times: usize,
) -> BTreeMap<String, usize> {
    let script = r#"
for path in $PATHS; do for _ in $(seq $TIMES); do
    curl -sS --max-time 10 -o /tmp/body -w '%{http_code}' "http://$HOST$path" > /tmp/status
    if [ "$(cat /tmp/status)" = 200 ]; then
        echo "$path $(sed -n 's/.*"pod": *"\([a-z]*\)-.*/\1/p' /tmp/body)"
    else echo "$path $(cat /tmp/status)"; fi
done; done
"#;
    let environment = [("HOST", host), ("PATHS", &paths.join(" ")), ("TIMES", &times.to_string())]
        .map(|(name, value)| json!({ "name": name, "value": value }));
    let resolver = json!({ "dnsPolicy": "None", "dnsConfig": { "nameservers": [RESOLVER] } });
    let container = json!({ "env": environment });
    let (phase, said) = case.space.script(case.world, name, script, resolver, container).await;
    assert_eq!(phase, "Succeeded", "{said}");
    let mut answers = BTreeMap::new();
    for line in said.lines() {
        *answers.entry(line.to_owned()).or_default() += 1;
    }
    answers
}

/// Names and ids of everything at the cloud that carries a route's tag.
async fn left(case: &Case<'_>) -> Vec<String> {
    let state = case.lattice.send(Method::GET, "/_sim/state", &Value::Null).await.unwrap();
    let namespace = json!(case.space.name);
    let mut left = Vec::new();
    for kind in ["services", "target_groups"] {
        for resource in state[kind].as_array().into_iter().flatten() {
            if resource["tags"]["application-networking.k8s.aws/RouteNamespace"] == namespace {
                left.push(format!("{kind} {}", resource["name"]));
            }
        }
    }
    left
}

#[tokio::test]
async fn a_route_leads_from_yaml_to_bytes_and_back_to_nothing() {
    if not_root() {
        return;
    }
    let world = world("e2e-routes").await;
    let case = Case::new(&world, "bytes").await;
    gateway(&case, json!({})).await;
    pods(&case, "blue", 2).await;
    pods(&case, "green", 2).await;
    let backends = json!([{ "name": "blue", "port": 80, "weight": 3 }, { "name": "green", "port": 80 }]);
    let green = json!([{ "name": "green", "port": 80 }]);
    let shared = json!({ "matches": [{ "path": { "value": "/shared" } }], "backendRefs": backends });
    let only = json!({
        "matches": [{ "path": { "value": "/shared/green" } }, { "path": { "type": "Exact", "value": "/green" } }],
        "backendRefs": green,
    });
    case.space.apply(route(&case, "shop", &json!([shared, only]))).await;
    let host = served(&case, "shop").await;
    healthy(&case, 4).await;

    let gateways: Api<Gateway> = Api::namespaced(case.space.client.clone(), case.space.name);
    let status = gateways.get(case.space.name).await.unwrap().status.unwrap();
    assert_eq!(status.addresses[0].value, host);
    assert_eq!(status.listeners[0].attached_routes, 1);

    let paths = ["/shared", "/shared/x", "/shared/green/x", "/green", "/green/x", "/sharedx"];
    let answers = ask(&case, "ask", &host, &paths, 8).await;
    let count = |answer: &str| answers.get(answer).copied().unwrap_or_default();
    // Three parts of four, over both paths together: the cloud deals out by turns.
    assert_eq!(count("/shared blue") + count("/shared/x blue"), 12, "{answers:?}");
    assert_eq!(count("/shared green") + count("/shared/x green"), 4, "{answers:?}");
    for answer in ["/shared/green/x green", "/green green", "/green/x 404", "/sharedx 404"] {
        assert_eq!(count(answer), 8, "{answer}: {answers:?}");
    }

    // An edit is one call for the rules that stay, whatever it changes in them.
    let mark = case.mark().await;
    let only = json!({ "matches": [{ "path": { "value": "/shared" } }], "backendRefs": green });
    let more =
        json!({ "matches": [{ "path": { "type": "Exact", "value": "/green" } }], "backendRefs": backends });
    case.space.apply(route(&case, "shop", &json!([only, more]))).await;
    served(&case, "shop").await;
    let calls = case.lattice.calls(mark).await.unwrap();
    let changes: Vec<&str> = calls
        .iter()
        .map(|call| call.operation.as_str())
        .filter(|operation| !OF_TARGETS.contains(operation) && !operation.starts_with("List"))
        .collect();
    // There were five rules and are three.
    assert_eq!(changes, ["BatchUpdateRule", "DeleteRule", "DeleteRule"]);

    // What can't be done is refused by name, and what was goes on.
    let header = json!({ "add": [{ "name": "x-team", "value": "shop" }] });
    let refused = json!({
        "matches": [{ "path": { "value": "/shared" } }], "backendRefs": green,
        "filters": [{ "type": "RequestHeaderModifier", "requestHeaderModifier": header }],
    });
    let mark = case.mark().await;
    case.space.apply(route(&case, "shop", &json!([refused]))).await;
    let message = says(&case, "shop", "Accepted", "False", "UnsupportedValue").await;
    assert!(message.contains("spec.rules[0].filters"), "{message}");
    let answers = ask(&case, "still", &host, &["/shared/x"], 4).await;
    assert_eq!(answers, BTreeMap::from([("/shared/x green".to_owned(), 4)]));
    let calls = case.lattice.calls(mark).await.unwrap();
    assert!(calls.iter().all(|call| OF_TARGETS.contains(&call.operation.as_str())), "{calls:?}");
    let events: Api<Event> = Api::namespaced(case.space.client.clone(), case.space.name);
    eventually("an Event says so", SOON, async || {
        let events = events.list(&ListParams::default()).await.map_err(|error| error.to_string())?;
        let told = events.items.iter().any(|event| {
            event.involved_object.kind.as_deref() == Some("HTTPRoute")
                && event.reason.as_deref() == Some("UnsupportedValue")
        });
        if told { Ok(()) } else { Err(format!("{} events", events.items.len())) }
    })
    .await;

    // The route's end waits for Lattice; groups follow when their targets have drained.
    routes(&case).delete("shop", &DeleteParams::default()).await.unwrap();
    eventually("the route is gone", SOON, async || match routes(&case).get_opt("shop").await {
        Ok(None) => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    let services: Vec<String> =
        left(&case).await.into_iter().filter(|name| name.starts_with("services")).collect();
    assert!(services.is_empty(), "{services:?}");
    eventually("its groups are gone", SOON * 2, async || {
        let left = left(&case).await;
        let bindings = case.bindings.list(&ListParams::default()).await.map_err(|error| error.to_string())?;
        if left.is_empty() && bindings.items.is_empty() { Ok(()) } else { Err(format!("{left:?}")) }
    })
    .await;
}

#[tokio::test]
async fn neither_pods_nor_a_new_leader_cost_a_call_for_routes() {
    if not_root() {
        return;
    }
    let world = own().await;
    let case = Case::new(&world, "quiet").await;
    gateway(&case, json!({})).await;
    pods(&case, "web", 2).await;
    case.space.apply(route(&case, "web", &json!([{ "backendRefs": [{ "name": "web", "port": 80 }] }]))).await;
    served(&case, "web").await;
    healthy(&case, 2).await;

    let mark = case.mark().await;
    let own = async || -> Vec<String> {
        let calls = case.lattice.calls(mark).await.unwrap();
        let calls = calls.into_iter().map(|call| call.operation);
        calls.filter(|operation| !OF_TARGETS.contains(&operation.as_str())).collect()
    };
    let scale = json!({ "spec": { "replicas": 5 } });
    let deployments: Api<k8s_openapi::api::apps::v1::Deployment> =
        Api::namespaced(case.space.client.clone(), case.space.name);
    deployments.patch("web", &PatchParams::default(), &Patch::Merge(&scale)).await.unwrap();
    healthy(&case, 5).await;
    assert_eq!(own().await, Vec::<String>::new());

    // Whoever leads next finds what is there, and says nothing new of it.
    let before = routes(&case).get("web").await.unwrap();
    let client = case.space.client.clone();
    for pod in components(&case, "controller").await.unwrap() {
        let pods: Api<k8s_openapi::api::core::v1::Pod> =
            Api::namespaced(client.clone(), tests::lath::NAMESPACE);
        pods.delete(&pod.name_any(), &DeleteParams::default()).await.unwrap();
    }
    let scale = json!({ "spec": { "replicas": 3 } });
    deployments.patch("web", &PatchParams::default(), &Patch::Merge(&scale)).await.unwrap();
    // The next leader has taken over when a new route is served.
    case.space
        .apply(route(&case, "more", &json!([{ "backendRefs": [{ "name": "web", "port": 80 }] }])))
        .await;
    served(&case, "more").await;
    let changes: Vec<String> =
        own().await.into_iter().filter(|operation| !operation.starts_with(['G', 'L', 't'])).collect();
    assert!(changes.iter().all(|operation| operation.starts_with("Create")), "{changes:?}");
    assert_eq!(changes.len(), 5, "a group, a service, a listener, a rule, an association: {changes:?}");
    let after = routes(&case).get("web").await.unwrap();
    assert_eq!(before.metadata.resource_version, after.metadata.resource_version, "{:?}", after.status);
    case.clear().await;
}

#[tokio::test]
async fn routes_of_two_teams_share_a_hostname() {
    if not_root() {
        return;
    }
    let world = world("e2e-merged").await;
    let case = Case::new(&world, "merged").await;
    gateway(&case, json!({ "services": "PerHostname" })).await;
    pods(&case, "cart", 1).await;
    pods(&case, "pay", 1).await;
    let rule = |path: &str, name: &str| json!([{ "matches": [{ "path": { "value": path } }], "backendRefs": [{ "name": name, "port": 80 }] }]);
    case.space.apply(route(&case, "cart", &rule("/", "cart"))).await;
    case.space.apply(route(&case, "pay", &rule("/pay", "pay"))).await;
    let host = served(&case, "cart").await;
    assert_eq!(served(&case, "pay").await, host);
    healthy(&case, 2).await;
    let answers = ask(&case, "ask", &host, &["/", "/pay/now", "/payment"], 2).await;
    let wanted = [("/ cart", 2), ("/pay/now pay", 2), ("/payment cart", 2)];
    assert_eq!(answers, wanted.map(|(answer, count)| (answer.to_owned(), count)).into());

    routes(&case).delete("pay", &DeleteParams::default()).await.unwrap();
    eventually("the route is gone", SOON, async || match routes(&case).get_opt("pay").await {
        Ok(None) => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    let answers = ask(&case, "again", &host, &["/pay/now"], 2).await;
    assert_eq!(answers, BTreeMap::from([("/pay/now cart".to_owned(), 2)]));
    // A whole namespace goes, its routes, pods and bindings at once.
    case.clear().await;
}
