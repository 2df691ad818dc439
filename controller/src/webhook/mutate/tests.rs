//! Pods in, patches out.

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

fn rules(sleep_seconds: u32) -> Rules {
    Rules { namespace: "lath-system".into(), sleep_seconds }
}

fn judge(pod: &Value, namespace: &str, bound: bool, seconds: u32) -> Result<Change, Left> {
    let pod: Pod = serde_json::from_value(pod.clone()).unwrap();
    change(&pod, namespace, &rules(seconds), |_| bound)
}

/// What RFC 6902 makes of the pod.
fn apply(pod: &Value, patch: &[Operation]) -> Value {
    let mut pod = pod.clone();
    for Operation { op, path, value } in patch {
        assert_eq!(*op, "add");
        let (place, member) = path.rsplit_once('/').unwrap();
        match pod.pointer_mut(place).unwrap_or_else(|| panic!("{path} leads nowhere")) {
            Value::Object(object) => drop(object.insert(member.into(), value.clone())),
            Value::Array(array) if member == "-" => array.push(value.clone()),
            other => panic!("{path} leads to {other}"),
        }
    }
    pod
}

fn check(pod: &Value, bound: bool, expected: &Expect) {
    let lines: Vec<String> = match judge(pod, "shop", bound, 30) {
        Ok(change) => {
            change.patch.iter().map(|operation| format!("{} {}\n", operation.path, operation.value)).collect()
        }
        Err(left) => vec![format!("{}\n", left.as_str())],
    };
    expected.assert_eq(&lines.concat());
}

#[test]
fn a_pod_gets_what_it_lacks() {
    let web = json!({
        "metadata": { "labels": { "app": "web" } },
        "spec": {
            "containers": [{ "name": "a" }, { "name": "b" }],
            "initContainers": [{ "name": "setup" }, { "name": "sidecar", "restartPolicy": "Always" }],
            "restartPolicy": "Always", "terminationGracePeriodSeconds": 30,
        },
    });
    check(
        &web,
        true,
        &expect![[r#"
            /spec/readinessGates [{"conditionType":"lath.dev/target-health"}]
            /spec/containers/0/lifecycle {"preStop":{"sleep":{"seconds":30}}}
            /spec/containers/1/lifecycle {"preStop":{"sleep":{"seconds":30}}}
            /spec/terminationGracePeriodSeconds 60
        "#]],
    );
    check(
        &web,
        false,
        &expect![[r#"
            /spec/containers/0/lifecycle {"preStop":{"sleep":{"seconds":30}}}
            /spec/containers/1/lifecycle {"preStop":{"sleep":{"seconds":30}}}
            /spec/terminationGracePeriodSeconds 60
        "#]],
    );
}

#[test]
fn what_a_pod_has_is_its_own() {
    let some = json!({
        "spec": {
            "containers": [
                { "lifecycle": { "preStop": { "exec": { "command": ["drain"] } } } },
                { "lifecycle": { "postStart": { "sleep": { "seconds": 1 } } } },
                { "lifecycle": { "preStop": null } },
                { "lifecycle": null },
            ],
            "readinessGates": [{ "conditionType": "example.com/warm" }],
            "terminationGracePeriodSeconds": 31,
        },
    });
    check(
        &some,
        true,
        &expect![[r#"
            /spec/readinessGates/- {"conditionType":"lath.dev/target-health"}
            /spec/containers/1/lifecycle/preStop {"sleep":{"seconds":30}}
            /spec/containers/2/lifecycle/preStop {"sleep":{"seconds":30}}
            /spec/containers/3/lifecycle {"preStop":{"sleep":{"seconds":30}}}
        "#]],
    );
    for gate in names::GATES {
        let whole = json!({
            "spec": {
                "containers": [{ "lifecycle": { "preStop": { "sleep": { "seconds": 5 } } } }],
                "readinessGates": [{ "conditionType": gate }], "terminationGracePeriodSeconds": 5,
            },
        });
        check(&whole, true, &expect!["complete\n"]);
    }
}

#[test]
fn the_grace_period_covers_the_sleep_and_what_it_was_meant_for() {
    for (grace, seconds, raised) in [
        (json!(null), 30, Some(60)),
        (json!(null), 10, None),
        (json!(5), 30, Some(35)),
        (json!(30), 30, Some(60)),
        (json!(31), 30, None),
        (json!(-1), 30, Some(31)),
        (json!(i64::MIN), 3_600, Some(3_601)),
        (json!(i64::MAX), 3_600, None),
    ] {
        let pod = json!({ "spec": { "containers": [{}], "terminationGracePeriodSeconds": grace } });
        let patched = apply(&pod, &judge(&pod, "shop", false, seconds).unwrap().patch);
        let expected = raised.map_or(grace.clone(), |raised| json!(raised));
        assert_eq!(patched["spec"]["terminationGracePeriodSeconds"], expected, "{grace} {seconds}");
    }
    let at_once = json!({ "spec": { "containers": [{}], "terminationGracePeriodSeconds": 0 } });
    check(&at_once, false, &expect!["complete\n"]);
}

#[test]
fn without_a_sleep_there_is_the_gate_alone() {
    let pod = json!({ "spec": { "containers": [{}] } });
    let change = judge(&pod, "shop", true, 0).unwrap();
    assert!(change.gate && !change.sleep && change.patch.len() == 1, "{change:?}");
    assert_eq!(judge(&pod, "shop", false, 0), Err(Left::Complete));
}

#[test]
fn some_pods_are_left_alone() {
    let pod = |metadata: Value, spec: Value| {
        let mut pod = json!({ "metadata": metadata, "spec": { "containers": [{}] } });
        for (name, value) in spec.as_object().unwrap() {
            pod["spec"][name] = value.clone();
        }
        pod
    };
    let opted_out = json!({ "labels": { "lath.dev/inject": "disabled" } });
    let mirror = json!({ "annotations": { "kubernetes.io/config.mirror": "0" } });
    for (pod, namespace, left) in [
        (pod(opted_out, json!({})), "shop", Left::OptedOut),
        (pod(mirror, json!({})), "shop", Left::Mirror),
        (pod(json!(null), json!({ "hostNetwork": true })), "shop", Left::HostNetwork),
        (pod(json!({}), json!({ "restartPolicy": "Never" })), "shop", Left::RunsToEnd),
        (pod(json!({}), json!({ "restartPolicy": "OnFailure" })), "shop", Left::RunsToEnd),
        (pod(json!({}), json!({})), "lath-system", Left::OwnNamespace),
        (pod(json!({}), json!({ "containers": vec![json!({}); 257] })), "shop", Left::TooLarge),
        (json!({ "metadata": {} }), "shop", Left::Unreadable),
    ] {
        assert_eq!(judge(&pod, namespace, true, 30), Err(left), "{pod}");
    }
    let enabled = json!({ "labels": { "lath.dev/inject": "enabled" } });
    assert!(judge(&pod(enabled, json!({ "hostNetwork": false })), "shop", true, 30).is_ok());
}

fn container() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!({ "name": "a" })),
        Just(json!({ "name": "a", "lifecycle": null })),
        Just(json!({ "name": "a", "lifecycle": {} })),
        Just(json!({ "name": "a", "lifecycle": { "preStop": null } })),
        Just(json!({ "name": "a", "lifecycle": { "preStop": { "httpGet": { "port": 80 } } } })),
        Just(json!({ "name": "a", "lifecycle": { "postStart": { "exec": {} } }, "image": "x" })),
    ]
}

fn pod() -> impl Strategy<Value = Value> {
    let gate = prop_oneof![
        Just("example.com/warm"),
        Just("lath.dev/target-health"),
        Just("application-networking.k8s.aws/pod-readiness-gate"),
    ];
    let gates = prop_oneof![
        Just(json!(null)),
        proptest::collection::vec(gate, 0..3).prop_map(|gates| {
            gates.into_iter().map(|gate| json!({ "conditionType": gate })).collect::<Value>()
        }),
    ];
    let grace =
        prop_oneof![Just(json!(null)), any::<i64>().prop_map(Value::from), (0_i64..90).prop_map(Value::from)];
    (proptest::collection::vec(container(), 0..4), gates, grace, any::<bool>()).prop_map(
        |(containers, gates, grace, lean)| {
            let mut spec = json!({
                "containers": containers, "readinessGates": gates, "terminationGracePeriodSeconds": grace,
            });
            if lean {
                spec.as_object_mut().unwrap().retain(|_, value| !value.is_null());
            }
            json!({ "metadata": { "name": "web" }, "spec": spec })
        },
    )
}

proptest! {
    #[test]
    fn a_patched_pod_lacks_nothing_and_keeps_what_it_had(
        pod in pod(), bound in any::<bool>(), seconds in 0_u32..=3_600,
    ) {
        let Ok(change) = judge(&pod, "shop", bound, seconds) else { return Ok(()) };
        let patched = apply(&pod, &change.patch);
        prop_assert_eq!(judge(&patched, "shop", bound, seconds), Err(Left::Complete));
        prop_assert_eq!(judge(&patched, "shop", false, seconds), Err(Left::Complete));

        let count = |pod: &Value| pod["spec"]["containers"].as_array().map_or(0, Vec::len);
        prop_assert_eq!(count(&pod), count(&patched));
        for index in 0..count(&pod) {
            let own = &pod["spec"]["containers"][index]["lifecycle"]["preStop"];
            let now = &patched["spec"]["containers"][index]["lifecycle"]["preStop"];
            prop_assert!(own.is_null() || own == now);
        }
        let grace = patched["spec"]["terminationGracePeriodSeconds"].as_i64().unwrap_or(30);
        prop_assert!(!change.sleep || grace > i64::from(seconds), "{patched}");
    }
}
