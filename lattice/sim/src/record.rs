//! What was called: counts per operation and a bounded log.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Most entries of the log.
const MOST_ENTRIES: usize = 50_000;
/// Most bytes that the entries may take.
const MOST_BYTES: usize = 64 << 20;

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
#[derive(Debug)]
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

impl Kept {
    /// The memory that the entry takes, texts and the rest.
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.account.len() + self.request.len() + self.response.len()
    }

    fn entry(&self, n: u64) -> LogEntry {
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
    /// The latest calls. The number of the last one is `last`.
    log: VecDeque<Kept>,
    bytes: usize,
    last: u64,
}

impl Record {
    /// Adds a call. Its number is one more than that of the call before.
    pub(crate) fn add(&mut self, kept: Kept) {
        *self.counts.entry(kept.operation).or_default() += 1;
        self.last += 1;
        self.bytes += kept.bytes();
        self.log.push_back(kept);
        while self.log.len() > MOST_ENTRIES || self.bytes > MOST_BYTES {
            let Some(oldest) = self.log.pop_front() else { break };
            self.bytes -= oldest.bytes();
        }
    }

    pub(crate) fn counts(&self) -> BTreeMap<String, u64> {
        self.counts.iter().map(|(operation, count)| ((*operation).to_owned(), *count)).collect()
    }

    pub(crate) fn reset_counts(&mut self) {
        self.counts.clear();
    }

    /// The entries whose number is above `after`.
    pub(crate) fn log(&self, after: u64) -> Vec<LogEntry> {
        let first = self.last - self.log.len() as u64 + 1;
        let known = (first..).zip(&self.log);
        known.filter(|(n, _)| *n > after).map(|(n, kept)| kept.entry(n)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(request: usize) -> Kept {
        Kept {
            time: 0.0,
            machine_time: 0.0,
            operation: "GetService",
            account: String::new(),
            status: Some(200),
            request: format!("\"{}\"", "a".repeat(request)),
            response: Bytes::new(),
        }
    }

    #[test]
    fn log_forgets_the_oldest_beyond_its_bytes_and_keeps_counting() {
        let mut record = Record::default();
        for _ in 0..5 {
            record.add(call(MOST_BYTES / 3));
        }
        assert_eq!(record.log(0).iter().map(|entry| entry.n).collect::<Vec<_>>(), [4, 5]);
        assert_eq!(record.counts()["GetService"], 5);
        assert!(record.bytes <= MOST_BYTES);
    }

    #[test]
    fn log_forgets_the_oldest_beyond_its_entries() {
        let mut record = Record::default();
        for _ in 0..MOST_ENTRIES + 3 {
            record.add(call(1));
        }
        let log = record.log(0);
        assert_eq!((log.len(), log[0].n), (MOST_ENTRIES, 4));
        assert_eq!(record.log(MOST_ENTRIES as u64 + 2).len(), 1);
        assert!(record.log(MOST_ENTRIES as u64 + 3).is_empty());
    }
}
