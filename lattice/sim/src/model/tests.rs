//! Tests of the table and of what is checked with it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::check::{answer, prune, request};
use super::*;

#[test]
fn table_has_all_operations_in_order_of_name() {
    let names: Vec<&str> = operations().iter().map(|operation| operation.name).collect();
    assert_eq!(names.len(), 73);
    assert!(names.is_sorted());
    for name in names {
        assert_eq!(operation(name).map(|operation| operation.name), Some(name));
    }
    assert!(operation("GetNothing").is_none());
}

#[test]
fn errors_are_found_by_kind() {
    for error in &table::ERRORS {
        assert_eq!(error.kind.shape().name, error.name);
        assert_eq!(ErrorKind::named(error.name), Some(error.kind));
    }
    assert_eq!(ErrorKind::ServiceQuotaExceeded.shape().status, 402);
}

fn shapes() -> Vec<&'static Shape> {
    fn add(shape: &'static Shape, seen: &mut BTreeSet<&'static str>, shapes: &mut Vec<&'static Shape>) {
        if !seen.insert(shape.name) {
            return;
        }
        shapes.push(shape);
        match &shape.kind {
            Kind::List { member, .. } => add(member, seen, shapes),
            Kind::Map { key, value, .. } => {
                add(key, seen, shapes);
                add(value, seen, shapes);
            }
            _ => shape.members().iter().for_each(|member| add(member.shape, seen, shapes)),
        }
    }
    let (mut seen, mut shapes) = (BTreeSet::new(), Vec::new());
    for operation in operations() {
        add(operation.input, &mut seen, &mut shapes);
        add(operation.output, &mut seen, &mut shapes);
    }
    shapes
}

#[test]
fn every_pattern_compiles_and_is_matched_as_a_whole() {
    let mut patterns = 0;
    for shape in shapes() {
        if let Kind::Text { pattern: Some(pattern), .. } = &shape.kind {
            patterns += 1;
            assert!(!pattern.matches("\n\n"), "{}", shape.name);
            assert!(pattern.compiled.get().unwrap().is_some(), "{} does not compile", shape.name);
        }
    }
    assert!(patterns > 50, "{patterns}");
}

fn check_pattern(shape: &str, value: &str, expected: bool) {
    let shape = shapes().into_iter().find(|candidate| candidate.name == shape).unwrap();
    let Kind::Text { pattern: Some(pattern), .. } = &shape.kind else {
        panic!("{} has no pattern", shape.name)
    };
    assert_eq!(pattern.matches(value), expected, "{} {value:?}", shape.name);
}

#[test]
fn patterns_accept_and_refuse() {
    check_pattern("TargetGroupName", "web-1", true);
    check_pattern("TargetGroupName", "tg-web", false);
    check_pattern("TargetGroupName", "-web", false);
    check_pattern("TargetGroupName", "web-", false);
    check_pattern("TargetGroupName", "we--b", false);
    check_pattern("TargetGroupName", "Web", false);
    check_pattern("TargetGroupName", "web\n", false);
    check_pattern("TargetGroupId", "tg-0123456789abcdefg", true);
    check_pattern("HttpCodeMatcher", "200-299,404", true);
    check_pattern("HttpCodeMatcher", "", true);
    check_pattern("HttpCodeMatcher", "2xx", false);
    check_pattern("HealthCheckPath", "", true);
    check_pattern("HealthCheckPath", "/a?b=c", true);
    check_pattern("HealthCheckPath", "a", false);
    check_pattern("CertificateArn", "", true);
    check_pattern("VpcId", "vpc-12345678", true);
    check_pattern("VpcId", "vpc-123456789", false);
    // Digits are ASCII digits.
    check_pattern(
        "TargetGroupArn",
        "arn:aws:vpc-lattice:us-west-2:12345678901٣:targetgroup/tg-0123456789abcdefg",
        false,
    );
}

fn problems(operation_name: &str, input: &Value) -> Vec<(String, String)> {
    let problems = request(operation(operation_name).unwrap().input, input.as_object().unwrap());
    problems.into_iter().map(|problem| (problem.name, problem.message)).collect()
}

fn check_request(operation: &str, input: &Value, expected: &[(&str, &str)]) {
    let expected: Vec<_> =
        expected.iter().map(|(name, message)| ((*name).to_owned(), (*message).to_owned())).collect();
    assert_eq!(problems(operation, input), expected, "{operation} {input}");
}

#[test]
fn requests_are_refused_by_the_path_of_the_member() {
    let group = "tg-0123456789abcdefg";
    let register = |targets: Value| json!({"targetGroupIdentifier": group, "targets": targets});
    check_request("RegisterTargets", &register(json!([{"id": "10.0.0.1", "port": 80}])), &[]);
    check_request(
        "RegisterTargets",
        &register(json!([])),
        &[("targets", "must be 1 to 100 items long, it is 0")],
    );
    check_request(
        "RegisterTargets",
        &register(json!([{"id": "a"}, {"port": 0}])),
        &[("targets[1].id", "must be present"), ("targets[1].port", "must be 1 to 65535")],
    );
    check_request("RegisterTargets", &register(json!({})), &[("targets", "must be a list")]);
    check_request("RegisterTargets", &register(json!([7])), &[("targets[0]", "must be an object")]);
    check_request("RegisterTargets", &register(Value::Null), &[("targets", "must be present")]);
    check_request("RegisterTargets", &register(json!([{"id": "a", "new": 1, "port": null}])), &[]);
    check_request(
        "RegisterTargets",
        &register(json!([{"id": "a", "port": 1.5}])),
        &[("targets[0].port", "must be an integer")],
    );
    check_request(
        "TagResource",
        &json!({"resourceArn": "arn:aws:vpc-lattice:us-west-2:123456789012:service/svc-1", "tags": {"": "x"}}),
        &[("tags.", "must be 1 to 128 characters long, it is 0")],
    );
}

#[test]
fn unions_hold_exactly_one_member() {
    let update = |action: Value| {
        json!({"serviceIdentifier": "svc-0123456789abcdefg", "listenerIdentifier": "listener-0123456789abcdefg",
            "defaultAction": action})
    };
    let fixed = json!({"statusCode": 404});
    let forward = json!({"targetGroups": [{"targetGroupIdentifier": "tg-0123456789abcdefg"}]});
    check_request("UpdateListener", &update(json!({"fixedResponse": fixed})), &[]);
    check_request("UpdateListener", &update(json!({"fixedResponse": fixed, "forward": null})), &[]);
    for (action, set) in [(json!({"fixedResponse": fixed, "forward": forward}), 2), (json!({}), 0)] {
        let message = format!("must hold exactly one of fixedResponse, forward, it holds {set}");
        check_request("UpdateListener", &update(action), &[("defaultAction", &message)]);
    }
}

#[test]
fn answers_are_judged_more_strictly_than_requests() {
    let shape = operation("ListTargets").unwrap().output;
    let judge =
        |body: Value| answer(shape, &body).into_iter().map(|problem| problem.name).collect::<Vec<_>>();
    assert_eq!(judge(json!({"items": [{"id": "a", "status": "HEALTHY"}]})), [""; 0]);
    assert_eq!(judge(json!({})), ["items"]);
    assert_eq!(judge(json!({"items": [], "nextToken": null})), ["nextToken"]);
    assert_eq!(judge(json!({"items": [{"state": "HEALTHY"}]})), ["items[0].state"]);
    assert_eq!(judge(json!({"items": [{"status": "healthy"}]})), ["items[0].status"]);
    let error = ErrorKind::Throttling.shape().body;
    let body = json!({"message": "m", "retryAfterSeconds": 1});
    assert_eq!(answer(error, &body)[0].name, "retryAfterSeconds");
}

#[test]
fn pruning_drops_what_the_model_does_not_know() {
    let mut value =
        json!({"id": 1, "targetGroupIdentifier": "tg", "targets": [{"id": "a", "x": 1, "port": null}]});
    prune(operation("RegisterTargets").unwrap().input, &mut value);
    assert_eq!(value, json!({"targetGroupIdentifier": "tg", "targets": [{"id": "a"}]}));
}
