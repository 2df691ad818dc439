//! Takes changes into what is known of the cluster.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use lath_kubernetes::{
    NodeTargets, Pod, Service, TargetGroupBinding,
    node_targets::NodeTargetsSpec,
    pod::Life,
    watch::{Change, ObjectName},
};
use lattice::{Target, TargetGroupArn};
use tokio::time::Instant;

use super::{
    Cluster, Entry, Kind, Record, Update,
    objects::{AgentLease, Node, Slice},
    pod_name, service_name,
};

impl Cluster {
    /// Takes in what a watch reports, at the time `now`.
    pub fn apply(&mut self, update: Update, now: Instant) {
        self.revision += 1;
        match update {
            Update::Pods(change) => self.apply_pods(change),
            Update::Services(change) => self.apply_services(change),
            Update::Bindings(change) => self.apply_bindings(change),
            Update::NodeTargets(change) => self.apply_node_targets(change),
            Update::Nodes(change) => self.apply_nodes(change, now),
            Update::Leases(change) => self.apply_leases(change, now),
            Update::Slices(change) => self.apply_slices(change),
        }
    }

    fn apply_pods(&mut self, change: Change<Pod>) {
        let known = || self.pods().map(|pod| pod_name(pod)).collect();
        let edits = Edits::new(change, known, pod_name);
        self.note(Kind::Pods, &edits);
        for name in edits.gone {
            self.set_pod(&name, None);
        }
        for pod in edits.present {
            self.set_pod(&pod_name(&pod), Some(&Arc::new(pod)));
        }
    }

    fn apply_services(&mut self, change: Change<Service>) {
        let named = |service: &Service| ObjectName {
            namespace: service.namespace.clone(),
            name: service.name.clone(),
        };
        let edits = Edits::new(change, || self.services.keys().cloned().collect(), named);
        self.note(Kind::Services, &edits);
        self.services_changed = self.revision;
        for name in edits.gone {
            if let Some(old) = self.services.remove(&name) {
                self.index.unselect(&old);
            }
            self.touch_service(&name);
        }
        for service in edits.present {
            let name = named(&service);
            let service = Arc::new(service);
            if let Some(old) = self.services.insert(name.clone(), service.clone()) {
                self.index.unselect(&old);
            }
            self.index.select(&service);
            self.touch_service(&name);
        }
    }

    fn apply_bindings(&mut self, change: Change<TargetGroupBinding>) {
        let edits = Edits::new(change, || self.bindings.keys().cloned().collect(), ObjectName::of);
        self.note(Kind::Bindings, &edits);
        if edits.snapshot {
            self.bindings_changed = self.revision;
        }
        for name in edits.gone {
            self.leaving.remove(&name);
            if let Some(entry) = self.bindings.remove(&name) {
                self.bindings_changed = self.revision;
                self.index.unbind(&name, &service_name(&entry.binding), entry.group.as_ref());
                self.touch_group(entry.group.as_ref());
            }
        }
        for binding in edits.present {
            self.set_binding(binding);
        }
    }

    fn apply_node_targets(&mut self, change: Change<NodeTargets>) {
        let edits = Edits::new(change, || cluster_names(&self.node_targets), ObjectName::of);
        self.note(Kind::NodeTargets, &edits);
        for name in edits.gone {
            self.set_node_targets(&name.name, None);
        }
        for record in edits.present {
            let name = record.metadata.name.clone().unwrap_or_default();
            self.set_node_targets(&name, Some(&Arc::new(record.spec)));
        }
    }

    fn apply_nodes(&mut self, change: Change<Node>, now: Instant) {
        let named = |node: &Node| ObjectName { namespace: String::new(), name: node.name.clone() };
        let edits = Edits::new(change, || cluster_names(&self.nodes), named);
        self.note(Kind::Nodes, &edits);
        for name in edits.gone {
            self.nodes.remove(&name.name);
            self.agents.forget_node(&name.name);
        }
        for node in edits.present {
            self.agents.observe_node(&node.name, now);
            self.nodes.insert(node.name.clone(), node);
        }
    }

    fn apply_leases(&mut self, change: Change<(ObjectName, Option<AgentLease>)>, now: Instant) {
        if let Change::Interrupted(_) = &change {
            self.agents.interrupted();
        } else {
            self.agents.reached(now);
        }
        let edits = Edits::new(change, || self.agents.lease_names(), |(name, _)| name.clone());
        self.note(Kind::Leases, &edits);
        for name in edits.gone {
            self.agents.lease_gone(&name.name);
        }
        for (_, lease) in edits.present {
            if let Some(lease) = lease {
                self.agents.observe(lease, now);
            }
        }
    }

    fn apply_slices(&mut self, change: Change<Slice>) {
        let named =
            |slice: &Slice| ObjectName { namespace: slice.namespace.clone(), name: slice.name.clone() };
        let edits = Edits::new(change, || self.slices.keys().cloned().collect(), named);
        self.note(Kind::Slices, &edits);
        for name in edits.gone {
            if let Some(slice) = self.slices.remove(&name) {
                self.touch_service(&slice_service(&slice));
            }
        }
        for slice in edits.present {
            self.touch_service(&slice_service(&slice));
            if let Some(old) = self.slices.insert(named(&slice), Arc::new(slice)) {
                self.touch_service(&slice_service(&old));
            }
        }
    }

    fn note<T>(&mut self, kind: Kind, edits: &Edits<T>) {
        if edits.snapshot {
            self.seen.insert(kind);
        }
    }

    fn set_pod(&mut self, name: &ObjectName, pod: Option<&Arc<Pod>>) {
        let waits =
            pod.as_ref().is_some_and(|pod| pod.life == Life::Live && pod.gates.iter().any(|(_, open)| !open));
        if waits {
            self.gated.insert(name.clone());
        } else {
            self.gated.remove(name);
        }
        let old = if let Some(pod) = pod {
            let pods = self.pods.entry(name.namespace.clone()).or_default();
            pods.insert(name.name.clone(), pod.clone())
        } else {
            let old = self.pods.get_mut(&name.namespace).and_then(|pods| pods.remove(&name.name));
            if self.pods.get(&name.namespace).is_some_and(HashMap::is_empty) {
                self.pods.remove(&name.namespace);
            }
            old
        };
        if let Some(old) = &old {
            self.unlabel(old);
        }
        if let Some(pod) = pod {
            let labels = self.by_label.entry(pod.namespace.clone()).or_default();
            for (key, value) in &pod.labels {
                let with = labels.entry(key.clone()).or_default().entry(value.clone()).or_default();
                with.insert(pod.name.clone(), pod.clone());
            }
        }
        for address in old.iter().flat_map(|pod| &pod.addresses) {
            if let Some(names) = self.by_address.get_mut(address) {
                names.remove(name);
                if names.is_empty() {
                    self.by_address.remove(address);
                }
            }
        }
        for address in pod.iter().flat_map(|pod| &pod.addresses) {
            self.by_address.entry(*address).or_default().insert(name.clone());
        }
        let selecting = old.iter().chain(pod).flat_map(|pod| {
            let services = self.index.candidates(pod);
            services
                .filter(|name| self.services.get(name).is_some_and(|service| service.selects(&pod.labels)))
        });
        let selecting: BTreeSet<ObjectName> = selecting.collect();
        for binding in selecting.iter().flat_map(|service| self.index.of_service(service)) {
            if let Some(entry) = self.bindings.get_mut(binding) {
                entry.touched = self.revision;
            }
        }
    }

    /// Forgets a pod's labels.
    fn unlabel(&mut self, pod: &Pod) {
        let Some(labels) = self.by_label.get_mut(&pod.namespace) else { return };
        for (key, value) in &pod.labels {
            let Some(values) = labels.get_mut(key) else { continue };
            if let Some(with) = values.get_mut(value) {
                with.remove(&pod.name);
                if with.is_empty() {
                    values.remove(value);
                }
            }
            if values.is_empty() {
                labels.remove(key);
            }
        }
        if labels.is_empty() {
            self.by_label.remove(&pod.namespace);
        }
    }

    fn set_node_targets(&mut self, node: &str, spec: Option<&Arc<NodeTargetsSpec>>) {
        let old = match spec {
            Some(spec) => self.node_targets.insert(node.into(), spec.clone()),
            None => self.node_targets.remove(node),
        };
        for (group, target, _) in old.iter().flat_map(|spec| records(node, spec)) {
            let Some(targets) = self.records.get_mut(&group) else {
                continue;
            };
            if let Some(records) = targets.get_mut(&target) {
                records.retain(|record| record.node != node);
                if records.is_empty() {
                    targets.remove(&target);
                }
            }
            if targets.is_empty() {
                self.records.remove(&group);
            }
        }
        for (group, target, record) in spec.iter().flat_map(|spec| records(node, spec)) {
            self.records.entry(group).or_default().entry(target).or_default().push(record);
        }
    }

    fn set_binding(&mut self, binding: TargetGroupBinding) {
        let group: Option<TargetGroupArn> = binding.spec.target_group.arn.parse().ok();
        let name = ObjectName::of(&binding);
        let same = self.bindings.get(&name).filter(|old| {
            let (old, new) = (&old.binding.metadata, &binding.metadata);
            old.uid == new.uid && old.generation == new.generation && old.annotations == new.annotations
        });
        if same.is_none_or(|old| old.binding.metadata.labels != binding.metadata.labels) {
            self.bindings_changed = self.revision;
        }
        if binding.metadata.deletion_timestamp.is_some() {
            self.leaving.insert(name.clone());
        } else {
            self.leaving.remove(&name);
        }
        let entry = Entry {
            respecified: same.map_or(self.revision, |old| old.respecified),
            binding: Arc::new(binding),
            group: group.clone(),
            touched: self.revision,
        };
        let service = service_name(&entry.binding);
        if let Some(old) = self.bindings.insert(name.clone(), entry) {
            self.index.unbind(&name, &service_name(&old.binding), old.group.as_ref());
            if old.group != group {
                self.touch_group(old.group.as_ref());
            }
        }
        self.index.bind(&name, service, group.as_ref());
        self.touch_group(group.as_ref());
    }

    fn touch_group(&mut self, group: Option<&TargetGroupArn>) {
        for name in group.into_iter().flat_map(|group| self.index.of_group(group)) {
            if let Some(entry) = self.bindings.get_mut(name) {
                entry.touched = self.revision;
            }
        }
    }

    /// Touches the bindings of a Service, and those of their groups, whose verdicts depend on each other.
    fn touch_service(&mut self, name: &ObjectName) {
        let mut groups = BTreeSet::new();
        for name in self.index.of_service(name) {
            if let Some(entry) = self.bindings.get_mut(name) {
                entry.touched = self.revision;
                groups.extend(entry.group.clone());
            }
        }
        for group in groups {
            self.touch_group(Some(&group));
        }
    }
}

/// A change as what is there and what is gone.
struct Edits<T> {
    present: Vec<T>,
    gone: Vec<ObjectName>,
    snapshot: bool,
}

impl<T> Edits<T> {
    fn new(
        change: Change<T>,
        known: impl Fn() -> BTreeSet<ObjectName>,
        name: impl Fn(&T) -> ObjectName,
    ) -> Self {
        let (present, gone, snapshot) = match change {
            Change::Snapshot { objects, invalid } => {
                let mut gone = known();
                for name in objects.iter().map(&name).chain(invalid) {
                    gone.remove(&name);
                }
                (objects, gone.into_iter().collect(), true)
            }
            Change::Applied(object) => (vec![object], Vec::new(), false),
            Change::Deleted(object) => (Vec::new(), vec![name(&object)], false),
            Change::Gone(name) => (Vec::new(), vec![name], false),
            // What is known of these stays true.
            Change::Invalid { .. } | Change::Interrupted(_) => (Vec::new(), Vec::new(), false),
        };
        Self { present, gone, snapshot }
    }
}

/// The targets in a node's record. What can't be read is left out: nobody could have registered it.
fn records(node: &str, spec: &NodeTargetsSpec) -> impl Iterator<Item = (TargetGroupArn, Target, Record)> {
    let groups =
        spec.groups.iter().filter_map(|group| Some((group.arn.parse::<TargetGroupArn>().ok()?, group)));
    groups.flat_map(move |(arn, group)| {
        group.targets.iter().filter_map(move |record| {
            let target = Target { address: record.address.parse().ok()?, port: record.port };
            let (namespace, name) = record.pod.split_once('/')?;
            let record = Record {
                node: node.into(),
                pod: ObjectName { namespace: namespace.into(), name: name.into() },
                uid: record.pod_uid.clone(),
                state: record.state,
            };
            Some((arn.clone(), target, record))
        })
    })
}

fn slice_service(slice: &Slice) -> ObjectName {
    ObjectName { namespace: slice.namespace.clone(), name: slice.service.clone() }
}

fn cluster_names<V>(objects: &BTreeMap<String, V>) -> BTreeSet<ObjectName> {
    objects.keys().map(|name| ObjectName { namespace: String::new(), name: name.clone() }).collect()
}
