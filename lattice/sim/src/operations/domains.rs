//! Domain verifications: start, get, list, delete.

use serde_json::{Value, json};

use crate::error::{Refusal, ResourceType};
use crate::settings::choice::{DomainOutcome, GoneAnswer};
use crate::state::backend::DomainVerification;
use crate::state::life::Life;
use crate::state::{State, page};

use super::tags::new_tags;
use super::{Call, object};

const KIND: ResourceType = ResourceType::DomainVerification;
const IDENTIFIER: &str = "domainVerificationIdentifier";

pub(super) fn start(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let tags = new_tags(call)?;
    if let Some(id) = state.tokens.replay(call, KIND, |id| state.verifications.place(id).is_some())?
        && let Some(verification) = state.verifications.get(&id)
    {
        return Ok(started(call, verification));
    }
    let domain = call.text("domainName");
    let own = || state.verifications.rows().filter(|row| row.account == call.account);
    if let Some(other) = own().find(|row| row.domain == domain) {
        return Err(call.conflict(KIND, &other.id, format!("{domain} is being verified already.")));
    }
    let quota = call.settings.domain_verifications.0;
    if own().count() >= quota {
        return Err(call.quota(KIND, format!("The limit of {quota} domain verifications is reached.")));
    }
    let (id, arn) = state.name::<DomainVerification>(call);
    let verification = DomainVerification {
        id: id.clone(),
        arn,
        account: call.account.to_owned(),
        domain: domain.to_owned(),
        record: (format!("_vpc-lattice.{domain}"), state.new_id("vpc-lattice-verification-")),
        decided: call.now + call.settings.domain_verification.0,
        timed_out: call.settings.domain_outcome == DomainOutcome::TimedOut,
        tags,
        life: Life::at(call.now),
    };
    let answer = started(call, &verification);
    state.verifications.insert(id.clone(), verification);
    state.tokens.remember(call, &id);
    Ok(answer)
}

pub(super) fn get(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    Ok(shown(call, state.own(call, IDENTIFIER)?))
}

pub(super) fn list(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let start = page::start(call)?;
    let rows = state.verifications.after(start, call.settings.list_order);
    let rows = rows.filter(|(_, row)| row.account == call.account);
    Ok(page::page(call, rows, |row| shown(call, row)))
}

pub(super) fn delete(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    match (state.own::<DomainVerification>(call, IDENTIFIER), call.settings.delete_after_gone) {
        (Err(refusal), GoneAnswer::Success) if refusal.is_not_found() => {}
        (found, _) => {
            let id = found?.id.clone();
            state.verifications.remove(&id);
            // The model has no conflict here, so what it backed goes on without it.
            for configuration in state.configurations.rows_mut() {
                configuration.verification.take_if(|of| *of == id);
            }
        }
    }
    Ok(json!({}))
}

fn started(call: &Call<'_>, row: &DomainVerification) -> Value {
    json!({
        "id": row.id,
        "arn": row.arn,
        "domainName": row.domain,
        "status": row.status(call.now),
        "txtMethodConfig": {"name": row.record.0, "value": row.record.1},
    })
}

fn shown(call: &Call<'_>, row: &DomainVerification) -> Value {
    object([
        ("id", Some(json!(row.id))),
        ("arn", Some(json!(row.arn))),
        ("domainName", Some(json!(row.domain))),
        ("status", Some(json!(row.status(call.now)))),
        ("txtMethodConfig", Some(json!({"name": row.record.0, "value": row.record.1}))),
        ("createdAt", Some(json!(call.iso(row.life.created)))),
        ("lastVerifiedTime", (row.status(call.now) == "VERIFIED").then(|| json!(call.iso(row.decided)))),
        ("tags", (!row.tags.is_empty()).then(|| json!(row.tags))),
    ])
}
