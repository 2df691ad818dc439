//! `VpcAssociationPolicy`: whether and how the cluster's VPC is associated with a Gateway's service network.

#![allow(unreachable_pub, reason = "the schema derive repeats each public struct inside a function")]

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use super::{PolicyStatus, TargetReference};

/// Whether and how the cluster's VPC is associated with a Gateway's service network.
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "application-networking.k8s.aws",
    version = "v1alpha1",
    kind = "VpcAssociationPolicy",
    plural = "vpcassociationpolicies",
    doc = "Whether and how the cluster's VPC is associated with a Gateway's service network.",
    namespaced,
    shortname = "vap",
    category = "gateway-api",
    status = "PolicyStatus",
    derive = "Default",
    derive = "PartialEq",
    printcolumn(name = "Gateway", type_ = "string", json_path = ".spec.targetRef.name"),
    printcolumn(
        name = "Accepted",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Accepted\")].status"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct VpcAssociationPolicySpec {
    /// A Gateway in this namespace.
    #[x_kube(validation = Rule::new("self.group == 'gateway.networking.k8s.io' && self.kind == 'Gateway'").message("spec.targetRef has to be a Gateway (group: gateway.networking.k8s.io, kind: Gateway)"))]
    pub target_ref: TargetReference,

    /// The security groups that decide who in the VPC reaches the service network; everybody if nothing is set. To go
    /// back to everybody, the association has to be made anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 5), inner(length(min = 3, max = 32)))]
    #[x_kube(validation = Rule::new("self.all(id, id.matches('^sg-[0-9a-z]+$'))").message("spec.securityGroupIds has to hold ids of security groups, such as sg-0123456789abcdef0"))]
    pub security_group_ids: Option<Vec<String>>,

    /// Whether the VPC is associated; true if nothing is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub associate_with_vpc: Option<bool>,
}
