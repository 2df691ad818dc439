//! The tags by which Lath recognises what it may touch.
//!
//! The prefix is Lath's own. The AWS Gateway API Controller collects groups by its `ClusterName` tag, so a group
//! that carries that one would be deleted under Lath's hands.

use std::collections::BTreeSet;

/// The cluster that a resource belongs to, or several separated by spaces: a group that they share. A group that does not
/// name its own cluster is never touched.
pub const CLUSTER: &str = "lath.dev/cluster";

/// What a service is for, such as `HTTPRoute/shop/checkout`, or a digest of it where that would be too long: by this
/// Lath finds its service again, whatever it is called.
pub const OWNER: &str = "lath.dev/owner";

/// What a target group is for: a digest of its key, by which Lath finds it again.
pub const GROUP: &str = "lath.dev/target-group";

/// The cluster whose Lath has put the auth policy and the access log subscriptions of a service network there, and so may
/// remove them. The network itself may be anybody's.
pub const POLICIES: &str = "lath.dev/policies";

/// The namespaces that may bind pods to a group: one name, or several separated by spaces.
pub const NAMESPACE: &str = "lath.dev/namespace";

/// Who manages a resource, in the AWS Gateway API Controller's vocabulary. A group with this tag belongs to that
/// controller, which deregisters whatever is not in its own slices, so Lath refuses it.
pub const MANAGED_BY: &str = "application-networking.k8s.aws/ManagedBy";

/// The cluster of a group, in the same vocabulary. That controller deletes the groups of its cluster and VPC that no service
/// uses, whoever made them: none that is Lath's may have it.
pub const CLUSTER_NAME: &str = "application-networking.k8s.aws/ClusterName";

/// The Gateway whose host name a service has, where services are made per host name: `namespace/name`.
pub const GATEWAY: &str = "lath.dev/gateway";

/// The name of the route that a service or a group was made for, in the AWS Gateway API Controller's vocabulary, as are
/// those that follow.
pub const ROUTE_NAME: &str = "application-networking.k8s.aws/RouteName";

/// The namespace of that route.
pub const ROUTE_NAMESPACE: &str = "application-networking.k8s.aws/RouteNamespace";

/// The kind of that route: `http`, `grpc` or `tls`.
pub const ROUTE_TYPE: &str = "application-networking.k8s.aws/RouteType";

/// The name of the Service whose pods are a group's targets.
pub const SERVICE_NAME: &str = "application-networking.k8s.aws/ServiceName";

/// The namespace of that Service.
pub const SERVICE_NAMESPACE: &str = "application-networking.k8s.aws/ServiceNamespace";

/// What a group was made for: `HTTPRoute`, `GRPCRoute`, `TLSRoute` or `ServiceExport`.
pub const SOURCE_TYPE: &str = "application-networking.k8s.aws/SourceTypeKey";

/// The value of [`SOURCE_TYPE`] on a group that other clusters may name.
pub const EXPORT: &str = "ServiceExport";

/// On an exported group: `true`, and `false` once its cluster wants to be rid of it. Others then go by another one that is
/// exported in its place, if there is one.
pub const EXPORTED: &str = "lath.dev/exported";

/// The value of [`SOURCE_TYPE`] on a group whose targets are declared.
pub const DECLARED: &str = "TargetGroup";

/// The cluster whose AWS Gateway API Controller made a group. Lath reads it and sets it on none.
pub const AWS_CLUSTER: &str = "application-networking.k8s.aws/ClusterName";

/// The version in which a group's targets are spoken to: `HTTP1`, `HTTP2`, `GRPC`, or empty for TCP.
pub const PROTOCOL_VERSION: &str = "application-networking.k8s.aws/ProtocolVersion";

/// The keys of the tags that somebody has asked for by an annotation, separated by `=`, which no such key holds: they are
/// taken away once nobody asks for them. Where one value can't hold all of them, tags such as `lath.dev/asked-for.2` go on.
pub const ASKED: &str = "lath.dev/asked-for";

/// What begins the keys of tags that nobody can ask for.
const RESERVED: [&str; 3] = ["aws:", "lath.dev/", "application-networking.k8s.aws/"];

/// Whether nobody can ask for a tag with this key.
#[must_use]
pub fn is_reserved(key: &str) -> bool {
    RESERVED.iter().any(|prefix| key.starts_with(prefix))
}

fn is_record(key: &str) -> bool {
    key.strip_prefix(ASKED).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The tags that record which keys were asked for.
#[must_use]
pub fn record<'a>(keys: impl Iterator<Item = &'a str>) -> crate::Tags {
    let mut values: Vec<String> = Vec::new();
    for key in keys {
        let room = |value: &String| {
            value.chars().count() + "=".len() + key.chars().count() <= crate::limits::TAG_VALUE_LENGTH
        };
        match values.last_mut().filter(|value| room(value)) {
            Some(value) => {
                value.push('=');
                value.push_str(key);
            }
            None => values.push(key.to_owned()),
        }
    }
    let name = |place: usize| if place == 0 { ASKED.to_owned() } else { format!("{ASKED}.{}", place + 1) };
    values.into_iter().enumerate().map(|(place, value)| (name(place), value)).collect()
}

/// What to do about tags now: those to be set, and the keys of those to be taken away. Nothing is taken away but what the
/// record there says that somebody had asked for, and the record is changed last: who dies on the way finds the rest.
#[must_use]
pub fn changes(wanted: &crate::Tags, there: &crate::Tags) -> (crate::Tags, BTreeSet<String>) {
    let mut lacking = lacking(wanted, there);
    let records = there.iter().filter(|(key, _)| is_record(key));
    let asked = records.clone().flat_map(|(_, value)| value.split('='));
    let gone = |key: &&str| there.contains_key(*key) && !wanted.contains_key(*key) && !is_reserved(key);
    let surplus: BTreeSet<String> = asked.filter(gone).map(str::to_owned).collect();
    if !surplus.is_empty() {
        lacking.retain(|key, _| !is_record(key));
        return (lacking, surplus);
    }
    if !lacking.is_empty() {
        return (lacking, surplus);
    }
    let done = records.map(|(key, _)| key).filter(|key| !wanted.contains_key(*key)).cloned();
    (lacking, done.collect())
}

/// The tags that are wanted and not there, or there with another value.
fn lacking(wanted: &crate::Tags, there: &crate::Tags) -> crate::Tags {
    let lacks = |(key, value): &(&String, &String)| there.get(*key) != Some(*value);
    wanted.iter().filter(lacks).map(|(key, value)| (key.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Tags, limits::TAG_VALUE_LENGTH};

    /// What is there after everything has been done that is to be done.
    fn settled(wanted: &Tags, mut there: Tags) -> Tags {
        for _ in 0..4 {
            let (set, take) = changes(wanted, &there);
            there.extend(set);
            there.retain(|key, _| !take.contains(key));
        }
        there
    }

    /// The tags of a resource of Lath's for which these were asked.
    fn asked(keys: &[&str]) -> Tags {
        let own = [(CLUSTER.to_owned(), "demo".to_owned())];
        let mut tags: Tags = keys.iter().map(|key| ((*key).to_owned(), "x".to_owned())).chain(own).collect();
        tags.extend(record(keys.iter().copied()));
        tags
    }

    #[test]
    fn what_is_no_longer_asked_for_goes_and_nothing_else() {
        let mut there = asked(&["cost centre", "stage", "team"]);
        there.insert("foreign".into(), "y".into());
        for keys in [&["team"][..], &["new", "team"], &[], &["stage"]] {
            let wanted = asked(keys);
            let mut all = wanted.clone();
            all.insert("foreign".into(), "y".into());
            assert_eq!(settled(&wanted, there.clone()), all, "{keys:?}");
        }
    }

    #[test]
    fn a_record_is_changed_after_what_it_records() {
        let (wanted, there) = (asked(&["b"]), asked(&["a"]));
        let (set, take) = changes(&wanted, &there);
        assert_eq!(Vec::from_iter(set.into_keys()), ["b"]);
        assert_eq!(take, ["a".to_owned()].into());
    }

    #[test]
    fn a_record_that_others_have_written_takes_nothing_of_laths() {
        let mut there = asked(&[]);
        there.insert(OWNER.into(), "HTTPRoute/shop/web".into());
        there.insert(ASKED.into(), format!("{OWNER}={CLUSTER}"));
        let (set, take) = changes(&asked(&[]), &there);
        assert_eq!((set, take), (Tags::new(), [ASKED.to_owned()].into()));
    }

    #[test]
    fn a_record_goes_on_where_one_value_is_too_short() {
        let keys: Vec<String> = (0..5).map(|number| format!("{number}{}", "k".repeat(99))).collect();
        let record = record(keys.iter().map(String::as_str));
        assert_eq!(record.len(), 3);
        assert!(record.keys().all(|key| is_record(key)));
        assert!(record.values().all(|value| value.len() <= TAG_VALUE_LENGTH));
        let names: Vec<&str> = keys.iter().map(String::as_str).collect();
        assert_eq!(settled(&asked(&names[4..]), asked(&names)), asked(&names[4..]));
    }
}
