//! The setting of a test: one cluster, one cloud, and agents that can be killed and started again.

use std::{
    collections::BTreeMap,
    io,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use clap::Parser as _;
use k8s_openapi::api::core::v1 as core;
use lath_agent::targets::{self, Links, lease, metrics, status::Status};
use lath_controller::{
    config::{Arguments, Config},
    pipelines,
};
use lath_kubernetes::TargetGroupBinding;
use lattice::{TargetGroupArn, tags};
use lattice_client::{Client, Clock, Options, Transport};
use lattice_sim::{Fault, Simulator, TargetStatus};
use runtime::readiness::Readiness;
use serde_json::{Value, json};
use tempfile::TempDir;
use tests::api::{Access, ApiServer};
use tokio::{
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::sleep,
};
use tokio_util::sync::CancellationToken;

use super::objects::{NAMESPACE, binding, pod, service, set_accepted};

/// How long an agent's Lease lasts here, as by default.
pub(crate) const LEASE: Duration = Duration::from_secs(120);

/// The name of the one cluster that most tests have.
const CLUSTER: &str = "demo";

/// The namespace of Lath.
const LATH: &str = "lath-system";

/// When a rollout counts as over: nothing has to wait for longer once all is quiet.
pub(crate) const QUIET: Duration = Duration::from_secs(1);

/// One cluster and one cloud.
pub(crate) struct Setting {
    pub(crate) api: ApiServer,
    pub(crate) cloud: Simulator,
    cluster: &'static str,
    folder: TempDir,
}

impl Setting {
    /// A cluster with nothing in it, and a cloud with these settings changed.
    pub(crate) fn new(settings: &[(&str, &str)]) -> Self {
        let cloud = Simulator::new(lattice_sim::Settings::instant(), 1);
        cloud.change_settings(settings.iter().copied()).unwrap();
        Self { api: ApiServer::default(), cloud, cluster: CLUSTER, folder: tempfile::tempdir().unwrap() }
    }

    /// A setting with the Service `web` of port 8080, a group, and an accepted binding `web` between them.
    pub(crate) async fn web(settings: &[(&str, &str)]) -> (Self, TargetGroupArn) {
        let setting = Self::new(settings);
        let group = setting.group("web", "IPV4").await;
        setting.api.put(&service("web", 8080)).unwrap();
        setting.bind("web", "web", &group);
        (setting, group)
    }

    /// Makes a group that a service of its own uses.
    pub(crate) async fn group(&self, name: &str, family: &str) -> TargetGroupArn {
        let group = json!({
            "name": name, "type": "IP",
            "tags": { tags::CLUSTER: CLUSTER, tags::NAMESPACE: NAMESPACE },
            "config": { "port": 80, "protocol": "HTTP", "ipAddressType": family, "vpcIdentifier": "vpc-0123456789abcdef0" }
        });
        let group = self.create("/targetgroups", &group).await;
        let made = self.create("/services", &json!({ "name": format!("{name}-service") })).await;
        let listener = json!({
            "name": "http", "protocol": "HTTP", "port": 80,
            "defaultAction": { "forward": { "targetGroups": [{ "targetGroupIdentifier": group["id"] }] } }
        });
        self.create(&format!("/services/{}/listeners", made["id"].as_str().unwrap()), &listener).await;
        group["arn"].as_str().unwrap().parse().unwrap()
    }

    /// Makes a group that no service uses, so that it can be deleted.
    pub(crate) async fn spare_group(&self, name: &str) -> TargetGroupArn {
        let config = json!({ "port": 80, "protocol": "HTTP", "vpcIdentifier": "vpc-0123456789abcdef0" });
        let group = json!({ "name": name, "type": "IP", "config": config });
        self.create("/targetgroups", &group).await["arn"].as_str().unwrap().parse().unwrap()
    }

    /// Deletes a group.
    pub(crate) async fn delete_group(&self, group: &TargetGroupArn) {
        let request = http::Request::delete(format!("/targetgroups/{}", group.id()));
        let response = self.cloud.handle(request.body(Vec::new().into()).unwrap()).await;
        assert!(response.status().is_success(), "{response:?}");
    }

    /// Registers addresses, on the group's own port, as somebody else would.
    pub(crate) async fn register(&self, group: &TargetGroupArn, addresses: &[&str]) {
        let targets: Vec<Value> = addresses.iter().map(|address| json!({ "id": address })).collect();
        let path = format!("/targetgroups/{}/registertargets", group.id());
        self.create(&path, &json!({ "targets": targets })).await;
    }

    /// Takes addresses out, as somebody else would.
    pub(crate) async fn deregister(&self, group: &TargetGroupArn, addresses: &[&str], port: u16) {
        let targets: Vec<Value> = addresses.iter().map(|id| json!({ "id": id, "port": port })).collect();
        let path = format!("/targetgroups/{}/deregistertargets", group.id());
        self.create(&path, &json!({ "targets": targets })).await;
    }

    async fn create(&self, path: &str, body: &Value) -> Value {
        let request = http::Request::post(path).body(body.to_string().into()).unwrap();
        let response = self.cloud.handle(request).await;
        assert!(response.status().is_success(), "{response:?}");
        serde_json::from_slice(response.body()).unwrap()
    }

    /// Binds port 80 of a Service to a group, accepted.
    pub(crate) fn bind(&self, name: &str, service: &str, group: &TargetGroupArn) {
        self.bind_with(name, service, group, |_| {});
    }

    /// The same, changed before it is made.
    pub(crate) fn bind_with(
        &self,
        name: &str,
        service: &str,
        group: &TargetGroupArn,
        change: impl FnOnce(&mut TargetGroupBinding),
    ) {
        let mut binding = binding(name, service, group);
        set_accepted(&mut binding, true);
        change(&mut binding);
        self.api.put(&binding).unwrap();
    }

    /// Changes a binding.
    pub(crate) fn edit_binding(&self, name: &str, change: impl FnOnce(&mut TargetGroupBinding)) {
        assert!(self.api.edit(NAMESPACE, name, change).unwrap(), "no binding {name}");
    }

    /// Makes a ready pod.
    pub(crate) fn pod(&self, node: &str, name: &str, address: &str) {
        self.pod_with(node, name, address, |_| {});
    }

    /// Makes a ready pod, changed before it is made.
    pub(crate) fn pod_with(
        &self,
        node: &str,
        name: &str,
        address: &str,
        change: impl FnOnce(&mut core::Pod),
    ) {
        let mut pod = pod(node, name, address);
        change(&mut pod);
        self.api.put(&pod).unwrap();
    }

    /// Changes a pod.
    pub(crate) fn edit_pod(&self, name: &str, change: impl FnOnce(&mut core::Pod)) {
        assert!(self.api.edit(NAMESPACE, name, change).unwrap(), "no pod {name}");
    }

    /// Begins to delete a pod: kubelet gives it time.
    pub(crate) fn delete_pod(&self, name: &str) {
        self.api.delete::<core::Pod>(NAMESPACE, name);
    }

    /// Ends a pod: it is gone.
    pub(crate) fn end_pod(&self, name: &str) {
        self.api.remove::<core::Pod>(NAMESPACE, name);
    }

    /// The targets of a group that do not drain, as `address:port`, in order.
    pub(crate) fn held(&self, group: &TargetGroupArn) -> Vec<String> {
        let targets = self.cloud.targets(group.id()).unwrap();
        let live = targets.iter().filter(|target| target.status != TargetStatus::Draining);
        let mut held: Vec<String> =
            live.map(|target| format!("{}:{}", target.id, target.port.unwrap_or_default())).collect();
        held.sort();
        held
    }

    /// Requires that a group holds just these, each as `address:port`.
    #[track_caller]
    pub(crate) fn holds(&self, group: &TargetGroupArn, expected: &[&str]) {
        let mut expected: Vec<String> = expected.iter().map(|target| (*target).into()).collect();
        expected.sort();
        assert_eq!(self.held(group), expected);
    }

    /// Calls since the last time that this was asked.
    pub(crate) fn new_calls(&self) -> BTreeMap<String, u64> {
        let calls = self.cloud.calls();
        self.cloud.reset_calls();
        calls
    }

    /// Replaces the fault rules.
    pub(crate) fn faults(&self, faults: Vec<Fault>) {
        self.cloud.set_faults(faults).unwrap();
    }

    /// A client of VPC Lattice.
    async fn lattice(cloud: &Simulator, clock: Option<Clock>) -> Client {
        let transport = {
            let cloud = cloud.clone();
            Transport::new(move |request| {
                let cloud = cloud.clone();
                async move { cloud.handle(request.map(Into::into)).await.map(|body| body.to_vec()) }
            })
        };
        let options = Options {
            region: Some(lattice_sim::REGION.into()),
            transport: Some(transport),
            clock,
            ..Options::default()
        };
        Client::connect(options, lattice_client::Metrics::unregistered()).await
    }

    /// Makes a Node, or one that has booted anew.
    pub(crate) fn node(&self, name: &str, boot: &str) {
        let node = json!({
            "metadata": { "name": name },
            "status": { "nodeInfo": {
                "bootID": boot, "architecture": "", "containerRuntimeVersion": "", "kernelVersion": "",
                "kubeProxyVersion": "", "kubeletVersion": "", "machineID": "", "operatingSystem": "",
                "osImage": "", "systemUUID": ""
            } }
        });
        self.api.put(&serde_json::from_value::<core::Node>(node).unwrap()).unwrap();
    }

    /// Grants a group to the namespace of this cluster, or takes the grant away. Whether the cloud let it.
    pub(crate) async fn grant(&self, group: &TargetGroupArn, granted: bool) -> bool {
        self.tag(group, tags::NAMESPACE, granted.then_some(NAMESPACE)).await
    }

    /// Tags a group, or takes a tag away. Whether the cloud let it.
    pub(crate) async fn tag(&self, group: &TargetGroupArn, tag: &str, value: Option<&str>) -> bool {
        let arn = group.as_str().replace(':', "%3A").replace('/', "%2F");
        let request = if let Some(value) = value {
            let tags = json!({ "tags": { tag: value } });
            http::Request::post(format!("/tags/{arn}")).body(tags.to_string().into())
        } else {
            let key = tag.replace('/', "%2F");
            http::Request::delete(format!("/tags/{arn}?tagKeys={key}")).body(Vec::new().into())
        };
        self.cloud.handle(request.unwrap()).await.status().is_success()
    }

    /// Another cluster of this name on the same cloud, with the Service `web`.
    pub(crate) fn beside(&self, cluster: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let setting = Self { api: ApiServer::default(), cloud: self.cloud.clone(), cluster, folder };
        setting.api.put(&service("web", 8080)).unwrap();
        setting
    }

    /// Starts the controller.
    pub(crate) async fn controller(&self) -> Controller {
        self.controller_with(&[]).await
    }

    /// Starts the controller with some more arguments.
    pub(crate) async fn controller_with(&self, more: &[&str]) -> Controller {
        let cluster = format!("--cluster-name={}", self.cluster);
        let arguments = [
            "lath-controller",
            "--region=us-west-2",
            "--aws-account-id=123456789012",
            "--cluster-vpc-id=vpc-0123456789abcdef0",
            &cluster,
            "--group-refresh=30s",
        ];
        let config = Arguments::parse_from(arguments.iter().chain(more)).resolve(|_| None).unwrap();
        let mut controller =
            Controller { api: self.api.clone(), cloud: self.cloud.clone(), config, life: None };
        controller.start().await;
        controller
    }

    /// Starts the agent of a node.
    pub(crate) async fn agent(&self, node: &str) -> Agent {
        let mut agent = Agent {
            node: node.into(),
            boot: "boot-1".into(),
            folder: self.folder.path().join(node),
            lease: LEASE,
            gather: Duration::from_millis(20),
            clock: None,
            api: self.api.clone(),
            cloud: self.cloud.clone(),
            life: None,
        };
        agent.start().await;
        agent
    }
}

/// Waits until all should be quiet.
pub(crate) async fn settle() {
    sleep(QUIET).await;
}

/// The agent of a node, in its lives.
pub(crate) struct Agent {
    pub(crate) node: String,
    pub(crate) boot: String,
    pub(crate) folder: PathBuf,
    pub(crate) lease: Duration,
    pub(crate) gather: Duration,
    /// The wall clock by which it signs, if it is not the machine's.
    pub(crate) clock: Option<Clock>,
    api: ApiServer,
    cloud: Simulator,
    life: Option<Life>,
}

impl Drop for Agent {
    /// One test may have many settings after each other, and none should outlive its turn.
    fn drop(&mut self) {
        if self.runs() {
            self.kill();
        }
    }
}

/// An agent that runs.
struct Life {
    access: Access,
    readiness: Readiness,
    status: watch::Receiver<Status>,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

impl Agent {
    /// Starts it, on whatever it left behind.
    pub(crate) async fn start(&mut self) {
        assert!(self.life.is_none(), "it runs");
        let lattice = Setting::lattice(&self.cloud, self.clock.clone()).await;
        let access = self.api.access();
        let readiness = Readiness::default();
        let (sender, status) = watch::channel(Status::default());
        let settings = targets::Settings {
            node: self.node.clone(),
            boot_id: self.boot.clone(),
            journal: self.journal(),
            gather: self.gather,
            lease: lease::Settings {
                namespace: LATH.into(),
                node: self.node.clone(),
                holder: format!("lath-agent-{}", self.node),
                boot_id: self.boot.clone(),
                duration: self.lease,
                remembers: false,
            },
        };
        let links = Links {
            watches: access.watching_client(),
            kubernetes: access.client(),
            lattice,
            readiness: readiness.clone(),
            metrics: metrics::Metrics::unregistered(),
            status: sender,
        };
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(targets::run(settings, links, shutdown.clone()));
        self.life = Some(Life { access, readiness, status, shutdown, task });
    }

    /// Kills it, as SIGKILL would: nothing that it does from now on reaches anyone.
    pub(crate) fn kill(&mut self) {
        let life = self.life.take().expect("it is dead");
        life.access.fail(tests::api::Outage::Silent);
        life.task.abort();
        life.shutdown.cancel();
    }

    /// Kills it and starts it again.
    pub(crate) async fn restart(&mut self) {
        self.kill();
        // The task ends when it is polled next.
        tokio::task::yield_now().await;
        self.start().await;
    }

    /// Asks it to stop, as SIGTERM would, and waits until it has.
    pub(crate) async fn stop(&mut self) {
        let life = self.life.take().expect("it is dead");
        life.shutdown.cancel();
        life.task.await.unwrap();
    }

    /// Whether it runs.
    pub(crate) fn runs(&self) -> bool {
        self.life.is_some()
    }

    fn life(&self) -> &Life {
        self.life.as_ref().expect("it is dead")
    }

    /// Its way to the API server.
    pub(crate) fn access(&self) -> &Access {
        &self.life().access
    }

    /// What `/readyz` shows.
    pub(crate) fn readyz(&self) -> runtime::readiness::Report {
        self.life().readiness.report()
    }

    /// What the status page shows.
    pub(crate) fn status(&self) -> Status {
        self.life().status.borrow().clone()
    }

    /// How many targets it has registered.
    pub(crate) fn registered(&self) -> usize {
        let status = self.status();
        status.groups.iter().flat_map(|group| &group.targets).filter(|it| it.state == "registered").count()
    }

    /// Where its journal is.
    pub(crate) fn journal(&self) -> PathBuf {
        self.folder.join("targets.journal")
    }
}

/// The controller, in its lives.
pub(crate) struct Controller {
    api: ApiServer,
    cloud: Simulator,
    config: Config,
    life: Option<(Access, JoinSet<()>)>,
}

impl Controller {
    /// Starts it.
    pub(crate) async fn start(&mut self) {
        assert!(self.life.is_none(), "it runs");
        let access = self.api.access();
        let links = pipelines::Links {
            watches: access.watching_client(),
            kubernetes: access.client(),
            lattice: Setting::lattice(&self.cloud, None).await,
            metrics: pipelines::Metrics::default(),
            readiness: Readiness::default(),
        };
        self.life = Some((access, pipelines::start(&self.config, LATH, &links)));
    }

    /// Kills it.
    pub(crate) fn kill(&mut self) {
        let (access, _tasks) = self.life.take().expect("it is dead");
        access.fail(tests::api::Outage::Silent);
    }

    /// Its way to the API server, if it runs.
    pub(crate) fn access(&self) -> Option<&Access> {
        self.life.as_ref().map(|(access, _)| access)
    }
}

/// The log of a test.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Keeps what this thread logs from now on, until the guard is dropped.
    pub(crate) fn keep() -> (Self, tracing::subscriber::DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_max_level(tracing::Level::INFO)
            .with_writer(move || writer.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    /// The lines that contain a text.
    pub(crate) fn lines(&self, text: &str) -> Vec<String> {
        let all = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        all.lines().filter(|line| line.contains(text)).map(Into::into).collect()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
