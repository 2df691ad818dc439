//! The documentation's examples and links, checked.

use std::path::{Path, PathBuf};

use lath_kubernetes::{
    GatewayParameters, TargetGroupBinding,
    multicluster::{ServiceExport, ServiceImport},
    policy::{AccessLogPolicy, IAMAuthPolicy, TargetGroupPolicy, VpcAssociationPolicy},
    target_group::TargetGroup,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every page, with its text.
fn pages() -> Vec<(PathBuf, String)> {
    let folders = ["", "docs", "docs/conformance"].map(|folder| root().join(folder));
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

/// Fails if the object has a field that nobody reads.
fn assert_read_as<K: DeserializeOwned + Serialize>(object: &Value) {
    let read: K = serde_json::from_value(object.clone()).unwrap_or_else(|error| panic!("{error}: {object}"));
    assert_all_read(object, &serde_json::to_value(read).unwrap(), "object");
}

/// Whether an object is of the AWS controller's group.
fn is_aws(object: &Value) -> bool {
    object["apiVersion"] == "application-networking.k8s.aws/v1alpha1"
}

/// What Lath's own kinds hold. What becomes of Gateway API's objects is seen in the controller's test `documented`.
#[test]
fn every_object_in_the_documentation_is_one() {
    let (mut bindings, mut policies) = (0, 0);
    for (path, text) in pages() {
        for block in blocks(&text, "yaml").into_iter().chain(blocks(&text, "yaml refused")) {
            for document in block.split("\n---\n") {
                let given: Value = serde_saphyr::from_str(document)
                    .unwrap_or_else(|error| panic!("{path:?}: {error}\n{document}"));
                match given["kind"].as_str().unwrap_or_default() {
                    "TargetGroupBinding" => {
                        assert_read_as::<TargetGroupBinding>(&given);
                        bindings += 1;
                    }
                    "GatewayParameters" => assert_read_as::<GatewayParameters>(&given),
                    "TargetGroupPolicy" => assert_read_as::<TargetGroupPolicy>(&given),
                    "IAMAuthPolicy" => assert_read_as::<IAMAuthPolicy>(&given),
                    "AccessLogPolicy" => assert_read_as::<AccessLogPolicy>(&given),
                    "TargetGroup" => assert_read_as::<TargetGroup>(&given),
                    "ServiceExport" if is_aws(&given) => assert_read_as::<ServiceExport>(&given),
                    "ServiceImport" if is_aws(&given) => assert_read_as::<ServiceImport>(&given),
                    "VpcAssociationPolicy" => assert_read_as::<VpcAssociationPolicy>(&given),
                    _ => {}
                }
                policies += usize::from(given["kind"].as_str().is_some_and(|kind| kind.ends_with("Policy")));
            }
        }
        for block in blocks(&text, "json") {
            serde_json::from_str::<Value>(block).unwrap_or_else(|error| panic!("{path:?}: {error}\n{block}"));
        }
    }
    assert!(bindings >= 2 && policies >= 4, "there were only {bindings} bindings and {policies} policies");
}

/// The anchor of a heading.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn every_link_within_the_documentation_leads_somewhere() {
    for (path, text) in pages() {
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") {
                continue;
            }
            let (file, place) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            assert!(target.exists(), "{} links to {link}, which does not exist", path.display());
            if !place.is_empty() {
                let text = std::fs::read_to_string(&target).unwrap();
                let found =
                    text.lines().filter(|line| line.starts_with('#')).any(|line| anchor(line) == place);
                assert!(found, "{} links to {link}, and there is no such heading", path.display());
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
