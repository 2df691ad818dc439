//! Putting targets in and taking them out.

use std::collections::BTreeSet;

use aws_sdk_vpclattice::{
    error::BuildError,
    types::{self, TargetFailure},
};
use lattice::{Target, TargetGroupArn};
use tokio::time::Instant;

use crate::{Client, Error, Operation, Urgency, error::unfit};

/// What became of the targets of a call that was served. Each one that was sent is in exactly one of the lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Accepted.
    pub done: Vec<Target>,
    /// Refused one by one, although the call was served.
    pub failed: Vec<Failure>,
}

/// Why a target of a call that was served was not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Which target.
    pub target: Target,
    /// Such as `UnsupportedTarget`; there is no complete list of these.
    pub code: String,
    /// AWS's words.
    pub message: String,
}

/// The code of a target that the answer does not mention, which the API's model allows.
const UNMENTIONED: &str = "Unmentioned";

impl Client {
    /// Puts targets into a group, at most [`lattice::limits::TARGETS_PER_CALL`] of them.
    ///
    /// # Errors
    /// See [`Error`]; only [`Error::Unanswered`] leaves open whether it was done.
    pub async fn register(&self, group: &TargetGroupArn, targets: &[Target]) -> Result<Outcome, Error> {
        let operation = Operation::RegisterTargets;
        let members = members(operation, targets)?;
        let call =
            self.sdk.register_targets().target_group_identifier(group.as_str()).set_targets(Some(members));
        let output = self.call(operation, Urgency::Register, call.send()).await?;
        Ok(outcome(targets, output.successful(), output.unsuccessful()))
    }

    /// Takes targets out of a group, at most [`lattice::limits::TARGETS_PER_CALL`] of them, unless the call's turn comes
    /// only after `send_by` or when it is `withdrawn`: then it is [`Error::NotSent`], since what was safe to take out may
    /// be another's by then.
    ///
    /// # Errors
    /// See [`Error`]; only [`Error::Unanswered`] leaves open whether it was done.
    pub async fn deregister(
        &self,
        group: &TargetGroupArn,
        targets: &[Target],
        send_by: Instant,
        withdrawn: impl Future<Output = ()>,
    ) -> Result<Outcome, Error> {
        let operation = Operation::DeregisterTargets;
        let members = members(operation, targets)?;
        let call =
            self.sdk.deregister_targets().target_group_identifier(group.as_str()).set_targets(Some(members));
        let output = self.call_by(operation, Urgency::Deregister, send_by, withdrawn, call.send()).await?;
        Ok(outcome(targets, output.successful(), output.unsuccessful()))
    }
}

/// Targets as the SDK wants them.
pub(crate) fn members(call: Operation, targets: &[Target]) -> Result<Vec<types::Target>, Error> {
    targets
        .iter()
        .map(|target| {
            types::Target::builder().id(target.address.to_string()).port(target.port.into()).build()
        })
        .collect::<Result<_, BuildError>>()
        .map_err(unfit(call))
}

/// Matches an answer with what was sent. Lattice may echo an address in another notation or leave the port out.
fn outcome(sent: &[Target], successful: &[types::Target], unsuccessful: &[TargetFailure]) -> Outcome {
    let names = |target: &Target, id: Option<&str>, port: Option<i32>| {
        id.and_then(|id| id.parse().ok()) == Some(target.address)
            && port.is_none_or(|port| port == i32::from(target.port))
    };
    let successful: BTreeSet<_> = successful.iter().map(|target| (target.id(), target.port())).collect();
    let mut outcome = Outcome::default();
    for target in sent {
        let id = target.address.to_string();
        if let Some(failure) = unsuccessful.iter().find(|failure| names(target, failure.id(), failure.port()))
        {
            outcome.failed.push(Failure {
                target: *target,
                code: failure.failure_code().unwrap_or("Unknown").into(),
                message: failure.failure_message().unwrap_or("no message").into(),
            });
        } else if successful.contains(&(id.as_str(), Some(target.port.into())))
            || successful.iter().any(|(id, port)| names(target, Some(id), *port))
        {
            outcome.done.push(*target);
        } else {
            outcome.failed.push(Failure {
                target: *target,
                code: UNMENTIONED.into(),
                message: "the answer names this target neither as successful nor as unsuccessful".into(),
            });
        }
    }
    outcome
}
