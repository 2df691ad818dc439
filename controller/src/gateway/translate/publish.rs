//! Services of Cloud Map that lead to routes' services, where Gateways ask for them.
//!
//! A service is published under its host name: without the namespace's domain where that is its end, so that the private DNS
//! of the namespace resolves the very host name, and whole otherwise. One without a host name is published as the pods of a
//! UDPRoute are. What a name leads to can be changed, so it may pass from route to route without being made anew.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use lath_kubernetes::{
    parameters::{Layer4, Services},
    watch::ObjectName,
};
use lattice::{
    Tags, names,
    resource::{
        DIRECTORY_LENGTH, DirectorySpec, Holds, LABEL_LENGTH, ResourceKey, ResourceKind, ResourceSpec,
        fits_directory,
    },
    service::{Desired, Owner},
    tags,
};

use super::{World, attach::Parent, gateways::View, hostnames::Hostname, services};
use crate::gateway::route::Route;

/// What is said of a service in Cloud Map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Publication {
    /// It is to be published by this directory, under this name.
    As(ResourceKey, String),
    /// It is not published, for this reason.
    Not(String),
}

/// What a Gateway has to say before its services are published, if it does not.
pub(super) fn lacks(layer4: &Layer4) -> Option<&'static str> {
    (layer4.publish_services && layer4.namespace.is_none()).then_some(
        "publishServices of the GatewayParameters needs a private DNS namespace of Cloud Map: set cloudMapNamespace in the \
         GatewayParameters of the Gateway or of its class",
    )
}

/// What is to be published, older routes first.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    wishes: Vec<Wish>,
    /// Services and the namespaces in which they are to be.
    seen: BTreeSet<(Owner, String)>,
}

/// A service that is to be published.
#[derive(Debug)]
struct Wish {
    owner: Owner,
    /// Under which name, or why it can't be.
    name: Result<String, String>,
    /// Its directory, but for the name and the tags, which are the service's.
    spec: DirectorySpec,
}

impl Wishes {
    /// Takes in what is to be published of a route.
    pub(super) fn add(
        &mut self,
        world: &World<'_>,
        views: &[View<'_>],
        route: &Route,
        parents: &[Parent<'_>],
    ) {
        for want in services::wants(views, route, parents) {
            for (view, _) in &want.places {
                let Some(namespace) = view.publishes() else { continue };
                if !self.seen.insert((want.owner.clone(), namespace.to_owned())) {
                    continue;
                }
                let object = match view.parameters.services {
                    Services::PerRoute => &route.name.object,
                    Services::PerHostname => view.name,
                };
                let spec = DirectorySpec {
                    namespace: namespace.into(),
                    create_namespace: view.layer4.create_namespace,
                    vpc: world.site.vpc.clone(),
                    name: String::new(),
                    holds: Holds::Service(want.owner.clone()),
                    tags: Tags::new(),
                };
                let name = name(&want.hostname, object, namespace);
                self.wishes.push(Wish { owner: want.owner.clone(), name, spec });
            }
        }
    }

    /// Makes directories of them, and tells what is said of each service that is there. A name that is taken is left to
    /// whoever has it: the pods of a route before all, since that route would be nothing without it, and older ones.
    pub(super) fn finish(self, desired: &mut Desired) -> BTreeMap<Owner, Vec<Publication>> {
        let mut taken: BTreeMap<(String, String), Owner> = BTreeMap::new();
        for (key, spec) in &desired.resources {
            if let ResourceSpec::Directory(spec) = spec {
                taken.insert((spec.namespace.clone(), spec.name.clone()), key.owner.clone());
            }
        }
        let mut said: BTreeMap<Owner, Vec<Publication>> = BTreeMap::new();
        for Wish { owner, name, mut spec } in self.wishes {
            match desired.services.get(&owner) {
                Some(service) => spec.tags.clone_from(&service.tags),
                // What leads to it stays as it is, whatever the tags are.
                None if desired.held.contains(&owner) => {}
                None => continue,
            }
            let publication = match name {
                Ok(name) => {
                    spec.name = name;
                    claim(&mut taken, &owner, spec, desired)
                }
                Err(why) => Publication::Not(why),
            };
            said.entry(owner).or_default().push(publication);
        }
        said
    }
}

/// Gives a service the name of its directory, unless that is taken.
fn claim(
    taken: &mut BTreeMap<(String, String), Owner>,
    owner: &Owner,
    mut spec: DirectorySpec,
    desired: &mut Desired,
) -> Publication {
    let dns_name = spec.dns_name();
    match taken.entry((spec.namespace.clone(), spec.name.clone())) {
        Entry::Occupied(taken) => Publication::Not(format!(
            "{} has the name {dns_name} there: use another hostname, or another cloudMapNamespace",
            whose(taken.get())
        )),
        Entry::Vacant(free) => {
            free.insert(owner.clone());
            // What can't be changed of a directory.
            let of = format!("CloudMap/{}/{}", spec.namespace, spec.name);
            spec.tags.insert(tags::OWNER.into(), names::owner_tag(&of));
            let key = ResourceKey { kind: ResourceKind::Directory, owner: of };
            desired.resources.insert(key.clone(), ResourceSpec::Directory(spec));
            Publication::As(key, dns_name)
        }
    }
}

/// The name of a service in a namespace, or why it can't have any.
fn name(hostname: &Hostname, object: &ObjectName, namespace: &str) -> Result<String, String> {
    let name = match hostname.as_deref() {
        None => format!("{}.{}", object.name, object.namespace),
        Some(hostname) if hostname.starts_with('*') => {
            return Err(format!("Cloud Map has no wildcards, such as that of the hostname {hostname}"));
        }
        Some(hostname) if hostname == namespace => {
            return Err(format!("the hostname {hostname} is the namespace's own name"));
        }
        Some(hostname) => {
            let within = hostname.strip_suffix(namespace).and_then(|rest| rest.strip_suffix('.'));
            within.unwrap_or(hostname).to_owned()
        }
    };
    if fits_directory(&name) {
        return Ok(name);
    }
    Err(format!(
        "the name would be {name}, and Cloud Map takes {DIRECTORY_LENGTH} characters, {LABEL_LENGTH} between dots"
    ))
}

/// The object that an owner is named after.
fn whose(owner: &Owner) -> String {
    owner.split('/').take(3).collect::<Vec<_>>().join("/")
}
