//! Development tasks: `cargo xtask TASK`. One file per task; see `cargo xtask --help`.

mod bench;
mod build;
mod crds;
mod fuzz;
mod interop;
mod lint;
mod model;
mod simulator;
mod test;
mod tidy;
mod world;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Development tasks of Lath.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Build, start or stop a Kubernetes control plane without nodes: build | start --dir DIR | stop --dir DIR
    #[command(name = "controlplane", disable_help_flag = true)]
    ControlPlane(Passed),
    /// Start or stop a cluster with nodes and a cloud: start --dir DIR [--nodes N] … | run … | stop --dir DIR
    #[command(disable_help_flag = true)]
    World(Passed),
    /// Write the simulator's constraint table anew from the service model.
    Model {
        /// Only say whether the checked-in table is current.
        #[arg(long)]
        check: bool,
    },
    /// Show Lath at work on a world of its own. Needs root.
    #[command(disable_help_flag = true)]
    Demo(Passed),
    /// Run Gateway API's conformance suite against Lath: [--run PATTERN] [--all] [--keep]. Needs root.
    #[command(disable_help_flag = true)]
    Conformance(Passed),
    /// Measure with release binaries: simulator | targets [--call-ms MS,…] [--rounds N] [-o table|json].
    #[command(disable_help_flag = true)]
    Bench(Passed),
    /// Throw made-up input at what reads requests, policies and signatures. Needs a C++ compiler.
    Fuzz {
        /// Only this target: path, bodies, policy or signature.
        target: Option<String>,
        /// How long each target runs.
        #[arg(long, default_value_t = 20, value_name = "N")]
        seconds: u32,
    },
    /// Make the same calls through the AWS SDKs for Python, JavaScript and Rust, and compare what came of them.
    Interop,
    /// Run every test, after building what they run on.
    Test,
    /// Check formatting, lints, dependency direction and generated files.
    Lint,
    /// Write the chart's custom resource definitions anew from the types.
    Crds,
    /// Check the direction of dependencies and the form of the files.
    Tidy,
}

/// Arguments that another program understands.
#[derive(Debug, clap::Args)]
struct Passed {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, num_args = 0..)]
    arguments: Vec<OsString>,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::ControlPlane(passed) => world::run("controlplane", &passed.arguments),
        Task::World(passed) => world::run("world", &passed.arguments),
        Task::Model { check } => model::run(build::workspace(), check).map(|()| ExitCode::SUCCESS),
        Task::Demo(passed) => world::run("demo", &passed.arguments),
        Task::Conformance(passed) => world::run("conformance", &passed.arguments),
        Task::Bench(passed) => bench::run(&passed.arguments),
        Task::Fuzz { target, seconds } => fuzz::run(target.as_deref(), seconds),
        Task::Interop => interop::run(),
        Task::Test => test::run(),
        Task::Lint => lint::run(),
        Task::Crds => crds::run(),
        Task::Tidy => tidy::run(),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
