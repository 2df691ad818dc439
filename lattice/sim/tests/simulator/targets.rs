//! Targets: registration, states over time, draining, and the ways in which unknowns may turn out.

use aws_sdk_vpclattice::types::{
    HealthCheckConfig, IpAddressType, Target, TargetGroupConfig, TargetGroupProtocol,
    TargetGroupProtocolVersion, TargetGroupType, TargetStatus,
};
use lattice_sim::SetTarget;
use serde_json::json;

use crate::harness::{Sim, code, field, fixed, forward, targets};

use TargetStatus::{Draining, Healthy, Initial, Unavailable, Unhealthy, Unused};

#[tokio::test(start_paused = true)]
async fn targets_take_the_groups_port_and_are_keyed_by_id_and_port() {
    let sim = Sim::instant();
    let group = sim.group("web").await;
    let target = |id: &str, port| Target::builder().id(id).set_port(port).build().unwrap();
    let registered = sim
        .client
        .register_targets()
        .target_group_identifier(&group)
        .targets(target("10.0.0.1", None))
        .targets(target("10.0.0.1", Some(8080)))
        .targets(target("10.0.0.1", Some(9090)))
        .send()
        .await
        .unwrap();
    let ports: Vec<_> = registered.successful().iter().map(|target| target.port().unwrap()).collect();
    assert_eq!(ports, [8080, 9090]);
    assert!(registered.unsuccessful().is_empty());
    assert_eq!(sim.states(&group).await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn ids_that_do_not_fit_the_group_are_unsuccessful_one_by_one() {
    let sim = Sim::instant();
    for (name, kind, family, good, bad) in [
        (
            "ipv4",
            TargetGroupType::Ip,
            Some(IpAddressType::Ipv4),
            "10.0.0.1",
            ["fd00::1", "web", "10.0.0.256"],
        ),
        (
            "ipv6",
            TargetGroupType::Ip,
            Some(IpAddressType::Ipv6),
            "fd00::1",
            ["10.0.0.1", "fd00::g", "::1/64"],
        ),
        (
            "nodes",
            TargetGroupType::Instance,
            None,
            "i-0123456789abcdef0",
            ["i-1", "10.0.0.1", "i-0123456789abcdefg"],
        ),
        (
            "balancer",
            TargetGroupType::Alb,
            None,
            "arn:aws:elasticloadbalancing:us-west-2:123456789012:loadbalancer/app/a/1",
            ["10.0.0.1", "arn:aws:lambda:us-west-2:123456789012:function:a", "app/a/1"],
        ),
    ] {
        let config = TargetGroupConfig::builder()
            .protocol(TargetGroupProtocol::Http)
            .vpc_identifier("vpc-12345678")
            .set_ip_address_type(family);
        let created = sim
            .client
            .create_target_group()
            .name(name)
            .r#type(kind)
            .config(config.build())
            .send()
            .await
            .unwrap();
        let group = created.id().unwrap();
        let registered = sim.register(group, &[bad[0], good, bad[1], bad[2]]).await;
        assert_eq!(registered.successful().len(), 1, "{name}: {registered:?}");
        assert_eq!(registered.successful()[0].id(), good);
        let failed: Vec<_> = registered.unsuccessful().iter().map(|target| target.id().unwrap()).collect();
        assert_eq!(failed, bad, "{name}");
        assert_eq!(registered.unsuccessful()[0].failure_code(), Some("UnsupportedTarget"));
        assert_eq!(sim.states(group).await.len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lambda_group_holds_one_function_without_port() {
    let sim = Sim::instant();
    let created =
        sim.client.create_target_group().name("call").r#type(TargetGroupType::Lambda).send().await.unwrap();
    let group = created.id().unwrap();
    let function = "arn:aws:lambda:us-west-2:123456789012:function:a";
    let body = json!({"targets": [{"id": function, "port": 80}]}).to_string();
    let refused = sim.raw("POST", &format!("/targetgroups/{group}/registertargets"), body).await;
    assert_eq!(refused.body["unsuccessful"][0]["failureMessage"], "a Lambda function has no port");
    let registered = sim.register(group, &[function]).await;
    assert_eq!(registered.successful()[0].port(), None);
    let second = sim.client.register_targets().target_group_identifier(group);
    let second = second.set_targets(Some(targets(&["arn:aws:lambda:us-west-2:123456789012:function:b"])));
    assert_eq!(code(second.send().await), "ServiceQuotaExceededException");
}

#[tokio::test(start_paused = true)]
async fn malformed_ids_fail_the_whole_call_if_so_set() {
    let sim = Sim::with(&[("target.malformed_id", "validation")]);
    let group = sim.group("web").await;
    let call = sim.client.register_targets().target_group_identifier(&group);
    let call = call.set_targets(Some(targets(&["10.0.0.1", "web"])));
    assert_eq!(code(call.send().await), "ValidationException");
    assert!(sim.states(&group).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn addresses_are_compared_as_addresses() {
    let sim = Sim::instant();
    let config = TargetGroupConfig::builder()
        .protocol(TargetGroupProtocol::Http)
        .vpc_identifier("vpc-12345678")
        .ip_address_type(IpAddressType::Ipv6);
    let created =
        sim.client.create_target_group().name("ipv6").r#type(TargetGroupType::Ip).config(config.build());
    let created = created.send().await.unwrap();
    let group = created.id().unwrap();
    sim.register(group, &["fd00::1"]).await;
    sim.register(group, &["FD00:0::1"]).await;
    assert_eq!(sim.states(group).await, [("fd00::1".to_owned(), Unused)]);
}

#[tokio::test(start_paused = true)]
async fn states_follow_use_and_health_checks() {
    let sim = Sim::with(&[("health.first_check_delay", "20")]);
    let group = sim.group("web").await;
    sim.register(&group, &["10.0.0.1"]).await;
    assert_eq!(sim.state(&group).await, Unused);
    sim.advance(100.0);
    let service = sim.service("web").await;
    let listener = sim.listener(&service, "web", forward(&[&group])).await;
    assert_eq!(sim.state(&group).await, Initial);
    sim.advance(19.9);
    assert_eq!(sim.state(&group).await, Initial);
    sim.advance(0.1);
    assert_eq!(sim.state(&group).await, Healthy);

    let check = |enabled| {
        let config = HealthCheckConfig::builder().enabled(enabled).build();
        sim.client.update_target_group().target_group_identifier(&group).health_check(config).send()
    };
    check(false).await.unwrap();
    assert_eq!(sim.state(&group).await, Unavailable);
    check(true).await.unwrap();
    assert_eq!(sim.state(&group).await, Initial);
    sim.advance(20.0);
    assert_eq!(sim.state(&group).await, Healthy);

    let update = sim.client.update_listener().service_identifier(&service).listener_identifier(&listener);
    update.default_action(fixed(404)).send().await.unwrap();
    assert_eq!(sim.state(&group).await, Unused);
}

#[tokio::test(start_paused = true)]
async fn first_check_falls_anywhere_within_the_interval_by_seed() {
    let sim = Sim::with(&[("health.first_check_delay", "interval")]);
    let (group, ..) = sim.used_group("web").await;
    let ids: Vec<String> = (0..100).map(|n| format!("10.0.0.{n}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    sim.register(&group, &ids).await;
    let mut healthy = Vec::new();
    for _ in 0..=3 {
        let states = sim.states(&group).await;
        healthy.push(states.iter().filter(|(_, state)| *state == Healthy).count());
        sim.advance(10.0);
    }
    assert_eq!((healthy[0], healthy[3]), (0, 100));
    assert!((15..55).contains(&healthy[1]) && (45..90).contains(&healthy[2]), "{healthy:?}");
}

#[tokio::test(start_paused = true)]
async fn groups_without_health_checks_have_unavailable_targets() {
    let sim = Sim::instant();
    let config = TargetGroupConfig::builder()
        .protocol(TargetGroupProtocol::Http)
        .protocol_version(TargetGroupProtocolVersion::Http2)
        .vpc_identifier("vpc-12345678");
    let created =
        sim.client.create_target_group().name("http2").r#type(TargetGroupType::Ip).config(config.build());
    let created = created.send().await.unwrap();
    let group = created.id().unwrap();
    sim.register(group, &["10.0.0.1"]).await;
    let service = sim.service("http2").await;
    sim.listener(&service, "http2", forward(&[group])).await;
    assert_eq!(sim.state(group).await, Unavailable);
}

#[tokio::test(start_paused = true)]
async fn functions_and_balancers_cannot_be_checked() {
    let sim = Sim::instant();
    for (name, config, target) in [
        ("function", json!({"type": "LAMBDA"}), "arn:aws:lambda:us-west-2:123456789012:function:a"),
        (
            "balancer",
            json!({"type": "ALB", "config": {"protocol": "HTTP", "vpcIdentifier": "vpc-12345678"}}),
            "arn:aws:elasticloadbalancing:us-west-2:123456789012:loadbalancer/app/a/1",
        ),
    ] {
        let mut body = config;
        body["name"] = json!(name);
        let created = sim.raw("POST", "/targetgroups", body.to_string()).await;
        let group = created.body["id"].as_str().unwrap();
        let service = sim.service(name).await;
        sim.listener(&service, name, forward(&[group])).await;
        sim.register(group, &[target]).await;
        let listed = sim.client.list_targets().target_group_identifier(group).send().await.unwrap();
        assert_eq!(listed.items()[0].status(), Some(&Unavailable), "{name}");
        assert_eq!(listed.items()[0].reason_code(), Some("HealthCheckNotSupported"), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn reason_codes_are_the_known_ones_or_none() {
    let sim = Sim::instant();
    let (group, ..) = sim.used_group("web").await;
    let unused = sim.group("unused").await;
    sim.register(&group, &["10.0.0.1", "10.0.0.2"]).await;
    sim.register(&unused, &["10.0.0.1"]).await;
    let set = SetTarget {
        group: group.clone(),
        id: "10.0.0.2".to_owned(),
        port: None,
        status: lattice_sim::TargetStatus::Unhealthy,
    };
    sim.simulator.set_target(&set).unwrap();
    let reasons = |group: String| {
        let call = sim.client.list_targets().target_group_identifier(group).send();
        async {
            let items = call.await.unwrap().items;
            items.into_iter().map(|target| target.reason_code).collect::<Vec<_>>()
        }
    };
    assert_eq!(reasons(group.clone()).await, [None, Some("HealthCheckFailed".to_owned())]);
    assert_eq!(reasons(unused.clone()).await, [Some("TargetGroupNotInUse".to_owned())]);
    sim.simulator.change_settings([("target.reason_codes", "absent")]).unwrap();
    assert_eq!(reasons(unused).await, [None]);
}

#[tokio::test(start_paused = true)]
async fn a_deregistered_target_drains_and_then_vanishes() {
    for seconds in ["60", "300"] {
        let sim = Sim::with(&[("target.drain_seconds", seconds)]);
        let (group, ..) = sim.used_group("web").await;
        sim.register(&group, &["10.0.0.1"]).await;
        let gone = sim.deregister(&group, &["10.0.0.1"]).await;
        assert_eq!(gone.successful()[0].port(), Some(8080));
        assert_eq!(sim.state(&group).await, Draining);
        sim.advance(10.0);
        // A second deregistration does not prolong the draining.
        sim.deregister(&group, &["10.0.0.1"]).await;
        let seconds: f64 = seconds.parse().unwrap();
        sim.advance(seconds - 10.5);
        assert_eq!(sim.state(&group).await, Draining);
        sim.advance(0.5);
        assert!(sim.states(&group).await.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn draining_follows_tokios_clock_too() {
    let sim = Sim::instant();
    let (group, ..) = sim.used_group("web").await;
    sim.register(&group, &["10.0.0.1"]).await;
    sim.deregister(&group, &["10.0.0.1"]).await;
    tokio::time::advance(std::time::Duration::from_secs(61)).await;
    assert!(sim.states(&group).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_target_of_an_unused_group_stays_unused_for_a_moment() {
    let sim = Sim::instant();
    let group = sim.group("web").await;
    sim.register(&group, &["10.0.0.1"]).await;
    sim.deregister(&group, &["10.0.0.1"]).await;
    sim.advance(4.9);
    assert_eq!(sim.state(&group).await, Unused);
    sim.advance(0.1);
    assert!(sim.states(&group).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_draining_target_can_be_registered_in_every_plausible_way() {
    // The state after each step: registered again, 40 s later, 60 s after the deregistration, 150 s after it.
    for (way, successful, states) in [
        ("initial", true, [Some(Initial), Some(Healthy), Some(Healthy), Some(Healthy)]),
        ("refused", false, [Some(Draining), Some(Draining), None, None]),
        ("vanishes", true, [Some(Draining), Some(Draining), None, None]),
        ("health-reset", true, [Some(Initial), Some(Initial), Some(Initial), Some(Healthy)]),
        ("healthy", true, [Some(Healthy), Some(Healthy), Some(Healthy), Some(Healthy)]),
    ] {
        let sim = Sim::with(&[("target.reregister_draining", way), ("health.first_check_delay", "20")]);
        let (group, ..) = sim.used_group("web").await;
        sim.register(&group, &["10.0.0.1"]).await;
        sim.advance(20.0);
        sim.deregister(&group, &["10.0.0.1"]).await;
        let registered = sim.register(&group, &["10.0.0.1"]).await;
        assert_eq!(registered.successful().len() == 1, successful, "{way}");
        assert_eq!(registered.unsuccessful().len() == 1, !successful, "{way}");
        let mut seen = Vec::new();
        for pause in [0.0, 40.0, 20.0, 90.0] {
            sim.advance(pause);
            seen.push(sim.states(&group).await.first().map(|(_, state)| state.clone()));
        }
        assert_eq!(seen, states, "{way}");
    }
}

#[tokio::test(start_paused = true)]
async fn registering_a_live_target_changes_nothing_or_starts_over() {
    for (way, state) in [("unchanged", Healthy), ("initial", Initial)] {
        let sim = Sim::with(&[("target.reregister_existing", way), ("health.first_check_delay", "20")]);
        let (group, ..) = sim.used_group("web").await;
        sim.register(&group, &["10.0.0.1"]).await;
        sim.advance(20.0);
        sim.register(&group, &["10.0.0.1"]).await;
        assert_eq!(sim.state(&group).await, state, "{way}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lingering_unused_target_can_be_registered_again() {
    let sim = Sim::with(&[("target.reregister_draining", "refused")]);
    let group = sim.group("web").await;
    sim.register(&group, &["10.0.0.1"]).await;
    sim.deregister(&group, &["10.0.0.1"]).await;
    assert_eq!(sim.register(&group, &["10.0.0.1"]).await.successful().len(), 1);
    sim.advance(3600.0);
    assert_eq!(sim.state(&group).await, Unused);
}

#[tokio::test(start_paused = true)]
async fn an_absent_target_is_deregistered_successfully_or_not() {
    for (way, successful) in [("successful", 1), ("unsuccessful", 0)] {
        let sim = Sim::with(&[("target.deregister_absent", way)]);
        let group = sim.group("web").await;
        let gone = sim.deregister(&group, &["10.0.0.9"]).await;
        assert_eq!(
            (gone.successful().len(), gone.unsuccessful().len()),
            (successful, 1 - successful),
            "{way}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_target_twice_is_validated_if_so_set() {
    let sim = Sim::with(&[("target.duplicate_in_call", "validation")]);
    let group = sim.group("web").await;
    let body = json!({"targets": [{"id": "10.0.0.1"}, {"id": "10.0.0.1", "port": 8080}]}).to_string();
    let refused = sim.raw("POST", &format!("/targetgroups/{group}/registertargets"), body).await;
    assert_eq!((refused.status, field(&refused)), (400, "targets[1]"));
}

#[tokio::test(start_paused = true)]
async fn beyond_the_quota_the_call_fails_or_the_targets_do() {
    let sim = Sim::with(&[("quota.targets_per_group", "3")]);
    let group = sim.group("web").await;
    sim.register(&group, &["10.0.0.1", "10.0.0.2"]).await;
    // What is registered already needs no room.
    sim.register(&group, &["10.0.0.1", "10.0.0.2", "10.0.0.3"]).await;
    let four = ["10.0.0.3", "10.0.0.4"];
    let call = || {
        sim.client.register_targets().target_group_identifier(&group).set_targets(Some(targets(&four))).send()
    };
    let error = call().await.unwrap_err().into_service_error();
    assert!(error.is_service_quota_exceeded_exception(), "{error:?}");
    assert_eq!(sim.states(&group).await.len(), 3);
    sim.simulator.change_settings([("target.quota_error", "targets")]).unwrap();
    let registered = call().await.unwrap();
    assert_eq!(registered.successful()[0].id(), "10.0.0.3");
    assert_eq!(registered.unsuccessful()[0].id(), Some("10.0.0.4"));
    // A target that has vanished makes room.
    sim.deregister(&group, &["10.0.0.1"]).await;
    sim.advance(60.0);
    assert_eq!(call().await.unwrap().unsuccessful(), []);
}

#[tokio::test(start_paused = true)]
async fn list_filters_by_target_and_leaves_out_the_absent() {
    let sim = Sim::instant();
    let group = sim.group("web").await;
    sim.register(&group, &["10.0.0.1", "10.0.0.2", "10.0.0.3"]).await;
    let call = || {
        let filter = targets(&["10.0.0.3", "10.0.0.9", "10.0.0.1"]);
        sim.client.list_targets().target_group_identifier(&group).set_targets(Some(filter)).send()
    };
    let listed = call().await.unwrap();
    let ids: Vec<_> = listed.items().iter().map(|target| target.id().unwrap()).collect();
    assert_eq!(ids, ["10.0.0.1", "10.0.0.3"]);
    sim.simulator.change_settings([("target.list_absent", "not-found")]).unwrap();
    let error = call().await.unwrap_err().into_service_error();
    assert!(error.is_resource_not_found_exception());
}

#[tokio::test(start_paused = true)]
async fn a_group_that_is_being_created_takes_no_targets() {
    let sim = Sim::with(&[("delay.target_group_create", "2"), ("delay.target_group_delete", "2")]);
    let group = sim.group("web").await;
    let register = || {
        let call = sim.client.register_targets().target_group_identifier(&group);
        call.set_targets(Some(targets(&["10.0.0.1"]))).send()
    };
    let error = register().await.unwrap_err().into_service_error();
    let aws_sdk_vpclattice::operation::register_targets::RegisterTargetsError::ConflictException(conflict) =
        error
    else {
        panic!("{error:?}")
    };
    let message = format!(
        "Invalid resource status for this operation, resource id {group}, status: CREATE_IN_PROGRESS."
    );
    assert_eq!(conflict.message(), message);
    assert_eq!((conflict.resource_id(), conflict.resource_type()), (group.as_str(), "TARGET_GROUP"));
    sim.advance(2.0);
    register().await.unwrap();
    sim.client.delete_target_group().target_group_identifier(&group).send().await.unwrap();
    assert_eq!(code(register().await), "ConflictException");
    let deregister = sim.client.deregister_targets().target_group_identifier(&group);
    assert_eq!(code(deregister.set_targets(Some(targets(&["10.0.0.1"]))).send().await), "ConflictException");
    sim.advance(2.0);
    assert_eq!(code(register().await), "ResourceNotFoundException");
}

#[tokio::test(start_paused = true)]
async fn target_calls_on_an_absent_group_find_nothing() {
    let sim = Sim::instant();
    let absent = "tg-0123456789abcdef0";
    let list = sim.client.list_targets().target_group_identifier(absent).send().await;
    assert_eq!(code(list), "ResourceNotFoundException");
    let deregister = sim.client.deregister_targets().target_group_identifier(absent);
    let deregister = deregister.set_targets(Some(targets(&["10.0.0.1"]))).send().await;
    assert_eq!(code(deregister), "ResourceNotFoundException");
}

#[tokio::test(start_paused = true)]
async fn a_state_set_by_hand_stays_until_the_target_starts_over() {
    let sim = Sim::instant();
    let (group, ..) = sim.used_group("web").await;
    sim.register(&group, &["10.0.0.1"]).await;
    let set = |status| {
        let set = SetTarget { group: group.clone(), id: "10.0.0.1".to_owned(), port: Some(8080), status };
        sim.simulator.set_target(&set).unwrap();
    };
    set(lattice_sim::TargetStatus::Unhealthy);
    sim.advance(1000.0);
    sim.register(&group, &["10.0.0.1"]).await;
    assert_eq!(sim.state(&group).await, Unhealthy);
    set(lattice_sim::TargetStatus::Draining);
    assert_eq!(sim.state(&group).await, Draining);
    sim.register(&group, &["10.0.0.1"]).await;
    assert_eq!(sim.state(&group).await, Healthy);
    set(lattice_sim::TargetStatus::Draining);
    set(lattice_sim::TargetStatus::Initial);
    sim.advance(1000.0);
    assert_eq!(sim.state(&group).await, Initial);
    set(lattice_sim::TargetStatus::Draining);
    sim.advance(60.0);
    assert!(sim.states(&group).await.is_empty());
    let absent = SetTarget {
        group,
        id: "10.0.0.1".to_owned(),
        port: None,
        status: lattice_sim::TargetStatus::Healthy,
    };
    assert!(sim.simulator.set_target(&absent).is_err());
}
