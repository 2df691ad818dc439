//! The control plane's programs: found in the user's cache, built from Go modules when they are not there yet.

use std::hash::{DefaultHasher, Hasher as _};
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use tokio::time::Instant;

use crate::error::{Doing as _, Error, Result};

const GO_MOD: &str = include_str!("../../controlplane/go.mod");
const GO_SUM: &str = include_str!("../../controlplane/go.sum");
/// The Go module that the programs are built from.
const MODULE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/controlplane");

/// The programs and the packages that they are built from.
const PROGRAMS: [(&str, &str); 6] = [
    ("etcd", "go.etcd.io/etcd/server/v3"),
    ("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver"),
    ("kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager"),
    ("kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler"),
    ("kubectl", "k8s.io/kubernetes/cmd/kubectl"),
    ("helm", "helm.sh/helm/v4/cmd/helm"),
];

/// The version of Kubernetes that is built, as `v1.36.3`.
#[must_use]
pub fn kubernetes_version() -> &'static str {
    required_version(GO_MOD, "k8s.io/kubernetes").unwrap_or("v0.0.0")
}

/// The version that a go.mod requires of a module.
fn required_version<'a>(go_mod: &'a str, module: &str) -> Option<&'a str> {
    go_mod.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        (words.next() == Some(module)).then(|| words.next())?.filter(|version| version.starts_with('v'))
    })
}

/// Where the programs are.
#[derive(Debug, Clone)]
pub struct Binaries {
    cache: PathBuf,
    /// `KUBEBUILDER_ASSETS`: what lies there goes before what was built.
    assets: Option<PathBuf>,
}

impl Binaries {
    /// The places that the environment names. Nothing is built or looked at yet.
    pub fn from_environment() -> Result<Self> {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let cache = variable("XDG_CACHE_HOME")
            .or_else(|| variable("HOME").map(|home| home.join(".cache")))
            .ok_or_else(|| {
            Error::Usage("set HOME or XDG_CACHE_HOME, where the control plane is kept once built".into())
        })?;
        Ok(Self {
            cache: cache.join("lath/controlplane").join(cache_key()),
            assets: variable("KUBEBUILDER_ASSETS"),
        })
    }

    /// The path of a program by its usual name, such as `kubectl`, whether it exists or not.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.assets
            .iter()
            .map(|assets| assets.join(name))
            .find(|path| path.is_file())
            .unwrap_or_else(|| self.cache.join(name))
    }

    /// Builds what is missing, one program after the other, and tells on standard error how far it is.
    ///
    /// Takes about eight minutes on two cores when nothing is there. Two processes never build at once; a program
    /// appears under its name only when it is complete.
    pub async fn ensure(&self) -> Result<()> {
        if self.missing().is_empty() {
            return Ok(());
        }
        std::fs::create_dir_all(&self.cache).doing_with(|| format!("making {}", self.cache.display()))?;
        let _lock = lock(&self.cache.join("lock")).await?;
        let missing = self.missing();
        let mut narrator = Narrator::new();
        for (place, (name, package)) in PROGRAMS.iter().enumerate() {
            if missing.contains(name) {
                let label = format!("{name} ({} of {})", place + 1, PROGRAMS.len());
                self.build(name, package, &label, &mut narrator).await?;
            }
        }
        Ok(())
    }

    fn missing(&self) -> Vec<&'static str> {
        PROGRAMS.iter().map(|(name, _)| *name).filter(|name| !self.path(name).is_file()).collect()
    }

    async fn build(&self, name: &str, package: &str, label: &str, narrator: &mut Narrator) -> Result<()> {
        let doing = || format!("building {name} from {package}");
        let partial = self.cache.join(format!(".{name}.{}", std::process::id()));
        let log = tempfile::NamedTempFile::new().doing_with(doing)?;
        let started = Instant::now();
        narrator.begin(label);
        let mut child = tokio::process::Command::new("go")
            .args(["build", "-trimpath", "-buildvcs=false", "-ldflags", &link_flags(), "-o"])
            .arg(&partial)
            .arg(package)
            .current_dir(MODULE)
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
            return Err(Error::failed(doing(), format!("go build failed:\n{}", last_lines(&said, 20))));
        }
        std::fs::rename(&partial, self.cache.join(name)).doing_with(doing)?;
        narrator.end(label, started.elapsed());
        Ok(())
    }
}

/// Names the folder of what this go.mod and go.sum build. Not a secure hash: both files are ours.
fn cache_key() -> String {
    let mut hasher = DefaultHasher::new();
    hasher.write(GO_MOD.as_bytes());
    hasher.write(GO_SUM.as_bytes());
    hasher.write(link_flags().as_bytes());
    format!("{:016x}", hasher.finish())
}

/// Leaves debug symbols out and stamps the versions, which Kubernetes and helm tell their clients.
fn link_flags() -> String {
    let kubernetes = kubernetes_version();
    let mut parts = kubernetes.trim_start_matches('v').split('.');
    let (major, minor) = (parts.next().unwrap_or("0"), parts.next().unwrap_or("0"));
    let helm = required_version(GO_MOD, "helm.sh/helm/v4").unwrap_or("v0.0.0");
    let version = "k8s.io/component-base/version";
    format!(
        "-s -w -X {version}.gitVersion={kubernetes} -X {version}.gitMajor={major} -X {version}.gitMinor={minor} \
         -X {version}.gitTreeState=clean -X helm.sh/helm/v4/internal/version.version={helm}"
    )
}

/// Waits until this process alone holds the lock; the kernel frees it with the process.
async fn lock(path: &Path) -> Result<std::fs::File> {
    let doing = || format!("locking {}", path.display());
    let file = std::fs::File::create(path).doing_with(doing)?;
    let mut told = false;
    loop {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(file),
            Err(rustix::io::Errno::WOULDBLOCK) => {
                if !told {
                    eprintln!("another process builds the control plane; waiting for it");
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
    fn versions_come_from_the_go_module() {
        assert_eq!(kubernetes_version(), "v1.36.3");
        let flags = link_flags();
        for part in ["gitVersion=v1.36.3", "gitMajor=1", "gitMinor=36", "version.version=v4.3.1"] {
            assert!(flags.contains(part), "{part} in {flags}");
        }
        assert_eq!(required_version("\tk8s.io/api => k8s.io/api v0.36.3", "k8s.io/api"), None);
    }

    #[test]
    fn programs_of_kubebuilder_assets_go_first_and_only_those_it_holds() {
        let assets = tempfile::tempdir().unwrap();
        std::fs::write(assets.path().join("etcd"), "").unwrap();
        let binaries = Binaries { cache: "/cache".into(), assets: Some(assets.path().into()) };
        assert_eq!(binaries.path("etcd"), assets.path().join("etcd"));
        assert_eq!(binaries.path("kubectl"), Path::new("/cache/kubectl"));
    }

    #[test]
    fn every_program_is_a_tool_of_the_go_module() {
        for (_, package) in PROGRAMS {
            assert!(GO_MOD.lines().any(|line| line.trim() == package), "{package}");
        }
    }
}
