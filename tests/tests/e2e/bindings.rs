//! Which bindings are accepted, what is said of the others, and how bindings end.

use http::Method;
use serde_json::{Value, json};
use tests::expect::eventually;

use super::setting::{Case, SOON, id_of, own, shared, target};
use super::space::not_root;

/// A binding that is refused, and what has to be said of it.
struct Refusal {
    name: &'static str,
    group: String,
    service: &'static str,
    more: Value,
    reason: &'static str,
    words: &'static str,
}

#[tokio::test]
async fn a_binding_that_cannot_be_is_refused_with_what_to_do_and_no_agent_calls() {
    if not_root() {
        return;
    }
    let case = Case::new(shared().await, "refusals").await;
    case.service("web", "web", json!(8080)).await;
    case.space
        .apply(json!({
            "apiVersion": "v1", "kind": "Service", "metadata": { "name": "alias" },
            "spec": { "type": "ExternalName", "externalName": "example.com" },
        }))
        .await;
    case.pod("a", "web", json!({}), json!({})).await;
    let good = case.group("good").await;
    let ours = &case.world.description().cluster;
    let make = async |name: &str, body: Value| {
        let mut body = body;
        body["name"] = case.full(name).into();
        let made = case.lattice.create("/targetgroups", &body).await.unwrap();
        made["arn"].as_str().unwrap().to_owned()
    };
    let ip = |tags: Value| {
        let config = json!({ "port": 80, "protocol": "HTTP", "protocolVersion": "HTTP1", "vpcIdentifier": case.world.vpc() });
        json!({ "type": "IP", "config": config, "tags": tags })
    };
    let refusal = |name, group: &str, reason, words| Refusal {
        name,
        group: group.to_owned(),
        service: "web",
        more: json!({}),
        reason,
        words,
    };
    let granted = json!({ "lath.dev/cluster": ours, "lath.dev/namespace": "refusals" });
    let lambda = make("lambda", json!({ "type": "LAMBDA", "tags": granted })).await;
    let untagged = make("untagged", ip(json!({}))).await;
    let others =
        make("others", ip(json!({ "lath.dev/cluster": ours, "lath.dev/namespace": "elsewhere" }))).await;
    let foreign =
        make("foreign", ip(json!({ "lath.dev/cluster": "other", "lath.dev/namespace": "refusals" }))).await;
    let mut managed = granted.clone();
    managed["application-networking.k8s.aws/ManagedBy"] = "someone".into();
    let managed = make("managed", ip(managed)).await;
    let account = good.replace(&case.world.account().id, "999999999999");
    let region = good.replace(case.world.region(), "eu-west-1");
    let missing = format!("{}0000000000000000f", &good[..good.len() - 17]);
    let refusals = [
        refusal("account", &account, "OtherAccount", "share the service by RAM instead"),
        refusal("region", &region, "OtherRegion", "create a group in us-west-2"),
        refusal("missing", &missing, "TargetGroupNotFound", "create it, or delete this binding"),
        refusal("lambda", &lambda, "UnsupportedTargetGroupType", "bind a group of type IP"),
        refusal("untagged", &untagged, "NotGranted", "aws vpc-lattice tag-resource"),
        refusal("others", &others, "NotGranted", "not granted to namespace refusals"),
        refusal("foreign", &foreign, "NotGranted", "belongs to cluster other"),
        refusal("managed", &managed, "ManagedByAnother", "create a group without that tag"),
        Refusal {
            service: "nobody",
            ..refusal("service", &good, "ServiceNotFound", "There is no Service nobody")
        },
        Refusal {
            service: "alias",
            ..refusal("alias", &good, "UnsupportedServiceType", "bind a Service that selects pods")
        },
        Refusal {
            more: json!({ "service": { "name": "web", "port": "grpc" } }),
            ..refusal("port", &good, "ServicePortNotFound", "correct spec.service.port to one of 80 (http)")
        },
        Refusal {
            more: json!({ "ipFamily": "IPv6" }),
            ..refusal("family", &good, "ServiceLacksIpFamily", "add IPv6 to its spec.ipFamilies")
        },
    ];
    case.space.ready("a").await;
    let mark = case.mark().await;
    for refusal in &refusals {
        case.bind_with(refusal.name, &refusal.group, refusal.service, refusal.more.clone()).await;
    }
    for refusal in &refusals {
        let message = case.judged(refusal.name, "False", refusal.reason).await;
        assert!(message.contains(refusal.words), "{}: {message}", refusal.name);
    }
    // An accepted binding of the same pod shows that agents have seen all that came before it.
    case.bind("good", &good, "web").await;
    case.judged("good", "True", "Accepted").await;
    case.holds(&good, [target(&case.space.ready("a").await, 8080)]).await;
    for refusal in refusals.iter().filter(|refusal| refusal.group != good) {
        let writes = case.writes(mark, &refusal.group).await;
        assert!(writes.is_empty(), "{}: {writes:?}", refusal.name);
    }
}

#[tokio::test]
async fn a_group_that_is_deleted_later_is_noticed_and_called_no_more() {
    if not_root() {
        return;
    }
    let case = Case::new(shared().await, "vanished").await;
    let group = case.unused_group("web").await;
    case.service("web", "web", json!(8080)).await;
    case.bind("web", &group, "web").await;
    case.judged("web", "True", "Accepted").await;
    case.pod("a", "web", json!({}), json!({})).await;
    let pod = case.space.ready("a").await;
    case.holds(&group, [target(&pod, 8080)]).await;
    case.lattice
        .send(Method::DELETE, &format!("/targetgroups/{}", id_of(&group)), &Value::Null)
        .await
        .unwrap();
    let message = case.judged("web", "False", "TargetGroupNotFound").await;
    assert!(message.contains("create it, or delete this binding"), "{message}");
    let mark = case.mark().await;
    case.pod("b", "web", json!({}), json!({})).await;
    case.space.ready("b").await;
    case.space.pods.delete("b", &kube::api::DeleteParams::default()).await.unwrap();
    case.space.gone("b").await;
    let writes = case.writes(mark, &group).await;
    assert!(writes.iter().all(|call| call.operation != "RegisterTargets"), "{writes:?}");
    // Nothing holds the binding back: what was in the group went with it.
    case.bindings.delete("web", &kube::api::DeleteParams::default()).await.unwrap();
    gone(&case, "web").await;
}

async fn gone(case: &Case<'_>, binding: &str) {
    eventually(&format!("binding {binding} is gone"), SOON, async || {
        match case.bindings.get_opt(binding).await {
            Ok(None) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
}

#[tokio::test]
async fn a_deleted_binding_goes_once_its_targets_have() {
    if not_root() {
        return;
    }
    let case = Case::new(shared().await, "teardown").await;
    let group = case.bound("web").await;
    case.deployment("web", 3, false).await;
    case.settled(&group, "web", 3).await;
    let finalizers = case.bindings.get("web").await.unwrap().metadata.finalizers;
    assert_eq!(finalizers, Some(vec!["lath.dev/targets".to_owned()]));
    case.bindings.delete("web", &kube::api::DeleteParams::default()).await.unwrap();
    gone(&case, "web").await;
    assert!(
        case.targets(&group).await.unwrap().is_empty(),
        "the finalizer was released before the targets had gone"
    );
    let pods = case.pods("web").await.unwrap();
    assert_eq!(pods.len(), 3, "the pods live on");
}

/// Registers somebody else's target, such as another cluster's, whose address is no pod's of this one. Returns it.
async fn stranger(case: &Case<'_>, group: &str) -> String {
    let targets = json!({ "targets": [{ "id": "10.200.0.9", "port": 7070 }] });
    case.lattice.create(&format!("/targetgroups/{}/registertargets", id_of(group)), &targets).await.unwrap();
    "10.200.0.9:7070".into()
}

#[tokio::test]
async fn two_bindings_share_a_group_and_each_takes_out_its_own() {
    if not_root() {
        return;
    }
    let case = Case::new(shared().await, "sharing").await;
    let group = case.bound("blue").await;
    case.service("green", "green", json!(8080)).await;
    case.bind("green", &group, "green").await;
    case.judged("green", "True", "Accepted").await;
    let theirs = stranger(&case, &group).await;
    for name in ["blue", "green"] {
        case.pod(name, name, json!({}), json!({})).await;
    }
    let blue = case.space.ready("blue").await;
    let green = case.space.ready("green").await;
    case.holds(&group, [target(&blue, 8080), target(&green, 8080), theirs.clone()]).await;
    case.bindings.delete("blue", &kube::api::DeleteParams::default()).await.unwrap();
    gone(&case, "blue").await;
    case.holds(&group, [target(&green, 8080), theirs]).await;
}

#[tokio::test]
async fn an_exclusive_group_is_rid_of_what_lath_does_not_know() {
    if not_root() {
        return;
    }
    let case = Case::new(shared().await, "exclusive").await;
    let group = case.group("web").await;
    case.service("web", "web", json!(8080)).await;
    stranger(&case, &group).await;
    case.bind_with("web", &group, "web", json!({ "ownership": "Exclusive" })).await;
    case.judged("web", "True", "Accepted").await;
    case.pod("a", "web", json!({}), json!({})).await;
    case.holds(&group, [target(&case.space.ready("a").await, 8080)]).await;
}

/// A Service without a selector, and a slice that somebody made for it.
async fn by_hand(case: &Case<'_>, addresses: &[&str]) {
    case.space
        .apply(json!({
            "apiVersion": "v1", "kind": "Service", "metadata": { "name": "manual" },
            "spec": { "ports": [{ "name": "http", "port": 80, "targetPort": 7070 }] },
        }))
        .await;
    case.space
        .apply(json!({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": { "name": "manual", "labels": { "kubernetes.io/service-name": "manual" } },
            "addressType": "IPv4", "ports": [{ "name": "http", "port": 7070 }],
            "endpoints": [{ "addresses": [addresses[0]] }, { "addresses": [addresses[1]] }],
        }))
        .await;
}

#[tokio::test]
async fn hand_made_endpoints_become_targets_inside_the_vpc_where_they_are_allowed() {
    if not_root() {
        return;
    }
    let case = Case::new(shared().await, "manual").await;
    let group = case.group("manual").await;
    let (network, _) = case.world.description().plan.network_v4();
    let [a, b, ..] = network.octets();
    let inside = format!("{a}.{b}.240.9");
    by_hand(&case, &[&inside, "192.0.2.1"]).await;
    case.bind("manual", &group, "manual").await;
    case.judged("manual", "True", "Accepted").await;
    case.holds(&group, [format!("{inside}:7070")]).await;
    let said = eventually("the other address is named as refused", SOON, async || {
        let binding = case.bindings.get("manual").await.map_err(|error| error.to_string())?;
        binding.condition("EndpointsRefused").cloned().ok_or_else(|| format!("{:?}", binding.status))
    })
    .await;
    assert!(said.message.contains("192.0.2.1"), "{said:?}");
    case.bindings.delete("manual", &kube::api::DeleteParams::default()).await.unwrap();
    gone(&case, "manual").await;
    case.holds(&group, []).await;
}

#[tokio::test]
async fn hand_made_endpoints_are_refused_where_they_are_not_allowed() {
    if not_root() {
        return;
    }
    let world = own().await;
    let case = Case::new(&world, "manual").await;
    let group = case.group("manual").await;
    let (network, _) = case.world.description().plan.network_v4();
    let [a, b, ..] = network.octets();
    let mark = case.mark().await;
    by_hand(&case, &[&format!("{a}.{b}.240.9"), &format!("{a}.{b}.240.10")]).await;
    case.bind("manual", &group, "manual").await;
    let message = case.judged("manual", "False", "ManualEndpointsNotAllowed").await;
    assert!(message.contains("--allow-manual-endpoints"), "{message}");
    assert!(case.writes(mark, &group).await.is_empty());
    case.clear().await;
}
