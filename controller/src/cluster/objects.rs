//! Kubernetes objects, reduced to what the controller goes by.

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use k8s_openapi::api::{coordination::v1 as coordination, core::v1 as core, discovery::v1 as discovery};
use lath_kubernetes::names;

/// A Node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Changes with every boot; empty until its kubelet has said it.
    pub boot_id: String,
}

impl From<&core::Node> for Node {
    fn from(node: &core::Node) -> Self {
        Self {
            name: node.metadata.name.clone().unwrap_or_default(),
            boot_id: node
                .status
                .as_ref()
                .and_then(|status| status.node_info.as_ref())
                .map(|info| info.boot_id.clone())
                .unwrap_or_default(),
        }
    }
}

/// The Lease of a node's agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentLease {
    /// The agent's node.
    pub node: String,
    /// For how long a renewal is good.
    pub duration: Duration,
    /// Differs after each renewal. It is compared, never read as a time, because clocks of nodes differ.
    pub renewal: String,
    /// What the agent says of its targets pipeline: `ok`, or why it is not.
    pub health: String,
}

/// What an agent's Lease lasts that does not say it. The agents' own default.
const DEFAULT_LEASE: Duration = Duration::from_secs(120);

impl AgentLease {
    /// Reads a Lease; `None` for one that is no agent's.
    #[must_use]
    pub fn read(lease: &coordination::Lease) -> Option<Self> {
        let node = names::node_of_agent_lease(lease.metadata.name.as_deref()?)?;
        let spec = lease.spec.as_ref();
        let annotation = |key: &str| {
            lease.metadata.annotations.as_ref().and_then(|all| all.get(key)).map_or("", String::as_str)
        };
        let renewed =
            spec.and_then(|spec| spec.renew_time.as_ref()).map(|time| time.0.to_string()).unwrap_or_default();
        Some(Self {
            node: node.into(),
            duration: spec
                .and_then(|spec| spec.lease_duration_seconds)
                .and_then(|seconds| u64::try_from(seconds).ok())
                .filter(|seconds| *seconds > 0)
                .map_or(DEFAULT_LEASE, Duration::from_secs),
            renewal: format!("{renewed} {}", annotation(names::EPOCH)),
            health: annotation(names::TARGETS_HEALTH).into(),
        })
    }
}

/// An EndpointSlice that was made by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The Service that it belongs to.
    pub service: String,
    /// TCP port numbers by name; the name is empty where a Service has a single port without one.
    pub ports: BTreeMap<String, u16>,
    /// The addresses that are ready and do not terminate.
    pub ready: Vec<IpAddr>,
}

impl From<&discovery::EndpointSlice> for Slice {
    fn from(slice: &discovery::EndpointSlice) -> Self {
        let meta = &slice.metadata;
        let ports = slice.ports.iter().flatten().filter(|port| {
            // A port without a protocol is TCP.
            port.protocol.as_deref().is_none_or(|protocol| protocol == "TCP")
        });
        let ready = slice.endpoints.iter().filter(|endpoint| {
            let conditions = endpoint.conditions.as_ref();
            // A condition that is not there counts as ready, and as not terminating, as Kubernetes documents it.
            conditions.and_then(|all| all.ready).unwrap_or(true)
                && !conditions.and_then(|all| all.terminating).unwrap_or(false)
        });
        Self {
            namespace: meta.namespace.clone().unwrap_or_default(),
            name: meta.name.clone().unwrap_or_default(),
            service: meta
                .labels
                .as_ref()
                .and_then(|labels| labels.get(names::SERVICE_NAME_LABEL))
                .cloned()
                .unwrap_or_default(),
            ports: ports
                .filter_map(|port| {
                    let number = u16::try_from(port.port?).ok().filter(|number| *number > 0)?;
                    Some((port.name.clone().unwrap_or_default(), number))
                })
                .collect(),
            ready: ready
                .flat_map(|endpoint| &endpoint.addresses)
                .filter_map(|address| address.parse().ok())
                .collect(),
        }
    }
}
