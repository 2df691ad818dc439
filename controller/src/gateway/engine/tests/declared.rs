//! Targets that are declared rather than found behind a Service.

use lattice::declared::{DeclaredKey, DeclaredTarget, EventVersion, GroupForm};

use super::{faults::mortal, *};

const HTTP: GroupProtocol = GroupProtocol::Http(HttpVersion::Http1);
const FUNCTION: &str = "arn:aws:lambda:us-west-2:123456789012:function:checkout";

fn key(form: GroupForm, single: Option<&str>) -> DeclaredKey {
    let vpc = (!matches!(form, GroupForm::Lambda { .. })).then(|| testing::site().vpc);
    DeclaredKey {
        owner: owner("web"),
        namespace: "shop".into(),
        name: "old".into(),
        form,
        vpc,
        single: single.map(str::to_owned),
    }
}

fn addresses() -> GroupForm {
    GroupForm::Ip { protocol: HTTP, family: IpFamily::IPv4 }
}

fn targets(ids: impl IntoIterator<Item = String>, port: Option<u16>) -> BTreeSet<DeclaredTarget> {
    ids.into_iter().map(|id| DeclaredTarget::new(&id, port)).collect()
}

/// A service whose first rule sends requests to these targets.
fn declaring(key: &DeclaredKey, targets: BTreeSet<DeclaredTarget>) -> Desired {
    let mut desired = one();
    let own = GroupKey::Service(Box::new(group_key(&owner("web"), "web")));
    desired.groups.remove(&own);
    let declared = GroupKey::Declared(Box::new(key.clone()));
    let mut tags = own_tags(tags::GROUP, names::tag_of(&declared).unwrap());
    tags.insert(tags::OWNER.into(), names::owner_tag(&key.owner));
    tags.insert(tags::SOURCE_TYPE.into(), tags::DECLARED.into());
    let check = key.form.protocol().filter(|_| key.form.is_checked());
    let spec = GroupSpec {
        name: names::declared(key, ""),
        port: 80,
        vpc: testing::site().vpc,
        health_check: check.map(|protocol| HealthCheck::default().filled(protocol)).unwrap_or_default(),
        tags,
        targets: Some(targets),
    };
    desired.groups.insert(declared.clone(), spec);
    let listener = desired.services.get_mut(&owner("web")).unwrap().listeners.get_mut(&80).unwrap();
    listener.rules[0].action = Action::Forward(vec![Weighted { group: declared, weight: 1 }]);
    desired
}

/// The targets of the group of a key.
fn held(world: &World, key: &DeclaredKey) -> Vec<String> {
    let key = GroupKey::Declared(Box::new(key.clone()));
    let arn = world.progress.read().groups[&key].arn.clone().unwrap();
    world.cloud.held(&arn)
}

#[tokio::test(start_paused = true)]
async fn targets_of_each_kind_are_put_in_before_rules_turn_to_them() {
    let balancer =
        "arn:aws:elasticloadbalancing:us-west-2:123456789012:loadbalancer/app/shop/0123456789abcdef";
    for (form, id, port) in [
        (GroupForm::Lambda { events: EventVersion::V2 }, FUNCTION, None),
        (GroupForm::Alb { protocol: HTTP }, balancer, Some(80)),
        (GroupForm::Instance { protocol: HTTP }, "i-0123456789abcdef0", Some(80)),
        (addresses(), "10.0.0.7", Some(80)),
    ] {
        let world = World::new(&[]).await;
        let key = key(form, None);
        let desired = declaring(&key, targets([id.to_owned()], port));
        world.want(desired.clone());
        world.done().await;
        super::check::check(&world, &desired).await.unwrap();
        assert_eq!(held(&world, &key), [format!("{id}:{}", port.unwrap_or_default())]);
        world.calls();
        world.idle(Duration::from_secs(3_600)).await;
        assert_eq!(world.calls(), counts(&[]), "{form:?}");
        world.want(Desired::default());
        world.idle(Duration::from_secs(400)).await;
        assert_eq!(world.cloud.simulator.state().target_groups.len(), 0, "{form:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn hundreds_come_and_go_by_hundreds_and_what_others_change_is_mended() {
    let mut world = World::new(&[]).await;
    world.settings.audit_period = Some(Duration::from_secs(600));
    world.restart().await;
    let key = key(addresses(), None);
    let some = |from: u8, to: u8| targets((from..to).map(|last| format!("10.0.0.{last}")), Some(80));
    world.want(declaring(&key, some(1, 251)));
    world.done().await;
    assert_eq!(held(&world, &key).len(), 250);
    let calls = world.calls();
    assert_eq!((calls["RegisterTargets"], calls["ListTargets"]), (3, 1));
    world.want(declaring(&key, some(241, 255)));
    world.idle(Duration::from_secs(1)).await;
    world.done().await;
    assert_eq!(held(&world, &key).len(), 14);
    let calls = world.changes();
    assert_eq!(calls, counts(&[("DeregisterTargets", 3), ("RegisterTargets", 1)]));
    let group = GroupKey::Declared(Box::new(key.clone()));
    let arn = world.progress.read().groups[&group].arn.clone().unwrap();
    let foreign = testing::target(1);
    world.cloud.register(&arn, &[foreign]).await;
    let gone = some(241, 242).into_iter().collect::<Vec<_>>();
    world.cloud.client.deregister_declared(&arn, &gone).await.unwrap();
    world.idle(Duration::from_mins(15)).await;
    let held = held(&world, &key);
    assert_eq!(held.len(), 14);
    assert!(!held.contains(&foreign.to_string()) && held.contains(&"10.0.0.241:80".to_owned()), "{held:?}");
}

#[tokio::test(start_paused = true)]
async fn another_function_is_there_before_the_old_one_goes() {
    let world = World::new(&[]).await;
    let form = GroupForm::Lambda { events: EventVersion::V1 };
    let first = key(form, Some(FUNCTION));
    world.want(declaring(&first, targets([FUNCTION.to_owned()], None)));
    world.done().await;
    let next = format!("{FUNCTION}-next");
    let second = key(form, Some(&next));
    let desired = declaring(&second, targets([next.clone()], None));
    world.want(desired.clone());
    world.idle(Duration::from_secs(400)).await;
    world.done().await;
    super::check::check(&world, &desired).await.unwrap();
    assert_eq!(held(&world, &second), [format!("{next}:0")]);
}

#[tokio::test(start_paused = true)]
async fn a_target_that_is_refused_is_told_and_hinders_no_other() {
    let world = World::new(&[]).await;
    let key = key(GroupForm::Instance { protocol: HTTP }, None);
    let ids = ["i-0123456789abcdef0", "no-instance", "i-0123456789abcdef1"].map(str::to_owned);
    world.want(declaring(&key, targets(ids, Some(80))));
    world.idle(Duration::from_secs(60)).await;
    assert_eq!(held(&world, &key), ["i-0123456789abcdef0:80", "i-0123456789abcdef1:80"]);
    let group = GroupKey::Declared(Box::new(key));
    let trouble = world.progress.read().groups[&group].trouble.clone().unwrap();
    assert_eq!(trouble.kind, "refused");
    assert!(trouble.message.contains("no-instance"), "{trouble:?}");
    assert!(world.progress.read().services[&owner("web")].done);
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_dies_at_any_call_still_puts_all_targets_in() {
    for last in 1.. {
        let mut world = World::new(&[]).await;
        world.stop().await;
        let client = mortal(&world, last, false).await;
        let immortal = std::mem::replace(&mut world.cloud.client, client);
        world.start();
        let key = key(addresses(), None);
        let desired = declaring(&key, targets(["10.0.0.7".to_owned(), "10.0.0.8".to_owned()], Some(80)));
        world.want(desired.clone());
        world.idle(Duration::from_secs(8)).await;
        let survived = is_done(&desired, &world.progress.read());
        world.stop().await;
        world.cloud.client = immortal;
        world.start();
        world.done().await;
        world.idle(Duration::from_secs(200)).await;
        super::check::check(&world, &desired).await.unwrap();
        assert_eq!(held(&world, &key), ["10.0.0.7:80", "10.0.0.8:80"], "died at call {last}");
        if survived {
            break;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_found_out_yet_stays_as_it_is_and_gets_no_requests_before() {
    let mut world = World::new(&[]).await;
    let key = key(addresses(), None);
    let group = GroupKey::Declared(Box::new(key.clone()));
    let known = declaring(&key, targets(["10.0.0.7".to_owned()], Some(80)));
    let mut unknown = known.clone();
    unknown.groups.get_mut(&group).unwrap().targets = None;

    world.want(unknown.clone());
    world.idle(Duration::from_mins(5)).await;
    assert_eq!(held(&world, &key), [""; 0]);
    let arn = world.progress.read().groups[&group].arn.clone().unwrap();
    let services = world.cloud.client.group(&arn, Urgency::Change).await.unwrap().services;
    assert!(services.is_empty(), "a rule turned to a group of whose targets nothing is known");

    world.want(known.clone());
    world.done().await;
    super::check::check(&world, &known).await.unwrap();
    for restarts in [false, true] {
        if restarts {
            world.restart().await;
        }
        world.want(unknown.clone());
        world.idle(Duration::from_mins(30)).await;
        super::check::check(&world, &known).await.unwrap();
        assert!(world.changes().is_empty() || !restarts, "changed after a restart");
    }
}
