//! Containers through their lives: restarts, hooks, grace, probes, init containers, refusals.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::api::DeleteParams;
use serde_json::json;
use tests::expect::{eventually, request};
use tokio::time::{Instant, sleep};

use super::setting::{SOON, Space, condition, node_of, not_root, phase, restarts, server, world};

#[tokio::test]
async fn a_killed_container_restarts_in_place_and_is_counted() {
    if not_root() {
        return;
    }
    let world = world().await;
    let space = Space::new(world, "restarts").await;
    space.pod("phoenix", json!({}), json!({})).await;
    let before = space.ready("phoenix").await;
    let node = world.node(node_of(&before));
    node.kill(&space.full("phoenix"), "main").await.unwrap();
    space.pod_when("phoenix", "has restarted once", |pod| restarts(pod) == 1).await;
    let after = space.ready("phoenix").await;
    assert_eq!(before.metadata.uid, after.metadata.uid);
    assert_eq!(server(&before), server(&after), "the sandbox and its address stay");
    let status = &after.status.as_ref().unwrap().container_statuses.as_ref().unwrap()[0];
    let last = status.last_state.as_ref().unwrap().terminated.as_ref().unwrap();
    assert_eq!((last.exit_code, last.signal), (137, Some(9)));

    request("POST", server(&after), "/control/exit?code=3").await.unwrap();
    space
        .pod_when("phoenix", "has restarted twice", |pod| {
            restarts(pod) == 2 && condition(pod, "Ready") == "True"
        })
        .await;
}

#[tokio::test]
async fn a_container_that_keeps_failing_waits_in_crash_loop_back_off() {
    if not_root() {
        return;
    }
    let space = Space::new(world().await, "crashes").await;
    space.pod("broken", json!({}), json!({"command": ["sh", "-c", "exit 1"]})).await;
    let waits = |pod: &Pod| {
        let statuses = pod.status.iter().filter_map(|status| status.container_statuses.as_ref()).flatten();
        statuses.into_iter().any(|status| {
            let waiting = status.state.as_ref().and_then(|state| state.waiting.as_ref());
            waiting.and_then(|waiting| waiting.reason.as_deref()) == Some("CrashLoopBackOff")
        })
    };
    let pod = space.pod_when("broken", "waits", waits).await;
    assert_eq!(phase(&pod), "Running", "a pod that restarts always is Running, as by kubelet");
    space.delete("broken").await;
    space.gone("broken").await;
}

#[tokio::test]
async fn the_restart_policy_decides_how_a_pod_ends() {
    if not_root() {
        return;
    }
    let world = world().await;
    let space = Space::new(world, "endings").await;
    let (phase, said) = space.script(world, "good", "echo done", json!({}), json!({})).await;
    assert_eq!((phase.as_str(), said.as_str()), ("Succeeded", "done\n"));
    let (phase, _) = space.script(world, "bad", "exit 4", json!({}), json!({})).await;
    assert_eq!(phase, "Failed");
    let container = json!({"command": ["sh", "-c", "test -e /shared/x || { touch /shared/x; exit 1; }"],
        "volumeMounts": [{"name": "shared", "mountPath": "/shared"}]});
    let spec = json!({"restartPolicy": "OnFailure", "volumes": [{"name": "shared", "emptyDir": {}}]});
    space.pod("second-try", spec, container).await;
    let pod = space.pod_when("second-try", "succeeds", |pod| super::setting::phase(pod) == "Succeeded").await;
    assert_eq!(restarts(&pod), 1);
}

#[tokio::test]
async fn a_pre_stop_sleep_keeps_the_pod_serving_before_it_is_told_to_end() {
    if not_root() {
        return;
    }
    let space = Space::new(world().await, "prestop").await;
    let hook = json!({"lifecycle": {"preStop": {"sleep": {"seconds": 2}}}});
    space.pod("lingers", json!({"terminationGracePeriodSeconds": 20}), hook).await;
    let pod = space.ready("lingers").await;
    let begun = Instant::now();
    space.delete("lingers").await;
    sleep(Duration::from_secs(1)).await;
    assert_eq!(request("GET", server(&pod), "/").await.unwrap().0, 200);
    space.gone("lingers").await;
    let took = begun.elapsed();
    assert!(took >= Duration::from_secs(2), "gone after {took:?}");
    assert!(took < Duration::from_secs(10), "SIGTERM ends it, not the grace period: {took:?}");
}

#[tokio::test]
async fn a_deaf_container_is_killed_when_its_grace_is_over() {
    if not_root() {
        return;
    }
    let space = Space::new(world().await, "grace").await;
    let deaf = json!({"command": ["sh", "-c", "trap '' TERM; while :; do sleep 1; done"]});
    space.pod("deaf", json!({"terminationGracePeriodSeconds": 2}), deaf.clone()).await;
    space.ready("deaf").await;
    let begun = Instant::now();
    space.delete("deaf").await;
    space.gone("deaf").await;
    let took = begun.elapsed();
    assert!(took >= Duration::from_secs(2) && took < Duration::from_secs(8), "gone after {took:?}");
    // A second delete with less grace shortens it.
    space.pod("stubborn", json!({"terminationGracePeriodSeconds": 300}), deaf).await;
    space.ready("stubborn").await;
    space.delete("stubborn").await;
    let begun = Instant::now();
    space.pods.delete("stubborn", &DeleteParams::default().grace_period(1)).await.unwrap();
    space.gone("stubborn").await;
    assert!(begun.elapsed() < Duration::from_secs(10), "gone after {:?}", begun.elapsed());
}

#[tokio::test]
async fn a_force_deleted_pod_is_killed() {
    if not_root() {
        return;
    }
    let world = world().await;
    let space = Space::new(world, "forced").await;
    let deaf = json!({"command": ["sh", "-c", "trap '' TERM; while :; do sleep 1; done"]});
    space.pod("deaf", json!({}), deaf).await;
    let pod = space.ready("deaf").await;
    let view = world.node(node_of(&pod)).container(&space.full("deaf"), "main").await.unwrap();
    assert!(!tests::cgroup::processes(&view.cgroup).is_empty());
    space.pods.delete("deaf", &DeleteParams::default().grace_period(0)).await.unwrap();
    eventually("its processes and cgroup are gone", SOON, async || {
        if view.cgroup.exists() { Err(tests::cgroup::processes(&view.cgroup)) } else { Ok(()) }
    })
    .await;
}

#[tokio::test]
async fn a_failing_liveness_probe_restarts_and_a_startup_probe_holds_it_back() {
    if not_root() {
        return;
    }
    let space = Space::new(world().await, "liveness").await;
    let probes = json!({
        "command": ["sh", "-c", "sleep 2; touch /tmp/started; sleep 2; rm /tmp/started; sleep 60"],
        "startupProbe": {"exec": {"command": ["test", "-e", "/tmp/started"]}, "periodSeconds": 1, "failureThreshold": 30},
        "livenessProbe": {"exec": {"command": ["test", "-e", "/tmp/started"]}, "periodSeconds": 1, "failureThreshold": 1},
    });
    let begun = Instant::now();
    space.pod("dies", json!({"terminationGracePeriodSeconds": 1}), probes).await;
    space.ready("dies").await;
    assert!(begun.elapsed() >= Duration::from_secs(2), "ready before its startup probe passed");
    space.pod_when("dies", "is restarted", |pod| restarts(pod) >= 1).await;
    assert!(space.event("dies", "Unhealthy").await.contains("Liveness probe failed"));
}

#[tokio::test]
async fn a_pod_is_ready_within_moments_of_its_server() {
    if not_root() {
        return;
    }
    let space = Space::new(world().await, "speed").await;
    let probe = json!({"readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 10}});
    let begun = Instant::now();
    space.pod("quick", json!({}), probe).await;
    space.ready("quick").await;
    println!("created to Ready: {:?}", begun.elapsed());
    assert!(
        begun.elapsed() < Duration::from_secs(8),
        "the first failure is not waited out for a whole period"
    );
}

#[tokio::test]
async fn init_containers_and_sidecars_run_in_order_and_end_in_reverse() {
    if not_root() {
        return;
    }
    let world = world().await;
    let space = Space::new(world, "init").await;
    let says = |name: &str, then: &str| {
        json!({
            "name": name, "image": "test-server",
            "command": ["bash", "-c", format!("echo {name} >> /shared/log; {then}")],
            "volumeMounts": [{"name": "shared", "mountPath": "/shared"}],
        })
    };
    let mut sidecar =
        says("sidecar", "trap 'echo sidecar-ends >> /shared/log; exit' TERM; while :; do sleep 0.1; done");
    sidecar["restartPolicy"] = "Always".into();
    let spec = json!({
        "restartPolicy": "Never",
        "volumes": [{"name": "shared", "hostPath": {"path": "/var/init-test"}}],
        "initContainers": [says("first", "sleep 0.3"), sidecar, says("second", "sleep 0.3")],
    });
    space.pod("ordered", spec, says("main", "sleep 0.3; echo main-ends >> /shared/log")).await;
    let pod = space.pod_when("ordered", "succeeds", |pod| phase(pod) == "Succeeded").await;
    let log = std::fs::read_to_string(world.node(node_of(&pod)).host_path("/var/init-test/log")).unwrap();
    let order: Vec<&str> = log.lines().collect();
    assert_eq!(order, ["first", "sidecar", "second", "main", "main-ends", "sidecar-ends"]);
}

#[tokio::test]
async fn what_is_not_supported_is_refused_with_an_event_and_a_reason() {
    if not_root() {
        return;
    }
    let space = Space::new(world().await, "refusals").await;
    space.pod("privileged", json!({}), json!({"securityContext": {"privileged": true}})).await;
    let message = space.event("privileged", "Unsupported").await;
    assert!(message.contains("spec.containers[main].securityContext.privileged"), "{message}");
    let pod = space.pods.get("privileged").await.unwrap();
    let status = pod.status.unwrap();
    assert_eq!(status.phase.as_deref(), Some("Pending"));
    let waiting = status.container_statuses.unwrap()[0].state.clone().unwrap().waiting.unwrap();
    assert_eq!(waiting.reason.as_deref(), Some("Unsupported"));
    space.delete("privileged").await;
    space.gone("privileged").await;

    space.pod("stranger", json!({}), json!({"image": "nobody/knows-this:v1"})).await;
    let message = space.event("stranger", "Failed").await;
    assert!(message.contains("nobody/knows-this:v1") && message.contains("test-server"), "{message}");
}
