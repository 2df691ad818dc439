//! The headers that the data plane takes away and adds.

use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, Method, Version};
use hyper::body::Body;

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
    if headers.get_all(header::TE).iter().any(|te| te != "trailers") {
        headers.remove(header::TE);
    }
}

/// Adds what targets are told of the request's way.
pub(super) fn add(headers: &mut HeaderMap, client: &Client, forward: &Forward) {
    let address = client.address.to_string();
    let before = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let chain: Vec<&str> = before.chain([address.as_str()]).collect();
    set(headers, "x-forwarded-for", &chain.join(", "));
    set(headers, "x-forwarded-for-port", &client.local.port().to_string());
    set(headers, "x-forwarded-for-proto", if client.secure { "https" } else { "http" });
    if let Some(vpc) = &forward.vpc_arn {
        set(headers, "x-amzn-lattice-network", &format!("SourceVpcArn={vpc}"));
    }
    let network = forward.network_arn.iter().map(|network| format!(";ServiceNetworkArn={network}"));
    let network: String = network.collect();
    let Forward { service_arn, group_arn, .. } = forward;
    let target = format!("ServiceArn={service_arn}{network};TargetGroupArn={group_arn}");
    set(headers, "x-amzn-lattice-target", &target);
    if let Some(principal) = &forward.principal {
        // arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION
        let session = principal.split_once(":assumed-role/").and_then(|(_, role)| role.split_once('/'));
        let session = session.map(|(_, session)| format!("{}SessionName={session}", forward.separator));
        let identity = format!("Principal={principal}{}", session.unwrap_or_default());
        set(headers, "x-amzn-lattice-identity", &identity);
    }
}

/// Makes one header of the cookies that HTTP/2 has one by one. Source: RFC 9113, section 8.2.3.
pub(super) fn join_cookies(headers: &mut HeaderMap) {
    let cookies: Vec<&[u8]> = headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if cookies.len() > 1
        && let Ok(joined) = HeaderValue::from_bytes(&cookies.join(b"; ".as_slice()))
    {
        headers.insert(header::COOKIE, joined);
    }
}

/// Says how the body of a request of HTTP/1.1 ends, for which the library has its own ideas: that there is none where GET
/// has no length. Source: RFC 9112, section 6.3.
pub(super) fn frame(headers: &mut HeaderMap, method: &Method, body: &impl Body) {
    if body.is_end_stream() {
        if matches!(*method, Method::POST | Method::PUT | Method::PATCH) {
            headers.insert(header::CONTENT_LENGTH, 0.into());
        }
    } else if body.size_hint().exact().is_none() {
        headers.insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    // Whether trailers are wanted is for this connection, which has nothing else to say.
    headers.remove(header::TE);
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
    use std::time::Duration;

    use super::*;
    use crate::data::decide::{Statuses, To};
    use crate::data::idle::Limit;
    use crate::data::invoke::Function;
    use crate::surroundings::Run;

    #[test]
    fn targets_are_told_who_asks_and_in_which_session() {
        let client = Client {
            address: "10.0.0.9".parse().unwrap(),
            port: 50_000,
            local: "169.254.171.1:443".parse().unwrap(),
            secure: true,
            tls: None,
            idle: Limit::new(Duration::from_secs(60)),
        };
        let user = "arn:aws:iam::123456789012:user/a";
        let role = "arn:aws:sts::123456789012:assumed-role/shop/pod-1";
        for (principal, separator, identity) in [
            (None, ";", None),
            (Some(user), ";", Some(format!("Principal={user}"))),
            (Some(role), ";", Some(format!("Principal={role};SessionName=pod-1"))),
            (Some(role), ", ", Some(format!("Principal={role}, SessionName=pod-1"))),
        ] {
            let forward = Forward {
                to: To::Function(Function { run: Run::Command(Vec::new()), second: true, epoch: 0 }),
                idle: Duration::ZERO,
                service_arn: "service".to_owned(),
                network_arn: Some("network".to_owned()),
                group_arn: "group".to_owned(),
                vpc_arn: Some("vpc".to_owned()),
                principal: principal.map(str::to_owned),
                separator,
                statuses: Statuses { connect_failure: 503, function_failure: 502, timeout: 504 },
            };
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-for", HeaderValue::from_static("1.2.3.4"));
            add(&mut headers, &client, &forward);
            let told = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
            assert_eq!(told("x-amzn-lattice-identity"), identity);
            let way = "ServiceArn=service;ServiceNetworkArn=network;TargetGroupArn=group";
            assert_eq!(told("x-amzn-lattice-target").as_deref(), Some(way));
            assert_eq!(told("x-amzn-lattice-network").as_deref(), Some("SourceVpcArn=vpc"));
            assert_eq!(told("x-forwarded-for").as_deref(), Some("1.2.3.4, 10.0.0.9"));
            assert_eq!(told("x-forwarded-for-proto").as_deref(), Some("https"));
        }
    }

    #[test]
    fn headers_of_a_connection_and_forged_ones_go() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("cookie", "a=1"),
            ("cookie", "b=2"),
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
        join_cookies(&mut headers);
        let kept: Vec<_> =
            headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        assert_eq!(kept, [("cookie", "a=1; b=2"), ("x-kept", "1")]);
        headers.remove(header::COOKIE);
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
        clean(&mut headers);
        assert_eq!(headers.len(), 2);
    }
}
