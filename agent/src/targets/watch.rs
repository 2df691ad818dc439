//! Watch: this node's pods, and the cluster's Services and bindings, as one stream of changes.

use futures::{StreamExt as _, stream::BoxStream};
use k8s_openapi::api::core::v1 as core;
use kube::{Api, Client, runtime::watcher::Config};
use lath_kubernetes::{Pod, Service, watch::Change};

use super::observed::{Input, Kind};

/// The three watches of the pipeline. They never end.
pub(super) struct Watches {
    client: Client,
    node: String,
    pods: BoxStream<'static, Input>,
    services: BoxStream<'static, Input>,
    bindings: BoxStream<'static, Input>,
}

impl std::fmt::Debug for Watches {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watches").field("node", &self.node).finish_non_exhaustive()
    }
}

impl Watches {
    /// Watches on behalf of `node`'s agent.
    #[must_use]
    pub(super) fn new(client: Client, node: &str) -> Self {
        Self {
            pods: open(&client, node, Kind::Pods),
            services: open(&client, node, Kind::Services),
            bindings: open(&client, node, Kind::Bindings),
            client,
            node: node.into(),
        }
    }

    /// The next change. Pods come first when several wait, because they are what is in a hurry.
    pub(super) async fn next(&mut self) -> Input {
        loop {
            let input = tokio::select! {
                biased;
                input = self.pods.next() => input,
                input = self.bindings.next() => input,
                input = self.services.next() => input,
            };
            // A watch is made anew whenever it ends, so a stream that ended is a stream to be opened again.
            match input {
                Some(input) => return input,
                None => {
                    *self = Self::new(self.client.clone(), &self.node);
                }
            }
        }
    }

    /// Makes a watch anew, beginning with a list that the API server answers from its store.
    pub(super) fn restart(&mut self, kind: Kind) {
        let stream = open(&self.client, &self.node, kind);
        match kind {
            Kind::Pods => self.pods = stream,
            Kind::Services => self.services = stream,
            Kind::Bindings => self.bindings = stream,
        }
    }
}

fn open(client: &Client, node: &str, kind: Kind) -> BoxStream<'static, Input> {
    use lath_kubernetes::watch::watch;

    let all = Config::default();
    match kind {
        Kind::Pods => {
            let mine = all.fields(&format!("spec.nodeName={node}"));
            watch::<core::Pod>(Api::all(client.clone()), mine)
                .map(|change| {
                    let version = version(&change);
                    Input::Pods(change.map(|pod| Pod::from(pod)), version)
                })
                .boxed()
        }
        Kind::Services => watch::<core::Service>(Api::all(client.clone()), all)
            .map(|change| Input::Services(change.map(|service| Service::from(service))))
            .boxed(),
        Kind::Bindings => watch(Api::all(client.clone()), all).map(Input::Bindings).boxed(),
    }
}

/// The version that a single change made; 0 where it is not known.
fn version(change: &Change<core::Pod>) -> u64 {
    match change {
        Change::Applied(pod) | Change::Deleted(pod) => {
            pod.metadata.resource_version.as_deref().and_then(|version| version.parse().ok()).unwrap_or(0)
        }
        _ => 0,
    }
}
