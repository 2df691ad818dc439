//! Requests that break the model, each in one place, generated from the table of shapes.

use lattice_sim::model::{Kind, Location, Member, Operation, Shape, operations};
use lattice_sim::{Fault, Settings};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::harness::Sim;

/// A string that some pattern of the model takes. Which one, its name says.
fn sample_text(shape: &Shape) -> String {
    let id = |prefix: &str| format!("{prefix}0123456789abcdef0");
    match shape.name {
        name if name.ends_with("Arn") && name != "CertificateArn" => {
            "arn:aws:vpc-lattice:us-west-2:123456789012:service/svc-0123456789abcdef0".to_owned()
        }
        "TargetGroupIdentifier" => id("tg-"),
        "ServiceIdentifier" => id("svc-"),
        "ListenerIdentifier" => id("listener-"),
        "RuleIdentifier" => id("rule-"),
        "ServiceNetworkIdentifier" | "ResourceIdentifier" => id("sn-"),
        "ResourceConfigurationIdentifier" => id("rcfg-"),
        "ResourceGatewayIdentifier" => id("rgw-"),
        "DomainVerificationIdentifier" => id("dv-"),
        "AccessLogSubscriptionIdentifier" => id("als-"),
        "ServiceNetworkServiceAssociationIdentifier" => id("snsa-"),
        "ServiceNetworkVpcAssociationIdentifier" => id("snva-"),
        "ServiceNetworkResourceAssociationIdentifier" => id("snra-"),
        "ResourceEndpointAssociationIdentifier" => id("rea-"),
        "VpcEndpointId" => id("vpce-"),
        "VpcEndpointOwner" => "123456789012".to_owned(),
        "SecurityGroupId" => "sg-12345678".to_owned(),
        "SubnetId" => "subnet-12345678".to_owned(),
        "PortRange" => "80".to_owned(),
        "IpAddress" => "10.0.0.1".to_owned(),
        "VpcId" => "vpc-12345678".to_owned(),
        "CertificateArn" | "HttpCodeMatcher" => String::new(),
        "PathMatchExact" | "PathMatchPrefix" | "HealthCheckPath" => "/".to_owned(),
        _ => "abc".to_owned(),
    }
}

/// A value that is within the shape's constraints.
fn sample(shape: &Shape) -> Value {
    match &shape.kind {
        Kind::Text { values, .. } => {
            values.first().map_or_else(|| json!(sample_text(shape)), |value| json!(value))
        }
        Kind::Integer { value } => json!(value.min.unwrap_or(1).max(1)),
        Kind::Boolean => json!(true),
        Kind::Timestamp => json!("2026-01-01T00:00:00Z"),
        Kind::List { member, .. } => json!([sample(member)]),
        Kind::Map { key, value, .. } => {
            json!({(sample(key).as_str().unwrap()): sample(value)})
        }
        Kind::Structure { members, union } => {
            let take = if *union { 1 } else { members.len() };
            members.iter().take(take).map(|member| (member.name.to_owned(), sample(member.shape))).collect()
        }
    }
}

/// A way to break a value: where, and with what in its place.
struct Break {
    at: String,
    broken: Value,
}

/// Every constraint of the shape, each broken once. `wrap` puts a broken part into its place in the whole.
fn breaks(shape: &Shape, at: &str, wrap: &dyn Fn(Value) -> Value, into: &mut Vec<Break>) {
    let mut add = |broken: Value| into.push(Break { at: at.to_owned(), broken: wrap(broken) });
    let long = |length: i64| "a".repeat(usize::try_from(length).unwrap());
    match &shape.kind {
        Kind::Text { length, pattern, values } => {
            add(json!(7));
            if !values.is_empty() {
                add(json!("SOMETHING_ELSE"));
            }
            if let Some(max) = length.max {
                add(json!(long(max + 1)));
            }
            if let Some(min) = length.min.filter(|min| *min > 0) {
                add(json!(long(min - 1)));
            }
            if pattern.as_ref().is_some_and(|pattern| !pattern.matches("\u{1}")) {
                add(json!("\u{1}\u{1}\u{1}\u{1}"));
            }
        }
        Kind::Integer { value } => {
            add(json!("seven"));
            add(json!(1.5));
            if let Some(max) = value.max {
                add(json!(max + 1));
            }
            if let Some(min) = value.min {
                add(json!(min - 1));
            }
        }
        Kind::Boolean => add(json!("yes")),
        Kind::Timestamp => add(json!("yesterday")),
        Kind::List { length, member } => {
            add(json!({}));
            if let Some(max) = length.max {
                add(json!(vec![sample(member); usize::try_from(max + 1).unwrap()]));
            }
            if length.min.is_some_and(|min| min > 0) {
                add(json!([]));
            }
            let wrap = |broken| wrap(json!([broken]));
            breaks(member, &format!("{at}[0]"), &wrap, into);
        }
        Kind::Map { length, value, .. } => {
            add(json!([]));
            if let Some(max) = length.max {
                let entries: Map<_, _> = (0..=max).map(|n| (format!("k{n}"), sample(value))).collect();
                add(Value::Object(entries));
            }
            let wrap = |broken| wrap(json!({"abc": broken}));
            breaks(value, &format!("{at}.abc"), &wrap, into);
        }
        Kind::Structure { members, union } => {
            add(json!([]));
            if *union {
                add(json!({}));
                if members.len() > 1 {
                    add(members
                        .iter()
                        .map(|member| (member.name.to_owned(), sample(member.shape)))
                        .collect());
                }
            }
            let whole = sample(shape);
            for member in *members {
                let inner =
                    if at.is_empty() { member.name.to_owned() } else { format!("{at}.{}", member.name) };
                if member.required {
                    let mut without = whole.clone();
                    without.as_object_mut().unwrap().remove(member.name);
                    into.push(Break { at: inner.clone(), broken: wrap(without) });
                }
                let wrap = |broken: Value| {
                    let mut whole = if *union { json!({}) } else { whole.clone() };
                    whole[member.name] = broken;
                    wrap(whole)
                };
                breaks(member.shape, &inner, &wrap, into);
            }
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn encode(value: &Value) -> String {
    utf8_percent_encode(&text(value), NON_ALPHANUMERIC).to_string()
}

/// Path with query, and body, of a request with this input.
fn request(operation: &Operation, input: &Map<String, Value>) -> (String, String) {
    let members =
        |location| operation.input.members().iter().filter(move |member| member.location == location);
    let mut path = operation.path.to_owned();
    for member in members(Location::Path) {
        path = path.replace(&format!("{{{}}}", member.name), &encode(&input[member.name]));
    }
    let mut query = Vec::new();
    for member in members(Location::Query) {
        match input.get(member.name) {
            Some(Value::Array(items)) => {
                query.extend(items.iter().map(|item| format!("{}={}", member.name, encode(item))));
            }
            Some(value) => query.push(format!("{}={}", member.name, encode(value))),
            None => {}
        }
    }
    let body: Map<String, Value> = members(Location::Body)
        .filter_map(|member| Some((member.name.to_owned(), input.get(member.name)?.clone())))
        .collect();
    (format!("{path}?{}", query.join("&")), Value::Object(body).to_string())
}

/// Whether the break can be told over the wire: paths and queries carry text only, and a path always has a segment.
fn expressible(member: &Member, broken: &Value) -> bool {
    match member.location {
        Location::Body => true,
        Location::Header => false,
        Location::Path => broken.as_str().is_some_and(|text| !text.is_empty()),
        Location::Query => match (&member.shape.kind, broken) {
            (Kind::Text { .. }, value) => value.is_string(),
            (Kind::List { .. }, value) => {
                value.as_array().is_some_and(|items| !items.is_empty() && items.iter().all(Value::is_string))
            }
            _ => true,
        },
    }
}

/// Path with query, and body, of a request that breaks one constraint of the operation.
pub(crate) fn first_break(operation: &Operation) -> (String, String) {
    let Value::Object(whole) = sample(operation.input) else { panic!("{} has no structure", operation.name) };
    for member in operation.input.members() {
        let mut broken = Vec::new();
        breaks(member.shape, member.name, &|value| value, &mut broken);
        if let Some(Break { broken, .. }) = broken.into_iter().find(|each| expressible(member, &each.broken))
        {
            let mut input = whole;
            input.insert(member.name.to_owned(), broken);
            return request(operation, &input);
        }
    }
    panic!("{} has no constraint", operation.name)
}

#[tokio::test(start_paused = true)]
async fn every_constraint_of_every_served_operation_is_enforced() {
    let sim = Sim::new(Settings::instant());
    let mut tried = 0;
    for operation in operations() {
        let Value::Object(whole) = sample(operation.input) else {
            panic!("{} has no structure", operation.name)
        };
        let (path, body) = request(operation, &whole);
        let good = sim.raw(operation.method, &path, body).await;
        if good.body["reason"] == "unknownOperation" {
            continue;
        }
        // The unbroken request passes the model, whatever else may be wrong with it.
        let other = good.body["fieldList"].as_array().map_or(0, Vec::len);
        assert!(good.status != 400 || other <= 1, "{} {path}: {good:?}", operation.name);
        for member in operation.input.members() {
            let mut broken = Vec::new();
            let wrap = |value| value;
            breaks(member.shape, member.name, &wrap, &mut broken);
            if member.required && member.location == Location::Body {
                broken.push(Break { at: member.name.to_owned(), broken: Value::Null });
            }
            for Break { at, broken } in broken {
                if !expressible(member, &broken) {
                    continue;
                }
                let mut input = whole.clone();
                input.insert(member.name.to_owned(), broken);
                let (path, body) = request(operation, &input);
                let raw = sim.raw(operation.method, &path, body.clone()).await;
                let what = format!("{} {at} {path} {body:.300}", operation.name);
                assert_eq!(
                    (raw.status, raw.error.as_deref()),
                    (400, Some("ValidationException")),
                    "{what}: {raw:?}"
                );
                let fields = raw.body["fieldList"].as_array().unwrap_or_else(|| panic!("{what}: {raw:?}"));
                let named: Vec<&str> = fields.iter().map(|field| field["name"].as_str().unwrap()).collect();
                assert!(named.contains(&at.as_str()), "{what}: {named:?}");
                tried += 1;
            }
        }
    }
    assert!(tried > 400, "{tried}");
    assert_eq!(sim.simulator.state().target_groups.len() + sim.simulator.state().services.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn every_operation_is_served() {
    let sim = Sim::instant();
    assert_eq!(operations().len(), 73);
    for operation in operations() {
        let Value::Object(input) = sample(operation.input) else { unreachable!() };
        let (path, body) = request(operation, &input);
        let raw = sim.raw(operation.method, &path, body).await;
        assert_ne!(raw.body["reason"], "unknownOperation", "{}: {raw:?}", operation.name);
    }
}

#[tokio::test(start_paused = true)]
async fn every_error_that_an_operation_models_can_be_injected_with_all_its_members() {
    let sim = Sim::instant();
    for operation in operations() {
        let Value::Object(input) = sample(operation.input) else { unreachable!() };
        let (path, body) = request(operation, &input);
        for error in operation.errors {
            let name = error.shape().name;
            let fault = Fault { error: Some(name.to_owned()), ..Fault::on(operation.name) };
            sim.simulator.set_faults(vec![fault]).unwrap();
            // Whether it has all members is checked for every answer.
            let raw = sim.raw(operation.method, &path, body.clone()).await;
            assert_eq!(
                (raw.status, raw.error.as_deref()),
                (error.shape().status, Some(name)),
                "{}",
                operation.name
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn bodies_that_are_no_object_or_too_long_are_refused() {
    let sim = Sim::instant();
    for body in ["{", "[]", "7", "\"a\"", "{\"name\": \"web\",}", "\u{0}"] {
        let refused = sim.raw("POST", "/services", body).await;
        assert_eq!((refused.status, &refused.body["reason"]), (400, &json!("cannotParse")), "{body}");
    }
    let deep = "[".repeat(100_000);
    assert_eq!(sim.raw("POST", "/services", deep).await.status, 400);
    let long = json!({"name": "a".repeat(lattice_sim::MOST_BODY_BYTES)}).to_string();
    let refused = sim.raw("POST", "/services", long).await;
    assert_eq!((refused.status, refused.error.as_deref()), (413, Some("ValidationException")));
    assert_eq!(sim.simulator.log(0).last().unwrap().status, Some(413));
    let unknown = sim.raw("GET", "/nothing", "").await;
    assert_eq!(
        (unknown.status, &unknown.body["message"]),
        (400, &json!("There is no operation GET /nothing."))
    );
}

/// Any JSON, of names and values that the model knows as well as others.
fn any_json() -> impl Strategy<Value = Value> {
    let words =
        prop::sample::select(vec!["tg-0123456789abcdef0", "IP", "web", "10.0.0.1", "vpc-12345678", "", "/"]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0..70_000_i64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        words.prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    let names = vec![
        "name",
        "type",
        "config",
        "protocol",
        "port",
        "vpcIdentifier",
        "targets",
        "id",
        "healthCheck",
        "tags",
        "match",
        "action",
        "defaultAction",
        "forward",
        "fixedResponse",
        "statusCode",
        "targetGroups",
        "targetGroupIdentifier",
        "httpMatch",
        "priority",
        "rules",
        "ruleIdentifier",
        "clientToken",
        "weight",
        "pathMatch",
        "headerMatches",
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        let members = (prop::sample::select(names.clone()), inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
            prop::collection::vec(members, 0..6).prop_map(|members| members
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Every answer, whatever it answers, is checked against the model by the harness.
    #[test]
    fn whatever_comes_in_is_answered_within_the_model(
        calls in prop::collection::vec((0..73_usize, any_json(), prop::collection::vec(".{1,12}", 3), ".{0,20}"), 1..6)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let sim = Sim::instant();
            let (group, service, listener) = sim.used_group("web").await;
            for (n, body, segments, query) in calls {
                let operation = &operations()[n];
                let mut path = operation.path.to_owned();
                for (at, odd) in segments.iter().enumerate() {
                    let Some(from) = path.find('{') else { break };
                    let to = path.find('}').unwrap();
                    let name = &path[from + 1..to];
                    // Half of the calls are about resources that exist.
                    let known = match name {
                        "targetGroupIdentifier" => Some(&group),
                        "serviceIdentifier" => Some(&service),
                        "listenerIdentifier" => Some(&listener),
                        _ => None,
                    };
                    let segment = known.filter(|_| (n + at) % 2 == 0).unwrap_or(odd);
                    path.replace_range(from..=to, &encode(&json!(segment)));
                }
                let query = utf8_percent_encode(&query, NON_ALPHANUMERIC);
                let raw = sim.raw(operation.method, &format!("{path}?maxResults={query}"), body.to_string()).await;
                assert!(raw.status < 500, "{raw:?}");
            }
        });
    }
}
