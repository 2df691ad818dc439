//! `ReferenceGrant`: who may refer to a namespace's objects from outside.
//!
//! It is read as v1beta1, which every version of Gateway API serves; v1 is the same and came later.

use kube::CustomResource;
use serde::{Deserialize, Serialize};

/// Lets objects of other namespaces refer to objects of this one. Each of `from` may refer to each of `to`.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "gateway.networking.k8s.io",
    version = "v1beta1",
    kind = "ReferenceGrant",
    doc = "Lets objects of other namespaces refer to objects of this one.",
    namespaced,
    schema = "disabled",
    derive = "Default",
    derive = "PartialEq"
)]
pub struct ReferenceGrantSpec {
    /// Who may refer.
    #[serde(default)]
    pub from: Vec<ReferenceGrantFrom>,

    /// To what.
    #[serde(default)]
    pub to: Vec<ReferenceGrantTo>,
}

/// Objects of a kind in a namespace, which may refer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceGrantFrom {
    /// The API group; empty for the core.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The namespace.
    pub namespace: String,
}

/// Objects of a kind in the grant's namespace, which may be referred to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceGrantTo {
    /// The API group; empty for the core.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The one that may be referred to; all of the kind if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}
