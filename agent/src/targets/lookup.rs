//! Lookup: whether another pod has an address by now, and somebody answers for it, asked of the API server's store.

use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::api::core::v1 as core;
use kube::{Api, Client, api::ListParams};
use lath_kubernetes::{NodeTargets, Pod, Service, node_targets::NodeTargetsSpec, pod::Life, standing};
use lattice::{Target, TargetGroupArn};
use tokio::time::Instant;

use super::desired::Binding;

/// Longest time for all answers together, since the first is relied upon when the last has come. What gets none is asked
/// again later.
const WITHIN: Duration = Duration::from_secs(3);

/// Most addresses that are asked about at once.
const AT_ONCE: usize = 20;

/// A pod's address that is about to be taken out of a group, and what would give another pod a right to it.
#[derive(Debug, Clone)]
pub(super) struct Question {
    /// The group.
    pub(super) group: TargetGroupArn,
    /// Which target.
    pub(super) target: Target,
    /// The bindings of the group, with their Services.
    pub(super) claims: Vec<(Binding, Service)>,
}

/// Asks for each target whether some pod has its address and belongs into the group: `Some(true)`, another one, and its
/// own node's record says that it has been registered for it; `Some(false)`, none; `None`, not to be told now, because
/// the API server does not answer, this agent is about to hear of the pod, or nobody answers for the other pod yet.
///
/// A target that another pod's agent has not recorded is not left to it: that agent may be cut off, never hear of the
/// pod, and never take it out.
///
/// The field `status.podIP` holds a pod's first address, so a pod that has the address as its second is not found; EKS
/// gives pods addresses of one family only.
pub(super) async fn ask(client: &Client, node: &str, questions: Vec<Question>) -> Vec<Option<bool>> {
    let pods: Api<core::Pod> = Api::all(client.clone());
    let until = Instant::now() + WITHIN;
    // What live pods of this node have, nobody else can have: one list for all, and one for each of the others.
    let own = if questions.len() > 1 {
        answered(until, list(&pods, format!("spec.nodeName={node}"))).await
    } else {
        Some(Vec::new())
    };
    let Some(own) = own else {
        return vec![None; questions.len()];
    };
    let answers = questions.into_iter().map(|question| {
        let (own, pods) = (&own, &pods);
        async move {
            let address = question.target.address;
            // One that has ended keeps its address in its status, and no longer has it.
            let mine = own.iter().filter(|pod| pod.life == Life::Live && pod.addresses.contains(&address));
            let mine: Vec<Pod> = mine.cloned().collect();
            let holders = if mine.is_empty() {
                answered(until, list(pods, format!("status.podIP={address}"))).await?
            } else {
                mine
            };
            let answer = question.decide(client, node, &holders, until).await;
            tracing::debug!(target = %question.target, another_has_it = ?answer, "looked up who has an address");
            answer
        }
    });
    futures::stream::iter(answers).buffered(AT_ONCE).collect().await
}

/// The pods that a field selector selects, from the store: with neither a limit nor a resource version it is not a cache
/// that answers, which may be behind.
async fn list(pods: &Api<core::Pod>, selector: String) -> kube::Result<Vec<Pod>> {
    let list = pods.list(&ListParams::default().fields(&selector)).await?;
    Ok(list.items.iter().map(Pod::from).collect())
}

/// The answer to a request, or nothing if there is none in time.
async fn answered<T>(until: Instant, request: impl Future<Output = kube::Result<T>>) -> Option<T> {
    match tokio::time::timeout_at(until, request).await {
        Ok(Ok(answer)) => Some(answer),
        Ok(Err(error)) => {
            tracing::debug!(%error, "looking up who has an address failed");
            None
        }
        Err(_elapsed) => {
            tracing::debug!("looking up who has an address got no answer");
            None
        }
    }
}

impl Question {
    /// Judges those who have the address, and asks whether their own nodes answer for them.
    async fn decide(&self, client: &Client, node: &str, holders: &[Pod], until: Instant) -> Option<bool> {
        let records: Api<NodeTargets> = Api::all(client.clone());
        match self.answer(node, holders) {
            Answer::Nobody => Some(false),
            Answer::Wait => None,
            Answer::Elsewhere(claimants) => {
                for pod in claimants {
                    let record = answered(until, records.get_opt(&pod.node)).await?;
                    if record.is_some_and(|record| self.is_recorded(pod, &record.spec)) {
                        return Some(true);
                    }
                }
                None
            }
        }
    }

    /// Judges the pods that have the address.
    fn answer<'a>(&self, node: &str, pods: &'a [Pod]) -> Answer<'a> {
        let mut answer = Answer::Nobody;
        let mut elsewhere = Vec::new();
        for pod in pods.iter().filter(|pod| pod.life == Life::Live) {
            match (self.claim(pod), pod.node == node) {
                // One that is unready may have been ready before, and so be in; its own node's record tells.
                (Some(Claim::Ready | Claim::Unready), false) => elsewhere.push(pod),
                // This agent is about to hear of it, or that it is ready again.
                (Some(Claim::Ready), true) => answer = Answer::Wait,
                // Were it in, this agent would want it.
                (Some(Claim::Unready), true) | (None, _) => {}
            }
        }
        if elsewhere.is_empty() { answer } else { Answer::Elsewhere(elsewhere) }
    }

    /// Whether a node's record says that the target has been registered for this pod.
    fn is_recorded(&self, pod: &Pod, record: &NodeTargetsSpec) -> bool {
        record.registered(&self.group, self.target, &pod.uid)
    }

    /// What claim a pod has to the target.
    fn claim(&self, pod: &Pod) -> Option<Claim> {
        use standing::Standing::{Out, Ready, Unready};

        let mut claim = None;
        for (binding, service) in &self.claims {
            let Some(port) = service.port(&binding.port) else { continue };
            match standing::standing(pod, service, port, binding.family) {
                Ready(target) if target == self.target => return Some(Claim::Ready),
                Unready(target) if target == self.target => claim = Some(Claim::Unready),
                Ready(_) | Unready(_) | Out(_) => {}
            }
        }
        claim
    }
}

/// Who has an address.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Answer<'a> {
    /// Nobody with a claim to the target.
    Nobody,
    /// A pod of this node, of which this agent is about to hear.
    Wait,
    /// Pods of other nodes.
    Elsewhere(Vec<&'a Pod>),
}

/// A pod that stands behind the target's group, at the target's address and port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Claim {
    Ready,
    Unready,
}

#[cfg(test)]
mod tests;
