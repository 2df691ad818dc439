//! What the demo does, step by step.

use std::{path::Path, time::Duration};

use k8s_openapi::api::{apps::v1::Deployment, core::v1::Pod};
use kube::{
    Api, Client,
    api::{DynamicObject, ListParams, Patch, PatchParams},
    core::{ApiResource, GroupVersionKind},
};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    Options,
    observe::{Observer, Seen},
    summary::Summary,
    view::View,
};
use crate::{
    controlplane::Binaries,
    error::{Doing as _, Error, Result},
    interrupt::interrupted,
    lath::{self, Install},
    lattice::Lattice,
    world::{World, WorldOptions},
};

/// The demo's namespace.
const NAMESPACE: &str = "demo";

/// The demo's Deployment, Service, binding, group and service are all called this.
const NAME: &str = "web";

/// How often the view is drawn.
const FRAME: Duration = Duration::from_millis(200);

/// How long each step may take on a slow machine before the demo gives up.
const STEP_LIMIT: Duration = Duration::from_secs(120);

/// How long nothing may change for it to count as quiet.
const QUIET: Duration = Duration::from_secs(1);

/// Runs the demo. It ends by itself, or with Ctrl-C, and leaves nothing behind unless asked to.
///
/// # Errors
/// When a step fails, or the outcome is not clean.
pub async fn run(options: Options) -> Result<()> {
    let folder =
        tempfile::Builder::new().prefix("lath-demo-").tempdir().doing("making a folder for the demo")?;
    let path = folder.path().to_owned();
    let mut view = View::new();
    view.say("Starting a cluster of two nodes and a cloud on this machine");
    if options.keep {
        let started = tokio::select! {
            started = World::start_detached(WorldOptions::new(&path)) => started.map(|_| true)?,
            () = interrupted() => false,
        };
        let outcome = tokio::select! {
            outcome = async { play(&World::attach(&path)?, &mut view).await }, if started => Some(outcome),
            () = interrupted(), if started => None,
            else => None,
        };
        if let Some(outcome) = outcome {
            println!("{}", after_keep(&folder.keep()));
            return outcome;
        }
        view.settle();
        view.say("Interrupted: taking everything down");
        return World::stop_detached(&path).await;
    }
    let world = tokio::select! {
        world = World::start(WorldOptions::new(&path)) => world?,
        () = interrupted() => return Ok(()),
    };
    let outcome = tokio::select! {
        outcome = play(&world, &mut view) => outcome,
        () = interrupted() => {
            view.settle();
            view.say("Interrupted");
            Ok(())
        }
    };
    view.say("Taking everything down");
    world.stop().await?;
    outcome
}

async fn play(world: &World, view: &mut View) -> Result<()> {
    let client = world.client().await?;
    let lattice = Lattice::new(world.description());

    view.say("Installing Lath with its Helm chart");
    Install::default().run(world.description()).await?;

    view.say("Making a target group and a service with a listener at VPC Lattice");
    let group = lattice.create_group(NAME, world.vpc(), lath::CLUSTER, NAMESPACE).await?;
    lattice.create_service(NAME, &group).await?;

    view.say("Deploying three pods, a Service and a TargetGroupBinding");
    for object in objects(&group) {
        apply(&client, object).await?;
    }
    let observer = Observer::start(client.clone(), lattice, NAMESPACE, group, world.folder().join("logs"));
    let mut stage = Stage { client, view, observer };
    stage.until_settled(3).await?;

    stage.view.say("Scaling from 3 to 12");
    stage.scale(12).await?;
    stage.until_settled(12).await?;

    stage.view.say("Scaling from 12 to 2");
    stage.scale(2).await?;
    stage.until_settled(2).await?;

    stage.view.say("Scaling to 6 and rolling out a new version");
    stage.scale(6).await?;
    stage.until_settled(6).await?;
    let before = stage.names();
    stage.roll_out().await?;
    stage
        .until(|seen| living(seen).any(|row| row.ready && !before.contains(&row.name)), "the first new pod")
        .await?;
    stage.view.say("Killing the agent of node-0 with SIGKILL, in the middle of it");
    let agent = agent_pod(&stage.client, "node-0").await?;
    world.node(0).kill(&format!("{}/{agent}", lath::NAMESPACE), "agent").await?;
    stage.until(|seen| living(seen).all(|row| !before.contains(&row.name)), "the old pods' end").await?;
    stage.until_settled(6).await?;

    stage.view.settle();
    let summary = Summary::of(&stage.observer.seen());
    println!("{}", summary.text());
    if summary.is_clean() {
        Ok(())
    } else {
        Err(Error::failed(
            "the demo",
            "pods were lost or targets are stale; please report this with the output above",
        ))
    }
}

struct Stage<'a> {
    client: Client,
    view: &'a mut View,
    observer: Observer,
}

impl Stage<'_> {
    /// Shows what is seen until `done` is.
    async fn until(&mut self, done: impl Fn(&Seen) -> bool, what: &str) -> Result<()> {
        let give_up = Instant::now() + STEP_LIMIT;
        loop {
            let seen = self.observer.seen();
            self.view.show(&seen);
            if done(&seen) {
                return Ok(());
            }
            if Instant::now() > give_up {
                self.view.settle();
                return Err(Error::failed(
                    format!("waiting for {what}"),
                    format!("nothing after {STEP_LIMIT:?}"),
                ));
            }
            tokio::time::sleep(FRAME).await;
        }
    }

    /// Waits until so many pods are ready and at Lattice, no other is left, and that for a while.
    async fn until_settled(&mut self, pods: usize) -> Result<()> {
        let settled = |seen: &Seen| {
            let living: Vec<_> = living(seen).collect();
            living.len() == pods
                && living.iter().all(|row| row.ready && !row.target.is_empty() && row.target != "DRAINING")
                && seen.pods.values().all(|row| row.gone || !row.leaving)
        };
        self.until(settled, &format!("{pods} pods that are ready and targets")).await?;
        let quiet = Instant::now() + QUIET;
        self.until(|_| Instant::now() > quiet, "quiet").await
    }

    fn names(&self) -> Vec<String> {
        living(&self.observer.seen()).map(|row| row.name.clone()).collect()
    }

    async fn scale(&self, replicas: u32) -> Result<()> {
        self.patch(&json!({ "spec": { "replicas": replicas } })).await
    }

    async fn roll_out(&self) -> Result<()> {
        let version = json!({ "metadata": { "labels": { "version": "2" } } });
        self.patch(&json!({ "spec": { "template": version } })).await
    }

    async fn patch(&self, change: &Value) -> Result<()> {
        let api: Api<Deployment> = Api::namespaced(self.client.clone(), NAMESPACE);
        let patched = api.patch(NAME, &PatchParams::default(), &Patch::Merge(change)).await;
        patched.map(|_| ()).doing("changing the Deployment")
    }
}

fn living(seen: &Seen) -> impl Iterator<Item = &super::observe::Row> {
    seen.pods.values().filter(|row| !row.gone && !row.leaving)
}

async fn agent_pod(client: &Client, node: &str) -> Result<String> {
    let api: Api<Pod> = Api::namespaced(client.clone(), lath::NAMESPACE);
    let params = ListParams::default()
        .labels("app.kubernetes.io/component=agent")
        .fields(&format!("spec.nodeName={node}"));
    let pods = api.list(&params).await.doing("looking for the agent's pod")?;
    let name = pods.items.first().and_then(|pod| pod.metadata.name.clone());
    name.ok_or_else(|| Error::failed("looking for the agent's pod", format!("there is none on {node}")))
}

/// What a user would apply: the documented way, with Lath's readiness gate and a preStop sleep.
fn objects(group: &str) -> Vec<Value> {
    let meta = |name: &str| json!({ "name": name, "namespace": NAMESPACE });
    vec![
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": NAMESPACE } }),
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": meta(NAME),
            "spec": { "selector": { "app": NAME }, "ports": [{ "name": "http", "port": 80, "targetPort": "http" }] }
        }),
        json!({
            "apiVersion": "lath.dev/v1alpha1", "kind": "TargetGroupBinding", "metadata": meta(NAME),
            "spec": { "targetGroup": { "arn": group }, "service": { "name": NAME, "port": "http" } }
        }),
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta(NAME),
            "spec": {
                "replicas": 3,
                "selector": { "matchLabels": { "app": NAME } },
                "template": {
                    "metadata": { "labels": { "app": NAME, "version": "1" } },
                    "spec": {
                        "readinessGates": [{ "conditionType": "lath.dev/target-health" }],
                        "terminationGracePeriodSeconds": 5,
                        "containers": [{
                            "name": "web",
                            "image": "test-server",
                            "ports": [{ "name": "http", "containerPort": 8080 }],
                            "readinessProbe": { "httpGet": { "path": "/readyz", "port": "http" }, "periodSeconds": 1 },
                            "lifecycle": { "preStop": { "sleep": { "seconds": 1 } } }
                        }]
                    }
                }
            }
        }),
    ]
}

async fn apply(client: &Client, object: Value) -> Result<()> {
    let object: DynamicObject = serde_json::from_value(object).doing("composing the demo's objects")?;
    let types = object.types.clone().unwrap_or_default();
    let doing = || format!("applying the demo's {}", types.kind);
    let gvk = GroupVersionKind::try_from(&types).doing_with(doing)?;
    let resource = ApiResource::from_gvk(&gvk);
    let api: Api<DynamicObject> = match &object.metadata.namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    };
    let name = object.metadata.name.clone().unwrap_or_default();
    let params = PatchParams::apply("lath-demo").force();
    api.patch(&name, &params, &Patch::Apply(&object)).await.doing_with(doing)?;
    Ok(())
}

fn after_keep(folder: &Path) -> String {
    let kubeconfig = folder.join("kubeconfig");
    let on_path = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join("kubectl").is_file()));
    let built = Binaries::from_environment().map(|binaries| binaries.path("kubectl"));
    let kubectl = match built {
        Ok(built) if !on_path => built.display().to_string(),
        _ => "kubectl".into(),
    };
    format!(
        "\nEverything stays up. Its kubeconfig is {}\n\n  \
         export KUBECONFIG={}\n  \
         {kubectl} get tgb,nodetargets -A\n  \
         {kubectl} -n {NAMESPACE} scale deployment {NAME} --replicas 20\n  \
         {kubectl} -n {NAMESPACE} describe tgb {NAME}\n\n\
         cargo xtask world stop --dir {} takes it down, and leaves its logs there.\n",
        kubeconfig.display(),
        kubeconfig.display(),
        folder.display()
    )
}
