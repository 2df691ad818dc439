//! Target groups whose targets are declared one by one, and not found behind a Service.

use std::net::IpAddr;

use crate::{
    service::{GroupProtocol, HttpVersion, Owner},
    target::IpFamily,
};

/// What a group of declared targets is for: one object that declares them, for one service. Whatever VPC Lattice can't
/// change of a group is a part of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeclaredKey {
    /// The service whose rules name it.
    pub owner: Owner,
    /// The object's namespace.
    pub namespace: String,
    /// The object's name.
    pub name: String,
    /// What kind of targets it takes.
    pub form: GroupForm,
    /// The VPC in which they are; none for functions.
    pub vpc: Option<String>,
    /// The target, where a group takes a single one: another one then gets a group of its own before rules turn to it.
    pub single: Option<String>,
}

/// What kind of targets a group takes, and how they are spoken to. Source: API model, `TargetGroupType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GroupForm {
    /// Addresses.
    Ip {
        /// How they are spoken to.
        protocol: GroupProtocol,
        /// Their family.
        family: IpFamily,
    },
    /// EC2 instances.
    Instance {
        /// How they are spoken to.
        protocol: GroupProtocol,
    },
    /// An Application Load Balancer.
    Alb {
        /// How it is spoken to.
        protocol: GroupProtocol,
    },
    /// A Lambda function.
    Lambda {
        /// How requests are put into events.
        events: EventVersion,
    },
}

/// A service of Cloud Map, as its instances are discovered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CloudMapName {
    /// The name of its namespace.
    pub namespace: String,
    /// Its name there.
    pub service: String,
}

/// How requests are put into events for a Lambda function. Source: API model, `LambdaEventStructureVersion`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventVersion {
    /// The first.
    V1,
    /// That of 2023.
    V2,
}

/// A target that is declared. Its id is an address, or the id or ARN of something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeclaredTarget {
    /// What VPC Lattice calls it.
    pub id: String,
    /// Its port; functions have none.
    pub port: Option<u16>,
}

impl DeclaredTarget {
    /// A target. Addresses have many notations, of which one counts.
    #[must_use]
    pub fn new(id: &str, port: Option<u16>) -> Self {
        let id = id.parse::<IpAddr>().map_or_else(|_| id.to_owned(), |address| address.to_string());
        Self { id, port }
    }
}

impl GroupForm {
    /// How targets are spoken to; functions are not.
    #[must_use]
    pub fn protocol(self) -> Option<GroupProtocol> {
        match self {
            Self::Ip { protocol, .. } | Self::Instance { protocol } | Self::Alb { protocol } => {
                Some(protocol)
            }
            Self::Lambda { .. } => None,
        }
    }

    /// Whether VPC Lattice checks the health of such targets at all.
    #[must_use]
    pub fn is_checked(self) -> bool {
        matches!(self, Self::Ip { .. } | Self::Instance { .. })
    }

    /// The form in words, which tells apart what can't be changed.
    #[must_use]
    pub fn describe(self) -> String {
        let of = |protocol: GroupProtocol| {
            format!("{} {}", protocol.as_str(), protocol.version().map_or("", HttpVersion::as_str))
        };
        match self {
            Self::Ip { protocol, family } => format!("IP {} {family}", of(protocol)),
            Self::Instance { protocol } => format!("INSTANCE {}", of(protocol)),
            Self::Alb { protocol } => format!("ALB {}", of(protocol)),
            Self::Lambda { events } => format!("LAMBDA {}", events.as_str()),
        }
    }
}

impl EventVersion {
    /// The API's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "V1",
            Self::V2 => "V2",
        }
    }
}
