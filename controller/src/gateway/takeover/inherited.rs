//! The AWS controller's finalizers: nobody else would ever remove them, so Lath does once the object is its own.

use kube::api::ObjectMeta;

use super::State;
use crate::gateway::{route::RouteKind, translate::PolicyKind};

/// That of Gateways.
pub const GATEWAY: &str = "gateway.k8s.aws/resources";

/// That of ServiceNetworks.
pub const SERVICE_NETWORK: &str = "servicenetwork.k8s.aws/resources";

/// That of ServiceExports.
pub const SERVICE_EXPORT: &str = "serviceexport.k8s.aws/resources";

/// That of routes; empty for kinds that the AWS controller does not know.
#[must_use]
pub fn of_route(kind: RouteKind) -> &'static str {
    match kind {
        RouteKind::Http => "httproute.k8s.aws/resources",
        RouteKind::Grpc => "grpcroute.k8s.aws/resources",
        RouteKind::Tls => "tlsroute.k8s.aws/resources",
        RouteKind::Tcp | RouteKind::Udp => "",
    }
}

/// That of policies; empty for TargetGroupPolicies, which have none.
#[must_use]
pub fn of_policy(kind: PolicyKind) -> &'static str {
    match kind {
        PolicyKind::TargetGroup => "",
        PolicyKind::IamAuth => "application-networking.k8s.aws/iam-auth-policy",
        PolicyKind::AccessLog => "accesslogpolicy.k8s.aws/resources",
        PolicyKind::VpcAssociation => "vpcassociationpolicies.application-networking.k8s.aws/resources",
    }
}

/// The finalizers without that one, when the take-over is over; `None` if that is what they are.
#[must_use]
pub fn finalizers(meta: &ObjectMeta, finalizer: &str, state: &State) -> Option<Vec<String>> {
    let there = meta.finalizers.as_ref().filter(|_| state.is_over())?;
    let kept: Vec<String> = there.iter().filter(|one| *one != finalizer).cloned().collect();
    (kept.len() < there.len()).then_some(kept)
}
