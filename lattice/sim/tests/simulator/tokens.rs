//! Idempotency tokens.

use aws_sdk_vpclattice::types::ListenerProtocol;
use serde_json::json;

use crate::harness::{Sim, code, fixed, forward, prefix};

#[tokio::test(start_paused = true)]
async fn the_same_token_and_parameters_give_the_same_resource() {
    let sim = Sim::instant();
    let service = || sim.client.create_service().name("web").client_token("t").send();
    let first = service().await.unwrap();
    let id = first.id().unwrap();
    assert_eq!(service().await.unwrap().id(), Some(id));

    let config = json!({"protocol": "HTTP", "vpcIdentifier": "vpc-12345678"});
    let body = json!({"name": "web", "type": "IP", "config": config, "clientToken": "t"}).to_string();
    let group = sim.raw("POST", "/targetgroups", body.clone()).await;
    let again = sim.raw("POST", "/targetgroups", body).await;
    assert_eq!((again.status, &again.body["id"]), (201, &group.body["id"]));

    let listener = || {
        let call =
            sim.client.create_listener().service_identifier(id).name("web").protocol(ListenerProtocol::Http);
        call.default_action(fixed(404)).client_token("t").send()
    };
    let first = listener().await.unwrap();
    assert_eq!(listener().await.unwrap().id(), first.id());
    let rule = || {
        let call = sim.client.create_rule().service_identifier(id).listener_identifier(first.id().unwrap());
        call.name("web").priority(1).r#match(prefix("/")).action(fixed(404)).client_token("t").send()
    };
    assert_eq!(rule().await.unwrap().id(), rule().await.unwrap().id());
    let state = sim.simulator.state();
    assert_eq!((state.services.len(), state.target_groups.len()), (1, 1));
    assert_eq!(state.services[0].listeners[0].rules.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_same_token_with_other_parameters_is_refused() {
    for (way, expected) in [("conflict", "ConflictException"), ("validation", "ValidationException")] {
        let sim = Sim::with(&[("api.token_mismatch", way)]);
        let create = |name: &str| sim.client.create_service().name(name).client_token("t").send();
        create("one").await.unwrap();
        assert_eq!(code(create("two").await), expected);
        assert_eq!(sim.simulator.state().services.len(), 1);
        // The service is a parameter of its listeners.
        let other = sim.service("other").await;
        let one = sim.simulator.state().services[0].id.clone();
        let listener = |service: &str| {
            let call = sim.client.create_listener().service_identifier(service).name("web").client_token("t");
            call.protocol(ListenerProtocol::Http).default_action(fixed(404)).send()
        };
        listener(&one).await.unwrap();
        assert_eq!(code(listener(&other).await), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_are_forgotten_after_their_time() {
    let sim = Sim::with(&[("api.token_ttl_seconds", "60")]);
    let create = |name: &str| sim.client.create_service().name(name).client_token("t").send();
    let one = create("one").await.unwrap().id.unwrap();
    sim.advance(59.0);
    assert_eq!(create("one").await.unwrap().id.unwrap(), one);
    sim.advance(1.0);
    // The name is taken; the token no longer says by whom.
    assert_eq!(code(create("one").await), "ConflictException");
    create("two").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_token_whose_resource_is_gone_creates_anew_or_conflicts() {
    for (way, created) in [("create", true), ("conflict", false)] {
        let sim = Sim::with(&[("api.token_after_delete", way)]);
        let create = || sim.client.create_service().name("one").client_token("t").send();
        let id = create().await.unwrap().id.unwrap();
        sim.client.delete_service().service_identifier(&id).send().await.unwrap();
        let again = create().await;
        if created {
            assert_ne!(again.unwrap().id.unwrap(), id);
        } else {
            assert_eq!(code(again), "ConflictException");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_belong_to_account_and_operation() {
    let sim = Sim::with(&[("accounts", "2")]);
    let (group, service, listener) = sim.used_group("web").await;
    sim.client.create_service().name("one").client_token("t").send().await.unwrap();
    sim.stranger().create_service().name("two").client_token("t").send().await.unwrap();
    let rule = sim.client.create_rule().service_identifier(&service).listener_identifier(&listener);
    let rule = rule.name("one").priority(1).r#match(prefix("/")).action(forward(&[&group])).client_token("t");
    rule.send().await.unwrap();
}
