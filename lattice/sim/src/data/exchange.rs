//! Requests and connections as access logs tell of them: what is noted on the way, and told when they are over.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, StatusCode, Version, header};
use hyper::body::{Body, Frame, SizeHint};
use serde::{Serialize, Serializer};
use tokio::time::Instant;

use crate::access_log::Subscription;
use crate::simulator::Simulator;

use super::headers;
use super::listen::Client;

/// A value of an access log, `-` where it is unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OrDash<T>(pub(super) Option<T>);

impl<T> Default for OrDash<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> From<T> for OrDash<T> {
    fn from(value: T) -> Self {
        Self(Some(value))
    }
}

impl From<&str> for OrDash<String> {
    fn from(value: &str) -> Self {
        Self(Some(value.to_owned()))
    }
}

impl<T: Serialize> Serialize for OrDash<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Some(value) => value.serialize(serializer),
            None => serializer.serialize_str("-"),
        }
    }
}

/// A line in the access log of a service. Times are in milliseconds, sizes in bytes with the heads as HTTP/1.1 writes
/// them. Source of the fields: VPC Lattice user guide, access logs. The texts of [`ServiceEntry::failure_reason`] are
/// assumed, but for `ClientAccessDenied`.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ServiceEntry {
    pub(super) service_network_arn: OrDash<String>,
    /// Who the policies saw: an ARN, `Anonymous`, or `Unknown` where the signature does not hold.
    pub(super) resolved_user: OrDash<String>,
    pub(super) listener_type: OrDash<&'static str>,
    pub(super) listener_id: OrDash<String>,
    /// Which policy refused: `Network`, `Service` or `Identity`.
    pub(super) auth_denied_reason: OrDash<&'static str>,
    pub(super) target_group_arn: OrDash<String>,
    pub(super) source_vpc_arn: OrDash<String>,
    pub(super) source_vpc_id: OrDash<String>,
    pub(super) destination_vpc_id: OrDash<String>,
    source_ip_port: OrDash<SocketAddr>,
    pub(super) target_ip_port: OrDash<SocketAddr>,
    pub(super) failure_reason: OrDash<&'static str>,
    pub(super) service_arn: OrDash<String>,
    pub(super) start_time: OrDash<String>,
    request_id: OrDash<String>,
    request_method: OrDash<String>,
    request_path: OrDash<String>,
    protocol: OrDash<String>,
    response_code: OrDash<u16>,
    bytes_received: u64,
    bytes_sent: u64,
    duration: u64,
    user_agent: OrDash<String>,
    host_header: OrDash<String>,
    server_name_indication: OrDash<String>,
    request_to_target_duration: OrDash<u64>,
    response_from_target_duration: OrDash<u64>,
    ssl_cipher: OrDash<String>,
    tls_version: OrDash<String>,
    pub(super) caller_principal: OrDash<String>,
    #[serde(rename = "callerPrincipalOrgID")]
    caller_principal_org_id: OrDash<String>,
    #[serde(rename = "callerX509IssuerOU")]
    caller_x509_issuer_ou: OrDash<String>,
    #[serde(rename = "callerX509SubjectCN")]
    caller_x509_subject_cn: OrDash<String>,
    #[serde(rename = "callerX509SANNameCN")]
    caller_x509_san_name_cn: OrDash<String>,
    #[serde(rename = "callerX509SANDNS")]
    caller_x509_san_dns: OrDash<String>,
    #[serde(rename = "callerX509SANURI")]
    caller_x509_san_uri: OrDash<String>,
    /// Who gets the line.
    #[serde(skip)]
    pub(super) subscriptions: Vec<Subscription>,
}

/// A request or a connection on its way, which somebody has subscribed to. The line is told when this is dropped.
#[derive(Debug)]
pub(super) struct Exchange {
    simulator: Simulator,
    notes: Notes,
}

/// Where parts of an exchange note how far they are.
#[derive(Debug, Clone)]
pub(super) struct Notes(Arc<Mutex<Progress>>);

#[derive(Debug)]
struct Progress {
    entry: ServiceEntry,
    begun: Instant,
    /// When the target's answer began.
    answered: Option<Instant>,
}

impl Exchange {
    /// An exchange of a client that begins now, if anybody has subscribed to it.
    pub(super) fn begin(simulator: &Simulator, client: &Client, mut entry: ServiceEntry) -> Option<Self> {
        if entry.subscriptions.is_empty() {
            return None;
        }
        entry.source_ip_port = SocketAddr::new(client.address, client.port).into();
        if let Some(tls) = &client.tls {
            entry.server_name_indication = tls.name.as_str().into();
            entry.ssl_cipher = OrDash(tls.cipher.clone());
            entry.tls_version = OrDash(tls.version.map(str::to_owned));
        }
        let progress = Progress { entry, begun: Instant::now(), answered: None };
        Some(Self { simulator: simulator.clone(), notes: Notes(Arc::new(Mutex::new(progress))) })
    }

    pub(super) fn notes(&self) -> Notes {
        self.notes.clone()
    }

    /// Notes the head of the request as it came, and the request's id.
    pub(super) fn asked(&self, head: &Parts, host: &str, id: &str) {
        let mut progress = self.notes.lock();
        let entry = &mut progress.entry;
        entry.request_id = id.into();
        entry.request_method = head.method.as_str().into();
        entry.request_path = head.uri.path().into();
        entry.protocol = match head.version {
            Version::HTTP_2 => "HTTP/2".into(),
            Version::HTTP_10 => "HTTP/1.0".into(),
            _ => "HTTP/1.1".into(),
        };
        entry.host_header = host.into();
        let agent = head.headers.get(header::USER_AGENT);
        entry.user_agent = OrDash(agent.map(|agent| String::from_utf8_lossy(agent.as_bytes()).into_owned()));
        let path = head.uri.path_and_query().map_or(1, |path| path.as_str().len());
        // METHOD PATH HTTP/1.1 and the end of the line.
        entry.bytes_received += (head.method.as_str().len() + path + 12) as u64 + size(&head.headers);
    }

    /// Notes why the request fails. Whatever failed first is why.
    pub(super) fn fails(&self, reason: &'static str) {
        self.notes.fails(reason);
    }

    /// Notes that the target's answer has begun.
    pub(super) fn answered(&self) {
        self.notes.lock().answered = Some(Instant::now());
    }

    /// Notes the head of the answer.
    pub(super) fn answers(&self, status: StatusCode, headers: &HeaderMap) {
        let mut progress = self.notes.lock();
        progress.entry.response_code = status.as_u16().into();
        let reason = status.canonical_reason().unwrap_or_default().len();
        // HTTP/1.1 200 REASON and the end of the line.
        progress.entry.bytes_sent += (15 + reason) as u64 + size(headers);
    }
}

/// The bytes of headers with the empty line after them.
fn size(headers: &HeaderMap) -> u64 {
    let lines = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    lines.sum::<usize>() as u64 + 2
}

fn milliseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

impl Notes {
    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes bytes that the client sent.
    pub(super) fn received(&self, bytes: u64) {
        self.lock().entry.bytes_received += bytes;
    }

    /// Notes bytes that the client was sent.
    pub(super) fn sent(&self, bytes: u64) {
        self.lock().entry.bytes_sent += bytes;
    }

    fn fails(&self, reason: &'static str) {
        let mut progress = self.lock();
        progress.entry.failure_reason.0.get_or_insert(reason);
        if progress.answered.is_none() {
            progress.entry.request_to_target_duration = OrDash(None);
        }
    }

    /// Notes that the whole request is with the target.
    fn passed_on(&self) {
        let mut progress = self.lock();
        if progress.entry.failure_reason.0.is_none() {
            progress.entry.request_to_target_duration = milliseconds(progress.begun).into();
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let mut progress = self.notes.lock();
        let Progress { begun, answered, .. } = *progress;
        let mut entry = std::mem::take(&mut progress.entry);
        drop(progress);
        entry.duration = milliseconds(begun);
        entry.response_from_target_duration = OrDash(answered.map(milliseconds));
        self.simulator.log_access(std::mem::take(&mut entry.subscriptions), &entry);
    }
}

/// What takes note of a body on its way. It is dropped with the body, when that is through or nobody wants it any more.
pub(super) trait Watch: Unpin {
    /// So many bytes of data have come.
    fn data(&self, bytes: u64);
    /// No more will come, though it has not ended.
    fn broke(&self);
}

/// Takes note of a request's body. With its end the target has the whole request.
#[derive(Debug)]
pub(super) struct OfRequest(Option<Notes>);

/// Takes note of an answer's body, with whose end the exchange is over.
#[derive(Debug)]
pub(super) struct OfResponse(Option<Exchange>);

impl Watch for OfRequest {
    fn data(&self, bytes: u64) {
        if let Some(notes) = &self.0 {
            notes.received(bytes);
        }
    }

    fn broke(&self) {
        if let Some(notes) = &self.0 {
            notes.fails("ClientError");
        }
    }
}

impl Drop for OfRequest {
    fn drop(&mut self) {
        if let Some(notes) = &self.0 {
            notes.passed_on();
        }
    }
}

impl Watch for OfResponse {
    fn data(&self, bytes: u64) {
        if let Some(exchange) = &self.0 {
            exchange.notes.sent(bytes);
        }
    }

    fn broke(&self) {
        if let Some(exchange) = &self.0 {
            exchange.fails("TargetReset");
        }
    }
}

/// A body that is watched on its way.
#[derive(Debug)]
pub(super) struct Watched<B, W> {
    inner: B,
    watch: W,
}

/// The body of a request on its way to a target.
pub(super) type RequestBody<B> = Watched<B, OfRequest>;

/// The body of an answer on its way to a client.
pub(super) type ResponseBody<B> = Watched<B, OfResponse>;

impl<B> RequestBody<B> {
    pub(super) fn of_request(inner: B, notes: Option<Notes>) -> Self {
        Self { inner, watch: OfRequest(notes) }
    }
}

impl<B> ResponseBody<B> {
    pub(super) fn of_response(inner: B, exchange: Option<Exchange>) -> Self {
        Self { inner, watch: OfResponse(exchange) }
    }
}

impl<B: Body<Data = Bytes> + Unpin, W: Watch> Body for Watched<B, W> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut polled = Pin::new(&mut self.inner).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &mut polled
            && let Some(trailers) = frame.trailers_mut()
        {
            headers::clean(trailers);
        }
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(data) = frame.data_ref() {
                    self.watch.data(data.len() as u64);
                }
            }
            Poll::Ready(Some(Err(_))) => self.watch.broke(),
            _ => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
