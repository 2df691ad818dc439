//! What the simulated service holds, and what changes in it by the passing of time.

pub(crate) mod arn;
pub(crate) mod backend;
pub(crate) mod cloudmap;
pub(crate) mod delayed;
pub(crate) mod life;
pub(crate) mod network;
pub(crate) mod page;
pub(crate) mod policy;
pub(crate) mod published;
pub(crate) mod resource;
pub(crate) mod service;
pub(crate) mod session;
pub(crate) mod share;
pub(crate) mod table;
pub(crate) mod tagged;
pub(crate) mod target;
pub(crate) mod target_group;
pub(crate) mod token;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::clock::SimTime;
use crate::random::{Random, uuid};
use crate::settings::Settings;
use backend::{
    AccessLogSubscription, DomainVerification, EndpointAssociation, ResourceConfiguration, ResourceGateway,
};
use cloudmap::CloudMap;
use network::{ResourceAssociation, ServiceAssociation, ServiceNetwork, VpcAssociation};
use published::Listening;
use service::Service;
use session::Session;
use share::Shares;
use table::Table;
use target_group::TargetGroup;
use token::Tokens;

/// Tags by key.
pub(crate) type Tags = BTreeMap<String, String>;

/// Everything that calls create, of all accounts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) groups: Table<TargetGroup>,
    pub(crate) services: Table<Service>,
    pub(crate) networks: Table<ServiceNetwork>,
    pub(crate) service_associations: Table<ServiceAssociation>,
    pub(crate) vpc_associations: Table<VpcAssociation>,
    pub(crate) resource_associations: Table<ResourceAssociation>,
    pub(crate) configurations: Table<ResourceConfiguration>,
    pub(crate) gateways: Table<ResourceGateway>,
    pub(crate) endpoint_associations: Table<EndpointAssociation>,
    pub(crate) verifications: Table<DomainVerification>,
    pub(crate) log_subscriptions: Table<AccessLogSubscription>,
    /// Resource policies by ARN of the resource.
    pub(crate) resource_policies: BTreeMap<String, String>,
    pub(crate) shares: Shares,
    pub(crate) cloudmap: CloudMap,
    /// By access key id.
    pub(crate) sessions: Table<Session>,
    pub(crate) tokens: Tokens,
    /// What ends by itself, in order of time. Holds one entry at most for each thing that is ending.
    ends: BTreeSet<(SimTime, End)>,
    ids: Random,
    /// Decides when first checks happen.
    pub(crate) checks: Random,
    /// Whether a data plane makes the health checks.
    #[serde(skip)]
    pub(crate) checking: bool,
}

/// Something that is there no more from some time on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum End {
    /// A deregistered target, by group and place in the group.
    Target {
        group: String,
        place: u64,
    },
    /// A target group that is being deleted.
    TargetGroup {
        id: String,
    },
    /// A service that is being deleted, with all that belongs to it.
    Service {
        id: String,
    },
    ServiceAssociation {
        id: String,
    },
    VpcAssociation {
        id: String,
    },
    ResourceAssociation {
        id: String,
    },
    ResourceConfiguration {
        id: String,
    },
    ResourceGateway {
        id: String,
    },
}

impl State {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            groups: Table::default(),
            services: Table::default(),
            networks: Table::default(),
            service_associations: Table::default(),
            vpc_associations: Table::default(),
            resource_associations: Table::default(),
            configurations: Table::default(),
            gateways: Table::default(),
            endpoint_associations: Table::default(),
            verifications: Table::default(),
            log_subscriptions: Table::default(),
            resource_policies: BTreeMap::new(),
            shares: Shares::default(),
            cloudmap: CloudMap::default(),
            sessions: Table::default(),
            tokens: Tokens::default(),
            ends: BTreeSet::new(),
            ids: Random::new(seed, "ids"),
            checks: Random::new(seed, "checks"),
            checking: false,
        }
    }

    /// A new id: the prefix and 17 characters, of which the first is always 0, as in the service's own.
    pub(crate) fn new_id(&mut self, prefix: &str) -> String {
        format!("{prefix}0{:016x}", self.ids.next())
    }

    /// A new UUID, as RAM has them in ARNs.
    pub(crate) fn new_uuid(&mut self) -> String {
        uuid(&mut self.ids)
    }

    /// A number that seeds what is drawn for one purpose.
    pub(crate) fn draw(&mut self) -> u64 {
        self.ids.next()
    }

    /// Lets something end at `time`.
    pub(crate) fn end_at(&mut self, time: SimTime, end: End) {
        self.ends.insert((time, end));
    }

    /// Takes back what [`State::end_at`] announced.
    pub(crate) fn keep(&mut self, time: SimTime, end: End) {
        self.ends.remove(&(time, end));
    }

    /// Lets the data plane know of a change of the resource with this id, each part after its time.
    pub(crate) fn publish(&mut self, id: &str, now: SimTime, settings: &Settings) {
        let auth = if let Some(service) = self.services.get_mut(id) {
            let listeners = Listening::of(service);
            service.published.publish(listeners, now, now + settings.propagate_rules.0);
            &mut service.auth
        } else if let Some(network) = self.networks.get_mut(id) {
            &mut network.auth
        } else {
            return;
        };
        auth.publish(now, now + settings.propagate_auth.0);
    }

    /// Begins to make health checks, where none were made by now.
    pub(crate) fn start_checking(&mut self, now: SimTime) {
        self.checking = true;
        for target in self.groups.rows_mut().flat_map(|group| group.targets.rows_mut()) {
            target.checked.due = Some(target.verdict_at.max(now));
        }
    }

    /// Brings up to date what follows from the rest, after the state was read from a file.
    pub(crate) fn restored(&mut self, now: SimTime) {
        self.shares.change(|_| ());
        for target in self.groups.rows_mut().flat_map(|group| group.targets.rows_mut()) {
            target.checked = target::Checked::default();
        }
        for service in self.services.rows_mut() {
            let listeners = Listening::of(service);
            service.published.publish(listeners, now, now);
            service.auth.publish(now, now);
        }
        for network in self.networks.rows_mut() {
            network.auth.publish(now, now);
        }
    }

    /// Brings the state up to `now` and returns whether anything ended. Cost: what ended since the last time.
    pub(crate) fn settle(&mut self, now: SimTime) -> bool {
        let mut ended = false;
        while let Some((time, end)) = self.ends.first().filter(|(time, _)| *time <= now).cloned() {
            match &end {
                End::Target { group, place } => {
                    if let Some(group) = self.groups.get_mut(group) {
                        group.targets.remove_at(*place);
                    }
                }
                End::TargetGroup { id } => self.remove_group(id),
                End::Service { id } => self.remove_service(id),
                End::ServiceAssociation { id } => drop(self.service_associations.remove(id)),
                End::VpcAssociation { id } => drop(self.vpc_associations.remove(id)),
                End::ResourceAssociation { id } => drop(self.resource_associations.remove(id)),
                End::ResourceConfiguration { id } => {
                    if let Some(configuration) = self.configurations.remove(id) {
                        self.forget(&configuration.arn);
                    }
                }
                End::ResourceGateway { id } => drop(self.gateways.remove(id)),
            }
            self.ends.remove(&(time, end));
            ended = true;
        }
        ended
    }

    fn remove_service(&mut self, id: &str) {
        let Some(service) = self.services.remove(id) else { return };
        for rule in service.listeners.rows().flat_map(|listener| listener.rules.rows()) {
            self.release(id, &rule.action.groups());
        }
        self.forget(&service.arn);
    }

    /// Takes out what hangs on a resource that is gone: its resource policy and its access log subscriptions.
    pub(crate) fn forget(&mut self, arn: &str) {
        self.resource_policies.remove(arn);
        let orphans = self.log_subscriptions.rows().filter(|subscription| subscription.resource_arn == arn);
        let orphans: Vec<String> = orphans.map(|subscription| subscription.id.clone()).collect();
        for id in orphans {
            self.log_subscriptions.remove(&id);
        }
        if self.shares.table.rows().any(|share| share.resources.contains(arn)) {
            self.shares.change(|shares| {
                for share in shares.rows_mut() {
                    share.resources.remove(arn);
                }
            });
        }
    }

    fn remove_group(&mut self, id: &str) {
        if let Some(group) = self.groups.remove(id) {
            for (place, target) in group.targets.iter() {
                if let Some(leaving) = &target.leaving {
                    self.ends.remove(&(leaving.until, End::Target { group: id.to_owned(), place }));
                }
            }
        }
    }

    /// Notes that a rule of `service` forwards to `groups`.
    pub(crate) fn acquire(&mut self, service: &str, groups: &[String], now: SimTime, settings: &Settings) {
        for id in groups {
            if let Some(group) = self.groups.get_mut(id) {
                group.acquire(service, now, settings);
            }
        }
    }

    /// Notes that a rule of `service` no longer forwards to `groups`.
    pub(crate) fn release(&mut self, service: &str, groups: &[String]) {
        for id in groups {
            if let Some(group) = self.groups.get_mut(id) {
                group.release(service);
            }
        }
    }
}
