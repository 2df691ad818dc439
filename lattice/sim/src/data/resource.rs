//! Resource configurations: TCP connections from clients, through a resource gateway, to what they stand for.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;
use serde::Serialize;
use serde_json::Value;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use crate::access_log::Subscription;
use crate::clock::SimTime;
use crate::settings::Settings;
use crate::simulator::{Simulator, World};
use crate::state::backend::{ConfigurationType, ResourceConfiguration, port_range};
use crate::state::network::VpcAssociation;

use super::addresses;
use super::connections::{self, Error};
use super::exchange::OrDash;
use super::idle::Limit;
use super::listen::Client;
use super::names::alias;
use super::passthrough;
use super::reach::ReachedResource;

/// How long a connection may be idle. Assumed: as those of VPC endpoints are documented.
const IDLE: Duration = Duration::from_secs(350);
/// How long the machine has to resolve a name.
const RESOLVE: Duration = Duration::from_secs(5);
/// Most addresses of a name that are tried.
const MOST_ADDRESSES: usize = 8;

/// The way of a connection to what a resource configuration stands for.
#[derive(Debug)]
pub(super) struct ResourceRoute {
    to: Server,
    /// The ranges of our own addresses, where nothing goes: it would come back here.
    ours: Vec<IpNet>,
    entry: ResourceEntry,
}

/// What a resource configuration stands for, on the port that the client came to.
#[derive(Debug)]
enum Server {
    /// These, one of which will do; none where nothing is known.
    Known(Vec<SocketAddr>),
    /// Those of a name, with a port, that the machine resolves.
    Name(String, Family),
}

/// Which addresses of a name are good: `IPV4`, `IPV6` or `DUALSTACK`.
#[derive(Debug, Clone, Copy)]
struct Family {
    v4: bool,
    v6: bool,
}

/// A line in the access log of a resource configuration. Assumed: the names of the fields.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceEntry {
    event_timestamp: OrDash<String>,
    service_network_arn: OrDash<String>,
    service_network_resource_association_id: OrDash<String>,
    vpc_endpoint_id: OrDash<String>,
    source_vpc_arn: OrDash<String>,
    resource_configuration_arn: OrDash<String>,
    protocol: OrDash<&'static str>,
    source_ip_port: OrDash<SocketAddr>,
    destination_ip_port: OrDash<SocketAddr>,
    /// Where the resource gateway's connection comes from.
    gateway_ip_port: OrDash<SocketAddr>,
    resource_ip_port: OrDash<SocketAddr>,
    failure_reason: OrDash<&'static str>,
    /// Who gets the line.
    #[serde(skip)]
    subscriptions: Vec<Subscription>,
}

impl Family {
    fn of(definition: &Value) -> Self {
        let family = definition["dnsResource"]["ipAddressType"].as_str();
        Self { v4: family != Some("IPV6"), v6: family != Some("IPV4") }
    }

    fn has(self, address: IpAddr) -> bool {
        if address.is_ipv4() { self.v4 } else { self.v6 }
    }
}

impl World {
    /// The ports that a resource configuration is reached on, as far as the data plane listens there.
    fn ports(&self, configuration: &ResourceConfiguration) -> BTreeSet<u16> {
        if configuration.kind == ConfigurationType::Arn {
            let arn = configuration
                .definition
                .as_ref()
                .and_then(|definition| definition["arnResource"]["arn"].as_str());
            let known =
                self.surroundings.resources.iter().filter(|resource| Some(resource.arn.as_str()) == arn);
            return known.map(|resource| resource.port).collect();
        }
        let ranges = configuration.ports.iter().filter_map(|range| port_range(range));
        ranges.flat_map(|(first, last)| first..=last).take(self.settings.resource_ports.0).collect()
    }

    /// The addresses and ports of all resource configurations that somebody reaches, each with the ranges of clients
    /// that may come.
    pub(super) fn resource_openings(&self, now: SimTime) -> BTreeMap<SocketAddr, Option<Vec<IpNet>>> {
        let mut openings = BTreeMap::<SocketAddr, Option<Vec<IpNet>>>::new();
        if self.surroundings.vpcs.is_empty() {
            for reached in self.resources(Ipv4Addr::UNSPECIFIED.into(), now) {
                openings.extend(self.sockets(reached.configuration).map(|at| (at, None)));
            }
            return openings;
        }
        for vpc in &self.surroundings.vpcs {
            let Some(client) = vpc.cidrs.first().map(IpNet::addr) else { continue };
            let mut let_in = BTreeMap::<u16, Vec<IpNet>>::new();
            for reached in self.resources(client, now) {
                for at in self.sockets(reached.configuration) {
                    // A VPC endpoint's own security groups are not known, so it lets in its VPC.
                    let ranges = match reached.association {
                        Some(_) => {
                            let_in.entry(at.port()).or_insert_with_key(|port| self.let_in(vpc, *port, now))
                        }
                        None => &vpc.cidrs,
                    };
                    openings.entry(at).or_default().get_or_insert_default().extend(ranges);
                }
            }
        }
        for ranges in openings.values_mut().flatten() {
            ranges.sort_unstable();
            ranges.dedup();
        }
        openings
    }

    /// Where connections to a resource configuration come in.
    fn sockets(&self, configuration: &ResourceConfiguration) -> impl Iterator<Item = SocketAddr> + use<> {
        let carried = configuration.kind != ConfigurationType::Cidr;
        let address = addresses::of_resource(&self.settings, configuration.number).filter(|_| carried);
        let ports = self.ports(configuration);
        address.into_iter().flat_map(move |address| {
            ports.clone().into_iter().map(move |port| SocketAddr::new(address, port))
        })
    }

    /// The addresses of a resource configuration that a client knows by this name: of its association, or its custom
    /// domain name.
    pub(super) fn resource_named(&self, client: IpAddr, name: &str) -> Option<Vec<IpAddr>> {
        let now = self.clock.now();
        let (partition, region) = (&self.settings.partition_id.0, &self.settings.region.0);
        let named = |reached: &ReachedResource<'_>| {
            let id = &reached.configuration.id;
            let by_association = reached
                .association
                .is_some_and(|row| row.name_of(id, partition, region).eq_ignore_ascii_case(name));
            by_association || self.is_private_name(reached, client, name, now)
        };
        let reached = self.resources(client, now);
        let number = reached.iter().find(|reached| named(reached))?.configuration.number;
        Some(addresses::of_resource(&self.settings, number).into_iter().collect())
    }

    /// Whether this is the custom domain name of a resource, and private DNS has it: it is on for the resource's and
    /// for the VPC's association, and the latter's preference takes in the name.
    fn is_private_name(
        &self,
        reached: &ReachedResource<'_>,
        client: IpAddr,
        name: &str,
        now: SimTime,
    ) -> bool {
        let custom = reached.configuration.custom_domain.as_deref();
        if !custom.is_some_and(|custom| custom.eq_ignore_ascii_case(name))
            || reached.association.and_then(|row| row.private_dns) != Some(true)
        {
            return false;
        }
        if self.surroundings.vpcs.is_empty() {
            return true;
        }
        let verification = reached.configuration.verification.as_deref();
        let verification = verification.and_then(|id| self.state.verifications.get(id));
        let verified = verification.is_some_and(|row| row.status(now) == "VERIFIED");
        let association = self.association_of(client, now);
        association.is_some_and(|row| row.private_dns == Some(true) && takes_in(row, name, verified))
    }

    /// The way of a connection that came in at the address of a resource configuration; `None` if it is the address of
    /// none, and an error if the client does not reach it.
    pub(super) fn route_to_resource(&self, client: &Client) -> Option<Result<ResourceRoute, String>> {
        let now = self.clock.now();
        let mut rows = self.state.configurations.rows();
        let at = Some(client.local.ip());
        let here = rows.find(|row| addresses::of_resource(&self.settings, row.number) == at)?;
        let mut reached = self.resources(client.address, now).into_iter();
        let Some(reached) = reached.find(|reached| reached.configuration.id == here.id) else {
            return Some(Err(format!("the client does not reach the resource configuration {}", here.id)));
        };
        let mut to = self.server(here, client.local.port());
        if let Server::Known(servers) = &mut to {
            let turn = self.turns.borrow_mut().among(&here.id, servers.len());
            servers.rotate_left(turn.unwrap_or_default());
        }
        let Settings { ipv4_range, ipv6_range, resource_range, .. } = &self.settings;
        let ours = [ipv4_range, ipv6_range, resource_range].into_iter().filter_map(|range| range.0);
        let entry = self.resource_entry(&reached, client);
        Some(Ok(ResourceRoute { to, ours: ours.collect(), entry }))
    }

    /// What a resource configuration stands for.
    fn server(&self, configuration: &ResourceConfiguration, port: u16) -> Server {
        let Some(definition) = &configuration.definition else { return Server::Known(Vec::new()) };
        let on = |address: IpAddr| SocketAddr::new(address, port);
        if let Some(address) = definition["ipResource"]["ipAddress"].as_str() {
            return Server::Known(address.parse().into_iter().map(on).collect());
        }
        if let Some(arn) = definition["arnResource"]["arn"].as_str() {
            let resource = self.surroundings.resources.iter().find(|resource| resource.arn == arn);
            return Server::Known(resource.into_iter().map(|resource| on(resource.address)).collect());
        }
        let name = definition["dnsResource"]["domainName"].as_str().unwrap_or_default();
        let family = Family::of(definition);
        let gateway = configuration.gateway.as_deref().and_then(|id| self.state.gateways.get(id));
        // A gateway that resolves in its VPC sees the private zones there.
        let vpc = gateway.filter(|gateway| gateway.dns_resolution == "IN_VPC");
        let vpc = vpc.map(|gateway| gateway.vpc.as_str());
        let known = |name: &str| {
            let private = vpc.and_then(|vpc| self.private_name(Some(vpc), name));
            private.or_else(|| self.surrounding_name(name))
        };
        let (mut name, mut records) = (name.to_owned(), known(name));
        if let Some(other) = records.as_deref().and_then(alias) {
            records = known(&other);
            name = other;
        }
        match records {
            Some(records) => {
                let addresses = records.into_iter().filter_map(|(data, _)| data.ip_addr());
                Server::Known(addresses.filter(|address| family.has(*address)).map(on).collect())
            }
            None => Server::Name(format!("{name}:{port}"), family),
        }
    }

    fn resource_entry(&self, reached: &ReachedResource<'_>, client: &Client) -> ResourceEntry {
        let ReachedResource { configuration, association, endpoint } = reached;
        let network = association.and_then(|row| self.state.networks.get(&row.network));
        let rows = self.state.log_subscriptions.rows().filter(|row| {
            row.resource == configuration.id
                || configuration.group.as_ref() == Some(&row.resource)
                || network.is_some_and(|network| row.resource == network.id)
                    && row.log_type.as_deref() == Some("RESOURCE")
        });
        ResourceEntry {
            event_timestamp: self.clock.iso(self.clock.now()).into(),
            service_network_arn: OrDash(network.map(|network| network.arn.clone())),
            service_network_resource_association_id: OrDash(association.map(|row| row.id.clone())),
            vpc_endpoint_id: OrDash(endpoint.map(str::to_owned)),
            source_vpc_arn: OrDash(self.vpc_arn(client.address)),
            resource_configuration_arn: configuration.arn.as_str().into(),
            protocol: "tcp".into(),
            source_ip_port: SocketAddr::new(client.address, client.port).into(),
            destination_ip_port: client.local.into(),
            subscriptions: rows.map(Subscription::from).collect(),
            ..ResourceEntry::default()
        }
    }
}

/// Whether the private DNS of a VPC association takes in the custom domain name of a resource.
fn takes_in(association: &VpcAssociation, name: &str, verified: bool) -> bool {
    let options = association.dns_options.as_ref();
    let option = |member: &str| options.map_or(&Value::Null, |options| &options[member]);
    let specified = option("privateDnsSpecifiedDomains").as_array().into_iter().flatten();
    let within = |domain: &str| {
        let rest = name.len().checked_sub(domain.len()).and_then(|at| name.split_at_checked(at));
        rest.is_some_and(|(rest, end)| {
            end.eq_ignore_ascii_case(domain) && (rest.is_empty() || rest.ends_with('.'))
        })
    };
    let mut specified = specified.filter_map(Value::as_str);
    match option("privateDnsPreference").as_str() {
        Some("ALL_DOMAINS") => true,
        Some("SPECIFIED_DOMAINS_ONLY") => specified.any(within),
        Some("VERIFIED_DOMAINS_AND_SPECIFIED_DOMAINS") => verified || specified.any(within),
        _ => verified,
    }
}

/// Carries bytes between a client and what a resource configuration stands for, until both have ended or either
/// breaks off.
pub(super) async fn carry(
    simulator: &Simulator,
    client: TcpStream,
    mut route: ResourceRoute,
) -> Result<(), Error> {
    let connected = connect(&route.to, &route.ours).await;
    match &connected {
        Ok(server) => {
            route.entry.gateway_ip_port = OrDash(server.local_addr().ok());
            route.entry.resource_ip_port = OrDash(server.peer_addr().ok());
        }
        Err(error) => route.entry.failure_reason = error.failure().into(),
    }
    let ResourceRoute { mut entry, .. } = route;
    simulator.log_access(std::mem::take(&mut entry.subscriptions), &entry);
    let idle = Limit::new(IDLE);
    Ok(passthrough::pass(client, connected?, &idle).await?)
}

/// Connects to the first of the servers that accepts, none of which is at an address of ours.
async fn connect(to: &Server, ours: &[IpNet]) -> Result<TcpStream, Error> {
    let nobody =
        || std::io::Error::new(std::io::ErrorKind::NotFound, "the resource has no address that is not ours");
    let servers: Vec<SocketAddr> = match to {
        Server::Known(servers) => servers.clone(),
        Server::Name(name, family) => {
            let found =
                timeout(RESOLVE, lookup_host(name)).await.map_err(|_late| Error::ConnectTimeout)??;
            found.filter(|server| family.has(server.ip())).collect()
        }
    };
    let is_ours = |server: &SocketAddr| ours.iter().any(|range| range.contains(&server.ip()));
    let servers = servers.into_iter().filter(|server| !is_ours(server)).take(MOST_ADDRESSES);
    let mut failure = Error::from(nobody());
    for server in servers {
        match connections::open(server).await {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::state::Tags;
    use crate::state::life::Life;

    #[test]
    fn private_dns_takes_in_what_its_preference_says() {
        let association = |options: Value| VpcAssociation {
            id: String::new(),
            arn: String::new(),
            account: String::new(),
            vpc: String::new(),
            network: String::new(),
            security_groups: Vec::new(),
            private_dns: Some(true),
            dns_options: Some(options),
            tags: Tags::new(),
            life: Life::at(SimTime::ZERO),
        };
        let domains = json!(["example.com"]);
        let with = |preference: &str| json!({"privateDnsPreference": preference, "privateDnsSpecifiedDomains": domains});
        for (options, name, verified, expected) in [
            (json!({}), "db.example.com", true, true),
            (json!({}), "db.example.com", false, false),
            (with("VERIFIED_DOMAINS_ONLY"), "db.example.com", false, false),
            (with("ALL_DOMAINS"), "db.other.com", false, true),
            (with("SPECIFIED_DOMAINS_ONLY"), "DB.Example.com", false, true),
            (with("SPECIFIED_DOMAINS_ONLY"), "example.com", false, true),
            (with("SPECIFIED_DOMAINS_ONLY"), "badexample.com", true, false),
            (with("SPECIFIED_DOMAINS_ONLY"), "com", true, false),
            (with("VERIFIED_DOMAINS_AND_SPECIFIED_DOMAINS"), "db.other.com", true, true),
            (with("VERIFIED_DOMAINS_AND_SPECIFIED_DOMAINS"), "db.other.com", false, false),
            (with("VERIFIED_DOMAINS_AND_SPECIFIED_DOMAINS"), "db.example.com", false, true),
        ] {
            assert_eq!(takes_in(&association(options.clone()), name, verified), expected, "{options} {name}");
        }
    }
}
