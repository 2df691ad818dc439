//! Gates, by the table of states.

use TargetStatus::{Draining, Healthy, Initial, Unavailable, Unhealthy, Unused};

use super::*;

const PROPAGATION: Duration = Duration::from_secs(2);

fn reported(status: TargetStatus, since: Instant) -> Progress {
    Progress::Reported { status, code: None, since }
}

fn gate(progresses: &[Progress], now: Instant) -> Gate {
    let parts: Vec<Part> = progresses
        .iter()
        .enumerate()
        .map(|(index, progress)| Part { binding: format!("b{index}"), progress: progress.clone() })
        .collect();
    decide(&parts, PROPAGATION, now)
}

#[tokio::test(start_paused = true)]
async fn a_gate_opens_by_the_states_of_all_groups() {
    let start = Instant::now();
    let now = start + Duration::from_secs(10);
    let not_accepted = Progress::NotAccepted { reason: "NotGranted".into() };
    for (progresses, open, reason) in [
        (vec![reported(Healthy, now)], true, reasons::HEALTHY),
        (vec![reported(Healthy, now), reported(Healthy, now)], true, reasons::HEALTHY),
        (vec![reported(Healthy, now), reported(Initial, now)], false, reasons::INITIAL),
        (vec![reported(Initial, start)], false, reasons::INITIAL),
        (vec![reported(Unhealthy, start)], false, reasons::UNHEALTHY),
        (vec![reported(Draining, start)], false, reasons::DRAINING),
        (vec![reported(Unused, now)], true, reasons::UNUSED),
        (vec![reported(Healthy, now), reported(Unused, now)], true, reasons::UNUSED),
        (vec![reported(Unavailable, start)], true, reasons::HEALTH_CHECKS_OFF),
        (vec![reported(Unavailable, now)], false, reasons::PROPAGATING),
        (vec![Progress::NotRead], false, reasons::NOT_READ),
        (vec![Progress::NotReady], false, reasons::NOT_READY),
        (vec![Progress::NotRegistered], false, reasons::NOT_REGISTERED),
        (vec![Progress::AddressRecordedForAnother], false, reasons::ADDRESS_TAKEN),
        (vec![reported(Healthy, now), not_accepted], false, reasons::NOT_ACCEPTED),
    ] {
        let gate = gate(&progresses, now);
        assert_eq!((gate.open, gate.reason), (open, reason), "{progresses:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_health_checks_it_opens_when_the_assumed_time_has_passed_and_says_when() {
    let since = Instant::now();
    let waiting = gate(&[reported(Unavailable, since)], since);
    assert_eq!(waiting.until, Some(since + PROPAGATION));
    assert!(gate(&[reported(Unavailable, since)], since + PROPAGATION).open);
}

#[tokio::test(start_paused = true)]
async fn the_message_names_each_binding_that_is_waited_for() {
    let now = Instant::now();
    let gate = gate(&[reported(Initial, now), reported(Healthy, now), reported(Unhealthy, now)], now);
    assert!(gate.message.contains("b0: ") && gate.message.contains("b2: "), "{}", gate.message);
    assert!(!gate.message.contains("b1: "), "{}", gate.message);
}

#[tokio::test(start_paused = true)]
async fn without_a_binding_it_opens_at_once_if_there_was_one_else_when_things_have_settled() {
    let since = Instant::now();
    let settle = Duration::from_secs(10);
    for (bound_before, waited, open) in
        [(true, 0, true), (false, 0, false), (false, 9, false), (false, 10, true)]
    {
        let gate = unbound(bound_before, since, settle, since + Duration::from_secs(waited));
        assert_eq!((gate.open, gate.reason), (open, reasons::NO_BINDING), "{bound_before} {waited}");
        assert_eq!(gate.until.is_none(), open);
    }
}
