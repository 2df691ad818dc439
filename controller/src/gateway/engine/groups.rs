//! Target groups: what is known of each, and what answers make of that.

use lattice::{
    Tags, TargetGroup, TargetGroupArn,
    group::TargetGroupType,
    observed::{Attempt, Group, Status},
    plan::{KnownGroup, group::Step},
    service::{GroupSpec, ServiceGroupKey},
    tags,
};
use tokio::time::Instant;

use super::{
    calls::{GroupCall, GroupNews},
    read::GroupSeed,
    unit::{Place, Tree, Unit},
};
use crate::groups::Facts;

/// What is done one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lane {
    /// Reading the group.
    Tree,
    /// Steps.
    Group,
}

/// A target group.
#[derive(Debug)]
pub(super) struct GroupUnit {
    pub(super) unit: Unit<GroupSpec, (Group, Tags), GroupSeed, Lane, GroupCall>,
    /// What it is for, if somebody wants it.
    pub(super) key: Option<ServiceGroupKey>,
    /// The service that it is for.
    pub(super) service: Option<Place>,
    /// Whether it stays as it is, since its service does.
    pub(super) held: bool,
    /// When it is asked again whether a binding names it.
    pub(super) bound_until: Option<Instant>,
    /// What bindings were told of it.
    pub(super) told: Option<Facts>,
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
            told: None,
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

    /// The tag of its owner, if it has one.
    pub(super) fn owner_tag(&self) -> Option<&str> {
        let tags = match &self.unit.tree {
            Tree::Absent => None,
            Tree::Unread(seed) => seed.tags.as_ref(),
            Tree::Read((_, tags)) => Some(tags),
        };
        tags?.get(tags::OWNER).map(String::as_str)
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
