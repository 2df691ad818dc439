//! What carries TCP connections at VPC Lattice, and what leads past it: resource gateways, resource configurations, and
//! directories of Cloud Map.
//!
//! ```text
//! client ── service network ── resource configuration ── resource gateway ── name of a directory ── pods
//! client ──────────────────────────────────────────────────────────────────── name of a directory ── pods
//! client ──────────────────────────────────────────────────────────────────── name of a directory ── service
//! ```

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use crate::{
    Tags,
    id::{ConfigurationId, DirectoryId, NetworkId, ResourceAssociationId, ResourceGatewayId},
    observed::Status,
    service::Owner,
    target::IpFamily,
};

/// For how many seconds an address of a directory is good.
pub const TTL: u16 = 5;

/// For how many seconds another name is good. A service keeps its name for life, so that little has to be asked again.
pub const ALIAS_TTL: u16 = 60;

/// Most addresses that Cloud Map answers with. Source: Cloud Map developer guide, MULTIVALUE routing.
pub const ADDRESSES_PER_ANSWER: usize = 8;

/// Longest name of a directory. Source: Cloud Map API reference, CreateService, `Name`.
pub const DIRECTORY_LENGTH: usize = 127;

/// Longest part of a name in DNS. Source: RFC 1035, section 2.3.4.
pub const LABEL_LENGTH: usize = 63;

/// Whether a directory may be called so, as far as lengths go.
#[must_use]
pub fn fits_directory(name: &str) -> bool {
    name.len() <= DIRECTORY_LENGTH && name.split('.').all(|label| label.len() <= LABEL_LENGTH)
}

/// A kind of resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceKind {
    /// Resource gateways.
    Gateway,
    /// Directories of Cloud Map.
    Directory,
    /// Resource configurations.
    Configuration,
}

/// What a resource is for, which finds it again: it stands in the tag [`crate::tags::OWNER`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceKey {
    /// What it is.
    pub kind: ResourceKind,
    /// What for, such as `TCPRoute/shop/db` with what tells it from others of the same route.
    pub owner: Owner,
}

/// A resource as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResourceSpec {
    /// A resource gateway.
    Gateway(GatewaySpec),
    /// A directory.
    Directory(DirectorySpec),
    /// A resource configuration.
    Configuration(ConfigurationSpec),
}

/// A resource gateway as it should be. It can't be changed: other settings are another key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewaySpec {
    /// Its name.
    pub name: String,
    /// The VPC.
    pub vpc: String,
    /// The subnets in which it gets addresses.
    pub subnets: BTreeSet<String>,
    /// Security groups that decide where it may connect to.
    pub security_groups: BTreeSet<String>,
    /// The family of the addresses that it connects to.
    pub family: IpFamily,
    /// Its tags.
    pub tags: Tags,
}

/// A directory as it should be. What it is called and which records it has can't be changed: that is another key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectorySpec {
    /// The private DNS namespace's name.
    pub namespace: String,
    /// Whether that is made if there is none.
    pub create_namespace: bool,
    /// The VPC for which it is made.
    pub vpc: String,
    /// Its own name, below the namespace's.
    pub name: String,
    /// What is in it.
    pub holds: Holds,
    /// Its tags.
    pub tags: Tags,
}

impl DirectorySpec {
    /// The name by which DNS knows it.
    #[must_use]
    pub fn dns_name(&self) -> String {
        format!("{}.{}", self.name, self.namespace)
    }
}

/// The records that instances become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Records {
    /// Addresses.
    Addresses {
        /// Of this family.
        family: IpFamily,
        /// Whether ports are told as well, by SRV.
        ports: bool,
    },
    /// Another name, by CNAME.
    Alias,
}

impl Records {
    /// For how many seconds they are good.
    #[must_use]
    pub fn ttl(self) -> u16 {
        match self {
            Self::Addresses { .. } => TTL,
            Self::Alias => ALIAS_TTL,
        }
    }
}

/// What is in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holds {
    /// Pods, by their addresses.
    Pods {
        /// Which; `None`: none.
        of: Option<PodsOf>,
        /// Of this family.
        family: IpFamily,
        /// Whether their ports are told as well.
        ports: bool,
    },
    /// The service of this owner, by the name that VPC Lattice has given it.
    Service(Owner),
}

impl Holds {
    /// The records that this becomes.
    #[must_use]
    pub fn records(&self) -> Records {
        match self {
            Self::Pods { family, ports, .. } => Records::Addresses { family: *family, ports: *ports },
            Self::Service(_) => Records::Alias,
        }
    }
}

/// The pods behind a Service's port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodsOf {
    /// The Service's namespace.
    pub namespace: String,
    /// Its name.
    pub service: String,
    /// Its port's number.
    pub port: u16,
    /// Its port's protocol: TCP or UDP.
    pub protocol: String,
}

/// A resource configuration as it should be: of protocol TCP, for one port, in one service network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigurationSpec {
    /// Its name.
    pub name: String,
    /// The resource gateway through which it connects.
    pub gateway: GatewayUse,
    /// The port that clients connect to, and that it connects to.
    pub port: u16,
    /// The directory that it leads to.
    pub directory: ResourceKey,
    /// That one's name.
    pub target: DnsTarget,
    /// The name of the service network that it is in.
    pub network: String,
    /// Its tags.
    pub tags: Tags,
}

/// Which resource gateway is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GatewayUse {
    /// One that Lath makes.
    Own(ResourceKey),
    /// One that somebody else made and keeps, by its id.
    External(ResourceGatewayId),
}

/// A name that connections are made to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsTarget {
    /// The name.
    pub name: String,
    /// Which of its addresses.
    pub family: IpFamily,
}

/// A resource gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceGateway {
    /// Its id.
    pub id: ResourceGatewayId,
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// How far it is.
    pub status: Status,
    /// Its VPC.
    pub vpc: Option<String>,
    /// Whether it resolves names as its VPC does, private ones included.
    pub resolves_in_vpc: bool,
}

/// A directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    /// Its id.
    pub id: DirectoryId,
    /// Its ARN.
    pub arn: String,
    /// Its name, below the namespace's.
    pub name: String,
}

/// A resource configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// Its id.
    pub id: ConfigurationId,
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// How far it is.
    pub status: Status,
    /// Its resource gateway.
    pub gateway: Option<ResourceGatewayId>,
    /// Its ranges of ports.
    pub ports: Vec<String>,
    /// Where it leads; `None`: to something that this version can't express.
    pub target: Option<DnsTarget>,
}

/// A resource configuration's association with a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceAssociation {
    /// Its id.
    pub id: ResourceAssociationId,
    /// Its ARN.
    pub arn: String,
    /// How far it is.
    pub status: Status,
    /// The network.
    pub network: NetworkId,
    /// The name by which clients in the network reach the resource, which the answer to its creation does not tell.
    pub dns_name: Option<String>,
}

/// An instance of a directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Entry {
    /// What has an address.
    Instance(Instance),
    /// What has another name.
    Alias(Alias),
}

/// A service of VPC Lattice, as a directory tells of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alias {
    /// The name that VPC Lattice has given it.
    pub name: String,
    /// Its ARN, which only those learn who ask Cloud Map rather than DNS.
    pub arn: Option<String>,
}

/// What has an address, and may have a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instance {
    /// Its address.
    pub address: IpAddr,
    /// Its port, where ports are told.
    pub port: Option<u16>,
}

/// What is there of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResourceTree {
    /// A resource gateway.
    Gateway(ResourceGateway),
    /// A directory.
    Directory(Directory),
    /// A resource configuration.
    Configuration(Configuration, BTreeMap<NetworkId, ResourceAssociation>),
}

impl ResourceSpec {
    /// Its name when it is made.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Gateway(spec) => &spec.name,
            Self::Directory(spec) => &spec.name,
            Self::Configuration(spec) => &spec.name,
        }
    }

    /// Its tags.
    #[must_use]
    pub fn tags(&self) -> &Tags {
        match self {
            Self::Gateway(spec) => &spec.tags,
            Self::Directory(spec) => &spec.tags,
            Self::Configuration(spec) => &spec.tags,
        }
    }
}

impl ResourceTree {
    /// Its ARN.
    #[must_use]
    pub fn arn(&self) -> &str {
        match self {
            Self::Gateway(gateway) => &gateway.arn,
            Self::Directory(directory) => &directory.arn,
            Self::Configuration(configuration, _) => &configuration.arn,
        }
    }

    /// How far it is. Cloud Map makes and deletes directories at once.
    #[must_use]
    pub fn status(&self) -> &Status {
        match self {
            Self::Gateway(gateway) => &gateway.status,
            Self::Directory(_) => &Status::Active,
            Self::Configuration(configuration, _) => &configuration.status,
        }
    }
}
