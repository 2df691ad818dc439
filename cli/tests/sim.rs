//! `lath sim` as a process: its line of JSON, its ends, and what it says about bad flags.
#![expect(clippy::unwrap_used, reason = "tests end by panicking")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// A simulator that ends with the test.
struct Sim {
    child: Child,
    ready: Value,
}

impl Sim {
    fn start(flags: &[&str]) -> Self {
        Self::begin(Command::new(env!("CARGO_BIN_EXE_lath")).arg("sim").args(flags))
    }

    fn begin(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        Self { ready: serde_json::from_str(&line).unwrap(), child }
    }

    fn address(&self) -> &str {
        self.ready["endpoint"].as_str().unwrap().strip_prefix("http://").unwrap()
    }

    /// Sends a request and returns the answer's body.
    fn request(&self, head: &str, body: &str) -> Value {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        write!(
            stream,
            "{head} HTTP/1.1\r\nhost: sim\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap()
    }

    fn end(mut self, signal: Signal) -> ExitStatus {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        let (ended, wait) = mpsc::channel();
        let id = Pid::from_child(&self.child);
        let watch = std::thread::spawn(move || {
            if wait.recv_timeout(Duration::from_secs(20)).is_err() {
                let _ended_meanwhile = kill_process(id, Signal::KILL);
            }
        });
        let status = self.child.wait().unwrap();
        ended.send(()).unwrap();
        watch.join().unwrap();
        status
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        // It has ended already where the test got so far.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn run(flags: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lath")).args(flags).output().unwrap()
}

/// Whether there is curl; says that a test is skipped without, which is an error in CI.
fn has_curl() -> bool {
    let there = Command::new("curl").arg("--version").output().is_ok();
    if !there {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "curl is missing");
        println!("skipped: it needs curl");
    }
    there
}

#[test]
fn ready_line_names_endpoint_accounts_and_region() {
    let sim = Sim::start(&["--seed", "7", "--set", "accounts=2"]);
    let accounts = sim.ready["accounts"].as_array().unwrap();
    assert_eq!(accounts.len(), 2);
    for key in ["id", "access_key_id", "secret_access_key"] {
        assert!(accounts[0][key].is_string(), "{}", sim.ready);
        assert_ne!(accounts[0][key], accounts[1][key]);
    }
    assert_eq!(sim.ready["region"], "us-west-2");
    assert_eq!(sim.request("GET /_sim/calls", ""), serde_json::json!({}));
    let again = Sim::start(&["--seed=7"]);
    assert_eq!(again.ready["accounts"][0], accounts[0]);
}

#[test]
fn settings_of_the_command_line_are_in_force() {
    let sim =
        Sim::start(&["--set", "target.drain_seconds=300", "--set", "target.reregister_draining=vanishes"]);
    let settings = sim.request("GET /_sim/settings", "");
    assert_eq!(
        (&settings["target.drain_seconds"], &settings["target.reregister_draining"]),
        (&300.into(), &"vanishes".into())
    );
}

#[test]
fn sigterm_and_sigint_end_it_with_0_even_while_a_call_hangs() {
    for signal in [Signal::TERM, Signal::INT] {
        let sim = Sim::start(&[]);
        sim.request("PUT /_sim/faults", r#"[{"operation": "*", "timeout": true}]"#);
        let mut hanging = TcpStream::connect(sim.address()).unwrap();
        write!(hanging, "GET /services HTTP/1.1\r\nhost: sim\r\n\r\n").unwrap();
        while sim.request("GET /_sim/calls", "").as_object().unwrap().is_empty() {}
        assert!(sim.end(signal).success());
    }
}

#[test]
fn a_hang_up_ends_it_unless_it_was_started_to_go_on() {
    let start = |how: &str| {
        Sim::begin(Command::new("env").args([
            how,
            env!("CARGO_BIN_EXE_lath"),
            "sim",
            "--listen",
            "127.0.0.1:0",
        ]))
    };
    assert!(start("--default-signal=HUP").end(Signal::HUP).success());
    let sim = start("--ignore-signal=HUP");
    kill_process(Pid::from_child(&sim.child), Signal::HUP).unwrap();
    // One call after the other is answered, the last ones long after the signal would have been heard.
    for _ in 0..200 {
        assert!(sim.request("GET /_sim/ready", "")["endpoint"].is_string());
    }
    assert!(sim.end(Signal::TERM).success());
}

#[test]
fn the_documentations_commands_work() {
    if !has_curl() {
        return;
    }
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/simulator.md");
    let page = std::fs::read_to_string(page).unwrap();
    let blocks = page.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let mut tried = 0;
    for block in blocks.filter(|block| block.contains("$ENDPOINT")) {
        let sim = Sim::start(&[]);
        let script = block.replace("curl ", "curl --fail --silent --show-error ");
        let output = Command::new("bash")
            .args(["-e", "-c", &script])
            .env("ENDPOINT", sim.ready["endpoint"].as_str().unwrap())
            .output()
            .unwrap();
        assert!(output.status.success(), "{block}\n{}", String::from_utf8_lossy(&output.stderr));
        tried += 1;
    }
    assert!(tried > 0, "the page has no commands");
}

/// The line of this process's limits that says how many file descriptors it may have. Source: proc(5).
fn limit_of_descriptors(sim: &Sim) -> String {
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", sim.child.id())).unwrap();
    limits.lines().find(|line| line.starts_with("Max open files")).unwrap().to_owned()
}

#[test]
fn the_data_plane_takes_all_file_descriptors_that_it_may_have_and_no_more_connections_than_these_allow() {
    let (_, mut flags) = loopback(1);
    for (limits, asked, expected, told) in [
        ("ulimit -Sn 300", Some(10), 10, false),
        ("ulimit -n 1500", Some(250), 250, false),
        ("ulimit -n 1500", Some(251), 250, true),
        ("ulimit -n 1500", None, 250, false),
    ] {
        let errors = format!("{}/errors-{}", env!("CARGO_TARGET_TMPDIR"), std::process::id());
        let script = format!("{limits}; exec \"$@\" 2> {errors}");
        let length = flags.len();
        flags.extend(asked.map(|connections| format!("--set=data.connections={connections}")));
        let mut command = Command::new("bash");
        command.args(["-c", &script, "-", env!("CARGO_BIN_EXE_lath"), "sim"]).args(&flags);
        let sim = Sim::begin(&mut command);
        flags.truncate(length);
        let line = limit_of_descriptors(&sim);
        let [soft, hard] = line.split_whitespace().skip(3).take(2).collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        assert_eq!(soft, hard, "{limits}");
        let settings = sim.request("GET /_sim/settings", "");
        assert_eq!(settings["data.connections"], expected, "{limits}");
        let said = std::fs::read_to_string(&errors).unwrap();
        std::fs::remove_file(&errors).unwrap();
        let sentence = "there can be 250 connections of clients, not 251: there are 1500 file descriptors";
        assert_eq!(said.contains(sentence), told, "{said}");
        assert!(told || said.is_empty(), "{said}");
    }
}

fn check_refused(flags: &[&str], sentence: &str) {
    let output = run(flags);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        (output.status.code(), error.as_str()),
        (Some(2), format!("lath: {sentence}\n").as_str()),
        "{flags:?}"
    );
    assert!(output.stdout.is_empty());
}

#[test]
fn bad_flags_are_one_sentence_and_exit_code_2() {
    check_refused(&["sim", "--set", "nope=1"], "there is no setting nope; `lath sim settings` lists them");
    check_refused(&["sim", "--set", "accounts"], "accounts is no setting, it must be NAME=VALUE");
    check_refused(
        &["sim", "--set", "accounts=0"],
        "setting accounts: 0 is not allowed, it must be a whole number from 1 to 2",
    );
    check_refused(
        &["sim", "--listen", "localhost"],
        "invalid value 'localhost' for '--listen <ADDRESS:PORT>': it must be an IP address and a port, such as 127.0.0.1:8000",
    );
    check_refused(
        &["sim", "--profile", "gcp"],
        "invalid value 'gcp' for '--profile <PROFILE>' [possible values: instant, aws]",
    );
    check_refused(
        &["sim", "--seed", "x"],
        "invalid value 'x' for '--seed <SEED>': invalid digit found in string",
    );
    check_refused(
        &["sim", "--surroundings", "/nowhere.yaml"],
        "reading /nowhere.yaml: No such file or directory (os error 2)",
    );
    check_refused(&[], "a command is missing, `lath --help` lists them");
}

#[test]
fn a_taken_port_is_one_sentence_and_exit_code_2() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let error = "Address already in use (os error 98)";
    check_refused(
        &["sim", "--listen", &address],
        &format!("can't listen on {address}: {error}; choose another address with --listen"),
    );
}

#[test]
fn surroundings_come_from_a_file_and_their_schema_is_published() {
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/surroundings");
    let example = format!("{docs}/example.yaml");
    let sim = Sim::start(&["--surroundings", &example]);
    assert_eq!(sim.ready["accounts"][1]["access_key_id"], "AKIAPAYMENTS");
    let known = sim.request("GET /_sim/surroundings", "");
    assert_eq!(known["vpcs"][0]["tags"]["Name"], "platform");
    let published = std::fs::read(format!("{docs}/schema.json")).unwrap();
    let schema = run(&["sim", "schema"]).stdout;
    assert!(published == schema, "docs/surroundings/schema.json is not what `lath sim schema` prints");
    let wrong = format!("{}/wrong.yaml", env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(&wrong, "instances: [{ id: i-12345678, vpc: vpc-12345678, addresses: [10.0.0.1] }]")
        .unwrap();
    check_refused(
        &["sim", "--surroundings", &wrong],
        &format!("{wrong}: instances[0].vpc: there is no VPC vpc-12345678 in vpcs"),
    );
}

#[test]
fn the_documented_settings_are_those_that_there_are() {
    let made = run(&["sim", "settings", "--output", "markdown"]);
    let made = String::from_utf8(made.stdout).unwrap();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/simulator-settings.md");
    let written = std::fs::read_to_string(file).unwrap();
    assert!(made == written, "write docs/simulator-settings.md anew: lath sim settings --output markdown");
}

/// Flags for a data plane on addresses of loopback that no other process uses.
fn loopback(number: u8) -> (String, Vec<String>) {
    let block = format!("127.{}.{}", std::process::id() % 200 + 20, 200 + number);
    let settings = [
        "data.interface=none".to_owned(),
        "data.ipv6_range=off".to_owned(),
        "dns.listen=off".to_owned(),
        format!("data.ipv4_range={block}.0/24"),
        format!("data.resource_range={block}.128/26"),
    ];
    let settings = settings.into_iter().flat_map(|setting| ["--set".to_owned(), setting]);
    (format!("{block}.1"), ["--data-plane".to_owned()].into_iter().chain(settings).collect())
}

#[test]
fn clients_that_know_the_authority_know_it_after_a_restart_and_access_logs_become_files() {
    if !has_curl() {
        return;
    }
    let folder = std::env::temp_dir().join(format!("lath-sim-authority-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (address, mut flags) = loopback(0);
    flags.extend(["--state".to_owned(), path("state.json"), "--access-logs".to_owned(), path("logs")]);
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let sim = Sim::start(&flags);
    let service = sim.request("POST /services", r#"{"name": "shop"}"#);
    let (id, host) = (service["id"].as_str().unwrap(), service["dnsEntry"]["domainName"].as_str().unwrap());
    let listener = r#"{"name": "web", "protocol": "HTTPS", "port": 8443, "defaultAction": {"fixedResponse": {"statusCode": 404}}}"#;
    sim.request(&format!("POST /services/{id}/listeners"), listener);
    let subscription =
        format!(r#"{{"resourceIdentifier": "{id}", "destinationArn": "arn:aws:s3:::shop-logs"}}"#);
    let subscription = sim.request("POST /accesslogsubscriptions", &subscription);
    let authority =
        Command::new("curl").args(["-s", &format!("http://{}/_sim/ca.pem", sim.address())]).output();
    std::fs::write(path("ca.pem"), authority.unwrap().stdout).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(path("state.json")).unwrap().permissions(),
    );
    assert_eq!(mode & 0o777, 0o600, "there are keys in it");
    let second = run(&["sim", "--state", &path("state.json")]);
    let errors = String::from_utf8(second.stderr).unwrap();
    assert_eq!(
        (second.status.code(), errors.contains("in use by another simulator")),
        (Some(2), true),
        "{errors}"
    );
    assert!(sim.end(Signal::TERM).success());

    let sim = Sim::start(&flags);
    let resolve = format!("{host}:8443:{address}");
    let status = Command::new("curl")
        .args(["--silent", "--show-error", "--cacert", &path("ca.pem"), "--resolve", &resolve])
        .args(["--retry", "20", "--retry-connrefused", "--retry-delay", "1"])
        .args(["--write-out", "%{http_code}", &format!("https://{host}:8443/")])
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8(status.stdout).unwrap(),
        "404",
        "{}",
        String::from_utf8_lossy(&status.stderr)
    );
    assert!(sim.end(Signal::TERM).success());
    let file =
        folder.join("logs/s3/shop-logs").join(format!("{}.jsonl", subscription["id"].as_str().unwrap()));
    assert_eq!(std::fs::read_to_string(&file).unwrap().lines().count(), 1, "{}", file.display());
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn files_that_cant_be_written_are_told_of_at_the_start() {
    let folder = std::env::temp_dir().join(format!("lath-sim-no-folder-{}", std::process::id()));
    let (state, logs) = (folder.join("state.json"), folder.join("logs"));
    let (state, logs) = (state.to_str().unwrap(), logs.to_str().unwrap());
    let nowhere = format!("opening the state file {state}.lock: No such file or directory (os error 2)");
    check_refused(&["sim", "--state", state], &nowhere);
    std::fs::write(&folder, "a file").unwrap();
    let no_folder = format!("writing the access log {logs}: Not a directory (os error 20)");
    check_refused(&["sim", "--access-logs", logs], &no_folder);
    std::fs::remove_file(&folder).unwrap();
}

#[test]
fn the_state_file_brings_everything_back() {
    let file = format!("{}/state-{}.json", env!("CARGO_TARGET_TMPDIR"), std::process::id());
    let sim = Sim::start(&["--state", &file]);
    let made = sim.request("POST /services", r#"{"name": "web"}"#);
    assert!(sim.end(Signal::TERM).success());
    let again = Sim::start(&["--state", &file]);
    assert_eq!(again.request("GET /services", "")["items"][0]["id"], made["id"]);
    drop(again);
    std::fs::write(&file, "{").unwrap();
    let output = run(&["sim", "--state", &file]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("move it away to begin anew") && error.lines().count() == 1, "{error}");
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn help_teaches_and_settings_are_listed() {
    let help = String::from_utf8(run(&["sim", "--help"]).stdout).unwrap();
    for told in [
        "--listen",
        "--seed",
        "--set",
        "--data-plane",
        "--surroundings",
        "--state",
        "/_sim/faults",
        "lath sim settings",
        "AWS_ENDPOINT_URL_VPC_LATTICE",
    ] {
        assert!(help.contains(told), "{told}");
    }
    let text = String::from_utf8(run(&["sim", "settings"]).stdout).unwrap();
    let json: Vec<Value> = serde_json::from_slice(&run(&["sim", "settings", "-o", "json"]).stdout).unwrap();
    assert!(json.len() > 40);
    for row in json {
        let name = row["name"].as_str().unwrap();
        assert!(text.lines().any(|line| line == name), "{name}");
        assert!(["documented", "assumed", "simulator"].contains(&row["label"].as_str().unwrap()));
    }
}
