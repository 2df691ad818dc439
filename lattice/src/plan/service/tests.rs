//! What is done about a service.

use super::*;
use crate::observed::{Listener, PlacedRule, Service};

fn spec() -> ServiceSpec {
    ServiceSpec {
        name: "web".into(),
        custom_domain: None,
        certificate: None,
        auth_policy: None,
        listeners: BTreeMap::new(),
        networks: BTreeSet::new(),
        access_logs: BTreeSet::new(),
        warm_up: None,
        tags: Tags::new(),
    }
}

fn tree(status: Status) -> ServiceTree {
    ServiceTree {
        service: Service {
            id: "svc-1".into(),
            arn: String::new(),
            name: "web".into(),
            status,
            dns_name: None,
            custom_domain: None,
            certificate: None,
            auth: false,
        },
        tags: Tags::new(),
        auth_policy: None,
        listeners: BTreeMap::new(),
        associations: BTreeMap::new(),
        access_logs: BTreeMap::new(),
    }
}

#[test]
fn what_could_be_neither_made_nor_deleted_is_deleted_and_made_anew() {
    let around = Around {
        group: &|_| KnownGroup::No,
        network: &|_| KnownNetwork::No,
        ours: &|_| true,
        warm: &|_| true,
    };
    for (what, steps) in [
        (Attempt::Create, vec![Step::Delete]),
        (Attempt::Delete, vec![Step::Delete]),
        (Attempt::Update, Vec::new()),
    ] {
        let tree = tree(Status::Failed { what, message: String::new() });
        assert_eq!(next(Some(&spec()), Some(&tree), &around).steps, steps, "{what:?}");
    }
}

/// A group by its number.
fn arn(number: u8) -> TargetGroupArn {
    format!("arn:aws:vpc-lattice:us-west-2:123456789012:targetgroup/tg-0123456789abcde{number:02}")
        .parse()
        .unwrap()
}

fn to(groups: &[(u8, u16)]) -> Action<TargetGroupArn> {
    Action::Forward(
        groups.iter().map(|(group, weight)| Weighted { group: arn(*group), weight: *weight }).collect(),
    )
}

/// The next steps for a listener that has these actions, by default and by rule, and is to have those; group 1 is warm.
fn moved(
    protocol: ListenerProtocol,
    there: (Action<TargetGroupArn>, &[Action<TargetGroupArn>]),
    wanted: &(Action<TargetGroupArn>, &[Action<TargetGroupArn>]),
    warm: &dyn Fn(&TargetGroupArn) -> bool,
) -> Plan<Step> {
    let matching = |number: usize| crate::rule::Match {
        path: Some(crate::rule::PathMatch::Exact(format!("/{number}"))),
        ..crate::rule::Match::default()
    };
    let mut tree = tree(Status::Active);
    let rules = there.1.iter().enumerate().map(|(number, action)| {
        let rule = Rule { matching: matching(number), action: action.clone() };
        let priority = u16::try_from(number).unwrap() * 10 + 10;
        let placed = PlacedRule { name: number.to_string(), priority, rule: Some(rule) };
        (format!("rule-{number}").as_str().into(), placed)
    });
    tree.listeners.insert(
        80,
        ListenerTree {
            listener: Listener {
                id: "listener-1".into(),
                arn: String::new(),
                name: "web".into(),
                protocol: Some(protocol),
                port: 80,
                default: Some(there.0),
            },
            rules: rules.collect(),
        },
    );
    let wish = |action: &Action<TargetGroupArn>| {
        action.try_map(|arn| Some(GroupKey::External(arn.clone()))).unwrap()
    };
    let rules = wanted.1.iter().enumerate();
    let rules = rules.map(|(number, action)| Rule { matching: matching(number), action: wish(action) });
    let listener =
        ListenerSpec { name: "web".into(), protocol, default: wish(&wanted.0), rules: rules.collect() };
    let warm_up = Some(crate::service::WarmUp { healthy_percent: 75, at_most: std::time::Duration::ZERO });
    let spec = ServiceSpec { listeners: [(80, listener)].into(), warm_up, ..spec() };
    let around = Around {
        group: &|key| match key {
            GroupKey::External(arn) => KnownGroup::Yes(arn.clone()),
            _ => KnownGroup::No,
        },
        network: &|_| KnownNetwork::No,
        ours: &|_| true,
        warm,
    };
    next(Some(&spec), Some(&tree), &around)
}

#[test]
fn requests_are_moved_to_a_group_only_when_it_is_warm() {
    use ListenerProtocol::{Http, TlsPassthrough};
    let none = || Action::Fixed(404);
    let waits = |groups: &[u8]| -> Vec<Wait> {
        let key = |group: &u8| Wait::Warming(Box::new(GroupKey::External(arn(*group))));
        groups.iter().map(key).collect()
    };
    // One that is served from another group is not moved, and nothing else is changed meanwhile.
    let old = (none(), &[to(&[(1, 1)]), none()][..]);
    let new = (none(), &[to(&[(2, 1)]), to(&[(1, 1), (3, 1)])][..]);
    let cold = moved(Http, old.clone(), &new, &|_| false);
    assert_eq!(cold.waits, waits(&[2, 3]));
    let [Step::Rule { step: rules::Step::Create { priority: 30, rule }, .. }] = cold.steps.as_slice() else {
        panic!("{cold:?}");
    };
    assert!(rules::is_warming(rule) && rule.action == to(&[(2, 1), (3, 1)]), "{rule:?}");
    // One that is warm is waited for no more, but the rest is.
    let half = moved(Http, old.clone(), &new, &|group| *group == arn(2));
    assert_eq!(half.waits, waits(&[3]));
    let whole = moved(Http, old, &new, &|_| true);
    assert_eq!(whole.waits, []);
    assert!(
        matches!(whole.steps.as_slice(), [Step::Rule { step: rules::Step::Update(changes), .. }] if changes.len() == 2)
    );
    // Where nothing is served, and where the group is served from already, nothing is waited for.
    for (there, wanted) in [
        ((none(), &[none()][..]), (none(), &[to(&[(2, 1)])][..])),
        ((none(), &[to(&[(1, 1)]), to(&[(2, 1)])][..]), (none(), &[to(&[(2, 1)]), to(&[(1, 1)])][..])),
    ] {
        let plan = moved(Http, there, &wanted, &|_| false);
        assert_eq!((plan.waits.len(), plan.steps.len()), (0, 1), "{plan:?}");
    }
    // Without rules, the group first gets nothing.
    let pass = |there, warm: bool| moved(TlsPassthrough, (there, &[]), &(to(&[(2, 1)]), &[]), &|_| warm);
    let update = |default| Step::UpdateListener { listener: "listener-1".into(), port: 80, default };
    let cold = pass(to(&[(1, 1)]), false);
    assert_eq!((cold.steps, cold.waits), (vec![update(to(&[(1, 1), (2, 0)]))], waits(&[2])));
    let known = pass(to(&[(1, 1), (2, 0)]), false);
    assert_eq!((known.steps, known.waits), (vec![], waits(&[2])));
    let warm = pass(to(&[(1, 1), (2, 0)]), true);
    assert_eq!((warm.steps, warm.waits), (vec![update(to(&[(2, 1)]))], vec![]));
}
