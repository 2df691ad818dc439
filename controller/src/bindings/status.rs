//! The status that a binding should have, given the one it has.

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Condition, jiff::Timestamp};
use lath_kubernetes::{
    binding::{EffectivePolicy, ReadinessPolicy, TargetCounts, TargetGroupBindingStatus},
    names,
};
use lattice::TargetGroup;
use serde_json::{Value, json};

use super::{judge::Verdict, tally::Tally};
use crate::condition::condition;

/// The condition that names addresses of hand-made EndpointSlices which are not registered.
pub const ENDPOINTS_REFUSED: &str = "EndpointsRefused";

/// Most refused addresses that a condition names.
const MOST_NAMED: usize = 10;

/// What a status is made from.
#[derive(Debug, Clone)]
pub struct Findings<'a> {
    /// The generation that was judged.
    pub generation: Option<i64>,
    /// What came out.
    pub verdict: &'a Verdict,
    /// What the binding says about readiness.
    pub policy: ReadinessPolicy,
    /// Its group, if it is known.
    pub group: Option<&'a TargetGroup>,
    /// Its pods.
    pub tally: Tally,
    /// The group's targets, if they were listed.
    pub counts: Option<TargetCounts>,
    /// Addresses of hand-made EndpointSlices that are not registered, and why.
    pub refused: &'a [String],
}

/// The status that a binding should have.
///
/// Times change only where a condition's status does, so that equal findings give an equal status. The endpoints
/// belong to another writer and stay as they are.
#[must_use]
pub fn compose(
    current: &TargetGroupBindingStatus,
    findings: &Findings<'_>,
    now: Timestamp,
) -> TargetGroupBindingStatus {
    let find = |kind: &str| current.conditions.iter().find(|condition| condition.type_ == kind);
    let mut conditions = vec![accepted(find(names::ACCEPTED), findings, now)];
    if !findings.refused.is_empty() {
        let named =
            findings.refused.iter().take(MOST_NAMED).map(String::as_str).collect::<Vec<_>>().join("; ");
        let more = findings.refused.len().saturating_sub(MOST_NAMED);
        let message = if more > 0 { format!("{named}; and {more} more") } else { named };
        conditions.push(condition(
            find(ENDPOINTS_REFUSED),
            ENDPOINTS_REFUSED,
            "True",
            "NotAllowed",
            message,
            findings.generation,
            now,
        ));
    }
    let effective = match (findings.policy, findings.group) {
        (ReadinessPolicy::HealthCheck, _) => Some(EffectivePolicy::HealthCheck),
        (ReadinessPolicy::Auto, Some(group)) if group.health_check_interval.is_some() => {
            Some(EffectivePolicy::HealthCheck)
        }
        (ReadinessPolicy::Auto, Some(_)) | (ReadinessPolicy::Pod, _) => Some(EffectivePolicy::Pod),
        // What the group is was known once, or is not known yet.
        (ReadinessPolicy::Auto, None) => current.readiness_policy,
    };
    TargetGroupBindingStatus {
        conditions,
        readiness_policy: effective,
        ready_share_low: findings.tally.ready_share_low(),
        targets: findings.counts.or(current.targets),
        endpoints: current.endpoints.clone(),
        pods_without_readiness_gate: Some(findings.tally.without_gate),
        pods_without_pre_stop: Some(findings.tally.without_pre_stop),
    }
}

fn accepted(current: Option<&Condition>, findings: &Findings<'_>, now: Timestamp) -> Condition {
    let verdict = findings.verdict;
    let status = match verdict.accepted {
        Some(true) => "True",
        Some(false) => "False",
        // What was said of this generation stays true until the contrary is known.
        None => current
            .filter(|current| current.observed_generation == findings.generation)
            .map_or("Unknown", |current| current.status.as_str()),
    };
    condition(
        current,
        names::ACCEPTED,
        status,
        verdict.reason.as_str(),
        verdict.message.clone(),
        findings.generation,
        now,
    )
}

/// What of a status may wait: numbers, which every agent's watch would otherwise carry at each change.
#[must_use]
pub fn without_numbers(
    mut status: TargetGroupBindingStatus,
    current: &TargetGroupBindingStatus,
) -> TargetGroupBindingStatus {
    status.targets = current.targets;
    status.pods_without_readiness_gate = current.pods_without_readiness_gate;
    status.pods_without_pre_stop = current.pods_without_pre_stop;
    status
}

/// The merge patch that gives the binding with this UID this status, but for the endpoints.
///
/// The UID makes the API server refuse the patch for a binding that has since been made anew under the same name.
#[must_use]
pub fn patch(uid: &str, status: &TargetGroupBindingStatus) -> Value {
    json!({
        "metadata": { "uid": uid },
        "status": {
            "conditions": status.conditions,
            "readinessPolicy": status.readiness_policy,
            "readyShareLow": status.ready_share_low.then_some(true),
            "targets": status.targets,
            "podsWithoutReadinessGate": status.pods_without_readiness_gate,
            "podsWithoutPreStop": status.pods_without_pre_stop,
        },
    })
}

#[cfg(test)]
mod tests;
