//! `Gateway`: ports on which routes are served.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, LabelSelector};
use kube::CustomResource;
use serde::{Deserialize, Serialize};

use super::{LocalReference, Other, SecretReference};

/// Ports on which routes are served.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "gateway.networking.k8s.io",
    version = "v1",
    kind = "Gateway",
    doc = "Ports on which routes are served.",
    namespaced,
    status = "GatewayStatus",
    schema = "disabled",
    derive = "Default",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
pub struct GatewaySpec {
    /// The name of its GatewayClass.
    pub gateway_class_name: String,

    /// The ports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub listeners: Vec<Listener>,

    /// Addresses that it is wanted to have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<GatewayAddress>,

    /// How what serves it is wanted to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub infrastructure: Option<Infrastructure>,

    /// Fields that Lath does not read; a Gateway that sets one is told so by name.
    #[serde(flatten)]
    pub other: Other,
}

/// A port, and which routes are served on it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Listener {
    /// Its name, which is unique in the Gateway.
    pub name: String,

    /// The host name that it serves, which may begin with `*.`; any if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,

    /// Its port.
    pub port: i32,

    /// HTTP, HTTPS, TLS, TCP, UDP or a name of an implementation's own.
    pub protocol: String,

    /// How its TLS ends, where the protocol has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<ListenerTls>,

    /// Which routes may be attached; those of the Gateway's namespace if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_routes: Option<AllowedRoutes>,

    /// Fields that Lath does not read; a listener that sets one is refused with its name.
    #[serde(flatten)]
    pub other: Other,
}

/// How a listener's TLS ends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListenerTls {
    /// Terminate or Passthrough; Terminate if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,

    /// The certificates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificate_refs: Vec<SecretReference>,

    /// Options of an implementation's own, such as [`crate::names::AWS_CERTIFICATE_ARN`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,

    /// Fields that Lath does not read; a listener that sets one is refused with its name.
    #[serde(flatten)]
    pub other: Other,
}

/// Which routes may be attached to a listener.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AllowedRoutes {
    /// Of which namespaces; of the Gateway's own if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespaces: Option<RouteNamespaces>,

    /// Of which kinds; of all that the protocol allows if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<RouteKind>,

    /// Fields that Lath does not read; a listener that sets one is refused with its name.
    #[serde(flatten)]
    pub other: Other,
}

/// Of which namespaces routes may be attached.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RouteNamespaces {
    /// All, Same, Selector or None; Same if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,

    /// The labels of the namespaces, where `from` is Selector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<LabelSelector>,
}

/// A kind of routes.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RouteKind {
    /// The API group; [`super::GROUP`] if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,

    /// The kind.
    pub kind: String,
}

/// An address, wanted or had.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayAddress {
    /// IPAddress, Hostname or a name of an implementation's own; IPAddress if there is none.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub type_: Option<String>,

    /// The address; a wanted one may be left to the controller to choose.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub value: String,
}

/// How what serves a Gateway is wanted to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Infrastructure {
    /// Labels for what the controller makes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,

    /// Annotations for what the controller makes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,

    /// What this Gateway goes by, before what its class goes by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters_ref: Option<LocalReference>,

    /// Fields that Lath does not read; a Gateway that sets one is told so by name.
    #[serde(flatten)]
    pub other: Other,
}

/// What its controller says of a Gateway.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GatewayStatus {
    /// Where it can be reached.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<GatewayAddress>,

    /// Accepted: its controller serves it. Programmed: what it asks for is there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,

    /// One entry for each listener.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub listeners: Vec<ListenerStatus>,
}

/// What its controller says of a listener.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListenerStatus {
    /// The listener.
    pub name: String,

    /// The kinds of routes that it takes; empty if it takes none.
    #[serde(default)]
    pub supported_kinds: Vec<RouteKind>,

    /// How many routes are attached.
    #[serde(default)]
    pub attached_routes: i32,

    /// Accepted, Programmed, ResolvedRefs, Conflicted.
    #[serde(default)]
    pub conditions: Vec<Condition>,
}
