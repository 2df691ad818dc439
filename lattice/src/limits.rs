//! Limits of VPC Lattice, each with its source.

/// Most targets that one RegisterTargets or DeregisterTargets call may carry.
/// Source: API model, `RegisterTargetsRequestTargetsList` and `DeregisterTargetsRequestTargetsList`.
pub const TARGETS_PER_CALL: usize = 100;

/// Most targets by which one ListTargets call may filter.
/// Source: API model, `ListTargetsRequestTargetsList`.
pub const TARGETS_PER_FILTER: usize = 20;

/// Most targets of a group, a quota that AWS can raise.
/// Source: VPC Lattice quotas, "Targets per target group".
pub const TARGETS_PER_GROUP: usize = 1_000;

/// Most items on a page of any List operation.
/// Source: API model, `MaxResults`.
pub const PAGE_ITEMS: i32 = 100;

/// Most tags in a request.
/// Source: API model, `TagMap`.
pub const TAGS_PER_RESOURCE: usize = 200;
