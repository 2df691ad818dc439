//! Listeners: create, get, list, update, delete.

use serde_json::{Value, json};

use crate::error::{Refusal, ResourceType};
use crate::settings::choice::{ChildrenWhileCreating, DefaultPort, GoneAnswer};
use crate::state::service::{Listener, ListenerProtocol, Rule, Service};
use crate::state::table::Table;
use crate::state::{State, Tags, page};

use super::rules::{check_groups_quota, read_action, replace_action};
use super::tags::new_tags;
use super::{Call, object};

const KIND: ResourceType = ResourceType::Listener;

pub(super) fn create(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let tags = new_tags(call)?;
    let protocol = ListenerProtocol::parse(call.text("protocol"))
        .ok_or_else(|| Refusal::field("protocol", "must be a protocol of listeners"))?;
    let service = own_service(state, call)?;
    refuse_if_busy(call, service)?;
    if let Some(id) = state.tokens.replay(call, KIND, |id| service.listeners.place(id).is_some())?
        && let Some(listener) = service.listeners.get(&id)
    {
        return Ok(changed(service, listener));
    }
    let port = match (call.input.get("port").and_then(Value::as_u64), protocol, call.settings.default_port) {
        (Some(port), _, _) => u16::try_from(port).unwrap_or_default(),
        (None, _, DefaultPort::Required) => return Err(Refusal::field("port", "must be present")),
        (None, ListenerProtocol::Http, DefaultPort::ByProtocol) => 80,
        (None, _, DefaultPort::ByProtocol) => 443,
    };
    refuse_duplicate(call, service, port)?;
    if protocol == ListenerProtocol::TlsPassthrough && service.custom_domain.is_none() {
        let message = "TLS_PASSTHROUGH needs a service with a custom domain name";
        return Err(Refusal::field("protocol", message));
    }
    let given = call.input.get("defaultAction").unwrap_or(&Value::Null);
    let action = read_action(state, call, &service.id, protocol, given, "defaultAction")?;
    if service.listeners.len() >= call.settings.listeners_per_service.0 {
        let message = format!(
            "The limit of {} listeners per service is reached.",
            call.settings.listeners_per_service.0
        );
        return Err(Refusal::quota(call.settings, KIND, None, message));
    }
    check_groups_quota(call, service, &[], &action.groups())?;

    let service_id = service.id.clone();
    let service_arn = service.arn.clone();
    let id = state.new_id("listener-");
    let rule_id = state.new_id("rule-");
    let arn = format!("{service_arn}/listener/{id}");
    let groups = action.groups();
    let mut rules = Table::default();
    rules.insert(
        rule_id.clone(),
        Rule {
            arn: format!("{arn}/rule/{rule_id}"),
            id: rule_id.clone(),
            name: "default".to_owned(),
            priority: None,
            matches: None,
            action,
            tags: Tags::new(),
            created: call.now,
            updated: call.now,
        },
    );
    let listener = Listener {
        arn,
        name: call.text("name").to_owned(),
        protocol,
        port,
        tags,
        created: call.now,
        updated: call.now,
        rules,
        id: id.clone(),
    };
    state.acquire(&service_id, &groups, call.now, call.settings);
    let service = own_service_mut(state, call)?;
    let answer = changed(service, &listener);
    service.listeners.insert(id.clone(), listener);
    state.tokens.remember(call, &id);
    Ok(answer)
}

fn refuse_duplicate(call: &Call<'_>, service: &Service, port: u16) -> Result<(), Refusal> {
    let name = call.text("name");
    for other in service.listeners.rows() {
        let (answer, member, message) = if other.name == name {
            let message = format!("The service has a listener with the name {name} already.");
            (call.settings.duplicate_name, "name", message)
        } else if other.port == port {
            let message = format!("The service has a listener on port {port} already.");
            (call.settings.duplicate_port, "port", message)
        } else {
            continue;
        };
        return Err(call.duplicate(answer, KIND, &other.id, member, message));
    }
    Ok(())
}

pub(super) fn get(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let (service, listener) = find(state, call)?;
    let mut answer = changed(service, listener);
    answer["createdAt"] = json!(call.iso(listener.created));
    answer["lastUpdatedAt"] = json!(call.iso(listener.updated));
    Ok(answer)
}

pub(super) fn list(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let service = own_service(state, call)?;
    let start = page::start(call)?;
    Ok(page::page(call, service.listeners.after(start, call.settings.list_order), |listener| {
        json!({
            "arn": listener.arn,
            "id": listener.id,
            "name": listener.name,
            "protocol": listener.protocol.text(),
            "port": listener.port,
            "createdAt": call.iso(listener.created),
            "lastUpdatedAt": call.iso(listener.updated),
        })
    }))
}

pub(super) fn update(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let (service, listener) = find(state, call)?;
    refuse_if_busy(call, service)?;
    let given = call.input.get("defaultAction").unwrap_or(&Value::Null);
    let action = read_action(state, call, &service.id, listener.protocol, given, "defaultAction")?;
    let default = listener.rules.rows().find(|rule| rule.is_default());
    let old = default.map(|rule| rule.action.groups()).unwrap_or_default();
    let rule_id = default.map(|rule| rule.id.clone()).unwrap_or_default();
    check_groups_quota(call, service, &[rule_id.as_str()], &action.groups())?;
    let (service_id, listener_id) = (service.id.clone(), listener.id.clone());
    replace_action(state, call, &service_id, &old, &action.groups());
    let listener = own_service_mut(state, call)?.listeners.get_mut(&listener_id);
    let listener = listener.ok_or_else(|| call.not_found(KIND, &listener_id))?;
    listener.updated = call.now;
    if let Some(rule) = listener.rules.get_mut(&rule_id) {
        rule.action = action;
        rule.updated = call.now;
    }
    find(state, call).map(|(service, listener)| changed(service, listener))
}

pub(super) fn delete(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let found = find(state, call);
    if let (Err(_), GoneAnswer::Success, Ok(_)) =
        (&found, call.settings.delete_after_gone, own_service(state, call))
    {
        return Ok(json!({}));
    }
    let (service, listener) = found?;
    refuse_if_busy(call, service)?;
    let (service_id, id) = (service.id.clone(), listener.id.clone());
    let groups: Vec<Vec<String>> = listener.rules.rows().map(|rule| rule.action.groups()).collect();
    for groups in groups {
        state.release(&service_id, &groups);
    }
    own_service_mut(state, call)?.listeners.remove(&id);
    Ok(json!({}))
}

/// The service that the call names, if the account has it.
pub(super) fn own_service<'a>(state: &'a State, call: &Call<'_>) -> Result<&'a Service, Refusal> {
    state.own(call, "serviceIdentifier")
}

/// As [`own_service`], to change it.
pub(super) fn own_service_mut<'a>(state: &'a mut State, call: &Call<'_>) -> Result<&'a mut Service, Refusal> {
    state.own_mut(call, "serviceIdentifier")
}

/// The listener that the call names, with its service.
pub(super) fn find<'a>(state: &'a State, call: &Call<'_>) -> Result<(&'a Service, &'a Listener), Refusal> {
    let service = own_service(state, call)?;
    let id = call.id("listenerIdentifier", KIND)?;
    let listener = service.listeners.get(id).ok_or_else(|| call.not_found(KIND, id))?;
    Ok((service, listener))
}

/// Refuses changes of what belongs to a service that is being deleted or, if so set, created.
pub(super) fn refuse_if_busy(call: &Call<'_>, service: &Service) -> Result<(), Refusal> {
    let status = service.life.status(call.now);
    let allowed = match call.settings.children_while_creating {
        ChildrenWhileCreating::Allowed => status != "DELETE_IN_PROGRESS",
        ChildrenWhileCreating::Conflict => status == "ACTIVE",
    };
    if allowed { Ok(()) } else { Err(call.busy(service)) }
}

/// The answer to creation and update.
fn changed(service: &Service, listener: &Listener) -> Value {
    object([
        ("arn", Some(json!(listener.arn))),
        ("id", Some(json!(listener.id))),
        ("name", Some(json!(listener.name))),
        ("protocol", Some(json!(listener.protocol.text()))),
        ("port", Some(json!(listener.port))),
        ("serviceArn", Some(json!(service.arn))),
        ("serviceId", Some(json!(service.id))),
        ("defaultAction", Some(listener.default_action())),
    ])
}
