//! Targets and their groups.

use std::future::pending;
use std::{net::Ipv4Addr, time::Duration};

use lattice::{Target, TargetGroupArn, TargetStatus, group::TargetGroupType, target::IpFamily};
use lattice_client::{Operation, Urgency};
use lattice_sim::{Fault, SetTarget, Simulator, UnsuccessfulTargets};
use tokio::time::Instant;

use crate::connect;

/// Makes a resource by its own request, so that what is read was not written by the client.
async fn create(simulator: &Simulator, path: &str, body: serde_json::Value) -> serde_json::Value {
    let request = http::Request::post(path).body(body.to_string().into()).unwrap();
    let response = simulator.handle(request).await;
    assert!(response.status().is_success(), "{response:?}");
    serde_json::from_slice(response.body()).unwrap()
}

async fn group(simulator: &Simulator) -> TargetGroupArn {
    let body = serde_json::json!({
        "name": "web", "type": "IP", "tags": { "lath.dev/cluster": "demo" },
        "config": { "port": 80, "protocol": "HTTP", "vpcIdentifier": "vpc-0123456789abcdef0" }
    });
    create(simulator, "/targetgroups", body).await["arn"].as_str().unwrap().parse().unwrap()
}

fn target(number: u16) -> Target {
    Target { address: Ipv4Addr::from(0x0a00_0000 + u32::from(number)).into(), port: 8080 }
}

fn targets(numbers: std::ops::Range<u16>) -> Vec<Target> {
    numbers.map(target).collect()
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(15)
}

#[tokio::test(start_paused = true)]
async fn targets_go_in_show_their_state_and_go_out() {
    let (simulator, client) = connect().await;
    let group = group(&simulator).await;
    let outcome = client.register(&group, &targets(0..2)).await.unwrap();
    assert_eq!(outcome.done, targets(0..2));
    assert_eq!(outcome.failed, []);

    let set = SetTarget {
        group: group.id().into(),
        id: "10.0.0.1".into(),
        port: Some(8080),
        status: lattice_sim::TargetStatus::Healthy,
    };
    simulator.set_target(&set).unwrap();
    let asked = [target(0), target(1), target(7)];
    let mut states = client.states_of(&group, &asked, Urgency::Verify).await.unwrap();
    states.sort_by_key(|state| state.target);
    let states: Vec<_> = states.iter().map(|state| (state.target, state.status)).collect();
    assert_eq!(states, [(target(0), TargetStatus::Unused), (target(1), TargetStatus::Healthy)]);

    let outcome = client.deregister(&group, &targets(0..1), soon(), pending()).await.unwrap();
    assert_eq!(outcome.done, targets(0..1));
    assert_eq!(client.metrics().count(Operation::RegisterTargets, "ok"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_group_is_read_with_its_tags_and_all_pages_of_its_targets() {
    let (simulator, client) = connect().await;
    let arn = group(&simulator).await;
    let group = client.target_group(&arn, Urgency::Observe).await.unwrap();
    assert_eq!(group.name, "web");
    assert_eq!(group.kind, TargetGroupType::Ip);
    assert_eq!(group.family, IpFamily::IPv4);
    assert_eq!(group.vpc.as_deref(), Some("vpc-0123456789abcdef0"));
    assert_eq!(group.health_check_interval, Some(Duration::from_secs(30)));
    assert!(group.active);
    assert_eq!(client.tags(arn.as_str(), Urgency::Observe).await.unwrap()["lath.dev/cluster"], "demo");

    for start in [0, 100, 200] {
        client.register(&arn, &targets(start..start + 100)).await.unwrap();
    }
    let mut states = client.states(&arn, Urgency::Observe).await.unwrap();
    states.sort_by_key(|state| state.target);
    assert_eq!(states.iter().map(|state| state.target).collect::<Vec<_>>(), targets(0..300));
    assert_eq!(client.metrics().count(Operation::ListTargets, "ok"), 3);
}

#[tokio::test(start_paused = true)]
async fn one_refused_target_of_a_hundred_is_told_apart() {
    let (simulator, client) = connect().await;
    let group = group(&simulator).await;
    let unsuccessful = UnsuccessfulTargets { code: "UnsupportedTarget".into(), targets: 1 };
    let fault = Fault { unsuccessful: Some(unsuccessful), ..Fault::on("RegisterTargets") };
    simulator.set_faults(vec![fault]).unwrap();
    let outcome = client.register(&group, &targets(0..100)).await.unwrap();
    assert_eq!((outcome.done.len(), outcome.failed.len()), (99, 1));
    assert_eq!(outcome.failed[0].code, "UnsupportedTarget");
}

#[tokio::test(start_paused = true)]
async fn every_failure_says_what_to_do_about_it() {
    let error = |name: &str| Fault { error: Some(name.into()), ..Fault::on("RegisterTargets") };
    for (fault, label, may_have_applied, needs_operator) in [
        (error("ThrottlingException"), "throttled", false, false),
        (error("InternalServerException"), "unanswered", true, false),
        (error("ServiceUnavailable"), "unanswered", true, false),
        (Fault { timeout: true, ..Fault::on("RegisterTargets") }, "unanswered", true, false),
        (error("ConflictException"), "conflict", false, false),
        (error("ResourceNotFoundException"), "missing", false, false),
        (error("ServiceQuotaExceededException"), "full", false, false),
        (error("AccessDeniedException"), "denied", false, true),
        (error("UnrecognizedClientException"), "credentials", false, true),
        (error("ExpiredTokenException"), "credentials", false, true),
        (error("ValidationException"), "refused", false, true),
    ] {
        let (simulator, client) = connect().await;
        let group = group(&simulator).await;
        let name = fault.error.clone().unwrap_or("time-out".into());
        simulator.set_faults(vec![fault]).unwrap();
        let error = client.register(&group, &targets(0..1)).await.unwrap_err();
        assert_eq!(error.label(), label, "{name}: {error:?}");
        assert_eq!(error.may_have_applied(), may_have_applied, "{name}");
        assert_eq!(error.needs_operator(), needs_operator, "{name}");
        assert_eq!(client.metrics().count(Operation::RegisterTargets, error.label()), 1, "{name}");
        assert_eq!(simulator.calls()["RegisterTargets"], 1, "{name} was called more than once");
    }
}

#[tokio::test(start_paused = true)]
async fn a_denied_call_names_the_missing_action() {
    let (simulator, client) = connect().await;
    let group = group(&simulator).await;
    let fault = Fault { error: Some("AccessDeniedException".into()), ..Fault::on("DeregisterTargets") };
    simulator.set_faults(vec![fault]).unwrap();
    let error = client.deregister(&group, &targets(0..1), soon(), pending()).await.unwrap_err();
    assert!(error.to_string().contains("vpc-lattice:DeregisterTargets"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_deregistration_whose_turn_comes_too_late_is_not_sent() {
    let (simulator, client) = connect().await;
    let group = group(&simulator).await;
    let fault =
        Fault { error: Some("ThrottlingException".into()), count: Some(6), ..Fault::on("RegisterTargets") };
    simulator.set_faults(vec![fault]).unwrap();
    for _ in 0..6 {
        client.register(&group, &targets(0..1)).await.unwrap_err();
    }
    let now = Instant::now();
    let error = client
        .deregister(&group, &targets(0..1), now + Duration::from_millis(1), pending())
        .await
        .unwrap_err();
    assert_eq!(error.label(), "not_sent");
    assert!(now.elapsed() <= Duration::from_millis(5), "{:?}", now.elapsed());
    assert_eq!(simulator.calls().get("DeregisterTargets"), None);
    assert_eq!(client.metrics().count(Operation::DeregisterTargets, "not_sent"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_deregistration_whose_time_is_over_or_that_is_withdrawn_is_not_sent_although_its_turn_is_free() {
    let (simulator, client) = connect().await;
    let group = group(&simulator).await;
    let over = Instant::now();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let error = client.deregister(&group, &targets(0..1), over, pending()).await.unwrap_err();
    assert_eq!(error.label(), "not_sent");
    let withdrawn = std::future::ready(());
    let error = client.deregister(&group, &targets(0..1), soon(), withdrawn).await.unwrap_err();
    assert_eq!(error.label(), "not_sent");
    assert_eq!(simulator.calls().get("DeregisterTargets"), None);
}

#[tokio::test(start_paused = true)]
async fn a_group_of_another_account_or_none_is_missing() {
    let (_, client) = connect().await;
    let arn = "arn:aws:vpc-lattice:us-west-2:123456789012:targetgroup/tg-00000000000000000".parse().unwrap();
    let error = client.target_group(&arn, Urgency::Observe).await.unwrap_err();
    assert_eq!(error.label(), "missing");
}
