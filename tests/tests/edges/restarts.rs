//! Agents that end in every way, and begin again on what they left: nothing is lost, nothing stays behind.

use std::{fs, time::Duration};

use jiff::Timestamp;
use k8s_openapi::{api::coordination::v1::Lease, apimachinery::pkg::apis::meta::v1::MicroTime};
use lath_kubernetes::NodeTargets;
use lattice_sim::Fault;
use serde_json::json;
use tokio::time::sleep;

use super::{
    objects::set_addresses,
    setting::{Agent, Setting, settle},
};

/// Answers every call a while after it has taken effect.
fn slow(milliseconds: u64) -> Fault {
    Fault { latency_ms: Some(milliseconds), ..Fault::on("*") }
}

/// Changes that make calls of every kind follow each other: in, out, and in again under an old address.
async fn rollout(setting: &Setting) {
    for (name, address) in [("a", "10.0.0.1"), ("b", "10.0.0.2")] {
        setting.pod("n1", name, address);
    }
    sleep(Duration::from_millis(30)).await;
    setting.pod("n1", "c", "10.0.0.3");
    setting.end_pod("a");
    sleep(Duration::from_millis(30)).await;
    setting.pod("n1", "d", "10.0.0.1");
    setting.end_pod("b");
}

const AFTER_ROLLOUT: [&str; 2] = ["10.0.0.1:8080", "10.0.0.3:8080"];

#[tokio::test(start_paused = true)]
async fn an_agent_killed_at_any_instant_of_a_rollout_converges_when_it_is_back() {
    for latency in [0, 20] {
        for instant in (0..120).step_by(3) {
            for away in [0, 20] {
                let (setting, group) = Setting::web(&[]).await;
                setting.faults(vec![slow(latency)]);
                let mut agent = setting.agent("n1").await;
                settle().await;
                let kill = async {
                    sleep(Duration::from_millis(instant)).await;
                    agent.kill();
                    sleep(Duration::from_secs(away)).await;
                    agent.start().await;
                };
                tokio::join!(rollout(&setting), kill);
                sleep(Duration::from_secs(2)).await;
                let what = format!("killed after {instant} ms, away for {away} s, {latency} ms per call");
                assert_eq!(setting.held(&group), AFTER_ROLLOUT, "{what}");
                setting.new_calls();
                sleep(Duration::from_mins(10)).await;
                assert_eq!(setting.held(&group), AFTER_ROLLOUT, "{what}");
                let later = setting.new_calls();
                assert!(later.keys().all(|call| call == "ListTargets"), "{what}: {later:?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_agent_killed_at_any_step_between_awaits_converges_when_it_is_back() {
    // Yielding lets every other task go one step on, without letting time pass.
    for (latency, steps) in [(0, 60), (20, 60)] {
        for step in 0..steps {
            let (setting, group) = Setting::web(&[]).await;
            setting.faults(vec![slow(latency)]);
            let mut agent = setting.agent("n1").await;
            setting.pod("n1", "old", "10.0.0.9");
            settle().await;
            setting.pod("n1", "new", "10.0.0.1");
            setting.end_pod("old");
            for _ in 0..step {
                tokio::task::yield_now().await;
            }
            agent.restart().await;
            settle().await;
            assert_eq!(
                setting.held(&group),
                ["10.0.0.1:8080"],
                "killed after {step} steps, {latency} ms per call"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_journal_cut_off_at_any_byte_of_the_last_writes_loses_nothing() {
    // Which call is on its way when the agent dies, and whether it takes effect without an answer.
    for (operation, applied) in [
        ("RegisterTargets", true),
        ("RegisterTargets", false),
        ("DeregisterTargets", true),
        ("DeregisterTargets", false),
        ("none", true),
    ] {
        let mut cut = 0;
        loop {
            let (setting, group) = Setting::web(&[]).await;
            let mut agent = setting.agent("n1").await;
            setting.pod("n1", "old", "10.0.0.9");
            settle().await;
            let before = fs::read(agent.journal()).unwrap().len();
            if operation != "none" {
                setting.faults(vec![Fault { timeout: true, applied: Some(applied), ..Fault::on(operation) }]);
            }
            match operation {
                "DeregisterTargets" => setting.end_pod("old"),
                _ => setting.pod("n1", "new", "10.0.0.1"),
            }
            settle().await;
            agent.kill();
            setting.faults(vec![]);
            let whole = fs::read(agent.journal()).unwrap();
            // A call that took effect was announced by a whole line; only what follows that line can be missing.
            let announced = whole[before..].iter().position(|byte| *byte == b'\n').unwrap() + 1;
            let first = before + if applied { announced } else { 0 };
            let length = first + cut;
            if length > whole.len() {
                break;
            }
            fs::write(agent.journal(), &whole[..length]).unwrap();
            agent.start().await;
            settle().await;
            let expected: &[&str] =
                if operation == "DeregisterTargets" { &[] } else { &["10.0.0.1:8080", "10.0.0.9:8080"] };
            assert_eq!(setting.held(&group), expected, "{operation}, applied {applied}, {length} bytes");
            cut += 7;
        }
    }
}

/// Something done to the journal of a dead agent.
type Damage = Box<dyn Fn(&Agent)>;

/// A setting in which the journal of a dead agent has been dealt with: `a` stays, `b` ended and `c` came meanwhile.
async fn after(damage: impl Fn(&Setting, &Agent)) -> (Setting, lattice::TargetGroupArn, Agent) {
    let (setting, group) = Setting::web(&[]).await;
    let mut agent = setting.agent("n1").await;
    setting.pod("n1", "a", "10.0.0.1");
    setting.pod("n1", "b", "10.0.0.2");
    sleep(Duration::from_secs(3)).await;
    agent.kill();
    damage(&setting, &agent);
    setting.end_pod("b");
    setting.pod("n1", "c", "10.0.0.3");
    setting.new_calls();
    agent.start().await;
    (setting, group, agent)
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_is_lost_or_corrupt_is_made_good_from_the_record() {
    let corrupt = |text: &'static [u8]| {
        move |agent: &Agent| {
            let mut journal = fs::read(agent.journal()).unwrap();
            let middle = journal.len() / 2;
            journal.splice(middle..middle, text.iter().copied());
            fs::write(agent.journal(), journal).unwrap();
        }
    };
    let damages: [(&str, Damage); 6] = [
        ("lost", Box::new(|agent| fs::remove_file(agent.journal()).unwrap())),
        ("empty", Box::new(|agent| fs::write(agent.journal(), "").unwrap())),
        ("garbage", Box::new(|agent| fs::write(agent.journal(), vec![0xff; 300_000]).unwrap())),
        (
            "of another version",
            Box::new(|agent| {
                fs::write(agent.journal(), "{\"head\":{\"version\":9,\"boot_id\":\"boot-1\"}}\n").unwrap();
            }),
        ),
        ("a line of garbage within", Box::new(corrupt(b"\n%%%\n"))),
        ("a line without an end within", Box::new(corrupt(b"{\"calling\""))),
    ];
    for (what, damage) in damages {
        let (setting, group, agent) = after(|_, agent| damage(agent)).await;
        settle().await;
        assert_eq!(setting.held(&group), ["10.0.0.1:8080", "10.0.0.3:8080"], "{what}");
        let calls = setting.new_calls();
        assert_eq!((calls["RegisterTargets"], calls["DeregisterTargets"]), (1, 1), "{what}: {calls:?}");
        sleep(Duration::from_secs(3)).await;
        let record: NodeTargets = setting.api.get("", "n1").unwrap();
        assert_eq!((record.spec.epoch, record.spec.summary.targets), (2, 2), "{what}");
        assert!(agent.readyz().degraded.is_empty(), "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_journal_and_record_all_pods_are_registered_once() {
    for unreadable in [false, true] {
        let (setting, group, _agent) = after(|setting, agent| {
            fs::remove_file(agent.journal()).unwrap();
            setting.api.remove::<NodeTargets>("", "n1");
            if unreadable {
                let object = json!({ "metadata": { "name": "n1" }, "spec": { "groups": 7 } });
                setting.api.put_value("lath.dev/v1alpha1/nodetargets", object);
            }
        })
        .await;
        settle().await;
        // The target of `b` is nobody's any more; it is for the audit to find.
        setting.holds(&group, &["10.0.0.1:8080", "10.0.0.2:8080", "10.0.0.3:8080"]);
        assert_eq!(setting.new_calls(), [("RegisterTargets".to_owned(), 1)].into());
    }
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_cannot_be_written_stops_no_call_and_is_shown() {
    let (setting, group) = Setting::web(&[]).await;
    let mut agent = setting.agent("n1").await;
    setting.pod("n1", "a", "10.0.0.1");
    sleep(Duration::from_secs(3)).await;
    agent.kill();
    // A file where the folder should be: that hinders root too.
    let folder = agent.folder.clone();
    fs::remove_dir_all(&folder).unwrap();
    fs::write(&folder, "").unwrap();
    agent.start().await;
    setting.pod("n1", "b", "10.0.0.2");
    settle().await;
    setting.end_pod("a");
    settle().await;
    setting.holds(&group, &["10.0.0.2:8080"]);
    let report = agent.readyz();
    assert!(report.ready);
    assert!(report.degraded["journal"].contains("targets.journal"), "{report:?}");

    // Killed like that, it goes by its record.
    sleep(Duration::from_secs(2)).await;
    agent.kill();
    setting.end_pod("b");
    setting.pod("n1", "c", "10.0.0.3");
    agent.start().await;
    settle().await;
    setting.holds(&group, &["10.0.0.3:8080"]);

    // The disk is mended, and nothing else happens.
    fs::remove_file(&folder).unwrap();
    sleep(Duration::from_secs(30)).await;
    assert!(agent.readyz().degraded.is_empty(), "{:?}", agent.readyz());
    assert!(agent.journal().exists());
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_is_asked_to_stop_takes_nobody_out_and_its_successor_calls_nothing() {
    let (setting, group) = Setting::web(&[]).await;
    let mut agent = setting.agent("n1").await;
    setting.pod("n1", "a", "10.0.0.1");
    setting.pod("n1", "b", "10.0.0.2");
    settle().await;
    setting.faults(vec![slow(500)]);
    setting.pod("n1", "c", "10.0.0.3");
    sleep(Duration::from_millis(100)).await;
    agent.stop().await;
    let all = ["10.0.0.1:8080", "10.0.0.2:8080", "10.0.0.3:8080"];
    setting.holds(&group, &all);
    setting.new_calls();
    agent.start().await;
    sleep(Duration::from_mins(10)).await;
    setting.holds(&group, &all);
    assert!(setting.new_calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_was_away_for_longer_than_its_lease_registers_all_again() {
    let (setting, group) = Setting::web(&[]).await;
    let mut agent = setting.agent("n1").await;
    setting.pod("n1", "a", "10.0.0.1");
    setting.pod("n1", "b", "10.0.0.2");
    sleep(Duration::from_secs(3)).await;
    agent.kill();
    // The wall clock does not pause, so the Lease is made older instead.
    let age = |lease: &mut Lease| {
        let renewed = Timestamp::now() - Duration::from_secs(121);
        lease.spec.as_mut().unwrap().renew_time = Some(MicroTime(renewed));
    };
    assert!(setting.api.edit("lath-system", "lath-agent-n1", age).unwrap());
    // Meanwhile the controller has taken out what it could prove to be gone, and by mistake more.
    setting.deregister(&group, &["10.0.0.1", "10.0.0.2"], 8080).await;
    setting.end_pod("b");
    sleep(Duration::from_secs(61)).await;
    setting.new_calls();
    agent.start().await;
    settle().await;
    setting.holds(&group, &["10.0.0.1:8080"]);
    let lease: Lease = setting.api.get("lath-system", "lath-agent-n1").unwrap();
    assert_eq!(lease.metadata.annotations.unwrap()["lath.dev/epoch"], "2");
}

#[tokio::test(start_paused = true)]
async fn after_a_reboot_the_same_pods_have_new_addresses_and_the_old_ones_are_gone() {
    for journal in ["kept", "lost"] {
        let (setting, group) = Setting::web(&[]).await;
        let mut agent = setting.agent("n1").await;
        for n in 1..=12 {
            setting.pod("n1", &format!("p{n}"), &format!("10.0.0.{n}"));
        }
        sleep(Duration::from_secs(3)).await;
        agent.kill();
        if journal == "lost" {
            fs::remove_file(agent.journal()).unwrap();
        }
        agent.boot = "boot-2".into();
        // One keeps its address, one has none yet.
        for n in 2..=11 {
            setting.edit_pod(&format!("p{n}"), |pod| set_addresses(pod, &[&format!("10.0.1.{n}")]));
        }
        setting.edit_pod("p12", |pod| set_addresses(pod, &[]));
        agent.start().await;
        settle().await;
        let mut expected: Vec<String> = (2..=11).map(|n| format!("10.0.1.{n}:8080")).collect();
        expected.push("10.0.0.1:8080".into());
        expected.sort();
        assert_eq!(setting.held(&group), expected, "the journal is {journal}");
        sleep(Duration::from_secs(3)).await;
        let record: NodeTargets = setting.api.get("", "n1").unwrap();
        assert_eq!(
            (record.spec.boot_id.as_str(), record.spec.epoch),
            ("boot-2", 2),
            "the journal is {journal}"
        );
    }
}
