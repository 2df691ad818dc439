//! Targets of a group, and the state of each.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::clock::SimTime;

use super::table::Table;
use super::target_group::{GroupType, TargetGroup};

/// The state of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TargetStatus {
    /// Registered, no verdict yet.
    Initial,
    /// Passed its checks.
    Healthy,
    /// Failed its checks.
    Unhealthy,
    /// Its group is not used by a service.
    Unused,
    /// Health checks are off or not supported.
    Unavailable,
    /// Deregistered, connections running out.
    Draining,
}

impl TargetStatus {
    /// The state as the API writes it.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Initial => "INITIAL",
            Self::Healthy => "HEALTHY",
            Self::Unhealthy => "UNHEALTHY",
            Self::Unused => "UNUSED",
            Self::Unavailable => "UNAVAILABLE",
            Self::Draining => "DRAINING",
        }
    }
}

/// What makes a target: its id and port. Addresses are compared as addresses, not as text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Key {
    id: String,
    port: Option<u16>,
}

impl Key {
    pub(crate) fn new(id: &str, port: Option<u16>) -> Self {
        let id = id.parse::<IpAddr>().map_or_else(|_no_address| id.to_owned(), |address| address.to_string());
        Self { id, port }
    }
}

/// A registered target.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Target {
    pub(crate) id: String,
    pub(crate) port: Option<u16>,
    /// When it was registered, at last from DRAINING.
    pub(crate) registered: SimTime,
    /// What the checks of the data plane found.
    pub(crate) checked: Checked,
    /// When the first check passes, provided that there are checks and no data plane that makes them.
    pub(crate) verdict_at: SimTime,
    /// Which part of an interval passes before its first check, of [0, 1).
    pub(crate) check_fraction: f64,
    /// A state set by hand.
    pub(crate) held: Option<TargetStatus>,
    pub(crate) leaving: Option<Leaving>,
}

/// What checks found so far.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Checked {
    /// When the next one is due, while the data plane makes them.
    pub(crate) due: Option<SimTime>,
    /// The verdict, none before the first check or, if that failed, before enough of them did.
    pub(crate) verdict: Option<bool>,
    /// How many checks in a row went against the verdict.
    pub(crate) against: u32,
}

impl Checked {
    /// Takes in the outcome of a check. A target without a verdict needs one passing check; to recover from unhealthy
    /// it needs `healthy` of them, and `unhealthy` failing ones make it unhealthy.
    pub(crate) fn note(&mut self, passed: bool, healthy: u32, unhealthy: u32) {
        if self.verdict == Some(passed) {
            self.against = 0;
            return;
        }
        self.against += 1;
        let needed = match (passed, self.verdict) {
            (true, None) => 1,
            (true, Some(_)) => healthy,
            (false, _) => unhealthy,
        };
        if self.against >= needed {
            self.verdict = Some(passed);
            self.against = 0;
        }
    }
}

/// A target that was deregistered.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Leaving {
    /// When it was deregistered.
    pub(crate) since: SimTime,
    /// When the entry goes.
    pub(crate) until: SimTime,
    /// Whether it is DRAINING; a target of an unused group stays UNUSED.
    pub(crate) draining: bool,
}

impl Target {
    /// The state at `now`: a function of time, so that advancing the clock is all that a test needs.
    pub(crate) fn status(&self, group: &TargetGroup, now: SimTime) -> TargetStatus {
        match &self.leaving {
            Some(leaving) if leaving.draining => return TargetStatus::Draining,
            Some(_) => return TargetStatus::Unused,
            None => {}
        }
        self.health(group, now)
    }

    /// The state but for its being deregistered.
    pub(crate) fn health(&self, group: &TargetGroup, now: SimTime) -> TargetStatus {
        if let Some(held) = self.held {
            return held;
        }
        if !group.used() {
            TargetStatus::Unused
        } else if !group.checked() {
            TargetStatus::Unavailable
        } else if self.checked.due.is_some() {
            match self.checked.verdict {
                None => TargetStatus::Initial,
                Some(true) => TargetStatus::Healthy,
                Some(false) => TargetStatus::Unhealthy,
            }
        } else if now < self.verdict_at {
            TargetStatus::Initial
        } else {
            TargetStatus::Healthy
        }
    }
}

/// The known reason for a state, if there is one.
pub(crate) fn reason_code(group: &TargetGroup, status: TargetStatus) -> Option<&'static str> {
    match status {
        TargetStatus::Unhealthy => Some("HealthCheckFailed"),
        TargetStatus::Unused => Some("TargetGroupNotInUse"),
        TargetStatus::Unavailable if matches!(group.kind, GroupType::Alb | GroupType::Lambda) => {
            Some("HealthCheckNotSupported")
        }
        _ => None,
    }
}

/// The targets of a group, in order of registration.
pub(crate) type Targets = Table<Target, Key>;

/// Whether any target is DRAINING. Cost: the targets of this group.
pub(crate) fn any_draining(targets: &Targets) -> bool {
    targets.rows().any(|target| target.leaving.as_ref().is_some_and(|leaving| leaving.draining))
}
