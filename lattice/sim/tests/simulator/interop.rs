//! The scenario that `cargo xtask interop` plays through several SDKs.

use std::collections::BTreeSet;
use std::path::Path;

use lattice_sim::model::operations;
use serde_json::Value;

#[test]
fn every_operation_succeeds_at_least_once_in_the_scenario() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/interop/scenario.json");
    let scenario: Vec<Value> = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let succeeding = scenario.iter().filter(|step| step.get("error").is_none());
    let tried: BTreeSet<&str> = succeeding.filter_map(|step| step["operation"].as_str()).collect();
    let known: BTreeSet<&str> = operations().iter().map(|operation| operation.name).collect();
    assert_eq!(tried, known);
}
