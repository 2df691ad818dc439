//! Requests that a Lambda function answers.

use http::Method;
use kube::api::DeleteParams;
use serde_json::{Value, json};
use tests::expect::eventually;

use super::super::setting::{Case, SOON, carrying_with};
use super::super::space::not_root;
use super::{ask, gateway, healthy, left, pods, route, routes, served, vpcs};

/// Answers as a pod would that is called as the first element of the event's path.
const PROGRAM: &str = r#"name=$(sed 's/.*"path":"\/\([a-z]*\).*/\1/')
printf '{"statusCode":200,"body":"{\\"pod\\":\\"%s-0\\"}"}' "$name""#;

#[tokio::test]
async fn a_function_answers_beside_pods_and_alone() {
    if not_root() {
        return;
    }
    let function = "arn:aws:lambda:us-west-2:123456789012:function:echo";
    let functions = json!([{ "arn": function, "command": ["/bin/sh", "-c", PROGRAM] }]);
    // The simulator runs what it was given when it started, and nothing else.
    let file = tempfile::NamedTempFile::with_suffix(".json").unwrap();
    serde_json::to_writer(&file, &json!({ "functions": functions })).unwrap();
    let world = carrying_with("e2e-functions", &["--surroundings", file.path().to_str().unwrap()]).await;
    let case = Case::new(&world, "functions").await;
    let mut surroundings = vpcs(&[&world]);
    surroundings["functions"] = functions;
    case.lattice.send(Method::PUT, "/_sim/surroundings", &surroundings).await.unwrap();

    gateway(&case, json!({})).await;
    pods(&case, "web", 1).await;
    case.space
        .apply(json!({
            "apiVersion": "lath.dev/v1alpha1", "kind": "TargetGroup", "metadata": { "name": "echo" },
            "spec": { "lambda": { "functionArn": function } },
        }))
        .await;
    let to = |path: &str, backends: Value| json!({ "matches": [{ "path": { "value": path } }], "backendRefs": backends });
    let echo = json!({ "group": "lath.dev", "kind": "TargetGroup", "name": "echo" });
    let both = json!([{ "name": "web", "port": 80, "weight": 3 }, echo]);
    let rules = json!([to("/alone", json!([echo])), to("/shared", both)]);
    case.space.apply(route(&case, "echo", &rules)).await;
    let host = served(&case, "echo").await;
    healthy(&case, 1).await;

    let answers = ask(&case, "ask", &host, &["/alone/now", "/shared"], 8).await;
    // Three parts of four: the cloud deals out by turns.
    let wanted = [("/alone/now alone", 8), ("/shared web", 6), ("/shared shared", 2)];
    assert_eq!(answers, wanted.map(|(answer, count)| (answer.to_owned(), count)).into());

    // The function's group goes with the route that names it, although the TargetGroup stays.
    routes(&case).delete("echo", &DeleteParams::default()).await.unwrap();
    eventually("nothing of the route is left", SOON * 2, async || {
        let left = left(&case).await;
        if left.is_empty() { Ok(()) } else { Err(format!("{left:?}")) }
    })
    .await;
}
