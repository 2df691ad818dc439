//! The Node object, its conditions and its Lease.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::api::core::v1::Node;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, OwnerReference, Time};
use kube::api::{ObjectMeta, Patch, PatchParams, PostParams};
use kube::{Api, Resource as _, ResourceExt as _};
use serde_json::json;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::Context;
use crate::controlplane::binaries::kubernetes_version;
use crate::error::{Doing as _, Result};

/// The CPUs that a node claims to have. The scheduler is to place pods by the tests' wishes, not by this machine.
pub(super) const CPUS: f64 = 8.0;
/// The memory that a node claims to have, in bytes.
pub(super) const MEMORY: f64 = 32.0 * 1024.0 * 1024.0 * 1024.0;
/// Most pods of a node, as kubelet's default.
const PODS: u32 = 110;
/// The port of kubelet's API.
pub(super) const KUBELET_PORT: u16 = 10250;
/// As kubelet's: the Lease lasts 40 s and is renewed every 10 s.
const LEASE_SECONDS: i32 = 40;
const LEASE_RENEWAL: Duration = Duration::from_secs(10);
/// How often the conditions are written when nothing changes, as kubelet's.
const REPORT: Duration = Duration::from_mins(5);
/// A call that takes longer is given up and made again.
const PATIENCE: Duration = Duration::from_secs(10);

/// Creates the Node or takes over the one of its name, and writes its status: it is Ready afterwards.
pub(super) async fn register(context: &Context) -> Result<()> {
    let nodes: Api<Node> = Api::all(context.client.clone());
    let name = context.name();
    let doing = || format!("registering the node {name}");
    let known = nodes.get_opt(name).await.doing_with(doing)?;
    if known.is_none() {
        let node: Node = serde_json::from_value(json!({
            "metadata": {"name": name, "labels": labels(context)},
            "spec": {"providerID": provider_id(context)},
        }))
        .doing_with(doing)?;
        nodes.create(&PostParams::default(), &node).await.doing_with(doing)?;
    }
    report_once(context).await
}

/// Renews the node's Lease for as long as the machine is on.
pub(super) async fn renew_lease(context: Arc<Context>) {
    let leases: Api<Lease> = Api::namespaced(context.client.clone(), "kube-node-lease");
    let mut ticks = interval(LEASE_RENEWAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = context.reconnect.notified() => {}
        }
        context.powered().await;
        match timeout(PATIENCE, renew_once(&context, &leases)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::debug!(%error, node = context.name(), "the Lease could not be renewed");
            }
            Err(_) => tracing::debug!(node = context.name(), "renewing the Lease took too long"),
        }
    }
}

async fn renew_once(context: &Context, leases: &Api<Lease>) -> Result<()> {
    let name = context.name();
    let doing = || format!("renewing the Lease of node {name}");
    let now = MicroTime(Timestamp::now());
    let patch = json!({"spec": {"renewTime": now}});
    match leases.patch(name, &PatchParams::default(), &Patch::Merge(&patch)).await {
        Ok(_) => return Ok(()),
        Err(kube::Error::Api(status)) if status.code == 404 => {}
        Err(error) => return Err(error).doing_with(doing),
    }
    // Owned by the Node, so that it goes with it.
    let nodes: Api<Node> = Api::all(context.client.clone());
    let node = nodes.get(name).await.doing_with(doing)?;
    let owner = OwnerReference {
        api_version: Node::api_version(&()).into_owned(),
        kind: Node::kind(&()).into_owned(),
        name: node.name_any(),
        uid: node.uid().unwrap_or_default(),
        ..OwnerReference::default()
    };
    let lease = Lease {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            owner_references: Some(vec![owner]),
            ..ObjectMeta::default()
        },
        spec: Some(LeaseSpec {
            holder_identity: Some(name.to_owned()),
            lease_duration_seconds: Some(LEASE_SECONDS),
            renew_time: Some(now),
            ..LeaseSpec::default()
        }),
    };
    leases.create(&PostParams::default(), &lease).await.doing_with(doing)?;
    Ok(())
}

/// Writes the conditions now and then, and when the network is back.
pub(super) async fn report(context: Arc<Context>) {
    let mut ticks = interval(REPORT);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick is at once, and registration has just written them.
    ticks.tick().await;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = context.reconnect.notified() => {}
        }
        context.powered().await;
        match timeout(PATIENCE, report_once(&context)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::debug!(%error, node = context.name(), "the node's status could not be written");
            }
            Err(_) => tracing::debug!(node = context.name(), "writing the node's status took too long"),
        }
    }
}

async fn report_once(context: &Context) -> Result<()> {
    let nodes: Api<Node> = Api::all(context.client.clone());
    let doing = || format!("writing the status of node {}", context.name());
    let node = nodes.get(context.name()).await.doing_with(doing)?;
    let boot_id = context.power.borrow().boot_id.clone();
    let patch = json!({"status": status(context, &node, &boot_id)});
    nodes
        .patch_status(context.name(), &PatchParams::default(), &Patch::Strategic(&patch))
        .await
        .doing_with(doing)?;
    Ok(())
}

fn labels(context: &Context) -> BTreeMap<&'static str, String> {
    let region = &context.settings.region;
    let name = context.name();
    BTreeMap::from([
        ("kubernetes.io/hostname", name.to_owned()),
        ("kubernetes.io/os", "linux".into()),
        ("kubernetes.io/arch", architecture().into()),
        ("node.kubernetes.io/instance-type", "m7i.2xlarge".into()),
        ("topology.kubernetes.io/region", region.clone()),
        ("topology.kubernetes.io/zone", zone(context)),
    ])
}

/// Nodes lie in the three zones of their region in turn.
fn zone(context: &Context) -> String {
    let [.., last] = context.settings.network.addresses().v4.octets();
    let letter = ["a", "b", "c"].get(usize::from(last) % 3).copied().unwrap_or("a");
    format!("{}{letter}", context.settings.region)
}

fn provider_id(context: &Context) -> String {
    let [.., third, last] = context.settings.network.addresses().v4.octets();
    format!("aws:///{}/i-0{:08x}{third:04x}{last:04x}", zone(context), 0x1a74_0000_u32)
}

fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn status(context: &Context, node: &Node, boot_id: &str) -> serde_json::Value {
    let resources = json!({
        "cpu": CPUS.to_string(), "memory": format!("{MEMORY}"), "pods": PODS.to_string(), "ephemeral-storage": "100Gi",
    });
    let addresses = context.settings.network.addresses().both();
    let mut list: Vec<_> = addresses
        .iter()
        .map(|address| json!({"type": "InternalIP", "address": address.to_string()}))
        .collect();
    list.push(json!({"type": "Hostname", "address": context.name()}));
    let kernel = rustix::system::uname();
    json!({
        "capacity": resources,
        "allocatable": resources,
        // The list merges by address; whatever an earlier life of the node had is not kept.
        "addresses": list.into_iter().chain([json!({"$patch": "replace"})]).collect::<Vec<_>>(),
        "conditions": conditions(node),
        "daemonEndpoints": {"kubeletEndpoint": {"Port": KUBELET_PORT}},
        "nodeInfo": {
            "architecture": architecture(),
            "bootID": boot_id,
            "machineID": node.uid().unwrap_or_default().replace('-', ""),
            "systemUUID": node.uid().unwrap_or_default(),
            "kernelVersion": kernel.release().to_string_lossy(),
            "operatingSystem": "linux",
            "osImage": "Lath test node",
            "containerRuntimeVersion": "lath://1.0.0",
            "kubeletVersion": kubernetes_version(),
            "kubeProxyVersion": "",
        },
    })
}

fn conditions(node: &Node) -> Vec<serde_json::Value> {
    let now = Time(Timestamp::now());
    let before = node.status.as_ref().and_then(|status| status.conditions.as_deref()).unwrap_or_default();
    [
        ("MemoryPressure", "False", "KubeletHasSufficientMemory"),
        ("DiskPressure", "False", "KubeletHasNoDiskPressure"),
        ("PIDPressure", "False", "KubeletHasSufficientPID"),
        ("Ready", "True", "KubeletReady"),
    ]
    .into_iter()
    .map(|(kind, status, reason)| {
        let same = before.iter().find(|condition| condition.type_ == kind && condition.status == status);
        let since =
            same.and_then(|condition| condition.last_transition_time.clone()).unwrap_or_else(|| now.clone());
        json!({
            "type": kind, "status": status, "reason": reason, "message": reason,
            "lastHeartbeatTime": now, "lastTransitionTime": since,
        })
    })
    .collect()
}
