//! Starts calls, and takes in how they ended.

use lath_kubernetes::watch::ObjectName;
use lattice::{Target, TargetGroupArn, TargetState};
use lattice_client::{Error, Outcome};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    super::{
        group::{Group, Hold, Notice, Step, Terms},
        lookup::{self, Question},
        metrics::{Anomaly, Direction},
    },
    Pipeline,
};

/// A call that ended.
pub(super) enum Ended {
    Registered(TargetGroupArn, Vec<Target>, Result<Outcome, Error>),
    Deregistered(TargetGroupArn, Vec<Target>, Result<Outcome, Error>),
    Verified(TargetGroupArn, Vec<Target>, Result<Vec<TargetState>, Error>),
    LookedUp(TargetGroupArn, Vec<Target>, Vec<Option<bool>>, Instant),
}

impl Pipeline {
    /// Starts the calls that are due.
    pub(super) fn start_calls(&mut self) {
        let now = Instant::now();
        let due = self.wake_at.iter().filter(|(_, at)| **at <= now).map(|(arn, _)| arn.clone());
        self.touched.extend(due);
        if !self.observed.is_complete() {
            return;
        }
        let terms = Terms {
            gather: self.settings.gather,
            may_deregister: self.standing.borrow().trusted_until.is_some_and(|until| now < until),
        };
        for arn in std::mem::take(&mut self.touched) {
            let Some(group) = self.groups.get_mut(&arn) else {
                continue;
            };
            let (steps, wake) = group.next(&terms, now);
            match wake {
                Some(wake) => self.wake_at.insert(arn.clone(), wake),
                None => self.wake_at.remove(&arn),
            };
            if group.is_empty() {
                self.groups.remove(&arn);
                self.changed = true;
            }
            for step in steps {
                self.start(&arn, step, now);
            }
        }
    }

    pub(super) fn start(&mut self, arn: &TargetGroupArn, step: Step, now: Instant) {
        if !self.groups.contains_key(arn) {
            return;
        }
        let (client, group_arn) = (self.links.lattice.clone(), arn.clone());
        match step {
            Step::Register(targets) => {
                self.note_calls(arn, &targets, Direction::Register, now);
                self.calls.spawn(async move {
                    let result = client.register(&group_arn, &targets).await;
                    Ended::Registered(group_arn, targets, result)
                });
            }
            Step::Deregister(targets, send_by) => {
                self.note_calls(arn, &targets, Direction::Deregister, now);
                // Nor later than the Lease allows.
                let trusted_until = self.standing.borrow().trusted_until;
                let send_by = trusted_until.map_or(send_by, |until| until.min(send_by));
                let withdrawn = CancellationToken::new();
                self.taking_out.insert(arn.clone(), withdrawn.clone());
                self.calls.spawn(async move {
                    let withdrawn = withdrawn.cancelled();
                    let result = client.deregister(&group_arn, &targets, send_by, withdrawn).await;
                    Ended::Deregistered(group_arn, targets, result)
                });
            }
            Step::Verify(targets) => {
                self.calls.spawn(async move {
                    let result =
                        client.states_of(&group_arn, &targets, lattice_client::Urgency::Verify).await;
                    Ended::Verified(group_arn, targets, result)
                });
            }
            Step::Lookup(targets) => {
                let claims: Vec<_> = self
                    .observed
                    .bindings
                    .values()
                    .filter(|binding| binding.group == *arn && !binding.leaving)
                    .filter_map(|binding| {
                        let service = ObjectName {
                            namespace: binding.namespace.clone(),
                            name: binding.service.clone(),
                        };
                        Some((binding.clone(), self.observed.services.get(&service)?.clone()))
                    })
                    .collect();
                let questions = targets
                    .iter()
                    .map(|target| Question { group: arn.clone(), target: *target, claims: claims.clone() })
                    .collect();
                let (kubernetes, node) = (self.links.kubernetes.clone(), self.settings.node.clone());
                self.calls.spawn(async move {
                    let answers = lookup::ask(&kubernetes, &node, questions).await;
                    Ended::LookedUp(group_arn, targets, answers, now)
                });
            }
        }
    }

    /// Writes down and counts a call that is about to be made.
    pub(super) fn note_calls(
        &mut self,
        arn: &TargetGroupArn,
        targets: &[Target],
        direction: Direction,
        now: Instant,
    ) {
        let Some(group) = self.groups.get(arn) else { return };
        let pods = targets.iter().filter_map(|target| Some((*target, group.pod(target)?)));
        self.journal.calling(arn, pods);
        for target in targets {
            self.links.metrics.sent(direction, group.waited(target, now));
            if direction == Direction::Register && group.hold(target) == Hold::Maybe {
                self.links.metrics.anomaly(Anomaly::Repeated);
            }
        }
        self.changed = true;
    }

    /// Takes in a call that ended.
    pub(super) fn take_in(&mut self, ended: Result<Ended, tokio::task::JoinError>) {
        let now = Instant::now();
        let ended = match ended {
            Ok(ended) => ended,
            Err(error) => {
                tracing::error!(%error, "a call ended in a way that calls never should");
                return;
            }
        };
        let (arn, targets, notices) = match ended {
            Ended::Registered(arn, targets, result) => {
                log("RegisterTargets", &arn, &targets, &result);
                let notices = self.group(&arn).registered(&targets, &result, now);
                (arn, targets, notices)
            }
            Ended::Deregistered(arn, targets, result) => {
                log("DeregisterTargets", &arn, &targets, &result);
                self.taking_out.remove(&arn);
                self.group(&arn).deregistered(&targets, &result, now);
                (arn, targets, Vec::new())
            }
            Ended::Verified(arn, targets, result) => {
                log("ListTargets", &arn, &targets, &result);
                let notices = self.group(&arn).verified(&targets, &result, now);
                (arn, targets, notices)
            }
            Ended::LookedUp(arn, targets, answers, since) => {
                let notices = self.group(&arn).looked_up(&targets, &answers, since, now);
                (arn, targets, notices)
            }
        };
        if let Some(group) = self.groups.get(&arn) {
            self.journal.holds(&arn, targets.iter().map(|target| (*target, group.to_remember(target))));
        }
        for notice in notices {
            self.tell(&arn, notice);
        }
        self.touched.insert(arn);
        self.changed = true;
    }

    pub(super) fn group(&mut self, arn: &TargetGroupArn) -> &mut Group {
        self.groups.entry(arn.clone()).or_default()
    }

    pub(super) fn tell(&self, arn: &TargetGroupArn, notice: Notice) {
        let metrics = &self.links.metrics;
        match notice {
            Notice::Refused { pod, target, why } => {
                metrics.anomaly(Anomaly::Refused);
                tracing::warn!(group = arn.id(), pod = %pod.name, %target, why, "VPC Lattice refused a target");
                let note = format!("VPC Lattice refused {target} as a target of {arn}, trying again: {why}");
                self.events.warn(&pod, "TargetRefused", note);
            }
            Notice::Full { pod } => {
                metrics.anomaly(Anomaly::Full);
                tracing::warn!(group = arn.id(), pod = %pod.name, "the target group is full");
                let note = format!(
                    "{arn} takes no more targets; ask AWS to raise the quota \"Targets per target group\", or use more groups"
                );
                self.events.warn(&pod, "TargetGroupFull", note);
            }
            Notice::Released { target } => {
                metrics.anomaly(Anomaly::Released);
                tracing::info!(group = arn.id(), %target, "left in the group, another pod of it has the address by now");
            }
            Notice::Vanished { pod, target } => {
                metrics.anomaly(Anomaly::Vanished);
                tracing::warn!(group = arn.id(), pod = %pod.name, %target, "a registered target is not there, registering it again");
            }
        }
    }
}

fn log<T>(call: &'static str, arn: &TargetGroupArn, targets: &[Target], result: &Result<T, Error>) {
    match result {
        Ok(_) => tracing::debug!(call, group = arn.id(), targets = targets.len(), "served"),
        // Each kind of trouble is named once, by `tell_troubles`; how often it happens is for the metrics to tell.
        Err(error) => tracing::debug!(call, group = arn.id(), error = error.chain(), "failed"),
    }
}
