//! Random pods, Services and changes: every field that the rule looks at, in every combination that the API server takes.

use fastrand::Rng;
use lath_kubernetes::names;
use serde_json::{Map, Value, json};

/// A gate that is not Lath's.
const OTHER_GATE: &str = "example.com/warm";

/// What becomes of a pod.
pub(super) enum Change {
    Nothing,
    Readiness(Value),
    /// It ends, in this phase.
    End(&'static str),
    Labels(Value),
    Deletion,
}

fn pick<'a>(random: &mut Rng, from: &[&'a str]) -> &'a str {
    from[random.usize(..from.len())]
}

fn one_in(random: &mut Rng, number: u32) -> bool {
    random.u32(..number) == 0
}

/// The labels that Services select by.
fn labels(random: &mut Rng) -> Value {
    json!({ "app": pick(random, &["a", "b"]), "tier": pick(random, &["x", "y"]) })
}

/// A container, or a sidecar, with up to two named ports. Names are unique in it and may come again in another one.
fn container(random: &mut Rng, name: &str) -> Value {
    let mut ports = Vec::new();
    for port in ["http", "admin"] {
        if random.bool() {
            let number = [8080, 8443, 9090][random.usize(..3)];
            ports.push(json!({ "name": port, "containerPort": number, "protocol": pick(random, &["TCP", "TCP", "UDP"]) }));
        }
    }
    // The API server takes one number and protocol once in a container that uses the node's network.
    ports.dedup_by(|one, other| one["containerPort"] == other["containerPort"]);
    json!({ "name": name, "image": "test-server", "ports": ports })
}

/// A pod and the status that its node would give it.
pub(super) fn any_pod(random: &mut Rng, number: u32) -> (Value, Value) {
    let mut containers = vec![container(random, "main")];
    if one_in(random, 3) {
        containers.push(container(random, "second"));
    }
    let mut init = Vec::new();
    if one_in(random, 3) {
        let mut sidecar = container(random, "sidecar");
        if random.bool() {
            sidecar["restartPolicy"] = "Always".into();
        }
        init.push(sidecar);
    }
    let mut gates = Vec::new();
    for gate in [names::GATE, names::AWS_GATE, OTHER_GATE] {
        if one_in(random, 3) {
            gates.push(json!({ "conditionType": gate }));
        }
    }
    let host = one_in(random, 8);
    if host {
        // Two containers that want one port of the node can't be.
        containers.truncate(1);
        init.clear();
    }
    let pod = json!({
        "metadata": { "name": format!("p{number}"), "labels": labels(random) },
        "spec": {
            "nodeName": super::NODE, "containers": containers, "initContainers": init,
            "readinessGates": gates, "hostNetwork": host, "restartPolicy": "Always",
        },
    });
    (pod, any_status(random, number, host))
}

/// The addresses of a pod. In the node's network all pods have the same.
fn addresses(random: &mut Rng, number: u32, host: bool) -> Value {
    let (third, fourth) = if host { (0, 1) } else { (1 + number / 200, 1 + number % 200) };
    let v4 = json!({ "ip": format!("10.250.{third}.{fourth}") });
    let v6 = json!({ "ip": format!("fd00:250::{third}:{fourth}") });
    match random.u32(..8) {
        0 => json!([]),
        1 => json!([v4]),
        2 => json!([v6]),
        _ => json!([v4, v6]),
    }
}

fn any_status(random: &mut Rng, number: u32, host: bool) -> Value {
    let mut status = readiness(random);
    let addresses = addresses(random, number, host);
    if let Some(first) = addresses.get(0) {
        status["podIP"] = first["ip"].clone();
        status["podIPs"] = addresses;
    }
    status["phase"] = phase(random).into();
    status
}

fn phase(random: &mut Rng) -> &'static str {
    match random.u32(..10) {
        0 => "Pending",
        1 => "Succeeded",
        2 => "Failed",
        _ => "Running",
    }
}

/// Conditions as they come, consistent or not: rule and controller look at Ready alone, and the rule at the rest where a
/// gate of ours may be all that is missing.
fn readiness(random: &mut Rng) -> Value {
    let mut conditions = Vec::new();
    for kind in ["Ready", "ContainersReady", names::GATE, names::AWS_GATE, OTHER_GATE] {
        if !one_in(random, 4) {
            conditions
                .push(json!({ "type": kind, "status": pick(random, &["True", "True", "False", "Unknown"]) }));
        }
    }
    json!({ "conditions": conditions })
}

pub(super) fn any_change(random: &mut Rng) -> Change {
    match random.u32(..6) {
        0 => Change::Nothing,
        1 => Change::Deletion,
        2 => Change::Labels(labels(random)),
        3 => Change::End(if random.bool() { "Succeeded" } else { "Failed" }),
        _ => Change::Readiness(readiness(random)),
    }
}

/// A Service; some select nothing, some are aliases.
pub(super) fn any_service(random: &mut Rng, name: &str) -> Value {
    let mut ports = Vec::new();
    for number in 0..random.u32(1..4) {
        let mut port = Map::new();
        port.insert("name".into(), format!("port-{number}").into());
        port.insert("port".into(), (80 + number).into());
        port.insert("protocol".into(), pick(random, &["TCP", "TCP", "TCP", "UDP"]).into());
        match random.u32(..5) {
            0 => {}
            1 => drop(port.insert("targetPort".into(), 8080.into())),
            2 => drop(port.insert("targetPort".into(), "admin".into())),
            _ => drop(port.insert("targetPort".into(), "http".into())),
        }
        ports.push(Value::Object(port));
    }
    if ports.len() == 1 && random.bool() {
        ports[0]["name"].take();
    }
    let selector = match random.u32(..8) {
        0 => Value::Null,
        1..4 => json!({ "app": "a", "tier": pick(random, &["x", "y"]) }),
        _ => json!({ "app": pick(random, &["a", "b"]) }),
    };
    let mut spec =
        json!({ "ports": ports, "selector": selector, "publishNotReadyAddresses": one_in(random, 4) });
    if one_in(random, 12) {
        spec["type"] = "ExternalName".into();
        spec["externalName"] = "example.com".into();
    } else {
        if one_in(random, 4) {
            spec["clusterIP"] = "None".into();
        }
        match random.u32(..3) {
            0 => spec["ipFamilyPolicy"] = "RequireDualStack".into(),
            1 => spec["ipFamilies"] = json!(["IPv6"]),
            _ => {}
        }
    }
    json!({ "metadata": { "name": name }, "spec": spec })
}
