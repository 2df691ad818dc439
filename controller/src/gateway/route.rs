//! Routes of every kind, reduced to one shape.
//!
//! What the kinds have in common is treated once. A field that Lath has no use for is kept by its path, so that the route
//! can be refused with its name.

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};
use kube::api::ObjectMeta;
use lath_kubernetes::{
    gateway::{
        BackendReference, ForwardRule, GRPCRoute, GrpcMatch, HTTPRoute, HeaderMatch, HttpMatch, Other,
        ParentReference, RouteStatus, TCPRoute, TLSRoute, UDPRoute,
    },
    watch::ObjectName,
};

/// A kind of routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RouteKind {
    /// HTTPRoute.
    Http,
    /// GRPCRoute.
    Grpc,
    /// TLSRoute.
    Tls,
    /// TCPRoute.
    Tcp,
    /// UDPRoute.
    Udp,
}

impl RouteKind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Http, Self::Grpc, Self::Tls, Self::Tcp, Self::Udp];

    /// The kind's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "HTTPRoute",
            Self::Grpc => "GRPCRoute",
            Self::Tls => "TLSRoute",
            Self::Tcp => "TCPRoute",
            Self::Udp => "UDPRoute",
        }
    }

    /// The AWS controller's word for the kind in its tag `RouteType`.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Grpc => "grpc",
            Self::Tls => "tls",
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// Which route.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteName {
    /// Its kind.
    pub kind: RouteKind,
    /// Its namespace and name.
    pub object: ObjectName,
}

impl std::fmt::Display for RouteName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.kind.as_str(), self.object)
    }
}

/// A route of any kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// Which one.
    pub name: RouteName,
    /// What the API server keeps of it; without managed fields.
    pub meta: ObjectMeta,
    /// What it wants to be attached to.
    pub parents: Vec<ParentReference>,
    /// Its host names.
    pub hostnames: Vec<String>,
    /// Its rules.
    pub rules: Vec<RouteRule>,
    /// The paths of fields that it sets and that Lath has no use for.
    pub unsupported: Vec<String>,
    /// What controllers say of it.
    pub status: RouteStatus,
}

/// Requests of some kind and where they go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteRule {
    /// Which requests: those that any of these holds for. Never empty.
    pub matches: Vec<RouteMatch>,
    /// Where they go.
    pub backends: Vec<BackendReference>,
}

/// What a request has to look like, in the words of the route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteMatch {
    /// Its path.
    pub path: RoutePath,
    /// Its method.
    pub method: Option<String>,
    /// Its headers.
    pub headers: Vec<HeaderMatch>,
    /// Where the match stands in the route, for messages: `spec.rules[0].matches[1]`.
    pub at: String,
}

/// A path as the route's kind has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoutePath {
    /// The path of an HTTPRoute: type and value.
    Http {
        /// Exact, PathPrefix, RegularExpression, or a type that this version does not know.
        kind: String,
        /// The value.
        value: String,
    },
    /// The gRPC service and method of a GRPCRoute; `None`: any.
    Grpc {
        /// Exact, RegularExpression, or a type that this version does not know.
        kind: String,
        /// The service.
        service: Option<String>,
        /// The method.
        method: Option<String>,
    },
}

impl Route {
    /// When it was made. A route without a time, which the API server lets nobody make, counts as new.
    #[must_use]
    pub fn created(&self) -> Timestamp {
        self.meta.creation_timestamp.as_ref().map_or(Timestamp::MAX, |Time(time)| *time)
    }

    /// Its annotations.
    #[must_use]
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.meta.annotations.as_ref()?.get(key).map(String::as_str)
    }

    /// Whether it is being deleted.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        self.meta.deletion_timestamp.is_some()
    }

    /// The place in the order by which older routes go before newer ones.
    #[must_use]
    pub fn seniority(&self) -> (Timestamp, &RouteName) {
        (self.created(), &self.name)
    }
}

/// What is kept of an object's metadata.
pub(super) fn kept(meta: &ObjectMeta) -> ObjectMeta {
    ObjectMeta { managed_fields: None, ..meta.clone() }
}

fn name_of(kind: RouteKind, meta: &ObjectMeta) -> RouteName {
    let object = ObjectName {
        namespace: meta.namespace.clone().unwrap_or_default(),
        name: meta.name.clone().unwrap_or_default(),
    };
    RouteName { kind, object }
}

/// Adds the paths of fields that are not read.
fn refuse(unsupported: &mut Vec<String>, at: &str, other: &Other) {
    let set =
        other.iter().filter(|(_, value)| !(value.is_null() || value.as_array().is_some_and(Vec::is_empty)));
    unsupported.extend(set.map(|(field, _)| format!("{at}.{field}")));
}

fn refuse_backends(unsupported: &mut Vec<String>, at: &str, backends: &[BackendReference]) {
    for (index, backend) in backends.iter().enumerate() {
        refuse(unsupported, &format!("{at}.backendRefs[{index}]"), &backend.other);
    }
}

fn refuse_headers(unsupported: &mut Vec<String>, at: &str, headers: &[HeaderMatch]) {
    for (index, header) in headers.iter().enumerate() {
        refuse(unsupported, &format!("{at}.headers[{index}]"), &header.other);
    }
}

impl From<&HTTPRoute> for Route {
    fn from(route: &HTTPRoute) -> Self {
        let spec = &route.spec;
        let mut unsupported = Vec::new();
        refuse(&mut unsupported, "spec", &spec.other);
        let mut rules = Vec::with_capacity(spec.rules.len());
        for (index, rule) in spec.rules.iter().enumerate() {
            let at = format!("spec.rules[{index}]");
            refuse(&mut unsupported, &at, &rule.other);
            refuse_backends(&mut unsupported, &at, &rule.backend_refs);
            let every = [HttpMatch::default()];
            let matches = if rule.matches.is_empty() { &every[..] } else { &rule.matches };
            let matches = matches
                .iter()
                .enumerate()
                .map(|(index, one)| {
                    let at = format!("{at}.matches[{index}]");
                    refuse(&mut unsupported, &at, &one.other);
                    refuse_headers(&mut unsupported, &at, &one.headers);
                    let path = one.path.clone().unwrap_or_default();
                    refuse(&mut unsupported, &format!("{at}.path"), &path.other);
                    RouteMatch {
                        path: RoutePath::Http {
                            kind: path.type_.unwrap_or_else(|| "PathPrefix".into()),
                            value: path.value.unwrap_or_else(|| "/".into()),
                        },
                        method: one.method.clone(),
                        headers: one.headers.clone(),
                        at,
                    }
                })
                .collect();
            rules.push(RouteRule { matches, backends: rule.backend_refs.clone() });
        }
        Self {
            name: name_of(RouteKind::Http, &route.metadata),
            meta: kept(&route.metadata),
            parents: spec.parent_refs.clone(),
            hostnames: spec.hostnames.clone(),
            rules,
            unsupported,
            status: route.status.clone().unwrap_or_default(),
        }
    }
}

impl From<&GRPCRoute> for Route {
    fn from(route: &GRPCRoute) -> Self {
        let spec = &route.spec;
        let mut unsupported = Vec::new();
        refuse(&mut unsupported, "spec", &spec.other);
        let mut rules = Vec::with_capacity(spec.rules.len());
        for (index, rule) in spec.rules.iter().enumerate() {
            let at = format!("spec.rules[{index}]");
            refuse(&mut unsupported, &at, &rule.other);
            refuse_backends(&mut unsupported, &at, &rule.backend_refs);
            let every = [GrpcMatch::default()];
            let matches = if rule.matches.is_empty() { &every[..] } else { &rule.matches };
            let matches = matches
                .iter()
                .enumerate()
                .map(|(index, one)| {
                    let at = format!("{at}.matches[{index}]");
                    refuse(&mut unsupported, &at, &one.other);
                    refuse_headers(&mut unsupported, &at, &one.headers);
                    let method = one.method.clone().unwrap_or_default();
                    refuse(&mut unsupported, &format!("{at}.method"), &method.other);
                    RouteMatch {
                        path: RoutePath::Grpc {
                            kind: method.type_.unwrap_or_else(|| "Exact".into()),
                            service: method.service.filter(|service| !service.is_empty()),
                            method: method.method.filter(|method| !method.is_empty()),
                        },
                        method: None,
                        headers: one.headers.clone(),
                        at,
                    }
                })
                .collect();
            rules.push(RouteRule { matches, backends: rule.backend_refs.clone() });
        }
        Self {
            name: name_of(RouteKind::Grpc, &route.metadata),
            meta: kept(&route.metadata),
            parents: spec.parent_refs.clone(),
            hostnames: spec.hostnames.clone(),
            rules,
            unsupported,
            status: route.status.clone().unwrap_or_default(),
        }
    }
}

/// A route whose rules only say where connections go.
fn forwarding(
    kind: RouteKind,
    meta: &ObjectMeta,
    (parents, hostnames): (&[ParentReference], &[String]),
    rules: &[ForwardRule],
    other: &Other,
    status: Option<&RouteStatus>,
) -> Route {
    let mut unsupported = Vec::new();
    refuse(&mut unsupported, "spec", other);
    let rules = rules.iter().enumerate().map(|(index, rule)| {
        let at = format!("spec.rules[{index}]");
        refuse(&mut unsupported, &at, &rule.other);
        refuse_backends(&mut unsupported, &at, &rule.backend_refs);
        RouteRule { matches: Vec::new(), backends: rule.backend_refs.clone() }
    });
    Route {
        name: name_of(kind, meta),
        meta: kept(meta),
        parents: parents.to_vec(),
        hostnames: hostnames.to_vec(),
        rules: rules.collect(),
        unsupported,
        status: status.cloned().unwrap_or_default(),
    }
}

impl From<&TLSRoute> for Route {
    fn from(route: &TLSRoute) -> Self {
        let spec = &route.spec;
        let attach = (&spec.parent_refs[..], &spec.hostnames[..]);
        forwarding(RouteKind::Tls, &route.metadata, attach, &spec.rules, &spec.other, route.status.as_ref())
    }
}

impl From<&TCPRoute> for Route {
    fn from(route: &TCPRoute) -> Self {
        let spec = &route.spec;
        let attach = (&spec.parent_refs[..], &[][..]);
        forwarding(RouteKind::Tcp, &route.metadata, attach, &spec.rules, &spec.other, route.status.as_ref())
    }
}

impl From<&UDPRoute> for Route {
    fn from(route: &UDPRoute) -> Self {
        let spec = &route.spec;
        let attach = (&spec.parent_refs[..], &[][..]);
        forwarding(RouteKind::Udp, &route.metadata, attach, &spec.rules, &spec.other, route.status.as_ref())
    }
}
