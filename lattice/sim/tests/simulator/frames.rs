//! HTTP/2 by hand, to say what no library says.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What a client's connection begins with. Source: RFC 9113, section 3.4.
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Types of frames. Source: RFC 9113, section 6.
pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const CONTINUATION: u8 = 9;

/// Flags of frames.
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

/// A frame that was read.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) payload: Vec<u8>,
}

/// The bytes of a frame.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Headers as HPACK has them without a table and without compression. Source: RFC 7541, section 6.2.2.
pub(crate) fn block(headers: &[(&str, &str)]) -> Vec<u8> {
    let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    headers.iter().flat_map(|(name, value)| [vec![0], text(name), text(value)].concat()).collect()
}

/// The headers of a request.
pub(crate) fn request(method: &str, host: &str, path: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let own = [(":method", method), (":scheme", "http"), (":authority", host), (":path", path)];
    block(&[&own, more].concat())
}

/// Begins a connection as a client.
pub(crate) async fn begin(stream: &mut TcpStream) {
    stream.write_all(&[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()).await.unwrap();
}

/// The next frame, unless the connection has ended.
pub(crate) async fn next(stream: &mut TcpStream) -> Option<Frame> {
    let mut header = [0; 9];
    stream.read_exact(&mut header).await.ok()?;
    let [a, b, c, kind, ..] = header;
    let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]).try_into().unwrap()];
    stream.read_exact(&mut payload).await.ok()?;
    Some(Frame { kind, payload })
}

/// The next frame of one of these types, unless the connection has ended.
pub(crate) async fn next_of(stream: &mut TcpStream, kinds: &[u8]) -> Option<Frame> {
    loop {
        let frame = next(stream).await?;
        if kinds.contains(&frame.kind) {
            return Some(frame);
        }
    }
}
