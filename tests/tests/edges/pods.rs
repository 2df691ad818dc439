//! Pods of every kind: each is in its group when it takes requests, and out before it stops.

use k8s_openapi::api::core::v1 as core;
use lattice::target::IpFamily;
use serde_json::json;

use super::{
    objects::{NAMESPACE, service, set_addresses, set_app, set_condition, set_phase, set_ready},
    setting::{Setting, settle},
};

#[tokio::test(start_paused = true)]
async fn a_ready_pod_is_registered_and_a_deleted_one_is_taken_out() {
    let (setting, group) = Setting::web(&[]).await;
    let agent = setting.agent("n1").await;
    setting.pod("n1", "a", "10.0.0.1");
    setting.pod("n2", "elsewhere", "10.0.0.2");
    settle().await;
    setting.holds(&group, &["10.0.0.1:8080"]);
    setting.delete_pod("a");
    settle().await;
    setting.holds(&group, &[]);
    let calls = setting.new_calls();
    assert_eq!((calls["RegisterTargets"], calls["DeregisterTargets"]), (1, 1), "{calls:?}");
    assert!(agent.readyz().ready);
}

#[tokio::test(start_paused = true)]
async fn a_pod_without_an_address_yet_enters_when_it_has_one() {
    let (setting, group) = Setting::web(&[]).await;
    let _agent = setting.agent("n1").await;
    setting.pod_with("n1", "a", "10.0.0.1", |pod| set_addresses(pod, &[]));
    settle().await;
    setting.holds(&group, &[]);
    setting.edit_pod("a", |pod| set_addresses(pod, &["10.0.0.1"]));
    settle().await;
    setting.holds(&group, &["10.0.0.1:8080"]);
}

#[tokio::test(start_paused = true)]
async fn pods_on_the_nodes_network_follow_each_other_under_one_address() {
    let (setting, group) = Setting::web(&[]).await;
    let _agent = setting.agent("n1").await;
    let on_node = |pod: &mut core::Pod| pod.spec.as_mut().unwrap().host_network = Some(true);
    setting.pod_with("n1", "a", "192.168.0.1", on_node);
    settle().await;
    setting.holds(&group, &["192.168.0.1:8080"]);
    setting.delete_pod("a");
    settle().await;
    setting.end_pod("a");
    setting.pod_with("n1", "b", "192.168.0.1", on_node);
    settle().await;
    setting.holds(&group, &["192.168.0.1:8080"]);
}

#[tokio::test(start_paused = true)]
async fn two_services_and_two_ports_of_one_pod_are_all_registered() {
    let (setting, group) = Setting::web(&[]).await;
    let other = setting.group("other", "IPV4").await;
    setting.api.put(&service("admin", 9090)).unwrap();
    setting.api.put(&service("again", 8080)).unwrap();
    setting.bind("admin", "admin", &group);
    setting.bind("again", "again", &other);
    let _agent = setting.agent("n1").await;
    setting.pod("n1", "a", "10.0.0.1");
    settle().await;
    setting.holds(&group, &["10.0.0.1:8080", "10.0.0.1:9090"]);
    setting.holds(&other, &["10.0.0.1:8080"]);
    setting.api.remove::<core::Service>(NAMESPACE, "admin");
    settle().await;
    setting.holds(&group, &["10.0.0.1:8080"]);
    setting.holds(&other, &["10.0.0.1:8080"]);
}

#[tokio::test(start_paused = true)]
async fn a_named_port_is_each_pods_own() {
    let (setting, group) = Setting::web(&[]).await;
    setting.api.put(&service("web", "http")).unwrap();
    let _agent = setting.agent("n1").await;
    let port = |number: i32| {
        move |pod: &mut core::Pod| {
            pod.spec.as_mut().unwrap().containers[0].ports.as_mut().unwrap()[0].container_port = number;
        }
    };
    setting.pod("n1", "a", "10.0.0.1");
    setting.pod_with("n1", "b", "10.0.0.2", port(9090));
    setting.pod_with("n1", "nameless", "10.0.0.3", |pod| {
        pod.spec.as_mut().unwrap().containers[0].ports = None;
    });
    settle().await;
    setting.holds(&group, &["10.0.0.1:8080", "10.0.0.2:9090"]);
}

#[tokio::test(start_paused = true)]
async fn unready_pods_count_where_the_service_publishes_them() {
    let (setting, group) = Setting::web(&[]).await;
    let _agent = setting.agent("n1").await;
    setting.pod_with("n1", "a", "10.0.0.1", |pod| set_ready(pod, false));
    settle().await;
    setting.holds(&group, &[]);
    let publish = |value| {
        move |service: &mut core::Service| {
            service.spec.as_mut().unwrap().publish_not_ready_addresses = Some(value);
        }
    };
    setting.api.edit(NAMESPACE, "web", publish(true)).unwrap();
    settle().await;
    setting.holds(&group, &["10.0.0.1:8080"]);
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_lacks_only_its_lattice_gate_is_ready() {
    for (gate, expected) in [
        ("lath.dev/target-health", &["10.0.0.1:8080"][..]),
        ("application-networking.k8s.aws/pod-readiness-gate", &["10.0.0.1:8080"]),
        ("example.com/other", &[]),
    ] {
        let (setting, group) = Setting::web(&[]).await;
        let _agent = setting.agent("n1").await;
        setting.pod_with("n1", "a", "10.0.0.1", |pod| {
            let gates = serde_json::from_value(json!([{ "conditionType": gate }])).unwrap();
            pod.spec.as_mut().unwrap().readiness_gates = Some(gates);
            set_condition(pod, "Ready", false);
        });
        settle().await;
        setting.holds(&group, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_group_takes_the_addresses_of_its_family() {
    let (setting, group) = Setting::web(&[]).await;
    let six = setting.group("six", "IPV6").await;
    setting.bind_with("six", "web", &six, |binding| binding.spec.ip_family = IpFamily::IPv6);
    let _agent = setting.agent("n1").await;
    setting.pod_with("n1", "both", "10.0.0.1", |pod| set_addresses(pod, &["10.0.0.1", "fd00::1"]));
    setting.pod("n1", "four", "10.0.0.2");
    settle().await;
    setting.holds(&group, &["10.0.0.1:8080", "10.0.0.2:8080"]);
    setting.holds(&six, &["fd00::1:8080"]);
}

#[tokio::test(start_paused = true)]
async fn a_changed_selector_exchanges_the_pods() {
    let (setting, group) = Setting::web(&[]).await;
    let _agent = setting.agent("n1").await;
    setting.pod("n1", "a", "10.0.0.1");
    setting.pod_with("n1", "b", "10.0.0.2", |pod| set_app(pod, "next"));
    settle().await;
    setting.holds(&group, &["10.0.0.1:8080"]);
    let select = |service: &mut core::Service| {
        let selector = service.spec.as_mut().unwrap().selector.as_mut().unwrap();
        selector.insert("app".into(), "next".into());
    };
    setting.api.edit(NAMESPACE, "web", select).unwrap();
    settle().await;
    setting.holds(&group, &["10.0.0.2:8080"]);
    setting.edit_pod("a", |pod| set_app(pod, "next"));
    setting.edit_pod("b", |pod| set_app(pod, "gone"));
    settle().await;
    setting.holds(&group, &["10.0.0.1:8080"]);
}

#[tokio::test(start_paused = true)]
async fn a_restart_in_place_makes_no_call() {
    let (setting, group) = Setting::web(&[]).await;
    let _agent = setting.agent("n1").await;
    setting.pod("n1", "a", "10.0.0.1");
    settle().await;
    setting.new_calls();
    for ready in [false, true] {
        setting.edit_pod("a", |pod| {
            set_ready(pod, ready);
            let restarts =
                json!([{ "name": "main", "ready": ready, "restartCount": 1, "image": "", "imageID": "" }]);
            pod.status.as_mut().unwrap().container_statuses = Some(serde_json::from_value(restarts).unwrap());
        });
        settle().await;
        setting.holds(&group, &["10.0.0.1:8080"]);
    }
    assert!(setting.new_calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_pod_of_a_job_leaves_when_it_has_ended() {
    for phase in ["Succeeded", "Failed"] {
        let (setting, group) = Setting::web(&[]).await;
        let _agent = setting.agent("n1").await;
        setting.pod("n1", "a", "10.0.0.1");
        settle().await;
        setting.holds(&group, &["10.0.0.1:8080"]);
        setting.edit_pod("a", |pod| set_phase(pod, phase));
        settle().await;
        setting.holds(&group, &[]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stateful_pod_comes_back_with_its_name_and_another_address() {
    let (setting, group) = Setting::web(&[]).await;
    let _agent = setting.agent("n1").await;
    setting.pod("n1", "db-0", "10.0.0.1");
    settle().await;
    setting.end_pod("db-0");
    setting.pod("n1", "db-0", "10.0.0.2");
    settle().await;
    setting.holds(&group, &["10.0.0.2:8080"]);
}
