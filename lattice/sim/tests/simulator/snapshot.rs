//! The state in a file, and the clock that stands still.

use lattice_sim::{Settings, Simulator};
use serde_json::{Value, json};

use crate::harness::{Folder, Sim, client, encoded};
use crate::kinds::{KINDS, Needs};

fn frozen() -> Settings {
    let settings = Settings::instant().with("clock.start", "2026-01-01T00:00:00Z").unwrap();
    settings.with("clock.frozen", "on").unwrap().with("accounts", "2").unwrap()
}

fn over(simulator: Simulator) -> Sim {
    Sim { client: client(&simulator, &simulator.accounts()[0]), simulator }
}

/// Makes one of each kind and more, with something under way.
async fn fill(sim: &Sim) -> Needs {
    let needs = Needs::of(sim).await;
    for kind in &KINDS {
        let made = kind.try_create(sim, &needs, 0, &json!({"clientToken": "t", "tags": {"a": "b"}})).await;
        assert!(made.status < 300, "{made:?}");
    }
    let (group, service, _) = sim.used_group("web").await;
    sim.register(&group, &["10.0.0.1", "10.0.0.2"]).await;
    sim.deregister(&group, &["10.0.0.2"]).await;
    sim.client
        .put_auth_policy()
        .resource_identifier(&service)
        .policy(crate::policies::ALLOW)
        .send()
        .await
        .unwrap();
    let arn = format!("arn:aws:vpc-lattice:us-west-2:123456789012:service/{service}");
    sim.client.put_resource_policy().resource_arn(&arn).policy("{}").send().await.unwrap();
    let body = json!({"name": "shop", "resourceArns": [arn], "principals": ["210987654321"]}).to_string();
    assert_eq!(sim.ask(0, "/createresourceshare", &[], body).await.status, 200);
    let found = sim.ask(1, "/getresourceshareinvitations", &[], "{}").await.body;
    let invitation = &found["resourceShareInvitations"][0]["resourceShareInvitationArn"];
    let body = json!({"resourceShareInvitationArn": invitation}).to_string();
    assert_eq!(sim.ask(1, "/acceptresourceshareinvitation", &[], body).await.status, 200);
    sim.surround(json!({"vpcs": [{"id": "vpc-12345678", "cidrs": ["10.0.0.0/16"]}]}));
    needs
}

/// Everything that can be read, by both accounts.
async fn everything(sim: &Sim, needs: &Needs) -> Vec<Value> {
    let mut found = Vec::new();
    for kind in &KINDS {
        for item in kind.list(sim, needs, 100).await {
            let arn = item["arn"].as_str().unwrap().to_owned();
            found.push(item);
            found.push(kind.get(sim, &arn).await.body);
            found.push(sim.raw("GET", &format!("/tags/{}", encoded(&arn)), "").await.body);
            if kind.path == "/targetgroups" {
                let path = format!("/targetgroups/{}/listtargets", encoded(&arn));
                found.push(sim.raw("POST", &path, "").await.body);
            }
            if kind.path == "/services" {
                found.push(sim.raw("GET", &format!("/authpolicy/{}", encoded(&arn)), "").await.body);
                found.push(sim.raw("GET", &format!("/resourcepolicy/{}", encoded(&arn)), "").await.body);
                found.push(sim.raw("GET", &format!("/services/{}/listeners", encoded(&arn)), "").await.body);
            }
        }
    }
    let theirs = sim.stranger().list_services().send().await.unwrap();
    found.push(json!(theirs.items().iter().map(|item| item.id().unwrap()).collect::<Vec<_>>()));
    found.push(json!(sim.simulator.state()));
    found.push(json!(*sim.simulator.surroundings()));
    found
}

#[tokio::test(start_paused = true)]
async fn everything_is_as_before_after_the_first_and_the_second_load() {
    let folder = Folder::new("load");
    let sim = over(Simulator::new(frozen(), 1));
    let needs = fill(&sim).await;
    let before = everything(&sim, &needs).await;
    assert!(before.len() > 90, "{}", before.len());
    sim.simulator.save(&folder.0.join("state.json")).unwrap();
    let first = over(Simulator::load(&folder.0.join("state.json"), frozen(), 1).unwrap());
    assert_eq!(everything(&first, &needs).await, before);
    first.simulator.save(&folder.0.join("state.json")).unwrap();
    let second = over(Simulator::load(&folder.0.join("state.json"), frozen(), 1).unwrap());
    assert_eq!(everything(&second, &needs).await, before);
    // Tokens are kept too, and what comes next comes as it would have.
    for kind in &KINDS {
        let token = json!({"clientToken": "t", "tags": {"a": "b"}});
        let again = kind.try_create(&second, &needs, 0, &token).await;
        assert!(again.status < 300, "{again:?}");
    }
    assert_eq!(everything(&second, &needs).await, before);
    let (there, here) = (sim.service("next").await, second.service("next").await);
    assert_eq!(there, here);
    // What was under way goes on.
    for sim in [&sim, &second] {
        let group =
            &sim.simulator.state().target_groups.iter().find(|group| group.name == "web").unwrap().id.clone();
        assert_eq!(sim.states(group).await.len(), 2);
        sim.advance(60.0);
        assert_eq!(sim.states(group).await.len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_not_there_yet_is_an_empty_simulator() {
    let folder = Folder::new("none");
    let sim = over(Simulator::load(&folder.0.join("state.json"), frozen(), 1).unwrap());
    assert_eq!(sim.client.list_services().send().await.unwrap().items(), []);
    // A folder that is not there can't be written to.
    let error = sim.simulator.save(&folder.0.join("absent/state.json")).unwrap_err().to_string();
    assert!(error.starts_with("writing the state file "), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_torn_or_foreign_file_is_refused_with_a_sentence() {
    let folder = Folder::new("torn");
    let file = folder.0.join("state.json");
    let sim = over(Simulator::new(frozen(), 1));
    fill(&sim).await;
    sim.simulator.save(&file).unwrap();
    let whole = std::fs::read(&file).unwrap();
    let mut other: Value = serde_json::from_slice(&whole).unwrap();
    other["form"] = json!(99);
    let cases = [
        (whole[..whole.len() / 2].to_vec(), 1, ""),
        (b"{}".to_vec(), 1, "missing field"),
        (b"\x00\x01".to_vec(), 1, ""),
        (Vec::new(), 1, ""),
        (other.to_string().into_bytes(), 1, "its form is 99, not 1"),
    ];
    for (content, seed, reason) in cases {
        std::fs::write(&file, &content).unwrap();
        let error = Simulator::load(&file, frozen(), seed).unwrap_err().to_string();
        let begins = format!("the state file {} is damaged or none: {reason}", file.display());
        assert!(error.starts_with(&begins) && error.ends_with("move it away to begin anew"), "{error}");
        // What can't be used is left as it is.
        assert_eq!(std::fs::read(&file).unwrap(), content);
    }
    std::fs::write(&file, &whole).unwrap();
    let error = Simulator::load(&file, frozen(), 2).unwrap_err().to_string();
    assert!(error.contains("was begun with --seed 1; start with --seed 1, or move"), "{error}");
    Simulator::load(&file, frozen(), 1).unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_changes_is_kept_before_long() {
    let folder = Folder::new("keep");
    let sim = over(Simulator::new(frozen(), 1));
    let keeper = {
        let (simulator, file) = (sim.simulator.clone(), folder.0.join("state.json"));
        tokio::spawn(async move { simulator.keep(&file).await })
    };
    sim.service("shop").await;
    for _ in 0..200 {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        if folder.0.join("state.json").exists() {
            break;
        }
    }
    keeper.abort();
    let loaded = over(Simulator::load(&folder.0.join("state.json"), frozen(), 1).unwrap());
    assert_eq!(loaded.client.list_services().send().await.unwrap().items().len(), 1);
}

#[tokio::test]
async fn a_frozen_clock_with_a_fixed_start_gives_the_same_answers_to_the_same_calls() {
    let mut played = Vec::new();
    for _ in 0..2 {
        let sim = over(Simulator::new(frozen(), 1));
        let needs = fill(&sim).await;
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        let answers = everything(&sim, &needs).await;
        let ids = sim.raw("GET", "/services", "").await.headers["x-amzn-requestid"].clone();
        let log = json!(sim.simulator.log(0));
        played.push((answers, ids, log));
    }
    let created = played[0].0.iter().find_map(|item| item.get("createdAt")).unwrap();
    assert_eq!(created, "2026-01-01T00:00:00.000Z");
    // Token and time of the SDK's own requests differ; all that is answered does not.
    assert_eq!((&played[0].0, &played[0].1), (&played[1].0, &played[1].1));
    let responses = |log: &Value| {
        let entries = log.as_array().unwrap().iter();
        entries.map(|entry| (entry["time"].clone(), entry["response"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(responses(&played[0].2), responses(&played[1].2));
}

#[tokio::test(start_paused = true)]
async fn saves_at_once_leave_a_whole_file() {
    let folder = Folder::new("at-once");
    let sim = over(Simulator::new(frozen(), 1));
    fill(&sim).await;
    let file = folder.0.join("state.json");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let (simulator, file) = (&sim.simulator, &file);
            scope.spawn(move || (0..10).for_each(|_| simulator.save(file).unwrap()));
        }
    });
    Simulator::load(&file, frozen(), 1).unwrap();
}
