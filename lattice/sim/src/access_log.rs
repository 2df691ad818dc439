//! Access logs: the lines that subscriptions get, kept for the admin endpoint and appended to files.
//!
//! A file is `KIND/NAME/SUBSCRIPTION.jsonl`: kind and name of the destination, `s3` or `logs` or `firehose` and the name
//! of the bucket, log group or delivery stream, and the id of the subscription. Each line is an entry in JSON. The real
//! service delivers some minutes late, in batches; here lines are there within a second.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
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
/// Most lines that are shown at a time.
const MOST_AT_ONCE: usize = 10_000;
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
#[derive(Debug, Clone)]
struct Kept {
    subscription: Subscription,
    line: Arc<str>,
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

impl Simulator {
    /// Gives each of these subscriptions a line.
    pub(crate) fn log_access(&self, subscriptions: Vec<Subscription>, entry: &impl Serialize) {
        if subscriptions.is_empty() {
            return;
        }
        // Texts, numbers and addresses, of which entries are made, always become JSON.
        let Ok(line) = serde_json::to_string(entry) else { return };
        let line: Arc<str> = line.into();
        let mut world = self.lock();
        for subscription in subscriptions {
            world.access_log.0.add(Kept { subscription, line: Arc::clone(&line) });
        }
    }

    /// The lines with a number above `after`, so many at most.
    fn lines(&self, after: u64, most: usize) -> Vec<(u64, Kept)> {
        let world = self.lock();
        let lines = world.access_log.0.after(after).take(most);
        lines.map(|(n, kept)| (n, kept.clone())).collect()
    }

    /// The lines of access logs with a number above `after`, [`MOST_AT_ONCE`] at most, as far as they are still held.
    #[must_use]
    pub fn access_log(&self, after: u64) -> Vec<AccessLogEntry> {
        let entry = |(n, kept): (u64, Kept)| AccessLogEntry {
            n,
            subscription: kept.subscription.id,
            destination: kept.subscription.destination,
            entry: serde_json::from_str(&kept.line).unwrap_or(Value::Null),
        };
        self.lines(after, MOST_AT_ONCE).into_iter().map(entry).collect()
    }
}

/// Why access logs can't be written.
#[derive(Debug, thiserror::Error)]
#[error("writing the access log {}", path.display())]
pub struct Error {
    path: PathBuf,
    source: io::Error,
}

/// Files that access logs are appended to. Clones are handles to the same files.
#[derive(Debug, Clone)]
pub struct AccessLogFiles {
    folder: Arc<Path>,
    /// The number of the last line that was written. It is locked while lines are.
    written: Arc<Mutex<u64>>,
}

impl AccessLogFiles {
    /// Files in this folder, which is made if it is not there, with those above it.
    pub fn new(folder: &Path) -> Result<Self, Error> {
        let wrong = |source| Error { path: folder.to_owned(), source };
        fs::create_dir_all(folder).map_err(wrong)?;
        // Whether files can be made there shows now, and not when the first line comes.
        let probe = folder.join(format!(".{}", std::process::id()));
        File::create(&probe).map_err(wrong)?;
        fs::remove_file(&probe).map_err(wrong)?;
        Ok(Self { folder: folder.into(), written: Arc::default() })
    }

    /// Appends the lines that are new since the last time. Where that fails, the next time begins with the lines that
    /// failed; those of other files behind them wait.
    pub fn append(&self, simulator: &Simulator) -> Result<(), Error> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let lines = simulator.lines(*written, MOST_LINES);
            let (Some((first, _)), Some((last, _))) = (lines.first(), lines.last()) else { return Ok(()) };
            let lost = first - *written - 1;
            if lost > 0 {
                tracing::warn!(lost, "lines of access logs came faster than they could be written");
                *written = first - 1;
            }
            let mut files = BTreeMap::<PathBuf, String>::new();
            for (_, kept) in &lines {
                let text = files.entry(self.folder.join(path(&kept.subscription))).or_default();
                text.push_str(&kept.line);
                text.push('\n');
            }
            let mut undo = Vec::new();
            for (path, text) in files {
                match append(&path, &text) {
                    Ok(before) => undo.push((path, before)),
                    Err(source) => {
                        // All of these lines or none, so that none is written twice.
                        for (path, before) in &undo {
                            shorten(path, *before);
                        }
                        return Err(Error { path, source });
                    }
                }
            }
            *written = *last;
        }
    }

    /// Goes on appending what is new. The future never ends.
    pub async fn follow(&self, simulator: &Simulator) {
        let mut failed = false;
        loop {
            tokio::time::sleep(PERIOD).await;
            let (files, simulator) = (self.clone(), simulator.clone());
            // A slow disk is not to hold up the rest.
            let appended = tokio::task::spawn_blocking(move || files.append(&simulator)).await;
            match appended {
                Ok(Ok(())) => failed = false,
                Ok(Err(error)) if !failed => {
                    failed = true;
                    let cause = &error.source;
                    tracing::warn!(%error, %cause, "trying again; the latest lines are kept until then");
                }
                Ok(Err(_)) => {}
                Err(error) => tracing::warn!(%error, "writing access logs broke off; trying again"),
            }
        }
    }
}

/// Appends to a file, all or nothing: the length that it had before.
fn append(path: &Path, lines: &str) -> io::Result<u64> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    if fs::metadata(path).is_ok_and(|file| file.len() >= MOST_FILE_BYTES) {
        fs::rename(path, path.with_extension("jsonl.old"))?;
    }
    let mut file = File::options().create(true).append(true).open(path)?;
    let before = file.metadata()?.len();
    if let Err(error) = file.write_all(lines.as_bytes()) {
        shorten(path, before);
        return Err(error);
    }
    Ok(before)
}

/// Gives a file the length that it had.
fn shorten(path: &Path, length: u64) {
    let shortened = File::options().write(true).open(path).and_then(|file| file.set_len(length));
    if let Err(error) = shortened {
        tracing::warn!(path = %path.display(), %error, "lines of the access log may stand there twice");
    }
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
    let file = format!("{}.jsonl", part(&subscription.id));
    [part(kind), part(name), file].iter().collect()
}

/// A part of a path, whatever stands in the text.
fn part(text: &str) -> String {
    let mut part = utf8_percent_encode(text, PLAIN).to_string();
    part.truncate(MOST_NAME);
    if part.is_empty() || part.starts_with('.') {
        part.insert(0, '_');
    }
    part
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
            ("arn:aws:/etc:::x", "%2Fetc/x/als-1.jsonl"),
            ("", "_/_/als-1.jsonl"),
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
