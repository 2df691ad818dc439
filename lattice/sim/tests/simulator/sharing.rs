//! Sharing between two accounts by RAM.

use aws_sdk_vpclattice::types::AuthType;
use lattice_sim::Fault;
use serde_json::{Value, json};

use crate::harness::{Raw, Sim, arn, code, refusal};

const US: &str = "123456789012";
const THEM: &str = "210987654321";

async fn ram(sim: &Sim, account: usize, operation: &str, body: Value) -> Raw {
    sim.ask(account, &format!("/{operation}"), &[], body.to_string()).await
}

/// Shares resources of the first account with the second: the ARN of the share.
async fn share(sim: &Sim, resources: &[&str]) -> String {
    let body = json!({"name": "shop", "resourceArns": resources, "principals": [THEM]});
    let created = ram(sim, 0, "createresourceshare", body).await;
    assert_eq!(created.status, 200, "{created:?}");
    created.body["resourceShare"]["resourceShareArn"].as_str().unwrap().to_owned()
}

/// Lets the second account answer its invitation to a share.
async fn reply(sim: &Sim, share: &str, operation: &str) -> Raw {
    let body = json!({"resourceShareArns": [share]});
    let found = ram(sim, 1, "getresourceshareinvitations", body).await.body;
    let invitation = &found["resourceShareInvitations"][0]["resourceShareInvitationArn"];
    ram(sim, 1, operation, json!({"resourceShareInvitationArn": invitation})).await
}

#[tokio::test(start_paused = true)]
async fn what_is_shared_is_invisible_until_the_share_is_accepted() {
    let sim = Sim::with(&[("accounts", "2")]);
    let network = sim.network("shop").await;
    let network_arn = arn(&format!("servicenetwork/{network}"));
    let them = sim.stranger();
    let get = |identifier: &str| them.get_service_network().service_network_identifier(identifier).send();
    let share = share(&sim, &[&network_arn]).await;
    for identifier in [&network, &network_arn] {
        assert_eq!(code(get(identifier).await), "ResourceNotFoundException");
    }
    assert_eq!(them.list_service_networks().send().await.unwrap().items(), []);
    let accepted = reply(&sim, &share, "acceptresourceshareinvitation").await;
    assert_eq!(accepted.body["resourceShareInvitation"]["status"], "ACCEPTED");
    for identifier in [&network, &network_arn] {
        assert_eq!(get(identifier).await.unwrap().arn(), Some(network_arn.as_str()));
    }
    assert_eq!(them.list_service_networks().send().await.unwrap().items()[0].name(), Some("shop"));
    // Nobody answers twice.
    let again = reply(&sim, &share, "rejectresourceshareinvitation").await;
    assert_eq!(again.error.as_deref(), Some("ResourceShareInvitationAlreadyAcceptedException"));

    // What is shared no more is invisible again.
    let body = json!({"resourceShareArn": share, "principals": [THEM]});
    assert_eq!(ram(&sim, 0, "disassociateresourceshare", body).await.status, 200);
    assert_eq!(code(get(&network).await), "ResourceNotFoundException");
}

#[tokio::test(start_paused = true)]
async fn a_rejected_share_shows_nothing_and_an_accepted_one_may_need_no_answer() {
    let sim = Sim::with(&[("accounts", "2")]);
    let service = sim.service("shop").await;
    let service_arn = arn(&format!("service/{service}"));
    let refused = share(&sim, &[&service_arn]).await;
    let rejected = reply(&sim, &refused, "rejectresourceshareinvitation").await;
    assert_eq!(rejected.body["resourceShareInvitation"]["status"], "REJECTED");
    let them = sim.stranger();
    assert_eq!(
        code(them.get_service().service_identifier(&service).send().await),
        "ResourceNotFoundException"
    );
    sim.simulator.change_settings([("ram.invitation", "accepted")]).unwrap();
    share(&sim, &[&service_arn]).await;
    them.get_service().service_identifier(&service).send().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_is_shared_is_seen_used_and_not_changed() {
    let sim = Sim::with(&[("accounts", "2"), ("ram.invitation", "accepted")]);
    let network = sim.network("shop").await;
    let service = sim.service("shop").await;
    let gateway = sim.gateway("data").await;
    let configuration = sim.configuration("data", &gateway).await;
    let [network_arn, service_arn, configuration_arn] = [
        format!("servicenetwork/{network}"),
        format!("service/{service}"),
        format!("resourceconfiguration/{configuration}"),
    ]
    .map(|path| arn(&path));
    let them = sim.stranger();
    share(&sim, &[&network_arn, &service_arn, &configuration_arn]).await;

    assert_eq!(them.list_services().send().await.unwrap().items()[0].id(), Some(service.as_str()));
    let configurations = them.list_resource_configurations().send().await.unwrap();
    assert_eq!(configurations.items()[0].id(), Some(configuration.as_str()));
    // The gateway is not shared, nor can it be.
    assert_eq!(them.list_resource_gateways().send().await.unwrap().items(), []);
    let denied = "AccessDeniedException";
    let update = them.update_service().service_identifier(&service).auth_type(AuthType::AwsIam);
    let (refused, message) = refusal(update.send().await);
    assert_eq!(refused, denied);
    assert!(message.contains("vpc-lattice:UpdateService on resource: arn:"), "{message}");
    assert_eq!(code(them.delete_service().service_identifier(&service_arn).send().await), denied);
    let update =
        them.update_service_network().service_network_identifier(&network).auth_type(AuthType::AwsIam);
    assert_eq!(code(update.send().await), denied);
    assert_eq!(code(them.delete_service_network().service_network_identifier(&network).send().await), denied);
    let update = them.update_resource_configuration().resource_configuration_identifier(&configuration);
    assert_eq!(code(update.port_ranges("80").send().await), denied);
    let delete = them.delete_resource_configuration().resource_configuration_identifier(&configuration);
    assert_eq!(code(delete.send().await), denied);
    let put = them.put_auth_policy().resource_identifier(&service).policy(crate::policies::ALLOW);
    assert_eq!(code(put.send().await), denied);
    for arn in [&network_arn, &service_arn, &configuration_arn] {
        assert_eq!(code(them.list_tags_for_resource().resource_arn(arn).send().await), denied);
        assert_eq!(code(them.tag_resource().resource_arn(arn).tags("a", "b").send().await), denied);
        assert_eq!(code(them.untag_resource().resource_arn(arn).tag_keys("a").send().await), denied);
        assert_eq!(code(them.put_resource_policy().resource_arn(arn).policy("{}").send().await), denied);
    }
    // A network that is shared is there to be used.
    let open = them.create_service_network_vpc_association().service_network_identifier(&network_arn);
    let opened = open.vpc_identifier("vpc-00000009").send().await.unwrap();
    assert_eq!(opened.created_by(), Some(THEM));
    let own = them.create_service().name("theirs").send().await.unwrap();
    let join = them.create_service_network_service_association().service_network_identifier(&network);
    let joined = join.service_identifier(own.id().unwrap()).send().await.unwrap();

    // The owner of the network sees both, reads no tags of them, and changes neither.
    let listed = sim.client.list_service_network_vpc_associations().send().await.unwrap();
    assert_eq!(listed.items()[0].id(), opened.id());
    assert_eq!(listed.items()[0].created_by(), Some(THEM));
    let read = sim.client.get_service_network_service_association();
    let read =
        read.service_network_service_association_identifier(joined.id().unwrap()).send().await.unwrap();
    assert_eq!(read.service_name(), Some("theirs"));
    for arn in [opened.arn().unwrap(), joined.arn().unwrap()] {
        assert_eq!(code(sim.client.list_tags_for_resource().resource_arn(arn).send().await), denied);
        them.list_tags_for_resource().resource_arn(arn).send().await.unwrap();
    }
    let delete = sim.client.delete_service_network_vpc_association();
    let delete = delete.service_network_vpc_association_identifier(opened.id().unwrap());
    assert_eq!(code(delete.send().await), denied);
    let update = sim.client.update_service_network_vpc_association().security_group_ids("sg-00000001");
    let update = update.service_network_vpc_association_identifier(opened.id().unwrap());
    assert_eq!(code(update.send().await), denied);
    let delete = sim.client.delete_service_network_service_association();
    let delete = delete.service_network_service_association_identifier(joined.arn().unwrap());
    assert_eq!(code(delete.send().await), denied);
}

#[tokio::test(start_paused = true)]
async fn an_association_of_others_with_others_is_invisible() {
    let sim = Sim::with(&[("accounts", "2")]);
    let network = sim.network("shop").await;
    let service = sim.service("shop").await;
    let association = sim.join(&network, &service).await;
    let them = sim.stranger();
    let get = them.get_service_network_service_association();
    let get = get.service_network_service_association_identifier(&association);
    assert_eq!(code(get.send().await), "ResourceNotFoundException");
    let delete = them.delete_service_network_service_association();
    let delete = delete.service_network_service_association_identifier(&association);
    assert_eq!(code(delete.send().await), "ResourceNotFoundException");
    let list = them.list_service_network_service_associations().service_network_identifier(&network);
    assert_eq!(list.send().await.unwrap().items(), []);
    let tags = arn(&format!("servicenetworkserviceassociation/{association}"));
    let tags = them.list_tags_for_resource().resource_arn(tags).send().await;
    assert_eq!(code(tags), "AccessDeniedException");
}

#[tokio::test(start_paused = true)]
async fn shares_are_told_to_both_sides_and_only_own_resources_go_in() {
    let sim = Sim::with(&[("accounts", "2")]);
    let network = arn(&format!("servicenetwork/{}", sim.network("shop").await));
    let group = arn(&format!("targetgroup/{}", sim.group("web").await));
    let of_share = share(&sim, &[&network]).await;
    for (account, owner, there) in
        [(0, "SELF", 1), (0, "OTHER-ACCOUNTS", 0), (1, "SELF", 0), (1, "OTHER-ACCOUNTS", 0)]
    {
        let shares = ram(&sim, account, "getresourceshares", json!({"resourceOwner": owner})).await;
        assert_eq!(shares.body["resourceShares"].as_array().unwrap().len(), there, "{account} {owner}");
    }
    reply(&sim, &of_share, "acceptresourceshareinvitation").await;
    let shares = ram(&sim, 1, "getresourceshares", json!({"resourceOwner": "OTHER-ACCOUNTS"})).await;
    assert_eq!(shares.body["resourceShares"][0]["owningAccountId"], US);
    let resources = ram(&sim, 1, "listresources", json!({"resourceOwner": "OTHER-ACCOUNTS"})).await;
    assert_eq!(resources.body["resources"][0]["arn"], network);
    assert_eq!(resources.body["resources"][0]["type"], "vpc-lattice:ServiceNetwork");

    let absent = arn("service/svc-0123456789abcdef9");
    for (account, resource, expected) in [
        (0, &group, "InvalidParameterException"),
        (0, &absent, "UnknownResourceException"),
        (1, &network, "UnknownResourceException"),
    ] {
        let body = json!({"name": "odd", "resourceArns": [resource], "principals": [THEM]});
        let refused = ram(&sim, account, "createresourceshare", body).await;
        assert_eq!(refused.error.as_deref(), Some(expected), "{account} {resource}");
    }
    let body = json!({"resourceShareArn": of_share, "principals": [THEM]});
    assert_eq!(
        ram(&sim, 1, "associateresourceshare", body).await.error.as_deref(),
        Some("UnknownResourceException")
    );
    let fault = Fault { error: Some("ThrottlingException".to_owned()), ..Fault::on("ram.GetResourceShares") };
    sim.simulator.set_faults(vec![fault]).unwrap();
    let throttled = ram(&sim, 0, "getresourceshares", json!({"resourceOwner": "SELF"})).await;
    assert_eq!((throttled.status, throttled.error.as_deref()), (400, Some("ThrottlingException")));
}
