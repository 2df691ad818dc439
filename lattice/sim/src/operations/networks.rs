//! Service networks: create, get, list, update, delete.

use serde_json::{Value, json};

use crate::error::{Refusal, ResourceType};
use crate::settings::choice::GoneAnswer;
use crate::state::life::Life;
use crate::state::network::ServiceNetwork;
use crate::state::policy::AuthPolicy;
use crate::state::{State, page};

use super::tags::new_tags;
use super::{Call, object};

const KIND: ResourceType = ResourceType::ServiceNetwork;
const IDENTIFIER: &str = "serviceNetworkIdentifier";

pub(super) fn create(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let tags = new_tags(call)?;
    if let Some(id) = state.tokens.replay(call, KIND, |id| state.networks.place(id).is_some())?
        && let Some(network) = state.networks.get(&id)
    {
        return Ok(created(network));
    }
    call.admit(&state.networks, call.settings.service_networks.0)?;
    let (id, arn) = state.name::<ServiceNetwork>(call);
    let sharing = call.input.get("sharingConfig").map(|sharing| sharing["enabled"].as_bool().unwrap_or(true));
    let network = ServiceNetwork {
        id: id.clone(),
        arn,
        account: call.account.to_owned(),
        name: call.text("name").to_owned(),
        auth: AuthPolicy::of(call.optional_text("authType")),
        sharing,
        tags,
        life: Life::at(call.now),
    };
    let answer = created(&network);
    state.networks.insert(id.clone(), network);
    state.tokens.remember(call, &id);
    Ok(answer)
}

pub(super) fn get(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let network: &ServiceNetwork = state.visible(call, IDENTIFIER)?;
    let mut answer = created(network);
    answer["createdAt"] = json!(call.iso(network.life.created));
    answer["lastUpdatedAt"] = json!(call.iso(network.life.updated));
    answer["numberOfAssociatedVPCs"] = json!(vpcs(state, network));
    answer["numberOfAssociatedServices"] = json!(services(state, network));
    Ok(answer)
}

pub(super) fn list(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let start = page::start(call)?;
    let networks = state.networks.after(start, call.settings.list_order);
    let networks = networks.filter(|(_, network)| state.sees(call.account, *network));
    Ok(page::page(call, networks, |network| {
        json!({
            "id": network.id,
            "name": network.name,
            "arn": network.arn,
            "createdAt": call.iso(network.life.created),
            "lastUpdatedAt": call.iso(network.life.updated),
            "numberOfAssociatedVPCs": vpcs(state, network),
            "numberOfAssociatedServices": services(state, network),
            "numberOfAssociatedResourceConfigurations": configurations(state, network),
        })
    }))
}

pub(super) fn update(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let network: &mut ServiceNetwork = state.own_mut(call, IDENTIFIER)?;
    network.auth.iam = call.text("authType") == "AWS_IAM";
    network.life.updated = call.now;
    Ok(json!({
        "id": network.id,
        "name": network.name,
        "arn": network.arn,
        "authType": network.auth.auth_type(),
    }))
}

pub(super) fn delete(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let network: &ServiceNetwork = match (state.own(call, IDENTIFIER), call.settings.delete_after_gone) {
        (Err(refusal), GoneAnswer::Success) if refusal.is_not_found() => return Ok(json!({})),
        (found, _) => found?,
    };
    let (id, arn) = (network.id.clone(), network.arn.clone());
    let refuse = |what: &str| {
        let message = format!("ServiceNetwork {id} has {what}(s) associated.");
        Err(call.conflict(KIND, &id, message))
    };
    if services(state, network) > 0 || configurations(state, network) > 0 {
        return refuse("resource");
    }
    if vpcs(state, network) > 0 {
        return refuse("VPC");
    }
    let named = |name: &str| name == id || name == arn || name == network.name;
    if call.surroundings.vpc_endpoints.iter().any(|end| end.service_network.as_deref().is_some_and(named)) {
        return refuse("VPC endpoint");
    }
    state.networks.remove(&id);
    state.forget(&arn);
    Ok(json!({}))
}

/// The answer to creation, and what the answer to Get begins with.
fn created(network: &ServiceNetwork) -> Value {
    object([
        ("id", Some(json!(network.id))),
        ("name", Some(json!(network.name))),
        ("arn", Some(json!(network.arn))),
        ("authType", Some(json!(network.auth.auth_type()))),
        ("sharingConfig", network.sharing.map(|enabled| json!({"enabled": enabled}))),
    ])
}

fn vpcs(state: &State, network: &ServiceNetwork) -> usize {
    state.vpc_associations.rows().filter(|association| association.network == network.id).count()
}

fn services(state: &State, network: &ServiceNetwork) -> usize {
    state.service_associations.rows().filter(|association| association.network == network.id).count()
}

fn configurations(state: &State, network: &ServiceNetwork) -> usize {
    state.resource_associations.rows().filter(|association| association.network == network.id).count()
}
