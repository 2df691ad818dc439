//! The life of a resource: when it was made, what is being done with it, and its status.

use serde::{Deserialize, Serialize};

use crate::clock::SimTime;
use crate::operations::Call;

/// Times of a resource and the last thing that was begun with it. The status follows from these and the clock, so
/// that advancing the clock is all that a test needs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Life {
    pub(crate) created: SimTime,
    pub(crate) updated: SimTime,
    phase: Phase,
    /// When the phase ends.
    until: SimTime,
    /// What the phase ends in, if it does not succeed.
    failure: Option<Failure>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Phase {
    Creating,
    Updating,
    Deleting,
}

/// Why something that was begun did not succeed, as the API says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// `failureCode`.
    pub code: String,
    /// `failureMessage`, or `failureReason` of the kinds that call it so.
    pub message: String,
}

impl Life {
    /// A creation that the call begins and that takes this long.
    pub(crate) fn begin(call: &Call<'_>, takes: SimTime) -> Self {
        Self {
            created: call.now,
            updated: call.now,
            phase: Phase::Creating,
            until: call.now + takes,
            failure: call.fails.cloned(),
        }
    }

    /// Something that is there at once.
    pub(crate) fn at(now: SimTime) -> Self {
        Self { created: now, updated: now, phase: Phase::Creating, until: now, failure: None }
    }

    /// Begins an update.
    pub(crate) fn update(&mut self, call: &Call<'_>, takes: SimTime) {
        self.updated = call.now;
        self.enter(Phase::Updating, call, takes);
    }

    /// Begins a deletion and returns when the resource goes, `None` if it fails.
    pub(crate) fn delete(&mut self, call: &Call<'_>, takes: SimTime) -> Option<SimTime> {
        self.enter(Phase::Deleting, call, takes);
        self.failure.is_none().then_some(self.until)
    }

    fn enter(&mut self, phase: Phase, call: &Call<'_>, takes: SimTime) {
        self.phase = phase;
        self.until = call.now + takes;
        self.failure = call.fails.cloned();
    }

    /// The status as the API writes it.
    pub(crate) fn status(&self, now: SimTime) -> &'static str {
        let failed = self.failure.is_some();
        match (self.phase, now < self.until) {
            (Phase::Creating, true) => "CREATE_IN_PROGRESS",
            (Phase::Creating, false) if failed => "CREATE_FAILED",
            (Phase::Updating, true) => "UPDATE_IN_PROGRESS",
            (Phase::Updating, false) if failed => "UPDATE_FAILED",
            (Phase::Deleting, false) if failed => "DELETE_FAILED",
            // What is deleted goes at the end of the phase, by the state's own doing.
            (Phase::Deleting, _) => "DELETE_IN_PROGRESS",
            (Phase::Creating | Phase::Updating, false) => "ACTIVE",
        }
    }

    /// Whether it is being deleted, and not in vain.
    pub(crate) fn deleting(&self, now: SimTime) -> bool {
        self.status(now) == "DELETE_IN_PROGRESS"
    }

    /// Whether anything is under way.
    pub(crate) fn busy(&self, now: SimTime) -> bool {
        self.status(now).ends_with("IN_PROGRESS")
    }

    /// Whether it is there for traffic: created, and not being deleted.
    pub(crate) fn works(&self, now: SimTime) -> bool {
        matches!(self.status(now), "ACTIVE" | "UPDATE_IN_PROGRESS" | "UPDATE_FAILED" | "DELETE_FAILED")
    }

    /// The failure, once it has come.
    pub(crate) fn failure(&self, now: SimTime) -> Option<&Failure> {
        self.failure.as_ref().filter(|_| now >= self.until)
    }
}
