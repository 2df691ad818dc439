//! What can be done to a world: cuts, reboots, kills. These have worlds of their own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Node;
use kube::{Api, ResourceExt as _};
use serde_json::json;
use tests::controlplane::Component;
use tests::expect::{eventually, request};
use tests::network::Peer;
use tests::world::{Description, Part, PartSignal, World};
use tokio::time::sleep;

use super::setting::{SOON, Space, addresses, folder, not_root, restarts, server, start_with};

/// The host's end of a world's link. Another world may use the name as soon as it is free.
struct Link {
    file: PathBuf,
    index: String,
}

impl Link {
    fn of(world: &Description) -> Self {
        let file = Path::new("/sys/class/net").join(world.plan.interface()).join("ifindex");
        Self { index: std::fs::read_to_string(&file).unwrap(), file }
    }

    fn exists(&self) -> bool {
        std::fs::read_to_string(&self.file).is_ok_and(|index| index == self.index)
    }
}

async fn node(world: &World, index: u8) -> Node {
    let nodes: Api<Node> = Api::all(world.client().await.unwrap());
    nodes.get(&world.node(index).name()).await.unwrap()
}

#[tokio::test]
async fn nodes_can_be_cut_off_rebooted_removed_and_added_and_addresses_reused() {
    if not_root() {
        return;
    }
    let world = start_with("faults", |_| {}).await;
    let space = Space::new(&world, "faults").await;
    cut(&world, &space).await;
    cut_from_the_cloud(&world, &space).await;
    reboot(&world, &space).await;
    reuse(&world, &space).await;
    parts(&world, &space).await;
    remove_and_add(&world, &space).await;
    let cgroup = world.description().cgroup.clone();
    let link = Link::of(world.description());
    world.stop().await.unwrap();
    assert!(!cgroup.exists());
    assert!(!link.exists());
}

async fn cut(world: &World, space: &Space) {
    let node = world.node(0);
    space.pod("cut", json!({"nodeName": "node-0", "terminationGracePeriodSeconds": 1}), json!({})).await;
    let pod = space.ready("cut").await;
    node.cut(Peer::ApiServer).await.unwrap();
    space.delete("cut").await;
    sleep(Duration::from_secs(3)).await;
    assert_eq!(
        request("GET", server(&pod), "/").await.unwrap().0,
        200,
        "the node does not know of the deletion"
    );
    node.heal(Peer::ApiServer).await.unwrap();
    space.gone("cut").await;
    assert!(request("GET", server(&pod), "/").await.is_err());

    space.pod("far", json!({"nodeName": "node-0"}), json!({})).await;
    let pod = space.ready("far").await;
    node.cut(Peer::Network).await.unwrap();
    assert!(request("GET", server(&pod), "/").await.is_err(), "nothing gets through");
    node.heal(Peer::Network).await.unwrap();
    eventually("the pod answers again", SOON, async || {
        request("GET", server(&pod), "/").await.map_err(|error| error.to_string())
    })
    .await;
    space.delete("far").await;
}

/// A node without the cloud still has the API server, and the other node still has the cloud.
async fn cut_from_the_cloud(world: &World, space: &Space) {
    let endpoint = world.description().lattice_endpoint.trim_start_matches("http://").replace(':', "/");
    let script =
        format!("timeout 2 bash -c 'exec 3<>/dev/tcp/{endpoint}' && echo reached || echo unreachable");
    let reaches = async |name: &str, node: &str| {
        let spec = json!({"nodeName": node, "hostNetwork": true});
        space.script(world, name, &script, spec, json!({})).await.1
    };
    world.node(0).cut(Peer::Cloud).await.unwrap();
    assert_eq!(reaches("cut-off", "node-0").await, "unreachable\n");
    assert_eq!(reaches("beside", "node-1").await, "reached\n");
    world.node(0).heal(Peer::Cloud).await.unwrap();
    assert_eq!(reaches("healed", "node-0").await, "reached\n");
}

async fn reboot(world: &World, space: &Space) {
    space.pod("survivor", json!({"nodeName": "node-0"}), json!({})).await;
    let before = space.ready("survivor").await;
    let boot = node(world, 0).await.status.unwrap().node_info.unwrap().boot_id;
    world.node(0).reboot(Duration::from_millis(300)).await.unwrap();
    assert_ne!(node(world, 0).await.status.unwrap().node_info.unwrap().boot_id, boot);
    space.pod_when("survivor", "has restarted", |pod| restarts(pod) == 1).await;
    let after = space
        .pod_when("survivor", "has another address", |pod| {
            addresses(pod) != addresses(&before) && addresses(pod).len() == 2
        })
        .await;
    assert_eq!(after.uid(), before.uid());
    let after = space.ready("survivor").await;
    assert_eq!(request("GET", server(&after), "/").await.unwrap().0, 200);
    assert!(request("GET", server(&before), "/").await.is_err(), "the old address is nobody's");
}

async fn reuse(world: &World, space: &Space) {
    space.pod("old", json!({"nodeName": "node-0"}), json!({})).await;
    let old = space.ready("old").await;
    let std::net::IpAddr::V4(address) = addresses(&old)[0] else { panic!("IPv4 comes first") };
    world.want_address(address, "faults/new").await.unwrap();
    space.delete("old").await;
    space.pod("new", json!({"nodeName": "node-1"}), json!({})).await;
    let new = space.ready("new").await;
    assert_eq!(addresses(&new), addresses(&old));
    let (_, body) = request("GET", server(&new), "/").await.unwrap();
    assert!(body.contains("\"pod\":\"new\""), "{body}");
}

async fn parts(world: &World, space: &Space) {
    let manager = Part::ControlPlane(Component::ControllerManager);
    world.signal(manager, PartSignal::Stop).await.unwrap();
    space
        .apply(json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
            "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "main", "image": "test-server"}]},
            }},
        }))
        .await;
    let deployments: Api<Deployment> = Api::namespaced(space.client.clone(), space.name);
    let replicas =
        async || deployments.get("web").await.unwrap().status.and_then(|status| status.available_replicas);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(replicas().await, None, "the controllers stand still");
    world.signal(manager, PartSignal::Continue).await.unwrap();
    let one = async || match replicas().await {
        Some(1) => Ok(()),
        other => Err(other),
    };
    eventually("the Deployment is available", SOON, one).await;
    world.restart_controller_manager().await.unwrap();
    world.restart(Part::ControlPlane(Component::ApiServer)).await.unwrap();
    eventually("the API server answers", SOON, async || match deployments.get("web").await {
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    })
    .await;
}

async fn remove_and_add(world: &World, space: &Space) {
    let before = node(world, 1).await;
    world.node(1).remove().await.unwrap();
    let nodes: Api<Node> = Api::all(space.client.clone());
    assert!(nodes.get_opt("node-1").await.unwrap().is_none());
    assert!(!world.node(1).cgroup().exists());
    world.node(1).add().await.unwrap();
    let after = node(world, 1).await;
    assert_ne!(after.uid(), before.uid());
    world.node(2).add().await.unwrap();
    space.pod("newcomer", json!({"nodeName": "node-2"}), json!({})).await;
    space.ready("newcomer").await;
}

#[tokio::test]
async fn a_world_whose_holder_is_killed_leaves_nothing_but_its_folder() {
    if not_root() {
        return;
    }
    let folder = folder("killed").await;
    let mut holder = Command::new(env!("CARGO_BIN_EXE_lath-world"))
        .args(["world", "run", "--without-cloud", "--without-lath", "--nodes", "1", "--dir"])
        .arg(&folder)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let world = eventually("the world is there", Duration::from_mins(1), async || {
        Description::load(&folder).and_then(|_| World::attach(&folder))
    })
    .await;
    let space = Space::new(&world, "orphans").await;
    space.pod("orphan", json!({}), json!({})).await;
    space.ready("orphan").await;
    let cgroup = world.description().cgroup.clone();
    let link = Link::of(world.description());
    let processes = tests::cgroup::processes(&cgroup);
    assert!(!processes.is_empty());
    holder.kill().unwrap();
    holder.wait().unwrap();
    eventually("everything is gone", SOON, async || {
        let alive: Vec<_> =
            processes.iter().filter(|pid| Path::new("/proc").join(pid.to_string()).exists()).collect();
        if cgroup.exists() || link.exists() || !alive.is_empty() {
            Err(format!("{} {} {alive:?}", cgroup.exists(), link.exists()))
        } else {
            Ok(())
        }
    })
    .await;
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(!mounts.contains(&*folder.to_string_lossy()), "{mounts}");
    assert!(folder.exists());
}
