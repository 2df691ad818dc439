//! Services.

use aws_sdk_vpclattice::types::{AuthType, ServiceStatus};

use crate::harness::{Sim, code, forward};

#[tokio::test(start_paused = true)]
async fn a_service_is_created_read_listed_and_updated() {
    let sim = Sim::instant();
    let certificate = "arn:aws:acm:us-west-2:123456789012:certificate/0123";
    let created =
        sim.client.create_service().name("shop").custom_domain_name("shop.example.com").send().await.unwrap();
    let id = created.id().unwrap();
    assert_eq!(created.auth_type(), Some(&AuthType::None));
    assert_eq!(created.idle_timeout_seconds(), Some(60));
    let dns = created.dns_entry().unwrap();
    let expected = format!("shop-{}.7d67968.vpc-lattice-svcs.us-west-2.on.aws", &id["svc-".len()..]);
    assert_eq!(dns.domain_name(), Some(expected.as_str()));
    assert!(dns.hosted_zone_id().is_some());

    sim.advance(1.0);
    let updated = sim
        .client
        .update_service()
        .service_identifier(created.arn().unwrap())
        .auth_type(AuthType::AwsIam)
        .certificate_arn(certificate)
        .idle_timeout_seconds(600)
        .send()
        .await
        .unwrap();
    assert_eq!(
        (updated.auth_type(), updated.certificate_arn()),
        (Some(&AuthType::AwsIam), Some(certificate))
    );
    let read = sim.client.get_service().service_identifier(id).send().await.unwrap();
    assert_eq!((read.certificate_arn(), read.idle_timeout_seconds()), (Some(certificate), Some(600)));
    assert_eq!(read.custom_domain_name(), Some("shop.example.com"));
    assert!(read.last_updated_at() > read.created_at());
    let listed = sim.client.list_services().send().await.unwrap();
    assert_eq!(listed.items()[0].name(), Some("shop"));
    assert_eq!(listed.items()[0].dns_entry(), read.dns_entry());
}

#[tokio::test(start_paused = true)]
async fn creation_and_deletion_take_their_time() {
    let sim = Sim::with(&[("delay.service_create", "5"), ("delay.service_delete", "5")]);
    let id = sim.service("shop").await;
    let status = || {
        let call = sim.client.get_service().service_identifier(&id).send();
        async { call.await.map(|service| service.status.unwrap()) }
    };
    let delete = || sim.client.delete_service().service_identifier(&id).send();
    let update = || sim.client.update_service().service_identifier(&id).auth_type(AuthType::AwsIam).send();
    assert_eq!(status().await.unwrap(), ServiceStatus::CreateInProgress);
    assert_eq!(code(update().await), "ConflictException");
    assert_eq!(code(delete().await), "ConflictException");
    sim.advance(5.0);
    assert_eq!(status().await.unwrap(), ServiceStatus::Active);
    assert_eq!(delete().await.unwrap().status(), Some(&ServiceStatus::DeleteInProgress));
    sim.advance(4.0);
    assert_eq!(delete().await.unwrap().status(), Some(&ServiceStatus::DeleteInProgress));
    assert_eq!(code(update().await), "ConflictException");
    sim.advance(1.0);
    assert_eq!(code(status().await), "ResourceNotFoundException");
    assert_eq!(code(delete().await), "ResourceNotFoundException");
    assert_eq!(code(update().await), "ResourceNotFoundException");
    sim.simulator.change_settings([("api.delete_after_gone", "success")]).unwrap();
    assert_eq!(delete().await.unwrap().id(), Some(id.as_str()));
}

#[tokio::test(start_paused = true)]
async fn listeners_and_rules_go_with_their_service() {
    let sim = Sim::with(&[("delay.service_delete", "5")]);
    let (group, service, listener) = sim.used_group("web").await;
    let other = sim.group("other").await;
    sim.rule(&service, &listener, "api", 1, forward(&[&other])).await;
    sim.client.delete_service().service_identifier(&service).send().await.unwrap();
    let delete_group = |group: &str| sim.client.delete_target_group().target_group_identifier(group).send();
    // Until the service is gone, its rules use their groups, and nothing of it can be changed.
    assert_eq!(code(delete_group(&group).await), "ConflictException");
    let rule = sim.client.create_rule().service_identifier(&service).listener_identifier(&listener);
    let rule = rule.name("more").priority(2).r#match(crate::harness::prefix("/")).action(forward(&[&other]));
    assert_eq!(code(rule.send().await), "ConflictException");
    sim.advance(5.0);
    delete_group(&group).await.unwrap();
    delete_group(&other).await.unwrap();
    let list = sim.client.list_listeners().service_identifier(&service).send().await;
    assert_eq!(code(list), "ResourceNotFoundException");
}

#[tokio::test(start_paused = true)]
async fn names_and_quota_are_kept() {
    let sim = Sim::with(&[("quota.services", "2")]);
    sim.service("one").await;
    let create = |name: &str| sim.client.create_service().name(name).send();
    assert_eq!(code(create("one").await), "ConflictException");
    sim.simulator.change_settings([("api.duplicate_name", "validation")]).unwrap();
    assert_eq!(code(create("one").await), "ValidationException");
    create("two").await.unwrap();
    assert_eq!(code(create("three").await), "ServiceQuotaExceededException");
}

#[tokio::test(start_paused = true)]
async fn labels_of_the_domain_name_are_settings() {
    let sim = Sim::with(&[("dns.partition_id", "abc"), ("dns.hosted_zone_id", "Z1")]);
    let created = sim.client.create_service().name("shop").send().await.unwrap();
    let dns = created.dns_entry().unwrap();
    assert!(dns.domain_name().unwrap().contains(".abc.vpc-lattice-svcs."));
    assert_eq!(dns.hosted_zone_id(), Some("Z1"));
}
