//! Service networks, and what is associated with them.

use serde::{Deserialize, Serialize};

use super::Tags;
use super::life::Life;
use super::policy::AuthPolicy;
use super::resource::resource;

/// A service network.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ServiceNetwork {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) account: String,
    pub(crate) name: String,
    pub(crate) auth: AuthPolicy,
    /// Whether it may be shared, where the creation said so.
    pub(crate) sharing: Option<bool>,
    pub(crate) tags: Tags,
    pub(crate) life: Life,
}

/// A service in a service network.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ServiceAssociation {
    pub(crate) id: String,
    pub(crate) arn: String,
    /// The account that made it.
    pub(crate) account: String,
    /// Ids.
    pub(crate) service: String,
    pub(crate) network: String,
    pub(crate) tags: Tags,
    pub(crate) life: Life,
}

/// A VPC whose clients reach a service network.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct VpcAssociation {
    pub(crate) id: String,
    pub(crate) arn: String,
    /// The account that made it.
    pub(crate) account: String,
    pub(crate) vpc: String,
    /// The service network's id.
    pub(crate) network: String,
    pub(crate) security_groups: Vec<String>,
    pub(crate) private_dns: Option<bool>,
    /// `dnsOptions` as in the API.
    pub(crate) dns_options: Option<serde_json::Value>,
    pub(crate) tags: Tags,
    pub(crate) life: Life,
}

/// A resource configuration in a service network.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ResourceAssociation {
    pub(crate) id: String,
    pub(crate) arn: String,
    /// The account that made it.
    pub(crate) account: String,
    /// Ids.
    pub(crate) configuration: String,
    pub(crate) network: String,
    pub(crate) private_dns: Option<bool>,
    pub(crate) tags: Tags,
    pub(crate) life: Life,
}

impl ResourceAssociation {
    /// The name under which clients of the service network reach the resource. Its form is assumed.
    pub(crate) fn domain_name(&self, partition: &str, region: &str) -> String {
        self.name_of(&self.configuration, partition, region)
    }

    /// The name under which they reach the resource of this configuration, the association's own or a child of it.
    pub(crate) fn name_of(&self, configuration: &str, partition: &str, region: &str) -> String {
        format!("{}.{configuration}.{partition}.vpc-lattice-rsc.{region}.on.aws", self.id)
    }
}

resource!(ServiceNetwork in networks, ServiceNetwork, "service network", "sn-", "servicenetwork", named by name);
resource!(ServiceAssociation in service_associations, ServiceNetworkServiceAssociation,
    "service association", "snsa-", "servicenetworkserviceassociation", named by id);
resource!(VpcAssociation in vpc_associations, ServiceNetworkVpcAssociation,
    "VPC association", "snva-", "servicenetworkvpcassociation", named by id);
resource!(ResourceAssociation in resource_associations, ServiceNetworkResourceAssociation,
    "resource association", "snra-", "servicenetworkresourceassociation", named by id);
