//! Differences: which count, and when.

use super::*;
use crate::{
    repair::nodes,
    testing::{Apply as _, accept, accepted, arn, binding, cluster, lease, node_targets, pod, target},
};

const TIMES: Times = Times { confirm_after: Duration::from_secs(30), drain: Duration::from_secs(300) };

fn live(mut cluster: Cluster) -> Cluster {
    use lath_kubernetes::watch::Change;
    let name = ObjectName { namespace: String::new(), name: "lath-agent-n1".into() };
    let lease = Some(lease("n1", 0));
    cluster.apply(crate::cluster::Update::Leases(Change::Applied((name, lease))), Instant::now());
    cluster
}

fn expected(cluster: &Cluster) -> Expected {
    let settings = super::super::Settings {
        calls_per_second: 1.0,
        period: Duration::from_secs(30),
        confirm_after: Duration::from_secs(30),
        drain: Duration::from_secs(300),
        agent_grace: Duration::from_secs(120),
        patience: Duration::from_secs(120),
    };
    let roll = nodes::roll(cluster, &settings, Instant::now());
    Expected::of(cluster, &roll, &arn(1), &endpoints::Rules::default())
}

fn states(listed: &[(u8, TargetStatus)]) -> Vec<TargetState> {
    listed
        .iter()
        .map(|(number, status)| TargetState { target: target(*number), status: *status, reason: None })
        .collect()
}

/// What two reads agree on that are `apart`.
fn agreed(
    first: &Expected,
    second: &Expected,
    listed: [&[(u8, TargetStatus)]; 2],
    apart: Duration,
) -> Vec<Difference> {
    let mut ledger = Ledger::default();
    let start = Instant::now();
    assert_eq!(ledger.compare(&arn(1), first, &states(listed[0]), None, start, TIMES), []);
    ledger.compare(&arn(1), second, &states(listed[1]), None, start + apart, TIMES)
}

#[tokio::test(start_paused = true)]
async fn a_ready_pods_target_that_two_reads_thirty_seconds_apart_miss_is_missing() {
    let mut cluster = live(cluster());
    cluster.bind(accepted("web", 1));
    cluster.run(pod("a", 1));
    let expected = expected(&cluster);
    let late = Duration::from_secs(30);
    let missing = agreed(&expected, &expected, [&[], &[]], late);
    assert!(matches!(&missing[..], [Difference::Missing { target: found, .. }] if *found == target(1)));
    assert_eq!(agreed(&expected, &expected, [&[], &[]], late / 2), []);
    let draining = [(1, TargetStatus::Draining)];
    assert_eq!(agreed(&expected, &expected, [&draining, &draining], late).len(), 1);
    assert_eq!(agreed(&expected, &expected, [&[], &[(1, TargetStatus::Initial)]], late), []);
}

#[tokio::test(start_paused = true)]
async fn another_pod_under_the_address_starts_the_count_anew() {
    let mut one = live(cluster());
    one.bind(accepted("web", 1));
    one.run(pod("a", 1));
    let mut two = live(cluster());
    two.bind(accepted("web", 1));
    two.run(pod("b", 1));
    assert_eq!(agreed(&expected(&one), &expected(&two), [&[], &[]], Duration::from_secs(60)), []);
}

#[tokio::test(start_paused = true)]
async fn pods_are_wanted_only_where_an_agent_lives_and_the_binding_is_accepted() {
    let mut without_agent = cluster();
    without_agent.bind(accepted("web", 1));
    without_agent.run(pod("a", 1));
    assert!(expected(&without_agent).wanted.is_empty());
    assert_eq!(expected(&without_agent).allowed, [target(1)].into());
    let mut not_accepted = live(cluster());
    not_accepted.bind(binding("web", 1, 0));
    not_accepted.run(pod("a", 1));
    assert!(expected(&not_accepted).wanted.is_empty());
    assert_eq!(expected(&not_accepted).allowed, [target(1)].into());
}

#[tokio::test(start_paused = true)]
async fn an_unknown_target_goes_from_exclusive_groups_and_from_shared_ones_only_if_recorded() {
    let late = Duration::from_secs(30);
    let listed = [(9, TargetStatus::Healthy)];
    for (ownership, recorded, stray) in [
        (Ownership::Exclusive, false, true),
        (Ownership::Exclusive, true, true),
        (Ownership::Shared, false, false),
        (Ownership::Shared, true, true),
    ] {
        let mut cluster = live(cluster());
        let mut bound = binding("web", 1, 0);
        bound.spec.ownership = ownership;
        cluster.bind(accept(bound));
        if recorded {
            cluster.record(node_targets("n1", 1, &[(&pod("gone", 9), RecordState::Registered)]));
        }
        let expected = expected(&cluster);
        let found = agreed(&expected, &expected, [&listed, &listed], late);
        assert_eq!(!found.is_empty(), stray, "{ownership:?}, recorded: {recorded}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unready_pods_target_and_one_that_drains_are_no_strays() {
    let mut cluster = live(cluster());
    let mut bound = binding("web", 1, 0);
    bound.spec.ownership = Ownership::Exclusive;
    cluster.bind(accept(bound));
    let mut unready = pod("a", 1);
    unready.ready_but_for_gates = false;
    cluster.run(unready);
    let expected = expected(&cluster);
    let listed = [(1, TargetStatus::Unhealthy), (9, TargetStatus::Draining)];
    assert_eq!(agreed(&expected, &expected, [&listed, &listed], Duration::from_secs(60)), []);
}

#[tokio::test(start_paused = true)]
async fn a_wanted_target_that_drains_is_looked_at_once_when_it_should_be_gone() {
    let mut cluster = live(cluster());
    cluster.bind(accepted("web", 1));
    cluster.run(pod("a", 1));
    let expected = expected(&cluster);
    let mut ledger = Ledger::default();
    let start = Instant::now();
    let draining = states(&[(1, TargetStatus::Draining), (9, TargetStatus::Draining)]);
    ledger.compare(&arn(1), &expected, &draining, None, start, TIMES);
    ledger.compare(&arn(1), &expected, &draining, None, start + Duration::from_secs(60), TIMES);
    assert!(ledger.due(start + Duration::from_secs(299)).is_empty());
    let due = ledger.due(start + Duration::from_secs(300));
    assert_eq!(due.into_iter().collect::<Vec<_>>(), [(arn(1), vec![target(1)])]);
    assert!(ledger.due(start + Duration::from_mins(15)).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_look_at_some_targets_says_nothing_of_the_others() {
    let mut cluster = live(cluster());
    cluster.bind(accepted("web", 1));
    cluster.run(pod("a", 1));
    cluster.run(pod("b", 2));
    let expected = expected(&cluster);
    let mut ledger = Ledger::default();
    let start = Instant::now();
    ledger.compare(&arn(1), &expected, &[], None, start, TIMES);
    let scope = [target(1)].into();
    let later = start + Duration::from_secs(60);
    let found = ledger.compare(&arn(1), &expected, &[], Some(&scope), later, TIMES);
    assert_eq!(found.iter().map(Difference::target).collect::<Vec<_>>(), [target(1)]);
    let found = ledger.compare(&arn(1), &expected, &[], None, later, TIMES);
    assert_eq!(found.iter().map(Difference::target).collect::<Vec<_>>(), [target(2)]);
}
