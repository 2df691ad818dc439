//! Services.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use lattice::{
    Tags,
    id::{NetworkId, ServiceAssociationId},
    observed::{Attempt, Service, ServiceAssociation, Status},
    plan::{
        Known, KnownGroup, KnownNetwork, Wait, rules,
        service::{self as plan, Around, Step},
    },
    service::GroupKey,
    tags,
};
use lattice_client::{Error, Urgency};
use tokio::time::Instant;

use crate::gateway::engine::{
    Engine, News,
    calls::{ServiceCall, ServiceNews},
    lanes::{Failure, Moment, Turn},
    progress::{ServiceFacts, ServiceProgress, Trouble},
    read::{self, ServiceReading, ServiceSeed},
    services::{self, Lane, SERVICE, ServiceUnit},
    unit::{Doubt, Kind, Name, Place, Tree},
    warm::Why,
    words,
};

/// What a task for a service has brought.
#[derive(Debug)]
pub(in crate::gateway::engine) enum Answer {
    Read {
        doubt: Option<Doubt>,
        steps: u64,
        result: Result<Option<ServiceReading>, Error>,
    },
    Step {
        lane: Lane,
        call: Box<ServiceCall>,
        unsure: bool,
        result: Result<ServiceNews, Error>,
    },
    Looked(Result<Service, Error>),
    LookedAt(NetworkId, Result<ServiceAssociation, Error>),
    /// Who has the name of a service that could not be made, if anybody has.
    Namesake {
        failure: Failure,
        result: Result<Option<(String, Tags)>, Error>,
    },
}

fn association(network: &NetworkId) -> Lane {
    Lane::Of(plan::Lane::Association(network.clone()))
}

impl Engine {
    /// Does what is to be done about a service now.
    pub(in crate::gateway::engine) fn work_on_service(&mut self, place: Place, at: Moment) {
        if matches!(place, Place::Spare(_)) && !self.is_surplus_service(&place) {
            return;
        }
        let Some(mut it) = self.services.remove(&place) else { return };
        self.service_turn(&place, &mut it, at);
        self.show_service(&it, at);
        if !it.unit.is_over() || it.held {
            self.services.insert(place, it);
        } else {
            self.cool(&place, &mut it);
        }
    }

    /// Whether a service with the same tag as another one can go: the other one has been found to be there. If it has not,
    /// this one takes its place.
    fn is_surplus_service(&mut self, spare: &Place) -> bool {
        let tag = self.services.get(spare).and_then(|it| match &it.unit.tree {
            Tree::Absent => None,
            Tree::Unread(seed) => seed.tags.as_ref()?.get(tags::OWNER).cloned(),
            Tree::Read(tree) => tree.tags.get(tags::OWNER).cloned(),
        });
        let Some(own) = tag.map(Place::Own) else { return true };
        match self.services.get_mut(&own) {
            Some(it) if it.unit.is_being_made() || matches!(it.unit.tree, Tree::Unread(_)) => false,
            Some(it) if !it.unit.tree.is_absent() => true,
            _ => {
                if self.services.get(spare).is_some_and(|it| it.unit.lanes.busy()) {
                    return false;
                }
                let Some(it) = self.services.remove(spare) else { return false };
                match self.services.get_mut(&own) {
                    Some(own) => own.unit.tree = it.unit.tree,
                    None => drop(self.services.insert(own.clone(), it)),
                }
                self.touch(Name::Service(own));
                false
            }
        }
    }

    fn service_turn(&mut self, place: &Place, it: &mut ServiceUnit, at: Moment) {
        let name = Name::Service(place.clone());
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
            self.read_service(place, it, at);
            if unread || it.unit.doubt == Some(Doubt::Stale) {
                it.unit.done = false;
                it.waits.clear();
                return;
            }
        }
        for lane in it.unit.lanes.to_repeat() {
            match it.unit.lanes.turn(&lane, at.now) {
                Turn::Now => {
                    for call in it.unit.lanes.repeats(&lane) {
                        self.call_service(place, it, lane.clone(), call, true);
                    }
                }
                Turn::At(then) => self.wake(then, name.clone()),
                Turn::Busy => {}
            }
        }
        if it.held {
            return;
        }
        let reduced = it.unit.wanted.as_deref().and_then(|wanted| it.refused.without(wanted));
        let wanted = reduced.as_ref().or(it.unit.wanted.as_deref());
        let around = Around {
            group: &|key| self.known_group(key),
            network: &|name| self.known_network(name),
            ours: &|association: &ServiceAssociationId| self.ours.contains(association.as_str()),
            warm: &|group| self.is_warm(group),
        };
        let plan = plan::next(wanted, it.unit.tree.read(), &around);
        let done = plan.is_done() && !it.unit.lanes.busy();
        let mut lanes: BTreeMap<Lane, Vec<Step>> = BTreeMap::new();
        for step in plan.steps {
            lanes.entry(Lane::Of(step.lane())).or_default().push(step);
        }
        // First of all: a step that does not fit a status must not keep that from being looked at.
        self.await_service(place, it, &plan.waits, at);
        for (lane, steps) in &lanes {
            match it.unit.lanes.turn(lane, at.now) {
                Turn::Now if it.unit.lanes.to_repeat().contains(lane) => {}
                Turn::Now => {
                    for step in steps {
                        self.step_service(place, it, lane.clone(), step.clone());
                    }
                }
                Turn::At(then) => self.wake(then, name.clone()),
                Turn::Busy => {}
            }
        }
        let polled: BTreeSet<Lane> = plan
            .waits
            .iter()
            .filter_map(|wait| match wait {
                Wait::Service => Some(SERVICE),
                Wait::Association(network) => Some(association(network)),
                _ => None,
            })
            .collect();
        it.unit.lanes.rest(|lane| lanes.contains_key(lane), |lane| polled.contains(lane));
        if let Some(took) = it.unit.note(done, at.now)
            && it.unit.wanted.is_some()
            && it.refused.is_empty()
        {
            self.links.metrics.took(Kind::Service, took);
        }
        self.await_warm(place, it, &plan.waits, at.now);
        it.waits = plan.waits;
        if it.unit.audit.is_none() && it.unit.doubt.is_none() && it.unit.tree.read().is_some() {
            it.unit.audit = self.next_audit(at.now);
            if let Some(audit) = it.unit.audit {
                self.wake(audit, name);
            }
        }
    }

    /// Reads a service, if nothing else is under way.
    fn read_service(&mut self, place: &Place, it: &mut ServiceUnit, at: Moment) {
        if it.unit.lanes.busy() {
            return;
        }
        match it.unit.lanes.turn(&Lane::Tree, at.now) {
            Turn::Now => {}
            Turn::At(then) => return self.wake(then, Name::Service(place.clone())),
            Turn::Busy => return,
        }
        let seed = match &it.unit.tree {
            Tree::Absent => {
                it.unit.doubt = None;
                return;
            }
            Tree::Unread(seed) => seed.clone(),
            Tree::Read(tree) => ServiceSeed { arn: tree.service.arn.clone(), tags: None },
        };
        it.unit.lanes.begin(&Lane::Tree);
        let (client, site, ours) = (self.links.client.clone(), self.links.site.clone(), self.ours.clone());
        let destinations = it.unit.wanted.as_ref().map(|spec| spec.access_logs.clone()).unwrap_or_default();
        let (place, doubt, steps) = (place.clone(), it.unit.doubt, it.steps);
        self.tasks.spawn(async move {
            let urgency = Self::urgency(doubt);
            let result = read::service(&client, &site, seed, ours, destinations, urgency).await;
            super::super::Answer::Service(place, Answer::Read { doubt, steps, result })
        });
    }

    /// Looks at what the service waits for, when it is time.
    fn await_service(&mut self, place: &Place, it: &mut ServiceUnit, waits: &[Wait], at: Moment) {
        let Some(tree) = it.unit.tree.read() else { return };
        if services::stands(&tree.service.status) {
            it.unit.lanes.stands(&SERVICE);
        }
        for (network, there) in &tree.associations {
            if services::stands(&there.status) {
                it.unit.lanes.stands(&association(network));
            }
        }
        let service = tree.service.id.clone();
        for wait in waits {
            let (lane, there) = match wait {
                Wait::Service => (SERVICE, None),
                Wait::Association(network) => match tree.associations.get(network) {
                    Some(there) => (association(network), Some((network.clone(), there.id.clone()))),
                    None => continue,
                },
                _ => continue,
            };
            let mut then = it.unit.lanes.poll(&lane, at.now);
            match it.unit.lanes.turn(&lane, at.now) {
                Turn::Busy => continue,
                Turn::At(later) => then = then.max(later),
                Turn::Now => {}
            }
            if then > at.now {
                self.wake(then, Name::Service(place.clone()));
                continue;
            }
            it.unit.lanes.begin(&lane);
            let (client, place, service) = (self.links.client.clone(), place.clone(), service.clone());
            self.tasks.spawn(async move {
                let answer = match there {
                    None => Answer::Looked(client.service(&service, Urgency::Change).await),
                    Some((network, id)) => {
                        Answer::LookedAt(network, client.service_association(&id, Urgency::Change).await)
                    }
                };
                super::super::Answer::Service(place, answer)
            });
        }
    }

    fn step_service(&mut self, place: &Place, it: &mut ServiceUnit, lane: Lane, step: Step) {
        let step = match step {
            Step::Rule { listener, port, step } => {
                let step = match it.unit.tree.read().and_then(|tree| tree.listeners.get(&port)) {
                    Some(tree) => it.refused.single(port, step, tree),
                    None => step,
                };
                Step::Rule { listener, port, step }
            }
            step => step,
        };
        let network = match &step {
            Step::Associate(network) => {
                Some(self.identifier(network).unwrap_or_else(|| network.as_str().to_owned()))
            }
            _ => None,
        };
        let service = it.unit.tree.read().map(|tree| (tree.service.id.clone(), tree.service.arn.clone()));
        let call = ServiceCall {
            step,
            spec: it.unit.wanted.clone(),
            service,
            network,
            tags: Arc::clone(&self.child_tags),
            token: self.token(),
        };
        self.call_service(place, it, lane, call, false);
    }

    fn call_service(
        &mut self,
        place: &Place,
        it: &mut ServiceUnit,
        lane: Lane,
        call: ServiceCall,
        unsure: bool,
    ) {
        it.unit.lanes.begin(&lane);
        it.steps += 1;
        let (client, place) = (self.links.client.clone(), place.clone());
        self.tasks.spawn(async move {
            let result = call.make(&client).await;
            super::super::Answer::Service(place, Answer::Step { lane, call: Box::new(call), unsure, result })
        });
    }

    /// Takes in what a task for a service has brought.
    pub(in crate::gateway::engine) fn service_answered(&mut self, place: Place, answer: Answer) {
        let Some(mut it) = self.services.remove(&place) else { return };
        let at = self.moment();
        let was = !it.unit.tree.is_absent();
        match answer {
            Answer::Read { doubt, steps, result } => {
                it.unit.lanes.answered(&Lane::Tree);
                self.service_read(&place, &mut it, doubt, steps, result, at);
            }
            Answer::Step { lane, call, unsure, result } => {
                it.unit.lanes.answered(&lane);
                self.links.metrics.stepped(words::label_of_service(&call.step), result.as_ref().err());
                self.service_stepped(&place, &mut it, &lane, *call, unsure, result, at);
            }
            Answer::Looked(result) => {
                it.unit.lanes.answered(&SERVICE);
                it.unit.lanes.polled(&SERVICE, at.now);
                match result {
                    Ok(service) => service_looked(&mut it, service, at),
                    Err(Error::Missing { .. }) => it.unit.tree = Tree::Absent,
                    Err(error) => {
                        let failure = Failure::of("looking at the service".into(), &error);
                        it.unit.lanes.failed(&SERVICE, failure, at);
                    }
                }
            }
            Answer::LookedAt(network, result) => {
                let lane = association(&network);
                it.unit.lanes.answered(&lane);
                it.unit.lanes.polled(&lane, at.now);
                if let Some(gone) = association_looked(&mut it, &network, &lane, result, at) {
                    Arc::make_mut(&mut self.ours).remove(gone.as_str());
                }
            }
            Answer::Namesake { failure, result } => {
                it.unit.lanes.answered(&SERVICE);
                self.namesake_found(&place, &mut it, failure, result, at);
            }
        }
        let gone = was && it.unit.tree.is_absent();
        self.index(&place, &mut it);
        self.services.insert(place.clone(), it);
        self.touch(Name::Service(place));
        if gone {
            self.name_freed();
        }
        let spares = self.services.range(Place::Spare(String::new())..);
        let spares: Vec<Name> = spares.map(|(place, _)| Name::Service(place.clone())).collect();
        for name in spares {
            self.touch(name);
        }
    }

    /// A service is gone, and with it its name is free.
    fn name_freed(&mut self) {
        let mut waiting = Vec::new();
        for (place, it) in &mut self.services {
            if it.unit.lanes.trouble(&SERVICE).is_some_and(|trouble| trouble.kind == "taken") {
                it.unit.lanes.forgive_lane(&SERVICE);
                waiting.push(Name::Service(place.clone()));
            }
        }
        for name in waiting {
            self.touch(name);
        }
    }

    fn service_read(
        &mut self,
        place: &Place,
        it: &mut ServiceUnit,
        doubt: Option<Doubt>,
        steps: u64,
        result: Result<Option<ServiceReading>, Error>,
        at: Moment,
    ) {
        let audit = doubt == Some(Doubt::Audit);
        if audit && (it.steps != steps || result.is_err()) {
            // It was changed meanwhile, or can't be read now: that is for another time.
            if it.unit.doubt == doubt {
                it.unit.doubt = None;
            }
            it.unit.audit = Some(at.now + self.retry_audit());
            return;
        }
        match result {
            Ok(reading) => {
                if it.unit.doubt <= doubt {
                    it.unit.doubt = None;
                }
                it.unit.lanes.succeeded(&Lane::Tree);
                let is = match reading {
                    Some(mut reading) => {
                        Arc::make_mut(&mut self.ours).append(&mut reading.ours);
                        // Its tags may have been taken away, and with them the right to change it.
                        let tags = &reading.tree.tags;
                        let ours = read::is_ours(tags, &self.links.site)
                            && match place {
                                Place::Own(tag) => tags.get(tags::OWNER) == Some(tag),
                                Place::Spare(_) => tags.contains_key(tags::OWNER),
                            };
                        if ours { Tree::Read(reading.tree) } else { Tree::Absent }
                    }
                    None => Tree::Absent,
                };
                if audit && let Tree::Read(believed) = &it.unit.tree {
                    let differences = match &is {
                        Tree::Read(is) => services::differences(believed, is),
                        _ => vec!["it is gone".to_owned()],
                    };
                    if !differences.is_empty() {
                        self.links.metrics.drifted(Kind::Service);
                        let service = believed.service.name.as_str();
                        tracing::info!(
                            service,
                            differences = differences.join(", "),
                            "others have changed a service"
                        );
                    }
                }
                it.unit.tree = is;
            }
            Err(error) => {
                let failure = Failure::of("reading the service".into(), &error);
                it.unit.lanes.failed(&Lane::Tree, failure, at);
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "all that an answer says")]
    fn service_stepped(
        &mut self,
        place: &Place,
        it: &mut ServiceUnit,
        lane: &Lane,
        call: ServiceCall,
        unsure: bool,
        result: Result<ServiceNews, Error>,
        at: Moment,
    ) {
        let error = match result {
            Ok(news) => return self.service_moved(it, lane, &call, &news, at),
            Err(Error::Missing { .. }) if call.deletes() => {
                return self.service_moved(it, lane, &call, &ServiceNews::Done, at);
            }
            Err(error) => error,
        };
        let mut failure = Failure::of(words::of_service(&call.step), &error);
        if matches!(error, Error::Refused { .. }) {
            failure.rules = services::rules_of(&call);
        }
        let unknown = call.creates()
            && match error {
                Error::Unanswered { .. } => true,
                Error::Throttled { .. } | Error::Unreachable { .. } | Error::NotSent { .. } => unsure,
                _ => false,
            };
        if unknown {
            it.unit.lanes.failed(lane, failure, at);
            it.unit.lanes.keep(lane, call);
            return;
        }
        if matches!(call.step, Step::Create) {
            if unsure || matches!(error, Error::Conflict { .. } | Error::Refused { .. }) {
                self.find_namesake(place, it, failure, &call);
                return;
            }
        } else if unsure || error.may_have_applied() {
            // What is wanted may change before the call can be repeated, so what is there has to be known.
            it.unit.doubt(Doubt::Stale);
        }
        if matches!(error, Error::Refused { .. } | Error::Full { .. }) && self.forgo_warm_up(&call.step) {
            return it.unit.lanes.succeeded(lane);
        }
        match (&error, &call.step) {
            (Error::Missing { .. }, step) => {
                it.unit.doubt(Doubt::Stale);
                match step {
                    Step::Associate(_) => self.listing.hasten(at.now),
                    // What is missing may be a group.
                    Step::Rule { .. } | Step::CreateListener { .. } | Step::UpdateListener { .. } => {
                        self.doubt_groups(it);
                        self.doubt_imports();
                    }
                    _ => {}
                }
            }
            (Error::Conflict { .. }, _) => Self::service_conflicted(it, lane, at),
            (Error::Refused { message, .. }, Step::Rule { port, step, .. }) => match step {
                rules::Step::Create { rule, .. } => {
                    if it.refused.refuse(*port, rule, message) {
                        it.unit.doubt(Doubt::Stale);
                    }
                }
                rules::Step::Update(changes) => {
                    if let [change] = changes.as_slice() {
                        it.refused.sent(*port, &change.id);
                        if it.refused.refuse(*port, &change.rule, message) {
                            it.unit.doubt(Doubt::Stale);
                        }
                    } else {
                        it.refused.divide(*port);
                        // Whose fault it is will be seen.
                        failure.kind = "mixed";
                    }
                }
                rules::Step::Delete(_) => {}
            },
            _ => {}
        }
        it.unit.lanes.failed(lane, failure, at);
    }

    /// A step was refused that only makes VPC Lattice check the targets of groups: requests are moved to them all the same.
    /// Tells whether it is one.
    fn forgo_warm_up(&mut self, step: &Step) -> bool {
        let action = match step {
            Step::Rule { step: rules::Step::Create { rule, .. }, .. } if rules::is_warming(rule) => {
                &rule.action
            }
            Step::Rule { step: rules::Step::Update(changes), .. } => match changes.as_slice() {
                [change] if rules::is_warming(&change.rule) => &change.rule.action,
                _ => return false,
            },
            Step::UpdateListener { default, .. }
                if default.shares().iter().any(|share| share.weight == 0) =>
            {
                default
            }
            _ => return false,
        };
        for group in action.groups() {
            self.warmed(group, Why::NoRoom);
        }
        true
    }

    /// A step did what it should.
    fn service_moved(
        &mut self,
        it: &mut ServiceUnit,
        lane: &Lane,
        call: &ServiceCall,
        news: &ServiceNews,
        at: Moment,
    ) {
        services::apply(&mut it.unit.tree, call, news);
        match news {
            ServiceNews::Association(association) => {
                Arc::make_mut(&mut self.ours).insert(association.id.as_str().to_owned());
            }
            ServiceNews::AccessLog(id) => {
                Arc::make_mut(&mut self.ours).insert(id.as_str().to_owned());
            }
            _ => {}
        }
        match &call.step {
            // While it is on its way out, that may still fail.
            Step::Dissociate(_, id) if matches!(news, ServiceNews::Done) => {
                Arc::make_mut(&mut self.ours).remove(id.as_str());
            }
            Step::DeleteAccessLog(_, id) => drop(Arc::make_mut(&mut self.ours).remove(id.as_str())),
            _ => {}
        }
        let (Step::Rule { port, step: rules::Step::Update(changes), .. }, ServiceNews::Rules(outcome)) =
            (&call.step, news)
        else {
            it.unit.lanes.succeeded(lane);
            return;
        };
        if let [change] = changes.as_slice() {
            it.refused.sent(*port, &change.id);
        }
        if outcome.failed.is_empty() {
            it.unit.lanes.succeeded(lane);
            return;
        }
        let mut told = false;
        let mut at_fault = BTreeSet::new();
        for failure in outcome.failed.iter().filter(|failure| services::is_own_fault(failure)) {
            if let Some(change) = changes.iter().find(|change| change.id == failure.id) {
                let message = format!("{}: {}", failure.code, failure.message);
                at_fault.insert((*port, change.rule.matching.clone()));
                told |= !it.refused.refuse(*port, &change.rule, &message);
            }
        }
        if !told {
            it.unit.doubt(Doubt::Stale);
            if changes.len() > 1 && it.unit.lanes.failures(lane) > 0 {
                it.refused.divide(*port);
            }
        }
        let first = outcome.failed.iter().find(|failure| failure.code != "NotApplied");
        let message = first
            .or(outcome.failed.first())
            .map(|failure| format!("{}: {}", failure.code, failure.message))
            .unwrap_or_default();
        let failure = Failure {
            doing: words::of_service(&call.step),
            kind: "refused",
            message,
            needs_operator: false,
            draining: false,
            rules: services::rules_of(call).intersection(&at_fault).cloned().collect(),
        };
        it.unit.lanes.failed(lane, failure, at);
    }

    /// A call does not fit the state that something is in.
    fn service_conflicted(it: &mut ServiceUnit, lane: &Lane, at: Moment) {
        let in_progress = it.unit.tree.read().is_some_and(|tree| tree.service.status.in_progress());
        if in_progress {
            it.unit.lanes.hasten_poll(&SERVICE, at.now);
            return;
        }
        // Of logs, one kind of destination each may be taken until the old one is gone.
        let patient = matches!(lane, Lane::Of(plan::Lane::AccessLog(_)));
        let times = it.unit.lanes.failures(lane);
        if (times == 0 && !patient) || times == 1 || times % 8 == 7 {
            it.unit.doubt(Doubt::Stale);
        }
    }

    /// Groups that the service's rules are to name may not be there any more.
    fn doubt_groups(&mut self, it: &ServiceUnit) {
        let Some(owner) = &it.owner else { return };
        let mut touched = Vec::new();
        for (place, group) in &mut self.groups {
            if group.key.as_ref().and_then(GroupKey::owner) == Some(owner) && group.unit.tree.read().is_some()
            {
                group.unit.doubt(Doubt::Stale);
                touched.push(Name::Group(place.clone()));
            }
        }
        for name in touched {
            self.touch(name);
        }
    }

    /// Looks who has the name of a service that could not be made.
    fn find_namesake(&mut self, place: &Place, it: &mut ServiceUnit, failure: Failure, call: &ServiceCall) {
        let Some(name) = call.spec.as_ref().map(|spec| spec.name.clone()) else { return };
        it.unit.lanes.begin(&SERVICE);
        let (client, place) = (self.links.client.clone(), place.clone());
        let account = self.links.site.account.clone();
        self.tasks.spawn(async move {
            let result = async {
                let all = client.services(Urgency::Change).await?;
                let own = |arn: &str| arn.split(':').nth(4) == Some(&account);
                let Some(found) = all.into_iter().find(|one| one.name == name && own(&one.arn)) else {
                    return Ok(None);
                };
                let tags = read::tags_of(&client, &found.arn, Urgency::Change).await?;
                Ok(Some((found.arn, tags)))
            };
            super::super::Answer::Service(place, Answer::Namesake { failure, result: result.await })
        });
    }

    fn namesake_found(
        &mut self,
        place: &Place,
        it: &mut ServiceUnit,
        failure: Failure,
        result: Result<Option<(String, Tags)>, Error>,
        at: Moment,
    ) {
        let failure = match result {
            Ok(Some((arn, tags))) => {
                let owner = tags.get(tags::OWNER);
                let ours = read::is_ours(&tags, &self.links.site);
                if ours && owner.is_some_and(|owner| Place::Own(owner.clone()) == *place) {
                    it.unit.tree = Tree::Unread(ServiceSeed { arn, tags: Some(tags) });
                    it.unit.lanes.forgive_lane(&SERVICE);
                    return;
                }
                let name = it.unit.wanted.as_ref().map_or("", |spec| spec.name.as_str());
                let message = match owner.filter(|_| ours) {
                    Some(owner) => format!("the name {name} is taken by the service of {owner}, {arn}"),
                    None => format!(
                        "the name {name} is taken by a service that does not belong to this cluster's Lath: {arn}"
                    ),
                };
                Failure { kind: "taken", message, needs_operator: !ours, ..failure }
            }
            Ok(None) => failure,
            Err(error) => Failure::of(failure.doing, &error),
        };
        it.unit.lanes.failed(&SERVICE, failure, at);
    }

    /// Notes which groups a service's rules name.
    fn index(&mut self, place: &Place, it: &mut ServiceUnit) {
        let named = it.groups();
        let before = std::mem::replace(&mut it.named, named);
        for arn in before.symmetric_difference(&it.named) {
            if it.named.contains(arn) {
                self.users.entry(arn.clone()).or_default().insert(place.clone());
            } else if let Some(users) = self.users.get_mut(arn) {
                users.remove(place);
                if users.is_empty() {
                    self.users.remove(arn);
                    // Without its service, nobody sends it anything.
                    if !it.unit.tree.is_absent() {
                        self.linger(arn.clone(), Instant::now());
                    }
                }
            }
            self.used_changed = true;
            if let Some(group) = self.group_places.get(arn) {
                let group = Name::Group(group.clone());
                self.touch(group);
            }
        }
    }

    /// What rules may call a group.
    pub(in crate::gateway::engine) fn known_group(&self, key: &GroupKey) -> KnownGroup {
        if matches!(key, GroupKey::External(_) | GroupKey::Imported(_)) {
            return self.known_import(key);
        }
        let Some(tag) = self.group_tags.get(key) else { return Known::No };
        let Some(it) = self.groups.get(&Place::Own(tag.clone())) else { return Known::NotYet };
        match it.known() {
            // One whose deletion failed is deleted again, unless it is in use.
            Known::Yes(arn) if it.is_undeleted() && !self.users.contains_key(&arn) => Known::NotYet,
            known => known,
        }
    }

    /// What a network is called.
    pub(in crate::gateway::engine) fn known_network(&self, name: &str) -> KnownNetwork {
        if self.known_networks.is_none() {
            return Known::NotYet;
        }
        match self.find_network(name) {
            Some(network) => Known::Yes(network.id.clone()),
            None if self
                .networks
                .get(name)
                .is_some_and(|it| it.unit.wanted.as_ref().is_some_and(|wanted| wanted.create)) =>
            {
                Known::NotYet
            }
            None => Known::No,
        }
    }

    /// What calls name a network by: its ARN if it is another account's.
    pub(super) fn identifier(&self, network: &NetworkId) -> Option<String> {
        let all = self.known_networks.as_ref()?;
        let network = all.iter().find(|one| one.id == *network)?;
        let own = network.arn.split(':').nth(4) == Some(&self.links.site.account);
        Some(if own { network.id.as_str().to_owned() } else { network.arn.clone() })
    }

    /// How long until an audit that could not be made is tried again.
    pub(super) fn retry_audit(&self) -> std::time::Duration {
        self.links.settings.audit_period.map_or(std::time::Duration::from_secs(60), |period| period / 10)
    }

    /// Tells how far a service is.
    fn show_service(&mut self, it: &ServiceUnit, at: Moment) {
        let Some(owner) = &it.owner else { return };
        // Nobody should be sent to one that is on its way out, also where one of its owner is wanted again.
        let stays = it.unit.tree.read().filter(|tree| tree.service.status != Status::Deleting);
        let service = stays.map(|tree| ServiceFacts {
            id: tree.service.id.clone(),
            arn: tree.service.arn.clone(),
            name: tree.service.name.clone(),
            dns_name: tree.service.dns_name.clone(),
            custom_domain: tree.service.custom_domain.clone(),
        });
        let mut troubles: Vec<Trouble> = it.unit.lanes.troubles().cloned().collect();
        let done = it.unit.done && troubles.is_empty();
        let before = self.progress.services.get(owner);
        for (rule, message) in it.refused.rules() {
            let (port, matching) = rule;
            let doing = format!("making the rule for {matching} of the listener on port {port}");
            let same = before.and_then(|before| before.troubles.iter().find(|one| one.doing == doing));
            let since = same.map_or(at.wall, |same| same.since);
            troubles.push(Trouble {
                doing,
                kind: "refused",
                message: format!("VPC Lattice refuses it, so it is left out: {message}"),
                since,
                needs_operator: true,
                rules: BTreeSet::from([rule.clone()]),
            });
        }
        let progress =
            ServiceProgress { service, done, waits: it.waits.clone(), troubles, since: it.unit.since };
        if before != Some(&progress) {
            self.progress.services.insert(owner.clone(), progress);
            self.news.push(News::Service(owner.clone()));
        }
    }
}

/// The service was looked at.
fn service_looked(it: &mut ServiceUnit, service: Service, at: Moment) {
    let Some(tree) = it.unit.tree.read_mut() else { return };
    let before = std::mem::replace(&mut tree.service, service).status;
    if let Status::Failed { what, message } = &tree.service.status
        && before != tree.service.status
    {
        let failure = gave_up("the service", *what, message);
        it.unit.lanes.stumbled(&SERVICE, failure, at);
    }
}

/// The service's place in a network was looked at. Returns it if it is gone.
fn association_looked(
    it: &mut ServiceUnit,
    network: &NetworkId,
    lane: &Lane,
    result: Result<ServiceAssociation, Error>,
    at: Moment,
) -> Option<ServiceAssociationId> {
    let tree = it.unit.tree.read_mut()?;
    match result {
        Ok(is) => {
            let before = tree.associations.insert(network.clone(), is.clone());
            if let Status::Failed { what, message } = &is.status
                && before.is_none_or(|before| before.status != is.status)
            {
                let failure =
                    gave_up(&format!("the association with service network {network}"), *what, message);
                it.unit.lanes.stumbled(lane, failure, at);
            }
        }
        Err(Error::Missing { .. }) => return tree.associations.remove(network).map(|gone| gone.id),
        Err(error) => {
            let doing = format!("looking at the association with service network {network}");
            it.unit.lanes.failed(lane, Failure::of(doing, &error), at);
        }
    }
    None
}

/// VPC Lattice gave up by itself.
pub(super) fn gave_up(what: &str, attempt: Attempt, message: &str) -> Failure {
    let verb = match attempt {
        Attempt::Create => "making",
        Attempt::Update => "changing",
        Attempt::Delete => "deleting",
    };
    Failure {
        doing: format!("{verb} {what}"),
        kind: "failed",
        message: format!("VPC Lattice gave up: {message}"),
        needs_operator: false,
        draining: false,
        rules: BTreeSet::new(),
    }
}
