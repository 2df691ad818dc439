//! Steps in words, for statuses and logs, and as labels of metrics.

use lattice::{
    plan::{group, network, resource, rules, service},
    resource::ResourceKind,
};

use super::{resource_calls::ResourceCall, resources::word};

/// What is done by a step on a service.
pub(super) fn of_service(step: &service::Step) -> String {
    match step {
        service::Step::Create => "making the service".into(),
        service::Step::Update { certificate: Some(_), .. } => "changing the service's certificate".into(),
        service::Step::Update { auth: Some(true), .. } => "putting the service's auth policy in force".into(),
        service::Step::Update { .. } => "putting the service's auth policy out of force".into(),
        service::Step::Delete => "deleting the service".into(),
        service::Step::CreateListener { port, .. } => format!("making the listener on port {port}"),
        service::Step::UpdateListener { port, .. } => {
            format!("changing the default action of the listener on port {port}")
        }
        service::Step::DeleteListener { port, .. } => format!("deleting the listener on port {port}"),
        service::Step::Rule { port, step: rules::Step::Create { priority, .. }, .. } => {
            format!("making rule {priority} of the listener on port {port}")
        }
        service::Step::Rule { port, step: rules::Step::Update(changes), .. } => {
            let priorities: Vec<String> = changes.iter().map(|change| change.priority.to_string()).collect();
            let noun = if priorities.len() == 1 { "rule" } else { "rules" };
            format!("changing {noun} {} of the listener on port {port}", priorities.join(", "))
        }
        service::Step::Rule { port, step: rules::Step::Delete(_), .. } => {
            format!("deleting a rule of the listener on port {port}")
        }
        service::Step::Associate(network) => format!("putting the service into service network {network}"),
        service::Step::Dissociate(network, _) => {
            format!("taking the service out of service network {network}")
        }
        service::Step::PutAuthPolicy(_) => "setting the service's auth policy".into(),
        service::Step::DeleteAuthPolicy => "deleting the service's auth policy".into(),
        service::Step::CreateAccessLog(to) => format!("sending the service's access logs to {to}"),
        service::Step::DeleteAccessLog(to, _) => {
            format!("no longer sending the service's access logs to {to}")
        }
        service::Step::Tag(_) => "setting the service's tags".into(),
        service::Step::Untag(_) => "taking tags from the service".into(),
    }
}

/// The label of a step on a service.
pub(super) fn label_of_service(step: &service::Step) -> &'static str {
    match step {
        service::Step::Create => "create_service",
        service::Step::Update { .. } => "update_service",
        service::Step::Delete => "delete_service",
        service::Step::CreateListener { .. } => "create_listener",
        service::Step::UpdateListener { .. } => "update_listener",
        service::Step::DeleteListener { .. } => "delete_listener",
        service::Step::Rule { step: rules::Step::Create { .. }, .. } => "create_rule",
        service::Step::Rule { step: rules::Step::Update(_), .. } => "update_rules",
        service::Step::Rule { step: rules::Step::Delete(_), .. } => "delete_rule",
        service::Step::Associate(_) => "associate_service",
        service::Step::Dissociate(..) => "dissociate_service",
        service::Step::PutAuthPolicy(_) => "put_auth_policy",
        service::Step::DeleteAuthPolicy => "delete_auth_policy",
        service::Step::CreateAccessLog(_) => "create_access_log",
        service::Step::DeleteAccessLog(..) => "delete_access_log",
        service::Step::Tag(_) => "tag_service",
        service::Step::Untag(_) => "untag_service",
    }
}

/// What is done by a step on a target group, and its label.
pub(super) fn of_group(step: &group::Step) -> (&'static str, &'static str) {
    match step {
        group::Step::Create => ("making the target group", "create_group"),
        group::Step::Update(_) => ("changing the target group's health check", "update_group"),
        group::Step::Tag(_) => ("setting the target group's tags", "tag_group"),
        group::Step::Untag(_) => ("taking tags from the target group", "untag_group"),
        group::Step::Delete => ("deleting the target group", "delete_group"),
    }
}

/// What is done by a step on a service network.
pub(super) fn of_network(step: &network::Step) -> String {
    match step {
        network::Step::Create => "making the service network".into(),
        network::Step::AssociateVpc(_) => "putting the VPC into the service network".into(),
        network::Step::UpdateVpc(..) => "changing the security groups of the VPC's association".into(),
        network::Step::DissociateVpc(_) => "taking the VPC out of the service network".into(),
        network::Step::Update { auth: true } => "putting the network's auth policy in force".into(),
        network::Step::Update { auth: false } => "putting the network's auth policy out of force".into(),
        network::Step::PutAuthPolicy(_) => "setting the network's auth policy".into(),
        network::Step::DeleteAuthPolicy => "deleting the network's auth policy".into(),
        network::Step::CreateAccessLog(to) => format!("sending the network's access logs to {to}"),
        network::Step::DeleteAccessLog(to, _) => {
            format!("no longer sending the network's access logs to {to}")
        }
    }
}

/// The label of a step on a service network.
pub(super) fn label_of_network(step: &network::Step) -> &'static str {
    match step {
        network::Step::Create => "create_network",
        network::Step::AssociateVpc(_) => "associate_vpc",
        network::Step::UpdateVpc(..) => "update_vpc",
        network::Step::DissociateVpc(_) => "dissociate_vpc",
        network::Step::Update { .. } => "update_network",
        network::Step::PutAuthPolicy(_) => "put_auth_policy",
        network::Step::DeleteAuthPolicy => "delete_auth_policy",
        network::Step::CreateAccessLog(_) => "create_access_log",
        network::Step::DeleteAccessLog(..) => "delete_access_log",
    }
}

/// What is done by a step on a resource.
pub(super) fn of_resource(call: &ResourceCall) -> String {
    let what = word(call.kind);
    match &call.step {
        resource::Step::Create(_) => format!("making the {what}"),
        resource::Step::Update(_) => format!("changing where the {what} leads"),
        resource::Step::Associate(network) => format!("putting the {what} into service network {network}"),
        resource::Step::Dissociate(network, _) => {
            format!("taking the {what} out of service network {network}")
        }
        resource::Step::Tag(_) => format!("setting the tags of the {what}"),
        resource::Step::Untag(_) => format!("taking tags from the {what}"),
        resource::Step::Delete => format!("deleting the {what}"),
    }
}

/// The label of a step on a resource.
pub(super) fn label_of_resource(call: &ResourceCall) -> &'static str {
    match (&call.step, call.kind) {
        (resource::Step::Create(_), ResourceKind::Gateway) => "create_resource_gateway",
        (resource::Step::Create(_), ResourceKind::Directory) => "create_directory",
        (resource::Step::Create(_), ResourceKind::Configuration) => "create_resource_configuration",
        (resource::Step::Update(_), _) => "update_resource_configuration",
        (resource::Step::Associate(_), _) => "associate_resource_configuration",
        (resource::Step::Dissociate(..), _) => "dissociate_resource_configuration",
        (resource::Step::Untag(_), ResourceKind::Gateway) => "untag_resource_gateway",
        (resource::Step::Untag(_), ResourceKind::Directory) => "untag_directory",
        (resource::Step::Untag(_), ResourceKind::Configuration) => "untag_resource_configuration",
        (resource::Step::Tag(_), ResourceKind::Gateway) => "tag_resource_gateway",
        (resource::Step::Tag(_), ResourceKind::Directory) => "tag_directory",
        (resource::Step::Tag(_), ResourceKind::Configuration) => "tag_resource_configuration",
        (resource::Step::Delete, ResourceKind::Gateway) => "delete_resource_gateway",
        (resource::Step::Delete, ResourceKind::Directory) => "delete_directory",
        (resource::Step::Delete, ResourceKind::Configuration) => "delete_resource_configuration",
    }
}
