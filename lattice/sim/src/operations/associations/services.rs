//! Service networks and services: create, get, list, delete.

use serde_json::{Value, json};

use crate::error::Refusal;
use crate::operations::services::dns_entry;
use crate::operations::tags::new_tags;
use crate::operations::{Call, delete as delete_resource, object};
use crate::settings::choice::AssociationName;
use crate::state::life::Life;
use crate::state::network::ServiceAssociation;
use crate::state::resource::Resource as _;
use crate::state::service::Service;
use crate::state::{End, State, page};

use super::{
    NETWORK, find, gone, involved, network, network_members, owner_of_network, refuse_foreign, refuse_second,
    within_quota,
};

const IDENTIFIER: &str = "serviceNetworkServiceAssociationIdentifier";

pub(in crate::operations) fn create(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let tags = new_tags(call)?;
    let exists = |id: &str| state.service_associations.place(id).is_some();
    if let Some(id) = state.tokens.replay(call, ServiceAssociation::KIND, exists)?
        && let Some(association) = state.service_associations.get(&id)
    {
        return Ok(created(state, call, association));
    }
    let network = network(state, call)?.id.clone();
    let service: &Service = state.visible(call, "serviceIdentifier")?;
    if service.life.deleting(call.now) {
        return Err(call.busy(service));
    }
    let same = |row: &ServiceAssociation| row.network == network && row.service == service.id;
    let message = format!("Service {} is associated with service network {network} already.", service.id);
    refuse_second(call, &state.service_associations, same, &message)?;
    refuse_taken_domain(state, call, &network, service)?;
    let quota = call.settings.services_per_network.0;
    within_quota(call, &network, &state.service_associations, |row| &row.network, quota)?;

    let service = service.id.clone();
    let (id, arn) = state.name::<ServiceAssociation>(call);
    let association = ServiceAssociation {
        id: id.clone(),
        arn,
        account: call.account.to_owned(),
        service,
        network,
        tags,
        life: Life::begin(call, call.settings.association_create.0),
    };
    let answer = created(state, call, &association);
    state.service_associations.insert(id.clone(), association);
    state.tokens.remember(call, &id);
    Ok(answer)
}

/// A custom domain name is unique within a service network.
fn refuse_taken_domain(
    state: &State,
    call: &Call<'_>,
    network: &str,
    service: &Service,
) -> Result<(), Refusal> {
    let Some(domain) = &service.custom_domain else { return Ok(()) };
    let others = state.service_associations.rows().filter(|row| row.network == network);
    let mut others = others.filter_map(|row| state.services.get(&row.service));
    match others.find(|other| other.custom_domain.as_ref() == Some(domain)) {
        None => Ok(()),
        Some(other) => {
            let message = format!(
                "Service {} has the custom domain name {domain} in service network {network}.",
                other.id
            );
            Err(call.conflict(Service::KIND, &other.id, message))
        }
    }
}

pub(in crate::operations) fn get(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let association = find(state, call, IDENTIFIER, |row| owners(state, row))?;
    let failure = association.life.failure(call.now);
    let mut answer = shown(state, call, association);
    if let Some(failure) = failure {
        answer["failureCode"] = json!(failure.code);
        answer["failureMessage"] = json!(failure.message);
    }
    Ok(answer)
}

pub(in crate::operations) fn list(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let start = page::start(call)?;
    let network = call.filter(NETWORK);
    let service = call.filter("serviceIdentifier");
    if network.is_none() && service.is_none() {
        let message = "serviceNetworkIdentifier or serviceIdentifier must be present";
        return Err(Refusal::invalid("other", message));
    }
    let rows = state.service_associations.after(start, call.settings.list_order).filter(|(_, row)| {
        involved(call, *row, owners(state, row))
            && network.is_none_or(|network| row.network == network)
            && service.is_none_or(|service| row.service == service)
    });
    Ok(page::page(call, rows, |row| shown(state, call, row)))
}

pub(in crate::operations) fn delete(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    refuse_foreign(state, call, IDENTIFIER, |row| owners(state, row))?;
    let takes = call.settings.association_delete.0;
    let end = |id| End::ServiceAssociation { id };
    let found = delete_resource::<ServiceAssociation>(state, call, IDENTIFIER, takes, end, |_, _| Ok(()))?;
    let Some(row) = found.and_then(|id| state.service_associations.get(&id)) else {
        return Ok(gone(call, IDENTIFIER, ServiceAssociation::PATH));
    };
    Ok(json!({"id": row.id, "arn": row.arn, "status": row.life.status(call.now)}))
}

fn owners<'a>(state: &'a State, row: &ServiceAssociation) -> [Option<&'a str>; 2] {
    let service = state.services.get(&row.service).map(|service| service.account.as_str());
    [owner_of_network(state, &row.network), service]
}

fn created(state: &State, call: &Call<'_>, row: &ServiceAssociation) -> Value {
    let service = state.services.get(&row.service);
    object([
        ("id", Some(json!(row.id))),
        ("arn", Some(json!(row.arn))),
        ("status", Some(json!(row.life.status(call.now)))),
        ("createdBy", Some(json!(row.account))),
        ("customDomainName", service.and_then(|service| service.custom_domain.clone()).map(Value::from)),
        ("dnsEntry", service.map(|service| name(call, row, service))),
    ])
}

/// The `dnsEntry` of an association.
fn name(call: &Call<'_>, row: &ServiceAssociation, service: &Service) -> Value {
    let mut entry = dns_entry(call, service);
    if call.settings.association_name == AssociationName::Own {
        entry["domainName"] = json!(format!("{}.{}", row.id, service.domain_name));
    }
    entry
}

/// As Get and List show it.
fn shown(state: &State, call: &Call<'_>, row: &ServiceAssociation) -> Value {
    let service = state.services.get(&row.service);
    let own = [
        ("id", Some(json!(row.id))),
        ("arn", Some(json!(row.arn))),
        ("status", Some(json!(row.life.status(call.now)))),
        ("createdBy", Some(json!(row.account))),
        ("createdAt", Some(json!(call.iso(row.life.created)))),
        ("serviceId", Some(json!(row.service))),
        ("serviceName", service.map(|service| json!(service.name))),
        ("serviceArn", service.map(|service| json!(service.arn))),
        ("customDomainName", service.and_then(|service| service.custom_domain.clone()).map(Value::from)),
        ("dnsEntry", service.map(|service| name(call, row, service))),
    ];
    object(own.into_iter().chain(network_members(state, &row.network)))
}
