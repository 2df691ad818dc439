//! Resource gateways, resource configurations, domain verifications.

use aws_sdk_vpclattice::types::{
    ArnResource, CidrResource, DnsResource, ProtocolType, ResourceConfigDnsResolution,
    ResourceConfigurationDefinition, ResourceConfigurationIpAddressType, ResourceConfigurationStatus,
    ResourceConfigurationType, ResourceGatewayIpAddressType, ResourceGatewayStatus, VerificationStatus,
};
use serde_json::{Value, json};

use crate::harness::{Sim, code, field, refusal};

#[tokio::test(start_paused = true)]
async fn a_gateway_is_created_read_listed_updated_and_deleted() {
    let sim = Sim::with(&[("delay.resource_gateway_update", "10"), ("delay.resource_gateway_delete", "10")]);
    let call = sim.client.create_resource_gateway().name("data").vpc_identifier("vpc-12345678");
    let call = call.subnet_ids("subnet-1").subnet_ids("subnet-2").security_group_ids("sg-12345678");
    let created = call.ipv4_addresses_per_eni(3).send().await.unwrap();
    let id = created.id().unwrap();
    assert_eq!(created.vpc_identifier(), Some("vpc-12345678"));
    assert_eq!(created.ip_address_type(), Some(&ResourceGatewayIpAddressType::Ipv4));
    assert_eq!(created.resource_config_dns_resolution(), Some(&ResourceConfigDnsResolution::Public));
    let update = || sim.client.update_resource_gateway().resource_gateway_identifier(id);
    let updated = update().security_group_ids("sg-87654321").send().await.unwrap();
    assert_eq!(updated.status(), Some(&ResourceGatewayStatus::UpdateInProgress));
    assert_eq!(updated.vpc_id(), Some("vpc-12345678"));
    let delete = || sim.client.delete_resource_gateway().resource_gateway_identifier(id).send();
    for message in
        [refusal(update().security_group_ids("sg-12345678").send().await).1, refusal(delete().await).1]
    {
        assert!(message.ends_with("status: UPDATE_IN_PROGRESS."), "{message}");
    }
    sim.advance(10.0);
    let get = || sim.client.get_resource_gateway().resource_gateway_identifier(created.arn().unwrap()).send();
    let read = get().await.unwrap();
    assert_eq!(read.status(), Some(&ResourceGatewayStatus::Active));
    assert_eq!(read.security_group_ids(), ["sg-87654321"]);
    assert_eq!((read.subnet_ids().len(), read.ipv4_addresses_per_eni()), (2, Some(3)));
    assert_eq!((read.vpc_id(), read.service_managed()), (Some("vpc-12345678"), Some(false)));
    let listed = sim.client.list_resource_gateways().send().await.unwrap();
    assert_eq!(listed.items()[0].vpc_identifier(), Some("vpc-12345678"));
    assert_eq!(delete().await.unwrap().status(), Some(&ResourceGatewayStatus::DeleteInProgress));
    sim.advance(10.0);
    assert_eq!(code(get().await), "ResourceNotFoundException");
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_could_not_be_is_refused() {
    let sim = Sim::instant();
    let whole = json!({"name": "data", "vpcIdentifier": "vpc-12345678", "subnetIds": ["subnet-1"]});
    for (member, value, at) in [
        ("vpcIdentifier", Value::Null, "vpcIdentifier"),
        ("subnetIds", Value::Null, "subnetIds"),
        ("subnetIds", json!([]), "subnetIds"),
    ] {
        let mut body = whole.clone();
        body[member] = value;
        if body[member].is_null() {
            body.as_object_mut().unwrap().remove(member);
        }
        let refused = sim.send("POST", "/resourcegateways", &body).await;
        assert_eq!((refused.status, field(&refused)), (400, at), "{body}");
    }
    let mut v6 = whole.clone();
    v6["ipAddressType"] = json!("IPV6");
    v6["ipv4AddressesPerEni"] = json!(2);
    let refused = sim.send("POST", "/resourcegateways", &v6).await;
    assert_eq!((refused.status, field(&refused)), (400, "ipv4AddressesPerEni"));
    assert_eq!(sim.send("POST", "/resourcegateways", &whole).await.status, 201);
    assert_eq!(sim.send("POST", "/resourcegateways", &whole).await.status, 409);
    // The model's answer to an update knows no DUALSTACK, so it leaves that out.
    let dual = json!({
        "name": "dual", "vpcIdentifier": "vpc-12345678", "subnetIds": ["subnet-1"], "ipAddressType": "DUALSTACK",
    });
    let dual = sim.send("POST", "/resourcegateways", &dual).await.body;
    let path = format!("/resourcegateways/{}", dual["id"].as_str().unwrap());
    let updated = sim.send("PATCH", &path, &json!({"securityGroupIds": ["sg-12345678"]})).await;
    assert_eq!((updated.status, updated.body.get("ipAddressType")), (200, None));
    assert_eq!(sim.raw("GET", &path, "").await.body["ipAddressType"], "DUALSTACK");
}

#[tokio::test(start_paused = true)]
async fn every_type_of_configuration_is_created_read_and_listed() {
    let sim = Sim::instant();
    let gateway = sim.gateway("data").await;
    let in_vpc = sim.client.create_resource_gateway().name("in-vpc").vpc_identifier("vpc-12345678");
    let in_vpc =
        in_vpc.subnet_ids("subnet-1").resource_config_dns_resolution(ResourceConfigDnsResolution::InVpc);
    let in_vpc = in_vpc.send().await.unwrap().id.unwrap();
    let create = |name: &str| sim.client.create_resource_configuration().name(name);
    let group =
        create("group").r#type(ResourceConfigurationType::Group).resource_gateway_identifier(&gateway);
    let group = group.group_domain("example.com").send().await.unwrap();
    let group_id = group.id().unwrap();
    assert_eq!(group.group_domain(), Some("example.com"));
    let dns = DnsResource::builder().domain_name("db.example.com");
    let dns = dns.ip_address_type(ResourceConfigurationIpAddressType::Ipv4).build();
    let dns = ResourceConfigurationDefinition::DnsResource(dns);
    let child = create("child").r#type(ResourceConfigurationType::Child).port_ranges("5432");
    let child = child.resource_configuration_group_identifier(group.arn().unwrap());
    let child = child.resource_configuration_definition(dns.clone()).send().await.unwrap();
    assert_eq!(child.resource_configuration_group_id(), Some(group_id));
    assert_eq!(child.resource_gateway_id(), Some(gateway.as_str()));
    assert_eq!(child.protocol(), Some(&ProtocolType::Tcp));
    let bucket = ArnResource::builder().arn("arn:aws:rds:us-west-2:123456789012:db:data").build();
    let by_arn = create("by-arn").r#type(ResourceConfigurationType::Arn);
    let by_arn =
        by_arn.resource_configuration_definition(ResourceConfigurationDefinition::ArnResource(bucket));
    let by_arn = by_arn.send().await.unwrap();
    assert_eq!((by_arn.protocol(), by_arn.resource_gateway_id()), (None, None));
    let ranges = CidrResource::builder().cidr_ranges("10.1.0.0/16").build();
    let ranges = ResourceConfigurationDefinition::CidrResource(ranges);
    let cidr = create("cidr").r#type(ResourceConfigurationType::Cidr).resource_gateway_identifier(&in_vpc);
    let cidr = cidr.port_ranges("50-60").protocol(ProtocolType::TcpUdp);
    let cidr = cidr.resource_configuration_definition(ranges).send().await.unwrap();
    assert_eq!(cidr.protocol(), Some(&ProtocolType::TcpUdp));
    let network = sim.network("shop").await;
    let offer = sim.client.create_service_network_resource_association();
    let offer =
        offer.service_network_identifier(network).resource_configuration_identifier(cidr.id().unwrap());
    assert_eq!(code(offer.send().await), "ValidationException");
    let single = sim.configuration("single", &gateway).await;

    let read = sim.client.get_resource_configuration().resource_configuration_identifier(child.id().unwrap());
    let read = read.send().await.unwrap();
    assert_eq!(read.resource_configuration_definition(), Some(&dns));
    assert_eq!((read.port_ranges(), read.amazon_managed()), (&["5432".to_owned()][..], Some(false)));
    let list = || sim.client.list_resource_configurations();
    let names = async |call: aws_sdk_vpclattice::operation::list_resource_configurations::builders::ListResourceConfigurationsFluentBuilder| {
        let items = call.send().await.unwrap().items.unwrap();
        items.into_iter().map(|item| item.name.unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(names(list()).await, ["group", "child", "by-arn", "cidr", "single"]);
    assert_eq!(names(list().resource_gateway_identifier(&gateway)).await, ["group", "child", "single"]);
    assert_eq!(names(list().resource_configuration_group_identifier(group_id)).await, ["child"]);

    // What others need goes last: children before their group, configurations before their gateway.
    let delete =
        |id: &str| sim.client.delete_resource_configuration().resource_configuration_identifier(id).send();
    let delete_gateway = || sim.client.delete_resource_gateway().resource_gateway_identifier(&gateway).send();
    assert_eq!(code(delete(group_id).await), "ConflictException");
    for id in [child.id().unwrap(), group_id, &single] {
        assert_eq!(code(delete_gateway().await), "ConflictException");
        delete(id).await.unwrap();
    }
    delete_gateway().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_configuration_that_could_not_be_is_refused() {
    let sim = Sim::instant();
    let gateway = sim.gateway("data").await;
    let group = sim.client.create_resource_configuration().name("group");
    let group = group.r#type(ResourceConfigurationType::Group).resource_gateway_identifier(&gateway);
    let group = group.send().await.unwrap().id.unwrap();
    let single = sim.configuration("single", &gateway).await;
    let ip = json!({"ipResource": {"ipAddress": "10.0.0.9"}});
    let whole = |kind: &str| match kind {
        "SINGLE" => json!({
            "portRanges": ["5432"], "resourceGatewayIdentifier": gateway, "resourceConfigurationDefinition": ip,
        }),
        "GROUP" => json!({"resourceGatewayIdentifier": gateway}),
        "CHILD" => json!({
            "portRanges": ["5432"], "resourceConfigurationGroupIdentifier": group,
            "resourceConfigurationDefinition": ip,
        }),
        "CIDR" => json!({
            "portRanges": ["53"], "resourceGatewayIdentifier": gateway,
            "resourceConfigurationDefinition": {"cidrResource": {"cidrRanges": ["10.1.0.0/16"]}},
        }),
        _ => {
            json!({"resourceConfigurationDefinition": {"arnResource": {"arn": "arn:aws:rds:us-west-2:123456789012:db:data"}}})
        }
    };
    let definition = "resourceConfigurationDefinition";
    let rows = [
        // Type, member, its value, the member that is found fault with.
        ("SINGLE", definition, Value::Null, definition),
        ("SINGLE", "resourceGatewayIdentifier", Value::Null, "resourceGatewayIdentifier"),
        ("SINGLE", "portRanges", Value::Null, "portRanges"),
        ("SINGLE", "portRanges", json!(["80-79"]), "portRanges[0]"),
        ("SINGLE", "portRanges", json!(["80", "70000"]), "portRanges[1]"),
        ("SINGLE", "groupDomain", json!("example.com"), "groupDomain"),
        (
            "SINGLE",
            "resourceConfigurationGroupIdentifier",
            json!(group),
            "resourceConfigurationGroupIdentifier",
        ),
        ("SINGLE", "protocol", json!("TCP_UDP"), "protocol"),
        (
            "SINGLE",
            definition,
            json!({"arnResource": {"arn": "arn:aws:rds:us-west-2:123456789012:db:data"}}),
            definition,
        ),
        (
            "SINGLE",
            definition,
            json!({"ipResource": {"ipAddress": "10.0.0"}}),
            "resourceConfigurationDefinition.ipResource.ipAddress",
        ),
        (
            "SINGLE",
            definition,
            json!({"ipResource": {"ipAddress": "fd00::1"}}),
            "resourceConfigurationDefinition.ipResource.ipAddress",
        ),
        ("GROUP", definition, ip.clone(), definition),
        ("GROUP", "portRanges", json!(["80"]), "portRanges"),
        ("GROUP", "customDomainName", json!("a.example.com"), "customDomainName"),
        (
            "CHILD",
            "resourceConfigurationGroupIdentifier",
            Value::Null,
            "resourceConfigurationGroupIdentifier",
        ),
        (
            "CHILD",
            "resourceConfigurationGroupIdentifier",
            json!(single),
            "resourceConfigurationGroupIdentifier",
        ),
        ("CHILD", "resourceGatewayIdentifier", json!(gateway), "resourceGatewayIdentifier"),
        ("ARN", "resourceGatewayIdentifier", json!(gateway), "resourceGatewayIdentifier"),
        ("ARN", definition, ip.clone(), definition),
        // The gateway resolves names publicly.
        ("CIDR", "portRanges", json!(["53"]), "resourceConfigurationDefinition.cidrResource"),
        (
            "CIDR",
            definition,
            json!({"cidrResource": {"cidrRanges": ["10.1.0.0/33"]}}),
            "resourceConfigurationDefinition.cidrResource.cidrRanges[0]",
        ),
        (
            "CIDR",
            definition,
            json!({"cidrResource": {}}),
            "resourceConfigurationDefinition.cidrResource.cidrRanges",
        ),
    ];
    for (kind, member, value, at) in rows {
        let mut body = whole(kind);
        body["name"] = json!("odd");
        body["type"] = json!(kind);
        body[member] = value;
        if body[member].is_null() {
            body.as_object_mut().unwrap().remove(member);
        }
        let refused = sim.send("POST", "/resourceconfigurations", &body).await;
        assert_eq!((refused.status, field(&refused)), (400, at), "{body}: {refused:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_configuration_names_has_to_be_there_and_port_53_among_those_of_dns() {
    let sim = Sim::instant();
    let gateway = sim.gateway("data").await;
    let whole = json!({
        "name": "odd", "type": "SINGLE", "portRanges": ["53"], "resourceGatewayIdentifier": gateway,
        "resourceConfigurationDefinition": {"ipResource": {"ipAddress": "10.0.0.9"}},
    });
    for (member, absent) in [
        ("resourceGatewayIdentifier", "rgw-0123456789abcdef9"),
        ("domainVerificationIdentifier", "dv-0123456789abcdef9"),
    ] {
        let mut body = whole.clone();
        body[member] = json!(absent);
        let refused = sim.send("POST", "/resourceconfigurations", &body).await;
        assert_eq!((refused.status, &refused.body["resourceId"]), (404, &json!(absent)));
    }
    let in_vpc = json!({
        "name": "in-vpc", "vpcIdentifier": "vpc-12345678", "subnetIds": ["subnet-1"],
        "resourceConfigDnsResolution": "IN_VPC",
    });
    let in_vpc = sim.send("POST", "/resourcegateways", &in_vpc).await.body;
    let mut body = json!({
        "name": "cidr", "type": "CIDR", "protocol": "TCP_UDP", "portRanges": ["80"],
        "resourceGatewayIdentifier": in_vpc["id"],
        "resourceConfigurationDefinition": {"cidrResource": {"cidrRanges": ["10.1.0.0/16"]}},
    });
    assert_eq!(field(&sim.send("POST", "/resourceconfigurations", &body).await), "portRanges");
    body["portRanges"] = json!(["40-60"]);
    assert_eq!(sim.send("POST", "/resourceconfigurations", &body).await.status, 201);
}

#[tokio::test(start_paused = true)]
async fn a_configuration_is_updated_but_not_while_it_changes() {
    let sim = Sim::with(&[
        ("delay.resource_configuration_update", "5"),
        ("delay.resource_gateway_create", "10"),
        ("quota.children_per_resource_configuration", "1"),
    ]);
    let early = sim.gateway("data").await;
    let create = sim.client.create_resource_configuration().name("data");
    let create = create.r#type(ResourceConfigurationType::Group).resource_gateway_identifier(&early);
    assert_eq!(code(create.clone().send().await), "ConflictException");
    sim.advance(10.0);
    let group = create.send().await.unwrap().id.unwrap();
    let child = |name: &str| {
        json!({
            "name": name, "type": "CHILD", "portRanges": ["5432"], "resourceConfigurationGroupIdentifier": group,
            "resourceConfigurationDefinition": {"ipResource": {"ipAddress": "10.0.0.9"}},
        })
    };
    assert_eq!(sim.send("POST", "/resourceconfigurations", &child("one")).await.status, 201);
    let second = sim.send("POST", "/resourceconfigurations", &child("two")).await;
    assert_eq!((second.status, &second.body["resourceType"]), (402, &json!("RESOURCE_CONFIGURATION")));

    let single = sim.configuration("single", &early).await;
    let update = || sim.client.update_resource_configuration().resource_configuration_identifier(&single);
    let updated = update().port_ranges("80").port_ranges("443").send().await.unwrap();
    assert_eq!(updated.status(), Some(&ResourceConfigurationStatus::UpdateInProgress));
    // The operation models no ConflictException.
    assert_eq!(code(update().port_ranges("81").send().await), "ValidationException");
    let network = sim.network("shop").await;
    let offer = sim.client.create_service_network_resource_association();
    let offer = offer.service_network_identifier(network).resource_configuration_identifier(&single);
    assert_eq!(code(offer.clone().send().await), "ConflictException");
    sim.advance(5.0);
    offer.send().await.unwrap();
    let read = sim.client.get_resource_configuration().resource_configuration_identifier(&single);
    let read = read.send().await.unwrap();
    assert_eq!(read.port_ranges(), ["80", "443"]);
    assert_eq!(read.status(), Some(&ResourceConfigurationStatus::Active));
    assert_eq!(code(update().port_ranges("0").send().await), "ValidationException");
}

#[tokio::test(start_paused = true)]
async fn a_domain_is_verified_or_given_up_and_backs_the_names_below_it() {
    let sim = Sim::with(&[("delay.domain_verification", "60")]);
    let started = sim.client.start_domain_verification().domain_name("example.com").tags("a", "b");
    let started = started.send().await.unwrap();
    assert_eq!(started.status(), &VerificationStatus::Pending);
    let record = started.txt_method_config().unwrap().clone();
    assert!(record.name().ends_with("example.com") && !record.value().is_empty());
    let get = || sim.client.get_domain_verification().domain_verification_identifier(started.id()).send();
    assert_eq!(get().await.unwrap().last_verified_time(), None);
    sim.advance(60.0);
    let read = get().await.unwrap();
    assert_eq!(read.status(), &VerificationStatus::Verified);
    assert!(read.last_verified_time() > Some(read.created_at()));
    assert_eq!(read.txt_method_config(), Some(&record));
    assert_eq!(read.tags().unwrap()["a"], "b");
    assert_eq!(
        code(sim.client.start_domain_verification().domain_name("example.com").send().await),
        "ConflictException"
    );

    let gateway = sim.gateway("data").await;
    let body = |name: &str, domain: &str| {
        json!({
            "name": name, "type": "SINGLE", "portRanges": ["5432"], "resourceGatewayIdentifier": gateway,
            "resourceConfigurationDefinition": {"ipResource": {"ipAddress": "10.0.0.9"}},
            "customDomainName": domain, "domainVerificationIdentifier": started.id(),
        })
    };
    for (n, domain) in ["example.com", "db.example.com"].into_iter().enumerate() {
        let made = sim.send("POST", "/resourceconfigurations", &body(&format!("data-{n}"), domain)).await;
        assert_eq!((made.status, &made.body["domainVerificationArn"]), (201, &json!(started.arn())));
    }
    for domain in ["badexample.com", "example.org"] {
        let refused = sim.send("POST", "/resourceconfigurations", &body("odd", domain)).await;
        assert_eq!((refused.status, field(&refused)), (400, "domainVerificationIdentifier"), "{domain}");
    }
    let list = sim.client.list_resource_configurations().domain_verification_identifier(started.id());
    let listed = list.send().await.unwrap();
    assert_eq!(listed.items().len(), 2);
    let read = sim
        .client
        .get_resource_configuration()
        .resource_configuration_identifier(listed.items()[0].id().unwrap());
    assert_eq!(read.send().await.unwrap().domain_verification_status(), Some(&VerificationStatus::Verified));

    sim.simulator.change_settings([("domain.outcome", "timed-out")]).unwrap();
    let late = sim.client.start_domain_verification().domain_name("example.org").send().await.unwrap();
    sim.advance(60.0);
    let listed = sim.client.list_domain_verifications().send().await.unwrap();
    let states: Vec<_> = listed.items().iter().map(|item| item.status().as_str()).collect();
    assert_eq!(states, ["VERIFIED", "VERIFICATION_TIMED_OUT"]);
    let delete = || sim.client.delete_domain_verification().domain_verification_identifier(late.id()).send();
    delete().await.unwrap();
    assert_eq!(code(delete().await), "ResourceNotFoundException");
    let call = sim.client.delete_domain_verification().domain_verification_identifier(started.id());
    call.send().await.unwrap();
    for item in sim.client.list_resource_configurations().send().await.unwrap().items() {
        assert_eq!(item.domain_verification_id(), None);
    }
}
