//! The operations that Lath calls, and the services that they belong to.

use std::fmt;

use prometheus_client::encoding::EncodeLabelValue;

/// An AWS service that Lath calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// VPC Lattice.
    Lattice,
    /// The Resource Groups Tagging API.
    Tagging,
    /// Certificate Manager.
    Certificates,
    /// Cloud Map.
    CloudMap,
}

impl Service {
    /// How many there are.
    pub(crate) const COUNT: usize = 4;

    /// What stands before the colon of its actions in policies of IAM.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Lattice => "vpc-lattice",
            Self::Tagging => "tag",
            Self::Certificates => "acm",
            Self::CloudMap => "servicediscovery",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lattice => "VPC Lattice",
            Self::Tagging => "the Resource Groups Tagging API",
            Self::Certificates => "Certificate Manager",
            Self::CloudMap => "Cloud Map",
        })
    }
}

macro_rules! operations {
    ($($service:ident { $($(#[$doc:meta])* $name:ident,)* })*) => {
        /// The operations that Lath calls, by AWS's names. Those of Cloud Map that VPC Lattice has as well begin with
        /// `CloudMap`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelValue)]
        pub enum Operation {
            $($($(#[$doc])* $name,)*)*
        }

        impl Operation {
            /// All of them.
            pub const ALL: &[Self] = &[$($(Self::$name,)*)*];

            /// The service that it belongs to.
            #[must_use]
            pub fn service(self) -> Service {
                match self {
                    $($(Self::$name)|* => Service::$service,)*
                }
            }
        }
    };
}

operations! {
    Lattice {
        /// Reads a group.
        GetTargetGroup,
        /// Reads a resource's tags.
        ListTagsForResource,
        /// Reads targets and their states.
        ListTargets,
        /// Puts targets in.
        RegisterTargets,
        /// Takes targets out.
        DeregisterTargets,
        /// Makes a service.
        CreateService,
        /// Reads a service.
        GetService,
        /// Reads all services.
        ListServices,
        /// Changes a service.
        UpdateService,
        /// Deletes a service.
        DeleteService,
        /// Makes a listener.
        CreateListener,
        /// Reads a listener.
        GetListener,
        /// Reads a service's listeners.
        ListListeners,
        /// Changes a listener.
        UpdateListener,
        /// Deletes a listener.
        DeleteListener,
        /// Makes a rule.
        CreateRule,
        /// Reads a rule.
        GetRule,
        /// Reads a listener's rules.
        ListRules,
        /// Changes several rules.
        BatchUpdateRule,
        /// Deletes a rule.
        DeleteRule,
        /// Makes a service network.
        CreateServiceNetwork,
        /// Reads a service network.
        GetServiceNetwork,
        /// Reads all service networks.
        ListServiceNetworks,
        /// Changes a service network.
        UpdateServiceNetwork,
        /// Deletes a service network.
        DeleteServiceNetwork,
        /// Puts a service into a network.
        CreateServiceNetworkServiceAssociation,
        /// Reads a service's place in a network.
        GetServiceNetworkServiceAssociation,
        /// Reads which services are in which networks.
        ListServiceNetworkServiceAssociations,
        /// Takes a service out of a network.
        DeleteServiceNetworkServiceAssociation,
        /// Puts a VPC into a network.
        CreateServiceNetworkVpcAssociation,
        /// Reads a VPC's place in a network.
        GetServiceNetworkVpcAssociation,
        /// Reads which VPCs are in which networks.
        ListServiceNetworkVpcAssociations,
        /// Changes a VPC's place in a network.
        UpdateServiceNetworkVpcAssociation,
        /// Takes a VPC out of a network.
        DeleteServiceNetworkVpcAssociation,
        /// Makes a group.
        CreateTargetGroup,
        /// Reads all groups.
        ListTargetGroups,
        /// Changes a group.
        UpdateTargetGroup,
        /// Deletes a group.
        DeleteTargetGroup,
        /// Reads an auth policy.
        GetAuthPolicy,
        /// Makes or replaces an auth policy.
        PutAuthPolicy,
        /// Deletes an auth policy.
        DeleteAuthPolicy,
        /// Sends access logs somewhere.
        CreateAccessLogSubscription,
        /// Reads where access logs go.
        ListAccessLogSubscriptions,
        /// Stops sending access logs somewhere.
        DeleteAccessLogSubscription,
        /// Makes a resource gateway.
        CreateResourceGateway,
        /// Reads a resource gateway.
        GetResourceGateway,
        /// Reads all resource gateways.
        ListResourceGateways,
        /// Deletes a resource gateway.
        DeleteResourceGateway,
        /// Makes a resource configuration.
        CreateResourceConfiguration,
        /// Reads a resource configuration.
        GetResourceConfiguration,
        /// Reads all resource configurations.
        ListResourceConfigurations,
        /// Changes a resource configuration.
        UpdateResourceConfiguration,
        /// Deletes a resource configuration.
        DeleteResourceConfiguration,
        /// Puts a resource configuration into a network.
        CreateServiceNetworkResourceAssociation,
        /// Reads a resource configuration's place in a network.
        GetServiceNetworkResourceAssociation,
        /// Reads which networks a resource configuration is in.
        ListServiceNetworkResourceAssociations,
        /// Takes a resource configuration out of a network.
        DeleteServiceNetworkResourceAssociation,
        /// Sets tags.
        TagResource,
        /// Takes tags away.
        UntagResource,
    }
    Tagging {
        /// Finds resources by their tags.
        GetResources,
    }
    Certificates {
        /// Reads all certificates.
        ListCertificates,
        /// Reads a certificate.
        DescribeCertificate,
    }
    CloudMap {
        /// Makes a private DNS namespace.
        CreatePrivateDnsNamespace,
        /// Reads how far something is that takes a while.
        GetOperation,
        /// Reads all namespaces.
        ListNamespaces,
        /// Makes a directory.
        CloudMapCreateService,
        /// Reads a directory.
        CloudMapGetService,
        /// Reads all directories, or those of a namespace.
        CloudMapListServices,
        /// Deletes a directory.
        CloudMapDeleteService,
        /// Puts an instance into a directory.
        RegisterInstance,
        /// Takes an instance out of a directory.
        DeregisterInstance,
        /// Reads what is in a directory.
        ListInstances,
        /// Finds the healthy instances of a service by its name.
        DiscoverInstances,
        /// Reads a directory's tags.
        CloudMapListTagsForResource,
        /// Sets a directory's tags.
        CloudMapTagResource,
    }
}

impl Operation {
    /// Those that targets need, which agent and controller call from the start.
    pub const OF_TARGETS: [Self; 5] = [
        Self::GetTargetGroup,
        Self::ListTagsForResource,
        Self::ListTargets,
        Self::RegisterTargets,
        Self::DeregisterTargets,
    ];
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = format!("{self:?}");
        f.write_str(name.strip_prefix("CloudMap").unwrap_or(&name))
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::Path};

    use serde_json::Value;

    use super::*;

    /// Nobody calls it yet: a service network may hold what others put in.
    const NOT_CALLED: [Operation; 1] = [Operation::DeleteServiceNetwork];

    /// What the policy of a role allows of the services that Lath calls. What else is in it is what AWS asks for besides.
    fn allowed(role: &str) -> BTreeSet<String> {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/iam").join(format!("{role}.json"));
        let policy: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let called: BTreeSet<&str> =
            Operation::ALL.iter().map(|operation| operation.service().prefix()).collect();
        let statements = policy["Statement"].as_array().unwrap();
        assert!(statements.iter().all(|statement| statement["Effect"] == "Allow"), "{role}: {policy}");
        let actions = statements.iter().flat_map(|statement| match &statement["Action"] {
            Value::Array(actions) => actions.clone(),
            action => vec![action.clone()],
        });
        actions
            .map(|action| action.as_str().unwrap().to_owned())
            .filter(|action| action.split(':').next().is_some_and(|prefix| called.contains(prefix)))
            .collect()
    }

    fn actions(operations: impl IntoIterator<Item = Operation>) -> BTreeSet<String> {
        let action = |operation: Operation| format!("{}:{operation}", operation.service().prefix());
        operations.into_iter().map(action).collect()
    }

    #[test]
    fn roles_may_do_what_is_called_and_no_more() {
        let called = Operation::ALL.iter().copied().filter(|operation| !NOT_CALLED.contains(operation));
        assert_eq!(allowed("controller"), actions(called));
        let of_an_agent = [Operation::RegisterTargets, Operation::DeregisterTargets, Operation::ListTargets];
        assert_eq!(allowed("agent"), actions(of_an_agent));
    }
}
