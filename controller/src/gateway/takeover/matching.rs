//! What of the AWS controller's is what is wanted: a pure function.

use std::collections::{BTreeMap, BTreeSet};

use lath_kubernetes::{
    standing::{Standing, standing},
    watch::ObjectName,
};
use lattice::{
    Tags, Target, TargetGroupArn,
    service::{Desired, GroupKey, GroupSpec, Owner, ServiceGroupKey, ServiceSpec},
    tags,
};

use super::find::{Found, Service, TargetGroup, managed_by};
use crate::cluster::Cluster;

/// The tags by which a service is found, besides its name.
const OF_SERVICE: [&str; 3] = [tags::ROUTE_NAME, tags::ROUTE_NAMESPACE, tags::ROUTE_TYPE];

/// The tags by which a group is found.
const OF_GROUP: [&str; 6] = [
    tags::SERVICE_NAME,
    tags::SERVICE_NAMESPACE,
    tags::ROUTE_NAME,
    tags::ROUTE_NAMESPACE,
    tags::SOURCE_TYPE,
    tags::PROTOCOL_VERSION,
];

/// What is to be taken over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) services: Vec<TakeService>,
    /// ARNs of associations of the VPC.
    pub(super) vpcs: Vec<String>,
}

/// A service that is to be taken over, with its groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TakeService {
    pub(super) owner: Owner,
    pub(super) arn: String,
    pub(super) tags: Tags,
    pub(super) groups: Vec<(TargetGroupArn, Tags)>,
}

/// Matches what is wanted, by owners that are `fresh`, to what there is. `fits` tells how many of some targets are a
/// key's.
pub(super) fn plan(
    desired: &Desired,
    found: &Found,
    manager: &str,
    fresh: &dyn Fn(&Owner) -> bool,
    fits: &dyn Fn(&ServiceGroupKey, &[Target]) -> usize,
) -> Plan {
    let mut services = Vec::new();
    for (owner, spec) in desired.services.iter().filter(|(owner, _)| fresh(owner)) {
        let Some(service) = found.services.iter().find(|service| is_service(service, spec, manager)) else {
            continue;
        };
        if service.custom_domain != spec.custom_domain {
            tracing::warn!(
                owner,
                arn = service.arn,
                has = service.custom_domain,
                wanted = spec.custom_domain,
                "the AWS controller's service has another hostname than its route, which can't be changed: it is left \
                 alone, and so is the route until one of the two is corrected or the service is deleted"
            );
            continue;
        }
        services.push(TakeService {
            owner: owner.clone(),
            arn: service.arn.clone(),
            tags: spec.tags.clone(),
            groups: groups(desired, found, manager, owner, service, fits),
        });
    }
    let wanted = |vpc: &&lattice::observed::VpcAssociation| {
        desired.networks.iter().any(|(name, spec)| {
            spec.vpc.is_some()
                && (vpc.network_name.as_ref() == Some(name) || vpc.network.as_str() == name.as_str())
        })
    };
    let vpcs = found.vpcs.iter().filter(wanted).map(|vpc| vpc.arn.clone()).collect();
    Plan { services, vpcs }
}

/// Whether a service is the one that a route's would be.
fn is_service(service: &Service, spec: &ServiceSpec, manager: &str) -> bool {
    service.name == spec.name
        && managed_by(&service.tags, manager)
        && same(&service.tags, &spec.tags, &OF_SERVICE)
}

/// Whether these tags are wanted, and are there as they are wanted.
fn same(there: &Tags, wanted: &Tags, keys: &[&str]) -> bool {
    keys.iter().all(|key| wanted.get(*key).is_some_and(|wanted| there.get(*key) == Some(wanted)))
}

/// The groups of a service that are wanted. A Service with several ports has one group at the AWS controller's: it goes
/// to the port that most of its targets are of, and the other ports get new ones.
fn groups(
    desired: &Desired,
    found: &Found,
    manager: &str,
    owner: &Owner,
    service: &Service,
    fits: &dyn Fn(&ServiceGroupKey, &[Target]) -> usize,
) -> Vec<(TargetGroupArn, Tags)> {
    let mut pairs: Vec<(Place<'_>, &GroupSpec)> = Vec::new();
    for (key, spec) in &desired.groups {
        let GroupKey::Service(key) = key else { continue };
        if key.owner != *owner {
            continue;
        }
        for there in found.groups.iter().filter(|there| is_group(there, key, spec, service, manager)) {
            let place = Place {
                fit: std::cmp::Reverse(fits(key, &there.targets)),
                unused: there.group.services.is_empty(),
                port: key.port,
                arn: &there.group.arn,
                key,
            };
            pairs.push((place, spec));
        }
    }
    pairs.sort_by(|(one, _), (two, _)| one.cmp(two));
    let (mut keys, mut arns) = (BTreeSet::new(), BTreeMap::new());
    for (place, spec) in pairs {
        if !keys.contains(place.key) && !arns.contains_key(place.arn) {
            keys.insert(place.key);
            arns.insert(place.arn.clone(), spec.tags.clone());
        }
    }
    arns.into_iter().collect()
}

/// The order in which groups and keys find each other: what is less goes first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place<'a> {
    fit: std::cmp::Reverse<usize>,
    unused: bool,
    port: u16,
    arn: &'a TargetGroupArn,
    key: &'a ServiceGroupKey,
}

/// Whether a group is one for this key, and serves no other service.
fn is_group(
    there: &TargetGroup,
    key: &ServiceGroupKey,
    spec: &GroupSpec,
    service: &Service,
    manager: &str,
) -> bool {
    managed_by(&there.tags, manager)
        && same(&there.tags, &spec.tags, &OF_GROUP)
        && there.group.protocol == Some(key.protocol)
        && there.group.family == key.family
        && there.group.vpc.as_deref() == Some(&spec.vpc)
        && there.group.services.iter().all(|arn| *arn == service.arn)
}

/// How many of these targets are pods behind the Service's port.
pub(super) fn fits(cluster: &Cluster, key: &ServiceGroupKey, targets: &[Target]) -> usize {
    let name = ObjectName { namespace: key.namespace.clone(), name: key.service.clone() };
    let Some(service) = cluster.service(&name).filter(|_| !targets.is_empty()) else { return 0 };
    let Some(port) = service.ports.iter().find(|port| port.port == key.port) else { return 0 };
    let is_target = |target: &&Target| {
        cluster.pods_at(target.address).any(|pod| match standing(pod, service, port, key.family) {
            Standing::Ready(own) | Standing::Unready(own) => own == **target,
            Standing::Out(_) => false,
        })
    };
    targets.iter().filter(is_target).count()
}
