//! Access logs: the lines that subscriptions get, kept for the admin endpoint and appended to files.
//!
//! A file is `KIND/NAME/SUBSCRIPTION.jsonl`: kind and name of the destination, `s3` or `logs` or `firehose` and the name
//! of the bucket, log group or delivery stream, and the id of the subscription. Each line is an entry in JSON. The real
//! service delivers some minutes late, in batches; here lines are there within a second.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::recent::{Recent, Weight};
use crate::simulator::Simulator;
use crate::state::backend::AccessLogSubscription;

/// Time between looks at whether there is something to write.
const PERIOD: Duration = Duration::from_millis(250);
/// Most lines that are taken to be written at a time.
const MOST_LINES: usize = 1_000;
/// Most bytes of a file: 64 MiB. Then it is renamed to `….old`, in the place of the one before.
const MOST_FILE_BYTES: u64 = 64 << 20;
/// Most characters of a destination's name in a path, of which file systems allow 255.
const MOST_NAME: usize = 128;
/// What stands as it is in a path.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// A line of an access log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccessLogEntry {
    /// The number of the line, from 1 on.
    pub n: u64,
    /// The id of the subscription that gets it.
    pub subscription: String,
    /// The ARN of the subscription's destination.
    pub destination: String,
    /// The line itself.
    pub entry: Value,
}

/// A subscription as far as lines are concerned.
#[derive(Debug, Clone)]
pub(crate) struct Subscription {
    pub(crate) id: String,
    pub(crate) destination: String,
}

impl From<&AccessLogSubscription> for Subscription {
    fn from(row: &AccessLogSubscription) -> Self {
        Self { id: row.id.clone(), destination: row.destination.clone() }
    }
}

/// A line as it is kept, in JSON.
#[derive(Debug)]
struct Kept {
    subscription: Subscription,
    line: String,
}

impl Weight for Kept {
    fn bytes(&self) -> usize {
        let Subscription { id, destination } = &self.subscription;
        size_of::<Self>() + id.len() + destination.len() + self.line.len()
    }
}

/// The latest lines.
#[derive(Debug, Default)]
pub(crate) struct AccessLog(Recent<Kept>);

impl AccessLog {
    /// Adds a line, in JSON, for each of these subscriptions.
    pub(crate) fn add(&mut self, subscriptions: Vec<Subscription>, line: &str) {
        for subscription in subscriptions {
            self.0.add(Kept { subscription, line: line.to_owned() });
        }
    }

    /// The lines whose number is above `after`.
    pub(crate) fn after(&self, after: u64) -> Vec<AccessLogEntry> {
        let entry = |(n, kept): (u64, &Kept)| AccessLogEntry {
            n,
            subscription: kept.subscription.id.clone(),
            destination: kept.subscription.destination.clone(),
            entry: serde_json::from_str(&kept.line).unwrap_or(Value::Null),
        };
        self.0.after(after).map(entry).collect()
    }
}

/// Why access logs can't be written.
#[derive(Debug, thiserror::Error)]
#[error("writing the access log {}: {source}", path.display())]
pub struct Error {
    path: PathBuf,
    source: io::Error,
}

/// Files that access logs are appended to.
#[derive(Debug)]
pub struct AccessLogFiles {
    folder: PathBuf,
    /// The number of the last line that was written.
    written: u64,
}

impl AccessLogFiles {
    /// Files in this folder. It is made, with those above it, when the first line comes.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), written: 0 }
    }

    /// Appends the lines that are new since the last time. Where that fails, the next time begins with the lines that
    /// failed.
    pub fn append(&mut self, simulator: &Simulator) -> Result<(), Error> {
        loop {
            let (lost, lines) = {
                let world = simulator.lock();
                let lines = world.access_log.0.after(self.written).take(MOST_LINES);
                let lines: Vec<(u64, PathBuf, String)> =
                    lines.map(|(n, kept)| (n, path(&kept.subscription), kept.line.clone())).collect();
                let Some((first, ..)) = lines.first() else { return Ok(()) };
                (first - self.written - 1, lines)
            };
            if lost > 0 {
                tracing::warn!(lost, "lines of access logs came faster than they could be written");
            }
            // Neighbours that are for one file go out together.
            for lines in lines.chunk_by(|(_, one, _), (_, other, _)| one == other) {
                let text: String = lines.iter().flat_map(|(_, _, line)| [line.as_str(), "\n"]).collect();
                if let Some((last, path, _)) = lines.last() {
                    let path = self.folder.join(path);
                    append(&path, &text).map_err(|source| Error { path, source })?;
                    self.written = *last;
                }
            }
        }
    }

    /// Goes on appending what is new. The future never ends.
    pub async fn follow(&mut self, simulator: &Simulator) {
        let mut failed = false;
        loop {
            tokio::time::sleep(PERIOD).await;
            match self.append(simulator) {
                Ok(()) => failed = false,
                Err(error) if !failed => {
                    failed = true;
                    tracing::warn!(%error, "trying again; the latest lines are kept until then");
                }
                Err(_) => {}
            }
        }
    }
}

fn append(path: &Path, lines: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    if fs::metadata(path).is_ok_and(|file| file.len() >= MOST_FILE_BYTES) {
        fs::rename(path, path.with_extension("jsonl.old"))?;
    }
    File::options().create(true).append(true).open(path)?.write_all(lines.as_bytes())
}

/// Where the lines of a subscription go, within the folder of access logs.
fn path(subscription: &Subscription) -> PathBuf {
    let parts: Vec<&str> = subscription.destination.splitn(6, ':').collect();
    let kind = parts.get(2).copied().unwrap_or_default();
    let name = parts.get(5).copied().unwrap_or_default();
    let name = match kind {
        // arn:aws:logs:REGION:ACCOUNT:log-group:NAME, with :* behind it at times.
        "logs" => name.trim_start_matches("log-group:").trim_end_matches(":*"),
        "firehose" => name.trim_start_matches("deliverystream/"),
        _ => name,
    };
    let mut name = utf8_percent_encode(name, PLAIN).to_string();
    name.truncate(MOST_NAME);
    if name.is_empty() || name.starts_with('.') {
        name.insert(0, '_');
    }
    [kind, &name, &format!("{}.jsonl", subscription.id)].iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_after_their_destination() {
        for (destination, expected) in [
            ("arn:aws:s3:::my-bucket", "s3/my-bucket/als-1.jsonl"),
            ("arn:aws:s3:::bucket/a/prefix", "s3/bucket%2Fa%2Fprefix/als-1.jsonl"),
            ("arn:aws:s3:::..", "s3/_../als-1.jsonl"),
            ("arn:aws:s3:::../../etc", "s3/_..%2F..%2Fetc/als-1.jsonl"),
            ("arn:aws:logs:us-west-2:123456789012:log-group:/aws/web:*", "logs/%2Faws%2Fweb/als-1.jsonl"),
            ("arn:aws:firehose:us-west-2:123456789012:deliverystream/web", "firehose/web/als-1.jsonl"),
        ] {
            let subscription = Subscription { id: "als-1".to_owned(), destination: destination.to_owned() };
            assert_eq!(path(&subscription), Path::new(expected));
        }
        let long = format!("arn:aws:s3:::{}", "ä".repeat(500));
        let path = path(&Subscription { id: "als-1".to_owned(), destination: long });
        assert_eq!(path.iter().nth(1).map(std::ffi::OsStr::len), Some(MOST_NAME));
    }
}
