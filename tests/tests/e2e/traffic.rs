//! Traffic through the cloud's data plane: by name and policy, and while pods come and go.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use http::Method;
use k8s_openapi::api::apps::v1::Deployment;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};
use tests::expect::{eventually, request};
use tests::load::{Load, Outcome, SLOW_CLOUD};
use tokio::time::sleep;

use super::setting::{Case, SOON, carrying, template};
use super::space::not_root;

/// The cloud's resolver, where a VPC has it.
const RESOLVER: &str = "169.254.169.253";

/// How long a pod goes on after it was told to end, in seconds: longer than the cloud sends it requests.
const GRACE: u64 = 14;

/// In how many seconds the cloud's clock passes a target's whole draining.
const DRAINS_IN: u64 = 8;

/// Replaces all pods of a Deployment under load and returns what the client saw.
async fn roll(case: &Case<'_>, client: SocketAddr, host: &str, version: &str, drain: u64) -> Outcome {
    let load = Load::begin(client, host, 4).await.unwrap();
    let rollout = async {
        let deployments: Api<Deployment> = Api::namespaced(case.space.client.clone(), case.space.name);
        let change = json!({ "spec": { "template": { "metadata": { "labels": { "version": version } } } } });
        deployments.patch("web", &PatchParams::default(), &Patch::Merge(&change)).await.unwrap();
        eventually("the rollout is complete and the old pods are gone", SOON * 2, async || {
            let deployment = deployments.get("web").await.map_err(|error| error.to_string())?;
            let current = deployment.metadata.generation;
            let status = deployment.status.unwrap_or_default();
            let pods = case.pods("web").await?.len();
            let done = status.observed_generation == current
                && status.updated_replicas == Some(3)
                && status.available_replicas == Some(3)
                && pods == 3;
            if done { Ok(()) } else { Err(format!("{pods} pods, {status:?}")) }
        })
        .await;
        sleep(Duration::from_secs(2)).await;
    };
    tokio::select! {
        clock = case.lattice.hurry(drain.div_ceil(DRAINS_IN)) => panic!("the clock stands still: {clock:?}"),
        () = rollout => {}
    }
    load.end().await.unwrap()
}

/// The example of a rolling update that loses requests today: health of targets gates the rollout, and pods stay until
/// the cloud sends them nothing more, 10 s of propagation and requests to DRAINING targets included.
#[tokio::test]
async fn a_rolling_update_under_load_loses_no_request() {
    if not_root() {
        return;
    }
    let world = carrying("e2e-traffic", &SLOW_CLOUD).await;
    let case = Case::new(&world, "traffic").await;
    let group = case.bound("web").await;
    let services = case.lattice.send(Method::GET, "/services", &Value::Null).await.unwrap();
    let host = case.lattice.host(services["items"][0]["id"].as_str().unwrap()).await.unwrap();
    let spec = json!({
        "readinessGates": [{ "conditionType": "lath.dev/target-health" }],
        "terminationGracePeriodSeconds": GRACE + 6,
    });
    let container = json!({ "lifecycle": { "preStop": { "sleep": { "seconds": GRACE } } } });
    case.space
        .apply(json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web" },
            "spec": {
                "replicas": 3, "selector": { "matchLabels": { "app": "web" } },
                "strategy": { "rollingUpdate": { "maxUnavailable": 0, "maxSurge": 1 } },
                "template": template("web", spec, container),
            },
        }))
        .await;
    case.settled(&group, "web", 3).await;
    let client = case.client().await;
    // Until the registrations have reached the data plane, there is nobody to answer.
    sleep(Duration::from_secs(3)).await;

    for (version, drain) in [("2", 60), ("3", 300)] {
        let setting = json!({ "target.drain_seconds": drain.to_string() });
        case.lattice.set(&setting).await.unwrap();
        let seen = roll(&case, client, &host, version, drain).await;
        assert_eq!(seen.failures, 0, "draining {drain} s: {seen:#?}");
        assert!(seen.answered.len() >= 6, "old and new pods answered: {seen:#?}");
    }

    // What the grace is for: pods that end at once lose requests that are on their way to them.
    let deployments: Api<Deployment> = Api::namespaced(case.space.client.clone(), case.space.name);
    let container = json!({ "name": "main", "lifecycle": null });
    let spec = json!({ "terminationGracePeriodSeconds": 1, "containers": [container] });
    let hasty = json!({ "spec": { "template": { "spec": spec } } });
    deployments.patch("web", &PatchParams::default(), &Patch::Strategic(&hasty)).await.unwrap();
    eventually("the hasty pods are in", SOON * 2, async || {
        let pods = case.pods("web").await?;
        let hasty = pods.iter().filter(|pod| {
            pod.spec.as_ref().and_then(|spec| spec.termination_grace_period_seconds) == Some(1)
        });
        if hasty.count() == 3 && pods.len() == 3 { Ok(()) } else { Err(format!("{} pods", pods.len())) }
    })
    .await;
    case.settled(&group, "web", 3).await;
    let seen = roll(&case, client, &host, "4", 60).await;
    assert!(seen.failures > 0, "without a grace nothing was lost: {seen:#?}");
}

/// Twenty requests by the service's name, signed by the account's key, then one without a signature.
const REQUESTS: &str = r#"
printf '%s' "$CA" > /tmp/ca.pem
ask() { curl -sS --max-time 10 --cacert /tmp/ca.pem "$@" "https://$HOST/orders"; }
for _ in $(seq 20); do
    ask -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' --user "$KEY" \
        --aws-sigv4 "aws:amz:$REGION:vpc-lattice-svcs"
done
ask -w '%{http_code}\n'
"#;

/// A pod on one node calls a service by its name: the cloud's resolver knows it, HTTPS ends at a listener that weighs
/// two groups, a policy lets in who signs, and pods on both nodes answer.
#[tokio::test]
async fn a_name_leads_through_https_weights_and_a_policy_to_pods_on_two_nodes() {
    if not_root() {
        return;
    }
    let world = carrying("e2e-https", &[]).await;
    let (v4, v6) = (world.description().plan.network_v4(), world.description().plan.network_v6());
    let vpc =
        json!({ "id": world.vpc(), "cidrs": [format!("{}/{}", v4.0, v4.1), format!("{}/{}", v6.0, v6.1)] });
    let case = Case::new(&world, "https").await;
    let send = async |method, path: &str, body| case.lattice.send(method, path, &body).await.unwrap();
    send(Method::PUT, "/_sim/surroundings", json!({ "vpcs": [vpc] })).await;

    let mut groups = Vec::new();
    for (name, weight) in [("blue", 3), ("green", 1)] {
        let group = case.unused_group(name).await;
        case.service(name, name, json!(8080)).await;
        case.bind(name, &group, name).await;
        for node in ["node-0", "node-1"] {
            let on_node = json!({ "nodeName": node });
            case.pod(&format!("{name}-{node}"), name, on_node, json!({})).await;
        }
        groups.push(json!({ "targetGroupIdentifier": group, "weight": weight }));
    }
    let service = send(Method::POST, "/services", json!({ "name": "orders", "authType": "AWS_IAM" })).await;
    let id = service["id"].as_str().unwrap();
    let listener = json!({
        "name": "https", "protocol": "HTTPS", "port": 443,
        "defaultAction": { "forward": { "targetGroups": groups } },
    });
    send(Method::POST, &format!("/services/{id}/listeners"), listener).await;
    let account = world.account();
    let allowed = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow", "Action": "vpc-lattice-svcs:Invoke", "Resource": "*",
            "Principal": { "AWS": format!("arn:aws:iam::{}:root", account.id) },
            "Condition": { "StringEquals": { "vpc-lattice-svcs:SourceVpc": world.vpc() } },
        }],
    });
    send(Method::PUT, &format!("/authpolicy/{id}"), json!({ "policy": allowed.to_string() })).await;
    let network = send(Method::POST, "/servicenetworks", json!({ "name": "shop" })).await;
    let network = network["id"].as_str().unwrap();
    let to_bucket = json!({ "resourceIdentifier": network, "destinationArn": "arn:aws:s3:::shop-logs" });
    send(Method::POST, "/accesslogsubscriptions", to_bucket).await;
    let to = |member: &str, value: &str| json!({ "serviceNetworkIdentifier": network, (member): value });
    send(Method::POST, "/servicenetworkserviceassociations", to("serviceIdentifier", id)).await;
    send(Method::POST, "/servicenetworkvpcassociations", to("vpcIdentifier", world.vpc())).await;
    for group in &groups {
        let group = group["targetGroupIdentifier"].as_str().unwrap();
        eventually("both pods of the group are healthy", SOON, async || {
            let targets = case.lattice.targets(group).await.map_err(|error| error.to_string())?;
            let healthy = targets.iter().filter(|target| target.status == "HEALTHY").count();
            if healthy == 2 { Ok(()) } else { Err(format!("{targets:?}")) }
        })
        .await;
    }

    let authority = request(
        "GET",
        world.lattice_endpoint().trim_start_matches("http://").parse().unwrap(),
        "/_sim/ca.pem",
    );
    let (_, authority) = authority.await.unwrap();
    let host = case.lattice.host(id).await.unwrap();
    let key = format!("{}:{}", account.access_key_id, account.secret_access_key);
    let environment =
        [("CA", authority.as_str()), ("HOST", &host), ("KEY", &key), ("REGION", world.region())];
    let environment = environment.map(|(name, value)| json!({ "name": name, "value": value }));
    let resolver = json!({
        "nodeName": "node-0", "dnsPolicy": "None", "dnsConfig": { "nameservers": [RESOLVER] },
    });
    let (phase, said) =
        case.space.script(&world, "client", REQUESTS, resolver, json!({ "env": environment })).await;
    assert_eq!(phase, "Succeeded", "{said}");
    let mut answers = BTreeMap::<String, usize>::new();
    for line in said.lines().filter(|line| line.starts_with('{')) {
        let answer: Value = serde_json::from_str(line).unwrap();
        *answers.entry(answer["pod"].as_str().unwrap().to_owned()).or_default() += 1;
        let headers = &answer["headers"];
        let principal = format!("Principal=arn:aws:iam::{}:root", account.id);
        assert_eq!(headers["x-amzn-lattice-identity"], principal, "{answer:#}");
        assert!(headers["x-amzn-lattice-network"].as_str().unwrap().contains(world.vpc()), "{answer:#}");
    }
    // Three parts of four to one group, and each group's pods by turns.
    let count = |pod: &str| answers.get(pod).copied().unwrap_or_default();
    let mut blue = ["blue-node-0", "blue-node-1"].map(count);
    let mut green = ["green-node-0", "green-node-1"].map(count);
    blue.sort_unstable();
    green.sort_unstable();
    assert_eq!((blue, green), ([7, 8], [2, 3]), "{said}");
    let refused = format!(
        "AccessDeniedException: User: anonymous is not authorized to perform: vpc-lattice-svcs:Invoke on resource: \
         {}/orders",
        service["arn"].as_str().unwrap(),
    );
    assert!(said.contains(&refused) && said.ends_with("403\n"), "{said}");

    let lines = send(Method::GET, "/_sim/access-log", Value::Null).await;
    check_access_log(&lines, &format!("arn:aws:iam::{}:root", account.id), &host, world.vpc());
}

/// Checks what the access log tells: 20 requests of this user, and one that was refused.
fn check_access_log(lines: &Value, user: &str, host: &str, vpc: &str) {
    let lines: Vec<&Value> = lines.as_array().unwrap().iter().map(|line| &line["entry"]).collect();
    let told = |status: u64, user: &str, reason: &str| {
        let like = |line: &&&Value| {
            line["responseCode"] == status && line["resolvedUser"] == user && line["failureReason"] == reason
        };
        lines.iter().filter(like).count()
    };
    let counts = (told(200, user, "-"), told(403, "Anonymous", "ClientAccessDenied"), lines.len());
    assert_eq!(counts, (20, 1, 21), "{lines:#?}");
    for line in lines {
        let tls = (&line["tlsVersion"], &line["serverNameIndication"], &line["sourceVpcId"]);
        assert_eq!(tls, (&json!("TLSv1.3"), &json!(host), &json!(vpc)), "{line:#}");
    }
}
