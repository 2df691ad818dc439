//! `HTTPRoute`: where HTTP requests go.

use kube::CustomResource;
use serde::{Deserialize, Serialize};

use super::{BackendReference, Other, ParentReference, RouteStatus};

/// Where the HTTP requests for some host names go.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "gateway.networking.k8s.io",
    version = "v1",
    kind = "HTTPRoute",
    doc = "Where the HTTP requests for some host names go.",
    namespaced,
    status = "RouteStatus",
    schema = "disabled",
    derive = "Default",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
pub struct HTTPRouteSpec {
    /// The Gateways or listeners that the route wants to be attached to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parent_refs: Vec<ParentReference>,

    /// The host names; the listeners' own if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hostnames: Vec<String>,

    /// The rules. Which one a request follows is a matter of how specific they are, not of their order alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<HttpRule>,

    /// Fields that Lath does not read; a route that sets one is refused with its name.
    #[serde(flatten)]
    pub other: Other,
}

/// Requests of some kind and where they go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpRule {
    /// Its name, by which policies may refer to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,

    /// Which requests: those that any of these holds for, or all if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub matches: Vec<HttpMatch>,

    /// Where they go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub backend_refs: Vec<BackendReference>,

    /// Fields that Lath does not read, `filters`, `timeouts`, `retry` and `sessionPersistence` among them; a route
    /// that sets one is refused with its name.
    #[serde(flatten)]
    pub other: Other,
}

/// Requests for which all of this holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpMatch {
    /// Their path; any if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathMatch>,

    /// Headers, all of which they have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<HeaderMatch>,

    /// Their method, in capitals; any if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,

    /// Fields that Lath does not read, `queryParams` among them; a route that sets one is refused with its name.
    #[serde(flatten)]
    pub other: Other,
}

/// Some paths.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathMatch {
    /// Exact, PathPrefix or RegularExpression; PathPrefix if there is none.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub type_: Option<String>,

    /// The path; `/` if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,

    /// Fields that Lath does not read; a route that sets one is refused with its name.
    #[serde(flatten)]
    pub other: Other,
}

/// A header of an HTTP request or of a gRPC call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeaderMatch {
    /// Exact or RegularExpression; Exact if there is none.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub type_: Option<String>,

    /// Its name, whose case is of no account.
    pub name: String,

    /// Its value.
    pub value: String,

    /// Fields that Lath does not read; a route that sets one is refused with its name.
    #[serde(flatten)]
    pub other: Other,
}
