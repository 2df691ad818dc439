//! What the controller has registered for pods whose agents live and have not recorded them.
//!
//! It is kept in memory only: a live agent's record is that agent's to write. What a restart forgets is found again by
//! audits of exclusive groups, and in shared ones once the agent has recorded it.

use std::collections::BTreeMap;

use lath_kubernetes::{node_targets::RecordState, watch::ObjectName};
use lattice::{Target, TargetGroupArn};

use crate::cluster::{Cluster, Record};

/// Most targets that are remembered. Beyond it the oldest group's are not, which costs a later audit.
const MOST: usize = 20_000;

/// Targets that the controller has registered by itself.
#[derive(Debug, Default)]
pub struct Own(BTreeMap<(TargetGroupArn, Target), Record>);

impl Own {
    /// Remembers a target that was registered for a pod.
    pub fn remember(&mut self, group: &TargetGroupArn, target: Target, pod: &ObjectName, uid: &str) {
        if self.0.len() < MOST {
            let record = Record {
                node: String::new(),
                pod: pod.clone(),
                uid: uid.into(),
                state: RecordState::Registered,
            };
            self.0.insert((group.clone(), target), record);
        }
    }

    /// Forgets targets that were taken out.
    pub fn forget<'a>(&mut self, group: &TargetGroupArn, targets: impl IntoIterator<Item = &'a Target>) {
        for target in targets {
            self.0.remove(&(group.clone(), *target));
        }
    }

    /// Forgets what an agent has recorded by now.
    pub fn hand_over(&mut self, cluster: &Cluster) {
        self.0.retain(|(group, target), _| cluster.recorded(group, *target).is_empty());
    }

    /// What is remembered of a group.
    pub fn of(&self, group: &TargetGroupArn) -> impl Iterator<Item = (Target, &Record)> {
        self.0
            .iter()
            .filter(move |((other, _), _)| other == group)
            .map(|((_, target), record)| (*target, record))
    }
}
