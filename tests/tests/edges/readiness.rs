//! What unreadiness does under each policy.

use std::time::Duration;

use lath_kubernetes::{
    TargetGroupBinding,
    binding::{EffectivePolicy, ReadinessPolicy},
};
use tokio::time::{Instant, sleep};

use super::{
    objects::set_ready,
    setting::{Setting, settle},
};

/// Makes the binding go by a policy, and by what the controller made of `Auto`.
fn policy(
    policy: ReadinessPolicy,
    effective: Option<EffectivePolicy>,
) -> impl FnOnce(&mut TargetGroupBinding) {
    move |binding| {
        binding.spec.readiness.policy = policy;
        binding.metadata.generation = Some(1);
        binding.status.as_mut().unwrap().readiness_policy = effective;
    }
}

#[tokio::test(start_paused = true)]
async fn a_pod_unready_for_a_while_stays_or_leaves_as_the_policy_says() {
    use ReadinessPolicy::{Auto, HealthCheck, Pod};

    for (name, spec, effective, seconds, stays) in [
        ("HealthCheck", HealthCheck, None, 5, true),
        ("HealthCheck", HealthCheck, None, 60, true),
        ("Pod", Pod, None, 5, true),
        ("Pod", Pod, None, 60, false),
        ("Auto, no word yet", Auto, None, 60, true),
        ("Auto with health checks", Auto, Some(EffectivePolicy::HealthCheck), 60, true),
        ("Auto without", Auto, Some(EffectivePolicy::Pod), 5, true),
        ("Auto without", Auto, Some(EffectivePolicy::Pod), 60, false),
    ] {
        let setting = Setting::new(&[]);
        let group = setting.group("web", "IPV4").await;
        setting.api.put(&super::objects::service("web", 8080)).unwrap();
        setting.bind_with("web", "web", &group, policy(spec, effective));
        let _agent = setting.agent("n1").await;
        setting.pod("n1", "a", "10.0.0.1");
        setting.pod("n1", "b", "10.0.0.2");
        settle().await;
        setting.new_calls();
        let what = format!("{name}, {seconds} s");
        setting.edit_pod("a", |pod| set_ready(pod, false));
        sleep(Duration::from_secs(seconds)).await;
        let held = if stays { vec!["10.0.0.1:8080", "10.0.0.2:8080"] } else { vec!["10.0.0.2:8080"] };
        assert_eq!(setting.held(&group), held, "{what}");
        setting.edit_pod("a", |pod| set_ready(pod, true));
        sleep(Duration::from_mins(10)).await;
        assert_eq!(setting.held(&group), ["10.0.0.1:8080", "10.0.0.2:8080"], "{what}");
        let calls = setting.new_calls();
        if stays {
            assert!(calls.is_empty(), "{what}: {calls:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn under_policy_pod_a_pod_leaves_after_its_unready_seconds() {
    let (setting, group) = Setting::web(&[]).await;
    setting.edit_binding("web", |binding| {
        binding.spec.readiness.policy = ReadinessPolicy::Pod;
        binding.spec.readiness.unready_seconds = 30;
    });
    setting.edit_binding("web", |binding| super::objects::set_accepted(binding, true));
    let _agent = setting.agent("n1").await;
    setting.pod("n1", "a", "10.0.0.1");
    settle().await;
    setting.edit_pod("a", |pod| set_ready(pod, false));
    let unready = Instant::now();
    while !setting.held(&group).is_empty() {
        sleep(Duration::from_millis(100)).await;
    }
    let after = unready.elapsed();
    assert!((29..=31).contains(&after.as_secs()), "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn nobody_leaves_while_the_ready_share_of_the_service_is_low() {
    let (setting, group) = Setting::web(&[]).await;
    setting.edit_binding("web", |binding| binding.spec.readiness.policy = ReadinessPolicy::Pod);
    setting.edit_binding("web", |binding| super::objects::set_accepted(binding, true));
    let _agent = setting.agent("n1").await;
    for n in 0..12 {
        setting.pod("n1", &format!("p{n}"), &format!("10.0.0.{}", n + 1));
    }
    settle().await;
    let held = setting.held(&group);
    assert_eq!(held.len(), 12);
    for n in 0..12 {
        setting.edit_pod(&format!("p{n}"), |pod| set_ready(pod, false));
    }
    sleep(Duration::from_secs(3)).await;
    setting.edit_binding("web", |binding| binding.status.as_mut().unwrap().ready_share_low = true);
    sleep(Duration::from_mins(10)).await;
    assert_eq!(setting.held(&group), held, "a shared dependency's blip emptied the group");
    setting.edit_binding("web", |binding| binding.status.as_mut().unwrap().ready_share_low = false);
    settle().await;
    setting.holds(&group, &[]);
}
