//! How far VPC Lattice is: what the engine tells those who write statuses.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::jiff::Timestamp;
use lattice::{
    Tags, TargetGroupArn,
    id::{DirectoryId, NetworkId, ServiceId},
    observed::Status,
    plan::Wait,
    resource::ResourceKey,
    rule::Match,
    service::{GroupKey, Owner},
};

/// A rule, told apart from others of a service by its listener's port and its match.
pub type RuleName = (u16, Match);

/// How far everything is that is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// Whether it is known what VPC Lattice holds. Nothing else is told before.
    pub loaded: bool,
    /// Services that are wanted or held, by owner.
    pub services: BTreeMap<Owner, ServiceProgress>,
    /// Target groups that are wanted.
    pub groups: BTreeMap<GroupKey, GroupProgress>,
    /// Service networks that are wanted or that services name, by the name they are wanted by.
    pub networks: BTreeMap<String, NetworkProgress>,
    /// Resource gateways, directories and resource configurations that are wanted.
    pub resources: BTreeMap<ResourceKey, ResourceProgress>,
    /// Directories that stay as they are: what was to be in them goes on being so.
    pub held_directories: BTreeSet<DirectoryId>,
    /// Whether everything of this cluster's has been read since the start. What is told to be used or leaving is all that
    /// is only from then on.
    pub read: bool,
    /// The version of what is wanted that all of this is about.
    pub version: u64,
    /// Services and resources of this cluster that nobody wants and that are still there: their tags, by the tag of their
    /// owner.
    pub leaving: BTreeMap<String, Tags>,
    /// Target groups that some rule of this cluster's services names, and exported ones that are not wanted any more and
    /// that another cluster's service may name.
    pub used: BTreeSet<TargetGroupArn>,
    /// Exported target groups of this cluster that nobody wants any more and that are still there.
    pub leaving_exports: BTreeMap<TargetGroupArn, LeavingExport>,
    /// What is known of the target groups that services name and others keep, once they were looked for.
    pub imports: BTreeMap<GroupKey, ImportProgress>,
}

/// An exported target group that is to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeavingExport {
    /// The tag of its owner.
    pub owner: String,
    /// The ARNs of services that name it; `None`: that is not known yet.
    pub services: Option<Vec<String>>,
}

impl LeavingExport {
    /// Whether some service may name it.
    #[must_use]
    pub fn is_used(&self) -> bool {
        self.services.as_ref().is_none_or(|services| !services.is_empty())
    }
}

/// What is known of a target group that somebody else keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportProgress {
    /// It is this one.
    Found(TargetGroupArn),
    /// There is none. These, in words, are of the export's name and do not fit.
    Missing(String),
    /// It may be any of these, in words.
    Ambiguous(String),
    /// It can't be told, for this reason.
    Unknown(String),
}

/// How far a service is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceProgress {
    /// The service, once it is there.
    pub service: Option<ServiceFacts>,
    /// Whether it is all that it should be, but for rules that VPC Lattice refuses. Nothing is told about held ones.
    pub done: bool,
    /// What it waits for.
    pub waits: Vec<Wait>,
    /// What went wrong and is tried again, and rules that VPC Lattice refuses.
    pub troubles: Vec<Trouble>,
    /// Since when it has been done, or what was wanted last was begun.
    pub since: Timestamp,
}

/// What is known of a service that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceFacts {
    /// Its id.
    pub id: ServiceId,
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// The name by which clients reach it.
    pub dns_name: Option<String>,
    /// The other name by which they may.
    pub custom_domain: Option<String>,
}

/// How far a target group is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupProgress {
    /// Its ARN, once it is there.
    pub arn: Option<TargetGroupArn>,
    /// Its status.
    pub status: Option<Status>,
    /// Whether it is all that it should be.
    pub done: bool,
    /// What went wrong and is tried again.
    pub trouble: Option<Trouble>,
}

/// How far a service network is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetworkProgress {
    /// Whether it is there.
    pub found: bool,
    /// Its id.
    pub id: Option<NetworkId>,
    /// Its ARN.
    pub arn: Option<String>,
    /// How the cluster's VPC is in it; `None`: it is not.
    pub vpc: Option<Status>,
    /// Whether it is all that it should be.
    pub done: bool,
    /// What went wrong and is tried again.
    pub troubles: Vec<Trouble>,
}

/// How far a resource gateway, directory or resource configuration is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceProgress {
    /// The resource, once it is there.
    pub resource: Option<ResourceFacts>,
    /// Whether it is all that it should be.
    pub done: bool,
    /// What it waits for.
    pub waits: Vec<Wait>,
    /// What went wrong and is tried again.
    pub troubles: Vec<Trouble>,
    /// Since when it has been done, or what was wanted last was begun.
    pub since: Timestamp,
}

/// What is known of a resource that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceFacts {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// The name by which clients reach a resource configuration.
    pub dns_name: Option<String>,
    /// The directory's id, if it is one.
    pub directory: Option<DirectoryId>,
}

/// Something that went wrong. It is tried again as long as it is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What was being done, such as `making rule 20 of the listener on port 80`.
    pub doing: String,
    /// What kind of failure it is: a label of [`lattice_client::Error`], or `failed` where VPC Lattice gave up by itself,
    /// `taken` where a name is another's, `foreign` where something is another's, `mixed` where it is not known yet which of
    /// several changes was refused.
    pub kind: &'static str,
    /// Why, in one line.
    pub message: String,
    /// Since when.
    pub since: Timestamp,
    /// Whether only an operator can help.
    pub needs_operator: bool,
    /// The rules of a service whose fault it is; empty: it is nobody's in particular, and everybody's trouble.
    pub rules: BTreeSet<RuleName>,
}
