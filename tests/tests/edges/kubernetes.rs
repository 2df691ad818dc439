//! Kubernetes that is away, late, forgetful or broken.

use std::time::Duration;

use k8s_openapi::api::{coordination::v1::Lease, core::v1 as core};
use lath_kubernetes::{NodeTargets, TargetGroupBinding, names};
use serde_json::json;
use tests::api::Outage;
use tokio::time::{Instant, sleep};

use super::{
    objects::{NAMESPACE, set_ready},
    setting::{Agent, LEASE, Log, Setting, settle},
};

/// A group with twelve targets of node n1, more than the guard of relists lets go unasked.
async fn twelve() -> (Setting, lattice::TargetGroupArn, Agent) {
    let (setting, group) = Setting::web(&[]).await;
    let agent = setting.agent("n1").await;
    for n in 1..=12 {
        setting.pod("n1", &format!("p{n}"), &format!("10.0.0.{n}"));
    }
    settle().await;
    assert_eq!(setting.held(&group).len(), 12);
    setting.new_calls();
    (setting, group, agent)
}

fn epoch(setting: &Setting) -> i64 {
    let lease: Lease = setting.api.get("lath-system", "lath-agent-n1").unwrap();
    lease.metadata.annotations.unwrap()[names::EPOCH].parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_is_away_costs_no_target_and_what_it_missed_is_made_good() {
    // Longer than a Lease, and shorter; the last one is back before anything has timed out. Watches are tried again every
    // 30 seconds, and as much again at random.
    for (outage, seconds, within) in [
        (Outage::Refused, 3_600, 61),
        (Outage::Refused, 60, 61),
        // Watches that were begun while nothing answered are given up after 90 seconds.
        (Outage::Silent, 3_600, 121),
        (Outage::Silent, 60, 31),
        (Outage::Silent, 5, 1),
        // So are those that died without anybody noticing.
        (Outage::Severed, 3_600, 121),
        (Outage::Severed, 5, 121),
    ] {
        let (setting, group, agent) = twelve().await;
        let what = format!("{outage:?} for {seconds} s");
        sleep(Duration::from_secs(20)).await;
        agent.access().fail(outage);
        sleep(Duration::from_secs(1)).await;
        for n in 1..=3 {
            setting.end_pod(&format!("p{n}"));
            setting.pod("n1", &format!("q{n}"), &format!("10.0.1.{n}"));
        }
        sleep(Duration::from_secs(seconds)).await;
        assert_eq!(setting.held(&group).len(), 12, "{what}");
        assert!(setting.new_calls().is_empty(), "{what}");
        agent.access().heal();
        sleep(Duration::from_secs(within)).await;
        let held = setting.held(&group);
        let old = held
            .iter()
            .filter(|target| ["10.0.0.1:8080", "10.0.0.2:8080", "10.0.0.3:8080"].contains(&&***target));
        assert_eq!((old.count(), held.len()), (0, 12), "{what}: {held:?}");
        assert_eq!(epoch(&setting), if seconds > LEASE.as_secs() { 2 } else { 1 }, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_agent_whose_lease_runs_out_takes_nobody_out_and_registers_all_again_when_it_is_back() {
    let (setting, group, agent) = twelve().await;
    agent.access().forbid("patch", "leases");
    // Deletions are seen, but not acted upon once 80 % of the Lease are over.
    sleep(LEASE.mul_f64(0.5)).await;
    setting.end_pod("p1");
    settle().await;
    assert_eq!(setting.held(&group).len(), 11);
    sleep(LEASE.mul_f64(0.5)).await;
    setting.end_pod("p2");
    setting.pod("n1", "q", "10.0.1.1");
    sleep(Duration::from_mins(5)).await;
    assert_eq!(setting.held(&group).len(), 12, "one in, none out");
    setting.new_calls();
    agent.access().allow_all();
    sleep(Duration::from_secs(2)).await;
    assert_eq!(setting.held(&group).len(), 11);
    assert_eq!(epoch(&setting), 2);
    let calls = setting.new_calls();
    assert_eq!(calls, [("DeregisterTargets".to_owned(), 1), ("RegisterTargets".to_owned(), 1)].into());
}

#[tokio::test(start_paused = true)]
async fn an_expired_or_broken_watch_is_made_anew_and_costs_no_call() {
    let (setting, group, agent) = twelve().await;
    for what in ["expired", "broken"] {
        match what {
            "expired" => agent.access().expire_watches(),
            _ => agent.access().break_watches(),
        }
        sleep(Duration::from_secs(10)).await;
        assert!(setting.new_calls().is_empty(), "{what}");
        setting.pod("n1", what, &format!("10.0.1.{}", what.len()));
        settle().await;
        assert!(!setting.new_calls().is_empty(), "{what}");
    }
    assert_eq!(setting.held(&group).len(), 14);
    assert_eq!(agent.access().requests("list", "pods"), 2, "only an expired watch needs a list");
}

#[tokio::test(start_paused = true)]
async fn a_list_that_lacks_most_of_it_is_confirmed_before_anyone_is_taken_out() {
    for plural in ["pods", "services", "targetgroupbindings"] {
        let (log, _guard) = Log::keep();
        let (setting, group, agent) = twelve().await;
        agent.access().empty_next_list(plural);
        agent.access().expire_watches();
        sleep(Duration::from_secs(10)).await;
        assert_eq!(setting.held(&group).len(), 12, "{plural}");
        assert!(setting.new_calls().is_empty(), "{plural}");
        assert_eq!(log.lines("a second one has to confirm it first").len(), 1, "{plural}");
        // What changes from now on is seen again.
        setting.pod("n1", "q", "10.0.1.1");
        settle().await;
        assert_eq!(setting.held(&group).len(), 13, "{plural}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_two_lists_agree_upon_is_done() {
    for what in ["pods", "the Service", "the binding"] {
        let (setting, group, agent) = twelve().await;
        agent.access().fail(Outage::Refused);
        match what {
            "pods" => (2..=12).for_each(|n| setting.end_pod(&format!("p{n}"))),
            "the Service" => setting.api.remove::<core::Service>(NAMESPACE, "web"),
            _ => setting.api.remove::<TargetGroupBinding>(NAMESPACE, "web"),
        }
        agent.access().expire_watches();
        agent.access().heal();
        sleep(Duration::from_secs(35)).await;
        let left: &[&str] = if what == "pods" { &["10.0.0.1:8080"] } else { &[] };
        assert_eq!(setting.held(&group), left, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_malformed_object_is_skipped_and_what_was_known_of_it_stays() {
    let pod = json!({ "metadata": { "name": "p1", "namespace": NAMESPACE }, "spec": { "nodeName": "n1", "containers": 7 } });
    let service = json!({ "metadata": { "name": "web", "namespace": NAMESPACE }, "spec": { "ports": 7 } });
    for (collection, object) in [("v1/pods", pod), ("v1/services", service)] {
        let (setting, group, mut agent) = twelve().await;
        setting.api.put_value(collection, object);
        settle().await;
        assert_eq!(setting.held(&group).len(), 12, "{collection}");
        agent.access().expire_watches();
        sleep(Duration::from_secs(10)).await;
        assert_eq!(setting.held(&group).len(), 12, "{collection}, in a list");
        setting.pod("n1", "q", "10.0.1.1");
        settle().await;
        assert_eq!(setting.held(&group).len(), 13, "{collection}: others wait for it");
        if collection == "v1/services" {
            agent.restart().await;
            sleep(Duration::from_secs(10)).await;
            assert_eq!(setting.held(&group).len(), 13, "{collection}, after a restart");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_or_record_that_cannot_be_written_stops_no_registration() {
    let (log, _guard) = Log::keep();
    let (setting, group) = Setting::web(&[]).await;
    let agent = setting.agent("n1").await;
    for plural in ["leases", "nodetargets", "events"] {
        for verb in ["patch", "create", "update"] {
            agent.access().forbid(verb, plural);
        }
    }
    setting.pod("n1", "a", "10.0.0.1");
    setting.pod("n1", "b", "10.0.0.2");
    sleep(Duration::from_mins(10)).await;
    assert_eq!(setting.held(&group).len(), 2);
    for words in ["renewing the Lease failed", "writing NodeTargets failed"] {
        assert!(log.lines(words).len() <= 1, "{words}");
    }
    setting.end_pod("a");
    sleep(Duration::from_mins(1)).await;
    assert_eq!(setting.held(&group).len(), 2, "who has no Lease takes nobody out");
    agent.access().allow_all();
    sleep(Duration::from_secs(3)).await;
    setting.holds(&group, &["10.0.0.2:8080"]);
    let record: NodeTargets = setting.api.get("", "n1").unwrap();
    assert_eq!(record.spec.summary.targets, 1);
}

#[tokio::test(start_paused = true)]
async fn a_kind_of_record_that_is_not_installed_is_named_once_and_asked_for_once_a_second() {
    let (log, _guard) = Log::keep();
    let (setting, group) = Setting::web(&[]).await;
    let agent = setting.agent("n1").await;
    agent.access().withhold("nodetargets");
    setting.pod("n1", "a", "10.0.0.1");
    sleep(Duration::from_mins(10)).await;
    setting.holds(&group, &["10.0.0.1:8080"]);
    let asked =
        agent.access().requests("create", "nodetargets") + agent.access().requests("get", "nodetargets");
    assert!((500..700).contains(&asked), "{asked} requests in ten minutes");
    assert_eq!(log.lines("writing NodeTargets failed").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_record_follows_what_is_registered() {
    let (setting, _group, _agent) = twelve().await;
    sleep(Duration::from_secs(2)).await;
    let record: NodeTargets = setting.api.get("", "n1").unwrap();
    assert_eq!((record.spec.boot_id.as_str(), record.spec.epoch), ("boot-1", 1));
    assert_eq!(
        (record.spec.summary.groups, record.spec.summary.targets, record.spec.summary.pending),
        (1, 12, 0)
    );
    let uid = setting.api.get::<core::Pod>(NAMESPACE, "p1").unwrap().metadata.uid.unwrap();
    assert!(
        record.spec.groups[0].targets.iter().any(|target| target.pod_uid == uid && target.pod == "shop/p1")
    );
    for n in 1..=12 {
        setting.end_pod(&format!("p{n}"));
    }
    sleep(Duration::from_secs(3)).await;
    let record: NodeTargets = setting.api.get("", "n1").unwrap();
    assert!(record.spec.groups.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_slow_api_server_delays_no_call() {
    let (setting, group, agent) = twelve().await;
    agent.access().delay_answers(Duration::from_secs(4));
    let start = Instant::now();
    setting.edit_pod("p1", |pod| set_ready(pod, false));
    setting.end_pod("p2");
    setting.pod("n1", "q", "10.0.1.1");
    sleep(Duration::from_millis(100)).await;
    assert_eq!(setting.held(&group).len(), 12);
    assert!(!setting.held(&group).contains(&"10.0.0.2:8080".to_owned()));
    assert!(start.elapsed() < Duration::from_secs(1));
}
