//! Faults as a client sees them.

use std::time::Duration;

use lattice_sim::{Fault, UnsuccessfulTargets};
use serde_json::Value;
use tokio::time::{Instant, timeout};

use crate::harness::{Sim, code, targets};

fn error(operation: &str, name: &str) -> Fault {
    Fault { error: Some(name.to_owned()), ..Fault::on(operation) }
}

#[tokio::test(start_paused = true)]
async fn latency_delays_the_answer_and_not_the_effect() {
    let sim = Sim::instant();
    let group = sim.group("web").await;
    sim.simulator.set_faults(vec![Fault { latency_ms: Some(20), ..Fault::on("RegisterTargets") }]).unwrap();
    let before = sim.simulator.time();
    let started = Instant::now();
    let call = sim.client.register_targets().target_group_identifier(&group);
    let call = tokio::spawn(call.set_targets(Some(targets(&["10.0.0.1"]))).send());
    while sim.simulator.log(1).is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(sim.simulator.targets(&group).unwrap().len(), 1);
    let entry = sim.simulator.log(1).remove(0);
    call.await.unwrap().unwrap();
    assert!(started.elapsed() >= Duration::from_millis(20));
    assert!(entry.time < before + 0.02, "the time is that of arrival");
    assert_eq!(entry.status, Some(200));
}

#[tokio::test(start_paused = true)]
async fn an_error_takes_effect_or_not() {
    let sim = Sim::instant();
    let group = sim.group("web").await;
    let register = |id: &str| {
        let call = sim.client.register_targets().target_group_identifier(&group);
        call.set_targets(Some(targets(&[id]))).send()
    };
    let fault = Fault { count: Some(1), ..error("RegisterTargets", "InternalServerException") };
    sim.simulator.set_faults(vec![fault.clone()]).unwrap();
    assert_eq!(code(register("10.0.0.1").await), "InternalServerException");
    assert!(sim.simulator.targets(&group).unwrap().is_empty());
    register("10.0.0.1").await.unwrap();
    sim.simulator.set_faults(vec![Fault { applied: Some(true), ..fault }]).unwrap();
    assert_eq!(code(register("10.0.0.2").await), "InternalServerException");
    assert_eq!(sim.simulator.targets(&group).unwrap().len(), 2);
    assert_eq!(sim.simulator.faults()[0].count, Some(0));
}

#[tokio::test(start_paused = true)]
async fn a_time_out_takes_effect_or_not_and_is_logged_without_status() {
    for applied in [false, true] {
        let sim = Sim::instant();
        let group = sim.group("web").await;
        let fault = Fault { timeout: true, applied: Some(applied), ..Fault::on("RegisterTargets") };
        sim.simulator.set_faults(vec![fault]).unwrap();
        let call = sim.client.register_targets().target_group_identifier(&group);
        let call = call.set_targets(Some(targets(&["10.0.0.1"]))).send();
        assert!(timeout(Duration::from_secs(3600), call).await.is_err());
        assert_eq!(sim.simulator.targets(&group).unwrap().len(), usize::from(applied));
        let entry = sim.simulator.log(1).remove(0);
        assert_eq!(
            (entry.operation.as_str(), entry.status, entry.response),
            ("RegisterTargets", None, Value::Null)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn every_modelled_error_can_be_injected() {
    let sim = Sim::instant();
    let group = sim.group("web").await;
    for name in [
        "AccessDeniedException",
        "ConflictException",
        "InternalServerException",
        "ResourceNotFoundException",
        "ServiceQuotaExceededException",
        "ThrottlingException",
        "ValidationException",
    ] {
        sim.simulator.set_faults(vec![error("RegisterTargets", name)]).unwrap();
        let call = sim.client.register_targets().target_group_identifier(&group);
        let failed = call.set_targets(Some(targets(&["10.0.0.1"]))).send().await.unwrap_err();
        // An error that the operation does not model, or that lacks a member, would not come back as itself.
        let shown = format!("{:?}", failed.as_service_error().unwrap());
        assert!(shown.starts_with(name), "{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn errors_of_every_aws_api_can_be_injected() {
    let sim = Sim::instant();
    sim.simulator.set_faults(vec![error("*", "ExpiredTokenException")]).unwrap();
    assert_eq!(code(sim.client.list_services().send().await), "ExpiredTokenException");
    let raw = sim.raw("GET", "/services", "").await;
    assert_eq!((raw.status, raw.error.as_deref()), (403, Some("ExpiredTokenException")));
}

#[tokio::test(start_paused = true)]
async fn one_of_150_targets_in_two_calls_is_unsuccessful() {
    let sim = Sim::instant();
    let group = sim.group("web").await;
    let unsuccessful = UnsuccessfulTargets { code: "UnsupportedTarget".to_owned(), targets: 1 };
    let fault = Fault { count: Some(1), unsuccessful: Some(unsuccessful), ..Fault::on("*") };
    sim.simulator.set_faults(vec![fault]).unwrap();
    let ids: Vec<String> = (0..150).map(|n| format!("10.0.0.{n}")).collect();
    let mut outcome = Vec::new();
    for ids in ids.chunks(100) {
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let registered = sim.register(&group, &ids).await;
        outcome.push((registered.successful().len(), registered.unsuccessful().len()));
    }
    assert_eq!(outcome, [(99, 1), (50, 0)]);
    assert_eq!(sim.simulator.targets(&group).unwrap().len(), 149);
}

#[tokio::test(start_paused = true)]
async fn a_named_target_is_unsuccessful_until_the_rule_goes() {
    let sim = Sim::instant();
    let group = sim.group("web").await;
    sim.register(&group, &["10.0.0.7"]).await;
    let unsuccessful = UnsuccessfulTargets { code: "Odd".to_owned(), targets: 100 };
    let fault = Fault {
        resource: Some("10.0.0.7".to_owned()),
        unsuccessful: Some(unsuccessful),
        ..Fault::on("DeregisterTargets")
    };
    sim.simulator.set_faults(vec![fault]).unwrap();
    let gone = sim.deregister(&group, &["10.0.0.6", "10.0.0.7"]).await;
    assert_eq!(gone.unsuccessful()[0].id(), Some("10.0.0.7"));
    assert_eq!(gone.unsuccessful()[0].failure_code(), Some("Odd"));
    assert_eq!(gone.successful().len(), 1);
    sim.simulator.set_faults(Vec::new()).unwrap();
    assert_eq!(sim.deregister(&group, &["10.0.0.7"]).await.unsuccessful(), []);
}

#[tokio::test(start_paused = true)]
async fn calls_above_the_rate_are_throttled() {
    let sim = Sim::with(&[("api.rate", "1"), ("api.burst", "2"), ("api.retry_after", "3")]);
    let list = || sim.raw("GET", "/services", "");
    assert_eq!(list().await.status, 200);
    assert_eq!(list().await.status, 200);
    let throttled = list().await;
    assert_eq!((throttled.status, throttled.error.as_deref()), (429, Some("ThrottlingException")));
    assert_eq!(throttled.headers["retry-after"], "3");
    // Other operations have their own bucket, and those that do not model throttling have none.
    assert_eq!(sim.raw("GET", "/targetgroups", "").await.status, 200);
    let arn = "arn%3Aaws%3Avpc-lattice%3Aus-west-2%3A123456789012%3Aservice%2Fsvc-0123456789abcdef0";
    for _ in 0..5 {
        assert_eq!(sim.raw("GET", &format!("/tags/{arn}"), "").await.status, 404);
    }
    sim.advance(1.0);
    assert_eq!(list().await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_absent_by_default() {
    let sim = Sim::instant();
    sim.simulator.set_faults(vec![error("*", "ThrottlingException")]).unwrap();
    assert!(!sim.raw("GET", "/services", "").await.headers.contains_key("retry-after"));
}
