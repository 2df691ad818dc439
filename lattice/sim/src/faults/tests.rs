//! Tests of fault rules.

use serde_json::json;

use super::*;

fn check_refused(fault: &serde_json::Value, expected: &str) {
    let fault: Fault = serde_json::from_value(fault.clone()).unwrap();
    let error = Faults::new(0).set(vec![Fault::on("*"), fault]).unwrap_err();
    assert_eq!(error.to_string(), format!("fault rule 2: {expected}"));
}

#[test]
fn wrong_rules_are_refused_with_the_reason() {
    check_refused(&json!({"operation": "GetNothing"}), "there is no operation GetNothing");
    check_refused(&json!({"operation": "*", "probability": 1.1}), "probability 1.1 is not from 0 to 1");
    check_refused(&json!({"operation": "*", "latency_ms": 3_600_001}), "latency_ms is at most 3600000");
    check_refused(
        &json!({"operation": "*", "timeout": true, "error": "ThrottlingException"}),
        "at most one of error, timeout, unsuccessful and fails",
    );
    check_refused(&json!({"operation": "*", "applied": true}), "applied goes with error or timeout only");
    check_refused(&json!({"operation": "*", "error": "Oops"}), "there is no error Oops");
    check_refused(
        &json!({"operation": "DeleteTargetGroup", "error": "AccessDeniedException"}),
        "DeleteTargetGroup does not model AccessDeniedException",
    );
    check_refused(
        &json!({"operation": "GetService", "unsuccessful": {"code": "X", "targets": 1}}),
        "unsuccessful goes with RegisterTargets and DeregisterTargets only",
    );
    check_refused(
        &json!({"operation": "*", "unsuccessful": {"code": "X", "targets": 0}}),
        "unsuccessful needs a code and 1 to 100 targets",
    );
}

fn plan(faults: &mut Faults, operation: &str, input: &serde_json::Value) -> Plan {
    faults.plan(model::operation(operation).unwrap(), input.as_object().unwrap())
}

#[test]
fn star_applies_only_to_operations_that_model_the_error() {
    let mut faults = Faults::new(0);
    faults.set(vec![Fault { error: Some("AccessDeniedException".to_owned()), ..Fault::on("*") }]).unwrap();
    assert!(plan(&mut faults, "GetTargetGroup", &json!({})).outcome.is_some());
    assert!(plan(&mut faults, "DeleteTargetGroup", &json!({})).outcome.is_none());
}

#[test]
fn resource_picks_calls_by_id_arn_or_target() {
    let mut faults = Faults::new(0);
    let mut hit = |resource: &str, operation: &str, input: serde_json::Value| {
        let fault = Fault { resource: Some(resource.to_owned()), timeout: true, ..Fault::on("*") };
        faults.set(vec![fault]).unwrap();
        plan(&mut faults, operation, &input).outcome.is_some()
    };
    let arn = "arn:aws:vpc-lattice:us-west-2:123456789012:targetgroup/tg-1";
    for named in ["tg-1", arn] {
        for ruled in ["tg-1", arn] {
            assert!(hit(ruled, "GetTargetGroup", json!({"targetGroupIdentifier": named})));
        }
    }
    assert!(!hit("tg-1", "GetTargetGroup", json!({"targetGroupIdentifier": "tg-2"})));
    let register =
        json!({"targetGroupIdentifier": "tg-1", "targets": [{"id": "10.0.0.1"}, {"id": "10.0.0.2"}]});
    assert!(hit("10.0.0.2", "RegisterTargets", register.clone()));
    assert!(!hit("10.0.0.3", "RegisterTargets", register));
}

#[test]
fn latencies_add_up_and_the_first_outcome_decides() {
    let mut faults = Faults::new(0);
    let rules = vec![
        Fault { latency_ms: Some(10), ..Fault::on("*") },
        Fault { latency_ms: Some(5), timeout: true, ..Fault::on("GetService") },
        Fault { latency_ms: Some(100), error: Some("ThrottlingException".to_owned()), ..Fault::on("*") },
    ];
    faults.set(rules).unwrap();
    let planned = plan(&mut faults, "GetService", &json!({}));
    assert_eq!(planned.latency, Duration::from_millis(15));
    assert!(matches!(planned.outcome, Some(Outcome::Timeout { applied: false })));
    assert_eq!(plan(&mut faults, "GetRule", &json!({})).latency, Duration::from_millis(110));
}

#[test]
fn count_is_used_up_by_the_calls_that_the_rule_applies_to() {
    let mut faults = Faults::new(0);
    faults.set(vec![Fault { count: Some(2), timeout: true, ..Fault::on("GetService") }]).unwrap();
    assert!(plan(&mut faults, "GetRule", &json!({})).outcome.is_none());
    let hits = (0..4).filter(|_| plan(&mut faults, "GetService", &json!({})).outcome.is_some()).count();
    assert_eq!(hits, 2);
    assert_eq!(faults.list()[0].count, Some(0));
}

#[test]
fn probability_is_met_and_repeats_by_seed() {
    let hits = |seed| {
        let mut faults = Faults::new(seed);
        faults.set(vec![Fault { probability: 0.25, timeout: true, ..Fault::on("*") }]).unwrap();
        (0..1000).map(|_| plan(&mut faults, "GetService", &json!({})).outcome.is_some()).collect::<Vec<_>>()
    };
    let count = hits(1).into_iter().filter(|hit| *hit).count();
    assert!((200..300).contains(&count), "{count}");
    assert_eq!(hits(1), hits(1));
    assert_ne!(hits(1), hits(2));
}
