//! The reasons of the condition Accepted.

/// Why a binding is or is not accepted, as the reason of its condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// It is.
    Accepted,
    /// The ARN is none.
    InvalidTargetGroup,
    /// The group is another account's.
    OtherAccount,
    /// The group is in another region.
    OtherRegion,
    /// There is no such group.
    TargetGroupNotFound,
    /// The group is being made or deleted.
    TargetGroupNotActive,
    /// The group takes something other than IP addresses.
    UnsupportedTargetGroupType,
    /// The group is in another VPC.
    OtherVpc,
    /// The group's addresses are of another family.
    IpFamilyMismatch,
    /// Another controller deregisters what it does not know.
    ManagedByAnother,
    /// The group's tags do not name this cluster or this namespace.
    NotGranted,
    /// Another binding has the group.
    Conflicted,
    /// There is no such Service.
    ServiceNotFound,
    /// The Service has no such port.
    ServicePortNotFound,
    /// The port is not TCP, or the Service has no pods.
    UnsupportedProtocol,
    /// The Service is an alias for a name elsewhere.
    UnsupportedServiceType,
    /// The Service has no addresses of the family.
    ServiceLacksIpFamily,
    /// The Service has no selector, and hand-made endpoints are not allowed here.
    ManualEndpointsNotAllowed,
    /// The group has not been read yet.
    Pending,
    /// The role may not read the group.
    AccessDenied,
    /// There are no valid credentials.
    NoCredentials,
    /// VPC Lattice does not answer.
    LatticeUnavailable,
}

impl Reason {
    /// The word in the condition.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "Accepted",
            Self::InvalidTargetGroup => "InvalidTargetGroup",
            Self::OtherAccount => "OtherAccount",
            Self::OtherRegion => "OtherRegion",
            Self::TargetGroupNotFound => "TargetGroupNotFound",
            Self::TargetGroupNotActive => "TargetGroupNotActive",
            Self::UnsupportedTargetGroupType => "UnsupportedTargetGroupType",
            Self::OtherVpc => "OtherVpc",
            Self::IpFamilyMismatch => "IpFamilyMismatch",
            Self::ManagedByAnother => "ManagedByAnother",
            Self::NotGranted => "NotGranted",
            Self::Conflicted => "Conflicted",
            Self::ServiceNotFound => "ServiceNotFound",
            Self::ServicePortNotFound => "ServicePortNotFound",
            Self::UnsupportedProtocol => "UnsupportedProtocol",
            Self::UnsupportedServiceType => "UnsupportedServiceType",
            Self::ServiceLacksIpFamily => "ServiceLacksIpFamily",
            Self::ManualEndpointsNotAllowed => "ManualEndpointsNotAllowed",
            Self::Pending => "Pending",
            Self::AccessDenied => "AccessDenied",
            Self::NoCredentials => "NoCredentials",
            Self::LatticeUnavailable => "LatticeUnavailable",
        }
    }

    /// Whether reading the group again may change the verdict.
    #[must_use]
    pub fn is_of_group(self) -> bool {
        matches!(
            self,
            Self::UnsupportedTargetGroupType
                | Self::OtherVpc
                | Self::IpFamilyMismatch
                | Self::ManagedByAnother
                | Self::NotGranted
        )
    }
}
