//! Who belongs into a group, over time.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1 as core;
use serde_json::json;

use super::*;

const ARN: &str = "arn:aws:vpc-lattice:us-west-2:123456789012:targetgroup/tg-0123456789abcdef0";

fn binding() -> Binding {
    Binding {
        namespace: "shop".into(),
        group: ARN.parse().unwrap(),
        service: "web".into(),
        port: IntOrString::Int(80),
        family: IpFamily::IPv4,
        policy: EffectivePolicy::Pod,
        unready_after: Duration::from_secs(10),
        share_low: false,
        accepted: true,
        leaving: false,
    }
}

fn service() -> Service {
    let service = json!({
        "metadata": { "name": "web", "namespace": "shop" },
        "spec": { "selector": { "app": "web" }, "ports": [{ "port": 80, "targetPort": 8080 }] }
    });
    Service::from(&serde_json::from_value::<core::Service>(service).unwrap())
}

fn pod(number: u8, ready: bool) -> Pod {
    let status = if ready { "True" } else { "False" };
    let pod = json!({
        "metadata": { "name": format!("web-{number}"), "namespace": "shop", "uid": format!("u{number}"), "labels": { "app": "web" } },
        "spec": { "containers": [] },
        "status": {
            "podIP": format!("10.0.0.{number}"),
            "conditions": [{ "type": "Ready", "status": status }, { "type": "ContainersReady", "status": status }]
        }
    });
    Pod::from(&serde_json::from_value::<core::Pod>(pod).unwrap())
}

/// The numbers of the pods that belong, and when to decide again.
fn decide(members: &mut Members, binding: &Binding, pods: &[Pod]) -> (Vec<u8>, Option<Duration>) {
    decide_first(members, binding, pods, &[])
}

fn decide_first(
    members: &mut Members,
    binding: &Binding,
    pods: &[Pod],
    registered: &[u8],
) -> (Vec<u8>, Option<Duration>) {
    let now = Instant::now();
    let registered: BTreeSet<String> = registered.iter().map(|number| format!("u{number}")).collect();
    let again =
        members.decide(binding, Some(&service()), pods.iter(), |uid, _| registered.contains(uid), now);
    let inside = members
        .targets()
        .map(|(target, _)| match target.address {
            std::net::IpAddr::V4(address) => address.octets()[3],
            std::net::IpAddr::V6(_) => 0,
        })
        .collect();
    (inside, again.map(|again| again - now))
}

async fn pass(seconds: u64) {
    tokio::time::advance(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn a_pod_enters_when_ready_and_leaves_after_unbroken_unreadiness() {
    let (binding, mut members) = (binding(), Members::default());
    assert_eq!(decide(&mut members, &binding, &[pod(1, false)]), (vec![], None));
    assert_eq!(decide(&mut members, &binding, &[pod(1, true)]), (vec![1], None));
    let ten = Some(Duration::from_secs(10));
    assert_eq!(decide(&mut members, &binding, &[pod(1, false)]), (vec![1], ten));
    pass(9).await;
    assert_eq!(decide(&mut members, &binding, &[pod(1, true)]), (vec![1], None));
    assert_eq!(decide(&mut members, &binding, &[pod(1, false)]), (vec![1], ten));
    pass(10).await;
    assert_eq!(decide(&mut members, &binding, &[pod(1, false)]), (vec![], None));
    assert_eq!(decide(&mut members, &binding, &[pod(1, true)]), (vec![1], None));
}

#[tokio::test(start_paused = true)]
async fn with_health_checks_unreadiness_never_takes_a_pod_out() {
    let (binding, mut members) =
        (Binding { policy: EffectivePolicy::HealthCheck, ..binding() }, Members::default());
    decide(&mut members, &binding, &[pod(1, true)]);
    decide(&mut members, &binding, &[pod(1, false)]);
    pass(3_600).await;
    assert_eq!(decide(&mut members, &binding, &[pod(1, false)]), (vec![1], None));
}

#[tokio::test(start_paused = true)]
async fn nobody_is_taken_out_while_most_pods_of_the_service_are_unready() {
    let (mut binding, mut members) = (Binding { share_low: true, ..binding() }, Members::default());
    decide(&mut members, &binding, &[pod(1, true), pod(2, true)]);
    decide(&mut members, &binding, &[pod(1, false), pod(2, false)]);
    pass(60).await;
    assert_eq!(decide(&mut members, &binding, &[pod(1, false), pod(2, false)]), (vec![1, 2], None));
    binding.share_low = false;
    assert_eq!(decide(&mut members, &binding, &[pod(1, false), pod(2, true)]), (vec![2], None));
}

#[tokio::test(start_paused = true)]
async fn without_acceptance_nobody_enters_and_only_those_who_leave_by_themselves_do() {
    let (mut binding, mut members) = (binding(), Members::default());
    decide(&mut members, &binding, &[pod(1, true), pod(2, true)]);
    binding.accepted = false;
    let mut leaving = pod(1, true);
    leaving.life = lath_kubernetes::pod::Life::Leaving;
    let pods = [leaving, pod(2, true), pod(3, true)];
    assert_eq!(decide(&mut members, &binding, &pods), (vec![2], None));
    binding.accepted = true;
    assert_eq!(decide(&mut members, &binding, &pods), (vec![2, 3], None));
    binding.leaving = true;
    assert_eq!(decide(&mut members, &binding, &pods), (vec![], None));
}

#[test]
fn a_change_that_is_not_accepted_yet_changes_nothing() {
    let known = binding();
    let changed = Binding { service: "next".into(), policy: EffectivePolicy::HealthCheck, ..binding() };
    for (what, accepted, leaving, service) in [
        ("accepted", true, false, "next"),
        ("not accepted", false, false, "web"),
        ("being deleted", false, true, "next"),
    ] {
        let mut now = Binding { accepted, leaving, ..changed.clone() };
        now.keep_until_accepted(&known);
        assert_eq!((now.service.as_str(), now.accepted), (service, accepted), "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_registered_before_a_restart_stays_in_although_it_is_unready_now() {
    let (binding, mut members) = (binding(), Members::default());
    let pods = [pod(1, false), pod(2, false)];
    assert_eq!(decide_first(&mut members, &binding, &pods, &[2]), (vec![2], Some(Duration::from_secs(10))));
    pass(10).await;
    assert_eq!(decide_first(&mut members, &binding, &pods, &[2]), (vec![], None), "and only once");
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_gets_another_address_enters_anew() {
    let (binding, mut members) = (binding(), Members::default());
    decide(&mut members, &binding, &[pod(1, true)]);
    let mut moved = pod(9, false);
    moved.uid = "u1".into();
    assert_eq!(decide(&mut members, &binding, &[moved.clone()]), (vec![], None));
    moved.ready = true;
    assert_eq!(decide(&mut members, &binding, &[moved]), (vec![9], None));
}
