//! Lets deleted bindings go once nothing of theirs is left in the group.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use kube::{
    Api,
    api::{Patch, PatchParams},
    runtime::events::EventType,
};
use lath_kubernetes::{TargetGroupBinding, names, watch::ObjectName};
use lattice::{Target, TargetGroupArn};
use serde_json::json;
use tokio::time::Instant;

use super::{
    Settings,
    calls::Calls,
    metrics::{Metrics, Why},
    nodes::{self, Kube},
    teardown::{self, Case, Deletions, Step},
};
use crate::{answer, cluster::Cluster, events::Events, groups::Groups, shared::Shared};

/// How often deletions are looked at while there are any.
const TICK: Duration = Duration::from_millis(500);

/// How long a binding is left alone after taking out its targets failed.
const RETRY: Duration = Duration::from_secs(5);

/// Lets deleted bindings go.
#[derive(Debug)]
pub struct Undertaker {
    /// What is known of the cluster.
    pub cluster: Arc<Shared<Cluster>>,
    /// What is known of groups.
    pub groups: Arc<Shared<Groups>>,
    /// Changes Lattice.
    pub calls: Calls,
    /// Changes bindings.
    pub kube: Kube,
    /// Tells what is left behind.
    pub events: Events,
    /// How repairs are made.
    pub settings: Settings,
    /// What it does.
    pub metrics: Metrics,
}

/// What to do about one binding.
struct Duty {
    name: ObjectName,
    binding: Arc<TargetGroupBinding>,
    group: Option<TargetGroupArn>,
    step: Step,
}

impl Undertaker {
    /// Lets bindings go, for ever.
    pub async fn run(self) {
        let mut changes = self.cluster.subscribe();
        let mut deletions = Deletions::default();
        let mut retry = std::collections::BTreeMap::new();
        loop {
            changes.borrow_and_update();
            let now = Instant::now();
            retry.retain(|_, at| *at > now);
            let duties = self.duties(&mut deletions, now);
            self.metrics.tearing_down(duties.len());
            let any = !duties.is_empty();
            for duty in duties {
                if retry.contains_key(&duty.name) {
                    continue;
                }
                if !self.perform(&duty, &mut deletions).await {
                    retry.insert(duty.name, Instant::now() + RETRY);
                }
            }
            if any {
                tokio::time::sleep(TICK).await;
            } else if changes.changed().await.is_err() {
                return;
            }
        }
    }

    fn duties(&self, deletions: &mut Deletions, now: Instant) -> Vec<Duty> {
        let cluster = self.cluster.read();
        if !cluster.complete() {
            return Vec::new();
        }
        let groups = self.groups.read();
        let mut duties = Vec::new();
        if cluster.leaving().next().is_none() {
            deletions.keep(&BTreeSet::new());
            return duties;
        }
        let roll = nodes::roll(&cluster, &self.settings, now);
        for (name, entry) in cluster.leaving() {
            let meta = &entry.binding.metadata;
            if !meta.finalizers.iter().flatten().any(|finalizer| finalizer == names::FINALIZER) {
                continue;
            }
            let (since, taken) = deletions.of(name, meta.uid.as_ref(), now);
            let step = entry.group.as_ref().map_or(Step::Finish, |group| {
                let case = Case {
                    binding: &entry.binding,
                    group,
                    group_missing: groups.missing(group),
                    taken: &taken,
                    since,
                    patience: self.settings.patience,
                };
                teardown::step(&cluster, &roll, case, now)
            });
            duties.push(Duty {
                name: name.clone(),
                binding: entry.binding.clone(),
                group: entry.group.clone(),
                step,
            });
        }
        let present: BTreeSet<ObjectName> = duties.iter().map(|duty| duty.name.clone()).collect();
        deletions.keep(&present);
        duties
    }

    /// Whether it could be done.
    async fn perform(&self, duty: &Duty, deletions: &mut Deletions) -> bool {
        match (&duty.step, &duty.group) {
            (Step::Wait, _) => true,
            (Step::TakeOut(targets), Some(group)) => {
                let wanted: Vec<Target> = targets.iter().copied().collect();
                // That the binding is being deleted is all the proof there is to it, and it does not age.
                let done = self.calls.deregister(group, &wanted, Why::BindingDeleted, Instant::now()).await;
                let complete = done.len() == wanted.len();
                deletions.took(&duty.name, done);
                complete
            }
            (Step::GiveUp(left), _) => {
                let note = format!(
                    "{} targets could not be taken out of the target group and stay registered: deregister them by \
                     hand, and see the controller's log for the reason",
                    left.len()
                );
                self.metrics.left_behind();
                self.events
                    .tell(&*duty.binding, EventType::Warning, "Delete", "TargetsLeftBehind", &note)
                    .await;
                self.finish(duty).await
            }
            (Step::Finish | Step::TakeOut(_), _) => self.finish(duty).await,
        }
    }

    async fn finish(&self, duty: &Duty) -> bool {
        let meta = &duty.binding.metadata;
        let finalizers: Vec<&String> =
            meta.finalizers.iter().flatten().filter(|finalizer| *finalizer != names::FINALIZER).collect();
        // The version makes sure that no finalizer of somebody else is lost.
        let patch = json!({ "metadata": {
            "uid": meta.uid,
            "resourceVersion": meta.resource_version,
            "finalizers": finalizers,
        }});
        let api: Api<TargetGroupBinding> = Api::namespaced(self.kube.0.clone(), &duty.name.namespace);
        let params = PatchParams { field_manager: Some(names::CONTROLLER.into()), ..PatchParams::default() };
        match api.patch(&duty.name.name, &params, &Patch::Merge(patch)).await {
            Ok(_) => {
                tracing::info!(binding = %duty.name, "the binding is gone, and so are its targets");
                true
            }
            // The watch brings what is true now.
            Err(error) if answer::came_too_late(&error) => true,
            Err(error) => {
                tracing::warn!(binding = %duty.name, %error, "removing the finalizer failed and is tried again");
                false
            }
        }
    }
}

#[cfg(test)]
mod tests;
