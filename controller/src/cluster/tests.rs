//! The store: what a change touches, and what a relist takes away.

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};
use lath_kubernetes::{pod::Life, watch::Change};
use proptest::prelude::*;
use tokio::time::Instant;

use super::*;
use crate::testing::{
    Apply as _, accepted, arn, binding, cluster, gated, node_targets, pod, service, target,
};

fn touched(cluster: &Cluster, name: &str) -> u64 {
    let name = ObjectName { namespace: "shop".into(), name: name.into() };
    cluster.binding(&name).unwrap().touched
}

#[tokio::test]
async fn a_pod_touches_the_bindings_that_select_it_now_or_did_before() {
    let mut cluster = cluster();
    cluster.bind(binding("web", 1, 0));
    let mut other = pod("other", 1);
    other.labels.clear();
    let before = touched(&cluster, "web");
    cluster.run(other.clone());
    assert_eq!(touched(&cluster, "web"), before);
    cluster.run(pod("other", 1));
    let selected = touched(&cluster, "web");
    assert!(selected > before);
    cluster.run(other);
    assert!(touched(&cluster, "web") > selected);
}

#[tokio::test]
async fn a_binding_or_a_service_touches_every_binding_of_the_same_group() {
    let mut cluster = cluster();
    cluster.bind(binding("one", 1, 0));
    let mut elsewhere = binding("two", 1, 0);
    elsewhere.spec.service.name = "api".into();
    cluster.bind(elsewhere);
    cluster.bind(binding("three", 2, 0));
    let before = (touched(&cluster, "one"), touched(&cluster, "three"));
    let mut api = service();
    api.name = "api".into();
    cluster.apply(Update::Services(Change::Applied(api)), Instant::now());
    assert!(touched(&cluster, "one") > before.0);
    assert_eq!(touched(&cluster, "three"), before.1);
}

#[tokio::test]
async fn only_a_new_spec_or_annotation_counts_as_respecified() {
    let mut cluster = cluster();
    let name = ObjectName { namespace: "shop".into(), name: "web".into() };
    cluster.bind(binding("web", 1, 0));
    let first = cluster.binding(&name).unwrap().respecified;
    cluster.bind(accepted("web", 1));
    assert_eq!(cluster.binding(&name).unwrap().respecified, first, "a status is no spec");
    let mut next = accepted("web", 1);
    next.metadata.generation = Some(2);
    cluster.bind(next);
    assert!(cluster.binding(&name).unwrap().respecified > first);
}

#[tokio::test]
async fn a_relist_removes_what_is_gone_and_keeps_what_cant_be_read() {
    let mut cluster = cluster();
    for (name, number) in [("a", 1), ("b", 2), ("c", 3)] {
        cluster.run(pod(name, number));
    }
    let unreadable = ObjectName { namespace: "shop".into(), name: "b".into() };
    let snapshot = Change::Snapshot { objects: vec![pod("a", 1)], invalid: vec![unreadable] };
    cluster.apply(Update::Pods(snapshot), Instant::now());
    let mut names: Vec<&str> = cluster.pods().map(|pod| pod.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(cluster.pods_at([10, 0, 0, 3].into()).count(), 0);
    assert_eq!(cluster.pods_at([10, 0, 0, 2].into()).count(), 1);
}

#[tokio::test]
async fn a_pod_waits_at_its_gate_while_it_lives_and_the_gate_is_shut() {
    let mut cluster = cluster();
    cluster.run(gated("a", 1));
    assert_eq!(cluster.gated().count(), 1);
    let mut open = gated("a", 1);
    open.gates[0].1 = true;
    cluster.run(open);
    assert_eq!(cluster.gated().count(), 0);
    let mut leaving = gated("a", 1);
    leaving.life = Life::Leaving;
    cluster.run(leaving);
    assert_eq!(cluster.gated().count(), 0);
}

#[tokio::test]
async fn records_are_found_by_group_and_target_and_go_with_the_nodes_record() {
    let mut cluster = cluster();
    let (a, b) = (pod("a", 1), pod("b", 2));
    cluster.record(node_targets("n1", 1, &[(&a, RecordState::Registered), (&b, RecordState::Deregistering)]));
    assert_eq!(cluster.recorded(&arn(1), target(1))[0].uid, "uid-a");
    assert_eq!(cluster.records_of(&arn(1)).count(), 2);
    cluster.record(node_targets("n1", 1, &[(&b, RecordState::Registered)]));
    assert!(cluster.recorded(&arn(1), target(1)).is_empty());
    let gone = Update::NodeTargets(Change::Deleted(node_targets("n1", 1, &[])));
    cluster.apply(gone, Instant::now());
    assert_eq!(cluster.records_of(&arn(1)).count(), 0);
}

#[tokio::test]
async fn nothing_is_judged_before_every_kind_was_listed() {
    let mut empty = Cluster::default();
    empty.apply(Update::Pods(Change::Applied(pod("a", 1))), Instant::now());
    assert!(!empty.complete());
    assert!(cluster().complete());
}

#[test]
fn the_members_of_a_binding_are_the_pods_that_its_service_selects() {
    let mut cluster = cluster();
    let labels = |text: &str| -> BTreeMap<String, String> {
        text.split(',')
            .filter_map(|pair| pair.split_once('='))
            .map(|(key, value)| (key.into(), value.into()))
            .collect()
    };
    let all = ["app=web", "app=web,tier=a", "app=web,tier=b", "tier=a", "app=other,tier=a", ""];
    for (number, text) in (1u8..).zip(all) {
        cluster.run(Pod { labels: labels(text), ..pod(&format!("pod-{number}"), number) });
    }
    // A pod changes its labels, and another one goes.
    cluster.run(Pod { labels: labels("app=web,tier=c"), ..pod("pod-3", 3) });
    cluster.apply(Update::Pods(Change::Deleted(pod("pod-6", 6))), Instant::now());
    for selector in ["app=web", "app=web,tier=a", "tier=a", "app=web,tier=b", "app=none", ""] {
        let service = Service { selector: labels(selector), ..service() };
        cluster.apply(Update::Services(Change::Applied(service.clone())), Instant::now());
        let mut members: Vec<String> =
            cluster.members(&accepted("web", 1)).map(|(pod, _)| pod.name.clone()).collect();
        members.sort();
        let mut slow: Vec<String> =
            cluster.pods().filter(|pod| service.selects(&pod.labels)).map(|pod| pod.name.clone()).collect();
        slow.sort();
        assert_eq!(members, slow, "{selector}");
    }
}

/// What happens to a cluster of a few pods, Services and bindings, each called by a small number.
#[derive(Debug, Clone)]
enum Happening {
    Pod { pod: u8, labels: Vec<(u8, u8)> },
    PodGone(u8),
    Service { service: u8, selector: Vec<(u8, u8)> },
    ServiceGone(u8),
    Binding { binding: u8, service: u8, group: u8, leaves: bool },
    BindingGone(u8),
}

fn happening() -> impl Strategy<Value = Happening> {
    let labels = || prop::collection::vec((0..3_u8, 0..2_u8), 0..3);
    prop_oneof![
        4 => (0..4_u8, labels()).prop_map(|(pod, labels)| Happening::Pod { pod, labels }),
        1 => (0..4_u8).prop_map(Happening::PodGone),
        3 => (0..3_u8, labels()).prop_map(|(service, selector)| Happening::Service { service, selector }),
        1 => (0..3_u8).prop_map(Happening::ServiceGone),
        3 => (0..5_u8, 0..3_u8, 1..4_u8, any::<bool>())
            .prop_map(|(binding, service, group, leaves)| Happening::Binding { binding, service, group, leaves }),
        1 => (0..5_u8).prop_map(Happening::BindingGone),
    ]
}

fn labels(pairs: &[(u8, u8)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| (format!("key-{key}"), format!("value-{value}"))).collect()
}

fn named(kind: &str, number: u8) -> ObjectName {
    ObjectName { namespace: "shop".into(), name: format!("{kind}-{number}") }
}

fn happen(cluster: &mut Cluster, happening: &Happening) {
    let update = match happening {
        Happening::Pod { pod: number, labels: pairs } => {
            let pod = Pod { labels: labels(pairs), ..pod(&named("pod", *number).name, *number) };
            Update::Pods(Change::Applied(pod))
        }
        Happening::PodGone(number) => Update::Pods(Change::Gone(named("pod", *number))),
        Happening::Service { service: number, selector } => {
            let name = named("service", *number).name;
            Update::Services(Change::Applied(Service { name, selector: labels(selector), ..service() }))
        }
        Happening::ServiceGone(number) => Update::Services(Change::Gone(named("service", *number))),
        Happening::Binding { binding: number, service, group, leaves } => {
            let mut binding = binding(&named("binding", *number).name, *group, 0);
            binding.spec.service.name = named("service", *service).name;
            binding.metadata.deletion_timestamp = leaves.then(|| Time(Timestamp::UNIX_EPOCH));
            Update::Bindings(Change::Applied(binding))
        }
        Happening::BindingGone(number) => Update::Bindings(Change::Gone(named("binding", *number))),
    };
    cluster.apply(update, Instant::now());
}

/// The bindings that `happening` concerns, found by a look at all of them in the cluster before and after it.
fn concerned(before: &Cluster, after: &Cluster, happening: &Happening) -> BTreeSet<ObjectName> {
    let selected = |cluster: &Cluster, pod: &ObjectName, binding: &TargetGroupBinding| {
        // Services stay as they are while a pod changes.
        cluster
            .pod(pod)
            .zip(after.service_of(binding))
            .is_some_and(|(pod, service)| service.selects(&pod.labels))
    };
    let groups = |named: &dyn Fn(&ObjectName, &Entry) -> bool| {
        let all = before.bindings().chain(after.bindings());
        all.filter(|(name, entry)| named(name, entry))
            .map(|(_, entry)| entry.group.clone())
            .collect::<BTreeSet<_>>()
    };
    let of_groups = |groups: &BTreeSet<Option<TargetGroupArn>>| {
        let all = after.bindings().filter(|(_, entry)| groups.contains(&entry.group));
        all.map(|(name, _)| name.clone()).collect::<BTreeSet<_>>()
    };
    match happening {
        Happening::Pod { pod: number, .. } | Happening::PodGone(number) => {
            let pod = named("pod", *number);
            let all = after.bindings().filter(|(_, entry)| {
                selected(before, &pod, &entry.binding) || selected(after, &pod, &entry.binding)
            });
            all.map(|(name, _)| name.clone()).collect()
        }
        Happening::Service { service: number, .. } | Happening::ServiceGone(number) => {
            let service = named("service", *number);
            of_groups(&groups(&|_, entry| service_name(&entry.binding) == service))
        }
        Happening::Binding { binding: number, .. } | Happening::BindingGone(number) => {
            let binding = named("binding", *number);
            of_groups(&groups(&|name, _| *name == binding))
        }
    }
}

proptest! {
    #[test]
    fn a_change_touches_what_a_look_at_all_bindings_finds(happenings in prop::collection::vec(happening(), 1..40)) {
        let (mut cluster, mut before) = (Cluster::default(), Cluster::default());
        for one in &happenings {
            happen(&mut cluster, one);
            let now = cluster.revision();
            let touched: BTreeSet<_> =
                cluster.bindings().filter(|(_, entry)| entry.touched == now).map(|(name, _)| name.clone()).collect();
            prop_assert_eq!(touched, concerned(&before, &cluster, one));
            let leaving = |cluster: &Cluster| -> BTreeSet<_> {
                cluster.leaving().map(|(name, _)| name.clone()).collect()
            };
            let left = cluster.bindings().filter(|(_, entry)| entry.binding.metadata.deletion_timestamp.is_some());
            prop_assert_eq!(leaving(&cluster), left.map(|(name, _)| name.clone()).collect());
            happen(&mut before, one);
        }
    }
}
