//! `cargo xtask interop`: the same calls through the AWS SDKs for Python, JavaScript and Rust against `lath sim`.
//!
//! `tests/interop/scenario.json` lists the calls. Each SDK makes them on a simulator of its own, whose clock stands
//! still, so that all of them have to come to the same results. A step is
//! `{operation, input, save?, account?, error?, newer?}`: `${NAME}` in its input stands for what an earlier step saved,
//! `error` is the error that it has to end in, and `newer` names members that not every SDK knows yet. A step
//! `{put, body}` is for the simulator's admin endpoints.
//!
//! The environment for Python has a gRPC client and server as well, between which the data plane is tried.

use std::ffi::OsStr;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value};

use crate::build;
use crate::simulator::Simulator;

/// Where the scenario and the SDKs' programs are.
const FOLDER: &str = "tests/interop";

const RUST: &str = "the SDK for Rust";

/// How the simulator is started: equal calls have to give equal answers.
const SIMULATOR: [&str; 8] = [
    "--seed",
    "1",
    "--set",
    "clock.start=2026-01-01T00:00:00Z",
    "--set",
    "clock.frozen=on",
    "--set",
    "accounts=2",
];

/// What one SDK made of the scenario.
struct Played {
    sdk: &'static str,
    results: Vec<Value>,
}

/// What every SDK tells of an error. That for Rust has the other members in a type per operation.
const OF_ERRORS: [&str; 2] = ["error", "message"];

/// Builds the simulator and plays the scenario.
pub(crate) fn run() -> Result<ExitCode> {
    let folder = build::binaries(&["lath"])?;
    play(&build::binary(&folder, "lath"))
}

/// Plays the scenario through each SDK that can be had, and compares what came of it.
pub(crate) fn play(lath: &Path) -> Result<ExitCode> {
    let here = build::workspace().join(FOLDER);
    let file = here.join("scenario.json");
    let scenario: Vec<Value> =
        serde_json::from_slice(&std::fs::read(&file).with_context(|| format!("reading {}", file.display()))?)
            .with_context(|| format!("reading {}", file.display()))?;

    let mut rust = build::cargo();
    rust.args(["run", "--quiet", "--locked", "--package", "lattice-sim", "--example", "interop", "--"]);
    let mut all = vec![played(RUST, rust.arg(&file), lath)?];
    if let Some(python) = python(&here)? {
        let mut program = Command::new(&python);
        program.arg(here.join("run.py")).arg(&file);
        all.push(played("the SDK for Python", &mut program, lath)?);
        carried(Command::new(&python).arg(here.join("stream.py")), lath)?;
        documented(&python, lath)?;
    }
    if let Some(modules) = modules(&here)? {
        let mut program = Command::new("node");
        // It warns of the end of old versions of node.
        program.env("NODE_NO_WARNINGS", "1");
        program.arg(here.join("run.mjs")).arg(&file).arg(modules);
        all.push(played("the SDK for JavaScript", &mut program, lath)?);
    }

    let mut problems = Vec::new();
    for played in &all {
        unexpected(&scenario, played, &mut problems);
    }
    if let [first, others @ ..] = &all[..] {
        for other in others {
            compare(&scenario, first, other, &mut problems);
        }
        if let [second, third] = others {
            compare(&scenario, second, third, &mut problems);
        }
    }
    for problem in &problems {
        eprintln!("error: {problem}");
    }
    if problems.is_empty() {
        let sdks: Vec<&str> = all.iter().map(|played| played.sdk).collect();
        eprintln!("interop: {} steps gave the same through {}", scenario.len(), sdks.join(", "));
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::FAILURE)
}

/// Plays the scenario through one SDK on a fresh simulator.
fn played(sdk: &'static str, program: &mut Command, lath: &Path) -> Result<Played> {
    let output = told(sdk, program, lath, &SIMULATOR)?;
    let results = serde_json::from_slice(&output).with_context(|| format!("reading what {sdk} printed"))?;
    Ok(Played { sdk, results })
}

/// Has a gRPC client call a server through the data plane, on addresses of loopback.
fn carried(program: &mut Command, lath: &Path) -> Result<()> {
    let block = format!("127.{}.250", std::process::id() % 200 + 20);
    let (range, names) = (format!("data.ipv4_range={block}.0/24"), format!("dns.listen={block}.253:5353"));
    let arguments = ["--data-plane", "--set", "data.interface=none", "--set", "data.ipv6_range=off"];
    let arguments = [&arguments[..], &["--set", &range, "--set", &names]].concat();
    told("gRPC for Python", program.arg(format!("{block}.1")), lath, &arguments)?;
    eprintln!("interop: gRPC for Python streamed through the data plane");
    Ok(())
}

/// Runs the documentation's example in Python.
fn documented(python: &Path, lath: &Path) -> Result<()> {
    let page = build::workspace().join("docs/simulator.md");
    let text = std::fs::read_to_string(&page).with_context(|| format!("reading {}", page.display()))?;
    let example = text.split("```python\n").nth(1).and_then(|rest| rest.split("```").next());
    let example = example.with_context(|| format!("{} has no example in Python", page.display()))?;
    let mut path = lath.parent().context("lath is in no folder")?.as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let status = Command::new(python).args(["-c", example]).env("PATH", path).status();
    let status = status.context("running the documentation's example in Python")?;
    if !status.success() {
        bail!("the documentation's example in Python broke off: {status}");
    }
    eprintln!("interop: the documentation's example in Python works");
    Ok(())
}

/// Runs a program that reads where a fresh simulator is, and returns what it printed.
fn told(name: &str, program: &mut Command, lath: &Path, simulator: &[&str]) -> Result<Vec<u8>> {
    let mut simulator = Simulator::start(lath, simulator)?;
    let mut child = program
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting {name}"))?;
    let mut stdin = child.stdin.take().context("the program has no standard input")?;
    stdin
        .write_all(simulator.ready()?.as_bytes())
        .with_context(|| format!("telling {name} of the simulator"))?;
    drop(stdin);
    let output = child.wait_with_output().with_context(|| format!("running {name}"))?;
    if !output.status.success() {
        bail!("{name} broke off: {}", output.status);
    }
    Ok(output.stdout)
}

/// The interpreter of a virtual environment with the SDK for Python; `None` if there can be none.
fn python(here: &Path) -> Result<Option<PathBuf>> {
    if missing("python3") {
        return Ok(None);
    }
    let requirements = here.join("requirements.txt");
    let folder = installed("python", &[&requirements], |folder| {
        run_quietly(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
        let mut pip = Command::new(folder.join("bin/python"));
        pip.args([
            "-m",
            "pip",
            "--quiet",
            "--disable-pip-version-check",
            "install",
            "--no-deps",
            "--requirement",
        ]);
        run_quietly(pip.arg(&requirements))
    })?;
    Ok(folder.map(|folder| folder.join("bin/python")))
}

/// The folder with the SDK for JavaScript; `None` if there can be none.
fn modules(here: &Path) -> Result<Option<PathBuf>> {
    if missing("node") || missing("npm") {
        return Ok(None);
    }
    let (package, lock) = (here.join("package.json"), here.join("package-lock.json"));
    installed("node", &[&package, &lock], |folder| {
        std::fs::create_dir_all(folder)?;
        for file in [&package, &lock] {
            std::fs::copy(file, folder.join(file.file_name().unwrap_or_default()))?;
        }
        run_quietly(
            Command::new("npm").args(["ci", "--silent", "--no-audit", "--no-fund"]).current_dir(folder),
        )
    })
}

/// Says so if a program is missing.
fn missing(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        eprintln!("interop: skipped: {program} is missing");
    }
    !found
}

/// The folder in the user's cache with what these lock files name, installed unless it is there already. An
/// installation that fails is an error in CI, and elsewhere skips the SDK.
fn installed(
    kind: &str,
    locks: &[&Path],
    install: impl FnOnce(&Path) -> Result<()>,
) -> Result<Option<PathBuf>> {
    let mut hasher = DefaultHasher::new();
    for lock in locks {
        std::fs::read(lock).with_context(|| format!("reading {}", lock.display()))?.hash(&mut hasher);
    }
    let folder = build::cache()?.join(format!("interop/{kind}-{:016x}", hasher.finish()));
    // Written last, so that an installation that was broken off is begun anew.
    let complete = folder.join("complete");
    if complete.exists() {
        return Ok(Some(folder));
    }
    if folder.exists() {
        std::fs::remove_dir_all(&folder).with_context(|| format!("removing {}", folder.display()))?;
    }
    eprintln!("interop: installing what is tried with {kind}, which is done once");
    let made = install(&folder).and_then(|()| Ok(std::fs::write(&complete, "")?));
    match made {
        Ok(()) => Ok(Some(folder)),
        Err(error) if std::env::var_os("CI").as_deref() == Some(OsStr::new("true")) => Err(error),
        Err(error) => {
            eprintln!("interop: skipped: {error:#}");
            Ok(None)
        }
    }
}

fn run_quietly(command: &mut Command) -> Result<()> {
    let name = command.get_program().display().to_string();
    let status = command.stdout(Stdio::null()).status().with_context(|| format!("starting {name}"))?;
    if !status.success() {
        bail!("{name} failed: {status}");
    }
    Ok(())
}

/// Notes steps that did not end as the scenario says.
fn unexpected(scenario: &[Value], played: &Played, problems: &mut Vec<String>) {
    if played.results.len() != scenario.len() {
        problems.push(format!("{} made {} of {} steps", played.sdk, played.results.len(), scenario.len()));
    }
    for (n, (step, result)) in scenario.iter().zip(&played.results).enumerate() {
        if step.get("error") != result.get("error") {
            problems.push(format!(
                "{} through {}: expected {}, got {result}",
                name(n, step),
                played.sdk,
                step["error"].as_str().unwrap_or("success")
            ));
        }
    }
}

/// Notes what differs between the results of two SDKs.
fn compare(scenario: &[Value], one: &Played, other: &Played, problems: &mut Vec<String>) {
    for (n, step) in scenario.iter().enumerate() {
        let newer: Vec<&str> =
            step["newer"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let typed = [one, other].iter().any(|played| played.sdk == RUST);
        let of = |played: &Played| {
            let mut result = played.results.get(n).cloned().unwrap_or_default();
            if let Some(members) = result.as_object_mut() {
                let failed = typed && members.contains_key("error");
                members.retain(|member, _| {
                    !newer.contains(&member.as_str()) && (!failed || OF_ERRORS.contains(&member.as_str()))
                });
            }
            result
        };
        differences("", &of(one), &of(other), &mut |at, first, second| {
            let at = if at.is_empty() { String::new() } else { format!(", {at}") };
            problems.push(format!(
                "{}{at}: {first} through {}, {second} through {}",
                name(n, step),
                one.sdk,
                other.sdk
            ));
        });
    }
}

fn name(n: usize, step: &Value) -> String {
    let what = step["operation"].as_str().or(step["put"].as_str()).unwrap_or_default();
    format!("step {} ({what})", n + 1)
}

/// Calls `tell` for each place where two values differ.
fn differences(at: &str, one: &Value, other: &Value, tell: &mut impl FnMut(&str, &str, &str)) {
    let below = |name: &str| if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") };
    match (one, other) {
        (Value::Object(first), Value::Object(second)) => {
            let nothing = Value::Null;
            let only = |members: &Map<String, Value>| members.keys().cloned().collect::<Vec<_>>();
            let mut names = [only(first), only(second)].concat();
            names.sort_unstable();
            names.dedup();
            for name in &names {
                let value = |members: &Map<String, Value>| members.get(name).unwrap_or(&nothing).clone();
                differences(&below(name), &value(first), &value(second), tell);
            }
        }
        (Value::Array(first), Value::Array(second)) if first.len() == second.len() => {
            for (n, (one, other)) in first.iter().zip(second).enumerate() {
                differences(&below(&n.to_string()), one, other, tell);
            }
        }
        // Whole numbers may come as `1` or `1.0`.
        _ if one == other || (one.as_f64().is_some() && one.as_f64() == other.as_f64()) => {}
        _ => {
            let text = |value: &Value| if value.is_null() { "nothing".to_owned() } else { value.to_string() };
            tell(at, &text(one), &text(other));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(one: &Value, other: &Value) -> Vec<String> {
        let mut found = Vec::new();
        differences("", one, other, &mut |at, one, other| found.push(format!("{at}: {one} {other}")));
        found
    }

    #[test]
    fn differences_are_told_by_their_place() {
        let one = json!({"id": "a", "items": [{"port": 80}, {"port": 81, "tags": {}}], "n": 1});
        assert_eq!(found(&one, &one), [""; 0]);
        let other = json!({"items": [{"port": 80}, {"port": "81", "tags": {}}], "n": 1.0, "next": "b"});
        assert_eq!(
            found(&one, &other),
            ["id: \"a\" nothing", "items.1.port: 81 \"81\"", "next: nothing \"b\""]
        );
        assert_eq!(found(&json!({"items": []}), &json!({"items": [1]})), ["items: [] [1]"]);
    }

    #[test]
    fn steps_have_to_end_as_they_say_and_members_that_are_newer_may_be_missing() {
        let scenario = [json!({"operation": "A", "newer": ["x"]}), json!({"operation": "B", "error": "E"})];
        let one = Played { sdk: "one", results: vec![json!({"x": 1, "y": 2}), json!({"error": "E"})] };
        let other = Played { sdk: "other", results: vec![json!({"y": 3}), json!({})] };
        let mut problems = Vec::new();
        unexpected(&scenario, &one, &mut problems);
        assert_eq!(problems, [""; 0]);
        unexpected(&scenario, &other, &mut problems);
        compare(&scenario, &one, &other, &mut problems);
        assert_eq!(
            problems,
            [
                "step 2 (B) through other: expected E, got {}",
                "step 1 (A), y: 2 through one, 3 through other",
                "step 2 (B), error: \"E\" through one, nothing through other",
            ]
        );
    }
}
