//! When groups are read, and what is remembered of them.

use lattice_client::Operation;

use super::*;
use crate::testing::{arn, facts};

const REFRESH: Duration = Duration::from_secs(300);

fn groups(now: Instant) -> Groups {
    let mut groups = Groups::new(REFRESH);
    groups.want(&[arn(1)].into(), now);
    groups
}

fn missing() -> Finding {
    Finding::Missing { message: "gone".into() }
}

#[tokio::test]
async fn a_new_group_is_due_at_once_and_a_known_one_after_the_refresh() {
    let now = Instant::now();
    let mut groups = groups(now);
    assert_eq!(groups.due(true, now), [arn(1)]);
    groups.settle(&arn(1), Ok(facts(1)), now, 0.5);
    assert!(groups.due(false, now + REFRESH.mul_f64(0.89)).is_empty());
    assert_eq!(groups.due(false, now + REFRESH.mul_f64(1.11)), [arn(1)]);
    assert_eq!((groups.next_due(true), groups.next_due(false)), (None, Some(now + REFRESH)));
}

#[tokio::test]
async fn what_fails_is_read_again_ever_later_up_to_a_minute_and_at_once_when_a_binding_changes() {
    let mut now = Instant::now();
    let mut groups = groups(now);
    let mut waits = Vec::new();
    for _ in 0..9 {
        groups.settle(&arn(1), Err(missing()), now, 1.0);
        let next = groups.next_due(true).unwrap();
        waits.push((next - now).as_secs());
        now = next;
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    groups.settle(&arn(1), Err(missing()), now, 1.0);
    groups.hasten(&arn(1), now);
    assert_eq!(groups.due(true, now), [arn(1)]);
}

#[tokio::test]
async fn a_change_hastens_nothing_where_all_is_well() {
    let now = Instant::now();
    let mut groups = groups(now);
    groups.settle(&arn(1), Ok(facts(1)), now, 0.5);
    groups.hasten(&arn(1), now);
    assert!(groups.due(false, now).is_empty());
}

#[tokio::test]
async fn a_group_that_refuses_a_binding_is_read_soon_until_it_no_longer_does() {
    let now = Instant::now();
    let mut groups = groups(now);
    groups.settle(&arn(1), Ok(facts(1)), now, 1.0);
    groups.doubt(&arn(1), true, now);
    let due = groups.next_due(true).unwrap();
    assert!(due - now <= Duration::from_secs(1));
    groups.settle(&arn(1), Ok(facts(1)), due, 1.0);
    assert!(groups.next_due(true).unwrap() - due <= Duration::from_secs(60));
    groups.doubt(&arn(1), false, due);
    groups.settle(&arn(1), Ok(facts(1)), due, 1.0);
    assert!(groups.next_due(false).unwrap() - due >= REFRESH);
}

#[tokio::test]
async fn a_group_that_is_being_made_is_looked_at_within_seconds() {
    let mut now = Instant::now();
    let mut groups = groups(now);
    let mut pending = facts(1);
    pending.group.active = false;
    for _ in 0..6 {
        groups.settle(&arn(1), Ok(pending.clone()), now, 1.0);
        let next = groups.next_due(true).unwrap();
        assert!(next - now <= Duration::from_secs(5), "{:?}", next - now);
        now = next;
    }
}

#[tokio::test]
async fn a_failed_reading_keeps_what_was_known_and_a_missing_group_loses_it() {
    let now = Instant::now();
    let mut groups = groups(now);
    groups.settle(&arn(1), Ok(facts(1)), now, 0.5);
    let denied = Error::Denied { call: Operation::GetTargetGroup, message: "no".into() };
    groups.settle(&arn(1), Err(Finding::of(&denied)), now, 0.5);
    assert!(groups.facts(&arn(1)).is_some() && !groups.missing(&arn(1)));
    groups.settle(&arn(1), Err(missing()), now, 0.5);
    assert!(groups.facts(&arn(1)).is_none() && groups.missing(&arn(1)));
}

#[tokio::test]
async fn only_what_matters_to_bindings_moves_the_revision() {
    let now = Instant::now();
    let mut groups = groups(now);
    groups.settle(&arn(1), Ok(facts(1)), now, 0.5);
    let revision = groups.revision();
    groups.settle(&arn(1), Ok(facts(1)), now, 0.5);
    assert_eq!(groups.revision(), revision);
    let state = |number, status| TargetState { target: crate::testing::target(number), status, reason: None };
    let states = [state(1, TargetStatus::Healthy), state(2, TargetStatus::Draining)];
    groups.audited(&arn(1), &states, now);
    assert!(groups.revision() > revision);
    let counts = groups.view(&arn(1)).unwrap().counts.unwrap();
    assert_eq!((counts.total, counts.healthy, counts.draining), (1, 1, 1));
}

#[tokio::test]
async fn what_is_told_of_a_group_is_known_when_a_binding_names_it_and_need_not_be_read() {
    let now = Instant::now();
    let mut groups = Groups::new(REFRESH);
    groups.tell(&arn(1), facts(1), now);
    assert!(groups.view(&arn(1)).is_none());
    let later = now + Duration::from_secs(10);
    groups.want(&[arn(1), arn(2)].into(), later);
    assert_eq!(groups.due(true, later), [arn(2)]);
    let view = groups.view(&arn(1)).unwrap();
    assert_eq!((view.facts.as_ref(), view.finding.as_ref()), (Some(&facts(1)), Some(&Finding::Known)));
    assert!(view.touched > 0);
    assert_eq!(groups.due(false, now + REFRESH), [arn(1)]);

    let revision = groups.revision();
    groups.tell(&arn(1), facts(1), later);
    assert_eq!(groups.revision(), revision);
    let mut unused = facts(1);
    unused.group.services = Vec::new();
    groups.tell(&arn(1), unused.clone(), later);
    assert!(groups.revision() > revision);
    assert_eq!(groups.facts(&arn(1)), Some(&unused));

    groups.forget(&arn(1));
    assert!(groups.due(false, Instant::now()).contains(&arn(1)));
}
