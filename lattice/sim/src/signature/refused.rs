//! Why a signature is refused, in AWS's words where they are known.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

/// Why a signature is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Nothing in the request claims to be a signature.
    NoSignature,
    /// Parts of the signature are not there.
    Incomplete {
        /// What is missing; at least one.
        missing: Vec<Part>,
        /// Whether the others are parameters of a presigned URL.
        presigned: bool,
    },
    /// A part makes no sense, or is beyond this verifier's bounds.
    Malformed(String),
    /// The scope does not end as scopes do.
    WrongTerminator(String),
    /// Nobody has that access key id.
    UnknownKey,
    /// The key needs a session token, and none is there.
    NoToken,
    /// The session token is not the key's.
    WrongToken,
    /// The temporary credentials have ended.
    ExpiredToken,
    /// The signature's time is longer ago than it lasts.
    Expired { signed: String, now: Timestamp, lasts: SignedDuration },
    /// The signature's time is further ahead than clocks may differ.
    NotYetCurrent { signed: String, now: Timestamp, early: SignedDuration },
    /// The scope's day is not that of the signature's time.
    WrongDate { scope: String, signed: String },
    /// The scope has this region instead of the one that was asked.
    WrongRegion(String),
    /// The scope has not this service, which was asked.
    WrongService(String),
    /// `x-amz-content-sha256` is not `UNSIGNED-PAYLOAD` where payloads may not be signed.
    SignedPayload,
    /// The signature does not cover `host`.
    HostNotSigned,
    /// The signature does not cover `x-amz-region-set`, which no scope of Version 4A has.
    RegionSetNotSigned,
    /// The signature is not the one of this request by that key.
    Mismatch,
}

/// A part of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Algorithm,
    Credential,
    SignedHeaders,
    Signature,
    Date,
    Expires,
    RegionSet,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Algorithm => "Algorithm",
            Self::Credential => "Credential",
            Self::SignedHeaders => "SignedHeaders",
            Self::Signature => "Signature",
            Self::Date => "Date",
            Self::Expires => "Expires",
            Self::RegionSet => "Region-Set",
        }
    }
}

impl Refused {
    /// The error's code as JSON protocols have it.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::NoSignature => "MissingAuthenticationTokenException",
            Self::Incomplete { .. } | Self::Malformed(_) => "IncompleteSignatureException",
            Self::UnknownKey | Self::NoToken | Self::WrongToken => "UnrecognizedClientException",
            Self::ExpiredToken => "ExpiredTokenException",
            Self::WrongTerminator(_)
            | Self::Expired { .. }
            | Self::NotYetCurrent { .. }
            | Self::WrongDate { .. }
            | Self::WrongRegion(_)
            | Self::WrongService(_)
            | Self::SignedPayload
            | Self::HostNotSigned
            | Self::RegionSetNotSigned
            | Self::Mismatch => "InvalidSignatureException",
        }
    }

    /// The HTTP status.
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::Incomplete { .. } | Self::Malformed(_) => 400,
            _ => 403,
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSignature => f.write_str("Missing Authentication Token"),
            Self::Incomplete { missing, presigned } => incomplete(f, missing, *presigned),
            Self::Malformed(message) => f.write_str(message),
            Self::WrongTerminator(given) => write!(
                f,
                "Credential should be scoped with a valid terminator: 'aws4_request', not '{given}'."
            ),
            Self::UnknownKey | Self::NoToken | Self::WrongToken => {
                f.write_str("The security token included in the request is invalid.")
            }
            Self::ExpiredToken => f.write_str("The security token included in the request is expired"),
            Self::Expired { signed, now, lasts } => write!(
                f,
                "Signature expired: {signed} is now earlier than {} ({} - {})",
                basic_form(now.saturating_sub(*lasts).unwrap_or(Timestamp::MIN)),
                basic_form(*now),
                Span(*lasts)
            ),
            Self::NotYetCurrent { signed, now, early } => write!(
                f,
                "Signature not yet current: {signed} is still later than {} ({} + {})",
                basic_form(now.saturating_add(*early).unwrap_or(Timestamp::MAX)),
                basic_form(*now),
                Span(*early)
            ),
            Self::WrongDate { scope, signed } => write!(
                f,
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
                 '{scope}' != '{}', from '{signed}'.",
                signed.get(..8).unwrap_or_default()
            ),
            Self::WrongRegion(given) => {
                write!(f, "Credential should be scoped to a valid region, not '{given}'.")
            }
            Self::WrongService(wanted) => {
                write!(f, "Credential should be scoped to correct service: '{wanted}'.")
            }
            Self::SignedPayload => f.write_str(
                "Payloads must not be signed: header 'x-amz-content-sha256' has to be 'UNSIGNED-PAYLOAD'.",
            ),
            Self::HostNotSigned => {
                f.write_str("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
            }
            Self::RegionSetNotSigned => {
                f.write_str("'X-Amz-Region-Set' must be a 'SignedHeader' in the AWS Authorization.")
            }
            Self::Mismatch => f.write_str(
                "The request signature we calculated does not match the signature you provided. Check your AWS \
                 Secret Access Key and signing method. Consult the service documentation for details.",
            ),
        }
    }
}

impl std::error::Error for Refused {}

fn incomplete(f: &mut fmt::Formatter<'_>, missing: &[Part], presigned: bool) -> fmt::Result {
    for (at, part) in missing.iter().enumerate() {
        if at > 0 {
            f.write_str(" ")?;
        }
        match (presigned, part) {
            (true, part) => write!(f, "AWS query-string parameters must include 'X-Amz-{}'.", part.name())?,
            (false, Part::Date) => f.write_str(
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
            )?,
            (false, Part::RegionSet) => {
                f.write_str("Authorization header requires existence of a 'X-Amz-Region-Set' header.")?;
            }
            (false, part) => write!(f, "Authorization header requires '{}' parameter.", part.name())?,
        }
    }
    Ok(())
}

/// A time in ISO 8601's basic form, such as `20260131T235959Z`.
pub(super) fn basic_form(time: Timestamp) -> String {
    time.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// A length of time as these texts write it: in minutes where it is whole minutes.
struct Span(SignedDuration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_secs() {
            seconds if seconds % 60 == 0 => write!(f, "{} min.", seconds / 60),
            seconds => write!(f, "{seconds} sec."),
        }
    }
}
