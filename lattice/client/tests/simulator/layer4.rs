//! Resource gateways and configurations, and Cloud Map.

use lattice::{
    Tags,
    declared::CloudMapName,
    observed::Status,
    resource::{Alias, DnsTarget, Entry, Instance, Records},
    target::IpFamily,
};
use lattice_client::{
    Client, Metrics, NewConfiguration, NewDirectory, NewResourceGateway, OperationStatus, Options, Transport,
    Urgency,
};

use crate::{VPC, connect, tags};

const LOOK: Urgency = Urgency::Observe;

#[tokio::test(start_paused = true)]
async fn a_configuration_is_made_behind_a_gateway_joins_a_network_changes_and_goes() {
    let (_, client) = connect().await;
    let marks = tags(&[("lath.dev/cluster", "demo")]);
    let new = NewResourceGateway {
        name: "gateway",
        vpc: VPC,
        subnets: &["subnet-0123456789abcdef0".to_owned()].into(),
        security_groups: &["sg-0123456789abcdef0".to_owned()].into(),
        family: IpFamily::IPv4,
        tags: &marks,
    };
    let gateway = client.create_resource_gateway(&new, "token").await.unwrap();
    assert_eq!(client.create_resource_gateway(&new, "token").await.unwrap(), gateway);
    assert!(gateway.resolves_in_vpc);
    assert_eq!(client.resource_gateway(gateway.id.as_str(), LOOK).await.unwrap(), gateway);
    assert_eq!(client.resource_gateways(LOOK).await.unwrap(), std::slice::from_ref(&gateway));
    assert_eq!(client.tags(&gateway.arn, LOOK).await.unwrap(), marks);

    let target = DnsTarget { name: "db.shop.internal".into(), family: IpFamily::IPv4 };
    let new = NewConfiguration {
        name: "db-shop",
        gateway: gateway.id.as_str(),
        port: 5432,
        target: &target,
        tags: &marks,
    };
    let made = client.create_configuration(&new, "token").await.unwrap();
    assert_eq!((&made.status, &made.gateway), (&Status::Active, &Some(gateway.id.clone())));
    assert_eq!(client.configuration(&made.id, LOOK).await.unwrap(), made);
    assert_eq!(client.configurations(LOOK).await.unwrap(), [("db-shop".to_owned(), made.arn.clone())]);
    assert_eq!(client.delete_resource_gateway(&gateway.id).await.unwrap_err().label(), "conflict");

    let network = client.create_network("shop", false, &Tags::new(), "token").await.unwrap();
    let join = || client.associate_configuration(&made.id, &network.arn, &marks, "token");
    let association = join().await.unwrap();
    assert_eq!(join().await.unwrap(), association);
    let read = client.resource_association(&association.id, LOOK).await.unwrap();
    assert_eq!((&read.network, &read.status), (&network.id, &Status::Active));
    assert!(read.dns_name.as_ref().is_some_and(|name| name.ends_with(".on.aws")), "{read:?}");
    assert_eq!(client.resource_associations(&made.id, LOOK).await.unwrap(), [read]);
    assert_eq!(client.delete_configuration(&made.id).await.unwrap_err().label(), "conflict");

    let other = DnsTarget { name: "other.shop.internal".into(), family: IpFamily::IPv6 };
    client.update_configuration(&made.id, &other).await.unwrap();
    assert_eq!(client.configuration(&made.id, LOOK).await.unwrap().target, Some(other));
    client.dissociate_configuration(&association.id).await.unwrap();
    client.delete_configuration(&made.id).await.unwrap();
    assert_eq!(client.configuration(&made.id, LOOK).await.unwrap_err().label(), "missing");
    client.delete_resource_gateway(&gateway.id).await.unwrap();
    assert_eq!(client.resource_gateway(gateway.id.as_str(), LOOK).await.unwrap_err().label(), "missing");
}

/// The id of a namespace of this name.
async fn namespace(client: &Client, name: &str) -> String {
    let operation = client.create_dns_namespace(name, VPC, &Tags::new(), name).await.unwrap();
    assert_eq!(client.operation(&operation, LOOK).await.unwrap(), OperationStatus::Done);
    client.dns_namespaces(name, LOOK).await.unwrap().remove(0)
}

#[tokio::test(start_paused = true)]
async fn a_directory_holds_instances_until_it_is_emptied() {
    let (_, client) = connect().await;
    assert_eq!(client.dns_namespaces("shop.internal", LOOK).await.unwrap(), [""; 0]);
    let within = namespace(&client, "shop.internal").await;
    let other = namespace(&client, "shop.internals").await;
    let again = client.create_dns_namespace("shop.internal", VPC, &Tags::new(), "again").await;
    assert_eq!(again.unwrap_err().label(), "conflict");

    let marks = tags(&[("lath.dev/cluster", "demo")]);
    let records = Records::Addresses { family: IpFamily::IPv6, ports: true };
    let new = NewDirectory { name: "db.shop", namespace: &within, records, tags: &marks };
    let made = client.create_directory(&new, "token").await.unwrap();
    assert_eq!(made.name, "db.shop");
    assert_eq!(client.create_directory(&new, "another").await.unwrap_err().label(), "conflict");
    assert_eq!(client.directory(&made.id, LOOK).await.unwrap(), made);
    assert_eq!(client.directories(None, LOOK).await.unwrap(), std::slice::from_ref(&made));
    assert_eq!(client.directories(Some(&within), LOOK).await.unwrap(), std::slice::from_ref(&made));
    assert_eq!(client.directories(Some(&other), LOOK).await.unwrap(), []);
    client.tag_directory(&made.arn, &tags(&[("team", "shop")])).await.unwrap();
    let all = tags(&[("lath.dev/cluster", "demo"), ("team", "shop")]);
    assert_eq!(client.directory_tags(&made.arn, LOOK).await.unwrap(), all);
    let found = client.tagged(&["servicediscovery:service"], "lath.dev/cluster", Some("demo"), LOOK).await;
    assert_eq!(found.unwrap(), [(made.arn.clone(), all)]);

    let instance = Instance { address: "fd00::1".parse().unwrap(), port: Some(53) };
    let entry = Entry::Instance(instance);
    client.register_instance(&made.id, "pod", &entry, "1").await.unwrap();
    let without_port = Entry::Instance(Instance { port: None, ..instance });
    let refused = client.register_instance(&made.id, "other", &without_port, "2").await;
    assert_eq!(refused.unwrap_err().label(), "refused");
    let held = client.instances(&made.id, LOOK).await.unwrap();
    assert_eq!(held, [("pod".to_owned(), Some(entry))].into());
    assert_eq!(client.delete_directory(&made.id).await.unwrap_err().label(), "conflict");
    client.deregister_instance(&made.id, "pod").await.unwrap();
    assert_eq!(client.deregister_instance(&made.id, "pod").await.unwrap_err().label(), "missing");
    client.delete_directory(&made.id).await.unwrap();
    assert_eq!(client.directory(&made.id, LOOK).await.unwrap_err().label(), "missing");
}

#[tokio::test(start_paused = true)]
async fn a_directory_may_lead_to_another_name() {
    let (_, client) = connect().await;
    let within = namespace(&client, "shop.internal").await;
    let new = NewDirectory { name: "www", namespace: &within, records: Records::Alias, tags: &Tags::new() };
    let made = client.create_directory(&new, "token").await.unwrap();
    let address = Entry::Instance(Instance { address: "10.0.0.1".parse().unwrap(), port: None });
    let refused = client.register_instance(&made.id, "service", &address, "1").await;
    assert_eq!(refused.unwrap_err().label(), "refused");
    for (token, arn) in [("2", Some("arn:aws:vpc-lattice:one".to_owned())), ("3", None)] {
        let alias = Entry::Alias(Alias { name: "www.on.aws".into(), arn });
        client.register_instance(&made.id, "service", &alias, token).await.unwrap();
        let held = client.instances(&made.id, LOOK).await.unwrap();
        assert_eq!(held, [("service".to_owned(), Some(alias))].into());
    }
    let name = CloudMapName { namespace: "shop.internal".into(), service: "www".into() };
    assert_eq!(client.discover(&name, LOOK).await.unwrap(), [].into(), "it has no address");
}

#[tokio::test(start_paused = true)]
async fn instances_are_discovered_by_the_names_of_namespace_and_service() {
    let (_, client) = connect().await;
    let within = namespace(&client, "shop.internal").await;
    let name = CloudMapName { namespace: "shop.internal".into(), service: "db".into() };
    assert_eq!(client.discover(&name, LOOK).await.unwrap_err().label(), "missing");

    let records = Records::Addresses { family: IpFamily::IPv4, ports: false };
    let new = NewDirectory { name: "db", namespace: &within, records, tags: &Tags::new() };
    let made = client.create_directory(&new, "token").await.unwrap();
    assert_eq!(client.discover(&name, LOOK).await.unwrap(), [].into());
    let one = Instance { address: "10.0.0.1".parse().unwrap(), port: Some(53) };
    let two = Instance { address: "10.0.0.2".parse().unwrap(), port: None };
    client.register_instance(&made.id, "one", &Entry::Instance(one), "1").await.unwrap();
    client.register_instance(&made.id, "two", &Entry::Instance(two), "2").await.unwrap();
    assert_eq!(client.discover(&name, LOOK).await.unwrap(), [one, two].into());
    let missing = CloudMapName { namespace: "shop.internals".into(), ..name };
    assert_eq!(client.discover(&missing, LOOK).await.unwrap_err().label(), "missing");
}

#[tokio::test(start_paused = true)]
async fn hosts_of_endpoints_get_no_prefix_but_for_those_of_cloud_map_itself() {
    let own = "https://servicediscovery.us-west-2.amazonaws.com";
    for (endpoint, host) in [
        (None, "data-servicediscovery.us-west-2.amazonaws.com"),
        (Some(own), "data-servicediscovery.us-west-2.amazonaws.com"),
        (Some("http://127.0.0.1:4000"), "127.0.0.1:4000"),
        (Some("http://simulator.test"), "simulator.test"),
    ] {
        let (asked, mut hosts) = tokio::sync::mpsc::unbounded_channel();
        let transport = Transport::new(move |request: http::Request<Vec<u8>>| {
            asked.send(request.uri().authority().unwrap().to_string()).unwrap();
            async { http::Response::new(b"{}".to_vec()) }
        });
        let options = Options {
            region: Some("us-west-2".into()),
            neighbours: endpoint.map(str::to_owned),
            transport: Some(transport),
            ..Options::default()
        };
        let client = Client::connect(options, Metrics::unregistered()).await;
        let name = CloudMapName { namespace: "shop.internal".into(), service: "db".into() };
        client.discover(&name, LOOK).await.unwrap();
        assert_eq!(hosts.recv().await.unwrap(), host, "{endpoint:?}");
    }
}
