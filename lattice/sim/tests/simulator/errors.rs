//! Each error that the model gives an operation, answered by the simulator to a call that brings it about.
//!
//! The calls go through the SDK but those that it refuses to make. The harness checks every answer against the model:
//! that the operation models the error, the status, and the members.

use std::collections::BTreeMap;

use lattice_sim::Fault;
use lattice_sim::model::{ErrorKind, Location, Operation, operations};
use serde_json::{Map, Value, json};

use crate::calls::call;
use crate::harness::{Sim, arn};
use crate::negatives::first_break;

use ErrorKind::{
    AccessDenied, Conflict, InternalServer, ResourceNotFound, ServiceQuotaExceeded, Throttling, Validation,
};

const KINDS: [ErrorKind; 7] =
    [AccessDenied, Conflict, InternalServer, ResourceNotFound, ServiceQuotaExceeded, Throttling, Validation];

/// What the world consists of, in the order of creation: name, operation, input. `${NAME}` stands for the id of what
/// came before.
const WORLD: [(&str, &str, &str); 20] = [
    (
        "group",
        "CreateTargetGroup",
        r#"{"name": "used", "type": "IP", "config":
        {"port": 80, "protocol": "HTTP", "vpcIdentifier": "vpc-00000001"}}"#,
    ),
    (
        "spareGroup",
        "CreateTargetGroup",
        r#"{"name": "spare", "type": "IP", "config":
        {"port": 80, "protocol": "HTTP", "vpcIdentifier": "vpc-00000001"}}"#,
    ),
    ("service", "CreateService", r#"{"name": "used"}"#),
    ("spareService", "CreateService", r#"{"name": "spare"}"#),
    (
        "listener",
        "CreateListener",
        r#"{"serviceIdentifier": "${service}", "name": "used", "protocol": "HTTP",
        "defaultAction": {"forward": {"targetGroups": [{"targetGroupIdentifier": "${group}"}]}}}"#,
    ),
    (
        "rule",
        "CreateRule",
        r#"{"serviceIdentifier": "${service}", "listenerIdentifier": "${listener}",
        "name": "used", "priority": 1, "match": {"httpMatch": {"method": "GET"}},
        "action": {"forward": {"targetGroups": [{"targetGroupIdentifier": "${group}"}]}}}"#,
    ),
    ("network", "CreateServiceNetwork", r#"{"name": "used"}"#),
    ("spareNetwork", "CreateServiceNetwork", r#"{"name": "spare"}"#),
    (
        "gateway",
        "CreateResourceGateway",
        r#"{"name": "used", "vpcIdentifier": "vpc-00000001",
        "subnetIds": ["subnet-00000001"]}"#,
    ),
    (
        "spareGateway",
        "CreateResourceGateway",
        r#"{"name": "spare", "vpcIdentifier": "vpc-00000001",
        "subnetIds": ["subnet-00000001"]}"#,
    ),
    (
        "configuration",
        "CreateResourceConfiguration",
        r#"{"name": "used", "type": "SINGLE", "portRanges": ["80"],
        "resourceGatewayIdentifier": "${gateway}",
        "resourceConfigurationDefinition": {"ipResource": {"ipAddress": "10.0.0.9"}}}"#,
    ),
    (
        "parent",
        "CreateResourceConfiguration",
        r#"{"name": "parent", "type": "GROUP",
        "resourceGatewayIdentifier": "${gateway}"}"#,
    ),
    (
        "serviceAssociation",
        "CreateServiceNetworkServiceAssociation",
        r#"{"serviceNetworkIdentifier": "${network}", "serviceIdentifier": "${service}"}"#,
    ),
    (
        "vpcAssociation",
        "CreateServiceNetworkVpcAssociation",
        r#"{"serviceNetworkIdentifier": "${network}", "vpcIdentifier": "vpc-00000001"}"#,
    ),
    (
        "resourceAssociation",
        "CreateServiceNetworkResourceAssociation",
        r#"{"serviceNetworkIdentifier": "${network}", "resourceConfigurationIdentifier": "${configuration}"}"#,
    ),
    ("verification", "StartDomainVerification", r#"{"domainName": "used.example.com"}"#),
    (
        "logs",
        "CreateAccessLogSubscription",
        r#"{"resourceIdentifier": "${service}", "destinationArn": "arn:aws:s3:::lattice-logs"}"#,
    ),
    (
        "",
        "PutAuthPolicy",
        r#"{"resourceIdentifier": "${service}", "policy":
        "{\"Statement\": {\"Effect\": \"Allow\", \"Principal\": \"*\", \"Action\": \"*\", \"Resource\": \"*\"}}"}"#,
    ),
    ("", "PutResourcePolicy", r#"{"resourceArn": "${serviceArn}", "policy": "{}"}"#),
    ("", "RegisterTargets", r#"{"targetGroupIdentifier": "${group}", "targets": [{"id": "10.0.0.1"}]}"#),
];

/// What stands in the path of a call, unless [`INPUTS`] says otherwise.
const PATHS: [(&str, &str); 15] = [
    ("accessLogSubscriptionIdentifier", "logs"),
    ("domainVerificationIdentifier", "verification"),
    ("listenerIdentifier", "listener"),
    ("resourceArn", "serviceArn"),
    ("resourceConfigurationIdentifier", "configuration"),
    ("resourceEndpointAssociationIdentifier", "endpointAssociation"),
    ("resourceGatewayIdentifier", "gateway"),
    ("resourceIdentifier", "service"),
    ("ruleIdentifier", "rule"),
    ("serviceIdentifier", "service"),
    ("serviceNetworkIdentifier", "network"),
    ("serviceNetworkResourceAssociationIdentifier", "resourceAssociation"),
    ("serviceNetworkServiceAssociationIdentifier", "serviceAssociation"),
    ("serviceNetworkVpcAssociationIdentifier", "vpcAssociation"),
    ("targetGroupIdentifier", "group"),
];

/// What a call needs besides its path to succeed in the world.
const INPUTS: [(&str, &str); 38] = [
    ("BatchUpdateRule", r#"{"rules": [{"ruleIdentifier": "${rule}", "priority": 7}]}"#),
    (
        "CreateAccessLogSubscription",
        r#"{"resourceIdentifier": "${service}",
        "destinationArn": "arn:aws:firehose:us-west-2:123456789012:deliverystream/logs"}"#,
    ),
    (
        "CreateListener",
        r#"{"name": "new", "protocol": "HTTP", "port": 8080,
        "defaultAction": {"fixedResponse": {"statusCode": 404}}}"#,
    ),
    (
        "CreateResourceConfiguration",
        r#"{"name": "new", "type": "CHILD", "portRanges": ["80"],
        "resourceConfigurationGroupIdentifier": "${parent}",
        "resourceConfigurationDefinition": {"ipResource": {"ipAddress": "10.0.0.8"}}}"#,
    ),
    (
        "CreateResourceGateway",
        r#"{"name": "new", "vpcIdentifier": "vpc-00000002",
        "subnetIds": ["subnet-00000001"]}"#,
    ),
    (
        "CreateRule",
        r#"{"name": "new", "priority": 9, "match": {"httpMatch": {"method": "PUT"}},
        "action": {"forward": {"targetGroups": [{"targetGroupIdentifier": "${group}"}]}}}"#,
    ),
    ("CreateService", r#"{"name": "new"}"#),
    ("CreateServiceNetwork", r#"{"name": "new"}"#),
    (
        "CreateServiceNetworkResourceAssociation",
        r#"{"serviceNetworkIdentifier": "${spareNetwork}",
        "resourceConfigurationIdentifier": "${configuration}"}"#,
    ),
    (
        "CreateServiceNetworkServiceAssociation",
        r#"{"serviceNetworkIdentifier": "${spareNetwork}",
        "serviceIdentifier": "${service}"}"#,
    ),
    (
        "CreateServiceNetworkVpcAssociation",
        r#"{"serviceNetworkIdentifier": "${spareNetwork}",
        "vpcIdentifier": "vpc-00000002"}"#,
    ),
    ("CreateTargetGroup", r#"{"name": "new", "type": "LAMBDA"}"#),
    ("DeleteResourceConfiguration", r#"{"resourceConfigurationIdentifier": "${parent}"}"#),
    ("DeleteResourceGateway", r#"{"resourceGatewayIdentifier": "${spareGateway}"}"#),
    ("DeleteService", r#"{"serviceIdentifier": "${spareService}"}"#),
    ("DeleteServiceNetwork", r#"{"serviceNetworkIdentifier": "${spareNetwork}"}"#),
    ("DeleteTargetGroup", r#"{"targetGroupIdentifier": "${spareGroup}"}"#),
    ("DeregisterTargets", r#"{"targetGroupIdentifier": "${spareGroup}", "targets": [{"id": "10.0.0.1"}]}"#),
    ("ListAccessLogSubscriptions", r#"{"resourceIdentifier": "${service}"}"#),
    ("ListResourceEndpointAssociations", r#"{"resourceConfigurationIdentifier": "${configuration}"}"#),
    ("ListServiceNetworkServiceAssociations", r#"{"serviceNetworkIdentifier": "${network}"}"#),
    ("ListServiceNetworkVpcEndpointAssociations", r#"{"serviceNetworkIdentifier": "${network}"}"#),
    ("ListTargets", r#"{"targetGroupIdentifier": "${group}"}"#),
    (
        "PutAuthPolicy",
        r#"{"policy":
        "{\"Statement\": {\"Effect\": \"Deny\", \"Principal\": \"*\", \"Action\": \"*\", \"Resource\": \"*\"}}"}"#,
    ),
    ("PutResourcePolicy", r#"{"policy": "{}"}"#),
    ("RegisterTargets", r#"{"targetGroupIdentifier": "${spareGroup}", "targets": [{"id": "10.0.0.2"}]}"#),
    ("StartDomainVerification", r#"{"domainName": "new.example.com"}"#),
    ("TagResource", r#"{"tags": {"a": "b"}}"#),
    ("UntagResource", r#"{"tagKeys": ["a"]}"#),
    (
        "UpdateAccessLogSubscription",
        r#"{"destinationArn": "arn:aws:firehose:us-west-2:123456789012:deliverystream/other"}"#,
    ),
    (
        "UpdateListener",
        r#"{"defaultAction": {"forward": {"targetGroups": [{"targetGroupIdentifier": "${group}"}]}}}"#,
    ),
    ("UpdateResourceConfiguration", r#"{"portRanges": ["81"]}"#),
    ("UpdateResourceGateway", r#"{"securityGroupIds": ["sg-00000001"]}"#),
    ("UpdateRule", r#"{"action": {"forward": {"targetGroups": [{"targetGroupIdentifier": "${group}"}]}}}"#),
    ("UpdateService", r#"{"authType": "NONE"}"#),
    ("UpdateServiceNetwork", r#"{"authType": "NONE"}"#),
    ("UpdateServiceNetworkVpcAssociation", r#"{"securityGroupIds": ["sg-00000001"]}"#),
    (
        "UpdateTargetGroup",
        r#"{"targetGroupIdentifier": "${spareGroup}", "healthCheck": {"path": "/health"}}"#,
    ),
];

/// Errors that an operation models and that only a fault rule brings about: nothing that the simulator knows of is in
/// their way.
const BY_FAULT: [(ErrorKind, &[&str]); 4] = [
    // What is another account's and not shared is invisible, what is shared may be read and associated, and whoever
    // lists or creates is at home.
    (
        AccessDenied,
        &[
            "CreateResourceGateway",
            "CreateService",
            "CreateServiceNetwork",
            "CreateServiceNetworkResourceAssociation",
            "CreateServiceNetworkServiceAssociation",
            "CreateServiceNetworkVpcAssociation",
            "CreateTargetGroup",
            "DeleteAccessLogSubscription",
            "DeleteDomainVerification",
            "DeleteResourceEndpointAssociation",
            "DeleteResourceGateway",
            "DeregisterTargets",
            "GetAccessLogSubscription",
            "GetDomainVerification",
            "GetResourceConfiguration",
            "GetResourceGateway",
            "GetService",
            "GetServiceNetwork",
            "GetServiceNetworkResourceAssociation",
            "GetServiceNetworkServiceAssociation",
            "GetServiceNetworkVpcAssociation",
            "GetTargetGroup",
            "ListAccessLogSubscriptions",
            "ListDomainVerifications",
            "ListResourceConfigurations",
            "ListResourceEndpointAssociations",
            "ListResourceGateways",
            "ListServiceNetworkResourceAssociations",
            "ListServiceNetworkServiceAssociations",
            "ListServiceNetworkVpcAssociations",
            "ListServiceNetworkVpcEndpointAssociations",
            "ListServiceNetworks",
            "ListServices",
            "ListTargetGroups",
            "ListTargets",
            "RegisterTargets",
            "StartDomainVerification",
            "UpdateAccessLogSubscription",
            "UpdateResourceGateway",
            "UpdateTargetGroup",
        ],
    ),
    // A service network is never between two states.
    (Conflict, &["UpdateServiceNetwork"]),
    // These name nothing that could be missing.
    (
        ResourceNotFound,
        &[
            "CreateResourceGateway",
            "CreateService",
            "CreateServiceNetwork",
            "CreateTargetGroup",
            "ListDomainVerifications",
        ],
    ),
    // These add nothing that is counted.
    (ServiceQuotaExceeded, &["UpdateResourceConfiguration", "UpdateService", "UpdateTargetGroup"]),
];

/// Which account makes the associations of the world.
#[derive(Clone, Copy, PartialEq)]
enum By {
    Us,
    Them,
}

struct World {
    sim: Sim,
    /// Ids by the names of [`WORLD`].
    ids: BTreeMap<String, String>,
}

impl World {
    async fn new(settings: &[(&str, &str)], associations: By) -> Self {
        let settings: Vec<(&str, &str)> =
            settings.iter().copied().chain([("accounts", "2"), ("ram.invitation", "accepted")]).collect();
        let sim = Sim::with(&settings);
        let endpoint = |n: u8, leads: &str, to: &str| json!({"id": format!("vpce-0123456789abcdef{n}"), "vpc": "vpc-00000001", leads: to});
        sim.surround(json!({
            "vpcs": [
                {"id": "vpc-00000001", "cidrs": ["10.0.0.0/16"]},
                {"id": "vpc-00000002", "cidrs": ["10.1.0.0/16"]},
            ],
            "vpc_endpoints": [endpoint(0, "resource_configuration", "used")],
        }));
        let mut world = Self { sim, ids: BTreeMap::new() };
        for (name, operation, input) in WORLD {
            let theirs = associations == By::Them && name.ends_with("Association");
            let client = if theirs { world.sim.stranger() } else { world.sim.client.clone() };
            let made = call(&client, operation, &world.filled(input)).await;
            assert!(made.get("error").is_none(), "{operation} {input}: {made}");
            if let Some(id) = made["id"].as_str() {
                world.ids.insert(name.to_owned(), id.to_owned());
            }
            match name {
                "service" => {
                    let arn = made["arn"].as_str().unwrap().to_owned();
                    world.ids.insert("serviceArn".to_owned(), arn);
                }
                "parent" => world.share().await,
                _ => {}
            }
        }
        let of = world.filled(r#"{"resourceConfigurationIdentifier": "${configuration}"}"#);
        let listed = world.call("ListResourceEndpointAssociations", &of).await;
        let id = listed["items"][0]["id"].as_str().unwrap().to_owned();
        world.ids.insert("endpointAssociation".to_owned(), id);
        world
    }

    /// Shares with the second account all that can be shared.
    async fn share(&self) {
        let path = |name: &str| match name {
            "network" | "spareNetwork" => "servicenetwork",
            "service" | "spareService" => "service",
            _ => "resourceconfiguration",
        };
        let names = ["network", "spareNetwork", "service", "spareService", "configuration", "parent"];
        let arns = names.map(|name| arn(&format!("{}/{}", path(name), self.ids[name])));
        let body = json!({"name": "all", "resourceArns": arns, "principals": ["210987654321"]});
        let shared = self.sim.ask(0, "/createresourceshare", &[], body.to_string()).await;
        assert_eq!(shared.status, 200, "{shared:?}");
    }

    /// JSON with the ids in the places of their names.
    fn filled(&self, text: &str) -> Value {
        let fill = |text: String, (name, id): (&String, &String)| text.replace(&format!("${{{name}}}"), id);
        serde_json::from_str(&self.ids.iter().fold(text.to_owned(), fill)).unwrap()
    }

    /// The input of a call that succeeds, or, when it is of `used` things, of one that may be in use.
    fn input(&self, operation: &Operation, used: bool) -> Value {
        let in_path = operation.input.members().iter().filter(|member| member.location == Location::Path);
        let mut input: Map<String, Value> = in_path
            .map(|member| {
                let (_, name) = PATHS.iter().find(|(path, _)| *path == member.name).unwrap();
                (member.name.to_owned(), json!(self.ids[*name]))
            })
            .collect();
        if let Some((_, given)) = INPUTS.iter().find(|(name, _)| *name == operation.name && !used) {
            input.extend(self.filled(given).as_object().unwrap().clone());
        }
        Value::Object(input)
    }

    /// The input with ids of what never was.
    fn absent(&self, operation: &Operation) -> Value {
        let ids = self.ids.values().filter(|id| !id.starts_with("arn:"));
        let none = |text: String, id: &String| {
            let prefix = id.rsplit_once('-').unwrap().0;
            text.replace(id, &format!("{prefix}-0123456789abcdef9"))
        };
        let text = self.input(operation, false).to_string();
        serde_json::from_str(&ids.fold(text, none)).unwrap()
    }

    fn set(&self, prefix: &str, value: &str) {
        let rows = lattice_sim::settings::table();
        let names = rows.iter().map(|row| row.name).filter(|name| name.starts_with(prefix));
        self.sim.simulator.change_settings(names.map(|name| (name, value))).unwrap();
    }

    async fn call(&self, operation: &str, input: &Value) -> Value {
        call(&self.sim.client, operation, input).await
    }
}

/// Makes the call that should be answered by the error, in a world of its own; returns the error's name, if there is one.
async fn provoke(operation: &Operation, kind: ErrorKind) -> Option<String> {
    let delayed = [("delay.association_create", "100"), ("delay.vpc_association_create", "100")];
    let answer = match kind {
        Validation => {
            let world = World::new(&[], By::Us).await;
            let (path, body) = first_break(operation);
            return world.sim.raw(operation.method, &path, body).await.error;
        }
        Throttling => {
            let world = World::new(&[], By::Us).await;
            world.sim.simulator.change_settings([("api.rate", "0.001"), ("api.burst", "1")]).unwrap();
            let input = world.input(operation, false);
            world.call(operation.name, &input).await;
            world.call(operation.name, &input).await
        }
        AccessDenied => {
            let theirs = World::new(&[], By::Them).await;
            let ours = theirs.call(operation.name, &theirs.input(operation, false)).await;
            if ours.get("error").is_some_and(|error| error == AccessDenied.shape().name) {
                ours
            } else {
                let world = World::new(&[], By::Us).await;
                call(&world.sim.stranger(), operation.name, &world.input(operation, false)).await
            }
        }
        ResourceNotFound => {
            let world = World::new(&[], By::Us).await;
            world.call(operation.name, &world.absent(operation)).await
        }
        ServiceQuotaExceeded => {
            let world = World::new(&[], By::Us).await;
            world.set("quota.", "0");
            world.call(operation.name, &world.input(operation, false)).await
        }
        Conflict => return conflict(operation, &delayed).await,
        InternalServer => return None,
    };
    answer.get("error").and_then(Value::as_str).map(str::to_owned)
}

/// Whether something brings a conflict about. What stands in the way of a call by turns: the same call before it, that what it is about is in use, is being
/// created, or is being deleted, or that what it makes is there by another call.
async fn conflict(operation: &Operation, delayed: &[(&str, &str)]) -> Option<String> {
    let name = Conflict.shape().name;
    for way in 0..5 {
        let world = World::new(if way == 2 { delayed } else { &[] }, By::Us).await;
        let mut input = world.input(operation, false);
        match way {
            0 => {
                world.set("delay.", "100");
                world.call(operation.name, &input).await;
            }
            1 => input = world.input(operation, true),
            2 => {}
            3 => {
                let association =
                    json!({"serviceNetworkServiceAssociationIdentifier": world.ids["serviceAssociation"]});
                world.call("DeleteServiceNetworkServiceAssociation", &association).await;
                world.set("delay.", "100");
                world.call("DeleteService", &json!({"serviceIdentifier": world.ids["service"]})).await;
                world
                    .call("DeleteTargetGroup", &json!({"targetGroupIdentifier": world.ids["spareGroup"]}))
                    .await;
            }
            _ => {
                let other = lattice_sim::model::operation("CreateAccessLogSubscription").unwrap();
                world.call(other.name, &world.input(other, false)).await;
            }
        }
        // A call that lacks what the model requires is not made: a deletion alone needs its path only.
        let whole = operation
            .input
            .members()
            .iter()
            .all(|member| !member.required || input.get(member.name).is_some());
        if !whole {
            continue;
        }
        let answer = world.call(operation.name, &input).await;
        if answer.get("error").is_some_and(|error| error == name) {
            return Some(name.to_owned());
        }
    }
    None
}

#[tokio::test(start_paused = true)]
async fn every_operation_succeeds_in_a_world_that_has_one_of_each() {
    for operation in operations() {
        let world = World::new(&[], By::Us).await;
        let answer = world.call(operation.name, &world.input(operation, false)).await;
        assert!(answer.get("error").is_none(), "{}: {answer}", operation.name);
    }
}

#[tokio::test(start_paused = true)]
async fn every_error_that_an_operation_models_is_answered_and_no_other() {
    let mut wrong = Vec::new();
    let mut shown = 0;
    for operation in operations() {
        for kind in KINDS {
            let name = kind.shape().name;
            let by_fault = kind == InternalServer
                || BY_FAULT.iter().any(|(of, names)| *of == kind && names.contains(&operation.name));
            // The harness fails where it is answered by an error that the operation does not model.
            let natural = provoke(operation, kind).await.is_some_and(|error| error == name);
            if natural != (operation.models(kind) && !by_fault) {
                wrong.push(format!("{kind:?} {}: {natural}", operation.name));
            }
            shown += usize::from(natural);
            if by_fault && operation.models(kind) {
                let world = World::new(&[], By::Us).await;
                let fault = Fault { error: Some(name.to_owned()), ..Fault::on(operation.name) };
                world.sim.simulator.set_faults(vec![fault]).unwrap();
                let answer = world.call(operation.name, &world.input(operation, false)).await;
                assert_eq!(answer["error"], name, "{}", operation.name);
                shown += 1;
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
    assert_eq!(shown, operations().iter().map(|operation| operation.errors.len()).sum::<usize>());
}
