//! Kubernetes objects as tests need them.

use k8s_openapi::{
    api::core::v1 as core,
    apimachinery::pkg::{
        apis::meta::v1::{Condition, Time},
        util::intstr::IntOrString,
    },
    jiff::Timestamp,
};
use lath_kubernetes::{
    TargetGroupBinding,
    binding::{ServiceReference, TargetGroupBindingSpec, TargetGroupBindingStatus, TargetGroupReference},
    names,
};
use lattice::{TargetGroupArn, target::IpFamily};
use serde_json::{Value, json};

/// The namespace of everything.
pub(crate) const NAMESPACE: &str = "shop";

/// The port on which pods listen unless they say otherwise.
pub(crate) const PORT: u16 = 8080;

/// A ready pod with the label `app: web`, whose only container names port 8080 `http`.
pub(crate) fn pod(node: &str, name: &str, address: &str) -> core::Pod {
    let mut pod = from(json!({
        "metadata": { "name": name, "namespace": NAMESPACE, "labels": { "app": "web" } },
        "spec": {
            "nodeName": node,
            "containers": [{ "name": "main", "ports": [{ "name": "http", "containerPort": PORT, "protocol": "TCP" }] }]
        },
        "status": { "phase": "Running" }
    }));
    set_addresses(&mut pod, &[address]);
    set_ready(&mut pod, true);
    pod
}

fn from(value: Value) -> core::Pod {
    serde_json::from_value(value).unwrap()
}

/// Gives a pod its addresses, the primary first.
pub(crate) fn set_addresses(pod: &mut core::Pod, addresses: &[&str]) {
    let status = pod.status.get_or_insert_default();
    status.pod_ip = addresses.first().map(|first| (*first).into());
    status.pod_ips = Some(addresses.iter().map(|ip| core::PodIP { ip: (*ip).into() }).collect());
}

/// Makes a pod ready, or unready, as kubelet would: by its containers.
pub(crate) fn set_ready(pod: &mut core::Pod, ready: bool) {
    set_condition(pod, "ContainersReady", ready);
    set_condition(pod, "Ready", ready);
}

/// Sets a condition of a pod.
pub(crate) fn set_condition(pod: &mut core::Pod, kind: &str, value: bool) {
    let conditions = pod.status.get_or_insert_default().conditions.get_or_insert_default();
    conditions.retain(|condition| condition.type_ != kind);
    let status = if value { "True" } else { "False" }.into();
    conditions.push(core::PodCondition { type_: kind.into(), status, ..core::PodCondition::default() });
}

/// Sets the phase of a pod.
pub(crate) fn set_phase(pod: &mut core::Pod, phase: &str) {
    pod.status.get_or_insert_default().phase = Some(phase.into());
}

/// Renames the label `app` of a pod.
pub(crate) fn set_app(pod: &mut core::Pod, app: &str) {
    pod.metadata.labels.get_or_insert_default().insert("app".into(), app.into());
}

/// A Service of this name whose port 80 leads to `target` on the pods with the label `app: web`.
pub(crate) fn service(name: &str, target: impl Into<Value>) -> core::Service {
    let target: Value = target.into();
    serde_json::from_value(json!({
        "metadata": { "name": name, "namespace": NAMESPACE },
        "spec": {
            "selector": { "app": "web" },
            "ports": [{ "port": 80, "targetPort": target, "protocol": "TCP" }],
            "ipFamilies": ["IPv4", "IPv6"]
        }
    }))
    .unwrap()
}

/// A binding of port 80 of a Service to a group, which nobody has accepted yet.
pub(crate) fn binding(name: &str, service: &str, group: &TargetGroupArn) -> TargetGroupBinding {
    let spec = TargetGroupBindingSpec {
        target_group: TargetGroupReference { arn: group.to_string() },
        service: ServiceReference { name: service.into(), port: IntOrString::Int(80) },
        ip_family: IpFamily::IPv4,
        readiness: lath_kubernetes::binding::Readiness::default(),
        ownership: lath_kubernetes::binding::Ownership::default(),
    };
    let mut binding = TargetGroupBinding::new(name, spec);
    binding.metadata.namespace = Some(NAMESPACE.into());
    binding.metadata.generation = Some(1);
    binding
}

/// Accepts a binding as it is, or refuses it, as the controller would.
pub(crate) fn set_accepted(binding: &mut TargetGroupBinding, accepted: bool) {
    let status = binding.status.get_or_insert_with(TargetGroupBindingStatus::default);
    status.conditions = vec![Condition {
        type_: names::ACCEPTED.into(),
        status: if accepted { "True" } else { "False" }.into(),
        reason: "Test".into(),
        message: String::new(),
        observed_generation: binding.metadata.generation,
        last_transition_time: Time(Timestamp::UNIX_EPOCH),
    }];
}
