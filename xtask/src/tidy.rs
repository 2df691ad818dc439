//! `cargo xtask tidy`: what no compiler checks. Dependencies point one way, and files have the agreed form.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::build;

/// Which crates of this workspace each one may depend on. A crate that is not listed may depend on none.
const MAY_DEPEND_ON: [(&str, &[&str]); 10] = [
    ("lattice", &[]),
    ("lattice-client", &["lattice"]),
    ("lattice-sim", &["lattice"]),
    ("lath-kubernetes", &["lattice"]),
    ("runtime", &[]),
    ("lath-controller", &["lattice", "lattice-client", "lath-kubernetes", "runtime"]),
    ("lath-agent", &["lattice", "lattice-client", "lath-kubernetes", "runtime"]),
    ("lath", &["lattice", "lattice-sim", "lath-kubernetes", "runtime"]),
    ("tests", &["lattice", "lattice-sim", "lath-kubernetes", "runtime"]),
    ("xtask", &[]),
];
/// The one crate that may name a crate of the AWS SDK.
const SDK_OWNER: &str = "lattice-client";
/// What the pure domain crate may not see.
const IMPURE: [&str; 6] = ["tokio", "kube", "k8s-openapi", "hyper", "axum", "aws-config"];
/// Names that could hold anything.
const VAGUE: [&str; 6] = ["utils", "common", "helpers", "manager", "types", "traits"];
/// A file with more lines is reported; it is no error, since some are one table.
const LONG: usize = 600;

/// Runs all checks, prints what they found, and fails when a rule is broken.
pub(crate) fn run() -> Result<ExitCode> {
    let mut errors = Vec::new();
    let mut warnings = Vec::new();
    dependencies(&build::metadata(true)?, &mut errors)?;
    for file in sources(build::workspace())? {
        let text = std::fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        let name = file.strip_prefix(build::workspace()).unwrap_or(&file);
        form(name, &text, &mut errors, &mut warnings);
    }
    for warning in &warnings {
        eprintln!("warning: {warning}");
    }
    for error in &errors {
        eprintln!("error: {error}");
    }
    Ok(if errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Checks each member's dependencies but those for its tests, which may look anywhere.
fn dependencies(metadata: &Value, errors: &mut Vec<String>) -> Result<()> {
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let names: BTreeSet<&str> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    let allowed: BTreeMap<&str, &[&str]> = MAY_DEPEND_ON.into_iter().collect();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let target = dependency["name"].as_str().unwrap_or_default();
            if dependency["kind"].as_str() == Some("dev") {
                continue;
            }
            if names.contains(target) && !allowed.get(name).is_some_and(|allowed| allowed.contains(&target)) {
                errors.push(format!("{name} depends on {target}, against the direction in ARCHITECTURE.md"));
            }
            if target.starts_with("aws-sdk-") && name != SDK_OWNER {
                errors.push(format!("{name} names {target}; only {SDK_OWNER} speaks to AWS"));
            }
            if name == "lattice" && IMPURE.contains(&target) {
                errors.push(format!("{name} depends on {target}; the domain is pure"));
            }
        }
    }
    Ok(())
}

/// Checks one source file.
fn form(name: &Path, text: &str, errors: &mut Vec<String>, warnings: &mut Vec<String>) {
    let shown = name.display();
    if !text.starts_with("//! ") {
        errors.push(format!("{shown} does not say in its first line what it is for (`//! …`)"));
    }
    let stem = name.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let in_vague_folder = name.components().any(|part| VAGUE.iter().any(|vague| part.as_os_str() == *vague));
    if VAGUE.contains(&stem) || in_vague_folder {
        errors.push(format!("{shown} has a name that could hold anything; name what is in it"));
    }
    if stem == "mod" {
        errors.push(format!("{shown}: write `foo.rs` beside the folder `foo` instead"));
    }
    let lines = text.lines().count();
    if lines > LONG {
        warnings.push(format!("{shown} has {lines} lines; is there a natural split?"));
    }
}

/// All Rust files of the workspace, but what was built.
fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let entry = entry?;
        let path = entry.path();
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if entry.file_type()?.is_dir() {
            if !hidden && entry.file_name() != "target" {
                found.extend(sources(&path)?);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(package: &str, dependency: &str, kind: Option<&str>) -> Vec<String> {
        let members = MAY_DEPEND_ON.map(|(name, _)| json!({"name": name, "dependencies": []}));
        let mut packages = members.to_vec();
        packages.push(json!({"name": package, "dependencies": [{"name": dependency, "kind": kind}]}));
        let mut errors = Vec::new();
        dependencies(&json!({ "packages": packages }), &mut errors).unwrap();
        errors
    }

    #[test]
    fn dependencies_against_the_direction_are_found() {
        for (package, dependency, kind, breaks) in [
            ("lath-agent", "lattice", None, false),
            ("lath-agent", "lath-controller", None, true),
            ("lath-controller", "lath-agent", None, true),
            ("lattice", "runtime", None, true),
            ("lattice", "tokio", None, true),
            ("lattice-sim", "lattice-client", None, true),
            ("lattice-sim", "lattice-client", Some("dev"), false),
            ("lattice-sim", "aws-sdk-vpclattice", Some("dev"), false),
            ("lath-controller", "aws-sdk-vpclattice", None, true),
            ("lattice-client", "aws-sdk-vpclattice", None, false),
            ("lath-agent", "lath-controller", Some("build"), true),
        ] {
            assert_eq!(
                !found(package, dependency, kind).is_empty(),
                breaks,
                "{package} -> {dependency} ({kind:?})"
            );
        }
    }

    #[test]
    fn the_form_of_a_file_is_checked() {
        let long = format!("//! Purpose.\n{}", "x\n".repeat(LONG));
        for (name, text, errors, warnings) in [
            ("a/src/targets.rs", "//! Purpose.\n", 0, 0),
            ("a/src/targets.rs", "fn main() {}\n", 1, 0),
            ("a/src/utils.rs", "//! Purpose.\n", 1, 0),
            ("a/src/common/x.rs", "//! Purpose.\n", 1, 0),
            ("a/src/x/mod.rs", "//! Purpose.\n", 1, 0),
            ("a/src/table.rs", long.as_str(), 0, 1),
        ] {
            let (mut found, mut reported) = (Vec::new(), Vec::new());
            form(Path::new(name), text, &mut found, &mut reported);
            assert_eq!((found.len(), reported.len()), (errors, warnings), "{name}: {found:?} {reported:?}");
        }
    }
}
