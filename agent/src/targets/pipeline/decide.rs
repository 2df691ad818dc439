//! Decides what the groups should hold.

use std::collections::BTreeSet;

use lath_kubernetes::watch::ObjectName;
use lattice::TargetGroupArn;
use tokio::time::Instant;

use super::{super::desired::Members, Pipeline};

impl Pipeline {
    /// Decides anew what the groups should hold, for all bindings that something has happened to.
    pub(super) fn decide(&mut self) {
        if !self.observed.is_complete() {
            return;
        }
        let now = Instant::now();
        let news = std::mem::take(&mut self.news);
        let due: BTreeSet<ObjectName> =
            self.decide_at.iter().filter(|(_, at)| **at <= now).map(|(name, _)| name.clone()).collect();
        if self.dirty.is_empty() && due.is_empty() {
            return;
        }
        // Who leaves because of the time that has passed may have become ready unnoticed, so Kubernetes is asked first.
        let safe_until = if due.is_empty() { news.safe_until(now) } else { now };
        let dirty = std::mem::take(&mut self.dirty);
        let mut groups = BTreeSet::new();
        let mut unknown = BTreeSet::new();
        let gone: Vec<ObjectName> =
            self.members.keys().filter(|name| !self.observed.bindings.contains_key(*name)).cloned().collect();
        for name in gone {
            self.members.remove(&name);
            self.decide_at.remove(&name);
        }
        for (name, binding) in &self.observed.bindings {
            if !dirty.covers(&name.namespace) && !due.contains(name) {
                continue;
            }
            let service = ObjectName { namespace: binding.namespace.clone(), name: binding.service.clone() };
            if self.observed.unread_services.contains(&service) {
                unknown.insert(binding.group.clone());
                continue;
            }
            let held = self.groups.get(&binding.group);
            let again = self.members.entry(name.clone()).or_default().decide(
                binding,
                self.observed.services.get(&service),
                self.observed.pods.values(),
                |uid, target| held.is_some_and(|group| group.holds(uid, target)),
                now,
            );
            match again {
                Some(again) => self.decide_at.insert(name.clone(), again),
                None => self.decide_at.remove(name),
            };
            groups.insert(binding.group.clone());
        }
        // A group that no binding names any more loses what it has, unless it is just that a binding can't be read.
        if self.observed.unreadable.is_empty() {
            let bound: BTreeSet<&TargetGroupArn> =
                self.observed.bindings.values().map(|binding| &binding.group).collect();
            groups.extend(self.groups.keys().filter(|arn| !bound.contains(arn)).cloned());
        }
        for arn in groups.difference(&unknown).cloned() {
            let wanted = self
                .observed
                .bindings
                .iter()
                .filter(|(_, binding)| binding.group == arn)
                .filter_map(|(name, _)| self.members.get(name))
                .flat_map(Members::targets);
            let group = self.groups.entry(arn.clone()).or_default();
            group.want(wanted, now, safe_until);
            if group.regrets()
                && let Some(withdraw) = self.taking_out.get(&arn)
            {
                withdraw.cancel();
            }
            self.touched.insert(arn);
        }
        self.changed = true;
    }
}
