//! One resource gateway, directory or resource configuration.

use std::collections::BTreeSet;

use super::{Known, KnownNetwork, Plan, Wait};
use crate::{
    Tags,
    id::{NetworkId, ResourceAssociationId, ResourceGatewayId},
    observed::{Attempt, Status},
    resource::{Configuration, ConfigurationSpec, DnsTarget, ResourceSpec, ResourceTree},
    tags,
};

/// What to do about a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Make it; a resource configuration behind this resource gateway.
    Create(Option<ResourceGatewayId>),
    /// Change where a resource configuration leads.
    Update(DnsTarget),
    /// Put a resource configuration into a network.
    Associate(NetworkId),
    /// Take it out.
    Dissociate(NetworkId, ResourceAssociationId),
    /// Set tags.
    Tag(Tags),
    /// Take the tags with these keys away from a resource of VPC Lattice.
    Untag(BTreeSet<String>),
    /// Remove it. A directory is emptied first.
    Delete,
}

/// What a resource goes by besides itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Around {
    /// The resource gateway that a resource configuration needs.
    pub gateway: Known<ResourceGatewayId>,
    /// The directory that it leads to.
    pub directory: Known<()>,
    /// The network that it is to be in.
    pub network: KnownNetwork,
    /// Whether another resource needs this one, so that it can't go.
    pub used: bool,
}

/// Names the next calls for a resource; none when `there` is what is `wanted`.
#[must_use]
pub fn next(
    wanted: Option<&ResourceSpec>,
    there: Option<(&ResourceTree, &Tags)>,
    around: &Around,
) -> Plan<Step> {
    let mut plan = Plan::default();
    let Some((tree, there_tags)) = there else {
        if let Some(wanted) = wanted {
            create(wanted, around, &mut plan);
        }
        return plan;
    };
    if tree.status().in_progress() {
        plan.waits.push(Wait::Resource);
        return plan;
    }
    let failed = matches!(tree.status(), Status::Failed { what: Attempt::Create | Attempt::Delete, .. });
    match (wanted.filter(|_| !failed), tree) {
        (Some(ResourceSpec::Configuration(spec)), ResourceTree::Configuration(configuration, _))
            if !is_another(spec, configuration, around) =>
        {
            change(spec, tree, around, &mut plan);
        }
        // What leads through another resource gateway or has another port can't be changed, and is made anew.
        (None | Some(ResourceSpec::Configuration(_)), _) => {
            remove(tree, around, &mut plan);
            return plan;
        }
        (Some(_), _) => {}
    }
    let (set, take) = wanted.map(|wanted| tags::changes(wanted.tags(), there_tags)).unwrap_or_default();
    if !set.is_empty() {
        plan.steps.push(Step::Tag(set));
    }
    // Nobody can ask for tags of directories.
    if !take.is_empty() && !matches!(tree, ResourceTree::Directory(_)) {
        plan.steps.push(Step::Untag(take));
    }
    plan
}

fn create(wanted: &ResourceSpec, around: &Around, plan: &mut Plan<Step>) {
    if !matches!(wanted, ResourceSpec::Configuration(_)) {
        plan.steps.push(Step::Create(None));
        return;
    }
    // A name that somebody else has is never led to, so the directory has to be there first.
    if around.directory != Known::Yes(()) {
        plan.waits.push(Wait::Directory);
    }
    match &around.gateway {
        Known::Yes(gateway) if plan.waits.is_empty() => plan.steps.push(Step::Create(Some(gateway.clone()))),
        Known::Yes(_) => {}
        _ => plan.waits.push(Wait::ResourceGateway),
    }
}

/// Whether a resource configuration differs in what can't be changed.
fn is_another(spec: &ConfigurationSpec, there: &Configuration, around: &Around) -> bool {
    let other = matches!(&around.gateway, Known::Yes(wanted) if there.gateway.as_ref() != Some(wanted));
    other || !is_port(&there.ports, spec.port)
}

/// Whether ranges of ports are this port alone, however that is written.
fn is_port(ranges: &[String], port: u16) -> bool {
    let [range] = ranges else { return false };
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    [first, last].into_iter().all(|end| end.trim().parse() == Ok(port))
}

fn change(spec: &ConfigurationSpec, tree: &ResourceTree, around: &Around, plan: &mut Plan<Step>) {
    let ResourceTree::Configuration(configuration, associations) = tree else { return };
    if configuration.target.as_ref() != Some(&spec.target) {
        if around.directory == Known::Yes(()) {
            plan.steps.push(Step::Update(spec.target.clone()));
        } else {
            plan.waits.push(Wait::Directory);
        }
    }
    let wanted = if let Known::Yes(network) = &around.network {
        Some(network)
    } else {
        plan.waits.push(Wait::Network(spec.network.clone()));
        None
    };
    for (network, association) in associations {
        let is_wanted = wanted.is_none_or(|wanted| wanted == network);
        if association.status.in_progress() {
            plan.waits.push(Wait::Association(network.clone()));
        } else if matches!(association.status, Status::Failed { .. }) || !is_wanted {
            plan.steps.push(Step::Dissociate(network.clone(), association.id.clone()));
        } else if association.dns_name.is_none() {
            plan.waits.push(Wait::Association(network.clone()));
        }
    }
    if let Some(network) = wanted.filter(|network| !associations.contains_key(network)) {
        plan.steps.push(Step::Associate(network.clone()));
    }
}

fn remove(tree: &ResourceTree, around: &Around, plan: &mut Plan<Step>) {
    if let ResourceTree::Configuration(_, associations) = tree
        && !associations.is_empty()
    {
        for (network, association) in associations {
            if association.status.in_progress() {
                plan.waits.push(Wait::Association(network.clone()));
            } else {
                plan.steps.push(Step::Dissociate(network.clone(), association.id.clone()));
            }
        }
        return;
    }
    if !around.used {
        plan.steps.push(Step::Delete);
    }
}

#[cfg(test)]
mod tests;
