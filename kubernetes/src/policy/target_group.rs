//! `TargetGroupPolicy`: how a Service's pods are spoken to and checked.

#![allow(unreachable_pub, reason = "the schema derive repeats each public struct inside a function")]
#![allow(
    missing_docs,
    reason = "a documented variant would become a oneOf, which no structural schema may hold"
)]

use k8s_openapi::schemars::JsonSchema;
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use super::{PolicyStatus, TargetReference};

/// How VPC Lattice speaks to the pods of a Service and checks their health.
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "application-networking.k8s.aws",
    version = "v1alpha1",
    kind = "TargetGroupPolicy",
    plural = "targetgrouppolicies",
    doc = "How VPC Lattice speaks to the pods of a Service and checks their health.",
    namespaced,
    shortname = "tgp",
    category = "gateway-api",
    status = "PolicyStatus",
    derive = "Default",
    derive = "PartialEq",
    printcolumn(name = "Target", type_ = "string", json_path = ".spec.targetRef.name"),
    printcolumn(name = "Protocol", type_ = "string", json_path = ".spec.protocol"),
    printcolumn(
        name = "Accepted",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Accepted\")].status"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct TargetGroupPolicySpec {
    /// A Service or a ServiceExport in this namespace.
    #[x_kube(validation = Rule::new("(self.group == '' && self.kind == 'Service') || (self.group == 'application-networking.k8s.aws' && self.kind == 'ServiceExport')").message("spec.targetRef has to be a Service (group: \"\", kind: Service) or a ServiceExport (group: application-networking.k8s.aws)"))]
    pub target_ref: TargetReference,

    /// HTTP, HTTPS, or TCP for TLSRoutes; HTTP if nothing is set. Certificates of pods are not verified. A change
    /// replaces the target group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,

    /// HTTP1 or HTTP2; HTTP1 if nothing is set. Behind a GRPCRoute and with protocol TCP it is of no account. A change
    /// replaces the target group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol_version: Option<ProtocolVersion>,

    /// How health is checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HealthCheck>,
}

/// The protocol in which VPC Lattice speaks to pods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(crate = "k8s_openapi::schemars")]
#[serde(rename_all = "UPPERCASE")]
pub enum Protocol {
    #[default]
    Http,
    Https,
    Tcp,
}

/// The version of that protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(crate = "k8s_openapi::schemars")]
#[serde(rename_all = "UPPERCASE")]
pub enum ProtocolVersion {
    #[default]
    Http1,
    Http2,
}

/// How VPC Lattice checks the health of pods. What is not set is left to VPC Lattice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct HealthCheck {
    /// Whether it does. Without checks every pod gets requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,

    /// Seconds between two checks of a pod, 5 to 300.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 5, max = 300))]
    pub interval_seconds: Option<i32>,

    /// Seconds until a check without an answer has failed, 1 to 120.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 120))]
    pub timeout_seconds: Option<i32>,

    /// Checks in a row that an unhealthy pod has to pass to be healthy, 2 to 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 2, max = 10))]
    pub healthy_threshold_count: Option<i32>,

    /// Checks in a row that a healthy pod has to fail to be unhealthy, 2 to 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 2, max = 10))]
    pub unhealthy_threshold_count: Option<i32>,

    /// Status codes that pass, such as 200, 200,204 or 200-299.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2000))]
    #[x_kube(validation = Rule::new("self.matches('^[0-9,-]*$')").message("spec.healthCheck.statusMatch has to be made of status codes, such as 200, 200,204 or 200-299"))]
    pub status_match: Option<String>,

    /// The path that is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    #[x_kube(validation = Rule::new("self == '' || self.startsWith('/')").message("spec.healthCheck.path has to begin with /"))]
    pub path: Option<String>,

    /// The port that is asked, where it is not the one that requests go to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: Option<i32>,

    /// HTTP or HTTPS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<HealthCheckProtocol>,

    /// HTTP1 or HTTP2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol_version: Option<ProtocolVersion>,
}

/// The protocol of a health check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(crate = "k8s_openapi::schemars")]
#[serde(rename_all = "UPPERCASE")]
pub enum HealthCheckProtocol {
    Http,
    Https,
}
