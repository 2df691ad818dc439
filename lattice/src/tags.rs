//! The tags by which Lath recognises what it may touch.
//!
//! The prefix is Lath's own. The AWS Gateway API Controller collects groups by its `ClusterName` tag, so a group
//! that carries that one would be deleted under Lath's hands.

/// The cluster that a resource belongs to, or several separated by spaces: a group that they share. A group that does not
/// name its own cluster is never touched.
pub const CLUSTER: &str = "lath.dev/cluster";

/// The namespaces that may bind pods to a group: one name, or several separated by spaces.
pub const NAMESPACE: &str = "lath.dev/namespace";

/// Who manages a resource, in the AWS Gateway API Controller's vocabulary. A group with this tag belongs to that
/// controller, which deregisters whatever is not in its own slices, so Lath refuses it.
pub const MANAGED_BY: &str = "application-networking.k8s.aws/ManagedBy";
