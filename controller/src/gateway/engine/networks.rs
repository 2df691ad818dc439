//! Service networks: what is known of each, and what answers make of that.

use std::collections::BTreeMap;

use lattice::{
    id::NetworkId,
    observed::Network,
    plan::network::{NetworkTree, Step, VpcTree},
    service::NetworkSpec,
};

use super::{
    calls::{NetworkCall, NetworkNews, NetworkStep},
    read::Policies,
    unit::{Tree, Unit},
};

/// What is done one after the other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lane {
    /// Reading the network.
    Tree,
    /// The network itself.
    Network,
    /// The VPC's association.
    Vpc,
    /// Whose its policies are.
    Claim,
    /// Its auth policy.
    Policy,
    /// Access logs to this destination.
    AccessLog(String),
}

/// A service network that is wanted, or that something of this cluster's is in.
#[derive(Debug)]
pub(super) struct NetworkUnit {
    pub(super) unit: Unit<NetworkSpec, Policies, Network, Lane, NetworkCall>,
    /// Which network that is.
    pub(super) network: Option<Network>,
    /// Whether nobody wants it, and what this cluster has left there is to go.
    pub(super) leftover: bool,
    /// Grows with each step.
    pub(super) steps: u64,
}

impl NetworkUnit {
    /// A network of which nothing is wanted.
    pub(super) fn new() -> Self {
        Self { unit: Unit::new(Tree::Absent), network: None, leftover: false, steps: 0 }
    }

    /// What there is, as the planner takes it.
    pub(super) fn tree(
        &self,
        vpc: &BTreeMap<NetworkId, VpcTree>,
        policies_ours: bool,
    ) -> Option<NetworkTree> {
        let network = self.network.clone()?;
        let policies = self.unit.tree.read().cloned().unwrap_or_default();
        Some(NetworkTree {
            vpc: vpc.get(&network.id).cloned(),
            network,
            auth: policies.auth,
            auth_policy: policies.auth_policy,
            access_logs: policies.access_logs,
            policies_ours,
        })
    }
}

/// The lane of a step.
pub(super) fn lane(step: &NetworkStep) -> Lane {
    match step {
        NetworkStep::Claim | NetworkStep::Disclaim => Lane::Claim,
        NetworkStep::Plan(step) => match step {
            Step::Create => Lane::Network,
            Step::AssociateVpc(_) | Step::UpdateVpc(..) | Step::DissociateVpc(_) => Lane::Vpc,
            Step::Update { .. } | Step::PutAuthPolicy(_) | Step::DeleteAuthPolicy => Lane::Policy,
            Step::CreateAccessLog(destination) | Step::DeleteAccessLog(destination, _) => {
                Lane::AccessLog(destination.clone())
            }
        },
    }
}

/// Whether a step is about policies, which have to be claimed first.
pub(super) fn is_policy(step: &Step) -> bool {
    matches!(
        step,
        Step::Update { .. }
            | Step::PutAuthPolicy(_)
            | Step::DeleteAuthPolicy
            | Step::CreateAccessLog(_)
            | Step::DeleteAccessLog(..)
    )
}

/// Takes what a step has brought into what is there of policies.
pub(super) fn apply(policies: &mut Policies, call: &NetworkCall, news: &NetworkNews) {
    match (&call.step, news) {
        (NetworkStep::Claim, _) => policies.tags.extend((*call.claim).clone()),
        (NetworkStep::Disclaim, _) => policies.tags.retain(|key, _| !call.claim.contains_key(key)),
        (NetworkStep::Plan(Step::Update { auth }), _) => policies.auth = *auth,
        (NetworkStep::Plan(Step::PutAuthPolicy(text)), _) => policies.auth_policy = Some(text.clone()),
        (NetworkStep::Plan(Step::DeleteAuthPolicy), _) => policies.auth_policy = None,
        (NetworkStep::Plan(Step::CreateAccessLog(destination)), NetworkNews::AccessLog(id)) => {
            policies.access_logs.insert(destination.clone(), id.clone());
        }
        (NetworkStep::Plan(Step::DeleteAccessLog(destination, _)), _) => {
            policies.access_logs.remove(destination);
        }
        _ => {}
    }
}
