//! Configuration: flags, the environment variables that stand for them, and what they come to.
//!
//! Every flag is also read from `LATH_…`. The AWS Gateway API Controller's variables are honoured where Lath needs the
//! same fact, so that its deployments can be taken over.

use std::{net::SocketAddr, time::Duration};

use clap::Parser;
use ipnet::IpNet;
use lath_kubernetes::connection;
use runtime::telemetry::Format;

use crate::{
    bindings::judge::Site,
    gateway::{engine, takeover},
    health::watchman,
    quotas::Quota,
    repair,
    repair::endpoints,
    webhook,
};

pub mod parse;

use parse::{address, calls_per_second, duration, quota};

/// The labels of the AWS controller's pods: those of its chart, and those of its manifests.
const AWS_CONTROLLER_PODS: [&str; 2] =
    ["app.kubernetes.io/name=aws-gateway-controller-chart", "control-plane=gateway-api-controller"];

/// What the process was started with.
#[derive(Debug, Parser)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[command(
    name = "lath-controller",
    version,
    args_override_self = true,
    about = "Brings Gateways and routes to VPC Lattice, opens readiness gates, repairs what agents cannot",
    long_about = "The cluster-wide part of Lath. It makes services of VPC Lattice out of Gateways and routes, judges \
                  TargetGroupBindings, reads the health of targets, opens readiness gates, and repairs what agents \
                  cannot. It talks to the cluster that KUBECONFIG names, or to the one it runs in."
)]
pub struct Arguments {
    /// What to do instead of running
    #[command(subcommand)]
    pub command: Option<Command>,

    /// The AWS region [environment: also REGION, AWS_REGION]
    #[arg(long, env = "LATH_REGION")]
    pub region: Option<String>,

    /// The AWS account of the cluster, 12 digits [environment: also AWS_ACCOUNT_ID]
    #[arg(long, env = "LATH_AWS_ACCOUNT_ID")]
    pub aws_account_id: Option<String>,

    /// The VPC of the cluster, such as vpc-0123456789abcdef0 [environment: also CLUSTER_VPC_ID]
    #[arg(long, env = "LATH_CLUSTER_VPC_ID")]
    pub cluster_vpc_id: Option<String>,

    /// The cluster's name, as in the tag lath.dev/cluster of its target groups [environment: also CLUSTER_NAME]
    #[arg(long, env = "LATH_CLUSTER_NAME")]
    pub cluster_name: Option<String>,

    /// The endpoint of VPC Lattice, instead of the region's [environment: also LATTICE_ENDPOINT, and
    /// AWS_ENDPOINT_URL_VPC_LATTICE as in every AWS tool]
    #[arg(long, env = "LATH_LATTICE_ENDPOINT")]
    pub lattice_endpoint: Option<String>,

    /// The endpoint of the other AWS services that are called (tags, certificates), such as a simulator's, instead of
    /// each one's own
    #[arg(long, env = "LATH_NEIGHBOURS_ENDPOINT")]
    pub neighbours_endpoint: Option<String>,

    /// The service network that is created, and associated with the VPC, for the Gateway of this name
    /// [environment: also DEFAULT_SERVICE_NETWORK]
    #[arg(long, env = "LATH_DEFAULT_SERVICE_NETWORK")]
    pub default_service_network: Option<String>,

    /// How often each service, target group and service network is read again, to mend what others changed; 0s: never
    #[arg(long, env = "LATH_DRIFT_PERIOD", default_value = "10m", value_parser = duration)]
    pub drift_period: Duration,

    /// List every resource of the account instead of asking the Resource Groups Tagging API for this cluster's
    /// [environment: also DISABLE_TAGGING_SERVICE_API]
    #[arg(long, env = "LATH_WITHOUT_TAGGING_API", num_args = 0..=1, default_value_t = false,
          default_missing_value = "true", action = clap::ArgAction::Set)]
    pub without_tagging_api: bool,

    /// Take over what the AWS Gateway API Controller has made, and serve its GatewayClasses, once that one is away. A value
    /// is its tag ManagedBy, which is ACCOUNT/CLUSTER/VPC of this cluster by default
    #[arg(long, env = "LATH_TAKE_OVER", value_name = "MANAGED_BY", num_args = 0..=1, require_equals = true,
          default_missing_value = "true")]
    pub take_over: Option<String>,

    /// A selector of the AWS controller's pods, repeatable: while there is one, nothing is taken over
    #[arg(long, env = "LATH_TAKE_OVER_PODS", value_name = "SELECTOR", value_delimiter = ';',
          default_values_t = AWS_CONTROLLER_PODS.map(String::from))]
    pub take_over_pods: Vec<String>,

    /// Where metrics are served: ADDRESS:PORT or :PORT
    #[arg(long, env = "LATH_METRICS_BIND_ADDRESS", default_value = ":8080", value_parser = address)]
    pub metrics_bind_address: SocketAddr,

    /// Where /healthz and /readyz are served: ADDRESS:PORT or :PORT
    #[arg(long, env = "LATH_HEALTH_PROBE_BIND_ADDRESS", default_value = ":8081", value_parser = address)]
    pub health_probe_bind_address: SocketAddr,

    /// Act only while holding the leader Lease, so that several controllers can run
    #[arg(
        long,
        env = "LATH_LEADER_ELECT",
        default_value_t = false,
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true,
        action = clap::ArgAction::Set
    )]
    pub leader_elect: bool,

    /// The namespace of the leader's and the agents' Leases; the pod's own by default [environment: also
    /// POD_NAMESPACE]
    #[arg(long, env = "LATH_NAMESPACE")]
    pub namespace: Option<String>,

    /// The name of this controller in Leases and Events [environment: also POD_NAME, HOSTNAME]
    #[arg(long, env = "LATH_POD_NAME")]
    pub pod_name: Option<String>,

    /// Let hand-made EndpointSlices of Services without a selector become targets
    #[arg(
        long,
        env = "LATH_ALLOW_MANUAL_ENDPOINTS",
        default_value_t = false,
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true,
        action = clap::ArgAction::Set
    )]
    pub allow_manual_endpoints: bool,

    /// A CIDR of the VPC, repeatable: hand-made endpoints have to be inside one
    #[arg(long, env = "LATH_VPC_CIDR", value_delimiter = ',')]
    pub vpc_cidr: Vec<IpNet>,

    /// How often the facts and tags of a target group are read again
    #[arg(long, env = "LATH_GROUP_REFRESH", default_value = "5m", value_parser = duration)]
    pub group_refresh: Duration,

    /// How often the numbers in a binding's status are written at most
    #[arg(long, env = "LATH_STATUS_NUMBERS_EVERY", default_value = "30s", value_parser = duration)]
    pub status_numbers_every: Duration,

    /// Most ListTargets calls per second for readiness gates, over all groups. 25 serve 20 rollouts at once
    #[arg(long, env = "LATH_GATE_READS_PER_SECOND", default_value = "25", value_parser = calls_per_second)]
    pub gate_reads_per_second: f64,

    /// The time that Lattice is assumed to need until a registration is in force, for gates of groups without health
    /// checks, and before requests are moved to a group
    #[arg(long, env = "LATH_ASSUMED_PROPAGATION", default_value = "2s", value_parser = duration)]
    pub assumed_propagation: Duration,

    /// How long a ready pod with a readiness gate waits for a binding to select it
    #[arg(long, env = "LATH_GATE_SETTLE", default_value = "10s", value_parser = duration)]
    pub gate_settle: Duration,

    /// Open readiness gates after so many seconds without Lattice's word; never by default
    #[arg(long, env = "LATH_GATE_FAIL_OPEN_SECONDS")]
    pub gate_fail_open_seconds: Option<u64>,

    /// ListTargets calls per second for auditing whole groups: the more groups there are, the longer a round takes
    #[arg(long, env = "LATH_AUDIT_CALLS_PER_SECOND", default_value = "1", value_parser = calls_per_second)]
    pub audit_calls_per_second: f64,

    /// How often a group is audited at most
    #[arg(long, env = "LATH_AUDIT_PERIOD", default_value = "30s", value_parser = duration)]
    pub audit_period: Duration,

    /// How far apart two audits have to agree on a difference before it is repaired
    #[arg(long, env = "LATH_CONFIRM_AFTER", default_value = "30s", value_parser = duration)]
    pub confirm_after: Duration,

    /// The longest time for which Lattice keeps a deregistered target
    #[arg(long, env = "LATH_DRAIN_TIME", default_value = "5m", value_parser = duration)]
    pub drain_time: Duration,

    /// How long a node without an agent is given to get one, before the controller stands in
    #[arg(long, env = "LATH_AGENT_GRACE", default_value = "2m", value_parser = duration)]
    pub agent_grace: Duration,

    /// How long a deleted binding waits for agents to take its targets out, before the controller does
    #[arg(long, env = "LATH_TEARDOWN_PATIENCE", default_value = "2m", value_parser = duration)]
    pub teardown_patience: Duration,

    /// Serve the admission webhook that gives pods of labelled namespaces the readiness gate and a preStop sleep
    #[arg(
        long,
        env = "LATH_WEBHOOK",
        default_value_t = false,
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true,
        action = clap::ArgAction::Set
    )]
    pub webhook: bool,

    /// Where the webhook is served: ADDRESS:PORT or :PORT
    #[arg(long, env = "LATH_WEBHOOK_BIND_ADDRESS", default_value = ":9443", value_parser = address)]
    pub webhook_bind_address: SocketAddr,

    /// How long the webhook lets containers sleep before they stop, up to 3600 s; 0: it adds no sleep
    #[arg(long, env = "LATH_WEBHOOK_PRESTOP_SECONDS", default_value = "30",
          value_parser = clap::value_parser!(u32).range(0..=3_600))]
    pub webhook_prestop_seconds: u32,

    /// Take the webhook's certificate from the Secret lath-webhook as somebody else keeps it there, cert-manager say,
    /// instead of making it
    #[arg(
        long,
        env = "LATH_WEBHOOK_EXTERNAL_CERTIFICATE",
        default_value_t = false,
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true,
        action = clap::ArgAction::Set
    )]
    pub webhook_external_certificate: bool,

    /// A quota of the account that AWS has raised, such as services=4000, repeatable: what lath_controller_quota shows. Those
    /// of a service and its listeners are told by GatewayParameters
    #[arg(long, env = "LATH_RAISED_QUOTAS", value_name = "QUOTA=NUMBER", value_delimiter = ',', value_parser = quota)]
    pub raised_quota: Vec<(Quota, u32)>,

    /// Log level, or directives such as info,lath_controller=debug
    #[arg(long, env = "LATH_LOG", default_value = "info")]
    pub log: String,

    /// Log format: json or text
    #[arg(long, env = "LATH_LOG_FORMAT", default_value = "json")]
    pub log_format: Format,
}

/// What the program does instead of running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::Subcommand)]
pub enum Command {
    /// Give back to the AWS Gateway API Controller what this cluster's Lath has made or taken over. While no controller
    /// runs; it talks to AWS only
    Release {
        /// Do it, instead of saying what would be done
        #[arg(long)]
        apply: bool,
    },
}

/// What is wrong with the configuration, and what to change.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// Something that has no default is missing.
    #[error("{what} is not known: give {flag} or set {variable}")]
    Missing {
        /// What.
        what: &'static str,
        /// By which flag.
        flag: &'static str,
        /// By which variable.
        variable: &'static str,
    },
    /// A value is not what it should be.
    #[error("{flag} {value:?} is not {expected}")]
    Invalid {
        /// By which flag.
        flag: &'static str,
        /// What was given.
        value: String,
        /// What is expected.
        expected: &'static str,
    },
    /// Hand-made endpoints are allowed, and nothing says which addresses are the VPC's.
    #[error("--allow-manual-endpoints needs the VPC's CIDRs: give --vpc-cidr at least once")]
    NoCidrs,
    /// The log filter can't be read.
    #[error("--log: {0}")]
    Log(String),
    /// There is no way to the API server.
    #[error(transparent)]
    Kubernetes(#[from] connection::Error),
}

/// What the process goes by.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it is.
    pub site: Site,
    /// VPC Lattice's endpoint, if it is not the region's.
    pub endpoint: Option<String>,
    /// The endpoint of the other AWS services, if it is not each one's own.
    pub neighbours: Option<String>,
    /// The service network that is made if there is none of this name.
    pub default_network: Option<String>,
    /// From whom is taken over.
    pub takeover: Option<takeover::Settings>,
    /// How VPC Lattice is brought to what is wanted.
    pub engine: engine::Settings,
    /// Where metrics are served.
    pub metrics: SocketAddr,
    /// Where probes are served.
    pub probes: SocketAddr,
    /// Whether there is an election.
    pub leader_elect: bool,
    /// The Leases' namespace, if it is not the pod's own.
    pub namespace: Option<String>,
    /// This controller's name.
    pub name: String,
    /// What hand-made endpoints have to fit.
    pub endpoints: endpoints::Rules,
    /// How often groups are read.
    pub group_refresh: Duration,
    /// How often numbers are written.
    pub numbers_every: Duration,
    /// How gates are decided.
    pub gates: watchman::Settings,
    /// How repairs are made.
    pub repair: repair::Settings,
    /// Quotas that AWS has raised.
    pub raised_quotas: Vec<(Quota, u32)>,
    /// How the webhook is run, if it is.
    pub webhook: Option<webhook::Settings>,
}

impl Arguments {
    /// What the arguments come to, with `variable` reading the environment.
    ///
    /// # Errors
    /// What is wrong, in one sentence.
    pub fn resolve(self, variable: impl Fn(&str) -> Option<String>) -> Result<Config, Error> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let required = |given: Option<String>, what, flag, names: &[&'static str]| {
            given
                .filter(|value| !value.is_empty())
                .or_else(|| names.iter().find_map(|name| variable(name)))
                .ok_or(Error::Missing { what, flag, variable: names.first().copied().unwrap_or_default() })
        };
        let site = Site {
            region: required(self.region, "the AWS region", "--region", &["REGION", "AWS_REGION"])?,
            account: required(
                self.aws_account_id,
                "the AWS account",
                "--aws-account-id",
                &["AWS_ACCOUNT_ID"],
            )?,
            vpc: required(self.cluster_vpc_id, "the cluster's VPC", "--cluster-vpc-id", &["CLUSTER_VPC_ID"])?,
            cluster: required(self.cluster_name, "the cluster's name", "--cluster-name", &["CLUSTER_NAME"])?,
            manual_endpoints: self.allow_manual_endpoints,
        };
        if site.account.len() != 12 || !site.account.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Error::Invalid {
                flag: "--aws-account-id",
                value: site.account,
                expected: "an account id, which has 12 digits",
            });
        }
        if !site.vpc.starts_with("vpc-") {
            return Err(Error::Invalid {
                flag: "--cluster-vpc-id",
                value: site.vpc,
                expected: "the id of a VPC, which begins with vpc-",
            });
        }
        let endpoint = self.lattice_endpoint.or_else(|| variable("LATTICE_ENDPOINT"));
        let endpoints =
            [("--lattice-endpoint", &endpoint), ("--neighbours-endpoint", &self.neighbours_endpoint)];
        for (flag, endpoint) in endpoints {
            if let Some(endpoint) = endpoint
                && !(endpoint.starts_with("http://") || endpoint.starts_with("https://"))
            {
                return Err(Error::Invalid {
                    flag,
                    value: endpoint.clone(),
                    expected: "a URL, which begins with https:// or http://",
                });
            }
        }
        let takeover = takeover_of(self.take_over, self.take_over_pods, &site)?;
        let untagged = variable("DISABLE_TAGGING_SERVICE_API").is_some_and(|value| value == "true");
        if self.allow_manual_endpoints && self.vpc_cidr.is_empty() {
            return Err(Error::NoCidrs);
        }
        Ok(Config {
            site,
            endpoint,
            neighbours: self.neighbours_endpoint,
            default_network: self
                .default_service_network
                .filter(|name| !name.is_empty())
                .or_else(|| variable("DEFAULT_SERVICE_NETWORK")),
            takeover,
            engine: engine::Settings {
                audit_period: Some(self.drift_period).filter(|period| !period.is_zero()),
                tagging: !(self.without_tagging_api || untagged),
                propagation: self.assumed_propagation,
                ..engine::Settings::default()
            },
            metrics: self.metrics_bind_address,
            probes: self.health_probe_bind_address,
            leader_elect: self.leader_elect,
            namespace: self.namespace.or_else(|| variable("POD_NAMESPACE")),
            name: self
                .pod_name
                .or_else(|| variable("POD_NAME"))
                .or_else(|| variable("HOSTNAME"))
                .unwrap_or_else(|| "lath-controller".into()),
            endpoints: endpoints::Rules { allowed: self.allow_manual_endpoints, cidrs: self.vpc_cidr },
            group_refresh: self.group_refresh,
            numbers_every: self.status_numbers_every,
            gates: watchman::Settings {
                reads_per_second: self.gate_reads_per_second,
                propagation: self.assumed_propagation,
                settle: self.gate_settle,
                fail_open: self.gate_fail_open_seconds.map(Duration::from_secs),
            },
            repair: repair::Settings {
                calls_per_second: self.audit_calls_per_second,
                period: self.audit_period,
                confirm_after: self.confirm_after,
                drain: self.drain_time,
                agent_grace: self.agent_grace,
                patience: self.teardown_patience,
            },
            raised_quotas: self.raised_quota,
            webhook: self.webhook.then_some(webhook::Settings {
                address: self.webhook_bind_address,
                sleep_seconds: self.webhook_prestop_seconds,
                external_certificate: self.webhook_external_certificate,
            }),
        })
    }
}

/// From whom is taken over.
fn takeover_of(
    whose: Option<String>,
    pods: Vec<String>,
    site: &Site,
) -> Result<Option<takeover::Settings>, Error> {
    let Some(whose) = whose.filter(|whose| !whose.is_empty() && whose != "false") else { return Ok(None) };
    let manager = if whose == "true" { takeover::manager_of(site) } else { whose };
    if manager.split('/').count() != 3 {
        return Err(Error::Invalid {
            flag: "--take-over",
            value: manager,
            expected: "a tag ManagedBy of the AWS controller, which is ACCOUNT/CLUSTER/VPC",
        });
    }
    Ok(Some(takeover::Settings { manager, pods }))
}

#[cfg(test)]
mod tests;
