//! What goes wrong at VPC Lattice, behind the engine's back, and with the engine itself.

use std::sync::atomic::{AtomicU64, Ordering};

use lattice_client::{Options, Transport};
use lattice_sim::Fault;

use super::{check::check, *};

/// A cluster's life: services come, change and go.
fn life() -> Vec<Desired> {
    let mut first = many(&["web", "api"]);
    let web = first.services.get_mut(&owner("web")).unwrap();
    web.auth_policy = Some(POLICY.into());
    web.access_logs = [LOGS.to_owned()].into();
    let mut second = first.clone();
    let key = group_key(&owner("web"), "other");
    second.groups.insert(GroupKey::Service(Box::new(key.clone())), group_spec(&key));
    for spec in second.groups.values_mut() {
        spec.health_check.interval = Some(10);
        spec.tags.insert("team".into(), "shop".into());
    }
    let net = second.networks.get_mut("net").unwrap();
    net.auth_policy = Some(POLICY.into());
    net.access_logs = [LOGS.to_owned()].into();
    let web = second.services.get_mut(&owner("web")).unwrap();
    web.auth_policy = None;
    web.access_logs.clear();
    web.tags.insert("team".into(), "shop".into());
    let listener = web.listeners.get_mut(&80).unwrap();
    listener.default = forward(&key);
    listener.rules.reverse();
    listener.rules.push(rule("/c", forward(&key)));
    web.listeners.insert(8080, super::listener("more", vec![rule("/", Action::Fixed(404))]));
    second.services.remove(&owner("api"));
    second.groups.remove(&GroupKey::Service(Box::new(group_key(&owner("api"), "api"))));
    let mut third = second.clone();
    let web = third.services.get_mut(&owner("web")).unwrap();
    let listener = web.listeners.get_mut(&80).unwrap();
    listener.rules.truncate(1);
    listener.rules[0].action = forward(&key);
    web.listeners.remove(&8080);
    web.networks.clear();
    third.networks.get_mut("net").unwrap().auth_policy = None;
    third.networks.get_mut("net").unwrap().access_logs.clear();
    third.networks.get_mut("net").unwrap().vpc = None;
    third.groups.remove(&GroupKey::Service(Box::new(group_key(&owner("web"), "web"))));
    vec![first, second, third, Desired::default()]
}

/// Lives through it all.
async fn live(world: &World, what: &str) {
    for (number, desired) in life().into_iter().enumerate() {
        world.want(desired.clone());
        world.idle(Duration::from_secs(1)).await;
        world.done().await;
        // What nobody wants goes without anybody's waiting for it.
        world.idle(Duration::from_secs(130)).await;
        if let Err(error) = check(world, &desired).await {
            panic!("{what}, stage {number}: {error}");
        }
    }
}

/// The operations that change something in such a life.
const CHANGES: [&str; 21] = [
    "BatchUpdateRule",
    "CreateAccessLogSubscription",
    "CreateListener",
    "CreateRule",
    "CreateService",
    "CreateServiceNetwork",
    "CreateServiceNetworkServiceAssociation",
    "CreateServiceNetworkVpcAssociation",
    "CreateTargetGroup",
    "DeleteAccessLogSubscription",
    "DeleteAuthPolicy",
    "DeleteListener",
    "DeleteRule",
    "DeleteService",
    "DeleteServiceNetworkServiceAssociation",
    "DeleteServiceNetworkVpcAssociation",
    "DeleteTargetGroup",
    "PutAuthPolicy",
    "TagResource",
    "UpdateListener",
    "UpdateTargetGroup",
];

#[tokio::test(start_paused = true)]
async fn without_faults_a_life_takes_these_operations() {
    let world = World::new(&[]).await;
    live(&world, "no fault").await;
    let mut changes: BTreeSet<String> = world.changes().into_keys().collect();
    // Changes of services and networks depend on how far their policies are.
    assert!(changes.remove("UpdateService"));
    assert!(changes.remove("UpdateServiceNetwork"));
    assert!(changes.remove("UntagResource"));
    assert_eq!(changes, CHANGES.iter().map(|name| (*name).to_owned()).collect());
}

#[tokio::test(start_paused = true)]
async fn every_operation_may_fail_in_every_way_twice() {
    let others = ["UpdateService", "UpdateServiceNetwork", "UntagResource", "tagging.GetResources"];
    let reads = ["ListServiceNetworks", "ListServiceNetworkVpcAssociations"];
    for operation in CHANGES.into_iter().chain(others).chain(reads) {
        let with = |error: &str, applied| Fault {
            error: Some(error.into()),
            applied: Some(applied),
            count: Some(2),
            ..Fault::on(operation)
        };
        let timeout =
            |applied| Fault { timeout: true, applied: Some(applied), count: Some(2), ..Fault::on(operation) };
        for (name, fault) in [
            ("throttled", with("ThrottlingException", false)),
            ("failed, done", with("InternalServerException", true)),
            ("failed, not done", with("InternalServerException", false)),
            ("timed out, done", timeout(true)),
            ("timed out, not done", timeout(false)),
            ("conflict", with("ConflictException", false)),
            ("denied", with("AccessDeniedException", false)),
            ("missing", with("ResourceNotFoundException", false)),
            ("refused", with("ValidationException", false)),
        ] {
            let world = World::new(&[]).await;
            // Not every operation can fail in every way.
            let given = world.cloud.simulator.set_faults(vec![fault]).is_ok();
            // A rule that is refused twice is taken for bad.
            let bad = name == "refused" && (operation == "CreateRule" || operation == "BatchUpdateRule");
            // What is said to be gone is not looked for again before the audit.
            let lie = name == "missing" && (operation.starts_with("Delete") || operation == "UntagResource");
            if given && !bad && !lie {
                live(&world, &format!("{operation} {name}")).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_denied_hinders_nothing_else_and_is_told() {
    for operation in
        ["CreateRule", "CreateTargetGroup", "PutAuthPolicy", "CreateServiceNetworkVpcAssociation"]
    {
        let world = World::new(&[]).await;
        let denied = Fault { error: Some("AccessDeniedException".into()), ..Fault::on(operation) };
        world.cloud.simulator.set_faults(vec![denied]).unwrap();
        let mut desired = one();
        desired.services.get_mut(&owner("web")).unwrap().auth_policy = Some(POLICY.into());
        world.want(desired.clone());
        world.idle(Duration::from_secs(600)).await;
        let progress = world.progress.read().clone();
        let troubles = progress.services[&owner("web")].troubles.iter();
        let troubles = troubles.chain(progress.groups.values().filter_map(|it| it.trouble.as_ref()));
        let troubles: Vec<_> = troubles.chain(&progress.networks["net"].troubles).collect();
        assert!(!troubles.is_empty(), "{operation}");
        for trouble in troubles {
            assert!(trouble.message.contains(&format!("vpc-lattice:{operation}")), "{trouble:?}");
            assert!(trouble.needs_operator);
        }
        let service = &world.cloud.simulator.state().services[0];
        let rules = if operation == "CreateRule" { 1 } else { 3 };
        assert_eq!(service.listeners[0].rules.len(), rules, "{operation}");
        let calls = world.calls();
        assert!(calls[operation] < 20, "{calls:?}");
        world.cloud.simulator.set_faults(Vec::new()).unwrap();
        world.done().await;
        check(&world, &desired).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn throttling_is_told_when_it_does_not_pass() {
    for (times, told) in [(Some(4), false), (None, true)] {
        let world = World::new(&[]).await;
        let throttled =
            Fault { error: Some("ThrottlingException".into()), count: times, ..Fault::on("CreateService") };
        world.cloud.simulator.set_faults(vec![throttled]).unwrap();
        let desired = one();
        world.want(desired.clone());
        let mut seen = None;
        for _ in 0..60 {
            world.idle(Duration::from_secs(1)).await;
            let progress = world.progress.read().clone();
            seen = seen.or_else(|| progress.services.get(&owner("web"))?.troubles.first().cloned());
        }
        assert_eq!(seen.is_some(), told, "{seen:?}");
        if let Some(trouble) = seen {
            assert_eq!(trouble.kind, "throttled");
            assert!(!trouble.needs_operator);
        }
        world.cloud.simulator.set_faults(Vec::new()).unwrap();
        world.done().await;
        check(&world, &desired).await.unwrap();
        assert!(world.progress.read().services[&owner("web")].troubles.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_is_refused_is_left_out_and_named() {
    let world = World::new(&[]).await;
    let mut desired = one();
    let rules = &mut desired.services.get_mut(&owner("web")).unwrap().listeners.get_mut(&80).unwrap().rules;
    // Only paths that begin with a slash are legal.
    rules.push(rule("bad", Action::Fixed(404)));
    rules.push(rule("/c", Action::Fixed(404)));
    world.want(desired.clone());
    let web = owner("web");
    world
        .until("trouble", |progress| {
            progress
                .services
                .get(&web)
                .is_some_and(|it| it.troubles.iter().any(|one| one.doing.contains("bad*")))
        })
        .await;
    world.idle(Duration::from_secs(600)).await;
    assert_eq!(world.cloud.simulator.state().services[0].listeners[0].rules.len(), 4);
    // All else is as it should be.
    assert!(world.progress.read().services[&web].done);
    assert_eq!(world.progress.read().services[&web].troubles.len(), 1);
    // The same in a batch.
    let rules = &mut desired.services.get_mut(&web).unwrap().listeners.get_mut(&80).unwrap().rules;
    rules.remove(2);
    world.want(desired.clone());
    world.done().await;
    let rules = &mut desired.services.get_mut(&web).unwrap().listeners.get_mut(&80).unwrap().rules;
    rules[0] = rule("/d", Action::Fixed(404));
    rules[1] = rule("worse", Action::Fixed(404));
    rules[2] = rule("/e", Action::Fixed(404));
    world.want(desired.clone());
    world.idle(Duration::from_secs(600)).await;
    let progress = world.progress.read().services[&web].clone();
    let named = progress.troubles.iter().filter(|one| one.doing.contains("worse*")).count();
    assert_eq!(named, 1, "{progress:?}");
    assert!(!progress.troubles.iter().any(|one| one.doing.contains("/d*")), "{progress:?}");
    desired.services.get_mut(&web).unwrap().listeners.get_mut(&80).unwrap().rules.remove(1);
    world.want(desired.clone());
    world.done().await;
    check(&world, &desired).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_others_change_is_mended_at_the_audit_and_counted() {
    let mut world = World::new(&[]).await;
    world.stop().await;
    world.settings.audit_period = Some(Duration::from_secs(600));
    world.start();
    let desired = life().remove(1);
    world.want(desired.clone());
    world.done().await;
    world.changes();
    // Nobody changes anything.
    world.idle(Duration::from_hours(4)).await;
    assert_eq!((world.changes(), world.metrics.drift()), (counts(&[]), 0));
    let client = world.cloud.client.clone();
    let service = || world.cloud.simulator.state().services.into_iter().next().unwrap();
    let id = service().id.as_str().into();
    for number in 0..8 {
        let listener = service().listeners.into_iter().find(|listener| listener.port == 80).unwrap();
        let listener_id = listener.id.as_str().into();
        let rule = listener.rules.iter().find(|rule| rule.priority.is_some()).unwrap();
        match number {
            0 => client.delete_rule(&id, &listener_id, &rule.id.as_str().into()).await.unwrap(),
            1 => client.update_listener(&id, &listener_id, &Action::Fixed(500)).await.unwrap(),
            2 => client.delete_listener(&id, &listener_id).await.unwrap(),
            3 => {
                let of = lattice_client::ServiceAssociationsOf::Service(&id);
                let there = client.service_associations(of, Urgency::Change).await.unwrap();
                client.dissociate_service(&there[0].id).await.unwrap();
            }
            4 => client.put_auth_policy(id.as_str(), POLICY).await.unwrap(),
            5 => client.untag(&service().arn, &["team"]).await.unwrap(),
            6 => {
                let group = world.cloud.simulator.state().target_groups[0].arn.parse().unwrap();
                let protocol = GroupProtocol::Http(HttpVersion::Http1);
                client.update_group(&group, protocol, &HealthCheck::default()).await.unwrap();
            }
            _ => {
                let vpc = read::vpc(&client, &testing::site(), Urgency::Change).await.unwrap();
                client.dissociate_vpc(&vpc.values().next().unwrap().id).await.unwrap();
            }
        }
        world.idle(Duration::from_secs(1_300)).await;
        check(&world, &desired).await.unwrap_or_else(|error| panic!("change {number}: {error}"));
        assert_eq!(world.metrics.drift(), number + 1, "change {number}");
    }
    // The whole service.
    let of = lattice_client::ServiceAssociationsOf::Service(&id);
    let there = client.service_associations(of, Urgency::Change).await.unwrap();
    client.dissociate_service(&there[0].id).await.unwrap();
    client.delete_service(&id).await.unwrap();
    world.idle(Duration::from_secs(1_300)).await;
    check(&world, &desired).await.unwrap();
    assert_eq!(world.metrics.drift(), 9);
}

/// A client whose process dies at its call of this number: that one is made, but its answer never arrives, and no later
/// one is made. With `blind`, resources can't be found by their tags, as shortly after they were made.
pub(super) async fn mortal(world: &World, last: u64, blind: bool) -> Client {
    let (simulator, made) = (world.cloud.simulator.clone(), Arc::new(AtomicU64::new(0)));
    let transport = Transport::new(move |request: http::Request<Vec<u8>>| {
        let (simulator, number) = (simulator.clone(), made.fetch_add(1, Ordering::Relaxed) + 1);
        async move {
            if number > last {
                return std::future::pending().await;
            }
            let tagging = request.headers().get("x-amz-target").is_some();
            if blind && tagging {
                let body = br#"{"ResourceTagMappingList":[],"PaginationToken":""}"#.to_vec();
                return http::Response::new(body);
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
async fn an_engine_that_dies_at_any_call_leaves_nothing_twice() {
    for blind in [false, true] {
        for last in 1.. {
            let mut world = World::new(&[]).await;
            world.stop().await;
            let client = mortal(&world, last, false).await;
            let immortal = std::mem::replace(&mut world.cloud.client, client);
            world.start();
            for desired in life().into_iter().take(2) {
                world.want(desired);
                world.idle(Duration::from_secs(8)).await;
            }
            let desired = world.desired.borrow().clone().unwrap();
            let survived = is_done(&desired, &world.progress.read());
            world.stop().await;
            world.cloud.client = mortal(&world, u64::MAX, blind).await;
            world.settings.audit_period = Some(Duration::from_secs(600));
            world.start();
            world.done().await;
            world.stop().await;
            // Later, everything is found by its tags, and what was left over goes.
            world.cloud.client = immortal;
            world.start();
            world.done().await;
            world.idle(Duration::from_secs(200)).await;
            if let Err(error) = check(&world, &desired).await {
                panic!("died at call {last}, blind {blind}: {error}");
            }
            if survived {
                break;
            }
        }
    }
}
