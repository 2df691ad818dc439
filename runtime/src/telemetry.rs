//! Logs: structured, on standard error, quiet in health.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

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
    let filter: EnvFilter = filter
        .parse()
        .map_err(|error| format!("{filter:?} is not a log filter, give a level such as info: {error}"))?;
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
