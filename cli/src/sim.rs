//! `lath sim`: the simulator of VPC Lattice on a socket.

mod listing;

use std::io::{IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use lattice_sim::{AccessLogFiles, Claim, Settings, Simulator, Surroundings};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Serve Amazon VPC Lattice from memory, for development and tests without an AWS account.
///
/// When it is ready it prints one line of JSON: the endpoint, the accounts with their keys, the region. Point any AWS
/// SDK at it with these keys and AWS_ENDPOINT_URL_VPC_LATTICE=ENDPOINT. It ends on SIGTERM, SIGHUP and Ctrl-C.
///
/// It serves all of VPC Lattice's operations, and those of its neighbours that clients of VPC Lattice call: Resource
/// Groups Tagging, ACM, RAM, Cloud Map, STS, EKS Auth, EC2. With --data-plane it carries traffic as well; without it,
/// targets of a group that a service uses become HEALTHY by themselves, or as set through the admin endpoints.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, after_long_help = AFTER_HELP)]
#[expect(clippy::doc_markdown, reason = "these comments are what --help prints")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,

    /// The address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0", value_parser = socket_address)]
    listen: SocketAddr,

    /// How true to life it is: `instant` has no delays and no rate limits, `aws` those documented or assumed.
    #[arg(long, value_enum, default_value = "instant")]
    profile: Profile,

    /// Decides ids, keys and chance: the same seed and the same calls give the same ids.
    #[arg(long, default_value_t = 0)]
    seed: u64,

    /// Carry traffic too: addresses of the services on an interface of its own, for which it needs the right to
    /// administer the network.
    #[arg(long)]
    data_plane: bool,

    /// Keep the state in this file, and begin with what it holds.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,

    /// Append access logs to files in this folder: KIND/NAME/SUBSCRIPTION.jsonl by the subscriptions' destinations.
    #[arg(long, value_name = "FOLDER")]
    access_logs: Option<PathBuf>,

    /// What surrounds VPC Lattice, in YAML or JSON: accounts, VPCs, instances, certificates, roles and the like.
    #[arg(long, value_name = "FILE")]
    surroundings: Option<PathBuf>,

    /// Change a setting, any number of times; `lath sim settings` lists them.
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
}

/// File descriptors that a client's connection takes: its own, and that of its request's to a target.
const DESCRIPTORS_EACH: usize = 2;
/// File descriptors for all else: connections to the API, sockets that listen, files, checks of targets.
const OTHER_DESCRIPTORS: usize = 1_000;

const AFTER_HELP: &str = "\
Admin endpoints, on the same port, in JSON:
  GET  /_sim/calls              calls per operation; POST /_sim/calls/reset counts anew
  GET  /_sim/log?after=N        the calls themselves, with number, time, operation, account, status, request, response
  GET  /_sim/access-log?after=N lines of access logs, with number, subscription, destination, entry
  PUT  /_sim/faults             rules that make calls slow, fail, time out, or refuse some targets
  PUT  /_sim/targets            {\"group\",\"id\",\"port\",\"status\"}: set a target's state
  PUT  /_sim/settings           {NAME: VALUE}: change settings
  PUT  /_sim/surroundings       what surrounds VPC Lattice; `lath sim schema` prints its JSON schema
  GET  /_sim/ca.pem             the certificate authority of the data plane
  POST /_sim/clock              {\"advance_seconds\": N}: move the clock on; GET shows its time
  GET  /_sim/state              target groups and services, with what belongs to them
  POST /_sim/reset              back to how it was at the start
  GET  /_sim/ready              the line that is printed when it is ready

Environment:
  LATH_LOG                      what to log on standard error, `debug` say; `warn` by default

Examples:
  lath sim --listen 127.0.0.1:8080 --seed 1
  lath sim --profile aws --surroundings vpcs.yaml --state lattice.json --data-plane
  lath sim --set target.drain_seconds=300 --set health.first_check_delay=interval
  curl -X PUT 127.0.0.1:8080/_sim/faults -d '[{\"operation\":\"RegisterTargets\",\"error\":\"ThrottlingException\",\"count\":3}]'
  curl -X POST 127.0.0.1:8080/_sim/clock -d '{\"advance_seconds\":60}'";

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the table of settings: names, defaults, allowed values, and which defaults are guesses.
    Settings(listing::Arguments),
    /// Print the JSON schema of --surroundings.
    Schema,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Profile {
    /// No delays of provisioning, no rate limits.
    Instant,
    /// Delays and rate limits as documented or, where nothing is known, as assumed.
    Aws,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    match &arguments.command {
        Some(Command::Settings(arguments)) => return listing::run(arguments),
        Some(Command::Schema) => {
            return writeln!(std::io::stdout(), "{}", Surroundings::schema()).context("printing the schema");
        }
        None => {}
    }
    let mut settings = match arguments.profile {
        Profile::Instant => Settings::instant(),
        Profile::Aws => Settings::realistic(),
    };
    for assignment in &arguments.set {
        settings.assign(assignment)?;
    }
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("LATH_LOG")
                .unwrap_or_else(|_unset| tracing_subscriber::EnvFilter::new("warn")),
        )
        .init();
    // One thread is enough for the API: every call takes the same lock for its whole length, and calls take
    // microseconds. Traffic takes more.
    let mut runtime = if arguments.data_plane {
        tokio::runtime::Builder::new_multi_thread()
    } else {
        tokio::runtime::Builder::new_current_thread()
    };
    let runtime = runtime.enable_all().build().context("starting the runtime")?;
    if arguments.data_plane {
        let asked = arguments.set.iter().any(|assignment| assignment.starts_with("data.connections="));
        fit_connections(&mut settings, asked);
    }
    runtime.block_on(serve(arguments, settings))
}

/// Makes the limit of file descriptors as high as this process may have it, and the number of clients' connections no
/// higher than that allows, of which those hear who asked for more.
fn fit_connections(settings: &mut Settings, asked: bool) {
    let Rlimit { maximum, current } = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    let limit = if raised.is_ok() { maximum } else { current };
    let Some(limit) = limit.and_then(|limit| usize::try_from(limit).ok()) else { return };
    let connections = settings.connections.0;
    let fits = (limit.saturating_sub(OTHER_DESCRIPTORS) / DESCRIPTORS_EACH).max(1);
    if connections <= fits {
        return;
    }
    settings.connections.0 = fits;
    if asked {
        let needed = connections.saturating_mul(DESCRIPTORS_EACH).saturating_add(OTHER_DESCRIPTORS);
        tracing::warn!(
            "there can be {fits} connections of clients, not {connections}: there are {limit} file descriptors; for \
             more raise their limit to {needed} (`ulimit -n`)"
        );
    }
}

async fn serve(arguments: &Arguments, settings: Settings) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
    let ignores_hang_up = ignores_hang_up();
    let mut hang_up = signal(SignalKind::hangup()).context("listening for SIGHUP")?;
    let listener = match TcpListener::bind(arguments.listen).await {
        Ok(listener) => listener,
        Err(error) => {
            bail!("can't listen on {}: {error}; choose another address with --listen", arguments.listen)
        }
    };
    let address = listener.local_addr().context("asking for the address that was bound")?;
    let _claim = arguments.state.as_deref().map(Claim::of).transpose()?;
    let simulator = match &arguments.state {
        Some(file) => Simulator::load(file, settings, arguments.seed)?,
        None => Simulator::new(settings, arguments.seed),
    };
    if let Some(file) = &arguments.surroundings {
        simulator.set_surroundings(read_surroundings(file)?).with_context(|| file.display().to_string())?;
    }
    // What can't be written shows now, and not when there is something to lose.
    if let Some(file) = &arguments.state {
        simulator.save(file)?;
    }
    let access_logs = arguments.access_logs.as_deref().map(AccessLogFiles::new).transpose()?;
    let plane = if arguments.data_plane { Some(simulator.data_plane().await?) } else { None };
    let ready = serde_json::to_string(&simulator.ready(&format!("http://{address}")))?;
    writeln!(std::io::stdout(), "{ready}").context("printing where the simulator is")?;

    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let api = simulator.serve(listener, async move { stopped.cancelled().await });
    let traffic = async {
        match plane {
            Some(plane) => plane.run(stop.cancelled()).await,
            None => stop.cancelled().await,
        }
    };
    let keep = async {
        match &arguments.state {
            Some(file) => {
                tokio::select! {
                    () = simulator.keep(file) => {}
                    () = stop.cancelled() => {}
                }
            }
            None => stop.cancelled().await,
        }
    };
    let write = async {
        match &access_logs {
            Some(files) => {
                tokio::select! {
                    () = files.follow(&simulator) => {}
                    () = stop.cancelled() => {}
                }
            }
            None => stop.cancelled().await,
        }
    };
    let signals = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hang_up.recv(), if !ignores_hang_up => {}
        }
        stop.cancel();
    };
    tokio::join!(api, traffic, keep, write, signals);
    // One that fails is not to keep the other from being done.
    let saved = arguments.state.as_deref().map_or(Ok(()), |file| simulator.save(file));
    let written = access_logs.map_or(Ok(()), |files| files.append(&simulator));
    saved?;
    Ok(written?)
}

/// Whether this process was started to go on when its terminal goes, with `nohup` say.
fn ignores_hang_up() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // Bit 0 is signal 1, SIGHUP. Source: proc(5), signal(7).
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

fn socket_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_invalid| "it must be an IP address and a port, such as 127.0.0.1:8000".to_owned())
}

/// Reads surroundings, in YAML, of which JSON is a part.
fn read_surroundings(file: &Path) -> Result<Surroundings> {
    let text = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    serde_saphyr::from_str(&text).with_context(|| format!("understanding {}", file.display()))
}
