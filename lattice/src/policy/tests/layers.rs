//! Policies of several layers together, and how refusals are worded.

use super::*;

const ALLOW: &str = r#"{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}"#;
const DENY: &str = r#"{"Sid": "No", "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}"#;
const OTHER: &str = r#"{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}"#;
const OWN_ALLOW: &str = r#"{"Effect": "Allow", "Action": "vpc-lattice-svcs:Invoke", "Resource": "*"}"#;
const OWN_DENY: &str = r#"{"Effect": "Deny", "Action": "vpc-lattice-svcs:*", "Resource": "*/orders/*"}"#;
const OWN_OTHER: &str = r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}"#;

/// What a layer has: no auth type, AWS_IAM without a policy, or with one of this statement.
#[derive(Debug, Clone, Copy)]
enum Has {
    None,
    Nothing,
    Policy(&'static str),
}

const fn with(statement: &'static str) -> Has {
    Has::Policy(statement)
}

struct Case {
    name: &'static str,
    caller: fn() -> Caller,
    /// The statements of one identity policy each; `None` where they are not known.
    own: Option<&'static [&'static str]>,
    network: Has,
    service: Has,
    expected: Option<(Layer, How)>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum How {
    /// By statement `.1` of policy `.0`.
    Explicit(usize, usize),
    NoAllow,
    NoPolicy,
}

fn anonymous() -> Caller {
    Caller::Anonymous
}

use How::{Explicit, NoAllow, NoPolicy};
use Layer::{Identity, Service, ServiceNetwork};

#[rustfmt::skip]
const CASES: &[Case] = &[
    Case { name: "nothing asks anything", caller: anonymous, own: None, network: Has::None, service: Has::None, expected: None },
    Case { name: "anonymous callers have no policies of their own", caller: anonymous, own: Some(&[OWN_DENY]), network: Has::None, service: Has::None, expected: None },
    Case { name: "the service allows anyone", caller: anonymous, own: None, network: Has::None, service: with(ALLOW), expected: None },
    Case { name: "both allow anyone", caller: anonymous, own: None, network: with(ALLOW), service: with(ALLOW), expected: None },
    Case { name: "the network has no policy", caller: anonymous, own: None, network: Has::Nothing, service: with(ALLOW), expected: Some((ServiceNetwork, NoPolicy)) },
    Case { name: "the service has no policy", caller: anonymous, own: None, network: with(ALLOW), service: Has::Nothing, expected: Some((Service, NoPolicy)) },
    Case { name: "neither has a policy", caller: anonymous, own: None, network: Has::Nothing, service: Has::Nothing, expected: Some((ServiceNetwork, NoPolicy)) },
    Case { name: "the network allows something else", caller: anonymous, own: None, network: with(OTHER), service: with(ALLOW), expected: Some((ServiceNetwork, NoAllow)) },
    Case { name: "the service allows something else", caller: anonymous, own: None, network: with(ALLOW), service: with(OTHER), expected: Some((Service, NoAllow)) },
    Case { name: "the network denies", caller: anonymous, own: None, network: with(DENY), service: with(ALLOW), expected: Some((ServiceNetwork, Explicit(0, 0))) },
    Case { name: "the service denies", caller: anonymous, own: None, network: with(ALLOW), service: with(DENY), expected: Some((Service, Explicit(0, 0))) },
    Case { name: "a denial is named before a missing allowance", caller: anonymous, own: None, network: with(OTHER), service: with(DENY), expected: Some((Service, Explicit(0, 0))) },
    Case { name: "a denial is named before a missing policy", caller: session, own: Some(&[OWN_DENY]), network: Has::Nothing, service: with(ALLOW), expected: Some((Identity, Explicit(0, 0))) },
    Case { name: "unknown identity policies allow", caller: session, own: None, network: with(ALLOW), service: with(ALLOW), expected: None },
    Case { name: "no identity policies allow nothing", caller: session, own: Some(&[]), network: with(ALLOW), service: with(ALLOW), expected: Some((Identity, NoAllow)) },
    Case { name: "all three allow", caller: session, own: Some(&[OWN_ALLOW]), network: with(ALLOW), service: with(ALLOW), expected: None },
    Case { name: "one of several identity policies allows", caller: session, own: Some(&[OWN_OTHER, OWN_ALLOW]), network: with(ALLOW), service: with(ALLOW), expected: None },
    Case { name: "the caller's own allow something else", caller: session, own: Some(&[OWN_OTHER]), network: with(ALLOW), service: with(ALLOW), expected: Some((Identity, NoAllow)) },
    Case { name: "the second of the caller's own denies", caller: session, own: Some(&[OWN_ALLOW, OWN_DENY]), network: with(ALLOW), service: with(ALLOW), expected: Some((Identity, Explicit(1, 0))) },
    Case { name: "the service is named before the caller's own", caller: session, own: Some(&[]), network: Has::None, service: Has::Nothing, expected: Some((Service, NoPolicy)) },
    Case { name: "identity policies count where nothing else asks", caller: session, own: Some(&[]), network: Has::None, service: Has::None, expected: Some((Identity, NoAllow)) },
    Case { name: "an allowance of the service does not replace the caller's own", caller: user, own: Some(&[OWN_OTHER]), network: Has::None, service: with(ALLOW), expected: Some((Identity, NoAllow)) },
];

#[test]
fn a_request_passes_only_if_all_layers_allow_it() {
    for case in CASES {
        let policy = |has: Has| match has {
            Has::Policy(statement) => Some(resource(statement)),
            _ => None,
        };
        let own: Option<Vec<Policy>> = case
            .own
            .map(|own| own.iter().map(|statement| Policy::identity(&document(statement)).unwrap()).collect());
        let (network, service) = (policy(case.network), policy(case.service));
        let policies = Policies {
            identity: own.as_deref(),
            network: if matches!(case.network, Has::None) { Auth::None } else { Auth::Iam(network.as_ref()) },
            service: if matches!(case.service, Has::None) { Auth::None } else { Auth::Iam(service.as_ref()) },
        };
        let found = match authorize(&policies, &(case.caller)(), &request()) {
            Verdict::Allowed => None,
            Verdict::Denied(denial) => Some((
                denial.layer,
                match denial.reason {
                    Reason::Explicit(id) => Explicit(id.policy, id.index),
                    Reason::NoAllow => NoAllow,
                    Reason::NoPolicy => NoPolicy,
                },
            )),
        };
        assert_eq!(found, case.expected, "{}", case.name);
    }
}

#[test]
fn refusals_are_worded_as_lattice_words_them() {
    let orders = format!("{SERVICE}/orders/7");
    let session_arn = "arn:aws:sts::111122223333:assumed-role/checkout/eks-shop-7";
    let id = StatementId { policy: 0, index: 0, sid: None };
    let invoke = "vpc-lattice-svcs:Invoke";
    for (layer, reason, caller, expected, evidence) in [
        (
            ServiceNetwork,
            Reason::NoAllow,
            anonymous(),
            format!(
                "User: anonymous is not authorized to perform: {invoke} on resource: {orders} because no network-based \
                 policy allows the {invoke} action"
            ),
            Evidence::Published,
        ),
        (
            Service,
            Reason::NoPolicy,
            session(),
            format!(
                "User: {session_arn} is not authorized to perform: {invoke} on resource: {orders} because no \
                 service-based policy allows the {invoke} action"
            ),
            Evidence::Published,
        ),
        (
            Identity,
            Reason::NoAllow,
            session(),
            format!(
                "User: {session_arn} is not authorized to perform: {invoke} on resource: {orders} because no \
                 identity-based policy allows the {invoke} action"
            ),
            Evidence::Published,
        ),
        (
            Identity,
            Reason::Explicit(id.clone()),
            session(),
            format!(
                "User: {session_arn} is not authorized to perform: {invoke} on resource: {orders} with an explicit deny \
                 in an identity-based policy"
            ),
            Evidence::Assumed,
        ),
        (
            Service,
            Reason::Explicit(id),
            anonymous(),
            format!(
                "User: anonymous is not authorized to perform: {invoke} on resource: {orders} with an explicit deny in \
                 a service-based policy"
            ),
            Evidence::Assumed,
        ),
    ] {
        let found = refusal(&Denial { layer, reason }, &caller, &request());
        assert_eq!(found, Refusal { sentence: expected, evidence });
    }
    let connection = Request { action: Action::Connect, ..request() };
    let denial = Denial { layer: Service, reason: Reason::NoAllow };
    let found = refusal(&denial, &anonymous(), &connection);
    assert!(found.sentence.contains(&format!("vpc-lattice-svcs:Connect on resource: {SERVICE} because")));
    assert_eq!(found.evidence, Evidence::Assumed);
}
