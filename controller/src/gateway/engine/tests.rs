//! The engine against the simulator: the real client and its encoding, without a socket and on paused time.

use std::{collections::BTreeMap, time::Duration};

use lattice::{
    names,
    rule::{Action, Match, PathMatch, Rule, Weighted},
    service::{
        Desired, GroupKey, GroupProtocol, GroupSpec, HealthCheck, HttpVersion, ListenerProtocol,
        ListenerSpec, NetworkSpec, ServiceGroupKey, ServiceSpec, VpcAssociationSpec,
    },
    tags,
    target::IpFamily,
};
use tokio::{sync::watch, task::AbortHandle};

use super::*;
use crate::testing::{self, cloud::Cloud};

mod basics;
mod check;
mod declared;
mod faults;
mod multicluster;
mod published;
mod quotas;
mod random;
mod resources;
mod shared;
mod warm;

/// Where access logs go.
const LOGS: &str = "arn:aws:s3:::shop-logs";

/// Lets anybody in who has signed.
const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#;

/// An engine at a cloud, which goes on when the engine is stopped.
struct World {
    cloud: Cloud,
    site: Site,
    settings: Settings,
    metrics: Metrics,
    groups: Arc<Shared<Groups>>,
    cluster: Arc<Shared<Cluster>>,
    progress: Arc<Shared<Progress>>,
    desired: watch::Sender<Option<Arc<Desired>>>,
    engine: Option<AbortHandle>,
}

impl World {
    async fn new(settings: &[(&str, &str)]) -> Self {
        let mut world = Self {
            cloud: Cloud::new(settings).await,
            site: testing::site(),
            settings: Settings {
                audit_period: None,
                tagging: true,
                linger: Duration::ZERO,
                ..Settings::default()
            },
            metrics: Metrics::default(),
            groups: Arc::new(Shared::new(Groups::new(Duration::from_secs(300)))),
            cluster: Arc::new(Shared::new(testing::cluster())),
            progress: Arc::default(),
            desired: watch::Sender::new(None),
            engine: None,
        };
        world.start();
        world
    }

    /// Starts an engine that knows nothing.
    fn start(&mut self) {
        self.progress = Arc::default();
        let links = Links {
            client: self.cloud.client.clone(),
            site: Arc::new(self.site.clone()),
            groups: self.groups.clone(),
            cluster: self.cluster.clone(),
            settings: self.settings.clone(),
            metrics: self.metrics.clone(),
            progress: self.progress.clone(),
        };
        let task = tokio::spawn(run(links, self.desired.subscribe()));
        self.engine = Some(task.abort_handle());
    }

    async fn stop(&mut self) {
        if let Some(engine) = self.engine.take() {
            engine.abort();
            while !engine.is_finished() {
                tokio::task::yield_now().await;
            }
        }
    }

    async fn restart(&mut self) {
        self.stop().await;
        self.start();
    }

    fn want(&self, desired: Desired) {
        self.desired.send_replace(Some(Arc::new(desired)));
    }

    /// Waits until this holds, for an hour at most.
    async fn until(&self, what: &str, holds: impl Fn(&Progress) -> bool) {
        let mut changes = self.progress.subscribe();
        let waited = tokio::time::timeout(Duration::from_secs(3_600), async {
            loop {
                changes.borrow_and_update();
                if holds(&self.progress.read()) {
                    return;
                }
                changes.changed().await.unwrap();
            }
        });
        assert!(waited.await.is_ok(), "{what} does not come about: {:#?}", self.progress.read());
    }

    /// Waits until all that is wanted is done.
    async fn done(&self) {
        let desired = self.desired.borrow().clone().unwrap();
        self.until("everything", |progress| is_done(&desired, progress)).await;
    }

    /// Lets everything happen that happens within this time.
    async fn idle(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    /// Calls by operation since the last time.
    fn calls(&self) -> BTreeMap<String, u64> {
        let calls = self.cloud.simulator.calls();
        self.cloud.simulator.reset_calls();
        calls
    }

    /// Calls that change something, since the last time.
    fn changes(&self) -> BTreeMap<String, u64> {
        let reads = |name: &String| {
            let prefixes = ["Get", "List", "tagging.", "servicediscovery.Get", "servicediscovery.List"];
            prefixes.iter().any(|read| name.starts_with(read))
        };
        self.calls().into_iter().filter(|(name, _)| !reads(name)).collect()
    }
}

fn is_done(desired: &Desired, progress: &Progress) -> bool {
    progress.loaded
        && desired
            .services
            .keys()
            .all(|owner| progress.services.get(owner).is_some_and(|it| it.done && it.troubles.is_empty()))
        && desired.groups.keys().all(|key| progress.groups.get(key).is_some_and(|it| it.done))
        && desired.networks.keys().all(|name| progress.networks.get(name).is_some_and(|it| it.done))
        && desired.resources.keys().all(|key| progress.resources.get(key).is_some_and(|it| it.done))
}

fn counts(calls: &[(&str, u64)]) -> BTreeMap<String, u64> {
    calls.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

fn own_tags(key: &str, value: String) -> Tags {
    Tags::from([(tags::CLUSTER.into(), "demo".into()), (key.into(), value)])
}

/// A group for pods of the Service of this name.
fn group_key(owner: &str, service: &str) -> ServiceGroupKey {
    ServiceGroupKey {
        owner: owner.into(),
        namespace: "shop".into(),
        service: service.into(),
        port: 80,
        protocol: GroupProtocol::Http(HttpVersion::Http1),
        family: IpFamily::IPv4,
    }
}

fn group_spec(key: &ServiceGroupKey) -> GroupSpec {
    let mut tags = own_tags(tags::GROUP, names::group_tag(key));
    tags.insert(tags::NAMESPACE.into(), "shop".into());
    tags.insert(tags::OWNER.into(), names::owner_tag(&key.owner));
    GroupSpec {
        name: names::group(key, ""),
        port: 80,
        vpc: testing::site().vpc,
        health_check: HealthCheck::default().filled(key.protocol),
        tags,
        targets: None,
    }
}

fn forward(key: &ServiceGroupKey) -> Action<GroupKey> {
    Action::Forward(vec![Weighted { group: GroupKey::Service(Box::new(key.clone())), weight: 1 }])
}

fn rule(path: &str, action: Action<GroupKey>) -> Rule<GroupKey> {
    let path = Some(PathMatch::Prefix(path.into()));
    Rule { matching: Match { path, ..Match::default() }, action }
}

fn listener(name: &str, rules: Vec<Rule<GroupKey>>) -> ListenerSpec {
    ListenerSpec { name: name.into(), protocol: ListenerProtocol::Http, default: Action::Fixed(404), rules }
}

fn service(owner: &str, name: &str, listeners: BTreeMap<u16, ListenerSpec>) -> ServiceSpec {
    ServiceSpec {
        name: name.into(),
        custom_domain: None,
        certificate: None,
        auth_policy: None,
        listeners,
        networks: ["net".to_owned()].into(),
        access_logs: BTreeSet::new(),
        warm_up: None,
        tags: own_tags(tags::OWNER, names::owner_tag(&owner.to_owned())),
    }
}

/// The owner of a service of this name.
fn owner(name: &str) -> String {
    format!("HTTPRoute/shop/{name}")
}

/// A network that the engine makes and puts the VPC into.
fn network() -> NetworkSpec {
    NetworkSpec {
        create: true,
        vpc: Some(VpcAssociationSpec::default()),
        tags: Tags::from([(tags::CLUSTER.into(), "demo".into())]),
        ..NetworkSpec::default()
    }
}

/// A service with one listener, two rules and one group, in one network.
fn one() -> Desired {
    many(&["web"])
}

/// Such a service for each name.
fn many(services: &[&str]) -> Desired {
    let mut desired = Desired { networks: [("net".to_owned(), network())].into(), ..Desired::default() };
    for name in services {
        let key = group_key(&owner(name), name);
        desired.groups.insert(GroupKey::Service(Box::new(key.clone())), group_spec(&key));
        let rules = vec![rule("/a", forward(&key)), rule("/", Action::Fixed(500))];
        let spec =
            service(&owner(name), &names::service(name, "shop"), [(80, listener("http", rules))].into());
        desired.services.insert(owner(name), spec);
    }
    desired
}
