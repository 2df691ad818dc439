//! Whether VPC Lattice holds anything of a route any more.

use lattice::tags;

use super::{engine::Progress, route::RouteName};

/// Whether VPC Lattice holds nothing of a route that is not wanted any more, as of the `version` of what is wanted.
///
/// A route's own services have to be gone. A service that it shared with others has to be without its rules, which it
/// is when it is as it should be.
#[must_use]
pub fn gone(route: &RouteName, progress: &Progress, version: u64) -> bool {
    if !progress.read || progress.version < version {
        return false;
    }
    let own = route.to_string();
    let is_own =
        |owner: &str| owner.strip_prefix(&own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let resources = progress.resources.keys().map(|key| &key.owner);
    if progress.services.keys().chain(resources).any(|owner| is_own(owner)) {
        return false;
    }
    let leaving = progress.leaving.values().any(|found| {
        let tag = |key: &str, value: &str| found.get(key).is_some_and(|found| found == value);
        tag(tags::ROUTE_NAME, &route.object.name)
            && tag(tags::ROUTE_NAMESPACE, &route.object.namespace)
            && tag(tags::ROUTE_TYPE, route.kind.tag())
    });
    let shared =
        progress.services.iter().any(|(owner, service)| owner.starts_with("Gateway/") && !service.done);
    !leaving && !shared
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use k8s_openapi::jiff::Timestamp;
    use lath_kubernetes::watch::ObjectName;
    use lattice::{
        Tags,
        resource::{ResourceKey, ResourceKind},
    };

    use super::*;
    use crate::gateway::{
        engine::progress::{ResourceProgress, ServiceProgress},
        route::RouteKind,
    };

    fn service(done: bool) -> ServiceProgress {
        ServiceProgress {
            service: None,
            done,
            waits: Vec::new(),
            troubles: Vec::new(),
            since: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_route_is_gone_when_nothing_of_it_is_left_in_the_version_that_lacks_it() {
        let object = ObjectName { namespace: "shop".into(), name: "web".into() };
        let route = RouteName { kind: RouteKind::Http, object };
        let tags = |name: &str| {
            Tags::from([
                (tags::ROUTE_NAME.into(), name.into()),
                (tags::ROUTE_NAMESPACE.into(), "shop".into()),
                (tags::ROUTE_TYPE.into(), "http".into()),
            ])
        };
        let loaded = Progress { loaded: true, read: true, version: 2, ..Progress::default() };
        let with = |owner: &str, done| Progress {
            services: BTreeMap::from([(owner.into(), service(done))]),
            ..loaded.clone()
        };
        let with_resource = |owner: &str| {
            let key = ResourceKey { kind: ResourceKind::Configuration, owner: owner.into() };
            let it = ResourceProgress {
                resource: None,
                done: false,
                waits: Vec::new(),
                troubles: Vec::new(),
                since: Timestamp::UNIX_EPOCH,
            };
            Progress { resources: BTreeMap::from([(key, it)]), ..loaded.clone() }
        };
        let leaving = |name: &str| Progress {
            leaving: BTreeMap::from([("a digest".into(), tags(name))]),
            ..loaded.clone()
        };
        for (what, progress, expected) in [
            ("nothing is left", loaded.clone(), true),
            ("not all is known yet", Progress { read: false, ..loaded.clone() }, false),
            ("an older version was looked at", Progress { version: 1, ..loaded.clone() }, false),
            ("it is wanted", with("HTTPRoute/shop/web", true), false),
            ("it has another hostname", with("HTTPRoute/shop/web/a.example.com", true), false),
            ("a resource of it is wanted", with_resource("HTTPRoute/shop/web/infra/mesh/80"), false),
            ("a resource of another is wanted", with_resource("HTTPRoute/shop/website/infra/mesh/80"), true),
            ("its namesake is another", with("HTTPRoute/shop/website", true), true),
            ("its service leaves", leaving("web"), false),
            ("another's service leaves", leaving("other"), true),
            ("what it shared is not without it yet", with("Gateway/infra/mesh", false), false),
            ("what it shared is without it", with("Gateway/infra/mesh", true), true),
        ] {
            assert_eq!(gone(&route, &progress, 2), expected, "{what}");
        }
    }
}
