//! Proof: what has to be known before anything is taken out of a group in the place of an agent.

use std::net::IpAddr;

use k8s_openapi::api::core::v1 as core;
use kube::{Api, Client, api::ListParams};
use lath_kubernetes::{
    Pod,
    node_targets::RecordState,
    pod::Life,
    standing::{Absence, Standing},
    watch::ObjectName,
};
use lattice::{Target, TargetGroupArn};

use crate::cluster::Cluster;

/// Most targets about which the API server is asked at once, by each who asks.
pub const READS_AT_ONCE: usize = 8;

/// What became of the pod for which a target was registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// There is no pod of that UID, or it is not known for which pod the target was registered.
    Gone,
    /// It is being deleted, or has ended.
    Leaving,
    /// It lives, under another address.
    Moved,
    /// It lives, under this address.
    Here,
}

/// Whether a pod has a place in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Some binding selects it, or it can't be told because a binding is not accepted.
    Bound,
    /// There are bindings, all of them accepted, and none selects it.
    NotSelected,
    /// There is no binding of the group in its namespace any more.
    NoBinding,
}

/// Whether a pod has a place in a group, by its labels in `pod`, which may be a fresh read.
#[must_use]
pub fn place(cluster: &Cluster, group: &TargetGroupArn, namespace: &str, pod: Option<&Pod>) -> Place {
    let mut place = Place::NoBinding;
    for entry in cluster.bindings_of(group) {
        if entry.binding.metadata.namespace.as_deref() != Some(namespace) {
            continue;
        }
        if entry.binding.metadata.deletion_timestamp.is_some() {
            // Those who see to its end take its targets out.
            return Place::Bound;
        }
        let out = pod.is_some_and(|pod| {
            entry.binding.accepted()
                && cluster.standing(&entry.binding, pod) == Some(Standing::Out(Absence::NotSelected))
        });
        if !out {
            return Place::Bound;
        }
        place = Place::NotSelected;
    }
    place
}

/// What fresh, consistent reads say about a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The Node object is gone.
    pub node_gone: bool,
    /// The node has booted since the target was recorded.
    pub rebooted: bool,
    /// No agent ever ran on the node, so nobody else takes its pods out.
    pub agentless: bool,
    /// What became of the pod.
    pub fate: Fate,
    /// Whether any binding of the group has a place for the pod.
    pub place: Place,
    /// Another live pod that belongs into the group under the same address and port.
    pub claimed_by: Option<String>,
}

/// Whether the target may be taken out.
#[must_use]
pub fn proves(evidence: &Evidence) -> bool {
    if evidence.claimed_by.is_some() {
        return false;
    }
    match evidence.fate {
        Fate::Gone => true,
        _ if evidence.node_gone => true,
        _ if evidence.place == Place::NoBinding => true,
        _ if evidence.place == Place::NotSelected && evidence.agentless => true,
        Fate::Leaving => evidence.agentless,
        Fate::Moved => evidence.rebooted || evidence.agentless,
        Fate::Here => false,
    }
}

/// Reads from the API server's store, never from a cache.
#[derive(Clone)]
pub struct Fresh(Client);

impl std::fmt::Debug for Fresh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fresh")
    }
}

impl Fresh {
    /// Reads by this client.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self(client)
    }

    /// What became of the pod of this name and UID, as far as this address is concerned.
    ///
    /// # Errors
    /// When the API server does not answer, in which case nothing is proven.
    pub async fn fate(&self, pod: &ObjectName, uid: &str, address: IpAddr) -> kube::Result<Fate> {
        Ok(fate_of(self.pod(pod, uid).await?.as_ref(), address))
    }

    /// The pod of this name and UID, if there is one.
    ///
    /// # Errors
    /// When the API server does not answer.
    pub async fn pod(&self, pod: &ObjectName, uid: &str) -> kube::Result<Option<Pod>> {
        let pods: Api<core::Pod> = Api::namespaced(self.0.clone(), &pod.namespace);
        let pod = pods.get_opt(&pod.name).await?.map(|pod| Pod::from(&pod));
        Ok(pod.filter(|pod| pod.uid == uid))
    }

    /// The live pods whose first address is this one.
    ///
    /// # Errors
    /// When the API server does not answer.
    pub async fn pods_at(&self, address: IpAddr) -> kube::Result<Vec<Pod>> {
        let pods: Api<core::Pod> = Api::all(self.0.clone());
        let params = ListParams::default().fields(&format!("status.podIP={address}"));
        let pods = pods.list(&params).await?;
        Ok(pods.items.iter().map(Pod::from).filter(|pod| pod.life == Life::Live).collect())
    }

    /// Whether there is no Node of this name.
    ///
    /// # Errors
    /// When the API server does not answer.
    pub async fn node_gone(&self, node: &str) -> kube::Result<bool> {
        let nodes: Api<core::Node> = Api::all(self.0.clone());
        Ok(nodes.get_metadata_opt(node).await?.is_none())
    }
}

/// What became of a pod, as far as this address is concerned. `pod` is what a fresh read of its UID brought.
#[must_use]
pub fn fate_of(pod: Option<&Pod>, address: IpAddr) -> Fate {
    match pod {
        None => Fate::Gone,
        Some(pod) if pod.life != Life::Live => Fate::Leaving,
        Some(pod) if pod.addresses.contains(&address) => Fate::Here,
        Some(_) => Fate::Moved,
    }
}

/// Another pod among `fresh`, or among those known to have the target's address as their second, that belongs into the
/// group under this address and port.
///
/// A pod that merely has the address is no reason to leave the target in: it would get requests meant for others.
#[must_use]
pub fn claimant(
    cluster: &Cluster,
    group: &TargetGroupArn,
    target: Target,
    uid: Option<&str>,
    fresh: &[Pod],
) -> Option<String> {
    let known = cluster.pods_at(target.address).map(|pod| &**pod);
    let others = fresh.iter().chain(known).filter(|pod| Some(pod.uid.as_str()) != uid);
    others
        .filter(|pod| pod.life == Life::Live)
        .find(|pod| belongs(cluster, group, target, pod))
        .map(Pod::display_name)
}

/// Whether a node's record, other than that of `node`, says that the target is registered for a pod that has a right to
/// it. Nobody's record of a target is given up before: when the pod that has its address by now goes unnoticed by its
/// own agent, nobody would know that the target is there.
#[must_use]
pub fn answered_for(cluster: &Cluster, group: &TargetGroupArn, target: Target, node: Option<&str>) -> bool {
    cluster
        .recorded(group, target)
        .iter()
        .filter(|record| Some(record.node.as_str()) != node && record.state == RecordState::Registered)
        .filter_map(|record| cluster.pod_by_uid(&record.pod, &record.uid))
        .any(|pod| pod.life == Life::Live && belongs(cluster, group, target, pod))
}

/// Whether a live pod is a target of the group by any binding that is not being deleted.
#[must_use]
pub fn belongs(cluster: &Cluster, group: &TargetGroupArn, target: Target, pod: &Pod) -> bool {
    cluster
        .bindings_of(group)
        .filter(|entry| entry.binding.metadata.deletion_timestamp.is_none())
        .any(|entry| matches!(cluster.standing(&entry.binding, pod), Some(Standing::Ready(own) | Standing::Unready(own)) if own == target))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_goes_without_proof() {
        let nothing = Evidence {
            node_gone: false,
            rebooted: false,
            agentless: false,
            fate: Fate::Here,
            place: Place::Bound,
            claimed_by: None,
        };
        let claimed = Some("shop/web-1".to_owned());
        for (evidence, proven) in [
            (nothing.clone(), false),
            (Evidence { fate: Fate::Gone, ..nothing.clone() }, true),
            (Evidence { fate: Fate::Gone, claimed_by: claimed.clone(), ..nothing.clone() }, false),
            (Evidence { node_gone: true, ..nothing.clone() }, true),
            (Evidence { node_gone: true, claimed_by: claimed, ..nothing.clone() }, false),
            (Evidence { place: Place::NoBinding, ..nothing.clone() }, true),
            (Evidence { place: Place::NotSelected, ..nothing.clone() }, false),
            (Evidence { place: Place::NotSelected, agentless: true, ..nothing.clone() }, true),
            (Evidence { fate: Fate::Moved, ..nothing.clone() }, false),
            (Evidence { fate: Fate::Moved, rebooted: true, ..nothing.clone() }, true),
            (Evidence { fate: Fate::Moved, agentless: true, ..nothing.clone() }, true),
            (Evidence { fate: Fate::Here, rebooted: true, ..nothing.clone() }, false),
            (Evidence { fate: Fate::Leaving, ..nothing.clone() }, false),
            (Evidence { fate: Fate::Leaving, agentless: true, ..nothing }, true),
        ] {
            assert_eq!(proves(&evidence), proven, "{evidence:?}");
        }
    }

    #[test]
    fn the_fate_of_a_pod_by_a_fresh_read_of_its_uid() {
        let mut pod = crate::testing::pod("web-0", 1);
        let address = pod.addresses[0];
        assert_eq!(fate_of(None, address), Fate::Gone);
        assert_eq!(fate_of(Some(&pod), address), Fate::Here);
        assert_eq!(fate_of(Some(&pod), [10, 0, 0, 9].into()), Fate::Moved);
        pod.life = Life::Leaving;
        assert_eq!(fate_of(Some(&pod), address), Fate::Leaving);
    }
}
