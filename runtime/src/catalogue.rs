//! The catalogue: a registry's metrics as the table that METRICS.md holds, so that documentation and code are one.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use prometheus_client::registry::Registry;

/// What a table is checked against.
const FILE: &str = "METRICS.md";

/// A Markdown table of every metric: name as scraped, type, meaning.
///
/// # Errors
/// When the registry can't be written out.
pub fn table(registry: &Registry) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, registry)?;
    let mut metrics: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    for line in text.lines() {
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
            metrics.entry(name).or_default().1 = help;
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' '))
        {
            metrics.entry(name).or_default().0 = kind;
        }
    }
    let mut table = String::from("| Metric | Type | What |\n|---|---|---|\n");
    for (name, (kind, help)) in metrics {
        let suffix = if kind == "counter" { "_total" } else { "" };
        writeln!(table, "| `{name}{suffix}` | {kind} | {} |", help.trim_end_matches('.'))?;
    }
    Ok(table)
}

/// A metric that is there twice, if there is one.
fn repeated(registry: &Registry) -> Result<Option<String>, std::fmt::Error> {
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, registry)?;
    let mut seen = BTreeSet::new();
    let mut kinds = text.lines().filter(|line| line.starts_with("# TYPE "));
    Ok(kinds.find(|line| !seen.insert(*line)).and_then(|line| line.split(' ').nth(2)).map(str::to_owned))
}

/// Compares a daemon's section of METRICS.md, which begins with the heading `## DAEMON`, with its registry. With the
/// environment variable `UPDATE` set, writes it instead.
///
/// # Errors
/// A sentence that says what to do, when they differ or the file can't be used.
pub fn check(root: &std::path::Path, daemon: &str, registry: &Registry) -> Result<(), String> {
    compare(root, daemon, registry, std::env::var_os("UPDATE").is_some())
}

fn compare(root: &std::path::Path, daemon: &str, registry: &Registry, update: bool) -> Result<(), String> {
    let path = root.join(FILE);
    let text = std::fs::read_to_string(&path).map_err(|error| format!("reading {FILE} failed: {error}"))?;
    let heading = format!("## {daemon}\n");
    let start =
        text.find(&heading).ok_or_else(|| format!("{FILE} has no heading \"## {daemon}\""))? + heading.len();
    let end = text[start..].find("\n## ").map_or(text.len(), |end| start + end + 1);
    let wanted = format!("\n{}", table(registry).map_err(|error| error.to_string())?);
    if let Some(name) = repeated(registry).map_err(|error| error.to_string())? {
        return Err(format!("{name} is registered twice: scrapers take one of the two, so register it once"));
    }
    if text[start..end].trim() == wanted.trim() {
        return Ok(());
    }
    if update {
        let rest = &text[end..];
        let gap = if rest.is_empty() { "" } else { "\n" };
        let updated = format!("{}{wanted}{gap}{rest}", &text[..start]);
        return std::fs::write(&path, updated).map_err(|error| format!("writing {FILE} failed: {error}"));
    }
    Err(format!("{FILE} differs from the metrics of {daemon}: run the tests once with UPDATE=1"))
}

#[cfg(test)]
mod tests {
    use prometheus_client::{metrics::counter::Counter, registry::Unit};

    use super::*;

    #[test]
    fn a_section_is_checked_and_written() {
        let mut registry = Registry::default();
        registry.register_with_unit("work", "Work done", Unit::Seconds, Counter::<u64>::default());
        let folder = std::env::temp_dir().join(format!("lath-catalogue-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(FILE), "# Metrics\n\n## a\n\n## b\n\nold\n").unwrap();
        assert!(compare(&folder, "b", &registry, false).unwrap_err().contains("UPDATE=1"));
        assert!(compare(&folder, "c", &registry, false).unwrap_err().contains("no heading"));
        for daemon in ["a", "b"] {
            compare(&folder, daemon, &registry, true).unwrap();
            compare(&folder, daemon, &registry, false).unwrap();
        }
        let table = table(&registry).unwrap();
        assert!(table.contains("| `work_seconds_total` | counter | Work done |"), "{table}");
        let written = std::fs::read_to_string(folder.join(FILE)).unwrap();
        assert_eq!(written, format!("# Metrics\n\n## a\n\n{table}\n## b\n\n{table}"));
        registry.register_with_unit("work", "Work done", Unit::Seconds, Counter::<u64>::default());
        assert!(
            compare(&folder, "b", &registry, true).unwrap_err().contains("work_seconds is registered twice")
        );
        std::fs::remove_dir_all(folder).unwrap();
    }
}
