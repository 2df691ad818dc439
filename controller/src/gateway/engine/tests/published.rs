//! Services in Cloud Map: published with the names that VPC Lattice gives them, and gone with them.

use lattice::resource::{Alias, DirectorySpec, Entry, Holds, ResourceKind, ResourceSpec};
use lattice_sim::Fault;

use super::{resources::key, *};
use crate::gateway::directories::{self, Filler};

/// Publishes a service, within its wish.
pub(super) fn publish(desired: &mut Desired, service: &str) -> ResourceKey {
    let key = key(ResourceKind::Directory, &format!("CloudMap/apps.internal/{service}"));
    let spec = DirectorySpec {
        namespace: "apps.internal".into(),
        create_namespace: true,
        vpc: testing::site().vpc,
        name: service.into(),
        holds: Holds::Service(owner(service)),
        tags: own_tags(tags::OWNER, key.owner.clone()),
    };
    desired.resources.insert(key.clone(), ResourceSpec::Directory(spec));
    key
}

/// A service that is published.
fn published() -> (Desired, ResourceKey) {
    let mut desired = one();
    let key = publish(&mut desired, "web");
    (desired, key)
}

/// Starts what fills the directories of a world's engine.
fn fill(world: &World) -> AbortHandle {
    let filler = Filler {
        cluster: world.cluster.clone(),
        progress: world.progress.clone(),
        desired: world.desired.subscribe(),
        client: world.cloud.client.clone(),
        audit_period: None,
        notes: Arc::default(),
        metrics: directories::Metrics::default(),
    };
    tokio::spawn(filler.run()).abort_handle()
}

/// What is in the directories of Cloud Map.
async fn entries(world: &World) -> Vec<Option<Entry>> {
    let mut entries = Vec::new();
    for directory in world.cloud.client.directories(None, Urgency::Change).await.unwrap() {
        let held = world.cloud.client.instances(&directory.id, Urgency::Change).await.unwrap();
        entries.extend(held.into_values());
    }
    entries
}

/// The entry of a service.
fn entry(world: &World, service: &str) -> Entry {
    let facts = world.progress.read().services[&owner(service)].service.clone().unwrap();
    Entry::Alias(Alias { name: facts.dns_name.unwrap(), arn: Some(facts.arn) })
}

#[tokio::test(start_paused = true)]
async fn a_service_is_published_with_its_name_and_goes_from_cloud_map_with_its_route() {
    let mut world = World::new(&[]).await;
    let filler = fill(&world);
    let (desired, key) = published();
    world.want(desired);
    world.done().await;
    world.idle(Duration::from_secs(2)).await;
    assert_eq!(entries(&world).await, [Some(entry(&world, "web"))]);

    // Those who come after find it as it is.
    filler.abort();
    world.restart().await;
    let _filler = fill(&world);
    world.changes();
    world.done().await;
    world.idle(Duration::from_secs(600)).await;
    assert_eq!(world.changes(), counts(&[]));

    // What it was for stays until it is gone.
    let fault = Fault {
        error: Some("InternalServerException".into()),
        ..Fault::on("servicediscovery.DeleteService")
    };
    world.cloud.simulator.set_faults(vec![fault]).unwrap();
    world.want(Desired { networks: one().networks, ..Desired::default() });
    world.idle(Duration::from_secs(600)).await;
    let leaving: Vec<Tags> = world.progress.read().leaving.values().cloned().collect();
    assert_eq!(leaving.iter().map(|tags| tags[tags::OWNER].as_str()).collect::<Vec<_>>(), [key.owner]);
    world.cloud.simulator.set_faults(Vec::new()).unwrap();
    world.until("nothing that leaves", |progress| progress.leaving.is_empty()).await;
    assert_eq!(world.cloud.client.directories(None, Urgency::Change).await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn a_name_passes_to_another_service_without_being_made_anew() {
    let world = World::new(&[]).await;
    let _filler = fill(&world);
    let mut desired = many(&["web", "api"]);
    let key = publish(&mut desired, "web");
    world.want(desired.clone());
    world.done().await;
    world.idle(Duration::from_secs(2)).await;
    world.changes();
    let Some(ResourceSpec::Directory(spec)) = desired.resources.get_mut(&key) else { panic!("no directory") };
    spec.holds = Holds::Service(owner("api"));
    world.want(desired);
    world.idle(Duration::from_secs(60)).await;
    assert_eq!(world.changes(), counts(&[("servicediscovery.RegisterInstance", 1)]));
    assert_eq!(entries(&world).await, [Some(entry(&world, "api"))]);
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_cloud_map_holds_up_no_service() {
    for operation in ["CreatePrivateDnsNamespace", "CreateService", "ListNamespaces"] {
        let world = World::new(&[]).await;
        let _filler = fill(&world);
        let fault = Fault {
            error: Some("AccessDeniedException".into()),
            ..Fault::on(&format!("servicediscovery.{operation}"))
        };
        world.cloud.simulator.set_faults(vec![fault]).unwrap();
        let (desired, key) = published();
        world.want(desired);
        world
            .until("the service", |progress| progress.services.get(&owner("web")).is_some_and(|it| it.done))
            .await;
        let failed = |progress: &Progress| {
            progress.resources.get(&key).is_some_and(|it| it.troubles.iter().any(|one| one.kind == "denied"))
        };
        world.until("a trouble", failed).await;
        world.cloud.simulator.set_faults(Vec::new()).unwrap();
        world.done().await;
        world.idle(Duration::from_secs(2)).await;
        assert_eq!(entries(&world).await, [Some(entry(&world, "web"))], "{operation}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_leads_to_a_service_that_stays_as_it_is_stays_as_well() {
    let mut world = World::new(&[]).await;
    let filler = fill(&world);
    let (desired, key) = published();
    world.want(desired.clone());
    world.done().await;
    world.idle(Duration::from_secs(2)).await;
    let before = entries(&world).await;
    assert_eq!(before.len(), 1);

    let mut held = desired;
    held.version = 2;
    held.services.clear();
    held.groups.clear();
    held.held.insert(owner("web"));
    world.changes();
    world.want(held.clone());
    world.idle(Duration::from_secs(600)).await;
    filler.abort();
    world.restart().await;
    let _filler = fill(&world);
    world.until("everything to be read", |progress| progress.read).await;
    world.idle(Duration::from_secs(600)).await;
    assert_eq!(world.changes(), counts(&[]));
    assert_eq!(entries(&world).await, before);

    // Nothing is made for one that is not there.
    let other = publish(&mut held, "other");
    held.held.insert(owner("other"));
    world.want(held.clone());
    world.idle(Duration::from_secs(600)).await;
    assert_eq!(world.changes(), counts(&[]));

    for key in [&key, &other] {
        held.resources.remove(key);
    }
    world.want(held);
    world.idle(Duration::from_secs(600)).await;
    assert_eq!(entries(&world).await, []);
}
