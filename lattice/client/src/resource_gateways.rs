//! Resource gateways, through which resource configurations are reached.

use std::collections::BTreeSet;

use aws_sdk_vpclattice::types::{
    self, ResourceConfigDnsResolution, ResourceGatewayIpAddressType, ResourceGatewayStatus,
};
use lattice::{
    Tags, id::ResourceGatewayId, limits::PAGE_ITEMS, observed::Status, resource::ResourceGateway,
    target::IpFamily,
};

use crate::{
    Client, Error, Operation, Urgency,
    answer::{required, status, tag_map},
};

/// A resource gateway to be made, which resolves names in its VPC.
#[derive(Debug, Clone, Copy)]
pub struct NewResourceGateway<'a> {
    /// Its name.
    pub name: &'a str,
    /// The VPC.
    pub vpc: &'a str,
    /// The subnets in which it gets addresses.
    pub subnets: &'a BTreeSet<String>,
    /// Security groups that decide where it may connect to; none: the VPC's default one.
    pub security_groups: &'a BTreeSet<String>,
    /// The family of the addresses that it connects to.
    pub family: IpFamily,
    /// Its tags.
    pub tags: &'a Tags,
}

impl Client {
    /// Reads which resource gateways there are: names, ids and ARNs.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn resource_gateways(&self, urgency: Urgency) -> Result<Vec<ResourceGateway>, Error> {
        let operation = Operation::ListResourceGateways;
        let ask =
            |token| self.sdk.list_resource_gateways().max_results(PAGE_ITEMS).set_next_token(token).send();
        self.follow(operation, urgency, ask, |page| {
            let item = |item: &types::ResourceGatewaySummary| {
                Ok(ResourceGateway {
                    id: required(operation, "an id", item.id())?,
                    arn: required(operation, "an ARN", item.arn())?,
                    name: item.name().unwrap_or_default().into(),
                    status: status(item.status().map(ResourceGatewayStatus::as_str), None, None),
                    vpc: item.vpc_identifier().map(Into::into),
                    resolves_in_vpc: in_vpc(item.resource_config_dns_resolution()),
                })
            };
            Ok((page.items().iter().map(item).collect::<Result<_, Error>>()?, page.next_token))
        })
        .await
    }

    /// Reads a resource gateway by id or ARN.
    ///
    /// # Errors
    /// See [`Error`]. One that is gone is [`Error::Missing`].
    pub async fn resource_gateway(&self, gateway: &str, urgency: Urgency) -> Result<ResourceGateway, Error> {
        let operation = Operation::GetResourceGateway;
        let call = self.sdk.get_resource_gateway().resource_gateway_identifier(gateway);
        let output = self.call(operation, urgency, call.send()).await?;
        Ok(ResourceGateway {
            id: required(operation, "an id", output.id())?,
            arn: required(operation, "an ARN", output.arn())?,
            name: output.name().unwrap_or_default().into(),
            status: status(output.status().map(ResourceGatewayStatus::as_str), None, None),
            vpc: output.vpc_id().map(Into::into),
            resolves_in_vpc: in_vpc(output.resource_config_dns_resolution()),
        })
    }

    /// Makes a resource gateway. The same `token` with the same input gives the same one.
    ///
    /// # Errors
    /// See [`Error`]; only [`Error::Unanswered`] leaves open whether it was done.
    pub async fn create_resource_gateway(
        &self,
        new: &NewResourceGateway<'_>,
        token: &str,
    ) -> Result<ResourceGateway, Error> {
        let operation = Operation::CreateResourceGateway;
        let security_groups = new.security_groups.iter().cloned().collect::<Vec<_>>();
        let call = self
            .sdk
            .create_resource_gateway()
            .name(new.name)
            .vpc_identifier(new.vpc)
            .set_subnet_ids(Some(new.subnets.iter().cloned().collect()))
            .set_security_group_ids((!security_groups.is_empty()).then_some(security_groups))
            .ip_address_type(match new.family {
                IpFamily::IPv4 => ResourceGatewayIpAddressType::Ipv4,
                IpFamily::IPv6 => ResourceGatewayIpAddressType::Ipv6,
            })
            .resource_config_dns_resolution(ResourceConfigDnsResolution::InVpc)
            .set_tags(tag_map(new.tags))
            .client_token(token);
        let output = self.call(operation, Urgency::Change, call.send()).await?;
        Ok(ResourceGateway {
            id: required(operation, "an id", output.id())?,
            arn: required(operation, "an ARN", output.arn())?,
            name: output.name().unwrap_or(new.name).into(),
            status: status(output.status().map(ResourceGatewayStatus::as_str), None, None),
            vpc: Some(new.vpc.into()),
            resolves_in_vpc: true,
        })
    }

    /// Deletes a resource gateway, and tells how far that is.
    ///
    /// # Errors
    /// See [`Error`]. One that is used is [`Error::Conflict`], one that is gone [`Error::Missing`].
    pub async fn delete_resource_gateway(&self, gateway: &ResourceGatewayId) -> Result<Status, Error> {
        let call = self.sdk.delete_resource_gateway().resource_gateway_identifier(gateway.as_str());
        let output = self.call(Operation::DeleteResourceGateway, Urgency::Change, call.send()).await?;
        Ok(status(output.status().map(ResourceGatewayStatus::as_str), None, None))
    }
}

fn in_vpc(resolution: Option<&ResourceConfigDnsResolution>) -> bool {
    resolution == Some(&ResourceConfigDnsResolution::InVpc)
}
