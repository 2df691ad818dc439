//! Service networks, what is in them, auth policies and access logs.

use std::collections::BTreeSet;

use lattice::{
    Tags,
    observed::{Members, Status},
};
use lattice_client::{ServiceAssociationsOf, Urgency, VpcAssociationsOf};

use crate::{VPC, connect, connect_with, service, tags};

const LOOK: Urgency = Urgency::Observe;

#[tokio::test(start_paused = true)]
async fn a_network_is_listed_as_it_was_made_until_it_is_gone() {
    let (_, client) = connect().await;
    let marks = tags(&[("lath.dev/cluster", "demo")]);
    let made = client.create_network("shop", true, &marks, "token").await.unwrap();
    assert_eq!(made.name, "shop");
    assert_eq!(client.networks(LOOK).await.unwrap(), [(made.clone(), Members::default())]);
    assert_eq!(client.tags(&made.arn, LOOK).await.unwrap(), marks);
    assert!(client.network_auth(made.id.as_str(), LOOK).await.unwrap());
    client.update_network(&made.id, false).await.unwrap();
    assert!(!client.network_auth(&made.arn, LOOK).await.unwrap());
    client.delete_network(&made.id).await.unwrap();
    assert_eq!(client.networks(LOOK).await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn a_service_comes_into_a_network_and_goes() {
    let (_, client) = connect().await;
    let service = service(&client, "web").await;
    let network = client.create_network("shop", false, &Tags::new(), "token").await.unwrap();
    let marks = tags(&[("lath.dev/cluster", "demo")]);
    let made = client.associate_service(&service.id, &network.arn, &marks, "token").await.unwrap();
    assert_eq!((&made.service, &made.network), (&service.id, &network.id));
    assert_eq!(made.status, Status::Active);
    let in_it = Members { services: 1, ..Members::default() };
    assert_eq!(client.networks(LOOK).await.unwrap(), [(network.clone(), in_it)]);
    let again = client.associate_service(&service.id, &network.arn, &marks, "token").await.unwrap();
    assert_eq!(again, made);
    assert_eq!(client.service_association(&made.id, LOOK).await.unwrap(), made);
    assert_eq!(client.tags(&made.arn, LOOK).await.unwrap(), marks);
    for of in
        [ServiceAssociationsOf::Service(&service.id), ServiceAssociationsOf::Network(network.id.as_str())]
    {
        let listed = client.service_associations(of, LOOK).await.unwrap();
        assert_eq!(listed, std::slice::from_ref(&made), "{of:?}");
    }
    assert_eq!(client.delete_service(&service.id).await.unwrap_err().label(), "conflict");
    client.dissociate_service(&made.id).await.unwrap();
    let none = client.service_associations(ServiceAssociationsOf::Service(&service.id), LOOK).await.unwrap();
    assert_eq!(none, []);
}

#[tokio::test(start_paused = true)]
async fn a_vpc_comes_into_a_network_changes_and_goes() {
    let (_, client) = connect_with(&[("delay.vpc_association_update", "5")]).await;
    let network = client.create_network("shop", false, &Tags::new(), "token").await.unwrap();
    let groups = |names: &[&str]| names.iter().map(|name| format!("sg-{name:0>17}")).collect::<BTreeSet<_>>();
    let made =
        client.associate_vpc(network.id.as_str(), VPC, &groups(&[]), &Tags::new(), "token").await.unwrap();
    assert_eq!((&made.network, made.vpc.as_str(), &made.status), (&network.id, VPC, &Status::Active));
    assert_eq!(made.security_groups, Some(groups(&[])));
    let read = client.vpc_association(&made.id, LOOK).await.unwrap();
    assert_eq!((read.network_name.as_deref(), read.private_dns), (Some("shop"), false));
    for of in [VpcAssociationsOf::Vpc(VPC), VpcAssociationsOf::Network(&network.arn)] {
        let [listed] = &client.vpc_associations(of, LOOK).await.unwrap()[..] else { panic!("{of:?}") };
        assert_eq!((&listed.id, &listed.network, &listed.security_groups), (&made.id, &network.id, &None));
    }
    let status = client.update_vpc_association(&made.id, &groups(&["b", "a"])).await.unwrap();
    assert_eq!(status, Status::Updating);
    let read = client.vpc_association(&made.id, LOOK).await.unwrap();
    assert_eq!(read.security_groups, Some(groups(&["a", "b"])));
    assert_eq!(client.dissociate_vpc(&made.id).await.unwrap_err().label(), "conflict");
    tokio::time::sleep(std::time::Duration::from_secs(6)).await;
    let none = client.update_vpc_association(&made.id, &groups(&[])).await.unwrap_err();
    assert_eq!(none.label(), "refused");
    client.dissociate_vpc(&made.id).await.unwrap();
    assert_eq!(client.vpc_associations(VpcAssociationsOf::Vpc(VPC), LOOK).await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn an_auth_policy_is_there_between_its_being_put_and_deleted() {
    let (_, client) = connect().await;
    let service = service(&client, "web").await;
    let network = client.create_network("shop", false, &Tags::new(), "token").await.unwrap();
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#;
    for resource in [service.id.as_str(), &network.arn] {
        assert_eq!(client.auth_policy(resource, LOOK).await.unwrap(), None);
        client.put_auth_policy(resource, policy).await.unwrap();
        assert_eq!(client.auth_policy(resource, LOOK).await.unwrap().as_deref(), Some(policy));
        client.delete_auth_policy(resource).await.unwrap();
        assert_eq!(client.auth_policy(resource, LOOK).await.unwrap(), None);
        assert_eq!(client.delete_auth_policy(resource).await.unwrap_err().label(), "missing");
    }
    assert_eq!(client.put_auth_policy(&network.arn, "{").await.unwrap_err().label(), "refused");
}

#[tokio::test(start_paused = true)]
async fn access_logs_go_to_destinations_of_different_kinds() {
    let (_, client) = connect().await;
    let service = service(&client, "web").await;
    let (bucket, logs) = ("arn:aws:s3:::access-logs", "arn:aws:logs:us-west-2:123456789012:log-group:/web");
    let (mut made, none) = (Vec::new(), Tags::new());
    for destination in [bucket, logs] {
        let make = || client.create_access_log(service.id.as_str(), destination, &none, destination);
        let id = make().await.unwrap();
        assert_eq!(make().await.unwrap(), id);
        made.push((id, destination.to_owned()));
    }
    assert_eq!(client.access_logs(&service.arn, LOOK).await.unwrap(), made);
    let other = client.create_access_log(&service.arn, "arn:aws:s3:::more-logs", &Tags::new(), "more").await;
    assert_eq!(other.unwrap_err().label(), "conflict");
    client.delete_access_log(&made[0].0).await.unwrap();
    assert_eq!(client.access_logs(&service.arn, LOOK).await.unwrap(), made[1..]);
}
