//! Leases, judged by this controller's clock.

use super::*;
use crate::testing::lease;

const GRACE: Duration = Duration::from_secs(120);

fn never(_: &str) -> bool {
    false
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Nodes n0 to n(count-1), each with an agent that was last seen at `now`.
fn agents(count: usize, now: Instant) -> Agents {
    let mut agents = Agents::default();
    for number in 0..count {
        agents.observe_node(&format!("n{number}"), now);
        agents.observe(lease(&format!("n{number}"), 0), now);
    }
    agents
}

#[tokio::test]
async fn a_lease_runs_out_when_it_has_not_changed_for_its_duration() {
    let start = Instant::now();
    let mut agents = agents(1, start);
    assert_eq!(agents.roll(start + seconds(120), GRACE, never).of("n0"), Agent::Live);
    assert_eq!(agents.roll(start + seconds(121), GRACE, never).of("n0"), Agent::Lapsed);
    // Seen again without a renewal: a change of something else, or a relist.
    agents.observe(lease("n0", 0), start + seconds(100));
    assert_eq!(agents.roll(start + seconds(121), GRACE, never).of("n0"), Agent::Lapsed);
    agents.observe(lease("n0", 1), start + seconds(122));
    assert_eq!(agents.roll(start + seconds(240), GRACE, never).of("n0"), Agent::Live);
}

#[tokio::test]
async fn an_outage_of_the_api_server_is_no_lapse_and_everything_counts_anew_after_it() {
    let start = Instant::now();
    let mut agents = agents(3, start);
    agents.interrupted();
    let back = start + seconds(3_600);
    assert_eq!(agents.roll(back, GRACE, never).count(Agent::Unjudged), 3);
    agents.reached(back);
    assert_eq!(agents.roll(back + seconds(120), GRACE, never).count(Agent::Live), 3);
    assert_eq!(agents.roll(back + seconds(121), GRACE, never).count(Agent::Lapsed), 3);
}

#[tokio::test]
async fn a_node_without_a_lease_is_given_time_and_then_counts_by_whether_it_ever_had_an_agent() {
    let start = Instant::now();
    let mut agents = Agents::default();
    agents.observe_node("n0", start);
    for (after, had_agent, expected) in
        [(120, false, Agent::Unjudged), (121, false, Agent::Absent), (121, true, Agent::Lapsed)]
    {
        let roll = agents.roll(start + seconds(after), GRACE, |_| had_agent);
        assert_eq!(roll.of("n0"), expected, "{after} {had_agent}");
    }
    // A Lease that somebody deletes is a lapse, not a node without an agent.
    agents.observe(lease("n0", 0), start + seconds(200));
    agents.lease_gone("lath-agent-n0");
    assert_eq!(agents.roll(start + seconds(400), GRACE, never).of("n0"), Agent::Lapsed);
}

#[tokio::test]
async fn when_more_than_a_fifth_lapse_together_nobody_stands_in_for_them() {
    let start = Instant::now();
    let later = start + seconds(121);
    for (all, lapsed, braked) in [
        (1, 1, false),
        (3, 1, false),
        (3, 2, true),
        (10, 2, false),
        (10, 3, true),
        (100, 20, false),
        (100, 21, true),
    ] {
        let mut agents = agents(all, start);
        for number in lapsed..all {
            agents.observe(lease(&format!("n{number}"), 1), start + seconds(60));
        }
        let roll = agents.roll(later, GRACE, never);
        assert_eq!(roll.count(Agent::Lapsed), lapsed);
        assert_eq!(roll.braked, braked, "{lapsed} of {all}");
        assert_eq!(roll.stands_in_for("n0"), !braked, "{lapsed} of {all}");
        assert!(!roll.stands_in_for(&format!("n{all}")), "a node that is not known");
    }
}

#[tokio::test]
async fn a_brake_does_not_concern_nodes_that_never_had_an_agent() {
    let start = Instant::now();
    let mut agents = agents(4, start);
    agents.observe_node("fargate", start);
    let roll = agents.roll(start + seconds(121), GRACE, never);
    assert!(roll.braked && roll.stands_in_for("fargate") && !roll.stands_in_for("n0"));
}
