//! `GatewayParameters`: how Gateways become services at VPC Lattice.

#![allow(unreachable_pub, reason = "the schema derive repeats each public struct inside a function")]
#![allow(
    missing_docs,
    reason = "a documented variant would become a oneOf, which no structural schema may hold"
)]

use std::time::Duration;

use k8s_openapi::schemars::JsonSchema;
use kube::{CustomResource, KubeSchema};
use lattice::{limits, service::WarmUp};
use serde::{Deserialize, Serialize};

/// How Gateways become services at VPC Lattice. What is not set here is left to the GatewayClass's parameters, and
/// what is not set there to Lath.
///
/// A GatewayClass's `parametersRef` names one for all its Gateways, a Gateway's `infrastructure.parametersRef` names
/// one in the Gateway's namespace, which goes before the class's field by field.
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "lath.dev",
    version = "v1alpha1",
    kind = "GatewayParameters",
    plural = "gatewayparameters",
    doc = "How Gateways become services at VPC Lattice.",
    namespaced,
    shortname = "gwparams",
    category = "lath",
    derive = "Default",
    derive = "PartialEq",
    printcolumn(name = "Services", type_ = "string", json_path = ".spec.services"),
    printcolumn(name = "Path prefix", type_ = "string", json_path = ".spec.pathPrefix"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct GatewayParametersSpec {
    /// PerRoute: one service for each route and host name, named as the AWS Gateway API Controller names it.
    /// PerHostname: one service for each host name of the Gateway, with the rules of all routes for it.
    /// PerRoute if nothing is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub services: Option<Services>,

    /// What a path match of type PathPrefix means. Elements: what Gateway API says, so that /a matches /a and /a/b and
    /// not /ab; that takes two rules at VPC Lattice. Characters: one rule, which matches /ab as well, as with the AWS
    /// Gateway API Controller. Elements if nothing is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_prefix: Option<PathPrefix>,

    /// The service network that the Gateway stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_network: Option<ServiceNetworkParameters>,

    /// What the pods of a Service have to show before requests are moved to them from another Service, or to the same pods
    /// in another protocol. VPC Lattice knows nothing of their health until a rule names them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm_up: Option<WarmUpParameters>,

    /// The account's quotas, where AWS has raised them, and what of them each namespace may use. A route that would go
    /// beyond one is told so before anything is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quotas: Option<QuotaParameters>,

    /// The resource gateway through which VPC Lattice reaches the pods of TCPRoutes. TCP listeners need it, and
    /// cloudMapNamespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_gateway: Option<ResourceGatewayParameters>,

    /// The private DNS namespace of Cloud Map, such as shop.internal, in which the pods of TCPRoutes and UDPRoutes are
    /// published, and services with publishServices. It has to be the VPC's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 125),
        pattern(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
    )]
    pub cloud_map_namespace: Option<String>,

    /// Whether that namespace is made for the cluster's VPC if there is none of its name. It is never deleted. False if
    /// nothing is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create_namespace: Option<bool>,

    /// Whether the services of HTTPRoutes, GRPCRoutes and TLSRoutes are published in cloudMapNamespace: each becomes a service
    /// of Cloud Map that leads, by CNAME, to the name that VPC Lattice has given it. One with a hostname within the namespace is
    /// published under it, so that clients in the VPC resolve that hostname without a hosted zone of their own. Needs
    /// cloudMapNamespace. False if nothing is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publish_services: Option<bool>,

    /// What becomes of UDPRoutes. Refused: they are not accepted, since VPC Lattice carries no UDP. Direct: the ready pods
    /// of each are published in cloudMapNamespace, and traffic goes straight to them, past VPC Lattice. Refused if nothing
    /// is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub udp: Option<Udp>,
}

/// A resource gateway: one that is there, or where Lath makes one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResourceGatewayParameters {
    /// The id of one that is there, whose DNS resolution is IN_VPC. Nothing else is set then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 5, max = 21), pattern(r"^rgw-[0-9a-z]{17}$"))]
    pub id: Option<String>,

    /// The subnets of the cluster's VPC in which Lath makes one, with addresses in each. Gateways with the same subnets
    /// and security groups share one. Other subnets or security groups are another one, through which TCPRoutes are
    /// made anew, under new names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub subnet_ids: Vec<String>,

    /// Security groups that decide where it may connect to; the VPC's default one if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5))]
    pub security_group_ids: Vec<String>,
}

/// What becomes of UDPRoutes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(crate = "k8s_openapi::schemars")]
pub enum Udp {
    #[default]
    Refused,
    Direct,
}

/// What a Gateway goes by for TCPRoutes and UDPRoutes, and in Cloud Map, once everybody has been asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layer4 {
    /// The resource gateway.
    pub resource_gateway: Option<ResourceGatewayParameters>,
    /// The private DNS namespace.
    pub namespace: Option<String>,
    /// Whether that is made if there is none.
    pub create_namespace: bool,
    /// Whether the services of other routes are published in it.
    pub publish_services: bool,
    /// What becomes of UDPRoutes.
    pub udp: Udp,
}

impl Layer4 {
    /// What the first of these says that says anything: the Gateway's own, then its class's. The settings of a resource
    /// gateway belong together.
    #[must_use]
    pub fn resolve(specs: &[&GatewayParametersSpec]) -> Self {
        let first = |set: fn(&GatewayParametersSpec) -> bool| specs.iter().copied().find(|spec| set(spec));
        let gateway = first(|spec| spec.resource_gateway.is_some());
        let namespace = first(|spec| spec.cloud_map_namespace.is_some());
        let flag = |field: fn(&GatewayParametersSpec) -> Option<bool>| {
            specs.iter().copied().find_map(field).unwrap_or(false)
        };
        Self {
            resource_gateway: gateway.and_then(|spec| spec.resource_gateway.clone()),
            namespace: namespace.and_then(|spec| spec.cloud_map_namespace.clone()),
            create_namespace: flag(|spec| spec.create_namespace),
            publish_services: flag(|spec| spec.publish_services),
            udp: first(|spec| spec.udp.is_some()).and_then(|spec| spec.udp).unwrap_or_default(),
        }
    }
}

/// How routes are grouped into services.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(crate = "k8s_openapi::schemars")]
pub enum Services {
    #[default]
    PerRoute,
    PerHostname,
}

/// What a path match of type PathPrefix means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(crate = "k8s_openapi::schemars")]
pub enum PathPrefix {
    #[default]
    Elements,
    Characters,
}

/// The service network that a Gateway stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceNetworkParameters {
    /// Whether it is made if there is none of the Gateway's name. Otherwise the Gateway waits for it. False if nothing
    /// is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create: Option<bool>,

    /// Whether the cluster's VPC is associated with it, without which nothing in the VPC reaches its services. A
    /// VpcAssociationPolicy on the Gateway goes first. If nothing is set, only where Lath may create the network. A VPC is
    /// in one service network at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpc_association: Option<bool>,
}

/// What pods have to show before requests are moved to them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct WarmUpParameters {
    /// The share of them that VPC Lattice has to find healthy, in per cent; 0: requests are moved at once. 75 if nothing is
    /// set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 100))]
    pub healthy_percent: Option<u8>,

    /// Seconds after which requests are moved all the same, at most 3600; 300 if nothing is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 3600))]
    pub timeout_seconds: Option<u16>,
}

/// Quotas of the account, and what of them each namespace may use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.rulesPerNamespace) || !has(self.rulesPerListener) || self.rulesPerNamespace <= self.rulesPerListener").message("spec.quotas.rulesPerNamespace is a namespace's share of rulesPerListener, and can't be larger"))]
#[x_kube(validation = Rule::new("!has(self.targetGroupsPerNamespace) || !has(self.targetGroupsPerService) || self.targetGroupsPerNamespace <= self.targetGroupsPerService").message("spec.quotas.targetGroupsPerNamespace is a namespace's share of targetGroupsPerService, and can't be larger"))]
pub struct QuotaParameters {
    /// Rules per listener, 1 to 2000; 10 if nothing is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 2000))]
    pub rules_per_listener: Option<u32>,

    /// Listeners per service, 1 to 100; 2 if nothing is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub listeners_per_service: Option<u32>,

    /// Target groups per service, 1 to 500; 10 if nothing is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 500))]
    pub target_groups_per_service: Option<u32>,

    /// With PerHostname, rules that the routes of one namespace may have together on a listener of a service, 1 to 2000.
    /// If nothing is set, as many as the quota allows. Older routes come first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 2000))]
    pub rules_per_namespace: Option<u32>,

    /// With PerHostname, target groups that the routes of one namespace may have together in a service, 1 to 500. If
    /// nothing is set, as many as the quota allows. Older routes come first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 500))]
    pub target_groups_per_namespace: Option<u32>,
}

/// What a Gateway goes by, once everybody has been asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// How routes are grouped into services.
    pub services: Services,
    /// What a path match of type PathPrefix means.
    pub path_prefix: PathPrefix,
    /// Whether the service network is made if there is none.
    pub create_service_network: bool,
    /// Whether the cluster's VPC is associated with the service network.
    pub vpc_association: bool,
    /// What pods have to show before requests are moved to them; `None`: nothing.
    pub warm_up: Option<WarmUp>,
    /// Most rules of a listener.
    pub rules_per_listener: u32,
    /// Most listeners of a service.
    pub listeners_per_service: u32,
    /// Most target groups of a service.
    pub target_groups_per_service: u32,
    /// Most rules of one namespace's routes on a listener of a service for a host name; `None`: no other than the quota.
    pub rules_per_namespace: Option<u32>,
    /// Most target groups of one namespace's routes in such a service; `None`: no other than the quota.
    pub target_groups_per_namespace: Option<u32>,
}

impl Default for Parameters {
    fn default() -> Self {
        Self::resolve(&[])
    }
}

impl Parameters {
    /// What the first of these says that says anything, field by field: the Gateway's own, then its class's.
    #[must_use]
    pub fn resolve(specs: &[&GatewayParametersSpec]) -> Self {
        fn first<T>(
            specs: &[&GatewayParametersSpec],
            field: impl Fn(&GatewayParametersSpec) -> Option<T>,
        ) -> Option<T> {
            specs.iter().copied().find_map(field)
        }
        let network = |field: fn(&ServiceNetworkParameters) -> Option<bool>| {
            first(specs, |spec| spec.service_network.as_ref().and_then(field))
        };
        let create_service_network = network(|network| network.create).unwrap_or(false);
        let healthy_percent = first(specs, |spec| spec.warm_up.as_ref()?.healthy_percent).unwrap_or(75);
        let at_most = first(specs, |spec| spec.warm_up.as_ref()?.timeout_seconds).unwrap_or(300);
        let warm_up = WarmUp { healthy_percent, at_most: Duration::from_secs(at_most.into()) };
        let budget = |field: fn(&QuotaParameters) -> Option<u32>| {
            first(specs, |spec| spec.quotas.as_ref().and_then(field))
        };
        let quota = |field: fn(&QuotaParameters) -> Option<u32>, usual| budget(field).unwrap_or(usual);
        Self {
            services: first(specs, |spec| spec.services).unwrap_or_default(),
            path_prefix: first(specs, |spec| spec.path_prefix).unwrap_or_default(),
            create_service_network,
            // A network that Lath makes is of no use to the cluster unless its VPC is in it.
            vpc_association: network(|network| network.vpc_association).unwrap_or(create_service_network),
            warm_up: (healthy_percent > 0).then_some(warm_up),
            rules_per_listener: quota(|quotas| quotas.rules_per_listener, limits::RULES_PER_LISTENER),
            listeners_per_service: quota(
                |quotas| quotas.listeners_per_service,
                limits::LISTENERS_PER_SERVICE,
            ),
            target_groups_per_service: quota(
                |quotas| quotas.target_groups_per_service,
                limits::GROUPS_PER_SERVICE,
            ),
            rules_per_namespace: budget(|quotas| quotas.rules_per_namespace),
            target_groups_per_namespace: budget(|quotas| quotas.target_groups_per_namespace),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateways_own_parameters_go_before_its_classs_field_by_field() {
        let read = |yaml| serde_saphyr::from_str::<GatewayParametersSpec>(yaml).unwrap();
        let class = read(
            "{ services: PerHostname, serviceNetwork: { create: true, vpcAssociation: true }, warmUp: { healthyPercent: 90, timeoutSeconds: 60 }, quotas: { rulesPerListener: 100, rulesPerNamespace: 20 } }",
        );
        let gateway = read(
            "{ pathPrefix: Characters, serviceNetwork: { create: false }, warmUp: { healthyPercent: 100 }, quotas: { listenersPerService: 5 } }",
        );
        let parameters = Parameters {
            services: Services::PerHostname,
            path_prefix: PathPrefix::Characters,
            create_service_network: false,
            vpc_association: true,
            warm_up: Some(WarmUp { healthy_percent: 100, at_most: Duration::from_secs(60) }),
            rules_per_listener: 100,
            listeners_per_service: 5,
            target_groups_per_service: 10,
            rules_per_namespace: Some(20),
            target_groups_per_namespace: None,
        };
        assert_eq!(Parameters::resolve(&[&gateway, &class]), parameters);
        assert_eq!(Parameters::resolve(&[&read("{}")]), Parameters::default());
        let class = read(
            "{ resourceGateway: { id: rgw-0123456789abcdef0 }, cloudMapNamespace: a.internal, udp: Direct, createNamespace: true, publishServices: true }",
        );
        let gateway = read("{ resourceGateway: { subnetIds: [subnet-1] }, createNamespace: false }");
        let layer4 = Layer4 {
            resource_gateway: Some(ResourceGatewayParameters {
                subnet_ids: vec!["subnet-1".into()],
                ..ResourceGatewayParameters::default()
            }),
            namespace: Some("a.internal".into()),
            create_namespace: false,
            publish_services: true,
            udp: Udp::Direct,
        };
        assert_eq!(Layer4::resolve(&[&gateway, &class]), layer4);
        assert_eq!(Layer4::resolve(&[]), Layer4::default());
    }
}
