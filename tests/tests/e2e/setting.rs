//! Worlds with Lath in them, and shorthands for what a test does in its own namespace.

use std::collections::BTreeSet;
use std::fs::File;
use std::net::SocketAddr;
use std::ops::Deref;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use kube::{Api, ResourceExt as _};
use lath_kubernetes::TargetGroupBinding;
use serde_json::{Value, json};
use tests::expect::{eventually, get_json};
use tests::lath::{self, Install};
use tests::lattice::{Call, Lattice};
use tests::load::PORT;
use tests::world::{World, WorldOptions};
use tokio::sync::{OnceCell, Semaphore, SemaphorePermit};

use super::space::{Space, addresses, condition, folder};

/// How long anything may take that needs no more than a few calls and a pod's start, on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(40);

/// How long an agent's Lease lasts in these worlds, in seconds. Its renewals, four times as often, come through even
/// where two cores carry three worlds.
const LEASE_SECONDS: u32 = 16;

/// Waits until no other run of these tests in this checkout is under way: it would take this one's worlds for leftovers.
async fn alone() {
    static LOCK: OnceCell<File> = OnceCell::const_new();
    let lock = async || {
        let file = File::create(Path::new(env!("CARGO_TARGET_TMPDIR")).join("e2e.lock")).unwrap();
        let free = async || file.try_lock().map_err(|error| error.to_string());
        eventually("another run of these tests ends", Duration::from_mins(10), free).await;
        file
    };
    LOCK.get_or_init(lock).await;
}

/// Starts a world and installs Lath, with periods for a cluster that lives for minutes.
async fn start(name: &str, manual_endpoints: bool) -> World {
    start_with(name, manual_endpoints, &[]).await
}

/// As [`start`], with more arguments for the cloud.
async fn start_with(name: &str, manual_endpoints: bool, cloud: &[&str]) -> World {
    alone().await;
    let mut options = WorldOptions::new(folder(name).await);
    for setting in ["target.drain_seconds=5", "target.unused_linger_seconds=0"] {
        options.cloud_arguments.extend(["--set".into(), setting.into()]);
    }
    options.cloud_arguments.extend(cloud.iter().map(|argument| (*argument).into()));
    let world = World::start(options).await.unwrap();
    let slow = cloud.iter().any(|setting| setting.starts_with("propagation.register_seconds="));
    install(&world, values(&world, manual_endpoints, slow)).await;
    world
}

/// How Lath is installed in a world, whose cloud takes its time with registrations or not.
fn values(world: &World, manual_endpoints: bool, slow: bool) -> Value {
    let controller = [
        "--group-refresh=3s",
        "--status-numbers-every=1s",
        "--audit-period=3s",
        "--confirm-after=3s",
        "--drain-time=10s",
        "--teardown-patience=20s",
        "--gate-settle=2s",
        // What the controller takes for granted has to be so.
        if slow { "--assumed-propagation=2s" } else { "--assumed-propagation=200ms" },
    ];
    let (network, length) = world.description().plan.network_v4();
    json!({
        "agent": { "leaseSeconds": LEASE_SECONDS },
        "controller": {
            "extraArgs": controller,
            "allowManualEndpoints": manual_endpoints,
            "vpcCidrs": [format!("{network}/{length}")],
        },
        "webhook": { "enabled": true, "preStopSeconds": 2 },
    })
}

/// Has Lath take over from the AWS controller, in a world of [`carrying`].
pub(crate) async fn take_over(world: &World) {
    let mut values = values(world, false, false);
    values["takeOver"] = json!({ "enabled": true });
    install(world, values).await;
}

/// Installs Lath in a world, or changes how it is installed.
async fn install(world: &World, values: Value) {
    let installed = (Install { values }).run(world.description()).await;
    if let Err(error) = installed {
        panic!("{error}; the last words of its pods: {}", last_words(world));
    }
}

/// The last lines that Lath's pods have written, for the message of an installation that failed.
fn last_words(world: &World) -> String {
    let pods = std::fs::read_dir(world.folder().join("logs")).into_iter().flatten().flatten();
    let logs = pods.filter_map(|pod| std::fs::read_dir(pod.path()).ok()).flatten().flatten();
    let lines: Vec<String> = logs
        .map(|log| {
            let text = std::fs::read_to_string(log.path()).unwrap_or_default();
            let last = text.lines().rev().find(|line| !line.is_empty()).unwrap_or_default();
            format!("{}: {last}", log.path().display())
        })
        .collect();
    lines.join("\n")
}

/// The world of the tests that disturb nothing. It goes with this process. Hand-made endpoints are allowed in it.
pub(crate) async fn shared() -> &'static World {
    static STARTS: AtomicU32 = AtomicU32::new(0);
    static WORLD: OnceCell<World> = OnceCell::const_new();
    let once = async || {
        assert_eq!(
            STARTS.fetch_add(1, Ordering::Relaxed),
            0,
            "the shared world did not start; another test says why"
        );
        start("e2e", true).await
    };
    WORLD.get_or_init(once).await
}

/// How many worlds there are for tests that disturb theirs. Each takes a gigabyte, and seconds of both cores to start.
static PERMITS: Semaphore = Semaphore::const_new(2);

/// Worlds that were handed back.
static IDLE: Mutex<Vec<World>> = Mutex::new(Vec::new());

/// A world that a test has for itself. It is handed back whole; one in which a test failed is thrown away.
pub(crate) struct Own {
    world: Option<World>,
    _permit: SemaphorePermit<'static>,
}

/// Borrows a world; waits until there is one.
pub(crate) async fn own() -> Own {
    let permit = PERMITS.acquire().await.unwrap();
    let idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let world = if let Some(world) = idle {
        world
    } else {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        start(&format!("e2e-own-{number}"), false).await
    };
    Own { world: Some(world), _permit: permit }
}

/// A world whose cloud carries traffic, with these settings. It is one test's, and ends with that.
pub(crate) async fn carrying(name: &str, settings: &[&str]) -> World {
    let cloud: Vec<&str> = settings.iter().flat_map(|setting| ["--set", setting]).collect();
    carrying_with(name, &cloud).await
}

/// As [`carrying`], with these arguments for the cloud.
pub(crate) async fn carrying_with(name: &str, cloud: &[&str]) -> World {
    let _permit = PERMITS.acquire().await.unwrap();
    start_with(name, false, &[&["--data-plane"], cloud].concat()).await
}

/// Two worlds whose clusters share a cloud that carries traffic, each in a VPC of its own.
pub(crate) async fn two(name: &str) -> [World; 2] {
    let _permits = PERMITS.acquire_many(2).await.unwrap();
    let first = start_with(name, false, &["--data-plane"]).await;
    let mut options = WorldOptions::new(folder(&format!("{name}-too")).await);
    options.cloud_of = Some(first.folder().to_owned());
    let second = World::start(options).await.unwrap();
    install(&second, values(&second, false, false)).await;
    [first, second]
}

impl Deref for Own {
    type Target = World;

    fn deref(&self) -> &World {
        self.world.as_ref().unwrap()
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            IDLE.lock().unwrap_or_else(PoisonError::into_inner).extend(self.world.take());
        }
    }
}

/// A test's own namespace in a world, and a client of the world's cloud.
pub(crate) struct Case<'a> {
    pub(crate) world: &'a World,
    pub(crate) space: Space,
    pub(crate) lattice: Lattice,
    pub(crate) bindings: Api<TargetGroupBinding>,
}

impl<'a> Case<'a> {
    pub(crate) async fn new(world: &'a World, name: &'static str) -> Self {
        let space = Space::new(world, name).await;
        let bindings = Api::namespaced(space.client.clone(), name);
        Self { world, lattice: Lattice::new(world.description()), bindings, space }
    }

    /// Makes a target group that a service uses, and returns its ARN.
    pub(crate) async fn group(&self, name: &str) -> String {
        let group = self.unused_group(name).await;
        self.lattice.create_service(&self.full(name), &group).await.unwrap();
        group
    }

    /// Makes a target group that no service uses.
    pub(crate) async fn unused_group(&self, name: &str) -> String {
        let name = self.full(name);
        self.lattice
            .create_group(&name, self.world.vpc(), &self.world.description().cluster, self.space.name)
            .await
            .unwrap()
    }

    /// The name of something at the cloud, which knows no namespaces.
    pub(crate) fn full(&self, name: &str) -> String {
        format!("{}-{name}", self.space.name)
    }

    /// Makes a Service whose port 80, named `http`, leads to `target` of the pods with label `app`.
    pub(crate) async fn service(&self, name: &str, app: &str, target: Value) {
        self.space
            .apply(json!({
                "apiVersion": "v1", "kind": "Service", "metadata": { "name": name },
                "spec": { "selector": { "app": app }, "ports": [{ "name": "http", "port": 80, "targetPort": target }] },
            }))
            .await;
    }

    /// Binds a Service's port 80 to a group.
    pub(crate) async fn bind(&self, name: &str, group: &str, service: &str) {
        self.bind_with(name, group, service, json!({})).await;
    }

    pub(crate) async fn bind_with(&self, name: &str, group: &str, service: &str, more: Value) {
        self.space.apply(binding(name, group, service, more)).await;
    }

    /// A group, a Service and a binding, all called `name`, for the pods with label `app: name`, port 8080. Returns the
    /// group once the binding is accepted.
    pub(crate) async fn bound(&self, name: &str) -> String {
        let group = self.group(name).await;
        self.service(name, name, json!(8080)).await;
        self.bind(name, &group, name).await;
        self.judged(name, "True", "Accepted").await;
        group
    }

    /// Waits until the condition Accepted of a binding has this status and reason, and returns its message.
    pub(crate) async fn judged(&self, binding: &str, status: &str, reason: &str) -> String {
        eventually(&format!("binding {binding} is Accepted={status}, {reason}"), SOON, async || {
            let binding = self.bindings.get(binding).await.map_err(|error| error.to_string())?;
            let condition = binding.condition("Accepted").filter(|condition| {
                condition.status == status
                    && condition.reason == reason
                    && condition.observed_generation == binding.metadata.generation
            });
            condition
                .map(|condition| condition.message.clone())
                .ok_or_else(|| format!("{:?}", binding.status))
        })
        .await
    }

    /// Makes a pod with label `app` and one container of the image test-server, changed by `spec` and `container`.
    pub(crate) async fn pod(&self, name: &str, app: &str, spec: Value, container: Value) {
        let template = template(app, spec, container);
        let labels = &template["metadata"]["labels"];
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name, "labels": labels }, "spec": template["spec"],
        });
        self.space.apply(pod).await;
    }

    /// Makes a Deployment whose pods wait for Lath's readiness gate if `gated`.
    pub(crate) async fn deployment(&self, name: &str, replicas: u32, gated: bool) {
        let gates = if gated {
            json!({ "readinessGates": [{ "conditionType": "lath.dev/target-health" }] })
        } else {
            json!({})
        };
        self.space
            .apply(json!({
                "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": name },
                "spec": {
                    "replicas": replicas, "selector": { "matchLabels": { "app": name } },
                    "template": template(name, gates, json!({})),
                },
            }))
            .await;
    }

    /// Makes a pod that sends requests when it is told to, see [`tests::load::Load`], and returns where it listens.
    pub(crate) async fn client(&self) -> SocketAddr {
        self.pod("client", "client", json!({}), json!({})).await;
        eventually("the client runs", SOON, async || {
            let pods = self.pods("client").await?;
            let address = pods.first().and_then(|pod| addresses(pod).first().copied());
            let at = SocketAddr::new(address.ok_or("it has no address")?, PORT);
            get_json(at, "/healthz").await.map(|_| at).map_err(|error| error.to_string())
        })
        .await
    }

    /// The pods with label `app`.
    pub(crate) async fn pods(&self, app: &str) -> Result<Vec<Pod>, String> {
        let list = self.space.pods.list(&ListParams::default().labels(&format!("app={app}"))).await;
        list.map(|list| list.items).map_err(|error| error.to_string())
    }

    /// The targets of a group that are not draining, as address:port.
    pub(crate) async fn targets(&self, group: &str) -> Result<BTreeSet<String>, String> {
        let targets = self.lattice.targets(group).await.map_err(|error| error.to_string())?;
        let live = targets.into_iter().filter(|target| target.status != "DRAINING");
        Ok(live.map(|target| at(&target.id, target.port)).collect())
    }

    /// Waits until a group holds these targets and no others.
    pub(crate) async fn holds(&self, group: &str, wanted: impl IntoIterator<Item = String>) {
        let wanted: BTreeSet<String> = wanted.into_iter().collect();
        eventually(&format!("{group} holds {wanted:?}"), SOON, async || {
            let held = self.targets(group).await?;
            if held == wanted { Ok(()) } else { Err(format!("{held:?}")) }
        })
        .await;
    }

    /// Waits until there are `count` pods with label `app`, all Ready, and the group holds them, on port 8080, and nothing
    /// else: none is lost and none is stale. Returns them.
    pub(crate) async fn settled(&self, group: &str, app: &str, count: usize) -> Vec<Pod> {
        eventually(&format!("{count} pods of {app} are the targets of {group}"), SOON * 2, async || {
            let pods = self.pods(app).await?;
            let held = self.targets(group).await?;
            let wanted: BTreeSet<String> =
                pods.iter().filter(|pod| !addresses(pod).is_empty()).map(|pod| target(pod, 8080)).collect();
            let whole = pods.len() == count
                && pods.iter().all(|pod| {
                    pod.metadata.deletion_timestamp.is_none() && condition(pod, "Ready") == "True"
                });
            if whole && held == wanted && wanted.len() == count { Ok(pods) } else { Err(seen(&pods, &held)) }
        })
        .await
    }

    /// The number of the last call that the cloud has seen.
    pub(crate) async fn mark(&self) -> u64 {
        self.lattice.calls(0).await.unwrap().last().map_or(0, |call| call.n)
    }

    /// The calls since a mark that register into a group or deregister from it.
    pub(crate) async fn writes(&self, after: u64, group: &str) -> Vec<Call> {
        let mut calls = self.lattice.calls(after).await.unwrap();
        calls.retain(|call| {
            ["RegisterTargets", "DeregisterTargets"].contains(&call.operation.as_str())
                && [group, id_of(group)]
                    .contains(&call.request["targetGroupIdentifier"].as_str().unwrap_or_default())
        });
        calls
    }

    /// Fails if any target was deregistered from a group since a mark.
    pub(crate) async fn nothing_left(&self, after: u64, group: &str) {
        let gone: Vec<Call> = self
            .writes(after, group)
            .await
            .into_iter()
            .filter(|call| call.operation == "DeregisterTargets")
            .collect();
        assert!(gone.is_empty(), "targets were deregistered from {group}: {gone:?}");
    }

    /// Ends what the test runs, so that the next one in this world finds it at rest.
    pub(crate) async fn clear(&self) {
        use kube::api::DeleteParams;
        let namespaces: Api<k8s_openapi::api::core::v1::Namespace> = Api::all(self.space.client.clone());
        namespaces.delete(self.space.name, &DeleteParams::default()).await.unwrap();
        eventually(
            &format!("the namespace {} is gone", self.space.name),
            SOON * 2,
            async || match namespaces.get_opt(self.space.name).await {
                Ok(None) => Ok(()),
                Ok(Some(namespace)) => Err(format!("{:?}", namespace.status)),
                Err(error) => Err(error.to_string()),
            },
        )
        .await;
    }

    /// The pod of Lath's agent on a node.
    pub(crate) async fn agent(&self, node: u8) -> Pod {
        eventually(&format!("a ready agent on node {node}"), SOON, async || {
            let pods = components(self, "agent").await?;
            let name = format!("node-{node}");
            let on_node =
                |pod: &&Pod| pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()) == Some(&name);
            let ready =
                |pod: &&Pod| pod.metadata.deletion_timestamp.is_none() && condition(pod, "Ready") == "True";
            pods.iter()
                .find(|pod| on_node(pod) && ready(pod))
                .cloned()
                .ok_or_else(|| seen(&pods, &BTreeSet::new()))
        })
        .await
    }

    /// Where the admin server of a node's agent listens.
    pub(crate) async fn admin(&self, node: u8) -> SocketAddr {
        SocketAddr::new(addresses(&self.agent(node).await)[0], 9808)
    }
}

/// The id at the end of an ARN, which is what the paths of calls take.
pub(crate) fn id_of(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// The pods of one of Lath's own components.
pub(crate) async fn components(case: &Case<'_>, component: &str) -> Result<Vec<Pod>, String> {
    let pods: Api<Pod> = Api::namespaced(case.space.client.clone(), lath::NAMESPACE);
    let params = ListParams::default().labels(&format!("app.kubernetes.io/component={component}"));
    pods.list(&params).await.map(|list| list.items).map_err(|error| error.to_string())
}

/// A binding of a Service's port 80; `more` goes into its spec.
pub(crate) fn binding(name: &str, group: &str, service: &str, more: Value) -> Value {
    let mut spec = json!({ "targetGroup": { "arn": group }, "service": { "name": service, "port": 80 } });
    merge(&mut spec, more);
    json!({ "apiVersion": "lath.dev/v1alpha1", "kind": "TargetGroupBinding", "metadata": { "name": name }, "spec": spec })
}

/// A pod template with one container of the image test-server, ready when it listens.
pub(crate) fn template(app: &str, spec: Value, container: Value) -> Value {
    let mut main = json!({
        "name": "main", "image": "test-server",
        "readinessProbe": { "httpGet": { "path": "/readyz", "port": 8080 }, "periodSeconds": 1 },
    });
    merge(&mut main, container);
    let mut whole = json!({ "terminationGracePeriodSeconds": 1, "containers": [main] });
    merge(&mut whole, spec);
    json!({ "metadata": { "labels": { "app": app } }, "spec": whole })
}

fn merge(into: &mut Value, from: Value) {
    if let Value::Object(from) = from {
        for (name, value) in from {
            into[name] = value;
        }
    }
}

/// A pod as a target: its first address and a port.
pub(crate) fn target(pod: &Pod, port: u16) -> String {
    SocketAddr::new(addresses(pod)[0], port).to_string()
}

fn at(address: &str, port: u16) -> String {
    SocketAddr::new(address.parse().unwrap(), port).to_string()
}

/// What was seen, for the message of a test that waits in vain.
fn seen(pods: &[Pod], held: &BTreeSet<String>) -> String {
    let pods: Vec<String> = pods
        .iter()
        .map(|pod| {
            let node = pod.spec.as_ref().and_then(|spec| spec.node_name.clone()).unwrap_or_default();
            let leaving = if pod.metadata.deletion_timestamp.is_some() { " leaving" } else { "" };
            format!(
                "{} on {node} {:?} Ready={}{leaving}",
                pod.name_any(),
                addresses(pod),
                condition(pod, "Ready")
            )
        })
        .collect();
    format!("pods {pods:#?}, targets {held:?}")
}
