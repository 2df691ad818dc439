//! Services of several clusters: exports and imports, in the AWS Gateway API Controller's group and in the standard's.
//!
//! The standard's definitions are not Lath's to install, and a cluster may do without them.

#![allow(unreachable_pub, reason = "the schema derive repeats each public struct inside a function")]

pub mod standard;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

/// Lets other clusters send requests to a Service: the one of the export's name, or of the one that an annotation names.
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "application-networking.k8s.aws",
    version = "v1alpha1",
    kind = "ServiceExport",
    plural = "serviceexports",
    doc = "Lets other clusters send requests to a Service: the one of the export's name, or of the one that an annotation names.",
    namespaced,
    category = "gateway-api",
    status = "ServiceExportStatus",
    derive = "Default",
    derive = "PartialEq",
    printcolumn(
        name = "Programmed",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Programmed\")].status"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
// Objects may lack a spec, as in the AWS controller's definition, which serde reads as null.
#[serde(rename_all = "camelCase", from = "Option<ExportFields>")]
#[schemars(!from)]
pub struct ServiceExportSpec {
    /// The ports that are exported; without any, the annotation application-networking.k8s.aws/port or the Service's only
    /// port.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub exported_ports: Vec<ExportedPort>,
}

/// What stands in the spec of an export, if there is one.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExportFields {
    #[serde(default)]
    exported_ports: Vec<ExportedPort>,
}

impl From<Option<ExportFields>> for ServiceExportSpec {
    fn from(fields: Option<ExportFields>) -> Self {
        Self { exported_ports: fields.unwrap_or_default().exported_ports }
    }
}

/// A port that is exported.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportedPort {
    /// The Service's port.
    #[schemars(range(min = 1, max = 65535))]
    pub port: i32,

    /// The kind of routes that may send requests there: HTTP for HTTPRoutes, GRPC for GRPCRoutes, TLS for TLSRoutes.
    #[x_kube(validation = Rule::new("self in ['HTTP', 'GRPC', 'TLS']").message("routeType has to be HTTP, GRPC or TLS"))]
    pub route_type: String,
}

/// What the controller says of an export.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
pub struct ServiceExportStatus {
    /// Accepted: there is a Service to be exported. Programmed: VPC Lattice has a target group for each of its ports,
    /// which other clusters find.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
}

/// A backend in whichever cluster exports a Service of this name and namespace. What it stands for is found by its name
/// and annotations alone.
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "application-networking.k8s.aws",
    version = "v1alpha1",
    kind = "ServiceImport",
    plural = "serviceimports",
    doc = "A backend in whichever cluster exports a Service of this name and namespace. What it stands for is found by its name and annotations alone.",
    namespaced,
    category = "gateway-api",
    status = "ServiceImportStatus",
    derive = "Default",
    derive = "PartialEq",
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase", from = "Option<ImportFields>")]
#[schemars(!from)]
pub struct ServiceImportSpec {
    /// Of no account: VPC Lattice gives an import no address.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub kind: Option<String>,

    /// Of no account: the export says which ports there are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<ImportedPort>,

    /// Of no account: VPC Lattice gives an import no address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ips: Vec<String>,

    /// Of no account: VPC Lattice knows no sessions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub session_affinity: Option<String>,
}

/// What stands in the spec of an import, if there is one.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ImportFields {
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    ports: Vec<ImportedPort>,
    #[serde(default)]
    ips: Vec<String>,
    #[serde(default)]
    session_affinity: Option<String>,
}

impl From<Option<ImportFields>> for ServiceImportSpec {
    fn from(fields: Option<ImportFields>) -> Self {
        let ImportFields { kind, ports, ips, session_affinity } = fields.unwrap_or_default();
        Self { kind, ports, ips, session_affinity }
    }
}

/// A port of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImportedPort {
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,

    /// Its number.
    #[schemars(range(min = 1, max = 65535))]
    pub port: i32,

    /// TCP, unless something else is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,

    /// What is spoken there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_protocol: Option<String>,
}

/// The status of an import, which routes' statuses stand for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
pub struct ServiceImportStatus {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spec_may_be_missing() {
        let yaml = "apiVersion: application-networking.k8s.aws/v1alpha1\nkind: ServiceExport\nmetadata: { name: web }\n";
        let export: ServiceExport = serde_saphyr::from_str(yaml).unwrap();
        assert_eq!(export.spec, ServiceExportSpec::default());
        let import: ServiceImport =
            serde_saphyr::from_str(&yaml.replace("ServiceExport", "ServiceImport")).unwrap();
        assert_eq!(import.spec, ServiceImportSpec::default());
        let ports = "spec: { exportedPorts: [{ port: 80, routeType: GRPC }] }\n";
        let export: ServiceExport = serde_saphyr::from_str(&format!("{yaml}{ports}")).unwrap();
        assert_eq!(export.spec.exported_ports, [ExportedPort { port: 80, route_type: "GRPC".into() }]);
    }
}
