//! The answers that the data plane gives itself.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::{Either, Full};
use hyper::body::Incoming;

use super::exchange::ResponseBody;

/// Where the body of an answer is from: a target, or us.
pub(super) type Source = Either<Incoming, Full<Bytes>>;

/// The body of an answer.
pub(super) type Body = ResponseBody<Source>;

/// Marks an answer of our own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Own;

/// An answer of our own: a status and a sentence.
pub(super) fn own(status: u16, sentence: &str) -> Response<Source> {
    let mut response = Response::new(Either::Right(Full::new(Bytes::from(format!("{sentence}\n")))));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response.extensions_mut().insert(Own);
    response
}

/// A fixed response, which has no body.
pub(super) fn fixed(status: u16) -> Response<Source> {
    let mut response = Response::new(Either::Right(Full::new(Bytes::new())));
    // A status below 200 is none that ends an answer.
    let status = StatusCode::from_u16(status).ok().filter(|status| !status.is_informational());
    *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}
