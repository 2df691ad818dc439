//! The statuses that objects should have, given the ones they have: pure functions of what was translated and of how far
//! VPC Lattice is.
//!
//! Times change only where a condition's status does, so that equal findings give equal statuses.

use std::collections::BTreeSet;

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Condition, jiff::Timestamp};
use lath_kubernetes::gateway::{
    self, GatewayAddress, GatewayClassStatus, GatewayStatus, ListenerStatus, RouteKind as GatewayRouteKind,
    RouteParentStatus, RouteStatus,
};
use lath_kubernetes::service_network::ServiceNetworkStatus;
use lattice::{
    declared::{DeclaredKey, GroupForm},
    names,
    observed::Status,
    plan::Wait,
    service::{GroupKey, GroupProtocol, HttpVersion, Owner, ServiceGroupKey},
    target::IpFamily,
};

mod backends;

pub use backends::{export, leaving_export, target_group};

use super::{
    directories::Notes,
    engine::progress::{NetworkProgress, Progress, ServiceProgress, Trouble},
    takeover::State,
    translate::{GatewayVerdict, ListenerVerdict, Reason, RouteVerdict, Share, Verdict},
};
use crate::condition::condition;

mod layer4;
mod published;

/// The condition of a route that tells whether VPC Lattice holds all of it. The standard has none for routes.
pub const PROGRAMMED: &str = "lath.dev/Programmed";

/// The condition of a Gateway of the AWS controller's classes that tells whether Lath has taken over what it stands for.
pub const TAKEN_OVER: &str = "lath.dev/TakenOver";

/// Most refused routes that are named.
const MOST_REFUSED: usize = 10;

/// Most addresses of a Gateway. Source: Gateway API, `Gateway.status.addresses`.
const MOST_ADDRESSES: usize = 16;

/// The minor versions of Gateway API whose definitions are known to work.
const SUPPORTED_VERSIONS: &str = "v1.1 to v1.6";

/// What is said until it is known how far VPC Lattice is.
const BEING_READ: &str = "What VPC Lattice holds is being read";

/// When and of what a status is made.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// The generation of the object that was translated.
    pub generation: Option<i64>,
    /// Now.
    pub now: Timestamp,
}

/// A condition's status, reason and message; `None`: it can't be told now, as after a start, and what was said of this
/// generation stays.
type Said = Option<(bool, &'static str, String)>;

impl Moment {
    /// Says it, or leaves what was said of this generation, or says that it is on its way.
    fn say_or_keep(self, conditions: &mut Vec<Condition>, kind: &str, said: Said, until_then: &str) {
        if let Some((holds, reason, message)) = said {
            self.set(conditions, kind, holds, reason, message);
        } else {
            let said = conditions.iter().find(|condition| condition.type_ == kind);
            // A default of the definition is of no generation, and says nothing.
            if said.is_none_or(|said| said.observed_generation != self.generation) {
                self.set(conditions, kind, false, "Pending", until_then);
            }
        }
    }

    fn set(
        self,
        conditions: &mut Vec<Condition>,
        kind: &str,
        holds: bool,
        reason: &str,
        message: impl Into<String>,
    ) {
        let status = if holds { "True" } else { "False" };
        let place = conditions.iter().position(|condition| condition.type_ == kind);
        let current = place.and_then(|place| conditions.get(place));
        let made = condition(current, kind, status, reason, message.into(), self.generation, self.now);
        match place.and_then(|place| conditions.get_mut(place)) {
            Some(there) => *there = made,
            None => conditions.push(made),
        }
    }

    fn say(self, conditions: &mut Vec<Condition>, kind: &str, verdict: &Verdict) {
        self.set(conditions, kind, verdict.holds, verdict.reason.as_str(), verdict.message.as_str());
    }
}

/// The status of a class.
#[must_use]
pub fn class(current: &GatewayClassStatus, verdict: &Verdict, moment: Moment) -> GatewayClassStatus {
    let mut status = current.clone();
    moment.say(&mut status.conditions, "Accepted", verdict);
    moment.set(
        &mut status.conditions,
        "SupportedVersion",
        true,
        "SupportedVersion",
        format!("Lath works with Gateway API {SUPPORTED_VERSIONS}"),
    );
    status
}

/// The status of a policy: its conditions.
#[must_use]
pub fn policy(current: &[Condition], verdict: &Verdict, moment: Moment) -> Vec<Condition> {
    let mut conditions = current.to_vec();
    moment.say(&mut conditions, "Accepted", verdict);
    conditions
}

/// The status of a Gateway.
#[must_use]
pub fn gateway(
    current: &GatewayStatus,
    verdict: &GatewayVerdict,
    progress: &Progress,
    moment: Moment,
) -> GatewayStatus {
    let mut conditions = current.conditions.clone();
    moment.say(&mut conditions, "Accepted", &verdict.accepted);
    let programmed = gateway_programmed(verdict, progress);
    moment.say_or_keep(&mut conditions, "Programmed", programmed.clone(), BEING_READ);
    let listeners = verdict.listeners.iter().map(|listener| {
        let before = current.listeners.iter().find(|status| status.name == listener.name);
        listener_status(before, listener, &programmed, moment)
    });
    // In the order of their owners: who goes by an address alone takes the first, so the service that has no host name of
    // its own has to be that.
    let services = verdict.owners.iter().filter_map(|owner| progress.services.get(owner));
    let mut addresses: Vec<GatewayAddress> = services
        .filter_map(|service| service.service.as_ref()?.dns_name.clone())
        .map(|value| GatewayAddress { type_: Some("Hostname".into()), value })
        .collect();
    let resources = verdict.resources.iter();
    let of_resources = resources.clone().filter_map(|key| progress.resources.get(key)?.resource.as_ref());
    addresses.extend(
        of_resources
            .filter_map(|facts| facts.dns_name.clone())
            .map(|value| GatewayAddress { type_: Some("Hostname".into()), value }),
    );
    let known = |key| progress.loaded && progress.resources.get(key).is_some_and(|it| it.resource.is_some());
    if !verdict.owners.iter().all(|owner| is_known(owner, progress)) || !resources.clone().all(known) {
        addresses.extend(current.addresses.iter().cloned());
    }
    let mut seen = BTreeSet::new();
    addresses.retain(|address| seen.insert(address.value.clone()));
    addresses.truncate(MOST_ADDRESSES);
    GatewayStatus { addresses, conditions, listeners: listeners.collect() }
}

/// The status of a ServiceNetwork, for which these Gateways stand.
#[must_use]
pub fn service_network(
    current: &ServiceNetworkStatus,
    name: &str,
    gateways: &[String],
    leaving: bool,
    progress: &Progress,
    moment: Moment,
) -> ServiceNetworkStatus {
    let mut status = current.clone();
    let conditions = &mut status.conditions;
    let accepted = match (leaving, gateways) {
        (true, [_, ..]) => (
            false,
            "InUse",
            format!(
                "It is being deleted and stays while a Gateway stands for it: delete {}",
                gateways.join(", ")
            ),
        ),
        _ => (true, "Accepted", "Lath sees to it that there is a service network of this name".into()),
    };
    moment.set(conditions, "Accepted", accepted.0, accepted.1, accepted.2);
    let Some(network) = progress.networks.get(name).filter(|_| progress.loaded) else {
        moment.say_or_keep(conditions, "Programmed", None, BEING_READ);
        return status;
    };
    let programmed = match network.troubles.first() {
        _ if network.found => {
            (true, "Programmed", format!("aws-service-network-arn: {}", network_arn(network)))
        }
        Some(trouble) => (false, trouble_reason(trouble), in_words(trouble)),
        None => (false, "Pending", "The service network is being made at VPC Lattice".into()),
    };
    moment.set(conditions, "Programmed", programmed.0, programmed.1, programmed.2);
    status.service_network_arn.clone_from(&network.arn);
    status.service_network_id = network.id.as_ref().map(|id| id.as_str().to_owned());
    status
}

/// The conditions of a Gateway of the AWS controller's classes, with what is said of the take-over. `refused` says which of
/// its routes Lath could not follow.
#[must_use]
pub fn taken_over(
    current: &[Condition],
    state: &State,
    refused: &[String],
    moment: Moment,
) -> Vec<Condition> {
    let mut conditions = current.to_vec();
    match state {
        State::Off => {}
        State::Waiting(reason) => {
            let mut parts = vec![reason.clone()];
            if !refused.is_empty() {
                parts.push("Mend these routes before, which Lath would refuse".into());
                parts.extend(refused.iter().take(MOST_REFUSED).cloned());
            }
            if let Some(more) = refused.len().checked_sub(MOST_REFUSED).filter(|more| *more > 0) {
                parts.push(format!("and {more} more"));
            }
            let message = parts.join(". ");
            // Where the AWS controller has said something, that holds: it may still act.
            let unsaid =
                |condition: &Condition| condition.type_ != "Programmed" || condition.status == "Unknown";
            if conditions.iter().all(unsaid) {
                moment.set(&mut conditions, "Programmed", false, "Pending", reason.as_str());
            }
            moment.set(&mut conditions, TAKEN_OVER, false, "Pending", message);
        }
        State::Over => moment.set(
            &mut conditions,
            TAKEN_OVER,
            true,
            "TakenOver",
            "What the AWS controller had made for this Gateway is Lath's",
        ),
    }
    conditions
}

/// Whether it is known how far a service is. One that was not read yet since the start is not.
fn is_known(owner: &Owner, progress: &Progress) -> bool {
    progress.services.get(owner).filter(|_| progress.loaded).is_some_and(|service| {
        service.done || service.service.is_some() || !service.waits.is_empty() || !service.troubles.is_empty()
    })
}

/// Whether a Gateway's service network is as it should be, and how it is called; else what is in the way.
fn gateway_programmed(verdict: &GatewayVerdict, progress: &Progress) -> Said {
    if let Some(clash) = &verdict.clash {
        return Some((false, "Invalid", clash.clone()));
    }
    if !verdict.accepted.holds {
        let message = format!("The Gateway is not accepted: {}", verdict.accepted.message);
        return Some((false, "Invalid", message));
    }
    let name = &verdict.network;
    let network = progress.networks.get(name).filter(|_| progress.loaded)?;
    if let Some(trouble) = network.troubles.first() {
        return Some((false, "Pending", in_words(trouble)));
    }
    if !network.found {
        return Some((
            false,
            "Pending",
            format!(
                "There is no service network {name} in this account, nor one that is shared with it: create it, or let Lath \
                 create it (GatewayParameters, serviceNetwork.create). It is looked for again and again"
            ),
        ));
    }
    match &network.vpc {
        Some(Status::Creating | Status::Updating) => {
            let message = format!("The VPC's association with the service network {name} is being made");
            Some((false, "Pending", message))
        }
        _ => Some((true, "Programmed", format!("aws-service-network-arn: {}", network_arn(network)))),
    }
}

fn network_arn(network: &NetworkProgress) -> &str {
    network.arn.as_deref().unwrap_or_default()
}

fn listener_status(
    before: Option<&ListenerStatus>,
    listener: &ListenerVerdict,
    gateway: &Said,
    moment: Moment,
) -> ListenerStatus {
    let mut conditions = before.map(|status| status.conditions.clone()).unwrap_or_default();
    moment.say(&mut conditions, "Accepted", &listener.accepted);
    moment.say(&mut conditions, "Conflicted", &listener.conflicted);
    moment.say(&mut conditions, "ResolvedRefs", &listener.resolved);
    let wrong = [
        (!listener.accepted.holds).then_some(&listener.accepted),
        listener.conflicted.holds.then_some(&listener.conflicted),
        (!listener.resolved.holds).then_some(&listener.resolved),
    ];
    match (wrong.into_iter().flatten().next(), gateway) {
        (Some(wrong), _) => {
            moment.set(&mut conditions, "Programmed", false, "Invalid", wrong.message.as_str());
        }
        (None, said) => {
            let said = said.clone().map(|(holds, reason, message)| {
                (
                    holds,
                    reason,
                    if holds { "Services of attached routes have this listener".into() } else { message },
                )
            });
            moment.say_or_keep(&mut conditions, "Programmed", said, BEING_READ);
        }
    }
    let kinds = listener
        .kinds
        .iter()
        .map(|kind| GatewayRouteKind { group: Some(gateway::GROUP.into()), kind: kind.as_str().into() });
    ListenerStatus {
        name: listener.name.clone(),
        supported_kinds: kinds.collect(),
        attached_routes: listener.attached,
        conditions,
    }
}

/// The status of a route. What others say of it than the `controllers` whose classes are served stays.
#[must_use]
pub fn route(
    current: &RouteStatus,
    verdict: &RouteVerdict,
    (progress, notes): (&Progress, &Notes),
    controllers: &[&str],
    moment: Moment,
) -> RouteStatus {
    let is_own = |parent: &&RouteParentStatus| controllers.contains(&parent.controller_name.as_str());
    let foreign = current.parents.iter().filter(|parent| !is_own(parent)).cloned();
    let own = verdict.parents.iter().map(|parent| {
        let before = current
            .parents
            .iter()
            .find(|status| status.controller_name == parent.controller && status.parent_ref == parent.parent);
        let mut conditions = before.map(|status| status.conditions.clone()).unwrap_or_default();
        moment.say(&mut conditions, "Accepted", &parent.accepted);
        moment.say_resolved(&mut conditions, &parent.resolved, &verdict.lookups, progress);
        if parent.accepted.holds {
            let said = if verdict.owners.is_empty() {
                layer4::programmed(verdict, progress, notes)
            } else {
                route_programmed(verdict, progress, notes)
            };
            moment.say_or_keep(&mut conditions, PROGRAMMED, said, BEING_READ);
        } else {
            let message = format!("The route is not accepted: {}", parent.accepted.message);
            moment.set(&mut conditions, PROGRAMMED, false, "NotAccepted", message);
        }
        RouteParentStatus {
            parent_ref: parent.parent.clone(),
            controller_name: parent.controller.clone(),
            conditions,
        }
    });
    RouteStatus { parents: foreign.chain(own).collect() }
}

/// Whether VPC Lattice holds all of a route, and what Cloud Map makes of that.
fn route_programmed(verdict: &RouteVerdict, progress: &Progress, notes: &Notes) -> Said {
    let mut names = Vec::new();
    for owner in &verdict.owners {
        let service = progress.services.get(owner).filter(|_| is_known(owner, progress))?;
        if let Some((reason, message)) = hindrance(owner, service, verdict.shares.get(owner), progress) {
            return Some((false, reason, message));
        }
        names.extend(service.service.as_ref().map(|facts| {
            let dns = facts.dns_name.as_deref().unwrap_or("a name that is not known yet");
            format!("{} ({dns})", facts.name)
        }));
    }
    if names.is_empty() {
        let message = "No listener that the route is attached to is valid";
        return Some((false, Reason::ListenersNotValid.as_str(), message.into()));
    }
    let mut sentences = vec![format!("VPC Lattice serves it as {}", names.join(", "))];
    sentences.extend(published::remarks(&verdict.published, progress, notes)?);
    Some((true, "Programmed", sentences.join(". ")))
}

/// What a service waits for, or what is in its way. Of one that is shared, what is other routes' own trouble is left out.
fn hindrance(
    owner: &Owner,
    service: &ServiceProgress,
    share: Option<&Share>,
    progress: &Progress,
) -> Option<(&'static str, String)> {
    let concerns = |trouble: &&Trouble| {
        trouble.rules.is_empty() || share.is_none_or(|share| !trouble.rules.is_disjoint(&share.rules))
    };
    if let Some(trouble) = service.troubles.iter().find(concerns) {
        return Some((trouble_reason(trouble), in_words(trouble)));
    }
    // Keys begin with the owner.
    let first = GroupKey::Service(Box::new(ServiceGroupKey {
        owner: owner.clone(),
        namespace: String::new(),
        service: String::new(),
        port: 0,
        protocol: GroupProtocol::Http(HttpVersion::Http1),
        family: IpFamily::IPv4,
    }));
    let declared = GroupKey::Declared(Box::new(DeclaredKey {
        owner: owner.clone(),
        namespace: String::new(),
        name: String::new(),
        form: GroupForm::Ip { protocol: GroupProtocol::Http(HttpVersion::Http1), family: IpFamily::IPv4 },
        vpc: None,
        single: None,
    }));
    let of_owner =
        |from: GroupKey| progress.groups.range(from..).take_while(|(key, _)| key.owner() == Some(owner));
    let own = |key: &GroupKey| share.is_none_or(|share| share.groups.contains(key));
    for (key, group) in of_owner(first).chain(of_owner(declared)).filter(|(key, _)| own(key)) {
        if let Some(trouble) = &group.trouble {
            let message = format!("{} for {}", in_words(trouble), names::describe(key));
            return Some((trouble_reason(trouble), message));
        }
    }
    // Rules whose groups can't be made are there and answer 500, so that is asked last.
    if service.done {
        return None;
    }
    let waits: Vec<String> = service.waits.iter().map(wait_in_words).collect();
    Some((
        "Pending",
        match waits.as_slice() {
            [] => "It is being made at VPC Lattice".into(),
            waits => format!("Since {}, waiting for {}", service.since, waits.join(", ")),
        },
    ))
}

fn trouble_reason(trouble: &Trouble) -> &'static str {
    match trouble.kind {
        "denied" => "AccessDenied",
        "credentials" => "NoCredentials",
        "full" => "QuotaExceeded",
        "throttled" => "Throttled",
        "refused" => "Refused",
        "taken" | "foreign" => "Conflicted",
        "mixed" => "Pending",
        _ => "Failed",
    }
}

fn in_words(trouble: &Trouble) -> String {
    let advice = if trouble.needs_operator { "" } else { "; it is tried again" };
    format!("Since {}, {} fails: {}{advice}", trouble.since, trouble.doing, trouble.message)
}

fn wait_in_words(wait: &Wait) -> String {
    match wait {
        Wait::Service => "the service, which VPC Lattice is making".into(),
        Wait::Association(network) => {
            format!("the association with service network {network}, which takes VPC Lattice a while")
        }
        Wait::Group => "a target group, which VPC Lattice is making".into(),
        Wait::GroupOf(key) => format!("the target group of {}", names::describe(key)),
        Wait::Warming(key) => {
            format!("healthy targets of {}, to which requests are moved then", names::describe(key))
        }
        Wait::Network(name) => format!("the service network {name}, which is not there"),
        Wait::VpcAssociation => "the VPC's association".into(),
        Wait::Resource => "VPC Lattice or Cloud Map, which is at it".into(),
        Wait::ResourceGateway => "the resource gateway, which is not there yet".into(),
        Wait::Directory => "the directory of its pods in Cloud Map, which is not there yet".into(),
    }
}

#[cfg(test)]
mod tests;
