//! What VPC Lattice should hold, and what is said of each object: a pure function of all objects.
//!
//! ```text
//! classes, Gateways ── gateways   which listeners are served
//! routes ───────────── attach     to which of them a route is attached, and with which host names
//!                      matches    what a request has to look like
//!                      backends   where it goes
//!                      declared   targets that are no pods
//!                      imports    which groups of other clusters that may be
//!                      services   what that makes of services and groups
//! exports ──────────── exports    which groups other clusters find
//!                      layer4     what TCPRoutes and UDPRoutes make of resource configurations and directories
//!                      publish    which services Cloud Map leads to
//! policies ─────────── policies   what else is said about both
//! ```

mod attach;
mod backends;
mod declared;
pub(super) mod exports;
mod gateways;
mod hostnames;
mod imports;
mod layer4;
mod matches;
mod policies;
mod priority;
mod publish;
mod services;
mod verdict;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use lath_kubernetes::{Service, gateway::ParentReference, names as well_known, watch::ObjectName};
use lattice::{
    Tags,
    declared::CloudMapName,
    names,
    resource::ResourceKey,
    service::{Desired, NetworkSpec, Owner, Spare, VpcAssociationSpec},
    tags,
};

pub use declared::TargetGroupVerdict;
pub use exports::{ExportName, ExportVerdict};
pub use gateways::{GatewayVerdict, ListenerVerdict};
pub use imports::Lookup;
pub use policies::PolicyKind;
pub use publish::Publication;
pub use services::Share;
pub use verdict::{Reason, Verdict};

use super::{
    discovery::Discovered,
    objects::{Kind, Objects},
    route::{Route, RouteKind, RouteName},
};
use crate::{
    bindings::judge::Site,
    quotas::{Quota, Use},
};
use services::{Drafts, Finished, Ready, Refused};

/// A certificate of ACM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Its ARN.
    pub arn: String,
    /// The names that it is good for.
    pub domains: Vec<String>,
}

/// What is known of ACM's certificates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Certificates {
    /// Nothing yet.
    #[default]
    Unread,
    /// Nothing, for this reason.
    Unreadable(String),
    /// All that are issued, the newest first.
    Read(Vec<Certificate>),
}

/// All that a translation goes by.
pub struct World<'a> {
    /// Gateway API's objects and policies.
    pub objects: &'a Objects,
    /// Services.
    pub service: &'a dyn Fn(&ObjectName) -> Option<&'a Service>,
    /// Where this controller is.
    pub site: &'a Site,
    /// The names of the controllers whose classes are served.
    pub controllers: &'a [&'a str],
    /// The service network that is made if there is none of this name.
    pub default_network: Option<&'a str>,
    /// ACM's certificates.
    pub certificates: &'a Certificates,
    /// What is known of services of Cloud Map.
    pub discovered: &'a Discovered,
}

impl std::fmt::Debug for World<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").field("site", self.site).finish_non_exhaustive()
    }
}

impl World<'_> {
    /// Whether Lath serves Gateways of this class.
    fn serves(&self, class: &str) -> bool {
        let class = self.objects.classes.get(class);
        class.is_some_and(|class| self.controllers.contains(&class.spec.controller_name.as_str()))
    }

    /// The tags of everything that is made.
    fn own_tags(&self) -> Tags {
        Tags::from([(tags::CLUSTER.into(), self.site.cluster.clone())])
    }

    /// Who manages services, in the AWS controller's vocabulary: nobody that an AWS controller would take for itself.
    fn manager(&self) -> String {
        let Site { account, cluster, vpc, .. } = self.site;
        lattice::names::tag_value(&format!("lath.dev/{account}/{cluster}/{vpc}"))
    }
}

/// What is said of a route at one of its parents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParentVerdict {
    /// The parent, as the route refers to it.
    pub parent: ParentReference,
    /// The controller whose class the parent has.
    pub controller: String,
    /// Whether the route is served there.
    pub accepted: Verdict,
    /// Whether all that it refers to may be used.
    pub resolved: Verdict,
}

/// What is said of a route.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RouteVerdict {
    /// At each of its parents that Lath serves.
    pub parents: Vec<ParentVerdict>,
    /// The owners of its services.
    pub owners: BTreeSet<Owner>,
    /// What it has of those of them that it shares with other routes.
    pub shares: BTreeMap<Owner, Share>,
    /// What its backends stand for and VPC Lattice has to have.
    pub lookups: Vec<Lookup>,
    /// What carries its connections, or leads to its pods.
    pub resources: BTreeSet<ResourceKey>,
    /// The name by which clients reach its pods, past VPC Lattice.
    pub direct: Option<String>,
    /// What is said of its services in Cloud Map.
    pub published: Vec<Publication>,
}

/// What objects come to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// What VPC Lattice should hold.
    pub desired: Desired,
    /// What is said of classes.
    pub classes: BTreeMap<String, Verdict>,
    /// What is said of Gateways.
    pub gateways: BTreeMap<ObjectName, GatewayVerdict>,
    /// What is said of routes with a parent that Lath serves.
    pub routes: BTreeMap<RouteName, RouteVerdict>,
    /// What is said of exports.
    pub exports: BTreeMap<ExportName, ExportVerdict>,
    /// What is said of TargetGroups.
    pub target_groups: BTreeMap<ObjectName, TargetGroupVerdict>,
    /// What is said of policies.
    pub policies: BTreeMap<(PolicyKind, ObjectName), Verdict>,
    /// ServiceNetworks, and the Gateways that stand for them.
    pub service_networks: BTreeMap<String, Vec<String>>,
    /// Whether certificates have to be looked for.
    pub wants_certificates: bool,
    /// How far services use the quotas that their Gateways tell, by the one that comes nearest to it.
    pub quotas: BTreeMap<Quota, Use>,
    /// Services of Cloud Map whose instances have to be looked for, and how often.
    pub discoveries: BTreeMap<CloudMapName, Duration>,
}

/// Translates all objects. Total: whatever the objects are, there is an outcome, and equal objects give equal outcomes.
/// Cost: O(n log n), n = objects and rules, but for quotas' O(rules of a service) per route.
#[must_use]
pub fn translate(world: &World<'_>) -> Outcome {
    let mut views = gateways::views(world);
    let mut outcome = Outcome::default();
    for (name, class) in &world.objects.classes {
        if world.serves(name) {
            outcome.classes.insert(name.clone(), gateways::class(world, class));
        }
    }
    let mut routes: Vec<&Route> =
        world.objects.routes().map(|route| &**route).filter(|route| !route.is_leaving()).collect();
    routes.sort_by(|one, two| one.seniority().cmp(&two.seniority()));
    let mut drafts = Drafts::default();
    let mut wishes = publish::Wishes::default();
    let mut attached: BTreeMap<(usize, usize), i32> = BTreeMap::new();
    for route in routes {
        let parents = attach::parents(world, &views, route);
        if parents.is_empty() {
            continue;
        }
        if matches!(route.name.kind, RouteKind::Tcp | RouteKind::Udp) {
            let taken = layer4::take(world, &views, route, &parents);
            if taken.holds {
                outcome.desired.spared.insert(spare(&route.name));
            }
            for (gateway, listener) in taken.attached {
                *attached.entry((gateway, listener)).or_default() += 1;
            }
            for (gateway, key) in taken.reached {
                views[gateway].verdict.resources.insert(key);
            }
            outcome.desired.resources.extend(taken.resources);
            outcome.routes.insert(route.name.clone(), taken.verdict);
            continue;
        }
        let owners = services::owners(&views, route, &parents);
        inherit(&views, route, &parents, &owners, &mut outcome.desired);
        wishes.add(world, &views, route, &parents);
        let mut lookups = Vec::new();
        let (refused, resolved) = match ready(world, route, &parents, &views, &mut lookups) {
            (Err(refused), resolved) => (Some(Refused::from(refused)), resolved),
            (Ok(ready), resolved) => (drafts.add(world, &views, &ready, &parents).err(), resolved),
        };
        if let Some(Refused { verdict, contested }) = &refused {
            outcome.wants_certificates |= verdict.reason == Reason::CertificateNotFound;
            // What the route was before goes on, rather than being cut off by an edit that can't be followed; but for
            // the names that older services have and could not take otherwise.
            outcome.desired.held.extend(owners.difference(contested).cloned());
            if contested.is_empty() {
                outcome.desired.spared.insert(spare(&route.name));
            }
        }
        let refused = refused.map(|refused| refused.verdict);
        let verdicts = parent_verdicts(&views, &parents, refused.as_ref(), &resolved);
        let verdict = RouteVerdict { parents: verdicts, owners, lookups, ..RouteVerdict::default() };
        for parent in parents.iter().filter(|parent| parent.refused.is_none() && refused.is_none()) {
            for (listener, _) in &parent.listeners {
                *attached.entry((parent.gateway, *listener)).or_default() += 1;
            }
            // Of a route with several Gateways, each has its own services where it has one for each host name.
            let owners = services::owners(&views, route, std::slice::from_ref(parent));
            views[parent.gateway].verdict.owners.extend(owners);
        }
        outcome.routes.insert(route.name.clone(), verdict);
    }
    outcome.wants_certificates |= drafts_use_found_certificates(world, &views);
    let Finished { services, mut groups, imports, shares, quotas } = drafts.finish(world);
    outcome.quotas = quotas;
    for (name, shares) in shares {
        if let Some(route) = outcome.routes.get_mut(&name) {
            route.shares = shares;
        }
    }
    let exports = exports::exports(world);
    groups.extend(exports.groups);
    outcome.exports = exports.verdicts;
    outcome.desired.held.extend(exports.held);
    outcome.desired.held.retain(|owner| !services.contains_key(owner));
    let absent = world.objects.absent().iter();
    outcome.desired.spared.extend(absent.filter_map(|kind| match kind {
        Kind::Routes(kind) => Some(Spare::Routes(kind.tag().to_owned())),
        Kind::Exports(dialect) => Some(Spare::Exports(dialect.owner_prefix().to_owned())),
        _ => None,
    }));
    spare_unserved(world, &mut outcome.desired);
    outcome.desired.services = services;
    publish(wishes, &mut outcome);
    outcome.desired.groups = groups;
    outcome.desired.imports = imports;
    outcome.discoveries = declared::discoveries(world, &outcome.desired);
    outcome.target_groups = declared::verdicts(world, &outcome.desired);
    outcome.policies = policies::verdicts(world, &views);
    networks(world, &views, &mut outcome.desired);
    outcome.service_networks = service_networks(world, &views, &mut outcome.desired);
    outcome.gateways = gateway_verdicts(views, &attached);
    outcome
}

/// What is said of a route at each of its parents, of which it is `refused` by all or accepted by those that take it.
fn parent_verdicts(
    views: &[gateways::View<'_>],
    parents: &[attach::Parent<'_>],
    refused: Option<&Verdict>,
    resolved: &Verdict,
) -> Vec<ParentVerdict> {
    let verdicts = parents.iter().map(|parent| {
        let refused = parent.refused.as_ref().or(refused);
        ParentVerdict {
            parent: parent.reference.clone(),
            controller: views[parent.gateway].controller.into(),
            accepted: refused
                .cloned()
                .unwrap_or_else(|| Verdict::yes(Reason::Accepted, "The route is attached to the Gateway")),
            resolved: resolved.clone(),
        }
    });
    verdicts.collect()
}

/// Has services published, as far as they are there, and tells their routes.
fn publish(wishes: publish::Wishes, outcome: &mut Outcome) {
    let published = wishes.finish(&mut outcome.desired);
    for route in outcome.routes.values_mut() {
        let of_route = route.owners.iter().filter_map(|owner| published.get(owner)).flatten();
        route.published = of_route.cloned().collect();
    }
}

/// Marks what of a route may be another controller's, or is kept while its Gateway waits.
fn inherit(
    views: &[gateways::View<'_>],
    route: &Route,
    parents: &[attach::Parent<'_>],
    owners: &BTreeSet<Owner>,
    desired: &mut Desired,
) {
    let mut gateways = parents.iter().map(|parent| &views[parent.gateway]);
    if gateways.clone().any(gateways::View::is_inherited) {
        desired.inherited.extend(owners.iter().cloned());
    }
    if let Some(from) = route.annotation(well_known::AWS_ALLOW_TAKEOVER_FROM) {
        desired.allowed.extend(owners.iter().map(|owner| (owner.clone(), from.to_owned())));
    }
    if gateways.any(gateways::View::is_suspended) {
        desired.spared.insert(spare(&route.name));
    }
}

/// What is said of Gateways, to whose listeners so many routes are attached.
fn gateway_verdicts(
    views: Vec<gateways::View<'_>>,
    attached: &BTreeMap<(usize, usize), i32>,
) -> BTreeMap<ObjectName, GatewayVerdict> {
    let verdicts = views.into_iter().enumerate().map(|(index, view)| {
        let listeners = view.listeners.into_iter().enumerate().map(|(place, listener)| {
            let count = attached.get(&(index, place)).copied().unwrap_or(0);
            ListenerVerdict { attached: count, ..listener.verdict }
        });
        (view.name.clone(), GatewayVerdict { listeners: listeners.collect(), ..view.verdict })
    });
    verdicts.collect()
}

/// Whether some listener ends TLS for a host name without saying with which certificate.
fn drafts_use_found_certificates(world: &World<'_>, views: &[gateways::View<'_>]) -> bool {
    !matches!(world.certificates, Certificates::Unread)
        && views.iter().flat_map(|view| &view.listeners).any(|listener| {
            listener.listener.protocol == "HTTPS"
                && !listener
                    .listener
                    .tls
                    .as_ref()
                    .is_some_and(|tls| tls.options.contains_key(well_known::AWS_CERTIFICATE_ARN))
        })
}

/// Brings a route into Lattice's form. The first is why that can't be done, the second whether all that it refers to may
/// be used.
fn ready<'a>(
    world: &World<'_>,
    route: &'a Route,
    parents: &[attach::Parent<'_>],
    views: &[gateways::View<'_>],
    lookups: &mut Vec<Lookup>,
) -> (Result<Ready<'a>, Verdict>, Verdict) {
    let mut resolved = Verdict::yes(Reason::ResolvedRefs, "All that the route refers to may be used");
    let mut faults: Vec<String> = Vec::new();
    let merged = parents.iter().any(|parent| {
        views[parent.gateway].parameters.services == lath_kubernetes::parameters::Services::PerHostname
    });
    if !route.unsupported.is_empty() {
        let others = if merged { ", unless other routes share its hostname" } else { "" };
        faults.push(format!(
            "VPC Lattice can't do what these fields ask for: {}. Remove them; until then what was accepted before goes \
             on{others}",
            route.unsupported.join(", ")
        ));
    }
    faults.extend(kind_fault(route));
    let prefixes = parents
        .first()
        .and_then(|parent| views.get(parent.gateway))
        .map(|view| view.parameters.path_prefix)
        .unwrap_or_default();
    let numbers = priority::numbers(route, merged).unwrap_or_else(|fault| {
        faults.push(fault);
        Vec::new()
    });
    let mut rules = Vec::with_capacity(route.rules.len());
    for (index, rule) in route.rules.iter().enumerate() {
        let mut lowered = Vec::with_capacity(rule.matches.len());
        for matching in &rule.matches {
            match matches::lower(matching, prefixes) {
                Ok(found) => lowered.push(found),
                Err(fault) => faults.push(fault),
            }
        }
        faults.extend(backends::misfit(world, route, index, rule));
        let (sends, wrong) = backends::judge(world, route, index, rule, lookups);
        if let Some(wrong) = wrong
            && resolved.holds
        {
            resolved = wrong;
        }
        rules.push((lowered, sends));
    }
    if faults.is_empty() {
        (Ok(Ready { route, rules, numbers }), resolved)
    } else {
        (Err(Verdict::no(Reason::UnsupportedValue, faults.join(". "))), resolved)
    }
}

/// What Lattice can't do of a kind.
fn kind_fault(route: &Route) -> Option<String> {
    match route.name.kind {
        RouteKind::Tls if route.rules.len() != 1 => {
            Some("A TLSRoute has exactly one rule, since VPC Lattice can't tell connections apart".into())
        }
        _ => None,
    }
}

/// The services of a route.
fn spare(route: &RouteName) -> Spare {
    Spare::Route {
        kind: route.kind.tag().into(),
        namespace: names::tag_value(&route.object.namespace),
        name: names::tag_value(&route.object.name),
    }
}

/// The service networks of Gateways.
fn networks(world: &World<'_>, views: &[gateways::View<'_>], desired: &mut Desired) {
    let inherited = views.iter().filter(|view| view.is_inherited());
    desired.inherited_networks = inherited.map(|view| view.verdict.network.clone()).collect();
    for view in views.iter().filter(|view| view.is_suspended()) {
        desired.spared.insert(Spare::Gateway(names::tag_value(&view.name.to_string())));
        desired.spared_networks.insert(view.verdict.network.clone());
    }
    for view in views.iter().filter(|view| view.is_served()) {
        let policy = policies::vpc_of_gateway(world, view.name).map(|policy| &policy.spec);
        let default = world.default_network == Some(view.verdict.network.as_str());
        let wanted = match policy {
            Some(policy) => policy.associate_with_vpc.unwrap_or(true),
            None => default || view.parameters.vpc_association,
        };
        let vpc = wanted.then(|| VpcAssociationSpec {
            security_groups: policy
                .and_then(|policy| policy.security_group_ids.clone())
                .unwrap_or_default()
                .into_iter()
                .collect(),
        });
        let spec = NetworkSpec {
            create: default || view.parameters.create_service_network,
            vpc,
            auth_policy: policies::auth_of_gateway(world, view.name).map(str::to_owned),
            access_logs: policies::logs_of_gateway(world, view.name).map(str::to_owned).into_iter().collect(),
            tags: world.own_tags(),
        };
        desired.networks.insert(view.verdict.network.clone(), spec);
    }
}

/// Spares what was taken over from the AWS controller while its classes are not served: to serve them no longer is no wish
/// to take everything down.
fn spare_unserved(world: &World<'_>, desired: &mut Desired) {
    let unserved = |gateway: &ObjectName| {
        let gateway = world.objects.gateways.get(gateway);
        let class = gateway.map(|gateway| gateway.spec.gateway_class_name.as_str());
        let found = class.and_then(|class| world.objects.classes.get(class));
        let of_aws =
            found.is_some_and(|class| class.spec.controller_name == well_known::AWS_GATEWAY_CONTROLLER);
        of_aws && !class.is_some_and(|class| world.serves(class))
    };
    for gateway in world.objects.gateways.keys().filter(|gateway| unserved(gateway)) {
        desired.spared.insert(Spare::Gateway(names::tag_value(&gateway.to_string())));
        desired.spared_networks.insert(gateway.name.clone());
    }
    for route in world.objects.routes().filter(|route| !route.is_leaving()) {
        let parents = route.parents.iter().map(|parent| parent.gateway(&route.name.object.namespace));
        if parents.flatten().any(|gateway| unserved(&gateway)) {
            desired.spared.insert(spare(&route.name));
        }
    }
}

/// The service networks that objects ask for: there are to be some of these names. Gives the Gateways that stand for each.
fn service_networks(
    world: &World<'_>,
    views: &[gateways::View<'_>],
    desired: &mut Desired,
) -> BTreeMap<String, Vec<String>> {
    let mut standing = BTreeMap::new();
    for (name, object) in &world.objects.service_networks {
        let gateways = views.iter().filter(|view| view.verdict.network == *name);
        standing.insert(name.clone(), gateways.map(|view| view.name.to_string()).collect());
        if object.metadata.deletion_timestamp.is_none() && !desired.spared_networks.contains(name) {
            let spec = desired
                .networks
                .entry(name.clone())
                .or_insert_with(|| NetworkSpec { tags: world.own_tags(), ..NetworkSpec::default() });
            spec.create = true;
        }
    }
    standing
}

#[cfg(test)]
pub(super) mod tests;
