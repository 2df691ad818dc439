//! `lath sim settings`: the simulator's table of settings.

use std::io::Write as _;

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};
use lattice_sim::settings::{Label, Row, table};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The form of the output.
    #[arg(short, long, value_enum, default_value = "text")]
    output: Output,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Output {
    Text,
    Json,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let rows = table();
    let text = match arguments.output {
        Output::Json => serde_json::to_string_pretty(&rows).context("writing the table as JSON")? + "\n",
        Output::Text => rows.iter().map(describe).collect(),
    };
    std::io::stdout().write_all(text.as_bytes()).context("printing the table of settings")
}

fn describe(row: &Row) -> String {
    let Row { name, meaning, allowed, instant, realistic, label } = row;
    let origin = match label {
        Label::Documented => "documented by AWS",
        Label::Assumed => "assumed, nobody outside AWS knows",
        Label::Simulator => "of the simulator itself",
    };
    let defaults = if instant == realistic {
        format!("{instant} ({origin})")
    } else {
        format!("{instant}; of the real service {realistic} ({origin})")
    };
    format!("{name}\n    {meaning}\n    default: {defaults}\n    allowed: {allowed}\n\n")
}
