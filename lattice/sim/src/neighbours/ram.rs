//! AWS RAM: resource shares, by which an account lets others see its services and service networks.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::settings::choice::ShareInvitation;
use crate::state::share::{Answer, Invitation, Share};
use crate::state::{State, Tags};

use super::{Ask, Error, Served, served};

pub(super) const OPERATIONS: [Served; 8] = [
    served("/createresourceshare", "ram.CreateResourceShare", create),
    served("/associateresourceshare", "ram.AssociateResourceShare", associate),
    served("/disassociateresourceshare", "ram.DisassociateResourceShare", disassociate),
    served("/getresourceshares", "ram.GetResourceShares", list),
    served("/getresourceshareinvitations", "ram.GetResourceShareInvitations", invitations),
    served("/acceptresourceshareinvitation", "ram.AcceptResourceShareInvitation", accept),
    served("/rejectresourceshareinvitation", "ram.RejectResourceShareInvitation", reject),
    served("/listresources", "ram.ListResources", resources),
];

/// Most items on a page. Source: API reference, GetResourceShares.
const PAGE: usize = 500;

fn invalid(message: impl Into<String>) -> Error {
    Error::new("InvalidParameterException", message)
}

fn create(state: &mut State, ask: &Ask<'_>) -> Result<Value, Error> {
    let name = ask.text("name");
    if name.is_empty() {
        return Err(invalid("name must be present."));
    }
    let resources = own_resources(state, ask)?;
    let arn =
        format!("arn:aws:ram:{}:{}:resource-share/{}", ask.region, ask.caller.account, state.new_uuid());
    let tags: Tags = ask
        .input
        .get("tags")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|tag| {
            Some((tag["key"].as_str()?.to_owned(), tag["value"].as_str().unwrap_or_default().to_owned()))
        })
        .collect();
    let share = Share {
        arn: arn.clone(),
        name: name.to_owned(),
        owner: ask.caller.account.clone(),
        resources,
        invitations: new_invitations(state, ask)?,
        tags,
        created: ask.now,
        updated: ask.now,
    };
    let answer = json!({"resourceShare": shown(ask, &share)});
    state.shares.change(|shares| shares.insert(arn, share));
    Ok(answer)
}

/// The resources that the call names: the account's own, of the kinds that can be shared.
fn own_resources(state: &State, ask: &Ask<'_>) -> Result<BTreeSet<String>, Error> {
    let mut resources = BTreeSet::new();
    for arn in ask.texts("resourceArns") {
        let can_be_shared = [":service/", ":servicenetwork/", ":resourceconfiguration/"];
        if !can_be_shared.iter().any(|kind| arn.contains(kind)) {
            return Err(invalid(format!("{arn} is of a kind that can't be shared.")));
        }
        if state.owner_of(arn) != Some(ask.caller.account.as_str()) {
            return Err(Error::new(
                "UnknownResourceException",
                format!("Resource {arn} could not be found."),
            ));
        }
        resources.insert(arn.to_owned());
    }
    Ok(resources)
}

/// An invitation for each account that the call names.
fn new_invitations(state: &mut State, ask: &Ask<'_>) -> Result<BTreeMap<String, Invitation>, Error> {
    let answer = match ask.settings.share_invitation {
        ShareInvitation::Sent => Answer::Pending,
        ShareInvitation::Accepted => Answer::Accepted,
    };
    let mut invitations = BTreeMap::new();
    for principal in ask.texts("principals") {
        if principal.len() != 12 || !principal.bytes().all(|digit| digit.is_ascii_digit()) {
            let message =
                format!("{principal} is no account; other principals are not served by this simulator.");
            return Err(invalid(message));
        }
        let arn = format!(
            "arn:aws:ram:{}:{}:resource-share-invitation/{}",
            ask.region,
            ask.caller.account,
            state.new_uuid()
        );
        invitations.insert(principal.to_owned(), Invitation { arn, sent: ask.now, answer });
    }
    Ok(invitations)
}

fn associate(state: &mut State, ask: &Ask<'_>) -> Result<Value, Error> {
    let arn = own_share(state, ask)?;
    let resources = own_resources(state, ask)?;
    let invited = new_invitations(state, ask)?;
    let associations = associations(ask, &arn, "ASSOCIATED");
    state.shares.change(|shares| {
        if let Some(share) = shares.get_mut(&arn) {
            share.resources.extend(resources);
            for (account, invitation) in invited {
                share.invitations.entry(account).or_insert(invitation);
            }
            share.updated = ask.now;
        }
    });
    Ok(json!({"resourceShareAssociations": associations}))
}

fn disassociate(state: &mut State, ask: &Ask<'_>) -> Result<Value, Error> {
    let arn = own_share(state, ask)?;
    let (resources, principals) = (ask.texts("resourceArns"), ask.texts("principals"));
    let associations = associations(ask, &arn, "DISASSOCIATED");
    state.shares.change(|shares| {
        if let Some(share) = shares.get_mut(&arn) {
            share.resources.retain(|resource| !resources.contains(&resource.as_str()));
            share.invitations.retain(|account, _| !principals.contains(&account.as_str()));
            share.updated = ask.now;
        }
    });
    Ok(json!({"resourceShareAssociations": associations}))
}

/// The ARN of the share that the call names, if it is the account's.
fn own_share(state: &State, ask: &Ask<'_>) -> Result<String, Error> {
    let arn = ask.text("resourceShareArn");
    let share = state.shares.table.get(arn).filter(|share| share.owner == ask.caller.account);
    share.map(|share| share.arn.clone()).ok_or_else(|| {
        Error::new("UnknownResourceException", format!("ResourceShare {arn} could not be found."))
    })
}

fn associations(ask: &Ask<'_>, share: &str, status: &str) -> Vec<Value> {
    let resources = ask.texts("resourceArns").into_iter().map(|arn| (arn, "RESOURCE"));
    let principals = ask.texts("principals").into_iter().map(|account| (account, "PRINCIPAL"));
    resources
        .chain(principals)
        .map(|(entity, kind)| {
            json!({
                "resourceShareArn": share,
                "associatedEntity": entity,
                "associationType": kind,
                "status": status,
                "creationTime": ask.epoch(ask.now),
                "lastUpdatedTime": ask.epoch(ask.now),
            })
        })
        .collect()
}

fn list(state: &mut State, ask: &Ask<'_>) -> Result<Value, Error> {
    let arns = ask.texts("resourceShareArns");
    let own = ownership(ask)?;
    let name = ask.text("name");
    let shares: Vec<Value> = state
        .shares
        .table
        .rows()
        .filter(|share| if own { share.owner == ask.caller.account } else { accepted(share, ask) })
        .filter(|share| arns.is_empty() || arns.contains(&share.arn.as_str()))
        .filter(|share| name.is_empty() || share.name == name)
        .map(|share| shown(ask, share))
        .collect();
    let (page, next) = ask.page(shares, "nextToken", "maxResults", PAGE)?;
    Ok(with_token(json!({"resourceShares": page}), next))
}

/// Whether the call asks for what is the account's own.
fn ownership(ask: &Ask<'_>) -> Result<bool, Error> {
    match ask.text("resourceOwner") {
        "SELF" => Ok(true),
        "OTHER-ACCOUNTS" => Ok(false),
        _ => Err(invalid("resourceOwner must be SELF or OTHER-ACCOUNTS.")),
    }
}

fn accepted(share: &Share, ask: &Ask<'_>) -> bool {
    let invitation = share.invitations.get(&ask.caller.account);
    invitation.is_some_and(|invitation| invitation.answer == Answer::Accepted)
}

fn invitations(state: &mut State, ask: &Ask<'_>) -> Result<Value, Error> {
    let (arns, shares) = (ask.texts("resourceShareInvitationArns"), ask.texts("resourceShareArns"));
    let mut found = Vec::new();
    for share in state.shares.table.rows() {
        let Some(invitation) = share.invitations.get(&ask.caller.account) else { continue };
        if (arns.is_empty() || arns.contains(&invitation.arn.as_str()))
            && (shares.is_empty() || shares.contains(&share.arn.as_str()))
        {
            found.push(invitation_shown(ask, share, invitation));
        }
    }
    let (page, next) = ask.page(found, "nextToken", "maxResults", PAGE)?;
    Ok(with_token(json!({"resourceShareInvitations": page}), next))
}

fn accept(state: &mut State, ask: &Ask<'_>) -> Result<Value, Error> {
    answer(state, ask, Answer::Accepted)
}

fn reject(state: &mut State, ask: &Ask<'_>) -> Result<Value, Error> {
    answer(state, ask, Answer::Rejected)
}

fn answer(state: &mut State, ask: &Ask<'_>, answer: Answer) -> Result<Value, Error> {
    let arn = ask.text("resourceShareInvitationArn");
    let account = &ask.caller.account;
    state.shares.change(|shares| {
        let mut shares = shares.rows_mut();
        let share = shares.find(|share| share.invitations.get(account).is_some_and(|sent| sent.arn == arn));
        let Some(share) = share else {
            let message = format!("Invitation {arn} could not be found.");
            return Err(Error::new("ResourceShareInvitationArnNotFoundException", message));
        };
        match share.invitations.get_mut(account) {
            Some(invitation) if invitation.answer == Answer::Pending => invitation.answer = answer,
            Some(invitation) => {
                let accepted = invitation.answer == Answer::Accepted;
                let (code, what) = if accepted {
                    ("ResourceShareInvitationAlreadyAcceptedException", "accepted")
                } else {
                    ("ResourceShareInvitationAlreadyRejectedException", "rejected")
                };
                return Err(Error::new(code, format!("Invitation {arn} was {what} already.")));
            }
            None => {}
        }
        let invitation = share.invitations.get(account);
        Ok(json!({"resourceShareInvitation": invitation.map(|sent| invitation_shown(ask, share, sent))}))
    })
}

fn resources(state: &mut State, ask: &Ask<'_>) -> Result<Value, Error> {
    let own = ownership(ask)?;
    let (arns, shares) = (ask.texts("resourceArns"), ask.texts("resourceShareArns"));
    let (kind, principal) = (ask.text("resourceType"), ask.text("principal"));
    let mut found = Vec::new();
    for share in state.shares.table.rows() {
        let wanted = if own { share.owner == ask.caller.account } else { accepted(share, ask) }
            && (shares.is_empty() || shares.contains(&share.arn.as_str()))
            && (principal.is_empty()
                || principal == share.owner
                || share.invitations.contains_key(principal));
        for arn in share.resources.iter().filter(|_| wanted) {
            let of = resource_type(arn);
            if (arns.is_empty() || arns.contains(&arn.as_str())) && (kind.is_empty() || kind == of) {
                found.push(json!({
                    "arn": arn,
                    "type": of,
                    "resourceShareArn": share.arn,
                    "status": "AVAILABLE",
                    "creationTime": ask.epoch(share.created),
                    "lastUpdatedTime": ask.epoch(share.updated),
                    "resourceRegionScope": "REGIONAL",
                }));
            }
        }
    }
    let (page, next) = ask.page(found, "nextToken", "maxResults", PAGE)?;
    Ok(with_token(json!({"resources": page}), next))
}

/// The type of a resource as this service writes it.
fn resource_type(arn: &str) -> &'static str {
    if arn.contains(":servicenetwork/") {
        "vpc-lattice:ServiceNetwork"
    } else if arn.contains(":resourceconfiguration/") {
        "vpc-lattice:ResourceConfiguration"
    } else {
        "vpc-lattice:Service"
    }
}

fn shown(ask: &Ask<'_>, share: &Share) -> Value {
    let tags: Vec<Value> =
        share.tags.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
    json!({
        "resourceShareArn": share.arn,
        "name": share.name,
        "owningAccountId": share.owner,
        "allowExternalPrincipals": true,
        "status": "ACTIVE",
        "tags": tags,
        "creationTime": ask.epoch(share.created),
        "lastUpdatedTime": ask.epoch(share.updated),
        "featureSet": "STANDARD",
    })
}

fn invitation_shown(ask: &Ask<'_>, share: &Share, invitation: &Invitation) -> Value {
    json!({
        "resourceShareInvitationArn": invitation.arn,
        "resourceShareName": share.name,
        "resourceShareArn": share.arn,
        "senderAccountId": share.owner,
        "receiverAccountId": ask.caller.account,
        "invitationTimestamp": ask.epoch(invitation.sent),
        "status": match invitation.answer {
            Answer::Pending => "PENDING",
            Answer::Accepted => "ACCEPTED",
            Answer::Rejected => "REJECTED",
        },
    })
}

fn with_token(mut answer: Value, next: Option<String>) -> Value {
    if let Some(next) = next {
        answer["nextToken"] = json!(next);
    }
    answer
}
