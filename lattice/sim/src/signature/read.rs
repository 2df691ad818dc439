//! What a request says of its signature, in the header `Authorization` or in the parameters of a presigned URL.

use http::HeaderMap;
use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};

use super::query::Query;
use super::{Part, Refused, Request, header};

/// What ends a credential scope.
pub(super) const TERMINATOR: &str = "aws4_request";

/// The algorithm of Signature Version 4.
const HMAC: &str = "AWS4-HMAC-SHA256";

/// The algorithm of Signature Version 4A.
pub(super) const ECDSA: &str = "AWS4-ECDSA-P256-SHA256";

const AMZ_DATE: &str = "x-amz-date";
const REGION_SET: &str = "x-amz-region-set";
const TOKEN: &str = "x-amz-security-token";

// The bounds are this verifier's own, well above what clients send. They keep the canonical request within a few
// times the request's head: without repeated names, no header is copied twice.

/// Most bytes of path and query together.
const MOST_TARGET_BYTES: usize = 64 * 1024;

/// Most bytes of a header or parameter of signing. Session tokens are the longest, at up to a few thousand bytes.
const MOST_TEXT_BYTES: usize = 16 * 1024;

/// Most headers that a signature covers.
const MOST_SIGNED_HEADERS: usize = 128;

/// Most bytes of one element of a credential, such as the access key id.
const MOST_ELEMENT_BYTES: usize = 128;

/// Most seconds that a presigned URL lasts: seven days. Source: S3 API Reference, "Using Query Parameters".
const MOST_PRESIGNED_SECONDS: i64 = 7 * 24 * 60 * 60;

/// What a request says of its signature, well-formed but not yet believed.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) scope: Scope,
    /// Lower-case names in ascending order without repetition, `host` among them.
    pub(super) signed_headers: Vec<String>,
    /// The signature's bytes.
    pub(super) signature: Vec<u8>,
    /// The time of signing as the string to sign has it, such as `20260131T235959Z`.
    pub(super) date: String,
    pub(super) time: Timestamp,
    pub(super) token: Option<String>,
    pub(super) presigned: bool,
    /// How long a presigned URL lasts.
    pub(super) expires: Option<SignedDuration>,
}

/// The scope of a credential, and whose it is.
#[derive(Debug)]
pub(super) struct Scope {
    pub(super) access_key_id: String,
    /// The day, such as `20260131`.
    pub(super) date: String,
    pub(super) region: Region,
    pub(super) service: String,
}

/// Where a signature holds.
#[derive(Debug)]
pub(super) enum Region {
    /// In the region that the scope names, as Version 4 has it.
    One(String),
    /// Wherever one of these patterns with `*` fits, between commas, as Version 4A has it beside the scope.
    Set(String),
}

impl Scope {
    /// The scope as it is signed.
    pub(super) fn text(&self) -> String {
        match &self.region {
            Region::One(region) => format!("{}/{region}/{}/{TERMINATOR}", self.date, self.service),
            Region::Set(_) => format!("{}/{}/{TERMINATOR}", self.date, self.service),
        }
    }

    pub(super) fn algorithm(&self) -> &'static str {
        match self.region {
            Region::One(_) => HMAC,
            Region::Set(_) => ECDSA,
        }
    }
}

/// The parts of a signature as texts, each where it was given.
#[derive(Debug, Default)]
struct Parts {
    algorithm: String,
    credential: Option<String>,
    signed_headers: Option<String>,
    signature: Option<String>,
    date: Option<String>,
    token: Option<String>,
    expires: Option<String>,
    region_set: Option<String>,
}

/// Reads what a request says of its signature.
///
/// A header `Authorization` of another scheme is no signature: it is for the application, not for AWS.
pub(super) fn claim(request: &Request<'_>, query: &Query) -> Result<Claim, Refused> {
    if request.path.len() + request.query.len() > MOST_TARGET_BYTES {
        return Err(Refused::Malformed("Path and query are too long to be signed.".to_owned()));
    }
    let mut schemes = request.headers.get_all(header::AUTHORIZATION).iter();
    let in_header = schemes.any(|value| value.as_bytes().starts_with(b"AWS4-"));
    let presigned = query
        .pairs()
        .any(|(name, _)| [&b"X-Amz-Algorithm"[..], b"X-Amz-Credential", b"X-Amz-Signature"].contains(&name));
    match (in_header, presigned) {
        (false, false) => Err(Refused::NoSignature),
        (true, true) => Err(Refused::Malformed(
            "Only one of Authorization header and query-string parameters may carry a signature.".to_owned(),
        )),
        (true, false) => understood(of_header(request.headers)?, false),
        (false, true) => understood(of_query(query)?, true),
    }
}

fn of_header(headers: &HeaderMap) -> Result<Parts, Refused> {
    let authorization = header(headers, header::AUTHORIZATION.as_str())?.unwrap_or_default();
    let (algorithm, rest) = authorization.split_once(' ').unwrap_or((&authorization, ""));
    let mut parts = Parts { algorithm: algorithm.to_owned(), ..Parts::default() };
    for pair in rest.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or_else(|| {
            Refused::Malformed(
                "Invalid key=value pair (missing equal-sign) in Authorization header.".to_owned(),
            )
        })?;
        let part = match name {
            "Credential" => &mut parts.credential,
            "SignedHeaders" => &mut parts.signed_headers,
            "Signature" => &mut parts.signature,
            _ => return Err(Refused::Malformed(format!("Authorization header has no parameter '{name}'."))),
        };
        if part.replace(value.to_owned()).is_some() {
            return Err(Refused::Malformed(format!("Authorization header has '{name}' more than once.")));
        }
    }
    parts.token = header(headers, TOKEN)?;
    parts.region_set = header(headers, REGION_SET)?;
    parts.date = match header(headers, AMZ_DATE)? {
        Some(date) => Some(date),
        None => header(headers, header::DATE.as_str())?.map(|date| basic_form(&date).unwrap_or(date)),
    };
    let missing = [
        (Part::Credential, parts.credential.is_none()),
        (Part::Signature, parts.signature.is_none()),
        (Part::SignedHeaders, parts.signed_headers.is_none()),
        (Part::Date, parts.date.is_none()),
        (Part::RegionSet, parts.algorithm == ECDSA && parts.region_set.is_none()),
    ];
    complete(false, &missing)?;
    Ok(parts)
}

fn of_query(query: &Query) -> Result<Parts, Refused> {
    let algorithm = query.only("X-Amz-Algorithm")?;
    let missing_algorithm = algorithm.is_none();
    let parts = Parts {
        algorithm: algorithm.unwrap_or_default(),
        credential: query.only("X-Amz-Credential")?,
        signed_headers: query.only("X-Amz-SignedHeaders")?,
        signature: query.only("X-Amz-Signature")?,
        date: query.only("X-Amz-Date")?,
        token: query.only("X-Amz-Security-Token")?,
        expires: query.only("X-Amz-Expires")?,
        region_set: query.only("X-Amz-Region-Set")?,
    };
    let missing = [
        (Part::Algorithm, missing_algorithm),
        (Part::Credential, parts.credential.is_none()),
        (Part::Signature, parts.signature.is_none()),
        (Part::SignedHeaders, parts.signed_headers.is_none()),
        (Part::Date, parts.date.is_none()),
        (Part::Expires, parts.expires.is_none()),
        (Part::RegionSet, parts.algorithm == ECDSA && parts.region_set.is_none()),
    ];
    complete(true, &missing)?;
    Ok(parts)
}

fn complete(presigned: bool, parts: &[(Part, bool)]) -> Result<(), Refused> {
    let missing: Vec<Part> = parts.iter().filter(|(_, missing)| *missing).map(|(part, _)| *part).collect();
    if missing.is_empty() { Ok(()) } else { Err(Refused::Incomplete { missing, presigned }) }
}

/// Makes sense of the parts, all of which are there.
fn understood(parts: Parts, presigned: bool) -> Result<Claim, Refused> {
    let credential = parts.credential.unwrap_or_default();
    let scope = match parts.algorithm.as_str() {
        HMAC => scope(&credential)?,
        ECDSA => scope_of_set(&credential, parts.region_set.unwrap_or_default())?,
        other => return Err(Refused::Malformed(format!("Unsupported AWS 'algorithm': '{other}'."))),
    };
    let signed_headers = signed_headers(&parts.signed_headers.unwrap_or_default())?;
    let covered = presigned || signed_headers.iter().any(|name| name == REGION_SET);
    if matches!(scope.region, Region::Set(_)) && !covered {
        return Err(Refused::RegionSetNotSigned);
    }
    let date = parts.date.unwrap_or_default();
    Ok(Claim {
        scope,
        signed_headers,
        signature: from_hex(&parts.signature.unwrap_or_default()).ok_or(Refused::Mismatch)?,
        time: basic(&date).ok_or_else(|| {
            Refused::Malformed(format!("Date must be in ISO-8601 'basic format'. Got '{date}'."))
        })?,
        date,
        token: parts.token,
        presigned,
        expires: parts.expires.as_deref().map(expires).transpose()?,
    })
}

fn scope(credential: &str) -> Result<Scope, Refused> {
    let [access_key_id, date, region, service, terminator] = elements(credential)?;
    let region = Region::One(region.to_owned());
    scope_from(access_key_id, date, region, service, terminator)
}

/// The scope of Version 4A, which has no region.
fn scope_of_set(credential: &str, set: String) -> Result<Scope, Refused> {
    let [access_key_id, date, service, terminator] = elements(credential)?;
    scope_from(access_key_id, date, Region::Set(set), service, terminator)
}

fn scope_from(id: &str, date: &str, region: Region, service: &str, end: &str) -> Result<Scope, Refused> {
    if end != TERMINATOR {
        return Err(Refused::WrongTerminator(end.to_owned()));
    }
    Ok(Scope { access_key_id: id.to_owned(), date: date.to_owned(), region, service: service.to_owned() })
}

/// The elements of a credential, of which there are as many as the algorithm has.
fn elements<const N: usize>(credential: &str) -> Result<[&str; N], Refused> {
    let elements: Vec<&str> = credential.splitn(N + 1, '/').collect();
    if elements.iter().any(|element| element.len() > MOST_ELEMENT_BYTES) {
        return Err(Refused::Malformed("An element of Credential is too long.".to_owned()));
    }
    elements.try_into().map_err(|_elements| {
        let example = if N == 5 { "keyid/date/region/service/term" } else { "keyid/date/service/term" };
        Refused::Malformed(format!(
            "Credential must have exactly {N} slash-delimited elements, e.g. {example}."
        ))
    })
}

fn signed_headers(list: &str) -> Result<Vec<String>, Refused> {
    let names: Vec<String> = list.splitn(MOST_SIGNED_HEADERS + 1, ';').map(str::to_owned).collect();
    if names.len() > MOST_SIGNED_HEADERS {
        return Err(Refused::Malformed(format!("SignedHeaders has more than {MOST_SIGNED_HEADERS} names.")));
    }
    let lower = names.iter().all(|name| !name.bytes().any(|byte| byte.is_ascii_uppercase()));
    if !lower || !names.is_sorted_by(|one, next| one < next) {
        return Err(Refused::Malformed(
            "SignedHeaders must be lower-case names in ascending order, each once.".to_owned(),
        ));
    }
    if names.iter().any(|name| name == "host") { Ok(names) } else { Err(Refused::HostNotSigned) }
}

fn expires(seconds: &str) -> Result<SignedDuration, Refused> {
    let number = seconds.parse().ok().filter(|number| (1..=MOST_PRESIGNED_SECONDS).contains(number));
    number.map(SignedDuration::from_secs).ok_or_else(|| {
        Refused::Malformed(format!("X-Amz-Expires must be 1 to {MOST_PRESIGNED_SECONDS} seconds."))
    })
}

/// A time in ISO 8601's basic form, such as `20260131T235959Z`, and no other.
fn basic(date: &str) -> Option<Timestamp> {
    let shaped = date.len() == 16
        && date.bytes().enumerate().all(|(at, byte)| match at {
            8 => byte == b'T',
            15 => byte == b'Z',
            _ => byte.is_ascii_digit(),
        });
    let time = shaped.then(|| DateTime::strptime("%Y%m%dT%H%M%SZ", date).ok()).flatten()?;
    TimeZone::UTC.to_timestamp(time).ok()
}

/// The basic form of a time as HTTP writes it, such as `Sat, 31 Jan 2026 23:59:59 GMT`.
fn basic_form(date: &str) -> Option<String> {
    let time = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date).ok()?;
    Some(super::refused::basic_form(time))
}

/// Bytes of lower-case hexadecimal digits, as signers write them.
fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| Some(digit(high)? << 4 | digit(low)?));
    if rest.is_empty() { bytes.collect() } else { None }
}

/// The value of a header of signing, which may stand there once.
pub(super) fn header(headers: &HeaderMap, name: &str) -> Result<Option<String>, Refused> {
    let mut values = headers.get_all(name).iter();
    let value = values.next();
    if values.next().is_some() {
        return Err(Refused::Malformed(format!("Header '{name}' is not unique.")));
    }
    value.map(|value| text(name, value.as_bytes().trim_ascii())).transpose()
}

/// A text of signing: UTF-8 within bounds.
pub(super) fn text(name: &str, value: &[u8]) -> Result<String, Refused> {
    if value.len() > MOST_TEXT_BYTES {
        return Err(Refused::Malformed(format!("'{name}' is too long.")));
    }
    match std::str::from_utf8(value) {
        Ok(text) => Ok(text.to_owned()),
        Err(_) => Err(Refused::Malformed(format!("'{name}' is not UTF-8."))),
    }
}
