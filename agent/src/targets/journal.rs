//! The journal: what this agent has registered, on the node's disk, so that a killed agent knows what it owns.
//!
//! Lines of JSON. A line is written before each call and another with its answer, each by one `write`, so a process that
//! is killed at any instant loses nothing; there is no fsync, since a node that loses power has a new boot id and its
//! pods new addresses. A journal that cannot be written stops no call: the record in the cluster follows anyway.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use lattice::{Target, TargetGroupArn};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{desired::PodRef, group::Hold};

/// The version of the format. A journal of another version is not read.
const VERSION: u32 = 1;

/// Lines that a journal may have beyond what it tells before it is written anew.
const SURPLUS_LINES: usize = 2_000;

/// The longest line that is read: 100 targets of 200 bytes, ten times over. A longer one is damage.
const LONGEST_LINE: u64 = 200_000;

/// How long to wait before a journal that could not be written is tried again.
const RETRY: Duration = Duration::from_secs(5);

/// A journal and what it is written to.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    boot_id: String,
    file: Option<File>,
    lines: usize,
    retry_at: Option<Instant>,
    error: Option<String>,
}

/// What a journal says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// The node's boot id when it was written.
    pub boot_id: String,
    /// What Lattice holds, and with [`Hold::Nothing`] what was taken out a while ago and may still drain.
    pub targets: BTreeMap<(TargetGroupArn, Target), (PodRef, Hold)>,
    /// Part of it could not be read, so that there may be more.
    pub damaged: bool,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    /// The first line.
    Head { version: u32, boot_id: String },
    /// A call is about to be made; until its answer is known, Lattice may hold these targets.
    Calling { group: TargetGroupArn, targets: Vec<(Target, String, String)> },
    /// What Lattice holds of these targets after a call. `null`: nobody knows.
    Holds { group: TargetGroupArn, targets: Vec<Target>, registered: Option<bool> },
}

impl Journal {
    /// Reads the journal at `path`, if there is one, and prepares to go on with it. Nothing is written yet.
    pub fn open(path: &Path, boot_id: &str) -> (Self, Option<Memory>) {
        let journal = Self {
            path: path.into(),
            boot_id: boot_id.into(),
            file: None,
            lines: 0,
            retry_at: None,
            error: None,
        };
        let memory = match File::open(path) {
            Ok(file) => Some(read(BufReader::new(file))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "the journal can't be read, starting without it");
                None
            }
        };
        (journal, memory)
    }

    /// Notes that a call is about to be made.
    pub fn calling<'a>(
        &mut self,
        group: &TargetGroupArn,
        targets: impl Iterator<Item = (Target, &'a PodRef)>,
    ) {
        let targets =
            targets.map(|(target, pod)| (target, pod.uid.to_string(), pod.name.to_string())).collect();
        self.append(&Line::Calling { group: group.clone(), targets });
    }

    /// Notes what Lattice holds of some targets now.
    pub fn holds(&mut self, group: &TargetGroupArn, targets: impl Iterator<Item = (Target, Hold)>) {
        let mut by_hold: [Vec<Target>; 3] = Default::default();
        for (target, hold) in targets {
            by_hold[hold as usize].push(target);
        }
        for hold in [Hold::Nothing, Hold::Maybe, Hold::Yes] {
            let targets = std::mem::take(&mut by_hold[hold as usize]);
            if !targets.is_empty() {
                let registered = match hold {
                    Hold::Nothing => Some(false),
                    Hold::Maybe => None,
                    Hold::Yes => Some(true),
                };
                self.append(&Line::Holds { group: group.clone(), targets, registered });
            }
        }
    }

    /// Whether the journal has so many lines, compared with the targets it tells of, that it should be written anew.
    #[must_use]
    pub fn is_long(&self, targets: usize) -> bool {
        self.file.is_none() && self.retry_at.is_none() || self.lines > SURPLUS_LINES + 4 * targets
    }

    /// Writes the journal anew, in one step, with what is known now.
    pub fn rewrite(&mut self, targets: &BTreeMap<(TargetGroupArn, Target), (PodRef, Hold)>) {
        let result = self.try_rewrite(targets);
        self.note(result);
    }

    /// When to try again to write the journal anew, after that failed.
    #[must_use]
    pub fn retry_at(&self) -> Option<Instant> {
        self.retry_at
    }

    /// Why the journal can't be written at the moment.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    fn try_rewrite(
        &mut self,
        targets: &BTreeMap<(TargetGroupArn, Target), (PodRef, Hold)>,
    ) -> io::Result<()> {
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let fresh = self.path.with_extension("new");
        let mut text = encode(&Line::Head { version: VERSION, boot_id: self.boot_id.clone() })?;
        let mut lines = 1;
        for ((group, target), (pod, hold)) in targets {
            let targets = vec![(*target, pod.uid.to_string(), pod.name.to_string())];
            text.extend(encode(&Line::Calling { group: group.clone(), targets })?);
            lines += 1;
            if *hold != Hold::Maybe {
                let (targets, registered) = (vec![*target], Some(*hold == Hold::Yes));
                text.extend(encode(&Line::Holds { group: group.clone(), targets, registered })?);
                lines += 1;
            }
        }
        std::fs::write(&fresh, text)?;
        std::fs::rename(&fresh, &self.path)?;
        self.file = Some(OpenOptions::new().append(true).open(&self.path)?);
        self.lines = lines;
        Ok(())
    }

    fn append(&mut self, line: &Line) {
        // Without a file the journal is waiting to be written anew, with all that is known by then.
        let Some(file) = &mut self.file else { return };
        let result = encode(line).and_then(|text| file.write_all(&text));
        self.lines += 1;
        self.note(result);
    }

    fn note(&mut self, result: io::Result<()>) {
        match result {
            Ok(()) => {
                if self.error.take().is_some() {
                    tracing::info!(path = %self.path.display(), "the journal is written again");
                }
                self.retry_at = None;
            }
            Err(error) => {
                if self.error.is_none() {
                    tracing::error!(path = %self.path.display(), %error, "writing the journal failed; calls go on, but an agent that is killed now has to ask the cluster what it owns. Is the disk full or read-only?");
                }
                self.error = Some(format!("writing {} failed: {error}", self.path.display()));
                // What it says is about to become untrue. Without it the next agent goes by the record in the cluster.
                drop(std::fs::remove_file(&self.path));
                self.file = None;
                self.retry_at = Some(Instant::now() + RETRY);
            }
        }
    }
}

fn encode(line: &Line) -> io::Result<Vec<u8>> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    Ok(text)
}

/// Reads lines for as long as they make sense. A last line without an end was being written when the agent died; the
/// call that it announces was not made.
fn read(mut reader: impl BufRead) -> Memory {
    let mut memory = Memory::default();
    let mut first = true;
    loop {
        let mut text = Vec::new();
        match io::Read::take(&mut reader, LONGEST_LINE).read_until(b'\n', &mut text) {
            Ok(0) => return memory,
            Ok(_) => {}
            Err(_unreadable) => {
                memory.damaged = true;
                return memory;
            }
        }
        let whole = text.ends_with(b"\n");
        match serde_json::from_slice::<Line>(&text) {
            Ok(Line::Head { version: VERSION, boot_id }) if first => memory.boot_id = boot_id,
            Ok(Line::Calling { group, targets }) if !first => {
                for (target, uid, name) in targets {
                    let pod = PodRef { uid: Arc::from(uid), name: Arc::from(name) };
                    memory.targets.insert((group.clone(), target), (pod, Hold::Maybe));
                }
            }
            Ok(Line::Holds { group, targets, registered }) if !first => {
                for target in targets {
                    let key = (group.clone(), target);
                    match registered {
                        Some(false) => {
                            if let Some((_, hold)) = memory.targets.get_mut(&key) {
                                *hold = Hold::Nothing;
                            }
                        }
                        Some(true) => {
                            if let Some((_, hold)) = memory.targets.get_mut(&key) {
                                *hold = Hold::Yes;
                            }
                        }
                        None => {}
                    }
                }
            }
            Err(_cut_off) if !whole => return memory,
            _ => memory.damaged = true,
        }
        first = false;
    }
}

#[cfg(test)]
mod tests;
