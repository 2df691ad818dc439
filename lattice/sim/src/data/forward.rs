//! One request: decided, sent to its target, answered.

use std::sync::Arc;

use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Method, Request, Response, StatusCode, Uri, Version, header};
use http_body_util::{Either, Full};
use hyper::body::{Body as _, Incoming};

use crate::settings::choice::RequestIds;

use super::Shared;
use super::answer::{Body, fixed, own};
use super::connections::{Destination, Error};
use super::decide::{Decision, Forward};
use super::framing;
use super::headers;
use super::listen::Client;

/// Answers a request of a client.
pub(super) async fn answer(
    shared: Arc<Shared>,
    client: Arc<Client>,
    request: Request<Incoming>,
) -> Response<Body> {
    let (id, direction, upgrade) = {
        let mut world = shared.simulator.lock();
        let id = crate::random::uuid(&mut world.request_ids);
        (id, world.settings.request_ids, world.settings.upgrade_status.0)
    };
    let asks_for_head = request.method() == Method::HEAD;
    let mut response = if asks_for_upgrade(&request) {
        framing::last(own(upgrade, "VPC Lattice does not change protocols; WebSocket is not supported."))
    } else {
        let sent_id = (direction != RequestIds::Response).then_some(id.as_str());
        pass(&shared, &client, request, sent_id).await
    };
    if direction != RequestIds::Request {
        headers::set(response.headers_mut(), "x-amzn-requestid", &id);
    }
    if asks_for_head { head_alone(response) } else { response }
}

/// Whether a request asks for another protocol. Those who can speak HTTP/2 as well ask for that, and are content without:
/// curl with `--http2`, Java's HttpClient by default. Source: RFC 9110, section 7.8.
fn asks_for_upgrade(request: &Request<Incoming>) -> bool {
    let mut upgrades = request.headers().get_all(header::UPGRADE).iter();
    let elsewhere = upgrades.any(|to| !to.as_bytes().eq_ignore_ascii_case(b"h2c"));
    elsewhere && request.version() <= Version::HTTP_11 || request.method() == Method::CONNECT
}

/// What answers HEAD: the head of what answers GET. The library sees to that in HTTP/1 only, and so do many targets.
fn head_alone(mut response: Response<Body>) -> Response<Body> {
    if let Either::Right(own) = response.body()
        && let Some(length) = own.size_hint().exact()
    {
        response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    }
    *response.body_mut() = Either::Right(Full::default());
    response
}

async fn pass(
    shared: &Shared,
    client: &Client,
    request: Request<Incoming>,
    id: Option<&str>,
) -> Response<Body> {
    let (mut head, body) = request.into_parts();
    if let Some((status, sentence)) = framing::refused(&head) {
        return framing::last(own(status, sentence));
    }
    let authority = head.uri.authority().map(Authority::as_str);
    let host = authority.or_else(|| head.headers.get(header::HOST).and_then(|host| host.to_str().ok()));
    let Some(host) = host.map(str::to_owned) else { return own(400, "The request names no host.") };
    // HTTP/2 says the host elsewhere, and clients sign it as a header. Where both are said, the header is not the one that
    // counts. Source: RFC 9112, section 3.2.2.
    headers::set(&mut head.headers, "host", &host);
    let decision = shared.simulator.lock().decide(client, without_port(&host), &head);
    let forward = match decision {
        Decision::Refuse(status, sentence) => return own(status, &sentence),
        Decision::Fixed(status) => return fixed(status),
        Decision::Forward(forward) => forward,
    };
    client.idle.set(forward.idle);
    headers::clean(&mut head.headers);
    headers::add(&mut head.headers, client, &forward);
    headers::host(&mut head.headers, &host, forward.version);
    if let Some(id) = id {
        headers::set(&mut head.headers, "x-amzn-requestid", id);
    }
    head.version = forward.version;
    let Some(uri) = target_uri(&head.uri, &host, &forward) else {
        return own(400, "The request's target can't be understood.");
    };
    head.uri = uri;
    send(shared, client, Request::from_parts(head, body), &forward).await
}

/// Sends a request to its target. The time for that is the client's connection's: it begins anew with every byte that
/// comes, so that long uploads have the time that they need.
async fn send(
    shared: &Shared,
    client: &Client,
    request: Request<Incoming>,
    forward: &Forward,
) -> Response<Body> {
    let to = Destination { target: forward.target, secure: forward.secure, version: forward.version };
    let sent = tokio::select! {
        sent = shared.connections.send(to, request) => Some(sent),
        () = client.idle.passes() => None,
    };
    match sent {
        // Nothing that changes protocols was asked for.
        Some(Ok(response))
            if response.status() == StatusCode::SWITCHING_PROTOCOLS
                || framing::unknown_coding(response.headers()) =>
        {
            own(forward.connect_failure, "The target's answer is not understood.")
        }
        Some(Ok(response)) => {
            let (mut head, body) = response.into_parts();
            headers::clean(&mut head.headers);
            head.version = Version::default();
            Response::from_parts(head, Either::Left(body))
        }
        Some(Err(error)) => {
            tracing::debug!(target = %forward.target, %error, "a target gave no answer");
            let status = match error {
                Error::ConnectTimeout => forward.timeout,
                Error::Connect(_) | Error::Tls(_) | Error::Http(_) => forward.connect_failure,
            };
            own(status, "The target gave no answer.")
        }
        None => own(forward.timeout, "The target did not answer in time."),
    }
}

/// The host of `host:port`.
fn without_port(host: &str) -> &str {
    let end = host.rfind(':').filter(|at| !host.get(*at..).unwrap_or_default().contains(']'));
    host.get(..end.unwrap_or(host.len())).unwrap_or(host).trim_start_matches('[').trim_end_matches(']')
}

/// The request's URI for its target: with the authority in HTTP/2, the path alone before.
fn target_uri(uri: &Uri, host: &str, forward: &Forward) -> Option<Uri> {
    let path = uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    let builder = Uri::builder().path_and_query(path);
    let builder = if forward.version == Version::HTTP_2 {
        let scheme = if forward.secure { Scheme::HTTPS } else { Scheme::HTTP };
        builder.scheme(scheme).authority(host)
    } else {
        builder
    };
    builder.build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_no_part_of_the_host() {
        for (given, host) in [
            ("example.com", "example.com"),
            ("example.com:8080", "example.com"),
            ("10.0.0.1:80", "10.0.0.1"),
            ("[fd00::1]:80", "fd00::1"),
            ("[fd00::1]", "fd00::1"),
            ("", ""),
        ] {
            assert_eq!(without_port(given), host, "{given}");
        }
    }
}
