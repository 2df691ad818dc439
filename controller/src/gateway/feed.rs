//! Follows the watches of Gateway API's objects into the store.

use std::sync::Arc;

use futures::{Stream, StreamExt as _, stream::BoxStream};
use k8s_openapi::api::core::v1 as core;
use kube::{
    Api, Client, Resource, ResourceExt as _,
    core::DeserializeGuard,
    runtime::watcher::{self, Config},
};
use lath_kubernetes::{
    gateway::{GRPCRoute, HTTPRoute, TCPRoute, TLSRoute, UDPRoute},
    multicluster::{self, standard},
    watch::{Change, watch_reduced},
};
use serde::de::DeserializeOwned;

use super::{
    multicluster::{Dialect, Export, Import},
    objects::{Kind, Namespace, Objects, Update},
    route::{Route, RouteKind},
};
use crate::{
    cluster::{
        feed::{Trouble, trouble},
        metrics::Metrics,
    },
    shared::Shared,
};

/// Most changes that are taken in before readers get their turn.
const BATCH: usize = 256;

/// A change, and what is wrong with the watch that brought it, if anything is.
pub(crate) type Noted = (Kind, Option<Trouble>, Update);

/// Every change of every kind, or that the cluster does not have a kind.
pub(crate) fn updates(client: &Client) -> BoxStream<'static, Noted> {
    futures::stream::select_all([
        plain(client, Kind::Classes, Update::Classes),
        plain(client, Kind::Gateways, Update::Gateways),
        routes::<HTTPRoute>(client, RouteKind::Http),
        routes::<GRPCRoute>(client, RouteKind::Grpc),
        routes::<TLSRoute>(client, RouteKind::Tls),
        routes::<TCPRoute>(client, RouteKind::Tcp),
        routes::<UDPRoute>(client, RouteKind::Udp),
        plain(client, Kind::Grants, Update::Grants),
        reduced(
            client,
            Kind::Namespaces,
            |namespace: core::Namespace| Namespace {
                name: namespace.metadata.name.unwrap_or_default(),
                labels: namespace.metadata.labels.unwrap_or_default(),
            },
            Update::Namespaces,
        ),
        plain(client, Kind::Parameters, Update::Parameters),
        plain(client, Kind::TargetGroupPolicies, Update::TargetGroupPolicies),
        plain(client, Kind::AuthPolicies, Update::AuthPolicies),
        plain(client, Kind::AccessLogPolicies, Update::AccessLogPolicies),
        plain(client, Kind::VpcPolicies, Update::VpcPolicies),
        plain(client, Kind::TargetGroups, Update::TargetGroups),
        exports::<multicluster::ServiceExport>(client, Dialect::Aws),
        exports::<standard::ServiceExport>(client, Dialect::Standard),
        imports::<multicluster::ServiceImport>(client, Dialect::Aws),
        imports::<standard::ServiceImport>(client, Dialect::Standard),
        plain(client, Kind::ServiceNetworks, Update::ServiceNetworks),
    ])
    .boxed()
}

fn plain<K>(
    client: &Client,
    kind: Kind,
    wrap: impl Fn(Change<K>) -> Update + Send + 'static,
) -> BoxStream<'static, Noted>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + std::fmt::Debug + Send + 'static,
{
    let without_owners = |mut object: K| {
        object.managed_fields_mut().clear();
        object
    };
    reduced(client, kind, without_owners, wrap)
}

fn routes<K>(client: &Client, kind: RouteKind) -> BoxStream<'static, Noted>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + std::fmt::Debug + Send + 'static,
    for<'a> Route: From<&'a K>,
{
    let reduce = |route: K| Route::from(&route);
    reduced(client, Kind::Routes(kind), reduce, move |change| Update::Routes(kind, change))
}

fn exports<K>(client: &Client, dialect: Dialect) -> BoxStream<'static, Noted>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + std::fmt::Debug + Send + 'static,
    for<'a> Export: From<&'a K>,
{
    let reduce = |export: K| Export::from(&export);
    reduced(client, Kind::Exports(dialect), reduce, move |change| Update::Exports(dialect, change))
}

fn imports<K>(client: &Client, dialect: Dialect) -> BoxStream<'static, Noted>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + std::fmt::Debug + Send + 'static,
    for<'a> Import: From<&'a K>,
{
    let reduce = |import: K| Import::from(&import);
    reduced(client, Kind::Imports(dialect), reduce, move |change| Update::Imports(dialect, change))
}

fn reduced<K, T>(
    client: &Client,
    kind: Kind,
    reduce: impl Fn(K) -> T + Send + 'static,
    wrap: impl Fn(Change<T>) -> Update + Send + 'static,
) -> BoxStream<'static, Noted>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + std::fmt::Debug + Send + 'static,
    T: Send + 'static,
{
    let api: Api<DeserializeGuard<K>> = Api::all(client.clone());
    watch_reduced(api, Config::default(), reduce)
        .map(move |change| match &change {
            Change::Interrupted(error) if is_absent(error) => (kind, None, Update::Absent(kind)),
            _ => (kind, trouble(&change), wrap(change)),
        })
        .boxed()
}

/// Whether the API server does not know the kind: its definition is not installed. Of a whole group that it does not know it
/// says so in plain text, which has no reason.
fn is_absent(error: &watcher::Error) -> bool {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status)) => {
            status.is_not_found() || status.code == 404
        }
        _ => false,
    }
}

/// Takes `updates` into the store until they end, which watches never do.
pub(crate) async fn run(
    updates: impl Stream<Item = Noted> + Send,
    store: Arc<Shared<Objects>>,
    metrics: Metrics,
) {
    let mut batches = std::pin::pin!(updates.ready_chunks(BATCH));
    while let Some(batch) = batches.next().await {
        let mut changes = Vec::with_capacity(batch.len());
        for (kind, trouble, update) in batch {
            let broken = matches!(trouble, Some(Trouble::Interrupted(_)));
            metrics.note(kind.as_str(), trouble);
            // A kind that is not installed is looked for again and again.
            let known = matches!(update, Update::Absent(_)) && store.read().absent().contains(&kind);
            if !broken && !known {
                changes.push(update);
            }
        }
        if changes.is_empty() {
            continue;
        }
        store.update(|objects| {
            for update in changes {
                match &update {
                    Update::Absent(kind) if kind.is_optional() => tracing::info!(
                        kind = kind.as_str(),
                        "the cluster does not have this kind; it is looked for again and again"
                    ),
                    Update::Absent(kind) => tracing::warn!(
                        kind = kind.as_str(),
                        "the cluster does not have this kind, so nothing is done about Gateways and routes until it \
                         does: install Gateway API's definitions, and those in the chart's crds folder"
                    ),
                    _ => {}
                }
                objects.apply(update);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_absent_where_its_group_is_too() {
        for (message, reason, code, absent) in [
            ("the server could not find the requested resource", "NotFound", 404, true),
            ("404 page not found", "Failed to parse error data", 404, true),
            ("forbidden", "Forbidden", 403, false),
        ] {
            let status = kube::core::Status::failure(message, reason).with_code(code);
            let error = watcher::Error::InitialListFailed(kube::Error::Api(status.boxed()));
            assert_eq!(is_absent(&error), absent, "{message}");
        }
    }
}
