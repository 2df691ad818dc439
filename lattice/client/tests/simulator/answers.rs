//! Answers that the simulator never gives: with members absent, unknown words, and codes of other services.

use lattice::{
    observed::{Attempt, Status},
    rule::{Action, Comparison, HeaderMatch, Match, PathMatch, Weighted},
    service::{GroupProtocol, HealthCheck, HttpVersion},
};
use lattice_client::{Client, ServiceAssociationsOf, Transport, Urgency, VpcAssociationsOf};
use serde_json::{Value, json};

const LOOK: Urgency = Urgency::Observe;
const SERVICE: &str = "arn:aws:vpc-lattice:us-west-2:123456789012:service/svc-0123456789abcdef0";
const GROUP: &str = "arn:aws:vpc-lattice:us-west-2:123456789012:targetgroup/tg-0123456789abcdef0";

/// A client whose every call is answered alike.
async fn answered(status: u16, body: Value) -> Client {
    let transport = Transport::new(move |_| {
        let body = body.to_string().into_bytes();
        async move { http::Response::builder().status(status).body(body).unwrap() }
    });
    crate::client(transport).await
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_what_is_needed_is_no_answer() {
    for body in
        [json!({}), json!({ "items": [{}], "ResourceTagMappingList": [{}], "CertificateSummaryList": [{}] })]
    {
        let client = answered(200, body.clone()).await;
        let service = "svc-0123456789abcdef0".into();
        let (listener, rule) = ("listener-0123456789abcdef0".into(), "rule-0123456789abcdef0".into());
        let lists = body != json!({});
        for (failed, fails) in [
            (client.services(LOOK).await.map(drop), lists),
            (client.listeners(&service, LOOK).await.map(drop), lists),
            (client.rules(&service, &listener, LOOK).await.map(drop), lists),
            (client.groups(None, LOOK).await.map(drop), lists),
            (client.networks(LOOK).await.map(drop), lists),
            (client.access_logs(SERVICE, LOOK).await.map(drop), lists),
            (client.vpc_associations(VpcAssociationsOf::Vpc("vpc-1"), LOOK).await.map(drop), lists),
            (
                client.service_associations(ServiceAssociationsOf::Service(&service), LOOK).await.map(drop),
                lists,
            ),
            (client.tagged(&["vpc-lattice:service"], "key", None, LOOK).await.map(drop), lists),
            (client.certificates(LOOK).await.map(drop), lists),
            (client.service(&service, LOOK).await.map(drop), true),
            (client.listener(&service, &listener, LOOK).await.map(drop), true),
            (client.rule(&service, &listener, &rule, LOOK).await.map(drop), true),
            (client.service_association(&"snsa-1".into(), LOOK).await.map(drop), true),
            (client.vpc_association(&"snva-1".into(), LOOK).await.map(drop), true),
            (client.create_network("shop", false, &[].into(), "token").await.map(drop), true),
            (client.associate_service(&service, "sn-1", &[].into(), "token").await.map(drop), true),
            (
                client
                    .create_access_log(SERVICE, "arn:aws:s3:::access-logs", &[].into(), "t")
                    .await
                    .map(drop),
                true,
            ),
            // Nothing of these is needed.
            (client.group(&GROUP.parse().unwrap(), LOOK).await.map(drop), false),
            (client.delete_service(&service).await.map(drop), false),
            (client.auth_policy(SERVICE, LOOK).await.map(drop), false),
            (client.tags(SERVICE, LOOK).await.map(drop), false),
        ] {
            match failed {
                Ok(()) => assert!(!fails, "{body}"),
                Err(error) => {
                    assert!(fails && error.may_have_applied(), "{body}: {error:?}");
                    assert!(error.chain().contains("the answer lacks"), "{}", error.chain());
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn statuses_are_told_apart_and_unknown_ones_are_kept() {
    let failed = |what| Status::Failed { what, message: "Code: words".into() };
    for (word, status) in [
        (json!("CREATE_IN_PROGRESS"), Status::Creating),
        (json!("ACTIVE"), Status::Active),
        (json!("UPDATE_IN_PROGRESS"), Status::Updating),
        (json!("DELETE_IN_PROGRESS"), Status::Deleting),
        (json!("CREATE_FAILED"), failed(Attempt::Create)),
        (json!("UPDATE_FAILED"), failed(Attempt::Update)),
        (json!("DELETE_FAILED"), failed(Attempt::Delete)),
        (json!("ASLEEP"), Status::Unknown("ASLEEP".into())),
        (Value::Null, Status::Unknown("absent".into())),
    ] {
        let body = json!({
            "id": "svc-0123456789abcdef0", "arn": SERVICE, "status": word,
            "failureCode": "Code", "failureMessage": "words"
        });
        let service = answered(200, body).await.service(&"svc-0123456789abcdef0".into(), LOOK).await.unwrap();
        assert_eq!(service.status, status);
    }
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_cannot_be_expressed_is_read_without_what_it_says() {
    let fixed = json!({ "fixedResponse": { "statusCode": 404 } });
    let path = |path: Value| json!({ "httpMatch": { "pathMatch": path } });
    let header = |header: Value| json!({ "httpMatch": { "headerMatches": [header] } });
    let shares = |groups: Value| json!({ "forward": { "targetGroups": groups } });
    let of_path = |path| Match { path: Some(path), ..Match::default() };
    let (exact, prefix) = (of_path(PathMatch::Exact("/a".into())), of_path(PathMatch::Prefix("/a".into())));
    let named = HeaderMatch { name: "x-a".into(), comparison: Comparison::Exact, value: "b".into() };
    let weighted = |weight| Some(Action::Forward(vec![Weighted { group: GROUP.parse().unwrap(), weight }]));
    let every = || Some(Match::default());
    let not_found = || Some(Action::Fixed(404));
    for (given, action, matching, wanted) in [
        (json!({ "httpMatch": {} }), fixed.clone(), every(), not_found()),
        (Value::Null, fixed.clone(), every(), not_found()),
        (json!({ "grpcMatch": {} }), fixed.clone(), None, not_found()),
        // Paths go by case unless they say otherwise, headers do not.
        (path(json!({ "match": { "exact": "/a" } })), fixed.clone(), Some(exact), not_found()),
        (
            path(json!({ "match": { "prefix": "/a" }, "caseSensitive": true })),
            fixed.clone(),
            Some(prefix),
            not_found(),
        ),
        (path(json!({ "match": { "exact": "/a" }, "caseSensitive": false })), fixed.clone(), None, None),
        (path(json!({ "match": { "regex": "/a" } })), fixed.clone(), None, None),
        (path(json!({})), fixed.clone(), None, None),
        (
            header(json!({ "name": "X-A", "match": { "exact": "b" }, "caseSensitive": true })),
            fixed.clone(),
            Some(Match { headers: vec![named], ..Match::default() }),
            not_found(),
        ),
        (header(json!({ "name": "x-a", "match": { "exact": "b" } })), fixed.clone(), None, None),
        (
            header(json!({ "name": "x-a", "match": { "suffix": "b" }, "caseSensitive": true })),
            fixed.clone(),
            None,
            None,
        ),
        // Groups by id or ARN, with and without a weight.
        (
            Value::Null,
            shares(json!([{ "targetGroupIdentifier": "tg-0123456789abcdef0" }])),
            every(),
            weighted(100),
        ),
        (Value::Null, shares(json!([{ "targetGroupIdentifier": GROUP, "weight": 0 }])), every(), weighted(0)),
        (Value::Null, shares(json!([{ "targetGroupIdentifier": "tg-1" }])), None, None),
        (Value::Null, shares(json!([{ "targetGroupIdentifier": GROUP, "weight": 70_000 }])), None, None),
        (Value::Null, shares(json!([{ "weight": 1 }])), None, None),
        (
            Value::Null,
            shares(json!([
                { "targetGroupIdentifier": GROUP, "weight": 1 },
                { "targetGroupIdentifier": "tg-0123456789abcdef0", "weight": 2 }
            ])),
            None,
            None,
        ),
        (Value::Null, shares(json!([])), None, None),
        (Value::Null, json!({ "redirect": {} }), None, None),
        (Value::Null, Value::Null, None, None),
    ] {
        let body = json!({
            "arn": format!("{SERVICE}/listener/listener-0123456789abcdef0/rule/rule-0123456789abcdef0"),
            "priority": 7, "match": given, "action": action
        });
        let client = answered(200, body.clone()).await;
        let read = client.rule(&"svc-1".into(), &"listener-1".into(), &"rule-1".into(), LOOK).await.unwrap();
        assert_eq!(read.priority, 7);
        let wanted = matching.zip(wanted);
        assert_eq!(read.rule.map(|rule| (rule.matching, rule.action)), wanted, "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_listener_of_an_unknown_kind_is_read_without_it() {
    let body = json!({
        "id": "listener-0123456789abcdef0", "arn": format!("{SERVICE}/listener/listener-0123456789abcdef0"),
        "port": 443, "protocol": "QUIC", "defaultAction": { "redirect": {} }
    });
    let client = answered(200, body).await;
    let read = client.listener(&"svc-1".into(), &"listener-1".into(), LOOK).await.unwrap();
    assert_eq!((read.port, read.protocol, read.default), (443, None, None));
}

#[tokio::test(start_paused = true)]
async fn a_group_of_an_unknown_kind_is_read_without_it_and_defaults_are_filled_in() {
    let http = GroupProtocol::Http(HttpVersion::Http1);
    let filled = HealthCheck::default().filled(http);
    let off = HealthCheck { enabled: Some(false), ..HealthCheck::default() };
    for (config, protocol, check) in [
        (json!({}), None, off.clone()),
        (json!({ "protocol": "QUIC", "healthCheck": {} }), None, off.clone()),
        (json!({ "protocol": "HTTP", "protocolVersion": "HTTP3", "healthCheck": {} }), None, off),
        (json!({ "protocol": "HTTP", "healthCheck": {} }), Some(http), filled.clone()),
        (
            json!({ "protocol": "HTTP", "protocolVersion": "HTTP1", "healthCheck": {
                "healthCheckIntervalSeconds": 0, "port": 0, "path": "", "matcher": { "httpCode": "" }
            } }),
            Some(http),
            filled,
        ),
    ] {
        let client = answered(200, json!({ "arn": GROUP, "config": config.clone() })).await;
        let read = client.group(&GROUP.parse().unwrap(), LOOK).await.unwrap();
        assert_eq!((read.protocol, read.health_check), (protocol, check), "{config}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_a_batch_does_not_mention_has_failed() {
    let client = answered(200, json!({ "successful": [{ "name": "web" }] })).await;
    let rule = lattice::rule::Rule { matching: Match::default(), action: Action::Fixed(404) };
    let change = lattice_client::RuleChange { id: "rule-1".into(), priority: 1, rule };
    let outcome = client.update_rules(&"svc-1".into(), &"listener-1".into(), &[change]).await.unwrap();
    assert_eq!((outcome.done.len(), outcome.failed[0].code.as_str()), (0, "Unmentioned"));
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_never_ends_is_given_up() {
    let client = answered(200, json!({ "items": [], "nextToken": "again" })).await;
    let error = client.services(LOOK).await.unwrap_err();
    assert_eq!(error.label(), "refused");
}

#[tokio::test(start_paused = true)]
async fn codes_of_the_neighbours_are_sorted_too() {
    for (code, status, label) in [
        ("ThrottledException", 400, "throttled"),
        ("ThrottlingException", 400, "throttled"),
        ("TooManyRequestsException", 400, "throttled"),
        ("AccessDeniedException", 400, "denied"),
        ("UnrecognizedClientException", 400, "credentials"),
        ("MissingAuthenticationTokenException", 400, "credentials"),
        ("InternalServiceException", 500, "unanswered"),
        ("PaginationTokenExpiredException", 400, "conflict"),
        ("InvalidParameterException", 400, "refused"),
    ] {
        let client = answered(status, json!({ "__type": code, "message": "words" })).await;
        let tagged = client.tagged(&["vpc-lattice:service"], "key", None, LOOK).await.unwrap_err();
        let certificates = client.certificates(LOOK).await.unwrap_err();
        assert_eq!((tagged.label(), certificates.label()), (label, label), "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_certificate_of_many_names_is_asked_for_the_rest() {
    let transport = Transport::new(|request| async move {
        let target = request.headers()["x-amz-target"].to_str().unwrap().to_owned();
        let asked: Value = serde_json::from_slice(request.body()).unwrap();
        let body = match target.as_str() {
            "CertificateManager.ListCertificates" => {
                assert_eq!(asked["CertificateStatuses"], json!(["ISSUED"]));
                let types = asked["Includes"]["keyTypes"].as_array().unwrap();
                assert!(types.contains(&json!("EC_prime256v1")) && types.contains(&json!("RSA_2048")));
                json!({ "CertificateSummaryList": [
                    { "CertificateArn": "one", "DomainName": "one.example.com" },
                    { "CertificateArn": "many", "SubjectAlternativeNameSummaries": ["a"],
                      "HasAdditionalSubjectAlternativeNames": true },
                    { "CertificateArn": "gone", "HasAdditionalSubjectAlternativeNames": true },
                ] })
            }
            _ if asked["CertificateArn"] == "gone" => {
                let body = json!({ "__type": "ResourceNotFoundException", "message": "gone" });
                return http::Response::builder().status(400).body(body.to_string().into_bytes()).unwrap();
            }
            _ => json!({ "Certificate": { "SubjectAlternativeNames": ["a", "b"] } }),
        };
        http::Response::new(body.to_string().into_bytes())
    });
    let found = crate::client(transport).await.certificates(LOOK).await.unwrap();
    let found: Vec<_> = found.iter().map(|found| (found.arn.as_str(), found.domains.join(" "))).collect();
    assert_eq!(found, [("one", "one.example.com".to_owned()), ("many", "a b".to_owned())]);
}
