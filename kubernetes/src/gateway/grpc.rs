//! `GRPCRoute`: where gRPC calls go.

use kube::CustomResource;
use serde::{Deserialize, Serialize};

use super::{BackendReference, HeaderMatch, Other, ParentReference, RouteStatus};

/// Where the gRPC calls to some host names go.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "gateway.networking.k8s.io",
    version = "v1",
    kind = "GRPCRoute",
    doc = "Where the gRPC calls to some host names go.",
    namespaced,
    status = "RouteStatus",
    schema = "disabled",
    derive = "Default",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
pub struct GRPCRouteSpec {
    /// The Gateways or listeners that the route wants to be attached to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parent_refs: Vec<ParentReference>,

    /// The host names; the listeners' own if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hostnames: Vec<String>,

    /// The rules. Which one a call follows is a matter of how specific they are, not of their order alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<GrpcRule>,

    /// Fields that Lath does not read; a route that sets one is refused with its name.
    #[serde(flatten)]
    pub other: Other,
}

/// Calls of some kind and where they go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GrpcRule {
    /// Its name, by which policies may refer to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,

    /// Which calls: those that any of these holds for, or all if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub matches: Vec<GrpcMatch>,

    /// Where they go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub backend_refs: Vec<BackendReference>,

    /// Fields that Lath does not read, `filters` and `sessionPersistence` among them; a route that sets one is refused
    /// with its name.
    #[serde(flatten)]
    pub other: Other,
}

/// Calls for which all of this holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrpcMatch {
    /// What they call; anything if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<GrpcMethodMatch>,

    /// Headers, all of which they have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<HeaderMatch>,

    /// Fields that Lath does not read; a route that sets one is refused with its name.
    #[serde(flatten)]
    pub other: Other,
}

/// Some methods of some gRPC services. At least one of the two is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrpcMethodMatch {
    /// Exact or RegularExpression; Exact if there is none.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub type_: Option<String>,

    /// The service with its package; any if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,

    /// The method; any if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,

    /// Fields that Lath does not read; a route that sets one is refused with its name.
    #[serde(flatten)]
    pub other: Other,
}
