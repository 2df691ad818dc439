//! Brings VPC Lattice to what is wanted, and tells how far it is.
//!
//! One task owns everything that is known of VPC Lattice. At its start it finds what is this cluster's by tags and reads it;
//! from then on it knows what its own calls have answered, and audits that now and then. Services, target groups, service
//! networks, and what carries TCP are *units*: whenever something that a unit goes by has changed, a pure planner
//! ([`lattice::plan`]) is asked what to call next, and what it names is started at once, each in its *lane*. So what does not
//! depend on each other never waits for each other, and a unit that is as it should be costs no call.
//!
//! Whatever is changed or deleted carries this cluster's tag. Names prove nothing.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    hash::{BuildHasher as _, Hasher as _, RandomState},
    sync::Arc,
    time::Duration,
};

use k8s_openapi::jiff::Timestamp;
use lattice::{
    Tags, TargetGroupArn,
    id::NetworkId,
    observed::{Members, Network},
    plan::network::VpcTree,
    resource::ResourceKey,
    service::{Desired, GroupKey},
    tags,
    target::TargetState,
};
use lattice_client::{Client, Error, Urgency};
use tokio::{sync::watch, task::JoinSet, time::Instant};

use crate::{bindings::judge::Site, cluster::Cluster, groups::Groups, random::Random, shared::Shared};

mod calls;
mod groups;
mod imports;
mod lanes;
mod load;
pub mod metrics;
mod networks;
pub mod progress;
mod quotas;
mod read;
mod resource_calls;
mod resources;
mod services;
mod show;
mod turn;
mod unit;
mod want;
mod warm;
mod words;

pub use metrics::Metrics;
pub use progress::Progress;

use groups::GroupUnit;
use lanes::Moment;
use load::Look;
use networks::NetworkUnit;
use resources::ResourceUnit;
use services::ServiceUnit;
use unit::{Name, Place};

/// Most tasks at once: enough for 50 services of five calls each within half a second at 20 ms per call. What finds no room
/// has its turn when another is answered.
const AT_ONCE: usize = 64;

/// How the engine works.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How often each unit is read again to see whether somebody has changed it; `None`: never.
    pub audit_period: Option<Duration>,
    /// Whether this cluster's resources are found by the Resource Groups Tagging API. Without it, all resources of the account
    /// are listed and the tags of each are read.
    pub tagging: bool,
    /// How long a target group is kept as it is after no rule names it any more: as long as VPC Lattice may still send
    /// requests to it.
    pub linger: Duration,
    /// How long VPC Lattice is assumed to take until registrations are in force.
    pub propagation: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            audit_period: Some(Duration::from_secs(600)),
            tagging: true,
            // AWS names no time; its controller's users are advised to keep pods for a minute (facts: #780).
            linger: Duration::from_secs(60),
            propagation: Duration::from_secs(2),
        }
    }
}

/// What the engine is connected to.
#[derive(Debug, Clone)]
pub struct Links {
    /// VPC Lattice.
    pub client: Client,
    /// Where this cluster is.
    pub site: Arc<Site>,
    /// What bindings know of groups, to which the engine adds what it knows.
    pub groups: Arc<Shared<Groups>>,
    /// The cluster, for its bindings: a group that is bound is not deleted.
    pub cluster: Arc<Shared<Cluster>>,
    /// How it works.
    pub settings: Settings,
    /// What `/metrics` shows.
    pub metrics: Metrics,
    /// How far it is. It changes only when something in it does.
    pub progress: Arc<Shared<Progress>>,
}

/// Brings VPC Lattice to what is wanted, for ever. Nothing is done while nothing is known to be wanted.
pub async fn run(links: Links, desired: watch::Receiver<Option<Arc<Desired>>>) {
    Engine::new(links).run(desired).await;
}

/// What a task has brought.
#[derive(Debug)]
enum Answer {
    Catalogue(Result<read::Catalogue, Error>),
    Imports(Result<imports::Seen, Error>),
    Networks { steps: u64, result: Result<read::Networks, Error> },
    Service(Place, turn::service::Answer),
    Group(Place, turn::group::Answer),
    Network(String, turn::network::Answer),
    Warmth(TargetGroupArn, Result<Vec<TargetState>, Error>),
    Resource(Place, turn::resource::Answer),
}

/// What has changed in how far everything is.
#[derive(Debug, PartialEq, Eq)]
enum News {
    All,
    Service(String),
    Group(GroupKey),
    Network(String),
    Resource(ResourceKey),
    Survey,
}

/// All that is known.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is about something else")]
struct Engine {
    links: Links,
    desired: Option<Arc<Desired>>,
    /// Whether it is known which resources are this cluster's.
    loaded: bool,
    /// Finding them.
    finding: Look,
    /// Reading which networks there are.
    listing: Look,
    services: BTreeMap<Place, ServiceUnit>,
    groups: BTreeMap<Place, GroupUnit>,
    networks: BTreeMap<String, NetworkUnit>,
    /// Groups that services name and others keep.
    imports: imports::Imports,
    resources: BTreeMap<Place, ResourceUnit>,
    /// The tags by which groups are found.
    group_tags: BTreeMap<GroupKey, String>,
    /// The groups' places.
    group_places: BTreeMap<TargetGroupArn, Place>,
    /// Which services' rules name a group.
    users: BTreeMap<TargetGroupArn, BTreeSet<Place>>,
    /// Groups that no rule names any more and that are kept until then.
    lingering: BTreeMap<TargetGroupArn, Instant>,
    /// When they have been kept long enough, in order.
    lingering_ends: VecDeque<(Instant, TargetGroupArn)>,
    /// Whether what the progress says of groups that are named is out of date.
    used_changed: bool,
    /// Groups that services wait for.
    warming: BTreeMap<TargetGroupArn, warm::Warming>,
    /// Ids of associations and access log subscriptions that are this cluster's.
    ours: read::Ours,
    /// The networks that there are, once they were listed.
    known_networks: Option<Vec<Network>>,
    /// How much was in each when they were listed.
    members: BTreeMap<NetworkId, Members>,
    /// The networks that the VPC is in: one at most.
    vpc: BTreeMap<NetworkId, VpcTree>,
    /// Networks whose policies are this cluster's.
    claimed: BTreeSet<NetworkId>,
    /// Grows with each change of networks by a call, so that an older listing does not undo it.
    network_steps: u64,
    /// Units whose turn has come, in order.
    queue: VecDeque<Name>,
    queued: BTreeSet<Name>,
    /// When units' turns come by themselves.
    wakes: BTreeSet<(Instant, Name)>,
    tasks: JoinSet<Answer>,
    progress: Progress,
    /// What in it has not been told yet.
    news: Vec<News>,
    /// When everything was last counted.
    counted: Option<Instant>,
    /// Whether what the progress says of services that leave and of groups that are named is up to date.
    surveyed: bool,
    random: Random,
    /// What tokens begin with, another one in each process.
    seed: u64,
    tokens: u64,
    child_tags: Arc<Tags>,
    claim_tags: Arc<Tags>,
    told_untagged: bool,
    /// What was taken over and is known since.
    absorbed: BTreeSet<String>,
}

impl Engine {
    fn new(links: Links) -> Self {
        let cluster = links.site.cluster.clone();
        let tag = |key: &str| Arc::new(Tags::from([(key.to_owned(), cluster.clone())]));
        Self {
            desired: None,
            loaded: false,
            finding: Look::default(),
            listing: Look::default(),
            services: BTreeMap::new(),
            groups: BTreeMap::new(),
            networks: BTreeMap::new(),
            imports: imports::Imports::default(),
            resources: BTreeMap::new(),
            group_tags: BTreeMap::new(),
            group_places: BTreeMap::new(),
            users: BTreeMap::new(),
            lingering: BTreeMap::new(),
            lingering_ends: VecDeque::new(),
            used_changed: true,
            warming: BTreeMap::new(),
            ours: read::Ours::default(),
            known_networks: None,
            members: BTreeMap::new(),
            vpc: BTreeMap::new(),
            claimed: BTreeSet::new(),
            network_steps: 0,
            queue: VecDeque::new(),
            queued: BTreeSet::new(),
            wakes: BTreeSet::new(),
            tasks: JoinSet::new(),
            progress: Progress::default(),
            news: Vec::new(),
            counted: None,
            surveyed: false,
            random: Random::default(),
            seed: RandomState::new().build_hasher().finish(),
            tokens: 0,
            child_tags: tag(tags::CLUSTER),
            claim_tags: tag(tags::POLICIES),
            told_untagged: false,
            absorbed: BTreeSet::new(),
            links,
        }
    }

    async fn run(mut self, mut desired: watch::Receiver<Option<Arc<Desired>>>) {
        loop {
            let next = desired.borrow_and_update().clone();
            if let Some(next) = next
                && !self.desired.as_ref().is_some_and(|desired| Arc::ptr_eq(desired, &next))
            {
                self.desired = Some(next);
                self.want();
            }
            if self.desired.is_some() {
                self.work();
            }
            self.show();
            let next = self.next_wake();
            let idle = async {
                match next {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                changed = desired.changed() => if changed.is_err() { return },
                Some(answer) = self.tasks.join_next() => {
                    self.take(answer);
                    // What was answered at the same time is taken in before anything is planned.
                    while let Some(answer) = self.tasks.try_join_next() {
                        self.take(answer);
                    }
                }
                () = idle => {}
            }
        }
    }

    fn take(&mut self, answer: Result<Answer, tokio::task::JoinError>) {
        match answer {
            Ok(Answer::Catalogue(result)) => self.catalogued(result),
            Ok(Answer::Imports(result)) => self.imports_seen(result),
            Ok(Answer::Networks { steps, result }) => self.listed(steps, result),
            Ok(Answer::Service(place, answer)) => {
                self.service_answered(place, answer);
                self.surveyed = false;
            }
            Ok(Answer::Group(place, answer)) => {
                self.group_answered(place, answer);
                self.surveyed = false;
            }
            Ok(Answer::Network(name, answer)) => self.network_answered(name, answer),
            Ok(Answer::Warmth(group, result)) => self.warmth(&group, result),
            Ok(Answer::Resource(place, answer)) => {
                self.resource_answered(place, answer);
                self.surveyed = false;
            }
            Err(error) => {
                // Whose call it was is lost with it, so everything is learned anew.
                tracing::error!(%error, "a call ended without an answer");
                let (links, desired) = (self.links.clone(), self.desired.take());
                *self = Self { desired, told_untagged: self.told_untagged, ..Self::new(links) };
            }
        }
    }

    /// Gives every unit whose turn has come its turn.
    fn work(&mut self) {
        let now = Instant::now();
        self.look(now);
        self.part_with_lingering(now);
        while let Some((at, _)) = self.wakes.first()
            && *at <= now
        {
            if let Some((_, name)) = self.wakes.pop_first() {
                self.touch(name);
            }
        }
        while self.tasks.len() < AT_ONCE
            && let Some(name) = self.queue.pop_front()
        {
            self.queued.remove(&name);
            let at = self.moment();
            match name {
                Name::Network(name) => self.work_on_network(&name, at),
                Name::Group(place) => self.work_on_group(place, at),
                Name::Service(place) => self.work_on_service(place, at),
                Name::Resource(place) => self.work_on_resource(place, at),
            }
        }
        self.count();
    }

    /// Puts a unit into the queue.
    fn touch(&mut self, name: Name) {
        if self.queued.insert(name.clone()) {
            self.queue.push_back(name);
        }
    }

    /// Puts a unit into the queue later.
    fn wake(&mut self, at: Instant, name: Name) {
        self.wakes.insert((at, name));
    }

    fn next_wake(&self) -> Option<Instant> {
        let looks = self.finding.due().into_iter().chain(self.listing.due()).chain(self.imports_due());
        let looks = looks.filter(|_| self.desired.is_some());
        let lingering = self.lingering_ends.front().map(|(at, _)| *at);
        looks.chain(lingering).chain(self.wakes.first().map(|(at, _)| *at)).min()
    }

    fn moment(&mut self) -> Moment {
        Moment { now: Instant::now(), wall: Timestamp::now(), fraction: self.random.fraction() }
    }

    /// A token that no other call has.
    fn token(&mut self) -> String {
        self.tokens += 1;
        format!("{:016x}{:x}", self.seed, self.tokens)
    }

    /// When a unit that was read now is to be audited.
    fn next_audit(&mut self, now: Instant) -> Option<Instant> {
        // Units that were read together are not audited together.
        let fraction = self.random.fraction();
        self.links.settings.audit_period.map(|period| now + period.mul_f64(0.5 + 0.5 * fraction))
    }

    /// A call that reads for this reason.
    fn urgency(doubt: Option<unit::Doubt>) -> Urgency {
        match doubt {
            Some(unit::Doubt::Audit) => Urgency::Observe,
            _ => Urgency::Change,
        }
    }
}

#[cfg(test)]
mod tests;
