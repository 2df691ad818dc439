//! Fills directories of Cloud Map: with the ready pods of the Services that TCPRoutes and UDPRoutes lead to, or with the name
//! of a service.
//!
//! This is the only part of the Gateway pipeline that looks at pods, and no change of a pod touches a route. What is in a
//! directory is read once, and again with each audit; between, it is known from the calls that were made.

mod fill;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::{BuildHasher as _, Hasher as _, RandomState},
    sync::Arc,
    time::Duration,
};

use futures::StreamExt as _;
use lattice::{
    id::DirectoryId,
    resource::{ADDRESSES_PER_ANSWER, Entry, ResourceKey, ResourceKind, ResourceSpec},
    service::Desired,
};
use lattice_client::{Client, Error, Urgency};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};
use tokio::{sync::watch, task::JoinSet, time::Instant};

use fill::Fill;

use super::engine::Progress;
use crate::{cluster::Cluster, random::Random, shared::Shared};

/// How long changes are collected, so that a rollout's pods go out together.
const COLLECT: Duration = Duration::from_millis(100);

/// Most calls at once for a directory.
const CALLS_AT_ONCE: usize = 8;

/// Most directories at once. What finds no room has its turn when another is answered.
const DIRECTORIES_AT_ONCE: usize = 16;

/// The first wait after a failure, and the longest.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

/// What those who write statuses should know of directories.
pub type Notes = BTreeMap<ResourceKey, Note>;

/// What is worth a note about a directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Note {
    /// Whether it has more instances than an answer holds.
    pub crowded: bool,
    /// Whether nothing is in it.
    pub empty: bool,
    /// Why it can't be filled. It is tried again.
    pub trouble: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ChangeLabels {
    action: &'static str,
    /// `ok`, or a label of [`lattice_client::Error`].
    result: &'static str,
}

/// Counts what is in directories.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    instances: Gauge,
    failing: Gauge,
    changes: Family<ChangeLabels, Counter>,
}

impl Metrics {
    /// Metrics in `registry`.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "directory_instances",
            "Pods of TCPRoutes and UDPRoutes, and services, that are published in Cloud Map",
            metrics.instances.clone(),
        );
        registry.register(
            "directories_failing",
            "Services of Cloud Map that could not be read or filled last",
            metrics.failing.clone(),
        );
        registry.register(
            "directory_changes",
            "Pods and services that were published in Cloud Map, or taken out, by result",
            metrics.changes.clone(),
        );
        // Series exist from the start, so that their first increase is seen.
        for action in ["register", "deregister"] {
            drop(metrics.changes.get_or_create(&ChangeLabels { action, result: "ok" }));
        }
        metrics
    }

    fn changed(&self, action: &'static str, error: Option<&Error>) {
        let result = error.map_or("ok", Error::label);
        self.changes.get_or_create(&ChangeLabels { action, result }).inc();
    }
}

/// What fills directories goes by.
#[derive(Debug)]
pub struct Filler {
    /// The cluster, for its pods and Services.
    pub cluster: Arc<Shared<Cluster>>,
    /// Which directories there are.
    pub progress: Arc<Shared<Progress>>,
    /// What should be in them.
    pub desired: watch::Receiver<Option<Arc<Desired>>>,
    /// Cloud Map.
    pub client: Client,
    /// How often directories are read again; `None`: never.
    pub audit_period: Option<Duration>,
    /// What is worth a note about each.
    pub notes: Arc<Shared<Notes>>,
    /// What it does.
    pub metrics: Metrics,
}

/// What should be in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Contents {
    key: ResourceKey,
    fill: Fill,
}

/// What is known of a directory.
#[derive(Debug, Default)]
struct Known {
    /// What should be in it; `None`: that is not known, since it was held when this process began to lead.
    contents: Option<Contents>,
    /// What is in it, once it was read.
    holds: Option<BTreeMap<String, Option<Entry>>>,
    /// When it is to be read again.
    audit: Option<Instant>,
    busy: bool,
    failures: u32,
    until: Option<Instant>,
    trouble: Option<String>,
    /// Since when pods are being deleted.
    leaving: HashMap<String, Instant>,
}

/// What is to be done about a directory.
#[derive(Debug)]
enum Duty {
    Read,
    Change { register: Vec<(String, Entry)>, deregister: Vec<String> },
}

/// What a task has brought.
#[derive(Debug)]
enum Answer {
    Read(Result<BTreeMap<String, Option<Entry>>, Error>),
    Changed(Vec<(String, Option<Entry>)>, Option<Error>),
}

impl Known {
    /// What is to be done now, if anything is.
    fn duty(&mut self, cluster: &Cluster, now: Instant, next: &mut Option<Instant>) -> Option<Duty> {
        let mut wake = |at: Instant| *next = Some(next.map_or(at, |next| next.min(at)));
        if self.busy {
            return None;
        }
        if let Some(until) = self.until.filter(|until| *until > now) {
            wake(until);
            return None;
        }
        match self.audit {
            Some(at) if at <= now => return Some(Duty::Read),
            Some(at) => wake(at),
            None => {}
        }
        let Some(holds) = &self.holds else { return Some(Duty::Read) };
        let Some(contents) = &self.contents else {
            // What it was made for is not known, but that no pod that has gone belongs into it is.
            let stays = |id: &String, entry: &Option<Entry>| match entry {
                Some(Entry::Instance(instance)) => {
                    cluster.pods_at(instance.address).any(|pod| pod.uid == *id)
                }
                Some(Entry::Alias(_)) => true,
                None => false,
            };
            let left = holds.iter().filter(|(id, entry)| !stays(id, entry));
            let deregister: Vec<String> = left.map(|(id, _)| id.clone()).collect();
            return (!deregister.is_empty()).then_some(Duty::Change { register: Vec::new(), deregister });
        };
        let (wanted, then) = contents.fill.wanted(cluster, &mut self.leaving, now)?;
        if let Some(then) = then {
            wake(then);
        }
        let deregister: Vec<String> = holds.keys().filter(|id| !wanted.contains_key(*id)).cloned().collect();
        let lacks = |(id, entry): &(String, Entry)| {
            holds.get(id).and_then(Option::as_ref).is_none_or(|held| held != entry)
        };
        let register: Vec<_> = wanted.into_iter().filter(lacks).collect();
        (!register.is_empty() || !deregister.is_empty()).then_some(Duty::Change { register, deregister })
    }

    fn failed(&mut self, error: &Error, now: Instant, fraction: f64) {
        let wait = FIRST.saturating_mul(1 << self.failures.min(10)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        self.until = Some(now + wait.mul_f64(0.75 + 0.25 * fraction));
        // The pacer sees to throttling.
        if !matches!(error, Error::Throttled { .. }) || self.failures > 3 {
            self.trouble = Some(error.chain());
        }
    }

    fn succeeded(&mut self) {
        (self.failures, self.until, self.trouble) = (0, None, None);
    }

    fn note(&self) -> Note {
        let count = self.holds.as_ref().map(BTreeMap::len);
        Note {
            crowded: count.is_some_and(|count| count > ADDRESSES_PER_ANSWER),
            empty: count == Some(0),
            trouble: self.trouble.clone(),
        }
    }
}

impl Filler {
    /// Fills directories, for ever.
    pub async fn run(mut self) {
        let mut cluster_changes = self.cluster.subscribe();
        let mut progress_changes = self.progress.subscribe();
        let mut known: BTreeMap<DirectoryId, Known> = BTreeMap::new();
        let mut tasks: JoinSet<(DirectoryId, Answer)> = JoinSet::new();
        let mut random = Random::default();
        let seed = RandomState::new().build_hasher().finish();
        let mut tokens = 0_u64;
        loop {
            cluster_changes.borrow_and_update();
            progress_changes.borrow_and_update();
            let desired = self.desired.borrow_and_update().clone();
            if let Some(desired) = desired {
                self.learn(&mut known, &desired);
            }
            let mut next = None;
            for (id, duty) in self.duties(&mut known, tasks.len(), &mut next) {
                tokens += 1;
                let client = self.client.clone();
                let (metrics, token) = (self.metrics.clone(), format!("{seed:016x}{tokens:x}"));
                tasks.spawn(async move {
                    let answer = perform(&client, &metrics, &id, duty, &token).await;
                    (id, answer)
                });
            }
            self.tell(&known);
            let idle = async {
                match next {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Some(answer) = tasks.join_next() => {
                    match answer {
                        Ok((id, answer)) => {
                            if let Some(known) = known.get_mut(&id) {
                                self.take(&id, known, answer, random.fraction());
                            }
                        }
                        // Which directory it was about is lost with it, so all are read anew.
                        Err(error) => {
                            tracing::error!(%error, "filling a directory ended without an answer");
                            known.clear();
                            tasks.shutdown().await;
                        }
                    }
                }
                () = idle => {}
                changed = cluster_changes.changed() => {
                    if changed.is_err() { return }
                    tokio::time::sleep(COLLECT).await;
                }
                changed = progress_changes.changed() => if changed.is_err() { return },
                changed = self.desired.changed() => if changed.is_err() { return },
            }
        }
    }

    /// Takes in which directories there are, and what should be in them.
    fn learn(&self, known: &mut BTreeMap<DirectoryId, Known>, desired: &Desired) {
        let progress = self.progress.read();
        let mut there: BTreeSet<DirectoryId> = progress.held_directories.clone();
        for (key, is) in progress.resources.iter().filter(|(key, _)| key.kind == ResourceKind::Directory) {
            let id = is.resource.as_ref().and_then(|resource| resource.directory.clone());
            let Some((id, ResourceSpec::Directory(spec))) = id.zip(desired.resources.get(key)) else {
                continue;
            };
            let contents = Contents { key: key.clone(), fill: Fill::of(spec, &progress) };
            there.insert(id.clone());
            let it = known.entry(id).or_default();
            if it.contents.as_ref() != Some(&contents) {
                it.contents = Some(contents);
                it.succeeded();
            }
        }
        known.retain(|id, _| there.contains(id));
        for id in there {
            known.entry(id).or_default();
        }
    }

    fn duties(
        &self,
        known: &mut BTreeMap<DirectoryId, Known>,
        under_way: usize,
        next: &mut Option<Instant>,
    ) -> Vec<(DirectoryId, Duty)> {
        let cluster = self.cluster.read();
        if !cluster.complete() {
            return Vec::new();
        }
        let now = Instant::now();
        let mut duties = Vec::new();
        for (id, it) in known {
            if under_way + duties.len() >= DIRECTORIES_AT_ONCE {
                break;
            }
            if let Some(duty) = it.duty(&cluster, now, next) {
                it.busy = true;
                duties.push((id.clone(), duty));
            }
        }
        duties
    }

    fn take(&self, id: &DirectoryId, known: &mut Known, answer: Answer, fraction: f64) {
        known.busy = false;
        let now = Instant::now();
        match answer {
            Answer::Read(Ok(holds)) => {
                known.holds = Some(holds);
                known.audit = self.audit_period.map(|period| now + period.mul_f64(0.5 + 0.5 * fraction));
                known.succeeded();
            }
            Answer::Read(Err(error)) => {
                tracing::warn!(directory = %id, error = error.chain(), "reading a directory failed and is tried again");
                known.failed(&error, now, fraction);
            }
            Answer::Changed(done, failed) => {
                // Where it is to be read anew, what else is in it is not known.
                if let Some(holds) = &mut known.holds {
                    for (instance, is) in done {
                        match is {
                            Some(is) => drop(holds.insert(instance, Some(is))),
                            None => drop(holds.remove(&instance)),
                        }
                    }
                }
                let Some(error) = failed else { return known.succeeded() };
                tracing::warn!(directory = %id, error = error.chain(), "filling a directory failed and is tried again");
                if error.may_have_applied() {
                    known.holds = None;
                }
                known.failed(&error, now, fraction);
            }
        }
    }

    fn tell(&self, known: &BTreeMap<DirectoryId, Known>) {
        let count: usize = known.values().filter_map(|it| it.holds.as_ref()).map(BTreeMap::len).sum();
        self.metrics.instances.set(i64::try_from(count).unwrap_or(i64::MAX));
        let failing = known.values().filter(|it| it.trouble.is_some()).count();
        self.metrics.failing.set(i64::try_from(failing).unwrap_or(i64::MAX));
        let with_key = known.values().filter_map(|it| Some((it.contents.as_ref()?.key.clone(), it.note())));
        let notes: Notes = with_key.filter(|(_, note)| *note != Note::default()).collect();
        if *self.notes.read() != notes {
            self.notes.update(|shown| *shown = notes);
        }
    }
}

async fn perform(client: &Client, metrics: &Metrics, id: &DirectoryId, duty: Duty, token: &str) -> Answer {
    let (register, deregister) = match duty {
        Duty::Read => return Answer::Read(client.instances(id, Urgency::Change).await),
        Duty::Change { register, deregister } => (register, deregister),
    };
    let changes = register.into_iter().map(|(instance, entry)| (instance, Some(entry)));
    let changes = changes.chain(deregister.into_iter().map(|instance| (instance, None)));
    let calls = changes.enumerate().map(|(number, (instance, entry))| async move {
        let result = match &entry {
            Some(entry) => client.register_instance(id, &instance, entry, &format!("{token}-{number}")).await,
            None => match client.deregister_instance(id, &instance).await {
                Err(Error::Missing { .. }) => Ok(()),
                result => result,
            },
        };
        let action = if entry.is_some() { "register" } else { "deregister" };
        metrics.changed(action, result.as_ref().err());
        (instance, entry, result)
    });
    let mut answers = futures::stream::iter(calls).buffer_unordered(CALLS_AT_ONCE);
    let (mut done, mut failed) = (Vec::new(), None);
    while let Some((instance, entry, result)) = answers.next().await {
        match result {
            Ok(()) => done.push((instance, entry)),
            // What nobody knows the outcome of is the graver one.
            Err(error) if failed.is_none() || error.may_have_applied() => failed = Some(error),
            Err(_) => {}
        }
    }
    Answer::Changed(done, failed)
}

#[cfg(test)]
mod tests;
