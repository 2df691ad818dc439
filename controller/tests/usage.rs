//! The program as a process: whatever is wrong with what it is given is one sentence and exit code 2.

#![expect(clippy::unwrap_used, reason = "tests end by panicking")]

use std::process::Command;

const PLACE: [&str; 5] = [
    "--region=us-west-2",
    "--aws-account-id=123456789012",
    "--cluster-vpc-id=vpc-0123456789abcdef0",
    "--cluster-name=demo",
    "--log=off",
];

/// Runs the controller with these flags and variables, and gives its exit code and what it says.
fn run(flags: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_lath-controller"))
        .env_clear()
        .args(flags)
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn what_is_wrong_is_one_sentence_that_says_what_to_change() {
    let with = |more: &[&'static str]| [&PLACE[..], more].concat();
    for (flags, variables, said) in [
        (vec![], vec![], "the AWS region is not known: give --region or set REGION"),
        (with(&["--vpc-cidr=10.0.0.0"]), vec![], "invalid value '10.0.0.0' for '--vpc-cidr <VPC_CIDR>'"),
        (with(&["--allow-manual-endpoints"]), vec![], "--allow-manual-endpoints needs the VPC's CIDRs"),
        (with(&["--lattice-endpoint=localhost"]), vec![], "--lattice-endpoint \"localhost\" is not a URL"),
        (with(&["--leader-elect=perhaps"]), vec![], "invalid value 'perhaps' for '--leader-elect"),
        (with(&["release", "--applied"]), vec![], "unexpected argument '--applied'"),
        (with(&["--take-over=demo", "release"]), vec![], "--take-over \"demo\" is not a tag ManagedBy"),
        (with(&[]), vec![], "there is no cluster to talk to: set KUBECONFIG"),
        (with(&[]), vec![("KUBECONFIG", "/nonexistent")], "KUBECONFIG \"/nonexistent\" can't be used"),
    ] {
        let (code, words) = run(&flags, &variables);
        assert_eq!(code, Some(2), "{flags:?} {variables:?}: {words}");
        assert!(
            words.starts_with("lath-controller: ") && words.contains(said),
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

#[test]
fn giving_back_needs_no_cluster() {
    let flags = [&PLACE[..], &["--lattice-endpoint=http://127.0.0.1:1", "release"]].concat();
    let keys = [("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")];
    let (code, words) = run(&flags, &keys);
    assert_eq!(code, Some(1), "{words}");
    assert!(words.contains("finding what can be given back failed"), "{words}");
}
