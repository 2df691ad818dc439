//! Lookup: whether another pod has an address by now, asked of the API server's store.

use std::time::Duration;

use futures::future::join_all;
use k8s_openapi::api::core::v1 as core;
use kube::{Api, Client, api::ListParams};
use lath_kubernetes::{Pod, Service, pod::Life, standing};
use lattice::Target;

use super::desired::Binding;

/// Longest time for an answer. What gets none is asked again later.
const REQUEST: Duration = Duration::from_secs(5);

/// A pod's address that is about to be taken out of a group, and what would give another pod a right to it.
#[derive(Debug, Clone)]
pub(super) struct Question {
    /// Which target.
    pub(super) target: Target,
    /// The node of this agent.
    pub(super) node: String,
    /// The bindings of the group, with their Services.
    pub(super) claims: Vec<(Binding, Service)>,
}

/// Asks for each target whether some pod has its address and belongs into the group: `Some(true)`, another one, whose own
/// node's agent has registered it or will; `Some(false)`, none; `None`, not to be told now, because the API server does
/// not answer, this agent is about to hear of the pod, or what another agent knows of it decides.
///
/// The field `status.podIP` holds a pod's first address, so a pod that has the address as its second is not found; EKS
/// gives pods addresses of one family only.
pub(super) async fn ask(client: Client, questions: Vec<Question>) -> Vec<Option<bool>> {
    let pods: Api<core::Pod> = Api::all(client);
    let answers = questions.iter().map(|question| async {
        // Neither a limit nor a resource version: the list comes from the store, not from a cache that may be behind.
        let params = ListParams::default().fields(&format!("status.podIP={}", question.target.address));
        match tokio::time::timeout(REQUEST, pods.list(&params)).await {
            Ok(Ok(list)) => question.answer(list.items.iter().map(Pod::from)),
            Ok(Err(error)) => {
                tracing::debug!(target = %question.target, %error, "looking up who has an address failed");
                None
            }
            Err(_elapsed) => {
                tracing::debug!(target = %question.target, "looking up who has an address got no answer");
                None
            }
        }
    });
    join_all(answers).await
}

impl Question {
    /// Judges the pods that have the address.
    fn answer(&self, pods: impl Iterator<Item = Pod>) -> Option<bool> {
        let mut answer = Some(false);
        for pod in pods.filter(|pod| pod.life == Life::Live) {
            match (self.claim(&pod), pod.node == self.node) {
                (Some(Claim::Ready), false) => return Some(true),
                // This agent is about to hear of it, or that it is ready again. Whether one elsewhere that is unready was
                // ready before, and so is in, only its own node's agent can tell.
                (Some(Claim::Ready), true) | (Some(Claim::Unready), false) => answer = None,
                // Were it in, this agent would want it.
                (Some(Claim::Unready), true) | (None, _) => {}
            }
        }
        answer
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

/// A pod that stands behind the target's group, at the target's address and port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Claim {
    Ready,
    Unready,
}

#[cfg(test)]
mod tests;
