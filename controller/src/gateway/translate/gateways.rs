//! Gateways and their listeners: which are served, and which routes they take.

use std::collections::{BTreeMap, BTreeSet};

use kube::core::{Selector, SelectorExt as _};
use lath_kubernetes::{
    gateway::{self, Gateway, GatewayClass, Listener, LocalReference, Other, ParametersReference},
    names,
    parameters::{GatewayParameters, GatewayParametersSpec, Layer4, Parameters},
    watch::ObjectName,
};
use lattice::{resource::ResourceKey, service::ListenerProtocol};

use super::{
    World, layer4, publish,
    verdict::{Reason, Verdict},
};
use crate::gateway::route::{Route, RouteKind};

/// What is said of a listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerVerdict {
    /// Its name.
    pub name: String,
    /// The kinds of routes that it takes.
    pub kinds: Vec<RouteKind>,
    /// How many routes are attached.
    pub attached: i32,
    /// Whether it is served.
    pub accepted: Verdict,
    /// Whether another one is in its way.
    pub conflicted: Verdict,
    /// Whether all that it refers to may be used.
    pub resolved: Verdict,
}

/// What is said of a Gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayVerdict {
    /// The service network that it stands for, by name or id.
    pub network: String,
    /// Whether it is served.
    pub accepted: Verdict,
    /// Whether another Gateway has its service network already.
    pub clash: Option<String>,
    /// Its listeners.
    pub listeners: Vec<ListenerVerdict>,
    /// The owners of the services that are reached through it.
    pub owners: BTreeSet<String>,
    /// The resource configurations that are reached through it.
    pub resources: BTreeSet<ResourceKey>,
}

/// A Gateway of a class that Lath serves.
#[derive(Debug)]
pub(super) struct View<'a> {
    pub(super) name: &'a ObjectName,
    pub(super) gateway: &'a Gateway,
    /// The controller whose class it has.
    pub(super) controller: &'a str,
    pub(super) parameters: Parameters,
    pub(super) layer4: Layer4,
    pub(super) listeners: Vec<ListenerView<'a>>,
    pub(super) verdict: GatewayVerdict,
}

/// A listener of such a Gateway.
#[derive(Debug)]
pub(super) struct ListenerView<'a> {
    pub(super) listener: &'a Listener,
    pub(super) port: u16,
    /// What Lattice calls its protocol; `None` if it has none.
    pub(super) protocol: Option<ListenerProtocol>,
    pub(super) verdict: ListenerVerdict,
}

impl View<'_> {
    /// Whether its class is the AWS controller's, so that what it stands for may have been made by that one.
    pub(super) fn is_inherited(&self) -> bool {
        self.controller == names::AWS_GATEWAY_CONTROLLER
    }

    /// Whether it asks for something that can't be followed, so that what was there before goes on.
    pub(super) fn is_suspended(&self) -> bool {
        let accepted = &self.verdict.accepted;
        !accepted.holds && accepted.reason != Reason::ListenersNotValid
    }

    /// The namespace of Cloud Map in which its services are published, if they are.
    pub(super) fn publishes(&self) -> Option<&str> {
        self.layer4.namespace.as_deref().filter(|_| self.layer4.publish_services)
    }

    /// Whether its routes are served.
    pub(super) fn is_served(&self) -> bool {
        self.verdict.accepted.holds && self.verdict.clash.is_none()
    }
}

impl ListenerView<'_> {
    /// Whether it takes routes.
    pub(super) fn is_served(&self) -> bool {
        self.verdict.accepted.holds && !self.verdict.conflicted.holds
    }

    /// Whether it takes routes of this kind.
    pub(super) fn takes(&self, kind: RouteKind) -> bool {
        self.verdict.kinds.contains(&kind)
    }
}

/// What is said of a class.
pub(super) fn class(world: &World<'_>, class: &GatewayClass) -> Verdict {
    match &class.spec.parameters_ref {
        Some(reference) => match class_parameters(world, reference) {
            Ok(_) => Verdict::yes(Reason::Accepted, "Lath serves Gateways of this class"),
            Err(message) => Verdict::no(Reason::InvalidParameters, message),
        },
        None => Verdict::yes(Reason::Accepted, "Lath serves Gateways of this class"),
    }
}

/// The Gateways of classes that Lath serves, oldest first.
pub(super) fn views<'a>(world: &World<'a>) -> Vec<View<'a>> {
    let mut gateways: Vec<(&ObjectName, &Gateway)> = world
        .objects
        .gateways
        .iter()
        .filter(|(_, gateway)| gateway.metadata.deletion_timestamp.is_none())
        .filter(|(_, gateway)| world.serves(&gateway.spec.gateway_class_name))
        .collect();
    gateways.sort_by_key(|(name, gateway)| {
        (gateway.metadata.creation_timestamp.as_ref().map(|time| time.0), *name)
    });
    let mut networks: BTreeMap<&str, &ObjectName> = BTreeMap::new();
    gateways
        .into_iter()
        .map(|(name, gateway)| {
            let first = *networks.entry(&name.name).or_insert(name);
            view(world, name, gateway, (first != name).then_some(first))
        })
        .collect()
}

fn view<'a>(
    world: &World<'a>,
    name: &'a ObjectName,
    gateway: &'a Gateway,
    first: Option<&ObjectName>,
) -> View<'a> {
    let specs = parameters(world, name, gateway);
    let layer4 = specs.as_deref().map(Layer4::resolve).unwrap_or_default();
    let (parameters, fault) = match specs {
        Ok(specs) => (Parameters::resolve(&specs), publish::lacks(&layer4).map(str::to_owned)),
        Err(message) => (Parameters::default(), Some(message)),
    };
    let listeners = listeners(gateway, &layer4);
    let accepted = match (fault, refusal(gateway)) {
        (Some(message), _) => Verdict::no(Reason::InvalidParameters, message),
        (None, Some(verdict)) => verdict,
        (None, None) => {
            let bad: Vec<&str> = listeners
                .iter()
                .filter(|view| !view.is_served() || !view.verdict.resolved.holds)
                .map(|view| view.listener.name.as_str())
                .collect();
            match bad.as_slice() {
                [] => Verdict::yes(Reason::Accepted, "Lath serves this Gateway"),
                bad => Verdict {
                    holds: listeners.iter().any(ListenerView::is_served),
                    reason: Reason::ListenersNotValid,
                    message: format!(
                        "These listeners are not valid, see their conditions: {}",
                        bad.join(", ")
                    ),
                },
            }
        }
    };
    let class = world.objects.classes.get(&gateway.spec.gateway_class_name);
    View {
        name,
        gateway,
        controller: class.map_or("", |class| &class.spec.controller_name),
        parameters,
        layer4,
        verdict: GatewayVerdict {
            network: name.name.clone(),
            accepted,
            clash: first.map(|first| {
                format!(
                    "Gateway {first}, which is older, stands for the service network {} already: a Gateway is the \
                     service network of its name. Attach routes to that Gateway, or give this one another name",
                    name.name
                )
            }),
            listeners: Vec::new(),
            owners: BTreeSet::new(),
            resources: BTreeSet::new(),
        },
        listeners,
    }
}

/// What Lath does not serve of a Gateway itself.
fn refusal(gateway: &Gateway) -> Option<Verdict> {
    if !gateway.spec.addresses.is_empty() {
        return Some(Verdict::no(
            Reason::UnsupportedAddress,
            "VPC Lattice chooses addresses by itself: remove spec.addresses",
        ));
    }
    let infrastructure = gateway.spec.infrastructure.as_ref().map(|infrastructure| &infrastructure.other);
    let fields = set_fields("spec", &gateway.spec.other)
        .chain(infrastructure.into_iter().flat_map(|other| set_fields("spec.infrastructure", other)));
    let fields: Vec<String> = fields.collect();
    (!fields.is_empty()).then(|| {
        Verdict::no(
            Reason::Invalid,
            format!("VPC Lattice has nothing like these fields, so remove them: {}", fields.join(", ")),
        )
    })
}

/// The paths of fields that say something.
fn set_fields<'a>(at: &'a str, other: &'a Other) -> impl Iterator<Item = String> + 'a {
    other.iter().filter(|(_, value)| !value.is_null()).map(move |(field, _)| format!("{at}.{field}"))
}

/// The Gateway's own parameters, then its class's.
fn parameters<'a>(
    world: &World<'a>,
    name: &ObjectName,
    gateway: &Gateway,
) -> Result<Vec<&'a GatewayParametersSpec>, String> {
    let own = gateway
        .spec
        .infrastructure
        .as_ref()
        .and_then(|infrastructure| infrastructure.parameters_ref.as_ref());
    let own = own.map(|reference| own_parameters(world, name, reference)).transpose()?;
    let class = world.objects.classes.get(&gateway.spec.gateway_class_name);
    let class = class.and_then(|class| class.spec.parameters_ref.as_ref());
    let class = class.map(|reference| class_parameters(world, reference)).transpose()?;
    Ok(own.into_iter().chain(class).map(|found| &found.spec).collect())
}

fn own_parameters<'a>(
    world: &World<'a>,
    gateway: &ObjectName,
    reference: &LocalReference,
) -> Result<&'a GatewayParameters, String> {
    let LocalReference { group, kind, name } = reference;
    let name = ObjectName { namespace: gateway.namespace.clone(), name: name.clone() };
    named_parameters(world, "spec.infrastructure.parametersRef", (group, kind), &name)
}

fn class_parameters<'a>(
    world: &World<'a>,
    reference: &ParametersReference,
) -> Result<&'a GatewayParameters, String> {
    let ParametersReference { group, kind, name, namespace } = reference;
    let Some(namespace) = namespace else {
        return Err("spec.parametersRef names no namespace: GatewayParameters are in one".into());
    };
    let name = ObjectName { namespace: namespace.clone(), name: name.clone() };
    named_parameters(world, "spec.parametersRef", (group, kind), &name)
}

fn named_parameters<'a>(
    world: &World<'a>,
    field: &str,
    (group, kind): (&str, &str),
    name: &ObjectName,
) -> Result<&'a GatewayParameters, String> {
    if (group, kind) != (names::GROUP, "GatewayParameters") {
        return Err(format!(
            "{field} is a {kind} of group {group:?}: it has to be a GatewayParameters of group {}",
            names::GROUP
        ));
    }
    let found = world.objects.parameters.get(name);
    found.ok_or_else(|| format!("{field} names GatewayParameters {name}, which do not exist: create them"))
}

fn listeners<'a>(gateway: &'a Gateway, layer4: &Layer4) -> Vec<ListenerView<'a>> {
    let mut views: Vec<ListenerView<'a>> = Vec::with_capacity(gateway.spec.listeners.len());
    for listener in &gateway.spec.listeners {
        let conflicted = views
            .iter()
            .filter(|other| other.is_served())
            .find_map(|other| conflict(other.listener, listener))
            .unwrap_or_else(|| Verdict::no(Reason::NoConflicts, "No other listener is in its way"));
        views.push(listener_view(listener, conflicted, layer4));
    }
    views
}

/// What keeps a listener from being served beside one that comes before it.
fn conflict(first: &Listener, listener: &Listener) -> Option<Verdict> {
    // The ports of UDP are others than those of TCP, by which everything else goes.
    let udp = |listener: &Listener| listener.protocol == "UDP";
    if first.port != listener.port || udp(first) != udp(listener) {
        return None;
    }
    if first.protocol != listener.protocol {
        return Some(Verdict::yes(
            Reason::ProtocolConflict,
            format!(
                "Listener {} has port {} with protocol {} already: use another port",
                first.name, first.port, first.protocol
            ),
        ));
    }
    (first.hostname == listener.hostname).then(|| {
        Verdict::yes(
            Reason::HostnameConflict,
            format!("Listener {} has the same port and hostname already: change one of them", first.name),
        )
    })
}

fn listener_view<'a>(listener: &'a Listener, conflicted: Verdict, layer4: &Layer4) -> ListenerView<'a> {
    let mode = listener.tls.as_ref().and_then(|tls| tls.mode.as_deref()).unwrap_or("Terminate");
    let (protocol, kinds, refused) = match (listener.protocol.as_str(), mode) {
        ("HTTP", _) => (Some(ListenerProtocol::Http), vec![RouteKind::Http], None),
        ("HTTPS", "Terminate") => {
            (Some(ListenerProtocol::Https), vec![RouteKind::Http, RouteKind::Grpc], None)
        }
        ("TLS", "Passthrough") => (Some(ListenerProtocol::TlsPassthrough), vec![RouteKind::Tls], None),
        ("TLS", _) => (
            None,
            vec![],
            Some("VPC Lattice ends TLS for HTTP only: set tls.mode to Passthrough, or the protocol to HTTPS"),
        ),
        ("HTTPS", _) => (
            None,
            vec![],
            Some("VPC Lattice can't pass HTTPS through: set the protocol to TLS to pass it through"),
        ),
        ("TCP", _) => (None, vec![RouteKind::Tcp], layer4::lacks_for_tcp(layer4)),
        ("UDP", _) => (None, vec![RouteKind::Udp], layer4::lacks_for_udp(layer4)),
        _ => (None, vec![], Some("This protocol is not known: use HTTP, HTTPS, TLS, TCP or UDP")),
    };
    let unknown: Vec<String> = set_fields("", &listener.other)
        .chain(listener.tls.iter().flat_map(|tls| set_fields(".tls", &tls.other)))
        .chain(
            listener.allowed_routes.iter().flat_map(|allowed| set_fields(".allowedRoutes", &allowed.other)),
        )
        .map(|field| field.trim_start_matches('.').into())
        .collect();
    let accepted = match refused {
        // The protocol is served, though not with this mode.
        Some(message) if listener.protocol == "TLS" => Verdict::no(Reason::UnsupportedValue, message),
        Some(message) => Verdict::no(Reason::UnsupportedProtocol, message),
        None if unknown.is_empty() => Verdict::yes(Reason::Accepted, "The listener is served"),
        None => Verdict::no(
            Reason::UnsupportedValue,
            format!(
                "VPC Lattice has nothing like these fields of the listener, so remove them: {}",
                unknown.join(", ")
            ),
        ),
    };
    let (kinds, resolved) = kinds_of(listener, kinds);
    ListenerView {
        listener,
        port: u16::try_from(listener.port).unwrap_or_default(),
        protocol,
        verdict: ListenerVerdict {
            name: listener.name.clone(),
            kinds,
            attached: 0,
            accepted,
            conflicted,
            resolved,
        },
    }
}

/// The kinds that a listener takes, of those that its protocol allows.
fn kinds_of(listener: &Listener, possible: Vec<RouteKind>) -> (Vec<RouteKind>, Verdict) {
    let resolved = Verdict::yes(Reason::ResolvedRefs, "All that the listener refers to may be used");
    let wanted = listener.allowed_routes.as_ref().map_or(&[][..], |allowed| &allowed.kinds);
    if wanted.is_empty() {
        return (possible, resolved);
    }
    let mut kinds = Vec::new();
    let mut wrong = Vec::new();
    for kind in wanted {
        let group = kind.group.as_deref().unwrap_or(gateway::GROUP);
        let found = possible.iter().find(|own| group == gateway::GROUP && own.as_str() == kind.kind);
        match found {
            Some(own) if !kinds.contains(own) => kinds.push(*own),
            Some(_) => {}
            None => wrong.push(kind.kind.as_str()),
        }
    }
    if wrong.is_empty() {
        return (kinds, resolved);
    }
    let message = format!(
        "A listener of protocol {} does not take {}: correct allowedRoutes.kinds to some of {}",
        listener.protocol,
        wrong.join(", "),
        possible.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ")
    );
    (kinds, Verdict::no(Reason::InvalidRouteKinds, message))
}

/// Whether a listener takes routes of the route's namespace.
pub(super) fn allows_namespace(
    world: &World<'_>,
    gateway: &ObjectName,
    listener: &Listener,
    route: &Route,
) -> bool {
    let namespaces = listener.allowed_routes.as_ref().and_then(|allowed| allowed.namespaces.as_ref());
    let namespace = &route.name.object.namespace;
    match namespaces.and_then(|namespaces| namespaces.from.as_deref()).unwrap_or("Same") {
        "All" => true,
        "Same" => *namespace == gateway.namespace,
        "Selector" => {
            let selector = namespaces.and_then(|namespaces| namespaces.selector.clone());
            let selector = selector.and_then(|selector| Selector::try_from(selector).ok());
            let labels = world.objects.namespaces.get(namespace).map(|namespace| &namespace.labels);
            selector.zip(labels).is_some_and(|(selector, labels)| selector.matches(labels))
        }
        _ => false,
    }
}
