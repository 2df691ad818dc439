//! Services, listeners, rules and target groups.

use lattice::{
    Tags, TargetGroupArn,
    declared::GroupForm,
    observed::{PlacedRule, Status},
    rule::{Action, Comparison, HeaderMatch, Match, PathMatch, Rule},
    service::{GroupProtocol, HealthCheck, HttpVersion, ListenerProtocol},
    target::IpFamily,
};
use lattice_client::{NewGroup, NewListener, NewService, RuleChange, Urgency};

use crate::{VPC, connect, connect_with, forward, group, listener, named, service, tags};

const LOOK: Urgency = Urgency::Observe;

#[tokio::test(start_paused = true)]
async fn a_service_is_listed_and_read_as_it_was_made_and_changed_until_it_is_gone() {
    let (_, client) = connect().await;
    let certificate = "arn:aws:acm:us-west-2:123456789012:certificate/0123";
    let new = NewService {
        name: "checkout",
        custom_domain: Some("shop.example.com"),
        certificate: Some(certificate),
        auth: true,
        tags: &tags(&[("lath.dev/owner", "HTTPRoute/shop/checkout")]),
    };
    let made = client.create_service(&new, "token").await.unwrap();
    assert_eq!((made.name.as_str(), &made.status), ("checkout", &Status::Active));
    assert_eq!(made.custom_domain.as_deref(), Some("shop.example.com"));
    assert_eq!((made.certificate.as_deref(), made.auth), (Some(certificate), true));
    assert!(made.dns_name.is_some());
    assert_eq!(client.service(&made.id, LOOK).await.unwrap(), made);
    assert_eq!(client.tags(&made.arn, LOOK).await.unwrap(), *new.tags);

    let [listed] = &client.services(LOOK).await.unwrap()[..] else { panic!("there is one service") };
    assert_eq!((&listed.id, &listed.arn, &listed.name), (&made.id, &made.arn, &made.name));
    assert_eq!((&listed.dns_name, &listed.custom_domain), (&made.dns_name, &made.custom_domain));

    let other = "arn:aws:acm:us-west-2:123456789012:certificate/4567";
    client.update_service(&made.id, Some(other), None).await.unwrap();
    client.update_service(&made.id, None, Some(false)).await.unwrap();
    let changed = client.service(&made.id, LOOK).await.unwrap();
    assert_eq!((changed.certificate.as_deref(), changed.auth), (Some(other), false));

    client.delete_service(&made.id).await.unwrap();
    assert_eq!(client.service(&made.id, LOOK).await.unwrap_err().label(), "missing");
}

#[tokio::test(start_paused = true)]
async fn what_takes_its_time_shows_how_far_it_is() {
    let (simulator, client) =
        connect_with(&[("delay.service_create", "5"), ("delay.service_delete", "5")]).await;
    let made = service(&client, "slow").await;
    assert_eq!(made.status, Status::Creating);
    tokio::time::sleep(std::time::Duration::from_secs(6)).await;
    assert_eq!(client.service(&made.id, LOOK).await.unwrap().status, Status::Active);
    assert_eq!(client.delete_service(&made.id).await.unwrap(), Status::Deleting);
    assert_eq!(client.services(LOOK).await.unwrap()[0].status, Status::Deleting);
    drop(simulator);
}

#[tokio::test(start_paused = true)]
async fn all_pages_of_a_listing_are_read() {
    let (_, client) = connect().await;
    for number in 0..101 {
        client
            .create_service(&named(&format!("web{number}"), &Tags::new()), &format!("{number}"))
            .await
            .unwrap();
    }
    assert_eq!(client.services(LOOK).await.unwrap().len(), 101);
    assert_eq!(client.metrics().count(lattice_client::Operation::ListServices, "ok"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_listener_is_listed_and_read_as_it_was_made_and_changed_until_it_is_gone() {
    let (_, client) = connect().await;
    let service = service(&client, "web").await;
    let (blue, green) = (group(&client, "blue").await.arn, group(&client, "green").await.arn);
    let default = forward(&[(&green, 0), (&blue, 90)]);
    let marks = tags(&[("lath.dev/cluster", "demo")]);
    let new = NewListener {
        name: "https",
        protocol: ListenerProtocol::Https,
        port: 8443,
        default: &default,
        tags: &marks,
    };
    let made = client.create_listener(&service.id, &new, "token").await.unwrap();
    assert_eq!((made.name.as_str(), made.port), ("https", 8443));
    assert_eq!(made.protocol, Some(ListenerProtocol::Https));
    assert_eq!(made.default.as_ref(), Some(&default));
    assert_eq!(client.listener(&service.id, &made.id, LOOK).await.unwrap(), made);
    assert_eq!(client.tags(&made.arn, LOOK).await.unwrap(), marks);
    let [listed] = &client.listeners(&service.id, LOOK).await.unwrap()[..] else {
        panic!("there is one listener")
    };
    assert_eq!((&listed.id, &listed.name, listed.port), (&made.id, &made.name, 8443));
    assert_eq!((&listed.arn, listed.protocol), (&made.arn, made.protocol));

    client.update_listener(&service.id, &made.id, &Action::Fixed(500)).await.unwrap();
    let changed = client.listener(&service.id, &made.id, LOOK).await.unwrap();
    assert_eq!(changed.default, Some(Action::Fixed(500)));
    client.delete_listener(&service.id, &made.id).await.unwrap();
    assert_eq!(client.listeners(&service.id, LOOK).await.unwrap(), []);
}

fn header(name: &str, comparison: Comparison, value: &str) -> HeaderMatch {
    HeaderMatch { name: name.into(), comparison, value: value.into() }
}

/// Rules with all that a match may have.
fn rules(group: &TargetGroupArn, other: &TargetGroupArn) -> Vec<Rule<TargetGroupArn>> {
    let exact = Match { path: Some(PathMatch::Exact("/a".into())), ..Match::default() };
    let prefix = Match {
        method: Some("GET".into()),
        path: Some(PathMatch::Prefix("/b".into())),
        headers: vec![
            header("x-tenant", Comparison::Exact, "Red"),
            header("x-tenant", Comparison::Contains, "e"),
            header("x-version", Comparison::Prefix, "v2"),
        ],
    };
    let method = Match { method: Some("POST".into()), ..Match::default() };
    vec![
        Rule { matching: exact, action: Action::Fixed(404) },
        Rule { matching: prefix, action: forward(&[(other, 1), (group, 999)]) },
        Rule { matching: method, action: forward(&[(group, 0)]) },
        Rule { matching: Match::default(), action: forward(&[(group, 100)]) },
    ]
}

#[tokio::test(start_paused = true)]
async fn a_rule_of_each_kind_is_read_as_it_was_made_until_it_is_gone() {
    let (_, client) = connect().await;
    let service = service(&client, "web").await;
    let listener = listener(&client, &service).await;
    let (blue, green) = (group(&client, "blue").await.arn, group(&client, "green").await.arn);
    for (priority, rule) in (1..).zip(rules(&blue, &green)) {
        let name = format!("rule{priority}");
        let make = || client.create_rule(&service.id, &listener.id, &name, priority, &rule, &name);
        let id = make().await.unwrap();
        assert_eq!(make().await.unwrap(), id, "the same token makes no second one");
        let read = client.rule(&service.id, &listener.id, &id, LOOK).await.unwrap();
        assert_eq!(read, PlacedRule { name, priority, rule: Some(rule) });
    }
    let listed = client.rules(&service.id, &listener.id, LOOK).await.unwrap();
    let places: Vec<_> = listed.iter().map(|rule| (rule.priority, rule.is_default)).collect();
    let wanted = [(Some(1), false), (Some(2), false), (Some(3), false), (Some(4), false), (None, true)];
    assert_eq!(places, wanted);

    client.delete_rule(&service.id, &listener.id, &listed[0].id).await.unwrap();
    let error = client.rule(&service.id, &listener.id, &listed[0].id, LOOK).await.unwrap_err();
    assert_eq!(error.label(), "missing");
}

#[tokio::test(start_paused = true)]
async fn rules_change_all_at_once_and_each_one_tells_how_it_went() {
    for (mode, done) in [("atomic", 0), ("each", 1)] {
        let (_, client) = connect_with(&[("api.batch_rule_failure", mode)]).await;
        let service = service(&client, "web").await;
        let listener = listener(&client, &service).await;
        let (blue, green) = (group(&client, "blue").await.arn, group(&client, "green").await.arn);
        let rules = rules(&blue, &green);
        let mut changes = Vec::new();
        for (priority, rule) in (1..).zip(&rules[..2]) {
            let name = format!("rule{priority}");
            let id =
                client.create_rule(&service.id, &listener.id, &name, priority, rule, &name).await.unwrap();
            changes.push(RuleChange { id, priority: priority + 10, rule: rules[3].clone() });
        }
        let outcome = client.update_rules(&service.id, &listener.id, &changes).await.unwrap();
        assert_eq!(outcome.done, [changes[0].id.clone(), changes[1].id.clone()], "{mode}");
        assert_eq!(outcome.failed, [], "{mode}");
        let read = client.rule(&service.id, &listener.id, &changes[1].id, LOOK).await.unwrap();
        assert_eq!((read.priority, read.rule), (12, Some(rules[3].clone())), "{mode}");

        changes[1].id = "rule-00000000000000000".into();
        let outcome = client.update_rules(&service.id, &listener.id, &changes).await.unwrap();
        assert_eq!((outcome.done.len(), outcome.failed.len()), (done, 2 - done), "{mode}");
        let failure = outcome.failed.iter().find(|failure| failure.id == changes[1].id).unwrap();
        assert_eq!(failure.code, "ResourceNotFoundException", "{mode}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_group_is_listed_and_read_as_it_was_made_and_changed_until_it_is_gone() {
    let (_, client) = connect().await;
    for (number, protocol) in (1..).zip([
        GroupProtocol::Http(HttpVersion::Http1),
        GroupProtocol::Http(HttpVersion::Http2),
        GroupProtocol::Https(HttpVersion::Grpc),
        GroupProtocol::Https(HttpVersion::Http1),
        GroupProtocol::Tcp,
    ]) {
        let (name, marks) = (format!("web{number}"), tags(&[("lath.dev/cluster", "demo")]));
        let plain = HealthCheck::default();
        let new = NewGroup {
            name: &name,
            form: GroupForm::Ip { protocol, family: IpFamily::IPv6 },
            port: 8080,
            vpc: VPC,
            health_check: &plain,
            tags: &marks,
        };
        let made = client.create_group(&new, &name).await.unwrap();
        assert_eq!((made.name.as_str(), &made.status), (name.as_str(), &Status::Active));
        assert_eq!((made.protocol, made.family, made.port), (Some(protocol), IpFamily::IPv6, Some(8080)));
        assert_eq!(made.health_check, plain.filled(protocol), "{protocol:?}");
        assert_eq!(client.group(&made.arn, LOOK).await.unwrap(), made);
        assert_eq!(client.tags(made.arn.as_str(), LOOK).await.unwrap(), marks);

        let own = HealthCheck {
            enabled: Some(true),
            interval: Some(7),
            timeout: Some(3),
            healthy_threshold: Some(4),
            unhealthy_threshold: Some(6),
            path: Some("/ready".into()),
            port: Some(9090),
            tls: Some(true),
            version: Some(HttpVersion::Http2),
            statuses: Some("200-299".into()),
        };
        // What is no longer said becomes the default again.
        let some = HealthCheck { interval: Some(60), ..HealthCheck::default() };
        for check in [&own, &some, &plain] {
            client.update_group(&made.arn, protocol, check).await.unwrap();
            let read = client.group(&made.arn, LOOK).await.unwrap();
            assert_eq!(read.health_check, check.filled(protocol), "{protocol:?}");
        }
    }
    let listed = client.groups(Some(VPC), LOOK).await.unwrap();
    assert_eq!((listed.len(), listed[0].name.as_str()), (5, "web1"));
    assert_eq!(client.groups(Some("vpc-00000000000000000"), LOOK).await.unwrap(), []);
    assert_eq!(client.groups(None, LOOK).await.unwrap(), listed);
    client.delete_group(&listed[0].arn).await.unwrap();
    assert_eq!(client.group(&listed[0].arn, LOOK).await.unwrap_err().label(), "missing");
}

#[tokio::test(start_paused = true)]
async fn a_group_names_the_services_that_use_it() {
    let (_, client) = connect().await;
    let service = service(&client, "web").await;
    let listener = listener(&client, &service).await;
    let group = group(&client, "blue").await;
    client.update_listener(&service.id, &listener.id, &forward(&[(&group.arn, 1)])).await.unwrap();
    assert_eq!(client.group(&group.arn, LOOK).await.unwrap().services, std::slice::from_ref(&service.arn));
    assert_eq!(client.groups(None, LOOK).await.unwrap()[0].services, [service.arn]);
}
