//! Cloud Map: namespaces, their services and the services' instances.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::clock::SimTime;

use super::Tags;
use super::table::Table;

/// Most operations that GetOperation remembers; beyond it the oldest is forgotten.
pub(crate) const MOST_OPERATIONS: usize = 10_000;

/// Everything that Cloud Map holds, of all accounts.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct CloudMap {
    pub(crate) namespaces: Table<Namespace>,
    pub(crate) services: Table<NamedService>,
    pub(crate) operations: Table<Operation>,
}

/// A namespace: a DNS zone of a VPC, or names that are only asked for by API.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Namespace {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) account: String,
    pub(crate) name: String,
    /// The VPC that a private DNS namespace is for; an HTTP namespace has none.
    pub(crate) vpc: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) tags: Tags,
    pub(crate) created: SimTime,
}

/// A service of a namespace.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct NamedService {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) account: String,
    pub(crate) name: String,
    /// The namespace's id.
    pub(crate) namespace: String,
    pub(crate) description: Option<String>,
    /// Type (A, AAAA, SRV or CNAME) and TTL in seconds of its DNS records.
    pub(crate) records: Vec<(String, u64)>,
    /// `MULTIVALUE` or `WEIGHTED`.
    pub(crate) routing: Option<String>,
    /// Attributes of the instances by id.
    pub(crate) instances: BTreeMap<String, BTreeMap<String, String>>,
    /// Goes up with each change of the instances.
    pub(crate) revision: u64,
    pub(crate) tags: Tags,
    pub(crate) created: SimTime,
}

/// Something that was asked for, and is done.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Operation {
    pub(crate) account: String,
    pub(crate) kind: String,
    /// What it is about, by kind: `NAMESPACE` and an id, say.
    pub(crate) targets: BTreeMap<String, String>,
    pub(crate) at: SimTime,
}
