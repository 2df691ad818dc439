//! What is declared: what Lath supports of Gateway API, and which tests VPC Lattice can't pass, with the reasons.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use super::programs;
use crate::error::{Doing as _, Result};

const DECLARED: &str = include_str!("../../conformance/declared.yaml");

/// The content of `declared.yaml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Declared {
    /// The conformance profiles that are tested.
    pub profiles: Vec<String>,
    /// The features beyond the profiles' core that Lath supports.
    pub features: Vec<String>,
    /// The tests that can't pass.
    pub skipped: Vec<Skipped>,
}

/// Tests that can't pass for the same reason.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Skipped {
    /// Their names.
    pub tests: Vec<String>,
    /// Why.
    pub reason: String,
}

impl Declared {
    /// Reads the declaration.
    pub(super) fn read() -> Result<Self> {
        serde_saphyr::from_str(DECLARED).doing("reading tests/conformance/declared.yaml")
    }

    /// The names of the tests that can't pass.
    pub(super) fn skipped(&self) -> BTreeSet<&str> {
        self.skipped.iter().flat_map(|skipped| &skipped.tests).map(String::as_str).collect()
    }

    /// The suite's options, as its file has them.
    pub(super) fn options(&self, class: &str, report: &str, skip: bool) -> Value {
        let skipped = if skip { self.skipped() } else { BTreeSet::new() };
        json!({
            "gatewayClassName": class,
            "reportOutputPath": report,
            "supportedFeatures": self.features,
            "conformanceProfiles": self.profiles,
            "skipTests": skipped,
            // One after the other, so that each test's time is its own.
            "disableParallelTests": true,
            "timeoutConfig": { "testIsolation": "500ms" },
            "implementation": {
                "organization": "lath",
                "project": "lath",
                "url": "https://lath.dev",
                "version": format!("v{}", env!("CARGO_PKG_VERSION")),
                "contact": ["see CONTRIBUTING.md"],
            },
        })
    }

    /// The name of the report's file, as the project that collects such reports wants it.
    pub(super) fn report_name() -> String {
        format!("experimental-v{}-default-report.yaml", env!("CARGO_PKG_VERSION"))
    }

    /// The version of Gateway API.
    pub(super) fn gateway_api() -> &'static str {
        programs::version()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_test_is_skipped_for_two_reasons() {
        let declared = Declared::read().unwrap();
        let count: usize = declared.skipped.iter().map(|skipped| skipped.tests.len()).sum();
        assert_eq!(declared.skipped().len(), count);
        assert!(declared.skipped.iter().all(|skipped| !skipped.reason.trim().is_empty()));
    }
}
