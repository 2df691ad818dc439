//! What statuses say of how far VPC Lattice is.

use std::collections::{BTreeMap, BTreeSet};

use lath_kubernetes::{gateway::ParentReference, names::GATEWAY_CONTROLLER};
use lattice::resource::{ResourceKey, ResourceKind};

use super::*;
use crate::gateway::{
    engine::progress::ServiceFacts,
    translate::{ParentVerdict, Publication},
};

const OWNER: &str = "HTTPRoute/shop/web";

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn verdict(accepted: bool) -> RouteVerdict {
    let accepted = if accepted {
        Verdict::yes(Reason::Accepted, "well")
    } else {
        Verdict::no(Reason::UnsupportedValue, "spec.rules[0].filters")
    };
    let parent = ParentReference { name: "mesh".into(), ..ParentReference::default() };
    let resolved = Verdict::yes(Reason::ResolvedRefs, "well");
    RouteVerdict {
        parents: vec![ParentVerdict { parent, controller: GATEWAY_CONTROLLER.into(), accepted, resolved }],
        owners: BTreeSet::from([OWNER.to_owned()]),
        ..RouteVerdict::default()
    }
}

fn progress(service: Option<ServiceProgress>) -> Progress {
    let services = service.into_iter().map(|service| (OWNER.to_owned(), service));
    Progress { loaded: true, services: services.collect(), ..Progress::default() }
}

fn service(done: bool) -> ServiceProgress {
    let facts = ServiceFacts {
        id: "svc-0123456789abcdef0".into(),
        arn: "arn".into(),
        name: "web-shop".into(),
        dns_name: Some("web-shop.example.com".into()),
        custom_domain: None,
    };
    ServiceProgress { service: Some(facts), done, waits: Vec::new(), troubles: Vec::new(), since: second(5) }
}

fn trouble(kind: &'static str) -> Trouble {
    Trouble {
        doing: "making the service".into(),
        kind,
        message: "CreateService is not allowed".into(),
        since: second(7),
        needs_operator: kind == "denied",
        rules: BTreeSet::new(),
    }
}

/// Status, reason and message of the condition Programmed.
fn programmed(status: &RouteStatus) -> (String, String, String) {
    let conditions = &status.parents[0].conditions;
    let found = conditions.iter().find(|condition| condition.type_ == PROGRAMMED).unwrap();
    (found.status.clone(), found.reason.clone(), found.message.clone())
}

fn made(current: &RouteStatus, verdict: &RouteVerdict, progress: &Progress, generation: i64) -> RouteStatus {
    let moment = Moment { generation: Some(generation), now: second(100) };
    route(current, verdict, (progress, &Notes::new()), &[GATEWAY_CONTROLLER], moment)
}

#[test]
fn a_routes_status_says_what_is_waited_for_and_what_is_in_the_way() {
    let waiting = ServiceProgress { waits: vec![Wait::Network("mesh".into())], ..service(false) };
    let denied = ServiceProgress { troubles: vec![trouble("denied")], ..service(false) };
    let full = ServiceProgress { troubles: vec![trouble("full")], ..service(false) };
    for (what, progress, status, reason, said) in [
        ("it is there", progress(Some(service(true))), "True", "Programmed", "web-shop.example.com"),
        ("it is being made", progress(Some(service(false))), "False", "Pending", "being made"),
        (
            "its network is missing",
            progress(Some(waiting)),
            "False",
            "Pending",
            "1970-01-01T00:00:05Z, waiting for the",
        ),
        (
            "a right is missing",
            progress(Some(denied)),
            "False",
            "AccessDenied",
            "CreateService is not allowed",
        ),
        ("a quota is reached", progress(Some(full)), "False", "QuotaExceeded", "it is tried again"),
        ("nothing is known", Progress::default(), "False", "Pending", BEING_READ),
    ] {
        let made = made(&RouteStatus::default(), &verdict(true), &progress, 1);
        let (is, why, message) = programmed(&made);
        assert_eq!((is.as_str(), why.as_str()), (status, reason), "{what}: {message}");
        assert!(message.contains(said), "{what}: {message}");
    }
}

#[test]
fn a_route_is_programmed_whatever_cloud_map_does() {
    let mut verdict = verdict(true);
    let key = ResourceKey { kind: ResourceKind::Directory, owner: "CloudMap/apps.internal/www".into() };
    verdict.published = vec![Publication::As(key, "www.apps.internal".into())];
    let well = Progress { read: true, ..progress(Some(service(true))) };
    let before = made(&RouteStatus::default(), &verdict, &well, 1);
    let (is, reason, message) = programmed(&before);
    assert_eq!((is.as_str(), reason.as_str()), ("True", "Programmed"));
    assert_eq!(
        message,
        "VPC Lattice serves it as web-shop (web-shop.example.com). It is being published in Cloud Map as www.apps.internal"
    );
    // Until it is known what there is, that stays.
    assert_eq!(made(&before, &verdict, &progress(Some(service(true))), 1), before);
}

#[test]
fn a_start_changes_no_status() {
    let before = made(&RouteStatus::default(), &verdict(true), &progress(Some(service(true))), 1);
    let unread = ServiceProgress { service: None, ..service(false) };
    for progress in
        [Progress::default(), progress(None), progress(Some(unread)), progress(Some(service(true)))]
    {
        assert_eq!(made(&before, &verdict(true), &progress, 1), before);
    }
    // What was said is of another generation.
    let after = made(&before, &verdict(true), &Progress::default(), 2);
    assert_eq!(programmed(&after).1, "Pending");
}

#[test]
fn a_refused_route_is_not_programmed_whatever_goes_on() {
    let status = made(&RouteStatus::default(), &verdict(false), &progress(Some(service(true))), 1);
    let (is, reason, message) = programmed(&status);
    assert_eq!((is.as_str(), reason.as_str()), ("False", "NotAccepted"));
    assert!(message.contains("spec.rules[0].filters"), "{message}");
}

#[test]
fn what_other_controllers_say_stays() {
    let other =
        RouteParentStatus { controller_name: "example.com/other".into(), ..RouteParentStatus::default() };
    let current = RouteStatus { parents: vec![other.clone()] };
    let with_ours = made(&current, &verdict(true), &progress(None), 1);
    assert_eq!(with_ours.parents.len(), 2);
    assert_eq!(with_ours.parents[0], other);
    let nothing = RouteVerdict::default();
    assert_eq!(made(&with_ours, &nothing, &progress(None), 1), current);
}

#[test]
fn a_gateways_addresses_outlast_a_start() {
    let verdict = GatewayVerdict {
        network: "mesh".into(),
        accepted: Verdict::yes(Reason::Accepted, "well"),
        clash: None,
        listeners: Vec::new(),
        owners: BTreeSet::from([OWNER.to_owned()]),
        resources: BTreeSet::new(),
    };
    let network = NetworkProgress { found: true, arn: Some("arn".into()), ..NetworkProgress::default() };
    let networks = BTreeMap::from([("mesh".to_owned(), network)]);
    let known = Progress { networks, ..progress(Some(service(true))) };
    let moment = Moment { generation: Some(1), now: second(100) };
    let before = gateway(&GatewayStatus::default(), &verdict, &known, moment);
    assert_eq!(before.addresses[0].value, "web-shop.example.com");
    assert_eq!(gateway(&before, &verdict, &Progress::default(), moment), before);

    let lacking = gateway(
        &before,
        &verdict,
        &Progress { networks: BTreeMap::from([("mesh".to_owned(), NetworkProgress::default())]), ..known },
        moment,
    );
    let found = lacking.conditions.iter().find(|condition| condition.type_ == "Programmed").unwrap();
    assert_eq!((found.status.as_str(), found.reason.as_str()), ("False", "Pending"));
    assert!(found.message.contains("serviceNetwork.create"), "{}", found.message);
}
