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

pub mod agents;
mod apply;
pub mod feed;
mod index;
pub mod metrics;
pub mod objects;

use agents::Agents;
use index::Index;
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

/// Pods by a label's key and value, and by their names.
type Labelled = HashMap<String, HashMap<String, BTreeMap<String, Arc<Pod>>>>;

/// What is known of the cluster.
#[derive(Debug, Default)]
pub struct Cluster {
    revision: u64,
    seen: BTreeSet<Kind>,
    pods: HashMap<String, HashMap<String, Arc<Pod>>>,
    by_address: HashMap<IpAddr, BTreeSet<ObjectName>>,
    /// Pods of a namespace by each of their labels, so that a Service need not look at all of them.
    by_label: HashMap<String, Labelled>,
    gated: BTreeSet<ObjectName>,
    services: HashMap<ObjectName, Arc<Service>>,
    services_changed: u64,
    bindings_changed: u64,
    bindings: BTreeMap<ObjectName, Entry>,
    /// Bindings that are being deleted.
    leaving: BTreeSet<ObjectName>,
    index: Index,
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

    /// The revision at which a Service last changed.
    #[must_use]
    pub fn services_changed(&self) -> u64 {
        self.services_changed
    }

    /// The revision at which a binding was last made, deleted, or changed in more than its status.
    #[must_use]
    pub fn bindings_changed(&self) -> u64 {
        self.bindings_changed
    }

    /// A Service.
    #[must_use]
    pub fn service(&self, name: &ObjectName) -> Option<&Service> {
        self.services.get(name).map(|service| &**service)
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
        self.index.of_group(group).filter_map(|name| self.bindings.get(name))
    }

    /// Bindings that are being deleted.
    pub fn leaving(&self) -> impl Iterator<Item = (&ObjectName, &Entry)> {
        self.leaving.iter().filter_map(|name| self.bindings.get_key_value(name))
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
    /// is missing. Cost: the pods with that label of the Service's selector which the fewest have.
    pub fn members(&self, binding: &TargetGroupBinding) -> impl Iterator<Item = (&Arc<Pod>, Standing)> {
        let service = self.service_of(binding);
        let port = service.and_then(|service| service.port(&binding.spec.service.port));
        let family = binding.spec.ip_family;
        service.zip(port).into_iter().flat_map(move |(service, port)| {
            self.candidates(service)
                .filter(|pod| service.selects(&pod.labels))
                .map(move |pod| (pod, standing(pod, service, port, family)))
        })
    }

    /// The pods that a Service selects.
    pub fn pods_of<'a>(&'a self, service: &'a Service) -> impl Iterator<Item = &'a Arc<Pod>> {
        self.candidates(service).filter(|pod| service.selects(&pod.labels))
    }

    /// Pods among which all are that a Service selects.
    fn candidates(&self, service: &Service) -> impl Iterator<Item = &Arc<Pod>> {
        let labels = self.by_label.get(&service.namespace);
        let with = |(key, value): (&String, &String)| labels?.get(key)?.get(value);
        // A label that no pod has makes the Service select none.
        let sets: Option<Vec<_>> = service.selector.iter().map(with).collect();
        let fewest = sets.and_then(|sets| sets.into_iter().min_by_key(|pods| pods.len()));
        fewest.into_iter().flat_map(BTreeMap::values)
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
}

/// The name of the Service that a binding names.
fn service_name(binding: &TargetGroupBinding) -> ObjectName {
    ObjectName {
        namespace: binding.metadata.namespace.clone().unwrap_or_default(),
        name: binding.spec.service.name.clone(),
    }
}

/// The name of a pod.
#[must_use]
pub fn pod_name(pod: &Pod) -> ObjectName {
    ObjectName { namespace: pod.namespace.clone(), name: pod.name.clone() }
}

#[cfg(test)]
mod tests;
