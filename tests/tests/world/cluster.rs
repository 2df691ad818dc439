//! The cluster as a user sees it: version, Deployments, readiness, tokens.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Client, ResourceExt};
use lath_kubernetes::gateway::{Gateway, HTTPRoute};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use tests::controlplane::gateway_api;
use tests::expect::{apply, eventually, get_json, request};

use super::setting::{SOON, Space, addresses, condition, node_of, not_root, server, world};

fn deployment(name: &str, replicas: u32) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{
                "name": "main",
                "image": "registry.example/team/test-server:v1",
                "env": [{"name": "NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
                "readinessProbe": {"httpGet": {"path": "/readyz", "port": 8080}, "periodSeconds": 1},
            }]}},
        },
    })
}

fn service(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": 8080}]},
    })
}

async fn available(space: &Space, name: &str, replicas: i32) {
    let deployments: Api<Deployment> = Api::namespaced(space.client.clone(), space.name);
    eventually(&format!("{replicas} replicas of {name} are available"), SOON, async || {
        let deployment = deployments.get(name).await.map_err(|error| error.to_string())?;
        let status = deployment.status.unwrap_or_default();
        let done = status.available_replicas == Some(replicas)
            && status.updated_replicas == Some(replicas)
            && status.replicas == Some(replicas)
            && status.observed_generation == deployment.metadata.generation;
        if done { Ok(()) } else { Err(format!("{status:?}")) }
    })
    .await;
}

async fn pods(space: &Space, app: &str) -> Vec<Pod> {
    space.pods.list(&ListParams::default().labels(&format!("app={app}"))).await.unwrap().items
}

/// The addresses that a Service's slices show as ready.
async fn ready_endpoints(client: &Client, namespace: &str, service: &str) -> BTreeSet<String> {
    let slices: Api<EndpointSlice> = Api::namespaced(client.clone(), namespace);
    let list = ListParams::default().labels(&format!("kubernetes.io/service-name={service}"));
    let slices = slices.list(&list).await.unwrap().items;
    slices
        .into_iter()
        .flat_map(|slice| slice.endpoints)
        .filter(|endpoint| endpoint.conditions.as_ref().and_then(|conditions| conditions.ready) == Some(true))
        .flat_map(|endpoint| endpoint.addresses)
        .collect()
}

#[tokio::test]
async fn the_control_plane_is_kubernetes_1_36_3_and_its_nodes_are_ready() {
    if not_root() {
        return;
    }
    let client = world().await.client().await.unwrap();
    assert_eq!(client.apiserver_version().await.unwrap().git_version, "v1.36.3");
    let nodes: Api<Node> = Api::all(client);
    for name in ["node-0", "node-1"] {
        let node = nodes.get(name).await.unwrap();
        let conditions = node.status.as_ref().unwrap().conditions.as_ref().unwrap();
        assert!(
            conditions.iter().any(|condition| condition.type_ == "Ready" && condition.status == "True"),
            "{name}"
        );
        assert_eq!(node.labels()["kubernetes.io/hostname"], name);
        assert!(node.spec.unwrap().provider_id.unwrap().starts_with("aws:///us-west-2"), "{name}");
    }
}

#[tokio::test]
async fn a_deployments_pods_answer_with_their_own_names_over_both_families() {
    if not_root() {
        return;
    }
    let world = world().await;
    let space = Space::new(world, "deployment").await;
    space.apply(deployment("web", 3)).await;
    available(&space, "web", 3).await;
    let pods = pods(&space, "web").await;
    assert_eq!(pods.len(), 3);
    assert_eq!(pods.iter().map(node_of).collect::<BTreeSet<_>>().len(), 2, "the scheduler spreads them");
    for pod in &pods {
        assert_eq!(addresses(pod).len(), 2);
        for address in addresses(pod) {
            let answer = get_json(SocketAddr::new(address, 8080), "/who").await.unwrap();
            assert_eq!(answer["pod"], pod.name_any(), "{address}");
            assert_eq!(answer["namespace"], "deployment");
            assert_eq!(answer["node"], format!("node-{}", node_of(pod)));
        }
    }
    // From another pod, on whichever node that is, to all of them.
    let questions: Vec<String> = pods
        .iter()
        .map(|pod| {
            let address = addresses(pod)[0];
            format!("exec 3<>/dev/tcp/{address}/8080; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3; ")
        })
        .collect();
    let script = questions.concat();
    let (phase, said) = space.script(world, "asker", &script, json!({}), json!({})).await;
    assert_eq!(phase, "Succeeded", "{said}");
    for pod in &pods {
        assert!(said.contains(&format!("\"pod\":\"{}\"", pod.name_any())), "{said}");
    }
}

#[tokio::test]
async fn an_unready_pod_leaves_the_endpoint_slice_and_comes_back() {
    if not_root() {
        return;
    }
    let space = Space::new(world().await, "readiness").await;
    space.apply(deployment("web", 2)).await;
    space.apply(service("web")).await;
    available(&space, "web", 2).await;
    let pod = pods(&space, "web").await.remove(0);
    let address = addresses(&pod)[0].to_string();
    for (value, ready) in [("false", false), ("true", true)] {
        let (status, _) =
            request("POST", server(&pod), &format!("/control/ready?value={value}")).await.unwrap();
        assert_eq!(status, 200);
        eventually(&format!("{address} ready: {ready}"), SOON, async || {
            let endpoints = ready_endpoints(&space.client, space.name, "web").await;
            if endpoints.contains(&address) == ready { Ok(()) } else { Err(endpoints) }
        })
        .await;
    }
}

#[tokio::test]
async fn a_rolling_update_replaces_every_pod() {
    if not_root() {
        return;
    }
    let space = Space::new(world().await, "rollout").await;
    space.apply(deployment("web", 3)).await;
    available(&space, "web", 3).await;
    let names = async || pods(&space, "web").await.iter().map(ResourceExt::name_any).collect::<BTreeSet<_>>();
    let before = names().await;
    let mut next = deployment("web", 3);
    next["spec"]["template"]["metadata"]["annotations"] = json!({"version": "2"});
    space.apply(next).await;
    available(&space, "web", 3).await;
    eventually("the old pods are gone", SOON, async || {
        let now = names().await;
        if now.is_disjoint(&before) { Ok(()) } else { Err(now) }
    })
    .await;
}

#[tokio::test]
async fn a_projected_token_authenticates_as_its_service_account_on_its_node() {
    if not_root() {
        return;
    }
    let world = world().await;
    let space = Space::new(world, "tokens").await;
    space.pod("bearer", json!({}), json!({})).await;
    let pod = space.ready("bearer").await;
    let script = "cat /var/run/secrets/kubernetes.io/serviceaccount/{token,namespace}; \
                  test -s /var/run/secrets/kubernetes.io/serviceaccount/ca.crt && echo; echo $KUBERNETES_SERVICE_HOST";
    let (phase, said) = space.script(world, "reader", script, json!({}), json!({})).await;
    assert_eq!(phase, "Succeeded", "{said}");
    let lines: Vec<&str> = said.lines().collect();
    let (token, host) = (lines[0].trim_end_matches("tokens"), lines[1]);
    assert_eq!(host, world.description().plan.api().v4.to_string());

    let mut config = tests::controlplane::client_config(&world.kubeconfig()).await.unwrap();
    config.auth_info = kube::config::AuthInfo { token: Some(token.to_owned().into()), ..Default::default() };
    let reviews: Api<SelfSubjectReview> = Api::all(Client::try_from(config).unwrap());
    let review = reviews.create(&PostParams::default(), &SelfSubjectReview::default()).await.unwrap();
    let user = review.status.unwrap().user_info.unwrap();
    assert_eq!(user.username.as_deref(), Some("system:serviceaccount:tokens:default"));
    let reader = space.pods.get("reader").await.unwrap();
    let extra = user.extra.unwrap();
    assert_eq!(extra["authentication.kubernetes.io/node-name"], [format!("node-{}", node_of(&reader))]);
    assert_eq!(extra["authentication.kubernetes.io/pod-uid"], [reader.uid().unwrap()]);
    drop(pod);
}

#[tokio::test]
async fn a_readiness_gate_of_another_writer_is_kept_and_decides() {
    if not_root() {
        return;
    }
    let space = Space::new(world().await, "gates").await;
    let gates = json!({"readinessGates": [{"conditionType": "example.com/gate"}]});
    space.pod("gated", gates, json!({})).await;
    let containers_ready = |pod: &Pod| condition(pod, "ContainersReady") == "True";
    let pod = space.pod_when("gated", "has ready containers", containers_ready).await;
    assert_eq!(condition(&pod, "Ready"), "False");
    let set = async |status: &str| {
        let patch = json!({"status": {"conditions": [{"type": "example.com/gate", "status": status, "reason": "Test"}]}});
        space.pods.patch_status("gated", &PatchParams::default(), &Patch::Strategic(&patch)).await.unwrap();
    };
    set("True").await;
    let pod = space.ready("gated").await;
    assert_eq!(condition(&pod, "example.com/gate"), "True");
    set("False").await;
    let pod = space.pod_when("gated", "is unready again", |pod| condition(pod, "Ready") == "False").await;
    assert_eq!(condition(&pod, "example.com/gate"), "False");
    assert_eq!(condition(&pod, "ContainersReady"), "True");
}

#[tokio::test]
async fn kubectl_shows_what_a_container_writes() {
    if not_root() {
        return;
    }
    let world = world().await;
    let space = Space::new(world, "logs").await;
    let talks =
        json!({"command": ["sh", "-c", "echo one; echo two; echo three; sleep 1; echo four; exec sleep 60"]});
    space.pod("talker", json!({"terminationGracePeriodSeconds": 1}), talks).await;
    space.ready("talker").await;
    let kubectl = async |arguments: &[&str]| {
        let output = tokio::process::Command::new(world.program("kubectl").unwrap())
            .arg("--kubeconfig")
            .arg(world.kubeconfig())
            .args(["--namespace", space.name, "logs", "talker"])
            .args(arguments)
            .output()
            .await
            .unwrap();
        String::from_utf8(if output.status.success() { output.stdout } else { output.stderr }).unwrap()
    };
    eventually("the fourth line is there", SOON, async || match kubectl(&[]).await {
        all if all == "one\ntwo\nthree\nfour\n" => Ok(()),
        other => Err(other),
    })
    .await;
    assert_eq!(kubectl(&["--tail=2"]).await, "three\nfour\n");
    let (followed, ()) = tokio::join!(kubectl(&["--follow"]), async {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        space.delete("talker").await;
    });
    assert_eq!(followed, "one\ntwo\nthree\nfour\n", "following ends with the container");
}

#[tokio::test]
async fn a_control_plane_alone_starts_answers_and_stops_and_reads_no_kubeconfig_of_the_user() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("controlplane");
    let run = async |verb: &str| {
        let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_lath-world"))
            .args(["controlplane", verb, "--dir"])
            .arg(&folder)
            .env("KUBECONFIG", "/nonexistent/production")
            .output()
            .await
            .unwrap();
        assert!(output.status.success(), "{verb}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    run("stop").await;
    let said: Value = serde_json::from_str(&run("start").await).unwrap();
    let kubeconfig = std::path::PathBuf::from(said["kubeconfig"].as_str().unwrap());
    let client = Client::try_from(tests::controlplane::client_config(&kubeconfig).await.unwrap()).unwrap();
    assert_eq!(client.apiserver_version().await.unwrap().git_version, "v1.36.3");
    run("stop").await;
    assert!(client.apiserver_version().await.is_err(), "it is stopped");
}

#[tokio::test]
async fn objects_of_gateway_api_can_be_made_and_read() {
    if not_root() {
        return;
    }
    let space = Space::new(world().await, "gateway-api").await;
    space
        .apply(json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": {"name": "shop"},
            "spec": {
                "gatewayClassName": "lattice",
                "listeners": [{"name": "web", "port": 80, "protocol": "HTTP"}],
            },
        }))
        .await;
    space
        .apply(json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "cart"},
            "spec": {
                "parentRefs": [{"name": "shop"}],
                "rules": [{
                    "matches": [{"queryParams": [{"name": "debug", "value": "1"}]}],
                    "backendRefs": [{"name": "cart", "port": 80}],
                    "timeouts": {"request": "10s"},
                }],
            },
        }))
        .await;
    let gateways: Api<Gateway> = Api::namespaced(space.client.clone(), space.name);
    let gateway = gateways.get("shop").await.unwrap();
    let from = gateway.spec.listeners[0].allowed_routes.as_ref().unwrap().namespaces.as_ref().unwrap();
    assert_eq!(from.from.as_deref(), Some("Same"), "what the definition sets by default");
    assert!(gateway.spec.other.is_empty(), "{:?}", gateway.spec.other);
    let routes: Api<HTTPRoute> = Api::namespaced(space.client.clone(), space.name);
    let rule = routes.get("cart").await.unwrap().spec.rules.remove(0);
    assert_eq!(rule.other.keys().collect::<Vec<_>>(), ["timeouts"]);
    assert_eq!(rule.matches[0].other.keys().collect::<Vec<_>>(), ["queryParams"]);
    assert_eq!(rule.backend_refs[0].weight, Some(1));
    for kind in ["GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute"] {
        let mut spec = json!({
            "parentRefs": [{"name": "shop"}],
            "rules": [{"backendRefs": [{"name": "other", "port": 80}]}],
        });
        if ["GRPCRoute", "TLSRoute"].contains(&kind) {
            spec["hostnames"] = json!(["other.example"]);
        }
        space
            .apply(json!({
                "apiVersion": "gateway.networking.k8s.io/v1", "kind": kind, "metadata": {"name": "other"},
                "spec": spec,
            }))
            .await;
    }
}

/// Objects that have to do with backends: their versions, kinds and specs, and what they are refused for.
fn backends(aws: &'static str) -> Vec<(&'static str, &'static str, Value, Option<&'static str>)> {
    let function = "arn:aws:lambda:us-west-2:123456789012:function:checkout";
    vec![
        (aws, "ServiceExport", Value::Null, None),
        (
            aws,
            "ServiceExport",
            json!({"exportedPorts": [{"port": 80, "routeType": "UDP"}]}),
            Some("has to be HTTP, GRPC or TLS"),
        ),
        (
            aws,
            "ServiceImport",
            json!({"type": "ClusterSetIP", "ports": [{"port": 80, "protocol": "TCP"}]}),
            None,
        ),
        ("lath.dev/v1alpha1", "TargetGroup", json!({"lambda": {"functionArn": function}}), None),
        (
            "lath.dev/v1alpha1",
            "TargetGroup",
            json!({"addresses": {"ips": ["10.0.0.7"], "port": 80}, "healthCheck": {"path": "/x"}}),
            None,
        ),
        ("lath.dev/v1alpha1", "TargetGroup", json!({"healthCheck": {"path": "/x"}}), Some("exactly one of")),
        (
            "lath.dev/v1alpha1",
            "TargetGroup",
            json!({"lambda": {"functionArn": function}, "instances": {"ids": ["i-1"], "port": 80}}),
            Some("exactly one of"),
        ),
        (
            "lath.dev/v1alpha1",
            "TargetGroup",
            json!({"lambda": {"functionArn": function}, "healthCheck": {"path": "/x"}}),
            Some("is for instances, addresses and services of Cloud Map"),
        ),
        (
            "lath.dev/v1alpha1",
            "TargetGroup",
            json!({"lambda": {"functionArn": "checkout"}}),
            Some("the ARN of a Lambda function"),
        ),
    ]
}

/// The definitions hold rules of their own, which only an API server can check.
#[tokio::test]
async fn laths_own_definitions_are_accepted_and_refuse_what_cannot_be() {
    if not_root() {
        return;
    }
    let world = world().await;
    let space = Space::new(world, "definitions").await;
    let definitions: Vec<_> =
        lath_kubernetes::crds::all().into_iter().map(|(_, definition)| definition).collect();
    gateway_api::install(&space.client, &definitions).await.unwrap();
    let target = |group: &str, kind: &str| json!({"group": group, "kind": kind, "name": "x"});
    let gateway = target("gateway.networking.k8s.io", "Gateway");
    let aws = "application-networking.k8s.aws/v1alpha1";
    for (version, kind, spec, refused_for) in [
        (
            "lath.dev/v1alpha1",
            "GatewayParameters",
            json!({"services": "PerHostname", "quotas": {"rulesPerListener": 100}}),
            None,
        ),
        (
            "lath.dev/v1alpha1",
            "GatewayParameters",
            json!({"quotas": {"rulesPerListener": 0}}),
            Some("rulesPerListener"),
        ),
        (
            "lath.dev/v1alpha1",
            "GatewayParameters",
            json!({"quotas": {"rulesPerListener": 100, "rulesPerNamespace": 100, "targetGroupsPerNamespace": 20}}),
            None,
        ),
        (
            "lath.dev/v1alpha1",
            "GatewayParameters",
            json!({"quotas": {"targetGroupsPerNamespace": 0}}),
            Some("targetGroupsPerNamespace"),
        ),
        (
            "lath.dev/v1alpha1",
            "GatewayParameters",
            json!({"quotas": {"rulesPerListener": 10, "rulesPerNamespace": 11}}),
            Some("a namespace's share of rulesPerListener"),
        ),
        (
            "lath.dev/v1alpha1",
            "GatewayParameters",
            json!({"quotas": {"targetGroupsPerService": 10, "targetGroupsPerNamespace": 11}}),
            Some("a namespace's share of targetGroupsPerService"),
        ),
        (aws, "ServiceNetwork", Value::Null, None),
        (
            aws,
            "TargetGroupPolicy",
            json!({"targetRef": target("", "Service"), "protocol": "HTTPS", "healthCheck": {"path": "/x", "statusMatch": "200-299"}}),
            None,
        ),
        (aws, "TargetGroupPolicy", json!({"targetRef": gateway}), Some("has to be a Service")),
        (
            aws,
            "TargetGroupPolicy",
            json!({"targetRef": target("", "Service"), "healthCheck": {"path": "x"}}),
            Some("has to begin with /"),
        ),
        (aws, "VpcAssociationPolicy", json!({"targetRef": gateway, "securityGroupIds": ["sg-0123"]}), None),
        (
            aws,
            "VpcAssociationPolicy",
            json!({"targetRef": gateway, "securityGroupIds": ["0123"]}),
            Some("ids of security groups"),
        ),
        (aws, "IAMAuthPolicy", json!({"targetRef": gateway, "policy": "{}"}), None),
        (
            aws,
            "IAMAuthPolicy",
            json!({"targetRef": target("gateway.networking.k8s.io", "TLSRoute"), "policy": "{}"}),
            Some("could be authorized"),
        ),
        (aws, "AccessLogPolicy", json!({"targetRef": gateway, "destinationArn": "arn:aws:s3:::logs"}), None),
        (
            aws,
            "AccessLogPolicy",
            json!({"targetRef": gateway, "destinationArn": "arn:aws:sqs:::logs"}),
            Some("an S3 bucket"),
        ),
    ]
    .into_iter()
    .chain(backends(aws))
    {
        let mut object = json!({"apiVersion": version, "kind": kind, "metadata": {"name": "x"}});
        if !spec.is_null() {
            object["spec"] = spec;
        }
        let made = apply(&space.client, space.name, object.clone()).await;
        let answer = made.err().map(|error| format!("{error:?}"));
        match (refused_for, &answer) {
            (None, None) => {}
            (Some(why), Some(answer)) if answer.contains(why) => {}
            _ => panic!("{object}: {answer:?}"),
        }
    }
}
