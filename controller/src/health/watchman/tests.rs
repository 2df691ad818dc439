//! What the watchman looks at and writes, without any connection.

use std::collections::BTreeSet;

use lath_kubernetes::{node_targets::RecordState, watch::Change};
use lattice::TargetStatus;

use super::*;
use crate::{
    cluster::Update,
    health::gates::reasons,
    testing::{Apply as _, accepted, arn, binding, cluster, facts, gated, node_targets, pod, target},
};

fn settings() -> Settings {
    Settings {
        reads_per_second: 25.0,
        propagation: Duration::from_secs(2),
        settle: Duration::from_secs(10),
        fail_open: None,
    }
}

fn groups(numbers: impl IntoIterator<Item = u8>) -> Groups {
    let now = Instant::now();
    let mut groups = Groups::new(Duration::from_secs(300));
    let numbers: Vec<u8> = numbers.into_iter().collect();
    groups.want(&numbers.iter().map(|number| arn(*number)).collect(), now);
    for number in numbers {
        groups.settle(&arn(number), Ok(facts(number)), now, 0.5);
    }
    groups
}

fn state(number: u8, status: TargetStatus) -> TargetState {
    TargetState { target: target(number), status, reason: None }
}

/// Lets `by` pass and steps.
async fn after(watchman: &mut Watchman, cluster: &Cluster, groups: &Groups, by: Duration) -> Step {
    tokio::time::advance(by).await;
    watchman.step(cluster, groups, Instant::now())
}

const MS: Duration = Duration::from_millis(1);

#[tokio::test(start_paused = true)]
async fn a_healthy_target_opens_the_gate_once_and_for_ever() {
    let mut cluster = cluster();
    let groups = groups([1]);
    cluster.bind(accepted("web", 1));
    cluster.run(gated("a", 1));
    let mut watchman = Watchman::new(settings(), Instant::now());
    let step = watchman.step(&cluster, &groups, Instant::now());
    assert!(step.reads.is_empty() && step.writes.is_empty(), "{step:?}");

    let step = after(&mut watchman, &cluster, &groups, 200 * MS).await;
    let [read] = &step.reads[..] else { panic!("{step:?}") };
    assert_eq!(read.targets, [target(1)]);
    watchman.read(read, Some(&[state(1, TargetStatus::Healthy)]), &groups, Instant::now());
    let step = after(&mut watchman, &cluster, &groups, MS).await;
    let [write] = &step.writes[..] else { panic!("{step:?}") };
    assert!(write.open && write.reason == reasons::HEALTHY);
    assert!(step.reads.is_empty());

    watchman.wrote(write, true, Instant::now());
    // The watch has not brought the open gate yet, nor will it ever be shut again.
    for _ in 0..3 {
        let step = after(&mut watchman, &cluster, &groups, Duration::from_secs(60)).await;
        assert!(step.writes.is_empty() && step.reads.is_empty(), "{step:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_of_the_agent_brings_the_first_look_forward() {
    let mut cluster = cluster();
    let groups = groups([1]);
    cluster.bind(accepted("web", 1));
    let pod = gated("a", 1);
    cluster.run(pod.clone());
    let mut watchman = Watchman::new(settings(), Instant::now());
    watchman.step(&cluster, &groups, Instant::now());
    cluster.record(node_targets("n1", 1, &[(&pod, RecordState::Registered)]));
    assert_eq!(after(&mut watchman, &cluster, &groups, 20 * MS).await.reads.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_address_recorded_for_another_pod_proves_nothing() {
    let mut cluster = cluster();
    let groups = groups([1]);
    cluster.bind(accepted("web", 1));
    let before = pod("before", 1);
    cluster.record(node_targets("n2", 1, &[(&before, RecordState::Deregistering)]));
    cluster.run(gated("a", 1));
    let mut watchman = Watchman::new(settings(), Instant::now());
    watchman.step(&cluster, &groups, Instant::now());
    watchman.audited(&arn(1), &[state(1, TargetStatus::Healthy)], Instant::now());
    let step = after(&mut watchman, &cluster, &groups, 1500 * MS).await;
    let [write] = &step.writes[..] else { panic!("{step:?}") };
    assert_eq!((write.open, write.reason), (false, reasons::ADDRESS_TAKEN));
}

#[tokio::test(start_paused = true)]
async fn what_was_asked_before_the_pod_was_ready_tells_of_somebody_else() {
    let mut cluster = cluster();
    let groups = groups([1]);
    cluster.bind(accepted("web", 1));
    let mut watchman = Watchman::new(settings(), Instant::now());
    let asked = Instant::now();
    tokio::time::advance(MS).await;
    cluster.run(gated("a", 1));
    watchman.step(&cluster, &groups, Instant::now());
    watchman.audited(&arn(1), &[state(1, TargetStatus::Healthy)], asked);
    assert!(after(&mut watchman, &cluster, &groups, MS).await.writes.is_empty());
    watchman.audited(&arn(1), &[state(1, TargetStatus::Healthy)], Instant::now());
    assert_eq!(after(&mut watchman, &cluster, &groups, MS).await.writes.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_pod_in_two_groups_waits_for_both() {
    let mut cluster = cluster();
    let groups = groups([1, 2]);
    cluster.bind(accepted("web", 1));
    cluster.bind(accepted("web-too", 2));
    cluster.run(gated("a", 1));
    let mut watchman = Watchman::new(settings(), Instant::now());
    watchman.step(&cluster, &groups, Instant::now());
    watchman.audited(&arn(1), &[state(1, TargetStatus::Healthy)], Instant::now());
    assert!(after(&mut watchman, &cluster, &groups, MS).await.writes.is_empty());
    watchman.audited(&arn(2), &[state(1, TargetStatus::Healthy)], Instant::now());
    let step = after(&mut watchman, &cluster, &groups, MS).await;
    assert!(step.writes.iter().all(|write| write.open) && step.writes.len() == 1, "{step:?}");
}

#[tokio::test(start_paused = true)]
async fn a_pod_is_told_what_it_waits_for_once_per_reason_and_not_in_its_first_second() {
    let mut cluster = cluster();
    let groups = groups([1]);
    cluster.bind(accepted("web", 1));
    cluster.run(gated("a", 1));
    let mut watchman = Watchman::new(settings(), Instant::now());
    watchman.step(&cluster, &groups, Instant::now());
    watchman.audited(&arn(1), &[state(1, TargetStatus::Initial)], Instant::now());
    assert!(after(&mut watchman, &cluster, &groups, 900 * MS).await.writes.is_empty());
    let step = after(&mut watchman, &cluster, &groups, 100 * MS).await;
    assert_eq!(step.writes[0].reason, reasons::INITIAL);
    watchman.wrote(&step.writes[0], true, Instant::now());
    assert!(after(&mut watchman, &cluster, &groups, 100 * MS).await.writes.is_empty());
    watchman.audited(&arn(1), &[state(1, TargetStatus::Unhealthy)], Instant::now());
    let step = after(&mut watchman, &cluster, &groups, MS).await;
    assert_eq!(step.writes[0].reason, reasons::UNHEALTHY);
}

#[tokio::test(start_paused = true)]
async fn a_condition_that_could_not_be_written_is_tried_again_after_a_moment() {
    let mut cluster = cluster();
    let groups = groups([1]);
    cluster.bind(accepted("web", 1));
    cluster.run(gated("a", 1));
    let mut watchman = Watchman::new(settings(), Instant::now());
    watchman.step(&cluster, &groups, Instant::now());
    watchman.audited(&arn(1), &[state(1, TargetStatus::Healthy)], Instant::now());
    let step = after(&mut watchman, &cluster, &groups, MS).await;
    assert!(after(&mut watchman, &cluster, &groups, MS).await.writes.is_empty(), "it is being written");
    watchman.wrote(&step.writes[0], false, Instant::now());
    assert!(after(&mut watchman, &cluster, &groups, 10 * MS).await.writes.is_empty());
    assert_eq!(after(&mut watchman, &cluster, &groups, Duration::from_secs(1)).await.writes.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_deployment_applied_before_its_binding_does_not_slip_through() {
    let mut cluster = cluster();
    let groups = groups([1]);
    cluster.run(gated("a", 1));
    let mut watchman = Watchman::new(settings(), Instant::now());
    watchman.step(&cluster, &groups, Instant::now());
    let step = after(&mut watchman, &cluster, &groups, Duration::from_secs(5)).await;
    assert!(step.writes.iter().all(|write| !write.open), "{step:?}");
    cluster.bind(binding("web", 1, 0));
    let step = after(&mut watchman, &cluster, &groups, Duration::from_secs(60)).await;
    assert!(
        step.writes.iter().all(|write| !write.open),
        "a binding that is not accepted yet counts: {step:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_pod_whose_binding_goes_is_let_through_at_once() {
    let mut cluster = cluster();
    let groups = groups([1]);
    cluster.bind(accepted("web", 1));
    cluster.run(gated("a", 1));
    let mut watchman = Watchman::new(settings(), Instant::now());
    watchman.step(&cluster, &groups, Instant::now());
    cluster.apply(Update::Bindings(Change::Deleted(accepted("web", 1))), Instant::now());
    let step = after(&mut watchman, &cluster, &groups, MS).await;
    let [write] = &step.writes[..] else { panic!("{step:?}") };
    assert_eq!((write.open, write.reason), (true, reasons::NO_BINDING));
}

#[tokio::test(start_paused = true)]
async fn fail_open_lets_a_pod_through_after_its_time_and_says_so() {
    let mut cluster = cluster();
    let groups = groups([1]);
    cluster.bind(accepted("web", 1));
    cluster.run(gated("a", 1));
    let fail_open = Some(Duration::from_secs(60));
    let mut watchman = Watchman::new(Settings { fail_open, ..settings() }, Instant::now());
    watchman.step(&cluster, &groups, Instant::now());
    let step = after(&mut watchman, &cluster, &groups, Duration::from_secs(59)).await;
    assert!(step.writes.iter().all(|write| !write.open), "{step:?}");
    for write in &step.writes {
        watchman.wrote(write, true, Instant::now());
    }
    let step = after(&mut watchman, &cluster, &groups, Duration::from_secs(1)).await;
    assert!(step.writes[0].open && step.writes[0].reason == reasons::FAIL_OPEN, "{step:?}");
}

#[tokio::test(start_paused = true)]
async fn pods_of_one_group_share_calls_of_twenty() {
    let mut cluster = cluster();
    let groups = groups([1]);
    cluster.bind(accepted("web", 1));
    for number in 1..=50 {
        cluster.run(gated(&format!("p{number}"), number));
    }
    let mut watchman = Watchman::new(settings(), Instant::now());
    watchman.step(&cluster, &groups, Instant::now());
    let mut asked = BTreeSet::new();
    let mut reads = 0;
    let mut step = after(&mut watchman, &cluster, &groups, 200 * MS).await;
    while let [read] = &step.reads[..] {
        assert!(read.targets.len() <= TARGETS_PER_FILTER);
        asked.extend(read.targets.clone());
        reads += 1;
        watchman.read(read, Some(&[]), &groups, Instant::now());
        step = after(&mut watchman, &cluster, &groups, MS).await;
    }
    assert_eq!((reads, asked.len()), (3, 50));
}

#[tokio::test(start_paused = true)]
async fn the_share_of_calls_bounds_reads_and_no_group_starves() {
    let mut cluster = cluster();
    let groups = groups(1..=20);
    for number in 1..=20 {
        let mut service = crate::testing::service();
        service.name = format!("s{number}");
        service.selector = [("app".to_owned(), format!("s{number}"))].into();
        cluster.apply(Update::Services(Change::Applied(service)), Instant::now());
        let mut binding = accepted(&format!("b{number}"), number);
        binding.spec.service.name = format!("s{number}");
        cluster.bind(binding);
        let mut pod = gated(&format!("p{number}"), number);
        pod.labels = [("app".to_owned(), format!("s{number}"))].into();
        cluster.run(pod);
    }
    let mut watchman = Watchman::new(Settings { reads_per_second: 5.0, ..settings() }, Instant::now());
    let mut counts: BTreeMap<TargetGroupArn, u32> = BTreeMap::new();
    for _ in 0..2_000 {
        let step = after(&mut watchman, &cluster, &groups, 10 * MS).await;
        for read in &step.reads {
            *counts.entry(read.group.clone()).or_default() += 1;
            watchman.read(read, Some(&[]), &groups, Instant::now());
        }
    }
    let all: u32 = counts.values().sum();
    assert!((95..=106).contains(&all), "{all} reads in 20 s at 5 per second");
    assert_eq!(counts.len(), 20);
    let (least, most) = (counts.values().min().unwrap(), counts.values().max().unwrap());
    assert!(most - least <= 2, "{counts:?}");
}
