//! Services in service networks.

use aws_sdk_vpclattice::types::{self, ServiceNetworkServiceAssociationStatus as AssociationStatus};
use lattice::{
    Tags,
    id::{ServiceAssociationId, ServiceId},
    limits::PAGE_ITEMS,
    observed::{ServiceAssociation, Status},
};

use crate::{
    Client, Error, Operation, Urgency,
    answer::{id_of, required, status, tag_map},
};

/// Which associations of services are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceAssociationsOf<'a> {
    /// Those of a service.
    Service(&'a ServiceId),
    /// Those of a network, by id or ARN.
    Network(&'a str),
}

impl Client {
    /// Reads which networks a service is in, or which services are in a network.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn service_associations(
        &self,
        of: ServiceAssociationsOf<'_>,
        urgency: Urgency,
    ) -> Result<Vec<ServiceAssociation>, Error> {
        let ask = |token| {
            let call = self.sdk.list_service_network_service_associations();
            let call = match of {
                ServiceAssociationsOf::Service(service) => call.service_identifier(service.as_str()),
                ServiceAssociationsOf::Network(network) => call.service_network_identifier(network),
            };
            call.max_results(PAGE_ITEMS).set_next_token(token).send()
        };
        self.follow(Operation::ListServiceNetworkServiceAssociations, urgency, ask, |page| {
            Ok((page.items().iter().map(summary).collect::<Result<_, _>>()?, page.next_token))
        })
        .await
    }

    /// Reads an association.
    ///
    /// # Errors
    /// See [`Error`]. One that is gone is [`Error::Missing`].
    pub async fn service_association(
        &self,
        association: &ServiceAssociationId,
        urgency: Urgency,
    ) -> Result<ServiceAssociation, Error> {
        let operation = Operation::GetServiceNetworkServiceAssociation;
        let call = self
            .sdk
            .get_service_network_service_association()
            .service_network_service_association_identifier(association.as_str());
        let output = self.call(operation, urgency, call.send()).await?;
        Ok(ServiceAssociation {
            id: required(operation, "an id", output.id())?,
            arn: required(operation, "an ARN", output.arn())?,
            status: status(
                output.status().map(AssociationStatus::as_str),
                output.failure_code(),
                output.failure_message(),
            ),
            service: required(operation, "a service", output.service_id())?,
            network: required(operation, "a network", output.service_network_id())?,
        })
    }

    /// Puts a service into a network, which goes by id, or by ARN if another account owns it. The same `token` with the
    /// same input gives the same association.
    ///
    /// # Errors
    /// See [`Error`]; only [`Error::Unanswered`] leaves open whether it was done.
    pub async fn associate_service(
        &self,
        service: &ServiceId,
        network: &str,
        tags: &Tags,
        token: &str,
    ) -> Result<ServiceAssociation, Error> {
        let operation = Operation::CreateServiceNetworkServiceAssociation;
        let call = self
            .sdk
            .create_service_network_service_association()
            .service_identifier(service.as_str())
            .service_network_identifier(network)
            .set_tags(tag_map(tags))
            .client_token(token);
        let output = self.call(operation, Urgency::Change, call.send()).await?;
        Ok(ServiceAssociation {
            id: required(operation, "an id", output.id())?,
            arn: required(operation, "an ARN", output.arn())?,
            status: status(output.status().map(AssociationStatus::as_str), None, None),
            service: service.clone(),
            network: id_of(network).into(),
        })
    }

    /// Takes a service out of a network, and tells how far that is.
    ///
    /// # Errors
    /// See [`Error`]. An association that is gone is [`Error::Missing`].
    pub async fn dissociate_service(&self, association: &ServiceAssociationId) -> Result<Status, Error> {
        let call = self
            .sdk
            .delete_service_network_service_association()
            .service_network_service_association_identifier(association.as_str());
        let operation = Operation::DeleteServiceNetworkServiceAssociation;
        let output = self.call(operation, Urgency::Change, call.send()).await?;
        Ok(status(output.status().map(AssociationStatus::as_str), None, None))
    }
}

fn summary(item: &types::ServiceNetworkServiceAssociationSummary) -> Result<ServiceAssociation, Error> {
    let operation = Operation::ListServiceNetworkServiceAssociations;
    Ok(ServiceAssociation {
        id: required(operation, "an id", item.id())?,
        arn: required(operation, "an ARN", item.arn())?,
        status: status(item.status().map(AssociationStatus::as_str), None, None),
        service: required(operation, "a service", item.service_id())?,
        network: required(operation, "a network", item.service_network_id())?,
    })
}
