//! Take-overs against the simulator, from what the AWS controller would have made: its names, tags, groups and targets.

use std::sync::atomic::{AtomicU64, Ordering};

use lath_kubernetes::watch::Change;
use lattice::{TargetGroupArn, tags};
use lattice_client::{Options, Transport};
use serde_json::{Value, json};
use tokio::task::AbortHandle;

use super::*;
use crate::{
    gateway::{engine, translate::tests::Case},
    groups::Groups,
    testing::{self, Apply as _, cloud::Cloud},
};

/// A route with two rules at a Gateway of the AWS controller's class.
const ROUTE: &str = "apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: amazon-vpc-lattice }
spec: { controllerName: application-networking.k8s.aws/gateway-api-controller }
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: mesh, namespace: shop }
spec: { gatewayClassName: amazon-vpc-lattice, listeners: [{ name: http, protocol: HTTP, port: 80 }] }
---
apiVersion: application-networking.k8s.aws/v1alpha1
kind: VpcAssociationPolicy
metadata: { name: mesh, namespace: shop }
spec:
  targetRef: { group: gateway.networking.k8s.io, kind: Gateway, name: mesh }
  associateWithVpc: true
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec: { selector: { app: web }, ports: [{ name: http, port: 80 }, { name: more, port: 81, targetPort: 8081 }] }
---
apiVersion: v1
kind: Service
metadata: { name: api, namespace: shop }
spec: { selector: { app: api }, ports: [{ name: http, port: 80 }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: web, namespace: shop }
spec:
  parentRefs: [{ name: mesh }]
  rules:
    - matches: [{ path: { type: PathPrefix, value: /api } }]
      backendRefs: [{ name: api, port: 80 }]
    - backendRefs: [{ name: web, port: 80 }]
";

/// The manager of the AWS controller of this cluster, and of another one.
const MANAGER: &str = "123456789012/demo/vpc-0123456789abcdef0";
const ANOTHER: &str = "123456789012/other/vpc-0123456789abcdef0";

/// What the AWS controller has made.
struct Made {
    service: String,
    association: String,
    vpc: String,
    web: TargetGroupArn,
    api: TargetGroupArn,
}

/// Makes what the AWS controller makes for that route.
async fn make(cloud: &Cloud, manager: &str) -> Made {
    let arn = |value: &Value| value["arn"].as_str().unwrap().to_owned();
    let id = |value: &Value| value["id"].as_str().unwrap().to_owned();
    let own = json!({ tags::MANAGED_BY: manager });
    let network = cloud.create("/servicenetworks", json!({ "name": "mesh", "tags": own })).await;
    let vpc = json!({ "serviceNetworkIdentifier": id(&network), "vpcIdentifier": testing::site().vpc, "tags": own });
    let vpc = cloud.create("/servicenetworkvpcassociations", vpc).await;
    let (web, api) = (group(cloud, "web", manager).await, group(cloud, "api", manager).await);
    cloud.register(&web, &[testing::target(1), testing::target(2)]).await;
    cloud.register(&api, &[testing::target(3)]).await;
    let service = json!({ "name": "web-shop", "tags": {
        tags::MANAGED_BY: manager, tags::ROUTE_NAME: "web", tags::ROUTE_NAMESPACE: "shop", tags::ROUTE_TYPE: "http"
    } });
    let service = cloud.create("/services", service).await;
    let association =
        json!({ "serviceNetworkIdentifier": id(&network), "serviceIdentifier": id(&service), "tags": own });
    let association = cloud.create("/servicenetworkserviceassociations", association).await;
    let listener = json!({
        "name": "web-shop-80-http", "protocol": "HTTP", "port": 80,
        "defaultAction": { "fixedResponse": { "statusCode": 404 } }, "tags": own,
    });
    let listener = cloud.create(&format!("/services/{}/listeners", id(&service)), listener).await;
    for (priority, path, group) in [(1, "/api", &api), (2, "/", &web)] {
        let rule = json!({
            "name": format!("k8s-1700000000-rule-{priority}"), "priority": priority, "tags": own,
            "match": { "httpMatch": { "pathMatch": { "match": { "prefix": path }, "caseSensitive": true } } },
            "action": { "forward": { "targetGroups": [{ "targetGroupIdentifier": group.as_str(), "weight": 1 }] } },
        });
        let path = format!("/services/{}/listeners/{}/rules", id(&service), id(&listener));
        cloud.create(&path, rule).await;
    }
    Made { service: arn(&service), association: arn(&association), vpc: arn(&vpc), web, api }
}

async fn group(cloud: &Cloud, service: &str, manager: &str) -> TargetGroupArn {
    let body = json!({
        "name": format!("k8s-shop-{service}-abcdefghij"), "type": "IP",
        "tags": {
            tags::MANAGED_BY: manager, tags::CLUSTER_NAME: "demo", tags::SERVICE_NAME: service,
            tags::SERVICE_NAMESPACE: "shop", tags::SOURCE_TYPE: "HTTPRoute", tags::PROTOCOL_VERSION: "HTTP1",
            tags::ROUTE_NAME: "web", tags::ROUTE_NAMESPACE: "shop",
        },
        "config": {
            "port": 80, "protocol": "HTTP", "protocolVersion": "HTTP1", "vpcIdentifier": testing::site().vpc
        }
    });
    cloud.create("/targetgroups", body).await["arn"].as_str().unwrap().parse().unwrap()
}

/// A take-over and an engine, which can be killed.
struct World {
    cloud: Cloud,
    tagging: bool,
    settings: Option<Settings>,
    wanted: watch::Sender<Option<Arc<Desired>>>,
    gate: watch::Sender<Option<String>>,
    state: watch::Receiver<State>,
    progress: Arc<Shared<Progress>>,
    cluster: Arc<Shared<Cluster>>,
    tasks: Vec<AbortHandle>,
}

impl World {
    async fn new(yaml: &str) -> Self {
        let settings = Settings { manager: MANAGER.into(), pods: Vec::new() };
        let mut world = Self {
            cloud: Cloud::new(&[]).await,
            tagging: true,
            settings: Some(settings),
            wanted: watch::Sender::new(None),
            gate: watch::Sender::new(None),
            state: watch::channel(State::Off).1,
            progress: Arc::default(),
            cluster: Arc::new(Shared::new(testing::cluster())),
            tasks: Vec::new(),
        };
        world.want(yaml);
        world
    }

    fn want(&mut self, yaml: &str) {
        let outcome = Case::read(yaml).translate();
        self.wanted.send_replace(Some(Arc::new(outcome.desired)));
    }

    fn start(&mut self) {
        self.progress = Arc::default();
        let (state, seen) = watch::channel(State::Off);
        self.state = seen;
        let site = Arc::new(testing::site());
        let (ready, prepared) = watch::channel(None);
        let taker = Links {
            client: self.cloud.client.clone(),
            site: site.clone(),
            cluster: self.cluster.clone(),
            tagging: self.tagging,
            settings: self.settings.clone(),
            gate: self.gate.subscribe(),
            progress: self.progress.clone(),
            state,
            metrics: Metrics::default(),
        };
        let engine = engine::Links {
            client: self.cloud.client.clone(),
            site,
            groups: Arc::new(Shared::new(Groups::new(Duration::from_secs(300)))),
            cluster: self.cluster.clone(),
            settings: engine::Settings {
                audit_period: None,
                tagging: self.tagging,
                linger: Duration::ZERO,
                ..engine::Settings::default()
            },
            metrics: engine::Metrics::default(),
            progress: self.progress.clone(),
        };
        self.tasks = vec![
            tokio::spawn(run(taker, self.wanted.subscribe(), ready)).abort_handle(),
            tokio::spawn(engine::run(engine, prepared)).abort_handle(),
        ];
    }

    async fn stop(&mut self) {
        for task in self.tasks.drain(..) {
            task.abort();
            while !task.is_finished() {
                tokio::task::yield_now().await;
            }
        }
    }

    async fn idle(seconds: u64) {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }

    /// Whether all that is wanted is there.
    fn is_done(&self) -> bool {
        let (desired, progress) = (self.wanted.borrow().clone().unwrap(), self.progress.read());
        progress.loaded
            && desired.services.keys().all(|owner| progress.services.get(owner).is_some_and(|it| it.done))
            && desired.groups.keys().all(|key| progress.groups.get(key).is_some_and(|it| it.done))
            && desired.networks.keys().all(|name| progress.networks.get(name).is_some_and(|it| it.done))
    }

    async fn done(&self) {
        for _ in 0..600 {
            if self.is_done() {
                return;
            }
            Self::idle(1).await;
        }
        panic!("it does not come about: {:#?}", self.progress.read());
    }

    async fn tags(&self, arn: &str) -> Tags {
        self.cloud.client.tags(arn, lattice_client::Urgency::Change).await.unwrap()
    }

    /// Calls since the last time that make or remove what a take-over has to leave as it is.
    fn wrong_calls(&self) -> Vec<String> {
        let calls = self.cloud.simulator.calls();
        self.cloud.simulator.reset_calls();
        let wrong = |name: &String| {
            let part = name.strip_prefix("Delete").or(name.strip_prefix("Create")).unwrap_or_default();
            let whole = ["Service", "TargetGroup", "Listener", "ServiceNetwork"].contains(&part);
            whole || part.ends_with("Association") || name.starts_with("Deregister")
        };
        calls.into_keys().filter(wrong).collect()
    }

    async fn check(&self, made: &Made, what: &str) {
        assert_eq!(self.wrong_calls(), [""; 0], "{what}");
        let state = self.cloud.simulator.state();
        assert_eq!((state.services.len(), state.target_groups.len()), (1, 2), "{what}");
        assert_eq!(state.services[0].arn, made.service, "{what}");
        assert_eq!(state.services[0].name, "web-shop", "{what}");
        for arn in [&made.service, &made.association, &made.vpc] {
            let tags = self.tags(arn).await;
            assert_eq!(tags[tags::CLUSTER], "demo", "{what}: {arn}");
            assert_eq!(tags[tags::MANAGED_BY], format!("lath.dev/{MANAGER}"), "{what}: {arn}");
        }
        for (group, targets) in [(&made.web, 2), (&made.api, 1)] {
            let tags = self.tags(group.as_str()).await;
            assert!(tags.contains_key(tags::GROUP) && tags[tags::CLUSTER] == "demo", "{what}: {tags:?}");
            let foreign = tags.contains_key(tags::MANAGED_BY) || tags.contains_key(tags::CLUSTER_NAME);
            assert!(!foreign, "{what}: {tags:?}");
            assert_eq!(self.cloud.held(group).len(), targets, "{what}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_aws_controller_made_is_taken_over_in_place() {
    for tagging in [true, false] {
        let mut world = World::new(ROUTE).await;
        world.tagging = tagging;
        let made = make(&world.cloud, MANAGER).await;
        world.cloud.simulator.reset_calls();
        world.start();
        world.done().await;
        assert!(world.state.borrow().is_over());
        world.check(&made, &format!("tagging {tagging}")).await;
        // Whoever begins anew finds nothing to do.
        world.stop().await;
        world.start();
        world.done().await;
        World::idle(300).await;
        let calls = world.cloud.simulator.calls();
        let changes: Vec<_> = calls.keys().filter(|name| !is_read(name)).collect();
        assert!(changes.is_empty(), "{changes:?}");
    }
}

fn is_read(name: &str) -> bool {
    ["Get", "List", "tagging.", "servicediscovery.List"].iter().any(|read| name.starts_with(read))
}

#[tokio::test(start_paused = true)]
async fn nothing_is_done_while_the_aws_controller_may_act() {
    let mut world = World::new(ROUTE).await;
    let made = make(&world.cloud, MANAGER).await;
    world.gate.send_replace(Some("waiting for a pod".into()));
    world.cloud.simulator.reset_calls();
    world.start();
    World::idle(600).await;
    assert_eq!(*world.state.borrow(), State::Waiting("waiting for a pod".into()));
    let calls = world.cloud.simulator.calls();
    assert!(calls.keys().all(|name| is_read(name)), "{calls:?}");
    world.gate.send_replace(None);
    world.done().await;
    world.check(&made, "later").await;
    // The same after a restart while it is back: what was taken stays.
    world.stop().await;
    world.gate.send_replace(Some("it is back".into()));
    world.start();
    World::idle(600).await;
    world.check(&made, "it is back").await;
}

/// A client whose process dies at its call of this number: that one is made, but its answer never arrives.
async fn mortal(world: &World, last: u64) -> Client {
    let (simulator, made) = (world.cloud.simulator.clone(), Arc::new(AtomicU64::new(0)));
    let transport = Transport::new(move |request: http::Request<Vec<u8>>| {
        let (simulator, number) = (simulator.clone(), made.fetch_add(1, Ordering::Relaxed) + 1);
        async move {
            if number > last {
                return std::future::pending().await;
            }
            let answer = simulator.handle(request.map(Into::into)).await.map(|body| body.to_vec());
            if number == last { std::future::pending().await } else { answer }
        }
    });
    let options =
        Options { region: Some("us-west-2".into()), transport: Some(transport), ..Options::default() };
    Client::connect(options, lattice_client::Metrics::unregistered()).await
}

#[tokio::test(start_paused = true)]
async fn a_take_over_that_dies_at_any_call_is_finished_by_the_next() {
    for last in 1.. {
        let mut world = World::new(ROUTE).await;
        let made = make(&world.cloud, MANAGER).await;
        world.cloud.simulator.reset_calls();
        let client = mortal(&world, last).await;
        let immortal = std::mem::replace(&mut world.cloud.client, client);
        world.start();
        World::idle(8).await;
        let survived = world.is_done();
        world.stop().await;
        world.cloud.client = immortal;
        world.start();
        world.done().await;
        World::idle(200).await;
        world.check(&made, &format!("died at call {last}")).await;
        if survived {
            assert!(last > 20);
            break;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_fails_is_tried_again_and_stays_as_it_is_until_then() {
    for operation in ["TagResource", "UntagResource", "ListServiceNetworkServiceAssociations", "ListServices"]
    {
        let mut world = World::new(ROUTE).await;
        let made = make(&world.cloud, MANAGER).await;
        let fault = lattice_sim::Fault {
            error: Some("AccessDeniedException".into()),
            count: Some(3),
            ..lattice_sim::Fault::on(operation)
        };
        world.cloud.simulator.set_faults(vec![fault]).unwrap();
        world.cloud.simulator.reset_calls();
        world.start();
        world.done().await;
        // The VPC's association holds nothing up.
        World::idle(60).await;
        world.check(&made, operation).await;
    }
}

#[tokio::test(start_paused = true)]
async fn another_clusters_is_taken_over_only_where_the_route_allows_it() {
    let mut world = World::new(ROUTE).await;
    make(&world.cloud, ANOTHER).await;
    let before = world.cloud.simulator.state().services[0].arn.clone();
    world.start();
    World::idle(120).await;
    let owner = "HTTPRoute/shop/web".to_owned();
    let trouble = world.progress.read().services[&owner].troubles[0].clone();
    assert_eq!(trouble.kind, "taken", "{trouble:?}");
    for (from, taken) in [("123456789012/wrong/vpc-0123456789abcdef0", false), (ANOTHER, true)] {
        let annotation = format!(
            "kind: HTTPRoute\nmetadata:\n  name: web\n  namespace: shop\n  annotations:\n    \
             application-networking.k8s.aws/allow-takeover-from: {from}\n"
        );
        let yaml = ROUTE.replace("kind: HTTPRoute\nmetadata: { name: web, namespace: shop }\n", &annotation);
        assert_ne!(yaml, ROUTE);
        world.want(&yaml);
        // This cluster's pods are waited for before requests are moved to them.
        World::idle(600).await;
        assert_eq!(world.is_done(), taken, "{from}");
    }
    let state = world.cloud.simulator.state();
    assert_eq!(state.services[0].arn, before);
    // The other cluster's groups are its own to remove.
    assert_eq!(state.target_groups.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn of_a_service_with_two_ports_the_group_goes_to_the_port_of_its_targets() {
    for (target_port, wanted_port) in [(80, "80"), (8081, "81")] {
        let two = "    - backendRefs: [{ name: web, port: 80 }, { name: web, port: 81 }]\n";
        let yaml = ROUTE.replace("    - backendRefs: [{ name: web, port: 80 }]\n", two);
        let mut world = World::new(&yaml).await;
        let made = make(&world.cloud, MANAGER).await;
        // The pod is a target on the port that the second port of the Service leads to, or the first.
        world.cluster.update(|cluster| {
            let mut service = testing::service();
            let mut second = service.ports[0].clone();
            (second.name, second.port) = ("more".into(), 81);
            second.target = lath_kubernetes::service::TargetPort::Number(8081);
            service.ports.push(second);
            cluster.apply(crate::cluster::Update::Services(Change::Applied(service)), Instant::now());
            cluster.run(testing::pod("a", 9));
        });
        let target = lattice::Target { port: target_port, ..testing::target(9) };
        world.cloud.register(&made.web, &[target]).await;
        world.cloud.simulator.reset_calls();
        world.start();
        world.done().await;
        let desired = world.wanted.borrow().clone().unwrap();
        let key = desired.groups.keys().find_map(|key| match key {
            GroupKey::Service(key) if key.service == "web" && key.port.to_string() == wanted_port => {
                Some(key)
            }
            _ => None,
        });
        let tag = names::group_tag(key.unwrap());
        assert_eq!(world.tags(made.web.as_str()).await[tags::GROUP], tag, "{target_port}");
        assert_eq!(world.wrong_calls(), ["CreateTargetGroup"]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_matches_nothing_is_left_alone() {
    let mut world = World::new(ROUTE).await;
    let made = make(&world.cloud, MANAGER).await;
    let stray = group(&world.cloud, "gone", MANAGER).await;
    let before = world.tags(stray.as_str()).await;
    world.start();
    world.done().await;
    World::idle(600).await;
    assert_eq!(world.tags(stray.as_str()).await, before);
    assert!(world.tags(made.web.as_str()).await.contains_key(tags::GROUP));
    // A service with another hostname than its route could only be deleted.
    let mut world = World::new(
        &ROUTE.replace("  rules:\n    - matches", "  hostnames: [shop.example.com]\n  rules:\n    - matches"),
    )
    .await;
    let made = make(&world.cloud, MANAGER).await;
    world.cloud.simulator.reset_calls();
    world.start();
    World::idle(300).await;
    let tags = world.tags(&made.service).await;
    assert_eq!(tags[tags::MANAGED_BY], MANAGER);
    assert!(!world.cloud.simulator.calls().contains_key("DeleteService"));
}

#[tokio::test(start_paused = true)]
async fn what_is_given_back_is_as_the_aws_controller_left_it_and_can_be_taken_over_again() {
    let mut world = World::new(ROUTE).await;
    let made = make(&world.cloud, MANAGER).await;
    let all = [&made.service, &made.association, &made.vpc, &made.web.to_string(), &made.api.to_string()];
    let mut before = Vec::new();
    for arn in all {
        before.push(world.tags(arn).await);
    }
    world.start();
    world.done().await;
    world.stop().await;
    let site = testing::site();
    let plan = release::plan(&world.cloud.client, &site, MANAGER).await.unwrap();
    assert_eq!(plan.iter().filter(|one| one.fate == release::Fate::Given).count(), 5, "{plan:#?}");
    assert_eq!(plan.last().unwrap().arn, made.service);
    // Whoever dies on the way goes on.
    for last in 0..=10 {
        let client = mortal(&world, last).await;
        let performing = release::perform(&client, &plan);
        assert!(tokio::time::timeout(Duration::from_secs(5), performing).await.is_err());
        let plan = release::plan(&world.cloud.client, &site, MANAGER).await.unwrap();
        assert_eq!(plan.is_empty(), last == 10, "{last}: {plan:#?}");
    }
    world.cloud.simulator.reset_calls();
    for (arn, before) in all.into_iter().zip(before) {
        assert_eq!(world.tags(arn).await, before, "{arn}");
    }
    world.start();
    world.done().await;
    world.check(&made, "again").await;
}

#[tokio::test(start_paused = true)]
async fn what_lath_has_made_is_given_back_but_for_services_that_nobody_would_find() {
    let hostnames = "  hostnames: [a.example.com, b.example.com]\n  rules:\n    - matches";
    let mut world = World::new(&ROUTE.replace("  rules:\n    - matches", hostnames)).await;
    world.cloud.create("/servicenetworks", json!({ "name": "mesh" })).await;
    world.start();
    world.done().await;
    world.stop().await;
    let plan = release::plan(&world.cloud.client, &testing::site(), MANAGER).await.unwrap();
    let count = |fate| plan.iter().filter(|one| one.fate == fate).count();
    // A service, its association and two groups of each hostname, and the VPC's association.
    assert_eq!((count(release::Fate::Given), count(release::Fate::Kept)), (5, 3), "{plan:#?}");
    release::perform(&world.cloud.client, &plan).await.unwrap();
    let state = world.cloud.simulator.state();
    let service = state.services.iter().find(|service| service.name == "web-shop").unwrap();
    let tags = world.tags(&service.arn).await;
    assert_eq!(tags[tags::MANAGED_BY], MANAGER);
    assert_eq!(tags[tags::ROUTE_NAME], "web");
    assert!(!tags.keys().any(|key| key.starts_with("lath.dev/")), "{tags:?}");
}

/// The id of the group that gets a request for a path, by the rules as they are now.
fn group_for(service: &lattice_sim::ServiceView, path: &str) -> Option<String> {
    let listener = service.listeners.iter().find(|listener| listener.port == 80)?;
    let mut rules: Vec<_> = listener.rules.iter().filter(|rule| rule.priority.is_some()).collect();
    rules.sort_by_key(|rule| rule.priority);
    let matches = |rule: &&lattice_sim::RuleView| {
        let by = &rule.matches.as_ref().unwrap()["httpMatch"]["pathMatch"]["match"];
        by["prefix"].as_str().is_some_and(|prefix| path.starts_with(prefix)) || by["exact"] == path
    };
    let groups = &rules.into_iter().find(matches)?.action["forward"]["targetGroups"];
    Some(groups[0]["targetGroupIdentifier"].as_str()?.to_owned())
}

#[tokio::test(start_paused = true)]
async fn requests_get_to_the_same_targets_after_every_call() {
    let mut world = World::new(ROUTE).await;
    let made = make(&world.cloud, MANAGER).await;
    let simulator = world.cloud.simulator.clone();
    let expected = [("/api", &made.api), ("/api/x", &made.api), ("/", &made.web), ("/x", &made.web)]
        .map(|(path, group)| (path, group.id().to_owned()));
    let wrong: Arc<std::sync::Mutex<Vec<String>>> = Arc::default();
    let seen = wrong.clone();
    let transport = Transport::new(move |request: http::Request<Vec<u8>>| {
        let (simulator, expected, wrong) = (simulator.clone(), expected.clone(), wrong.clone());
        async move {
            let call = format!("{} {}", request.method(), request.uri());
            let answer = simulator.handle(request.map(Into::into)).await.map(|body| body.to_vec());
            let state = simulator.state();
            for (path, id) in &expected {
                let group = state.services.first().and_then(|service| group_for(service, path));
                let targets = |group: &String| {
                    state.target_groups.iter().any(|one| {
                        one.id == *group
                            && one
                                .targets
                                .iter()
                                .any(|target| target.status != lattice_sim::TargetStatus::Draining)
                    })
                };
                if group.as_ref() != Some(id) || !group.as_ref().is_some_and(targets) {
                    wrong.lock().unwrap().push(format!("{path} gets to {group:?} after {call}"));
                }
            }
            answer
        }
    });
    let options =
        Options { region: Some("us-west-2".into()), transport: Some(transport), ..Options::default() };
    world.cloud.client = Client::connect(options, lattice_client::Metrics::unregistered()).await;
    world.start();
    world.done().await;
    World::idle(60).await;
    assert_eq!(*seen.lock().unwrap(), [""; 0]);
    let rules = &world.cloud.simulator.state().services[0].listeners[0].rules;
    // By elements of the path, and the one for all others, and the default.
    assert_eq!(rules.len(), 4, "{rules:?}");
}
