//! Tags: list, tag, untag, and the tags given at creation.

use lattice::limits::TAGS_PER_RESOURCE;
use serde_json::{Value, json};

use crate::error::{Refusal, ResourceType};
use crate::state::{State, Tags, arn};

use super::Call;

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
fn tags_of<'a>(state: &'a mut State, call: &Call<'_>) -> Result<&'a mut Tags, Refusal> {
    let resource = call.text("resourceArn");
    let parts: Vec<&str> =
        arn::path(resource, call.region, call.account).into_iter().flat_map(|path| path.split('/')).collect();
    let (kind, found) = match parts[..] {
        ["targetgroup", id] => (
            ResourceType::TargetGroup,
            state
                .groups
                .get_mut(id)
                .filter(|group| group.account == call.account.id)
                .map(|group| &mut group.tags),
        ),
        ["service", service, ref rest @ ..] => {
            let service =
                state.services.get_mut(service).filter(|service| service.account == call.account.id);
            match *rest {
                [] => (ResourceType::Service, service.map(|service| &mut service.tags)),
                ["listener", listener] => (
                    ResourceType::Listener,
                    service
                        .and_then(|service| service.listeners.get_mut(listener))
                        .map(|listener| &mut listener.tags),
                ),
                ["listener", listener, "rule", rule] => (
                    ResourceType::Rule,
                    service
                        .and_then(|service| service.listeners.get_mut(listener)?.rules.get_mut(rule))
                        .map(|rule| &mut rule.tags),
                ),
                _ => (ResourceType::Resource, None),
            }
        }
        _ => (ResourceType::Resource, None),
    };
    found.ok_or_else(|| call.not_found(kind, resource))
}
