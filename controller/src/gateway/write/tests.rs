//! What is written of objects of the AWS controller's classes, before and after Lath has taken over.

use super::*;
use crate::gateway::{engine::progress::ServiceProgress, translate::tests::Case};

const BEFORE: &str = "apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: amazon-vpc-lattice }
spec: { controllerName: application-networking.k8s.aws/gateway-api-controller }
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: mesh, namespace: shop, finalizers: [gateway.k8s.aws/resources, others/own] }
spec: { gatewayClassName: amazon-vpc-lattice, listeners: [{ name: http, protocol: HTTP, port: 80 }] }
---
apiVersion: application-networking.k8s.aws/v1alpha1
kind: IAMAuthPolicy
metadata: { name: mesh, namespace: shop, finalizers: [application-networking.k8s.aws/iam-auth-policy] }
spec:
  targetRef: { group: gateway.networking.k8s.io, kind: Gateway, name: mesh }
  policy: '{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"*\",\"Resource\":\"*\"}]}'
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: web, namespace: shop, finalizers: [httproute.k8s.aws/resources] }
spec: { parentRefs: [{ name: mesh }], rules: [{}] }
status:
  parents:
    - parentRef: { name: old }
      controllerName: application-networking.k8s.aws/gateway-api-controller
      conditions: []
    - parentRef: { name: mesh }
      controllerName: example.com/another
      conditions: []
";

const CONTROLLERS: [&str; 2] = [names::GATEWAY_CONTROLLER, names::AWS_GATEWAY_CONTROLLER];

/// What is written, by kind.
fn written(yaml: &str, state: &State, progress: &Progress) -> BTreeMap<&'static str, Write> {
    let case = Case::read(yaml);
    let published = Published { objects: 1, version: 1, outcome: case.translate() };
    let scope = Scope { controllers: &CONTROLLERS, state };
    let writes = decide(&case.objects, &published, progress, &Notes::default(), scope, Timestamp::UNIX_EPOCH);
    let ours = writes.into_iter().filter(|write| write.meta.name.as_deref() != Some("lath"));
    ours.map(|write| (write.kind, write)).collect()
}

fn finalizers_of(write: &Write) -> Value {
    write.metadata.as_ref().map_or(Value::Null, |metadata| metadata["finalizers"].clone())
}

#[test]
fn until_the_take_over_only_a_gateway_is_told_what_it_waits_for() {
    let writes = written(BEFORE, &State::Waiting("waiting for a pod".into()), &Progress::default());
    // Policies are told, and kept by whoever keeps them.
    assert_eq!(Vec::from_iter(writes.keys().copied()), ["Gateway", "IAMAuthPolicy"]);
    assert_eq!(finalizers_of(&writes["IAMAuthPolicy"]), Value::Null);
    let gateway = &writes["Gateway"];
    assert_eq!(finalizers_of(gateway), Value::Null);
    let conditions = gateway.status.as_ref().unwrap()["conditions"].as_array().unwrap().clone();
    let said: Vec<_> = conditions.iter().map(|one| (&one["type"], &one["status"], &one["message"])).collect();
    let waits = |kind: &str| (json!(kind), json!("False"), json!("waiting for a pod"));
    let said: Vec<_> =
        said.into_iter().map(|(one, two, three)| (one.clone(), two.clone(), three.clone())).collect();
    assert_eq!(said, [waits("Programmed"), waits("lath.dev/TakenOver")]);
    // What the AWS controller has said is not contradicted.
    let status = "status: { conditions: [{ type: Programmed, status: \"True\", reason: Programmed, message: it is, \
                  lastTransitionTime: \"2026-01-01T00:00:00Z\" }] }\n---\napiVersion: application";
    let yaml = BEFORE.replacen("---\napiVersion: application", status, 1);
    let writes = written(&yaml, &State::Waiting("waiting for a pod".into()), &Progress::default());
    assert_eq!(writes["Gateway"].status.as_ref().unwrap()["conditions"][0]["message"], "it is");
}

#[test]
fn routes_that_would_be_refused_are_named_before() {
    let yaml = BEFORE.replace("rules: [{}] }", "rules: [{ timeouts: { request: 1s } }] }");
    let writes = written(&yaml, &State::Waiting("waiting for a pod".into()), &Progress::default());
    let message = writes["Gateway"].status.as_ref().unwrap()["conditions"][1]["message"].to_string();
    assert!(message.contains("HTTPRoute/shop/web: ") && message.contains("timeouts"), "{message}");
}

#[test]
fn afterwards_statuses_carry_the_classes_controller_and_its_finalizers_go() {
    let service = ServiceProgress {
        service: None,
        done: true,
        waits: Vec::new(),
        troubles: Vec::new(),
        since: Timestamp::UNIX_EPOCH,
    };
    let progress = Progress {
        loaded: true,
        read: true,
        version: 1,
        services: BTreeMap::from([("HTTPRoute/shop/web".into(), service)]),
        ..Progress::default()
    };
    let writes = written(BEFORE, &State::Over, &progress);
    assert_eq!(finalizers_of(&writes["Gateway"]), json!(["others/own"]));
    assert_eq!(finalizers_of(&writes["IAMAuthPolicy"]), json!([]));
    assert!(writes.contains_key("GatewayClass"));
    let route = &writes["HTTPRoute"];
    assert_eq!(finalizers_of(route), json!(["lath.dev/lattice"]));
    let parents = route.status.as_ref().unwrap()["parents"].as_array().unwrap().clone();
    let said: Vec<_> =
        parents.iter().map(|one| (&one["parentRef"]["name"], &one["controllerName"])).collect();
    let of_aws = json!(names::AWS_GATEWAY_CONTROLLER);
    assert_eq!(said, [(&json!("mesh"), &json!("example.com/another")), (&json!("mesh"), &of_aws)]);
}

#[test]
fn a_route_that_leaves_is_let_go_when_nothing_of_it_is_left() {
    let yaml = BEFORE.replace(
        "finalizers: [httproute.k8s.aws/resources] }",
        "finalizers: [httproute.k8s.aws/resources], deletionTimestamp: \"2026-01-02T00:00:00Z\" }",
    );
    for (read, finalizers) in [(false, None), (true, Some(json!([])))] {
        let progress = Progress { loaded: true, read, version: 1, ..Progress::default() };
        let writes = written(&yaml, &State::Over, &progress);
        assert_eq!(writes.get("HTTPRoute").map(finalizers_of), finalizers);
    }
}

#[test]
fn a_service_network_stays_while_a_gateway_stands_for_it() {
    let network = "---
apiVersion: application-networking.k8s.aws/v1alpha1
kind: ServiceNetwork
metadata: { name: mesh, deletionTimestamp: \"2026-01-02T00:00:00Z\", finalizers: [FINALIZERS] }
";
    let gateway = "apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: mesh, namespace: shop }
spec: { gatewayClassName: lath, listeners: [{ name: http, protocol: HTTP, port: 80 }] }
";
    let other = gateway.replace("name: mesh,", "name: other,");
    let progress = Progress { loaded: true, ..Progress::default() };
    for (gateway, state, finalizers, expected) in [
        (gateway, State::Off, "lath.dev/lattice", None),
        (other.as_str(), State::Off, "lath.dev/lattice", Some(json!([]))),
        (gateway, State::Off, "servicenetwork.k8s.aws/resources", None),
        (other.as_str(), State::Over, "servicenetwork.k8s.aws/resources", Some(json!([]))),
    ] {
        let yaml = format!("{gateway}{}", network.replace("FINALIZERS", finalizers));
        let mut writes = written(&yaml, &state, &progress);
        let write = writes.remove("ServiceNetwork");
        let changed = write.as_ref().map(finalizers_of).filter(|finalizers| !finalizers.is_null());
        assert_eq!(changed, expected, "{finalizers} {state:?}");
        if let (Some(write), None) = (write, expected) {
            let conditions = &write.status.as_ref().unwrap()["conditions"];
            assert_eq!(conditions[0]["reason"], "InUse");
        }
    }
}

#[test]
fn of_an_export_the_other_finalizer_goes_once_laths_own_is_there() {
    let yaml = "apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec: { selector: { app: web }, ports: [{ port: 80 }] }
---
apiVersion: application-networking.k8s.aws/v1alpha1
kind: ServiceExport
metadata:
  name: web
  namespace: shop
  annotations: { application-networking.k8s.aws/federation: amazon-vpc-lattice }
  finalizers: [serviceexport.k8s.aws/resources]
";
    let both = json!(["serviceexport.k8s.aws/resources", "lath.dev/lattice"]);
    for (state, finalizers) in [(State::Off, both), (State::Over, json!(["lath.dev/lattice"]))] {
        let writes = written(yaml, &state, &Progress { loaded: true, ..Progress::default() });
        assert_eq!(finalizers_of(&writes["ServiceExport"]), finalizers, "{state:?}");
    }
}
