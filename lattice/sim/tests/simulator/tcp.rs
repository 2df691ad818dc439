//! Connections to resource configurations, over TCP on loopback addresses.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use crate::backend::{Plane, connects, reached_by};
use crate::plane::resolve;

/// A server that says its name before it sends back what it gets.
async fn server(name: &'static str, at: &str) -> SocketAddr {
    let listener = TcpListener::bind(at).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                stream.write_all(name.as_bytes()).await.unwrap();
                let (mut read, mut write) = stream.split();
                let _broken = tokio::io::copy(&mut read, &mut write).await;
            });
        }
    });
    address
}

/// A plane with a resource gateway and a service network.
struct Case {
    plane: Plane,
    gateway: String,
    network: String,
}

impl Case {
    async fn new() -> Self {
        let plane = Plane::start(&[]).await;
        let gateway = json!({
            "name": "data", "vpcIdentifier": "vpc-12345678", "subnetIds": ["subnet-12345678"],
            "resourceConfigDnsResolution": "IN_VPC",
        });
        let gateway = post(&plane, "/resourcegateways", &gateway).await;
        let network = plane.sim.network("net").await;
        Self { plane, gateway, network }
    }

    /// A resource configuration of type SINGLE in the service network: its id and the address of its name.
    async fn single(&self, name: &str, ports: &[String], definition: Value) -> (String, IpAddr) {
        let id = self.configuration(name, ports, definition).await;
        let host = self.offer(&id, &json!({})).await;
        (id, self.address(&host).await)
    }

    async fn configuration(&self, name: &str, ports: &[String], definition: Value) -> String {
        let body = json!({
            "name": name, "type": "SINGLE", "portRanges": ports, "resourceGatewayIdentifier": self.gateway,
            "resourceConfigurationDefinition": definition, "allowAssociationToShareableServiceNetwork": true,
        });
        post(&self.plane, "/resourceconfigurations", &body).await
    }

    /// Associates a resource configuration with the service network: its name there.
    async fn offer(&self, configuration: &str, members: &Value) -> String {
        let mut body = members.clone();
        body["serviceNetworkIdentifier"] = json!(self.network);
        body["resourceConfigurationIdentifier"] = json!(configuration);
        let id = post(&self.plane, "/servicenetworkresourceassociations", &body).await;
        let path = format!("/servicenetworkresourceassociations/{id}");
        let shown = self.plane.sim.send("GET", &path, &Value::Null).await.body;
        shown["dnsEntry"]["domainName"].as_str().unwrap().to_owned()
    }

    /// Makes the private zone `shop.local`.
    async fn zone(&self) {
        let zone = json!({"Name": "shop.local", "Vpc": "vpc-12345678", "CreatorRequestId": "1"});
        self.ask("CreatePrivateDnsNamespace", zone).await;
    }

    /// Publishes an instance under a name in the zone, which then has records of a type.
    async fn publish(&self, name: &str, kind: &str, attributes: &Value) {
        let zone = self.ask("ListNamespaces", json!({})).await["Namespaces"][0]["Id"].clone();
        let routing = if kind == "CNAME" { "WEIGHTED" } else { "MULTIVALUE" };
        let records = json!({"RoutingPolicy": routing, "DnsRecords": [{"Type": kind, "TTL": 5}]});
        let service = json!({"Name": name, "NamespaceId": zone, "DnsConfig": records});
        let service = self.ask("CreateService", service).await["Service"]["Id"].clone();
        let instance = json!({"ServiceId": service, "InstanceId": "pod", "Attributes": attributes});
        self.ask("RegisterInstance", instance).await;
    }

    /// Calls Cloud Map.
    async fn ask(&self, operation: &str, body: Value) -> Value {
        let target = format!("Route53AutoNaming_v20170314.{operation}");
        let headers = [("x-amz-target", target.as_str()), ("content-type", "application/x-amz-json-1.1")];
        let answer = self.plane.sim.ask(0, "/", &headers, body.to_string()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }

    /// Subscribes to the access log of the service network's resources.
    async fn subscribe(&self) {
        let body = json!({
            "resourceIdentifier": self.network, "destinationArn": "arn:aws:s3:::db-logs",
            "serviceNetworkLogType": "RESOURCE",
        });
        post(&self.plane, "/accesslogsubscriptions", &body).await;
    }

    async fn address(&self, host: &str) -> IpAddr {
        let (code, records, address) = resolve(&self.plane, host).await;
        assert_eq!((code, records), (0, 1), "{host}");
        Ipv4Addr::from(address).into()
    }
}

/// Posts to the API: the id of what was made.
async fn post(plane: &Plane, path: &str, body: &Value) -> String {
    let made = plane.sim.send("POST", path, body).await;
    assert!(made.status < 300, "{path} {body}: {made:?}");
    made.body["id"].as_str().unwrap().to_owned()
}

/// Connects as soon as something listens there.
async fn connect(to: SocketAddr) -> TcpStream {
    for _ in 0..200 {
        if let Ok(stream) = TcpStream::connect(to).await {
            return stream;
        }
        sleep(Duration::from_millis(20)).await;
    }
    panic!("nothing listens at {to}");
}

/// What a server says first, and sends back; nothing where the connection breaks off.
async fn talk(to: SocketAddr) -> String {
    let mut stream = connect(to).await;
    let mut read = Vec::new();
    let talk = async {
        stream.write_all(b" hello").await?;
        stream.shutdown().await?;
        stream.read_to_end(&mut read).await
    };
    let _broken = timeout(Duration::from_secs(5), talk).await.unwrap();
    String::from_utf8(read).unwrap()
}

#[tokio::test]
async fn a_connection_reaches_the_address_behind_a_name() {
    let case = Case::new().await;
    let server = server("db", "127.0.0.1:0").await;
    let port = server.port();
    let (id, address) =
        case.single("orders", &[port.to_string()], json!({"ipResource": {"ipAddress": "127.0.0.1"}})).await;
    case.subscribe().await;
    assert_eq!(talk(SocketAddr::new(address, port)).await, "db hello");
    let lines = case.plane.sim.simulator.access_log(0);
    let entry = &lines[0].entry;
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(entry["destinationIpPort"], json!(SocketAddr::new(address, port)));
    assert_eq!((&entry["resourceIpPort"], &entry["protocol"]), (&json!(server), &json!("tcp")));
    assert!(entry["resourceConfigurationArn"].as_str().unwrap().ends_with(&id), "{entry}");
    assert!(entry["serviceNetworkArn"].as_str().unwrap().ends_with(&case.network), "{entry}");
    assert!(entry["gatewayIpPort"].as_str().unwrap().starts_with("127.0.0.1:"), "{entry}");
}

#[tokio::test]
async fn names_are_of_the_surroundings_of_cloud_map_or_of_the_machine() {
    let case = Case::new().await;
    let number = case.plane.address.octets()[2];
    let first = server("one", &format!("127.0.{number}.1:0")).await;
    let port = first.port();
    server("two", &format!("127.0.{number}.2:{port}")).await;
    let both = [1, 2].map(|last| format!("127.0.{number}.{last}"));
    let named = |name: &str| json!({"dnsResource": {"domainName": name, "ipAddressType": "IPV4"}});

    case.plane.sim.surround(json!({"names": {"db.example.com": both}}));
    let (_, address) = case.single("outside", &[port.to_string()], named("db.example.com")).await;
    let to = SocketAddr::new(address, port);
    let mut said = [talk(to).await, talk(to).await];
    said.sort();
    assert_eq!(said, ["one hello", "two hello"]);

    case.zone().await;
    case.publish("db", "A", &json!({"AWS_INSTANCE_IPV4": both[1]})).await;
    case.publish("alias", "CNAME", &json!({"AWS_INSTANCE_CNAME": "db.shop.local"})).await;
    for name in ["db.shop.local", "alias.shop.local"] {
        let (_, address) = case.single(&name.replace('.', "-"), &[port.to_string()], named(name)).await;
        assert_eq!(talk(SocketAddr::new(address, port)).await, "two hello", "{name}");
        assert_eq!(resolve(&case.plane, name).await.2, [127, 0, number, 2], "{name}");
    }

    let own = server("own", "127.0.0.1:0").await;
    let (_, address) = case.single("machine", &[own.port().to_string()], named("localhost")).await;
    assert_eq!(talk(SocketAddr::new(address, own.port())).await, "own hello");
}

#[tokio::test]
async fn private_zones_go_before_a_services_own_names_and_may_lead_to_it() {
    let case = Case::new().await;
    let create = case.plane.sim.client.create_service().name("web").custom_domain_name("web.shop.local");
    let service = create.send().await.unwrap();
    let host = service.dns_entry().unwrap().domain_name().unwrap();
    let address = case.plane.address.octets();
    assert_eq!(resolve(&case.plane, "web.shop.local").await, (0, 1, address));
    case.zone().await;
    case.publish("web", "CNAME", &json!({"AWS_INSTANCE_CNAME": host})).await;
    assert_eq!(resolve(&case.plane, "web.shop.local").await, (0, 2, address), "the alias and its address");
    case.publish("gone", "CNAME", &json!({"AWS_INSTANCE_CNAME": "gone.example.com"})).await;
    let (code, records, _) = resolve(&case.plane, "gone.shop.local").await;
    assert_eq!((code, records), (0, 1), "the alias alone");
}

#[tokio::test]
async fn private_zones_are_seen_by_gateways_of_their_vpc_that_resolve_there() {
    let mut case = Case::new().await;
    let server = server("inside", "127.0.0.1:0").await;
    let port = server.port();
    case.plane.sim.surround(json!({"vpcs": [
        {"id": "vpc-12345678", "cidrs": ["127.0.0.0/8"]}, {"id": "vpc-87654321", "cidrs": ["10.0.0.0/8"]},
    ]}));
    case.plane.sim.open(&case.network, "vpc-12345678").await;
    case.zone().await;
    case.publish("db", "A", &json!({"AWS_INSTANCE_IPV4": "127.0.0.1"})).await;
    for (name, vpc, resolution, reached) in [
        ("in-vpc", "vpc-12345678", "IN_VPC", true),
        ("public", "vpc-12345678", "PUBLIC", false),
        ("elsewhere", "vpc-87654321", "IN_VPC", false),
    ] {
        let gateway = json!({
            "name": name, "vpcIdentifier": vpc, "subnetIds": ["subnet-12345678"],
            "resourceConfigDnsResolution": resolution,
        });
        case.gateway = post(&case.plane, "/resourcegateways", &gateway).await;
        let named = json!({"dnsResource": {"domainName": "db.shop.local", "ipAddressType": "IPV4"}});
        let (_, address) = case.single(name, &[port.to_string()], named).await;
        let said = talk(SocketAddr::new(address, port)).await;
        assert_eq!(said == "inside hello", reached, "{name}: {said:?}");
    }
}

#[tokio::test]
async fn groups_stand_for_their_children_and_arns_for_what_the_surroundings_say() {
    let case = Case::new().await;
    let server = server("child", "127.0.0.1:0").await;
    let port = server.port();
    let plane = &case.plane;
    let group = json!({
        "name": "group", "type": "GROUP", "resourceGatewayIdentifier": case.gateway,
        "allowAssociationToShareableServiceNetwork": true,
    });
    let group = post(plane, "/resourceconfigurations", &group).await;
    let child = json!({
        "name": "child", "type": "CHILD", "resourceConfigurationGroupIdentifier": group,
        "portRanges": [port.to_string()], "resourceConfigurationDefinition": {"ipResource": {"ipAddress": "127.0.0.1"}},
    });
    let child = post(plane, "/resourceconfigurations", &child).await;
    let host = case.offer(&group, &json!({})).await.replace(&group, &child);
    let address = case.address(&host).await;
    assert_eq!(talk(SocketAddr::new(address, port)).await, "child hello");

    let arn = "arn:aws:rds:us-west-2:123456789012:db:orders";
    plane.sim.surround(json!({"resources": [{"arn": arn, "address": "127.0.0.1", "port": port}]}));
    let by_arn = json!({
        "name": "orders", "type": "ARN", "resourceConfigurationDefinition": {"arnResource": {"arn": arn}},
        "allowAssociationToShareableServiceNetwork": true,
    });
    let by_arn = post(plane, "/resourceconfigurations", &by_arn).await;
    let address = case.address(&case.offer(&by_arn, &json!({})).await).await;
    assert_eq!(talk(SocketAddr::new(address, port)).await, "child hello");
}

#[tokio::test]
async fn only_associated_vpcs_that_are_let_in_reach_a_resource() {
    let case = Case::new().await;
    let server = server("db", "127.0.0.1:0").await;
    let port = server.port();
    let definition = json!({"ipResource": {"ipAddress": "127.0.0.1"}});
    let (_, address) = case.single("orders", &[port.to_string()], definition.clone()).await;
    let other = case.configuration("other", &[port.to_string()], definition).await;
    let to = SocketAddr::new(address, port);
    let [inside, member, outside] = ["127.1.0.1", "127.1.9.9", "127.2.0.1"];
    drop(connect(to).await);
    assert!(connects(outside, to).await, "without VPCs everybody comes in");
    case.plane.sim.surround(json!({
        "vpcs": [
            {"id": "vpc-12345678", "cidrs": ["127.1.0.0/16"]},
            {"id": "vpc-87654321", "cidrs": ["127.2.0.0/16"]},
        ],
        "security_groups": [
            {"id": "sg-12345678", "vpc": "vpc-12345678", "inbound": [
                {"ports": [port, port], "security_groups": ["sg-87654321"]},
            ]},
            {"id": "sg-87654321", "vpc": "vpc-12345678", "members": ["127.1.9.0/24"]},
        ],
        "vpc_endpoints": [
            {"id": "vpce-0123456789abcdef0", "vpc": "vpc-87654321", "resource_configuration": other},
        ],
    }));
    let body = json!({
        "serviceNetworkIdentifier": case.network, "vpcIdentifier": "vpc-12345678", "securityGroupIds": ["sg-12345678"],
    });
    post(&case.plane, "/servicenetworkvpcassociations", &body).await;
    reached_by(to, [(inside, false), (member, true), (outside, false)]).await;
    // The endpoint leads from the other VPC to the other resource, which has the address after.
    let IpAddr::V4(address) = address else { panic!("{address}") };
    let other = SocketAddr::new(Ipv4Addr::from(u32::from(address) + 1).into(), port);
    reached_by(other, [(outside, true), (member, false)]).await;
}

#[tokio::test]
async fn custom_domain_names_are_private_dns() {
    let case = Case::new().await;
    let ports = vec!["5432".to_owned()];
    let body = json!({
        "name": "orders", "type": "SINGLE", "portRanges": ports, "resourceGatewayIdentifier": case.gateway,
        "resourceConfigurationDefinition": {"ipResource": {"ipAddress": "127.0.0.1"}},
        "allowAssociationToShareableServiceNetwork": true, "customDomainName": "db.example.com",
    });
    let id = post(&case.plane, "/resourceconfigurations", &body).await;
    let host = case.offer(&id, &json!({"privateDnsEnabled": true})).await;
    let address = case.address(&host).await;
    case.plane.sim.surround(json!({"vpcs": [{"id": "vpc-12345678", "cidrs": ["127.0.0.0/8"]}]}));
    let association = case.plane.sim.open(&case.network, "vpc-12345678").await;
    assert_eq!(case.address(&host).await, address);
    assert_eq!(resolve(&case.plane, "db.example.com").await.0, 3, "private DNS is off");
    let path = format!("/servicenetworkvpcassociations/{association}");
    let on = json!({"privateDnsEnabled": true, "dnsOptions": {"privateDnsPreference": "ALL_DOMAINS"}});
    assert_eq!(case.plane.sim.send("PATCH", &path, &on).await.status, 200);
    assert_eq!(case.address("db.example.com").await, address);
}

#[tokio::test]
async fn a_server_that_is_away_ends_the_connection_and_ports_have_a_bound() {
    let case = Case::new().await;
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let definition = json!({"ipResource": {"ipAddress": "127.0.0.1"}});
    let (_, address) = case.single("away", &[nobody.port().to_string()], definition.clone()).await;
    case.subscribe().await;
    let mut stream = connect(SocketAddr::new(address, nobody.port())).await;
    let mut byte = [0];
    let read = timeout(Duration::from_secs(5), stream.read(&mut byte)).await.unwrap();
    assert!(!matches!(read, Ok(1)), "{read:?}");
    let lines = case.plane.sim.simulator.access_log(0);
    assert_eq!(lines[0].entry["failureReason"], "TargetConnectionError", "{lines:?}");

    let ports = ["20000-20010".to_owned(), "21000-29999".to_owned()];
    let (_, address) = case.single("wide", &ports, definition).await;
    for (port, open) in [(20_000, true), (20_010, true), (20_011, false), (21_088, true), (21_089, false)] {
        let to = SocketAddr::new(address, port);
        if open {
            drop(connect(to).await);
        } else {
            assert!(!connects("127.0.0.1", to).await, "{to}");
        }
    }
}
