//! Targets that are declared one by one: addresses, instances, load balancers and functions.

use aws_sdk_vpclattice::{
    error::BuildError,
    types::{self, TargetStatus},
};
use lattice::{TargetGroupArn, declared::DeclaredTarget, limits::PAGE_ITEMS};

use crate::{Client, Error, Operation, Urgency, answer::number, error::unfit};

/// A target that was refused although the call was served, and why.
pub type Refusal = (DeclaredTarget, String);

impl Client {
    /// Reads which targets a group holds, those that drain left out.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn declared_targets(
        &self,
        group: &TargetGroupArn,
        urgency: Urgency,
    ) -> Result<Vec<DeclaredTarget>, Error> {
        let ask = |token| {
            let call = self.sdk.list_targets().target_group_identifier(group.as_str());
            call.max_results(PAGE_ITEMS).set_next_token(token).send()
        };
        self.follow(Operation::ListTargets, urgency, ask, |page| {
            let held = page.items().iter().filter(|item| item.status() != Some(&TargetStatus::Draining));
            let targets = held.filter_map(|item| Some(DeclaredTarget::new(item.id()?, number(item.port()))));
            Ok((targets.collect(), page.next_token))
        })
        .await
    }

    /// Puts targets into a group, at most [`lattice::limits::TARGETS_PER_CALL`] of them. Tells which were refused.
    ///
    /// # Errors
    /// See [`Error`]; only [`Error::Unanswered`] leaves open whether it was done.
    pub async fn register_declared(
        &self,
        group: &TargetGroupArn,
        targets: &[DeclaredTarget],
    ) -> Result<Vec<Refusal>, Error> {
        let operation = Operation::RegisterTargets;
        let members = members(operation, targets)?;
        let call = self.sdk.register_targets().target_group_identifier(group.as_str());
        let output = self.call(operation, Urgency::Register, call.set_targets(Some(members)).send()).await?;
        Ok(refused(targets, output.unsuccessful()))
    }

    /// Takes targets out of a group, at most [`lattice::limits::TARGETS_PER_CALL`] of them. Tells which were refused.
    ///
    /// # Errors
    /// See [`Error`]; only [`Error::Unanswered`] leaves open whether it was done.
    pub async fn deregister_declared(
        &self,
        group: &TargetGroupArn,
        targets: &[DeclaredTarget],
    ) -> Result<Vec<Refusal>, Error> {
        let operation = Operation::DeregisterTargets;
        let members = members(operation, targets)?;
        let call = self.sdk.deregister_targets().target_group_identifier(group.as_str());
        let output =
            self.call(operation, Urgency::Deregister, call.set_targets(Some(members)).send()).await?;
        Ok(refused(targets, output.unsuccessful()))
    }
}

fn members(call: Operation, targets: &[DeclaredTarget]) -> Result<Vec<types::Target>, Error> {
    let member = |target: &DeclaredTarget| {
        types::Target::builder().id(&target.id).set_port(target.port.map(i32::from)).build()
    };
    targets.iter().map(member).collect::<Result<_, BuildError>>().map_err(unfit(call))
}

fn refused(sent: &[DeclaredTarget], unsuccessful: &[types::TargetFailure]) -> Vec<Refusal> {
    let refused = |target: &DeclaredTarget| {
        let failure = unsuccessful.iter().find(|failure| {
            let named = DeclaredTarget::new(failure.id().unwrap_or_default(), number(failure.port()));
            named.id == target.id && (named.port.is_none() || named.port == target.port)
        })?;
        let code = failure.failure_code().unwrap_or("Unknown");
        let message = failure.failure_message().unwrap_or("no message");
        Some((target.clone(), format!("{code}: {message}")))
    };
    sent.iter().filter_map(refused).collect()
}
