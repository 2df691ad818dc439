//! What is known of the cluster: pods, Services, bindings, nodes and their agents.
//!
//! One task follows the watches and writes ([`feed`]); every pipeline reads. Each binding carries the revision at
//! which something that it depends on last changed, so that a change costs work for the bindings that it concerns.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
    sync::Arc,
};

use lath_kubernetes::{
    NodeTargets, Pod, Service, TargetGroupBinding,
    node_targets::{NodeTargetsSpec, RecordState},
    pod::Life,
    standing::{Standing, standing},
    watch::{Change, ObjectName},
};
use lattice::{Target, TargetGroupArn};
use tokio::time::Instant;

pub mod agents;
pub mod feed;
pub mod metrics;
pub mod objects;

use agents::Agents;
use objects::{AgentLease, Node, Slice};

/// The kinds that are watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Pods of all namespaces.
    Pods,
    /// Services of all namespaces.
    Services,
    /// TargetGroupBindings.
    Bindings,
    /// NodeTargets.
    NodeTargets,
    /// Nodes.
    Nodes,
    /// Leases of agents.
    Leases,
    /// EndpointSlices that were made by hand.
    Slices,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Pods,
        Self::Services,
        Self::Bindings,
        Self::NodeTargets,
        Self::Nodes,
        Self::Leases,
        Self::Slices,
    ];

    /// The resource's name, as in URLs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pods => "pods",
            Self::Services => "services",
            Self::Bindings => "targetgroupbindings",
            Self::NodeTargets => "nodetargets",
            Self::Nodes => "nodes",
            Self::Leases => "leases",
            Self::Slices => "endpointslices",
        }
    }
}

/// A change that a watch reports.
#[derive(Debug)]
pub enum Update {
    /// Of pods.
    Pods(Change<Pod>),
    /// Of Services.
    Services(Change<Service>),
    /// Of bindings.
    Bindings(Change<TargetGroupBinding>),
    /// Of NodeTargets.
    NodeTargets(Change<NodeTargets>),
    /// Of Nodes.
    Nodes(Change<Node>),
    /// Of agents' Leases; `None` for a Lease that is no agent's.
    Leases(Change<(ObjectName, Option<AgentLease>)>),
    /// Of hand-made EndpointSlices.
    Slices(Change<Slice>),
}

/// A binding, and when something that it depends on last changed.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The object.
    pub binding: Arc<TargetGroupBinding>,
    /// Its target group; `None` where the ARN can't be read, which the API server lets nobody write.
    pub group: Option<TargetGroupArn>,
    /// The revision of the cluster at which it, its Service, one of its pods, a slice or a binding of the same group
    /// last changed.
    pub touched: u64,
    /// The revision at which its spec or its annotations last changed.
    pub respecified: u64,
}

/// A target in some node's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The node.
    pub node: String,
    /// The pod that it was registered for.
    pub pod: ObjectName,
    /// The pod's UID.
    pub uid: String,
    /// How far it is.
    pub state: RecordState,
}

/// What is known of the cluster.
#[derive(Debug, Default)]
pub struct Cluster {
    revision: u64,
    seen: BTreeSet<Kind>,
    pods: HashMap<String, HashMap<String, Arc<Pod>>>,
    by_address: HashMap<IpAddr, BTreeSet<ObjectName>>,
    gated: BTreeSet<ObjectName>,
    services: HashMap<ObjectName, Arc<Service>>,
    bindings: BTreeMap<ObjectName, Entry>,
    node_targets: BTreeMap<String, Arc<NodeTargetsSpec>>,
    records: HashMap<TargetGroupArn, HashMap<Target, Vec<Record>>>,
    nodes: BTreeMap<String, Node>,
    agents: Agents,
    slices: BTreeMap<ObjectName, Arc<Slice>>,
}

impl Cluster {
    /// Whether every kind has been listed since the start. Nothing is judged before.
    #[must_use]
    pub fn complete(&self) -> bool {
        self.seen.len() == Kind::ALL.len()
    }

    /// Grows with each change.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// All bindings, by name.
    pub fn bindings(&self) -> impl Iterator<Item = (&ObjectName, &Entry)> {
        self.bindings.iter()
    }

    /// A binding.
    #[must_use]
    pub fn binding(&self, name: &ObjectName) -> Option<&Entry> {
        self.bindings.get(name)
    }

    /// Bindings of a namespace.
    pub fn bindings_in<'a>(
        &'a self,
        namespace: &'a str,
    ) -> impl Iterator<Item = (&'a ObjectName, &'a Entry)> {
        let first = ObjectName { namespace: namespace.into(), name: String::new() };
        self.bindings.range(first..).take_while(move |(name, _)| name.namespace == namespace)
    }

    /// Bindings of a target group.
    pub fn bindings_of(&self, group: &TargetGroupArn) -> impl Iterator<Item = &Entry> {
        self.bindings.values().filter(move |entry| entry.group.as_ref() == Some(group))
    }

    /// The Service that a binding names.
    #[must_use]
    pub fn service_of(&self, binding: &TargetGroupBinding) -> Option<&Arc<Service>> {
        self.services.get(&service_name(binding))
    }

    /// A pod.
    #[must_use]
    pub fn pod(&self, name: &ObjectName) -> Option<&Arc<Pod>> {
        self.pods.get(&name.namespace)?.get(&name.name)
    }

    /// The pod of a name and UID.
    #[must_use]
    pub fn pod_by_uid(&self, name: &ObjectName, uid: &str) -> Option<&Arc<Pod>> {
        self.pod(name).filter(|pod| pod.uid == uid)
    }

    /// Pods of all namespaces.
    pub fn pods(&self) -> impl Iterator<Item = &Arc<Pod>> {
        self.pods.values().flat_map(HashMap::values)
    }

    /// Pods that have an address and have not ended.
    pub fn pods_at(&self, address: IpAddr) -> impl Iterator<Item = &Arc<Pod>> {
        self.by_address
            .get(&address)
            .into_iter()
            .flatten()
            .filter_map(|name| self.pod(name))
            .filter(|pod| pod.life != Life::Ended)
    }

    /// Live pods with a readiness gate of Lath's that is not open.
    pub fn gated(&self) -> impl Iterator<Item = &Arc<Pod>> {
        self.gated.iter().filter_map(|name| self.pod(name))
    }

    /// The pods that a binding's Service selects, and how each stands towards its port. Empty where Service or port
    /// is missing. Cost: the pods of the namespace.
    pub fn members(&self, binding: &TargetGroupBinding) -> impl Iterator<Item = (&Arc<Pod>, Standing)> {
        let service = self.service_of(binding);
        let port = service.and_then(|service| service.port(&binding.spec.service.port));
        let namespace = binding.metadata.namespace.as_deref().unwrap_or_default();
        let family = binding.spec.ip_family;
        service.zip(port).into_iter().flat_map(move |(service, port)| {
            self.pods
                .get(namespace)
                .into_iter()
                .flat_map(HashMap::values)
                .filter(|pod| service.selects(&pod.labels))
                .map(move |pod| (pod, standing(pod, service, port, family)))
        })
    }

    /// How a pod stands towards the port that a binding names; `None` where Service or port is missing.
    #[must_use]
    pub fn standing(&self, binding: &TargetGroupBinding, pod: &Pod) -> Option<Standing> {
        let service = self.service_of(binding)?;
        let port = service.port(&binding.spec.service.port)?;
        Some(standing(pod, service, port, binding.spec.ip_family))
    }

    /// What is registered for each node, by its name.
    pub fn node_targets(&self) -> impl Iterator<Item = (&String, &Arc<NodeTargetsSpec>)> {
        self.node_targets.iter()
    }

    /// What is registered for a node.
    #[must_use]
    pub fn targets_of_node(&self, node: &str) -> Option<&Arc<NodeTargetsSpec>> {
        self.node_targets.get(node)
    }

    /// For which pods a target is recorded, on whatever nodes.
    #[must_use]
    pub fn recorded(&self, group: &TargetGroupArn, target: Target) -> &[Record] {
        self.records.get(group).and_then(|targets| targets.get(&target)).map_or(&[], Vec::as_slice)
    }

    /// All targets of a group that are recorded, on whatever nodes.
    pub fn records_of(&self, group: &TargetGroupArn) -> impl Iterator<Item = (Target, &Record)> {
        let targets = self.records.get(group).into_iter().flatten();
        targets.flat_map(|(target, records)| records.iter().map(|record| (*target, record)))
    }

    /// A Node.
    #[must_use]
    pub fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.get(name)
    }

    /// All Nodes.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.values()
    }

    /// The agents and their Leases.
    #[must_use]
    pub fn agents(&self) -> &Agents {
        &self.agents
    }

    /// Hand-made slices of a Service.
    pub fn slices_of<'a>(&'a self, service: &'a Service) -> impl Iterator<Item = &'a Arc<Slice>> {
        self.slices
            .values()
            .filter(|slice| slice.namespace == service.namespace && slice.service == service.name)
    }

    /// Takes in what a watch reports, at the time `now`.
    pub fn apply(&mut self, update: Update, now: Instant) {
        self.revision += 1;
        match update {
            Update::Pods(change) => {
                let known = || {
                    let pods = self.pods.values().flat_map(HashMap::values);
                    pods.map(|pod| pod_name(pod)).collect()
                };
                let edits = Edits::new(change, known, pod_name);
                self.note(Kind::Pods, &edits);
                for name in edits.gone {
                    self.set_pod(&name, None);
                }
                for pod in edits.present {
                    self.set_pod(&pod_name(&pod), Some(pod));
                }
            }
            Update::Services(change) => {
                let edits = Edits::new(
                    change,
                    || self.services.keys().cloned().collect(),
                    |service| ObjectName { namespace: service.namespace.clone(), name: service.name.clone() },
                );
                self.note(Kind::Services, &edits);
                for name in edits.gone {
                    self.services.remove(&name);
                    self.touch_service(&name);
                }
                for service in edits.present {
                    let name =
                        ObjectName { namespace: service.namespace.clone(), name: service.name.clone() };
                    self.services.insert(name.clone(), Arc::new(service));
                    self.touch_service(&name);
                }
            }
            Update::Bindings(change) => {
                let edits = Edits::new(change, || self.bindings.keys().cloned().collect(), ObjectName::of);
                self.note(Kind::Bindings, &edits);
                for name in edits.gone {
                    if let Some(entry) = self.bindings.remove(&name) {
                        self.touch_group(entry.group.as_ref());
                    }
                }
                for binding in edits.present {
                    self.set_binding(binding);
                }
            }
            Update::NodeTargets(change) => {
                let edits = Edits::new(change, || cluster_names(&self.node_targets), ObjectName::of);
                self.note(Kind::NodeTargets, &edits);
                for name in edits.gone {
                    self.set_node_targets(&name.name, None);
                }
                for record in edits.present {
                    let name = record.metadata.name.clone().unwrap_or_default();
                    self.set_node_targets(&name, Some(record.spec));
                }
            }
            Update::Nodes(change) => {
                let edits = Edits::new(
                    change,
                    || cluster_names(&self.nodes),
                    |node| ObjectName { namespace: String::new(), name: node.name.clone() },
                );
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
            Update::Leases(change) => {
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
            Update::Slices(change) => {
                let edits = Edits::new(
                    change,
                    || self.slices.keys().cloned().collect(),
                    |slice| ObjectName { namespace: slice.namespace.clone(), name: slice.name.clone() },
                );
                self.note(Kind::Slices, &edits);
                for name in edits.gone {
                    if let Some(slice) = self.slices.remove(&name) {
                        self.touch_service(&slice_service(&slice));
                    }
                }
                for slice in edits.present {
                    self.touch_service(&slice_service(&slice));
                    let name = ObjectName { namespace: slice.namespace.clone(), name: slice.name.clone() };
                    if let Some(old) = self.slices.insert(name, Arc::new(slice)) {
                        self.touch_service(&slice_service(&old));
                    }
                }
            }
        }
    }

    fn note<T>(&mut self, kind: Kind, edits: &Edits<T>) {
        if edits.snapshot {
            self.seen.insert(kind);
        }
    }

    fn set_pod(&mut self, name: &ObjectName, pod: Option<Pod>) {
        let old = match &pod {
            Some(pod) => self
                .pods
                .entry(name.namespace.clone())
                .or_default()
                .insert(name.name.clone(), Arc::new(pod.clone())),
            None => {
                let namespace = self.pods.get_mut(&name.namespace);
                let old = namespace.and_then(|pods| pods.remove(&name.name));
                if self.pods.get(&name.namespace).is_some_and(HashMap::is_empty) {
                    self.pods.remove(&name.namespace);
                }
                old
            }
        };
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
        let waits =
            pod.as_ref().is_some_and(|pod| pod.life == Life::Live && pod.gates.iter().any(|(_, open)| !open));
        if waits {
            self.gated.insert(name.clone());
        } else {
            self.gated.remove(name);
        }
        let services = &self.services;
        let revision = self.revision;
        let first = ObjectName { namespace: name.namespace.clone(), name: String::new() };
        let in_namespace =
            self.bindings.range_mut(first..).take_while(|(binding, _)| binding.namespace == name.namespace);
        for (_, entry) in in_namespace {
            let service = services.get(&service_name(&entry.binding));
            let concerns = service.is_some_and(|service| {
                old.iter().map(|pod| &**pod).chain(&pod).any(|pod| service.selects(&pod.labels))
            });
            if concerns {
                entry.touched = revision;
            }
        }
    }

    fn set_node_targets(&mut self, node: &str, spec: Option<NodeTargetsSpec>) {
        let old = match &spec {
            Some(spec) => self.node_targets.insert(node.into(), Arc::new(spec.clone())),
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
            let targets = self.records.entry(group).or_default();
            targets.entry(target).or_default().push(record);
        }
    }

    fn set_binding(&mut self, binding: TargetGroupBinding) {
        let group: Option<TargetGroupArn> = binding.spec.target_group.arn.parse().ok();
        let name = ObjectName::of(&binding);
        let same = self.bindings.get(&name).filter(|old| {
            let (old, new) = (&old.binding.metadata, &binding.metadata);
            old.uid == new.uid && old.generation == new.generation && old.annotations == new.annotations
        });
        let entry = Entry {
            respecified: same.map_or(self.revision, |old| old.respecified),
            binding: Arc::new(binding),
            group: group.clone(),
            touched: self.revision,
        };
        if let Some(old) = self.bindings.insert(name, entry)
            && old.group != group
        {
            self.touch_group(old.group.as_ref());
        }
        self.touch_group(group.as_ref());
    }

    fn touch_group(&mut self, group: Option<&TargetGroupArn>) {
        let revision = self.revision;
        for entry in self.bindings.values_mut() {
            if group.is_some() && entry.group.as_ref() == group {
                entry.touched = revision;
            }
        }
    }

    /// Touches the bindings of a Service, and those of their groups, whose verdicts depend on each other.
    fn touch_service(&mut self, name: &ObjectName) {
        let concerned = self.bindings.values().filter(|entry| service_name(&entry.binding) == *name);
        let groups: BTreeSet<Option<TargetGroupArn>> = concerned.map(|entry| entry.group.clone()).collect();
        let revision = self.revision;
        for entry in self.bindings.values_mut() {
            if groups.contains(&entry.group) {
                entry.touched = revision;
            }
        }
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
            // What is known of these stays true.
            Change::Invalid { .. } | Change::Interrupted(_) => (Vec::new(), Vec::new(), false),
        };
        Self { present, gone, snapshot }
    }
}

/// The name of the Service that a binding names.
fn service_name(binding: &TargetGroupBinding) -> ObjectName {
    ObjectName {
        namespace: binding.metadata.namespace.clone().unwrap_or_default(),
        name: binding.spec.service.name.clone(),
    }
}

fn slice_service(slice: &Slice) -> ObjectName {
    ObjectName { namespace: slice.namespace.clone(), name: slice.service.clone() }
}

/// The name of a pod.
#[must_use]
pub fn pod_name(pod: &Pod) -> ObjectName {
    ObjectName { namespace: pod.namespace.clone(), name: pod.name.clone() }
}

fn cluster_names<V>(objects: &BTreeMap<String, V>) -> BTreeSet<ObjectName> {
    objects.keys().map(|name| ObjectName { namespace: String::new(), name: name.clone() }).collect()
}

#[cfg(test)]
mod tests;
