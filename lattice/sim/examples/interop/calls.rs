//! Every operation through the SDK: the setters that a call has.

use aws_sdk_vpclattice::Client;
use aws_sdk_vpclattice::error::{ProvideErrorMetadata, SdkError};
use serde_json::{Value, json};

use crate::shapes::{ToJson as _, given};

/// The error that a call was answered with.
fn refused<E: ProvideErrorMetadata + std::fmt::Debug, R: std::fmt::Debug>(error: &SdkError<E, R>) -> Value {
    let code = error.code().unwrap_or_else(|| panic!("the call was not answered: {error:?}"));
    json!({"error": code, "message": error.message()})
}

macro_rules! operations {
    ($($name:ident $call:ident { $($setter:ident)* })+) => {
        /// Makes a call and returns its answer as JSON.
        pub(crate) async fn call(client: &Client, operation: &str, input: &Value) -> Value {
            match operation {
                $(stringify!($name) => {
                    let call = client.$call()$(.$setter(given(input, stringify!($setter))))*;
                    match Box::pin(call.send()).await {
                        Ok(answer) => answer.to_json(),
                        Err(error) => refused(&error),
                    }
                })+
                other => panic!("there is no operation {other}"),
            }
        }
    };
}

operations! {
    BatchUpdateRule batch_update_rule { set_service_identifier set_listener_identifier set_rules }
    CreateAccessLogSubscription create_access_log_subscription {
        set_client_token set_resource_identifier set_destination_arn set_service_network_log_type set_tags
    }
    CreateListener create_listener {
        set_service_identifier set_name set_protocol set_port set_default_action set_client_token set_tags
    }
    CreateResourceConfiguration create_resource_configuration {
        set_name set_type set_port_ranges set_protocol set_resource_gateway_identifier
        set_resource_configuration_group_identifier set_resource_configuration_definition
        set_allow_association_to_shareable_service_network set_custom_domain_name set_group_domain
        set_domain_verification_identifier set_client_token set_tags
    }
    CreateResourceGateway create_resource_gateway {
        set_client_token set_name set_vpc_identifier set_subnet_ids set_security_group_ids set_ip_address_type
        set_ipv4_addresses_per_eni set_resource_config_dns_resolution set_tags
    }
    CreateRule create_rule {
        set_service_identifier set_listener_identifier set_name set_match set_priority set_action
        set_client_token set_tags
    }
    CreateService create_service {
        set_client_token set_name set_tags set_custom_domain_name set_certificate_arn set_auth_type
        set_idle_timeout_seconds
    }
    CreateServiceNetwork create_service_network {
        set_client_token set_name set_auth_type set_tags set_sharing_config
    }
    CreateServiceNetworkResourceAssociation create_service_network_resource_association {
        set_client_token set_resource_configuration_identifier set_service_network_identifier
        set_private_dns_enabled set_tags
    }
    CreateServiceNetworkServiceAssociation create_service_network_service_association {
        set_client_token set_service_identifier set_service_network_identifier set_tags
    }
    CreateServiceNetworkVpcAssociation create_service_network_vpc_association {
        set_client_token set_service_network_identifier set_vpc_identifier set_private_dns_enabled
        set_security_group_ids set_tags set_dns_options
    }
    CreateTargetGroup create_target_group { set_name set_type set_config set_client_token set_tags }
    DeleteAccessLogSubscription delete_access_log_subscription { set_access_log_subscription_identifier }
    DeleteAuthPolicy delete_auth_policy { set_resource_identifier }
    DeleteDomainVerification delete_domain_verification { set_domain_verification_identifier }
    DeleteListener delete_listener { set_service_identifier set_listener_identifier }
    DeleteResourceConfiguration delete_resource_configuration { set_resource_configuration_identifier }
    DeleteResourceEndpointAssociation delete_resource_endpoint_association {
        set_resource_endpoint_association_identifier
    }
    DeleteResourceGateway delete_resource_gateway { set_resource_gateway_identifier }
    DeleteResourcePolicy delete_resource_policy { set_resource_arn }
    DeleteRule delete_rule { set_service_identifier set_listener_identifier set_rule_identifier }
    DeleteService delete_service { set_service_identifier }
    DeleteServiceNetwork delete_service_network { set_service_network_identifier }
    DeleteServiceNetworkResourceAssociation delete_service_network_resource_association {
        set_service_network_resource_association_identifier
    }
    DeleteServiceNetworkServiceAssociation delete_service_network_service_association {
        set_service_network_service_association_identifier
    }
    DeleteServiceNetworkVpcAssociation delete_service_network_vpc_association {
        set_service_network_vpc_association_identifier
    }
    DeleteTargetGroup delete_target_group { set_target_group_identifier }
    DeregisterTargets deregister_targets { set_target_group_identifier set_targets }
    GetAccessLogSubscription get_access_log_subscription { set_access_log_subscription_identifier }
    GetAuthPolicy get_auth_policy { set_resource_identifier }
    GetDomainVerification get_domain_verification { set_domain_verification_identifier }
    GetListener get_listener { set_service_identifier set_listener_identifier }
    GetResourceConfiguration get_resource_configuration { set_resource_configuration_identifier }
    GetResourceGateway get_resource_gateway { set_resource_gateway_identifier }
    GetResourcePolicy get_resource_policy { set_resource_arn }
    GetRule get_rule { set_service_identifier set_listener_identifier set_rule_identifier }
    GetService get_service { set_service_identifier }
    GetServiceNetwork get_service_network { set_service_network_identifier }
    GetServiceNetworkResourceAssociation get_service_network_resource_association {
        set_service_network_resource_association_identifier
    }
    GetServiceNetworkServiceAssociation get_service_network_service_association {
        set_service_network_service_association_identifier
    }
    GetServiceNetworkVpcAssociation get_service_network_vpc_association {
        set_service_network_vpc_association_identifier
    }
    GetTargetGroup get_target_group { set_target_group_identifier }
    ListAccessLogSubscriptions list_access_log_subscriptions {
        set_resource_identifier set_max_results set_next_token
    }
    ListDomainVerifications list_domain_verifications { set_max_results set_next_token }
    ListListeners list_listeners { set_service_identifier set_max_results set_next_token }
    ListResourceConfigurations list_resource_configurations {
        set_resource_gateway_identifier set_resource_configuration_group_identifier
        set_domain_verification_identifier set_max_results set_next_token
    }
    ListResourceEndpointAssociations list_resource_endpoint_associations {
        set_resource_configuration_identifier set_resource_endpoint_association_identifier set_vpc_endpoint_id
        set_vpc_endpoint_owner set_max_results set_next_token
    }
    ListResourceGateways list_resource_gateways { set_max_results set_next_token }
    ListRules list_rules { set_service_identifier set_listener_identifier set_max_results set_next_token }
    ListServiceNetworkResourceAssociations list_service_network_resource_associations {
        set_service_network_identifier set_resource_configuration_identifier set_max_results set_next_token
        set_include_children
    }
    ListServiceNetworkServiceAssociations list_service_network_service_associations {
        set_service_network_identifier set_service_identifier set_max_results set_next_token
    }
    ListServiceNetworkVpcAssociations list_service_network_vpc_associations {
        set_service_network_identifier set_vpc_identifier set_max_results set_next_token
    }
    ListServiceNetworkVpcEndpointAssociations list_service_network_vpc_endpoint_associations {
        set_service_network_identifier set_max_results set_next_token
    }
    ListServiceNetworks list_service_networks { set_max_results set_next_token }
    ListServices list_services { set_max_results set_next_token }
    ListTagsForResource list_tags_for_resource { set_resource_arn }
    ListTargetGroups list_target_groups {
        set_max_results set_next_token set_vpc_identifier set_target_group_type
    }
    ListTargets list_targets { set_target_group_identifier set_max_results set_next_token set_targets }
    PutAuthPolicy put_auth_policy { set_resource_identifier set_policy }
    PutResourcePolicy put_resource_policy { set_resource_arn set_policy }
    RegisterTargets register_targets { set_target_group_identifier set_targets }
    StartDomainVerification start_domain_verification { set_client_token set_domain_name set_tags }
    TagResource tag_resource { set_resource_arn set_tags }
    UntagResource untag_resource { set_resource_arn set_tag_keys }
    UpdateAccessLogSubscription update_access_log_subscription {
        set_access_log_subscription_identifier set_destination_arn
    }
    UpdateListener update_listener { set_service_identifier set_listener_identifier set_default_action }
    UpdateResourceConfiguration update_resource_configuration {
        set_resource_configuration_identifier set_resource_configuration_definition
        set_allow_association_to_shareable_service_network set_port_ranges
    }
    UpdateResourceGateway update_resource_gateway { set_resource_gateway_identifier set_security_group_ids }
    UpdateRule update_rule {
        set_service_identifier set_listener_identifier set_rule_identifier set_match set_priority set_action
    }
    UpdateService update_service {
        set_service_identifier set_certificate_arn set_auth_type set_idle_timeout_seconds
    }
    UpdateServiceNetwork update_service_network { set_service_network_identifier set_auth_type }
    UpdateServiceNetworkVpcAssociation update_service_network_vpc_association {
        set_service_network_vpc_association_identifier set_security_group_ids set_private_dns_enabled
        set_dns_options
    }
    UpdateTargetGroup update_target_group { set_target_group_identifier set_health_check }
}
