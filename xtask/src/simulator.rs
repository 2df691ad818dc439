//! A `lath sim` of its own, for tasks that call it.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// A simulator on a free port, which ends with this value.
pub(crate) struct Simulator(Child);

impl Simulator {
    pub(crate) fn start(lath: &Path, arguments: &[&str]) -> Result<Self> {
        let mut command = Command::new(lath);
        command.arg("sim").args(arguments).stdin(Stdio::null()).stdout(Stdio::piped());
        Ok(Self(command.spawn().context("starting lath sim")?))
    }

    /// The line that it prints when it is ready.
    pub(crate) fn ready(&mut self) -> Result<String> {
        let mut line = String::new();
        let stdout = self.0.stdout.take().context("lath sim has no standard output")?;
        BufReader::new(stdout).read_line(&mut line).context("reading where lath sim is")?;
        if line.is_empty() {
            bail!("lath sim ended before it was ready");
        }
        Ok(line)
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
