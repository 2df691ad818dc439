//! The control plane's programs.

use std::path::PathBuf;

use crate::error::Result;
use crate::gomodule::{Built, Module, Program, required_version};

const GO_MOD: &str = include_str!("../../controlplane/go.mod");
const GO_SUM: &str = include_str!("../../controlplane/go.sum");

static MODULE: Module = Module {
    name: "controlplane",
    title: "the control plane",
    files: &[GO_MOD, GO_SUM],
    programs: &[
        program("etcd", "go.etcd.io/etcd/server/v3"),
        program("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver"),
        program("kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager"),
        program("kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler"),
        program("kubectl", "k8s.io/kubernetes/cmd/kubectl"),
        program("helm", "helm.sh/helm/v4/cmd/helm"),
    ],
    link_flags,
};

const fn program(name: &'static str, package: &'static str) -> Program {
    Program { name, package, tests: false }
}

/// The version of Kubernetes that is built, as `v1.36.3`.
#[must_use]
pub fn kubernetes_version() -> &'static str {
    required_version(GO_MOD, "k8s.io/kubernetes").unwrap_or("v0.0.0")
}

/// Where the programs are.
#[derive(Debug, Clone)]
pub struct Binaries {
    built: Built,
    /// `KUBEBUILDER_ASSETS`: what lies there goes before what was built.
    assets: Option<PathBuf>,
}

impl Binaries {
    /// The places that the environment names. Nothing is built or looked at yet.
    pub fn from_environment() -> Result<Self> {
        let assets = std::env::var_os("KUBEBUILDER_ASSETS").filter(|value| !value.is_empty());
        Ok(Self { built: Built::from_environment(&MODULE)?, assets: assets.map(PathBuf::from) })
    }

    /// The path of a program by its usual name, such as `kubectl`, whether it exists or not.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.asset(name).unwrap_or_else(|| self.built.path(name))
    }

    fn asset(&self, name: &str) -> Option<PathBuf> {
        self.assets.iter().map(|assets| assets.join(name)).find(|path| path.is_file())
    }

    /// Builds what is missing, which takes about eight minutes on two cores when nothing is there.
    pub async fn ensure(&self) -> Result<()> {
        self.built.ensure(|name| self.asset(name).is_none()).await
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn versions_come_from_the_go_module() {
        assert_eq!(kubernetes_version(), "v1.36.3");
        let flags = link_flags();
        for part in ["gitVersion=v1.36.3", "gitMajor=1", "gitMinor=36", "version.version=v4.3.1"] {
            assert!(flags.contains(part), "{part} in {flags}");
        }
    }

    #[test]
    fn programs_of_kubebuilder_assets_go_first_and_only_those_it_holds() {
        let assets = tempfile::tempdir().unwrap();
        std::fs::write(assets.path().join("etcd"), "").unwrap();
        let built = Built::in_folder(&MODULE, "/cache".into());
        let binaries = Binaries { built, assets: Some(assets.path().into()) };
        assert_eq!(binaries.path("etcd"), assets.path().join("etcd"));
        assert_eq!(binaries.path("kubectl"), Path::new("/cache/kubectl"));
    }

    #[test]
    fn every_program_is_a_tool_of_the_go_module() {
        for Program { package, .. } in MODULE.programs {
            assert!(GO_MOD.lines().any(|line| line.trim() == *package), "{package}");
        }
    }
}
