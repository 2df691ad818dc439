//! The controller's cases: many routes from nothing, pods that come and go behind them, and what both cost.

use std::{
    collections::{BTreeMap, HashSet},
    pin::pin,
    time::Duration,
};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use http::Method;
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api,
    api::{DeleteParams, ListParams, PostParams},
    runtime::{WatchStreamExt as _, watcher},
};
use lath_kubernetes::gateway::HTTPRoute;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{
    Options,
    cases::{in_lab, slow_calls},
    figures::Report,
    lab::{Lab, NAMESPACE, now},
};
use crate::{
    controlplane::gateway_api,
    error::{Doing as _, Error, Result},
};

/// How many routes are applied at once.
const WAVES: [usize; 3] = [1, 50, 500];

/// Writes of objects in flight at a time, as of `kubectl apply` of a large file or of a busy pipeline.
const AT_ONCE: usize = 20;

/// Objects of Lattice that one route with one rule is: group, service, listener, rule, association.
const OBJECTS_PER_ROUTE: u64 = 5;

/// Pods that come and go behind routes, in changes of ten.
const POD_CHANGES: usize = 1_000;

/// Routes and pods of the large cluster.
const LARGE: (usize, usize) = (1_000, 10_000);

/// How long a wave may take before the benchmark gives up.
const LIMIT: Duration = Duration::from_mins(5);

/// What the cloud allows beyond AWS's defaults.
const QUOTAS: [&str; 6] = [
    "--set",
    "quota.target_groups=2000",
    "--set",
    "quota.services_per_service_network=2000",
    "--set",
    "quota.services=3000",
];

/// Runs all cases, each latency of calls in a lab of its own.
pub(super) async fn run(options: &Options, report: &mut Report) -> Result<()> {
    for call_ms in &options.call_ms {
        eprintln!("bench: {call_ms} ms per call: starting a control plane, a cloud and a controller");
        in_lab(options, &QUOTAS, async |lab| waves(lab, *call_ms, report).await).await?;
    }
    eprintln!("bench: a large cluster");
    in_lab(options, &QUOTAS, async |lab| large(lab, report).await).await
}

/// Gateway API, a Gateway whose network Lath makes, and a controller that has nothing to do.
async fn begin(lab: &mut Lab) -> Result<()> {
    gateway_api::install(&lab.client, &gateway_api::definitions().await?).await?;
    let meta = |name: &str| json!({ "name": name, "namespace": NAMESPACE });
    let gateway = "gateway.networking.k8s.io/v1";
    let class = json!({ "controllerName": "lath.dev/gateway-controller" });
    lab.apply(json!({ "apiVersion": gateway, "kind": "GatewayClass", "metadata": { "name": "lath" }, "spec": class }))
        .await?;
    lab.apply(json!({
        "apiVersion": gateway, "kind": "Gateway", "metadata": meta("mesh"),
        "spec": { "gatewayClassName": "lath", "listeners": [{ "name": "http", "protocol": "HTTP", "port": 80 }] },
    }))
    .await?;
    lab.start_controller()?;
    // The first route shows that everything is up.
    wave(lab, "first", 1).await?;
    Ok(())
}

async fn waves(lab: &mut Lab, call_ms: u64, report: &mut Report) -> Result<()> {
    begin(lab).await?;
    slow_calls(lab, call_ms).await?;
    for count in WAVES {
        eprintln!("bench: {call_ms} ms per call: {count} routes from nothing");
        lab.lattice.send(Method::POST, "/_sim/calls/reset", &Value::Null).await?;
        let wave = wave(lab, &format!("wave-{count}"), count).await?;
        let case = format!("{count} routes, {call_ms} ms per call");
        report.delays(&case, "applying them", vec![wave.applied_ms]);
        report.delays(&case, "all are programmed", vec![wave.programmed_ms]);
        let calls = calls(lab).await?;
        let (all, objects) =
            (calls.values().sum::<u64>(), OBJECTS_PER_ROUTE * u64::try_from(count).unwrap_or(0));
        report.fact(
            &format!("calls for {case}"),
            format!("{all} for {objects} objects"),
            json!({ "calls": all, "objects": objects }),
        );
        report.calls(&case, calls);
    }
    slow_calls(lab, 0).await?;
    pod_changes(lab, call_ms, report).await
}

/// What a wave of routes took, in milliseconds since the first was sent.
struct Wave {
    /// Until the API server had answered for the last.
    applied_ms: f64,
    /// Until every route's status said that it is programmed.
    programmed_ms: f64,
}

/// Makes so many routes, each to a Service of its own, and waits until all are programmed.
async fn wave(lab: &Lab, name: &str, count: usize) -> Result<Wave> {
    let names: Vec<String> = (0..count).map(|number| format!("{name}-{number}")).collect();
    let write = |object: Value| lab.apply(object);
    let services = names.iter().map(|name| {
        write(json!({
            "apiVersion": "v1", "kind": "Service", "metadata": { "name": name, "namespace": NAMESPACE },
            "spec": { "selector": { "app": name }, "ports": [{ "port": 80, "targetPort": 8080 }] },
        }))
    });
    stream::iter(services).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await?;
    let started = now();
    let routes = names.iter().map(|name| {
        write(json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
            "metadata": { "name": name, "namespace": NAMESPACE, "labels": { "wave": names[0] } },
            "spec": {
                "parentRefs": [{ "name": "mesh" }],
                "rules": [{ "backendRefs": [{ "name": name, "port": 80 }] }],
            },
        }))
    });
    stream::iter(routes).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await?;
    let applied = now();
    timeout(LIMIT, all_programmed(lab, &names)).await.map_err(|_late| {
        let doing = format!("waiting until {count} routes are programmed");
        Error::failed(doing, format!("some are not after {LIMIT:?}"))
    })??;
    let since = |at: f64| (at - started) * 1_000.0;
    Ok(Wave { applied_ms: since(applied), programmed_ms: since(now()) })
}

/// Watches the routes of a wave until the status of each says that it is programmed.
async fn all_programmed(lab: &Lab, names: &[String]) -> Result<()> {
    let api: Api<HTTPRoute> = Api::namespaced(lab.client.clone(), NAMESPACE);
    let of_wave = watcher::Config::default().labels(&format!("wave={}", names[0]));
    let mut routes = pin!(watcher::watcher(api, of_wave).default_backoff().applied_objects());
    let mut waiting: HashSet<&str> = names.iter().map(String::as_str).collect();
    while !waiting.is_empty() {
        let Some(route) = routes.next().await else { break };
        let route = route.doing("watching routes")?;
        if is_programmed(&route) {
            waiting.remove(route.metadata.name.as_deref().unwrap_or_default());
        }
    }
    Ok(())
}

fn is_programmed(route: &HTTPRoute) -> bool {
    let conditions =
        route.status.iter().flat_map(|status| &status.parents).flat_map(|parent| &parent.conditions);
    conditions
        .into_iter()
        .any(|condition| condition.type_ == "lath.dev/Programmed" && condition.status == "True")
}

/// Calls since the last reset, by operation.
async fn calls(lab: &Lab) -> Result<BTreeMap<String, u64>> {
    let calls = lab.lattice.send(Method::GET, "/_sim/calls", &Value::Null).await?;
    serde_json::from_value(calls).doing("reading the simulator's counts")
}

/// Pods come and go behind the routes of the last wave.
async fn pod_changes(lab: &mut Lab, call_ms: u64, report: &mut Report) -> Result<()> {
    eprintln!("bench: {call_ms} ms per call: {POD_CHANGES} pods come and go");
    // What the last wave has left to do, such as looking at new groups, is not pods' doing.
    tokio::time::sleep(Duration::from_secs(5)).await;
    lab.lattice.send(Method::POST, "/_sim/calls/reset", &Value::Null).await?;
    let before = lab.controller_usage();
    let changes = (0..POD_CHANGES).map(|number| {
        let lab = &*lab;
        async move {
            let name = format!("pod-{number}");
            lab.create_pod(&format!("wave-500-{}", number % 500), &name, false).await?;
            lab.make_ready(&name, &format!("10.9.{}.{}", number / 250, number % 250 + 1)).await?;
            lab.delete_pod(&name).await.map(|_| ())
        }
    });
    stream::iter(changes).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let after = lab.controller_usage();
    let mut calls = calls(lab).await?;
    // Standing in for the agent that this lab lacks is another matter than routes.
    calls.retain(|operation, _| {
        !["RegisterTargets", "DeregisterTargets", "ListTargets", "GetTargetGroup", "ListTagsForResource"]
            .contains(&operation.as_str())
    });
    let of_routes: u64 = calls.values().sum();
    let case = format!("{POD_CHANGES} pods, {call_ms} ms per call");
    report.fact(&format!("route calls for {case}"), of_routes.to_string(), json!(of_routes));
    if let Some(((before, _), (after, _))) = before.zip(after) {
        let cpu = after - before;
        report.fact(&format!("CPU for {case}"), format!("{cpu:.2} s of the controller's"), json!(cpu));
    }
    Ok(())
}

/// What the controller holds of a large cluster.
async fn large(lab: &mut Lab, report: &mut Report) -> Result<()> {
    begin(lab).await?;
    let (routes, pods) = LARGE;
    eprintln!("bench: {pods} pods");
    let api: Api<Pod> = lab.pods();
    let made = (0..pods).map(|number| {
        let api = api.clone();
        async move {
            let pod = json!({
                "metadata": { "name": format!("pod-{number}"), "labels": { "app": format!("large-{}", number % routes) } },
                // Of a node without an agent that is not known to the cluster, so that nobody registers them.
                "spec": { "containers": [{ "name": "c", "image": "none" }], "schedulerName": "none" },
            });
            let pod: Pod = serde_json::from_value(pod).doing("composing a pod")?;
            api.create(&PostParams::default(), &pod).await.map(|_| ()).doing("making a pod")
        }
    });
    stream::iter(made).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await?;
    eprintln!("bench: {routes} routes");
    let wave = wave(lab, "large", routes).await?;
    report.delays(
        &format!("{routes} routes, {pods} pods, 0 ms"),
        "all are programmed",
        vec![wave.programmed_ms],
    );
    tokio::time::sleep(Duration::from_secs(5)).await;
    if let Some((_, resident)) = lab.controller_usage() {
        let megabytes = resident as f64 / 1_024.0;
        report.fact(
            &format!("memory, {routes} routes, {pods} pods"),
            format!("{megabytes:.1} MiB"),
            json!(megabytes),
        );
    }
    let all = ListParams::default();
    api.delete_collection(&DeleteParams::default(), &all).await.doing("deleting pods").map(|_| ())
}
