//! Connections that end when they were idle for too long.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// How much later a connection ends than an answer that nobody waits for any longer is given, so that it is still heard.
const LAST_WORD: Duration = Duration::from_secs(1);

/// How long a connection may be idle, which can be changed while it is in use, and when it was used last. Clones are for
/// streams that belong together: each of them keeps the others alive.
#[derive(Debug, Clone)]
pub(super) struct Limit(Arc<Mutex<Use>>);

#[derive(Debug)]
struct Use {
    limit: Duration,
    last: Instant,
}

impl Limit {
    pub(super) fn new(limit: Duration) -> Self {
        Self(Arc::new(Mutex::new(Use { limit, last: Instant::now() })))
    }

    fn lock(&self) -> MutexGuard<'_, Use> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set(&self, limit: Duration) {
        self.lock().limit = limit;
    }

    /// When the connection has been idle for too long, unless it is used again.
    fn ends(&self) -> Instant {
        let used = self.lock();
        used.last + used.limit
    }

    /// Ends when the connection has been idle for too long.
    pub(super) async fn passes(&self) {
        loop {
            let ends = self.ends();
            if ends <= Instant::now() {
                return;
            }
            sleep_until(ends).await;
        }
    }
}

/// A stream that fails a moment after it has been idle for too long.
#[derive(Debug)]
pub(super) struct IdleStream<S> {
    inner: S,
    limit: Limit,
    ends: Pin<Box<Sleep>>,
}

impl<S> IdleStream<S> {
    pub(super) fn new(inner: S, limit: Limit) -> Self {
        let ends = Box::pin(sleep_until(limit.ends() + LAST_WORD));
        Self { inner, limit, ends }
    }

    fn used(&mut self) {
        self.limit.lock().last = Instant::now();
        self.ends.as_mut().reset(self.limit.ends() + LAST_WORD);
    }

    /// Whether it has been idle for too long, by the limit as it is now.
    fn is_over(&mut self, context: &mut Context<'_>) -> bool {
        while self.ends.as_mut().poll(context).is_ready() {
            let ends = self.limit.ends() + LAST_WORD;
            if ends <= Instant::now() {
                return true;
            }
            self.ends.as_mut().reset(ends);
        }
        false
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for IdleStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.inner).poll_read(context, buffer);
        if read.is_ready() {
            self.used();
        } else if self.is_over(context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for IdleStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(context, bytes);
        if written.is_ready() {
            self.used();
        } else if self.is_over(context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}
