//! Service networks and VPCs: create, get, list, update, delete.

use serde_json::{Value, json};

use crate::error::Refusal;
use crate::operations::tags::new_tags;
use crate::operations::{Call, delete as delete_resource, object};
use crate::state::life::Life;
use crate::state::network::VpcAssociation;
use crate::state::resource::Resource as _;
use crate::state::{End, State, page};

use super::{
    NETWORK, find, gone, involved, network, network_members, owner_of_network, refuse_foreign, within_quota,
};

const IDENTIFIER: &str = "serviceNetworkVpcAssociationIdentifier";

pub(in crate::operations) fn create(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let tags = new_tags(call)?;
    let exists = |id: &str| state.vpc_associations.place(id).is_some();
    if let Some(id) = state.tokens.replay(call, VpcAssociation::KIND, exists)?
        && let Some(association) = state.vpc_associations.get(&id)
    {
        return Ok(created(call, association));
    }
    let network = network(state, call)?.id.clone();
    let vpc = call.text("vpcIdentifier").to_owned();
    if !call.surroundings.has_vpc(&vpc) {
        return Err(Refusal::field("vpcIdentifier", format!("{vpc} does not exist")));
    }
    check_security_groups(call, &vpc)?;
    check_dns_options(call)?;
    if let Some(other) = state.vpc_associations.rows().find(|row| row.vpc == vpc) {
        if other.life.deleting(call.now) && other.network == network {
            return Err(call.busy(other));
        }
        let message = "VPC has already been associated to a service network.";
        return Err(call.conflict(VpcAssociation::KIND, &other.id, message));
    }
    let quota = call.settings.vpcs_per_network.0;
    within_quota(call, &network, &state.vpc_associations, |row| &row.network, quota)?;
    let (id, arn) = state.name::<VpcAssociation>(call);
    let association = VpcAssociation {
        id: id.clone(),
        arn,
        account: call.account.to_owned(),
        vpc,
        network,
        security_groups: call.texts("securityGroupIds"),
        private_dns: call.boolean("privateDnsEnabled"),
        dns_options: call.input.get("dnsOptions").cloned(),
        tags,
        life: Life::begin(call, call.settings.vpc_association_create.0),
    };
    let answer = created(call, &association);
    state.vpc_associations.insert(id.clone(), association);
    state.tokens.remember(call, &id);
    Ok(answer)
}

pub(in crate::operations) fn get(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let row = find(state, call, IDENTIFIER, |row| owners(state, row))?;
    let failure = row.life.failure(call.now);
    let mut answer = shown(state, call, row);
    answer["securityGroupIds"] = json!(row.security_groups);
    if let Some(failure) = failure {
        answer["failureCode"] = json!(failure.code);
        answer["failureMessage"] = json!(failure.message);
    }
    Ok(answer)
}

pub(in crate::operations) fn list(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let start = page::start(call)?;
    let network = call.filter(NETWORK);
    let vpc = call.filter("vpcIdentifier");
    let rows = state.vpc_associations.after(start, call.settings.list_order).filter(|(_, row)| {
        involved(call, *row, owners(state, row))
            && network.is_none_or(|network| row.network == network)
            && vpc.is_none_or(|vpc| row.vpc == vpc)
    });
    Ok(page::page(call, rows, |row| shown(state, call, row)))
}

pub(in crate::operations) fn update(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    check_dns_options(call)?;
    refuse_foreign(state, call, IDENTIFIER, |row| owners(state, row))?;
    let row: &mut VpcAssociation = state.own_mut(call, IDENTIFIER)?;
    if row.life.busy(call.now) {
        return Err(call.busy(row));
    }
    check_security_groups(call, &row.vpc)?;
    if call.input.contains_key("securityGroupIds") {
        row.security_groups = call.texts("securityGroupIds");
    }
    if let Some(enabled) = call.boolean("privateDnsEnabled") {
        row.private_dns = Some(enabled);
    }
    if let Some(options) = call.input.get("dnsOptions") {
        row.dns_options = Some(options.clone());
    }
    row.life.update(call, call.settings.vpc_association_update.0);
    Ok(created(call, row))
}

pub(in crate::operations) fn delete(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    refuse_foreign(state, call, IDENTIFIER, |row| owners(state, row))?;
    let takes = call.settings.vpc_association_delete.0;
    let end = |id| End::VpcAssociation { id };
    let found = delete_resource::<VpcAssociation>(state, call, IDENTIFIER, takes, end, |_, _| Ok(()))?;
    let Some(row) = found.and_then(|id| state.vpc_associations.get(&id)) else {
        return Ok(gone(call, IDENTIFIER, VpcAssociation::PATH));
    };
    Ok(json!({"id": row.id, "arn": row.arn, "status": row.life.status(call.now)}))
}

/// Refuses security groups that don't exist or are another VPC's.
fn check_security_groups(call: &Call<'_>, vpc: &str) -> Result<(), Refusal> {
    let known = &call.surroundings.security_groups;
    if known.is_empty() {
        return Ok(());
    }
    for (n, id) in call.texts("securityGroupIds").iter().enumerate() {
        if !known.iter().any(|group| group.id == *id && group.vpc == vpc) {
            let message = format!("{id} is no security group of {vpc}");
            return Err(Refusal::field(&format!("securityGroupIds[{n}]"), message));
        }
    }
    Ok(())
}

/// Domains are named if and only if the preference asks for them.
fn check_dns_options(call: &Call<'_>) -> Result<(), Refusal> {
    let Some(options) = call.input.get("dnsOptions") else { return Ok(()) };
    let preference = options["privateDnsPreference"].as_str().unwrap_or_default();
    let named = options.get("privateDnsSpecifiedDomains").is_some();
    if named == preference.contains("SPECIFIED_DOMAINS") {
        return Ok(());
    }
    let message = if named { "is not allowed with this preference" } else { "must be present" };
    Err(Refusal::field("dnsOptions.privateDnsSpecifiedDomains", message))
}

fn owners<'a>(state: &'a State, row: &VpcAssociation) -> [Option<&'a str>; 2] {
    [owner_of_network(state, &row.network), None]
}

/// The answer to creation and update.
fn created(call: &Call<'_>, row: &VpcAssociation) -> Value {
    object([
        ("id", Some(json!(row.id))),
        ("arn", Some(json!(row.arn))),
        ("status", Some(json!(row.life.status(call.now)))),
        ("createdBy", Some(json!(row.account))),
        ("securityGroupIds", Some(json!(row.security_groups))),
        ("privateDnsEnabled", row.private_dns.map(Value::from)),
        ("dnsOptions", row.dns_options.clone()),
    ])
}

/// As List shows it, which Get adds to.
fn shown(state: &State, call: &Call<'_>, row: &VpcAssociation) -> Value {
    let own = [
        ("id", Some(json!(row.id))),
        ("arn", Some(json!(row.arn))),
        ("status", Some(json!(row.life.status(call.now)))),
        ("createdBy", Some(json!(row.account))),
        ("createdAt", Some(json!(call.iso(row.life.created)))),
        ("lastUpdatedAt", Some(json!(call.iso(row.life.updated)))),
        ("vpcId", Some(json!(row.vpc))),
        ("privateDnsEnabled", row.private_dns.map(Value::from)),
        ("dnsOptions", row.dns_options.clone()),
    ];
    object(own.into_iter().chain(network_members(state, &row.network)))
}
