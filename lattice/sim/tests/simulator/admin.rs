//! The admin endpoints.

use lattice_sim::{LogEntry, StateView, TargetStatus};
use serde_json::{Value, json};

use crate::harness::{Raw, Sim};

async fn put(sim: &Sim, path: &str, body: Value) -> Raw {
    sim.raw("PUT", path, body.to_string()).await
}

#[tokio::test(start_paused = true)]
async fn calls_are_counted_and_counted_anew() {
    let sim = Sim::instant();
    sim.service("web").await;
    sim.raw("GET", "/services", "").await;
    sim.raw("GET", "/services?maxResults=0", "").await;
    sim.raw("GET", "/nothing", "").await;
    let calls = sim.raw("GET", "/_sim/calls", "").await;
    assert_eq!(calls.body, json!({"CreateService": 1, "ListServices": 2, "UnknownOperation": 1}));
    assert_eq!(sim.raw("POST", "/_sim/calls/reset", "").await.status, 200);
    assert_eq!(sim.raw("GET", "/_sim/calls", "").await.body, json!({}));
    // Counting anew leaves the log alone.
    assert_eq!(sim.simulator.log(0).len(), 4);
}

#[tokio::test(start_paused = true)]
async fn log_tells_request_and_answer_from_a_number_on() {
    let sim = Sim::instant();
    let before = sim.simulator.time();
    let group = sim.group("web").await;
    sim.advance(10.0);
    sim.register(&group, &["10.0.0.1"]).await;
    let log = sim.raw("GET", "/_sim/log?after=1", "").await;
    let log: Vec<LogEntry> = serde_json::from_value(log.body).unwrap();
    assert_eq!(log, sim.simulator.log(1));
    let [entry] = &log[..] else { panic!("{log:?}") };
    assert_eq!((entry.n, entry.operation.as_str(), entry.status), (2, "RegisterTargets", Some(200)));
    assert_eq!(entry.account, "123456789012");
    assert_eq!(entry.request, json!({"targetGroupIdentifier": group, "targets": [{"id": "10.0.0.1"}]}));
    assert_eq!(entry.response, json!({"successful": [{"id": "10.0.0.1", "port": 8080}], "unsuccessful": []}));
    assert!((10.0..11.0).contains(&(entry.time - before)), "{} {before}", entry.time);
    assert_eq!(sim.raw("GET", "/_sim/log", "").await.body.as_array().unwrap().len(), 2);
    assert_eq!(sim.raw("GET", "/_sim/log?after=2", "").await.body, json!([]));
    assert_eq!(sim.raw("GET", "/_sim/log?before=2", "").await.status, 400);
    assert_eq!(sim.raw("GET", "/_sim/log?after=x", "").await.status, 400);
}

#[tokio::test(start_paused = true)]
async fn faults_are_set_as_a_whole_and_shown() {
    let sim = Sim::instant();
    let rules = json!([
        {"operation": "RegisterTargets", "probability": 0.5, "error": "ThrottlingException", "applied": true},
        {"operation": "*", "probability": 1.0, "latency_ms": 20, "count": 3},
        {"operation": "*", "probability": 1.0, "timeout": true},
        {"operation": "RegisterTargets", "probability": 1.0, "unsuccessful": {"code": "X", "targets": 1}},
    ]);
    assert_eq!(put(&sim, "/_sim/faults", rules.clone()).await.status, 200);
    assert_eq!(sim.raw("GET", "/_sim/faults", "").await.body, rules);
    for (bad, message) in [
        (json!([{"operation": "Nope"}]), "fault rule 1: there is no operation Nope"),
        (
            json!([{"operation": "*", "delay": 1}]),
            "the body must be JSON of the documented form: unknown field `delay`",
        ),
        (json!([{}]), "the body must be JSON of the documented form: missing field `operation`"),
        (json!({}), "the body must be JSON of the documented form: invalid type: map, expected a sequence"),
    ] {
        let refused = put(&sim, "/_sim/faults", bad).await;
        assert_eq!(refused.status, 400);
        assert!(refused.body["message"].as_str().unwrap().starts_with(message), "{refused:?}");
    }
    assert_eq!(sim.simulator.faults().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn states_of_targets_are_set() {
    let sim = Sim::instant();
    let (group, ..) = sim.used_group("web").await;
    sim.register(&group, &["10.0.0.1"]).await;
    let body = |id: &str, status: &str| json!({"group": group, "id": id, "port": 8080, "status": status});
    assert_eq!(put(&sim, "/_sim/targets", body("10.0.0.1", "UNHEALTHY")).await.status, 200);
    let target = sim.simulator.targets(&group).unwrap().remove(0);
    assert_eq!(
        (target.status, target.reason_code.as_deref()),
        (TargetStatus::Unhealthy, Some("HealthCheckFailed"))
    );
    let absent = put(&sim, "/_sim/targets", body("10.0.0.2", "HEALTHY")).await;
    assert_eq!(absent.status, 404);
    assert_eq!(
        absent.body["message"],
        format!("there is no target 10.0.0.2 on port 8080 in target group {group}")
    );
    let no_group = json!({"group": "tg-1", "id": "a", "status": "HEALTHY"});
    assert_eq!(put(&sim, "/_sim/targets", no_group).await.status, 404);
    assert_eq!(put(&sim, "/_sim/targets", body("10.0.0.1", "SICK")).await.status, 400);
    assert!(sim.simulator.targets("tg-1").is_err());
}

#[tokio::test(start_paused = true)]
async fn settings_are_changed_together_or_not_at_all() {
    let sim = Sim::instant();
    let changes = json!({"target.drain_seconds": 300, "target.reregister_draining": "refused"});
    assert_eq!(put(&sim, "/_sim/settings", changes).await.status, 200);
    let settings = sim.raw("GET", "/_sim/settings", "").await.body;
    assert_eq!(
        (&settings["target.drain_seconds"], &settings["target.reregister_draining"]),
        (&json!(300), &json!("refused"))
    );
    assert_eq!(settings.as_object().unwrap().len(), lattice_sim::settings::table().len());
    for bad in [
        json!({"target.drain_seconds": 1, "nope": 1}),
        json!({"target.drain_seconds": -1}),
        json!({"target.drain_seconds": true}),
        json!([]),
    ] {
        assert_eq!(put(&sim, "/_sim/settings", bad).await.status, 400);
    }
    assert_eq!(sim.simulator.settings().drain.0.as_secs(), 300);
    // What is shown can be set again.
    assert_eq!(put(&sim, "/_sim/settings", settings).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn clock_is_advanced_within_bounds() {
    let sim = Sim::instant();
    let before = sim.simulator.time();
    let post = |body: &str| sim.raw("POST", "/_sim/clock", body.to_owned());
    let advanced = post(r#"{"advance_seconds": 61.5}"#).await;
    assert!((advanced.body["time"].as_f64().unwrap() - before - 61.5).abs() < 0.01);
    for bad in
        [r#"{"advance_seconds": -1}"#, r#"{"advance_seconds": 1e99}"#, r#"{"seconds": 1}"#, "{}", "", "[]"]
    {
        assert_eq!(post(bad).await.status, 400, "{bad}");
    }
    // No sum of advances breaks the clock.
    for _ in 0..100 {
        assert_eq!(post(r#"{"advance_seconds": 315360000}"#).await.status, 200);
    }
    sim.service("web").await;
}

#[tokio::test(start_paused = true)]
async fn state_shows_what_calls_have_made() {
    let sim = Sim::instant();
    let (group, service, listener) = sim.used_group("web").await;
    sim.register(&group, &["10.0.0.1"]).await;
    let state: StateView = serde_json::from_value(sim.raw("GET", "/_sim/state", "").await.body).unwrap();
    assert_eq!(state, StateView { time: state.time, ..sim.simulator.state() });
    assert_eq!((&state.target_groups[0].id, &state.target_groups[0].services[0]), (&group, &service));
    assert_eq!(state.target_groups[0].targets[0].status, TargetStatus::Healthy);
    let shown = &state.services[0].listeners[0];
    assert_eq!((&shown.id, shown.rules[0].name.as_str()), (&listener, "default"));
}

#[tokio::test(start_paused = true)]
async fn what_is_no_endpoint_is_answered_with_those_there_are() {
    let sim = Sim::instant();
    for (method, path) in
        [("GET", "/_sim/nothing"), ("DELETE", "/_sim/calls"), ("GET", "/_sim/"), ("GET", "/_sim")]
    {
        let refused = sim.raw(method, path, "").await;
        assert_eq!(refused.status, 404);
        assert!(refused.body["message"].as_str().unwrap().contains("PUT /_sim/targets"));
    }
    assert!(sim.simulator.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_reset_brings_back_the_start_and_its_ids() {
    let sim = Sim::with(&[("region", "eu-west-1")]);
    let first = sim.group("web").await;
    sim.register(&first, &["10.0.0.1"]).await;
    put(&sim, "/_sim/faults", json!([{"operation": "ListTargetGroups", "error": "ThrottlingException"}]))
        .await;
    put(&sim, "/_sim/settings", json!({"accounts": 2, "clock.frozen": true})).await;
    put(&sim, "/_sim/surroundings", json!({"vpcs": [{"id": "vpc-00000001", "cidrs": ["10.0.0.0/8"]}]})).await;
    assert_eq!(sim.raw("POST", "/_sim/reset", "").await.status, 200);
    assert_eq!(sim.client.list_target_groups().send().await.unwrap().items().len(), 0);
    assert_eq!(sim.simulator.surroundings().vpcs.len(), 0);
    assert_eq!((sim.simulator.settings().accounts.0, sim.simulator.settings().clock_frozen.0), (1, false));
    assert_eq!(sim.group("web").await, first);
    assert_eq!(sim.simulator.calls()["CreateTargetGroup"], 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_for_the_start_cant_be_changed_later() {
    let sim = Sim::with(&[("region", "eu-west-1")]);
    for (name, value) in [
        ("clock.start", "2026-01-01T00:00:00Z"),
        ("data.connections", "5"),
        ("data.interface", "other"),
        ("dns.listen", "off"),
        ("region", "us-east-1"),
    ] {
        let refused = put(&sim, "/_sim/settings", json!({(name): value})).await;
        let message = format!("setting {name} can't be changed any more, it is for the start");
        assert_eq!((refused.status, &refused.body["message"]), (400, &json!(message)));
    }
    let group = sim.group("web").await;
    let read = sim.client.get_target_group().target_group_identifier(&group).send().await.unwrap();
    assert!(read.arn().unwrap().starts_with("arn:aws:vpc-lattice:eu-west-1:"), "{read:?}");
    let ready = sim.raw("GET", "/_sim/ready", "").await.body;
    assert_eq!((&ready["region"], ready["accounts"].as_array().unwrap().len()), (&json!("eu-west-1"), 1));
    let time = sim.raw("GET", "/_sim/clock", "").await.body["time"].as_f64().unwrap();
    assert!((time - sim.simulator.time()).abs() < 0.01);
}
