//! `AccessLogPolicy`: where access logs go.

#![allow(unreachable_pub, reason = "the schema derive repeats each public struct inside a function")]

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use super::{PolicyStatus, TargetReference};

/// Where the access logs of a route's service, or of all services of a Gateway, go.
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "application-networking.k8s.aws",
    version = "v1alpha1",
    kind = "AccessLogPolicy",
    plural = "accesslogpolicies",
    doc = "Where the access logs of a route's service, or of all services of a Gateway, go.",
    namespaced,
    shortname = "alp",
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
pub struct AccessLogPolicySpec {
    /// The ARN of an S3 bucket, a CloudWatch log group or a Firehose delivery stream.
    #[schemars(length(max = 2048))]
    #[x_kube(validation = Rule::new("self.matches('^arn:[a-z0-9-]+:(s3|logs|firehose):')").message("spec.destinationArn has to be the ARN of an S3 bucket, a CloudWatch log group or a Firehose delivery stream, such as arn:aws:s3:::my-bucket"))]
    pub destination_arn: String,

    /// A Gateway, HTTPRoute or GRPCRoute in this namespace.
    #[x_kube(validation = Rule::new("self.group == 'gateway.networking.k8s.io' && self.kind in ['Gateway', 'HTTPRoute', 'GRPCRoute']").message("spec.targetRef has to be a Gateway, HTTPRoute or GRPCRoute (group: gateway.networking.k8s.io)"))]
    pub target_ref: TargetReference,
}
