//! Reading what VPC Lattice holds: first which resources are this cluster's, then each of them with all that belongs to it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _, future::try_join_all};
use lattice::{
    Tags, TargetGroupArn,
    id::{AccessLogId, NetworkId, ServiceId},
    observed::{Group, ListenerSummary, ListenerTree, Members, Network, ServiceTree},
    plan::network::VpcTree,
    tags,
};
use lattice_client::{Client, Error, ServiceAssociationsOf, Urgency, VpcAssociationsOf};

use super::resource_calls;
use crate::bindings::judge::Site;

/// Most calls at once of one reading: a round trip for each eight rules.
const AT_ONCE: usize = 8;

/// The types of resources that carry this cluster's tag, as the Resource Groups Tagging API has them.
const TYPES: [&str; 7] = [
    "vpc-lattice:service",
    "vpc-lattice:targetgroup",
    "vpc-lattice:resourcegateway",
    "vpc-lattice:resourceconfiguration",
    "vpc-lattice:servicenetworkserviceassociation",
    "vpc-lattice:servicenetworkresourceassociation",
    "vpc-lattice:accesslogsubscription",
];

/// Ids of associations and access log subscriptions that are this cluster's.
pub(super) type Ours = Arc<BTreeSet<String>>;

/// Which resources are this cluster's.
#[derive(Debug, Default)]
pub(super) struct Catalogue {
    /// ARNs and tags of services that Lath made for some owner.
    pub(super) services: Vec<(String, Tags)>,
    /// ARNs and tags of target groups that Lath made. Those of bindings alone, which carry the cluster's tag as well,
    /// are not among them.
    pub(super) groups: Vec<(TargetGroupArn, Tags)>,
    /// ARNs and tags of resource gateways, directories and resource configurations that Lath made for some owner.
    pub(super) resources: Vec<(String, Tags)>,
    /// Service networks whose policies Lath has set.
    pub(super) networks: BTreeSet<NetworkId>,
    /// Associations and subscriptions that Lath made.
    pub(super) ours: BTreeSet<String>,
    /// Why resources could not be found by their tags, so that everything was listed.
    pub(super) untagged: Option<Error>,
}

impl Catalogue {
    /// Takes in a resource with the cluster's tag.
    pub(super) fn take(&mut self, arn: &str, tags: Tags) {
        let mut path = arn.splitn(6, ':').nth(5).unwrap_or_default().split('/');
        let (kind, id) = (path.next().unwrap_or_default(), path.next().unwrap_or_default());
        match kind {
            // A listener's ARN goes on.
            "service" if path.next().is_none() && tags.contains_key(tags::OWNER) => {
                self.services.push((arn.into(), tags));
            }
            "targetgroup" if tags.contains_key(tags::GROUP) => {
                if let Ok(arn) = arn.parse() {
                    self.groups.push((arn, tags));
                }
            }
            "resourcegateway" | "resourceconfiguration" if tags.contains_key(tags::OWNER) => {
                self.resources.push((arn.into(), tags));
            }
            "servicenetworkserviceassociation"
            | "servicenetworkresourceassociation"
            | "accesslogsubscription" => {
                self.ours.insert(id.into());
            }
            _ => {}
        }
    }
}

/// Whether a resource with these tags is this cluster's alone.
pub(super) fn is_ours(tags: &Tags, site: &Site) -> bool {
    tags.get(tags::CLUSTER) == Some(&site.cluster)
}

/// Finds what is this cluster's.
pub(super) async fn catalogue(
    client: &Client,
    site: &Site,
    tagging: bool,
    urgency: Urgency,
) -> Result<Catalogue, Error> {
    let untagged = if tagging {
        match by_tags(client, site, urgency).boxed().await {
            Ok(catalogue) => return Ok(catalogue),
            Err(error) if is_lasting(&error) => Some(error),
            Err(error) => return Err(error),
        }
    } else {
        None
    };
    let catalogue = by_listing(client, site, urgency).boxed().await?;
    Ok(Catalogue { untagged, ..catalogue })
}

/// Whether the tagging API will not serve soon, so that resources have to be listed instead.
pub(super) fn is_lasting(error: &Error) -> bool {
    matches!(
        error,
        Error::Denied { .. } | Error::Credentials { .. } | Error::Unreachable { .. } | Error::Refused { .. }
    )
}

async fn by_tags(client: &Client, site: &Site, urgency: Urgency) -> Result<Catalogue, Error> {
    let cluster = Some(site.cluster.as_str());
    let networks = ["vpc-lattice:servicenetwork"];
    let (found, policies, directories) = tokio::try_join!(
        client.tagged(&TYPES, tags::CLUSTER, cluster, urgency).boxed(),
        client.tagged(&networks, tags::POLICIES, cluster, urgency).boxed(),
        resource_calls::directories(client, site, true, urgency).boxed(),
    )?;
    let mut catalogue = Catalogue { resources: with_owner(directories), ..Catalogue::default() };
    for (arn, tags) in found {
        if is_ours(&tags, site) {
            catalogue.take(&arn, tags);
        }
    }
    catalogue.networks = policies.iter().map(|(arn, _)| NetworkId::from(id_of(arn))).collect();
    Ok(catalogue)
}

async fn by_listing(client: &Client, site: &Site, urgency: Urgency) -> Result<Catalogue, Error> {
    let (services, groups, networks, gateways, configurations, directories) = tokio::try_join!(
        client.services(urgency).boxed(),
        client.groups(Some(&site.vpc), urgency).boxed(),
        client.networks(urgency).boxed(),
        async { if_allowed(client.resource_gateways(urgency).await) }.boxed(),
        async { if_allowed(client.configurations(urgency).await) }.boxed(),
        resource_calls::directories(client, site, false, urgency).boxed(),
    )?;
    let arns = services.into_iter().map(|service| service.arn);
    let arns = arns.chain(groups.into_iter().map(|group| group.arn.to_string()));
    let arns = arns.chain(networks.into_iter().map(|(network, _)| network.arn));
    let arns = arns.chain(gateways.into_iter().map(|gateway| gateway.arn));
    let arns = arns.chain(configurations.into_iter().map(|(_, arn)| arn));
    let own = arns.filter(|arn| arn.split(':').nth(4) == Some(&site.account));
    let tagged: Vec<(String, Tags)> = futures::stream::iter(own)
        .map(|arn| async move {
            let tags = tags_of(client, &arn, urgency).await?;
            Ok::<_, Error>((arn, tags))
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    let mut catalogue = Catalogue { resources: with_owner(directories), ..Catalogue::default() };
    for (arn, tags) in tagged {
        if tags.get(tags::POLICIES) == Some(&site.cluster) && arn.contains(":servicenetwork/") {
            catalogue.networks.insert(id_of(&arn).into());
        }
        if is_ours(&tags, site) {
            catalogue.take(&arn, tags);
        }
    }
    Ok(catalogue)
}

/// What a role that may not even look can't have made.
fn if_allowed<T>(listed: Result<Vec<T>, Error>) -> Result<Vec<T>, Error> {
    match listed {
        Err(Error::Denied { .. }) => Ok(Vec::new()),
        listed => listed,
    }
}

/// Those that were made for some owner.
fn with_owner(mut found: Vec<(String, Tags)>) -> Vec<(String, Tags)> {
    found.retain(|(_, tags)| tags.contains_key(tags::OWNER));
    found
}

/// The tags of a resource; none of one that is gone, or whose tags are another account's.
pub(super) async fn tags_of(client: &Client, arn: &str, urgency: Urgency) -> Result<Tags, Error> {
    match client.tags(arn, urgency).await {
        Err(Error::Missing { .. }) => Ok(Tags::new()),
        Err(Error::Denied { .. }) if arn.contains("association/") => Ok(Tags::new()),
        result => result,
    }
}

/// The id at the end of an ARN.
pub(super) fn id_of(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// A service as it is known before it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ServiceSeed {
    pub(super) arn: String,
    /// Its tags, if they are known.
    pub(super) tags: Option<Tags>,
}

/// A service as it was read.
#[derive(Debug)]
pub(super) struct ServiceReading {
    pub(super) tree: ServiceTree,
    /// Associations and subscriptions of it that are this cluster's and were not known to be.
    pub(super) ours: BTreeSet<String>,
}

/// Reads a service with all that belongs to it; `None` if it is not there. Of its access log subscriptions, only this
/// cluster's are taken in, and those to `destinations`.
pub(super) async fn service(
    client: &Client,
    site: &Site,
    seed: ServiceSeed,
    ours: Ours,
    destinations: BTreeSet<String>,
    urgency: Urgency,
) -> Result<Option<ServiceReading>, Error> {
    let id = ServiceId::from(id_of(&seed.arn));
    let service = match client.service(&id, urgency).boxed().await {
        Ok(service) => service,
        Err(Error::Missing { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    // Each call's future takes kilobytes, so those that run side by side are kept out of this one.
    let tags = async {
        match seed.tags {
            Some(tags) => Ok(tags),
            None => client.tags(&seed.arn, urgency).await,
        }
    }
    .boxed();
    let listeners = async {
        let listed = client.listeners(&id, urgency).await?;
        try_join_all(listed.iter().map(|summary| listener(client, &id, summary, urgency).boxed())).await
    }
    .boxed();
    let associations = async {
        let listed = client.service_associations(ServiceAssociationsOf::Service(&id), urgency).await?;
        let mut mine = BTreeSet::new();
        for association in &listed {
            let known = association.id.as_str();
            if !ours.contains(known) && is_ours(&tags_of(client, &association.arn, urgency).await?, site) {
                mine.insert(known.to_owned());
            }
        }
        Ok((listed, mine))
    }
    .boxed();
    let policy = async {
        match client.auth_policy(&seed.arn, urgency).await {
            // What is not in force matters little.
            Err(error) if !service.auth && error.needs_operator() => Ok(None),
            result => result,
        }
    }
    .boxed();
    let logs = access_logs(client, site, &seed.arn, &ours, &destinations, urgency).boxed();
    let (tags, listeners, (associations, mut mine), auth_policy, (access_logs, my_logs)) =
        tokio::try_join!(tags, listeners, associations, policy, logs)?;
    mine.extend(my_logs);
    let listeners = listeners.into_iter().flatten().map(|tree| (tree.listener.port, tree)).collect();
    let associations =
        associations.into_iter().map(|association| (association.network.clone(), association)).collect();
    Ok(Some(ServiceReading {
        tree: ServiceTree { service, tags, auth_policy, listeners, associations, access_logs },
        ours: mine,
    }))
}

async fn listener(
    client: &Client,
    service: &ServiceId,
    summary: &ListenerSummary,
    urgency: Urgency,
) -> Result<Option<ListenerTree>, Error> {
    let read = async {
        tokio::try_join!(
            client.listener(service, &summary.id, urgency).boxed(),
            client.rules(service, &summary.id, urgency).boxed(),
        )
    };
    let (listener, listed) = match read.await {
        Ok(read) => read,
        // Deleted since it was listed.
        Err(Error::Missing { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let ids: Vec<_> = listed.into_iter().filter(|rule| !rule.is_default).map(|rule| rule.id).collect();
    let rules: Vec<_> = futures::stream::iter(ids)
        .map(|id| {
            let listener = &listener.id;
            async move {
                match client.rule(service, listener, &id, urgency).boxed().await {
                    Ok(rule) => Ok(Some((id, rule))),
                    Err(Error::Missing { .. }) => Ok(None),
                    Err(error) => Err(error),
                }
            }
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(Some(ListenerTree { listener, rules: rules.into_iter().flatten().collect() }))
}

type AccessLogs = BTreeMap<String, AccessLogId>;

/// Where the access logs of a service or service network go, by the ARN of either: by this cluster's doing, or to
/// `destinations`. Also tells which are this cluster's and were not known to be.
async fn access_logs(
    client: &Client,
    site: &Site,
    resource: &str,
    ours: &BTreeSet<String>,
    destinations: &BTreeSet<String>,
    urgency: Urgency,
) -> Result<(AccessLogs, BTreeSet<String>), Error> {
    let (mut logs, mut mine) = (AccessLogs::new(), BTreeSet::new());
    let prefix: Vec<&str> = resource.split(':').take(5).collect();
    for (id, destination) in client.access_logs(resource, urgency).await? {
        let mut known = ours.contains(id.as_str());
        if !known {
            let arn = format!("{}:accesslogsubscription/{id}", prefix.join(":"));
            known = is_ours(&tags_of(client, &arn, urgency).await?, site);
            if known {
                mine.insert(id.as_str().to_owned());
            }
        }
        if known || destinations.contains(&destination) {
            logs.insert(destination, id);
        }
    }
    Ok((logs, mine))
}

/// A target group as it is known before it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GroupSeed {
    pub(super) arn: TargetGroupArn,
    /// Its tags, if they are known.
    pub(super) tags: Option<Tags>,
}

/// Reads a target group; `None` if it is not there.
pub(super) async fn group(
    client: &Client,
    seed: GroupSeed,
    urgency: Urgency,
) -> Result<Option<(Group, Tags)>, Error> {
    let tags = async {
        match seed.tags {
            Some(tags) => Ok(tags),
            None => client.tags(seed.arn.as_str(), urgency).await,
        }
    };
    match tokio::try_join!(client.group(&seed.arn, urgency), tags) {
        Ok(read) => Ok(Some(read)),
        Err(Error::Missing { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Which service networks there are, and in which the cluster's VPC is.
#[derive(Debug, Default)]
pub(super) struct Networks {
    pub(super) all: Vec<Network>,
    /// How much is in each.
    pub(super) members: BTreeMap<NetworkId, Members>,
    pub(super) vpc: BTreeMap<NetworkId, VpcTree>,
}

/// Reads which service networks there are, and in which the VPC is.
pub(super) async fn networks(client: &Client, site: &Site, urgency: Urgency) -> Result<Networks, Error> {
    let (networks, vpc) =
        tokio::try_join!(client.networks(urgency).boxed(), vpc(client, site, urgency).boxed())?;
    let members = networks.iter().map(|(network, members)| (network.id.clone(), *members)).collect();
    let all = networks.into_iter().map(|(network, _)| network).collect();
    Ok(Networks { all, members, vpc })
}

/// Reads in which service networks the VPC is.
pub(super) async fn vpc(
    client: &Client,
    site: &Site,
    urgency: Urgency,
) -> Result<BTreeMap<NetworkId, VpcTree>, Error> {
    let listed = client.vpc_associations(VpcAssociationsOf::Vpc(&site.vpc), urgency).await?;
    let mut trees = BTreeMap::new();
    for summary in listed {
        let (read, tags) = match tokio::try_join!(
            client.vpc_association(&summary.id, urgency).boxed(),
            tags_of(client, &summary.arn, urgency).boxed()
        ) {
            Ok(read) => read,
            Err(Error::Missing { .. }) => continue,
            Err(error) => return Err(error),
        };
        let tree = VpcTree {
            id: read.id,
            status: read.status,
            security_groups: read.security_groups.unwrap_or_default(),
            ours: is_ours(&tags, site),
        };
        trees.insert(read.network, tree);
    }
    Ok(trees)
}

/// What is there of a service network besides itself and the VPC's association, as far as policies are concerned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Policies {
    pub(super) tags: Tags,
    pub(super) auth: bool,
    pub(super) auth_policy: Option<String>,
    pub(super) access_logs: AccessLogs,
}

/// Reads a service network's policies; `None` if it is not there.
pub(super) async fn policies(
    client: &Client,
    site: &Site,
    arn: &str,
    ours: Ours,
    destinations: BTreeSet<String>,
    urgency: Urgency,
) -> Result<Option<(Policies, BTreeSet<String>)>, Error> {
    let auth = match client.network_auth(arn, urgency).await {
        Ok(auth) => auth,
        Err(Error::Missing { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let (tags, auth_policy, (access_logs, mine)) = tokio::try_join!(
        tags_of(client, arn, urgency).boxed(),
        client.auth_policy(arn, urgency).boxed(),
        access_logs(client, site, arn, &ours, &destinations, urgency).boxed(),
    )?;
    Ok(Some((Policies { tags, auth, auth_policy, access_logs }, mine)))
}
