//! Messages that two readers could understand in two ways, which goes no further.

use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, Version, header};

/// The one coding of a transfer that is understood. Source: RFC 9112, section 7.1.
const CHUNKED: &[u8] = b"chunked";

/// The status and the sentence that refuse a request, if it is to be refused. What has a wrong length or a malformed
/// head has been refused by then.
pub(super) fn refused(head: &Parts) -> Option<(u16, &'static str)> {
    if head.headers.get_all(header::HOST).iter().nth(1).is_some() {
        // Source: RFC 9112, section 3.2.
        return Some((400, "The request names more than one host."));
    }
    // A target's path is what rules and policies go by. Source: RFC 9112, section 3.2.
    let path = head.uri.path();
    let whole = path.starts_with('/') || path == "*" && head.method == Method::OPTIONS;
    if !whole && head.method != Method::CONNECT {
        return Some((400, "The request's target has no path."));
    }
    // Source: RFC 9112, section 6.1.
    unknown_coding(&head.headers).then_some((501, "The request's transfer coding is not understood."))
}

/// Whether a message is coded in another way than by chunks alone. What decodes that would have to be told of it, but
/// headers on transfer coding end here.
pub(super) fn unknown_coding(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let chunked = codings.next().is_none_or(|coding| coding.as_bytes().eq_ignore_ascii_case(CHUNKED));
    !chunked || codings.next().is_some()
}

/// Whether a request asks for another protocol. Those who can speak HTTP/2 as well ask for that, and are content without:
/// curl with `--http2`, Java's HttpClient by default. Source: RFC 9110, section 7.8.
pub(super) fn asks_for_upgrade(head: &Parts) -> bool {
    let mut upgrades = head.headers.get_all(header::UPGRADE).iter();
    let elsewhere = upgrades.any(|to| !to.as_bytes().eq_ignore_ascii_case(b"h2c"));
    elsewhere && head.version == Version::HTTP_11 || head.method == Method::CONNECT
}

/// An answer that ends its connection: what comes next may belong to the request that was not understood.
pub(super) fn last<B>(mut response: Response<B>) -> Response<B> {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_the_one_coding() {
        for (codings, unknown) in [
            (&[][..], false),
            (&["chunked"], false),
            (&["Chunked"], false),
            (&["gzip, chunked"], true),
            (&["chunked, chunked"], true),
            (&["chunked", "chunked"], true),
            (&["identity", "chunked"], true),
            (&["identity"], true),
            (&[""], true),
        ] {
            let mut headers = HeaderMap::new();
            for coding in codings {
                headers.append(header::TRANSFER_ENCODING, HeaderValue::from_static(coding));
            }
            assert_eq!(unknown_coding(&headers), unknown, "{codings:?}");
        }
    }
}
