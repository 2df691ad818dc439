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

/// Most tags of a resource that AWS takes from its users.
/// Source: AWS, "Tag naming limits and requirements".
pub const USER_TAGS_PER_RESOURCE: usize = 50;

/// Longest value of a tag, in characters.
/// Source: API model, `TagValue`.
pub const TAG_VALUE_LENGTH: usize = 256;

/// Most header matches of a rule.
/// Source: API model, `HeaderMatchList`.
pub const HEADERS_PER_RULE: usize = 5;

/// Most target groups among which an action shares requests.
/// Source: API model, `WeightedTargetGroupList`.
pub const GROUPS_PER_ACTION: usize = 10;

/// The largest weight of a target group.
/// Source: API model, `TargetGroupWeight`.
pub const LARGEST_WEIGHT: u16 = 999;

/// The largest priority of a rule. The lowest is tried first.
/// Source: API model, `RulePriority`.
pub const LAST_PRIORITY: u16 = 2_000;

/// Most rules that one BatchUpdateRule call may change.
/// Source: API model, `RuleUpdateList`.
pub const RULES_PER_BATCH: usize = 10;

/// Longest path of a rule's match.
/// Source: API model, `PathMatchExact` and `PathMatchPrefix`.
pub const PATH_LENGTH: usize = 200;

/// Longest value of a rule's header match.
/// Source: API model, `HeaderMatchExact` and its like.
pub const HEADER_VALUE_LENGTH: usize = 200;

/// Rules of a listener besides the default one, a quota that AWS can raise.
/// Source: VPC Lattice quotas, "Rules per listener".
pub const RULES_PER_LISTENER: u32 = 10;

/// Listeners of a service, a quota that AWS can raise.
/// Source: VPC Lattice quotas, "Listeners per service".
pub const LISTENERS_PER_SERVICE: u32 = 2;

/// Target groups of a service, a quota that AWS can raise.
/// Source: VPC Lattice quotas, "Target groups per service".
pub const GROUPS_PER_SERVICE: u32 = 10;

/// Service networks of an account in a region, a quota that AWS can raise.
/// Source: VPC Lattice quotas, "Service networks per Region".
pub const NETWORKS_PER_ACCOUNT: u32 = 50;

/// Services of an account in a region, a quota that AWS can raise.
/// Source: VPC Lattice quotas, "Services per Region".
pub const SERVICES_PER_ACCOUNT: u32 = 2_000;

/// Target groups of an account in a region, a quota that AWS can raise.
/// Source: VPC Lattice quotas, "Target groups per Region".
pub const GROUPS_PER_ACCOUNT: u32 = 500;

/// Resource configurations of an account in a region, a quota that AWS can raise.
/// Source: VPC Lattice quotas, "Resource configurations per Region".
pub const CONFIGURATIONS_PER_ACCOUNT: u32 = 2_000;

/// Resource gateways in a VPC, a quota that AWS can raise.
/// Source: VPC Lattice quotas, "Resource gateways per VPC".
pub const RESOURCE_GATEWAYS_PER_VPC: u32 = 500;

/// Services in a service network, a quota that AWS can raise.
/// Source: VPC Lattice quotas, "Service associations per service network".
pub const SERVICES_PER_NETWORK: u32 = 500;

/// VPCs in a service network, a quota that AWS can raise.
/// Source: VPC Lattice quotas, "VPC associations per service network".
pub const VPCS_PER_NETWORK: u32 = 500;

/// Resource configurations in a service network, a quota that AWS can raise.
/// Source: VPC Lattice quotas, "Resource configuration associations per service network".
pub const CONFIGURATIONS_PER_NETWORK: u32 = 500;
