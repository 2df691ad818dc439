//! Target groups.

use std::time::Duration;

use lattice::{
    Tags, TargetGroupArn,
    observed::{Group, Status},
    plan::{
        Wait,
        group::{self as plan, Step},
    },
    tags,
};
use lattice_client::{Error, Urgency};
use tokio::time::Instant;

use super::{declared::Targets, service::gave_up};
use crate::gateway::engine::{
    Engine, News,
    calls::{GroupCall, GroupNews},
    groups::{self, GroupUnit, Lane},
    lanes::{Failure, Moment, Turn},
    progress::GroupProgress,
    read::{self, GroupSeed},
    unit::{Doubt, Kind, Name, Place, Tree},
    words,
};

/// How long a group that a binding still names is left alone before that is asked again. It costs no call.
const BOUND: Duration = Duration::from_secs(1);

/// How long an exported group that nobody wants any more and that another cluster's service names is left alone before
/// it is read again.
const NAMED_ELSEWHERE: Duration = Duration::from_secs(15);

/// What a task for a group has brought.
#[derive(Debug)]
pub(in crate::gateway::engine) enum Answer {
    Read {
        doubt: Option<Doubt>,
        steps: u64,
        result: Result<Option<(Group, Tags)>, Error>,
    },
    Step {
        call: Box<GroupCall>,
        unsure: bool,
        result: Result<GroupNews, Error>,
    },
    Looked(Result<Group, Error>),
    Targets(Targets),
    /// Who has the name of a group that could not be made, if anybody has.
    Namesake {
        failure: Failure,
        result: Result<Option<(TargetGroupArn, Tags)>, Error>,
    },
}

impl Engine {
    /// Does what is to be done about a target group now.
    pub(in crate::gateway::engine) fn work_on_group(&mut self, place: Place, at: Moment) {
        if matches!(place, Place::Spare(_)) && !self.is_surplus_group(&place) {
            return;
        }
        let Some(mut it) = self.groups.remove(&place) else { return };
        let before = it.known();
        self.group_turn(&place, &mut it, at);
        self.inform(&mut it);
        self.show_group(&it);
        let service = it.service.clone().filter(|_| it.known() != before);
        if !it.unit.is_over() {
            self.groups.insert(place, it);
        }
        if let Some(service) = service {
            self.touch(Name::Service(service));
        }
    }

    /// As for services: whether a group with the same tag as another one can go.
    fn is_surplus_group(&mut self, spare: &Place) -> bool {
        let tag = self.groups.get(spare).and_then(|it| match &it.unit.tree {
            Tree::Absent => None,
            Tree::Unread(seed) => seed.tags.as_ref()?.get(tags::GROUP).cloned(),
            Tree::Read((_, tags)) => tags.get(tags::GROUP).cloned(),
        });
        let Some(own) = tag.map(Place::Own) else { return true };
        match self.groups.get_mut(&own) {
            Some(it) if it.unit.is_being_made() || matches!(it.unit.tree, Tree::Unread(_)) => false,
            Some(it) if !it.unit.tree.is_absent() => true,
            _ => {
                if self.groups.get(spare).is_some_and(|it| it.unit.lanes.busy()) {
                    return false;
                }
                let Some(it) = self.groups.remove(spare) else { return false };
                if let Some(arn) = it.arn() {
                    self.group_places.insert(arn.clone(), own.clone());
                }
                match self.groups.get_mut(&own) {
                    Some(own) => own.unit.tree = it.unit.tree,
                    None => drop(self.groups.insert(own.clone(), it)),
                }
                self.touch(Name::Group(own));
                false
            }
        }
    }

    fn group_turn(&mut self, place: &Place, it: &mut GroupUnit, at: Moment) {
        let name = Name::Group(place.clone());
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
            self.read_group(place, it, at);
            if unread || it.unit.doubt == Some(Doubt::Stale) {
                it.unit.done = false;
                return;
            }
        }
        for lane in it.unit.lanes.to_repeat() {
            match it.unit.lanes.turn(&lane, at.now) {
                Turn::Now => {
                    for call in it.unit.lanes.repeats(&lane) {
                        self.call_group(place, it, call, true);
                    }
                }
                Turn::At(then) => self.wake(then, name.clone()),
                Turn::Busy => {}
            }
        }
        if it.held {
            return;
        }
        let there = it.unit.tree.read();
        let (used, bound) = there.map_or((false, false), |(group, _)| {
            (self.is_used(group) || Self::is_named_elsewhere(it, group), self.is_bound(&group.arn))
        });
        let filled = self.declared_turn(place, it, used, at);
        let there = it.unit.tree.read();
        // One that is to go is emptied first.
        let used = used || (it.unit.wanted.is_none() && !filled);
        let plan =
            plan::next(it.unit.wanted.as_deref(), there.map(|(group, tags)| (group, tags)), used || bound);
        if bound && !used && it.unit.wanted.is_none() && it.bound_until.is_none_or(|until| until <= at.now) {
            let until = at.now + BOUND;
            it.bound_until = Some(until);
            self.wake(until, name.clone());
        }
        self.ask_who_names(place, it, at);
        let there = it.unit.tree.read();
        if there.is_some_and(|(group, _)| group.status == Status::Active) {
            it.unit.lanes.stands(&Lane::Group);
        }
        let done = plan.is_done() && filled && !it.unit.lanes.busy();
        let any = !plan.steps.is_empty();
        match it.unit.lanes.turn(&Lane::Group, at.now) {
            _ if !it.unit.lanes.to_repeat().is_empty() => {}
            Turn::Now => {
                for step in plan.steps {
                    let call = GroupCall {
                        step,
                        spec: it.key.clone().zip(it.unit.wanted.clone()),
                        group: it.unit.tree.read().map(|(group, _)| group.clone()),
                        token: self.token(),
                    };
                    self.call_group(place, it, call, false);
                }
            }
            Turn::At(then) if any => self.wake(then, name.clone()),
            _ => {}
        }
        let waits = plan.waits.contains(&Wait::Group);
        if waits {
            self.await_group(place, it, at);
        }
        it.unit.lanes.rest(
            |lane| (any && *lane == Lane::Group) || (!filled && *lane == Lane::Targets),
            |lane| waits && *lane == Lane::Group,
        );
        if let Some(took) = it.unit.note(done, at.now)
            && it.unit.wanted.is_some()
        {
            self.links.metrics.took(Kind::Group, took);
        }
        if it.unit.audit.is_none() && it.unit.doubt.is_none() && it.unit.tree.read().is_some() {
            it.unit.audit = self.next_audit(at.now);
            if let Some(audit) = it.unit.audit {
                self.wake(audit, name);
            }
        }
    }

    /// Asks VPC Lattice again, in a while, which services name an exported group that is to go.
    fn ask_who_names(&mut self, place: &Place, it: &mut GroupUnit, at: Moment) {
        let named = it.unit.tree.read().is_some_and(|(group, _)| !group.services.is_empty());
        if it.unit.wanted.is_some() || !it.is_exported() || !named {
            return;
        }
        let name = Name::Group(place.clone());
        match it.asked_until {
            Some(until) if until > at.now => self.wake(until, name),
            Some(_) => {
                it.asked_until = None;
                it.unit.doubt(Doubt::Stale);
                self.touch(name);
            }
            None => {
                let until = at.now + NAMED_ELSEWHERE;
                it.asked_until = Some(until);
                self.wake(until, name);
            }
        }
    }

    /// Whether a rule names the group.
    fn is_used(&self, group: &Group) -> bool {
        let unread = |arn: &String| {
            self.services.values().any(|it| it.arn() == Some(arn) && matches!(it.unit.tree, Tree::Unread(_)))
        };
        self.users.contains_key(&group.arn)
            || self.lingering.contains_key(&group.arn)
            || group.services.iter().any(unread)
    }

    /// Keeps a group for a while that no rule names any more.
    pub(in crate::gateway::engine) fn linger(&mut self, group: TargetGroupArn, now: Instant) {
        let linger = self.links.settings.linger;
        if !linger.is_zero() && self.group_places.contains_key(&group) {
            self.lingering.insert(group.clone(), now + linger);
            self.lingering_ends.push_back((now + linger, group));
            self.used_changed = true;
        }
    }

    /// Lets groups go that have been kept long enough.
    pub(in crate::gateway::engine) fn part_with_lingering(&mut self, now: Instant) {
        while let Some((_, group)) = self.lingering_ends.pop_front_if(|(end, _)| *end <= now) {
            if self.lingering.get(&group).is_none_or(|until| *until > now) {
                continue;
            }
            self.lingering.remove(&group);
            self.used_changed = true;
            self.surveyed = false;
            if let Some(place) = self.group_places.get(&group) {
                let name = Name::Group(place.clone());
                self.touch(name);
            }
        }
    }

    /// Whether a service names a group that is exported, which may be another cluster's.
    fn is_named_elsewhere(it: &GroupUnit, group: &Group) -> bool {
        it.is_exported() && !group.services.is_empty()
    }

    /// Whether a binding names the group.
    fn is_bound(&self, group: &TargetGroupArn) -> bool {
        let cluster = self.links.cluster.read();
        !cluster.complete() || cluster.bindings_of(group).next().is_some()
    }

    fn read_group(&mut self, place: &Place, it: &mut GroupUnit, at: Moment) {
        if it.unit.lanes.busy() {
            return;
        }
        match it.unit.lanes.turn(&Lane::Tree, at.now) {
            Turn::Now => {}
            Turn::At(then) => return self.wake(then, Name::Group(place.clone())),
            Turn::Busy => return,
        }
        let seed = match &it.unit.tree {
            Tree::Absent => {
                it.unit.doubt = None;
                return;
            }
            Tree::Unread(seed) => seed.clone(),
            Tree::Read((group, _)) => GroupSeed { arn: group.arn.clone(), tags: None },
        };
        it.unit.lanes.begin(&Lane::Tree);
        let client = self.links.client.clone();
        let (place, doubt, steps) = (place.clone(), it.unit.doubt, it.steps);
        self.tasks.spawn(async move {
            let result = read::group(&client, seed, Self::urgency(doubt)).await;
            super::super::Answer::Group(place, Answer::Read { doubt, steps, result })
        });
    }

    fn await_group(&mut self, place: &Place, it: &mut GroupUnit, at: Moment) {
        let Some(arn) = it.arn().cloned() else { return };
        let mut then = it.unit.lanes.poll(&Lane::Group, at.now);
        match it.unit.lanes.turn(&Lane::Group, at.now) {
            Turn::Busy => return,
            Turn::At(later) => then = then.max(later),
            Turn::Now => {}
        }
        if then > at.now {
            return self.wake(then, Name::Group(place.clone()));
        }
        it.unit.lanes.begin(&Lane::Group);
        let (client, place) = (self.links.client.clone(), place.clone());
        self.tasks.spawn(async move {
            let answer = Answer::Looked(client.group(&arn, Urgency::Change).await);
            super::super::Answer::Group(place, answer)
        });
    }

    fn call_group(&mut self, place: &Place, it: &mut GroupUnit, call: GroupCall, unsure: bool) {
        it.unit.lanes.begin(&Lane::Group);
        it.steps += 1;
        let (client, place) = (self.links.client.clone(), place.clone());
        self.tasks.spawn(async move {
            let result = call.make(&client).await;
            super::super::Answer::Group(place, Answer::Step { call: Box::new(call), unsure, result })
        });
    }

    /// Takes in what a task for a target group has brought.
    pub(in crate::gateway::engine) fn group_answered(&mut self, place: Place, answer: Answer) {
        let Some(mut it) = self.groups.remove(&place) else { return };
        let at = self.moment();
        let (before, was) = (it.known(), it.arn().cloned());
        match answer {
            Answer::Read { doubt, steps, result } => {
                it.unit.lanes.answered(&Lane::Tree);
                self.group_read(&place, &mut it, doubt, steps, result, at);
            }
            Answer::Step { call, unsure, result } => {
                it.unit.lanes.answered(&Lane::Group);
                self.links.metrics.stepped(words::of_group(&call.step).1, result.as_ref().err());
                self.group_stepped(&place, &mut it, *call, unsure, result, at);
            }
            Answer::Looked(result) => {
                it.unit.lanes.answered(&Lane::Group);
                it.unit.lanes.polled(&Lane::Group, at.now);
                match result {
                    Ok(group) => group_looked(&mut it, group, at),
                    Err(Error::Missing { .. }) => it.unit.tree = Tree::Absent,
                    Err(error) => {
                        let failure = Failure::of("looking at the target group".into(), &error);
                        it.unit.lanes.failed(&Lane::Group, failure, at);
                    }
                }
            }
            Answer::Targets(answer) => Self::declared_answered(&mut it, answer, at),
            Answer::Namesake { failure, result } => {
                it.unit.lanes.answered(&Lane::Group);
                self.group_namesake_found(&place, &mut it, failure, result, at);
            }
        }
        let is = it.arn().cloned();
        if was != is {
            it.members = None;
            it.filled = false;
            if let Some(was) = was {
                self.group_places.remove(&was);
                self.lingering.remove(&was);
                self.used_changed = true;
                self.links.groups.update(|groups| groups.forget(&was));
                it.told = None;
            }
            if let Some(is) = is {
                self.group_places.insert(is, place.clone());
            }
        }
        if let Some(service) = it.service.clone().filter(|_| it.known() != before) {
            self.touch(Name::Service(service));
        }
        self.groups.insert(place.clone(), it);
        self.touch(Name::Group(place));
        let spares = self.groups.range(Place::Spare(String::new())..);
        let spares: Vec<Name> = spares.map(|(place, _)| Name::Group(place.clone())).collect();
        for name in spares {
            self.touch(name);
        }
    }

    fn group_read(
        &mut self,
        place: &Place,
        it: &mut GroupUnit,
        doubt: Option<Doubt>,
        steps: u64,
        result: Result<Option<(Group, Tags)>, Error>,
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
            Ok(is) => {
                if it.unit.doubt <= doubt {
                    it.unit.doubt = None;
                }
                it.unit.lanes.succeeded(&Lane::Tree);
                // With the group its targets are looked at anew.
                it.members = None;
                let is = is.filter(|(_, tags)| {
                    let tag = tags.get(tags::GROUP);
                    read::is_ours(tags, &self.links.site)
                        && match place {
                            Place::Own(own) => tag == Some(own),
                            Place::Spare(_) => tag.is_some(),
                        }
                });
                if audit && let Tree::Read((believed, had)) = &it.unit.tree {
                    let same = is.as_ref().is_some_and(|(group, tags)| {
                        // Which services use it is told by their rules.
                        let calm = |group: &Group| Group { services: Vec::new(), ..group.clone() };
                        calm(group) == calm(believed) && tags == had
                    });
                    if !same {
                        self.links.metrics.drifted(Kind::Group);
                        let what = if is.is_some() { "it differs" } else { "it is gone" };
                        let group = believed.name.as_str();
                        tracing::info!(group, differences = what, "others have changed a target group");
                    }
                }
                it.unit.tree = is.map_or(Tree::Absent, Tree::Read);
            }
            Err(error) => {
                let failure = Failure::of("reading the target group".into(), &error);
                it.unit.lanes.failed(&Lane::Tree, failure, at);
            }
        }
    }

    fn group_stepped(
        &mut self,
        place: &Place,
        it: &mut GroupUnit,
        call: GroupCall,
        unsure: bool,
        result: Result<GroupNews, Error>,
        at: Moment,
    ) {
        let error = match result {
            Err(Error::Missing { .. }) if call.step == Step::Delete => {
                it.unit.tree = Tree::Absent;
                return it.unit.lanes.succeeded(&Lane::Group);
            }
            Ok(news) => {
                groups::apply(&mut it.unit.tree, &call, &news);
                return it.unit.lanes.succeeded(&Lane::Group);
            }
            Err(error) => error,
        };
        let mut failure = Failure::of(words::of_group(&call.step).0.into(), &error);
        let creates = call.step == Step::Create;
        let unknown = creates
            && match error {
                Error::Unanswered { .. } => true,
                Error::Throttled { .. } | Error::Unreachable { .. } | Error::NotSent { .. } => unsure,
                _ => false,
            };
        if unknown {
            it.unit.lanes.failed(&Lane::Group, failure, at);
            it.unit.lanes.keep(&Lane::Group, call);
            return;
        }
        if creates && (unsure || matches!(error, Error::Conflict { .. } | Error::Refused { .. })) {
            self.find_group_namesake(place, it, failure, &call);
            return;
        }
        match &error {
            // Its targets drain, or somebody else's rule names it.
            Error::Conflict { .. } if call.step == Step::Delete => {
                failure.draining = true;
                if it.is_exported() {
                    it.unit.doubt(Doubt::Stale);
                }
            }
            Error::Missing { .. } | Error::Unanswered { .. } | Error::Conflict { .. } => {
                it.unit.doubt(Doubt::Stale);
            }
            _ => {}
        }
        it.unit.lanes.failed(&Lane::Group, failure, at);
    }

    fn find_group_namesake(&mut self, place: &Place, it: &mut GroupUnit, failure: Failure, call: &GroupCall) {
        let Some(name) = call.spec.as_ref().map(|(_, spec)| spec.name.clone()) else { return };
        it.unit.lanes.begin(&Lane::Group);
        let (client, place) = (self.links.client.clone(), place.clone());
        self.tasks.spawn(async move {
            let result = async {
                let all = client.groups(None, Urgency::Change).await?;
                let Some(found) = all.into_iter().find(|one| one.name == name) else { return Ok(None) };
                let tags = read::tags_of(&client, found.arn.as_str(), Urgency::Change).await?;
                Ok(Some((found.arn, tags)))
            };
            super::super::Answer::Group(place, Answer::Namesake { failure, result: result.await })
        });
    }

    fn group_namesake_found(
        &mut self,
        place: &Place,
        it: &mut GroupUnit,
        failure: Failure,
        result: Result<Option<(TargetGroupArn, Tags)>, Error>,
        at: Moment,
    ) {
        let failure = match result {
            Ok(Some((arn, tags))) => {
                let ours = read::is_ours(&tags, &self.links.site);
                let tag = tags.get(tags::GROUP);
                if ours && tag.is_some_and(|tag| Place::Own(tag.clone()) == *place) {
                    it.unit.tree = Tree::Unread(GroupSeed { arn, tags: Some(tags) });
                    it.unit.lanes.forgive_lane(&Lane::Group);
                    return;
                }
                let name = it.unit.wanted.as_ref().map_or("", |spec| spec.name.as_str());
                let message = if ours && tag.is_some() {
                    format!("the name {name} is taken by another target group of this cluster: {arn}")
                } else {
                    format!(
                        "the name {name} is taken by a target group that does not belong to this cluster's Lath: {arn}"
                    )
                };
                Failure { kind: "taken", message, needs_operator: !ours, ..failure }
            }
            Ok(None) => failure,
            Err(error) => Failure::of(failure.doing, &error),
        };
        it.unit.lanes.failed(&Lane::Group, failure, at);
    }

    /// Tells bindings what is known of a group.
    fn inform(&mut self, it: &mut GroupUnit) {
        let Some((group, tags)) = it.unit.tree.read().filter(|_| !it.is_declared()) else { return };
        let users = self.users.get(&group.arn).into_iter().flatten();
        let services = users.filter_map(|place| self.services.get(place)?.arn().map(str::to_owned)).collect();
        let facts = groups::facts(group, tags, services);
        if it.told.as_ref() != Some(&facts) {
            let now = tokio::time::Instant::now();
            self.links.groups.update(|groups| groups.tell(&facts.group.arn, facts.clone(), now));
            it.told = Some(facts);
        }
    }

    /// Tells how far a group is.
    fn show_group(&mut self, it: &GroupUnit) {
        let Some(key) = it.key.clone() else { return };
        let progress = GroupProgress {
            arn: it.arn().cloned(),
            status: it.unit.tree.read().map(|(group, _)| group.status.clone()),
            done: it.unit.done,
            trouble: it.unit.lanes.troubles().next().cloned(),
        };
        if self.progress.groups.get(&key) != Some(&progress) {
            self.progress.groups.insert(key.clone(), progress);
            self.news.push(News::Group(key));
        }
    }
}

/// The group was looked at.
fn group_looked(it: &mut GroupUnit, group: Group, at: Moment) {
    let Some((there, _)) = it.unit.tree.read_mut() else { return };
    let before = std::mem::replace(there, group).status;
    if let Status::Failed { what, message } = &there.status
        && before != there.status
    {
        let failure = gave_up("the target group", *what, message);
        it.unit.lanes.stumbled(&Lane::Group, failure, at);
    }
}
