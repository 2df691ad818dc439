//! Targets: register, deregister, list.

use std::collections::HashSet;
use std::net::IpAddr;

use serde_json::{Value, json};

use crate::error::{Refusal, ResourceType};
use crate::settings::choice::{
    DeregisterAbsent, DuplicateTarget, ListAbsent, ListOrder, MalformedTarget, ReasonCodes, RegisterDraining,
    RegisterExisting, TargetQuota,
};
use crate::state::target::{Checked, Key, Leaving, Target, reason_code};
use crate::state::target_group::{GroupType, TargetGroup};
use crate::state::{End, State, page};

use super::{Call, object};

/// A target as a call names it.
struct Named<'a> {
    id: &'a str,
    /// The port that it means: the given one or the group's.
    port: Option<u16>,
    key: Key,
}

/// What becomes of the targets of a call, in its order.
#[derive(Default)]
struct Outcome {
    successful: Vec<Value>,
    unsuccessful: Vec<Value>,
}

impl Outcome {
    fn done(&mut self, target: &Named<'_>) {
        self.successful
            .push(object([("id", Some(json!(target.id))), ("port", target.port.map(Value::from))]));
    }

    fn refused(&mut self, target: &Named<'_>, code: &str, message: &str) {
        self.unsuccessful.push(object([
            ("id", Some(json!(target.id))),
            ("port", target.port.map(Value::from)),
            ("failureCode", Some(json!(code))),
            ("failureMessage", Some(json!(message))),
        ]));
    }

    fn answer(self) -> Value {
        json!({"successful": self.successful, "unsuccessful": self.unsuccessful})
    }
}

pub(super) fn register(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let group: &TargetGroup = state.own(call, "targetGroupIdentifier")?;
    refuse_if_busy(call, group)?;
    let named = named(call, group)?;
    let group_id = group.id.clone();
    let mut outcome = Outcome::default();
    let mut wanted = Vec::new();
    for target in injected(call, named, &mut outcome) {
        match misfit(call, group, &target) {
            None => wanted.push(target),
            Some(message) => match call.settings.malformed_id {
                MalformedTarget::Unsuccessful => {
                    outcome.refused(&target, &call.settings.failure_code.0, &message);
                }
                MalformedTarget::Validation => return Err(Refusal::field("targets", message)),
            },
        }
    }
    let new = wanted.iter().filter(|target| group.targets.place(&target.key).is_none()).count();
    let quota = if group.kind == GroupType::Lambda { 1 } else { call.settings.targets_per_group.0 };
    let mut room = quota.saturating_sub(group.targets.len());
    let full = format!("Target group {group_id} is limited to {quota} targets.");
    if new > room && call.settings.target_quota == TargetQuota::Call {
        return Err(Refusal::quota(call.settings, ResourceType::Target, Some(&group_id), full));
    }

    for target in wanted {
        let Some(group) = state.groups.get_mut(&group_id) else { break };
        match group.targets.place(&target.key) {
            Some(place) => {
                if let Some(message) = register_again(state, call, &group_id, place) {
                    outcome.refused(&target, &call.settings.failure_code.0, message);
                    continue;
                }
            }
            None if room == 0 => {
                outcome.refused(&target, &call.settings.failure_code.0, &full);
                continue;
            }
            None => {
                room -= 1;
                let (verdict_at, check_fraction) =
                    group.first_verdict(call.now, call.settings, &mut state.checks);
                let registered = Target {
                    id: target.id.to_owned(),
                    port: target.port,
                    registered: call.now,
                    checked: Checked { due: state.checking.then_some(verdict_at), ..Checked::default() },
                    verdict_at,
                    check_fraction,
                    held: None,
                    leaving: None,
                };
                group.targets.insert(target.key.clone(), registered);
            }
        }
        outcome.done(&target);
    }
    Ok(outcome.answer())
}

/// Registers the target at `place` once more; returns why it is refused, if it is.
fn register_again(state: &mut State, call: &Call<'_>, group_id: &str, place: u64) -> Option<&'static str> {
    let checking = state.checking;
    let group = state.groups.get_mut(group_id)?;
    let (interval, threshold) =
        (group.interval(), group.config.health.as_ref().map_or(0, |health| health.healthy));
    let first_check = group.first_verdict(call.now, call.settings, &mut state.checks).0;
    let target = group.targets.at_mut(place)?;
    let Some(Leaving { until, draining, .. }) = target.leaving.clone() else {
        if call.settings.reregister_existing == RegisterExisting::Initial {
            target.verdict_at = first_check;
            target.held = None;
            target.checked = Checked { due: checking.then_some(first_check), ..Checked::default() };
        }
        return None;
    };
    let way = if draining { call.settings.reregister_draining } else { RegisterDraining::Initial };
    match way {
        RegisterDraining::Refused => return Some("The target is draining."),
        RegisterDraining::Vanishes => return None,
        RegisterDraining::Initial => {
            target.verdict_at = first_check;
            target.held = None;
            target.checked = Checked { due: checking.then_some(first_check), ..Checked::default() };
        }
        RegisterDraining::HealthReset => {
            let checks = u64::from(interval) * u64::from(threshold);
            target.verdict_at = call.now + std::time::Duration::from_secs(checks);
            target.held = None;
            let verdict = Some(false);
            target.checked = Checked { due: checking.then_some(first_check), verdict, against: 0 };
        }
        RegisterDraining::Healthy => {}
    }
    target.leaving = None;
    target.registered = call.now;
    state.keep(until, End::Target { group: group_id.to_owned(), place });
    None
}

pub(super) fn deregister(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let group: &TargetGroup = state.own(call, "targetGroupIdentifier")?;
    refuse_if_busy(call, group)?;
    let group_id = group.id.clone();
    let draining = group.used();
    let named = named(call, group)?;
    let mut outcome = Outcome::default();
    for target in injected(call, named, &mut outcome) {
        let place = state.groups.get(&group_id).and_then(|group| group.targets.place(&target.key));
        match place {
            Some(place) => leave(state, call, &group_id, place, draining),
            None if call.settings.deregister_absent == DeregisterAbsent::Unsuccessful => {
                outcome.refused(&target, &call.settings.failure_code.0, "The target is not registered.");
                continue;
            }
            None => {}
        }
        outcome.done(&target);
    }
    Ok(outcome.answer())
}

/// Lets the target at `place` leave; one that is leaving goes on as it is.
fn leave(state: &mut State, call: &Call<'_>, group_id: &str, place: u64, draining: bool) {
    let Some(target) = state.groups.get_mut(group_id).and_then(|group| group.targets.at_mut(place)) else {
        return;
    };
    if target.leaving.is_some() {
        return;
    }
    let time = if draining { call.settings.drain.0 } else { call.settings.unused_linger.0 };
    let until = call.now + time;
    target.leaving = Some(Leaving { since: call.now, until, draining });
    state.end_at(until, End::Target { group: group_id.to_owned(), place });
}

pub(super) fn list(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let group: &TargetGroup = state.own(call, "targetGroupIdentifier")?;
    let start = page::start(call)?;
    let newest_first = call.settings.list_order == ListOrder::Newest;
    let show = |target: &Target| {
        let status = target.status(group, call.now);
        let reason = match call.settings.reason_codes {
            ReasonCodes::Known => reason_code(group, status),
            ReasonCodes::Absent => None,
        };
        object([
            ("id", Some(json!(target.id))),
            ("port", target.port.map(Value::from)),
            ("status", Some(json!(status.text()))),
            ("reasonCode", reason.map(Value::from)),
        ])
    };
    let filter = call.input.get("targets").and_then(Value::as_array).filter(|filter| !filter.is_empty());
    if filter.is_none() {
        return Ok(page::page(call, group.targets.after(start, call.settings.list_order), show));
    }
    let mut places = Vec::new();
    for target in named(call, group)? {
        match group.targets.place(&target.key) {
            Some(place) => places.push(place),
            None if call.settings.list_absent == ListAbsent::NotFound => {
                return Err(call.not_found(ResourceType::Target, target.id));
            }
            None => {}
        }
    }
    places.sort_unstable();
    if newest_first {
        places.reverse();
    }
    let comes_after =
        |place: &u64| start.is_none_or(|start| (*place > start) != newest_first && *place != start);
    let targets =
        places.into_iter().filter(comes_after).filter_map(|place| Some((place, group.targets.at(place)?)));
    Ok(page::page(call, targets, show))
}

/// The targets that the call names, each once.
fn named<'a>(call: &Call<'a>, group: &TargetGroup) -> Result<Vec<Named<'a>>, Refusal> {
    let given = call.input.get("targets").and_then(Value::as_array);
    let mut seen = HashSet::new();
    let mut named = Vec::new();
    for (n, target) in given.into_iter().flatten().enumerate() {
        let id = target["id"].as_str().unwrap_or_default();
        let port = target["port"].as_u64().and_then(|port| u16::try_from(port).ok()).or(group.config.port);
        let key = Key::new(id, port);
        if seen.insert(key.clone()) {
            named.push(Named { id, port, key });
        } else if call.settings.duplicate_in_call == DuplicateTarget::Validation {
            return Err(Refusal::field(&format!("targets[{n}]"), "is the same target as one before it"));
        }
    }
    Ok(named)
}

/// Takes out the targets that a fault rule wants refused and returns the others.
fn injected<'a>(call: &Call<'_>, named: Vec<Named<'a>>, outcome: &mut Outcome) -> Vec<Named<'a>> {
    let Some(fault) = call.unsuccessful else { return named };
    let mut left = fault.targets;
    named
        .into_iter()
        .filter(|target| {
            let refuse = left > 0 && fault.means(target.id);
            if refuse {
                left -= 1;
                outcome.refused(target, &fault.code, "injected by a fault rule");
            }
            !refuse
        })
        .collect()
}

fn refuse_if_busy(call: &Call<'_>, group: &TargetGroup) -> Result<(), Refusal> {
    if group.life.status(call.now) == "ACTIVE" { Ok(()) } else { Err(call.busy(group)) }
}

/// Why a target can't be one of this group's, if it can't.
fn misfit(call: &Call<'_>, group: &TargetGroup, target: &Named<'_>) -> Option<String> {
    let id = target.id;
    let vpc = group.config.vpc.as_deref();
    let around = call.surroundings;
    match group.kind {
        GroupType::Ip => {
            let family = group.config.ip_address_type.as_deref().unwrap_or("IPV4");
            let Ok(address) = id.parse::<IpAddr>() else { return Some(format!("{id} is not an IP address")) };
            if address.is_ipv4() != (family == "IPV4") {
                return Some(format!("{id} is not an address of the target group's type {family}"));
            }
            let outside = !around.vpcs.is_empty()
                && around.vpc_of(address).is_none_or(|found| Some(found.id.as_str()) != vpc);
            outside.then(|| format!("{id} is not an address of the target group's VPC"))
        }
        GroupType::Instance => {
            let digits = id.strip_prefix("i-").unwrap_or_default();
            let fits =
                matches!(digits.len(), 8 | 17) && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            if !fits {
                return Some(format!("{id} is not the id of an instance"));
            }
            let elsewhere = !around.instances.is_empty()
                && !around.instances.iter().any(|known| known.id == id && Some(known.vpc.as_str()) == vpc);
            elsewhere.then(|| "Instance targets must be in the same VPC as their target group".to_owned())
        }
        GroupType::Lambda if target.port.is_some() => Some("a Lambda function has no port".to_owned()),
        GroupType::Lambda => {
            if !id.starts_with("arn:aws:lambda:") {
                return Some(format!("{id} is not the ARN of a Lambda function"));
            }
            let known = around.functions.is_empty() || around.functions.iter().any(|known| known.arn == id);
            (!known).then(|| format!("{id} is not among the functions of the surroundings"))
        }
        GroupType::Alb => {
            let known = &around.load_balancers;
            let fits = id.starts_with("arn:aws:elasticloadbalancing:")
                && (known.is_empty()
                    || known.iter().any(|known| known.arn == id && Some(known.vpc.as_str()) == vpc));
            (!fits).then(|| format!("{id} is not the ARN of an Application Load Balancer"))
        }
    }
}
