//! Follows the watches into the store.

use std::sync::Arc;

use futures::{Stream, StreamExt as _, stream::BoxStream};
use k8s_openapi::api::{coordination::v1 as coordination, core::v1 as core, discovery::v1 as discovery};
use kube::{Api, Client, core::DeserializeGuard, runtime::watcher::Config};
use lath_kubernetes::{
    Pod, Service, names,
    watch::{Change, ObjectName, watch_reduced},
};
use tokio::time::Instant;

use super::{
    Cluster, Kind, Update,
    metrics::Metrics,
    objects::{AgentLease, Node, Slice},
};
use crate::shared::Shared;

/// The slices that no controller of Kubernetes writes from a selector.
const HAND_MADE: &str = "endpointslice.kubernetes.io/managed-by!=endpointslice-controller.k8s.io";

/// Most changes that are taken in before readers get their turn. A burst then costs readers one look, not one each.
const BATCH: usize = 256;

/// Where the watches look.
#[derive(Debug, Clone)]
pub struct Scope {
    /// The namespace of the agents' Leases.
    pub lease_namespace: String,
    /// Whether hand-made EndpointSlices are of interest.
    pub slices: bool,
}

/// Every change of every kind that the controller goes by.
pub fn updates(client: &Client, scope: &Scope) -> BoxStream<'static, Update> {
    let all = Config::default();
    let leases: Api<DeserializeGuard<coordination::Lease>> =
        Api::namespaced(client.clone(), &scope.lease_namespace);
    let agents = all.clone().labels(&format!("{}={}", names::AGENT_LEASE_LABEL, names::AGENT_LEASE_VALUE));
    let slices = if scope.slices {
        let slices: Api<DeserializeGuard<discovery::EndpointSlice>> = Api::all(client.clone());
        watch_reduced(slices, all.clone().labels(HAND_MADE), |slice| Slice::from(&slice)).boxed()
    } else {
        // None are of interest, which is the same as a list of none.
        let none = Change::Snapshot { objects: Vec::new(), invalid: Vec::new() };
        futures::stream::iter([none]).chain(futures::stream::pending()).boxed()
    };
    let pods: Api<DeserializeGuard<core::Pod>> = Api::all(client.clone());
    let services: Api<DeserializeGuard<core::Service>> = Api::all(client.clone());
    let nodes: Api<DeserializeGuard<core::Node>> = Api::all(client.clone());
    futures::stream::select_all([
        watch_reduced(pods, all.clone(), |pod| Pod::from(&pod)).map(Update::Pods).boxed(),
        watch_reduced(services, all.clone(), |service| Service::from(&service)).map(Update::Services).boxed(),
        watch_reduced(Api::all(client.clone()), all.clone(), |binding| binding).map(Update::Bindings).boxed(),
        watch_reduced(Api::all(client.clone()), all.clone(), |record| record)
            .map(Update::NodeTargets)
            .boxed(),
        watch_reduced(nodes, all, |node| Node::from(&node)).map(Update::Nodes).boxed(),
        watch_reduced(leases, agents, |lease: coordination::Lease| {
            (without_namespace(ObjectName::of(&lease)), AgentLease::read(&lease))
        })
        .map(|change| Update::Leases(anywhere(change)))
        .boxed(),
        slices.map(Update::Slices).boxed(),
    ])
    .boxed()
}

/// All agents' Leases are in one namespace, so their names suffice.
fn without_namespace(name: ObjectName) -> ObjectName {
    ObjectName { namespace: String::new(), ..name }
}

fn anywhere<T>(change: Change<T>) -> Change<T> {
    match change {
        Change::Snapshot { objects, invalid } => {
            Change::Snapshot { objects, invalid: invalid.into_iter().map(without_namespace).collect() }
        }
        Change::Gone(name) => Change::Gone(without_namespace(name)),
        other => other,
    }
}

/// Takes `updates` into the store until they end, which watches never do.
pub async fn run(updates: impl Stream<Item = Update> + Send, store: Arc<Shared<Cluster>>, metrics: Metrics) {
    let mut batches = std::pin::pin!(updates.ready_chunks(BATCH));
    while let Some(batch) = batches.next().await {
        for update in &batch {
            let (kind, trouble) = update.trouble();
            metrics.note(kind.as_str(), trouble);
        }
        let complete = store.update(|cluster| {
            let now = Instant::now();
            let before = cluster.complete();
            for update in batch {
                cluster.apply(update, now);
            }
            cluster.complete() && !before
        });
        if complete {
            tracing::info!("every kind has been listed, judging begins");
        }
    }
}

impl Update {
    /// Which kind changed, and what went wrong, if anything did.
    fn trouble(&self) -> (Kind, Option<Trouble>) {
        match self {
            Self::Pods(change) => (Kind::Pods, trouble(change)),
            Self::Services(change) => (Kind::Services, trouble(change)),
            Self::Bindings(change) => (Kind::Bindings, trouble(change)),
            Self::NodeTargets(change) => (Kind::NodeTargets, trouble(change)),
            Self::Nodes(change) => (Kind::Nodes, trouble(change)),
            Self::Leases(change) => (Kind::Leases, trouble(change)),
            Self::Slices(change) => (Kind::Slices, trouble(change)),
        }
    }
}

/// What can be wrong with a watch.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// It broke and is tried again.
    Interrupted(String),
    /// It brought an object that can't be read.
    Invalid(ObjectName, String),
}

pub(crate) fn trouble<T>(change: &Change<T>) -> Option<Trouble> {
    match change {
        Change::Interrupted(error) => Some(Trouble::Interrupted(error.to_string())),
        Change::Invalid { name, error } => Some(Trouble::Invalid(name.clone(), error.clone())),
        _ => None,
    }
}
