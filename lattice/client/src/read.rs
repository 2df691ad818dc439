//! Reading targets, and groups as far as their targets are concerned.

use std::time::Duration;

use aws_sdk_vpclattice::{
    operation::get_target_group::GetTargetGroupOutput,
    types::{self, TargetSummary},
};
use lattice::{
    Target, TargetGroup, TargetGroupArn, TargetState, group::TargetGroupType, limits::PAGE_ITEMS,
    target::IpFamily,
};

use crate::{Client, Error, Operation, Urgency, write};

/// How often Lattice checks health unless a group says otherwise. Source: VPC Lattice documentation, "Health checks".
const DEFAULT_INTERVAL: Duration = Duration::from_secs(30);

impl Client {
    /// Reads the states of some targets, at most [`lattice::limits::TARGETS_PER_FILTER`] of them. Those that the group
    /// does not hold are left out.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn states_of(
        &self,
        group: &TargetGroupArn,
        targets: &[Target],
        urgency: Urgency,
    ) -> Result<Vec<TargetState>, Error> {
        self.list(group, Some(write::members(Operation::ListTargets, targets)?), urgency).await
    }

    /// Reads the states of all targets of a group, page by page.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn states(&self, group: &TargetGroupArn, urgency: Urgency) -> Result<Vec<TargetState>, Error> {
        self.list(group, None, urgency).await
    }

    async fn list(
        &self,
        group: &TargetGroupArn,
        filter: Option<Vec<types::Target>>,
        urgency: Urgency,
    ) -> Result<Vec<TargetState>, Error> {
        self.follow(
            Operation::ListTargets,
            urgency,
            |token| {
                let call = self.sdk.list_targets().target_group_identifier(group.as_str());
                call.max_results(PAGE_ITEMS).set_targets(filter.clone()).set_next_token(token).send()
            },
            |page| Ok((page.items().iter().filter_map(state).collect(), page.next_token)),
        )
        .await
    }

    /// Reads what a group is.
    ///
    /// # Errors
    /// See [`Error`]. A group of another account is [`Error::Missing`].
    pub async fn target_group(&self, group: &TargetGroupArn, urgency: Urgency) -> Result<TargetGroup, Error> {
        let output = self.get_group(group, urgency).await?;
        let config = output.config();
        let check = config.and_then(|config| config.health_check());
        Ok(TargetGroup {
            arn: group.clone(),
            name: output.name().unwrap_or_default().into(),
            kind: match output.r#type() {
                Some(types::TargetGroupType::Ip) => TargetGroupType::Ip,
                Some(types::TargetGroupType::Lambda) => TargetGroupType::Lambda,
                Some(types::TargetGroupType::Instance) => TargetGroupType::Instance,
                Some(types::TargetGroupType::Alb) => TargetGroupType::Alb,
                _ => TargetGroupType::Other,
            },
            family: family(config),
            vpc: config.and_then(|config| config.vpc_identifier()).map(Into::into),
            health_check_interval: check.filter(|check| check.enabled() == Some(true)).map(|check| {
                check
                    .health_check_interval_seconds()
                    .and_then(|seconds| u64::try_from(seconds).ok())
                    .filter(|seconds| *seconds > 0)
                    .map_or(DEFAULT_INTERVAL, Duration::from_secs)
            }),
            active: output.status() == Some(&types::TargetGroupStatus::Active),
            services: output.service_arns().to_vec(),
        })
    }

    /// What GetTargetGroup answers.
    pub(crate) async fn get_group(
        &self,
        group: &TargetGroupArn,
        urgency: Urgency,
    ) -> Result<GetTargetGroupOutput, Error> {
        let call = self.sdk.get_target_group().target_group_identifier(group.as_str());
        self.call(Operation::GetTargetGroup, urgency, call.send()).await
    }
}

/// The family of a group's addresses.
pub(crate) fn family(config: Option<&types::TargetGroupConfig>) -> IpFamily {
    match config.and_then(|config| config.ip_address_type()) {
        Some(types::IpAddressType::Ipv6) => IpFamily::IPv6,
        _ => IpFamily::IPv4,
    }
}

/// An entry of a listing; `None` for one that is no IP target, or in a state that this version does not know.
fn state(summary: &TargetSummary) -> Option<TargetState> {
    Some(TargetState {
        target: Target { address: summary.id()?.parse().ok()?, port: u16::try_from(summary.port()?).ok()? },
        status: summary.status()?.as_str().parse().ok()?,
        reason: summary.reason_code().map(Into::into),
    })
}
