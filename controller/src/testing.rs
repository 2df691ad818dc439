//! Values that tests begin with, and ways to make a cluster out of them.

use std::collections::BTreeMap;

use k8s_openapi::{
    apimachinery::pkg::{apis::meta::v1::Condition, util::intstr::IntOrString},
    jiff::Timestamp,
};
use lath_kubernetes::{
    NodeTargets, Pod, Service, TargetGroupBinding,
    binding::{
        Ownership, Readiness, ServiceReference, TargetGroupBindingSpec, TargetGroupBindingStatus,
        TargetGroupReference,
    },
    names,
    node_targets::{GroupRecord, NodeTargetsSpec, RecordState, TargetRecord},
    pod::Life,
    service::{ServicePort, TargetPort},
    watch::Change,
};
use lattice::{Target, TargetGroup, TargetGroupArn, group::TargetGroupType, tags, target::IpFamily};
use tokio::time::Instant;

use crate::{
    bindings::judge::Site,
    cluster::{
        Cluster, Update,
        objects::{AgentLease, Node},
    },
    groups::Facts,
};

pub(crate) mod api;
pub(crate) mod cloud;

/// Where tests are.
pub(crate) fn site() -> Site {
    Site {
        region: "us-west-2".into(),
        account: "123456789012".into(),
        vpc: "vpc-0123456789abcdef0".into(),
        cluster: "demo".into(),
        manual_endpoints: false,
    }
}

/// The ARN of the group of this number.
pub(crate) fn arn(number: u8) -> TargetGroupArn {
    format!("arn:aws:vpc-lattice:us-west-2:123456789012:targetgroup/tg-000000000000000{number:02}")
        .parse()
        .unwrap()
}

/// The address of the pod of this number.
pub(crate) fn target(number: u8) -> Target {
    Target { address: [10, 0, 0, number].into(), port: 80 }
}

/// A ready pod of the Service `web` in namespace `shop` on node `n1`.
pub(crate) fn pod(name: &str, number: u8) -> Pod {
    Pod {
        uid: format!("uid-{name}"),
        namespace: "shop".into(),
        name: name.into(),
        node: "n1".into(),
        labels: BTreeMap::from([("app".into(), "web".into())]),
        addresses: vec![[10, 0, 0, number].into()],
        ports: Vec::new(),
        life: Life::Live,
        ready: false,
        ready_but_for_gates: true,
        gates: Vec::new(),
        has_pre_stop: false,
        host_network: false,
    }
}

/// The same with a readiness gate that is shut.
pub(crate) fn gated(name: &str, number: u8) -> Pod {
    Pod { gates: vec![(names::GATE, false)], ..pod(name, number) }
}

/// The Service `web` in namespace `shop`.
pub(crate) fn service() -> Service {
    Service {
        namespace: "shop".into(),
        name: "web".into(),
        selector: BTreeMap::from([("app".into(), "web".into())]),
        ports: vec![ServicePort {
            name: String::new(),
            port: 80,
            protocol: "TCP".into(),
            app_protocol: None,
            target: TargetPort::Number(80),
        }],
        families: vec![IpFamily::IPv4],
        asks_for_families: None,
        publish_not_ready: false,
        external: false,
    }
}

/// A binding of the Service `web` to the group of this number, made at this second.
pub(crate) fn binding(name: &str, group: u8, second: i64) -> TargetGroupBinding {
    let mut binding = TargetGroupBinding::new(
        name,
        TargetGroupBindingSpec {
            target_group: TargetGroupReference { arn: arn(group).to_string() },
            service: ServiceReference { name: "web".into(), port: IntOrString::Int(80) },
            ip_family: IpFamily::IPv4,
            readiness: Readiness::default(),
            ownership: Ownership::Shared,
        },
    );
    binding.metadata.namespace = Some("shop".into());
    binding.metadata.uid = Some(format!("uid-{name}"));
    binding.metadata.generation = Some(1);
    let time = Timestamp::from_second(second).unwrap();
    binding.metadata.creation_timestamp = Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(time));
    binding
}

/// The same, accepted.
pub(crate) fn accepted(name: &str, group: u8) -> TargetGroupBinding {
    accept(binding(name, group, 0))
}

/// A binding of the Service `web` to this group, accepted.
pub(crate) fn accepted_to(name: &str, group: &TargetGroupArn) -> TargetGroupBinding {
    let mut binding = accepted(name, 0);
    binding.spec.target_group.arn = group.to_string();
    binding
}

/// The binding, accepted.
pub(crate) fn accept(mut binding: TargetGroupBinding) -> TargetGroupBinding {
    binding.status = Some(TargetGroupBindingStatus {
        conditions: vec![Condition {
            last_transition_time: k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(Timestamp::UNIX_EPOCH),
            message: String::new(),
            observed_generation: binding.metadata.generation,
            reason: "Accepted".into(),
            status: "True".into(),
            type_: names::ACCEPTED.into(),
        }],
        ..TargetGroupBindingStatus::default()
    });
    binding
}

/// A group that suits the binding.
pub(crate) fn facts(group: u8) -> Facts {
    Facts {
        group: TargetGroup {
            arn: arn(group),
            name: format!("group-{group}"),
            kind: TargetGroupType::Ip,
            family: IpFamily::IPv4,
            vpc: Some(site().vpc),
            health_check_interval: Some(std::time::Duration::from_secs(30)),
            active: true,
            services: vec!["arn:aws:vpc-lattice:us-west-2:123456789012:service/svc-0123456789abcdef0".into()],
        },
        tags: BTreeMap::from([
            (tags::CLUSTER.into(), "demo".into()),
            (tags::NAMESPACE.into(), "shop".into()),
        ]),
    }
}

/// A record of targets on a node.
pub(crate) fn node_targets(node: &str, group: u8, pods: &[(&Pod, RecordState)]) -> NodeTargets {
    let record = |(pod, state): &(&Pod, RecordState)| TargetRecord {
        address: pod.addresses[0].to_string(),
        port: 80,
        pod: pod.display_name(),
        pod_uid: pod.uid.clone(),
        state: *state,
    };
    NodeTargets::new(
        node,
        NodeTargetsSpec {
            boot_id: "boot-1".into(),
            groups: vec![GroupRecord {
                arn: arn(group).to_string(),
                targets: pods.iter().map(record).collect(),
            }],
            ..NodeTargetsSpec::default()
        },
    )
}

/// An agent's Lease after so many renewals.
pub(crate) fn lease(node: &str, renewals: u32) -> AgentLease {
    AgentLease {
        node: node.into(),
        duration: std::time::Duration::from_secs(120),
        renewal: renewals.to_string(),
        health: "ok".into(),
    }
}

fn none<T>() -> Change<T> {
    Change::Snapshot { objects: Vec::new(), invalid: Vec::new() }
}

/// A cluster in which everything has been listed: nothing, but for the Service `web` and the Node `n1`.
pub(crate) fn cluster() -> Cluster {
    let mut cluster = Cluster::default();
    let now = Instant::now();
    for update in [
        Update::Pods(none()),
        Update::Services(none()),
        Update::Bindings(none()),
        Update::NodeTargets(none()),
        Update::Nodes(none()),
        Update::Leases(none()),
        Update::Slices(none()),
        Update::Services(Change::Applied(service())),
        Update::Nodes(Change::Applied(Node { name: "n1".into(), boot_id: "boot-1".into() })),
    ] {
        cluster.apply(update, now);
    }
    cluster
}

/// Makes or changes objects.
pub(crate) trait Apply {
    /// Takes a pod in.
    fn run(&mut self, pod: Pod);
    /// Takes a binding in.
    fn bind(&mut self, binding: TargetGroupBinding);
    /// Takes a record in.
    fn record(&mut self, record: NodeTargets);
}

impl Apply for Cluster {
    fn run(&mut self, pod: Pod) {
        self.apply(Update::Pods(Change::Applied(pod)), Instant::now());
    }

    fn bind(&mut self, binding: TargetGroupBinding) {
        self.apply(Update::Bindings(Change::Applied(binding)), Instant::now());
    }

    fn record(&mut self, record: NodeTargets) {
        self.apply(Update::NodeTargets(Change::Applied(record)), Instant::now());
    }
}
