//! The canonical request, and the string that is signed.
//!
//! Source: IAM User Guide, "Create a signed AWS API request". As every service but S3 has it, the path is normalised
//! and then encoded once more.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use std::fmt::Write as _;

use super::query::Query;
use super::read::Claim;
use super::{Refused, Request, digest};

/// All but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const RESERVED_IN_PATH: &AsciiSet = &RESERVED.remove(b'/');

/// The canonical request.
///
/// A signed header that the request lacks is not the same as an empty one.
pub(super) fn request(
    request: &Request<'_>,
    query: &Query,
    claim: &Claim,
    payload_hash: &str,
) -> Result<Vec<u8>, Refused> {
    let path = normalised(request.path);
    let path = percent_encode(path.as_bytes(), RESERVED_IN_PATH);
    let mut text =
        format!("{}\n{path}\n{}\n", request.method, canonical_query(query, claim.presigned)).into_bytes();
    for name in &claim.signed_headers {
        let mut values = request.headers.get_all(name).iter().peekable();
        if values.peek().is_none() {
            return Err(Refused::Mismatch);
        }
        text.extend_from_slice(name.as_bytes());
        for (at, value) in values.enumerate() {
            text.push(if at == 0 { b':' } else { b',' });
            folded(value.as_bytes(), &mut text);
        }
        text.push(b'\n');
    }
    text.push(b'\n');
    text.extend_from_slice(claim.signed_headers.join(";").as_bytes());
    text.push(b'\n');
    text.extend_from_slice(payload_hash.as_bytes());
    Ok(text)
}

/// What the signature is made over.
pub(super) fn string_to_sign(claim: &Claim, canonical: &[u8]) -> String {
    format!("{}\n{}\n{}\n{}", claim.scope.algorithm(), claim.date, claim.scope.text(), sha256(canonical))
}

/// SHA-256 in lower-case hexadecimal digits.
pub(super) fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The path without empty segments, `.` and `..`. A slash at the end stays, and takes the place of dots there.
fn normalised(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            _ => kept.push(segment),
        }
    }
    let open = matches!(path.rsplit('/').next(), None | Some("" | "." | ".."));
    let end = if open && !kept.is_empty() { "/" } else { "" };
    format!("/{}{end}", kept.join("/"))
}

/// The query sorted by encoded name, then value; of a presigned URL, without the signature itself.
fn canonical_query(query: &Query, presigned: bool) -> String {
    let signed = query.pairs().filter(|(name, _)| !(presigned && *name == b"X-Amz-Signature"));
    let encoded = |bytes: &[u8]| percent_encode(bytes, RESERVED).to_string();
    let mut pairs: Vec<(String, String)> =
        signed.map(|(name, value)| (encoded(name), encoded(value))).collect();
    pairs.sort_unstable();
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// A header's value without spaces at its ends, and one space for several in a row.
fn folded(value: &[u8], text: &mut Vec<u8>) {
    let words = value.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    for (at, word) in words.enumerate() {
        if at > 0 {
            text.push(b' ');
        }
        text.extend_from_slice(word);
    }
}
