//! What surrounds VPC Lattice: what it knows is checked, and what it does not know is taken on trust.

use aws_sdk_vpclattice::types::TargetGroupType;
use serde_json::{Value, json};

use crate::harness::{Raw, Sim, field, targets};

const CERTIFICATE: &str = "arn:aws:acm:us-west-2:123456789012:certificate/one";
const FUNCTION: &str = "arn:aws:lambda:us-west-2:123456789012:function:one";
const BALANCER: &str =
    "arn:aws:elasticloadbalancing:us-west-2:123456789012:loadbalancer/app/one/0123456789abcdef";

fn surroundings() -> Value {
    json!({
        "vpcs": [
            {"id": "vpc-00000001", "cidrs": ["10.0.0.0/16", "fd00:1::/64"]},
            {"id": "vpc-00000002", "cidrs": ["10.1.0.0/16"]},
        ],
        "security_groups": [{"id": "sg-00000001", "vpc": "vpc-00000001"}, {"id": "sg-00000002", "vpc": "vpc-00000002"}],
        "instances": [
            {"id": "i-00000001", "vpc": "vpc-00000001", "addresses": ["10.0.0.1"]},
            {"id": "i-00000002", "vpc": "vpc-00000002", "addresses": ["10.1.0.1"]},
        ],
        "certificates": [{"arn": CERTIFICATE, "domains": ["example.com"]}],
        "functions": [{"arn": FUNCTION, "command": ["true"]}],
        "load_balancers": [{"arn": BALANCER, "vpc": "vpc-00000001", "address": "10.0.0.2"}],
    })
}

/// Calls that name something outside VPC Lattice, each with the member that names it, if that is refused.
fn calls(
    network: &str,
    vpc: &str,
    certificate: &str,
    security_group: &str,
) -> [(&'static str, Value, &'static str); 5] {
    let config = json!({"protocol": "HTTP", "vpcIdentifier": vpc});
    [
        ("/services", json!({"name": "shop", "certificateArn": certificate}), "certificateArn"),
        ("/targetgroups", json!({"name": "web", "type": "IP", "config": config}), "config.vpcIdentifier"),
        (
            "/resourcegateways",
            json!({"name": "data", "vpcIdentifier": vpc, "subnetIds": ["subnet-1"]}),
            "vpcIdentifier",
        ),
        (
            "/servicenetworkvpcassociations",
            json!({"serviceNetworkIdentifier": network, "vpcIdentifier": "vpc-00000001", "securityGroupIds": [security_group]}),
            "securityGroupIds[0]",
        ),
        (
            "/servicenetworkvpcassociations",
            json!({"serviceNetworkIdentifier": network, "vpcIdentifier": vpc}),
            "vpcIdentifier",
        ),
    ]
}

#[tokio::test(start_paused = true)]
async fn what_the_surroundings_do_not_name_is_refused_and_without_any_taken_on_trust() {
    let sim = Sim::instant();
    let network = sim.network("shop").await;
    sim.surround(surroundings());
    let unknown = "arn:aws:acm:us-west-2:123456789012:certificate/two";
    // A security group of another VPC is as good as none.
    for group in ["sg-00000009", "sg-00000002"] {
        for (path, body, at) in calls(&network, "vpc-00000009", unknown, group) {
            let refused = sim.send("POST", path, &body).await;
            assert_eq!((refused.status, field(&refused)), (400, at), "{path} {body}");
        }
    }
    for (path, body, _) in calls(&network, "vpc-00000002", CERTIFICATE, "sg-00000001") {
        let made = sim.send("POST", path, &body).await;
        assert!(made.status < 300, "{path} {body}: {made:?}");
    }
    let trusting = Sim::instant();
    let network = trusting.network("shop").await;
    for (path, body, _) in calls(&network, "vpc-00000009", unknown, "sg-00000009") {
        let made = trusting.send("POST", path, &body).await;
        assert!(made.status < 300, "{path} {body}: {made:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn updates_are_checked_like_creations() {
    let sim = Sim::instant();
    sim.surround(surroundings());
    let network = sim.network("shop").await;
    let service = sim.service("shop").await;
    let association = sim.open(&network, "vpc-00000001").await;
    let unknown = "arn:aws:acm:us-west-2:123456789012:certificate/two";
    let rows = [
        (format!("/services/{service}"), json!({"certificateArn": unknown}), "certificateArn"),
        (
            format!("/servicenetworkvpcassociations/{association}"),
            json!({"securityGroupIds": ["sg-00000001", "sg-00000002"]}),
            "securityGroupIds[1]",
        ),
    ];
    for (path, body, at) in rows {
        let refused = sim.send("PATCH", &path, &body).await;
        assert_eq!((refused.status, field(&refused)), (400, at), "{path} {body}");
    }
}

async fn typed(sim: &Sim, name: &str, kind: &str) -> String {
    let config = json!({"protocol": "HTTP", "port": 8080, "vpcIdentifier": "vpc-00000001"});
    let body = match kind {
        "LAMBDA" => json!({"name": name, "type": kind}),
        _ => json!({"name": name, "type": kind, "config": config}),
    };
    sim.send("POST", "/targetgroups", &body).await.body["id"].as_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn targets_that_are_not_in_their_vpc_are_unsuccessful() {
    let sim = Sim::instant();
    sim.surround(surroundings());
    let other_function = FUNCTION.replace("one", "two");
    let other_balancer = BALANCER.replace("one", "two");
    for (kind, good, bad) in [
        ("IP", "10.0.0.1", vec!["10.1.0.1", "192.168.0.1"]),
        ("INSTANCE", "i-00000001", vec!["i-00000002", "i-00000009"]),
        ("LAMBDA", FUNCTION, vec![other_function.as_str()]),
        ("ALB", BALANCER, vec![other_balancer.as_str()]),
    ] {
        let group = typed(&sim, &format!("web-{}", kind.to_lowercase()), kind).await;
        let ids: Vec<&str> = bad.iter().copied().chain([good]).collect();
        // A function and a load balancer are alone in their group.
        let calls: Vec<Vec<&str>> = if matches!(kind, "LAMBDA" | "ALB") {
            ids.iter().map(|id| vec![*id]).collect()
        } else {
            vec![ids]
        };
        let (mut successful, mut unsuccessful) = (Vec::new(), Vec::new());
        for ids in calls {
            let registered = sim.register(&group, &ids).await;
            successful.extend(registered.successful().iter().map(|target| target.id().to_owned()));
            for failure in registered.unsuccessful() {
                assert_eq!(failure.failure_code(), Some("UnsupportedTarget"), "{failure:?}");
                unsuccessful.push(failure.id().unwrap().to_owned());
            }
        }
        assert_eq!(
            (successful, unsuccessful),
            (vec![good.to_owned()], bad.iter().map(|id| (*id).to_owned()).collect()),
            "{kind}"
        );
    }
    let group = typed(&sim, "instances", "INSTANCE").await;
    let registered = sim.register(&group, &["i-00000002"]).await;
    assert_eq!(
        registered.unsuccessful()[0].failure_message(),
        Some("Instance targets must be in the same VPC as their target group")
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_made_before_stays_when_the_surroundings_change() {
    let sim = Sim::instant();
    let group = sim.group("web").await;
    sim.register(&group, &["192.168.0.1"]).await;
    sim.surround(surroundings());
    assert_eq!(sim.states(&group).await.len(), 1);
    let call = sim.client.register_targets().target_group_identifier(&group);
    let registered = call.set_targets(Some(targets(&["192.168.0.2"]))).send().await.unwrap();
    assert_eq!(registered.unsuccessful().len(), 1);
    let listed = sim.client.list_target_groups().target_group_type(TargetGroupType::Ip).send().await.unwrap();
    assert_eq!(listed.items().len(), 1);
}

async fn put(sim: &Sim, body: &Value) -> Raw {
    sim.send("PUT", "/_sim/surroundings", body).await
}

#[tokio::test(start_paused = true)]
async fn surroundings_are_replaced_as_a_whole_or_not_at_all() {
    let sim = Sim::instant();
    sim.surround(surroundings());
    // What was there at the start may come back.
    for around in [json!({}), surroundings()] {
        assert_eq!(put(&sim, &around).await.status, 200, "{around}");
    }
    let shown = sim.raw("GET", "/_sim/surroundings", "").await;
    assert_eq!(shown.body["vpcs"], surroundings()["vpcs"]);
    let vpc = json!({"id": "vpc-00000001", "cidrs": ["10.0.0.0/16"]});
    for (bad, message) in [
        (json!({"vpcs": [vpc, vpc]}), "vpcs: the id vpc-00000001 stands there more than once"),
        (
            json!({"instances": [{"id": "i-1", "vpc": "vpc-9", "addresses": ["10.0.0.1"]}]}),
            "instances[0].vpc: there is no VPC vpc-9 in vpcs",
        ),
        (
            json!({"vpcs": [vpc, {"id": "vpc-2", "cidrs": ["10.0.1.0/24"]}]}),
            "vpcs: the ranges of vpc-00000001 and vpc-2 overlap",
        ),
        (
            json!({"certificates": [{"arn": CERTIFICATE, "domains": []}]}),
            "certificates[0].domains: must not be empty",
        ),
        (
            json!({"accounts": [{"id": "1", "access_key_id": "a", "secret_access_key": "b"}]}),
            "accounts[0].id: 1 is not 12 digits",
        ),
        (
            json!({"functions": [{"arn": FUNCTION, "url": "https://example.com/"}]}),
            "functions[0].url: https://example.com/ is no URL with http://",
        ),
        (
            json!({"functions": [{"arn": FUNCTION, "command": ["false"]}]}),
            "functions[0].command: names a program that --surroundings did not name",
        ),
        (json!({"functions": [{"arn": FUNCTION}]}), "needs either a url or a command"),
        (
            json!({"functions": [{"arn": "receipts", "url": "http://127.0.0.1/"}]}),
            "functions[0].arn: receipts is not an ARN like arn:aws:lambda:…:function:NAME",
        ),
        (json!({"vpcs": [{"id": "vpc-1", "cidrs": []}]}), "vpcs[0].id: vpc-1 is not vpc- and 8 or 17"),
        (
            json!({"vpcs": [vpc], "security_groups": [
                {"id": "sg-1", "vpc": "vpc-00000001", "inbound": [{"ports": [90, 80]}]},
            ]}),
            "security_groups[0].inbound[0].ports: must be the first and the last port",
        ),
        (
            json!({"vpcs": [vpc], "security_groups": [
                {"id": "sg-1", "vpc": "vpc-00000001", "inbound": [{"security_groups": ["sg-2"]}]},
            ]}),
            "security_groups[0].inbound[0].security_groups: sg-2 is not in security_groups",
        ),
        (
            json!({"users": [{
                "arn": "arn:aws:iam::123456789012:user/a", "access_key_id": "a", "secret_access_key": "b",
                "policies": [{"Version": "2012-10-17", "Statement": [{"Efect": "Allow"}]}],
            }]}),
            "users[0].policies[0]: is no policy document",
        ),
        (json!({"vpc": []}), "unknown field `vpc`"),
    ] {
        let refused = put(&sim, &bad).await;
        assert_eq!(refused.status, 400, "{bad}");
        assert!(refused.body["message"].as_str().unwrap().contains(message), "{refused:?}");
        assert_eq!(sim.simulator.surroundings().vpcs.len(), 2);
    }
}
