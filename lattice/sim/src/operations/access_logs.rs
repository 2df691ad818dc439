//! Access log subscriptions: create, get, list, update, delete.

use serde_json::{Value, json};

use crate::error::{Refusal, ResourceType};
use crate::settings::choice::{ConfigurationLogs, GoneAnswer};
use crate::state::backend::{AccessLogSubscription, ResourceConfiguration};
use crate::state::life::Life;
use crate::state::network::ServiceNetwork;
use crate::state::service::Service;
use crate::state::{State, arn, page};

use super::tags::new_tags;
use super::{Call, object};

const KIND: ResourceType = ResourceType::AccessLogSubscription;
const IDENTIFIER: &str = "accessLogSubscriptionIdentifier";
const RESOURCE: &str = "resourceIdentifier";

/// Kinds of destination by the service in their ARN.
const DESTINATIONS: [&str; 3] = ["s3", "logs", "firehose"];

pub(super) fn create(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let tags = new_tags(call)?;
    if let Some(id) = state.tokens.replay(call, KIND, |id| state.log_subscriptions.place(id).is_some())?
        && let Some(subscription) = state.log_subscriptions.get(&id)
    {
        return Ok(created(subscription));
    }
    let (resource, resource_arn) = resource(state, call)?;
    let destination = call.text("destinationArn").to_owned();
    let service = destination_service(&destination)?;
    let log_type = call.optional_text("serviceNetworkLogType");
    let of_network = resource.starts_with("sn-");
    if log_type.is_some() && !of_network {
        return Err(Refusal::field("serviceNetworkLogType", "is for service networks only"));
    }
    let log_type = log_type.or_else(|| of_network.then_some("SERVICE")).map(str::to_owned);
    refuse_second(state, call, (&resource, &resource_arn), log_type.as_deref(), service, None)?;
    let (id, arn) = state.name::<AccessLogSubscription>(call);
    let subscription = AccessLogSubscription {
        id: id.clone(),
        arn,
        account: call.account.to_owned(),
        resource,
        resource_arn,
        destination,
        log_type,
        tags,
        life: Life::at(call.now),
    };
    let answer = created(&subscription);
    state.log_subscriptions.insert(id.clone(), subscription);
    state.tokens.remember(call, &id);
    Ok(answer)
}

/// Id and ARN of the service, service network or resource configuration that the call names.
fn resource(state: &State, call: &Call<'_>) -> Result<(String, String), Refusal> {
    let id = arn::last_part(call.text(RESOURCE));
    if id.starts_with("svc-") {
        let service: &Service = state.own(call, RESOURCE)?;
        Ok((service.id.clone(), service.arn.clone()))
    } else if id.starts_with("sn-") {
        let network: &ServiceNetwork = state.own(call, RESOURCE)?;
        Ok((network.id.clone(), network.arn.clone()))
    } else if call.settings.configuration_logs == ConfigurationLogs::Refused {
        Err(Refusal::field(RESOURCE, "must name a service or a service network"))
    } else {
        let configuration: &ResourceConfiguration = state.own(call, RESOURCE)?;
        Ok((configuration.id.clone(), configuration.arn.clone()))
    }
}

/// Refuses a second subscription of a resource, here with its id and ARN, for the same traffic and kind of destination.
/// `but` is the one that is altered.
fn refuse_second(
    state: &State,
    call: &Call<'_>,
    (resource, resource_arn): (&str, &str),
    log_type: Option<&str>,
    service: &str,
    but: Option<&str>,
) -> Result<(), Refusal> {
    let same_kind = |row: &&AccessLogSubscription| {
        row.resource_arn == resource_arn
            && row.log_type.as_deref() == log_type
            && but.is_none_or(|but| row.id != but)
            && destination_service(&row.destination).is_ok_and(|other| other == service)
    };
    match state.log_subscriptions.rows().find(same_kind) {
        None => Ok(()),
        Some(other) => {
            let message =
                format!("{resource} has an access log subscription with this kind of destination already.");
            Err(call.conflict(KIND, &other.id, message))
        }
    }
}

/// The service of a destination's ARN, if logs can go there.
pub(crate) fn destination_service(arn: &str) -> Result<&str, Refusal> {
    let service = arn.split(':').nth(2).unwrap_or_default();
    if DESTINATIONS.contains(&service) {
        return Ok(service);
    }
    let message =
        "must be the ARN of an S3 bucket, a CloudWatch Logs log group or a Firehose delivery stream";
    Err(Refusal::field("destinationArn", message))
}

pub(super) fn get(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    Ok(shown(call, state.own(call, IDENTIFIER)?))
}

pub(super) fn list(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let start = page::start(call)?;
    let resource = call.filter(RESOURCE);
    let rows = state.log_subscriptions.after(start, call.settings.list_order).filter(|(_, row)| {
        row.account == call.account && resource.is_none_or(|resource| row.resource == resource)
    });
    Ok(page::page(call, rows, |row| shown(call, row)))
}

pub(super) fn update(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let destination = call.text("destinationArn").to_owned();
    let service = destination_service(&destination)?;
    let row: &AccessLogSubscription = state.own(call, IDENTIFIER)?;
    let of = (row.resource.as_str(), row.resource_arn.as_str());
    refuse_second(state, call, of, row.log_type.as_deref(), service, Some(&row.id))?;
    let row: &mut AccessLogSubscription = state.own_mut(call, IDENTIFIER)?;
    row.destination = destination;
    row.life.updated = call.now;
    let mut answer = created(row);
    if let Some(members) = answer.as_object_mut() {
        members.remove("serviceNetworkLogType");
    }
    Ok(answer)
}

pub(super) fn delete(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    match (state.own::<AccessLogSubscription>(call, IDENTIFIER), call.settings.delete_after_gone) {
        (Err(refusal), GoneAnswer::Success) if refusal.is_not_found() => {}
        (found, _) => {
            let id = found?.id.clone();
            state.log_subscriptions.remove(&id);
        }
    }
    Ok(json!({}))
}

/// The answer to creation, and what the answer to Get begins with.
fn created(row: &AccessLogSubscription) -> Value {
    object([
        ("id", Some(json!(row.id))),
        ("arn", Some(json!(row.arn))),
        ("resourceId", Some(json!(row.resource))),
        ("resourceArn", Some(json!(row.resource_arn))),
        ("destinationArn", Some(json!(row.destination))),
        ("serviceNetworkLogType", row.log_type.clone().map(Value::from)),
    ])
}

fn shown(call: &Call<'_>, row: &AccessLogSubscription) -> Value {
    let mut answer = created(row);
    answer["createdAt"] = json!(call.iso(row.life.created));
    answer["lastUpdatedAt"] = json!(call.iso(row.life.updated));
    answer
}
