//! Tests of phases, conditions and patches.

use super::super::state::PodState;
use super::*;

fn pod(spec: Value, status: &Value) -> Pod {
    let mut spec = spec;
    spec["containers"] = json!([{"name": "a", "image": "x"}, {"name": "b", "image": "x"}]);
    serde_json::from_value(json!({"metadata": {"name": "p", "uid": "u"}, "spec": spec, "status": status}))
        .unwrap()
}

fn ended(code: i32) -> Phase {
    let now = Timestamp::now();
    Phase::Terminated(Ended { exit: Some(Exit::Code(code)), started: now, finished: now, id: "i".into() })
}

fn running() -> Phase {
    Phase::Running { started: Timestamp::now() }
}

fn waiting() -> Phase {
    Phase::Waiting { reason: "ContainerCreating", message: String::new() }
}

fn state(pod: &Pod, phases: &[Phase]) -> Pods {
    let state = PodState::new(pod);
    state.update(|pod| {
        for (container, phase) in pod.containers.iter_mut().zip(phases) {
            container.phase = phase.clone();
        }
    });
    state.read().clone()
}

fn verdict(pod: &Pod, state: &Pods, kind: &str) -> (String, String, String) {
    let status = compute(pod, state, &[], &mut Transitions::new());
    let condition = status.conditions.unwrap().into_iter().find(|condition| condition.type_ == kind).unwrap();
    (condition.status, condition.reason.unwrap(), condition.message.unwrap())
}

#[test]
fn phases_follow_the_containers_and_the_restart_policy() {
    for (policy, phases, over, expected) in [
        ("Always", [waiting(), waiting()], false, "Pending"),
        ("Always", [running(), waiting()], false, "Pending"),
        ("Always", [running(), running()], false, "Running"),
        ("Always", [ended(0), ended(0)], false, "Running"),
        ("OnFailure", [ended(0), ended(1)], false, "Running"),
        ("OnFailure", [ended(0), ended(0)], false, "Succeeded"),
        ("Never", [ended(0), running()], false, "Running"),
        ("Never", [ended(0), ended(1)], false, "Failed"),
        ("Never", [ended(0), ended(0)], false, "Succeeded"),
        ("Always", [ended(0), ended(0)], true, "Succeeded"),
        ("Always", [ended(0), ended(143)], true, "Failed"),
    ] {
        let pod = pod(json!({"restartPolicy": policy}), &json!({}));
        let mut state = state(&pod, &phases);
        state.over = over;
        assert_eq!(phase(&pod, &state), expected, "{policy} {phases:?} over: {over}");
    }
}

#[test]
fn a_pod_is_not_initialized_before_its_init_containers_and_sidecars_did_their_part() {
    let spec = json!({"initContainers": [
        {"name": "i", "image": "x"}, {"name": "s", "image": "x", "restartPolicy": "Always"}
    ]});
    let pod = pod(spec, &json!({}));
    let mut state = state(&pod, &[ended(0), running(), waiting(), waiting()]);
    assert_eq!(verdict(&pod, &state, "Initialized").2, "containers with incomplete status: [s]");
    assert_eq!(phase(&pod, &state), "Pending");
    state.containers[1].started = true;
    assert_eq!(verdict(&pod, &state, "Initialized").0, "True");
}

#[test]
fn a_pod_whose_sidecars_run_still_has_not_ended() {
    let spec = json!({
        "restartPolicy": "Never", "initContainers": [{"name": "s", "image": "x", "restartPolicy": "Always"}]
    });
    let pod = pod(spec, &json!({}));
    let mut state = state(&pod, &[running(), ended(0), ended(0)]);
    state.containers[0].started = true;
    state.containers[1].id = "lath://1".into();
    assert_eq!(phase(&pod, &state), "Running");
    state.containers[0].started = false;
    state.containers[0].phase = ended(0);
    assert_eq!(phase(&pod, &state), "Succeeded");
}

#[test]
fn readiness_needs_every_container_and_every_gate() {
    let spec = json!({"readinessGates": [{"conditionType": "example.com/gate"}]});
    let with = |status: Value| pod(spec.clone(), &status);
    let gate = |status: &str| json!({"conditions": [{"type": "example.com/gate", "status": status}]});
    let bare = with(json!({}));
    let mut state = state(&bare, &[running(), running()]);
    state.containers[0].ready = true;
    assert_eq!(
        verdict(&bare, &state, "Ready"),
        ("False".into(), "ContainersNotReady".into(), "containers with unready status: [b]".into())
    );
    state.containers[1].ready = true;
    assert_eq!(verdict(&bare, &state, "ContainersReady").0, "True");
    assert_eq!(verdict(&bare, &state, "Ready").1, "ReadinessGatesNotReady");
    assert_eq!(verdict(&with(gate("False")), &state, "Ready").0, "False");
    assert_eq!(verdict(&with(gate("True")), &state, "Ready").0, "True");
}

#[test]
fn a_transition_time_moves_only_with_the_status() {
    let pod = pod(json!({}), &json!({}));
    let mut state = state(&pod, &[running(), running()]);
    let before = Timestamp::UNIX_EPOCH;
    let mut transitions = Transitions::from([("Ready".to_owned(), ("False".to_owned(), before))]);
    patch(&pod, &state, &[], &mut transitions);
    assert_eq!(transitions["Ready"], ("False".into(), before));
    for container in &mut state.containers {
        container.ready = true;
    }
    patch(&pod, &state, &[], &mut transitions);
    assert_ne!(transitions["Ready"].1, before);
}

#[test]
fn a_patch_names_its_pod_and_no_condition_of_others_and_replaces_addresses() {
    let pod = pod(json!({}), &json!({"conditions": [{"type": "example.com/gate", "status": "True"}]}));
    let mut state = state(&pod, &[running(), running()]);
    state.addresses = vec!["10.64.1.1".parse().unwrap()];
    let patch = patch(&pod, &state, &[], &mut Transitions::new());
    assert_eq!(patch["metadata"]["uid"], "u");
    assert_eq!(patch["status"]["podIPs"], json!([{"ip": "10.64.1.1"}, {"$patch": "replace"}]));
    let kinds: Vec<&str> = patch["status"]["conditions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["type"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        ["ContainersReady", "Initialized", "PodReadyToStartContainers", "PodScheduled", "Ready"]
    );
}
