//! What Lath wants VPC Lattice to hold: services with their listeners, target groups, and what networks need.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::{
    declared::{DeclaredKey, DeclaredTarget, GroupForm},
    resource::{ResourceKey, ResourceSpec},
    rule::{Action, Rule},
    tags,
    target::IpFamily,
};

/// Tags of a resource.
pub type Tags = BTreeMap<String, String>;

/// What a service is for, which finds it again whatever it is called: an owner such as `HTTPRoute/shop/checkout`.
/// It is the value of the tag [`crate::tags::OWNER`].
pub type Owner = String;

/// A service as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceSpec {
    /// Its name when it is made; a service that is there keeps the one it has.
    pub name: String,
    /// The name that clients may use besides Lattice's own. It can't be changed.
    pub custom_domain: Option<String>,
    /// The ARN of the certificate for the custom domain.
    pub certificate: Option<String>,
    /// Who may call it, as the text of a policy; `None`: anybody in the network.
    pub auth_policy: Option<String>,
    /// Its listeners by port.
    pub listeners: BTreeMap<u16, ListenerSpec>,
    /// The names of the service networks that it is in.
    pub networks: BTreeSet<String>,
    /// Where its access logs go: ARNs of buckets, log groups or delivery streams.
    pub access_logs: BTreeSet<String>,
    /// What a group has to show before requests are moved to it; `None`: nothing.
    pub warm_up: Option<WarmUp>,
    /// Its tags, those of its owner included.
    pub tags: Tags,
}

/// What a group has to show before a service's requests are moved to it. Lattice checks the health of targets only once a
/// rule names their group, so a group that was just made knows nothing of its targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WarmUp {
    /// The share of its targets that have to be healthy, 1 to 100 per cent.
    pub healthy_percent: u8,
    /// After how long requests are moved all the same.
    pub at_most: Duration,
}

/// A listener as it should be. Of a listener that is there, only the default action can be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerSpec {
    /// Its name.
    pub name: String,
    /// What it takes.
    pub protocol: ListenerProtocol,
    /// What becomes of requests that no rule matches.
    pub default: Action<GroupKey>,
    /// Its rules; the first that matches a request decides. No two have the same match.
    pub rules: Vec<Rule<GroupKey>>,
}

/// What a listener takes. Source: API model, `ListenerProtocol`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ListenerProtocol {
    /// HTTP/1.1 and HTTP/2 without TLS.
    Http,
    /// The same with TLS, which ends at Lattice.
    Https,
    /// TLS, which ends at the target.
    TlsPassthrough,
}

/// What a target group is for. Two groups with the same key are one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GroupKey {
    /// Pods behind a Service's port, for one service: a group serves no second one.
    Service(Box<ServiceGroupKey>),
    /// A group that somebody else made and keeps, by its ARN.
    External(crate::TargetGroupArn),
    /// Targets that an object declares, for one service.
    Declared(Box<DeclaredKey>),
    /// A group that a cluster exports, found by its tags.
    Imported(Box<crate::import::ImportKey>),
}

/// Pods behind a Service's port, as targets of one service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceGroupKey {
    /// The service whose rules name it.
    pub owner: Owner,
    /// The Service's namespace.
    pub namespace: String,
    /// The Service's name.
    pub service: String,
    /// The Service's port.
    pub port: u16,
    /// How its targets are spoken to.
    pub protocol: GroupProtocol,
    /// The family of its targets' addresses.
    pub family: IpFamily,
}

/// How the targets of a group are spoken to. Source: API model, `TargetGroupProtocol` and
/// `TargetGroupProtocolVersion`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GroupProtocol {
    /// HTTP in some version.
    Http(HttpVersion),
    /// HTTP over TLS in some version.
    Https(HttpVersion),
    /// Bytes, for TLS passthrough.
    Tcp,
}

/// A version of HTTP, as Lattice tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HttpVersion {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2, without TLS by prior knowledge.
    Http2,
    /// gRPC over HTTP/2.
    Grpc,
}

/// A target group as it should be. Of a group that is there, only the health check can be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupSpec {
    /// Its name when it is made.
    pub name: String,
    /// The port of targets that name none, which Lath's all do.
    pub port: u16,
    /// The VPC in which its targets are; of no account for functions.
    pub vpc: String,
    /// How its targets are checked, with every default filled in; nothing where VPC Lattice does not check them.
    pub health_check: HealthCheck,
    /// Its tags.
    pub tags: Tags,
    /// Its targets, where they are declared; `None`: agents put them in.
    pub targets: Option<BTreeSet<DeclaredTarget>>,
}

/// How targets are checked. What is `None` is Lattice's own default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HealthCheck {
    /// Whether they are checked.
    pub enabled: Option<bool>,
    /// Seconds from one check to the next, 5 to 300.
    pub interval: Option<u16>,
    /// Seconds that an answer may take, 1 to 120.
    pub timeout: Option<u16>,
    /// Passed checks after which a target is healthy again, 2 to 10.
    pub healthy_threshold: Option<u16>,
    /// Failed checks after which a target is unhealthy, 2 to 10.
    pub unhealthy_threshold: Option<u16>,
    /// The path that is asked.
    pub path: Option<String>,
    /// The port that is asked, if it is not the target's own.
    pub port: Option<u16>,
    /// Whether it is asked over TLS.
    pub tls: Option<bool>,
    /// In which version: HTTP1 or HTTP2.
    pub version: Option<HttpVersion>,
    /// The statuses that pass, such as `200-299,404`.
    pub statuses: Option<String>,
}

/// What a service network should be like. One that Lath may not make is found by its name, or by its id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetworkSpec {
    /// Whether it is made where there is none.
    pub create: bool,
    /// How the cluster's VPC is in it; `None`: that is nobody's business here.
    pub vpc: Option<VpcAssociationSpec>,
    /// Who may call its services; `None`: nothing is said, and what is there stays unless Lath has put it there.
    pub auth_policy: Option<String>,
    /// Where access logs of its services go.
    pub access_logs: BTreeSet<String>,
    /// Tags of what Lath makes.
    pub tags: Tags,
}

/// How a VPC is in a service network.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VpcAssociationSpec {
    /// Security groups that decide who in the VPC may call; at most five.
    pub security_groups: BTreeSet<String>,
}

/// All that Lath wants VPC Lattice to hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Desired {
    /// Grows with each change, so that it can be told which version VPC Lattice has been brought to.
    pub version: u64,
    /// Service networks by name or id.
    pub networks: BTreeMap<String, NetworkSpec>,
    /// Target groups that Lath makes.
    pub groups: BTreeMap<GroupKey, GroupSpec>,
    /// Target groups that services name and that others keep: they are looked for.
    pub imports: BTreeSet<GroupKey>,
    /// Services by owner.
    pub services: BTreeMap<Owner, ServiceSpec>,
    /// What carries TCP connections or leads past VPC Lattice.
    pub resources: BTreeMap<ResourceKey, ResourceSpec>,
    /// Owners whose services stay as they are, if they are there, and so do directories that lead to them: what they should be
    /// can't be told now.
    pub held: BTreeSet<Owner>,
    /// What else of services that nobody wants stays as it is: what they were made for can't be seen, or can't be followed.
    pub spared: BTreeSet<Spare>,
    /// Names of service networks that stay as they are, for the same reason.
    pub spared_networks: BTreeSet<String>,
    /// Owners at Gateways whose class names the AWS controller: nothing is done for them until that one is away.
    pub inherited: BTreeSet<Owner>,
    /// The service networks of such Gateways.
    pub inherited_networks: BTreeSet<String>,
    /// Owners that may take the service of their name over, and from whom: the tag [`crate::tags::MANAGED_BY`].
    pub allowed: BTreeMap<Owner, String>,
    /// Resources that have become this cluster's of late, by ARN, and their tags: they can't be found by them at once.
    pub taken: BTreeMap<String, Tags>,
}

/// Services and groups, by the tags that tell what they were made for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spare {
    /// Those of all routes of a kind, by its tag.
    Routes(String),
    /// Those of a route.
    Route {
        /// The tag of its kind.
        kind: String,
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// Those of a Gateway that has one for each host name, by `namespace/name`.
    Gateway(String),
    /// Target groups of the exports whose owners begin with this.
    Exports(String),
}

impl Spare {
    /// Whether a service with these tags is one of them.
    #[must_use]
    pub fn covers(&self, tags: &Tags) -> bool {
        let is = |key: &str, value: &str| tags.get(key).is_some_and(|found| found == value);
        match self {
            Self::Routes(kind) => is(tags::ROUTE_TYPE, kind),
            Self::Route { kind, namespace, name } => {
                is(tags::ROUTE_TYPE, kind)
                    && is(tags::ROUTE_NAMESPACE, namespace)
                    && is(tags::ROUTE_NAME, name)
            }
            Self::Gateway(name) => is(tags::GATEWAY, name),
            Self::Exports(prefix) => {
                is(tags::SOURCE_TYPE, tags::EXPORT)
                    && tags.get(tags::OWNER).is_some_and(|owner| owner.starts_with(prefix))
            }
        }
    }
}

impl GroupKey {
    /// The service whose rules name the group, if Lath makes it.
    #[must_use]
    pub fn owner(&self) -> Option<&Owner> {
        match self {
            Self::Service(key) => Some(&key.owner),
            Self::Declared(key) => Some(&key.owner),
            Self::External(_) | Self::Imported(_) => None,
        }
    }

    /// What kind of targets the group takes, if Lath makes it.
    #[must_use]
    pub fn form(&self) -> Option<GroupForm> {
        match self {
            Self::Service(key) => Some(GroupForm::Ip { protocol: key.protocol, family: key.family }),
            Self::Declared(key) => Some(key.form),
            Self::External(_) | Self::Imported(_) => None,
        }
    }
}

impl ListenerProtocol {
    /// The API's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "HTTP",
            Self::Https => "HTTPS",
            Self::TlsPassthrough => "TLS_PASSTHROUGH",
        }
    }
}

impl HealthCheck {
    /// The same with Lattice's defaults for what is `None`. The port stays `None` without one: each target is asked on
    /// its own. Source: VPC Lattice documentation, "Health checks".
    #[must_use]
    pub fn filled(&self, protocol: GroupProtocol) -> Self {
        Self {
            // Lattice checks HTTP/1.1 by itself, and the rest only when it is told to.
            enabled: self.enabled.or(Some(protocol.version() == Some(HttpVersion::Http1))),
            interval: self.interval.or(Some(30)),
            timeout: self.timeout.or(Some(5)),
            healthy_threshold: self.healthy_threshold.or(Some(5)),
            unhealthy_threshold: self.unhealthy_threshold.or(Some(2)),
            path: self.path.clone().or_else(|| Some("/".into())),
            port: self.port,
            tls: self.tls.or(Some(matches!(protocol, GroupProtocol::Https(_)))),
            version: self.version.or(Some(HttpVersion::Http1)),
            statuses: self.statuses.clone().or_else(|| Some("200".into())),
        }
    }
}

impl HttpVersion {
    /// The API's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http1 => "HTTP1",
            Self::Http2 => "HTTP2",
            Self::Grpc => "GRPC",
        }
    }
}

impl GroupProtocol {
    /// The API's word for the protocol.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http(_) => "HTTP",
            Self::Https(_) => "HTTPS",
            Self::Tcp => "TCP",
        }
    }

    /// The version of HTTP, if it is HTTP.
    #[must_use]
    pub fn version(self) -> Option<HttpVersion> {
        match self {
            Self::Http(version) | Self::Https(version) => Some(version),
            Self::Tcp => None,
        }
    }
}
