//! What a gateway between two versions of HTTP sees to, so that a target gets what its client sent.

use std::time::Duration;

use aws_sdk_vpclattice::types::HealthCheckConfig;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Frame;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::backend::{Backend, Plane, pass, weighted};

/// A plane with a service whose requests go to a target of HTTP/1.1, and the service's name.
async fn to_backend() -> (Plane, String) {
    let plane = Plane::start(&[]).await;
    let backend = Backend::start("a").await;
    let group = plane.group("group", &[backend.address]).await;
    let (.., host) = plane.service("web", weighted(&[(&group, 1)])).await;
    (plane, host)
}

/// Sends a request of HTTP/2: status and body.
async fn by_http2<B>(plane: &Plane, request: Request<B>) -> (u16, String)
where
    B: hyper::body::Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let stream = TokioIo::new(plane.connect().await);
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    let response = sender.send_request(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn bodies_of_unknown_length_arrive_whatever_the_method() {
    let (plane, host) = to_backend().await;
    for method in ["GET", "DELETE", "OPTIONS", "POST"] {
        let request = format!(
            "{method} /echo HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n\
             5\r\nhello\r\n0\r\n\r\n"
        );
        let answer = plane.raw(request.as_bytes()).await;
        assert!(answer.contains("b\"hello\""), "{method}: {answer}");
        let (parts, frames) = mpsc::channel::<Result<Frame<Bytes>, std::io::Error>>(2);
        parts.send(Ok(Frame::data(Bytes::from("hello")))).await.unwrap();
        drop(parts);
        let frames = futures::stream::unfold(frames, async |mut frames| Some((frames.recv().await?, frames)));
        let body = StreamBody::new(Box::pin(frames));
        let request =
            Request::builder().method(method).uri(format!("http://{host}/echo")).body(body).unwrap();
        let (status, text) = by_http2(&plane, request).await;
        assert_eq!((status, text.starts_with("b\"hello\"")), (200, true), "{method} by HTTP/2: {text}");
    }
    // What has no body says so where one is expected.
    for (method, told) in [("POST", true), ("PUT", true), ("GET", false)] {
        let request = Request::builder().method(method).uri(format!("http://{host}/headers"));
        let (_, headers) = by_http2(&plane, request.body(Full::<Bytes>::default()).unwrap()).await;
        assert_eq!(headers.contains("\"content-length\": \"0\""), told, "{method}: {headers}");
    }
}

#[tokio::test]
async fn cookies_that_http2_sends_one_by_one_become_one() {
    let (plane, host) = to_backend().await;
    let request =
        Request::get(format!("http://{host}/headers")).header("cookie", "a=1").header("cookie", "b=2");
    let (_, headers) = by_http2(&plane, request.body(Full::<Bytes>::default()).unwrap()).await;
    assert!(headers.contains("\"cookie\": \"a=1; b=2\""), "{headers}");
}

#[tokio::test]
async fn targets_of_requests_have_a_path_and_upgrades_of_http_1_0_are_ignored() {
    let (plane, host) = to_backend().await;
    for (request, status) in [
        (format!("GET {host}:8080 HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"), "HTTP/1.1 400"),
        (format!("GET http://{host}/ HTTP/1.1\r\nConnection: close\r\n\r\n"), "HTTP/1.1 400"),
        (format!("OPTIONS * HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"), "HTTP/1.1 200"),
        (format!("GET / HTTP/1.0\r\nHost: {host}\r\nUpgrade: websocket\r\n\r\n"), "HTTP/1.0 200"),
        (
            format!(
                "GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close, upgrade\r\nUpgrade: websocket\r\n\r\n"
            ),
            "HTTP/1.1 400",
        ),
    ] {
        let answer = plane.raw(request.as_bytes()).await;
        assert!(answer.starts_with(status), "{request}{answer}");
    }
}

#[tokio::test]
async fn connections_to_targets_end_when_nobody_uses_them() {
    let plane = Plane::start(&[]).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let group = plane.group("group", &[listener.local_addr().unwrap()]).await;
    let (.., host) = plane.service("web", weighted(&[(&group, 1)])).await;
    let target = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = [0; 2_048];
        assert!(stream.read(&mut head).await.unwrap() > 0);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        stream.read(&mut head).await.unwrap()
    });
    assert_eq!(plane.get(&host, "/", &[]).await.0, 200);
    // The task that keeps the connection has to have begun to wait.
    sleep(Duration::from_millis(200)).await;
    pass(5).await;
    assert_eq!(timeout(Duration::from_secs(10), target).await.unwrap().unwrap(), 0);
}

#[tokio::test]
async fn a_connection_of_http2_to_a_target_ends_when_nobody_uses_it() {
    let plane = Plane::start(&[]).await;
    let backend = Backend::start("a").await;
    let group = plane.http2_group("group", &[backend.address]).await;
    let (.., host) = plane.service("web", weighted(&[(&group, 1)])).await;
    let accepted = || backend.accepted.load(std::sync::atomic::Ordering::Relaxed);
    for _ in 0..2 {
        assert_eq!(plane.get(&host, "/", &[]).await.0, 200);
    }
    assert_eq!(accepted(), 1);
    sleep(Duration::from_millis(200)).await;
    pass(5).await;
    sleep(Duration::from_millis(200)).await;
    assert_eq!(plane.get(&host, "/", &[]).await.0, 200);
    assert_eq!(accepted(), 2, "the first one was let go");
}

#[tokio::test]
async fn a_check_from_before_a_reset_is_none_of_a_target_after_it() {
    let plane = Plane::start(&[]).await;
    let slow = Backend::start("a").await;
    let away = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let health = || HealthCheckConfig::builder().enabled(true).path("/slow").build();
    let group = plane.checked_group("group", &[slow.address], health()).await;
    plane.service("web", weighted(&[(&group, 1)])).await;
    while slow.accepted.load(std::sync::atomic::Ordering::Relaxed) == 0 {
        sleep(Duration::from_millis(10)).await;
    }
    plane.sim.simulator.reset();
    assert_eq!(plane.checked_group("group", &[away], health()).await, group, "ids begin anew");
    plane.service("web", weighted(&[(&group, 1)])).await;
    sleep(Duration::from_millis(1_500)).await;
    let targets = plane.sim.send("POST", &format!("/targetgroups/{group}/listtargets"), &Value::Null).await;
    assert_ne!(targets.body["items"][0]["status"], "HEALTHY", "{targets:?}");
}
