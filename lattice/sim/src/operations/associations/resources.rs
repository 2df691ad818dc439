//! Service networks and resource configurations: create, get, list, delete.

use serde_json::{Value, json};

use crate::error::Refusal;
use crate::operations::tags::new_tags;
use crate::operations::{Call, delete as delete_resource, object};
use crate::state::backend::{ConfigurationType, ResourceConfiguration};
use crate::state::life::Life;
use crate::state::network::ResourceAssociation;
use crate::state::resource::Resource as _;
use crate::state::{End, State, page};

use super::{
    NETWORK, find, gone, involved, network, network_members, owner_of_network, refuse_foreign, refuse_second,
    within_quota,
};

const IDENTIFIER: &str = "serviceNetworkResourceAssociationIdentifier";
const CONFIGURATION: &str = "resourceConfigurationIdentifier";

pub(in crate::operations) fn create(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let tags = new_tags(call)?;
    let exists = |id: &str| state.resource_associations.place(id).is_some();
    if let Some(id) = state.tokens.replay(call, ResourceAssociation::KIND, exists)?
        && let Some(association) = state.resource_associations.get(&id)
    {
        return Ok(created(call, association));
    }
    let found = network(state, call)?;
    let (network, sharing) = (found.id.clone(), found.sharing != Some(false));
    let configuration: &ResourceConfiguration = state.visible(call, CONFIGURATION)?;
    if configuration.life.busy(call.now) {
        return Err(call.busy(configuration));
    }
    if configuration.kind == ConfigurationType::Cidr {
        let message = "A resource configuration of type CIDR can't be added to a service network.";
        return Err(Refusal::invalid("other", message));
    }
    if !configuration.shareable && sharing && found.sharing.is_some() {
        let message = "The resource configuration does not allow association with a service network that may be shared.";
        return Err(Refusal::invalid("other", message));
    }
    let configuration = configuration.id.clone();
    let same = |row: &ResourceAssociation| row.network == network && row.configuration == configuration;
    let message = format!(
        "Resource configuration {configuration} is associated with service network {network} already."
    );
    refuse_second(call, &state.resource_associations, same, &message)?;
    let quota = call.settings.configurations_per_network.0;
    within_quota(call, &network, &state.resource_associations, |row| &row.network, quota)?;
    let (id, arn) = state.name::<ResourceAssociation>(call);
    let association = ResourceAssociation {
        id: id.clone(),
        arn,
        account: call.account.to_owned(),
        configuration,
        network,
        private_dns: call.boolean("privateDnsEnabled"),
        tags,
        life: Life::begin(call, call.settings.association_create.0),
    };
    let answer = created(call, &association);
    state.resource_associations.insert(id.clone(), association);
    state.tokens.remember(call, &id);
    Ok(answer)
}

pub(in crate::operations) fn get(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let row = find(state, call, IDENTIFIER, |row| owners(state, row))?;
    let mut answer = shown(state, call, row);
    answer["lastUpdatedAt"] = json!(call.iso(row.life.updated));
    if let Some(failure) = row.life.failure(call.now) {
        answer["failureReason"] = json!(failure.message);
    }
    let configuration = state.configurations.get(&row.configuration);
    let verification = configuration.and_then(|configuration| configuration.verification.as_deref());
    if let Some(verification) = verification.and_then(|id| state.verifications.get(id)) {
        answer["domainVerificationStatus"] = json!(verification.status(call.now));
    }
    Ok(answer)
}

pub(in crate::operations) fn list(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let start = page::start(call)?;
    let network = call.filter(NETWORK);
    let configuration = call.filter(CONFIGURATION);
    let children = call.boolean("includeChildren").unwrap_or_default();
    let is_child = |row: &ResourceAssociation| {
        let child = state.configurations.get(&row.configuration);
        children && child.and_then(|child| child.group.as_deref()) == configuration
    };
    let rows = state.resource_associations.after(start, call.settings.list_order).filter(|(_, row)| {
        involved(call, *row, owners(state, row))
            && network.is_none_or(|network| row.network == network)
            && configuration.is_none_or(|id| row.configuration == id || is_child(row))
    });
    Ok(page::page(call, rows, |row| shown(state, call, row)))
}

pub(in crate::operations) fn delete(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    refuse_foreign(state, call, IDENTIFIER, |row| owners(state, row))?;
    let takes = call.settings.association_delete.0;
    let end = |id| End::ResourceAssociation { id };
    let found = delete_resource::<ResourceAssociation>(state, call, IDENTIFIER, takes, end, |_, _| Ok(()))?;
    let Some(row) = found.and_then(|id| state.resource_associations.get(&id)) else {
        return Ok(gone(call, IDENTIFIER, ResourceAssociation::PATH));
    };
    Ok(json!({"id": row.id, "arn": row.arn, "status": row.life.status(call.now)}))
}

fn owners<'a>(state: &'a State, row: &ResourceAssociation) -> [Option<&'a str>; 2] {
    let configuration = state.configurations.get(&row.configuration);
    [owner_of_network(state, &row.network), configuration.map(|configuration| configuration.account.as_str())]
}

fn created(call: &Call<'_>, row: &ResourceAssociation) -> Value {
    object([
        ("id", Some(json!(row.id))),
        ("arn", Some(json!(row.arn))),
        ("status", Some(json!(row.life.status(call.now)))),
        ("createdBy", Some(json!(row.account))),
        ("privateDnsEnabled", row.private_dns.map(Value::from)),
    ])
}

/// As List shows it, which Get adds to.
fn shown(state: &State, call: &Call<'_>, row: &ResourceAssociation) -> Value {
    let configuration = state.configurations.get(&row.configuration);
    let zone = &call.settings.hosted_zone_id.0;
    let name = row.domain_name(&call.settings.partition_id.0, call.region);
    let private = configuration
        .filter(|_| row.private_dns == Some(true))
        .and_then(|configuration| configuration.custom_domain.as_ref());
    let own = [
        ("id", Some(json!(row.id))),
        ("arn", Some(json!(row.arn))),
        ("status", Some(json!(row.life.status(call.now)))),
        ("createdBy", Some(json!(row.account))),
        ("createdAt", Some(json!(call.iso(row.life.created)))),
        ("resourceConfigurationId", Some(json!(row.configuration))),
        ("resourceConfigurationName", configuration.map(|configuration| json!(configuration.name))),
        ("resourceConfigurationArn", configuration.map(|configuration| json!(configuration.arn))),
        ("privateDnsEnabled", row.private_dns.map(Value::from)),
        ("privateDnsEntry", private.map(|name| json!({"domainName": name, "hostedZoneId": zone}))),
        ("isManagedAssociation", Some(json!(false))),
        ("dnsEntry", Some(json!({"domainName": name, "hostedZoneId": zone}))),
        ("failureCode", row.life.failure(call.now).map(|failure| json!(failure.code))),
    ];
    object(own.into_iter().chain(network_members(state, &row.network)))
}
