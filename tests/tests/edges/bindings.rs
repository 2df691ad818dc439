//! Bindings: agents act on what the controller has accepted, and lose nothing over what they can't read.

use std::time::Duration;

use lath_kubernetes::TargetGroupBinding;
use serde_json::json;
use tokio::time::sleep;

use super::{
    objects::{NAMESPACE, service, set_accepted, set_app},
    setting::{Log, Setting, settle},
};

const COLLECTION: &str = "lath.dev/v1alpha1/targetgroupbindings";

/// A binding that no version of Lath can read.
fn malformed(name: &str) -> serde_json::Value {
    json!({ "metadata": { "name": name, "namespace": NAMESPACE }, "spec": { "targetGroup": 7, "service": [] } })
}

#[tokio::test(start_paused = true)]
async fn a_deleted_binding_empties_its_group() {
    for finalizers in [vec![], vec!["lath.dev/targets".to_owned()]] {
        let (setting, group) = Setting::web(&[]).await;
        setting.edit_binding("web", |binding| binding.metadata.finalizers = Some(finalizers));
        let _agent = setting.agent("n1").await;
        setting.pod("n1", "a", "10.0.0.1");
        settle().await;
        setting.holds(&group, &["10.0.0.1:8080"]);
        setting.api.delete::<TargetGroupBinding>(NAMESPACE, "web");
        settle().await;
        setting.holds(&group, &[]);
    }
}

#[tokio::test(start_paused = true)]
async fn while_a_binding_is_not_accepted_nobody_enters_and_only_the_dying_leave() {
    let (setting, group) = Setting::web(&[]).await;
    let mut agent = setting.agent("n1").await;
    setting.pod("n1", "a", "10.0.0.1");
    setting.pod("n1", "b", "10.0.0.2");
    settle().await;
    setting.edit_binding("web", |binding| set_accepted(binding, false));
    settle().await;
    setting.pod("n1", "c", "10.0.0.3");
    setting.delete_pod("a");
    settle().await;
    setting.holds(&group, &["10.0.0.2:8080"]);
    agent.restart().await;
    sleep(Duration::from_mins(1)).await;
    setting.holds(&group, &["10.0.0.2:8080"]);
    setting.edit_binding("web", |binding| set_accepted(binding, true));
    settle().await;
    setting.holds(&group, &["10.0.0.2:8080", "10.0.0.3:8080"]);
}

#[tokio::test(start_paused = true)]
async fn a_changed_binding_takes_nobody_out_before_it_is_accepted() {
    let (setting, group) = Setting::web(&[]).await;
    let mut next = service("next", 8080);
    next.spec.as_mut().unwrap().selector.as_mut().unwrap().insert("app".into(), "next".into());
    setting.api.put(&next).unwrap();
    let _agent = setting.agent("n1").await;
    setting.pod("n1", "a", "10.0.0.1");
    setting.pod_with("n1", "b", "10.0.0.2", |pod| set_app(pod, "next"));
    settle().await;
    setting.edit_binding("web", |binding| binding.spec.service.name = "next".into());
    sleep(Duration::from_mins(1)).await;
    setting.holds(&group, &["10.0.0.1:8080"]);
    setting.edit_binding("web", |binding| set_accepted(binding, true));
    settle().await;
    setting.holds(&group, &["10.0.0.2:8080"]);
}

#[tokio::test(start_paused = true)]
async fn a_malformed_binding_disturbs_no_other_and_keeps_what_it_had() {
    let (setting, group) = Setting::web(&[]).await;
    let other = setting.group("other", "IPV4").await;
    setting.bind("other", "web", &other);
    let mut agent = setting.agent("n1").await;
    setting.pod("n1", "a", "10.0.0.1");
    settle().await;
    setting.api.put_value(COLLECTION, malformed("web"));
    setting.pod("n1", "b", "10.0.0.2");
    settle().await;
    assert!(setting.held(&group).contains(&"10.0.0.1:8080".to_owned()), "what was there is lost");
    setting.holds(&other, &["10.0.0.1:8080", "10.0.0.2:8080"]);

    for what in ["a new list", "a restart"] {
        match what {
            "a restart" => agent.restart().await,
            _ => agent.access().expire_watches(),
        }
        sleep(Duration::from_mins(5)).await;
        assert!(setting.held(&group).contains(&"10.0.0.1:8080".to_owned()), "lost by {what}");
    }
    setting.pod("n1", "c", "10.0.0.3");
    settle().await;
    assert!(setting.held(&other).contains(&"10.0.0.3:8080".to_owned()));

    setting.bind("web", "web", &group);
    setting.edit_binding("web", |binding| set_accepted(binding, true));
    settle().await;
    setting.holds(&group, &["10.0.0.1:8080", "10.0.0.2:8080", "10.0.0.3:8080"]);
    setting.api.put_value(COLLECTION, malformed("web"));
    settle().await;
    setting.api.remove::<TargetGroupBinding>(NAMESPACE, "web");
    settle().await;
    setting.holds(&group, &[]);
}

#[tokio::test(start_paused = true)]
async fn a_group_that_is_missing_is_called_now_and_then_and_named_once() {
    let (log, _guard) = Log::keep();
    let (setting, group) = Setting::web(&[]).await;
    let gone = group.as_str().replace(group.id(), "tg-0000000000000dead").parse().unwrap();
    setting.bind("gone", "web", &gone);
    let agent = setting.agent("n1").await;
    setting.pod("n1", "a", "10.0.0.1");
    sleep(Duration::from_mins(10)).await;
    setting.holds(&group, &["10.0.0.1:8080"]);
    let calls = setting.new_calls()["RegisterTargets"];
    assert!((10..=130).contains(&calls), "{calls} calls in ten minutes");
    assert_eq!(log.lines("names something that is not there").len(), 1);
    assert!(agent.readyz().ready);
}

#[tokio::test(start_paused = true)]
async fn a_group_deleted_later_leaves_nothing_behind() {
    let (setting, group) = Setting::web(&[]).await;
    let spare = setting.spare_group("spare").await;
    setting.bind("spare", "web", &spare);
    let agent = setting.agent("n1").await;
    setting.pod("n1", "a", "10.0.0.1");
    settle().await;
    setting.holds(&spare, &["10.0.0.1:8080"]);
    setting.delete_group(&spare).await;
    setting.edit_binding("spare", |binding| set_accepted(binding, false));
    setting.pod("n1", "b", "10.0.0.2");
    settle().await;
    setting.holds(&group, &["10.0.0.1:8080", "10.0.0.2:8080"]);
    setting.api.delete::<TargetGroupBinding>(NAMESPACE, "spare");
    settle().await;
    assert_eq!(agent.status().groups.len(), 1, "{:?}", agent.status());
    setting.new_calls();
    sleep(Duration::from_mins(30)).await;
    assert!(setting.new_calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn two_bindings_fill_one_group_together() {
    let (setting, group) = Setting::web(&[]).await;
    setting.api.put(&service("same", 8080)).unwrap();
    setting.api.put(&service("admin", 9090)).unwrap();
    setting.bind("same", "same", &group);
    setting.bind("admin", "admin", &group);
    let _agent = setting.agent("n1").await;
    setting.pod("n1", "a", "10.0.0.1");
    settle().await;
    setting.holds(&group, &["10.0.0.1:8080", "10.0.0.1:9090"]);
    setting.api.delete::<TargetGroupBinding>(NAMESPACE, "web");
    settle().await;
    setting.holds(&group, &["10.0.0.1:8080", "10.0.0.1:9090"]);
    setting.api.delete::<TargetGroupBinding>(NAMESPACE, "same");
    settle().await;
    setting.holds(&group, &["10.0.0.1:9090"]);
}

#[tokio::test(start_paused = true)]
async fn targets_of_others_in_the_group_are_left_alone() {
    let (setting, group) = Setting::web(&[]).await;
    setting.register(&group, &["10.9.9.9"]).await;
    let mut agent = setting.agent("n1").await;
    setting.pod("n1", "a", "10.0.0.1");
    settle().await;
    setting.end_pod("a");
    agent.restart().await;
    settle().await;
    setting.api.delete::<TargetGroupBinding>(NAMESPACE, "web");
    settle().await;
    setting.holds(&group, &["10.9.9.9:80"]);
}
