//! Proof: what has to be known before anything is taken out of a group in the place of an agent.

use std::net::IpAddr;

use k8s_openapi::api::core::v1 as core;
use kube::{Api, Client, api::ListParams};
use lath_kubernetes::{Pod, pod::Life, standing::Standing, watch::ObjectName};
use lattice::{Target, TargetGroupArn};

use crate::cluster::Cluster;

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
        Fate::Leaving => evidence.agentless,
        Fate::Moved => evidence.rebooted,
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
        let pods: Api<core::Pod> = Api::namespaced(self.0.clone(), &pod.namespace);
        Ok(match pods.get_opt(&pod.name).await? {
            Some(pod) => fate(&Pod::from(&pod), uid, address),
            None => Fate::Gone,
        })
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

fn fate(pod: &Pod, uid: &str, address: IpAddr) -> Fate {
    if pod.uid != uid {
        Fate::Gone
    } else if pod.life != Life::Live {
        Fate::Leaving
    } else if pod.addresses.contains(&address) {
        Fate::Here
    } else {
        Fate::Moved
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
            claimed_by: None,
        };
        let claimed = Some("shop/web-1".to_owned());
        for (evidence, proven) in [
            (nothing.clone(), false),
            (Evidence { fate: Fate::Gone, ..nothing.clone() }, true),
            (Evidence { fate: Fate::Gone, claimed_by: claimed.clone(), ..nothing.clone() }, false),
            (Evidence { node_gone: true, ..nothing.clone() }, true),
            (Evidence { node_gone: true, claimed_by: claimed, ..nothing.clone() }, false),
            (Evidence { fate: Fate::Moved, ..nothing.clone() }, false),
            (Evidence { fate: Fate::Moved, rebooted: true, ..nothing.clone() }, true),
            (Evidence { fate: Fate::Here, rebooted: true, ..nothing.clone() }, false),
            (Evidence { fate: Fate::Leaving, ..nothing.clone() }, false),
            (Evidence { fate: Fate::Leaving, agentless: true, ..nothing }, true),
        ] {
            assert_eq!(proves(&evidence), proven, "{evidence:?}");
        }
    }

    #[test]
    fn a_pod_of_another_uid_under_the_name_is_another_pod() {
        let mut pod = crate::testing::pod("web-0", 1);
        let address = pod.addresses[0];
        assert_eq!(fate(&pod, "uid-web-0", address), Fate::Here);
        assert_eq!(fate(&pod, "uid-of-before", address), Fate::Gone);
        assert_eq!(fate(&pod, "uid-web-0", [10, 0, 0, 9].into()), Fate::Moved);
        pod.life = Life::Leaving;
        assert_eq!(fate(&pod, "uid-web-0", address), Fate::Leaving);
    }
}
