//! From a TargetGroup object to a target group and its targets.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    time::Duration,
};

use lath_kubernetes::{
    policy::{Protocol, ProtocolVersion},
    target_group::{CloudMap, TargetGroupSpec},
    watch::ObjectName,
};
use lattice::{
    Tags,
    declared::{CloudMapName, DeclaredKey, DeclaredTarget, EventVersion, GroupForm},
    names,
    service::{Desired, GroupKey, GroupProtocol, GroupSpec, HealthCheck, HttpVersion, Owner},
    tags,
    target::IpFamily,
};

use super::{
    World, imports, policies,
    verdict::{Reason, Verdict},
};
use crate::gateway::{
    discovery::{self, Discovery},
    route::RouteKind,
};

/// What is said of a TargetGroup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetGroupVerdict {
    /// Whether nothing is wrong with it.
    pub accepted: Verdict,
    /// The groups that routes have made of it.
    pub groups: BTreeSet<GroupKey>,
}

/// Targets that an object declares, before it is known for which service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Declared {
    object: ObjectName,
    form: GroupForm,
    vpc: Option<String>,
    single: Option<String>,
}

impl Declared {
    /// The key of its group for a service.
    pub(super) fn key(&self, owner: &Owner) -> GroupKey {
        GroupKey::Declared(Box::new(DeclaredKey {
            owner: owner.clone(),
            namespace: self.object.namespace.clone(),
            name: self.object.name.clone(),
            form: self.form,
            vpc: self.vpc.clone(),
            single: self.single.clone(),
        }))
    }
}

/// What a TargetGroup is to a route.
#[derive(Debug)]
pub(super) enum Found {
    /// Targets of which a group is made.
    Declared(Declared),
    /// A group that is there already, by its ARN.
    Kept(GroupKey),
}

/// What targets an object declares, however they are spoken to.
struct Targets<'a> {
    kind: Kind,
    port: u16,
    all: BTreeSet<DeclaredTarget>,
    protocol: Option<Protocol>,
    version: Option<ProtocolVersion>,
    vpc: Option<&'a str>,
}

enum Kind {
    Lambda(EventVersion),
    Alb,
    Instance,
    Ip(IpFamily),
}

/// The TargetGroup of this name as a backend of a route. `at` says where the route names it.
pub(super) fn backend(
    world: &World<'_>,
    kind: RouteKind,
    name: &ObjectName,
    at: &str,
) -> Result<Found, Verdict> {
    let Some(object) = world.objects.target_groups.get(name) else {
        return Err(Verdict::no(
            Reason::BackendNotFound,
            format!("{at} is TargetGroup {name}, which does not exist: create it, or correct the name"),
        ));
    };
    let at = format!("{at} is TargetGroup {name}");
    if let Some(arn) = &object.spec.arn {
        if let Err(fault) = judge(world, &object.spec) {
            return Err(Verdict::no(fault.reason, format!("{at}, which is not accepted: {}", fault.message)));
        }
        return imports::by_arn(world, arn, &format!("{at}, whose spec.arn")).map(Found::Kept);
    }
    let targets = read(&object.spec).map_err(|fault| {
        Verdict::no(Reason::UnsupportedValue, format!("{at}, which is not accepted: {fault}"))
    })?;
    let refuse = |message: String| Err(Verdict::no(Reason::UnsupportedValue, message));
    let protocol = match (kind, targets.protocol) {
        (RouteKind::Tls, None | Some(Protocol::Tcp)) => GroupProtocol::Tcp,
        (RouteKind::Tls, Some(_)) => {
            return refuse(format!(
                "{at}, whose protocol has to be TCP behind a TLSRoute: VPC Lattice passes TLS through"
            ));
        }
        (_, Some(Protocol::Tcp)) => {
            return refuse(format!("{at}, whose protocol TCP is for TLSRoutes: use HTTP or HTTPS"));
        }
        (kind, protocol) => {
            let version = match (kind, targets.version) {
                (RouteKind::Grpc, _) => HttpVersion::Grpc,
                (_, Some(ProtocolVersion::Http2)) => HttpVersion::Http2,
                _ => HttpVersion::Http1,
            };
            if protocol == Some(Protocol::Https) {
                GroupProtocol::Https(version)
            } else {
                GroupProtocol::Http(version)
            }
        }
    };
    let form = match targets.kind {
        Kind::Lambda(events) if kind == RouteKind::Http => GroupForm::Lambda { events },
        Kind::Lambda(_) => {
            return refuse(format!("{at}, a Lambda function, which VPC Lattice calls for HTTPRoutes only"));
        }
        Kind::Alb => GroupForm::Alb { protocol },
        Kind::Instance => GroupForm::Instance { protocol },
        Kind::Ip(family) => GroupForm::Ip { protocol, family },
    };
    // Of these a group takes one.
    let single = matches!(form, GroupForm::Lambda { .. } | GroupForm::Alb { .. });
    let single =
        targets.all.first().filter(|_| single).map(|target| {
            target.port.map_or_else(|| target.id.clone(), |port| format!("{} {port}", target.id))
        });
    let vpc = match form {
        GroupForm::Lambda { .. } => None,
        _ => Some(targets.vpc.unwrap_or(&world.site.vpc).to_owned()),
    };
    Ok(Found::Declared(Declared { object: name.clone(), form, vpc, single }))
}

/// The group of a key for a service with these tags.
pub(super) fn group(world: &World<'_>, key: &DeclaredKey, service: &Tags) -> Option<GroupSpec> {
    let name = ObjectName { namespace: key.namespace.clone(), name: key.name.clone() };
    let object = world.objects.target_groups.get(&name)?;
    let targets = read(&object.spec).ok()?;
    let mut found = world.own_tags();
    found.insert(tags::GROUP.into(), names::tag_of(&GroupKey::Declared(Box::new(key.clone())))?);
    found.insert(tags::OWNER.into(), names::owner_tag(&key.owner));
    found.insert(tags::SOURCE_TYPE.into(), tags::DECLARED.into());
    found.insert(tags::SERVICE_NAME.into(), names::tag_value(&key.name));
    found.insert(tags::SERVICE_NAMESPACE.into(), key.namespace.clone());
    for inherited in [tags::ROUTE_NAME, tags::ROUTE_NAMESPACE, tags::GATEWAY] {
        if let Some(value) = service.get(inherited) {
            found.insert(inherited.into(), value.clone());
        }
    }
    let health_check = match key.form.protocol().filter(|_| key.form.is_checked()) {
        Some(protocol) => policies::checked(protocol, object.spec.health_check.as_ref()),
        None => HealthCheck::default(),
    };
    Some(GroupSpec {
        name: names::declared(key, &world.site.cluster),
        port: targets.port,
        vpc: key.vpc.clone().unwrap_or_default(),
        health_check,
        tags: found,
        targets: match (&object.spec.cloud_map, targets.kind) {
            (Some(named), Kind::Ip(family)) => found_in(world, named, family),
            _ => Some(targets.all),
        },
    })
}

/// The instances of a service of Cloud Map; `None` while they were never found, in which case the group stays as it is.
fn found_in(world: &World<'_>, named: &CloudMap, family: IpFamily) -> Option<BTreeSet<DeclaredTarget>> {
    let found = world.discovered.get(&discovered_by(named))?.found.as_ref()?;
    let of_family = found.iter().filter(|instance| IpFamily::of(instance.address) == family);
    let default = named.port.and_then(|port| u16::try_from(port).ok());
    let targets = of_family.filter_map(|instance| {
        let port = instance.port.or(default)?;
        Some(DeclaredTarget::new(&instance.address.to_string(), Some(port)))
    });
    Some(targets.collect())
}

fn discovered_by(named: &CloudMap) -> CloudMapName {
    CloudMapName { namespace: named.namespace.clone(), service: named.service.clone() }
}

/// How often the instances of a service of Cloud Map are looked for.
fn period(named: &CloudMap) -> Result<Duration, String> {
    let Some(seconds) = named.period_seconds else { return Ok(discovery::PERIOD) };
    let within = u64::try_from(seconds).ok().filter(|seconds| (5..=3600).contains(seconds));
    within
        .map(Duration::from_secs)
        .ok_or_else(|| format!("spec.cloudMap.periodSeconds is {seconds}: use one from 5 to 3600"))
}

/// The services of Cloud Map whose instances become targets, and how often they are looked for.
pub(super) fn discoveries(world: &World<'_>, desired: &Desired) -> BTreeMap<CloudMapName, Duration> {
    let mut all: BTreeMap<CloudMapName, Duration> = BTreeMap::new();
    for key in desired.groups.keys() {
        let GroupKey::Declared(of) = key else { continue };
        let name = ObjectName { namespace: of.namespace.clone(), name: of.name.clone() };
        let object = world.objects.target_groups.get(&name);
        let Some(named) = object.and_then(|object| object.spec.cloud_map.as_ref()) else { continue };
        let Ok(period) = period(named) else { continue };
        all.entry(discovered_by(named)).and_modify(|least| *least = period.min(*least)).or_insert(period);
    }
    all
}

/// What is said of all TargetGroups.
pub(super) fn verdicts(world: &World<'_>, desired: &Desired) -> BTreeMap<ObjectName, TargetGroupVerdict> {
    let mut made: BTreeMap<ObjectName, BTreeSet<GroupKey>> = BTreeMap::new();
    for key in desired.groups.keys() {
        if let GroupKey::Declared(of) = key {
            let name = ObjectName { namespace: of.namespace.clone(), name: of.name.clone() };
            made.entry(name).or_default().insert(key.clone());
        }
    }
    let all = world.objects.target_groups.iter();
    all.map(|(name, object)| {
        let accepted = match judge(world, &object.spec) {
            Ok(()) => match known(world, &object.spec).and_then(|known| known.trouble.as_ref()) {
                Some(trouble) => Verdict::yes(
                    Reason::Accepted,
                    format!(
                        "Routes may name it. It keeps the instances that were found last, since: {trouble}"
                    ),
                ),
                None => Verdict::yes(Reason::Accepted, "Routes may name it"),
            },
            Err(fault) => fault,
        };
        let mut groups = made.remove(name).unwrap_or_default();
        if let Some(arn) = object.spec.arn.as_deref().and_then(|arn| arn.parse().ok()) {
            let key = GroupKey::External(arn);
            groups.extend(desired.imports.contains(&key).then_some(key));
        }
        (name.clone(), TargetGroupVerdict { accepted, groups })
    })
    .collect()
}

/// What is known of the service of Cloud Map that an object declares.
fn known<'a>(world: &World<'a>, spec: &TargetGroupSpec) -> Option<&'a Discovery> {
    spec.cloud_map.as_ref().and_then(|named| world.discovered.get(&discovered_by(named)))
}

/// Whether nothing is wrong with what an object declares.
fn judge(world: &World<'_>, spec: &TargetGroupSpec) -> Result<(), Verdict> {
    let refuse = |message: String| Verdict::no(Reason::UnsupportedValue, message);
    if let Some(arn) = &spec.arn {
        one_of(spec).map_err(refuse)?;
        return imports::by_arn(world, arn, "spec.arn").map(drop);
    }
    read(spec).map_err(refuse)?;
    let never = known(world, spec).filter(|known| known.found.is_none());
    match never.and_then(|known| known.trouble.as_ref()) {
        Some(trouble) => Err(Verdict::no(
            Reason::TargetNotFound,
            format!("spec.cloudMap names what can't be read, and is tried again: {trouble}"),
        )),
        None => Ok(()),
    }
}

/// Whether it is exactly one kind of backend, with a health check where there can be one.
fn one_of(spec: &TargetGroupSpec) -> Result<(), String> {
    let kinds = [
        spec.lambda.is_some(),
        spec.load_balancer.is_some(),
        spec.instances.is_some(),
        spec.addresses.is_some(),
        spec.cloud_map.is_some(),
        spec.arn.is_some(),
    ];
    if kinds.into_iter().filter(|is| *is).count() != 1 {
        return Err(
            "spec has to have exactly one of lambda, loadBalancer, instances, addresses, cloudMap, arn"
                .into(),
        );
    }
    let checked = spec.instances.is_some() || spec.addresses.is_some() || spec.cloud_map.is_some();
    if spec.health_check.is_some() && !checked {
        return Err(
            "spec.healthCheck is for instances, addresses and services of Cloud Map: VPC Lattice checks nothing else"
                .into(),
        );
    }
    Ok(())
}

/// What targets an object declares.
fn read(spec: &TargetGroupSpec) -> Result<Targets<'_>, String> {
    one_of(spec)?;
    let number = |port: i32, field: &str| {
        let port = u16::try_from(port).ok().filter(|port| *port > 0);
        port.ok_or_else(|| format!("spec.{field}.port is none: use one from 1 to 65535"))
    };
    if let Some(check) = &spec.health_check
        && check.timeout_seconds.is_some_and(|timeout| timeout >= check.interval_seconds.unwrap_or(30))
    {
        return Err(
            "spec.healthCheck.timeoutSeconds has to be less than intervalSeconds, which is 30 unless it is set".into(),
        );
    }
    if let Some(lambda) = &spec.lambda {
        let events = match lambda.event_version.as_deref() {
            None | Some("V2") => EventVersion::V2,
            Some("V1") => EventVersion::V1,
            Some(other) => return Err(format!("spec.lambda.eventVersion is {other:?}: use V1 or V2")),
        };
        return Ok(Targets {
            kind: Kind::Lambda(events),
            port: 80,
            all: [DeclaredTarget::new(&lambda.function_arn, None)].into(),
            protocol: None,
            version: None,
            vpc: None,
        });
    }
    if let Some(one) = &spec.load_balancer {
        let port = number(one.port, "loadBalancer")?;
        return Ok(Targets {
            kind: Kind::Alb,
            port,
            all: [DeclaredTarget::new(&one.arn, Some(port))].into(),
            protocol: one.protocol,
            version: one.protocol_version,
            vpc: one.vpc.as_deref(),
        });
    }
    if let Some(all) = &spec.instances {
        let port = number(all.port, "instances")?;
        if all.ids.is_empty() {
            return Err("spec.instances.ids is empty: name the instances".into());
        }
        return Ok(Targets {
            kind: Kind::Instance,
            port,
            all: all.ids.iter().map(|id| DeclaredTarget::new(id, Some(port))).collect(),
            protocol: all.protocol,
            version: all.protocol_version,
            vpc: all.vpc.as_deref(),
        });
    }
    if let Some(named) = &spec.cloud_map {
        let family = match named.ip_family.as_deref() {
            None | Some("IPv4") => IpFamily::IPv4,
            Some("IPv6") => IpFamily::IPv6,
            Some(other) => return Err(format!("spec.cloudMap.ipFamily is {other:?}: use IPv4 or IPv6")),
        };
        period(named)?;
        return Ok(Targets {
            kind: Kind::Ip(family),
            port: named.port.map_or(Ok(80), |port| number(port, "cloudMap"))?,
            all: BTreeSet::new(),
            protocol: named.protocol,
            version: named.protocol_version,
            vpc: named.vpc.as_deref(),
        });
    }
    let Some(all) = &spec.addresses else { return Err("spec declares no targets".into()) };
    let port = number(all.port, "addresses")?;
    let mut addresses = Vec::with_capacity(all.ips.len());
    for ip in &all.ips {
        let Ok(address) = ip.parse::<IpAddr>() else {
            return Err(format!("spec.addresses.ips has {ip:?}, which is no address"));
        };
        addresses.push(address);
    }
    let families: BTreeSet<IpFamily> = addresses.iter().map(|address| IpFamily::of(*address)).collect();
    let mut families = families.into_iter();
    let (Some(family), None) = (families.next(), families.next()) else {
        return Err(
            "spec.addresses.ips has to be addresses of one family, since a target group has one: make a TargetGroup for each"
                .into(),
        );
    };
    Ok(Targets {
        kind: Kind::Ip(family),
        port,
        all: addresses.iter().map(|ip| DeclaredTarget::new(&ip.to_string(), Some(port))).collect(),
        protocol: all.protocol,
        version: all.protocol_version,
        vpc: all.vpc.as_deref(),
    })
}
