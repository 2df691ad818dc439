//! Random rules, weights and lives of targets, held to slow and obvious references that read what the API lists, or the
//! whole history of calls.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::connections::Destination;
use super::decide::{Decision, To};
use super::exchange::ServiceEntry;
use super::idle::Limit;
use super::listen::Client;
use crate::inspect::SetTarget;
use crate::settings::Settings;
use crate::simulator::Simulator;
use crate::state::target::TargetStatus;

/// A simulator without sockets, and a service with a listener on port 80.
struct Plane {
    simulator: Simulator,
    host: String,
    service: String,
    listener: String,
}

impl Plane {
    async fn new(changes: &[(&str, &str)], action: &Value) -> Self {
        let mut settings = Settings::instant();
        for (name, value) in changes.iter().chain(&[("clock.frozen", "on")]) {
            settings.set(name, value).unwrap();
        }
        Self::of(Simulator::new(settings, 1), action).await
    }

    async fn of(simulator: Simulator, action: &Value) -> Self {
        let mut plane =
            Self { simulator, host: String::new(), service: String::new(), listener: String::new() };
        let service = plane.call("POST", "/services", &json!({"name": "shop"})).await;
        plane.host = service["dnsEntry"]["domainName"].as_str().unwrap().to_owned();
        plane.service = format!("/services/{}", service["id"].as_str().unwrap());
        let listener = json!({"name": "http", "protocol": "HTTP", "port": 80, "defaultAction": action});
        let listener = plane.call("POST", &format!("{}/listeners", plane.service), &listener).await;
        plane.listener = format!("{}/listeners/{}", plane.service, listener["id"].as_str().unwrap());
        plane
    }

    async fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = Request::builder().method(method).uri(path).body(Bytes::from(body)).unwrap();
        let response = self.simulator.handle(request).await;
        assert!(response.status().is_success(), "{method} {path}: {response:?}");
        serde_json::from_slice(response.body()).unwrap_or_default()
    }

    /// What becomes of a request.
    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Decision {
        let client = Client {
            address: Ipv4Addr::LOCALHOST.into(),
            port: 50_000,
            local: SocketAddr::from((Ipv4Addr::LOCALHOST, 80)),
            secure: false,
            tls: None,
            idle: Limit::new(Duration::from_secs(60)),
        };
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        let mut entry = ServiceEntry::default();
        self.simulator.lock().decide(&client, &self.host, &head, &mut entry)
    }

    /// The last byte of the address that a request goes to.
    fn target(&self) -> Option<u8> {
        match self.ask("GET", "/", &[]) {
            Decision::Forward(forward) => match forward.to {
                To::Server(Destination { target: SocketAddr::V4(target), .. }) => {
                    Some(target.ip().octets()[3])
                }
                other => panic!("no target is {other:?}"),
            },
            _ => None,
        }
    }
}

fn block_on(work: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(work);
}

fn fixed(status: u64) -> Value {
    json!({"fixedResponse": {"statusCode": status}})
}

/// A match of a few methods, paths and headers, so that rules overlap.
fn matches() -> impl Strategy<Value = Value> {
    let word = || prop::sample::select(vec!["a", "A", "ab", "b"]);
    let path = (any::<bool>(), word(), prop::option::of(any::<bool>())).prop_map(|(exact, word, case)| {
        let kind = if exact { "exact" } else { "prefix" };
        let mut path = json!({"match": {(kind): format!("/{word}")}});
        if let Some(case) = case {
            path["caseSensitive"] = json!(case);
        }
        path
    });
    let kind = prop::sample::select(vec!["exact", "prefix", "contains"]);
    let name = prop::sample::select(vec!["x-one", "X-One", "x-two"]);
    let header =
        (name, kind, word(), prop::option::of(any::<bool>())).prop_map(|(name, kind, word, case)| {
            let mut header = json!({"name": name, "match": {(kind): word}});
            if let Some(case) = case {
                header["caseSensitive"] = json!(case);
            }
            header
        });
    let method = prop::sample::select(vec!["GET", "POST"]);
    let parts = (prop::option::of(method), prop::option::of(path), prop::collection::vec(header, 0..3));
    parts.prop_filter_map("a match has a part", |(method, path, headers)| {
        let mut http = json!({});
        if let Some(method) = method {
            http["method"] = json!(method);
        }
        if let Some(path) = path {
            http["pathMatch"] = path;
        }
        if !headers.is_empty() {
            http["headerMatches"] = json!(headers);
        }
        (http != json!({})).then(|| json!({"httpMatch": http}))
    })
}

type Asked = (&'static str, &'static str, Vec<(&'static str, &'static str)>);

fn requests() -> impl Strategy<Value = Vec<Asked>> {
    let header = (
        prop::sample::select(vec!["x-one", "X-TWO"]),
        prop::sample::select(vec!["a", "A", "ab", "xab", "b", ""]),
    );
    let request = (
        prop::sample::select(vec!["GET", "POST", "PUT"]),
        prop::sample::select(vec!["/", "/a", "/A", "/ab", "/aB/c", "/b?a", "/c/a"]),
        prop::collection::vec(header, 0..4),
    );
    prop::collection::vec(request, 1..30)
}

/// Whether a rule's match, as GetRule shows it, fits a request.
fn fits(matches: &Value, (method, path, headers): &Asked) -> bool {
    let compares = |given: &Value, value: &str| {
        let lower = |text: &str| {
            if given["caseSensitive"] == true { text.to_owned() } else { text.to_lowercase() }
        };
        let value = lower(value);
        let of = |kind: &str| given["match"][kind].as_str().map(lower);
        of("exact").is_some_and(|wanted| wanted == value)
            || of("prefix").is_some_and(|wanted| value.starts_with(&wanted))
            || of("contains").is_some_and(|wanted| value.contains(&wanted))
    };
    let http = &matches["httpMatch"];
    let path = path.split('?').next().unwrap();
    let has = |wanted: &Value| {
        let name = wanted["name"].as_str().unwrap();
        headers.iter().any(|(other, value)| other.eq_ignore_ascii_case(name) && compares(wanted, value))
    };
    (http["method"].is_null() || http["method"] == *method)
        && (http["pathMatch"].is_null() || compares(&http["pathMatch"], path))
        && http["headerMatches"].as_array().into_iter().flatten().all(has)
}

async fn rules_agree(rules: &BTreeMap<u8, Value>, order: &[usize], requests: &[Asked]) {
    let changes = [("api.unsupported_fixed_status", "accepted"), ("quota.rules_per_listener", "20")];
    let plane = Plane::new(&changes, &fixed(404)).await;
    let path = format!("{}/rules", plane.listener);
    // They are created in another order than that of their priorities.
    let mut pairs: Vec<(&u8, &Value)> = rules.iter().collect();
    for (n, at) in order.iter().enumerate().take(pairs.len()) {
        let other = at % pairs.len();
        pairs.swap(n, other);
    }
    for (priority, matches) in pairs {
        let action = fixed(200 + u64::from(*priority));
        let name = format!("number-{priority}");
        let rule = json!({"name": name, "priority": priority, "match": matches, "action": action});
        plane.call("POST", &path, &rule).await;
    }
    let mut listed = Vec::new();
    for item in plane.call("GET", &path, &Value::Null).await["items"].as_array().unwrap() {
        let rule = format!("{path}/{}", item["id"].as_str().unwrap());
        listed.push(plane.call("GET", &rule, &Value::Null).await);
    }
    for request in requests {
        let fitting = listed.iter().filter(|rule| rule["isDefault"] == true || fits(&rule["match"], request));
        let first = fitting.min_by_key(|rule| rule["priority"].as_u64().unwrap_or(u64::MAX)).unwrap();
        let expected = first["action"]["fixedResponse"]["statusCode"].as_u64().unwrap();
        let (method, path, headers) = request;
        match plane.ask(method, path, headers) {
            Decision::Fixed(status) => assert_eq!(u64::from(status), expected, "{request:?} {listed:#?}"),
            other => panic!("{request:?}: {other:?}"),
        }
    }
}

/// A group of one port with these targets, by last byte, and without health checks unless they are asked for.
async fn group(plane: &Plane, name: &str, checked: bool, targets: &[u8]) -> String {
    let config = json!({
        "port": 80, "protocol": "HTTP", "vpcIdentifier": "vpc-12345678", "healthCheck": {"enabled": checked},
    });
    let body = json!({"name": name, "type": "IP", "config": config});
    let id = plane.call("POST", "/targetgroups", &body).await["id"].as_str().unwrap().to_owned();
    if !targets.is_empty() {
        let targets: Vec<Value> = targets.iter().map(|id| json!({"id": address(*id)})).collect();
        let path = format!("/targetgroups/{id}/registertargets");
        plane.call("POST", &path, &json!({"targets": targets})).await;
    }
    id
}

fn address(id: u8) -> String {
    format!("10.0.0.{id}")
}

/// Each group has as many targets as its number plus one; the last byte's tens say the group.
async fn weights_agree(weights: &[u64], rounds: u64) {
    let plane = Plane::new(&[], &fixed(404)).await;
    let mut groups = Vec::new();
    for (n, weight) in (0..).zip(weights) {
        let targets: Vec<u8> = (0..=n).map(|target| 10 * n + target).collect();
        let id = group(&plane, &format!("group-{n}"), false, &targets).await;
        groups.push(json!({"targetGroupIdentifier": id, "weight": weight}));
    }
    let action = json!({"forward": {"targetGroups": groups}});
    plane.call("PATCH", &plane.listener, &json!({"defaultAction": action})).await;
    let total: u64 = weights.iter().sum();
    if total == 0 {
        assert_eq!(plane.target(), None);
        return;
    }
    let mut hits: BTreeMap<u8, u64> = BTreeMap::new();
    for _ in 0..total * rounds {
        *hits.entry(plane.target().unwrap()).or_default() += 1;
    }
    for (n, weight) in (0..).zip(weights) {
        let of_group: Vec<u64> =
            (0..=n).map(|target| hits.get(&(10 * n + target)).copied().unwrap_or_default()).collect();
        assert_eq!(of_group.iter().sum::<u64>(), weight * rounds, "group {n} of {weights:?}");
        let (least, most) = (of_group.iter().min().unwrap(), of_group.iter().max().unwrap());
        assert!(most - least <= 1, "the targets of a group take turns: {of_group:?}");
    }
}

/// What is done to the targets of a group.
#[derive(Debug, Clone)]
enum Step {
    Register(Vec<u8>),
    Deregister(Vec<u8>),
    Set(u8, TargetStatus),
    Pass(u32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let ids = || prop::collection::vec(0..5_u8, 1..4);
    let status =
        prop::sample::select(vec![TargetStatus::Healthy, TargetStatus::Unhealthy, TargetStatus::Initial]);
    let step = prop_oneof![
        3 => ids().prop_map(Step::Register),
        2 => ids().prop_map(Step::Deregister),
        2 => (0..5_u8, status).prop_map(|(id, status)| Step::Set(id, status)),
        4 => (1..9_u32).prop_map(Step::Pass),
    ];
    prop::collection::vec(step, 1..40)
}

/// Seconds of the settings that decide who gets traffic, and whether INITIAL and DRAINING targets do.
#[derive(Debug, Clone, Copy)]
struct Times {
    register: u32,
    deregister: u32,
    drain: u32,
    first_check: u32,
    initial: bool,
    draining: bool,
}

fn times() -> impl Strategy<Value = Times> {
    (0..9_u32, 0..9_u32, 0..12_u32, 0..9_u32, any::<bool>(), any::<bool>()).prop_map(
        |(register, deregister, drain, first_check, initial, draining)| Times {
            register,
            deregister,
            drain,
            first_check,
            initial,
            draining,
        },
    )
}

/// Whether a target is there after a history of steps, each with its second, and its health and whether it is in reach
/// of traffic at the end.
fn told(history: &[(u32, Step)], id: u8, now: u32, times: Times) -> Option<(TargetStatus, bool)> {
    // When it was registered, when it is checked, what was set by hand, and when it was deregistered.
    let mut life: Option<(u32, u32, Option<TargetStatus>, Option<u32>)> = None;
    for (at, step) in history {
        let gone =
            |(_, _, _, left): &(u32, u32, _, Option<u32>)| left.is_some_and(|left| left + times.drain <= *at);
        life = life.filter(|life| !gone(life));
        match step {
            Step::Register(ids) if ids.contains(&id) && life.is_none_or(|life| life.3.is_some()) => {
                life = Some((*at, at + times.first_check, None, None));
            }
            Step::Deregister(ids) if ids.contains(&id) => {
                life = life.map(|(since, checked, set, left)| (since, checked, set, left.or(Some(*at))));
            }
            Step::Set(of, status) if *of == id => {
                life = life.map(|(since, checked, _, _)| (since, checked, Some(*status), None));
            }
            _ => {}
        }
    }
    let (since, checked, set, left) =
        life.filter(|life| life.3.is_none_or(|left| now < left + times.drain))?;
    let health = set.unwrap_or(if now < checked { TargetStatus::Initial } else { TargetStatus::Healthy });
    let reached = since + times.register <= now
        && left.is_none_or(|left| times.draining || now < left + times.deregister);
    Some((health, reached))
}

/// The targets that should get traffic.
fn with_traffic(history: &[(u32, Step)], now: u32, times: Times) -> BTreeSet<u8> {
    let known: Vec<(u8, TargetStatus)> = (0..5)
        .filter_map(|id| told(history, id, now, times).map(|(health, reached)| (id, health, reached)))
        .filter_map(|(id, health, reached)| reached.then_some((id, health)))
        .collect();
    let of = |wanted: &[TargetStatus]| -> BTreeSet<u8> {
        known.iter().filter(|(_, health)| wanted.contains(health)).map(|(id, _)| *id).collect()
    };
    let fit: &[TargetStatus] = if times.initial {
        &[TargetStatus::Healthy, TargetStatus::Initial]
    } else {
        &[TargetStatus::Healthy]
    };
    let fit = of(fit);
    if fit.is_empty() { of(&[TargetStatus::Unhealthy]) } else { fit }
}

async fn traffic_agrees(steps: &[Step], times: Times) {
    let seconds = [times.register, times.deregister, times.drain, times.first_check].map(|n| n.to_string());
    let whether = |all| if all { "all" } else { "none" };
    let plane = Plane::new(
        &[
            ("propagation.register_seconds", &seconds[0]),
            ("propagation.deregister_seconds", &seconds[1]),
            ("target.drain_seconds", &seconds[2]),
            ("health.first_check_delay", &seconds[3]),
            ("traffic.initial", whether(times.initial)),
            ("traffic.draining", whether(times.draining)),
        ],
        &fixed(404),
    )
    .await;
    let group = group(&plane, "group", true, &[]).await;
    let action = json!({"forward": {"targetGroups": [{"targetGroupIdentifier": group}]}});
    plane.call("PATCH", &plane.listener, &json!({"defaultAction": action})).await;
    let (mut now, mut history) = (0, Vec::new());
    for step in steps {
        let named = |ids: &[u8]| {
            let targets: Vec<Value> = ids.iter().map(|id| json!({"id": address(*id)})).collect();
            json!({ "targets": targets })
        };
        match step {
            Step::Register(ids) => {
                plane.call("POST", &format!("/targetgroups/{group}/registertargets"), &named(ids)).await;
            }
            Step::Deregister(ids) => {
                plane.call("POST", &format!("/targetgroups/{group}/deregistertargets"), &named(ids)).await;
            }
            Step::Set(id, status) => {
                let set = SetTarget { group: group.clone(), id: address(*id), port: None, status: *status };
                let there = told(&history, *id, now, times).is_some();
                assert_eq!(plane.simulator.set_target(&set).is_ok(), there, "{set:?} after {history:?}");
            }
            Step::Pass(seconds) => {
                plane.simulator.advance(Duration::from_secs(u64::from(*seconds)));
                now += seconds;
            }
        }
        history.push((now, step.clone()));
        let expected = with_traffic(&history, now, times);
        // Whoever gets traffic has had a turn by then.
        let hit: BTreeSet<u8> = (0..5).filter_map(|_| plane.target()).collect();
        let known = expected.len();
        let took: Vec<u8> = (0..known).filter_map(|_| plane.target()).collect();
        assert_eq!(hit, expected, "at {now} s, {times:?}, after {history:?}");
        assert_eq!(took.iter().collect::<BTreeSet<_>>().len(), known, "they take turns: {took:?}");
    }
}

/// When rules are in force: after each change, the newest that is old enough.
async fn propagation_agrees(changes: &[(u32, u32)], delay: u32) {
    let settings =
        [("api.unsupported_fixed_status", "accepted"), ("propagation.rule_seconds", &*delay.to_string())];
    let plane = Plane::new(&settings, &fixed(200)).await;
    let (mut now, mut history) = (0, vec![(0, 200)]);
    for ((pass, again), status) in changes.iter().zip(201..) {
        for seconds in [pass, again] {
            plane.simulator.advance(Duration::from_secs(u64::from(*seconds)));
            now += seconds;
            let seen = match plane.ask("GET", "/", &[]) {
                Decision::Fixed(status) => Some(u64::from(status)),
                Decision::Refuse(..) => None,
                other @ Decision::Forward(_) => panic!("{other:?}"),
            };
            let expected = history.iter().rev().find(|(at, _)| at + delay <= now).map(|(_, status)| *status);
            assert_eq!(seen, expected, "at {now} s with {delay} s, after {history:?}");
        }
        plane.call("PATCH", &plane.listener, &json!({"defaultAction": fixed(status)})).await;
        history.push((now, status));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn rules_are_chosen_as_the_listing_says(
        rules in prop::collection::btree_map(1..=100_u8, matches(), 0..=10),
        order in prop::collection::vec(any::<usize>(), 10),
        requests in requests(),
    ) {
        block_on(rules_agree(&rules, &order, &requests));
    }

    #[test]
    fn weights_are_exact_over_rounds_and_targets_take_turns(
        weights in prop::collection::vec(prop_oneof![Just(0), 1..=20_u64, Just(1)], 1..=5),
        rounds in 1..4_u64,
    ) {
        block_on(weights_agree(&weights, rounds));
    }

    #[test]
    fn traffic_goes_to_whom_the_history_says(steps in steps(), times in times()) {
        block_on(traffic_agrees(&steps, times));
    }

    #[test]
    fn rules_are_in_force_after_their_time(
        changes in prop::collection::vec((0..6_u32, 0..6_u32), 1..12),
        delay in 0..9_u32,
    ) {
        block_on(propagation_agrees(&changes, delay));
    }
}
