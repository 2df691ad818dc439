//! Objects as people write them are read without loss, and what Lath does not read stands in `other`.

use kube::Resource;
use serde::{Serialize, de::DeserializeOwned};

use super::*;

/// Reads an object and checks that writing it gives what was read, that the kind is the one it says it is, and that it
/// can be asked for by that name.
fn read<K>(yaml: &str) -> K
where
    K: Resource<DynamicType = ()> + Serialize + DeserializeOwned,
{
    let given: serde_json::Value = serde_saphyr::from_str(yaml).unwrap();
    let object: K = serde_saphyr::from_str(yaml).unwrap();
    assert_eq!(serde_json::to_value(&object).unwrap(), given);
    assert_eq!(K::api_version(&()), given["apiVersion"].as_str().unwrap());
    assert_eq!(K::kind(&()), given["kind"].as_str().unwrap());
    // What the API server hands out is JSON.
    let again: K = serde_json::from_value(given.clone()).unwrap();
    assert_eq!(serde_json::to_value(&again).unwrap(), given);
    object
}

/// The names of fields that are not read.
fn names(other: &Other) -> Vec<&str> {
    other.keys().map(String::as_str).collect()
}

#[test]
fn kinds_have_the_plurals_of_their_definitions() {
    assert_eq!(
        [
            GatewayClass::plural(&()),
            Gateway::plural(&()),
            HTTPRoute::plural(&()),
            GRPCRoute::plural(&()),
            TLSRoute::plural(&()),
            TCPRoute::plural(&()),
            UDPRoute::plural(&()),
            ReferenceGrant::plural(&()),
        ],
        [
            "gatewayclasses",
            "gateways",
            "httproutes",
            "grpcroutes",
            "tlsroutes",
            "tcproutes",
            "udproutes",
            "referencegrants",
        ]
    );
}

#[test]
fn gateway_class() {
    let class: GatewayClass = read(
        "
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: lattice }
spec:
  controllerName: lath.dev/gateway-controller
  description: VPC Lattice
  parametersRef: { group: lath.dev, kind: GatewayParameters, name: defaults, namespace: lath-system }
status:
  conditions:
  - { type: Accepted, status: 'True', reason: Accepted, message: '', lastTransitionTime: '2026-01-02T03:04:05Z' }
  supportedFeatures:
  - name: Gateway
",
    );
    assert_eq!(class.spec.controller_name, crate::names::GATEWAY_CONTROLLER);
    assert_eq!(class.spec.parameters_ref.unwrap().namespace.as_deref(), Some("lath-system"));
    assert_eq!(class.status.unwrap().supported_features[0].name, "Gateway");
}

#[test]
fn gateway() {
    let gateway: Gateway = read(
        "
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: shop, namespace: front }
spec:
  gatewayClassName: lattice
  listeners:
  - name: web
    port: 443
    protocol: HTTPS
    hostname: '*.shop.example'
    tls:
      mode: Terminate
      certificateRefs: [{ name: shop, kind: Secret, group: '' }]
      options: { application-networking.k8s.aws/certificate-arn: 'arn:aws:acm:us-west-2:123456789012:certificate/1' }
      frontendValidation: { caCertificateRefs: [] }
    allowedRoutes:
      namespaces: { from: Selector, selector: { matchLabels: { team: shop } } }
      kinds: [{ kind: HTTPRoute }, { group: gateway.networking.k8s.io, kind: GRPCRoute }]
    invented: true
  - { name: plain, port: 80, protocol: example.com/invented }
  addresses: [{ type: Hostname, value: shop.example }, { type: IPAddress }]
  infrastructure:
    labels: { team: shop }
    annotations: { note: hello }
    parametersRef: { group: lath.dev, kind: GatewayParameters, name: shop }
  allowedListeners: { namespaces: { from: All } }
  tls: { backend: { clientCertificateRef: { name: client } } }
status:
  addresses: [{ type: Hostname, value: shop.vpc-lattice-svcs.us-west-2.on.aws }]
  conditions:
  - { type: Accepted, status: 'True', reason: Accepted, message: '', lastTransitionTime: '2026-01-02T03:04:05Z' }
  listeners:
  - { name: web, supportedKinds: [{ group: gateway.networking.k8s.io, kind: HTTPRoute }], attachedRoutes: 2, conditions: [] }
",
    );
    assert_eq!(names(&gateway.spec.other), ["allowedListeners", "tls"]);
    let [web, plain] = &gateway.spec.listeners[..] else { panic!("two listeners") };
    assert_eq!(names(&web.other), ["invented"]);
    assert_eq!(web.port, 443);
    let tls = web.tls.as_ref().unwrap();
    assert_eq!(names(&tls.other), ["frontendValidation"]);
    assert!(tls.options.contains_key(crate::names::AWS_CERTIFICATE_ARN));
    assert_eq!(tls.certificate_refs[0].name, "shop");
    let allowed = web.allowed_routes.as_ref().unwrap();
    assert_eq!(allowed.namespaces.as_ref().unwrap().from.as_deref(), Some("Selector"));
    assert_eq!(allowed.kinds[1].kind, "GRPCRoute");
    assert_eq!(plain.protocol, "example.com/invented");
    assert_eq!(gateway.spec.infrastructure.unwrap().parameters_ref.unwrap().name, "shop");
    assert_eq!(gateway.status.unwrap().listeners[0].attached_routes, 2);
}

/// What others say of a Gateway in fields that Lath does not know is none of its business.
#[test]
fn unknown_fields_of_a_status_do_not_matter() {
    let status: GatewayStatus = serde_saphyr::from_str("{ attachedListenerSets: 3, invented: {} }").unwrap();
    assert_eq!(status, GatewayStatus::default());
}

#[test]
fn http_route() {
    let route: HTTPRoute = read(
        "
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: cart, namespace: front }
spec:
  parentRefs: [{ name: shop, namespace: infra, sectionName: web, port: 443 }]
  hostnames: [cart.shop.example]
  useDefaultGateways: All
  rules:
  - name: main
    matches:
    - path: { type: PathPrefix, value: /cart }
      method: GET
      headers: [{ type: Exact, name: X-Version, value: '2' }]
      queryParams: [{ name: debug, value: '1' }]
    - path: { type: Invented, value: /x, ignoreCase: true }
    backendRefs:
    - { name: cart, port: 8080, weight: 9 }
    - { group: lath.dev, kind: TargetGroup, namespace: other, name: old, weight: 1, filters: [{ type: CORS }] }
    filters: [{ type: URLRewrite, urlRewrite: { hostname: x } }]
    timeouts: { request: 10s }
    retry: { attempts: 2 }
    sessionPersistence: { type: Cookie }
status:
  parents:
  - parentRef: { name: shop, namespace: infra, sectionName: web }
    controllerName: lath.dev/gateway-controller
    conditions:
    - { type: Accepted, status: 'False', reason: UnsupportedValue, message: refused, observedGeneration: 3, lastTransitionTime: '2026-01-02T03:04:05Z' }
",
    );
    assert_eq!(names(&route.spec.other), ["useDefaultGateways"]);
    assert_eq!(
        route.spec.parent_refs,
        [ParentReference {
            name: "shop".into(),
            namespace: Some("infra".into()),
            section_name: Some("web".into()),
            port: Some(443),
            ..ParentReference::default()
        }]
    );
    let rule = &route.spec.rules[0];
    assert_eq!(rule.name.as_deref(), Some("main"));
    assert_eq!(names(&rule.other), ["filters", "retry", "sessionPersistence", "timeouts"]);
    let [first, second] = &rule.matches[..] else { panic!("two matches") };
    assert_eq!(names(&first.other), ["queryParams"]);
    assert_eq!(first.method.as_deref(), Some("GET"));
    assert_eq!(first.headers[0].name, "X-Version");
    assert_eq!(first.path.as_ref().unwrap().value.as_deref(), Some("/cart"));
    let path = second.path.as_ref().unwrap();
    assert_eq!((path.type_.as_deref(), names(&path.other)), (Some("Invented"), vec!["ignoreCase"]));
    let [cart, old] = &rule.backend_refs[..] else { panic!("two backends") };
    assert_eq!((cart.port, cart.weight, names(&cart.other)), (Some(8080), Some(9), vec![]));
    assert_eq!((old.kind.as_deref(), names(&old.other)), (Some("TargetGroup"), vec!["filters"]));
    assert_eq!(route.status.unwrap().parents[0].conditions[0].observed_generation, Some(3));
}

#[test]
fn grpc_route() {
    let route: GRPCRoute = read(
        "
apiVersion: gateway.networking.k8s.io/v1
kind: GRPCRoute
metadata: { name: cart }
spec:
  parentRefs: [{ name: shop }]
  hostnames: [cart.shop.example]
  rules:
  - matches:
    - method: { type: Exact, service: shop.Cart, method: Add, invented: 1 }
      headers: [{ name: tenant, value: a, invented: 1 }]
      invented: 1
    backendRefs: [{ name: cart, port: 8080, filters: [] }]
    filters: [{ type: RequestMirror }]
",
    );
    let rule = &route.spec.rules[0];
    assert_eq!(names(&rule.other), ["filters"]);
    assert_eq!(names(&rule.backend_refs[0].other), ["filters"]);
    let one = &rule.matches[0];
    assert_eq!(names(&one.other), ["invented"]);
    assert_eq!(names(&one.headers[0].other), ["invented"]);
    let method = one.method.as_ref().unwrap();
    assert_eq!(names(&method.other), ["invented"]);
    assert_eq!((method.service.as_deref(), method.method.as_deref()), (Some("shop.Cart"), Some("Add")));
}

#[test]
fn routes_that_take_nothing_apart() {
    fn yaml(kind: &str, hostnames: &str) -> String {
        format!(
            "
apiVersion: gateway.networking.k8s.io/v1
kind: {kind}
metadata: {{ name: db }}
spec:
  parentRefs: [{{ name: shop, sectionName: db }}]
  {hostnames}
  invented: 1
  rules: [{{ name: all, backendRefs: [{{ name: db, port: 5432, weight: 2 }}], invented: 1 }}]
"
        )
    }
    let tls = read::<TLSRoute>(&yaml("TLSRoute", "hostnames: [db.example]")).spec;
    assert_eq!(tls.hostnames, ["db.example"]);
    let tcp = read::<TCPRoute>(&yaml("TCPRoute", "")).spec;
    let udp = read::<UDPRoute>(&yaml("UDPRoute", "")).spec;
    for (rules, other) in [(tls.rules, tls.other), (tcp.rules, tcp.other), (udp.rules, udp.other)] {
        assert_eq!(names(&other), ["invented"]);
        assert_eq!(names(&rules[0].other), ["invented"]);
        assert_eq!((rules[0].backend_refs[0].port, rules[0].backend_refs[0].weight), (Some(5432), Some(2)));
    }
}

#[test]
fn reference_grant() {
    let grant: ReferenceGrant = read(
        "
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: { name: front, namespace: back }
spec:
  from: [{ group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: front }]
  to: [{ group: '', kind: Service }, { group: '', kind: Service, name: cart }]
",
    );
    assert_eq!(grant.spec.from[0].namespace, "front");
    assert_eq!(grant.spec.to[1].name.as_deref(), Some("cart"));
}
