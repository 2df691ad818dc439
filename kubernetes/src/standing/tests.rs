//! The rules one by one, on objects as the API server sends them.

use k8s_openapi::{api::core::v1 as core, apimachinery::pkg::util::intstr::IntOrString};
use serde_json::{Value, json};

use super::*;

/// Overlays `change` on a ready pod and on a Service with a named and a numbered port, and tells the standing.
fn stand(pod_change: &Value, service_change: &Value, port: &str, family: IpFamily) -> Standing {
    let mut pod = json!({
        "metadata": { "name": "web-0", "namespace": "shop", "uid": "u0", "labels": { "app": "web", "v": "1" } },
        "spec": {
            "nodeName": "node-0",
            "containers": [
                { "name": "a", "ports": [{ "name": "http", "containerPort": 8080, "protocol": "TCP" }] },
                { "name": "b", "ports": [{ "name": "http", "containerPort": 9090, "protocol": "UDP" }] }
            ]
        },
        "status": {
            "phase": "Running",
            "podIP": "10.0.0.7",
            "podIPs": [{ "ip": "10.0.0.7" }, { "ip": "fd00::7" }],
            "conditions": [{ "type": "Ready", "status": "True" }, { "type": "ContainersReady", "status": "True" }]
        }
    });
    let mut service = json!({
        "metadata": { "name": "web", "namespace": "shop" },
        "spec": {
            "selector": { "app": "web" },
            "ipFamilies": ["IPv4", "IPv6"],
            "ports": [
                { "name": "http", "port": 80, "targetPort": "http", "protocol": "TCP" },
                { "name": "plain", "port": 81, "protocol": "TCP" }
            ]
        }
    });
    merge(&mut pod, pod_change);
    merge(&mut service, service_change);
    let pod = Pod::from(&serde_json::from_value::<core::Pod>(pod).unwrap());
    let service = Service::from(&serde_json::from_value::<core::Service>(service).unwrap());
    let port = service.port(&IntOrString::String(port.into())).unwrap();
    standing(&pod, &service, port, family)
}

/// JSON merge patch.
fn merge(value: &mut Value, change: &Value) {
    match (value, change) {
        (Value::Object(value), Value::Object(change)) => {
            for (key, change) in change {
                merge(value.entry(key.clone()).or_insert(Value::Null), change);
            }
        }
        (value, change) => *value = change.clone(),
    }
}

fn target(address: &str, port: u16) -> Target {
    Target { address: address.parse().unwrap(), port }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn how_a_pod_stands_towards_a_service() {
    use IpFamily::{IPv4, IPv6};
    use Standing::{Out, Ready, Unready};

    let none = json!({});
    let unready =
        json!([{ "type": "Ready", "status": "False" }, { "type": "ContainersReady", "status": "False" }]);
    let contained =
        json!([{ "type": "Ready", "status": "False" }, { "type": "ContainersReady", "status": "True" }]);
    let gate = |names: &[&str]| names.iter().map(|name| json!({ "conditionType": name })).collect::<Vec<_>>();
    let web = target("10.0.0.7", 8080);
    for (what, pod, service, port, family, expected) in [
        ("a ready pod", none.clone(), none.clone(), "http", IPv4, Ready(web)),
        (
            "a port without a target port",
            none.clone(),
            none.clone(),
            "plain",
            IPv4,
            Ready(target("10.0.0.7", 81)),
        ),
        ("the second family", none.clone(), none.clone(), "http", IPv6, Ready(target("fd00::7", 8080))),
        (
            "no address of the family",
            json!({ "status": { "podIPs": [{ "ip": "10.0.0.7" }] } }),
            none.clone(),
            "http",
            IPv6,
            Out(Absence::NoAddress),
        ),
        (
            "no address yet",
            json!({ "status": { "podIP": null, "podIPs": null } }),
            none.clone(),
            "http",
            IPv4,
            Out(Absence::NoAddress),
        ),
        (
            "an old server's podIP alone",
            json!({ "status": { "podIPs": null } }),
            none.clone(),
            "http",
            IPv4,
            Ready(web),
        ),
        (
            "not ready",
            json!({ "status": { "conditions": unready } }),
            none.clone(),
            "http",
            IPv4,
            Unready(web),
        ),
        (
            "not ready, published all the same",
            json!({ "status": { "conditions": unready } }),
            json!({ "spec": { "publishNotReadyAddresses": true } }),
            "http",
            IPv4,
            Ready(web),
        ),
        (
            "only Lath's gates are closed",
            json!({
                "spec": { "readinessGates": gate(&["lath.dev/target-health", "application-networking.k8s.aws/pod-readiness-gate"]) },
                "status": { "conditions": contained }
            }),
            none.clone(),
            "http",
            IPv4,
            Ready(web),
        ),
        (
            "another's gate is closed too",
            json!({
                "spec": { "readinessGates": gate(&["lath.dev/target-health", "example.com/other"]) },
                "status": { "conditions": contained }
            }),
            none.clone(),
            "http",
            IPv4,
            Unready(web),
        ),
        (
            "being deleted",
            json!({ "metadata": { "deletionTimestamp": "2026-01-01T00:00:00Z" } }),
            none.clone(),
            "http",
            IPv4,
            Out(Absence::Leaving),
        ),
        (
            "being deleted, published all the same",
            json!({ "metadata": { "deletionTimestamp": "2026-01-01T00:00:00Z" } }),
            json!({ "spec": { "publishNotReadyAddresses": true } }),
            "http",
            IPv4,
            Out(Absence::Leaving),
        ),
        (
            "a job's pod that is done",
            json!({ "status": { "phase": "Succeeded" } }),
            none.clone(),
            "http",
            IPv4,
            Out(Absence::Ended),
        ),
        (
            "failed",
            json!({ "status": { "phase": "Failed" } }),
            none.clone(),
            "http",
            IPv4,
            Out(Absence::Ended),
        ),
        (
            "other labels",
            json!({ "metadata": { "labels": { "app": "db" } } }),
            none.clone(),
            "http",
            IPv4,
            Out(Absence::NotSelected),
        ),
        (
            "another namespace",
            json!({ "metadata": { "namespace": "bank" } }),
            none.clone(),
            "http",
            IPv4,
            Out(Absence::NotSelected),
        ),
        (
            "no selector",
            none.clone(),
            json!({ "spec": { "selector": null } }),
            "http",
            IPv4,
            Out(Absence::NotSelected),
        ),
        (
            "an alias",
            none.clone(),
            json!({ "spec": { "type": "ExternalName" } }),
            "http",
            IPv4,
            Out(Absence::NotSelected),
        ),
        (
            "a named port that this pod lacks",
            json!({ "spec": { "containers": [{ "name": "a", "ports": [{ "containerPort": 8080 }] }] } }),
            none.clone(),
            "http",
            IPv4,
            Out(Absence::NoPort),
        ),
        (
            "a named port of a sidecar",
            json!({ "spec": {
                "containers": [{ "name": "a" }],
                "initContainers": [{ "name": "s", "restartPolicy": "Always", "ports": [{ "name": "http", "containerPort": 7070 }] }]
            } }),
            none.clone(),
            "http",
            IPv4,
            Ready(target("10.0.0.7", 7070)),
        ),
        (
            "a named port of an init container that ends",
            json!({ "spec": {
                "containers": [{ "name": "a" }],
                "initContainers": [{ "name": "s", "ports": [{ "name": "http", "containerPort": 7070 }] }]
            } }),
            none.clone(),
            "http",
            IPv4,
            Out(Absence::NoPort),
        ),
        (
            "the node's network",
            json!({ "spec": { "hostNetwork": true }, "status": { "podIPs": [{ "ip": "192.168.0.9" }] } }),
            none.clone(),
            "http",
            IPv4,
            Ready(target("192.168.0.9", 8080)),
        ),
    ] {
        assert_eq!(stand(&pod, &service, port, family), expected, "{what}");
    }
}

#[test]
fn gates_that_lath_decides_are_told_apart_from_others() {
    let pod: core::Pod = serde_json::from_value(json!({
        "metadata": { "name": "web-0", "namespace": "shop" },
        "spec": {
            "containers": [{ "name": "a", "lifecycle": { "preStop": { "sleep": { "seconds": 5 } } } }],
            "readinessGates": [{ "conditionType": "example.com/other" }, { "conditionType": "lath.dev/target-health" }]
        },
        "status": { "conditions": [{ "type": "lath.dev/target-health", "status": "True" }] }
    }))
    .unwrap();
    let pod = Pod::from(&pod);
    assert_eq!(pod.gates, [("lath.dev/target-health", true)]);
    assert!(pod.has_pre_stop);
}

#[test]
fn a_port_out_of_range_is_no_port() {
    let service: core::Service = serde_json::from_value(json!({
        "metadata": { "name": "web", "namespace": "shop" },
        "spec": { "ports": [
            { "name": "none", "port": 0 },
            { "name": "big", "port": 70000 },
            { "name": "negative", "port": 80, "targetPort": -1 },
            { "name": "zero", "port": 82, "targetPort": 0 }
        ] }
    }))
    .unwrap();
    let ports = Service::from(&service).ports;
    assert_eq!(ports.len(), 1);
    assert_eq!(ports[0].target, TargetPort::Number(82));
}
