//! Which pods become targets, and when they stop being ones.

use serde_json::json;
use tests::expect::{eventually, request};

use super::setting::{Case, SOON, shared, target};
use super::space::{addresses, condition, node_of, not_root, restarts, server};

#[tokio::test]
async fn a_ready_pod_becomes_a_target_and_both_gates_open() {
    if not_root() {
        return;
    }
    let case = Case::new(shared().await, "gates").await;
    let group = case.bound("web").await;
    let gates = ["lath.dev/target-health", "application-networking.k8s.aws/pod-readiness-gate"];
    for (name, gate) in ["own", "theirs"].into_iter().zip(gates) {
        case.pod(name, "web", json!({ "readinessGates": [{ "conditionType": gate }] }), json!({})).await;
    }
    let mut wanted = Vec::new();
    for (name, gate) in ["own", "theirs"].into_iter().zip(gates) {
        let pod = case.space.ready(name).await;
        assert_eq!(condition(&pod, gate), "True");
        let conditions = pod.status.as_ref().unwrap().conditions.as_ref().unwrap();
        let opened = conditions.iter().find(|condition| condition.type_ == gate).unwrap();
        assert_eq!(opened.reason.as_deref(), Some("Healthy"), "{opened:?}");
        wanted.push(target(&pod, 8080));
    }
    case.holds(&group, wanted).await;
}

#[tokio::test]
async fn a_gate_opens_with_the_reason_where_no_service_uses_the_group() {
    if not_root() {
        return;
    }
    let case = Case::new(shared().await, "unused").await;
    let group = case.unused_group("web").await;
    case.service("web", "web", json!(8080)).await;
    case.bind("web", &group, "web").await;
    let message = case.judged("web", "True", "Accepted").await;
    assert!(message.contains("No service uses the group yet"), "{message}");
    let gate = "lath.dev/target-health";
    case.pod("a", "web", json!({ "readinessGates": [{ "conditionType": gate }] }), json!({})).await;
    let pod = case.space.ready("a").await;
    let conditions = pod.status.unwrap().conditions.unwrap();
    let opened = conditions.iter().find(|condition| condition.type_ == gate).unwrap();
    assert_eq!(opened.reason.as_deref(), Some("TargetGroupUnused"), "{opened:?}");
}

#[tokio::test]
async fn two_services_and_two_ports_on_one_pod_stay_registered() {
    if not_root() {
        return;
    }
    let case = Case::new(shared().await, "ports").await;
    let mut groups = Vec::new();
    for (name, port) in [("first", 8080), ("second", 9090)] {
        let group = case.group(name).await;
        case.service(name, "web", json!(port)).await;
        case.bind(name, &group, name).await;
        groups.push((group, port));
    }
    let both = case.group("both").await;
    for service in ["first", "second"] {
        case.bind(&format!("both-{service}"), &both, service).await;
    }
    case.pod("a", "web", json!({}), json!({ "env": [{ "name": "PORT", "value": "8080,9090" }] })).await;
    let pod = case.space.ready("a").await;
    for (group, port) in &groups {
        case.holds(group, [target(&pod, *port)]).await;
    }
    case.holds(&both, [target(&pod, 8080), target(&pod, 9090)]).await;

    let mark = case.mark().await;
    case.pod("b", "web", json!({}), json!({ "env": [{ "name": "PORT", "value": "8080,9090" }] })).await;
    let second = case.space.ready("b").await;
    case.holds(&both, [&pod, &second].into_iter().flat_map(|pod| [target(pod, 8080), target(pod, 9090)]))
        .await;
    for (group, port) in &groups {
        case.holds(group, [target(&pod, *port), target(&second, *port)]).await;
        case.nothing_left(mark, group).await;
    }
    case.nothing_left(mark, &both).await;
}

#[tokio::test]
async fn a_named_port_leads_where_each_pod_says() {
    if not_root() {
        return;
    }
    let case = Case::new(shared().await, "named").await;
    let group = case.group("web").await;
    case.service("web", "web", json!("serve")).await;
    case.bind("web", &group, "web").await;
    let mut wanted = Vec::new();
    for (name, port) in [("a", 8080), ("b", 9090)] {
        let container = json!({
            "env": [{ "name": "PORT", "value": port.to_string() }],
            "ports": [{ "name": "serve", "containerPort": port }],
            "readinessProbe": { "httpGet": { "path": "/readyz", "port": "serve" }, "periodSeconds": 1 },
        });
        case.pod(name, "web", json!({}), container).await;
        wanted.push(target(&case.space.ready(name).await, port));
    }
    case.pod("nameless", "web", json!({}), json!({})).await;
    case.space.ready("nameless").await;
    case.holds(&group, wanted).await;
}

#[tokio::test]
async fn a_services_new_selector_exchanges_its_targets() {
    if not_root() {
        return;
    }
    let case = Case::new(shared().await, "selector").await;
    let group = case.bound("blue").await;
    for name in ["blue", "green"] {
        case.pod(name, name, json!({}), json!({})).await;
    }
    let blue = case.space.ready("blue").await;
    let green = case.space.ready("green").await;
    case.holds(&group, [target(&blue, 8080)]).await;
    case.service("blue", "green", json!(8080)).await;
    case.holds(&group, [target(&green, 8080)]).await;
}

#[tokio::test]
async fn publish_not_ready_addresses_makes_unready_pods_targets() {
    if not_root() {
        return;
    }
    let case = Case::new(shared().await, "unready").await;
    let group = case.bound("web").await;
    let never = json!({ "readinessProbe": { "exec": { "command": ["false"] }, "periodSeconds": 1 } });
    case.pod("never", "web", json!({}), never).await;
    case.pod("ready", "web", json!({}), json!({})).await;
    let ready = case.space.ready("ready").await;
    let never = case.space.pod_when("never", "runs", |pod| !addresses(pod).is_empty()).await;
    case.holds(&group, [target(&ready, 8080)]).await;
    case.space
        .apply(json!({
            "apiVersion": "v1", "kind": "Service", "metadata": { "name": "web" },
            "spec": {
                "publishNotReadyAddresses": true, "selector": { "app": "web" },
                "ports": [{ "name": "http", "port": 80, "targetPort": 8080 }],
            },
        }))
        .await;
    case.holds(&group, [target(&ready, 8080), target(&never, 8080)]).await;
}

#[tokio::test]
async fn a_group_of_ipv6_takes_the_second_address_of_dual_stack_pods() {
    if not_root() {
        return;
    }
    let case = Case::new(shared().await, "ipv6").await;
    let group = json!({
        "name": case.full("web"), "type": "IP",
        "config": {
            "port": 8080, "protocol": "HTTP", "protocolVersion": "HTTP1",
            "vpcIdentifier": case.world.vpc(), "ipAddressType": "IPV6",
        },
        "tags": { "lath.dev/cluster": case.world.description().cluster, "lath.dev/namespace": "ipv6" },
    });
    let group =
        case.lattice.create("/targetgroups", &group).await.unwrap()["arn"].as_str().unwrap().to_owned();
    let service = |policy: &str| {
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": { "name": "web" },
            "spec": {
                "ipFamilyPolicy": policy, "selector": { "app": "web" },
                "ports": [{ "name": "http", "port": 80, "targetPort": 8080 }],
            },
        })
    };
    case.space.apply(service("SingleStack")).await;
    case.bind_with("web", &group, "web", json!({ "ipFamily": "IPv6" })).await;
    let message = case.judged("web", "False", "ServiceLacksIpFamily").await;
    assert!(message.contains("add IPv6 to its spec.ipFamilies"), "{message}");
    case.space.apply(service("RequireDualStack")).await;
    case.judged("web", "True", "Accepted").await;
    case.pod("a", "web", json!({}), json!({})).await;
    let pod = case.space.ready("a").await;
    let second = addresses(&pod)[1];
    assert!(second.is_ipv6());
    case.holds(&group, [format!("[{second}]:8080")]).await;
}

#[tokio::test]
async fn a_pod_in_the_nodes_network_is_a_target_at_the_nodes_address() {
    if not_root() {
        return;
    }
    let case = Case::new(shared().await, "hostnetwork").await;
    let group = case.group("web").await;
    case.service("web", "web", json!("serve")).await;
    case.bind("web", &group, "web").await;
    let container = json!({
        "env": [{ "name": "PORT", "value": "18081" }],
        "ports": [{ "name": "serve", "containerPort": 18081 }],
        "readinessProbe": { "httpGet": { "path": "/readyz", "port": 18081 }, "periodSeconds": 1 },
    });
    case.pod("a", "web", json!({ "hostNetwork": true }), container).await;
    let pod = case.space.ready("a").await;
    assert_eq!(pod.status.as_ref().unwrap().host_ip, pod.status.as_ref().unwrap().pod_ip);
    case.holds(&group, [target(&pod, 18081)]).await;
}

#[tokio::test]
async fn a_container_that_restarts_in_place_stays_a_target_without_any_call() {
    if not_root() {
        return;
    }
    let case = Case::new(shared().await, "inplace").await;
    let group = case.bound("web").await;
    case.pod("phoenix", "web", json!({}), json!({})).await;
    let pod = case.space.ready("phoenix").await;
    case.holds(&group, [target(&pod, 8080)]).await;
    let mark = case.mark().await;
    case.world.node(node_of(&pod)).kill(&case.space.full("phoenix"), "main").await.unwrap();
    case.space.pod_when("phoenix", "has restarted", |pod| restarts(pod) == 1).await;
    let after = case.space.ready("phoenix").await;
    assert_eq!(addresses(&pod), addresses(&after));
    case.holds(&group, [target(&pod, 8080)]).await;
    let writes = case.writes(mark, &group).await;
    assert!(writes.is_empty(), "{writes:?}");
    eventually("it serves again", SOON, async || {
        request("GET", server(&after), "/").await.map_err(|error| error.to_string())
    })
    .await;
}
