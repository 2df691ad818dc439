//! What came of the tests.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::{Doing as _, Result};

/// Most characters of a line of a test's log that are shown.
const LONGEST: usize = 300;

/// What came of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    Passed,
    Failed,
    /// It is declared as impossible.
    Skipped,
    /// Lath does not say that it supports what is tested.
    Unsupported,
}

impl Outcome {
    pub(super) const ALL: [Self; 4] = [Self::Passed, Self::Failed, Self::Skipped, Self::Unsupported];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Unsupported => "unsupported",
        }
    }
}

/// A line that the suite's program writes.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Test {
    #[serde(rename = "test")]
    pub name: String,
    pub outcome: Outcome,
    pub seconds: f64,
    pub features: Vec<String>,
}

/// The file of results, which grows.
#[derive(Debug)]
pub(super) struct Results {
    file: PathBuf,
    /// How many of its lines were read.
    lines: usize,
    /// What they say, but of tests for service meshes without Gateways.
    pub tests: Vec<Test>,
}

impl Results {
    pub(super) fn new(file: PathBuf) -> Self {
        Self { file, lines: 0, tests: Vec::new() }
    }

    /// Reads what has come since; returns the new ones.
    pub(super) fn read(&mut self) -> Result<&[Test]> {
        let known = self.tests.len();
        let text = match std::fs::read_to_string(&self.file) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            text => text.doing_with(|| format!("reading {}", self.file.display()))?,
        };
        // The last line may not be whole yet.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        for line in whole.lines().skip(self.lines) {
            self.lines += 1;
            let test: Test =
                serde_json::from_str(line).doing_with(|| format!("reading the result {line}"))?;
            if !test.features.iter().any(|feature| feature == "Mesh") {
                self.tests.push(test);
            }
        }
        Ok(&self.tests[known..])
    }

    /// The names of the tests with this outcome.
    pub(super) fn with(&self, outcome: Outcome) -> Vec<&str> {
        let tests = self.tests.iter().filter(|test| test.outcome == outcome);
        tests.map(|test| test.name.as_str()).collect()
    }

    /// How many tests had which outcome, in a sentence.
    pub(super) fn summary(&self) -> String {
        let counts = Outcome::ALL.map(|outcome| format!("{} {}", self.with(outcome).len(), outcome.as_str()));
        counts.join(", ")
    }
}

/// What a log says of a test and its parts: the last lines, repetitions left out, each as long as can be read.
pub(super) fn said_of(log: &Path, test: &str, most: usize) -> Vec<String> {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let whole = format!("TestConformance/{test}");
    let parts = format!("{whole}/");
    let mut current = "";
    let mut found = Vec::new();
    let mut known = BTreeSet::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("=== ") {
            current = rest.split_whitespace().nth(1).unwrap_or_default();
        } else if current == whole || current.starts_with(&parts) {
            // `file.go:7: 2026-01-01T00:00:00.0Z: what happened (after 3s)`
            let said = line.trim().splitn(3, ": ").last().unwrap_or_default();
            let said: String = said.chars().take(LONGEST).collect();
            let about = said.split(" (after ").next().unwrap_or_default().to_owned();
            if known.insert(about) {
                found.push(said);
            }
        }
    }
    found.split_off(found.len().saturating_sub(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_read_as_they_come_and_only_whole() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("results");
        let mut results = Results::new(file.clone());
        assert_eq!(results.read().unwrap(), []);
        let line = |name, outcome| {
            format!("{{\"test\":\"{name}\",\"outcome\":\"{outcome}\",\"seconds\":1.5,\"features\":[]}}")
        };
        let (one, two) = (line("One", "passed"), line("Two", "failed"));
        std::fs::write(&file, format!("{one}\n{}", &two[..9])).unwrap();
        assert_eq!(results.read().unwrap().len(), 1);
        std::fs::write(&file, format!("{one}\n{two}\n")).unwrap();
        assert_eq!(results.read().unwrap()[0].name, "Two");
        assert_eq!(results.summary(), "1 passed, 1 failed, 0 skipped, 0 unsupported");
    }

    #[test]
    fn of_a_log_what_concerns_a_test_and_its_parts_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let lines = "=== RUN   TestConformance/A\n    a.go:1: 2026: one: (after 1s)\n=== NAME  TestConformance/AB\n    two\n\
                     === RUN   TestConformance/A/part\n    a.go:1: 2027: one: (after 2s)\n    three\n";
        std::fs::write(&log, lines).unwrap();
        assert_eq!(said_of(&log, "A", 9), ["one: (after 1s)", "three"]);
        assert_eq!(said_of(&log, "A", 1), ["three"]);
    }
}
