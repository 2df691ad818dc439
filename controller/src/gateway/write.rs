//! Writes statuses, finalizers and annotations.

mod backends;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use futures::StreamExt as _;
use k8s_openapi::{
    api::core::v1::ObjectReference, apimachinery::pkg::apis::meta::v1::Condition, jiff::Timestamp,
};
use kube::{
    Api, Client, Resource,
    api::{ApiResource, DynamicObject, ObjectMeta, Patch, PatchParams},
    runtime::events::EventType,
};
use lath_kubernetes::{
    gateway::{GRPCRoute, Gateway, GatewayClass, HTTPRoute, RouteStatus, TCPRoute, TLSRoute, UDPRoute},
    names,
    policy::{AccessLogPolicy, IAMAuthPolicy, PolicyStatus, TargetGroupPolicy, VpcAssociationPolicy},
    service_network::ServiceNetwork,
    watch::ObjectName,
};
use serde_json::{Value, json};
use tokio::{sync::watch, time::Instant};

use super::{
    compose::Published,
    directories::Notes,
    engine::Progress,
    leaving,
    metrics::Metrics,
    objects::Objects,
    route::{Route, RouteKind},
    status::{self, Moment},
    takeover::{State, inherited},
    translate::{Outcome, ParentVerdict, PolicyKind, RouteVerdict},
};
use crate::{answer, events::Events, shared::Shared};

/// How long changes are collected before statuses are composed. A burst of answers from VPC Lattice touches each status
/// many times; nobody notices 50 ms.
const COLLECT: Duration = Duration::from_millis(50);

/// Most writes that are on their way at once.
const WRITES_AT_ONCE: usize = 16;

/// The wait before a failed write is tried again.
const RETRY: Duration = Duration::from_secs(2);

/// How long a write counts as not yet seen, should the watch not bring it back.
const ECHO: Duration = Duration::from_secs(5);

/// What a writer goes by.
pub struct Writer {
    /// Kubernetes.
    pub client: Client,
    /// Gateway API's objects.
    pub objects: Arc<Shared<Objects>>,
    /// What they come to.
    pub published: watch::Receiver<Arc<Published>>,
    /// How far VPC Lattice is.
    pub progress: Arc<Shared<Progress>>,
    /// What is worth a note about directories.
    pub notes: Arc<Shared<Notes>>,
    /// The names of the controllers whose classes are served.
    pub controllers: Vec<&'static str>,
    /// How far the take-over from the AWS controller is.
    pub takeover: watch::Receiver<State>,
    /// Tells what is new.
    pub events: Events,
    /// What it does.
    pub metrics: Metrics,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Writer")
    }
}

/// What has to be written of one object.
#[derive(Debug)]
struct Write {
    kind: &'static str,
    resource: ApiResource,
    meta: ObjectMeta,
    /// The whole status, as far as it is Lath's.
    status: Option<Value>,
    /// Finalizers and annotations.
    metadata: Option<Value>,
    /// Conditions whose reason is another than before.
    news: Vec<Condition>,
}

/// An object by kind, namespace and name.
type Key = (&'static str, ObjectName);

impl Writer {
    /// Writes, for ever.
    pub async fn run(mut self) {
        let mut object_changes = self.objects.subscribe();
        let mut progress_changes = self.progress.subscribe();
        let mut note_changes = self.notes.subscribe();
        let mut echoes: HashMap<Key, (Option<String>, Instant)> = HashMap::new();
        loop {
            object_changes.borrow_and_update();
            progress_changes.borrow_and_update();
            note_changes.borrow_and_update();
            let published = self.published.borrow_and_update().clone();
            let state = self.takeover.borrow_and_update().clone();
            echoes.retain(|_, (_, at)| at.elapsed() < ECHO);
            let writes = self.decide(&published, &state, &echoes);
            let mut failed = false;
            let mut written = futures::stream::iter(writes)
                .map(|write| {
                    let (client, events) = (self.client.clone(), self.events.clone());
                    async move {
                        let done = perform(&client, &write).await;
                        if done == Done::Written {
                            announce(&events, &write).await;
                        }
                        (write, done)
                    }
                })
                .buffer_unordered(WRITES_AT_ONCE);
            while let Some((write, done)) = written.next().await {
                self.metrics.wrote(write.kind, done != Done::Failed);
                if done == Done::Failed {
                    failed = true;
                } else {
                    echoes
                        .insert(key(write.kind, &write.meta), (write.meta.resource_version, Instant::now()));
                }
            }
            drop(written);
            let again =
                async { if failed { tokio::time::sleep(RETRY).await } else { std::future::pending().await } };
            tokio::select! {
                () = again => {}
                changed = object_changes.changed() => if changed.is_err() { return },
                changed = progress_changes.changed() => if changed.is_err() { return },
                changed = note_changes.changed() => if changed.is_err() { return },
                changed = self.takeover.changed() => if changed.is_err() { return },
                changed = self.published.changed() => if changed.is_err() { return },
            }
            tokio::time::sleep(COLLECT).await;
        }
    }

    fn decide(
        &self,
        published: &Published,
        state: &State,
        echoes: &HashMap<Key, (Option<String>, Instant)>,
    ) -> Vec<Write> {
        let objects = self.objects.read();
        // What was translated is not what is there now; the next translation is on its way.
        if published.objects == 0 || published.objects != objects.respecified() {
            return Vec::new();
        }
        let (progress, notes) = (self.progress.read(), self.notes.read());
        let scope = Scope { controllers: &self.controllers, state };
        let mut writes = decide(&objects, published, &progress, &notes, scope, Timestamp::now());
        writes.retain(|write| {
            let echo = echoes.get(&key(write.kind, &write.meta));
            echo.is_none_or(|(version, _)| *version != write.meta.resource_version)
        });
        writes
    }
}

fn key(kind: &'static str, meta: &ObjectMeta) -> Key {
    let name = ObjectName {
        namespace: meta.namespace.clone().unwrap_or_default(),
        name: meta.name.clone().unwrap_or_default(),
    };
    (kind, name)
}

/// Whose objects are written.
#[derive(Debug, Clone, Copy)]
struct Scope<'a> {
    controllers: &'a [&'a str],
    state: &'a State,
}

impl Scope<'_> {
    /// Whether objects of this controller's classes are left alone for now: the AWS controller may write to them.
    fn leaves(self, controller: &str) -> bool {
        controller == names::AWS_GATEWAY_CONTROLLER && !self.state.is_over()
    }

    /// Whose entries in statuses are Lath's to change or remove.
    fn served(&self) -> &[&str] {
        let over = self.state.is_over();
        let count =
            self.controllers.iter().take_while(|name| over || **name != names::AWS_GATEWAY_CONTROLLER);
        &self.controllers[..count.count()]
    }
}

/// What has to be written, given what is there.
fn decide(
    objects: &Objects,
    published: &Published,
    progress: &Progress,
    notes: &Notes,
    scope: Scope<'_>,
    now: Timestamp,
) -> Vec<Write> {
    let outcome = &published.outcome;
    let mut writes = Vec::new();
    let moment = |meta: &ObjectMeta| Moment { generation: meta.generation, now };
    for (name, verdict) in &outcome.classes {
        let Some(class) = objects.classes.get(name) else { continue };
        if scope.leaves(&class.spec.controller_name) {
            continue;
        }
        let current = class.status.clone().unwrap_or_default();
        let wanted = status::class(&current, verdict, moment(&class.metadata));
        let used = objects.gateways.values().any(|gateway| gateway.spec.gateway_class_name == *name);
        let finalizers = finalizers(&class.metadata, names::GATEWAY_EXISTS_FINALIZER, used);
        writes.extend(Write::of::<GatewayClass>(
            "GatewayClass",
            &class.metadata,
            (wanted != current).then(|| json!({ "conditions": wanted.conditions })),
            finalizers.map(|finalizers| json!({ "finalizers": finalizers })),
            news(&current.conditions, &wanted.conditions),
        ));
    }
    for (name, gateway) in &objects.gateways {
        let meta = &gateway.metadata;
        let Some(verdict) = outcome.gateways.get(name) else { continue };
        let current = gateway.status.clone().unwrap_or_default();
        let class = objects.classes.get(&gateway.spec.gateway_class_name);
        let controller = class.map_or("", |class| &class.spec.controller_name);
        let mut wanted = if scope.leaves(controller) {
            current.clone()
        } else {
            status::gateway(&current, verdict, progress, moment(meta))
        };
        let mut rest = None;
        if controller == names::AWS_GATEWAY_CONTROLLER {
            wanted.conditions =
                status::taken_over(&wanted.conditions, scope.state, &refused(outcome, name), moment(meta));
            rest = inherited::finalizers(meta, inherited::GATEWAY, scope.state)
                .map(|finalizers| json!({ "finalizers": finalizers }));
        }
        let changed = (wanted != current).then(|| {
            json!({
                "addresses": wanted.addresses,
                "conditions": wanted.conditions,
                "listeners": wanted.listeners,
            })
        });
        let news = news(&current.conditions, &wanted.conditions);
        writes.extend(Write::of::<Gateway>("Gateway", meta, changed, rest, news));
    }
    for (name, gateways) in &outcome.service_networks {
        if let Some(network) = objects.service_networks.get(name) {
            writes.extend(service_network_write(network, gateways, progress, scope, now));
        }
    }
    for route in objects.routes() {
        writes.extend(route_write(route, published, progress, notes, scope, now));
    }
    writes.extend(backends::exports(objects, published, progress, scope.state, now));
    writes.extend(backends::target_groups(objects, published, progress, now));
    for ((kind, name), verdict) in &outcome.policies {
        let write = match kind {
            PolicyKind::TargetGroup => {
                policy::<TargetGroupPolicy>(&objects.target_group_policies, name, |policy| {
                    policy.status.as_ref()
                })
            }
            PolicyKind::IamAuth => {
                policy::<IAMAuthPolicy>(&objects.auth_policies, name, |policy| policy.status.as_ref())
            }
            PolicyKind::AccessLog => {
                policy::<AccessLogPolicy>(&objects.access_log_policies, name, |policy| policy.status.as_ref())
            }
            PolicyKind::VpcAssociation => {
                policy::<VpcAssociationPolicy>(&objects.vpc_policies, name, |policy| policy.status.as_ref())
            }
        };
        let Some((meta, resource, current)) = write else { continue };
        let wanted = status::policy(&current, verdict, moment(&meta));
        let changed = (wanted != current).then(|| json!({ "conditions": wanted }));
        let news = news(&current, &wanted);
        let rest = inherited::finalizers(&meta, inherited::of_policy(*kind), scope.state)
            .map(|finalizers| json!({ "finalizers": finalizers }));
        writes.extend(Write::new(kind.as_str(), resource, &meta, changed, rest, news));
    }
    writes
}

fn policy<P: Resource<DynamicType = ()>>(
    policies: &BTreeMap<ObjectName, P>,
    name: &ObjectName,
    status: impl Fn(&P) -> Option<&PolicyStatus>,
) -> Option<(ObjectMeta, ApiResource, Vec<Condition>)> {
    let policy = policies.get(name)?;
    let conditions = status(policy).map(|status| status.conditions.clone()).unwrap_or_default();
    Some((policy.meta().clone(), ApiResource::erase::<P>(&()), conditions))
}

/// The finalizers that an object is to have, without one of the AWS controller's where that is over; `None` if nothing
/// changes.
fn without_inherited(
    meta: &ObjectMeta,
    changed: Option<Vec<String>>,
    inherited: Option<&str>,
    state: &State,
) -> Option<Vec<String>> {
    let Some(inherited) = inherited else { return changed };
    let finalizers = changed.clone().or_else(|| meta.finalizers.clone());
    let with = ObjectMeta { finalizers, ..ObjectMeta::default() };
    inherited::finalizers(&with, inherited, state).or(changed)
}

/// Routes of a Gateway that are not accepted, and why.
fn refused(outcome: &Outcome, gateway: &ObjectName) -> Vec<String> {
    let refused = outcome.routes.iter().filter_map(|(route, verdict)| {
        let at = |parent: &&ParentVerdict| {
            !parent.accepted.holds && parent.parent.gateway(&route.object.namespace).as_ref() == Some(gateway)
        };
        verdict.parents.iter().find(at).map(|parent| format!("{route}: {}", parent.accepted.message))
    });
    refused.collect()
}

fn service_network_write(
    network: &ServiceNetwork,
    gateways: &[String],
    progress: &Progress,
    scope: Scope<'_>,
    now: Timestamp,
) -> Option<Write> {
    let meta = &network.metadata;
    // The AWS controller keeps it.
    let kept = meta.finalizers.iter().flatten().any(|one| one == inherited::SERVICE_NETWORK);
    if kept && !scope.state.is_over() {
        return None;
    }
    let name = meta.name.as_deref().unwrap_or_default();
    let current = network.status.clone().unwrap_or_default();
    let leaving = meta.deletion_timestamp.is_some();
    let moment = Moment { generation: meta.generation, now };
    let wanted = status::service_network(&current, name, gateways, leaving, progress, moment);
    let changed = (wanted != current).then(|| {
        json!({
            "conditions": wanted.conditions,
            "serviceNetworkARN": wanted.service_network_arn,
            "serviceNetworkID": wanted.service_network_id,
        })
    });
    // It stays while a Gateway stands for the service network that it names.
    let mut rest = finalizers(meta, names::LATTICE_FINALIZER, !gateways.is_empty());
    if kept {
        rest = without_inherited(meta, rest, Some(inherited::SERVICE_NETWORK), scope.state);
    }
    let rest = rest.map(|finalizers| json!({ "finalizers": finalizers }));
    let news = news(&current.conditions, &wanted.conditions);
    Write::of::<ServiceNetwork>("ServiceNetwork", meta, changed, rest, news)
}

fn route_write(
    route: &Route,
    published: &Published,
    progress: &Progress,
    notes: &Notes,
    scope: Scope<'_>,
    now: Timestamp,
) -> Option<Write> {
    let nothing = RouteVerdict::default();
    let verdict = published.outcome.routes.get(&route.name).unwrap_or(&nothing);
    if verdict.parents.iter().any(|parent| scope.leaves(&parent.controller)) {
        return None;
    }
    let moment = Moment { generation: route.meta.generation, now };
    let leaving = route.is_leaving();
    let wanted = if leaving {
        route.status.clone()
    } else {
        status::route(&route.status, verdict, (progress, notes), scope.served(), moment)
    };
    let status = (wanted != route.status).then(|| json!({ "parents": wanted.parents }));
    let metadata = metadata(route, verdict, progress, published.version, scope.state);
    let own = |status: &RouteStatus| own_conditions(status, scope.served());
    let news = news(&own(&route.status), &own(&wanted));
    let resource = match route.name.kind {
        RouteKind::Http => ApiResource::erase::<HTTPRoute>(&()),
        RouteKind::Grpc => ApiResource::erase::<GRPCRoute>(&()),
        RouteKind::Tls => ApiResource::erase::<TLSRoute>(&()),
        RouteKind::Tcp => ApiResource::erase::<TCPRoute>(&()),
        RouteKind::Udp => ApiResource::erase::<UDPRoute>(&()),
    };
    Write::new(route.name.kind.as_str(), resource, &route.meta, status, metadata, news)
}

/// Lath's conditions of a route, at all of its parents.
fn own_conditions(status: &RouteStatus, controllers: &[&str]) -> Vec<Condition> {
    let own = status.parents.iter().filter(|parent| controllers.contains(&parent.controller_name.as_str()));
    own.flat_map(|parent| parent.conditions.iter().cloned()).collect()
}

/// The finalizers and annotations that a route should have instead of those it has.
fn metadata(
    route: &Route,
    verdict: &RouteVerdict,
    progress: &Progress,
    version: u64,
    state: &State,
) -> Option<Value> {
    let held = route.meta.finalizers.iter().flatten().any(|finalizer| finalizer == names::LATTICE_FINALIZER);
    let accepted = verdict.parents.iter().any(|parent| parent.accepted.holds);
    let keep = if route.is_leaving() {
        held && !leaving::gone(&route.name, progress, version)
    } else {
        accepted || (held && !leaving::gone(&route.name, progress, version))
    };
    let mut changes = serde_json::Map::new();
    let finalizers = finalizers(&route.meta, names::LATTICE_FINALIZER, keep);
    // Once Lath's own is there, or nothing is left that the other one would wait for.
    let replaced = keep && !route.is_leaving();
    let over = replaced || (route.is_leaving() && leaving::gone(&route.name, progress, version));
    let other = over.then(|| inherited::of_route(route.name.kind));
    if let Some(finalizers) = without_inherited(&route.meta, finalizers, other, state) {
        changes.insert("finalizers".into(), json!(finalizers));
    }
    if !route.is_leaving() && accepted {
        let facts = verdict.owners.iter().find_map(|owner| progress.services.get(owner)?.service.as_ref());
        let mut annotations = serde_json::Map::new();
        for (annotation, value) in [
            (names::AWS_LATTICE_DOMAIN_NAME, facts.and_then(|facts| facts.dns_name.as_deref())),
            (names::AWS_LATTICE_SERVICE_ARN, facts.map(|facts| facts.arn.as_str())),
            (names::DNS_NAME, dns_name(verdict, progress)),
        ] {
            if let Some(value) = value.filter(|value| route.annotation(annotation) != Some(*value)) {
                annotations.insert(annotation.into(), json!(value));
            }
        }
        if !annotations.is_empty() {
            changes.insert("annotations".into(), Value::Object(annotations));
        }
    }
    (!changes.is_empty()).then_some(Value::Object(changes))
}

/// The name by which clients reach a TCPRoute or UDPRoute, once there is one.
fn dns_name<'a>(verdict: &'a RouteVerdict, progress: &'a Progress) -> Option<&'a str> {
    let mut there = verdict.resources.iter().filter_map(|key| progress.resources.get(key)?.resource.as_ref());
    match &verdict.direct {
        Some(name) => there.next().map(|_| name.as_str()),
        None => there.find_map(|facts| facts.dns_name.as_deref()),
    }
}

/// The finalizers with this one, or without it; `None` if that is what they are. None is added to what is being deleted,
/// which the API server would refuse.
fn finalizers(meta: &ObjectMeta, finalizer: &str, wanted: bool) -> Option<Vec<String>> {
    let mut finalizers = meta.finalizers.clone().unwrap_or_default();
    let there = finalizers.iter().any(|one| one == finalizer);
    if there == wanted || (wanted && meta.deletion_timestamp.is_some()) {
        return None;
    }
    finalizers.retain(|one| one != finalizer);
    if wanted {
        finalizers.push(finalizer.into());
    }
    Some(finalizers)
}

/// Conditions whose reason is another than it was, and that say more than that something is on its way.
fn news(before: &[Condition], after: &[Condition]) -> Vec<Condition> {
    let mut news: Vec<Condition> = Vec::new();
    for condition in after {
        let told = |other: &&Condition| other.type_ == condition.type_ && other.reason == condition.reason;
        let worth = !matches!(
            condition.reason.as_str(),
            "Pending" | "NotAccepted" | "NoConflicts" | "SupportedVersion"
        );
        if worth && !before.iter().any(|other| told(&other)) && !news.iter().any(|other| told(&other)) {
            news.push(condition.clone());
        }
    }
    news
}

impl Write {
    fn of<K: Resource<DynamicType = ()>>(
        kind: &'static str,
        meta: &ObjectMeta,
        status: Option<Value>,
        metadata: Option<Value>,
        news: Vec<Condition>,
    ) -> Option<Self> {
        Self::new(kind, ApiResource::erase::<K>(&()), meta, status, metadata, news)
    }

    /// A write, if there is anything to write.
    fn new(
        kind: &'static str,
        resource: ApiResource,
        meta: &ObjectMeta,
        status: Option<Value>,
        metadata: Option<Value>,
        news: Vec<Condition>,
    ) -> Option<Self> {
        (status.is_some() || metadata.is_some()).then(|| Self {
            kind,
            resource,
            meta: meta.clone(),
            status,
            metadata,
            news,
        })
    }
}

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Done {
    /// It is written.
    Written,
    /// The object has changed or has gone, or its definition has no status: there is nothing to repeat.
    TooLate,
    /// It is tried again.
    Failed,
}

async fn perform(client: &Client, write: &Write) -> Done {
    let meta = &write.meta;
    let api: Api<DynamicObject> = match &meta.namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &write.resource),
        None => Api::all_with(client.clone(), &write.resource),
    };
    let name = meta.name.clone().unwrap_or_default();
    let params = PatchParams { field_manager: Some(names::CONTROLLER.into()), ..PatchParams::default() };
    let mut version = meta.resource_version.clone();
    // Annotations first: where the status says that a route is served, they say as what.
    if let Some(Value::Object(changes)) = &write.metadata {
        let mut metadata = changes.clone();
        metadata.insert("uid".into(), json!(meta.uid));
        metadata.insert("resourceVersion".into(), json!(version));
        let patch = json!({ "metadata": metadata });
        match api.patch(&name, &params, &Patch::Merge(patch)).await {
            Ok(written) => version = written.metadata.resource_version,
            Err(error) => return report(write, "writing finalizers and annotations", &error),
        }
    }
    if let Some(status) = &write.status {
        // The version makes sure that nothing of another controller's is lost, since lists are replaced whole.
        let patch = json!({
            "metadata": { "uid": meta.uid, "resourceVersion": version },
            "status": status,
        });
        if let Err(error) = api.patch_status(&name, &params, &Patch::Merge(patch)).await {
            return report(write, "writing the status", &error);
        }
    }
    Done::Written
}

/// Logs a failed write, unless it only came too late: the watch brings what is true now.
fn report(write: &Write, what: &str, error: &kube::Error) -> Done {
    let (kind, name) = key(write.kind, &write.meta);
    if answer::came_too_late(error) {
        tracing::debug!(kind, %name, %error, "{what} came too late");
        Done::TooLate
    } else {
        tracing::warn!(kind, %name, %error, "{what} failed and is tried again");
        Done::Failed
    }
}

async fn announce(events: &Events, write: &Write) {
    let (kind, name) = key(write.kind, &write.meta);
    let reference = ObjectReference {
        api_version: Some(write.resource.api_version.clone()),
        kind: Some(write.resource.kind.clone()),
        namespace: write.meta.namespace.clone(),
        name: write.meta.name.clone(),
        uid: write.meta.uid.clone(),
        ..ObjectReference::default()
    };
    for condition in &write.news {
        let well = condition.status == "True" && condition.reason != "ListenersNotValid";
        let (reason, message) = (condition.reason.as_str(), condition.message.as_str());
        if well {
            tracing::info!(kind, %name, condition = condition.type_, reason, message, "judged");
        } else {
            tracing::warn!(kind, %name, condition = condition.type_, reason, message, "judged");
        }
        let event = if well { EventType::Normal } else { EventType::Warning };
        events.tell_reference(&reference, event, "Judge", reason, message).await;
    }
}

#[cfg(test)]
mod tests;
