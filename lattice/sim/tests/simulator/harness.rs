//! A simulator with the real SDK in front, in process: no socket, so tests can run on paused time.

use std::path::PathBuf;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_vpclattice::Client;
use aws_sdk_vpclattice::config::retry::RetryConfig;
use aws_sdk_vpclattice::config::{BehaviorVersion, Region};
use aws_sdk_vpclattice::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_vpclattice::operation::deregister_targets::DeregisterTargetsOutput;
use aws_sdk_vpclattice::operation::register_targets::RegisterTargetsOutput;
use aws_sdk_vpclattice::types::{
    FixedResponseAction, ForwardAction, HttpMatch, IpResource, ListenerProtocol, PathMatch, PathMatchType,
    ResourceConfigurationDefinition, ResourceConfigurationType, RuleAction, RuleMatch, Target,
    TargetGroupConfig, TargetGroupProtocol, TargetGroupType, TargetStatus, WeightedTargetGroup,
};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::{Request, Response};
use lattice_sim::model::check::answer;
use lattice_sim::model::route::route;
use lattice_sim::model::{ErrorKind, Operation};
use lattice_sim::{Account, REGION, Settings, Simulator};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// A simulator and the first account's client. Every answer is checked against the model.
pub(crate) struct Sim {
    pub(crate) simulator: Simulator,
    pub(crate) client: Client,
}

/// A folder of the test's own, which goes with it.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("lattice-sim-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// An answer to a raw request.
#[derive(Debug)]
pub(crate) struct Raw {
    pub(crate) status: u16,
    /// The header `x-amzn-errortype`.
    pub(crate) error: Option<String>,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Value,
}

impl Sim {
    pub(crate) fn new(settings: Settings) -> Self {
        let simulator = Simulator::new(settings, 1);
        let account = simulator.accounts().remove(0);
        Self { client: client(&simulator, &account), simulator }
    }

    /// The profile `instant` with these settings changed.
    pub(crate) fn with(changes: &[(&str, &str)]) -> Self {
        let mut settings = Settings::instant();
        for (name, value) in changes {
            settings.set(name, value).unwrap();
        }
        Self::new(settings)
    }

    pub(crate) fn instant() -> Self {
        Self::new(Settings::instant())
    }

    /// The second account's client.
    pub(crate) fn stranger(&self) -> Client {
        let account = self.simulator.accounts().remove(1);
        client(&self.simulator, &account)
    }

    /// Sends a raw request to the API or to an admin endpoint.
    pub(crate) async fn raw(&self, method: &str, path: &str, body: impl Into<Bytes>) -> Raw {
        let request = Request::builder().method(method).uri(path).body(body.into()).unwrap();
        let response = checked(&self.simulator, request).await;
        let (parts, body) = response.into_parts();
        Raw {
            status: parts.status.as_u16(),
            error: parts.headers.get("x-amzn-errortype").map(|name| name.to_str().unwrap().to_owned()),
            headers: parts.headers,
            body: if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() },
        }
    }
}

/// What the tests of more than services and target groups start from.
impl Sim {
    /// Sends a raw request with a JSON body to the API.
    pub(crate) async fn send(&self, method: &str, path: &str, body: &Value) -> Raw {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.raw(method, path, body).await
    }

    /// Sends a raw request to a neighbour as the account with this number. Its answer is not in the model, and XML
    /// comes back as a string.
    pub(crate) async fn ask(
        &self,
        account: usize,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Raw {
        let key = &self.simulator.accounts()[account].access_key_id;
        let credential = format!("AWS4-HMAC-SHA256 Credential={key}/20260101/us-west-2/any/aws4_request");
        let mut request = Request::builder().method("POST").uri(path).header("authorization", credential);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.simulator.handle(request.body(body.into()).unwrap()).await;
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(body.to_vec()).unwrap();
        Raw {
            status: parts.status.as_u16(),
            error: parts.headers.get("x-amzn-errortype").map(|name| name.to_str().unwrap().to_owned()),
            headers: parts.headers,
            body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
        }
    }

    /// A service network, by id.
    pub(crate) async fn network(&self, name: &str) -> String {
        self.client.create_service_network().name(name).send().await.unwrap().id.unwrap()
    }

    /// The association of a service with a service network, by id.
    pub(crate) async fn join(&self, network: &str, service: &str) -> String {
        let call = self.client.create_service_network_service_association();
        let call = call.service_network_identifier(network).service_identifier(service);
        call.send().await.unwrap().id.unwrap()
    }

    /// The association of a VPC with a service network, by id.
    pub(crate) async fn open(&self, network: &str, vpc: &str) -> String {
        let call = self.client.create_service_network_vpc_association();
        let call = call.service_network_identifier(network).vpc_identifier(vpc);
        call.send().await.unwrap().id.unwrap()
    }

    /// A resource gateway, by id.
    pub(crate) async fn gateway(&self, name: &str) -> String {
        let call = self.client.create_resource_gateway().name(name);
        let call = call.vpc_identifier("vpc-12345678").subnet_ids("subnet-12345678");
        call.send().await.unwrap().id.unwrap()
    }

    /// A resource configuration of type SINGLE, by id.
    pub(crate) async fn configuration(&self, name: &str, gateway: &str) -> String {
        let definition =
            ResourceConfigurationDefinition::IpResource(IpResource::builder().ip_address("10.0.0.9").build());
        let call = self.client.create_resource_configuration().name(name);
        let call = call.r#type(ResourceConfigurationType::Single).resource_gateway_identifier(gateway);
        let call = call.port_ranges("5432").resource_configuration_definition(definition);
        call.send().await.unwrap().id.unwrap()
    }

    /// The association of a resource configuration with a service network, by id.
    pub(crate) async fn offer(&self, network: &str, configuration: &str) -> String {
        let call = self.client.create_service_network_resource_association();
        let call = call.service_network_identifier(network).resource_configuration_identifier(configuration);
        call.send().await.unwrap().id.unwrap()
    }

    /// Surroundings from JSON.
    pub(crate) fn surround(&self, surroundings: Value) {
        self.simulator.set_surroundings(serde_json::from_value(surroundings).unwrap()).unwrap();
    }
}

/// The ARN of a resource of the first account, from its path.
pub(crate) fn arn(path: &str) -> String {
    format!("arn:aws:vpc-lattice:us-west-2:123456789012:{path}")
}

/// Text as one segment of a path, or as a value in a query.
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// The code and the message of the error that a call failed with.
pub(crate) fn refusal<T: std::fmt::Debug, E: ProvideErrorMetadata + std::fmt::Debug>(
    result: Result<T, SdkError<E, HttpResponse>>,
) -> (String, String) {
    let error = result.expect_err("the call succeeds");
    (error.code().unwrap_or_default().to_owned(), error.message().unwrap_or_default().to_owned())
}

/// An SDK client that calls the simulator in process, without retries.
pub(crate) fn client(simulator: &Simulator, account: &Account) -> Client {
    let connector = SharedHttpConnector::new(InProcess(simulator.clone()));
    let config = aws_sdk_vpclattice::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .endpoint_url("http://simulator")
        .retry_config(RetryConfig::disabled())
        .credentials_provider(Credentials::new(
            account.access_key_id.clone(),
            account.secret_access_key.clone(),
            None,
            None,
            "simulator",
        ))
        .http_client(http_client_fn(move |_, _| connector.clone()))
        .build();
    Client::from_conf(config)
}

#[derive(Debug, Clone)]
struct InProcess(Simulator);

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let simulator = self.0.clone();
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
            let request = request.map(|body| Bytes::copy_from_slice(body.bytes().unwrap_or_default()));
            let response = checked(&simulator, request).await.map(SdkBody::from);
            HttpResponse::try_from(response).map_err(|error| ConnectorError::user(error.into()))
        })
    }
}

/// Lets the simulator answer and checks the answer against the model.
async fn checked(simulator: &Simulator, request: Request<Bytes>) -> Response<Bytes> {
    let operation = route(request.method().as_str(), request.uri().path()).map(|route| route.operation);
    let admin = request.uri().path().starts_with("/_sim");
    let what = format!("{} {}", request.method(), request.uri());
    let response = simulator.handle(request).await;
    if !admin {
        check(&what, operation, &response);
    }
    response
}

fn check(what: &str, operation: Option<&Operation>, response: &Response<Bytes>) {
    let status = response.status().as_u16();
    assert!(response.headers().contains_key("x-amzn-requestid"), "{what}: no request id");
    let shape = if let Some(error) = response.headers().get("x-amzn-errortype") {
        // Errors that every AWS API may give are in no model.
        let Some(kind) = ErrorKind::named(error.to_str().unwrap()) else { return };
        if let Some(operation) = operation {
            assert!(operation.models(kind), "{what}: {} does not model {kind:?}", operation.name);
        }
        assert!(status == kind.shape().status || status == 413, "{what}: {kind:?} with status {status}");
        kind.shape().body
    } else {
        let operation = operation.expect("a success is of an operation");
        assert_eq!(status, operation.status, "{what}");
        operation.output
    };
    if status == 204 {
        assert!(response.body().is_empty(), "{what}: a body with status 204");
        return;
    }
    let body: Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(answer(shape, &body), [], "{what}: {body}");
}

/// The code of the error that a call failed with.
pub(crate) fn code<T: std::fmt::Debug, E: ProvideErrorMetadata + std::fmt::Debug>(
    result: Result<T, SdkError<E, HttpResponse>>,
) -> String {
    let error = result.expect_err("the call succeeds");
    error.code().unwrap_or_else(|| panic!("an error without a code: {error:?}")).to_owned()
}

/// The path of the first member that a raw answer finds fault with.
pub(crate) fn field(raw: &Raw) -> &str {
    raw.body["fieldList"][0]["name"].as_str().unwrap_or_default()
}

/// What most tests start from.
impl Sim {
    /// A target group of type IP and protocol HTTP on port 8080, by id.
    pub(crate) async fn group(&self, name: &str) -> String {
        let config = TargetGroupConfig::builder()
            .protocol(TargetGroupProtocol::Http)
            .port(8080)
            .vpc_identifier("vpc-12345678")
            .build();
        let created = self
            .client
            .create_target_group()
            .name(name)
            .r#type(TargetGroupType::Ip)
            .config(config)
            .send()
            .await;
        created.unwrap().id().unwrap().to_owned()
    }

    /// A target group that a service of the same name forwards to: the ids of group, service and listener.
    pub(crate) async fn used_group(&self, name: &str) -> (String, String, String) {
        let group = self.group(name).await;
        let service = self.service(name).await;
        let listener = self.listener(&service, name, forward(&[&group])).await;
        (group, service, listener)
    }

    pub(crate) async fn service(&self, name: &str) -> String {
        self.client.create_service().name(name).send().await.unwrap().id().unwrap().to_owned()
    }

    /// A listener of protocol HTTP on port 80.
    pub(crate) async fn listener(&self, service: &str, name: &str, action: RuleAction) -> String {
        let created = self
            .client
            .create_listener()
            .service_identifier(service)
            .name(name)
            .protocol(ListenerProtocol::Http)
            .default_action(action)
            .send()
            .await;
        created.unwrap().id().unwrap().to_owned()
    }

    pub(crate) async fn rule(
        &self,
        service: &str,
        listener: &str,
        name: &str,
        priority: i32,
        action: RuleAction,
    ) -> String {
        let created = self
            .client
            .create_rule()
            .service_identifier(service)
            .listener_identifier(listener)
            .name(name)
            .priority(priority)
            .r#match(prefix(&format!("/{name}")))
            .action(action)
            .send()
            .await;
        created.unwrap().id().unwrap().to_owned()
    }

    pub(crate) async fn register(&self, group: &str, ids: &[&str]) -> RegisterTargetsOutput {
        let call =
            self.client.register_targets().target_group_identifier(group).set_targets(Some(targets(ids)));
        call.send().await.unwrap()
    }

    pub(crate) async fn deregister(&self, group: &str, ids: &[&str]) -> DeregisterTargetsOutput {
        let call =
            self.client.deregister_targets().target_group_identifier(group).set_targets(Some(targets(ids)));
        call.send().await.unwrap()
    }

    /// Every target's id and state, in the order of ListTargets.
    pub(crate) async fn states(&self, group: &str) -> Vec<(String, TargetStatus)> {
        let mut pages =
            self.client.list_targets().target_group_identifier(group).into_paginator().items().send();
        let mut states = Vec::new();
        while let Some(target) = pages.next().await {
            let target = target.unwrap();
            states.push((target.id().unwrap().to_owned(), target.status().unwrap().clone()));
        }
        states
    }

    /// The state of the only target.
    pub(crate) async fn state(&self, group: &str) -> TargetStatus {
        let states = self.states(group).await;
        assert_eq!(states.len(), 1, "{states:?}");
        states[0].1.clone()
    }

    /// Advances the simulator's clock.
    pub(crate) fn advance(&self, seconds: f64) {
        self.simulator.advance(Duration::from_secs_f64(seconds));
    }
}

/// Targets on the group's port.
pub(crate) fn targets(ids: &[&str]) -> Vec<Target> {
    ids.iter().map(|id| Target::builder().id(*id).build().unwrap()).collect()
}

/// Forwards to these groups with equal weight.
pub(crate) fn forward(groups: &[&str]) -> RuleAction {
    let groups = groups
        .iter()
        .map(|group| WeightedTargetGroup::builder().target_group_identifier(*group).build().unwrap())
        .collect();
    RuleAction::Forward(ForwardAction::builder().set_target_groups(Some(groups)).build().unwrap())
}

pub(crate) fn fixed(status: i32) -> RuleAction {
    RuleAction::FixedResponse(FixedResponseAction::builder().status_code(status).build().unwrap())
}

/// Matches paths with this prefix.
pub(crate) fn prefix(path: &str) -> RuleMatch {
    let path = PathMatch::builder().r#match(PathMatchType::Prefix(path.to_owned())).build();
    RuleMatch::HttpMatch(HttpMatch::builder().path_match(path).build())
}
