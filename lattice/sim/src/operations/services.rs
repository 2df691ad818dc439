//! Services: create, get, list, update, delete.

use serde_json::{Value, json};

use crate::error::{Refusal, ResourceType};
use crate::settings::choice::{DuplicateAnswer, GoneAnswer};
use crate::state::service::Service;
use crate::state::table::Table;
use crate::state::{End, State, arn, page};

use super::tags::new_tags;
use super::{Call, object};

const KIND: ResourceType = ResourceType::Service;

/// Seconds that a connection may be idle unless a service says otherwise. Source: API reference, CreateService.
const DEFAULT_IDLE_TIMEOUT: u64 = 60;

pub(super) fn create(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let tags = new_tags(call)?;
    if let Some(id) = state.tokens.replay(call, |id| state.services.place(id).is_some())?
        && let Some(service) = state.services.get(&id)
    {
        return Ok(created(call, service));
    }
    let name = call.text("name");
    let mut own = 0;
    for service in state.services.rows().filter(|service| service.account == call.account.id) {
        own += 1;
        if service.name == name {
            let message = format!("A service with the name {name} exists already.");
            return Err(match call.settings.duplicate_name {
                DuplicateAnswer::Conflict => call.conflict(KIND, &service.id, message),
                DuplicateAnswer::Validation => Refusal::field("name", message),
            });
        }
    }
    if own >= call.settings.services.0 {
        let message = format!("The limit of {} services is reached.", call.settings.services.0);
        return Err(Refusal::quota(call.settings, KIND, None, message));
    }
    let id = state.new_id("svc-");
    let domain_name = format!(
        "{name}-{}.{}.vpc-lattice-svcs.{}.on.aws",
        id.trim_start_matches("svc-"),
        call.settings.partition_id.0,
        call.region
    );
    let service = Service {
        arn: arn::arn(call.region, &call.account.id, &format!("service/{id}")),
        account: call.account.id.clone(),
        name: name.to_owned(),
        custom_domain: call.optional_text("customDomainName").map(str::to_owned),
        certificate: certificate(call),
        auth_type: call.optional_text("authType").unwrap_or("NONE").to_owned(),
        idle_timeout: call
            .input
            .get("idleTimeoutSeconds")
            .and_then(Value::as_u64)
            .unwrap_or(DEFAULT_IDLE_TIMEOUT),
        domain_name,
        tags,
        created: call.now,
        updated: call.now,
        active_at: call.now + call.settings.service_create.0,
        deleting: false,
        listeners: Table::default(),
        id: id.clone(),
    };
    let answer = created(call, &service);
    state.services.insert(id.clone(), service);
    state.tokens.remember(call, &id);
    Ok(answer)
}

pub(super) fn get(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let service = find(state, call)?;
    Ok(object([
        ("id", Some(json!(service.id))),
        ("name", Some(json!(service.name))),
        ("arn", Some(json!(service.arn))),
        ("createdAt", Some(json!(call.iso(service.created)))),
        ("lastUpdatedAt", Some(json!(call.iso(service.updated)))),
        ("dnsEntry", Some(dns_entry(call, service))),
        ("customDomainName", service.custom_domain.clone().map(Value::from)),
        ("certificateArn", service.certificate.clone().map(Value::from)),
        ("status", Some(json!(service.status(call.now)))),
        ("authType", Some(json!(service.auth_type))),
        ("idleTimeoutSeconds", Some(json!(service.idle_timeout))),
    ]))
}

pub(super) fn list(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let start = page::start(call)?;
    let services = state.services.after(start, call.settings.list_order);
    let services = services.filter(|(_, service)| service.account == call.account.id);
    Ok(page::page(call, services, |service| {
        object([
            ("id", Some(json!(service.id))),
            ("name", Some(json!(service.name))),
            ("arn", Some(json!(service.arn))),
            ("createdAt", Some(json!(call.iso(service.created)))),
            ("lastUpdatedAt", Some(json!(call.iso(service.updated)))),
            ("dnsEntry", Some(dns_entry(call, service))),
            ("customDomainName", service.custom_domain.clone().map(Value::from)),
            ("status", Some(json!(service.status(call.now)))),
        ])
    }))
}

pub(super) fn update(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let service = find_mut(state, call)?;
    let status = service.status(call.now);
    if status != "ACTIVE" {
        return Err(Refusal::busy(call.settings, KIND, &service.id, status));
    }
    if call.input.contains_key("certificateArn") {
        service.certificate = certificate(call);
    }
    if let Some(auth_type) = call.optional_text("authType") {
        auth_type.clone_into(&mut service.auth_type);
    }
    if let Some(seconds) = call.input.get("idleTimeoutSeconds").and_then(Value::as_u64) {
        service.idle_timeout = seconds;
    }
    service.updated = call.now;
    Ok(object([
        ("id", Some(json!(service.id))),
        ("arn", Some(json!(service.arn))),
        ("name", Some(json!(service.name))),
        ("customDomainName", service.custom_domain.clone().map(Value::from)),
        ("certificateArn", service.certificate.clone().map(Value::from)),
        ("authType", Some(json!(service.auth_type))),
        ("idleTimeoutSeconds", Some(json!(service.idle_timeout))),
    ]))
}

pub(super) fn delete(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let id = call.id("serviceIdentifier", KIND)?.to_owned();
    let Some(service) = state.services.get_mut(&id).filter(|service| service.account == call.account.id)
    else {
        return match call.settings.delete_after_gone {
            GoneAnswer::NotFound => Err(call.not_found(KIND, &id)),
            GoneAnswer::Success => Ok(json!({
                "id": id,
                "arn": arn::arn(call.region, &call.account.id, &format!("service/{id}")),
                "status": "DELETE_IN_PROGRESS",
            })),
        };
    };
    let status = service.status(call.now);
    if status == "CREATE_IN_PROGRESS" {
        return Err(Refusal::busy(call.settings, KIND, &id, status));
    }
    let begun = std::mem::replace(&mut service.deleting, true);
    let answer = json!({
        "id": service.id,
        "arn": service.arn,
        "name": service.name,
        "status": service.status(call.now),
    });
    if !begun {
        state.end_at(call.now + call.settings.service_delete.0, End::Service { id });
    }
    Ok(answer)
}

/// The service that the call names, if the account has it.
pub(super) fn find<'a>(state: &'a State, call: &Call<'_>) -> Result<&'a Service, Refusal> {
    let id = call.id("serviceIdentifier", KIND)?;
    let service = state.services.get(id).filter(|service| service.account == call.account.id);
    service.ok_or_else(|| call.not_found(KIND, id))
}

/// As [`find`], to change it.
pub(super) fn find_mut<'a>(state: &'a mut State, call: &Call<'_>) -> Result<&'a mut Service, Refusal> {
    let id = call.id("serviceIdentifier", KIND)?;
    let service = state.services.get_mut(id).filter(|service| service.account == call.account.id);
    service.ok_or_else(|| call.not_found(KIND, id))
}

fn created(call: &Call<'_>, service: &Service) -> Value {
    object([
        ("id", Some(json!(service.id))),
        ("arn", Some(json!(service.arn))),
        ("name", Some(json!(service.name))),
        ("customDomainName", service.custom_domain.clone().map(Value::from)),
        ("certificateArn", service.certificate.clone().map(Value::from)),
        ("status", Some(json!(service.status(call.now)))),
        ("authType", Some(json!(service.auth_type))),
        ("idleTimeoutSeconds", Some(json!(service.idle_timeout))),
        ("dnsEntry", Some(dns_entry(call, service))),
    ])
}

fn dns_entry(call: &Call<'_>, service: &Service) -> Value {
    json!({"domainName": service.domain_name, "hostedZoneId": call.settings.hosted_zone_id.0})
}

/// The certificate that the call names. The model allows the empty text, which means none.
fn certificate(call: &Call<'_>) -> Option<String> {
    call.optional_text("certificateArn").filter(|arn| !arn.is_empty()).map(str::to_owned)
}
