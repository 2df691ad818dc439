//! A model test: nodes, pods, agents, the controller, Kubernetes and Lattice do what they like, then all is quiet, and
//! everything has to agree. At every call in between, no pod that takes requests may have been taken out by anybody.
//!
//! `LATH_SEED=n` runs one case again, `LATH_CASES=n` runs more of them, from that seed on if one is given, and
//! `LATH_LOG=debug` shows what agents and controller log meanwhile.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::OnceLock,
    time::Duration,
};

use fastrand::Rng;
use k8s_openapi::api::{coordination::v1::Lease, core::v1 as core};
use lath_kubernetes::binding::{Ownership, ReadinessPolicy};
use lattice::TargetGroupArn;
use lattice_sim::{Fault, LogEntry};
use tests::api::Outage;
use tokio::time::{Instant, sleep};
use tracing_subscriber::fmt::{format::Writer, time::FormatTime};

use super::{
    objects::{binding, service, set_addresses, set_ready},
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

    async fn event(&mut self) {
        let node = self.rng.usize(..self.nodes.len());
        match self.rng.u32(..100) {
            0..25 => self.make(node),
            25..40 => self.turn(),
            40..55 => self.delete(),
            55..60 => self.kill(node).await,
            60..66 => self.bring_back(node).await,
            66..70 => self.cut_off(node),
            70..76 => self.heal(node),
            76..80 => self.delay(node),
            80..84 => self.disturb_watches(node),
            84..91 => self.break_lattice(),
            91..94 => {
                self.tell("Lattice is well");
                self.setting.faults(vec![]);
                self.setting.cloud.change_settings([("api.rate", "unlimited")]).unwrap();
            }
            94..95 => self.grant().await,
            95..97 => self.reboot(node).await,
            97..99 => self.disturb_controller().await,
            _ => self.replace(node).await,
        }
        self.check();
    }

    fn make(&mut self, node: usize) {
        let now = Instant::now();
        let fits = |(_, owner, from): &(String, Option<usize>, Instant)| {
            *from <= now && owner.is_none_or(|owner| owner == node)
        };
        let places: Vec<usize> = (0..self.free.len()).filter(|place| fits(&self.free[*place])).collect();
        let Some(place) = self.rng.choice(places) else { return };
        let (address, ..) = self.free.swap_remove(place);
        let ready = self.rng.u32(..4) > 0;
        let name = format!("p{}", self.named);
        self.named += 1;
        self.tell(format!("{name} on n{node} at {address}, ready {ready}"));
        let node_name = self.nodes[node].name.clone();
        self.setting.pod_with(&node_name, &name, &address, |pod| set_ready(pod, ready));
        let unready_since = (!ready).then_some(now);
        let pod = Pod { node, address, made: now, ready, unready_since, may_be_out_until: None, ends: None };
        self.pods.insert(name, pod);
    }

    fn some_pod(&mut self) -> Option<String> {
        let living: Vec<String> =
            self.pods.iter().filter(|(_, pod)| pod.ends.is_none()).map(|(name, _)| name.clone()).collect();
        self.rng.choice(living)
    }

    /// Turns a pod ready or unready.
    fn turn(&mut self) {
        let Some(name) = self.some_pod() else { return };
        let now = Instant::now();
        let Some(pod) = self.pods.get_mut(&name) else { return };
        pod.ready = !pod.ready;
        let ready = pod.ready;
        if !ready {
            pod.unready_since = Some(now);
        } else if pod.unready_since.is_some_and(|since| now - since >= Duration::from_secs(9)) {
            pod.may_be_out_until = Some(now + NEWS);
        }
        self.setting.edit_pod(&name, |pod| set_ready(pod, ready));
        self.tell(format!("{name} ready {ready}"));
    }

    fn delete(&mut self) {
        let Some(name) = self.some_pod() else { return };
        if self.rng.bool() {
            self.tell(format!("{name} is deleted by force"));
            self.end(&name);
            return;
        }
        self.tell(format!("{name} is deleted"));
        self.setting.delete_pod(&name);
        let grace = Duration::from_secs(self.rng.u64(1..30));
        if let Some(pod) = self.pods.get_mut(&name) {
            pod.ends = Some(Instant::now() + grace);
        }
    }

    fn end(&mut self, name: &str) {
        let Some(pod) = self.pods.remove(name) else { return };
        self.setting.end_pod(name);
        self.tell(format!("{name} is gone, {} is free", pod.address));
        let owner = self.owner(pod.node);
        self.free.push((pod.address, owner, Instant::now() + COOLDOWN));
    }

    fn owner(&self, node: usize) -> Option<usize> {
        self.history[0].contains("vanishes").then_some(node)
    }

    async fn kill(&mut self, node: usize) {
        if self.nodes[node].agent.runs() {
            self.tell(format!("the agent of n{node} is killed"));
            self.nodes[node].agent.kill();
            self.nodes[node].killed = Some(Instant::now());
            tokio::task::yield_now().await;
        }
    }

    async fn bring_back(&mut self, node: usize) {
        if !self.nodes[node].agent.runs() {
            self.tell(format!("the agent of n{node} is started"));
            if let Some(killed) = self.nodes[node].killed.take() {
                self.age_lease(node, killed.elapsed());
            }
            self.nodes[node].agent.start().await;
        }
    }

    /// Makes the Lease of a node's agent as old as it is. The wall clock, by which it was written, does not pause.
    fn age_lease(&self, node: usize, age: Duration) {
        let name = format!("lath-agent-{}", self.nodes[node].name);
        self.setting
            .api
            .edit("lath-system", &name, |lease: &mut Lease| {
                if let Some(renewed) = lease.spec.as_mut().and_then(|spec| spec.renew_time.as_mut()) {
                    renewed.0 -= age;
                }
            })
            .unwrap();
    }

    fn cut_off(&mut self, node: usize) {
        let outage = self.outage();
        if self.nodes[node].agent.runs() {
            self.tell(format!("n{node} is cut off, {outage:?}"));
            self.nodes[node].agent.access().fail(outage);
        }
    }

    fn outage(&mut self) -> Outage {
        [Outage::Refused, Outage::Silent, Outage::Severed][self.rng.usize(..3)]
    }

    fn heal(&mut self, node: usize) {
        if self.nodes[node].agent.runs() {
            self.tell(format!("n{node} reaches everything again"));
            self.nodes[node].agent.access().heal();
            self.nodes[node].agent.access().delay_watches(Duration::ZERO);
            self.nodes[node].agent.access().delay_answers(Duration::ZERO);
        }
    }

    fn delay(&mut self, node: usize) {
        let watches = Duration::from_secs(self.rng.u64(..60));
        let answers = Duration::from_millis(self.rng.u64(..2_000));
        if self.nodes[node].agent.runs() {
            self.tell(format!("n{node}: watches {watches:?} late, answers {answers:?}"));
            self.nodes[node].agent.access().delay_watches(watches);
            self.nodes[node].agent.access().delay_answers(answers);
        }
    }

    fn disturb_watches(&mut self, node: usize) {
        let which = self.rng.u32(..3);
        if !self.nodes[node].agent.runs() {
            return;
        }
        self.tell(format!(
            "n{node}: watches {}",
            ["expire", "break", "expire, and a list is empty"][which as usize]
        ));
        let plural = ["pods", "services", "targetgroupbindings"][self.rng.usize(..3)];
        let access = self.nodes[node].agent.access();
        match which {
            0 => access.expire_watches(),
            1 => access.break_watches(),
            // A shorter list is believed, so only one that the guard holds is a mistake that may happen.
            _ if self.nodes[node].agent.registered() >= 10 => {
                access.empty_next_list(plural);
                access.expire_watches();
            }
            _ => {}
        }
    }

    fn break_lattice(&mut self) {
        let operation = OPERATIONS[self.rng.usize(..OPERATIONS.len())];
        let mut fault = Fault::on(operation);
        fault.probability = [0.2, 0.5, 1.0][self.rng.usize(..3)];
        let errors =
            ["InternalServerException", "ThrottlingException", "ServiceUnavailable", "AccessDeniedException"];
        match self.rng.u32(..4) {
            0 => fault.latency_ms = Some(self.rng.u64(..12_000)),
            1 => fault.timeout = true,
            2 => {
                self.setting.cloud.change_settings([("api.rate", "1"), ("api.burst", "1")]).unwrap();
                fault.latency_ms = Some(20);
            }
            _ => fault.error = Some(errors[self.rng.usize(..errors.len())].into()),
        }
        // What was throttled or denied was not done.
        let open = !fault
            .error
            .as_deref()
            .is_some_and(|error| error.contains("Denied") || error.contains("Throttl"));
        if fault.timeout || fault.error.is_some() {
            fault.applied = Some(open && self.rng.bool());
        }
        self.tell(format!("Lattice: {fault:?}"));
        self.setting.faults(vec![fault]);
    }

    async fn grant(&mut self) {
        let granted = self.rng.bool();
        if self.setting.grant(&self.web, granted).await {
            self.tell(format!("the group web is granted: {granted}"));
        }
    }

    async fn disturb_controller(&mut self) {
        let Some(access) = self.controller.access().cloned() else {
            self.tell("the controller is started");
            return self.controller.start().await;
        };
        match self.rng.u32(..6) {
            0 | 1 => {
                self.tell("the controller is killed");
                self.controller.kill();
                tokio::task::yield_now().await;
            }
            2 => {
                let outage = self.outage();
                self.tell(format!("the controller is cut off, {outage:?}"));
                access.fail(outage);
            }
            3 => {
                let late = Duration::from_secs(self.rng.u64(..60));
                self.tell(format!("the controller's watches are {late:?} late"));
                access.delay_watches(late);
            }
            4 => {
                self.tell("the controller's watches expire");
                access.expire_watches();
            }
            _ => {
                self.tell("the controller reaches everything again");
                access.heal();
                access.delay_watches(Duration::ZERO);
            }
        }
    }

    /// Reboots a node: its pods come back with other addresses.
    async fn reboot(&mut self, node: usize) {
        self.kill(node).await;
        self.boot(node);
        self.tell(format!("n{node} is rebooted"));
        let mine: Vec<String> =
            self.pods.iter().filter(|(_, pod)| pod.node == node).map(|(name, _)| name.clone()).collect();
        let owner = self.owner(node);
        for name in mine {
            let now = Instant::now();
            let usable = |(_, owner, from): &(String, Option<usize>, Instant)| {
                *from <= now && owner.is_none_or(|owner| owner == node)
            };
            let Some(place) = self.free.iter().position(usable) else {
                self.end(&name);
                continue;
            };
            let (address, ..) = self.free.swap_remove(place);
            let Some(pod) = self.pods.get_mut(&name) else { continue };
            self.free.push((std::mem::replace(&mut pod.address, address.clone()), owner, now + COOLDOWN));
            pod.made = now;
            self.setting.edit_pod(&name, |pod| set_addresses(pod, &[&address]));
            self.tell(format!("{name} has {address} now"));
        }
        self.check();
        self.bring_back(node).await;
    }

    /// Replaces a node by one of its name, with an empty disk: all that is left is its record.
    async fn replace(&mut self, node: usize) {
        self.bring_back(node).await;
        self.heal(node);
        // Until the record has been written.
        self.pass(Duration::from_secs(330)).await;
        self.kill(node).await;
        self.tell(format!("n{node} is replaced"));
        std::fs::remove_dir_all(&self.nodes[node].agent.folder).unwrap();
        let mine: Vec<String> =
            self.pods.iter().filter(|(_, pod)| pod.node == node).map(|(name, _)| name.clone()).collect();
        for name in mine {
            self.end(&name);
        }
        // A new node has other addresses, and what its predecessor knew of draining ones is lost.
        for (_, owner, from) in &mut self.free {
            if *owner == Some(node) {
                *from = (*from).max(Instant::now() + Duration::from_secs(300));
            }
        }
        let away = Duration::from_secs(self.rng.u64(..200));
        self.setting.api.remove::<core::Node>("", &self.nodes[node].name);
        self.pass(away).await;
        self.boot(node);
        self.bring_back(node).await;
    }

    /// Boots a node, which its Node tells.
    fn boot(&mut self, node: usize) {
        let node = &mut self.nodes[node];
        node.boots += 1;
        node.agent.boot = format!("boot-{}", node.boots);
        self.setting.node(&node.name, &node.agent.boot);
    }

    /// Checks all calls since the last check, under what has been true since then.
    fn check(&mut self) {
        let entries = self.setting.cloud.log(self.seen);
        for entry in entries {
            self.seen = entry.n;
            if !matches!(entry.operation.as_str(), "RegisterTargets" | "DeregisterTargets") {
                continue;
            }
            let (group, targets) = targets(&entry);
            let mut line = format!("  {} {group} {:?}", entry.operation, entry.status);
            for target in &targets {
                write!(line, " {target}").unwrap();
            }
            let at =
                Instant::now() - Duration::from_secs_f64((self.setting.cloud.time() - entry.time).max(0.0));
            self.tell_of(at, &line);
            if entry.operation == "DeregisterTargets" {
                for target in targets {
                    self.check_removal(&group, &target, at);
                }
            }
        }
    }

    /// Fails if a target that was taken out is one of a pod that takes requests.
    fn check_removal(&self, group: &str, target: &str, now: Instant) {
        let by_readiness = group == self.admin.id() || group == self.admin.as_str();
        for (name, pod) in &self.pods {
            let is_it = target.rsplit_once(':').is_some_and(|(address, _)| address == pod.address);
            let was_unready = pod.may_be_out_until.is_some_and(|until| now < until);
            let unnoticed = now - pod.made <= CLEARED_FOR;
            let fair = pod.ends.is_some() || !pod.ready || unnoticed || by_readiness && was_unready;
            assert!(!is_it || fair, "{target} was taken out of {group}, and it is {name}: {pod:?}");
        }
    }

    /// What both groups should hold.
    fn expected(&self) -> BTreeSet<String> {
        let of = |port: u16| self.pods.values().map(move |pod| format!("{}:{port}", pod.address));
        of(8080).chain(of(9090)).collect()
    }

    fn held(&self) -> BTreeSet<String> {
        self.setting.held(&self.web).into_iter().chain(self.setting.held(&self.admin)).collect()
    }

    /// Lets everything be well, and requires that everything agrees in time, stays so, and that nothing is called then.
    async fn quiet(&mut self) {
        self.pass(Duration::from_secs(30)).await;
        self.setting.faults(vec![]);
        self.setting.cloud.change_settings([("api.rate", "unlimited")]).unwrap();
        assert!(self.setting.grant(&self.web, true).await);
        match self.controller.access() {
            Some(access) => {
                access.heal();
                access.delay_watches(Duration::ZERO);
            }
            None => self.controller.start().await,
        }
        for node in 0..self.nodes.len() {
            self.bring_back(node).await;
            self.heal(node);
        }
        let leaving: Vec<String> =
            self.pods.iter().filter(|(_, pod)| pod.ends.is_some()).map(|(name, _)| name.clone()).collect();
        for name in leaving {
            self.end(&name);
        }
        let names: Vec<String> = self.pods.keys().cloned().collect();
        for name in names {
            self.setting.edit_pod(&name, |pod: &mut core::Pod| set_ready(pod, true));
            if let Some(pod) = self.pods.get_mut(&name) {
                pod.ready = true;
                pod.may_be_out_until = Some(Instant::now() + NEWS);
            }
        }
        self.tell("all is quiet");
        let quiet = Instant::now();
        while self.held() != self.expected() && quiet.elapsed() < AGREES_WITHIN {
            self.pass(Duration::from_secs(1)).await;
        }
        self.agree("soon");
        // Whatever Lattice drops when it has drained is put in again.
        self.pass(Duration::from_mins(20)).await;
        self.agree("later");
        self.setting.new_calls();
        sleep(Duration::from_hours(1)).await;
        self.agree("in the end");
        let mut calls = self.setting.new_calls();
        calls.retain(|operation, _| ["RegisterTargets", "DeregisterTargets"].contains(&operation.as_str()));
        assert!(calls.is_empty(), "at rest something is changed: {calls:?}");
    }

    fn agree(&self, when: &str) {
        let (held, expected) = (self.held(), self.expected());
        let lost: Vec<_> = expected.difference(&held).collect();
        let stale: Vec<_> = held.difference(&expected).collect();
        assert!(lost.is_empty() && stale.is_empty(), "{when}: lost {lost:?}, stale {stale:?}");
    }
}

/// The group and the targets, as `address:port`, of a call.
fn targets(entry: &LogEntry) -> (String, Vec<String>) {
    let group = entry.request["targetGroupIdentifier"].as_str().unwrap_or_default();
    let targets = entry.request["targets"].as_array().into_iter().flatten();
    let targets =
        targets.map(|target| format!("{}:{}", target["id"].as_str().unwrap_or_default(), target["port"]));
    (group.rsplit('/').next().unwrap_or_default().to_owned(), targets.collect())
}
