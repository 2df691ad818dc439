//! Tests of the server: what Lath's clients rely on is there as in the real one.

use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, Client,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams},
};
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};

use super::{ApiServer, Outage};

fn pod(name: &str, node: &str, address: &str) -> Pod {
    serde_json::from_value(json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": name, "namespace": "shop", "labels": { "app": "web" } },
        "spec": { "nodeName": node, "containers": [] },
        "status": { "podIP": address, "podIPs": [{ "ip": address }] }
    }))
    .unwrap()
}

fn pods(client: Client) -> Api<Pod> {
    Api::namespaced(client, "shop")
}

fn code(error: &kube::Error) -> u16 {
    match error {
        kube::Error::Api(status) => status.code,
        other => panic!("{other}"),
    }
}

/// What a watch with this field selector tells from `version` on, as letters and names, until it is silent for a minute.
async fn told(client: Client, fields: &str, version: &str) -> Vec<String> {
    let params = WatchParams::default().fields(fields);
    let mut events = Api::<Pod>::all(client).watch(&params, version).await.unwrap().boxed();
    let mut told = Vec::new();
    while let Ok(Ok(Some(event))) = timeout(Duration::from_mins(1), events.try_next()).await {
        let (letter, object) = match event {
            WatchEvent::Added(pod) => ('A', pod),
            WatchEvent::Modified(pod) => ('M', pod),
            WatchEvent::Deleted(pod) => ('D', pod),
            WatchEvent::Error(status) => {
                told.push(status.code.to_string());
                continue;
            }
            WatchEvent::Bookmark(_) => panic!("a bookmark"),
        };
        told.push(format!("{letter} {}", object.metadata.name.unwrap()));
    }
    told
}

#[tokio::test(start_paused = true)]
async fn lists_select_by_field_and_label() {
    let api = ApiServer::default();
    api.put(&pod("a", "n1", "10.0.0.1")).unwrap();
    api.put(&pod("b", "n2", "10.0.0.2")).unwrap();
    let pods = Api::<Pod>::all(api.access().client());
    for (params, expected) in [
        (ListParams::default(), 2),
        (ListParams::default().fields("spec.nodeName=n1"), 1),
        (ListParams::default().fields("status.podIP=10.0.0.2"), 1),
        (ListParams::default().fields("metadata.name=c"), 0),
        (ListParams::default().labels("app=web"), 2),
        (ListParams::default().labels("app=other"), 0),
    ] {
        assert_eq!(pods.list(&params).await.unwrap().items.len(), expected, "{params:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_tells_what_enters_changes_and_leaves_its_selection() {
    let api = ApiServer::default();
    let client = api.access().client();
    let begin =
        pods(client.clone()).list(&ListParams::default()).await.unwrap().metadata.resource_version.unwrap();
    api.put(&pod("a", "", "10.0.0.1")).unwrap();
    api.put(&pod("other", "n2", "10.0.0.2")).unwrap();
    api.edit::<Pod>("shop", "a", |pod| pod.spec.as_mut().unwrap().node_name = Some("n1".into())).unwrap();
    api.edit::<Pod>("shop", "a", |pod| pod.metadata.labels = None).unwrap();
    api.remove::<Pod>("shop", "a");
    let expected = ["A a", "M a", "D a"];
    assert_eq!(told(client.clone(), "spec.nodeName=n1", &begin).await, expected);
    assert_eq!(told(client, "spec.nodeName=n1", "1").await, ["410"]);
}

#[tokio::test(start_paused = true)]
async fn writes_go_by_version_uid_and_subresource() {
    let api = ApiServer::default();
    let pods = pods(api.access().client());
    let made = pods.create(&PostParams::default(), &pod("a", "n1", "10.0.0.1")).await.unwrap();
    assert_eq!(made.status, None, "a status is not made with its object");
    let again = pods.create(&PostParams::default(), &pod("a", "n1", "10.0.0.1")).await.unwrap_err();
    assert_eq!(code(&again), 409);

    let ready = |status: &str| json!({ "status": { "conditions": [{ "type": "Ready", "status": status }] } });
    let params = PatchParams::default();
    for patch in [
        ready("False"),
        json!({ "status": { "conditions": [{ "type": "X", "status": "True" }] } }),
        ready("True"),
    ] {
        pods.patch_status("a", &params, &Patch::Strategic(patch)).await.unwrap();
    }
    let patched = pods.patch("a", &params, &Patch::Merge(ready("ignored"))).await.unwrap();
    let conditions = patched.status.as_ref().unwrap().conditions.clone().unwrap();
    let told: Vec<_> = conditions.iter().map(|one| (one.type_.as_str(), one.status.as_str())).collect();
    assert_eq!(told, [("Ready", "True"), ("X", "True")]);

    let stale = pods.replace("a", &PostParams::default(), &made).await.unwrap_err();
    assert_eq!(code(&stale), 409);
    let version = patched.metadata.resource_version.clone();
    let same = pods.replace("a", &PostParams::default(), &patched).await.unwrap();
    assert_eq!(same.metadata.resource_version, version, "a write that changes nothing makes no version");
    let other = json!({ "metadata": { "uid": "another" }, "status": {} });
    assert_eq!(code(&pods.patch_status("a", &params, &Patch::Merge(other)).await.unwrap_err()), 409);
}

#[tokio::test(start_paused = true)]
async fn deletion_waits_for_finalizers_and_gives_pods_time() {
    let api = ApiServer::default();
    let pods = pods(api.access().client());
    api.put(&pod("a", "n1", "10.0.0.1")).unwrap();
    pods.delete("a", &DeleteParams::default()).await.unwrap();
    assert!(pods.get("a").await.unwrap().metadata.deletion_timestamp.is_some());
    pods.delete("a", &DeleteParams::default().grace_period(0)).await.unwrap();
    assert_eq!(code(&pods.get("a").await.unwrap_err()), 404);

    let services = Api::<k8s_openapi::api::core::v1::Service>::namespaced(api.access().client(), "shop");
    api.put_value(
        "v1/services",
        json!({ "metadata": { "name": "web", "namespace": "shop", "finalizers": ["x"] } }),
    );
    services.delete("web", &DeleteParams::default()).await.unwrap();
    assert!(services.get("web").await.unwrap().metadata.deletion_timestamp.is_some());
    let free = Patch::Merge(json!({ "metadata": { "finalizers": null } }));
    services.patch("web", &PatchParams::default(), &free).await.unwrap();
    assert_eq!(services.get_opt("web").await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_severed_watch_stays_silent_until_its_client_gives_it_up_and_a_quiet_one_lives_by_bookmarks() {
    let api = ApiServer::default();
    let access = api.access();
    let watch = async |what: &str| {
        let params = WatchParams::default();
        let mut events = pods(access.watching_client()).watch(&params, "1000").await.unwrap().boxed();
        let began = Instant::now();
        let mut bookmarks = 0;
        loop {
            match events.next().await {
                Some(Ok(WatchEvent::Bookmark(_))) => bookmarks += 1,
                Some(Ok(event)) => panic!("{what}: {event:?}"),
                Some(Err(_)) | None => return (began.elapsed().as_secs(), bookmarks),
            }
        }
    };
    assert_eq!(watch("nothing happens").await, (290, 4), "the server ends it");
    let severed = watch("severed");
    let sever = async {
        sleep(Duration::from_secs(10)).await;
        access.fail(Outage::Severed);
        access.heal();
        api.put(&pod("a", "n1", "10.0.0.1")).unwrap();
    };
    let ((ended, bookmarks), ()) = tokio::join!(severed, sever);
    assert_eq!((ended, bookmarks), (90, 0), "its client has heard nothing");
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_one_clients_own_and_watches_catch_up_after_it() {
    let api = ApiServer::default();
    let (cut, whole) = (api.access(), api.access());
    let begin =
        pods(whole.client()).list(&ListParams::default()).await.unwrap().metadata.resource_version.unwrap();
    let watching = tokio::spawn(told(cut.client(), "spec.nodeName=n1", &begin.clone().leak()[..]));
    sleep(Duration::from_secs(1)).await;

    cut.fail(Outage::Silent);
    api.put(&pod("a", "n1", "10.0.0.1")).unwrap();
    let asked = Instant::now();
    assert!(pods(cut.client()).get("a").await.is_err(), "nothing answers");
    pods(whole.client()).get("a").await.unwrap();
    assert_eq!(asked.elapsed(), Duration::from_secs(15));
    cut.heal();
    pods(cut.client()).get("a").await.unwrap();
    assert_eq!(cut.requests("get", "pods"), 2);

    cut.fail(Outage::Refused);
    assert!(pods(cut.client()).get("a").await.is_err());
    let told = watching.await.unwrap();
    assert!(told.is_empty() || told == ["A a"], "{told:?}");
    cut.heal();
    cut.delay_watches(Duration::from_secs(5));
    let reconnected = Instant::now();
    assert_eq!(self::told(cut.client(), "spec.nodeName=n1", &begin).await, ["A a"]);
    assert!(reconnected.elapsed() < Duration::from_mins(2));
    cut.empty_next_list("pods");
    assert_eq!(pods(cut.client()).list(&ListParams::default()).await.unwrap().items.len(), 0);
    assert_eq!(pods(cut.client()).list(&ListParams::default()).await.unwrap().items.len(), 1);
}
