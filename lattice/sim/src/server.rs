//! The simulator on a socket: HTTP/1.1 with keep-alive, and HTTP/2 without TLS.

use std::future::Future;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::serve::ListenerExt as _;
use bytes::BytesMut;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use tokio::net::TcpListener;

use crate::simulator::{MOST_BODY_BYTES, Simulator};

/// How long answers that are under way may still take after the shutdown began. Calls that a fault rule lets time
/// out would hold it up for ever.
const SHUTDOWN_GRACE: Duration = Duration::from_millis(500);

impl Simulator {
    /// Serves the API and the admin endpoints until `shutdown` ends.
    pub async fn serve(&self, listener: TcpListener, shutdown: impl Future<Output = ()> + Send + 'static) {
        let router = Router::new().fallback(serve_one).with_state(self.clone());
        // Answers are small and awaited one by one: without this, the kernel would hold some back for 40 ms.
        let listener = listener.tap_io(|stream| {
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "a connection keeps delaying small packets");
            }
        });
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let server = axum::serve(listener, router).with_graceful_shutdown(async move {
            shutdown.await;
            let _nobody_waits = begun.send(());
        });
        let overdue = async {
            if has_begun.await.is_ok() {
                tokio::time::sleep(SHUTDOWN_GRACE).await;
            } else {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            result = server => {
                if let Err(error) = result {
                    tracing::warn!(%error, "the server ended");
                }
            }
            () = overdue => {}
        }
    }
}

async fn serve_one(State(simulator): State<Simulator>, request: Request<Body>) -> Response<Body> {
    let (parts, mut body) = request.into_parts();
    let mut read = BytesMut::new();
    // One byte beyond the limit is enough for the refusal.
    while read.len() <= MOST_BODY_BYTES {
        match body.frame().await {
            Some(Ok(frame)) => read.extend_from_slice(frame.data_ref().map_or(&[], |data| data.as_ref())),
            // The client is gone and will not see the answer.
            Some(Err(_)) => return Response::new(Body::empty()),
            None => break,
        }
    }
    simulator.handle(Request::from_parts(parts, read.freeze())).await.map(Body::from)
}
