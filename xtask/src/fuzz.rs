//! `cargo xtask fuzz`: runs fuzz targets on the stable toolchain.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::{build, model};

/// The targets, in the order in which they run.
const TARGETS: [&str; 4] = ["path", "bodies", "policy", "signature"];

/// Has the compiler count edges and comparisons, as libFuzzer asks. No sanitizer: those need a nightly toolchain, and the
/// code under test is safe Rust.
const COVERAGE: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// Most seconds that one input may take. The slowest, one body to every operation, takes milliseconds.
const MOST_SECONDS_PER_INPUT: u32 = 10;

/// Most bytes of an input. More find nothing that these do not, and are slower.
const MOST_BYTES: u32 = 16 * 1024;

/// What came of a target.
struct Ended {
    target: &'static str,
    executions: String,
    corpus: usize,
    findings: Vec<PathBuf>,
    /// Whether the target ended as it should.
    sound: bool,
}

/// Runs one target, or each, for so many seconds. What it found interesting stays in `target/fuzz/corpus`; an input that
/// fails is left in `target/fuzz/findings` and ends its target's run.
pub(crate) fn run(name: Option<&str>, seconds: u32) -> Result<ExitCode> {
    let targets: Vec<&str> =
        TARGETS.into_iter().filter(|target| name.is_none_or(|name| name == *target)).collect();
    if targets.is_empty() {
        bail!("there is no such target; there are {}", TARGETS.join(", "));
    }
    if Command::new("c++").arg("--version").output().is_err() {
        bail!("a C++ compiler is missing, which libFuzzer is built with: install g++ or clang");
    }
    let folder = build::workspace().join("target/fuzz");
    let host = host()?;
    eprintln!("fuzz: building {}", targets.join(", "));
    // With `--target`, the flags do not reach build scripts and procedural macros.
    let mut command = build::cargo();
    command
        .args(["build", "--release", "--locked", "--manifest-path", "tests/fuzz/Cargo.toml"])
        .args(["--target", &host, "--target-dir"])
        .arg(&folder)
        .env("RUSTFLAGS", COVERAGE);
    for target in &targets {
        command.args(["--bin", target]);
    }
    if !command.status().context("starting cargo")?.success() {
        bail!("building the fuzz targets failed");
    }
    let words = words(&folder)?;
    let mut all = Vec::new();
    for target in targets {
        let program = folder.join(&host).join("release").join(target);
        all.push(fuzz(&program, target, &folder, &words, seconds)?);
    }
    Ok(summarize(&all))
}

fn fuzz(program: &Path, target: &'static str, folder: &Path, words: &Path, seconds: u32) -> Result<Ended> {
    eprintln!("fuzz: {target} for {seconds} s");
    let (corpus, findings) = (folder.join("corpus").join(target), folder.join("findings").join(target));
    for folder in [&corpus, &findings] {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    let before = files(&findings)?;
    let said = folder.join(format!("{target}.log"));
    let log = File::create(&said).with_context(|| format!("making {}", said.display()))?;
    let status = Command::new(program)
        .arg(&corpus)
        .arg(build::workspace().join("tests/fuzz/inputs").join(target))
        .arg(format!("-artifact_prefix={}/", findings.display()))
        .arg(format!("-dict={}", words.display()))
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-timeout={MOST_SECONDS_PER_INPUT}"))
        .arg(format!("-max_len={MOST_BYTES}"))
        .arg("-print_final_stats=1")
        .stderr(log)
        .status()
        .with_context(|| format!("starting {}", program.display()))?;
    let said = fs::read(&said).with_context(|| format!("reading {}", said.display()))?;
    let said = String::from_utf8_lossy(&said);
    let executions = said.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    if !status.success() {
        // What libFuzzer itself adds to a panic helps nobody.
        let panic: Vec<&str> =
            said.lines().skip_while(|line| !line.contains("panicked at")).take(6).collect();
        eprintln!("fuzz: {target} failed:");
        eprintln!("{}", if panic.is_empty() { said.to_string() } else { panic.join("\n") });
    }
    Ok(Ended {
        target,
        executions: executions.unwrap_or("?").trim().to_owned(),
        corpus: files(&corpus)?.len(),
        findings: files(&findings)?.difference(&before).cloned().collect(),
        sound: status.success(),
    })
}

/// One line per target, then the findings.
fn summarize(all: &[Ended]) -> ExitCode {
    println!("{:<10} {:>12} {:>8} {:>9}", "target", "executions", "corpus", "findings");
    for ended in all {
        println!(
            "{:<10} {:>12} {:>8} {:>9}",
            ended.target,
            ended.executions,
            ended.corpus,
            ended.findings.len()
        );
    }
    for ended in all {
        for input in &ended.findings {
            println!("{} fails on {}", ended.target, input.display());
            println!("  once it is mended, keep it in tests/fuzz/inputs/{}", ended.target);
        }
    }
    if all.iter().all(|ended| ended.sound) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn files(folder: &Path) -> Result<BTreeSet<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    entries.map(|entry| Ok(entry?.path())).collect()
}

/// Writes the words of the service model, which no fuzzer finds by itself: it sees that texts differ, not where.
fn words(folder: &Path) -> Result<PathBuf> {
    let mut words = BTreeSet::new();
    let source = build::workspace().join(model::SOURCE);
    let facts = fs::read(&source).with_context(|| format!("reading {}", source.display()))?;
    let facts: Value = serde_json::from_slice(&facts).context("the facts are not JSON")?;
    for shape in facts["shapes"].as_object().into_iter().flat_map(serde_json::Map::values) {
        words.extend(shape["members"].as_object().into_iter().flat_map(serde_json::Map::keys).cloned());
        let values = shape["enum"].as_array().into_iter().flatten();
        words.extend(values.filter_map(Value::as_str).map(str::to_owned));
    }
    if words.is_empty() {
        bail!("the service model names nothing");
    }
    let mut text = String::new();
    for word in words {
        writeln!(text, "\"\\\"{word}\\\"\"")?;
    }
    let file = folder.join("words");
    fs::write(&file, text).with_context(|| format!("writing {}", file.display()))?;
    Ok(file)
}

/// The triple of this machine.
fn host() -> Result<String> {
    let output = Command::new("rustc")
        .arg("-vV")
        .current_dir(build::workspace())
        .output()
        .context("starting rustc")?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(str::to_owned)
        .context("rustc does not name its host")
}
