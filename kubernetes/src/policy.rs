//! Policies of the AWS Gateway API Controller's group, which Lath serves with the same meaning: what they have in common.
//!
//! The definitions accept whatever that controller's accept, but for what it would find to be invalid later.

#![allow(unreachable_pub, reason = "the schema derive repeats each public struct inside a function")]

mod access_log;
mod iam_auth;
mod target_group;
mod vpc_association;

pub use access_log::{AccessLogPolicy, AccessLogPolicySpec};
pub use iam_auth::{IAMAuthPolicy, IAMAuthPolicySpec};
pub use target_group::{
    HealthCheck, HealthCheckProtocol, Protocol, ProtocolVersion, TargetGroupPolicy, TargetGroupPolicySpec,
};
pub use vpc_association::{VpcAssociationPolicy, VpcAssociationPolicySpec};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// What a policy is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, KubeSchema)]
pub struct TargetReference {
    /// The API group; empty for the core.
    #[schemars(length(max = 253))]
    pub group: String,

    /// The kind.
    #[schemars(length(min = 1, max = 63))]
    pub kind: String,

    /// The name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,

    /// The namespace, which has to be the policy's own; that one if nothing is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub namespace: Option<String>,
}

/// What the controller says of a policy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
pub struct PolicyStatus {
    /// Accepted: the policy is in force. Its reason and message say what is wrong where it is False: Invalid,
    /// TargetNotFound, or Conflicted where an older policy is in force for the same object.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
}
