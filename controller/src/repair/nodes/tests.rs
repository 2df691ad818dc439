//! Nodes without an agent and nodes that are gone, against the simulator and a store in memory.

use lath_kubernetes::{
    NodeTargets, Pod,
    node_targets::Writer,
    watch::{Change, ObjectName},
};
use serde_json::json;

use super::*;
use crate::{
    cluster::Update,
    testing::{Apply as _, accepted_to, api::Api as Store, cloud::Cloud, cluster, lease, node_targets, pod},
};

struct World {
    cloud: Cloud,
    store: Store,
    cluster: Arc<Shared<Cluster>>,
    group: TargetGroupArn,
}

impl World {
    async fn new() -> Self {
        let cloud = Cloud::new(&[]).await;
        let group = cloud.group("web", true, false).await;
        let store = Store::default();
        let mut known = cluster();
        for node in ["n1", "n2"] {
            store.put(&format!("/api/v1/nodes/{node}"), json!({ "metadata": { "name": node } }));
            let node = crate::cluster::objects::Node { name: node.into(), boot_id: "boot-1".into() };
            known.apply(Update::Nodes(Change::Applied(node)), Instant::now());
        }
        known.bind(accepted_to("web", &group));
        Self { cloud, store, cluster: Arc::new(Shared::new(known)), group }
    }

    fn start(&self) {
        let client = self.store.client();
        let metrics = Metrics::default();
        let warden = Warden {
            cluster: self.cluster.clone(),
            calls: Calls::new(self.cloud.client.clone(), metrics.clone()),
            fresh: Fresh::new(client.clone()),
            records: Records::new(client.clone()),
            kube: Kube(client.clone()),
            namespace: "lath".into(),
            events: Events::new(client, "controller"),
            settings: Settings {
                calls_per_second: 1.0,
                period: Duration::from_secs(30),
                confirm_after: Duration::from_secs(30),
                drain: Duration::from_mins(5),
                agent_grace: Duration::from_mins(2),
                patience: Duration::from_mins(2),
            },
            metrics,
        };
        tokio::spawn(warden.run());
    }

    fn run(&self, pod: &Pod) {
        self.store.run(pod);
        self.cluster.update(|cluster| cluster.run(pod.clone()));
    }

    fn end(&self, pod: &Pod) {
        self.store.remove(&format!("/api/v1/namespaces/shop/pods/{}", pod.name));
        self.cluster.update(|cluster| {
            cluster.apply(Update::Pods(Change::Deleted(pod.clone())), Instant::now());
        });
    }

    /// Lets time pass, with the watch bringing what was written of n1.
    async fn pass(&self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let change = match self.record() {
                Some(record) => Change::Applied(record),
                None => Change::Gone(ObjectName { namespace: String::new(), name: "n1".into() }),
            };
            self.cluster.update(|cluster| cluster.apply(Update::NodeTargets(change), Instant::now()));
        }
    }

    fn record(&self) -> Option<NodeTargets> {
        let record = self.store.get("/apis/lath.dev/v1alpha1/nodetargets/n1")?;
        Some(serde_json::from_value(record).unwrap())
    }

    /// Writes a record as an agent would have, and registers what is in it.
    async fn recorded(&self, pods: &[&Pod]) {
        let pods: Vec<(&Pod, RecordState)> = pods.iter().map(|pod| (*pod, RecordState::Registered)).collect();
        let mut record = node_targets("n1", 1, &pods);
        record.spec.groups[0].arn = self.group.to_string();
        let held = standin::held(&record.spec);
        let targets: Vec<Target> = held.iter().map(|held| held.target).collect();
        self.cloud.register(&self.group, &targets).await;
        self.store.put("/apis/lath.dev/v1alpha1/nodetargets/n1", serde_json::to_value(&record).unwrap());
        self.cluster.update(|cluster| cluster.record(record));
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_that_never_had_an_agent_is_looked_after_once_it_was_given_time() {
    let world = World::new().await;
    let a = pod("a", 1);
    world.run(&a);
    world.start();
    world.pass(Duration::from_secs(119)).await;
    assert_eq!(world.cloud.held(&world.group), [""; 0]);
    world.pass(Duration::from_secs(5)).await;
    assert_eq!(world.cloud.held(&world.group), ["10.0.0.1:80"]);
    let record = world.record().unwrap();
    assert_eq!((record.spec.writer, record.spec.summary.targets), (Writer::Controller, 1));

    world.end(&a);
    world.pass(Duration::from_secs(10)).await;
    assert_eq!(world.cloud.held(&world.group), [""; 0]);
    assert_eq!(world.record().unwrap().spec.summary.targets, 0);
}

#[tokio::test(start_paused = true)]
async fn a_lapsed_agents_pods_are_registered_and_go_on_proof_only() {
    let world = World::new().await;
    let (known, new, leaving) = (pod("known", 1), pod("new", 2), pod("leaving", 3));
    let name = ObjectName { namespace: String::new(), name: "lath-agent-n1".into() };
    let seen = Some(lease("n1", 0));
    world.cluster.update(|cluster| {
        cluster.apply(Update::Leases(Change::Applied((name, seen))), Instant::now());
    });
    let stored = json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": { "name": "lath-agent-n1", "annotations": { "lath.dev/epoch": "0" } }, "spec": {},
    });
    world.store.put("/apis/coordination.k8s.io/v1/namespaces/lath/leases/lath-agent-n1", stored);
    // The watch and the store agree on the Lease.
    let read: Lease = serde_json::from_value(
        world.store.get("/apis/coordination.k8s.io/v1/namespaces/lath/leases/lath-agent-n1").unwrap(),
    )
    .unwrap();
    let lease_seen = AgentLease::read(&read);
    let name = ObjectName { namespace: String::new(), name: "lath-agent-n1".into() };
    world.cluster.update(|cluster| {
        cluster.apply(Update::Leases(Change::Applied((name, lease_seen))), Instant::now());
    });
    for pod in [&known, &new, &leaving] {
        world.run(pod);
    }
    world.recorded(&[&known, &leaving]).await;
    world.start();
    world.pass(Duration::from_secs(110)).await;
    assert_eq!(world.cloud.held(&world.group), ["10.0.0.1:80", "10.0.0.3:80"], "its Lease lasts");
    world.pass(Duration::from_secs(20)).await;
    assert_eq!(world.cloud.held(&world.group), ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"]);

    // A pod that is merely being deleted is the agent's business; one that is gone is proof.
    let mut going = leaving.clone();
    going.life = lath_kubernetes::pod::Life::Leaving;
    world.cluster.update(|cluster| cluster.run(going));
    let path = "/api/v1/namespaces/shop/pods/leaving";
    let mut stored = world.store.get(path).unwrap();
    stored["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
    world.store.put(path, stored);
    world.end(&known);
    world.pass(Duration::from_secs(10)).await;
    assert_eq!(world.cloud.held(&world.group), ["10.0.0.2:80", "10.0.0.3:80"]);
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_the_watch_has_lost_and_the_store_shows_alive_is_left_alone() {
    let world = World::new().await;
    world.run(&pod("a", 1));
    let stored = json!({ "metadata": { "name": "lath-agent-n1" }, "spec": { "leaseDurationSeconds": 120 } });
    world.store.put("/apis/coordination.k8s.io/v1/namespaces/lath/leases/lath-agent-n1", stored);
    world.start();
    world.pass(Duration::from_mins(5)).await;
    assert_eq!(world.cloud.held(&world.group), [""; 0]);
    assert!(world.record().is_none());
}

#[tokio::test(start_paused = true)]
async fn what_a_node_that_is_gone_had_registered_goes_but_not_what_another_pod_has_by_now() {
    let world = World::new().await;
    let (a, b) = (pod("a", 1), pod("b", 2));
    world.run(&a);
    world.run(&b);
    world.recorded(&[&a, &b]).await;
    let gone = crate::cluster::objects::Node { name: "n1".into(), boot_id: String::new() };
    world.cluster.update(|cluster| cluster.apply(Update::Nodes(Change::Deleted(gone)), Instant::now()));
    world.start();
    world.pass(Duration::from_secs(20)).await;
    assert_eq!(world.cloud.held(&world.group).len(), 2, "the store still has the node");

    let mut heir = pod("heir", 2);
    heir.node = "n2".into();
    world.end(&b);
    world.run(&heir);
    world.store.remove("/api/v1/nodes/n1");
    world.pass(Duration::from_secs(20)).await;
    assert_eq!(world.cloud.held(&world.group), ["10.0.0.2:80"]);
    let left = world.record().expect("nobody has recorded the target for the heir").spec;
    assert_eq!((left.writer, left.summary.targets, left.summary.pending), (Writer::Controller, 0, 1));
    let calls = world.cloud.simulator.calls().get("DeregisterTargets").copied();

    let mut record = node_targets("n2", 1, &[(&heir, RecordState::Registered)]);
    record.spec.groups[0].arn = world.group.to_string();
    world.cluster.update(|cluster| cluster.record(record));
    world.pass(Duration::from_secs(40)).await;
    assert_eq!(world.cloud.held(&world.group), ["10.0.0.2:80"]);
    assert!(world.record().is_none(), "the heir's node answers for it");
    assert_eq!(world.cloud.simulator.calls().get("DeregisterTargets").copied(), calls);
}

#[tokio::test(start_paused = true)]
async fn what_an_heir_never_took_over_goes_when_the_heir_does() {
    let world = World::new().await;
    let a = pod("a", 1);
    world.run(&a);
    world.recorded(&[&a]).await;
    let gone = crate::cluster::objects::Node { name: "n1".into(), boot_id: String::new() };
    world.cluster.update(|cluster| cluster.apply(Update::Nodes(Change::Deleted(gone)), Instant::now()));
    world.store.remove("/api/v1/nodes/n1");
    world.end(&a);
    let mut heir = pod("heir", 1);
    heir.node = "n2".into();
    world.run(&heir);
    world.start();
    world.pass(Duration::from_secs(20)).await;
    assert_eq!(world.cloud.held(&world.group), ["10.0.0.1:80"]);

    world.end(&heir);
    world.pass(Duration::from_secs(20)).await;
    assert_eq!(world.cloud.held(&world.group), [""; 0]);
    assert!(world.record().is_none());
}
