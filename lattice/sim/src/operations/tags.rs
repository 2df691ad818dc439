//! Tags: list, tag, untag, and the tags given at creation.

use lattice::limits::TAGS_PER_RESOURCE;
use serde_json::{Value, json};

use crate::error::{Refusal, ResourceType};
use crate::state::backend::{
    AccessLogSubscription, DomainVerification, EndpointAssociation, ResourceConfiguration, ResourceGateway,
};
use crate::state::network::{ResourceAssociation, ServiceAssociation, ServiceNetwork, VpcAssociation};
use crate::state::resource::Resource;
use crate::state::service::Service;
use crate::state::target_group::TargetGroup;
use crate::state::{State, Tags, arn};

use super::Call;

const ARN: &str = "resourceArn";

pub(super) fn list(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    Ok(json!({"tags": tags_of(state, call)?}))
}

pub(super) fn tag(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let new = new_tags(call)?;
    let tags = tags_of(state, call)?;
    let added = new.keys().filter(|key| !tags.contains_key(*key)).count();
    if tags.len() + added > TAGS_PER_RESOURCE {
        return Err(Refusal::field(
            "tags",
            format!("would give the resource more than {TAGS_PER_RESOURCE} tags"),
        ));
    }
    tags.extend(new);
    Ok(json!({}))
}

pub(super) fn untag(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let tags = tags_of(state, call)?;
    for key in
        call.input.get("tagKeys").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    {
        tags.remove(key);
    }
    Ok(json!({}))
}

/// The tags in a request.
pub(super) fn new_tags(call: &Call<'_>) -> Result<Tags, Refusal> {
    let given = call.input.get("tags").and_then(Value::as_object);
    let mut tags = Tags::new();
    for (key, value) in given.into_iter().flatten() {
        let value = value.as_str().unwrap_or_default();
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(Refusal::field(&format!("tags.{key}"), "must not start with aws:"));
        }
        let allowed = |c: char| c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c);
        if !key.chars().chain(value.chars()).all(allowed) {
            let message = "may hold letters, digits, white space and _ . : / = + - @ only";
            return Err(Refusal::field(&format!("tags.{key}"), message));
        }
        tags.insert(key.clone(), value.to_owned());
    }
    Ok(tags)
}

/// The tags of the resource that the call names by ARN.
///
/// What is shared with the account, or made by it with something that is another's, can be seen; its tags can't.
fn tags_of<'a>(state: &'a mut State, call: &Call<'_>) -> Result<&'a mut Tags, Refusal> {
    let resource = call.text(ARN);
    let path = resource.splitn(6, ':').nth(5).unwrap_or_default();
    let parts: Vec<&str> = path.split('/').collect();
    match parts[..] {
        ["service", service, "listener", listener, ref rest @ ..] => {
            let kind = if rest.is_empty() { ResourceType::Listener } else { ResourceType::Rule };
            let listener = state
                .services
                .get_mut(service)
                .filter(|service| service.account == call.account)
                .and_then(|service| service.listeners.get_mut(listener));
            let found = match *rest {
                [] => listener.filter(|listener| listener.arn == resource).map(|listener| &mut listener.tags),
                ["rule", rule] => listener
                    .and_then(|listener| listener.rules.get_mut(rule))
                    .filter(|rule| rule.arn == resource)
                    .map(|rule| &mut rule.tags),
                _ => None,
            };
            found.ok_or_else(|| call.not_found(kind, resource))
        }
        [TargetGroup::PATH, _] => own::<TargetGroup>(state, call),
        [Service::PATH, _] => own::<Service>(state, call),
        [ServiceNetwork::PATH, _] => own::<ServiceNetwork>(state, call),
        [ServiceAssociation::PATH, _] => own::<ServiceAssociation>(state, call),
        [VpcAssociation::PATH, _] => own::<VpcAssociation>(state, call),
        [ResourceAssociation::PATH, _] => own::<ResourceAssociation>(state, call),
        [ResourceConfiguration::PATH, _] => own::<ResourceConfiguration>(state, call),
        [ResourceGateway::PATH, _] => own::<ResourceGateway>(state, call),
        [EndpointAssociation::PATH, _] => own::<EndpointAssociation>(state, call),
        [DomainVerification::PATH, _] => own::<DomainVerification>(state, call),
        [AccessLogSubscription::PATH, _] => own::<AccessLogSubscription>(state, call),
        _ => Err(call.not_found(ResourceType::Resource, resource)),
    }
}

fn own<'a, T: Resource + 'a>(state: &'a mut State, call: &Call<'_>) -> Result<&'a mut Tags, Refusal> {
    let resource = call.text(ARN);
    let id = arn::last_part(resource);
    let foreign =
        T::table(state).get(id).filter(|row| row.arn() == resource && row.account() != call.account);
    if foreign.is_some_and(|row| state.sees(call.account, row) || resource.contains("association/")) {
        return Err(call.denied(resource));
    }
    state.own_mut::<T>(call, ARN).map(Resource::tags_mut)
}
