//! What was called: counts per operation and a bounded log.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::recent::{Recent, Weight};

/// A call in the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogEntry {
    /// The number of the call, from 1 on.
    pub n: u64,
    /// The simulator's wall clock in seconds since 1970, with microseconds, when the whole request had been read.
    pub time: f64,
    /// `time` without what the clock was moved on: the machine's wall clock, unless the simulator's was set by
    /// `clock.start` or stands still by `clock.frozen`.
    pub machine_time: f64,
    /// The operation, `UnknownOperation` where there is none.
    pub operation: String,
    /// The id of the account that called.
    pub account: String,
    /// The HTTP status of the answer, `None` where a fault rule never lets it be answered.
    pub status: Option<u16>,
    /// The input: members of path, query and body.
    pub request: Value,
    /// The body of the answer.
    pub response: Value,
}

/// A call as it is kept: JSON as text, which takes a tenth of what parsed JSON would.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) time: f64,
    pub(crate) machine_time: f64,
    pub(crate) operation: &'static str,
    pub(crate) account: String,
    pub(crate) status: Option<u16>,
    pub(crate) request: String,
    /// Empty where the answer has no body.
    pub(crate) response: Bytes,
}

impl Weight for Kept {
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.account.len() + self.request.len() + self.response.len()
    }
}

impl Kept {
    /// The entry with this number.
    pub(crate) fn entry(&self, n: u64) -> LogEntry {
        let parse = |text: &[u8]| serde_json::from_slice(text).unwrap_or(Value::Null);
        LogEntry {
            n,
            time: self.time,
            machine_time: self.machine_time,
            operation: self.operation.to_owned(),
            account: self.account.clone(),
            status: self.status,
            request: parse(self.request.as_bytes()),
            response: parse(&self.response),
        }
    }
}

/// Counts and log. Both are complete when the call takes effect, even if its answer is delayed.
#[derive(Debug, Default)]
pub(crate) struct Record {
    counts: BTreeMap<&'static str, u64>,
    log: Recent<Kept>,
}

impl Record {
    /// Adds a call.
    pub(crate) fn add(&mut self, kept: Kept) {
        *self.counts.entry(kept.operation).or_default() += 1;
        self.log.add(kept);
    }

    pub(crate) fn counts(&self) -> BTreeMap<String, u64> {
        self.counts.iter().map(|(operation, count)| ((*operation).to_owned(), *count)).collect()
    }

    pub(crate) fn reset_counts(&mut self) {
        self.counts.clear();
    }

    /// The calls whose number is above `after`.
    pub(crate) fn after(&self, after: u64) -> Vec<(u64, Kept)> {
        self.log.after(after).map(|(n, kept)| (n, kept.clone())).collect()
    }
}
