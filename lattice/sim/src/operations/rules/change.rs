//! Changes of rules: one, or several at once.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value, json};

use crate::error::Refusal;
use crate::operations::listeners::{find as find_listener, own_service_mut, refuse_if_busy};
use crate::operations::{Call, object};
use crate::settings::choice::BatchFailure;
use crate::state::service::{Action, Rule};
use crate::state::{State, arn};

use super::{KIND, check_groups_quota, created, duplicate_priority, read_action, read_match, shown_name};

/// `failureCode` of an update that is right in itself but was not made because of another one.
const NOT_APPLIED: &str = "NotApplied";

/// What to change in a rule, in the API's terms.
struct Change<'a> {
    rule: &'a str,
    members: &'a Map<String, Value>,
}

pub(in crate::operations) fn update(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let (service, _) = find_listener(state, call)?;
    refuse_if_busy(call, service)?;
    let change = Change { rule: call.text("ruleIdentifier"), members: call.input };
    let altered = apply(state, call, &[change]).map_err(|(_, refusal)| refusal)?;
    altered.first().map(created).ok_or_else(|| call.not_found(KIND, call.text("ruleIdentifier")))
}

pub(in crate::operations) fn batch_update(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let (service, _) = find_listener(state, call)?;
    refuse_if_busy(call, service)?;
    let given = call.input.get("rules").and_then(Value::as_array);
    let changes: Vec<Change<'_>> = given
        .into_iter()
        .flatten()
        .filter_map(Value::as_object)
        .map(|members| Change {
            rule: members.get("ruleIdentifier").and_then(Value::as_str).unwrap_or_default(),
            members,
        })
        .collect();
    let mut successful = Vec::new();
    let mut unsuccessful = Vec::new();
    let failure = |change: &Change<'_>, code: &str, message: &str| json!({"ruleIdentifier": change.rule, "failureCode": code, "failureMessage": message});
    match call.settings.batch_rule_failure {
        BatchFailure::Atomic => match apply(state, call, &changes) {
            Ok(rules) => successful = rules,
            Err((wrong, refusal)) => {
                for (n, change) in changes.iter().enumerate() {
                    unsuccessful.push(if n == wrong {
                        failure(change, refusal.kind.shape().name, &refusal.message)
                    } else {
                        failure(change, NOT_APPLIED, "Another update of the batch failed.")
                    });
                }
            }
        },
        BatchFailure::Each => {
            for change in changes {
                match apply(state, call, std::slice::from_ref(&change)) {
                    Ok(rules) => successful.extend(rules),
                    Err((_, refusal)) => {
                        unsuccessful.push(failure(&change, refusal.kind.shape().name, &refusal.message));
                    }
                }
            }
        }
    }
    let successful: Vec<Value> = successful.iter().map(|rule| updated(call, rule)).collect();
    Ok(json!({"successful": successful, "unsuccessful": unsuccessful}))
}

/// Makes all changes, or none: then it returns which one is wrong, and why. What counts is the state after all of
/// them, so that two rules can swap their priorities.
fn apply(state: &mut State, call: &Call<'_>, changes: &[Change<'_>]) -> Result<Vec<Rule>, (usize, Refusal)> {
    let (service, listener) = find_listener(state, call).map_err(|refusal| (0, refusal))?;
    let mut altered: Vec<Rule> = Vec::new();
    let mut seen = HashSet::new();
    for (n, change) in changes.iter().enumerate() {
        let wrong = |refusal| (n, refusal);
        let rule = arn::id(change.rule, call.region, call.account).and_then(|id| listener.rules.get(id));
        let mut rule = rule.cloned().ok_or_else(|| wrong(call.not_found(KIND, change.rule)))?;
        if rule.is_default() {
            let message = "The default rule is altered by UpdateListener only.";
            return Err(wrong(Refusal::invalid("other", message)));
        }
        if !seen.insert(rule.id.clone()) {
            return Err(wrong(Refusal::field("rules", format!("names rule {} twice", rule.id))));
        }
        if let Some(given) = change.members.get("match") {
            rule.matches = Some(read_match(given));
        }
        if let Some(priority) = change.members.get("priority").and_then(Value::as_u64) {
            rule.priority = Some(u16::try_from(priority).unwrap_or_default());
        }
        if let Some(given) = change.members.get("action") {
            rule.action =
                read_action(state, call, &service.id, listener.protocol, given, "action").map_err(wrong)?;
        }
        rule.updated = call.now;
        altered.push(rule);
    }

    let untouched = listener.rules.rows().filter(|rule| !seen.contains(&rule.id));
    let mut taken: BTreeMap<u16, &str> =
        untouched.filter_map(|rule| Some((rule.priority?, rule.id.as_str()))).collect();
    for (n, rule) in altered.iter().enumerate() {
        let Some(priority) = rule.priority else { continue };
        if let Some(other) = taken.insert(priority, &rule.id) {
            return Err((n, duplicate_priority(call, other, priority)));
        }
    }
    let replaced: Vec<&str> = seen.iter().map(String::as_str).collect();
    let groups: Vec<String> = altered.iter().flat_map(|rule| rule.action.groups()).collect();
    check_groups_quota(call, service, &replaced, &groups).map_err(|refusal| (0, refusal))?;

    let (service_id, listener_id) = (service.id.clone(), listener.id.clone());
    let old: Vec<Action> =
        altered.iter().filter_map(|rule| Some(listener.rules.get(&rule.id)?.action.clone())).collect();
    for (old, new) in old.iter().zip(&altered) {
        replace_action(state, call, &service_id, &old.groups(), &new.action.groups());
    }
    let service = own_service_mut(state, call).map_err(|refusal| (0, refusal))?;
    for rule in &altered {
        let place =
            service.listeners.get_mut(&listener_id).and_then(|listener| listener.rules.get_mut(&rule.id));
        if let Some(place) = place {
            *place = rule.clone();
        }
    }
    Ok(altered)
}

/// Notes that a rule forwards to other groups now. What it keeps is never unused in between.
pub(in crate::operations) fn replace_action(
    state: &mut State,
    call: &Call<'_>,
    service: &str,
    old: &[String],
    new: &[String],
) {
    state.acquire(service, new, call.now, call.settings);
    state.release(service, old);
}

fn updated(call: &Call<'_>, rule: &Rule) -> Value {
    object([
        ("arn", Some(json!(rule.arn))),
        ("id", Some(json!(rule.id))),
        ("name", shown_name(call, rule)),
        ("isDefault", Some(json!(rule.is_default()))),
        ("match", rule.matches.clone()),
        ("priority", rule.priority.map(Value::from)),
        ("action", Some(rule.action.0.clone())),
    ])
}
