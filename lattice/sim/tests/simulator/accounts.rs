//! Accounts.

use crate::harness::{Sim, code, forward, targets};

#[tokio::test(start_paused = true)]
async fn resources_of_another_account_are_invisible() {
    let sim = Sim::with(&[("accounts", "2")]);
    let (group, service, listener) = sim.used_group("web").await;
    let other = sim.stranger();
    assert_eq!(other.list_target_groups().send().await.unwrap().items(), []);
    assert_eq!(other.list_services().send().await.unwrap().items(), []);
    let not_found = "ResourceNotFoundException";
    let group_arn = format!("arn:aws:vpc-lattice:us-west-2:123456789012:targetgroup/{group}");
    for group in [&group, &group_arn] {
        assert_eq!(code(other.get_target_group().target_group_identifier(group).send().await), not_found);
        assert_eq!(code(other.delete_target_group().target_group_identifier(group).send().await), not_found);
        let register = other.register_targets().target_group_identifier(group);
        assert_eq!(code(register.set_targets(Some(targets(&["10.0.0.1"]))).send().await), not_found);
        // An id of ours under the other account's number is no way in either.
        let mine = group.replace("123456789012", "210987654321");
        assert_eq!(code(other.list_targets().target_group_identifier(mine).send().await), not_found);
    }
    assert_eq!(code(other.get_service().service_identifier(&service).send().await), not_found);
    let get = other.get_listener().service_identifier(&service).listener_identifier(&listener);
    assert_eq!(code(get.send().await), not_found);
    assert_eq!(code(other.list_tags_for_resource().resource_arn(&group_arn).send().await), not_found);

    let own = other.create_service().name("web").send().await.unwrap();
    assert!(own.arn().unwrap().contains(":210987654321:"));
    let rule = other.create_listener().service_identifier(own.id().unwrap()).name("web");
    let rule = rule.protocol(aws_sdk_vpclattice::types::ListenerProtocol::Http);
    assert_eq!(code(rule.default_action(forward(&[&group])).send().await), not_found);
    let log = sim.simulator.log(0);
    assert_eq!(log.last().unwrap().account, "210987654321");
}

#[tokio::test(start_paused = true)]
async fn an_unknown_key_is_the_first_account() {
    let sim = Sim::instant();
    let (group, ..) = sim.used_group("web").await;
    let read = sim.raw("GET", &format!("/targetgroups/{group}"), "").await;
    assert_eq!(read.status, 200);
    // The second account's key is unknown while there is one account only.
    let two = Sim::with(&[("accounts", "2")]);
    let key = two.simulator.accounts().remove(1);
    let read =
        crate::harness::client(&sim.simulator, &key).get_target_group().target_group_identifier(&group);
    read.send().await.unwrap();
    assert_eq!(sim.simulator.accounts().len(), 1);
}

#[tokio::test]
async fn calls_are_verified_where_that_is_set() {
    let sim = Sim::with(&[("api.verify_signatures", "on")]);
    sim.service("web").await;
    let unsigned = sim.raw("GET", "/services", "").await;
    assert_eq!(
        (unsigned.status, unsigned.error.as_deref()),
        (403, Some("MissingAuthenticationTokenException"))
    );
    let own = sim.simulator.accounts().remove(0);
    let wrong = lattice_sim::Account { secret_access_key: "wrong".to_owned(), ..own.clone() };
    let unknown = lattice_sim::Account { access_key_id: "AKIAUNKNOWN".to_owned(), ..own };
    for (account, expected) in
        [(wrong, "InvalidSignatureException"), (unknown, "UnrecognizedClientException")]
    {
        let client = crate::harness::client(&sim.simulator, &account);
        assert_eq!(code(client.list_services().send().await), expected);
    }
}
