//! The documentation's examples and links, checked.

use std::path::{Path, PathBuf};

use lath_kubernetes::TargetGroupBinding;
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every page, with its text.
fn pages() -> Vec<(PathBuf, String)> {
    let folders = [root(), root().join("docs")];
    let files = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path());
    files
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .map(|path| (path.clone(), std::fs::read_to_string(path).unwrap()))
        .collect()
}

/// The fenced blocks of a language.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    text.split(&fence).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

/// Fails if `given` has a member that `read` lacks: something that nobody would have read.
fn assert_all_read(given: &Value, read: &Value, at: &str) {
    match (given, read) {
        (Value::Object(given), Value::Object(read)) => {
            for (key, value) in given {
                let inner = read.get(key).unwrap_or_else(|| panic!("{at}.{key} is not a field"));
                assert_all_read(value, inner, &format!("{at}.{key}"));
            }
        }
        (given, read) => assert_eq!(given, read, "{at}"),
    }
}

#[test]
fn every_binding_in_the_documentation_is_one() {
    let mut bindings = 0;
    for (path, text) in pages() {
        for block in blocks(&text, "yaml") {
            let given: Value =
                serde_saphyr::from_str(block).unwrap_or_else(|error| panic!("{path:?}: {error}\n{block}"));
            if given["kind"] == "TargetGroupBinding" {
                let read: TargetGroupBinding = serde_json::from_value(given.clone()).unwrap();
                assert_all_read(&given, &serde_json::to_value(read).unwrap(), "binding");
                bindings += 1;
            }
        }
        for block in blocks(&text, "json") {
            serde_json::from_str::<Value>(block).unwrap_or_else(|error| panic!("{path:?}: {error}\n{block}"));
        }
    }
    assert!(bindings >= 2, "there were only {bindings}");
}

#[test]
fn every_link_within_the_documentation_leads_somewhere() {
    for (path, text) in pages() {
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if !link.contains("://") && !link.starts_with('#') {
                let target = path.parent().unwrap().join(link);
                assert!(target.exists(), "{} links to {link}, which does not exist", path.display());
            }
        }
    }
}

#[test]
fn every_make_target_in_the_documentation_exists() {
    let makefile = std::fs::read_to_string(root().join("Makefile")).unwrap();
    for (path, text) in pages() {
        for line in blocks(&text, "sh").iter().flat_map(|block| block.lines()) {
            if let Some(target) =
                line.trim().strip_prefix("make ").and_then(|rest| rest.split_whitespace().next())
            {
                assert!(makefile.contains(&format!("\n{target}:")), "{}: make {target}", path.display());
            }
        }
    }
}
