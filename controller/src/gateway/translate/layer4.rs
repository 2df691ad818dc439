//! TCPRoutes and UDPRoutes.
//!
//! Each TCPRoute is a resource configuration at each of its listeners, which leads through a resource gateway to the
//! directory of its pods. A UDPRoute is that directory alone, where its Gateway lets traffic go past VPC Lattice. What VPC
//! Lattice can't do is said of the route: it translates no ports, and does not share connections among backends.

use std::collections::{BTreeMap, BTreeSet};

use lath_kubernetes::{
    Service,
    parameters::{Layer4, ResourceGatewayParameters, Udp},
    service::{ServicePort, TargetPort},
    watch::ObjectName,
};
use lattice::{
    Tags, names,
    resource::{
        ConfigurationSpec, DIRECTORY_LENGTH, DirectorySpec, DnsTarget, GatewaySpec, GatewayUse, Holds,
        LABEL_LENGTH, PodsOf, ResourceKey, ResourceKind, ResourceSpec, fits_directory,
    },
    service::Owner,
    tags,
    target::IpFamily,
};

use super::{
    ParentVerdict, RouteVerdict, World,
    attach::Parent,
    backends,
    gateways::{ListenerView, View},
    policies, services,
    verdict::{Reason, Verdict},
};
use crate::gateway::route::{Route, RouteKind};

/// What a Gateway has to say before it has TCP listeners, if it does not.
pub(super) fn lacks_for_tcp(layer4: &Layer4) -> Option<&'static str> {
    match &layer4.resource_gateway {
        Some(ResourceGatewayParameters { id: Some(_), subnet_ids, security_group_ids })
            if !(subnet_ids.is_empty() && security_group_ids.is_empty()) =>
        {
            Some(
                "resourceGateway of the GatewayParameters has an id, and subnetIds or securityGroupIds, which are for one that \
                 Lath makes: set either",
            )
        }
        Some(gateway) if gateway.id.is_none() && gateway.subnet_ids.is_empty() => {
            Some("resourceGateway of the GatewayParameters has neither an id nor subnetIds: set either")
        }
        Some(_) if layer4.namespace.is_some() => None,
        _ => Some(
            "TCP needs a resource gateway, and a private DNS namespace for the pods: set resourceGateway and \
             cloudMapNamespace in the GatewayParameters of the Gateway or of its class",
        ),
    }
}

/// What a Gateway has to say before it has UDP listeners, if it does not.
pub(super) fn lacks_for_udp(layer4: &Layer4) -> Option<&'static str> {
    match (layer4.udp, &layer4.namespace) {
        (Udp::Refused, _) => Some(
            "VPC Lattice carries no UDP: reach the pods by a headless Service, or let traffic go straight to them, past \
             VPC Lattice (GatewayParameters, udp: Direct)",
        ),
        (Udp::Direct, None) => Some(
            "UDP needs a private DNS namespace for the pods: set cloudMapNamespace in the GatewayParameters of the Gateway \
             or of its class",
        ),
        (Udp::Direct, Some(_)) => None,
    }
}

/// What a route comes to.
pub(super) struct Taken {
    pub(super) verdict: RouteVerdict,
    pub(super) resources: BTreeMap<ResourceKey, ResourceSpec>,
    /// The Gateways' and listeners' places that it is attached to.
    pub(super) attached: Vec<(usize, usize)>,
    /// The Gateways' places, and the resource configurations that are reached there.
    pub(super) reached: Vec<(usize, ResourceKey)>,
    /// Whether what was there of it before goes on.
    pub(super) holds: bool,
}

/// A route's only backend.
struct Backend<'a> {
    service: &'a Service,
    port: &'a ServicePort,
}

/// Judges a route at each of its parents, and takes it in where it can be served.
pub(super) fn take(world: &World<'_>, views: &[View<'_>], route: &Route, parents: &[Parent<'_>]) -> Taken {
    let (backend, resolved) = match backend(world, route) {
        Ok(backend) => {
            (Some(backend), Verdict::yes(Reason::ResolvedRefs, "All that the route refers to may be used"))
        }
        Err(verdict) => (None, verdict),
    };
    let shape = shape_fault(route);
    let mut taken = Taken {
        verdict: RouteVerdict::default(),
        resources: BTreeMap::new(),
        attached: Vec::new(),
        reached: Vec::new(),
        holds: parents.iter().any(|parent| views[parent.gateway].is_suspended()),
    };
    for parent in parents {
        let view = &views[parent.gateway];
        let accepted = match (&parent.refused, &shape) {
            (Some(refused), _) => refused.clone(),
            (None, Some(fault)) => fault.clone(),
            (None, None) => {
                taken.attach(world, view, route, backend.as_ref(), parent).unwrap_or_else(|verdict| verdict)
            }
        };
        taken.holds |= accepted.reason == Reason::UnsupportedValue;
        taken.verdict.parents.push(ParentVerdict {
            parent: parent.reference.clone(),
            controller: view.controller.into(),
            accepted,
            resolved: resolved.clone(),
        });
    }
    taken
}

impl Taken {
    /// Takes a route in at a parent, whole or not at all.
    fn attach(
        &mut self,
        world: &World<'_>,
        view: &View<'_>,
        route: &Route,
        backend: Option<&Backend<'_>>,
        parent: &Parent<'_>,
    ) -> Result<Verdict, Verdict> {
        let listeners = parent.listeners.iter().map(|(index, _)| (*index, &view.listeners[*index]));
        let served: Vec<(usize, &ListenerView<'_>)> =
            listeners.clone().filter(|(_, listener)| listener.is_served()).collect();
        let Some(namespace) = view.layer4.namespace.as_ref().filter(|_| !served.is_empty()) else {
            let why = listeners.map(|(_, listener)| {
                let said = &listener.verdict;
                let why = if said.accepted.holds { &said.conflicted } else { &said.accepted };
                format!("listener {} is not served: {}", said.name, why.message)
            });
            let message = format!("Of Gateway {}, {}", view.name, why.collect::<Vec<_>>().join("; "));
            return Err(Verdict::no(Reason::NotAllowedByListeners, message));
        };
        let family = backend.and_then(|backend| backend.service.families.first().copied());
        let family = family.unwrap_or(IpFamily::IPv4);
        let (key, directory) = directory(world, view, route, backend, namespace, family)?;
        let mut resources = BTreeMap::new();
        let mut reached = Vec::new();
        if route.name.kind == RouteKind::Tcp {
            for (_, listener) in &served {
                check_port(listener, backend)?;
                let (of, gateway) = gateway(world, view, family);
                resources.extend(gateway);
                let target = DnsTarget { name: directory.dns_name(), family };
                let configuration = configuration(world, view, route, listener.port, of, (&key, target));
                reached.push((parent.gateway, configuration.0.clone()));
                resources.insert(configuration.0, ResourceSpec::Configuration(configuration.1));
            }
        }
        let direct = (route.name.kind == RouteKind::Udp).then(|| directory.dns_name());
        resources.insert(key, ResourceSpec::Directory(directory));
        self.verdict.resources.extend(resources.keys().cloned());
        self.resources.extend(resources);
        self.reached.extend(reached);
        self.attached.extend(parent.listeners.iter().map(|(listener, _)| (parent.gateway, *listener)));
        let mut message = "The route is attached to the Gateway".to_owned();
        if let Some(name) = direct {
            message = format!(
                "{message}. VPC Lattice carries no UDP, so traffic goes straight to the pods, past VPC Lattice and its \
                 policies: clients resolve {name}, whose records are the ready pods' addresses and ports"
            );
            self.verdict.direct.get_or_insert(name);
        } else if policies::auth_of_gateway(world, view.name).is_some() {
            message.push_str(
                ". The Gateway's IAMAuthPolicy does not hold for it, since VPC Lattice has none for resource configurations",
            );
        }
        Ok(Verdict::yes(Reason::Accepted, message))
    }
}

/// What VPC Lattice can't do of a route, whichever its listeners are.
fn shape_fault(route: &Route) -> Option<Verdict> {
    let kind = route.name.kind.as_str();
    let message = if !route.unsupported.is_empty() {
        format!(
            "VPC Lattice can't do what these fields ask for: {}. Remove them; until then what was accepted before goes on",
            route.unsupported.join(", ")
        )
    } else if route.rules.len() != 1 {
        format!(
            "The {kind} has {} rules, and has to have one: nothing tells connections apart. Write a {kind} for each",
            route.rules.len()
        )
    } else if let [rule] = route.rules.as_slice() {
        match rule.backends.as_slice() {
            [backend] if backend.weight != Some(0) => return None,
            [_] => "spec.rules[0].backendRefs[0].weight is 0, and connections can't be shared by weight: remove it".into(),
            [] => "spec.rules[0].backendRefs is empty: name the Service that connections go to".into(),
            backends => format!(
                "spec.rules[0].backendRefs has {} backends, and has to have one: connections can't be shared by weight",
                backends.len()
            ),
        }
    } else {
        return None;
    };
    Some(Verdict::no(Reason::UnsupportedValue, message))
}

/// The only backend of a route, or why it can't be used.
fn backend<'a>(world: &World<'a>, route: &Route) -> Result<Backend<'a>, Verdict> {
    let at = "spec.rules[0].backendRefs[0]";
    let Some(reference) = route.rules.first().and_then(|rule| rule.backends.first()) else {
        return Err(Verdict::no(Reason::BackendNotFound, "The route has no backend: name one"));
    };
    let group = reference.group.as_deref().unwrap_or_default();
    let kind = reference.kind.as_deref().unwrap_or("Service");
    if (group, kind) != ("", "Service") {
        let message = format!(
            "{at} is a {kind} of group {group:?}: a {} leads to a Service only",
            route.name.kind.as_str()
        );
        return Err(Verdict::no(Reason::InvalidKind, message));
    }
    let own = &route.name.object.namespace;
    let name = ObjectName {
        namespace: reference.namespace.clone().unwrap_or_else(|| own.clone()),
        name: reference.name.clone(),
    };
    if name.namespace != *own && !backends::granted(world, route, "", "Service", &name) {
        let message = format!(
            "{at} is Service {name} of another namespace, which does not allow it: create a ReferenceGrant in {} from {} in \
             {own} to Service {}",
            name.namespace,
            route.name.kind.as_str(),
            name.name
        );
        return Err(Verdict::no(Reason::RefNotPermitted, message));
    }
    let Some(service) = (world.service)(&name) else {
        let message = format!("{at} is Service {name}, which does not exist: create it, or correct the name");
        return Err(Verdict::no(Reason::BackendNotFound, message));
    };
    if service.external || service.selector.is_empty() {
        let message = format!("{at} is Service {name}, which selects no pods: use one that does");
        return Err(Verdict::no(Reason::UnsupportedValue, message));
    }
    let Some(number) = reference.port else {
        return Err(Verdict::no(Reason::UnsupportedValue, format!("{at} names no port: set {at}.port")));
    };
    let wanted = if route.name.kind == RouteKind::Udp { "UDP" } else { "TCP" };
    let mut of_number = service.ports.iter().filter(|port| i32::from(port.port) == number);
    if let Some(port) = of_number.clone().find(|port| port.protocol == wanted) {
        return Ok(Backend { service, port });
    }
    if let Some(port) = of_number.next() {
        let message =
            format!("{at} is port {number} of Service {name}, which is {}, not {wanted}", port.protocol);
        return Err(Verdict::no(Reason::UnsupportedProtocol, message));
    }
    let ports: Vec<String> = service.ports.iter().map(|port| port.port.to_string()).collect();
    let message = format!("{at} is port {number} of Service {name}, which has these: {}", ports.join(", "));
    Err(Verdict::no(Reason::BackendNotFound, message))
}

/// The port that clients connect to is the pods' own.
fn check_port(listener: &ListenerView<'_>, backend: Option<&Backend<'_>>) -> Result<(), Verdict> {
    let Some(Backend { service, port }) = backend else { return Ok(()) };
    let (name, at) = (service.object_name(), &listener.listener.name);
    let message = match &port.target {
        TargetPort::Number(number) if *number == listener.port => return Ok(()),
        TargetPort::Number(number) => format!(
            "Listener {at} has port {}, and port {} of Service {name} leads to port {number} of its pods: VPC Lattice \
             translates no ports of TCP, so give the listener port {number}, or the pods port {}",
            listener.port, port.port, listener.port
        ),
        TargetPort::Name(target) => format!(
            "Port {} of Service {name} leads to whatever port its pods call {target}: VPC Lattice translates no ports of \
             TCP, so set its targetPort to {}, the port of listener {at}",
            port.port, listener.port
        ),
    };
    Err(Verdict::no(Reason::UnsupportedValue, message))
}

/// The directory of a route's pods. Without a backend that can be used it is empty.
fn directory(
    world: &World<'_>,
    view: &View<'_>,
    route: &Route,
    backend: Option<&Backend<'_>>,
    namespace: &str,
    family: IpFamily,
) -> Result<(ResourceKey, DirectorySpec), Verdict> {
    let object = &route.name.object;
    // What can't be changed of a directory is in its key.
    let owner = format!("{}/{namespace}/{family}", route.name);
    let ports = route.name.kind == RouteKind::Udp;
    let name = if ports {
        // The part that people see. No directory of a TCPRoute has a dot in its name.
        let name = format!("{}.{}", object.name, object.namespace);
        if !fits_directory(&name) {
            let message = format!(
                "The pods would be published as {name}, and Cloud Map takes {DIRECTORY_LENGTH} characters, {LABEL_LENGTH} \
                 between dots: give the route a shorter name"
            );
            return Err(Verdict::no(Reason::UnsupportedValue, message));
        }
        name
    } else {
        names::of_layer4(&object.name, &object.namespace, &owner, &world.site.cluster)
    };
    let spec = DirectorySpec {
        namespace: namespace.into(),
        create_namespace: view.layer4.create_namespace,
        vpc: world.site.vpc.clone(),
        name,
        holds: Holds::Pods {
            of: backend.map(|Backend { service, port }| PodsOf {
                namespace: service.namespace.clone(),
                service: service.name.clone(),
                port: port.port,
                protocol: port.protocol.clone(),
            }),
            family,
            ports,
        },
        tags: route_tags(world, route, &owner),
    };
    Ok((ResourceKey { kind: ResourceKind::Directory, owner }, spec))
}

/// The resource gateway of a Gateway for addresses of a family, and how that is made if it is not there already.
fn gateway(
    world: &World<'_>,
    view: &View<'_>,
    family: IpFamily,
) -> (GatewayUse, Option<(ResourceKey, ResourceSpec)>) {
    let settings = view.layer4.resource_gateway.clone().unwrap_or_default();
    if let Some(id) = settings.id {
        return (GatewayUse::External(id.as_str().into()), None);
    }
    let subnets: BTreeSet<String> = settings.subnet_ids.into_iter().collect();
    let security_groups: BTreeSet<String> = settings.security_group_ids.into_iter().collect();
    let text = format!("{}\n{subnets:?}\n{security_groups:?}\n{family}", world.site.vpc);
    let owner = format!("ResourceGateway/{}", &names::hash(&text)[..20]);
    let mut tags = world.own_tags();
    tags.insert(tags::OWNER.into(), names::owner_tag(&owner));
    let spec = GatewaySpec {
        name: names::resource_gateway(&owner, &world.site.cluster),
        vpc: world.site.vpc.clone(),
        subnets,
        security_groups,
        family,
        tags,
    };
    let key = ResourceKey { kind: ResourceKind::Gateway, owner };
    (GatewayUse::Own(key.clone()), Some((key, ResourceSpec::Gateway(spec))))
}

/// The resource configuration of a route at a listener.
fn configuration(
    world: &World<'_>,
    view: &View<'_>,
    route: &Route,
    port: u16,
    gateway: GatewayUse,
    (directory, target): (&ResourceKey, DnsTarget),
) -> (ResourceKey, ConfigurationSpec) {
    let object = &route.name.object;
    let owner = format!("{}/{}/{port}", route.name, view.name);
    let spec = ConfigurationSpec {
        name: names::of_layer4(&object.name, &object.namespace, &owner, &world.site.cluster),
        gateway,
        port,
        directory: directory.clone(),
        target,
        network: view.verdict.network.clone(),
        tags: route_tags(world, route, &owner),
    };
    (ResourceKey { kind: ResourceKind::Configuration, owner }, spec)
}

fn route_tags(world: &World<'_>, route: &Route, owner: &Owner) -> Tags {
    let name = &route.name.object;
    let mut tags = world.own_tags();
    tags.insert(tags::OWNER.into(), names::owner_tag(owner));
    tags.insert(tags::MANAGED_BY.into(), world.manager());
    tags.insert(tags::ROUTE_NAME.into(), names::tag_value(&name.name));
    tags.insert(tags::ROUTE_NAMESPACE.into(), names::tag_value(&name.namespace));
    tags.insert(tags::ROUTE_TYPE.into(), route.name.kind.tag().into());
    tags.extend(services::extra_tags(route.annotation(lath_kubernetes::names::AWS_TAGS)));
    tags
}
