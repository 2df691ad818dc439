//! Takes in what is wanted: which units there are, and what each has to become.

use std::collections::{BTreeMap, BTreeSet};

use lattice::{
    names,
    service::{Desired, GroupKey},
};
use tokio::time::Instant;

use super::{
    Engine, News,
    groups::GroupUnit,
    services::{Refused, ServiceUnit},
    unit::{Doubt, Name, Place, Tree},
};

impl Engine {
    /// Takes in what is wanted now.
    pub(super) fn want(&mut self) {
        let Some(desired) = self.desired.clone().filter(|_| self.loaded) else { return };
        let now = Instant::now();
        self.absorb(&desired);
        self.want_imports(&desired, now);
        self.want_groups(&desired, now);
        self.want_services(&desired, now);
        self.want_networks(&desired, now);
        self.want_resources(&desired, now);
        self.progress.version = desired.version;
        self.surveyed = false;
    }

    fn want_services(&mut self, desired: &Desired, now: Instant) {
        let mut wanted: BTreeMap<Place, (String, bool)> = BTreeMap::new();
        for owner in desired.held.iter().chain(desired.services.keys()) {
            let held = !desired.services.contains_key(owner);
            wanted.insert(Place::Own(names::owner_tag(owner)), (owner.clone(), held));
        }
        for place in wanted.keys() {
            if !self.services.contains_key(place) {
                self.services.insert(place.clone(), ServiceUnit::new(Tree::Absent));
            }
        }
        let mut touched = Vec::new();
        for (place, it) in &mut self.services {
            let spared = it.tags().is_some_and(|tags| desired.spared.iter().any(|spare| spare.covers(tags)));
            let (owner, held) =
                wanted.remove(place).map_or((None, spared), |(owner, held)| (Some(owner), held));
            let spec = owner.as_ref().and_then(|owner| desired.services.get(owner));
            let changed = if held { false } else { it.unit.want(spec, now) };
            if changed {
                it.refused = Refused::default();
            }
            if changed || it.held != held || it.owner != owner {
                it.held = held;
                it.owner = owner;
                touched.push(Name::Service(place.clone()));
            }
        }
        self.progress
            .services
            .retain(|owner, _| desired.services.contains_key(owner) || desired.held.contains(owner));
        self.news.push(News::All);
        for name in touched {
            self.touch(name);
        }
    }

    fn want_groups(&mut self, desired: &Desired, now: Instant) {
        self.group_tags.retain(|key, _| desired.groups.contains_key(key));
        let mut wanted = BTreeMap::new();
        for (key, spec) in &desired.groups {
            if !self.group_tags.contains_key(key) {
                // Others' groups are theirs to make.
                let Some(tag) = names::tag_of(key) else { continue };
                self.group_tags.insert(key.clone(), tag);
            }
            if let Some(tag) = self.group_tags.get(key) {
                wanted.insert(Place::Own(tag.clone()), (key, spec));
            }
        }
        for place in wanted.keys() {
            if !self.groups.contains_key(place) {
                self.groups.insert(place.clone(), GroupUnit::new(Tree::Absent));
            }
        }
        let held_tags: BTreeSet<String> = desired.held.iter().map(names::owner_tag).collect();
        let mut touched = Vec::new();
        for (place, it) in &mut self.groups {
            let (key, spec) = wanted.get(place).map(|(key, spec)| (*key, *spec)).unzip();
            let held = match key {
                Some(key) => key.owner().is_some_and(|owner| desired.held.contains(owner)),
                // The owner of a group is not told by its key's digest. Where it has no tag, it may be a held one's.
                None if it
                    .tags()
                    .is_some_and(|tags| desired.spared.iter().any(|spare| spare.covers(tags))) =>
                {
                    true
                }
                None if held_tags.is_empty() => false,
                None => it.owner_tag().is_none_or(|owner| held_tags.contains(owner)),
            };
            let changed = it.unit.want(spec, now);
            // Other clusters may name it by now.
            if changed && spec.is_none() && it.is_exported() {
                it.unit.doubt(Doubt::Stale);
            }
            if changed || it.held != held || it.key.as_ref() != key {
                it.held = held;
                it.service = key.and_then(GroupKey::owner).map(|owner| Place::Own(names::owner_tag(owner)));
                it.key = key.cloned();
                touched.push(Name::Group(place.clone()));
            }
        }
        self.progress.groups.retain(|key, _| desired.groups.contains_key(key));
        self.news.push(News::All);
        for name in touched {
            self.touch(name);
        }
    }
}
