//! Listeners.

use aws_sdk_vpclattice::types::{ListenerProtocol, RuleAction};
use serde_json::{Value, json};

use crate::harness::{Raw, Sim, code, field, fixed, forward};

async fn create(sim: &Sim, service: &str, body: Value) -> Raw {
    sim.raw("POST", &format!("/services/{service}/listeners"), body.to_string()).await
}

fn not_found() -> Value {
    json!({"fixedResponse": {"statusCode": 404}})
}

#[tokio::test(start_paused = true)]
async fn a_listener_is_created_read_listed_updated_and_deleted() {
    let sim = Sim::instant();
    let (group, service, listener) = sim.used_group("web").await;
    let get = || sim.client.get_listener().service_identifier(&service).listener_identifier(&listener).send();
    let read = get().await.unwrap();
    assert_eq!((read.port(), read.protocol()), (Some(80), Some(&ListenerProtocol::Http)));
    assert_eq!(read.service_id(), Some(service.as_str()));
    let RuleAction::Forward(action) = read.default_action().unwrap() else { panic!("{read:?}") };
    assert_eq!(action.target_groups()[0].target_group_identifier(), group);
    assert_eq!(action.target_groups()[0].weight(), Some(100));
    let by_arn = sim.client.get_listener().service_identifier(read.service_arn().unwrap());
    let by_arn = by_arn.listener_identifier(read.arn().unwrap()).send().await.unwrap();
    assert_eq!(by_arn.id(), Some(listener.as_str()));
    let listed = sim.client.list_listeners().service_identifier(&service).send().await.unwrap();
    assert_eq!(listed.items()[0].arn(), read.arn());

    sim.advance(1.0);
    let update = sim.client.update_listener().service_identifier(&service).listener_identifier(&listener);
    let updated = update.default_action(fixed(500)).send().await.unwrap();
    assert_eq!(updated.default_action(), Some(&fixed(500)));
    let read = get().await.unwrap();
    assert_eq!(read.default_action(), Some(&fixed(500)));
    assert!(read.last_updated_at() > read.created_at());

    let delete =
        || sim.client.delete_listener().service_identifier(&service).listener_identifier(&listener).send();
    delete().await.unwrap();
    assert_eq!(code(get().await), "ResourceNotFoundException");
    assert_eq!(code(delete().await), "ResourceNotFoundException");
    let update = sim.client.update_listener().service_identifier(&service).listener_identifier(&listener);
    assert_eq!(code(update.default_action(fixed(404)).send().await), "ResourceNotFoundException");
    sim.simulator.change_settings([("api.delete_after_gone", "success")]).unwrap();
    delete().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn deleting_a_listener_frees_its_groups() {
    let sim = Sim::instant();
    let (group, service, listener) = sim.used_group("web").await;
    sim.client
        .delete_listener()
        .service_identifier(&service)
        .listener_identifier(&listener)
        .send()
        .await
        .unwrap();
    sim.client.delete_target_group().target_group_identifier(&group).send().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn ports_follow_the_protocol_unless_they_are_required() {
    let sim = Sim::with(&[("quota.listeners_per_service", "9")]);
    let service = sim.service("web").await;
    for (protocol, port) in [("HTTP", 80), ("HTTPS", 443)] {
        let name = format!("l-{port}");
        let created =
            create(&sim, &service, json!({"name": name, "protocol": protocol, "defaultAction": not_found()}))
                .await;
        assert_eq!(created.body["port"], port);
    }
    sim.simulator.change_settings([("listener.default_port", "required")]).unwrap();
    let body = json!({"name": "more", "protocol": "HTTP", "defaultAction": not_found()});
    assert_eq!(field(&create(&sim, &service, body).await), "port");
}

#[tokio::test(start_paused = true)]
async fn names_ports_and_quota_are_kept() {
    let sim = Sim::instant();
    let service = sim.service("web").await;
    let body = |name: &str, port: u16| json!({"name": name, "protocol": "HTTP", "port": port, "defaultAction": not_found()});
    assert_eq!(create(&sim, &service, body("one", 80)).await.status, 201);
    assert_eq!(create(&sim, &service, body("one", 81)).await.status, 409);
    assert_eq!(create(&sim, &service, body("two", 80)).await.status, 409);
    let changes = [("api.duplicate_name", "validation"), ("api.duplicate_port", "validation")];
    sim.simulator.change_settings(changes).unwrap();
    assert_eq!(field(&create(&sim, &service, body("one", 81)).await), "name");
    assert_eq!(field(&create(&sim, &service, body("two", 80)).await), "port");
    assert_eq!(create(&sim, &service, body("two", 81)).await.status, 201);
    assert_eq!(create(&sim, &service, body("three", 82)).await.status, 402);
    // Another service has room of its own.
    let other = sim.service("other").await;
    assert_eq!(create(&sim, &other, body("one", 80)).await.status, 201);
}

#[tokio::test(start_paused = true)]
async fn tls_passthrough_needs_a_custom_domain_and_a_tcp_group() {
    let sim = Sim::instant();
    let tcp = json!({"name": "tcp", "type": "IP",
        "config": {"protocol": "TCP", "port": 5432, "vpcIdentifier": "vpc-12345678"}});
    let tcp = sim.raw("POST", "/targetgroups", tcp.to_string()).await.body["id"].as_str().unwrap().to_owned();
    let http = sim.group("web").await;
    let plain = sim.service("plain").await;
    let named =
        sim.client.create_service().name("named").custom_domain_name("a.example.com").send().await.unwrap();
    let named = named.id().unwrap();
    let body = |protocol: &str, group: &str| {
        json!({"name": "tls", "protocol": protocol,
            "defaultAction": {"forward": {"targetGroups": [{"targetGroupIdentifier": group}]}}})
    };
    let at = "defaultAction.forward.targetGroups[0].targetGroupIdentifier";
    assert_eq!(field(&create(&sim, &plain, body("TLS_PASSTHROUGH", &tcp)).await), "protocol");
    assert_eq!(field(&create(&sim, named, body("TLS_PASSTHROUGH", &http)).await), at);
    assert_eq!(field(&create(&sim, named, body("HTTP", &tcp)).await), at);
    let fixed = json!({"name": "tls", "protocol": "TLS_PASSTHROUGH", "defaultAction": not_found()});
    assert_eq!(field(&create(&sim, named, fixed).await), "defaultAction.fixedResponse");
    let created = create(&sim, named, body("TLS_PASSTHROUGH", &tcp)).await;
    assert_eq!((created.status, &created.body["port"]), (201, &json!(443)));
    let rule = json!({"name": "more", "priority": 1, "match": {"httpMatch": {"method": "GET"}},
        "action": {"forward": {"targetGroups": [{"targetGroupIdentifier": tcp}]}}});
    let path = format!("/services/{named}/listeners/{}/rules", created.body["id"].as_str().unwrap());
    let refused = sim.raw("POST", &path, rule.to_string()).await;
    assert_eq!((refused.status, &refused.body["reason"]), (400, &json!("other")));
}

#[tokio::test(start_paused = true)]
async fn only_404_and_500_are_fixed_responses_unless_so_set() {
    let sim = Sim::instant();
    let service = sim.service("web").await;
    let body =
        json!({"name": "web", "protocol": "HTTP", "defaultAction": {"fixedResponse": {"statusCode": 200}}});
    let refused = create(&sim, &service, body.clone()).await;
    assert_eq!(field(&refused), "defaultAction.fixedResponse.statusCode");
    sim.simulator.change_settings([("api.unsupported_fixed_status", "accepted")]).unwrap();
    assert_eq!(create(&sim, &service, body).await.status, 201);
}

#[tokio::test(start_paused = true)]
async fn a_group_serves_one_service_only() {
    let sim = Sim::instant();
    let (group, ..) = sim.used_group("web").await;
    let other = sim.service("other").await;
    let call =
        sim.client.create_listener().service_identifier(&other).name("web").protocol(ListenerProtocol::Http);
    assert_eq!(code(call.default_action(forward(&[&group])).send().await), "ConflictException");
    let call =
        sim.client.create_listener().service_identifier(&other).name("web").protocol(ListenerProtocol::Http);
    let absent = call.default_action(forward(&["tg-0123456789abcdef0"])).send().await;
    assert_eq!(code(absent), "ResourceNotFoundException");
    assert!(sim.simulator.state().services[1].listeners.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_service_in_creation_takes_listeners_or_not() {
    for (way, status) in [("allowed", 201), ("conflict", 409)] {
        let sim = Sim::with(&[("delay.service_create", "5"), ("service.children_while_creating", way)]);
        let service = sim.service("web").await;
        let body = json!({"name": "web", "protocol": "HTTP", "defaultAction": not_found()});
        assert_eq!(create(&sim, &service, body).await.status, status, "{way}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_group_that_is_being_deleted_takes_no_rule() {
    let sim = Sim::with(&[("delay.target_group_delete", "5")]);
    let group = sim.group("web").await;
    let service = sim.service("web").await;
    sim.client.delete_target_group().target_group_identifier(&group).send().await.unwrap();
    let call = sim
        .client
        .create_listener()
        .service_identifier(&service)
        .name("web")
        .protocol(ListenerProtocol::Http);
    assert_eq!(code(call.default_action(forward(&[&group])).send().await), "ConflictException");
}
