//! Requests against rules that change.

use proptest::prelude::*;

use super::*;
use crate::rule::{PathMatch, Weighted};

/// A request of the small world in which rules are tried.
#[derive(Debug, Clone, Copy)]
struct Request {
    method: &'static str,
    path: &'static str,
    header: Option<&'static str>,
}

const PATHS: [&str; 5] = ["/", "/a", "/a/b", "/ab", "/b"];

fn requests() -> Vec<Request> {
    let mut all = Vec::new();
    for method in ["GET", "POST"] {
        for path in PATHS {
            for header in [None, Some("one"), Some("two")] {
                all.push(Request { method, path, header });
            }
        }
    }
    all
}

fn matches(matching: &Match, request: Request) -> bool {
    matching.method.as_deref().is_none_or(|method| method == request.method)
        && match &matching.path {
            None => true,
            Some(PathMatch::Exact(path)) => request.path == path,
            Some(PathMatch::Prefix(path)) => request.path.starts_with(path),
        }
        && matching.headers.iter().all(|header| header.name == "h" && request.header == Some(&header.value))
}

/// What rules in this order say to a request; `None`: nothing, so it gets the default.
fn answer<'a>(
    rules: impl IntoIterator<Item = &'a Rule<TargetGroupArn>>,
    request: Request,
) -> Option<Action<TargetGroupArn>> {
    rules.into_iter().find(|rule| matches(&rule.matching, request)).map(|rule| rule.action.clone())
}

type Placed = BTreeMap<RuleId, PlacedRule>;

fn in_order(placed: &Placed) -> Vec<Rule<TargetGroupArn>> {
    let mut rules: Vec<_> = placed.values().collect();
    rules.sort_by_key(|rule| rule.priority);
    rules.into_iter().filter_map(|rule| rule.rule.clone()).collect()
}

fn apply(placed: &mut Placed, step: &Step, made: &mut u32) {
    match step {
        Step::Create { priority, rule } => {
            assert!(placed.values().all(|other| other.priority != *priority), "priority {priority} is taken");
            *made += 1;
            let id = RuleId::from(format!("rule-{made:05}").as_str());
            let placed_rule =
                PlacedRule { name: id.to_string(), priority: *priority, rule: Some(rule.clone()) };
            placed.insert(id, placed_rule);
        }
        Step::Update(changes) => {
            assert!((1..=RULES_PER_BATCH).contains(&changes.len()));
            for change in changes {
                let rule = placed.get_mut(&change.id).unwrap();
                rule.priority = change.priority;
                rule.rule = Some(change.rule.clone());
            }
            let priorities: BTreeSet<u16> = placed.values().map(|rule| rule.priority).collect();
            assert_eq!(priorities.len(), placed.len(), "two rules of one priority: {placed:?}");
            assert!(priorities.iter().all(|priority| (1..=LAST_PRIORITY).contains(priority)));
        }
        Step::Delete(id) => {
            assert!(placed.remove(id).is_some());
        }
    }
}

fn group(number: u8) -> TargetGroupArn {
    format!("arn:aws:vpc-lattice:us-west-2:123456789012:targetgroup/tg-000000000000000{number:02}")
        .parse()
        .unwrap()
}

fn rule() -> impl Strategy<Value = Rule<TargetGroupArn>> {
    let path = prop_oneof![
        Just(None),
        prop::sample::select(&PATHS[..]).prop_map(|path| Some(PathMatch::Exact(path.into()))),
        prop::sample::select(&PATHS[..]).prop_map(|path| Some(PathMatch::Prefix(path.into()))),
    ];
    let method = prop::sample::select(vec![None, Some("GET"), Some("POST")]);
    let header = prop::sample::select(vec![None, None, Some("one"), Some("two")]);
    let action = (0..4u8).prop_map(|number| match number {
        0 => Action::Fixed(500),
        number => Action::Forward(vec![Weighted { group: group(number), weight: 1 }]),
    });
    (method, path, header, action).prop_map(|(method, path, header, action)| Rule {
        matching: Match {
            method: method.map(Into::into),
            path,
            headers: header
                .map(|value| HeaderMatch {
                    name: "h".into(),
                    comparison: Comparison::Exact,
                    value: value.into(),
                })
                .into_iter()
                .collect(),
        },
        action,
    })
}

/// Rules of different matches.
fn rules(most: usize) -> impl Strategy<Value = Vec<Rule<TargetGroupArn>>> {
    prop::collection::vec(rule(), 0..=most).prop_map(|rules| {
        let mut seen = BTreeSet::new();
        rules.into_iter().filter(|rule| seen.insert(rule.matching.clone())).collect()
    })
}

/// Brings `placed` to `wanted`, calls of each round in an order that `shuffle` picks, and checks each moment. Returns the
/// calls.
fn converge(placed: &mut Placed, wanted: &[Rule<TargetGroupArn>], shuffle: u64, made: &mut u32) -> Vec<Step> {
    let old = in_order(placed);
    let most = old.len().max(wanted.len());
    let mut calls = Vec::new();
    for round in 0.. {
        assert!(round < 100, "no end: {calls:#?}");
        let mut steps = next(wanted, placed);
        if steps.is_empty() {
            break;
        }
        for pick in 0..steps.len() {
            let left = steps.len() - pick;
            let chosen = usize::try_from(shuffle.rotate_left(7 * (round + 1))).unwrap_or(0) % left;
            steps.swap(pick, pick + chosen);
        }
        for step in steps {
            apply(placed, &step, made);
            calls.push(step);
            assert!(placed.len() <= most, "{} rules, where {most} have to do", placed.len());
            let now = in_order(placed);
            for request in requests() {
                let (is, was, will) = (answer(&now, request), answer(&old, request), answer(wanted, request));
                // The default and the rules that match nothing both answer 404.
                assert!(
                    is == was || is == will,
                    "{request:?} gets {is:?}, not {was:?} or {will:?}: {calls:#?}"
                );
            }
        }
    }
    assert_eq!(in_order(placed), wanted);
    calls
}

proptest! {
    #[test]
    fn no_request_gets_what_neither_old_nor_new_rules_say(
        versions in prop::collection::vec(rules(RULES_PER_BATCH), 1..5),
        shuffle in any::<u64>(),
    ) {
        let (mut placed, mut made) = (Placed::new(), 0);
        for wanted in versions {
            let before = placed.len();
            let calls = converge(&mut placed, &wanted, shuffle, &mut made);
            // As many as differ in number, and one for all changes.
            prop_assert!(calls.len() <= before.abs_diff(wanted.len()) + 1, "{:#?}", calls);
        }
    }

    #[test]
    fn any_number_of_rules_comes_to_be(
        old in rules(60),
        wanted in rules(60),
        priorities in prop::sample::subsequence((1..=LAST_PRIORITY).collect::<Vec<_>>(), 60),
    ) {
        let mut placed: Placed = old
            .iter()
            .zip(priorities)
            .map(|(rule, priority)| {
                let id = RuleId::from(format!("rule-{priority}").as_str());
                (id, PlacedRule { name: String::new(), priority, rule: Some(rule.clone()) })
            })
            .collect();
        let mut made = 0;
        for round in 0.. {
            prop_assert!(round < 200);
            let steps = next(&wanted, &placed);
            if steps.is_empty() {
                break;
            }
            for step in steps {
                apply(&mut placed, &step, &mut made);
            }
        }
        prop_assert_eq!(in_order(&placed), wanted);
    }
}

fn forward(path: &str, number: u8) -> Rule<TargetGroupArn> {
    Rule {
        matching: Match { path: Some(PathMatch::Prefix(path.into())), ..Match::default() },
        action: Action::Forward(vec![Weighted { group: group(number), weight: 1 }]),
    }
}

#[test]
fn what_nothing_has_to_wait_for_is_made_at_once() {
    let wanted = [forward("/a", 1), forward("/b", 2), forward("/", 3)];
    let steps = next(&wanted, &Placed::new());
    let created: Vec<_> = steps
        .iter()
        .map(|step| match step {
            Step::Create { priority, rule } => (*priority, rule.clone()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(created, [(10, wanted[0].clone()), (20, wanted[1].clone())]);
}

#[test]
fn a_change_costs_one_call() {
    let old = [forward("/a", 1), forward("/b", 2), forward("/c", 3)];
    for (what, wanted) in [
        ("another group", vec![forward("/a", 4), forward("/b", 2), forward("/c", 3)]),
        ("another match", vec![forward("/a", 1), forward("/d", 2), forward("/c", 3)]),
        ("another order", vec![forward("/c", 3), forward("/a", 1), forward("/b", 2)]),
        ("one more", vec![forward("/a", 1), forward("/b", 2), forward("/bb", 9), forward("/c", 3)]),
        ("one less", vec![forward("/a", 1), forward("/c", 3)]),
        ("all others", vec![forward("/x", 1), forward("/y", 2), forward("/z", 3)]),
    ] {
        let (mut placed, mut made) = (Placed::new(), 0);
        converge(&mut placed, &old, 0, &mut made);
        assert_eq!(converge(&mut placed, &wanted, 0, &mut made).len(), 1, "{what}");
    }
}

#[test]
fn a_rule_that_cannot_be_read_is_made_into_what_is_wanted() {
    let (mut placed, mut made) = (Placed::new(), 0);
    converge(&mut placed, &[forward("/a", 1)], 0, &mut made);
    for rule in placed.values_mut() {
        rule.rule = None;
    }
    let steps = next(&[forward("/a", 1)], &placed);
    assert!(
        matches!(&steps[..], [Step::Update(changes)] if changes[0].rule == forward("/a", 1)),
        "{steps:?}"
    );
}

#[test]
fn where_priorities_run_out_rules_move_up_first() {
    let (mut placed, mut made) = (Placed::new(), 0);
    converge(&mut placed, &[forward("/a", 1)], 0, &mut made);
    for rule in placed.values_mut() {
        rule.priority = LAST_PRIORITY;
    }
    converge(&mut placed, &[forward("/a", 1), forward("/", 2)], 0, &mut made);
}
