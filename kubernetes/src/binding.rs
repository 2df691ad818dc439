//! `TargetGroupBinding`: the contract between controller and agents.

#![allow(unreachable_pub, reason = "the schema derive repeats each public struct inside a function")]
#![allow(
    missing_docs,
    reason = "a documented variant would become a oneOf, which no structural schema may hold"
)]

use k8s_openapi::{
    apimachinery::pkg::{apis::meta::v1::Condition, util::intstr::IntOrString},
    schemars::JsonSchema,
};
use kube::{CustomResource, KubeSchema};
use lattice::target::IpFamily;
use serde::{Deserialize, Serialize};

use crate::names;

/// Seconds of unbroken unreadiness after which policy `Pod` takes a pod out, unless the binding says otherwise.
/// As long as the shortest interval at which Lattice's own health checks would need to notice (2 × 5 s).
pub const DEFAULT_UNREADY_SECONDS: u32 = 10;

/// The pods behind a Service port are the targets of a VPC Lattice target group.
///
/// Agents act on a binding once its condition Accepted is True for its current generation.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "lath.dev",
    version = "v1alpha1",
    kind = "TargetGroupBinding",
    doc = "Makes the pods behind a Service port the targets of a VPC Lattice target group.",
    namespaced,
    shortname = "tgb",
    category = "lath",
    status = "TargetGroupBindingStatus",
    derive = "PartialEq",
    printcolumn(name = "Service", type_ = "string", json_path = ".spec.service.name"),
    printcolumn(name = "Port", type_ = "string", json_path = ".spec.service.port"),
    printcolumn(
        name = "Accepted",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Accepted\")].status"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Accepted\")].reason"
    ),
    printcolumn(name = "Targets", type_ = "integer", json_path = ".status.targets.total"),
    printcolumn(name = "Healthy", type_ = "integer", json_path = ".status.targets.healthy"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Target group", type_ = "string", json_path = ".spec.targetGroup.arn", priority = 1)
)]
#[serde(rename_all = "camelCase")]
pub struct TargetGroupBindingSpec {
    /// The target group that the pods go into. It cannot be changed; make another binding instead.
    #[x_kube(validation = Rule::new("self == oldSelf").message("spec.targetGroup cannot be changed, because the old group's targets would be left behind: create another TargetGroupBinding and delete this one"))]
    pub target_group: TargetGroupReference,

    /// The Service in this namespace whose pods are the targets, and which of its ports they listen behind.
    pub service: ServiceReference,

    /// The family of the pods' addresses, which has to be the target group's.
    #[serde(default = "default_family")]
    #[schemars(schema_with = "family_schema")]
    pub ip_family: IpFamily,

    /// What happens when a registered pod stops being ready.
    #[serde(default)]
    pub readiness: Readiness,

    /// Whether every target of the group is Lath's. Exclusive: targets that Lath does not know are taken out. Shared:
    /// others register into the group as well, and Lath touches only what it registered itself.
    #[serde(default)]
    pub ownership: Ownership,
}

/// Which target group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct TargetGroupReference {
    /// The ARN of the target group. The group has to be of type IP, in this cluster's account and VPC, and tagged
    /// with lath.dev/cluster = the cluster's name and lath.dev/namespace = this namespace (or several, separated by
    /// spaces).
    #[schemars(length(max = 2048))]
    #[x_kube(validation = Rule::new("self.matches('^arn:[a-z0-9-]+:vpc-lattice:[a-zA-Z0-9-]+:[0-9]{12}:targetgroup/tg-[0-9a-z]{17}$')").message("spec.targetGroup.arn has to be the ARN of a VPC Lattice target group, such as arn:aws:vpc-lattice:us-west-2:123456789012:targetgroup/tg-0123456789abcdef0; `aws vpc-lattice list-target-groups` shows yours"))]
    pub arn: String,
}

/// Which port of which Service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct ServiceReference {
    /// The name of a Service in the binding's namespace.
    #[schemars(length(min = 1, max = 63))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')").message("spec.service.name has to be the name of a Service in this namespace: lower-case letters, digits and hyphens, beginning with a letter"))]
    pub name: String,

    /// The Service's port, by number or by name (spec.ports[].port or spec.ports[].name of the Service, not the
    /// container's). The pods are registered with the port that it leads to.
    #[x_kube(validation = Rule::new("type(self) == int ? self >= 1 && self <= 65535 : self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$') && self.matches('[a-z]') && size(self) <= 63").message("spec.service.port has to be a number from 1 to 65535 or the name of one of the Service's ports"))]
    pub port: IntOrString,
}

/// What happens when a registered pod stops being ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Readiness {
    /// HealthCheck: it stays registered and Lattice's health check decides. Pod: it is taken out after
    /// unreadySeconds, but never while less than half of the Service's pods are ready. Auto: HealthCheck where
    /// the target group's health checks are on, else Pod.
    #[serde(default)]
    pub policy: ReadinessPolicy,

    /// Seconds of unbroken unreadiness after which policy Pod takes a pod out, 0 to 3600.
    #[serde(default = "default_unready_seconds")]
    #[schemars(range(max = 3600))]
    pub unready_seconds: u32,
}

impl Default for Readiness {
    fn default() -> Self {
        Self { policy: ReadinessPolicy::default(), unready_seconds: DEFAULT_UNREADY_SECONDS }
    }
}

/// Who decides what becomes of a registered pod that is not ready.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(crate = "k8s_openapi::schemars")]
pub enum ReadinessPolicy {
    #[default]
    Auto,
    HealthCheck,
    Pod,
}

/// Whether every target of the group is Lath's.
///
/// Exclusive: targets that Lath does not know are taken out. Shared: others register into the group as well, and
/// Lath touches only what it registered itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(crate = "k8s_openapi::schemars")]
pub enum Ownership {
    Exclusive,
    #[default]
    Shared,
}

/// What the controller found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct TargetGroupBindingStatus {
    /// Accepted: agents act on the binding. Its reason and message say what is wrong where it is False.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,

    /// The policy in force, HealthCheck or Pod: what Auto comes down to for this group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub readiness_policy: Option<EffectivePolicy>,

    /// Whether less than half of the Service's pods are ready, so that nobody is taken out for unreadiness.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ready_share_low: bool,

    /// The targets of the group by state, as Lattice reported them last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub targets: Option<TargetCounts>,

    /// Addresses from hand-made EndpointSlices that the controller registered, as address:port.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub endpoints: Vec<String>,

    /// Selected pods that have neither of Lath's readiness gates: a rollout does not wait for Lattice to find them
    /// healthy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pods_without_readiness_gate: Option<u32>,

    /// Selected pods without a preStop hook: they may end while Lattice still sends them requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pods_without_pre_stop: Option<u32>,
}

/// The policy in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(crate = "k8s_openapi::schemars")]
pub enum EffectivePolicy {
    HealthCheck,
    Pod,
}

/// Numbers of targets by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct TargetCounts {
    /// All but those that drain.
    pub total: u32,
    /// HEALTHY: passed their checks.
    pub healthy: u32,
    /// INITIAL: not checked yet.
    pub initial: u32,
    /// UNHEALTHY: failed their checks.
    pub unhealthy: u32,
    /// UNAVAILABLE: the group's health checks are off.
    pub unavailable: u32,
    /// UNUSED: no service uses the group.
    pub unused: u32,
    /// DRAINING: deregistered, connections run out.
    pub draining: u32,
}

impl TargetGroupBinding {
    /// Whether agents may act on the binding: Accepted is True for this generation, and it is not being deleted.
    #[must_use]
    pub fn accepted(&self) -> bool {
        self.metadata.deletion_timestamp.is_none()
            && self.condition(names::ACCEPTED).is_some_and(|condition| {
                condition.status == "True" && condition.observed_generation == self.metadata.generation
            })
    }

    /// The condition of this type.
    #[must_use]
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.status.as_ref()?.conditions.iter().find(|condition| condition.type_ == kind)
    }
}

fn default_family() -> IpFamily {
    IpFamily::IPv4
}

fn default_unready_seconds() -> u32 {
    DEFAULT_UNREADY_SECONDS
}

/// `IpFamily` belongs to a crate that knows nothing of schemas.
fn family_schema(_: &mut k8s_openapi::schemars::SchemaGenerator) -> k8s_openapi::schemars::Schema {
    k8s_openapi::schemars::json_schema!({ "type": "string", "enum": ["IPv4", "IPv6"] })
}
