//! Accepted, as a table: what is wrong, and what is said of it.

use lattice::{group::TargetGroupType, tags, target::IpFamily};
use tokio::time::Instant;

use super::*;
use crate::{
    groups::Groups,
    testing::{arn, binding, facts, service, site},
};

/// Everything that a verdict follows from, all of it well.
struct Given {
    site: Site,
    binding: TargetGroupBinding,
    group: Option<TargetGroupArn>,
    service: Option<Service>,
    read: Option<Result<Facts, Finding>>,
}

fn well() -> Given {
    Given {
        site: site(),
        binding: binding("web", 1, 0),
        group: Some(arn(1)),
        service: Some(service()),
        read: Some(Ok(facts(1))),
    }
}

fn judged(given: &Given) -> Verdict {
    let now = Instant::now();
    let mut groups = Groups::new(std::time::Duration::from_secs(300));
    let group = arn(1);
    if let Some(read) = given.read.clone() {
        groups.want(&[group.clone()].into(), now);
        groups.settle(&group, read, now, 0.5);
    }
    let case = Case {
        binding: &given.binding,
        service: given.service.as_ref(),
        group: given.group.as_ref(),
        view: groups.view(&group),
    };
    judge(&given.site, case)
}

fn with_facts(change: impl FnOnce(&mut Facts)) -> Given {
    let mut facts = facts(1);
    change(&mut facts);
    Given { read: Some(Ok(facts)), ..well() }
}

fn with_service(change: impl FnOnce(&mut Service)) -> Given {
    let mut service = service();
    change(&mut service);
    Given { service: Some(service), ..well() }
}

fn failed(obstacle: Obstacle) -> Finding {
    Finding::Failed {
        obstacle,
        message: "User: x is not authorized to perform vpc-lattice:GetTargetGroup".into(),
    }
}

/// Judges each, and compares reason and words.
fn check(cases: Vec<(Given, Option<bool>, Reason, &str)>) {
    for (given, accepted, reason, words) in cases {
        let verdict = judged(&given);
        assert_eq!((verdict.accepted, verdict.reason), (accepted, reason), "{}", verdict.message);
        assert!(verdict.message.contains(words), "{reason:?}: {:?} lacks {words:?}", verdict.message);
    }
}

#[tokio::test]
async fn what_is_known_of_the_group_decides_and_says_what_to_do() {
    let other = |text: &str| Given { group: Some(text.parse().unwrap()), ..well() };
    let cases: Vec<(Given, Option<bool>, Reason, &str)> = vec![
        (well(), Some(true), Reason::Accepted, "Pods of Service web are targets of group-1"),
        (
            with_facts(|facts| facts.group.services.clear()),
            Some(true),
            Reason::Accepted,
            "No service uses the group yet",
        ),
        (Given { group: None, ..well() }, Some(false), Reason::InvalidTargetGroup, "list-target-groups"),
        (
            other("arn:aws:vpc-lattice:us-west-2:999999999999:targetgroup/tg-0123456789abcdef0"),
            Some(false),
            Reason::OtherAccount,
            "share the service by RAM instead",
        ),
        (
            other("arn:aws:vpc-lattice:eu-west-1:123456789012:targetgroup/tg-0123456789abcdef0"),
            Some(false),
            Reason::OtherRegion,
            "create a group in us-west-2",
        ),
        (
            Given { read: Some(Err(Finding::Missing { message: "no such thing".into() })), ..well() },
            Some(false),
            Reason::TargetGroupNotFound,
            "AWS says: no such thing",
        ),
        (Given { read: None, ..well() }, None, Reason::Pending, "being read"),
        (
            Given { read: Some(Err(failed(Obstacle::Denied))), ..well() },
            None,
            Reason::AccessDenied,
            "vpc-lattice:GetTargetGroup",
        ),
        (
            Given { read: Some(Err(failed(Obstacle::Credentials))), ..well() },
            None,
            Reason::NoCredentials,
            "Pod Identity",
        ),
        (
            Given { read: Some(Err(failed(Obstacle::Unavailable))), ..well() },
            None,
            Reason::LatticeUnavailable,
            "tried again",
        ),
    ];
    check(cases);
}

#[tokio::test]
async fn each_group_that_does_not_suit_has_its_reason_and_says_what_to_do() {
    let cases: Vec<(Given, Option<bool>, Reason, &str)> = vec![
        (
            with_facts(|facts| facts.group.active = false),
            Some(false),
            Reason::TargetGroupNotActive,
            "looked at again",
        ),
        (
            with_facts(|facts| facts.group.kind = TargetGroupType::Lambda),
            Some(false),
            Reason::UnsupportedTargetGroupType,
            "type LAMBDA",
        ),
        (
            with_facts(|facts| facts.group.vpc = Some("vpc-other".into())),
            Some(false),
            Reason::OtherVpc,
            "vpc-other",
        ),
        (with_facts(|facts| facts.group.vpc = None), Some(false), Reason::OtherVpc, "no VPC"),
        (
            with_facts(|facts| facts.group.family = IpFamily::IPv6),
            Some(false),
            Reason::IpFamilyMismatch,
            "spec.ipFamily is IPv4",
        ),
        (
            with_facts(|facts| {
                facts.tags.insert(tags::MANAGED_BY.into(), "123456789012/demo/vpc-1".into());
            }),
            Some(false),
            Reason::ManagedByAnother,
            "without that tag",
        ),
        (
            with_facts(|facts| facts.tags.clear()),
            Some(false),
            Reason::NotGranted,
            "--tags 'lath.dev/cluster=demo,lath.dev/namespace=shop'",
        ),
        (
            with_facts(|facts| {
                facts.tags.insert(tags::CLUSTER.into(), "other".into());
            }),
            Some(false),
            Reason::NotGranted,
            "belongs to cluster other",
        ),
        (
            with_facts(|facts| {
                facts.tags.insert(tags::CLUSTER.into(), "other demo".into());
            }),
            Some(true),
            Reason::Accepted,
            "",
        ),
        (
            {
                let mut given = with_facts(|facts| {
                    facts.tags.insert(tags::CLUSTER.into(), "demo other".into());
                });
                given.binding.spec.ownership = Ownership::Exclusive;
                given
            },
            Some(false),
            Reason::Conflicted,
            "cluster other's as well",
        ),
        (
            with_facts(|facts| {
                facts.tags.insert(tags::NAMESPACE.into(), "shopping bar".into());
            }),
            Some(false),
            Reason::NotGranted,
            "lath.dev/namespace=shopping bar shop'",
        ),
        (
            with_facts(|facts| {
                facts.tags.insert(tags::NAMESPACE.into(), "bar shop".into());
            }),
            Some(true),
            Reason::Accepted,
            "",
        ),
    ];
    check(cases);
}

#[tokio::test]
async fn each_fault_of_a_service_has_its_reason_and_says_what_to_do() {
    let cases: Vec<(Given, Option<bool>, Reason, &str)> = vec![
        (
            Given { service: None, ..well() },
            Some(false),
            Reason::ServiceNotFound,
            "create it, or correct spec.service.name",
        ),
        (
            with_service(|service| service.external = true),
            Some(false),
            Reason::UnsupportedServiceType,
            "ExternalName",
        ),
        (
            with_service(|service| service.ports[0].port = 8080),
            Some(false),
            Reason::ServicePortNotFound,
            "one of 8080",
        ),
        (
            with_service(|service| service.ports[0].protocol = "UDP".into()),
            Some(false),
            Reason::UnsupportedProtocol,
            "TCP only",
        ),
        (
            with_service(|service| service.families = vec![IpFamily::IPv6]),
            Some(false),
            Reason::ServiceLacksIpFamily,
            "add IPv4 to its spec.ipFamilies",
        ),
        (
            with_service(|service| service.selector.clear()),
            Some(false),
            Reason::ManualEndpointsNotAllowed,
            "--allow-manual-endpoints",
        ),
    ];
    check(cases);
}

#[tokio::test]
async fn hand_made_slices_are_accepted_where_the_cluster_allows_them() {
    let mut given = with_service(|service| service.selector.clear());
    given.site.manual_endpoints = true;
    assert_eq!(judged(&given).reason, Reason::Accepted);
}

#[tokio::test]
async fn what_was_known_of_a_group_still_refuses_while_it_cant_be_read() {
    let now = Instant::now();
    let mut groups = Groups::new(std::time::Duration::from_secs(300));
    let group = arn(1);
    let binding = binding("web", 1, 0);
    let service = service();
    let mut untagged = facts(1);
    untagged.tags.clear();
    groups.want(&[group.clone()].into(), now);
    for (known, reason) in [(untagged, Reason::NotGranted), (facts(1), Reason::AccessDenied)] {
        groups.settle(&group, Ok(known), now, 0.5);
        groups.settle(&group, Err(failed(Obstacle::Denied)), now, 0.5);
        let case = Case {
            binding: &binding,
            service: Some(&service),
            group: Some(&group),
            view: groups.view(&group),
        };
        assert_eq!(judge(&site(), case).reason, reason);
    }
}

#[test]
fn of_two_bindings_that_exclude_each_other_the_younger_yields() {
    use Ownership::{Exclusive, Shared};
    for (older, younger, conflicted) in [
        (Shared, Shared, false),
        (Exclusive, Shared, true),
        (Shared, Exclusive, true),
        (Exclusive, Exclusive, true),
    ] {
        let mut first = binding("first", 1, 10);
        first.spec.ownership = older;
        let mut second = binding("second", 1, 20);
        second.spec.ownership = younger;
        assert_eq!(conflict(&first, [&second].into_iter()), None, "{older:?} before {younger:?}");
        let verdict = conflict(&second, [&first].into_iter());
        assert_eq!(verdict.is_some(), conflicted, "{older:?} before {younger:?}");
        if let Some(verdict) = verdict {
            assert_eq!(verdict.reason, Reason::Conflicted);
            assert!(verdict.message.contains("shop/first"), "{}", verdict.message);
        }
    }
}

#[test]
fn of_two_bindings_made_in_one_second_the_name_decides_for_both_sides_alike() {
    let mut first = binding("a", 1, 10);
    first.spec.ownership = Ownership::Exclusive;
    let second = binding("b", 1, 10);
    assert_eq!(conflict(&first, [&second].into_iter()), None);
    assert!(conflict(&second, [&first].into_iter()).is_some());
}
