//! Publishes what the pipeline holds and how it fares: journal, record, readiness, status page, the Lease's health, logs.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    super::{
        group::{Group, Hold},
        record,
        status::{GroupStatus, Status, TargetStatus},
    },
    Pipeline,
};

/// How long after its last sign trouble counts as over.
const TROUBLE_LASTS: Duration = Duration::from_secs(60);

impl Pipeline {
    /// Publishes what changed: the record, readiness, the status page, the health that the Lease tells.
    pub(super) fn publish(&mut self) {
        let retry = self.journal.retry_at().is_some_and(|at| at <= Instant::now());
        if retry {
            self.rewrite_journal();
        }
        if !std::mem::take(&mut self.changed) && !retry || !self.observed.is_complete() {
            return;
        }
        let known: usize = self.groups.values().map(|group| group.remembered().count()).sum();
        if self.journal.is_long(known) {
            self.rewrite_journal();
        }
        // Without an epoch it is not known yet which record this would be.
        if self.epoch > 0 {
            let record = record::describe(&self.groups, &self.settings.boot_id, self.epoch);
            self.record.send_if_modified(|current| {
                let modified = current.as_ref() != Some(&record);
                if modified {
                    *current = Some(record);
                }
                modified
            });
            if let Some(taken_over) = self.taken_over.take() {
                // The recorder has ended where it does not wait.
                let _ended = taken_over.send(());
            }
        }
        let status = self.status();
        self.report(&status);
        self.tell_troubles();
        self.links.status.send_if_modified(|current| {
            let modified = *current != status;
            if modified {
                *current = status;
            }
            modified
        });
    }

    pub(super) fn rewrite_journal(&mut self) {
        let targets = self
            .groups
            .iter()
            .flat_map(|(arn, group)| {
                group.remembered().map(|(target, pod, hold)| ((arn.clone(), target), (pod.clone(), hold)))
            })
            .collect();
        self.journal.rewrite(&targets);
    }

    pub(super) fn status(&self) -> Status {
        let groups = self.groups.iter().map(|(arn, group)| GroupStatus {
            arn: arn.to_string(),
            full: group.is_full(),
            troubles: group.troubles().map(|trouble| trouble.message.clone()).collect(),
            targets: group
                .owned()
                .map(|owned| TargetStatus {
                    target: owned.target.to_string(),
                    pod: owned.pod.name.to_string(),
                    state: match (owned.wanted, owned.hold) {
                        (true, Hold::Yes) => "registered",
                        (true, _) => "registering",
                        (false, _) => "deregistering",
                    },
                })
                .collect(),
        });
        let groups = groups.filter(|group| !group.targets.is_empty() || !group.troubles.is_empty());
        Status {
            troubles: self.journal.error().map(Into::into).into_iter().collect(),
            epoch: self.epoch,
            lease_fresh: self.standing.borrow().trusted_until.is_some_and(|until| Instant::now() < until),
            groups: groups.collect(),
        }
    }

    /// Says on `/readyz`, in the metrics and on the Lease how the pipeline fares.
    pub(super) fn report(&self, status: &Status) {
        let readiness = &self.links.readiness;
        match self.journal.error() {
            Some(error) => readiness.degrade("journal", error),
            None => readiness.restore("journal"),
        }
        let troubles: Vec<_> = self.groups.values().flat_map(Group::troubles).collect();
        match troubles.iter().find(|trouble| trouble.needs_operator) {
            Some(trouble) => readiness.degrade("targets", &trouble.message),
            None => readiness.restore("targets"),
        }
        let health = troubles.first().map_or("ok", |trouble| trouble.label);
        self.health.send_if_modified(|current| {
            let modified = current != health;
            if modified {
                *current = health.into();
            }
            modified
        });
        let registered = self.groups.values().map(Group::settled).sum();
        let known: usize = status.groups.iter().map(|group| group.targets.len()).sum();
        let full = self.groups.values().filter(|group| group.is_full()).count();
        self.links.metrics.state(registered, known - registered, full);
    }

    /// Names each kind of trouble in the log once, when it begins, and says when it is over. Trouble that comes and goes
    /// within [`TROUBLE_LASTS`] is one.
    pub(super) fn tell_troubles(&mut self) {
        let now = Instant::now();
        for (arn, group) in &self.groups {
            for trouble in group.troubles() {
                if self.told.insert(trouble.label, now).is_none() {
                    tracing::warn!(group = arn.id(), kind = trouble.label, "{}", trouble.message);
                }
            }
        }
        self.told.retain(|label, seen| {
            let lasts = now - *seen < TROUBLE_LASTS;
            if !lasts {
                tracing::info!(kind = label, "calls to VPC Lattice get on again");
            }
            lasts
        });
    }
}
