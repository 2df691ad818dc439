//! From a request to its service, rule and target.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use http::Version;
use http::request::Parts;

use crate::access_log::Subscription;
use crate::account::Caller;
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
use super::exchange::{OrDash, ServiceEntry};
use super::framing;
use super::invoke::Function;
use super::listen::Client;
use super::reach::Reached;

/// Why a policy's refusal fails, as access logs name it. Source: VPC Lattice user guide, access logs.
const DENIED: &str = "ClientAccessDenied";

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
        &self,
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
        self.tell(reached, client, now, entry);
        let speaks = if client.secure { ListenerProtocol::Https } else { ListenerProtocol::Http };
        let listener = listener(service, client, now).filter(|listener| listener.protocol == speaks);
        let Some(listener) = listener else {
            let (name, port, speaks) = (&service.name, client.local.port(), speaks.text());
            let message = format!("Service {name} has no listener of the protocol {speaks} on port {port}.");
            return Decision::Refuse(unknown, message);
        };
        entry.listener_id = listener.id.as_str().into();
        entry.listener_type = listener.protocol.text().into();
        if framing::asks_for_upgrade(head) {
            let sentence = "VPC Lattice does not change protocols; WebSocket is not supported.";
            return Decision::Refuse(self.settings.upgrade_status.0, sentence.to_owned());
        }
        let signer = match self.signer(head) {
            Ok(signer) => signer,
            Err(refused) => {
                entry.resolved_user = "Unknown".into();
                entry.failure_reason = DENIED.into();
                let code = refused.code();
                let sentence = match self.settings.deny_text {
                    DenyText::Sentence => format!("{code}: {refused}"),
                    DenyText::Code => code.to_owned(),
                };
                return Decision::Refuse(403, sentence);
            }
        };
        entry.caller_principal = OrDash(signer.as_ref().map(|signer| signer.arn.clone()));
        if let Err(sentence) = self.authorize(reached, client, Some(head), signer.as_ref(), entry) {
            return Decision::Refuse(403, sentence);
        }
        let Some(taken) = listener.take(head.method.as_str(), head.uri.path(), &head.headers) else {
            return Decision::Fixed(404);
        };
        let (to, group) = match self.take(taken, now, entry) {
            Ok(found) => found,
            Err(decision) => return decision,
        };
        Decision::Forward(Box::new(Forward {
            to,
            idle: Duration::from_secs(service.idle_timeout),
            service_arn: service.arn.clone(),
            network_arn: network.map(|network| network.arn.clone()),
            group_arn: group.arn.clone(),
            vpc_arn: self.vpc_arn(client.address),
            principal: signer.map(|signer| signer.arn),
            separator: self.settings.identity_separator.between(),
            statuses: Statuses {
                connect_failure: self.settings.connect_failure_status.0,
                function_failure: self.settings.function_failure_status.0,
                timeout: self.settings.timeout_status.0,
            },
        }))
    }

    /// Decides a TLS connection by the name that the client asks for: the target that its bytes go to and how long it may
    /// be idle, or `None` if the listener ends TLS itself. `entry` says what access logs tell of it.
    pub(super) fn passes_through(
        &self,
        client: &Client,
        name: &str,
        entry: &mut ServiceEntry,
    ) -> Result<Option<(SocketAddr, Duration)>, String> {
        let now = self.clock.now();
        let reached =
            self.find(client, name, now).ok_or_else(|| format!("no service has the name {name}"))?;
        self.tell(reached, client, now, entry);
        let listener = listener(reached.service, client, now);
        let listener =
            listener.ok_or_else(|| format!("{name} does not listen on port {}", client.local.port()))?;
        entry.listener_id = listener.id.as_str().into();
        entry.listener_type = listener.protocol.text().into();
        match listener.protocol {
            ListenerProtocol::Https => Ok(None),
            ListenerProtocol::Http => Err(format!("{name} speaks HTTP on this port, not TLS")),
            ListenerProtocol::TlsPassthrough => {
                let taken = listener.default().ok_or("the listener has no default rule")?;
                self.authorize(reached, client, None, None, entry)?;
                match self.take(taken, now, entry) {
                    Ok((To::Server(destination), _)) => {
                        let idle = Duration::from_secs(reached.service.idle_timeout);
                        Ok(Some((destination.target, idle)))
                    }
                    Ok((To::Function(_), _)) | Err(_) => {
                        Err(format!("{name} has no target that gets traffic"))
                    }
                }
            }
        }
    }

    /// Whether the policies allow a request, or a connection where there is no head; the sentence that refuses it.
    fn authorize(
        &self,
        reached: Reached<'_>,
        client: &Client,
        head: Option<&Parts>,
        signer: Option<&Caller>,
        entry: &mut ServiceEntry,
    ) -> Result<(), String> {
        let now = self.clock.now();
        let vpc = self.surroundings.vpc_of(client.address).map(|vpc| vpc.id.as_str());
        let asked = Asked {
            service: reached.service,
            network: self.policy_network(reached, now),
            vpc,
            vpc_owner: vpc.map(|vpc| self.surroundings.owner(vpc)),
            client: client.address,
            port: client.local.port(),
            secure: client.secure,
            head,
        };
        entry.resolved_user = OrDash(auth::resolved(&asked, signer, now));
        auth::authorize(self, &asked, signer, now).map_err(|denied| {
            entry.auth_denied_reason = denied.by.into();
            entry.failure_reason = DENIED.into();
            denied.sentence
        })
    }

    /// Says what access logs tell of every request to a service, and who gets it.
    fn tell(&self, reached: Reached<'_>, client: &Client, now: SimTime, entry: &mut ServiceEntry) {
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
        entry.start_time = format!("{:.0}", self.clock.wall(now)).into();
        entry.service_arn = service.arn.as_str().into();
        entry.service_network_arn = OrDash(network.map(|network| network.arn.clone()));
        entry.source_vpc_id = OrDash(self.surroundings.vpc_of(client.address).map(|vpc| vpc.id.clone()));
        entry.source_vpc_arn = OrDash(self.vpc_arn(client.address));
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
        taken: &Taken,
        now: SimTime,
        entry: &mut ServiceEntry,
    ) -> Result<(To, &TargetGroup), Decision> {
        let groups = match &taken.action {
            Doing::Fixed(status) => return Err(Decision::Fixed(*status)),
            Doing::Forward(groups) => groups,
        };
        let found = self.target(taken, groups, now, entry);
        let Some((group, target)) = found else {
            entry.failure_reason = "NoTarget".into();
            let sentence = "No target gets traffic.".to_owned();
            return Err(Decision::Refuse(self.settings.empty_group_status.0, sentence));
        };
        let to = if group.kind == GroupType::Lambda {
            self.function(group, target).map(To::Function)
        } else {
            let address = self.address(group, target);
            entry.target_ip_port = OrDash(address);
            address.map(|address| To::Server(destination(group, address)))
        };
        let to = to.ok_or_else(|| {
            entry.failure_reason = "NoTarget".into();
            let sentence = format!("The surroundings say nothing of the target {}.", target.id);
            Decision::Refuse(self.settings.connect_failure_status.0, sentence)
        })?;
        Ok((to, group))
    }

    /// The target whose turn it is, of the group whose turn it is.
    fn target(
        &self,
        taken: &Taken,
        groups: &[(String, u64)],
        now: SimTime,
        entry: &mut ServiceEntry,
    ) -> Option<(&TargetGroup, &Target)> {
        let mut turns = self.turns.borrow_mut();
        let (id, _) = turns.group(&taken.rule, groups)?;
        let group = self.state.groups.get(id)?;
        entry.target_group_arn = group.arn.as_str().into();
        entry.destination_vpc_id = OrDash(group.config.vpc.clone());
        let targets = self.with_traffic(group, now);
        let place = turns.among(id, targets.len())?;
        Some((group, targets.get(place)?))
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
        let epoch = self.clock.wall(self.clock.now()).as_microsecond();
        Some(Function { run: function.run.clone(), second, epoch })
    }
}

/// The listener of a service on the port that the client came to.
fn listener<'a>(service: &'a Service, client: &Client, now: SimTime) -> Option<&'a Listening> {
    let listeners = service.published.at(now)?;
    listeners.iter().find(|listener| listener.port == client.local.port())
}

/// How the servers of a group are spoken to.
fn destination(group: &TargetGroup, target: SocketAddr) -> Destination {
    let version = group.config.protocol_version.as_deref();
    let version = if matches!(version, Some("HTTP2" | "GRPC")) { Version::HTTP_2 } else { Version::HTTP_11 };
    Destination { target, secure: group.config.protocol == Some(Protocol::Https), version }
}
