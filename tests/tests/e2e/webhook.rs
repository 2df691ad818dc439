//! The admission webhook, asked by the real API server: what new pods get where, and what becomes of them without it.

use k8s_openapi::api::admissionregistration::v1::MutatingWebhookConfiguration;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Namespace, Pod, Secret};
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};
use tests::expect::eventually;
use tests::lath;

use super::setting::{Case, SOON, components, own, shared, template};
use super::space::{condition, not_root};

/// How long the webhook of these worlds lets containers sleep, in seconds.
const SLEEP: i64 = 2;

async fn label(case: &Case<'_>, key: &str, value: Option<&str>) {
    let namespaces: Api<Namespace> = Api::all(case.space.client.clone());
    let change = json!({ "metadata": { "labels": { key: value } } });
    namespaces.patch(case.space.name, &PatchParams::default(), &Patch::Merge(&change)).await.unwrap();
}

/// What a pod of `app` would get if it were made now: whether the gate, and how long its container would sleep.
async fn would_get(case: &Case<'_>, app: &str, change: impl FnOnce(&mut Value)) -> (bool, Option<i64>) {
    let template = template(app, json!({}), json!({}));
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": "trial", "labels": template["metadata"]["labels"] }, "spec": template["spec"],
    });
    change(&mut pod);
    let params = PostParams { dry_run: true, ..PostParams::default() };
    let pod = case.space.pods.create(&params, &serde_json::from_value(pod).unwrap()).await.unwrap();
    got(&pod)
}

fn got(pod: &Pod) -> (bool, Option<i64>) {
    let spec = pod.spec.as_ref().unwrap();
    let gates = spec.readiness_gates.iter().flatten();
    let gate = gates.filter(|gate| gate.condition_type == "lath.dev/target-health").count();
    assert!(gate < 2, "{spec:?}");
    let pre_stop = spec.containers[0].lifecycle.as_ref().and_then(|lifecycle| lifecycle.pre_stop.as_ref());
    (gate == 1, pre_stop.and_then(|hook| hook.sleep.as_ref()).map(|sleep| sleep.seconds))
}

/// Waits until new pods of `app` get this. The API server and the webhook hear of changes a moment later.
async fn gets(case: &Case<'_>, app: &str, wanted: (bool, Option<i64>)) {
    eventually(&format!("a new pod of {app} gets {wanted:?}"), SOON, async || {
        let got = would_get(case, app, |_| {}).await;
        if got == wanted { Ok(()) } else { Err(got) }
    })
    .await;
}

#[tokio::test]
async fn pods_of_labelled_namespaces_get_what_they_lack() {
    if not_root() {
        return;
    }
    let case = Case::new(shared().await, "injected").await;
    let group = case.bound("web").await;
    gets(&case, "web", (false, None)).await;
    label(&case, "lath.dev/inject", Some("enabled")).await;
    gets(&case, "web", (true, Some(SLEEP))).await;
    gets(&case, "other", (false, Some(SLEEP))).await;

    case.pod("a", "web", json!({}), json!({})).await;
    let pod = case.space.ready("a").await;
    assert_eq!(got(&pod), (true, Some(SLEEP)));
    assert_eq!(pod.spec.as_ref().unwrap().termination_grace_period_seconds, Some(SLEEP + 1));
    assert_eq!(condition(&pod, "lath.dev/target-health"), "True");
    case.settled(&group, "web", 1).await;

    let opted_out = would_get(&case, "web", |pod| {
        pod["metadata"]["labels"]["lath.dev/inject"] = json!("disabled");
    });
    assert_eq!(opted_out.await, (false, None));
    let job = would_get(&case, "web", |pod| pod["spec"]["restartPolicy"] = json!("Never"));
    assert_eq!(job.await, (false, None));

    label(&case, "lath.dev/inject", None).await;
    label(&case, "application-networking.k8s.aws/pod-readiness-gate-inject", Some("enabled")).await;
    gets(&case, "web", (true, Some(SLEEP))).await;
    label(&case, "lath.dev/inject", Some("disabled")).await;
    gets(&case, "web", (false, None)).await;
}

async fn scale_controller(case: &Case<'_>, replicas: u32) {
    let deployments: Api<Deployment> = Api::namespaced(case.space.client.clone(), lath::NAMESPACE);
    let change = json!({ "spec": { "replicas": replicas } });
    deployments.patch("lath-controller", &PatchParams::default(), &Patch::Merge(&change)).await.unwrap();
    eventually(&format!("{replicas} controllers are ready"), SOON * 2, async || {
        let pods = components(case, "controller").await?;
        let ready = pods.iter().filter(|pod| condition(pod, "Ready") == "True").count();
        let wanted = usize::try_from(replicas).unwrap();
        if pods.len() == wanted && ready == wanted {
            Ok(())
        } else {
            Err(format!("{ready} of {}", pods.len()))
        }
    })
    .await;
}

#[tokio::test]
async fn pods_are_made_without_the_webhook_and_a_new_certificate_serves_as_well() {
    if not_root() {
        return;
    }
    let world = own().await;
    let case = Case::new(&world, "unattended").await;
    case.bound("web").await;
    label(&case, "lath.dev/inject", Some("enabled")).await;
    gets(&case, "web", (true, Some(SLEEP))).await;

    let secrets: Api<Secret> = Api::namespaced(case.space.client.clone(), lath::NAMESPACE);
    let configurations: Api<MutatingWebhookConfiguration> = Api::all(case.space.client.clone());
    let trusted = async || {
        let configuration = configurations.get("lath-webhook").await.unwrap();
        let webhooks = configuration.webhooks.unwrap();
        webhooks.into_iter().map(|webhook| webhook.client_config.ca_bundle).collect::<Vec<_>>()
    };
    let before = trusted().await;
    assert_eq!(before.len(), 2);
    secrets.delete("lath-webhook", &DeleteParams::default()).await.unwrap();
    eventually("a new certificate is trusted", SOON, async || {
        let now = trusted().await;
        if now.iter().all(|bundle| bundle.is_some() && !before.contains(bundle)) { Ok(()) } else { Err(now) }
    })
    .await;
    gets(&case, "web", (true, Some(SLEEP))).await;

    scale_controller(&case, 0).await;
    case.pod("a", "web", json!({}), json!({})).await;
    assert_eq!(got(&case.space.ready("a").await), (false, None));
    scale_controller(&case, 2).await;
    gets(&case, "web", (true, Some(SLEEP))).await;
    case.clear().await;
}
