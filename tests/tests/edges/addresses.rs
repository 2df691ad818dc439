//! Addresses that pass from one pod to another: the new one is never taken out in the old one's place.

use std::time::Duration;

use tokio::time::sleep;

use super::{
    objects::set_phase,
    setting::{Setting, settle},
};

/// Every way in which Lattice may answer the registration of a draining target, with both drain times.
const WAYS: [&str; 5] = ["initial", "refused", "vanishes", "healthy", "health-reset"];

fn ways() -> impl Iterator<Item = (&'static str, &'static str)> {
    WAYS.into_iter().flat_map(|way| ["60", "300"].map(|drain| (way, drain)))
}

#[tokio::test(start_paused = true)]
async fn an_address_that_comes_back_on_the_same_node_stays_in_whatever_lattice_does_with_it() {
    for (way, drain) in ways() {
        for pause in [0, 30, 61, 299, 400] {
            let (setting, group) =
                Setting::web(&[("target.reregister_draining", way), ("target.drain_seconds", drain)]).await;
            let _agent = setting.agent("n1").await;
            setting.pod("n1", "a", "10.0.0.1");
            settle().await;
            setting.end_pod("a");
            sleep(Duration::from_secs(pause)).await;
            setting.pod("n1", "b", "10.0.0.1");
            let what = format!("{way}, draining for {drain} s, back after {pause} s");
            sleep(Duration::from_secs(400)).await;
            assert_eq!(setting.held(&group), ["10.0.0.1:8080"], "{what}");
            // One that vanished is looked at for another drain time.
            sleep(Duration::from_secs(300)).await;
            setting.new_calls();
            sleep(Duration::from_hours(1)).await;
            assert_eq!(setting.held(&group), ["10.0.0.1:8080"], "{what}");
            assert!(setting.new_calls().is_empty(), "{what}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_address_that_comes_back_while_its_calls_are_under_way_is_in_at_the_end() {
    for (way, drain) in ways() {
        for pause in [0, 5, 15, 25, 35, 45] {
            let (setting, group) =
                Setting::web(&[("target.reregister_draining", way), ("target.drain_seconds", drain)]).await;
            setting.faults(vec![lattice_sim::Fault { latency_ms: Some(20), ..lattice_sim::Fault::on("*") }]);
            let _agent = setting.agent("n1").await;
            setting.pod("n1", "a", "10.0.0.1");
            settle().await;
            setting.end_pod("a");
            sleep(Duration::from_millis(pause)).await;
            setting.pod("n1", "b", "10.0.0.1");
            sleep(Duration::from_secs(400)).await;
            assert_eq!(
                setting.held(&group),
                ["10.0.0.1:8080"],
                "{way}, draining for {drain} s, back after {pause} ms"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_address_that_passes_to_another_node_is_not_taken_out_however_late_the_old_node_hears() {
    // The old node's watch lags by so much; Amazon's CNI hands an address out again after 30 seconds at the earliest.
    for delay in [0, 20, 31, 90, 600] {
        for reuse in [30, 40, 100] {
            let (setting, group) = Setting::web(&[]).await;
            let old = setting.agent("n1").await;
            let _new = setting.agent("n2").await;
            setting.pod("n1", "a", "10.0.0.1");
            settle().await;
            sleep(Duration::from_secs(reuse % 30)).await;
            old.access().delay_watches(Duration::from_secs(delay));
            setting.end_pod("a");
            sleep(Duration::from_secs(reuse)).await;
            setting.pod("n2", "b", "10.0.0.1");
            for second in 0..700 {
                sleep(Duration::from_secs(1)).await;
                let what = format!("{delay} s late, used again after {reuse} s, {second} s later");
                assert_eq!(setting.held(&group), ["10.0.0.1:8080"], "{what}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_address_that_passes_to_another_node_during_an_outage_is_not_taken_out_after_it() {
    use tests::api::Outage;

    for outage in [Outage::Refused, Outage::Silent] {
        for seconds in [31, 50, 70, 200, 1_000] {
            let (setting, group) = Setting::web(&[]).await;
            let old = setting.agent("n1").await;
            let _new = setting.agent("n2").await;
            setting.pod("n1", "a", "10.0.0.1");
            setting.pod("n1", "stale", "10.0.0.2");
            settle().await;
            old.access().fail(outage);
            setting.end_pod("a");
            setting.end_pod("stale");
            sleep(Duration::from_secs(30)).await;
            setting.pod("n2", "b", "10.0.0.1");
            sleep(Duration::from_secs(seconds - 30)).await;
            old.access().heal();
            for second in 0..700 {
                sleep(Duration::from_secs(1)).await;
                let what = format!("{outage:?} for {seconds} s, {second} s later");
                assert!(setting.held(&group).contains(&"10.0.0.1:8080".to_owned()), "{what}");
            }
            setting.holds(&group, &["10.0.0.1:8080"]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_address_left_to_a_pod_of_which_nobody_hears_goes_with_that_pod() {
    let (setting, group) = Setting::web(&[]).await;
    let old = setting.agent("n1").await;
    let new = setting.agent("n2").await;
    setting.pod("n1", "a", "10.0.0.1");
    settle().await;
    new.access().fail(tests::api::Outage::Silent);
    old.access().delay_watches(Duration::from_secs(60));
    setting.end_pod("a");
    sleep(Duration::from_secs(40)).await;
    setting.pod("n2", "b", "10.0.0.1");
    sleep(Duration::from_secs(600)).await;
    setting.holds(&group, &["10.0.0.1:8080"]);
    setting.end_pod("b");
    sleep(Duration::from_secs(30)).await;
    setting.holds(&group, &[]);
}

#[tokio::test(start_paused = true)]
async fn an_ended_pod_that_stays_in_the_api_server_does_not_hide_who_has_its_address() {
    let (setting, group) = Setting::web(&[]).await;
    let mut old = setting.agent("n1").await;
    let _new = setting.agent("n2").await;
    for (name, address) in [("a", "10.0.0.1"), ("b", "10.0.0.2")] {
        setting.pod("n1", name, address);
    }
    sleep(Duration::from_secs(3)).await;
    old.kill();
    for name in ["a", "b"] {
        setting.edit_pod(name, |pod| set_phase(pod, "Failed"));
    }
    sleep(Duration::from_secs(40)).await;
    setting.pod("n2", "heir", "10.0.0.1");
    sleep(Duration::from_secs(5)).await;
    setting.new_calls();
    // It has to take out two at once, and asks about both together.
    old.start().await;
    settle().await;
    setting.holds(&group, &["10.0.0.1:8080"]);
    assert_eq!(setting.new_calls(), [("DeregisterTargets".into(), 1)].into());
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_was_dead_asks_who_has_an_address_before_it_takes_it_out() {
    for journal in ["kept", "lost"] {
        let (setting, group) = Setting::web(&[]).await;
        let mut old = setting.agent("n1").await;
        let _new = setting.agent("n2").await;
        setting.pod("n1", "a", "10.0.0.1");
        setting.pod("n1", "stale", "10.0.0.2");
        sleep(Duration::from_secs(3)).await;
        old.kill();
        if journal == "lost" {
            std::fs::remove_file(old.journal()).unwrap();
        }
        setting.end_pod("a");
        setting.end_pod("stale");
        setting.pod("n2", "b", "10.0.0.1");
        settle().await;
        old.start().await;
        for _ in 0..20 {
            sleep(Duration::from_millis(100)).await;
            assert!(setting.held(&group).contains(&"10.0.0.1:8080".to_owned()), "the journal is {journal}");
        }
        setting.holds(&group, &["10.0.0.1:8080"]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_drains_is_remembered_across_a_restart() {
    for (before, after) in [(5, 50), (50, 5), (200, 5)] {
        for boot in ["boot-1", "boot-2"] {
            let (setting, group) =
                Setting::web(&[("target.reregister_draining", "vanishes"), ("target.drain_seconds", "300")])
                    .await;
            let mut agent = setting.agent("n1").await;
            setting.pod("n1", "a", "10.0.0.1");
            settle().await;
            setting.end_pod("a");
            sleep(Duration::from_secs(before)).await;
            // The address is used again before the restart or after it.
            if before < after {
                setting.pod("n1", "b", "10.0.0.1");
                sleep(Duration::from_secs(after)).await;
            }
            agent.kill();
            agent.boot = boot.into();
            agent.start().await;
            sleep(Duration::from_secs(5)).await;
            if before > after {
                setting.pod("n1", "b", "10.0.0.1");
            }
            sleep(Duration::from_secs(400)).await;
            assert_eq!(
                setting.held(&group),
                ["10.0.0.1:8080"],
                "{boot}, restarted {before} s + {after} s later"
            );
        }
    }
}
