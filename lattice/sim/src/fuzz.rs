//! What fuzz targets call, one function per target, each of which panics where it finds a fault.
//!
//! It is here in the targets' builds and in tests, which replay the inputs that are kept in `tests/fuzz/inputs`.

#![allow(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "a fault is told by panicking"
)]

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use jiff::Timestamp;
use lattice::policy::{
    Action, Auth, Caller, Http, Policies, Policy, Principal, Request as Asked, Verdict, authorize, refusal,
};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use crate::model::check::answer;
use crate::model::route::route;
use crate::model::{ErrorKind, Operation, Shape, operations};
use crate::settings::Settings;
use crate::signature::{self, Expected, Key, Payload};
use crate::simulator::Simulator;

/// Method and raw path, between a space, to the router.
pub fn path(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let (method, path) = text.split_once(' ').unwrap_or(("GET", text));
    if let Some(route) = route(method, path) {
        assert_eq!(route.operation.method, method);
        let variables = route.operation.path.matches('{').count();
        assert_eq!(route.variables.len(), variables, "{}", route.operation.name);
        assert!(route.variables.iter().all(|(_, value)| !value.is_empty()));
    }
}

/// A policy, read as an auth policy and as an identity policy, and asked about requests.
pub fn policy(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let (resource, identity) = (Policy::resource(text), Policy::identity(text));
    if resource.is_err() && identity.is_err() {
        return;
    }
    let own: Vec<Policy> = identity.into_iter().collect();
    let policies = Policies {
        identity: Some(&own),
        network: Auth::None,
        service: resource.as_ref().map_or(Auth::None, |policy| Auth::Iam(Some(policy))),
    };
    let session = "arn:aws:sts::111122223333:assumed-role/checkout/session";
    let principal = Principal::from_arn(session).expect("a session").with_tag("namespace", "shop");
    for caller in [Caller::Anonymous, Caller::Authenticated(Box::new(principal))] {
        for action in [Action::Connect, invoke()] {
            let asked = asked(action);
            if let Verdict::Denied(denial) = authorize(&policies, &caller, &asked) {
                assert!(refusal(&denial, &caller, &asked).sentence.starts_with("User: "));
            }
        }
    }
}

fn invoke() -> Action {
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    Action::Invoke(Http {
        method: "GET".into(),
        path: "/orders/7".into(),
        query: vec![pair("page", "1"), pair("page", "2")],
        headers: vec![pair("x-stage", "beta")],
    })
}

fn asked(action: Action) -> Asked {
    Asked {
        action,
        service_arn: "arn:aws:vpc-lattice:us-west-2:123456789012:service/svc-0123456789abcdef0".into(),
        service_network_arn: None,
        port: 443,
        source_vpc: Some("vpc-0a".into()),
        source_vpc_owner: Some("111122223333".into()),
        source_address: Some([10, 1, 2, 3].into()),
        secure: Some(true),
        service_tags: [("team".to_owned(), "shop".to_owned())].into(),
        epoch_seconds: 1_785_578_400,
    }
}

/// A request with something like a signature. Nobody has signed these, so none may pass.
///
/// The lines are method, path, query, headers with colons, and from the first without a colon on the body.
pub fn signature(input: &[u8]) {
    let mut rest = input;
    let mut line = || {
        let (line, after) = first_line(rest);
        rest = after;
        std::str::from_utf8(line).unwrap_or_default()
    };
    let (method, path, query) = (line(), line(), line());
    let mut headers = HeaderMap::new();
    let mut body = rest;
    loop {
        let (line, after) = first_line(body);
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { break };
        let (name, value) = line.split_at(colon);
        let name = HeaderName::from_bytes(name);
        let value = HeaderValue::from_bytes(value.get(1..).unwrap_or_default());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
        body = after;
    }
    let Ok(method) = Method::from_bytes(method.as_bytes()) else { return };
    // The day of AWS's published examples, which inputs are made from.
    let now = Timestamp::from_second(1_440_938_160).expect("a time");
    let secret = "a secret that no input holds, whatever it was made of";
    for (service, payload) in [("service", Payload::Signed), ("vpc-lattice-svcs", Payload::Unsigned)] {
        for session_token in [None, Some("token".to_owned())] {
            let key = |_: &str| {
                Some(Key { secret: secret.to_owned(), session_token: session_token.clone(), expires: None })
            };
            let request = signature::Request { method: &method, path, query, headers: &headers, body };
            let expected = Expected { service, region: "us-east-1", payload, now };
            match signature::verify(&request, &expected, key) {
                Ok(key) => panic!("{key} passes"),
                Err(refused) => {
                    assert!(!refused.code().is_empty() && !refused.to_string().is_empty(), "{refused:?}");
                    assert!((400..=403).contains(&refused.status()), "{refused:?}");
                }
            }
        }
    }
}

/// What stands before the first line break, and what after.
fn first_line(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| *byte == b'\n').unwrap_or(text.len());
    let (line, rest) = text.split_at(end);
    (line, rest.get(1..).unwrap_or_default())
}

/// One of each kind of resource: the path variables that name it, where it is created, and by what. `{NAME}` stands
/// for one that came before.
const WORLD: [(&str, &str, &str); 13] = [
    (
        "targetGroupIdentifier",
        "/targetgroups",
        r#"{"name": "shop", "type": "IP", "config":
        {"port": 80, "protocol": "HTTP", "vpcIdentifier": "vpc-0123456789abcdef0"}}"#,
    ),
    ("serviceIdentifier", "/services", r#"{"name": "shop"}"#),
    (
        "listenerIdentifier",
        "/services/{serviceIdentifier}/listeners",
        r#"{"name": "http", "protocol": "HTTP", "defaultAction": {"fixedResponse": {"statusCode": 404}}}"#,
    ),
    (
        "ruleIdentifier",
        "/services/{serviceIdentifier}/listeners/{listenerIdentifier}/rules",
        r#"{"name": "one", "priority": 1, "action": {"forward": {"targetGroups": [{"targetGroupIdentifier":
        "{targetGroupIdentifier}"}]}}, "match": {"httpMatch": {"method": "GET"}}}"#,
    ),
    ("serviceNetworkIdentifier", "/servicenetworks", r#"{"name": "net"}"#),
    (
        "serviceNetworkServiceAssociationIdentifier",
        "/servicenetworkserviceassociations",
        r#"{"serviceNetworkIdentifier": "{serviceNetworkIdentifier}", "serviceIdentifier": "{serviceIdentifier}"}"#,
    ),
    (
        "serviceNetworkVpcAssociationIdentifier",
        "/servicenetworkvpcassociations",
        r#"{"serviceNetworkIdentifier": "{serviceNetworkIdentifier}", "vpcIdentifier": "vpc-0123456789abcdef0"}"#,
    ),
    (
        "resourceGatewayIdentifier",
        "/resourcegateways",
        r#"{"name": "gate", "vpcIdentifier": "vpc-0123456789abcdef0", "subnetIds": ["subnet-12345678"]}"#,
    ),
    (
        "resourceConfigurationIdentifier",
        "/resourceconfigurations",
        r#"{"name": "base", "type": "SINGLE", "portRanges": ["5432"], "resourceGatewayIdentifier":
        "{resourceGatewayIdentifier}", "resourceConfigurationDefinition": {"ipResource": {"ipAddress": "10.0.0.9"}}}"#,
    ),
    (
        "serviceNetworkResourceAssociationIdentifier",
        "/servicenetworkresourceassociations",
        r#"{"serviceNetworkIdentifier": "{serviceNetworkIdentifier}", "resourceConfigurationIdentifier":
        "{resourceConfigurationIdentifier}"}"#,
    ),
    ("domainVerificationIdentifier", "/domainverifications", r#"{"domainName": "shop.example.com"}"#),
    (
        "accessLogSubscriptionIdentifier",
        "/accesslogsubscriptions",
        r#"{"resourceIdentifier": "{serviceIdentifier}", "destinationArn": "arn:aws:s3:::lattice-logs"}"#,
    ),
    ("", "/targetgroups/{targetGroupIdentifier}/registertargets", r#"{"targets": [{"id": "10.0.0.1"}]}"#),
];

/// One body to every operation of a simulator, whose answers have to be those of the model.
pub fn bodies(input: &[u8]) {
    thread_local! {
        /// Paused, so that no delay of the simulator is waited for.
        static RUNTIME: Runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime starts");
    }
    RUNTIME.with(|runtime| runtime.block_on(to_every_operation(&Bytes::copy_from_slice(input))));
}

async fn to_every_operation(body: &Bytes) {
    let simulator = Simulator::new(Settings::instant(), 1);
    let mut names: Vec<(&str, String)> = Vec::new();
    for (name, path, body) in WORLD {
        let (path, body) = (named(path, &names), named(body, &names));
        let made = send(&simulator, "POST", &path, Bytes::from(body)).await;
        assert!(made.status().is_success(), "POST {path}: {made:?}");
        let made: Value = serde_json::from_slice(made.body()).expect("an answer in JSON");
        names.push((name, made["id"].as_str().unwrap_or_default().to_owned()));
    }
    let service = named("{serviceIdentifier}", &names);
    names.push(("resourceIdentifier", service.clone()));
    let arn = format!("arn%3Aaws%3Avpc-lattice%3Aus-west-2%3A123456789012%3Aservice%2F{service}");
    names.push(("resourceArn", arn));
    names.push(("resourceEndpointAssociationIdentifier", "rea-0123456789abcdef0".to_owned()));

    // What deletes comes last, so that the others find something.
    let (last, first): (Vec<&Operation>, Vec<_>) =
        operations().iter().partition(|operation| operation.method == "DELETE");
    for operation in first.into_iter().chain(last) {
        let path = named(operation.path, &names);
        let response = send(&simulator, operation.method, &path, body.clone()).await;
        let status = response.status().as_u16();
        if status == operation.status {
            if status != 204 {
                check(operation, operation.output, response.body());
            }
            continue;
        }
        let code = response.headers().get("x-amzn-errortype").and_then(|code| code.to_str().ok());
        let kind = code.and_then(ErrorKind::named).expect("an error of the model");
        assert!(operation.models(kind), "{} does not model {kind:?}", operation.name);
        check(operation, kind.shape().body, response.body());
    }
}

/// The text with the ids in the places of their names.
fn named(text: &str, names: &[(&str, String)]) -> String {
    names.iter().fold(text.to_owned(), |text, (name, id)| text.replace(&format!("{{{name}}}"), id))
}

async fn send(simulator: &Simulator, method: &str, path: &str, body: Bytes) -> http::Response<Bytes> {
    let request = Request::builder().method(method).uri(path).body(body);
    simulator.handle(request.expect("a request")).await
}

fn check(operation: &Operation, shape: &Shape, body: &[u8]) {
    let body: Value = serde_json::from_slice(body).expect("an answer in JSON");
    assert_eq!(answer(shape, &body), [], "{}: {body}", operation.name);
}

#[cfg(test)]
mod tests;
