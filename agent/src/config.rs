//! Configuration: flags, each also an environment variable, and their defaults.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::{Context as _, bail};
use clap::{Parser, ValueEnum};
use runtime::telemetry;

/// Puts the ready pods of this node into VPC Lattice target groups.
///
/// Runs once per node, as a DaemonSet, and acts on the TargetGroupBindings that lath-controller has accepted. AWS
/// credentials, region and endpoint are found as by every AWS tool (AWS_REGION, AWS_ENDPOINT_URL_VPC_LATTICE, ...).
#[derive(Debug, Parser)]
#[command(name = "lath-agent", version, args_override_self = true)]
pub struct Args {
    /// The node that this agent runs on [also: NODE_NAME]
    #[arg(long, env = "LATH_NODE_NAME", value_name = "NAME")]
    node_name: Option<String>,

    /// The cluster's name, as in the tag lath.dev/cluster of its target groups [also: CLUSTER_NAME]
    #[arg(long, env = "LATH_CLUSTER_NAME", value_name = "NAME")]
    cluster_name: Option<String>,

    /// The namespace of this agent's Lease: the one that Lath is installed in
    #[arg(long, env = "LATH_NAMESPACE", default_value = "lath-system", value_name = "NAME")]
    namespace: String,

    /// The name of this agent's pod, which the Lease shows as its holder
    #[arg(long, env = "LATH_POD_NAME", value_name = "NAME")]
    pod_name: Option<String>,

    /// The targets pipeline: registers and deregisters this node's pods
    #[arg(long, env = "LATH_TARGETS", default_value = "on", value_name = "on|off")]
    targets: Switch,

    /// The address of metrics, health, readiness and the status page
    #[arg(long, env = "LATH_ADMIN_LISTEN", default_value = "[::]:9808", value_name = "ADDR:PORT")]
    admin_listen: SocketAddr,

    /// Where the journal of registered targets is kept, on the node's disk
    #[arg(long, env = "LATH_STATE_DIR", default_value = "/var/lib/lath", value_name = "DIR")]
    state_dir: PathBuf,

    /// The file that holds the boot id of the node
    #[arg(
        long,
        env = "LATH_BOOT_ID_FILE",
        default_value = "/proc/sys/kernel/random/boot_id",
        value_name = "FILE",
        hide = true
    )]
    boot_id_file: PathBuf,

    /// How long this agent's Lease lasts; it is renewed four times as often. The controller looks after the targets of
    /// a node whose Lease has lapsed
    #[arg(long, env = "LATH_LEASE_SECONDS", default_value_t = 120, value_name = "SECONDS",
          value_parser = clap::value_parser!(u32).range(4..=3600))]
    lease_seconds: u32,

    /// Least time between two calls for one target group and direction, in which changes gather
    #[arg(long, env = "LATH_GATHER_MS", default_value_t = 20, value_name = "MILLISECONDS",
          value_parser = clap::value_parser!(u32).range(0..=10_000))]
    gather_ms: u32,

    /// What to log: a level, or directives such as info,lath_agent=debug
    #[arg(long, env = "LATH_LOG", default_value = "info", value_name = "FILTER")]
    log: String,

    /// How log lines look: json or text
    #[arg(long, env = "LATH_LOG_FORMAT", default_value = "json", value_name = "FORMAT")]
    log_format: telemetry::Format,
}

/// Whether a pipeline runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// It runs.
    On,
    /// It does not.
    Off,
}

/// What the agent goes by, complete and checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// This node.
    pub node: String,
    /// The boot id of this node.
    pub boot_id: String,
    /// The cluster's name.
    pub cluster: String,
    /// The namespace of the Lease.
    pub namespace: String,
    /// Who holds the Lease.
    pub holder: String,
    /// Whether the targets pipeline runs.
    pub targets: bool,
    /// The address of the admin server.
    pub admin_listen: SocketAddr,
    /// Where the journal is kept.
    pub state_dir: PathBuf,
    /// How long the Lease lasts.
    pub lease: Duration,
    /// Least time between two calls for one group and direction.
    pub gather: Duration,
    /// What to log.
    pub log: String,
    /// How log lines look.
    pub log_format: telemetry::Format,
}

impl Args {
    /// Completes the arguments from the environment.
    ///
    /// # Errors
    /// When something that has no default is missing, or a file can't be read.
    pub fn resolve(self) -> anyhow::Result<Config> {
        let fallback = |value: Option<String>, variable: &str| {
            value.or_else(|| std::env::var(variable).ok()).filter(|value| !value.is_empty())
        };
        let Some(node) = fallback(self.node_name, "NODE_NAME") else {
            bail!(
                "the node's name is not known: give --node-name, or set NODE_NAME from spec.nodeName of the pod"
            );
        };
        let Some(cluster) = fallback(self.cluster_name, "CLUSTER_NAME") else {
            bail!("the cluster's name is not known: give --cluster-name, or set CLUSTER_NAME");
        };
        let boot_id = std::fs::read_to_string(&self.boot_id_file).with_context(|| {
            format!(
                "reading the node's boot id from {} failed; is /proc mounted?",
                self.boot_id_file.display()
            )
        })?;
        Ok(Config {
            holder: self.pod_name.unwrap_or_else(|| node.clone()),
            node,
            boot_id: boot_id.trim().into(),
            cluster,
            namespace: self.namespace,
            targets: self.targets == Switch::On,
            admin_listen: self.admin_listen,
            state_dir: self.state_dir,
            lease: Duration::from_secs(self.lease_seconds.into()),
            gather: Duration::from_millis(self.gather_ms.into()),
            log: self.log,
            log_format: self.log_format,
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn every_flag_is_an_environment_variable_of_its_name() {
        for flag in Args::command()
            .get_arguments()
            .filter(|flag| !["help", "version"].contains(&flag.get_id().as_str()))
        {
            let long = flag.get_long().unwrap();
            let variable = format!("LATH_{}", long.replace('-', "_").to_uppercase());
            assert_eq!(flag.get_env().and_then(|env| env.to_str()), Some(variable.as_str()), "--{long}");
        }
    }

    #[test]
    fn a_bad_value_is_named_with_what_is_good() {
        let parse =
            |args: &[&str]| Args::try_parse_from([&["lath-agent"], args].concat()).unwrap_err().to_string();
        assert!(parse(&["--admin-listen", "9808"]).contains("--admin-listen <ADDR:PORT>"));
        assert!(parse(&["--log-format", "xml"]).contains("give json or text"));
        assert!(parse(&["--lease-seconds", "1"]).contains("4..=3600"));
        assert!(parse(&["--targets", "maybe"]).contains("[possible values: on, off]"));
    }
}
