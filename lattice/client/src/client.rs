//! The client that pipelines hold.

use std::sync::Arc;

use crate::{Metrics, connect, connect::Options};

/// Calls VPC Lattice, and its neighbours for what it leaves to them. Clones share connections, pace and metrics.
#[derive(Debug, Clone)]
pub struct Client {
    pub(crate) sdk: aws_sdk_vpclattice::Client,
    pub(crate) tagging: aws_sdk_resourcegroupstagging::Client,
    pub(crate) certificates: aws_sdk_acm::Client,
    pub(crate) cloudmap: aws_sdk_servicediscovery::Client,
    pub(crate) metrics: Metrics,
    region: Option<Arc<str>>,
}

impl Client {
    /// A client by the AWS SDK's own rules: environment, profile, web identity, Pod Identity, instance metadata, and
    /// `AWS_ENDPOINT_URL_VPC_LATTICE`, `AWS_ENDPOINT_URL_RESOURCE_GROUPS_TAGGING_API`, `AWS_ENDPOINT_URL_ACM` and
    /// `AWS_ENDPOINT_URL_SERVICEDISCOVERY`. Makes no call.
    pub async fn connect(options: Options, metrics: Metrics) -> Self {
        let (endpoint, neighbours) = (options.endpoint.clone(), options.neighbours.clone());
        let config = connect::configure(options).await;
        let region = config.region().map(|region| Arc::from(region.as_ref()));
        // Endpoints are set for each service alone: credentials come from elsewhere. The SDK's own rules have put one
        // into the builder already, which only what is given here may replace.
        let mut lattice = aws_sdk_vpclattice::config::Builder::from(&config);
        let mut tagging = aws_sdk_resourcegroupstagging::config::Builder::from(&config);
        let mut certificates = aws_sdk_acm::config::Builder::from(&config);
        let mut cloudmap =
            aws_sdk_servicediscovery::config::Builder::from(&config).interceptor(connect::NoPrefix);
        if let Some(endpoint) = endpoint {
            lattice = lattice.endpoint_url(endpoint);
        }
        if let Some(endpoint) = neighbours {
            tagging = tagging.endpoint_url(endpoint.clone());
            certificates = certificates.endpoint_url(endpoint.clone());
            cloudmap = cloudmap.endpoint_url(endpoint);
        }
        Self {
            sdk: aws_sdk_vpclattice::Client::from_conf(lattice.build()),
            tagging: aws_sdk_resourcegroupstagging::Client::from_conf(tagging.build()),
            certificates: aws_sdk_acm::Client::from_conf(certificates.build()),
            cloudmap: aws_sdk_servicediscovery::Client::from_conf(cloudmap.build()),
            metrics,
            region,
        }
    }

    /// The region that calls go to; `None` where neither environment nor instance metadata tell it, in which case
    /// every call fails.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// What was called so far.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}
