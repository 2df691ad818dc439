//! Groups that requests are to be moved to: whether enough of their targets are healthy.
//!
//! VPC Lattice tells nobody when a target becomes healthy, so groups are looked at as long as a service waits for them.

use std::{collections::BTreeSet, time::Duration};

use lattice::{
    TargetGroupArn,
    plan::{Known, Wait},
    service::{GroupKey, WarmUp},
    target::{TargetState, TargetStatus},
};
use lattice_client::{Error, Urgency};
use tokio::time::Instant;

use super::{
    Answer, Engine,
    services::ServiceUnit,
    unit::{Name, Place},
};
use crate::bindings::tally::Tally;

/// The waits between looks: the first, and the longest.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(5);

/// A group that services wait for.
#[derive(Debug)]
pub(super) struct Warming {
    /// What it has to show. Of several services' wishes the last one's counts.
    wanted: WarmUp,
    since: Instant,
    /// When it is looked at next; `None` while it is looked at.
    due: Option<Instant>,
    looks: u32,
    /// Since when enough of its targets have been seen healthy.
    healthy_since: Option<Instant>,
    /// Whether requests may be moved to it.
    warm: bool,
    services: BTreeSet<Place>,
}

/// Why requests may be moved to a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// Enough of its targets are healthy.
    Healthy,
    /// It has been waited for long enough.
    Late,
    /// VPC Lattice takes no rule by which its targets could be checked.
    NoRoom,
}

impl Why {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Late => "late",
            Self::NoRoom => "no_room",
        }
    }
}

impl Engine {
    /// Looks at the groups that a service waits for, when it is time.
    pub(super) fn await_warm(&mut self, place: &Place, it: &mut ServiceUnit, waits: &[Wait], now: Instant) {
        let wanted = it.unit.wanted.as_ref().and_then(|spec| spec.warm_up);
        let Some(wanted) = wanted.filter(|_| !it.unit.done) else {
            self.cool(place, it);
            return;
        };
        let keys = waits.iter().filter_map(|wait| match wait {
            Wait::Warming(key) => Some(&**key),
            _ => None,
        });
        let groups: Vec<TargetGroupArn> = keys.filter_map(|key| self.arn_of(key)).collect();
        for group in groups {
            let warming = self.warming.entry(group.clone()).or_insert_with(|| Warming {
                wanted,
                since: now,
                due: Some(now + FIRST),
                looks: 0,
                healthy_since: None,
                warm: false,
                services: BTreeSet::new(),
            });
            warming.wanted = wanted;
            if warming.services.insert(place.clone()) {
                it.warming.insert(group.clone());
            }
            let late = warming.since + wanted.at_most;
            if late <= now {
                self.warmed(&group, Why::Late);
                continue;
            }
            let due = warming.due.filter(|due| *due <= now);
            if due.is_some() {
                warming.due = None;
                let client = self.links.client.clone();
                self.tasks.spawn(async move {
                    let result = client.states(&group, Urgency::Change).await;
                    Answer::Warmth(group, result)
                });
            } else if let Some(due) = warming.due {
                self.wake(due.min(late), Name::Service(place.clone()));
            }
        }
    }

    /// A service waits for no group any more.
    pub(super) fn cool(&mut self, place: &Place, it: &mut ServiceUnit) {
        for group in std::mem::take(&mut it.warming) {
            if let Some(warming) = self.warming.get_mut(&group) {
                warming.services.remove(place);
                if warming.services.is_empty() {
                    self.warming.remove(&group);
                }
            }
        }
    }

    fn arn_of(&self, key: &GroupKey) -> Option<TargetGroupArn> {
        match self.known_group(key) {
            Known::Yes(arn) => Some(arn),
            Known::NotYet | Known::No => None,
        }
    }

    /// Whether requests may be moved to a group.
    pub(super) fn is_warm(&self, group: &TargetGroupArn) -> bool {
        self.warming.get(group).is_some_and(|warming| warming.warm)
    }

    /// A group's targets were listed.
    pub(super) fn warmth(&mut self, group: &TargetGroupArn, result: Result<Vec<TargetState>, Error>) {
        let ready = self.ready_pods(group);
        let now = Instant::now();
        let Some(warming) = self.warming.get_mut(group) else { return };
        let wait = FIRST.saturating_mul(1 << warming.looks.min(5)).min(LONGEST);
        warming.looks = warming.looks.saturating_add(1);
        warming.due = Some(now + wait);
        match result {
            Ok(states) if is_warm(&states, ready, warming.wanted) => {
                let since = *warming.healthy_since.get_or_insert(now);
                let in_force = since + self.links.settings.propagation;
                if in_force <= now {
                    return self.warmed(group, Why::Healthy);
                }
                warming.due = Some(in_force);
            }
            Ok(_) => warming.healthy_since = None,
            Err(error) => {
                let group = group.as_str();
                tracing::debug!(group, error = error.chain(), "listing targets failed and is tried again");
            }
        }
        let names: Vec<Name> = warming.services.iter().cloned().map(Name::Service).collect();
        for name in names {
            self.touch(name);
        }
    }

    /// Requests may be moved to a group.
    pub(super) fn warmed(&mut self, group: &TargetGroupArn, why: Why) {
        let Some(warming) = self.warming.get_mut(group) else { return };
        if std::mem::replace(&mut warming.warm, true) {
            return;
        }
        self.links.metrics.warmed(why);
        let waited = warming.since.elapsed().as_secs();
        match why {
            Why::Healthy => tracing::debug!(group = group.as_str(), waited, "a target group is healthy"),
            Why::Late => tracing::warn!(
                group = group.as_str(),
                waited,
                "requests are moved to a target group although too few of its targets are healthy"
            ),
            Why::NoRoom => tracing::info!(
                group = group.as_str(),
                "requests are moved to a target group unseen, since the listener takes no more rules"
            ),
        }
        let names: Vec<Name> = warming.services.iter().cloned().map(Name::Service).collect();
        for name in names {
            self.touch(name);
        }
    }

    /// How many pods should be in a group: those that are ready. Others' groups are known by their targets alone.
    fn ready_pods(&self, group: &TargetGroupArn) -> usize {
        let cluster = self.links.cluster.read();
        let ready = cluster.bindings_of(group).map(|entry| {
            let members = cluster.members(&entry.binding).map(|(pod, standing)| (&**pod, standing));
            usize::try_from(Tally::of(members).ready).unwrap_or(usize::MAX)
        });
        ready.max().unwrap_or(0)
    }
}

/// Whether enough targets are healthy, of those that are registered or `ready` to be.
fn is_warm(states: &[TargetState], ready: usize, wanted: WarmUp) -> bool {
    // One that is not checked is taken for healthy, as VPC Lattice does.
    let good =
        |state: &&TargetState| matches!(state.status, TargetStatus::Healthy | TargetStatus::Unavailable);
    let good = states.iter().filter(good).count();
    let staying = states.iter().filter(|state| state.status != TargetStatus::Draining).count();
    good > 0 && good * 100 >= usize::from(wanted.healthy_percent) * staying.max(ready)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_warm_when_enough_of_all_that_should_be_in_it_are_healthy() {
        use TargetStatus::{Draining, Healthy, Initial, Unavailable, Unhealthy, Unused};
        let state = |status| TargetState {
            target: lattice::Target { address: [10, 0, 0, 1].into(), port: 80 },
            status,
            reason: None,
        };
        for (statuses, ready, percent, warm) in [
            (vec![], 0, 75, false),
            (vec![Unused, Initial], 2, 75, false),
            (vec![Healthy], 1, 100, true),
            (vec![Healthy], 2, 75, false),
            (vec![Healthy, Healthy, Healthy, Unhealthy], 4, 75, true),
            (vec![Healthy, Healthy, Unhealthy, Unhealthy], 4, 75, false),
            (vec![Unavailable, Unavailable], 2, 100, true),
            (vec![Healthy, Draining, Draining], 1, 100, true),
            (vec![Unhealthy], 1, 1, false),
        ] {
            let states: Vec<TargetState> = statuses.iter().copied().map(state).collect();
            let wanted = WarmUp { healthy_percent: percent, at_most: Duration::ZERO };
            assert_eq!(is_warm(&states, ready, wanted), warm, "{statuses:?} of {ready}, {percent} %");
        }
    }
}
