//! References from one object to another.

use serde::{Deserialize, Serialize};

use super::Other;
use crate::watch::ObjectName;

/// What a route wants to be attached to, which is a Gateway or one of its listeners.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParentReference {
    /// The API group; [`super::GROUP`] if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,

    /// The kind; Gateway if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,

    /// The namespace; the route's own if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,

    /// The name.
    pub name: String,

    /// The name of the one listener that is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section_name: Option<String>,

    /// The port of the listeners that are meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<i32>,
}

impl ParentReference {
    /// The Gateway that a route of this namespace means; `None`: it is none.
    #[must_use]
    pub fn gateway(&self, namespace: &str) -> Option<ObjectName> {
        let group = self.group.as_deref().unwrap_or(super::GROUP);
        let kind = self.kind.as_deref().unwrap_or("Gateway");
        ((group, kind) == (super::GROUP, "Gateway")).then(|| ObjectName {
            namespace: self.namespace.clone().unwrap_or_else(|| namespace.to_owned()),
            name: self.name.clone(),
        })
    }
}

/// Where a rule sends requests or connections.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackendReference {
    /// The API group; the core if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,

    /// The kind; Service if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,

    /// The namespace; the route's own if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,

    /// The name.
    pub name: String,

    /// The Service's port, not the container's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<i32>,

    /// Its share of what the rule's backends get, in proportion to the sum of all shares; 1 if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<i32>,

    /// Fields that Lath does not read, `filters` among them; a route that sets one is refused with its name.
    #[serde(flatten)]
    pub other: Other,
}

/// An object in the same namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LocalReference {
    /// The API group; empty for the core.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The name.
    pub name: String,
}

/// An object with what every Gateway of a class goes by.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ParametersReference {
    /// The API group; empty for the core.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The name.
    pub name: String,
    /// The namespace; none for cluster-scoped kinds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

/// A certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SecretReference {
    /// The API group; the core if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,

    /// The kind; Secret if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,

    /// The namespace; the Gateway's own if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,

    /// The name.
    pub name: String,
}
