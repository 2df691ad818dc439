//! The objects that decide what VPC Lattice should hold, as they were last seen.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use kube::api::ObjectMeta;
use lath_kubernetes::{
    gateway::{Gateway, GatewayClass, ReferenceGrant},
    parameters::GatewayParameters,
    policy::{AccessLogPolicy, IAMAuthPolicy, TargetGroupPolicy, VpcAssociationPolicy},
    service_network::ServiceNetwork,
    target_group::TargetGroup,
    watch::{Change, ObjectName},
};

use super::{
    multicluster::{ByDialect, Dialect, Export, Import},
    route::{Route, RouteKind, RouteName},
};

/// The kinds that are watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// GatewayClasses.
    Classes,
    /// Gateways.
    Gateways,
    /// Routes of one kind.
    Routes(RouteKind),
    /// ReferenceGrants.
    Grants,
    /// Namespaces, for their labels.
    Namespaces,
    /// GatewayParameters.
    Parameters,
    /// TargetGroupPolicies.
    TargetGroupPolicies,
    /// IAMAuthPolicies.
    AuthPolicies,
    /// AccessLogPolicies.
    AccessLogPolicies,
    /// VpcAssociationPolicies.
    VpcPolicies,
    /// TargetGroups.
    TargetGroups,
    /// ServiceExports of one API group.
    Exports(Dialect),
    /// ServiceImports of one API group.
    Imports(Dialect),
    /// ServiceNetworks.
    ServiceNetworks,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 20] = [
        Self::Classes,
        Self::Gateways,
        Self::Routes(RouteKind::Http),
        Self::Routes(RouteKind::Grpc),
        Self::Routes(RouteKind::Tls),
        Self::Routes(RouteKind::Tcp),
        Self::Routes(RouteKind::Udp),
        Self::Grants,
        Self::Namespaces,
        Self::Parameters,
        Self::TargetGroupPolicies,
        Self::AuthPolicies,
        Self::AccessLogPolicies,
        Self::VpcPolicies,
        Self::TargetGroups,
        Self::Exports(Dialect::Aws),
        Self::Exports(Dialect::Standard),
        Self::Imports(Dialect::Aws),
        Self::Imports(Dialect::Standard),
        Self::ServiceNetworks,
    ];

    /// Whether a cluster may do without the kind. The others come with Gateway API or with Lath's chart, and where one of
    /// them seems not to be there, that says nothing of what VPC Lattice should hold.
    #[must_use]
    pub fn is_optional(self) -> bool {
        matches!(
            self,
            Self::ServiceNetworks
                | Self::Routes(RouteKind::Tls | RouteKind::Tcp | RouteKind::Udp)
                | Self::Exports(Dialect::Standard)
                | Self::Imports(Dialect::Standard)
        )
    }

    /// The resource's name, as in URLs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Classes => "gatewayclasses",
            Self::Gateways => "gateways",
            Self::Routes(RouteKind::Http) => "httproutes",
            Self::Routes(RouteKind::Grpc) => "grpcroutes",
            Self::Routes(RouteKind::Tls) => "tlsroutes",
            Self::Routes(RouteKind::Tcp) => "tcproutes",
            Self::Routes(RouteKind::Udp) => "udproutes",
            Self::Grants => "referencegrants",
            Self::Namespaces => "namespaces",
            Self::Parameters => "gatewayparameters",
            Self::TargetGroupPolicies => "targetgrouppolicies",
            Self::AuthPolicies => "iamauthpolicies",
            Self::AccessLogPolicies => "accesslogpolicies",
            Self::VpcPolicies => "vpcassociationpolicies",
            Self::TargetGroups => "targetgroups",
            Self::Exports(Dialect::Aws) => "serviceexports",
            Self::Exports(Dialect::Standard) => "serviceexports.multicluster.x-k8s.io",
            Self::Imports(Dialect::Aws) => "serviceimports",
            Self::Imports(Dialect::Standard) => "serviceimports.multicluster.x-k8s.io",
            Self::ServiceNetworks => "servicenetworks",
        }
    }
}

/// A change that a watch reports.
#[derive(Debug)]
#[allow(missing_docs, reason = "each is named after its kind")]
pub enum Update {
    Classes(Change<GatewayClass>),
    Gateways(Change<Gateway>),
    Routes(RouteKind, Change<Route>),
    Grants(Change<ReferenceGrant>),
    Namespaces(Change<Namespace>),
    Parameters(Change<GatewayParameters>),
    TargetGroupPolicies(Change<TargetGroupPolicy>),
    AuthPolicies(Change<IAMAuthPolicy>),
    AccessLogPolicies(Change<AccessLogPolicy>),
    VpcPolicies(Change<VpcAssociationPolicy>),
    TargetGroups(Change<TargetGroup>),
    Exports(Dialect, Change<Export>),
    Imports(Dialect, Change<Import>),
    ServiceNetworks(Change<ServiceNetwork>),
    /// The cluster does not have the kind. Objects of it that are known stay: when a definition is deleted, word comes of
    /// each object's end first, so what is still known then is known to be there.
    Absent(Kind),
}

/// A namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespace {
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

/// What is known of the objects.
#[derive(Debug, Default)]
#[allow(missing_docs, reason = "each is named after its kind")]
pub struct Objects {
    revision: u64,
    respecified: u64,
    seen: BTreeSet<Kind>,
    absent: BTreeSet<Kind>,
    pub classes: BTreeMap<String, GatewayClass>,
    pub gateways: BTreeMap<ObjectName, Gateway>,
    pub routes: BTreeMap<RouteKind, BTreeMap<ObjectName, Arc<Route>>>,
    pub grants: BTreeMap<ObjectName, ReferenceGrant>,
    pub namespaces: BTreeMap<String, Namespace>,
    pub parameters: BTreeMap<ObjectName, GatewayParameters>,
    pub target_group_policies: BTreeMap<ObjectName, TargetGroupPolicy>,
    pub auth_policies: BTreeMap<ObjectName, IAMAuthPolicy>,
    pub access_log_policies: BTreeMap<ObjectName, AccessLogPolicy>,
    pub vpc_policies: BTreeMap<ObjectName, VpcAssociationPolicy>,
    pub target_groups: BTreeMap<ObjectName, TargetGroup>,
    pub exports: ByDialect<Export>,
    pub imports: ByDialect<Import>,
    pub service_networks: BTreeMap<String, ServiceNetwork>,
}

impl Objects {
    /// Whether every kind has been listed since the start, but for optional ones that are not there. Nothing is translated
    /// before.
    #[must_use]
    pub fn complete(&self) -> bool {
        self.seen.len() == Kind::ALL.len() && self.absent.iter().all(|kind| kind.is_optional())
    }

    /// Grows with each change.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The revision of the last change that was more than one of a status.
    #[must_use]
    pub fn respecified(&self) -> u64 {
        self.respecified
    }

    /// The kinds that the cluster does not have.
    #[must_use]
    pub fn absent(&self) -> &BTreeSet<Kind> {
        &self.absent
    }

    /// All routes, by kind and name.
    pub fn routes(&self) -> impl Iterator<Item = &Arc<Route>> {
        self.routes.values().flat_map(BTreeMap::values)
    }

    /// A route.
    #[must_use]
    pub fn route(&self, name: &RouteName) -> Option<&Arc<Route>> {
        self.routes.get(&name.kind)?.get(&name.object)
    }

    /// All exports, by API group and name.
    pub fn exports(&self) -> impl Iterator<Item = (Dialect, &Export)> {
        self.exports.iter().flat_map(|(dialect, exports)| exports.values().map(|export| (*dialect, export)))
    }

    /// An import.
    #[must_use]
    pub fn import(&self, dialect: Dialect, name: &ObjectName) -> Option<&Import> {
        self.imports.get(&dialect)?.get(name)
    }

    /// Takes a change in.
    pub fn apply(&mut self, update: Update) {
        self.revision += 1;
        let (kind, taken) = match update {
            Update::Absent(kind) => {
                self.absent.insert(kind);
                self.seen.insert(kind);
                self.respecified = self.revision;
                return;
            }
            Update::Classes(change) => (
                Kind::Classes,
                take(
                    &mut self.classes,
                    change,
                    |class| ObjectName::of(class).name,
                    |name| name.name,
                    same_spec,
                ),
            ),
            Update::Gateways(change) => (Kind::Gateways, named(&mut self.gateways, change)),
            Update::Routes(kind, change) => {
                let routes = self.routes.entry(kind).or_default();
                let change = change.map(|route| Arc::new(route.clone()));
                let key = |route: &Arc<Route>| route.name.object.clone();
                let same = |one: &Arc<Route>, two: &Arc<Route>| same_meta(&one.meta, &two.meta);
                (Kind::Routes(kind), take(routes, change, key, |name| name, same))
            }
            Update::Grants(change) => (Kind::Grants, named(&mut self.grants, change)),
            Update::Namespaces(change) => {
                let key = |namespace: &Namespace| namespace.name.clone();
                (Kind::Namespaces, take(&mut self.namespaces, change, key, |name| name.name, PartialEq::eq))
            }
            Update::Parameters(change) => (Kind::Parameters, named(&mut self.parameters, change)),
            Update::TargetGroupPolicies(change) => {
                (Kind::TargetGroupPolicies, named(&mut self.target_group_policies, change))
            }
            Update::AuthPolicies(change) => (Kind::AuthPolicies, named(&mut self.auth_policies, change)),
            Update::AccessLogPolicies(change) => {
                (Kind::AccessLogPolicies, named(&mut self.access_log_policies, change))
            }
            Update::VpcPolicies(change) => (Kind::VpcPolicies, named(&mut self.vpc_policies, change)),
            Update::TargetGroups(change) => (Kind::TargetGroups, named(&mut self.target_groups, change)),
            Update::Exports(dialect, change) => {
                let exports = self.exports.entry(dialect).or_default();
                let key = |export: &Export| export.name.clone();
                let same = |one: &Export, two: &Export| same_meta(&one.meta, &two.meta);
                (Kind::Exports(dialect), take(exports, change, key, |name| name, same))
            }
            Update::Imports(dialect, change) => {
                let imports = self.imports.entry(dialect).or_default();
                let key = |import: &Import| import.name.clone();
                let same = |one: &Import, two: &Import| same_meta(&one.meta, &two.meta);
                (Kind::Imports(dialect), take(imports, change, key, |name| name, same))
            }
            Update::ServiceNetworks(change) => {
                let key = |network: &ServiceNetwork| ObjectName::of(network).name;
                let networks = &mut self.service_networks;
                (Kind::ServiceNetworks, take(networks, change, key, |name| name.name, same_spec))
            }
        };
        if taken.listed {
            self.absent.remove(&kind);
            self.seen.insert(kind);
        }
        if taken.respecified {
            self.respecified = self.revision;
        }
    }
}

/// What a change of one kind came to.
struct Taken {
    /// It was a list of all objects.
    listed: bool,
    /// It changed more than a status.
    respecified: bool,
}

fn named<T: kube::Resource<DynamicType = ()>>(
    objects: &mut BTreeMap<ObjectName, T>,
    change: Change<T>,
) -> Taken {
    take(objects, change, |object| ObjectName::of(object), |name| name, same_spec)
}

fn same_spec<T: kube::Resource>(one: &T, two: &T) -> bool {
    same_meta(one.meta(), two.meta())
}

/// Whether two versions of an object differ in its status at most.
fn same_meta(one: &ObjectMeta, two: &ObjectMeta) -> bool {
    one.uid == two.uid
        && one.generation == two.generation
        && one.annotations == two.annotations
        && one.labels == two.labels
        && one.deletion_timestamp == two.deletion_timestamp
}

/// Takes a change of one kind in.
fn take<K: Ord, T>(
    objects: &mut BTreeMap<K, T>,
    change: Change<T>,
    key: impl Fn(&T) -> K,
    of: impl Fn(ObjectName) -> K,
    same: impl Fn(&T, &T) -> bool,
) -> Taken {
    let respecified = match change {
        Change::Snapshot { objects: listed, invalid } => {
            let invalid: BTreeSet<K> = invalid.into_iter().map(of).collect();
            objects.retain(|name, _| invalid.contains(name));
            objects.extend(listed.into_iter().map(|object| (key(&object), object)));
            return Taken { listed: true, respecified: true };
        }
        Change::Applied(object) => {
            let name = key(&object);
            let changed = objects.get(&name).is_none_or(|known| !same(known, &object));
            objects.insert(name, object);
            changed
        }
        Change::Deleted(object) => objects.remove(&key(&object)).is_some(),
        Change::Gone(name) => objects.remove(&of(name)).is_some(),
        Change::Invalid { .. } | Change::Interrupted(_) => false,
    };
    Taken { listed: false, respecified }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none<T>() -> Change<T> {
        Change::Snapshot { objects: Vec::new(), invalid: Vec::new() }
    }

    fn listed(kind: Kind) -> Update {
        match kind {
            Kind::Classes => Update::Classes(none()),
            Kind::Gateways => Update::Gateways(none()),
            Kind::Routes(kind) => Update::Routes(kind, none()),
            Kind::Grants => Update::Grants(none()),
            Kind::Namespaces => Update::Namespaces(none()),
            Kind::Parameters => Update::Parameters(none()),
            Kind::TargetGroupPolicies => Update::TargetGroupPolicies(none()),
            Kind::AuthPolicies => Update::AuthPolicies(none()),
            Kind::AccessLogPolicies => Update::AccessLogPolicies(none()),
            Kind::VpcPolicies => Update::VpcPolicies(none()),
            Kind::TargetGroups => Update::TargetGroups(none()),
            Kind::Exports(dialect) => Update::Exports(dialect, none()),
            Kind::Imports(dialect) => Update::Imports(dialect, none()),
            Kind::ServiceNetworks => Update::ServiceNetworks(none()),
        }
    }

    #[test]
    fn nothing_is_complete_without_a_kind_that_every_cluster_has() {
        for lacking in Kind::ALL {
            let mut objects = Objects::default();
            for kind in Kind::ALL {
                assert!(!objects.complete());
                objects.apply(if kind == lacking { Update::Absent(kind) } else { listed(kind) });
            }
            assert_eq!(objects.complete(), lacking.is_optional(), "{lacking:?}");
            objects.apply(listed(lacking));
            assert!(objects.complete() && objects.absent().is_empty(), "{lacking:?}");
        }
    }

    #[test]
    fn a_kind_that_seems_to_be_gone_takes_none_of_its_objects_along() {
        let mut objects = Objects::default();
        let gateway = Gateway::new("mesh", lath_kubernetes::gateway::GatewaySpec::default());
        objects.apply(Update::Gateways(Change::Snapshot { objects: vec![gateway], invalid: Vec::new() }));
        objects.apply(Update::Absent(Kind::Gateways));
        assert_eq!(objects.gateways.len(), 1);
    }

    #[test]
    fn a_change_of_a_status_is_none_of_what_is_wanted() {
        let mut objects = Objects::default();
        let mut gateway = Gateway::new("mesh", lath_kubernetes::gateway::GatewaySpec::default());
        let mut changes = |objects: &mut Objects, change: &dyn Fn(&mut Gateway)| {
            change(&mut gateway);
            let before = objects.respecified();
            objects.apply(Update::Gateways(Change::Applied(gateway.clone())));
            objects.respecified() != before
        };
        assert!(changes(&mut objects, &|_| {}));
        assert!(!changes(&mut objects, &|gateway| {
            gateway.metadata.resource_version = Some("2".into());
            gateway.status = Some(lath_kubernetes::gateway::GatewayStatus::default());
        }));
        assert!(changes(&mut objects, &|gateway| gateway.metadata.generation = Some(2)));
        assert!(changes(&mut objects, &|gateway| {
            gateway.metadata.annotations = Some([("a".to_owned(), "b".to_owned())].into());
        }));
    }
}
