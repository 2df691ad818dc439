//! Making the SDK's client: region, credentials, one crypto provider, time-outs.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    time::{Duration, SystemTime},
};

use aws_config::{BehaviorVersion, Region, SdkConfig, timeout::TimeoutConfig};
use aws_credential_types::Credentials;
use aws_sdk_vpclattice::config::{SharedHttpClient, StalledStreamProtectionConfig, retry::RetryConfig};
use aws_smithy_async::time::TimeSource;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        endpoint::EndpointPrefix,
        http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
        interceptors::{Intercept, context::BeforeSerializationInterceptorContextMut, dyn_dispatch_hint},
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::RuntimeComponents,
    },
    shared::IntoShared as _,
};
use aws_smithy_types::{body::SdkBody, config_bag::ConfigBag};
use aws_types::endpoint_config::EndpointUrl;

/// Longest time to make a connection. A region's endpoint answers within tens of milliseconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Longest time for a call. A call that takes longer has an outcome that nobody knows, which costs another call.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// How calls reach VPC Lattice and its neighbours.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The region, instead of the one that the SDK finds by itself.
    pub region: Option<String>,
    /// The endpoint of VPC Lattice, instead of the region's own or `AWS_ENDPOINT_URL_VPC_LATTICE`.
    pub endpoint: Option<String>,
    /// The endpoint of the other services, instead of each one's own or what `AWS_ENDPOINT_URL_…` names.
    pub neighbours: Option<String>,
    /// A function in place of the network, such as a simulator within the process.
    pub transport: Option<Transport>,
    /// A function in place of the wall clock, by which requests are signed.
    pub clock: Option<Clock>,
}

/// A function that tells the time in place of the wall clock.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> SystemTime + Send + Sync>);

impl Clock {
    /// Tells the time by calling `now`.
    pub fn new(now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

impl TimeSource for Clock {
    fn now(&self) -> SystemTime {
        (self.0)()
    }
}

type Answer = Pin<Box<dyn Future<Output = http::Response<Vec<u8>>> + Send>>;

/// A function that answers requests in place of the network.
#[derive(Clone)]
pub struct Transport(Arc<dyn Fn(http::Request<Vec<u8>>) -> Answer + Send + Sync>);

impl Transport {
    /// Answers each request by calling `answer`.
    pub fn new<F>(answer: impl Fn(http::Request<Vec<u8>>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = http::Response<Vec<u8>>> + Send + 'static,
    {
        Self(Arc::new(move |request| Box::pin(answer(request))))
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transport")
    }
}

impl HttpConnector for Transport {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let transport = self.clone();
        HttpConnectorFuture::new(async move {
            let request = request
                .try_into_http1x()
                .map_err(|error| ConnectorError::user(error.into()))?
                .map(|body| body.bytes().unwrap_or_default().to_vec());
            let response = (transport.0)(request).await.map(SdkBody::from);
            HttpResponse::try_from(response).map_err(|error| ConnectorError::user(error.into()))
        })
    }
}

/// The SDK's configuration. Reads the environment and files, as every AWS tool does; credentials are fetched with the
/// first call.
pub(crate) async fn configure(options: Options) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        // Pipelines compare again and then call again; a second layer would repeat what is no longer wanted.
        .retry_config(RetryConfig::disabled())
        .timeout_config(
            TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_timeout(CALL_TIMEOUT).build(),
        )
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    if let Some(region) = options.region {
        loader = loader.region(Region::new(region));
    }
    if let Some(clock) = options.clock {
        loader = loader.time_source(clock);
    }
    match options.transport {
        Some(transport) => {
            let connector: SharedHttpConnector = transport.into_shared();
            loader
                .http_client(http_client_fn(move |_, _| connector.clone()))
                .credentials_provider(Credentials::new(
                    "AKIDEXAMPLE",
                    "not-a-secret",
                    None,
                    None,
                    "in-process",
                ))
                .load()
                .await
        }
        None => loader.http_client(https()).load().await,
    }
}

/// Calls an endpoint that is given by the name that is given.
///
/// The SDK puts `data-` before the host for Cloud Map's DiscoverInstances, which is right for AWS's own names only.
#[derive(Debug)]
pub(crate) struct NoPrefix;

#[dyn_dispatch_hint]
impl Intercept for NoPrefix {
    fn name(&self) -> &'static str {
        "NoPrefix"
    }

    fn modify_before_serialization(
        &self,
        _: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let own = |EndpointUrl(url): &EndpointUrl| {
            let host = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
            host.starts_with("servicediscovery")
        };
        if config.load::<EndpointUrl>().is_some_and(|url| !own(url)) {
            config.interceptor_state().unset::<EndpointPrefix>();
        }
        Ok(())
    }
}

fn https() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
}
