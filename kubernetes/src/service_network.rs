//! `ServiceNetwork`: a service network of VPC Lattice as an object of the cluster.

#![allow(unreachable_pub, reason = "the schema derive repeats each public struct inside a function")]

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

/// A service network of the object's name. One that exists is taken as it is. The object stays while a Gateway stands
/// for its service network.
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "application-networking.k8s.aws",
    version = "v1alpha1",
    kind = "ServiceNetwork",
    plural = "servicenetworks",
    doc = "A service network of VPC Lattice, of the object's name.",
    shortname = "sn",
    category = "gateway-api",
    status = "ServiceNetworkStatus",
    derive = "Default",
    derive = "PartialEq",
    printcolumn(name = "ARN", type_ = "string", json_path = ".status.serviceNetworkARN"),
    printcolumn(
        name = "Programmed",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Programmed\")].status"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
// Objects may lack a spec, as in the AWS controller's definition, which serde reads as null.
#[serde(from = "Option<Empty>")]
#[schemars(!from)]
pub struct ServiceNetworkSpec {}

/// What stands in a spec, if there is one.
#[derive(Deserialize)]
struct Empty {}

impl From<Option<Empty>> for ServiceNetworkSpec {
    fn from(_: Option<Empty>) -> Self {
        Self {}
    }
}

/// What the controller says of a service network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
pub struct ServiceNetworkStatus {
    /// Accepted: nothing is wrong with the object. Programmed: the service network is there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,

    /// The ARN of the service network.
    #[serde(rename = "serviceNetworkARN", default, skip_serializing_if = "Option::is_none")]
    pub service_network_arn: Option<String>,

    /// The id of the service network.
    #[serde(rename = "serviceNetworkID", default, skip_serializing_if = "Option::is_none")]
    pub service_network_id: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spec_may_be_empty_or_missing() {
        for spec in ["", "spec: {}", "spec: null"] {
            let yaml = format!(
                "apiVersion: application-networking.k8s.aws/v1alpha1\nkind: ServiceNetwork\nmetadata: {{ name: shop }}\n{spec}\n"
            );
            let network: ServiceNetwork = serde_saphyr::from_str(&yaml).unwrap();
            assert_eq!(network.metadata.name.as_deref(), Some("shop"));
        }
    }
}
