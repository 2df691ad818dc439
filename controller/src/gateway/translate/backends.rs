//! From a rule's backends to an action of Lattice.

use lath_kubernetes::{
    Service,
    gateway::{self, BackendReference},
    names as well_known,
    policy::TargetGroupPolicy,
    service::ServicePort,
    watch::ObjectName,
};
use lattice::{
    limits::{GROUPS_PER_ACTION, LARGEST_WEIGHT},
    rule::{Action, Weighted},
    service::{GroupKey, GroupProtocol, HttpVersion, Owner, ServiceGroupKey},
    target::IpFamily,
};

use super::{
    World,
    declared::{self, Declared, Found},
    imports::{self, Lookup},
    policies,
    verdict::{Reason, Verdict},
};
use crate::gateway::{
    multicluster::Dialect,
    route::{Route, RouteKind, RouteRule},
};

/// The `appProtocol` of HTTP/2 without TLS.
const H2C: &str = "kubernetes.io/h2c";
/// Those of WebSocket, without and with TLS.
const WEBSOCKET: [&str; 2] = ["kubernetes.io/ws", "kubernetes.io/wss"];

/// Where a rule sends its requests, before it is known for which service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sends {
    /// Nowhere: requests are answered with 500, as the standard has it for rules without a backend that can be used.
    Nowhere,
    /// To these, by weight.
    To(Vec<(Backend, u16)>),
}

/// What a group is made of, or which it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Backend {
    /// Pods behind a Service's port.
    Pods { service: ObjectName, port: u16, protocol: GroupProtocol, family: IpFamily },
    /// Targets that a TargetGroup declares.
    Declared(Declared),
    /// A group that somebody else keeps.
    Kept(GroupKey),
}

impl Backend {
    /// The key of its group for a service.
    fn key(&self, owner: &Owner) -> GroupKey {
        match self {
            Self::Pods { service, port, protocol, family } => GroupKey::Service(Box::new(ServiceGroupKey {
                owner: owner.clone(),
                namespace: service.namespace.clone(),
                service: service.name.clone(),
                port: *port,
                protocol: *protocol,
                family: *family,
            })),
            Self::Declared(declared) => declared.key(owner),
            Self::Kept(key) => key.clone(),
        }
    }
}

impl Sends {
    /// The action for a service.
    pub(super) fn action(&self, owner: &Owner) -> Action<GroupKey> {
        match self {
            Self::Nowhere => Action::Fixed(500),
            Self::To(backends) => {
                let mut shares: Vec<Weighted<GroupKey>> = backends
                    .iter()
                    .map(|(backend, weight)| Weighted { group: backend.key(owner), weight: *weight })
                    .collect();
                shares.sort();
                Action::Forward(shares)
            }
        }
    }
}

/// Judges a rule's backends. The second is what is wrong with them, if anything is. What has to be looked for is added to
/// `lookups`.
pub(super) fn judge(
    world: &World<'_>,
    route: &Route,
    index: usize,
    rule: &RouteRule,
    lookups: &mut Vec<Lookup>,
) -> (Sends, Option<Verdict>) {
    // What is sent to each, of which several share a backend's weight.
    let mut found: Vec<(Vec<Backend>, u64)> = Vec::with_capacity(rule.backends.len());
    let mut wrong = None;
    for (place, reference) in rule.backends.iter().enumerate() {
        let at = format!("spec.rules[{index}].backendRefs[{place}]");
        let weight = u64::try_from(reference.weight.unwrap_or(1)).unwrap_or(0);
        match backend(world, route, reference, &at, lookups) {
            Ok(backends) => {
                wrong = wrong.or_else(|| unspoken(world, route, reference, &at));
                found.push((backends, weight));
            }
            // It would get nothing anyway.
            Err(verdict) if weight == 0 => wrong = wrong.or(Some(verdict)),
            // Lattice can't answer a share of the requests with 500, so it answers all of the rule's.
            Err(verdict) => return (Sends::Nowhere, Some(verdict)),
        }
    }
    let mut shares = share(found);
    shares.retain(|(_, weight)| *weight > 0);
    if shares.is_empty() {
        return (Sends::Nowhere, wrong);
    }
    if shares.len() > GROUPS_PER_ACTION {
        let message = format!(
            "spec.rules[{index}].backendRefs has {} backends, and VPC Lattice shares requests among {GROUPS_PER_ACTION} at \
             most",
            shares.len()
        );
        return (Sends::Nowhere, Some(Verdict::no(Reason::UnsupportedValue, message)));
    }
    (Sends::To(scale(shares)), wrong)
}

/// The weight of each backend. Where some share a weight, all are doubled, so that halves are whole.
fn share(found: Vec<(Vec<Backend>, u64)>) -> Vec<(Backend, u64)> {
    let whole: u64 = if found.iter().any(|(backends, _)| backends.len() > 1) { 2 } else { 1 };
    let mut shares: Vec<(Backend, u64)> = Vec::with_capacity(found.len());
    for (backends, weight) in found {
        let each = weight * if backends.len() > 1 { 1 } else { whole };
        for backend in backends {
            match shares.iter_mut().find(|(other, _)| *other == backend) {
                Some((_, sum)) => *sum += each,
                None => shares.push((backend, each)),
            }
        }
    }
    shares
}

/// Weights within what Lattice takes, in the same proportions as nearly as may be; none becomes zero.
fn scale(shares: Vec<(Backend, u64)>) -> Vec<(Backend, u16)> {
    let largest = shares.iter().map(|(_, weight)| *weight).max().unwrap_or(1);
    let limit = u64::from(LARGEST_WEIGHT);
    shares
        .into_iter()
        .map(|(backend, weight)| {
            let scaled = if largest > limit { (weight * limit / largest).max(1) } else { weight };
            (backend, u16::try_from(scaled).unwrap_or(LARGEST_WEIGHT))
        })
        .collect()
}

/// What a reference stands for: one backend, or one for each family of addresses that a Service asks for.
fn backend(
    world: &World<'_>,
    route: &Route,
    reference: &BackendReference,
    at: &str,
    lookups: &mut Vec<Lookup>,
) -> Result<Vec<Backend>, Verdict> {
    let group = reference.group.as_deref().unwrap_or_default();
    let kind = reference.kind.as_deref().unwrap_or("Service");
    let dialect = Dialect::ALL.into_iter().find(|dialect| dialect.group() == group);
    let own = &route.name.object.namespace;
    let name = ObjectName {
        namespace: reference.namespace.clone().unwrap_or_else(|| own.clone()),
        name: reference.name.clone(),
    };
    let known = match (group, kind) {
        ("", "Service") | (well_known::GROUP, "TargetGroup") => true,
        (_, "ServiceImport") => dialect.is_some(),
        _ => false,
    };
    if !known {
        return Err(Verdict::no(
            Reason::InvalidKind,
            format!(
                "{at} is a {kind} of group {group:?}: Lath sends requests to Services, to TargetGroups of group {} and to \
                 ServiceImports of groups {} and {}",
                well_known::GROUP,
                Dialect::Aws.group(),
                Dialect::Standard.group()
            ),
        ));
    }
    if name.namespace != *own && !granted(world, route, group, kind, &name) {
        return Err(Verdict::no(
            Reason::RefNotPermitted,
            format!(
                "{at} is {kind} {name} of another namespace, which does not allow it: create a ReferenceGrant in {} from {} \
                 in {own} to {kind} {}",
                name.namespace,
                route.name.kind.as_str(),
                name.name
            ),
        ));
    }
    if kind == "TargetGroup" {
        return Ok(vec![match declared::backend(world, route.name.kind, &name, at)? {
            Found::Declared(declared) => Backend::Declared(declared),
            Found::Kept(key) => {
                lookups.push(Lookup { at: format!("{at} is TargetGroup {name}"), key: key.clone() });
                Backend::Kept(key)
            }
        }]);
    }
    if let Some(dialect) = dialect {
        let lookup = imports::backend(world, route.name.kind, dialect, &name, reference, at)?;
        let key = lookup.key.clone();
        lookups.push(lookup);
        return Ok(vec![Backend::Kept(key)]);
    }
    let Some(service) = (world.service)(&name) else {
        return Err(Verdict::no(
            Reason::BackendNotFound,
            format!("{at} is Service {name}, which does not exist: create it, or correct the name"),
        ));
    };
    if service.external {
        return Err(Verdict::no(
            Reason::UnsupportedValue,
            format!(
                "{at} is Service {name} of type ExternalName, which has no pods: use one that selects pods"
            ),
        ));
    }
    let Some(number) = reference.port else {
        return Err(Verdict::no(Reason::UnsupportedValue, format!("{at} names no port: set {at}.port")));
    };
    let Some(port) = service.ports.iter().find(|port| i32::from(port.port) == number) else {
        let ports: Vec<String> = service.ports.iter().map(|port| port.port.to_string()).collect();
        return Err(Verdict::no(
            Reason::BackendNotFound,
            format!("{at} is port {number} of Service {name}, which has these: {}", ports.join(", ")),
        ));
    };
    if port.protocol != "TCP" {
        return Err(Verdict::no(
            Reason::UnsupportedProtocol,
            format!(
                "{at} is port {number} of Service {name}, which is {}, and VPC Lattice reaches targets by TCP",
                port.protocol
            ),
        ));
    }
    let protocol = protocol(route.name.kind, policies::of_service(world, &name), port);
    let families = families(service).map_err(|fault| {
        Verdict::no(Reason::UnsupportedValue, format!("{at} is Service {name}, whose annotation {fault}"))
    })?;
    let pods = |family| Backend::Pods { service: name.clone(), port: port.port, protocol, family };
    Ok(families.into_iter().map(pods).collect())
}

/// What Lattice does not speak with a Service's port. Its other requests go there all the same.
fn unspoken(world: &World<'_>, route: &Route, reference: &BackendReference, at: &str) -> Option<Verdict> {
    let namespace = reference.namespace.as_ref().unwrap_or(&route.name.object.namespace).clone();
    let name = ObjectName { namespace, name: reference.name.clone() };
    if route.name.kind != RouteKind::Http || !leads_to(route, reference, &name) {
        return None;
    }
    let ports = &(world.service)(&name)?.ports;
    let port = ports.iter().find(|port| Some(i32::from(port.port)) == reference.port)?;
    let app = port.app_protocol.as_deref().filter(|app| WEBSOCKET.contains(app))?;
    let policy = policies::of_service(world, &name).map(|policy| &policy.spec);
    if policy.is_some_and(|spec| spec.protocol.is_some() || spec.protocol_version.is_some()) {
        return None;
    }
    Some(Verdict::no(
        Reason::UnsupportedProtocol,
        format!(
            "{at} is port {} of Service {name}, whose appProtocol is {app}, and VPC Lattice refuses WebSocket: reach it another \
             way. If it takes other requests too, which are sent to it by HTTP/1.1, say so by a TargetGroupPolicy with \
             protocolVersion HTTP1",
            port.port
        ),
    ))
}

/// Whether a route sends requests, by its weight, to this Service.
pub(super) fn leads_to(route: &Route, reference: &BackendReference, service: &ObjectName) -> bool {
    let own = &route.name.object.namespace;
    reference.group.as_deref().unwrap_or_default().is_empty()
        && reference.kind.as_deref().unwrap_or("Service") == "Service"
        && reference.weight.unwrap_or(1) > 0
        && reference.name == service.name
        && *reference.namespace.as_ref().unwrap_or(own) == service.namespace
}

/// What keeps a rule's groups as they are: a policy that asks for TCP, which VPC Lattice refuses but for TLSRoutes.
pub(super) fn misfit(world: &World<'_>, route: &Route, index: usize, rule: &RouteRule) -> Option<String> {
    if route.name.kind == RouteKind::Tls {
        return None;
    }
    let own = &route.name.object.namespace;
    rule.backends.iter().enumerate().find_map(|(place, reference)| {
        let name = ObjectName {
            namespace: reference.namespace.clone().unwrap_or_else(|| own.clone()),
            name: reference.name.clone(),
        };
        let may = || name.namespace == *own || granted(world, route, "", "Service", &name);
        let policy = leads_to(route, reference, &name)
            .then(|| policies::of_service(world, &name))
            .flatten()
            .filter(|policy| policies::is_tcp(policy) && may() && (world.service)(&name).is_some())?;
        Some(format!(
            "spec.rules[{index}].backendRefs[{place}] is Service {name}, whose TargetGroupPolicy {} has protocol TCP, \
             which is for TLSRoutes: set HTTP or HTTPS there. Until then what was accepted before goes on",
            policy.metadata.name.as_deref().unwrap_or_default()
        ))
    })
}

/// The families of addresses for which a Service has groups: those that it asks for, else its first.
fn families(service: &Service) -> Result<Vec<IpFamily>, String> {
    let Some(asked) = &service.asks_for_families else {
        return Ok(vec![service.families.first().copied().unwrap_or(IpFamily::IPv4)]);
    };
    let mut families = Vec::new();
    for part in asked.split(',').map(str::trim) {
        let family = match part {
            "IPv4" => IpFamily::IPv4,
            "IPv6" => IpFamily::IPv6,
            _ => return Err(format!("{} has {part:?}: use IPv4, IPv6 or both", well_known::IP_FAMILIES)),
        };
        if !service.families.contains(&family) {
            return Err(format!(
                "{} has {family}, which the Service itself has not: set its ipFamilyPolicy and ipFamilies",
                well_known::IP_FAMILIES
            ));
        }
        if !families.contains(&family) {
            families.push(family);
        }
    }
    Ok(families)
}

/// How targets are spoken to: as a policy says, else as the Service's port has it, else as the route's kind has it. A
/// policy's TCP counts as HTTP where the route is no TLSRoute: that is refused elsewhere.
pub(super) fn protocol(
    kind: RouteKind,
    policy: Option<&TargetGroupPolicy>,
    port: &ServicePort,
) -> GroupProtocol {
    use lath_kubernetes::policy::{Protocol, ProtocolVersion};
    let spec = policy.map(|policy| &policy.spec);
    if kind == RouteKind::Tls {
        return GroupProtocol::Tcp;
    }
    let with_tls = spec.is_some_and(|spec| spec.protocol == Some(Protocol::Https));
    // It means HTTP/2 without TLS, and so says nothing of pods that a policy wants TLS with.
    let is_h2c = !with_tls && port.app_protocol.as_deref() == Some(H2C);
    let version = match (kind, spec.and_then(|spec| spec.protocol_version)) {
        (RouteKind::Grpc, _) => HttpVersion::Grpc,
        (_, Some(ProtocolVersion::Http2)) => HttpVersion::Http2,
        (_, None) if is_h2c => HttpVersion::Http2,
        _ => HttpVersion::Http1,
    };
    if with_tls { GroupProtocol::Https(version) } else { GroupProtocol::Http(version) }
}

/// Whether a ReferenceGrant lets the route refer to an object of another namespace.
pub(super) fn granted(
    world: &World<'_>,
    route: &Route,
    group: &str,
    kind: &str,
    object: &ObjectName,
) -> bool {
    let grants = world.objects.grants.iter().filter(|(name, _)| name.namespace == object.namespace);
    grants.map(|(_, grant)| &grant.spec).any(|grant| {
        let from = grant.from.iter().any(|from| {
            from.group == gateway::GROUP
                && from.kind == route.name.kind.as_str()
                && from.namespace == route.name.object.namespace
        });
        let to = grant.to.iter().any(|to| {
            to.group == group && to.kind == kind && to.name.as_ref().is_none_or(|name| *name == object.name)
        });
        from && to
    })
}
