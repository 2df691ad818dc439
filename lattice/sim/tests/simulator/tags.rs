//! Tags.

use std::collections::HashMap;

use serde_json::json;

use crate::harness::{Sim, code, field, fixed};

/// ARNs of a target group, a service, its listener and a rule of it.
async fn arns(sim: &Sim) -> [String; 4] {
    let group = sim.group("web").await;
    let service = sim.service("web").await;
    let listener = sim.listener(&service, "web", fixed(404)).await;
    let rule = sim.rule(&service, &listener, "web", 1, fixed(404)).await;
    let service = format!("service/{service}");
    let listener = format!("{service}/listener/{listener}");
    let rule = format!("{listener}/rule/{rule}");
    [format!("targetgroup/{group}"), service, listener, rule]
        .map(|path| format!("arn:aws:vpc-lattice:us-west-2:123456789012:{path}"))
}

async fn tags(sim: &Sim, arn: &str) -> HashMap<String, String> {
    let listed = sim.client.list_tags_for_resource().resource_arn(arn).send().await.unwrap();
    listed.tags.unwrap_or_default()
}

fn map(pairs: &[(&str, &str)]) -> HashMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[tokio::test(start_paused = true)]
async fn every_kind_of_resource_is_tagged_and_untagged() {
    let sim = Sim::instant();
    for arn in arns(&sim).await {
        assert_eq!(tags(&sim, &arn).await, map(&[]), "{arn}");
        let tag =
            |key: &str, value: &str| sim.client.tag_resource().resource_arn(&arn).tags(key, value).send();
        tag("lath.dev/cluster", "one").await.unwrap();
        tag("Größe", "a b").await.unwrap();
        tag("lath.dev/cluster", "two").await.unwrap();
        assert_eq!(tags(&sim, &arn).await, map(&[("lath.dev/cluster", "two"), ("Größe", "a b")]), "{arn}");
        let untag =
            sim.client.untag_resource().resource_arn(&arn).tag_keys("Größe").tag_keys("lath.dev/cluster");
        untag.tag_keys("absent").send().await.unwrap();
        assert_eq!(tags(&sim, &arn).await, map(&[]), "{arn}");
    }
}

#[tokio::test(start_paused = true)]
async fn tags_given_at_creation_are_there() {
    let sim = Sim::instant();
    let created = sim.client.create_service().name("web").tags("a", "").tags("b", "2").send().await.unwrap();
    assert_eq!(tags(&sim, created.arn().unwrap()).await, map(&[("a", ""), ("b", "2")]));
    assert_eq!(sim.simulator.state().services[0].tags.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn keys_and_values_are_checked() {
    let sim = Sim::instant();
    let [arn, ..] = arns(&sim).await;
    let path = format!("/tags/{}", arn.replace(':', "%3A").replace('/', "%2F"));
    for (tags, at) in [
        (json!({"aws:mine": "x"}), "tags.aws:mine"),
        (json!({"AWS:mine": "x"}), "tags.AWS:mine"),
        (json!({"a": "b#"}), "tags.a"),
        (json!({"a{": "b"}), "tags.a{"),
    ] {
        let refused = sim.raw("POST", &path, json!({"tags": tags}).to_string()).await;
        assert_eq!((refused.status, field(&refused)), (400, at));
    }
    let many = |from: usize| {
        let tags: serde_json::Map<_, _> = (from..from + 150).map(|n| (format!("k{n}"), json!("v"))).collect();
        json!({"tags": tags}).to_string()
    };
    assert_eq!(sim.raw("POST", &path, many(0)).await.status, 200);
    assert_eq!(sim.raw("POST", &path, many(0)).await.status, 200);
    assert_eq!(field(&sim.raw("POST", &path, many(100)).await), "tags");
    assert_eq!(tags(&sim, &arn).await.len(), 150);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_has_no_tags() {
    let sim = Sim::instant();
    let service = sim.service("web").await;
    for path in [
        "targetgroup/tg-0123456789abcdef0".to_owned(),
        "service/svc-0123456789abcdef0".to_owned(),
        format!("service/{service}/listener/listener-0123456789abcdef0"),
        format!("service/{service}/listener/listener-0123456789abcdef0/rule/rule-0123456789abcdef0"),
        "something/else".to_owned(),
    ] {
        let arn = format!("arn:aws:vpc-lattice:us-west-2:123456789012:{path}");
        let list = sim.client.list_tags_for_resource().resource_arn(&arn).send().await;
        assert_eq!(code(list), "ResourceNotFoundException", "{arn}");
        let tag = sim.client.tag_resource().resource_arn(&arn).tags("a", "b").send().await;
        assert_eq!(code(tag), "ResourceNotFoundException", "{arn}");
        let untag = sim.client.untag_resource().resource_arn(&arn).tag_keys("a").send().await;
        assert_eq!(code(untag), "ResourceNotFoundException", "{arn}");
    }
    let elsewhere = format!("arn:aws:vpc-lattice:eu-west-1:123456789012:service/{service}");
    let list = sim.client.list_tags_for_resource().resource_arn(elsewhere).send().await;
    assert_eq!(code(list), "ResourceNotFoundException");
}
