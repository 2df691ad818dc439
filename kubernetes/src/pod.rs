//! A pod, reduced to what decides whether it is a target.

use std::{collections::BTreeMap, net::IpAddr};

use k8s_openapi::api::core::v1 as core;
use lattice::target::IpFamily;

use crate::names;

/// What is known of a pod. Far smaller than the object, so that a node's agent stays small.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "four independent facts")]
pub struct Pod {
    /// Distinguishes pods that follow each other under one name.
    pub uid: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its node; empty until it is scheduled.
    pub node: String,
    /// What selectors look at.
    pub labels: BTreeMap<String, String>,
    /// Its addresses, the primary first. Empty until its sandbox is up.
    pub addresses: Vec<IpAddr>,
    /// The named ports of its containers and of its restartable init containers, in their order.
    pub ports: Vec<NamedPort>,
    /// Where it is in its life.
    pub life: Life,
    /// Its condition Ready is True.
    pub ready: bool,
    /// All its containers are ready and each of its readiness gates is open, but for those that Lath decides.
    pub ready_but_for_gates: bool,
    /// Lath's readiness gates among its own, and whether each is open.
    pub gates: Vec<(&'static str, bool)>,
    /// Some container has a preStop hook.
    pub has_pre_stop: bool,
    /// It uses the node's network, so its address is the node's.
    pub host_network: bool,
}

/// Where a pod is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// It runs, or will.
    Live,
    /// It is being deleted.
    Leaving,
    /// All its containers ended and will not be restarted.
    Ended,
}

/// A container port that has a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPort {
    /// Its name, unique within a container.
    pub name: String,
    /// TCP, UDP or SCTP.
    pub protocol: String,
    /// The port.
    pub number: u16,
}

impl Pod {
    /// The pod's address of a family: the first one of it.
    #[must_use]
    pub fn address(&self, family: IpFamily) -> Option<IpAddr> {
        self.addresses.iter().copied().find(|address| IpFamily::of(*address) == family)
    }

    /// `namespace/name`, as people write it.
    #[must_use]
    pub fn display_name(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }
}

impl From<&core::Pod> for Pod {
    fn from(pod: &core::Pod) -> Self {
        let spec = pod.spec.as_ref();
        let status = pod.status.as_ref();
        let is_true = |kind: &str| {
            status.and_then(|status| status.conditions.as_ref()).is_some_and(|conditions| {
                conditions.iter().any(|condition| condition.type_ == kind && condition.status == "True")
            })
        };
        let gates = spec.and_then(|spec| spec.readiness_gates.as_deref()).unwrap_or_default();
        Self {
            uid: pod.metadata.uid.clone().unwrap_or_default(),
            namespace: pod.metadata.namespace.clone().unwrap_or_default(),
            name: pod.metadata.name.clone().unwrap_or_default(),
            node: spec.and_then(|spec| spec.node_name.clone()).unwrap_or_default(),
            labels: pod.metadata.labels.clone().unwrap_or_default(),
            addresses: status.map(addresses).unwrap_or_default(),
            ports: spec.map(named_ports).unwrap_or_default(),
            life: life(pod),
            ready: is_true("Ready"),
            ready_but_for_gates: is_true("ContainersReady")
                && gates
                    .iter()
                    .filter(|gate| !names::GATES.contains(&gate.condition_type.as_str()))
                    .all(|gate| is_true(&gate.condition_type)),
            gates: names::GATES
                .into_iter()
                .filter(|name| gates.iter().any(|gate| gate.condition_type == *name))
                .map(|name| (name, is_true(name)))
                .collect(),
            has_pre_stop: spec.is_some_and(|spec| {
                spec.containers.iter().any(|container| {
                    container.lifecycle.as_ref().is_some_and(|lifecycle| lifecycle.pre_stop.is_some())
                })
            }),
            host_network: spec.is_some_and(|spec| spec.host_network == Some(true)),
        }
    }
}

fn life(pod: &core::Pod) -> Life {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    if matches!(phase, Some("Succeeded" | "Failed")) {
        Life::Ended
    } else if pod.metadata.deletion_timestamp.is_some() {
        Life::Leaving
    } else {
        Life::Live
    }
}

/// `podIPs`, or `podIP` from a server that knows only that. What is no address is left out.
fn addresses(status: &core::PodStatus) -> Vec<IpAddr> {
    let all = status.pod_ips.as_deref().unwrap_or_default();
    let texts = all.iter().map(|ip| ip.ip.as_str());
    let primary = status.pod_ip.as_deref().filter(|_| all.is_empty());
    texts.chain(primary).filter_map(|text| text.parse().ok()).collect()
}

/// Named ports, looked up as Kubernetes does: containers first, then init containers that keep running beside them.
fn named_ports(spec: &core::PodSpec) -> Vec<NamedPort> {
    let sidecars = spec
        .init_containers
        .iter()
        .flatten()
        .filter(|container| container.restart_policy.as_deref() == Some("Always"));
    spec.containers
        .iter()
        .chain(sidecars)
        .flat_map(|container| container.ports.iter().flatten())
        .filter_map(|port| {
            Some(NamedPort {
                name: port.name.clone()?,
                protocol: port.protocol.clone().unwrap_or_else(|| "TCP".into()),
                number: u16::try_from(port.container_port).ok().filter(|number| *number > 0)?,
            })
        })
        .collect()
}
