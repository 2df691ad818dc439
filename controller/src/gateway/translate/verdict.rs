//! What is said of an object: a condition's status, reason and message.

/// Why a condition is what it is. The standard's reasons where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "each is the reason that stands in the condition")]
pub enum Reason {
    Accepted,
    AmbiguousImport,
    Conflicted,
    ConflictingServiceImportAnnotations,
    ExternalTargetGroupNotFound,
    HostnameConflict,
    Invalid,
    InvalidExternalTargetGroup,
    InvalidKind,
    InvalidParameters,
    InvalidRouteKinds,
    BackendNotFound,
    CertificateNotFound,
    ListenersNotValid,
    NoConflicts,
    NoMatchingListenerHostname,
    NoMatchingParent,
    NotAllowedByListeners,
    ProtocolConflict,
    QuotaExceeded,
    RefNotPermitted,
    ResolvedRefs,
    TargetNotFound,
    UnsupportedAddress,
    UnsupportedProtocol,
    UnsupportedValue,
}

impl Reason {
    /// The reason as it stands in the condition.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "Accepted",
            Self::AmbiguousImport => "AmbiguousImport",
            Self::Conflicted => "Conflicted",
            Self::ConflictingServiceImportAnnotations => "ConflictingServiceImportAnnotations",
            Self::ExternalTargetGroupNotFound => "ExternalTargetGroupNotFound",
            Self::HostnameConflict => "HostnameConflict",
            Self::Invalid => "Invalid",
            Self::InvalidExternalTargetGroup => "InvalidExternalTargetGroup",
            Self::InvalidKind => "InvalidKind",
            Self::InvalidParameters => "InvalidParameters",
            Self::InvalidRouteKinds => "InvalidRouteKinds",
            Self::BackendNotFound => "BackendNotFound",
            Self::CertificateNotFound => "CertificateNotFound",
            Self::ListenersNotValid => "ListenersNotValid",
            Self::NoConflicts => "NoConflicts",
            Self::NoMatchingListenerHostname => "NoMatchingListenerHostname",
            Self::NoMatchingParent => "NoMatchingParent",
            Self::NotAllowedByListeners => "NotAllowedByListeners",
            Self::ProtocolConflict => "ProtocolConflict",
            Self::QuotaExceeded => "QuotaExceeded",
            Self::RefNotPermitted => "RefNotPermitted",
            Self::ResolvedRefs => "ResolvedRefs",
            Self::TargetNotFound => "TargetNotFound",
            Self::UnsupportedAddress => "UnsupportedAddress",
            Self::UnsupportedProtocol => "UnsupportedProtocol",
            Self::UnsupportedValue => "UnsupportedValue",
        }
    }
}

/// A condition's status, reason and message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it holds.
    pub holds: bool,
    /// Why.
    pub reason: Reason,
    /// Why, in words that say what to do.
    pub message: String,
}

impl Verdict {
    /// It holds.
    #[must_use]
    pub fn yes(reason: Reason, message: impl Into<String>) -> Self {
        Self { holds: true, reason, message: message.into() }
    }

    /// It does not.
    #[must_use]
    pub fn no(reason: Reason, message: impl Into<String>) -> Self {
        Self { holds: false, reason, message: message.into() }
    }
}
