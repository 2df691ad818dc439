//! Whatever is wanted in turn, whatever fails, and however often the engine dies: in the end VPC Lattice holds what is
//! wanted last, and what is others' is as it was.

use lattice::service::WarmUp;
use lattice_sim::Fault;
use proptest::prelude::*;

use super::{
    check::check,
    published::publish,
    resources::{Tcp, add_tcp},
    *,
};

/// What happens.
#[derive(Debug, Clone)]
enum Event {
    Want(Vec<Option<Route>>, Net, Net, Vec<Option<Tcp>>),
    Faults(Vec<(usize, u8, u8)>),
    Wait(u16),
    Restart,
}

/// A listener: whether it ends TLS, where requests go that no rule matches, and its rules.
type ListenerPick = (bool, u8, Vec<(u8, u8)>);

/// A service.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a wish of its own")]
struct Route {
    domain: bool,
    policy: bool,
    logs: bool,
    published: bool,
    /// Whether requests wait for a group to be healthy, which none is: for half a minute.
    warm_up: bool,
    networks: [bool; 2],
    /// By port 80 and 8080.
    listeners: [Option<ListenerPick>; 2],
    interval: u16,
}

/// A network.
#[derive(Debug, Clone)]
struct Net {
    vpc: bool,
    policy: bool,
    logs: bool,
}

const OPERATIONS: [&str; 35] = [
    "*",
    "BatchUpdateRule",
    "CreateAccessLogSubscription",
    "CreateListener",
    "CreateRule",
    "CreateService",
    "CreateServiceNetwork",
    "CreateServiceNetworkServiceAssociation",
    "CreateServiceNetworkVpcAssociation",
    "CreateTargetGroup",
    "DeleteListener",
    "DeleteRule",
    "DeleteService",
    "DeleteServiceNetworkServiceAssociation",
    "DeleteServiceNetworkVpcAssociation",
    "DeleteTargetGroup",
    "PutAuthPolicy",
    "TagResource",
    "UpdateListener",
    "UpdateService",
    "GetService",
    "GetTargetGroup",
    "ListServiceNetworks",
    "tagging.GetResources",
    "CreateResourceConfiguration",
    "CreateResourceGateway",
    "CreateServiceNetworkResourceAssociation",
    "DeleteResourceConfiguration",
    "DeleteResourceGateway",
    "DeleteServiceNetworkResourceAssociation",
    "UpdateResourceConfiguration",
    "servicediscovery.CreatePrivateDnsNamespace",
    "servicediscovery.CreateService",
    "servicediscovery.DeleteService",
    "servicediscovery.ListNamespaces",
];

fn fault((operation, kind, count): (usize, u8, u8)) -> Fault {
    let operation = OPERATIONS[operation % OPERATIONS.len()];
    let fault = Fault { probability: 0.7, count: Some(u64::from(count)), ..Fault::on(operation) };
    let error =
        |name: &str, applied| Fault { error: Some(name.into()), applied: Some(applied), ..fault.clone() };
    match kind {
        0 => error("ThrottlingException", false),
        1 => error("InternalServerException", false),
        2 => error("InternalServerException", true),
        3 => Fault { timeout: true, applied: Some(false), ..fault },
        4 => Fault { timeout: true, applied: Some(true), ..fault },
        5 => error("ConflictException", false),
        6 => error("AccessDeniedException", false),
        7 => Fault {
            fails: Some(lattice_sim::Failure { code: "Internal".into(), message: "by itself".into() }),
            ..fault
        },
        _ => Fault { latency_ms: Some(700), ..fault },
    }
}

fn backend(service: &str, number: u8) -> Option<ServiceGroupKey> {
    (number > 0).then(|| group_key(&owner(service), &format!("backend{number}")))
}

fn desired(routes: &[Option<Route>], first: &Net, second: &Net, tcp: &[Option<Tcp>]) -> Desired {
    let mut desired = Desired::default();
    let network = |net: &Net, vpc: bool| NetworkSpec {
        vpc: (net.vpc && vpc).then(VpcAssociationSpec::default),
        auth_policy: net.policy.then(|| POLICY.into()),
        access_logs: net.logs.then(|| LOGS.into()).into_iter().collect(),
        ..network()
    };
    desired.networks.insert("first".into(), network(first, true));
    // The VPC is in one at most.
    desired.networks.insert("second".into(), network(second, !first.vpc));
    for (name, route) in ["a", "b", "c"].iter().zip(routes) {
        let Some(route) = route else { continue };
        let mut listeners = BTreeMap::new();
        for (port, given) in [80, 8080].into_iter().zip(&route.listeners) {
            let Some((tls, default, given)) = given else { continue };
            let action = |number: u8| backend(name, number).map_or(Action::Fixed(404), |key| forward(&key));
            let mut rules: Vec<Rule<GroupKey>> = Vec::new();
            for (path, number) in given {
                let rule = rule(&format!("/{}", "p".repeat(usize::from(*path))), action(*number));
                if rules.iter().all(|other| other.matching != rule.matching) {
                    rules.push(rule);
                }
            }
            for key in [*default].iter().chain(given.iter().map(|(_, number)| number)) {
                if let Some(key) = backend(name, *key) {
                    let mut spec = group_spec(&key);
                    spec.health_check.interval = Some(route.interval);
                    desired.groups.insert(GroupKey::Service(Box::new(key)), spec);
                }
            }
            let mut spec = listener(&format!("on-{port}"), rules);
            spec.default = action(*default);
            if *tls {
                spec.protocol = ListenerProtocol::Https;
            }
            listeners.insert(port, spec);
        }
        let mut spec = service(&owner(name), &names::service(name, "shop"), listeners);
        let networks = ["first", "second"].iter().zip(route.networks);
        spec.networks = networks.filter(|(_, is)| *is).map(|(name, _)| (*name).to_owned()).collect();
        spec.custom_domain = route.domain.then(|| format!("{name}.example.com"));
        spec.auth_policy = route.policy.then(|| POLICY.into());
        spec.warm_up =
            route.warm_up.then_some(WarmUp { healthy_percent: 75, at_most: Duration::from_secs(30) });
        spec.access_logs = route.logs.then(|| LOGS.into()).into_iter().collect();
        desired.services.insert(owner(name), spec);
        if route.published {
            publish(&mut desired, name);
        }
    }
    for (name, tcp) in ["x", "y"].iter().zip(tcp) {
        if let Some(tcp) = tcp {
            add_tcp(&mut desired, name, tcp);
        }
    }
    desired
}

fn net() -> impl Strategy<Value = Net> {
    (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(vpc, policy, logs)| Net { vpc, policy, logs })
}

fn route() -> impl Strategy<Value = Route> {
    let rules = proptest::collection::vec((0..5_u8, 0..4_u8), 0..5);
    let listener = proptest::option::weighted(0.7, (any::<bool>(), 0..3_u8, rules));
    let flags = (proptest::bool::weighted(0.2), any::<[bool; 4]>(), any::<[bool; 2]>());
    (flags, [listener.clone(), listener], 10..12_u16).prop_map(
        |((domain, [policy, logs, published, warm_up], networks), listeners, interval)| Route {
            domain,
            policy,
            logs,
            published,
            warm_up,
            networks,
            listeners,
            interval,
        },
    )
}

fn wanted() -> impl Strategy<Value = Event> {
    let routes = proptest::collection::vec(proptest::option::weighted(0.7, route()), 3);
    let tcp = (any::<bool>(), 0..3_u8, any::<bool>()).prop_map(|(gateway, directory, network)| Tcp {
        gateway,
        directory,
        network,
    });
    let tcp = proptest::collection::vec(proptest::option::weighted(0.6, tcp), 2);
    (routes, net(), net(), tcp)
        .prop_map(|(routes, first, second, tcp)| Event::Want(routes, first, second, tcp))
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let faults = proptest::collection::vec((0..OPERATIONS.len(), 0..9_u8, 1..4_u8), 0..6);
    let event = prop_oneof![
        4 => wanted(),
        3 => faults.prop_map(Event::Faults),
        3 => (0..20_000_u16).prop_map(Event::Wait),
        1 => Just(Event::Restart),
    ];
    let last = wanted();
    (proptest::collection::vec(event, 1..12), last).prop_map(|(mut events, last)| {
        events.push(last);
        events
    })
}

async fn play(events: &[Event], slow: bool) -> Result<(), String> {
    let delays = [
        ("delay.service_create", "2"),
        ("delay.service_delete", "3"),
        ("delay.association_create", "4"),
        ("delay.association_delete", "3"),
        ("delay.target_group_create", "1"),
        ("delay.target_group_delete", "1"),
        ("delay.resource_gateway_create", "4"),
        ("delay.resource_gateway_delete", "3"),
        ("delay.resource_configuration_create", "2"),
        ("delay.resource_configuration_update", "2"),
        ("delay.resource_configuration_delete", "2"),
        ("delay.vpc_association_create", "10"),
        ("delay.vpc_association_update", "5"),
        ("delay.vpc_association_delete", "20"),
    ];
    let mut world = World::new(if slow { &delays } else { &[] }).await;
    if slow {
        world.settings.linger = Duration::from_secs(60);
        world.restart().await;
    }
    world.cloud.create("/services", serde_json::json!({ "name": "foreign-shop" })).await;
    world
        .cloud
        .create("/servicenetworks", serde_json::json!({ "name": "foreign", "authType": "AWS_IAM" }))
        .await;
    world.idle(Duration::from_secs(3)).await;
    let before = world.cloud.simulator.state().services;
    for event in events {
        match event {
            Event::Want(routes, first, second, tcp) => world.want(desired(routes, first, second, tcp)),
            Event::Faults(faults) => {
                let faults: Vec<Fault> = faults.iter().map(|one| fault(*one)).collect();
                // Not every operation can fail in every way.
                for fault in faults {
                    let mut all = world.cloud.simulator.faults();
                    all.push(fault);
                    let _ = world.cloud.simulator.set_faults(all);
                }
            }
            Event::Wait(milliseconds) => world.idle(Duration::from_millis(u64::from(*milliseconds))).await,
            Event::Restart => world.restart().await,
        }
    }
    world.cloud.simulator.set_faults(Vec::new()).unwrap();
    let wanted = world.desired.borrow().clone().unwrap();
    let start = Instant::now();
    // What is shown may still be of what was wanted before.
    world.idle(Duration::from_secs(1)).await;
    let mut changes = world.progress.subscribe();
    while !is_done(&wanted, &world.progress.read()) {
        if tokio::time::timeout(Duration::from_mins(20), changes.changed()).await.is_err() {
            let progress = world.progress.read();
            let services = progress.services.iter().filter(|(_, it)| !it.done).map(|it| format!("{it:?}"));
            let groups = progress.groups.iter().filter(|(_, it)| !it.done).map(|it| format!("{it:?}"));
            let networks = progress.networks.iter().filter(|(_, it)| !it.done).map(|it| format!("{it:?}"));
            let resources = progress.resources.iter().filter(|(_, it)| !it.done).map(|it| format!("{it:?}"));
            let left: Vec<String> = services.chain(groups).chain(networks).chain(resources).collect();
            return Err(format!("not done: {}", left.join("\n")));
        }
    }
    let took = start.elapsed();
    // What nobody wants goes without anybody's waiting for it.
    world.idle(Duration::from_secs(600)).await;
    check(&world, &wanted).await?;
    world.calls();
    world.idle(Duration::from_secs(3_600)).await;
    let calls = world.calls();
    if !calls.is_empty() {
        return Err(format!("calls at rest: {calls:?}"));
    }
    world.restart().await;
    world.done().await;
    world.idle(Duration::from_secs(600)).await;
    let changes = world.changes();
    if !changes.is_empty() {
        return Err(format!("changes after a restart: {changes:?}"));
    }
    let state = world.cloud.simulator.state();
    if state.services.iter().find(|one| one.name == "foreign-shop") != before.first() {
        return Err("what is others' was touched".into());
    }
    // After five minutes of waiting for an operator, a service is made anew within a few more.
    if took > Duration::from_mins(15) { Err(format!("took {took:?}")) } else { Ok(()) }
}

/// As many cases as take some seconds, or as many as `PROPTEST_CASES` says.
fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(48);
    ProptestConfig { cases, max_shrink_iters: 400, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]
    #[test]
    fn whatever_happens_the_last_wish_comes_true(events in events(), slow in any::<bool>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let result = runtime.block_on(play(&events, slow));
        prop_assert!(result.is_ok(), "{} after {events:?}, slow {slow}", result.unwrap_err());
    }
}
