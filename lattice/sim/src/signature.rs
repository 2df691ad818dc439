//! Whether a request is signed as AWS Signature Version 4 or 4A wants it, and by which access key.
//!
//! Source: IAM User Guide, "AWS Signature Version 4 for API requests"; for the data plane also VPC Lattice User
//! Guide, "SIGv4 authenticated requests for Amazon VPC Lattice".

mod asymmetric;
mod canonical;
mod query;
mod read;
mod refused;
#[cfg(test)]
mod tests;

use http::{HeaderMap, Method, header};
use jiff::{SignedDuration, Timestamp};
use ring::{digest, hmac};

use query::Query;
use read::{Claim, Region, Scope};
pub(crate) use refused::{Part, Refused};

/// How far the time of a signature may be from the verifier's, either way.
const MOST_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// What stands for the payload's hash where the payload is not signed.
const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

const CONTENT_SHA256: &str = "x-amz-content-sha256";

/// A request as it came in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a Method,
    /// The path as it was sent, percent-encoded.
    pub(crate) path: &'a str,
    /// The query as it was sent, without its question mark; empty where there is none.
    pub(crate) query: &'a str,
    /// The headers. Of HTTP/2, `host` has to be set from `:authority` first, since it is what clients sign.
    pub(crate) headers: &'a HeaderMap,
    /// The whole body; not read where the payload may not be signed.
    pub(crate) body: &'a [u8],
}

/// What a signature has to be made for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected<'a> {
    /// The service's signing name.
    pub(crate) service: &'a str,
    pub(crate) region: &'a str,
    pub(crate) payload: Payload,
    pub(crate) now: Timestamp,
}

/// How a signature covers the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Payload {
    /// By its hash, as control planes have it.
    Signed,
    /// Not at all, which has to be said in `x-amz-content-sha256`: VPC Lattice's data plane takes nothing else.
    Unsigned,
}

/// What belongs to an access key id.
pub(crate) struct Key {
    pub(crate) secret: String,
    /// The token that comes with temporary credentials.
    pub(crate) session_token: Option<String>,
    /// When the credentials end.
    pub(crate) expires: Option<Timestamp>,
}

/// The access key id that signed the request, or why the signature does not hold.
///
/// What is sent is bounded before it is worked on; see [`read`] for the bounds.
pub(crate) fn verify(
    request: &Request<'_>,
    expected: &Expected<'_>,
    lookup: impl Fn(&str) -> Option<Key>,
) -> Result<String, Refused> {
    let query = Query::parse(request.query);
    let claim = read::claim(request, &query)?;
    check_time(&claim, expected.now)?;
    check_scope(&claim.scope, expected)?;
    let payload_hash = payload_hash(request, &query, &claim, expected.payload)?;
    let key = lookup(&claim.scope.access_key_id).ok_or(Refused::UnknownKey)?;
    check_token(&claim, &key)?;
    if key.expires.is_some_and(|end| end <= expected.now) {
        return Err(Refused::ExpiredToken);
    }
    let canonical = canonical::request(request, &query, &claim, &payload_hash)?;
    let text = canonical::string_to_sign(&claim, &canonical);
    let holds = match &claim.scope.region {
        Region::One(region) => {
            let key = signing_key(&key.secret, &claim.scope, region);
            hmac::verify(&key, text.as_bytes(), &claim.signature).is_ok()
        }
        Region::Set(_) => {
            let key = asymmetric::public_key(&claim.scope.access_key_id, &key.secret);
            key.is_some_and(|key| asymmetric::holds(&key, text.as_bytes(), &claim.signature))
        }
    };
    if holds { Ok(claim.scope.access_key_id) } else { Err(Refused::Mismatch) }
}

/// A signature holds from five minutes before its time, to as long after it or as a presigned URL says.
fn check_time(claim: &Claim, now: Timestamp) -> Result<(), Refused> {
    let lasts = claim.expires.unwrap_or(MOST_SKEW);
    let age = now.duration_since(claim.time);
    let signed = claim.date.clone();
    if age > lasts {
        return Err(Refused::Expired { signed, now, lasts });
    }
    if age < -MOST_SKEW {
        return Err(Refused::NotYetCurrent { signed, now, early: MOST_SKEW });
    }
    if claim.scope.date != claim.date.get(..8).unwrap_or_default() {
        return Err(Refused::WrongDate { scope: claim.scope.date.clone(), signed });
    }
    Ok(())
}

fn check_scope(scope: &Scope, expected: &Expected<'_>) -> Result<(), Refused> {
    let (given, valid) = match &scope.region {
        Region::One(region) => (region, region == expected.region),
        Region::Set(set) => (set, asymmetric::covers(set, expected.region)),
    };
    if !valid {
        return Err(Refused::WrongRegion(given.clone()));
    }
    if scope.service != expected.service {
        return Err(Refused::WrongService(expected.service.to_owned()));
    }
    Ok(())
}

/// The last line of the canonical request.
fn payload_hash(
    request: &Request<'_>,
    query: &Query,
    claim: &Claim,
    payload: Payload,
) -> Result<String, Refused> {
    let mut said = read::header(request.headers, CONTENT_SHA256)?;
    match payload {
        Payload::Unsigned => {
            // A browser that follows a presigned URL sends no header of that name.
            if said.is_none() && claim.presigned {
                said = query.only("X-Amz-Content-Sha256")?;
            }
            match said.as_deref() {
                Some(UNSIGNED_PAYLOAD) => Ok(UNSIGNED_PAYLOAD.to_owned()),
                _ => Err(Refused::SignedPayload),
            }
        }
        Payload::Signed => {
            let hash = canonical::sha256(request.body);
            match said {
                Some(said) if said != hash => Err(Refused::Mismatch),
                _ => Ok(hash),
            }
        }
    }
}

/// Temporary credentials need their token, others none.
///
/// The token need not be among the signed headers: it is a secret of its own, and some clients add it after signing.
fn check_token(claim: &Claim, key: &Key) -> Result<(), Refused> {
    match (&key.session_token, &claim.token) {
        (None, None) => Ok(()),
        (Some(_), None) => Err(Refused::NoToken),
        (Some(known), Some(given)) if same(known, given) => Ok(()),
        (_, Some(_)) => Err(Refused::WrongToken),
    }
}

/// Compares in a time that does not tell how much is alike.
fn same(known: &str, given: &str) -> bool {
    // Tags of one key are equal only for equal texts, and ring compares tags in constant time.
    let key = hmac::Key::new(hmac::HMAC_SHA256, known.as_bytes());
    let tag = hmac::sign(&key, given.as_bytes());
    hmac::verify(&key, known.as_bytes(), tag.as_ref()).is_ok()
}

/// The key of one day, region and service, derived from the secret.
fn signing_key(secret: &str, scope: &Scope, region: &str) -> hmac::Key {
    let start = hmac::Key::new(hmac::HMAC_SHA256, format!("AWS4{secret}").as_bytes());
    [scope.date.as_str(), region, &scope.service, read::TERMINATOR].iter().fold(start, |key, part| {
        hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&key, part.as_bytes()).as_ref())
    })
}
