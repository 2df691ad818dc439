//! Giving back to the AWS Gateway API Controller what Lath has made or taken over, by tags alone. It talks to AWS only, and is
//! for when no controller runs: neither Lath's nor the other one.
//!
//! That controller finds services by name and groups by tags. A service goes last, so that whoever begins anew finds what is
//! not given back yet.

use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _};
use lattice::{
    Tags, names,
    tags::{
        ASKED, CLUSTER, CLUSTER_NAME, GATEWAY, GROUP, MANAGED_BY, NAMESPACE, OWNER, POLICIES, ROUTE_NAME,
        ROUTE_NAMESPACE, ROUTE_TYPE,
    },
};
use lattice_client::{Client, Error, Urgency, VpcAssociationsOf};

use super::{
    apply::{children, own_manager},
    find::{AT_ONCE, is_own},
};
use crate::bindings::judge::Site;

/// What becomes of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It is given back.
    Given,
    /// It stays Lath's, since the AWS controller would never find it.
    Kept,
}

/// A resource and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Its ARN.
    pub arn: String,
    /// What becomes of it.
    pub fate: Fate,
    /// What it is, in words.
    pub what: String,
    give: Tags,
    take: &'static [&'static str],
}

impl std::fmt::Display for Release {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let fate = match self.fate {
            Fate::Given => "give back",
            Fate::Kept => "keep",
        };
        write!(f, "{fate} {}: {}", self.arn, self.what)
    }
}

/// Finds what can be given back to the AWS controller with this tag `ManagedBy`, in the order in which it has to be.
///
/// # Errors
/// The first call that failed.
pub async fn plan(client: &Client, site: &Site, manager: &str) -> Result<Vec<Release>, Error> {
    let (services, groups, networks) = tokio::try_join!(
        client.services(Urgency::Change).boxed(),
        client.groups(Some(&site.vpc), Urgency::Change).boxed(),
        client.networks(Urgency::Change).boxed(),
    )?;
    let services = of_cluster(client, site, services.into_iter().map(|one| (one.arn, one.name)).collect());
    let groups = groups.into_iter().map(|one| (one.arn.to_string(), one.name));
    let groups = of_cluster(client, site, groups.collect());
    let (services, groups) = tokio::try_join!(services, groups)?;
    let mut given_owners = Vec::new();
    let mut last = Vec::new();
    let mut steps = Vec::new();
    let own = Tags::from([(MANAGED_BY.into(), manager.to_owned())]);
    for (arn, name, tags) in services {
        let Some(owner) = tags.get(OWNER) else { continue };
        let fate = fate_of(&name, owner, &tags);
        let what = match fate {
            Fate::Given => format!("service {name}"),
            Fate::Kept => format!(
                "service {name}, whose name the AWS controller does not look for: delete it when it is replaced"
            ),
        };
        if fate == Fate::Given {
            given_owners.push(owner.clone());
            for (kind, child) in children(client, site, &own_manager(site), &arn).await? {
                steps.push(Release {
                    arn: child,
                    fate,
                    what: format!("{} of service {name}", kind.replace('_', " ")),
                    give: own.clone(),
                    take: &[CLUSTER],
                });
            }
            // Those that Lath has made itself have no manager.
            for child in unmanaged(client, site, &arn).await? {
                steps.push(Release {
                    arn: child,
                    fate,
                    what: format!("association or access log of service {name}"),
                    give: own.clone(),
                    take: &[CLUSTER],
                });
            }
        }
        last.push(Release { arn, fate, what, give: own.clone(), take: &[CLUSTER, OWNER, ASKED] });
    }
    for (arn, name, tags) in groups {
        if !tags.contains_key(GROUP) {
            // One of a binding that people made.
            continue;
        }
        let given = tags.get(OWNER).is_some_and(|owner| given_owners.contains(owner));
        let fate = if given { Fate::Given } else { Fate::Kept };
        let mut give = own.clone();
        give.insert(CLUSTER_NAME.into(), site.cluster.clone());
        let what = format!("target group {name}");
        steps.push(Release { arn, fate, what, give, take: &[CLUSTER, OWNER, GROUP, NAMESPACE] });
    }
    for association in client.vpc_associations(VpcAssociationsOf::Vpc(&site.vpc), Urgency::Change).await? {
        if tags_of(client, &association.arn).await?.get(CLUSTER) == Some(&site.cluster) {
            let what = "association of the VPC".to_owned();
            let (give, arn) = (own.clone(), association.arn);
            steps.push(Release { arn, fate: Fate::Given, what, give, take: &[CLUSTER] });
        }
    }
    let networks = networks.into_iter().map(|(network, _)| network);
    for network in networks.filter(|network| is_own(&network.arn, site)) {
        if tags_of(client, &network.arn).await?.get(POLICIES) == Some(&site.cluster) {
            let what = format!("policies of service network {}", network.name);
            steps.push(Release {
                arn: network.arn,
                fate: Fate::Given,
                what,
                give: own.clone(),
                take: &[POLICIES],
            });
        }
    }
    steps.extend(last);
    Ok(steps)
}

/// Whether the AWS controller would find a service by its name: it looks for the first hostname's, or for the one that
/// the route's annotation says.
fn fate_of(name: &str, owner: &str, tags: &Tags) -> Fate {
    let (Some(route), Some(namespace), None) =
        (tags.get(ROUTE_NAME), tags.get(ROUTE_NAMESPACE), tags.get(GATEWAY))
    else {
        return Fate::Kept;
    };
    let known = tags.get(ROUTE_TYPE).is_some_and(|kind| matches!(kind.as_str(), "http" | "grpc" | "tls"));
    if known && name != names::service_of_its_own(route, namespace, &owner.to_owned()) {
        Fate::Given
    } else {
        Fate::Kept
    }
}

/// Those with this cluster's tag: ARN, name and tags.
async fn of_cluster(
    client: &Client,
    site: &Site,
    all: Vec<(String, String)>,
) -> Result<Vec<(String, String, Tags)>, Error> {
    let own = all.into_iter().filter(|(arn, _)| is_own(arn, site));
    let read: Vec<_> = futures::stream::iter(own)
        .map(|(arn, name)| async move {
            let tags = tags_of(client, &arn).await?;
            Ok::<_, Error>((arn, name, tags))
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(read.into_iter().filter(|(_, _, tags)| tags.get(CLUSTER) == Some(&site.cluster)).collect())
}

/// What of a service's is this cluster's and has no manager.
async fn unmanaged(client: &Client, site: &Site, service: &str) -> Result<Vec<String>, Error> {
    let mut found = Vec::new();
    for arn in super::apply::all_children(client, service).await?.into_iter().map(|(_, arn)| arn) {
        if is_own(&arn, site) {
            let tags = tags_of(client, &arn).await?;
            if tags.get(CLUSTER) == Some(&site.cluster) && !tags.contains_key(MANAGED_BY) {
                found.push(arn);
            }
        }
    }
    Ok(found)
}

async fn tags_of(client: &Client, arn: &str) -> Result<Tags, Error> {
    match client.tags(arn, Urgency::Change).await {
        Err(Error::Missing { .. }) => Ok(Tags::new()),
        Err(Error::Denied { .. }) if arn.contains("association/") => Ok(Tags::new()),
        result => result,
    }
}

/// Gives back what is planned. It can be repeated: what is done already is not in the next plan.
///
/// # Errors
/// The first call that failed.
pub async fn perform(client: &Client, plan: &[Release]) -> Result<(), Error> {
    for release in plan.iter().filter(|release| release.fate == Fate::Given) {
        for result in
            [client.tag(&release.arn, &release.give).await, client.untag(&release.arn, release.take).await]
        {
            match result {
                Ok(()) | Err(Error::Missing { .. }) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}
