//! The page about conformance in the documentation.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use super::declared::Declared;
use super::results::{Outcome, Results};
use crate::error::{Doing as _, Error, Result};

/// What is between these lines is written by [`write`].
const BEGIN: &str = "<!-- Made by `make conformance`. -->\n";
const END: &str = "<!-- End of what is made. -->\n";

/// The folder of the page and the report.
pub(super) fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/conformance"))
}

/// Writes the results into the page.
pub(super) fn write(declared: &Declared, results: &Results) -> Result<()> {
    let file = folder().join("README.md");
    let doing = || format!("writing {}", file.display());
    let page = std::fs::read_to_string(&file).doing_with(doing)?;
    let parts = page.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) = parts.ok_or_else(|| Error::failed(doing(), "the marks in it are gone"))?;
    let made = made(declared, results);
    std::fs::write(&file, format!("{before}{BEGIN}\n{made}\n{END}{after}")).doing_with(doing)
}

fn made(declared: &Declared, results: &Results) -> String {
    let mut text = String::new();
    let code = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let profiles: Vec<&str> = declared.profiles.iter().map(String::as_str).collect();
    let features: Vec<&str> = declared.features.iter().map(String::as_str).collect();
    let _ = writeln!(
        text,
        "## Results\n\n{}\n",
        wrapped(&format!(
            "Gateway API {}, profiles {}. Features beyond their core: {}. Tests: {}.",
            Declared::gateway_api(),
            code(&profiles),
            code(&features),
            results.summary(),
        ))
    );
    let _ = writeln!(text, "### Passed\n\n{}", wrapped(&code(&results.with(Outcome::Passed))));
    let failed = results.with(Outcome::Failed);
    if !failed.is_empty() {
        let _ = writeln!(text, "\n### Failed\n\n{}", wrapped(&code(&failed)));
    }
    let _ = writeln!(text, "\n### Skipped: what VPC Lattice can't do\n\n| Test | Reason |\n|---|---|");
    for skipped in &declared.skipped {
        let tests: Vec<&str> = skipped.tests.iter().map(String::as_str).collect();
        let reason = skipped.reason.split_whitespace().collect::<Vec<_>>().join(" ");
        let _ = writeln!(text, "| {} | {reason} |", code(&tests));
    }
    let mut unsupported: BTreeMap<Vec<&str>, Vec<&str>> = BTreeMap::new();
    for test in results.tests.iter().filter(|test| test.outcome == Outcome::Unsupported) {
        let missing = test.features.iter().filter(|feature| !CORE.contains(&feature.as_str()));
        let missing = missing.filter(|feature| !declared.features.contains(feature));
        unsupported.entry(missing.map(String::as_str).collect()).or_default().push(&test.name);
    }
    let _ = writeln!(text, "\n### Features that Lath does not claim\n\n| Feature | Tests |\n|---|---|");
    for (features, tests) in unsupported {
        let _ = writeln!(text, "| {} | {} |", code(&features), code(&tests));
    }
    text.trim_end().to_owned()
}

/// What the tested profiles have as their core.
const CORE: [&str; 5] = ["Gateway", "HTTPRoute", "GRPCRoute", "TLSRoute", "ReferenceGrant"];

/// Breaks a line as the documentation's lines are.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().filter(|line| line.is_empty() || line.len() + word.len() < 120);
        match line {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) => {
                line.push(' ');
                line.push_str(word);
            }
            None => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_tells_of_every_skipped_test_and_why() {
        let page = std::fs::read_to_string(folder().join("README.md")).unwrap();
        for skipped in Declared::read().unwrap().skipped {
            let reason = skipped.reason.split_whitespace().collect::<Vec<_>>().join(" ");
            let row = page.lines().find(|line| line.contains(&reason));
            let row = row.unwrap_or_else(|| panic!("the page does not say: {reason}"));
            for test in skipped.tests {
                assert!(row.contains(&format!("`{test}`")), "{test} is not in {row}");
            }
        }
    }
}
