//! The cases: one pod on a quiet node, many of one Service, one each of many Services, rest, start, gates.

use std::{collections::BTreeMap, sync::PoisonError, time::Duration};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use http::Method;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use super::{
    Options,
    figures::Report,
    lab::{Lab, Sightings, now},
};
use crate::{
    controlplane,
    error::{Doing as _, Error, Result},
    interrupt::interrupted,
};

/// Pods of a full node. Source: the default limit of kubelet.
const NODE_PODS: usize = 110;

/// Status patches in flight at a time, as of a kubelet that is busy.
const AT_ONCE: usize = 20;

/// Runs all cases, each latency of calls in a lab of its own. Being interrupted ends it, and nothing is left of the lab.
pub(super) async fn run(options: &Options, report: &mut Report) -> Result<()> {
    for call_ms in &options.call_ms {
        eprintln!("bench: {call_ms} ms per call: starting a control plane, a cloud and an agent");
        in_lab(options, &[], async |lab| calls(lab, *call_ms, options.rounds, report).await).await?;
    }
    eprintln!("bench: readiness gates, 20 groups of 5 pods");
    // Health is set by hand, so that its moment is known.
    let by_hand = ["--set", "health.first_check_delay=3600"];
    in_lab(options, &by_hand, async |lab| gates(lab, report).await).await
}

/// Does some work in a lab, and takes the lab down whatever comes of it.
pub(super) async fn in_lab(
    options: &Options,
    cloud_arguments: &[&str],
    work: impl AsyncFnOnce(&mut Lab) -> Result<()>,
) -> Result<()> {
    let folder = tempfile::Builder::new().prefix("lath-bench-").tempdir().doing("making a folder")?;
    let outcome = tokio::select! {
        outcome = async {
            let mut lab = Lab::start(folder.path(), &options.binaries, cloud_arguments).await?;
            let outcome = work(&mut lab).await;
            lab.stop().await?;
            outcome
        } => outcome,
        () = interrupted() => Err(Error::failed("measuring", "interrupted")),
    };
    controlplane::stop(&Lab::control_plane(folder.path())).await?;
    outcome
}

/// The cases in which every call takes so many milliseconds.
async fn calls(lab: &mut Lab, call_ms: u64, rounds: usize, report: &mut Report) -> Result<()> {
    lab.bind("one", true).await?;
    lab.start_agent()?;
    slow_calls(lab, call_ms).await?;

    eprintln!("bench: {call_ms} ms per call: one pod on a quiet node, {rounds} times");
    let case = format!("1 pod, {call_ms} ms per call");
    let lives: Vec<Pods> = stream::iter(0..rounds).then(|round| life(lab, round)).try_collect().await?;
    record(report, &case, lab, &lives.into_iter().fold(Pods::default(), Pods::and));

    eprintln!("bench: {call_ms} ms per call: {NODE_PODS} pods of one Service");
    let case = format!("{NODE_PODS} pods of 1 Service, {call_ms} ms");
    burst(lab, report, &case, &vec!["one".to_owned(); NODE_PODS], 1).await?;

    eprintln!("bench: {call_ms} ms per call: 50 pods of 50 Services");
    let names: Vec<String> = (0..50).map(|number| format!("each-{number}")).collect();
    for name in &names {
        lab.bind(name, true).await?;
    }
    let case = format!("50 pods of 50 Services, {call_ms} ms");
    burst(lab, report, &case, &names, 2).await?;

    if call_ms == 0 {
        rest(lab, report).await?;
        restart(lab, report).await?;
    }
    Ok(())
}

/// When patches and deletions of pods were sent and heard of, by address.
#[derive(Debug, Default)]
struct Pods {
    ready: BTreeMap<String, f64>,
    registered: BTreeMap<String, f64>,
    deleted: BTreeMap<String, f64>,
    deregistered: BTreeMap<String, f64>,
}

impl Pods {
    fn and(mut self, other: Self) -> Self {
        self.ready.extend(other.ready);
        self.registered.extend(other.registered);
        self.deleted.extend(other.deleted);
        self.deregistered.extend(other.deregistered);
        self
    }
}

/// A pod comes and goes.
async fn life(lab: &Lab, round: usize) -> Result<Pods> {
    let (name, address) = (format!("one-{round}"), format!("10.1.{}.{}", round / 250, round % 250 + 1));
    lab.create_pod("one", &name, false).await?;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let begun = now();
    let mut pods = Pods::default();
    pods.ready.insert(address.clone(), lab.make_ready(&name, &address).await?);
    pods.registered = lab.told("RegisterTargets", std::slice::from_ref(&address), begun).await?;
    // The slice is compared with, so it gets the time to follow.
    for _ in 0..50 {
        if lab.slice_seen.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&address) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    pods.deleted.insert(address.clone(), lab.delete_pod(&name).await?);
    pods.deregistered = lab.told("DeregisterTargets", std::slice::from_ref(&address), begun).await?;
    Ok(pods)
}

/// Many pods come at once and go at once.
async fn burst(lab: &Lab, report: &mut Report, case: &str, apps: &[String], net: u8) -> Result<()> {
    let pods: Vec<(String, String)> = (0..apps.len())
        .map(|number| (format!("burst-{net}-{number}"), format!("10.2.{net}.{}", number + 1)))
        .collect();
    let addresses: Vec<String> = pods.iter().map(|(_, address)| address.clone()).collect();
    stream::iter(apps.iter().zip(&pods))
        .map(|(app, (name, _))| lab.create_pod(app, name, false))
        .buffer_unordered(AT_ONCE)
        .try_collect::<Vec<()>>()
        .await?;
    tokio::time::sleep(Duration::from_secs(1)).await;

    let begun = now();
    let ready = stream::iter(&pods)
        .map(async |(name, address)| Ok::<_, Error>((address.clone(), lab.make_ready(name, address).await?)))
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    let registered = lab.told("RegisterTargets", &addresses, begun).await?;
    let (put_in, begun_again) = (lab.calls_since(begun).await?, now());
    let deleted = stream::iter(&pods)
        .map(async |(name, address)| Ok::<_, Error>((address.clone(), lab.delete_pod(name).await?)))
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    let deregistered = lab.told("DeregisterTargets", &addresses, begun_again).await?;
    let last = |times: &BTreeMap<String, f64>| times.values().copied().fold(begun, f64::max);
    report.fact(
        &format!("{case}: last in"),
        format!("{:.0} ms after the first patch was sent", (last(&registered) - begun) * 1_000.0),
        json!((last(&registered) - begun) * 1_000.0),
    );
    report.calls(&format!("{case}: in"), put_in);
    report.calls(&format!("{case}: out"), lab.calls_since(begun_again).await?);
    record(report, case, lab, &Pods { ready, registered, deleted, deregistered });
    Ok(())
}

/// Adds what a case measured, and what the watches of the same run saw of it.
fn record(report: &mut Report, case: &str, lab: &Lab, pods: &Pods) {
    let delays = |from: &BTreeMap<String, f64>, to: &dyn Fn(&str) -> Option<f64>| {
        from.iter().filter_map(|(address, sent)| Some((to(address)? - sent) * 1_000.0)).collect::<Vec<_>>()
    };
    let seen = |sightings: &Sightings, prefix: &str| {
        let sightings = sightings.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let prefix = prefix.to_owned();
        move |address: &str| sightings.get(&format!("{prefix}{address}")).copied()
    };
    let of = |times: &BTreeMap<String, f64>| {
        let times = times.clone();
        move |address: &str| times.get(address).copied()
    };
    report.delays(case, "ready → RegisterTargets", delays(&pods.ready, &of(&pods.registered)));
    report.delays(case, "ready → a bare pod watch", delays(&pods.ready, &seen(&lab.pod_seen, "")));
    report.delays(case, "ready → an EndpointSlice watch", delays(&pods.ready, &seen(&lab.slice_seen, "")));
    report.delays(case, "delete → DeregisterTargets", delays(&pods.deleted, &of(&pods.deregistered)));
    report.delays(case, "delete → a bare pod watch", delays(&pods.deleted, &seen(&lab.pod_seen, "-")));
}

/// Makes every call to VPC Lattice take so long.
pub(super) async fn slow_calls(lab: &Lab, call_ms: u64) -> Result<()> {
    let rules = if call_ms == 0 { json!([]) } else { json!([{ "operation": "*", "latency_ms": call_ms }]) };
    lab.lattice.set_faults(&rules).await
}

/// What an agent costs when nothing happens: a full node, 200 bindings.
async fn rest(lab: &Lab, report: &mut Report) -> Result<()> {
    eprintln!("bench: at rest, {NODE_PODS} pods and 200 bindings");
    for number in 0..149 {
        lab.bind(&format!("rest-{number}"), true).await?;
    }
    let pods: Vec<(String, String)> =
        (0..NODE_PODS).map(|number| (format!("rest-{number}"), format!("10.3.0.{}", number + 1))).collect();
    let begun = now();
    for (name, address) in &pods {
        lab.create_pod("one", name, false).await?;
        lab.make_ready(name, address).await?;
    }
    let addresses: Vec<String> = pods.into_iter().map(|(_, address)| address).collect();
    lab.told("RegisterTargets", &addresses, begun).await?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let quiet = now();
    let before = lab.agent_usage();
    tokio::time::sleep(Duration::from_secs(30)).await;
    if let (Some((cpu_before, _)), Some((cpu, kilobytes))) = (before, lab.agent_usage()) {
        let share = (cpu - cpu_before) / 30.0 * 100.0;
        report.fact("agent at rest: CPU", format!("{share:.2} % of a core"), json!(share));
        let megabytes = kilobytes as f64 / 1024.0;
        report.fact("agent at rest: RSS", format!("{megabytes:.1} MiB"), json!(megabytes));
    }
    let calls: u64 = lab.calls_since(quiet).await?.values().sum();
    report.fact("agent at rest: calls in 30 s", calls.to_string(), json!(calls));
    Ok(())
}

/// How soon an agent that starts registers a pod that became ready while there was none.
async fn restart(lab: &mut Lab, report: &mut Report) -> Result<()> {
    eprintln!("bench: start of an agent");
    let mut delays = Vec::new();
    for round in 0..5 {
        lab.stop_agent().await?;
        let (name, address) = (format!("start-{round}"), format!("10.4.0.{}", round + 1));
        lab.create_pod("one", &name, false).await?;
        lab.make_ready(&name, &address).await?;
        let started = lab.start_agent()?;
        let told = lab.told("RegisterTargets", std::slice::from_ref(&address), started).await?;
        delays.push((told[&address] - started) * 1_000.0);
    }
    report.delays("agent starts", "start → RegisterTargets", delays);
    Ok(())
}

/// From a target's health to its pod's gate, 20 groups rolling at once.
async fn gates(lab: &mut Lab, report: &mut Report) -> Result<()> {
    lab.start_controller()?;
    let mut groups = Vec::new();
    for number in 0..20 {
        let name = format!("gate-{number}");
        let group = lab.bind(&name, false).await?;
        lab.lattice.create_service(&name, &group).await?;
        groups.push((name, group));
    }
    lab.start_agent()?;
    let begun = now();
    let mut pods = Vec::new();
    for (number, (app, group)) in groups.iter().enumerate() {
        for pod in 0..5 {
            let (name, address) = (format!("{app}-{pod}"), format!("10.5.{number}.{}", pod + 1));
            lab.create_pod(app, &name, true).await?;
            ready_but_for_gate(lab, &name, &address).await?;
            pods.push((name, address, group.clone()));
        }
    }
    let addresses: Vec<String> = pods.iter().map(|(_, address, _)| address.clone()).collect();
    lab.told("RegisterTargets", &addresses, begun).await?;
    tokio::time::sleep(Duration::from_secs(3)).await;

    let mut healthy = BTreeMap::new();
    let before = now();
    for (name, address, group) in &pods {
        healthy.insert(name.clone(), now());
        let target = json!({ "group": group, "id": address, "port": 8080, "status": "HEALTHY" });
        lab.lattice.send(Method::PUT, "/_sim/targets", &target).await?;
    }
    for _ in 0..300 {
        if lab.gate_seen.lock().unwrap_or_else(PoisonError::into_inner).len() == pods.len() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let seen = lab.gate_seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let delays =
        healthy.iter().filter_map(|(name, at)| Some((seen.get(name)? - at) * 1_000.0)).collect::<Vec<_>>();
    report.delays("gates, 20 groups x 5 pods", "HEALTHY → gate seen open", delays);
    report.calls("gates, 20 groups x 5 pods", lab.calls_since(before).await?);
    Ok(())
}

/// Makes a pod ready but for its gate.
async fn ready_but_for_gate(lab: &Lab, name: &str, address: &str) -> Result<()> {
    let patch: Value = json!({ "status": {
        "phase": "Running", "podIP": address, "podIPs": [{ "ip": address }],
        "conditions": [{ "type": "Ready", "status": "False" }, { "type": "ContainersReady", "status": "True" }]
    } });
    let params = PatchParams::default();
    lab.pods().patch_status(name, &params, &Patch::Merge(patch)).await.doing("patching a pod").map(|_| ())
}
