//! Resource gateways, directories and resource configurations.

use std::{collections::BTreeSet, sync::Arc};

use lattice::{
    Tags,
    observed::Status,
    plan::{
        Wait,
        resource::{self as plan, Step},
    },
    resource::{ResourceKind, ResourceTree},
    tags,
};
use lattice_client::{Error, OperationStatus, Urgency};

use super::service::gave_up;
use crate::gateway::engine::{
    Engine, News,
    lanes::{Failure, Moment, Turn},
    progress::{ResourceFacts, ResourceProgress},
    read,
    resource_calls::{self as calls, ResourceCall, ResourceNews, ResourceReading},
    resources::{self, Lane, ResourceSeed, ResourceUnit, word},
    unit::{Doubt, Kind, Name, Place, Tree},
    words,
};

/// What a task for a resource has brought.
#[derive(Debug)]
pub(in crate::gateway::engine) enum Answer {
    Read {
        doubt: Option<Doubt>,
        steps: u64,
        result: Result<Option<ResourceReading>, Error>,
    },
    Step {
        call: Box<ResourceCall>,
        unsure: bool,
        result: Result<ResourceNews, Error>,
    },
    Looked(Result<Option<ResourceReading>, Error>),
    /// How far something is that takes Cloud Map a while.
    Operation(Result<OperationStatus, Error>),
    /// Who has the name of a resource that could not be made, if anybody has.
    Namesake {
        failure: Failure,
        result: Result<Option<(String, Tags)>, Error>,
    },
}

impl Engine {
    /// Does what is to be done about a resource now.
    pub(in crate::gateway::engine) fn work_on_resource(&mut self, place: Place, at: Moment) {
        let Some(mut it) = self.resources.remove(&place) else { return };
        self.resource_turn(&place, &mut it, at);
        self.show_resource(&it);
        if !it.unit.is_over() || it.operation.is_some() {
            self.resources.insert(place, it);
        }
    }

    fn resource_turn(&mut self, place: &Place, it: &mut ResourceUnit, at: Moment) {
        let name = Name::Resource(place.clone());
        if let Some(audit) = it.unit.audit {
            if audit > at.now {
                self.wake(audit, name.clone());
            } else if it.unit.lanes.busy() {
                self.wake(at.now + self.retry_audit(), name.clone());
            } else {
                it.unit.audit = None;
                it.unit.doubt(Doubt::Audit);
            }
        }
        let unread = matches!(it.unit.tree, Tree::Unread(_));
        if unread || it.unit.doubt.is_some() {
            self.read_resource(place, it, at);
            if unread || it.unit.doubt == Some(Doubt::Stale) {
                it.unit.done = false;
                return;
            }
        }
        for lane in it.unit.lanes.to_repeat() {
            match it.unit.lanes.turn(&lane, at.now) {
                Turn::Now => {
                    for call in it.unit.lanes.repeats(&lane) {
                        self.call_resource(place, it, call, true);
                    }
                }
                Turn::At(then) => self.wake(then, name.clone()),
                Turn::Busy => {}
            }
        }
        if it.held {
            return;
        }
        let around = self.around_resource(it);
        let there = it.unit.tree.read().map(|(tree, tags)| (tree, tags));
        let mut plan = plan::next(it.unit.wanted.as_deref(), there, &around);
        if it.operation.is_some() {
            plan.steps.clear();
            plan.waits = vec![Wait::Resource];
        }
        if there.is_some_and(|(tree, _)| *tree.status() == Status::Active) {
            it.unit.lanes.stands(&Lane::Resource);
        }
        let done = plan.is_done() && !it.unit.lanes.busy();
        let any = !plan.steps.is_empty();
        match it.unit.lanes.turn(&Lane::Resource, at.now) {
            _ if !it.unit.lanes.to_repeat().is_empty() => {}
            Turn::Now => {
                for step in plan.steps {
                    let network = match &step {
                        Step::Associate(network) => self.identifier(network),
                        _ => None,
                    };
                    let call = ResourceCall {
                        step,
                        kind: it.kind,
                        spec: it.unit.wanted.clone(),
                        there: it.unit.tree.read().map(|(tree, _)| tree.clone()),
                        network,
                        tags: Arc::clone(&self.child_tags),
                        token: self.token(),
                    };
                    self.call_resource(place, it, call, false);
                }
            }
            Turn::At(then) if any => self.wake(then, name.clone()),
            _ => {}
        }
        // The rest is told by what it waits for.
        let waits = plan.waits.iter().any(|wait| matches!(wait, Wait::Resource | Wait::Association(_)));
        if waits {
            self.await_resource(place, it, at);
        }
        it.unit.lanes.rest(|lane| any && *lane == Lane::Resource, |lane| waits && *lane == Lane::Resource);
        it.waits = plan.waits;
        if let Some(took) = it.unit.note(done, at.now)
            && it.unit.wanted.is_some()
        {
            self.links.metrics.took(Kind::Resource, took);
        }
        if it.unit.audit.is_none() && it.unit.doubt.is_none() && it.unit.tree.read().is_some() {
            it.unit.audit = self.next_audit(at.now);
            if let Some(audit) = it.unit.audit {
                self.wake(audit, name);
            }
        }
    }

    fn seed(it: &ResourceUnit) -> Option<ResourceSeed> {
        match &it.unit.tree {
            Tree::Absent => None,
            Tree::Unread(seed) => Some(seed.clone()),
            Tree::Read((tree, _)) => Some(ResourceSeed { arn: tree.arn().to_owned(), tags: None }),
        }
    }

    fn read_resource(&mut self, place: &Place, it: &mut ResourceUnit, at: Moment) {
        if it.unit.lanes.busy() {
            return;
        }
        match it.unit.lanes.turn(&Lane::Tree, at.now) {
            Turn::Now => {}
            Turn::At(then) => return self.wake(then, Name::Resource(place.clone())),
            Turn::Busy => return,
        }
        let Some(seed) = Self::seed(it) else {
            it.unit.doubt = None;
            return;
        };
        it.unit.lanes.begin(&Lane::Tree);
        let (client, site, ours) = (self.links.client.clone(), self.links.site.clone(), self.ours.clone());
        let (place, kind, doubt, steps) = (place.clone(), it.kind, it.unit.doubt, it.steps);
        self.tasks.spawn(async move {
            let result = calls::read(&client, &site, kind, seed, ours, Self::urgency(doubt)).await;
            super::super::Answer::Resource(place, Answer::Read { doubt, steps, result })
        });
    }

    /// Looks at what is under way by itself, when it is time.
    fn await_resource(&mut self, place: &Place, it: &mut ResourceUnit, at: Moment) {
        let mut then = it.unit.lanes.poll(&Lane::Resource, at.now);
        match it.unit.lanes.turn(&Lane::Resource, at.now) {
            Turn::Busy => return,
            Turn::At(later) => then = then.max(later),
            Turn::Now => {}
        }
        if then > at.now {
            return self.wake(then, Name::Resource(place.clone()));
        }
        let (client, place, kind) = (self.links.client.clone(), place.clone(), it.kind);
        if let Some(operation) = it.operation.clone() {
            it.unit.lanes.begin(&Lane::Resource);
            self.tasks.spawn(async move {
                let result = client.operation(&operation, Urgency::Change).await;
                super::super::Answer::Resource(place, Answer::Operation(result))
            });
            return;
        }
        let Some((tree, tags)) = it.unit.tree.read() else { return };
        let seed = ResourceSeed { arn: tree.arn().to_owned(), tags: Some(tags.clone()) };
        it.unit.lanes.begin(&Lane::Resource);
        let (site, ours) = (self.links.site.clone(), self.ours.clone());
        self.tasks.spawn(async move {
            let result = calls::read(&client, &site, kind, seed, ours, Urgency::Change).await;
            super::super::Answer::Resource(place, Answer::Looked(result))
        });
    }

    fn call_resource(&mut self, place: &Place, it: &mut ResourceUnit, call: ResourceCall, unsure: bool) {
        it.unit.lanes.begin(&Lane::Resource);
        it.steps += 1;
        let (client, place) = (self.links.client.clone(), place.clone());
        self.tasks.spawn(async move {
            let result = Box::pin(call.make(&client)).await;
            super::super::Answer::Resource(place, Answer::Step { call: Box::new(call), unsure, result })
        });
    }

    /// Takes in what a task for a resource has brought.
    pub(in crate::gateway::engine) fn resource_answered(&mut self, place: Place, answer: Answer) {
        let Some(mut it) = self.resources.remove(&place) else { return };
        let at = self.moment();
        let before = it.unit.tree.clone();
        match answer {
            Answer::Read { doubt, steps, result } => {
                it.unit.lanes.answered(&Lane::Tree);
                self.resource_read(&place, &mut it, doubt, steps, result, at);
            }
            Answer::Step { call, unsure, result } => {
                it.unit.lanes.answered(&Lane::Resource);
                self.links.metrics.stepped(words::label_of_resource(&call), result.as_ref().err());
                self.resource_stepped(&place, &mut it, *call, unsure, result, at);
            }
            Answer::Looked(result) => {
                it.unit.lanes.answered(&Lane::Resource);
                it.unit.lanes.polled(&Lane::Resource, at.now);
                match result {
                    Ok(Some(reading)) => resource_looked(&mut it, reading, at),
                    Ok(None) => it.unit.tree = Tree::Absent,
                    Err(error) => {
                        let failure = Failure::of(format!("looking at the {}", word(it.kind)), &error);
                        it.unit.lanes.failed(&Lane::Resource, failure, at);
                    }
                }
            }
            Answer::Operation(result) => {
                it.unit.lanes.answered(&Lane::Resource);
                it.unit.lanes.polled(&Lane::Resource, at.now);
                namespace_looked(&mut it, result, at);
            }
            Answer::Namesake { failure, result } => {
                it.unit.lanes.answered(&Lane::Resource);
                self.resource_namesake_found(&place, &mut it, failure, result, at);
            }
        }
        if it.unit.tree != before {
            self.resource_changed(&it);
        }
        self.resources.insert(place.clone(), it);
        self.touch(Name::Resource(place));
    }

    fn resource_read(
        &mut self,
        place: &Place,
        it: &mut ResourceUnit,
        doubt: Option<Doubt>,
        steps: u64,
        result: Result<Option<ResourceReading>, Error>,
        at: Moment,
    ) {
        let audit = doubt == Some(Doubt::Audit);
        if audit && (it.steps != steps || result.is_err()) {
            if it.unit.doubt == doubt {
                it.unit.doubt = None;
            }
            it.unit.audit = Some(at.now + self.retry_audit());
            return;
        }
        match result {
            Ok(read) => {
                if it.unit.doubt <= doubt {
                    it.unit.doubt = None;
                }
                it.unit.lanes.succeeded(&Lane::Tree);
                let is = read.filter(|read| {
                    let tag = read.tags.get(tags::OWNER);
                    read::is_ours(&read.tags, &self.links.site)
                        && tag.is_some_and(|tag| resources::place(it.kind, tag) == *place)
                });
                let is = is.map(|mut read| {
                    Arc::make_mut(&mut self.ours).append(&mut read.ours);
                    (read.tree, read.tags)
                });
                if audit && it.unit.tree.read() != is.as_ref() {
                    self.links.metrics.drifted(Kind::Resource);
                    let what = if is.is_some() { "it differs" } else { "it is gone" };
                    let arn = it.arn().unwrap_or_default();
                    tracing::info!(arn, differences = what, "others have changed a {}", word(it.kind));
                }
                it.unit.tree = is.map_or(Tree::Absent, Tree::Read);
            }
            Err(error) => {
                let failure = Failure::of(format!("reading the {}", word(it.kind)), &error);
                it.unit.lanes.failed(&Lane::Tree, failure, at);
            }
        }
    }

    fn resource_stepped(
        &mut self,
        place: &Place,
        it: &mut ResourceUnit,
        call: ResourceCall,
        unsure: bool,
        result: Result<ResourceNews, Error>,
        at: Moment,
    ) {
        let error = match result {
            Err(Error::Missing { .. }) if call.deletes() => {
                calls::apply(it, &call, ResourceNews::Done);
                return it.unit.lanes.succeeded(&Lane::Resource);
            }
            Ok(news) => {
                if let ResourceNews::Association(association) = &news {
                    Arc::make_mut(&mut self.ours).insert(association.id.as_str().to_owned());
                }
                calls::apply(it, &call, news);
                return it.unit.lanes.succeeded(&Lane::Resource);
            }
            Err(error) => error,
        };
        let mut failure = Failure::of(words::of_resource(&call), &error);
        let unknown = call.creates()
            && match error {
                Error::Unanswered { .. } => true,
                Error::Throttled { .. } | Error::Unreachable { .. } | Error::NotSent { .. } => unsure,
                _ => false,
            };
        if unknown {
            it.unit.lanes.failed(&Lane::Resource, failure, at);
            it.unit.lanes.keep(&Lane::Resource, call);
            return;
        }
        let makes = matches!(call.step, Step::Create(_));
        if makes && (unsure || matches!(error, Error::Conflict { .. } | Error::Refused { .. })) {
            self.find_resource_namesake(place, it, failure, &call);
            return;
        }
        match &error {
            // Somebody else has put it into another network, or uses it.
            Error::Conflict { .. } if call.step == Step::Delete => {
                failure.draining = true;
                it.unit.doubt(Doubt::Stale);
            }
            Error::Missing { .. }
            | Error::Unanswered { .. }
            | Error::Conflict { .. }
            | Error::Refused { .. } => it.unit.doubt(Doubt::Stale),
            _ if unsure => it.unit.doubt(Doubt::Stale),
            _ => {}
        }
        it.unit.lanes.failed(&Lane::Resource, failure, at);
    }

    fn find_resource_namesake(
        &mut self,
        place: &Place,
        it: &mut ResourceUnit,
        failure: Failure,
        call: &ResourceCall,
    ) {
        let Some(spec) = call.spec.clone() else { return };
        it.unit.lanes.begin(&Lane::Resource);
        let (client, place) = (self.links.client.clone(), place.clone());
        self.tasks.spawn(async move {
            let result = calls::namesake(&client, &spec).await;
            super::super::Answer::Resource(place, Answer::Namesake { failure, result })
        });
    }

    fn resource_namesake_found(
        &mut self,
        place: &Place,
        it: &mut ResourceUnit,
        failure: Failure,
        result: Result<Option<(String, Tags)>, Error>,
        at: Moment,
    ) {
        let failure = match result {
            Ok(Some((arn, tags))) => {
                let ours = read::is_ours(&tags, &self.links.site);
                let tag = tags.get(tags::OWNER);
                if ours && tag.is_some_and(|tag| resources::place(it.kind, tag) == *place) {
                    it.unit.tree = Tree::Unread(ResourceSeed { arn, tags: Some(tags) });
                    it.unit.lanes.forgive_lane(&Lane::Resource);
                    return;
                }
                let (kind, name) = (word(it.kind), it.unit.wanted.as_ref().map_or("", |spec| spec.name()));
                let message = if ours && tag.is_some() {
                    format!("the name {name} is taken by another {kind} of this cluster: {arn}")
                } else {
                    format!(
                        "the name {name} is taken by a {kind} that does not belong to this cluster's Lath: {arn}"
                    )
                };
                Failure { kind: "taken", message, needs_operator: !ours, ..failure }
            }
            Ok(None) => failure,
            Err(error) => Failure::of(failure.doing, &error),
        };
        it.unit.lanes.failed(&Lane::Resource, failure, at);
    }

    /// Tells how far a resource is.
    fn show_resource(&mut self, it: &ResourceUnit) {
        let Some(key) = &it.key else { return };
        let progress = ResourceProgress {
            resource: it.unit.tree.read().map(|(tree, _)| facts(tree)),
            done: it.unit.done,
            waits: it.waits.clone(),
            troubles: it.unit.lanes.troubles().cloned().collect(),
            since: it.unit.since,
        };
        if self.progress.resources.get(key) != Some(&progress) {
            self.progress.resources.insert(key.clone(), progress);
            self.news.push(News::Resource(key.clone()));
        }
    }
}

fn facts(tree: &ResourceTree) -> ResourceFacts {
    let (name, dns_name) = match tree {
        ResourceTree::Gateway(gateway) => (&gateway.name, None),
        ResourceTree::Directory(directory) => (&directory.name, None),
        ResourceTree::Configuration(configuration, associations) => {
            (&configuration.name, associations.values().find_map(|association| association.dns_name.clone()))
        }
    };
    let directory = match tree {
        ResourceTree::Directory(directory) => Some(directory.id.clone()),
        _ => None,
    };
    ResourceFacts { arn: tree.arn().to_owned(), name: name.clone(), dns_name, directory }
}

/// The resource was looked at.
fn resource_looked(it: &mut ResourceUnit, reading: ResourceReading, at: Moment) {
    let Some((there, tags)) = it.unit.tree.read_mut() else { return };
    let before = std::mem::replace(there, reading.tree);
    *tags = reading.tags;
    if let Status::Failed { what, message } = there.status()
        && before.status() != there.status()
    {
        let failure = gave_up(&format!("the {}", word(it.kind)), *what, message);
        return it.unit.lanes.stumbled(&Lane::Resource, failure, at);
    }
    let (ResourceTree::Configuration(_, before), ResourceTree::Configuration(_, now)) = (&before, &*there)
    else {
        return;
    };
    let failed = now.values().find_map(|one| match &one.status {
        Status::Failed { what, message } if before.get(&one.network) != Some(one) => Some((*what, message)),
        _ => None,
    });
    if let Some((what, message)) = failed {
        let failure = gave_up("the resource configuration's association", what, message);
        it.unit.lanes.stumbled(&Lane::Resource, failure, at);
    }
}

/// The namespace that is being made was looked at.
fn namespace_looked(it: &mut ResourceUnit, result: Result<OperationStatus, Error>, at: Moment) {
    match result {
        Ok(OperationStatus::Pending) => {}
        Ok(OperationStatus::Done) | Err(Error::Missing { .. }) => it.operation = None,
        Ok(OperationStatus::Failed(message)) => {
            it.operation = None;
            let failure = Failure {
                doing: "making the private DNS namespace".into(),
                kind: "failed",
                message: format!("Cloud Map gave up: {message}"),
                needs_operator: false,
                draining: false,
                rules: BTreeSet::new(),
            };
            it.unit.lanes.stumbled(&Lane::Resource, failure, at);
        }
        Err(error) => {
            let failure = Failure::of("looking at the private DNS namespace".into(), &error);
            it.unit.lanes.failed(&Lane::Resource, failure, at);
        }
    }
}

/// The kind of a resource by its ARN; `None` if it is none of these.
pub(in crate::gateway::engine) fn kind_of(arn: &str) -> Option<ResourceKind> {
    let mut parts = arn.splitn(6, ':');
    let service = parts.nth(2)?;
    let kind = parts.nth(2)?.split('/').next()?;
    match (service, kind) {
        ("vpc-lattice", "resourcegateway") => Some(ResourceKind::Gateway),
        ("vpc-lattice", "resourceconfiguration") => Some(ResourceKind::Configuration),
        ("servicediscovery", "service") => Some(ResourceKind::Directory),
        _ => None,
    }
}
