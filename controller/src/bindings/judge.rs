//! Whether a binding is accepted: a pure function of the binding, its Service, its group and its rivals.

use lath_kubernetes::{Service, TargetGroupBinding, binding::Ownership};
use lattice::{TargetGroupArn, group::TargetGroupType, tags};

pub use super::reason::Reason;
use crate::groups::{Facts, Finding, Obstacle, View};

/// Where this controller is: what a group has to fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The region.
    pub region: String,
    /// The 12 digits of the account.
    pub account: String,
    /// The cluster's VPC.
    pub vpc: String,
    /// The cluster's name, as in the tag of its groups.
    pub cluster: String,
    /// Whether hand-made EndpointSlices of Services without a selector count.
    pub manual_endpoints: bool,
}

impl Site {
    /// Whether the group is in this account and region.
    #[must_use]
    pub fn owns(&self, group: &TargetGroupArn) -> bool {
        group.account() == self.account && group.region() == self.region
    }
}

/// The verdict on a binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// `None`: it can't be told now, and what was said before stays.
    pub accepted: Option<bool>,
    /// Why.
    pub reason: Reason,
    /// Why, in words that say what to do.
    pub message: String,
}

fn refused(reason: Reason, message: String) -> Verdict {
    Verdict { accepted: Some(false), reason, message }
}

/// What a verdict is about.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The binding.
    pub binding: &'a TargetGroupBinding,
    /// Its Service, if there is one.
    pub service: Option<&'a Service>,
    /// Its group, if its ARN is one.
    pub group: Option<&'a TargetGroupArn>,
    /// What is known of the group.
    pub view: Option<&'a View>,
}

/// Judges a binding by itself. See [`conflict`] for the others on its group.
#[must_use]
pub fn judge(site: &Site, case: Case<'_>) -> Verdict {
    let Some(group) = case.group else {
        return refused(
            Reason::InvalidTargetGroup,
            format!(
                "{:?} is not the ARN of a target group: delete this binding and create one with the ARN that \
                 `aws vpc-lattice list-target-groups` shows",
                case.binding.spec.target_group.arn
            ),
        );
    };
    if let Some(verdict) = elsewhere(site, group) {
        return verdict;
    }
    if let Some(verdict) = service_verdict(site, case) {
        return verdict;
    }
    match case.view.map(|view| (&view.facts, &view.finding)) {
        Some((_, Some(Finding::Missing { message }))) => refused(
            Reason::TargetGroupNotFound,
            format!(
                "There is no target group {} in account {} and region {}: create it, or delete this binding and \
                 create one with the right ARN. AWS says: {message}",
                group.id(),
                group.account(),
                group.region()
            ),
        ),
        Some((Some(facts), finding)) => {
            group_verdict(site, case.binding, facts).unwrap_or_else(|| match finding {
                Some(Finding::Failed { obstacle, message }) => obstructed(*obstacle, message),
                _ => accepted(case, facts),
            })
        }
        Some((None, Some(Finding::Failed { obstacle, message }))) => obstructed(*obstacle, message),
        _ => Verdict {
            accepted: None,
            reason: Reason::Pending,
            message: "The target group is being read".into(),
        },
    }
}

fn accepted(case: Case<'_>, facts: &Facts) -> Verdict {
    let unused = if facts.group.services.is_empty() {
        ". No service uses the group yet, so its targets get no requests: add a rule that forwards to it"
    } else {
        ""
    };
    Verdict {
        accepted: Some(true),
        reason: Reason::Accepted,
        message: format!(
            "Pods of Service {} are targets of {}{unused}",
            case.binding.spec.service.name, facts.group.name
        ),
    }
}

fn obstructed(obstacle: Obstacle, message: &str) -> Verdict {
    let (reason, advice) = match obstacle {
        Obstacle::Denied => (
            Reason::AccessDenied,
            "Allow the controller's role vpc-lattice:GetTargetGroup and vpc-lattice:ListTagsForResource on the group",
        ),
        Obstacle::Credentials => (
            Reason::NoCredentials,
            "Give the controller's service account a role with a Pod Identity association or IRSA",
        ),
        Obstacle::Unavailable => (
            Reason::LatticeUnavailable,
            "It is tried again within a minute; if that lasts, check that the controller reaches VPC Lattice's endpoint",
        ),
    };
    Verdict {
        accepted: None,
        reason,
        message: format!("The target group can't be read: {message}. {advice}"),
    }
}

/// What the ARN alone tells.
fn elsewhere(site: &Site, group: &TargetGroupArn) -> Option<Verdict> {
    if group.account() != site.account {
        return Some(refused(
            Reason::OtherAccount,
            format!(
                "The target group belongs to account {}, this cluster to {}. VPC Lattice wants a rule and its target \
                 group in one account: create the group here, and share the service by RAM instead",
                group.account(),
                site.account
            ),
        ));
    }
    (group.region() != site.region).then(|| {
        refused(
            Reason::OtherRegion,
            format!(
                "The target group is in {}, this cluster in {}: create a group in {}",
                group.region(),
                site.region,
                site.region
            ),
        )
    })
}

fn service_verdict(site: &Site, case: Case<'_>) -> Option<Verdict> {
    let spec = &case.binding.spec;
    let (name, wanted) = (&spec.service.name, &spec.service.port);
    let Some(service) = case.service else {
        return Some(refused(
            Reason::ServiceNotFound,
            format!("There is no Service {name} in this namespace: create it, or correct spec.service.name"),
        ));
    };
    if service.external {
        return Some(refused(
            Reason::UnsupportedServiceType,
            format!(
                "Service {name} is of type ExternalName, which has no pods: bind a Service that selects pods"
            ),
        ));
    }
    let Some(port) = service.port(wanted) else {
        let ports: Vec<String> = service
            .ports
            .iter()
            .map(|port| match port.name.as_str() {
                "" => port.port.to_string(),
                name => format!("{} ({name})", port.port),
            })
            .collect();
        return Some(refused(
            Reason::ServicePortNotFound,
            format!(
                "Service {name} has no port {}: correct spec.service.port to one of {}",
                match wanted {
                    k8s_openapi::apimachinery::pkg::util::intstr::IntOrString::Int(number) =>
                        number.to_string(),
                    k8s_openapi::apimachinery::pkg::util::intstr::IntOrString::String(name) => name.clone(),
                },
                ports.join(", ")
            ),
        ));
    };
    if port.protocol != "TCP" {
        return Some(refused(
            Reason::UnsupportedProtocol,
            format!(
                "Port {} of Service {name} is {}, and targets of VPC Lattice are reached by TCP only: bind a TCP port",
                port.port, port.protocol
            ),
        ));
    }
    let family = spec.ip_family;
    if !service.families.is_empty() && !service.families.contains(&family) {
        return Some(refused(
            Reason::ServiceLacksIpFamily,
            format!(
                "Service {name} has no {family} addresses: add {family} to its spec.ipFamilies, or bind a target group \
                 of the family that it has"
            ),
        ));
    }
    (service.selector.is_empty() && !site.manual_endpoints).then(|| {
        refused(
            Reason::ManualEndpointsNotAllowed,
            format!(
                "Service {name} has no selector, and this cluster does not allow hand-made EndpointSlices as targets: \
                 add a selector, or have the cluster's operator set --allow-manual-endpoints"
            ),
        )
    })
}

fn group_verdict(site: &Site, binding: &TargetGroupBinding, facts: &Facts) -> Option<Verdict> {
    let group = &facts.group;
    if group.kind != TargetGroupType::Ip {
        return Some(refused(
            Reason::UnsupportedTargetGroupType,
            format!(
                "The target group is of type {}, and pods can be targets of groups of type IP only: bind a group of \
                 type IP",
                group.kind.as_str()
            ),
        ));
    }
    if group.vpc.as_deref() != Some(&site.vpc) {
        return Some(refused(
            Reason::OtherVpc,
            format!(
                "The target group is in {}, this cluster in {}: bind a group of this VPC",
                group.vpc.as_deref().unwrap_or("no VPC"),
                site.vpc
            ),
        ));
    }
    if group.family != binding.spec.ip_family {
        return Some(refused(
            Reason::IpFamilyMismatch,
            format!(
                "The target group takes {} addresses, spec.ipFamily is {}: set it to {}, or bind another group",
                group.family, binding.spec.ip_family, group.family
            ),
        ));
    }
    if let Some(manager) = facts.tags.get(tags::MANAGED_BY) {
        return Some(refused(
            Reason::ManagedByAnother,
            format!(
                "The tag {} = {manager} says that another controller manages the group, and it would take out every \
                 target that is not its own: create a group without that tag",
                tags::MANAGED_BY
            ),
        ));
    }
    if let Some(verdict) = grant(site, binding, facts) {
        return Some(verdict);
    }
    (!group.active).then(|| {
        refused(
            Reason::TargetGroupNotActive,
            "The target group is being created or deleted and takes no targets now; it is looked at again within \
             seconds"
                .into(),
        )
    })
}

/// Refuses a group that its tags do not grant to this cluster and namespace.
fn grant(site: &Site, binding: &TargetGroupBinding, facts: &Facts) -> Option<Verdict> {
    let namespace = binding.metadata.namespace.as_deref().unwrap_or_default();
    let words = |tag| facts.tags.get(tag).map_or("", String::as_str).split_whitespace().collect::<Vec<_>>();
    let (clusters, granted) = (words(tags::CLUSTER), words(tags::NAMESPACE));
    let mine = clusters.contains(&site.cluster.as_str());
    let other = clusters.iter().find(|cluster| **cluster != site.cluster);
    if let Some(other) = other.filter(|_| mine && binding.spec.ownership == Ownership::Exclusive) {
        return Some(refused(
            Reason::Conflicted,
            format!(
                "The target group is cluster {other}'s as well, and this binding wants it exclusively: set \
                 spec.ownership to Shared"
            ),
        ));
    }
    let problem = match other {
        _ if mine && granted.contains(&namespace) => return None,
        _ if mine => format!(
            "The target group is not granted to namespace {namespace}: its tag {} does not name it",
            tags::NAMESPACE
        ),
        Some(other) => format!(
            "The target group belongs to cluster {other}, this one is {}. If that is wrong",
            site.cluster
        ),
        None => format!("The target group is not granted to this cluster: it has no tag {}", tags::CLUSTER),
    };
    let cluster = if mine { clusters.join(" ") } else { site.cluster.clone() };
    let mut namespaces = granted;
    if !namespaces.contains(&namespace) {
        namespaces.push(namespace);
    }
    Some(refused(
        Reason::NotGranted,
        format!(
            "{problem}; whoever owns the group can run: aws vpc-lattice tag-resource --region {} --resource-arn {} \
             --tags '{}={},{}={}'",
            site.region,
            facts.group.arn,
            tags::CLUSTER,
            cluster,
            tags::NAMESPACE,
            namespaces.join(" ")
        ),
    ))
}

/// The verdict on a binding that shares its group with an older one, if they do not go together.
///
/// `rivals` are the other bindings of the group that are sound by themselves and not being deleted, so that nobody
/// can keep a group from its owners by binding it without a right to it.
pub fn conflict<'a>(
    binding: &TargetGroupBinding,
    rivals: impl Iterator<Item = &'a TargetGroupBinding>,
) -> Option<Verdict> {
    let exclusive = |binding: &TargetGroupBinding| binding.spec.ownership == Ownership::Exclusive;
    let mut older: Vec<&TargetGroupBinding> = rivals
        .filter(|rival| age(rival) < age(binding) && (exclusive(rival) || exclusive(binding)))
        .collect();
    older.sort_by_key(|rival| age(rival));
    older.first().map(|rival| {
        refused(
            Reason::Conflicted,
            format!(
                "{}/{} is bound to the same target group and {}: delete one of the two, or set spec.ownership of both \
                 to Shared",
                rival.metadata.namespace.as_deref().unwrap_or_default(),
                rival.metadata.name.as_deref().unwrap_or_default(),
                if exclusive(rival) {
                    "owns it exclusively"
                } else {
                    "this binding wants it exclusively"
                }
            ),
        )
    })
}

/// What decides which of two bindings is older.
fn age(binding: &TargetGroupBinding) -> (Option<k8s_openapi::jiff::Timestamp>, Option<&str>, Option<&str>) {
    let meta = &binding.metadata;
    (meta.creation_timestamp.as_ref().map(|time| time.0), meta.namespace.as_deref(), meta.name.as_deref())
}

#[cfg(test)]
mod tests;
