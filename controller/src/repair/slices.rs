//! Registers what hand-made EndpointSlices ask for, and records it in the binding's status.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use k8s_openapi::api::discovery::v1 as discovery;
use kube::{
    Api,
    api::{ListParams, Patch, PatchParams},
};
use lath_kubernetes::{TargetGroupBinding, names, watch::ObjectName};
use lattice::{Target, TargetGroupArn};
use serde_json::json;
use tokio::time::Instant;

use super::{calls::Calls, endpoints, metrics::Why, nodes::Kube, proof};
use crate::{
    answer,
    cluster::{Cluster, objects::Slice},
    shared::Shared,
};

/// How long changes are collected.
const COLLECT: Duration = Duration::from_millis(20);

/// How long a binding is left alone after something failed.
const RETRY: Duration = Duration::from_secs(5);

/// Most endpoints that a binding's status records. Its schema allows no more, nor does a group by default.
const MOST_RECORDED: usize = lattice::limits::TARGETS_PER_GROUP;

/// Registers hand-made endpoints.
#[derive(Debug)]
pub struct Registrar {
    /// What is known of the cluster.
    pub cluster: Arc<Shared<Cluster>>,
    /// Changes Lattice.
    pub calls: Calls,
    /// Reads slices, writes status.
    pub kube: Kube,
    /// What endpoints have to fit.
    pub rules: Arc<endpoints::Rules>,
}

/// What to do about one binding.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Duty {
    name: ObjectName,
    uid: String,
    /// The binding's version, from which `recorded` is.
    version: Option<String>,
    group: TargetGroupArn,
    service: String,
    recorded: BTreeSet<Target>,
    register: Vec<Target>,
    remove: Vec<Target>,
}

/// What differs between slices and records. A binding that is not accepted gets nothing new, but what is gone from
/// its slices goes.
fn duties(cluster: &Cluster, rules: &endpoints::Rules) -> Vec<Duty> {
    let mut duties = Vec::new();
    for (name, entry) in cluster.bindings() {
        let binding = &entry.binding;
        let (Some(group), None) = (&entry.group, &binding.metadata.deletion_timestamp) else {
            continue;
        };
        let recorded: BTreeSet<Target> = binding
            .status
            .iter()
            .flat_map(|status| &status.endpoints)
            .filter_map(|text| endpoints::parse(text))
            .collect();
        let desired = endpoints::desired(cluster, binding, rules).targets;
        let room = MOST_RECORDED.saturating_sub(recorded.len());
        let new = desired.difference(&recorded).copied().filter(|_| binding.accepted());
        let register: Vec<Target> = new.take(room).collect();
        let remove: Vec<Target> = recorded.difference(&desired).copied().collect();
        if register.is_empty() && remove.is_empty() {
            continue;
        }
        duties.push(Duty {
            name: name.clone(),
            uid: binding.metadata.uid.clone().unwrap_or_default(),
            version: binding.metadata.resource_version.clone(),
            group: group.clone(),
            service: binding.spec.service.name.clone(),
            recorded,
            register,
            remove,
        });
    }
    duties
}

impl Registrar {
    /// Registers hand-made endpoints for ever.
    pub async fn run(self) {
        let mut changes = self.cluster.subscribe();
        let mut retry: BTreeMap<ObjectName, Instant> = BTreeMap::new();
        loop {
            changes.borrow_and_update();
            let now = Instant::now();
            retry.retain(|_, at| *at > now);
            let duties = {
                let cluster = self.cluster.read();
                if cluster.complete() { duties(&cluster, &self.rules) } else { Vec::new() }
            };
            for duty in &duties {
                if retry.contains_key(&duty.name) {
                    continue;
                }
                match self.perform(duty).await {
                    // The watch has to bring the new status before this is looked at again.
                    Ok(true) => drop(retry.insert(duty.name.clone(), Instant::now() + COLLECT * 10)),
                    Err(error) if answer::came_too_late(&error) => {
                        retry.insert(duty.name.clone(), Instant::now() + COLLECT * 10);
                    }
                    Ok(false) => drop(retry.insert(duty.name.clone(), Instant::now() + RETRY)),
                    Err(error) => {
                        tracing::warn!(binding = %duty.name, %error, "registering hand-made endpoints failed and is tried again");
                        retry.insert(duty.name.clone(), Instant::now() + RETRY);
                    }
                }
            }
            let next = retry.values().min().copied();
            let idle = async {
                match next {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = idle => {}
                changed = changes.changed() => {
                    if changed.is_err() { return }
                    tokio::time::sleep(COLLECT).await;
                }
            }
        }
    }

    /// Whether everything could be done.
    async fn perform(&self, duty: &Duty) -> kube::Result<bool> {
        let (mut recorded, mut version) = (duty.recorded.clone(), duty.version.clone());
        let mut complete = true;
        if !duty.register.is_empty() {
            // Recorded before it is done, so that it can be taken out whatever happens.
            recorded.extend(&duty.register);
            version = self.record(duty, version, &recorded).await?;
            let done = self.calls.register(&duty.group, &duty.register, Why::Endpoints).await;
            complete &= done.len() == duty.register.len();
        }
        let proven = Instant::now();
        let gone = self.really_gone(duty).await?;
        if !gone.is_empty() {
            let (claimed, free): (Vec<Target>, Vec<Target>) = {
                let cluster = self.cluster.read();
                gone.into_iter()
                    .partition(|target| proof::claimant(&cluster, &duty.group, *target, None, &[]).is_some())
            };
            let done = self.calls.deregister(&duty.group, &free, Why::Endpoints, proven).await;
            complete &= done.len() == free.len();
            for target in done {
                recorded.remove(&target);
            }
            // What a pod of the group has by now is its agent's to take out, once that knows of it.
            for target in claimed {
                if proof::answered_for(&self.cluster.read(), &duty.group, target, None) {
                    recorded.remove(&target);
                } else {
                    complete = false;
                }
            }
            self.record(duty, version, &recorded).await?;
        }
        Ok(complete)
    }

    /// Which of those that seem gone from the slices are, by a fresh read.
    async fn really_gone(&self, duty: &Duty) -> kube::Result<Vec<Target>> {
        if duty.remove.is_empty() {
            return Ok(Vec::new());
        }
        let slices: Api<discovery::EndpointSlice> =
            Api::namespaced(self.kube.0.clone(), &duty.name.namespace);
        let of_service = format!("{}={}", names::SERVICE_NAME_LABEL, duty.service);
        let slices = slices.list(&ListParams::default().labels(&of_service)).await?;
        let slices: Vec<Slice> = slices.items.iter().map(Slice::from).collect();
        let cluster = self.cluster.read();
        let Some(entry) = cluster.binding(&duty.name) else {
            return Ok(Vec::new());
        };
        let desired = endpoints::desired_of(&cluster, &entry.binding, &self.rules, slices.iter()).targets;
        Ok(duty.remove.iter().copied().filter(|target| !desired.contains(target)).collect())
    }

    /// Writes into the binding's status what is registered. Returns the version that it has then.
    async fn record(
        &self,
        duty: &Duty,
        version: Option<String>,
        recorded: &BTreeSet<Target>,
    ) -> kube::Result<Option<String>> {
        let api: Api<TargetGroupBinding> = Api::namespaced(self.kube.0.clone(), &duty.name.namespace);
        let params = PatchParams { field_manager: Some(names::CONTROLLER.into()), ..PatchParams::default() };
        let texts: Vec<String> = recorded.iter().map(ToString::to_string).collect();
        // By version, since what was recorded meanwhile would be lost.
        let metadata = json!({ "uid": duty.uid, "resourceVersion": version });
        let patch = json!({ "metadata": metadata, "status": { "endpoints": texts } });
        let written = api.patch_status(&duty.name.name, &params, &Patch::Merge(patch)).await?;
        Ok(written.metadata.resource_version)
    }
}

#[cfg(test)]
mod tests;
