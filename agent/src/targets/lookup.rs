//! Lookup: whether another pod has an address by now, asked of the API server's store.

use k8s_openapi::api::core::v1 as core;
use kube::{Api, Client, api::ListParams};
use lath_kubernetes::{Pod, Service, pod::Life, standing};
use lattice::Target;

use super::desired::Binding;

/// A pod's address that is about to be taken out of a group, and what would give another pod a right to it.
#[derive(Debug, Clone)]
pub(super) struct Question {
    /// Which target.
    pub(super) target: Target,
    /// The pod for which it was registered.
    pub(super) uid: String,
    /// The bindings of the group, with their Services.
    pub(super) claims: Vec<(Binding, Service)>,
}

/// Asks for each target whether some other pod has its address and belongs into the group; `None` where the API server
/// does not answer.
///
/// The field `status.podIP` holds a pod's first address, so a pod that has the address as its second is not found; EKS
/// gives pods addresses of one family only.
pub(super) async fn ask(client: Client, questions: Vec<Question>) -> Vec<Option<bool>> {
    let pods: Api<core::Pod> = Api::all(client);
    let mut answers = Vec::with_capacity(questions.len());
    for question in questions {
        // Neither a limit nor a resource version: the list comes from the store, not from a cache that may be behind.
        let params = ListParams::default().fields(&format!("status.podIP={}", question.target.address));
        answers.push(match pods.list(&params).await {
            Ok(list) => Some(list.items.iter().map(Pod::from).any(|pod| claimed(&question, &pod))),
            Err(error) => {
                tracing::debug!(target = %question.target, %error, "looking up who has an address failed");
                None
            }
        });
    }
    answers
}

/// Whether `pod` is another one that belongs into the group under the same address and port.
fn claimed(question: &Question, pod: &Pod) -> bool {
    use standing::Standing::{Out, Ready, Unready};

    pod.uid != question.uid
        && pod.life == Life::Live
        && question.claims.iter().any(|(binding, service)| {
            service.port(&binding.port).is_some_and(|port| {
                match standing::standing(pod, service, port, binding.family) {
                    Ready(target) | Unready(target) => target == question.target,
                    Out(_) => false,
                }
            })
        })
}
