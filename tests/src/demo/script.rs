//! What the demo does, step by step.

use std::{net::SocketAddr, path::Path, time::Duration};

use k8s_openapi::api::{apps::v1::Deployment, core::v1::Pod};
use kube::{
    Api, Client,
    api::{DynamicObject, ListParams, Patch, PatchParams},
    core::{ApiResource, GroupVersionKind},
};
use lath_kubernetes::{TargetGroupBinding, gateway::HTTPRoute, names};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    Options,
    observe::{Observer, Seen},
    summary::{Rollout, Summary},
    view::View,
};
use crate::{
    controlplane::Binaries,
    error::{Doing as _, Error, Result},
    interrupt::interrupted,
    lath::{self, Install},
    lattice::Lattice,
    load::{Load, Outcome, PORT, SLOW_CLOUD},
    world::{World, WorldOptions},
};

/// The demo's namespace.
const NAMESPACE: &str = "demo";

/// The demo's Deployment, Service and HTTPRoute are all called this.
const NAME: &str = "web";

/// The pod that sends requests.
const CALLER: &str = "caller";

/// How many requests are under way at a time.
const WORKERS: u8 = 4;

/// How often the view is drawn.
const FRAME: Duration = Duration::from_millis(200);

/// How long each step may take on a slow machine before the demo gives up.
const STEP_LIMIT: Duration = Duration::from_secs(120);

/// How long nothing may change for it to count as quiet.
const QUIET: Duration = Duration::from_secs(1);

/// For how many seconds targets drain, unless a rollout says so.
const DRAIN: u64 = 60;

/// The longest that users have seen requests come to a draining target, in seconds.
const LONG_DRAIN: u64 = 300;

/// In how many seconds the cloud's clock passes a target's whole draining.
const DRAINS_IN: u64 = 6;

/// How long a pod goes on after it was told to end, in seconds: longer than the cloud sends it requests.
const SLEEP: u64 = 11;

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
            started = World::start_detached(options_of(&path)) => started.map(|_| true)?,
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
        world = World::start(options_of(&path)) => world?,
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

/// The world of the demo: two nodes, and a cloud that carries traffic.
fn options_of(folder: &Path) -> WorldOptions {
    let mut options = WorldOptions::new(folder);
    options.cloud_arguments.push("--data-plane".into());
    let drain = format!("target.drain_seconds={DRAIN}");
    for setting in SLOW_CLOUD.into_iter().chain([drain.as_str()]) {
        options.cloud_arguments.extend(["--set".into(), setting.into()]);
    }
    options
}

async fn play(world: &World, view: &mut View) -> Result<()> {
    let client = world.client().await?;
    let lattice = Lattice::new(world.description());

    view.say("Installing Lath with its Helm chart");
    Install::default().run(world.description()).await?;

    view.say(
        "Deploying three pods, a Service, a Gateway and an HTTPRoute, and a pod that will send requests",
    );
    for object in objects().into_iter().chain([caller()]) {
        apply(&client, object).await?;
    }
    let (host, group, took) = programmed(&client).await?;
    view.say(&format!("The route is {host}, {} ms after it was applied", took.as_millis()));
    let pods: Api<Pod> = Api::namespaced(client.clone(), NAMESPACE);
    let logs = world.folder().join("logs");
    let observer = Observer::start(pods, NAME, lattice.clone(), group, logs);
    let stage = Stage { client, view, observer, lattice: lattice.clone(), host, load: None };
    tokio::select! {
        clock = lattice.hurry(DRAIN / DRAINS_IN) => clock.map(|_| ()),
        outcome = scenes(stage, world) => outcome,
    }
}

/// What happens on the stage, while the cloud's clock runs so fast that draining takes seconds.
async fn scenes(mut stage: Stage<'_>, world: &World) -> Result<()> {
    stage.until_settled(3).await?;

    stage.view.say("Scaling from 3 to 12");
    stage.scale(12).await?;
    stage.until_settled(12).await?;

    stage.view.say("Scaling from 12 to 2");
    stage.scale(2).await?;
    stage.until_settled(2).await?;

    stage.view.say("Scaling to 6");
    stage.scale(6).await?;
    stage.until_settled(6).await?;
    let mut rollouts = Vec::new();
    for (drain, victim) in [(DRAIN, Some(world)), (LONG_DRAIN, None)] {
        let what = format!("gate and preStop sleep, draining {drain} s");
        stage.view.say(&format!("Rolling out a new version under load: {what}"));
        stage.lattice.set(&json!({ "target.drain_seconds": drain.to_string() })).await?;
        let change = json!({ "metadata": { "labels": { "version": drain.to_string() } } });
        // A longer draining passes in the same seconds.
        let lattice = stage.lattice.clone();
        let outcome = tokio::select! {
            clock = lattice.hurry((drain - DRAIN) / DRAINS_IN) => return clock.map(|_| ()),
            outcome = stage.roll_out(&change, victim) => outcome?,
        };
        rollouts.push(Rollout { what, lossless: true, outcome });
    }

    let what = format!("gate without the sleep, draining {DRAIN} s");
    stage.lattice.set(&json!({ "target.drain_seconds": DRAIN.to_string() })).await?;
    stage.view.say(&format!("Once more, to see what the sleep is for: {what}"));
    let hasty =
        json!({ "terminationGracePeriodSeconds": 1, "containers": [{ "name": NAME, "lifecycle": null }] });
    stage.patch(&json!({ "spec": { "template": { "spec": hasty } } })).await?;
    stage.until_settled(6).await?;
    let change = json!({ "metadata": { "labels": { "version": "hasty" } } });
    let outcome = stage.roll_out(&change, None).await?;
    rollouts.push(Rollout { what, lossless: false, outcome });

    stage.view.settle();
    let summary = Summary::of(&stage.observer.seen(), rollouts);
    println!("{}", summary.text());
    if summary.is_clean() {
        Ok(())
    } else {
        Err(Error::failed(
            "the demo",
            "pods or requests were lost or targets are stale; please report this with the output above",
        ))
    }
}

struct Stage<'a> {
    client: Client,
    view: &'a mut View,
    observer: Observer,
    lattice: Lattice,
    /// The service's name.
    host: String,
    /// Requests that are under way.
    load: Option<Load>,
}

impl Stage<'_> {
    /// Shows what is seen until `done` is.
    async fn until(&mut self, done: impl Fn(&Seen) -> bool, what: &str) -> Result<()> {
        let give_up = Instant::now() + STEP_LIMIT;
        loop {
            let seen = self.observer.seen();
            let outcome = match &self.load {
                Some(load) => Some(load.outcome().await?),
                None => None,
            };
            self.view.show(&seen, outcome.as_ref());
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

    /// Replaces all pods under load, and the agent of a node on the way if a world is given. Returns what became of the
    /// requests.
    async fn roll_out(&mut self, change: &Value, victim: Option<&World>) -> Result<Outcome> {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), NAMESPACE);
        let caller = pods.get(CALLER).await.doing("looking for the pod that sends requests")?;
        let address = caller.status.and_then(|status| status.pod_ip).and_then(|address| address.parse().ok());
        let address = address
            .ok_or_else(|| Error::failed("looking for the pod that sends requests", "it has no address"))?;
        let load = Load::begin(SocketAddr::new(address, PORT), &self.host, WORKERS).await?;
        self.load = Some(load);
        let before = self.names();
        self.patch(&json!({ "spec": { "template": change } })).await?;
        if let Some(world) = victim {
            let first = |seen: &Seen| living(seen).any(|row| row.ready && !before.contains(&row.name));
            self.until(first, "the first new pod").await?;
            self.view.say("Killing the agent of node-0 with SIGKILL, in the middle of it");
            let agent = agent_pod(&self.client, "node-0").await?;
            world.node(0).kill(&format!("{}/{agent}", lath::NAMESPACE), "agent").await?;
        }
        let replaced = |seen: &Seen| living(seen).all(|row| !before.contains(&row.name));
        self.until(replaced, "the old pods' end").await?;
        self.until_settled(before.len()).await?;
        self.load = None;
        let outcome = load.end().await?;
        self.view.say(&format!("{} requests, {} lost", outcome.requests(), outcome.failures));
        Ok(outcome)
    }

    /// Waits until so many pods are ready and at Lattice, no other is left there or here, and that for a while.
    async fn until_settled(&mut self, pods: usize) -> Result<()> {
        let settled = |seen: &Seen| {
            let living: Vec<_> = living(seen).collect();
            living.len() == pods
                && living.iter().all(|row| row.ready && !row.target.is_empty() && row.target != "DRAINING")
                && seen.pods.values().all(|row| row.gone || !row.leaving)
                && seen.draining == 0
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

    async fn patch(&self, change: &Value) -> Result<()> {
        let api: Api<Deployment> = Api::namespaced(self.client.clone(), NAMESPACE);
        let patched = api.patch(NAME, &PatchParams::default(), &Patch::Strategic(change)).await;
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

/// The pod that sends requests. It listens too, to be told when.
fn caller() -> Value {
    let ready = json!({ "httpGet": { "path": "/readyz", "port": PORT }, "periodSeconds": 1 });
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": CALLER, "namespace": NAMESPACE },
        "spec": {
            "terminationGracePeriodSeconds": 1,
            "containers": [{ "name": CALLER, "image": "test-server", "readinessProbe": ready }],
        },
    })
}

/// Waits until VPC Lattice holds the route. Returns the name that Lattice gave its service, the ARN of the group of its
/// pods, and how long that took.
async fn programmed(client: &Client) -> Result<(String, String, Duration)> {
    let routes: Api<HTTPRoute> = Api::namespaced(client.clone(), NAMESPACE);
    let bindings: Api<TargetGroupBinding> = Api::namespaced(client.clone(), NAMESPACE);
    let started = Instant::now();
    loop {
        let route = routes.get(NAME).await.doing("looking at the route")?;
        let found = bindings.list(&ListParams::default()).await.doing("looking at bindings")?;
        let annotations = route.metadata.annotations.as_ref();
        let host = annotations.and_then(|all| all.get(names::AWS_LATTICE_DOMAIN_NAME));
        let group = found.items.first().map(|binding| binding.spec.target_group.arn.clone());
        if let (Some(host), Some(group)) = (host, group) {
            return Ok((host.clone(), group, started.elapsed()));
        }
        if started.elapsed() > STEP_LIMIT {
            let status = serde_json::to_string(&route.status).unwrap_or_default();
            return Err(Error::failed("waiting for the route to be served", status));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// What a user would apply: the documented way, with Lath's readiness gate and a preStop sleep.
fn objects() -> Vec<Value> {
    let meta = |name: &str| json!({ "name": name, "namespace": NAMESPACE });
    vec![
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": NAMESPACE } }),
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": meta(NAME),
            "spec": { "selector": { "app": NAME }, "ports": [{ "name": "http", "port": 80, "targetPort": "http" }] }
        }),
        json!({
            "apiVersion": "lath.dev/v1alpha1", "kind": "GatewayParameters", "metadata": meta("mesh"),
            "spec": { "serviceNetwork": { "create": true } }
        }),
        json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": meta("mesh"),
            "spec": {
                "gatewayClassName": "lath",
                "infrastructure": {
                    "parametersRef": { "group": "lath.dev", "kind": "GatewayParameters", "name": "mesh" }
                },
                "listeners": [{ "name": "http", "protocol": "HTTP", "port": 80 }]
            }
        }),
        json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": meta(NAME),
            "spec": {
                "parentRefs": [{ "name": "mesh" }],
                "rules": [{ "backendRefs": [{ "name": NAME, "port": 80 }] }]
            }
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
                        "terminationGracePeriodSeconds": SLEEP + 6,
                        "containers": [{
                            "name": NAME,
                            "image": "test-server",
                            "ports": [{ "name": "http", "containerPort": PORT }],
                            "readinessProbe": { "httpGet": { "path": "/readyz", "port": "http" }, "periodSeconds": 1 },
                            "lifecycle": { "preStop": { "sleep": { "seconds": SLEEP } } }
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
    let resource = match gvk.kind.as_str() {
        // Its plural is the same.
        "GatewayParameters" => ApiResource::from_gvk_with_plural(&gvk, "gatewayparameters"),
        _ => ApiResource::from_gvk(&gvk),
    };
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
         {kubectl} get gateway,httproute,tgb,nodetargets -A\n  \
         {kubectl} -n {NAMESPACE} scale deployment {NAME} --replicas 20\n  \
         {kubectl} -n {NAMESPACE} describe httproute {NAME}\n\n\
         cargo xtask world stop --dir {} takes it down, and leaves its logs there.\n",
        kubeconfig.display(),
        kubeconfig.display(),
        folder.display()
    )
}
