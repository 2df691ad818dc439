//! Traffic through the cloud's data plane while pods come and go.

use std::net::SocketAddr;
use std::time::Duration;

use http::Method;
use k8s_openapi::api::apps::v1::Deployment;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};
use tests::expect::eventually;
use tokio::time::sleep;

use super::setting::{Case, SOON, carrying, template};
use super::space::{addresses, not_root};

/// Where services are in the cloud. The first address of the range; see `lath sim settings`.
const SERVICES: &str = "169.254.171.1:80";

/// How long a pod goes on after it was told to end, in seconds: longer than the cloud sends it requests.
const GRACE: u64 = 14;

/// In how many seconds the cloud's clock passes a target's whole draining.
const DRAINS_IN: u64 = 8;

/// Asks a pod's server for something, from this machine, which has a route to every pod.
async fn ask(method: Method, pod: SocketAddr, path: &str) -> Result<Value, String> {
    let text = |error: &dyn std::error::Error| error.to_string();
    let stream = tokio::net::TcpStream::connect(pod).await.map_err(|error| text(&error))?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(hyper_util::rt::TokioIo::new(stream))
            .await
            .map_err(|error| text(&error))?;
    tokio::spawn(connection);
    let request = http::Request::builder().method(method).uri(path).header("host", pod.to_string());
    let request = request.body(http_body_util::Empty::<bytes::Bytes>::new()).map_err(|error| text(&error))?;
    let response = sender.send_request(request).await.map_err(|error| text(&error))?;
    let body = http_body_util::BodyExt::collect(response.into_body()).await.map_err(|error| text(&error))?;
    serde_json::from_slice(&body.to_bytes()).map_err(|error| text(&error))
}

/// Replaces all pods of a Deployment under load and returns what the client saw.
async fn roll(case: &Case<'_>, client: SocketAddr, host: &str, version: &str, drain: u64) -> Value {
    let load = format!("/control/load?address={SERVICES}&host={host}&workers=4");
    ask(Method::POST, client, &load).await.unwrap();
    let speed = drain.div_ceil(DRAINS_IN);
    let clock = async {
        loop {
            sleep(Duration::from_secs(1)).await;
            let advance = json!({"advance_seconds": speed.saturating_sub(1)});
            case.lattice.send(Method::POST, "/_sim/clock", &advance).await.unwrap();
        }
    };
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
        () = clock => {}
        () = rollout => {}
    }
    ask(Method::POST, client, "/control/rest").await.unwrap();
    ask(Method::GET, client, "/load").await.unwrap()
}

/// The example of a rolling update that loses requests today: health of targets gates the rollout, and pods stay until
/// the cloud sends them nothing more, 10 s of propagation and requests to DRAINING targets included.
#[tokio::test]
async fn a_rolling_update_under_load_loses_no_request() {
    if not_root() {
        return;
    }
    let world = carrying(&[
        "propagation.register_seconds=2",
        "propagation.deregister_seconds=10",
        "traffic.draining=all",
        "target.drain_seconds=60",
    ])
    .await;
    let case = Case::new(&world, "traffic").await;
    let group = case.bound("web").await;
    let services = case.lattice.send(Method::GET, "/services", &Value::Null).await.unwrap();
    let host = services["items"][0]["dnsEntry"]["domainName"].as_str().unwrap().to_owned();
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
    case.pod("client", "client", json!({}), json!({})).await;
    let client = eventually("the client runs", SOON, async || {
        let pods = case.pods("client").await?;
        let address = pods.first().and_then(|pod| addresses(pod).first().copied());
        let at = SocketAddr::new(address.ok_or("it has no address")?, 8080);
        ask(Method::GET, at, "/healthz").await.map(|_| at)
    })
    .await;
    // Until the registrations have reached the data plane, there is nobody to answer.
    sleep(Duration::from_secs(3)).await;

    for (version, drain) in [("2", 60), ("3", 300)] {
        let setting = json!({ "target.drain_seconds": drain.to_string() });
        case.lattice.send(Method::PUT, "/_sim/settings", &setting).await.unwrap();
        let seen = roll(&case, client, &host, version, drain).await;
        assert_eq!(seen["failures"], 0, "draining {drain} s: {seen:#}");
        let answered = seen["answered"].as_object().unwrap();
        assert!(answered.len() >= 6, "old and new pods answered: {seen:#}");
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
    assert!(seen["failures"].as_u64().unwrap() > 0, "without a grace nothing was lost: {seen:#}");
}
