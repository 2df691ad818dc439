//! What people see: kubectl's columns, descriptions and refusals, and the agents' own pages.

use std::process::Command;

use serde_json::{Value, json};
use tests::expect::{eventually, get_json, request};

use super::setting::{Case, SOON, binding, shared, target};
use super::space::{node_of, not_root};

/// Runs kubectl in the test's namespace and returns what it prints, or what it says when it fails.
fn kubectl(case: &Case<'_>, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(case.world.program("kubectl").unwrap())
        .args(["--kubeconfig"])
        .arg(case.world.kubeconfig())
        .args(["--namespace", case.space.name])
        .args(arguments)
        .env_remove("KUBECONFIG")
        .output()
        .unwrap();
    if output.status.success() {
        Ok(String::from_utf8(output.stdout).unwrap())
    } else {
        Err(String::from_utf8(output.stderr).unwrap())
    }
}

/// The cells of a line of a table.
fn cells(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

#[tokio::test]
async fn kubectl_shows_bindings_and_nodes_as_their_readers_need_them() {
    if not_root() {
        return;
    }
    let case = Case::new(shared().await, "kubectl").await;
    let group = case.bound("web").await;
    case.bind("broken", &group, "nobody").await;
    case.judged("broken", "False", "ServiceNotFound").await;
    case.pod("a", "web", json!({}), json!({})).await;
    let pod = case.space.ready("a").await;
    case.holds(&group, [target(&pod, 8080)]).await;

    let table = eventually("kubectl shows one healthy target", SOON, async || {
        let table = kubectl(&case, &["get", "tgb"])?;
        let counted = table.lines().any(|line| {
            cells(line)[..7.min(cells(line).len())] == ["web", "web", "80", "True", "Accepted", "1", "1"]
        });
        if counted { Ok(table) } else { Err(table) }
    })
    .await;
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(
        cells(lines[0]),
        ["NAME", "SERVICE", "PORT", "ACCEPTED", "REASON", "TARGETS", "HEALTHY", "AGE"]
    );
    assert_eq!(cells(lines[1])[..5], ["broken", "nobody", "80", "False", "ServiceNotFound"]);
    let wide = kubectl(&case, &["get", "tgb", "-o", "wide"]).unwrap();
    assert!(wide.contains("TARGET GROUP") && wide.contains(&group), "{wide}");

    let node = format!("node-{}", node_of(&pod));
    let nodes = kubectl(&case, &["get", "nodetargets"]).unwrap();
    let lines: Vec<&str> = nodes.lines().collect();
    assert_eq!(cells(lines[0]), ["NAME", "GROUPS", "TARGETS", "PENDING", "WRITER", "EPOCH", "AGE"]);
    let line = lines.iter().find(|line| line.starts_with(&node)).unwrap_or_else(|| panic!("{nodes}"));
    assert_eq!(cells(line)[4], "Agent", "{nodes}");
    assert_eq!(
        kubectl(&case, &["get", "nt", "node-0", "-o", "name"]).unwrap().trim(),
        "nodetargets.lath.dev/node-0"
    );
    eventually("the pod is in its node's record", SOON, async || {
        let record = kubectl(&case, &["describe", "nodetargets", &node])?;
        if record.contains("kubectl/a") && record.contains(&group) { Ok(()) } else { Err(record) }
    })
    .await;
}

#[tokio::test]
async fn kubectl_describes_a_binding_with_conditions_and_events_that_explain_themselves() {
    if not_root() {
        return;
    }
    let case = Case::new(shared().await, "describe").await;
    let group = case.bound("web").await;
    case.bind("broken", &group, "nobody").await;
    case.judged("broken", "False", "ServiceNotFound").await;
    for (name, sentences) in [
        ("web", ["Pods of Service web are targets of describe-web", "Accepted"]),
        (
            "broken",
            [
                "There is no Service nobody in this namespace: create it, or correct spec.service.name",
                "ServiceNotFound",
            ],
        ),
    ] {
        eventually(&format!("describe tgb {name} tells it all"), SOON, async || {
            let text = kubectl(&case, &["describe", "tgb", name])?;
            let (conditions, events) = text.split_once("Events:").unwrap_or((&text, ""));
            let unfolded = conditions.split_whitespace().collect::<Vec<_>>().join(" ");
            let told = sentences.iter().all(|sentence| unfolded.contains(sentence));
            if told && events.contains(sentences[1]) { Ok(()) } else { Err(text) }
        })
        .await;
    }
}

#[tokio::test]
async fn kubectl_explains_every_field_of_a_binding() {
    if not_root() {
        return;
    }
    let case = Case::new(shared().await, "explain").await;
    let spec =
        eventually("the schema is published", SOON, async || kubectl(&case, &["explain", "tgb.spec"])).await;
    for field in ["ipFamily", "ownership", "readiness", "service", "targetGroup"] {
        assert!(spec.lines().any(|line| cells(line).first() == Some(&field)), "{spec}");
    }
    for (path, sentence) in [
        ("tgb", "Makes the pods behind a Service port the targets of a VPC Lattice target group."),
        ("tgb.spec.targetGroup.arn", "tagged with lath.dev/cluster"),
        ("tgb.spec.service.port", "The Service's port, by number or by name"),
        ("tgb.spec.readiness.policy", "Lattice's health check decides"),
        ("tgb.spec.ownership", "Shared: others register into the group as well"),
        ("tgb.status.conditions", "Its reason and message say what is wrong"),
        ("nodetargets", "What the agent of a node has registered at VPC Lattice"),
    ] {
        let text = kubectl(&case, &["explain", path]).unwrap();
        let unfolded = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(unfolded.contains(sentence), "{text}");
    }
}

#[tokio::test]
async fn a_malformed_binding_is_refused_by_the_api_server_with_a_sentence_that_helps() {
    if not_root() {
        return;
    }
    let case = Case::new(shared().await, "malformed").await;
    let group = case.unused_group("web").await;
    let other = case.unused_group("other").await;
    let apply = |object: &Value| {
        let file = tempfile::NamedTempFile::new().unwrap();
        serde_json::to_writer(&file, object).unwrap();
        kubectl(&case, &["apply", "-f", &file.path().display().to_string()])
    };
    let port =
        |port: Value| binding("web", &group, "web", json!({ "service": { "name": "web", "port": port } }));
    let bad_port =
        "spec.service.port has to be a number from 1 to 65535 or the name of one of the Service's ports";
    for (object, sentence) in [
        (
            binding("web", "arn:aws:s3:::bucket", "web", json!({})),
            "has to be the ARN of a VPC Lattice target group",
        ),
        (
            binding("web", &group.replace("targetgroup/tg-", "service/svc-"), "web", json!({})),
            "`aws vpc-lattice list-target-groups` shows yours",
        ),
        (
            binding("web", &group, "Not_A_Name", json!({})),
            "spec.service.name has to be the name of a Service in this namespace",
        ),
        (port(json!(0)), bad_port),
        (port(json!(65_536)), bad_port),
        (port(json!("8080")), bad_port),
        (port(json!("Http!")), bad_port),
        (
            binding("web", &group, "web", json!({ "ipFamily": "IPv5" })),
            "supported values: \"IPv4\", \"IPv6\"",
        ),
        (
            binding("web", &group, "web", json!({ "readiness": { "unreadySeconds": 4_000 } })),
            "less than or equal to 3600",
        ),
    ] {
        let said = apply(&object).unwrap_err();
        assert!(said.contains(sentence), "{object}: {said}");
    }
    apply(&binding("web", &group, "web", json!({}))).unwrap();
    let said = apply(&binding("web", &other, "web", json!({}))).unwrap_err();
    assert!(
        said.contains("spec.targetGroup cannot be changed")
            && said.contains("create another TargetGroupBinding"),
        "{said}"
    );
}

#[tokio::test]
async fn an_agent_answers_over_http_with_metrics_readiness_and_its_targets() {
    if not_root() {
        return;
    }
    let case = Case::new(shared().await, "pages").await;
    let group = case.bound("web").await;
    case.pod("a", "web", json!({ "nodeName": "node-0" }), json!({})).await;
    let pod = case.space.ready("a").await;
    case.holds(&group, [target(&pod, 8080)]).await;
    let admin = case.admin(0).await;
    let (status, body) = request("GET", admin, "/readyz").await.unwrap();
    assert_eq!(status, 200, "{body}");
    assert_eq!(request("GET", admin, "/healthz").await.unwrap().0, 200);
    let page = eventually("the status page shows the pod", SOON, async || {
        let (status, page) = request("GET", admin, "/statusz").await.map_err(|error| error.to_string())?;
        if status == 200 && page.contains("pages/a") { Ok(page) } else { Err(page) }
    })
    .await;
    assert!(page.contains("<html") && page.contains(&target(&pod, 8080)), "{page}");
    assert!(!page.contains(&case.world.account().secret_access_key), "the page shows a secret");
    let json = get_json(admin, "/statusz?format=json").await.unwrap();
    assert_eq!(json["node"], "node-0");
    let (status, metrics) = request("GET", admin, "/metrics").await.unwrap();
    assert_eq!(status, 200);
    assert!(metrics.contains("# TYPE lath_") && metrics.trim_end().ends_with("# EOF"), "{metrics}");
    assert!(!metrics.contains(&case.world.account().secret_access_key), "the metrics show a secret");
}

#[tokio::test]
async fn the_commands_for_troubleshooting_work_as_they_stand_in_the_documentation() {
    if not_root() {
        return;
    }
    let case = Case::new(shared().await, "troubleshooting").await;
    let group = case.bound("checkout").await;
    case.pod("web-0", "checkout", json!({}), json!({})).await;
    let pod = case.space.ready("web-0").await;
    case.holds(&group, [target(&pod, 8080)]).await;
    let of = |kind: &str, name: &str, spec: Value| {
        let version = "gateway.networking.k8s.io/v1";
        json!({ "apiVersion": version, "kind": kind, "metadata": { "name": name }, "spec": spec })
    };
    let listeners = json!([{ "name": "http", "protocol": "HTTP", "port": 80 }]);
    let gateway = json!({ "gatewayClassName": "lath", "listeners": listeners });
    case.space.apply(of("Gateway", "mesh", gateway)).await;
    let rules = json!([{ "backendRefs": [{ "name": "checkout", "port": 80 }] }]);
    let route = json!({ "parentRefs": [{ "name": "mesh" }], "rules": rules });
    case.space.apply(of("HTTPRoute", "checkout", route)).await;

    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/troubleshooting.md");
    let page = std::fs::read_to_string(page).unwrap();
    let blocks = page.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let node = format!("node-{}", node_of(&pod));
    let own = format!("-n {}", case.space.name);
    for line in blocks.flat_map(str::lines) {
        let command = line.split('#').next().unwrap().trim();
        let command = command.replace("-n shop", &own).replace("-n infra", &own).replace("NODE", &node);
        let arguments: Vec<&str> = command.split_whitespace().skip(1).collect();
        let said = eventually(line, SOON, async || kubectl(&case, &arguments)).await;
        assert!(!said.is_empty(), "{line}");
    }
}
