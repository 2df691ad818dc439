//! `NodeTargets`: what a node's agent has registered at Lattice.

#![allow(unreachable_pub, reason = "the schema derive repeats each public struct inside a function")]
#![allow(
    missing_docs,
    reason = "a documented variant would become a oneOf, which no structural schema may hold"
)]

use k8s_openapi::schemars::JsonSchema;
use kube::{CustomResource, KubeSchema};
use lattice::{Target, TargetGroupArn};
use serde::{Deserialize, Serialize};

/// What the agent of a node has registered, by target group: the record that outlives the node's disk.
///
/// There is one per node, named after it. The node's agent writes it a moment after each change, the controller for
/// nodes without an agent.
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "lath.dev",
    version = "v1alpha1",
    kind = "NodeTargets",
    plural = "nodetargets",
    doc = "What the agent of a node has registered at VPC Lattice. Written by Lath; not meant to be edited.",
    shortname = "nt",
    category = "lath",
    derive = "PartialEq",
    printcolumn(name = "Groups", type_ = "integer", json_path = ".spec.summary.groups"),
    printcolumn(name = "Targets", type_ = "integer", json_path = ".spec.summary.targets"),
    printcolumn(name = "Pending", type_ = "integer", json_path = ".spec.summary.pending"),
    printcolumn(name = "Writer", type_ = "string", json_path = ".spec.writer"),
    printcolumn(name = "Epoch", type_ = "integer", json_path = ".spec.epoch"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct NodeTargetsSpec {
    /// The boot id of the node when this was written. After a reboot pods have new addresses.
    #[serde(default)]
    pub boot_id: String,

    /// Grows whenever the agent can no longer vouch for what it registered before.
    #[serde(default)]
    pub epoch: i64,

    /// Who wrote this.
    #[serde(default)]
    pub writer: Writer,

    /// Totals, for display.
    #[serde(default)]
    pub summary: Summary,

    /// The groups into which this node's pods are registered, in order of their ARNs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupRecord>,
}

impl NodeTargetsSpec {
    /// Whether a target is recorded as registered for the pod of this UID.
    #[must_use]
    pub fn registered(&self, group: &TargetGroupArn, target: Target, uid: &str) -> bool {
        let groups = self.groups.iter().filter(|record| record.arn == group.as_str());
        groups.flat_map(|record| &record.targets).any(|record| {
            record.state == RecordState::Registered && record.pod_uid == uid && record.is(target)
        })
    }
}

impl TargetRecord {
    /// Whether this is a target's record.
    #[must_use]
    pub fn is(&self, target: Target) -> bool {
        self.port == target.port && self.address.parse() == Ok(target.address)
    }
}

/// Who wrote a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(crate = "k8s_openapi::schemars")]
pub enum Writer {
    #[default]
    Agent,
    Controller,
}

/// Totals over all groups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct Summary {
    /// Groups with at least one target.
    pub groups: u32,
    /// Targets that are registered.
    pub targets: u32,
    /// Targets with a call on its way or waiting.
    pub pending: u32,
}

/// A group's part of the record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct GroupRecord {
    /// The target group.
    pub arn: String,

    /// Its targets on this node, in order of address and port.
    #[serde(default)]
    pub targets: Vec<TargetRecord>,
}

/// A target that the writer answers for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct TargetRecord {
    /// The pod's address.
    pub address: String,
    /// The port on which it listens.
    pub port: u16,
    /// The pod, as namespace/name.
    pub pod: String,
    /// The pod's UID.
    pub pod_uid: String,
    /// How far it is.
    #[serde(default)]
    pub state: RecordState,
}

/// How far a target's registration is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(crate = "k8s_openapi::schemars")]
pub enum RecordState {
    /// RegisterTargets is waiting or on its way; Lattice may have it.
    Registering,
    /// RegisterTargets was answered.
    #[default]
    Registered,
    /// DeregisterTargets is waiting or on its way; Lattice may still have it.
    Deregistering,
}
