//! `lath`: the command line.

mod sim;

use std::io::Write as _;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};

/// Lath is the node-side of Amazon VPC Lattice on Kubernetes.
#[derive(Debug, Parser)]
#[command(name = "lath", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Sim(sim::Arguments),
}

/// The exit code of a command that can't begin: a bad flag, a taken port.
const BAD_USE: u8 = 2;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return refuse(&error),
    };
    let result = match arguments.command {
        Command::Sim(arguments) => sim::run(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&format!("{error:#}")),
    }
}

/// Prints help where it was asked for, and else what is wrong in one sentence.
fn refuse(error: &clap::Error) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let printed = error.print();
        return if printed.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return complain("a command is missing, `lath --help` lists them");
    }
    let text = error.render().to_string();
    let paragraph = text.split("\n\n").next().unwrap_or_default();
    let sentence = paragraph.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    complain(sentence.trim_start_matches("error: "))
}

fn complain(sentence: &str) -> ExitCode {
    // Where standard error is closed, the exit code says what there is to say.
    let _closed = writeln!(std::io::stderr(), "lath: {sentence}");
    ExitCode::from(BAD_USE)
}
