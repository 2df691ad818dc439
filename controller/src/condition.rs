//! Conditions of a status.

use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::{Condition, Time},
    jiff::Timestamp,
};

/// Longest message of a condition. Source: Kubernetes API conventions, `Condition`.
const LONGEST_MESSAGE: usize = 32_768;

/// A condition, given the one of its type that is there. Its time changes only where its status does, so that equal
/// findings give an equal condition.
pub(crate) fn condition(
    current: Option<&Condition>,
    kind: &str,
    status: &str,
    reason: &str,
    message: String,
    generation: Option<i64>,
    now: Timestamp,
) -> Condition {
    let since = current.filter(|current| current.status == status);
    let mut message = message;
    if message.len() > LONGEST_MESSAGE {
        let end = (0..=LONGEST_MESSAGE).rev().find(|end| message.is_char_boundary(*end));
        message.truncate(end.unwrap_or(0));
    }
    Condition {
        last_transition_time: since.map_or(Time(now), |current| current.last_transition_time.clone()),
        message,
        observed_generation: generation,
        reason: reason.into(),
        status: status.into(),
        type_: kind.into(),
    }
}
