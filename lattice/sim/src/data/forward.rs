//! One request: decided, sent to its target, answered.

use std::sync::Arc;

use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Request, Response, Uri, Version, header};
use http_body_util::Either;
use hyper::body::Incoming;

use crate::settings::choice::RequestIds;

use super::Shared;
use super::answer::{Body, Source, fixed, own};
use super::connections::{Destination, Error, Sent};
use super::decide::{Decision, Forward};
use super::exchange::{Exchange, RequestBody, ResponseBody, ServiceEntry};
use super::headers;
use super::listen::Client;

/// Answers a request of a client.
pub(super) async fn answer(
    shared: Arc<Shared>,
    client: Arc<Client>,
    request: Request<Incoming>,
) -> Response<Body> {
    let (id, direction) = {
        let mut world = shared.simulator.lock();
        (crate::random::uuid(&mut world.request_ids), world.settings.request_ids)
    };
    let (mut response, exchange) = pass(&shared, &client, request, &id, direction).await;
    if direction != RequestIds::Request {
        headers::set(response.headers_mut(), "x-amzn-requestid", &id);
    }
    if let Some(exchange) = &exchange {
        exchange.answers(response.status(), response.headers());
    }
    response.map(|body| ResponseBody::new(body, exchange))
}

async fn pass(
    shared: &Shared,
    client: &Client,
    request: Request<Incoming>,
    id: &str,
    direction: RequestIds,
) -> (Response<Source>, Option<Exchange>) {
    let (mut head, body) = request.into_parts();
    let authority = head.uri.authority().map(Authority::as_str);
    let host = authority.or_else(|| head.headers.get(header::HOST).and_then(|host| host.to_str().ok()));
    let Some(host) = host.map(str::to_owned) else {
        return (own(400, "The request names no host."), None);
    };
    if !head.headers.contains_key(header::HOST) {
        // HTTP/2 says the host elsewhere, and clients sign it as a header.
        headers::set(&mut head.headers, "host", &host);
    }
    let mut entry = ServiceEntry::default();
    let decision = shared.simulator.lock().decide(client, without_port(&host), &head, &mut entry);
    let exchange = Exchange::begin(&shared.simulator, client, entry);
    if let Some(exchange) = &exchange {
        exchange.asked(&head, &host, id);
    }
    let forward = match decision {
        Decision::Refuse(status, sentence) => return (own(status, &sentence), exchange),
        Decision::Fixed(status) => return (fixed(status), exchange),
        Decision::Forward(forward) => forward,
    };
    client.idle.set(forward.idle);
    headers::clean(&mut head.headers);
    headers::add(&mut head.headers, client, &forward);
    headers::host(&mut head.headers, &host, forward.version);
    if direction != RequestIds::Response {
        headers::set(&mut head.headers, "x-amzn-requestid", id);
    }
    head.version = forward.version;
    let Some(uri) = target_uri(&head.uri, &host, &forward) else {
        return (own(400, "The request's target can't be understood."), exchange);
    };
    head.uri = uri;
    let body = RequestBody::new(body, exchange.as_ref().map(Exchange::notes));
    let response = send(shared, client, Request::from_parts(head, body), &forward, exchange.as_ref()).await;
    (response, exchange)
}

/// Sends a request to its target. The time for that is the client's connection's: it begins anew with every byte that
/// comes, so that long uploads have the time that they need.
async fn send(
    shared: &Shared,
    client: &Client,
    request: Request<Sent>,
    forward: &Forward,
    exchange: Option<&Exchange>,
) -> Response<Source> {
    let to = Destination { target: forward.target, secure: forward.secure, version: forward.version };
    let sent = tokio::select! {
        sent = shared.connections.send(to, request) => Some(sent),
        () = client.idle.passes() => None,
    };
    let (status, sentence, failure) = match sent {
        Some(Ok(response)) => {
            if let Some(exchange) = exchange {
                exchange.answered();
            }
            let (mut head, body) = response.into_parts();
            headers::clean(&mut head.headers);
            head.version = Version::default();
            return Response::from_parts(head, Either::Left(body));
        }
        Some(Err(error)) => {
            tracing::debug!(target = %forward.target, %error, "a target gave no answer");
            let status = match error {
                Error::ConnectTimeout => forward.timeout,
                Error::Connect(_) | Error::Tls(_) | Error::Http(_) => forward.connect_failure,
            };
            (status, "The target gave no answer.", error.failure())
        }
        None => (forward.timeout, "The target did not answer in time.", "TargetTimeout"),
    };
    if let Some(exchange) = exchange {
        exchange.fails(failure);
    }
    own(status, sentence)
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
