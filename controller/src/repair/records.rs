//! Nodes' records as the controller writes them. An agent takes over what it finds in its own before it writes again.

use std::collections::{BTreeMap, BTreeSet};

use kube::{
    Api, Client,
    api::{DeleteParams, ObjectMeta, PostParams, Preconditions},
};
use lath_kubernetes::{
    NodeTargets, names,
    node_targets::{NodeTargetsSpec, RecordState},
};

use super::standin::{self, Held};

/// How often a record is written at most that somebody else writes at the same time.
const TRIES: u32 = 5;

/// Reads and writes records, past every cache.
#[derive(Clone)]
pub struct Records(Api<NodeTargets>);

impl std::fmt::Debug for Records {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Records")
    }
}

impl Records {
    /// By this client.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self(Api::all(client))
    }

    /// A node's record.
    ///
    /// # Errors
    /// When the API server does not answer.
    pub async fn get(&self, node: &str) -> kube::Result<Option<NodeTargets>> {
        self.0.get_opt(node).await
    }

    /// Writes a node's record, unless somebody else has since it was read as `current`.
    ///
    /// # Errors
    /// When somebody has, or the API server does not answer.
    pub async fn write(
        &self,
        node: &str,
        current: Option<NodeTargets>,
        spec: NodeTargetsSpec,
    ) -> kube::Result<NodeTargets> {
        let params = PostParams { field_manager: Some(names::CONTROLLER.into()), ..PostParams::default() };
        match current {
            Some(mut record) => {
                record.spec = spec;
                self.0.replace(node, &params, &record).await
            }
            None => self.0.create(&params, &NodeTargets::new(node, spec)).await,
        }
    }

    /// Writes down that targets have been registered, whatever the node's record is by now. Its agent may have come back
    /// during the call, have taken over what it found, taken it out again and forgotten it, and the call was served after
    /// that. `wrote` is the record as it was written before the call.
    ///
    /// # Errors
    /// When the API server does not answer, or somebody else writes again and again.
    pub async fn registered(
        &self,
        node: &str,
        wrote: Option<NodeTargets>,
        held: &BTreeSet<Held>,
    ) -> kube::Result<()> {
        let mut current = wrote;
        for tries in 1.. {
            let known = match current.take() {
                Some(known) => Some(known),
                None => self.get(node).await?,
            };
            let spec = known.as_ref().map(|record| record.spec.clone()).unwrap_or_default();
            let unrecorded = held.iter().filter(|held| !spec.registered(&held.group, held.target, &held.uid));
            let states: BTreeMap<Held, RecordState> =
                unrecorded.map(|held| (held.clone(), RecordState::Registered)).collect();
            if states.is_empty() {
                break;
            }
            let spec = standin::amend(&spec, &spec.boot_id, &states, &BTreeSet::new());
            match self.write(node, known, spec).await {
                Err(kube::Error::Api(status)) if status.is_conflict() && tries < TRIES => {}
                outcome => return outcome.map(drop),
            }
        }
        Ok(())
    }

    /// Deletes a record, unless somebody has written it since it was read.
    ///
    /// # Errors
    /// When somebody has, or the API server does not answer.
    pub async fn delete(&self, record: NodeTargets) -> kube::Result<()> {
        let name = record.metadata.name.clone().unwrap_or_default();
        delete(&self.0, &name, record.metadata).await
    }
}

/// Deletes an object as it was read, if it is still there.
pub(super) async fn delete<K>(api: &Api<K>, name: &str, read: ObjectMeta) -> kube::Result<()>
where
    K: Clone + serde::de::DeserializeOwned + std::fmt::Debug,
{
    let params = DeleteParams {
        preconditions: Some(Preconditions { uid: read.uid, resource_version: read.resource_version }),
        ..DeleteParams::default()
    };
    match api.delete(name, &params).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        Err(error) => Err(error),
    }
}
