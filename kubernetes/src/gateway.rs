//! The objects of Gateway API as Lath reads them, of version v1 but for ReferenceGrant.
//!
//! Whatever a route asks for has to be done or refused by name. So fields that Lath has no use for are not dropped but
//! kept in a map called `other`, beside the fields that it reads, and the values of the API's enumerations are kept as
//! text: no value that a later version allows makes an object unreadable. What the API server validates, such as the
//! range of a port, is not validated again.

mod class;
mod grant;
mod grpc;
mod http;
mod layer4;
mod listener;
mod reference;
mod status;

pub use class::{GatewayClass, GatewayClassSpec, GatewayClassStatus, SupportedFeature};
pub use grant::{ReferenceGrant, ReferenceGrantFrom, ReferenceGrantSpec, ReferenceGrantTo};
pub use grpc::{GRPCRoute, GRPCRouteSpec, GrpcMatch, GrpcMethodMatch, GrpcRule};
pub use http::{HTTPRoute, HTTPRouteSpec, HeaderMatch, HttpMatch, HttpRule, PathMatch};
pub use layer4::{ForwardRule, TCPRoute, TCPRouteSpec, TLSRoute, TLSRouteSpec, UDPRoute, UDPRouteSpec};
pub use listener::{
    AllowedRoutes, Gateway, GatewayAddress, GatewaySpec, GatewayStatus, Infrastructure, Listener,
    ListenerStatus, ListenerTls, RouteKind, RouteNamespaces,
};
pub use reference::{
    BackendReference, LocalReference, ParametersReference, ParentReference, SecretReference,
};
pub use status::{RouteParentStatus, RouteStatus};

/// The API group of all of them.
pub const GROUP: &str = "gateway.networking.k8s.io";

/// Fields by name which Lath does not read; a route that sets one is refused with its name.
pub type Other = std::collections::BTreeMap<String, serde_json::Value>;

#[cfg(test)]
mod tests;
