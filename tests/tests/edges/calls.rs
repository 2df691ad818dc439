//! Calls: as few as can be, and what becomes of those that fail, are throttled or get no answer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime},
};

use k8s_openapi::api::events::v1::Event;
use lattice_client::Clock;
use lattice_sim::{Fault, UnsuccessfulTargets};
use tokio::time::{Instant, sleep};

use super::{
    objects::{service, set_app},
    setting::{Log, Setting, settle},
};

/// Makes ready pods `p0`, `p1`, ... of node n1.
fn pods(setting: &Setting, numbers: std::ops::Range<usize>) {
    for n in numbers {
        setting.pod("n1", &format!("p{n}"), &format!("10.0.{}.{}", n / 250, n % 250 + 1));
    }
}

/// How long a condition takes to be true.
async fn until(condition: impl Fn() -> bool) -> Duration {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_hours(1), "it does not get there");
        sleep(Duration::from_millis(10)).await;
    }
    start.elapsed()
}

fn slow(milliseconds: u64) -> Fault {
    Fault { latency_ms: Some(milliseconds), ..Fault::on("*") }
}

#[tokio::test(start_paused = true)]
async fn the_first_change_is_called_at_once() {
    let (setting, group) = Setting::web(&[]).await;
    let _agent = setting.agent("n1").await;
    settle().await;
    let start = Instant::now();
    pods(&setting, 0..1);
    sleep(Duration::from_millis(1)).await;
    assert_eq!(setting.held(&group).len(), 1);
    setting.delete_pod("p0");
    sleep(Duration::from_millis(1)).await;
    setting.holds(&group, &[]);
    assert!(start.elapsed() <= Duration::from_millis(4));
}

#[tokio::test(start_paused = true)]
async fn a_burst_is_one_call_and_then_as_few_as_hold_the_rest() {
    for (count, at_once, most) in [(1, true, 1), (100, true, 2), (250, true, 4), (110, false, 60)] {
        let (setting, group) = Setting::web(&[]).await;
        setting.faults(vec![slow(20)]);
        let _agent = setting.agent("n1").await;
        settle().await;
        setting.new_calls();
        for n in 0..count {
            pods(&setting, n..n + 1);
            if !at_once {
                sleep(Duration::from_millis(10)).await;
            }
        }
        settle().await;
        assert_eq!(setting.held(&group).len(), count);
        for n in 0..count {
            setting.end_pod(&format!("p{n}"));
            if !at_once {
                sleep(Duration::from_millis(10)).await;
            }
        }
        settle().await;
        setting.holds(&group, &[]);
        let calls = setting.new_calls();
        assert!(calls["RegisterTargets"] <= most, "{count} pods: {calls:?}");
        assert!(calls["DeregisterTargets"] <= most, "{count} pods: {calls:?}");
        assert_eq!(calls.len(), 2, "{count} pods: {calls:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn fifty_services_at_once_are_fifty_calls_side_by_side() {
    let setting = Setting::new(&[]);
    let mut groups = Vec::new();
    for n in 0..50 {
        let name = format!("web{n}");
        let group = setting.group(&name, "IPV4").await;
        let mut own = service(&name, 8080);
        own.spec.as_mut().unwrap().selector.as_mut().unwrap().insert("app".into(), name.clone());
        setting.api.put(&own).unwrap();
        setting.bind(&name, &name, &group);
        groups.push(group);
    }
    let _agent = setting.agent("n1").await;
    settle().await;
    setting.new_calls();
    setting.faults(vec![slow(20)]);
    for n in 0..50 {
        setting.pod_with("n1", &format!("p{n}"), &format!("10.0.0.{}", n + 1), |pod| {
            set_app(pod, &format!("web{n}"));
        });
    }
    let took = until(|| groups.iter().all(|group| setting.held(group).len() == 1)).await;
    assert!(took <= Duration::from_millis(500), "{took:?}");
    assert_eq!(setting.new_calls()["RegisterTargets"], 50);
}

#[tokio::test(start_paused = true)]
async fn at_rest_nothing_is_called_at_all() {
    let (setting, group) = Setting::web(&[]).await;
    let agent = setting.agent("n1").await;
    pods(&setting, 0..30);
    settle().await;
    setting.new_calls();
    sleep(Duration::from_hours(24)).await;
    assert!(setting.new_calls().is_empty());
    assert_eq!(setting.held(&group).len(), 30);
    // A renewal every 30 seconds, and a new watch of each of three kinds every 290.
    let requests =
        ["pods", "services", "targetgroupbindings"].map(|plural| agent.access().requests("watch", plural));
    assert!(requests.iter().all(|count| *count <= 300), "{requests:?}");
    assert!(agent.access().requests("patch", "leases") <= 2_900);
    assert!(agent.access().requests("update", "nodetargets") <= 2);
}

#[tokio::test(start_paused = true)]
async fn a_full_group_takes_nobody_in_lets_everybody_out_and_stops_no_other() {
    let (log, _guard) = Log::keep();
    let (setting, group) = Setting::web(&[]).await;
    let other = setting.group("other", "IPV4").await;
    setting.bind("other", "web", &other);
    for tens in 0..10 {
        let count = if tens == 9 { 90 } else { 100 };
        let others: Vec<String> = (0..count).map(|n| format!("10.9.{tens}.{n}")).collect();
        setting.register(&group, &others.iter().map(String::as_str).collect::<Vec<_>>()).await;
    }
    let _agent = setting.agent("n1").await;
    pods(&setting, 0..10);
    settle().await;
    assert_eq!(setting.held(&group).len(), 1_000);
    setting.new_calls();
    pods(&setting, 10..20);
    sleep(Duration::from_mins(10)).await;
    assert_eq!((setting.held(&group).len(), setting.held(&other).len()), (1_000, 20));
    let calls = setting.new_calls()["RegisterTargets"];
    assert!((10..=30).contains(&calls), "{calls} calls in ten minutes");
    let events: Vec<Event> = setting.api.all();
    assert!(events.iter().any(|event| event.reason.as_deref() == Some("TargetGroupFull")), "{events:?}");
    assert!(log.lines("the target group is full").len() <= 10);

    // Five leave, five of the waiting enter, once the drained ones are gone.
    for n in 0..5 {
        setting.end_pod(&format!("p{n}"));
    }
    settle().await;
    assert_eq!(setting.held(&group).len(), 995);
    let took = until(|| setting.held(&group).len() == 1_000).await;
    assert!(took < Duration::from_mins(3), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn room_that_comes_free_is_found_and_filled_soon() {
    let (setting, group) = Setting::web(&[("quota.targets_per_group", "60")]).await;
    let others: Vec<String> = (1..=60).map(|n| format!("10.9.9.{n}")).collect();
    setting.register(&group, &others.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let _agent = setting.agent("n1").await;
    pods(&setting, 0..100);
    settle().await;
    assert_eq!(setting.held(&group).len(), 60);
    setting.cloud.change_settings([("quota.targets_per_group", "110")]).unwrap();
    let took = until(|| setting.held(&group).len() == 110).await;
    assert!(took < Duration::from_mins(4), "fifty places were filled in {took:?}");
}

#[tokio::test(start_paused = true)]
async fn one_refused_target_of_150_holds_up_no_other() {
    let (setting, group) = Setting::web(&[]).await;
    let refused = UnsuccessfulTargets { code: "UnsupportedTarget".into(), targets: 1 };
    setting.faults(vec![Fault {
        resource: Some("10.0.0.8".into()),
        unsuccessful: Some(refused),
        ..Fault::on("RegisterTargets")
    }]);
    let agent = setting.agent("n1").await;
    pods(&setting, 0..150);
    settle().await;
    assert_eq!(setting.held(&group).len(), 149);
    sleep(Duration::from_mins(10)).await;
    let calls = setting.new_calls()["RegisterTargets"];
    assert!((60..=140).contains(&calls), "{calls} calls in ten minutes");
    let events: Vec<Event> = setting.api.all();
    let about: Vec<_> = events.iter().filter_map(|event| event.regarding.as_ref()?.name.as_deref()).collect();
    assert_eq!(about, ["p7"]);
    assert!(events[0].note.as_ref().unwrap().contains("UnsupportedTarget"), "{events:?}");
    assert!(agent.readyz().ready);
    setting.faults(vec![]);
    sleep(Duration::from_secs(11)).await;
    assert_eq!(setting.held(&group).len(), 150);
}

#[tokio::test(start_paused = true)]
async fn at_one_call_a_second_the_dying_leave_first_and_all_get_their_turn() {
    let setting = Setting::new(&[]);
    let mut groups = Vec::new();
    for n in 0..20 {
        let name = format!("web{n}");
        let group = setting.group(&name, "IPV4").await;
        setting.api.put(&service(&name, 8080)).unwrap();
        setting.bind(&name, &name, &group);
        groups.push(group);
    }
    let _agent = setting.agent("n1").await;
    pods(&setting, 0..10);
    settle().await;
    assert!(groups.iter().all(|group| setting.held(group).len() == 10));
    setting.cloud.change_settings([("api.rate", "1"), ("api.burst", "1")]).unwrap();

    // A rollout: in each group ten come and ten go.
    let start = Instant::now();
    pods(&setting, 10..20);
    for n in 0..10 {
        setting.end_pod(&format!("p{n}"));
    }
    let stale = |group: &lattice::TargetGroupArn| {
        let old: Vec<String> = (0..10).map(|n| format!("10.0.0.{}:8080", n + 1)).collect();
        setting.held(group).iter().filter(|target| old.contains(target)).count()
    };
    until(|| groups.iter().all(|group| stale(group) == 0)).await;
    let out = start.elapsed();
    until(|| groups.iter().all(|group| setting.held(group).len() == 10)).await;
    let all = start.elapsed();
    assert!(out < Duration::from_secs(60), "all were out after {out:?}");
    assert!(all < Duration::from_secs(120), "all were in after {all:?}");
}

#[tokio::test(start_paused = true)]
async fn calls_that_fail_or_get_no_answer_come_true_in_the_end() {
    let error = |operation: &str, name: &str, applied| Fault {
        error: Some(name.into()),
        applied: Some(applied),
        count: Some(3),
        ..Fault::on(operation)
    };
    let silence = |operation: &str, applied| Fault {
        timeout: true,
        applied: Some(applied),
        count: Some(3),
        ..Fault::on(operation)
    };
    for operation in ["RegisterTargets", "DeregisterTargets"] {
        for applied in [false, true] {
            for fault in [
                error(operation, "InternalServerException", applied),
                error(operation, "ServiceUnavailable", applied),
                error(operation, "ConflictException", applied),
                error(operation, "ThrottlingException", applied),
                silence(operation, applied),
            ] {
                let what = format!("{fault:?}");
                let (setting, group) = Setting::web(&[]).await;
                let other = setting.group("other", "IPV4").await;
                setting.bind("other", "web", &other);
                let agent = setting.agent("n1").await;
                pods(&setting, 0..2);
                settle().await;
                setting.new_calls();
                let fault = Fault { resource: Some(group.id().into()), ..fault };
                setting.faults(vec![fault]);
                pods(&setting, 2..4);
                setting.end_pod("p0");
                settle().await;
                let expected = ["10.0.0.2:8080", "10.0.0.3:8080", "10.0.0.4:8080"];
                assert_eq!(setting.held(&other), expected, "{what}: another group waited");
                sleep(Duration::from_secs(59)).await;
                assert_eq!(setting.held(&group), expected, "{what}");
                assert_eq!(agent.status().groups[0].troubles, Vec::<String>::new(), "{what}");
                sleep(Duration::from_mins(10)).await;
                let calls = setting.new_calls();
                assert!(calls.values().sum::<u64>() <= 16, "{what}: {calls:?}");
                sleep(Duration::from_hours(1)).await;
                assert!(setting.new_calls().is_empty(), "{what}");
                assert_eq!(setting.held(&group), expected, "{what}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_registration_that_hangs_delays_no_deregistration() {
    let (setting, group) = Setting::web(&[]).await;
    let _agent = setting.agent("n1").await;
    pods(&setting, 0..2);
    settle().await;
    setting.faults(vec![Fault { timeout: true, ..Fault::on("RegisterTargets") }]);
    pods(&setting, 2..3);
    sleep(Duration::from_millis(100)).await;
    setting.end_pod("p0");
    sleep(Duration::from_millis(100)).await;
    setting.holds(&group, &["10.0.0.2:8080"]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_role_is_named_once_listed_on_readyz_and_stops_no_other_group() {
    for (error, words) in [
        ("AccessDeniedException", "vpc-lattice:RegisterTargets"),
        ("UnrecognizedClientException", "UnrecognizedClientException"),
        ("ExpiredTokenException", "ExpiredTokenException"),
    ] {
        let (log, _guard) = Log::keep();
        let (setting, group) = Setting::web(&[]).await;
        let other = setting.group("other", "IPV4").await;
        setting.bind("other", "web", &other);
        setting.faults(vec![Fault {
            error: Some(error.into()),
            resource: Some(group.id().into()),
            ..Fault::on("RegisterTargets")
        }]);
        let agent = setting.agent("n1").await;
        pods(&setting, 0..3);
        sleep(Duration::from_mins(30)).await;
        setting.holds(&group, &[]);
        assert_eq!(setting.held(&other).len(), 3, "{error}");
        let report = agent.readyz();
        assert!(report.ready, "{error}");
        assert!(report.degraded["targets"].contains(words), "{error}: {report:?}");
        let lines = log.lines(words);
        assert_eq!(lines.len(), 1, "{error}: {lines:#?}");
        let calls = setting.new_calls()["RegisterTargets"];
        assert!(calls <= 80, "{error}: {calls} calls in half an hour");

        setting.faults(vec![]);
        sleep(Duration::from_secs(61)).await;
        assert_eq!(setting.held(&group).len(), 3, "{error}");
        assert!(agent.readyz().degraded.is_empty(), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wall_clock_that_jumps_costs_no_call() {
    const DAY: i64 = 86_400;

    let (setting, group) = Setting::web(&[]).await;
    let offset = Arc::new(AtomicI64::new(0));
    let mut agent = setting.agent("n1").await;
    agent.kill();
    agent.clock = Some(Clock::new({
        let offset = offset.clone();
        move || {
            let seconds = offset.load(Ordering::Relaxed);
            let by = Duration::from_secs(seconds.unsigned_abs());
            if seconds < 0 { SystemTime::now() - by } else { SystemTime::now() + by }
        }
    }));
    agent.start().await;
    setting.pod("n1", "p0", "10.0.0.1");
    settle().await;
    for (n, jump) in (1_u8..).zip([DAY, -DAY, 400 * DAY, -400 * DAY, 1]) {
        offset.store(jump, Ordering::Relaxed);
        setting.new_calls();
        setting.pod("n1", &format!("p{n}"), &format!("10.0.0.{}", n + 1));
        settle().await;
        setting.end_pod(&format!("p{}", n - 1));
        settle().await;
        setting.holds(&group, &[&format!("10.0.0.{}:8080", n + 1)]);
        let calls = setting.new_calls();
        assert_eq!(
            calls,
            [("RegisterTargets".into(), 1), ("DeregisterTargets".into(), 1)].into(),
            "{jump} s"
        );
    }
}
