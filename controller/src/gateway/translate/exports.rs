//! From an export to the target groups that other clusters find.

use std::collections::{BTreeMap, BTreeSet};

use lath_kubernetes::{
    multicluster::ExportedPort, names as well_known, service::ServicePort, watch::ObjectName,
};
use lattice::{
    names,
    service::{GroupKey, GroupSpec, HttpVersion, Owner, ServiceGroupKey},
    tags,
    target::IpFamily,
};

use super::{
    World, backends, policies,
    services::extra_tags,
    verdict::{Reason, Verdict},
};
use crate::gateway::{
    multicluster::{Dialect, Export},
    route::RouteKind,
};

/// Which export.
pub type ExportName = (Dialect, ObjectName);

/// What is said of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportVerdict {
    /// Whether its Service is exported.
    pub accepted: Verdict,
    /// The owner of its groups.
    pub owner: Owner,
    /// Its groups.
    pub groups: BTreeSet<GroupKey>,
}

/// What all exports come to.
#[derive(Debug, Default)]
pub(super) struct Exports {
    pub(super) verdicts: BTreeMap<ExportName, ExportVerdict>,
    pub(super) groups: BTreeMap<GroupKey, GroupSpec>,
    /// The owners of groups that stay as they are.
    pub(super) held: BTreeSet<Owner>,
}

/// The owner of the groups of an export.
pub(in crate::gateway) fn owner(dialect: Dialect, name: &ObjectName) -> Owner {
    format!("{}{name}", dialect.owner_prefix())
}

/// Translates all exports.
pub(super) fn exports(world: &World<'_>) -> Exports {
    let mut all = Exports::default();
    let wanted = world.objects.exports().filter(|(_, export)| !export.is_leaving() && !export.is_foreign());
    for (dialect, export) in wanted {
        let owner = owner(dialect, &export.name);
        let made = groups(world, dialect, export, &owner);
        let (accepted, groups) = match made {
            Ok(groups) => {
                let message = format!("Service {} is exported", export.service());
                (Verdict::yes(Reason::Accepted, message), groups)
            }
            Err(refused) => {
                // Other clusters go on with what was exported before.
                all.held.insert(owner.clone());
                (refused, BTreeMap::new())
            }
        };
        let verdict = ExportVerdict { accepted, owner, groups: groups.keys().cloned().collect() };
        all.verdicts.insert((dialect, export.name.clone()), verdict);
        all.groups.extend(groups);
    }
    all
}

fn groups(
    world: &World<'_>,
    dialect: Dialect,
    export: &Export,
    owner: &Owner,
) -> Result<BTreeMap<GroupKey, GroupSpec>, Verdict> {
    if dialect == Dialect::Aws && export.annotation(well_known::AWS_FEDERATION).is_none() {
        return Err(Verdict::no(
            Reason::Invalid,
            format!(
                "Without the annotation {}: {}, the AWS controller exports nothing, and neither does Lath: set it",
                well_known::AWS_FEDERATION,
                well_known::FEDERATION
            ),
        ));
    }
    // The same name in both API groups would be found twice by whoever imports it.
    if dialect == Dialect::Standard
        && let Some(other) = world.objects.exports.get(&Dialect::Aws).and_then(|all| all.get(&export.name))
        && !other.is_leaving()
        && !other.is_foreign()
    {
        return Err(Verdict::no(
            Reason::Conflicted,
            format!(
                "A ServiceExport {} of group {} goes before this one: delete either",
                export.name,
                well_known::AWS_GROUP
            ),
        ));
    }
    let name = export.service();
    let Some(service) = (world.service)(&name) else {
        return Err(Verdict::no(
            Reason::TargetNotFound,
            format!("There is no Service {name} to be exported: create it, or correct the export's name"),
        ));
    };
    if service.external {
        return Err(Verdict::no(
            Reason::UnsupportedValue,
            format!(
                "Service {name} is of type ExternalName, which has no pods: export one that selects pods"
            ),
        ));
    }
    let policy =
        policies::of_export(world, dialect, &export.name).or_else(|| policies::of_service(world, &name));
    let family = service.families.first().copied().unwrap_or(IpFamily::IPv4);
    let mut groups = BTreeMap::new();
    for (number, kind) in ports(dialect, export, &name, &service.ports)? {
        let of_number = |port: &&ServicePort| port.port == number && port.protocol == "TCP";
        let Some(port) = service.ports.iter().find(of_number) else { continue };
        if let Some(policy) = policy.filter(|policy| kind != RouteKind::Tls && policies::is_tcp(policy)) {
            return Err(Verdict::no(
                Reason::UnsupportedValue,
                format!(
                    "TargetGroupPolicy {} has protocol TCP, which is for TLSRoutes, and port {number} of Service {name} \
                     is exported for {}s: set HTTP or HTTPS there, or export the port with routeType TLS. Until then \
                     what was exported before goes on",
                    policy.metadata.name.as_deref().unwrap_or_default(),
                    kind.as_str()
                ),
            ));
        }
        let protocol = backends::protocol(kind, policy, port);
        let port = port.port;
        let key = ServiceGroupKey {
            owner: owner.clone(),
            namespace: name.namespace.clone(),
            service: name.name.clone(),
            port,
            protocol,
            family,
        };
        let mut found = world.own_tags();
        found.extend(extra_tags(export.annotation(well_known::AWS_TAGS)));
        found.insert(tags::GROUP.into(), names::group_tag(&key));
        found.insert(tags::OWNER.into(), names::owner_tag(owner));
        found.insert(tags::NAMESPACE.into(), name.namespace.clone());
        // Imports go by these four.
        found.insert(tags::EXPORTED.into(), "true".into());
        found.insert(tags::SOURCE_TYPE.into(), tags::EXPORT.into());
        found.insert(tags::SERVICE_NAME.into(), names::tag_value(&export.name.name));
        found.insert(tags::SERVICE_NAMESPACE.into(), name.namespace.clone());
        let version = protocol.version().map_or("", HttpVersion::as_str);
        found.insert(tags::PROTOCOL_VERSION.into(), version.into());
        let spec = GroupSpec {
            name: names::group(&key, &world.site.cluster),
            port,
            vpc: world.site.vpc.clone(),
            health_check: policies::health_check(protocol, policy),
            tags: found,
            targets: None,
        };
        groups.insert(GroupKey::Service(Box::new(key)), spec);
    }
    Ok(groups)
}

/// Whether an export has ports for other routes than TLSRoutes.
pub(super) fn has_http(export: &Export) -> bool {
    export.ports.is_empty() || export.ports.iter().any(|port| port.route_type != "TLS")
}

/// The ports that are exported, and the kind of routes that each is for.
fn ports(
    dialect: Dialect,
    export: &Export,
    service: &ObjectName,
    has: &[ServicePort],
) -> Result<Vec<(u16, RouteKind)>, Verdict> {
    let of_tcp: Vec<u16> = has.iter().filter(|port| port.protocol == "TCP").map(|port| port.port).collect();
    let listed = of_tcp.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
    let exported = |number: i32, said: &str| {
        let port = of_tcp.iter().find(|port| i32::from(**port) == number);
        port.copied().ok_or_else(|| {
            let message = format!("{said} is {number}, and Service {service} has these TCP ports: {listed}");
            Verdict::no(Reason::UnsupportedValue, message)
        })
    };
    if of_tcp.is_empty() {
        let message = format!("Service {service} has no TCP port, and VPC Lattice reaches targets by TCP");
        return Err(Verdict::no(Reason::UnsupportedValue, message));
    }
    if dialect == Dialect::Standard {
        return Ok(of_tcp.into_iter().map(|port| (port, RouteKind::Http)).collect());
    }
    if !export.ports.is_empty() {
        let ports = export.ports.iter().enumerate().map(|(index, ExportedPort { port, route_type })| {
            let kind = match route_type.as_str() {
                "HTTP" => RouteKind::Http,
                "GRPC" => RouteKind::Grpc,
                "TLS" => RouteKind::Tls,
                other => {
                    let message = format!(
                        "spec.exportedPorts[{index}].routeType is {other:?}: use one of HTTP, GRPC, TLS"
                    );
                    return Err(Verdict::no(Reason::UnsupportedValue, message));
                }
            };
            Ok((exported(*port, &format!("spec.exportedPorts[{index}].port"))?, kind))
        });
        return ports.collect();
    }
    if let Some(text) = export.annotation(well_known::AWS_PORT).filter(|text| !text.trim().is_empty()) {
        let ports = text.split(',').map(|part| {
            let number = part.trim().parse::<i32>().unwrap_or(0);
            Ok((
                exported(number, &format!("A port in the annotation {}", well_known::AWS_PORT))?,
                RouteKind::Http,
            ))
        });
        return ports.collect();
    }
    match of_tcp.as_slice() {
        [one] => Ok(vec![(*one, RouteKind::Http)]),
        _ => Err(Verdict::no(
            Reason::UnsupportedValue,
            format!(
                "Service {service} has several ports, {listed}: say in spec.exportedPorts which are exported"
            ),
        )),
    }
}
