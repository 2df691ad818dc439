//! Who has a right to an address.

use serde_json::json;

use super::*;

fn question() -> Question {
    let binding = serde_json::from_value::<lath_kubernetes::TargetGroupBinding>(json!({
        "apiVersion": "lath.dev/v1alpha1", "kind": "TargetGroupBinding",
        "metadata": { "name": "web", "namespace": "shop" },
        "spec": {
            "targetGroup": { "arn": "arn:aws:vpc-lattice:us-west-2:123456789012:targetgroup/tg-0123456789abcdef0" },
            "service": { "name": "web", "port": 80 }
        }
    }));
    let service = serde_json::from_value::<core::Service>(json!({
        "metadata": { "name": "web", "namespace": "shop" },
        "spec": { "selector": { "app": "web" }, "ports": [{ "port": 80, "targetPort": 8080 }] }
    }));
    Question {
        target: Target { address: [10, 0, 0, 1].into(), port: 8080 },
        node: "mine".into(),
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
fn an_address_is_anothers_when_its_agent_is_sure_to_answer_for_it() {
    for (what, pods, expected) in [
        ("nobody", vec![], Some(false)),
        ("one that has ended", vec![pod("new", "other", "web", true, "Succeeded")], Some(false)),
        ("one of another Service", vec![pod("new", "other", "else", true, "Running")], Some(false)),
        ("a ready one elsewhere", vec![pod("new", "other", "web", true, "Running")], Some(true)),
        ("an unready one elsewhere", vec![pod("new", "other", "web", false, "Running")], None),
        ("a ready one here, the pod itself perhaps", vec![pod("new", "mine", "web", true, "Running")], None),
        ("an unready one here", vec![pod("new", "mine", "web", false, "Running")], Some(false)),
        (
            "several",
            vec![pod("a", "mine", "web", false, "Running"), pod("b", "other", "web", true, "Running")],
            Some(true),
        ),
    ] {
        assert_eq!(question().answer(pods.into_iter()), expected, "{what}");
    }
}
