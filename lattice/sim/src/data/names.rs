//! What a name means to a client: services and resources of VPC Lattice, private names of Cloud Map, names of the
//! surroundings.

use std::collections::BTreeMap;
use std::net::IpAddr;

use hickory_server::proto::rr::rdata::{A, AAAA, CNAME, SRV};
use hickory_server::proto::rr::{Name, RData, RecordType};

use crate::simulator::World;
use crate::state::cloudmap::{NamedService, Namespace};

use super::addresses;

/// Most records of one type that Cloud Map answers with. Source: Cloud Map developer guide, MULTIVALUE routing.
const MOST_RECORDS: usize = 8;

/// What a name has, each with its time to live in seconds.
pub(super) type Records = Vec<(RData, u32)>;

impl World {
    /// What a name has that a client may know; `None` where there is no such name.
    pub(super) fn records(&self, client: IpAddr, name: &str) -> Option<Records> {
        // A VPC's private zones go before all other names, those that services give themselves included.
        let vpc = self.surroundings.vpc_of(client).map(|vpc| vpc.id.as_str());
        if let Some(records) = self.private_name(vpc, name) {
            return Some(records);
        }
        if let Some(reached) = self.service_named(client, name, self.clock.now()) {
            let service = &reached.service.id;
            return Some(self.of_addresses(addresses::of_service(&self.state, &self.settings, service)));
        }
        if let Some(addresses) = self.resource_named(client, name) {
            return Some(self.of_addresses(addresses));
        }
        self.surrounding_name(name)
    }

    fn of_addresses(&self, addresses: Vec<IpAddr>) -> Records {
        let ttl = seconds(self.settings.dns_ttl.0.as_secs());
        addresses.into_iter().map(|address| (of_address(address), ttl)).collect()
    }

    /// What a name of the surroundings has.
    pub(super) fn surrounding_name(&self, name: &str) -> Option<Records> {
        let mut names = self.surroundings.names.iter();
        let (_, addresses) = names.find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(self.of_addresses(addresses.clone()))
    }

    /// What a name has in Cloud Map's private zones of a VPC, or in all of them where the surroundings name no VPC.
    pub(super) fn private_name(&self, vpc: Option<&str>, name: &str) -> Option<Records> {
        let cloudmap = &self.state.cloudmap;
        let ends_with = |zone: &str| {
            let end = name.len().checked_sub(zone.len()).and_then(|at| name.get(at..));
            end.is_some_and(|end| end.eq_ignore_ascii_case(zone))
        };
        let seen = |zone: &str| self.surroundings.vpcs.is_empty() || Some(zone) == vpc;
        let zones: Vec<&Namespace> = cloudmap
            .namespaces
            .rows()
            .filter(|zone| zone.vpc.as_deref().is_some_and(seen) && ends_with(&zone.name))
            .collect();
        // Most names are of no zone, and cost no look at services.
        if zones.is_empty() {
            return None;
        }
        cloudmap.services.rows().filter(|service| !service.records.is_empty()).find_map(|service| {
            let namespace = zones.iter().find(|zone| zone.id == service.namespace)?;
            let own = format!("{}.{}", service.name, namespace.name);
            if own.eq_ignore_ascii_case(name) {
                return Some(of_service(service, &own));
            }
            // The names that SRV records lead to: of the instances.
            let rest = name.len().checked_sub(own.len()).and_then(|at| name.split_at_checked(at));
            let (instance, _) = rest.filter(|(_, end)| end.eq_ignore_ascii_case(&own))?;
            let instance = instance.strip_suffix('.')?;
            let mut instances = service.instances.iter();
            let (_, attributes) = instances.find(|(id, _)| id.eq_ignore_ascii_case(instance))?;
            ttl(service, RecordType::SRV).map(|ttl| hosts(attributes).map(|data| (data, ttl)).collect())
        })
    }
}

/// What the name of a service of Cloud Map has: records of the types that the service names.
fn of_service(service: &NamedService, name: &str) -> Records {
    let mut records = Vec::new();
    for kind in [RecordType::A, RecordType::AAAA, RecordType::SRV, RecordType::CNAME] {
        let Some(ttl) = ttl(service, kind) else { continue };
        let of_kind = service.instances.iter().flat_map(|(id, attributes)| {
            let data: Vec<RData> = match kind {
                RecordType::SRV => target(attributes, &format!("{id}.{name}")).into_iter().collect(),
                RecordType::CNAME => other_name(attributes).into_iter().collect(),
                kind => hosts(attributes).filter(|data| data.record_type() == kind).collect(),
            };
            data
        });
        // Of several instances AWS takes any one for each answer, and this simulator the first.
        let most = if service.routing.as_deref() == Some("WEIGHTED") { 1 } else { MOST_RECORDS };
        records.extend(of_kind.take(most).map(|data| (data, ttl)));
    }
    records
}

/// The time to live of a service's records of a type, if it has any.
fn ttl(service: &NamedService, kind: RecordType) -> Option<u32> {
    let (_, ttl) = service
        .records
        .iter()
        .find(|(named, _)| named.parse().is_ok_and(|named: RecordType| named == kind))?;
    Some(seconds(*ttl))
}

/// The addresses of an instance.
fn hosts(attributes: &BTreeMap<String, String>) -> impl Iterator<Item = RData> {
    let addresses = ["AWS_INSTANCE_IPV4", "AWS_INSTANCE_IPV6"].map(|name| attributes.get(name));
    addresses.into_iter().flatten().filter_map(|address| address.parse().ok()).map(of_address)
}

/// The port of an instance, under the name of the instance. Source of priority and weight: Cloud Map API, `DnsRecord`.
fn target(attributes: &BTreeMap<String, String>, name: &str) -> Option<RData> {
    let port = attributes.get("AWS_INSTANCE_PORT")?.parse().ok()?;
    Some(RData::SRV(SRV::new(1, 1, port, fully_qualified(name)?)))
}

/// The other name that records lead to, if they are those of an alias.
pub(super) fn alias(records: &[(RData, u32)]) -> Option<String> {
    records.iter().find_map(|(data, _)| match data {
        RData::CNAME(CNAME(name)) => Some(name.to_ascii().trim_end_matches('.').to_owned()),
        _ => None,
    })
}

/// The other name of an instance.
fn other_name(attributes: &BTreeMap<String, String>) -> Option<RData> {
    Some(RData::CNAME(CNAME(fully_qualified(attributes.get("AWS_INSTANCE_CNAME")?)?)))
}

fn fully_qualified(name: &str) -> Option<Name> {
    let mut name = Name::from_ascii(name).ok()?;
    name.set_fqdn(true);
    Some(name)
}

fn of_address(address: IpAddr) -> RData {
    match address {
        IpAddr::V4(address) => RData::A(A(address)),
        IpAddr::V6(address) => RData::AAAA(AAAA(address)),
    }
}

/// A time to live as DNS has it.
fn seconds(seconds: u64) -> u32 {
    u32::try_from(seconds).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::net::Ipv4Addr;

    use serde_json::{Value, json};

    use crate::clock::SimTime;
    use crate::settings::Settings;
    use crate::simulator::Simulator;
    use crate::state::Tags;
    use crate::state::cloudmap::{NamedService, Namespace};

    /// A simulator with the zone `shop.local`, in which there is a service of this name.
    fn zone(name: &str, records: &[(&str, u64)], instances: &Value) -> Simulator {
        let simulator = Simulator::new(Settings::instant(), 1);
        let namespace = Namespace {
            id: "ns-1".to_owned(),
            arn: String::new(),
            account: String::new(),
            name: "shop.local".to_owned(),
            vpc: Some("vpc-12345678".to_owned()),
            description: None,
            tags: Tags::new(),
            created: SimTime::ZERO,
        };
        let instances: BTreeMap<String, BTreeMap<String, String>> =
            serde_json::from_value(instances.clone()).unwrap();
        let service = NamedService {
            id: "srv-1".to_owned(),
            arn: String::new(),
            account: String::new(),
            name: name.to_owned(),
            namespace: namespace.id.clone(),
            description: None,
            records: records.iter().map(|(kind, ttl)| ((*kind).to_owned(), *ttl)).collect(),
            routing: None,
            instances,
            revision: 0,
            tags: Tags::new(),
            created: SimTime::ZERO,
        };
        let mut world = simulator.lock();
        world.state.cloudmap.namespaces.insert(namespace.id.clone(), namespace);
        world.state.cloudmap.services.insert(service.id.clone(), service);
        drop(world);
        simulator
    }

    /// What a name has, as a zone file says it.
    fn shown(simulator: &Simulator, name: &str) -> Option<Vec<String>> {
        let records = simulator.lock().records(Ipv4Addr::LOCALHOST.into(), name)?;
        let line = |(data, ttl): &(super::RData, u32)| format!("{ttl} {} {data}", data.record_type());
        Some(records.iter().map(line).collect())
    }

    #[tokio::test]
    async fn services_of_cloud_map_have_the_records_that_they_name() {
        let instances = json!({
            "pod-a": {"AWS_INSTANCE_IPV4": "10.0.0.1", "AWS_INSTANCE_IPV6": "fd00::1", "AWS_INSTANCE_PORT": "8080"},
            "pod-b": {"AWS_INSTANCE_IPV4": "10.0.0.2", "AWS_INSTANCE_PORT": "no port"},
        });
        let simulator = zone("db", &[("A", 5), ("SRV", 7)], &instances);
        let expected = ["5 A 10.0.0.1", "5 A 10.0.0.2", "7 SRV 1 1 8080 pod-a.db.shop.local."];
        assert_eq!(shown(&simulator, "DB.shop.local").unwrap(), expected);
        assert_eq!(shown(&simulator, "pod-a.db.shop.local").unwrap(), ["7 A 10.0.0.1", "7 AAAA fd00::1"]);
        for name in [
            "pod-c.db.shop.local",
            "pod-axdb.shop.local",
            ".db.shop.local",
            "b.shop.local",
            "db.shop.locals",
            "xdb.shop.local",
            "local",
            "",
        ] {
            assert_eq!(shown(&simulator, name), None, "{name}");
        }
        let simulator = zone("db", &[("A", 5)], &instances);
        assert_eq!(
            shown(&simulator, "pod-a.db.shop.local"),
            None,
            "without SRV records instances have no names"
        );
        let simulator =
            zone("cdn", &[("CNAME", 9)], &json!({"one": {"AWS_INSTANCE_CNAME": "cdn.example.com"}}));
        assert_eq!(shown(&simulator, "cdn.shop.local").unwrap(), ["9 CNAME cdn.example.com."]);
    }

    #[tokio::test]
    async fn a_name_has_one_alias_however_many_instances_there_are() {
        let instances = json!({
            "one": {"AWS_INSTANCE_CNAME": "one.example.com"},
            "two": {"AWS_INSTANCE_CNAME": "two.example.com"},
        });
        let simulator = zone("cdn", &[("CNAME", 9)], &instances);
        let mut world = simulator.lock();
        world.state.cloudmap.services.get_mut("srv-1").unwrap().routing = Some("WEIGHTED".to_owned());
        drop(world);
        assert_eq!(shown(&simulator, "cdn.shop.local").unwrap(), ["9 CNAME one.example.com."]);
    }

    #[tokio::test]
    async fn no_type_has_more_than_eight_records() {
        let instance =
            |n: usize| (format!("pod-{n:02}"), json!({"AWS_INSTANCE_IPV4": format!("10.0.0.{n}")}));
        let instances = Value::Object((1..20).map(instance).collect());
        let simulator = zone("db", &[("A", 5)], &instances);
        assert_eq!(shown(&simulator, "db.shop.local").unwrap().len(), 8);
    }
}
