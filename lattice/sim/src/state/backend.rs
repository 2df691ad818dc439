//! Resource configurations with what they need: resource gateways, domain verifications, endpoint associations.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::SimTime;
use crate::surroundings::Surroundings;

use super::life::Life;
use super::resource::resource;
use super::target_group::enumeration;
use super::{State, Tags};

enumeration! {
    /// What a resource configuration stands for.
    ConfigurationType { Group = "GROUP", Child = "CHILD", Single = "SINGLE", Arn = "ARN", Cidr = "CIDR", }
}

/// A resource configuration: something reached over TCP by clients of a service network.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ResourceConfiguration {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) account: String,
    pub(crate) name: String,
    pub(crate) kind: ConfigurationType,
    /// The ids of its resource gateway and of the group that it is a child of.
    pub(crate) gateway: Option<String>,
    pub(crate) group: Option<String>,
    /// As in the API, `80` or `8000-8010`.
    pub(crate) ports: Vec<String>,
    pub(crate) protocol: Option<String>,
    /// As in the API.
    pub(crate) definition: Option<Value>,
    pub(crate) shareable: bool,
    pub(crate) custom_domain: Option<String>,
    pub(crate) group_domain: Option<String>,
    /// The id of the domain verification.
    pub(crate) verification: Option<String>,
    /// Its number among those that have an address of their own, from 0 on.
    pub(crate) number: u32,
    pub(crate) tags: Tags,
    pub(crate) life: Life,
}

/// First and last port of `80` or `8000-8010`.
pub(crate) fn port_range(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.parse::<u16>().ok()?, last.parse::<u16>().ok()?);
    (0 < first && first <= last).then_some((first, last))
}

/// A resource gateway: where traffic to resources enters their VPC.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ResourceGateway {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) account: String,
    pub(crate) name: String,
    pub(crate) vpc: String,
    pub(crate) subnets: Vec<String>,
    pub(crate) security_groups: Vec<String>,
    pub(crate) ip_address_type: String,
    pub(crate) addresses_per_eni: Option<u64>,
    pub(crate) dns_resolution: String,
    pub(crate) tags: Tags,
    pub(crate) life: Life,
}

/// A VPC endpoint that leads to a resource configuration.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct EndpointAssociation {
    pub(crate) id: String,
    pub(crate) arn: String,
    /// The account of the resource configuration.
    pub(crate) account: String,
    /// The resource configuration's id.
    pub(crate) configuration: String,
    pub(crate) endpoint: String,
    pub(crate) endpoint_owner: String,
    pub(crate) tags: Tags,
    pub(crate) life: Life,
}

/// A domain name whose owner is to be proven.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DomainVerification {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) account: String,
    pub(crate) domain: String,
    /// Name and value of the TXT record that proves it.
    pub(crate) record: (String, String),
    /// When it is verified or, with `timed_out`, given up.
    pub(crate) decided: SimTime,
    pub(crate) timed_out: bool,
    pub(crate) tags: Tags,
    pub(crate) life: Life,
}

impl State {
    /// Associates the VPC endpoints of the surroundings with the resource configurations that they lead to.
    pub(crate) fn lead_endpoints(&mut self, surroundings: &Surroundings, region: &str, now: SimTime) {
        let mut new = Vec::new();
        for endpoint in &surroundings.vpc_endpoints {
            let Some(name) = &endpoint.resource_configuration else { continue };
            let leads_to =
                |row: &&ResourceConfiguration| row.id == *name || row.arn == *name || row.name == *name;
            let Some(configuration) = self.configurations.rows().find(leads_to) else { continue };
            let known = |row: &EndpointAssociation| {
                row.endpoint == endpoint.id && row.configuration == configuration.id
            };
            if !self.endpoint_associations.rows().any(known) {
                new.push((endpoint, configuration.id.clone(), configuration.account.clone()));
            }
        }
        for (endpoint, configuration, account) in new {
            let (id, arn) = self.new_name::<EndpointAssociation>(region, &account);
            let association = EndpointAssociation {
                id: id.clone(),
                arn,
                endpoint_owner: surroundings.owner(&endpoint.vpc).to_owned(),
                account,
                configuration,
                endpoint: endpoint.id.clone(),
                tags: Tags::new(),
                life: Life::at(now),
            };
            self.endpoint_associations.insert(id, association);
        }
    }
}

impl DomainVerification {
    /// The status as the API writes it.
    pub(crate) fn status(&self, now: SimTime) -> &'static str {
        match (now < self.decided, self.timed_out) {
            (true, _) => "PENDING",
            (false, false) => "VERIFIED",
            (false, true) => "VERIFICATION_TIMED_OUT",
        }
    }
}

/// Where access logs of a resource go.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct AccessLogSubscription {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) account: String,
    /// Id and ARN of the service, service network or resource configuration.
    pub(crate) resource: String,
    pub(crate) resource_arn: String,
    pub(crate) destination: String,
    pub(crate) log_type: Option<String>,
    pub(crate) tags: Tags,
    pub(crate) life: Life,
}

resource!(ResourceConfiguration in configurations, ResourceConfiguration,
    "resource configuration", "rcfg-", "resourceconfiguration", named by name);
resource!(ResourceGateway in gateways, ResourceGateway, "resource gateway", "rgw-", "resourcegateway", named by name);
resource!(EndpointAssociation in endpoint_associations, ResourceEndpointAssociation,
    "resource endpoint association", "rea-", "resourceendpointassociation", named by id);
resource!(DomainVerification in verifications, DomainVerification,
    "domain verification", "dv-", "domainverification", named by domain);
resource!(AccessLogSubscription in log_subscriptions, AccessLogSubscription,
    "access log subscription", "als-", "accesslogsubscription", named by id);
