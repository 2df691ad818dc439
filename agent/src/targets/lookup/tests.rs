//! Who has a right to an address.

use lath_kubernetes::node_targets::{GroupRecord, RecordState, TargetRecord};
use serde_json::json;

use super::*;

const ARN: &str = "arn:aws:vpc-lattice:us-west-2:123456789012:targetgroup/tg-0123456789abcdef0";

fn question() -> Question {
    let binding = serde_json::from_value::<lath_kubernetes::TargetGroupBinding>(json!({
        "apiVersion": "lath.dev/v1alpha1", "kind": "TargetGroupBinding",
        "metadata": { "name": "web", "namespace": "shop" },
        "spec": {
            "targetGroup": { "arn": ARN },
            "service": { "name": "web", "port": 80 }
        }
    }));
    let service = serde_json::from_value::<core::Service>(json!({
        "metadata": { "name": "web", "namespace": "shop" },
        "spec": { "selector": { "app": "web" }, "ports": [{ "port": 80, "targetPort": 8080 }] }
    }));
    Question {
        group: ARN.parse().unwrap(),
        target: Target { address: [10, 0, 0, 1].into(), port: 8080 },
        claims: vec![(Binding::try_from(&binding.unwrap()).unwrap(), Service::from(&service.unwrap()))],
    }
}

fn pod(uid: &str, node: &str, app: &str, ready: bool, phase: &str) -> Pod {
    let status = if ready { "True" } else { "False" };
    let pod = json!({
        "metadata": { "name": uid, "namespace": "shop", "uid": uid, "labels": { "app": app } },
        "spec": { "nodeName": node, "containers": [] },
        "status": {
            "phase": phase, "podIPs": [{ "ip": "10.0.0.1" }],
            "conditions": [{ "type": "Ready", "status": status }]
        }
    });
    Pod::from(&serde_json::from_value::<core::Pod>(pod).unwrap())
}

#[test]
fn an_address_is_anothers_when_a_pod_of_the_group_has_it() {
    use Answer::{Elsewhere, Nobody, Wait};

    let running = |uid, node, ready| pod(uid, node, "web", ready, "Running");
    let (ready, unready) = (running("new", "other", true), running("new", "other", false));
    for (what, pods, expected) in [
        ("nobody", vec![], Nobody),
        ("one that has ended", vec![pod("new", "other", "web", true, "Succeeded")], Nobody),
        ("one of another Service", vec![pod("new", "other", "else", true, "Running")], Nobody),
        ("a ready one elsewhere", vec![ready.clone()], Elsewhere(vec![&ready])),
        ("an unready one elsewhere", vec![unready.clone()], Elsewhere(vec![&unready])),
        ("a ready one here, the pod itself perhaps", vec![running("new", "mine", true)], Wait),
        ("an unready one here", vec![running("new", "mine", false)], Nobody),
        ("several", vec![running("a", "mine", true), ready.clone()], Elsewhere(vec![&ready])),
    ] {
        assert_eq!(question().answer("mine", &pods), expected, "{what}");
    }
}

#[test]
fn only_what_is_recorded_for_the_very_pod_is_left_to_its_node() {
    let pod = pod("new", "other", "web", true, "Running");
    let record = |uid: &str, port, state| NodeTargetsSpec {
        groups: vec![GroupRecord {
            arn: ARN.into(),
            targets: vec![TargetRecord {
                address: "10.0.0.1".into(),
                port,
                pod: "shop/web".into(),
                pod_uid: uid.into(),
                state,
            }],
        }],
        ..NodeTargetsSpec::default()
    };
    for (what, record, expected) in [
        ("registered for it", record("new", 8080, RecordState::Registered), true),
        ("not yet registered", record("new", 8080, RecordState::Registering), false),
        ("on its way out", record("new", 8080, RecordState::Deregistering), false),
        ("for the pod before it", record("old", 8080, RecordState::Registered), false),
        ("another port", record("new", 8081, RecordState::Registered), false),
        ("nothing", NodeTargetsSpec::default(), false),
    ] {
        assert_eq!(question().is_recorded(&pod, &record), expected, "{what}");
    }
}
