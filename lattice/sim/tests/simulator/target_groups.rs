//! Target groups: what is created, echoed, changed, refused and deleted.

use aws_sdk_vpclattice::types::{
    HealthCheckConfig, Matcher, TargetGroupProtocol, TargetGroupStatus, TargetGroupType,
};
use serde_json::{Value, json};

use crate::harness::{Sim, code, field, fixed};

async fn create(sim: &Sim, kind: &str, config: &Value) -> crate::harness::Raw {
    let body = json!({"name": format!("g-{}", sim.simulator.log(0).len()), "type": kind, "config": config});
    sim.raw("POST", "/targetgroups", body.to_string()).await
}

#[tokio::test(start_paused = true)]
async fn a_group_is_created_read_and_listed() {
    let sim = Sim::instant();
    let id = sim.group("web").await;
    assert!(id.starts_with("tg-0") && id.len() == 20);
    let group = sim.client.get_target_group().target_group_identifier(&id).send().await.unwrap();
    assert_eq!(
        group.arn(),
        Some(format!("arn:aws:vpc-lattice:us-west-2:123456789012:targetgroup/{id}").as_str())
    );
    assert_eq!((group.name(), group.status()), (Some("web"), Some(&TargetGroupStatus::Active)));
    assert_eq!(group.r#type(), Some(&TargetGroupType::Ip));
    assert!(group.service_arns().is_empty());
    assert_eq!(group.created_at(), group.last_updated_at());
    let config = group.config().unwrap();
    assert_eq!((config.port(), config.vpc_identifier()), (Some(8080), Some("vpc-12345678")));
    let listed = sim.client.list_target_groups().send().await.unwrap();
    let item = &listed.items()[0];
    assert_eq!(
        (item.id(), item.port(), item.protocol()),
        (Some(id.as_str()), Some(8080), Some(&TargetGroupProtocol::Http))
    );
    let by_arn =
        sim.client.get_target_group().target_group_identifier(group.arn().unwrap()).send().await.unwrap();
    assert_eq!(by_arn.id(), Some(id.as_str()));
}

#[tokio::test(start_paused = true)]
async fn defaults_follow_type_and_protocol() {
    let sim = Sim::instant();
    let vpc = "vpc-12345678";
    let check = |enabled: bool, protocol: &str| {
        json!({"enabled": enabled, "protocol": protocol, "protocolVersion": "HTTP1", "path": "/",
            "healthCheckIntervalSeconds": 30, "healthCheckTimeoutSeconds": 5, "healthyThresholdCount": 5,
            "unhealthyThresholdCount": 2, "matcher": {"httpCode": "200"}})
    };
    for (kind, given, expected) in [
        (
            "IP",
            json!({"protocol": "HTTP", "vpcIdentifier": vpc}),
            json!({"protocol": "HTTP", "vpcIdentifier": vpc, "port": 80, "protocolVersion": "HTTP1",
                "ipAddressType": "IPV4", "healthCheck": check(true, "HTTP")}),
        ),
        (
            "INSTANCE",
            json!({"protocol": "HTTPS", "vpcIdentifier": vpc, "protocolVersion": "GRPC"}),
            json!({"protocol": "HTTPS", "vpcIdentifier": vpc, "port": 443, "protocolVersion": "GRPC",
                "healthCheck": check(false, "HTTPS")}),
        ),
        (
            "IP",
            json!({"protocol": "TCP", "vpcIdentifier": vpc, "port": 5432, "ipAddressType": "IPV6"}),
            json!({"protocol": "TCP", "vpcIdentifier": vpc, "port": 5432, "ipAddressType": "IPV6",
                "healthCheck": check(false, "HTTP")}),
        ),
        (
            "ALB",
            json!({"protocol": "HTTP", "vpcIdentifier": vpc, "port": 80}),
            json!({"protocol": "HTTP", "vpcIdentifier": vpc, "port": 80, "protocolVersion": "HTTP1"}),
        ),
        ("LAMBDA", json!({}), json!({"lambdaEventStructureVersion": "V1"})),
        (
            "LAMBDA",
            json!({"lambdaEventStructureVersion": "V2"}),
            json!({"lambdaEventStructureVersion": "V2"}),
        ),
    ] {
        let created = create(&sim, kind, &given).await;
        assert_eq!((created.status, &created.body["config"]), (201, &expected), "{kind} {given}");
    }
}

#[tokio::test(start_paused = true)]
async fn configurations_that_do_not_fit_the_type_are_refused_by_member() {
    let sim = Sim::instant();
    let vpc = "vpc-12345678";
    for (kind, config, member) in [
        ("IP", json!({}), "config.protocol"),
        ("IP", json!({"protocol": "HTTP"}), "config.vpcIdentifier"),
        ("IP", json!({"protocol": "TCP", "vpcIdentifier": vpc}), "config.port"),
        (
            "IP",
            json!({"protocol": "TCP", "vpcIdentifier": vpc, "port": 1, "protocolVersion": "HTTP1"}),
            "config.protocolVersion",
        ),
        (
            "IP",
            json!({"protocol": "HTTP", "vpcIdentifier": vpc, "lambdaEventStructureVersion": "V1"}),
            "config.lambdaEventStructureVersion",
        ),
        (
            "INSTANCE",
            json!({"protocol": "HTTP", "vpcIdentifier": vpc, "ipAddressType": "IPV4"}),
            "config.ipAddressType",
        ),
        ("ALB", json!({"protocol": "HTTP", "vpcIdentifier": vpc, "healthCheck": {}}), "config.healthCheck"),
        ("LAMBDA", json!({"port": 80}), "config.port"),
        ("LAMBDA", json!({"vpcIdentifier": vpc}), "config.vpcIdentifier"),
        ("LAMBDA", json!({"healthCheck": {"enabled": true}}), "config.healthCheck"),
        (
            "IP",
            json!({"protocol": "HTTP", "vpcIdentifier": vpc, "healthCheck": {"healthCheckIntervalSeconds": 4}}),
            "healthCheck.healthCheckIntervalSeconds",
        ),
        (
            "IP",
            json!({"protocol": "HTTP", "vpcIdentifier": vpc, "healthCheck": {"healthyThresholdCount": 1}}),
            "healthCheck.healthyThresholdCount",
        ),
    ] {
        let refused = create(&sim, kind, &config).await;
        assert_eq!((refused.status, field(&refused)), (400, member), "{kind} {config}");
    }
    assert!(sim.simulator.state().target_groups.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_update_changes_what_it_names_and_zero_resets() {
    let sim = Sim::instant();
    let id = sim.group("web").await;
    let update = |check: HealthCheckConfig| {
        let call = sim.client.update_target_group().target_group_identifier(&id).health_check(check).send();
        async { call.await.unwrap().config.unwrap().health_check.unwrap() }
    };
    sim.advance(5.0);
    let changed = update(
        HealthCheckConfig::builder()
            .path("/ready")
            .port(9090)
            .health_check_interval_seconds(10)
            .matcher(Matcher::HttpCode("200-299".to_owned()))
            .build(),
    )
    .await;
    assert_eq!((changed.path(), changed.port()), (Some("/ready"), Some(9090)));
    assert_eq!(changed.health_check_interval_seconds(), Some(10));
    assert_eq!(changed.matcher(), Some(&Matcher::HttpCode("200-299".to_owned())));
    assert_eq!(changed.healthy_threshold_count(), Some(5));
    let reset = HealthCheckConfig::builder()
        .path("")
        .port(0)
        .health_check_interval_seconds(0)
        .matcher(Matcher::HttpCode(String::new()));
    let reset = update(reset.build()).await;
    assert_eq!((reset.path(), reset.port()), (Some("/"), None));
    assert_eq!(reset.health_check_interval_seconds(), Some(30));
    assert_eq!(reset.matcher(), Some(&Matcher::HttpCode("200".to_owned())));
    let group = sim.client.get_target_group().target_group_identifier(&id).send().await.unwrap();
    assert!(group.last_updated_at() > group.created_at());
}

#[tokio::test(start_paused = true)]
async fn health_checks_of_lambda_and_alb_groups_cannot_be_updated() {
    let sim = Sim::with(&[("health.not_applicable_echo", "disabled")]);
    let created = create(&sim, "LAMBDA", &json!({})).await;
    assert_eq!(created.body["config"]["healthCheck"], json!({"enabled": false}));
    let path = format!("/targetgroups/{}", created.body["id"].as_str().unwrap());
    let refused = sim.raw("PATCH", &path, json!({"healthCheck": {"enabled": true}}).to_string()).await;
    assert_eq!((refused.status, field(&refused)), (400, "healthCheck"));
}

#[tokio::test(start_paused = true)]
async fn the_protocol_echoed_for_https_is_a_setting() {
    for protocol in ["HTTP", "HTTPS"] {
        let sim = Sim::with(&[("health.https_protocol_echo", protocol)]);
        let created =
            create(&sim, "IP", &json!({"protocol": "HTTPS", "vpcIdentifier": "vpc-12345678"})).await;
        assert_eq!(created.body["config"]["healthCheck"]["protocol"], protocol);
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_is_taken_until_the_group_is_gone() {
    let sim = Sim::with(&[("delay.target_group_delete", "2")]);
    let id = sim.group("web").await;
    let again = || async {
        let config = json!({"protocol": "HTTP", "vpcIdentifier": "vpc-12345678"});
        sim.raw("POST", "/targetgroups", json!({"name": "web", "type": "IP", "config": config}).to_string())
            .await
    };
    let refused = again().await;
    assert_eq!((refused.status, refused.body["resourceId"].as_str()), (409, Some(id.as_str())));
    sim.simulator.change_settings([("api.duplicate_name", "validation")]).unwrap();
    assert_eq!(field(&again().await), "name");
    sim.client.delete_target_group().target_group_identifier(&id).send().await.unwrap();
    assert_eq!(again().await.status, 400);
    sim.advance(2.0);
    assert_eq!(again().await.status, 201);
}

#[tokio::test(start_paused = true)]
async fn the_quota_of_groups_is_answered_with_402() {
    let sim = Sim::with(&[("quota.target_groups", "1"), ("api.quota_code", "L-1")]);
    sim.group("one").await;
    let config = json!({"protocol": "HTTP", "vpcIdentifier": "vpc-12345678"});
    let refused = create(&sim, "IP", &config).await;
    assert_eq!((refused.status, refused.error.as_deref()), (402, Some("ServiceQuotaExceededException")));
    assert_eq!(
        (&refused.body["quotaCode"], &refused.body["serviceCode"]),
        (&json!("L-1"), &json!("vpc-lattice"))
    );
}

#[tokio::test(start_paused = true)]
async fn creation_and_deletion_take_their_time() {
    let sim = Sim::with(&[("delay.target_group_create", "2"), ("delay.target_group_delete", "3")]);
    let id = sim.group("web").await;
    let status = || {
        let call = sim.client.get_target_group().target_group_identifier(&id).send();
        async { call.await.map(|group| group.status.unwrap()) }
    };
    let delete = || sim.client.delete_target_group().target_group_identifier(&id).send();
    let check = HealthCheckConfig::builder().enabled(false).build();
    let update =
        || sim.client.update_target_group().target_group_identifier(&id).health_check(check.clone()).send();
    assert_eq!(status().await.unwrap(), TargetGroupStatus::CreateInProgress);
    assert_eq!(code(delete().await), "ConflictException");
    assert_eq!(code(update().await), "ConflictException");
    sim.advance(2.0);
    assert_eq!(status().await.unwrap(), TargetGroupStatus::Active);
    update().await.unwrap();
    assert_eq!(delete().await.unwrap().status(), Some(&TargetGroupStatus::DeleteInProgress));
    // Repeating the deletion neither fails nor starts it over.
    sim.advance(2.0);
    assert_eq!(delete().await.unwrap().status(), Some(&TargetGroupStatus::DeleteInProgress));
    assert_eq!(status().await.unwrap(), TargetGroupStatus::DeleteInProgress);
    assert_eq!(code(update().await), "ConflictException");
    sim.advance(1.0);
    assert_eq!(code(status().await), "ResourceNotFoundException");
    assert_eq!(code(delete().await), "ResourceNotFoundException");
    assert_eq!(code(update().await), "ResourceNotFoundException");
    sim.simulator.change_settings([("api.delete_after_gone", "success")]).unwrap();
    assert_eq!(delete().await.unwrap().id(), Some(id.as_str()));
}

#[tokio::test(start_paused = true)]
async fn a_group_in_use_or_with_draining_targets_cannot_be_deleted() {
    let sim = Sim::instant();
    let (group, service, listener) = sim.used_group("web").await;
    sim.register(&group, &["10.0.0.1"]).await;
    let delete = || sim.client.delete_target_group().target_group_identifier(&group).send();
    let arns = |group: &str| {
        let call = sim.client.get_target_group().target_group_identifier(group).send();
        async { call.await.unwrap().service_arns.unwrap() }
    };
    assert_eq!(arns(&group).await, [format!("arn:aws:vpc-lattice:us-west-2:123456789012:service/{service}")]);
    assert_eq!(code(delete().await), "ConflictException");
    sim.deregister(&group, &["10.0.0.1"]).await;
    let update = sim.client.update_listener().service_identifier(&service).listener_identifier(&listener);
    update.default_action(fixed(404)).send().await.unwrap();
    assert!(arns(&group).await.is_empty());
    assert_eq!(code(delete().await), "ConflictException");
    sim.advance(60.0);
    delete().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn lists_filter_by_vpc_and_type() {
    let sim = Sim::instant();
    sim.group("web").await;
    create(&sim, "IP", &json!({"protocol": "HTTP", "vpcIdentifier": "vpc-87654321"})).await;
    create(&sim, "LAMBDA", &json!({})).await;
    let count = |query: &str| {
        let path = format!("/targetgroups?{query}");
        let sim = &sim;
        async move { sim.raw("GET", &path, "").await.body["items"].as_array().unwrap().len() }
    };
    assert_eq!(count("").await, 3);
    assert_eq!(count("vpcIdentifier=vpc-12345678").await, 1);
    assert_eq!(count("targetGroupType=IP").await, 2);
    assert_eq!(count("targetGroupType=IP&vpcIdentifier=vpc-87654321&unknown=1").await, 1);
    assert_eq!(count("targetGroupType=ALB").await, 0);
}
