//! The client that pipelines hold.

use std::sync::Arc;

use crate::{Metrics, connect, connect::Options};

/// Calls VPC Lattice. Clones share connections, pace and metrics.
#[derive(Debug, Clone)]
pub struct Client {
    pub(crate) sdk: aws_sdk_vpclattice::Client,
    pub(crate) metrics: Metrics,
    region: Option<Arc<str>>,
}

impl Client {
    /// A client by the AWS SDK's own rules: environment, profile, web identity, Pod Identity, instance metadata, and
    /// `AWS_ENDPOINT_URL_VPC_LATTICE`. Makes no call.
    pub async fn connect(options: Options, metrics: Metrics) -> Self {
        let endpoint = options.endpoint.clone();
        let config = connect::configure(options).await;
        let region = config.region().map(|region| Arc::from(region.as_ref()));
        Self {
            sdk: match endpoint {
                // Set for this service alone: credentials come from elsewhere.
                Some(endpoint) => aws_sdk_vpclattice::Client::from_conf(
                    aws_sdk_vpclattice::config::Builder::from(&config).endpoint_url(endpoint).build(),
                ),
                None => aws_sdk_vpclattice::Client::new(&config),
            },
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
