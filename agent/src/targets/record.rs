//! The record: writes `NodeTargets` a moment after what it tells has changed.

use std::{collections::BTreeMap, time::Duration};

use kube::{
    Api, Client,
    api::{Patch, PatchParams},
};
use lath_kubernetes::{
    NodeTargets, names,
    node_targets::{GroupRecord, NodeTargetsSpec, RecordState, Summary, TargetRecord, Writer},
};
use lattice::TargetGroupArn;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::group::{Group, Hold};

/// Least time between two writes. A thousand nodes in a rollout then make at most a thousand writes a second.
const PERIOD: Duration = Duration::from_secs(1);

/// How long a change gathers company before it is written.
const GATHER: Duration = Duration::from_millis(50);

/// Longest time for a write whose connection may be dead.
const REQUEST: Duration = Duration::from_secs(10);

/// What the groups hold, as a record.
#[must_use]
pub fn describe(groups: &BTreeMap<TargetGroupArn, Group>, boot_id: &str, epoch: i64) -> NodeTargetsSpec {
    let mut summary = Summary::default();
    let groups: Vec<GroupRecord> = groups
        .iter()
        .map(|(arn, group)| {
            let targets = group
                .owned()
                .map(|owned| {
                    let state = match (owned.wanted, owned.hold) {
                        (true, Hold::Yes) => RecordState::Registered,
                        (true, _) => RecordState::Registering,
                        (false, _) => RecordState::Deregistering,
                    };
                    match state {
                        RecordState::Registered => summary.targets += 1,
                        _ => summary.pending += 1,
                    }
                    TargetRecord {
                        address: owned.target.address.to_string(),
                        port: owned.target.port,
                        pod: owned.pod.name.to_string(),
                        pod_uid: owned.pod.uid.to_string(),
                        state,
                    }
                })
                .collect::<Vec<_>>();
            GroupRecord { arn: arn.to_string(), targets }
        })
        .filter(|group| !group.targets.is_empty())
        .collect();
    summary.groups = u32::try_from(groups.len()).unwrap_or(u32::MAX);
    NodeTargetsSpec { boot_id: boot_id.into(), epoch, writer: Writer::Agent, summary, groups }
}

/// Writes the newest of `records` to the cluster, at most once a second. What can't be written is tried again with the
/// newest record of then.
pub async fn write(
    client: Client,
    node: String,
    mut records: watch::Receiver<Option<NodeTargetsSpec>>,
    shutdown: CancellationToken,
) {
    let api: Api<NodeTargets> = Api::all(client);
    let params = PatchParams::apply(names::AGENT).force();
    let mut written = None;
    let mut failing = false;
    loop {
        tokio::select! {
            changed = records.changed() => if changed.is_err() { return },
            () = shutdown.cancelled() => return,
        }
        tokio::time::sleep(GATHER).await;
        loop {
            let record = records.borrow_and_update().clone();
            let Some(record) = record.filter(|record| written.as_ref() != Some(record)) else {
                break;
            };
            let object = NodeTargets::new(&node, record.clone());
            let patch = Patch::Apply(&object);
            let written_now = match tokio::time::timeout(REQUEST, api.patch(&node, &params, &patch)).await {
                Ok(answer) => answer.map_err(|error| error.to_string()),
                Err(_elapsed) => Err(format!("no answer within {REQUEST:?}")),
            };
            match written_now {
                Ok(_) => {
                    if failing {
                        tracing::info!(node, "NodeTargets is written again");
                    }
                    failing = false;
                    written = Some(record);
                }
                Err(error) => {
                    if !failing {
                        tracing::warn!(node, %error, "writing NodeTargets failed; the node's journal has it all, and it is tried again. Is the API server reachable, and may this service account patch NodeTargets?");
                    }
                    failing = true;
                }
            }
            tokio::select! {
                () = tokio::time::sleep(PERIOD) => {}
                () = shutdown.cancelled() => return,
            }
        }
    }
}
