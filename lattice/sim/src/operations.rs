//! The operations that are served: which function serves which, and what each is called with.

pub(crate) mod input;
mod listeners;
mod rules;
mod services;
mod tags;
mod target_groups;
mod targets;

use serde_json::{Map, Value};

use crate::account::Account;
use crate::clock::{Clock, SimTime};
use crate::error::{Refusal, ResourceType};
use crate::faults::Unsuccessful;
use crate::model::Operation;
use crate::settings::Settings;
use crate::state::{State, arn};

/// What an operation is called with. The input has been checked against the model.
pub(crate) struct Call<'a> {
    pub(crate) operation: &'static Operation,
    pub(crate) input: &'a Map<String, Value>,
    pub(crate) account: &'a Account,
    pub(crate) now: SimTime,
    pub(crate) clock: &'a Clock,
    pub(crate) settings: &'a Settings,
    pub(crate) region: &'a str,
    pub(crate) seed: u64,
    /// Targets that a fault rule wants refused.
    pub(crate) unsuccessful: Option<&'a Unsuccessful>,
}

/// Serves one operation: the answer's body, or why it is refused.
pub(crate) type Serve = fn(&mut State, &Call<'_>) -> Result<Value, Refusal>;

/// The function that serves an operation, `None` for those that the simulator does not have.
pub(crate) fn serve(name: &str) -> Option<Serve> {
    Some(match name {
        "BatchUpdateRule" => rules::batch_update,
        "CreateListener" => listeners::create,
        "CreateRule" => rules::create,
        "CreateService" => services::create,
        "CreateTargetGroup" => target_groups::create,
        "DeleteListener" => listeners::delete,
        "DeleteRule" => rules::delete,
        "DeleteService" => services::delete,
        "DeleteTargetGroup" => target_groups::delete,
        "DeregisterTargets" => targets::deregister,
        "GetListener" => listeners::get,
        "GetRule" => rules::get,
        "GetService" => services::get,
        "GetTargetGroup" => target_groups::get,
        "ListListeners" => listeners::list,
        "ListRules" => rules::list,
        "ListServices" => services::list,
        "ListTagsForResource" => tags::list,
        "ListTargetGroups" => target_groups::list,
        "ListTargets" => targets::list,
        "RegisterTargets" => targets::register,
        "TagResource" => tags::tag,
        "UntagResource" => tags::untag,
        "UpdateListener" => listeners::update,
        "UpdateRule" => rules::update,
        "UpdateService" => services::update,
        "UpdateTargetGroup" => target_groups::update,
        _ => return None,
    })
}

impl Call<'_> {
    /// A string of the input. Those that the model requires are there.
    pub(crate) fn text(&self, member: &str) -> &str {
        self.optional_text(member).unwrap_or_default()
    }

    pub(crate) fn optional_text(&self, member: &str) -> Option<&str> {
        self.input.get(member).and_then(Value::as_str)
    }

    /// The id that an identifier of the input means; one of another account or region means nothing.
    pub(crate) fn id(&self, member: &str, kind: ResourceType) -> Result<&str, Refusal> {
        let identifier = self.text(member);
        arn::id(identifier, self.region, self.account).ok_or_else(|| self.not_found(kind, identifier))
    }

    pub(crate) fn not_found(&self, kind: ResourceType, identifier: &str) -> Refusal {
        Refusal::not_found(self.settings, kind, arn::last_part(identifier))
    }

    pub(crate) fn conflict(&self, kind: ResourceType, id: &str, message: impl Into<String>) -> Refusal {
        Refusal::conflict(self.settings, kind, id, message)
    }

    /// A time as the API writes it.
    pub(crate) fn iso(&self, time: SimTime) -> String {
        self.clock.iso(time)
    }

    /// The kind of resource that the operation's name speaks of.
    pub(crate) fn resource_type(&self) -> ResourceType {
        let name = self.operation.name;
        [
            ("TargetGroup", ResourceType::TargetGroup),
            ("Service", ResourceType::Service),
            ("Listener", ResourceType::Listener),
            ("Rule", ResourceType::Rule),
        ]
        .into_iter()
        .find(|(suffix, _)| name.ends_with(suffix))
        .map_or(ResourceType::Resource, |(_, kind)| kind)
    }
}

/// A JSON object of the members that are there.
pub(crate) fn object<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    Value::Object(
        members.into_iter().filter_map(|(name, value)| value.map(|value| (name.to_owned(), value))).collect(),
    )
}
