//! Deleted bindings, against the simulator and a store in memory.

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};
use lath_kubernetes::{node_targets::RecordState, watch::Change};
use serde_json::json;

use super::*;
use crate::{
    cluster::{Update, objects::AgentLease},
    testing::{
        Apply as _, accepted_to, api::Api as Store, cloud::Cloud, cluster, lease, node_targets, pod, target,
    },
};

const PATH: &str = "/apis/lath.dev/v1alpha1/namespaces/shop/targetgroupbindings/web";

/// Lets a binding go whose one target is recorded by a live agent that does nothing. Returns what is held and whether
/// the finalizer is gone after so many seconds.
async fn after(seconds: u64, group_gone: bool) -> (Vec<String>, bool) {
    let cloud = Cloud::new(&[]).await;
    let group = cloud.group("web", true, false).await;
    cloud.register(&group, &[target(1)]).await;
    let store = Store::default();
    let mut binding = accepted_to("web", &group);
    binding.metadata.deletion_timestamp = Some(Time(Timestamp::UNIX_EPOCH));
    binding.metadata.finalizers = Some(vec![names::FINALIZER.into(), "example.com/other".into()]);
    store.put(PATH, serde_json::to_value(&binding).unwrap());
    let mut known = cluster();
    known.bind(binding);
    let a = pod("a", 1);
    let mut record = node_targets("n1", 1, &[(&a, RecordState::Registered)]);
    record.spec.groups[0].arn = group.to_string();
    known.record(record);
    known.run(a);
    let name = ObjectName { namespace: String::new(), name: "lath-agent-n1".into() };
    let lasting = AgentLease { duration: Duration::from_hours(1), ..lease("n1", 0) };
    known.apply(Update::Leases(Change::Applied((name, Some(lasting)))), Instant::now());
    let mut groups = Groups::new(Duration::from_mins(5));
    groups.want(&[group.clone()].into(), Instant::now());
    if group_gone {
        let missing = crate::groups::Finding::Missing { message: "gone".into() };
        groups.settle(&group, Err(missing), Instant::now(), 0.5);
    }
    let metrics = Metrics::default();
    let undertaker = Undertaker {
        cluster: Arc::new(Shared::new(known)),
        groups: Arc::new(Shared::new(groups)),
        calls: Calls::new(cloud.client.clone(), metrics.clone()),
        kube: Kube(store.client()),
        events: Events::new(store.client(), "controller"),
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
    tokio::spawn(undertaker.run());
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let finalizers = store.get(PATH).unwrap()["metadata"]["finalizers"].clone();
    (cloud.held(&group), finalizers == json!(["example.com/other"]))
}

#[tokio::test(start_paused = true)]
async fn a_live_agent_is_waited_for_and_then_done_without() {
    assert_eq!(after(110, false).await, (vec!["10.0.0.1:80".into()], false));
    assert_eq!(after(130, false).await, (vec![], true));
}

#[tokio::test(start_paused = true)]
async fn a_binding_whose_group_is_gone_goes_at_once() {
    assert!(after(1, true).await.1);
}
