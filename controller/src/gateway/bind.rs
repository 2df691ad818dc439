//! Hands target groups over to the agents: one TargetGroupBinding for each group of a Service's pods.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::StreamExt as _;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::{
    Api, Client,
    api::{DeleteParams, ObjectMeta, PostParams, Preconditions},
};
use lath_kubernetes::{
    TargetGroupBinding,
    binding::{Ownership, Readiness, ServiceReference, TargetGroupBindingSpec, TargetGroupReference},
    names,
    watch::ObjectName,
};
use lattice::{
    TargetGroupArn,
    service::{GroupKey, ServiceGroupKey},
};

use tokio::time::Instant;

use super::{engine::Progress, metrics::Metrics};
use crate::{answer, cluster::Cluster, shared::Shared};

/// Most writes that are on their way at once.
const WRITES_AT_ONCE: usize = 16;

/// How long changes are collected before they are looked at. The engine tells of each answer, and a wave of routes has
/// thousands.
const COLLECT: Duration = Duration::from_millis(10);

/// The wait before a failed write is tried again.
const RETRY: Duration = Duration::from_secs(2);

/// Longest part of a binding's name that is the Service's. With a group's id behind it the name stays within the 63
/// characters of a label.
const SERVICE_PART: usize = 40;

/// What has to be done about a binding.
#[derive(Debug)]
enum Write {
    Create(Box<TargetGroupBinding>),
    Delete(ObjectName, Option<String>),
}

/// Keeps bindings of the engine's groups, for ever.
pub async fn run(
    client: Client,
    cluster: Arc<Shared<Cluster>>,
    progress: Arc<Shared<Progress>>,
    metrics: Metrics,
) {
    let mut cluster_changes = cluster.subscribe();
    let mut progress_changes = progress.subscribe();
    // What was last gone by: pods' changes are many and of no interest here.
    let mut seen = None;
    let mut retry: Option<Instant> = None;
    loop {
        cluster_changes.borrow_and_update();
        // Whatever has woken this, progress may have come meanwhile, and it may be time to try again.
        if progress_changes.has_changed().unwrap_or(true) || retry.is_some_and(|at| at <= Instant::now()) {
            seen = None;
            retry = None;
        }
        progress_changes.borrow_and_update();
        let writes = {
            let cluster = cluster.read();
            if cluster.complete() && seen != Some(cluster.bindings_changed()) {
                seen = Some(cluster.bindings_changed());
                decide(&cluster, &progress.read())
            } else {
                Vec::new()
            }
        };
        let mut failed = false;
        let mut written = futures::stream::iter(writes)
            .map(|write| {
                let client = client.clone();
                async move { perform(&client, &write).await }
            })
            .buffer_unordered(WRITES_AT_ONCE);
        while let Some(done) = written.next().await {
            metrics.wrote("TargetGroupBinding", done);
            failed |= !done;
        }
        drop(written);
        if failed {
            retry = Some(Instant::now() + RETRY);
        }
        let again = async {
            match retry {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = again => {}
            changed = cluster_changes.changed() => if changed.is_err() { return },
            changed = progress_changes.changed() => if changed.is_err() { return } else {
                progress_changes.mark_changed();
            },
        }
        tokio::time::sleep(COLLECT).await;
    }
}

/// What has to be done: each group that is there is bound, and a binding goes once its group is neither wanted nor named
/// by a rule, so that no request is sent to a group that is being emptied.
fn decide(cluster: &Cluster, progress: &Progress) -> Vec<Write> {
    if !progress.loaded {
        return Vec::new();
    }
    let mut wanted: BTreeMap<ObjectName, (&ServiceGroupKey, &TargetGroupArn)> = BTreeMap::new();
    for (key, group) in &progress.groups {
        if let (GroupKey::Service(key), Some(arn)) = (key, &group.arn) {
            let name = ObjectName { namespace: key.namespace.clone(), name: name(key, arn) };
            wanted.insert(name, (key, arn));
        }
    }
    let mut writes: Vec<Write> = wanted
        .iter()
        .filter(|(name, _)| cluster.binding(name).is_none())
        .map(|(name, (key, arn))| Write::Create(Box::new(binding(name, key, arn))))
        .collect();
    // As long as something is unread, a group may seem to be of no use that is of use.
    for (name, entry) in cluster.bindings().filter(|_| progress.read) {
        let meta = &entry.binding.metadata;
        let made = meta.labels.as_ref().and_then(|labels| labels.get(names::MADE_BY));
        let used = entry.group.as_ref().is_some_and(|group| progress.used.contains(group));
        if made.is_some_and(|by| by == names::MADE_BY_CONTROLLER)
            && meta.deletion_timestamp.is_none()
            && !used
            && !wanted.contains_key(name)
        {
            writes.push(Write::Delete(name.clone(), meta.uid.clone()));
        }
    }
    writes
}

/// A name that tells Service and group, and that another group can't have.
fn name(key: &ServiceGroupKey, arn: &TargetGroupArn) -> String {
    let service = key.service.get(..SERVICE_PART).unwrap_or(&key.service).trim_end_matches('-');
    format!("{service}-{}", arn.id().trim_start_matches("tg-"))
}

fn binding(name: &ObjectName, key: &ServiceGroupKey, arn: &TargetGroupArn) -> TargetGroupBinding {
    let mut binding = TargetGroupBinding::new(
        &name.name,
        TargetGroupBindingSpec {
            target_group: TargetGroupReference { arn: arn.to_string() },
            service: ServiceReference { name: key.service.clone(), port: IntOrString::Int(key.port.into()) },
            ip_family: key.family,
            readiness: Readiness::default(),
            ownership: Ownership::Exclusive,
        },
    );
    binding.metadata = ObjectMeta {
        namespace: Some(name.namespace.clone()),
        labels: Some(BTreeMap::from([(names::MADE_BY.into(), names::MADE_BY_CONTROLLER.into())])),
        // Whose requests the pods get.
        annotations: Some(BTreeMap::from([(names::MADE_FOR.into(), key.owner.clone())])),
        ..binding.metadata
    };
    binding
}

async fn perform(client: &Client, write: &Write) -> bool {
    let (name, done) = match write {
        Write::Create(binding) => {
            let name = ObjectName::of(&**binding);
            let api: Api<TargetGroupBinding> = Api::namespaced(client.clone(), &name.namespace);
            let params =
                PostParams { field_manager: Some(names::CONTROLLER.into()), ..PostParams::default() };
            let done = api.create(&params, binding).await.map(|_| ());
            (name, done)
        }
        Write::Delete(name, uid) => {
            let api: Api<TargetGroupBinding> = Api::namespaced(client.clone(), &name.namespace);
            let preconditions = Some(Preconditions { uid: uid.clone(), resource_version: None });
            let params = DeleteParams { preconditions, ..DeleteParams::default() };
            let done = api.delete(&name.name, &params).await.map(|_| ());
            (name.clone(), done)
        }
    };
    match done {
        Ok(()) => true,
        // The watch brings what is true now.
        Err(error) if answer::came_too_late(&error) => true,
        Err(error) => {
            tracing::warn!(binding = %name, %error, "handing a target group over to the agents failed and is tried again");
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use lattice::{
        service::{GroupProtocol, HttpVersion},
        target::IpFamily,
    };

    use super::*;
    use crate::{
        gateway::engine::progress::GroupProgress,
        testing::{self, Apply as _, api},
    };

    #[tokio::test(start_paused = true)]
    async fn a_group_is_bound_whatever_else_changes_at_the_same_time_or_fails() {
        for turn in 0..40 {
            let api = api::Api::default();
            let cluster = Arc::new(Shared::new(testing::cluster()));
            let progress: Arc<Shared<Progress>> = Arc::default();
            progress.update(|progress| progress.loaded = true);
            let task = tokio::spawn(run(api.client(), cluster.clone(), progress.clone(), Metrics::default()));
            tokio::time::sleep(Duration::from_secs(1)).await;
            let key = GroupKey::Service(Box::new(ServiceGroupKey {
                owner: "HTTPRoute/shop/web".into(),
                namespace: "shop".into(),
                service: "web".into(),
                port: 80,
                protocol: GroupProtocol::Http(HttpVersion::Http1),
                family: IpFamily::IPv4,
            }));
            let group = GroupProgress { arn: Some(testing::arn(1)), status: None, done: true, trouble: None };
            api.fail(turn % 2 == 1);
            cluster.update(|cluster| cluster.run(testing::pod("web-0", 1)));
            progress.update(|progress| drop(progress.groups.insert(key, group)));
            tokio::time::sleep(Duration::from_secs(1)).await;
            api.fail(false);
            cluster.update(|cluster| cluster.run(testing::pod("web-1", 2)));
            tokio::time::sleep(Duration::from_secs(5)).await;
            let name = format!("web-{}", testing::arn(1).id().trim_start_matches("tg-"));
            let path = format!("/apis/lath.dev/v1alpha1/namespaces/shop/targetgroupbindings/{name}");
            assert!(api.get(&path).is_some(), "turn {turn}");
            task.abort();
        }
    }

    #[test]
    fn a_binding_goes_when_all_is_read_and_no_rule_names_its_group() {
        let mut cluster = testing::cluster();
        let mut made = testing::accepted("web-0", 1);
        made.metadata.labels =
            Some(BTreeMap::from([(names::MADE_BY.into(), names::MADE_BY_CONTROLLER.into())]));
        cluster.bind(made);
        cluster.bind(testing::accepted("by-hand", 2));
        let group = testing::arn(1);
        for (read, used, deletes) in [(false, false, 0), (true, true, 0), (true, false, 1)] {
            let used = if used { BTreeSet::from([group.clone()]) } else { BTreeSet::new() };
            let progress = Progress { loaded: true, read, used, ..Progress::default() };
            let writes = decide(&cluster, &progress);
            assert_eq!(writes.len(), deletes, "{read} {writes:?}");
            assert!(
                writes.iter().all(|write| matches!(write, Write::Delete(name, _) if name.name == "web-0"))
            );
        }
    }
}
