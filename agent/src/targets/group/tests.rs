//! One group against answers of every kind, on paused time.

use std::collections::BTreeSet;

use lattice::{TargetState, TargetStatus};
use lattice_client::{Error, Failure, Operation, Outcome};

use super::{super::news::LATE, ended::FULL_PROBE, *};

const TERMS: Terms = Terms { gather: Duration::from_millis(20), may_deregister: true };

fn target(host: u8) -> Target {
    Target { address: [10, 0, 0, host].into(), port: 80 }
}

fn pod(host: u8) -> PodRef {
    PodRef { uid: format!("u{host}").into(), name: format!("shop/web-{host}").into() }
}

/// A group, with what is called of it in short.
#[derive(Default)]
struct Harness(Group);

impl Harness {
    fn want(&mut self, hosts: &[u8]) {
        let pods: Vec<_> = hosts.iter().map(|host| (target(*host), pod(*host))).collect();
        let now = Instant::now();
        self.0.want(pods.iter().map(|(target, pod)| (*target, pod)), now, now + LATE);
    }

    /// The calls to start now: `+` register, `-` deregister, `?` verify, `@` look up.
    fn next(&mut self) -> Vec<String> {
        self.next_on(&TERMS)
    }

    fn next_on(&mut self, terms: &Terms) -> Vec<String> {
        let (steps, _) = self.0.next(terms, Instant::now());
        steps
            .iter()
            .map(|step| match step {
                Step::Register(targets) => format!("+{}", hosts(targets)),
                Step::Deregister(targets, _) => format!("-{}", hosts(targets)),
                Step::Verify(targets) => format!("?{}", hosts(targets)),
                Step::Lookup(targets) => format!("@{}", hosts(targets)),
            })
            .collect()
    }

    /// Waits as long as the group wants to, and gives the calls of then.
    async fn later(&mut self) -> (Duration, Vec<String>) {
        let start = Instant::now();
        let (steps, wake) = self.0.next(&TERMS, start);
        assert!(steps.is_empty(), "{steps:?}");
        tokio::time::sleep_until(wake.expect("the group waits for something")).await;
        (start.elapsed(), self.next())
    }

    fn registered(&mut self, sent: &[u8], result: Result<(), Error>) -> Vec<Notice> {
        let sent: Vec<_> = sent.iter().map(|host| target(*host)).collect();
        let result = result.map(|()| Outcome { done: sent.clone(), failed: vec![] });
        self.0.registered(&sent, &result, Instant::now())
    }

    fn deregistered(&mut self, sent: &[u8], result: Result<(), Error>) {
        let sent: Vec<_> = sent.iter().map(|host| target(*host)).collect();
        let result = result.map(|()| Outcome { done: sent.clone(), failed: vec![] });
        self.0.deregistered(&sent, &result, Instant::now());
    }

    fn verified(&mut self, asked: &[u8], found: &[(u8, TargetStatus)]) -> Vec<Notice> {
        let asked: Vec<_> = asked.iter().map(|host| target(*host)).collect();
        let found = found
            .iter()
            .map(|(host, status)| TargetState { target: target(*host), status: *status, reason: None })
            .collect();
        self.0.verified(&asked, &Ok(found), Instant::now())
    }

    fn held(&self) -> Vec<u8> {
        let held = self.0.owned().filter(|owned| owned.hold == Hold::Yes);
        held.map(|owned| host(&owned.target)).collect()
    }
}

fn host(target: &Target) -> u8 {
    match target.address {
        std::net::IpAddr::V4(address) => address.octets()[3],
        std::net::IpAddr::V6(_) => 0,
    }
}

fn hosts(targets: &[Target]) -> String {
    targets.iter().map(|target| host(target).to_string()).collect::<Vec<_>>().join(",")
}

fn throttled() -> Error {
    Error::Throttled { call: Operation::RegisterTargets, retry_after: None }
}

fn unanswered() -> Error {
    Error::Unanswered { call: Operation::RegisterTargets, source: "timed out".into() }
}

fn full() -> Error {
    Error::Full { call: Operation::RegisterTargets, message: "1000 targets".into() }
}

fn refused() -> Error {
    Error::Refused { call: Operation::RegisterTargets, message: "bad address".into() }
}

/// Puts pods in, so that a test can begin with them.
fn holding(hosts: &[u8]) -> Harness {
    let mut group = Harness::default();
    group.want(hosts);
    group.next();
    group.registered(hosts, Ok(()));
    group
}

#[tokio::test(start_paused = true)]
async fn the_first_change_goes_out_at_once_and_what_comes_during_the_call_forms_the_next() {
    let mut group = Harness::default();
    group.want(&[1]);
    assert_eq!(group.next(), ["+1"]);
    for hosts in [&[1, 2][..], &[1, 2, 3], &[1, 2, 3, 4]] {
        group.want(hosts);
        assert!(group.next().is_empty());
    }
    group.registered(&[1], Ok(()));
    let (waited, calls) = group.later().await;
    assert_eq!((waited, calls), (Duration::from_millis(20), vec!["+2,3,4".into()]));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_called_when_nothing_changed() {
    let mut group = holding(&[1, 2]);
    tokio::time::advance(Duration::from_secs(3_600)).await;
    group.want(&[2, 1]);
    assert_eq!(group.0.next(&TERMS, Instant::now()), (vec![], None));
}

#[tokio::test(start_paused = true)]
async fn many_changes_are_as_few_calls_as_can_be() {
    let mut group = Harness::default();
    group.want(&(0..=250).collect::<Vec<u8>>());
    let mut sizes = Vec::new();
    loop {
        let (steps, wake) = group.0.next(&TERMS, Instant::now());
        for step in steps {
            let Step::Register(targets) = step else { panic!("{step:?}") };
            sizes.push(targets.len());
            let outcome = Outcome { done: targets.clone(), failed: vec![] };
            group.0.registered(&targets, &Ok(outcome), Instant::now());
        }
        match wake {
            Some(wake) => tokio::time::sleep_until(wake).await,
            None if group.held().len() == 251 => break,
            None => {}
        }
    }
    assert_eq!(sizes, [100, 100, 51]);
}

#[tokio::test(start_paused = true)]
async fn a_registration_that_hangs_or_fails_never_delays_a_deregistration() {
    let mut group = holding(&[1, 2]);
    tokio::time::advance(Duration::from_secs(1)).await;
    group.want(&[2, 3]);
    assert_eq!(group.next(), ["+3", "-1"], "registrations first, both at once");
    group.want(&[3]);
    group.deregistered(&[1], Ok(()));
    assert_eq!(group.later().await.1, ["-2"], "while the registration still hangs");
    group.registered(&[3], Err(unanswered()));
    group.deregistered(&[2], Ok(()));
    group.want(&[]);
    assert_eq!(group.next(), Vec::<String>::new());
    assert_eq!(group.later().await.1, ["-3"], "it may have been registered");
}

#[tokio::test(start_paused = true)]
async fn a_throttled_call_is_called_again_as_it_is_then() {
    let mut group = Harness::default();
    group.want(&[1, 2]);
    group.next();
    group.registered(&[1, 2], Err(throttled()));
    group.want(&[2, 3]);
    assert_eq!(group.later().await.1, ["+2,3"], "1 was never registered, and is wanted no more");
    group.registered(&[2, 3], Ok(()));
    assert_eq!(group.next(), Vec::<String>::new(), "nothing was doubtful, so nothing is verified");
}

#[tokio::test(start_paused = true)]
async fn an_unanswered_registration_is_repeated_and_then_verified_now_and_after_each_drain_time() {
    let mut group = Harness::default();
    group.want(&[1]);
    group.next();
    group.registered(&[1], Err(unanswered()));
    let (waited, calls) = group.later().await;
    assert_eq!(calls, ["+1"]);
    assert!(waited <= Duration::from_millis(200) && waited >= Duration::from_millis(100), "{waited:?}");
    group.registered(&[1], Ok(()));
    let answered = Instant::now();
    assert_eq!(group.next(), ["?1"]);
    group.verified(&[1], &[(1, TargetStatus::Initial)]);
    for at in [65, 305] {
        let (_, calls) = group.later().await;
        assert_eq!(calls, ["?1"]);
        assert_eq!(answered.elapsed().as_secs(), at);
        group.verified(&[1], &[(1, TargetStatus::Healthy)]);
    }
    assert_eq!(group.0.next(&TERMS, Instant::now()), (vec![], None));
}

#[tokio::test(start_paused = true)]
async fn an_address_that_comes_back_within_the_drain_time_is_verified_and_one_that_vanished_is_put_in_again()
{
    let mut group = holding(&[1]);
    group.want(&[]);
    assert_eq!(group.next(), ["-1"]);
    group.deregistered(&[1], Ok(()));
    tokio::time::advance(Duration::from_secs(30)).await;
    group.want(&[1]);
    assert_eq!(group.next(), ["+1"]);
    group.registered(&[1], Ok(()));
    assert_eq!(group.next(), ["?1"]);
    group.verified(&[1], &[(1, TargetStatus::Draining)]);
    let (waited, calls) = group.later().await;
    assert_eq!((waited.as_secs(), calls), (35, vec!["?1".into()]), "when the first drain time is over");
    let notices = group.verified(&[1], &[]);
    assert_eq!(notices, [Notice::Vanished { pod: pod(1), target: target(1) }]);
    assert_eq!(group.next(), ["+1"]);
}

#[tokio::test(start_paused = true)]
async fn a_target_that_has_yet_to_be_verified_is_not_remembered_as_certain() {
    let mut group = holding(&[1]);
    assert_eq!(group.0.to_remember(&target(1)), Hold::Yes);
    group.want(&[]);
    tokio::time::advance(Duration::from_millis(20)).await;
    group.next();
    group.deregistered(&[1], Ok(()));
    assert_eq!(group.0.to_remember(&target(1)), Hold::Nothing);
    group.want(&[1]);
    tokio::time::advance(Duration::from_millis(20)).await;
    group.next();
    group.registered(&[1], Ok(()));
    for _ in 0..3 {
        assert_eq!(group.0.to_remember(&target(1)), Hold::Maybe);
        tokio::time::advance(DRAIN_TIMES[1]).await;
        assert_eq!(group.next(), ["?1"]);
        group.verified(&[1], &[(1, TargetStatus::Healthy)]);
    }
    assert_eq!(group.0.to_remember(&target(1)), Hold::Yes);
}

#[tokio::test(start_paused = true)]
async fn a_target_that_is_wanted_again_while_its_deregistration_is_under_way_waits_for_its_end() {
    let mut group = holding(&[1]);
    group.want(&[]);
    assert_eq!(group.next(), ["-1"]);
    group.want(&[1]);
    assert_eq!(group.next(), Vec::<String>::new());
    group.deregistered(&[1], Ok(()));
    tokio::time::advance(Duration::from_millis(20)).await;
    assert_eq!(group.next(), ["+1"]);
}

#[tokio::test(start_paused = true)]
async fn an_address_that_passes_to_the_next_pod_of_the_node_stays_registered() {
    let mut group = holding(&[1]);
    let next = PodRef { uid: "another".into(), name: "shop/web-9".into() };
    let now = Instant::now();
    group.0.want([(target(1), &next)].into_iter(), now, now + LATE);
    assert_eq!(group.next(), Vec::<String>::new());
    assert_eq!(group.0.pod(&target(1)), Some(&next));
}

#[tokio::test(start_paused = true)]
async fn a_late_deregistration_first_asks_who_has_the_address() {
    for (answer, after) in [(Some(false), vec!["-1"]), (Some(true), vec![]), (None, vec![])] {
        let mut group = holding(&[1]);
        let lapsed = Terms { may_deregister: false, ..TERMS };
        group.want(&[]);
        assert!(group.next_on(&lapsed).is_empty(), "without a Lease nothing is taken out");
        tokio::time::advance(LATE).await;
        assert_eq!(group.next(), ["@1"]);
        let notices = group.0.looked_up(&[target(1)], &[answer], Instant::now(), Instant::now());
        assert_eq!(group.next(), after, "{answer:?}");
        match answer {
            Some(true) => {
                assert_eq!(notices, [Notice::Released { target: target(1) }]);
                assert!(group.0.is_empty());
            }
            Some(false) => {}
            None => assert_eq!(group.later().await.1, ["@1"], "it stays until Kubernetes answers"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_deregistration_that_got_no_answer_asks_before_it_is_repeated() {
    let mut group = holding(&[1]);
    group.want(&[]);
    assert_eq!(group.next(), ["-1"]);
    group.deregistered(&[1], Err(unanswered()));
    assert_eq!(group.later().await.1, ["@1"]);
}

#[tokio::test(start_paused = true)]
async fn a_deregistration_has_to_be_sent_while_it_is_safe() {
    let mut group = holding(&[1]);
    group.want(&[]);
    let now = Instant::now();
    let (steps, _) = group.0.next(&TERMS, now);
    assert_eq!(steps, [Step::Deregister(vec![target(1)], now + LATE)]);
}

#[tokio::test(start_paused = true)]
async fn one_refused_target_does_not_hold_up_the_others() {
    let mut group = Harness::default();
    group.want(&[1, 2, 3]);
    group.next();
    let outcome = Outcome {
        done: vec![target(1), target(3)],
        failed: vec![Failure { target: target(2), code: "UnsupportedTarget".into(), message: "no".into() }],
    };
    let notices =
        group.0.registered(&[target(1), target(2), target(3)], &Ok(outcome.clone()), Instant::now());
    assert_eq!(
        notices,
        [Notice::Refused { pod: pod(2), target: target(2), why: "UnsupportedTarget: no".into() }]
    );
    assert_eq!(group.held(), [1, 3]);
    group.want(&[1, 2, 3, 4]);
    tokio::time::advance(Duration::from_millis(20)).await;
    assert_eq!(group.next(), ["+4"]);
    group.registered(&[4], Ok(()));
    assert_eq!(group.later().await.1, ["+2"], "by itself");
    let again = Outcome { done: vec![], ..outcome };
    let notices = group.0.registered(&[target(2)], &Ok(again), Instant::now());
    assert!(notices.is_empty(), "the owner has been told");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_refused_as_a_whole_is_tried_one_by_one() {
    let mut group = Harness::default();
    group.want(&[1, 2, 3]);
    assert_eq!(group.next(), ["+1,2,3"]);
    group.registered(&[1, 2, 3], Err(refused()));
    for (expected, result) in [("+1", Ok(())), ("+2", Err(refused())), ("+3", Ok(())), ("+2", Err(refused()))]
    {
        let (_, calls) = group.later().await;
        assert_eq!(calls, [expected]);
        group.registered(&[expected[1..].parse().unwrap()], result);
    }
    assert_eq!(group.held(), [1, 3]);
}

#[tokio::test(start_paused = true)]
async fn a_full_group_takes_none_in_lets_all_out_and_is_tried_with_one() {
    let mut group = holding(&[1]);
    group.want(&[1, 2, 3]);
    tokio::time::advance(Duration::from_millis(20)).await;
    assert_eq!(group.next(), ["+2,3"]);
    let notices = group.registered(&[2, 3], Err(full()));
    assert_eq!(notices, [Notice::Full { pod: pod(2) }, Notice::Full { pod: pod(3) }]);
    assert!(group.0.is_full());
    let (waited, calls) = group.later().await;
    assert_eq!((waited, calls), (FULL_PROBE, vec!["+2".into()]));
    assert!(group.registered(&[2], Err(full())).is_empty(), "the owners have been told");
    group.want(&[2, 3]);
    assert_eq!(group.next(), ["-1"], "full or not, the dying go");
    group.deregistered(&[1], Ok(()));
    tokio::time::advance(Duration::from_millis(20)).await;
    assert_eq!(group.next(), ["+2"], "there may be room at once");
    group.registered(&[2], Ok(()));
    assert_eq!(group.later().await.1, ["+3"]);
}

#[tokio::test(start_paused = true)]
async fn room_that_is_found_is_filled_with_twice_as_many_each_time() {
    let mut group = Harness::default();
    group.want(&[1, 2, 3, 4, 5]);
    assert_eq!(group.next(), ["+1,2,3,4,5"]);
    group.registered(&[1, 2, 3, 4, 5], Err(full()));
    assert_eq!(group.later().await, (FULL_PROBE, vec!["+1".into()]));
    group.registered(&[1], Ok(()));
    assert_eq!(group.later().await.1, ["+2,3"]);
    group.registered(&[2, 3], Ok(()));
    assert!(group.0.is_full(), "two still wait");
    assert_eq!(group.later().await.1, ["+4,5"]);
    group.registered(&[4, 5], Ok(()));
    assert!(!group.0.is_full());
}

#[tokio::test(start_paused = true)]
async fn what_was_there_before_a_restart_stays_until_it_is_known_what_should_be() {
    let mut group = Harness::default();
    group.0.restore(target(1), pod(1), Hold::Yes, Instant::now());
    assert!(group.next().is_empty());
    assert!(group.0.owned().all(|owned| owned.wanted), "it is not on its way out");
    group.want(&[]);
    assert_eq!(group.next(), ["@1"]);
}

#[tokio::test(start_paused = true)]
async fn a_group_that_is_gone_needs_no_deregistration() {
    let mut group = holding(&[1]);
    group.want(&[]);
    group.next();
    let gone = Error::Missing { call: Operation::DeregisterTargets, message: "gone".into() };
    group.deregistered(&[1], Err(gone));
    assert!(group.held().is_empty());
    tokio::time::advance(DRAIN_TIMES[1]).await;
    assert_eq!(group.next(), Vec::<String>::new());
    assert!(group.0.is_empty(), "and is forgotten");
}

#[tokio::test(start_paused = true)]
async fn doubt_registers_everything_once_and_verifies_nothing() {
    let mut group = holding(&[1, 2]);
    tokio::time::advance(Duration::from_secs(1)).await;
    group.0.doubt();
    assert_eq!(group.next(), ["+1,2"]);
    group.registered(&[1, 2], Ok(()));
    assert_eq!(group.0.next(&TERMS, Instant::now()), (vec![], None));
}

#[tokio::test(start_paused = true)]
async fn what_was_owned_before_a_restart_is_kept_repeated_or_taken_out_with_care() {
    let mut group = Harness::default();
    for (host, hold) in [(1, Hold::Yes), (2, Hold::Maybe), (3, Hold::Yes), (4, Hold::Maybe)] {
        group.0.restore(target(host), pod(host), hold, Instant::now());
    }
    group.want(&[1, 2]);
    assert_eq!(group.next(), ["+2", "@3,4"]);
}

proptest::proptest! {
    /// Whatever is wanted when, and however calls end: once they succeed, Lattice holds what is wanted.
    #[test]
    fn ends_up_with_what_is_wanted(
        wants in proptest::collection::vec(proptest::collection::btree_set(0u8..8, 0..8), 1..12),
        luck in proptest::collection::vec(0u8..6, 60),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let (lattice, wanted) = runtime.block_on(async {
            let mut group = Harness::default();
            let mut lattice: BTreeSet<u8> = BTreeSet::new();
            let mut luck = luck.into_iter();
            let mut wants = wants.into_iter();
            let mut wanted = BTreeSet::new();
            for _ in 0..2_000 {
                if let Some(next) = wants.next() {
                    group.want(&next.iter().copied().collect::<Vec<_>>());
                    wanted = next;
                }
                let (steps, wake) = group.0.next(&TERMS, Instant::now());
                if steps.is_empty() && wake.is_none() && wants.len() == 0 {
                    break;
                }
                for step in steps {
                    answer(&mut group, &mut lattice, step, luck.next().unwrap_or(0));
                }
                tokio::time::sleep_until(wake.unwrap_or_else(Instant::now)).await;
            }
            (lattice, wanted)
        });
        proptest::prop_assert_eq!(lattice, wanted);
    }
}

/// Ends a call well, or badly in one of the ways there are.
fn answer(group: &mut Harness, lattice: &mut BTreeSet<u8>, step: Step, luck: u8) {
    let now = Instant::now();
    let applied = matches!(luck, 0 | 1 | 3);
    let result = |targets: &[Target]| match luck {
        0 | 1 => Ok(Outcome { done: targets.to_vec(), failed: vec![] }),
        2 => Err(throttled()),
        3 | 4 => Err(unanswered()),
        _ => Err(refused()),
    };
    match step {
        Step::Register(targets) => {
            if applied {
                lattice.extend(targets.iter().map(host));
            }
            group.0.registered(&targets, &result(&targets), now);
        }
        Step::Deregister(targets, _) => {
            if applied {
                lattice.retain(|held| !targets.iter().any(|target| host(target) == *held));
            }
            group.0.deregistered(&targets, &result(&targets), now);
        }
        Step::Verify(targets) => {
            let found: Vec<_> = targets.iter().map(host).filter(|host| lattice.contains(host)).collect();
            let found: Vec<_> = found.into_iter().map(|host| (host, TargetStatus::Healthy)).collect();
            group.verified(&targets.iter().map(host).collect::<Vec<_>>(), &found);
        }
        Step::Lookup(targets) => {
            let answers: Vec<_> = targets.iter().map(|_| (luck < 4).then_some(false)).collect();
            group.0.looked_up(&targets, &answers, now, now);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_deregistration_is_regretted_when_its_target_is_wanted_again() {
    let mut group = Harness::default();
    group.want(&[1, 2]);
    assert_eq!(group.next(), ["+1,2"]);
    group.registered(&[1, 2], Ok(()));
    group.want(&[2]);
    assert_eq!(group.next(), ["-1"]);
    assert!(!group.0.regrets());
    group.want(&[1, 2]);
    assert!(group.0.regrets());
    group.deregistered(&[1], Err(Error::NotSent { call: Operation::DeregisterTargets }));
    assert!(!group.0.regrets());
    assert_eq!(group.0.troubles().count(), 0);
    assert_eq!(group.next(), [""; 0], "it is still there, and wanted");
}

#[tokio::test(start_paused = true)]
async fn what_is_on_its_way_in_is_remembered_before_it_is_answered() {
    let mut group = Harness::default();
    group.want(&[1, 2]);
    assert_eq!(group.next(), ["+1,2"]);
    let remembered = |group: &Harness| group.0.remembered().map(|(_, _, hold)| hold).collect::<Vec<_>>();
    assert_eq!(remembered(&group), [Hold::Maybe, Hold::Maybe]);
    group.registered(&[1, 2], Ok(()));
    assert_eq!(remembered(&group), [Hold::Yes, Hold::Yes]);
}

#[tokio::test(start_paused = true)]
async fn a_target_that_lattice_refuses_to_take_out_is_looked_at_and_is_out_where_it_is_not_there() {
    for (state, out) in
        [(None, true), (Some(TargetStatus::Draining), true), (Some(TargetStatus::Healthy), false)]
    {
        let mut group = Harness::default();
        group.want(&[1]);
        group.next();
        group.registered(&[1], Ok(()));
        group.want(&[]);
        assert_eq!(group.next(), ["-1"]);
        let failed = Failure { target: target(1), code: "X".into(), message: "no".into() };
        let outcome = Outcome { done: vec![], failed: vec![failed] };
        group.0.deregistered(&[target(1)], &Ok(outcome), Instant::now());
        assert_eq!(group.next(), ["?1"]);
        let states: Vec<_> = state.map(|state| (1, state)).into_iter().collect();
        assert_eq!(group.verified(&[1], &states), []);
        assert_eq!(group.0.hold(&target(1)) == Hold::Nothing, out, "{state:?}");
    }
}
