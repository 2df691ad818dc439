//! What a pod's readiness gate should be, given how Lattice sees its targets.

use std::time::Duration;

use lattice::TargetStatus;
use tokio::time::Instant;

/// What is known of a pod as a target of one binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The binding's name.
    pub binding: String,
    /// How far it is.
    pub progress: Progress,
}

/// How far a pod is as a target of one binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// The binding is not accepted, so nobody registers the pod. With the reason and the message of the condition.
    NotAccepted {
        /// The condition's reason.
        reason: String,
    },
    /// Its containers are not ready, or it has no address yet.
    NotReady,
    /// Its address is still recorded for another pod, so what Lattice says of it may be meant for that one.
    AddressRecordedForAnother,
    /// Lattice has not been asked yet.
    NotRead,
    /// The group does not hold it.
    NotRegistered,
    /// Lattice reports it so, since it was first seen in this state.
    Reported {
        /// The state.
        status: TargetStatus,
        /// Lattice's reason code.
        code: Option<String>,
        /// When it was first seen so.
        since: Instant,
    },
}

/// What a gate should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// Whether the pod may count as ready.
    pub open: bool,
    /// The condition's reason.
    pub reason: &'static str,
    /// The condition's message.
    pub message: String,
    /// When time alone changes this.
    pub until: Option<Instant>,
}

/// Reasons of the gates' conditions.
pub mod reasons {
    /// Healthy in every group.
    pub const HEALTHY: &str = "Healthy";
    /// The group's health checks are off, and the time that Lattice is assumed to need has passed.
    pub const HEALTH_CHECKS_OFF: &str = "HealthChecksOff";
    /// No service uses the group, so Lattice never checks it.
    pub const UNUSED: &str = "TargetGroupUnused";
    /// No binding selects the pod, or none any more.
    pub const NO_BINDING: &str = "NoBinding";
    /// It took too long, and the operator wants that to count as healthy.
    pub const FAIL_OPEN: &str = "FailOpen";
    /// The binding is not accepted.
    pub const NOT_ACCEPTED: &str = "BindingNotAccepted";
    /// The containers are not ready.
    pub const NOT_READY: &str = "ContainersNotReady";
    /// See [`super::Progress::AddressRecordedForAnother`].
    pub const ADDRESS_TAKEN: &str = "AddressRecordedForAnotherPod";
    /// Lattice has not been asked yet.
    pub const NOT_READ: &str = "TargetNotRead";
    /// The group does not hold the pod.
    pub const NOT_REGISTERED: &str = "TargetNotRegistered";
    /// Registered, not checked yet.
    pub const INITIAL: &str = "TargetInitial";
    /// The check fails.
    pub const UNHEALTHY: &str = "TargetUnhealthy";
    /// An earlier registration of the address is running out.
    pub const DRAINING: &str = "TargetDraining";
    /// The group's health checks are off, and Lattice is given the time it is assumed to need.
    pub const PROPAGATING: &str = "Propagating";
}

/// Decides a gate from all bindings that the pod is a target of. `propagation` is the time that Lattice is assumed
/// to need until a registration of a group without health checks is in force everywhere.
///
/// `parts` must not be empty: a pod without bindings is decided by [`unbound`].
#[must_use]
pub fn decide(parts: &[Part], propagation: Duration, now: Instant) -> Gate {
    let opinions: Vec<(&str, Opinion)> =
        parts.iter().map(|part| (part.binding.as_str(), opinion(&part.progress, propagation, now))).collect();
    let waiting: Vec<&(&str, Opinion)> = opinions.iter().filter(|(_, opinion)| !opinion.open).collect();
    let until = waiting.iter().filter_map(|(_, opinion)| opinion.until).min();
    let open = waiting.is_empty();
    let shown: Vec<&(&str, Opinion)> = if open { opinions.iter().collect() } else { waiting };
    // Healthy is the least of what there is to say; anything else needs to be seen.
    let reason = shown
        .iter()
        .map(|(_, opinion)| opinion.reason)
        .find(|reason| *reason != reasons::HEALTHY)
        .unwrap_or(reasons::HEALTHY);
    let message = shown
        .iter()
        .map(|(binding, opinion)| format!("{binding}: {}", opinion.words))
        .collect::<Vec<_>>()
        .join("; ");
    Gate { open, reason, message, until }
}

/// Decides the gate of a ready pod that no binding selects: open if one did before, else once `settle` has passed, so
/// that a Deployment applied a moment before its binding does not slip through.
#[must_use]
pub fn unbound(bound_before: bool, since: Instant, settle: Duration, now: Instant) -> Gate {
    let until = since + settle;
    let open = bound_before || now >= until;
    Gate {
        open,
        reason: reasons::NO_BINDING,
        message: if bound_before {
            "no TargetGroupBinding selects this pod any more".into()
        } else if open {
            format!("no TargetGroupBinding has selected this pod for {} s", settle.as_secs())
        } else {
            "no TargetGroupBinding selects this pod; one may be about to be made".into()
        },
        until: (!open).then_some(until),
    }
}

/// The gate of a pod that has waited too long.
#[must_use]
pub fn fail_open(gate: &Gate, after: Duration) -> Gate {
    Gate {
        open: true,
        reason: reasons::FAIL_OPEN,
        message: format!(
            "opened after {} s without Lattice's word, as the controller is set to: {}",
            after.as_secs(),
            gate.message
        ),
        until: None,
    }
}

struct Opinion {
    open: bool,
    reason: &'static str,
    words: String,
    until: Option<Instant>,
}

fn opinion(progress: &Progress, propagation: Duration, now: Instant) -> Opinion {
    let (open, reason, words) = match progress {
        Progress::NotAccepted { reason } => {
            (false, reasons::NOT_ACCEPTED, format!("the TargetGroupBinding is not accepted ({reason})"))
        }
        Progress::NotReady => (false, reasons::NOT_READY, "the containers are not ready".into()),
        Progress::AddressRecordedForAnother => (
            false,
            reasons::ADDRESS_TAKEN,
            "the address is still recorded for the pod that had it before".into(),
        ),
        Progress::NotRead => (false, reasons::NOT_READ, "Lattice has not been asked yet".into()),
        Progress::NotRegistered => {
            (false, reasons::NOT_REGISTERED, "the target group does not hold this pod yet".into())
        }
        Progress::Reported { status, code, since } => match status {
            TargetStatus::Healthy => (true, reasons::HEALTHY, "healthy at Lattice".into()),
            TargetStatus::Unused => (
                true,
                reasons::UNUSED,
                "no Lattice service uses the target group, so its targets are never checked".into(),
            ),
            TargetStatus::Unavailable => {
                let until = *since + propagation;
                if now < until {
                    return Opinion {
                        open: false,
                        reason: reasons::PROPAGATING,
                        words: "registered; the group's health checks are off, so Lattice is given a moment"
                            .into(),
                        until: Some(until),
                    };
                }
                (true, reasons::HEALTH_CHECKS_OFF, "registered; the group's health checks are off".into())
            }
            TargetStatus::Initial => {
                (false, reasons::INITIAL, "registered; Lattice has not checked it yet".into())
            }
            TargetStatus::Unhealthy => (
                false,
                reasons::UNHEALTHY,
                format!(
                    "Lattice's health check fails ({}): check its path and port, and that the pod's security group \
                     lets VPC Lattice's prefix list in",
                    code.as_deref().unwrap_or("no reason given")
                ),
            ),
            TargetStatus::Draining => {
                (false, reasons::DRAINING, "an earlier registration of the address is draining".into())
            }
        },
    };
    Opinion { open, reason, words, until: None }
}

#[cfg(test)]
mod tests;
