//! The record: `NodeTargets`, read at the start, and written a moment after what it tells has changed.

use std::{collections::BTreeMap, time::Duration};

use kube::{Api, Client, api::PostParams};
use lath_kubernetes::{
    NodeTargets, names,
    node_targets::{GroupRecord, NodeTargetsSpec, RecordState, Summary, TargetRecord, Writer},
};
use lattice::{Target, TargetGroupArn};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::{
    desired::PodRef,
    group::{Group, Hold},
};

/// Least time between two writes. A thousand nodes in a rollout then make at most a thousand writes a second.
const PERIOD: Duration = Duration::from_secs(1);

/// How long a change gathers company before it is written.
const GATHER: Duration = Duration::from_millis(50);

/// Longest time for a request whose connection may be dead.
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

/// The targets of a record, with their pods. What can't be read is left out.
pub fn targets(record: NodeTargetsSpec) -> impl Iterator<Item = (TargetGroupArn, Target, PodRef)> {
    let groups = record.groups.into_iter().filter_map(|group| Some((group.arn.parse().ok()?, group.targets)));
    groups.flat_map(|(arn, targets): (TargetGroupArn, Vec<TargetRecord>)| {
        targets.into_iter().filter_map(move |record| {
            let target = Target { address: record.address.parse().ok()?, port: record.port };
            Some((arn.clone(), target, PodRef { uid: record.pod_uid.into(), name: record.pod.into() }))
        })
    })
}

/// What the controller has written in this agent's stead, as it has to be taken over before it is overwritten.
#[derive(Debug)]
pub struct StandIn {
    /// What it has registered or taken out, and may be about to.
    pub record: NodeTargetsSpec,
    /// To be told when a record has been published that covers it.
    pub taken_over: oneshot::Sender<()>,
}

/// Reads and writes this node's record.
pub struct Recorder {
    api: Api<NodeTargets>,
    node: String,
    /// The record as it was when it was last read or written. Somebody else's change since then is a conflict.
    current: Option<NodeTargets>,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").field("node", &self.node).finish_non_exhaustive()
    }
}

impl Recorder {
    /// Of this node.
    #[must_use]
    pub fn new(client: Client, node: String) -> Self {
        Self { api: Api::all(client), node, current: None }
    }

    /// What the cluster has on record. Tried until the API server answers, since without it there are no pods to
    /// register either.
    pub async fn read(&mut self) -> NodeTargetsSpec {
        let mut wait = Duration::from_millis(100);
        let mut failing = false;
        loop {
            match answer(self.load()).await {
                Ok(()) => return self.current.as_ref().map(|record| record.spec.clone()).unwrap_or_default(),
                Err(error) => {
                    if !failing {
                        tracing::warn!(
                            node = self.node,
                            error,
                            "reading NodeTargets failed, trying again. Is the API server reachable, and are Lath's custom resource definitions installed?"
                        );
                    }
                    failing = true;
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(Duration::from_secs(5));
                }
            }
        }
    }

    async fn load(&mut self) -> kube::Result<()> {
        self.current = match self.api.get_opt(&self.node).await {
            Ok(found) => found,
            // Something that this version can't read: nothing to go by, but for what is needed to replace it.
            Err(kube::Error::SerdeError(error)) => {
                tracing::warn!(node = self.node, %error, "NodeTargets can't be read and will be written anew");
                let metadata = self.api.get_metadata_opt(&self.node).await?.map(|found| found.metadata);
                metadata.map(|metadata| NodeTargets { metadata, spec: NodeTargetsSpec::default() })
            }
            Err(error) => return Err(error),
        };
        Ok(())
    }

    async fn store(&mut self, spec: NodeTargetsSpec) -> kube::Result<()> {
        let params = PostParams { field_manager: Some(names::AGENT.into()), ..PostParams::default() };
        self.current = Some(match &self.current {
            Some(current) => {
                let record = NodeTargets { spec, ..current.clone() };
                self.api.replace(&self.node, &params, &record).await?
            }
            None => self.api.create(&params, &NodeTargets::new(&self.node, spec)).await?,
        });
        Ok(())
    }

    /// Writes the newest of `records` to the cluster, at most once a second, until `shutdown`. What can't be written is
    /// tried again with the newest record of then; what the controller has written meanwhile goes to `stand_ins` first.
    pub async fn write(
        mut self,
        mut records: watch::Receiver<Option<NodeTargetsSpec>>,
        stand_ins: mpsc::Sender<StandIn>,
        shutdown: CancellationToken,
    ) {
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
                match answer(self.write_one(record.clone())).await {
                    Ok(Written::Done) => {
                        if failing {
                            tracing::info!(node = self.node, "NodeTargets is written again");
                        }
                        failing = false;
                        written = Some(record);
                    }
                    Ok(Written::Overtaken) => written = None,
                    Ok(Written::StoodIn(record)) => {
                        written = None;
                        let (taken_over, covered) = oneshot::channel();
                        // Where it can't be sent or is never covered, the pipeline has ended.
                        if stand_ins.send(StandIn { record, taken_over }).await.is_err()
                            || covered.await.is_err()
                        {
                            return;
                        }
                    }
                    Err(error) => {
                        if !failing {
                            tracing::warn!(
                                node = self.node,
                                error,
                                "writing NodeTargets failed; the node's journal has it all, and it is tried again. Is the API server reachable, and may this service account create and update NodeTargets?"
                            );
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

    async fn write_one(&mut self, record: NodeTargetsSpec) -> kube::Result<Written> {
        let replaces = self.current.is_some();
        match self.store(record).await {
            Ok(()) => return Ok(Written::Done),
            // A record that was there is gone; but where one can't be made, the kind itself is missing.
            Err(kube::Error::Api(status)) if status.is_not_found() && replaces => {}
            Err(kube::Error::Api(status)) if status.is_conflict() || status.is_already_exists() => {}
            Err(error) => return Err(error),
        }
        self.load().await?;
        let spec = self.current.as_ref().map(|current| &current.spec);
        Ok(match spec.filter(|spec| spec.writer == Writer::Controller) {
            Some(spec) => Written::StoodIn(spec.clone()),
            None => Written::Overtaken,
        })
    }
}

/// What became of a write.
enum Written {
    /// It is in the cluster.
    Done,
    /// Somebody else has written since the last time.
    Overtaken,
    /// The controller has written this since the last time.
    StoodIn(NodeTargetsSpec),
}

/// The answer to a request whose connection may be dead, or why there is none.
async fn answer<T>(request: impl Future<Output = kube::Result<T>>) -> Result<T, String> {
    match tokio::time::timeout(REQUEST, request).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_elapsed) => Err(format!("no answer within {REQUEST:?}")),
    }
}
