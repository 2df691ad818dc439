//! What is said of backends that are not a Service's pods: of imports, at the routes that name them, and of exports.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use lath_kubernetes::names as well_known;
use lattice::service::GroupKey;

use super::{Moment, Said, in_words, trouble_reason};
use crate::gateway::{
    engine::progress::{ImportProgress, LeavingExport, Progress},
    multicluster::Dialect,
    translate::{ExportVerdict, Lookup, Reason, TargetGroupVerdict, Verdict},
};

/// Most services that a message names.
const MOST_NAMED: usize = 5;

impl Moment {
    /// Says whether all that a route refers to may be used and is there.
    pub(super) fn say_resolved(
        self,
        conditions: &mut Vec<Condition>,
        verdict: &Verdict,
        lookups: &[Lookup],
        progress: &Progress,
    ) {
        if !verdict.holds {
            return self.say(conditions, "ResolvedRefs", verdict);
        }
        let judged: Vec<(&Lookup, Result<(), Verdict>)> =
            lookups.iter().map(|lookup| (lookup, judge(lookup, progress.imports.get(&lookup.key)))).collect();
        if let Some(fault) = judged.iter().find_map(|(_, judged)| judged.as_ref().err()) {
            let unknown = fault.reason == Reason::TargetNotFound;
            if !unknown {
                return self.say(conditions, "ResolvedRefs", fault);
            }
            return self.say_or_keep(conditions, "ResolvedRefs", None, &fault.message);
        }
        self.say(conditions, "ResolvedRefs", verdict);
    }
}

/// Whether a group that somebody else keeps was found. The reason `TargetNotFound` says that it can't be told yet.
fn judge(lookup: &Lookup, found: Option<&ImportProgress>) -> Result<(), Verdict> {
    let at = &lookup.at;
    let said = match (found, &lookup.key) {
        (Some(ImportProgress::Found(_)), _) => return Ok(()),
        (None, _) => (Reason::TargetNotFound, format!("{at}, whose target group is being looked for")),
        (Some(ImportProgress::Unknown(why)), _) => (
            Reason::TargetNotFound,
            format!("{at}, whose target group can't be looked for and is tried again: {why}"),
        ),
        (Some(ImportProgress::Missing(_)), GroupKey::External(arn)) => (
            Reason::ExternalTargetGroupNotFound,
            format!(
                "{at}, and VPC Lattice has no target group {arn}: correct the ARN. It is looked for again and again"
            ),
        ),
        (Some(ImportProgress::Missing(others)), _) => (
            Reason::BackendNotFound,
            if others.is_empty() {
                format!(
                    "{at}, which no cluster of this account exports: create a ServiceExport of that name and namespace \
                     there. It is looked for again and again"
                )
            } else {
                format!(
                    "{at}, and of the target groups that are exported under that name none fits its annotations, its port \
                     and the kind of the route: {others}"
                )
            },
        ),
        (Some(ImportProgress::Ambiguous(candidates)), _) => (
            Reason::AmbiguousImport,
            format!(
                "{at}, which may be any of these: {candidates}. Say which by its annotation {} or {}, or by the port of \
                 the backend",
                well_known::AWS_CLUSTER_NAME,
                well_known::AWS_VPC
            ),
        ),
    };
    Err(Verdict::no(said.0, said.1))
}

/// The conditions of an export.
#[must_use]
pub fn export(
    current: &[Condition],
    dialect: Dialect,
    verdict: &ExportVerdict,
    progress: &Progress,
    moment: Moment,
) -> Vec<Condition> {
    let mut conditions = current.to_vec();
    let (accepted, programmed) = kinds(dialect);
    let reason = match (dialect, verdict.accepted.reason) {
        (Dialect::Standard, Reason::Accepted) => "Valid",
        (Dialect::Standard, Reason::TargetNotFound) => "NoService",
        (Dialect::Standard, Reason::UnsupportedValue) => "InvalidServiceType",
        (_, reason) => reason.as_str(),
    };
    moment.set(&mut conditions, accepted, verdict.accepted.holds, reason, verdict.accepted.message.as_str());
    if verdict.accepted.holds {
        let said = exported(dialect, verdict, progress);
        moment.say_or_keep(&mut conditions, programmed, said, super::BEING_READ);
    } else {
        let message = format!("The export is not accepted: {}", verdict.accepted.message);
        moment.set(&mut conditions, programmed, false, "NotAccepted", message);
    }
    conditions
}

/// The conditions of a TargetGroup.
#[must_use]
pub fn target_group(
    current: &[Condition],
    verdict: &TargetGroupVerdict,
    progress: &Progress,
    moment: Moment,
) -> Vec<Condition> {
    let mut conditions = current.to_vec();
    moment.say(&mut conditions, "Accepted", &verdict.accepted);
    if verdict.accepted.holds {
        let said = declared(verdict, progress);
        moment.say_or_keep(&mut conditions, "Programmed", said, super::BEING_READ);
    } else {
        let message = format!("The target group is not accepted: {}", verdict.accepted.message);
        moment.set(&mut conditions, "Programmed", false, "NotAccepted", message);
    }
    conditions
}

/// Whether VPC Lattice has all groups that routes have made of a TargetGroup.
fn declared(verdict: &TargetGroupVerdict, progress: &Progress) -> Said {
    if !progress.loaded {
        return None;
    }
    if verdict.groups.is_empty() {
        let message = "No accepted route names it, so VPC Lattice has nothing of it";
        return Some((false, "NotUsed", message.into()));
    }
    let mut ids = Vec::new();
    for key in &verdict.groups {
        if matches!(key, GroupKey::External(_)) {
            let lookup = Lookup { at: "spec.arn is the ARN of a target group".into(), key: key.clone() };
            match judge(&lookup, progress.imports.get(key)) {
                Ok(()) => ids.push(lattice::names::describe(key)),
                Err(fault) if fault.reason == Reason::TargetNotFound => return None,
                Err(fault) => return Some((false, fault.reason.as_str(), fault.message)),
            }
            continue;
        }
        let group = progress.groups.get(key)?;
        if let Some(trouble) = &group.trouble {
            return Some((false, trouble_reason(trouble), in_words(trouble)));
        }
        let Some(arn) = group.arn.as_ref().filter(|_| group.done) else {
            return Some((false, "Pending", "Its target group is being made and filled".into()));
        };
        ids.push(arn.id().to_owned());
    }
    Some((true, "Programmed", format!("VPC Lattice has it as {}", ids.join(", "))))
}

/// The kinds of conditions of an export: whether it is right, and whether it is done.
fn kinds(dialect: Dialect) -> (&'static str, &'static str) {
    match dialect {
        Dialect::Aws => ("Accepted", "Programmed"),
        Dialect::Standard => ("Valid", "Ready"),
    }
}

/// Whether VPC Lattice has all groups of an export.
fn exported(dialect: Dialect, verdict: &ExportVerdict, progress: &Progress) -> Said {
    if !progress.loaded {
        return None;
    }
    let mut ids = Vec::new();
    for key in &verdict.groups {
        let group = progress.groups.get(key)?;
        if let Some(trouble) = &group.trouble {
            let message = format!("{} for {}", in_words(trouble), lattice::names::describe(key));
            return Some((false, trouble_reason(trouble), message));
        }
        let Some(arn) = group.arn.as_ref().filter(|_| group.done) else {
            let message = format!("The target group of {} is being made", lattice::names::describe(key));
            return Some((false, "Pending", message));
        };
        ids.push(arn.id().to_owned());
    }
    let reason = if dialect == Dialect::Aws { "Programmed" } else { "Ready" };
    Some((true, reason, format!("Other clusters find it as {}", ids.join(", "))))
}

/// The conditions of an export that is being deleted, while its groups are there.
#[must_use]
pub fn leaving_export(
    current: &[Condition],
    dialect: Dialect,
    leaving: &BTreeMap<&str, &LeavingExport>,
    moment: Moment,
) -> Vec<Condition> {
    let mut conditions = current.to_vec();
    let named: Vec<&str> =
        leaving.values().flat_map(|it| it.services.iter().flatten()).map(String::as_str).collect();
    if let Some(first) = leaving.keys().next() {
        let message = if named.is_empty() {
            format!("It waits until the target group {first} has been emptied and deleted")
        } else {
            let more = named.len().saturating_sub(MOST_NAMED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!(
                "It waits until no rule names its target group {first} any more, which these services do: {}{more}. Take it \
                 out of their routes; until then its pods stay in the group",
                named.iter().take(MOST_NAMED).copied().collect::<Vec<_>>().join(", ")
            )
        };
        let reason = if named.is_empty() { "Deleting" } else { "InUse" };
        moment.set(&mut conditions, kinds(dialect).1, false, reason, message);
    }
    conditions
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use k8s_openapi::jiff::Timestamp;
    use lattice::{
        import::{ImportKey, Speaks},
        service::{GroupProtocol, HttpVersion, ServiceGroupKey},
        target::IpFamily,
    };

    use super::*;
    use crate::gateway::engine::progress::{GroupProgress, Trouble};

    const NOW: Moment = Moment { generation: Some(1), now: Timestamp::UNIX_EPOCH };

    #[test]
    fn a_route_tells_what_became_of_its_imports() {
        let key = GroupKey::Imported(Box::new(ImportKey {
            namespace: "shop".into(),
            name: "web".into(),
            cluster: None,
            vpc: None,
            port: None,
            speaks: Speaks::Http,
        }));
        let external = GroupKey::External(crate::testing::arn(1));
        let well = Verdict::yes(Reason::ResolvedRefs, "well");
        let before = |generation: Option<i64>| {
            let mut conditions = Vec::new();
            Moment { generation, ..NOW }.say(&mut conditions, "ResolvedRefs", &well);
            conditions
        };
        for (key, found, before, reason, says) in [
            (&key, Some(ImportProgress::Found(crate::testing::arn(1))), Vec::new(), "ResolvedRefs", "well"),
            (
                &key,
                Some(ImportProgress::Missing(String::new())),
                Vec::new(),
                "BackendNotFound",
                "create a ServiceExport",
            ),
            (&key, Some(ImportProgress::Missing("tg-1".into())), Vec::new(), "BackendNotFound", "none fits"),
            (
                &key,
                Some(ImportProgress::Ambiguous("tg-1; tg-2".into())),
                Vec::new(),
                "AmbiguousImport",
                "aws-eks-cluster-name",
            ),
            (
                &external,
                Some(ImportProgress::Missing(String::new())),
                Vec::new(),
                "ExternalTargetGroupNotFound",
                "correct the ARN",
            ),
            (&key, None, Vec::new(), "Pending", "being looked for"),
            (&key, Some(ImportProgress::Unknown("denied".into())), Vec::new(), "Pending", "denied"),
            // What was said of this generation stays until it is known better.
            (&key, None, before(Some(1)), "ResolvedRefs", "well"),
            (&key, None, before(Some(0)), "Pending", "being looked for"),
        ] {
            let lookups = [Lookup { at: "spec.rules[0].backendRefs[0]".into(), key: key.clone() }];
            let imports = found.into_iter().map(|found| (key.clone(), found)).collect();
            let progress = Progress { imports, ..Progress::default() };
            let mut conditions = before;
            NOW.say_resolved(&mut conditions, &well, &lookups, &progress);
            let [condition] = conditions.as_slice() else { panic!("{conditions:?}") };
            assert_eq!(condition.reason, reason, "{condition:?}");
            assert!(condition.message.contains(says), "{condition:?}");
        }
    }

    #[test]
    fn an_export_tells_in_its_groups_words_how_far_it_is() {
        let key = GroupKey::Service(Box::new(ServiceGroupKey {
            owner: "ServiceExport/shop/web".into(),
            namespace: "shop".into(),
            service: "web".into(),
            port: 80,
            protocol: GroupProtocol::Http(HttpVersion::Http1),
            family: IpFamily::IPv4,
        }));
        let verdict = |accepted: Verdict| ExportVerdict {
            accepted,
            owner: "ServiceExport/shop/web".into(),
            groups: BTreeSet::from([key.clone()]),
        };
        let trouble = Trouble {
            doing: "making the target group".into(),
            kind: "full",
            message: "too many".into(),
            since: Timestamp::UNIX_EPOCH,
            needs_operator: true,
            rules: BTreeSet::new(),
        };
        let group = |done: bool, trouble: Option<Trouble>| GroupProgress {
            arn: done.then(|| crate::testing::arn(1)),
            status: None,
            done,
            trouble,
        };
        let good = Verdict::yes(Reason::Accepted, "well");
        let bad = Verdict::no(Reason::TargetNotFound, "no Service");
        for (accepted, group, standard, aws) in [
            (
                &good,
                Some(group(true, None)),
                "Valid Valid, Ready Ready",
                "Accepted Accepted, Programmed Programmed",
            ),
            (
                &good,
                Some(group(false, None)),
                "Valid Valid, Ready Pending",
                "Accepted Accepted, Programmed Pending",
            ),
            (
                &good,
                Some(group(false, Some(trouble))),
                "Valid Valid, Ready QuotaExceeded",
                "Accepted Accepted, Programmed QuotaExceeded",
            ),
            (&good, None, "Valid Valid, Ready Pending", "Accepted Accepted, Programmed Pending"),
            (
                &bad,
                None,
                "Valid NoService, Ready NotAccepted",
                "Accepted TargetNotFound, Programmed NotAccepted",
            ),
        ] {
            let groups = group.into_iter().map(|group| (key.clone(), group)).collect();
            let progress = Progress { loaded: true, groups, ..Progress::default() };
            for (dialect, expected) in [(Dialect::Standard, standard), (Dialect::Aws, aws)] {
                let conditions = export(&[], dialect, &verdict(accepted.clone()), &progress, NOW);
                let said = conditions.iter().map(|one| format!("{} {}", one.type_, one.reason));
                assert_eq!(said.collect::<Vec<_>>().join(", "), expected);
            }
        }
    }
}
