//! The reader against the simulator: from Lattice's verdict to the open gate.

use std::{collections::HashMap, time::Duration};

use lath_kubernetes::watch::Change;
use lattice_sim::TargetStatus;

use super::*;
use crate::{
    cluster::Update,
    health::{gates::reasons, watchman::Settings},
    testing::{Apply as _, accepted_to, cloud::Cloud, cluster, facts, gated, service, target},
};

/// A reader at work, and the ends of its channels that the test holds.
struct Reader {
    writes: mpsc::Receiver<GateWrite>,
    written: mpsc::Sender<(GateWrite, bool)>,
    _listings: mpsc::Sender<Listing>,
    _task: tokio::task::JoinHandle<()>,
}

fn start(cloud: &Cloud, cluster: Cluster, groups: &[TargetGroupArn], checked: bool) -> Reader {
    let now = Instant::now();
    let mut known = Groups::new(Duration::from_secs(300));
    known.want(&groups.iter().cloned().collect(), now);
    for group in groups {
        let mut facts = facts(1);
        facts.group.health_check_interval = checked.then_some(Duration::from_secs(10));
        known.settle(group, Ok(facts), now, 0.5);
    }
    let settings = Settings {
        reads_per_second: 25.0,
        propagation: Duration::from_secs(2),
        settle: Duration::from_secs(10),
        fail_open: None,
    };
    let (gate_writes, writes) = mpsc::channel(1_000);
    let (written, results) = mpsc::channel(1_000);
    let (listed, listings) = mpsc::channel(16);
    let task = tokio::spawn(run(
        Watchman::new(settings, now),
        Arc::new(Shared::new(cluster)),
        Arc::new(Shared::new(known)),
        cloud.client.clone(),
        Channels { writes: gate_writes, written: results, listings },
        Metrics::default(),
    ));
    Reader { writes, written, _listings: listed, _task: task }
}

impl Reader {
    /// Writes conditions until so many pods' gates are open; when each was.
    async fn open(&mut self, pods: usize) -> HashMap<String, (Instant, GateWrite)> {
        let mut open = HashMap::new();
        while open.len() < pods {
            let write = tokio::time::timeout(Duration::from_secs(120), self.writes.recv())
                .await
                .expect("every gate opens")
                .unwrap();
            if write.open {
                open.insert(write.pod.name.clone(), (Instant::now(), write.clone()));
            }
            self.written.send((write, true)).await.unwrap();
        }
        open
    }
}

#[tokio::test(start_paused = true)]
async fn a_gate_opens_within_a_second_of_lattices_verdict() {
    let cloud = Cloud::new(&[("health.first_check_delay", "7")]).await;
    let group = cloud.group("web", true, false).await;
    let mut cluster = cluster();
    cluster.bind(accepted_to("web", &group));
    cluster.run(gated("a", 1));
    let mut reader = start(&cloud, cluster, std::slice::from_ref(&group), true);
    tokio::time::sleep(Duration::from_millis(50)).await;
    cloud.register(&group, &[target(1)]).await;
    let healthy = Instant::now() + Duration::from_secs(7);
    let open = reader.open(1).await;
    let (at, write) = &open["a"];
    assert_eq!(write.reason, reasons::HEALTHY);
    assert!(*at >= healthy && *at <= healthy + Duration::from_secs(1), "{:?} late", *at - healthy);
}

#[tokio::test(start_paused = true)]
async fn twenty_groups_rolling_at_once_keep_within_a_second_and_within_the_share() {
    let cloud = Cloud::new(&[("health.first_check_delay", "5")]).await;
    let mut cluster = cluster();
    let mut groups = Vec::new();
    let mut expected = HashMap::new();
    let start_time = Instant::now();
    for number in 0..20u8 {
        let group = cloud.group(&format!("group-{number}"), true, false).await;
        let name = format!("s{number}");
        let mut service = service();
        service.name.clone_from(&name);
        service.selector = [("app".to_owned(), name.clone())].into();
        cluster.apply(Update::Services(Change::Applied(service)), Instant::now());
        let mut binding = accepted_to(&name, &group);
        binding.spec.service.name.clone_from(&name);
        cluster.bind(binding);
        for replica in 0..5u8 {
            let mut pod = gated(&format!("{name}-{replica}"), number * 5 + replica);
            pod.labels = [("app".to_owned(), name.clone())].into();
            cluster.run(pod);
        }
        groups.push(group);
    }
    let mut reader = start(&cloud, cluster, &groups, true);
    for (number, group) in (0u8..).zip(&groups) {
        // Pods of a rollout become ready one after the other.
        tokio::time::sleep(Duration::from_millis(37)).await;
        let targets: Vec<_> = (0..5).map(|replica| target(number * 5 + replica)).collect();
        cloud.register(group, &targets).await;
        for replica in 0..5 {
            expected.insert(format!("s{number}-{replica}"), Instant::now() + Duration::from_secs(5));
        }
    }
    let open = reader.open(100).await;
    for (name, healthy) in expected {
        let (at, _) = &open[&name];
        assert!(
            *at >= healthy && *at <= healthy + Duration::from_secs(1),
            "{name}: {:?} late",
            *at - healthy
        );
    }
    let seconds = start_time.elapsed().as_secs_f64();
    let calls = cloud.simulator.calls()["ListTargets"];
    assert!(calls as f64 <= 25.0 * (seconds + 1.0), "{calls} calls in {seconds} s");
}

#[tokio::test(start_paused = true)]
async fn every_state_has_its_way_through_the_gate() {
    for (checked, unused, set, reason, at_least) in [
        (false, false, None, reasons::HEALTH_CHECKS_OFF, 2),
        (true, true, None, reasons::UNUSED, 0),
        (true, false, Some(TargetStatus::Healthy), reasons::HEALTHY, 0),
    ] {
        let cloud = Cloud::new(&[("health.first_check_delay", "3600")]).await;
        let group = cloud.group("web", checked, unused).await;
        cloud.register(&group, &[target(1)]).await;
        if let Some(status) = set {
            cloud.set(&group, target(1), status);
        }
        let mut cluster = cluster();
        cluster.bind(accepted_to("web", &group));
        cluster.run(gated("a", 1));
        let began = Instant::now();
        let mut reader = start(&cloud, cluster, std::slice::from_ref(&group), checked);
        let open = reader.open(1).await;
        let (at, write) = &open["a"];
        assert_eq!(write.reason, reason);
        let took = *at - began;
        assert!(
            took >= Duration::from_secs(at_least) && took <= Duration::from_secs(at_least + 1),
            "{took:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_unhealthy_target_keeps_the_gate_shut_until_it_recovers_and_errors_only_delay() {
    let cloud = Cloud::new(&[("health.first_check_delay", "0")]).await;
    let group = cloud.group("web", true, false).await;
    cloud.register(&group, &[target(1)]).await;
    cloud.set(&group, target(1), TargetStatus::Unhealthy);
    let fault = serde_json::json!([
        { "operation": "ListTargets", "probability": 0.5, "error": "InternalServerException" }
    ]);
    cloud.simulator.set_faults(serde_json::from_value(fault).unwrap()).unwrap();
    let mut cluster = cluster();
    cluster.bind(accepted_to("web", &group));
    cluster.run(gated("a", 1));
    let mut reader = start(&cloud, cluster, std::slice::from_ref(&group), true);
    let told = loop {
        let write = reader.writes.recv().await.unwrap();
        reader.written.send((write.clone(), true)).await.unwrap();
        if write.reason == reasons::UNHEALTHY {
            break write;
        }
    };
    assert!(!told.open && told.message.contains("health check fails"), "{}", told.message);
    cloud.set(&group, target(1), TargetStatus::Healthy);
    assert_eq!(reader.open(1).await["a"].1.reason, reasons::HEALTHY);
}
