//! Resource configurations: what TCP connections are carried to.

use aws_sdk_vpclattice::types::{
    self, DnsResource, ProtocolType, ResourceConfigurationDefinition, ResourceConfigurationIpAddressType,
    ResourceConfigurationStatus, ResourceConfigurationType,
};
use lattice::{
    Tags,
    id::ConfigurationId,
    limits::PAGE_ITEMS,
    observed::Status,
    resource::{Configuration, DnsTarget},
    target::IpFamily,
};

use crate::{
    Client, Error, Operation, Urgency,
    answer::{id_of, required, status, tag_map},
};

/// A resource configuration to be made, of type SINGLE and protocol TCP, that leads to a name.
#[derive(Debug, Clone, Copy)]
pub struct NewConfiguration<'a> {
    /// Its name.
    pub name: &'a str,
    /// The resource gateway, by id or ARN.
    pub gateway: &'a str,
    /// The port that clients connect to, and that it connects to.
    pub port: u16,
    /// Where it leads.
    pub target: &'a DnsTarget,
    /// Its tags.
    pub tags: &'a Tags,
}

impl Client {
    /// Reads which resource configurations there are: names and ARNs.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn configurations(&self, urgency: Urgency) -> Result<Vec<(String, String)>, Error> {
        let operation = Operation::ListResourceConfigurations;
        let ask = |token| {
            self.sdk.list_resource_configurations().max_results(PAGE_ITEMS).set_next_token(token).send()
        };
        self.follow(operation, urgency, ask, |page| {
            let item = |item: &types::ResourceConfigurationSummary| {
                Ok((item.name().unwrap_or_default().to_owned(), required(operation, "an ARN", item.arn())?))
            };
            Ok((page.items().iter().map(item).collect::<Result<_, Error>>()?, page.next_token))
        })
        .await
    }

    /// Reads a resource configuration.
    ///
    /// # Errors
    /// See [`Error`]. One that is gone is [`Error::Missing`].
    pub async fn configuration(
        &self,
        configuration: &ConfigurationId,
        urgency: Urgency,
    ) -> Result<Configuration, Error> {
        let operation = Operation::GetResourceConfiguration;
        let call =
            self.sdk.get_resource_configuration().resource_configuration_identifier(configuration.as_str());
        let output = self.call(operation, urgency, call.send()).await?;
        Ok(Configuration {
            id: required(operation, "an id", output.id())?,
            arn: required(operation, "an ARN", output.arn())?,
            name: output.name().unwrap_or_default().into(),
            status: status(
                output.status().map(ResourceConfigurationStatus::as_str),
                None,
                output.failure_reason(),
            ),
            gateway: output.resource_gateway_id().map(Into::into),
            ports: output.port_ranges().to_vec(),
            target: target(output.resource_configuration_definition()),
        })
    }

    /// Makes a resource configuration, which may come into networks that are shared. The same `token` with the same input
    /// gives the same one.
    ///
    /// # Errors
    /// See [`Error`]; only [`Error::Unanswered`] leaves open whether it was done.
    pub async fn create_configuration(
        &self,
        new: &NewConfiguration<'_>,
        token: &str,
    ) -> Result<Configuration, Error> {
        let operation = Operation::CreateResourceConfiguration;
        let call = self
            .sdk
            .create_resource_configuration()
            .name(new.name)
            .r#type(ResourceConfigurationType::Single)
            .protocol(ProtocolType::Tcp)
            .port_ranges(new.port.to_string())
            .resource_gateway_identifier(new.gateway)
            .resource_configuration_definition(definition(new.target))
            .allow_association_to_shareable_service_network(true)
            .set_tags(tag_map(new.tags))
            .client_token(token);
        let output = self.call(operation, Urgency::Change, call.send()).await?;
        Ok(Configuration {
            id: required(operation, "an id", output.id())?,
            arn: required(operation, "an ARN", output.arn())?,
            name: output.name().unwrap_or(new.name).into(),
            status: status(
                output.status().map(ResourceConfigurationStatus::as_str),
                None,
                output.failure_reason(),
            ),
            gateway: Some(output.resource_gateway_id().unwrap_or(id_of(new.gateway)).into()),
            ports: vec![new.port.to_string()],
            target: Some(new.target.clone()),
        })
    }

    /// Changes where a resource configuration leads, and tells how far that is.
    ///
    /// # Errors
    /// See [`Error`]; only [`Error::Unanswered`] leaves open whether it was done.
    pub async fn update_configuration(
        &self,
        configuration: &ConfigurationId,
        target: &DnsTarget,
    ) -> Result<Status, Error> {
        let call = self
            .sdk
            .update_resource_configuration()
            .resource_configuration_identifier(configuration.as_str())
            .resource_configuration_definition(definition(target));
        let output = self.call(Operation::UpdateResourceConfiguration, Urgency::Change, call.send()).await?;
        Ok(status(output.status().map(ResourceConfigurationStatus::as_str), None, None))
    }

    /// Deletes a resource configuration. It may be there for a while.
    ///
    /// # Errors
    /// See [`Error`]. One that is in a network is [`Error::Conflict`], one that is gone [`Error::Missing`].
    pub async fn delete_configuration(&self, configuration: &ConfigurationId) -> Result<(), Error> {
        let call = self
            .sdk
            .delete_resource_configuration()
            .resource_configuration_identifier(configuration.as_str());
        self.call(Operation::DeleteResourceConfiguration, Urgency::Change, call.send()).await.map(drop)
    }
}

fn definition(target: &DnsTarget) -> ResourceConfigurationDefinition {
    let family = match target.family {
        IpFamily::IPv4 => ResourceConfigurationIpAddressType::Ipv4,
        IpFamily::IPv6 => ResourceConfigurationIpAddressType::Ipv6,
    };
    ResourceConfigurationDefinition::DnsResource(
        DnsResource::builder().domain_name(&target.name).ip_address_type(family).build(),
    )
}

/// Where a definition leads; `None` if it is none that this version can express.
fn target(definition: Option<&ResourceConfigurationDefinition>) -> Option<DnsTarget> {
    let Some(ResourceConfigurationDefinition::DnsResource(resource)) = definition else { return None };
    let family = match resource.ip_address_type()? {
        ResourceConfigurationIpAddressType::Ipv4 => IpFamily::IPv4,
        ResourceConfigurationIpAddressType::Ipv6 => IpFamily::IPv6,
        _ => return None,
    };
    Some(DnsTarget { name: resource.domain_name()?.into(), family })
}
