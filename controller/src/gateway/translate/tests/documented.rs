//! The examples of the documentation: all are accepted, but those in blocks that begin with ```` ```yaml refused ````, below
//! which the conditions are quoted that they get.
//!
//! Each block stands by itself: its objects are applied on top of `documented.yaml`, which holds the Gateway, Services and
//! certificate that the pages take for granted. An object that is in both is the block's.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::super::*;
use super::Case;
use crate::gateway::multicluster::Dialect;

const SURROUNDINGS: &str = include_str!("../documented.yaml");

/// An example, and the conditions that are quoted below it.
#[derive(Debug)]
struct Example {
    page: String,
    yaml: String,
    refused: bool,
    quoted: Vec<String>,
}

fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = std::fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let mut pages: Vec<_> = folder.chain([root.join("README.md")]).collect();
    pages.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    pages.sort();
    pages
}

fn examples(page: &Path) -> Vec<Example> {
    let text = std::fs::read_to_string(page).unwrap();
    let example = |block: &str| {
        let (mark, rest) = block.split_once('\n').unwrap();
        let (yaml, below) = rest.split_once("\n```\n").unwrap();
        let quotation: Vec<&str> = below
            .lines()
            .skip_while(|line| line.is_empty())
            .map_while(|line| line.strip_prefix('>'))
            .map(str::trim)
            .collect();
        // An empty line is between one condition and the next.
        let quoted = quotation.split(|line| line.is_empty()).filter(|lines| !lines.is_empty());
        Example {
            page: page.display().to_string(),
            yaml: yaml.into(),
            refused: mark.trim() == "refused",
            quoted: quoted.map(|lines| lines.join(" ")).collect(),
        }
    };
    text.split("\n```yaml").skip(1).map(example).collect()
}

/// Whether the controller's Gateway pipeline reads objects of this kind.
fn is_read(object: &Value) -> bool {
    let group = object["apiVersion"].as_str().unwrap_or_default().split('/').next().unwrap_or_default();
    let groups = [
        lath_kubernetes::gateway::GROUP,
        lath_kubernetes::multicluster::standard::GROUP,
        lath_kubernetes::names::GROUP,
        lath_kubernetes::names::AWS_GROUP,
    ];
    groups.contains(&group) && object["kind"] != "TargetGroupBinding"
}

fn condition(kind: &str, verdict: &Verdict) -> String {
    let status = if verdict.holds { "True" } else { "False" };
    format!("`{kind}` {status}, `{}`: {}", verdict.reason.as_str(), verdict.message)
}

/// What is wrong with an object, as conditions. `None` if nothing at all is said of it.
fn wrong(outcome: &Outcome, object: &Value) -> Option<Vec<String>> {
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
    let name = ObjectName { namespace: text("namespace"), name: text("name") };
    let kind = object["kind"].as_str().unwrap_or_default();
    let mut faults = Vec::new();
    let mut judge = |kind: &str, verdict: &Verdict, usual: &[Reason]| {
        if !usual.contains(&verdict.reason) {
            faults.push(condition(kind, verdict));
        }
    };
    let route = RouteKind::ALL.into_iter().find(|route| route.as_str() == kind);
    let policy = PolicyKind::ALL.into_iter().find(|policy| policy.as_str() == kind);
    if let Some(kind) = route {
        let route = outcome.routes.get(&RouteName { kind, object: name })?;
        for parent in &route.parents {
            judge("Accepted", &parent.accepted, &[Reason::Accepted]);
            judge("ResolvedRefs", &parent.resolved, &[Reason::ResolvedRefs]);
        }
    } else if let Some(kind) = policy {
        judge("Accepted", outcome.policies.get(&(kind, name))?, &[Reason::Accepted]);
    } else if kind == "ServiceExport" {
        let group = object["apiVersion"].as_str().unwrap_or_default().split('/').next().unwrap_or_default();
        let dialect = Dialect::ALL.into_iter().find(|dialect| dialect.group() == group)?;
        judge("Accepted", &outcome.exports.get(&(dialect, name))?.accepted, &[Reason::Accepted]);
    } else if kind == "TargetGroup" {
        judge("Accepted", &outcome.target_groups.get(&name)?.accepted, &[Reason::Accepted]);
    } else if kind == "GatewayClass" {
        judge("Accepted", outcome.classes.get(&name.name)?, &[Reason::Accepted]);
    } else if kind == "Gateway" {
        let gateway = outcome.gateways.get(&name)?;
        judge("Accepted", &gateway.accepted, &[Reason::Accepted]);
        for listener in &gateway.listeners {
            judge("Accepted", &listener.accepted, &[Reason::Accepted]);
            judge("Conflicted", &listener.conflicted, &[Reason::NoConflicts]);
            judge("ResolvedRefs", &listener.resolved, &[Reason::ResolvedRefs]);
        }
        if let Some(clash) = &gateway.clash {
            faults.push(condition("Programmed", &Verdict::no(Reason::Invalid, clash.as_str())));
        }
    }
    Some(faults)
}

#[test]
fn documented() {
    let (mut accepted, mut refused) = (0, 0);
    for example in pages().iter().flat_map(|page| examples(page)) {
        let Example { page, yaml, .. } = &example;
        let read = |document: &str| -> Value {
            serde_saphyr::from_str(document).unwrap_or_else(|error| panic!("{page}: {error}\n{document}"))
        };
        let objects: Vec<_> = yaml.split("\n---\n").map(read).collect();
        if !objects.iter().any(is_read) {
            continue;
        }
        let outcome = Case::read(&format!("{SURROUNDINGS}\n---\n{yaml}")).translate();
        let mut faults: Vec<String> = objects
            .iter()
            .filter(|object| is_read(object))
            .flat_map(|object| {
                wrong(&outcome, object).unwrap_or_else(|| panic!("{page}: nothing is said of {object}"))
            })
            .collect();
        faults.sort();
        faults.dedup();
        let mut quoted = example.quoted.clone();
        quoted.sort();
        if example.refused {
            refused += 1;
            assert_eq!(faults, quoted, "{page}: refused with the first, quoted are the second:\n{yaml}");
        } else {
            accepted += 1;
            assert!(faults.is_empty(), "{page}: not accepted: {faults:#?}\n{yaml}");
        }
    }
    assert!(accepted > 15 && refused > 8, "examples are missing: {accepted} accepted, {refused} refused");
}
