//! How a program answers to its command line: help where it was asked for, and else one sentence that says what to
//! change, with exit code 2.

use std::{fmt::Display, io::Write as _, process::ExitCode};

use clap::{Parser, error::ErrorKind};

/// What every program of Lath ends with when flags, environment or files that it was given are wrong.
const BAD_USE: u8 = 2;

/// The arguments that this process was started with, or what it ends with instead.
///
/// # Errors
/// When help was asked for, which is then printed, or an argument is wrong, which is then said.
pub fn arguments<A: Parser>(program: &str) -> Result<A, ExitCode> {
    A::try_parse().map_err(|error| {
        if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
            return if error.print().is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
        refuse(program, &sentence(program, &error))
    })
}

/// Says why the program can't begin.
pub fn refuse(program: &str, sentence: &dyn Display) -> ExitCode {
    complain(program, sentence, ExitCode::from(BAD_USE))
}

/// Says why the program has failed.
pub fn fail(program: &str, sentence: &dyn Display) -> ExitCode {
    complain(program, sentence, ExitCode::FAILURE)
}

fn complain(program: &str, sentence: &dyn Display, code: ExitCode) -> ExitCode {
    // Where standard error is closed, the exit code says what there is to say.
    let _closed = writeln!(std::io::stderr(), "{program}: {sentence}");
    code
}

/// What is wrong, without the usage that clap adds.
fn sentence(program: &str, error: &clap::Error) -> String {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return format!("a command is missing, `{program} --help` lists them");
    }
    let text = error.render().to_string();
    let paragraph = text.split("\n\n").next().unwrap_or_default();
    let sentence = paragraph.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    sentence.trim_start_matches("error: ").to_owned()
}
