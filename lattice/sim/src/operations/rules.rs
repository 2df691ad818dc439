//! Rules: create, get, list, update, batch update, delete.

mod action;
mod change;

use serde_json::{Value, json};

pub(super) use action::{check_groups_quota, read_action, read_match};
pub(super) use change::{batch_update, replace_action, update};

use crate::error::{Refusal, ResourceType};
use crate::settings::choice::{DefaultRule, GoneAnswer};
use crate::state::service::{Listener, ListenerProtocol, Rule};
use crate::state::{State, page};

use super::listeners::{find as find_listener, own_service_mut, refuse_if_busy};
use super::tags::new_tags;
use super::{Call, object};

const KIND: ResourceType = ResourceType::Rule;

/// The place of the default rule in a list: behind every priority.
const DEFAULT_PLACE: u64 = 1_000_000;

pub(super) fn create(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let tags = new_tags(call)?;
    let (service, listener) = find_listener(state, call)?;
    refuse_if_busy(call, service)?;
    if let Some(id) = state.tokens.replay(call, KIND, |id| listener.rules.place(id).is_some())?
        && let Some(rule) = listener.rules.get(&id)
    {
        return Ok(created(rule));
    }
    if listener.protocol == ListenerProtocol::TlsPassthrough {
        let message = "A TLS_PASSTHROUGH listener has the default rule only.";
        return Err(Refusal::invalid("other", message));
    }
    let name = call.text("name");
    let priority = call.input.get("priority").and_then(Value::as_u64).unwrap_or_default();
    let priority = u16::try_from(priority).unwrap_or_default();
    if let Some(other) = listener.rules.rows().find(|other| other.name == name) {
        let message = format!("The listener has a rule with the name {name} already.");
        return Err(call.duplicate(call.settings.duplicate_name, KIND, &other.id, "name", message));
    }
    if let Some(other) = listener.rules.rows().find(|other| other.priority == Some(priority)) {
        return Err(duplicate_priority(call, &other.id, priority));
    }
    let given = call.input.get("action").unwrap_or(&Value::Null);
    let action = read_action(state, call, &service.id, listener.protocol, given, "action")?;
    // The default rule does not count.
    if listener.rules.len() > call.settings.rules_per_listener.0 {
        let message =
            format!("The limit of {} rules per listener is reached.", call.settings.rules_per_listener.0);
        return Err(Refusal::quota(call.settings, KIND, None, message));
    }
    check_groups_quota(call, service, &[], &action.groups())?;

    let (service_id, listener_id) = (service.id.clone(), listener.id.clone());
    let listener_arn = listener.arn.clone();
    let id = state.new_id("rule-");
    let rule = Rule {
        arn: format!("{listener_arn}/rule/{id}"),
        name: name.to_owned(),
        priority: Some(priority),
        matches: call.input.get("match").map(read_match),
        action,
        tags,
        created: call.now,
        updated: call.now,
        id: id.clone(),
    };
    let answer = created(&rule);
    state.acquire(&service_id, &rule.action.groups(), call.now, call.settings);
    let listener = own_service_mut(state, call)?.listeners.get_mut(&listener_id);
    if let Some(listener) = listener {
        listener.rules.insert(id.clone(), rule);
    }
    state.tokens.remember(call, &id);
    Ok(answer)
}

pub(super) fn get(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let (_, listener) = find_listener(state, call)?;
    let rule = find(call, listener)?;
    Ok(object([
        ("arn", Some(json!(rule.arn))),
        ("id", Some(json!(rule.id))),
        ("name", shown_name(call, rule)),
        ("isDefault", Some(json!(rule.is_default()))),
        ("match", rule.matches.clone()),
        ("priority", rule.priority.map(Value::from)),
        ("action", Some(rule.action.0.clone())),
        ("createdAt", Some(json!(call.iso(rule.created)))),
        ("lastUpdatedAt", Some(json!(call.iso(rule.updated)))),
    ]))
}

pub(super) fn list(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let (_, listener) = find_listener(state, call)?;
    let start = page::start(call)?;
    let place = |rule: &Rule| rule.priority.map_or(DEFAULT_PLACE, u64::from);
    let mut rules: Vec<(u64, &Rule)> = listener.rules.rows().map(|rule| (place(rule), rule)).collect();
    rules.sort_by_key(|(place, _)| *place);
    let rules = rules.into_iter().filter(|(place, _)| start.is_none_or(|start| *place > start));
    Ok(page::page(call, rules, |rule| {
        object([
            ("arn", Some(json!(rule.arn))),
            ("id", Some(json!(rule.id))),
            ("name", shown_name(call, rule)),
            ("isDefault", Some(json!(rule.is_default()))),
            ("priority", rule.priority.map(Value::from)),
            ("createdAt", Some(json!(call.iso(rule.created)))),
            ("lastUpdatedAt", Some(json!(call.iso(rule.updated)))),
        ])
    }))
}

pub(super) fn delete(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let (service, listener) = find_listener(state, call)?;
    refuse_if_busy(call, service)?;
    let rule = match (find(call, listener), call.settings.delete_after_gone) {
        (Err(_), GoneAnswer::Success) => return Ok(json!({})),
        (found, _) => found?,
    };
    if rule.is_default() {
        return Err(Refusal::invalid("other", "The default rule can't be deleted."));
    }
    let (service_id, listener_id, id) = (service.id.clone(), listener.id.clone(), rule.id.clone());
    let groups = rule.action.groups();
    if let Some(listener) = own_service_mut(state, call)?.listeners.get_mut(&listener_id) {
        listener.rules.remove(&id);
    }
    state.release(&service_id, &groups);
    Ok(json!({}))
}

fn find<'a>(call: &Call<'_>, listener: &'a Listener) -> Result<&'a Rule, Refusal> {
    let id = call.id("ruleIdentifier", KIND)?;
    listener.rules.get(id).ok_or_else(|| call.not_found(KIND, id))
}

fn duplicate_priority(call: &Call<'_>, other: &str, priority: u16) -> Refusal {
    let message = format!("The listener has a rule with the priority {priority} already.");
    call.duplicate(call.settings.duplicate_priority, KIND, other, "priority", message)
}

/// The name as it is echoed.
fn shown_name(call: &Call<'_>, rule: &Rule) -> Option<Value> {
    let nameless = rule.is_default() && call.settings.default_rule == DefaultRule::Nameless;
    (!nameless).then(|| json!(rule.name))
}

/// The answer to creation and update.
fn created(rule: &Rule) -> Value {
    object([
        ("arn", Some(json!(rule.arn))),
        ("id", Some(json!(rule.id))),
        ("name", Some(json!(rule.name))),
        ("match", rule.matches.clone()),
        ("priority", rule.priority.map(Value::from)),
        ("action", Some(rule.action.0.clone())),
    ])
}
