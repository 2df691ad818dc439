//! Tags: list, tag, untag, and the tags given at creation.

use lattice::limits::TAGS_PER_RESOURCE;
use serde_json::{Value, json};

use crate::error::Refusal;
use crate::state::tagged::kind_of;
use crate::state::{State, Tags};

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
///
/// What is shared with the account, or made by another one with something of the account's, can be seen; its tags
/// can't.
fn tags_of<'a>(state: &'a mut State, call: &Call<'_>) -> Result<&'a mut Tags, Refusal> {
    let resource = call.text("resourceArn");
    if state.owner_of(resource).is_some_and(|owner| owner != call.account) {
        let seen = state.shares.holds(resource, call.account) || resource.contains("association/");
        return Err(if seen { call.denied(resource) } else { call.not_found(kind_of(resource), resource) });
    }
    state.tags_mut(call.account, resource).ok_or_else(|| call.not_found(kind_of(resource), resource))
}
