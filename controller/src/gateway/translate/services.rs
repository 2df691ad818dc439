//! Services: what the routes come to.
//!
//! A Gateway has either a service for each of its routes' host names, as the AWS controller has, or one for each host
//! name with the rules of all routes. Routes are taken in by age, whole or not at all: one that does not fit leaves those
//! before it as they are.

use std::collections::{BTreeMap, BTreeSet};

use lath_kubernetes::{
    names as well_known,
    parameters::{Parameters, Services},
};
use lattice::{
    Tags,
    limits::USER_TAGS_PER_RESOURCE,
    names,
    rule::{Action, Rule},
    service::{GroupKey, GroupSpec, ListenerProtocol, ListenerSpec, Owner, ServiceGroupKey, ServiceSpec},
    tags,
};

use super::{
    Certificates, World,
    attach::Parent,
    backends::Sends,
    declared,
    gateways::View,
    hostnames::{Hostname, certified},
    matches::{Lowered, Weight},
    policies,
    verdict::{Reason, Verdict},
};
use crate::{
    gateway::route::{Route, RouteKind, RouteName},
    quotas::{Quota, Use},
};

mod quotas;
mod share;

pub use share::Share;

/// A route whose every part Lattice can express.
pub(super) struct Ready<'a> {
    pub(super) route: &'a Route,
    /// Its rules: matches, and where they send requests. Empty for routes that only forward.
    pub(super) rules: Vec<(Vec<Lowered>, Sends)>,
    /// The order in which its rules are tried, before the standard's.
    pub(super) numbers: Vec<u16>,
}

/// The place of a rule in a listener: what is less is tried first.
type Place = (u16, Weight, k8s_openapi::jiff::Timestamp, String, usize, usize, usize);

/// A rule, and whose it is.
#[derive(Debug, Clone)]
struct Placed {
    route: RouteName,
    rule: Rule<GroupKey>,
}

/// A listener that is being put together.
#[derive(Debug, Clone)]
struct ListenerDraft {
    protocol: ListenerProtocol,
    default: Action<GroupKey>,
    rules: BTreeMap<Place, Placed>,
}

/// A service that is being put together.
#[derive(Debug, Clone)]
struct Draft {
    spec: ServiceSpec,
    /// What its Gateway goes by.
    parameters: Parameters,
    /// Whose name and namespace its listeners' names begin with.
    named: (String, String),
    listeners: BTreeMap<u16, ListenerDraft>,
    /// Whose connections are passed through on a port: one route's, even while it has no backend that can be used.
    passing: BTreeMap<u16, RouteName>,
}

/// All services that are being put together.
#[derive(Debug, Default)]
pub(super) struct Drafts {
    by_owner: BTreeMap<Owner, Draft>,
    names: BTreeSet<String>,
    /// Who has a host name in a network.
    claims: BTreeMap<(String, String), Owner>,
}

/// What the routes come to.
#[derive(Debug, Default)]
pub(super) struct Finished {
    pub(super) services: BTreeMap<Owner, ServiceSpec>,
    /// The groups that are made for them.
    pub(super) groups: BTreeMap<GroupKey, GroupSpec>,
    /// Those that they name and others keep.
    pub(super) imports: BTreeSet<GroupKey>,
    /// What each route has of the services that it shares with others.
    pub(super) shares: BTreeMap<RouteName, BTreeMap<Owner, Share>>,
    /// How far they use quotas, each by the one that comes nearest to it.
    pub(super) quotas: BTreeMap<Quota, Use>,
}

/// Why a route is not taken in.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) verdict: Verdict,
    /// The owners of its services whose host name an older service has: they give the name up, and the others stay.
    pub(super) contested: BTreeSet<Owner>,
}

impl From<Verdict> for Refused {
    fn from(verdict: Verdict) -> Self {
        Self { verdict, contested: BTreeSet::new() }
    }
}

/// What a service of a route is for.
pub(super) struct Want<'a> {
    pub(super) owner: Owner,
    pub(super) hostname: Hostname,
    /// The Gateways and listeners at which the route has the host name.
    pub(super) places: Vec<(&'a View<'a>, usize)>,
}

/// The owners that the services of a route have or would have.
pub(super) fn owners(views: &[View<'_>], route: &Route, parents: &[Parent<'_>]) -> BTreeSet<Owner> {
    wants(views, route, parents).into_iter().map(|want| want.owner).collect()
}

/// The services that a route has or would have.
pub(super) fn wants<'a>(views: &'a [View<'a>], route: &Route, parents: &[Parent<'_>]) -> Vec<Want<'a>> {
    let mut wants: Vec<Want<'a>> = Vec::new();
    for parent in parents {
        let view = &views[parent.gateway];
        for (listener, hostnames) in &parent.listeners {
            if !view.listeners[*listener].is_served() {
                continue;
            }
            for hostname in hostnames {
                let whose = match view.parameters.services {
                    Services::PerRoute => route.name.to_string(),
                    Services::PerHostname => format!("Gateway/{}", view.name),
                };
                let owner = match hostname {
                    Some(name) => format!("{whose}/{name}"),
                    None => whose,
                };
                let place = (view, *listener);
                match wants.iter_mut().find(|want| want.owner == owner) {
                    Some(want) => want.places.push(place),
                    None => wants.push(Want { owner, hostname: hostname.clone(), places: vec![place] }),
                }
            }
        }
    }
    wants
}

impl Drafts {
    /// Takes a route in, whole or not at all.
    ///
    /// # Errors
    /// Why it is not taken in.
    pub(super) fn add(
        &mut self,
        world: &World<'_>,
        views: &[View<'_>],
        ready: &Ready<'_>,
        parents: &[Parent<'_>],
    ) -> Result<(), Refused> {
        let wants = wants(views, ready.route, parents);
        let conflicts: BTreeMap<&Owner, Verdict> =
            wants.iter().filter_map(|want| Some((&want.owner, self.claim(want).err()?))).collect();
        let contested = conflicts.keys().map(|owner| (*owner).clone()).collect();
        if let Some(verdict) = conflicts.into_values().next() {
            return Err(Refused { verdict, contested });
        }
        let mut drafts: Vec<(Owner, Draft)> = Vec::with_capacity(wants.len());
        let mut claims: Vec<((String, String), Owner)> = Vec::new();
        for (index, want) in wants.iter().enumerate() {
            claims.extend(self.claim(want)?.into_iter().map(|claim| (claim, want.owner.clone())));
            let mut draft = match self.by_owner.get(&want.owner) {
                Some(draft) => draft.clone(),
                None => self.begin(world, ready.route, want, index)?,
            };
            draft.take(ready, want)?;
            drafts.push((want.owner.clone(), draft));
        }
        self.claims.extend(claims);
        for (owner, draft) in drafts {
            self.names.insert(draft.spec.name.clone());
            self.by_owner.insert(owner, draft);
        }
        Ok(())
    }

    /// The host names that a service would have in networks, if nobody else has them.
    fn claim(&self, want: &Want<'_>) -> Result<Vec<(String, String)>, Verdict> {
        let Some(name) = &want.hostname else { return Ok(Vec::new()) };
        let mut claims = Vec::new();
        for (view, _) in &want.places {
            let claim = (view.verdict.network.clone(), name.clone());
            if let Some(owner) = self.claims.get(&claim).filter(|owner| **owner != want.owner) {
                let whose = owner.strip_suffix(&format!("/{name}")).unwrap_or(owner);
                return Err(Verdict::no(
                    Reason::Conflicted,
                    format!(
                        "{whose}, which is older, has the hostname {name} in service network {} already. VPC Lattice \
                         gives a hostname to one service: use another hostname, or let the Gateway make one service for \
                         all routes of a hostname (GatewayParameters, services: PerHostname)",
                        claim.0
                    ),
                ));
            }
            claims.push(claim);
        }
        Ok(claims)
    }

    fn begin(
        &self,
        world: &World<'_>,
        route: &Route,
        want: &Want<'_>,
        index: usize,
    ) -> Result<Draft, Verdict> {
        let Some((view, _)) = want.places.first() else {
            return Err(Verdict::no(Reason::NoMatchingParent, "The route is attached to no listener"));
        };
        let merged = view.parameters.services == Services::PerHostname;
        let name = &route.name.object;
        let (named, namespace) =
            if merged { (&view.name.name, &view.name.namespace) } else { (&name.name, &name.namespace) };
        let usual = names::service(named, namespace);
        let first = index == 0 && !(merged && want.hostname.is_some());
        let usual_free = first && usual.len() >= 3 && !self.names.contains(&usual);
        let standalone = standalone(route, view);
        let networks = want.places.iter().map(|(view, _)| view.verdict.network.clone());
        let policies = if merged {
            (None, None)
        } else {
            (policies::auth_of_route(world, &route.name), policies::logs_of_route(world, &route.name))
        };
        Ok(Draft {
            spec: ServiceSpec {
                name: match route.annotation(well_known::AWS_SERVICE_NAME_OVERRIDE) {
                    Some(name) if !merged && first => overridden(name)?,
                    _ if usual_free => usual,
                    _ => names::service_of_its_own(named, namespace, &want.owner),
                },
                custom_domain: want.hostname.clone(),
                certificate: certificate(world, want)?,
                auth_policy: policies.0.map(str::to_owned),
                listeners: BTreeMap::new(),
                networks: if standalone { BTreeSet::new() } else { networks.collect() },
                access_logs: policies.1.map(str::to_owned).into_iter().collect(),
                warm_up: view.parameters.warm_up,
                tags: service_tags(world, route, view, merged, &want.owner),
            },
            parameters: view.parameters,
            named: (named.clone(), namespace.clone()),
            listeners: BTreeMap::new(),
            passing: BTreeMap::new(),
        })
    }

    /// What the routes come to.
    pub(super) fn finish(self, world: &World<'_>) -> Finished {
        let mut finished = Finished::default();
        for (owner, draft) in self.by_owner {
            for key in draft.groups() {
                match &key {
                    GroupKey::Service(of) => {
                        let spec = group(world, of, &draft.spec.tags);
                        finished.groups.insert(key, spec);
                    }
                    GroupKey::Declared(of) => {
                        if let Some(spec) = declared::group(world, of, &draft.spec.tags) {
                            finished.groups.insert(key, spec);
                        }
                    }
                    GroupKey::External(_) | GroupKey::Imported(_) => drop(finished.imports.insert(key)),
                }
            }
            if draft.is_shared() {
                for (route, share) in draft.shares() {
                    finished.shares.entry(route).or_default().insert(owner.clone(), share);
                }
            }
            for (quota, of) in draft.uses() {
                let most = finished.quotas.entry(quota).or_insert(of);
                *most = most.nearer(of);
            }
            finished.services.insert(owner, draft.finish());
        }
        finished
    }
}

impl Draft {
    /// Takes a route's rules in at each of its listeners.
    fn take(&mut self, ready: &Ready<'_>, want: &Want<'_>) -> Result<(), Verdict> {
        let route = ready.route;
        let name = format!("{}/{}", route.name.object, route.name.kind.as_str());
        for (view, listener) in &want.places {
            let listener = &view.listeners[*listener];
            let Some(protocol) = listener.protocol else { continue };
            // It has no fixed response, so without a backend there is nothing to make it of.
            let passes_through = protocol == ListenerProtocol::TlsPassthrough;
            if passes_through {
                self.pass(listener.port, &route.name)?;
            }
            if passes_through && ready.rules.iter().any(|(_, sends)| *sends == Sends::Nowhere) {
                continue;
            }
            if let Some(taken) = self.listeners.get(&listener.port)
                && taken.protocol != protocol
            {
                return Err(Verdict::no(
                    Reason::Conflicted,
                    format!(
                        "The service of this hostname has port {} for {} already, and VPC Lattice has one protocol on a \
                         port: use another port",
                        listener.port,
                        taken.protocol.as_str()
                    ),
                ));
            }
            let draft = self.listeners.entry(listener.port).or_insert_with(|| ListenerDraft {
                protocol,
                default: Action::Fixed(404),
                rules: BTreeMap::new(),
            });
            for (rule_index, (matches, sends)) in ready.rules.iter().enumerate() {
                let action = sends.action(&want.owner);
                if passes_through {
                    draft.default = action;
                    continue;
                }
                for (match_index, lowered) in matches.iter().enumerate() {
                    for (part, matching) in lowered.matches.iter().enumerate() {
                        let number = ready.numbers.get(rule_index).copied().unwrap_or_default();
                        let place = (
                            number,
                            lowered.weight,
                            route.created(),
                            name.clone(),
                            rule_index,
                            match_index,
                            part,
                        );
                        let rule = Rule { matching: matching.clone(), action: action.clone() };
                        draft.rules.insert(place, Placed { route: route.name.clone(), rule });
                    }
                }
            }
        }
        if self.is_shared() {
            self.check_budgets(&route.name)?;
        }
        self.check_quotas()
    }

    /// Gives a port's connections to a route, unless they are another's already: they can't be told apart.
    fn pass(&mut self, port: u16, route: &RouteName) -> Result<(), Verdict> {
        let whose = self.passing.entry(port).or_insert_with(|| route.clone());
        if whose == route {
            return Ok(());
        }
        Err(Verdict::no(
            Reason::Conflicted,
            format!(
                "{whose}, which is older, has port {port} of this hostname already, and VPC Lattice passes all \
                 connections of a port on to the same backends: use another hostname or another port"
            ),
        ))
    }

    /// Whether other routes may have rules in it as well.
    fn is_shared(&self) -> bool {
        self.parameters.services == Services::PerHostname
    }

    /// The service.
    fn finish(self) -> ServiceSpec {
        let (name, namespace) = self.named;
        let listeners = self.listeners.into_iter().map(|(port, listener)| {
            let spec = ListenerSpec {
                name: names::listener(&name, &namespace, port, listener.protocol),
                protocol: listener.protocol,
                default: listener.default,
                rules: share::in_force(&listener.rules).map(|placed| placed.rule.clone()).collect(),
            };
            (port, spec)
        });
        ServiceSpec { listeners: listeners.collect(), ..self.spec }
    }

    fn groups(&self) -> BTreeSet<GroupKey> {
        let actions = self.listeners.values().flat_map(|listener| {
            listener.rules.values().map(|placed| &placed.rule.action).chain([&listener.default])
        });
        actions.flat_map(|action| action.groups().cloned()).collect()
    }
}

/// Whether the services of a route stay out of service networks. The route's word goes before the Gateway's.
fn standalone(route: &Route, view: &View<'_>) -> bool {
    let gateway = view.gateway.metadata.annotations.as_ref();
    let own = route.annotation(well_known::AWS_STANDALONE);
    let word = own.or_else(|| gateway?.get(well_known::AWS_STANDALONE).map(String::as_str));
    word.is_some_and(|word| word.eq_ignore_ascii_case("true"))
}

fn overridden(name: &str) -> Result<String, Verdict> {
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let fits = (3..=names::SERVICE_LENGTH).contains(&name.len())
        && name.chars().all(legal)
        && !name.starts_with('-')
        && !name.ends_with('-')
        && !name.contains("--")
        && !name.starts_with("svc-");
    if fits {
        return Ok(name.into());
    }
    Err(Verdict::no(
        Reason::UnsupportedValue,
        format!(
            "The annotation {} is {name:?}, which is no name of a service: 3 to 40 lower-case letters, digits and single \
             hyphens within, not beginning with svc-",
            well_known::AWS_SERVICE_NAME_OVERRIDE
        ),
    ))
}

/// The certificate of a service's own host name, which only listeners need that end TLS.
fn certificate(world: &World<'_>, want: &Want<'_>) -> Result<Option<String>, Verdict> {
    let Some(name) = &want.hostname else { return Ok(None) };
    let mut listeners = want.places.iter().map(|(view, listener)| &view.listeners[*listener]);
    let Some(ending) = listeners.find(|view| view.protocol == Some(ListenerProtocol::Https)) else {
        return Ok(None);
    };
    let options = ending.listener.tls.as_ref().map(|tls| &tls.options);
    if let Some(arn) = options.and_then(|options| options.get(well_known::AWS_CERTIFICATE_ARN)) {
        return Ok(Some(arn.clone()));
    }
    let missing = |message: String| Err(Verdict::no(Reason::CertificateNotFound, message));
    match world.certificates {
        Certificates::Unread => {
            missing(format!("The certificates of ACM are being read, to find one for {name}"))
        }
        Certificates::Unreadable(why) => missing(format!(
            "The certificates of ACM can't be read, to find one for {name}: {why}. Name one in the listener's \
             tls.options with the key {}",
            well_known::AWS_CERTIFICATE_ARN
        )),
        Certificates::Read(certificates) => {
            let exact =
                |certificate: &&super::Certificate| certificate.domains.iter().any(|domain| domain == name);
            let wild = |certificate: &&super::Certificate| {
                certificate.domains.iter().any(|domain| certified(domain, name))
            };
            let found = certificates.iter().find(exact).or_else(|| certificates.iter().find(wild));
            found.map_or_else(
                || {
                    missing(format!(
                        "ACM has no issued certificate for {name} in this region: request or import one, or name one in \
                         the listener's tls.options with the key {}",
                        well_known::AWS_CERTIFICATE_ARN
                    ))
                },
                |certificate| Ok(Some(certificate.arn.clone())),
            )
        }
    }
}

fn service_tags(world: &World<'_>, route: &Route, view: &View<'_>, merged: bool, owner: &Owner) -> Tags {
    let mut tags = world.own_tags();
    tags.insert(tags::OWNER.into(), names::owner_tag(owner));
    // Other clusters' AWS controllers adopt services that say nothing of who manages them.
    tags.insert(tags::MANAGED_BY.into(), world.manager());
    if merged {
        tags.insert(tags::GATEWAY.into(), names::tag_value(&view.name.to_string()));
    } else {
        let name = &route.name.object;
        tags.insert(tags::ROUTE_NAME.into(), names::tag_value(&name.name));
        tags.insert(tags::ROUTE_NAMESPACE.into(), names::tag_value(&name.namespace));
        tags.insert(tags::ROUTE_TYPE.into(), route.name.kind.tag().into());
    }
    tags.extend(extra_tags(route.annotation(well_known::AWS_TAGS)));
    tags
}

/// Most tags that Lath itself gives to a resource for which more may be asked: those of an exported group, and one more.
const OWN_TAGS: usize = 10;

/// The tags that an annotation asks for, as far as there is room for them, and those that record it. Those that Lath goes by
/// can't be set that way.
pub(super) fn extra_tags(wanted: Option<&str>) -> Tags {
    let pairs = wanted.unwrap_or_default().split(',').filter_map(|pair| pair.trim().split_once('='));
    let most = USER_TAGS_PER_RESOURCE - OWN_TAGS;
    let mut asked: Tags = pairs
        .map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()))
        .filter(|(key, _)| !key.is_empty() && !tags::is_reserved(key))
        .take(most)
        .collect();
    let mut record = tags::record(asked.keys().map(String::as_str));
    while asked.len() + record.len() > most {
        asked.pop_last();
        record = tags::record(asked.keys().map(String::as_str));
    }
    asked.extend(record);
    asked
}

fn group(world: &World<'_>, key: &ServiceGroupKey, service: &Tags) -> GroupSpec {
    let name =
        lath_kubernetes::watch::ObjectName { namespace: key.namespace.clone(), name: key.service.clone() };
    let mut tags = world.own_tags();
    tags.insert(tags::GROUP.into(), names::group_tag(key));
    // Tells whose it is when the key can't be known any more.
    tags.insert(tags::OWNER.into(), names::owner_tag(&key.owner));
    // Lets bindings of this namespace, and no other, put pods in.
    tags.insert(tags::NAMESPACE.into(), key.namespace.clone());
    tags.insert(tags::SERVICE_NAME.into(), names::tag_value(&key.service));
    tags.insert(tags::SERVICE_NAMESPACE.into(), key.namespace.clone());
    for inherited in [tags::ROUTE_NAME, tags::ROUTE_NAMESPACE, tags::GATEWAY] {
        if let Some(value) = service.get(inherited) {
            tags.insert(inherited.into(), value.clone());
        }
    }
    let version = key.protocol.version().map_or("", lattice::service::HttpVersion::as_str);
    tags.insert(tags::PROTOCOL_VERSION.into(), version.into());
    if let Some(kind) = service.get(tags::ROUTE_TYPE) {
        let kind = RouteKind::ALL.into_iter().find(|own| own.tag() == kind);
        tags.insert(tags::SOURCE_TYPE.into(), kind.map_or("", RouteKind::as_str).into());
    }
    GroupSpec {
        name: names::group(key, &world.site.cluster),
        port: key.port,
        vpc: world.site.vpc.clone(),
        health_check: policies::health_check(key.protocol, policies::of_service(world, &name)),
        tags,
        targets: None,
    }
}
