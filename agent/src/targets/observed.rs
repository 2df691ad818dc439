//! Kubernetes as last seen: this node's pods, and the cluster's Services and bindings.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use lath_kubernetes::{
    Pod, Service, TargetGroupBinding,
    watch::{Change, ObjectName},
};

use super::{desired::Binding, metrics::Metrics};

/// What a watch is of.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, prometheus_client::encoding::EncodeLabelValue,
)]
#[allow(missing_docs, reason = "each is named after its kind")]
pub enum Kind {
    Pods,
    Services,
    Bindings,
}

/// A change of what is watched.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one at a time")]
pub enum Input {
    /// Of this node's pods, and the version of the pod that changed; 0 where it is not known.
    Pods(Change<Pod>, u64),
    /// Of Services.
    Services(Change<Service>),
    /// Of bindings.
    Bindings(Change<TargetGroupBinding>),
}

/// Which bindings have to be decided anew.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Dirty {
    /// All of them.
    pub all: bool,
    /// Those of these namespaces.
    pub namespaces: BTreeSet<String>,
}

impl Dirty {
    /// Nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.all && self.namespaces.is_empty()
    }

    /// Whether bindings of a namespace are among them.
    #[must_use]
    pub fn covers(&self, namespace: &str) -> bool {
        self.all || self.namespaces.contains(namespace)
    }

    fn add(&mut self, namespace: &str) {
        if !self.namespaces.contains(namespace) {
            self.namespaces.insert(namespace.into());
        }
    }
}

/// Kubernetes as last seen.
#[derive(Debug, Default)]
pub struct Observed {
    /// This node's pods by UID.
    pub pods: BTreeMap<Arc<str>, Pod>,
    /// Services by name.
    pub services: BTreeMap<ObjectName, Service>,
    /// Bindings by name.
    pub bindings: BTreeMap<ObjectName, Binding>,
    /// Services that exist and have never been read. Nobody is taken out on their account.
    pub unread_services: BTreeSet<ObjectName>,
    /// Bindings that exist and can't be read. While there are any, no group counts as one that no binding names.
    pub unreadable: BTreeSet<ObjectName>,
    seen: BTreeSet<Kind>,
}

impl Observed {
    /// Whether there has been a first list of everything.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.seen.len() == 3
    }

    /// Takes a change in, and notes what it touches.
    pub fn apply(&mut self, input: Input, dirty: &mut Dirty, metrics: &Metrics) {
        match input {
            Input::Pods(change, _) => self.apply_pods(change, dirty, metrics),
            Input::Services(change) => self.apply_services(change, dirty, metrics),
            Input::Bindings(change) => self.apply_bindings(change, dirty, metrics),
        }
    }

    fn apply_pods(&mut self, change: Change<Pod>, dirty: &mut Dirty, metrics: &Metrics) {
        match change {
            Change::Snapshot { objects, invalid } => {
                // What can't be read any more stays as it was.
                let invalid: BTreeSet<ObjectName> = invalid.into_iter().collect();
                self.pods.retain(|_, pod| {
                    let name = ObjectName { namespace: pod.namespace.clone(), name: pod.name.clone() };
                    invalid.contains(&name)
                });
                self.pods.extend(objects.into_iter().map(|pod| (Arc::from(pod.uid.as_str()), pod)));
                self.seen.insert(Kind::Pods);
                dirty.all = true;
            }
            Change::Applied(pod) => {
                // Most changes of a pod change nothing that matters here.
                if self.pods.get(pod.uid.as_str()) != Some(&pod) {
                    dirty.add(&pod.namespace);
                    self.pods.insert(Arc::from(pod.uid.as_str()), pod);
                }
            }
            Change::Deleted(pod) => {
                dirty.add(&pod.namespace);
                self.pods.remove(pod.uid.as_str());
            }
            Change::Gone(name) => {
                dirty.add(&name.namespace);
                self.pods.retain(|_, pod| pod.namespace != name.namespace || pod.name != name.name);
            }
            Change::Invalid { name, error } => invalid(Kind::Pods, &name, &error, metrics),
            Change::Interrupted(error) => interrupted(Kind::Pods, &error, metrics),
        }
    }

    fn apply_services(&mut self, change: Change<Service>, dirty: &mut Dirty, metrics: &Metrics) {
        match change {
            Change::Snapshot { objects, invalid } => {
                let invalid: BTreeSet<ObjectName> = invalid.into_iter().collect();
                self.services.retain(|name, _| invalid.contains(name));
                self.unread_services =
                    invalid.into_iter().filter(|name| !self.services.contains_key(name)).collect();
                self.services.extend(objects.into_iter().map(|service| (service.object_name(), service)));
                self.seen.insert(Kind::Services);
                dirty.all = true;
            }
            Change::Applied(service) => {
                let name = service.object_name();
                if self.services.get(&name) != Some(&service) {
                    dirty.add(&name.namespace);
                    self.unread_services.remove(&name);
                    self.services.insert(name, service);
                }
            }
            Change::Deleted(service) => self.forget_service(&service.object_name(), dirty),
            Change::Gone(name) => self.forget_service(&name, dirty),
            Change::Invalid { name, error } => {
                invalid(Kind::Services, &name, &error, metrics);
                if !self.services.contains_key(&name) {
                    self.unread_services.insert(name);
                }
            }
            Change::Interrupted(error) => interrupted(Kind::Services, &error, metrics),
        }
    }

    fn apply_bindings(&mut self, change: Change<TargetGroupBinding>, dirty: &mut Dirty, metrics: &Metrics) {
        match change {
            Change::Snapshot { objects, invalid: unreadable } => {
                self.unreadable = unreadable.iter().cloned().collect();
                let listed: BTreeSet<ObjectName> =
                    objects.iter().map(ObjectName::of).chain(unreadable).collect();
                self.bindings.retain(|name, _| listed.contains(name));
                for object in &objects {
                    self.apply_binding(object, metrics);
                }
                self.seen.insert(Kind::Bindings);
                dirty.all = true;
            }
            Change::Applied(binding) => {
                dirty.add(&ObjectName::of(&binding).namespace);
                self.apply_binding(&binding, metrics);
            }
            Change::Deleted(binding) => self.forget_binding(&ObjectName::of(&binding), dirty),
            Change::Gone(name) => self.forget_binding(&name, dirty),
            Change::Invalid { name, error } => {
                invalid(Kind::Bindings, &name, &error, metrics);
                self.unreadable.insert(name);
            }
            Change::Interrupted(error) => interrupted(Kind::Bindings, &error, metrics),
        }
    }

    fn forget_service(&mut self, name: &ObjectName, dirty: &mut Dirty) {
        dirty.add(&name.namespace);
        self.services.remove(name);
        self.unread_services.remove(name);
    }

    fn forget_binding(&mut self, name: &ObjectName, dirty: &mut Dirty) {
        dirty.add(&name.namespace);
        self.bindings.remove(name);
        self.unreadable.remove(name);
    }

    fn apply_binding(&mut self, object: &TargetGroupBinding, metrics: &Metrics) {
        let name = ObjectName::of(object);
        match Binding::try_from(object) {
            Ok(mut binding) => {
                self.unreadable.remove(&name);
                if let Some(known) = self.bindings.get(&name) {
                    binding.keep_until_accepted(known);
                }
                self.bindings.insert(name, binding);
            }
            Err(error) => {
                invalid(Kind::Bindings, &name, &error.to_string(), metrics);
                self.unreadable.insert(name);
            }
        }
    }
}

fn invalid(kind: Kind, name: &ObjectName, error: &str, metrics: &Metrics) {
    tracing::warn!(?kind, %name, error, "an object can't be read, what was known of it stays");
    metrics.invalid_object(kind);
}

fn interrupted(kind: Kind, error: &dyn std::fmt::Display, metrics: &Metrics) {
    tracing::debug!(?kind, %error, "a watch broke and is made anew");
    metrics.watch_interrupted(kind);
}
