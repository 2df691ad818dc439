//! Actions of rules and listeners, as the SDK has them.

use aws_sdk_vpclattice::{
    error::BuildError,
    types::{FixedResponseAction, ForwardAction, RuleAction, WeightedTargetGroup},
};
use lattice::{
    TargetGroupArn,
    rule::{Action, Weighted},
};

use crate::answer;

/// What a share weighs that tells no weight. Source: AWS CLI, sample output of CreateListener.
const DEFAULT_WEIGHT: u16 = 100;

/// An action as the SDK wants it.
pub(crate) fn to_sdk(action: &Action<TargetGroupArn>) -> Result<RuleAction, BuildError> {
    Ok(match action {
        Action::Fixed(status) => {
            RuleAction::FixedResponse(FixedResponseAction::builder().status_code(i32::from(*status)).build()?)
        }
        Action::Forward(shares) => {
            let groups = shares.iter().map(|share| {
                WeightedTargetGroup::builder()
                    .target_group_identifier(share.group.as_str())
                    .weight(share.weight.into())
                    .build()
            });
            let groups = groups.collect::<Result<_, _>>()?;
            RuleAction::Forward(ForwardAction::builder().set_target_groups(Some(groups)).build()?)
        }
    })
}

/// An action of the rule or listener with the ARN `of`; `None` if it is none that this version can express.
pub(crate) fn from_sdk(of: &str, action: Option<&RuleAction>) -> Option<Action<TargetGroupArn>> {
    match action? {
        RuleAction::FixedResponse(fixed) => Some(Action::Fixed(u16::try_from(fixed.status_code()).ok()?)),
        RuleAction::Forward(forward) => {
            let share = |given: &WeightedTargetGroup| {
                Some(Weighted {
                    group: group(of, given.target_group_identifier())?,
                    weight: given
                        .weight()
                        .map_or(Some(DEFAULT_WEIGHT), |_| answer::number(given.weight()))?,
                })
            };
            let mut shares = forward.target_groups().iter().map(share).collect::<Option<Vec<_>>>()?;
            shares.sort();
            let twice = shares.windows(2).any(|pair| pair[0].group == pair[1].group);
            (!shares.is_empty() && !twice).then_some(Action::Forward(shares))
        }
        _ => None,
    }
}

/// A group by its identifier. Lattice answers with ids alone, also to those who have sent ARNs; such a group is of the
/// same region and account as the rule, since no rule names a group of another one.
fn group(of: &str, identifier: &str) -> Option<TargetGroupArn> {
    if let Ok(arn) = identifier.parse() {
        return Some(arn);
    }
    let (owner, _) = of.match_indices(':').nth(4).map(|(end, _)| of.split_at(end))?;
    format!("{owner}:targetgroup/{identifier}").parse().ok()
}
