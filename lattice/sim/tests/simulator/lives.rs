//! What holds for every kind of resource: status by the clock, failures, tokens, pages, tags, unknown ids.

use std::collections::BTreeSet;

use lattice_sim::{Failure, Fault};
use serde_json::{Value, json};

use crate::harness::{Sim, encoded};
use crate::kinds::{KINDS, Kind, MANY, Needs};

fn id(body: &Value) -> &str {
    body["id"].as_str().unwrap()
}

/// Kinds whose creation and deletion take time, with the settings for it.
fn slow() -> impl Iterator<Item = (&'static Kind, &'static str, &'static str)> {
    KINDS.iter().filter_map(|kind| kind.delays.map(|(create, delete)| (kind, create, delete)))
}

fn failing(operation: &str) -> Fault {
    let failure = Failure { code: "Odd".to_owned(), message: "It did not work out.".to_owned() };
    Fault { fails: Some(failure), ..Fault::on(operation) }
}

#[tokio::test(start_paused = true)]
async fn creation_and_deletion_of_every_kind_take_their_time() {
    for (kind, create, delete) in slow() {
        let sim = Sim::instant();
        let needs = Needs::of(&sim).await;
        sim.simulator.change_settings([(create, "7"), (delete, "9")]).unwrap();
        let created = kind.create(&sim, &needs, 0).await;
        let id = id(&created);
        assert_eq!(created["status"], "CREATE_IN_PROGRESS", "{}", kind.create);
        sim.advance(6.0);
        assert_eq!(kind.get(&sim, id).await.body["status"], "CREATE_IN_PROGRESS", "{}", kind.create);
        let early = kind.delete(&sim, id).await;
        assert_eq!((early.status, &early.body["resourceType"]), (409, &json!(kind.upper)), "{early:?}");
        assert_eq!(
            early.body["message"],
            format!(
                "Invalid resource status for this operation, resource id {id}, status: CREATE_IN_PROGRESS."
            )
        );
        sim.advance(1.0);
        assert_eq!(kind.get(&sim, id).await.body["status"], "ACTIVE", "{}", kind.create);

        for at in [0, 1] {
            let deleted = kind.delete(&sim, id).await;
            assert!(deleted.status < 300, "{}: {deleted:?}", kind.delete);
            if deleted.status == 200 {
                assert_eq!(
                    (&deleted.body["status"], &deleted.body["id"]),
                    (&json!("DELETE_IN_PROGRESS"), &json!(id))
                );
            }
            assert_eq!(kind.get(&sim, id).await.body["status"], "DELETE_IN_PROGRESS", "{} {at}", kind.delete);
            sim.advance(4.0);
        }
        // A deletion that is repeated does not begin anew.
        sim.advance(1.0);
        assert_eq!(kind.get(&sim, id).await.status, 404, "{}", kind.delete);
        assert!(!kind.list(&sim, &needs, 100).await.iter().any(|item| item["id"] == id), "{}", kind.delete);
    }
}

#[tokio::test(start_paused = true)]
async fn a_fault_rule_lets_creation_and_deletion_of_every_kind_fail() {
    for (kind, create, delete) in slow() {
        let sim = Sim::instant();
        let needs = Needs::of(&sim).await;
        sim.simulator.change_settings([(create, "5"), (delete, "5")]).unwrap();
        sim.simulator.set_faults(vec![Fault { count: Some(1), ..failing(kind.create) }]).unwrap();
        let created = kind.create(&sim, &needs, 0).await;
        let id = id(&created);
        for member in kind.failure {
            assert_eq!(kind.get(&sim, id).await.body[member], Value::Null, "{} {member}", kind.create);
        }
        sim.advance(5.0);
        let told = |body: &Value, status: &str| {
            assert_eq!(body["status"], status, "{}", kind.create);
            for member in kind.failure {
                let expected = if *member == "failureCode" { "Odd" } else { "It did not work out." };
                assert_eq!(body[member], expected, "{} {member}", kind.create);
            }
        };
        told(&kind.get(&sim, id).await.body, "CREATE_FAILED");

        sim.simulator.set_faults(vec![Fault { count: Some(1), ..failing(kind.delete) }]).unwrap();
        assert!(kind.delete(&sim, id).await.status < 300);
        assert_eq!(kind.get(&sim, id).await.body["status"], "DELETE_IN_PROGRESS", "{}", kind.delete);
        sim.advance(5.0);
        told(&kind.get(&sim, id).await.body, "DELETE_FAILED");
        // The next one succeeds.
        assert!(kind.delete(&sim, id).await.status < 300);
        sim.advance(5.0);
        assert_eq!(kind.get(&sim, id).await.status, 404, "{}", kind.delete);
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_of_every_kind_gives_the_same_resource_or_is_refused() {
    let sim = Sim::instant();
    let needs = Needs::of(&sim).await;
    for kind in &KINDS {
        let token = json!({"clientToken": "t"});
        let first = kind.try_create(&sim, &needs, 0, &token).await;
        let again = kind.try_create(&sim, &needs, 0, &token).await;
        assert_eq!((again.status, &again.body), (first.status, &first.body), "{}", kind.create);
        let other = kind.try_create(&sim, &needs, 0, &json!({"clientToken": "t", "tags": {"a": "b"}})).await;
        assert_eq!(other.status, 409, "{}: {other:?}", kind.create);
        // Without the token it is a second of the same.
        let second = kind.try_create(&sim, &needs, 0, &json!({})).await;
        assert_eq!(second.status, 409, "{}: {second:?}", kind.create);
        assert_eq!(second.body["resourceId"], first.body["id"], "{}", kind.create);
        // Once the resource is gone, so is what the token stands for.
        let id = id(&first.body);
        assert!(kind.delete(&sim, id).await.status < 300);
        let anew = kind.try_create(&sim, &needs, 0, &token).await;
        assert_eq!(anew.status, first.status, "{}: {anew:?}", kind.create);
        assert_ne!(anew.body["id"], id, "{}", kind.create);
    }
}

#[tokio::test(start_paused = true)]
async fn pages_of_every_kind_are_complete_and_in_order() {
    let sim = Sim::instant();
    let needs = Needs::of(&sim).await;
    for kind in &KINDS {
        let mut made: Vec<String> = Vec::new();
        for n in 0..MANY {
            made.push(id(&kind.create(&sim, &needs, n).await).to_owned());
        }
        for order in ["creation", "newest"] {
            sim.simulator.change_settings([("api.list_order", order)]).unwrap();
            for size in [1, 2, MANY, 100] {
                let items = kind.list(&sim, &needs, size).await;
                let ids: Vec<&str> = items.iter().map(id).collect();
                assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{} doubles", kind.path);
                let own: Vec<&str> =
                    ids.into_iter().filter(|id| made.iter().any(|made| made == id)).collect();
                let mut expected: Vec<&str> = made.iter().map(String::as_str).collect();
                if order == "newest" {
                    expected.reverse();
                }
                assert_eq!(own, expected, "{} in pages of {size}", kind.path);
            }
        }
        sim.simulator.change_settings([("api.list_order", "creation")]).unwrap();
        let forged = format!("{}?nextToken=forged&{}", kind.path, "resourceIdentifier=sn-0123456789abcdef0");
        assert_eq!(sim.raw("GET", &forged, "").await.status, 400, "{}", kind.path);
    }
}

#[tokio::test(start_paused = true)]
async fn every_kind_is_found_by_id_and_by_arn_and_carries_tags() {
    let sim = Sim::instant();
    let needs = Needs::of(&sim).await;
    for kind in &KINDS {
        let made = kind.try_create(&sim, &needs, 0, &json!({"tags": {"stage": "one", "empty": ""}})).await;
        let arn = made.body["arn"].as_str().unwrap();
        let by_id = kind.get(&sim, id(&made.body)).await;
        assert_eq!((by_id.status, &by_id.body["arn"]), (200, &json!(arn)), "{}", kind.create);
        assert_eq!(kind.get(&sim, arn).await.body, by_id.body, "{}", kind.create);
        let listed = kind.list(&sim, &needs, 100).await;
        let item = listed.iter().find(|item| item["arn"] == arn).unwrap();
        for (member, value) in
            item.as_object().unwrap().iter().filter(|(member, _)| by_id.body.get(member).is_some())
        {
            assert_eq!(&by_id.body[member], value, "{}: {member} of list and get", kind.create);
        }

        let path = format!("/tags/{}", encoded(arn));
        assert_eq!(
            sim.raw("GET", &path, "").await.body,
            json!({"tags": {"stage": "one", "empty": ""}}),
            "{}",
            kind.create
        );
        let tagged = sim.send("POST", &path, &json!({"tags": {"stage": "two", "Größe": "a b"}})).await;
        assert_eq!(tagged.status, 200, "{}", kind.create);
        let untagged = sim.raw("DELETE", &format!("{path}?tagKeys=empty&tagKeys=absent"), "").await;
        assert_eq!(untagged.status, 200, "{}", kind.create);
        let tags = json!({"stage": "two", "Größe": "a b"});
        assert_eq!(sim.raw("GET", &path, "").await.body["tags"], tags, "{}", kind.create);
        // Only domain verifications show their tags themselves.
        let shown = kind.get(&sim, arn).await.body;
        let of_domain = kind.path == "/domainverifications";
        assert_eq!(shown.get("tags"), of_domain.then_some(&tags), "{}", kind.create);

        assert!(kind.delete(&sim, arn).await.status < 300, "{}", kind.delete);
        assert_eq!(sim.raw("GET", &path, "").await.status, 404, "{}", kind.create);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_unknown_is_answered_with_its_id_and_type() {
    let sim = Sim::with(&[("accounts", "2")]);
    let needs = Needs::of(&sim).await;
    for kind in &KINDS {
        let made = kind.create(&sim, &needs, 0).await;
        let (known, arn) = (id(&made), made["arn"].as_str().unwrap());
        assert!(kind.delete(&sim, known).await.status < 300, "{}", kind.delete);
        for unknown in [known, arn, &arn.replace("123456789012", "210987654321")] {
            for refused in [kind.get(&sim, unknown).await, kind.delete(&sim, unknown).await] {
                assert_eq!(refused.status, 404, "{} {unknown}", kind.path);
                assert_eq!(refused.body["resourceId"], known, "{} {unknown}", kind.path);
                assert_eq!(refused.body["resourceType"], kind.upper, "{} {unknown}", kind.path);
            }
        }
        sim.simulator.change_settings([("api.delete_after_gone", "success")]).unwrap();
        assert!(kind.delete(&sim, known).await.status < 300, "{}", kind.delete);
        sim.simulator.change_settings([("api.delete_after_gone", "not-found")]).unwrap();
        // An id of another form is not looked for at all.
        assert_eq!(kind.get(&sim, "nothing").await.status, 400, "{}", kind.path);
    }
}

#[tokio::test(start_paused = true)]
async fn quotas_are_kept() {
    let rows = [
        ("quota.target_groups", "CreateTargetGroup", 0),
        ("quota.services", "CreateService", MANY),
        ("quota.service_networks", "CreateServiceNetwork", 1),
        ("quota.services_per_service_network", "CreateServiceNetworkServiceAssociation", 0),
        ("quota.vpcs_per_service_network", "CreateServiceNetworkVpcAssociation", 0),
        ("quota.resource_configurations_per_service_network", "CreateServiceNetworkResourceAssociation", 0),
        ("quota.resource_gateways_per_vpc", "CreateResourceGateway", 1),
        ("quota.resource_configurations", "CreateResourceConfiguration", MANY),
        ("quota.domain_verifications", "StartDomainVerification", 0),
    ];
    let sim = Sim::instant();
    let needs = Needs::of(&sim).await;
    for (setting, operation, there) in rows {
        let kind = KINDS.iter().find(|kind| kind.create == operation).unwrap();
        sim.simulator.change_settings([(setting, (there + 2).to_string().as_str())]).unwrap();
        for n in 0..2 {
            kind.create(&sim, &needs, n).await;
        }
        let refused = kind.try_create(&sim, &needs, 2, &json!({})).await;
        assert_eq!(refused.status, 402, "{setting}: {refused:?}");
        assert_eq!(refused.error.as_deref(), Some("ServiceQuotaExceededException"));
        assert_eq!(refused.body["resourceType"], kind.upper, "{setting}");
        assert_eq!(refused.body["serviceCode"], "vpc-lattice", "{setting}");
        // Room for one more is room enough.
        sim.simulator.change_settings([(setting, (there + 3).to_string().as_str())]).unwrap();
        kind.create(&sim, &needs, 2).await;
    }
}
