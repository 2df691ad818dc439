//! VPCs in service networks.

use std::collections::BTreeSet;

use aws_sdk_vpclattice::types::{self, ServiceNetworkVpcAssociationStatus as AssociationStatus};
use lattice::{
    Tags,
    id::VpcAssociationId,
    limits::PAGE_ITEMS,
    observed::{Status, VpcAssociation},
};

use crate::{
    Client, Error, Operation, Urgency,
    answer::{id_of, required, status, tag_map},
};

/// Which associations of VPCs are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VpcAssociationsOf<'a> {
    /// Those of a VPC, of which there is one at most.
    Vpc(&'a str),
    /// Those of a network, by id or ARN.
    Network(&'a str),
}

impl Client {
    /// Reads which network a VPC is in, or which VPCs are in a network.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn vpc_associations(
        &self,
        of: VpcAssociationsOf<'_>,
        urgency: Urgency,
    ) -> Result<Vec<VpcAssociation>, Error> {
        let ask = |token| {
            let call = self.sdk.list_service_network_vpc_associations();
            let call = match of {
                VpcAssociationsOf::Vpc(vpc) => call.vpc_identifier(vpc),
                VpcAssociationsOf::Network(network) => call.service_network_identifier(network),
            };
            call.max_results(PAGE_ITEMS).set_next_token(token).send()
        };
        self.follow(Operation::ListServiceNetworkVpcAssociations, urgency, ask, |page| {
            Ok((page.items().iter().map(summary).collect::<Result<_, _>>()?, page.next_token))
        })
        .await
    }

    /// Reads an association with its security groups.
    ///
    /// # Errors
    /// See [`Error`]. One that is gone is [`Error::Missing`].
    pub async fn vpc_association(
        &self,
        association: &VpcAssociationId,
        urgency: Urgency,
    ) -> Result<VpcAssociation, Error> {
        let operation = Operation::GetServiceNetworkVpcAssociation;
        let call = self
            .sdk
            .get_service_network_vpc_association()
            .service_network_vpc_association_identifier(association.as_str());
        let output = self.call(operation, urgency, call.send()).await?;
        Ok(VpcAssociation {
            id: required(operation, "an id", output.id())?,
            arn: required(operation, "an ARN", output.arn())?,
            status: status(
                output.status().map(AssociationStatus::as_str),
                output.failure_code(),
                output.failure_message(),
            ),
            network: required(operation, "a network", output.service_network_id())?,
            network_name: output.service_network_name().map(Into::into),
            vpc: required(operation, "a VPC", output.vpc_id())?,
            private_dns: output.private_dns_enabled() == Some(true),
            security_groups: Some(output.security_group_ids().iter().cloned().collect()),
        })
    }

    /// Puts a VPC into a network, which goes by id, or by ARN if another account owns it. The same `token` with the same
    /// input gives the same association.
    ///
    /// # Errors
    /// See [`Error`]; only [`Error::Unanswered`] leaves open whether it was done. A VPC that is in a network already is
    /// [`Error::Conflict`].
    pub async fn associate_vpc(
        &self,
        network: &str,
        vpc: &str,
        security_groups: &BTreeSet<String>,
        tags: &Tags,
        token: &str,
    ) -> Result<VpcAssociation, Error> {
        let operation = Operation::CreateServiceNetworkVpcAssociation;
        let call = self
            .sdk
            .create_service_network_vpc_association()
            .service_network_identifier(network)
            .vpc_identifier(vpc)
            .set_security_group_ids(given(security_groups))
            .set_tags(tag_map(tags))
            .client_token(token);
        let output = self.call(operation, Urgency::Change, call.send()).await?;
        Ok(VpcAssociation {
            id: required(operation, "an id", output.id())?,
            arn: required(operation, "an ARN", output.arn())?,
            status: status(output.status().map(AssociationStatus::as_str), None, None),
            network: id_of(network).into(),
            network_name: None,
            vpc: vpc.into(),
            private_dns: output.private_dns_enabled() == Some(true),
            security_groups: Some(output.security_group_ids().iter().cloned().collect()),
        })
    }

    /// Replaces the security groups of an association, and tells how far that is. It takes at least one: an association
    /// that has any can't be rid of them all.
    ///
    /// # Errors
    /// See [`Error`]; only [`Error::Unanswered`] leaves open whether it was done.
    pub async fn update_vpc_association(
        &self,
        association: &VpcAssociationId,
        security_groups: &BTreeSet<String>,
    ) -> Result<Status, Error> {
        let call = self
            .sdk
            .update_service_network_vpc_association()
            .service_network_vpc_association_identifier(association.as_str())
            // An empty list is sent as one, so that Lattice refuses it rather than changes nothing.
            .set_security_group_ids(Some(security_groups.iter().cloned().collect()));
        let operation = Operation::UpdateServiceNetworkVpcAssociation;
        let output = self.call(operation, Urgency::Change, call.send()).await?;
        Ok(status(output.status().map(AssociationStatus::as_str), None, None))
    }

    /// Takes a VPC out of a network, and tells how far that is.
    ///
    /// # Errors
    /// See [`Error`]. An association that is being made or changed is [`Error::Conflict`], one that is gone
    /// [`Error::Missing`].
    pub async fn dissociate_vpc(&self, association: &VpcAssociationId) -> Result<Status, Error> {
        let call = self
            .sdk
            .delete_service_network_vpc_association()
            .service_network_vpc_association_identifier(association.as_str());
        let operation = Operation::DeleteServiceNetworkVpcAssociation;
        let output = self.call(operation, Urgency::Change, call.send()).await?;
        Ok(status(output.status().map(AssociationStatus::as_str), None, None))
    }
}

fn given(security_groups: &BTreeSet<String>) -> Option<Vec<String>> {
    (!security_groups.is_empty()).then(|| security_groups.iter().cloned().collect())
}

fn summary(item: &types::ServiceNetworkVpcAssociationSummary) -> Result<VpcAssociation, Error> {
    let operation = Operation::ListServiceNetworkVpcAssociations;
    Ok(VpcAssociation {
        id: required(operation, "an id", item.id())?,
        arn: required(operation, "an ARN", item.arn())?,
        status: status(item.status().map(AssociationStatus::as_str), None, None),
        network: required(operation, "a network", item.service_network_id())?,
        network_name: item.service_network_name().map(Into::into),
        vpc: required(operation, "a VPC", item.vpc_id())?,
        private_dns: item.private_dns_enabled() == Some(true),
        security_groups: None,
    })
}
