//! Target groups.

use aws_sdk_vpclattice::types::{
    self, HealthCheckConfig, Matcher, TargetGroupConfig, TargetGroupProtocol, TargetGroupProtocolVersion,
    TargetGroupStatus, TargetGroupType,
};
use lattice::{
    Tags, TargetGroupArn,
    declared::GroupForm,
    limits::PAGE_ITEMS,
    observed::{Group, GroupSummary, Status},
    service::{GroupProtocol, HealthCheck, HttpVersion},
    target::IpFamily,
};

use crate::{
    Client, Error, Operation, Urgency,
    answer::{lacks, number, status, tag_map},
    read::family,
};

/// A target group to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewGroup<'a> {
    /// Its name.
    pub name: &'a str,
    /// What kind of targets it takes, and how they are spoken to.
    pub form: GroupForm,
    /// The port of targets that name none.
    pub port: u16,
    /// The VPC in which its targets are.
    pub vpc: &'a str,
    /// How they are checked.
    pub health_check: &'a HealthCheck,
    /// Its tags.
    pub tags: &'a Tags,
}

impl Client {
    /// Reads which groups there are, all or those of a VPC.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn groups(&self, vpc: Option<&str>, urgency: Urgency) -> Result<Vec<GroupSummary>, Error> {
        let ask = |token| {
            let call = self.sdk.list_target_groups().set_vpc_identifier(vpc.map(Into::into));
            call.max_results(PAGE_ITEMS).set_next_token(token).send()
        };
        self.follow(Operation::ListTargetGroups, urgency, ask, |page| {
            Ok((page.items().iter().map(summary).collect::<Result<_, _>>()?, page.next_token))
        })
        .await
    }

    /// Reads a group with everything that can be decided about one.
    ///
    /// # Errors
    /// See [`Error`]. One that is gone is [`Error::Missing`].
    pub async fn group(&self, group: &TargetGroupArn, urgency: Urgency) -> Result<Group, Error> {
        let output = self.get_group(group, urgency).await?;
        let config = output.config();
        let protocol = protocol(config);
        Ok(Group {
            arn: group.clone(),
            name: output.name().unwrap_or_default().into(),
            status: status(
                output.status().map(TargetGroupStatus::as_str),
                output.failure_code(),
                output.failure_message(),
            ),
            protocol,
            family: family(config),
            port: number(config.and_then(TargetGroupConfig::port)),
            vpc: config.and_then(TargetGroupConfig::vpc_identifier).map(Into::into),
            health_check: read_check(protocol, config.and_then(TargetGroupConfig::health_check)),
            services: output.service_arns().to_vec(),
        })
    }

    /// Makes a group. The same `token` with the same input gives the same group.
    ///
    /// # Errors
    /// See [`Error`]; only [`Error::Unanswered`] leaves open whether it was done.
    pub async fn create_group(&self, new: &NewGroup<'_>, token: &str) -> Result<Group, Error> {
        let operation = Operation::CreateTargetGroup;
        let (kind, address_type) = match new.form {
            GroupForm::Ip { family: IpFamily::IPv4, .. } => {
                (TargetGroupType::Ip, Some(types::IpAddressType::Ipv4))
            }
            GroupForm::Ip { family: IpFamily::IPv6, .. } => {
                (TargetGroupType::Ip, Some(types::IpAddressType::Ipv6))
            }
            GroupForm::Instance { .. } => (TargetGroupType::Instance, None),
            GroupForm::Alb { .. } => (TargetGroupType::Alb, None),
            GroupForm::Lambda { .. } => (TargetGroupType::Lambda, None),
        };
        // Without any wish, what Lattice does by itself.
        let check = (new.form.is_checked() && *new.health_check != HealthCheck::default())
            .then(|| write_check(new.health_check));
        let config = match new.form {
            GroupForm::Lambda { events } => {
                TargetGroupConfig::builder().lambda_event_structure_version(events.as_str().into())
            }
            GroupForm::Ip { protocol, .. }
            | GroupForm::Instance { protocol }
            | GroupForm::Alb { protocol } => TargetGroupConfig::builder()
                .port(new.port.into())
                .protocol(protocol.as_str().into())
                .set_protocol_version(protocol.version().map(|version| version.as_str().into()))
                .set_ip_address_type(address_type)
                .vpc_identifier(new.vpc)
                .set_health_check(check),
        };
        let call = self
            .sdk
            .create_target_group()
            .name(new.name)
            .r#type(kind)
            .config(config.build())
            .set_tags(tag_map(new.tags))
            .client_token(token);
        let output = self.call(operation, Urgency::Change, call.send()).await?;
        let config = output.config();
        let protocol = protocol(config);
        Ok(Group {
            arn: arn(operation, output.arn())?,
            name: output.name().unwrap_or(new.name).into(),
            status: status(output.status().map(TargetGroupStatus::as_str), None, None),
            protocol,
            family: family(config),
            port: number(config.and_then(TargetGroupConfig::port)),
            vpc: config.and_then(TargetGroupConfig::vpc_identifier).map(Into::into),
            health_check: read_check(protocol, config.and_then(TargetGroupConfig::health_check)),
            services: Vec::new(),
        })
    }

    /// Changes how the targets of a group of this protocol are checked. What is `None` becomes Lattice's default,
    /// whatever it was.
    ///
    /// # Errors
    /// See [`Error`]; only [`Error::Unanswered`] leaves open whether it was done.
    pub async fn update_group(
        &self,
        group: &TargetGroupArn,
        protocol: GroupProtocol,
        health_check: &HealthCheck,
    ) -> Result<(), Error> {
        // What is left out stays as it is, so nothing is; and only 0 stands for the target's own port.
        let mut check = write_check(&health_check.filled(protocol));
        check.port.get_or_insert(0);
        let call = self.sdk.update_target_group().target_group_identifier(group.as_str()).health_check(check);
        self.call(Operation::UpdateTargetGroup, Urgency::Change, call.send()).await.map(drop)
    }

    /// Deletes a group, and tells how far that is.
    ///
    /// # Errors
    /// See [`Error`]. One that a rule names or that has draining targets is [`Error::Conflict`], one that is gone
    /// [`Error::Missing`].
    pub async fn delete_group(&self, group: &TargetGroupArn) -> Result<Status, Error> {
        let call = self.sdk.delete_target_group().target_group_identifier(group.as_str());
        let output = self.call(Operation::DeleteTargetGroup, Urgency::Change, call.send()).await?;
        Ok(status(output.status().map(TargetGroupStatus::as_str), None, None))
    }
}

fn summary(item: &types::TargetGroupSummary) -> Result<GroupSummary, Error> {
    Ok(GroupSummary {
        arn: arn(Operation::ListTargetGroups, item.arn())?,
        name: item.name().unwrap_or_default().into(),
        status: status(item.status().map(TargetGroupStatus::as_str), None, None),
        services: item.service_arns().to_vec(),
    })
}

fn arn(operation: Operation, member: Option<&str>) -> Result<TargetGroupArn, Error> {
    member.and_then(|arn| arn.parse().ok()).ok_or_else(|| lacks(operation, "the ARN of a target group"))
}

fn protocol(config: Option<&TargetGroupConfig>) -> Option<GroupProtocol> {
    let config = config?;
    let version = match config.protocol_version() {
        Some(TargetGroupProtocolVersion::Http1) | None => Some(HttpVersion::Http1),
        Some(TargetGroupProtocolVersion::Http2) => Some(HttpVersion::Http2),
        Some(TargetGroupProtocolVersion::Grpc) => Some(HttpVersion::Grpc),
        Some(_) => None,
    };
    match config.protocol()? {
        TargetGroupProtocol::Http => version.map(GroupProtocol::Http),
        TargetGroupProtocol::Https => version.map(GroupProtocol::Https),
        TargetGroupProtocol::Tcp => Some(GroupProtocol::Tcp),
        _ => None,
    }
}

fn write_check(check: &HealthCheck) -> HealthCheckConfig {
    let number = |number: Option<u16>| number.map(i32::from);
    let protocol = |tls: bool| if tls { TargetGroupProtocol::Https } else { TargetGroupProtocol::Http };
    HealthCheckConfig::builder()
        .set_enabled(check.enabled)
        .set_protocol(check.tls.map(protocol))
        .set_protocol_version(check.version.map(|version| version.as_str().into()))
        .set_port(number(check.port))
        .set_path(check.path.clone())
        .set_health_check_interval_seconds(number(check.interval))
        .set_health_check_timeout_seconds(number(check.timeout))
        .set_healthy_threshold_count(number(check.healthy_threshold))
        .set_unhealthy_threshold_count(number(check.unhealthy_threshold))
        .set_matcher(check.statuses.clone().map(Matcher::HttpCode))
        .build()
}

/// A health check with every default filled in: what is absent, 0 or empty is one. Where there are no checks, they are
/// off.
fn read_check(protocol: Option<GroupProtocol>, given: Option<&HealthCheckConfig>) -> HealthCheck {
    let Some((protocol, given)) = protocol.zip(given) else {
        let enabled = given.and_then(HealthCheckConfig::enabled).unwrap_or(false);
        return HealthCheck { enabled: Some(enabled), ..HealthCheck::default() };
    };
    let number = |member| number(member).filter(|number| *number > 0);
    let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let read = HealthCheck {
        enabled: given.enabled(),
        interval: number(given.health_check_interval_seconds()),
        timeout: number(given.health_check_timeout_seconds()),
        healthy_threshold: number(given.healthy_threshold_count()),
        unhealthy_threshold: number(given.unhealthy_threshold_count()),
        path: text(given.path()),
        port: number(given.port()),
        tls: given.protocol().map(|protocol| *protocol == TargetGroupProtocol::Https),
        version: match given.protocol_version() {
            Some(types::HealthCheckProtocolVersion::Http2) => Some(HttpVersion::Http2),
            _ => None,
        },
        statuses: match given.matcher() {
            Some(Matcher::HttpCode(codes)) => text(Some(codes)),
            _ => None,
        },
    };
    read.filled(protocol)
}
