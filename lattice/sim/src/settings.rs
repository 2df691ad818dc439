//! Settings: everything that may be otherwise in the real service, in one table with its default.
//!
//! The table below is the only place that names a setting. Parsing, `--set`, the admin endpoint and the
//! documentation come from it.

pub mod choice;
pub mod value;

use crate::simulator::REGION;
use choice::{
    Addresses, AssociationName, BatchFailure, ChildrenWhileCreating, ConfigurationLogs, DefaultPort,
    DefaultRule, DenyText, DeregisterAbsent, DomainOutcome, DuplicateAnswer, DuplicateTarget, FixedStatus,
    GoneAnswer, HealthPort, HttpsProtocol, ListAbsent, ListOrder, MalformedTarget, NotApplicable,
    OversizePolicy, OwnErrors, PolicyNetwork, ReasonCodes, RegisterDraining, RegisterExisting, RequestIds,
    ResourceTypeNames, RouteBy, Separator, ShareInvitation, StalePage, TargetQuota, TokenAfterDelete,
    Traffic,
};
use lattice::limits::TARGETS_PER_GROUP;
use serde::Serialize;
use value::{
    ClockStart, Count, FirstCheck, HttpStatus, InterfaceName, Listen, Range, Rate, Region, RetryAfter,
    Seconds, Setting, Switch, Text,
};

/// Where a default comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Label {
    /// AWS documents it.
    Documented,
    /// Nobody outside AWS knows; the default is a guess.
    Assumed,
    /// It describes the simulator, not the service.
    Simulator,
}

/// A row of the table of settings.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// The name, as in `--set NAME=VALUE`.
    pub name: &'static str,
    /// What it decides.
    pub meaning: String,
    /// The allowed values.
    pub allowed: String,
    /// The default in the profile `instant`.
    pub instant: String,
    /// What the real service is assumed or documented to do.
    pub realistic: String,
    /// Where the realistic value comes from.
    pub label: Label,
}

/// Why a setting is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// No setting has this name.
    #[error("there is no setting {0}; `lath sim settings` lists them")]
    Unknown(String),
    /// The value is not one of the allowed ones.
    #[error("setting {name}: {value} is not allowed, it must be {allowed}")]
    Value {
        /// The setting.
        name: &'static str,
        /// What was given.
        value: String,
        /// What is allowed.
        allowed: String,
    },
    /// The setting is for the start only.
    #[error("setting {0} can't be changed any more, it is for the start")]
    Fixed(&'static str),
    /// `NAME=VALUE` without `=`.
    #[error("{0} is no setting, it must be NAME=VALUE")]
    Form(String),
}

macro_rules! settings {
    ($($(#[doc = $meaning:literal])+ $field:ident: $kind:ty = $name:literal, $instant:expr, $realistic:expr, $label:ident;)+) => {
        /// The values of all settings. [`table`] describes them.
        #[expect(clippy::doc_markdown, reason = "users read these texts as they are, on a terminal")]
        #[derive(Debug, Clone, PartialEq)]
        pub struct Settings {
            $($(#[doc = $meaning])+ pub $field: $kind,)+
        }

        impl Settings {
            /// The profile `instant`: no delays of provisioning, no rate limits.
            ///
            /// Draining and quotas are as in the real service, since they are states and not waits.
            #[must_use]
            pub fn instant() -> Self {
                Self { $($field: $instant,)+ }
            }

            /// Delays, rate limits and all else as documented or, where nothing is known, as assumed.
            #[must_use]
            pub fn realistic() -> Self {
                Self { $($field: $realistic,)+ }
            }

            /// Sets one setting from text.
            pub fn set(&mut self, name: &str, text: &str) -> Result<(), Error> {
                match name {
                    $($name => {
                        self.$field = Setting::parse(text).ok_or_else(|| Error::Value {
                            name: $name,
                            value: text.to_owned(),
                            allowed: <$kind as Setting>::allowed(),
                        })?;
                    })+
                    _ => return Err(Error::Unknown(name.to_owned())),
                }
                Ok(())
            }

            /// Name and value of every setting, in order of the table.
            #[must_use]
            pub fn list(&self) -> Vec<(&'static str, String)> {
                vec![$(($name, self.$field.text()),)+]
            }
        }

        /// The table of settings.
        #[must_use]
        pub fn table() -> Vec<Row> {
            vec![$(Row {
                name: $name,
                meaning: [$($meaning),+].map(str::trim).join(" "),
                allowed: <$kind as Setting>::allowed(),
                instant: Setting::text(&{ let value: $kind = $instant; value }),
                realistic: Setting::text(&{ let value: $kind = $realistic; value }),
                label: Label::$label,
            },)+]
        }
    };
}

settings! {
    /// Number of accounts. The second one is for resources that the first must not see.
    accounts: Count<1, 2> = "accounts", Count(1), Count(1), Simulator;

    /// The region that everything is in. It can't be changed later.
    region: Region = "region", Region::new(REGION), Region::new(REGION), Simulator;

    /// Whether the clock stands still unless it is advanced. With a fixed `clock.start` too, the same calls give the same times.
    clock_frozen: Switch = "clock.frozen", Switch(false), Switch(false), Simulator;
    /// Where the simulator's wall clock begins. It can't be changed later.
    clock_start: ClockStart = "clock.start", ClockStart::Now, ClockStart::Now, Simulator;

    /// What becomes of access log subscriptions of resource configurations.
    configuration_logs: ConfigurationLogs = "accesslog.rcfg_resource_id", ConfigurationLogs::Id, ConfigurationLogs::Id, Assumed;
    /// The answer to an auth policy above the quota of 10 KB.
    oversize_auth_policy: OversizePolicy = "api.oversize_auth_policy", OversizePolicy::Validation, OversizePolicy::Validation, Assumed;
    /// What becomes of a domain verification.
    domain_outcome: DomainOutcome = "domain.outcome", DomainOutcome::Verified, DomainOutcome::Verified, Simulator;

    /// Calls per second of one operation by one account, on average. More are answered by ThrottlingException.
    rate: Rate = "api.rate", Rate::Unlimited, Rate::PerSecond(10.0), Assumed;
    /// Calls of one operation that an account may make at once before `api.rate` limits it.
    burst: Count<1, 1_000_000> = "api.burst", Count(20), Count(20), Assumed;
    /// The header Retry-After of answers 429 and 500.
    retry_after: RetryAfter = "api.retry_after", RetryAfter::Absent, RetryAfter::Absent, Assumed;
    /// `serviceCode` in errors.
    service_code: Text = "api.service_code", Text::new("vpc-lattice"), Text::new("vpc-lattice"), Assumed;
    /// `quotaCode` in errors.
    quota_code: Text = "api.quota_code", Text::new("L-00000000"), Text::new("L-00000000"), Assumed;
    /// How `resourceType` is written in errors.
    resource_type_names: ResourceTypeNames = "api.resource_type_names", ResourceTypeNames::Upper, ResourceTypeNames::Upper, Assumed;
    /// Whether calls have to be signed with the keys of an account, user or session. Without that, the access key id alone decides who calls. Requests of the data plane that are signed are verified in any case.
    verify_signatures: Switch = "api.verify_signatures", Switch(false), Switch(true), Documented;
    /// The answer to a client token that comes back with other parameters.
    token_mismatch: DuplicateAnswer = "api.token_mismatch", DuplicateAnswer::Conflict, DuplicateAnswer::Conflict, Assumed;
    /// How long a client token is remembered.
    token_ttl: Seconds = "api.token_ttl_seconds", Seconds::new(86_400), Seconds::new(86_400), Assumed;
    /// The answer to a client token whose resource was deleted since.
    token_after_delete: TokenAfterDelete = "api.token_after_delete", TokenAfterDelete::Create, TokenAfterDelete::Create, Assumed;
    /// How long a `nextToken` is good for.
    next_token_ttl: Seconds = "api.next_token_ttl_seconds", Seconds::new(86_400), Seconds::new(86_400), Assumed;
    /// The answer to a `nextToken` that is expired or not one of ours.
    stale_next_token: StalePage = "api.stale_next_token", StalePage::Validation, StalePage::Validation, Assumed;
    /// The order of list items. Rules are in order of priority in any case, the default rule last.
    list_order: ListOrder = "api.list_order", ListOrder::Creation, ListOrder::Creation, Assumed;
    /// The answer to a second service or target group, listener of a service or rule of a listener with a name that is taken.
    duplicate_name: DuplicateAnswer = "api.duplicate_name", DuplicateAnswer::Conflict, DuplicateAnswer::Conflict, Assumed;
    /// The answer to a second rule of one priority.
    duplicate_priority: DuplicateAnswer = "api.duplicate_priority", DuplicateAnswer::Conflict, DuplicateAnswer::Conflict, Assumed;
    /// The answer to a second listener on one port.
    duplicate_port: DuplicateAnswer = "api.duplicate_port", DuplicateAnswer::Conflict, DuplicateAnswer::Conflict, Assumed;
    /// What BatchUpdateRule does when one of its updates is wrong.
    batch_rule_failure: BatchFailure = "api.batch_rule_failure", BatchFailure::Atomic, BatchFailure::Atomic, Assumed;
    /// The answer to the deletion of what is gone already.
    delete_after_gone: GoneAnswer = "api.delete_after_gone", GoneAnswer::NotFound, GoneAnswer::NotFound, Assumed;
    /// The answer to a fixed response with a status other than 404 and 500.
    unsupported_fixed_status: FixedStatus = "api.unsupported_fixed_status", FixedStatus::Validation, FixedStatus::Validation, Assumed;

    /// The address range of services, IPv4.
    ipv4_range: Range = "data.ipv4_range", Range::new("169.254.171.0/24"), Range::new("169.254.171.0/24"), Documented;
    /// The address range of services, IPv6.
    ipv6_range: Range = "data.ipv6_range", Range::new("fd00:ec2:80::/64"), Range::new("fd00:ec2:80::/64"), Documented;
    /// The address range of resource configurations.
    resource_range: Range = "data.resource_range", Range::new("129.224.0.0/17"), Range::new("129.224.0.0/17"), Assumed;
    /// Ports of a resource configuration that the data plane listens on, from the first on.
    resource_ports: Count<1, 65_535> = "data.resource_ports", Count(100), Count(100), Simulator;
    /// The network interface that the data plane makes for its addresses; none where they are there already, as those of 127.0.0.0/8 are. It can't be changed later.
    interface: InterfaceName = "data.interface", InterfaceName::new("lattice0"), InterfaceName::new("lattice0"), Simulator;
    /// Connections that the data plane holds at a time. More wait until one ends. It can't be changed later.
    connections: Count<1, 1_000_000> = "data.connections", Count(20_000), Count(20_000), Simulator;
    /// How a request finds its service.
    route_by: RouteBy = "data.route_by", RouteBy::Name, RouteBy::Name, Assumed;
    /// The status of a request for a host that no service has.
    unknown_host_status: HttpStatus = "data.unknown_host_status", HttpStatus(404), HttpStatus(404), Assumed;
    /// The status of a request to change the protocol, to WebSocket say.
    upgrade_status: HttpStatus = "data.upgrade_status", HttpStatus(400), HttpStatus(400), Assumed;
    /// Time in CREATE_IN_PROGRESS of an association of a service or a resource configuration.
    association_create: Seconds = "delay.association_create", Seconds::new(0), Seconds::new(10), Assumed;
    /// Time in DELETE_IN_PROGRESS of an association of a service or a resource configuration.
    association_delete: Seconds = "delay.association_delete", Seconds::new(0), Seconds::new(10), Assumed;
    /// Time in CREATE_IN_PROGRESS of a resource configuration.
    configuration_create: Seconds = "delay.resource_configuration_create", Seconds::new(0), Seconds::new(5), Assumed;
    /// Time in UPDATE_IN_PROGRESS of a resource configuration.
    configuration_update: Seconds = "delay.resource_configuration_update", Seconds::new(0), Seconds::new(5), Assumed;
    /// Time in DELETE_IN_PROGRESS of a resource configuration.
    configuration_delete: Seconds = "delay.resource_configuration_delete", Seconds::new(0), Seconds::new(5), Assumed;
    /// Time in PENDING of a domain verification.
    domain_verification: Seconds = "delay.domain_verification", Seconds::new(0), Seconds::new(60), Assumed;
    /// Time in CREATE_IN_PROGRESS of a resource gateway.
    gateway_create: Seconds = "delay.resource_gateway_create", Seconds::new(0), Seconds::new(10), Assumed;
    /// Time in UPDATE_IN_PROGRESS of a resource gateway.
    gateway_update: Seconds = "delay.resource_gateway_update", Seconds::new(0), Seconds::new(10), Assumed;
    /// Time in DELETE_IN_PROGRESS of a resource gateway.
    gateway_delete: Seconds = "delay.resource_gateway_delete", Seconds::new(0), Seconds::new(10), Assumed;
    /// Time in CREATE_IN_PROGRESS of a service.
    service_create: Seconds = "delay.service_create", Seconds::new(0), Seconds::new(5), Assumed;
    /// Time in DELETE_IN_PROGRESS of a service.
    service_delete: Seconds = "delay.service_delete", Seconds::new(0), Seconds::new(5), Assumed;
    /// Time in CREATE_IN_PROGRESS of a target group.
    target_group_create: Seconds = "delay.target_group_create", Seconds::new(0), Seconds::new(2), Assumed;
    /// Time in DELETE_IN_PROGRESS of a target group.
    target_group_delete: Seconds = "delay.target_group_delete", Seconds::new(0), Seconds::new(2), Assumed;

    /// Time in CREATE_IN_PROGRESS of a VPC association.
    vpc_association_create: Seconds = "delay.vpc_association_create", Seconds::new(0), Seconds::new(30), Assumed;
    /// Time in UPDATE_IN_PROGRESS of a VPC association.
    vpc_association_update: Seconds = "delay.vpc_association_update", Seconds::new(0), Seconds::new(30), Assumed;
    /// Time in DELETE_IN_PROGRESS of a VPC association.
    vpc_association_delete: Seconds = "delay.vpc_association_delete", Seconds::new(0), Seconds::new(75), Assumed;

    /// The name in the `dnsEntry` of an association of a service.
    association_name: AssociationName = "dns.association_name", AssociationName::Service, AssociationName::Service, Assumed;
    /// Where the data plane answers DNS queries. The default is where a VPC's resolver is. It can't be changed later.
    dns_listen: Listen = "dns.listen", Listen::new("169.254.169.253:53"), Listen::new("169.254.169.253:53"), Simulator;
    /// How long resolvers may keep the addresses of services.
    dns_ttl: Seconds = "dns.ttl_seconds", Seconds::new(60), Seconds::new(60), Assumed;
    /// Whether services share one address of each family.
    addresses: Addresses = "dns.shared_addresses", Addresses::Shared, Addresses::Shared, Assumed;
    /// The hosted zone in `dnsEntry`.
    hosted_zone_id: Text = "dns.hosted_zone_id", Text::new("Z09127221KTH2CFUOHIZH"), Text::new("Z09127221KTH2CFUOHIZH"), Assumed;
    /// The label of the partition in the names of services.
    partition_id: Text = "dns.partition_id", Text::new("7d67968"), Text::new("7d67968"), Assumed;

    /// The body of a 403 whose text AWS has not published: an explicit deny, say, or a signature that does not hold.
    deny_text: DenyText = "auth.deny_text", DenyText::Sentence, DenyText::Sentence, Assumed;
    /// Which service network's auth policy counts for a service that is in several.
    policy_network: PolicyNetwork = "auth.service_in_many_networks", PolicyNetwork::Callers, PolicyNetwork::Callers, Assumed;

    /// What stands between the fields of `x-amzn-lattice-identity`.
    identity_separator: Separator = "headers.identity_format", Separator::Semicolon, Separator::Semicolon, Assumed;
    /// The headers of errors that the data plane answers with itself.
    own_errors: OwnErrors = "headers.own_error_headers", OwnErrors::Text, OwnErrors::Text, Assumed;
    /// Which messages carry `x-amzn-RequestId`.
    request_ids: RequestIds = "headers.request_id_direction", RequestIds::Both, RequestIds::Both, Assumed;

    /// Time from a target's registration, or its group's first use, to its first health check, which it passes.
    first_check_delay: FirstCheck = "health.first_check_delay", FirstCheck::After(Seconds::new(0)), FirstCheck::Interval, Assumed;
    /// The port that is checked where a health check names none.
    health_port: HealthPort = "health.default_port", HealthPort::Target, HealthPort::Target, Assumed;
    /// The health check's protocol echoed for a target group of protocol HTTPS.
    https_protocol_echo: HttpsProtocol = "health.https_protocol_echo", HttpsProtocol::Https, HttpsProtocol::Https, Assumed;
    /// The health check echoed for a target group that can have none.
    not_applicable_echo: NotApplicable = "health.not_applicable_echo", NotApplicable::Omitted, NotApplicable::Omitted, Assumed;

    /// The port of a listener created without one.
    default_port: DefaultPort = "listener.default_port", DefaultPort::ByProtocol, DefaultPort::ByProtocol, Assumed;

    /// Child resource configurations per group.
    children_per_configuration: Count<0, 1_000_000> = "quota.children_per_resource_configuration", Count(60), Count(60), Documented;
    /// Resource configurations per account.
    configurations: Count<0, 1_000_000> = "quota.resource_configurations", Count(2_000), Count(2_000), Documented;
    /// Resource configurations per service network.
    configurations_per_network: Count<0, 1_000_000> = "quota.resource_configurations_per_service_network", Count(500), Count(500), Documented;
    /// Domain verifications per account.
    domain_verifications: Count<0, 1_000_000> = "quota.domain_verifications", Count(5), Count(5), Documented;
    /// Resource gateways per VPC.
    gateways_per_vpc: Count<0, 1_000_000> = "quota.resource_gateways_per_vpc", Count(500), Count(500), Documented;
    /// Time from a change of an auth policy or auth type to its effect on traffic.
    propagate_auth: Seconds = "propagation.auth_policy_seconds", Seconds::new(0), Seconds::new(120), Documented;
    /// Time from DeregisterTargets to the last new request.
    propagate_deregister: Seconds = "propagation.deregister_seconds", Seconds::new(0), Seconds::new(10), Assumed;
    /// Time from RegisterTargets to the first traffic.
    propagate_register: Seconds = "propagation.register_seconds", Seconds::new(0), Seconds::new(2), Assumed;
    /// Time from a change of a service, listener or rule to its effect on traffic.
    propagate_rules: Seconds = "propagation.rule_seconds", Seconds::new(0), Seconds::new(2), Assumed;

    /// Listeners per service.
    listeners_per_service: Count<0, 1_000_000> = "quota.listeners_per_service", Count(2), Count(2), Documented;
    /// Rules per listener, the default rule not counted.
    rules_per_listener: Count<0, 1_000_000> = "quota.rules_per_listener", Count(10), Count(10), Documented;
    /// Service networks per account.
    service_networks: Count<0, 1_000_000> = "quota.service_networks", Count(50), Count(50), Documented;
    /// Services per service network.
    services_per_network: Count<0, 1_000_000> = "quota.services_per_service_network", Count(500), Count(500), Documented;
    /// VPCs per service network.
    vpcs_per_network: Count<0, 1_000_000> = "quota.vpcs_per_service_network", Count(500), Count(500), Documented;
    /// Services per account.
    services: Count<0, 1_000_000> = "quota.services", Count(2_000), Count(2_000), Documented;
    /// Target groups per account.
    target_groups: Count<0, 1_000_000> = "quota.target_groups", Count(500), Count(500), Documented;
    /// Target groups per service, over all its rules.
    target_groups_per_service: Count<0, 1_000_000> = "quota.target_groups_per_service", Count(10), Count(10), Documented;
    /// Targets per target group, those that are draining included.
    targets_per_group: Count<0, 1_000_000> = "quota.targets_per_group", Count(TARGETS_PER_GROUP), Count(TARGETS_PER_GROUP), Documented;

    /// What becomes of an invitation to a resource share.
    share_invitation: ShareInvitation = "ram.invitation", ShareInvitation::Sent, ShareInvitation::Sent, Documented;

    /// What is echoed of the default rule.
    default_rule: DefaultRule = "rule.default_rule_shape", DefaultRule::Named, DefaultRule::Named, Assumed;
    /// The weight echoed, and used, when a rule names none.
    default_weight: Count<0, 999> = "rule.weight_echo", Count(100), Count(100), Assumed;

    /// Whether a service that is being created takes listeners and rules.
    children_while_creating: ChildrenWhileCreating = "service.children_while_creating", ChildrenWhileCreating::Allowed, ChildrenWhileCreating::Allowed, Assumed;

    /// How a deregistered target that is not there is answered.
    deregister_absent: DeregisterAbsent = "target.deregister_absent", DeregisterAbsent::Successful, DeregisterAbsent::Successful, Assumed;
    /// How long a deregistered target stays DRAINING. The model says 60, users saw 300.
    drain: Seconds = "target.drain_seconds", Seconds::new(60), Seconds::new(60), Documented;
    /// The same target twice in one call.
    duplicate_in_call: DuplicateTarget = "target.duplicate_in_call", DuplicateTarget::Once, DuplicateTarget::Once, Assumed;
    /// `failureCode` of refused targets.
    failure_code: Text = "target.failure_code", Text::new("UnsupportedTarget"), Text::new("UnsupportedTarget"), Assumed;
    /// ListTargets with a filter that names an absent target.
    list_absent: ListAbsent = "target.list_absent", ListAbsent::Omitted, ListAbsent::Omitted, Assumed;
    /// A target whose id does not fit its group: no address, or one of the other family.
    malformed_id: MalformedTarget = "target.malformed_id", MalformedTarget::Unsuccessful, MalformedTarget::Unsuccessful, Assumed;
    /// What a registration beyond the quota of targets fails.
    target_quota: TargetQuota = "target.quota_error", TargetQuota::Call, TargetQuota::Call, Assumed;
    /// Whether targets carry the known reason codes.
    reason_codes: ReasonCodes = "target.reason_codes", ReasonCodes::Known, ReasonCodes::Known, Assumed;
    /// What registering a DRAINING target does.
    reregister_draining: RegisterDraining = "target.reregister_draining", RegisterDraining::Initial, RegisterDraining::Initial, Assumed;
    /// What registering a live target again does to its health.
    reregister_existing: RegisterExisting = "target.reregister_existing", RegisterExisting::Unchanged, RegisterExisting::Unchanged, Assumed;
    /// The status when a target refuses the connection or breaks it off before it answers.
    connect_failure_status: HttpStatus = "target.connect_failure_status", HttpStatus(503), HttpStatus(503), Assumed;
    /// The status when a group has no target that gets traffic.
    empty_group_status: HttpStatus = "target.empty_group_status", HttpStatus(503), HttpStatus(503), Assumed;
    /// The status when a function fails, or returns what is no answer.
    function_failure_status: HttpStatus = "target.function_failure_status", HttpStatus(502), HttpStatus(502), Assumed;
    /// The status when a target does not answer in time.
    timeout_status: HttpStatus = "target.timeout_status", HttpStatus(504), HttpStatus(504), Assumed;
    /// Whether DRAINING targets get traffic until they are gone. Users saw that for up to five minutes.
    draining_traffic: Traffic = "traffic.draining", Traffic::None, Traffic::None, Assumed;
    /// Whether INITIAL targets get traffic.
    initial_traffic: Traffic = "traffic.initial", Traffic::None, Traffic::None, Assumed;
    /// How long a deregistered target of an unused group stays UNUSED.
    unused_linger: Seconds = "target.unused_linger_seconds", Seconds::new(5), Seconds::new(5), Assumed;
}

impl Default for Settings {
    fn default() -> Self {
        Self::instant()
    }
}

impl Settings {
    /// Sets one setting from `NAME=VALUE`.
    pub fn assign(&mut self, assignment: &str) -> Result<(), Error> {
        let (name, value) = assignment.split_once('=').ok_or_else(|| Error::Form(assignment.to_owned()))?;
        self.set(name, value)
    }

    /// These settings with one more set from text.
    pub fn with(mut self, name: &str, value: &str) -> Result<Self, Error> {
        self.set(name, value)?;
        Ok(self)
    }
}

#[cfg(test)]
mod tests;
