//! The operations that are served: which function serves which, and what each is called with.

mod access_logs;
mod associations;
mod configurations;
mod domains;
mod gateways;
pub(crate) mod input;
mod listeners;
mod networks;
mod policies;
mod rules;
mod services;
mod tags;
mod target_groups;
mod targets;

use serde_json::{Map, Value};

use crate::clock::{Clock, SimTime};
use crate::error::{Refusal, ResourceType};
use crate::faults::Unsuccessful;
use crate::model::Operation;
use crate::settings::Settings;
use crate::settings::choice::{DuplicateAnswer, GoneAnswer};
use crate::state::life::Failure;
use crate::state::resource::Resource;
use crate::state::table::Table;
use crate::state::{End, State, arn};
use crate::surroundings::Surroundings;

/// What an operation is called with. The input has been checked against the model.
pub(crate) struct Call<'a> {
    pub(crate) operation: &'static Operation,
    pub(crate) input: &'a Map<String, Value>,
    /// The id of the account that calls.
    pub(crate) account: &'a str,
    pub(crate) now: SimTime,
    pub(crate) clock: &'a Clock,
    pub(crate) settings: &'a Settings,
    pub(crate) region: &'a str,
    pub(crate) seed: u64,
    pub(crate) surroundings: &'a Surroundings,
    /// Targets that a fault rule wants refused.
    pub(crate) unsuccessful: Option<&'a Unsuccessful>,
    /// What a fault rule lets the creation, update or deletion that the call begins end in.
    pub(crate) fails: Option<&'a Failure>,
}

/// Serves one operation: the answer's body, or why it is refused.
pub(crate) type Serve = fn(&mut State, &Call<'_>) -> Result<Value, Refusal>;

/// The function that serves an operation, `None` for those that the simulator does not have.
pub(crate) fn serve(name: &str) -> Option<Serve> {
    Some(match name {
        "BatchUpdateRule" => rules::batch_update,
        "CreateAccessLogSubscription" => access_logs::create,
        "CreateListener" => listeners::create,
        "CreateResourceConfiguration" => configurations::create,
        "CreateResourceGateway" => gateways::create,
        "CreateRule" => rules::create,
        "CreateService" => services::create,
        "CreateServiceNetwork" => networks::create,
        "CreateServiceNetworkResourceAssociation" => associations::resources::create,
        "CreateServiceNetworkServiceAssociation" => associations::services::create,
        "CreateServiceNetworkVpcAssociation" => associations::vpcs::create,
        "CreateTargetGroup" => target_groups::create,
        "DeleteAccessLogSubscription" => access_logs::delete,
        "DeleteAuthPolicy" => policies::delete_auth,
        "DeleteDomainVerification" => domains::delete,
        "DeleteListener" => listeners::delete,
        "DeleteResourceConfiguration" => configurations::delete,
        "DeleteResourceEndpointAssociation" => associations::endpoints::delete,
        "DeleteResourceGateway" => gateways::delete,
        "DeleteResourcePolicy" => policies::delete_resource,
        "DeleteRule" => rules::delete,
        "DeleteService" => services::delete,
        "DeleteServiceNetwork" => networks::delete,
        "DeleteServiceNetworkResourceAssociation" => associations::resources::delete,
        "DeleteServiceNetworkServiceAssociation" => associations::services::delete,
        "DeleteServiceNetworkVpcAssociation" => associations::vpcs::delete,
        "DeleteTargetGroup" => target_groups::delete,
        "DeregisterTargets" => targets::deregister,
        "GetAccessLogSubscription" => access_logs::get,
        "GetAuthPolicy" => policies::get_auth,
        "GetDomainVerification" => domains::get,
        "GetListener" => listeners::get,
        "GetResourceConfiguration" => configurations::get,
        "GetResourceGateway" => gateways::get,
        "GetResourcePolicy" => policies::get_resource,
        "GetRule" => rules::get,
        "GetService" => services::get,
        "GetServiceNetwork" => networks::get,
        "GetServiceNetworkResourceAssociation" => associations::resources::get,
        "GetServiceNetworkServiceAssociation" => associations::services::get,
        "GetServiceNetworkVpcAssociation" => associations::vpcs::get,
        "GetTargetGroup" => target_groups::get,
        "ListAccessLogSubscriptions" => access_logs::list,
        "ListDomainVerifications" => domains::list,
        "ListListeners" => listeners::list,
        "ListResourceConfigurations" => configurations::list,
        "ListResourceEndpointAssociations" => associations::endpoints::list_resources,
        "ListResourceGateways" => gateways::list,
        "ListRules" => rules::list,
        "ListServiceNetworkResourceAssociations" => associations::resources::list,
        "ListServiceNetworkServiceAssociations" => associations::services::list,
        "ListServiceNetworkVpcAssociations" => associations::vpcs::list,
        "ListServiceNetworkVpcEndpointAssociations" => associations::endpoints::list_networks,
        "ListServiceNetworks" => networks::list,
        "ListServices" => services::list,
        "ListTagsForResource" => tags::list,
        "ListTargetGroups" => target_groups::list,
        "ListTargets" => targets::list,
        "PutAuthPolicy" => policies::put_auth,
        "PutResourcePolicy" => policies::put_resource,
        "RegisterTargets" => targets::register,
        "StartDomainVerification" => domains::start,
        "TagResource" => tags::tag,
        "UntagResource" => tags::untag,
        "UpdateAccessLogSubscription" => access_logs::update,
        "UpdateListener" => listeners::update,
        "UpdateResourceConfiguration" => configurations::update,
        "UpdateResourceGateway" => gateways::update,
        "UpdateRule" => rules::update,
        "UpdateService" => services::update,
        "UpdateServiceNetwork" => networks::update,
        "UpdateServiceNetworkVpcAssociation" => associations::vpcs::update,
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

    pub(crate) fn number(&self, member: &str) -> Option<u64> {
        self.input.get(member).and_then(Value::as_u64)
    }

    pub(crate) fn boolean(&self, member: &str) -> Option<bool> {
        self.input.get(member).and_then(Value::as_bool)
    }

    /// The id that an optional identifier means, for the filter of a list.
    pub(crate) fn filter(&self, member: &str) -> Option<&str> {
        self.optional_text(member).map(arn::last_part)
    }

    /// A list of strings, empty where there is none.
    pub(crate) fn texts(&self, member: &str) -> Vec<String> {
        let items = self.input.get(member).and_then(Value::as_array).into_iter().flatten();
        items.filter_map(Value::as_str).map(str::to_owned).collect()
    }

    pub(crate) fn quota(&self, kind: ResourceType, message: impl Into<String>) -> Refusal {
        Refusal::quota(self.settings, kind, None, message)
    }

    /// What belongs to another account may be seen, and not be changed.
    pub(crate) fn denied(&self, arn: &str) -> Refusal {
        let (account, operation) = (self.account, self.operation.name);
        Refusal::denied(format!(
            "User: arn:aws:iam::{account}:root is not authorized to perform: vpc-lattice:{operation} on resource: {arn}"
        ))
    }

    /// The conflict of a change that the resource's status does not allow.
    pub(crate) fn busy<T: Resource>(&self, row: &T) -> Refusal {
        Refusal::busy(self.settings, T::KIND, row.id(), row.life().status(self.now))
    }

    /// The answer to what is there already.
    pub(crate) fn duplicate(
        &self,
        answer: DuplicateAnswer,
        kind: ResourceType,
        id: &str,
        member: &str,
        message: String,
    ) -> Refusal {
        match answer {
            DuplicateAnswer::Conflict => self.conflict(kind, id, message),
            DuplicateAnswer::Validation => Refusal::field(member, message),
        }
    }

    /// Refuses a new resource whose name the account has given already, or that is one more than the quota allows.
    pub(crate) fn admit<T: Resource>(&self, table: &Table<T>, quota: usize) -> Result<(), Refusal> {
        let name = self.text("name");
        let mut own = 0;
        for row in table.rows().filter(|row| row.account() == self.account) {
            own += 1;
            if row.name() == name {
                let message = format!("There is a {} with the name {name} already.", T::NOUN);
                return Err(self.duplicate(self.settings.duplicate_name, T::KIND, row.id(), "name", message));
            }
        }
        if own >= quota {
            return Err(self.quota(T::KIND, format!("The limit of {quota} {}s is reached.", T::NOUN)));
        }
        Ok(())
    }
}

/// Deletes a resource that the call names, `takes` long: the row as it is now, `None` if it was gone already and the
/// settings call that a success. A deletion that is under way is repeated without effect.
///
/// `refuse` says what hinders the deletion; it is asked when a deletion begins.
fn delete<T: Resource>(
    state: &mut State,
    call: &Call<'_>,
    member: &str,
    takes: SimTime,
    end: impl FnOnce(String) -> End,
    refuse: impl FnOnce(&State, &T) -> Result<(), Refusal>,
) -> Result<Option<String>, Refusal> {
    let row = match (state.own::<T>(call, member), call.settings.delete_after_gone) {
        (Err(refusal), GoneAnswer::Success) if refusal.is_not_found() => return Ok(None),
        (found, _) => found?,
    };
    let id = row.id().to_owned();
    if row.life().deleting(call.now) {
        return Ok(Some(id));
    }
    if row.life().busy(call.now) {
        return Err(call.busy(row));
    }
    refuse(state, row)?;
    let row = T::table_mut(state).get_mut(&id);
    if let Some(time) = row.and_then(|row| row.life_mut().delete(call, takes)) {
        state.end_at(time, end(id.clone()));
    }
    Ok(Some(id))
}

/// A JSON object of the members that are there.
pub(crate) fn object(members: impl IntoIterator<Item = (&'static str, Option<Value>)>) -> Value {
    let present = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(present.collect())
}
