//! From a ServiceImport to the target group that it stands for, which the engine looks for.

use lath_kubernetes::{gateway::BackendReference, names as well_known, watch::ObjectName};
use lattice::{
    TargetGroupArn,
    import::{ImportKey, Speaks},
    service::GroupKey,
};

use super::{
    World,
    verdict::{Reason, Verdict},
};
use crate::gateway::{
    multicluster::{Dialect, Import},
    objects::Kind,
    route::RouteKind,
};

/// A group that a route's backend stands for and that has to be looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// Where the route names it, and what it names.
    pub at: String,
    /// The group.
    pub key: GroupKey,
}

/// What narrows down which export is meant.
const NARROWING: [&str; 3] = [well_known::AWS_EXPORT_NAME, well_known::AWS_CLUSTER_NAME, well_known::AWS_VPC];

/// The group of an import. `at` says where the route names it.
pub(super) fn backend(
    world: &World<'_>,
    kind: RouteKind,
    dialect: Dialect,
    name: &ObjectName,
    reference: &BackendReference,
    at: &str,
) -> Result<Lookup, Verdict> {
    let Some(import) = world.objects.import(dialect, name) else {
        let advice =
            if dialect == Dialect::Standard && world.objects.absent().contains(&Kind::Imports(dialect)) {
                format!(
                    "the cluster has no definition of that kind: install it, or use group {}",
                    well_known::AWS_GROUP
                )
            } else {
                "create it, or correct the name".into()
            };
        return Err(Verdict::no(
            Reason::BackendNotFound,
            format!("{at} is ServiceImport {name}, which does not exist: {advice}"),
        ));
    };
    let at = format!("{at} is ServiceImport {name}");
    if let Some(arn) = import.annotation(well_known::AWS_TARGET_GROUP_ARN) {
        return external(world, import, arn, &at).map(|key| Lookup { at, key });
    }
    let text = |name| import.annotation(name).map(str::to_owned);
    let port = match reference.port.map(u16::try_from) {
        None => None,
        Some(Ok(port)) if port > 0 => Some(port),
        Some(_) => {
            let message = format!("{at}, and its port is none: use one from 1 to 65535");
            return Err(Verdict::no(Reason::UnsupportedValue, message));
        }
    };
    let key = ImportKey {
        namespace: name.namespace.clone(),
        name: text(well_known::AWS_EXPORT_NAME).unwrap_or_else(|| name.name.clone()),
        cluster: text(well_known::AWS_CLUSTER_NAME),
        vpc: text(well_known::AWS_VPC),
        port,
        speaks: match kind {
            RouteKind::Grpc => Speaks::Grpc,
            RouteKind::Http => Speaks::Http,
            RouteKind::Tls | RouteKind::Tcp | RouteKind::Udp => Speaks::Tcp,
        },
    };
    Ok(Lookup { at, key: GroupKey::Imported(Box::new(key)) })
}

/// A group by its ARN.
fn external(world: &World<'_>, import: &Import, arn: &str, at: &str) -> Result<GroupKey, Verdict> {
    let others: Vec<&str> = NARROWING.into_iter().filter(|name| import.annotation(name).is_some()).collect();
    if !others.is_empty() {
        return Err(Verdict::no(
            Reason::ConflictingServiceImportAnnotations,
            format!(
                "{at}, which names a target group by {}, so nothing else may say which is meant: remove {}",
                well_known::AWS_TARGET_GROUP_ARN,
                others.join(", ")
            ),
        ));
    }
    by_arn(world, arn, &format!("{at}, whose annotation {}", well_known::AWS_TARGET_GROUP_ARN))
}

/// The group of an ARN that `said` names.
pub(super) fn by_arn(world: &World<'_>, arn: &str, said: &str) -> Result<GroupKey, Verdict> {
    let refuse = |message: String| Err(Verdict::no(Reason::InvalidExternalTargetGroup, message));
    let Ok(arn) = arn.parse::<TargetGroupArn>() else {
        return refuse(format!("{said} is not the ARN of a target group: {arn:?}"));
    };
    if arn.account() != world.site.account {
        return refuse(format!(
            "{said} is a target group of account {}, and VPC Lattice wants the groups of a rule in the account of its \
             service, {}: have a service made for it there, share that with this account by AWS RAM, and put it into the \
             same service network",
            arn.account(),
            world.site.account
        ));
    }
    if arn.region() != world.site.region {
        return refuse(format!(
            "{said} is a target group of region {}, and VPC Lattice's services reach targets in their own region, {}",
            arn.region(),
            world.site.region
        ));
    }
    Ok(GroupKey::External(arn))
}
