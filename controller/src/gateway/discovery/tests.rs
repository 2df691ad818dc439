//! Discovery against the simulator's Cloud Map, on paused time.

use lattice::{
    Tags,
    resource::{Entry, Records},
    target::IpFamily,
};
use lattice_client::NewDirectory;

use super::*;
use crate::{
    gateway::translate::Outcome,
    testing::{self, cloud::Cloud},
};

#[tokio::test(start_paused = true)]
async fn instances_are_found_again_and_again_and_kept_when_the_service_is_gone() {
    let Cloud { client, .. } = Cloud::new(&[]).await;
    client.create_dns_namespace("old.internal", &testing::site().vpc, &Tags::new(), "token").await.unwrap();
    let namespace = client.dns_namespaces("old.internal", Urgency::Change).await.unwrap().remove(0);
    let records = Records::Addresses { family: IpFamily::IPv4, ports: true };
    let new = NewDirectory { name: "db", namespace: &namespace, records, tags: &Tags::new() };
    let made = client.create_directory(&new, "token").await.unwrap();
    let instance = |text: &str| Instance { address: text.parse().unwrap(), port: Some(80) };
    let (one, two) = (instance("10.0.0.1"), instance("10.0.0.2"));
    client.register_instance(&made.id, "one", &Entry::Instance(one), "1").await.unwrap();

    let name = CloudMapName { namespace: "old.internal".into(), service: "db".into() };
    let outcome = Outcome { discoveries: [(name.clone(), PERIOD)].into(), ..Outcome::default() };
    let published = watch::Sender::new(Arc::new(Published { outcome, ..Published::default() }));
    let (discovered, mut shown) = watch::channel(Arc::default());
    let metrics = Metrics::default();
    tokio::spawn(run(client.clone(), published.subscribe(), discovered, metrics.clone()));
    let found = |shown: &Arc<Discovered>| shown.get(&name).and_then(|it| it.found.clone());
    shown.wait_for(|shown| found(shown) == Some([one].into())).await.unwrap();

    client.register_instance(&made.id, "two", &Entry::Instance(two), "2").await.unwrap();
    let since = Instant::now();
    shown.wait_for(|shown| found(shown) == Some([one, two].into())).await.unwrap();
    assert!(since.elapsed() <= PERIOD + Duration::from_secs(1), "{:?}", since.elapsed());

    for id in ["one", "two"] {
        client.deregister_instance(&made.id, id).await.unwrap();
    }
    client.delete_directory(&made.id).await.unwrap();
    shown.wait_for(|shown| shown.get(&name).is_some_and(|it| it.trouble.is_some())).await.unwrap();
    assert_eq!(found(&shown.borrow()), Some([one, two].into()));
    assert_eq!(metrics.failing.get(), 1);

    published.send_replace(Arc::default());
    shown.wait_for(|shown| shown.is_empty()).await.unwrap();
    assert_eq!(metrics.failing.get(), 0);
}
