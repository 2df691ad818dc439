//! Directories against the simulator's Cloud Map, on paused time.

use lath_kubernetes::{
    Pod,
    pod::Life,
    watch::{Change, ObjectName},
};
use lattice::{
    Tags,
    resource::{Alias, DirectorySpec, Holds, Instance, PodsOf},
    target::IpFamily,
};
use lattice_client::NewDirectory;
use lattice_sim::Fault;

use super::*;
use crate::{
    cluster::Update,
    gateway::engine::progress::{ResourceFacts, ResourceProgress, ServiceFacts, ServiceProgress},
    testing::{self, Apply as _, cloud::Cloud},
};

fn key() -> ResourceKey {
    ResourceKey { kind: ResourceKind::Directory, owner: "TCPRoute/shop/web".into() }
}

const OWNER: &str = "HTTPRoute/shop/web";

fn spec(ports: bool) -> DirectorySpec {
    DirectorySpec {
        namespace: "shop.internal".into(),
        create_namespace: false,
        vpc: testing::site().vpc,
        name: "web".into(),
        holds: Holds::Pods {
            of: Some(PodsOf {
                namespace: "shop".into(),
                service: "web".into(),
                port: 80,
                protocol: "TCP".into(),
            }),
            family: IpFamily::IPv4,
            ports,
        },
        tags: Tags::new(),
    }
}

/// A filler of one directory for the pods of the Service `web`.
struct World {
    cloud: Cloud,
    cluster: Arc<Shared<Cluster>>,
    progress: Arc<Shared<Progress>>,
    desired: watch::Sender<Option<Arc<Desired>>>,
    notes: Arc<Shared<Notes>>,
    directory: DirectoryId,
    filler: tokio::task::AbortHandle,
}

impl World {
    async fn new(ports: bool) -> Self {
        Self::of(spec(ports)).await
    }

    /// Of the directory of a service.
    async fn of_service() -> Self {
        Self::of(DirectorySpec { holds: Holds::Service(OWNER.into()), ..spec(false) }).await
    }

    async fn of(spec: DirectorySpec) -> Self {
        let cloud = Cloud::new(&[]).await;
        let (client, vpc) = (&cloud.client, testing::site().vpc);
        client.create_dns_namespace("shop.internal", &vpc, &Tags::new(), "token").await.unwrap();
        let namespace = client.dns_namespaces("shop.internal", Urgency::Change).await.unwrap().remove(0);
        let new = NewDirectory {
            name: &spec.name,
            namespace: &namespace,
            records: spec.holds.records(),
            tags: &spec.tags,
        };
        let made = client.create_directory(&new, "token").await.unwrap();
        let facts = ResourceFacts {
            arn: made.arn,
            name: made.name,
            dns_name: None,
            directory: Some(made.id.clone()),
        };
        let is = ResourceProgress {
            resource: Some(facts),
            done: true,
            waits: Vec::new(),
            troubles: Vec::new(),
            since: k8s_openapi::jiff::Timestamp::UNIX_EPOCH,
        };
        let progress = Progress { loaded: true, resources: [(key(), is)].into(), ..Progress::default() };
        let desired =
            Desired { resources: [(key(), ResourceSpec::Directory(spec))].into(), ..Desired::default() };
        let (cluster, progress, notes) =
            (Arc::new(Shared::new(testing::cluster())), Arc::new(Shared::new(progress)), Arc::default());
        let desired = watch::Sender::new(Some(Arc::new(desired)));
        let mut world = Self {
            cloud,
            cluster,
            progress,
            desired,
            notes,
            directory: made.id,
            filler: tokio::spawn(async {}).abort_handle(),
        };
        world.start();
        world
    }

    /// Starts a filler that knows nothing.
    fn start(&mut self) {
        self.filler.abort();
        let filler = Filler {
            cluster: self.cluster.clone(),
            progress: self.progress.clone(),
            desired: self.desired.subscribe(),
            client: self.cloud.client.clone(),
            audit_period: Some(Duration::from_secs(600)),
            notes: self.notes.clone(),
            metrics: Metrics::default(),
        };
        self.filler = tokio::spawn(filler.run()).abort_handle();
    }

    fn run(&self, pod: Pod) {
        self.cluster.update(|cluster| cluster.run(pod));
    }

    fn gone(&self, name: &str) {
        let pod = ObjectName { namespace: "shop".into(), name: name.into() };
        self.cluster.update(|cluster| cluster.apply(Update::Pods(Change::Gone(pod)), Instant::now()));
    }

    /// The instances, a second later.
    async fn held(&self) -> Vec<String> {
        self.later(Duration::from_secs(1)).await
    }

    async fn later(&self, time: Duration) -> Vec<String> {
        tokio::time::sleep(time).await;
        let held = self.cloud.client.instances(&self.directory, Urgency::Change).await.unwrap();
        let line = |(id, entry): (&String, &Option<Entry>)| match entry.as_ref().unwrap() {
            Entry::Instance(Instance { address, port }) => {
                let port = port.map(|port| format!(":{port}")).unwrap_or_default();
                format!("{id} {address}{port}")
            }
            Entry::Alias(Alias { name, arn }) => {
                format!("{id} {name} {}", arn.as_deref().unwrap_or_default())
            }
        };
        held.iter().map(line).collect()
    }
}

/// How far a service is, of which VPC Lattice tells this name.
fn service(name: Option<&str>) -> ServiceProgress {
    let facts = ServiceFacts {
        id: "svc-1".into(),
        arn: "arn:one".into(),
        name: "web-shop".into(),
        dns_name: name.map(Into::into),
        custom_domain: None,
    };
    ServiceProgress {
        service: Some(facts),
        done: true,
        waits: Vec::new(),
        troubles: Vec::new(),
        since: k8s_openapi::jiff::Timestamp::UNIX_EPOCH,
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_is_told_by_its_name_and_by_a_new_one_from_when_it_has_that() {
    let mut world = World::of_service().await;
    let is = |world: &World, name| {
        world.progress.update(|progress| drop(progress.services.insert(OWNER.into(), service(name))));
    };
    world.run(testing::pod("a", 1));
    assert_eq!(world.held().await, [""; 0]);
    is(&world, None);
    assert_eq!(world.held().await, [""; 0]);
    is(&world, Some("one.on.aws"));
    assert_eq!(world.held().await, ["service one.on.aws arn:one"]);
    world.cloud.simulator.reset_calls();
    is(&world, Some("two.on.aws"));
    assert_eq!(world.held().await, ["service two.on.aws arn:one"]);
    let calls = world.cloud.simulator.calls();
    assert!(!calls.contains_key("servicediscovery.DeregisterInstance"), "there is always a name: {calls:?}");
    // While nothing is known of the service, as after a start, what is there stays.
    world.progress.update(|progress| progress.services.clear());
    world.start();
    assert_eq!(world.later(Duration::from_secs(700)).await, ["service two.on.aws arn:one"]);
    let directory = world.directory.clone();
    world.progress.update(|progress| {
        progress.resources.clear();
        progress.held_directories.insert(directory);
    });
    world.desired.send_replace(Some(Arc::new(Desired::default())));
    world.start();
    assert_eq!(world.later(Duration::from_secs(700)).await, ["service two.on.aws arn:one"]);
}

#[tokio::test(start_paused = true)]
async fn what_others_put_beside_a_service_is_taken_out() {
    let world = World::of_service().await;
    world
        .progress
        .update(|progress| drop(progress.services.insert(OWNER.into(), service(Some("one.on.aws")))));
    world.held().await;
    for id in ["service", "stray"] {
        let alias = Entry::Alias(Alias { name: "stray.on.aws".into(), arn: None });
        world.cloud.client.register_instance(&world.directory, id, &alias, id).await.unwrap();
    }
    assert_eq!(world.later(Duration::from_secs(700)).await, ["service one.on.aws arn:one"]);
}

fn unready(pod: Pod) -> Pod {
    Pod { ready: false, ready_but_for_gates: false, ..pod }
}

fn leaving(pod: Pod) -> Pod {
    Pod { life: Life::Leaving, ..pod }
}

#[tokio::test(start_paused = true)]
async fn ready_pods_come_and_go_within_a_second() {
    for (ports, port) in [(false, ""), (true, ":80")] {
        let world = World::new(ports).await;
        assert_eq!(world.held().await, [""; 0]);
        assert!(world.notes.read()[&key()].empty);
        world.run(testing::pod("a", 1));
        world.run(testing::pod("b", 2));
        world.run(unready(testing::pod("c", 3)));
        world.run(Pod { labels: BTreeMap::new(), ..testing::pod("other", 4) });
        let [a, b] = [format!("uid-a 10.0.0.1{port}"), format!("uid-b 10.0.0.2{port}")];
        assert_eq!(world.held().await, [a.as_str(), b.as_str()]);
        assert!(world.notes.read().is_empty());
        // A pod that leaves goes at once while another one is ready.
        world.run(leaving(testing::pod("a", 1)));
        assert_eq!(world.held().await, [b.as_str()]);
        world.run(unready(testing::pod("b", 2)));
        assert_eq!(world.held().await, [a.as_str()], "the one that leaves and answers is better than none");
        world.gone("a");
        assert_eq!(world.held().await, [""; 0]);
        // An address that changes is changed.
        world.run(testing::pod("b", 20));
        assert_eq!(world.held().await, [format!("uid-b 10.0.0.20{port}")]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_pod_lingers_while_it_exists_and_its_records_are_remembered() {
    let world = World::new(false).await;
    world.run(testing::pod("a", 1));
    world.held().await;
    world.run(leaving(testing::pod("a", 1)));
    assert_eq!(world.later(Duration::from_secs(64)).await, ["uid-a 10.0.0.1"]);
    assert_eq!(world.later(Duration::from_secs(2)).await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_told_and_tried_again_and_what_others_change_is_mended() {
    let mut world = World::new(false).await;
    world.held().await;
    for (operation, pod) in [("servicediscovery.RegisterInstance", 1), ("servicediscovery.ListInstances", 2)]
    {
        for applied in [false, true] {
            let fault = Fault {
                error: Some("InternalServerException".into()),
                applied: Some(applied),
                count: Some(3),
                ..Fault::on(operation)
            };
            world.cloud.simulator.set_faults(vec![fault]).unwrap();
            world.start();
            world.run(testing::pod(&format!("{pod}{applied}"), pod + 2 * u8::from(applied)));
            tokio::time::sleep(Duration::from_millis(500)).await;
            assert!(world.notes.read().values().any(|note| note.trouble.is_some()), "{operation} {applied}");
            tokio::time::sleep(Duration::from_secs(30)).await;
            world.cloud.simulator.set_faults(Vec::new()).unwrap();
            assert!(world.notes.read().is_empty(), "{operation} {applied}");
        }
    }
    assert_eq!(world.held().await.len(), 4);
    world.cloud.client.deregister_instance(&world.directory, "uid-1true").await.unwrap();
    let stray = Entry::Instance(Instance { address: "10.0.9.9".parse().unwrap(), port: None });
    world.cloud.client.register_instance(&world.directory, "stray", &stray, "stray").await.unwrap();
    let held = world.later(Duration::from_secs(700)).await;
    assert!(held.len() == 4 && held.iter().all(|one| !one.starts_with("stray")), "{held:?}");
}

#[tokio::test(start_paused = true)]
async fn more_pods_than_an_answer_holds_are_noted() {
    let world = World::new(false).await;
    for number in 1..10 {
        world.run(testing::pod(&format!("pod-{number}"), number));
    }
    assert_eq!(world.held().await.len(), 9);
    assert!(world.notes.read()[&key()].crowded);
}

#[tokio::test(start_paused = true)]
async fn a_directory_that_is_held_goes_on_being_filled_and_after_a_start_only_loses_what_is_gone() {
    let mut world = World::new(false).await;
    world.run(testing::pod("a", 1));
    world.held().await;
    let directory = world.directory.clone();
    world.progress.update(|progress| {
        progress.resources.clear();
        progress.held_directories.insert(directory);
    });
    world.desired.send_replace(Some(Arc::new(Desired::default())));
    world.run(testing::pod("b", 2));
    assert_eq!(world.held().await, ["uid-a 10.0.0.1", "uid-b 10.0.0.2"]);
    world.start();
    world.run(testing::pod("c", 3));
    world.gone("a");
    assert_eq!(world.held().await, ["uid-b 10.0.0.2"]);
}
