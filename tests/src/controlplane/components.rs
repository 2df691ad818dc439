//! The command line of each component.

use std::fs::File;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use super::binaries::Binaries;
use super::certificates::{Authority, Subject, create_signing_key};
use super::kubeconfig;
use crate::error::{Doing as _, Result};

/// The programs that make up a control plane, in the order in which they start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Component {
    /// The store.
    Etcd,
    /// The API server.
    ApiServer,
    /// The controllers: endpoints, deployments, node lifecycle, garbage and so on.
    ControllerManager,
    /// The scheduler.
    Scheduler,
}

impl Component {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Etcd, Self::ApiServer, Self::ControllerManager, Self::Scheduler];

    /// The program's name.
    #[must_use]
    pub fn program(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::ApiServer => "kube-apiserver",
            Self::ControllerManager => "kube-controller-manager",
            Self::Scheduler => "kube-scheduler",
        }
    }
}

/// TCP ports of a control plane.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "each is the port of what its name says")]
pub struct Ports {
    pub api_server: u16,
    pub etcd: u16,
    pub etcd_peer: u16,
    pub controller_manager: u16,
    pub scheduler: u16,
}

impl Ports {
    /// The usual ports with this one of the API server, for a network namespace of one's own.
    #[must_use]
    pub fn usual(api_server: u16) -> Self {
        Self { api_server, etcd: 2379, etcd_peer: 2380, controller_manager: 10257, scheduler: 10259 }
    }

    /// Five ports of the loopback interface that were free a moment ago.
    pub fn free() -> Result<Self> {
        let doing = "looking for a free port";
        // All are held until the last is known, so that no two are the same.
        let listeners: Vec<TcpListener> = (0..5)
            .map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
            .collect::<std::io::Result<_>>()
            .doing(doing)?;
        let mut ports = listeners.iter().map(|listener| listener.local_addr().map(|address| address.port()));
        let mut next =
            || ports.next().unwrap_or_else(|| Err(std::io::Error::other("no listener"))).doing(doing);
        Ok(Self {
            api_server: next()?,
            etcd: next()?,
            etcd_peer: next()?,
            controller_manager: next()?,
            scheduler: next()?,
        })
    }
}

/// How a control plane is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its folder: certificates, kubeconfigs, etcd's data, logs.
    pub folder: PathBuf,
    /// The address that the API server listens on; `::` listens on all, of both families.
    pub bind: IpAddr,
    /// The address that clients use, and endpoints of the service `kubernetes` name.
    pub address: IpAddr,
    /// More addresses for the API server's certificate.
    pub other_addresses: Vec<IpAddr>,
    /// Its ports.
    pub ports: Ports,
}

impl Settings {
    /// The URL of the API server.
    #[must_use]
    pub fn server(&self) -> String {
        format!("https://{}", std::net::SocketAddr::new(self.address, self.ports.api_server))
    }

    /// The folder of certificates and keys.
    #[must_use]
    pub fn certificates(&self) -> PathBuf {
        self.folder.join("certificates")
    }

    /// The log of a component.
    #[must_use]
    pub fn log(&self, component: Component) -> PathBuf {
        self.folder.join("logs").join(format!("{}.log", component.program()))
    }

    /// Makes the folder with all that the components need, and returns the authority that signed it.
    pub fn prepare(&self) -> Result<Authority> {
        for folder in ["etcd", "logs"] {
            let path = self.folder.join(folder);
            std::fs::create_dir_all(&path).doing_with(|| format!("making {}", path.display()))?;
        }
        let folder = self.certificates();
        let authority = Authority::create(&folder)?;
        let mut addresses = vec![
            self.address,
            Ipv4Addr::LOCALHOST.into(),
            Ipv6Addr::LOCALHOST.into(),
            // The first addresses of the service networks below, which the service `kubernetes` gets.
            Ipv4Addr::new(172, 20, 0, 1).into(),
            Ipv6Addr::new(0xfd00, 0x1a73, 0, 0, 0, 0, 0, 1).into(),
        ];
        addresses.extend(&self.other_addresses);
        authority.sign(
            "api-server",
            &Subject {
                name: "kube-apiserver",
                names: &["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"],
                addresses: &addresses,
                ..Subject::default()
            },
        )?;
        // Group system:masters: the API server may read every pod's log from the nodes.
        let client = Subject { name: "kube-apiserver", group: Some("system:masters"), ..Subject::default() };
        authority.sign("kubelet-client", &client)?;
        create_signing_key(&folder)?;
        kubeconfig::admin(&authority, &self.server(), &self.folder.join("kubeconfig"))?;
        for component in [Component::ControllerManager, Component::Scheduler] {
            let name = component.program();
            kubeconfig::component(
                &authority,
                &self.server(),
                name,
                &self.folder.join(format!("{name}.kubeconfig")),
            )?;
        }
        Ok(authority)
    }

    /// The command that starts a component, which logs to its file.
    pub fn command(&self, component: Component, binaries: &Binaries) -> Result<Command> {
        let arguments = match component {
            Component::Etcd => self.etcd(),
            Component::ApiServer => self.api_server(),
            Component::ControllerManager => self.controller_manager(),
            Component::Scheduler => self.scheduler(),
        };
        let path = self.log(component);
        let log = File::options()
            .create(true)
            .append(true)
            .open(&path)
            .doing_with(|| format!("opening {}", path.display()))?;
        let mut command = Command::new(binaries.path(component.program()));
        command
            .args(arguments)
            // None of the caller's variables may change what a component does; it needs none of them.
            .env_clear()
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone().doing("sharing a log file")?)
            .stderr(log);
        Ok(command)
    }

    fn etcd(&self) -> Vec<String> {
        let client = format!("http://127.0.0.1:{}", self.ports.etcd);
        let peer = format!("http://127.0.0.1:{}", self.ports.etcd_peer);
        vec![
            format!("--data-dir={}", self.folder.join("etcd").display()),
            format!("--listen-client-urls={client}"),
            format!("--advertise-client-urls={client}"),
            format!("--listen-peer-urls={peer}"),
            format!("--initial-advertise-peer-urls={peer}"),
            format!("--initial-cluster=default={peer}"),
            "--log-level=warn".into(),
            // Nothing here outlives the machine, so waiting for the disk buys nothing.
            "--unsafe-no-fsync=true".into(),
        ]
    }

    fn api_server(&self) -> Vec<String> {
        let file = |name: &str| path_text(&self.certificates().join(name));
        // Endpoints may not name a loopback address, so a control plane on one has none for `kubernetes`.
        let reconciler = if self.address.is_loopback() { "none" } else { "lease" };
        vec![
            format!("--endpoint-reconciler-type={reconciler}"),
            format!("--etcd-servers=http://127.0.0.1:{}", self.ports.etcd),
            format!("--secure-port={}", self.ports.api_server),
            format!("--bind-address={}", self.bind),
            format!("--advertise-address={}", self.address),
            "--service-cluster-ip-range=172.20.0.0/16,fd00:1a73::/108".into(),
            format!("--client-ca-file={}", file("ca.crt")),
            format!("--tls-cert-file={}", file("api-server.crt")),
            format!("--tls-private-key-file={}", file("api-server.key")),
            format!("--cert-dir={}", path_text(&self.certificates())),
            "--service-account-issuer=https://kubernetes.default.svc".into(),
            format!("--service-account-key-file={}", file("service-accounts.pub")),
            format!("--service-account-signing-key-file={}", file("service-accounts.key")),
            "--authorization-mode=Node,RBAC".into(),
            "--enable-admission-plugins=NodeRestriction".into(),
            "--allow-privileged=true".into(),
            "--enable-aggregator-routing=true".into(),
            format!("--kubelet-certificate-authority={}", file("ca.crt")),
            format!("--kubelet-client-certificate={}", file("kubelet-client.crt")),
            format!("--kubelet-client-key={}", file("kubelet-client.key")),
            "--kubelet-preferred-address-types=InternalIP".into(),
            "--profiling=false".into(),
        ]
    }

    fn controller_manager(&self) -> Vec<String> {
        let file = |name: &str| path_text(&self.certificates().join(name));
        let mut arguments = self.client(Component::ControllerManager, self.ports.controller_manager);
        arguments.extend([
            format!("--root-ca-file={}", file("ca.crt")),
            format!("--service-account-private-key-file={}", file("service-accounts.key")),
            format!("--cluster-signing-cert-file={}", file("ca.crt")),
            format!("--cluster-signing-key-file={}", file("ca.key")),
            "--use-service-account-credentials=true".into(),
            "--allocate-node-cidrs=false".into(),
        ]);
        arguments
    }

    fn scheduler(&self) -> Vec<String> {
        self.client(Component::Scheduler, self.ports.scheduler)
    }

    /// What the two clients of the API server have in common.
    fn client(&self, component: Component, port: u16) -> Vec<String> {
        let kubeconfig = path_text(&self.folder.join(format!("{}.kubeconfig", component.program())));
        vec![
            format!("--kubeconfig={kubeconfig}"),
            format!("--authentication-kubeconfig={kubeconfig}"),
            format!("--authorization-kubeconfig={kubeconfig}"),
            format!("--cert-dir={}", path_text(&self.certificates())),
            "--bind-address=127.0.0.1".into(),
            format!("--secure-port={port}"),
            // There is one of each; an election would only delay its start.
            "--leader-elect=false".into(),
            "--profiling=false".into(),
        ]
    }
}

fn path_text(path: &Path) -> String {
    path.display().to_string()
}
