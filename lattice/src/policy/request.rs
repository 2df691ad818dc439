//! The request that policies are asked about.

use std::collections::BTreeMap;
use std::net::IpAddr;

/// A request to a service of VPC Lattice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What it does.
    pub action: Action,
    /// The service, such as `arn:aws:vpc-lattice:us-west-2:123456789012:service/svc-0123456789abcdef0`.
    pub service_arn: String,
    /// The service network through which it comes.
    pub service_network_arn: Option<String>,
    /// The port of the listener.
    pub port: u16,
    /// The VPC it comes from, such as `vpc-0123456789abcdef0`.
    pub source_vpc: Option<String>,
    /// The account that owns this VPC.
    pub source_vpc_owner: Option<String>,
    /// The address it comes from. `None`: conditions on `aws:SourceIp` find no such key.
    pub source_address: Option<IpAddr>,
    /// Whether it came through TLS. `None`: conditions on `aws:SecureTransport` find no such key.
    pub secure: Option<bool>,
    /// The tags of the service, for `aws:ResourceTag/…`.
    pub service_tags: BTreeMap<String, String>,
    /// When it came, in seconds since 1970.
    pub epoch_seconds: i64,
}

/// What a request does, with what only such requests have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// An HTTP request to a listener of type HTTP or HTTPS: `vpc-lattice-svcs:Invoke`.
    Invoke(Http),
    /// A connection to a listener of type TLS_PASSTHROUGH: `vpc-lattice-svcs:Connect`. Its caller is always anonymous.
    Connect,
}

/// The parts of an HTTP request that policies see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Http {
    /// The method, such as `GET`.
    pub method: String,
    /// The path as it was sent, beginning with `/`, without the query.
    pub path: String,
    /// The query's keys and values, decoded, in order.
    pub query: Vec<(String, String)>,
    /// The headers, in order.
    pub headers: Vec<(String, String)>,
}

impl Request {
    /// The action's name.
    #[must_use]
    pub fn action_name(&self) -> &'static str {
        match self.action {
            Action::Invoke(_) => "vpc-lattice-svcs:Invoke",
            Action::Connect => "vpc-lattice-svcs:Connect",
        }
    }

    /// The resource that policies match: the service's ARN followed by the request's path.
    ///
    /// `Resource` elements match it as one text, so the service's ARN alone does not match a request for a path: that
    /// takes `…/*`. Source: VPC Lattice user guide, "Resource format for auth policies". A connection has no path.
    #[must_use]
    pub fn resource(&self) -> String {
        match &self.action {
            Action::Invoke(http) => format!("{}{}", self.service_arn, http.path),
            Action::Connect => self.service_arn.clone(),
        }
    }

    /// The account that owns the service.
    pub(super) fn resource_account(&self) -> Option<&str> {
        self.service_arn.split(':').nth(4).filter(|account| !account.is_empty())
    }

    /// The service's region.
    pub(super) fn region(&self) -> Option<&str> {
        self.service_arn.split(':').nth(3).filter(|region| !region.is_empty())
    }
}
