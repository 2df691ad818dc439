//! Which Services are bound: just enough of the cluster to tell whether a new pod will be a target.
//!
//! Every replica follows this, so it holds neither pods nor what only the leader needs.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use futures::{Stream, StreamExt as _, stream::BoxStream};
use k8s_openapi::{api::core::v1 as core, apimachinery::pkg::util::intstr::IntOrString};
use kube::{Api, Client, core::DeserializeGuard, runtime::watcher::Config};
use lath_kubernetes::{
    Service, TargetGroupBinding,
    watch::{Change, ObjectName, watch_reduced},
};
use runtime::readiness::BlockReady;

use crate::{
    cluster::{Kind, feed, metrics::Metrics},
    shared::Shared,
};

/// Most changes that are taken in before readers get their turn.
const BATCH: usize = 256;

/// A binding, reduced to what it binds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    name: ObjectName,
    service: String,
    port: IntOrString,
    /// It is accepted and stays. Agents act on no other, so a pod that waits for one that is not may wait for ever.
    in_force: bool,
}

impl From<&TargetGroupBinding> for Binding {
    fn from(binding: &TargetGroupBinding) -> Self {
        Self {
            name: ObjectName::of(binding),
            service: binding.spec.service.name.clone(),
            port: binding.spec.service.port.clone(),
            in_force: binding.accepted(),
        }
    }
}

/// A change that a watch reports.
#[derive(Debug)]
pub enum Update {
    /// Of Services.
    Services(Change<Service>),
    /// Of bindings.
    Bindings(Change<Binding>),
}

/// Objects of a kind, by namespace and name.
#[derive(Debug)]
struct Table<T> {
    listed: bool,
    rows: HashMap<String, HashMap<String, T>>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { listed: false, rows: HashMap::new() }
    }
}

impl<T> Table<T> {
    fn put(&mut self, name: ObjectName, object: T) {
        self.rows.entry(name.namespace).or_default().insert(name.name, object);
    }

    fn remove(&mut self, name: &ObjectName) {
        if let Some(rows) = self.rows.get_mut(&name.namespace) {
            rows.remove(&name.name);
            if rows.is_empty() {
                self.rows.remove(&name.namespace);
            }
        }
    }

    fn apply(&mut self, change: Change<T>, name_of: impl Fn(&T) -> ObjectName) {
        match change {
            Change::Snapshot { objects, invalid } => {
                // What can't be read now stays what it was.
                let invalid: HashSet<ObjectName> = invalid.into_iter().collect();
                let before = std::mem::take(&mut self.rows);
                for (namespace, rows) in before {
                    for (name, object) in rows {
                        let name = ObjectName { namespace: namespace.clone(), name };
                        if invalid.contains(&name) {
                            self.put(name, object);
                        }
                    }
                }
                for object in objects {
                    self.put(name_of(&object), object);
                }
                self.listed = true;
            }
            Change::Applied(object) => self.put(name_of(&object), object),
            Change::Deleted(object) => self.remove(&name_of(&object)),
            Change::Gone(name) => self.remove(&name),
            Change::Invalid { .. } | Change::Interrupted(_) => {}
        }
    }
}

/// What is known of Services and bindings.
#[derive(Debug, Default)]
pub struct Bound {
    services: Table<Service>,
    bindings: Table<Binding>,
}

impl Bound {
    /// Whether both kinds have been listed.
    #[must_use]
    pub fn complete(&self) -> bool {
        self.services.listed && self.bindings.listed
    }

    /// Takes in a change.
    pub fn apply(&mut self, update: Update) {
        match update {
            Update::Services(change) => self.services.apply(change, Service::object_name),
            Update::Bindings(change) => self.bindings.apply(change, |binding| binding.name.clone()),
        }
    }

    /// Whether a binding in force names a Service that selects pods with these labels. Cost: the namespace's bindings.
    #[must_use]
    pub fn binds(&self, namespace: &str, labels: &BTreeMap<String, String>) -> bool {
        let (Some(bindings), Some(services)) =
            (self.bindings.rows.get(namespace), self.services.rows.get(namespace))
        else {
            return false;
        };
        bindings.values().filter(|binding| binding.in_force).any(|binding| {
            services
                .get(&binding.service)
                .is_some_and(|service| service.port(&binding.port).is_some() && service.selects(labels))
        })
    }
}

/// Every change of both kinds.
pub fn updates(client: &Client) -> BoxStream<'static, Update> {
    let services: Api<DeserializeGuard<core::Service>> = Api::all(client.clone());
    let bindings: Api<DeserializeGuard<TargetGroupBinding>> = Api::all(client.clone());
    let config = Config::default();
    futures::stream::select(
        watch_reduced(services, config.clone(), |service| Service::from(&service)).map(Update::Services),
        watch_reduced(bindings, config, |binding| Binding::from(&binding)).map(Update::Bindings),
    )
    .boxed()
}

/// Takes `updates` into the store until they end, which watches never do. `lists` goes once both kinds are listed.
pub async fn run(
    updates: impl Stream<Item = Update> + Send,
    store: Arc<Shared<Bound>>,
    metrics: Metrics,
    lists: BlockReady,
) {
    let mut lists = Some(lists);
    let mut batches = std::pin::pin!(updates.ready_chunks(BATCH));
    while let Some(batch) = batches.next().await {
        for update in &batch {
            let (kind, trouble) = match update {
                Update::Services(change) => (Kind::Services, feed::trouble(change)),
                Update::Bindings(change) => (Kind::Bindings, feed::trouble(change)),
            };
            metrics.note(kind.as_str(), trouble);
        }
        let complete = store.update(|bound| {
            for update in batch {
                bound.apply(update);
            }
            bound.complete()
        });
        if complete {
            lists = None;
        }
    }
    drop(lists);
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn service(name: &str, app: &str) -> Service {
        let service: core::Service = serde_json::from_value(json!({
            "metadata": { "name": name, "namespace": "shop" },
            "spec": { "selector": { "app": app }, "ports": [{ "name": "http", "port": 80 }] },
        }))
        .unwrap();
        Service::from(&service)
    }

    fn binding(name: &str, service: &str, port: &Value, accepted: &str) -> Binding {
        let binding: TargetGroupBinding = serde_json::from_value(json!({
            "apiVersion": "lath.dev/v1alpha1", "kind": "TargetGroupBinding",
            "metadata": { "name": name, "namespace": "shop", "generation": 1 },
            "spec": {
                "targetGroup": { "arn": "arn:aws:vpc-lattice:us-west-2:123456789012:targetgroup/tg-0123456789abcdef0" },
                "service": { "name": service, "port": port },
            },
            "status": { "conditions": [{
                "type": "Accepted", "status": accepted, "reason": "Accepted", "message": "", "observedGeneration": 1,
                "lastTransitionTime": "2026-01-01T00:00:00Z",
            }] },
        }))
        .unwrap();
        Binding::from(&binding)
    }

    fn known(services: Vec<Service>, bindings: Vec<Binding>) -> Bound {
        let mut bound = Bound::default();
        bound.apply(Update::Services(Change::Snapshot { objects: services, invalid: Vec::new() }));
        assert!(!bound.complete());
        bound.apply(Update::Bindings(Change::Snapshot { objects: bindings, invalid: Vec::new() }));
        assert!(bound.complete());
        bound
    }

    fn web() -> BTreeMap<String, String> {
        [("app".to_owned(), "web".to_owned())].into()
    }

    #[test]
    fn only_bindings_in_force_bind() {
        for (binding, binds) in [
            (binding("b", "web", &json!(80), "True"), true),
            (binding("b", "web", &json!("http"), "True"), true),
            (binding("b", "web", &json!(80), "False"), false),
            (binding("b", "web", &json!(81), "True"), false),
            (binding("b", "other", &json!(80), "True"), false),
            (binding("b", "missing", &json!(80), "True"), false),
        ] {
            let bound = known(vec![service("web", "web"), service("other", "other")], vec![binding.clone()]);
            assert_eq!(bound.binds("shop", &web()), binds, "{binding:?}");
            assert!(!bound.binds("elsewhere", &web()));
        }
    }

    #[test]
    fn changes_are_followed() {
        let mut bound = known(vec![service("web", "web")], Vec::new());
        assert!(!bound.binds("shop", &web()));
        let accepted = binding("b", "web", &json!(80), "True");
        bound.apply(Update::Bindings(Change::Applied(accepted.clone())));
        assert!(bound.binds("shop", &web()));
        bound.apply(Update::Services(Change::Applied(service("web", "canary"))));
        assert!(!bound.binds("shop", &web()));
        bound.apply(Update::Services(Change::Applied(service("web", "web"))));
        bound.apply(Update::Bindings(Change::Deleted(accepted)));
        assert!(!bound.binds("shop", &web()));
        assert!(bound.bindings.rows.is_empty());
    }

    #[test]
    fn what_cannot_be_read_stays_what_it_was() {
        let name = |name: &str| ObjectName { namespace: "shop".into(), name: name.into() };
        let mut bound = known(vec![service("web", "web")], vec![binding("b", "web", &json!(80), "True")]);
        bound.apply(Update::Bindings(Change::Invalid { name: name("b"), error: "unreadable".into() }));
        bound.apply(Update::Bindings(Change::Snapshot { objects: Vec::new(), invalid: vec![name("b")] }));
        assert!(bound.binds("shop", &web()));
        bound.apply(Update::Bindings(Change::Gone(name("b"))));
        assert!(!bound.binds("shop", &web()));
    }
}
