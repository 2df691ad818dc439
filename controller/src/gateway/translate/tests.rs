//! Objects in YAML, and what they come to: one file for each feature and each refusal, with the outcome beside it.
//!
//! `UPDATE_EXPECT=1 cargo test -p lath-controller golden` writes the outcomes anew; read them before you commit them.

use std::{collections::HashMap, fmt::Write as _, path::Path};

use k8s_openapi::api::core::v1 as core;
use lath_kubernetes::{
    multicluster::{self, standard},
    watch::Change,
};
use lattice::{
    resource::{DnsTarget, GatewayUse, Holds, Instance, ResourceSpec},
    rule::{Action, Rule},
    service::GroupKey,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::*;
use crate::{
    gateway::{
        discovery::Discovery,
        multicluster::{Dialect, Export, Import},
        objects::{Kind, Namespace, Update},
    },
    testing::site,
};

mod documented;

/// The class of all Gateways, unless a file has one of its own.
const CLASS: &str = "
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: lath }
spec: { controllerName: lath.dev/gateway-controller }
";

#[derive(Default)]
pub(in crate::gateway) struct Case {
    pub(in crate::gateway) objects: Objects,
    services: HashMap<ObjectName, Service>,
    certificates: Vec<Certificate>,
    discovered: Discovered,
}

fn typed<T: DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{error}: {value}"))
}

impl Case {
    pub(in crate::gateway) fn read(yaml: &str) -> Self {
        let mut case = Self::default();
        for kind in Kind::ALL {
            case.objects.apply(Update::Absent(kind));
        }
        for (number, document) in [CLASS].into_iter().chain(yaml.split("\n---\n")).enumerate() {
            let mut object: Value =
                serde_saphyr::from_str(document).unwrap_or_else(|error| panic!("{error}: {document}"));
            let meta = &mut object["metadata"];
            if meta["creationTimestamp"].is_null() {
                // In the order of the file.
                meta["creationTimestamp"] = format!("2026-01-01T00:00:{number:02}Z").into();
            }
            case.add(&object);
        }
        case
    }

    fn add(&mut self, object: &Value) {
        let routes = |kind, route| Update::Routes(kind, Change::Applied(route));
        let update = match object["kind"].as_str().unwrap_or_default() {
            "GatewayClass" => Update::Classes(Change::Applied(typed(object))),
            "Gateway" => Update::Gateways(Change::Applied(typed(object))),
            "HTTPRoute" => {
                routes(RouteKind::Http, Route::from(&typed::<lath_kubernetes::gateway::HTTPRoute>(object)))
            }
            "GRPCRoute" => {
                routes(RouteKind::Grpc, Route::from(&typed::<lath_kubernetes::gateway::GRPCRoute>(object)))
            }
            "TLSRoute" => {
                routes(RouteKind::Tls, Route::from(&typed::<lath_kubernetes::gateway::TLSRoute>(object)))
            }
            "TCPRoute" => {
                routes(RouteKind::Tcp, Route::from(&typed::<lath_kubernetes::gateway::TCPRoute>(object)))
            }
            "UDPRoute" => {
                routes(RouteKind::Udp, Route::from(&typed::<lath_kubernetes::gateway::UDPRoute>(object)))
            }
            "ReferenceGrant" => Update::Grants(Change::Applied(typed(object))),
            "GatewayParameters" => Update::Parameters(Change::Applied(typed(object))),
            "TargetGroupPolicy" => Update::TargetGroupPolicies(Change::Applied(typed(object))),
            "IAMAuthPolicy" => Update::AuthPolicies(Change::Applied(typed(object))),
            "AccessLogPolicy" => Update::AccessLogPolicies(Change::Applied(typed(object))),
            "VpcAssociationPolicy" => Update::VpcPolicies(Change::Applied(typed(object))),
            "TargetGroup" => Update::TargetGroups(Change::Applied(typed(object))),
            kind @ ("ServiceExport" | "ServiceImport") => {
                let standard = object["apiVersion"] == "multicluster.x-k8s.io/v1alpha1";
                let dialect = if standard { Dialect::Standard } else { Dialect::Aws };
                match (kind, dialect) {
                    ("ServiceExport", Dialect::Aws) => {
                        let export = Export::from(&typed::<multicluster::ServiceExport>(object));
                        Update::Exports(dialect, Change::Applied(export))
                    }
                    ("ServiceExport", Dialect::Standard) => {
                        let export = Export::from(&typed::<standard::ServiceExport>(object));
                        Update::Exports(dialect, Change::Applied(export))
                    }
                    (_, Dialect::Aws) => {
                        let import = Import::from(&typed::<multicluster::ServiceImport>(object));
                        Update::Imports(dialect, Change::Applied(import))
                    }
                    (_, Dialect::Standard) => {
                        let import = Import::from(&typed::<standard::ServiceImport>(object));
                        Update::Imports(dialect, Change::Applied(import))
                    }
                }
            }
            "ServiceNetwork" => Update::ServiceNetworks(Change::Applied(typed(object))),
            "Namespace" => {
                let namespace: core::Namespace = typed(object);
                Update::Namespaces(Change::Applied(Namespace {
                    name: namespace.metadata.name.unwrap_or_default(),
                    labels: namespace.metadata.labels.unwrap_or_default(),
                }))
            }
            "Service" => {
                let service = Service::from(&typed::<core::Service>(object));
                self.services.insert(service.object_name(), service);
                return;
            }
            "Certificate" => {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let domains = object["domains"].as_array().into_iter().flatten().map(text).collect();
                self.certificates.push(Certificate { arn: text(&object["arn"]), domains });
                return;
            }
            "Discovery" => {
                let text = |value: &Value| value.as_str().map(str::to_owned);
                let name = CloudMapName {
                    namespace: text(&object["namespace"]).unwrap_or_default(),
                    service: text(&object["service"]).unwrap_or_default(),
                };
                let instance = |value: &Value| Instance {
                    address: value["address"].as_str().and_then(|text| text.parse().ok()).unwrap(),
                    port: value["port"].as_u64().and_then(|port| port.try_into().ok()),
                };
                let found = object["found"].as_array().map(|all| all.iter().map(instance).collect());
                let trouble = text(&object["trouble"]);
                self.discovered.insert(name, Discovery { found, trouble });
                return;
            }
            other => panic!("what is a {other}? {object}"),
        };
        self.objects.apply(update);
    }

    pub(in crate::gateway) fn translate(&self) -> Outcome {
        self.translate_for(&[well_known::GATEWAY_CONTROLLER, well_known::AWS_GATEWAY_CONTROLLER])
    }

    fn translate_for(&self, controllers: &[&str]) -> Outcome {
        translate(&World {
            objects: &self.objects,
            service: &|name| self.services.get(name),
            site: &site(),
            controllers,
            default_network: None,
            certificates: &Certificates::Read(self.certificates.clone()),
            discovered: &self.discovered,
        })
    }
}

fn verdict(out: &mut String, what: &str, verdict: &Verdict) {
    let _ = writeln!(out, "    {what} {} {}: {}", verdict.holds, verdict.reason.as_str(), verdict.message);
}

fn action(action: &Action<GroupKey>) -> String {
    match action {
        Action::Fixed(status) => status.to_string(),
        Action::Forward(shares) => {
            let share = |share: &lattice::rule::Weighted<GroupKey>| {
                let GroupKey::Service(key) = &share.group else {
                    return format!("{} x {}", share.weight, kept(&share.group));
                };
                let version = key.protocol.version().map_or("", lattice::service::HttpVersion::as_str);
                format!(
                    "{} x {}/{}:{} {} {version} {}",
                    share.weight,
                    key.namespace,
                    key.service,
                    key.port,
                    key.protocol.as_str(),
                    key.family
                )
            };
            shares.iter().map(share).collect::<Vec<_>>().join(" + ")
        }
    }
}

/// A group that others keep.
fn kept(key: &GroupKey) -> String {
    let key = match key {
        GroupKey::Imported(key) => key,
        GroupKey::Declared(key) => {
            let vpc = key.vpc.as_deref().unwrap_or("no VPC");
            return format!("TargetGroup {}/{} {} in {vpc}", key.namespace, key.name, key.form.describe());
        }
        _ => return format!("{key:?}"),
    };
    let is =
        |what: &str, value: Option<&str>| value.map(|value| format!(" {what} {value}")).unwrap_or_default();
    let port = key.port.map(|port| port.to_string());
    format!(
        "export {}/{} for {}{}{}{}",
        key.namespace,
        key.name,
        key.speaks,
        is("of cluster", key.cluster.as_deref()),
        is("in", key.vpc.as_deref()),
        is("port", port.as_deref())
    )
}

fn show(outcome: &Outcome) -> String {
    let mut out = String::new();
    for (name, spec) in &outcome.desired.networks {
        let _ = writeln!(out, "service network {name}");
        if spec.create {
            out.push_str("    made if there is none\n");
        }
        if let Some(vpc) = &spec.vpc {
            let _ = writeln!(out, "    with the VPC, security groups {:?}", vpc.security_groups);
        }
        if let Some(policy) = &spec.auth_policy {
            let _ = writeln!(out, "    auth {policy}");
        }
        for destination in &spec.access_logs {
            let _ = writeln!(out, "    logs to {destination}");
        }
    }
    for (name, gateways) in &outcome.service_networks {
        let _ = writeln!(out, "ServiceNetwork {name}, for which stand {gateways:?}");
    }
    for (owner, from) in &outcome.desired.allowed {
        let _ = writeln!(out, "service of {owner} may be taken over from {from}");
    }
    for owner in &outcome.desired.inherited {
        let _ = writeln!(out, "service of {owner} may be the AWS controller's");
    }
    for (owner, spec) in &outcome.desired.services {
        let _ = writeln!(out, "service {} of {owner}", spec.name);
        if let Some(domain) = &spec.custom_domain {
            let certificate = spec.certificate.as_deref().unwrap_or("none");
            let _ = writeln!(out, "    hostname {domain}, certificate {certificate}");
        }
        let networks: Vec<&str> = spec.networks.iter().map(String::as_str).collect();
        let _ = writeln!(out, "    in {}", networks.join(", "));
        if let Some(policy) = &spec.auth_policy {
            let _ = writeln!(out, "    auth {policy}");
        }
        for destination in &spec.access_logs {
            let _ = writeln!(out, "    logs to {destination}");
        }
        for (key, value) in &spec.tags {
            let _ = writeln!(out, "    tag {key} = {value}");
        }
        for (port, listener) in &spec.listeners {
            let _ = writeln!(out, "    {} {port} {}", listener.protocol.as_str(), listener.name);
            for Rule { matching, action: to } in &listener.rules {
                let _ = writeln!(out, "        {matching} -> {}", action(to));
            }
            let _ = writeln!(out, "        else {}", action(&listener.default));
        }
    }
    show_resources(&mut out, outcome);
    for owner in &outcome.desired.held {
        let _ = writeln!(out, "service of {owner} stays as it is");
    }
    for spare in
        outcome.desired.spared.iter().filter(|spare| !matches!(spare, Spare::Routes(_) | Spare::Exports(_)))
    {
        let _ = writeln!(out, "services that were made for {spare:?} stay as they are");
    }
    for name in &outcome.desired.spared_networks {
        let _ = writeln!(out, "service network {name} stays as it is");
    }
    for spec in outcome.desired.groups.values() {
        let _ = writeln!(out, "target group {}", spec.name);
        let check = &spec.health_check;
        if let Some(enabled) = check.enabled {
            let _ = writeln!(
                out,
                "    checked {enabled:?} every {:?} s at {:?}, expecting {:?}",
                check.interval.unwrap(),
                check.path.as_deref().unwrap(),
                check.statuses.as_deref().unwrap()
            );
        }
        for target in spec.targets.iter().flatten() {
            let port = target.port.map(|port| format!(" port {port}")).unwrap_or_default();
            let _ = writeln!(out, "    target {}{port}", target.id);
        }
        for (key, value) in &spec.tags {
            let _ = writeln!(out, "    tag {key} = {value}");
        }
    }
    show_verdicts(&mut out, outcome);
    out
}

fn show_resources(out: &mut String, outcome: &Outcome) {
    for (key, spec) in &outcome.desired.resources {
        match spec {
            ResourceSpec::Gateway(spec) => {
                let _ = writeln!(out, "resource gateway {} of {}", spec.name, key.owner);
                let _ =
                    writeln!(out, "    in {:?}, security groups {:?}", spec.subnets, spec.security_groups);
                let _ = writeln!(out, "    for {}", spec.family);
            }
            ResourceSpec::Directory(spec) => {
                let _ = writeln!(out, "directory {} of {}", spec.dns_name(), key.owner);
                let made = if spec.create_namespace { ", in a namespace that is made" } else { "" };
                match &spec.holds {
                    Holds::Pods { of, family, ports } => {
                        let ports = if *ports { " with ports" } else { "" };
                        let _ = writeln!(out, "    {family} addresses{ports}{made}");
                        let pods = of.as_ref().map(|pods| {
                            format!("{}/{}:{} {}", pods.namespace, pods.service, pods.port, pods.protocol)
                        });
                        let _ = writeln!(out, "    pods of {}", pods.as_deref().unwrap_or("none"));
                    }
                    Holds::Service(owner) => {
                        let _ = writeln!(out, "    leads to the service of {owner}{made}");
                    }
                }
            }
            ResourceSpec::Configuration(spec) => {
                let _ = writeln!(out, "resource configuration {} of {}", spec.name, key.owner);
                let _ = writeln!(out, "    port {} in {}", spec.port, spec.network);
                let gateway = match &spec.gateway {
                    GatewayUse::Own(key) => key.owner.as_str(),
                    GatewayUse::External(id) => id.as_str(),
                };
                let DnsTarget { name, family } = &spec.target;
                let _ = writeln!(out, "    through {gateway} to {name} by {family}");
            }
        }
        for (key, value) in spec.tags() {
            let _ = writeln!(out, "    tag {key} = {value}");
        }
    }
}

fn show_verdicts(out: &mut String, outcome: &Outcome) {
    for (name, class) in &outcome.classes {
        if name != "lath" || !class.holds {
            let _ = writeln!(out, "GatewayClass {name}");
            verdict(out, "Accepted", class);
        }
    }
    for (name, gateway) in &outcome.gateways {
        let _ = writeln!(out, "Gateway {name}");
        verdict(out, "Accepted", &gateway.accepted);
        if let Some(clash) = &gateway.clash {
            let _ = writeln!(out, "    clash: {clash}");
        }
        for listener in &gateway.listeners {
            let kinds: Vec<&str> = listener.kinds.iter().map(|kind| kind.as_str()).collect();
            let _ = writeln!(
                out,
                "    listener {} takes {}, {} attached",
                listener.name,
                kinds.join(", "),
                listener.attached
            );
            for (what, said, usual) in [
                ("    Accepted", &listener.accepted, true),
                ("    Conflicted", &listener.conflicted, false),
                ("    ResolvedRefs", &listener.resolved, true),
            ] {
                if said.holds != usual {
                    verdict(out, what, said);
                }
            }
        }
    }
    for (name, route) in &outcome.routes {
        let _ = writeln!(out, "{name}");
        for parent in &route.parents {
            let section =
                parent.parent.section_name.as_deref().map(|name| format!("#{name}")).unwrap_or_default();
            let _ = writeln!(out, "    at {}{section}", parent.parent.name);
            verdict(out, "    Accepted", &parent.accepted);
            verdict(out, "    ResolvedRefs", &parent.resolved);
        }
        for publication in &route.published {
            let _ = match publication {
                Publication::As(key, name) => writeln!(out, "    published as {name} by {}", key.owner),
                Publication::Not(why) => writeln!(out, "    not published: {why}"),
            };
        }
    }
    for (name, group) in &outcome.target_groups {
        let _ = writeln!(out, "TargetGroup {name}, {} groups", group.groups.len());
        verdict(out, "Accepted", &group.accepted);
    }
    for ((dialect, name), export) in &outcome.exports {
        let _ = writeln!(out, "ServiceExport {name} of {}, {} groups", dialect.group(), export.groups.len());
        verdict(out, "Accepted", &export.accepted);
    }
    for ((kind, name), said) in &outcome.policies {
        let _ = writeln!(out, "{} {name}", kind.as_str());
        verdict(out, "Accepted", said);
    }
}

#[test]
fn golden() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/gateway/translate/golden");
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    assert!(files.len() > 20, "golden files are missing");
    for path in files {
        let case = Case::read(&std::fs::read_to_string(&path).unwrap());
        expect_test::expect_file![path.with_extension("txt")].assert_eq(&show(&case.translate()));
    }
}

/// A route of two Gateways, each of which has a service for each host name.
#[test]
fn a_gateway_is_reached_by_its_own_services() {
    let mut yaml = String::from(
        "apiVersion: lath.dev/v1alpha1\nkind: GatewayParameters\nmetadata: { name: params, namespace: infra }\n\
         spec: { services: PerHostname }",
    );
    for gateway in ["one", "two"] {
        let _ = write!(
            yaml,
            "\n---\napiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\n\
             metadata: {{ name: {gateway}, namespace: infra }}\n\
             spec:\n  gatewayClassName: lath\n  listeners: [{{ name: http, protocol: HTTP, port: 80 }}]\n  \
             infrastructure: {{ parametersRef: {{ group: lath.dev, kind: GatewayParameters, name: params }} }}"
        );
    }
    yaml += "\n---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\n\
             metadata: { name: both, namespace: infra }\nspec: { parentRefs: [{ name: one }, { name: two }], rules: [{}] }";
    let outcome = Case::read(&yaml).translate();
    for gateway in ["one", "two"] {
        let name = ObjectName { namespace: "infra".into(), name: gateway.into() };
        let owners = Vec::from_iter(outcome.gateways[&name].owners.iter().map(String::as_str));
        assert_eq!(owners, [format!("Gateway/infra/{gateway}")]);
    }
}

/// A budget keeps namespaces apart that share a service. Where each route has one of its own, there is nothing to share.
#[test]
fn without_shared_services_budgets_have_no_effect() {
    let merged = include_str!("golden/merged-budgets.yaml");
    let refused = |yaml: &str| {
        let routes = Case::read(yaml).translate().routes;
        let refused =
            routes.into_iter().filter(|(_, route)| !route.parents.iter().all(|one| one.accepted.holds));
        refused.map(|(name, _)| name.object.name).collect::<Vec<_>>()
    };
    assert_eq!(refused(merged), ["greedy", "scattered", "tls"]);
    assert!(refused(&merged.replace("PerHostname", "PerRoute")).is_empty());
}

/// Each route has the rules of its own that are in force, and the groups of all its rules.
#[test]
fn a_shared_service_is_shared_out() {
    let outcome = Case::read(include_str!("golden/merged-budgets.yaml")).translate();
    let share = |namespace: &str, name: &str| {
        let object = ObjectName { namespace: namespace.into(), name: name.into() };
        let route = &outcome.routes[&RouteName { kind: RouteKind::Http, object }];
        let share = route.shares.get("Gateway/infra/mesh")?;
        let rules = share.rules.iter().map(|(port, matching)| format!("{port} {matching}"));
        Some((rules.collect::<Vec<_>>(), share.groups.iter().map(names::describe).collect::<Vec<_>>()))
    };
    let is = |rules: &[&str], group: &str| {
        Some((rules.iter().map(|rule| (*rule).to_owned()).collect(), vec![group.to_owned()]))
    };
    assert_eq!(share("shop", "first"), is(&["80 /a"], "shop/web port 80"));
    assert_eq!(share("pay", "beside"), is(&["80 /pay"], "pay/web port 80"));
    assert_eq!(share("shop", "equal"), is(&[], "shop/api port 80"));
    assert_eq!(share("shop", "greedy"), None);
}

/// Of services whose Gateways tell other quotas, that counts which comes nearest to its own.
#[test]
fn of_uses_of_a_quota_the_nearest_counts() {
    let uses = |yaml: &str| {
        let quotas = Case::read(yaml).translate().quotas;
        quotas.into_iter().map(|(quota, of)| (quota.as_str(), of.used, of.quota)).collect::<Vec<_>>()
    };
    let full = include_str!("golden/merged-over-quota.yaml");
    let nearly =
        [("listeners_per_service", 1, 2), ("rules_per_listener", 3, 3), ("target_groups_per_service", 1, 10)];
    assert_eq!(uses(full), nearly);
    // A Gateway with more rules and more room.
    let roomy = full.replace(
        "PerHostname, quotas: { rulesPerListener: 3 }",
        "PerHostname, quotas: { rulesPerListener: 100 }",
    );
    assert_eq!(uses(&roomy)[1], ("rules_per_listener", 5, 100));
    let other = roomy.replace("name: params", "name: roomy").replace("name: mesh", "name: other");
    let other = other.replace("namespace: shop", "namespace: pay");
    assert_eq!(uses(&format!("{full}\n---\n{other}")), nearly);
    assert_eq!(uses("apiVersion: v1\nkind: Namespace\nmetadata: { name: shop }"), []);
}

/// What was taken over is not taken down when the setting goes.
#[test]
fn what_is_at_classes_that_are_no_longer_served_stays_as_it_is() {
    let yaml = include_str!("golden/taken-over.yaml");
    let outcome = Case::read(yaml).translate_for(&[well_known::GATEWAY_CONTROLLER]);
    assert!(outcome.desired.services.is_empty() && outcome.routes.is_empty());
    let route = ("http".to_owned(), "shop".to_owned(), "web".to_owned());
    let spared = |spare: &Spare| match spare {
        Spare::Route { kind, namespace, name } => (kind.clone(), namespace.clone(), name.clone()) == route,
        _ => false,
    };
    assert!(outcome.desired.spared.iter().any(spared), "{:?}", outcome.desired.spared);
    assert!(outcome.desired.spared_networks.contains("mesh"));
}
