//! Serves reviews over HTTPS, HTTP/1.1 only: that is what API servers speak to webhooks, so that their requests spread
//! over all replicas.
//!
//! Connections, requests under way and their sizes are bounded. A new certificate is shown from the next handshake on;
//! connections that are open stay.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::body::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::{
    ServerConfig,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::{certificate, metrics::Metrics, review::Answerer};

/// Where reviews are posted.
pub const PATH: &str = "/mutate-pods";

/// Most connections at a time; more wait in the kernel. An API server keeps at most 25 to a webhook that are idle, and a
/// cluster has a handful. Source: client-go, `idleConnsPerHost`.
const CONNECTIONS: usize = 256;

/// Most requests that are read and answered at a time, so that bodies take at most 24 MiB. Beside its body a review takes
/// little more than its labels. An answer takes well under a millisecond.
const REQUESTS: usize = 8;

/// Most bytes of a review: an object of etcd's largest size, 1.5 MiB, and its former self.
const BODY: usize = 3 << 20;

/// How long a handshake, and a request from its head to its answer, may take. API servers wait 2 s by the chart's
/// default.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a connection may wait for its next request. API servers give theirs up after 90 s.
const IDLE: Duration = Duration::from_mins(2);

/// The pause after an accept that failed, which is for want of file descriptors.
const RETRY: Duration = Duration::from_millis(100);

/// How the server ends.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How long it goes on after it was told to stop, until every API server knows that this replica is gone.
    pub linger: Duration,
    /// How long it then waits for requests under way.
    pub finish: Duration,
}

impl Default for Pace {
    /// Together less than the 10 s that the chart gives the pod.
    fn default() -> Self {
        Self { linger: Duration::from_secs(4), finish: Duration::from_secs(2) }
    }
}

/// Shows whatever certificate is the current one.
#[derive(Debug)]
struct Current(watch::Receiver<Option<Arc<CertifiedKey>>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.borrow().clone()
    }
}

/// Serves reviews.
#[derive(Debug, Clone)]
pub struct Server {
    /// What answers them.
    pub answerer: Arc<Answerer>,
    /// Counts what happens before that.
    pub metrics: Metrics,
}

impl Server {
    /// Serves until `shutdown`, and `pace` longer.
    pub async fn run(
        self,
        listener: TcpListener,
        certificate: watch::Receiver<Option<Arc<CertifiedKey>>>,
        pace: Pace,
        shutdown: CancellationToken,
    ) {
        let acceptor = match acceptor(certificate) {
            Ok(acceptor) => acceptor,
            Err(error) => {
                tracing::error!(%error, "setting TLS up failed, the webhook is not served");
                return;
            }
        };
        let slots = Arc::new(Semaphore::new(CONNECTIONS));
        let requests = Arc::new(Semaphore::new(REQUESTS));
        let ending = CancellationToken::new();
        let mut connections = JoinSet::new();
        let mut end = std::pin::pin!(async {
            shutdown.cancelled().await;
            tokio::time::sleep(pace.linger).await;
        });
        loop {
            let (stream, slot) = tokio::select! {
                () = &mut end => break,
                accepted = accept(&listener, &slots) => accepted,
            };
            while connections.try_join_next().is_some() {}
            let connection =
                Connection { server: self.clone(), requests: requests.clone(), ending: ending.clone() };
            connections.spawn(connection.serve(stream, acceptor.clone(), slot));
        }
        drop(listener);
        ending.cancel();
        let all = async { while connections.join_next().await.is_some() {} };
        if timeout(pace.finish, all).await.is_err() {
            tracing::warn!("admission requests were still under way at the end and are cut off");
        }
    }
}

fn acceptor(certificate: watch::Receiver<Option<Arc<CertifiedKey>>>) -> Result<TlsAcceptor, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(certificate::provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Current(certificate)));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// The next connection, once there is room for it.
async fn accept(listener: &TcpListener, slots: &Arc<Semaphore>) -> (TcpStream, Option<OwnedSemaphorePermit>) {
    // Nobody closes the semaphore.
    let slot = slots.clone().acquire_owned().await.ok();
    let mut failing = false;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, slot),
            Err(error) => {
                if !std::mem::replace(&mut failing, true) {
                    tracing::warn!(%error, "taking in a connection to the webhook failed and is tried again");
                }
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

#[derive(Debug, Clone)]
struct Connection {
    server: Server,
    requests: Arc<Semaphore>,
    ending: CancellationToken,
}

impl Connection {
    async fn serve(self, stream: TcpStream, acceptor: TlsAcceptor, _slot: Option<OwnedSemaphorePermit>) {
        let stream = match timeout(PATIENCE, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                self.server.metrics.handshake(false);
                tracing::debug!(%error, "a TLS handshake with the webhook failed");
                return;
            }
            Err(_elapsed) => {
                self.server.metrics.handshake(false);
                return;
            }
        };
        self.server.metrics.handshake(true);
        let ending = self.ending.clone();
        let service = service_fn(move |request| {
            let connection = self.clone();
            async move { Ok::<_, Infallible>(connection.respond(request).await) }
        });
        let mut http = std::pin::pin!(
            http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(IDLE)
                .serve_connection(TokioIo::new(stream), service)
        );
        let ended = tokio::select! {
            ended = &mut http => ended,
            () = ending.cancelled() => {
                http.as_mut().graceful_shutdown();
                http.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection to the webhook broke");
        }
    }

    async fn respond(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        if request.uri().path() != PATH {
            return self.refuse(StatusCode::NOT_FOUND, &format!("reviews are posted to {PATH}"));
        }
        if request.method() != Method::POST {
            return self.refuse(StatusCode::METHOD_NOT_ALLOWED, &format!("reviews are posted to {PATH}"));
        }
        let Ok(answer) = timeout(PATIENCE, self.review(request)).await else {
            return self.refuse(StatusCode::REQUEST_TIMEOUT, "the review did not arrive in time");
        };
        answer
    }

    async fn review(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let _turn = self.requests.acquire().await;
        let body = match Limited::new(request.into_body(), BODY).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) => {
                let why = format!("the review can't be taken in, up to {BODY} bytes are: {error}");
                return self.refuse(StatusCode::PAYLOAD_TOO_LARGE, &why);
            }
        };
        match self.server.answerer.answer(&body) {
            Ok(answer) => {
                let mut response = Response::new(Full::from(answer));
                response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                response
            }
            Err(error) => self.refuse(StatusCode::BAD_REQUEST, &error.to_string()),
        }
    }

    fn refuse(&self, status: StatusCode, why: &str) -> Response<Full<Bytes>> {
        self.server.metrics.refused();
        let mut response = Response::new(Full::from(format!("{why}\n")));
        *response.status_mut() = status;
        response
    }
}

#[cfg(test)]
mod tests;
