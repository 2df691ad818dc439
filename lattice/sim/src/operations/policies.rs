//! Auth policies of services and service networks, and resource policies: put, get, delete.

use serde_json::{Value, json};

use crate::error::{Refusal, ResourceType};
use crate::settings::choice::{GoneAnswer, OversizePolicy};
use crate::state::network::ServiceNetwork;
use crate::state::policy::{AuthPolicy, PolicyText};
use crate::state::resource::Resource;
use crate::state::service::Service;
use crate::state::{State, arn};

use super::Call;

const RESOURCE: &str = "resourceIdentifier";
const RESOURCE_ARN: &str = "resourceArn";

/// Most bytes of an auth policy. Source: VPC Lattice quotas, 10 KB, which can't be raised.
const MOST_AUTH_POLICY: usize = 10 * 1024;

pub(super) fn put_auth(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let text = call.text("policy");
    if text.len() > MOST_AUTH_POLICY && call.settings.oversize_auth_policy == OversizePolicy::Validation {
        let message = format!("must be at most {MOST_AUTH_POLICY} bytes long, it is {}", text.len());
        return Err(Refusal::field("policy", message));
    }
    check_auth_policy(text)?;
    let auth = auth_mut(state, call)?;
    let created = auth.policy.as_ref().map_or(call.now, |policy| policy.created);
    auth.policy = Some(PolicyText { text: text.to_owned(), created, updated: call.now });
    Ok(json!({"policy": text, "state": auth.state()}))
}

/// Refuses a text that is no auth policy.
fn check_auth_policy(text: &str) -> Result<(), Refusal> {
    match lattice::policy::Policy::resource(text) {
        Ok(_) => Ok(()),
        Err(error) => Err(Refusal::field("policy", error.to_string())),
    }
}

pub(super) fn get_auth(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let auth = auth_mut(state, call)?;
    let Some(policy) = &auth.policy else {
        return Err(call.not_found(ResourceType::AuthPolicy, call.text(RESOURCE)));
    };
    Ok(json!({
        "policy": policy.text,
        "state": auth.state(),
        "createdAt": call.iso(policy.created),
        "lastUpdatedAt": call.iso(policy.updated),
    }))
}

pub(super) fn delete_auth(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let found = auth_mut(state, call)?.policy.take();
    if found.is_none() && call.settings.delete_after_gone == GoneAnswer::NotFound {
        return Err(call.not_found(ResourceType::AuthPolicy, call.text(RESOURCE)));
    }
    Ok(json!({}))
}

/// The policy's place in the service or service network that the call names.
fn auth_mut<'a>(state: &'a mut State, call: &Call<'_>) -> Result<&'a mut AuthPolicy, Refusal> {
    let identifier = call.text(RESOURCE);
    let id = arn::last_part(identifier);
    if id.starts_with("svc-") {
        let service: &mut Service = state.own_mut(call, RESOURCE)?;
        Ok(&mut service.auth)
    } else if id.starts_with("sn-") {
        let network: &mut ServiceNetwork = state.own_mut(call, RESOURCE)?;
        Ok(&mut network.auth)
    } else {
        Err(Refusal::field(RESOURCE, "must name a service or a service network"))
    }
}

pub(super) fn put_resource(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let resource = shareable(state, call)?;
    let policy = call.text("policy");
    if !serde_json::from_str::<Value>(policy).is_ok_and(|policy| policy.is_object()) {
        return Err(Refusal::field("policy", "is not a JSON object"));
    }
    state.resource_policies.insert(resource, policy.to_owned());
    Ok(json!({}))
}

pub(super) fn get_resource(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let resource = shareable(state, call)?;
    match state.resource_policies.get(&resource) {
        Some(policy) => Ok(json!({"policy": policy})),
        None => Err(call.not_found(ResourceType::ResourcePolicy, &resource)),
    }
}

pub(super) fn delete_resource(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let resource = shareable(state, call)?;
    let found = state.resource_policies.remove(&resource);
    if found.is_none() && call.settings.delete_after_gone == GoneAnswer::NotFound {
        return Err(call.not_found(ResourceType::ResourcePolicy, &resource));
    }
    Ok(json!({}))
}

/// The ARN of the resource that the call names: one of the kinds that can be shared, and the caller's own.
fn shareable(state: &State, call: &Call<'_>) -> Result<String, Refusal> {
    fn of<T: Resource>(state: &State, call: &Call<'_>) -> Result<String, Refusal> {
        state.own::<T>(call, RESOURCE_ARN).map(|row| row.arn().to_owned())
    }
    let id = arn::last_part(call.text(RESOURCE_ARN));
    if id.starts_with("svc-") {
        of::<Service>(state, call)
    } else if id.starts_with("sn-") {
        of::<ServiceNetwork>(state, call)
    } else {
        of::<crate::state::backend::ResourceConfiguration>(state, call)
    }
}
