//! VPC endpoints, which the surroundings name, and what they lead to: service networks and resource configurations.

use serde_json::{Value, json};

use crate::clock::SimTime;
use crate::error::Refusal;
use crate::operations::{Call, object};
use crate::state::backend::{EndpointAssociation, ResourceConfiguration};
use crate::state::network::ServiceNetwork;
use crate::state::resource::Resource as _;
use crate::state::{State, page};

use super::{NETWORK, find};

const IDENTIFIER: &str = "resourceEndpointAssociationIdentifier";
const CONFIGURATION: &str = "resourceConfigurationIdentifier";

/// ListServiceNetworkVpcEndpointAssociations.
pub(in crate::operations) fn list_networks(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let start = page::start(call)?;
    // The model has no ResourceNotFoundException for this operation.
    let Ok(network) = state.visible::<ServiceNetwork>(call, NETWORK) else { return Ok(empty()) };
    let leads_here = |name: &str| name == network.id || name == network.arn || name == network.name;
    let endpoints = (1..).zip(&call.surroundings.vpc_endpoints).filter(|(place, endpoint)| {
        start.is_none_or(|start| *place > start)
            && endpoint.service_network.as_deref().is_some_and(leads_here)
    });
    Ok(page::page(call, endpoints, |endpoint| {
        json!({
            "vpcEndpointId": endpoint.id,
            "vpcId": endpoint.vpc,
            "vpcEndpointOwnerId": call.surroundings.owner(&endpoint.vpc),
            "id": endpoint.id,
            "state": "ACTIVE",
            "serviceNetworkArn": network.arn,
            "createdAt": call.iso(SimTime::ZERO),
        })
    }))
}

/// ListResourceEndpointAssociations.
pub(in crate::operations) fn list_resources(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let start = page::start(call)?;
    // Nor for this one.
    let Ok(configuration) = state.visible::<ResourceConfiguration>(call, CONFIGURATION) else {
        return Ok(empty());
    };
    let association = call.filter(IDENTIFIER);
    let (endpoint, owner) = (call.optional_text("vpcEndpointId"), call.optional_text("vpcEndpointOwner"));
    let rows = state.endpoint_associations.after(start, call.settings.list_order).filter(|(_, row)| {
        row.configuration == configuration.id
            && association.is_none_or(|id| row.id == id)
            && endpoint.is_none_or(|endpoint| row.endpoint == endpoint)
            && owner.is_none_or(|owner| row.endpoint_owner == owner)
    });
    Ok(page::page(call, rows, |row| {
        object([
            ("id", Some(json!(row.id))),
            ("arn", Some(json!(row.arn))),
            ("resourceConfigurationId", Some(json!(configuration.id))),
            ("resourceConfigurationArn", Some(json!(configuration.arn))),
            ("resourceConfigurationName", Some(json!(configuration.name))),
            ("vpcEndpointId", Some(json!(row.endpoint))),
            ("vpcEndpointOwner", Some(json!(row.endpoint_owner))),
            ("createdBy", Some(json!(row.endpoint_owner))),
            ("createdAt", Some(json!(call.iso(row.life.created)))),
        ])
    }))
}

/// A list of nothing.
fn empty() -> Value {
    json!({"items": []})
}

/// DeleteResourceEndpointAssociation: the endpoint leads nowhere afterwards.
pub(in crate::operations) fn delete(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let row: &EndpointAssociation = find(state, call, IDENTIFIER, |row: &EndpointAssociation| {
        [Some(row.account.as_str()), Some(row.endpoint_owner.as_str())]
    })?;
    let configuration = state.configurations.get(&row.configuration);
    let answer = object([
        ("id", Some(json!(row.id))),
        ("arn", Some(json!(row.arn))),
        ("resourceConfigurationId", Some(json!(row.configuration))),
        ("resourceConfigurationArn", configuration.map(|configuration| json!(configuration.arn()))),
        ("vpcEndpointId", Some(json!(row.endpoint))),
    ]);
    let id = row.id.clone();
    state.endpoint_associations.remove(&id);
    Ok(answer)
}
