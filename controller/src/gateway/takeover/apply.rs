//! Giving resources Lath's tags.

use std::collections::{BTreeMap, BTreeSet};

use futures::{FutureExt as _, StreamExt as _};
use lattice::{
    Tags,
    id::ServiceId,
    names,
    service::{Owner, ServiceSpec},
    tags,
};
use lattice_client::{Client, Error, ServiceAssociationsOf, Urgency};

use super::{
    find::{AT_ONCE, is_own, managed_by},
    matching::{Plan, TakeService},
};
use crate::bindings::judge::Site;

/// What was taken over.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Services and groups by ARN, and their tags.
    pub(super) taken: BTreeMap<String, Tags>,
    /// ARNs of all that was taken.
    pub(super) done: BTreeSet<String>,
    /// Owners of services that could not be.
    pub(super) failed: BTreeSet<Owner>,
    /// Whether something else could not be.
    pub(super) incomplete: bool,
    /// How many of each kind.
    pub(super) counts: BTreeMap<&'static str, u64>,
}

impl Outcome {
    fn count(&mut self, kind: &'static str) {
        *self.counts.entry(kind).or_default() += 1;
    }
}

/// The tags of what belongs to a service or a VPC: by the first Lath knows its own, by the second an AWS controller knows
/// that it is another's.
pub(super) fn child_tags(site: &Site) -> Tags {
    Tags::from([(tags::CLUSTER.into(), site.cluster.clone()), (tags::MANAGED_BY.into(), own_manager(site))])
}

/// Lath's own value of the tag `ManagedBy`.
pub(super) fn own_manager(site: &Site) -> String {
    names::tag_value(&format!("lath.dev/{}/{}/{}", site.account, site.cluster, site.vpc))
}

/// Takes over what is planned, as far as it can be.
pub(super) async fn apply(client: &Client, site: &Site, manager: &str, plan: &Plan) -> Outcome {
    let mut outcome = Outcome::default();
    for arn in &plan.vpcs {
        match client.tag(arn, &child_tags(site)).await {
            Ok(()) | Err(Error::Missing { .. }) => {
                outcome.done.insert(arn.clone());
                outcome.count("vpc_association");
            }
            // The engine leaves it as it is, which is what is wanted but for later changes.
            Err(error) => {
                outcome.incomplete = true;
                tracing::warn!(
                    arn,
                    error = error.chain(),
                    "taking the VPC's association over fails and is tried again"
                );
            }
        }
    }
    let mut services = futures::stream::iter(plan.services.clone())
        .map(|service| async move {
            let result = take(client, site, manager, &service).boxed().await;
            (service, result)
        })
        .buffer_unordered(AT_ONCE);
    while let Some((service, result)) = services.next().await {
        match result {
            Ok(children) => {
                for (kind, arn) in children {
                    outcome.count(kind);
                    outcome.done.insert(arn);
                }
                for (arn, tags) in &service.groups {
                    outcome.taken.insert(arn.to_string(), tags.clone());
                }
                outcome.taken.insert(service.arn.clone(), service.tags.clone());
                tracing::info!(
                    owner = service.owner,
                    arn = service.arn,
                    groups = service.groups.len(),
                    "took a service over"
                );
            }
            Err(error) => {
                tracing::warn!(
                    owner = service.owner,
                    arn = service.arn,
                    error = error.chain(),
                    "taking a service over fails and is tried again; until then it stays as it is"
                );
                outcome.failed.insert(service.owner.clone());
            }
        }
    }
    outcome
}

/// Takes a service over: first all that belongs to it, then itself, so that whoever begins anew finds it again until all
/// is done. Gives kinds and ARNs of what is Lath's now.
async fn take(
    client: &Client,
    site: &Site,
    manager: &str,
    service: &TakeService,
) -> Result<Vec<(&'static str, String)>, Error> {
    let mut done = Vec::new();
    for (arn, tags) in &service.groups {
        client.tag(arn.as_str(), tags).await?;
        // Last: whoever deletes groups by these finds it used until then, and another's from now on.
        client.untag(arn.as_str(), &[tags::MANAGED_BY, tags::CLUSTER_NAME]).await?;
        done.push(("group", arn.to_string()));
    }
    for (kind, arn) in children(client, site, manager, &service.arn).await? {
        client.tag(&arn, &child_tags(site)).await?;
        done.push((kind, arn));
    }
    client.tag(&service.arn, &service.tags).await?;
    done.push(("service", service.arn.clone()));
    Ok(done)
}

/// The associations with service networks and the access log subscriptions of a service that are a manager's.
pub(super) async fn children(
    client: &Client,
    site: &Site,
    manager: &str,
    service: &str,
) -> Result<Vec<(&'static str, String)>, Error> {
    let found = all_children(client, service).await?;
    let mut managed = Vec::new();
    for (kind, arn) in found.into_iter().filter(|(_, arn)| is_own(arn, site)) {
        match client.tags(&arn, Urgency::Change).await {
            Ok(tags) if managed_by(&tags, manager) => managed.push((kind, arn)),
            Ok(_) | Err(Error::Missing { .. } | Error::Denied { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(managed)
}

/// The associations with service networks and the access log subscriptions of a service: kinds and ARNs.
pub(super) async fn all_children(
    client: &Client,
    service: &str,
) -> Result<Vec<(&'static str, String)>, Error> {
    let id = ServiceId::from(service.rsplit('/').next().unwrap_or(service));
    let mut found = Vec::new();
    for association in
        client.service_associations(ServiceAssociationsOf::Service(&id), Urgency::Change).await?
    {
        found.push(("association", association.arn));
    }
    let place: Vec<&str> = service.split(':').take(5).collect();
    for (log, _) in client.access_logs(service, Urgency::Change).await? {
        found.push(("access_log", format!("{}:accesslogsubscription/{log}", place.join(":"))));
    }
    Ok(found)
}

/// Takes over the service of a spec's name from whoever the route allows, if there is one. Its groups are another
/// cluster's and stay so; the engine makes new ones and changes the rules.
pub(super) async fn take_named(
    client: &Client,
    site: &Site,
    from: &str,
    spec: &ServiceSpec,
) -> Result<Option<(String, Tags)>, Error> {
    let all = client.services(Urgency::Change).await?;
    let Some(found) = all.into_iter().find(|one| one.name == spec.name && is_own(&one.arn, site)) else {
        return Ok(None);
    };
    let there = client.tags(&found.arn, Urgency::Change).await?;
    // One with another hostname could only be deleted.
    if !managed_by(&there, from) || found.custom_domain != spec.custom_domain {
        return Ok(None);
    }
    for (_, arn) in children(client, site, from, &found.arn).await? {
        client.tag(&arn, &child_tags(site)).await?;
    }
    client.tag(&found.arn, &spec.tags).await?;
    Ok(Some((found.arn, spec.tags.clone())))
}
