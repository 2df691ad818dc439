//! A simulator's state in a file: written soon after each change, read at the start.
//!
//! The file is replaced as a whole, so that a crash at any instant leaves either the old or the new one. What was
//! changed within the last [`PERIOD`] before a crash may be lost.

use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::{self, Clock};
use crate::random::Random;
use crate::settings::Settings;
use crate::simulator::Simulator;
use crate::state::State;
use crate::surroundings::Surroundings;

/// The form of the file. One of another form is refused, not guessed at.
const FORM: u32 = 1;

/// Time between looks at whether there is something to write.
const PERIOD: Duration = Duration::from_secs(1);

/// The file's content.
#[derive(Serialize, Deserialize)]
struct Snapshot {
    form: u32,
    seed: u64,
    clock: clock::Kept,
    request_ids: Random,
    surroundings: Surroundings,
    state: State,
    /// The key of the data plane's authority, so that clients that know its certificate go on knowing it.
    #[serde(default)]
    authority_key: Option<String>,
    #[serde(default)]
    traffic_ids: Option<Random>,
}

/// A claim to a state file, which no other simulator can use meanwhile. It ends when this is dropped.
#[derive(Debug)]
pub struct Claim(#[expect(dead_code, reason = "the lock is held for as long as it is open")] File);

impl Claim {
    /// Claims a state file, by a lock on a file beside it whose name ends in `.lock`.
    pub fn of(path: &Path) -> Result<Self, Error> {
        let mut beside = path.as_os_str().to_owned();
        beside.push(".lock");
        let beside = PathBuf::from(beside);
        let opened = File::options().create(true).write(true).truncate(false).open(&beside);
        let file = opened.map_err(|source| Error::Io { doing: "opening", path: beside.clone(), source })?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(Error::Taken(path.to_owned())),
            Err(TryLockError::Error(source)) => Err(Error::Io { doing: "locking", path: beside, source }),
        }
    }
}

/// Why a file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It can't be read or written.
    #[error("{doing} the state file {}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Another simulator uses it.
    #[error("the state file {} is in use by another simulator; stop that one, or choose another file", .0.display())]
    Taken(PathBuf),
    /// It was begun with another seed.
    #[error(
        "the state file {} was begun with --seed {was}; start with --seed {was}, or move the file away to begin anew",
        path.display()
    )]
    Seed {
        /// The file.
        path: PathBuf,
        /// The seed that it was begun with.
        was: u64,
    },
    /// It is none of ours.
    #[error("the state file {} is damaged or none: {reason}; move it away to begin anew", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl Simulator {
    /// A simulator with what a state file holds, or with nothing where there is no such file yet.
    ///
    /// Settings are not in the file. The time since it was written has passed for the simulator as well, unless its
    /// clock is frozen.
    pub fn load(path: &Path, settings: Settings, seed: u64) -> Result<Self, Error> {
        let content = match fs::read(path) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::new(settings, seed)),
            Err(source) => return Err(Error::Io { doing: "reading", path: path.to_owned(), source }),
        };
        let wrong = |reason: String| Error::Content { path: path.to_owned(), reason };
        let snapshot: Snapshot =
            serde_json::from_slice(&content).map_err(|error| wrong(error.to_string()))?;
        if snapshot.form != FORM {
            return Err(wrong(format!("its form is {}, not {FORM}", snapshot.form)));
        }
        if snapshot.seed != seed {
            return Err(Error::Seed { path: path.to_owned(), was: snapshot.seed });
        }
        let simulator = Self::new(settings, seed);
        {
            let mut world = simulator.lock();
            world.clock = Clock::resume(&snapshot.clock, world.settings.clock_frozen.0);
            world.request_ids = snapshot.request_ids;
            world.allow_programs(&snapshot.surroundings);
            world.authority_key = snapshot.authority_key;
            if let Some(ids) = snapshot.traffic_ids {
                world.traffic_ids = ids;
            }
            world.begin_in(snapshot.surroundings);
            world.state = snapshot.state;
            let now = world.clock.now();
            world.state.restored(now);
        }
        Ok(simulator)
    }

    /// Keeps the state in a file from now on. The future never ends; when it is dropped, what changed since the last
    /// time is not written, for which there is [`Simulator::save`].
    pub async fn keep(&self, path: &Path) {
        let mut written = 0;
        loop {
            tokio::time::sleep(PERIOD).await;
            let changes = self.lock().changes;
            if changes == written {
                continue;
            }
            let (simulator, to) = (self.clone(), path.to_owned());
            let saved = tokio::task::spawn_blocking(move || simulator.save(&to)).await;
            match saved {
                Ok(Ok(())) => written = changes,
                Ok(Err(error)) => {
                    let cause =
                        std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
                    tracing::warn!(%error, cause, "the state is not kept; trying again");
                }
                Err(error) => tracing::warn!(%error, "writing the state file broke off; trying again"),
            }
        }
    }

    /// Writes the state to a file now.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        let _alone = self.saving();
        let snapshot = {
            let world = self.lock();
            Snapshot {
                form: FORM,
                seed: world.seed,
                clock: world.clock.keep(),
                request_ids: world.request_ids.clone(),
                surroundings: Surroundings::clone(&world.surroundings),
                state: world.state.clone(),
                authority_key: world.authority_key.clone(),
                traffic_ids: Some(world.traffic_ids.clone()),
            }
        };
        replace(path, &snapshot).map_err(|source| Error::Io {
            doing: "writing",
            path: path.to_owned(),
            source,
        })
    }
}

/// Replaces the file with another that is complete on the disk.
fn replace(path: &Path, snapshot: &Snapshot) -> io::Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let new = PathBuf::from(new);
    // There are keys in it.
    let file = File::options().create(true).write(true).truncate(true).mode(0o600).open(&new)?;
    let mut file = BufWriter::new(file);
    serde_json::to_writer(&mut file, snapshot)?;
    file.flush()?;
    file.get_ref().sync_all()?;
    fs::rename(&new, path)?;
    // The new name is on the disk only when its folder is.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
