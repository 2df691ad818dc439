//! Auth policies, resource policies, access log subscriptions.

use aws_sdk_vpclattice::types::{AuthPolicyState, AuthType, ServiceNetworkLogType};
use serde_json::json;

use crate::harness::{Sim, arn, code, encoded, field};

/// An auth policy that allows everybody everything.
pub(crate) const ALLOW: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"vpc-lattice-svcs:Invoke","Resource":"*"}]}"#;

#[tokio::test(start_paused = true)]
async fn an_auth_policy_is_active_while_the_auth_type_is_iam() {
    let sim = Sim::instant();
    let (service, network) = (sim.service("shop").await, sim.network("shop").await);
    for resource in [service.clone(), network.clone(), arn(&format!("service/{service}"))] {
        let of_service = resource.contains("svc-");
        let set = async |auth_type: AuthType| {
            if of_service {
                let call = sim.client.update_service().service_identifier(&resource).auth_type(auth_type);
                call.send().await.map(drop).unwrap();
            } else {
                let call = sim.client.update_service_network().service_network_identifier(&resource);
                call.auth_type(auth_type).send().await.map(drop).unwrap();
            }
        };
        let get = || sim.client.get_auth_policy().resource_identifier(&resource).send();
        let put =
            |text: &str| sim.client.put_auth_policy().resource_identifier(&resource).policy(text).send();
        let delete = || sim.client.delete_auth_policy().resource_identifier(&resource).send();
        assert_eq!(code(get().await), "ResourceNotFoundException");
        let answer = put(ALLOW).await.unwrap();
        assert_eq!((answer.policy(), answer.state()), (Some(ALLOW), Some(&AuthPolicyState::Inactive)));
        set(AuthType::AwsIam).await;
        sim.advance(1.0);
        let deny = ALLOW.replace("Allow", "Deny");
        assert_eq!(put(&deny).await.unwrap().state(), Some(&AuthPolicyState::Active));
        let read = get().await.unwrap();
        assert_eq!((read.policy(), read.state()), (Some(deny.as_str()), Some(&AuthPolicyState::Active)));
        assert!(read.last_updated_at() > read.created_at());
        set(AuthType::None).await;
        assert_eq!(get().await.unwrap().state(), Some(&AuthPolicyState::Inactive));
        delete().await.unwrap();
        assert_eq!(code(get().await), "ResourceNotFoundException");
        assert_eq!(code(delete().await), "ResourceNotFoundException");
    }
}

#[tokio::test(start_paused = true)]
async fn texts_that_are_no_policy_or_beyond_the_quota_are_refused() {
    let sim = Sim::instant();
    let service = sim.service("shop").await;
    let long = ALLOW.replace("\"Effect\"", &format!("\"Sid\":\"{}\",\"Effect\"", "x".repeat(10 * 1024)));
    for text in ["", "{", "[]", "7", "{}", &ALLOW.replace("Allow", "Perhaps"), &long] {
        let put = sim.client.put_auth_policy().resource_identifier(&service).policy(text);
        assert_eq!(code(put.send().await), "ValidationException", "{text:.10}");
    }
    sim.simulator.change_settings([("api.oversize_auth_policy", "accepted")]).unwrap();
    sim.client.put_auth_policy().resource_identifier(&service).policy(&long).send().await.unwrap();
    let service = arn(&format!("service/{service}"));
    for text in [" ", "{", "[]"] {
        let put = sim.client.put_resource_policy().resource_arn(&service).policy(text);
        assert_eq!(code(put.send().await), "ValidationException", "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_resource_policy_is_put_read_and_deleted() {
    let sim = Sim::instant();
    let service = format!("service/{}", sim.service("shop").await);
    let network = format!("servicenetwork/{}", sim.network("shop").await);
    let gateway = sim.gateway("data").await;
    let configuration = format!("resourceconfiguration/{}", sim.configuration("data", &gateway).await);
    for resource in [service, network, configuration].map(|path| arn(&path)) {
        let get = || sim.client.get_resource_policy().resource_arn(&resource).send();
        let delete = || sim.client.delete_resource_policy().resource_arn(&resource).send();
        assert_eq!(code(get().await), "ResourceNotFoundException");
        for text in [ALLOW, "{}"] {
            sim.client.put_resource_policy().resource_arn(&resource).policy(text).send().await.unwrap();
            assert_eq!(get().await.unwrap().policy(), Some(text));
        }
        delete().await.unwrap();
        assert_eq!(code(delete().await), "ResourceNotFoundException");
    }
    let absent = arn("service/svc-0123456789abcdef9");
    let put = sim.client.put_resource_policy().resource_arn(absent).policy("{}");
    assert_eq!(code(put.send().await), "ResourceNotFoundException");
}

#[tokio::test(start_paused = true)]
async fn a_log_subscription_is_created_read_listed_and_updated() {
    let sim = Sim::instant();
    let network = sim.network("shop").await;
    let create = || sim.client.create_access_log_subscription().resource_identifier(&network);
    let bucket = create().destination_arn("arn:aws:s3:::lattice-logs").send().await.unwrap();
    assert_eq!(bucket.service_network_log_type(), Some(&ServiceNetworkLogType::Service));
    assert_eq!(
        (bucket.resource_id(), bucket.resource_arn()),
        (network.as_str(), arn(&format!("servicenetwork/{network}")).as_str())
    );
    // One destination of a kind for each kind of traffic.
    assert_eq!(
        code(create().destination_arn("arn:aws:s3:::more-lattice-logs").send().await),
        "ConflictException"
    );
    let traffic = create()
        .destination_arn("arn:aws:s3:::more-lattice-logs")
        .service_network_log_type(ServiceNetworkLogType::Resource);
    traffic.send().await.unwrap();
    let group = "arn:aws:logs:us-west-2:123456789012:log-group:logs:*";
    create().destination_arn(group).send().await.unwrap();
    sim.advance(1.0);
    let update =
        sim.client.update_access_log_subscription().destination_arn("arn:aws:s3:::other-lattice-logs");
    let update = update.access_log_subscription_identifier(bucket.id()).send().await.unwrap();
    assert_eq!(update.destination_arn(), "arn:aws:s3:::other-lattice-logs");
    let read = sim.client.get_access_log_subscription().access_log_subscription_identifier(bucket.arn());
    let read = read.send().await.unwrap();
    assert_eq!(read.destination_arn(), "arn:aws:s3:::other-lattice-logs");
    assert!(read.last_updated_at() > read.created_at());
    let list = sim.client.list_access_log_subscriptions().resource_identifier(&network).send().await.unwrap();
    assert_eq!(list.items().len(), 3);
    assert_eq!(list.items()[0].destination_arn(), "arn:aws:s3:::other-lattice-logs");
    sim.client.delete_service_network().service_network_identifier(&network).send().await.unwrap();
    let gone = sim.client.get_access_log_subscription().access_log_subscription_identifier(bucket.id());
    assert_eq!(code(gone.send().await), "ResourceNotFoundException");
}

#[tokio::test(start_paused = true)]
async fn subscriptions_name_a_place_for_logs_and_a_resource_that_has_them() {
    let sim = Sim::instant();
    let (service, network) = (sim.service("shop").await, sim.network("shop").await);
    let gateway = sim.gateway("data").await;
    let configuration = sim.configuration("data", &gateway).await;
    let bucket = "arn:aws:s3:::lattice-logs";
    for (body, status, at) in [
        (
            json!({"resourceIdentifier": service, "destinationArn": "arn:aws:sqs:us-west-2:123456789012:q"}),
            400,
            "destinationArn",
        ),
        (
            json!({"resourceIdentifier": service, "destinationArn": bucket, "serviceNetworkLogType": "SERVICE"}),
            400,
            "serviceNetworkLogType",
        ),
        (json!({"resourceIdentifier": "svc-0123456789abcdef9", "destinationArn": bucket}), 404, ""),
    ] {
        let answer = sim.send("POST", "/accesslogsubscriptions", &body).await;
        assert_eq!((answer.status, field(&answer)), (status, at), "{body}: {answer:?}");
    }
    // The model's pattern of `resourceId` in answers knows no resource configurations, so the answer breaks it, or the
    // call is refused.
    let body = json!({"resourceIdentifier": configuration, "destinationArn": bucket});
    let unchecked = sim.ask(0, "/accesslogsubscriptions", &[], body.to_string()).await;
    assert_eq!((unchecked.status, &unchecked.body["resourceId"]), (201, &json!(configuration)));
    sim.simulator.change_settings([("accesslog.rcfg_resource_id", "refused")]).unwrap();
    assert_eq!(field(&sim.send("POST", "/accesslogsubscriptions", &body).await), "resourceIdentifier");
    // A list is of one resource, which has to be named but need not be there.
    assert_eq!(sim.raw("GET", "/accesslogsubscriptions", "").await.status, 400);
    let absent = sim.raw("GET", "/accesslogsubscriptions?resourceIdentifier=sn-0123456789abcdef9", "").await;
    assert_eq!((absent.status, absent.body), (200, json!({"items": []})));
    let by_arn = encoded(&arn(&format!("servicenetwork/{network}")));
    let listed = sim.raw("GET", &format!("/accesslogsubscriptions?resourceIdentifier={by_arn}"), "").await;
    assert_eq!(listed.body, json!({"items": []}));
}
