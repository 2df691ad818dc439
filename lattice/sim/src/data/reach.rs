//! Who reaches what: from a client's address to the services and resource configurations of its VPC.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::clock::SimTime;
use crate::settings::choice::PolicyNetwork;
use crate::simulator::World;
use crate::state::backend::{ConfigurationType, ResourceConfiguration};
use crate::state::network::{ResourceAssociation, ServiceNetwork, VpcAssociation};
use crate::state::service::Service;
use crate::surroundings::Vpc;

/// A service that a client reaches, and through which service network.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reached<'a> {
    pub(super) service: &'a Service,
    pub(super) network: Option<&'a ServiceNetwork>,
}

/// A resource configuration that a client reaches, and how: through a service network, or through a VPC endpoint.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReachedResource<'a> {
    pub(super) configuration: &'a ResourceConfiguration,
    pub(super) association: Option<&'a ResourceAssociation>,
    /// The endpoint's id.
    pub(super) endpoint: Option<&'a str>,
}

impl World {
    /// The services that a client reaches, of those that this is true of. Where the surroundings name no VPC, everybody
    /// reaches all of them. It costs little where it is true of few.
    pub(super) fn reached(
        &self,
        client: IpAddr,
        now: SimTime,
        of: impl Fn(&Service) -> bool,
    ) -> impl Iterator<Item = Reached<'_>> {
        let everybody = self.surroundings.vpcs.is_empty();
        let networks = self.networks_of(client, now);
        let anybody = everybody || !networks.is_empty();
        let services = self
            .state
            .services
            .rows()
            .filter(move |service| anybody && of(service) && service.life.works(now));
        services.filter_map(move |service| {
            let rows = self.state.service_associations.rows();
            let mut rows = rows.filter(|row| row.service == service.id && row.life.works(now));
            if everybody {
                let network = rows.next().and_then(|row| self.state.networks.get(&row.network));
                return Some(Reached { service, network });
            }
            let network = rows.find_map(|row| networks.iter().find(|network| network.id == row.network))?;
            Some(Reached { service, network: Some(network) })
        })
    }

    /// The service that a client knows by a name.
    pub(super) fn service_named(&self, client: IpAddr, name: &str, now: SimTime) -> Option<Reached<'_>> {
        self.reached(client, now, |service| service.is_named(name)).next()
    }

    /// The service network whose auth policy counts for requests to a service.
    pub(super) fn policy_network<'a>(
        &'a self,
        reached: Reached<'a>,
        now: SimTime,
    ) -> Option<&'a ServiceNetwork> {
        match self.settings.policy_network {
            PolicyNetwork::Callers => reached.network,
            PolicyNetwork::Oldest => {
                let mut rows = self.state.service_associations.rows();
                let oldest = rows.find(|row| row.service == reached.service.id && row.life.works(now));
                oldest.and_then(|row| self.state.networks.get(&row.network))
            }
        }
    }

    /// The service networks of a client: of its VPC's association and of its VPC's endpoints.
    fn networks_of(&self, client: IpAddr, now: SimTime) -> Vec<&ServiceNetwork> {
        let Some(vpc) = self.surroundings.vpc_of(client) else { return Vec::new() };
        let associated = self
            .state
            .vpc_associations
            .rows()
            .filter(|row| row.vpc == vpc.id && row.life.works(now))
            .filter_map(|row| self.state.networks.get(&row.network));
        let endpoints = self.surroundings.vpc_endpoints.iter().filter(|endpoint| endpoint.vpc == vpc.id);
        let by_endpoint = endpoints.filter_map(|endpoint| {
            let name = endpoint.service_network.as_ref()?;
            let mut networks = self.state.networks.rows();
            networks.find(|network| network.id == *name || network.arn == *name || network.name == *name)
        });
        associated.chain(by_endpoint).collect()
    }

    /// The resource configurations that a client reaches, the children of groups in the groups' places. Where the
    /// surroundings name no VPC, everybody reaches all that are associated with a service network.
    pub(super) fn resources(&self, client: IpAddr, now: SimTime) -> Vec<ReachedResource<'_>> {
        let networks = self.networks_of(client, now);
        let everybody = self.surroundings.vpcs.is_empty();
        let associations = self.state.resource_associations.rows().filter(|row| {
            row.life.works(now) && (everybody || networks.iter().any(|network| network.id == row.network))
        });
        let vpc = self.surroundings.vpc_of(client);
        let leads_here = |id: &str| {
            let mut endpoints = self.surroundings.vpc_endpoints.iter();
            endpoints.any(|endpoint| endpoint.id == id && vpc.is_some_and(|vpc| vpc.id == endpoint.vpc))
        };
        let endpoints = self.state.endpoint_associations.rows().filter(|row| leads_here(&row.endpoint));
        let by_endpoint =
            endpoints.map(|row| (row.configuration.as_str(), None, Some(row.endpoint.as_str())));
        let named = associations.map(|row| (row.configuration.as_str(), Some(row), None)).chain(by_endpoint);
        let mut resources = Vec::new();
        for (id, association, endpoint) in named {
            let works = |row: &&ResourceConfiguration| row.life.works(now);
            let Some(named) = self.state.configurations.get(id).filter(works) else { continue };
            let reached = |configuration| ReachedResource { configuration, association, endpoint };
            if named.kind == ConfigurationType::Group {
                let children = self.state.configurations.rows().filter(works);
                let children = children.filter(|row| row.group.as_deref() == Some(id));
                resources.extend(children.map(reached));
            } else {
                resources.push(reached(named));
            }
        }
        resources
    }

    /// The association of a client's VPC.
    pub(super) fn association_of(&self, client: IpAddr, now: SimTime) -> Option<&VpcAssociation> {
        let vpc = self.surroundings.vpc_of(client)?;
        self.state.vpc_associations.rows().find(|row| row.vpc == vpc.id && row.life.works(now))
    }

    /// The ARN of a client's VPC.
    pub(super) fn vpc_arn(&self, client: IpAddr) -> Option<String> {
        let vpc = self.surroundings.vpc_of(client)?;
        let owner = self.surroundings.owner(&vpc.id);
        Some(format!("arn:aws:ec2:{}:{owner}:vpc/{}", self.settings.region.0, vpc.id))
    }

    /// From where clients may open connections to a port: where something listens that they reach, and the security
    /// groups of the VPC association let them in. `None`: from anywhere, since the surroundings name no VPC.
    pub(super) fn sources(&self, port: u16) -> Option<Vec<IpNet>> {
        if self.surroundings.vpcs.is_empty() {
            return None;
        }
        let now = self.clock.now();
        let mut sources = Vec::new();
        for vpc in &self.surroundings.vpcs {
            let Some(client) = vpc.cidrs.first().map(IpNet::addr) else { continue };
            let listens = |service: &Service| {
                let listeners = service.published.at(now);
                listeners.is_some_and(|listeners| listeners.iter().any(|listener| listener.port == port))
            };
            if self.reached(client, now, listens).next().is_some() {
                sources.extend(self.let_in(vpc, port, now));
            }
        }
        Some(sources)
    }

    /// The parts of a VPC that the security groups of its association let in.
    pub(super) fn let_in(&self, vpc: &Vpc, port: u16, now: SimTime) -> Vec<IpNet> {
        let mut rows = self.state.vpc_associations.rows();
        let association = rows.find(|row| row.vpc == vpc.id && row.life.works(now));
        let known = &self.surroundings.security_groups;
        // Without groups all come in; so they do where nothing is known of any group. One that is not known lets nobody in.
        let named = association.map_or(&[][..], |association| association.security_groups.as_slice());
        if named.is_empty() || known.is_empty() {
            return vpc.cidrs.clone();
        }
        let groups = known.iter().filter(|group| named.contains(&group.id));
        let rules = groups.flat_map(|group| &group.inbound);
        let rules =
            rules.filter(|rule| rule.ports.is_none_or(|(first, last)| (first..=last).contains(&port)));
        let ranges = rules.flat_map(|rule| {
            let members = known.iter().filter(|group| rule.security_groups.contains(&group.id));
            rule.cidrs.iter().chain(members.flat_map(|group| &group.members))
        });
        ranges.flat_map(|range| vpc.cidrs.iter().filter_map(|own| common(*own, *range))).collect()
    }
}

/// What two ranges have in common: the narrower one, if it lies within the other.
fn common(one: IpNet, other: IpNet) -> Option<IpNet> {
    if one.contains(&other) { Some(other) } else { other.contains(&one).then_some(one) }
}
