//! Connections whose bytes are passed on as they are: TLS that is passed through, TCP to resources.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Version;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, copy_bidirectional};

use super::connections::{Destination, Error, Stream, connect};
use super::exchange::{Exchange, Notes};
use super::idle::{IdleStream, Limit};

/// Carries TLS between a client and a target until both have ended, or either breaks off.
pub(super) async fn carry(
    client: impl Stream,
    idle: &Limit,
    target: SocketAddr,
    exchange: Option<&Exchange>,
) -> Result<(), Error> {
    let to = Destination { target, secure: false, version: Version::HTTP_11 };
    let connected = connect(to).await;
    if let (Err(error), Some(exchange)) = (&connected, exchange) {
        exchange.fails(error.failure());
    }
    let client = Noted { inner: client, notes: exchange.map(Exchange::notes) };
    Ok(pass(client, connected?, idle).await?)
}

/// Passes bytes on in both directions until both have ended, either breaks off, or both were idle for too long.
pub(super) async fn pass(client: impl Stream, server: impl Stream, idle: &Limit) -> io::Result<()> {
    // Of two ends of which one has ended, only the other is still looked at, so both have to know the time.
    let mut client = IdleStream::new(client, idle.clone());
    let mut server = IdleStream::new(server, idle.clone());
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

/// A client's stream whose bytes are noted.
struct Noted<S> {
    inner: S,
    notes: Option<Notes>,
}

impl<S: Stream> AsyncRead for Noted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(context, buffer);
        if let Some(notes) = &self.notes {
            notes.received((buffer.filled().len() - before) as u64);
        }
        read
    }
}

impl<S: Stream> AsyncWrite for Noted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(context, bytes);
        if let (Some(notes), Poll::Ready(Ok(written))) = (&self.notes, &written) {
            notes.sent(*written as u64);
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
