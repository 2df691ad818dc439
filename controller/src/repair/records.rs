//! Nodes' records as the controller writes them. An agent takes over what it finds in its own before it writes again.

use kube::{
    Api, Client,
    api::{DeleteParams, PostParams, Preconditions},
};
use lath_kubernetes::{NodeTargets, names, node_targets::NodeTargetsSpec};

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

    /// Deletes a record, if it is still there.
    ///
    /// # Errors
    /// When the API server does not answer.
    pub async fn delete(&self, record: NodeTargets) -> kube::Result<()> {
        let name = record.metadata.name.clone().unwrap_or_default();
        delete(&self.0, &name, record.metadata.uid).await
    }
}

/// Deletes the object of this name and UID, if it is still there.
pub(super) async fn delete<K>(api: &Api<K>, name: &str, uid: Option<String>) -> kube::Result<()>
where
    K: Clone + serde::de::DeserializeOwned + std::fmt::Debug,
{
    let params = DeleteParams {
        preconditions: Some(Preconditions { uid, resource_version: None }),
        ..DeleteParams::default()
    };
    match api.delete(name, &params).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        Err(error) => Err(error),
    }
}
