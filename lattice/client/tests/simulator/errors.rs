//! Why calls fail, and what comes of calling again.

use lattice::{
    Tags,
    observed::Members,
    rule::{Action, Match, Rule},
    service::ListenerProtocol,
};
use lattice_client::{Client, Error, NewListener, Operation, Urgency};
use lattice_sim::Fault;

use crate::{VPC, connect, connect_with, forward, group, listener, named, service};

/// Makes one of everything with the same token, and tells their ids.
async fn make_all(client: &Client, token: &str) -> Result<Vec<String>, Error> {
    let none = Tags::new();
    let service = client.create_service(&named("web", &none), token).await?;
    let group = group(client, "web").await;
    let new = NewListener {
        name: "http",
        protocol: ListenerProtocol::Http,
        port: 80,
        default: &Action::Fixed(404),
        tags: &none,
    };
    let listener = client.create_listener(&service.id, &new, token).await?;
    let rule = Rule { matching: Match::default(), action: forward(&[(&group.arn, 1)]) };
    let rule = client.create_rule(&service.id, &listener.id, "all", 1, &rule, token).await?;
    let network = client.create_network("shop", false, &none, token).await?;
    let association = client.associate_service(&service.id, network.id.as_str(), &none, token).await?;
    let vpc = client.associate_vpc(network.id.as_str(), VPC, &[].into(), &none, token).await?;
    let logs =
        client.create_access_log(service.id.as_str(), "arn:aws:s3:::access-logs", &none, token).await?;
    Ok(vec![
        service.id.to_string(),
        group.arn.to_string(),
        listener.id.to_string(),
        rule.to_string(),
        network.id.to_string(),
        association.id.to_string(),
        vpc.id.to_string(),
        logs.to_string(),
    ])
}

#[tokio::test(start_paused = true)]
async fn making_again_with_the_same_token_gives_the_same() {
    let (_, client) = connect().await;
    let first = make_all(&client, "one").await.unwrap();
    assert_eq!(make_all(&client, "one").await.unwrap(), first);
    assert_eq!(make_all(&client, "two").await.unwrap_err().label(), "conflict");
}

#[tokio::test(start_paused = true)]
async fn what_was_made_without_an_answer_is_found_by_making_it_again() {
    let (simulator, client) = connect().await;
    let fault =
        Fault { timeout: true, applied: Some(true), count: Some(1), ..Fault::on("CreateServiceNetwork") };
    simulator.set_faults(vec![fault]).unwrap();
    let none = Tags::new();
    let error = client.create_network("shop", false, &none, "token").await.unwrap_err();
    assert!(error.may_have_applied(), "{error}");
    let made = client.create_network("shop", false, &none, "token").await.unwrap();
    assert_eq!(client.networks(Urgency::Verify).await.unwrap(), [(made, Members::default())]);
}

#[tokio::test(start_paused = true)]
async fn errors_of_every_call_are_told_apart() {
    for (error, label) in [
        ("ThrottlingException", "throttled"),
        ("InternalServerException", "unanswered"),
        ("ConflictException", "conflict"),
        ("ResourceNotFoundException", "missing"),
        ("ServiceQuotaExceededException", "full"),
        ("AccessDeniedException", "denied"),
        ("ValidationException", "refused"),
    ] {
        let (simulator, client) = connect().await;
        let fault = Fault { error: Some(error.into()), ..Fault::on("CreateRule") };
        simulator.set_faults(vec![fault]).unwrap();
        let failed = make_all(&client, "token").await.unwrap_err();
        assert_eq!(failed.label(), label, "{failed}");
        assert_eq!(client.metrics().count(Operation::CreateRule, label), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_service_refuses_by_itself_is_told_apart() {
    let (_, client) = connect_with(&[("quota.services", "1"), ("quota.rules_per_listener", "1")]).await;
    let service = service(&client, "web").await;
    let listener = listener(&client, &service).await;
    let group = group(&client, "web").await;
    client.update_listener(&service.id, &listener.id, &forward(&[(&group.arn, 1)])).await.unwrap();
    let rule = |status| Rule { matching: Match::default(), action: Action::Fixed(status) };
    let make = async |priority: u16, status| {
        let (name, rule) = (format!("rule{priority}"), rule(status));
        client.create_rule(&service.id, &listener.id, &name, priority, &rule, &name).await
    };
    make(1, 404).await.unwrap();
    let none = Tags::new();
    let gone = "svc-00000000000000000".into();
    for (failed, label) in [
        (client.create_service(&named("more", &none), "more").await.map(drop), "full"),
        (make(2, 404).await.map(drop), "full"),
        (make(1, 404).await.map(drop), "ok"),
        (make(3, 200).await.map(drop), "refused"),
        (client.delete_group(&group.arn).await.map(drop), "conflict"),
        (client.service(&gone, Urgency::Verify).await.map(drop), "missing"),
        (client.delete_service(&gone).await.map(drop), "missing"),
        (client.listeners(&gone, Urgency::Verify).await.map(drop), "missing"),
    ] {
        assert_eq!(failed.as_ref().map_or_else(Error::label, |()| "ok"), label, "{failed:?}");
    }
}
