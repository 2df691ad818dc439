//! Events: tells a pod's owner what keeps it out of its target group.

use k8s_openapi::api::core::v1::ObjectReference;
use kube::{
    Client,
    runtime::events::{Event, EventType, Recorder, Reporter},
};
use lath_kubernetes::names;
use tokio::sync::mpsc;

use super::{
    desired::PodRef,
    metrics::{Anomaly, Metrics},
};

/// Most Events that wait to be written. More are dropped and counted: the first ones say what is wrong.
const WAITING: usize = 64;

/// Where the pipeline hands its Events over. Never blocks.
#[derive(Debug, Clone)]
pub(super) struct Events {
    queue: mpsc::Sender<(PodRef, Event)>,
    metrics: Metrics,
}

impl Events {
    /// Starts the task that writes Events in the name of `node`'s agent.
    #[must_use]
    pub(super) fn start(client: Client, node: &str, metrics: Metrics) -> Self {
        let (queue, mut waiting) = mpsc::channel::<(PodRef, Event)>(WAITING);
        let reporter = Reporter { controller: names::AGENT.into(), instance: Some(node.into()) };
        let recorder = Recorder::new(client, reporter);
        tokio::spawn(async move {
            while let Some((pod, event)) = waiting.recv().await {
                if let Err(error) = recorder.publish(&event, &reference(&pod)).await {
                    tracing::debug!(pod = %pod.name, %error, "an Event could not be written");
                }
            }
        });
        Self { queue, metrics }
    }

    /// Warns about a pod.
    pub(super) fn warn(&self, pod: &PodRef, reason: &'static str, note: String) {
        let event = Event {
            type_: EventType::Warning,
            reason: reason.into(),
            note: Some(note),
            action: "RegisterTargets".into(),
            secondary: None,
        };
        if self.queue.try_send((pod.clone(), event)).is_err() {
            self.metrics.anomaly(Anomaly::DroppedEvent);
        }
    }
}

fn reference(pod: &PodRef) -> ObjectReference {
    let (namespace, name) = pod.name.split_once('/').unwrap_or(("", &pod.name));
    ObjectReference {
        api_version: Some("v1".into()),
        kind: Some("Pod".into()),
        namespace: Some(namespace.into()),
        name: Some(name.into()),
        uid: Some(pod.uid.to_string()),
        ..ObjectReference::default()
    }
}
