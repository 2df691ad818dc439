//! The admin server: metrics, health and readiness, on a thread of its own so that a scrape delays nothing else.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use prometheus_client::registry::Registry;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::readiness::Readiness;

/// How long the daemon's own runtime may be silent before `/healthz` fails. Far above any pause that a busy node
/// causes, far below the time after which somebody would have to look.
const HEARTBEAT_LIMIT: Duration = Duration::from_secs(30);

/// How often the daemon's runtime shows that it still runs.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// The content type of the OpenMetrics text format.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Why the admin server does not serve.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address can't be listened on.
    #[error("listening for admin requests on {address} failed, is the port taken?")]
    Listen {
        /// Which address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The thread or its runtime can't be made.
    #[error("starting the thread that serves admin requests failed")]
    Thread(#[source] io::Error),
}

/// What the server shows.
#[derive(Debug)]
pub struct Surfaces {
    /// `/metrics`.
    pub registry: Registry,
    /// `/readyz`.
    pub readiness: Readiness,
    /// Whatever else the daemon shows, such as `/statusz`.
    pub more: Router,
}

#[derive(Debug)]
struct Shown {
    registry: Registry,
    readiness: Readiness,
    started: Instant,
    last_beat_ms: AtomicU64,
}

/// Serves on `address` until `shutdown`, on a thread of its own. Returns the address in use, which differs where port 0
/// was asked for. Has to be called within the daemon's runtime, whose heartbeat `/healthz` watches.
///
/// # Errors
/// When the address can't be listened on.
pub fn serve(
    address: SocketAddr,
    surfaces: Surfaces,
    shutdown: CancellationToken,
) -> Result<SocketAddr, Error> {
    let bound = serve_on(&[address], surfaces, shutdown)?;
    Ok(bound.first().copied().unwrap_or(address))
}

/// Like [`serve`], the same surfaces on several addresses. One that is named twice is listened on once.
///
/// # Errors
/// When one of the addresses can't be listened on.
pub fn serve_on(
    addresses: &[SocketAddr],
    surfaces: Surfaces,
    shutdown: CancellationToken,
) -> Result<Vec<SocketAddr>, Error> {
    let mut listeners = Vec::new();
    let mut bound = Vec::new();
    for (index, address) in addresses.iter().copied().enumerate() {
        // Port 0 asks for a port of its own each time.
        if address.port() != 0 && addresses[..index].contains(&address) {
            continue;
        }
        let listen_error = |source| Error::Listen { address, source };
        let listener = std::net::TcpListener::bind(address).map_err(listen_error)?;
        listener.set_nonblocking(true).map_err(listen_error)?;
        bound.push(listener.local_addr().map_err(listen_error)?);
        listeners.push(listener);
    }

    let shown = Arc::new(Shown {
        registry: surfaces.registry,
        readiness: surfaces.readiness,
        started: Instant::now(),
        last_beat_ms: AtomicU64::new(0),
    });
    tokio::spawn(beat(shown.clone(), shutdown.clone()));

    let routes = Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(health))
        .route("/readyz", get(ready))
        .with_state(shown)
        .merge(surfaces.more);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Thread)?;
    std::thread::Builder::new()
        .name("admin".into())
        .spawn(move || {
            runtime.block_on(async move {
                let mut servers = tokio::task::JoinSet::new();
                for listener in listeners {
                    servers.spawn(listen(listener, routes.clone(), shutdown.clone()));
                }
                while servers.join_next().await.is_some() {}
            });
        })
        .map_err(Error::Thread)?;
    Ok(bound)
}

async fn listen(listener: std::net::TcpListener, routes: Router, shutdown: CancellationToken) {
    let served = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => {
            tokio::select! {
                served = axum::serve(listener, routes) => served,
                () = shutdown.cancelled() => Ok(()),
            }
        }
        Err(error) => Err(error),
    };
    if let Err(error) = served {
        tracing::error!(%error, "the admin server ended, metrics and health are not served any more");
    }
}

async fn beat(shown: Arc<Shown>, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        shown.last_beat_ms.store(millis(shown.started.elapsed()), Ordering::Relaxed);
        tokio::time::sleep(HEARTBEAT).await;
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

async fn metrics(State(shown): State<Arc<Shown>>) -> Response {
    let mut text = String::new();
    match prometheus_client::encoding::text::encode(&mut text, &shown.registry) {
        Ok(()) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("writing the metrics failed: {error}\n"))
            .into_response(),
    }
}

async fn health(State(shown): State<Arc<Shown>>) -> Response {
    let silent = millis(shown.started.elapsed()).saturating_sub(shown.last_beat_ms.load(Ordering::Relaxed));
    if silent > millis(HEARTBEAT_LIMIT) {
        let text = format!("the runtime has not run for {} s\n", silent / 1000);
        (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
    } else {
        "ok\n".into_response()
    }
}

async fn ready(State(shown): State<Arc<Shown>>) -> Response {
    let report = shown.readiness.report();
    let status = if report.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(report)).into_response()
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    async fn fetch(address: SocketAddr, path: &str) -> String {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn shows_metrics_health_and_what_is_waited_for() {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(crate::process::Process));
        let readiness = Readiness::default();
        let shutdown = CancellationToken::new();
        let surfaces = Surfaces {
            registry,
            readiness: readiness.clone(),
            more: Router::new().route("/statusz", get(|| async { "all well" })),
        };
        let waiting = readiness.wait_for("the first list of pods");
        let address = serve("127.0.0.1:0".parse().unwrap(), surfaces, shutdown.clone()).unwrap();

        assert!(fetch(address, "/metrics").await.contains("process_cpu_seconds_total"));
        assert!(fetch(address, "/healthz").await.starts_with("HTTP/1.1 200"));
        let answer = fetch(address, "/readyz").await;
        assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("the first list of pods"), "{answer}");
        drop(waiting);
        assert!(fetch(address, "/readyz").await.starts_with("HTTP/1.1 200"));
        assert!(fetch(address, "/statusz").await.contains("all well"));
        shutdown.cancel();
    }

    #[tokio::test]
    async fn the_same_is_shown_on_several_addresses() {
        let surfaces =
            Surfaces { registry: Registry::default(), readiness: Readiness::default(), more: Router::new() };
        let any = "127.0.0.1:0".parse().unwrap();
        let shutdown = CancellationToken::new();
        let bound = serve_on(&[any, any], surfaces, shutdown.clone()).unwrap();
        assert_eq!(bound.len(), 2);
        for address in bound {
            assert!(fetch(address, "/healthz").await.starts_with("HTTP/1.1 200"));
        }
        shutdown.cancel();
    }

    #[tokio::test]
    async fn a_taken_port_is_named() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let surfaces =
            Surfaces { registry: Registry::default(), readiness: Readiness::default(), more: Router::new() };
        let error = serve(taken.local_addr().unwrap(), surfaces, CancellationToken::new()).unwrap_err();
        assert!(error.to_string().contains("is the port taken?"), "{error}");
    }
}
