//! Resource gateways: create, get, list, update, delete.

use serde_json::{Value, json};

use crate::error::{Refusal, ResourceType};
use crate::state::backend::ResourceGateway;
use crate::state::life::Life;
use crate::state::resource::Resource as _;
use crate::state::{End, State, arn, page};

use super::tags::new_tags;
use super::{Call, delete as delete_resource, object};

const KIND: ResourceType = ResourceType::ResourceGateway;
const IDENTIFIER: &str = "resourceGatewayIdentifier";

pub(super) fn create(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let tags = new_tags(call)?;
    if let Some(id) = state.tokens.replay(call, KIND, |id| state.gateways.place(id).is_some())?
        && let Some(gateway) = state.gateways.get(&id)
    {
        return Ok(created(call, gateway));
    }
    // The model leaves both open, since gateways that AWS manages have neither.
    let Some(vpc) = call.optional_text("vpcIdentifier") else {
        return Err(Refusal::field("vpcIdentifier", "must be present"));
    };
    if !call.surroundings.has_vpc(vpc) {
        return Err(Refusal::field("vpcIdentifier", format!("{vpc} does not exist")));
    }
    let subnets = call.texts("subnetIds");
    if subnets.is_empty() {
        return Err(Refusal::field("subnetIds", "must name at least one subnet"));
    }
    let ip_address_type = call.optional_text("ipAddressType").unwrap_or("IPV4").to_owned();
    let addresses_per_eni = call.number("ipv4AddressesPerEni");
    if addresses_per_eni.is_some() && ip_address_type == "IPV6" {
        return Err(Refusal::field("ipv4AddressesPerEni", "is not allowed for the address type IPV6"));
    }
    call.admit(&state.gateways, usize::MAX)?;
    let own = state.gateways.rows().filter(|row| row.account == call.account && row.vpc == vpc).count();
    let quota = call.settings.gateways_per_vpc.0;
    if own >= quota {
        let message = format!("The limit of {quota} resource gateways per VPC is reached.");
        return Err(call.quota(KIND, message));
    }
    let (id, arn) = state.name::<ResourceGateway>(call);
    let gateway = ResourceGateway {
        id: id.clone(),
        arn,
        account: call.account.to_owned(),
        name: call.text("name").to_owned(),
        vpc: vpc.to_owned(),
        subnets,
        security_groups: call.texts("securityGroupIds"),
        ip_address_type,
        addresses_per_eni,
        dns_resolution: call.optional_text("resourceConfigDnsResolution").unwrap_or("PUBLIC").to_owned(),
        tags,
        life: Life::begin(call, call.settings.gateway_create.0),
    };
    let answer = created(call, &gateway);
    state.gateways.insert(id.clone(), gateway);
    state.tokens.remember(call, &id);
    Ok(answer)
}

pub(super) fn get(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let gateway: &ResourceGateway = state.visible(call, IDENTIFIER)?;
    let mut answer = with_vpc("vpcId", call, gateway);
    answer["serviceManaged"] = json!(false);
    answer["createdAt"] = json!(call.iso(gateway.life.created));
    answer["lastUpdatedAt"] = json!(call.iso(gateway.life.updated));
    Ok(answer)
}

pub(super) fn list(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let start = page::start(call)?;
    let gateways = state.gateways.after(start, call.settings.list_order);
    let gateways = gateways.filter(|(_, gateway)| state.sees(call.account, *gateway));
    Ok(page::page(call, gateways, |gateway| {
        let mut item = created(call, gateway);
        item["createdAt"] = json!(call.iso(gateway.life.created));
        item["lastUpdatedAt"] = json!(call.iso(gateway.life.updated));
        item
    }))
}

pub(super) fn update(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let gateway: &mut ResourceGateway = state.own_mut(call, IDENTIFIER)?;
    if gateway.life.busy(call.now) {
        return Err(call.busy(gateway));
    }
    if call.input.contains_key("securityGroupIds") {
        gateway.security_groups = call.texts("securityGroupIds");
    }
    if let Some(resolution) = call.optional_text("resourceConfigDnsResolution") {
        resolution.clone_into(&mut gateway.dns_resolution);
    }
    gateway.life.update(call, call.settings.gateway_update.0);
    let mut answer = with_vpc("vpcId", call, gateway);
    if let Some(members) = answer.as_object_mut() {
        members.remove("ipv4AddressesPerEni");
        // The model's enumeration of this one answer has no DUALSTACK.
        if gateway.ip_address_type == "DUALSTACK" {
            members.remove("ipAddressType");
        }
    }
    Ok(answer)
}

pub(super) fn delete(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let refuse = |state: &State, gateway: &ResourceGateway| {
        let id = &gateway.id;
        if state.configurations.rows().any(|configuration| configuration.gateway.as_ref() == Some(id)) {
            let message = format!("Resource gateway {id} is used by a resource configuration.");
            return Err(call.conflict(KIND, id, message));
        }
        Ok(())
    };
    let takes = call.settings.gateway_delete.0;
    let end = |id| End::ResourceGateway { id };
    let found = delete_resource::<ResourceGateway>(state, call, IDENTIFIER, takes, end, refuse)?;
    let Some(gateway) = found.and_then(|id| state.gateways.get(&id)) else {
        let id = arn::last_part(call.text(IDENTIFIER));
        let path = format!("{}/{id}", ResourceGateway::PATH);
        let arn = arn::arn(call.region, call.account, &path);
        return Ok(json!({"id": id, "arn": arn, "status": "DELETE_IN_PROGRESS"}));
    };
    Ok(json!({
        "id": gateway.id,
        "arn": gateway.arn,
        "name": gateway.name,
        "status": gateway.life.status(call.now),
    }))
}

/// The answer to creation, and what an item of a list begins with.
fn created(call: &Call<'_>, gateway: &ResourceGateway) -> Value {
    with_vpc("vpcIdentifier", call, gateway)
}

/// Create and List name the VPC otherwise than Get and Update do.
fn with_vpc(vpc: &'static str, call: &Call<'_>, gateway: &ResourceGateway) -> Value {
    object([
        ("id", Some(json!(gateway.id))),
        ("arn", Some(json!(gateway.arn))),
        ("name", Some(json!(gateway.name))),
        ("status", Some(json!(gateway.life.status(call.now)))),
        (vpc, Some(json!(gateway.vpc))),
        ("subnetIds", Some(json!(gateway.subnets))),
        ("securityGroupIds", Some(json!(gateway.security_groups))),
        ("ipAddressType", Some(json!(gateway.ip_address_type))),
        ("ipv4AddressesPerEni", gateway.addresses_per_eni.map(Value::from)),
        ("resourceConfigDnsResolution", Some(json!(gateway.dns_resolution))),
    ])
}
