//! The lab: a control plane, the simulator, an agent and what they work on.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use futures::StreamExt as _;
use k8s_openapi::api::{core::v1::Pod, discovery::v1::EndpointSlice};
use kube::{
    Api, Client,
    api::{DeleteParams, DynamicObject, Patch, PatchParams, PostParams},
    core::{ApiResource, GroupVersionKind},
    runtime::watcher,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    task::JoinSet,
};

use crate::{
    controlplane::{self, Binaries},
    error::{Doing as _, Error, Result},
    lattice::{Call, Lattice},
    world::Account,
};

/// The one node.
pub(super) const NODE: &str = "bench-node";

/// Where everything that is measured lives.
pub(super) const NAMESPACE: &str = "bench";

/// The cluster's name.
const CLUSTER: &str = "bench";

/// Any VPC: the simulator knows none yet.
const VPC: &str = "vpc-0123456789abcdef0";

/// When things were seen, by what they are called, in seconds of the wall clock.
pub(super) type Sightings = Arc<Mutex<BTreeMap<String, f64>>>;

/// The lab. Its processes end with it.
pub(super) struct Lab {
    folder: PathBuf,
    binaries: PathBuf,
    pub(super) client: Client,
    pub(super) lattice: Lattice,
    kubeconfig: PathBuf,
    endpoint: String,
    region: String,
    account: Account,
    _cloud: Child,
    agent: Option<Child>,
    controller: Option<Child>,
    /// `pod` and `slice` sightings: ready by address, or gone (`-address`).
    pub(super) pod_seen: Sightings,
    pub(super) slice_seen: Sightings,
    /// When a pod's gate was seen open, by pod name.
    pub(super) gate_seen: Sightings,
    _watches: JoinSet<()>,
}

/// Seconds of the wall clock, as the simulator's log has them.
pub(super) fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

impl Lab {
    /// Where the control plane of the lab in a folder has its state.
    pub(super) fn control_plane(folder: &Path) -> PathBuf {
        folder.join("cp")
    }

    /// Sets a lab up in a folder.
    pub(super) async fn start(folder: &Path, binaries: &Path, cloud_arguments: &[&str]) -> Result<Self> {
        let programs = Binaries::from_environment()?;
        programs.ensure().await?;
        let kubeconfig = controlplane::start(&Self::control_plane(folder), &programs).await?;
        let config = controlplane::client_config(&kubeconfig).await?;
        let client = Client::try_from(config).doing("making a client")?;

        let mut cloud = Command::new(binaries.join("lath"))
            .args(["sim", "--listen", "127.0.0.1:0"])
            .args(cloud_arguments)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .doing("starting lath sim")?;
        let stdout =
            cloud.stdout.take().ok_or_else(|| Error::failed("starting lath sim", "it has no output"))?;
        let line = BufReader::new(stdout)
            .lines()
            .next_line()
            .await
            .doing("reading from lath sim")?
            .unwrap_or_default();
        let ready: Value = serde_json::from_str(&line).doing("reading what lath sim printed")?;
        let account: Account =
            serde_json::from_value(ready["accounts"][0].clone()).doing("reading its account")?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (endpoint, region) = (text(&ready["endpoint"]), text(&ready["region"]));

        let [pod_seen, slice_seen, gate_seen] = [(); 3].map(|()| Sightings::default());
        let mut watches = JoinSet::new();
        watches.spawn(watch_pods(client.clone(), pod_seen.clone(), gate_seen.clone()));
        watches.spawn(watch_slices(client.clone(), slice_seen.clone()));
        let lab = Self {
            folder: folder.into(),
            binaries: binaries.into(),
            lattice: Lattice::at(&endpoint, &account.access_key_id, &region),
            client,
            kubeconfig,
            endpoint,
            region,
            account,
            _cloud: cloud,
            agent: None,
            controller: None,
            pod_seen,
            slice_seen,
            gate_seen,
            _watches: watches,
        };
        for (_, crd) in lath_kubernetes::crds::all() {
            lab.apply(serde_json::to_value(crd).doing("composing a definition")?).await?;
        }
        for namespace in [NAMESPACE, "lath-system"] {
            lab.apply(json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace } }))
                .await?;
        }
        lab.apply(json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": NODE } })).await?;
        // The controller manager makes it as well, a moment later than the first pod wants it.
        let account = json!({ "name": "default", "namespace": NAMESPACE });
        lab.apply(json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": account })).await?;
        Ok(lab)
    }

    fn command(&self, program: &str) -> Result<Command> {
        let log = std::fs::File::create(self.folder.join(format!("{program}.log"))).doing("making a log")?;
        let mut command = Command::new(self.binaries.join(program));
        command
            .env("KUBECONFIG", &self.kubeconfig)
            .env("AWS_REGION", &self.region)
            .env("AWS_ENDPOINT_URL_VPC_LATTICE", &self.endpoint)
            .env("AWS_ACCESS_KEY_ID", &self.account.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", &self.account.secret_access_key)
            .env("CLUSTER_NAME", CLUSTER)
            .env("LATH_NAMESPACE", "lath-system")
            .stdin(Stdio::null())
            .stderr(log)
            .kill_on_drop(true);
        Ok(command)
    }

    /// Starts the agent and returns when that was.
    pub(super) fn start_agent(&mut self) -> Result<f64> {
        let mut command = self.command("lath-agent")?;
        command.args(["--node-name", NODE, "--admin-listen", "127.0.0.1:0", "--state-dir"]);
        command.arg(self.folder.join("state"));
        let started = now();
        self.agent = Some(command.spawn().doing("starting lath-agent")?);
        Ok(started)
    }

    /// Ends the agent.
    pub(super) async fn stop_agent(&mut self) -> Result<()> {
        let Some(mut agent) = self.agent.take() else { return Ok(()) };
        agent.kill().await.doing("ending lath-agent")
    }

    /// Starts the controller.
    pub(super) fn start_controller(&mut self) -> Result<()> {
        let mut command = self.command("lath-controller")?;
        command
            .env("REGION", &self.region)
            .env("AWS_ACCOUNT_ID", &self.account.id)
            .env("CLUSTER_VPC_ID", VPC)
            .env("LATH_NEIGHBOURS_ENDPOINT", &self.endpoint)
            .env("DEFAULT_SERVICE_NETWORK", "mesh")
            .args(["--metrics-bind-address", "127.0.0.1:0", "--health-probe-bind-address", "127.0.0.1:0"]);
        self.controller = Some(command.spawn().doing("starting lath-controller")?);
        Ok(())
    }

    /// CPU seconds and resident kilobytes of the agent.
    pub(super) fn agent_usage(&self) -> Option<(f64, u64)> {
        usage(self.agent.as_ref()?.id()?)
    }

    /// CPU seconds and resident kilobytes of the controller.
    pub(super) fn controller_usage(&self) -> Option<(f64, u64)> {
        usage(self.controller.as_ref()?.id()?)
    }

    /// Makes a Service, a target group and the binding between them. `accepted` stands in for the controller.
    pub(super) async fn bind(&self, name: &str, accepted: bool) -> Result<String> {
        let group = self.lattice.create_group(name, VPC, CLUSTER, NAMESPACE).await?;
        let meta = json!({ "name": name, "namespace": NAMESPACE });
        self.apply(json!({
            "apiVersion": "v1", "kind": "Service", "metadata": meta,
            "spec": { "selector": { "app": name }, "ports": [{ "port": 80, "targetPort": 8080 }] }
        }))
        .await?;
        self.apply(json!({
            "apiVersion": "lath.dev/v1alpha1", "kind": "TargetGroupBinding", "metadata": meta,
            "spec": { "targetGroup": { "arn": group }, "service": { "name": name, "port": 80 } }
        }))
        .await?;
        if accepted {
            let api: Api<lath_kubernetes::TargetGroupBinding> =
                Api::namespaced(self.client.clone(), NAMESPACE);
            let condition = json!({
                "type": "Accepted", "status": "True", "reason": "Accepted", "message": "", "observedGeneration": 1,
                "lastTransitionTime": "2026-01-01T00:00:00Z"
            });
            let status = Patch::Merge(json!({ "status": { "conditions": [condition] } }));
            api.patch_status(name, &PatchParams::default(), &status).await.doing("accepting a binding")?;
        }
        Ok(group)
    }

    /// Makes a pod of a Service on the node. It has no address and is not ready.
    pub(super) async fn create_pod(&self, app: &str, name: &str, gated: bool) -> Result<()> {
        let gates = if gated { json!([{ "conditionType": "lath.dev/target-health" }]) } else { json!([]) };
        let pod = serde_json::from_value(json!({
            "metadata": { "name": name, "labels": { "app": app } },
            "spec": {
                "nodeName": NODE,
                "readinessGates": gates,
                "containers": [{ "name": "c", "image": "none" }]
            }
        }));
        let pod: Pod = pod.doing("composing a pod")?;
        self.pods().create(&PostParams::default(), &pod).await.doing("making a pod")?;
        Ok(())
    }

    /// Gives a pod its address and makes it ready, in one patch. Returns when that was sent.
    pub(super) async fn make_ready(&self, name: &str, address: &str) -> Result<f64> {
        let condition = |kind: &str| json!({ "type": kind, "status": "True" });
        let patch = json!({ "status": {
            "phase": "Running", "podIP": address, "podIPs": [{ "ip": address }],
            "conditions": [condition("Ready"), condition("ContainersReady")]
        } });
        let sent = now();
        self.pods()
            .patch_status(name, &PatchParams::default(), &Patch::Merge(patch))
            .await
            .doing("patching a pod")?;
        Ok(sent)
    }

    /// Deletes a pod without grace. Returns when that was sent.
    pub(super) async fn delete_pod(&self, name: &str) -> Result<f64> {
        let sent = now();
        let params = DeleteParams { grace_period_seconds: Some(0), ..DeleteParams::default() };
        self.pods().delete(name, &params).await.doing("deleting a pod")?;
        Ok(sent)
    }

    pub(super) fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.client.clone(), NAMESPACE)
    }

    /// Waits until the simulator has been told `operation` for all of the addresses; returns when, by address.
    pub(super) async fn told(
        &self,
        operation: &str,
        addresses: &[String],
        after: f64,
    ) -> Result<BTreeMap<String, f64>> {
        let mut told = BTreeMap::new();
        let mut last = 0;
        for _ in 0..600 {
            for call in self.lattice.calls(last).await? {
                last = last.max(call.n);
                note(&mut told, &call, operation, after);
            }
            if addresses.iter().all(|address| told.contains_key(address)) {
                return Ok(told);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let log = std::fs::read_to_string(self.folder.join("lath-agent.log")).unwrap_or_default();
        Err(Error::failed(
            format!("waiting for {operation} of {} pods", addresses.len()),
            format!(
                "only {} came; the agent's last words:\n{}",
                told.len(),
                log.lines().next_back().unwrap_or_default()
            ),
        ))
    }

    /// The calls since a moment, by operation.
    pub(super) async fn calls_since(&self, after: f64) -> Result<BTreeMap<String, u64>> {
        let mut calls = BTreeMap::new();
        for call in self.lattice.calls(0).await?.into_iter().filter(|call| call.time >= after) {
            *calls.entry(call.operation).or_default() += 1;
        }
        Ok(calls)
    }

    /// Makes or changes an object.
    pub(super) async fn apply(&self, object: Value) -> Result<()> {
        let object: DynamicObject = serde_json::from_value(object).doing("composing an object")?;
        let types = object.types.clone().unwrap_or_default();
        let gvk = GroupVersionKind::try_from(&types).doing("reading an object's kind")?;
        let resource = ApiResource::from_gvk(&gvk);
        let api: Api<DynamicObject> = match &object.metadata.namespace {
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, &resource),
            None => Api::all_with(self.client.clone(), &resource),
        };
        let name = object.metadata.name.clone().unwrap_or_default();
        let params = PatchParams::apply("lath-bench").force();
        // A definition that was made a moment ago is served a moment later.
        let mut tries = 0;
        loop {
            match api.patch(&name, &params, &Patch::Apply(&object)).await {
                Ok(_) => return Ok(()),
                Err(kube::Error::Api(status)) if status.code == 404 && tries < 50 => tries += 1,
                Err(error) => return Err(error).doing(format!("applying the {} {name}", types.kind)),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Ends everything but the control plane.
    pub(super) async fn stop(mut self) -> Result<()> {
        self.stop_agent().await?;
        if let Some(mut controller) = self.controller.take() {
            controller.kill().await.doing("ending lath-controller")?;
        }
        Ok(())
    }
}

/// CPU seconds and resident kilobytes of a process.
fn usage(pid: u32) -> Option<(f64, u64)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u32 = fields.get(11)?.parse::<u32>().ok()? + fields.get(12)?.parse::<u32>().ok()?;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    // Linux shows times in hundredths of a second.
    Some((f64::from(ticks) / 100.0, resident.trim().strip_suffix("kB")?.trim().parse().ok()?))
}

fn note(told: &mut BTreeMap<String, f64>, call: &Call, operation: &str, after: f64) {
    if call.operation == operation && call.time >= after {
        for (address, _) in call.targets() {
            told.entry(address).or_insert(call.time);
        }
    }
}

fn see(sightings: &Sightings, what: String) {
    sightings.lock().unwrap_or_else(PoisonError::into_inner).entry(what).or_insert_with(now);
}

/// A bare watch of the node's pods.
async fn watch_pods(client: Client, seen: Sightings, gates: Sightings) {
    let api: Api<Pod> = Api::all(client);
    let config = watcher::Config::default().fields(&format!("spec.nodeName={NODE}"));
    let mut events = std::pin::pin!(watcher::watcher(api, config));
    while let Some(event) = events.next().await {
        let Ok(watcher::Event::Apply(pod) | watcher::Event::Delete(pod)) = &event else { continue };
        let status = pod.status.as_ref();
        let address = status.and_then(|status| status.pod_ip.clone()).unwrap_or_default();
        let is_true = |kind: &str| {
            let conditions = status.and_then(|status| status.conditions.as_deref()).unwrap_or_default();
            conditions.iter().any(|condition| condition.type_ == kind && condition.status == "True")
        };
        match &event {
            Ok(watcher::Event::Delete(_)) => see(&seen, format!("-{address}")),
            _ if is_true("Ready") => see(&seen, address),
            _ => {}
        }
        if is_true("lath.dev/target-health") {
            see(&gates, pod.metadata.name.clone().unwrap_or_default());
        }
    }
}

/// A watch of the slices, for addresses that are ready, and those that were and are no more.
async fn watch_slices(client: Client, seen: Sightings) {
    let api: Api<EndpointSlice> = Api::namespaced(client, NAMESPACE);
    let mut events = std::pin::pin!(watcher::watcher(api, watcher::Config::default()));
    let mut ready: BTreeMap<String, Vec<String>> = BTreeMap::new();
    while let Some(event) = events.next().await {
        let Ok(watcher::Event::Apply(slice)) = event else { continue };
        let addresses: Vec<String> = slice
            .endpoints
            .iter()
            .filter(|endpoint| {
                let conditions = endpoint.conditions.clone().unwrap_or_default();
                conditions.ready != Some(false) && conditions.terminating != Some(true)
            })
            .flat_map(|endpoint| endpoint.addresses.clone())
            .collect();
        for address in &addresses {
            see(&seen, address.clone());
        }
        let before =
            ready.insert(slice.metadata.name.unwrap_or_default(), addresses.clone()).unwrap_or_default();
        for address in before.into_iter().filter(|address| !addresses.contains(address)) {
            see(&seen, format!("-{address}"));
        }
    }
}
