//! When what is tried again.
//!
//! Calls of a lane go out together and are all answered before the lane goes on. After a failure it waits, ever longer while
//! it fails. A call that makes something and got no answer is repeated as it was, with its token, until it gets one: only
//! then is it known what is there.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use k8s_openapi::jiff::Timestamp;
use lattice_client::Error;
use tokio::time::Instant;

use super::progress::{RuleName, Trouble};

/// The first wait after a failure, and the longest: AWS's own clients wait no longer.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

/// The longest wait where only an operator can help.
const LONGEST_FOR_OPERATOR: Duration = Duration::from_secs(300);

/// The waits after a conflict: a resource that is being made takes seconds.
const FIRST_CONFLICT: Duration = Duration::from_millis(250);
const LONGEST_CONFLICT: Duration = Duration::from_secs(5);

/// The waits before a target group is deleted again, which Lattice refuses while targets drain: one to five minutes.
const FIRST_DRAIN: Duration = Duration::from_secs(5);

/// The least wait after a throttled call; the pacer has seen to the rest.
const THROTTLED: Duration = Duration::from_millis(200);

/// The waits between looks at something that VPC Lattice is at.
const FIRST_POLL: Duration = Duration::from_secs(1);
const LONGEST_POLL: Duration = Duration::from_secs(5);

/// Conflicts in a row that are no trouble yet: they pass when what is being made is there.
const USUAL_CONFLICTS: u32 = 3;

/// Throttled calls in a row that are no trouble yet: the pacer finds its pace by them.
const USUAL_THROTTLES: u32 = 4;

/// What a failure means to a lane.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    /// What was being done, in words.
    pub(super) doing: String,
    /// A label of errors.
    pub(super) kind: &'static str,
    /// Why.
    pub(super) message: String,
    /// Whether only an operator can help.
    pub(super) needs_operator: bool,
    /// Whether it is a target group that can't be deleted yet.
    pub(super) draining: bool,
    /// The rules of a service whose fault it is, if it is theirs.
    pub(super) rules: BTreeSet<RuleName>,
}

impl Failure {
    /// What an error means.
    pub(super) fn of(doing: String, error: &Error) -> Self {
        Self {
            doing,
            kind: error.label(),
            message: error.chain(),
            needs_operator: error.needs_operator(),
            draining: false,
            rules: BTreeSet::new(),
        }
    }
}

/// The moment, and the fraction of [0, 1) by which waits of the same length are spread.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) now: Instant,
    pub(super) wall: Timestamp,
    pub(super) fraction: f64,
}

/// The lanes of one unit. `J` is what can be repeated.
#[derive(Debug)]
pub(super) struct Lanes<L, J>(BTreeMap<L, Lane<J>>);

#[derive(Debug)]
struct Lane<J> {
    in_flight: usize,
    /// Failures in a row.
    failures: u32,
    /// Throttled calls in a row.
    throttles: u32,
    /// How often in a row what was begun here came to nothing by itself.
    stumbles: u32,
    until: Option<Instant>,
    trouble: Option<Trouble>,
    repeats: Vec<J>,
    poll: Option<Poll>,
}

#[derive(Debug, Clone, Copy)]
struct Poll {
    at: Instant,
    polls: u32,
}

impl<J> Default for Lane<J> {
    fn default() -> Self {
        Self {
            in_flight: 0,
            failures: 0,
            throttles: 0,
            stumbles: 0,
            until: None,
            trouble: None,
            repeats: Vec::new(),
            poll: None,
        }
    }
}

impl<L, J> Default for Lanes<L, J> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

/// Whether a lane may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Now,
    At(Instant),
    /// When its calls are answered.
    Busy,
}

fn doubling(first: Duration, times: u32, longest: Duration) -> Duration {
    first.saturating_mul(1 << times.min(16)).min(longest)
}

impl<L: Ord + Clone, J> Lanes<L, J> {
    fn lane(&mut self, lane: &L) -> &mut Lane<J> {
        self.0.entry(lane.clone()).or_default()
    }

    /// Whether the lane may go on.
    pub(super) fn turn(&self, lane: &L, now: Instant) -> Turn {
        match self.0.get(lane) {
            Some(lane) if lane.in_flight > 0 => Turn::Busy,
            Some(Lane { until: Some(until), .. }) if *until > now => Turn::At(*until),
            _ => Turn::Now,
        }
    }

    /// Whether any call is under way.
    pub(super) fn busy(&self) -> bool {
        self.0.values().any(|lane| lane.in_flight > 0)
    }

    /// How many lanes wait after failures.
    pub(super) fn in_backoff(&self, now: Instant) -> usize {
        self.0.values().filter(|lane| lane.until.is_some_and(|until| until > now)).count()
    }

    /// A call of the lane goes out.
    pub(super) fn begin(&mut self, lane: &L) {
        self.lane(lane).in_flight += 1;
    }

    /// A call of the lane was answered; what follows from it is told separately.
    pub(super) fn answered(&mut self, lane: &L) {
        let lane = self.lane(lane);
        lane.in_flight = lane.in_flight.saturating_sub(1);
    }

    /// A call did what it should.
    pub(super) fn succeeded(&mut self, lane: &L) {
        let lane = self.lane(lane);
        lane.failures = 0;
        lane.throttles = 0;
        // What comes to nothing by itself is begun anew ever later, although each call is served.
        if lane.stumbles == 0 {
            lane.until = None;
            lane.trouble = None;
        }
    }

    /// A call failed.
    pub(super) fn failed(&mut self, lane: &L, failure: Failure, at: Moment) {
        let lane = self.lane(lane);
        if failure.kind == "throttled" {
            lane.until = lane.until.max(Some(at.now + THROTTLED));
            lane.throttles = lane.throttles.saturating_add(1);
            if lane.throttles > USUAL_THROTTLES {
                lane.tell(failure, at.wall);
            }
            return;
        }
        let times = lane.failures;
        lane.failures = lane.failures.saturating_add(1);
        let wait = if failure.draining {
            doubling(FIRST_DRAIN, times, LONGEST)
        } else if failure.kind == "conflict" {
            doubling(FIRST_CONFLICT, times, LONGEST_CONFLICT)
        } else if failure.needs_operator {
            doubling(FIRST, times, LONGEST_FOR_OPERATOR)
        } else {
            doubling(FIRST, times, LONGEST)
        };
        lane.until = lane.until.max(Some(at.now + wait.mul_f64(0.75 + 0.25 * at.fraction)));
        if !failure.draining && (failure.kind != "conflict" || lane.failures > USUAL_CONFLICTS) {
            lane.tell(failure, at.wall);
        }
    }

    /// What was begun in the lane came to nothing by itself.
    pub(super) fn stumbled(&mut self, lane: &L, failure: Failure, at: Moment) {
        let lane = self.lane(lane);
        let wait = doubling(FIRST, lane.stumbles, LONGEST);
        lane.stumbles = lane.stumbles.saturating_add(1);
        lane.until = Some(at.now + wait.mul_f64(0.75 + 0.25 * at.fraction));
        lane.tell(failure, at.wall);
    }

    /// What was begun in the lane stands.
    pub(super) fn stands(&mut self, lane: &L) {
        if let Some(lane) = self.0.get_mut(lane)
            && lane.stumbles > 0
        {
            lane.stumbles = 0;
            lane.failures = 0;
            lane.until = None;
            lane.trouble = None;
        }
    }

    /// Tells of something that is wrong without a call's having failed. The lane goes on when it is time.
    pub(super) fn tell(&mut self, lane: &L, failure: Failure, wall: Timestamp) {
        self.lane(lane).tell(failure, wall);
    }

    /// Forgets failures: what is wanted has changed. What is under way, or to be repeated, stays.
    pub(super) fn forgive(&mut self) {
        for lane in self.0.values_mut() {
            lane.failures = 0;
            lane.throttles = 0;
            lane.stumbles = 0;
            lane.until = None;
            lane.trouble = None;
        }
    }

    /// Forgets one lane's failures.
    pub(super) fn forgive_lane(&mut self, lane: &L) {
        if let Some(lane) = self.0.get_mut(lane) {
            lane.failures = 0;
            lane.throttles = 0;
            lane.until = None;
            lane.trouble = None;
        }
    }

    /// Forgets the failures of lanes in which there is nothing to do any more, and polls that nobody waits for.
    pub(super) fn rest(&mut self, has_work: impl Fn(&L) -> bool, waits: impl Fn(&L) -> bool) {
        for (name, lane) in &mut self.0 {
            if waits(name) {
                continue;
            }
            lane.poll = None;
            if lane.in_flight == 0 && lane.repeats.is_empty() && !has_work(name) {
                lane.failures = 0;
                lane.throttles = 0;
                lane.stumbles = 0;
                lane.until = None;
                lane.trouble = None;
            }
        }
        self.0.retain(|_, lane| {
            lane.in_flight > 0
                || lane.stumbles > 0
                || lane.failures > 0
                || lane.until.is_some()
                || lane.trouble.is_some()
                || lane.poll.is_some()
                || !lane.repeats.is_empty()
        });
    }

    /// Keeps a call whose outcome is not known.
    pub(super) fn keep(&mut self, lane: &L, call: J) {
        self.lane(lane).repeats.push(call);
    }

    /// The lanes with calls to be repeated.
    pub(super) fn to_repeat(&self) -> Vec<L> {
        self.0.iter().filter(|(_, lane)| !lane.repeats.is_empty()).map(|(name, _)| name.clone()).collect()
    }

    /// Takes the calls to be repeated.
    pub(super) fn repeats(&mut self, lane: &L) -> Vec<J> {
        self.0.get_mut(lane).map(|lane| std::mem::take(&mut lane.repeats)).unwrap_or_default()
    }

    /// When what the lane waits for is to be looked at; the first time, in a while.
    pub(super) fn poll(&mut self, lane: &L, now: Instant) -> Instant {
        self.lane(lane).poll.get_or_insert(Poll { at: now + FIRST_POLL, polls: 1 }).at
    }

    /// What the lane waits for is to be looked at now.
    pub(super) fn hasten_poll(&mut self, lane: &L, now: Instant) {
        let lane = self.lane(lane);
        let polls = lane.poll.map_or(0, |poll| poll.polls);
        lane.poll = Some(Poll { at: now, polls });
    }

    /// It was looked at.
    pub(super) fn polled(&mut self, lane: &L, now: Instant) {
        if let Some(poll) = &mut self.lane(lane).poll {
            *poll = Poll {
                at: now + doubling(FIRST_POLL, poll.polls, LONGEST_POLL),
                polls: poll.polls.saturating_add(1),
            };
        }
    }

    /// The lane's trouble.
    pub(super) fn trouble(&self, lane: &L) -> Option<&Trouble> {
        self.0.get(lane)?.trouble.as_ref()
    }

    /// How often in a row the lane has failed.
    pub(super) fn failures(&self, lane: &L) -> u32 {
        self.0.get(lane).map_or(0, |lane| lane.failures)
    }

    /// All troubles.
    pub(super) fn troubles(&self) -> impl Iterator<Item = &Trouble> {
        self.0.values().filter_map(|lane| lane.trouble.as_ref())
    }
}

impl<J> Lane<J> {
    fn tell(&mut self, failure: Failure, wall: Timestamp) {
        let since = match &self.trouble {
            Some(trouble) if trouble.doing == failure.doing => trouble.since,
            _ => wall,
        };
        self.trouble = Some(Trouble {
            doing: failure.doing,
            kind: failure.kind,
            message: failure.message,
            since,
            needs_operator: failure.needs_operator,
            rules: failure.rules,
        });
    }
}
