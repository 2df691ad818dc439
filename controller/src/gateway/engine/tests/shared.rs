//! A service that routes of several namespaces share: what one of them does wrong is that one's trouble alone.

use std::fmt::Write as _;

use lath_kubernetes::{gateway::RouteStatus, names::GATEWAY_CONTROLLER, watch::ObjectName};
use lattice_sim::Fault;

use super::{check::check, *};
use crate::gateway::{
    directories::Notes,
    leaving,
    route::{RouteKind, RouteName},
    status,
    translate::{Outcome, tests::Case},
};

/// A Gateway whose services are shared, and a Service in each of two namespaces.
const GATEWAY: &str = "apiVersion: lath.dev/v1alpha1
kind: GatewayParameters
metadata: { name: merged, namespace: infra }
spec: { services: PerHostname, serviceNetwork: { create: true }, warmUp: { healthyPercent: 0 } }
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: mesh, namespace: infra }
spec:
  gatewayClassName: lath
  listeners: [{ name: http, protocol: HTTP, port: 80, allowedRoutes: { namespaces: { from: All } } }]
  infrastructure: { parametersRef: { group: lath.dev, kind: GatewayParameters, name: merged } }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec: { selector: { app: web }, ports: [{ name: http, port: 80 }] }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: pay }
spec: { selector: { app: web }, ports: [{ name: http, port: 80 }] }";

/// A method that is too long for VPC Lattice. Gateway API has no such method either, but nobody checks it before.
const BAD: &str = "{ path: { type: Exact, value: /bad }, method: MUCH-TOO-LONG-A-METHOD }";

/// Matches of a whole path each.
fn paths(paths: &[&str]) -> String {
    let each: Vec<_> =
        paths.iter().map(|path| format!("{{ path: {{ type: Exact, value: {path} }} }}")).collect();
    each.join(", ")
}

/// What routes come to: of each, its namespace and its matches.
fn translated(routes: &[(&str, &str)]) -> Outcome {
    let mut yaml = GATEWAY.to_owned();
    for (namespace, matches) in routes {
        let _ = write!(
            yaml,
            "\n---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\n\
             metadata: {{ name: web, namespace: {namespace} }}\n\
             spec:\n  parentRefs: [{{ name: mesh, namespace: infra }}]\n  \
             rules: [{{ matches: [{matches}], backendRefs: [{{ name: web, port: 80 }}] }}]"
        );
    }
    Case::read(&yaml).translate()
}

fn name(namespace: &str) -> RouteName {
    RouteName {
        kind: RouteKind::Http,
        object: ObjectName { namespace: namespace.into(), name: "web".into() },
    }
}

/// Reason and message of the condition Programmed of the route in this namespace.
fn programmed(world: &World, outcome: &Outcome, namespace: &str) -> (String, String) {
    let (current, notes) = (RouteStatus::default(), Notes::new());
    let moment = status::Moment { generation: Some(1), now: Timestamp::UNIX_EPOCH };
    let progress = world.progress.read();
    let verdict = &outcome.routes[&name(namespace)];
    let status = status::route(&current, verdict, (&progress, &notes), &[GATEWAY_CONTROLLER], moment);
    let mut conditions = status.parents[0].conditions.iter();
    let found = conditions.find(|condition| condition.type_ == status::PROGRAMMED).unwrap();
    (found.reason.clone(), found.message.clone())
}

/// Waits until a route's condition has this reason, for ten minutes at most, and gives all reasons that those of the other
/// namespace's had meanwhile.
async fn until(
    world: &World,
    outcome: &Outcome,
    (namespace, reason): (&str, &str),
    other: &str,
) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    for _ in 0..6_000 {
        world.idle(Duration::from_millis(100)).await;
        seen.insert(programmed(world, outcome, other).0);
        if programmed(world, outcome, namespace).0 == reason {
            return seen;
        }
    }
    panic!("{namespace}: {:?}, not {reason}", programmed(world, outcome, namespace));
}

/// Both routes are there, and what they come to.
async fn begun() -> (World, Outcome) {
    let world = World::new(&[]).await;
    let outcome = translated(&[("shop", &paths(&["/a", "/b"])), ("pay", &paths(&["/c"]))]);
    world.want(outcome.desired.clone());
    world.done().await;
    check(&world, &outcome.desired).await.unwrap();
    (world, outcome)
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_is_refused_is_its_own_routes_trouble() {
    // What is added takes creations, and what takes the place of other rules one call for all.
    let added = [("/a", "/b"), ("/c", "/d")];
    let replaced = [("/x", "/y"), ("/z", "/w")];
    for [(a, b), (c, d)] in [added, replaced] {
        let (world, _) = begun().await;
        let shop = paths(&[a, b]);
        let pay = paths(&[c, d]);
        let outcome = translated(&[("shop", &format!("{shop}, {BAD}")), ("pay", &pay)]);
        let expected = translated(&[("shop", &shop), ("pay", &pay)]);
        world.want(outcome.desired.clone());
        let seen = until(&world, &outcome, ("shop", "Refused"), "pay").await;
        // It waits while what is wrong is found, and no longer.
        assert!(!seen.contains("Refused"), "{seen:?}");
        let seen = until(&world, &outcome, ("pay", "Programmed"), "shop").await;
        assert_eq!(seen, BTreeSet::from(["Refused".to_owned()]));
        let (_, message) = programmed(&world, &outcome, "shop");
        assert!(
            message.contains("making the rule for MUCH-TOO-LONG-A-METHOD /bad of the listener on port 80")
        );
        assert!(message.contains("so it is left out"), "{message}");
        check(&world, &expected.desired).await.unwrap();
        // The other route can go meanwhile.
        let alone = translated(&[("shop", &format!("{shop}, {BAD}"))]);
        let version = world.progress.read().version + 1;
        world.want(Desired { version, ..alone.desired.clone() });
        assert!(!leaving::gone(&name("pay"), &world.progress.read(), version));
        until(&world, &alone, ("shop", "Refused"), "shop").await;
        world.idle(Duration::from_secs(300)).await;
        assert!(leaving::gone(&name("pay"), &world.progress.read(), version));
        check(&world, &translated(&[("shop", &shop)]).desired).await.unwrap();
        assert_eq!(programmed(&world, &alone, "shop").0, "Refused");
    }
}

#[tokio::test(start_paused = true)]
async fn while_a_call_for_several_is_refused_nobody_is_blamed() {
    let (world, _) = begun().await;
    // As if one of the changes were wrong, until they are sent one by one.
    let fault =
        Fault { error: Some("ValidationException".into()), count: Some(1), ..Fault::on("BatchUpdateRule") };
    world.cloud.simulator.set_faults(vec![fault]).unwrap();
    let outcome = translated(&[("shop", &paths(&["/x", "/y"])), ("pay", &paths(&["/z"]))]);
    world.want(outcome.desired.clone());
    let mut seen = BTreeSet::new();
    for _ in 0..600 {
        world.idle(Duration::from_millis(100)).await;
        seen.extend(["shop", "pay"].map(|namespace| programmed(&world, &outcome, namespace).0));
    }
    assert_eq!(seen, ["Pending", "Programmed"].map(String::from).into());
    check(&world, &outcome.desired).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_group_that_cannot_be_made_is_the_trouble_of_the_routes_that_name_it() {
    let world = World::new(&[]).await;
    let outcome = translated(&[("pay", &paths(&["/c"]))]);
    world.want(outcome.desired);
    world.done().await;
    let denied = Fault { error: Some("AccessDeniedException".into()), ..Fault::on("CreateTargetGroup") };
    world.cloud.simulator.set_faults(vec![denied]).unwrap();
    let outcome = translated(&[("shop", &paths(&["/a"])), ("pay", &paths(&["/c", "/d"]))]);
    world.want(outcome.desired.clone());
    until(&world, &outcome, ("shop", "AccessDenied"), "pay").await;
    let seen = until(&world, &outcome, ("pay", "Programmed"), "shop").await;
    assert_eq!(seen, BTreeSet::from(["AccessDenied".to_owned()]));
    let (_, message) = programmed(&world, &outcome, "shop");
    assert!(message.contains("shop/web port 80"), "{message}");
    world.idle(Duration::from_secs(60)).await;
    assert_eq!(programmed(&world, &outcome, "pay").0, "Programmed");
    assert_eq!(programmed(&world, &outcome, "shop").0, "AccessDenied");
}
