//! The controller beside the agents: what it does in their stead, and what becomes of it when they are back.

use std::time::Duration;

use k8s_openapi::api::{core::v1 as core, discovery::v1 as discovery};
use lath_kubernetes::{NodeTargets, TargetGroupBinding, names, node_targets::Writer};
use lattice::{TargetGroupArn, tags};
use serde_json::json;
use tests::api::Outage;
use tokio::time::sleep;

use super::{
    objects::{NAMESPACE, binding, service, set_condition},
    setting::{Agent, Controller, LEASE, Setting, settle},
};

/// Until a Lease has lapsed and the controller has noticed.
const LAPSED: Duration = Duration::from_secs(LEASE.as_secs() + 5);

/// Until two audits have agreed on a difference, and it is mended.
const AUDITED: Duration = Duration::from_secs(65);

/// A node with its agent, and a controller that has accepted the binding `web`.
async fn one_node() -> (Setting, TargetGroupArn, Agent, Controller) {
    let setting = Setting::new(&[]);
    let group = setting.group("web", "IPV4").await;
    setting.api.put(&service("web", 8080)).unwrap();
    setting.api.put(&binding("web", "web", &group)).unwrap();
    setting.node("n1", "boot-1");
    let agent = setting.agent("n1").await;
    let controller = setting.controller().await;
    settle().await;
    (setting, group, agent, controller)
}

fn record(setting: &Setting) -> NodeTargets {
    setting.api.get("", "n1").expect("n1 has no record")
}

#[tokio::test(start_paused = true)]
async fn pods_whose_agent_is_cut_off_are_registered_and_are_that_agents_when_it_is_back() {
    for outage in [Outage::Refused, Outage::Silent, Outage::Severed] {
        let (setting, group, agent, _controller) = one_node().await;
        setting.pod("n1", "a", "10.0.0.1");
        settle().await;
        agent.access().fail(outage);
        setting.pod("n1", "b", "10.0.0.2");
        sleep(LAPSED).await;
        setting.holds(&group, &["10.0.0.1:8080", "10.0.0.2:8080"]);
        assert_eq!(record(&setting).spec.writer, Writer::Controller, "{outage:?}");

        // A pod that came and went before the agent was back: it never heard of it.
        setting.end_pod("b");
        agent.access().heal();
        sleep(Duration::from_secs(125)).await;
        setting.holds(&group, &["10.0.0.1:8080"]);
        let record = record(&setting).spec;
        assert_eq!((record.writer, record.summary.targets), (Writer::Agent, 1), "{outage:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_controller_has_registered_outlives_it_and_the_agent() {
    let (setting, group, mut agent, mut controller) = one_node().await;
    // For less than a Lease: the agent counts as alive, and an audit finds that it does not do its work.
    agent.access().fail(Outage::Severed);
    setting.pod("n1", "a", "10.0.0.1");
    sleep(AUDITED).await;
    setting.holds(&group, &["10.0.0.1:8080"]);

    controller.kill();
    agent.kill();
    setting.end_pod("a");
    sleep(Duration::from_mins(10)).await;
    setting.holds(&group, &["10.0.0.1:8080"]);
    controller.start().await;
    sleep(LAPSED).await;
    setting.holds(&group, &[]);
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_starts_takes_over_what_the_controller_registered_under_an_address_that_it_knew() {
    let (setting, group, mut agent, _controller) = one_node().await;
    setting.pod("n1", "a", "10.0.0.1");
    settle().await;
    setting.end_pod("a");
    settle().await;
    agent.kill();
    setting.pod("n1", "b", "10.0.0.1");
    sleep(LAPSED).await;
    setting.holds(&group, &["10.0.0.1:8080"]);
    agent.start().await;
    settle().await;
    setting.end_pod("b");
    settle().await;
    setting.holds(&group, &[]);
}

#[tokio::test(start_paused = true)]
async fn two_clusters_share_a_group_and_each_answers_for_its_own() {
    let (one, group, agent, mut controller) = one_node().await;
    assert!(one.tag(&group, tags::CLUSTER, Some("demo other")).await);
    let other = one.beside("other");
    other.api.put(&binding("web", "web", &group)).unwrap();
    other.node("n1", "boot-1");
    let mut others_agent = other.agent("n1").await;
    let mut others_controller = other.controller().await;
    sleep(Duration::from_secs(40)).await;
    one.pod("n1", "a", "10.0.0.1");
    other.pod("n1", "b", "10.1.0.1");
    sleep(2 * AUDITED).await;
    one.holds(&group, &["10.0.0.1:8080", "10.1.0.1:8080"]);

    // Whatever one cluster goes through, it touches nothing of the other's.
    one.end_pod("a");
    settle().await;
    one.holds(&group, &["10.1.0.1:8080"]);
    others_agent.kill();
    others_controller.kill();
    controller.kill();
    controller.start().await;
    agent.access().expire_watches();
    one.pod("n1", "c", "10.0.0.2");
    sleep(Duration::from_mins(10)).await;
    one.holds(&group, &["10.0.0.2:8080", "10.1.0.1:8080"]);
    one.api.delete::<TargetGroupBinding>(NAMESPACE, "web");
    sleep(Duration::from_mins(1)).await;
    one.holds(&group, &["10.1.0.1:8080"]);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_reboots_without_its_agent_loses_its_old_addresses_on_proof() {
    let (setting, group, mut agent, _controller) = one_node().await;
    setting.pod("n1", "a", "10.0.0.1");
    sleep(Duration::from_secs(3)).await;
    agent.kill();
    setting.node("n1", "boot-2");
    setting.edit_pod("a", |pod| super::objects::set_addresses(pod, &["10.0.0.9"]));
    sleep(LEASE.saturating_sub(Duration::from_secs(10))).await;
    let both = ["10.0.0.1:8080", "10.0.0.9:8080"];
    setting.holds(&group, &both);
    sleep(Duration::from_secs(20)).await;
    setting.holds(&group, &["10.0.0.9:8080"]);
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_is_away_from_the_controller_stops_repairs_and_nothing_else() {
    for outage in [Outage::Refused, Outage::Silent, Outage::Severed] {
        let (setting, group, mut agent, controller) = one_node().await;
        setting.pod("n1", "a", "10.0.0.1");
        sleep(Duration::from_secs(3)).await;
        controller.access().unwrap().fail(outage);
        setting.pod("n1", "b", "10.0.0.2");
        sleep(Duration::from_mins(20)).await;
        agent.kill();
        setting.end_pod("a");
        sleep(Duration::from_mins(20)).await;
        setting.holds(&group, &["10.0.0.1:8080", "10.0.0.2:8080"]);
        controller.access().unwrap().heal();
        // Until it is back, and two audits or a lapsed Lease after it.
        sleep(Duration::from_secs(125) + LAPSED).await;
        setting.holds(&group, &["10.0.0.2:8080"]);
    }
}

#[tokio::test(start_paused = true)]
async fn gates_open_through_a_rollout_in_which_the_controller_is_killed_again_and_again() {
    for seed in 0..10 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let (setting, group, _agent, mut controller) = one_node().await;
        for n in 0..20 {
            let name = format!("p{n}");
            setting.pod_with("n1", &name, &format!("10.0.0.{}", n + 1), |pod| {
                let gates = vec![core::PodReadinessGate { condition_type: names::GATE.into() }];
                pod.spec.as_mut().unwrap().readiness_gates = Some(gates);
                set_condition(pod, "Ready", false);
            });
            sleep(Duration::from_millis(rng.u64(..500))).await;
            if rng.u32(..3) == 0 {
                controller.kill();
                sleep(Duration::from_millis(rng.u64(..200))).await;
                controller.start().await;
            }
        }
        sleep(Duration::from_secs(20)).await;
        assert_eq!(setting.held(&group).len(), 20, "seed {seed}");
        let shut: Vec<_> = setting.api.all::<core::Pod>().into_iter().filter(|pod| !is_open(pod)).collect();
        assert!(shut.is_empty(), "seed {seed}: {:?}", shut.first().map(|pod| &pod.status));
    }
}

fn is_open(pod: &core::Pod) -> bool {
    let conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.into_iter().any(|condition| condition.type_ == names::GATE && condition.status == "True")
}

#[tokio::test(start_paused = true)]
async fn hand_made_endpoints_are_targets_where_they_are_allowed_and_are_the_vpcs() {
    for (arguments, expected) in [
        (vec![], vec![]),
        (vec!["--allow-manual-endpoints", "--vpc-cidr=10.0.0.0/16"], vec!["10.0.0.7:8080"]),
    ] {
        let setting = Setting::new(&[]);
        let group = setting.group("web", "IPV4").await;
        let mut manual = service("web", 8080);
        manual.spec.as_mut().unwrap().selector = None;
        setting.api.put(&manual).unwrap();
        setting.api.put(&binding("web", "web", &group)).unwrap();
        setting.node("n1", "boot-1");
        // Outside of the VPC, and another namespace's pod.
        setting.pod_with("n1", "theirs", "10.0.0.8", |pod| pod.metadata.namespace = Some("bank".into()));
        let slice = |addresses: &[&str]| -> discovery::EndpointSlice {
            let endpoints: Vec<_> = addresses.iter().map(|ip| json!({ "addresses": [ip] })).collect();
            serde_json::from_value(json!({
                "metadata": {
                    "name": "web-by-hand", "namespace": NAMESPACE,
                    "labels": { "kubernetes.io/service-name": "web" }
                },
                "addressType": "IPv4", "ports": [{ "port": 8080, "protocol": "TCP" }], "endpoints": endpoints
            }))
            .unwrap()
        };
        setting.api.put(&slice(&["10.0.0.7", "10.0.0.8", "192.168.0.7"])).unwrap();
        let mut controller = setting.controller_with(&arguments).await;
        sleep(Duration::from_secs(5)).await;
        let expected: Vec<&str> = expected;
        setting.holds(&group, &expected);

        // What goes while the controller is away goes when it is back: the binding's status remembers.
        controller.kill();
        setting.api.put(&slice(&[])).unwrap();
        controller.start().await;
        sleep(Duration::from_secs(5)).await;
        setting.holds(&group, &[]);
        let binding: TargetGroupBinding = setting.api.get(NAMESPACE, "web").unwrap();
        assert!(binding.status.unwrap().endpoints.is_empty());
    }
}
