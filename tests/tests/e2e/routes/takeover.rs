//! A migration from the AWS controller, as docs/migration.md has it: with the rights that the chart gives, and under load.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Patch, PatchParams};
use kube::{Api, ResourceExt as _};
use lath_kubernetes::gateway::Gateway;
use lattice::tags;
use serde_json::{Value, json};
use tests::expect::eventually;
use tests::load::Load;

use super::super::agents::scale;
use super::super::setting::{Case, SOON, id_of, take_over, target, template};
use super::super::space::{Space, condition, not_root};
use super::{route, routes, says, world};

/// Where the AWS controller is, and its name as a controller.
const RIVAL: &str = "aws-application-networking-system";
const CONTROLLER: &str = "application-networking.k8s.aws/gateway-api-controller";

/// What the AWS controller has made for a route `web` to a Service `web`: the ARNs of the service and of the target group.
async fn made(case: &Case<'_>) -> (String, String) {
    let (vpc, namespace) = (case.world.vpc(), case.space.name);
    let cluster = &case.world.description().cluster;
    let manager = format!("{}/{cluster}/{vpc}", case.world.account().id);
    let own = json!({ tags::MANAGED_BY: manager });
    let create = async |path: &str, body: Value| {
        let made = case.lattice.create(path, &body).await.unwrap();
        made["arn"].as_str().unwrap().to_owned()
    };
    let network = create("/servicenetworks", json!({ "name": namespace, "tags": own })).await;
    let association = json!({ "serviceNetworkIdentifier": network, "vpcIdentifier": vpc, "tags": own });
    create("/servicenetworkvpcassociations", association).await;
    let group = json!({
        "name": format!("k8s-{namespace}-web-abcdefghij"), "type": "IP",
        "config": { "port": 80, "protocol": "HTTP", "protocolVersion": "HTTP1", "vpcIdentifier": vpc },
        "tags": {
            tags::MANAGED_BY: manager, tags::CLUSTER_NAME: cluster, tags::SERVICE_NAME: "web",
            tags::SERVICE_NAMESPACE: namespace, tags::SOURCE_TYPE: "HTTPRoute", tags::PROTOCOL_VERSION: "HTTP1",
            tags::ROUTE_NAME: "web", tags::ROUTE_NAMESPACE: namespace,
        },
    });
    let group = create("/targetgroups", group).await;
    let targets: Vec<Value> = eventually("two pods are ready", SOON, async || {
        let pods = case.pods("web").await?;
        let ready: Vec<_> = pods.iter().filter(|pod| condition(pod, "Ready") == "True").collect();
        let targets = ready.iter().map(|pod| {
            let target = target(pod, 8080);
            json!({ "id": target.rsplit_once(':').unwrap().0, "port": 8080 })
        });
        if ready.len() == 2 { Ok(targets.collect()) } else { Err(format!("{} are", ready.len())) }
    })
    .await;
    let path = format!("/targetgroups/{}/registertargets", id_of(&group));
    case.lattice.create(&path, &json!({ "targets": targets })).await.unwrap();
    let service = json!({ "name": format!("web-{namespace}"), "tags": {
        tags::MANAGED_BY: manager, tags::ROUTE_NAME: "web", tags::ROUTE_NAMESPACE: namespace, tags::ROUTE_TYPE: "http",
    } });
    let service = create("/services", service).await;
    let association =
        json!({ "serviceNetworkIdentifier": network, "serviceIdentifier": service, "tags": own });
    create("/servicenetworkserviceassociations", association).await;
    let listeners = format!("/services/{}/listeners", id_of(&service));
    let listener = create(
        &listeners,
        json!({
            "name": format!("web-{namespace}-80-http"), "protocol": "HTTP", "port": 80, "tags": own,
            "defaultAction": { "fixedResponse": { "statusCode": 404 } },
        }),
    )
    .await;
    let rule = json!({
        "name": "k8s-1700000000-rule-1", "priority": 1, "tags": own,
        "match": { "httpMatch": { "pathMatch": { "match": { "prefix": "/" }, "caseSensitive": true } } },
        "action": { "forward": { "targetGroups": [{ "targetGroupIdentifier": group, "weight": 1 }] } },
    });
    create(&format!("{listeners}/{}/rules", id_of(&listener)), rule).await;
    (service, group)
}

/// The AWS controller, as far as it can be seen: a pod and a Lease that it has renewed just now.
async fn rival(case: &Case<'_>) -> Space {
    let space = Space::new(case.world, RIVAL).await;
    let labels = json!({ "app.kubernetes.io/name": "aws-gateway-controller-chart" });
    let mut pod = template("rival", json!({}), json!({}));
    pod["metadata"]["labels"] = labels.clone();
    space
        .apply(json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "rival" },
            "spec": { "replicas": 1, "selector": { "matchLabels": labels }, "template": pod },
        }))
        .await;
    let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.000000Z").to_string();
    space
        .apply(json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": { "name": "amazon-vpc-lattice.io" },
            "spec": { "holderIdentity": "rival", "leaseDurationSeconds": 15, "renewTime": now },
        }))
        .await;
    space
}

/// Waits until the Gateway's condition TakenOver has this status, and words of it are these.
async fn taken_over(case: &Case<'_>, status: &str, words: &str) {
    let gateways: Api<Gateway> = Api::namespaced(case.space.client.clone(), case.space.name);
    eventually(&format!("TakenOver is {status}, {words}"), SOON, async || {
        let gateway = gateways.get(case.space.name).await.map_err(|error| error.to_string())?;
        let conditions = gateway.status.map(|status| status.conditions).unwrap_or_default();
        let said = conditions.iter().find(|condition| condition.type_ == "lath.dev/TakenOver");
        match said {
            Some(said) if said.status == status && said.message.contains(words) => Ok(()),
            _ => Err(format!("{conditions:?}")),
        }
    })
    .await;
}

#[tokio::test]
async fn what_the_aws_controller_made_is_taken_over_once_it_is_away() {
    if not_root() {
        return;
    }
    let world = world("e2e-takeover").await;
    let case = Case::new(&world, "legacy").await;
    let name = case.space.name;
    case.service("web", "web", json!(8080)).await;
    case.deployment("web", 2, false).await;
    let (service, group) = made(&case).await;
    let rival = rival(&case).await;
    let finalizer = |name: &str| json!([name]);
    let version = "gateway.networking.k8s.io/v1";
    case.space
        .apply(json!({
            "apiVersion": version, "kind": "GatewayClass", "metadata": { "name": "amazon-vpc-lattice" },
            "spec": { "controllerName": CONTROLLER },
        }))
        .await;
    case.space
        .apply(json!({
            "apiVersion": version, "kind": "Gateway",
            "metadata": { "name": name, "finalizers": finalizer("gateway.k8s.aws/resources") },
            "spec": {
                "gatewayClassName": "amazon-vpc-lattice",
                "listeners": [{ "name": "http", "protocol": "HTTP", "port": 80 }],
            },
        }))
        .await;
    case.space
        .apply(json!({
            "apiVersion": "application-networking.k8s.aws/v1alpha1", "kind": "VpcAssociationPolicy",
            "metadata": {
                "name": name,
                "finalizers": finalizer("vpcassociationpolicies.application-networking.k8s.aws/resources"),
            },
            "spec": {
                "targetRef": { "group": "gateway.networking.k8s.io", "kind": "Gateway", "name": name },
                "associateWithVpc": true,
            },
        }))
        .await;
    let mut web = route(&case, "web", &json!([{ "backendRefs": [{ "name": "web", "port": 80 }] }]));
    web["metadata"]["finalizers"] = finalizer("httproute.k8s.aws/resources");
    case.space.apply(web).await;

    let load =
        Load::begin(case.client().await, &case.lattice.host(&service).await.unwrap(), 2).await.unwrap();
    let mark = case.mark().await;
    take_over(&world).await;
    taken_over(&case, "False", &format!("its pod {RIVAL}/rival-")).await;
    let calls = case.lattice.calls(mark).await.unwrap();
    let reads = |operation: &str| {
        operation.starts_with("List") || operation.starts_with("Get") || operation.contains('.')
    };
    let writes: Vec<_> = calls.iter().filter(|call| !reads(&call.operation)).collect();
    assert!(writes.is_empty(), "{writes:?}");

    let deployments: Api<Deployment> = Api::namespaced(rival.client.clone(), RIVAL);
    let none = json!({ "spec": { "replicas": 0 } });
    deployments.patch("rival", &PatchParams::default(), &Patch::Merge(&none)).await.unwrap();
    taken_over(&case, "False", &format!("the Lease amazon-vpc-lattice.io in namespace {RIVAL} to lapse"))
        .await;
    taken_over(&case, "True", "is Lath's").await;
    says(&case, "web", "lath.dev/Programmed", "True", "Programmed").await;
    case.settled(&group, "web", 2).await;
    eventually("the AWS controller's finalizers are gone", SOON, async || {
        let gateways: Api<Gateway> = Api::namespaced(case.space.client.clone(), name);
        let gateway = gateways.get(name).await.map_err(|error| error.to_string())?;
        let route = routes(&case).get("web").await.map_err(|error| error.to_string())?;
        let left: Vec<&String> = gateway.finalizers().iter().chain(route.finalizers()).collect();
        if left.iter().any(|name| name.contains("k8s.aws")) { Err(format!("{left:?}")) } else { Ok(()) }
    })
    .await;

    // The same service and group, of which nothing was lost and no other was made.
    let route = routes(&case).get("web").await.unwrap();
    assert_eq!(route.annotations()["application-networking.k8s.aws/lattice-service-arn"], service);
    let seen = load.end().await.unwrap();
    assert_eq!(seen.failures, 0, "{seen:#?}");
    let calls = case.lattice.calls(mark).await.unwrap();
    let touched = |operation: &str| {
        let part = operation.strip_prefix("Delete").or(operation.strip_prefix("Create")).unwrap_or_default();
        let whole = ["Service", "TargetGroup", "Listener", "ServiceNetwork"].contains(&part);
        whole || part.ends_with("Association") || operation == "DeregisterTargets"
    };
    let touched: Vec<_> = calls.iter().filter(|call| touched(&call.operation)).collect();
    assert!(touched.is_empty(), "{touched:?}");
    // Its pods are Lath's from now on.
    scale(&case, "web", 3).await;
    case.settled(&group, "web", 3).await;
}
