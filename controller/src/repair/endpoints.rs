//! Hand-made EndpointSlices of Services without a selector: which of their addresses become targets.

use std::{collections::BTreeSet, net::IpAddr};

use ipnet::IpNet;
use lath_kubernetes::{Service, TargetGroupBinding};
use lattice::{Target, target::IpFamily};

use crate::cluster::{Cluster, objects::Slice};

/// What hand-made endpoints have to fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// Whether they count at all.
    pub allowed: bool,
    /// The VPC's addresses. Others can't be targets.
    pub cidrs: Vec<IpNet>,
}

/// The targets that hand-made slices ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manual {
    /// Those that may be registered.
    pub targets: BTreeSet<Target>,
    /// Those that may not, each with the reason, in order.
    pub refused: Vec<String>,
}

/// The targets that the slices of a binding's Service ask for. None where the Service selects pods: its slices are
/// Kubernetes' own.
#[must_use]
pub fn desired(cluster: &Cluster, binding: &TargetGroupBinding, rules: &Rules) -> Manual {
    let slices = by_hand(cluster, binding).into_iter().flat_map(|service| cluster.slices_of(service));
    desired_of(cluster, binding, rules, slices.map(|slice| &**slice))
}

/// The targets that these slices of a binding's Service ask for.
pub fn desired_of<'a>(
    cluster: &Cluster,
    binding: &TargetGroupBinding,
    rules: &Rules,
    slices: impl Iterator<Item = &'a Slice>,
) -> Manual {
    let mut manual = Manual::default();
    let Some(service) = by_hand(cluster, binding).filter(|_| rules.allowed) else {
        return manual;
    };
    let Some(port) = service.port(&binding.spec.service.port) else {
        return manual;
    };
    let mut refused = BTreeSet::new();
    for slice in slices {
        let Some(number) = slice.ports.get(&port.name) else {
            continue;
        };
        for address in &slice.ready {
            if IpFamily::of(*address) != binding.spec.ip_family {
                continue;
            }
            let target = Target { address: *address, port: *number };
            match objection(cluster, &service.namespace, *address, &rules.cidrs) {
                None => {
                    manual.targets.insert(target);
                }
                Some(why) => {
                    refused.insert(format!("{target} {why}"));
                }
            }
        }
    }
    manual.refused = refused.into_iter().collect();
    manual
}

/// Reads a target as a binding's status holds it: `address:port`.
#[must_use]
pub fn parse(text: &str) -> Option<Target> {
    let address: std::net::SocketAddr = text.parse().ok()?;
    Some(Target { address: address.ip(), port: address.port() })
}

/// The Service of a binding, if it is one whose slices are made by hand.
fn by_hand<'a>(cluster: &'a Cluster, binding: &TargetGroupBinding) -> Option<&'a Service> {
    cluster
        .service_of(binding)
        .map(|service| &**service)
        .filter(|service| service.selector.is_empty() && !service.external)
}

/// Why an address may not be registered for a namespace.
fn objection(cluster: &Cluster, namespace: &str, address: IpAddr, cidrs: &[IpNet]) -> Option<String> {
    if !cidrs.iter().any(|cidr| cidr.contains(&address)) {
        return Some("is in none of the VPC's CIDRs that the controller was given".into());
    }
    cluster
        .pods_at(address)
        .find(|pod| pod.namespace != namespace)
        .map(|pod| format!("is the address of a pod of namespace {}", pod.namespace))
}

#[cfg(test)]
mod tests;
