//! Policies: which is in force for what, and what is said of each.
//!
//! Of several policies of one kind for one target the oldest is in force, then the first by name.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{Resource, api::ObjectMeta};
use lath_kubernetes::{
    gateway,
    parameters::Services,
    policy::{
        self, AccessLogPolicy, HealthCheckProtocol, IAMAuthPolicy, ProtocolVersion, TargetGroupPolicy,
        TargetReference, VpcAssociationPolicy,
    },
    watch::ObjectName,
};
use lattice::service::{GroupProtocol, HealthCheck, HttpVersion};

use super::{
    World, gateways,
    verdict::{Reason, Verdict},
};
use crate::gateway::{
    multicluster::{Dialect, Export},
    route::{Route, RouteKind, RouteName},
};

/// A kind of policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "each is named after its kind")]
pub enum PolicyKind {
    TargetGroup,
    IamAuth,
    AccessLog,
    VpcAssociation,
}

impl PolicyKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::TargetGroup, Self::IamAuth, Self::AccessLog, Self::VpcAssociation];

    /// The kind's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TargetGroup => "TargetGroupPolicy",
            Self::IamAuth => "IAMAuthPolicy",
            Self::AccessLog => "AccessLogPolicy",
            Self::VpcAssociation => "VpcAssociationPolicy",
        }
    }
}

/// The four kinds, as far as they are alike.
trait Policy: Resource<DynamicType = ()> + Sized + 'static {
    const KIND: PolicyKind;

    fn all<'a>(world: &World<'a>) -> &'a BTreeMap<ObjectName, Self>;

    fn target(&self) -> &TargetReference;

    /// What is wrong with what it says.
    fn fault(&self) -> Option<String> {
        None
    }

    /// What is wrong with what it says for what uses its target now.
    fn misfit(
        &self,
        _world: &World<'_>,
        _gateways: &[gateways::View<'_>],
        _target: &ObjectName,
    ) -> Option<String> {
        None
    }
}

impl Policy for TargetGroupPolicy {
    const KIND: PolicyKind = PolicyKind::TargetGroup;

    fn all<'a>(world: &World<'a>) -> &'a BTreeMap<ObjectName, Self> {
        &world.objects.target_group_policies
    }

    fn target(&self) -> &TargetReference {
        &self.spec.target_ref
    }

    fn fault(&self) -> Option<String> {
        let spec = &self.spec;
        let check = spec.health_check.as_ref()?;
        (check.timeout_seconds? >= check.interval_seconds.unwrap_or(30)).then(|| {
            "spec.healthCheck.timeoutSeconds has to be less than intervalSeconds, which is 30 unless it is set".into()
        })
    }

    fn misfit(
        &self,
        world: &World<'_>,
        gateways: &[gateways::View<'_>],
        target: &ObjectName,
    ) -> Option<String> {
        let user =
            is_tcp(self).then(|| speaks_http(world, gateways, &self.spec.target_ref, target)).flatten()?;
        Some(format!(
            "spec.protocol TCP is for TLSRoutes, and {user} uses {} {target}: set HTTP or HTTPS. Until then its target \
             groups stay as they are",
            self.spec.target_ref.kind
        ))
    }
}

impl Policy for IAMAuthPolicy {
    const KIND: PolicyKind = PolicyKind::IamAuth;

    fn all<'a>(world: &World<'a>) -> &'a BTreeMap<ObjectName, Self> {
        &world.objects.auth_policies
    }

    fn target(&self) -> &TargetReference {
        &self.spec.target_ref
    }

    fn fault(&self) -> Option<String> {
        let error = lattice::policy::Policy::resource(&self.spec.policy).err()?;
        Some(format!("spec.policy is not an auth policy: {error}"))
    }
}

impl Policy for AccessLogPolicy {
    const KIND: PolicyKind = PolicyKind::AccessLog;

    fn all<'a>(world: &World<'a>) -> &'a BTreeMap<ObjectName, Self> {
        &world.objects.access_log_policies
    }

    fn target(&self) -> &TargetReference {
        &self.spec.target_ref
    }
}

impl Policy for VpcAssociationPolicy {
    const KIND: PolicyKind = PolicyKind::VpcAssociation;

    fn all<'a>(world: &World<'a>) -> &'a BTreeMap<ObjectName, Self> {
        &world.objects.vpc_policies
    }

    fn target(&self) -> &TargetReference {
        &self.spec.target_ref
    }
}

/// The policy of the kind that is in force for a target.
fn in_force<'a, P: Policy>(
    world: &World<'a>,
    group: &str,
    kind: &str,
    target: &ObjectName,
) -> Option<(&'a ObjectName, &'a P)> {
    let targets = |policy: &P| {
        let reference = policy.target();
        reference.group == group && reference.kind == kind && reference.name == target.name
    };
    P::all(world)
        .iter()
        .filter(|(name, policy)| name.namespace == target.namespace && targets(policy))
        .filter(|(_, policy)| policy.meta().deletion_timestamp.is_none() && policy.fault().is_none())
        .min_by_key(|(name, policy)| (created(policy.meta()), *name))
}

fn created(meta: &ObjectMeta) -> Option<k8s_openapi::jiff::Timestamp> {
    meta.creation_timestamp.as_ref().map(|Time(time)| *time)
}

/// The policy of a Service's target groups.
pub(super) fn of_service<'a>(world: &World<'a>, service: &ObjectName) -> Option<&'a TargetGroupPolicy> {
    in_force(world, "", "Service", service).map(|(_, policy)| policy)
}

/// Whether a policy asks for TCP.
pub(super) fn is_tcp(policy: &TargetGroupPolicy) -> bool {
    policy.spec.protocol == Some(policy::Protocol::Tcp)
}

/// Who has target groups of a policy's target that can't be of TCP: the oldest such route, else an export.
fn speaks_http(
    world: &World<'_>,
    gateways: &[gateways::View<'_>],
    reference: &TargetReference,
    target: &ObjectName,
) -> Option<String> {
    let exported = || {
        let mut exports =
            world.objects.exports().filter(|(_, export)| !export.is_leaving() && !export.is_foreign());
        let uses = |dialect: Dialect, export: &Export| match reference.kind.as_str() {
            "Service" => export.service() == *target && of_export(world, dialect, &export.name).is_none(),
            _ => dialect.group() == reference.group && export.name == *target,
        };
        exports
            .find(|(dialect, export)| uses(*dialect, export) && super::exports::has_http(export))
            .map(|(_, export)| format!("ServiceExport {}", export.name))
    };
    let sends = |route: &Route| {
        let mut backends = route.rules.iter().flat_map(|rule| &rule.backends);
        backends.any(|backend| super::backends::leads_to(route, backend, target))
    };
    let routes = world.objects.routes().filter(|route| {
        reference.kind == "Service"
            && matches!(route.name.kind, RouteKind::Http | RouteKind::Grpc)
            && !route.is_leaving()
            && sends(route)
            && route.parents.iter().any(|parent| super::attach::view(gateways, route, parent).is_some())
    });
    let oldest = routes.min_by(|one, two| one.seniority().cmp(&two.seniority()));
    oldest.map(|route| route.name.to_string()).or_else(exported)
}

/// The policy of an export's target groups.
pub(super) fn of_export<'a>(
    world: &World<'a>,
    dialect: Dialect,
    export: &ObjectName,
) -> Option<&'a TargetGroupPolicy> {
    in_force(world, dialect.group(), "ServiceExport", export).map(|(_, policy)| policy)
}

/// Who may call the services of a route.
pub(super) fn auth_of_route<'a>(world: &World<'a>, route: &RouteName) -> Option<&'a str> {
    in_force::<IAMAuthPolicy>(world, gateway::GROUP, route.kind.as_str(), &route.object)
        .map(|(_, policy)| policy.spec.policy.as_str())
}

/// Who may call any service of a Gateway.
pub(super) fn auth_of_gateway<'a>(world: &World<'a>, name: &ObjectName) -> Option<&'a str> {
    in_force::<IAMAuthPolicy>(world, gateway::GROUP, "Gateway", name)
        .map(|(_, policy)| policy.spec.policy.as_str())
}

/// Where access logs of a route's services go.
pub(super) fn logs_of_route<'a>(world: &World<'a>, route: &RouteName) -> Option<&'a str> {
    in_force::<AccessLogPolicy>(world, gateway::GROUP, route.kind.as_str(), &route.object)
        .map(|(_, policy)| policy.spec.destination_arn.as_str())
}

/// Where access logs of a Gateway's services go.
pub(super) fn logs_of_gateway<'a>(world: &World<'a>, name: &ObjectName) -> Option<&'a str> {
    in_force::<AccessLogPolicy>(world, gateway::GROUP, "Gateway", name)
        .map(|(_, policy)| policy.spec.destination_arn.as_str())
}

/// How the VPC is in a Gateway's service network.
pub(super) fn vpc_of_gateway<'a>(world: &World<'a>, name: &ObjectName) -> Option<&'a VpcAssociationPolicy> {
    in_force(world, gateway::GROUP, "Gateway", name).map(|(_, policy)| policy)
}

/// How the targets of a Service are checked.
pub(super) fn health_check(protocol: GroupProtocol, policy: Option<&TargetGroupPolicy>) -> HealthCheck {
    checked(protocol, policy.and_then(|policy| policy.spec.health_check.as_ref()))
}

/// How targets are checked, as an object says it.
pub(super) fn checked(protocol: GroupProtocol, check: Option<&policy::HealthCheck>) -> HealthCheck {
    let Some(check) = check else { return HealthCheck::default().filled(protocol) };
    let number = |value: Option<i32>| value.and_then(|value| u16::try_from(value).ok());
    HealthCheck {
        enabled: check.enabled,
        interval: number(check.interval_seconds),
        timeout: number(check.timeout_seconds),
        healthy_threshold: number(check.healthy_threshold_count),
        unhealthy_threshold: number(check.unhealthy_threshold_count),
        path: check.path.clone().filter(|path| !path.is_empty()),
        port: number(check.port),
        tls: check.protocol.map(|protocol| protocol == HealthCheckProtocol::Https),
        version: check.protocol_version.map(|version| match version {
            ProtocolVersion::Http1 => HttpVersion::Http1,
            ProtocolVersion::Http2 => HttpVersion::Http2,
        }),
        statuses: check.status_match.clone().filter(|statuses| !statuses.is_empty()),
    }
    .filled(protocol)
}

/// What is said of every policy.
pub(super) fn verdicts(
    world: &World<'_>,
    gateways: &[gateways::View<'_>],
) -> BTreeMap<(PolicyKind, ObjectName), Verdict> {
    let mut verdicts = BTreeMap::new();
    judge::<policy::TargetGroupPolicy>(world, gateways, &mut verdicts);
    judge::<policy::IAMAuthPolicy>(world, gateways, &mut verdicts);
    judge::<policy::AccessLogPolicy>(world, gateways, &mut verdicts);
    judge::<policy::VpcAssociationPolicy>(world, gateways, &mut verdicts);
    verdicts
}

fn judge<P: Policy>(
    world: &World<'_>,
    gateways: &[gateways::View<'_>],
    verdicts: &mut BTreeMap<(PolicyKind, ObjectName), Verdict>,
) {
    for (name, policy) in P::all(world) {
        if let Some(verdict) = verdict(world, gateways, name, policy) {
            verdicts.insert((P::KIND, name.clone()), verdict);
        }
    }
}

/// What is said of a policy; `None`: nothing, since its target is not Lath's.
fn verdict<P: Policy>(
    world: &World<'_>,
    gateways: &[gateways::View<'_>],
    name: &ObjectName,
    policy: &P,
) -> Option<Verdict> {
    let reference = policy.target();
    if reference.namespace.as_ref().is_some_and(|namespace| *namespace != name.namespace) {
        return Some(Verdict::no(
            Reason::Invalid,
            "spec.targetRef.namespace is another namespace: a policy is in the namespace of its target",
        ));
    }
    let target = ObjectName { namespace: name.namespace.clone(), name: reference.name.clone() };
    let missing = || {
        Verdict::no(
            Reason::TargetNotFound,
            format!("There is no {} {target}: create it, or correct spec.targetRef", reference.kind),
        )
    };
    let kind = RouteKind::ALL.into_iter().find(|kind| kind.as_str() == reference.kind);
    match (reference.kind.as_str(), kind) {
        ("Gateway", _) => {
            if !gateways.iter().any(|view| *view.name == target) {
                // Another controller's Gateway is that controller's business.
                return (!world.objects.gateways.contains_key(&target)).then(missing);
            }
        }
        (_, Some(kind)) => {
            let route = RouteName { kind, object: target.clone() };
            let Some(found) = world.objects.route(&route) else { return Some(missing()) };
            let views =
                found.parents.iter().filter_map(|parent| super::attach::view(gateways, found, parent));
            let views: Vec<_> = views.collect();
            if views.is_empty() {
                return None;
            }
            if matches!(kind, RouteKind::Tcp | RouteKind::Udp) {
                return Some(Verdict::no(
                    Reason::Invalid,
                    format!(
                        "spec.targetRef is a {}, to which no policy applies: VPC Lattice has auth policies for services only, \
                         and Lath collects logs of services only. Remove the policy, and let security groups decide who may \
                         connect",
                        kind.as_str()
                    ),
                ));
            }
            if views.iter().all(|view| view.parameters.services == Services::PerHostname) {
                return Some(Verdict::no(
                    Reason::Conflicted,
                    "The route's Gateway makes one service for all routes of a hostname, so who may call it and where \
                     its logs go is the Gateway's to say: attach the policy to the Gateway",
                ));
            }
        }
        ("Service", _) => {
            if (world.service)(&target).is_none() {
                return Some(missing());
            }
        }
        ("ServiceExport", _) => {
            let dialect = Dialect::ALL.into_iter().find(|dialect| dialect.group() == reference.group);
            let exports = dialect.and_then(|dialect| world.objects.exports.get(&dialect));
            if !exports.is_some_and(|exports| exports.contains_key(&target)) {
                return Some(missing());
            }
        }
        (other, _) => {
            return Some(Verdict::no(
                Reason::Invalid,
                format!("spec.targetRef is a {other}, which this version of Lath does not apply policies to"),
            ));
        }
    }
    if let Some(fault) = policy.fault() {
        return Some(Verdict::no(Reason::Invalid, fault));
    }
    let (first, _) = in_force::<P>(world, &reference.group, &reference.kind, &target)?;
    Some(if first == name {
        if let Some(misfit) = policy.misfit(world, gateways, &target) {
            return Some(Verdict::no(Reason::Invalid, misfit));
        }
        Verdict::yes(Reason::Accepted, format!("The policy is in force for {} {target}", reference.kind))
    } else {
        Verdict::no(
            Reason::Conflicted,
            format!("{} {first}, which is older, is in force for the same target", P::KIND.as_str()),
        )
    })
}
