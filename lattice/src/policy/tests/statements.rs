//! Principals, actions, resources and effects of statements.

use super::*;

fn anonymous() -> Caller {
    Caller::Anonymous
}

fn root() -> Caller {
    authenticated(principal("arn:aws:iam::111122223333:root"))
}

fn role() -> Caller {
    authenticated(principal("arn:aws:iam::111122223333:role/apps/checkout"))
}

/// A session whose role's path nobody told.
fn plain_session() -> Caller {
    authenticated(principal("arn:aws:sts::111122223333:assumed-role/checkout/eks-shop-7"))
}

fn federated() -> Caller {
    authenticated(principal("arn:aws:sts::111122223333:federated-user/bob"))
}

/// Whether a denying statement with this principal element applies to the caller.
type Case = (&'static str, fn() -> Caller, bool);

const PRINCIPALS: &[Case] = &[
    (r#""Principal": "*""#, anonymous, true),
    (r#""Principal": {"AWS": "*"}"#, anonymous, true),
    (r#""Principal": {"AWS": "*"}"#, session, true),
    (r#""Principal": {"AWS": "111122223333"}"#, session, true),
    (r#""Principal": {"AWS": "111122223333"}"#, root, true),
    (r#""Principal": {"AWS": "111122223333"}"#, federated, true),
    (r#""Principal": {"AWS": "111122223333"}"#, user, false),
    (r#""Principal": {"AWS": "111122223333"}"#, anonymous, false),
    (r#""Principal": {"AWS": "arn:aws:iam::111122223333:root"}"#, session, true),
    (r#""Principal": {"AWS": "arn:aws:iam::111122223333:root"}"#, user, false),
    (r#""Principal": {"AWS": "arn:aws:iam::111122223333:role/apps/checkout"}"#, session, true),
    (r#""Principal": {"AWS": "arn:aws:iam::111122223333:role/apps/checkout"}"#, role, true),
    (r#""Principal": {"AWS": "arn:aws:iam::111122223333:role/apps/checkout"}"#, plain_session, false),
    (r#""Principal": {"AWS": "arn:aws:iam::111122223333:role/checkout"}"#, session, false),
    (r#""Principal": {"AWS": "arn:aws:iam::111122223333:role/checkout"}"#, plain_session, true),
    (r#""Principal": {"AWS": "arn:aws:iam::111122223333:role/apps/Checkout"}"#, session, false),
    (r#""Principal": {"AWS": "arn:aws:sts::111122223333:assumed-role/checkout/eks-shop-7"}"#, session, true),
    (r#""Principal": {"AWS": "arn:aws:sts::111122223333:assumed-role/checkout/eks-shop-8"}"#, session, false),
    (r#""Principal": {"AWS": "arn:aws:sts::111122223333:assumed-role/checkout/eks-shop-7"}"#, role, false),
    (r#""Principal": {"AWS": "arn:aws:sts::111122223333:federated-user/bob"}"#, federated, true),
    (r#""Principal": {"AWS": ["444455556666", "arn:aws:iam::444455556666:user/people/ann"]}"#, user, true),
    (r#""Principal": {"AWS": "arn:aws:iam::444455556666:user/ann"}"#, user, false),
    (r#""Principal": {"AWS": "AIDACKCEVSQ6C2EXAMPLE"}"#, user, false),
    (r#""Principal": {"Service": "vpc-lattice.amazonaws.com"}"#, session, false),
    (r#""Principal": {"Service": "*"}"#, session, false),
    (r#""Principal": {"Service": "ec2.amazonaws.com", "AWS": "111122223333"}"#, session, true),
    (r#""NotPrincipal": {"AWS": "111122223333"}"#, session, false),
    (r#""NotPrincipal": {"AWS": "111122223333"}"#, user, true),
    (r#""NotPrincipal": {"AWS": "111122223333"}"#, anonymous, true),
    (r#""NotPrincipal": {"AWS": "arn:aws:iam::111122223333:role/apps/checkout"}"#, session, false),
    (r#""NotPrincipal": "*""#, anonymous, false),
];

#[test]
fn principals_are_whom_iam_means() {
    for (element, caller, expected) in PRINCIPALS {
        let statement = format!(r#"{{"Effect": "Deny", {element}, "Action": "*", "Resource": "*"}}"#);
        let decision = resource(&statement).decide(&caller(), &request());
        assert_eq!(decision != Decision::Silent, *expected, "{element} for {}", caller().name());
    }
}

/// Whether a statement with these elements applies to the request and, second, to a connection to the same service.
const ELEMENTS: &[(&str, bool, bool)] = &[
    (r#""Action": "*", "Resource": "*""#, true, true),
    (r#""Action": "vpc-lattice-svcs:*", "Resource": "*""#, true, true),
    (r#""Action": "vpc-lattice-svcs:Invoke", "Resource": "*""#, true, false),
    (r#""Action": "VPC-Lattice-SVCS:invoke", "Resource": "*""#, true, false),
    (r#""Action": "vpc-lattice-svcs:Connect", "Resource": "*""#, false, true),
    (r#""Action": ["s3:Get*", "vpc-lattice-svcs:I?voke"], "Resource": "*""#, true, false),
    (r#""Action": "vpc-lattice:Invoke", "Resource": "*""#, false, false),
    (r#""NotAction": "vpc-lattice-svcs:Connect", "Resource": "*""#, true, false),
    (r#""NotAction": "vpc-lattice-svcs:*", "Resource": "*""#, false, false),
    (r#""Action": "*", "Resource": "*/orders/*""#, true, false),
    (r#""Action": "*", "Resource": "*/orders""#, false, false),
    (r#""Action": "*", "Resource": "*/*""#, true, true),
    (
        r#""Action": "*", "Resource": "arn:aws:vpc-lattice:us-west-2:123456789012:service/svc-0123456789abcdef0""#,
        false,
        true,
    ),
    (
        r#""Action": "*", "Resource": "arn:aws:vpc-lattice:us-west-2:123456789012:service/svc-0123456789abcdef0/*""#,
        true,
        false,
    ),
    (
        r#""Action": "*", "Resource": "arn:aws:vpc-lattice:*:*:service/svc-0123456789abcdef0/orders/7""#,
        true,
        false,
    ),
    (r#""Action": "*", "Resource": "arn:aws:vpc-lattice:us-west-2:*:service/*/ORDERS/7""#, false, false),
    (r#""Action": "*", "Resource": ["arn:aws:s3:::x", "*/orders/?"]"#, true, false),
    (r#""Action": "*", "Resource": "*:${aws:ResourceAccount}:*""#, true, true),
    (r#""Action": "*", "Resource": "*/${aws:PrincipalTag/none}""#, false, false),
    (r#""Action": "*", "Resource": "*/${aws:PrincipalTag/none, 'orders'}/7""#, true, false),
    (r#""Action": "*", "NotResource": "*/admin/*""#, true, true),
    (r#""Action": "*", "NotResource": "*/orders/*""#, false, true),
    (r#""Action": "*", "NotResource": "*/${aws:PrincipalTag/none}""#, false, false),
];

#[test]
fn actions_and_resources_are_matched() {
    let connection = Request { action: Action::Connect, ..request() };
    for (elements, invoke, connect) in ELEMENTS {
        let policy = resource(&format!(r#"{{"Effect": "Allow", "Principal": "*", {elements}}}"#));
        let applies = |request| policy.decide(&session(), request) != Decision::Silent;
        assert_eq!((applies(&request()), applies(&connection)), (*invoke, *connect), "{elements}");
    }
}

#[test]
fn a_connection_has_no_keys_of_http() {
    let connection = Request { action: Action::Connect, ..request() };
    let policy = resource(
        r#"{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*",
            "Condition": {"Null": {"vpc-lattice-svcs:RequestMethod": true, "vpc-lattice-svcs:RequestPath": true},
                          "NumericEquals": {"vpc-lattice-svcs:Port": 443}}}"#,
    );
    assert!(matches!(policy.decide(&Caller::Anonymous, &connection), Decision::Allow(_)));
    assert_eq!(policy.decide(&Caller::Anonymous, &request()), Decision::Silent);
}

#[test]
fn the_deciding_statement_is_named() {
    let all = |sid: &str, effect: &str, action: &str| {
        format!(
            r#"{{"Sid": "{sid}", "Effect": "{effect}", "Principal": "*", "Action": "{action}", "Resource": "*"}}"#
        )
    };
    let id = |index: usize, sid: &str| StatementId {
        policy: 0,
        index,
        sid: Some(sid.to_owned()).filter(|sid| !sid.is_empty()),
    };
    for (statements, expected) in [
        ([all("a", "Allow", "*"), all("b", "Allow", "*")], Decision::Allow(id(0, "a"))),
        ([all("a", "Allow", "*"), all("b", "Deny", "*")], Decision::Deny(id(1, "b"))),
        ([all("a", "Deny", "*"), all("b", "Deny", "*")], Decision::Deny(id(0, "a"))),
        ([all("a", "Deny", "s3:*"), all("", "Allow", "*")], Decision::Allow(id(1, ""))),
        ([all("a", "Deny", "s3:*"), all("b", "Allow", "s3:*")], Decision::Silent),
    ] {
        assert_eq!(
            resource(&statements.join(",")).decide(&session(), &request()),
            expected,
            "{statements:?}"
        );
    }
}

#[test]
fn what_cannot_sign_is_no_caller() {
    for arn in [
        "",
        "*",
        "123456789012",
        "arn:aws:iam::123456789012:group/x",
        "arn:aws:iam::123456789012:user",
        "arn:aws:iam::123456789012:user/",
        "arn:aws:iam::12345678901:user/x",
        "arn:aws:sts::123456789012:assumed-role/x",
        "arn:aws:sts::123456789012:assumed-role/x/",
        "arn:aws:iam:us-west-2:123456789012:user/x",
        "arn:aws:s3::123456789012:user/x",
    ] {
        assert!(Principal::from_arn(arn).is_err(), "{arn:?}");
    }
}
