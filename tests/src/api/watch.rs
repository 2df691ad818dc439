//! A watch: what happened since a version, line by line, as far as its client's faults let it through.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use super::{
    access::{self, Faults, Outage},
    request::{Query, Resource, Selection},
    server,
    store::{Happening, Refusal, Store},
};

/// How often a watch that asks for bookmarks gets one. Source: Kubernetes, `bookmarkFrequency` of the watch cache.
const BOOKMARKS: Duration = Duration::from_secs(60);

/// How long a watch lasts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Its client gives it up after so much silence.
    pub(super) silence: Duration,
    /// The server ends it after so much time.
    pub(super) lasts: Duration,
}

/// A watch that is being followed.
pub(super) struct Follower {
    store: Arc<Mutex<Store>>,
    faults: watch::Receiver<Faults>,
    changes: watch::Receiver<u64>,
    resource: Resource,
    selection: Selection,
    after: u64,
    silence: Duration,
    /// When its client last heard of it.
    heard: Instant,
    /// When the next bookmark is due, if its client wants any.
    bookmark: Option<Instant>,
    /// When the server ends it.
    ends: Instant,
    /// How often watches had been broken, severed and expired when it began.
    broken: u64,
    severed: u64,
    expired: u64,
    done: bool,
}

/// What a watch has next.
enum Next {
    Line(Instant, u64, Bytes),
    Nothing,
    TooOld,
}

impl Follower {
    pub(super) fn new(
        store: Arc<Mutex<Store>>,
        faults: watch::Receiver<Faults>,
        resource: &Resource,
        query: &Query,
        bounds: Bounds,
    ) -> Self {
        let changes = server::lock(&store).changed.subscribe();
        let Faults { broken, severed, expired, .. } = faults.borrow().clone();
        let heard = Instant::now();
        let wants_bookmarks = query.get("allowWatchBookmarks") == Some("true");
        Self {
            store,
            faults,
            changes,
            selection: resource.selection(query),
            resource: resource.clone(),
            after: query.get("resourceVersion").and_then(|version| version.parse().ok()).unwrap_or(0),
            silence: bounds.silence,
            heard,
            bookmark: wants_bookmarks.then_some(heard + BOOKMARKS),
            ends: heard + bounds.lasts,
            broken,
            severed,
            expired,
            done: false,
        }
    }

    /// The next line; `None` when the server ends the watch.
    pub(super) async fn next(&mut self) -> Option<io::Result<Bytes>> {
        if self.done {
            return None;
        }
        let given_up = self.heard + self.silence;
        let line = tokio::select! {
            biased;
            line = self.next_line() => line,
            () = sleep_until(given_up) => {
                self.done = true;
                Some(Err(access::no_answer()))
            }
        };
        self.heard = Instant::now();
        line
    }

    async fn next_line(&mut self) -> Option<io::Result<Bytes>> {
        loop {
            let faults = self.faults.borrow_and_update().clone();
            if faults.broken > self.broken {
                self.done = true;
                return Some(Err(io::Error::new(io::ErrorKind::ConnectionReset, "the connection was reset")));
            }
            if faults.severed > self.severed {
                return std::future::pending().await;
            }
            if faults.outage == Some(Outage::Silent) {
                if self.faults.changed().await.is_err() {
                    return std::future::pending().await;
                }
                continue;
            }
            if faults.expired > self.expired {
                return Some(Ok(self.too_old()));
            }
            if Instant::now() >= self.ends {
                return None;
            }
            self.changes.borrow_and_update();
            let until = match self.look() {
                Next::TooOld => return Some(Ok(self.too_old())),
                Next::Nothing => match self.bookmark {
                    Some(due) if due <= Instant::now() => return Some(Ok(self.mark())),
                    due => self.ends.min(due.unwrap_or(self.ends)),
                },
                Next::Line(at, version, line) => {
                    let due = at + faults.watch_delay;
                    if due <= Instant::now() {
                        self.after = version;
                        return Some(Ok(line));
                    }
                    due.min(self.ends)
                }
            };
            tokio::select! {
                Ok(()) = self.faults.changed() => {}
                Ok(()) = self.changes.changed() => {}
                () = sleep_until(until) => {}
            }
        }
    }

    /// Says up to which version the watch has told everything.
    fn mark(&mut self) -> Bytes {
        self.after = server::lock(&self.store).version;
        self.bookmark = Some(Instant::now() + BOOKMARKS);
        line("BOOKMARK", &self.resource.bookmark(self.after))
    }

    fn too_old(&mut self) -> Bytes {
        self.done = true;
        let refusal = Refusal::new(410, "Expired", format!("too old resource version: {}", self.after));
        line("ERROR", &refusal.status())
    }

    /// Looks for the next happening that concerns the selection.
    fn look(&mut self) -> Next {
        let store = server::lock(&self.store);
        if self.after < store.oldest() {
            return Next::TooOld;
        }
        let from = store.history.partition_point(|happening| happening.version <= self.after);
        let found = store
            .history
            .range(from..)
            .find_map(|happening| Some((happening, self.selection.sees(happening)?)));
        match found {
            Some((happening, line)) => Next::Line(happening.at, happening.version, line),
            None => Next::Nothing,
        }
    }
}

impl Selection {
    /// What a happening looks like to who watches the selection. An object that leaves it is deleted to them.
    fn sees(&self, happening: &Happening) -> Option<Bytes> {
        let Happening { key, before, now, gone, .. } = happening;
        let was = before.as_ref().is_some_and(|before| self.has(key, before));
        let is = !gone && self.has(key, now);
        match (was, is) {
            (false, false) => None,
            (false, true) => Some(line("ADDED", now)),
            (true, true) => Some(line("MODIFIED", now)),
            (true, false) => Some(line("DELETED", now)),
        }
    }
}

fn line(kind: &str, object: &Value) -> Bytes {
    let mut line = json!({ "type": kind, "object": object }).to_string();
    line.push('\n');
    line.into()
}
