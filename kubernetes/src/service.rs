//! A Service, reduced to what decides which pods stand behind it.

use std::collections::BTreeMap;

use k8s_openapi::{api::core::v1 as core, apimachinery::pkg::util::intstr::IntOrString};
use lattice::target::IpFamily;

use crate::{names::IP_FAMILIES, watch::ObjectName};

/// What is known of a Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The labels that its pods carry. Empty: it selects nothing, and its slices are made by hand.
    pub selector: BTreeMap<String, String>,
    /// Its ports.
    pub ports: Vec<ServicePort>,
    /// The families of its addresses.
    pub families: Vec<IpFamily>,
    /// What its annotation [`IP_FAMILIES`] says, if it has one.
    pub asks_for_families: Option<String>,
    /// Pods count as ready whether they are or not.
    pub publish_not_ready: bool,
    /// It is an alias for a name elsewhere and has no pods.
    pub external: bool,
}

/// A port of a Service, and where it leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServicePort {
    /// Empty where a Service has a single port without a name.
    pub name: String,
    /// The Service's own port.
    pub port: u16,
    /// TCP, UDP or SCTP.
    pub protocol: String,
    /// What is spoken there, as its field `appProtocol` says it; `None` if it does not.
    pub app_protocol: Option<String>,
    /// Where it leads on the pod.
    pub target: TargetPort,
}

/// Where a Service's port leads on a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetPort {
    /// To this port of every pod.
    Number(u16),
    /// To whatever port each pod gives this name.
    Name(String),
}

impl Service {
    /// Its name and namespace.
    #[must_use]
    pub fn object_name(&self) -> ObjectName {
        ObjectName { namespace: self.namespace.clone(), name: self.name.clone() }
    }

    /// The port that a binding names.
    #[must_use]
    pub fn port(&self, wanted: &IntOrString) -> Option<&ServicePort> {
        self.ports.iter().find(|port| match wanted {
            IntOrString::Int(number) => i32::from(port.port) == *number,
            IntOrString::String(name) => port.name == *name,
        })
    }

    /// Whether the Service selects pods that carry these labels.
    #[must_use]
    pub fn selects(&self, labels: &BTreeMap<String, String>) -> bool {
        !self.selector.is_empty()
            && !self.external
            && self.selector.iter().all(|(key, value)| labels.get(key) == Some(value))
    }
}

impl From<&core::Service> for Service {
    fn from(service: &core::Service) -> Self {
        let spec = service.spec.clone().unwrap_or_default();
        Self {
            namespace: service.metadata.namespace.clone().unwrap_or_default(),
            name: service.metadata.name.clone().unwrap_or_default(),
            selector: spec.selector.unwrap_or_default(),
            ports: spec.ports.unwrap_or_default().iter().filter_map(service_port).collect(),
            families: spec
                .ip_families
                .unwrap_or_default()
                .iter()
                .filter_map(|family| match family.as_str() {
                    "IPv4" => Some(IpFamily::IPv4),
                    "IPv6" => Some(IpFamily::IPv6),
                    _ => None,
                })
                .collect(),
            asks_for_families: service
                .metadata
                .annotations
                .as_ref()
                .and_then(|all| all.get(IP_FAMILIES))
                .cloned(),
            publish_not_ready: spec.publish_not_ready_addresses == Some(true),
            external: spec.type_.as_deref() == Some("ExternalName"),
        }
    }
}

fn service_port(port: &core::ServicePort) -> Option<ServicePort> {
    let number = |number: i32| u16::try_from(number).ok().filter(|number| *number > 0);
    let own = number(port.port)?;
    Some(ServicePort {
        name: port.name.clone().unwrap_or_default(),
        port: own,
        protocol: port.protocol.clone().unwrap_or_else(|| "TCP".into()),
        app_protocol: port.app_protocol.clone(),
        target: match &port.target_port {
            Some(IntOrString::String(name)) if !name.is_empty() => TargetPort::Name(name.clone()),
            // Kubernetes treats 0 and "" as not set, which means the Service's own port.
            Some(IntOrString::Int(value)) if *value != 0 => TargetPort::Number(number(*value)?),
            _ => TargetPort::Number(own),
        },
    })
}
