//! Statuses and finalizers of exports, and statuses of TargetGroups.

use std::collections::BTreeMap;

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Condition, jiff::Timestamp};
use kube::api::ApiResource;
use lath_kubernetes::{
    multicluster::{ServiceExport, standard},
    names,
    target_group::TargetGroup,
};
use lattice::service::GroupKey;
use serde_json::json;

use super::{Write, finalizers, news, without_inherited};
use crate::gateway::{
    compose::Published,
    engine::{Progress, progress::LeavingExport},
    multicluster::{Dialect, Export},
    objects::Objects,
    status::{self, Moment},
    takeover::{State, inherited},
    translate::exports::owner,
};

/// What has to be written of exports.
pub(super) fn exports(
    objects: &Objects,
    published: &Published,
    progress: &Progress,
    state: &State,
    now: Timestamp,
) -> Vec<Write> {
    let all = objects.exports();
    all.filter_map(|(dialect, export)| write(dialect, export, published, progress, state, now)).collect()
}

/// What has to be written of TargetGroups.
pub(super) fn target_groups(
    objects: &Objects,
    published: &Published,
    progress: &Progress,
    now: Timestamp,
) -> Vec<Write> {
    let all = published.outcome.target_groups.iter();
    all.filter_map(|(name, verdict)| {
        let object = objects.target_groups.get(name)?;
        let current = object.status.as_ref().map(|status| status.conditions.clone()).unwrap_or_default();
        let moment = Moment { generation: object.metadata.generation, now };
        let wanted = status::target_group(&current, verdict, progress, moment);
        Write::of::<TargetGroup>(
            "TargetGroup",
            &object.metadata,
            (wanted != current).then(|| json!({ "conditions": wanted })),
            None,
            news(&current, &wanted),
        )
    })
    .collect()
}

fn write(
    dialect: Dialect,
    export: &Export,
    published: &Published,
    progress: &Progress,
    state: &State,
    now: Timestamp,
) -> Option<Write> {
    let moment = Moment { generation: export.meta.generation, now };
    let verdict = published.outcome.exports.get(&(dialect, export.name.clone()));
    let owner = owner(dialect, &export.name);
    let leaving = leaving(&owner, progress);
    let conditions: Vec<Condition> = match verdict {
        Some(verdict) => status::export(&export.conditions, dialect, verdict, progress, moment),
        None => status::leaving_export(&export.conditions, dialect, &leaving, moment),
    };
    let held = export.meta.finalizers.iter().flatten().any(|finalizer| finalizer == names::LATTICE_FINALIZER);
    let accepted = verdict.is_some_and(|verdict| verdict.accepted.holds);
    let gone = gone(&owner, &leaving, progress, published.version);
    let keep = accepted || (held && !gone);
    let metadata = finalizers(&export.meta, names::LATTICE_FINALIZER, keep);
    // As of routes. Nobody would remove it else.
    let over = (keep && !export.is_leaving()) || (export.is_leaving() && gone);
    let other = over.then_some(inherited::SERVICE_EXPORT);
    let metadata = without_inherited(&export.meta, metadata, other, state);
    let resource = match dialect {
        Dialect::Aws => ApiResource::erase::<ServiceExport>(&()),
        Dialect::Standard => ApiResource::erase::<standard::ServiceExport>(&()),
    };
    Write::new(
        "ServiceExport",
        resource,
        &export.meta,
        (conditions != export.conditions).then(|| json!({ "conditions": conditions })),
        metadata.map(|finalizers| json!({ "finalizers": finalizers })),
        news(&export.conditions, &conditions),
    )
}

/// The groups of an export that are to go and are still there, by id.
fn leaving<'a>(owner: &str, progress: &'a Progress) -> BTreeMap<&'a str, &'a LeavingExport> {
    let tag = lattice::names::owner_tag(&owner.to_owned());
    let own = progress.leaving_exports.iter().filter(|(_, it)| it.owner == tag);
    own.map(|(arn, it)| (arn.id(), it)).collect()
}

/// Whether VPC Lattice holds nothing of an export any more, as of the `version` of what is wanted.
fn gone(owner: &str, leaving: &BTreeMap<&str, &LeavingExport>, progress: &Progress, version: u64) -> bool {
    let of_owner = |key: &GroupKey| matches!(key, GroupKey::Service(key) if key.owner == owner);
    progress.read
        && progress.version >= version
        && leaving.is_empty()
        && !progress.groups.keys().any(of_owner)
}

#[cfg(test)]
mod tests {
    use kube::api::ObjectMeta;
    use lath_kubernetes::watch::ObjectName;
    use lattice::TargetGroupArn;

    use super::*;

    fn export() -> Export {
        Export {
            name: ObjectName { namespace: "shop".into(), name: "web".into() },
            meta: ObjectMeta {
                deletion_timestamp: Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(
                    Timestamp::UNIX_EPOCH,
                )),
                finalizers: Some(vec![names::LATTICE_FINALIZER.into()]),
                ..ObjectMeta::default()
            },
            ports: Vec::new(),
            conditions: Vec::new(),
        }
    }

    #[test]
    fn a_deleted_export_stays_until_its_group_is_gone_and_says_who_names_it() {
        let published = Published { objects: 1, version: 2, ..Published::default() };
        let arn: TargetGroupArn = crate::testing::arn(1);
        let with = |services: Option<Vec<String>>| Progress {
            loaded: true,
            read: true,
            version: 2,
            leaving_exports: [(
                arn.clone(),
                LeavingExport { owner: "ServiceExport/shop/web".into(), services },
            )]
            .into(),
            ..Progress::default()
        };
        let service = "arn:aws:vpc-lattice:us-west-2:123456789012:service/svc-1".to_owned();
        for (progress, reason, goes) in [
            (with(Some(vec![service.clone()])), Some("InUse"), false),
            (with(Some(Vec::new())), Some("Deleting"), false),
            (Progress { loaded: true, read: true, version: 1, ..Progress::default() }, None, false),
            (Progress { loaded: true, read: true, version: 2, ..Progress::default() }, None, true),
        ] {
            let write =
                write(Dialect::Aws, &export(), &published, &progress, &State::Off, Timestamp::UNIX_EPOCH);
            let told = write.as_ref().and_then(|write| write.status.as_ref()).map(|status| {
                let condition = &status["conditions"][0];
                let message = condition["message"].as_str().unwrap();
                assert_eq!(message.contains(&service), reason == Some("InUse"), "{message}");
                condition["reason"].as_str().unwrap().to_owned()
            });
            assert_eq!(told.as_deref(), reason);
            let released = write.is_some_and(|write| write.metadata == Some(json!({ "finalizers": [] })));
            assert_eq!(released, goes, "{progress:?}");
        }
    }
}
