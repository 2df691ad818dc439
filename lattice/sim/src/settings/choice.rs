//! The settings that choose one of several plausible behaviours.

use crate::error::ResourceType;

use super::value::Setting;

macro_rules! choice {
    ($(#[doc = $about:literal])+ $name:ident { $(#[doc = $meaning:literal])+ $first:ident = $first_text:literal, $($(#[doc = $other_meaning:literal])+ $other:ident = $other_text:literal,)* }) => {
        $(#[doc = $about])+
        #[allow(clippy::doc_markdown, reason = "users read these texts as they are, on a terminal")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {
            $(#[doc = $meaning])+ $first,
            $($(#[doc = $other_meaning])+ $other,)*
        }

        impl Setting for $name {
            fn parse(text: &str) -> Option<Self> {
                match text {
                    $first_text => Some(Self::$first),
                    $($other_text => Some(Self::$other),)*
                    _ => None,
                }
            }

            fn text(&self) -> String {
                match self {
                    Self::$first => $first_text,
                    $(Self::$other => $other_text,)*
                }
                .to_owned()
            }

            fn allowed() -> String {
                let values = [
                    ($first_text, [$($meaning),+].map(str::trim).join(" ")),
                    $(($other_text, [$($other_meaning),+].map(str::trim).join(" ")),)*
                ];
                let values = values.map(|(value, meaning)| format!("{value} ({})", meaning.trim_end_matches('.')));
                format!("one of: {}", values.join("; "))
            }
        }
    };
}

choice! {
    /// The answer to something that is there already.
    DuplicateAnswer {
        /// ConflictException.
        Conflict = "conflict",
        /// ValidationException.
        Validation = "validation",
    }
}

choice! {
    /// How kinds of resources are named in errors.
    ResourceTypeNames {
        /// TARGET_GROUP.
        Upper = "upper",
        /// TargetGroup.
        Title = "title",
    }
}

impl ResourceTypeNames {
    pub(crate) fn name(self, kind: ResourceType) -> &'static str {
        match self {
            Self::Upper => kind.upper(),
            Self::Title => kind.title(),
        }
    }
}

choice! {
    /// The answer to a token whose resource was deleted.
    TokenAfterDelete {
        /// A new resource is created.
        Create = "create",
        /// ConflictException.
        Conflict = "conflict",
    }
}

choice! {
    /// The answer to a bad page token.
    StalePage {
        /// ValidationException.
        Validation = "validation",
        /// The first page.
        Restart = "restart",
    }
}

choice! {
    /// The order of lists.
    ListOrder {
        /// Oldest first.
        Creation = "creation",
        /// Newest first.
        Newest = "newest",
    }
}

choice! {
    /// How a batch of rule updates fails.
    BatchFailure {
        /// All or nothing, judged by the final state, so that priorities can be swapped.
        Atomic = "atomic",
        /// One after the other, each on its own.
        Each = "each",
    }
}

choice! {
    /// The answer to the deletion of what is gone.
    GoneAnswer {
        /// ResourceNotFoundException.
        NotFound = "not-found",
        /// Success, as if it were being deleted.
        Success = "success",
    }
}

choice! {
    /// The answer to an unsupported fixed status.
    FixedStatus {
        /// ValidationException.
        Validation = "validation",
        /// It is taken.
        Accepted = "accepted",
    }
}

choice! {
    /// The health-check protocol of HTTPS groups.
    HttpsProtocol {
        /// HTTPS.
        Https = "HTTPS",
        /// HTTP.
        Http = "HTTP",
    }
}

choice! {
    /// What is echoed where health checks do not apply.
    NotApplicable {
        /// No health check.
        Omitted = "omitted",
        /// A health check that is not enabled.
        Disabled = "disabled",
    }
}

choice! {
    /// The port of a listener without one.
    DefaultPort {
        /// 80 for HTTP, 443 for HTTPS and TLS_PASSTHROUGH.
        ByProtocol = "by-protocol",
        /// None: ValidationException.
        Required = "required",
    }
}

choice! {
    /// The shape of the default rule.
    DefaultRule {
        /// The name `default`, no priority.
        Named = "named",
        /// Neither name nor priority.
        Nameless = "nameless",
    }
}

choice! {
    /// Whether children can be made during creation.
    ChildrenWhileCreating {
        /// They are made.
        Allowed = "allowed",
        /// ConflictException.
        Conflict = "conflict",
    }
}

choice! {
    /// How an absent target's deregistration is answered.
    DeregisterAbsent {
        /// Among the successful.
        Successful = "successful",
        /// Among the unsuccessful.
        Unsuccessful = "unsuccessful",
    }
}

choice! {
    /// The same target twice in a call.
    DuplicateTarget {
        /// Counted and listed once.
        Once = "once",
        /// ValidationException.
        Validation = "validation",
    }
}

choice! {
    /// A filter that names an absent target.
    ListAbsent {
        /// It is left out.
        Omitted = "omitted",
        /// ResourceNotFoundException.
        NotFound = "not-found",
    }
}

choice! {
    /// A target whose id does not fit.
    MalformedTarget {
        /// This target is among the unsuccessful.
        Unsuccessful = "unsuccessful",
        /// ValidationException for the whole call.
        Validation = "validation",
    }
}

choice! {
    /// What goes beyond the quota of targets.
    TargetQuota {
        /// The whole call fails by ServiceQuotaExceededException.
        Call = "call",
        /// The targets that do not fit are among the unsuccessful.
        Targets = "targets",
    }
}

choice! {
    /// Whether there are reason codes.
    ReasonCodes {
        /// TargetGroupNotInUse, HealthCheckFailed and HealthCheckNotSupported.
        Known = "known",
        /// None at all.
        Absent = "absent",
    }
}

choice! {
    /// What registering a DRAINING target does.
    RegisterDraining {
        /// It is INITIAL again and its first check counts, as for a new target.
        Initial = "initial",
        /// It is among the unsuccessful.
        Refused = "refused",
        /// The call succeeds, and the entry still goes when its draining is over.
        Vanishes = "vanishes",
        /// It is INITIAL again and needs the healthy threshold of checks, one per interval.
        HealthReset = "health-reset",
        /// It is at once in the state it had before.
        Healthy = "healthy",
    }
}

choice! {
    /// What registering a live target does.
    RegisterExisting {
        /// Nothing.
        Unchanged = "unchanged",
        /// It is INITIAL again.
        Initial = "initial",
    }
}

choice! {
    /// What becomes of a domain verification.
    DomainOutcome {
        /// VERIFIED.
        Verified = "verified",
        /// VERIFICATION_TIMED_OUT.
        TimedOut = "timed-out",
    }
}

choice! {
    /// The answer to an auth policy above the quota of 10 KB.
    OversizePolicy {
        /// ValidationException.
        Validation = "validation",
        /// It is taken, up to the model's 102,400 characters.
        Accepted = "accepted",
    }
}

choice! {
    /// Access log subscriptions of resource configurations, whose id the model's responses exclude.
    ConfigurationLogs {
        /// `resourceId` is the id of the resource configuration all the same.
        Id = "id",
        /// ValidationException.
        Refused = "refused",
    }
}

choice! {
    /// The name in the `dnsEntry` of an association of a service.
    AssociationName {
        /// The service's.
        Service = "service",
        /// One of its own, which begins with the association's id.
        Own = "own",
    }
}

choice! {
    /// What becomes of an invitation to a resource share.
    ShareInvitation {
        /// It waits until the invited account accepts it.
        Sent = "sent",
        /// It is accepted at once, as within an organisation.
        Accepted = "accepted",
    }
}

choice! {
    /// Whether targets get traffic that are not, or no longer, to have any.
    Traffic {
        /// They get none.
        None = "none",
        /// They get their share.
        All = "all",
    }
}

choice! {
    /// Whether services have addresses of their own.
    Addresses {
        /// All have the same, so that nothing relies on telling services by address.
        Shared = "shared",
        /// Each has its own, as far as the range goes; the rest shares the last.
        Each = "each",
    }
}

choice! {
    /// Which services a request can be for.
    RouteBy {
        /// The one that SNI and Host name; the one at the address only where these name none.
        Name = "name",
        /// The one at the address, if it has that for itself; else the one that is named.
        Address = "address",
    }
}

choice! {
    /// Which messages carry a request id.
    RequestIds {
        /// Requests to targets and answers to clients.
        Both = "both",
        /// Requests to targets only.
        Request = "request",
        /// Answers to clients only.
        Response = "response",
    }
}

choice! {
    /// The port that is checked where a health check names none.
    HealthPort {
        /// The target's own.
        Target = "target",
        /// The target group's.
        Group = "group",
    }
}

choice! {
    /// The body of a 403 whose text is not published.
    DenyText {
        /// The published sentence with another reason.
        Sentence = "sentence",
        /// AccessDeniedException alone.
        Code = "code",
    }
}

choice! {
    /// Which service network's policy counts for a service that is in several.
    PolicyNetwork {
        /// The one that the caller's VPC reaches the service through.
        Callers = "callers",
        /// The one that the service was associated with first.
        Oldest = "oldest",
    }
}

choice! {
    /// What stands between the fields of a header.
    Separator {
        /// A semicolon.
        Semicolon = "semicolon",
        /// A comma and a blank.
        Comma = "comma",
    }
}

impl Separator {
    /// What stands there.
    pub(crate) fn between(self) -> &'static str {
        match self {
            Self::Semicolon => ";",
            Self::Comma => ", ",
        }
    }
}

choice! {
    /// The headers of errors that are not a target's.
    OwnErrors {
        /// The content type text/plain, and the request's id.
        Text = "text",
        /// Neither.
        Bare = "bare",
    }
}
