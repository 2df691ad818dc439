//! Rules.

use aws_sdk_vpclattice::operation::batch_update_rule::BatchUpdateRuleOutput;
use aws_sdk_vpclattice::types::{RuleAction, RuleUpdate, WeightedTargetGroup};
use serde_json::{Value, json};

use crate::harness::{Sim, code, field, fixed, forward, prefix};

/// A service with a listener that answers 404, and the path of its rules.
async fn listener(sim: &Sim) -> (String, String, String) {
    let service = sim.service("web").await;
    let listener = sim.listener(&service, "web", fixed(404)).await;
    let path = format!("/services/{service}/listeners/{listener}/rules");
    (service, listener, path)
}

fn rule(name: &str, priority: u16) -> Value {
    json!({"name": name, "priority": priority, "match": {"httpMatch": {"method": "GET"}},
        "action": {"fixedResponse": {"statusCode": 404}}})
}

#[tokio::test(start_paused = true)]
async fn a_rule_is_created_read_updated_and_deleted() {
    let sim = Sim::instant();
    let (service, listener, _) = listener(&sim).await;
    let group = sim.group("api").await;
    let id = sim.rule(&service, &listener, "api", 10, forward(&[&group])).await;
    let get = || {
        let call = sim.client.get_rule().service_identifier(&service).listener_identifier(&listener);
        call.rule_identifier(&id).send()
    };
    let read = get().await.unwrap();
    assert_eq!((read.name(), read.priority(), read.is_default()), (Some("api"), Some(10), Some(false)));
    let expected = format!("/listener/{listener}/rule/{id}");
    assert!(read.arn().unwrap().ends_with(&expected));
    let by_arn = sim.client.get_rule().service_identifier(&service).listener_identifier(&listener);
    let by_arn = by_arn.rule_identifier(read.arn().unwrap()).send().await.unwrap();
    assert_eq!(by_arn.id(), Some(id.as_str()));

    sim.advance(1.0);
    let update = sim.client.update_rule().service_identifier(&service).listener_identifier(&listener);
    let updated = update.rule_identifier(&id).priority(20).action(fixed(500)).send().await.unwrap();
    assert_eq!((updated.priority(), updated.action()), (Some(20), Some(&fixed(500))));
    let read = get().await.unwrap();
    assert!(read.last_updated_at() > read.created_at() && read.r#match().is_some());
    // The group is free again.
    sim.client.delete_target_group().target_group_identifier(&group).send().await.unwrap();

    let delete = || {
        let call = sim.client.delete_rule().service_identifier(&service).listener_identifier(&listener);
        call.rule_identifier(&id).send()
    };
    delete().await.unwrap();
    assert_eq!(code(get().await), "ResourceNotFoundException");
    assert_eq!(code(delete().await), "ResourceNotFoundException");
    let update = sim.client.update_rule().service_identifier(&service).listener_identifier(&listener);
    assert_eq!(code(update.rule_identifier(&id).priority(1).send().await), "ResourceNotFoundException");
    sim.simulator.change_settings([("api.delete_after_gone", "success")]).unwrap();
    delete().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn matches_are_echoed_with_their_defaults() {
    let sim = Sim::instant();
    let (_, _, path) = listener(&sim).await;
    let mut body = rule("api", 1);
    body["match"] = json!({"httpMatch": {
        "pathMatch": {"match": {"exact": "/a"}},
        "headerMatches": [{"name": "x", "match": {"contains": "y"}}, {"name": "z", "match": {"exact": "1"}, "caseSensitive": true}],
        "unknown": 1,
    }});
    let created = sim.raw("POST", &path, body.to_string()).await;
    assert_eq!(
        created.body["match"],
        json!({"httpMatch": {
            "pathMatch": {"match": {"exact": "/a"}, "caseSensitive": true},
            "headerMatches": [
                {"name": "x", "match": {"contains": "y"}, "caseSensitive": false},
                {"name": "z", "match": {"exact": "1"}, "caseSensitive": true},
            ],
        }})
    );
}

#[tokio::test(start_paused = true)]
async fn rules_are_listed_by_priority_and_the_default_rule_last() {
    let sim = Sim::instant();
    let (_, _, path) = listener(&sim).await;
    for (name, priority) in [("ccc", 30), ("aaa", 10), ("bbb", 20)] {
        assert_eq!(sim.raw("POST", &path, rule(name, priority).to_string()).await.status, 201);
    }
    let listed = sim.raw("GET", &path, "").await;
    let names = |listed: &Value| {
        listed["items"].as_array().unwrap().iter().map(|rule| rule["name"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(&listed.body), ["aaa", "bbb", "ccc", "default"]);
    assert_eq!(
        (&listed.body["items"][3]["isDefault"], &listed.body["items"][3]["priority"]),
        (&json!(true), &Value::Null)
    );
    let first = sim.raw("GET", &format!("{path}?maxResults=3"), "").await;
    let second = format!("{path}?maxResults=3&nextToken={}", first.body["nextToken"].as_str().unwrap());
    assert_eq!(names(&sim.raw("GET", &second, "").await.body), ["default"]);
}

#[tokio::test(start_paused = true)]
async fn the_default_rule_can_neither_be_deleted_nor_updated() {
    for (shape, name) in [("named", Some("default")), ("nameless", None)] {
        let sim = Sim::with(&[("rule.default_rule_shape", shape)]);
        let (service, listener, path) = listener(&sim).await;
        let listed = sim.client.list_rules().service_identifier(&service).listener_identifier(&listener);
        let default = listed.send().await.unwrap().items.remove(0);
        assert_eq!((default.name(), default.is_default()), (name, Some(true)));
        let id = default.id().unwrap();
        let refused = sim.raw("DELETE", &format!("{path}/{id}"), "").await;
        assert_eq!((refused.status, &refused.body["reason"]), (400, &json!("other")));
        let refused = sim.raw("PATCH", &format!("{path}/{id}"), json!({"priority": 1}).to_string()).await;
        assert_eq!(refused.status, 400);
        let read = sim.raw("GET", &format!("{path}/{id}"), "").await;
        assert_eq!(read.body["action"], json!({"fixedResponse": {"statusCode": 404}}));
    }
}

#[tokio::test(start_paused = true)]
async fn names_priorities_and_quotas_are_kept() {
    let sim = Sim::with(&[("quota.rules_per_listener", "2"), ("quota.target_groups_per_service", "1")]);
    let (service, listener, path) = listener(&sim).await;
    let post = |body: Value| {
        let (sim, path) = (&sim, &path);
        async move { sim.raw("POST", path, body.to_string()).await }
    };
    assert_eq!(post(rule("one", 1)).await.status, 201);
    assert_eq!(post(rule("one", 2)).await.status, 409);
    assert_eq!(post(rule("two", 1)).await.status, 409);
    let changes = [("api.duplicate_name", "validation"), ("api.duplicate_priority", "validation")];
    sim.simulator.change_settings(changes).unwrap();
    assert_eq!(field(&post(rule("one", 2)).await), "name");
    assert_eq!(field(&post(rule("two", 1)).await), "priority");
    assert_eq!(post(rule("two", 2)).await.status, 201);
    assert_eq!(post(rule("three", 3)).await.status, 402);
    sim.simulator.change_settings([("quota.rules_per_listener", "9")]).unwrap();
    let (a, b) = (sim.group("aaa").await, sim.group("bbb").await);
    let create = |groups: Vec<&str>| {
        let call = sim.client.create_rule().service_identifier(&service).listener_identifier(&listener);
        call.name("three").priority(3).r#match(prefix("/")).action(forward(&groups)).send()
    };
    assert_eq!(code(create(vec![&a, &b]).await), "ServiceQuotaExceededException");
    let id = create(vec![&a]).await.unwrap().id.unwrap();
    // What an update replaces makes room.
    let update = |groups: Vec<&str>| {
        let call = sim.client.update_rule().service_identifier(&service).listener_identifier(&listener);
        call.rule_identifier(&id).action(forward(&groups)).send()
    };
    update(vec![&b]).await.unwrap();
    assert_eq!(code(update(vec![&a, &b]).await), "ServiceQuotaExceededException");
    let update = sim.client.update_listener().service_identifier(&service).listener_identifier(&listener);
    assert_eq!(code(update.default_action(forward(&[&a])).send().await), "ServiceQuotaExceededException");
}

#[tokio::test(start_paused = true)]
async fn weights_are_echoed_and_default_by_setting() {
    let sim = Sim::with(&[("rule.weight_echo", "1")]);
    let (service, listener, _) = listener(&sim).await;
    let (a, b) = (sim.group("aaa").await, sim.group("bbb").await);
    let weighted = WeightedTargetGroup::builder().target_group_identifier(&b).weight(7).build().unwrap();
    let RuleAction::Forward(mut action) = forward(&[&a]) else { unreachable!() };
    action.target_groups.push(weighted);
    let call = sim.client.create_rule().service_identifier(&service).listener_identifier(&listener);
    let call = call.name("api").priority(1).r#match(prefix("/")).action(RuleAction::Forward(action));
    let created = call.send().await.unwrap();
    let RuleAction::Forward(echoed) = created.action().unwrap() else { panic!("{created:?}") };
    let weights: Vec<_> = echoed.target_groups().iter().map(|group| group.weight().unwrap()).collect();
    assert_eq!(weights, [1, 7]);
    let twice = sim.client.create_rule().service_identifier(&service).listener_identifier(&listener);
    let twice = twice.name("twice").priority(2).r#match(prefix("/")).action(forward(&[&a, &a]));
    assert_eq!(code(twice.send().await), "ValidationException");
}

async fn batch(sim: &Sim, service: &str, listener: &str, updates: &[(&str, i32)]) -> BatchUpdateRuleOutput {
    let rules = updates
        .iter()
        .map(|(rule, priority)| {
            RuleUpdate::builder().rule_identifier(*rule).priority(*priority).build().unwrap()
        })
        .collect();
    let call = sim.client.batch_update_rule().service_identifier(service).listener_identifier(listener);
    call.set_rules(Some(rules)).send().await.unwrap()
}

async fn priorities(sim: &Sim, service: &str, listener: &str) -> Vec<(String, i32)> {
    let call = sim.client.list_rules().service_identifier(service).listener_identifier(listener);
    let items = call.send().await.unwrap().items;
    items.into_iter().filter_map(|rule| Some((rule.name?, rule.priority?))).collect()
}

#[tokio::test(start_paused = true)]
async fn a_batch_swaps_priorities_and_is_all_or_nothing() {
    let sim = Sim::instant();
    let (service, listener, _) = listener(&sim).await;
    let one = sim.rule(&service, &listener, "one", 1, fixed(404)).await;
    let two = sim.rule(&service, &listener, "two", 2, fixed(404)).await;
    let done = batch(&sim, &service, &listener, &[(&one, 2), (&two, 1)]).await;
    assert_eq!((done.successful().len(), done.unsuccessful().len()), (2, 0));
    assert_eq!(priorities(&sim, &service, &listener).await, [("two".to_owned(), 1), ("one".to_owned(), 2)]);
    for (updates, codes) in [
        (vec![(one.as_str(), 3), ("rule-0123456789abcdef0", 4)], ["NotApplied", "ResourceNotFoundException"]),
        (vec![(one.as_str(), 7), (two.as_str(), 7)], ["NotApplied", "ConflictException"]),
        (vec![(one.as_str(), 7), (one.as_str(), 8)], ["NotApplied", "ValidationException"]),
    ] {
        let done = batch(&sim, &service, &listener, &updates).await;
        let failed: Vec<_> =
            done.unsuccessful().iter().map(|failure| failure.failure_code().unwrap()).collect();
        assert_eq!((done.successful().len(), failed), (0, codes.to_vec()));
        assert_eq!(
            priorities(&sim, &service, &listener).await,
            [("two".to_owned(), 1), ("one".to_owned(), 2)]
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_may_be_made_one_by_one() {
    let sim = Sim::with(&[("api.batch_rule_failure", "each")]);
    let (service, listener, _) = listener(&sim).await;
    let one = sim.rule(&service, &listener, "one", 1, fixed(404)).await;
    let two = sim.rule(&service, &listener, "two", 2, fixed(404)).await;
    let done = batch(&sim, &service, &listener, &[(&one, 2), (&two, 3), (&one, 2)]).await;
    assert_eq!((done.successful().len(), done.unsuccessful().len()), (2, 1));
    assert_eq!(priorities(&sim, &service, &listener).await, [("one".to_owned(), 2), ("two".to_owned(), 3)]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_on_an_absent_listener_finds_nothing() {
    let sim = Sim::instant();
    let service = sim.service("web").await;
    let update = RuleUpdate::builder().rule_identifier("rule-0123456789abcdef0").build().unwrap();
    let call = sim.client.batch_update_rule().service_identifier(&service);
    let call = call.listener_identifier("listener-0123456789abcdef0").rules(update);
    assert_eq!(code(call.send().await), "ResourceNotFoundException");
}

#[tokio::test(start_paused = true)]
async fn a_group_kept_by_an_update_is_never_unused_in_between() {
    let sim = Sim::with(&[("health.first_check_delay", "20")]);
    let (service, listener, _) = listener(&sim).await;
    let (a, b) = (sim.group("aaa").await, sim.group("bbb").await);
    let id = sim.rule(&service, &listener, "api", 1, forward(&[&a])).await;
    sim.register(&a, &["10.0.0.1"]).await;
    sim.advance(20.0);
    let update = sim.client.update_rule().service_identifier(&service).listener_identifier(&listener);
    update.rule_identifier(&id).action(forward(&[&a, &b])).send().await.unwrap();
    assert_eq!(sim.state(&a).await, aws_sdk_vpclattice::types::TargetStatus::Healthy);
}
