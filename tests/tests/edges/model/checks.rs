//! What has to be true: at every call, and once all is quiet.

use std::{collections::BTreeSet, fmt::Write as _, time::Duration};

use k8s_openapi::api::core::v1 as core;
use lattice_sim::LogEntry;
use tokio::time::{Instant, sleep};

use super::{super::objects::set_ready, AGREES_WITHIN, CLEARED_FOR, Model, NEWS};

impl Model {
    /// Checks all calls since the last check, under what has been true since then.
    pub(super) fn check(&mut self) {
        let entries = self.setting.cloud.log(self.seen);
        for entry in entries {
            self.seen = entry.n;
            if !matches!(entry.operation.as_str(), "RegisterTargets" | "DeregisterTargets") {
                continue;
            }
            let (group, targets) = targets(&entry);
            let mut line = format!("  {} {group} {:?}", entry.operation, entry.status);
            for target in &targets {
                write!(line, " {target}").unwrap();
            }
            let at =
                Instant::now() - Duration::from_secs_f64((self.setting.cloud.time() - entry.time).max(0.0));
            self.tell_of(at, &line);
            if entry.operation == "DeregisterTargets" {
                for target in targets {
                    self.check_removal(&group, &target, at);
                }
            }
        }
    }

    /// Fails if a target that was taken out is one of a pod that takes requests.
    pub(super) fn check_removal(&self, group: &str, target: &str, now: Instant) {
        let by_readiness = group == self.admin.id() || group == self.admin.as_str();
        for (name, pod) in &self.pods {
            let is_it = target.rsplit_once(':').is_some_and(|(address, _)| address == pod.address);
            let was_unready = pod.may_be_out_until.is_some_and(|until| now < until);
            let unnoticed = now - pod.made <= CLEARED_FOR;
            let fair = pod.ends.is_some() || !pod.ready || unnoticed || by_readiness && was_unready;
            assert!(!is_it || fair, "{target} was taken out of {group}, and it is {name}: {pod:?}");
        }
    }

    /// What both groups should hold.
    pub(super) fn expected(&self) -> BTreeSet<String> {
        let of = |port: u16| self.pods.values().map(move |pod| format!("{}:{port}", pod.address));
        of(8080).chain(of(9090)).collect()
    }

    pub(super) fn held(&self) -> BTreeSet<String> {
        self.setting.held(&self.web).into_iter().chain(self.setting.held(&self.admin)).collect()
    }

    /// Lets everything be well, and requires that everything agrees in time, stays so, and that nothing is called then.
    pub(super) async fn quiet(&mut self) {
        self.pass(Duration::from_secs(30)).await;
        self.setting.faults(vec![]);
        self.setting.cloud.change_settings([("api.rate", "unlimited")]).unwrap();
        assert!(self.setting.grant(&self.web, true).await);
        match self.controller.access() {
            Some(access) => {
                access.heal();
                access.delay_watches(Duration::ZERO);
            }
            None => self.controller.start().await,
        }
        for node in 0..self.nodes.len() {
            self.bring_back(node).await;
            self.heal(node);
        }
        let leaving: Vec<String> =
            self.pods.iter().filter(|(_, pod)| pod.ends.is_some()).map(|(name, _)| name.clone()).collect();
        for name in leaving {
            self.end(&name);
        }
        let names: Vec<String> = self.pods.keys().cloned().collect();
        for name in names {
            self.setting.edit_pod(&name, |pod: &mut core::Pod| set_ready(pod, true));
            if let Some(pod) = self.pods.get_mut(&name) {
                pod.ready = true;
                pod.may_be_out_until = Some(Instant::now() + NEWS);
            }
        }
        self.tell("all is quiet");
        let quiet = Instant::now();
        while self.held() != self.expected() && quiet.elapsed() < AGREES_WITHIN {
            self.pass(Duration::from_secs(1)).await;
        }
        self.agree("soon");
        // Whatever Lattice drops when it has drained is put in again.
        self.pass(Duration::from_mins(20)).await;
        self.agree("later");
        self.setting.new_calls();
        sleep(Duration::from_hours(1)).await;
        self.agree("in the end");
        let mut calls = self.setting.new_calls();
        calls.retain(|operation, _| ["RegisterTargets", "DeregisterTargets"].contains(&operation.as_str()));
        assert!(calls.is_empty(), "at rest something is changed: {calls:?}");
    }

    pub(super) fn agree(&self, when: &str) {
        let (held, expected) = (self.held(), self.expected());
        let lost: Vec<_> = expected.difference(&held).collect();
        let stale: Vec<_> = held.difference(&expected).collect();
        assert!(lost.is_empty() && stale.is_empty(), "{when}: lost {lost:?}, stale {stale:?}");
    }
}

/// The group and the targets, as `address:port`, of a call.
fn targets(entry: &LogEntry) -> (String, Vec<String>) {
    let group = entry.request["targetGroupIdentifier"].as_str().unwrap_or_default();
    let targets = entry.request["targets"].as_array().into_iter().flatten();
    let targets =
        targets.map(|target| format!("{}:{}", target["id"].as_str().unwrap_or_default(), target["port"]));
    (group.rsplit('/').next().unwrap_or_default().to_owned(), targets.collect())
}
