//! Associations of services, VPCs, resource configurations and VPC endpoints with service networks.

use aws_sdk_vpclattice::types::{
    DnsOptions, PrivateDnsPreference, ResourceConfigurationType, ServiceNetworkVpcAssociationStatus,
};
use lattice_sim::{Failure, Fault};
use serde_json::{Value, json};

use crate::harness::{Sim, arn, code, field, refusal};

#[tokio::test(start_paused = true)]
async fn a_service_is_associated_read_listed_and_released() {
    let sim = Sim::instant();
    let (one, two) = (sim.network("one").await, sim.network("two").await);
    let call = sim.client.create_service().name("shop").custom_domain_name("shop.example.com");
    let service = call.send().await.unwrap();
    let service_id = service.id().unwrap();
    let create = sim.client.create_service_network_service_association();
    let create = create.service_network_identifier(arn(&format!("servicenetwork/{one}")));
    let created = create.service_identifier(service.arn().unwrap()).send().await.unwrap();
    let id = created.id().unwrap();
    assert_eq!(created.created_by(), Some("123456789012"));
    assert_eq!(created.dns_entry(), service.dns_entry());
    assert_eq!(created.custom_domain_name(), Some("shop.example.com"));

    let read = sim.client.get_service_network_service_association();
    let read = read.service_network_service_association_identifier(id).send().await.unwrap();
    assert_eq!((read.service_id(), read.service_name()), (Some(service_id), Some("shop")));
    assert_eq!((read.service_network_id(), read.service_network_name()), (Some(one.as_str()), Some("one")));
    assert_eq!(read.service_arn(), service.arn());

    let second = sim.join(&two, service_id).await;
    let other = sim.service("other").await;
    let third = sim.join(&two, &other).await;
    let list = || sim.client.list_service_network_service_associations();
    let ids = async |call: aws_sdk_vpclattice::operation::list_service_network_service_associations::builders::ListServiceNetworkServiceAssociationsFluentBuilder| {
        let items = call.send().await.unwrap().items;
        items.into_iter().map(|item| item.id.unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(ids(list().service_network_identifier(&two)).await, [second.clone(), third]);
    assert_eq!(ids(list().service_identifier(service_id)).await, [id.to_owned(), second.clone()]);
    assert_eq!(ids(list().service_identifier(service_id).service_network_identifier(&two)).await, [second]);
    // One of the two has to be named.
    assert_eq!(code(list().send().await), "ValidationException");
}

#[tokio::test(start_paused = true)]
async fn two_of_the_same_are_refused_also_while_the_first_is_being_deleted() {
    let sim = Sim::with(&[("delay.association_delete", "10"), ("delay.vpc_association_delete", "75")]);
    let network = sim.network("shop").await;
    let service = sim.service("shop").await;
    let gateway = sim.gateway("data").await;
    let configuration = sim.configuration("data", &gateway).await;
    let bodies = [
        ("/servicenetworkserviceassociations", json!({"serviceIdentifier": service}), 10.0),
        ("/servicenetworkvpcassociations", json!({"vpcIdentifier": "vpc-00000001"}), 75.0),
        (
            "/servicenetworkresourceassociations",
            json!({"resourceConfigurationIdentifier": configuration}),
            10.0,
        ),
    ];
    for (path, mut body, takes) in bodies {
        body["serviceNetworkIdentifier"] = json!(network);
        let first = sim.send("POST", path, &body).await;
        let second = sim.send("POST", path, &body).await;
        assert_eq!((second.status, &second.body["resourceId"]), (409, &first.body["id"]), "{second:?}");
        let one = format!("{path}/{}", first.body["id"].as_str().unwrap());
        sim.raw("DELETE", &one, "").await;
        sim.advance(takes - 1.0);
        let early = sim.send("POST", path, &body).await;
        assert_eq!(early.status, 409, "{path}");
        let message = early.body["message"].as_str().unwrap();
        assert!(message.ends_with("status: DELETE_IN_PROGRESS."), "{message}");
        sim.advance(1.0);
        let anew = sim.send("POST", path, &body).await;
        assert!(anew.status < 300, "{anew:?}");
        assert_ne!(anew.body["id"], first.body["id"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_vpc_has_one_association_whatever_the_network() {
    let sim = Sim::instant();
    let (one, two) = (sim.network("one").await, sim.network("two").await);
    sim.open(&one, "vpc-00000001").await;
    for network in [&one, &two] {
        let call = sim.client.create_service_network_vpc_association();
        let call = call.service_network_identifier(network).vpc_identifier("vpc-00000001").send();
        let (code, message) = refusal(call.await);
        assert_eq!(code, "ConflictException");
        assert_eq!(message, "VPC has already been associated to a service network.");
    }
    sim.open(&two, "vpc-00000002").await;
}

#[tokio::test(start_paused = true)]
async fn a_vpc_association_is_read_listed_and_updated() {
    let sim = Sim::with(&[("delay.vpc_association_update", "30")]);
    let network = sim.network("shop").await;
    let options = |preference: PrivateDnsPreference| DnsOptions::builder().private_dns_preference(preference);
    let create = sim.client.create_service_network_vpc_association().private_dns_enabled(true);
    let create = create.service_network_identifier(&network).vpc_identifier("vpc-00000001");
    let create = create.dns_options(options(PrivateDnsPreference::AllDomains).build());
    let created = create.security_group_ids("sg-00000001").send().await.unwrap();
    let id = created.id().unwrap();
    let other = sim.open(&network, "vpc-00000002").await;
    let get = || async {
        let call = sim.client.get_service_network_vpc_association();
        call.service_network_vpc_association_identifier(id).send().await.unwrap()
    };
    let read = get().await;
    assert_eq!(
        (read.vpc_id(), read.security_group_ids()),
        (Some("vpc-00000001"), &["sg-00000001".to_owned()][..])
    );
    assert_eq!(read.service_network_name(), Some("shop"));
    assert_eq!(read.private_dns_enabled(), Some(true));

    let update = || {
        let call = sim.client.update_service_network_vpc_association();
        call.service_network_vpc_association_identifier(id)
    };
    let specified = options(PrivateDnsPreference::SpecifiedDomainsOnly);
    let specified = specified.private_dns_specified_domains("example.com").build();
    let call = update().private_dns_enabled(false).dns_options(specified.clone());
    let updated = call.security_group_ids("sg-00000002").send().await.unwrap();
    assert_eq!(updated.status(), Some(&ServiceNetworkVpcAssociationStatus::UpdateInProgress));
    // Neither another update nor the deletion can begin before the first is done.
    let (code_of, message) = refusal(update().private_dns_enabled(true).send().await);
    assert_eq!(code_of, "ConflictException");
    assert!(message.ends_with("status: UPDATE_IN_PROGRESS."), "{message}");
    let delete = || {
        let call = sim.client.delete_service_network_vpc_association();
        call.service_network_vpc_association_identifier(id).send()
    };
    assert_eq!(code(delete().await), "ConflictException");
    sim.advance(30.0);
    let read = get().await;
    assert_eq!(read.status(), Some(&ServiceNetworkVpcAssociationStatus::Active));
    assert_eq!((read.private_dns_enabled(), read.dns_options()), (Some(false), Some(&specified)));
    assert_eq!(read.security_group_ids(), ["sg-00000002"]);
    assert!(read.last_updated_at() < Some(&aws_smithy_types::DateTime::from_secs_f64(sim.simulator.time())));

    for (vpc, expected) in [(Some("vpc-00000002"), vec![other.as_str()]), (None, vec![id, &other])] {
        let call =
            sim.client.list_service_network_vpc_associations().set_vpc_identifier(vpc.map(str::to_owned));
        let listed = call.service_network_identifier(&network).send().await.unwrap();
        assert_eq!(listed.items().iter().filter_map(|item| item.id()).collect::<Vec<_>>(), expected);
    }
    delete().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_update_of_a_vpc_association_can_fail() {
    let sim = Sim::with(&[("delay.vpc_association_update", "30")]);
    let network = sim.network("shop").await;
    let id = sim.open(&network, "vpc-00000001").await;
    let failure = Failure { code: "Odd".to_owned(), message: "It did not work out.".to_owned() };
    let fault =
        Fault { fails: Some(failure), count: Some(1), ..Fault::on("UpdateServiceNetworkVpcAssociation") };
    sim.simulator.set_faults(vec![fault]).unwrap();
    let path = format!("/servicenetworkvpcassociations/{id}");
    let update = json!({"securityGroupIds": ["sg-00000002"]});
    for expected in ["UPDATE_FAILED", "ACTIVE"] {
        let updated = sim.send("PATCH", &path, &update).await;
        assert_eq!((updated.status, &updated.body["status"]), (200, &json!("UPDATE_IN_PROGRESS")));
        sim.advance(30.0);
        let read = sim.raw("GET", &path, "").await.body;
        assert_eq!(read["status"], expected);
        assert_eq!(read.get("failureCode").is_some(), expected == "UPDATE_FAILED", "{read}");
        assert_eq!(read.get("failureMessage").is_some(), expected == "UPDATE_FAILED", "{read}");
    }
}

#[tokio::test(start_paused = true)]
async fn identifiers_without_a_pattern_and_options_that_contradict_are_checked() {
    let sim = Sim::instant();
    let network = sim.network("shop").await;
    let service = sim.service("shop").await;
    for odd in
        ["shop", "sn-1", "svc-0123456789abcdef0", "arn:aws:vpc-lattice:us-west-2:123456789012:service/svc-1"]
    {
        let body = json!({"serviceNetworkIdentifier": odd, "vpcIdentifier": "vpc-00000001"});
        let refused = sim.send("POST", "/servicenetworkvpcassociations", &body).await;
        assert_eq!((refused.status, field(&refused)), (400, "serviceNetworkIdentifier"), "{odd}");
    }
    let absent = "sn-0123456789abcdef9";
    let body = json!({"serviceNetworkIdentifier": absent, "serviceIdentifier": service});
    let refused = sim.send("POST", "/servicenetworkserviceassociations", &body).await;
    assert_eq!((refused.status, &refused.body["resourceType"]), (404, &json!("SERVICE_NETWORK")));
    for options in [
        json!({"privateDnsPreference": "SPECIFIED_DOMAINS_ONLY"}),
        json!({"privateDnsPreference": "ALL_DOMAINS", "privateDnsSpecifiedDomains": ["example.com"]}),
    ] {
        let body = json!({
            "serviceNetworkIdentifier": network, "vpcIdentifier": "vpc-00000001", "dnsOptions": options,
        });
        let refused = sim.send("POST", "/servicenetworkvpcassociations", &body).await;
        let expected = (400, "dnsOptions.privateDnsSpecifiedDomains");
        assert_eq!((refused.status, field(&refused)), expected, "{options}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_custom_domain_name_is_unique_within_a_network() {
    let sim = Sim::instant();
    let (one, two) = (sim.network("one").await, sim.network("two").await);
    let mut services = Vec::new();
    for name in ["shop", "copy"] {
        let call = sim.client.create_service().name(name).custom_domain_name("shop.example.com");
        services.push(call.send().await.unwrap().id.unwrap());
    }
    let association = sim.join(&one, &services[0]).await;
    let call = || {
        let call = sim.client.create_service_network_service_association();
        call.service_network_identifier(&one).service_identifier(&services[1]).send()
    };
    assert_eq!(code(call().await), "ConflictException");
    sim.join(&two, &services[1]).await;
    let delete = sim.client.delete_service_network_service_association();
    delete.service_network_service_association_identifier(&association).send().await.unwrap();
    call().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_service_goes_after_its_associations_and_takes_its_policies_and_subscriptions() {
    let sim = Sim::with(&[("delay.association_delete", "10"), ("delay.service_delete", "5")]);
    let network = sim.network("shop").await;
    let service = sim.service("shop").await;
    let association = sim.join(&network, &service).await;
    let service_arn = arn(&format!("service/{service}"));
    let put = sim.client.put_resource_policy().resource_arn(&service_arn).policy("{}");
    put.send().await.unwrap();
    let subscription = sim.client.create_access_log_subscription().resource_identifier(&service);
    let subscription = subscription.destination_arn("arn:aws:s3:::lattice-logs").send().await.unwrap().id;
    let delete = || sim.client.delete_service().service_identifier(&service).send();
    assert_eq!(code(delete().await), "ConflictException");
    let leave = sim.client.delete_service_network_service_association();
    leave.service_network_service_association_identifier(&association).send().await.unwrap();
    assert_eq!(code(delete().await), "ConflictException");
    sim.advance(10.0);
    delete().await.unwrap();
    // What is going can't be associated any more.
    let join = sim.client.create_service_network_service_association();
    let join = join.service_network_identifier(&network).service_identifier(&service).send();
    assert_eq!(code(join.await), "ConflictException");
    sim.advance(5.0);
    let read = sim.client.get_access_log_subscription().access_log_subscription_identifier(subscription);
    assert_eq!(code(read.send().await), "ResourceNotFoundException");
    let read = sim.client.get_resource_policy().resource_arn(&service_arn);
    assert_eq!(code(read.send().await), "ResourceNotFoundException");
}

#[tokio::test(start_paused = true)]
async fn a_resource_configuration_is_associated_read_and_listed_with_its_children() {
    let sim = Sim::instant();
    let network = sim.network("shop").await;
    let gateway = sim.gateway("data").await;
    let call = sim.client.create_resource_configuration().name("all").resource_gateway_identifier(&gateway);
    let group = call.r#type(ResourceConfigurationType::Group).send().await.unwrap().id.unwrap();
    let child = json!({
        "name": "child", "type": "CHILD", "portRanges": ["80", "8000-8010"],
        "resourceConfigurationGroupIdentifier": group, "customDomainName": "child.example.com",
        "resourceConfigurationDefinition": {"dnsResource": {"domainName": "db.example.com", "ipAddressType": "IPV4"}},
    });
    let child = sim.send("POST", "/resourceconfigurations", &child).await.body;
    assert_eq!(child["resourceGatewayId"], gateway.as_str());
    let child = child["id"].as_str().unwrap();
    let call = sim.client.create_service_network_resource_association().private_dns_enabled(true);
    let call = call.service_network_identifier(&network).resource_configuration_identifier(child);
    let created = call.send().await.unwrap();
    let of_group = sim.offer(&network, &group).await;

    let read = sim.client.get_service_network_resource_association();
    let read =
        read.service_network_resource_association_identifier(created.id().unwrap()).send().await.unwrap();
    assert_eq!(read.resource_configuration_name(), Some("child"));
    assert_eq!(read.service_network_name(), Some("shop"));
    assert_eq!(read.private_dns_entry().unwrap().domain_name(), Some("child.example.com"));
    assert!(read.dns_entry().unwrap().domain_name().unwrap().contains(child));
    assert_eq!(read.is_managed_association(), Some(false));

    for (children, expected) in
        [(false, vec![of_group.as_str()]), (true, vec![created.id().unwrap(), &of_group])]
    {
        let list = sim.client.list_service_network_resource_associations().include_children(children);
        let listed = list.resource_configuration_identifier(&group).send().await.unwrap();
        assert_eq!(listed.items().iter().filter_map(|item| item.id()).collect::<Vec<_>>(), expected);
    }
    let delete = sim.client.delete_resource_configuration().resource_configuration_identifier(child);
    assert_eq!(code(delete.send().await), "ConflictException");
}

#[tokio::test(start_paused = true)]
async fn a_network_that_may_be_shared_takes_shareable_resource_configurations_only() {
    let sim = Sim::instant();
    let call = sim.client.create_service_network().name("shared");
    let sharing = aws_sdk_vpclattice::types::SharingConfig::builder().enabled(true).build();
    let network = call.sharing_config(sharing).send().await.unwrap().id.unwrap();
    let gateway = sim.gateway("data").await;
    let configuration = sim.configuration("data", &gateway).await;
    let offer = || {
        let call = sim.client.create_service_network_resource_association();
        call.service_network_identifier(&network).resource_configuration_identifier(&configuration).send()
    };
    assert_eq!(code(offer().await), "ValidationException");
    let update = sim.client.update_resource_configuration().resource_configuration_identifier(&configuration);
    update.allow_association_to_shareable_service_network(true).send().await.unwrap();
    offer().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn vpc_endpoints_of_the_surroundings_are_associated() {
    let sim = Sim::with(&[("accounts", "2")]);
    let network = sim.network("shop").await;
    let gateway = sim.gateway("data").await;
    let configuration = sim.configuration("data", &gateway).await;
    let endpoint = |n: usize, vpc: &str, member: &str, to: &str| json!({"id": format!("vpce-0123456789abcdef{n}"), "vpc": vpc, member: to});
    sim.surround(json!({
        "vpcs": [
            {"id": "vpc-00000001", "cidrs": ["10.0.0.0/16"], "account": "123456789012"},
            {"id": "vpc-00000002", "cidrs": ["10.1.0.0/16"], "account": "210987654321"},
        ],
        "vpc_endpoints": [
            endpoint(0, "vpc-00000001", "service_network", "shop"),
            endpoint(1, "vpc-00000002", "service_network", &network),
            endpoint(2, "vpc-00000001", "resource_configuration", &configuration),
            endpoint(3, "vpc-00000002", "resource_configuration", "data"),
        ],
    }));
    let pages = sim.client.list_service_network_vpc_endpoint_associations();
    let pages = pages.service_network_identifier(&network).max_results(1).into_paginator().items().send();
    let found = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
    let found: Vec<_> =
        found.iter().map(|item| (item.vpc_id().unwrap(), item.vpc_endpoint_owner_id().unwrap())).collect();
    assert_eq!(found, [("vpc-00000001", "123456789012"), ("vpc-00000002", "210987654321")]);

    let list = || {
        let call = sim.client.list_resource_endpoint_associations();
        call.resource_configuration_identifier(&configuration)
    };
    let all = list().send().await.unwrap();
    assert_eq!(all.items().len(), 2);
    let (mine, other) = (&all.items()[0], &all.items()[1]);
    assert_eq!(mine.vpc_endpoint_id(), Some("vpce-0123456789abcdef2"));
    assert_eq!(other.vpc_endpoint_owner(), Some("210987654321"));
    let by_owner = list().vpc_endpoint_owner("210987654321").send().await.unwrap();
    let by_endpoint = list().vpc_endpoint_id("vpce-0123456789abcdef3").send().await.unwrap();
    let by_arn = list().resource_endpoint_association_identifier(other.arn().unwrap()).send().await.unwrap();
    for listed in [by_owner, by_endpoint] {
        assert_eq!(listed.items(), std::slice::from_ref(other));
    }
    assert_eq!(by_arn.items(), std::slice::from_ref(other));

    let delete_configuration = || {
        let call = sim.client.delete_resource_configuration();
        call.resource_configuration_identifier(&configuration).send()
    };
    assert_eq!(code(delete_configuration().await), "ConflictException");
    let delete = |id: &str| {
        sim.client.delete_resource_endpoint_association().resource_endpoint_association_identifier(id).send()
    };
    let deleted = delete(mine.id().unwrap()).await.unwrap();
    assert_eq!(deleted.vpc_endpoint_id(), mine.vpc_endpoint_id());
    assert_eq!(deleted.resource_configuration_id(), Some(configuration.as_str()));
    assert_eq!(code(delete(mine.id().unwrap()).await), "ResourceNotFoundException");
    // The owner of the endpoint may end it too.
    let stranger = sim.stranger().delete_resource_endpoint_association();
    stranger.resource_endpoint_association_identifier(other.id().unwrap()).send().await.unwrap();
    delete_configuration().await.unwrap();
    // These lists model no ResourceNotFoundException.
    assert_eq!(list().send().await.unwrap().items(), []);
    let absent = sim.client.list_service_network_vpc_endpoint_associations();
    let absent = absent.service_network_identifier("sn-0123456789abcdef9").send().await.unwrap();
    assert_eq!(absent.items(), []);
    let unnamed = sim.raw("GET", "/servicenetworkvpcendpointassociations", "").await;
    assert_eq!((unnamed.status, unnamed.body["reason"] == Value::Null), (400, false));
}
