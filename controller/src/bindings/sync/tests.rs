//! What is written of bindings, and when.

use lath_kubernetes::{binding::Ownership, watch::Change};
use lattice::{TargetState, TargetStatus};

use super::*;
use crate::{
    cluster::Update,
    testing::{Apply as _, api::Api as Store, arn, binding, cluster, facts, pod, service, site, target},
};

const NUMBERS_EVERY: Duration = Duration::from_secs(30);

fn sync() -> Sync {
    Sync::new(Settings { site: Arc::new(site()), endpoints: Arc::default(), numbers_every: NUMBERS_EVERY })
}

fn groups(facts: crate::groups::Facts) -> Groups {
    let now = Instant::now();
    let mut groups = Groups::new(Duration::from_mins(5));
    groups.want(&[arn(1)].into(), now);
    groups.settle(&arn(1), Ok(facts), now, 0.5);
    groups
}

/// Decides now, and takes every write for done.
fn decide(sync: &mut Sync, cluster: &Cluster, groups: &Groups) -> Vec<(String, TargetGroupBindingStatus)> {
    let now = Instant::now();
    let writes = sync.decide(cluster, groups, now, Timestamp::UNIX_EPOCH);
    let seen = writes.iter().map(|write| (write.name.name.clone(), write.status.clone())).collect();
    for write in writes {
        sync.wrote(write, true, now);
    }
    seen
}

#[tokio::test(start_paused = true)]
async fn a_verdict_is_written_once_and_a_change_of_pods_only_when_it_says_something_new() {
    let mut cluster = cluster();
    let groups = groups(facts(1));
    cluster.bind(binding("web", 1, 0));
    let mut sync = sync();
    let writes = decide(&mut sync, &cluster, &groups);
    assert_eq!(writes[0].1.conditions[0].reason, "Accepted");
    assert_eq!(decide(&mut sync, &cluster, &groups), []);

    let mut unready = pod("a", 1);
    unready.ready_but_for_gates = false;
    cluster.run(unready);
    let low = decide(&mut sync, &cluster, &groups);
    assert!(low[0].1.ready_share_low, "at once: {low:?}");
    cluster.run(pod("a", 1));
    assert!(!decide(&mut sync, &cluster, &groups)[0].1.ready_share_low);
}

#[tokio::test(start_paused = true)]
async fn numbers_alone_wait_for_their_turn() {
    let mut cluster = cluster();
    let mut groups = groups(facts(1));
    cluster.bind(binding("web", 1, 0));
    let mut sync = sync();
    decide(&mut sync, &cluster, &groups);
    let healthy = TargetState { target: target(1), status: TargetStatus::Healthy, reason: None };
    groups.audited(&arn(1), &[healthy], Instant::now());
    assert_eq!(decide(&mut sync, &cluster, &groups), [], "they were written a moment ago");
    tokio::time::advance(NUMBERS_EVERY).await;
    // The watch has brought the first status meanwhile.
    let later = decide(&mut sync, &cluster, &groups);
    assert_eq!(later[0].1.targets.unwrap().healthy, 1);
}

#[tokio::test(start_paused = true)]
async fn a_binding_without_a_right_to_the_group_keeps_nobody_from_it() {
    let mut cluster = cluster();
    let groups = groups(facts(1));
    let mut squatter = binding("squatter", 1, 0);
    squatter.metadata.namespace = Some("bar".into());
    squatter.spec.ownership = Ownership::Exclusive;
    let mut foreign = service();
    foreign.namespace = "bar".into();
    cluster.apply(Update::Services(Change::Applied(foreign)), Instant::now());
    cluster.bind(squatter);
    cluster.bind(binding("owner", 1, 100));
    let writes = decide(&mut sync(), &cluster, &groups);
    let reasons: BTreeMap<_, _> =
        writes.iter().map(|(name, status)| (name.as_str(), status.conditions[0].reason.as_str())).collect();
    assert_eq!(reasons["squatter"], "NotGranted");
    assert_eq!(reasons["owner"], "Accepted");
}

#[tokio::test(start_paused = true)]
async fn a_group_that_refuses_a_binding_is_doubted_until_it_no_longer_does() {
    let mut cluster = cluster();
    let mut untagged = facts(1);
    untagged.tags.clear();
    let mut groups = groups(untagged);
    cluster.bind(binding("web", 1, 0));
    let mut sync = sync();
    decide(&mut sync, &cluster, &groups);
    assert_eq!(sync.doubts(&groups), [(arn(1), true)]);
    groups.doubt(&arn(1), true, Instant::now());
    groups.settle(&arn(1), Ok(facts(1)), Instant::now(), 0.5);
    decide(&mut sync, &cluster, &groups);
    assert_eq!(sync.doubts(&groups), [(arn(1), false)]);
}

#[tokio::test(start_paused = true)]
async fn the_finalizer_stands_before_agents_may_act_and_nobody_elses_is_lost() {
    let path = "/apis/lath.dev/v1alpha1/namespaces/shop/targetgroupbindings/web";
    let store = Store::default();
    let mut cluster = cluster();
    let mut bound = binding("web", 1, 0);
    bound.metadata.finalizers = Some(vec!["example.com/other".into()]);
    bound.metadata.resource_version = Some("5".into());
    store.put(path, serde_json::to_value(&bound).unwrap());
    cluster.bind(bound.clone());
    let mut sync = sync();
    let writes = sync.decide(&cluster, &groups(facts(1)), Instant::now(), Timestamp::UNIX_EPOCH);
    assert!(perform(&store.client(), &writes[0]).await);
    let written = store.get(path).unwrap();
    assert_eq!(written["metadata"]["finalizers"], json!(["example.com/other", "lath.dev/targets"]));

    // Somebody has changed it since: neither finalizer nor status is written.
    let mut newer = serde_json::to_value(&bound).unwrap();
    newer["metadata"]["resourceVersion"] = "6".into();
    store.put(path, newer.clone());
    assert!(!perform(&store.client(), &writes[0]).await);
    assert_eq!(store.get(path).unwrap(), newer);
}

#[tokio::test(start_paused = true)]
async fn a_missing_right_is_listed_on_readyz_and_does_not_fail_it() {
    let mut cluster = cluster();
    let mut groups = groups(facts(1));
    let denied =
        crate::groups::Finding::Failed { obstacle: crate::groups::Obstacle::Denied, message: "no".into() };
    groups.settle(&arn(1), Err(denied), Instant::now(), 0.5);
    cluster.bind(binding("web", 1, 0));
    let mut sync = sync();
    let readiness = Readiness::default();
    decide(&mut sync, &cluster, &groups);
    sync.show_hindrance(&readiness);
    let report = readiness.report();
    assert!(report.ready && report.degraded[HINDRANCE].contains("AccessDenied for shop/web"), "{report:?}");
    groups.settle(&arn(1), Ok(facts(1)), Instant::now(), 0.5);
    decide(&mut sync, &cluster, &groups);
    sync.show_hindrance(&readiness);
    assert!(readiness.report().degraded.is_empty());
}
