//! What differs between hand-made slices and what is recorded of them.

use lath_kubernetes::watch::Change;

use super::*;
use crate::{
    cluster::Update,
    testing::{Apply as _, accepted, arn, binding, cluster, service, target},
};

fn given(mut bound: TargetGroupBinding, recorded: &[&str], ready: &[u8]) -> Vec<Duty> {
    let mut cluster = cluster();
    let mut by_hand = service();
    by_hand.selector.clear();
    cluster.apply(Update::Services(Change::Applied(by_hand)), Instant::now());
    let slice = Slice {
        namespace: "shop".into(),
        name: "web-1".into(),
        service: "web".into(),
        ports: BTreeMap::from([(String::new(), 80)]),
        ready: ready.iter().map(|number| [10, 0, 0, *number].into()).collect(),
    };
    cluster.apply(Update::Slices(Change::Applied(slice)), Instant::now());
    bound.status.get_or_insert_default().endpoints = recorded.iter().map(|text| (*text).to_owned()).collect();
    cluster.bind(bound);
    duties(&cluster, &endpoints::Rules { allowed: true, cidrs: vec!["10.0.0.0/8".parse().unwrap()] })
}

#[tokio::test]
async fn new_endpoints_are_registered_and_vanished_ones_removed() {
    let duties = given(accepted("web", 1), &["10.0.0.1:80", "10.0.0.2:80"], &[2, 3]);
    let [duty] = &duties[..] else { panic!("{duties:?}") };
    assert_eq!(duty.group, arn(1));
    assert_eq!((&duty.register[..], &duty.remove[..]), (&[target(3)][..], &[target(1)][..]));
    assert!(given(accepted("web", 1), &["10.0.0.2:80"], &[2]).is_empty());
}

#[tokio::test]
async fn a_binding_that_is_not_accepted_gets_nothing_new_and_still_loses_what_is_gone() {
    let duties = given(binding("web", 1, 0), &["10.0.0.1:80"], &[3]);
    assert_eq!((&duties[0].register[..], &duties[0].remove[..]), (&[][..], &[target(1)][..]));
}
