//! Exports and imports of both API groups, each reduced to one shape.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::api::ObjectMeta;
use lath_kubernetes::{
    multicluster::{self, ExportedPort, standard},
    names,
    watch::ObjectName,
};

/// An API group that has exports and imports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dialect {
    /// The AWS Gateway API Controller's.
    Aws,
    /// The standard's.
    Standard,
}

impl Dialect {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Aws, Self::Standard];

    /// The API group.
    #[must_use]
    pub fn group(self) -> &'static str {
        match self {
            Self::Aws => names::AWS_GROUP,
            Self::Standard => standard::GROUP,
        }
    }

    /// What the owners of exports' groups begin with.
    #[must_use]
    pub fn owner_prefix(self) -> &'static str {
        match self {
            Self::Aws => "ServiceExport/",
            Self::Standard => "ServiceExport.multicluster.x-k8s.io/",
        }
    }
}

/// A Service that other clusters may send requests to.
#[derive(Debug, Clone, PartialEq)]
pub struct Export {
    /// Its namespace and name.
    pub name: ObjectName,
    /// What the API server keeps of it; without managed fields.
    pub meta: ObjectMeta,
    /// Its ports, if it names any. The standard's export all.
    pub ports: Vec<ExportedPort>,
    /// What is said of it.
    pub conditions: Vec<Condition>,
}

/// A backend of another cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Import {
    /// Its namespace and name.
    pub name: ObjectName,
    /// What the API server keeps of it; without managed fields.
    pub meta: ObjectMeta,
}

impl Export {
    /// An annotation's value.
    #[must_use]
    pub fn annotation(&self, name: &str) -> Option<&str> {
        annotation(&self.meta, name)
    }

    /// Whether it is being deleted.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        self.meta.deletion_timestamp.is_some()
    }

    /// Whether it says that another system is to export it.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        self.annotation(names::AWS_FEDERATION).is_some_and(|whose| whose != names::FEDERATION)
    }

    /// The Service that it is for.
    #[must_use]
    pub fn service(&self) -> ObjectName {
        let name = self.annotation(names::AWS_SERVICE_NAME).unwrap_or(&self.name.name);
        ObjectName { namespace: self.name.namespace.clone(), name: name.into() }
    }
}

impl Import {
    /// An annotation's value, unless it is empty.
    #[must_use]
    pub fn annotation(&self, name: &str) -> Option<&str> {
        annotation(&self.meta, name).filter(|value| !value.is_empty())
    }
}

fn annotation<'a>(meta: &'a ObjectMeta, name: &str) -> Option<&'a str> {
    meta.annotations.as_ref()?.get(name).map(String::as_str)
}

fn without_managers(meta: &ObjectMeta) -> ObjectMeta {
    ObjectMeta { managed_fields: None, ..meta.clone() }
}

impl From<&multicluster::ServiceExport> for Export {
    fn from(export: &multicluster::ServiceExport) -> Self {
        Self {
            name: ObjectName::of(export),
            meta: without_managers(&export.metadata),
            ports: export.spec.exported_ports.clone(),
            conditions: export.status.as_ref().map(|status| status.conditions.clone()).unwrap_or_default(),
        }
    }
}

impl From<&standard::ServiceExport> for Export {
    fn from(export: &standard::ServiceExport) -> Self {
        Self {
            name: ObjectName::of(export),
            meta: without_managers(&export.metadata),
            ports: Vec::new(),
            conditions: export.status.as_ref().map(|status| status.conditions.clone()).unwrap_or_default(),
        }
    }
}

impl From<&multicluster::ServiceImport> for Import {
    fn from(import: &multicluster::ServiceImport) -> Self {
        Self { name: ObjectName::of(import), meta: without_managers(&import.metadata) }
    }
}

impl From<&standard::ServiceImport> for Import {
    fn from(import: &standard::ServiceImport) -> Self {
        Self { name: ObjectName::of(import), meta: without_managers(&import.metadata) }
    }
}

/// Exports and imports by API group and name.
pub type ByDialect<T> = BTreeMap<Dialect, BTreeMap<ObjectName, T>>;
