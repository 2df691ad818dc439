//! What a route has of a service that it shares with others, so that each is told of its own trouble.

use std::collections::{BTreeMap, BTreeSet};

use lattice::{rule::Match, service::GroupKey};

use super::{Draft, Place, Placed};
use crate::gateway::route::RouteName;

/// What a route has of a service that it shares with others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Share {
    /// Its rules that are in force: their listeners' ports, and their matches.
    pub rules: BTreeSet<(u16, Match)>,
    /// The groups that its rules name.
    pub groups: BTreeSet<GroupKey>,
}

impl Draft {
    /// What each route has of the service.
    pub(super) fn shares(&self) -> BTreeMap<RouteName, Share> {
        let mut shares: BTreeMap<RouteName, Share> = BTreeMap::new();
        for (port, listener) in &self.listeners {
            if let Some(route) = self.passing.get(port) {
                shares.entry(route.clone()).or_default().groups.extend(listener.default.groups().cloned());
            }
            for Placed { route, rule } in listener.rules.values() {
                shares.entry(route.clone()).or_default().groups.extend(rule.action.groups().cloned());
            }
            for Placed { route, rule } in in_force(&listener.rules) {
                shares.entry(route.clone()).or_default().rules.insert((*port, rule.matching.clone()));
            }
        }
        shares
    }
}

/// Rules in order, without those that another with the same match goes before.
pub(super) fn in_force(rules: &BTreeMap<Place, Placed>) -> impl Iterator<Item = &Placed> {
    let mut seen: BTreeSet<&Match> = BTreeSet::new();
    rules.values().filter(move |placed| seen.insert(&placed.rule.matching))
}
