//! Resource gateways, directories and resource configurations: the calls behind steps, what answers make of what is known,
//! and how they are read and found.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use lattice::{
    Tags,
    id::NetworkId,
    observed::Status,
    plan::resource::Step,
    resource::{DirectorySpec, GatewayUse, ResourceAssociation, ResourceKind, ResourceSpec, ResourceTree},
    tags,
};
use lattice_client::{Client, Error, NewConfiguration, NewDirectory, NewResourceGateway, Operation, Urgency};

use super::{
    calls::borrowed,
    read::{self, Ours},
    resources::{ResourceSeed, ResourceUnit},
    unit::Tree,
};
use crate::bindings::judge::Site;

/// A step on a resource.
#[derive(Debug, Clone)]
pub(super) struct ResourceCall {
    pub(super) step: Step,
    pub(super) kind: ResourceKind,
    /// What is wanted; `None` if the resource is to go.
    pub(super) spec: Option<Arc<ResourceSpec>>,
    /// What is there, unless it is to be made.
    pub(super) there: Option<ResourceTree>,
    /// The network's identifier, if the step names a network: its ARN where it is another account's.
    pub(super) network: Option<String>,
    /// The tags of what is made along with it.
    pub(super) tags: Arc<Tags>,
    /// Makes sure that a repetition makes nothing anew.
    pub(super) token: String,
}

/// What a step on a resource has brought.
#[derive(Debug)]
pub(super) enum ResourceNews {
    Done,
    Made(ResourceTree),
    Status(Status),
    Association(ResourceAssociation),
    /// The namespace is being made; the directory comes when that is done.
    Operation(String),
}

impl ResourceCall {
    /// Whether it makes something.
    pub(super) fn creates(&self) -> bool {
        matches!(self.step, Step::Create(_) | Step::Associate(_))
    }

    /// Whether it takes something away.
    pub(super) fn deletes(&self) -> bool {
        matches!(self.step, Step::Delete | Step::Dissociate(..))
    }

    /// Makes the call, or the few calls that only make sense together.
    pub(super) async fn make(&self, client: &Client) -> Result<ResourceNews, Error> {
        match (&self.step, self.spec.as_deref(), &self.there) {
            (Step::Create(_), Some(ResourceSpec::Gateway(spec)), _) => {
                let new = NewResourceGateway {
                    name: &spec.name,
                    vpc: &spec.vpc,
                    subnets: &spec.subnets,
                    security_groups: &spec.security_groups,
                    family: spec.family,
                    tags: &spec.tags,
                };
                let made = client.create_resource_gateway(&new, &self.token).await?;
                Ok(ResourceNews::Made(ResourceTree::Gateway(made)))
            }
            (Step::Create(_), Some(ResourceSpec::Directory(spec)), _) => {
                create_directory(client, spec, &self.tags, &self.token).await
            }
            (Step::Create(Some(gateway)), Some(ResourceSpec::Configuration(spec)), _) => {
                if matches!(spec.gateway, GatewayUse::External(_)) {
                    check_gateway(client, gateway.as_str()).await?;
                }
                let new = NewConfiguration {
                    name: &spec.name,
                    gateway: gateway.as_str(),
                    port: spec.port,
                    target: &spec.target,
                    tags: &spec.tags,
                };
                let made = client.create_configuration(&new, &self.token).await?;
                Ok(ResourceNews::Made(ResourceTree::Configuration(made, BTreeMap::new())))
            }
            (Step::Update(target), _, Some(ResourceTree::Configuration(there, _))) => {
                client.update_configuration(&there.id, target).await.map(ResourceNews::Status)
            }
            (Step::Associate(network), _, Some(ResourceTree::Configuration(there, _))) => {
                let network = self.network.as_deref().unwrap_or(network.as_str());
                let made =
                    client.associate_configuration(&there.id, network, &self.tags, &self.token).await?;
                // The name is not in the answer. If it can't be read now, it is waited for.
                let read = client.resource_association(&made.id, Urgency::Change).await;
                Ok(ResourceNews::Association(read.unwrap_or(made)))
            }
            (Step::Dissociate(_, association), ..) => {
                client.dissociate_configuration(association).await.map(ResourceNews::Status)
            }
            (Step::Tag(tags), _, Some(there)) => {
                let arn = there.arn();
                match there {
                    ResourceTree::Directory(_) => client.tag_directory(arn, tags).await,
                    _ => client.tag(arn, tags).await,
                }
                .map(|()| ResourceNews::Done)
            }
            (Step::Untag(keys), _, Some(there)) => {
                client.untag(there.arn(), &borrowed(keys)).await.map(|()| ResourceNews::Done)
            }
            (Step::Delete, _, Some(ResourceTree::Gateway(there))) => {
                client.delete_resource_gateway(&there.id).await.map(ResourceNews::Status)
            }
            (Step::Delete, _, Some(ResourceTree::Directory(there))) => {
                for instance in client.instances(&there.id, Urgency::Change).await?.keys() {
                    match client.deregister_instance(&there.id, instance).await {
                        Ok(()) | Err(Error::Missing { .. }) => {}
                        Err(error) => return Err(error),
                    }
                }
                client.delete_directory(&there.id).await.map(|()| ResourceNews::Done)
            }
            (Step::Delete, _, Some(ResourceTree::Configuration(there, _))) => {
                client.delete_configuration(&there.id).await?;
                // The answer does not tell how far that is.
                match client.configuration(&there.id, Urgency::Change).await {
                    Err(Error::Missing { .. }) => Ok(ResourceNews::Done),
                    _ => Ok(ResourceNews::Status(Status::Deleting)),
                }
            }
            _ => Ok(ResourceNews::Done),
        }
    }
}

/// Makes a directory, or the namespace that it needs first.
async fn create_directory(
    client: &Client,
    spec: &DirectorySpec,
    namespace_tags: &Tags,
    token: &str,
) -> Result<ResourceNews, Error> {
    let found = client.dns_namespaces(&spec.namespace, Urgency::Change).await?;
    let call = Operation::ListNamespaces;
    let namespace = match found.as_slice() {
        [one] => one,
        [] if spec.create_namespace => {
            let made = client.create_dns_namespace(&spec.namespace, &spec.vpc, namespace_tags, token).await?;
            return Ok(ResourceNews::Operation(made));
        }
        [] => {
            let message = format!(
                "there is no private DNS namespace {} in Cloud Map: create it, or let Lath create it (GatewayParameters, \
                 createNamespace)",
                spec.namespace
            );
            return Err(Error::Missing { call, message });
        }
        several => {
            let message = format!(
                "Cloud Map has {} private DNS namespaces {}, and does not tell of which VPC each is: use one with a name \
                 of its own",
                several.len(),
                spec.namespace
            );
            return Err(Error::Refused { call, message });
        }
    };
    let new = NewDirectory { name: &spec.name, namespace, records: spec.holds.records(), tags: &spec.tags };
    let made = client.create_directory(&new, token).await?;
    Ok(ResourceNews::Made(ResourceTree::Directory(made)))
}

/// Makes sure that a resource gateway that somebody else made can find directories.
async fn check_gateway(client: &Client, gateway: &str) -> Result<(), Error> {
    let found = client.resource_gateway(gateway, Urgency::Change).await?;
    if found.resolves_in_vpc {
        return Ok(());
    }
    Err(Error::Refused {
        call: Operation::GetResourceGateway,
        message: format!(
            "resource gateway {gateway} resolves public names only: name one whose resourceConfigDnsResolution is IN_VPC"
        ),
    })
}

/// Takes what a step has brought into what is there.
pub(super) fn apply(it: &mut ResourceUnit, call: &ResourceCall, news: ResourceNews) {
    match (&call.step, news) {
        (Step::Create(_), ResourceNews::Made(tree)) => {
            let tags = call.spec.as_ref().map(|spec| spec.tags().clone()).unwrap_or_default();
            it.unit.tree = Tree::Read((tree, tags));
        }
        (Step::Create(_), ResourceNews::Operation(operation)) => it.operation = Some(operation),
        (Step::Delete, ResourceNews::Done) => it.unit.tree = Tree::Absent,
        (step, news) => {
            let Some((tree, tags)) = it.unit.tree.read_mut() else { return };
            match (step, tree, news) {
                (Step::Tag(new), ..) => tags.extend(new.clone()),
                (Step::Untag(keys), ..) => tags.retain(|key, _| !keys.contains(key)),
                (
                    Step::Update(target),
                    ResourceTree::Configuration(configuration, _),
                    ResourceNews::Status(status),
                ) => {
                    configuration.target = Some(target.clone());
                    configuration.status = status;
                }
                (
                    Step::Associate(_),
                    ResourceTree::Configuration(_, all),
                    ResourceNews::Association(association),
                ) => {
                    all.insert(association.network.clone(), association);
                }
                (Step::Dissociate(network, _), ResourceTree::Configuration(_, all), news) => match news {
                    ResourceNews::Status(status) => {
                        if let Some(association) = all.get_mut(network) {
                            association.status = status;
                        }
                    }
                    _ => drop(all.remove(network)),
                },
                (Step::Delete, ResourceTree::Gateway(gateway), ResourceNews::Status(status)) => {
                    gateway.status = status;
                }
                (
                    Step::Delete,
                    ResourceTree::Configuration(configuration, _),
                    ResourceNews::Status(status),
                ) => configuration.status = status,
                _ => {}
            }
        }
    }
}

/// A resource as it was read.
#[derive(Debug)]
pub(super) struct ResourceReading {
    pub(super) tree: ResourceTree,
    pub(super) tags: Tags,
    /// Associations of it that are this cluster's and were not known to be.
    pub(super) ours: BTreeSet<String>,
}

/// Reads a resource; `None` if it is not there. Of the networks that a resource configuration is in, only those are taken
/// in that this cluster has put it into.
pub(super) async fn read(
    client: &Client,
    site: &Site,
    kind: ResourceKind,
    seed: ResourceSeed,
    ours: Ours,
    urgency: Urgency,
) -> Result<Option<ResourceReading>, Error> {
    let id = read::id_of(&seed.arn);
    let mut mine = BTreeSet::new();
    let tree = match kind {
        ResourceKind::Gateway => client.resource_gateway(id, urgency).await.map(ResourceTree::Gateway),
        ResourceKind::Directory => client.directory(&id.into(), urgency).await.map(ResourceTree::Directory),
        ResourceKind::Configuration => {
            let id = id.into();
            match client.configuration(&id, urgency).await {
                Ok(configuration) => {
                    let mut all: BTreeMap<NetworkId, ResourceAssociation> = BTreeMap::new();
                    for association in client.resource_associations(&id, urgency).await? {
                        let known = ours.contains(association.id.as_str());
                        if !known {
                            let tags = read::tags_of(client, &association.arn, urgency).await?;
                            if !read::is_ours(&tags, site) {
                                continue;
                            }
                            mine.insert(association.id.as_str().to_owned());
                        }
                        all.insert(association.network.clone(), association);
                    }
                    Ok(ResourceTree::Configuration(configuration, all))
                }
                Err(error) => Err(error),
            }
        }
    };
    let tree = match tree {
        Ok(tree) => tree,
        Err(Error::Missing { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let tags = match (seed.tags, kind) {
        (Some(tags), _) => Ok(tags),
        (None, ResourceKind::Directory) => client.directory_tags(&seed.arn, urgency).await,
        (None, _) => client.tags(&seed.arn, urgency).await,
    };
    match tags {
        Ok(tags) => Ok(Some(ResourceReading { tree, tags, ours: mine })),
        Err(Error::Missing { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Who has the name that a resource is to have, if anybody has: its ARN and tags.
pub(super) async fn namesake(client: &Client, spec: &ResourceSpec) -> Result<Option<(String, Tags)>, Error> {
    let urgency = Urgency::Change;
    let arn = match spec {
        ResourceSpec::Gateway(spec) => {
            let all = client.resource_gateways(urgency).await?;
            all.into_iter().find(|one| one.name == spec.name).map(|one| one.arn)
        }
        ResourceSpec::Configuration(spec) => {
            let all = client.configurations(urgency).await?;
            all.into_iter().find(|(name, _)| *name == spec.name).map(|(_, arn)| arn)
        }
        ResourceSpec::Directory(spec) => {
            let mut found = None;
            for namespace in client.dns_namespaces(&spec.namespace, urgency).await? {
                let all = client.directories(Some(&namespace), urgency).await?;
                found = all.into_iter().find(|one| one.name == spec.name).map(|one| one.arn).or(found);
            }
            found
        }
    };
    let Some(arn) = arn else { return Ok(None) };
    let tags = match spec {
        ResourceSpec::Directory(_) => client.directory_tags(&arn, urgency).await?,
        _ => read::tags_of(client, &arn, urgency).await?,
    };
    Ok(Some((arn, tags)))
}

/// Finds this cluster's directories, by their tags where that is possible, else by looking at all.
pub(super) async fn directories(
    client: &Client,
    site: &Site,
    tagging: bool,
    urgency: Urgency,
) -> Result<Vec<(String, Tags)>, Error> {
    if tagging {
        let types = ["servicediscovery:service"];
        match client.tagged(&types, tags::CLUSTER, Some(&site.cluster), urgency).await {
            Err(Error::Refused { .. }) => {}
            found => return found,
        }
    }
    let all = match client.directories(None, urgency).await {
        Ok(all) => all,
        // A role that may not use Cloud Map has made no directory.
        Err(error @ (Error::Denied { .. } | Error::Unreachable { .. })) => {
            tracing::debug!(error = error.chain(), "directories of Cloud Map are not looked for");
            return Ok(Vec::new());
        }
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for directory in all {
        match client.directory_tags(&directory.arn, urgency).await {
            Ok(tags) if read::is_ours(&tags, site) => found.push((directory.arn, tags)),
            Ok(_) | Err(Error::Missing { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}
