//! Resource configurations: create, get, list, update, delete.

mod definition;

use serde_json::{Value, json};

use crate::error::{Refusal, ResourceType};
use crate::settings::choice::GoneAnswer;
use crate::state::backend::{ConfigurationType, DomainVerification, ResourceConfiguration, ResourceGateway};
use crate::state::life::Life;
use crate::state::{End, State, page};

use super::tags::new_tags;
use super::{Call, delete as delete_resource, object};
use definition::{check_definition, check_ports};

const KIND: ResourceType = ResourceType::ResourceConfiguration;
const IDENTIFIER: &str = "resourceConfigurationIdentifier";
const GATEWAY: &str = "resourceGatewayIdentifier";
const GROUP: &str = "resourceConfigurationGroupIdentifier";
const VERIFICATION: &str = "domainVerificationIdentifier";

pub(super) fn create(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let tags = new_tags(call)?;
    let kind = ConfigurationType::parse(call.text("type"))
        .ok_or_else(|| Refusal::field("type", "must be a type of resource configuration"))?;
    if let Some(id) = state.tokens.replay(call, KIND, |id| state.configurations.place(id).is_some())?
        && let Some(configuration) = state.configurations.get(&id)
    {
        return Ok(created(state, call, configuration));
    }
    check_members(call, kind)?;
    let definition = call.input.get("resourceConfigurationDefinition");
    let gateway: Option<&ResourceGateway> =
        call.optional_text(GATEWAY).map(|_| state.own(call, GATEWAY)).transpose()?;
    if let Some(gateway) = gateway.filter(|gateway| gateway.life.status(call.now) != "ACTIVE") {
        return Err(call.busy(gateway));
    }
    check_definition(kind, definition, gateway)?;
    let protocol = match (kind, call.optional_text("protocol")) {
        (ConfigurationType::Arn | ConfigurationType::Group, given) => given,
        (_, given) => Some(given.unwrap_or("TCP")),
    };
    if protocol == Some("TCP_UDP") && kind != ConfigurationType::Cidr {
        return Err(Refusal::field("protocol", "TCP_UDP is for the type CIDR only"));
    }
    let ports = call.texts("portRanges");
    check_ports(&ports, protocol)?;
    let group = call.optional_text(GROUP).map(|_| parent(state, call)).transpose()?;
    let verification: Option<&DomainVerification> =
        call.optional_text(VERIFICATION).map(|_| state.own(call, VERIFICATION)).transpose()?;
    check_domain(call, verification)?;
    call.admit(&state.configurations, call.settings.configurations.0)?;

    let (gateway, group) = (
        gateway.map(|gateway| gateway.id.clone()).or_else(|| group.and_then(|group| group.gateway.clone())),
        group.map(|group| group.id.clone()),
    );
    let verification = verification.map(|verification| verification.id.clone());
    // The lowest number that is free, so that addresses are used again.
    let mut numbers: Vec<u32> = state.configurations.rows().map(|row| row.number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let number = (0..).zip(&numbers).take_while(|(n, taken)| n == *taken).count();
    let (id, arn) = state.name::<ResourceConfiguration>(call);
    let configuration = ResourceConfiguration {
        id: id.clone(),
        arn,
        account: call.account.to_owned(),
        name: call.text("name").to_owned(),
        kind,
        gateway,
        group,
        ports,
        protocol: protocol.map(str::to_owned),
        definition: definition.cloned(),
        shareable: call.boolean("allowAssociationToShareableServiceNetwork").unwrap_or_default(),
        custom_domain: call.optional_text("customDomainName").map(str::to_owned),
        group_domain: call.optional_text("groupDomain").map(str::to_owned),
        verification,
        number: u32::try_from(number).unwrap_or(u32::MAX),
        tags,
        life: Life::begin(call, call.settings.configuration_create.0),
    };
    let answer = created(state, call, &configuration);
    state.configurations.insert(id.clone(), configuration);
    state.tokens.remember(call, &id);
    state.lead_endpoints(call.surroundings, call.region, call.now);
    Ok(answer)
}

/// What each type has to name, and what it may not.
fn check_members(call: &Call<'_>, kind: ConfigurationType) -> Result<(), Refusal> {
    use ConfigurationType::{Arn, Child, Cidr, Group, Single};
    let present = |member: &str| call.input.contains_key(member);
    let rules: [(&str, &[ConfigurationType], &[ConfigurationType]); 6] = [
        // Member, types that need it, types that may not have it.
        ("resourceConfigurationDefinition", &[Child, Single, Arn, Cidr], &[Group]),
        (GATEWAY, &[Single, Group, Cidr], &[Child, Arn]),
        (GROUP, &[Child], &[Single, Group, Arn, Cidr]),
        ("portRanges", &[Child, Single, Cidr], &[Arn, Group]),
        ("groupDomain", &[], &[Child, Single, Arn, Cidr]),
        ("customDomainName", &[], &[Group, Cidr]),
    ];
    for (member, needed, refused) in rules {
        if needed.contains(&kind) && !present(member) {
            return Err(Refusal::field(member, format!("must be present for the type {}", kind.text())));
        }
        if refused.contains(&kind) && present(member) {
            return Err(Refusal::field(member, format!("is not allowed for the type {}", kind.text())));
        }
    }
    Ok(())
}

/// The group that a child is to be in.
fn parent<'a>(state: &'a State, call: &Call<'_>) -> Result<&'a ResourceConfiguration, Refusal> {
    let group: &ResourceConfiguration = state.own(call, GROUP)?;
    if group.kind != ConfigurationType::Group {
        return Err(Refusal::field(GROUP, format!("{} is not of the type GROUP", group.id)));
    }
    if group.life.busy(call.now) {
        return Err(call.busy(group));
    }
    let children = state.configurations.rows().filter(|row| row.group.as_ref() == Some(&group.id)).count();
    let quota = call.settings.children_per_configuration.0;
    if children >= quota {
        let message = format!("The limit of {quota} resource configurations of a group is reached.");
        return Err(call.quota(KIND, message));
    }
    Ok(group)
}

/// A custom domain name has to be the verified one or below it.
fn check_domain(call: &Call<'_>, verification: Option<&DomainVerification>) -> Result<(), Refusal> {
    let Some(verification) = verification else { return Ok(()) };
    let name = call.optional_text("customDomainName").or_else(|| call.optional_text("groupDomain"));
    let within = name.is_some_and(|name| {
        name.strip_suffix(verification.domain.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    });
    if within {
        return Ok(());
    }
    let message = format!("is for {}, which is not the domain of the resource", verification.domain);
    Err(Refusal::field(VERIFICATION, message))
}

pub(super) fn get(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let configuration: &ResourceConfiguration = state.visible(call, IDENTIFIER)?;
    let mut answer = created(state, call, configuration);
    answer["lastUpdatedAt"] = json!(call.iso(configuration.life.updated));
    answer["amazonManaged"] = json!(false);
    let verification = configuration.verification.as_deref().and_then(|id| state.verifications.get(id));
    if let Some(verification) = verification {
        answer["domainVerificationStatus"] = json!(verification.status(call.now));
    }
    Ok(answer)
}

pub(super) fn list(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let start = page::start(call)?;
    let (gateway, group) = (call.filter(GATEWAY), call.filter(GROUP));
    let verification = call.filter(VERIFICATION);
    let rows = state.configurations.after(start, call.settings.list_order).filter(|(_, row)| {
        state.sees(call.account, *row)
            && gateway.is_none_or(|gateway| row.gateway.as_deref() == Some(gateway))
            && group.is_none_or(|group| row.group.as_deref() == Some(group))
            && verification.is_none_or(|verification| row.verification.as_deref() == Some(verification))
    });
    Ok(page::page(call, rows, |row| {
        object([
            ("id", Some(json!(row.id))),
            ("name", Some(json!(row.name))),
            ("arn", Some(json!(row.arn))),
            ("type", Some(json!(row.kind.text()))),
            ("status", Some(json!(row.life.status(call.now)))),
            ("resourceGatewayId", row.gateway.clone().map(Value::from)),
            ("resourceConfigurationGroupId", row.group.clone().map(Value::from)),
            ("amazonManaged", Some(json!(false))),
            ("createdAt", Some(json!(call.iso(row.life.created)))),
            ("lastUpdatedAt", Some(json!(call.iso(row.life.updated)))),
            ("customDomainName", row.custom_domain.clone().map(Value::from)),
            ("domainVerificationId", row.verification.clone().map(Value::from)),
            ("groupDomain", row.group_domain.clone().map(Value::from)),
        ])
    }))
}

pub(super) fn update(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let row: &ResourceConfiguration = state.own(call, IDENTIFIER)?;
    if row.life.busy(call.now) {
        // The model has no ConflictException for this operation.
        let message = format!("Resource configuration {} is {}.", row.id, row.life.status(call.now));
        return Err(Refusal::invalid("other", message));
    }
    if let Some(given) = call.input.get("resourceConfigurationDefinition") {
        let gateway = row.gateway.as_deref().and_then(|id| state.gateways.get(id));
        check_definition(row.kind, Some(given), gateway)?;
    }
    if call.input.contains_key("portRanges") {
        check_ports(&call.texts("portRanges"), row.protocol.as_deref())?;
    }
    let row: &mut ResourceConfiguration = state.own_mut(call, IDENTIFIER)?;
    if let Some(given) = call.input.get("resourceConfigurationDefinition") {
        row.definition = Some(given.clone());
    }
    if call.input.contains_key("portRanges") {
        row.ports = call.texts("portRanges");
    }
    if let Some(shareable) = call.boolean("allowAssociationToShareableServiceNetwork") {
        row.shareable = shareable;
    }
    row.life.update(call, call.settings.configuration_update.0);
    Ok(object([
        ("id", Some(json!(row.id))),
        ("name", Some(json!(row.name))),
        ("arn", Some(json!(row.arn))),
        ("resourceGatewayId", row.gateway.clone().map(Value::from)),
        ("resourceConfigurationGroupId", row.group.clone().map(Value::from)),
        ("type", Some(json!(row.kind.text()))),
        ("portRanges", Some(json!(row.ports))),
        ("allowAssociationToShareableServiceNetwork", Some(json!(row.shareable))),
        ("protocol", row.protocol.clone().map(Value::from)),
        ("status", Some(json!(row.life.status(call.now)))),
        ("resourceConfigurationDefinition", row.definition.clone()),
    ]))
}

pub(super) fn delete(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let refuse = |state: &State, row: &ResourceConfiguration| {
        let id = &row.id;
        let hinders = if state.resource_associations.rows().any(|other| other.configuration == *id) {
            "is associated with a service network"
        } else if state.endpoint_associations.rows().any(|other| other.configuration == *id) {
            "is used by a VPC endpoint"
        } else if state.configurations.rows().any(|other| other.group.as_ref() == Some(id)) {
            "has child resource configurations"
        } else {
            return Ok(());
        };
        Err(call.conflict(KIND, id, format!("Resource configuration {id} {hinders}.")))
    };
    let takes = call.settings.configuration_delete.0;
    let end = |id| End::ResourceConfiguration { id };
    let found = delete_resource::<ResourceConfiguration>(state, call, IDENTIFIER, takes, end, refuse);
    match (found, call.settings.delete_after_gone) {
        (Err(refusal), GoneAnswer::NotFound) => Err(refusal),
        (Err(refusal), GoneAnswer::Success) if !refusal.is_not_found() => Err(refusal),
        _ => Ok(json!({})),
    }
}

/// The answer to creation, and what the answer to Get begins with.
fn created(state: &State, call: &Call<'_>, row: &ResourceConfiguration) -> Value {
    let verification = row.verification.as_deref().and_then(|id| state.verifications.get(id));
    object([
        ("id", Some(json!(row.id))),
        ("name", Some(json!(row.name))),
        ("arn", Some(json!(row.arn))),
        ("resourceGatewayId", row.gateway.clone().map(Value::from)),
        ("resourceConfigurationGroupId", row.group.clone().map(Value::from)),
        ("type", Some(json!(row.kind.text()))),
        ("portRanges", (!row.ports.is_empty()).then(|| json!(row.ports))),
        ("protocol", row.protocol.clone().map(Value::from)),
        ("status", Some(json!(row.life.status(call.now)))),
        ("resourceConfigurationDefinition", row.definition.clone()),
        ("allowAssociationToShareableServiceNetwork", Some(json!(row.shareable))),
        ("createdAt", Some(json!(call.iso(row.life.created)))),
        ("failureReason", row.life.failure(call.now).map(|failure| json!(failure.message))),
        ("customDomainName", row.custom_domain.clone().map(Value::from)),
        ("domainVerificationId", row.verification.clone().map(Value::from)),
        ("domainVerificationArn", verification.map(|verification| json!(verification.arn))),
        ("groupDomain", row.group_domain.clone().map(Value::from)),
    ])
}
