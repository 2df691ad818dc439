//! Moving requests to groups of whose targets VPC Lattice knows nothing yet.

use lattice::service::WarmUp;
use lattice_client::Urgency;

use super::{check::check, *};

/// Requests wait for the first health check, which a target passes after 20 s.
const SLOW: (&str, &str) = ("health.first_check_delay", "20");

/// The service `web` with its one rule for pods of this Service, and what else its groups need.
fn served_by(backend: &str, tls: bool) -> Desired {
    let mut desired = Desired { networks: [("net".to_owned(), network())].into(), ..Desired::default() };
    let mut key = group_key(&owner("web"), backend);
    let mut listener = listener("http", vec![rule("/", forward(&key))]);
    if tls {
        key.protocol = GroupProtocol::Tcp;
        listener = ListenerSpec {
            protocol: ListenerProtocol::TlsPassthrough,
            default: forward(&key),
            rules: Vec::new(),
            ..listener
        };
    }
    let mut group = group_spec(&key);
    group.health_check = HealthCheck { enabled: Some(true), ..HealthCheck::default() }.filled(key.protocol);
    desired.groups.insert(GroupKey::Service(Box::new(key)), group);
    let mut spec = service(&owner("web"), "web-shop", [(80, listener)].into());
    spec.custom_domain = tls.then(|| "web.example.com".into());
    spec.warm_up = Some(WarmUp { healthy_percent: 100, at_most: Duration::from_secs(120) });
    desired.services.insert(owner("web"), spec);
    desired
}

/// The group of this Service, once it is there.
async fn group(world: &World, backend: &str) -> TargetGroupArn {
    let arn_of = |progress: &Progress| {
        progress.groups.iter().find_map(|(key, it)| match key {
            GroupKey::Service(key) if key.service == backend => it.arn.clone(),
            _ => None,
        })
    };
    world.until("the group", |progress| arn_of(progress).is_some()).await;
    arn_of(&world.progress.read()).unwrap()
}

/// The backends by which requests are answered now.
async fn answering(world: &World) -> BTreeSet<TargetGroupArn> {
    let site = testing::site();
    let found = read::catalogue(&world.cloud.client, &site, true, Urgency::Change).await.unwrap();
    let (arn, _) = found.services.into_iter().next().unwrap();
    let seed = read::ServiceSeed { arn, tags: None };
    let logs = BTreeSet::new();
    let read =
        read::service(&world.cloud.client, &site, seed, read::Ours::default(), logs, Urgency::Change).await;
    let tree = read.unwrap().unwrap().tree;
    let listener = &tree.listeners[&80];
    let rules = listener.rules.values().filter_map(|placed| placed.rule.as_ref());
    let rules = rules.filter(|rule| !lattice::plan::rules::is_warming(rule)).map(|rule| &rule.action);
    let shares = rules.chain(&listener.listener.default).flat_map(Action::shares);
    shares.filter(|share| share.weight > 0).map(|share| share.group.clone()).collect()
}

/// A world in which `web` is served by pods of `old`, and is to be served by those of `new`.
async fn moving(settings: &[(&str, &str)], tls: bool, targets: bool) -> (World, [TargetGroupArn; 2]) {
    let mut world = World::new(settings).await;
    world.stop().await;
    world.settings.linger = Duration::from_secs(60);
    world.start();
    world.want(served_by("old", tls));
    let old = group(&world, "old").await;
    world.cloud.register(&old, &[testing::target(1)]).await;
    world.done().await;
    // What may have been named before the start is kept for a while; that is over.
    world.idle(Duration::from_secs(120)).await;
    world.want(served_by("new", tls));
    let new = group(&world, "new").await;
    if targets {
        world.cloud.register(&new, &[testing::target(2)]).await;
    }
    (world, [old, new])
}

#[tokio::test(start_paused = true)]
async fn requests_move_to_a_group_when_its_targets_are_healthy_and_the_old_one_stays_for_a_while() {
    for (tls, restart) in [(false, false), (false, true), (true, false)] {
        let (mut world, [old, new]) = moving(&[SLOW], tls, true).await;
        world.idle(Duration::from_secs(15)).await;
        assert_eq!(answering(&world).await, [old.clone()].into(), "tls {tls}");
        let waits = world.progress.read().services[&owner("web")].waits.clone();
        assert!(matches!(waits.as_slice(), [lattice::plan::Wait::Warming(_)]), "{waits:?}");
        if restart {
            world.restart().await;
        }
        world.done().await;
        assert_eq!(answering(&world).await, [new.clone()].into(), "tls {tls}");
        world.idle(Duration::from_secs(50)).await;
        // Requests may still be on their way to it.
        assert!(world.progress.read().used.contains(&old));
        world.cloud.client.group(&old, Urgency::Change).await.unwrap();
        let soon = Instant::now() + Duration::from_secs(60);
        let never = std::future::pending();
        world.cloud.client.deregister(&old, &[testing::target(1)], soon, never).await.unwrap();
        world.idle(Duration::from_secs(600)).await;
        assert_eq!(world.progress.read().used, [new].into());
        check(&world, &served_by("new", tls)).await.unwrap();
        world.changes();
        world.idle(Duration::from_secs(600)).await;
        assert_eq!(world.calls(), counts(&[]));
    }
}

#[tokio::test(start_paused = true)]
async fn requests_move_to_a_group_without_healthy_targets_when_it_has_been_waited_for_long_enough() {
    let (world, [old, new]) = moving(&[], false, false).await;
    world.idle(Duration::from_secs(100)).await;
    assert_eq!(answering(&world).await, [old].into());
    world.idle(Duration::from_secs(30)).await;
    assert_eq!(answering(&world).await, [new].into());
}

#[tokio::test(start_paused = true)]
async fn requests_move_at_once_where_there_is_no_room_for_one_more_rule() {
    let (world, [_, new]) = moving(&[SLOW, ("quota.rules_per_listener", "1")], false, true).await;
    world.idle(Duration::from_secs(5)).await;
    assert_eq!(answering(&world).await, [new].into());
    assert_eq!(world.progress.read().services[&owner("web")].troubles, []);
}

#[tokio::test(start_paused = true)]
async fn a_wish_that_is_taken_back_leaves_nothing_behind() {
    let (world, [old, _]) = moving(&[SLOW], false, true).await;
    world.idle(Duration::from_secs(5)).await;
    world.want(served_by("old", false));
    world.done().await;
    assert_eq!(answering(&world).await, [old].into());
    world.idle(Duration::from_secs(600)).await;
    let rules = &world.cloud.simulator.state().services[0].listeners[0].rules;
    assert_eq!(rules.len(), 2, "the one of the route and the default");
}
