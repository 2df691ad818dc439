//! Takes changes of Kubernetes in, unless they look like a mistake.

use std::{collections::BTreeSet, time::Duration};

use lath_kubernetes::{
    Service,
    watch::{Change, ObjectName},
};
use lattice::TargetGroupArn;
use tokio::time::Instant;

use super::{
    super::{
        group::Hold,
        metrics::Anomaly,
        observed::{Input, Kind},
    },
    Pipeline,
};

/// A relist that would drop more than half of at least this many targets is held until a second list confirms it.
const MANY_TARGETS: usize = 10;

/// How long to wait before the list that confirms.
const CONFIRM_AFTER: Duration = Duration::from_secs(1);

impl Pipeline {
    /// Takes a change in, unless it is a list that looks like a mistake.
    pub(super) fn receive(&mut self, input: Input) {
        let kind = match &input {
            Input::Pods(..) => Kind::Pods,
            Input::Services(_) => Kind::Services,
            Input::Bindings(_) => Kind::Bindings,
        };
        if let Some(begun) = self.confirming.get(&kind) {
            // Changes that follow the list in question mean nothing; the second list holds them.
            if begun.is_some() {
                return;
            }
        }
        if is_snapshot(&input) && self.confirming.remove(&kind).is_none() {
            let (lost, of) = self.lost_by(&input);
            if of >= MANY_TARGETS && lost * 2 > of {
                tracing::warn!(
                    ?kind,
                    lost,
                    of,
                    "a list would drop most of this node's targets; a second one has to confirm it first"
                );
                self.links.metrics.anomaly(Anomaly::HeldRelist);
                self.confirming.insert(kind, Some(Instant::now() + CONFIRM_AFTER));
                return;
            }
        }
        self.hear(&input);
        self.observed.apply(input, &mut self.dirty, &self.links.metrics);
        if self.observed.is_complete() && self.waiting.take().is_some() {
            tracing::info!(
                pods = self.observed.pods.len(),
                services = self.observed.services.len(),
                bindings = self.observed.bindings.len(),
                "Kubernetes has been read"
            );
        }
    }

    /// Notes how old a change of pods may be.
    pub(super) fn hear(&mut self, input: &Input) {
        match input {
            Input::Pods(Change::Applied(_) | Change::Deleted(_), version) => {
                self.news.hear(self.standing.borrow().renewals.not_before(*version));
            }
            // What happened between two lists may have happened at any time.
            Input::Pods(Change::Snapshot { .. } | Change::Gone(_), _) => self.news.hear(None),
            _ => {}
        }
    }

    /// How many targets a list would drop, and of how many.
    pub(super) fn lost_by(&self, input: &Input) -> (usize, usize) {
        let owned = self.groups.iter().flat_map(|(arn, group)| group.owned().map(move |owned| (arn, owned)));
        let owned = owned.filter(|(_, owned)| owned.hold != Hold::Nothing);
        match input {
            Input::Pods(Change::Snapshot { objects, .. }, _) => {
                let uids: BTreeSet<&str> = objects.iter().map(|pod| pod.uid.as_str()).collect();
                let (mut lost, mut of) = (0, 0);
                for (_, owned) in owned {
                    of += 1;
                    lost += usize::from(!uids.contains(&*owned.pod.uid));
                }
                (lost, of)
            }
            Input::Bindings(Change::Snapshot { objects, invalid }) => {
                let arns: BTreeSet<&str> =
                    objects.iter().map(|binding| binding.spec.target_group.arn.as_str()).collect();
                let (mut lost, mut of) = (0, 0);
                for (arn, _) in owned {
                    of += 1;
                    lost += usize::from(invalid.is_empty() && !arns.contains(arn.as_str()));
                }
                (lost, of)
            }
            Input::Services(Change::Snapshot { objects, .. }) => {
                let names: BTreeSet<ObjectName> = objects.iter().map(Service::object_name).collect();
                let kept: BTreeSet<&TargetGroupArn> = self
                    .observed
                    .bindings
                    .values()
                    .filter(|binding| {
                        names.contains(&ObjectName {
                            namespace: binding.namespace.clone(),
                            name: binding.service.clone(),
                        })
                    })
                    .map(|binding| &binding.group)
                    .collect();
                let (mut lost, mut of) = (0, 0);
                for (arn, _) in owned {
                    of += 1;
                    lost += usize::from(!kept.contains(arn));
                }
                // Before the first list of bindings nothing can be told; they will be judged when they come.
                if self.observed.bindings.is_empty() { (0, of) } else { (lost, of) }
            }
            _ => (0, 0),
        }
    }

    /// Begins the second lists that are due.
    pub(super) fn confirm(&mut self) {
        let now = Instant::now();
        for (kind, begin) in &mut self.confirming {
            if begin.is_some_and(|begin| begin <= now) {
                *begin = None;
                self.watches.restart(*kind);
            }
        }
    }
}

fn is_snapshot(input: &Input) -> bool {
    matches!(
        input,
        Input::Pods(Change::Snapshot { .. }, _)
            | Input::Services(Change::Snapshot { .. })
            | Input::Bindings(Change::Snapshot { .. })
    )
}
