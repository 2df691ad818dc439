//! The end of a binding, by what is left of it.

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};
use lath_kubernetes::{node_targets::RecordState, watch::Change};

use super::*;
use crate::{
    cluster::Update,
    testing::{Apply as _, accepted, arn, cluster, lease, node_targets, pod, target},
};

const PATIENCE: Duration = Duration::from_secs(120);

fn deleted() -> TargetGroupBinding {
    let mut binding = accepted("web", 1);
    binding.metadata.deletion_timestamp = Some(Time(Timestamp::UNIX_EPOCH));
    binding
}

/// The step after `waited` seconds, with an agent on n1 that lives unless `lapsed`.
fn after(cluster: &mut Cluster, waited: u64, lapsed: bool, missing: bool, taken: &BTreeSet<Target>) -> Step {
    let start = Instant::now();
    let now = start + Duration::from_secs(waited);
    let name = ObjectName { namespace: String::new(), name: "lath-agent-n1".into() };
    let seen = if lapsed { start } else { now };
    let renewed = lease("n1", u32::try_from(waited).unwrap());
    cluster.apply(Update::Leases(Change::Applied((name, Some(renewed)))), seen);
    let at = if lapsed { now + Duration::from_secs(121) } else { now };
    let roll = cluster.agents().roll(at, PATIENCE, |_| false);
    let case = Case {
        binding: &deleted(),
        group: &arn(1),
        group_missing: missing,
        taken,
        since: start,
        patience: PATIENCE,
    };
    step(cluster, &roll, case, now)
}

fn registered() -> Cluster {
    let mut cluster = cluster();
    cluster.bind(deleted());
    let a = pod("a", 1);
    cluster.run(a.clone());
    cluster.record(node_targets("n1", 1, &[(&a, RecordState::Registered)]));
    cluster
}

#[tokio::test(start_paused = true)]
async fn a_live_agent_is_waited_for_and_a_lapsed_one_is_not() {
    let none = BTreeSet::new();
    let left: BTreeSet<Target> = [target(1)].into();
    for (waited, lapsed, expected) in [
        (1, false, Step::Wait),
        (10, false, Step::Wait),
        (119, false, Step::Wait),
        (120, false, Step::TakeOut(left.clone())),
        (1, true, Step::Wait),
        (10, true, Step::TakeOut(left.clone())),
        (1_200, false, Step::GiveUp(left.clone())),
    ] {
        let step = after(&mut registered(), waited, lapsed, false, &none);
        assert_eq!(step, expected, "after {waited} s, lapsed: {lapsed}");
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_over_when_nothing_is_left_and_agents_had_time_to_say_so() {
    let none = BTreeSet::new();
    let mut cluster = registered();
    cluster.record(node_targets("n1", 1, &[]));
    assert_eq!(after(&mut cluster, 1, false, false, &none), Step::Wait);
    assert_eq!(after(&mut cluster, 3, false, false, &none), Step::Finish);
    let taken = [target(1)].into();
    assert_eq!(
        after(&mut registered(), 10, false, false, &taken),
        Step::Finish,
        "the controller took it out"
    );
    assert_eq!(after(&mut registered(), 0, false, true, &none), Step::Finish, "the group is gone");
}

#[tokio::test(start_paused = true)]
async fn targets_that_another_binding_or_namespace_has_a_right_to_stay() {
    let none = BTreeSet::new();
    let mut shared = registered();
    shared.bind(accepted("another", 1));
    assert_eq!(after(&mut shared, 10, true, false, &none), Step::Finish);
    let mut foreign = cluster();
    foreign.bind(deleted());
    let mut theirs = pod("a", 1);
    theirs.namespace = "bar".into();
    foreign.record(node_targets("n1", 1, &[(&theirs, RecordState::Registered)]));
    assert_eq!(after(&mut foreign, 10, true, false, &none), Step::Finish);
}

#[tokio::test(start_paused = true)]
async fn hand_made_endpoints_go_as_well() {
    let mut cluster = cluster();
    let mut binding = deleted();
    binding.status.as_mut().unwrap().endpoints = vec!["10.0.0.7:80".into()];
    cluster.bind(binding.clone());
    let start = Instant::now();
    let roll = cluster.agents().roll(start, PATIENCE, |_| false);
    let case = Case {
        binding: &binding,
        group: &arn(1),
        group_missing: false,
        taken: &BTreeSet::new(),
        since: start,
        patience: PATIENCE,
    };
    let step = step(&cluster, &roll, case, start + Duration::from_secs(10));
    assert_eq!(step, Step::TakeOut([target(7)].into()));
}

#[tokio::test(start_paused = true)]
async fn a_binding_made_anew_under_the_name_is_another_one() {
    let mut deletions = Deletions::default();
    let name = ObjectName { namespace: "shop".into(), name: "web".into() };
    let start = Instant::now();
    deletions.of(&name, Some(&"one".into()), start);
    deletions.took(&name, [target(1)]);
    assert_eq!(deletions.of(&name, Some(&"one".into()), start).1, [target(1)].into());
    assert!(deletions.of(&name, Some(&"two".into()), start).1.is_empty());
}
