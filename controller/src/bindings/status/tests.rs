//! Status: what changes it, and what must not.

use std::time::Duration;

use super::*;
use crate::{bindings::judge::Reason, testing::facts};

fn verdict(accepted: Option<bool>, reason: Reason) -> Verdict {
    Verdict { accepted, reason, message: "because".into() }
}

fn findings<'a>(verdict: &'a Verdict, group: Option<&'a TargetGroup>) -> Findings<'a> {
    Findings {
        generation: Some(2),
        verdict,
        policy: ReadinessPolicy::Auto,
        group,
        tally: Tally::default(),
        counts: None,
        refused: &[],
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

#[test]
fn equal_findings_leave_the_status_as_it_is_and_only_a_change_moves_its_time() {
    let yes = verdict(Some(true), Reason::Accepted);
    let no = verdict(Some(false), Reason::NotGranted);
    let first = compose(&TargetGroupBindingStatus::default(), &findings(&yes, None), at(1));
    assert_eq!(first.conditions[0].status, "True");
    assert_eq!(first.conditions[0].observed_generation, Some(2));
    assert_eq!(compose(&first, &findings(&yes, None), at(2)), first);
    let refused = compose(&first, &findings(&no, None), at(3));
    assert_eq!(refused.conditions[0].status, "False");
    assert_eq!(refused.conditions[0].last_transition_time.0, at(3));
}

#[test]
fn what_cant_be_told_leaves_the_word_of_the_same_generation_standing() {
    let yes = verdict(Some(true), Reason::Accepted);
    let unsure = verdict(None, Reason::AccessDenied);
    let accepted = compose(&TargetGroupBindingStatus::default(), &findings(&yes, None), at(1));
    let later = compose(&accepted, &findings(&unsure, None), at(2));
    assert_eq!(
        (later.conditions[0].status.as_str(), later.conditions[0].reason.as_str()),
        ("True", "AccessDenied")
    );
    assert_eq!(later.conditions[0].last_transition_time.0, at(1));

    let never_judged = compose(&TargetGroupBindingStatus::default(), &findings(&unsure, None), at(1));
    assert_eq!(never_judged.conditions[0].status, "Unknown");
    let mut next_generation = findings(&unsure, None);
    next_generation.generation = Some(3);
    assert_eq!(compose(&accepted, &next_generation, at(2)).conditions[0].status, "Unknown");
}

#[test]
fn auto_comes_down_to_what_the_groups_health_checks_are() {
    let yes = verdict(Some(true), Reason::Accepted);
    let checked = facts(1).group;
    let unchecked = TargetGroup { health_check_interval: None, ..checked.clone() };
    let before = TargetGroupBindingStatus {
        readiness_policy: Some(EffectivePolicy::Pod),
        ..TargetGroupBindingStatus::default()
    };
    for (policy, group, effective) in [
        (ReadinessPolicy::Auto, Some(&checked), EffectivePolicy::HealthCheck),
        (ReadinessPolicy::Auto, Some(&unchecked), EffectivePolicy::Pod),
        (ReadinessPolicy::Auto, None, EffectivePolicy::Pod),
        (ReadinessPolicy::Pod, Some(&checked), EffectivePolicy::Pod),
        (ReadinessPolicy::HealthCheck, Some(&unchecked), EffectivePolicy::HealthCheck),
    ] {
        let mut findings = findings(&yes, group);
        findings.policy = policy;
        let status = compose(&before, &findings, at(1));
        assert_eq!(status.readiness_policy, Some(effective), "{policy:?} {group:?}");
    }
}

#[test]
fn refused_endpoints_are_named_up_to_a_bound_and_the_condition_goes_with_them() {
    let yes = verdict(Some(true), Reason::Accepted);
    let refused: Vec<String> = (0..12).map(|n| format!("10.0.0.{n}:80 is wrong")).collect();
    let mut given = findings(&yes, None);
    given.refused = &refused;
    let status = compose(&TargetGroupBindingStatus::default(), &given, at(1));
    assert_eq!(status.conditions[1].type_, ENDPOINTS_REFUSED);
    assert!(status.conditions[1].message.ends_with("; and 2 more"), "{}", status.conditions[1].message);
    assert_eq!(compose(&status, &findings(&yes, None), at(2)).conditions.len(), 1);
}

#[test]
fn numbers_can_wait_and_a_low_ready_share_cannot() {
    let yes = verdict(Some(true), Reason::Accepted);
    let before = compose(&TargetGroupBindingStatus::default(), &findings(&yes, None), at(1));
    let mut given = findings(&yes, None);
    given.counts = Some(TargetCounts { total: 3, ..TargetCounts::default() });
    let numbers = compose(&before, &given, at(2));
    assert_ne!(numbers, before);
    assert_eq!(without_numbers(numbers, &before), before);
    given.tally = Tally { live: 3, ready: 1, ..Tally::default() };
    let low = without_numbers(compose(&before, &given, at(2)), &before);
    assert!(low.ready_share_low && low != before);
}

#[test]
fn the_patch_names_the_uid_and_clears_what_is_no_longer_so() {
    let yes = verdict(Some(true), Reason::Accepted);
    let group = facts(1).group;
    assert_eq!(group.health_check_interval, Some(Duration::from_secs(30)));
    let status = compose(&TargetGroupBindingStatus::default(), &findings(&yes, Some(&group)), at(1));
    let patch = patch("uid-1", &status);
    assert_eq!(patch["metadata"]["uid"], "uid-1");
    assert_eq!(patch["status"]["readinessPolicy"], "HealthCheck");
    let status = patch["status"].as_object().unwrap();
    assert!(status["readyShareLow"].is_null() && status["targets"].is_null());
    assert!(!status.contains_key("endpoints"), "these belong to another writer");
}
