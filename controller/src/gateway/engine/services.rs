//! Services: what is known of each, and what answers make of that.

use std::collections::{BTreeMap, BTreeSet};

use lattice::{
    Tags, TargetGroupArn,
    id::{NetworkId, RuleId},
    observed::{ListenerTree, PlacedRule, ServiceTree, Status},
    plan::{self, Wait, rules, service::Step},
    rule::{Match, Rule},
    service::{Owner, ServiceSpec},
};
use lattice_client::RuleFailure;

use super::{
    calls::{ServiceCall, ServiceNews},
    progress::RuleName,
    read::ServiceSeed,
    unit::{Tree, Unit},
};

/// What is done one after the other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lane {
    /// Reading the service.
    Tree,
    /// Steps.
    Of(plan::service::Lane),
}

/// The lane of the service itself.
pub(super) const SERVICE: Lane = Lane::Of(plan::service::Lane::Service);

/// A service.
#[derive(Debug)]
pub(super) struct ServiceUnit {
    pub(super) unit: Unit<ServiceSpec, ServiceTree, ServiceSeed, Lane, ServiceCall>,
    /// Whose it is, if somebody wants it or has it held.
    pub(super) owner: Option<Owner>,
    /// Whether it stays as it is.
    pub(super) held: bool,
    /// What was refused of what is wanted.
    pub(super) refused: Refused,
    /// The groups that its rules name.
    pub(super) named: BTreeSet<TargetGroupArn>,
    /// The groups that it waits for, or has waited for since it was last as it should be.
    pub(super) warming: BTreeSet<TargetGroupArn>,
    /// What it waits for.
    pub(super) waits: Vec<Wait>,
    /// Grows with each step, so that a reading that began before one is not taken for what came after it.
    pub(super) steps: u64,
}

/// What Lattice has refused of a service's rules, as they are wanted now.
#[derive(Debug, Default)]
pub(super) struct Refused {
    /// Rules that were refused once, when something else may have been the reason.
    suspects: BTreeSet<RuleName>,
    /// Rules that are left out, and AWS's words.
    bad: BTreeMap<RuleName, String>,
    /// Listeners whose changes are sent one by one, and rules that have been sent so.
    singly: BTreeMap<u16, BTreeSet<RuleId>>,
}

impl ServiceUnit {
    /// A service of which nothing is wanted.
    pub(super) fn new(tree: Tree<ServiceTree, ServiceSeed>) -> Self {
        Self {
            unit: Unit::new(tree),
            owner: None,
            held: false,
            refused: Refused::default(),
            named: BTreeSet::new(),
            warming: BTreeSet::new(),
            waits: Vec::new(),
            steps: 0,
        }
    }

    /// The groups that the service's listeners name.
    pub(super) fn groups(&self) -> BTreeSet<TargetGroupArn> {
        let listeners = self.unit.tree.read().into_iter().flat_map(|tree| tree.listeners.values());
        listeners
            .flat_map(|tree| {
                let rules = tree.rules.values().filter_map(|placed| placed.rule.as_ref());
                rules.map(|rule| &rule.action).chain(&tree.listener.default)
            })
            .flat_map(|action| action.groups().cloned())
            .collect()
    }

    /// The service's tags, if they are known.
    pub(super) fn tags(&self) -> Option<&Tags> {
        match &self.unit.tree {
            Tree::Absent => None,
            Tree::Unread(seed) => seed.tags.as_ref(),
            Tree::Read(tree) => Some(&tree.tags),
        }
    }

    /// The service's ARN, if it is there.
    pub(super) fn arn(&self) -> Option<&str> {
        match &self.unit.tree {
            Tree::Absent => None,
            Tree::Unread(seed) => Some(&seed.arn),
            Tree::Read(tree) => Some(&tree.service.arn),
        }
    }
}

impl Refused {
    /// What is wanted without the rules that are refused; `None` if that is all of it.
    pub(super) fn without(&self, spec: &ServiceSpec) -> Option<ServiceSpec> {
        if self.bad.is_empty() {
            return None;
        }
        let mut spec = spec.clone();
        for (port, listener) in &mut spec.listeners {
            listener.rules.retain(|rule| !self.bad.contains_key(&(*port, rule.matching.clone())));
        }
        Some(spec)
    }

    /// The rules that are left out, and AWS's words.
    pub(super) fn rules(&self) -> impl Iterator<Item = (&RuleName, &str)> {
        self.bad.iter().map(|(name, message)| (name, message.as_str()))
    }

    /// Whether all rules are taken.
    pub(super) fn is_empty(&self) -> bool {
        self.bad.is_empty()
    }

    /// A rule was refused. The first time, what is there may not be what it was taken for: returns whether that has to be
    /// read again.
    pub(super) fn refuse(&mut self, port: u16, rule: &Rule<TargetGroupArn>, message: &str) -> bool {
        let name = (port, rule.matching.clone());
        if self.suspects.insert(name.clone()) {
            return true;
        }
        self.bad.insert(name, message.into());
        false
    }

    /// Changes of several rules were refused as a whole: one by one, it will be seen which are bad.
    pub(super) fn divide(&mut self, port: u16) {
        self.singly.entry(port).or_default();
    }

    /// The next call in place of this one: a single change where changes are sent one by one. Such a change leaves the rule
    /// where it is, since another rule may still have its new place.
    pub(super) fn single(&mut self, port: u16, step: rules::Step, tree: &ListenerTree) -> rules::Step {
        let Some(sent) = self.singly.get(&port) else { return step };
        let rules::Step::Update(changes) = &step else { return step };
        let Some(change) = changes.iter().find(|change| !sent.contains(&change.id)) else {
            // Each is sound by itself.
            self.singly.remove(&port);
            return step;
        };
        let mut change = change.clone();
        if let Some(placed) = tree.rules.get(&change.id) {
            change.priority = placed.priority;
        }
        rules::Step::Update(vec![change])
    }

    /// A call with one change was answered. Tells whether changes of this listener are sent one by one.
    pub(super) fn sent(&mut self, port: u16, rule: &RuleId) -> bool {
        match self.singly.get_mut(&port) {
            Some(sent) => {
                sent.insert(rule.clone());
                true
            }
            None => false,
        }
    }
}

/// The rules that a step changes, as far as they are wanted: one that only makes room, or is about to go, is nobody's.
pub(super) fn rules_of(call: &ServiceCall) -> BTreeSet<RuleName> {
    let Step::Rule { port, step, .. } = &call.step else { return BTreeSet::new() };
    let listener = call.spec.as_ref().and_then(|spec| spec.listeners.get(port));
    let wanted = |matching: &Match| {
        listener.is_some_and(|listener| listener.rules.iter().any(|rule| rule.matching == *matching))
    };
    let changed: Vec<&Match> = match step {
        rules::Step::Create { rule, .. } => vec![&rule.matching],
        rules::Step::Update(changes) => changes.iter().map(|change| &change.rule.matching).collect(),
        rules::Step::Delete(_) => Vec::new(),
    };
    changed
        .into_iter()
        .filter(|matching| wanted(matching))
        .map(|matching| (*port, matching.clone()))
        .collect()
}

/// Whether a failure of a rule among others is the rule's own fault.
pub(super) fn is_own_fault(failure: &RuleFailure) -> bool {
    failure.code.contains("Validation") || failure.code.contains("Invalid")
}

/// Takes what a step has brought into what is there.
pub(super) fn apply(there: &mut Tree<ServiceTree, ServiceSeed>, call: &ServiceCall, news: &ServiceNews) {
    if let (Step::Create, ServiceNews::Service(service)) = (&call.step, news) {
        *there = Tree::Read(ServiceTree {
            service: service.clone(),
            tags: call.spec.as_ref().map(|spec| spec.tags.clone()).unwrap_or_default(),
            auth_policy: None,
            listeners: BTreeMap::new(),
            associations: BTreeMap::new(),
            access_logs: BTreeMap::new(),
        });
        return;
    }
    if matches!((&call.step, news), (Step::Delete, ServiceNews::Done)) {
        *there = Tree::Absent;
        return;
    }
    let Some(tree) = there.read_mut() else { return };
    match (&call.step, news) {
        (Step::Update { certificate, auth }, _) => {
            if certificate.is_some() {
                tree.service.certificate.clone_from(certificate);
            }
            if let Some(auth) = auth {
                tree.service.auth = *auth;
            }
        }
        (Step::Delete, ServiceNews::Status(status)) => tree.service.status = status.clone(),
        (Step::CreateListener { port, .. }, ServiceNews::Listener(listener)) => {
            let listener = ListenerTree { listener: listener.clone(), rules: BTreeMap::new() };
            tree.listeners.insert(*port, listener);
        }
        (Step::UpdateListener { port, default, .. }, _) => {
            if let Some(listener) = tree.listeners.get_mut(port) {
                listener.listener.default = Some(default.clone());
            }
        }
        (Step::DeleteListener { port, .. }, _) => drop(tree.listeners.remove(port)),
        (Step::Rule { port, step, .. }, news) => {
            if let Some(listener) = tree.listeners.get_mut(port) {
                apply_rules(listener, call, step, news);
            }
        }
        (Step::Associate(_), ServiceNews::Association(association)) => {
            tree.associations.insert(association.network.clone(), association.clone());
        }
        (Step::Dissociate(network, _), ServiceNews::Status(status)) => {
            if let Some(association) = tree.associations.get_mut(network) {
                association.status = status.clone();
            }
        }
        (Step::Dissociate(network, _), _) => drop(tree.associations.remove(network)),
        (Step::PutAuthPolicy(text), _) => tree.auth_policy = Some(text.clone()),
        (Step::DeleteAuthPolicy, _) => tree.auth_policy = None,
        (Step::CreateAccessLog(destination), ServiceNews::AccessLog(id)) => {
            tree.access_logs.insert(destination.clone(), id.clone());
        }
        (Step::DeleteAccessLog(destination, _), _) => drop(tree.access_logs.remove(destination)),
        (Step::Tag(tags), _) => tree.tags.extend(tags.clone()),
        (Step::Untag(keys), _) => tree.tags.retain(|key, _| !keys.contains(key)),
        _ => {}
    }
}

fn apply_rules(listener: &mut ListenerTree, call: &ServiceCall, step: &rules::Step, news: &ServiceNews) {
    match (step, news) {
        (rules::Step::Create { priority, rule }, ServiceNews::Rule(id)) => {
            let placed = PlacedRule { name: call.rule_name(), priority: *priority, rule: Some(rule.clone()) };
            listener.rules.insert(id.clone(), placed);
        }
        (rules::Step::Update(changes), ServiceNews::Rules(outcome)) => {
            for change in changes.iter().filter(|change| outcome.done.contains(&change.id)) {
                if let Some(placed) = listener.rules.get_mut(&change.id) {
                    placed.priority = change.priority;
                    placed.rule = Some(change.rule.clone());
                }
            }
        }
        (rules::Step::Delete(id), _) => drop(listener.rules.remove(id)),
        _ => {}
    }
}

/// What differs between what a service was believed to be and what it is, in words; empty if nothing does.
pub(super) fn differences(believed: &ServiceTree, is: &ServiceTree) -> Vec<String> {
    let mut found = Vec::new();
    if believed.service != is.service {
        found.push("the service itself".to_owned());
    }
    if believed.tags != is.tags {
        found.push("its tags".into());
    }
    if believed.auth_policy != is.auth_policy {
        found.push("its auth policy".into());
    }
    if believed.access_logs != is.access_logs {
        found.push("where its access logs go".into());
    }
    let networks: BTreeSet<&NetworkId> = believed.associations.keys().chain(is.associations.keys()).collect();
    for network in networks {
        if believed.associations.get(network) != is.associations.get(network) {
            found.push(format!("its association with service network {network}"));
        }
    }
    let ports: BTreeSet<u16> = believed.listeners.keys().chain(is.listeners.keys()).copied().collect();
    for port in ports {
        match (believed.listeners.get(&port), is.listeners.get(&port)) {
            (Some(one), Some(two)) if one.listener != two.listener => {
                found.push(format!("the listener on port {port}"));
            }
            (Some(one), Some(two)) if one.rules != two.rules => {
                found.push(format!("rules of the listener on port {port}"));
            }
            (Some(_), Some(_)) => {}
            _ => found.push(format!("the listener on port {port}, which was made or deleted")),
        }
    }
    found
}

/// Whether something is at last what it was to become.
pub(super) fn stands(status: &Status) -> bool {
    *status == Status::Active
}
