//! Why a call failed, by what to do about it.

use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_vpclattice::{
    config::http::HttpResponse,
    error::{BuildError, ProvideErrorMetadata, SdkError},
};

use crate::Operation;

/// Whatever a failure was caused by.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a call failed, by what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing was done. Call again; the pace has been lowered already.
    #[error("{call} was throttled")]
    Throttled {
        /// Which call.
        call: Operation,
        /// How long Lattice asks to hold back, if it says.
        retry_after: Option<Duration>,
    },
    /// Nothing was done, because it was no longer right when the call's turn came. Decide again.
    #[error("{call} was not sent, since what it went by was too old when its turn came")]
    NotSent {
        /// Which call.
        call: Operation,
    },
    /// Nothing was done, because the endpoint could not be reached. Call again after a backoff.
    #[error("{call} did not reach {}, is its endpoint reachable from this node?", .call.service())]
    Unreachable {
        /// Which call.
        call: Operation,
        /// Why.
        #[source]
        source: BoxError,
    },
    /// It may have been done or not. Call again after a backoff, then make sure.
    #[error("{call} got no usable answer")]
    Unanswered {
        /// Which call.
        call: Operation,
        /// What came instead.
        #[source]
        source: BoxError,
    },
    /// Nothing was done, since the resource is in another state. Look again. `ConflictException`.
    #[error("{call} does not fit the resource's state: {message}")]
    Conflict {
        /// Which call.
        call: Operation,
        /// AWS's words.
        message: String,
    },
    /// The resource is not there, or not visible to this account. `ResourceNotFoundException`.
    #[error("{call} names something that is not there, or belongs to another account: {message}")]
    Missing {
        /// Which call.
        call: Operation,
        /// AWS's words.
        message: String,
    },
    /// Nothing was done, because a quota is used up. Wait until something is freed. `ServiceQuotaExceededException`.
    #[error("{call} exceeds a quota: {message}")]
    Full {
        /// Which call.
        call: Operation,
        /// AWS's words.
        message: String,
    },
    /// Nothing was done, because the role may not. Retry slowly, tell the operator. `AccessDeniedException`.
    #[error(
        "{call} is not allowed; does this role have {}:{call} on the resource? AWS says: {message}",
        .call.service().prefix()
    )]
    Denied {
        /// Which call.
        call: Operation,
        /// AWS's words.
        message: String,
    },
    /// Nothing was done, because there are no valid credentials. Retry slowly, tell the operator.
    #[error("{call} has no valid AWS credentials; is a role associated with this service account? {message}")]
    Credentials {
        /// Which call.
        call: Operation,
        /// The provider's or AWS's words.
        message: String,
    },
    /// Nothing was done, and never will be with this input. `ValidationException` and whatever else is refused.
    #[error("{call} was refused: {message}")]
    Refused {
        /// Which call.
        call: Operation,
        /// AWS's words.
        message: String,
    },
}

/// Codes by which AWS refuses credentials, whatever the operation. Source: AWS, "Common error types".
const CREDENTIAL_CODES: [&str; 12] = [
    "AccessDenied",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
];

impl Error {
    /// Whether the call may have taken effect all the same.
    #[must_use]
    pub fn may_have_applied(&self) -> bool {
        matches!(self, Self::Unanswered { .. })
    }

    /// Whether only an operator can help: role, credentials or input have to change.
    #[must_use]
    pub fn needs_operator(&self) -> bool {
        matches!(self, Self::Denied { .. } | Self::Credentials { .. } | Self::Refused { .. })
    }

    /// The kind as a label of metrics.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::Throttled { .. } => "throttled",
            Self::NotSent { .. } => "not_sent",
            Self::Unreachable { .. } => "unreachable",
            Self::Unanswered { .. } => "unanswered",
            Self::Conflict { .. } => "conflict",
            Self::Missing { .. } => "missing",
            Self::Full { .. } => "full",
            Self::Denied { .. } => "denied",
            Self::Credentials { .. } => "credentials",
            Self::Refused { .. } => "refused",
        }
    }

    /// The error and its causes in one line.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            if !text.contains(&cause_text) {
                text.push_str(": ");
                text.push_str(&cause_text);
            }
            source = cause.source();
        }
        text
    }
}

/// Sorts the SDK's error into what to do about it.
///
/// It goes by the error's code rather than by its type, since the SDK reports an error that the operation does not
/// model as unhandled, with only its code left.
pub(crate) fn classify<E>(call: Operation, error: SdkError<E, HttpResponse>) -> Error
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    let SdkError::ServiceError(service) = &error else {
        return match &error {
            SdkError::ConstructionFailure(_) => Error::Refused { call, message: deepest(&error) },
            SdkError::DispatchFailure(_) => undispatched(call, error),
            _ => Error::Unanswered { call, source: error.into() },
        };
    };
    let status = service.raw().status().as_u16();
    let message = service.err().message().unwrap_or("no message").to_owned();
    match service.err().code().unwrap_or_default() {
        code if CREDENTIAL_CODES.contains(&code) => {
            Error::Credentials { call, message: format!("AWS says: {code}: {message}") }
        }
        // `Throttling`, `ThrottlingException`, and `ThrottledException` of the Resource Groups Tagging API.
        code if code.starts_with("Throttl")
            || ["TooManyRequestsException", "RequestLimitExceeded"].contains(&code)
            || status == 429 =>
        {
            let retry_after =
                service.raw().headers().get("retry-after").and_then(|seconds| seconds.parse().ok());
            Error::Throttled { call, retry_after: retry_after.map(Duration::from_secs) }
        }
        // A listing that took so long that it has to begin anew: nothing is wrong with what was asked.
        "ConflictException" | "PaginationTokenExpiredException" => Error::Conflict { call, message },
        // Cloud Map's words.
        "NamespaceAlreadyExists" | "ServiceAlreadyExists" | "ResourceInUse" | "DuplicateRequest" => {
            Error::Conflict { call, message }
        }
        "ResourceNotFoundException" => Error::Missing { call, message },
        "NamespaceNotFound" | "ServiceNotFound" | "InstanceNotFound" | "OperationNotFound" => {
            Error::Missing { call, message }
        }
        "ServiceQuotaExceededException" | "ResourceLimitExceeded" => Error::Full { call, message },
        "AccessDeniedException" => Error::Denied { call, message },
        _ if status >= 500 => Error::Unanswered { call, source: error.into() },
        code => Error::Refused { call, message: format!("{code}: {message}") },
    }
}

/// The error for input that the SDK takes for incomplete.
pub(crate) fn unfit(call: Operation) -> impl Fn(BuildError) -> Error {
    move |error| Error::Refused { call, message: error.to_string() }
}

/// A request that got no response: for want of credentials, for want of a connection, or after it was sent.
fn undispatched<E>(call: Operation, error: SdkError<E, HttpResponse>) -> Error
where
    E: std::error::Error + Send + Sync + 'static,
{
    let mut not_sent = false;
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(current) = cause {
        if current.is::<CredentialsError>() {
            return Error::Credentials { call, message: deepest(current) };
        }
        if let Some(io) = current.downcast_ref::<std::io::Error>() {
            use std::io::ErrorKind;
            not_sent |= matches!(
                io.kind(),
                ErrorKind::ConnectionRefused | ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable
            );
        }
        not_sent |= current.to_string().contains("dns error");
        cause = current.source();
    }
    if not_sent {
        Error::Unreachable { call, source: error.into() }
    } else {
        Error::Unanswered { call, source: error.into() }
    }
}

/// The innermost cause, which names the reason where the outer ones only say where it passed.
fn deepest(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
