//! The tags by which Lath recognises what it may touch.
//!
//! The prefix is Lath's own. The AWS Gateway API Controller collects groups by its `ClusterName` tag, so a group
//! that carries that one would be deleted under Lath's hands.

/// The cluster that a resource belongs to, or several separated by spaces: a group that they share. A group that does not
/// name its own cluster is never touched.
pub const CLUSTER: &str = "lath.dev/cluster";

/// What a service is for, such as `HTTPRoute/shop/checkout`, or a digest of it where that would be too long: by this
/// Lath finds its service again, whatever it is called.
pub const OWNER: &str = "lath.dev/owner";

/// What a target group is for: a digest of its key, by which Lath finds it again.
pub const GROUP: &str = "lath.dev/target-group";

/// The cluster whose Lath has put the auth policy and the access log subscriptions of a service network there, and so may
/// remove them. The network itself may be anybody's.
pub const POLICIES: &str = "lath.dev/policies";

/// The namespaces that may bind pods to a group: one name, or several separated by spaces.
pub const NAMESPACE: &str = "lath.dev/namespace";

/// Who manages a resource, in the AWS Gateway API Controller's vocabulary. A group with this tag belongs to that
/// controller, which deregisters whatever is not in its own slices, so Lath refuses it.
pub const MANAGED_BY: &str = "application-networking.k8s.aws/ManagedBy";

/// The cluster of a group, in the same vocabulary. That controller deletes the groups of its cluster and VPC that no service
/// uses, whoever made them: none that is Lath's may have it.
pub const CLUSTER_NAME: &str = "application-networking.k8s.aws/ClusterName";

/// The Gateway whose host name a service has, where services are made per host name: `namespace/name`.
pub const GATEWAY: &str = "lath.dev/gateway";

/// The name of the route that a service or a group was made for, in the AWS Gateway API Controller's vocabulary, as are
/// those that follow.
pub const ROUTE_NAME: &str = "application-networking.k8s.aws/RouteName";

/// The namespace of that route.
pub const ROUTE_NAMESPACE: &str = "application-networking.k8s.aws/RouteNamespace";

/// The kind of that route: `http`, `grpc` or `tls`.
pub const ROUTE_TYPE: &str = "application-networking.k8s.aws/RouteType";

/// The name of the Service whose pods are a group's targets.
pub const SERVICE_NAME: &str = "application-networking.k8s.aws/ServiceName";

/// The namespace of that Service.
pub const SERVICE_NAMESPACE: &str = "application-networking.k8s.aws/ServiceNamespace";

/// What a group was made for: `HTTPRoute`, `GRPCRoute`, `TLSRoute` or `ServiceExport`.
pub const SOURCE_TYPE: &str = "application-networking.k8s.aws/SourceTypeKey";

/// The value of [`SOURCE_TYPE`] on a group that other clusters may name.
pub const EXPORT: &str = "ServiceExport";

/// On an exported group: `true`, and `false` once its cluster wants to be rid of it. Others then go by another one that is
/// exported in its place, if there is one.
pub const EXPORTED: &str = "lath.dev/exported";

/// The value of [`SOURCE_TYPE`] on a group whose targets are declared.
pub const DECLARED: &str = "TargetGroup";

/// The cluster whose AWS Gateway API Controller made a group. Lath reads it and sets it on none.
pub const AWS_CLUSTER: &str = "application-networking.k8s.aws/ClusterName";

/// The version in which a group's targets are spoken to: `HTTP1`, `HTTP2`, `GRPC`, or empty for TCP.
pub const PROTOCOL_VERSION: &str = "application-networking.k8s.aws/ProtocolVersion";

/// The tags that are wanted and not there, or there with another value.
#[must_use]
pub fn lacking(wanted: &crate::Tags, there: &crate::Tags) -> crate::Tags {
    let lacks = |(key, value): &(&String, &String)| there.get(*key) != Some(*value);
    wanted.iter().filter(lacks).map(|(key, value)| (key.clone(), value.clone())).collect()
}
