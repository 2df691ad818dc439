//! Logs: structured, on standard error, quiet in health.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// What the client of Kubernetes logs as.
const KUBE_CLIENT: &str = "kube_client::client";

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object per line, for machines.
    Json,
    /// One line of text each, for people.
    Text,
}

impl std::str::FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "json" => Ok(Self::Json),
            "text" => Ok(Self::Text),
            _ => Err(format!("{text:?} is not a log format: give json or text")),
        }
    }
}

/// Installs the subscriber for the process. `filter` is a level or tracing's own directives, such as
/// `info,lath_agent=debug`.
///
/// # Errors
/// When the filter can't be read.
pub fn init(format: Format, filter: &str) -> Result<(), String> {
    let words = filter;
    let mut filter: EnvFilter = words
        .parse()
        .map_err(|error| format!("{words:?} is not a log filter, give a level such as info: {error}"))?;
    // It warns of each answer that is plain text, such as that of an API server which does not know a group of kinds. Whoever
    // has asked says what follows from that.
    if !words.contains(KUBE_CLIENT)
        && let Ok(directive) = format!("{KUBE_CLIENT}=error").parse()
    {
        filter = filter.add_directive(directive);
    }
    let builder = tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(filter);
    // Only one subscriber can be installed; a second attempt comes from tests within one process.
    let _already_installed = match format {
        Format::Json => builder.json().flatten_event(true).try_init().is_err(),
        Format::Text => {
            builder.with_ansi(std::io::stderr().is_terminal()).with_target(false).try_init().is_err()
        }
    };
    Ok(())
}
