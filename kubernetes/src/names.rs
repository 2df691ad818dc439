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

/// The controller of the GatewayClasses that Lath serves.
pub const GATEWAY_CONTROLLER: &str = "lath.dev/gateway-controller";

/// The controller of the GatewayClasses that the AWS Gateway API Controller serves, and Lath once it takes over from it.
pub const AWS_GATEWAY_CONTROLLER: &str = "application-networking.k8s.aws/gateway-api-controller";

/// The Lease by which the AWS controller's replicas elect their leader.
pub const AWS_LEADER_LEASE: &str = "amazon-vpc-lattice.io";

/// Keeps an object until VPC Lattice holds nothing of it any more.
pub const LATTICE_FINALIZER: &str = "lath.dev/lattice";

/// Keeps a GatewayClass while there are Gateways of it: without their class, all that they stand for would go.
/// Source: Gateway API, `GatewayClassFinalizerGatewaysExist`.
pub const GATEWAY_EXISTS_FINALIZER: &str = "gateway-exists-finalizer.gateway.networking.k8s.io";

/// The label on objects that were not made by people, with who made them.
pub const MADE_BY: &str = "app.kubernetes.io/managed-by";

/// The value of [`MADE_BY`] on what the controller makes.
pub const MADE_BY_CONTROLLER: &str = "lath-controller";

/// The annotation on a binding that the controller made: whose requests the pods get, such as `HTTPRoute/shop/checkout`.
pub const MADE_FOR: &str = "lath.dev/made-for";

/// The API group of the AWS Gateway API Controller's own kinds, which Lath reads as well.
pub const AWS_GROUP: &str = "application-networking.k8s.aws";

/// On a route or a Gateway, whose route's word goes first: its services stay out of the service network.
pub const AWS_STANDALONE: &str = "application-networking.k8s.aws/standalone";

/// On a route: the name of its service at VPC Lattice, which counts only when the service is made.
pub const AWS_SERVICE_NAME_OVERRIDE: &str = "application-networking.k8s.aws/service-name-override";

/// On a route: what the annotation with a rule's priority begins with; the rule's place from 0 and `-priority` follow.
pub const AWS_RULE_PREFIX: &str = "application-networking.k8s.aws/rule-";

/// On a route or a policy: tags for what is made at VPC Lattice, as `key=value` with commas between them.
pub const AWS_TAGS: &str = "application-networking.k8s.aws/tags";

/// On a route: the exact value of the tag `ManagedBy` from which its service may be taken over.
pub const AWS_ALLOW_TAKEOVER_FROM: &str = "application-networking.k8s.aws/allow-takeover-from";

/// Among the TLS options of a listener: the ARN of its certificate.
pub const AWS_CERTIFICATE_ARN: &str = "application-networking.k8s.aws/certificate-arn";

/// Written on a route: the name that VPC Lattice gave its service.
pub const AWS_LATTICE_DOMAIN_NAME: &str = "application-networking.k8s.aws/lattice-assigned-domain-name";

/// Written on a route: the ARN of its service.
pub const AWS_LATTICE_SERVICE_ARN: &str = "application-networking.k8s.aws/lattice-service-arn";

/// On a pod: whether the webhook leaves it alone; on a namespace, whether it looks at its pods.
pub const INJECT: &str = "lath.dev/inject";

/// The value of [`INJECT`] on what is left alone.
pub const INJECT_DISABLED: &str = "disabled";

/// On an export: who exports it. The AWS controller's exports have to say [`FEDERATION`].
pub const AWS_FEDERATION: &str = "application-networking.k8s.aws/federation";

/// The value of [`AWS_FEDERATION`] that Lath serves.
pub const FEDERATION: &str = "amazon-vpc-lattice";

/// On an export without exported ports: the Service's port, or several with commas between them.
pub const AWS_PORT: &str = "application-networking.k8s.aws/port";

/// On an export: the name of its Service, where it is another than the export's.
pub const AWS_SERVICE_NAME: &str = "application-networking.k8s.aws/service-name";

/// On an import: the name of the export, where it is another than the import's.
pub const AWS_EXPORT_NAME: &str = "application-networking.k8s.aws/export-name";

/// On an import: the cluster whose export is meant.
pub const AWS_CLUSTER_NAME: &str = "application-networking.k8s.aws/aws-eks-cluster-name";

/// On an import: the VPC whose export is meant.
pub const AWS_VPC: &str = "application-networking.k8s.aws/aws-vpc";

/// On an import: the ARN of the target group that it stands for, which nothing else may then narrow down.
pub const AWS_TARGET_GROUP_ARN: &str = "application-networking.k8s.aws/target-group-arn";

/// Written on a TCPRoute or UDPRoute: the name by which clients reach it.
pub const DNS_NAME: &str = "lath.dev/dns-name";

/// On a Service: the families of addresses for which it has target groups behind routes, with commas between them. Without
/// it, the first of its own.
pub const IP_FAMILIES: &str = "lath.dev/ip-families";
