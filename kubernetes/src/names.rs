//! Names that others rely on: conditions, gates, finalizers, leases, field managers.

/// The API group of Lath's own kinds.
pub const GROUP: &str = "lath.dev";

/// Lath's own readiness gate: True once Lattice finds the pod healthy in every group it is bound to.
pub const GATE: &str = "lath.dev/target-health";

/// The AWS Gateway API Controller's readiness gate, which Lath serves as well, so that manifests need no change.
pub const AWS_GATE: &str = "application-networking.k8s.aws/pod-readiness-gate";

/// Every readiness gate that Lath decides.
pub const GATES: [&str; 2] = [GATE, AWS_GATE];

/// Keeps a binding until its targets have been taken out of the group.
pub const FINALIZER: &str = "lath.dev/targets";

/// The condition of a binding that lets agents act on it.
pub const ACCEPTED: &str = "Accepted";

/// The label of an `EndpointSlice` that names its Service.
pub const SERVICE_NAME_LABEL: &str = "kubernetes.io/service-name";

/// Who writes what an agent writes: field manager, and `reportingController` of its Events.
pub const AGENT: &str = "lath.dev/agent";

/// Who writes what the controller writes.
pub const CONTROLLER: &str = "lath.dev/controller";

/// The Lease by which controllers elect their leader.
pub const LEADER_LEASE: &str = "lath-controller";

/// What the name of an agent's Lease begins with; the node's name follows.
pub const AGENT_LEASE_PREFIX: &str = "lath-agent-";

/// The label on agents' Leases, so that the controller can watch them alone. Its value is [`AGENT_LEASE_VALUE`].
pub const AGENT_LEASE_LABEL: &str = "lath.dev/component";

/// The value of [`AGENT_LEASE_LABEL`].
pub const AGENT_LEASE_VALUE: &str = "agent";

/// The annotation on an agent's Lease that holds its epoch: a number that grows whenever the agent can no longer
/// vouch for what it registered before.
pub const EPOCH: &str = "lath.dev/epoch";

/// The annotation on an agent's Lease that says how its targets pipeline fares: `ok`, or why it is not.
pub const TARGETS_HEALTH: &str = "lath.dev/targets";

/// The annotation on an agent's Lease with the boot id of its node.
pub const BOOT_ID: &str = "lath.dev/boot-id";

/// The name of the Lease of a node's agent.
#[must_use]
pub fn agent_lease(node: &str) -> String {
    format!("{AGENT_LEASE_PREFIX}{node}")
}

/// The node whose agent holds the Lease of this name.
#[must_use]
pub fn node_of_agent_lease(lease: &str) -> Option<&str> {
    lease.strip_prefix(AGENT_LEASE_PREFIX)
}
