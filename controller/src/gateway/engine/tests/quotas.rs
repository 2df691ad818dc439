//! How much of quotas is used, as metrics.

use serde_json::json;

use super::*;
use crate::quotas::Quota;

/// How much is used of the quotas that the engine shows, those that are not used left out.
fn used(world: &World) -> BTreeMap<&'static str, i64> {
    let uses = Quota::ALL.map(|quota| (quota.as_str(), world.metrics.quotas.shown(quota).0));
    uses.into_iter().filter(|(_, used)| *used > 0).collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_there_is_counted_and_others_where_they_are_listed_anyway() {
    let mut world = World::new(&[]).await;
    world.stop().await;
    world.settings.audit_period = Some(Duration::from_secs(600));
    world.start();
    world.want(many(&["web", "api"]));
    world.done().await;
    world.idle(Duration::from_secs(2)).await;
    let own = BTreeMap::from([
        ("service_networks", 1),
        ("services", 2),
        ("services_per_service_network", 2),
        ("target_groups", 2),
        ("vpcs_per_service_network", 1),
    ]);
    assert_eq!(used(&world), own);
    // Somebody else's service in this network, and a network of his that no Gateway stands for.
    let id = |made: &serde_json::Value| made["id"].as_str().unwrap().to_owned();
    let service = world.cloud.create("/services", json!({ "name": "foreign" })).await;
    let other = world.cloud.create("/servicenetworks", json!({ "name": "foreign" })).await;
    for network in ["net".to_owned(), id(&other)] {
        let networks = world.cloud.client.networks(Urgency::Change).await.unwrap();
        let found = networks.into_iter().map(|(network, _)| network);
        let network =
            found.into_iter().find(|one| one.name == network || one.id.as_str() == network).unwrap();
        let body = json!({
            "serviceNetworkIdentifier": network.id.as_str(), "serviceIdentifier": id(&service)
        });
        world.cloud.create("/servicenetworkserviceassociations", body).await;
    }
    world.idle(Duration::from_secs(700)).await;
    let mut all = own.clone();
    all.insert("service_networks", 2);
    all.insert("services_per_service_network", 3);
    assert_eq!(used(&world), all);
    // What nobody wants goes, and the network stays.
    world.want(Desired { networks: [("net".to_owned(), network())].into(), ..Desired::default() });
    world.idle(Duration::from_secs(1_400)).await;
    let left = BTreeMap::from([
        ("service_networks", 2),
        ("services_per_service_network", 1),
        ("vpcs_per_service_network", 1),
    ]);
    assert_eq!(used(&world), left);
}
