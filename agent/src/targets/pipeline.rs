//! The pipeline's task: takes changes in, decides, starts calls, takes their results in.

mod calls;
mod decide;
mod listen;
mod publish;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::Duration,
};

use futures::FutureExt as _;
use kube::Client;
use lath_kubernetes::{
    node_targets::{NodeTargetsSpec, Writer},
    watch::ObjectName,
};
use lattice::TargetGroupArn;
use runtime::readiness::{BlockReady, Readiness};
use tokio::{
    sync::{mpsc, oneshot, watch as channel},
    task::JoinSet,
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::{
    desired::Members,
    events::Events,
    group::{Group, Hold},
    journal::{Journal, Memory},
    lease,
    metrics::Metrics,
    news::{News, Renewals},
    observed::{Dirty, Kind, Observed},
    record::{self, Recorder, StandIn},
    status::Status,
    watch::Watches,
};
use calls::Ended;

/// Most changes taken in before calls are started again, so that a flood of changes delays no call for long.
const CHANGES_AT_ONCE: usize = 512;

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
    /// Kubernetes, for watches.
    pub watches: Client,
    /// Kubernetes, for everything else.
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

    let watches = Watches::new(links.watches.clone(), &settings.node);
    let mut recorder = Recorder::new(links.kubernetes.clone(), settings.node.clone());
    let recorded = tokio::select! {
        recorded = recorder.read() => recorded,
        () = shutdown.cancelled() => return,
    };
    // Only now, so that the record of before has been read when it is overwritten.
    let (stand_in, stand_ins) = mpsc::channel(1);
    tokio::spawn(recorder.write(records, stand_in, shutdown.clone()));

    let events = Events::start(links.kubernetes.clone(), &settings.node, links.metrics.clone());
    let mut pipeline = Pipeline {
        settings,
        links,
        watches,
        standing,
        journal,
        record,
        stand_ins,
        taken_over: None,
        health,
        events,
        observed: Observed::default(),
        members: BTreeMap::new(),
        decide_at: BTreeMap::new(),
        remembers,
        groups: BTreeMap::new(),
        wake_at: BTreeMap::new(),
        calls: JoinSet::new(),
        taking_out: BTreeMap::new(),
        dirty: Dirty::default(),
        news: News::default(),
        touched: BTreeSet::new(),
        changed: true,
        epoch: 0,
        confirming: BTreeMap::new(),
        waiting: Some(waiting),
        told: BTreeMap::new(),
    };
    pipeline.restore(memory.unwrap_or_default(), recorded, remembers);
    pipeline.run(shutdown).await;
}

struct Pipeline {
    settings: Settings,
    links: Links,
    watches: Watches,
    standing: channel::Receiver<lease::Standing>,
    journal: Journal,
    record: channel::Sender<Option<NodeTargetsSpec>>,
    /// What the controller did in this agent's stead.
    stand_ins: mpsc::Receiver<StandIn>,
    /// To be told when a record is published that covers the last of these.
    taken_over: Option<oneshot::Sender<()>>,
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
    /// What withdraws the call that takes targets out of a group, as long as it has not been sent.
    taking_out: BTreeMap<TargetGroupArn, CancellationToken>,
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
    fn restore(&mut self, memory: Memory, mut recorded: NodeTargetsSpec, remembers: bool) {
        let now = Instant::now();
        let mut targets = memory.targets;
        // The agent's own record follows its journal, and may be behind.
        if remembers && recorded.writer == Writer::Agent {
            recorded.groups.clear();
        }
        let by_controller = recorded.writer == Writer::Controller;
        for (arn, target, pod) in record::targets(recorded) {
            let known = targets.entry((arn, target)).or_insert((pod.clone(), Hold::Nothing));
            if known.1 == Hold::Nothing {
                // The journal is written before the call and the record after it.
                known.1 = if remembers { Hold::Maybe } else { Hold::Yes };
                known.0 = pod;
            } else if by_controller {
                // It knows of pods that came after the agent's time.
                known.0 = pod;
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

    /// Takes over what the controller did while this agent's Lease had lapsed. Its record is not overwritten before.
    fn take_over(&mut self, stand_in: StandIn) {
        for (arn, target, pod) in record::targets(stand_in.record) {
            self.groups.entry(arn.clone()).or_default().take_over(target, pod);
            self.touched.insert(arn);
        }
        // Pods that are unready by now and were put in when they were ready stay in, as far as their bindings say.
        self.members.values_mut().for_each(Members::seed);
        self.dirty.all = true;
        self.rewrite_journal();
        self.taken_over = Some(stand_in.taken_over);
        self.changed = true;
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
                Some(stand_in) = self.stand_ins.recv() => self.take_over(stand_in),
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
                // Another agent that starts in this epoch would believe what is doubted.
                self.rewrite_journal();
            }
            self.epoch = standing.epoch;
            self.links.metrics.epoch(standing.epoch);
            self.changed = true;
        }
        // Deregistrations may have been waiting for it.
        self.touched.extend(self.groups.keys().cloned());
    }
}

async fn sleep_until(wake: Option<Instant>) {
    match wake {
        Some(wake) => tokio::time::sleep_until(wake).await,
        None => std::future::pending().await,
    }
}
