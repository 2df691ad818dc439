//! Agents that are killed or replaced.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, Patch, PatchParams};
use kube::{Api, ResourceExt as _};
use serde_json::json;
use tests::expect::eventually;
use tests::lath;
use tests::lattice::Call;
use tests::world::World;

use super::setting::{Case, SOON, own};
use super::space::{not_root, restarts};

/// Changes the number of a Deployment's pods.
pub(super) async fn scale(case: &Case<'_>, name: &str, replicas: u32) {
    let deployments: Api<Deployment> = Api::namespaced(case.space.client.clone(), case.space.name);
    let change = json!({ "spec": { "replicas": replicas } });
    deployments.patch(name, &PatchParams::default(), &Patch::Merge(&change)).await.unwrap();
}

/// Kills the agent of a node and waits until the node runs it again.
async fn kill_agent(world: &World, case: &Case<'_>, node: u8) {
    let agent = case.agent(node).await;
    let name = format!("{}/{}", lath::NAMESPACE, agent.name_any());
    world.node(node).kill(&name, "agent").await.unwrap();
    let pods: Api<Pod> = Api::namespaced(case.space.client.clone(), lath::NAMESPACE);
    eventually("the agent has restarted", SOON, async || {
        let pod = pods.get(&agent.name_any()).await.map_err(|error| error.to_string())?;
        if restarts(&pod) > restarts(&agent) { Ok(()) } else { Err(format!("{:?}", pod.status)) }
    })
    .await;
    case.agent(node).await;
}

/// Waits until every agent has renewed its Lease twice, and fails if one has called the cloud meanwhile: agents register,
/// deregister, and list by filter; the controller audits whole groups.
async fn at_rest(case: &Case<'_>) {
    use k8s_openapi::api::coordination::v1::Lease;
    let leases: Api<Lease> = Api::namespaced(case.space.client.clone(), lath::NAMESPACE);
    let renewed = async || {
        let lease = leases.get("lath-agent-node-0").await.map_err(|error| error.to_string())?;
        Ok::<_, String>(lease.spec.and_then(|spec| spec.renew_time).map(|time| time.0))
    };
    let mark = case.mark().await;
    for _ in 0..2 {
        let before = renewed().await.unwrap();
        eventually("the agent renews its Lease", SOON, async || match renewed().await? {
            now if now > before => Ok(()),
            now => Err(format!("{now:?}")),
        })
        .await;
    }
    let mut calls: Vec<Call> = case.lattice.calls(mark).await.unwrap();
    calls.retain(|call| {
        ["RegisterTargets", "DeregisterTargets"].contains(&call.operation.as_str())
            || call.operation == "ListTargets"
                && call.request["targets"].as_array().is_some_and(|filter| !filter.is_empty())
    });
    assert!(calls.is_empty(), "agents at rest have called: {calls:#?}");
}

#[tokio::test]
async fn an_agent_killed_in_bursts_loses_nothing_and_then_makes_no_call() {
    if not_root() {
        return;
    }
    let world = own().await;
    let case = Case::new(&world, "killed").await;
    let group = case.bound("web").await;
    case.deployment("web", 2, true).await;
    case.settled(&group, "web", 2).await;
    for (replicas, node) in [(14, 0), (3, 1)] {
        let mark = case.mark().await;
        scale(&case, "web", replicas).await;
        eventually("the burst has begun", SOON, async || match case.writes(mark, &group).await.len() {
            0 => Err("no call yet"),
            _ => Ok(()),
        })
        .await;
        kill_agent(&world, &case, node).await;
        case.settled(&group, "web", replicas as usize).await;
    }
    at_rest(&case).await;
    case.clear().await;
}

#[tokio::test]
async fn an_upgrade_of_the_agents_changes_nothing_at_lattice() {
    if not_root() {
        return;
    }
    let world = own().await;
    let case = Case::new(&world, "upgrade").await;
    let group = case.bound("web").await;
    case.deployment("web", 4, true).await;
    case.settled(&group, "web", 4).await;
    let mark = case.mark().await;
    let pods: Api<Pod> = Api::namespaced(case.space.client.clone(), lath::NAMESPACE);
    for node in [0, 1] {
        let before = case.agent(node).await;
        pods.delete(&before.name_any(), &DeleteParams::default()).await.unwrap();
        eventually("another agent is ready", SOON, async || {
            let after = case.agent(node).await;
            if after.uid() == before.uid() { Err(after.name_any()) } else { Ok(()) }
        })
        .await;
    }
    case.settled(&group, "web", 4).await;
    let writes = case.writes(mark, &group).await;
    assert!(writes.is_empty(), "{writes:#?}");
    // The new agents serve: who comes now gets in, who goes gets out.
    scale(&case, "web", 6).await;
    case.settled(&group, "web", 6).await;
    case.clear().await;
}
