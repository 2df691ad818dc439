//! What a container finds around it: root, rights, volumes, environment, network.

use serde_json::json;
use tests::expect::{apply, eventually};

use super::setting::{SOON, Space, node_of, not_root, world};

#[tokio::test]
async fn the_security_context_is_enforced() {
    if not_root() {
        return;
    }
    let world = world().await;
    let space = Space::new(world, "security").await;
    let script = "touch /x 2>/dev/null && echo wrote || echo refused; id -u; \
                  grep -E '^(CapEff|NoNewPrivs)' /proc/self/status | tr -d '\\t '; ls -A /tmp /home | wc -l; hostname";
    for (name, context, expected) in [
        ("plain", json!({}), "wrote\n0\nCapEff:00000000a80425fb\nNoNewPrivs:0\n3\nplain\n"),
        (
            "daemon",
            json!({
                "readOnlyRootFilesystem": true, "allowPrivilegeEscalation": false,
                "capabilities": {"drop": ["ALL"], "add": ["BPF", "NET_ADMIN"]},
            }),
            "refused\n0\nCapEff:0000008000001000\nNoNewPrivs:1\n3\ndaemon\n",
        ),
        (
            "nobody",
            json!({"runAsUser": 65534}),
            "refused\n65534\nCapEff:0000000000000000\nNoNewPrivs:0\n3\nnobody\n",
        ),
    ] {
        let (_, said) =
            space.script(world, name, script, json!({}), json!({"securityContext": context})).await;
        assert_eq!(said, expected, "{name}");
    }
}

#[tokio::test]
async fn environment_and_volumes_hold_what_the_pod_asks_for() {
    if not_root() {
        return;
    }
    let world = world().await;
    let space = Space::new(world, "volumes").await;
    let metadata = json!({"name": "settings"});
    apply(
        &space.client,
        space.name,
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "1", "b": "2"}}),
    )
    .await
    .unwrap();
    apply(&space.client, space.name, json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"password": "s3cret"}}))
        .await
        .unwrap();
    let field = |path: &str| json!({"fieldRef": {"fieldPath": path}});
    let container = json!({
        "env": [
            {"name": "NAME", "valueFrom": field("metadata.name")},
            {"name": "ADDRESS", "valueFrom": field("status.podIP")},
            {"name": "HOST", "valueFrom": field("status.hostIP")},
            {"name": "B", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "b"}}},
            {"name": "JOINED", "value": "$(NAME)-$(B)-$(UNKNOWN)"},
            {"name": "NONE", "valueFrom": {"configMapKeyRef": {"name": "absent", "key": "x", "optional": true}}},
        ],
        "envFrom": [{"prefix": "S_", "secretRef": {"name": "settings"}}],
        "volumeMounts": [
            {"name": "map", "mountPath": "/etc/map"},
            {"name": "map", "mountPath": "/etc/one", "subPath": "a"},
            {"name": "labels", "mountPath": "/etc/labels"},
            {"name": "host", "mountPath": "/state"},
            {"name": "cgroup", "mountPath": "/sys/fs/cgroup"},
        ],
    });
    let spec = json!({"volumes": [
        {"name": "map", "configMap": {"name": "settings"}},
        {"name": "labels", "downwardAPI": {"items": [{"path": "app", "fieldRef": {"fieldPath": "metadata.labels['app']"}}]}},
        {"name": "host", "hostPath": {"path": "/var/lib/example", "type": "DirectoryOrCreate"}},
        {"name": "cgroup", "hostPath": {"path": "/sys/fs/cgroup"}},
    ]});
    let script = "echo $JOINED $S_password ${NONE-unset}; cat /etc/map/b /etc/one; echo; cat /etc/labels/app; echo; \
                  echo kept > /state/file; ls -d /sys/fs/cgroup/kubepods/pod*/main | grep -c .; \
                  grep $NAME /etc/hosts | grep -c $ADDRESS";
    let (phase, said) = space.script(world, "reader", script, spec, container).await;
    assert_eq!(phase, "Succeeded", "{said}");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[..3], ["reader-2-$(UNKNOWN) s3cret unset", "21", "reader"], "{said}");
    let pod = space.pods.get("reader").await.unwrap();
    let kept = world.node(node_of(&pod)).host_path("/var/lib/example/file");
    assert_eq!(std::fs::read_to_string(kept).unwrap(), "kept\n");
}

#[tokio::test]
async fn deleted_pods_leave_no_process_mount_interface_or_cgroup() {
    if not_root() {
        return;
    }
    let world = world().await;
    let space = Space::new(world, "leftovers").await;
    for index in 0..4 {
        space.pod(&format!("p{index}"), json!({"nodeName": "node-1"}), json!({})).await;
    }
    let mut cgroups = Vec::new();
    for index in 0..4 {
        let pod = space.ready(&format!("p{index}")).await;
        let name = space.full(&format!("p{index}"));
        let view = world.node(node_of(&pod)).container(&name, "main").await.unwrap();
        assert!(!tests::cgroup::processes(&view.cgroup).is_empty());
        cgroups.push(view.cgroup.parent().unwrap().to_owned());
        space.delete(&format!("p{index}")).await;
    }
    for (index, cgroup) in cgroups.iter().enumerate() {
        space.gone(&format!("p{index}")).await;
        eventually("the cgroup is gone", SOON, async || if cgroup.exists() { Err(cgroup) } else { Ok(()) })
            .await;
    }
    // A pod in the node's own network sees the node's interfaces; those of other tests' pods may be among them.
    let script = "ls /sys/class/net | grep -c . ; ls -d /sys/class/net/{eth0,lo,void}; grep -c overlay /proc/self/mountinfo";
    let spec = json!({"hostNetwork": true, "nodeName": "node-1"});
    let (_, said) = space.script(world, "looks", script, spec, json!({})).await;
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[1..4], ["/sys/class/net/eth0", "/sys/class/net/lo", "/sys/class/net/void"], "{said}");
    assert_eq!(lines[4], "1", "a container sees the mounts of no other");
}
