//! The pipeline's task: takes changes in, decides, starts calls, takes their results in.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::Duration,
};

use futures::FutureExt as _;
use kube::{Api, Client};
use lath_kubernetes::{
    NodeTargets, Service,
    node_targets::{NodeTargetsSpec, Writer},
    watch::{Change, ObjectName},
};
use lattice::{Target, TargetGroupArn, TargetState};
use lattice_client::{Error, Outcome};
use runtime::readiness::{BlockReady, Readiness};
use tokio::{sync::watch as channel, task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{
    desired::{Members, PodRef},
    events::Events,
    group::{Group, Hold, Notice, Step, Terms},
    journal::Journal,
    lease,
    lookup::{self, Question},
    metrics::{Anomaly, Direction, Metrics},
    news::{News, Renewals},
    observed::{Dirty, Input, Kind, Observed},
    record,
    status::{GroupStatus, Status, TargetStatus},
    watch::Watches,
};

/// A relist that would drop more than half of at least this many targets is held until a second list confirms it.
const MANY_TARGETS: usize = 10;

/// How long to wait before the list that confirms.
const CONFIRM_AFTER: Duration = Duration::from_secs(1);

/// Longest time for a request whose connection may be dead.
const REQUEST: Duration = Duration::from_secs(10);

/// Most changes taken in before calls are started again, so that a flood of changes delays no call for long.
const CHANGES_AT_ONCE: usize = 512;

/// How long after its last sign trouble counts as over.
const TROUBLE_LASTS: Duration = Duration::from_secs(60);

/// How long calls in flight may take to end when the agent is asked to stop.
const STOP_WITHIN: Duration = Duration::from_secs(2);

/// How the pipeline is set.
#[derive(Debug, Clone)]
pub struct Settings {
    /// This node.
    pub node: String,
    /// The boot id of this node.
    pub boot_id: String,
    /// Where the journal is.
    pub journal: PathBuf,
    /// Least time between two calls of a group in one direction, in which changes gather.
    pub gather: Duration,
    /// The Lease, but for what the pipeline finds out itself.
    pub lease: lease::Settings,
}

/// What the pipeline is connected to.
#[derive(Clone)]
pub struct Links {
    /// Kubernetes.
    pub kubernetes: Client,
    /// VPC Lattice.
    pub lattice: lattice_client::Client,
    /// What `/readyz` shows.
    pub readiness: Readiness,
    /// What `/metrics` shows.
    pub metrics: Metrics,
    /// What `/statusz` shows.
    pub status: channel::Sender<Status>,
}

/// A call that ended.
enum Ended {
    Registered(TargetGroupArn, Vec<Target>, Result<Outcome, Error>),
    Deregistered(TargetGroupArn, Vec<Target>, Result<Outcome, Error>),
    Verified(TargetGroupArn, Vec<Target>, Result<Vec<TargetState>, Error>),
    LookedUp(TargetGroupArn, Vec<Target>, Vec<Option<bool>>),
}

/// Runs the pipeline until `shutdown`. Deregisters nothing when it stops: whoever replaces this agent goes on.
pub async fn run(settings: Settings, links: Links, shutdown: CancellationToken) {
    let waiting = links.readiness.wait_for("the first lists of pods, Services and TargetGroupBindings");
    let (journal, memory) = Journal::open(&settings.journal, &settings.boot_id);
    let remembers =
        memory.as_ref().is_some_and(|memory| !memory.damaged && memory.boot_id == settings.boot_id);

    let (record, records) = channel::channel(None);
    let (health, health_seen) = channel::channel("ok".to_owned());
    let (lease, standing) = channel::channel(lease::Standing {
        epoch: 0,
        trusted_until: None,
        continued: false,
        renewals: Renewals::default(),
    });
    let lease_settings = lease::Settings { remembers, ..settings.lease.clone() };
    tokio::spawn(lease::keep(links.kubernetes.clone(), lease_settings, health_seen, lease, shutdown.clone()));

    let watches = Watches::new(links.kubernetes.clone(), &settings.node);
    let recorded = tokio::select! {
        recorded = recorded(&links.kubernetes, &settings.node) => recorded,
        () = shutdown.cancelled() => return,
    };
    // Only now, so that the record of before has been read when it is overwritten.
    tokio::spawn(record::write(links.kubernetes.clone(), settings.node.clone(), records, shutdown.clone()));

    let events = Events::start(links.kubernetes.clone(), &settings.node, links.metrics.clone());
    let mut pipeline = Pipeline {
        settings,
        links,
        watches,
        standing,
        journal,
        record,
        health,
        events,
        observed: Observed::default(),
        members: BTreeMap::new(),
        decide_at: BTreeMap::new(),
        remembers,
        groups: BTreeMap::new(),
        wake_at: BTreeMap::new(),
        calls: JoinSet::new(),
        dirty: Dirty::default(),
        news: News::default(),
        touched: BTreeSet::new(),
        changed: true,
        epoch: 0,
        confirming: BTreeMap::new(),
        waiting: Some(waiting),
        told: BTreeMap::new(),
    };
    pipeline.restore(memory.unwrap_or_default(), recorded.unwrap_or_default(), remembers);
    pipeline.run(shutdown).await;
}

/// What the cluster has on record of this node. Tried until the API server answers, since without it there are no pods
/// to register either.
async fn recorded(client: &Client, node: &str) -> Option<NodeTargetsSpec> {
    let api: Api<NodeTargets> = Api::all(client.clone());
    let mut wait = Duration::from_millis(100);
    let mut failing = false;
    loop {
        let answer = tokio::time::timeout(REQUEST, api.get_opt(node)).await;
        match answer.unwrap_or_else(|elapsed| Err(kube::Error::Service(elapsed.into()))) {
            Ok(found) => return found.map(|object| object.spec),
            // Something that is not a NodeTargets, or not one that this version reads: nothing to go by.
            Err(kube::Error::SerdeError(error)) => {
                tracing::warn!(node, %error, "NodeTargets can't be read and will be written anew");
                return None;
            }
            Err(error) => {
                if !failing {
                    tracing::warn!(node, %error, "reading NodeTargets failed, trying again. Is the API server reachable, and are Lath's custom resource definitions installed?");
                }
                failing = true;
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(Duration::from_secs(5));
            }
        }
    }
}

struct Pipeline {
    settings: Settings,
    links: Links,
    watches: Watches,
    standing: channel::Receiver<lease::Standing>,
    journal: Journal,
    record: channel::Sender<Option<NodeTargetsSpec>>,
    health: channel::Sender<String>,
    events: Events,
    observed: Observed,
    members: BTreeMap<ObjectName, Members>,
    /// When to decide a binding again although nothing changed.
    decide_at: BTreeMap<ObjectName, Instant>,
    /// The journal was whole and of this boot, so what it says is believed.
    remembers: bool,
    groups: BTreeMap<TargetGroupArn, Group>,
    /// When to look at a group again although nothing changed.
    wake_at: BTreeMap<TargetGroupArn, Instant>,
    /// Bounded: per group one call of each kind.
    calls: JoinSet<Ended>,
    dirty: Dirty,
    /// How old what was heard of pods since the last decision may be.
    news: News,
    /// Groups to look at now.
    touched: BTreeSet<TargetGroupArn>,
    /// What is published may have changed.
    changed: bool,
    epoch: i64,
    /// Watches whose list is being confirmed by a second one, and when that is begun.
    confirming: BTreeMap<Kind, Option<Instant>>,
    waiting: Option<BlockReady>,
    /// Troubles that the log has named, by label, and when they were seen last.
    told: BTreeMap<&'static str, Instant>,
}

impl Pipeline {
    /// Takes over what was registered before: from the journal where it is whole and of this boot, else from the record
    /// in the cluster, and from the latter also what the controller registered in the agent's place.
    fn restore(&mut self, memory: super::journal::Memory, mut recorded: NodeTargetsSpec, remembers: bool) {
        let now = Instant::now();
        let mut targets = memory.targets;
        // The agent's own record follows its journal, and may be behind.
        if remembers && recorded.writer == Writer::Agent {
            recorded.groups.clear();
        }
        for group in recorded.groups {
            let Ok(arn) = group.arn.parse::<TargetGroupArn>() else {
                continue;
            };
            for target in group.targets {
                let Ok(address) = target.address.parse() else {
                    continue;
                };
                let pod = PodRef { uid: target.pod_uid.into(), name: target.pod.into() };
                // The journal is written before the call and the record after it.
                let key = (arn.clone(), Target { address, port: target.port });
                let known =
                    targets.entry(key).or_insert((pod, if remembers { Hold::Maybe } else { Hold::Yes }));
                if known.1 == Hold::Nothing && !remembers {
                    known.1 = Hold::Maybe;
                }
            }
        }
        for ((arn, target), (pod, hold)) in targets {
            self.groups.entry(arn.clone()).or_default().restore(target, pod, hold, now);
            self.touched.insert(arn);
        }
        if !remembers {
            self.doubt();
        }
        self.rewrite_journal();
    }

    fn doubt(&mut self) {
        for (arn, group) in &mut self.groups {
            group.doubt();
            self.touched.insert(arn.clone());
        }
    }

    async fn run(&mut self, shutdown: CancellationToken) {
        loop {
            let wake = self.next_wake();
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                Some(ended) = self.calls.join_next() => self.take_in(ended),
                input = self.watches.next() => self.receive(input),
                Ok(()) = self.standing.changed() => self.follow_lease(),
                () = sleep_until(wake) => {}
            }
            for _ in 0..CHANGES_AT_ONCE {
                if let Some(ended) = self.calls.try_join_next() {
                    self.take_in(ended);
                } else if let Some(input) = self.watches.next().now_or_never() {
                    self.receive(input);
                } else {
                    break;
                }
            }
            self.confirm();
            self.decide();
            self.start_calls();
            self.publish();
        }
        // What is in flight gets to write its answer down; what does not end in time is looked at by the next agent.
        let stopped = async {
            while let Some(ended) = self.calls.join_next().await {
                self.take_in(ended);
            }
        };
        if tokio::time::timeout(STOP_WITHIN, stopped).await.is_err() {
            tracing::warn!(
                "calls were still running when the agent stopped; they are looked at after its restart"
            );
        }
    }

    fn next_wake(&self) -> Option<Instant> {
        let confirming = self.confirming.values().flatten();
        // A Lease that becomes stale stops deregistrations, which is known when one comes up; nothing to wake for.
        let waits = self.decide_at.values().chain(self.wake_at.values()).chain(confirming);
        waits.copied().chain(self.journal.retry_at()).min()
    }

    /// Takes a change in, unless it is a list that looks like a mistake.
    fn receive(&mut self, input: Input) {
        let kind = match &input {
            Input::Pods(..) => Kind::Pods,
            Input::Services(_) => Kind::Services,
            Input::Bindings(_) => Kind::Bindings,
        };
        if let Some(begun) = self.confirming.get(&kind) {
            // Changes that follow the list in question mean nothing; the second list holds them.
            if begun.is_some() {
                return;
            }
        }
        if is_snapshot(&input) && self.confirming.remove(&kind).is_none() {
            let (lost, of) = self.lost_by(&input);
            if of >= MANY_TARGETS && lost * 2 > of {
                tracing::warn!(
                    ?kind,
                    lost,
                    of,
                    "a list would drop most of this node's targets; a second one has to confirm it first"
                );
                self.links.metrics.anomaly(Anomaly::HeldRelist);
                self.confirming.insert(kind, Some(Instant::now() + CONFIRM_AFTER));
                return;
            }
        }
        self.hear(&input);
        self.observed.apply(input, &mut self.dirty, &self.links.metrics);
        if self.observed.is_complete() && self.waiting.take().is_some() {
            tracing::info!(
                pods = self.observed.pods.len(),
                services = self.observed.services.len(),
                bindings = self.observed.bindings.len(),
                "Kubernetes has been read"
            );
        }
    }

    /// Notes how old a change of pods may be.
    fn hear(&mut self, input: &Input) {
        match input {
            Input::Pods(Change::Applied(_) | Change::Deleted(_), version) => {
                self.news.hear(self.standing.borrow().renewals.not_before(*version));
            }
            // What happened between two lists may have happened at any time.
            Input::Pods(Change::Snapshot { .. } | Change::Gone(_), _) => self.news.hear(None),
            _ => {}
        }
    }

    /// How many targets a list would drop, and of how many.
    fn lost_by(&self, input: &Input) -> (usize, usize) {
        let owned = self.groups.iter().flat_map(|(arn, group)| group.owned().map(move |owned| (arn, owned)));
        let owned = owned.filter(|(_, owned)| owned.hold != Hold::Nothing);
        match input {
            Input::Pods(Change::Snapshot { objects, .. }, _) => {
                let uids: BTreeSet<&str> = objects.iter().map(|pod| pod.uid.as_str()).collect();
                let (mut lost, mut of) = (0, 0);
                for (_, owned) in owned {
                    of += 1;
                    lost += usize::from(!uids.contains(&*owned.pod.uid));
                }
                (lost, of)
            }
            Input::Bindings(Change::Snapshot { objects, invalid }) => {
                let arns: BTreeSet<&str> =
                    objects.iter().map(|binding| binding.spec.target_group.arn.as_str()).collect();
                let (mut lost, mut of) = (0, 0);
                for (arn, _) in owned {
                    of += 1;
                    lost += usize::from(invalid.is_empty() && !arns.contains(arn.as_str()));
                }
                (lost, of)
            }
            Input::Services(Change::Snapshot { objects, .. }) => {
                let names: BTreeSet<ObjectName> = objects.iter().map(Service::object_name).collect();
                let kept: BTreeSet<&TargetGroupArn> = self
                    .observed
                    .bindings
                    .values()
                    .filter(|binding| {
                        names.contains(&ObjectName {
                            namespace: binding.namespace.clone(),
                            name: binding.service.clone(),
                        })
                    })
                    .map(|binding| &binding.group)
                    .collect();
                let (mut lost, mut of) = (0, 0);
                for (arn, _) in owned {
                    of += 1;
                    lost += usize::from(!kept.contains(arn));
                }
                // Before the first list of bindings nothing can be told; they will be judged when they come.
                if self.observed.bindings.is_empty() { (0, of) } else { (lost, of) }
            }
            _ => (0, 0),
        }
    }

    /// Begins the second lists that are due.
    fn confirm(&mut self) {
        let now = Instant::now();
        for (kind, begin) in &mut self.confirming {
            if begin.is_some_and(|begin| begin <= now) {
                *begin = None;
                self.watches.restart(*kind);
            }
        }
    }

    fn follow_lease(&mut self) {
        let standing = *self.standing.borrow_and_update();
        if standing.epoch != self.epoch {
            // Before its first Lease an agent has doubted everything already, unless it believed its journal.
            if self.epoch != 0 || self.remembers && !standing.continued {
                tracing::warn!(
                    epoch = standing.epoch,
                    "the Lease had lapsed, so everything is registered again in case others acted meanwhile"
                );
                self.doubt();
            }
            self.epoch = standing.epoch;
            self.links.metrics.epoch(standing.epoch);
            self.changed = true;
        }
        // Deregistrations may have been waiting for it.
        self.touched.extend(self.groups.keys().cloned());
    }

    /// Decides anew what the groups should hold, for all bindings that something has happened to.
    fn decide(&mut self) {
        if !self.observed.is_complete() {
            return;
        }
        let now = Instant::now();
        let news = std::mem::take(&mut self.news);
        let due: BTreeSet<ObjectName> =
            self.decide_at.iter().filter(|(_, at)| **at <= now).map(|(name, _)| name.clone()).collect();
        if self.dirty.is_empty() && due.is_empty() {
            return;
        }
        // Who leaves because of the time that has passed may have become ready unnoticed, so Kubernetes is asked first.
        let safe_until =
            if due.is_empty() { news.safe_until(&self.standing.borrow().renewals, now) } else { now };
        let dirty = std::mem::take(&mut self.dirty);
        let mut groups = BTreeSet::new();
        let mut unknown = BTreeSet::new();
        let gone: Vec<ObjectName> =
            self.members.keys().filter(|name| !self.observed.bindings.contains_key(*name)).cloned().collect();
        for name in gone {
            self.members.remove(&name);
            self.decide_at.remove(&name);
        }
        for (name, binding) in &self.observed.bindings {
            if !dirty.covers(&name.namespace) && !due.contains(name) {
                continue;
            }
            let service = ObjectName { namespace: binding.namespace.clone(), name: binding.service.clone() };
            if self.observed.unread_services.contains(&service) {
                unknown.insert(binding.group.clone());
                continue;
            }
            let held = self.groups.get(&binding.group);
            let again = self.members.entry(name.clone()).or_default().decide(
                binding,
                self.observed.services.get(&service),
                self.observed.pods.values(),
                |uid, target| held.is_some_and(|group| group.holds(uid, target)),
                now,
            );
            match again {
                Some(again) => self.decide_at.insert(name.clone(), again),
                None => self.decide_at.remove(name),
            };
            groups.insert(binding.group.clone());
        }
        // A group that no binding names any more loses what it has, unless it is just that a binding can't be read.
        if self.observed.unreadable.is_empty() {
            let bound: BTreeSet<&TargetGroupArn> =
                self.observed.bindings.values().map(|binding| &binding.group).collect();
            groups.extend(self.groups.keys().filter(|arn| !bound.contains(arn)).cloned());
        }
        for arn in groups.difference(&unknown).cloned() {
            let wanted = self
                .observed
                .bindings
                .iter()
                .filter(|(_, binding)| binding.group == arn)
                .filter_map(|(name, _)| self.members.get(name))
                .flat_map(Members::targets);
            self.groups.entry(arn.clone()).or_default().want(wanted, now, safe_until);
            self.touched.insert(arn);
        }
        self.changed = true;
    }

    /// Starts the calls that are due.
    fn start_calls(&mut self) {
        let now = Instant::now();
        let due = self.wake_at.iter().filter(|(_, at)| **at <= now).map(|(arn, _)| arn.clone());
        self.touched.extend(due);
        if !self.observed.is_complete() {
            return;
        }
        let terms = Terms {
            gather: self.settings.gather,
            may_deregister: self.standing.borrow().trusted_until.is_some_and(|until| now < until),
        };
        for arn in std::mem::take(&mut self.touched) {
            let Some(group) = self.groups.get_mut(&arn) else {
                continue;
            };
            let (steps, wake) = group.next(&terms, now);
            match wake {
                Some(wake) => self.wake_at.insert(arn.clone(), wake),
                None => self.wake_at.remove(&arn),
            };
            if group.is_empty() {
                self.groups.remove(&arn);
                self.changed = true;
            }
            for step in steps {
                self.start(&arn, step, now);
            }
        }
    }

    fn start(&mut self, arn: &TargetGroupArn, step: Step, now: Instant) {
        if !self.groups.contains_key(arn) {
            return;
        }
        let (client, group_arn) = (self.links.lattice.clone(), arn.clone());
        match step {
            Step::Register(targets) => {
                self.note_calls(arn, &targets, Direction::Register, now);
                self.calls.spawn(async move {
                    let result = client.register(&group_arn, &targets).await;
                    Ended::Registered(group_arn, targets, result)
                });
            }
            Step::Deregister(targets, send_by) => {
                self.note_calls(arn, &targets, Direction::Deregister, now);
                // Nor later than the Lease allows.
                let trusted_until = self.standing.borrow().trusted_until;
                let send_by = trusted_until.map_or(send_by, |until| until.min(send_by));
                self.calls.spawn(async move {
                    let result = client.deregister(&group_arn, &targets, send_by).await;
                    Ended::Deregistered(group_arn, targets, result)
                });
            }
            Step::Verify(targets) => {
                self.calls.spawn(async move {
                    let result =
                        client.states_of(&group_arn, &targets, lattice_client::Urgency::Verify).await;
                    Ended::Verified(group_arn, targets, result)
                });
            }
            Step::Lookup(targets) => {
                let claims: Vec<_> = self
                    .observed
                    .bindings
                    .values()
                    .filter(|binding| binding.group == *arn && !binding.leaving)
                    .filter_map(|binding| {
                        let service = ObjectName {
                            namespace: binding.namespace.clone(),
                            name: binding.service.clone(),
                        };
                        Some((binding.clone(), self.observed.services.get(&service)?.clone()))
                    })
                    .collect();
                let questions = targets
                    .iter()
                    .map(|target| Question {
                        target: *target,
                        node: self.settings.node.clone(),
                        claims: claims.clone(),
                    })
                    .collect();
                let kubernetes = self.links.kubernetes.clone();
                self.calls.spawn(async move {
                    let answers = lookup::ask(kubernetes, questions).await;
                    Ended::LookedUp(group_arn, targets, answers)
                });
            }
        }
    }

    /// Writes down and counts a call that is about to be made.
    fn note_calls(&mut self, arn: &TargetGroupArn, targets: &[Target], direction: Direction, now: Instant) {
        let Some(group) = self.groups.get(arn) else { return };
        let pods = targets.iter().filter_map(|target| Some((*target, group.pod(target)?)));
        self.journal.calling(arn, pods);
        for target in targets {
            self.links.metrics.sent(direction, group.waited(target, now));
            if direction == Direction::Register && group.hold(target) == Hold::Maybe {
                self.links.metrics.anomaly(Anomaly::Repeated);
            }
        }
        self.changed = true;
    }

    /// Takes in a call that ended.
    fn take_in(&mut self, ended: Result<Ended, tokio::task::JoinError>) {
        let now = Instant::now();
        let ended = match ended {
            Ok(ended) => ended,
            Err(error) => {
                tracing::error!(%error, "a call ended in a way that calls never should");
                return;
            }
        };
        let (arn, targets, notices) = match ended {
            Ended::Registered(arn, targets, result) => {
                log("RegisterTargets", &arn, &targets, &result);
                let notices = self.group(&arn).registered(&targets, &result, now);
                (arn, targets, notices)
            }
            Ended::Deregistered(arn, targets, result) => {
                log("DeregisterTargets", &arn, &targets, &result);
                self.group(&arn).deregistered(&targets, &result, now);
                (arn, targets, Vec::new())
            }
            Ended::Verified(arn, targets, result) => {
                log("ListTargets", &arn, &targets, &result);
                let notices = self.group(&arn).verified(&targets, &result, now);
                (arn, targets, notices)
            }
            Ended::LookedUp(arn, targets, answers) => {
                let notices = self.group(&arn).looked_up(&targets, &answers, now);
                (arn, targets, notices)
            }
        };
        if let Some(group) = self.groups.get(&arn) {
            self.journal.holds(&arn, targets.iter().map(|target| (*target, group.to_remember(target))));
        }
        for notice in notices {
            self.tell(&arn, notice);
        }
        self.touched.insert(arn);
        self.changed = true;
    }

    fn group(&mut self, arn: &TargetGroupArn) -> &mut Group {
        self.groups.entry(arn.clone()).or_default()
    }

    fn tell(&self, arn: &TargetGroupArn, notice: Notice) {
        let metrics = &self.links.metrics;
        match notice {
            Notice::Refused { pod, target, why } => {
                metrics.anomaly(Anomaly::Refused);
                tracing::warn!(group = arn.id(), pod = %pod.name, %target, why, "VPC Lattice refused a target");
                let note = format!("VPC Lattice refused {target} as a target of {arn}, trying again: {why}");
                self.events.warn(&pod, "TargetRefused", note);
            }
            Notice::Full { pod } => {
                metrics.anomaly(Anomaly::Full);
                tracing::warn!(group = arn.id(), pod = %pod.name, "the target group is full");
                let note = format!(
                    "{arn} takes no more targets; ask AWS to raise the quota \"Targets per target group\", or use more groups"
                );
                self.events.warn(&pod, "TargetGroupFull", note);
            }
            Notice::Released { target } => {
                metrics.anomaly(Anomaly::Released);
                tracing::info!(group = arn.id(), %target, "left in the group, another pod of it has the address by now");
            }
            Notice::Vanished { pod, target } => {
                metrics.anomaly(Anomaly::Vanished);
                tracing::warn!(group = arn.id(), pod = %pod.name, %target, "a registered target is not there, registering it again");
            }
        }
    }

    /// Publishes what changed: the record, readiness, the status page, the health that the Lease tells.
    fn publish(&mut self) {
        let retry = self.journal.retry_at().is_some_and(|at| at <= Instant::now());
        if retry {
            self.rewrite_journal();
        }
        if !std::mem::take(&mut self.changed) && !retry || !self.observed.is_complete() {
            return;
        }
        let known: usize = self.groups.values().map(|group| group.remembered().count()).sum();
        if self.journal.is_long(known) {
            self.rewrite_journal();
        }
        // Without an epoch it is not known yet which record this would be.
        if self.epoch > 0 {
            let record = record::describe(&self.groups, &self.settings.boot_id, self.epoch);
            self.record.send_if_modified(|current| {
                let modified = current.as_ref() != Some(&record);
                if modified {
                    *current = Some(record);
                }
                modified
            });
        }
        let status = self.status();
        self.report(&status);
        self.tell_troubles();
        self.links.status.send_if_modified(|current| {
            let modified = *current != status;
            if modified {
                *current = status;
            }
            modified
        });
    }

    fn rewrite_journal(&mut self) {
        let targets = self
            .groups
            .iter()
            .flat_map(|(arn, group)| {
                group.remembered().map(|(target, pod, hold)| ((arn.clone(), target), (pod.clone(), hold)))
            })
            .collect();
        self.journal.rewrite(&targets);
    }

    fn status(&self) -> Status {
        let groups = self.groups.iter().map(|(arn, group)| GroupStatus {
            arn: arn.to_string(),
            full: group.is_full(),
            troubles: group.troubles().map(|trouble| trouble.message.clone()).collect(),
            targets: group
                .owned()
                .map(|owned| TargetStatus {
                    target: owned.target.to_string(),
                    pod: owned.pod.name.to_string(),
                    state: match (owned.wanted, owned.hold) {
                        (true, Hold::Yes) => "registered",
                        (true, _) => "registering",
                        (false, _) => "deregistering",
                    },
                })
                .collect(),
        });
        let groups = groups.filter(|group| !group.targets.is_empty() || !group.troubles.is_empty());
        Status {
            troubles: self.journal.error().map(Into::into).into_iter().collect(),
            epoch: self.epoch,
            lease_fresh: self.standing.borrow().trusted_until.is_some_and(|until| Instant::now() < until),
            groups: groups.collect(),
        }
    }

    /// Says on `/readyz`, in the metrics and on the Lease how the pipeline fares.
    fn report(&self, status: &Status) {
        let readiness = &self.links.readiness;
        match self.journal.error() {
            Some(error) => readiness.degrade("journal", error),
            None => readiness.restore("journal"),
        }
        let troubles: Vec<_> = self.groups.values().flat_map(Group::troubles).collect();
        match troubles.iter().find(|trouble| trouble.needs_operator) {
            Some(trouble) => readiness.degrade("targets", &trouble.message),
            None => readiness.restore("targets"),
        }
        let health = troubles.first().map_or("ok", |trouble| trouble.label);
        self.health.send_if_modified(|current| {
            let modified = current != health;
            if modified {
                *current = health.into();
            }
            modified
        });
        let registered = self.groups.values().map(Group::settled).sum();
        let known: usize = status.groups.iter().map(|group| group.targets.len()).sum();
        let full = self.groups.values().filter(|group| group.is_full()).count();
        self.links.metrics.state(registered, known - registered, full);
    }
}

impl Pipeline {
    /// Names each kind of trouble in the log once, when it begins, and says when it is over. Trouble that comes and goes
    /// within [`TROUBLE_LASTS`] is one.
    fn tell_troubles(&mut self) {
        let now = Instant::now();
        for (arn, group) in &self.groups {
            for trouble in group.troubles() {
                if self.told.insert(trouble.label, now).is_none() {
                    tracing::warn!(group = arn.id(), kind = trouble.label, "{}", trouble.message);
                }
            }
        }
        self.told.retain(|label, seen| {
            let lasts = now - *seen < TROUBLE_LASTS;
            if !lasts {
                tracing::info!(kind = label, "calls to VPC Lattice get on again");
            }
            lasts
        });
    }
}

fn is_snapshot(input: &Input) -> bool {
    matches!(
        input,
        Input::Pods(Change::Snapshot { .. }, _)
            | Input::Services(Change::Snapshot { .. })
            | Input::Bindings(Change::Snapshot { .. })
    )
}

fn log<T>(call: &'static str, arn: &TargetGroupArn, targets: &[Target], result: &Result<T, Error>) {
    match result {
        Ok(_) => tracing::debug!(call, group = arn.id(), targets = targets.len(), "served"),
        // Each kind of trouble is named once, by `tell_troubles`; how often it happens is for the metrics to tell.
        Err(error) => tracing::debug!(call, group = arn.id(), error = error.chain(), "failed"),
    }
}

async fn sleep_until(wake: Option<Instant>) {
    match wake {
        Some(wake) => tokio::time::sleep_until(wake).await,
        None => std::future::pending().await,
    }
}
