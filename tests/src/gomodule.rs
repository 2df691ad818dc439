//! Programs built from Go modules of this crate: found in the user's cache, built when they are not there yet.

use std::hash::{DefaultHasher, Hasher as _};
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use tokio::time::Instant;

use crate::error::{Doing as _, Error, Result};

/// A Go module and what is built from it.
#[derive(Debug)]
pub struct Module {
    /// Its folder in this crate, and its programs' folder in the cache.
    pub name: &'static str,
    /// What its programs are, for messages: "the control plane".
    pub title: &'static str,
    /// The content of its files: go.mod and go.sum, and what Go files it has.
    pub files: &'static [&'static str],
    /// What is built.
    pub programs: &'static [Program],
    /// What the linker is told.
    pub link_flags: fn() -> String,
}

/// A program and the package that it is built from.
#[derive(Debug)]
pub struct Program {
    /// Its name.
    pub name: &'static str,
    /// The package's import path.
    pub package: &'static str,
    /// Whether it runs the package's tests.
    pub tests: bool,
}

/// The version that a go.mod requires of a module.
#[must_use]
pub fn required_version<'a>(go_mod: &'a str, module: &str) -> Option<&'a str> {
    go_mod.lines().find_map(|line| {
        let mut words = line.split_whitespace().skip_while(|word| *word == "require");
        (words.next() == Some(module)).then(|| words.next())?.filter(|version| version.starts_with('v'))
    })
}

/// The programs of a module, in the cache.
#[derive(Debug, Clone)]
pub struct Built {
    module: &'static Module,
    folder: PathBuf,
}

impl Built {
    /// The folder in the cache that the environment names. Nothing is built or looked at yet.
    pub fn from_environment(module: &'static Module) -> Result<Self> {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let cache = variable("XDG_CACHE_HOME")
            .or_else(|| variable("HOME").map(|home| home.join(".cache")))
            .ok_or_else(|| {
            let title = module.title;
            Error::Usage(format!("set HOME or XDG_CACHE_HOME, where {title} is kept once built"))
        })?;
        Ok(Self::in_folder(module, cache.join("lath").join(module.name).join(cache_key(module))))
    }

    /// The programs in a folder.
    pub(crate) fn in_folder(module: &'static Module, folder: PathBuf) -> Self {
        Self { module, folder }
    }

    /// The path of a program by its name, whether it exists or not.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Builds what is missing, one program after the other, and tells on standard error how far it is. `wanted` says
    /// which programs are needed.
    ///
    /// Two processes never build at once; a program appears under its name only when it is complete.
    pub async fn ensure(&self, wanted: impl Fn(&str) -> bool) -> Result<()> {
        let programs = self.module.programs;
        let missing = |program: &Program| wanted(program.name) && !self.path(program.name).is_file();
        if !programs.iter().any(missing) {
            return Ok(());
        }
        std::fs::create_dir_all(&self.folder).doing_with(|| format!("making {}", self.folder.display()))?;
        let _lock = lock(&self.folder.join("lock"), self.module.title).await?;
        let mut narrator = Narrator::new();
        for (place, program) in programs.iter().enumerate() {
            if missing(program) {
                let label = format!("{} ({} of {})", program.name, place + 1, programs.len());
                self.build(program, &label, &mut narrator).await?;
            }
        }
        Ok(())
    }

    async fn build(&self, program: &Program, label: &str, narrator: &mut Narrator) -> Result<()> {
        let Program { name, package, tests } = program;
        let doing = || format!("building {name} from {package}");
        let partial = self.folder.join(format!(".{name}.{}", std::process::id()));
        let log = tempfile::NamedTempFile::new().doing_with(doing)?;
        let started = Instant::now();
        narrator.begin(label);
        let task: &[&str] = if *tests { &["test", "-c"] } else { &["build"] };
        let mut child = tokio::process::Command::new("go")
            .args(task)
            .args(["-trimpath", "-buildvcs=false", "-ldflags", &(self.module.link_flags)(), "-o"])
            .arg(&partial)
            .arg(package)
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(self.module.name))
            // A user's own Go settings (vendoring, a workspace) are meant for other modules.
            .env("GOFLAGS", "")
            .env("GOWORK", "off")
            .env("CGO_ENABLED", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.reopen().doing_with(doing)?)
            .kill_on_drop(true)
            .spawn()
            .doing_with(|| format!("{}; is Go installed", doing()))?;
        let mut ticks = tokio::time::interval(Duration::from_secs(1));
        let status = loop {
            tokio::select! {
                status = child.wait() => break status.doing_with(doing)?,
                _ = ticks.tick() => narrator.tick(label, started.elapsed()),
            }
        };
        if !status.success() {
            let said = std::fs::read_to_string(log.path()).unwrap_or_default();
            return Err(Error::failed(doing(), format!("go failed:\n{}", last_lines(&said, 20))));
        }
        std::fs::rename(&partial, self.path(name)).doing_with(doing)?;
        narrator.end(label, started.elapsed());
        Ok(())
    }
}

/// Names the folder of what these files build. Not a secure hash: they are ours.
fn cache_key(module: &Module) -> String {
    let mut hasher = DefaultHasher::new();
    for file in module.files {
        hasher.write(file.as_bytes());
    }
    hasher.write((module.link_flags)().as_bytes());
    format!("{:016x}", hasher.finish())
}

/// Waits until this process alone holds the lock; the kernel frees it with the process.
async fn lock(path: &Path, title: &str) -> Result<std::fs::File> {
    let doing = || format!("locking {}", path.display());
    let file = std::fs::File::create(path).doing_with(doing)?;
    let mut told = false;
    loop {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(file),
            Err(rustix::io::Errno::WOULDBLOCK) => {
                if !told {
                    eprintln!("another process builds {title}; waiting for it");
                    told = true;
                }
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            Err(errno) => return Err(errno).doing_with(doing),
        }
    }
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// Tells how far a build is: a moving line on a terminal, plain lines elsewhere.
struct Narrator {
    terminal: bool,
}

impl Narrator {
    fn new() -> Self {
        Self { terminal: std::io::stderr().is_terminal() }
    }

    fn begin(&mut self, label: &str) {
        if !self.terminal {
            eprintln!("building {label}");
        }
    }

    fn tick(&mut self, label: &str, elapsed: Duration) {
        if self.terminal {
            eprint!("\r\x1b[Kbuilding {label}: {} s", elapsed.as_secs());
            // A line that does not show at once is no reason to fail.
            let _ = std::io::stderr().flush();
        }
    }

    fn end(&mut self, label: &str, elapsed: Duration) {
        let start = if self.terminal { "\r\x1b[K" } else { "" };
        eprintln!("{start}built {label} in {} s", elapsed.as_secs());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_what_is_required_not_what_replaces_it() {
        assert_eq!(required_version("\tk8s.io/api v0.36.3", "k8s.io/api"), Some("v0.36.3"));
        assert_eq!(required_version("require k8s.io/api v0.36.3", "k8s.io/api"), Some("v0.36.3"));
        assert_eq!(required_version("\tk8s.io/api => k8s.io/api v0.36.3", "k8s.io/api"), None);
    }
}
