//! Load: requests to one address, as fast as their answers come, and what became of them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Requests over one connection, so that new ones are opened all the time.
const PER_CONNECTION: usize = 20;
/// Pause between two requests of a worker, which keeps two cores free for the rest.
const PAUSE: Duration = Duration::from_millis(10);
/// Most failures that are told one by one.
const MOST_TOLD: usize = 100;

/// What became of the requests so far.
#[derive(Debug, Default)]
pub(crate) struct Load {
    outcome: Mutex<Outcome>,
    /// Done when the requests are to end.
    stop: Mutex<Option<CancellationToken>>,
}

#[derive(Debug, Default)]
struct Outcome {
    /// Answers with status 200, by the pod that gave them.
    answered: BTreeMap<String, u64>,
    failures: u64,
    /// The first failures, each with its time.
    told: Vec<Value>,
}

impl Load {
    /// Begins to send requests with this Host to `address`, from so many workers, in the place of an earlier load.
    pub(crate) fn begin(self: &Arc<Self>, address: SocketAddr, host: &str, workers: u64) {
        let stop = CancellationToken::new();
        if let Some(before) = self.stop.lock().unwrap_or_else(PoisonError::into_inner).replace(stop.clone()) {
            before.cancel();
        }
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Outcome::default();
        for _ in 0..workers {
            let (load, host, stop) = (Arc::clone(self), host.to_owned(), stop.clone());
            tokio::spawn(async move {
                tokio::select! {
                    () = work(&load, address, &host) => {}
                    () = stop.cancelled() => {}
                }
            });
        }
    }

    /// Ends the requests.
    pub(crate) fn end(&self) {
        if let Some(stop) = self.stop.lock().unwrap_or_else(PoisonError::into_inner).take() {
            stop.cancel();
        }
    }

    /// What became of them.
    pub(crate) fn report(&self) -> Value {
        let outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        json!({"answered": outcome.answered, "failures": outcome.failures, "told": outcome.told})
    }

    fn note(&self, answer: Result<String, String>) {
        let mut outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Ok(pod) => *outcome.answered.entry(pod).or_default() += 1,
            Err(failure) => {
                outcome.failures += 1;
                if outcome.told.len() < MOST_TOLD {
                    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
                    outcome.told.push(json!({"time": time, "failure": failure}));
                }
            }
        }
    }
}

async fn work(load: &Load, address: SocketAddr, host: &str) {
    let mut connection = None;
    let mut sent = 0;
    loop {
        sent += 1;
        if sent % PER_CONNECTION == 0 {
            connection = None;
        }
        let answer = timeout(PATIENCE, ask(&mut connection, address, host)).await;
        load.note(answer.unwrap_or_else(|_late| Err("no answer in time".to_owned())));
        sleep(PAUSE).await;
    }
}

/// Sends one request and returns the pod that answered.
async fn ask(
    connection: &mut Option<SendRequest<Empty<Bytes>>>,
    address: SocketAddr,
    host: &str,
) -> Result<String, String> {
    let text = |error: &dyn std::error::Error| error.to_string();
    // A connection that the other side has ended between two requests is no failure of a request.
    let kept = connection.take().filter(|sender| !sender.is_closed());
    let mut sender = if let Some(sender) = kept {
        sender
    } else {
        let stream = TcpStream::connect(address).await.map_err(|error| text(&error))?;
        let (sender, driver) = handshake(TokioIo::new(stream)).await.map_err(|error| text(&error))?;
        tokio::spawn(driver);
        sender
    };
    let request = Request::get("/").header("host", host).body(Empty::new()).map_err(|error| text(&error))?;
    let response = sender.send_request(request).await.map_err(|error| text(&error))?;
    let status = response.status();
    let body = response.into_body().collect().await.map_err(|error| text(&error))?.to_bytes();
    if status != 200 {
        return Err(format!("{status}: {}", String::from_utf8_lossy(&body).trim_end()));
    }
    *connection = Some(sender);
    let body: Value = serde_json::from_slice(&body).map_err(|error| text(&error))?;
    Ok(body["pod"].as_str().unwrap_or_default().to_owned())
}
