//! What a pod's containers share: its network, its volumes and a few files.

use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Pod, PodDNSConfig};
use kube::ResourceExt as _;

use super::Context;
use super::environment::hostname;
use super::volumes::Volumes;
use crate::cgroup;
use crate::container::Mount;
use crate::error::{Doing as _, Error, Result};
use crate::network::{Namespace, PodNetwork};

/// A pod's surroundings. [`Sandbox::destroy`] it.
#[derive(Debug)]
pub(super) struct Sandbox {
    context: Arc<Context>,
    pod: Arc<Pod>,
    network: Option<PodNetwork>,
    /// The pod's addresses, IPv4 first.
    pub addresses: Vec<IpAddr>,
    papers: PathBuf,
}

impl Sandbox {
    /// Gives the pod addresses, a network namespace, a cgroup and its files.
    pub(super) async fn create(context: Arc<Context>, pod: Arc<Pod>) -> Result<Self> {
        let spec = pod.spec.as_ref();
        let host_network = spec.is_some_and(|spec| spec.host_network == Some(true));
        let node = &context.settings.network;
        let network = if host_network { None } else { Some(attach(&context, &pod).await?) };
        let addresses =
            network.as_ref().map_or(node.addresses(), |network| network.addresses).both().to_vec();
        let papers = context.pod_folder(&pod).join("etc");
        let sandbox =
            Self { context: Arc::clone(&context), pod: Arc::clone(&pod), network, addresses, papers };
        let written = sandbox.write_papers().and_then(|()| cgroup::create(&context.pod_cgroup(&pod)));
        if let Err(error) = written {
            sandbox.destroy().await?;
            return Err(error);
        }
        Ok(sandbox)
    }

    /// The network namespace of the pod's containers.
    pub(super) fn namespace(&self) -> &Namespace {
        self.network.as_ref().map_or(self.context.settings.network.namespace(), |network| &network.namespace)
    }

    /// Makes the pod's volumes, or makes them anew.
    pub(super) async fn volumes(self: Arc<Self>) -> Result<Volumes> {
        Volumes::prepare(&self.context, &self.pod, &self.addresses).await
    }

    /// The files in `/etc` that Kubernetes gives every container.
    pub(super) fn mounts(&self) -> Vec<Mount> {
        ["hosts", "hostname", "resolv.conf"]
            .map(|name| Mount {
                source: self.papers.join(name),
                target: PathBuf::from("/etc").join(name),
                read_only: false,
            })
            .into()
    }

    /// Takes the network and the cgroup away; all processes have ended.
    pub(super) async fn destroy(&self) -> Result<()> {
        if let Some(network) = &self.network {
            let detached = self.context.settings.network.detach(network).await;
            self.context.settings.network.fabric().pool().free(network.addresses);
            detached?;
        }
        cgroup::remove_when_empty(&self.context.pod_cgroup(&self.pod)).await
    }

    fn write_papers(&self) -> Result<()> {
        let doing = || format!("writing the files of pod {}", self.pod.name_any());
        fs::create_dir_all(&self.papers).doing_with(doing)?;
        let spec = self.pod.spec.clone().unwrap_or_default();
        let hostname = hostname(&self.context, &self.pod);
        let mut hosts =
            vec!["127.0.0.1\tlocalhost".to_owned(), "::1\tlocalhost ip6-localhost ip6-loopback".into()];
        hosts.extend(self.addresses.iter().map(|address| format!("{address}\t{hostname}")));
        for alias in spec.host_aliases.iter().flatten() {
            let names: Vec<&str> = alias.hostnames.iter().flatten().map(String::as_str).collect();
            hosts.push(format!("{}\t{}", alias.ip, names.join(" ")));
        }
        let resolver = self.resolver(spec.dns_policy.as_deref(), spec.dns_config.unwrap_or_default());
        for (name, lines) in [("hosts", hosts), ("hostname", vec![hostname]), ("resolv.conf", resolver)] {
            fs::write(self.papers.join(name), lines.join("\n") + "\n").doing_with(doing)?;
        }
        Ok(())
    }

    /// The lines of resolv.conf. There is no cluster DNS; a pod that brings its own resolver gets it.
    fn resolver(&self, policy: Option<&str>, dns: PodDNSConfig) -> Vec<String> {
        let mut lines: Vec<String> =
            dns.nameservers.iter().flatten().map(|server| format!("nameserver {server}")).collect();
        let mut search: Vec<String> = dns.searches.unwrap_or_default();
        if policy != Some("None") {
            let namespace = self.pod.namespace().unwrap_or_default();
            search.push(format!("{namespace}.svc.cluster.local"));
            search.extend(["svc.cluster.local".to_owned(), "cluster.local".to_owned()]);
        }
        if !search.is_empty() {
            lines.push(format!("search {}", search.join(" ")));
        }
        for option in dns.options.iter().flatten() {
            let value = option.value.as_ref().map(|value| format!(":{value}")).unwrap_or_default();
            lines.push(format!("options {}{value}", option.name.as_deref().unwrap_or_default()));
        }
        lines
    }
}

/// Takes addresses and attaches the pod with them. An address that a test wants for this pod is waited for.
async fn attach(context: &Context, pod: &Pod) -> Result<PodNetwork> {
    let node = &context.settings.network;
    let name = format!("{}/{}", pod.namespace().unwrap_or_default(), pod.name_any());
    for _ in 0..500 {
        let taken = node.fabric().pool().take(&name);
        if let Some(addresses) = taken {
            let attached = node.attach(addresses).await;
            if attached.is_err() {
                node.fabric().pool().free(addresses);
            }
            return attached;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Err(Error::failed(
        format!("giving the pod {name} an address"),
        "all are in use, or the one that a test wants for it is",
    ))
}
