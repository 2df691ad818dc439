//! The world that the tests of this binary share, and shorthands for what they do in it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on panics; clippy knows that of test functions, not of what they share"
)]

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Event, Pod};
use kube::api::{DeleteParams, ListParams};
use kube::{Api, Client, ResourceExt as _};
use serde_json::{Value, json};
use tests::expect::{apply, eventually, namespace};
use tests::world::{World, WorldOptions};
use tokio::sync::OnceCell;

/// How long anything that is to happen at once may take on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// Says that a test is skipped when it is not root's; fails where that would hide something.
pub(crate) fn not_root() -> bool {
    if rustix::process::geteuid().is_root() {
        return false;
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "this test needs root, and CI runs it without");
    println!("skipped: it needs root");
    true
}

/// A folder for a world, emptied of what an earlier run left.
pub(crate) async fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    World::stop_detached(&folder).await.unwrap();
    if folder.exists() {
        std::fs::remove_dir_all(&folder).unwrap();
    }
    folder
}

/// A world without a cloud.
pub(crate) async fn start(name: &str) -> World {
    start_with(name, |options| options.cloud = false).await
}

/// A world for one test, set as that wants it. Its folder goes with the process.
pub(crate) async fn start_with(name: &str, set: impl FnOnce(&mut WorldOptions)) -> World {
    let mut options = WorldOptions::new(folder(name).await);
    set(&mut options);
    options.program = env!("CARGO_BIN_EXE_lath-world").into();
    options.images.prefer("test-server", env!("CARGO_BIN_EXE_test-server").into());
    World::start(options).await.unwrap()
}

/// The world that tests share which break nothing. It goes with this process.
pub(crate) async fn world() -> &'static World {
    static WORLD: OnceCell<World> = OnceCell::const_new();
    WORLD.get_or_init(|| start("shared")).await
}

/// A namespace of a test's own, in a world.
pub(crate) struct Space {
    pub(crate) client: Client,
    pub(crate) name: &'static str,
    pub(crate) pods: Api<Pod>,
}

impl Space {
    pub(crate) async fn new(world: &World, name: &'static str) -> Self {
        let client = world.client().await.unwrap();
        namespace(&client, name).await.unwrap();
        Self { pods: Api::namespaced(client.clone(), name), client, name }
    }

    pub(crate) async fn apply(&self, object: Value) {
        apply(&self.client, self.name, object).await.unwrap();
    }

    /// Makes a pod with one container `main` of the image test-server, changed by `spec` and `container`. It is ready
    /// when the server listens; a container with a command of its own when it runs.
    pub(crate) async fn pod(&self, name: &str, spec: Value, container: Value) {
        let mut main = json!({"name": "main", "image": "test-server"});
        if container["command"].is_null() {
            main["readinessProbe"] =
                json!({"httpGet": {"path": "/readyz", "port": 8080}, "periodSeconds": 1});
        }
        merge(&mut main, &container);
        let mut whole = json!({"containers": [main]});
        merge(&mut whole, &spec);
        self.apply(json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}}, "spec": whole,
        }))
        .await;
    }

    /// Waits until a pod is as wanted, and returns it.
    pub(crate) async fn pod_when(&self, name: &str, what: &str, wanted: impl Fn(&Pod) -> bool) -> Pod {
        eventually(&format!("pod {name} {what}"), SOON, async || {
            let pod = self.pods.get(name).await.map_err(|error| error.to_string())?;
            if wanted(&pod) { Ok(pod) } else { Err(format!("{:?}", pod.status)) }
        })
        .await
    }

    pub(crate) async fn ready(&self, name: &str) -> Pod {
        self.pod_when(name, "is Ready", |pod| condition(pod, "Ready") == "True").await
    }

    /// Waits until a pod is gone.
    pub(crate) async fn gone(&self, name: &str) {
        eventually(&format!("pod {name} is gone"), SOON, async || match self.pods.get_opt(name).await {
            Ok(None) => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
    }

    /// Waits for an Event with this reason about an object, and returns its message.
    pub(crate) async fn event(&self, object: &str, reason: &str) -> String {
        let events: Api<Event> = Api::namespaced(self.client.clone(), self.name);
        eventually(&format!("Event {reason} about {object}"), SOON, async || {
            let all = events.list(&ListParams::default()).await.map_err(|error| error.to_string())?.items;
            let found = all.iter().find(|event| {
                event.involved_object.name.as_deref() == Some(object)
                    && event.reason.as_deref() == Some(reason)
            });
            found.and_then(|event| event.message.clone()).ok_or_else(|| format!("{} others", all.len()))
        })
        .await
    }

    /// Runs a shell script as a pod and returns the phase in which it ends, and what it wrote.
    pub(crate) async fn script(
        &self,
        world: &World,
        name: &str,
        script: &str,
        mut spec: Value,
        mut container: Value,
    ) -> (String, String) {
        spec["restartPolicy"] = "Never".into();
        container["command"] = json!(["bash", "-c", script]);
        self.pod(name, spec, container).await;
        let ended = |pod: &Pod| matches!(phase(pod), "Succeeded" | "Failed");
        let pod = self.pod_when(name, "has ended", ended).await;
        let view = world.node(node_of(&pod)).container(&self.full(name), "main").await.unwrap();
        (phase(&pod).to_owned(), std::fs::read_to_string(view.log).unwrap())
    }

    pub(crate) fn full(&self, pod: &str) -> String {
        format!("{}/{pod}", self.name)
    }

    /// Deletes a pod with the grace that it asks for.
    pub(crate) async fn delete(&self, pod: &str) {
        self.pods.delete(pod, &DeleteParams::default()).await.unwrap();
    }
}

fn merge(into: &mut Value, from: &Value) {
    for (name, value) in from.as_object().unwrap() {
        into[name] = value.clone();
    }
}

pub(crate) fn phase(pod: &Pod) -> &str {
    pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or_default()
}

pub(crate) fn condition<'a>(pod: &'a Pod, kind: &str) -> &'a str {
    let conditions = pod.status.iter().filter_map(|status| status.conditions.as_ref()).flatten();
    conditions
        .into_iter()
        .find(|condition| condition.type_ == kind)
        .map_or("", |condition| condition.status.as_str())
}

pub(crate) fn restarts(pod: &Pod) -> i32 {
    let statuses = pod.status.iter().filter_map(|status| status.container_statuses.as_ref()).flatten();
    statuses.map(|status| status.restart_count).sum()
}

pub(crate) fn addresses(pod: &Pod) -> Vec<IpAddr> {
    let list = pod.status.iter().filter_map(|status| status.pod_ips.as_ref()).flatten();
    list.map(|address| address.ip.parse().unwrap()).collect()
}

pub(crate) fn server(pod: &Pod) -> SocketAddr {
    SocketAddr::new(addresses(pod)[0], 8080)
}

/// The index of the node that a pod is on.
pub(crate) fn node_of(pod: &Pod) -> u8 {
    let name = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()).unwrap_or_default();
    name.rsplit('-')
        .next()
        .and_then(|index| index.parse().ok())
        .unwrap_or_else(|| panic!("{} is on {name:?}", pod.name_any()))
}
