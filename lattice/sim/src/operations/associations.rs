//! What is associated with service networks: services, VPCs, resource configurations, VPC endpoints.

pub(super) mod endpoints;
pub(super) mod resources;
pub(super) mod services;
pub(super) mod vpcs;

use serde_json::{Value, json};

use crate::error::Refusal;
use crate::state::network::ServiceNetwork;
use crate::state::resource::Resource;
use crate::state::table::Table;
use crate::state::{State, arn};

use super::Call;

const NETWORK: &str = "serviceNetworkIdentifier";

/// The service network that a creation names, whose identifier the model may leave without a pattern.
fn network<'a>(state: &'a State, call: &Call<'_>) -> Result<&'a ServiceNetwork, Refusal> {
    let identifier = call.text(NETWORK);
    let id = if identifier.starts_with("arn:") { arn::last_part(identifier) } else { identifier };
    let rest = id.strip_prefix("sn-").unwrap_or_default();
    let fits = rest.len() == 17
        && rest.bytes().all(|character| character.is_ascii_digit() || character.is_ascii_lowercase());
    if !fits {
        return Err(Refusal::field(NETWORK, "must be the id or the ARN of a service network"));
    }
    state.visible(call, NETWORK)
}

/// Refuses one association more than the quota of the service network allows.
fn within_quota<T: Resource>(
    call: &Call<'_>,
    network: &str,
    table: &Table<T>,
    network_of: impl Fn(&T) -> &str,
    quota: usize,
) -> Result<(), Refusal> {
    if table.rows().filter(|row| network_of(row) == network).count() < quota {
        return Ok(());
    }
    let message = format!("The limit of {quota} {}s per service network is reached.", T::NOUN);
    Err(call.quota(T::KIND, message))
}

/// Whether the account may see an association: what it made, and what others made with something of its own.
fn involved<T: Resource>(call: &Call<'_>, row: &T, owners: [Option<&str>; 2]) -> bool {
    row.account() == call.account || owners.contains(&Some(call.account))
}

/// The members of a service network in an association.
fn network_members(state: &State, id: &str) -> [(&'static str, Option<Value>); 3] {
    let network = state.networks.get(id);
    [
        ("serviceNetworkId", Some(json!(id))),
        ("serviceNetworkName", network.map(|network| json!(network.name))),
        ("serviceNetworkArn", network.map(|network| json!(network.arn))),
    ]
}

fn owner_of_network<'a>(state: &'a State, id: &str) -> Option<&'a str> {
    state.networks.get(id).map(|network| network.account.as_str())
}

/// The association that the call names, if the account has to do with it.
fn find<'a, T: Resource>(
    state: &'a State,
    call: &Call<'_>,
    member: &str,
    owners: impl Fn(&'a T) -> [Option<&'a str>; 2],
) -> Result<&'a T, Refusal> {
    let identifier = call.text(member);
    let row = T::table(state).get(arn::last_part(identifier)).filter(|row| {
        (!identifier.starts_with("arn:") || row.arn() == identifier) && involved(call, *row, owners(row))
    });
    row.ok_or_else(|| call.not_found(T::KIND, identifier))
}

/// Refuses to change an association that the account sees, since something of its own is in it, but has not made.
fn refuse_foreign<'a, T: Resource + 'a>(
    state: &'a State,
    call: &Call<'_>,
    member: &str,
    owners: impl Fn(&'a T) -> [Option<&'a str>; 2],
) -> Result<(), Refusal> {
    match find(state, call, member, owners) {
        Ok(row) if row.account() != call.account => Err(call.denied(row.arn())),
        _ => Ok(()),
    }
}

/// The answer to a deletion of what is gone already.
fn gone(call: &Call<'_>, member: &str, path: &str) -> Value {
    let id = arn::last_part(call.text(member));
    let arn = arn::arn(call.region, call.account, &format!("{path}/{id}"));
    json!({"id": id, "arn": arn, "status": "DELETE_IN_PROGRESS"})
}

/// Refuses a second association of the same two.
fn refuse_second<T: Resource>(
    call: &Call<'_>,
    table: &Table<T>,
    same: impl Fn(&T) -> bool,
    message: &str,
) -> Result<(), Refusal> {
    match table.rows().find(|row| same(row)) {
        None => Ok(()),
        Some(row) if row.life().deleting(call.now) => Err(call.busy(row)),
        Some(row) => Err(call.conflict(T::KIND, row.id(), message)),
    }
}
