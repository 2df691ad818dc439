//! Audits against the simulator and an API server's store in memory: what is mended, and what is left alone.

use lath_kubernetes::{
    binding::Ownership,
    node_targets::{RecordState, Writer},
    watch::{Change, ObjectName},
};
use lattice_sim::TargetStatus;

use super::*;
use crate::{
    cluster::Update,
    quotas::Quota,
    testing::{
        Apply as _, accept, accepted_to, api::Api, cloud::Cloud, cluster, facts, lease, node_targets, pod,
        target,
    },
};

/// A cluster with one live agent, an API server and a cloud, and an auditor of one group.
struct World {
    cloud: Cloud,
    api: Api,
    cluster: Arc<Shared<Cluster>>,
    group: TargetGroupArn,
    listings: mpsc::Receiver<Listing>,
    metrics: Metrics,
    auditor: Option<Auditor>,
}

impl World {
    async fn new(ownership: Ownership) -> Self {
        let cloud = Cloud::new(&[]).await;
        let group = cloud.group("web", true, false).await;
        let api = Api::default();
        let mut known = cluster();
        let mut binding = accepted_to("web", &group);
        binding.spec.ownership = ownership;
        known.bind(accept(binding));
        let name = ObjectName { namespace: String::new(), name: "lath-agent-n1".into() };
        known.apply(Update::Leases(Change::Applied((name, Some(lease("n1", 0))))), Instant::now());
        let mut groups = Groups::new(Duration::from_mins(5));
        groups.want(&[group.clone()].into(), Instant::now());
        groups.settle(&group, Ok(facts(1)), Instant::now(), 0.5);
        let cluster = Arc::new(Shared::new(known));
        let (listed, listings) = mpsc::channel(100);
        let metrics = Metrics::default();
        let auditor = Auditor {
            cluster: cluster.clone(),
            groups: Arc::new(Shared::new(groups)),
            client: cloud.client.clone(),
            calls: Calls::new(cloud.client.clone(), metrics.clone()),
            fresh: Fresh::new(api.client()),
            records: Records::new(api.client()),
            rules: Arc::default(),
            settings: Settings {
                calls_per_second: 1.0,
                period: Duration::from_secs(30),
                confirm_after: Duration::from_secs(30),
                drain: Duration::from_mins(5),
                // Nobody's Lease runs out in these tests.
                agent_grace: Duration::from_hours(1),
                patience: Duration::from_mins(2),
            },
            listings: listed,
            metrics: metrics.clone(),
        };
        Self { cloud, api, cluster, group, listings, metrics, auditor: Some(auditor) }
    }

    fn knows(&self, change: impl FnOnce(&mut Cluster)) {
        self.cluster.update(change);
    }

    /// Lets the auditor work for a time, its Lease being renewed.
    async fn audit(&mut self, time: Duration) {
        if let Some(auditor) = self.auditor.take() {
            tokio::spawn(auditor.run());
        }
        let end = Instant::now() + time;
        let mut renewals = 1;
        while Instant::now() < end {
            tokio::time::sleep(Duration::from_secs(10)).await;
            renewals += 1;
            let name = ObjectName { namespace: String::new(), name: "lath-agent-n1".into() };
            let renewed = Some(lease("n1", renewals));
            self.knows(|cluster| {
                cluster.apply(Update::Leases(Change::Applied((name, renewed))), Instant::now());
            });
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_ready_pod_that_lattice_lacks_is_registered_and_taken_out_again_when_it_is_gone() {
    let mut world = World::new(Ownership::Shared).await;
    let a = pod("a", 1);
    world.api.run(&a);
    world.knows(|cluster| cluster.run(a.clone()));
    world.audit(Duration::from_secs(20)).await;
    assert_eq!(world.cloud.held(&world.group), [""; 0], "one read is not enough");
    world.audit(Duration::from_secs(40)).await;
    assert_eq!(world.cloud.held(&world.group), ["10.0.0.1:80"]);
    // Its agent has not recorded it, so the controller has, for whoever comes next.
    let record = world.api.get("/apis/lath.dev/v1alpha1/nodetargets/n1").unwrap();
    let record: NodeTargets = serde_json::from_value(record).unwrap();
    assert_eq!((record.spec.writer, record.spec.summary.targets), (Writer::Controller, 1));
    world.knows(|cluster| cluster.record(record));
    world.api.remove("/api/v1/namespaces/shop/pods/a");
    world.knows(|cluster| cluster.apply(Update::Pods(Change::Deleted(a)), Instant::now()));
    world.audit(Duration::from_secs(100)).await;
    assert_eq!(world.cloud.held(&world.group), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_the_store_no_longer_has_is_not_registered() {
    let mut world = World::new(Ownership::Shared).await;
    world.knows(|cluster| cluster.run(pod("a", 1)));
    world.audit(Duration::from_mins(5)).await;
    assert!(!world.cloud.simulator.calls().contains_key("RegisterTargets"));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_target_leaves_an_exclusive_group_and_stays_in_a_shared_one() {
    for (ownership, held) in [(Ownership::Exclusive, vec![]), (Ownership::Shared, vec!["10.0.0.9:80"])] {
        let mut world = World::new(ownership).await;
        world.cloud.register(&world.group, &[target(9)]).await;
        world.audit(Duration::from_secs(100)).await;
        assert_eq!(world.cloud.held(&world.group), held, "{ownership:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_recorded_target_goes_only_when_its_pod_is_gone_from_the_store() {
    for (there, held) in [(true, vec!["10.0.0.9:80"]), (false, vec![])] {
        let mut world = World::new(Ownership::Shared).await;
        let late = pod("late", 9);
        // The watch has lost the pod; the store decides.
        if there {
            world.api.run(&late);
            world.api.put("/api/v1/nodes/n1", serde_json::json!({ "metadata": { "name": "n1" } }));
        }
        world.cloud.register(&world.group, &[target(9)]).await;
        let mut record = node_targets("n1", 1, &[(&late, RecordState::Registered)]);
        record.spec.groups[0].arn = world.group.to_string();
        world.knows(|cluster| cluster.record(record));
        world.audit(Duration::from_secs(100)).await;
        assert_eq!(world.cloud.held(&world.group), held, "in the store: {there}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_address_that_another_pod_of_the_group_has_by_now_stays() {
    let mut world = World::new(Ownership::Exclusive).await;
    let next = pod("next", 9);
    // Only the store knows of it as yet.
    world.api.run(&next);
    world.cloud.register(&world.group, &[target(9)]).await;
    world.audit(Duration::from_secs(100)).await;
    assert_eq!(world.cloud.held(&world.group), ["10.0.0.9:80"]);
}

#[tokio::test(start_paused = true)]
async fn counts_come_from_each_audit_and_whoever_decides_gates_gets_the_listing() {
    let mut world = World::new(Ownership::Shared).await;
    world.cloud.register(&world.group, &[target(1), target(2)]).await;
    world.cloud.set(&world.group, target(2), TargetStatus::Unhealthy);
    let groups = world.auditor.as_ref().unwrap().groups.clone();
    world.audit(Duration::from_secs(10)).await;
    let counts = groups.read().view(&world.group).unwrap().counts.unwrap();
    assert_eq!((counts.total, counts.healthy, counts.unhealthy), (2, 1, 1));
    assert_eq!(world.listings.recv().await.unwrap().states.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn many_groups_share_the_calls_and_each_has_its_turn() {
    let now = Instant::now();
    let wanted: BTreeSet<TargetGroupArn> = (0..5).map(crate::testing::arn).collect();
    let mut tried = BTreeMap::new();
    let period = Duration::from_secs(30);
    for turn in 0..10_u32 {
        let at = now + Duration::from_secs(10) * turn;
        let group = next(&wanted, &tried, period, at).unwrap();
        tried.insert(group, at);
    }
    assert_eq!(tried.len(), 5);
    let oldest = tried.values().min().copied().unwrap();
    assert_eq!(oldest, now + Duration::from_secs(50), "each was tried twice");
    assert_eq!(next(&wanted, &tried, period, now + Duration::from_secs(79)), None);
}

#[tokio::test(start_paused = true)]
async fn targets_that_drain_count_for_the_quota() {
    let mut world = World::new(Ownership::Shared).await;
    world.cloud.register(&world.group, &[target(1), target(2), target(3)]).await;
    world.cloud.set(&world.group, target(3), TargetStatus::Draining);
    world.audit(Duration::from_secs(5)).await;
    assert_eq!(world.metrics.quotas.shown(Quota::TargetsPerGroup).0, 3);
}
