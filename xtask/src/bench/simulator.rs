//! `cargo xtask bench simulator`: what a call costs the simulator when there is much in it.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::build;
use crate::simulator::Simulator;

// The size of the world. Target groups, targets of a group, rules of a listener and service networks are as many as VPC
// Lattice's quotas allow; there is one service for each target group, and the networks have them by turns.
const SERVICES: usize = 500;
const RULES: usize = 10;
const GROUPS: usize = 500;
const TARGETS: usize = 1_000;
const NETWORKS: usize = 50;

/// Targets that one call registers or deregisters; the most that the API allows.
const TARGETS_PER_CALL: usize = 100;

/// Targets that one call of ListTargets may name.
const TARGETS_PER_FILTER: usize = 20;

/// Times that each kind of call is made.
const CALLS: usize = 500;

/// Most milliseconds of the server's processor time that a call may take, its HTTP included.
const BUDGET_MS: f64 = 1.0;

/// How the simulator is started. The quota leaves room for the targets that are registered and deregistered in a full
/// group.
const SIMULATOR: [&str; 4] = ["--seed", "1", "--set", "quota.targets_per_group=1100"];

/// What one kind of call took.
struct Figure {
    call: &'static str,
    calls: usize,
    /// Milliseconds of processor time per call.
    ms: f64,
}

/// Builds `lath`, fills its simulator, and prints what calls take.
pub(super) fn run() -> Result<ExitCode> {
    let folder = build::release_binaries(&["lath"])?;
    let mut process = Simulator::start(&build::binary(&folder, "lath"), &SIMULATOR)?;
    let ready: Value = serde_json::from_str(&process.ready()?).context("reading where lath sim is")?;
    let endpoint = ready["endpoint"].as_str().context("lath sim names no endpoint")?;
    let mut lab = Lab { client: Client::connect(endpoint)?, process: process.id() };
    eprintln!(
        "bench: filling {SERVICES} services of {RULES} rules, {GROUPS} target groups of {TARGETS} targets"
    );
    let world = World::fill(&mut lab.client)?;
    eprintln!("bench: making {CALLS} calls of each kind");
    let figures = measure(&mut lab, &world)?;

    println!("{:<58} {:>6} {:>8} {:>8}", "CALL", "CALLS", "CPU MS", "BUDGET");
    for Figure { call, calls, ms } in &figures {
        let judged = if *ms < BUDGET_MS { "" } else { "  missed" };
        println!("{call:<58} {calls:>6} {ms:>8.3} {BUDGET_MS:>8.3}{judged}");
    }
    let kept = figures.iter().all(|figure| figure.ms < BUDGET_MS);
    Ok(if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn measure(lab: &mut Lab, world: &World) -> Result<Vec<Figure>> {
    let every = |n: usize| n % GROUPS;
    let group = |n: usize| format!("/targetgroups/{}", world.groups[every(n)]);
    let listener = |n: usize| world.listeners[n % SERVICES].clone();
    let network = |n: usize| world.networks[n % NETWORKS].clone();
    let more = |_| targets(TARGETS..TARGETS + TARGETS_PER_CALL);
    let nothing = |_| Value::Null;
    Ok(vec![
        lab.pages("ListServices, pages of 100", |_| "/services".to_owned())?,
        lab.pages("ListTargetGroups, pages of 100", |_| "/targetgroups".to_owned())?,
        lab.pages("ListRules, pages of 11", |n| format!("{}/rules", listener(n)))?,
        lab.pages("ListServiceNetworks, pages of 50", |_| "/servicenetworks".to_owned())?,
        lab.pages("ListServiceNetworkServiceAssociations of a network", |n| {
            format!("/servicenetworkserviceassociations?serviceNetworkIdentifier={}", network(n))
        })?,
        lab.calls("ListTargets, the first 100", "POST", |n| format!("{}/listtargets", group(n)), nothing)?,
        lab.calls(
            "ListTargets, 20 by name",
            "POST",
            |n| format!("{}/listtargets", group(n)),
            |_| targets(TARGETS - TARGETS_PER_FILTER..TARGETS),
        )?,
        lab.calls("RegisterTargets of 100", "POST", |n| format!("{}/registertargets", group(n)), more)?,
        lab.calls(
            "RegisterTargets of 100 that are registered",
            "POST",
            |n| format!("{}/registertargets", group(n)),
            more,
        )?,
        lab.gone("DeregisterTargets of 100, until they are gone", group, more)?,
    ])
}

/// So many targets of one group, by number.
fn targets(numbers: std::ops::Range<usize>) -> Value {
    let target = |n: usize| json!({"id": format!("10.0.{}.{}", n / 250, n % 250)});
    json!({"targets": numbers.map(target).collect::<Vec<_>>()})
}

/// What there is: ids, and paths of listeners.
struct World {
    groups: Vec<String>,
    listeners: Vec<String>,
    networks: Vec<String>,
}

impl World {
    fn fill(client: &mut Client) -> Result<Self> {
        let mut world = Self { groups: Vec::new(), listeners: Vec::new(), networks: Vec::new() };
        for n in 0..GROUPS {
            let config = json!({"port": 80, "protocol": "HTTP", "vpcIdentifier": "vpc-12345678"});
            let body = json!({"name": format!("group-{n}"), "type": "IP", "config": config});
            world.groups.push(client.create("/targetgroups", &body)?);
        }
        for n in 0..NETWORKS {
            world.networks.push(client.create("/servicenetworks", &json!({"name": format!("network-{n}")}))?);
        }
        for n in 0..SERVICES {
            let service = client.create("/services", &json!({"name": format!("service-{n}")}))?;
            let group = &world.groups[n % GROUPS];
            let action = json!({"forward": {"targetGroups": [{"targetGroupIdentifier": group}]}});
            let listeners = format!("/services/{service}/listeners");
            let body = json!({"name": "http", "protocol": "HTTP", "defaultAction": action});
            let listener = format!("{listeners}/{}", client.create(&listeners, &body)?);
            for rule in 1..=RULES {
                let matches = json!({"httpMatch": {"pathMatch": {"match": {"prefix": format!("/{rule}")}}}});
                let name = format!("number-{rule}");
                let body = json!({"name": name, "priority": rule, "match": matches, "action": action});
                client.create(&format!("{listener}/rules"), &body)?;
            }
            world.listeners.push(listener);
            let network = &world.networks[n % NETWORKS];
            let body = json!({"serviceNetworkIdentifier": network, "serviceIdentifier": service});
            client.create("/servicenetworkserviceassociations", &body)?;
        }
        for group in &world.groups {
            for first in (0..TARGETS).step_by(TARGETS_PER_CALL) {
                let path = format!("/targetgroups/{group}/registertargets");
                client.call("POST", &path, &targets(first..first + TARGETS_PER_CALL))?;
            }
        }
        Ok(world)
    }
}

/// A client, and the server's process, whose time is taken.
struct Lab {
    client: Client,
    process: u32,
}

impl Lab {
    /// Milliseconds of processor time that the server has taken so far, on all its threads.
    fn taken(&self) -> Result<f64> {
        let folder = format!("/proc/{}/task", self.process);
        let mut nanoseconds = 0;
        for thread in std::fs::read_dir(&folder).with_context(|| format!("reading {folder}"))? {
            let file = thread?.path().join("schedstat");
            let text =
                std::fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
            let first = text.split_whitespace().next().unwrap_or_default();
            nanoseconds += first.parse::<u64>().with_context(|| format!("reading {}", file.display()))?;
        }
        Ok(nanoseconds as f64 / 1e6)
    }

    /// Makes one call [`CALLS`] times.
    fn calls(
        &mut self,
        call: &'static str,
        method: &str,
        path: impl Fn(usize) -> String,
        body: impl Fn(usize) -> Value,
    ) -> Result<Figure> {
        let before = self.taken()?;
        for n in 0..CALLS {
            let answer = self.client.call(method, &path(n), &body(n))?;
            if answer["unsuccessful"].as_array().is_some_and(|failed| !failed.is_empty()) {
                bail!("{call}: {answer}");
            }
        }
        Ok(Figure { call, calls: CALLS, ms: (self.taken()? - before) / CALLS as f64 })
    }

    /// Reads lists page by page, one list after the other, until [`CALLS`] pages are read.
    fn pages(&mut self, call: &'static str, path: impl Fn(usize) -> String) -> Result<Figure> {
        let before = self.taken()?;
        let (mut list, mut next) = (0, None::<String>);
        for _ in 0..CALLS {
            let mut path = path(list);
            if let Some(token) = &next {
                let joint = if path.contains('?') { '&' } else { '?' };
                write!(path, "{joint}nextToken={token}")?;
            }
            let page = self.client.call("GET", &path, &Value::Null)?;
            if page["items"].as_array().is_none_or(Vec::is_empty) {
                bail!("{call}: nothing is listed: {page}");
            }
            next = page["nextToken"].as_str().map(str::to_owned);
            list += usize::from(next.is_none());
        }
        Ok(Figure { call, calls: CALLS, ms: (self.taken()? - before) / CALLS as f64 })
    }

    /// Deregisters targets of each group, and lets them end.
    fn gone(
        &mut self,
        call: &'static str,
        group: impl Fn(usize) -> String,
        body: impl Fn(usize) -> Value,
    ) -> Result<Figure> {
        let mut figure = self.calls(call, "POST", |n| format!("{}/deregistertargets", group(n)), body)?;
        let before = self.taken()?;
        self.client.call("POST", "/_sim/clock", &json!({"advance_seconds": 3600}))?;
        self.client.call("GET", "/services?maxResults=1", &Value::Null)?;
        figure.ms += (self.taken()? - before) / CALLS as f64;
        Ok(figure)
    }
}

/// HTTP/1.1 on one connection.
struct Client {
    host: String,
    stream: BufReader<TcpStream>,
}

impl Client {
    fn connect(endpoint: &str) -> Result<Self> {
        let host = endpoint.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let stream = TcpStream::connect(&host).with_context(|| format!("connecting to {host}"))?;
        stream.set_nodelay(true).context("asking for small packets at once")?;
        Ok(Self { host, stream: BufReader::new(stream) })
    }

    /// The id of what is created.
    fn create(&mut self, path: &str, body: &Value) -> Result<String> {
        let made = self.call("POST", path, body)?;
        made["id"].as_str().map(str::to_owned).with_context(|| format!("POST {path}: no id in {made}"))
    }

    fn call(&mut self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            self.host,
            body.len()
        );
        self.stream
            .get_mut()
            .write_all(format!("{head}{body}").as_bytes())
            .context("calling the simulator")?;
        let (mut status, mut length) = (String::new(), 0);
        self.stream.read_line(&mut status).context("reading the simulator's answer")?;
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).context("reading the simulator's answer")?;
            if line.trim_end().is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().context("reading the length of an answer")?;
            }
        }
        let mut answer = vec![0; length];
        self.stream.read_exact(&mut answer).context("reading the simulator's answer")?;
        if !status.starts_with("HTTP/1.1 2") {
            bail!("{method} {path}: {}{}", status, String::from_utf8_lossy(&answer));
        }
        if answer.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_slice(&answer)?) }
    }
}
