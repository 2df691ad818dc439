//! What directories should have in them.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use lath_kubernetes::{
    Pod,
    pod::Life,
    standing::{Standing, standing},
    watch::ObjectName,
};
use lattice::{
    resource::{Alias, DirectorySpec, Entry, Holds, Instance, PodsOf, TTL},
    target::IpFamily,
};
use tokio::time::Instant;

use crate::{cluster::Cluster, gateway::engine::Progress};

/// For how long pods that are being deleted stay in a directory that has no ready one: until nobody remembers a record of
/// it, and a minute, which is what Cloud Map may take to change one.
const LINGER: Duration = Duration::from_secs(TTL as u64 + 60);

/// The id of the instance that is a service. It is always the same, so that another name takes the old one's place at once.
pub(super) const SERVICE: &str = "service";

/// What is or should be in a directory, by id.
pub(super) type Entries = BTreeMap<String, Entry>;

/// What a directory is filled with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fill {
    /// Pods' addresses of this family, with or without their ports.
    Pods { of: Option<PodsOf>, family: IpFamily, ports: bool },
    /// A service; `None`: its name is not known now.
    Service(Option<Alias>),
}

impl Fill {
    /// What the directory is to be filled with, as far as its service is known.
    pub(super) fn of(spec: &DirectorySpec, progress: &Progress) -> Self {
        match &spec.holds {
            Holds::Pods { of, family, ports } => {
                Self::Pods { of: of.clone(), family: *family, ports: *ports }
            }
            Holds::Service(owner) => {
                let facts = progress.services.get(owner).and_then(|service| service.service.as_ref());
                Self::Service(facts.and_then(|facts| {
                    let name = facts.dns_name.clone()?;
                    Some(Alias { name, arn: Some(facts.arn.clone()) })
                }))
            }
        }
    }

    /// What a directory should have, and when that changes by itself; `None`: that is not known, and it stays as it is.
    /// Remembers since when pods have been `leaving`.
    pub(super) fn wanted(
        &self,
        cluster: &Cluster,
        leaving: &mut HashMap<String, Instant>,
        now: Instant,
    ) -> Option<(Entries, Option<Instant>)> {
        match self {
            Self::Pods { of, family, ports } => {
                Some(pods(cluster, of.as_ref(), (*family, *ports), leaving, now))
            }
            Self::Service(alias) => {
                let alias = Entry::Alias(alias.clone()?);
                Some((Entries::from([(SERVICE.to_owned(), alias)]), None))
            }
        }
    }
}

/// The pods that a directory should have. Those that are being deleted are among them only where no other is ready, and
/// only while they exist and answer. Also tells when that changes by itself.
fn pods(
    cluster: &Cluster,
    pods: Option<&PodsOf>,
    (family, ports): (IpFamily, bool),
    leaving: &mut HashMap<String, Instant>,
    now: Instant,
) -> (Entries, Option<Instant>) {
    let service = pods.and_then(|pods| {
        cluster.service(&ObjectName { namespace: pods.namespace.clone(), name: pods.service.clone() })
    });
    let port = service.zip(pods).and_then(|(service, pods)| {
        let of_number = |port: &&lath_kubernetes::service::ServicePort| {
            port.port == pods.port && port.protocol == pods.protocol
        };
        service.ports.iter().find(of_number)
    });
    let Some((service, port)) = service.zip(port) else {
        leaving.clear();
        return (Entries::new(), None);
    };
    let entry = |pod: &Pod| match standing(pod, service, port, family) {
        Standing::Ready(target) => {
            let port = ports.then_some(target.port);
            Some(Entry::Instance(Instance { address: target.address, port }))
        }
        _ => None,
    };
    let mut ready = Entries::new();
    let mut lingering = Entries::new();
    let mut gone: BTreeSet<String> = leaving.keys().cloned().collect();
    let mut next: Option<Instant> = None;
    for pod in cluster.pods_of(service) {
        if pod.life == Life::Leaving {
            gone.remove(&pod.uid);
            let since = *leaving.entry(pod.uid.clone()).or_insert(now);
            let as_live = Pod { life: Life::Live, ..(**pod).clone() };
            if let Some(found) = entry(&as_live).filter(|_| now < since + LINGER) {
                lingering.insert(pod.uid.clone(), found);
                next = Some(next.map_or(since + LINGER, |next| next.min(since + LINGER)));
            }
        } else if let Some(found) = entry(pod) {
            ready.insert(pod.uid.clone(), found);
        }
    }
    for uid in gone {
        leaving.remove(&uid);
    }
    if ready.is_empty() { (lingering, next) } else { (ready, None) }
}
