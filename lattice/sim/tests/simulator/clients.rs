//! Programs that people use against the data plane: curl and openssl. And gRPC, whose clients speak HTTP/2 alone.

use std::convert::Infallible;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_vpclattice::types::{
    ListenerProtocol, RuleAction, TargetGroupProtocol, TargetGroupProtocolVersion,
};
use bytes::Bytes;
use futures::stream::{self, StreamExt as _};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, BodyStream, Empty, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::client::conn::http2::SendRequest;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;

use crate::backend::{Backend, Plane, weighted};

/// What a program has ended with.
#[derive(Debug)]
struct Ended {
    code: i32,
    out: String,
    err: String,
}

/// Runs a program with this input; nothing if it is missing.
async fn run(program: &str, arguments: &[&str], input: &str) -> Option<Ended> {
    let child = Command::new(program)
        .args(arguments)
        // What the environment says of proxies and certificates is not for these tests.
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let mut child = match child {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{program} is missing");
            eprintln!("skipped: {program} is missing");
            return None;
        }
        child => child.unwrap(),
    };
    let mut stdin = child.stdin.take().unwrap();
    // It may end before it has read everything.
    let _broken = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    let output = timeout(Duration::from_secs(30), child.wait_with_output()).await;
    let output = output.unwrap_or_else(|_late| panic!("{program} {arguments:?} does not end")).unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some(Ended {
        code: output.status.code().unwrap_or(-1),
        out: text(&output.stdout),
        err: text(&output.stderr),
    })
}

/// Ports of listeners besides the one for HTTP.
const HTTPS: u16 = 8443;
const PASSTHROUGH: u16 = 9443;

/// Adds a listener to a service.
async fn listen(plane: &Plane, service: &str, protocol: ListenerProtocol, port: u16, action: RuleAction) {
    let call = plane.sim.client.create_listener().service_identifier(service).name(format!("port-{port}"));
    call.protocol(protocol).port(port.into()).default_action(action).send().await.unwrap();
    plane.wait_until_open(port).await;
}

/// A file with the authority's certificate, for programs, which is there as long as this.
struct Authority(String);

impl Authority {
    async fn of(plane: &Plane, test: &str) -> Self {
        let request = Request::get("/_sim/ca.pem").body(Bytes::new()).unwrap();
        let pem = plane.sim.simulator.handle(request).await.into_body();
        let file = format!("{}/{test}-{}.pem", env!("CARGO_TARGET_TMPDIR"), std::process::id());
        std::fs::write(&file, pem).unwrap();
        Self(file)
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

#[tokio::test]
async fn curl_is_answered_in_every_way_in_which_it_asks() {
    let plane = Plane::start(&[]).await;
    let a = Backend::start("a").await;
    let group = plane.group("group", &[a.address]).await;
    let shared = plane.http2_group("shared", &[a.address]).await;
    let both = weighted(&[(&group, 1), (&shared, 1)]);
    let (service, _, host) = plane.service("web", both.clone()).await;
    listen(&plane, &service, ListenerProtocol::Https, HTTPS, both).await;
    let authority = Authority::of(&plane, "curl").await;
    let upload = "x".repeat(3 << 20);
    let to = format!("::{}:", plane.address);
    let common = [
        "--silent",
        "--show-error",
        "--max-time",
        "20",
        "--connect-to",
        &to,
        "--write-out",
        " %{http_code} %{http_version} %{size_download}",
    ];
    let curl = async |more: &[&str], url: &str| {
        // It reads its input only where it is told to send that.
        let input = if more.contains(&"@-") { upload.as_str() } else { "" };
        run("curl", &[&common, more, &[url]].concat(), input).await
    };
    let trusted = ["--cacert", authority.0.as_str()];
    let (http, https) = (format!("http://{host}:{}", plane.port), format!("https://{host}:{HTTPS}"));
    for (way, version, base) in [
        (&["--http1.1"][..], "1.1", &http),
        (&["--http2-prior-knowledge"], "2", &http),
        // It asks to change to HTTP/2, which is let be.
        (&["--http2"], "1.1", &http),
        (&["--http1.1"], "1.1", &https),
        (&["--http2"], "2", &https),
        (&["--tlsv1.3"], "2", &https),
        (&["--tls-max", "1.2"], "2", &https),
    ] {
        for (path, more, expected) in [
            ("/", &[][..], format!("a 200 {version} 1")),
            ("/", &["--head"], format!(" 200 {version} 0")),
            ("/length", &["--data-binary", "@-"], format!("3145728 200 {version} 7")),
            ("/large", &["--output", "/dev/null"], format!(" 200 {version} 4194304")),
        ] {
            // Once to a target of each version.
            for _ in 0..2 {
                let more = [way, &trusted, more].concat();
                let Some(ended) = curl(&more, &format!("{base}{path}")).await else { return };
                assert!(ended.code == 0 && ended.out.ends_with(&expected), "{more:?} {path}: {ended:?}");
            }
        }
    }
    let chunks =
        [&trusted[..], &["--http1.1", "--header", "Transfer-Encoding: chunked", "--data-binary", "hello"]];
    let ended = curl(&chunks.concat(), &format!("{https}/length")).await.unwrap();
    assert_eq!(ended.out, "5 200 1.1 1");
    let ended = curl(&["--http1.0"], &http).await.unwrap();
    assert!(ended.out.starts_with("a 200 1"), "{ended:?}");
    for (way, status) in [("--http1.1", "404 1.1"), ("--http2-prior-knowledge", "404 2")] {
        // An answer of the plane itself.
        let ended =
            curl(&[way, "--head"], &format!("http://nobody.example.com:{}/", plane.port)).await.unwrap();
        assert!(ended.code == 0 && ended.out.contains(status), "{way}: {ended:?}");
        assert!(ended.out.contains("content-length: 44\r\n"), "{way}: {ended:?}");
    }
    // Exit codes of curl: 35 the handshake failed, 60 the certificate is not trusted.
    for (more, url, code) in [
        (&trusted[..], format!("https://nobody.example.com:{HTTPS}/"), 35),
        (&[], format!("{https}/"), 60),
        (&trusted, format!("https://{host}:{}/", plane.port), 35),
    ] {
        let ended = curl(more, &url).await.unwrap();
        assert_eq!(ended.code, code, "{url}: {ended:?}");
    }
}

/// A target that speaks TLS with a certificate of its own, and answers what it reads with `passed through`.
async fn tls_target(name: &str) -> SocketAddr {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let _broken = stream.read(&mut [0; 512]).await;
            let _broken = stream.write_all(b"passed through\n").await;
            let _broken = stream.shutdown().await;
        }
    });
    address
}

#[tokio::test]
async fn openssl_is_shown_the_certificate_of_the_name_that_it_asks_for() {
    let plane = Plane::start(&[]).await;
    let a = Backend::start("a").await;
    let group = plane.group("group", &[a.address]).await;
    let client = &plane.sim.client;
    let named = client.create_service().name("web").custom_domain_name("pass.example.com");
    let named = named.send().await.unwrap();
    let (service, host) = (named.id().unwrap(), named.dns_entry().unwrap().domain_name().unwrap());
    listen(&plane, service, ListenerProtocol::Https, HTTPS, weighted(&[(&group, 1)])).await;
    let target = tls_target("the.target.itself").await;
    let tcp = plane.group_of("tcp", TargetGroupProtocol::Tcp, None, &[target]).await;
    listen(&plane, service, ListenerProtocol::TlsPassthrough, PASSTHROUGH, weighted(&[(&tcp, 1)])).await;
    let authority = Authority::of(&plane, "openssl").await;
    let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    let [at_https, at_passthrough] = [HTTPS, PASSTHROUGH].map(|port| format!("{}:{port}", plane.address));
    let common = ["s_client", "-CAfile", &authority.0, "-verify_return_error", "-ign_eof", "-connect"];
    let openssl =
        async |at: &str, more: &[&str]| run("openssl", &[&common[..], &[at], more].concat(), &request).await;
    for (name, more, shown) in [
        (host, &["-tls1_3"][..], "New, TLSv1.3"),
        (host, &["-tls1_2"], "New, TLSv1.2"),
        (host, &["-alpn", "http/1.1"], "ALPN protocol: http/1.1"),
        ("pass.example.com", &[], "Verification: OK"),
    ] {
        let Some(ended) =
            openssl(&at_https, &[more, &["-servername", name, "-verify_hostname", name]].concat()).await
        else {
            return;
        };
        let all = format!("{}{}", ended.out, ended.err);
        assert!(ended.code == 0 && all.contains(shown), "{name} {more:?}: {ended:?}");
        assert!(ended.out.contains("HTTP/1.1 200 OK"), "{name} {more:?}: {ended:?}");
    }
    for more in [&["-servername", "nobody.example.com"][..], &["-noservername"]] {
        for at in [&at_https, &at_passthrough] {
            let ended = openssl(at, more).await.unwrap();
            let shown = ended.out.contains("BEGIN CERTIFICATE");
            assert!(ended.code != 0 && !shown, "{more:?}: {ended:?}");
        }
    }
    // Who passes through sees the target's certificate, which this authority has not issued.
    let name = ["-servername", "pass.example.com"];
    let ended = openssl(&at_passthrough, &name).await.unwrap();
    assert!(ended.code != 0 && ended.err.contains("self-signed certificate"), "{ended:?}");
    let common = ["s_client", "-ign_eof", "-connect", &at_passthrough];
    let ended = run("openssl", &[&common[..], &name].concat(), &request).await.unwrap();
    assert!(ended.out.contains("\npassed through\n"), "{ended:?}");
}

/// A message of gRPC, uncompressed. Source: PROTOCOL-HTTP2.md of gRPC, Length-Prefixed-Message.
fn message(text: &str) -> Bytes {
    let length = u32::try_from(text.len()).unwrap().to_be_bytes();
    [&[0], &length[..], text.as_bytes()].concat().into()
}

fn status(code: &'static str) -> HeaderMap {
    HeaderMap::from_iter([("grpc-status".parse().unwrap(), HeaderValue::from_static(code))])
}

type Streamed = UnsyncBoxBody<Bytes, hyper::Error>;

/// What the methods of a gRPC service answer: `Echo` each message at once, `Count` to three and wait before each message
/// but the first, `Fail` without a message.
fn grpc(request: Request<Incoming>, go: Arc<Notify>) -> Response<Streamed> {
    let response = Response::builder().header("content-type", "application/grpc");
    match request.uri().path() {
        "/test.Test/Echo" => {
            let data = BodyStream::new(request.into_body())
                .filter(|frame| std::future::ready(frame.as_ref().is_ok_and(Frame::is_data)));
            let end = stream::iter([Ok(Frame::trailers(status("0")))]);
            response.body(BodyExt::boxed_unsync(StreamBody::new(data.chain(end)))).unwrap()
        }
        "/test.Test/Count" => {
            let frames = stream::unfold(1, move |n| {
                let go = Arc::clone(&go);
                async move {
                    if n > 1 {
                        go.notified().await;
                    }
                    let frame = match n {
                        1..=3 => Frame::data(message(&n.to_string())),
                        4 => Frame::trailers(status("0")),
                        _ => return None,
                    };
                    Some((Ok(frame), n + 1))
                }
            });
            response.body(BodyExt::boxed_unsync(StreamBody::new(frames))).unwrap()
        }
        _ => {
            let body = Empty::new().map_err(|never: Infallible| match never {});
            let mut response = response.body(BodyExt::boxed_unsync(body)).unwrap();
            response.headers_mut().extend(status("5"));
            response
        }
    }
}

/// A plane with a gRPC service: the way to it, the service's name, and what makes `Count` go on.
async fn grpc_plane() -> (Plane, SendRequest<Streamed>, String, Arc<Notify>) {
    let plane = Plane::start(&[]).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let go = Arc::new(Notify::new());
    let shared = Arc::clone(&go);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let go = Arc::clone(&shared);
            let service = service_fn(move |request| {
                std::future::ready(Ok::<_, Infallible>(grpc(request, Arc::clone(&go))))
            });
            let http2 = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            tokio::spawn(http2.serve_connection(TokioIo::new(stream), service));
        }
    });
    let version = Some(TargetGroupProtocolVersion::Grpc);
    let group = plane.group_of("grpc", TargetGroupProtocol::Http, version, &[address]).await;
    let (.., host) = plane.service("web", weighted(&[(&group, 1)])).await;
    let stream = TokioIo::new(plane.connect().await);
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    (plane, sender, host, go)
}

fn call(host: &str, method: &str, body: Streamed) -> Request<Streamed> {
    let request = Request::post(format!("http://{host}/test.Test/{method}"));
    request.header("te", "trailers").header("content-type", "application/grpc").body(body).unwrap()
}

/// The next frame of an answer: a message's text, or the status in the trailers.
async fn next(body: &mut Incoming) -> Option<String> {
    let frame = timeout(Duration::from_secs(5), body.frame()).await.expect("a frame comes")?.unwrap();
    match frame.into_data() {
        Ok(data) => Some(String::from_utf8_lossy(&data[5..]).into_owned()),
        Err(frame) => {
            let trailers = frame.into_trailers().unwrap();
            Some(format!("status {}", trailers["grpc-status"].to_str().unwrap()))
        }
    }
}

#[tokio::test]
async fn calls_of_grpc_end_to_end() {
    let (_plane, mut sender, host, go) = grpc_plane().await;
    let one = || Full::new(message("hello")).map_err(|never| match never {}).boxed_unsync();
    // One message for one.
    let mut response = sender.send_request(call(&host, "Echo", one())).await.unwrap();
    let body = response.body_mut();
    assert_eq!([next(body).await, next(body).await], ["hello", "status 0"].map(|text| Some(text.to_owned())));
    // Messages from the target, each of which arrives before the next is made.
    let mut response = sender.send_request(call(&host, "Count", one())).await.unwrap();
    for expected in ["1", "2", "3", "status 0"] {
        assert_eq!(next(response.body_mut()).await.as_deref(), Some(expected));
        go.notify_one();
    }
    // Messages both ways, each answered before the next is sent.
    let (tell, told) = mpsc::channel::<&str>(1);
    let messages = stream::unfold(told, async |mut told| {
        let text = told.recv().await?;
        Some((Ok(Frame::data(message(text))), told))
    });
    let body = BodyExt::boxed_unsync(StreamBody::new(messages));
    tell.send("first").await.unwrap();
    let mut response = sender.send_request(call(&host, "Echo", body)).await.unwrap();
    assert_eq!(next(response.body_mut()).await.as_deref(), Some("first"));
    for text in ["second", "third"] {
        tell.send(text).await.unwrap();
        assert_eq!(next(response.body_mut()).await.as_deref(), Some(text));
    }
    drop(tell);
    assert_eq!(next(response.body_mut()).await.as_deref(), Some("status 0"));
    // An error without a message, which is in the head alone.
    let mut response = sender.send_request(call(&host, "Fail", one())).await.unwrap();
    assert_eq!(response.headers()["grpc-status"], "5");
    assert_eq!(next(response.body_mut()).await, None);
}
