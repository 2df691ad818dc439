//! Who may call a route, and where that is logged.

use std::collections::BTreeMap;

use http::Method;
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::Api;
use kube::api::PostParams;
use serde_json::{Value, json};
use tests::expect::eventually;

use super::super::setting::{Case, SOON};
use super::super::space::{Space, not_root};
use super::{RESOLVER, gateway, healthy, pods, route, says, served, vpcs, world};

/// One request with a signature, and one without.
const REQUESTS: &str = r#"
ask() { curl -sS --max-time 10 -o /dev/null -w '%{http_code}\n' "$@" "http://$HOST/orders"; }
ask -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' -H "x-amz-security-token: $TOKEN" --user "$KEY" \
    --aws-sigv4 "aws:amz:$REGION:vpc-lattice-svcs"
ask
"#;

/// Calls the route from a pod of a namespace as its service account, and returns the statuses.
async fn call(case: &Case<'_>, space: &Space, role: &str, host: &str) -> Vec<String> {
    let accounts: Api<ServiceAccount> = Api::namespaced(space.client.clone(), space.name);
    let audience = vec!["pods.eks.amazonaws.com".to_owned()];
    let request = TokenRequest {
        spec: TokenRequestSpec { audiences: audience, ..TokenRequestSpec::default() },
        ..TokenRequest::default()
    };
    // The namespace's own account is made a moment after the namespace.
    let token = eventually("the service account has a token", SOON, async || {
        let made = accounts.create_token_request("default", &PostParams::default(), &request).await;
        made.map_err(|error| error.to_string())
    })
    .await;
    let token = json!({ "token": token.status.unwrap().token });
    let path = format!("/clusters/{role}/assume-role-for-pod-identity");
    let lent = case.lattice.send(Method::POST, &path, &token).await.unwrap();
    let lent = &lent["credentials"];
    let text = |name: &str| lent[name].as_str().unwrap().to_owned();
    let environment = [
        ("HOST", host.to_owned()),
        ("KEY", format!("{}:{}", text("accessKeyId"), text("secretAccessKey"))),
        ("TOKEN", text("sessionToken")),
        ("REGION", case.world.region().to_owned()),
    ]
    .map(|(name, value)| json!({ "name": name, "value": value }));
    let resolver = json!({ "dnsPolicy": "None", "dnsConfig": { "nameservers": [RESOLVER] } });
    let container = json!({ "env": environment });
    let (phase, said) = space.script(case.world, "call", REQUESTS, resolver, container).await;
    assert_eq!(phase, "Succeeded", "{said}");
    said.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_policy_lets_one_namespaces_pods_in_and_each_request_is_logged() {
    if not_root() {
        return;
    }
    let world = world("e2e-policies").await;
    let case = Case::new(&world, "policies").await;
    let cluster = "one";
    let identity =
        |namespace| json!({ "cluster": cluster, "namespace": namespace, "service_account": "default" });
    let mut surroundings = vpcs(&[&world]);
    surroundings["roles"] = json!([{
        "arn": format!("arn:aws:iam::{}:role/callers", world.account().id),
        "policies": [{
            "Version": "2012-10-17",
            "Statement": [{ "Effect": "Allow", "Action": "vpc-lattice-svcs:Invoke", "Resource": "*" }],
        }],
        "pod_identities": [identity("front"), identity("strangers")],
    }]);
    case.lattice.send(Method::PUT, "/_sim/surroundings", &surroundings).await.unwrap();
    gateway(&case, json!({})).await;
    pods(&case, "orders", 1).await;
    let rules = json!([{ "backendRefs": [{ "name": "orders", "port": 80 }] }]);
    case.space.apply(route(&case, "orders", &rules)).await;
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow", "Principal": "*", "Action": "vpc-lattice-svcs:Invoke", "Resource": "*",
            "Condition": { "StringEquals": { "aws:PrincipalTag/kubernetes-namespace": "front" } },
        }],
    });
    let to_route = json!({ "group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": "orders" });
    for (kind, member, value) in [
        ("IAMAuthPolicy", "policy", policy.to_string()),
        ("AccessLogPolicy", "destinationArn", "arn:aws:s3:::orders-logs".to_owned()),
    ] {
        let spec = json!({ "targetRef": to_route, (member): value });
        let version = "application-networking.k8s.aws/v1alpha1";
        case.space
            .apply(json!({ "apiVersion": version, "kind": kind, "metadata": { "name": "orders" }, "spec": spec }))
            .await;
    }
    says(&case, "orders", "Accepted", "True", "Accepted").await;
    let host = served(&case, "orders").await;
    healthy(&case, 1).await;
    eventually("the policy is in force", SOON, async || {
        let get = async |path: String| {
            let got = case.lattice.send(Method::GET, &path, &Value::Null).await;
            got.map_err(|error| error.to_string())
        };
        let services = get("/services".into()).await?;
        let id = services["items"][0]["id"].as_str().ok_or("there is no service")?;
        match get(format!("/services/{id}")).await?["authType"].as_str() {
            Some("AWS_IAM") => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;

    let mut statuses = BTreeMap::new();
    for namespace in ["front", "strangers"] {
        let space = Space::new(&world, namespace).await;
        statuses.insert(namespace, call(&case, &space, cluster, &host).await);
    }
    let wanted = [("front", ["200", "403"]), ("strangers", ["403", "403"])];
    assert_eq!(statuses, wanted.map(|(name, all)| (name, all.map(str::to_owned).to_vec())).into());

    eventually("all four requests are in the log", SOON, async || {
        let log = case.lattice.send(Method::GET, "/_sim/access-log", &Value::Null).await;
        let log = log.map_err(|error| error.to_string())?.to_string();
        let count = log.matches("/orders").count();
        if count == 4 { Ok(()) } else { Err(format!("{count} in {log}")) }
    })
    .await;
}
