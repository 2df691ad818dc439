//! What is done for nodes without an agent.

use lath_kubernetes::pod::Life;

use super::*;
use crate::testing::{Apply as _, accepted, arn, binding, cluster, node_targets, pod, target};

fn plan(cluster: &Cluster) -> Plan {
    plans(cluster, &["n1".to_owned()].into()).remove("n1").unwrap_or_default()
}

fn held(name: &str, number: u8) -> Held {
    Held {
        group: arn(1),
        target: target(number),
        pod: ObjectName { namespace: "shop".into(), name: name.into() },
        uid: format!("uid-{name}"),
    }
}

#[tokio::test]
async fn ready_pods_are_registered_and_vanished_ones_suspected() {
    let mut cluster = cluster();
    cluster.bind(accepted("web", 1));
    cluster.run(pod("new", 1));
    cluster.run(pod("known", 2));
    let mut unready = pod("unready", 3);
    unready.ready_but_for_gates = false;
    cluster.run(unready.clone());
    let mut elsewhere = pod("elsewhere", 4);
    elsewhere.node = "n2".into();
    cluster.run(elsewhere);
    let mut leaving = pod("leaving", 6);
    leaving.life = Life::Leaving;
    cluster.run(leaving.clone());
    let (known, gone) = (pod("known", 2), pod("gone", 5));
    let recorded = [&known, &unready, &gone, &leaving].map(|pod| (pod, RecordState::Registered));
    cluster.record(node_targets("n1", 1, &recorded));
    let plan = plan(&cluster);
    assert_eq!(plan.register, [held("new", 1)].into());
    assert_eq!(plan.suspects, [held("gone", 5), held("leaving", 6)].into());
}

#[tokio::test]
async fn a_registration_that_was_recorded_and_not_answered_is_made_again() {
    let mut cluster = cluster();
    cluster.bind(accepted("web", 1));
    let a = pod("a", 1);
    cluster.run(a.clone());
    cluster.record(node_targets("n1", 1, &[(&a, RecordState::Registering)]));
    assert_eq!(plan(&cluster).register, [held("a", 1)].into());
}

#[tokio::test]
async fn nothing_is_registered_for_a_binding_that_is_not_accepted_and_nothing_suspected_while_it_stands() {
    let mut cluster = cluster();
    cluster.bind(binding("web", 1, 0));
    let a = pod("a", 1);
    cluster.run(a.clone());
    cluster.record(node_targets("n1", 1, &[(&a, RecordState::Registered)]));
    assert!(plan(&cluster).is_empty(), "{:?}", plan(&cluster));
}

#[tokio::test]
async fn what_no_binding_wants_any_more_is_suspected() {
    let mut cluster = cluster();
    let a = pod("a", 1);
    cluster.run(a.clone());
    cluster.record(node_targets("n1", 1, &[(&a, RecordState::Registered)]));
    assert_eq!(plan(&cluster).suspects, [held("a", 1)].into(), "no binding at all");
    cluster.bind(accepted("web", 1));
    assert!(plan(&cluster).is_empty());
    let mut relabelled = a;
    relabelled.labels.clear();
    cluster.run(relabelled);
    assert_eq!(plan(&cluster).suspects, [held("a", 1)].into(), "not selected");
}

#[test]
fn a_record_is_amended_in_order_and_counted() {
    let a = pod("a", 1);
    let spec = node_targets("n1", 1, &[(&a, RecordState::Registered)]).spec;
    let mut elsewhere = held("b", 2);
    elsewhere.group = arn(0);
    let set =
        BTreeMap::from([(elsewhere, RecordState::Registering), (held("c", 3), RecordState::Registered)]);
    let amended = amend(&spec, "boot-2", &set, &[held("a", 1)].into());
    assert_eq!(amended.boot_id, "boot-2");
    assert_eq!(amended.writer, Writer::Controller);
    assert_eq!((amended.summary.groups, amended.summary.targets, amended.summary.pending), (2, 1, 1));
    let arns: Vec<&str> = amended.groups.iter().map(|group| group.arn.as_str()).collect();
    assert_eq!(arns, [arn(0).as_str(), arn(1).as_str()]);
    assert_eq!(amended.groups[1].targets[0].pod, "shop/c");
}

#[tokio::test]
async fn what_an_agent_may_have_registered_is_told_by_its_nodes_pods() {
    let mut cluster = cluster();
    cluster.bind(accepted("web", 1));
    cluster.bind(binding("waiting", 2, 0));
    cluster.run(pod("ready", 1));
    let mut unready = pod("unready", 2);
    unready.ready_but_for_gates = false;
    cluster.run(unready);
    let mut elsewhere = pod("elsewhere", 3);
    elsewhere.node = "n2".into();
    cluster.run(elsewhere);
    let mut ended = pod("ended", 4);
    ended.life = Life::Ended;
    cluster.run(ended);
    assert_eq!(members_on(&cluster, "n1"), [held("ready", 1), held("unready", 2)].into());
}
