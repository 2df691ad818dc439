//! Resource gateways, directories and resource configurations: what is known of each, and what they need of each other.

use std::collections::BTreeMap;

use lattice::{
    Tags,
    id::DirectoryId,
    names,
    observed::Status,
    plan::{Known, Wait, resource::Around},
    resource::{
        ConfigurationSpec, DirectorySpec, GatewayUse, Holds, ResourceKey, ResourceKind, ResourceSpec,
        ResourceTree,
    },
    service::Desired,
};
use tokio::time::Instant;

use super::{
    Engine, News,
    resource_calls::ResourceCall,
    unit::{Name, Place, Tree, Unit},
};

/// What is done one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lane {
    /// Reading the resource.
    Tree,
    /// Steps.
    Resource,
}

/// A resource as it is known before it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ResourceSeed {
    pub(super) arn: String,
    /// Its tags, if they are known.
    pub(super) tags: Option<Tags>,
}

/// A resource.
#[derive(Debug)]
pub(super) struct ResourceUnit {
    pub(super) unit: Unit<ResourceSpec, (ResourceTree, Tags), ResourceSeed, Lane, ResourceCall>,
    pub(super) kind: ResourceKind,
    /// What it is for, if somebody wants it.
    pub(super) key: Option<ResourceKey>,
    /// Whether it stays as it is.
    pub(super) held: bool,
    /// Something that takes Cloud Map a while, and that comes first.
    pub(super) operation: Option<String>,
    /// What it waits for.
    pub(super) waits: Vec<Wait>,
    /// Grows with each step.
    pub(super) steps: u64,
}

/// The place of a resource by its kind and the tag of its owner. Its name is unique, so there is never a second one.
pub(super) fn place(kind: ResourceKind, owner_tag: &str) -> Place {
    Place::Own(format!("{} {owner_tag}", word(kind)))
}

/// The place of what a key is for.
pub(super) fn place_of(key: &ResourceKey) -> Place {
    place(key.kind, &names::owner_tag(&key.owner))
}

/// A kind in words.
pub(super) fn word(kind: ResourceKind) -> &'static str {
    match kind {
        ResourceKind::Gateway => "resource gateway",
        ResourceKind::Directory => "directory",
        ResourceKind::Configuration => "resource configuration",
    }
}

impl ResourceUnit {
    pub(super) fn new(kind: ResourceKind, tree: Tree<(ResourceTree, Tags), ResourceSeed>) -> Self {
        Self {
            unit: Unit::new(tree),
            kind,
            key: None,
            held: false,
            operation: None,
            waits: Vec::new(),
            steps: 0,
        }
    }

    /// Its ARN, if it is there.
    pub(super) fn arn(&self) -> Option<&str> {
        match &self.unit.tree {
            Tree::Absent => None,
            Tree::Unread(seed) => Some(&seed.arn),
            Tree::Read((tree, _)) => Some(tree.arn()),
        }
    }

    /// Its tags, if they are known.
    pub(super) fn tags(&self) -> Option<&Tags> {
        match &self.unit.tree {
            Tree::Absent => None,
            Tree::Unread(seed) => seed.tags.as_ref(),
            Tree::Read((_, tags)) => Some(tags),
        }
    }

    /// The directory, if it is one that is there.
    pub(super) fn directory(&self) -> Option<&DirectoryId> {
        match self.unit.tree.read() {
            Some((ResourceTree::Directory(directory), _)) => Some(&directory.id),
            _ => None,
        }
    }

    fn configuration(&self) -> Option<&ConfigurationSpec> {
        match self.unit.wanted.as_deref() {
            Some(ResourceSpec::Configuration(spec)) => Some(spec),
            _ => None,
        }
    }

    /// Whether it goes by what has changed of another one.
    fn goes_by(&self, other: &Self) -> bool {
        match other.kind {
            // It may have let go of what is to be deleted.
            ResourceKind::Configuration => {
                self.kind != ResourceKind::Configuration && self.unit.wanted.is_none()
            }
            _ => self.configuration().is_some_and(|spec| {
                let key = other.key.as_ref();
                key == Some(&spec.directory)
                    || matches!(&spec.gateway, GatewayUse::Own(own) if key == Some(own))
            }),
        }
    }
}

/// Whether it leads to a service that stays as it is, and so does likewise.
fn leads_to_held(spec: &ResourceSpec, desired: &Desired) -> bool {
    match spec {
        ResourceSpec::Directory(DirectorySpec { holds: Holds::Service(owner), .. }) => {
            desired.held.contains(owner)
        }
        _ => false,
    }
}

impl Engine {
    pub(super) fn want_resources(&mut self, desired: &Desired, now: Instant) {
        let mut wanted: BTreeMap<Place, (&ResourceKey, &ResourceSpec)> =
            desired.resources.iter().map(|(key, spec)| (place_of(key), (key, spec))).collect();
        for (place, (key, _)) in &wanted {
            let new = || ResourceUnit::new(key.kind, Tree::Absent);
            self.resources.entry(place.clone()).or_insert_with(new);
        }
        let mut touched = Vec::new();
        for (place, it) in &mut self.resources {
            let (key, spec) = wanted.remove(place).unzip();
            let held = match spec {
                Some(spec) => leads_to_held(spec, desired),
                None => it.tags().is_some_and(|tags| desired.spared.iter().any(|spare| spare.covers(tags))),
            };
            let changed = if held { false } else { it.unit.want(spec, now) };
            if changed || it.held != held || it.key.as_ref() != key {
                it.held = held;
                it.key = key.cloned();
                touched.push(Name::Resource(place.clone()));
            }
        }
        self.progress.resources.retain(|key, _| desired.resources.contains_key(key));
        self.news.push(News::All);
        for name in touched {
            self.touch(name);
        }
    }

    /// Something has changed of a resource: what goes by it has its turn.
    pub(super) fn resource_changed(&mut self, changed: &ResourceUnit) {
        let concerned = self.resources.iter().filter(|(_, it)| it.goes_by(changed));
        let concerned: Vec<Name> = concerned.map(|(place, _)| Name::Resource(place.clone())).collect();
        for name in concerned {
            self.touch(name);
        }
    }

    /// What a resource goes by besides itself.
    pub(super) fn around_resource(&self, it: &ResourceUnit) -> Around {
        let nothing =
            Around { gateway: Known::No, directory: Known::No, network: Known::No, used: self.is_needed(it) };
        let Some(spec) = it.configuration() else { return nothing };
        let gateway = match &spec.gateway {
            GatewayUse::External(id) => Known::Yes(id.clone()),
            GatewayUse::Own(key) => {
                match self.resources.get(&place_of(key)).and_then(|it| it.unit.tree.read()) {
                    Some((ResourceTree::Gateway(gateway), _)) if gateway.status == Status::Active => {
                        Known::Yes(gateway.id.clone())
                    }
                    _ => Known::NotYet,
                }
            }
        };
        let directory = self.resources.get(&place_of(&spec.directory));
        Around {
            gateway,
            directory: if directory.is_some_and(|it| it.directory().is_some()) {
                Known::Yes(())
            } else {
                Known::NotYet
            },
            network: self.known_network(&spec.network),
            used: false,
        }
    }

    /// Whether a resource configuration leads through a resource gateway, or to a directory.
    fn is_needed(&self, it: &ResourceUnit) -> bool {
        let Some((tree, _)) = it.unit.tree.read() else { return false };
        let others = self.resources.values().filter(|other| other.kind == ResourceKind::Configuration);
        others.into_iter().any(|other| match (&other.unit.tree, tree) {
            (Tree::Unread(_), ResourceTree::Gateway(_) | ResourceTree::Directory(_)) => true,
            (Tree::Read((ResourceTree::Configuration(by, _), _)), ResourceTree::Gateway(gateway)) => {
                by.gateway.as_ref() == Some(&gateway.id)
            }
            (Tree::Read((ResourceTree::Configuration(by, _), _)), ResourceTree::Directory(directory)) => {
                let leads =
                    |name: &str| name.strip_prefix(&directory.name).is_some_and(|rest| rest.starts_with('.'));
                by.target.as_ref().is_some_and(|target| leads(&target.name))
            }
            _ => false,
        })
    }
}
