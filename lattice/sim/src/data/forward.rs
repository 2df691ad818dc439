//! One request: decided, sent to its target, answered.

use std::sync::Arc;

use http::request::Parts;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Method, Request, Response, StatusCode, Uri, Version, header};
use http_body_util::{Either, Full};
use hyper::body::{Body as _, Incoming};

use crate::settings::choice::{OwnErrors, RequestIds};

use super::Shared;
use super::answer::{Body, Own, Source, fixed, own};
use super::connections::{Destination, Error, Sent};
use super::decide::{Decision, Forward, To};
use super::exchange::{Exchange, RequestBody, ResponseBody, ServiceEntry};
use super::framing;
use super::headers;
use super::listen::Client;

/// Answers a request of a client.
pub(super) async fn answer(
    shared: Arc<Shared>,
    client: Arc<Client>,
    request: Request<Incoming>,
) -> Response<Body> {
    let (id, direction, own_errors) = {
        let mut world = shared.simulator.lock();
        let id = crate::random::uuid(&mut world.traffic_ids);
        (id, world.settings.request_ids, world.settings.own_errors)
    };
    let asks_for_head = request.method() == Method::HEAD;
    let (mut response, exchange) = pass(&shared, &client, request, &id, direction).await;
    if asks_for_head {
        response = head_alone(response);
    }
    let bare = own_errors == OwnErrors::Bare && response.extensions().get::<Own>().is_some();
    if bare {
        response.headers_mut().remove(header::CONTENT_TYPE);
    } else if direction != RequestIds::Request {
        headers::set(response.headers_mut(), "x-amzn-requestid", &id);
    }
    if let Some(exchange) = &exchange {
        exchange.answers(response.status(), response.headers());
    }
    response.map(|body| ResponseBody::of_response(body, exchange))
}

/// What answers HEAD: the head of what answers GET. The library sees to that in HTTP/1 only, and so do many targets.
fn head_alone(mut response: Response<Source>) -> Response<Source> {
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
    id: &str,
    direction: RequestIds,
) -> (Response<Source>, Option<Exchange>) {
    let (mut head, body) = request.into_parts();
    if let Some((status, sentence)) = framing::refused(&head) {
        return (framing::last(own(status, sentence)), None);
    }
    let host = match host_of(&head) {
        Ok(host) => host,
        Err(sentence) => return (own(400, sentence), None),
    };
    // HTTP/2 says the host elsewhere, and clients sign it as a header; where HTTP/1.1 says it twice, the header is void.
    headers::set(&mut head.headers, "host", &host);
    let mut entry = ServiceEntry::default();
    let decision = shared.simulator.lock().decide(client, without_port(&host), &head, &mut entry);
    let exchange = Exchange::begin(&shared.simulator, client, entry);
    if let Some(exchange) = &exchange {
        exchange.asked(&head, &host, id);
    }
    let forward = match decision {
        Decision::Refuse(status, sentence) => {
            let refusal = own(status, &sentence);
            let last = framing::asks_for_upgrade(&head);
            return (if last { framing::last(refusal) } else { refusal }, exchange);
        }
        Decision::Fixed(status) => return (fixed(status), exchange),
        Decision::Forward(forward) => forward,
    };
    client.idle.set(forward.idle);
    headers::clean(&mut head.headers);
    headers::join_cookies(&mut head.headers);
    headers::add(&mut head.headers, client, &forward);
    if direction != RequestIds::Response {
        headers::set(&mut head.headers, "x-amzn-requestid", id);
    }
    let body = RequestBody::of_request(body, exchange.as_ref().map(Exchange::notes));
    // The time for an answer is the client's connection's: it begins anew with every byte that comes, so that long
    // uploads have the time that they need.
    let answered = tokio::select! {
        answered = send(shared, &forward, head, &host, body) => answered,
        () = client.idle.passes() => Err(Failure {
            status: forward.statuses.timeout,
            sentence: "The target did not answer in time.".to_owned(),
            reason: Some("TargetTimeout"),
        }),
    };
    let response = match answered {
        Ok(response) => {
            if let Some(exchange) = &exchange {
                exchange.answered();
            }
            let (mut head, body) = response.into_parts();
            headers::clean(&mut head.headers);
            head.version = Version::default();
            Response::from_parts(head, body)
        }
        Err(failure) => {
            if let (Some(exchange), Some(reason)) = (&exchange, failure.reason) {
                exchange.fails(reason);
            }
            own(failure.status, &failure.sentence)
        }
    };
    (response, exchange)
}

/// Why there is no answer of a target.
struct Failure {
    status: u16,
    sentence: String,
    /// As access logs name it.
    reason: Option<&'static str>,
}

/// Sends a request to its target.
async fn send(
    shared: &Shared,
    forward: &Forward,
    mut head: Parts,
    host: &str,
    body: Sent,
) -> Result<Response<Source>, Failure> {
    let statuses = forward.statuses;
    match &forward.to {
        To::Server(to) => {
            headers::host(&mut head.headers, host, to.version);
            if to.version == Version::HTTP_11 {
                headers::frame(&mut head.headers, &head.method, &body);
            }
            head.version = to.version;
            head.uri = target_uri(&head.uri, host, to).ok_or_else(|| Failure {
                status: 400,
                sentence: "The request's target can't be understood.".to_owned(),
                reason: None,
            })?;
            let sent = shared.connections.send(*to, Request::from_parts(head, body)).await;
            let response = sent.map_err(|error| {
                tracing::debug!(target = %to.target, %error, "a target gave no answer");
                let status = match error {
                    Error::ConnectTimeout => statuses.timeout,
                    Error::Connect(_) | Error::Tls(_) | Error::Http(_) => statuses.connect_failure,
                };
                let sentence = "The target gave no answer.".to_owned();
                Failure { status, sentence, reason: Some(error.failure()) }
            })?;
            // Nothing that changes protocols was asked for.
            let changes = response.status() == StatusCode::SWITCHING_PROTOCOLS;
            if changes || framing::unknown_coding(response.headers()) {
                return Err(Failure {
                    status: statuses.connect_failure,
                    sentence: "The target's answer is not understood.".to_owned(),
                    reason: Some("TargetConnectionError"),
                });
            }
            Ok(response.map(Either::Left))
        }
        To::Function(function) => {
            let answered = shared.functions.invoke(function, forward, &head, body).await;
            answered.map(|response| response.map(Either::Right)).map_err(|error| Failure {
                status: error.status().unwrap_or(statuses.function_failure),
                sentence: format!("{error}."),
                reason: Some(error.reason()),
            })
        }
    }
}

/// The host that a request names, and its port if it does. Source: RFC 9112, section 3.2.2; RFC 9113, section 8.3.1.
fn host_of(head: &Parts) -> Result<String, &'static str> {
    let authority = head.uri.authority().map(Authority::as_str);
    let header = head.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    if let (Version::HTTP_2, Some(authority), Some(header)) = (head.version, authority, header)
        && authority != header
    {
        return Err("The request names one host as :authority and another as host.");
    }
    if head.version == Version::HTTP_11 && header.is_none() {
        return Err("The request has no Host.");
    }
    authority.or(header).map(str::to_owned).ok_or("The request names no host.")
}

/// The host of `host:port`.
fn without_port(host: &str) -> &str {
    let end = host.rfind(':').filter(|at| !host.get(*at..).unwrap_or_default().contains(']'));
    host.get(..end.unwrap_or(host.len())).unwrap_or(host).trim_start_matches('[').trim_end_matches(']')
}

/// The request's URI for its target: with the authority in HTTP/2, the path alone before.
fn target_uri(uri: &Uri, host: &str, to: &Destination) -> Option<Uri> {
    let path = uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    let builder = Uri::builder().path_and_query(path);
    let builder = if to.version == Version::HTTP_2 {
        let scheme = if to.secure { Scheme::HTTPS } else { Scheme::HTTP };
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
