//! Brings the status of bindings up to date.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use futures::StreamExt as _;
use k8s_openapi::jiff::Timestamp;
use kube::{
    Api, Client,
    api::{Patch, PatchParams},
    runtime::events::EventType,
};
use lath_kubernetes::{TargetGroupBinding, binding::TargetGroupBindingStatus, names, watch::ObjectName};
use lattice::TargetGroupArn;
use runtime::readiness::Readiness;
use serde_json::json;
use tokio::time::Instant;

use super::{
    judge::{self, Case, Reason, Site, Verdict},
    metrics::Metrics,
    status::{self, Findings},
    tally::Tally,
};
use crate::{
    answer,
    cluster::{Cluster, Entry},
    events::Events,
    groups::Groups,
    repair::endpoints,
    shared::Shared,
};

/// How long changes are collected before they are judged. A rolling update touches a binding many times in a moment;
/// nobody notices 20 ms.
const COLLECT: Duration = Duration::from_millis(20);

/// Most writes that are on their way at once.
const WRITES_AT_ONCE: usize = 16;

/// The wait before a failed write is tried again.
const RETRY: Duration = Duration::from_secs(2);

/// How long what was written counts as the status, should the watch not have brought it back yet.
const ECHO: Duration = Duration::from_secs(5);

/// What `/readyz` calls it when groups can't be read.
const HINDRANCE: &str = "reading target groups";

/// How bindings are kept up to date.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What groups have to fit.
    pub site: Arc<Site>,
    /// What hand-made endpoints have to fit.
    pub endpoints: Arc<endpoints::Rules>,
    /// How often numbers of a status are written at most.
    pub numbers_every: Duration,
}

/// What has to be written.
#[derive(Debug)]
struct Write {
    name: ObjectName,
    binding: Arc<TargetGroupBinding>,
    status: TargetGroupBindingStatus,
    /// The finalizer has to be there before agents act.
    add_finalizer: bool,
    /// The verdict is news.
    news: Option<Verdict>,
    numbers: bool,
}

/// Keeps every binding's status up to date.
#[derive(Debug)]
pub struct Sync {
    settings: Settings,
    seen_cluster: u64,
    seen_groups: u64,
    /// What was written and may not have come back, by binding and UID.
    echoes: HashMap<ObjectName, (Option<String>, TargetGroupBindingStatus, Instant)>,
    numbers: HashMap<ObjectName, Instant>,
    due: BTreeMap<ObjectName, Instant>,
    reasons: BTreeMap<ObjectName, (Option<TargetGroupArn>, Reason)>,
}

impl Sync {
    /// Nothing judged yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            seen_cluster: 0,
            seen_groups: 0,
            echoes: HashMap::new(),
            numbers: HashMap::new(),
            due: BTreeMap::new(),
            reasons: BTreeMap::new(),
        }
    }

    /// Judges what has changed or is due, and says what has to be written.
    fn decide(&mut self, cluster: &Cluster, groups: &Groups, now: Instant, wall: Timestamp) -> Vec<Write> {
        let mut writes = Vec::new();
        let (since_cluster, since_groups) = (self.seen_cluster, self.seen_groups);
        self.seen_cluster = cluster.revision();
        self.seen_groups = groups.revision();
        self.echoes.retain(|name, (_, _, at)| now - *at < ECHO && cluster.binding(name).is_some());
        self.numbers.retain(|name, _| cluster.binding(name).is_some());
        self.due.retain(|name, _| cluster.binding(name).is_some());
        self.reasons.retain(|name, _| cluster.binding(name).is_some());
        for (name, entry) in cluster.bindings() {
            let view = entry.group.as_ref().and_then(|group| groups.view(group));
            let concerned = entry.touched > since_cluster
                || view.is_some_and(|view| view.touched > since_groups)
                || self.due.get(name).is_some_and(|due| *due <= now);
            if !concerned || entry.binding.metadata.deletion_timestamp.is_some() {
                continue;
            }
            self.due.remove(name);
            let verdict = verdict(&self.settings.site, cluster, groups, entry);
            self.reasons.insert(name.clone(), (entry.group.clone(), verdict.reason));
            writes.extend(self.write(cluster, groups, name, entry, verdict, now, wall));
        }
        writes
    }

    #[expect(clippy::too_many_arguments, reason = "all that a status follows from")]
    fn write(
        &mut self,
        cluster: &Cluster,
        groups: &Groups,
        name: &ObjectName,
        entry: &Entry,
        verdict: Verdict,
        now: Instant,
        wall: Timestamp,
    ) -> Option<Write> {
        let binding = &entry.binding;
        let view = entry.group.as_ref().and_then(|group| groups.view(group));
        let echo = self.echoes.get(name).filter(|(uid, ..)| *uid == binding.metadata.uid);
        let current =
            echo.map(|(_, status, _)| status.clone()).or_else(|| binding.status.clone()).unwrap_or_default();
        let manual = endpoints::desired(cluster, binding, &self.settings.endpoints);
        let findings = Findings {
            generation: binding.metadata.generation,
            verdict: &verdict,
            policy: binding.spec.readiness.policy,
            group: view.and_then(|view| view.facts.as_ref()).map(|facts| &facts.group),
            tally: Tally::of(cluster.members(binding).map(|(pod, standing)| (&**pod, standing))),
            counts: view.and_then(|view| view.counts),
            refused: &manual.refused,
        };
        let mut desired = status::compose(&current, &findings, wall);
        let calm = status::without_numbers(desired.clone(), &current);
        let numbers = calm != desired;
        if numbers {
            let last = self.numbers.get(name).copied();
            let next = last.map_or(now, |last| last + self.settings.numbers_every);
            if next > now && calm == current {
                self.due.insert(name.clone(), next);
                desired = calm;
            }
        }
        let accepted = verdict.accepted == Some(true);
        // What was accepted a moment ago has the finalizer, even if the watch has not brought it yet.
        let echoed = echo.is_some_and(|(_, status, _)| {
            let mut conditions = status.conditions.iter();
            conditions.any(|condition| condition.type_ == names::ACCEPTED && condition.status == "True")
        });
        let add_finalizer = accepted && !echoed && !has_finalizer(binding);
        if desired == current && !add_finalizer {
            return None;
        }
        let before = current
            .conditions
            .iter()
            .find(|condition| condition.type_ == names::ACCEPTED)
            .map(|condition| condition.reason.as_str());
        let news = before != Some(verdict.reason.as_str()) && verdict.reason != Reason::Pending;
        Some(Write {
            name: name.clone(),
            binding: binding.clone(),
            status: desired,
            add_finalizer,
            news: news.then_some(verdict),
            numbers,
        })
    }

    /// Groups that bindings are refused for, and whether that has to be told to whoever reads groups.
    fn doubts(&self, groups: &Groups) -> Vec<(TargetGroupArn, bool)> {
        let mut doubted: BTreeMap<&TargetGroupArn, bool> = BTreeMap::new();
        for (group, reason) in self.reasons.values() {
            if let Some(group) = group {
                *doubted.entry(group).or_default() |= reason.is_of_group();
            }
        }
        doubted
            .into_iter()
            .filter(|(group, doubt)| groups.view(group).is_some() && groups.doubted(group) != *doubt)
            .map(|(group, doubt)| (group.clone(), doubt))
            .collect()
    }

    /// Lists on `/readyz` that groups can't be read for want of a right or of credentials. The controller stays ready:
    /// other groups go on, and an upgrade may be what mends it.
    fn show_hindrance(&self, readiness: &Readiness) {
        let hindered = |reason: Reason| matches!(reason, Reason::AccessDenied | Reason::NoCredentials);
        let mut bindings = self.reasons.iter().filter(|(_, (_, reason))| hindered(*reason));
        match bindings.next() {
            Some((name, (_, reason))) => {
                let more = bindings.count();
                let why =
                    format!("{} for {name} and {more} more: see its condition Accepted", reason.as_str());
                readiness.degrade(HINDRANCE, why);
            }
            None => readiness.restore(HINDRANCE),
        }
    }

    fn wrote(&mut self, write: Write, done: bool, now: Instant) {
        if !done {
            self.due.insert(write.name, now + RETRY);
            return;
        }
        if write.numbers {
            self.numbers.insert(write.name.clone(), now);
        }
        let uid = write.binding.metadata.uid.clone();
        self.echoes.insert(write.name, (uid, write.status, now));
    }
}

/// The verdict on a binding, its rivals considered.
#[must_use]
pub fn verdict(site: &Site, cluster: &Cluster, groups: &Groups, entry: &Entry) -> Verdict {
    let alone = alone(site, cluster, groups, entry);
    let (Some(true), Some(group)) = (alone.accepted, &entry.group) else {
        return alone;
    };
    let rivals = cluster.bindings_of(group).filter(|rival| {
        rival.binding.metadata.uid != entry.binding.metadata.uid
            && rival.binding.metadata.deletion_timestamp.is_none()
            && self::alone(site, cluster, groups, rival).accepted == Some(true)
    });
    judge::conflict(&entry.binding, rivals.map(|rival| &*rival.binding)).unwrap_or(alone)
}

fn alone(site: &Site, cluster: &Cluster, groups: &Groups, entry: &Entry) -> Verdict {
    judge::judge(
        site,
        Case {
            binding: &entry.binding,
            service: cluster.service_of(&entry.binding).map(|service| &**service),
            group: entry.group.as_ref(),
            view: entry.group.as_ref().and_then(|group| groups.view(group)),
        },
    )
}

fn has_finalizer(binding: &TargetGroupBinding) -> bool {
    binding.metadata.finalizers.iter().flatten().any(|finalizer| finalizer == names::FINALIZER)
}

/// Keeps every binding's status up to date, for ever.
pub async fn run(
    mut sync: Sync,
    cluster: Arc<Shared<Cluster>>,
    groups: Arc<Shared<Groups>>,
    client: Client,
    events: Events,
    readiness: Readiness,
    metrics: Metrics,
) {
    let mut cluster_changes = cluster.subscribe();
    let mut group_changes = groups.subscribe();
    loop {
        cluster_changes.borrow_and_update();
        group_changes.borrow_and_update();
        let now = Instant::now();
        let (writes, doubts) = {
            let cluster = cluster.read();
            let groups = groups.read();
            if cluster.complete() {
                let writes = sync.decide(&cluster, &groups, now, Timestamp::now());
                metrics.show(sync.reasons.values().map(|(_, reason)| *reason));
                (writes, sync.doubts(&groups))
            } else {
                (Vec::new(), Vec::new())
            }
        };
        sync.show_hindrance(&readiness);
        if !doubts.is_empty() {
            groups.update(|groups| {
                for (group, doubted) in doubts {
                    groups.doubt(&group, doubted, now);
                }
            });
        }
        let mut written = futures::stream::iter(writes)
            .map(|write| {
                let (client, events) = (client.clone(), events.clone());
                async move {
                    let done = perform(&client, &write).await;
                    if done && let Some(news) = &write.news {
                        announce(&events, &write.binding, news).await;
                    }
                    (write, done)
                }
            })
            .buffer_unordered(WRITES_AT_ONCE);
        while let Some((write, done)) = written.next().await {
            metrics.wrote(done);
            sync.wrote(write, done, Instant::now());
        }
        let next = sync.due.values().min().copied();
        let idle = async {
            match next {
                Some(due) => tokio::time::sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = idle => {}
            changed = cluster_changes.changed() => {
                if changed.is_err() { return }
                tokio::time::sleep(COLLECT).await;
            }
            changed = group_changes.changed() => if changed.is_err() { return },
        }
    }
}

async fn perform(client: &Client, write: &Write) -> bool {
    let name = &write.name;
    let api: Api<TargetGroupBinding> = Api::namespaced(client.clone(), &name.namespace);
    let params = PatchParams { field_manager: Some(names::CONTROLLER.into()), ..PatchParams::default() };
    let meta = &write.binding.metadata;
    if write.add_finalizer {
        let mut finalizers = meta.finalizers.clone().unwrap_or_default();
        finalizers.push(names::FINALIZER.into());
        // The version makes sure that no finalizer of somebody else is lost.
        let patch = json!({ "metadata": {
            "uid": meta.uid,
            "resourceVersion": meta.resource_version,
            "finalizers": finalizers,
        }});
        if let Err(error) = api.patch(&name.name, &params, &Patch::Merge(patch)).await {
            return report(name, "adding the finalizer", &error);
        }
    }
    let patch = status::patch(meta.uid.as_deref().unwrap_or_default(), &write.status);
    match api.patch_status(&name.name, &params, &Patch::Merge(patch)).await {
        Ok(_) => true,
        Err(error) => report(name, "writing the status", &error),
    }
}

/// Logs a failed write, unless it only came too late: the watch brings what is true now.
fn report(name: &ObjectName, what: &str, error: &kube::Error) -> bool {
    if answer::came_too_late(error) {
        tracing::debug!(binding = %name, %error, "{what} came too late");
    } else {
        tracing::warn!(binding = %name, %error, "{what} failed and is tried again");
    }
    false
}

async fn announce(events: &Events, binding: &TargetGroupBinding, verdict: &Verdict) {
    let kind = match verdict.accepted {
        Some(true) => EventType::Normal,
        _ => EventType::Warning,
    };
    let name = ObjectName::of(binding);
    let (reason, message) = (verdict.reason.as_str(), verdict.message.as_str());
    match kind {
        EventType::Normal => tracing::info!(binding = %name, reason, message, "judged"),
        EventType::Warning => tracing::warn!(binding = %name, reason, message, "judged"),
    }
    events.tell(binding, kind, "Judge", verdict.reason.as_str(), &verdict.message).await;
}

#[cfg(test)]
mod tests;
