//! One client's way to the server, and what goes wrong on it.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    fmt, io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures::stream;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::Frame;
use kube::client::Body;
use lath_kubernetes::connection::WATCH_SILENCE;
use serde_json::Value;
use tokio::{sync::watch, time::sleep};
use tower_service::Service;

use super::{
    request::{Query, Resource},
    server,
    store::{Refusal, Store},
    watch::{Bounds, Follower},
};

/// How long a request waits for an answer that never comes, as Lath's own clients do.
const REQUEST: Duration = Duration::from_secs(15);

/// How long a watch lasts unless its client asks for less.
const WATCH: Duration = Duration::from_secs(290);

type Answer = Response<UnsyncBoxBody<Bytes, io::Error>>;

/// How the network fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outage {
    /// Everything fails at once; watches break.
    Refused,
    /// Nothing is answered. Watches stand still, and go on with what they missed once it is over; requests that were
    /// made meanwhile are lost for good.
    Silent,
    /// Nothing is answered, and the watches are dead without anybody noticing: they stay silent when it is over.
    Severed,
}

/// What goes wrong at the moment.
#[derive(Debug, Clone, Default)]
pub(super) struct Faults {
    pub(super) outage: Option<Outage>,
    pub(super) watch_delay: Duration,
    latency: Duration,
    /// How often watches were broken, severed, and expired.
    pub(super) broken: u64,
    pub(super) severed: u64,
    pub(super) expired: u64,
    /// Plurals whose next list is empty.
    empty: BTreeSet<String>,
    /// Plurals that the server does not know.
    missing: BTreeSet<String>,
    /// Verbs and plurals that are refused.
    forbidden: BTreeSet<(String, String)>,
}

/// One client's way to an [`super::ApiServer`]. Clones share faults and counts.
#[derive(Clone)]
pub struct Access {
    store: Arc<Mutex<Store>>,
    faults: watch::Sender<Faults>,
    counts: Arc<Mutex<BTreeMap<(String, String), usize>>>,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").field("faults", &*self.faults.borrow()).finish_non_exhaustive()
    }
}

impl Access {
    pub(super) fn new(store: Arc<Mutex<Store>>) -> Self {
        Self { store, faults: watch::Sender::default(), counts: Arc::default() }
    }

    /// A client for requests that goes this way. It has to be made within a tokio runtime.
    #[must_use]
    pub fn client(&self) -> kube::Client {
        kube::Client::new(Connection { access: self.clone(), silence: REQUEST }, "default")
    }

    /// A client for watches that goes this way.
    #[must_use]
    pub fn watching_client(&self) -> kube::Client {
        kube::Client::new(Connection { access: self.clone(), silence: WATCH_SILENCE }, "default")
    }

    /// Lets every change reach this client's watches that much later. Lists and reads are not delayed.
    pub fn delay_watches(&self, delay: Duration) {
        self.faults.send_modify(|faults| faults.watch_delay = delay);
    }

    /// Lets every answer take that long. A request takes effect when its answer leaves.
    pub fn delay_answers(&self, latency: Duration) {
        self.faults.send_modify(|faults| faults.latency = latency);
    }

    /// Cuts the client off.
    pub fn fail(&self, outage: Outage) {
        self.faults.send_modify(|faults| {
            faults.outage = Some(outage);
            faults.broken += u64::from(outage == Outage::Refused);
            faults.severed += u64::from(outage == Outage::Severed);
        });
    }

    /// Ends an outage.
    pub fn heal(&self) {
        self.faults.send_modify(|faults| faults.outage = None);
    }

    /// Breaks the watches that there are; new ones work.
    pub fn break_watches(&self) {
        self.faults.send_modify(|faults| faults.broken += 1);
    }

    /// Answers the watches that there are with 410 Gone, so that their client has to list again.
    pub fn expire_watches(&self) {
        self.faults.send_modify(|faults| faults.expired += 1);
    }

    /// Makes the next list of a kind, by its plural, empty, as of a server that has lost its store.
    pub fn empty_next_list(&self, plural: &str) {
        self.faults.send_modify(|faults| {
            faults.empty.insert(plural.into());
        });
    }

    /// Answers a verb on a kind with 403 from now on.
    pub fn forbid(&self, verb: &str, plural: &str) {
        self.faults.send_modify(|faults| {
            faults.forbidden.insert((verb.into(), plural.into()));
        });
    }

    /// Answers everything about a kind with 404 from now on, as if its definition had not been installed.
    pub fn withhold(&self, plural: &str) {
        self.faults.send_modify(|faults| {
            faults.missing.insert(plural.into());
        });
    }

    /// Allows everything again.
    pub fn allow_all(&self) {
        self.faults.send_modify(|faults| faults.forbidden.clear());
    }

    /// How many requests of a verb (`get`, `list`, `watch`, `create`, `update`, `patch`, `delete`) on a kind, by its
    /// plural, have been made, answered or not.
    #[must_use]
    pub fn requests(&self, verb: &str, plural: &str) -> usize {
        self.counts().get(&(verb.into(), plural.into())).copied().unwrap_or(0)
    }

    fn counts(&self) -> MutexGuard<'_, BTreeMap<(String, String), usize>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn handle(self, request: Request<Body>, silence: Duration) -> Result<Answer, io::Error> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        let query = Query::parse(head.uri.query().unwrap_or_default());
        let Some(resource) = Resource::parse(head.uri.path()) else {
            let refusal = Refusal::new(404, "NotFound", format!("nothing is served at {}", head.uri.path()));
            return answer(refusal.code, &refusal.status());
        };
        let verb = resource.verb(&head.method, &query);
        *self.counts().entry((verb.into(), resource.plural.clone())).or_default() += 1;
        self.pass(silence).await?;
        if self.faults.borrow().missing.contains(&resource.plural) {
            let message = "the server could not find the requested resource";
            return answer(404, &Refusal::new(404, "NotFound", message).status());
        }
        let forbidden = (verb.to_owned(), resource.plural.clone());
        if self.faults.borrow().forbidden.contains(&forbidden) {
            let message = format!("this client cannot {verb} {}", resource.plural);
            return answer(403, &Refusal::new(403, "Forbidden", message).status());
        }
        if verb == "watch" {
            return Ok(self.follow(&resource, &query, silence));
        }
        if verb == "list" && self.faults.borrow().empty.contains(&resource.plural) {
            self.faults.send_modify(|faults| {
                faults.empty.remove(&resource.plural);
            });
            let list = resource.list_of(&server::lock(&self.store), &[]);
            return answer(200, &list);
        }
        let content_type = head.headers.get(http::header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let result = resource.answer(&mut server::lock(&self.store), verb, &query, content_type, &body);
        match result {
            Ok((status, object)) => answer(status, &object),
            Err(refusal) => answer(refusal.code, &refusal.status()),
        }
    }

    /// Lets a request through, or not.
    async fn pass(&self, silence: Duration) -> io::Result<()> {
        let latency = self.faults.borrow().latency;
        if !latency.is_zero() {
            sleep(latency).await;
        }
        match self.faults.borrow().outage {
            None => return Ok(()),
            Some(Outage::Refused) => {
                return Err(io::Error::new(io::ErrorKind::ConnectionRefused, "the connection was refused"));
            }
            Some(Outage::Silent | Outage::Severed) => {}
        }
        sleep(silence).await;
        Err(no_answer())
    }

    fn follow(self, resource: &Resource, query: &Query, silence: Duration) -> Answer {
        let seconds = query.get("timeoutSeconds").and_then(|seconds| seconds.parse().ok());
        let follower = Follower::new(
            self.store.clone(),
            self.faults.subscribe(),
            resource,
            query,
            Bounds { silence, lasts: seconds.map_or(WATCH, Duration::from_secs) },
        );
        // The way is kept for as long as the watch, whose faults come along it.
        let lines = stream::unfold((follower, self), |(mut follower, access)| async move {
            let line = follower.next().await?;
            Some((line.map(Frame::data), (follower, access)))
        });
        Response::new(StreamBody::new(lines).boxed_unsync())
    }
}

fn answer(status: u16, object: &Value) -> Result<Answer, io::Error> {
    let body = Full::new(Bytes::from(object.to_string())).map_err(|never: Infallible| match never {});
    Response::builder()
        .status(status)
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(body.boxed_unsync())
        .map_err(io::Error::other)
}

/// What a client gets that has waited for too long.
pub(super) fn no_answer() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "no answer came")
}

/// What kube sends requests to, and how long it waits for a sign of life.
struct Connection {
    access: Access,
    silence: Duration,
}

impl Service<Request<Body>> for Connection {
    type Response = Answer;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, io::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.access.clone().handle(request, self.silence))
    }
}
