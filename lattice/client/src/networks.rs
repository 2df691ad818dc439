//! Service networks.

use aws_sdk_vpclattice::types::{self, AuthType};
use lattice::{
    Tags,
    id::NetworkId,
    limits::PAGE_ITEMS,
    observed::{Members, Network},
};

use crate::{
    Client, Error, Operation, Urgency,
    answer::{required, tag_map},
    services::auth_type,
};

impl Client {
    /// Reads which service networks there are, and how much is in each: this account's own, and those that are shared with
    /// it.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn networks(&self, urgency: Urgency) -> Result<Vec<(Network, Members)>, Error> {
        let ask =
            |token| self.sdk.list_service_networks().max_results(PAGE_ITEMS).set_next_token(token).send();
        self.follow(Operation::ListServiceNetworks, urgency, ask, |page| {
            Ok((page.items().iter().map(summary).collect::<Result<_, _>>()?, page.next_token))
        })
        .await
    }

    /// Reads whether the auth policy of a network, by id or ARN, is in force, which listings don't tell.
    ///
    /// # Errors
    /// See [`Error`]. One that is gone is [`Error::Missing`].
    pub async fn network_auth(&self, network: &str, urgency: Urgency) -> Result<bool, Error> {
        let call = self.sdk.get_service_network().service_network_identifier(network);
        let output = self.call(Operation::GetServiceNetwork, urgency, call.send()).await?;
        Ok(output.auth_type() == Some(&AuthType::AwsIam))
    }

    /// Makes a network; with `auth` its auth policy is in force, and lets nobody in while there is none. The same `token`
    /// with the same input gives the same network.
    ///
    /// # Errors
    /// See [`Error`]; only [`Error::Unanswered`] leaves open whether it was done.
    pub async fn create_network(
        &self,
        name: &str,
        auth: bool,
        tags: &Tags,
        token: &str,
    ) -> Result<Network, Error> {
        let operation = Operation::CreateServiceNetwork;
        let call = self
            .sdk
            .create_service_network()
            .name(name)
            .auth_type(auth_type(auth))
            .set_tags(tag_map(tags))
            .client_token(token);
        let output = self.call(operation, Urgency::Change, call.send()).await?;
        Ok(Network {
            id: required(operation, "an id", output.id())?,
            arn: required(operation, "an ARN", output.arn())?,
            name: output.name().unwrap_or(name).into(),
        })
    }

    /// Puts a network's auth policy in force or out of it.
    ///
    /// # Errors
    /// See [`Error`]; only [`Error::Unanswered`] leaves open whether it was done.
    pub async fn update_network(&self, network: &NetworkId, auth: bool) -> Result<(), Error> {
        let call = self
            .sdk
            .update_service_network()
            .service_network_identifier(network.as_str())
            .auth_type(auth_type(auth));
        self.call(Operation::UpdateServiceNetwork, Urgency::Change, call.send()).await.map(drop)
    }

    /// Deletes a network.
    ///
    /// # Errors
    /// See [`Error`]. One that something is in is [`Error::Conflict`], one that is gone [`Error::Missing`].
    pub async fn delete_network(&self, network: &NetworkId) -> Result<(), Error> {
        let call = self.sdk.delete_service_network().service_network_identifier(network.as_str());
        self.call(Operation::DeleteServiceNetwork, Urgency::Change, call.send()).await.map(drop)
    }
}

fn summary(item: &types::ServiceNetworkSummary) -> Result<(Network, Members), Error> {
    let operation = Operation::ListServiceNetworks;
    let network = Network {
        id: required(operation, "an id", item.id())?,
        arn: required(operation, "an ARN", item.arn())?,
        name: item.name().unwrap_or_default().into(),
    };
    let count = |number: Option<i64>| number.and_then(|number| usize::try_from(number).ok()).unwrap_or(0);
    let members = Members {
        services: count(item.number_of_associated_services()),
        vpcs: count(item.number_of_associated_vpcs()),
        configurations: count(item.number_of_associated_resource_configurations()),
    };
    Ok((network, members))
}
