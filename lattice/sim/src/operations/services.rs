//! Services: create, get, list, update, delete.

use serde_json::{Value, json};

use crate::error::{Refusal, ResourceType};
use crate::state::delayed::Delayed;
use crate::state::life::Life;
use crate::state::policy::AuthPolicy;
use crate::state::service::Service;
use crate::state::table::Table;
use crate::state::{End, State, arn, page};

use super::tags::new_tags;
use super::{Call, delete as delete_resource, object};

const KIND: ResourceType = ResourceType::Service;
const IDENTIFIER: &str = "serviceIdentifier";

/// Seconds that a connection may be idle unless a service says otherwise. Source: API reference, CreateService.
const DEFAULT_IDLE_TIMEOUT: u64 = 60;

pub(super) fn create(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let tags = new_tags(call)?;
    if let Some(id) = state.tokens.replay(call, KIND, |id| state.services.place(id).is_some())?
        && let Some(service) = state.services.get(&id)
    {
        return Ok(created(call, service));
    }
    call.admit(&state.services, call.settings.services.0)?;
    check_certificate(call)?;
    let (id, arn) = state.name::<Service>(call);
    let name = call.text("name");
    let domain_name = format!(
        "{name}-{}.{}.vpc-lattice-svcs.{}.on.aws",
        id.trim_start_matches("svc-"),
        call.settings.partition_id.0,
        call.region
    );
    let service = Service {
        arn,
        account: call.account.to_owned(),
        name: name.to_owned(),
        custom_domain: call.optional_text("customDomainName").map(str::to_owned),
        certificate: certificate(call),
        auth: AuthPolicy::of(call.optional_text("authType")),
        idle_timeout: call.number("idleTimeoutSeconds").unwrap_or(DEFAULT_IDLE_TIMEOUT),
        domain_name,
        tags,
        life: Life::begin(call, call.settings.service_create.0),
        listeners: Table::default(),
        published: Delayed::default(),
        id: id.clone(),
    };
    let answer = created(call, &service);
    state.services.insert(id.clone(), service);
    state.tokens.remember(call, &id);
    Ok(answer)
}

pub(super) fn get(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let service: &Service = state.visible(call, IDENTIFIER)?;
    let failure = service.life.failure(call.now);
    Ok(object([
        ("id", Some(json!(service.id))),
        ("name", Some(json!(service.name))),
        ("arn", Some(json!(service.arn))),
        ("createdAt", Some(json!(call.iso(service.life.created)))),
        ("lastUpdatedAt", Some(json!(call.iso(service.life.updated)))),
        ("dnsEntry", Some(dns_entry(call, service))),
        ("customDomainName", service.custom_domain.clone().map(Value::from)),
        ("certificateArn", service.certificate.clone().map(Value::from)),
        ("status", Some(json!(service.life.status(call.now)))),
        ("authType", Some(json!(service.auth.auth_type()))),
        ("idleTimeoutSeconds", Some(json!(service.idle_timeout))),
        ("failureCode", failure.map(|failure| json!(failure.code))),
        ("failureMessage", failure.map(|failure| json!(failure.message))),
    ]))
}

pub(super) fn list(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let start = page::start(call)?;
    let services = state.services.after(start, call.settings.list_order);
    let services = services.filter(|(_, service)| state.sees(call.account, *service));
    Ok(page::page(call, services, |service| {
        object([
            ("id", Some(json!(service.id))),
            ("name", Some(json!(service.name))),
            ("arn", Some(json!(service.arn))),
            ("createdAt", Some(json!(call.iso(service.life.created)))),
            ("lastUpdatedAt", Some(json!(call.iso(service.life.updated)))),
            ("dnsEntry", Some(dns_entry(call, service))),
            ("customDomainName", service.custom_domain.clone().map(Value::from)),
            ("status", Some(json!(service.life.status(call.now)))),
        ])
    }))
}

pub(super) fn update(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    check_certificate(call)?;
    let service: &mut Service = state.own_mut(call, IDENTIFIER)?;
    if service.life.status(call.now) != "ACTIVE" {
        return Err(call.busy(service));
    }
    if call.input.contains_key("certificateArn") {
        service.certificate = certificate(call);
    }
    if let Some(auth_type) = call.optional_text("authType") {
        service.auth.iam = auth_type == "AWS_IAM";
    }
    if let Some(seconds) = call.number("idleTimeoutSeconds") {
        service.idle_timeout = seconds;
    }
    service.life.updated = call.now;
    Ok(object([
        ("id", Some(json!(service.id))),
        ("arn", Some(json!(service.arn))),
        ("name", Some(json!(service.name))),
        ("customDomainName", service.custom_domain.clone().map(Value::from)),
        ("certificateArn", service.certificate.clone().map(Value::from)),
        ("authType", Some(json!(service.auth.auth_type()))),
        ("idleTimeoutSeconds", Some(json!(service.idle_timeout))),
    ]))
}

pub(super) fn delete(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let refuse = |state: &State, service: &Service| {
        let used = state.service_associations.rows().any(|association| association.service == service.id);
        if used {
            let message = format!("Service {} is associated with a service network.", service.id);
            return Err(call.conflict(KIND, &service.id, message));
        }
        Ok(())
    };
    let takes = call.settings.service_delete.0;
    let found = delete_resource::<Service>(state, call, IDENTIFIER, takes, |id| End::Service { id }, refuse)?;
    let Some(service) = found.and_then(|id| state.services.get(&id)) else {
        let id = arn::last_part(call.text(IDENTIFIER));
        return Ok(json!({
            "id": id,
            "arn": arn::arn(call.region, call.account, &format!("service/{id}")),
            "status": "DELETE_IN_PROGRESS",
        }));
    };
    Ok(json!({
        "id": service.id,
        "arn": service.arn,
        "name": service.name,
        "status": service.life.status(call.now),
    }))
}

fn created(call: &Call<'_>, service: &Service) -> Value {
    object([
        ("id", Some(json!(service.id))),
        ("arn", Some(json!(service.arn))),
        ("name", Some(json!(service.name))),
        ("customDomainName", service.custom_domain.clone().map(Value::from)),
        ("certificateArn", service.certificate.clone().map(Value::from)),
        ("status", Some(json!(service.life.status(call.now)))),
        ("authType", Some(json!(service.auth.auth_type()))),
        ("idleTimeoutSeconds", Some(json!(service.idle_timeout))),
        ("dnsEntry", Some(dns_entry(call, service))),
    ])
}

pub(super) fn dns_entry(call: &Call<'_>, service: &Service) -> Value {
    json!({"domainName": service.domain_name, "hostedZoneId": call.settings.hosted_zone_id.0})
}

/// The certificate that the call names. The model allows the empty text, which means none.
fn certificate(call: &Call<'_>) -> Option<String> {
    call.optional_text("certificateArn").filter(|arn| !arn.is_empty()).map(str::to_owned)
}

/// Refuses a certificate that does not exist.
fn check_certificate(call: &Call<'_>) -> Result<(), Refusal> {
    let known = &call.surroundings.certificates;
    match certificate(call) {
        Some(arn) if !known.is_empty() && !known.iter().any(|certificate| certificate.arn == arn) => {
            Err(Refusal::field("certificateArn", format!("{arn} is no certificate of ACM")))
        }
        _ => Ok(()),
    }
}
