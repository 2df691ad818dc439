//! How long the head of a request takes, from its first byte on.
//!
//! The HTTP library times a head of HTTP/1 from the end of the request before, and so would end connections that are
//! merely kept; heads of HTTP/2 it does not time at all. So bytes are looked at on their way to it. Where a body of
//! HTTP/1 ends, and the next head may begin, the library tells by its timer; frames of HTTP/2 tell it themselves.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::rt::Timer;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// What every connection of HTTP/2 begins with. Source: RFC 9113, section 3.4.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The parts of a frame's header. Source: RFC 9113, section 4.1 and 6.
mod frame {
    /// Bytes of a header: length, type, flags, stream.
    pub(super) const HEADER: usize = 9;
    /// Types.
    pub(super) const DATA: u8 = 0;
    pub(super) const HEADERS: u8 = 1;
    pub(super) const CONTINUATION: u8 = 9;
    /// The flag that says that no frame continues a head.
    pub(super) const END_HEADERS: u8 = 4;
}

/// How far a connection is with the head that it is at. It is also the timer of the library for HTTP/1, which makes a
/// sleep when it begins to wait for a head, and drops it when the head is there. These sleeps never end.
#[derive(Debug, Clone)]
pub(super) struct Head(Arc<Mutex<Progress>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// The next byte is the first one of a head.
    Awaited,
    /// The first byte came then.
    Begun(Instant),
    /// Bytes are a body's.
    Through,
}

impl Head {
    pub(super) fn awaited() -> Self {
        Self(Arc::new(Mutex::new(Progress::Awaited)))
    }

    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a byte came.
    fn begin(&self) {
        let mut progress = self.lock();
        if *progress == Progress::Awaited {
            *progress = Progress::Begun(Instant::now());
        }
    }

    fn set(&self, progress: Progress) {
        *self.lock() = progress;
    }
}

impl Timer for Head {
    fn sleep(&self, _duration: Duration) -> Pin<Box<dyn hyper::rt::Sleep>> {
        let mut progress = self.lock();
        if *progress == Progress::Through {
            *progress = Progress::Awaited;
        }
        Box::pin(Until(self.clone()))
    }

    #[expect(clippy::disallowed_types, reason = "the library's trait has it")]
    fn sleep_until(&self, _deadline: std::time::Instant) -> Pin<Box<dyn hyper::rt::Sleep>> {
        self.sleep(Duration::ZERO)
    }

    #[expect(clippy::disallowed_types, reason = "the library's trait has it")]
    fn reset(&self, _sleep: &mut Pin<Box<dyn hyper::rt::Sleep>>, _deadline: std::time::Instant) {}
}

/// A sleep of the library until a head is there.
struct Until(Head);

impl Future for Until {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

impl hyper::rt::Sleep for Until {}

impl Drop for Until {
    fn drop(&mut self) {
        self.0.set(Progress::Through);
    }
}

/// What a connection speaks, as far as its bytes tell.
#[derive(Debug)]
enum Spoken {
    /// So many bytes of the preface.
    Preface(usize),
    Http1,
    Http2(Frames),
}

/// Where in a frame a connection is.
#[derive(Debug, Default)]
struct Frames {
    header: [u8; frame::HEADER],
    /// Bytes of the header so far.
    known: usize,
    /// Bytes of the rest of the frame that are still to come.
    rest: usize,
    /// Whether frames that continue a head are still to come.
    open: bool,
}

impl Spoken {
    /// Follows bytes of a client.
    fn read(&mut self, bytes: &[u8], head: &Head) {
        if bytes.is_empty() {
            return;
        }
        match self {
            Self::Preface(seen) => {
                head.begin();
                let missing = PREFACE.get(*seen..).unwrap_or_default();
                let (preface, rest) = bytes.split_at_checked(missing.len()).unwrap_or((bytes, &[]));
                *seen += preface.len();
                if !missing.starts_with(preface) {
                    *self = Self::Http1;
                } else if preface.len() == missing.len() {
                    head.set(Progress::Awaited);
                    *self = Self::Http2(Frames::default());
                    self.read(rest, head);
                }
            }
            Self::Http1 => head.begin(),
            Self::Http2(frames) => frames.read(bytes, head),
        }
    }
}

impl Frames {
    fn read(&mut self, mut bytes: &[u8], head: &Head) {
        while let Some((first, others)) = bytes.split_first() {
            if let Some(place) = self.header.get_mut(self.known) {
                head.begin();
                *place = *first;
                self.known += 1;
                bytes = others;
                if self.known < frame::HEADER {
                    continue;
                }
                let [high, middle, low, kind, ..] = self.header;
                self.rest = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
                if kind == frame::DATA {
                    head.set(Progress::Through);
                }
            }
            let taken = self.rest.min(bytes.len());
            self.rest -= taken;
            bytes = bytes.get(taken..).unwrap_or_default();
            if self.rest == 0 {
                self.end(head);
            }
        }
    }

    /// Notes that a frame is complete.
    fn end(&mut self, head: &Head) {
        self.known = 0;
        let [_, _, _, kind, flags, ..] = self.header;
        if kind == frame::HEADERS || kind == frame::CONTINUATION {
            self.open = flags & frame::END_HEADERS == 0;
        }
        if !self.open {
            head.set(Progress::Awaited);
        }
    }
}

/// A stream of HTTP that fails when a head, or any frame of HTTP/2 that is not of a body, takes too long.
#[derive(Debug)]
pub(super) struct HeadStream<S> {
    inner: S,
    spoken: Spoken,
    head: Head,
    within: Duration,
    /// Made when a head comes in parts for the first time.
    ends: Option<Pin<Box<Sleep>>>,
}

impl<S> HeadStream<S> {
    /// Heads have to be complete `within` so long.
    pub(super) fn new(inner: S, head: Head, within: Duration) -> Self {
        Self { inner, spoken: Spoken::Preface(0), head, within, ends: None }
    }

    fn is_late(&mut self, context: &mut Context<'_>) -> bool {
        let Progress::Begun(since) = *self.head.lock() else { return false };
        let ends = since + self.within;
        let sleep = self.ends.get_or_insert_with(|| Box::pin(sleep_until(ends)));
        if sleep.deadline() != ends {
            sleep.as_mut().reset(ends);
        }
        sleep.as_mut().poll(context).is_ready()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for HeadStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.inner).poll_read(context, buffer);
        if read.is_ready() {
            this.spoken.read(buffer.filled().get(before..).unwrap_or_default(), &this.head);
        } else if this.is_late(context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for HeadStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
        let length = u8::try_from(payload.len()).unwrap();
        [&[0, 0, length, kind, flags, 0, 0, 0, 1], payload].concat()
    }

    /// Reads bytes in parts of this length: what they speak, and how far the head is.
    fn progress(bytes: &[u8], part: usize) -> (Spoken, Progress) {
        let (mut spoken, head) = (Spoken::Preface(0), Head::awaited());
        for part in bytes.chunks(part) {
            spoken.read(part, &head);
        }
        let progress = *head.lock();
        (spoken, progress)
    }

    #[tokio::test(start_paused = true)]
    async fn frames_tell_where_heads_end() {
        let begun = Progress::Begun(Instant::now());
        let headers = frame(frame::HEADERS, 0, b"abc");
        let last = frame(frame::CONTINUATION, frame::END_HEADERS, b"d");
        let data = frame(frame::DATA, 0, b"body");
        let settings = frame(4, 0, &[]);
        for (frames, expected) in [
            (vec![], Progress::Awaited),
            (vec![settings.as_slice()], Progress::Awaited),
            (vec![settings.as_slice(), &settings[..1]], begun),
            (vec![&headers[..9]], begun),
            (vec![headers.as_slice()], begun),
            (vec![headers.as_slice(), &settings], begun),
            (vec![headers.as_slice(), &last[..9]], begun),
            (vec![headers.as_slice(), &last], Progress::Awaited),
            (vec![headers.as_slice(), &last, &data[..8]], begun),
            (vec![headers.as_slice(), &last, &data[..9]], Progress::Through),
            (vec![headers.as_slice(), &last, &data], Progress::Awaited),
        ] {
            let bytes = [&[PREFACE], frames.as_slice()].concat().concat();
            for part in [1, 2, 7, bytes.len()] {
                let (spoken, progress) = progress(&bytes, part);
                assert!(matches!(spoken, Spoken::Http2(_)), "{frames:?}");
                assert_eq!(progress, expected, "{frames:?} in parts of {part}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_the_preface_is_http_1() {
        let begun = Progress::Begun(Instant::now());
        for (bytes, http1) in
            [("G", true), ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r", false), ("PRI * HTTP/1", true), ("PUT", true)]
        {
            for part in [1, 100] {
                let (spoken, progress) = progress(bytes.as_bytes(), part);
                assert_eq!((matches!(spoken, Spoken::Http1), progress), (http1, begun), "{bytes}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_of_http_1_is_timed_from_its_first_byte() {
        let (mut spoken, head) = (Spoken::Http1, Head::awaited());
        let sleep = head.sleep(Duration::ZERO);
        assert_eq!(*head.lock(), Progress::Awaited);
        let first = Instant::now();
        spoken.read(b"G", &head);
        tokio::time::advance(Duration::from_secs(1)).await;
        spoken.read(b"E", &head);
        assert_eq!(*head.lock(), Progress::Begun(first));
        drop(sleep);
        spoken.read(b"body", &head);
        assert_eq!(*head.lock(), Progress::Through);
        let _next = head.sleep(Duration::ZERO);
        assert_eq!(*head.lock(), Progress::Awaited);
    }
}
