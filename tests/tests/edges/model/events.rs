//! What happens to pods, nodes, agents, the controller, Kubernetes and Lattice.

use std::time::Duration;

use k8s_openapi::api::{coordination::v1::Lease, core::v1 as core};
use lattice_sim::Fault;
use tests::api::Outage;
use tokio::time::Instant;

use super::{
    super::objects::{set_addresses, set_ready},
    COOLDOWN, Model, NEWS, OPERATIONS, Pod,
};

impl Model {
    pub(super) async fn event(&mut self) {
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

    pub(super) fn make(&mut self, node: usize) {
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

    pub(super) fn some_pod(&mut self) -> Option<String> {
        let living: Vec<String> =
            self.pods.iter().filter(|(_, pod)| pod.ends.is_none()).map(|(name, _)| name.clone()).collect();
        self.rng.choice(living)
    }

    /// Turns a pod ready or unready.
    pub(super) fn turn(&mut self) {
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

    pub(super) fn delete(&mut self) {
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

    pub(super) fn end(&mut self, name: &str) {
        let Some(pod) = self.pods.remove(name) else { return };
        self.setting.end_pod(name);
        self.tell(format!("{name} is gone, {} is free", pod.address));
        let owner = self.owner(pod.node);
        self.free.push((pod.address, owner, Instant::now() + COOLDOWN));
    }

    pub(super) fn owner(&self, node: usize) -> Option<usize> {
        self.history[0].contains("vanishes").then_some(node)
    }

    pub(super) async fn kill(&mut self, node: usize) {
        if self.nodes[node].agent.runs() {
            self.tell(format!("the agent of n{node} is killed"));
            self.nodes[node].agent.kill();
            self.nodes[node].killed = Some(Instant::now());
            tokio::task::yield_now().await;
        }
    }

    pub(super) async fn bring_back(&mut self, node: usize) {
        if !self.nodes[node].agent.runs() {
            self.tell(format!("the agent of n{node} is started"));
            if let Some(killed) = self.nodes[node].killed.take() {
                self.age_lease(node, killed.elapsed());
            }
            self.nodes[node].agent.start().await;
        }
    }

    /// Makes the Lease of a node's agent as old as it is. The wall clock, by which it was written, does not pause.
    pub(super) fn age_lease(&self, node: usize, age: Duration) {
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

    pub(super) fn cut_off(&mut self, node: usize) {
        let outage = self.outage();
        if self.nodes[node].agent.runs() {
            self.tell(format!("n{node} is cut off, {outage:?}"));
            self.nodes[node].agent.access().fail(outage);
        }
    }

    pub(super) fn outage(&mut self) -> Outage {
        [Outage::Refused, Outage::Silent, Outage::Severed][self.rng.usize(..3)]
    }

    pub(super) fn heal(&mut self, node: usize) {
        if self.nodes[node].agent.runs() {
            self.tell(format!("n{node} reaches everything again"));
            self.nodes[node].agent.access().heal();
            self.nodes[node].agent.access().delay_watches(Duration::ZERO);
            self.nodes[node].agent.access().delay_answers(Duration::ZERO);
        }
    }

    pub(super) fn delay(&mut self, node: usize) {
        let watches = Duration::from_secs(self.rng.u64(..60));
        let answers = Duration::from_millis(self.rng.u64(..2_000));
        if self.nodes[node].agent.runs() {
            self.tell(format!("n{node}: watches {watches:?} late, answers {answers:?}"));
            self.nodes[node].agent.access().delay_watches(watches);
            self.nodes[node].agent.access().delay_answers(answers);
        }
    }

    pub(super) fn disturb_watches(&mut self, node: usize) {
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

    pub(super) fn break_lattice(&mut self) {
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

    pub(super) async fn grant(&mut self) {
        let granted = self.rng.bool();
        if self.setting.grant(&self.web, granted).await {
            self.tell(format!("the group web is granted: {granted}"));
        }
    }

    pub(super) async fn disturb_controller(&mut self) {
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
    pub(super) async fn reboot(&mut self, node: usize) {
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
    pub(super) async fn replace(&mut self, node: usize) {
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
    pub(super) fn boot(&mut self, node: usize) {
        let node = &mut self.nodes[node];
        node.boots += 1;
        node.agent.boot = format!("boot-{}", node.boots);
        self.setting.node(&node.name, &node.agent.boot);
    }
}
