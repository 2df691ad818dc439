//! What Lath's own tokens may write: RBAC and the chart's admission policies, enforced by the real API server.

use k8s_openapi::api::admissionregistration::v1::MutatingWebhookConfiguration;
use k8s_openapi::api::authentication::v1::{BoundObjectReference, TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::{Pod, Secret, ServiceAccount};
use kube::api::{DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Api, Client, ResourceExt as _};
use serde_json::{Value, json};
use tests::controlplane::client_config;
use tests::expect::eventually;
use tests::lath;

use super::setting::{Case, SOON, components, shared};
use super::space::{condition, not_root};

/// A client with a token of one of Lath's service accounts; with a pod, the token names its node.
async fn as_lath(case: &Case<'_>, account: &str, pod: Option<&Pod>) -> Client {
    let accounts: Api<ServiceAccount> = Api::namespaced(case.space.client.clone(), lath::NAMESPACE);
    let bound_object_ref = pod.map(|pod| BoundObjectReference {
        api_version: Some("v1".into()),
        kind: Some("Pod".into()),
        name: pod.metadata.name.clone(),
        uid: pod.metadata.uid.clone(),
    });
    let spec = TokenRequestSpec { audiences: Vec::new(), bound_object_ref, expiration_seconds: None };
    let wanted = TokenRequest { spec, ..TokenRequest::default() };
    let made = accounts.create_token_request(account, &PostParams::default(), &wanted).await.unwrap();
    let mut config = client_config(&case.world.kubeconfig()).await.unwrap();
    config.auth_info.client_certificate_data = None;
    config.auth_info.client_key_data = None;
    config.auth_info.token = Some(made.status.unwrap().token.into());
    Client::try_from(config).unwrap()
}

/// Applies an object without its taking effect, and returns what the API server says to it.
async fn dry_run(client: &Client, object: &Value) -> Result<(), String> {
    let object: DynamicObject = serde_json::from_value(object.clone()).unwrap();
    let gvk = GroupVersionKind::try_from(object.types.clone().unwrap()).unwrap();
    let mut resource = ApiResource::from_gvk(&gvk);
    if resource.kind == "NodeTargets" {
        resource.plural = "nodetargets".into();
    }
    let api: Api<DynamicObject> = match &object.metadata.namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    };
    let name = object.name_any();
    let done = if resource.kind == "NodeTargets" {
        // Written by version, as agents do.
        let params = PostParams { dry_run: true, ..PostParams::default() };
        match api.get_opt(&name).await {
            Ok(Some(current)) => {
                let mut object = object;
                object.metadata.resource_version = current.metadata.resource_version;
                api.replace(&name, &params, &object).await
            }
            Ok(None) => api.create(&params, &object).await,
            Err(error) => Err(error),
        }
    } else {
        let params = PatchParams { dry_run: true, ..PatchParams::apply("tests").force() };
        api.patch(&name, &params, &Patch::Apply(&object)).await
    };
    done.map(drop).map_err(|error| error.to_string())
}

fn node_targets(node: &str) -> Value {
    json!({ "apiVersion": "lath.dev/v1alpha1", "kind": "NodeTargets", "metadata": { "name": node }, "spec": { "epoch": 1 } })
}

fn lease(node: &str) -> Value {
    let metadata = json!({ "name": format!("lath-agent-{node}"), "namespace": lath::NAMESPACE });
    json!({ "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": { "leaseDurationSeconds": 9 } })
}

fn event(node: &str) -> Value {
    json!({
        "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": { "name": "example", "namespace": "rights" },
        "eventTime": "2026-01-01T00:00:00.000000Z", "type": "Warning", "reason": "Example", "action": "RegisterTargets",
        "reportingController": "lath.dev/agent", "reportingInstance": node,
        "regarding": { "kind": "Pod", "namespace": "rights", "name": "a" },
    })
}

#[tokio::test]
async fn an_agents_token_writes_only_what_is_its_own_nodes() {
    if not_root() {
        return;
    }
    let case = Case::new(shared().await, "rights").await;
    let agent = as_lath(&case, "lath-agent", Some(&case.agent(0).await)).await;
    // A policy becomes active a moment after it was made.
    eventually("the policy refuses another node's NodeTargets", SOON, async || {
        match dry_run(&agent, &node_targets("node-1")).await {
            Err(said) if said.contains("may write the NodeTargets of its own node only") => Ok(()),
            other => Err(other),
        }
    })
    .await;
    for (object, words) in [
        (lease("node-1"), "the agent of node node-0 may write the Lease lath-agent-node-0 only"),
        (event("node-1"), "the agent of node node-0 may write Events in the name of its own node only"),
    ] {
        let said = dry_run(&agent, &object).await.unwrap_err();
        assert!(said.contains(words), "{said}");
    }
    for object in [node_targets("node-0"), lease("node-0"), event("node-0")] {
        assert_eq!(dry_run(&agent, &object).await, Ok(()), "{object}");
    }

    let homeless = as_lath(&case, "lath-agent", None).await;
    for object in [node_targets("node-0"), lease("node-0"), event("node-0")] {
        let said = dry_run(&homeless, &object).await.unwrap_err();
        assert!(said.contains("the token of this lath-agent names no node"), "{said}");
    }

    let leases: Api<k8s_openapi::api::coordination::v1::Lease> =
        Api::namespaced(agent.clone(), lath::NAMESPACE);
    let said = leases
        .delete("lath-agent-node-0", &kube::api::DeleteParams::default())
        .await
        .unwrap_err()
        .to_string();
    assert!(said.contains("forbidden"), "{said}");
    let pods: Api<Pod> = Api::namespaced(agent, "rights");
    let change =
        json!({ "status": { "conditions": [{ "type": "lath.dev/target-health", "status": "True" }] } });
    let said = pods
        .patch_status("a", &PatchParams::default(), &Patch::Merge(&change))
        .await
        .unwrap_err()
        .to_string();
    assert!(said.contains("forbidden"), "{said}");
}

#[tokio::test]
async fn the_controllers_token_writes_two_conditions_of_a_pod_and_nothing_else() {
    if not_root() {
        return;
    }
    let case = Case::new(shared().await, "gatekeeper").await;
    case.pod("a", "web", json!({}), json!({})).await;
    let pod = case.space.ready("a").await;
    let controller = components(&case, "controller").await.unwrap().remove(0);
    let client = as_lath(&case, "lath-controller", Some(&controller)).await;
    let pods: Api<Pod> = Api::namespaced(client, case.space.name);
    let params = PatchParams { dry_run: true, ..PatchParams::default() };
    let patch = async |change: Value| {
        pods.patch_status("a", &params, &Patch::Strategic(&change))
            .await
            .map(drop)
            .map_err(|error| error.to_string())
    };
    let refused = "lath-controller may write its own two readiness conditions of a pod only";
    let status = |status: Value| json!({ "status": status });
    let condition_of =
        |kind: &str, is: &str| status(json!({ "conditions": [{ "type": kind, "status": is }] }));
    eventually("the policy refuses a pod's condition Ready", SOON, async || {
        match patch(condition_of("Ready", "False")).await {
            Err(said) if said.contains(refused) => Ok(()),
            other => Err(other),
        }
    })
    .await;
    let replace = |name: &str| json!([{ "$patch": "replace" }, { "ip": name }]);
    for change in [
        condition_of("example.com/gate", "True"),
        status(json!({ "conditions": [{ "type": "Ready", "status": "True", "reason": "SaidSo" }] })),
        status(json!({ "phase": "Failed" })),
        status(json!({ "message": "taken over" })),
        status(json!({ "podIP": "10.9.9.9", "podIPs": replace("10.9.9.9") })),
        status(json!({ "hostIP": "10.9.9.9", "hostIPs": replace("10.9.9.9") })),
        status(
            json!({ "containerStatuses": [{ "name": "main", "ready": false, "restartCount": 0, "image": "x", "imageID": "y" }] }),
        ),
        json!({ "metadata": { "labels": { "app": "other" } } }),
        json!({ "metadata": { "annotations": { "example.com/note": "x" } } }),
    ] {
        let said = patch(change.clone()).await;
        assert!(said.as_ref().is_err_and(|said| said.contains(refused)), "{change}: {said:?}");
    }
    for gate in ["lath.dev/target-health", "application-networking.k8s.aws/pod-readiness-gate"] {
        assert_eq!(patch(condition_of(gate, "True")).await, Ok(()), "{gate}");
    }
    assert_eq!(condition(&pod, "Ready"), "True");
    let change = json!({ "metadata": { "labels": { "app": "other" } } });
    let said = pods.patch("a", &params, &Patch::Merge(&change)).await.unwrap_err().to_string();
    assert!(said.contains("forbidden"), "{said}");
}

#[tokio::test]
async fn the_controllers_token_reads_the_webhooks_secret_and_no_other() {
    if not_root() {
        return;
    }
    let case = Case::new(shared().await, "secretive").await;
    let client = as_lath(&case, "lath-controller", None).await;
    let secrets: Api<Secret> = Api::namespaced(client.clone(), lath::NAMESPACE);
    secrets.get("lath-webhook").await.unwrap();
    let forbidden = |what: &str, done: kube::Result<()>| {
        let said = done.unwrap_err().to_string();
        assert!(said.contains("forbidden"), "{what}: {said}");
    };
    forbidden("another's", secrets.get("lath-aws").await.map(drop));
    forbidden("all", secrets.list(&ListParams::default()).await.map(drop));
    forbidden("away", secrets.delete("lath-webhook", &DeleteParams::default()).await.map(drop));
    let elsewhere: Api<Secret> = Api::namespaced(client.clone(), case.space.name);
    let secret = Secret {
        metadata: kube::api::ObjectMeta { name: Some("a".into()), ..<_>::default() },
        ..<_>::default()
    };
    forbidden("elsewhere", elsewhere.create(&PostParams::default(), &secret).await.map(drop));

    let webhooks: Api<MutatingWebhookConfiguration> = Api::all(client);
    webhooks.get("lath-webhook").await.unwrap();
    forbidden("all webhooks", webhooks.list(&ListParams::default()).await.map(drop));
    forbidden("its webhook", webhooks.delete("lath-webhook", &DeleteParams::default()).await.map(drop));
}
