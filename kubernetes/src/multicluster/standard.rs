//! Exports and imports of the multi-cluster standard, `multicluster.x-k8s.io`, as far as Lath reads them.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::CustomResource;
use serde::{Deserialize, Serialize};

/// The standard's API group.
pub const GROUP: &str = "multicluster.x-k8s.io";

/// Lets other clusters send requests to the Service of its name. Its fields, which came late, say what importing clusters
/// show of it.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "multicluster.x-k8s.io",
    version = "v1alpha1",
    kind = "ServiceExport",
    doc = "Lets other clusters send requests to the Service of its name.",
    namespaced,
    status = "ServiceExportStatus",
    schema = "disabled",
    derive = "Default",
    derive = "PartialEq"
)]
// Objects may lack a spec, which serde reads as null.
#[serde(from = "Option<Empty>")]
pub struct ServiceExportSpec {}

/// What is said of an export.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ServiceExportStatus {
    /// Valid: there is a Service to be exported. Ready: other clusters find it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
}

/// A backend in whichever cluster exports the Service of its name and namespace.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "multicluster.x-k8s.io",
    version = "v1alpha1",
    kind = "ServiceImport",
    doc = "A backend in whichever cluster exports the Service of its name and namespace.",
    namespaced,
    schema = "disabled",
    derive = "Default",
    derive = "PartialEq"
)]
#[serde(from = "Option<Empty>")]
pub struct ServiceImportSpec {}

/// What stands in a spec, if there is one.
#[derive(Deserialize)]
struct Empty {}

impl From<Option<Empty>> for ServiceExportSpec {
    fn from(_: Option<Empty>) -> Self {
        Self {}
    }
}

impl From<Option<Empty>> for ServiceImportSpec {
    fn from(_: Option<Empty>) -> Self {
        Self {}
    }
}
