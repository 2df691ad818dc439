//! Every operation and shape of VPC Lattice's API. Written by `cargo xtask model`; do not edit.

use super::{
    ErrorKind, ErrorShape, Location, Member, Operation, Pattern, Range, Shape, boolean, integer, list, map,
    structure, text, timestamp, union,
};

pub(super) static OPERATIONS: [Operation; 73] = [
    Operation {
        name: "BatchUpdateRule",
        method: "PATCH",
        path: "/services/{serviceIdentifier}/listeners/{listenerIdentifier}/rules",
        status: 200,
        idempotent: true,
        read_only: false,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::Conflict, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &BATCH_UPDATE_RULE_REQUEST,
        output: &BATCH_UPDATE_RULE_RESPONSE,
    },
    Operation {
        name: "CreateAccessLogSubscription",
        method: "POST",
        path: "/accesslogsubscriptions",
        status: 201,
        idempotent: true,
        read_only: false,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::Conflict, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &CREATE_ACCESS_LOG_SUBSCRIPTION_REQUEST,
        output: &CREATE_ACCESS_LOG_SUBSCRIPTION_RESPONSE,
    },
    Operation {
        name: "CreateListener",
        method: "POST",
        path: "/services/{serviceIdentifier}/listeners",
        status: 201,
        idempotent: true,
        read_only: false,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::Conflict, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::ServiceQuotaExceeded, ErrorKind::InternalServer],
        input: &CREATE_LISTENER_REQUEST,
        output: &CREATE_LISTENER_RESPONSE,
    },
    Operation {
        name: "CreateResourceConfiguration",
        method: "POST",
        path: "/resourceconfigurations",
        status: 201,
        idempotent: true,
        read_only: false,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::Conflict, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::ServiceQuotaExceeded, ErrorKind::InternalServer],
        input: &CREATE_RESOURCE_CONFIGURATION_REQUEST,
        output: &CREATE_RESOURCE_CONFIGURATION_RESPONSE,
    },
    Operation {
        name: "CreateResourceGateway",
        method: "POST",
        path: "/resourcegateways",
        status: 201,
        idempotent: true,
        read_only: false,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::Conflict, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::ServiceQuotaExceeded, ErrorKind::InternalServer],
        input: &CREATE_RESOURCE_GATEWAY_REQUEST,
        output: &CREATE_RESOURCE_GATEWAY_RESPONSE,
    },
    Operation {
        name: "CreateRule",
        method: "POST",
        path: "/services/{serviceIdentifier}/listeners/{listenerIdentifier}/rules",
        status: 201,
        idempotent: true,
        read_only: false,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::Conflict, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::ServiceQuotaExceeded, ErrorKind::InternalServer],
        input: &CREATE_RULE_REQUEST,
        output: &CREATE_RULE_RESPONSE,
    },
    Operation {
        name: "CreateService",
        method: "POST",
        path: "/services",
        status: 201,
        idempotent: true,
        read_only: false,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::Conflict, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::ServiceQuotaExceeded, ErrorKind::InternalServer],
        input: &CREATE_SERVICE_REQUEST,
        output: &CREATE_SERVICE_RESPONSE,
    },
    Operation {
        name: "CreateServiceNetwork",
        method: "POST",
        path: "/servicenetworks",
        status: 201,
        idempotent: true,
        read_only: false,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::Conflict, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::ServiceQuotaExceeded, ErrorKind::InternalServer],
        input: &CREATE_SERVICE_NETWORK_REQUEST,
        output: &CREATE_SERVICE_NETWORK_RESPONSE,
    },
    Operation {
        name: "CreateServiceNetworkResourceAssociation",
        method: "POST",
        path: "/servicenetworkresourceassociations",
        status: 201,
        idempotent: true,
        read_only: false,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::Conflict, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::ServiceQuotaExceeded, ErrorKind::InternalServer],
        input: &CREATE_SERVICE_NETWORK_RESOURCE_ASSOCIATION_REQUEST,
        output: &CREATE_SERVICE_NETWORK_RESOURCE_ASSOCIATION_RESPONSE,
    },
    Operation {
        name: "CreateServiceNetworkServiceAssociation",
        method: "POST",
        path: "/servicenetworkserviceassociations",
        status: 200,
        idempotent: true,
        read_only: false,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::Conflict, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::ServiceQuotaExceeded, ErrorKind::InternalServer],
        input: &CREATE_SERVICE_NETWORK_SERVICE_ASSOCIATION_REQUEST,
        output: &CREATE_SERVICE_NETWORK_SERVICE_ASSOCIATION_RESPONSE,
    },
    Operation {
        name: "CreateServiceNetworkVpcAssociation",
        method: "POST",
        path: "/servicenetworkvpcassociations",
        status: 200,
        idempotent: true,
        read_only: false,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::Conflict, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::ServiceQuotaExceeded, ErrorKind::InternalServer],
        input: &CREATE_SERVICE_NETWORK_VPC_ASSOCIATION_REQUEST,
        output: &CREATE_SERVICE_NETWORK_VPC_ASSOCIATION_RESPONSE,
    },
    Operation {
        name: "CreateTargetGroup",
        method: "POST",
        path: "/targetgroups",
        status: 201,
        idempotent: true,
        read_only: false,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::Conflict, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::ServiceQuotaExceeded, ErrorKind::InternalServer],
        input: &CREATE_TARGET_GROUP_REQUEST,
        output: &CREATE_TARGET_GROUP_RESPONSE,
    },
    Operation {
        name: "DeleteAccessLogSubscription",
        method: "DELETE",
        path: "/accesslogsubscriptions/{accessLogSubscriptionIdentifier}",
        status: 204,
        idempotent: true,
        read_only: false,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &DELETE_ACCESS_LOG_SUBSCRIPTION_REQUEST,
        output: &DELETE_ACCESS_LOG_SUBSCRIPTION_RESPONSE,
    },
    Operation {
        name: "DeleteAuthPolicy",
        method: "DELETE",
        path: "/authpolicy/{resourceIdentifier}",
        status: 204,
        idempotent: true,
        read_only: false,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &DELETE_AUTH_POLICY_REQUEST,
        output: &DELETE_AUTH_POLICY_RESPONSE,
    },
    Operation {
        name: "DeleteDomainVerification",
        method: "DELETE",
        path: "/domainverifications/{domainVerificationIdentifier}",
        status: 200,
        idempotent: true,
        read_only: false,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &DELETE_DOMAIN_VERIFICATION_REQUEST,
        output: &DELETE_DOMAIN_VERIFICATION_RESPONSE,
    },
    Operation {
        name: "DeleteListener",
        method: "DELETE",
        path: "/services/{serviceIdentifier}/listeners/{listenerIdentifier}",
        status: 204,
        idempotent: true,
        read_only: false,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::Conflict, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &DELETE_LISTENER_REQUEST,
        output: &DELETE_LISTENER_RESPONSE,
    },
    Operation {
        name: "DeleteResourceConfiguration",
        method: "DELETE",
        path: "/resourceconfigurations/{resourceConfigurationIdentifier}",
        status: 204,
        idempotent: true,
        read_only: false,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::Conflict, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &DELETE_RESOURCE_CONFIGURATION_REQUEST,
        output: &DELETE_RESOURCE_CONFIGURATION_RESPONSE,
    },
    Operation {
        name: "DeleteResourceEndpointAssociation",
        method: "DELETE",
        path: "/resourceendpointassociations/{resourceEndpointAssociationIdentifier}",
        status: 200,
        idempotent: true,
        read_only: false,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &DELETE_RESOURCE_ENDPOINT_ASSOCIATION_REQUEST,
        output: &DELETE_RESOURCE_ENDPOINT_ASSOCIATION_RESPONSE,
    },
    Operation {
        name: "DeleteResourceGateway",
        method: "DELETE",
        path: "/resourcegateways/{resourceGatewayIdentifier}",
        status: 200,
        idempotent: true,
        read_only: false,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::Conflict, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &DELETE_RESOURCE_GATEWAY_REQUEST,
        output: &DELETE_RESOURCE_GATEWAY_RESPONSE,
    },
    Operation {
        name: "DeleteResourcePolicy",
        method: "DELETE",
        path: "/resourcepolicy/{resourceArn}",
        status: 204,
        idempotent: true,
        read_only: false,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &DELETE_RESOURCE_POLICY_REQUEST,
        output: &DELETE_RESOURCE_POLICY_RESPONSE,
    },
    Operation {
        name: "DeleteRule",
        method: "DELETE",
        path: "/services/{serviceIdentifier}/listeners/{listenerIdentifier}/rules/{ruleIdentifier}",
        status: 204,
        idempotent: true,
        read_only: false,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::Conflict, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &DELETE_RULE_REQUEST,
        output: &DELETE_RULE_RESPONSE,
    },
    Operation {
        name: "DeleteService",
        method: "DELETE",
        path: "/services/{serviceIdentifier}",
        status: 200,
        idempotent: true,
        read_only: false,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::Conflict, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &DELETE_SERVICE_REQUEST,
        output: &DELETE_SERVICE_RESPONSE,
    },
    Operation {
        name: "DeleteServiceNetwork",
        method: "DELETE",
        path: "/servicenetworks/{serviceNetworkIdentifier}",
        status: 204,
        idempotent: true,
        read_only: false,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::Conflict, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &DELETE_SERVICE_NETWORK_REQUEST,
        output: &DELETE_SERVICE_NETWORK_RESPONSE,
    },
    Operation {
        name: "DeleteServiceNetworkResourceAssociation",
        method: "DELETE",
        path: "/servicenetworkresourceassociations/{serviceNetworkResourceAssociationIdentifier}",
        status: 200,
        idempotent: true,
        read_only: false,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::Conflict, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &DELETE_SERVICE_NETWORK_RESOURCE_ASSOCIATION_REQUEST,
        output: &DELETE_SERVICE_NETWORK_RESOURCE_ASSOCIATION_RESPONSE,
    },
    Operation {
        name: "DeleteServiceNetworkServiceAssociation",
        method: "DELETE",
        path: "/servicenetworkserviceassociations/{serviceNetworkServiceAssociationIdentifier}",
        status: 200,
        idempotent: true,
        read_only: false,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::Conflict, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &DELETE_SERVICE_NETWORK_SERVICE_ASSOCIATION_REQUEST,
        output: &DELETE_SERVICE_NETWORK_SERVICE_ASSOCIATION_RESPONSE,
    },
    Operation {
        name: "DeleteServiceNetworkVpcAssociation",
        method: "DELETE",
        path: "/servicenetworkvpcassociations/{serviceNetworkVpcAssociationIdentifier}",
        status: 200,
        idempotent: true,
        read_only: false,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::Conflict, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &DELETE_SERVICE_NETWORK_VPC_ASSOCIATION_REQUEST,
        output: &DELETE_SERVICE_NETWORK_VPC_ASSOCIATION_RESPONSE,
    },
    Operation {
        name: "DeleteTargetGroup",
        method: "DELETE",
        path: "/targetgroups/{targetGroupIdentifier}",
        status: 200,
        idempotent: true,
        read_only: false,
        errors: &[ErrorKind::Validation, ErrorKind::Conflict, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &DELETE_TARGET_GROUP_REQUEST,
        output: &DELETE_TARGET_GROUP_RESPONSE,
    },
    Operation {
        name: "DeregisterTargets",
        method: "POST",
        path: "/targetgroups/{targetGroupIdentifier}/deregistertargets",
        status: 200,
        idempotent: true,
        read_only: false,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::Conflict, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &DEREGISTER_TARGETS_REQUEST,
        output: &DEREGISTER_TARGETS_RESPONSE,
    },
    Operation {
        name: "GetAccessLogSubscription",
        method: "GET",
        path: "/accesslogsubscriptions/{accessLogSubscriptionIdentifier}",
        status: 200,
        idempotent: false,
        read_only: true,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &GET_ACCESS_LOG_SUBSCRIPTION_REQUEST,
        output: &GET_ACCESS_LOG_SUBSCRIPTION_RESPONSE,
    },
    Operation {
        name: "GetAuthPolicy",
        method: "GET",
        path: "/authpolicy/{resourceIdentifier}",
        status: 200,
        idempotent: false,
        read_only: true,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &GET_AUTH_POLICY_REQUEST,
        output: &GET_AUTH_POLICY_RESPONSE,
    },
    Operation {
        name: "GetDomainVerification",
        method: "GET",
        path: "/domainverifications/{domainVerificationIdentifier}",
        status: 200,
        idempotent: false,
        read_only: true,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &GET_DOMAIN_VERIFICATION_REQUEST,
        output: &GET_DOMAIN_VERIFICATION_RESPONSE,
    },
    Operation {
        name: "GetListener",
        method: "GET",
        path: "/services/{serviceIdentifier}/listeners/{listenerIdentifier}",
        status: 200,
        idempotent: false,
        read_only: true,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &GET_LISTENER_REQUEST,
        output: &GET_LISTENER_RESPONSE,
    },
    Operation {
        name: "GetResourceConfiguration",
        method: "GET",
        path: "/resourceconfigurations/{resourceConfigurationIdentifier}",
        status: 200,
        idempotent: false,
        read_only: true,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &GET_RESOURCE_CONFIGURATION_REQUEST,
        output: &GET_RESOURCE_CONFIGURATION_RESPONSE,
    },
    Operation {
        name: "GetResourceGateway",
        method: "GET",
        path: "/resourcegateways/{resourceGatewayIdentifier}",
        status: 200,
        idempotent: false,
        read_only: true,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &GET_RESOURCE_GATEWAY_REQUEST,
        output: &GET_RESOURCE_GATEWAY_RESPONSE,
    },
    Operation {
        name: "GetResourcePolicy",
        method: "GET",
        path: "/resourcepolicy/{resourceArn}",
        status: 200,
        idempotent: false,
        read_only: true,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &GET_RESOURCE_POLICY_REQUEST,
        output: &GET_RESOURCE_POLICY_RESPONSE,
    },
    Operation {
        name: "GetRule",
        method: "GET",
        path: "/services/{serviceIdentifier}/listeners/{listenerIdentifier}/rules/{ruleIdentifier}",
        status: 200,
        idempotent: false,
        read_only: true,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &GET_RULE_REQUEST,
        output: &GET_RULE_RESPONSE,
    },
    Operation {
        name: "GetService",
        method: "GET",
        path: "/services/{serviceIdentifier}",
        status: 200,
        idempotent: false,
        read_only: true,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &GET_SERVICE_REQUEST,
        output: &GET_SERVICE_RESPONSE,
    },
    Operation {
        name: "GetServiceNetwork",
        method: "GET",
        path: "/servicenetworks/{serviceNetworkIdentifier}",
        status: 200,
        idempotent: false,
        read_only: true,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &GET_SERVICE_NETWORK_REQUEST,
        output: &GET_SERVICE_NETWORK_RESPONSE,
    },
    Operation {
        name: "GetServiceNetworkResourceAssociation",
        method: "GET",
        path: "/servicenetworkresourceassociations/{serviceNetworkResourceAssociationIdentifier}",
        status: 200,
        idempotent: false,
        read_only: true,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &GET_SERVICE_NETWORK_RESOURCE_ASSOCIATION_REQUEST,
        output: &GET_SERVICE_NETWORK_RESOURCE_ASSOCIATION_RESPONSE,
    },
    Operation {
        name: "GetServiceNetworkServiceAssociation",
        method: "GET",
        path: "/servicenetworkserviceassociations/{serviceNetworkServiceAssociationIdentifier}",
        status: 200,
        idempotent: false,
        read_only: true,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &GET_SERVICE_NETWORK_SERVICE_ASSOCIATION_REQUEST,
        output: &GET_SERVICE_NETWORK_SERVICE_ASSOCIATION_RESPONSE,
    },
    Operation {
        name: "GetServiceNetworkVpcAssociation",
        method: "GET",
        path: "/servicenetworkvpcassociations/{serviceNetworkVpcAssociationIdentifier}",
        status: 200,
        idempotent: false,
        read_only: true,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &GET_SERVICE_NETWORK_VPC_ASSOCIATION_REQUEST,
        output: &GET_SERVICE_NETWORK_VPC_ASSOCIATION_RESPONSE,
    },
    Operation {
        name: "GetTargetGroup",
        method: "GET",
        path: "/targetgroups/{targetGroupIdentifier}",
        status: 200,
        idempotent: false,
        read_only: true,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &GET_TARGET_GROUP_REQUEST,
        output: &GET_TARGET_GROUP_RESPONSE,
    },
    Operation {
        name: "ListAccessLogSubscriptions",
        method: "GET",
        path: "/accesslogsubscriptions",
        status: 200,
        idempotent: false,
        read_only: true,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &LIST_ACCESS_LOG_SUBSCRIPTIONS_REQUEST,
        output: &LIST_ACCESS_LOG_SUBSCRIPTIONS_RESPONSE,
    },
    Operation {
        name: "ListDomainVerifications",
        method: "GET",
        path: "/domainverifications",
        status: 200,
        idempotent: false,
        read_only: true,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &LIST_DOMAIN_VERIFICATIONS_REQUEST,
        output: &LIST_DOMAIN_VERIFICATIONS_RESPONSE,
    },
    Operation {
        name: "ListListeners",
        method: "GET",
        path: "/services/{serviceIdentifier}/listeners",
        status: 200,
        idempotent: false,
        read_only: true,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &LIST_LISTENERS_REQUEST,
        output: &LIST_LISTENERS_RESPONSE,
    },
    Operation {
        name: "ListResourceConfigurations",
        method: "GET",
        path: "/resourceconfigurations",
        status: 200,
        idempotent: false,
        read_only: true,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &LIST_RESOURCE_CONFIGURATIONS_REQUEST,
        output: &LIST_RESOURCE_CONFIGURATIONS_RESPONSE,
    },
    Operation {
        name: "ListResourceEndpointAssociations",
        method: "GET",
        path: "/resourceendpointassociations",
        status: 200,
        idempotent: false,
        read_only: true,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &LIST_RESOURCE_ENDPOINT_ASSOCIATIONS_REQUEST,
        output: &LIST_RESOURCE_ENDPOINT_ASSOCIATIONS_RESPONSE,
    },
    Operation {
        name: "ListResourceGateways",
        method: "GET",
        path: "/resourcegateways",
        status: 200,
        idempotent: false,
        read_only: true,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &LIST_RESOURCE_GATEWAYS_REQUEST,
        output: &LIST_RESOURCE_GATEWAYS_RESPONSE,
    },
    Operation {
        name: "ListRules",
        method: "GET",
        path: "/services/{serviceIdentifier}/listeners/{listenerIdentifier}/rules",
        status: 200,
        idempotent: false,
        read_only: true,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &LIST_RULES_REQUEST,
        output: &LIST_RULES_RESPONSE,
    },
    Operation {
        name: "ListServiceNetworkResourceAssociations",
        method: "GET",
        path: "/servicenetworkresourceassociations",
        status: 200,
        idempotent: false,
        read_only: true,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &LIST_SERVICE_NETWORK_RESOURCE_ASSOCIATIONS_REQUEST,
        output: &LIST_SERVICE_NETWORK_RESOURCE_ASSOCIATIONS_RESPONSE,
    },
    Operation {
        name: "ListServiceNetworkServiceAssociations",
        method: "GET",
        path: "/servicenetworkserviceassociations",
        status: 200,
        idempotent: false,
        read_only: true,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &LIST_SERVICE_NETWORK_SERVICE_ASSOCIATIONS_REQUEST,
        output: &LIST_SERVICE_NETWORK_SERVICE_ASSOCIATIONS_RESPONSE,
    },
    Operation {
        name: "ListServiceNetworkVpcAssociations",
        method: "GET",
        path: "/servicenetworkvpcassociations",
        status: 200,
        idempotent: false,
        read_only: true,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &LIST_SERVICE_NETWORK_VPC_ASSOCIATIONS_REQUEST,
        output: &LIST_SERVICE_NETWORK_VPC_ASSOCIATIONS_RESPONSE,
    },
    Operation {
        name: "ListServiceNetworkVpcEndpointAssociations",
        method: "GET",
        path: "/servicenetworkvpcendpointassociations",
        status: 200,
        idempotent: false,
        read_only: true,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &LIST_SERVICE_NETWORK_VPC_ENDPOINT_ASSOCIATIONS_REQUEST,
        output: &LIST_SERVICE_NETWORK_VPC_ENDPOINT_ASSOCIATIONS_RESPONSE,
    },
    Operation {
        name: "ListServiceNetworks",
        method: "GET",
        path: "/servicenetworks",
        status: 200,
        idempotent: false,
        read_only: true,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &LIST_SERVICE_NETWORKS_REQUEST,
        output: &LIST_SERVICE_NETWORKS_RESPONSE,
    },
    Operation {
        name: "ListServices",
        method: "GET",
        path: "/services",
        status: 200,
        idempotent: false,
        read_only: true,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &LIST_SERVICES_REQUEST,
        output: &LIST_SERVICES_RESPONSE,
    },
    Operation {
        name: "ListTagsForResource",
        method: "GET",
        path: "/tags/{resourceArn}",
        status: 200,
        idempotent: false,
        read_only: true,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::ResourceNotFound, ErrorKind::InternalServer],
        input: &LIST_TAGS_FOR_RESOURCE_REQUEST,
        output: &LIST_TAGS_FOR_RESOURCE_RESPONSE,
    },
    Operation {
        name: "ListTargetGroups",
        method: "GET",
        path: "/targetgroups",
        status: 200,
        idempotent: false,
        read_only: true,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &LIST_TARGET_GROUPS_REQUEST,
        output: &LIST_TARGET_GROUPS_RESPONSE,
    },
    Operation {
        name: "ListTargets",
        method: "POST",
        path: "/targetgroups/{targetGroupIdentifier}/listtargets",
        status: 200,
        idempotent: false,
        read_only: true,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &LIST_TARGETS_REQUEST,
        output: &LIST_TARGETS_RESPONSE,
    },
    Operation {
        name: "PutAuthPolicy",
        method: "PUT",
        path: "/authpolicy/{resourceIdentifier}",
        status: 200,
        idempotent: false,
        read_only: false,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &PUT_AUTH_POLICY_REQUEST,
        output: &PUT_AUTH_POLICY_RESPONSE,
    },
    Operation {
        name: "PutResourcePolicy",
        method: "PUT",
        path: "/resourcepolicy/{resourceArn}",
        status: 200,
        idempotent: true,
        read_only: false,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &PUT_RESOURCE_POLICY_REQUEST,
        output: &PUT_RESOURCE_POLICY_RESPONSE,
    },
    Operation {
        name: "RegisterTargets",
        method: "POST",
        path: "/targetgroups/{targetGroupIdentifier}/registertargets",
        status: 200,
        idempotent: false,
        read_only: false,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::Conflict, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::ServiceQuotaExceeded, ErrorKind::InternalServer],
        input: &REGISTER_TARGETS_REQUEST,
        output: &REGISTER_TARGETS_RESPONSE,
    },
    Operation {
        name: "StartDomainVerification",
        method: "POST",
        path: "/domainverifications",
        status: 201,
        idempotent: true,
        read_only: false,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::Conflict, ErrorKind::Throttling, ErrorKind::ServiceQuotaExceeded, ErrorKind::InternalServer],
        input: &START_DOMAIN_VERIFICATION_REQUEST,
        output: &START_DOMAIN_VERIFICATION_RESPONSE,
    },
    Operation {
        name: "TagResource",
        method: "POST",
        path: "/tags/{resourceArn}",
        status: 200,
        idempotent: false,
        read_only: false,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &TAG_RESOURCE_REQUEST,
        output: &TAG_RESOURCE_RESPONSE,
    },
    Operation {
        name: "UntagResource",
        method: "DELETE",
        path: "/tags/{resourceArn}",
        status: 200,
        idempotent: true,
        read_only: false,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::ResourceNotFound, ErrorKind::InternalServer],
        input: &UNTAG_RESOURCE_REQUEST,
        output: &UNTAG_RESOURCE_RESPONSE,
    },
    Operation {
        name: "UpdateAccessLogSubscription",
        method: "PATCH",
        path: "/accesslogsubscriptions/{accessLogSubscriptionIdentifier}",
        status: 200,
        idempotent: true,
        read_only: false,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::Conflict, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &UPDATE_ACCESS_LOG_SUBSCRIPTION_REQUEST,
        output: &UPDATE_ACCESS_LOG_SUBSCRIPTION_RESPONSE,
    },
    Operation {
        name: "UpdateListener",
        method: "PATCH",
        path: "/services/{serviceIdentifier}/listeners/{listenerIdentifier}",
        status: 200,
        idempotent: true,
        read_only: false,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::Conflict, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::ServiceQuotaExceeded, ErrorKind::InternalServer],
        input: &UPDATE_LISTENER_REQUEST,
        output: &UPDATE_LISTENER_RESPONSE,
    },
    Operation {
        name: "UpdateResourceConfiguration",
        method: "PATCH",
        path: "/resourceconfigurations/{resourceConfigurationIdentifier}",
        status: 200,
        idempotent: false,
        read_only: false,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::ServiceQuotaExceeded, ErrorKind::InternalServer],
        input: &UPDATE_RESOURCE_CONFIGURATION_REQUEST,
        output: &UPDATE_RESOURCE_CONFIGURATION_RESPONSE,
    },
    Operation {
        name: "UpdateResourceGateway",
        method: "PATCH",
        path: "/resourcegateways/{resourceGatewayIdentifier}",
        status: 200,
        idempotent: false,
        read_only: false,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::Conflict, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &UPDATE_RESOURCE_GATEWAY_REQUEST,
        output: &UPDATE_RESOURCE_GATEWAY_RESPONSE,
    },
    Operation {
        name: "UpdateRule",
        method: "PATCH",
        path: "/services/{serviceIdentifier}/listeners/{listenerIdentifier}/rules/{ruleIdentifier}",
        status: 200,
        idempotent: true,
        read_only: false,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::Conflict, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::ServiceQuotaExceeded, ErrorKind::InternalServer],
        input: &UPDATE_RULE_REQUEST,
        output: &UPDATE_RULE_RESPONSE,
    },
    Operation {
        name: "UpdateService",
        method: "PATCH",
        path: "/services/{serviceIdentifier}",
        status: 200,
        idempotent: false,
        read_only: false,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::Conflict, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::ServiceQuotaExceeded, ErrorKind::InternalServer],
        input: &UPDATE_SERVICE_REQUEST,
        output: &UPDATE_SERVICE_RESPONSE,
    },
    Operation {
        name: "UpdateServiceNetwork",
        method: "PATCH",
        path: "/servicenetworks/{serviceNetworkIdentifier}",
        status: 200,
        idempotent: true,
        read_only: false,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::Conflict, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &UPDATE_SERVICE_NETWORK_REQUEST,
        output: &UPDATE_SERVICE_NETWORK_RESPONSE,
    },
    Operation {
        name: "UpdateServiceNetworkVpcAssociation",
        method: "PATCH",
        path: "/servicenetworkvpcassociations/{serviceNetworkVpcAssociationIdentifier}",
        status: 200,
        idempotent: true,
        read_only: false,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::Conflict, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::InternalServer],
        input: &UPDATE_SERVICE_NETWORK_VPC_ASSOCIATION_REQUEST,
        output: &UPDATE_SERVICE_NETWORK_VPC_ASSOCIATION_RESPONSE,
    },
    Operation {
        name: "UpdateTargetGroup",
        method: "PATCH",
        path: "/targetgroups/{targetGroupIdentifier}",
        status: 200,
        idempotent: true,
        read_only: false,
        errors: &[ErrorKind::Validation, ErrorKind::AccessDenied, ErrorKind::Conflict, ErrorKind::ResourceNotFound, ErrorKind::Throttling, ErrorKind::ServiceQuotaExceeded, ErrorKind::InternalServer],
        input: &UPDATE_TARGET_GROUP_REQUEST,
        output: &UPDATE_TARGET_GROUP_RESPONSE,
    },
];

pub(super) static ERRORS: [ErrorShape; 7] = [
    ErrorShape { kind: ErrorKind::AccessDenied, name: "AccessDeniedException", status: 403, body: &ACCESS_DENIED_EXCEPTION },
    ErrorShape { kind: ErrorKind::Conflict, name: "ConflictException", status: 409, body: &CONFLICT_EXCEPTION },
    ErrorShape { kind: ErrorKind::InternalServer, name: "InternalServerException", status: 500, body: &INTERNAL_SERVER_EXCEPTION },
    ErrorShape { kind: ErrorKind::ResourceNotFound, name: "ResourceNotFoundException", status: 404, body: &RESOURCE_NOT_FOUND_EXCEPTION },
    ErrorShape { kind: ErrorKind::ServiceQuotaExceeded, name: "ServiceQuotaExceededException", status: 402, body: &SERVICE_QUOTA_EXCEEDED_EXCEPTION },
    ErrorShape { kind: ErrorKind::Throttling, name: "ThrottlingException", status: 429, body: &THROTTLING_EXCEPTION },
    ErrorShape { kind: ErrorKind::Validation, name: "ValidationException", status: 400, body: &VALIDATION_EXCEPTION },
];

static ACCESS_DENIED_EXCEPTION: Shape = structure("AccessDeniedException", &[
    Member { name: "message", shape: &STRING, required: true, location: Location::Body, token: false },
]);
static ACCESS_LOG_DESTINATION_ARN: Shape = text("AccessLogDestinationArn", Range::new(Some(20), Some(2048)), Some(Pattern::new(r"arn(:[a-z0-9]+([.-][a-z0-9]+)*){2}(:([a-z0-9]+([.-][a-z0-9]+)*)?){2}:([^/].*)?")), &[]);
static ACCESS_LOG_SUBSCRIPTION_ARN: Shape = text("AccessLogSubscriptionArn", Range::new(Some(20), Some(2048)), Some(Pattern::new(r"arn:[a-z0-9\-]+:vpc-lattice:[a-zA-Z0-9\-]+:\d{12}:accesslogsubscription/als-[0-9a-z]{17}")), &[]);
static ACCESS_LOG_SUBSCRIPTION_ID: Shape = text("AccessLogSubscriptionId", Range::new(Some(21), Some(21)), Some(Pattern::new(r"als-[0-9a-z]{17}")), &[]);
static ACCESS_LOG_SUBSCRIPTION_IDENTIFIER: Shape = text("AccessLogSubscriptionIdentifier", Range::new(Some(17), Some(2048)), Some(Pattern::new(r"((als-[0-9a-z]{17})|(arn:[a-z0-9\-]+:vpc-lattice:[a-zA-Z0-9\-]+:\d{12}:accesslogsubscription/als-[0-9a-z]{17}))")), &[]);
static ACCESS_LOG_SUBSCRIPTION_LIST: Shape = list("AccessLogSubscriptionList", Range::new(None, None), &ACCESS_LOG_SUBSCRIPTION_SUMMARY);
static ACCESS_LOG_SUBSCRIPTION_SUMMARY: Shape = structure("AccessLogSubscriptionSummary", &[
    Member { name: "arn", shape: &ACCESS_LOG_SUBSCRIPTION_ARN, required: true, location: Location::Body, token: false },
    Member { name: "createdAt", shape: &TIMESTAMP, required: true, location: Location::Body, token: false },
    Member { name: "destinationArn", shape: &ACCESS_LOG_DESTINATION_ARN, required: true, location: Location::Body, token: false },
    Member { name: "id", shape: &ACCESS_LOG_SUBSCRIPTION_ID, required: true, location: Location::Body, token: false },
    Member { name: "lastUpdatedAt", shape: &TIMESTAMP, required: true, location: Location::Body, token: false },
    Member { name: "resourceArn", shape: &RESOURCE_ARN, required: true, location: Location::Body, token: false },
    Member { name: "resourceId", shape: &RESOURCE_ID, required: true, location: Location::Body, token: false },
    Member { name: "serviceNetworkLogType", shape: &SERVICE_NETWORK_LOG_TYPE, required: false, location: Location::Body, token: false },
]);
static ACCOUNT_ID: Shape = text("AccountId", Range::new(Some(1), Some(12)), Some(Pattern::new(r"[0-9]{12}")), &[]);
static ARN: Shape = text("Arn", Range::new(Some(0), Some(1224)), Some(Pattern::new(r"arn:[a-z0-9][-.a-z0-9]{0,62}:vpc-lattice:([a-z0-9][-.a-z0-9]{0,62})?:\d{12}?:[^/].{0,1023}")), &[]);
static ARN_RESOURCE: Shape = structure("ArnResource", &[
    Member { name: "arn", shape: &WILDCARD_ARN, required: false, location: Location::Body, token: false },
]);
static AUTH_POLICY_STATE: Shape = text("AuthPolicyState", Range::new(None, None), None, &["Active", "Inactive"]);
static AUTH_POLICY_STRING: Shape = text("AuthPolicyString", Range::new(Some(0), Some(102400)), None, &[]);
static AUTH_TYPE: Shape = text("AuthType", Range::new(None, None), None, &["NONE", "AWS_IAM"]);
static BATCH_UPDATE_RULE_REQUEST: Shape = structure("BatchUpdateRuleRequest", &[
    Member { name: "listenerIdentifier", shape: &LISTENER_IDENTIFIER, required: true, location: Location::Path, token: false },
    Member { name: "rules", shape: &RULE_UPDATE_LIST, required: true, location: Location::Body, token: false },
    Member { name: "serviceIdentifier", shape: &SERVICE_IDENTIFIER, required: true, location: Location::Path, token: false },
]);
static BATCH_UPDATE_RULE_RESPONSE: Shape = structure("BatchUpdateRuleResponse", &[
    Member { name: "successful", shape: &RULE_UPDATE_SUCCESS_LIST, required: false, location: Location::Body, token: false },
    Member { name: "unsuccessful", shape: &RULE_UPDATE_FAILURE_LIST, required: false, location: Location::Body, token: false },
]);
static BOOLEAN: Shape = boolean("Boolean");
static CERTIFICATE_ARN: Shape = text("CertificateArn", Range::new(Some(0), Some(2048)), Some(Pattern::new(r"(arn(:[a-z0-9]+([.-][a-z0-9]+)*){2}(:([a-z0-9]+([.-][a-z0-9]+)*)?){2}:certificate/[0-9a-z-]+)?")), &[]);
static CIDR_RANGE: Shape = text("CidrRange", Range::new(Some(1), Some(50)), None, &[]);
static CIDR_RANGE_LIST: Shape = list("CidrRangeList", Range::new(Some(1), Some(10)), &CIDR_RANGE);
static CIDR_RESOURCE: Shape = structure("CidrResource", &[
    Member { name: "cidrRanges", shape: &CIDR_RANGE_LIST, required: false, location: Location::Body, token: false },
]);
static CLIENT_TOKEN: Shape = text("ClientToken", Range::new(Some(1), Some(64)), Some(Pattern::new(r".*[!-~]+.*")), &[]);
static CONFLICT_EXCEPTION: Shape = structure("ConflictException", &[
    Member { name: "message", shape: &STRING, required: true, location: Location::Body, token: false },
    Member { name: "resourceId", shape: &STRING, required: true, location: Location::Body, token: false },
    Member { name: "resourceType", shape: &STRING, required: true, location: Location::Body, token: false },
]);
static CREATE_ACCESS_LOG_SUBSCRIPTION_REQUEST: Shape = structure("CreateAccessLogSubscriptionRequest", &[
    Member { name: "clientToken", shape: &CLIENT_TOKEN, required: false, location: Location::Body, token: true },
    Member { name: "destinationArn", shape: &ACCESS_LOG_DESTINATION_ARN, required: true, location: Location::Body, token: false },
    Member { name: "resourceIdentifier", shape: &RESOURCE_IDENTIFIER, required: true, location: Location::Body, token: false },
    Member { name: "serviceNetworkLogType", shape: &SERVICE_NETWORK_LOG_TYPE, required: false, location: Location::Body, token: false },
    Member { name: "tags", shape: &TAG_MAP, required: false, location: Location::Body, token: false },
]);
static CREATE_ACCESS_LOG_SUBSCRIPTION_RESPONSE: Shape = structure("CreateAccessLogSubscriptionResponse", &[
    Member { name: "arn", shape: &ACCESS_LOG_SUBSCRIPTION_ARN, required: true, location: Location::Body, token: false },
    Member { name: "destinationArn", shape: &ACCESS_LOG_DESTINATION_ARN, required: true, location: Location::Body, token: false },
    Member { name: "id", shape: &ACCESS_LOG_SUBSCRIPTION_ID, required: true, location: Location::Body, token: false },
    Member { name: "resourceArn", shape: &RESOURCE_ARN, required: true, location: Location::Body, token: false },
    Member { name: "resourceId", shape: &RESOURCE_ID, required: true, location: Location::Body, token: false },
    Member { name: "serviceNetworkLogType", shape: &SERVICE_NETWORK_LOG_TYPE, required: false, location: Location::Body, token: false },
]);
static CREATE_LISTENER_REQUEST: Shape = structure("CreateListenerRequest", &[
    Member { name: "clientToken", shape: &CLIENT_TOKEN, required: false, location: Location::Body, token: true },
    Member { name: "defaultAction", shape: &RULE_ACTION, required: true, location: Location::Body, token: false },
    Member { name: "name", shape: &LISTENER_NAME, required: true, location: Location::Body, token: false },
    Member { name: "port", shape: &PORT, required: false, location: Location::Body, token: false },
    Member { name: "protocol", shape: &LISTENER_PROTOCOL, required: true, location: Location::Body, token: false },
    Member { name: "serviceIdentifier", shape: &SERVICE_IDENTIFIER, required: true, location: Location::Path, token: false },
    Member { name: "tags", shape: &TAG_MAP, required: false, location: Location::Body, token: false },
]);
static CREATE_LISTENER_RESPONSE: Shape = structure("CreateListenerResponse", &[
    Member { name: "arn", shape: &LISTENER_ARN, required: false, location: Location::Body, token: false },
    Member { name: "defaultAction", shape: &RULE_ACTION, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &LISTENER_ID, required: false, location: Location::Body, token: false },
    Member { name: "name", shape: &LISTENER_NAME, required: false, location: Location::Body, token: false },
    Member { name: "port", shape: &PORT, required: false, location: Location::Body, token: false },
    Member { name: "protocol", shape: &LISTENER_PROTOCOL, required: false, location: Location::Body, token: false },
    Member { name: "serviceArn", shape: &SERVICE_ARN, required: false, location: Location::Body, token: false },
    Member { name: "serviceId", shape: &SERVICE_ID, required: false, location: Location::Body, token: false },
]);
static CREATE_RESOURCE_CONFIGURATION_REQUEST: Shape = structure("CreateResourceConfigurationRequest", &[
    Member { name: "allowAssociationToShareableServiceNetwork", shape: &BOOLEAN, required: false, location: Location::Body, token: false },
    Member { name: "clientToken", shape: &CLIENT_TOKEN, required: false, location: Location::Body, token: true },
    Member { name: "customDomainName", shape: &DOMAIN_NAME, required: false, location: Location::Body, token: false },
    Member { name: "domainVerificationIdentifier", shape: &DOMAIN_VERIFICATION_IDENTIFIER, required: false, location: Location::Body, token: false },
    Member { name: "groupDomain", shape: &DOMAIN_NAME, required: false, location: Location::Body, token: false },
    Member { name: "name", shape: &RESOURCE_CONFIGURATION_NAME, required: true, location: Location::Body, token: false },
    Member { name: "portRanges", shape: &PORT_RANGE_LIST, required: false, location: Location::Body, token: false },
    Member { name: "protocol", shape: &PROTOCOL_TYPE, required: false, location: Location::Body, token: false },
    Member { name: "resourceConfigurationDefinition", shape: &RESOURCE_CONFIGURATION_DEFINITION, required: false, location: Location::Body, token: false },
    Member { name: "resourceConfigurationGroupIdentifier", shape: &RESOURCE_CONFIGURATION_IDENTIFIER, required: false, location: Location::Body, token: false },
    Member { name: "resourceGatewayIdentifier", shape: &RESOURCE_GATEWAY_IDENTIFIER, required: false, location: Location::Body, token: false },
    Member { name: "tags", shape: &TAG_MAP, required: false, location: Location::Body, token: false },
    Member { name: "type", shape: &RESOURCE_CONFIGURATION_TYPE, required: true, location: Location::Body, token: false },
]);
static CREATE_RESOURCE_CONFIGURATION_RESPONSE: Shape = structure("CreateResourceConfigurationResponse", &[
    Member { name: "allowAssociationToShareableServiceNetwork", shape: &BOOLEAN, required: false, location: Location::Body, token: false },
    Member { name: "arn", shape: &RESOURCE_CONFIGURATION_ARN, required: false, location: Location::Body, token: false },
    Member { name: "createdAt", shape: &TIMESTAMP, required: false, location: Location::Body, token: false },
    Member { name: "customDomainName", shape: &DOMAIN_NAME, required: false, location: Location::Body, token: false },
    Member { name: "domainVerificationArn", shape: &DOMAIN_VERIFICATION_ARN, required: false, location: Location::Body, token: false },
    Member { name: "domainVerificationId", shape: &DOMAIN_VERIFICATION_ID, required: false, location: Location::Body, token: false },
    Member { name: "failureReason", shape: &STRING, required: false, location: Location::Body, token: false },
    Member { name: "groupDomain", shape: &DOMAIN_NAME, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &RESOURCE_CONFIGURATION_ID, required: false, location: Location::Body, token: false },
    Member { name: "name", shape: &RESOURCE_CONFIGURATION_NAME, required: false, location: Location::Body, token: false },
    Member { name: "portRanges", shape: &PORT_RANGE_LIST, required: false, location: Location::Body, token: false },
    Member { name: "protocol", shape: &PROTOCOL_TYPE, required: false, location: Location::Body, token: false },
    Member { name: "resourceConfigurationDefinition", shape: &RESOURCE_CONFIGURATION_DEFINITION, required: false, location: Location::Body, token: false },
    Member { name: "resourceConfigurationGroupId", shape: &RESOURCE_CONFIGURATION_ID, required: false, location: Location::Body, token: false },
    Member { name: "resourceGatewayId", shape: &RESOURCE_GATEWAY_ID, required: false, location: Location::Body, token: false },
    Member { name: "status", shape: &RESOURCE_CONFIGURATION_STATUS, required: false, location: Location::Body, token: false },
    Member { name: "type", shape: &RESOURCE_CONFIGURATION_TYPE, required: false, location: Location::Body, token: false },
]);
static CREATE_RESOURCE_GATEWAY_REQUEST: Shape = structure("CreateResourceGatewayRequest", &[
    Member { name: "clientToken", shape: &CLIENT_TOKEN, required: false, location: Location::Body, token: true },
    Member { name: "ipAddressType", shape: &RESOURCE_GATEWAY_IP_ADDRESS_TYPE, required: false, location: Location::Body, token: false },
    Member { name: "ipv4AddressesPerEni", shape: &IPV4_ADDRESSES_PER_ENI, required: false, location: Location::Body, token: false },
    Member { name: "name", shape: &RESOURCE_GATEWAY_NAME, required: true, location: Location::Body, token: false },
    Member { name: "resourceConfigDnsResolution", shape: &RESOURCE_CONFIG_DNS_RESOLUTION, required: false, location: Location::Body, token: false },
    Member { name: "securityGroupIds", shape: &CREATE_RESOURCE_GATEWAY_REQUEST_SECURITY_GROUP_IDS_LIST, required: false, location: Location::Body, token: false },
    Member { name: "subnetIds", shape: &SUBNET_LIST, required: false, location: Location::Body, token: false },
    Member { name: "tags", shape: &TAG_MAP, required: false, location: Location::Body, token: false },
    Member { name: "vpcIdentifier", shape: &VPC_ID, required: false, location: Location::Body, token: false },
]);
static CREATE_RESOURCE_GATEWAY_REQUEST_SECURITY_GROUP_IDS_LIST: Shape = list("CreateResourceGatewayRequestSecurityGroupIdsList", Range::new(Some(0), Some(5)), &SECURITY_GROUP_ID);
static CREATE_RESOURCE_GATEWAY_RESPONSE: Shape = structure("CreateResourceGatewayResponse", &[
    Member { name: "arn", shape: &RESOURCE_GATEWAY_ARN, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &RESOURCE_GATEWAY_ID, required: false, location: Location::Body, token: false },
    Member { name: "ipAddressType", shape: &RESOURCE_GATEWAY_IP_ADDRESS_TYPE, required: false, location: Location::Body, token: false },
    Member { name: "ipv4AddressesPerEni", shape: &IPV4_ADDRESSES_PER_ENI, required: false, location: Location::Body, token: false },
    Member { name: "name", shape: &RESOURCE_GATEWAY_NAME, required: false, location: Location::Body, token: false },
    Member { name: "resourceConfigDnsResolution", shape: &RESOURCE_CONFIG_DNS_RESOLUTION, required: false, location: Location::Body, token: false },
    Member { name: "securityGroupIds", shape: &SECURITY_GROUP_LIST, required: false, location: Location::Body, token: false },
    Member { name: "status", shape: &RESOURCE_GATEWAY_STATUS, required: false, location: Location::Body, token: false },
    Member { name: "subnetIds", shape: &SUBNET_LIST, required: false, location: Location::Body, token: false },
    Member { name: "vpcIdentifier", shape: &VPC_ID, required: false, location: Location::Body, token: false },
]);
static CREATE_RULE_REQUEST: Shape = structure("CreateRuleRequest", &[
    Member { name: "action", shape: &RULE_ACTION, required: true, location: Location::Body, token: false },
    Member { name: "clientToken", shape: &CLIENT_TOKEN, required: false, location: Location::Body, token: true },
    Member { name: "listenerIdentifier", shape: &LISTENER_IDENTIFIER, required: true, location: Location::Path, token: false },
    Member { name: "match", shape: &RULE_MATCH, required: true, location: Location::Body, token: false },
    Member { name: "name", shape: &RULE_NAME, required: true, location: Location::Body, token: false },
    Member { name: "priority", shape: &RULE_PRIORITY, required: true, location: Location::Body, token: false },
    Member { name: "serviceIdentifier", shape: &SERVICE_IDENTIFIER, required: true, location: Location::Path, token: false },
    Member { name: "tags", shape: &TAG_MAP, required: false, location: Location::Body, token: false },
]);
static CREATE_RULE_RESPONSE: Shape = structure("CreateRuleResponse", &[
    Member { name: "action", shape: &RULE_ACTION, required: false, location: Location::Body, token: false },
    Member { name: "arn", shape: &RULE_ARN, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &RULE_ID, required: false, location: Location::Body, token: false },
    Member { name: "match", shape: &RULE_MATCH, required: false, location: Location::Body, token: false },
    Member { name: "name", shape: &RULE_NAME, required: false, location: Location::Body, token: false },
    Member { name: "priority", shape: &RULE_PRIORITY, required: false, location: Location::Body, token: false },
]);
static CREATE_SERVICE_NETWORK_REQUEST: Shape = structure("CreateServiceNetworkRequest", &[
    Member { name: "authType", shape: &AUTH_TYPE, required: false, location: Location::Body, token: false },
    Member { name: "clientToken", shape: &CLIENT_TOKEN, required: false, location: Location::Body, token: true },
    Member { name: "name", shape: &SERVICE_NETWORK_NAME, required: true, location: Location::Body, token: false },
    Member { name: "sharingConfig", shape: &SHARING_CONFIG, required: false, location: Location::Body, token: false },
    Member { name: "tags", shape: &TAG_MAP, required: false, location: Location::Body, token: false },
]);
static CREATE_SERVICE_NETWORK_RESOURCE_ASSOCIATION_REQUEST: Shape = structure("CreateServiceNetworkResourceAssociationRequest", &[
    Member { name: "clientToken", shape: &CLIENT_TOKEN, required: false, location: Location::Body, token: true },
    Member { name: "privateDnsEnabled", shape: &BOOLEAN, required: false, location: Location::Body, token: false },
    Member { name: "resourceConfigurationIdentifier", shape: &RESOURCE_CONFIGURATION_IDENTIFIER, required: true, location: Location::Body, token: false },
    Member { name: "serviceNetworkIdentifier", shape: &SERVICE_NETWORK_IDENTIFIER_WITHOUT_REGEX, required: true, location: Location::Body, token: false },
    Member { name: "tags", shape: &TAG_MAP, required: false, location: Location::Body, token: false },
]);
static CREATE_SERVICE_NETWORK_RESOURCE_ASSOCIATION_RESPONSE: Shape = structure("CreateServiceNetworkResourceAssociationResponse", &[
    Member { name: "arn", shape: &SERVICE_NETWORK_RESOURCE_ASSOCIATION_ARN, required: false, location: Location::Body, token: false },
    Member { name: "createdBy", shape: &ACCOUNT_ID, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &SERVICE_NETWORK_RESOURCE_ASSOCIATION_ID, required: false, location: Location::Body, token: false },
    Member { name: "privateDnsEnabled", shape: &BOOLEAN, required: false, location: Location::Body, token: false },
    Member { name: "status", shape: &SERVICE_NETWORK_RESOURCE_ASSOCIATION_STATUS, required: false, location: Location::Body, token: false },
]);
static CREATE_SERVICE_NETWORK_RESPONSE: Shape = structure("CreateServiceNetworkResponse", &[
    Member { name: "arn", shape: &SERVICE_NETWORK_ARN, required: false, location: Location::Body, token: false },
    Member { name: "authType", shape: &AUTH_TYPE, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &SERVICE_NETWORK_ID, required: false, location: Location::Body, token: false },
    Member { name: "name", shape: &SERVICE_NETWORK_NAME, required: false, location: Location::Body, token: false },
    Member { name: "sharingConfig", shape: &SHARING_CONFIG, required: false, location: Location::Body, token: false },
]);
static CREATE_SERVICE_NETWORK_SERVICE_ASSOCIATION_REQUEST: Shape = structure("CreateServiceNetworkServiceAssociationRequest", &[
    Member { name: "clientToken", shape: &CLIENT_TOKEN, required: false, location: Location::Body, token: true },
    Member { name: "serviceIdentifier", shape: &SERVICE_IDENTIFIER, required: true, location: Location::Body, token: false },
    Member { name: "serviceNetworkIdentifier", shape: &SERVICE_NETWORK_IDENTIFIER, required: true, location: Location::Body, token: false },
    Member { name: "tags", shape: &TAG_MAP, required: false, location: Location::Body, token: false },
]);
static CREATE_SERVICE_NETWORK_SERVICE_ASSOCIATION_RESPONSE: Shape = structure("CreateServiceNetworkServiceAssociationResponse", &[
    Member { name: "arn", shape: &SERVICE_NETWORK_SERVICE_ASSOCIATION_ARN, required: false, location: Location::Body, token: false },
    Member { name: "createdBy", shape: &ACCOUNT_ID, required: false, location: Location::Body, token: false },
    Member { name: "customDomainName", shape: &SERVICE_CUSTOM_DOMAIN_NAME, required: false, location: Location::Body, token: false },
    Member { name: "dnsEntry", shape: &DNS_ENTRY, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &SERVICE_NETWORK_SERVICE_ASSOCIATION_IDENTIFIER, required: false, location: Location::Body, token: false },
    Member { name: "status", shape: &SERVICE_NETWORK_SERVICE_ASSOCIATION_STATUS, required: false, location: Location::Body, token: false },
]);
static CREATE_SERVICE_NETWORK_VPC_ASSOCIATION_REQUEST: Shape = structure("CreateServiceNetworkVpcAssociationRequest", &[
    Member { name: "clientToken", shape: &CLIENT_TOKEN, required: false, location: Location::Body, token: true },
    Member { name: "dnsOptions", shape: &DNS_OPTIONS, required: false, location: Location::Body, token: false },
    Member { name: "privateDnsEnabled", shape: &BOOLEAN, required: false, location: Location::Body, token: false },
    Member { name: "securityGroupIds", shape: &CREATE_SERVICE_NETWORK_VPC_ASSOCIATION_REQUEST_SECURITY_GROUP_IDS_LIST, required: false, location: Location::Body, token: false },
    Member { name: "serviceNetworkIdentifier", shape: &SERVICE_NETWORK_IDENTIFIER_WITHOUT_REGEX, required: true, location: Location::Body, token: false },
    Member { name: "tags", shape: &TAG_MAP, required: false, location: Location::Body, token: false },
    Member { name: "vpcIdentifier", shape: &VPC_ID, required: true, location: Location::Body, token: false },
]);
static CREATE_SERVICE_NETWORK_VPC_ASSOCIATION_REQUEST_SECURITY_GROUP_IDS_LIST: Shape = list("CreateServiceNetworkVpcAssociationRequestSecurityGroupIdsList", Range::new(Some(0), Some(5)), &SECURITY_GROUP_ID);
static CREATE_SERVICE_NETWORK_VPC_ASSOCIATION_RESPONSE: Shape = structure("CreateServiceNetworkVpcAssociationResponse", &[
    Member { name: "arn", shape: &SERVICE_NETWORK_VPC_ASSOCIATION_ARN, required: false, location: Location::Body, token: false },
    Member { name: "createdBy", shape: &ACCOUNT_ID, required: false, location: Location::Body, token: false },
    Member { name: "dnsOptions", shape: &DNS_OPTIONS, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &SERVICE_NETWORK_VPC_ASSOCIATION_ID, required: false, location: Location::Body, token: false },
    Member { name: "privateDnsEnabled", shape: &BOOLEAN, required: false, location: Location::Body, token: false },
    Member { name: "securityGroupIds", shape: &SECURITY_GROUP_LIST, required: false, location: Location::Body, token: false },
    Member { name: "status", shape: &SERVICE_NETWORK_VPC_ASSOCIATION_STATUS, required: false, location: Location::Body, token: false },
]);
static CREATE_SERVICE_REQUEST: Shape = structure("CreateServiceRequest", &[
    Member { name: "authType", shape: &AUTH_TYPE, required: false, location: Location::Body, token: false },
    Member { name: "certificateArn", shape: &CERTIFICATE_ARN, required: false, location: Location::Body, token: false },
    Member { name: "clientToken", shape: &CLIENT_TOKEN, required: false, location: Location::Body, token: true },
    Member { name: "customDomainName", shape: &SERVICE_CUSTOM_DOMAIN_NAME, required: false, location: Location::Body, token: false },
    Member { name: "idleTimeoutSeconds", shape: &IDLE_TIMEOUT_SECONDS, required: false, location: Location::Body, token: false },
    Member { name: "name", shape: &SERVICE_NAME, required: true, location: Location::Body, token: false },
    Member { name: "tags", shape: &TAG_MAP, required: false, location: Location::Body, token: false },
]);
static CREATE_SERVICE_RESPONSE: Shape = structure("CreateServiceResponse", &[
    Member { name: "arn", shape: &SERVICE_ARN, required: false, location: Location::Body, token: false },
    Member { name: "authType", shape: &AUTH_TYPE, required: false, location: Location::Body, token: false },
    Member { name: "certificateArn", shape: &CERTIFICATE_ARN, required: false, location: Location::Body, token: false },
    Member { name: "customDomainName", shape: &SERVICE_CUSTOM_DOMAIN_NAME, required: false, location: Location::Body, token: false },
    Member { name: "dnsEntry", shape: &DNS_ENTRY, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &SERVICE_ID, required: false, location: Location::Body, token: false },
    Member { name: "idleTimeoutSeconds", shape: &IDLE_TIMEOUT_SECONDS, required: false, location: Location::Body, token: false },
    Member { name: "name", shape: &SERVICE_NAME, required: false, location: Location::Body, token: false },
    Member { name: "status", shape: &SERVICE_STATUS, required: false, location: Location::Body, token: false },
]);
static CREATE_TARGET_GROUP_REQUEST: Shape = structure("CreateTargetGroupRequest", &[
    Member { name: "clientToken", shape: &CLIENT_TOKEN, required: false, location: Location::Body, token: true },
    Member { name: "config", shape: &TARGET_GROUP_CONFIG, required: false, location: Location::Body, token: false },
    Member { name: "name", shape: &TARGET_GROUP_NAME, required: true, location: Location::Body, token: false },
    Member { name: "tags", shape: &TAG_MAP, required: false, location: Location::Body, token: false },
    Member { name: "type", shape: &TARGET_GROUP_TYPE, required: true, location: Location::Body, token: false },
]);
static CREATE_TARGET_GROUP_RESPONSE: Shape = structure("CreateTargetGroupResponse", &[
    Member { name: "arn", shape: &TARGET_GROUP_ARN, required: false, location: Location::Body, token: false },
    Member { name: "config", shape: &TARGET_GROUP_CONFIG, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &TARGET_GROUP_ID, required: false, location: Location::Body, token: false },
    Member { name: "name", shape: &TARGET_GROUP_NAME, required: false, location: Location::Body, token: false },
    Member { name: "status", shape: &TARGET_GROUP_STATUS, required: false, location: Location::Body, token: false },
    Member { name: "type", shape: &TARGET_GROUP_TYPE, required: false, location: Location::Body, token: false },
]);
static DELETE_ACCESS_LOG_SUBSCRIPTION_REQUEST: Shape = structure("DeleteAccessLogSubscriptionRequest", &[
    Member { name: "accessLogSubscriptionIdentifier", shape: &ACCESS_LOG_SUBSCRIPTION_IDENTIFIER, required: true, location: Location::Path, token: false },
]);
static DELETE_ACCESS_LOG_SUBSCRIPTION_RESPONSE: Shape = structure("DeleteAccessLogSubscriptionResponse", &[
]);
static DELETE_AUTH_POLICY_REQUEST: Shape = structure("DeleteAuthPolicyRequest", &[
    Member { name: "resourceIdentifier", shape: &RESOURCE_IDENTIFIER, required: true, location: Location::Path, token: false },
]);
static DELETE_AUTH_POLICY_RESPONSE: Shape = structure("DeleteAuthPolicyResponse", &[
]);
static DELETE_DOMAIN_VERIFICATION_REQUEST: Shape = structure("DeleteDomainVerificationRequest", &[
    Member { name: "domainVerificationIdentifier", shape: &DOMAIN_VERIFICATION_IDENTIFIER, required: true, location: Location::Path, token: false },
]);
static DELETE_DOMAIN_VERIFICATION_RESPONSE: Shape = structure("DeleteDomainVerificationResponse", &[
]);
static DELETE_LISTENER_REQUEST: Shape = structure("DeleteListenerRequest", &[
    Member { name: "listenerIdentifier", shape: &LISTENER_IDENTIFIER, required: true, location: Location::Path, token: false },
    Member { name: "serviceIdentifier", shape: &SERVICE_IDENTIFIER, required: true, location: Location::Path, token: false },
]);
static DELETE_LISTENER_RESPONSE: Shape = structure("DeleteListenerResponse", &[
]);
static DELETE_RESOURCE_CONFIGURATION_REQUEST: Shape = structure("DeleteResourceConfigurationRequest", &[
    Member { name: "resourceConfigurationIdentifier", shape: &RESOURCE_CONFIGURATION_IDENTIFIER, required: true, location: Location::Path, token: false },
]);
static DELETE_RESOURCE_CONFIGURATION_RESPONSE: Shape = structure("DeleteResourceConfigurationResponse", &[
]);
static DELETE_RESOURCE_ENDPOINT_ASSOCIATION_REQUEST: Shape = structure("DeleteResourceEndpointAssociationRequest", &[
    Member { name: "resourceEndpointAssociationIdentifier", shape: &RESOURCE_ENDPOINT_ASSOCIATION_IDENTIFIER, required: true, location: Location::Path, token: false },
]);
static DELETE_RESOURCE_ENDPOINT_ASSOCIATION_RESPONSE: Shape = structure("DeleteResourceEndpointAssociationResponse", &[
    Member { name: "arn", shape: &RESOURCE_ENDPOINT_ASSOCIATION_ARN, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &RESOURCE_ENDPOINT_ASSOCIATION_ID, required: false, location: Location::Body, token: false },
    Member { name: "resourceConfigurationArn", shape: &RESOURCE_CONFIGURATION_ARN, required: false, location: Location::Body, token: false },
    Member { name: "resourceConfigurationId", shape: &RESOURCE_CONFIGURATION_ID, required: false, location: Location::Body, token: false },
    Member { name: "vpcEndpointId", shape: &VPC_ENDPOINT_ID, required: false, location: Location::Body, token: false },
]);
static DELETE_RESOURCE_GATEWAY_REQUEST: Shape = structure("DeleteResourceGatewayRequest", &[
    Member { name: "resourceGatewayIdentifier", shape: &RESOURCE_GATEWAY_IDENTIFIER, required: true, location: Location::Path, token: false },
]);
static DELETE_RESOURCE_GATEWAY_RESPONSE: Shape = structure("DeleteResourceGatewayResponse", &[
    Member { name: "arn", shape: &RESOURCE_GATEWAY_ARN, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &RESOURCE_GATEWAY_ID, required: false, location: Location::Body, token: false },
    Member { name: "name", shape: &RESOURCE_GATEWAY_NAME, required: false, location: Location::Body, token: false },
    Member { name: "status", shape: &RESOURCE_GATEWAY_STATUS, required: false, location: Location::Body, token: false },
]);
static DELETE_RESOURCE_POLICY_REQUEST: Shape = structure("DeleteResourcePolicyRequest", &[
    Member { name: "resourceArn", shape: &RESOURCE_ARN, required: true, location: Location::Path, token: false },
]);
static DELETE_RESOURCE_POLICY_RESPONSE: Shape = structure("DeleteResourcePolicyResponse", &[
]);
static DELETE_RULE_REQUEST: Shape = structure("DeleteRuleRequest", &[
    Member { name: "listenerIdentifier", shape: &LISTENER_IDENTIFIER, required: true, location: Location::Path, token: false },
    Member { name: "ruleIdentifier", shape: &RULE_IDENTIFIER, required: true, location: Location::Path, token: false },
    Member { name: "serviceIdentifier", shape: &SERVICE_IDENTIFIER, required: true, location: Location::Path, token: false },
]);
static DELETE_RULE_RESPONSE: Shape = structure("DeleteRuleResponse", &[
]);
static DELETE_SERVICE_NETWORK_REQUEST: Shape = structure("DeleteServiceNetworkRequest", &[
    Member { name: "serviceNetworkIdentifier", shape: &SERVICE_NETWORK_IDENTIFIER, required: true, location: Location::Path, token: false },
]);
static DELETE_SERVICE_NETWORK_RESOURCE_ASSOCIATION_REQUEST: Shape = structure("DeleteServiceNetworkResourceAssociationRequest", &[
    Member { name: "serviceNetworkResourceAssociationIdentifier", shape: &SERVICE_NETWORK_RESOURCE_ASSOCIATION_IDENTIFIER, required: true, location: Location::Path, token: false },
]);
static DELETE_SERVICE_NETWORK_RESOURCE_ASSOCIATION_RESPONSE: Shape = structure("DeleteServiceNetworkResourceAssociationResponse", &[
    Member { name: "arn", shape: &SERVICE_NETWORK_RESOURCE_ASSOCIATION_ARN, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &SERVICE_NETWORK_RESOURCE_ASSOCIATION_ID, required: false, location: Location::Body, token: false },
    Member { name: "status", shape: &SERVICE_NETWORK_RESOURCE_ASSOCIATION_STATUS, required: false, location: Location::Body, token: false },
]);
static DELETE_SERVICE_NETWORK_RESPONSE: Shape = structure("DeleteServiceNetworkResponse", &[
]);
static DELETE_SERVICE_NETWORK_SERVICE_ASSOCIATION_REQUEST: Shape = structure("DeleteServiceNetworkServiceAssociationRequest", &[
    Member { name: "serviceNetworkServiceAssociationIdentifier", shape: &SERVICE_NETWORK_SERVICE_ASSOCIATION_IDENTIFIER, required: true, location: Location::Path, token: false },
]);
static DELETE_SERVICE_NETWORK_SERVICE_ASSOCIATION_RESPONSE: Shape = structure("DeleteServiceNetworkServiceAssociationResponse", &[
    Member { name: "arn", shape: &SERVICE_NETWORK_SERVICE_ASSOCIATION_ARN, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &SERVICE_NETWORK_SERVICE_ASSOCIATION_IDENTIFIER, required: false, location: Location::Body, token: false },
    Member { name: "status", shape: &SERVICE_NETWORK_SERVICE_ASSOCIATION_STATUS, required: false, location: Location::Body, token: false },
]);
static DELETE_SERVICE_NETWORK_VPC_ASSOCIATION_REQUEST: Shape = structure("DeleteServiceNetworkVpcAssociationRequest", &[
    Member { name: "serviceNetworkVpcAssociationIdentifier", shape: &SERVICE_NETWORK_VPC_ASSOCIATION_IDENTIFIER, required: true, location: Location::Path, token: false },
]);
static DELETE_SERVICE_NETWORK_VPC_ASSOCIATION_RESPONSE: Shape = structure("DeleteServiceNetworkVpcAssociationResponse", &[
    Member { name: "arn", shape: &SERVICE_NETWORK_VPC_ASSOCIATION_ARN, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &SERVICE_NETWORK_VPC_ASSOCIATION_ID, required: false, location: Location::Body, token: false },
    Member { name: "status", shape: &SERVICE_NETWORK_VPC_ASSOCIATION_STATUS, required: false, location: Location::Body, token: false },
]);
static DELETE_SERVICE_REQUEST: Shape = structure("DeleteServiceRequest", &[
    Member { name: "serviceIdentifier", shape: &SERVICE_IDENTIFIER, required: true, location: Location::Path, token: false },
]);
static DELETE_SERVICE_RESPONSE: Shape = structure("DeleteServiceResponse", &[
    Member { name: "arn", shape: &SERVICE_ARN, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &SERVICE_ID, required: false, location: Location::Body, token: false },
    Member { name: "name", shape: &SERVICE_NAME, required: false, location: Location::Body, token: false },
    Member { name: "status", shape: &SERVICE_STATUS, required: false, location: Location::Body, token: false },
]);
static DELETE_TARGET_GROUP_REQUEST: Shape = structure("DeleteTargetGroupRequest", &[
    Member { name: "targetGroupIdentifier", shape: &TARGET_GROUP_IDENTIFIER, required: true, location: Location::Path, token: false },
]);
static DELETE_TARGET_GROUP_RESPONSE: Shape = structure("DeleteTargetGroupResponse", &[
    Member { name: "arn", shape: &TARGET_GROUP_ARN, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &TARGET_GROUP_ID, required: false, location: Location::Body, token: false },
    Member { name: "status", shape: &TARGET_GROUP_STATUS, required: false, location: Location::Body, token: false },
]);
static DEREGISTER_TARGETS_REQUEST: Shape = structure("DeregisterTargetsRequest", &[
    Member { name: "targetGroupIdentifier", shape: &TARGET_GROUP_IDENTIFIER, required: true, location: Location::Path, token: false },
    Member { name: "targets", shape: &DEREGISTER_TARGETS_REQUEST_TARGETS_LIST, required: true, location: Location::Body, token: false },
]);
static DEREGISTER_TARGETS_REQUEST_TARGETS_LIST: Shape = list("DeregisterTargetsRequestTargetsList", Range::new(Some(1), Some(100)), &TARGET);
static DEREGISTER_TARGETS_RESPONSE: Shape = structure("DeregisterTargetsResponse", &[
    Member { name: "successful", shape: &TARGET_LIST, required: false, location: Location::Body, token: false },
    Member { name: "unsuccessful", shape: &TARGET_FAILURE_LIST, required: false, location: Location::Body, token: false },
]);
static DNS_ENTRY: Shape = structure("DnsEntry", &[
    Member { name: "domainName", shape: &STRING, required: false, location: Location::Body, token: false },
    Member { name: "hostedZoneId", shape: &STRING, required: false, location: Location::Body, token: false },
]);
static DNS_OPTIONS: Shape = structure("DnsOptions", &[
    Member { name: "privateDnsPreference", shape: &PRIVATE_DNS_PREFERENCE, required: false, location: Location::Body, token: false },
    Member { name: "privateDnsSpecifiedDomains", shape: &PRIVATE_DNS_SPECIFIED_DOMAINS_LIST, required: false, location: Location::Body, token: false },
]);
static DNS_RESOURCE: Shape = structure("DnsResource", &[
    Member { name: "domainName", shape: &DOMAIN_NAME, required: false, location: Location::Body, token: false },
    Member { name: "ipAddressType", shape: &RESOURCE_CONFIGURATION_IP_ADDRESS_TYPE, required: false, location: Location::Body, token: false },
]);
static DOMAIN_NAME: Shape = text("DomainName", Range::new(Some(3), Some(255)), None, &[]);
static DOMAIN_VERIFICATION_ARN: Shape = text("DomainVerificationArn", Range::new(Some(20), Some(2048)), Some(Pattern::new(r"arn:[a-z0-9f\-]+:vpc-lattice:[a-zA-Z0-9\-]+:\d{12}:domainverification/dv-[a-fA-F0-9]{17}")), &[]);
static DOMAIN_VERIFICATION_ID: Shape = text("DomainVerificationId", Range::new(Some(20), Some(20)), Some(Pattern::new(r"dv-[a-fA-F0-9]{17}")), &[]);
static DOMAIN_VERIFICATION_IDENTIFIER: Shape = text("DomainVerificationIdentifier", Range::new(Some(20), Some(2048)), Some(Pattern::new(r"((dv-[0-9a-z]{17})|(arn:[a-z0-9\-]+:vpc-lattice:[a-zA-Z0-9\-]+:\d{12}:domainverification/dv-[a-fA-F0-9]{17}))")), &[]);
static DOMAIN_VERIFICATION_LIST: Shape = list("DomainVerificationList", Range::new(None, None), &DOMAIN_VERIFICATION_SUMMARY);
static DOMAIN_VERIFICATION_SUMMARY: Shape = structure("DomainVerificationSummary", &[
    Member { name: "arn", shape: &DOMAIN_VERIFICATION_ARN, required: true, location: Location::Body, token: false },
    Member { name: "createdAt", shape: &TIMESTAMP, required: true, location: Location::Body, token: false },
    Member { name: "domainName", shape: &DOMAIN_NAME, required: true, location: Location::Body, token: false },
    Member { name: "id", shape: &DOMAIN_VERIFICATION_ID, required: true, location: Location::Body, token: false },
    Member { name: "lastVerifiedTime", shape: &TIMESTAMP, required: false, location: Location::Body, token: false },
    Member { name: "status", shape: &VERIFICATION_STATUS, required: true, location: Location::Body, token: false },
    Member { name: "tags", shape: &TAG_MAP, required: false, location: Location::Body, token: false },
    Member { name: "txtMethodConfig", shape: &TXT_METHOD_CONFIG, required: false, location: Location::Body, token: false },
]);
static FAILURE_CODE: Shape = text("FailureCode", Range::new(None, None), None, &[]);
static FAILURE_MESSAGE: Shape = text("FailureMessage", Range::new(None, None), None, &[]);
static FIXED_RESPONSE_ACTION: Shape = structure("FixedResponseAction", &[
    Member { name: "statusCode", shape: &HTTP_STATUS_CODE, required: true, location: Location::Body, token: false },
]);
static FORWARD_ACTION: Shape = structure("ForwardAction", &[
    Member { name: "targetGroups", shape: &WEIGHTED_TARGET_GROUP_LIST, required: true, location: Location::Body, token: false },
]);
static GET_ACCESS_LOG_SUBSCRIPTION_REQUEST: Shape = structure("GetAccessLogSubscriptionRequest", &[
    Member { name: "accessLogSubscriptionIdentifier", shape: &ACCESS_LOG_SUBSCRIPTION_IDENTIFIER, required: true, location: Location::Path, token: false },
]);
static GET_ACCESS_LOG_SUBSCRIPTION_RESPONSE: Shape = structure("GetAccessLogSubscriptionResponse", &[
    Member { name: "arn", shape: &ACCESS_LOG_SUBSCRIPTION_ARN, required: true, location: Location::Body, token: false },
    Member { name: "createdAt", shape: &TIMESTAMP, required: true, location: Location::Body, token: false },
    Member { name: "destinationArn", shape: &ACCESS_LOG_DESTINATION_ARN, required: true, location: Location::Body, token: false },
    Member { name: "id", shape: &ACCESS_LOG_SUBSCRIPTION_ID, required: true, location: Location::Body, token: false },
    Member { name: "lastUpdatedAt", shape: &TIMESTAMP, required: true, location: Location::Body, token: false },
    Member { name: "resourceArn", shape: &RESOURCE_ARN, required: true, location: Location::Body, token: false },
    Member { name: "resourceId", shape: &RESOURCE_ID, required: true, location: Location::Body, token: false },
    Member { name: "serviceNetworkLogType", shape: &SERVICE_NETWORK_LOG_TYPE, required: false, location: Location::Body, token: false },
]);
static GET_AUTH_POLICY_REQUEST: Shape = structure("GetAuthPolicyRequest", &[
    Member { name: "resourceIdentifier", shape: &RESOURCE_IDENTIFIER, required: true, location: Location::Path, token: false },
]);
static GET_AUTH_POLICY_RESPONSE: Shape = structure("GetAuthPolicyResponse", &[
    Member { name: "createdAt", shape: &TIMESTAMP, required: false, location: Location::Body, token: false },
    Member { name: "lastUpdatedAt", shape: &TIMESTAMP, required: false, location: Location::Body, token: false },
    Member { name: "policy", shape: &AUTH_POLICY_STRING, required: false, location: Location::Body, token: false },
    Member { name: "state", shape: &AUTH_POLICY_STATE, required: false, location: Location::Body, token: false },
]);
static GET_DOMAIN_VERIFICATION_REQUEST: Shape = structure("GetDomainVerificationRequest", &[
    Member { name: "domainVerificationIdentifier", shape: &DOMAIN_VERIFICATION_IDENTIFIER, required: true, location: Location::Path, token: false },
]);
static GET_DOMAIN_VERIFICATION_RESPONSE: Shape = structure("GetDomainVerificationResponse", &[
    Member { name: "arn", shape: &DOMAIN_VERIFICATION_ARN, required: true, location: Location::Body, token: false },
    Member { name: "createdAt", shape: &TIMESTAMP, required: true, location: Location::Body, token: false },
    Member { name: "domainName", shape: &DOMAIN_NAME, required: true, location: Location::Body, token: false },
    Member { name: "id", shape: &DOMAIN_VERIFICATION_ID, required: true, location: Location::Body, token: false },
    Member { name: "lastVerifiedTime", shape: &TIMESTAMP, required: false, location: Location::Body, token: false },
    Member { name: "status", shape: &VERIFICATION_STATUS, required: true, location: Location::Body, token: false },
    Member { name: "tags", shape: &TAG_MAP, required: false, location: Location::Body, token: false },
    Member { name: "txtMethodConfig", shape: &TXT_METHOD_CONFIG, required: false, location: Location::Body, token: false },
]);
static GET_LISTENER_REQUEST: Shape = structure("GetListenerRequest", &[
    Member { name: "listenerIdentifier", shape: &LISTENER_IDENTIFIER, required: true, location: Location::Path, token: false },
    Member { name: "serviceIdentifier", shape: &SERVICE_IDENTIFIER, required: true, location: Location::Path, token: false },
]);
static GET_LISTENER_RESPONSE: Shape = structure("GetListenerResponse", &[
    Member { name: "arn", shape: &LISTENER_ARN, required: false, location: Location::Body, token: false },
    Member { name: "createdAt", shape: &TIMESTAMP, required: false, location: Location::Body, token: false },
    Member { name: "defaultAction", shape: &RULE_ACTION, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &LISTENER_ID, required: false, location: Location::Body, token: false },
    Member { name: "lastUpdatedAt", shape: &TIMESTAMP, required: false, location: Location::Body, token: false },
    Member { name: "name", shape: &LISTENER_NAME, required: false, location: Location::Body, token: false },
    Member { name: "port", shape: &PORT, required: false, location: Location::Body, token: false },
    Member { name: "protocol", shape: &LISTENER_PROTOCOL, required: false, location: Location::Body, token: false },
    Member { name: "serviceArn", shape: &SERVICE_ARN, required: false, location: Location::Body, token: false },
    Member { name: "serviceId", shape: &SERVICE_ID, required: false, location: Location::Body, token: false },
]);
static GET_RESOURCE_CONFIGURATION_REQUEST: Shape = structure("GetResourceConfigurationRequest", &[
    Member { name: "resourceConfigurationIdentifier", shape: &RESOURCE_CONFIGURATION_IDENTIFIER, required: true, location: Location::Path, token: false },
]);
static GET_RESOURCE_CONFIGURATION_RESPONSE: Shape = structure("GetResourceConfigurationResponse", &[
    Member { name: "allowAssociationToShareableServiceNetwork", shape: &BOOLEAN, required: false, location: Location::Body, token: false },
    Member { name: "amazonManaged", shape: &BOOLEAN, required: false, location: Location::Body, token: false },
    Member { name: "arn", shape: &RESOURCE_CONFIGURATION_ARN, required: false, location: Location::Body, token: false },
    Member { name: "createdAt", shape: &TIMESTAMP, required: false, location: Location::Body, token: false },
    Member { name: "customDomainName", shape: &DOMAIN_NAME, required: false, location: Location::Body, token: false },
    Member { name: "domainVerificationArn", shape: &DOMAIN_VERIFICATION_ARN, required: false, location: Location::Body, token: false },
    Member { name: "domainVerificationId", shape: &DOMAIN_VERIFICATION_ID, required: false, location: Location::Body, token: false },
    Member { name: "domainVerificationStatus", shape: &VERIFICATION_STATUS, required: false, location: Location::Body, token: false },
    Member { name: "failureReason", shape: &STRING, required: false, location: Location::Body, token: false },
    Member { name: "groupDomain", shape: &DOMAIN_NAME, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &RESOURCE_CONFIGURATION_ID, required: false, location: Location::Body, token: false },
    Member { name: "lastUpdatedAt", shape: &TIMESTAMP, required: false, location: Location::Body, token: false },
    Member { name: "name", shape: &RESOURCE_CONFIGURATION_NAME, required: false, location: Location::Body, token: false },
    Member { name: "portRanges", shape: &PORT_RANGE_LIST, required: false, location: Location::Body, token: false },
    Member { name: "protocol", shape: &PROTOCOL_TYPE, required: false, location: Location::Body, token: false },
    Member { name: "resourceConfigurationDefinition", shape: &RESOURCE_CONFIGURATION_DEFINITION, required: false, location: Location::Body, token: false },
    Member { name: "resourceConfigurationGroupId", shape: &RESOURCE_CONFIGURATION_ID, required: false, location: Location::Body, token: false },
    Member { name: "resourceGatewayId", shape: &RESOURCE_GATEWAY_ID, required: false, location: Location::Body, token: false },
    Member { name: "status", shape: &RESOURCE_CONFIGURATION_STATUS, required: false, location: Location::Body, token: false },
    Member { name: "type", shape: &RESOURCE_CONFIGURATION_TYPE, required: false, location: Location::Body, token: false },
]);
static GET_RESOURCE_GATEWAY_REQUEST: Shape = structure("GetResourceGatewayRequest", &[
    Member { name: "resourceGatewayIdentifier", shape: &RESOURCE_GATEWAY_IDENTIFIER, required: true, location: Location::Path, token: false },
]);
static GET_RESOURCE_GATEWAY_RESPONSE: Shape = structure("GetResourceGatewayResponse", &[
    Member { name: "arn", shape: &RESOURCE_GATEWAY_ARN, required: false, location: Location::Body, token: false },
    Member { name: "createdAt", shape: &TIMESTAMP, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &RESOURCE_GATEWAY_ID, required: false, location: Location::Body, token: false },
    Member { name: "ipAddressType", shape: &RESOURCE_GATEWAY_IP_ADDRESS_TYPE, required: false, location: Location::Body, token: false },
    Member { name: "ipv4AddressesPerEni", shape: &IPV4_ADDRESSES_PER_ENI, required: false, location: Location::Body, token: false },
    Member { name: "lastUpdatedAt", shape: &TIMESTAMP, required: false, location: Location::Body, token: false },
    Member { name: "managedBy", shape: &STRING, required: false, location: Location::Body, token: false },
    Member { name: "name", shape: &RESOURCE_GATEWAY_NAME, required: false, location: Location::Body, token: false },
    Member { name: "resourceConfigDnsResolution", shape: &RESOURCE_CONFIG_DNS_RESOLUTION, required: false, location: Location::Body, token: false },
    Member { name: "securityGroupIds", shape: &SECURITY_GROUP_LIST, required: false, location: Location::Body, token: false },
    Member { name: "serviceManaged", shape: &BOOLEAN, required: false, location: Location::Body, token: false },
    Member { name: "status", shape: &RESOURCE_GATEWAY_STATUS, required: false, location: Location::Body, token: false },
    Member { name: "subnetIds", shape: &SUBNET_LIST, required: false, location: Location::Body, token: false },
    Member { name: "vpcId", shape: &VPC_ID, required: false, location: Location::Body, token: false },
]);
static GET_RESOURCE_POLICY_REQUEST: Shape = structure("GetResourcePolicyRequest", &[
    Member { name: "resourceArn", shape: &RESOURCE_ARN, required: true, location: Location::Path, token: false },
]);
static GET_RESOURCE_POLICY_RESPONSE: Shape = structure("GetResourcePolicyResponse", &[
    Member { name: "policy", shape: &POLICY_STRING, required: false, location: Location::Body, token: false },
]);
static GET_RULE_REQUEST: Shape = structure("GetRuleRequest", &[
    Member { name: "listenerIdentifier", shape: &LISTENER_IDENTIFIER, required: true, location: Location::Path, token: false },
    Member { name: "ruleIdentifier", shape: &RULE_IDENTIFIER, required: true, location: Location::Path, token: false },
    Member { name: "serviceIdentifier", shape: &SERVICE_IDENTIFIER, required: true, location: Location::Path, token: false },
]);
static GET_RULE_RESPONSE: Shape = structure("GetRuleResponse", &[
    Member { name: "action", shape: &RULE_ACTION, required: false, location: Location::Body, token: false },
    Member { name: "arn", shape: &RULE_ARN, required: false, location: Location::Body, token: false },
    Member { name: "createdAt", shape: &TIMESTAMP, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &RULE_ID, required: false, location: Location::Body, token: false },
    Member { name: "isDefault", shape: &BOOLEAN, required: false, location: Location::Body, token: false },
    Member { name: "lastUpdatedAt", shape: &TIMESTAMP, required: false, location: Location::Body, token: false },
    Member { name: "match", shape: &RULE_MATCH, required: false, location: Location::Body, token: false },
    Member { name: "name", shape: &RULE_NAME, required: false, location: Location::Body, token: false },
    Member { name: "priority", shape: &RULE_PRIORITY, required: false, location: Location::Body, token: false },
]);
static GET_SERVICE_NETWORK_REQUEST: Shape = structure("GetServiceNetworkRequest", &[
    Member { name: "serviceNetworkIdentifier", shape: &SERVICE_NETWORK_IDENTIFIER, required: true, location: Location::Path, token: false },
]);
static GET_SERVICE_NETWORK_RESOURCE_ASSOCIATION_REQUEST: Shape = structure("GetServiceNetworkResourceAssociationRequest", &[
    Member { name: "serviceNetworkResourceAssociationIdentifier", shape: &SERVICE_NETWORK_RESOURCE_ASSOCIATION_IDENTIFIER, required: true, location: Location::Path, token: false },
]);
static GET_SERVICE_NETWORK_RESOURCE_ASSOCIATION_RESPONSE: Shape = structure("GetServiceNetworkResourceAssociationResponse", &[
    Member { name: "arn", shape: &SERVICE_NETWORK_RESOURCE_ASSOCIATION_ARN, required: false, location: Location::Body, token: false },
    Member { name: "createdAt", shape: &TIMESTAMP, required: false, location: Location::Body, token: false },
    Member { name: "createdBy", shape: &ACCOUNT_ID, required: false, location: Location::Body, token: false },
    Member { name: "dnsEntry", shape: &DNS_ENTRY, required: false, location: Location::Body, token: false },
    Member { name: "domainVerificationStatus", shape: &VERIFICATION_STATUS, required: false, location: Location::Body, token: false },
    Member { name: "failureCode", shape: &STRING, required: false, location: Location::Body, token: false },
    Member { name: "failureReason", shape: &STRING, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &SERVICE_NETWORK_RESOURCE_ASSOCIATION_ID, required: false, location: Location::Body, token: false },
    Member { name: "isManagedAssociation", shape: &BOOLEAN, required: false, location: Location::Body, token: false },
    Member { name: "lastUpdatedAt", shape: &TIMESTAMP, required: false, location: Location::Body, token: false },
    Member { name: "privateDnsEnabled", shape: &BOOLEAN, required: false, location: Location::Body, token: false },
    Member { name: "privateDnsEntry", shape: &DNS_ENTRY, required: false, location: Location::Body, token: false },
    Member { name: "resourceConfigurationArn", shape: &RESOURCE_CONFIGURATION_ARN, required: false, location: Location::Body, token: false },
    Member { name: "resourceConfigurationId", shape: &RESOURCE_CONFIGURATION_ID, required: false, location: Location::Body, token: false },
    Member { name: "resourceConfigurationName", shape: &RESOURCE_CONFIGURATION_NAME, required: false, location: Location::Body, token: false },
    Member { name: "serviceNetworkArn", shape: &SERVICE_NETWORK_IDENTIFIER_WITHOUT_REGEX, required: false, location: Location::Body, token: false },
    Member { name: "serviceNetworkId", shape: &SERVICE_NETWORK_IDENTIFIER_WITHOUT_REGEX, required: false, location: Location::Body, token: false },
    Member { name: "serviceNetworkName", shape: &SERVICE_NETWORK_NAME_WITHOUT_REGEX, required: false, location: Location::Body, token: false },
    Member { name: "status", shape: &SERVICE_NETWORK_RESOURCE_ASSOCIATION_STATUS, required: false, location: Location::Body, token: false },
]);
static GET_SERVICE_NETWORK_RESPONSE: Shape = structure("GetServiceNetworkResponse", &[
    Member { name: "arn", shape: &SERVICE_NETWORK_ARN, required: false, location: Location::Body, token: false },
    Member { name: "authType", shape: &AUTH_TYPE, required: false, location: Location::Body, token: false },
    Member { name: "createdAt", shape: &TIMESTAMP, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &SERVICE_NETWORK_ID, required: false, location: Location::Body, token: false },
    Member { name: "lastUpdatedAt", shape: &TIMESTAMP, required: false, location: Location::Body, token: false },
    Member { name: "name", shape: &SERVICE_NETWORK_NAME, required: false, location: Location::Body, token: false },
    Member { name: "numberOfAssociatedServices", shape: &LONG, required: false, location: Location::Body, token: false },
    Member { name: "numberOfAssociatedVPCs", shape: &LONG, required: false, location: Location::Body, token: false },
    Member { name: "sharingConfig", shape: &SHARING_CONFIG, required: false, location: Location::Body, token: false },
]);
static GET_SERVICE_NETWORK_SERVICE_ASSOCIATION_REQUEST: Shape = structure("GetServiceNetworkServiceAssociationRequest", &[
    Member { name: "serviceNetworkServiceAssociationIdentifier", shape: &SERVICE_NETWORK_SERVICE_ASSOCIATION_IDENTIFIER, required: true, location: Location::Path, token: false },
]);
static GET_SERVICE_NETWORK_SERVICE_ASSOCIATION_RESPONSE: Shape = structure("GetServiceNetworkServiceAssociationResponse", &[
    Member { name: "arn", shape: &SERVICE_NETWORK_SERVICE_ASSOCIATION_ARN, required: false, location: Location::Body, token: false },
    Member { name: "createdAt", shape: &TIMESTAMP, required: false, location: Location::Body, token: false },
    Member { name: "createdBy", shape: &ACCOUNT_ID, required: false, location: Location::Body, token: false },
    Member { name: "customDomainName", shape: &SERVICE_CUSTOM_DOMAIN_NAME, required: false, location: Location::Body, token: false },
    Member { name: "dnsEntry", shape: &DNS_ENTRY, required: false, location: Location::Body, token: false },
    Member { name: "failureCode", shape: &STRING, required: false, location: Location::Body, token: false },
    Member { name: "failureMessage", shape: &STRING, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &SERVICE_NETWORK_SERVICE_ASSOCIATION_IDENTIFIER, required: false, location: Location::Body, token: false },
    Member { name: "serviceArn", shape: &SERVICE_ARN, required: false, location: Location::Body, token: false },
    Member { name: "serviceId", shape: &SERVICE_ID, required: false, location: Location::Body, token: false },
    Member { name: "serviceName", shape: &SERVICE_NAME, required: false, location: Location::Body, token: false },
    Member { name: "serviceNetworkArn", shape: &SERVICE_NETWORK_ARN, required: false, location: Location::Body, token: false },
    Member { name: "serviceNetworkId", shape: &SERVICE_NETWORK_ID, required: false, location: Location::Body, token: false },
    Member { name: "serviceNetworkName", shape: &SERVICE_NETWORK_NAME, required: false, location: Location::Body, token: false },
    Member { name: "status", shape: &SERVICE_NETWORK_SERVICE_ASSOCIATION_STATUS, required: false, location: Location::Body, token: false },
]);
static GET_SERVICE_NETWORK_VPC_ASSOCIATION_REQUEST: Shape = structure("GetServiceNetworkVpcAssociationRequest", &[
    Member { name: "serviceNetworkVpcAssociationIdentifier", shape: &SERVICE_NETWORK_VPC_ASSOCIATION_IDENTIFIER, required: true, location: Location::Path, token: false },
]);
static GET_SERVICE_NETWORK_VPC_ASSOCIATION_RESPONSE: Shape = structure("GetServiceNetworkVpcAssociationResponse", &[
    Member { name: "arn", shape: &SERVICE_NETWORK_VPC_ASSOCIATION_ARN, required: false, location: Location::Body, token: false },
    Member { name: "createdAt", shape: &TIMESTAMP, required: false, location: Location::Body, token: false },
    Member { name: "createdBy", shape: &ACCOUNT_ID, required: false, location: Location::Body, token: false },
    Member { name: "dnsOptions", shape: &DNS_OPTIONS, required: false, location: Location::Body, token: false },
    Member { name: "failureCode", shape: &STRING, required: false, location: Location::Body, token: false },
    Member { name: "failureMessage", shape: &STRING, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &SERVICE_NETWORK_VPC_ASSOCIATION_ID, required: false, location: Location::Body, token: false },
    Member { name: "lastUpdatedAt", shape: &TIMESTAMP, required: false, location: Location::Body, token: false },
    Member { name: "privateDnsEnabled", shape: &BOOLEAN, required: false, location: Location::Body, token: false },
    Member { name: "securityGroupIds", shape: &SECURITY_GROUP_LIST, required: false, location: Location::Body, token: false },
    Member { name: "serviceNetworkArn", shape: &SERVICE_NETWORK_ARN, required: false, location: Location::Body, token: false },
    Member { name: "serviceNetworkId", shape: &SERVICE_NETWORK_ID, required: false, location: Location::Body, token: false },
    Member { name: "serviceNetworkName", shape: &SERVICE_NETWORK_NAME, required: false, location: Location::Body, token: false },
    Member { name: "status", shape: &SERVICE_NETWORK_VPC_ASSOCIATION_STATUS, required: false, location: Location::Body, token: false },
    Member { name: "vpcId", shape: &VPC_ID, required: false, location: Location::Body, token: false },
]);
static GET_SERVICE_REQUEST: Shape = structure("GetServiceRequest", &[
    Member { name: "serviceIdentifier", shape: &SERVICE_IDENTIFIER, required: true, location: Location::Path, token: false },
]);
static GET_SERVICE_RESPONSE: Shape = structure("GetServiceResponse", &[
    Member { name: "arn", shape: &SERVICE_ARN, required: false, location: Location::Body, token: false },
    Member { name: "authType", shape: &AUTH_TYPE, required: false, location: Location::Body, token: false },
    Member { name: "certificateArn", shape: &CERTIFICATE_ARN, required: false, location: Location::Body, token: false },
    Member { name: "createdAt", shape: &TIMESTAMP, required: false, location: Location::Body, token: false },
    Member { name: "customDomainName", shape: &SERVICE_CUSTOM_DOMAIN_NAME, required: false, location: Location::Body, token: false },
    Member { name: "dnsEntry", shape: &DNS_ENTRY, required: false, location: Location::Body, token: false },
    Member { name: "failureCode", shape: &FAILURE_CODE, required: false, location: Location::Body, token: false },
    Member { name: "failureMessage", shape: &FAILURE_MESSAGE, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &SERVICE_ID, required: false, location: Location::Body, token: false },
    Member { name: "idleTimeoutSeconds", shape: &IDLE_TIMEOUT_SECONDS, required: false, location: Location::Body, token: false },
    Member { name: "lastUpdatedAt", shape: &TIMESTAMP, required: false, location: Location::Body, token: false },
    Member { name: "name", shape: &SERVICE_NAME, required: false, location: Location::Body, token: false },
    Member { name: "status", shape: &SERVICE_STATUS, required: false, location: Location::Body, token: false },
]);
static GET_TARGET_GROUP_REQUEST: Shape = structure("GetTargetGroupRequest", &[
    Member { name: "targetGroupIdentifier", shape: &TARGET_GROUP_IDENTIFIER, required: true, location: Location::Path, token: false },
]);
static GET_TARGET_GROUP_RESPONSE: Shape = structure("GetTargetGroupResponse", &[
    Member { name: "arn", shape: &TARGET_GROUP_ARN, required: false, location: Location::Body, token: false },
    Member { name: "config", shape: &TARGET_GROUP_CONFIG, required: false, location: Location::Body, token: false },
    Member { name: "createdAt", shape: &TIMESTAMP, required: false, location: Location::Body, token: false },
    Member { name: "failureCode", shape: &STRING, required: false, location: Location::Body, token: false },
    Member { name: "failureMessage", shape: &STRING, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &TARGET_GROUP_ID, required: false, location: Location::Body, token: false },
    Member { name: "lastUpdatedAt", shape: &TIMESTAMP, required: false, location: Location::Body, token: false },
    Member { name: "name", shape: &TARGET_GROUP_NAME, required: false, location: Location::Body, token: false },
    Member { name: "serviceArns", shape: &SERVICE_ARN_LIST, required: false, location: Location::Body, token: false },
    Member { name: "status", shape: &TARGET_GROUP_STATUS, required: false, location: Location::Body, token: false },
    Member { name: "type", shape: &TARGET_GROUP_TYPE, required: false, location: Location::Body, token: false },
]);
static HEADER_MATCH: Shape = structure("HeaderMatch", &[
    Member { name: "caseSensitive", shape: &BOOLEAN, required: false, location: Location::Body, token: false },
    Member { name: "match", shape: &HEADER_MATCH_TYPE, required: true, location: Location::Body, token: false },
    Member { name: "name", shape: &HEADER_MATCH_NAME, required: true, location: Location::Body, token: false },
]);
static HEADER_MATCH_CONTAINS: Shape = text("HeaderMatchContains", Range::new(Some(1), Some(200)), None, &[]);
static HEADER_MATCH_EXACT: Shape = text("HeaderMatchExact", Range::new(Some(1), Some(200)), None, &[]);
static HEADER_MATCH_LIST: Shape = list("HeaderMatchList", Range::new(Some(1), Some(5)), &HEADER_MATCH);
static HEADER_MATCH_NAME: Shape = text("HeaderMatchName", Range::new(Some(1), Some(100)), None, &[]);
static HEADER_MATCH_PREFIX: Shape = text("HeaderMatchPrefix", Range::new(Some(1), Some(200)), None, &[]);
static HEADER_MATCH_TYPE: Shape = union("HeaderMatchType", &[
    Member { name: "contains", shape: &HEADER_MATCH_CONTAINS, required: false, location: Location::Body, token: false },
    Member { name: "exact", shape: &HEADER_MATCH_EXACT, required: false, location: Location::Body, token: false },
    Member { name: "prefix", shape: &HEADER_MATCH_PREFIX, required: false, location: Location::Body, token: false },
]);
static HEALTH_CHECK_CONFIG: Shape = structure("HealthCheckConfig", &[
    Member { name: "enabled", shape: &BOOLEAN, required: false, location: Location::Body, token: false },
    Member { name: "healthCheckIntervalSeconds", shape: &HEALTH_CHECK_INTERVAL_SECONDS, required: false, location: Location::Body, token: false },
    Member { name: "healthCheckTimeoutSeconds", shape: &HEALTH_CHECK_TIMEOUT_SECONDS, required: false, location: Location::Body, token: false },
    Member { name: "healthyThresholdCount", shape: &HEALTHY_THRESHOLD_COUNT, required: false, location: Location::Body, token: false },
    Member { name: "matcher", shape: &MATCHER, required: false, location: Location::Body, token: false },
    Member { name: "path", shape: &HEALTH_CHECK_PATH, required: false, location: Location::Body, token: false },
    Member { name: "port", shape: &HEALTH_CHECK_PORT, required: false, location: Location::Body, token: false },
    Member { name: "protocol", shape: &TARGET_GROUP_PROTOCOL, required: false, location: Location::Body, token: false },
    Member { name: "protocolVersion", shape: &HEALTH_CHECK_PROTOCOL_VERSION, required: false, location: Location::Body, token: false },
    Member { name: "unhealthyThresholdCount", shape: &UNHEALTHY_THRESHOLD_COUNT, required: false, location: Location::Body, token: false },
]);
static HEALTH_CHECK_INTERVAL_SECONDS: Shape = integer("HealthCheckIntervalSeconds", Range::new(Some(0), Some(300)));
static HEALTH_CHECK_PATH: Shape = text("HealthCheckPath", Range::new(Some(0), Some(2048)), Some(Pattern::new(r".*(^/[a-zA-Z0-9@:%_+.~#?&/=-]*$|(^$)).*")), &[]);
static HEALTH_CHECK_PORT: Shape = integer("HealthCheckPort", Range::new(Some(0), Some(65535)));
static HEALTH_CHECK_PROTOCOL_VERSION: Shape = text("HealthCheckProtocolVersion", Range::new(None, None), None, &["HTTP1", "HTTP2"]);
static HEALTH_CHECK_TIMEOUT_SECONDS: Shape = integer("HealthCheckTimeoutSeconds", Range::new(Some(0), Some(120)));
static HEALTHY_THRESHOLD_COUNT: Shape = integer("HealthyThresholdCount", Range::new(Some(0), Some(10)));
static HTTP_CODE_MATCHER: Shape = text("HttpCodeMatcher", Range::new(Some(0), Some(2000)), Some(Pattern::new(r".*(^[0-9-,]+$|(^$)).*")), &[]);
static HTTP_MATCH: Shape = structure("HttpMatch", &[
    Member { name: "headerMatches", shape: &HEADER_MATCH_LIST, required: false, location: Location::Body, token: false },
    Member { name: "method", shape: &HTTP_METHOD, required: false, location: Location::Body, token: false },
    Member { name: "pathMatch", shape: &PATH_MATCH, required: false, location: Location::Body, token: false },
]);
static HTTP_METHOD: Shape = text("HttpMethod", Range::new(Some(0), Some(16)), None, &[]);
static HTTP_STATUS_CODE: Shape = integer("HttpStatusCode", Range::new(Some(100), Some(599)));
static IDLE_TIMEOUT_SECONDS: Shape = integer("IdleTimeoutSeconds", Range::new(Some(60), Some(600)));
static INTEGER: Shape = integer("Integer", Range::new(None, None));
static INTERNAL_SERVER_EXCEPTION: Shape = structure("InternalServerException", &[
    Member { name: "message", shape: &STRING, required: true, location: Location::Body, token: false },
    Member { name: "retryAfterSeconds", shape: &INTEGER, required: false, location: Location::Header, token: false },
]);
static IP_ADDRESS: Shape = text("IpAddress", Range::new(Some(4), Some(39)), None, &[]);
static IP_ADDRESS_TYPE: Shape = text("IpAddressType", Range::new(None, None), None, &["IPV4", "IPV6"]);
static IP_RESOURCE: Shape = structure("IpResource", &[
    Member { name: "ipAddress", shape: &IP_ADDRESS, required: false, location: Location::Body, token: false },
]);
static IPV4_ADDRESSES_PER_ENI: Shape = integer("Ipv4AddressesPerEni", Range::new(Some(1), Some(62)));
static LAMBDA_EVENT_STRUCTURE_VERSION: Shape = text("LambdaEventStructureVersion", Range::new(None, None), None, &["V1", "V2"]);
static LIST_ACCESS_LOG_SUBSCRIPTIONS_REQUEST: Shape = structure("ListAccessLogSubscriptionsRequest", &[
    Member { name: "maxResults", shape: &MAX_RESULTS, required: false, location: Location::Query, token: false },
    Member { name: "nextToken", shape: &NEXT_TOKEN, required: false, location: Location::Query, token: false },
    Member { name: "resourceIdentifier", shape: &RESOURCE_IDENTIFIER, required: true, location: Location::Query, token: false },
]);
static LIST_ACCESS_LOG_SUBSCRIPTIONS_RESPONSE: Shape = structure("ListAccessLogSubscriptionsResponse", &[
    Member { name: "items", shape: &ACCESS_LOG_SUBSCRIPTION_LIST, required: true, location: Location::Body, token: false },
    Member { name: "nextToken", shape: &NEXT_TOKEN, required: false, location: Location::Body, token: false },
]);
static LIST_DOMAIN_VERIFICATIONS_REQUEST: Shape = structure("ListDomainVerificationsRequest", &[
    Member { name: "maxResults", shape: &MAX_RESULTS, required: false, location: Location::Query, token: false },
    Member { name: "nextToken", shape: &NEXT_TOKEN, required: false, location: Location::Query, token: false },
]);
static LIST_DOMAIN_VERIFICATIONS_RESPONSE: Shape = structure("ListDomainVerificationsResponse", &[
    Member { name: "items", shape: &DOMAIN_VERIFICATION_LIST, required: true, location: Location::Body, token: false },
    Member { name: "nextToken", shape: &NEXT_TOKEN, required: false, location: Location::Body, token: false },
]);
static LIST_LISTENERS_REQUEST: Shape = structure("ListListenersRequest", &[
    Member { name: "maxResults", shape: &MAX_RESULTS, required: false, location: Location::Query, token: false },
    Member { name: "nextToken", shape: &NEXT_TOKEN, required: false, location: Location::Query, token: false },
    Member { name: "serviceIdentifier", shape: &SERVICE_IDENTIFIER, required: true, location: Location::Path, token: false },
]);
static LIST_LISTENERS_RESPONSE: Shape = structure("ListListenersResponse", &[
    Member { name: "items", shape: &LISTENER_SUMMARY_LIST, required: true, location: Location::Body, token: false },
    Member { name: "nextToken", shape: &NEXT_TOKEN, required: false, location: Location::Body, token: false },
]);
static LIST_RESOURCE_CONFIGURATIONS_REQUEST: Shape = structure("ListResourceConfigurationsRequest", &[
    Member { name: "domainVerificationIdentifier", shape: &DOMAIN_VERIFICATION_IDENTIFIER, required: false, location: Location::Query, token: false },
    Member { name: "maxResults", shape: &MAX_RESULTS, required: false, location: Location::Query, token: false },
    Member { name: "nextToken", shape: &NEXT_TOKEN, required: false, location: Location::Query, token: false },
    Member { name: "resourceConfigurationGroupIdentifier", shape: &RESOURCE_CONFIGURATION_IDENTIFIER, required: false, location: Location::Query, token: false },
    Member { name: "resourceGatewayIdentifier", shape: &RESOURCE_GATEWAY_IDENTIFIER, required: false, location: Location::Query, token: false },
]);
static LIST_RESOURCE_CONFIGURATIONS_RESPONSE: Shape = structure("ListResourceConfigurationsResponse", &[
    Member { name: "items", shape: &RESOURCE_CONFIGURATION_SUMMARY_LIST, required: false, location: Location::Body, token: false },
    Member { name: "nextToken", shape: &NEXT_TOKEN, required: false, location: Location::Body, token: false },
]);
static LIST_RESOURCE_ENDPOINT_ASSOCIATIONS_REQUEST: Shape = structure("ListResourceEndpointAssociationsRequest", &[
    Member { name: "maxResults", shape: &MAX_RESULTS, required: false, location: Location::Query, token: false },
    Member { name: "nextToken", shape: &NEXT_TOKEN, required: false, location: Location::Query, token: false },
    Member { name: "resourceConfigurationIdentifier", shape: &RESOURCE_CONFIGURATION_IDENTIFIER, required: true, location: Location::Query, token: false },
    Member { name: "resourceEndpointAssociationIdentifier", shape: &RESOURCE_ENDPOINT_ASSOCIATION_IDENTIFIER, required: false, location: Location::Query, token: false },
    Member { name: "vpcEndpointId", shape: &VPC_ENDPOINT_ID, required: false, location: Location::Query, token: false },
    Member { name: "vpcEndpointOwner", shape: &VPC_ENDPOINT_OWNER, required: false, location: Location::Query, token: false },
]);
static LIST_RESOURCE_ENDPOINT_ASSOCIATIONS_RESPONSE: Shape = structure("ListResourceEndpointAssociationsResponse", &[
    Member { name: "items", shape: &RESOURCE_ENDPOINT_ASSOCIATION_LIST, required: true, location: Location::Body, token: false },
    Member { name: "nextToken", shape: &NEXT_TOKEN, required: false, location: Location::Body, token: false },
]);
static LIST_RESOURCE_GATEWAYS_REQUEST: Shape = structure("ListResourceGatewaysRequest", &[
    Member { name: "maxResults", shape: &MAX_RESULTS, required: false, location: Location::Query, token: false },
    Member { name: "nextToken", shape: &NEXT_TOKEN, required: false, location: Location::Query, token: false },
]);
static LIST_RESOURCE_GATEWAYS_RESPONSE: Shape = structure("ListResourceGatewaysResponse", &[
    Member { name: "items", shape: &RESOURCE_GATEWAY_LIST, required: false, location: Location::Body, token: false },
    Member { name: "nextToken", shape: &NEXT_TOKEN, required: false, location: Location::Body, token: false },
]);
static LIST_RULES_REQUEST: Shape = structure("ListRulesRequest", &[
    Member { name: "listenerIdentifier", shape: &LISTENER_IDENTIFIER, required: true, location: Location::Path, token: false },
    Member { name: "maxResults", shape: &MAX_RESULTS, required: false, location: Location::Query, token: false },
    Member { name: "nextToken", shape: &NEXT_TOKEN, required: false, location: Location::Query, token: false },
    Member { name: "serviceIdentifier", shape: &SERVICE_IDENTIFIER, required: true, location: Location::Path, token: false },
]);
static LIST_RULES_RESPONSE: Shape = structure("ListRulesResponse", &[
    Member { name: "items", shape: &RULE_SUMMARY_LIST, required: true, location: Location::Body, token: false },
    Member { name: "nextToken", shape: &NEXT_TOKEN, required: false, location: Location::Body, token: false },
]);
static LIST_SERVICE_NETWORK_RESOURCE_ASSOCIATIONS_REQUEST: Shape = structure("ListServiceNetworkResourceAssociationsRequest", &[
    Member { name: "includeChildren", shape: &BOOLEAN, required: false, location: Location::Query, token: false },
    Member { name: "maxResults", shape: &MAX_RESULTS, required: false, location: Location::Query, token: false },
    Member { name: "nextToken", shape: &NEXT_TOKEN, required: false, location: Location::Query, token: false },
    Member { name: "resourceConfigurationIdentifier", shape: &RESOURCE_CONFIGURATION_IDENTIFIER, required: false, location: Location::Query, token: false },
    Member { name: "serviceNetworkIdentifier", shape: &SERVICE_NETWORK_IDENTIFIER, required: false, location: Location::Query, token: false },
]);
static LIST_SERVICE_NETWORK_RESOURCE_ASSOCIATIONS_RESPONSE: Shape = structure("ListServiceNetworkResourceAssociationsResponse", &[
    Member { name: "items", shape: &SERVICE_NETWORK_RESOURCE_ASSOCIATION_LIST, required: true, location: Location::Body, token: false },
    Member { name: "nextToken", shape: &NEXT_TOKEN, required: false, location: Location::Body, token: false },
]);
static LIST_SERVICE_NETWORK_SERVICE_ASSOCIATIONS_REQUEST: Shape = structure("ListServiceNetworkServiceAssociationsRequest", &[
    Member { name: "maxResults", shape: &MAX_RESULTS, required: false, location: Location::Query, token: false },
    Member { name: "nextToken", shape: &NEXT_TOKEN, required: false, location: Location::Query, token: false },
    Member { name: "serviceIdentifier", shape: &SERVICE_IDENTIFIER, required: false, location: Location::Query, token: false },
    Member { name: "serviceNetworkIdentifier", shape: &SERVICE_NETWORK_IDENTIFIER, required: false, location: Location::Query, token: false },
]);
static LIST_SERVICE_NETWORK_SERVICE_ASSOCIATIONS_RESPONSE: Shape = structure("ListServiceNetworkServiceAssociationsResponse", &[
    Member { name: "items", shape: &SERVICE_NETWORK_SERVICE_ASSOCIATION_LIST, required: true, location: Location::Body, token: false },
    Member { name: "nextToken", shape: &NEXT_TOKEN, required: false, location: Location::Body, token: false },
]);
static LIST_SERVICE_NETWORK_VPC_ASSOCIATIONS_REQUEST: Shape = structure("ListServiceNetworkVpcAssociationsRequest", &[
    Member { name: "maxResults", shape: &MAX_RESULTS, required: false, location: Location::Query, token: false },
    Member { name: "nextToken", shape: &NEXT_TOKEN, required: false, location: Location::Query, token: false },
    Member { name: "serviceNetworkIdentifier", shape: &SERVICE_NETWORK_IDENTIFIER, required: false, location: Location::Query, token: false },
    Member { name: "vpcIdentifier", shape: &VPC_ID, required: false, location: Location::Query, token: false },
]);
static LIST_SERVICE_NETWORK_VPC_ASSOCIATIONS_RESPONSE: Shape = structure("ListServiceNetworkVpcAssociationsResponse", &[
    Member { name: "items", shape: &SERVICE_NETWORK_VPC_ASSOCIATION_LIST, required: true, location: Location::Body, token: false },
    Member { name: "nextToken", shape: &NEXT_TOKEN, required: false, location: Location::Body, token: false },
]);
static LIST_SERVICE_NETWORK_VPC_ENDPOINT_ASSOCIATIONS_REQUEST: Shape = structure("ListServiceNetworkVpcEndpointAssociationsRequest", &[
    Member { name: "maxResults", shape: &MAX_RESULTS, required: false, location: Location::Query, token: false },
    Member { name: "nextToken", shape: &NEXT_TOKEN, required: false, location: Location::Query, token: false },
    Member { name: "serviceNetworkIdentifier", shape: &SERVICE_NETWORK_IDENTIFIER, required: true, location: Location::Query, token: false },
]);
static LIST_SERVICE_NETWORK_VPC_ENDPOINT_ASSOCIATIONS_RESPONSE: Shape = structure("ListServiceNetworkVpcEndpointAssociationsResponse", &[
    Member { name: "items", shape: &SERVICE_NETWORK_VPC_ENDPOINT_ASSOCIATION_LIST, required: true, location: Location::Body, token: false },
    Member { name: "nextToken", shape: &NEXT_TOKEN, required: false, location: Location::Body, token: false },
]);
static LIST_SERVICE_NETWORKS_REQUEST: Shape = structure("ListServiceNetworksRequest", &[
    Member { name: "maxResults", shape: &MAX_RESULTS, required: false, location: Location::Query, token: false },
    Member { name: "nextToken", shape: &NEXT_TOKEN, required: false, location: Location::Query, token: false },
]);
static LIST_SERVICE_NETWORKS_RESPONSE: Shape = structure("ListServiceNetworksResponse", &[
    Member { name: "items", shape: &SERVICE_NETWORK_LIST, required: true, location: Location::Body, token: false },
    Member { name: "nextToken", shape: &NEXT_TOKEN, required: false, location: Location::Body, token: false },
]);
static LIST_SERVICES_REQUEST: Shape = structure("ListServicesRequest", &[
    Member { name: "maxResults", shape: &MAX_RESULTS, required: false, location: Location::Query, token: false },
    Member { name: "nextToken", shape: &NEXT_TOKEN, required: false, location: Location::Query, token: false },
]);
static LIST_SERVICES_RESPONSE: Shape = structure("ListServicesResponse", &[
    Member { name: "items", shape: &SERVICE_LIST, required: false, location: Location::Body, token: false },
    Member { name: "nextToken", shape: &NEXT_TOKEN, required: false, location: Location::Body, token: false },
]);
static LIST_TAGS_FOR_RESOURCE_REQUEST: Shape = structure("ListTagsForResourceRequest", &[
    Member { name: "resourceArn", shape: &ARN, required: true, location: Location::Path, token: false },
]);
static LIST_TAGS_FOR_RESOURCE_RESPONSE: Shape = structure("ListTagsForResourceResponse", &[
    Member { name: "tags", shape: &TAG_MAP, required: false, location: Location::Body, token: false },
]);
static LIST_TARGET_GROUPS_REQUEST: Shape = structure("ListTargetGroupsRequest", &[
    Member { name: "maxResults", shape: &MAX_RESULTS, required: false, location: Location::Query, token: false },
    Member { name: "nextToken", shape: &NEXT_TOKEN, required: false, location: Location::Query, token: false },
    Member { name: "targetGroupType", shape: &TARGET_GROUP_TYPE, required: false, location: Location::Query, token: false },
    Member { name: "vpcIdentifier", shape: &VPC_ID, required: false, location: Location::Query, token: false },
]);
static LIST_TARGET_GROUPS_RESPONSE: Shape = structure("ListTargetGroupsResponse", &[
    Member { name: "items", shape: &TARGET_GROUP_LIST, required: false, location: Location::Body, token: false },
    Member { name: "nextToken", shape: &NEXT_TOKEN, required: false, location: Location::Body, token: false },
]);
static LIST_TARGETS_REQUEST: Shape = structure("ListTargetsRequest", &[
    Member { name: "maxResults", shape: &MAX_RESULTS, required: false, location: Location::Query, token: false },
    Member { name: "nextToken", shape: &NEXT_TOKEN, required: false, location: Location::Query, token: false },
    Member { name: "targetGroupIdentifier", shape: &TARGET_GROUP_IDENTIFIER, required: true, location: Location::Path, token: false },
    Member { name: "targets", shape: &LIST_TARGETS_REQUEST_TARGETS_LIST, required: false, location: Location::Body, token: false },
]);
static LIST_TARGETS_REQUEST_TARGETS_LIST: Shape = list("ListTargetsRequestTargetsList", Range::new(Some(0), Some(20)), &TARGET);
static LIST_TARGETS_RESPONSE: Shape = structure("ListTargetsResponse", &[
    Member { name: "items", shape: &TARGET_SUMMARY_LIST, required: true, location: Location::Body, token: false },
    Member { name: "nextToken", shape: &NEXT_TOKEN, required: false, location: Location::Body, token: false },
]);
static LISTENER_ARN: Shape = text("ListenerArn", Range::new(Some(20), Some(2048)), Some(Pattern::new(r"arn:[a-z0-9\-]+:vpc-lattice:[a-zA-Z0-9\-]+:\d{12}:service/svc-[0-9a-z]{17}/listener/listener-[0-9a-z]{17}")), &[]);
static LISTENER_ID: Shape = text("ListenerId", Range::new(Some(26), Some(26)), Some(Pattern::new(r"listener-[0-9a-z]{17}")), &[]);
static LISTENER_IDENTIFIER: Shape = text("ListenerIdentifier", Range::new(Some(20), Some(2048)), Some(Pattern::new(r"((listener-[0-9a-z]{17})|(^arn:[a-z0-9\-]+:vpc-lattice:[a-zA-Z0-9\-]+:\d{12}:service/svc-[0-9a-z]{17}/listener/listener-[0-9a-z]{17}$))")), &[]);
static LISTENER_NAME: Shape = text("ListenerName", Range::new(Some(3), Some(63)), Some(Pattern::new(r"(?!listener-)(?![-])(?!.*[-]$)(?!.*[-]{2})[a-z0-9-]+")), &[]);
static LISTENER_PROTOCOL: Shape = text("ListenerProtocol", Range::new(None, None), None, &["HTTP", "HTTPS", "TLS_PASSTHROUGH"]);
static LISTENER_SUMMARY: Shape = structure("ListenerSummary", &[
    Member { name: "arn", shape: &LISTENER_ARN, required: false, location: Location::Body, token: false },
    Member { name: "createdAt", shape: &TIMESTAMP, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &LISTENER_ID, required: false, location: Location::Body, token: false },
    Member { name: "lastUpdatedAt", shape: &TIMESTAMP, required: false, location: Location::Body, token: false },
    Member { name: "name", shape: &LISTENER_NAME, required: false, location: Location::Body, token: false },
    Member { name: "port", shape: &PORT, required: false, location: Location::Body, token: false },
    Member { name: "protocol", shape: &LISTENER_PROTOCOL, required: false, location: Location::Body, token: false },
]);
static LISTENER_SUMMARY_LIST: Shape = list("ListenerSummaryList", Range::new(None, None), &LISTENER_SUMMARY);
static LONG: Shape = integer("Long", Range::new(None, None));
static MATCHER: Shape = union("Matcher", &[
    Member { name: "httpCode", shape: &HTTP_CODE_MATCHER, required: false, location: Location::Body, token: false },
]);
static MAX_RESULTS: Shape = integer("MaxResults", Range::new(Some(1), Some(100)));
static NEXT_TOKEN: Shape = text("NextToken", Range::new(Some(1), Some(2048)), None, &[]);
static PATH_MATCH: Shape = structure("PathMatch", &[
    Member { name: "caseSensitive", shape: &BOOLEAN, required: false, location: Location::Body, token: false },
    Member { name: "match", shape: &PATH_MATCH_TYPE, required: true, location: Location::Body, token: false },
]);
static PATH_MATCH_EXACT: Shape = text("PathMatchExact", Range::new(Some(1), Some(200)), Some(Pattern::new(r"/[a-zA-Z0-9@:%_+.~#?&/=-]*")), &[]);
static PATH_MATCH_PREFIX: Shape = text("PathMatchPrefix", Range::new(Some(1), Some(200)), Some(Pattern::new(r"/[a-zA-Z0-9@:%_+.~#?&/=-]*")), &[]);
static PATH_MATCH_TYPE: Shape = union("PathMatchType", &[
    Member { name: "exact", shape: &PATH_MATCH_EXACT, required: false, location: Location::Body, token: false },
    Member { name: "prefix", shape: &PATH_MATCH_PREFIX, required: false, location: Location::Body, token: false },
]);
static PAYER_RESPONSIBILITY_ENTRY: Shape = structure("PayerResponsibilityEntry", &[
    Member { name: "payerResponsibilityType", shape: &PAYER_RESPONSIBILITY_PAYER, required: false, location: Location::Body, token: false },
    Member { name: "scope", shape: &PAYER_RESPONSIBILITY_SCOPE, required: false, location: Location::Body, token: false },
]);
static PAYER_RESPONSIBILITY_LIST: Shape = list("PayerResponsibilityList", Range::new(Some(1), Some(10)), &PAYER_RESPONSIBILITY_ENTRY);
static PAYER_RESPONSIBILITY_PAYER: Shape = text("PayerResponsibilityPayer", Range::new(None, None), None, &["VpcEndpointAccount", "ResourceGatewayAccount"]);
static PAYER_RESPONSIBILITY_SCOPE: Shape = text("PayerResponsibilityScope", Range::new(None, None), None, &["ResourceGatewayCharges"]);
static POLICY_STRING: Shape = text("PolicyString", Range::new(Some(1), Some(10000)), Some(Pattern::new(r".*\S.*")), &[]);
static PORT: Shape = integer("Port", Range::new(Some(1), Some(65535)));
static PORT_RANGE: Shape = text("PortRange", Range::new(Some(1), Some(11)), Some(Pattern::new(r"((\d{1,5}\-\d{1,5})|(\d+))")), &[]);
static PORT_RANGE_LIST: Shape = list("PortRangeList", Range::new(None, None), &PORT_RANGE);
static PRIVATE_DNS_PREFERENCE: Shape = text("PrivateDnsPreference", Range::new(None, None), None, &["VERIFIED_DOMAINS_ONLY", "ALL_DOMAINS", "VERIFIED_DOMAINS_AND_SPECIFIED_DOMAINS", "SPECIFIED_DOMAINS_ONLY"]);
static PRIVATE_DNS_SPECIFIED_DOMAIN: Shape = text("PrivateDnsSpecifiedDomain", Range::new(Some(1), Some(255)), None, &[]);
static PRIVATE_DNS_SPECIFIED_DOMAINS_LIST: Shape = list("PrivateDnsSpecifiedDomainsList", Range::new(Some(1), Some(10)), &PRIVATE_DNS_SPECIFIED_DOMAIN);
static PROTOCOL_TYPE: Shape = text("ProtocolType", Range::new(None, None), None, &["TCP", "TCP_UDP"]);
static PUT_AUTH_POLICY_REQUEST: Shape = structure("PutAuthPolicyRequest", &[
    Member { name: "policy", shape: &AUTH_POLICY_STRING, required: true, location: Location::Body, token: false },
    Member { name: "resourceIdentifier", shape: &RESOURCE_IDENTIFIER, required: true, location: Location::Path, token: false },
]);
static PUT_AUTH_POLICY_RESPONSE: Shape = structure("PutAuthPolicyResponse", &[
    Member { name: "policy", shape: &AUTH_POLICY_STRING, required: false, location: Location::Body, token: false },
    Member { name: "state", shape: &AUTH_POLICY_STATE, required: false, location: Location::Body, token: false },
]);
static PUT_RESOURCE_POLICY_REQUEST: Shape = structure("PutResourcePolicyRequest", &[
    Member { name: "policy", shape: &POLICY_STRING, required: true, location: Location::Body, token: false },
    Member { name: "resourceArn", shape: &RESOURCE_ARN, required: true, location: Location::Path, token: false },
]);
static PUT_RESOURCE_POLICY_RESPONSE: Shape = structure("PutResourcePolicyResponse", &[
]);
static REGISTER_TARGETS_REQUEST: Shape = structure("RegisterTargetsRequest", &[
    Member { name: "targetGroupIdentifier", shape: &TARGET_GROUP_IDENTIFIER, required: true, location: Location::Path, token: false },
    Member { name: "targets", shape: &REGISTER_TARGETS_REQUEST_TARGETS_LIST, required: true, location: Location::Body, token: false },
]);
static REGISTER_TARGETS_REQUEST_TARGETS_LIST: Shape = list("RegisterTargetsRequestTargetsList", Range::new(Some(1), Some(100)), &TARGET);
static REGISTER_TARGETS_RESPONSE: Shape = structure("RegisterTargetsResponse", &[
    Member { name: "successful", shape: &TARGET_LIST, required: false, location: Location::Body, token: false },
    Member { name: "unsuccessful", shape: &TARGET_FAILURE_LIST, required: false, location: Location::Body, token: false },
]);
static RESOURCE_ARN: Shape = text("ResourceArn", Range::new(Some(20), Some(200)), Some(Pattern::new(r"arn(:[a-z0-9]+([.-][a-z0-9]+)*){2}(:([a-z0-9]+([.-][a-z0-9]+)*)?){2}:((servicenetwork/sn)|(service/svc)|(resourceconfiguration/rcfg))-[0-9a-z]{17}")), &[]);
static RESOURCE_CONFIG_DNS_RESOLUTION: Shape = text("ResourceConfigDnsResolution", Range::new(None, None), None, &["IN_VPC", "PUBLIC"]);
static RESOURCE_CONFIGURATION_ARN: Shape = text("ResourceConfigurationArn", Range::new(Some(20), Some(2048)), Some(Pattern::new(r"arn:[a-z0-9f\-]+:vpc-lattice:[a-zA-Z0-9\-]+:\d{12}:resourceconfiguration/rcfg-[0-9a-z]{17}")), &[]);
static RESOURCE_CONFIGURATION_DEFINITION: Shape = union("ResourceConfigurationDefinition", &[
    Member { name: "arnResource", shape: &ARN_RESOURCE, required: false, location: Location::Body, token: false },
    Member { name: "cidrResource", shape: &CIDR_RESOURCE, required: false, location: Location::Body, token: false },
    Member { name: "dnsResource", shape: &DNS_RESOURCE, required: false, location: Location::Body, token: false },
    Member { name: "ipResource", shape: &IP_RESOURCE, required: false, location: Location::Body, token: false },
]);
static RESOURCE_CONFIGURATION_ID: Shape = text("ResourceConfigurationId", Range::new(Some(22), Some(22)), Some(Pattern::new(r"rcfg-[0-9a-z]{17}")), &[]);
static RESOURCE_CONFIGURATION_IDENTIFIER: Shape = text("ResourceConfigurationIdentifier", Range::new(Some(20), Some(2048)), Some(Pattern::new(r"((rcfg-[0-9a-z]{17})|(arn:[a-z0-9\-]+:vpc-lattice:[a-zA-Z0-9\-]+:\d{12}:resourceconfiguration/rcfg-[0-9a-z]{17}))")), &[]);
static RESOURCE_CONFIGURATION_IP_ADDRESS_TYPE: Shape = text("ResourceConfigurationIpAddressType", Range::new(None, None), None, &["IPV4", "IPV6", "DUALSTACK"]);
static RESOURCE_CONFIGURATION_NAME: Shape = text("ResourceConfigurationName", Range::new(Some(3), Some(40)), Some(Pattern::new(r"(?!rcfg-)(?![-])(?!.*[-]$)(?!.*[-]{2})[a-z0-9-]+")), &[]);
static RESOURCE_CONFIGURATION_STATUS: Shape = text("ResourceConfigurationStatus", Range::new(None, None), None, &["ACTIVE", "CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "CREATE_FAILED", "UPDATE_FAILED", "DELETE_FAILED"]);
static RESOURCE_CONFIGURATION_SUMMARY: Shape = structure("ResourceConfigurationSummary", &[
    Member { name: "amazonManaged", shape: &BOOLEAN, required: false, location: Location::Body, token: false },
    Member { name: "arn", shape: &RESOURCE_CONFIGURATION_ARN, required: false, location: Location::Body, token: false },
    Member { name: "createdAt", shape: &TIMESTAMP, required: false, location: Location::Body, token: false },
    Member { name: "customDomainName", shape: &DOMAIN_NAME, required: false, location: Location::Body, token: false },
    Member { name: "domainVerificationId", shape: &DOMAIN_VERIFICATION_ID, required: false, location: Location::Body, token: false },
    Member { name: "groupDomain", shape: &DOMAIN_NAME, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &RESOURCE_CONFIGURATION_ID, required: false, location: Location::Body, token: false },
    Member { name: "lastUpdatedAt", shape: &TIMESTAMP, required: false, location: Location::Body, token: false },
    Member { name: "name", shape: &RESOURCE_CONFIGURATION_NAME, required: false, location: Location::Body, token: false },
    Member { name: "resourceConfigurationGroupId", shape: &RESOURCE_CONFIGURATION_ID, required: false, location: Location::Body, token: false },
    Member { name: "resourceGatewayId", shape: &RESOURCE_GATEWAY_ID, required: false, location: Location::Body, token: false },
    Member { name: "status", shape: &RESOURCE_CONFIGURATION_STATUS, required: false, location: Location::Body, token: false },
    Member { name: "type", shape: &RESOURCE_CONFIGURATION_TYPE, required: false, location: Location::Body, token: false },
]);
static RESOURCE_CONFIGURATION_SUMMARY_LIST: Shape = list("ResourceConfigurationSummaryList", Range::new(None, None), &RESOURCE_CONFIGURATION_SUMMARY);
static RESOURCE_CONFIGURATION_TYPE: Shape = text("ResourceConfigurationType", Range::new(None, None), None, &["GROUP", "CHILD", "SINGLE", "ARN", "CIDR"]);
static RESOURCE_ENDPOINT_ASSOCIATION_ARN: Shape = text("ResourceEndpointAssociationArn", Range::new(Some(21), Some(2048)), Some(Pattern::new(r"arn:[a-z0-9\-]+:vpc-lattice:[a-zA-Z0-9\-]+:\d{12}:resourceendpointassociation/rea-[0-9a-f]{17}")), &[]);
static RESOURCE_ENDPOINT_ASSOCIATION_ID: Shape = text("ResourceEndpointAssociationId", Range::new(Some(21), Some(21)), Some(Pattern::new(r"rea-[0-9a-f]{17}")), &[]);
static RESOURCE_ENDPOINT_ASSOCIATION_IDENTIFIER: Shape = text("ResourceEndpointAssociationIdentifier", Range::new(Some(21), Some(2048)), Some(Pattern::new(r"((rea-[0-9a-f]{17})|(arn:[a-z0-9\-]+:vpc-lattice:[a-zA-Z0-9\-]+:\d{12}:resourceendpointassociation/rea-[0-9a-f]{17}))")), &[]);
static RESOURCE_ENDPOINT_ASSOCIATION_LIST: Shape = list("ResourceEndpointAssociationList", Range::new(None, None), &RESOURCE_ENDPOINT_ASSOCIATION_SUMMARY);
static RESOURCE_ENDPOINT_ASSOCIATION_SUMMARY: Shape = structure("ResourceEndpointAssociationSummary", &[
    Member { name: "arn", shape: &RESOURCE_ENDPOINT_ASSOCIATION_ARN, required: false, location: Location::Body, token: false },
    Member { name: "createdAt", shape: &TIMESTAMP, required: false, location: Location::Body, token: false },
    Member { name: "createdBy", shape: &ACCOUNT_ID, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &RESOURCE_ENDPOINT_ASSOCIATION_ID, required: false, location: Location::Body, token: false },
    Member { name: "payerResponsibility", shape: &PAYER_RESPONSIBILITY_LIST, required: false, location: Location::Body, token: false },
    Member { name: "resourceConfigurationArn", shape: &RESOURCE_CONFIGURATION_ARN, required: false, location: Location::Body, token: false },
    Member { name: "resourceConfigurationId", shape: &RESOURCE_CONFIGURATION_ID, required: false, location: Location::Body, token: false },
    Member { name: "resourceConfigurationName", shape: &RESOURCE_CONFIGURATION_NAME, required: false, location: Location::Body, token: false },
    Member { name: "vpcEndpointId", shape: &VPC_ENDPOINT_ID, required: false, location: Location::Body, token: false },
    Member { name: "vpcEndpointOwner", shape: &VPC_ENDPOINT_OWNER, required: false, location: Location::Body, token: false },
]);
static RESOURCE_GATEWAY_ARN: Shape = text("ResourceGatewayArn", Range::new(Some(20), Some(2048)), Some(Pattern::new(r"arn:[a-z0-9\-]+:vpc-lattice:[a-zA-Z0-9\-]+:\d{12}:resourcegateway/rgw-[0-9a-z]{17}")), &[]);
static RESOURCE_GATEWAY_ID: Shape = text("ResourceGatewayId", Range::new(Some(21), Some(21)), Some(Pattern::new(r"rgw-[0-9a-z]{17}")), &[]);
static RESOURCE_GATEWAY_IDENTIFIER: Shape = text("ResourceGatewayIdentifier", Range::new(Some(17), Some(2048)), Some(Pattern::new(r"((rgw-[0-9a-z]{17})|(arn:[a-z0-9\-]+:vpc-lattice:[a-zA-Z0-9\-]+:\d{12}:resourcegateway/rgw-[0-9a-z]{17}))")), &[]);
static RESOURCE_GATEWAY_IP_ADDRESS_TYPE: Shape = text("ResourceGatewayIpAddressType", Range::new(None, None), None, &["IPV4", "IPV6", "DUALSTACK"]);
static RESOURCE_GATEWAY_LIST: Shape = list("ResourceGatewayList", Range::new(None, None), &RESOURCE_GATEWAY_SUMMARY);
static RESOURCE_GATEWAY_NAME: Shape = text("ResourceGatewayName", Range::new(Some(3), Some(40)), Some(Pattern::new(r"(?!rgw-)(?![-])(?!.*[-]$)(?!.*[-]{2})[a-z0-9-]+")), &[]);
static RESOURCE_GATEWAY_STATUS: Shape = text("ResourceGatewayStatus", Range::new(None, None), None, &["ACTIVE", "CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "CREATE_FAILED", "UPDATE_FAILED", "DELETE_FAILED"]);
static RESOURCE_GATEWAY_SUMMARY: Shape = structure("ResourceGatewaySummary", &[
    Member { name: "arn", shape: &RESOURCE_GATEWAY_ARN, required: false, location: Location::Body, token: false },
    Member { name: "createdAt", shape: &TIMESTAMP, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &RESOURCE_GATEWAY_ID, required: false, location: Location::Body, token: false },
    Member { name: "ipAddressType", shape: &RESOURCE_GATEWAY_IP_ADDRESS_TYPE, required: false, location: Location::Body, token: false },
    Member { name: "ipv4AddressesPerEni", shape: &IPV4_ADDRESSES_PER_ENI, required: false, location: Location::Body, token: false },
    Member { name: "lastUpdatedAt", shape: &TIMESTAMP, required: false, location: Location::Body, token: false },
    Member { name: "name", shape: &RESOURCE_GATEWAY_NAME, required: false, location: Location::Body, token: false },
    Member { name: "resourceConfigDnsResolution", shape: &RESOURCE_CONFIG_DNS_RESOLUTION, required: false, location: Location::Body, token: false },
    Member { name: "securityGroupIds", shape: &SECURITY_GROUP_LIST, required: false, location: Location::Body, token: false },
    Member { name: "status", shape: &RESOURCE_GATEWAY_STATUS, required: false, location: Location::Body, token: false },
    Member { name: "subnetIds", shape: &SUBNET_LIST, required: false, location: Location::Body, token: false },
    Member { name: "vpcIdentifier", shape: &VPC_ID, required: false, location: Location::Body, token: false },
]);
static RESOURCE_ID: Shape = text("ResourceId", Range::new(Some(20), Some(50)), Some(Pattern::new(r"((sn)|(svc))-[0-9a-z]{17}")), &[]);
static RESOURCE_IDENTIFIER: Shape = text("ResourceIdentifier", Range::new(Some(17), Some(200)), Some(Pattern::new(r"((((sn)|(svc)|(rcfg))-[0-9a-z]{17})|(arn(:[a-z0-9]+([.-][a-z0-9]+)*){2}(:([a-z0-9]+([.-][a-z0-9]+)*)?){2}:((servicenetwork/sn)|(resourceconfiguration/rcfg)|(service/svc))-[0-9a-z]{17}))")), &[]);
static RESOURCE_NOT_FOUND_EXCEPTION: Shape = structure("ResourceNotFoundException", &[
    Member { name: "message", shape: &STRING, required: true, location: Location::Body, token: false },
    Member { name: "resourceId", shape: &STRING, required: true, location: Location::Body, token: false },
    Member { name: "resourceType", shape: &STRING, required: true, location: Location::Body, token: false },
]);
static RULE_ACTION: Shape = union("RuleAction", &[
    Member { name: "fixedResponse", shape: &FIXED_RESPONSE_ACTION, required: false, location: Location::Body, token: false },
    Member { name: "forward", shape: &FORWARD_ACTION, required: false, location: Location::Body, token: false },
]);
static RULE_ARN: Shape = text("RuleArn", Range::new(Some(20), Some(2048)), Some(Pattern::new(r"arn:[a-z0-9\-]+:vpc-lattice:[a-zA-Z0-9\-]+:\d{12}:service/svc-[0-9a-z]{17}/listener/listener-[0-9a-z]{17}/rule/rule-[0-9a-z]{17}")), &[]);
static RULE_ID: Shape = text("RuleId", Range::new(Some(5), Some(22)), Some(Pattern::new(r"rule-[0-9a-z]{17}")), &[]);
static RULE_IDENTIFIER: Shape = text("RuleIdentifier", Range::new(Some(20), Some(2048)), Some(Pattern::new(r"((rule-[0-9a-z]{17})|(^arn:[a-z0-9\-]+:vpc-lattice:[a-zA-Z0-9\-]+:\d{12}:service/svc-[0-9a-z]{17}/listener/listener-[0-9a-z]{17}/rule/rule-[0-9a-z]{17}$))")), &[]);
static RULE_MATCH: Shape = union("RuleMatch", &[
    Member { name: "httpMatch", shape: &HTTP_MATCH, required: false, location: Location::Body, token: false },
]);
static RULE_NAME: Shape = text("RuleName", Range::new(Some(3), Some(63)), Some(Pattern::new(r"(?!rule-)(?![-])(?!.*[-]$)(?!.*[-]{2})[a-z0-9-]+")), &[]);
static RULE_PRIORITY: Shape = integer("RulePriority", Range::new(Some(1), Some(2000)));
static RULE_SUMMARY: Shape = structure("RuleSummary", &[
    Member { name: "arn", shape: &RULE_ARN, required: false, location: Location::Body, token: false },
    Member { name: "createdAt", shape: &TIMESTAMP, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &RULE_ID, required: false, location: Location::Body, token: false },
    Member { name: "isDefault", shape: &BOOLEAN, required: false, location: Location::Body, token: false },
    Member { name: "lastUpdatedAt", shape: &TIMESTAMP, required: false, location: Location::Body, token: false },
    Member { name: "name", shape: &RULE_NAME, required: false, location: Location::Body, token: false },
    Member { name: "priority", shape: &RULE_PRIORITY, required: false, location: Location::Body, token: false },
]);
static RULE_SUMMARY_LIST: Shape = list("RuleSummaryList", Range::new(None, None), &RULE_SUMMARY);
static RULE_UPDATE: Shape = structure("RuleUpdate", &[
    Member { name: "action", shape: &RULE_ACTION, required: false, location: Location::Body, token: false },
    Member { name: "match", shape: &RULE_MATCH, required: false, location: Location::Body, token: false },
    Member { name: "priority", shape: &RULE_PRIORITY, required: false, location: Location::Body, token: false },
    Member { name: "ruleIdentifier", shape: &RULE_IDENTIFIER, required: true, location: Location::Body, token: false },
]);
static RULE_UPDATE_FAILURE: Shape = structure("RuleUpdateFailure", &[
    Member { name: "failureCode", shape: &FAILURE_CODE, required: false, location: Location::Body, token: false },
    Member { name: "failureMessage", shape: &FAILURE_MESSAGE, required: false, location: Location::Body, token: false },
    Member { name: "ruleIdentifier", shape: &RULE_IDENTIFIER, required: false, location: Location::Body, token: false },
]);
static RULE_UPDATE_FAILURE_LIST: Shape = list("RuleUpdateFailureList", Range::new(None, None), &RULE_UPDATE_FAILURE);
static RULE_UPDATE_LIST: Shape = list("RuleUpdateList", Range::new(Some(1), Some(10)), &RULE_UPDATE);
static RULE_UPDATE_SUCCESS: Shape = structure("RuleUpdateSuccess", &[
    Member { name: "action", shape: &RULE_ACTION, required: false, location: Location::Body, token: false },
    Member { name: "arn", shape: &RULE_ARN, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &RULE_ID, required: false, location: Location::Body, token: false },
    Member { name: "isDefault", shape: &BOOLEAN, required: false, location: Location::Body, token: false },
    Member { name: "match", shape: &RULE_MATCH, required: false, location: Location::Body, token: false },
    Member { name: "name", shape: &RULE_NAME, required: false, location: Location::Body, token: false },
    Member { name: "priority", shape: &RULE_PRIORITY, required: false, location: Location::Body, token: false },
]);
static RULE_UPDATE_SUCCESS_LIST: Shape = list("RuleUpdateSuccessList", Range::new(None, None), &RULE_UPDATE_SUCCESS);
static SECURITY_GROUP_ID: Shape = text("SecurityGroupId", Range::new(Some(5), Some(200)), Some(Pattern::new(r"sg-(([0-9a-z]{8})|([0-9a-z]{17}))")), &[]);
static SECURITY_GROUP_LIST: Shape = list("SecurityGroupList", Range::new(None, None), &SECURITY_GROUP_ID);
static SERVICE_ARN: Shape = text("ServiceArn", Range::new(Some(20), Some(2048)), Some(Pattern::new(r"arn:[a-z0-9\-]+:vpc-lattice:[a-zA-Z0-9\-]+:\d{12}:service/svc-[0-9a-z]{17}")), &[]);
static SERVICE_ARN_LIST: Shape = list("ServiceArnList", Range::new(None, None), &SERVICE_ARN);
static SERVICE_CUSTOM_DOMAIN_NAME: Shape = text("ServiceCustomDomainName", Range::new(Some(3), Some(255)), None, &[]);
static SERVICE_ID: Shape = text("ServiceId", Range::new(Some(21), Some(21)), Some(Pattern::new(r"svc-[0-9a-z]{17}")), &[]);
static SERVICE_IDENTIFIER: Shape = text("ServiceIdentifier", Range::new(Some(17), Some(2048)), Some(Pattern::new(r"((svc-[0-9a-z]{17})|(arn:[a-z0-9\-]+:vpc-lattice:[a-zA-Z0-9\-]+:\d{12}:service/svc-[0-9a-z]{17}))")), &[]);
static SERVICE_LIST: Shape = list("ServiceList", Range::new(None, None), &SERVICE_SUMMARY);
static SERVICE_NAME: Shape = text("ServiceName", Range::new(Some(3), Some(40)), Some(Pattern::new(r"(?!svc-)(?![-])(?!.*[-]$)(?!.*[-]{2})[a-z0-9-]+")), &[]);
static SERVICE_NETWORK_ARN: Shape = text("ServiceNetworkArn", Range::new(Some(32), Some(2048)), Some(Pattern::new(r"arn:[a-z0-9\-]+:vpc-lattice:[a-zA-Z0-9\-]+:\d{12}:servicenetwork/sn-[0-9a-z]{17}")), &[]);
static SERVICE_NETWORK_ARN_WITHOUT_REGEX: Shape = text("ServiceNetworkArnWithoutRegex", Range::new(Some(10), Some(2048)), None, &[]);
static SERVICE_NETWORK_ENDPOINT_ASSOCIATION: Shape = structure("ServiceNetworkEndpointAssociation", &[
    Member { name: "createdAt", shape: &TIMESTAMP, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &STRING, required: false, location: Location::Body, token: false },
    Member { name: "serviceNetworkArn", shape: &SERVICE_NETWORK_ARN, required: false, location: Location::Body, token: false },
    Member { name: "state", shape: &STRING, required: false, location: Location::Body, token: false },
    Member { name: "vpcEndpointId", shape: &STRING, required: false, location: Location::Body, token: false },
    Member { name: "vpcEndpointOwnerId", shape: &STRING, required: false, location: Location::Body, token: false },
    Member { name: "vpcId", shape: &STRING, required: false, location: Location::Body, token: false },
]);
static SERVICE_NETWORK_ID: Shape = text("ServiceNetworkId", Range::new(Some(20), Some(20)), Some(Pattern::new(r"sn-[0-9a-z]{17}")), &[]);
static SERVICE_NETWORK_IDENTIFIER: Shape = text("ServiceNetworkIdentifier", Range::new(Some(3), Some(2048)), Some(Pattern::new(r"((sn-[0-9a-z]{17})|(arn:[a-z0-9\-]+:vpc-lattice:[a-zA-Z0-9\-]+:\d{12}:servicenetwork/sn-[0-9a-z]{17}))")), &[]);
static SERVICE_NETWORK_IDENTIFIER_WITHOUT_REGEX: Shape = text("ServiceNetworkIdentifierWithoutRegex", Range::new(Some(3), Some(2048)), None, &[]);
static SERVICE_NETWORK_LIST: Shape = list("ServiceNetworkList", Range::new(None, None), &SERVICE_NETWORK_SUMMARY);
static SERVICE_NETWORK_LOG_TYPE: Shape = text("ServiceNetworkLogType", Range::new(None, None), None, &["SERVICE", "RESOURCE"]);
static SERVICE_NETWORK_NAME: Shape = text("ServiceNetworkName", Range::new(Some(3), Some(63)), Some(Pattern::new(r"(?![-])(?!.*[-]$)(?!.*[-]{2})[a-z0-9-]+")), &[]);
static SERVICE_NETWORK_NAME_WITHOUT_REGEX: Shape = text("ServiceNetworkNameWithoutRegex", Range::new(Some(3), Some(100)), None, &[]);
static SERVICE_NETWORK_RESOURCE_ASSOCIATION_ARN: Shape = text("ServiceNetworkResourceAssociationArn", Range::new(Some(22), Some(2048)), Some(Pattern::new(r"arn:[a-z0-9\-]+:vpc-lattice:[a-zA-Z0-9\-]+:\d{12}:servicenetworkresourceassociation/snra-[0-9a-f]{17}")), &[]);
static SERVICE_NETWORK_RESOURCE_ASSOCIATION_ID: Shape = text("ServiceNetworkResourceAssociationId", Range::new(Some(22), Some(22)), Some(Pattern::new(r"snra-[0-9a-f]{17}")), &[]);
static SERVICE_NETWORK_RESOURCE_ASSOCIATION_IDENTIFIER: Shape = text("ServiceNetworkResourceAssociationIdentifier", Range::new(Some(22), Some(2048)), Some(Pattern::new(r"((snra-[0-9a-z]{17})|(arn:[a-z0-9\-]+:vpc-lattice:[a-zA-Z0-9\-]+:\d{12}:servicenetworkresourceassociation/snra-[0-9a-f]{17}))")), &[]);
static SERVICE_NETWORK_RESOURCE_ASSOCIATION_LIST: Shape = list("ServiceNetworkResourceAssociationList", Range::new(None, None), &SERVICE_NETWORK_RESOURCE_ASSOCIATION_SUMMARY);
static SERVICE_NETWORK_RESOURCE_ASSOCIATION_STATUS: Shape = text("ServiceNetworkResourceAssociationStatus", Range::new(None, None), None, &["CREATE_IN_PROGRESS", "ACTIVE", "PARTIAL", "DELETE_IN_PROGRESS", "CREATE_FAILED", "DELETE_FAILED"]);
static SERVICE_NETWORK_RESOURCE_ASSOCIATION_SUMMARY: Shape = structure("ServiceNetworkResourceAssociationSummary", &[
    Member { name: "arn", shape: &SERVICE_NETWORK_RESOURCE_ASSOCIATION_ARN, required: false, location: Location::Body, token: false },
    Member { name: "createdAt", shape: &TIMESTAMP, required: false, location: Location::Body, token: false },
    Member { name: "createdBy", shape: &ACCOUNT_ID, required: false, location: Location::Body, token: false },
    Member { name: "dnsEntry", shape: &DNS_ENTRY, required: false, location: Location::Body, token: false },
    Member { name: "failureCode", shape: &STRING, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &SERVICE_NETWORK_RESOURCE_ASSOCIATION_ID, required: false, location: Location::Body, token: false },
    Member { name: "isManagedAssociation", shape: &BOOLEAN, required: false, location: Location::Body, token: false },
    Member { name: "privateDnsEnabled", shape: &BOOLEAN, required: false, location: Location::Body, token: false },
    Member { name: "privateDnsEntry", shape: &DNS_ENTRY, required: false, location: Location::Body, token: false },
    Member { name: "resourceConfigurationArn", shape: &RESOURCE_CONFIGURATION_ARN, required: false, location: Location::Body, token: false },
    Member { name: "resourceConfigurationId", shape: &RESOURCE_CONFIGURATION_ID, required: false, location: Location::Body, token: false },
    Member { name: "resourceConfigurationName", shape: &RESOURCE_CONFIGURATION_NAME, required: false, location: Location::Body, token: false },
    Member { name: "serviceNetworkArn", shape: &SERVICE_NETWORK_ARN_WITHOUT_REGEX, required: false, location: Location::Body, token: false },
    Member { name: "serviceNetworkId", shape: &SERVICE_NETWORK_IDENTIFIER_WITHOUT_REGEX, required: false, location: Location::Body, token: false },
    Member { name: "serviceNetworkName", shape: &SERVICE_NETWORK_NAME_WITHOUT_REGEX, required: false, location: Location::Body, token: false },
    Member { name: "status", shape: &SERVICE_NETWORK_RESOURCE_ASSOCIATION_STATUS, required: false, location: Location::Body, token: false },
]);
static SERVICE_NETWORK_SERVICE_ASSOCIATION_ARN: Shape = text("ServiceNetworkServiceAssociationArn", Range::new(Some(20), Some(2048)), Some(Pattern::new(r"arn:[a-z0-9\-]+:vpc-lattice:[a-zA-Z0-9\-]+:\d{12}:servicenetworkserviceassociation/snsa-[0-9a-z]{17}")), &[]);
static SERVICE_NETWORK_SERVICE_ASSOCIATION_IDENTIFIER: Shape = text("ServiceNetworkServiceAssociationIdentifier", Range::new(Some(17), Some(2048)), Some(Pattern::new(r"((snsa-[0-9a-z]{17})|(arn:[a-z0-9\-]+:vpc-lattice:[a-zA-Z0-9\-]+:\d{12}:servicenetworkserviceassociation/snsa-[0-9a-z]{17}))")), &[]);
static SERVICE_NETWORK_SERVICE_ASSOCIATION_LIST: Shape = list("ServiceNetworkServiceAssociationList", Range::new(None, None), &SERVICE_NETWORK_SERVICE_ASSOCIATION_SUMMARY);
static SERVICE_NETWORK_SERVICE_ASSOCIATION_STATUS: Shape = text("ServiceNetworkServiceAssociationStatus", Range::new(None, None), None, &["CREATE_IN_PROGRESS", "ACTIVE", "DELETE_IN_PROGRESS", "CREATE_FAILED", "DELETE_FAILED"]);
static SERVICE_NETWORK_SERVICE_ASSOCIATION_SUMMARY: Shape = structure("ServiceNetworkServiceAssociationSummary", &[
    Member { name: "arn", shape: &SERVICE_NETWORK_SERVICE_ASSOCIATION_ARN, required: false, location: Location::Body, token: false },
    Member { name: "createdAt", shape: &TIMESTAMP, required: false, location: Location::Body, token: false },
    Member { name: "createdBy", shape: &ACCOUNT_ID, required: false, location: Location::Body, token: false },
    Member { name: "customDomainName", shape: &SERVICE_CUSTOM_DOMAIN_NAME, required: false, location: Location::Body, token: false },
    Member { name: "dnsEntry", shape: &DNS_ENTRY, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &SERVICE_NETWORK_SERVICE_ASSOCIATION_IDENTIFIER, required: false, location: Location::Body, token: false },
    Member { name: "serviceArn", shape: &SERVICE_ARN, required: false, location: Location::Body, token: false },
    Member { name: "serviceId", shape: &SERVICE_ID, required: false, location: Location::Body, token: false },
    Member { name: "serviceName", shape: &SERVICE_NAME, required: false, location: Location::Body, token: false },
    Member { name: "serviceNetworkArn", shape: &SERVICE_NETWORK_ARN, required: false, location: Location::Body, token: false },
    Member { name: "serviceNetworkId", shape: &SERVICE_NETWORK_ID, required: false, location: Location::Body, token: false },
    Member { name: "serviceNetworkName", shape: &SERVICE_NETWORK_NAME, required: false, location: Location::Body, token: false },
    Member { name: "status", shape: &SERVICE_NETWORK_SERVICE_ASSOCIATION_STATUS, required: false, location: Location::Body, token: false },
]);
static SERVICE_NETWORK_SUMMARY: Shape = structure("ServiceNetworkSummary", &[
    Member { name: "arn", shape: &SERVICE_NETWORK_ARN, required: false, location: Location::Body, token: false },
    Member { name: "createdAt", shape: &TIMESTAMP, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &SERVICE_NETWORK_ID, required: false, location: Location::Body, token: false },
    Member { name: "lastUpdatedAt", shape: &TIMESTAMP, required: false, location: Location::Body, token: false },
    Member { name: "name", shape: &SERVICE_NETWORK_NAME, required: false, location: Location::Body, token: false },
    Member { name: "numberOfAssociatedResourceConfigurations", shape: &LONG, required: false, location: Location::Body, token: false },
    Member { name: "numberOfAssociatedServices", shape: &LONG, required: false, location: Location::Body, token: false },
    Member { name: "numberOfAssociatedVPCs", shape: &LONG, required: false, location: Location::Body, token: false },
]);
static SERVICE_NETWORK_VPC_ASSOCIATION_ARN: Shape = text("ServiceNetworkVpcAssociationArn", Range::new(Some(20), Some(2048)), Some(Pattern::new(r"arn:[a-z0-9\-]+:vpc-lattice:[a-zA-Z0-9\-]+:\d{12}:servicenetworkvpcassociation/snva-[0-9a-z]{17}")), &[]);
static SERVICE_NETWORK_VPC_ASSOCIATION_ID: Shape = text("ServiceNetworkVpcAssociationId", Range::new(Some(22), Some(22)), Some(Pattern::new(r"snva-[0-9a-z]{17}")), &[]);
static SERVICE_NETWORK_VPC_ASSOCIATION_IDENTIFIER: Shape = text("ServiceNetworkVpcAssociationIdentifier", Range::new(Some(17), Some(2048)), Some(Pattern::new(r"((snva-[0-9a-z]{17})|(arn:[a-z0-9\-]+:vpc-lattice:[a-zA-Z0-9\-]+:\d{12}:servicenetworkvpcassociation/snva-[0-9a-z]{17}))")), &[]);
static SERVICE_NETWORK_VPC_ASSOCIATION_LIST: Shape = list("ServiceNetworkVpcAssociationList", Range::new(None, None), &SERVICE_NETWORK_VPC_ASSOCIATION_SUMMARY);
static SERVICE_NETWORK_VPC_ASSOCIATION_STATUS: Shape = text("ServiceNetworkVpcAssociationStatus", Range::new(None, None), None, &["CREATE_IN_PROGRESS", "ACTIVE", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "CREATE_FAILED", "DELETE_FAILED", "UPDATE_FAILED"]);
static SERVICE_NETWORK_VPC_ASSOCIATION_SUMMARY: Shape = structure("ServiceNetworkVpcAssociationSummary", &[
    Member { name: "arn", shape: &SERVICE_NETWORK_VPC_ASSOCIATION_ARN, required: false, location: Location::Body, token: false },
    Member { name: "createdAt", shape: &TIMESTAMP, required: false, location: Location::Body, token: false },
    Member { name: "createdBy", shape: &ACCOUNT_ID, required: false, location: Location::Body, token: false },
    Member { name: "dnsOptions", shape: &DNS_OPTIONS, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &SERVICE_NETWORK_VPC_ASSOCIATION_ID, required: false, location: Location::Body, token: false },
    Member { name: "lastUpdatedAt", shape: &TIMESTAMP, required: false, location: Location::Body, token: false },
    Member { name: "privateDnsEnabled", shape: &BOOLEAN, required: false, location: Location::Body, token: false },
    Member { name: "serviceNetworkArn", shape: &SERVICE_NETWORK_ARN, required: false, location: Location::Body, token: false },
    Member { name: "serviceNetworkId", shape: &SERVICE_NETWORK_ID, required: false, location: Location::Body, token: false },
    Member { name: "serviceNetworkName", shape: &SERVICE_NETWORK_NAME, required: false, location: Location::Body, token: false },
    Member { name: "status", shape: &SERVICE_NETWORK_VPC_ASSOCIATION_STATUS, required: false, location: Location::Body, token: false },
    Member { name: "vpcId", shape: &VPC_ID, required: false, location: Location::Body, token: false },
]);
static SERVICE_NETWORK_VPC_ENDPOINT_ASSOCIATION_LIST: Shape = list("ServiceNetworkVpcEndpointAssociationList", Range::new(None, None), &SERVICE_NETWORK_ENDPOINT_ASSOCIATION);
static SERVICE_QUOTA_EXCEEDED_EXCEPTION: Shape = structure("ServiceQuotaExceededException", &[
    Member { name: "message", shape: &STRING, required: true, location: Location::Body, token: false },
    Member { name: "quotaCode", shape: &STRING, required: true, location: Location::Body, token: false },
    Member { name: "resourceId", shape: &STRING, required: false, location: Location::Body, token: false },
    Member { name: "resourceType", shape: &STRING, required: true, location: Location::Body, token: false },
    Member { name: "serviceCode", shape: &STRING, required: true, location: Location::Body, token: false },
]);
static SERVICE_STATUS: Shape = text("ServiceStatus", Range::new(None, None), None, &["ACTIVE", "CREATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "CREATE_FAILED", "DELETE_FAILED"]);
static SERVICE_SUMMARY: Shape = structure("ServiceSummary", &[
    Member { name: "arn", shape: &SERVICE_ARN, required: false, location: Location::Body, token: false },
    Member { name: "createdAt", shape: &TIMESTAMP, required: false, location: Location::Body, token: false },
    Member { name: "customDomainName", shape: &SERVICE_CUSTOM_DOMAIN_NAME, required: false, location: Location::Body, token: false },
    Member { name: "dnsEntry", shape: &DNS_ENTRY, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &SERVICE_ID, required: false, location: Location::Body, token: false },
    Member { name: "lastUpdatedAt", shape: &TIMESTAMP, required: false, location: Location::Body, token: false },
    Member { name: "name", shape: &SERVICE_NAME, required: false, location: Location::Body, token: false },
    Member { name: "status", shape: &SERVICE_STATUS, required: false, location: Location::Body, token: false },
]);
static SHARING_CONFIG: Shape = structure("SharingConfig", &[
    Member { name: "enabled", shape: &BOOLEAN, required: false, location: Location::Body, token: false },
]);
static START_DOMAIN_VERIFICATION_REQUEST: Shape = structure("StartDomainVerificationRequest", &[
    Member { name: "clientToken", shape: &CLIENT_TOKEN, required: false, location: Location::Body, token: true },
    Member { name: "domainName", shape: &DOMAIN_NAME, required: true, location: Location::Body, token: false },
    Member { name: "tags", shape: &TAG_MAP, required: false, location: Location::Body, token: false },
]);
static START_DOMAIN_VERIFICATION_RESPONSE: Shape = structure("StartDomainVerificationResponse", &[
    Member { name: "arn", shape: &DOMAIN_VERIFICATION_ARN, required: true, location: Location::Body, token: false },
    Member { name: "domainName", shape: &DOMAIN_NAME, required: true, location: Location::Body, token: false },
    Member { name: "id", shape: &DOMAIN_VERIFICATION_ID, required: true, location: Location::Body, token: false },
    Member { name: "status", shape: &VERIFICATION_STATUS, required: true, location: Location::Body, token: false },
    Member { name: "txtMethodConfig", shape: &TXT_METHOD_CONFIG, required: false, location: Location::Body, token: false },
]);
static STRING: Shape = text("String", Range::new(None, None), None, &[]);
static SUBNET_ID: Shape = text("SubnetId", Range::new(Some(5), Some(200)), None, &[]);
static SUBNET_LIST: Shape = list("SubnetList", Range::new(None, None), &SUBNET_ID);
static TAG_KEY: Shape = text("TagKey", Range::new(Some(1), Some(128)), None, &[]);
static TAG_KEYS: Shape = list("TagKeys", Range::new(Some(0), Some(200)), &TAG_KEY);
static TAG_MAP: Shape = map("TagMap", Range::new(Some(0), Some(200)), &TAG_KEY, &TAG_VALUE);
static TAG_RESOURCE_REQUEST: Shape = structure("TagResourceRequest", &[
    Member { name: "resourceArn", shape: &ARN, required: true, location: Location::Path, token: false },
    Member { name: "tags", shape: &TAG_MAP, required: true, location: Location::Body, token: false },
]);
static TAG_RESOURCE_RESPONSE: Shape = structure("TagResourceResponse", &[
]);
static TAG_VALUE: Shape = text("TagValue", Range::new(Some(0), Some(256)), None, &[]);
static TARGET: Shape = structure("Target", &[
    Member { name: "id", shape: &TARGET_ID_STRING, required: true, location: Location::Body, token: false },
    Member { name: "port", shape: &PORT, required: false, location: Location::Body, token: false },
]);
static TARGET_FAILURE: Shape = structure("TargetFailure", &[
    Member { name: "failureCode", shape: &STRING, required: false, location: Location::Body, token: false },
    Member { name: "failureMessage", shape: &STRING, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &STRING, required: false, location: Location::Body, token: false },
    Member { name: "port", shape: &PORT, required: false, location: Location::Body, token: false },
]);
static TARGET_FAILURE_LIST: Shape = list("TargetFailureList", Range::new(None, None), &TARGET_FAILURE);
static TARGET_GROUP_ARN: Shape = text("TargetGroupArn", Range::new(Some(20), Some(2048)), Some(Pattern::new(r"arn:[a-z0-9\-]+:vpc-lattice:[a-zA-Z0-9\-]+:\d{12}:targetgroup/tg-[0-9a-z]{17}")), &[]);
static TARGET_GROUP_CONFIG: Shape = structure("TargetGroupConfig", &[
    Member { name: "healthCheck", shape: &HEALTH_CHECK_CONFIG, required: false, location: Location::Body, token: false },
    Member { name: "ipAddressType", shape: &IP_ADDRESS_TYPE, required: false, location: Location::Body, token: false },
    Member { name: "lambdaEventStructureVersion", shape: &LAMBDA_EVENT_STRUCTURE_VERSION, required: false, location: Location::Body, token: false },
    Member { name: "port", shape: &PORT, required: false, location: Location::Body, token: false },
    Member { name: "protocol", shape: &TARGET_GROUP_PROTOCOL, required: false, location: Location::Body, token: false },
    Member { name: "protocolVersion", shape: &TARGET_GROUP_PROTOCOL_VERSION, required: false, location: Location::Body, token: false },
    Member { name: "vpcIdentifier", shape: &VPC_ID, required: false, location: Location::Body, token: false },
]);
static TARGET_GROUP_ID: Shape = text("TargetGroupId", Range::new(Some(20), Some(20)), Some(Pattern::new(r"tg-[0-9a-z]{17}")), &[]);
static TARGET_GROUP_IDENTIFIER: Shape = text("TargetGroupIdentifier", Range::new(Some(17), Some(2048)), Some(Pattern::new(r"((tg-[0-9a-z]{17})|(arn:[a-z0-9\-]+:vpc-lattice:[a-zA-Z0-9\-]+:\d{12}:targetgroup/tg-[0-9a-z]{17}))")), &[]);
static TARGET_GROUP_LIST: Shape = list("TargetGroupList", Range::new(None, None), &TARGET_GROUP_SUMMARY);
static TARGET_GROUP_NAME: Shape = text("TargetGroupName", Range::new(Some(3), Some(128)), Some(Pattern::new(r"(?!tg-)(?![-])(?!.*[-]$)(?!.*[-]{2})[a-z0-9-]+")), &[]);
static TARGET_GROUP_PROTOCOL: Shape = text("TargetGroupProtocol", Range::new(None, None), None, &["HTTP", "HTTPS", "TCP"]);
static TARGET_GROUP_PROTOCOL_VERSION: Shape = text("TargetGroupProtocolVersion", Range::new(None, None), None, &["HTTP1", "HTTP2", "GRPC"]);
static TARGET_GROUP_STATUS: Shape = text("TargetGroupStatus", Range::new(None, None), None, &["CREATE_IN_PROGRESS", "ACTIVE", "DELETE_IN_PROGRESS", "CREATE_FAILED", "DELETE_FAILED"]);
static TARGET_GROUP_SUMMARY: Shape = structure("TargetGroupSummary", &[
    Member { name: "arn", shape: &TARGET_GROUP_ARN, required: false, location: Location::Body, token: false },
    Member { name: "createdAt", shape: &TIMESTAMP, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &TARGET_GROUP_ID, required: false, location: Location::Body, token: false },
    Member { name: "ipAddressType", shape: &IP_ADDRESS_TYPE, required: false, location: Location::Body, token: false },
    Member { name: "lambdaEventStructureVersion", shape: &LAMBDA_EVENT_STRUCTURE_VERSION, required: false, location: Location::Body, token: false },
    Member { name: "lastUpdatedAt", shape: &TIMESTAMP, required: false, location: Location::Body, token: false },
    Member { name: "name", shape: &TARGET_GROUP_NAME, required: false, location: Location::Body, token: false },
    Member { name: "port", shape: &PORT, required: false, location: Location::Body, token: false },
    Member { name: "protocol", shape: &TARGET_GROUP_PROTOCOL, required: false, location: Location::Body, token: false },
    Member { name: "serviceArns", shape: &SERVICE_ARN_LIST, required: false, location: Location::Body, token: false },
    Member { name: "status", shape: &TARGET_GROUP_STATUS, required: false, location: Location::Body, token: false },
    Member { name: "type", shape: &TARGET_GROUP_TYPE, required: false, location: Location::Body, token: false },
    Member { name: "vpcIdentifier", shape: &VPC_ID, required: false, location: Location::Body, token: false },
]);
static TARGET_GROUP_TYPE: Shape = text("TargetGroupType", Range::new(None, None), None, &["IP", "LAMBDA", "INSTANCE", "ALB"]);
static TARGET_GROUP_WEIGHT: Shape = integer("TargetGroupWeight", Range::new(Some(0), Some(999)));
static TARGET_ID_STRING: Shape = text("TargetIdString", Range::new(Some(1), Some(200)), None, &[]);
static TARGET_LIST: Shape = list("TargetList", Range::new(None, None), &TARGET);
static TARGET_STATUS: Shape = text("TargetStatus", Range::new(None, None), None, &["DRAINING", "UNAVAILABLE", "HEALTHY", "UNHEALTHY", "INITIAL", "UNUSED"]);
static TARGET_SUMMARY: Shape = structure("TargetSummary", &[
    Member { name: "id", shape: &STRING, required: false, location: Location::Body, token: false },
    Member { name: "port", shape: &PORT, required: false, location: Location::Body, token: false },
    Member { name: "reasonCode", shape: &STRING, required: false, location: Location::Body, token: false },
    Member { name: "status", shape: &TARGET_STATUS, required: false, location: Location::Body, token: false },
]);
static TARGET_SUMMARY_LIST: Shape = list("TargetSummaryList", Range::new(None, None), &TARGET_SUMMARY);
static THROTTLING_EXCEPTION: Shape = structure("ThrottlingException", &[
    Member { name: "message", shape: &STRING, required: true, location: Location::Body, token: false },
    Member { name: "quotaCode", shape: &STRING, required: false, location: Location::Body, token: false },
    Member { name: "retryAfterSeconds", shape: &INTEGER, required: false, location: Location::Header, token: false },
    Member { name: "serviceCode", shape: &STRING, required: false, location: Location::Body, token: false },
]);
static TIMESTAMP: Shape = timestamp("Timestamp");
static TXT_METHOD_CONFIG: Shape = structure("TxtMethodConfig", &[
    Member { name: "name", shape: &STRING, required: true, location: Location::Body, token: false },
    Member { name: "value", shape: &STRING, required: true, location: Location::Body, token: false },
]);
static UNHEALTHY_THRESHOLD_COUNT: Shape = integer("UnhealthyThresholdCount", Range::new(Some(0), Some(10)));
static UNTAG_RESOURCE_REQUEST: Shape = structure("UntagResourceRequest", &[
    Member { name: "resourceArn", shape: &ARN, required: true, location: Location::Path, token: false },
    Member { name: "tagKeys", shape: &TAG_KEYS, required: true, location: Location::Query, token: false },
]);
static UNTAG_RESOURCE_RESPONSE: Shape = structure("UntagResourceResponse", &[
]);
static UPDATE_ACCESS_LOG_SUBSCRIPTION_REQUEST: Shape = structure("UpdateAccessLogSubscriptionRequest", &[
    Member { name: "accessLogSubscriptionIdentifier", shape: &ACCESS_LOG_SUBSCRIPTION_IDENTIFIER, required: true, location: Location::Path, token: false },
    Member { name: "destinationArn", shape: &ACCESS_LOG_DESTINATION_ARN, required: true, location: Location::Body, token: false },
]);
static UPDATE_ACCESS_LOG_SUBSCRIPTION_RESPONSE: Shape = structure("UpdateAccessLogSubscriptionResponse", &[
    Member { name: "arn", shape: &ACCESS_LOG_SUBSCRIPTION_ARN, required: true, location: Location::Body, token: false },
    Member { name: "destinationArn", shape: &ACCESS_LOG_DESTINATION_ARN, required: true, location: Location::Body, token: false },
    Member { name: "id", shape: &ACCESS_LOG_SUBSCRIPTION_ID, required: true, location: Location::Body, token: false },
    Member { name: "resourceArn", shape: &RESOURCE_ARN, required: true, location: Location::Body, token: false },
    Member { name: "resourceId", shape: &RESOURCE_ID, required: true, location: Location::Body, token: false },
]);
static UPDATE_LISTENER_REQUEST: Shape = structure("UpdateListenerRequest", &[
    Member { name: "defaultAction", shape: &RULE_ACTION, required: true, location: Location::Body, token: false },
    Member { name: "listenerIdentifier", shape: &LISTENER_IDENTIFIER, required: true, location: Location::Path, token: false },
    Member { name: "serviceIdentifier", shape: &SERVICE_IDENTIFIER, required: true, location: Location::Path, token: false },
]);
static UPDATE_LISTENER_RESPONSE: Shape = structure("UpdateListenerResponse", &[
    Member { name: "arn", shape: &LISTENER_ARN, required: false, location: Location::Body, token: false },
    Member { name: "defaultAction", shape: &RULE_ACTION, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &LISTENER_ID, required: false, location: Location::Body, token: false },
    Member { name: "name", shape: &LISTENER_NAME, required: false, location: Location::Body, token: false },
    Member { name: "port", shape: &PORT, required: false, location: Location::Body, token: false },
    Member { name: "protocol", shape: &LISTENER_PROTOCOL, required: false, location: Location::Body, token: false },
    Member { name: "serviceArn", shape: &SERVICE_ARN, required: false, location: Location::Body, token: false },
    Member { name: "serviceId", shape: &SERVICE_ID, required: false, location: Location::Body, token: false },
]);
static UPDATE_RESOURCE_CONFIGURATION_REQUEST: Shape = structure("UpdateResourceConfigurationRequest", &[
    Member { name: "allowAssociationToShareableServiceNetwork", shape: &BOOLEAN, required: false, location: Location::Body, token: false },
    Member { name: "portRanges", shape: &PORT_RANGE_LIST, required: false, location: Location::Body, token: false },
    Member { name: "resourceConfigurationDefinition", shape: &RESOURCE_CONFIGURATION_DEFINITION, required: false, location: Location::Body, token: false },
    Member { name: "resourceConfigurationIdentifier", shape: &RESOURCE_CONFIGURATION_IDENTIFIER, required: true, location: Location::Path, token: false },
]);
static UPDATE_RESOURCE_CONFIGURATION_RESPONSE: Shape = structure("UpdateResourceConfigurationResponse", &[
    Member { name: "allowAssociationToShareableServiceNetwork", shape: &BOOLEAN, required: false, location: Location::Body, token: false },
    Member { name: "arn", shape: &RESOURCE_CONFIGURATION_ARN, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &RESOURCE_CONFIGURATION_ID, required: false, location: Location::Body, token: false },
    Member { name: "name", shape: &RESOURCE_CONFIGURATION_NAME, required: false, location: Location::Body, token: false },
    Member { name: "portRanges", shape: &PORT_RANGE_LIST, required: false, location: Location::Body, token: false },
    Member { name: "protocol", shape: &PROTOCOL_TYPE, required: false, location: Location::Body, token: false },
    Member { name: "resourceConfigurationDefinition", shape: &RESOURCE_CONFIGURATION_DEFINITION, required: false, location: Location::Body, token: false },
    Member { name: "resourceConfigurationGroupId", shape: &RESOURCE_CONFIGURATION_ID, required: false, location: Location::Body, token: false },
    Member { name: "resourceGatewayId", shape: &RESOURCE_GATEWAY_ID, required: false, location: Location::Body, token: false },
    Member { name: "status", shape: &RESOURCE_CONFIGURATION_STATUS, required: false, location: Location::Body, token: false },
    Member { name: "type", shape: &RESOURCE_CONFIGURATION_TYPE, required: false, location: Location::Body, token: false },
]);
static UPDATE_RESOURCE_GATEWAY_REQUEST: Shape = structure("UpdateResourceGatewayRequest", &[
    Member { name: "resourceConfigDnsResolution", shape: &RESOURCE_CONFIG_DNS_RESOLUTION, required: false, location: Location::Body, token: false },
    Member { name: "resourceGatewayIdentifier", shape: &RESOURCE_GATEWAY_IDENTIFIER, required: true, location: Location::Path, token: false },
    Member { name: "securityGroupIds", shape: &UPDATE_RESOURCE_GATEWAY_REQUEST_SECURITY_GROUP_IDS_LIST, required: false, location: Location::Body, token: false },
]);
static UPDATE_RESOURCE_GATEWAY_REQUEST_SECURITY_GROUP_IDS_LIST: Shape = list("UpdateResourceGatewayRequestSecurityGroupIdsList", Range::new(Some(0), Some(5)), &SECURITY_GROUP_ID);
static UPDATE_RESOURCE_GATEWAY_RESPONSE: Shape = structure("UpdateResourceGatewayResponse", &[
    Member { name: "arn", shape: &RESOURCE_GATEWAY_ARN, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &RESOURCE_GATEWAY_ID, required: false, location: Location::Body, token: false },
    Member { name: "ipAddressType", shape: &IP_ADDRESS_TYPE, required: false, location: Location::Body, token: false },
    Member { name: "name", shape: &RESOURCE_GATEWAY_NAME, required: false, location: Location::Body, token: false },
    Member { name: "resourceConfigDnsResolution", shape: &RESOURCE_CONFIG_DNS_RESOLUTION, required: false, location: Location::Body, token: false },
    Member { name: "securityGroupIds", shape: &SECURITY_GROUP_LIST, required: false, location: Location::Body, token: false },
    Member { name: "status", shape: &RESOURCE_GATEWAY_STATUS, required: false, location: Location::Body, token: false },
    Member { name: "subnetIds", shape: &SUBNET_LIST, required: false, location: Location::Body, token: false },
    Member { name: "vpcId", shape: &VPC_ID, required: false, location: Location::Body, token: false },
]);
static UPDATE_RULE_REQUEST: Shape = structure("UpdateRuleRequest", &[
    Member { name: "action", shape: &RULE_ACTION, required: false, location: Location::Body, token: false },
    Member { name: "listenerIdentifier", shape: &LISTENER_IDENTIFIER, required: true, location: Location::Path, token: false },
    Member { name: "match", shape: &RULE_MATCH, required: false, location: Location::Body, token: false },
    Member { name: "priority", shape: &RULE_PRIORITY, required: false, location: Location::Body, token: false },
    Member { name: "ruleIdentifier", shape: &RULE_IDENTIFIER, required: true, location: Location::Path, token: false },
    Member { name: "serviceIdentifier", shape: &SERVICE_IDENTIFIER, required: true, location: Location::Path, token: false },
]);
static UPDATE_RULE_RESPONSE: Shape = structure("UpdateRuleResponse", &[
    Member { name: "action", shape: &RULE_ACTION, required: false, location: Location::Body, token: false },
    Member { name: "arn", shape: &RULE_ARN, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &RULE_ID, required: false, location: Location::Body, token: false },
    Member { name: "isDefault", shape: &BOOLEAN, required: false, location: Location::Body, token: false },
    Member { name: "match", shape: &RULE_MATCH, required: false, location: Location::Body, token: false },
    Member { name: "name", shape: &RULE_NAME, required: false, location: Location::Body, token: false },
    Member { name: "priority", shape: &RULE_PRIORITY, required: false, location: Location::Body, token: false },
]);
static UPDATE_SERVICE_NETWORK_REQUEST: Shape = structure("UpdateServiceNetworkRequest", &[
    Member { name: "authType", shape: &AUTH_TYPE, required: true, location: Location::Body, token: false },
    Member { name: "serviceNetworkIdentifier", shape: &SERVICE_NETWORK_IDENTIFIER, required: true, location: Location::Path, token: false },
]);
static UPDATE_SERVICE_NETWORK_RESPONSE: Shape = structure("UpdateServiceNetworkResponse", &[
    Member { name: "arn", shape: &SERVICE_NETWORK_ARN, required: false, location: Location::Body, token: false },
    Member { name: "authType", shape: &AUTH_TYPE, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &SERVICE_NETWORK_ID, required: false, location: Location::Body, token: false },
    Member { name: "name", shape: &SERVICE_NETWORK_NAME, required: false, location: Location::Body, token: false },
]);
static UPDATE_SERVICE_NETWORK_VPC_ASSOCIATION_REQUEST: Shape = structure("UpdateServiceNetworkVpcAssociationRequest", &[
    Member { name: "dnsOptions", shape: &DNS_OPTIONS, required: false, location: Location::Body, token: false },
    Member { name: "privateDnsEnabled", shape: &BOOLEAN, required: false, location: Location::Body, token: false },
    Member { name: "securityGroupIds", shape: &UPDATE_SERVICE_NETWORK_VPC_ASSOCIATION_REQUEST_SECURITY_GROUP_IDS_LIST, required: false, location: Location::Body, token: false },
    Member { name: "serviceNetworkVpcAssociationIdentifier", shape: &SERVICE_NETWORK_VPC_ASSOCIATION_IDENTIFIER, required: true, location: Location::Path, token: false },
]);
static UPDATE_SERVICE_NETWORK_VPC_ASSOCIATION_REQUEST_SECURITY_GROUP_IDS_LIST: Shape = list("UpdateServiceNetworkVpcAssociationRequestSecurityGroupIdsList", Range::new(Some(1), Some(5)), &SECURITY_GROUP_ID);
static UPDATE_SERVICE_NETWORK_VPC_ASSOCIATION_RESPONSE: Shape = structure("UpdateServiceNetworkVpcAssociationResponse", &[
    Member { name: "arn", shape: &SERVICE_NETWORK_VPC_ASSOCIATION_ARN, required: false, location: Location::Body, token: false },
    Member { name: "createdBy", shape: &ACCOUNT_ID, required: false, location: Location::Body, token: false },
    Member { name: "dnsOptions", shape: &DNS_OPTIONS, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &SERVICE_NETWORK_VPC_ASSOCIATION_ID, required: false, location: Location::Body, token: false },
    Member { name: "privateDnsEnabled", shape: &BOOLEAN, required: false, location: Location::Body, token: false },
    Member { name: "securityGroupIds", shape: &SECURITY_GROUP_LIST, required: false, location: Location::Body, token: false },
    Member { name: "status", shape: &SERVICE_NETWORK_VPC_ASSOCIATION_STATUS, required: false, location: Location::Body, token: false },
]);
static UPDATE_SERVICE_REQUEST: Shape = structure("UpdateServiceRequest", &[
    Member { name: "authType", shape: &AUTH_TYPE, required: false, location: Location::Body, token: false },
    Member { name: "certificateArn", shape: &CERTIFICATE_ARN, required: false, location: Location::Body, token: false },
    Member { name: "idleTimeoutSeconds", shape: &IDLE_TIMEOUT_SECONDS, required: false, location: Location::Body, token: false },
    Member { name: "serviceIdentifier", shape: &SERVICE_IDENTIFIER, required: true, location: Location::Path, token: false },
]);
static UPDATE_SERVICE_RESPONSE: Shape = structure("UpdateServiceResponse", &[
    Member { name: "arn", shape: &SERVICE_ARN, required: false, location: Location::Body, token: false },
    Member { name: "authType", shape: &AUTH_TYPE, required: false, location: Location::Body, token: false },
    Member { name: "certificateArn", shape: &CERTIFICATE_ARN, required: false, location: Location::Body, token: false },
    Member { name: "customDomainName", shape: &SERVICE_CUSTOM_DOMAIN_NAME, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &SERVICE_ID, required: false, location: Location::Body, token: false },
    Member { name: "idleTimeoutSeconds", shape: &IDLE_TIMEOUT_SECONDS, required: false, location: Location::Body, token: false },
    Member { name: "name", shape: &SERVICE_NAME, required: false, location: Location::Body, token: false },
]);
static UPDATE_TARGET_GROUP_REQUEST: Shape = structure("UpdateTargetGroupRequest", &[
    Member { name: "healthCheck", shape: &HEALTH_CHECK_CONFIG, required: true, location: Location::Body, token: false },
    Member { name: "targetGroupIdentifier", shape: &TARGET_GROUP_IDENTIFIER, required: true, location: Location::Path, token: false },
]);
static UPDATE_TARGET_GROUP_RESPONSE: Shape = structure("UpdateTargetGroupResponse", &[
    Member { name: "arn", shape: &TARGET_GROUP_ARN, required: false, location: Location::Body, token: false },
    Member { name: "config", shape: &TARGET_GROUP_CONFIG, required: false, location: Location::Body, token: false },
    Member { name: "id", shape: &TARGET_GROUP_ID, required: false, location: Location::Body, token: false },
    Member { name: "name", shape: &TARGET_GROUP_NAME, required: false, location: Location::Body, token: false },
    Member { name: "status", shape: &TARGET_GROUP_STATUS, required: false, location: Location::Body, token: false },
    Member { name: "type", shape: &TARGET_GROUP_TYPE, required: false, location: Location::Body, token: false },
]);
static VALIDATION_EXCEPTION: Shape = structure("ValidationException", &[
    Member { name: "fieldList", shape: &VALIDATION_EXCEPTION_FIELD_LIST, required: false, location: Location::Body, token: false },
    Member { name: "message", shape: &STRING, required: true, location: Location::Body, token: false },
    Member { name: "reason", shape: &VALIDATION_EXCEPTION_REASON, required: true, location: Location::Body, token: false },
]);
static VALIDATION_EXCEPTION_FIELD: Shape = structure("ValidationExceptionField", &[
    Member { name: "message", shape: &STRING, required: true, location: Location::Body, token: false },
    Member { name: "name", shape: &STRING, required: true, location: Location::Body, token: false },
]);
static VALIDATION_EXCEPTION_FIELD_LIST: Shape = list("ValidationExceptionFieldList", Range::new(None, None), &VALIDATION_EXCEPTION_FIELD);
static VALIDATION_EXCEPTION_REASON: Shape = text("ValidationExceptionReason", Range::new(None, None), None, &["unknownOperation", "cannotParse", "fieldValidationFailed", "other"]);
static VERIFICATION_STATUS: Shape = text("VerificationStatus", Range::new(None, None), None, &["VERIFIED", "PENDING", "VERIFICATION_TIMED_OUT"]);
static VPC_ENDPOINT_ID: Shape = text("VpcEndpointId", Range::new(Some(22), Some(22)), Some(Pattern::new(r"vpce-[0-9a-f]{17}")), &[]);
static VPC_ENDPOINT_OWNER: Shape = text("VpcEndpointOwner", Range::new(Some(12), Some(12)), Some(Pattern::new(r"\d{12}")), &[]);
static VPC_ID: Shape = text("VpcId", Range::new(Some(5), Some(50)), Some(Pattern::new(r"vpc-(([0-9a-z]{8})|([0-9a-z]{17}))")), &[]);
static WEIGHTED_TARGET_GROUP: Shape = structure("WeightedTargetGroup", &[
    Member { name: "targetGroupIdentifier", shape: &TARGET_GROUP_IDENTIFIER, required: true, location: Location::Body, token: false },
    Member { name: "weight", shape: &TARGET_GROUP_WEIGHT, required: false, location: Location::Body, token: false },
]);
static WEIGHTED_TARGET_GROUP_LIST: Shape = list("WeightedTargetGroupList", Range::new(Some(1), Some(10)), &WEIGHTED_TARGET_GROUP);
static WILDCARD_ARN: Shape = text("WildcardArn", Range::new(Some(20), Some(2048)), Some(Pattern::new(r"arn:[a-z0-9][-.a-z0-9]{0,62}:[a-z0-9][-.a-z0-9]{0,62}:([a-z0-9][-.a-z0-9]{0,62})?:\d{12}?:[^/].{0,1023}")), &[]);
