//! Hand-made endpoints: what may be a target.

use std::collections::BTreeMap;

use lath_kubernetes::watch::Change;
use tokio::time::Instant;

use super::*;
use crate::{
    cluster::Update,
    testing::{Apply as _, accepted, cluster, pod, service},
};

fn slice(addresses: &[&str]) -> Slice {
    Slice {
        namespace: "shop".into(),
        name: "web-1".into(),
        service: "web".into(),
        ports: BTreeMap::from([(String::new(), 8080)]),
        ready: addresses.iter().map(|address| address.parse().unwrap()).collect(),
    }
}

fn by_hand(slice: Slice) -> Cluster {
    let mut cluster = cluster();
    let mut service = service();
    service.selector.clear();
    cluster.apply(Update::Services(Change::Applied(service)), Instant::now());
    cluster.apply(Update::Slices(Change::Applied(slice)), Instant::now());
    cluster
}

fn rules() -> Rules {
    Rules { allowed: true, cidrs: vec!["10.0.0.0/16".parse().unwrap()] }
}

#[tokio::test]
async fn addresses_inside_the_vpc_that_are_nobody_elses_become_targets() {
    let mut cluster = by_hand(slice(&["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.1.0.1", "fd00::1"]));
    let mut foreign = pod("theirs", 2);
    foreign.namespace = "bar".into();
    cluster.run(foreign);
    cluster.run(pod("ours", 3));
    let manual = desired(&cluster, &accepted("web", 1), &rules());
    let targets: Vec<String> = manual.targets.iter().map(ToString::to_string).collect();
    assert_eq!(targets, ["10.0.0.1:8080", "10.0.0.3:8080"]);
    let refused = manual.refused.join("; ");
    assert!(refused.contains("10.0.0.2:8080 is the address of a pod of namespace bar"), "{refused}");
    assert!(refused.contains("10.1.0.1:8080 is in none of the VPC's CIDRs"), "{refused}");
    assert_eq!(manual.refused.len(), 2, "another family is none of this binding's business: {refused}");
}

#[tokio::test]
async fn nothing_counts_where_it_is_not_allowed_or_the_service_selects_pods() {
    let cluster = by_hand(slice(&["10.0.0.1"]));
    let not_allowed = Rules { allowed: false, ..rules() };
    assert_eq!(desired(&cluster, &accepted("web", 1), &not_allowed), Manual::default());
    let mut selecting = by_hand(slice(&["10.0.0.1"]));
    selecting.apply(Update::Services(Change::Applied(service())), Instant::now());
    assert_eq!(desired(&selecting, &accepted("web", 1), &rules()), Manual::default());
}

#[test]
fn a_status_holds_targets_as_socket_addresses() {
    for text in ["10.0.0.1:80", "[fd00::1]:80"] {
        assert_eq!(parse(text).unwrap().to_string(), text);
    }
    assert_eq!(parse("10.0.0.1"), None);
}
