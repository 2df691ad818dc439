//! `lath sim`: the simulator of VPC Lattice on a socket.

mod listing;

use std::io::Write as _;
use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use lattice_sim::{Settings, Simulator};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Serve Amazon VPC Lattice from memory, for development and tests without an AWS account.
///
/// When it is ready it prints one line of JSON: the endpoint, the accounts with their keys, the region. Point any AWS
/// SDK at it with these keys and AWS_ENDPOINT_URL_VPC_LATTICE=ENDPOINT. It ends on SIGTERM and on Ctrl-C.
///
/// Served so far are target groups, targets, services, listeners, rules and tags; every other operation is answered
/// by a ValidationException with the reason unknownOperation. There is no data plane: targets of a group that a
/// service uses become HEALTHY by themselves, or as set through the admin endpoints. Signatures are not verified; the
/// access key id decides the account.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, after_long_help = AFTER_HELP)]
#[expect(clippy::doc_markdown, reason = "these comments are what --help prints")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,

    /// The address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    listen: SocketAddr,

    /// How true to life it is: `instant` has no delays of provisioning and no rate limits.
    #[arg(long, value_enum, default_value = "instant")]
    profile: Profile,

    /// Decides ids, keys and chance: the same seed and the same calls give the same ids.
    #[arg(long, default_value_t = 0)]
    seed: u64,

    /// Change a setting, any number of times; `lath sim settings` lists them.
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
}

const AFTER_HELP: &str = "\
Admin endpoints, on the same port, in JSON:
  GET  /_sim/calls              calls per operation; POST /_sim/calls/reset counts anew
  GET  /_sim/log?after=N        the calls themselves, with number, time, operation, account, status, request, response
  PUT  /_sim/faults             rules that make calls slow, fail, time out, or refuse some targets
  PUT  /_sim/targets            {\"group\",\"id\",\"port\",\"status\"}: set a target's state
  PUT  /_sim/settings           {NAME: VALUE}: change settings
  POST /_sim/clock              {\"advance_seconds\": N}: move the clock on
  GET  /_sim/state              everything that calls have made

Environment:
  LATH_LOG                      what to log on standard error, `debug` say; `warn` by default

Examples:
  lath sim --listen 127.0.0.1:8080 --seed 1
  lath sim --set target.drain_seconds=300 --set health.first_check_delay=interval
  curl -X PUT 127.0.0.1:8080/_sim/faults -d '[{\"operation\":\"RegisterTargets\",\"error\":\"ThrottlingException\",\"count\":3}]'
  curl -X POST 127.0.0.1:8080/_sim/clock -d '{\"advance_seconds\":60}'";

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the table of settings: names, defaults, allowed values, and which defaults are guesses.
    Settings(listing::Arguments),
}

/// `aws`, with verified signatures, is not among them until it verifies them.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Profile {
    /// No delays of provisioning, no rate limits, signatures not verified.
    Instant,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    if let Some(Command::Settings(arguments)) = &arguments.command {
        return listing::run(arguments);
    }
    let mut settings = match arguments.profile {
        Profile::Instant => Settings::instant(),
    };
    for assignment in &arguments.set {
        settings.assign(assignment)?;
    }
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("LATH_LOG")
                .unwrap_or_else(|_unset| tracing_subscriber::EnvFilter::new("warn")),
        )
        .init();
    // One thread is enough: every call takes the same lock for its whole length, and calls take microseconds.
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("starting the runtime")?;
    runtime.block_on(serve(arguments, settings))
}

async fn serve(arguments: &Arguments, settings: Settings) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
    let listener = match TcpListener::bind(arguments.listen).await {
        Ok(listener) => listener,
        Err(error) => {
            bail!("can't listen on {}: {error}; choose another address with --listen", arguments.listen)
        }
    };
    let address = listener.local_addr().context("asking for the address that was bound")?;
    let simulator = Simulator::new(settings, arguments.seed);
    let ready = serde_json::to_string(&simulator.ready(&format!("http://{address}")))?;
    writeln!(std::io::stdout(), "{ready}").context("printing where the simulator is")?;
    simulator
        .serve(listener, async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        })
        .await;
    Ok(())
}
