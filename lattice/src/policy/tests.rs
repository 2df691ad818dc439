//! Requests decided by hand from IAM's rules, and texts that are no policies.

mod conditions;
mod layers;
mod read;
mod statements;

use super::*;

const SERVICE: &str = "arn:aws:vpc-lattice:us-west-2:123456789012:service/svc-0123456789abcdef0";
const NETWORK: &str = "arn:aws:vpc-lattice:us-west-2:123456789012:servicenetwork/sn-0123456789abcdef0";

/// `GET /orders/7?page=2&page=3` with some headers, on Saturday 2026-08-01 at 10:00 UTC.
fn request() -> Request {
    let pairs = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect::<Vec<_>>()
    };
    Request {
        action: Action::Invoke(Http {
            method: "GET".into(),
            path: "/orders/7".into(),
            query: pairs(&[("page", "2"), ("page", "3"), ("sort", "Date")]),
            headers: pairs(&[
                ("x-stage", "beta"),
                ("x-tier", "gold"),
                ("X-Tier", "silver"),
                ("x-count", "12.5"),
            ]),
        }),
        service_arn: SERVICE.into(),
        service_network_arn: Some(NETWORK.into()),
        port: 443,
        source_vpc: Some("vpc-0a".into()),
        source_vpc_owner: Some("111122223333".into()),
        source_address: Some("10.1.2.3".parse().unwrap()),
        secure: Some(true),
        service_tags: [("team".to_owned(), "shop".to_owned())].into(),
        epoch_seconds: 1_785_578_400,
    }
}

fn principal(arn: &str) -> Principal {
    Principal::from_arn(arn).unwrap()
}

fn authenticated(principal: Principal) -> Caller {
    Caller::Authenticated(Box::new(principal))
}

/// A pod's session of a role with a path, with the tags of EKS Pod Identity.
fn session() -> Caller {
    authenticated(
        principal("arn:aws:sts::111122223333:assumed-role/checkout/eks-shop-7")
            .with_role("arn:aws:iam::111122223333:role/apps/checkout")
            .in_organization("o-shop")
            .with_tag("kubernetes-namespace", "shop")
            .with_tag("eks-cluster-name", "prod*"),
    )
}

fn user() -> Caller {
    authenticated(principal("arn:aws:iam::444455556666:user/people/ann"))
}

/// A policy of the statements.
fn document(statements: &str) -> String {
    format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#)
}

fn resource(statements: &str) -> Policy {
    let text = document(statements);
    Policy::resource(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
}
