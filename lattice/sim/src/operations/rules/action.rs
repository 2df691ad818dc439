//! Actions and matches of rules: what the model does not check, and the defaults filled in.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::error::{Refusal, ResourceType};
use crate::operations::Call;
use crate::settings::choice::FixedStatus;
use crate::state::service::{Action, ListenerProtocol, Service};
use crate::state::target_group::Protocol;
use crate::state::{State, arn};

/// Checks an action for a rule of `service` and fills in what it leaves out. `at` is its name in the request.
pub(crate) fn read_action(
    state: &State,
    call: &Call<'_>,
    service: &str,
    protocol: ListenerProtocol,
    given: &Value,
    at: &str,
) -> Result<Action, Refusal> {
    if let Some(fixed) = given.get("fixedResponse") {
        let status = fixed["statusCode"].as_u64().unwrap_or_default();
        if !matches!(status, 404 | 500) && call.settings.unsupported_fixed_status == FixedStatus::Validation {
            return Err(Refusal::field(&format!("{at}.fixedResponse.statusCode"), "must be 404 or 500"));
        }
        if protocol == ListenerProtocol::TlsPassthrough {
            let message = "a TLS_PASSTHROUGH listener must forward to a target group";
            return Err(Refusal::field(&format!("{at}.fixedResponse"), message));
        }
        return Ok(Action(json!({"fixedResponse": {"statusCode": status}})));
    }
    let mut seen = HashSet::new();
    let mut groups = Vec::new();
    for (n, group) in given["forward"]["targetGroups"].as_array().into_iter().flatten().enumerate() {
        let at = format!("{at}.forward.targetGroups[{n}].targetGroupIdentifier");
        let identifier = group["targetGroupIdentifier"].as_str().unwrap_or_default();
        let id = group_to_forward_to(state, call, service, protocol, identifier, &at)?;
        let weight = group["weight"].as_u64().unwrap_or(call.settings.default_weight.0 as u64);
        if !seen.insert(id.clone()) {
            return Err(Refusal::field(&at, "names a target group that stands in the action already"));
        }
        groups.push(json!({"targetGroupIdentifier": id, "weight": weight}));
    }
    Ok(Action(json!({"forward": {"targetGroups": groups}})))
}

/// The id of a group that a rule of `service` may forward to.
fn group_to_forward_to(
    state: &State,
    call: &Call<'_>,
    service: &str,
    protocol: ListenerProtocol,
    identifier: &str,
    at: &str,
) -> Result<String, Refusal> {
    let kind = ResourceType::TargetGroup;
    let group = arn::id(identifier, call.region, call.account)
        .and_then(|id| state.groups.get(id))
        .filter(|group| group.account == call.account)
        .ok_or_else(|| call.not_found(kind, identifier))?;
    if group.life.deleting(call.now) {
        return Err(call.busy(group));
    }
    if let Some(other) = group.services().find(|other| *other != service) {
        let message =
            format!("Target group {} is used by service {other}, and can be used by one only.", group.id);
        return Err(call.conflict(kind, &group.id, message));
    }
    let passthrough = protocol == ListenerProtocol::TlsPassthrough;
    if passthrough != (group.config.protocol == Some(Protocol::Tcp)) {
        let message = if passthrough {
            "must be a target group of protocol TCP, as the listener passes TLS through"
        } else {
            "must not be a target group of protocol TCP"
        };
        return Err(Refusal::field(at, message));
    }
    Ok(group.id.clone())
}

/// Refuses more groups per service than the quota allows, when these rules' groups are replaced by `new`.
pub(crate) fn check_groups_quota(
    call: &Call<'_>,
    service: &Service,
    replaced: &[&str],
    new: &[String],
) -> Result<(), Refusal> {
    let quota = call.settings.target_groups_per_service.0;
    let kept = service
        .listeners
        .rows()
        .flat_map(|listener| listener.rules.rows())
        .filter(|rule| !replaced.contains(&rule.id.as_str()))
        .flat_map(|rule| rule.action.groups());
    let all: HashSet<String> = kept.chain(new.iter().cloned()).collect();
    if all.len() <= quota {
        return Ok(());
    }
    let message = format!("The limit of {quota} target groups per service is reached.");
    Err(Refusal::quota(call.settings, ResourceType::TargetGroup, Some(&service.id), message))
}

/// A match with its defaults filled in: paths are compared case-sensitively, headers are not.
pub(crate) fn read_match(given: &Value) -> Value {
    let mut filled = given.clone();
    let http = &mut filled["httpMatch"];
    if let Some(path) = http.get_mut("pathMatch").and_then(Value::as_object_mut) {
        path.entry("caseSensitive").or_insert(json!(true));
    }
    for header in http.get_mut("headerMatches").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(header) = header.as_object_mut() {
            header.entry("caseSensitive").or_insert(json!(false));
        }
    }
    filled
}
