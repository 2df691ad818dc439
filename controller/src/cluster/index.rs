//! Which bindings a change concerns, without a look at all of them.

use std::{
    collections::{BTreeSet, HashMap},
    hash::Hash,
};

use lath_kubernetes::{Pod, Service, watch::ObjectName};
use lattice::TargetGroupArn;

/// A label, or one pair of a selector.
type Label = (String, String);

/// Bindings by what they depend on, and Services by what they select.
#[derive(Debug, Default)]
pub(super) struct Index {
    of_service: Sets<ObjectName, ObjectName>,
    of_group: Sets<TargetGroupArn, ObjectName>,
    /// The Services of a namespace by the first pair of their selectors, which each pod that they select carries.
    selecting: HashMap<String, Sets<Label, String>>,
}

impl Index {
    /// Takes in that a binding depends on a Service and a group.
    pub(super) fn bind(&mut self, binding: &ObjectName, service: ObjectName, group: Option<&TargetGroupArn>) {
        self.of_service.add(service, binding.clone());
        if let Some(group) = group {
            self.of_group.add(group.clone(), binding.clone());
        }
    }

    /// Forgets what [`Index::bind`] was told.
    pub(super) fn unbind(
        &mut self,
        binding: &ObjectName,
        service: &ObjectName,
        group: Option<&TargetGroupArn>,
    ) {
        self.of_service.remove(service, binding);
        if let Some(group) = group {
            self.of_group.remove(group, binding);
        }
    }

    /// Takes in what a Service selects.
    pub(super) fn select(&mut self, service: &Service) {
        if let Some(label) = first_pair(service) {
            self.selecting.entry(service.namespace.clone()).or_default().add(label, service.name.clone());
        }
    }

    /// Forgets what [`Index::select`] was told.
    pub(super) fn unselect(&mut self, service: &Service) {
        let Some(label) = first_pair(service) else { return };
        if let Some(services) = self.selecting.get_mut(&service.namespace) {
            services.remove(&label, &service.name);
            if services.0.is_empty() {
                self.selecting.remove(&service.namespace);
            }
        }
    }

    /// The bindings of a Service.
    pub(super) fn of_service(&self, service: &ObjectName) -> impl Iterator<Item = &ObjectName> {
        self.of_service.of(service)
    }

    /// The bindings of a target group.
    pub(super) fn of_group(&self, group: &TargetGroupArn) -> impl Iterator<Item = &ObjectName> {
        self.of_group.of(group)
    }

    /// Services among which all are that select a pod.
    pub(super) fn candidates(&self, pod: &Pod) -> impl Iterator<Item = ObjectName> {
        let services = self.selecting.get(&pod.namespace);
        let labels = services.into_iter().flat_map(|services| {
            pod.labels.iter().map(move |(key, value)| services.of(&(key.clone(), value.clone())))
        });
        labels.flatten().map(|name| ObjectName { namespace: pod.namespace.clone(), name: name.clone() })
    }
}

fn first_pair(service: &Service) -> Option<Label> {
    service.selector.first_key_value().map(|(key, value)| (key.clone(), value.clone()))
}

/// Sets by a key, none of them empty.
#[derive(Debug)]
struct Sets<K, V>(HashMap<K, BTreeSet<V>>);

impl<K, V> Default for Sets<K, V> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash, V: Ord> Sets<K, V> {
    fn add(&mut self, key: K, value: V) {
        self.0.entry(key).or_default().insert(value);
    }

    fn remove(&mut self, key: &K, value: &V) {
        if let Some(set) = self.0.get_mut(key) {
            set.remove(value);
            if set.is_empty() {
                self.0.remove(key);
            }
        }
    }

    fn of<'a>(&'a self, key: &K) -> impl Iterator<Item = &'a V> + use<'a, K, V> {
        self.0.get(key).into_iter().flatten()
    }
}
