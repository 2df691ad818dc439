//! Targets that are declared: they are few and known beforehand, so that the engine puts them in itself.

use std::collections::BTreeSet;

use lattice::{declared::DeclaredTarget, limits::TARGETS_PER_CALL, observed::Status};
use lattice_client::{Error, Urgency};

use crate::gateway::engine::{
    Engine,
    groups::{GroupUnit, Lane},
    lanes::{Failure, Moment, Turn},
    turn::group,
    unit::{Name, Place},
};

/// What was called about targets, and what came of it.
#[derive(Debug)]
pub(in crate::gateway::engine) enum Targets {
    Listed(Result<Vec<DeclaredTarget>, Error>),
    Registered(Vec<DeclaredTarget>, Result<Vec<lattice_client::Refusal>, Error>),
    Deregistered(Vec<DeclaredTarget>, Result<Vec<lattice_client::Refusal>, Error>),
}

impl Engine {
    /// Does what is to be done about a group's targets now. Tells whether they are as they should be.
    ///
    /// New ones come before old ones go, so that the group is never emptied by a change.
    pub(super) fn declared_turn(
        &mut self,
        place: &Place,
        it: &mut GroupUnit,
        used: bool,
        at: Moment,
    ) -> bool {
        let wanted = match &it.unit.wanted {
            // What its targets are is being found out, and until then it stays as it is.
            Some(spec) if spec.targets.is_none() && it.is_declared() => return it.filled,
            Some(spec) => spec.targets.clone(),
            // What is to go is emptied first.
            None if it.is_declared() && !used => Some(BTreeSet::new()),
            None => None,
        };
        let Some(wanted) = wanted else { return true };
        let Some(group) =
            it.unit.tree.read().map(|(group, _)| group).filter(|group| group.status == Status::Active)
        else {
            return false;
        };
        if it.members.as_ref() == Some(&wanted) {
            it.filled = true;
            return true;
        }
        match it.unit.lanes.turn(&Lane::Targets, at.now) {
            Turn::Now => {}
            Turn::At(then) => {
                self.wake(then, Name::Group(place.clone()));
                return false;
            }
            Turn::Busy => return false,
        }
        let (client, arn, place) = (self.links.client.clone(), group.arn.clone(), place.clone());
        it.unit.lanes.begin(&Lane::Targets);
        let Some(members) = &it.members else {
            self.tasks.spawn(async move {
                let listed = client.declared_targets(&arn, Urgency::Change).await;
                super::super::Answer::Group(place, group::Answer::Targets(Targets::Listed(listed)))
            });
            return false;
        };
        let mut lacking: Vec<DeclaredTarget> = wanted.difference(members).cloned().collect();
        // Those that were refused don't keep the others out.
        lacking.sort_by_key(|target| it.refused.contains(target));
        if lacking.is_empty() {
            let surplus = members.difference(&wanted).take(TARGETS_PER_CALL).cloned();
            let targets: Vec<DeclaredTarget> = surplus.collect();
            self.tasks.spawn(async move {
                let result = client.deregister_declared(&arn, &targets).await;
                super::super::Answer::Group(
                    place,
                    group::Answer::Targets(Targets::Deregistered(targets, result)),
                )
            });
        } else {
            lacking.truncate(TARGETS_PER_CALL);
            self.tasks.spawn(async move {
                let result = client.register_declared(&arn, &lacking).await;
                super::super::Answer::Group(
                    place,
                    group::Answer::Targets(Targets::Registered(lacking, result)),
                )
            });
        }
        false
    }

    /// Takes in what a call about targets has brought.
    pub(super) fn declared_answered(it: &mut GroupUnit, answer: Targets, at: Moment) {
        it.unit.lanes.answered(&Lane::Targets);
        let (doing, error) = match answer {
            Targets::Listed(Ok(listed)) => {
                it.members = Some(listed.into_iter().collect());
                return it.unit.lanes.succeeded(&Lane::Targets);
            }
            Targets::Registered(sent, Ok(refused)) => {
                let members = it.members.get_or_insert_default();
                for target in sent {
                    if refused.iter().any(|(other, _)| *other == target) {
                        it.refused.insert(target);
                    } else {
                        it.refused.remove(&target);
                        members.insert(target);
                    }
                }
                return settle(it, "registering targets", &refused, at);
            }
            Targets::Deregistered(sent, Ok(refused)) => {
                let members = it.members.get_or_insert_default();
                members.retain(|target| {
                    !sent.contains(target) || refused.iter().any(|(other, _)| other == target)
                });
                return settle(it, "deregistering targets", &refused, at);
            }
            Targets::Listed(Err(error)) => ("listing targets", error),
            Targets::Registered(_, Err(error)) => ("registering targets", error),
            Targets::Deregistered(_, Err(error)) => ("deregistering targets", error),
        };
        // Some of it may have been done.
        it.members = None;
        it.unit.lanes.failed(&Lane::Targets, Failure::of(doing.into(), &error), at);
    }
}

/// Some targets may have been refused although the call was served.
fn settle(it: &mut GroupUnit, doing: &str, refused: &[lattice_client::Refusal], at: Moment) {
    let Some((target, message)) = refused.first() else { return it.unit.lanes.succeeded(&Lane::Targets) };
    let more = if refused.len() > 1 { format!(" and {} more", refused.len() - 1) } else { String::new() };
    let failure = Failure {
        doing: doing.into(),
        kind: "refused",
        message: format!("VPC Lattice refuses {}{more}: {message}", target.id),
        needs_operator: true,
        draining: false,
        rules: BTreeSet::new(),
    };
    it.unit.lanes.failed(&Lane::Targets, failure, at);
}
