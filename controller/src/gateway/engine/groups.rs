//! Target groups: what is known of each, and what answers make of that.

use std::collections::BTreeSet;

use lattice::{
    Tags, TargetGroup, TargetGroupArn,
    declared::DeclaredTarget,
    group::TargetGroupType,
    observed::{Attempt, Group, Status},
    plan::{KnownGroup, group::Step},
    service::{GroupKey, GroupSpec},
    tags,
};
use tokio::time::Instant;

use super::{
    calls::{GroupCall, GroupNews},
    progress::LeavingExport,
    read::GroupSeed,
    unit::{Doubt, Place, Tree, Unit},
};
use crate::groups::Facts;

/// What is done one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lane {
    /// Reading the group.
    Tree,
    /// Steps.
    Group,
    /// Its targets, where they are declared.
    Targets,
}

/// A target group.
#[derive(Debug)]
pub(super) struct GroupUnit {
    pub(super) unit: Unit<GroupSpec, (Group, Tags), GroupSeed, Lane, GroupCall>,
    /// What it is for, if somebody wants it.
    pub(super) key: Option<GroupKey>,
    /// The service that it is for.
    pub(super) service: Option<Place>,
    /// Whether it stays as it is, since its service does.
    pub(super) held: bool,
    /// When it is asked again whether a binding names it.
    pub(super) bound_until: Option<Instant>,
    /// When it is asked again which services name it, where only VPC Lattice can tell.
    pub(super) asked_until: Option<Instant>,
    /// What bindings were told of it.
    pub(super) told: Option<Facts>,
    /// The targets that it holds, where they are declared and known.
    pub(super) members: Option<BTreeSet<DeclaredTarget>>,
    /// Targets that VPC Lattice has refused.
    pub(super) refused: BTreeSet<DeclaredTarget>,
    /// Whether it has held all of its declared targets.
    pub(super) filled: bool,
    /// Grows with each step.
    pub(super) steps: u64,
}

impl GroupUnit {
    /// A group of which nothing is wanted.
    pub(super) fn new(tree: Tree<(Group, Tags), GroupSeed>) -> Self {
        Self {
            unit: Unit::new(tree),
            key: None,
            service: None,
            held: false,
            bound_until: None,
            asked_until: None,
            told: None,
            members: None,
            refused: BTreeSet::new(),
            filled: false,
            steps: 0,
        }
    }

    /// The group's ARN, if it is there.
    pub(super) fn arn(&self) -> Option<&TargetGroupArn> {
        match &self.unit.tree {
            Tree::Absent => None,
            Tree::Unread(seed) => Some(&seed.arn),
            Tree::Read((group, _)) => Some(&group.arn),
        }
    }

    /// Its tags, if they are known.
    pub(super) fn tags(&self) -> Option<&Tags> {
        match &self.unit.tree {
            Tree::Absent => None,
            Tree::Unread(seed) => seed.tags.as_ref(),
            Tree::Read((_, tags)) => Some(tags),
        }
    }

    /// The tag of its owner, if it has one.
    pub(super) fn owner_tag(&self) -> Option<&str> {
        self.tags()?.get(tags::OWNER).map(String::as_str)
    }

    /// Whether other clusters may name it.
    pub(super) fn is_exported(&self) -> bool {
        self.tags().and_then(|tags| tags.get(tags::SOURCE_TYPE)).is_some_and(|kind| kind == tags::EXPORT)
    }

    /// Whether its targets are declared, so that no binding is for it.
    pub(super) fn is_declared(&self) -> bool {
        self.tags().and_then(|tags| tags.get(tags::SOURCE_TYPE)).is_some_and(|kind| kind == tags::DECLARED)
    }

    /// What is told of an exported group that is to go. Which services name it is known when it was read since, and of one
    /// that stays as it is it is not asked.
    pub(super) fn leaving_export(&self) -> Option<LeavingExport> {
        let fresh = self.unit.doubt != Some(Doubt::Stale) && !self.held;
        Some(LeavingExport {
            owner: self.owner_tag()?.into(),
            services: self.unit.tree.read().filter(|_| fresh).map(|(group, _)| group.services.clone()),
        })
    }

    /// Whether it was to be deleted, in vain.
    pub(super) fn is_undeleted(&self) -> bool {
        let group = self.unit.tree.read().map(|(group, _)| &group.status);
        matches!(group, Some(Status::Failed { what: Attempt::Delete, .. }))
    }

    /// What rules may call it.
    pub(super) fn known(&self) -> KnownGroup {
        let hopeless = |lane| {
            let trouble = self.unit.lanes.trouble(lane);
            trouble.is_some_and(|trouble| {
                trouble.needs_operator || matches!(trouble.kind, "full" | "taken" | "failed")
            })
        };
        match &self.unit.tree {
            Tree::Read((group, _)) => match group.status {
                Status::Failed { what: Attempt::Create, .. } => KnownGroup::No,
                Status::Deleting => KnownGroup::NotYet,
                // It gets requests when it has somebody to answer them.
                _ if self.is_declared() && !self.filled && self.unit.lanes.failures(&Lane::Targets) == 0 => {
                    KnownGroup::NotYet
                }
                _ => KnownGroup::Yes(group.arn.clone()),
            },
            // It can't be read now, but the tags have told that it is there.
            Tree::Unread(seed) if self.unit.lanes.failures(&Lane::Tree) > 0 => {
                KnownGroup::Yes(seed.arn.clone())
            }
            Tree::Absent if hopeless(&Lane::Group) => KnownGroup::No,
            Tree::Absent | Tree::Unread(_) => KnownGroup::NotYet,
        }
    }
}

/// Takes what a step has brought into what is there.
pub(super) fn apply(there: &mut Tree<(Group, Tags), GroupSeed>, call: &GroupCall, news: &GroupNews) {
    match (&call.step, news) {
        (Step::Create, GroupNews::Group(group)) => {
            let tags = call.spec.as_ref().map(|(_, spec)| spec.tags.clone()).unwrap_or_default();
            *there = Tree::Read((group.clone(), tags));
        }
        (Step::Delete, GroupNews::Done) => *there = Tree::Absent,
        (step, news) => {
            let Some((group, tags)) = there.read_mut() else { return };
            match (step, news) {
                (Step::Update(check), _) => {
                    group.health_check =
                        group.protocol.map_or_else(|| check.clone(), |protocol| check.filled(protocol));
                }
                (Step::Tag(new), _) => tags.extend(new.clone()),
                (Step::Untag(keys), _) => tags.retain(|key, _| !keys.contains(key)),
                (Step::Delete, GroupNews::Status(status)) => group.status = status.clone(),
                _ => {}
            }
        }
    }
}

/// What bindings have to know of a group that these services use.
pub(super) fn facts(group: &Group, tags: &Tags, services: Vec<String>) -> Facts {
    let check = &group.health_check;
    let interval = check.interval.filter(|_| check.enabled == Some(true));
    Facts {
        group: TargetGroup {
            arn: group.arn.clone(),
            name: group.name.clone(),
            kind: TargetGroupType::Ip,
            family: group.family,
            vpc: group.vpc.clone(),
            health_check_interval: interval.map(|seconds| std::time::Duration::from_secs(seconds.into())),
            active: group.status == Status::Active,
            services,
        },
        tags: tags.clone(),
    }
}
