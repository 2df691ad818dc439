//! From a request to its service, rule and target.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use http::request::Parts;
use http::{Method, Version, header};

use crate::access_log::Subscription;
use crate::clock::SimTime;
use crate::settings::choice::{DenyText, RouteBy, Traffic};
use crate::simulator::World;
use crate::state::published::{Doing, Listening, Taken};
use crate::state::service::{ListenerProtocol, Service};
use crate::state::target::{Target, TargetStatus};
use crate::state::target_group::{GroupType, Protocol, TargetGroup};

use super::addresses;
use super::auth::{self, Asked};
use super::connections::Destination;
use super::exchange::{Known, ServiceEntry};
use super::invoke::Function;
use super::listen::Client;
use super::reach::Reached;

/// Why a policy's refusal fails, as access logs name it. Source: VPC Lattice user guide, access logs.
const DENIED: &str = "ClientAccessDenied";
/// Most rules whose turns are remembered; beyond it all begin anew.
const MOST_TURNS: usize = 100_000;

/// Whose turn it is, among the groups of rules and the targets of groups.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    /// Credit of each group of a rule, by the rule's id.
    rules: HashMap<String, Vec<i64>>,
    /// Requests to a group, and connections to a resource configuration, so far.
    groups: HashMap<String, usize>,
}

/// What becomes of a request.
#[derive(Debug)]
pub(super) enum Decision {
    /// It is answered here, with this status and sentence.
    Refuse(u16, String),
    /// It is answered here by a fixed response.
    Fixed(u16),
    /// It goes to a target.
    Forward(Box<Forward>),
}

/// The way of a request to a target.
#[derive(Debug, Clone)]
pub(super) struct Forward {
    pub(super) to: To,
    /// How long a connection of the service may be idle.
    pub(super) idle: Duration,
    pub(super) service_arn: String,
    pub(super) network_arn: Option<String>,
    pub(super) group_arn: String,
    /// The client's VPC.
    pub(super) vpc_arn: Option<String>,
    /// Who signed the request.
    pub(super) principal: Option<String>,
    /// What stands between the fields of the header that tells of the principal.
    pub(super) separator: &'static str,
    pub(super) statuses: Statuses,
}

/// What a target is.
#[derive(Debug, Clone)]
pub(super) enum To {
    Server(Destination),
    Function(Function),
}

/// The statuses of answers in the place of targets'.
#[derive(Debug, Clone, Copy)]
pub(super) struct Statuses {
    pub(super) connect_failure: u16,
    pub(super) function_failure: u16,
    pub(super) timeout: u16,
}

impl World {
    /// Decides a request, and says in `entry` what access logs tell of it.
    pub(super) fn decide(
        &mut self,
        client: &Client,
        host: &str,
        head: &Parts,
        entry: &mut ServiceEntry,
    ) -> Decision {
        let mut turns = std::mem::take(&mut self.turns);
        let decision = self.decide_by_turns(&mut turns, client, host, head, entry);
        self.turns = turns;
        decision
    }

    fn decide_by_turns(
        &self,
        turns: &mut Turns,
        client: &Client,
        host: &str,
        head: &Parts,
        entry: &mut ServiceEntry,
    ) -> Decision {
        let now = self.clock.now();
        let unknown = self.settings.unknown_host_status.0;
        let Some(reached) = self.find(client, host, now) else {
            return Decision::Refuse(unknown, format!("No service has the name {host}."));
        };
        let Reached { service, network } = reached;
        self.tell(reached, client, entry);
        let Some(listener) = Self::listener(service, client, now) else {
            let message =
                format!("Service {} does not listen on port {}.", service.name, client.local.port());
            return Decision::Refuse(unknown, message);
        };
        entry.listener_id = listener.id.as_str().into();
        entry.listener_type = listener.protocol.text().into();
        if asks_for_upgrade(head) {
            let sentence = "VPC Lattice does not change protocols; WebSocket is not supported.";
            return Decision::Refuse(self.settings.upgrade_status.0, sentence.to_owned());
        }
        let vpc = self.surroundings.vpc_of(client.address);
        let signer = match self.signer(head) {
            Ok(signer) => signer,
            Err(refused) => {
                entry.resolved_user = "unknown".into();
                entry.failure_reason = DENIED.into();
                let code = refused.code();
                let sentence = match self.settings.deny_text {
                    DenyText::Sentence => format!("{code}: {refused}"),
                    DenyText::Code => code.to_owned(),
                };
                return Decision::Refuse(403, sentence);
            }
        };
        entry.caller_principal = Known(signer.as_ref().map(|signer| signer.arn.clone()));
        let owner = vpc.map(|vpc| self.surroundings.owner(&vpc.id, &service.account));
        let asked = Asked {
            service,
            network: self.policy_network(reached, now),
            vpc: vpc.map(|vpc| vpc.id.as_str()),
            vpc_owner: owner,
            client: client.address,
            port: client.local.port(),
            secure: client.secure,
            head: Some(head),
        };
        entry.resolved_user = Known(auth::resolved(&asked, signer.as_ref(), now));
        if let Err(denied) = auth::authorize(self, &asked, signer.as_ref(), now) {
            entry.auth_denied_reason = denied.by.into();
            entry.failure_reason = DENIED.into();
            return Decision::Refuse(403, denied.sentence);
        }
        let Some(taken) = listener.take(head.method.as_str(), head.uri.path(), &head.headers).cloned() else {
            return Decision::Fixed(404);
        };
        let (to, group) = match self.take(turns, &taken, now, entry) {
            Ok(found) => found,
            Err(decision) => return decision,
        };
        Decision::Forward(Box::new(Forward {
            to,
            idle: Duration::from_secs(service.idle_timeout),
            service_arn: service.arn.clone(),
            network_arn: network.map(|network| network.arn.clone()),
            group_arn: group.arn.clone(),
            vpc_arn: self.vpc_arn(client.address, &service.account),
            principal: signer.map(|signer| signer.arn),
            separator: self.settings.identity_separator.between(),
            statuses: Statuses {
                connect_failure: self.settings.connect_failure_status.0,
                function_failure: self.settings.function_failure_status.0,
                timeout: self.settings.timeout_status.0,
            },
        }))
    }

    /// Decides a TLS connection by the name that the client asks for: the target that its bytes go to, or `None` if
    /// the listener ends TLS itself. `entry` says what access logs tell of it.
    pub(super) fn passes_through(
        &mut self,
        client: &Client,
        name: &str,
        entry: &mut ServiceEntry,
    ) -> Result<Option<SocketAddr>, String> {
        let mut turns = std::mem::take(&mut self.turns);
        let target = self.passes_by_turns(&mut turns, client, name, entry);
        self.turns = turns;
        target
    }

    fn passes_by_turns(
        &self,
        turns: &mut Turns,
        client: &Client,
        name: &str,
        entry: &mut ServiceEntry,
    ) -> Result<Option<SocketAddr>, String> {
        let now = self.clock.now();
        let reached =
            self.find(client, name, now).ok_or_else(|| format!("no service has the name {name}"))?;
        self.tell(reached, client, entry);
        let listener = Self::listener(reached.service, client, now);
        let listener =
            listener.ok_or_else(|| format!("{name} does not listen on port {}", client.local.port()))?;
        entry.listener_id = listener.id.as_str().into();
        entry.listener_type = listener.protocol.text().into();
        match listener.protocol {
            ListenerProtocol::Https => Ok(None),
            ListenerProtocol::Http => Err(format!("{name} speaks HTTP on this port, not TLS")),
            ListenerProtocol::TlsPassthrough => {
                let taken = listener.default().cloned().ok_or("the listener has no default rule")?;
                let vpc = self.surroundings.vpc_of(client.address);
                let asked = Asked {
                    service: reached.service,
                    network: self.policy_network(reached, now),
                    vpc: vpc.map(|vpc| vpc.id.as_str()),
                    vpc_owner: vpc.and_then(|vpc| vpc.account.as_deref()),
                    client: client.address,
                    port: client.local.port(),
                    secure: true,
                    head: None,
                };
                entry.resolved_user = Known(auth::resolved(&asked, None, now));
                auth::authorize(self, &asked, None, now).map_err(|denied| {
                    entry.auth_denied_reason = denied.by.into();
                    entry.failure_reason = DENIED.into();
                    denied.sentence
                })?;
                match self.take(turns, &taken, now, entry) {
                    Ok((To::Server(destination), _)) => Ok(Some(destination.target)),
                    Ok((To::Function(_), _)) | Err(_) => {
                        Err(format!("{name} has no target that gets traffic"))
                    }
                }
            }
        }
    }

    /// Says what access logs tell of every request to a service, and who gets it.
    fn tell(&self, reached: Reached<'_>, client: &Client, entry: &mut ServiceEntry) {
        let Reached { service, network } = reached;
        let rows = self.state.log_subscriptions.rows().filter(|row| {
            row.resource == service.id
                || network.is_some_and(|network| row.resource == network.id)
                    && row.log_type.as_deref() == Some("SERVICE")
        });
        entry.subscriptions = rows.map(Subscription::from).collect();
        if entry.subscriptions.is_empty() {
            return;
        }
        entry.service_arn = service.arn.as_str().into();
        entry.service_network_arn = Known(network.map(|network| network.arn.clone()));
        entry.source_vpc_id = Known(self.surroundings.vpc_of(client.address).map(|vpc| vpc.id.clone()));
        entry.source_vpc_arn = Known(self.vpc_arn(client.address, &service.account));
    }

    /// The listener of a service on the port that the client came to, if it speaks as the client does.
    fn listener<'a>(service: &'a Service, client: &Client, now: SimTime) -> Option<&'a Listening> {
        let listeners = service.published.at(now)?;
        listeners.iter().find(|listener| {
            listener.port == client.local.port()
                && (listener.protocol != ListenerProtocol::Http) == client.secure
        })
    }

    /// The service of a name among those that the client reaches.
    fn find(&self, client: &Client, name: &str, now: SimTime) -> Option<Reached<'_>> {
        let name = name.strip_suffix('.').unwrap_or(name);
        let by_name = || self.service_named(client.address, name, now);
        let by_address = || {
            let is_here = |service: &Service| {
                let addresses = addresses::of_service(&self.state, &self.settings, &service.id);
                addresses.contains(&client.local.ip())
            };
            let mut here = self.reached(client.address, now, is_here);
            // An address that several share says nothing.
            match (here.next(), here.next()) {
                (Some(only), None) => Some(only),
                _ => None,
            }
        };
        match self.settings.route_by {
            RouteBy::Name => {
                let names_a_service = name.parse::<IpAddr>().is_err() && !name.is_empty();
                if names_a_service { by_name() } else { by_address() }
            }
            RouteBy::Address => by_address().or_else(by_name),
        }
    }

    /// Follows a rule to a target.
    fn take(
        &self,
        turns: &mut Turns,
        taken: &Taken,
        now: SimTime,
        entry: &mut ServiceEntry,
    ) -> Result<(To, &TargetGroup), Decision> {
        let groups = match &taken.action {
            Doing::Fixed(status) => return Err(Decision::Fixed(*status)),
            Doing::Forward(groups) => groups,
        };
        let empty =
            Decision::Refuse(self.settings.empty_group_status.0, "No target gets traffic.".to_owned());
        entry.failure_reason = "NoTarget".into();
        let Some((id, _)) = turns.group(&taken.rule, groups) else { return Err(empty) };
        let Some(group) = self.state.groups.get(id) else { return Err(empty) };
        entry.target_group_arn = group.arn.as_str().into();
        entry.destination_vpc_id = Known(group.config.vpc.clone());
        let targets = self.with_traffic(group, now);
        let Some(target) = turns.target(id, &targets) else { return Err(empty) };
        let to = if group.kind == GroupType::Lambda {
            self.function(group, target).map(To::Function)
        } else {
            let address = self.address(group, target);
            entry.target_ip_port = Known(address);
            address.map(|address| To::Server(destination(group, address)))
        };
        let Some(to) = to else {
            let sentence = format!("The surroundings say nothing of the target {}.", target.id);
            return Err(Decision::Refuse(self.settings.connect_failure_status.0, sentence));
        };
        entry.failure_reason = Known(None);
        Ok((to, group))
    }

    /// The targets of a group that get traffic.
    fn with_traffic<'a>(&self, group: &'a TargetGroup, now: SimTime) -> Vec<&'a Target> {
        let settings = &self.settings;
        let known: Vec<&Target> = group
            .targets
            .rows()
            .filter(|target| now >= target.registered + settings.propagate_register.0)
            .filter(|target| match &target.leaving {
                None => true,
                Some(leaving) => {
                    now < leaving.since + settings.propagate_deregister.0
                        || settings.draining_traffic == Traffic::All
                }
            })
            .collect();
        let fit = |target: &&&Target| match target.health(group, now) {
            TargetStatus::Healthy | TargetStatus::Unavailable | TargetStatus::Unused => true,
            TargetStatus::Initial => settings.initial_traffic == Traffic::All,
            TargetStatus::Unhealthy | TargetStatus::Draining => false,
        };
        let healthy: Vec<&Target> = known.iter().filter(fit).copied().collect();
        if !healthy.is_empty() {
            return healthy;
        }
        // Fail open: when none is healthy, the unhealthy ones get traffic, all of them.
        let unhealthy = |target: &&Target| target.health(group, now) == TargetStatus::Unhealthy;
        known.into_iter().filter(unhealthy).collect()
    }

    /// Where traffic for a target goes.
    pub(super) fn address(&self, group: &TargetGroup, target: &Target) -> Option<SocketAddr> {
        let around = &self.surroundings;
        let address = match group.kind {
            GroupType::Ip => target.id.parse().ok()?,
            GroupType::Instance => {
                let instance = around.instances.iter().find(|instance| instance.id == target.id)?;
                *instance.addresses.first()?
            }
            GroupType::Alb => around.load_balancers.iter().find(|known| known.arn == target.id)?.address,
            GroupType::Lambda => return None,
        };
        Some(SocketAddr::new(address, target.port.or(group.config.port)?))
    }

    /// What runs for a target of a group of functions.
    fn function(&self, group: &TargetGroup, target: &Target) -> Option<Function> {
        let function = self.surroundings.functions.iter().find(|function| function.arn == target.id)?;
        let second = group.config.lambda_version.as_deref() == Some("V2");
        Some(Function { run: function.run.clone(), second })
    }
}

/// How the servers of a group are spoken to.
fn destination(group: &TargetGroup, target: SocketAddr) -> Destination {
    let version = group.config.protocol_version.as_deref();
    let version = if matches!(version, Some("HTTP2" | "GRPC")) { Version::HTTP_2 } else { Version::HTTP_11 };
    Destination { target, secure: group.config.protocol == Some(Protocol::Https), version }
}

/// Whether a request is to change the protocol of its connection.
fn asks_for_upgrade(head: &Parts) -> bool {
    head.headers.contains_key(header::UPGRADE) && head.version <= Version::HTTP_11
        || head.method == Method::CONNECT
}

impl Turns {
    /// The group whose turn it is, by weight: each gains its weight, the one with most credit pays for all of them.
    /// So counts are exact over a round, and the groups mixed within it.
    fn group<'a>(&mut self, rule: &str, groups: &'a [(String, u64)]) -> Option<&'a (String, u64)> {
        let weight = |group: &(String, u64)| i64::try_from(group.1).unwrap_or_default();
        let total: i64 = groups.iter().map(weight).sum();
        if total == 0 {
            return None;
        }
        if self.rules.len() >= MOST_TURNS {
            self.rules.clear();
        }
        let credit = self.rules.entry(rule.to_owned()).or_default();
        credit.resize(groups.len(), 0);
        for (credit, group) in credit.iter_mut().zip(groups) {
            *credit += weight(group);
        }
        let most = credit.iter().zip(groups).enumerate().filter(|(_, (_, group))| group.1 > 0);
        let (place, _) = most.max_by_key(|(place, (credit, _))| (**credit, std::cmp::Reverse(*place)))?;
        if let Some(credit) = credit.get_mut(place) {
            *credit -= total;
        }
        groups.get(place)
    }

    /// Which of so many addresses of a resource configuration has its turn.
    pub(super) fn resource(&mut self, id: &str, addresses: usize) -> usize {
        self.turn(id).checked_rem(addresses).unwrap_or_default()
    }

    fn turn(&mut self, id: &str) -> usize {
        if self.groups.len() >= MOST_TURNS {
            self.groups.clear();
        }
        let turn = self.groups.entry(id.to_owned()).or_default();
        *turn = turn.wrapping_add(1);
        *turn
    }

    /// The target whose turn it is.
    fn target<'a>(&mut self, group: &str, targets: &[&'a Target]) -> Option<&'a Target> {
        let place = self.turn(group).checked_rem(targets.len())?;
        targets.get(place).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_exact_over_a_round_and_mixed_within_it() {
        let groups = [("a".to_owned(), 5), ("b".to_owned(), 0), ("c".to_owned(), 3)];
        let mut turns = Turns::default();
        let drawn: String = (0..16).map(|_| turns.group("rule", &groups).unwrap().0.clone()).collect();
        assert_eq!(drawn, "acaacacaacaacaca");
        assert!(turns.group("other", &[("a".to_owned(), 0)]).is_none());
    }
}
