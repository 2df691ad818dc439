//! What controllers say of a route, of whichever kind.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use serde::{Deserialize, Serialize};

use super::ParentReference;

/// What controllers say of a route.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RouteStatus {
    /// One entry for each controller and parent. A controller changes only its own, and a merge patch replaces the
    /// whole list, so it has to send the others' entries as it found them.
    #[serde(default)]
    pub parents: Vec<RouteParentStatus>,
}

/// What a controller says of a route at one of its parents.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteParentStatus {
    /// The parent, as the route refers to it.
    pub parent_ref: ParentReference,

    /// The controller.
    pub controller_name: String,

    /// Accepted: the parent takes the route. ResolvedRefs: everything that the route refers to may be used.
    #[serde(default)]
    pub conditions: Vec<Condition>,
}
