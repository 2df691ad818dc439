//! A model test: nodes, pods, agents, the controller, Kubernetes and Lattice do what they like, then all is quiet, and
//! everything has to agree. At every call in between, no pod that takes requests may have been taken out by anybody.
//!
//! `LATH_SEED=n` runs one case again, `LATH_CASES=n` runs more of them, from that seed on if one is given, and
//! `LATH_LOG=debug` shows what agents and controller log meanwhile.

#[path = "model/checks.rs"]
mod checks;
#[path = "model/events.rs"]
mod events;

use std::{collections::BTreeMap, sync::OnceLock, time::Duration};

use fastrand::Rng;
use lath_kubernetes::binding::{Ownership, ReadinessPolicy};
use lattice::TargetGroupArn;
use tokio::time::Instant;
use tracing_subscriber::fmt::{format::Writer, time::FormatTime};

use super::{
    objects::{binding, service},
    setting::{Agent, Controller, Setting},
};

/// Cases unless the environment says otherwise.
const CASES: u64 = 16;

/// Events of a case.
const EVENTS: usize = 120;

/// What fails at times: everything that Lath calls.
const OPERATIONS: [&str; 4] = ["RegisterTargets", "DeregisterTargets", "ListTargets", "GetTargetGroup"];

/// How long an address is given to nobody after its pod is gone. Source: Amazon VPC CNI, 30 seconds by default.
const COOLDOWN: Duration = Duration::from_secs(30);

/// How long the answer that nobody has an address is relied upon: in this time another pod may get it unnoticed.
const CLEARED_FOR: Duration = Duration::from_secs(5);

/// Within this time everything has to agree, once all is quiet: until a watch that was begun while nothing answered is
/// given up (90 s), the longest pauses between attempts after it (60 s), an agent's Lease that has to lapse (120 s) or a
/// deletion's patience, and two audits that have to agree (60 s).
const AGREES_WITHIN: Duration = Duration::from_secs(420);

/// For so long after a pod was unready for too long under policy `Pod` its target may be taken out, since news is late.
const NEWS: Duration = Duration::from_secs(600);

#[test]
fn everything_agrees_once_all_is_quiet() {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let _logging = std::env::var("LATH_LOG").ok().map(|filter| {
        let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
        tracing::subscriber::set_default(subscriber.with_timer(Elapsed::default()).finish())
    });
    let first = number("LATH_SEED");
    let cases = number("LATH_CASES").unwrap_or(if first.is_some() { 1 } else { CASES });
    for seed in (first.unwrap_or(0)..).take(usize::try_from(cases).unwrap()) {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(case(seed));
    }
}

async fn case(seed: u64) {
    // Pauses between attempts are random too.
    fastrand::seed(seed);
    let mut model = Model::new(seed).await;
    for _ in 0..EVENTS {
        model.event().await;
        let pause = [0, 1, 20, 200, 1_000, 5_000, 20_000];
        let pause = pause[model.rng.usize(..pause.len())];
        model.pass(Duration::from_millis(pause)).await;
    }
    model.quiet().await;
}

/// Writes the time of the test, which is not the wall clock's, before a line of the log.
#[derive(Default)]
struct Elapsed(OnceLock<Instant>);

impl FormatTime for Elapsed {
    fn format_time(&self, writer: &mut Writer<'_>) -> std::fmt::Result {
        let now = Instant::now();
        write!(writer, "{:>9.3}", (now - *self.0.get_or_init(|| now)).as_secs_f64())
    }
}

/// A pod as it is in truth.
#[derive(Debug)]
struct Pod {
    node: usize,
    address: String,
    made: Instant,
    ready: bool,
    /// When it last became unready.
    unready_since: Option<Instant>,
    /// Until when it may be taken out for having been unready.
    may_be_out_until: Option<Instant>,
    /// It is being deleted, and gone by then.
    ends: Option<Instant>,
}

struct Node {
    name: String,
    agent: Agent,
    boots: u32,
    /// When its agent was killed, if it does not run.
    killed: Option<Instant>,
}

struct Model {
    seed: u64,
    rng: Rng,
    start: Instant,
    setting: Setting,
    /// Goes by health checks.
    web: TargetGroupArn,
    /// Goes by pods' readiness.
    admin: TargetGroupArn,
    nodes: Vec<Node>,
    controller: Controller,
    pods: BTreeMap<String, Pod>,
    /// Addresses that are free from then on. Where Lattice drops what is registered while it drains, each node has its
    /// own, because only the agent that took an address out can know.
    free: Vec<(String, Option<usize>, Instant)>,
    named: usize,
    seen: u64,
    history: Vec<String>,
}

impl Drop for Model {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.history.join("\n"));
            eprintln!("LATH_SEED={} runs this case again", self.seed);
        }
    }
}

impl Model {
    async fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let ways = ["initial", "refused", "vanishes", "healthy", "health-reset"];
        let way = ways[rng.usize(..ways.len())];
        let drain = ["60", "300"][rng.usize(..2)];
        let absent = ["successful", "unsuccessful"][rng.usize(..2)];
        let settings = [
            ("target.reregister_draining", way),
            ("target.drain_seconds", drain),
            ("target.deregister_absent", absent),
        ];
        let setting = Setting::new(&settings);
        let (web, admin) = (setting.group("web", "IPV4").await, setting.group("admin", "IPV4").await);
        for (name, port, group) in [("web", 8080, &web), ("admin", 9090, &admin)] {
            setting.api.put(&service(name, port)).unwrap();
            let mut binding = binding(name, name, group);
            if name == "admin" {
                binding.spec.readiness.policy = ReadinessPolicy::Pod;
                binding.spec.ownership = Ownership::Exclusive;
            }
            setting.api.put(&binding).unwrap();
        }
        let mut nodes = Vec::new();
        for n in 0..3 {
            let name = format!("n{n}");
            setting.node(&name, "boot-1");
            nodes.push(Node { agent: setting.agent(&name).await, name, boots: 1, killed: None });
        }
        let controller = setting.controller().await;
        let start = Instant::now();
        let free =
            (1..=18).map(|n| (format!("10.0.0.{n}"), (way == "vanishes").then_some(n % 3), start)).collect();
        let history = vec![format!("{settings:?}")];
        let (pods, named, seen) = (BTreeMap::new(), 0, 0);
        Self { seed, rng, start, setting, web, admin, nodes, controller, pods, free, named, seen, history }
    }

    fn tell(&mut self, what: impl AsRef<str>) {
        self.tell_of(Instant::now(), what.as_ref());
    }

    fn tell_of(&mut self, at: Instant, what: &str) {
        self.history.push(format!("{:>9.3} {what}", (at - self.start).as_secs_f64()));
    }

    /// Lets time pass, and ends the pods whose time comes.
    async fn pass(&mut self, time: Duration) {
        let until = Instant::now() + time;
        loop {
            let ends = self.pods.iter().filter_map(|(name, pod)| Some((pod.ends?, name.clone()))).min();
            match ends.filter(|(at, _)| *at <= until) {
                Some((at, name)) => {
                    tokio::time::sleep_until(at).await;
                    self.check();
                    self.end(&name);
                }
                None => break,
            }
        }
        tokio::time::sleep_until(until).await;
        self.check();
    }
}
