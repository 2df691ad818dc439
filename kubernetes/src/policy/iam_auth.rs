//! `IAMAuthPolicy`: who may call what.

#![allow(unreachable_pub, reason = "the schema derive repeats each public struct inside a function")]

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use super::{PolicyStatus, TargetReference};

/// Who may call the service of a route, or any service of a Gateway.
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "application-networking.k8s.aws",
    version = "v1alpha1",
    kind = "IAMAuthPolicy",
    plural = "iamauthpolicies",
    doc = "Who may call the service of a route, or any service of a Gateway.",
    namespaced,
    shortname = "iap",
    category = "gateway-api",
    status = "PolicyStatus",
    derive = "Default",
    derive = "PartialEq",
    printcolumn(name = "Kind", type_ = "string", json_path = ".spec.targetRef.kind"),
    printcolumn(name = "Target", type_ = "string", json_path = ".spec.targetRef.name"),
    printcolumn(
        name = "Accepted",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Accepted\")].status"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct IAMAuthPolicySpec {
    /// A Gateway, HTTPRoute or GRPCRoute in this namespace.
    #[x_kube(validation = Rule::new("self.group == 'gateway.networking.k8s.io' && self.kind in ['Gateway', 'HTTPRoute', 'GRPCRoute']").message("spec.targetRef has to be a Gateway, HTTPRoute or GRPCRoute (group: gateway.networking.k8s.io); others carry no requests that could be authorized"))]
    pub target_ref: TargetReference,

    /// The policy as JSON text, at most 10 KB, in which `*` as the resource means the target. Without a policy object
    /// nobody is asked who they are; with one, whom it doesn't allow is refused.
    #[schemars(length(max = 10240))]
    pub policy: String,
}
