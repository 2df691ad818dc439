//! Which pods are targets: how a pod stands towards a Service's port.
//!
//! The rules are the `EndpointSlice` controller's, so that Lath registers exactly the addresses that a slice would show
//! as ready and not terminating, without waiting for the slice, plus the pods that lack nothing but a readiness gate
//! which Lath itself opens.

use lattice::{Target, target::IpFamily};

use crate::{
    Pod, Service,
    pod::Life,
    service::{ServicePort, TargetPort},
};

/// How a pod stands towards a Service's port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It takes no part, and what was registered for it has to go.
    Out(Absence),
    /// It belongs to the Service, and does not take requests now.
    Unready(Target),
    /// It belongs to the Service and takes requests, or lacks only a gate that Lath opens.
    Ready(Target),
}

/// Why a pod takes no part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Absence {
    /// The Service does not select it.
    NotSelected,
    /// It has no address of the family.
    NoAddress,
    /// None of its containers has a port of the name to which the Service's port leads.
    NoPort,
    /// It is being deleted.
    Leaving,
    /// It has ended.
    Ended,
}

/// Tells how `pod` stands towards `port` of `service`, for addresses of `family`.
#[must_use]
pub fn standing(pod: &Pod, service: &Service, port: &ServicePort, family: IpFamily) -> Standing {
    if pod.namespace != service.namespace || !service.selects(&pod.labels) {
        return Standing::Out(Absence::NotSelected);
    }
    match pod.life {
        Life::Ended => return Standing::Out(Absence::Ended),
        Life::Leaving => return Standing::Out(Absence::Leaving),
        Life::Live => {}
    }
    let Some(address) = pod.address(family) else {
        return Standing::Out(Absence::NoAddress);
    };
    let Some(number) = pod_port(pod, port) else {
        return Standing::Out(Absence::NoPort);
    };
    let target = Target { address, port: number };
    if service.publish_not_ready || pod.ready || pod.ready_but_for_gates {
        Standing::Ready(target)
    } else {
        Standing::Unready(target)
    }
}

/// The port of a pod to which a Service's port leads.
fn pod_port(pod: &Pod, port: &ServicePort) -> Option<u16> {
    match &port.target {
        TargetPort::Number(number) => Some(*number),
        TargetPort::Name(name) => pod
            .ports
            .iter()
            .find(|named| named.name == *name && named.protocol == port.protocol)
            .map(|named| named.number),
    }
}

#[cfg(test)]
mod tests;
