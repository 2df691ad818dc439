//! The rules of one listener.
//!
//! While rules change, no request may get what neither the old nor the new rules say. Lattice changes up to ten rules
//! in one call, all or nothing, but that call neither makes nor removes any. Hence three stages:
//!
//! 1. *Create* what there are too few of, in order of precedence, each where it belongs if all that goes before it is in
//!    place, else behind everything that is there.
//! 2. *Update* everything that differs in one call: moved rules, changed actions, rules that are no longer wanted made into
//!    wanted ones, and what is left over made to match nothing.
//! 3. *Delete* what is left over, the last first.
//!
//! With more than ten differences the second stage takes several calls, and the promise holds for each of them alone.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    TargetGroupArn,
    id::RuleId,
    limits::{GROUPS_PER_ACTION, LAST_PRIORITY, RULES_PER_BATCH},
    observed::PlacedRule,
    rule::{Action, Comparison, HeaderMatch, Match, Rule, Weighted},
};

/// From one rule's priority to the next when there is room, so that rules can be put between them later.
const SPACING: u16 = 10;

/// The header by which a rule that is about to be deleted matches nothing. Whoever sends it gets 404 all the same.
const NEVER: &str = "x-lath-replaced";

/// The header by which a rule matches that only makes Lattice check a group's targets. Whoever sends it reaches pods that
/// he is about to reach anyway.
const WARMING: &str = "x-lath-warming";

/// What to do about the rules of a listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Make a rule.
    Create {
        /// Its place.
        priority: u16,
        /// What it says.
        rule: Rule<TargetGroupArn>,
    },
    /// Change rules, all or none: at most [`RULES_PER_BATCH`].
    Update(Vec<Change>),
    /// Remove a rule.
    Delete(RuleId),
}

/// What a rule should be instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Which rule.
    pub id: RuleId,
    /// Its place.
    pub priority: u16,
    /// What it says.
    pub rule: Rule<TargetGroupArn>,
}

/// Where a wanted rule is, or will be.
#[derive(Debug, Clone)]
struct Seat<'a> {
    rule: &'a Rule<TargetGroupArn>,
    /// The rule that becomes it, and where that is now.
    of: Option<(&'a RuleId, u16)>,
    /// Whether that rule matches the same requests already.
    kept: bool,
    priority: u16,
}

/// Names the next calls, which may be made at once and in any order; none when `placed` is what is wanted.
///
/// `wanted` is in order of precedence, and no two have the same match. Cost: O(n² · text), n = rules of the listener.
#[must_use]
pub fn next(wanted: &[Rule<TargetGroupArn>], placed: &BTreeMap<RuleId, PlacedRule>) -> Vec<Step> {
    let mut present: Vec<(&RuleId, &PlacedRule)> = placed.iter().collect();
    present.sort_by_key(|(id, rule)| (rule.priority, *id));
    let (mut seats, surplus) = seat(wanted, &present);
    let taken: BTreeSet<u16> = present.iter().map(|(_, rule)| rule.priority).collect();
    place(&mut seats, &taken);

    if seats.iter().any(|seat| seat.of.is_none()) {
        return creations(&seats, &present, &taken);
    }
    let mut changes: Vec<Change> = seats
        .iter()
        .filter_map(|seat| {
            let (id, priority) = seat.of?;
            let same = priority == seat.priority
                && placed.get(id).and_then(|placed| placed.rule.as_ref()) == Some(seat.rule);
            (!same).then(|| Change { id: id.clone(), priority: seat.priority, rule: seat.rule.clone() })
        })
        .collect();
    if changes.is_empty() {
        return deletions(&surplus);
    }
    // Behind what is wanted in the list, so that it is what comes later should all not fit into one call.
    let neutral = surplus.iter().filter(|(_, rule)| rule.rule.as_ref() != Some(&never()));
    changes.extend(neutral.map(|(id, rule)| Change {
        id: (*id).clone(),
        priority: rule.priority,
        rule: never(),
    }));
    changes.truncate(RULES_PER_BATCH);
    vec![Step::Update(changes)]
}

/// Finds for each wanted rule the one that becomes it: one with the same match, else one that is not wanted any more.
/// Also tells which are left over. Rules without any come before all those that are made out of unwanted ones, so that
/// they can be made first.
fn seat<'a>(
    wanted: &'a [Rule<TargetGroupArn>],
    present: &[(&'a RuleId, &'a PlacedRule)],
) -> (Vec<Seat<'a>>, Vec<(&'a RuleId, &'a PlacedRule)>) {
    let mut free: Vec<Option<(&RuleId, &PlacedRule)>> = present.iter().copied().map(Some).collect();
    let mut seats: Vec<Seat<'_>> =
        wanted.iter().map(|rule| Seat { rule, of: None, kept: false, priority: 0 }).collect();
    for seat in &mut seats {
        let same_match = |free: &Option<(&RuleId, &PlacedRule)>| {
            free.and_then(|(_, placed)| placed.rule.as_ref())
                .is_some_and(|rule| rule.matching == seat.rule.matching)
        };
        if let Some((id, placed)) = free.iter_mut().find(|free| same_match(free)).and_then(Option::take) {
            seat.of = Some((id, placed.priority));
            seat.kept = true;
        }
    }
    let mut unwanted: Vec<(&RuleId, &PlacedRule)> = free.into_iter().flatten().collect();
    let lacking: Vec<usize> = (0..seats.len()).rev().filter(|index| seats[*index].of.is_none()).collect();
    // The last with the last: what is left over then precedes in the old order all that was made into something else.
    for index in lacking {
        let Some((id, placed)) = unwanted.pop() else { break };
        seats[index].of = Some((id, placed.priority));
    }
    (seats, unwanted)
}

/// Gives each seat its priority: the one it has wherever the order allows, else a free one between its neighbours.
fn place(seats: &mut [Seat<'_>], taken: &BTreeSet<u16>) {
    let stay = longest_rise(seats);
    for (index, seat) in seats.iter_mut().enumerate() {
        seat.priority = if stay.contains(&index) { seat.of.map_or(0, |(_, priority)| priority) } else { 0 };
    }
    let mut start = 0;
    while start < seats.len() {
        if seats[start].priority != 0 {
            start += 1;
            continue;
        }
        let end = (start..seats.len()).find(|index| seats[*index].priority != 0);
        let low = start.checked_sub(1).map_or(0, |before| seats[before].priority);
        let high = end.map(|index| seats[index].priority);
        let count = end.unwrap_or(seats.len()) - start;
        let Some(numbers) = between(low, high, count, taken) else {
            line_up(seats, taken);
            return;
        };
        for (seat, number) in seats[start..start + count].iter_mut().zip(numbers) {
            seat.priority = number;
        }
        start += count;
    }
}

/// The longest run of seats whose rules are in order already.
fn longest_rise(seats: &[Seat<'_>]) -> BTreeSet<usize> {
    let mut best: Vec<(usize, Option<usize>)> = vec![(0, None); seats.len()];
    for index in 0..seats.len() {
        let Some((_, own)) = seats[index].of else { continue };
        best[index] = (1, None);
        for before in 0..index {
            let follows = seats[before].of.is_some_and(|(_, priority)| priority < own);
            if follows && best[before].0 >= best[index].0 {
                best[index] = (best[before].0 + 1, Some(before));
            }
        }
    }
    let mut last = (0..seats.len()).filter(|index| best[*index].0 > 0).max_by_key(|index| best[*index].0);
    let mut stay = BTreeSet::new();
    while let Some(index) = last {
        stay.insert(index);
        last = best[index].1;
    }
    stay
}

/// `count` free priorities between two others, in order; `None` where there are not enough.
fn between(low: u16, high: Option<u16>, count: usize, taken: &BTreeSet<u16>) -> Option<Vec<u16>> {
    let wide = u16::try_from(count).ok()?;
    match high {
        // At the end there is room for the usual spacing.
        None => {
            let last = taken.last().copied().unwrap_or(0).max(low);
            let step = SPACING.min(LAST_PRIORITY.saturating_sub(last) / wide.max(1));
            (step > 0).then(|| (1..=wide).map(|n| last + n * step).collect())
        }
        Some(high) => {
            let free: Vec<u16> = (low + 1..high).filter(|number| !taken.contains(number)).collect();
            let step = free.len() / (count + 1);
            match (free.len() >= count, step) {
                (false, _) => None,
                (true, 0) => Some(free[..count].to_vec()),
                (true, step) => Some((1..=count).map(|n| free[n * step]).collect()),
            }
        }
    }
}

/// Gives each seat in turn the priority it has if that is behind the one before it and leaves room for those after it,
/// else the next that nobody has. What one call has brought into place stays there for the calls that follow.
fn line_up(seats: &mut [Seat<'_>], taken: &BTreeSet<u16>) {
    let mut used = taken.clone();
    let mut low = 0;
    let count = seats.len();
    for (index, seat) in seats.iter_mut().enumerate() {
        let roomy = |priority: u16, used: &BTreeSet<u16>| {
            let free = (priority + 1..=LAST_PRIORITY).filter(|number| !used.contains(number));
            free.take(count).count() >= count - index - 1
        };
        let own = seat.of.map(|(_, now)| now).filter(|now| *now > low && roomy(*now, &used));
        let next = || (low + 1..=LAST_PRIORITY).find(|number| !used.contains(number));
        seat.priority = own.or_else(next).unwrap_or(LAST_PRIORITY);
        used.insert(seat.priority);
        low = seat.priority;
    }
}

/// The rules that can be made now: those before which nothing has to be made that matches some of their requests and
/// says something else.
fn creations(seats: &[Seat<'_>], present: &[(&RuleId, &PlacedRule)], taken: &BTreeSet<u16>) -> Vec<Step> {
    let contend = |one: &Seat<'_>, two: &Seat<'_>| {
        one.rule.action != two.rule.action && one.rule.matching.may_overlap(&two.rule.matching)
    };
    let mut steps = Vec::new();
    let mut used = taken.clone();
    for (index, seat) in seats.iter().enumerate().filter(|(_, seat)| seat.of.is_none()) {
        let before = &seats[..index];
        if before.iter().any(|other| other.of.is_none() && contend(other, seat)) {
            continue;
        }
        let in_place = before
            .iter()
            .filter(|other| contend(other, seat))
            .all(|other| other.of.is_some_and(|(_, now)| now < seat.priority));
        let priority = if in_place && !used.contains(&seat.priority) {
            Some(seat.priority)
        } else {
            used.last().copied().unwrap_or(0).checked_add(1).filter(|number| *number <= LAST_PRIORITY)
        };
        let Some(priority) = priority else {
            // No room behind the last: first move up what is there.
            return if steps.is_empty() { gather(present) } else { steps };
        };
        used.insert(priority);
        steps.push(Step::Create { priority, rule: seat.rule.clone() });
    }
    steps
}

/// Moves rules up, in their order, to make room behind them.
fn gather(present: &[(&RuleId, &PlacedRule)]) -> Vec<Step> {
    let places = (1..).zip(present);
    let moved = places.filter(|(priority, (_, placed))| placed.priority != *priority);
    let changes: Vec<Change> = moved
        .map(|(priority, (id, placed))| Change {
            id: (*id).clone(),
            priority,
            // A rule that can't be expressed is not wanted either.
            rule: placed.rule.clone().unwrap_or_else(never),
        })
        .take(RULES_PER_BATCH)
        .collect();
    if changes.is_empty() { Vec::new() } else { vec![Step::Update(changes)] }
}

/// The rules that can be removed now: those after which nothing is to be removed that matches some of their requests
/// and says something else.
fn deletions(surplus: &[(&RuleId, &PlacedRule)]) -> Vec<Step> {
    let contend = |one: &PlacedRule, two: &PlacedRule| match (&one.rule, &two.rule) {
        (Some(one), Some(two)) => one.action != two.action && one.matching.may_overlap(&two.matching),
        _ => true,
    };
    surplus
        .iter()
        .enumerate()
        .filter(|(index, (_, rule))| surplus[index + 1..].iter().all(|(_, later)| !contend(rule, later)))
        .map(|(_, (id, _))| Step::Delete((*id).clone()))
        .collect()
}

/// Names the next call for Lattice to check the targets of these groups, at most [`GROUPS_PER_ACTION`] of them at a time, while
/// no request gets to them; none when there is a rule that sees to it. [`next`] removes that rule.
#[must_use]
pub fn warm(groups: &BTreeSet<TargetGroupArn>, placed: &BTreeMap<RuleId, PlacedRule>) -> Option<Step> {
    let shares = groups.iter().take(GROUPS_PER_ACTION);
    let action = Action::Forward(shares.map(|group| Weighted { group: group.clone(), weight: 1 }).collect());
    let rule = Rule { matching: with_header(WARMING), action };
    match placed.iter().find(|(_, placed)| placed.rule.as_ref().is_some_and(is_warming)) {
        Some((_, placed)) if placed.rule.as_ref() == Some(&rule) => None,
        Some((id, placed)) => {
            Some(Step::Update(vec![Change { id: id.clone(), priority: placed.priority, rule }]))
        }
        None => {
            let taken: BTreeSet<u16> = placed.values().map(|placed| placed.priority).collect();
            let last = taken.last().copied().unwrap_or(0);
            let behind = last.saturating_add(SPACING)..=LAST_PRIORITY;
            let priority = behind.chain(1..=LAST_PRIORITY).find(|number| !taken.contains(number))?;
            Some(Step::Create { priority, rule })
        }
    }
}

/// Whether a rule is there only so that Lattice checks its groups' targets.
#[must_use]
pub fn is_warming(rule: &Rule<TargetGroupArn>) -> bool {
    rule.matching == with_header(WARMING)
}

/// A rule that matches nothing.
fn never() -> Rule<TargetGroupArn> {
    Rule { matching: with_header(NEVER), action: Action::Fixed(404) }
}

/// A match for a header that nobody sends.
fn with_header(name: &str) -> Match {
    let header = HeaderMatch { name: name.into(), comparison: Comparison::Exact, value: "true".into() };
    Match { headers: vec![header], ..Match::default() }
}

#[cfg(test)]
mod tests;
