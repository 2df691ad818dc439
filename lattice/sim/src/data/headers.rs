//! The headers that the data plane takes away and adds.

use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, Version};

use super::decide::Forward;
use super::listen::Client;

/// Headers that are for one connection only. Source: RFC 9110, section 7.6.1.
const OF_A_CONNECTION: [HeaderName; 6] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("http2-settings"),
];

/// What no client can forge, since it is taken out of what comes in.
const OWN: &str = "x-amzn-lattice-";

/// Takes out what is for the client's connection only, or is ours to say.
pub(super) fn clean(headers: &mut HeaderMap) {
    // A length beside a coding is void. Source: RFC 9112, section 6.3.
    if headers.contains_key(header::TRANSFER_ENCODING) {
        headers.remove(header::CONTENT_LENGTH);
    }
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&OF_A_CONNECTION) {
        headers.remove(name);
    }
    let own: Vec<HeaderName> =
        headers.keys().filter(|name| name.as_str().starts_with(OWN)).cloned().collect();
    for name in own {
        headers.remove(name);
    }
    // The one value that means something end to end: whether trailers are wanted.
    if headers.get(header::TE).is_some_and(|te| te != "trailers") {
        headers.remove(header::TE);
    }
}

/// Adds what targets are told of the request's way.
pub(super) fn add(headers: &mut HeaderMap, client: &Client, forward: &Forward) {
    let address = client.address.to_string();
    let before = headers.get("x-forwarded-for").and_then(|value| value.to_str().ok());
    let chain = before.map_or_else(|| address.clone(), |before| format!("{before}, {address}"));
    set(headers, "x-forwarded-for", &chain);
    set(headers, "x-forwarded-for-port", &client.local.port().to_string());
    set(headers, "x-forwarded-for-proto", if client.secure { "https" } else { "http" });
    if let Some(network) = &forward.source {
        set(headers, "x-amzn-lattice-network", network);
    }
    set(headers, "x-amzn-lattice-target", &forward.destination);
    if let Some(identity) = &forward.identity {
        set(headers, "x-amzn-lattice-identity", identity);
    }
}

/// Makes the host of a request a header or an authority, whichever the version of HTTP has.
pub(super) fn host(headers: &mut HeaderMap, host: &str, version: Version) {
    if version == Version::HTTP_2 {
        headers.remove(header::HOST);
    } else if !headers.contains_key(header::HOST) {
        set(headers, "host", host);
    }
}

pub(super) fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_a_connection_and_forged_ones_go() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "close, X-Secret"),
            ("x-secret", "1"),
            ("keep-alive", "timeout=5"),
            ("transfer-encoding", "chunked"),
            ("content-length", "5"),
            ("te", "gzip"),
            ("x-amzn-lattice-identity", "Principal=me"),
            ("x-kept", "1"),
        ] {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        clean(&mut headers);
        assert_eq!(headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["x-kept"]);
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
        clean(&mut headers);
        assert_eq!(headers.len(), 2);
    }
}
