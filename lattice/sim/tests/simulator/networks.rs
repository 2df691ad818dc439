//! Service networks.

use aws_sdk_vpclattice::types::{AuthType, SharingConfig};
use serde_json::json;

use crate::harness::{Sim, arn, code, refusal};

#[tokio::test(start_paused = true)]
async fn a_service_network_is_created_read_listed_updated_and_deleted() {
    let sim = Sim::instant();
    let call = sim.client.create_service_network().name("sn-shop").auth_type(AuthType::AwsIam);
    let call = call.sharing_config(SharingConfig::builder().enabled(false).build());
    let created = call.send().await.unwrap();
    let id = created.id().unwrap();
    assert_eq!(created.arn(), Some(arn(&format!("servicenetwork/{id}")).as_str()));
    assert_eq!(created.auth_type(), Some(&AuthType::AwsIam));
    assert_eq!(created.sharing_config().unwrap().enabled(), Some(false));

    sim.advance(1.0);
    let update = sim.client.update_service_network().service_network_identifier(created.arn().unwrap());
    let updated = update.auth_type(AuthType::None).send().await.unwrap();
    assert_eq!((updated.name(), updated.auth_type()), (Some("sn-shop"), Some(&AuthType::None)));
    let get = || sim.client.get_service_network().service_network_identifier(id).send();
    let read = get().await.unwrap();
    assert_eq!(read.auth_type(), Some(&AuthType::None));
    assert!(read.last_updated_at() > read.created_at());
    let listed = sim.client.list_service_networks().send().await.unwrap();
    assert_eq!((listed.items().len(), listed.items()[0].name()), (1, Some("sn-shop")));
    sim.client.delete_service_network().service_network_identifier(id).send().await.unwrap();
    assert_eq!(code(get().await), "ResourceNotFoundException");
    assert_eq!(sim.client.list_service_networks().send().await.unwrap().items(), []);
}

#[tokio::test(start_paused = true)]
async fn what_is_associated_is_counted() {
    let sim = Sim::instant();
    let network = sim.network("shop").await;
    let gateway = sim.gateway("data").await;
    for n in 0..3 {
        let configuration = sim.configuration(&format!("data-{n}"), &gateway).await;
        sim.offer(&network, &configuration).await;
    }
    let service = sim.service("shop").await;
    let association = sim.join(&network, &service).await;
    sim.open(&network, "vpc-00000001").await;
    sim.open(&network, "vpc-00000002").await;
    let read = || async {
        let call = sim.client.get_service_network().service_network_identifier(&network);
        let read = call.send().await.unwrap();
        let item = sim.client.list_service_networks().send().await.unwrap().items()[0].clone();
        assert_eq!(item.number_of_associated_services(), read.number_of_associated_services());
        assert_eq!(item.number_of_associated_vpcs(), read.number_of_associated_vpcs());
        let numbers = [
            item.number_of_associated_services(),
            item.number_of_associated_vpcs(),
            item.number_of_associated_resource_configurations(),
        ];
        numbers.map(Option::unwrap)
    };
    assert_eq!(read().await, [1, 2, 3]);
    let delete = sim.client.delete_service_network_service_association();
    delete.service_network_service_association_identifier(&association).send().await.unwrap();
    assert_eq!(read().await, [0, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn a_network_goes_after_all_that_is_associated_with_it() {
    let sim = Sim::with(&[("delay.association_delete", "10"), ("delay.vpc_association_delete", "75")]);
    let network = sim.network("shop").await;
    let service = sim.service("shop").await;
    let gateway = sim.gateway("data").await;
    let configuration = sim.configuration("data", &gateway).await;
    let joined = sim.join(&network, &service).await;
    let offered = sim.offer(&network, &configuration).await;
    let opened = sim.open(&network, "vpc-00000001").await;
    let endpoint = json!({"id": "vpce-0123456789abcdef0", "vpc": "vpc-00000001", "service_network": "shop"});
    sim.surround(
        json!({"vpcs": [{"id": "vpc-00000001", "cidrs": ["10.0.0.0/16"]}], "vpc_endpoints": [endpoint]}),
    );
    let delete = || sim.client.delete_service_network().service_network_identifier(&network).send();
    let refused = |what: &str| {
        ("ConflictException".to_owned(), format!("ServiceNetwork {network} has {what}(s) associated."))
    };

    assert_eq!(refusal(delete().await), refused("resource"));
    let call = sim.client.delete_service_network_service_association();
    call.service_network_service_association_identifier(&joined).send().await.unwrap();
    sim.advance(10.0);
    assert_eq!(refusal(delete().await), refused("resource"));
    let call = sim.client.delete_service_network_resource_association();
    call.service_network_resource_association_identifier(&offered).send().await.unwrap();
    // What is being deleted is still there.
    assert_eq!(refusal(delete().await), refused("resource"));
    sim.advance(10.0);
    assert_eq!(refusal(delete().await), refused("VPC"));
    let call = sim.client.delete_service_network_vpc_association();
    call.service_network_vpc_association_identifier(&opened).send().await.unwrap();
    sim.advance(74.0);
    assert_eq!(refusal(delete().await), refused("VPC"));
    sim.advance(1.0);
    assert_eq!(refusal(delete().await), refused("VPC endpoint"));
    sim.surround(json!({}));
    delete().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn names_are_kept_per_account() {
    let sim = Sim::with(&[("accounts", "2")]);
    sim.network("shop").await;
    assert_eq!(code(sim.client.create_service_network().name("shop").send().await), "ConflictException");
    sim.stranger().create_service_network().name("shop").send().await.unwrap();
    sim.simulator.change_settings([("api.duplicate_name", "validation")]).unwrap();
    assert_eq!(code(sim.client.create_service_network().name("shop").send().await), "ValidationException");
}
