//! `TLSRoute`, `TCPRoute` and `UDPRoute`: where what is not taken apart goes.

use kube::CustomResource;
use serde::{Deserialize, Serialize};

use super::{BackendReference, Other, ParentReference, RouteStatus};

/// Where the TLS connections for some host names go.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "gateway.networking.k8s.io",
    version = "v1",
    kind = "TLSRoute",
    doc = "Where the TLS connections for some host names go.",
    namespaced,
    status = "RouteStatus",
    schema = "disabled",
    derive = "Default",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
pub struct TLSRouteSpec {
    /// The Gateways or listeners that the route wants to be attached to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parent_refs: Vec<ParentReference>,

    /// The host names, as the clients' handshakes name them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hostnames: Vec<String>,

    /// The rules, of which the API allows one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<ForwardRule>,

    /// Fields that Lath does not read; a route that sets one is refused with its name.
    #[serde(flatten)]
    pub other: Other,
}

/// Where the TCP connections to a listener's port go.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "gateway.networking.k8s.io",
    version = "v1",
    kind = "TCPRoute",
    doc = "Where the TCP connections to a listener's port go.",
    namespaced,
    status = "RouteStatus",
    schema = "disabled",
    derive = "Default",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
pub struct TCPRouteSpec {
    /// The Gateways or listeners that the route wants to be attached to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parent_refs: Vec<ParentReference>,

    /// The rules, of which the API allows one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<ForwardRule>,

    /// Fields that Lath does not read; a route that sets one is refused with its name.
    #[serde(flatten)]
    pub other: Other,
}

/// Where the datagrams to a listener's port go.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "gateway.networking.k8s.io",
    version = "v1",
    kind = "UDPRoute",
    doc = "Where the datagrams to a listener's port go.",
    namespaced,
    status = "RouteStatus",
    schema = "disabled",
    derive = "Default",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
pub struct UDPRouteSpec {
    /// The Gateways or listeners that the route wants to be attached to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parent_refs: Vec<ParentReference>,

    /// The rules, of which the API allows one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<ForwardRule>,

    /// Fields that Lath does not read; a route that sets one is refused with its name.
    #[serde(flatten)]
    pub other: Other,
}

/// Where everything goes, without a choice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ForwardRule {
    /// Its name, by which policies may refer to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,

    /// The backends, each with its share of the connections.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub backend_refs: Vec<BackendReference>,

    /// Fields that Lath does not read; a route that sets one is refused with its name.
    #[serde(flatten)]
    pub other: Other,
}
