//! Imports: which target group of another cluster a backend stands for.
//!
//! Exports are found by their tags, which Lath and the AWS Gateway API Controller set alike, over all clusters and VPCs of
//! the account. A name proves nothing of which cluster is meant, so where several groups fit, none is taken.

use std::{collections::BTreeSet, fmt};

use crate::{
    Tags, TargetGroupArn,
    observed::{Attempt, Group, Status},
    service::{GroupProtocol, HttpVersion},
    tags,
};

/// What an import asks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImportKey {
    /// The export's namespace.
    pub namespace: String,
    /// The export's name.
    pub name: String,
    /// The cluster that exports it, if that is said.
    pub cluster: Option<String>,
    /// The VPC in which its targets are, if that is said.
    pub vpc: Option<String>,
    /// The port, which decides where several are exported.
    pub port: Option<u16>,
    /// What is spoken.
    pub speaks: Speaks,
}

/// What is spoken to a target, as far as the kinds of routes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Speaks {
    /// HTTP, but for gRPC.
    Http,
    /// gRPC.
    Grpc,
    /// Bytes.
    Tcp,
}

impl Speaks {
    /// What is spoken to the targets of a group of this protocol.
    #[must_use]
    pub fn of(protocol: GroupProtocol) -> Self {
        match (protocol, protocol.version()) {
            (GroupProtocol::Tcp, _) => Self::Tcp,
            (_, Some(HttpVersion::Grpc)) => Self::Grpc,
            _ => Self::Http,
        }
    }
}

impl fmt::Display for Speaks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "HTTP",
            Self::Grpc => "gRPC",
            Self::Tcp => "TCP",
        })
    }
}

/// A target group that some cluster exports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The group.
    pub group: Group,
    /// Its tags.
    pub tags: Tags,
}

/// What an import comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// This group.
    Found(TargetGroupArn),
    /// No group fits. There are these of the export's name.
    Missing(Vec<Candidate>),
    /// Several fit.
    Ambiguous(Vec<Candidate>),
}

/// A group that may be meant, in words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// The group.
    pub arn: TargetGroupArn,
    /// The cluster that exports it.
    pub cluster: String,
    /// The VPC in which its targets are.
    pub vpc: String,
    /// Its port.
    pub port: u16,
    /// What is spoken.
    pub speaks: Option<Speaks>,
    /// Whether its cluster wants to be rid of it.
    pub leaving: bool,
    /// Whether it is Lath's export, and not the AWS controller's.
    pub laths: bool,
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { arn, cluster, vpc, port, speaks, leaving, .. } = self;
        let speaks = speaks.map(|speaks| format!(" for {speaks}")).unwrap_or_default();
        let leaving = if *leaving { ", which is no longer exported" } else { "" };
        write!(f, "{} of cluster {cluster} in {vpc}, port {port}{speaks}{leaving}", arn.id())
    }
}

/// Whether a group with these tags is an export of this namespace and name.
#[must_use]
pub fn is_export_of(found: &Tags, namespace: &str, name: &str) -> bool {
    let is = |key: &str, value: &str| found.get(key).is_some_and(|found| found == value);
    is(tags::SOURCE_TYPE, tags::EXPORT)
        && is(tags::SERVICE_NAMESPACE, namespace)
        && is(tags::SERVICE_NAME, &crate::names::tag_value(name))
}

/// The cluster whose export a group with these tags is: Lath's, or the AWS controller's.
#[must_use]
pub fn cluster_of(found: &Tags) -> Option<&str> {
    found.get(tags::CLUSTER).or_else(|| found.get(tags::AWS_CLUSTER)).map(String::as_str)
}

/// Resolves an import over all groups that are exported.
#[must_use]
pub fn resolve(key: &ImportKey, exported: &[Exported]) -> Resolution {
    let alive = |group: &Group| {
        !matches!(
            group.status,
            Status::Deleting | Status::Failed { what: Attempt::Create | Attempt::Delete, .. }
        )
    };
    let mut named: Vec<Candidate> = exported
        .iter()
        .filter(|one| is_export_of(&one.tags, &key.namespace, &key.name) && alive(&one.group))
        .map(candidate)
        .collect();
    named.sort();
    named.dedup();
    let mut fitting: Vec<Candidate> = named
        .iter()
        .filter(|one| {
            key.cluster.as_ref().is_none_or(|cluster| *cluster == one.cluster)
                && key.vpc.as_ref().is_none_or(|vpc| *vpc == one.vpc)
                && one.speaks == Some(key.speaks)
        })
        .cloned()
        .collect();
    // One that takes another's place goes before it; where nothing has, those who have it keep it.
    if fitting.iter().any(|one| !one.leaving) {
        fitting.retain(|one| !one.leaving);
    }
    // Where both controllers run in a cluster, both export the same pods.
    let place = |one: &Candidate| (one.cluster.clone(), one.vpc.clone(), one.port);
    let of_lath: BTreeSet<_> = fitting.iter().filter(|one| one.laths).map(place).collect();
    fitting.retain(|one| one.laths || !of_lath.contains(&place(one)));
    let ports: BTreeSet<u16> = fitting.iter().map(|one| one.port).collect();
    // Of a single port, the number says little: the AWS controller's exports have 80 unless they say otherwise.
    if let Some(port) = key.port.filter(|_| ports.len() > 1) {
        fitting.retain(|one| one.port == port);
    }
    match fitting.as_slice() {
        [] => Resolution::Missing(named),
        [one] => Resolution::Found(one.arn.clone()),
        _ => Resolution::Ambiguous(fitting),
    }
}

fn candidate(one: &Exported) -> Candidate {
    let unknown = || "unknown".to_owned();
    Candidate {
        arn: one.group.arn.clone(),
        cluster: cluster_of(&one.tags).map_or_else(unknown, str::to_owned),
        vpc: one.group.vpc.clone().unwrap_or_else(unknown),
        port: one.group.port.unwrap_or(0),
        speaks: one.group.protocol.map(Speaks::of),
        laths: one.tags.contains_key(tags::CLUSTER),
        leaving: one.tags.get(tags::EXPORTED).is_some_and(|exported| exported == "false"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{service::HealthCheck, target::IpFamily};

    fn export(id: char, cluster: (&str, &str), vpc: &str, port: u16, protocol: GroupProtocol) -> Exported {
        let arn = format!(
            "arn:aws:vpc-lattice:us-west-2:123456789012:targetgroup/tg-{}",
            String::from(id).repeat(17)
        );
        let tags = [
            cluster,
            (tags::SOURCE_TYPE, tags::EXPORT),
            (tags::SERVICE_NAME, "web"),
            (tags::SERVICE_NAMESPACE, "shop"),
        ];
        Exported {
            group: Group {
                arn: arn.parse().unwrap(),
                name: "k8s-shop-web".into(),
                status: Status::Active,
                protocol: Some(protocol),
                family: IpFamily::IPv4,
                port: Some(port),
                vpc: Some(vpc.into()),
                health_check: HealthCheck::default(),
                services: Vec::new(),
            },
            tags: tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        }
    }

    fn key() -> ImportKey {
        ImportKey {
            namespace: "shop".into(),
            name: "web".into(),
            cluster: None,
            vpc: None,
            port: None,
            speaks: Speaks::Http,
        }
    }

    /// What an import comes to, by the first characters of the groups' ids.
    fn check(key: &ImportKey, expected: &str) {
        let http = GroupProtocol::Http(HttpVersion::Http1);
        let mut leaving = export('9', (tags::CLUSTER, "red"), "vpc-1", 80, http);
        leaving.group.status = Status::Deleting;
        let mut other = export('8', (tags::CLUSTER, "red"), "vpc-1", 80, http);
        other.tags.insert(tags::SERVICE_NAMESPACE.into(), "other".into());
        let mut of_a_route = export('7', (tags::CLUSTER, "red"), "vpc-1", 80, http);
        of_a_route.tags.insert(tags::SOURCE_TYPE.into(), "HTTPRoute".into());
        let mut replaced = export('6', (tags::CLUSTER, "green"), "vpc-2", 8443, GroupProtocol::Tcp);
        replaced.tags.insert(tags::EXPORTED.into(), "false".into());
        let mut withdrawn = export('a', (tags::CLUSTER, "grey"), "vpc-3", 80, http);
        withdrawn.tags.insert(tags::EXPORTED.into(), "false".into());
        let exported = [
            export('b', (tags::AWS_CLUSTER, "red"), "vpc-1", 8080, http),
            replaced,
            withdrawn,
            export('1', (tags::CLUSTER, "red"), "vpc-1", 80, http),
            export('2', (tags::CLUSTER, "red"), "vpc-1", 8080, http),
            export('3', (tags::CLUSTER, "red"), "vpc-1", 9000, GroupProtocol::Http(HttpVersion::Grpc)),
            export('4', (tags::AWS_CLUSTER, "blue"), "vpc-2", 80, http),
            export('5', (tags::CLUSTER, "green"), "vpc-2", 443, GroupProtocol::Tcp),
            leaving,
            other,
            of_a_route,
        ];
        let ids = |found: Vec<Candidate>| {
            found.iter().map(|one| one.arn.id()[3..4].to_owned()).collect::<Vec<_>>().join(" ")
        };
        let is = match resolve(key, &exported) {
            Resolution::Found(arn) => format!("found {}", &arn.id()[3..4]),
            Resolution::Missing(found) => format!("missing among {}", ids(found)),
            Resolution::Ambiguous(found) => format!("ambiguous {}", ids(found)),
        };
        assert_eq!(is, expected, "{key:?}");
    }

    #[test]
    fn an_import_is_one_group_or_none() {
        let text = |text: &str| Some(text.to_owned());
        check(&key(), "ambiguous 1 2 4");
        check(&ImportKey { port: Some(8080), ..key() }, "found 2");
        check(&ImportKey { port: Some(80), ..key() }, "ambiguous 1 4");
        check(&ImportKey { port: Some(80), cluster: text("red"), ..key() }, "found 1");
        check(&ImportKey { port: Some(81), cluster: text("red"), ..key() }, "missing among 1 2 3 4 5 6 a b");
        check(&ImportKey { cluster: text("blue"), ..key() }, "found 4");
        check(&ImportKey { port: Some(8090), cluster: text("blue"), ..key() }, "found 4");
        check(&ImportKey { vpc: text("vpc-2"), ..key() }, "found 4");
        check(&ImportKey { speaks: Speaks::Grpc, ..key() }, "found 3");
        check(&ImportKey { speaks: Speaks::Tcp, ..key() }, "found 5");
        check(&ImportKey { cluster: text("grey"), ..key() }, "found a");
        check(&ImportKey { cluster: text("green"), ..key() }, "missing among 1 2 3 4 5 6 a b");
        check(&ImportKey { name: "api".into(), ..key() }, "missing among ");
    }
}
