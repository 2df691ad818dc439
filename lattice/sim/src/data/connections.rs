//! Connections to targets, kept for the next request.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::Shared;
use http::{Request, Response, Version};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};

use super::exchange::RequestBody;
use super::tls;

/// The body of a request to a target.
pub(super) type Sent = RequestBody<Incoming>;

/// How long a target has to accept a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a connection waits for the next request. Many servers end idle ones after 5 s, which must not come first.
const IDLE: Duration = Duration::from_secs(4);
/// Most idle connections to one target.
const MOST_IDLE: usize = 64;
/// Most targets with idle connections; beyond it those of all are let go.
const MOST_TARGETS: usize = 10_000;
/// Most bytes of an answer's head, and of an answer that waits for its client. The library's own bound is 400 kB.
const MOST_BUFFER: usize = 64 << 10;

/// A target, and how it is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Destination {
    pub(super) target: SocketAddr,
    pub(super) secure: bool,
    pub(super) version: Version,
}

/// Idle connections by target.
#[derive(Debug, Clone, Default)]
pub(super) struct Connections(Arc<Mutex<HashMap<Destination, Kept>>>);

#[derive(Debug, Default)]
struct Kept {
    /// Each with the time since when it is idle.
    single: Vec<(Instant, http1::SendRequest<Sent>)>,
    /// The one connection of HTTP/2, with the time when it was last asked for.
    shared: Option<(Instant, http2::SendRequest<Sent>)>,
    /// It, while it is being opened.
    opening: Option<Opening>,
}

/// A connection of HTTP/2 that is being opened, for all who wait for it.
type Opening = Shared<oneshot::Receiver<Result<http2::SendRequest<Sent>, Error>>>;

/// Why a target gave no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum Error {
    #[error("connecting took longer than {} s", CONNECT.as_secs())]
    ConnectTimeout,
    #[error("connecting: {0}")]
    Connect(Arc<io::Error>),
    #[error("preparing TLS: {0}")]
    Tls(#[from] rustls::Error),
    #[error(transparent)]
    Http(Arc<hyper::Error>),
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Connect(Arc::new(error))
    }
}

impl From<hyper::Error> for Error {
    fn from(error: hyper::Error) -> Self {
        Self::Http(Arc::new(error))
    }
}

impl Error {
    /// What access logs call it.
    pub(super) fn failure(&self) -> &'static str {
        match self {
            Self::ConnectTimeout => "TargetTimeout",
            Self::Connect(_) | Self::Tls(_) | Self::Http(_) => "TargetConnectionError",
        }
    }
}

impl Connections {
    fn lock(&self) -> MutexGuard<'_, HashMap<Destination, Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a request, over an idle connection if one is left. If that turns out to be closed before the request
    /// went out, over another.
    pub(super) async fn send(
        &self,
        to: Destination,
        mut request: Request<Sent>,
    ) -> Result<Response<Incoming>, Error> {
        loop {
            let (sent, fresh) = if to.version == Version::HTTP_2 {
                let kept = self.shared(to);
                let fresh = kept.is_none();
                let mut sender = match kept {
                    Some(sender) => sender,
                    None => self.open_shared(to).await?,
                };
                (sender.try_send_request(request).await, fresh)
            } else {
                let kept = self.idle(to);
                let fresh = kept.is_none();
                let mut sender = match kept {
                    Some(sender) => sender,
                    None => open_single(to).await?,
                };
                let sent = sender.try_send_request(request).await;
                if sent.is_ok() {
                    self.keep(to, sender);
                }
                (sent, fresh)
            };
            match sent {
                Ok(response) => return Ok(response),
                Err(mut error) => match error.take_message() {
                    Some(unsent) if !fresh => request = unsent,
                    _ => return Err(error.into_error().into()),
                },
            }
        }
    }

    /// The connection of HTTP/2, if it is open.
    fn shared(&self, to: Destination) -> Option<http2::SendRequest<Sent>> {
        let mut all = self.lock();
        let (used, sender) = all.get_mut(&to)?.shared.as_mut().filter(|(_, sender)| !sender.is_closed())?;
        *used = Instant::now();
        Some(sender.clone())
    }

    /// Takes an idle connection.
    fn idle(&self, to: Destination) -> Option<http1::SendRequest<Sent>> {
        let mut all = self.lock();
        let kept = all.get_mut(&to)?;
        loop {
            let (since, sender) = kept.single.pop()?;
            if since.elapsed() < IDLE && sender.is_ready() {
                return Some(sender);
            }
        }
    }

    /// Keeps a connection as soon as the answer that it carries is through.
    fn keep(&self, to: Destination, mut sender: http1::SendRequest<Sent>) {
        let connections = self.clone();
        tokio::spawn(async move {
            if sender.ready().await.is_ok() {
                {
                    let mut all = connections.lock();
                    if all.len() >= MOST_TARGETS {
                        all.clear();
                    }
                    let kept = all.entry(to).or_default();
                    if kept.single.len() >= MOST_IDLE {
                        return;
                    }
                    kept.single.push((Instant::now(), sender));
                }
                // Nobody may ask for this target again.
                sleep(IDLE).await;
                connections.let_go(to);
            }
        });
    }

    /// Lets go of what was idle for too long; requests that a connection of HTTP/2 still carries end first. Returns whether
    /// that left a connection of HTTP/2.
    fn let_go(&self, to: Destination) -> bool {
        let mut all = self.lock();
        let Some(kept) = all.get_mut(&to) else { return false };
        kept.single.retain(|(since, sender)| since.elapsed() < IDLE && !sender.is_closed());
        kept.shared.take_if(|(used, sender)| used.elapsed() >= IDLE || sender.is_closed());
        let shared = kept.shared.is_some();
        if kept.single.is_empty() && !shared && kept.opening.is_none() {
            all.remove(&to);
        }
        shared
    }

    /// The connection of HTTP/2 that is being opened, or one that is opened now: one for all who come meanwhile, who share
    /// its failure as well.
    async fn open_shared(&self, to: Destination) -> Result<http2::SendRequest<Sent>, Error> {
        let opening = {
            let mut all = self.lock();
            if all.len() >= MOST_TARGETS {
                all.clear();
            }
            let kept = all.entry(to).or_default();
            if let Some((_, open)) = kept.shared.as_ref().filter(|(_, sender)| !sender.is_closed()) {
                return Ok(open.clone());
            }
            kept.opening.get_or_insert_with(|| self.start_opening(to)).clone()
        };
        opening.await.unwrap_or_else(|_dropped| Err(io::Error::from(io::ErrorKind::Interrupted).into()))
    }

    /// Opens a connection in a task of its own, since whoever asked for it first may leave.
    fn start_opening(&self, to: Destination) -> Opening {
        let (tell, told) = oneshot::channel();
        let connections = self.clone();
        tokio::spawn(async move {
            let opened = handshake(to).await;
            if let Some(kept) = connections.lock().get_mut(&to) {
                kept.opening = None;
                kept.shared = opened.as_ref().ok().map(|sender| (Instant::now(), sender.clone()));
            }
            // They may all have left.
            let _nobody = tell.send(opened);
            loop {
                sleep(IDLE).await;
                if !connections.let_go(to) {
                    break;
                }
            }
        });
        told.shared()
    }
}

/// Opens a connection of HTTP/2.
async fn handshake(to: Destination) -> Result<http2::SendRequest<Sent>, Error> {
    let stream = connect(to).await?;
    let (sender, connection) = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .handshake(TokioIo::new(stream))
        .await?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(target = %to.target, %error, "a connection to a target ended");
        }
    });
    Ok(sender)
}

async fn open_single(to: Destination) -> Result<http1::SendRequest<Sent>, Error> {
    let (sender, connection) =
        http1::Builder::new().max_buf_size(MOST_BUFFER).handshake(TokioIo::new(connect(to).await?)).await?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(target = %to.target, %error, "a connection to a target ended");
        }
    });
    Ok(sender)
}

/// A stream of bytes to or from a peer.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Opens a connection.
pub(super) async fn open(to: SocketAddr) -> Result<TcpStream, Error> {
    let stream = timeout(CONNECT, TcpStream::connect(to)).await.map_err(|_late| Error::ConnectTimeout)??;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Connects to a target. Certificates of targets are not verified, as VPC Lattice does not either (documented for
/// HTTPS target groups).
pub(super) async fn connect(to: Destination) -> Result<Box<dyn Stream>, Error> {
    let stream = open(to.target).await?;
    if !to.secure {
        return Ok(Box::new(stream));
    }
    let connector = tls::to_targets(to.version)?;
    let name = ServerName::IpAddress(to.target.ip().into());
    let stream =
        timeout(CONNECT, connector.connect(name, stream)).await.map_err(|_late| Error::ConnectTimeout)??;
    Ok(Box::new(stream))
}
