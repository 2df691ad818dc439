//! Two clusters in one account: what one exports, the other imports.

use lattice::{
    import::{ImportKey, Speaks},
    service::Owner,
};

use super::{faults::mortal, *};
use crate::gateway::engine::progress::ImportProgress;

/// An engine of another cluster at the same cloud.
async fn beside(world: &World, cluster: &str) -> World {
    let mut other = World::new(&[]).await;
    other.stop().await;
    other.cloud.simulator = world.cloud.simulator.clone();
    other.cloud.client = world.cloud.client.clone();
    other.site = Site { cluster: cluster.into(), vpc: format!("vpc-0{cluster:a<16}"), ..testing::site() };
    other.start();
    other
}

fn export_owner() -> Owner {
    "ServiceExport/shop/web".into()
}

/// What a cluster wants that exports a Service by these ports.
fn exporting(site: &Site, ports: &[u16]) -> Desired {
    let mut desired = Desired::default();
    for port in ports {
        let key = ServiceGroupKey { port: *port, ..group_key(&export_owner(), "web") };
        let mut spec = group_spec(&key);
        spec.name = names::group(&key, &site.cluster);
        spec.port = *port;
        spec.vpc.clone_from(&site.vpc);
        spec.tags.extend([
            (tags::CLUSTER.to_owned(), site.cluster.clone()),
            (tags::SOURCE_TYPE.to_owned(), tags::EXPORT.to_owned()),
            (tags::EXPORTED.to_owned(), "true".to_owned()),
            (tags::SERVICE_NAME.to_owned(), "web".to_owned()),
            (tags::SERVICE_NAMESPACE.to_owned(), "shop".to_owned()),
        ]);
        desired.groups.insert(GroupKey::Service(Box::new(key)), spec);
    }
    desired
}

fn import_key() -> ImportKey {
    ImportKey {
        namespace: "shop".into(),
        name: "web".into(),
        cluster: None,
        vpc: None,
        port: None,
        speaks: Speaks::Http,
    }
}

/// A service that sends a quarter of its requests to the export, and the rest to pods of its own.
fn importing(key: GroupKey) -> Desired {
    let mut desired = one();
    let own = GroupKey::Service(Box::new(group_key(&owner("web"), "web")));
    let mut shares = vec![Weighted { group: own, weight: 3 }, Weighted { group: key.clone(), weight: 1 }];
    shares.sort();
    let listener = desired.services.get_mut(&owner("web")).unwrap().listeners.get_mut(&80).unwrap();
    listener.rules[0].action = Action::Forward(shares);
    desired.imports.insert(key);
    desired
}

fn imported(key: ImportKey) -> GroupKey {
    GroupKey::Imported(Box::new(key))
}

/// The action of the service's rule that imports.
async fn action(world: &World) -> Action<TargetGroupArn> {
    let client = &world.cloud.client;
    let service = client.services(Urgency::Change).await.unwrap().remove(0);
    let seed = read::ServiceSeed { arn: service.arn, tags: None };
    let site = world.site.clone();
    let read =
        read::service(client, &site, seed, read::Ours::default(), BTreeSet::new(), Urgency::Change).await;
    let tree = read.unwrap().unwrap().tree;
    let rules = tree.listeners[&80].rules.values().filter_map(|placed| placed.rule.clone());
    let is_path = |rule: &Rule<TargetGroupArn>| rule.matching.path == Some(PathMatch::Prefix("/a".into()));
    rules.filter(is_path).map(|rule| rule.action).next().unwrap()
}

/// Its shares by weight.
async fn shares(world: &World) -> BTreeMap<u16, TargetGroupArn> {
    match action(world).await {
        Action::Forward(shares) => shares.into_iter().map(|share| (share.weight, share.group)).collect(),
        Action::Fixed(_) => BTreeMap::new(),
    }
}

fn group_of(world: &World) -> TargetGroupArn {
    let progress = world.progress.read();
    let group = progress
        .groups
        .iter()
        .find(|(key, _)| matches!(key, GroupKey::Service(key) if key.owner == export_owner()));
    group.unwrap().1.arn.clone().unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_a_cluster_exports_another_shares_requests_with_and_keeps_until_it_lets_go() {
    for tagging in [true, false] {
        let mut red = World::new(&[]).await;
        red.settings.tagging = tagging;
        red.restart().await;
        let blue = beside(&red, "blue").await;
        let key = imported(import_key());
        red.want(importing(key.clone()));
        red.done().await;
        // Nobody exports it yet.
        assert_eq!(action(&red).await, Action::Fixed(500));
        assert_eq!(red.progress.read().imports[&key], ImportProgress::Missing(String::new()));
        red.idle(Duration::from_secs(600)).await;
        red.calls();
        red.idle(Duration::from_secs(300)).await;
        let looks = red.calls();
        assert!(looks.values().sum::<u64>() <= if tagging { 11 } else { 22 }, "{looks:?}");
        blue.want(exporting(&blue.site, &[80]));
        blue.done().await;
        // It is found without any edit, soon.
        red.idle(Duration::from_secs(32)).await;
        red.done().await;
        let theirs = group_of(&blue);
        assert_eq!(red.progress.read().imports[&key], ImportProgress::Found(theirs.clone()));
        let found = shares(&red).await;
        assert_eq!(found[&1], theirs);
        assert_ne!(found[&3], theirs);
        red.calls();
        red.idle(Duration::from_secs(3_600)).await;
        assert_eq!(red.calls(), counts(&[]));
        // It is no longer exported, but its pods are needed.
        blue.want(Desired::default());
        blue.idle(Duration::from_secs(120)).await;
        {
            let progress = blue.progress.read();
            let leaving = &progress.leaving_exports[&theirs];
            assert_eq!(leaving.services.as_ref().map(Vec::len), Some(1), "{leaving:?}");
            assert!(progress.used.contains(&theirs));
        }
        assert_eq!(shares(&red).await[&1], theirs);
        red.want(one());
        red.idle(Duration::from_secs(60)).await;
        red.done().await;
        assert!(blue.progress.read().leaving_exports.is_empty());
        assert_eq!(red.cloud.simulator.state().target_groups.len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn several_that_fit_are_refused_unless_one_was_there_first() {
    let mut red = World::new(&[]).await;
    red.settings.audit_period = Some(Duration::from_secs(60));
    red.restart().await;
    let (blue, green) = (beside(&red, "blue").await, beside(&red, "green").await);
    blue.want(exporting(&blue.site, &[80]));
    blue.done().await;
    let key = imported(import_key());
    red.want(importing(key.clone()));
    red.done().await;
    let theirs = group_of(&blue);
    assert_eq!(shares(&red).await[&1], theirs);
    green.want(exporting(&green.site, &[80]));
    green.done().await;
    red.until("ambiguity", |progress| {
        matches!(&progress.imports[&key], ImportProgress::Ambiguous(which) if which.contains("blue") && which.contains("green"))
    })
    .await;
    red.idle(Duration::from_secs(600)).await;
    assert_eq!(shares(&red).await[&1], theirs);
    red.restart().await;
    red.done().await;
    red.idle(Duration::from_secs(600)).await;
    assert_eq!(shares(&red).await[&1], theirs);
    // A rule that has had neither gets neither.
    red.want(one());
    red.idle(Duration::from_secs(1)).await;
    red.done().await;
    red.want(importing(key));
    red.idle(Duration::from_secs(5)).await;
    red.done().await;
    assert_eq!(action(&red).await, Action::Fixed(500));
    let of_green = ImportKey { cluster: Some("green".into()), ..import_key() };
    red.want(importing(imported(of_green)));
    red.idle(Duration::from_secs(5)).await;
    red.done().await;
    assert_eq!(shares(&red).await[&1], group_of(&green));
}

#[tokio::test(start_paused = true)]
async fn an_export_that_takes_anothers_place_is_followed() {
    let mut red = World::new(&[]).await;
    red.settings.audit_period = Some(Duration::from_secs(60));
    red.restart().await;
    let blue = beside(&red, "blue").await;
    blue.want(exporting(&blue.site, &[80]));
    blue.done().await;
    let before = group_of(&blue);
    red.want(importing(imported(import_key())));
    red.done().await;
    assert_eq!(shares(&red).await[&1], before);
    blue.want(exporting(&blue.site, &[8080]));
    blue.idle(Duration::from_secs(1)).await;
    blue.done().await;
    blue.idle(Duration::from_secs(20)).await;
    assert!(blue.progress.read().used.contains(&before));
    red.idle(Duration::from_secs(150)).await;
    red.done().await;
    assert_eq!(shares(&red).await[&1], group_of(&blue));
    assert!(blue.progress.read().leaving_exports.is_empty());
    // One that stays as it is keeps its pods.
    blue.want(Desired { held: [export_owner()].into(), ..Desired::default() });
    blue.idle(Duration::from_secs(20)).await;
    let there = shares(&red).await[&1].clone();
    assert!(blue.progress.read().used.contains(&there));
    // One that is wanted again is exported again.
    blue.want(Desired::default());
    blue.idle(Duration::from_secs(20)).await;
    blue.want(exporting(&blue.site, &[8080]));
    blue.idle(Duration::from_secs(1)).await;
    blue.done().await;
    let tags = blue.cloud.client.tags(group_of(&blue).as_str(), Urgency::Change).await.unwrap();
    assert_eq!(tags[tags::EXPORTED], "true");
}

#[tokio::test(start_paused = true)]
async fn rules_stay_as_they_are_while_nothing_can_be_found() {
    let red = World::new(&[]).await;
    let blue = beside(&red, "blue").await;
    blue.want(exporting(&blue.site, &[80, 8080]));
    blue.done().await;
    red.want(one());
    red.done().await;
    let before = action(&red).await;
    let denied = lattice_sim::Fault {
        error: Some("InternalServerException".into()),
        ..lattice_sim::Fault::on("GetTargetGroup")
    };
    red.cloud.simulator.set_faults(vec![denied]).unwrap();
    let key = imported(ImportKey { port: Some(8080), ..import_key() });
    red.want(importing(key.clone()));
    red.idle(Duration::from_secs(120)).await;
    assert_eq!(action(&red).await, before);
    assert!(matches!(red.progress.read().imports[&key], ImportProgress::Unknown(_)));
    red.cloud.simulator.set_faults(Vec::new()).unwrap();
    red.idle(Duration::from_secs(62)).await;
    red.done().await;
    assert_eq!(shares(&red).await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_group_that_is_named_by_its_arn_has_to_be_there() {
    let red = World::new(&[]).await;
    let there = red.cloud.group("theirs", false, true).await;
    let key = GroupKey::External(there.clone());
    red.want(importing(key.clone()));
    red.done().await;
    assert_eq!(shares(&red).await[&1], there);
    let gone = GroupKey::External(testing::arn(9));
    red.want(importing(gone.clone()));
    red.idle(Duration::from_secs(5)).await;
    red.done().await;
    assert_eq!(action(&red).await, Action::Fixed(500));
    assert_eq!(red.progress.read().imports[&gone], ImportProgress::Missing(String::new()));
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_dies_at_any_call_still_shares_what_another_exports() {
    for exporter_dies in [false, true] {
        for last in 1.. {
            let mut red = World::new(&[]).await;
            let mut blue = beside(&red, "blue").await;
            let dying = if exporter_dies { &mut blue } else { &mut red };
            dying.stop().await;
            let client = mortal(dying, last, false).await;
            let immortal = std::mem::replace(&mut dying.cloud.client, client);
            dying.start();
            let key = imported(import_key());
            blue.want(exporting(&blue.site, &[80]));
            red.want(importing(key.clone()));
            red.idle(Duration::from_secs(60)).await;
            let dying = if exporter_dies { &mut blue } else { &mut red };
            let survived = is_done(&dying.desired.borrow().clone().unwrap(), &dying.progress.read());
            dying.stop().await;
            dying.cloud.client = immortal;
            dying.start();
            red.idle(Duration::from_secs(60)).await;
            red.done().await;
            blue.done().await;
            assert_eq!(shares(&red).await[&1], group_of(&blue), "died at call {last}");
            assert_eq!(red.cloud.simulator.state().target_groups.len(), 2, "died at call {last}");
            if survived {
                break;
            }
        }
    }
}
