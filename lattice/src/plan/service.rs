//! One service: itself, its listeners and rules, its networks, who may call it, and where its logs go.

use std::collections::{BTreeMap, BTreeSet};

use super::{Known, KnownGroup, KnownNetwork, Plan, Wait, rules};
use crate::{
    Tags, TargetGroupArn,
    id::{AccessLogId, ListenerId, NetworkId, ServiceAssociationId},
    limits::GROUPS_PER_ACTION,
    observed::{Attempt, ListenerTree, ServiceTree, Status},
    rule::{Action, Rule, Weighted},
    service::{GroupKey, ListenerProtocol, ListenerSpec, ServiceSpec},
    tags,
};

/// What to do about a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Make the service.
    Create,
    /// Change its certificate or whether its auth policy is in force.
    Update {
        /// The certificate's ARN, if it has to change.
        certificate: Option<String>,
        /// Whether the policy is in force, if that has to change.
        auth: Option<bool>,
    },
    /// Remove the service, and with it its listeners, rules, policy and subscriptions.
    Delete,
    /// Make a listener.
    CreateListener {
        /// Its port, by which the service's spec has the rest.
        port: u16,
        /// What becomes of requests that no rule matches.
        default: Action<TargetGroupArn>,
    },
    /// Change what becomes of requests that no rule matches.
    UpdateListener {
        /// Which listener.
        listener: ListenerId,
        /// Its port.
        port: u16,
        /// What becomes of them.
        default: Action<TargetGroupArn>,
    },
    /// Remove a listener and its rules.
    DeleteListener {
        /// Which listener.
        listener: ListenerId,
        /// Its port.
        port: u16,
    },
    /// Do something about rules.
    Rule {
        /// Whose rules.
        listener: ListenerId,
        /// Its port.
        port: u16,
        /// What.
        step: rules::Step,
    },
    /// Put the service into a network.
    Associate(NetworkId),
    /// Take it out of one.
    Dissociate(NetworkId, ServiceAssociationId),
    /// Say who may call it.
    PutAuthPolicy(String),
    /// Say nothing any more about who may call it.
    DeleteAuthPolicy,
    /// Send access logs somewhere.
    CreateAccessLog(String),
    /// Do so no more.
    DeleteAccessLog(String, AccessLogId),
    /// Set tags.
    Tag(Tags),
    /// Take the tags with these keys away.
    Untag(BTreeSet<String>),
}

/// What is changed one after the other. Calls of different lanes may be under way at once; the steps of a lane are
/// planned anew only when all of its calls have been answered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// The service itself.
    Service,
    /// The listener of this port.
    Listener(u16),
    /// Its rules.
    Rules(u16),
    /// The association with this network.
    Association(NetworkId),
    /// The auth policy.
    AuthPolicy,
    /// Access logs to this destination.
    AccessLog(String),
    /// Tags.
    Tags,
}

impl Step {
    /// What it belongs to.
    #[must_use]
    pub fn lane(&self) -> Lane {
        match self {
            Self::Create | Self::Update { .. } | Self::Delete => Lane::Service,
            Self::CreateListener { port, .. }
            | Self::UpdateListener { port, .. }
            | Self::DeleteListener { port, .. } => Lane::Listener(*port),
            Self::Rule { port, .. } => Lane::Rules(*port),
            Self::Associate(network) | Self::Dissociate(network, _) => Lane::Association(network.clone()),
            Self::PutAuthPolicy(_) | Self::DeleteAuthPolicy => Lane::AuthPolicy,
            Self::CreateAccessLog(destination) | Self::DeleteAccessLog(destination, _) => {
                Lane::AccessLog(destination.clone())
            }
            Self::Tag(_) | Self::Untag(_) => Lane::Tags,
        }
    }
}

/// What a plan goes by besides the service itself.
pub struct Around<'a> {
    /// What target groups are called.
    pub group: &'a dyn Fn(&GroupKey) -> KnownGroup,
    /// What service networks are called, by the names that specs have.
    pub network: &'a dyn Fn(&str) -> KnownNetwork,
    /// Whether an association is Lath's, so that it may be removed while the service stays.
    pub ours: &'a dyn Fn(&ServiceAssociationId) -> bool,
    /// Whether requests may be moved to a group, since enough of its targets are healthy or it has been waited for long
    /// enough.
    pub warm: &'a dyn Fn(&TargetGroupArn) -> bool,
}

impl std::fmt::Debug for Around<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Around")
    }
}

/// Names the next calls for a service; none when `there` is what is `wanted`.
#[must_use]
pub fn next(wanted: Option<&ServiceSpec>, there: Option<&ServiceTree>, around: &Around<'_>) -> Plan<Step> {
    let mut plan = Plan::default();
    match (wanted, there) {
        (None, None) => {}
        (Some(_), None) => plan.steps.push(Step::Create),
        (None, Some(there)) => remove(there, &mut plan),
        (Some(wanted), Some(there)) => {
            // One that could be neither made nor deleted is not what it should be, and can't be changed.
            let failed = matches!(
                there.service.status,
                Status::Failed { what: Attempt::Create | Attempt::Delete, .. }
            );
            // A service keeps its custom domain name for life.
            if failed
                || there.service.status == Status::Deleting
                || wanted.custom_domain != there.service.custom_domain
            {
                remove(there, &mut plan);
            } else {
                change(wanted, there, around, &mut plan);
            }
        }
    }
    plan
}

/// A service goes when it is in no network any more.
fn remove(there: &ServiceTree, plan: &mut Plan<Step>) {
    if there.service.status == Status::Deleting {
        plan.waits.push(Wait::Service);
        return;
    }
    if there.associations.is_empty() {
        plan.steps.push(Step::Delete);
        return;
    }
    for (network, association) in &there.associations {
        if association.status == Status::Deleting {
            plan.waits.push(Wait::Association(network.clone()));
        } else {
            plan.steps.push(Step::Dissociate(network.clone(), association.id.clone()));
        }
    }
}

fn change(wanted: &ServiceSpec, there: &ServiceTree, around: &Around<'_>, plan: &mut Plan<Step>) {
    if there.service.status.in_progress() {
        plan.waits.push(Wait::Service);
    }
    admission(wanted, there, plan);
    let live: BTreeSet<&TargetGroupArn> = there.listeners.values().flat_map(live).collect();
    let cold =
        |group: &TargetGroupArn| wanted.warm_up.is_some() && !live.contains(group) && !(around.warm)(group);
    for (port, spec) in &wanted.listeners {
        match there.listeners.get(port) {
            None => create_listener(*port, spec, around, plan),
            Some(tree) if tree.listener.protocol == Some(spec.protocol) => {
                change_listener(*port, spec, tree, around, &cold, plan);
            }
            Some(tree) => {
                plan.steps.push(Step::DeleteListener { listener: tree.listener.id.clone(), port: *port });
            }
        }
    }
    for (port, tree) in &there.listeners {
        if !wanted.listeners.contains_key(port) {
            plan.steps.push(Step::DeleteListener { listener: tree.listener.id.clone(), port: *port });
        }
    }
    networks(wanted, there, around, plan);
    for destination in &wanted.access_logs {
        if !there.access_logs.contains_key(destination) {
            plan.steps.push(Step::CreateAccessLog(destination.clone()));
        }
    }
    for (destination, id) in &there.access_logs {
        if !wanted.access_logs.contains(destination) {
            plan.steps.push(Step::DeleteAccessLog(destination.clone(), id.clone()));
        }
    }
    let (set, take) = tags::changes(&wanted.tags, &there.tags);
    if !set.is_empty() {
        plan.steps.push(Step::Tag(set));
    }
    if !take.is_empty() {
        plan.steps.push(Step::Untag(take));
    }
}

/// Who may call it. A policy is there before it is in force, and goes after it has ceased to be: in between nobody is let
/// in whom neither the old nor the new state lets in, and nobody is shut out either.
fn admission(wanted: &ServiceSpec, there: &ServiceTree, plan: &mut Plan<Step>) {
    let policy_differs = match (&wanted.auth_policy, &there.auth_policy) {
        (Some(wanted), Some(there)) => !same_policy(wanted, there),
        (wanted, there) => wanted.is_some() != there.is_some(),
    };
    let auth = (wanted.auth_policy.is_some() != there.service.auth).then(|| wanted.auth_policy.is_some());
    let certificate =
        wanted.certificate.clone().filter(|arn| there.service.certificate.as_ref() != Some(arn));
    match &wanted.auth_policy {
        Some(text) if policy_differs => plan.steps.push(Step::PutAuthPolicy(text.clone())),
        None if policy_differs && !there.service.auth => plan.steps.push(Step::DeleteAuthPolicy),
        _ => {}
    }
    let auth = auth.filter(|on| !on || !policy_differs);
    if auth.is_some() || certificate.is_some() {
        plan.steps.push(Step::Update { certificate, auth });
    }
}

/// Whether two texts are the same policy, however they are written.
#[must_use]
pub fn same_policy(one: &str, two: &str) -> bool {
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    one == two || read(one).is_some_and(|one| Some(one) == read(two))
}

fn create_listener(port: u16, spec: &ListenerSpec, around: &Around<'_>, plan: &mut Plan<Step>) {
    match resolve(&spec.default, around) {
        Ok(default) => plan.steps.push(Step::CreateListener { port, default }),
        Err(wait) => plan.waits.push(wait),
    }
}

/// The groups that get requests of this listener.
fn live(tree: &ListenerTree) -> impl Iterator<Item = &TargetGroupArn> {
    let rules = tree.rules.values().filter_map(|placed| placed.rule.as_ref());
    let actions = rules.filter(|rule| !rules::is_warming(rule)).map(|rule| &rule.action);
    let shares = actions.chain(&tree.listener.default).flat_map(Action::shares);
    shares.filter(|share| share.weight > 0).map(|share| &share.group)
}

fn change_listener(
    port: u16,
    spec: &ListenerSpec,
    tree: &ListenerTree,
    around: &Around<'_>,
    cold: &dyn Fn(&TargetGroupArn) -> bool,
    plan: &mut Plan<Step>,
) {
    let listener = &tree.listener.id;
    // Where nothing is served, nothing can be cut off.
    if live(tree).next().is_some() && warm_up(port, spec, tree, around, cold, plan) {
        return;
    }
    match resolve(&spec.default, around) {
        Ok(default) if Some(&default) != tree.listener.default.as_ref() => {
            plan.steps.push(Step::UpdateListener { listener: listener.clone(), port, default });
        }
        Ok(_) => {}
        Err(wait) => plan.waits.push(wait),
    }
    if spec.protocol == ListenerProtocol::TlsPassthrough {
        return;
    }
    let mut rules: Vec<Rule<TargetGroupArn>> = Vec::with_capacity(spec.rules.len());
    for rule in &spec.rules {
        match resolve(&rule.action, around) {
            Ok(action) => rules.push(Rule { matching: rule.matching.clone(), action }),
            Err(wait) => {
                // Were the others put in place without it, its requests would go by a rule that is not for them.
                plan.waits.push(wait);
                return;
            }
        }
    }
    plan.steps.extend(rules::next(&rules, &tree.rules).into_iter().map(|step| Step::Rule {
        listener: listener.clone(),
        port,
        step,
    }));
}

/// Has Lattice check the targets of groups that requests are to be moved to. As long as there are any, the listener stays
/// as it is: were some of its rules changed before the others, a request might get what neither the old nor the new ones
/// say. Tells whether that is so.
fn warm_up(
    port: u16,
    spec: &ListenerSpec,
    tree: &ListenerTree,
    around: &Around<'_>,
    cold: &dyn Fn(&TargetGroupArn) -> bool,
    plan: &mut Plan<Step>,
) -> bool {
    let mut groups: BTreeSet<TargetGroupArn> = BTreeSet::new();
    for action in [&spec.default].into_iter().chain(spec.rules.iter().map(|rule| &rule.action)) {
        // One of whose groups can't be made answers by itself.
        if matches!(resolve(action, around), Ok(Action::Fixed(_))) {
            continue;
        }
        for key in action.groups() {
            if let Known::Yes(group) = (around.group)(key)
                && cold(&group)
                && groups.insert(group)
            {
                plan.waits.push(Wait::Warming(Box::new(key.clone())));
            }
        }
    }
    if groups.is_empty() {
        return false;
    }
    let listener = tree.listener.id.clone();
    if spec.protocol == ListenerProtocol::TlsPassthrough {
        // It has no rules, but groups that get nothing.
        let mut shares = tree.listener.default.iter().flat_map(Action::shares).cloned().collect::<Vec<_>>();
        shares.retain(|share| share.weight > 0);
        shares.extend(groups.into_iter().map(|group| Weighted { group, weight: 0 }));
        shares.truncate(GROUPS_PER_ACTION);
        shares.sort();
        let default = Action::Forward(shares);
        if Some(&default) != tree.listener.default.as_ref() {
            plan.steps.push(Step::UpdateListener { listener, port, default });
        }
    } else {
        let step = rules::warm(&groups, &tree.rules);
        plan.steps.extend(step.map(|step| Step::Rule { listener, port, step }));
    }
    true
}

/// An action with the ARNs of its groups. Where one of them can't be made, the answer is 500: to leave the rule out would
/// give its requests to another.
fn resolve(action: &Action<GroupKey>, around: &Around<'_>) -> Result<Action<TargetGroupArn>, Wait> {
    let mut arns: BTreeMap<&GroupKey, TargetGroupArn> = BTreeMap::new();
    for group in action.groups() {
        match (around.group)(group) {
            Known::Yes(arn) => drop(arns.insert(group, arn)),
            Known::NotYet => return Err(Wait::GroupOf(Box::new(group.clone()))),
            Known::No => return Ok(Action::Fixed(500)),
        }
    }
    Ok(action.try_map(|group| arns.get(group).cloned()).unwrap_or(Action::Fixed(500)))
}

fn networks(wanted: &ServiceSpec, there: &ServiceTree, around: &Around<'_>, plan: &mut Plan<Step>) {
    let mut in_these = Vec::new();
    let mut all_known = true;
    for name in &wanted.networks {
        match (around.network)(name) {
            Known::Yes(id) => in_these.push(id),
            Known::NotYet | Known::No => {
                all_known = false;
                plan.waits.push(Wait::Network(name.clone()));
            }
        }
    }
    for network in &in_these {
        match there.associations.get(network) {
            None => plan.steps.push(Step::Associate(network.clone())),
            Some(association) => match &association.status {
                Status::Failed { what: Attempt::Create, .. } => {
                    plan.steps.push(Step::Dissociate(network.clone(), association.id.clone()));
                }
                status if status.in_progress() => plan.waits.push(Wait::Association(network.clone())),
                _ => {}
            },
        }
    }
    for (network, association) in &there.associations {
        if in_these.contains(network) {
            continue;
        }
        if association.status == Status::Deleting {
            plan.waits.push(Wait::Association(network.clone()));
        } else if all_known && (around.ours)(&association.id) {
            plan.steps.push(Step::Dissociate(network.clone(), association.id.clone()));
        }
    }
}

#[cfg(test)]
mod tests;
