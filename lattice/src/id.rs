//! Identifiers that VPC Lattice gives to what Lath makes.

use std::{fmt, sync::Arc};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The identifier as the API takes it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

ids! {
    /// A service, such as `svc-0123456789abcdef0`.
    ServiceId;
    /// A listener, such as `listener-0123456789abcdef0`.
    ListenerId;
    /// A rule, such as `rule-0123456789abcdef0`.
    RuleId;
    /// A service network, such as `sn-0123456789abcdef0`.
    NetworkId;
    /// The association of a service with a service network, such as `snsa-0123456789abcdef0`.
    ServiceAssociationId;
    /// The association of a VPC with a service network, such as `snva-0123456789abcdef0`.
    VpcAssociationId;
    /// An access log subscription, such as `als-0123456789abcdef0`.
    AccessLogId;
    /// A resource gateway, such as `rgw-0123456789abcdef0`.
    ResourceGatewayId;
    /// A resource configuration, such as `rcfg-0123456789abcdef0`.
    ConfigurationId;
    /// The association of a resource configuration with a service network, such as `snra-0123456789abcdef0`.
    ResourceAssociationId;
    /// A service of Cloud Map, such as `srv-0123456789abcdef`.
    DirectoryId;
}
