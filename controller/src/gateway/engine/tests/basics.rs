//! Coming to be, changing, going.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_service_comes_to_be_with_as_many_calls_as_objects_and_then_costs_none() {
    let world = World::new(&[]).await;
    world.idle(Duration::from_secs(5)).await;
    assert_eq!(world.calls(), counts(&[]));
    world.want(one());
    world.done().await;
    assert_eq!(
        world.calls(),
        counts(&[
            ("CreateListener", 1),
            ("CreateRule", 2),
            ("CreateService", 1),
            ("CreateServiceNetwork", 1),
            ("CreateServiceNetworkServiceAssociation", 1),
            ("CreateServiceNetworkVpcAssociation", 1),
            ("CreateTargetGroup", 1),
            ("ListServiceNetworkVpcAssociations", 1),
            ("ListServiceNetworks", 1),
            ("tagging.GetResources", 3),
        ])
    );
    let progress = world.progress.read().clone();
    let service = progress.services[&owner("web")].service.clone().unwrap();
    assert_eq!(service.name, "web-shop");
    assert!(service.dns_name.is_some());
    assert!(progress.networks["net"].found && progress.networks["net"].vpc.is_some());
    world.want(one());
    world.idle(Duration::from_secs(3_600)).await;
    assert_eq!(world.calls(), counts(&[]));
    assert_eq!(*world.progress.read(), progress);
}

#[tokio::test(start_paused = true)]
async fn a_rule_whose_backend_changes_is_changed_by_one_call() {
    let world = World::new(&[]).await;
    let mut desired = one();
    let key = group_key(&owner("web"), "other");
    desired.groups.insert(GroupKey::Service(Box::new(key.clone())), group_spec(&key));
    desired.services.get_mut(&owner("web")).unwrap().listeners.get_mut(&80).unwrap().rules[1].action =
        forward(&key);
    world.want(desired.clone());
    world.done().await;
    let web = group_key(&owner("web"), "web");
    world.calls();
    let rules = &mut desired.services.get_mut(&owner("web")).unwrap().listeners.get_mut(&80).unwrap().rules;
    rules[0].action = forward(&key);
    rules[1].action = forward(&web);
    world.want(desired);
    world.idle(Duration::from_secs(1)).await;
    world.done().await;
    assert_eq!(world.calls(), counts(&[("BatchUpdateRule", 1)]));
}

#[tokio::test(start_paused = true)]
async fn what_nobody_wants_any_more_goes_and_what_is_anothers_stays() {
    let world = World::new(&[]).await;
    let site = testing::site();
    let foreign = [
        // The same pattern of names; no tags, tags of another cluster, and a group that was granted for bindings.
        ("/services", serde_json::json!({ "name": "foreign-shop" })),
        (
            "/services",
            serde_json::json!({ "name": "theirs-shop", "tags": {
                tags::CLUSTER: "another", tags::OWNER: names::owner_tag(&owner("theirs"))
            }}),
        ),
        (
            "/targetgroups",
            serde_json::json!({
                "name": "granted", "type": "IP",
                "tags": { tags::CLUSTER: site.cluster, tags::NAMESPACE: "shop" },
                "config": { "port": 80, "protocol": "HTTP", "vpcIdentifier": site.vpc }
            }),
        ),
        (
            "/targetgroups",
            serde_json::json!({
                "name": "shared", "type": "IP",
                "tags": { tags::CLUSTER: "demo another", tags::GROUP: "0123" },
                "config": { "port": 80, "protocol": "HTTP", "vpcIdentifier": site.vpc }
            }),
        ),
    ];
    for (path, body) in foreign {
        world.cloud.create(path, body).await;
    }
    let before = world.cloud.simulator.state();
    world.want(many(&["web", "api"]));
    world.done().await;
    assert_eq!(world.cloud.simulator.state().services.len(), 4);
    world.calls();
    world.want(Desired::default());
    world.idle(Duration::from_secs(60)).await;
    let changes = world.changes();
    assert_eq!(
        changes,
        counts(&[
            ("DeleteService", 2),
            ("DeleteServiceNetworkServiceAssociation", 2),
            ("DeleteServiceNetworkVpcAssociation", 1),
            ("DeleteTargetGroup", 2),
        ])
    );
    let after = world.cloud.simulator.state();
    assert_eq!((after.services, after.target_groups), (before.services, before.target_groups));
    let progress = world.progress.read().clone();
    assert_eq!(progress, Progress { loaded: true, read: true, ..Progress::default() });
    world.idle(Duration::from_secs(3_600)).await;
    assert_eq!(world.calls(), counts(&[]));
}

#[tokio::test(start_paused = true)]
async fn a_restart_changes_nothing() {
    let mut world = World::new(&[]).await;
    let mut desired = many(&["web", "api"]);
    let web = desired.services.get_mut(&owner("web")).unwrap();
    web.auth_policy = Some(POLICY.into());
    web.access_logs = [LOGS.to_owned()].into();
    let net = desired.networks.get_mut("net").unwrap();
    net.auth_policy = Some(POLICY.into());
    net.access_logs = [LOGS.to_owned()].into();
    world.want(desired.clone());
    world.done().await;
    let state = world.cloud.simulator.state();
    world.changes();
    for tagging in [true, false] {
        world.settings.tagging = tagging;
        world.restart().await;
        world.done().await;
        world.idle(Duration::from_secs(60)).await;
        assert_eq!(world.changes(), counts(&[]), "tagging {tagging}");
        let now = world.cloud.simulator.state();
        assert_eq!((&now.services, &now.target_groups), (&state.services, &state.target_groups));
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_anothers_is_trouble_and_nothing_of_it_is_touched() {
    let world = World::new(&[]).await;
    world.cloud.create("/services", serde_json::json!({ "name": "web-shop" })).await;
    let before = world.cloud.simulator.state().services;
    world.want(many(&["web", "api"]));
    let (web, api) = (owner("web"), owner("api"));
    world.until("the other one", |progress| progress.services.get(&api).is_some_and(|it| it.done)).await;
    world.until("trouble", |progress| !progress.services[&web].troubles.is_empty()).await;
    let trouble = world.progress.read().services[&web].troubles[0].clone();
    assert_eq!((trouble.kind, trouble.needs_operator), ("taken", true));
    assert_eq!(trouble.doing, "making the service");
    assert!(
        trouble.message.contains("the name web-shop is taken by a service that does not belong"),
        "{trouble:?}"
    );
    world.idle(Duration::from_secs(600)).await;
    assert_eq!(world.cloud.simulator.state().services[0], before[0]);
    // Once it has gone, the name is free.
    world.cloud.client.delete_service(&before[0].id.as_str().into()).await.unwrap();
    world.done().await;
}

#[tokio::test(start_paused = true)]
async fn a_network_that_others_make_is_awaited() {
    let world = World::new(&[]).await;
    let mut desired = one();
    desired.networks.get_mut("net").unwrap().create = false;
    world.want(desired);
    let web = owner("web");
    world
        .until("waiting", |progress| {
            progress
                .services
                .get(&web)
                .is_some_and(|it| it.waits == [lattice::plan::Wait::Network("net".into())])
        })
        .await;
    world.idle(Duration::from_secs(600)).await;
    let progress = world.progress.read().clone();
    assert!(!progress.networks["net"].found);
    assert_eq!(progress.networks["net"].troubles[0].kind, "missing");
    let calls = world.calls();
    assert!(calls["ListServiceNetworks"] < 20, "{calls:?}");
    world.cloud.create("/servicenetworks", serde_json::json!({ "name": "net" })).await;
    let start = Instant::now();
    world.done().await;
    assert!(start.elapsed() <= Duration::from_secs(61), "{:?}", start.elapsed());
    assert!(world.progress.read().networks["net"].vpc.is_some());
}

#[tokio::test(start_paused = true)]
async fn what_takes_time_is_awaited_and_hinders_nothing_else() {
    let mut world = World::new(&[
        ("delay.service_create", "5"),
        ("delay.service_delete", "5"),
        ("delay.association_create", "10"),
        ("delay.association_delete", "10"),
        ("delay.target_group_create", "2"),
        ("delay.target_group_delete", "2"),
        ("delay.vpc_association_create", "30"),
        ("delay.vpc_association_delete", "75"),
    ])
    .await;
    world.want(one());
    world.idle(Duration::from_secs(1)).await;
    let state = world.cloud.simulator.state();
    assert_eq!(state.services[0].listeners[0].rules.len(), 3);
    let calls = world.changes();
    assert_eq!(calls.values().sum::<u64>(), 8, "{calls:?}");
    let start = Instant::now();
    world.done().await;
    assert!(start.elapsed() < Duration::from_secs(36), "{:?}", start.elapsed());
    let polls = world.calls();
    assert!(polls.values().sum::<u64>() < 25, "{polls:?}");
    world.restart().await;
    world.want(Desired::default());
    world.idle(Duration::from_secs(200)).await;
    let state = world.cloud.simulator.state();
    assert_eq!((state.services.len(), state.target_groups.len()), (0, 0));
    world.calls();
    world.want(one());
    world.done().await;
}

#[tokio::test(start_paused = true)]
async fn held_services_stay_as_they_are_with_their_groups() {
    let mut world = World::new(&[]).await;
    world.want(many(&["web", "api"]));
    world.done().await;
    let state = world.cloud.simulator.state();
    let mut desired = many(&[]);
    desired.held = [owner("web"), owner("api"), owner("none")].into();
    for restart in [false, true] {
        if restart {
            world.restart().await;
        }
        world.calls();
        world.want(desired.clone());
        world.idle(Duration::from_secs(600)).await;
        assert_eq!(world.changes(), counts(&[]));
        let now = world.cloud.simulator.state();
        assert_eq!((&now.services, &now.target_groups), (&state.services, &state.target_groups));
    }
    assert!(world.progress.read().services[&owner("web")].service.is_some());
    desired.held = [owner("api")].into();
    world.want(desired);
    world.idle(Duration::from_secs(60)).await;
    let now = world.cloud.simulator.state();
    assert_eq!(now.services.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["api-shop"]);
    assert_eq!(now.target_groups.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_group_that_a_binding_names_stays_until_that_is_gone() {
    let world = World::new(&[]).await;
    world.want(one());
    world.done().await;
    let key = GroupKey::Service(Box::new(group_key(&owner("web"), "web")));
    let arn = world.progress.read().groups[&key].arn.clone().unwrap();
    // Whoever judges bindings knows the group without reading it, and that it is in use.
    let facts = |world: &World| {
        let now = Instant::now();
        world.groups.update(|groups| {
            groups.want(&[arn.clone()].into(), now);
            groups.facts(&arn).cloned()
        })
    };
    let known = facts(&world).unwrap();
    assert_eq!((known.group.services.len(), known.group.active), (1, true));
    assert_eq!(known.tags[tags::NAMESPACE], "shop");
    let binding = testing::accepted_to("web", &arn);
    let bound = |change: fn(_) -> _| {
        let update = crate::cluster::Update::Bindings(change(binding.clone()));
        world.cluster.update(|cluster| cluster.apply(update, Instant::now()));
    };
    bound(lath_kubernetes::watch::Change::Applied);
    world.want(Desired::default());
    world.idle(Duration::from_secs(60)).await;
    let state = world.cloud.simulator.state();
    assert_eq!((state.services.len(), state.target_groups.len()), (0, 1));
    assert_eq!(facts(&world).unwrap().group.services.len(), 0);
    assert!(!world.calls().contains_key("DeleteTargetGroup"));
    bound(lath_kubernetes::watch::Change::Deleted);
    world.idle(Duration::from_secs(5)).await;
    assert_eq!(world.cloud.simulator.state().target_groups.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn fifty_services_take_as_many_calls_as_objects_and_less_than_a_second() {
    let world = World::new(&[]).await;
    let latency = lattice_sim::Fault { latency_ms: Some(20), ..lattice_sim::Fault::on("*") };
    world.cloud.simulator.set_faults(vec![latency]).unwrap();
    world.want(many(&[]));
    world.done().await;
    world.calls();
    let names: Vec<String> = (0..50).map(|number| format!("web{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    world.want(many(&names));
    let start = Instant::now();
    world.done().await;
    let (took, calls) = (start.elapsed(), world.calls());
    // A service, a group, a listener, two rules and an association each.
    assert_eq!(calls.values().sum::<u64>(), 300, "{calls:?}");
    assert!(took < Duration::from_millis(300), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_network_without_a_gateway_is_made_or_adopted_and_never_deleted() {
    for there in [false, true] {
        let world = World::new(&[]).await;
        if there {
            world.cloud.create("/servicenetworks", serde_json::json!({ "name": "net" })).await;
        }
        let alone = NetworkSpec { vpc: None, ..network() };
        world.calls();
        world.want(Desired { networks: [("net".to_owned(), alone)].into(), ..Desired::default() });
        world.done().await;
        let made = if there { counts(&[]) } else { counts(&[("CreateServiceNetwork", 1)]) };
        assert_eq!(world.changes(), made);
        assert!(world.progress.read().networks["net"].arn.is_some());
        world.want(Desired::default());
        world.idle(Duration::from_secs(600)).await;
        assert_eq!(world.changes(), counts(&[]));
    }
}

#[tokio::test(start_paused = true)]
async fn tags_go_that_were_asked_for_and_are_no_longer_and_others_stay() {
    let asked = |pairs: &[(&str, &str)]| {
        let mut desired = one();
        let service = desired.services.values_mut().map(|spec| &mut spec.tags);
        // As those of an exported group.
        for tags in service.chain(desired.groups.values_mut().map(|spec| &mut spec.tags)) {
            tags.extend(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
            tags.extend(tags::record(pairs.iter().map(|(key, _)| *key)));
        }
        desired
    };
    let mut world = World::new(&[]).await;
    world.want(asked(&[("stage", "prod"), ("team", "shop")]));
    world.done().await;
    let service = || world.cloud.simulator.state().services[0].clone();
    let foreign = Tags::from([("foreign".to_owned(), "x".to_owned())]);
    world.cloud.client.tag(&service().arn, &foreign).await.unwrap();
    // Also by an engine that knows nothing of what was.
    world.stop().await;
    world.start();
    world.calls();
    world.want(asked(&[("team", "pay")]));
    world.done().await;
    let mut expected = asked(&[("team", "pay")]).services[&owner("web")].tags.clone();
    expected.extend(foreign.clone());
    assert_eq!(world.cloud.simulator.state().services[0].tags, expected);
    // Of the service and of the group: what is new and what goes, and then what is remembered of it.
    assert_eq!(world.changes(), counts(&[("TagResource", 4), ("UntagResource", 2)]));
    // One that dies between what goes and its record.
    world.stop().await;
    let arn = world.cloud.simulator.state().services[0].arn.clone();
    world.cloud.client.untag(&arn, &["team"]).await.unwrap();
    world.start();
    world.want(one());
    world.done().await;
    let mut expected = one().services[&owner("web")].tags.clone();
    expected.extend(foreign);
    assert_eq!(world.cloud.simulator.state().services[0].tags, expected);
    let group = world.cloud.simulator.state().target_groups[0].tags.clone();
    assert_eq!(group, one().groups.into_values().next().unwrap().tags);
}
