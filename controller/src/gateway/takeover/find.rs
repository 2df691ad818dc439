//! Finding what the AWS controller has made.

use std::collections::{BTreeMap, BTreeSet};

use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _};
use lattice::{
    Tags, Target, TargetGroupArn,
    observed::{Group, ServiceSummary, VpcAssociation},
    service::{Desired, GroupKey},
    tags,
};
use lattice_client::{Client, Error, Urgency, VpcAssociationsOf};

use crate::bindings::judge::Site;

/// Most calls at once.
pub(super) const AT_ONCE: usize = 8;

/// What the AWS controller has made in this account and VPC, as far as it can be taken over.
#[derive(Debug, Clone, Default)]
pub(super) struct Found {
    pub(super) services: Vec<Service>,
    pub(super) groups: Vec<TargetGroup>,
    pub(super) vpcs: Vec<VpcAssociation>,
    /// What is this cluster's already, and may be unknown to the Resource Groups Tagging API: tags by ARN.
    pub(super) ours: BTreeMap<String, Tags>,
}

/// Tags of a resource, by whose it is.
enum Whose {
    Managers(Tags),
    Ours(Tags),
    Nobodys,
}

/// A service and its tags.
#[derive(Debug, Clone)]
pub(super) struct Service {
    pub(super) arn: String,
    pub(super) name: String,
    pub(super) custom_domain: Option<String>,
    pub(super) tags: Tags,
}

/// A target group, its tags, and its targets, which are read only where they decide.
#[derive(Debug, Clone)]
pub(super) struct TargetGroup {
    pub(super) group: Group,
    pub(super) tags: Tags,
    pub(super) targets: Vec<Target>,
}

impl Found {
    /// What is left without the resources of these ARNs.
    pub(super) fn without(mut self, done: &BTreeSet<String>) -> Self {
        self.services.retain(|service| !done.contains(&service.arn));
        self.groups.retain(|group| !done.contains(group.group.arn.as_str()));
        self.vpcs.retain(|vpc| !done.contains(&vpc.arn));
        self
    }
}

/// Reads everything with this manager's tag.
pub(super) async fn find(
    client: &Client,
    site: &Site,
    tagging: bool,
    manager: &str,
    desired: &Desired,
) -> Result<Found, Error> {
    let index = if tagging { Index::read(client, site, manager).boxed().await? } else { Index::default() };
    let ((services, mut ours), (groups, more), vpcs) = tokio::try_join!(
        services(client, site, manager, &index, desired).boxed(),
        groups(client, site, manager, &index, desired).boxed(),
        vpcs(client, site, manager).boxed(),
    )?;
    ours.extend(more);
    Ok(Found { services, groups, vpcs, ours })
}

/// What the Resource Groups Tagging API knows. What was made within the last minute may be missing.
#[derive(Debug, Default)]
struct Index {
    /// Whether it could be asked.
    known: bool,
    /// What has the manager's tag.
    managed: BTreeMap<String, Tags>,
    /// What is this cluster's Lath's.
    ours: BTreeSet<String>,
}

impl Index {
    async fn read(client: &Client, site: &Site, manager: &str) -> Result<Self, Error> {
        let types = ["vpc-lattice:service", "vpc-lattice:targetgroup"];
        let asked = tokio::try_join!(
            client.tagged(&types, tags::MANAGED_BY, Some(manager), Urgency::Change).boxed(),
            client.tagged(&types, tags::CLUSTER, Some(&site.cluster), Urgency::Change).boxed(),
        );
        match asked {
            Ok((managed, ours)) => Ok(Self {
                known: true,
                managed: managed.into_iter().collect(),
                ours: ours.into_iter().map(|(arn, _)| arn).collect(),
            }),
            // Without that API, the tags of everything are read.
            Err(
                Error::Denied { .. }
                | Error::Credentials { .. }
                | Error::Unreachable { .. }
                | Error::Refused { .. },
            ) => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    /// The tags of a resource, if it is the manager's. One that the index does not know is asked only if it may have been
    /// made too late for that, as its name tells.
    async fn tags(
        &self,
        client: &Client,
        (site, manager): (&Site, &str),
        arn: &str,
        is_candidate: bool,
    ) -> Result<Whose, Error> {
        if self.known {
            match self.managed.get(arn) {
                // The index may be late, and the tags be Lath's already.
                Some(found) if !self.ours.contains(arn) => return Ok(Whose::Managers(found.clone())),
                None if self.ours.contains(arn) || !is_candidate => return Ok(Whose::Nobodys),
                _ => {}
            }
        }
        let found = match client.tags(arn, Urgency::Change).await {
            Ok(found) => found,
            Err(Error::Missing { .. }) => return Ok(Whose::Nobodys),
            Err(error) => return Err(error),
        };
        Ok(match found {
            found if managed_by(&found, manager) => Whose::Managers(found),
            found if found.get(tags::CLUSTER) == Some(&site.cluster) => Whose::Ours(found),
            _ => Whose::Nobodys,
        })
    }
}

/// Whether tags say that this manager has made the resource.
pub(super) fn managed_by(tags: &Tags, manager: &str) -> bool {
    tags.get(tags::MANAGED_BY).is_some_and(|found| found == manager)
}

/// Whether an ARN is of this account.
pub(super) fn is_own(arn: &str, site: &Site) -> bool {
    arn.split(':').nth(4) == Some(&site.account)
}

async fn services(
    client: &Client,
    site: &Site,
    manager: &str,
    index: &Index,
    desired: &Desired,
) -> Result<(Vec<Service>, BTreeMap<String, Tags>), Error> {
    let wanted: BTreeSet<&str> = desired.services.values().map(|spec| spec.name.as_str()).collect();
    let wanted = &wanted;
    let listed = client.services(Urgency::Change).await?;
    let read = futures::stream::iter(listed.into_iter().filter(|service| is_own(&service.arn, site)))
        .map(|ServiceSummary { arn, name, custom_domain, .. }| async move {
            let whose = index.tags(client, (site, manager), &arn, wanted.contains(name.as_str())).await?;
            Ok::<_, Error>((arn, name, custom_domain, whose))
        })
        .buffer_unordered(AT_ONCE)
        .try_collect::<Vec<_>>()
        .await?;
    let (mut services, mut ours) = (Vec::new(), BTreeMap::new());
    for (arn, name, custom_domain, whose) in read {
        match whose {
            Whose::Managers(tags) => services.push(Service { arn, name, custom_domain, tags }),
            Whose::Ours(tags) => drop(ours.insert(arn, tags)),
            Whose::Nobodys => {}
        }
    }
    Ok((services, ours))
}

async fn groups(
    client: &Client,
    site: &Site,
    manager: &str,
    index: &Index,
    desired: &Desired,
) -> Result<(Vec<TargetGroup>, BTreeMap<String, Tags>), Error> {
    // Names of the AWS controller's groups begin with the namespace.
    let namespaces: BTreeSet<String> = desired
        .groups
        .keys()
        .filter_map(|key| match key {
            GroupKey::Service(key) => {
                Some(format!("k8s-{}", key.namespace.get(..20).unwrap_or(&key.namespace)))
            }
            // It has none of declared targets.
            GroupKey::Declared(_) | GroupKey::External(_) | GroupKey::Imported(_) => None,
        })
        .collect();
    let several = with_several_ports(desired);
    let (namespaces, several) = (&namespaces, &several);
    let listed = client.groups(Some(&site.vpc), Urgency::Change).await?;
    let own = listed.into_iter().filter(|group| is_own(group.arn.as_str(), site));
    let read = futures::stream::iter(own)
        .map(|summary| async move {
            let candidate = namespaces.iter().any(|prefix| summary.name.starts_with(prefix.as_str()));
            let arn: TargetGroupArn = summary.arn;
            let tags = match index.tags(client, (site, manager), arn.as_str(), candidate).await? {
                Whose::Managers(tags) => tags,
                Whose::Ours(tags) => return Ok(Some(Err((arn.to_string(), tags)))),
                Whose::Nobodys => return Ok(None),
            };
            let group = match client.group(&arn, Urgency::Change).boxed().await {
                Ok(group) => group,
                Err(Error::Missing { .. }) => return Ok(None),
                Err(error) => return Err(error),
            };
            let of = |key: &str| tags.get(key).cloned().unwrap_or_default();
            let targets = if several.contains(&(of(tags::SERVICE_NAMESPACE), of(tags::SERVICE_NAME))) {
                let states = client.states(&arn, Urgency::Change).boxed().await?;
                states.into_iter().map(|state| state.target).collect()
            } else {
                Vec::new()
            };
            Ok(Some(Ok(TargetGroup { group, tags, targets })))
        })
        .buffer_unordered(AT_ONCE)
        .try_collect::<Vec<_>>()
        .await?;
    let (mut groups, mut ours) = (Vec::new(), BTreeMap::new());
    for one in read.into_iter().flatten() {
        match one {
            Ok(group) => groups.push(group),
            Err((arn, tags)) => drop(ours.insert(arn, tags)),
        }
    }
    Ok((groups, ours))
}

/// Services, by namespace and name, of which several ports are wanted, whereas the AWS controller makes one group.
fn with_several_ports(desired: &Desired) -> BTreeSet<(String, String)> {
    let mut ports: BTreeMap<(String, String), BTreeSet<u16>> = BTreeMap::new();
    for key in desired.groups.keys() {
        if let GroupKey::Service(key) = key {
            ports.entry((key.namespace.clone(), key.service.clone())).or_default().insert(key.port);
        }
    }
    ports.into_iter().filter(|(_, ports)| ports.len() > 1).map(|(service, _)| service).collect()
}

async fn vpcs(client: &Client, site: &Site, manager: &str) -> Result<Vec<VpcAssociation>, Error> {
    let mut found = Vec::new();
    // A VPC is in one service network, and in some more by endpoints at most.
    for association in client.vpc_associations(VpcAssociationsOf::Vpc(&site.vpc), Urgency::Change).await? {
        match client.tags(&association.arn, Urgency::Change).await {
            Ok(tags) if managed_by(&tags, manager) => found.push(association),
            // Another account has made it, or it is gone.
            Ok(_) | Err(Error::Denied { .. } | Error::Missing { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}
