//! A certificate's life against an API server in memory: made, renewed, mended, and trusted at every moment.

use serde_json::Value;

use super::*;
use crate::testing::api;

const SECRET: &str = "/api/v1/namespaces/lath-system/secrets/lath-webhook";
const CONFIGURATION: &str =
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/lath-webhook";

fn start() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn minutes(count: u64) -> Duration {
    Duration::from_mins(count)
}

fn days(count: u64) -> Duration {
    Duration::from_hours(24 * count)
}

struct Replica {
    keeper: Keeper,
    shown: watch::Receiver<Option<Arc<CertifiedKey>>>,
    readiness: Readiness,
}

impl Replica {
    fn new(api: &api::Api, external: bool) -> Self {
        let (sender, shown) = watch::channel(None);
        let settings = Settings { external, ..Settings::default() };
        let readiness = Readiness::default();
        let keeper =
            Keeper::new(api.client(), "lath-system", settings, sender, readiness.clone(), Metrics::default());
        Self { keeper, shown, readiness }
    }

    async fn pass(&mut self, now: Timestamp) {
        let done = self.keeper.pass(now).await;
        self.keeper.report(done);
    }

    /// Whether an API server that trusts `bundle` takes what this replica shows.
    fn taken(&self, bundle: &[u8], now: Timestamp) -> Result<(), certificate::Error> {
        let key = self.shown.borrow().clone().unwrap();
        let validity = self.keeper.pair.as_ref().map(|pair| certificate::load(pair).unwrap().validity);
        let loaded = Loaded { key, validity: validity.unwrap() };
        certificate::verify(&loaded, bundle, "lath-webhook.lath-system.svc", now)
    }

    fn chain(&self) -> Vec<u8> {
        self.keeper.pair.as_ref().unwrap().chain.clone()
    }
}

/// An API server with a configuration of one webhook. (Its merge patch replaces lists, so one is all it can keep.)
fn server() -> api::Api {
    let api = api::Api::default();
    configure(&api, &json!({ "service": { "name": NAME, "namespace": "lath-system" } }));
    api
}

fn configure(api: &api::Api, client: &Value) {
    let webhook = json!({
        "name": "pods.lath.dev", "clientConfig": client, "sideEffects": "None", "admissionReviewVersions": ["v1"],
    });
    api.put(
        CONFIGURATION,
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
            "metadata": { "name": NAME, "resourceVersion": "1" }, "webhooks": [webhook],
        }),
    );
}

fn bundle(api: &api::Api) -> Vec<u8> {
    let bundle = api.get(CONFIGURATION).unwrap()["webhooks"][0]["clientConfig"]["caBundle"].clone();
    serde_json::from_value::<ByteString>(bundle).unwrap().0
}

/// The keys of the Secret.
fn keys(api: &api::Api) -> Vec<String> {
    api.get(SECRET).unwrap()["data"].as_object().unwrap().keys().cloned().collect()
}

#[tokio::test]
async fn the_first_replica_makes_the_certificate_and_the_others_load_it() {
    let api = server();
    let (mut one, mut other) = (Replica::new(&api, false), Replica::new(&api, false));
    assert!(!one.readiness.report().ready);
    one.pass(start()).await;
    other.pass(start()).await;
    assert_eq!(one.chain(), other.chain());
    for replica in [&one, &other] {
        assert!(replica.readiness.report().ready);
        replica.taken(&bundle(&api), start()).unwrap();
    }
    assert_eq!(api.get(SECRET).unwrap()["type"], "kubernetes.io/tls");

    let before = (api.get(SECRET), api.get(CONFIGURATION));
    for minute in 1..100 {
        one.pass(start() + minutes(minute)).await;
    }
    assert_eq!(before, (api.get(SECRET), api.get(CONFIGURATION)), "in steady state nothing is written");
}

#[tokio::test]
async fn while_it_is_renewed_every_replica_is_trusted_at_every_moment() {
    let api = server();
    let mut replicas = [Replica::new(&api, false), Replica::new(&api, false)];
    let mut trusted = Vec::new();
    let (mut chains, mut bundles) = (Vec::new(), Vec::new());
    // API servers learn of a configuration, and replicas of a Secret, up to a minute late.
    for minute in (0..3).chain(44 * 1440..46 * 1440) {
        let now = start() + minutes(minute);
        let turn = usize::try_from(minute % 2).unwrap();
        replicas[turn].pass(now).await;
        if minute >= 2 {
            for replica in &replicas {
                replica.taken(&trusted, now).unwrap_or_else(|error| panic!("{minute}: {error:?}"));
            }
        }
        trusted = bundle(&api);
        chains.push(replicas[0].chain());
        bundles.push(certificate::certificates(&trusted).unwrap().len());
    }
    chains.dedup();
    bundles.dedup();
    assert_eq!(chains.len(), 2, "it was renewed once");
    assert_eq!(bundles, [1, 2, 1]);
    assert_eq!(keys(&api), ["ca.crt", "tls.crt", "tls.key"]);
    let until = certificate::load(replicas[0].keeper.pair.as_ref().unwrap()).unwrap().validity.until;
    assert!(until > start() + days(130), "{until}");
}

#[tokio::test]
async fn a_renewal_waits_until_api_servers_can_be_told() {
    let api = server();
    let mut replica = Replica::new(&api, false);
    replica.pass(start()).await;
    let first = replica.chain();
    let later = start() + days(46);
    replica.pass(later).await;
    assert!(keys(&api).contains(&"next.crt".into()));
    // Somebody puts the configuration back to what it was, without a bundle.
    configure(&api, &json!({ "service": { "name": NAME, "namespace": "lath-system" } }));
    replica.pass(later + minutes(10)).await;
    assert_eq!(replica.chain(), first);
    assert_eq!(certificate::certificates(&bundle(&api)).unwrap().len(), 2, "they are told again");
    replica.pass(later + minutes(11)).await;
    assert_ne!(replica.chain(), first);
}

#[tokio::test]
async fn what_is_spoilt_is_made_anew() {
    let other = certificate::issue("lath-webhook.elsewhere.svc", start(), days(90)).unwrap();
    let spoil: [(&str, Option<Vec<u8>>); 5] = [
        ("tls.key", None),
        ("tls.crt", Some(b"nonsense".to_vec())),
        ("tls.crt", Some(other.pair.chain.clone())),
        ("ca.crt", Some(other.authority.clone())),
        ("next.crt", Some(b"nonsense".to_vec())),
    ];
    for (key, value) in spoil {
        let api = server();
        let mut replica = Replica::new(&api, false);
        replica.pass(start()).await;
        let first = replica.chain();
        let mut secret = api.get(SECRET).unwrap();
        match value {
            Some(value) => secret["data"][key] = json!(ByteString(value)),
            None => drop(secret["data"].as_object_mut().unwrap().remove(key)),
        }
        api.put(SECRET, secret);
        replica.pass(start() + minutes(1)).await;
        assert_ne!(replica.chain(), first, "{key}");
        replica.taken(&bundle(&api), start() + minutes(1)).unwrap();
    }
}

#[tokio::test]
async fn an_authority_of_others_in_the_bundle_wedges_nothing() {
    let api = server();
    let mut replica = Replica::new(&api, false);
    replica.pass(start()).await;
    let other = certificate::issue("lath-webhook.elsewhere.svc", start(), days(90)).unwrap();
    let mut secret = api.get(SECRET).unwrap();
    secret["data"]["ca.crt"] = json!(ByteString([bundle(&api), other.authority].concat()));
    api.put(SECRET, secret);
    let mut restarted = Replica::new(&api, false);
    restarted.pass(start() + minutes(10)).await;
    assert!(restarted.readiness.report().degraded.is_empty());
    restarted.taken(&bundle(&api), start() + minutes(10)).unwrap();
    assert_eq!(certificate::certificates(&bundle(&api)).unwrap().len(), 1);
}

#[tokio::test]
async fn after_a_long_absence_or_a_deletion_it_is_made_anew() {
    let api = server();
    let mut replica = Replica::new(&api, false);
    replica.pass(start()).await;
    let first = replica.chain();
    let late = start() + days(91);
    replica.pass(late).await;
    let second = replica.chain();
    assert_ne!(second, first);
    replica.taken(&bundle(&api), late).unwrap();
    api.remove(SECRET);
    replica.pass(late + minutes(1)).await;
    assert_ne!(replica.chain(), second);
    replica.taken(&bundle(&api), late + minutes(1)).unwrap();
    // A replica whose clock is behind takes what another has made.
    let mut behind = Replica::new(&api, false);
    behind.pass(start()).await;
    assert_eq!(behind.chain(), replica.chain());
}

#[tokio::test]
async fn a_failing_api_server_takes_nothing_away() {
    let api = server();
    let mut replica = Replica::new(&api, false);
    replica.pass(start()).await;
    api.fail(true);
    replica.pass(start() + minutes(1)).await;
    assert!(replica.shown.borrow().is_some());
    let report = replica.readiness.report();
    assert!(report.ready);
    assert!(report.degraded[NAME].contains("may this service account get it?"), "{report:?}");
    api.fail(false);
    replica.pass(start() + minutes(2)).await;
    assert!(replica.readiness.report().degraded.is_empty());
}

#[tokio::test]
async fn without_a_configuration_the_certificate_is_shown_all_the_same() {
    let api = api::Api::default();
    let mut replica = Replica::new(&api, false);
    replica.pass(start()).await;
    assert!(replica.readiness.report().ready);
}

#[tokio::test]
async fn anothers_certificate_is_loaded_and_never_written() {
    let api = server();
    let mut replica = Replica::new(&api, true);
    replica.pass(start()).await;
    assert!(!replica.readiness.report().ready);
    assert!(replica.readiness.report().degraded[NAME].contains("has not made it"));
    let put = |issued: &certificate::Issued| {
        let data = json!({
            "tls.crt": ByteString(issued.pair.chain.clone()), "tls.key": ByteString(issued.pair.key.clone()),
            "ca.crt": ByteString(issued.authority.clone()),
        });
        let metadata = json!({ "name": NAME, "namespace": "lath-system", "resourceVersion": "1" });
        let secret = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data });
        api.put(SECRET, secret.clone());
        secret
    };
    let configuration = api.get(CONFIGURATION);
    for _ in 0..2 {
        let issued = certificate::issue("lath-webhook.lath-system.svc", start(), days(1)).unwrap();
        let secret = put(&issued);
        replica.pass(start() + days(3)).await;
        assert!(replica.readiness.report().ready);
        assert_eq!(replica.chain(), issued.pair.chain);
        assert_eq!(api.get(SECRET), Some(secret));
    }
    assert_eq!(api.get(CONFIGURATION), configuration);
}
