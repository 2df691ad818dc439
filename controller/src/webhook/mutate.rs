//! What a pod lacks, as a JSON patch. Pure.

use std::collections::BTreeMap;

use lath_kubernetes::names;
use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::{Value, json};

/// The grace period of a pod that names none. Source: Kubernetes API, `terminationGracePeriodSeconds`.
const USUAL_GRACE: i64 = 30;

/// The annotation on a kubelet's image of a pod that it runs by itself. Source: Kubernetes, `MirrorPodAnnotationKey`.
const MIRROR: &str = "kubernetes.io/config.mirror";

/// Most containers of a pod that is looked at, so that no patch is larger than its pod. Far more than any has.
const MOST_CONTAINERS: usize = 256;

/// A pod, reduced to what decides. Whatever else it has is neither read nor changed.
#[derive(Debug, Default, Deserialize)]
pub struct Pod {
    metadata: Option<Metadata>,
    spec: Option<Spec>,
}

#[derive(Debug, Default, Deserialize)]
struct Metadata {
    labels: Option<BTreeMap<String, String>>,
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    containers: Option<Vec<Container>>,
    readiness_gates: Option<Vec<Gate>>,
    restart_policy: Option<String>,
    host_network: Option<bool>,
    termination_grace_period_seconds: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct Container {
    lifecycle: Option<Lifecycle>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Lifecycle {
    pre_stop: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Gate {
    condition_type: String,
}

/// What the mutation goes by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// The controller's own namespace.
    pub namespace: String,
    /// How long containers sleep before they stop, in seconds. 0: they get no sleep.
    pub sleep_seconds: u32,
}

/// One operation of a JSON patch (RFC 6902). All add.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Operation {
    op: &'static str,
    path: String,
    value: Value,
}

impl Operation {
    fn add(path: impl Into<String>, value: Value) -> Self {
        Self { op: "add", path: path.into(), value }
    }
}

/// What is added to a pod.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Whether the gate is.
    pub gate: bool,
    /// Whether a sleep is.
    pub sleep: bool,
    /// The patch; never empty.
    pub patch: Vec<Operation>,
}

/// Why a pod stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// It lacks nothing.
    Complete,
    /// Its label says so.
    OptedOut,
    /// It is on the node's network, so its address is the node's.
    HostNetwork,
    /// It is in the controller's own namespace: what gates wait for must not wait for gates.
    OwnNamespace,
    /// It runs to an end by itself, as the pods of Jobs do, which no hook delays.
    RunsToEnd,
    /// A kubelet runs it by itself, and shows it only.
    Mirror,
    /// The request is not about a pod that is being made.
    NotNewPod,
    /// It has more containers than are looked at.
    TooLarge,
    /// It can't be read.
    Unreadable,
}

impl Left {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Complete,
        Self::OptedOut,
        Self::HostNetwork,
        Self::OwnNamespace,
        Self::RunsToEnd,
        Self::Mirror,
        Self::NotNewPod,
        Self::TooLarge,
        Self::Unreadable,
    ];

    /// As metrics say it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::OptedOut => "opted_out",
            Self::HostNetwork => "host_network",
            Self::OwnNamespace => "own_namespace",
            Self::RunsToEnd => "runs_to_end",
            Self::Mirror => "mirror",
            Self::NotNewPod => "not_new_pod",
            Self::TooLarge => "too_large",
            Self::Unreadable => "unreadable",
        }
    }
}

/// What to add to a pod of `namespace`. `bound` tells whether a binding that is in force selects a pod with these
/// labels: only such a pod gets the gate, because others would wait for nothing. The sleep goes to all, because a pod
/// that is bound later can't be given one any more.
///
/// What is added is not added again: the outcome of the pod so changed is [`Left::Complete`].
///
/// # Errors
/// Why the pod stays as it is.
pub fn change(
    pod: &Pod,
    namespace: &str,
    rules: &Rules,
    bound: impl FnOnce(&BTreeMap<String, String>) -> bool,
) -> Result<Change, Left> {
    let spec = pod.spec.as_ref().ok_or(Left::Unreadable)?;
    let none = BTreeMap::new();
    let labels = pod.metadata.as_ref().and_then(|metadata| metadata.labels.as_ref()).unwrap_or(&none);
    let annotations = pod.metadata.as_ref().and_then(|metadata| metadata.annotations.as_ref());
    if namespace == rules.namespace {
        return Err(Left::OwnNamespace);
    }
    if labels.get(names::INJECT).is_some_and(|value| value == names::INJECT_DISABLED) {
        return Err(Left::OptedOut);
    }
    if annotations.is_some_and(|annotations| annotations.contains_key(MIRROR)) {
        return Err(Left::Mirror);
    }
    if spec.host_network == Some(true) {
        return Err(Left::HostNetwork);
    }
    if spec.restart_policy.as_deref().is_some_and(|policy| policy != "Always") {
        return Err(Left::RunsToEnd);
    }
    if spec.containers.as_ref().is_some_and(|containers| containers.len() > MOST_CONTAINERS) {
        return Err(Left::TooLarge);
    }
    let mut patch = gate(spec, || bound(labels));
    let gate = !patch.is_empty();
    let sleeps = sleeps(spec, rules.sleep_seconds);
    let sleep = !sleeps.is_empty();
    patch.extend(sleeps);
    if patch.is_empty() { Err(Left::Complete) } else { Ok(Change { gate, sleep, patch }) }
}

/// Adds the gate, unless the pod has one that Lath decides.
fn gate(spec: &Spec, bound: impl FnOnce() -> bool) -> Vec<Operation> {
    let gates = spec.readiness_gates.as_deref();
    let has = |gate: &Gate| names::GATES.contains(&gate.condition_type.as_str());
    if gates.into_iter().flatten().any(has) || !bound() {
        return Vec::new();
    }
    let gate = json!({ "conditionType": names::GATE });
    vec![match gates {
        Some(_) => Operation::add("/spec/readinessGates/-", gate),
        None => Operation::add("/spec/readinessGates", json!([gate])),
    }]
}

/// Adds the sleep to each container without a hook of its own, and the time for it.
///
/// Init containers that go on running (sidecars) need none: Kubernetes stops them after all others, so they outlast the
/// sleep of these anyway.
fn sleeps(spec: &Spec, seconds: u32) -> Vec<Operation> {
    // At the end of a pod that gives itself no time, no hook runs.
    let grace = spec.termination_grace_period_seconds.unwrap_or(USUAL_GRACE);
    if seconds == 0 || grace == 0 {
        return Vec::new();
    }
    let mut patch = Vec::new();
    for (index, container) in spec.containers.iter().flatten().enumerate() {
        let sleep = json!({ "sleep": { "seconds": seconds } });
        match &container.lifecycle {
            Some(Lifecycle { pre_stop: Some(_) }) => {}
            Some(_) => {
                patch.push(Operation::add(format!("/spec/containers/{index}/lifecycle/preStop"), sleep));
            }
            None => {
                let lifecycle = json!({ "preStop": sleep });
                patch.push(Operation::add(format!("/spec/containers/{index}/lifecycle"), lifecycle));
            }
        }
    }
    // The period covers the sleep, and then what it was meant for. The API server takes a negative one for 1.
    if !patch.is_empty() && grace <= i64::from(seconds) {
        let raised = i64::from(seconds) + grace.max(1);
        patch.push(Operation::add("/spec/terminationGracePeriodSeconds", json!(raised)));
    }
    patch
}

#[cfg(test)]
mod tests;
