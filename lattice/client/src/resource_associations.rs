//! Resource configurations in service networks.

use aws_sdk_vpclattice::types::{
    self, DnsEntry, ServiceNetworkResourceAssociationStatus as AssociationStatus,
};
use lattice::{
    Tags,
    id::{ConfigurationId, ResourceAssociationId},
    limits::PAGE_ITEMS,
    observed::Status,
    resource::ResourceAssociation,
};

use crate::{
    Client, Error, Operation, Urgency,
    answer::{id_of, required, status, tag_map},
};

impl Client {
    /// Reads which networks a resource configuration is in.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn resource_associations(
        &self,
        configuration: &ConfigurationId,
        urgency: Urgency,
    ) -> Result<Vec<ResourceAssociation>, Error> {
        let ask = |token| {
            let call = self.sdk.list_service_network_resource_associations();
            let call = call.resource_configuration_identifier(configuration.as_str());
            call.max_results(PAGE_ITEMS).set_next_token(token).send()
        };
        self.follow(Operation::ListServiceNetworkResourceAssociations, urgency, ask, |page| {
            Ok((page.items().iter().map(summary).collect::<Result<_, _>>()?, page.next_token))
        })
        .await
    }

    /// Reads an association.
    ///
    /// # Errors
    /// See [`Error`]. One that is gone is [`Error::Missing`].
    pub async fn resource_association(
        &self,
        association: &ResourceAssociationId,
        urgency: Urgency,
    ) -> Result<ResourceAssociation, Error> {
        let operation = Operation::GetServiceNetworkResourceAssociation;
        let call = self
            .sdk
            .get_service_network_resource_association()
            .service_network_resource_association_identifier(association.as_str());
        let output = self.call(operation, urgency, call.send()).await?;
        Ok(ResourceAssociation {
            id: required(operation, "an id", output.id())?,
            arn: required(operation, "an ARN", output.arn())?,
            status: status(
                output.status().map(AssociationStatus::as_str),
                output.failure_code(),
                output.failure_reason(),
            ),
            network: required(operation, "a network", output.service_network_id())?,
            dns_name: dns_name(output.dns_entry()),
        })
    }

    /// Puts a resource configuration into a network, which goes by id, or by ARN if another account owns it. The same
    /// `token` with the same input gives the same association. The answer does not tell the name that it has there.
    ///
    /// # Errors
    /// See [`Error`]; only [`Error::Unanswered`] leaves open whether it was done.
    pub async fn associate_configuration(
        &self,
        configuration: &ConfigurationId,
        network: &str,
        tags: &Tags,
        token: &str,
    ) -> Result<ResourceAssociation, Error> {
        let operation = Operation::CreateServiceNetworkResourceAssociation;
        let call = self
            .sdk
            .create_service_network_resource_association()
            .resource_configuration_identifier(configuration.as_str())
            .service_network_identifier(network)
            .set_tags(tag_map(tags))
            .client_token(token);
        let output = self.call(operation, Urgency::Change, call.send()).await?;
        Ok(ResourceAssociation {
            id: required(operation, "an id", output.id())?,
            arn: required(operation, "an ARN", output.arn())?,
            status: status(output.status().map(AssociationStatus::as_str), None, None),
            network: id_of(network).into(),
            dns_name: None,
        })
    }

    /// Takes a resource configuration out of a network, and tells how far that is.
    ///
    /// # Errors
    /// See [`Error`]. An association that is gone is [`Error::Missing`].
    pub async fn dissociate_configuration(
        &self,
        association: &ResourceAssociationId,
    ) -> Result<Status, Error> {
        let call = self
            .sdk
            .delete_service_network_resource_association()
            .service_network_resource_association_identifier(association.as_str());
        let operation = Operation::DeleteServiceNetworkResourceAssociation;
        let output = self.call(operation, Urgency::Change, call.send()).await?;
        Ok(status(output.status().map(AssociationStatus::as_str), None, None))
    }
}

fn summary(item: &types::ServiceNetworkResourceAssociationSummary) -> Result<ResourceAssociation, Error> {
    let operation = Operation::ListServiceNetworkResourceAssociations;
    Ok(ResourceAssociation {
        id: required(operation, "an id", item.id())?,
        arn: required(operation, "an ARN", item.arn())?,
        status: status(item.status().map(AssociationStatus::as_str), item.failure_code(), None),
        network: required(operation, "a network", item.service_network_id())?,
        dns_name: dns_name(item.dns_entry()),
    })
}

fn dns_name(entry: Option<&DnsEntry>) -> Option<String> {
    entry?.domain_name().map(Into::into)
}
