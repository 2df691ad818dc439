//! What is known of target groups: what they are, their tags, and their targets' states.
//!
//! [`read`] keeps facts fresh: at once where something new is asked, with backoff where something is wrong, every few
//! minutes where all is well. The audit adds counts.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use lath_kubernetes::binding::TargetCounts;
use lattice::{TargetGroup, TargetGroupArn, TargetState, TargetStatus};
use lattice_client::Error;
use tokio::time::Instant;

pub mod read;

/// The first wait before what failed is read again. Short, since a group is often made a moment after its binding.
const FIRST_RETRY: Duration = Duration::from_secs(1);

/// The longest wait before what failed is read again.
const LONGEST_RETRY: Duration = Duration::from_secs(60);

/// The longest wait while a group is being made, which takes seconds.
const LONGEST_PROVISIONING: Duration = Duration::from_secs(5);

/// A group as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// What it is.
    pub group: TargetGroup,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// Why a group can't be read, by what there is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// The role may not.
    Denied,
    /// There are no valid credentials.
    Credentials,
    /// VPC Lattice throttles, fails or is out of reach.
    Unavailable,
}

/// How the last reading of a group ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// It was read.
    Known,
    /// There is no such group, or it is another account's.
    Missing {
        /// AWS's words.
        message: String,
    },
    /// It could not be read. What was known before stays.
    Failed {
        /// Why.
        obstacle: Obstacle,
        /// AWS's words and what to do.
        message: String,
    },
}

impl Finding {
    /// What an error of a reading means.
    #[must_use]
    pub fn of(error: &Error) -> Self {
        let obstacle = match error {
            Error::Missing { message, .. } => {
                return Self::Missing { message: message.clone() };
            }
            Error::Denied { .. } => Obstacle::Denied,
            Error::Credentials { .. } => Obstacle::Credentials,
            _ => Obstacle::Unavailable,
        };
        Self::Failed { obstacle, message: error.chain() }
    }
}

/// What is known of one group.
#[derive(Debug, Clone)]
pub struct View {
    /// The last facts; `None` until it has been read once, and after it was found missing.
    pub facts: Option<Facts>,
    /// How the last reading ended; `None` until there was one.
    pub finding: Option<Finding>,
    /// Its targets by state, at the last audit.
    pub counts: Option<TargetCounts>,
    /// When its targets were last listed.
    pub audited: Option<Instant>,
    /// Grows with each change that matters to bindings.
    pub touched: u64,
    due: Instant,
    failures: u32,
    doubted: bool,
}

impl View {
    /// Whether somebody waits for what the next reading brings: bindings of a group that is not known yet, is being made, or
    /// is not as it has to be. Of others it is only made sure that they are as they were.
    fn is_awaited(&self) -> bool {
        self.doubted || self.facts.as_ref().is_none_or(|facts| !facts.group.active)
    }
}

/// All groups that bindings name.
#[derive(Debug)]
pub struct Groups {
    revision: u64,
    views: BTreeMap<TargetGroupArn, View>,
    /// What whoever makes groups has told of them, and when: as many as it has made.
    told: BTreeMap<TargetGroupArn, (Facts, Instant)>,
    refresh: Duration,
}

impl Groups {
    /// Groups whose facts are read again after `refresh`.
    #[must_use]
    pub fn new(refresh: Duration) -> Self {
        Self { revision: 0, views: BTreeMap::new(), told: BTreeMap::new(), refresh }
    }

    /// Grows with each change that matters to bindings.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// What is known of a group.
    #[must_use]
    pub fn view(&self, group: &TargetGroupArn) -> Option<&View> {
        self.views.get(group)
    }

    /// The facts of a group that has been read.
    #[must_use]
    pub fn facts(&self, group: &TargetGroupArn) -> Option<&Facts> {
        self.views.get(group)?.facts.as_ref()
    }

    /// Whether the group is known not to be there.
    #[must_use]
    pub fn missing(&self, group: &TargetGroupArn) -> bool {
        matches!(self.views.get(group).and_then(|view| view.finding.as_ref()), Some(Finding::Missing { .. }))
    }

    /// All groups.
    pub fn iter(&self) -> impl Iterator<Item = (&TargetGroupArn, &View)> {
        self.views.iter()
    }

    /// Keeps the groups that are wanted: new ones are due at once, others are forgotten.
    pub fn want(&mut self, wanted: &BTreeSet<TargetGroupArn>, now: Instant) {
        self.views.retain(|group, _| wanted.contains(group));
        for group in wanted {
            if self.views.contains_key(group) {
                continue;
            }
            let mut view = View {
                facts: None,
                finding: None,
                counts: None,
                audited: None,
                touched: 0,
                due: now,
                failures: 0,
                doubted: false,
            };
            if let Some((facts, at)) = self.told.get(group) {
                self.revision += 1;
                view.facts = Some(facts.clone());
                view.finding = Some(Finding::Known);
                view.touched = self.revision;
                view.due = now.max(*at + self.refresh);
            }
            self.views.insert(group.clone(), view);
        }
    }

    /// Takes in what whoever makes a group knows of it, so that it need not be read before it is due again, also if a
    /// binding names it only later. Ends with [`Self::forget`].
    pub fn tell(&mut self, group: &TargetGroupArn, facts: Facts, now: Instant) {
        if let Some(view) = self.views.get_mut(group) {
            if view.facts.as_ref() != Some(&facts) || view.finding != Some(Finding::Known) {
                self.revision += 1;
                view.touched = self.revision;
            }
            view.facts = Some(facts.clone());
            view.finding = Some(Finding::Known);
            view.failures = 0;
            // One that refuses a binding is mended by hand, which only reading shows.
            if !view.doubted {
                view.due = now + self.refresh;
            }
        }
        self.told.insert(group.clone(), (facts, now));
    }

    /// A group that was told of is gone, or is nobody's who tells.
    pub fn forget(&mut self, group: &TargetGroupArn) {
        if self.told.remove(group).is_some()
            && let Some(view) = self.views.get_mut(group)
        {
            view.due = Instant::now().min(view.due);
        }
    }

    /// Makes a group due at once unless all is well with it: something that is bound to it has changed, so perhaps the
    /// group has as well.
    pub fn hasten(&mut self, group: &TargetGroupArn, now: Instant) {
        if let Some(view) = self.views.get_mut(group)
            && (view.failures > 0 || view.facts.as_ref().is_some_and(|facts| !facts.group.active))
        {
            view.due = view.due.min(now);
        }
    }

    /// Tells whether a binding is refused for what the group is or for its tags. Such a group is read again soon,
    /// since it is mended by hand and somebody waits.
    pub fn doubt(&mut self, group: &TargetGroupArn, doubted: bool, now: Instant) {
        if let Some(view) = self.views.get_mut(group)
            && view.doubted != doubted
        {
            view.doubted = doubted;
            if doubted {
                view.due = view.due.min(now + FIRST_RETRY);
            }
        }
    }

    /// Whether [`Self::doubt`] would change anything.
    #[must_use]
    pub fn doubted(&self, group: &TargetGroupArn) -> bool {
        self.views.get(group).is_some_and(|view| view.doubted)
    }

    /// The groups that are due, of those that somebody waits for or of the others.
    #[must_use]
    pub fn due(&self, awaited: bool, now: Instant) -> Vec<TargetGroupArn> {
        let due = self.views.iter().filter(|(_, view)| view.is_awaited() == awaited && view.due <= now);
        due.map(|(group, _)| group.clone()).collect()
    }

    /// When the next group is due, of those that somebody waits for or of the others.
    #[must_use]
    pub fn next_due(&self, awaited: bool) -> Option<Instant> {
        self.views.values().filter(|view| view.is_awaited() == awaited).map(|view| view.due).min()
    }

    /// Takes in what a reading brought. `spread` is from 0 to 1 and keeps groups that were read together from being
    /// read together for ever.
    pub fn settle(
        &mut self,
        group: &TargetGroupArn,
        read: Result<Facts, Finding>,
        now: Instant,
        spread: f64,
    ) {
        let Some(view) = self.views.get_mut(group) else {
            return;
        };
        let (facts, finding) = match read {
            Ok(facts) => (Some(facts), Finding::Known),
            Err(missing @ Finding::Missing { .. }) => (None, missing),
            Err(failed) => (view.facts.clone(), failed),
        };
        let provisioning = facts.as_ref().is_some_and(|facts| !facts.group.active);
        let wait = if finding == Finding::Known && !provisioning && !view.doubted {
            view.failures = 0;
            self.refresh.mul_f64(0.9 + 0.2 * spread)
        } else {
            let longest = if provisioning { LONGEST_PROVISIONING } else { LONGEST_RETRY };
            let wait = FIRST_RETRY.saturating_mul(1 << view.failures.min(6)).min(longest);
            view.failures = view.failures.saturating_add(1);
            wait.min(self.refresh).mul_f64(0.75 + 0.25 * spread)
        };
        view.due = now + wait;
        if view.facts != facts || view.finding.as_ref() != Some(&finding) {
            self.revision += 1;
            view.touched = self.revision;
        }
        view.facts = facts;
        view.finding = Some(finding);
    }

    /// Takes in a full listing of a group's targets.
    pub fn audited(&mut self, group: &TargetGroupArn, states: &[TargetState], now: Instant) {
        if let Some(view) = self.views.get_mut(group) {
            let counts = count(states);
            view.audited = Some(now);
            if view.counts != Some(counts) {
                view.counts = Some(counts);
                self.revision += 1;
                view.touched = self.revision;
            }
        }
    }
}

/// Targets by state.
#[must_use]
pub fn count(states: &[TargetState]) -> TargetCounts {
    let of = |status| {
        let matching = states.iter().filter(|state| state.status == status).count();
        u32::try_from(matching).unwrap_or(u32::MAX)
    };
    let draining = of(TargetStatus::Draining);
    TargetCounts {
        total: u32::try_from(states.len()).unwrap_or(u32::MAX).saturating_sub(draining),
        healthy: of(TargetStatus::Healthy),
        initial: of(TargetStatus::Initial),
        unhealthy: of(TargetStatus::Unhealthy),
        unavailable: of(TargetStatus::Unavailable),
        unused: of(TargetStatus::Unused),
        draining,
    }
}

#[cfg(test)]
mod tests;
