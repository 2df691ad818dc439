//! Events that the controller writes about objects.

use k8s_openapi::api::core::v1::ObjectReference;
use kube::{
    Client, Resource,
    runtime::events::{Event, EventType, Recorder, Reporter},
};
use lath_kubernetes::{Pod, names};

/// Longest note of an Event. Source: Kubernetes API, `events.k8s.io/v1`, `Event.note`.
const LONGEST_NOTE: usize = 1_024;

/// Writes Events. Clones share one memory of what was said, so that repetitions are counted rather than repeated.
#[derive(Clone)]
pub struct Events(Recorder);

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Events")
    }
}

impl Events {
    /// Events by the controller of the name `instance`.
    #[must_use]
    pub fn new(client: Client, instance: &str) -> Self {
        Self(Recorder::new(
            client,
            Reporter { controller: names::CONTROLLER.into(), instance: Some(instance.into()) },
        ))
    }

    /// Writes an Event about `object`. A failure is logged and changes nothing.
    pub async fn tell(
        &self,
        object: &impl Resource<DynamicType = ()>,
        kind: EventType,
        action: &str,
        reason: &str,
        note: &str,
    ) {
        self.publish(&object.object_ref(&()), kind, action, reason, note).await;
    }

    /// Writes an Event about a pod.
    pub async fn tell_pod(&self, pod: &Pod, kind: EventType, action: &str, reason: &str, note: &str) {
        let reference = ObjectReference {
            api_version: Some("v1".into()),
            kind: Some("Pod".into()),
            namespace: Some(pod.namespace.clone()),
            name: Some(pod.name.clone()),
            uid: Some(pod.uid.clone()),
            ..ObjectReference::default()
        };
        self.publish(&reference, kind, action, reason, note).await;
    }

    /// Writes an Event about whatever a reference names.
    pub async fn tell_reference(
        &self,
        object: &ObjectReference,
        kind: EventType,
        action: &str,
        reason: &str,
        note: &str,
    ) {
        self.publish(object, kind, action, reason, note).await;
    }

    async fn publish(
        &self,
        object: &ObjectReference,
        kind: EventType,
        action: &str,
        reason: &str,
        note: &str,
    ) {
        let end =
            (0..=note.len().min(LONGEST_NOTE)).rev().find(|end| note.is_char_boundary(*end)).unwrap_or(0);
        let event = Event {
            type_: kind,
            reason: reason.into(),
            note: Some(note[..end].into()),
            action: action.into(),
            secondary: None,
        };
        if let Err(error) = self.0.publish(&event, object).await {
            tracing::debug!(%error, reason, "writing an Event failed");
        }
    }
}
