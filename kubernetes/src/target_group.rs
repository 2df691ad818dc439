//! `TargetGroup`: a backend that is no Service of a cluster.

#![allow(unreachable_pub, reason = "the schema derive repeats each public struct inside a function")]

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use crate::policy::{HealthCheck, Protocol, ProtocolVersion};

/// A backend that is no Service of a cluster: a Lambda function, an Application Load Balancer, EC2 instances, addresses, a
/// service of Cloud Map, or a target group that is there already. Routes name it by group lath.dev and kind TargetGroup.
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "lath.dev",
    version = "v1alpha1",
    kind = "TargetGroup",
    plural = "targetgroups",
    doc = "A backend that is no Service of a cluster: a Lambda function, an Application Load Balancer, EC2 instances, addresses, a service of Cloud Map, or a target group that is there already.",
    namespaced,
    category = "gateway-api",
    status = "TargetGroupStatus",
    derive = "Default",
    derive = "PartialEq",
    printcolumn(
        name = "Accepted",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Accepted\")].status"
    ),
    printcolumn(
        name = "Programmed",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Programmed\")].status"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("[has(self.lambda), has(self.loadBalancer), has(self.instances), has(self.addresses), has(self.cloudMap), has(self.arn)].filter(is, is).size() == 1").message("spec has to have exactly one of lambda, loadBalancer, instances, addresses, cloudMap, arn"))]
#[x_kube(validation = Rule::new("!has(self.healthCheck) || has(self.instances) || has(self.addresses) || has(self.cloudMap)").message("spec.healthCheck is for instances, addresses and services of Cloud Map: VPC Lattice checks neither functions nor load balancers, and a group that is named by its ARN is its owner's"))]
pub struct TargetGroupSpec {
    /// A Lambda function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lambda: Option<Lambda>,

    /// An Application Load Balancer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load_balancer: Option<LoadBalancer>,

    /// EC2 instances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instances: Option<Instances>,

    /// Addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addresses: Option<Addresses>,

    /// The instances of a service of Cloud Map.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloud_map: Option<CloudMap>,

    /// The ARN of a target group that is there already. It is named by rules and never changed. VPC Lattice lets one service
    /// of its own account name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub arn: Option<String>,

    /// How health is checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HealthCheck>,
}

/// A Lambda function.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Lambda {
    /// Its ARN, or that of a version or an alias.
    #[schemars(length(max = 2048))]
    #[x_kube(validation = Rule::new("self.matches('^arn:[a-z0-9-]+:lambda:[a-z0-9-]+:[0-9]{12}:function:[a-zA-Z0-9_-]+(:[a-zA-Z0-9$_-]+)?$')").message("spec.lambda.functionArn has to be the ARN of a Lambda function, such as arn:aws:lambda:us-west-2:123456789012:function:checkout"))]
    pub function_arn: String,

    /// How requests are put into events: V1 or V2; V2 if nothing is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self in ['V1', 'V2']").message("spec.lambda.eventVersion has to be V1 or V2"))]
    pub event_version: Option<String>,
}

/// An Application Load Balancer, which has to be an internal one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct LoadBalancer {
    /// Its ARN.
    #[schemars(length(max = 2048))]
    #[x_kube(validation = Rule::new("self.matches('^arn:[a-z0-9-]+:elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:loadbalancer/app/')").message("spec.loadBalancer.arn has to be the ARN of an Application Load Balancer, such as arn:aws:elasticloadbalancing:us-west-2:123456789012:loadbalancer/app/shop/0123456789abcdef"))]
    pub arn: String,

    /// The port of its listener.
    #[schemars(range(min = 1, max = 65535))]
    pub port: i32,

    /// HTTP, HTTPS, or TCP for TLSRoutes; HTTP if nothing is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,

    /// HTTP1 or HTTP2; HTTP1 if nothing is set. Behind a GRPCRoute and with protocol TCP it is of no account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol_version: Option<ProtocolVersion>,

    /// Its VPC; the cluster's if nothing is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 50))]
    pub vpc: Option<String>,
}

/// EC2 instances.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Instances {
    /// Their ids.
    #[schemars(length(min = 1, max = 1000), inner(length(max = 50)))]
    pub ids: Vec<String>,

    /// The port on which they listen.
    #[schemars(range(min = 1, max = 65535))]
    pub port: i32,

    /// HTTP, HTTPS, or TCP for TLSRoutes; HTTP if nothing is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,

    /// HTTP1 or HTTP2; HTTP1 if nothing is set. Behind a GRPCRoute and with protocol TCP it is of no account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol_version: Option<ProtocolVersion>,

    /// Their VPC; the cluster's if nothing is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 50))]
    pub vpc: Option<String>,
}

/// Addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Addresses {
    /// The addresses, all of one family.
    #[schemars(length(min = 1, max = 1000), inner(length(max = 45)))]
    pub ips: Vec<String>,

    /// The port on which they listen.
    #[schemars(range(min = 1, max = 65535))]
    pub port: i32,

    /// HTTP, HTTPS, or TCP for TLSRoutes; HTTP if nothing is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,

    /// HTTP1 or HTTP2; HTTP1 if nothing is set. Behind a GRPCRoute and with protocol TCP it is of no account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol_version: Option<ProtocolVersion>,

    /// Their VPC; the cluster's if nothing is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 50))]
    pub vpc: Option<String>,
}

/// The instances of a service of Cloud Map, which are looked for again and again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct CloudMap {
    /// The name of its namespace, by which instances are discovered.
    #[schemars(length(min = 1, max = 1024))]
    pub namespace: String,

    /// Its name in the namespace.
    #[schemars(length(min = 1, max = 127))]
    pub service: String,

    /// The port of instances that have none of their own. Without it they are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: Option<i32>,

    /// Which of the instances' addresses count, IPv4 or IPv6; IPv4 if nothing is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self in ['IPv4', 'IPv6']").message("spec.cloudMap.ipFamily has to be IPv4 or IPv6"))]
    pub ip_family: Option<String>,

    /// How often they are looked for, in seconds; 15 if nothing is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 5, max = 3600))]
    pub period_seconds: Option<i32>,

    /// HTTP, HTTPS, or TCP for TLSRoutes; HTTP if nothing is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,

    /// HTTP1 or HTTP2; HTTP1 if nothing is set. Behind a GRPCRoute and with protocol TCP it is of no account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol_version: Option<ProtocolVersion>,

    /// Their VPC; the cluster's if nothing is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 50))]
    pub vpc: Option<String>,
}

/// What the controller says of a target group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
pub struct TargetGroupStatus {
    /// Accepted: nothing is wrong with what is declared. Programmed: VPC Lattice has it, with its targets, for each service
    /// whose route names it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
}
