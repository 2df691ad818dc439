//! Tells how far everything is.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use lattice::{Tags, TargetGroupArn, resource::ResourceKind};
use tokio::time::Instant;

use super::{
    Engine, News,
    groups::GroupUnit,
    networks::NetworkUnit,
    progress::LeavingExport,
    resources::ResourceUnit,
    services::ServiceUnit,
    unit::{Kind, Place, Tree},
};

/// How often resources are counted while much is under way.
const COUNT_EVERY: Duration = Duration::from_secs(1);

impl Engine {
    /// Looks which services leave, which groups are named, and whether all that is this cluster's was read.
    fn survey(&mut self) {
        self.surveyed = true;
        let leaves = |it: &ServiceUnit| it.owner.is_none() && !it.unit.tree.is_absent();
        let mut leaving: BTreeMap<String, Tags> = self
            .services
            .iter()
            .filter(|(_, it)| leaves(it))
            .map(|(place, it)| {
                let (Place::Own(name) | Place::Spare(name)) = place;
                (name.clone(), it.tags().cloned().unwrap_or_default())
            })
            .collect();
        let left = self.resources.iter().filter(|(_, it)| it.key.is_none() && !it.unit.tree.is_absent());
        leaving.extend(left.map(|(place, it)| {
            let (Place::Own(name) | Place::Spare(name)) = place;
            (name.clone(), it.tags().cloned().unwrap_or_default())
        }));
        let held: BTreeSet<_> = self
            .resources
            .values()
            .filter(|it| it.held && it.kind == ResourceKind::Directory)
            .filter_map(|it| it.directory().cloned())
            .collect();
        let read = self.loaded
            && self.services.values().all(|it| !matches!(it.unit.tree, Tree::Unread(_)))
            && self.groups.values().all(|it| !matches!(it.unit.tree, Tree::Unread(_)))
            && self.resources.values().all(|it| !matches!(it.unit.tree, Tree::Unread(_)));
        let exports: BTreeMap<TargetGroupArn, LeavingExport> = self
            .groups
            .values()
            .filter(|it| it.unit.wanted.is_none() && it.is_exported())
            .filter_map(|it| Some((it.arn()?.clone(), it.leaving_export()?)))
            .collect();
        let progress = &mut self.progress;
        let used_changed = std::mem::take(&mut self.used_changed) || progress.leaving_exports != exports;
        if progress.read != read
            || progress.leaving != leaving
            || progress.held_directories != held
            || used_changed
        {
            progress.read = read;
            progress.held_directories = held;
            progress.leaving = leaving;
            if used_changed {
                progress.used = self.users.keys().chain(self.lingering.keys()).cloned().collect();
                // Other clusters' rules are not seen from here, but their services are.
                let used = exports.iter().filter(|(_, it)| it.is_used()).map(|(arn, _)| arn.clone());
                progress.used.extend(used);
                progress.leaving_exports = exports;
            }
            self.news.push(News::Survey);
        }
    }

    /// Tells how far everything is, if that has changed.
    pub(super) fn show(&mut self) {
        if !self.surveyed {
            self.survey();
        }
        let loaded = self.loaded && self.known_networks.is_some();
        if loaded != self.progress.loaded {
            self.progress.loaded = loaded;
            self.news.push(News::All);
        }
        if self.news.is_empty() {
            return;
        }
        let (news, is) = (std::mem::take(&mut self.news), &self.progress);
        if news.contains(&News::All) {
            if *self.links.progress.read() != *is {
                self.links.progress.update(|shown| shown.clone_from(is));
            }
            return;
        }
        self.links.progress.update(|shown| {
            for one in news {
                match one {
                    News::Service(owner) => {
                        if let Some(it) = is.services.get(&owner) {
                            shown.services.insert(owner, it.clone());
                        }
                    }
                    News::Group(key) => {
                        if let Some(it) = is.groups.get(&key) {
                            shown.groups.insert(key, it.clone());
                        }
                    }
                    News::Network(name) => {
                        if let Some(it) = is.networks.get(&name) {
                            shown.networks.insert(name, it.clone());
                        }
                    }
                    News::Resource(key) => {
                        if let Some(it) = is.resources.get(&key) {
                            shown.resources.insert(key, it.clone());
                        }
                    }
                    News::Survey => {
                        shown.read = is.read;
                        shown.held_directories.clone_from(&is.held_directories);
                        shown.leaving.clone_from(&is.leaving);
                        shown.used.clone_from(&is.used);
                        shown.leaving_exports.clone_from(&is.leaving_exports);
                    }
                    News::All => {}
                }
            }
        });
    }

    /// Counts what there is, for metrics.
    pub(super) fn count(&mut self) {
        let now = Instant::now();
        // While much is under way, once a second is enough.
        let busy = !self.tasks.is_empty() || !self.queue.is_empty();
        if busy && self.counted.is_some_and(|counted| now - counted < COUNT_EVERY) {
            return;
        }
        self.counted = Some(now);
        let metrics = &self.links.metrics;
        let service = |it: &&ServiceUnit| it.unit.wanted.is_some();
        let group = |it: &&GroupUnit| it.unit.wanted.is_some();
        let network = |it: &&NetworkUnit| it.unit.wanted.is_some() && !it.leftover;
        metrics.show(
            Kind::Service,
            self.services.values().filter(service).count(),
            self.services.values().filter(service).filter(|it| it.unit.done && it.refused.is_empty()).count(),
            self.services.values().map(|it| it.unit.lanes.in_backoff(now)).sum(),
        );
        metrics.show(
            Kind::Group,
            self.groups.values().filter(group).count(),
            self.groups.values().filter(group).filter(|it| it.unit.done).count(),
            self.groups.values().map(|it| it.unit.lanes.in_backoff(now)).sum(),
        );
        metrics.show(
            Kind::Network,
            self.networks.values().filter(network).count(),
            self.networks.values().filter(network).filter(|it| it.unit.done).count(),
            self.networks.values().map(|it| it.unit.lanes.in_backoff(now)).sum(),
        );
        let resource = |it: &&ResourceUnit| it.unit.wanted.is_some();
        metrics.show(
            Kind::Resource,
            self.resources.values().filter(resource).count(),
            self.resources.values().filter(resource).filter(|it| it.unit.done).count(),
            self.resources.values().map(|it| it.unit.lanes.in_backoff(now)).sum(),
        );
        self.count_quotas();
    }
}
