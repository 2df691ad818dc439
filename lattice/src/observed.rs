//! What VPC Lattice holds, as it was read or as calls have answered.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Tags, TargetGroupArn,
    id::{AccessLogId, ListenerId, NetworkId, RuleId, ServiceAssociationId, ServiceId, VpcAssociationId},
    rule::{Action, Rule},
    service::{GroupProtocol, HealthCheck, ListenerProtocol},
    target::IpFamily,
};

/// How far a resource is, for all kinds that have a status. Source: API model, the enumerations `…Status`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// It is being made; it can be named in calls, and some of them are refused until it is Active.
    Creating,
    /// It is there.
    Active,
    /// It is being changed.
    Updating,
    /// It is on its way out.
    Deleting,
    /// Lattice gave up, for this reason: the resource has to be made anew, or changed or deleted again.
    Failed {
        /// What Lattice gave up.
        what: Attempt,
        /// Its words, or an empty text.
        message: String,
    },
    /// A status that this version does not know.
    Unknown(String),
}

/// What Lattice may fail at by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// `CREATE_FAILED`.
    Create,
    /// `UPDATE_FAILED`.
    Update,
    /// `DELETE_FAILED`.
    Delete,
}

impl Status {
    /// Whether it will change by itself.
    #[must_use]
    pub fn in_progress(&self) -> bool {
        matches!(self, Self::Creating | Self::Updating | Self::Deleting)
    }
}

/// A service as ListServices shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceSummary {
    /// Its id.
    pub id: ServiceId,
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// How far it is; a reason for a failure is not shown.
    pub status: Status,
    /// The name by which clients reach it.
    pub dns_name: Option<String>,
    /// The other name by which they may.
    pub custom_domain: Option<String>,
}

/// A service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its id.
    pub id: ServiceId,
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// How far it is.
    pub status: Status,
    /// The name by which clients reach it.
    pub dns_name: Option<String>,
    /// The other name by which they may.
    pub custom_domain: Option<String>,
    /// The ARN of its certificate.
    pub certificate: Option<String>,
    /// Whether its auth policy is in force: `AWS_IAM`.
    pub auth: bool,
}

/// All that belongs to a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceTree {
    /// The service itself.
    pub service: Service,
    /// Its tags.
    pub tags: Tags,
    /// The text of its auth policy.
    pub auth_policy: Option<String>,
    /// Its listeners by port.
    pub listeners: BTreeMap<u16, ListenerTree>,
    /// The networks that it is in.
    pub associations: BTreeMap<NetworkId, ServiceAssociation>,
    /// Its access log subscriptions by destination.
    pub access_logs: BTreeMap<String, AccessLogId>,
}

/// A listener as ListListeners shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerSummary {
    /// Its id.
    pub id: ListenerId,
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// What it takes; `None`: something that this version does not know.
    pub protocol: Option<ListenerProtocol>,
    /// Its port.
    pub port: u16,
}

/// A listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Its id.
    pub id: ListenerId,
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// What it takes; `None`: something that this version does not know.
    pub protocol: Option<ListenerProtocol>,
    /// Its port.
    pub port: u16,
    /// What becomes of requests that no rule matches; `None`: something that this version can't express. It differs
    /// from whatever is wanted.
    pub default: Option<Action<TargetGroupArn>>,
}

/// A listener and its rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerTree {
    /// The listener itself.
    pub listener: Listener,
    /// Its rules, without the default one, which is [`Listener::default`].
    pub rules: BTreeMap<RuleId, PlacedRule>,
}

/// A rule as ListRules shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleSummary {
    /// Its id.
    pub id: RuleId,
    /// Its name.
    pub name: String,
    /// Its place; the default rule has none.
    pub priority: Option<u16>,
    /// Whether it is the default rule, which is [`Listener::default`].
    pub is_default: bool,
}

/// A rule and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedRule {
    /// Its name.
    pub name: String,
    /// Its place, 1 to 2000: the lowest is tried first.
    pub priority: u16,
    /// What it says; `None`: something that this version can't express, such as a match of a kind that came later. It
    /// differs from whatever is wanted.
    pub rule: Option<Rule<TargetGroupArn>>,
}

/// A service's association with a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceAssociation {
    /// Its id.
    pub id: ServiceAssociationId,
    /// Its ARN.
    pub arn: String,
    /// How far it is.
    pub status: Status,
    /// The service.
    pub service: ServiceId,
    /// The network.
    pub network: NetworkId,
}

/// A service network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// Its id.
    pub id: NetworkId,
    /// Its ARN, which tells the account that owns it.
    pub arn: String,
    /// Its name.
    pub name: String,
}

/// How much is in a service network, whoever has put it there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Members {
    /// Services.
    pub services: usize,
    /// VPCs.
    pub vpcs: usize,
    /// Resource configurations.
    pub configurations: usize,
}

impl Members {
    /// The larger number of each.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self {
            services: self.services.max(other.services),
            vpcs: self.vpcs.max(other.vpcs),
            configurations: self.configurations.max(other.configurations),
        }
    }
}

/// A VPC's association with a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VpcAssociation {
    /// Its id.
    pub id: VpcAssociationId,
    /// Its ARN.
    pub arn: String,
    /// How far it is.
    pub status: Status,
    /// The network.
    pub network: NetworkId,
    /// The network's name, which the answer to its creation does not tell.
    pub network_name: Option<String>,
    /// The VPC.
    pub vpc: String,
    /// Whether it makes names of resources resolvable in the VPC, which is no business of services.
    pub private_dns: bool,
    /// Security groups that decide who in the VPC may call; `None` in listings, which don't tell.
    pub security_groups: Option<BTreeSet<String>>,
}

/// A target group as ListTargetGroups shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupSummary {
    /// Which group.
    pub arn: TargetGroupArn,
    /// Its name.
    pub name: String,
    /// How far it is.
    pub status: Status,
    /// The ARNs of services that use it.
    pub services: Vec<String>,
}

/// A target group with everything that Lath decides about one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Which group.
    pub arn: TargetGroupArn,
    /// Its name.
    pub name: String,
    /// How far it is.
    pub status: Status,
    /// How its targets are spoken to; `None` for groups that take no addresses, and for what this version does not know.
    pub protocol: Option<GroupProtocol>,
    /// The family of its targets' addresses.
    pub family: IpFamily,
    /// Its own port.
    pub port: Option<u16>,
    /// The VPC in which its targets are.
    pub vpc: Option<String>,
    /// How its targets are checked, with every default filled in.
    pub health_check: HealthCheck,
    /// The ARNs of services that use it.
    pub services: Vec<String>,
}
