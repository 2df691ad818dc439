//! The program as a process: whatever is wrong with what it is given is one sentence and exit code 2.

#![expect(clippy::unwrap_used, reason = "tests end by panicking")]

use std::process::Command;

/// Runs the agent of node n1 with these flags and variables, and gives its exit code and what it says.
fn run(flags: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_lath-agent"))
        .env_clear()
        .args(flags)
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn what_is_wrong_is_one_sentence_that_says_what_to_change() {
    let named = ["--node-name=n1", "--cluster-name=demo", "--log=off"];
    let with = |more: &[&'static str]| [&named[..], more].concat();
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken");
    std::fs::write(&broken, "clusters: [").unwrap();
    let broken = broken.to_str().unwrap();
    for (flags, variables, said) in [
        (vec![], vec![], "the node's name is not known: give --node-name"),
        (vec!["--node-name=n1"], vec![], "the cluster's name is not known: give --cluster-name"),
        (
            with(&["--lease-seconds=1"]),
            vec![],
            "invalid value '1' for '--lease-seconds <SECONDS>': 1 is not in 4..=3600",
        ),
        (
            with(&["--targets=maybe"]),
            vec![],
            "invalid value 'maybe' for '--targets <on|off>' [possible values: on, off]",
        ),
        (with(&["--dns=on"]), vec![], "unexpected argument '--dns' found"),
        (with(&["--log=a=loud"]), vec![], "is not a log filter"),
        (with(&[]), vec![], "there is no cluster to talk to: set KUBECONFIG"),
        (with(&[]), vec![("KUBECONFIG", "/nonexistent")], "KUBECONFIG \"/nonexistent\" can't be used"),
        (with(&[]), vec![("KUBECONFIG", broken)], "can't be used"),
    ] {
        let (code, words) = run(&flags, &variables);
        assert_eq!(code, Some(2), "{flags:?} {variables:?}: {words}");
        assert!(
            words.starts_with("lath-agent: ") && words.contains(said),
            "{flags:?} {variables:?}: {words}"
        );
        assert_eq!(words.lines().count(), 1, "{words}");
    }
}

#[test]
fn help_is_no_error() {
    for flag in ["--help", "-h", "--version"] {
        assert_eq!(run(&[flag], &[]), (Some(0), String::new()));
    }
}
