//! Resource configurations: TCP connections from clients, through a resource gateway, to what they stand for.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;
use serde::Serialize;
use serde_json::Value;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use crate::access_log::Subscription;
use crate::clock::SimTime;
use crate::simulator::{REGION, Simulator, World};
use crate::state::backend::{ConfigurationType, ResourceConfiguration, port_range};
use crate::state::network::VpcAssociation;

use super::addresses;
use super::connections::Error;
use super::exchange::Known;
use super::idle::{IdleStream, Limit};
use super::listen::Client;
use super::reach::ReachedResource;

/// How long a connection may be idle. Assumed: as those of VPC endpoints are documented.
const IDLE: Duration = Duration::from_secs(350);
/// How long a server has to accept a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// Most addresses of a name that are tried.
const MOST_ADDRESSES: usize = 8;

/// The way of a connection to what a resource configuration stands for.
#[derive(Debug)]
pub(super) struct Way {
    to: Server,
    entry: ResourceEntry,
}

/// What a resource configuration stands for, on the port that the client came to.
#[derive(Debug)]
enum Server {
    /// These addresses, one of which will do.
    Known(Vec<SocketAddr>),
    /// Those of a name that the machine resolves.
    Name(String, Family),
    Unknown,
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
    event_timestamp: Known<String>,
    service_network_arn: Known<String>,
    service_network_resource_association_id: Known<String>,
    vpc_endpoint_id: Known<String>,
    source_vpc_arn: Known<String>,
    resource_configuration_arn: Known<String>,
    protocol: Known<&'static str>,
    source_ip_port: Known<SocketAddr>,
    destination_ip_port: Known<SocketAddr>,
    /// Where the resource gateway's connection comes from.
    gateway_ip_port: Known<SocketAddr>,
    resource_ip_port: Known<SocketAddr>,
    failure_reason: Known<&'static str>,
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
        let mut openings = BTreeMap::new();
        let works = |configuration: &&ResourceConfiguration| {
            configuration.life.works(now)
                && !matches!(configuration.kind, ConfigurationType::Cidr | ConfigurationType::Group)
        };
        for configuration in self.state.configurations.rows().filter(works) {
            let Some(address) = addresses::of_resource(&self.settings, configuration.number) else {
                continue;
            };
            for port in self.ports(configuration) {
                let sources = self.sources_of_resource(&configuration.id, port, now);
                if sources.as_ref().is_none_or(|sources| !sources.is_empty()) {
                    openings.insert(SocketAddr::new(address, port), sources);
                }
            }
        }
        openings
    }

    /// The addresses of a resource configuration that a client knows by this name: of its association, or its custom
    /// domain name.
    pub(super) fn resource_named(&self, client: IpAddr, name: &str) -> Option<Vec<IpAddr>> {
        let now = self.clock.now();
        let partition = &self.settings.partition_id.0;
        let named = |reached: &ReachedResource<'_>| {
            let id = &reached.configuration.id;
            let by_association = reached
                .association
                .is_some_and(|row| row.name_of(id, partition, REGION).eq_ignore_ascii_case(name));
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
    pub(super) fn way(&mut self, client: &Client) -> Option<Result<Way, String>> {
        let now = self.clock.now();
        let mut rows = self.state.configurations.rows();
        let here =
            rows.find(|row| addresses::of_resource(&self.settings, row.number) == Some(client.local.ip()))?;
        let reached = self.resources(client.address, now);
        let reached = reached.into_iter().find(|reached| reached.configuration.id == here.id);
        let Some(reached) = reached else {
            return Some(Err(format!("the client does not reach the resource configuration {}", here.id)));
        };
        let entry = self.resource_entry(&reached, client);
        let to = self.server(reached.configuration, client.local.port());
        let to = match to {
            Server::Known(mut servers) if !servers.is_empty() => {
                let turn = self.turns.resource(&here.id.clone(), servers.len());
                servers.rotate_left(turn);
                servers.truncate(MOST_ADDRESSES);
                Server::Known(servers)
            }
            other => other,
        };
        Some(Ok(Way { to, entry }))
    }

    /// What a resource configuration stands for.
    fn server(&self, configuration: &ResourceConfiguration, port: u16) -> Server {
        let Some(definition) = &configuration.definition else { return Server::Unknown };
        let on = |address: IpAddr| SocketAddr::new(address, port);
        if let Some(address) = definition["ipResource"]["ipAddress"].as_str() {
            return address.parse().map_or(Server::Unknown, |address| Server::Known(vec![on(address)]));
        }
        if let Some(arn) = definition["arnResource"]["arn"].as_str() {
            let resource = self.surroundings.resources.iter().find(|resource| resource.arn == arn);
            return resource.map_or(Server::Unknown, |resource| Server::Known(vec![on(resource.address)]));
        }
        let Some(name) = definition["dnsResource"]["domainName"].as_str() else { return Server::Unknown };
        let family = Family::of(definition);
        let gateway = configuration.gateway.as_deref().and_then(|id| self.state.gateways.get(id));
        // A gateway that resolves in its VPC sees the private zones there.
        let vpc =
            gateway.filter(|gateway| gateway.dns_resolution == "IN_VPC").map(|gateway| gateway.vpc.as_str());
        let private = vpc.and_then(|vpc| self.private_name(Some(vpc), name));
        match private.or_else(|| self.surrounding_name(name)) {
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
            service_network_arn: Known(network.map(|network| network.arn.clone())),
            service_network_resource_association_id: Known(association.map(|row| row.id.clone())),
            vpc_endpoint_id: Known(endpoint.map(str::to_owned)),
            source_vpc_arn: Known(self.vpc_arn(client.address, &configuration.account)),
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
pub(super) async fn carry(simulator: &Simulator, client: TcpStream, mut way: Way) -> Result<(), Error> {
    let connected = connect(&way.to).await;
    match &connected {
        Ok(server) => {
            way.entry.gateway_ip_port = Known(server.local_addr().ok());
            way.entry.resource_ip_port = Known(server.peer_addr().ok());
        }
        Err(error) => way.entry.failure_reason = error.failure().into(),
    }
    tell(simulator, way.entry);
    let mut client = IdleStream::new(client, Limit::new(IDLE));
    copy_bidirectional(&mut client, &mut connected?).await?;
    Ok(())
}

fn tell(simulator: &Simulator, entry: ResourceEntry) {
    // Texts and addresses always become JSON.
    if !entry.subscriptions.is_empty()
        && let Ok(line) = serde_json::to_string(&entry)
    {
        simulator.lock().access_log.add(entry.subscriptions, &line);
    }
}

/// Connects to the first of the servers that accepts.
async fn connect(to: &Server) -> Result<TcpStream, Error> {
    let nobody = || std::io::Error::new(std::io::ErrorKind::NotFound, "the resource has no address");
    let servers: Vec<SocketAddr> = match to {
        Server::Known(servers) => servers.clone(),
        Server::Name(name, family) => {
            let found =
                timeout(CONNECT, lookup_host(name)).await.map_err(|_late| Error::ConnectTimeout)??;
            found.filter(|server| family.has(server.ip())).take(MOST_ADDRESSES).collect()
        }
        Server::Unknown => Vec::new(),
    };
    let mut failure = Error::Connect(nobody());
    for server in servers {
        match timeout(CONNECT, TcpStream::connect(server)).await {
            Ok(Ok(stream)) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Ok(Err(error)) => failure = Error::Connect(error),
            Err(_late) => failure = Error::ConnectTimeout,
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
