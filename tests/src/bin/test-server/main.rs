//! `test-server`: the workload of the test world. It says who it is, and can be told to misbehave.
//!
//! Any path answers with JSON: pod, node, namespace, path, headers. `/healthz` is always well, `/readyz` unless told
//! otherwise. `POST /control/slow?ms=N` delays all answers; `/control/ready?value=false` makes it unready;
//! `/control/close?after=MS` closes all connections; `/control/exit?code=N` ends it;
//! `/control/load?address=ADDRESS:PORT&host=NAME&workers=N` lets it send requests itself, until `/control/rest`, and
//! `GET /load` says what became of them. Ports come from `PORT`, by comma;
//! HTTP/1.1 and HTTP/2 without TLS on each. On SIGTERM it goes on for `DRAIN_SECONDS` and then ends what is open.

mod load;

use std::convert::Infallible;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use load::Load;

/// How long open connections have to finish what they are at when the server ends.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Who this server is, and how it behaves.
struct Server {
    pod: String,
    node: String,
    namespace: String,
    delay_ms: AtomicU64,
    ready: AtomicBool,
    load: Arc<Load>,
    /// Told when all connections of the moment are to close.
    close: Notify,
    /// Done when the server ends.
    ending: CancellationToken,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("test-server: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn run() -> Result<()> {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let server = Arc::new(Server {
        pod: std::env::var("POD_NAME").unwrap_or_else(|_| variable("HOSTNAME")),
        node: variable("NODE_NAME"),
        namespace: std::env::var("POD_NAMESPACE").unwrap_or_else(|_| {
            std::fs::read_to_string("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
                .unwrap_or_default()
        }),
        delay_ms: AtomicU64::new(0),
        ready: AtomicBool::new(true),
        load: Arc::default(),
        close: Notify::new(),
        ending: CancellationToken::new(),
    });
    let connections = TaskTracker::new();
    let ports = std::env::var("PORT").unwrap_or_else(|_| "8080".into());
    for port in ports.split(',') {
        let port: u16 =
            port.trim().parse().with_context(|| format!("PORT holds {port:?}, which is no port"))?;
        // The unspecified IPv6 address takes connections of both families.
        let listener =
            TcpListener::bind(("::", port)).await.with_context(|| format!("listening on port {port}"))?;
        println!("listening on port {port}");
        tokio::spawn(accept(Arc::clone(&server), listener, connections.clone()));
    }
    terminate.recv().await;
    let drain = variable("DRAIN_SECONDS").parse().unwrap_or(0);
    println!("told to end, going on for {drain} s");
    tokio::time::sleep(Duration::from_secs(drain)).await;
    server.ending.cancel();
    connections.close();
    // What takes longer is cut off; that is what a test of short graces wants to see.
    let _ = tokio::time::timeout(LAST_WORDS, connections.wait()).await;
    Ok(())
}

async fn accept(server: Arc<Server>, listener: TcpListener, connections: TaskTracker) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = server.ending.cancelled() => return,
        };
        match accepted {
            Ok((stream, _)) => {
                connections.spawn(serve(Arc::clone(&server), stream));
            }
            // Out of descriptors, mostly; the next connection may go better.
            Err(error) => {
                eprintln!("a connection could not be accepted: {error}");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
}

async fn serve(server: Arc<Server>, stream: TcpStream) {
    // Answers are small; waiting to fill a packet only delays them.
    let _ = stream.set_nodelay(true);
    let builder = Builder::new(TokioExecutor::new());
    let service = service_fn(|request| {
        let server = Arc::clone(&server);
        async move { Ok::<_, Infallible>(answer(&server, &request).await) }
    });
    let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
    let mut told = false;
    loop {
        tokio::select! {
            // A client that breaks off is the client's affair.
            _ = connection.as_mut() => return,
            () = server.close.notified(), if !told => {}
            () = server.ending.cancelled(), if !told => {}
        }
        told = true;
        connection.as_mut().graceful_shutdown();
    }
}

async fn answer(server: &Arc<Server>, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let path = request.uri().path();
    if let Some(control) = path.strip_prefix("/control/") {
        if request.method() != Method::POST {
            return respond(StatusCode::METHOD_NOT_ALLOWED, &json!({"error": "controls want POST"}));
        }
        return obey(server, control, request.uri().query().unwrap_or_default());
    }
    let delay = server.delay_ms.load(Ordering::Relaxed);
    if delay > 0 {
        tokio::time::sleep(Duration::from_millis(delay)).await;
    }
    match path {
        "/load" => respond(StatusCode::OK, &server.load.report()),
        "/healthz" => respond(StatusCode::OK, &json!({"healthy": true})),
        "/readyz" if server.ready.load(Ordering::Relaxed) => respond(StatusCode::OK, &json!({"ready": true})),
        "/readyz" => respond(StatusCode::SERVICE_UNAVAILABLE, &json!({"ready": false})),
        _ => {
            let headers: serde_json::Map<String, Value> = request
                .headers()
                .iter()
                .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into()))
                .collect();
            respond(
                StatusCode::OK,
                &json!({
                    "pod": server.pod, "node": server.node, "namespace": server.namespace,
                    "path": request.uri().to_string(), "headers": headers,
                }),
            )
        }
    }
}

/// Does what a control asks for.
fn obey(server: &Arc<Server>, control: &str, query: &str) -> Response<Full<Bytes>> {
    let value = |name: &str| {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    let number = |name: &str| value(name).and_then(|value| value.parse::<u64>().ok());
    let done = match control {
        "slow" => number("ms").map(|ms| server.delay_ms.store(ms, Ordering::Relaxed)),
        "ready" => value("value")
            .and_then(|value| value.parse().ok())
            .map(|ready| server.ready.store(ready, Ordering::Relaxed)),
        "close" => {
            let after = Duration::from_millis(number("after").unwrap_or(0));
            let server = Arc::clone(server);
            tokio::spawn(async move {
                tokio::time::sleep(after).await;
                server.close.notify_waiters();
            });
            Some(())
        }
        "load" => value("address").and_then(|address| address.parse().ok()).map(|address| {
            let host = value("host").unwrap_or_default();
            server.load.begin(address, host, number("workers").unwrap_or(1).min(64));
        }),
        "rest" => {
            server.load.end();
            Some(())
        }
        "exit" => {
            let code = number("code").and_then(|code| u8::try_from(code).ok()).unwrap_or(0);
            tokio::spawn(async move {
                // The answer goes out first.
                tokio::time::sleep(Duration::from_millis(50)).await;
                std::process::exit(code.into());
            });
            Some(())
        }
        _ => None,
    };
    match done {
        Some(()) => respond(StatusCode::OK, &json!({"done": control})),
        None => respond(
            StatusCode::BAD_REQUEST,
            &json!({"error": format!("cannot do {control:?} with {query:?}")}),
        ),
    }
}

fn respond(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(format!("{body}\n"))));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    response
}
