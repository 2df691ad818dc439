//! Clients that send what is no request, half of one, more than one in one, or all of it very slowly.

use std::io::ErrorKind;
use std::net::Shutdown;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::backend::{Backend, Plane, pass, weighted};
use crate::frames::{
    self, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PREFACE, RST_STREAM, SETTINGS, frame,
    next_of,
};
use crate::harness::fixed;
use crate::script::{End, Script};

/// Answers one request of a connection. What is in a request that was smuggled into another would show in what it reads.
async fn target() -> Script {
    Script::http1("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", End::Stay).await
}

/// What a target has read by now. Another request makes sure that it has read what was on its way.
async fn read(plane: &Plane, host: &str, target: &Script) -> String {
    assert_eq!(plane.get(host, "/last", &[]).await.0, 200);
    target.take_but("GET /last ")
}

/// How many requests a target has read.
fn requests(read: &str) -> usize {
    read.matches(" HTTP/1.1\r\n").count()
}

/// Sends bytes, says that no more come if so asked, and reads all that is answered.
async fn send(plane: &Plane, bytes: &[u8], end: bool) -> String {
    let mut stream = plane.connect().await;
    // The other side may end before it has read everything.
    let _broken = stream.write_all(bytes).await;
    if end {
        SockRef::from(&stream).shutdown(Shutdown::Write).unwrap();
    }
    let mut read = Vec::new();
    let reading = timeout(Duration::from_secs(10), stream.read_to_end(&mut read)).await;
    let _broken =
        reading.unwrap_or_else(|_late| panic!("no end after {:.300}", String::from_utf8_lossy(bytes)));
    String::from_utf8_lossy(&read).into_owned()
}

/// A plane with one service, and its target.
struct Case {
    plane: Plane,
    host: String,
    target: Script,
}

impl Case {
    async fn start() -> Self {
        let plane = Plane::start(&[]).await;
        let target = target().await;
        let group = plane.group("group", &[target.address]).await;
        let (.., host) = plane.service("web", weighted(&[(&group, 1)])).await;
        Self { plane, host, target }
    }

    /// What comes behind a request, and must not become one.
    fn behind(&self) -> String {
        format!("GET /smuggled HTTP/1.1\r\nHost: {}\r\n\r\n", self.host)
    }

    /// Sends bytes: the statuses of the answers, and what the target read, of which nothing came from behind.
    async fn try_out(&self, bytes: &str, end: bool) -> (Vec<String>, String) {
        let answer = send(&self.plane, bytes.as_bytes(), end).await;
        let read = read(&self.plane, &self.host, &self.target).await;
        assert!(!read.contains("smuggled"), "{bytes:.300}: {read}");
        let statuses = answer.split("HTTP/1.1 ").skip(1).filter_map(|answer| answer.get(..3));
        (statuses.map(str::to_owned).collect(), read)
    }
}

#[tokio::test]
async fn a_length_that_can_be_understood_in_two_ways_is_refused() {
    let case = Case::start().await;
    for (fields, status) in [
        // The coding counts, and nothing comes behind it. Source: RFC 9112, section 6.3.
        ("Content-Length: 99\r\nTransfer-Encoding: chunked", 200),
        ("Transfer-Encoding: chunked\r\nContent-Length: 99", 200),
        ("Content-Length: 5\r\nContent-Length: 99", 400),
        ("Content-Length: 5, 99", 400),
        ("Content-Length: 5, 5", 400),
        ("Content-Length: +5", 400),
        ("Content-Length: -1", 400),
        ("Content-Length: 0x5", 400),
        ("Content-Length: ", 400),
        ("Content-Length: 5 5", 400),
        ("Content-Length: 18446744073709551616", 400),
        ("Transfer-Encoding: chunked, identity", 400),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", 400),
        ("Transfer-Encoding: identity, chunked", 501),
        ("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked", 501),
        ("Transfer-Encoding: chunked, chunked", 501),
        ("Transfer-Encoding: gzip, chunked", 501),
        ("Transfer-Encoding: xchunked", 400),
        ("Transfer-Encoding: \u{b}chunked", 400),
        ("Transfer-Encoding : chunked", 400),
        (" Transfer-Encoding: chunked", 400),
        ("Transfer-Encoding:\r\n chunked", 400),
        ("Transfer-Encoding", 400),
        ("X-Fold: a\r\n Transfer-Encoding: chunked", 400),
        ("X-Bare: a\rTransfer-Encoding: chunked", 400),
        ("X-Zero: a\0\r\nTransfer-Encoding: chunked", 400),
    ] {
        let Case { host, .. } = &case;
        let head = format!("POST / HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n\r\n");
        let (statuses, read) = case.try_out(&format!("{head}0\r\n\r\n{}", case.behind()), false).await;
        assert_eq!(statuses, [status.to_string()], "{fields}");
        assert_eq!(requests(&read), usize::from(status == 200), "{fields}: {read}");
    }
    let head = format!("POST / HTTP/1.0\r\nHost: {}\r\nTransfer-Encoding: chunked\r\n\r\n", case.host);
    let (statuses, read) = case.try_out(&format!("{head}0\r\n\r\n{}", case.behind()), false).await;
    assert_eq!((statuses, read.as_str()), (vec!["400".to_owned()], ""));
}

#[tokio::test]
async fn a_body_that_is_broken_ends_its_connection() {
    let case = Case::start().await;
    let long = "a".repeat(1 << 20);
    let behind = case.behind();
    for body in [
        "1\r\naXX0\r\n\r\n",
        "-1\r\n\r\n0\r\n\r\n",
        "+1\r\na\r\n0\r\n\r\n",
        "0x1\r\na\r\n0\r\n\r\n",
        "10000000000000001\r\na\r\n0\r\n\r\n",
        &format!("1;a\n{behind}\r\na\r\n0\r\n\r\n"),
        "1\na\n0\n\n",
        &format!("1;{long}\r\na\r\n0\r\n\r\n"),
        &format!("0\r\nX: {long}\r\n\r\n"),
        // Nothing comes behind these.
        "5\r\nhello\r\n",
        "5\r\nhel",
    ] {
        let head = format!("POST / HTTP/1.1\r\nHost: {}\r\nTransfer-Encoding: chunked\r\n\r\n", case.host);
        let rest = if body.starts_with("5\r\n") { "" } else { behind.as_str() };
        let (statuses, read) = case.try_out(&format!("{head}{body}{rest}"), true).await;
        // It is found after the head is on its way; the target, which has answered by then, never sees a whole one.
        assert!(statuses.len() <= 1 && requests(&read) <= 1, "{body:.99}: {statuses:?} {read}");
        assert!(!read.ends_with("0\r\n\r\n"), "{body:.99}: {read}");
    }
}

#[tokio::test]
async fn what_is_no_request_is_refused() {
    let case = Case::start().await;
    let long = "a".repeat(1 << 20);
    let many = "X: a\r\n".repeat(1_000);
    for (bytes, status) in [
        ("\0\u{1}\u{2}\r\n\r\n", "400"),
        ("\u{16}\u{3}\u{1}no handshake", ""),
        ("GET /\r\n\r\n", "400"),
        ("GET / HTTP/3.0\r\nHost: HOST\r\n\r\nBEHIND", "400"),
        ("GET  / HTTP/1.1\r\nHost: HOST\r\n\r\nBEHIND", "400"),
        ("GET /a b HTTP/1.1\r\nHost: HOST\r\n\r\nBEHIND", "400"),
        (" / HTTP/1.1\r\nHost: HOST\r\n\r\nBEHIND", "400"),
        ("CONNECT HOST:80 HTTP/1.1\r\nHost: HOST\r\n\r\nBEHIND", "400"),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\rBEHIND", "400"),
        ("GET / HTTP/1.1\r\nConnection: close\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nHost: HOST\r\nHost: other\r\n\r\nBEHIND", "400"),
        ("GET / HTTP/1.1\r\nHost: HOST\r\nHost: HOST\r\n\r\nBEHIND", "400"),
        ("GET / HTTP/1.1\r\nHost: HOST\r\nX-Long: LONG\r\n\r\n", "431"),
        ("GET / HTTP/1.1\r\nHost: HOST\r\nLONG: x\r\n\r\n", "431"),
        ("GET /LONG HTTP/1.1\r\nHost: HOST\r\n\r\n", "431"),
        ("LONG / HTTP/1.1\r\nHost: HOST\r\n\r\n", "431"),
        ("GET / HTTP/1.1\r\nHost: HOST\r\nMANY\r\n", "431"),
        ("GET / HT", ""),
        ("GET / HTTP/1.1\r\nHost: HOST\r\nX-Half", ""),
        ("", ""),
    ] {
        let mut whole = bytes.to_owned();
        for (name, text) in
            [("HOST", &case.host), ("BEHIND", &case.behind()), ("LONG", &long), ("MANY", &many)]
        {
            whole = whole.replace(name, text);
        }
        let (statuses, read) = case.try_out(&whole, status.is_empty()).await;
        assert_eq!((statuses.concat().as_str(), read.as_str()), (status, ""), "{bytes}");
    }
}

#[tokio::test]
async fn what_can_be_understood_in_one_way_only_is_passed_on_in_it() {
    let case = Case::start().await;
    let Case { host, .. } = &case;
    let two = format!(
        "GET / HTTP/1.1\r\nHost: {host}\r\n\r\nGET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    );
    let (statuses, read) = case.try_out(&two, false).await;
    assert_eq!((statuses.concat().as_str(), requests(&read)), ("200200", 2));
    // Lines may end without a carriage return. Source: RFC 9112, section 2.2.
    let feeds = format!("GET / HTTP/1.1\nHost: {host}\nConnection: close\n\n");
    let (statuses, read) = case.try_out(&feeds, false).await;
    assert_eq!((statuses.concat().as_str(), requests(&read)), ("200", 1));
    assert_eq!(read.matches('\n').count(), read.matches("\r\n").count());
    // A target is told the host that was decided by.
    let absolute = format!("GET http://{host}/ HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n");
    let (statuses, read) = case.try_out(&absolute, false).await;
    assert_eq!(statuses.concat(), "200");
    assert!(read.contains(&format!("host: {host}\r\n")) && !read.contains("other"), "{read}");
}

#[tokio::test]
async fn nothing_is_smuggled_in_a_request_of_http2() {
    let Case { plane, host, target: a } = Case::start().await;
    let whole = |path: &str, more: &[(&str, &str)]| {
        frame(HEADERS, END_HEADERS | END_STREAM, 1, &frames::request("GET", &host, path, more))
    };
    let open =
        |more: &[(&str, &str)]| frame(HEADERS, END_HEADERS, 1, &frames::request("POST", &host, "/", more));
    let data = frame(DATA, END_STREAM, 1, b"GET /smuggled HTTP/1.1\r\n\r\n");
    let lines = "a\r\nGET /smuggled HTTP/1.1";
    let cases: &[(&str, Vec<u8>)] = &[
        ("a length and no body", whole("/", &[("content-length", "5")])),
        ("a body longer than its length", [open(&[("content-length", "5")]), data.clone()].concat()),
        ("a body shorter than its length", [open(&[("content-length", "99")]), data.clone()].concat()),
        ("two lengths", [open(&[("content-length", "26"), ("content-length", "0")]), data.clone()].concat()),
        ("chunks", [open(&[("transfer-encoding", "chunked")]), data.clone()].concat()),
        ("a header of a connection", whole("/", &[("connection", "close")])),
        ("lines in a value", whole("/", &[("x-lines", lines)])),
        ("lines in a name", whole("/", &[(lines, "x")])),
        ("lines in a path", whole("/ HTTP/1.1\r\nX: smuggled", &[])),
        ("a path of no kind", whole("smuggled", &[])),
        ("a name in capitals", whole("/", &[("X-Name", "a")])),
        ("a second path", whole("/", &[(":path", "/smuggled")])),
        (
            "a path after a header",
            frame(
                HEADERS,
                END_HEADERS | END_STREAM,
                1,
                &frames::block(&[("x", "a"), (":path", "/smuggled")]),
            ),
        ),
        (
            "no method",
            frame(
                HEADERS,
                END_HEADERS | END_STREAM,
                1,
                &frames::block(&[(":path", "/smuggled"), (":scheme", "http")]),
            ),
        ),
        ("two hosts", whole("/", &[("host", "a"), ("host", "b")])),
        ("many fields", whole("/", &vec![("x", "a"); 3_000])),
        ("data before a head", data.clone()),
        ("a frame in a head", [frame(HEADERS, END_STREAM, 1, &[]), frame(SETTINGS, 0, 0, &[])].concat()),
        ("a frame longer than allowed", frame(HEADERS, END_HEADERS, 1, &vec![0; 20_000])),
        ("a head of no HPACK", frame(HEADERS, END_HEADERS | END_STREAM, 1, &[0xff; 100])),
        ("no frame at all", b"GET /smuggled HTTP/1.1\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n".to_vec()),
    ];
    for (name, bytes) in cases {
        let mut stream = plane.connect().await;
        frames::begin(&mut stream).await;
        stream.write_all(bytes).await.unwrap();
        let refused = next_of(&mut stream, &[RST_STREAM, GOAWAY, HEADERS]);
        let refused =
            timeout(Duration::from_secs(5), refused).await.unwrap_or_else(|_| panic!("{name}: no answer"));
        // A reset, an end, or one of the statuses 400 and 431, which are literals in the answer.
        let payload = refused.as_ref().map(|frame| String::from_utf8_lossy(&frame.payload).into_owned());
        let answered = refused.is_some_and(|frame| frame.kind == HEADERS);
        let read = read(&plane, &host, &a).await;
        assert!(!answered || read.is_empty(), "{name}: {payload:?} {read}");
        // The head of a request whose body breaks may be on its way.
        let ended = read.ends_with("0\r\n\r\n");
        assert!(!ended && (!read.contains("smuggled") || name.starts_with("a body")), "{name}: {read}");
    }
    assert_eq!(plane.get(&host, "/", &[]).await.0, 200);
}

#[tokio::test]
async fn a_request_of_http2_that_is_given_up_never_looks_whole_to_its_target() {
    let plane = Plane::start(&[]).await;
    let (.., other) = plane.service("other", fixed(404)).await;
    let group = plane.group("group", &[]).await;
    let (.., host) = plane.service("web", weighted(&[(&group, 1)])).await;
    let head = frame(HEADERS, END_HEADERS, 1, &frames::request("POST", &host, "/", &[]));
    // NO_ERROR, INTERNAL_ERROR, CANCEL; and the end of the connection.
    for code in [Some(0), Some(2), Some(8), None] {
        let silent = Script::start(b"never", vec![], End::Stay).await;
        plane.register(&group, &[silent.address]).await;
        let mut stream = plane.connect().await;
        frames::begin(&mut stream).await;
        stream.write_all(&[head.as_slice(), &frame(DATA, 0, 1, b"hello")].concat()).await.unwrap();
        let mut read = String::new();
        for attempt in 0.. {
            read += &silent.take_but("nothing");
            if read.contains("hello") {
                break;
            }
            assert!(attempt < 500, "{code:?}: the target has read {read}");
            sleep(Duration::from_millis(10)).await;
        }
        if let Some(code) = code {
            stream.write_all(&frame(RST_STREAM, 0, 1, &[0, 0, 0, code])).await.unwrap();
        } else {
            drop(stream);
        }
        // The target hears of it by the end of its connection.
        for attempt in 0.. {
            if silent.ended() == 1 {
                break;
            }
            assert!(attempt < 500, "{code:?}: the target still waits");
            sleep(Duration::from_millis(10)).await;
        }
        read += &silent.take_but("nothing");
        assert!(!read.contains("\r\n0\r\n"), "{code:?}: {read}");
        assert_eq!(plane.get(&other, "/", &[]).await.0, 404);
        plane.deregister(&group, &[silent.address]).await;
    }
}

/// Whether the other side has ended a connection by now, and what it has answered.
async fn ended(plane: &Plane, stream: &TcpStream) -> (bool, String) {
    // An answer says that the plane has seen what came before.
    assert_eq!(plane.get("nobody.example.com", "/", &[]).await.0, 404);
    let mut answer = vec![0; 16 << 10];
    match stream.try_read(&mut answer) {
        Ok(length) => (length == 0, String::from_utf8_lossy(&answer[..length]).into_owned()),
        Err(error) => (error.kind() != ErrorKind::WouldBlock, String::new()),
    }
}

#[tokio::test]
async fn a_head_has_to_come_within_ten_seconds_of_its_first_byte() {
    let plane = Plane::start(&[]).await;
    let (.., host) = plane.service("web", fixed(404)).await;
    let head = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n").into_bytes();
    let long = frames::request("GET", &host, "/", &[("x-long", &"a".repeat(100))]);
    let begun = [PREFACE, &frame(SETTINGS, 0, 0, &[]), &frame(HEADERS, END_STREAM, 1, &long[..100])].concat();
    // What comes first and at once, what drips after it, and whether that has begun with what came first.
    for (name, first, slow, begun) in [
        ("HTTP/1.1", vec![], head.clone(), false),
        ("a second request of HTTP/1.1", head.clone(), head, false),
        ("the preface", vec![], PREFACE.to_vec(), false),
        ("a frame", PREFACE.to_vec(), frame(SETTINGS, 0, 0, &[0; 60]), false),
        ("a head of HTTP/2", begun.clone(), frame(CONTINUATION, END_HEADERS, 1, &long[100..]), true),
        ("a handshake", vec![], [&[22, 3, 1, 0, 200, 1], [0; 60].as_slice()].concat(), false),
    ] {
        let mut stream = plane.connect().await;
        stream.write_all(&first).await.unwrap();
        assert!(!ended(&plane, &stream).await.0, "{name}");
        if !begun {
            // Waiting for the first byte is no matter.
            pass(50).await;
            assert!(!ended(&plane, &stream).await.0, "{name}: nobody has begun");
        }
        for (second, byte) in slow[..4].iter().enumerate() {
            stream.write_all(&[*byte]).await.unwrap();
            let (ended, answer) = ended(&plane, &stream).await;
            assert!(!ended, "{name}: it ends after {second} s: {answer}");
            pass(1).await;
        }
        let _ended = stream.write_all(&slow[4..5]).await;
        // That is as much less than ten as a busy machine may take for it, and this is more.
        pass(10).await;
        assert!(ends(&mut stream).await, "{name}: it goes on after 14 s");
    }
}

/// Whether the other side ends a connection soon.
async fn ends(stream: &mut TcpStream) -> bool {
    timeout(Duration::from_secs(10), stream.read_to_end(&mut Vec::new())).await.is_ok()
}

#[tokio::test]
async fn a_body_may_be_slow_as_long_as_its_connection_lives() {
    let plane = Plane::start(&[]).await;
    let a = Backend::start("a").await;
    let group = plane.group("group", &[a.address]).await;
    let (.., host) = plane.service("web", weighted(&[(&group, 1)])).await;
    for (length, lives) in [(10, true), (20, false)] {
        let mut stream = plane.connect().await;
        let head = format!("POST /echo HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        // A life is 600 s.
        for byte in 1..length.min(12) {
            stream.write_all(b"x").await.unwrap();
            let (ended, answer) = ended(&plane, &stream).await;
            assert!(!ended, "it ends after {} s: {answer}", (byte - 1) * 50);
            pass(50).await;
        }
        if lives {
            stream.write_all(b"x").await.unwrap();
            let mut answer = [0; 12];
            timeout(Duration::from_secs(10), stream.read_exact(&mut answer)).await.unwrap().unwrap();
            assert_eq!(&answer, b"HTTP/1.1 200");
        } else {
            // First it may end what it is at, and then it has to.
            for _ in 0..2 {
                let _ended = stream.write_all(b"x").await;
                // It is seen before time passes.
                assert_eq!(plane.get(&host, "/", &[]).await.0, 200);
                pass(50).await;
            }
            assert!(ends(&mut stream).await, "it goes on after 650 s");
        }
    }
}
