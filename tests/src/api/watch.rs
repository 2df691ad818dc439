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
    access::{Faults, Outage},
    request::Selection,
    server,
    store::{Happening, Refusal, Store},
};

/// A watch that is being followed.
pub(super) struct Follower {
    store: Arc<Mutex<Store>>,
    faults: watch::Receiver<Faults>,
    changes: watch::Receiver<u64>,
    selection: Selection,
    after: u64,
    /// When the server ends it.
    ends: Instant,
    /// How often watches had been broken and expired when it began.
    broken: u64,
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
        selection: Selection,
        after: u64,
        timeout: Duration,
    ) -> Self {
        let changes = server::lock(&store).changed.subscribe();
        let (broken, expired) = {
            let faults = faults.borrow();
            (faults.broken, faults.expired)
        };
        let ends = Instant::now() + timeout;
        Self { store, faults, changes, selection, after, ends, broken, expired, done: false }
    }

    /// The next line; `None` when the server ends the watch.
    pub(super) async fn next(&mut self) -> Option<io::Result<Bytes>> {
        loop {
            if self.done {
                return None;
            }
            let faults = self.faults.borrow_and_update().clone();
            if faults.broken > self.broken {
                self.done = true;
                return Some(Err(io::Error::new(io::ErrorKind::ConnectionReset, "the connection was reset")));
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
                Next::Nothing => self.ends,
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
