//! One service network, as far as a Gateway decides about it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Plan, Wait, service::same_policy};
use crate::{
    id::{AccessLogId, VpcAssociationId},
    observed::{Attempt, Network, Status},
    service::NetworkSpec,
};

/// What to do about a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Make it.
    Create,
    /// Put the VPC in.
    AssociateVpc(BTreeSet<String>),
    /// Change the security groups that decide who in the VPC may call.
    UpdateVpc(VpcAssociationId, BTreeSet<String>),
    /// Take the VPC out.
    DissociateVpc(VpcAssociationId),
    /// Change whether the auth policy is in force.
    Update {
        /// Whether it is.
        auth: bool,
    },
    /// Say who may call.
    PutAuthPolicy(String),
    /// Say nothing any more about who may call.
    DeleteAuthPolicy,
    /// Send access logs somewhere.
    CreateAccessLog(String),
    /// Do so no more.
    DeleteAccessLog(String, AccessLogId),
}

/// What is there of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkTree {
    /// The network itself.
    pub network: Network,
    /// The association of the cluster's VPC with it.
    pub vpc: Option<VpcTree>,
    /// Whether its auth policy is in force.
    pub auth: bool,
    /// The text of its auth policy.
    pub auth_policy: Option<String>,
    /// Its access log subscriptions by destination.
    pub access_logs: BTreeMap<String, AccessLogId>,
    /// Whether Lath put the auth policy and the subscriptions there, so that it may remove them.
    pub policies_ours: bool,
}

/// How the cluster's VPC is in a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VpcTree {
    /// The association.
    pub id: VpcAssociationId,
    /// How far it is.
    pub status: Status,
    /// Its security groups.
    pub security_groups: BTreeSet<String>,
    /// Whether Lath made it, so that Lath may change or remove it.
    pub ours: bool,
}

/// Names the next calls for a network; none when `there` is what is `wanted`. A network itself is never removed: it may
/// hold what others put in.
#[must_use]
pub fn next(wanted: &NetworkSpec, there: Option<&NetworkTree>) -> Plan<Step> {
    let mut plan = Plan::default();
    let Some(there) = there else {
        if wanted.create {
            plan.steps.push(Step::Create);
        }
        return plan;
    };
    match (&wanted.vpc, &there.vpc) {
        (Some(wanted), None) => plan.steps.push(Step::AssociateVpc(wanted.security_groups.clone())),
        (_, Some(there)) if there.status.in_progress() => plan.waits.push(Wait::VpcAssociation),
        (Some(_), Some(there)) if matches!(there.status, Status::Failed { what: Attempt::Create, .. }) => {
            plan.steps.push(Step::DissociateVpc(there.id.clone()));
        }
        (Some(wanted), Some(there)) if wanted.security_groups != there.security_groups && there.ours => {
            plan.steps.push(Step::UpdateVpc(there.id.clone(), wanted.security_groups.clone()));
        }
        (None, Some(there)) if there.ours => plan.steps.push(Step::DissociateVpc(there.id.clone())),
        _ => {}
    }
    policies(wanted, there, &mut plan);
    plan
}

/// As for a service: a policy is there before it is in force, and goes after it has ceased to be.
fn policies(wanted: &NetworkSpec, there: &NetworkTree, plan: &mut Plan<Step>) {
    match (&wanted.auth_policy, &there.auth_policy) {
        (Some(wanted), Some(there)) if same_policy(wanted, there) => {}
        (Some(wanted), _) => plan.steps.push(Step::PutAuthPolicy(wanted.clone())),
        (None, Some(_)) if there.policies_ours && !there.auth => plan.steps.push(Step::DeleteAuthPolicy),
        (None, _) => {}
    }
    match &wanted.auth_policy {
        Some(text) => {
            let placed = there.auth_policy.as_ref().is_some_and(|there| same_policy(text, there));
            if placed && !there.auth {
                plan.steps.push(Step::Update { auth: true });
            }
        }
        None if there.policies_ours && there.auth => plan.steps.push(Step::Update { auth: false }),
        None => {}
    }
    for destination in &wanted.access_logs {
        if !there.access_logs.contains_key(destination) {
            plan.steps.push(Step::CreateAccessLog(destination.clone()));
        }
    }
    if there.policies_ours {
        for (destination, id) in &there.access_logs {
            if !wanted.access_logs.contains(destination) {
                plan.steps.push(Step::DeleteAccessLog(destination.clone(), id.clone()));
            }
        }
    }
}
