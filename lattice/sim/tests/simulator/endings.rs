//! Targets that answer in part, wrongly or not at all.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use futures::future::join_all;
use http::{Request, Version};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::backend::{Backend, Plane, weighted};
use crate::frames::{DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, RST_STREAM, SETTINGS, block, frame};
use crate::script::{End, Script};

/// How a request of HTTP/2 without a body begins that is the first of its connection, after the length.
const REQUEST: &[u8] = &[HEADERS, END_STREAM | END_HEADERS, 0, 0, 0, 1];

/// What a client makes of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Seen {
    Whole(u16, String),
    /// An error, after the head or before it: what is not sent by then is lost.
    Broken,
    /// No end within 10 s.
    Late,
}

fn whole(body: &str) -> Seen {
    Seen::Whole(200, body.to_owned())
}

fn no_answer(sentence: &str) -> Seen {
    Seen::Whole(503, format!("The target{sentence}\n"))
}

/// Asks once, over a connection of its own.
async fn ask(plane: &Plane, host: &str, version: Version) -> Seen {
    let stream = TokioIo::new(plane.connect().await);
    let request = Request::get(format!("http://{host}/")).header("host", host);
    let request = request.body(Full::<Bytes>::default()).unwrap();
    let answering = async {
        let response = if version == Version::HTTP_2 {
            let (mut sender, connection) =
                hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
            tokio::spawn(connection);
            sender.send_request(request).await
        } else {
            let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
            tokio::spawn(connection);
            sender.send_request(request).await
        };
        let Ok(response) = response else { return Seen::Broken };
        let status = response.status().as_u16();
        match response.into_body().collect().await {
            Ok(body) => Seen::Whole(status, String::from_utf8(body.to_bytes().to_vec()).unwrap()),
            Err(_broken) => Seen::Broken,
        }
    };
    timeout(Duration::from_secs(10), answering).await.unwrap_or(Seen::Late)
}

/// Checks what clients of both versions see of a target, that each request makes a connection to it, and that another
/// service has its target meanwhile and afterwards.
async fn check(plane: &Plane, name: &str, script: &Script, host: &str, other: &str, expected: &Seen) {
    let before = script.connections();
    for (asked, version) in [(1, Version::HTTP_11), (2, Version::HTTP_2), (3, Version::HTTP_11)] {
        let (seen, beside) = tokio::join!(
            ask(plane, host, version),
            timeout(Duration::from_secs(5), plane.get(other, "/", &[]))
        );
        assert_eq!(seen, *expected, "{name}, {version:?}");
        assert_eq!(beside.unwrap().2, "a", "{name}: beside it");
        assert_eq!(script.connections() - before, asked, "{name}: each time a connection");
    }
}

#[tokio::test]
async fn a_target_that_breaks_off_is_never_a_short_answer() {
    let plane = Plane::start(&[]).await;
    let good = Backend::start("a").await;
    let group = plane.group("good", &[good.address]).await;
    let (.., other) = plane.service("good", weighted(&[(&group, 1)])).await;
    let ok = "HTTP/1.1 200 OK\r\n";
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let long = format!("{ok}X-Long: {}\r\n\r\n", "a".repeat(2 << 20));
    let many = format!("{ok}{}\r\n", "X-Many: a\r\n".repeat(1_000));
    let (silent, unclear) = (no_answer(" gave no answer."), no_answer("'s answer is not understood."));
    let broken = Seen::Broken;
    let cases: &[(&str, String, End, &Seen)] = &[
        ("a length, closed", format!("{ok}Content-Length: 10\r\n\r\nhello"), End::Close, &broken),
        ("a length, reset", format!("{ok}Content-Length: 10\r\n\r\nhello"), End::Reset, &broken),
        ("a chunk, closed", format!("{chunked}5\r\nhello\r\n"), End::Close, &broken),
        ("a chunk, reset", format!("{chunked}5\r\nhello\r\n"), End::Reset, &broken),
        ("half a chunk, closed", format!("{chunked}5\r\nhel"), End::Close, &broken),
        ("half a chunk, reset", format!("{chunked}5\r\nhel"), End::Reset, &broken),
        ("the last chunk, no end", format!("{chunked}5\r\nhello\r\n0\r\n"), End::Close, &broken),
        ("a chunk of no length", format!("{chunked}zz\r\nhello\r\n0\r\n\r\n"), End::Stay, &broken),
        ("no length, reset", format!("{ok}\r\nhello"), End::Reset, &broken),
        ("no length, closed", format!("{ok}\r\nhello"), End::Close, &whole("hello")),
        ("HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nhello".to_owned(), End::Close, &whole("hello")),
        ("nothing, closed", String::new(), End::Close, &silent),
        ("nothing, reset", String::new(), End::Reset, &silent),
        ("half a head, closed", format!("{ok}X-Half"), End::Close, &silent),
        ("half a head, reset", format!("{ok}X-Half"), End::Reset, &silent),
        ("no HTTP", "SSH-2.0-OpenSSH_9.6\r\n\r\n".to_owned(), End::Stay, &silent),
        ("a long head", long, End::Stay, &silent),
        ("a head of many fields", many, End::Stay, &silent),
        (
            "two lengths",
            format!("{ok}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"),
            End::Stay,
            &silent,
        ),
        ("a status of no kind", "HTTP/1.1 42 What\r\n\r\n".to_owned(), End::Stay, &silent),
        (
            "100 first",
            format!("HTTP/1.1 100 Continue\r\n\r\n{ok}Connection: close\r\nContent-Length: 5\r\n\r\nhello"),
            End::Stay,
            &whole("hello"),
        ),
        (
            "103 first",
            format!(
                "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n{ok}Connection: close\r\nContent-Length: 5\r\n\r\nhello"
            ),
            End::Stay,
            &whole("hello"),
        ),
        ("100 alone", "HTTP/1.1 100 Continue\r\n\r\n".to_owned(), End::Close, &silent),
        (
            "101",
            "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nhello".to_owned(),
            End::Stay,
            &unclear,
        ),
        (
            "a coding that nobody asked for",
            format!(
                "{ok}Connection: close\r\nTransfer-Encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
            ),
            End::Stay,
            &unclear,
        ),
        (
            "a length beside chunks",
            format!(
                "{ok}Connection: close\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
            ),
            End::Stay,
            &whole("hello"),
        ),
        (
            "more than its length",
            format!("{ok}Content-Length: 5\r\n\r\nhello{ok}Content-Length: 6\r\n\r\nforged"),
            End::Stay,
            &whole("hello"),
        ),
    ];
    let group = plane.group("bad", &[]).await;
    let (.., host) = plane.service("bad", weighted(&[(&group, 1)])).await;
    for (name, answer, end, expected) in cases {
        let script = Script::http1(answer.as_str(), *end).await;
        plane.register(&group, &[script.address]).await;
        check(&plane, name, &script, &host, &other, expected).await;
        plane.deregister(&group, &[script.address]).await;
    }
}

#[tokio::test]
async fn a_target_of_http2_that_breaks_off_is_never_a_short_answer() {
    let plane = Plane::start(&[]).await;
    let good = Backend::start("a").await;
    let group = plane.group("good", &[good.address]).await;
    let (.., other) = plane.service("good", weighted(&[(&group, 1)])).await;
    let settings = frame(SETTINGS, 0, 0, &[]);
    let head = frame(HEADERS, END_HEADERS, 1, &block(&[(":status", "200")]));
    let long = frame(HEADERS, END_HEADERS, 1, &block(&[(":status", "200"), ("content-length", "10")]));
    let data = frame(DATA, 0, 1, b"hello");
    let [error, cancel, nothing] = [2, 8, 0].map(|code| frame(RST_STREAM, 0, 1, &[0, 0, 0, code]));
    // The last stream that it has seen, and INTERNAL_ERROR.
    let away = frame(GOAWAY, 0, 0, &[0, 0, 0, 0, 0, 0, 0, 2]);
    let (silent, broken) = (no_answer(" gave no answer."), Seen::Broken);
    let cases: &[(&str, Vec<&[u8]>, End, &Seen)] = &[
        ("closed", vec![&settings, &head, &data], End::Close, &broken),
        ("reset", vec![&settings, &head, &data], End::Reset, &broken),
        ("half a frame", vec![&settings, &head, &data[..11]], End::Close, &broken),
        ("INTERNAL_ERROR", vec![&settings, &head, &data, &error], End::Close, &broken),
        ("CANCEL", vec![&settings, &head, &data, &cancel], End::Close, &broken),
        ("NO_ERROR before the length", vec![&settings, &long, &data, &nothing], End::Close, &broken),
        ("GOAWAY", vec![&settings, &head, &data, &away], End::Close, &broken),
        ("closed before", vec![&settings], End::Close, &silent),
        ("reset before", vec![&settings], End::Reset, &silent),
        ("INTERNAL_ERROR before", vec![&settings, &error], End::Close, &silent),
        ("HTTP/1.1", vec![b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"], End::Stay, &silent),
    ];
    let group = plane.http2_group("bad", &[]).await;
    let (.., host) = plane.service("bad", weighted(&[(&group, 1)])).await;
    for (name, frames, end, expected) in cases {
        let script = Script::start(REQUEST, frames.concat(), *end).await;
        plane.register(&group, &[script.address]).await;
        check(&plane, name, &script, &host, &other, expected).await;
        plane.deregister(&group, &[script.address]).await;
    }
}

#[tokio::test]
async fn first_requests_to_a_target_of_http2_share_one_connection() {
    let plane = Plane::start(&[]).await;
    let a = Backend::start("a").await;
    let group = plane.http2_group("group", &[a.address]).await;
    let (.., host) = plane.service("web", weighted(&[(&group, 1)])).await;
    let all = join_all((0..50).map(|_| ask(&plane, &host, Version::HTTP_11))).await;
    assert!(all.iter().all(|seen| *seen == whole("a")), "{all:?}");
    assert_eq!(a.accepted.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn first_requests_to_a_target_of_http2_that_is_away_share_its_failure() {
    let plane = Plane::start(&[]).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let group = plane.http2_group("group", &[address]).await;
    let (.., host) = plane.service("web", weighted(&[(&group, 1)])).await;
    let all = join_all((0..50).map(|_| ask(&plane, &host, Version::HTTP_11))).await;
    assert!(all.iter().all(|seen| *seen == no_answer(" gave no answer.")), "{all:?}");
    // It comes back, and so do requests.
    let _back = Backend::start_at("back", address).await;
    assert_eq!(ask(&plane, &host, Version::HTTP_11).await, whole("back"));
}
