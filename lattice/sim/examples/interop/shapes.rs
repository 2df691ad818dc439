//! The SDK's types as JSON and from JSON, with the names that they have on the wire.

use std::collections::HashMap;

use aws_sdk_vpclattice::operation::batch_update_rule::BatchUpdateRuleOutput;
use aws_sdk_vpclattice::operation::create_access_log_subscription::CreateAccessLogSubscriptionOutput;
use aws_sdk_vpclattice::operation::create_listener::CreateListenerOutput;
use aws_sdk_vpclattice::operation::create_resource_configuration::CreateResourceConfigurationOutput;
use aws_sdk_vpclattice::operation::create_resource_gateway::CreateResourceGatewayOutput;
use aws_sdk_vpclattice::operation::create_rule::CreateRuleOutput;
use aws_sdk_vpclattice::operation::create_service::CreateServiceOutput;
use aws_sdk_vpclattice::operation::create_service_network::CreateServiceNetworkOutput;
use aws_sdk_vpclattice::operation::create_service_network_resource_association::CreateServiceNetworkResourceAssociationOutput;
use aws_sdk_vpclattice::operation::create_service_network_service_association::CreateServiceNetworkServiceAssociationOutput;
use aws_sdk_vpclattice::operation::create_service_network_vpc_association::CreateServiceNetworkVpcAssociationOutput;
use aws_sdk_vpclattice::operation::create_target_group::CreateTargetGroupOutput;
use aws_sdk_vpclattice::operation::delete_access_log_subscription::DeleteAccessLogSubscriptionOutput;
use aws_sdk_vpclattice::operation::delete_auth_policy::DeleteAuthPolicyOutput;
use aws_sdk_vpclattice::operation::delete_domain_verification::DeleteDomainVerificationOutput;
use aws_sdk_vpclattice::operation::delete_listener::DeleteListenerOutput;
use aws_sdk_vpclattice::operation::delete_resource_configuration::DeleteResourceConfigurationOutput;
use aws_sdk_vpclattice::operation::delete_resource_endpoint_association::DeleteResourceEndpointAssociationOutput;
use aws_sdk_vpclattice::operation::delete_resource_gateway::DeleteResourceGatewayOutput;
use aws_sdk_vpclattice::operation::delete_resource_policy::DeleteResourcePolicyOutput;
use aws_sdk_vpclattice::operation::delete_rule::DeleteRuleOutput;
use aws_sdk_vpclattice::operation::delete_service::DeleteServiceOutput;
use aws_sdk_vpclattice::operation::delete_service_network::DeleteServiceNetworkOutput;
use aws_sdk_vpclattice::operation::delete_service_network_resource_association::DeleteServiceNetworkResourceAssociationOutput;
use aws_sdk_vpclattice::operation::delete_service_network_service_association::DeleteServiceNetworkServiceAssociationOutput;
use aws_sdk_vpclattice::operation::delete_service_network_vpc_association::DeleteServiceNetworkVpcAssociationOutput;
use aws_sdk_vpclattice::operation::delete_target_group::DeleteTargetGroupOutput;
use aws_sdk_vpclattice::operation::deregister_targets::DeregisterTargetsOutput;
use aws_sdk_vpclattice::operation::get_access_log_subscription::GetAccessLogSubscriptionOutput;
use aws_sdk_vpclattice::operation::get_auth_policy::GetAuthPolicyOutput;
use aws_sdk_vpclattice::operation::get_domain_verification::GetDomainVerificationOutput;
use aws_sdk_vpclattice::operation::get_listener::GetListenerOutput;
use aws_sdk_vpclattice::operation::get_resource_configuration::GetResourceConfigurationOutput;
use aws_sdk_vpclattice::operation::get_resource_gateway::GetResourceGatewayOutput;
use aws_sdk_vpclattice::operation::get_resource_policy::GetResourcePolicyOutput;
use aws_sdk_vpclattice::operation::get_rule::GetRuleOutput;
use aws_sdk_vpclattice::operation::get_service::GetServiceOutput;
use aws_sdk_vpclattice::operation::get_service_network::GetServiceNetworkOutput;
use aws_sdk_vpclattice::operation::get_service_network_resource_association::GetServiceNetworkResourceAssociationOutput;
use aws_sdk_vpclattice::operation::get_service_network_service_association::GetServiceNetworkServiceAssociationOutput;
use aws_sdk_vpclattice::operation::get_service_network_vpc_association::GetServiceNetworkVpcAssociationOutput;
use aws_sdk_vpclattice::operation::get_target_group::GetTargetGroupOutput;
use aws_sdk_vpclattice::operation::list_access_log_subscriptions::ListAccessLogSubscriptionsOutput;
use aws_sdk_vpclattice::operation::list_domain_verifications::ListDomainVerificationsOutput;
use aws_sdk_vpclattice::operation::list_listeners::ListListenersOutput;
use aws_sdk_vpclattice::operation::list_resource_configurations::ListResourceConfigurationsOutput;
use aws_sdk_vpclattice::operation::list_resource_endpoint_associations::ListResourceEndpointAssociationsOutput;
use aws_sdk_vpclattice::operation::list_resource_gateways::ListResourceGatewaysOutput;
use aws_sdk_vpclattice::operation::list_rules::ListRulesOutput;
use aws_sdk_vpclattice::operation::list_service_network_resource_associations::ListServiceNetworkResourceAssociationsOutput;
use aws_sdk_vpclattice::operation::list_service_network_service_associations::ListServiceNetworkServiceAssociationsOutput;
use aws_sdk_vpclattice::operation::list_service_network_vpc_associations::ListServiceNetworkVpcAssociationsOutput;
use aws_sdk_vpclattice::operation::list_service_network_vpc_endpoint_associations::ListServiceNetworkVpcEndpointAssociationsOutput;
use aws_sdk_vpclattice::operation::list_service_networks::ListServiceNetworksOutput;
use aws_sdk_vpclattice::operation::list_services::ListServicesOutput;
use aws_sdk_vpclattice::operation::list_tags_for_resource::ListTagsForResourceOutput;
use aws_sdk_vpclattice::operation::list_target_groups::ListTargetGroupsOutput;
use aws_sdk_vpclattice::operation::list_targets::ListTargetsOutput;
use aws_sdk_vpclattice::operation::put_auth_policy::PutAuthPolicyOutput;
use aws_sdk_vpclattice::operation::put_resource_policy::PutResourcePolicyOutput;
use aws_sdk_vpclattice::operation::register_targets::RegisterTargetsOutput;
use aws_sdk_vpclattice::operation::start_domain_verification::StartDomainVerificationOutput;
use aws_sdk_vpclattice::operation::tag_resource::TagResourceOutput;
use aws_sdk_vpclattice::operation::untag_resource::UntagResourceOutput;
use aws_sdk_vpclattice::operation::update_access_log_subscription::UpdateAccessLogSubscriptionOutput;
use aws_sdk_vpclattice::operation::update_listener::UpdateListenerOutput;
use aws_sdk_vpclattice::operation::update_resource_configuration::UpdateResourceConfigurationOutput;
use aws_sdk_vpclattice::operation::update_resource_gateway::UpdateResourceGatewayOutput;
use aws_sdk_vpclattice::operation::update_rule::UpdateRuleOutput;
use aws_sdk_vpclattice::operation::update_service::UpdateServiceOutput;
use aws_sdk_vpclattice::operation::update_service_network::UpdateServiceNetworkOutput;
use aws_sdk_vpclattice::operation::update_service_network_vpc_association::UpdateServiceNetworkVpcAssociationOutput;
use aws_sdk_vpclattice::operation::update_target_group::UpdateTargetGroupOutput;
use aws_sdk_vpclattice::types::{
    AccessLogSubscriptionSummary, ArnResource, AuthPolicyState, AuthType, CidrResource, DnsEntry, DnsOptions,
    DnsResource, DomainVerificationSummary, FixedResponseAction, ForwardAction, HeaderMatch, HeaderMatchType,
    HealthCheckConfig, HealthCheckProtocolVersion, HttpMatch, IpAddressType, IpResource,
    LambdaEventStructureVersion, ListenerProtocol, ListenerSummary, Matcher, PathMatch, PathMatchType,
    PayerResponsibilityEntry, PayerResponsibilityPayer, PayerResponsibilityScope, PrivateDnsPreference,
    ProtocolType, ResourceConfigDnsResolution, ResourceConfigurationDefinition,
    ResourceConfigurationIpAddressType, ResourceConfigurationStatus, ResourceConfigurationSummary,
    ResourceConfigurationType, ResourceEndpointAssociationSummary, ResourceGatewayIpAddressType,
    ResourceGatewayStatus, ResourceGatewaySummary, RuleAction, RuleMatch, RuleSummary, RuleUpdate,
    RuleUpdateFailure, RuleUpdateSuccess, ServiceNetworkEndpointAssociation, ServiceNetworkLogType,
    ServiceNetworkResourceAssociationStatus, ServiceNetworkResourceAssociationSummary,
    ServiceNetworkServiceAssociationStatus, ServiceNetworkServiceAssociationSummary, ServiceNetworkSummary,
    ServiceNetworkVpcAssociationStatus, ServiceNetworkVpcAssociationSummary, ServiceStatus, ServiceSummary,
    SharingConfig, Target, TargetFailure, TargetGroupConfig, TargetGroupProtocol, TargetGroupProtocolVersion,
    TargetGroupStatus, TargetGroupSummary, TargetGroupType, TargetStatus, TargetSummary, TxtMethodConfig,
    VerificationStatus, WeightedTargetGroup,
};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use aws_smithy_types::error::operation::BuildError;
use serde_json::{Map, Value, json};

/// A value of an answer as JSON; null where there is none.
pub(crate) trait ToJson {
    fn to_json(&self) -> Value;
}

/// A value of a call from the scenario.
pub(crate) trait FromJson {
    fn from_json(value: &Value) -> Self;
}

/// The member that a setter is for, if the call has it.
pub(crate) fn given<T: FromJson>(input: &Value, setter: &str) -> Option<T> {
    input.get(wire_name(setter.trim_start_matches("set_"))).map(T::from_json)
}

/// The name on the wire of a field of the SDK.
fn wire_name(field: &str) -> String {
    if field == "number_of_associated_vpcs" {
        return "numberOfAssociatedVPCs".to_owned();
    }
    let mut name = String::new();
    let mut upper = false;
    for character in field.trim_start_matches("r#").chars() {
        match character {
            '_' => upper = true,
            other if upper => {
                name.push(other.to_ascii_uppercase());
                upper = false;
            }
            other => name.push(other),
        }
    }
    name
}

fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let present = fields.into_iter().filter(|(_, value)| !value.is_null());
    Value::Object(present.map(|(field, value)| (wire_name(field), value)).collect())
}

impl<T: ToJson> ToJson for Option<T> {
    fn to_json(&self) -> Value {
        self.as_ref().map_or(Value::Null, ToJson::to_json)
    }
}

impl<T: ToJson> ToJson for Vec<T> {
    fn to_json(&self) -> Value {
        self.iter().map(ToJson::to_json).collect()
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn from_json(value: &Value) -> Self {
        value.as_array().into_iter().flatten().map(T::from_json).collect()
    }
}

impl ToJson for HashMap<String, String> {
    fn to_json(&self) -> Value {
        Value::Object(self.iter().map(|(key, value)| (key.clone(), json!(value))).collect::<Map<_, _>>())
    }
}

impl FromJson for HashMap<String, String> {
    fn from_json(value: &Value) -> Self {
        let members = value.as_object().into_iter().flatten();
        members.map(|(key, value)| (key.clone(), String::from_json(value))).collect()
    }
}

impl FromJson for String {
    fn from_json(value: &Value) -> Self {
        value.as_str().expect("the scenario has a string here").to_owned()
    }
}

impl FromJson for i32 {
    fn from_json(value: &Value) -> Self {
        value.as_i64().and_then(|number| number.try_into().ok()).expect("the scenario has a number here")
    }
}

impl FromJson for bool {
    fn from_json(value: &Value) -> Self {
        value.as_bool().expect("the scenario has true or false here")
    }
}

impl ToJson for DateTime {
    fn to_json(&self) -> Value {
        let text = self.fmt(Format::DateTime).expect("the time has a form");
        // Milliseconds as the other SDKs write them.
        json!(if text.contains('.') { text } else { text.replace('Z', ".000Z") })
    }
}

/// What builds a value, or fails to where a member is missing.
trait Built<T> {
    fn built(self) -> T;
}

impl<T> Built<T> for T {
    fn built(self) -> T {
        self
    }
}

impl<T> Built<T> for Result<T, BuildError> {
    fn built(self) -> T {
        self.expect("the scenario has all members that the SDK needs")
    }
}

macro_rules! plain {
    ($($kind:ty),+) => {$(
        impl ToJson for $kind {
            fn to_json(&self) -> Value {
                json!(self)
            }
        }
    )+};
}

macro_rules! enumerations {
    ($($name:ident,)+) => {$(
        impl ToJson for $name {
            fn to_json(&self) -> Value {
                json!(self.as_str())
            }
        }
        impl FromJson for $name {
            fn from_json(value: &Value) -> Self {
                Self::from(String::from_json(value).as_str())
            }
        }
    )+};
}

macro_rules! unions {
    ($($name:ident { $($variant:ident $member:literal)+ })+) => {$(
        impl ToJson for $name {
            fn to_json(&self) -> Value {
                match self {
                    $(Self::$variant(value) => json!({$member: value.to_json()}),)+
                    _ => Value::Null,
                }
            }
        }
        impl FromJson for $name {
            fn from_json(value: &Value) -> Self {
                $(if let Some(value) = value.get($member) {
                    return Self::$variant(FromJson::from_json(value));
                })+
                panic!("the scenario has an unknown member here: {value}")
            }
        }
    )+};
}

macro_rules! answers {
    ($($name:ident { $($field:ident)* })+) => {$(
        impl ToJson for $name {
            fn to_json(&self) -> Value {
                object([$((stringify!($field), self.$field.to_json())),*])
            }
        }
    )+};
}

macro_rules! inputs {
    ($($name:ident { $($setter:ident)* })+) => {$(
        impl FromJson for $name {
            fn from_json(value: &Value) -> Self {
                Self::builder()$(.$setter(given(value, stringify!($setter))))*.build().built()
            }
        }
    )+};
}

plain!(String, i32, i64, bool);

enumerations! {
    AuthPolicyState, AuthType, HealthCheckProtocolVersion, IpAddressType, LambdaEventStructureVersion,
    ListenerProtocol, PayerResponsibilityPayer, PayerResponsibilityScope, PrivateDnsPreference, ProtocolType,
    ResourceConfigDnsResolution, ResourceConfigurationIpAddressType, ResourceConfigurationStatus,
    ResourceConfigurationType, ResourceGatewayIpAddressType, ResourceGatewayStatus, ServiceNetworkLogType,
    ServiceNetworkResourceAssociationStatus, ServiceNetworkServiceAssociationStatus,
    ServiceNetworkVpcAssociationStatus, ServiceStatus, TargetGroupProtocol, TargetGroupProtocolVersion,
    TargetGroupStatus, TargetGroupType, TargetStatus, VerificationStatus,
}

unions! {
    HeaderMatchType { Contains "contains" Exact "exact" Prefix "prefix" }
    Matcher { HttpCode "httpCode" }
    PathMatchType { Exact "exact" Prefix "prefix" }
    ResourceConfigurationDefinition { ArnResource "arnResource" CidrResource "cidrResource" DnsResource "dnsResource" IpResource "ipResource" }
    RuleAction { FixedResponse "fixedResponse" Forward "forward" }
    RuleMatch { HttpMatch "httpMatch" }
}

inputs! {
    ArnResource { set_arn }
    CidrResource { set_cidr_ranges }
    DnsOptions { set_private_dns_preference set_private_dns_specified_domains }
    DnsResource { set_domain_name set_ip_address_type }
    FixedResponseAction { set_status_code }
    ForwardAction { set_target_groups }
    HeaderMatch { set_name set_match set_case_sensitive }
    HealthCheckConfig {
        set_enabled set_protocol set_protocol_version set_port set_path set_health_check_interval_seconds
        set_health_check_timeout_seconds set_healthy_threshold_count set_unhealthy_threshold_count set_matcher
    }
    HttpMatch { set_method set_path_match set_header_matches }
    IpResource { set_ip_address }
    PathMatch { set_match set_case_sensitive }
    RuleUpdate { set_rule_identifier set_match set_priority set_action }
    SharingConfig { set_enabled }
    Target { set_id set_port }
    TargetGroupConfig {
        set_port set_protocol set_protocol_version set_ip_address_type set_vpc_identifier set_health_check
        set_lambda_event_structure_version
    }
    WeightedTargetGroup { set_target_group_identifier set_weight }
}

answers! {
    AccessLogSubscriptionSummary {
        id arn resource_id resource_arn destination_arn service_network_log_type created_at last_updated_at
    }
    ArnResource { arn }
    CidrResource { cidr_ranges }
    DnsEntry { domain_name hosted_zone_id }
    DnsOptions { private_dns_preference private_dns_specified_domains }
    DnsResource { domain_name ip_address_type }
    DomainVerificationSummary {
        id arn domain_name status txt_method_config created_at last_verified_time tags
    }
    FixedResponseAction { status_code }
    ForwardAction { target_groups }
    HeaderMatch { name r#match case_sensitive }
    HealthCheckConfig {
        enabled protocol protocol_version port path health_check_interval_seconds health_check_timeout_seconds
        healthy_threshold_count unhealthy_threshold_count matcher
    }
    HttpMatch { method path_match header_matches }
    IpResource { ip_address }
    ListenerSummary { arn id name protocol port created_at last_updated_at }
    PathMatch { r#match case_sensitive }
    PayerResponsibilityEntry { scope payer_responsibility_type }
    ResourceConfigurationSummary {
        id name arn resource_gateway_id resource_configuration_group_id r#type status amazon_managed
        created_at last_updated_at custom_domain_name domain_verification_id group_domain
    }
    ResourceEndpointAssociationSummary {
        id arn resource_configuration_id resource_configuration_arn resource_configuration_name
        vpc_endpoint_id vpc_endpoint_owner created_by created_at payer_responsibility
    }
    ResourceGatewaySummary {
        name id arn status vpc_identifier subnet_ids security_group_ids ip_address_type ipv4_addresses_per_eni
        resource_config_dns_resolution created_at last_updated_at
    }
    RuleSummary { arn id name is_default priority created_at last_updated_at }
    RuleUpdateFailure { rule_identifier failure_code failure_message }
    RuleUpdateSuccess { arn id name is_default r#match priority action }
    ServiceNetworkEndpointAssociation {
        vpc_endpoint_id vpc_id vpc_endpoint_owner_id id state service_network_arn created_at
    }
    ServiceNetworkResourceAssociationSummary {
        id arn status created_by created_at resource_configuration_id resource_configuration_arn
        resource_configuration_name service_network_id service_network_arn service_network_name dns_entry
        private_dns_entry is_managed_association failure_code private_dns_enabled
    }
    ServiceNetworkServiceAssociationSummary {
        id status arn created_by created_at service_id service_name service_arn service_network_id
        service_network_name service_network_arn dns_entry custom_domain_name
    }
    ServiceNetworkSummary {
        id name arn created_at last_updated_at number_of_associated_vpcs number_of_associated_services
        number_of_associated_resource_configurations
    }
    ServiceNetworkVpcAssociationSummary {
        id arn status created_by created_at service_network_id service_network_name service_network_arn
        private_dns_enabled dns_options vpc_id last_updated_at
    }
    ServiceSummary { id name arn created_at last_updated_at dns_entry custom_domain_name status }
    SharingConfig { enabled }
    Target { id port }
    TargetFailure { id port failure_code failure_message }
    TargetGroupConfig {
        port protocol protocol_version ip_address_type vpc_identifier health_check
        lambda_event_structure_version
    }
    TargetGroupSummary {
        id arn name r#type created_at port protocol ip_address_type vpc_identifier last_updated_at status
        service_arns lambda_event_structure_version
    }
    TargetSummary { id port status reason_code }
    TxtMethodConfig { value name }
    WeightedTargetGroup { target_group_identifier weight }
}

answers! {
    BatchUpdateRuleOutput { successful unsuccessful }
    CreateAccessLogSubscriptionOutput {
        id arn resource_id resource_arn service_network_log_type destination_arn
    }
    CreateListenerOutput { arn id name protocol port service_arn service_id default_action }
    CreateResourceConfigurationOutput {
        id name arn resource_gateway_id resource_configuration_group_id r#type port_ranges protocol status
        resource_configuration_definition allow_association_to_shareable_service_network created_at
        failure_reason custom_domain_name domain_verification_id group_domain domain_verification_arn
    }
    CreateResourceGatewayOutput {
        name id arn status vpc_identifier subnet_ids security_group_ids ip_address_type ipv4_addresses_per_eni
        resource_config_dns_resolution
    }
    CreateRuleOutput { arn id name r#match priority action }
    CreateServiceNetworkOutput { id name arn sharing_config auth_type }
    CreateServiceNetworkResourceAssociationOutput { id arn status created_by private_dns_enabled }
    CreateServiceNetworkServiceAssociationOutput { id status arn created_by custom_domain_name dns_entry }
    CreateServiceNetworkVpcAssociationOutput {
        id status arn created_by security_group_ids private_dns_enabled dns_options
    }
    CreateServiceOutput {
        id arn name custom_domain_name certificate_arn status auth_type idle_timeout_seconds dns_entry
    }
    CreateTargetGroupOutput { id arn name r#type config status }
    DeleteAccessLogSubscriptionOutput {}
    DeleteAuthPolicyOutput {}
    DeleteDomainVerificationOutput {}
    DeleteListenerOutput {}
    DeleteResourceConfigurationOutput {}
    DeleteResourceEndpointAssociationOutput {
        id arn resource_configuration_id resource_configuration_arn vpc_endpoint_id
    }
    DeleteResourceGatewayOutput { id arn name status }
    DeleteResourcePolicyOutput {}
    DeleteRuleOutput {}
    DeleteServiceNetworkOutput {}
    DeleteServiceNetworkResourceAssociationOutput { id arn status }
    DeleteServiceNetworkServiceAssociationOutput { id status arn }
    DeleteServiceNetworkVpcAssociationOutput { id status arn }
    DeleteServiceOutput { id arn name status }
    DeleteTargetGroupOutput { id arn status }
    DeregisterTargetsOutput { successful unsuccessful }
    GetAccessLogSubscriptionOutput {
        id arn resource_id resource_arn destination_arn service_network_log_type created_at last_updated_at
    }
    GetAuthPolicyOutput { policy state created_at last_updated_at }
    GetDomainVerificationOutput {
        id arn domain_name status txt_method_config created_at last_verified_time tags
    }
    GetListenerOutput {
        arn id name protocol port service_arn service_id default_action created_at last_updated_at
    }
    GetResourceConfigurationOutput {
        id name arn resource_gateway_id resource_configuration_group_id r#type
        allow_association_to_shareable_service_network port_ranges protocol custom_domain_name status
        resource_configuration_definition created_at amazon_managed failure_reason last_updated_at
        domain_verification_id domain_verification_arn domain_verification_status group_domain
    }
    GetResourceGatewayOutput {
        name id arn status vpc_id subnet_ids service_managed managed_by security_group_ids ip_address_type
        ipv4_addresses_per_eni resource_config_dns_resolution created_at last_updated_at
    }
    GetResourcePolicyOutput { policy }
    GetRuleOutput { arn id name is_default r#match priority action created_at last_updated_at }
    GetServiceNetworkOutput {
        id name created_at last_updated_at arn auth_type sharing_config number_of_associated_vpcs
        number_of_associated_services
    }
    GetServiceNetworkResourceAssociationOutput {
        id arn status created_by created_at resource_configuration_id resource_configuration_arn
        resource_configuration_name service_network_id service_network_arn service_network_name failure_reason
        failure_code last_updated_at private_dns_entry private_dns_enabled dns_entry is_managed_association
        domain_verification_status
    }
    GetServiceNetworkServiceAssociationOutput {
        id status arn created_by created_at service_id service_name service_arn service_network_id
        service_network_name service_network_arn dns_entry custom_domain_name failure_message failure_code
    }
    GetServiceNetworkVpcAssociationOutput {
        id status arn created_by created_at service_network_id service_network_name service_network_arn vpc_id
        security_group_ids private_dns_enabled failure_message failure_code last_updated_at dns_options
    }
    GetServiceOutput {
        id name arn created_at last_updated_at dns_entry custom_domain_name certificate_arn status auth_type
        idle_timeout_seconds failure_code failure_message
    }
    GetTargetGroupOutput {
        id arn name r#type config created_at last_updated_at status service_arns failure_message failure_code
    }
    ListAccessLogSubscriptionsOutput { items next_token }
    ListDomainVerificationsOutput { items next_token }
    ListListenersOutput { items next_token }
    ListResourceConfigurationsOutput { items next_token }
    ListResourceEndpointAssociationsOutput { items next_token }
    ListResourceGatewaysOutput { items next_token }
    ListRulesOutput { items next_token }
    ListServiceNetworkResourceAssociationsOutput { items next_token }
    ListServiceNetworkServiceAssociationsOutput { items next_token }
    ListServiceNetworkVpcAssociationsOutput { items next_token }
    ListServiceNetworkVpcEndpointAssociationsOutput { items next_token }
    ListServiceNetworksOutput { items next_token }
    ListServicesOutput { items next_token }
    ListTagsForResourceOutput { tags }
    ListTargetGroupsOutput { items next_token }
    ListTargetsOutput { items next_token }
    PutAuthPolicyOutput { policy state }
    PutResourcePolicyOutput {}
    RegisterTargetsOutput { successful unsuccessful }
    StartDomainVerificationOutput { id arn domain_name status txt_method_config }
    TagResourceOutput {}
    UntagResourceOutput {}
    UpdateAccessLogSubscriptionOutput { id arn resource_id resource_arn destination_arn }
    UpdateListenerOutput { arn id name protocol port service_arn service_id default_action }
    UpdateResourceConfigurationOutput {
        id name arn resource_gateway_id resource_configuration_group_id r#type port_ranges
        allow_association_to_shareable_service_network protocol status resource_configuration_definition
    }
    UpdateResourceGatewayOutput { name id arn status vpc_id subnet_ids security_group_ids ip_address_type }
    UpdateRuleOutput { arn id name is_default r#match priority action }
    UpdateServiceNetworkOutput { id name arn auth_type }
    UpdateServiceNetworkVpcAssociationOutput {
        id arn status created_by security_group_ids private_dns_enabled dns_options
    }
    UpdateServiceOutput { id arn name custom_domain_name certificate_arn auth_type idle_timeout_seconds }
    UpdateTargetGroupOutput { id arn name r#type config status }
}
