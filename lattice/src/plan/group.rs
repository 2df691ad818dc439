//! One target group.

use std::collections::BTreeSet;

use super::{Plan, Wait};
use crate::{
    Tags,
    observed::{Attempt, Group, Status},
    service::{GroupSpec, HealthCheck},
    tags,
};

/// What to do about a target group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Make it.
    Create,
    /// Change how its targets are checked.
    Update(HealthCheck),
    /// Set tags.
    Tag(Tags),
    /// Take the tags with these keys away.
    Untag(BTreeSet<String>),
    /// Remove it. Lattice refuses while a rule names it or a target drains.
    Delete,
}

/// Names the next call for a group; none when it is what is `wanted`. A group that is not wanted goes once it is not
/// `used`: no rule names it, and nobody puts targets in.
#[must_use]
pub fn next(wanted: Option<&GroupSpec>, there: Option<(&Group, &Tags)>, used: bool) -> Plan<Step> {
    let mut plan = Plan::default();
    let Some((group, there_tags)) = there else {
        if wanted.is_some() {
            plan.steps.push(Step::Create);
        }
        return plan;
    };
    if group.status == Status::Deleting {
        plan.waits.push(Wait::Group);
        return plan;
    }
    // One that could be neither made nor deleted is not what it should be, and can't be changed.
    let failed = matches!(group.status, Status::Failed { what: Attempt::Create | Attempt::Delete, .. });
    let Some(wanted) = wanted.filter(|_| !failed) else {
        if !used {
            plan.steps.push(Step::Delete);
        } else if there_tags.get(tags::EXPORTED).is_some_and(|exported| exported == "true") {
            // Other clusters' rules name it: they are to see that it leaves.
            plan.steps.push(Step::Tag([(tags::EXPORTED.into(), "false".into())].into()));
        }
        return plan;
    };
    if group.status.in_progress() {
        plan.waits.push(Wait::Group);
        return plan;
    }
    // Where nothing is wanted, VPC Lattice checks nothing.
    if wanted.health_check != HealthCheck::default() && wanted.health_check != group.health_check {
        plan.steps.push(Step::Update(wanted.health_check.clone()));
    }
    let (set, take) = tags::changes(&wanted.tags, there_tags);
    if !set.is_empty() {
        plan.steps.push(Step::Tag(set));
    }
    if !take.is_empty() {
        plan.steps.push(Step::Untag(take));
    }
    plan
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::IpFamily;

    #[test]
    fn what_could_be_neither_made_nor_deleted_is_deleted_and_made_anew() {
        let spec = GroupSpec {
            name: "web".into(),
            port: 80,
            vpc: "vpc-1".into(),
            health_check: HealthCheck { enabled: Some(true), ..HealthCheck::default() },
            tags: Tags::new(),
            targets: None,
        };
        let group = |what| Group {
            arn: "arn:aws:vpc-lattice:us-west-2:123456789012:targetgroup/tg-0123456789abcdef0"
                .parse()
                .unwrap(),
            name: "web".into(),
            status: Status::Failed { what, message: String::new() },
            protocol: None,
            family: IpFamily::IPv4,
            port: None,
            vpc: None,
            health_check: HealthCheck { interval: Some(10), ..HealthCheck::default() },
            services: Vec::new(),
        };
        for (what, used, step) in [
            (Attempt::Create, false, Some(Step::Delete)),
            (Attempt::Delete, false, Some(Step::Delete)),
            (Attempt::Delete, true, None),
            (Attempt::Update, false, Some(Step::Update(spec.health_check.clone()))),
        ] {
            let plan = next(Some(&spec), Some((&group(what), &Tags::new())), used);
            assert_eq!(plan.steps, Vec::from_iter(step), "{what:?}, used {used}");
        }
    }
}
