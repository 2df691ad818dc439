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
    Markdown,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let mut rows = table();
    rows.sort_unstable_by_key(|row| row.name);
    let text = match arguments.output {
        Output::Json => serde_json::to_string_pretty(&rows).context("writing the table as JSON")? + "\n",
        Output::Text => rows.iter().map(describe).collect(),
        Output::Markdown => HEAD.to_owned() + &rows.iter().map(line).collect::<String>(),
    };
    std::io::stdout().write_all(text.as_bytes()).context("printing the table of settings")
}

/// What stands above the table in Markdown.
const HEAD: &str = "\
# What can be set in the simulator?

`--set NAME=VALUE` at the start, or `PUT /_sim/settings {NAME: VALUE}` later. Where nobody outside AWS knows what the real
service does, the default is *assumed*; if your program depends on such a thing, try the other values too.

<!-- Made by `lath sim settings --output markdown`. -->

| Setting | Decides | `instant` | `aws` | Source | Allowed |
|---|---|---|---|---|---|
";

fn line(row: &Row) -> String {
    let Row { name, meaning, allowed, instant, realistic, label } = row;
    let source = match label {
        Label::Documented => "AWS documents it",
        Label::Assumed => "*assumed*",
        Label::Simulator => "the simulator's own",
    };
    let allowed = allowed.replace('|', "\\|");
    format!("| `{name}` | {meaning} | {instant} | {realistic} | {source} | {allowed} |\n")
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
