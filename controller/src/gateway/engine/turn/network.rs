//! Service networks.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use lattice::{
    id::VpcAssociationId,
    observed::{Status, VpcAssociation},
    plan::{
        Wait,
        network::{self as plan, Step, VpcTree},
    },
    tags,
};
use lattice_client::{Error, Urgency};

use super::service::gave_up;
use crate::gateway::engine::{
    Engine, News,
    calls::{NetworkCall, NetworkNews, NetworkStep},
    lanes::{Failure, Moment, Turn},
    networks::{self, Lane, NetworkUnit},
    progress::{NetworkProgress, Trouble},
    read::{self, Policies},
    unit::{Doubt, Kind, Name, Tree},
    words,
};

/// How long something that is another's is left alone before it is looked at again.
const FOREIGN: Duration = Duration::from_secs(60);

/// What a task for a network has brought.
#[derive(Debug)]
pub(in crate::gateway::engine) enum Answer {
    Read { doubt: Option<Doubt>, steps: u64, result: Result<Option<(Policies, BTreeSet<String>)>, Error> },
    Step { lane: Lane, call: Box<NetworkCall>, unsure: bool, result: Result<NetworkNews, Error> },
    Looked(VpcAssociationId, Result<VpcAssociation, Error>),
}

impl Engine {
    /// Does what is to be done about a service network now.
    pub(in crate::gateway::engine) fn work_on_network(&mut self, name: &str, at: Moment) {
        let Some(mut it) = self.networks.remove(name) else { return };
        if self.known_networks.is_some() {
            self.network_turn(name, &mut it, at);
        }
        self.show_network(name, &it, at);
        self.networks.insert(name.to_owned(), it);
    }

    fn network_turn(&mut self, name: &str, it: &mut NetworkUnit, at: Moment) {
        let unit_name = Name::Network(name.to_owned());
        let found = self.find_network(name).cloned();
        if it.network != found {
            it.unit.tree = found.clone().map_or(Tree::Absent, Tree::Unread);
            it.network = found;
            it.unit.done = false;
        }
        let Some(wanted) = it.unit.wanted.clone() else { return };
        let claimed = it.network.as_ref().is_some_and(|network| self.claimed.contains(&network.id));
        let policies = wanted.auth_policy.is_some() || !wanted.access_logs.is_empty() || claimed;
        if let Some(audit) = it.unit.audit {
            if audit > at.now {
                self.wake(audit, unit_name.clone());
            } else if it.unit.lanes.busy() {
                self.wake(at.now + self.retry_audit(), unit_name.clone());
            } else {
                it.unit.audit = None;
                it.unit.doubt(Doubt::Audit);
            }
        }
        let unread = matches!(it.unit.tree, Tree::Unread(_)) && policies;
        if unread || it.unit.doubt.is_some() {
            self.read_network(name, it, at);
        }
        let blind = unread || it.unit.doubt == Some(Doubt::Stale);
        for lane in it.unit.lanes.to_repeat() {
            match it.unit.lanes.turn(&lane, at.now) {
                Turn::Now => {
                    for call in it.unit.lanes.repeats(&lane) {
                        self.call_network(name, it, lane.clone(), call, true);
                    }
                }
                Turn::At(then) => self.wake(then, unit_name.clone()),
                Turn::Busy => {}
            }
        }
        let plan = plan::next(&wanted, it.tree(&self.vpc, claimed).as_ref());
        let mut done = plan.is_done() && !blind && !it.unit.lanes.busy() && it.network.is_some();
        let mut steps: Vec<NetworkStep> = plan.steps.into_iter().map(NetworkStep::Plan).collect();
        if blind {
            steps.retain(|step| !matches!(step, NetworkStep::Plan(step) if networks::is_policy(step)));
        } else {
            self.claim(it, claimed, &wanted, &mut steps, at);
        }
        self.mind_other_vpc(it, &mut steps, at);
        done &= steps.is_empty();
        let mut worked: BTreeSet<Lane> = BTreeSet::new();
        for step in steps {
            let lane = networks::lane(&step);
            // The steps of a lane go out together.
            let fresh = worked.insert(lane.clone());
            match it.unit.lanes.turn(&lane, at.now) {
                _ if it.unit.lanes.to_repeat().contains(&lane) => {}
                Turn::Now => self.step_network(name, it, lane, step),
                Turn::At(then) if fresh => self.wake(then, unit_name.clone()),
                _ => {}
            }
        }
        let waits = plan.waits.contains(&Wait::VpcAssociation);
        self.await_vpc(name, it, waits, at);
        let foreign = it.unit.lanes.troubles().any(|trouble| trouble.kind == "foreign");
        // What can't be planned before the network was read is not to be forgotten.
        if !blind {
            it.unit.lanes.rest(
                |lane| worked.contains(lane) || (foreign && matches!(lane, Lane::Vpc | Lane::Claim)),
                |lane| waits && *lane == Lane::Vpc,
            );
        }
        done &= !foreign;
        if let Some(took) = it.unit.note(done, at.now)
            && !it.leftover
        {
            self.links.metrics.took(Kind::Network, took);
        }
        if it.unit.audit.is_none() && it.unit.doubt.is_none() && it.unit.tree.read().is_some() {
            it.unit.audit = self.next_audit(at.now);
            if let Some(audit) = it.unit.audit {
                self.wake(audit, unit_name);
            }
        }
    }

    /// Sees to it that a network's policies are changed only while its tag says that they are this cluster's.
    fn claim(
        &mut self,
        it: &mut NetworkUnit,
        claimed: bool,
        wanted: &lattice::service::NetworkSpec,
        steps: &mut Vec<NetworkStep>,
        at: Moment,
    ) {
        let wants = wanted.auth_policy.is_some() || !wanted.access_logs.is_empty();
        let Some(policies) = it.unit.tree.read() else { return };
        if wants && !claimed {
            steps.retain(|step| !matches!(step, NetworkStep::Plan(step) if networks::is_policy(step)));
            match policies.tags.get(tags::POLICIES).filter(|cluster| **cluster != self.links.site.cluster) {
                None => steps.push(NetworkStep::Claim),
                Some(other) => {
                    let failure = Failure {
                        doing: "setting the network's policies".into(),
                        kind: "foreign",
                        message: format!("the network's policies belong to cluster {other}"),
                        needs_operator: true,
                        draining: false,
                        rules: BTreeSet::new(),
                    };
                    it.unit.lanes.tell(&Lane::Claim, failure, at.wall);
                }
            }
        } else if !wants && claimed {
            let left = policies.auth || policies.auth_policy.is_some() || !policies.access_logs.is_empty();
            // What is under way may still put something there.
            if !left && !it.unit.lanes.busy() && it.unit.lanes.to_repeat().is_empty() {
                steps.push(NetworkStep::Disclaim);
            }
        } else {
            it.unit.lanes.forgive_lane(&Lane::Claim);
        }
    }

    /// A VPC is in one network at most: while it is in another, it can't be put into this one.
    fn mind_other_vpc(&mut self, it: &mut NetworkUnit, steps: &mut Vec<NetworkStep>, at: Moment) {
        let associate = |step: &NetworkStep| matches!(step, NetworkStep::Plan(Step::AssociateVpc(_)));
        if !steps.iter().any(associate) {
            if it.unit.lanes.trouble(&Lane::Vpc).is_some_and(|trouble| trouble.kind == "foreign") {
                it.unit.lanes.forgive_lane(&Lane::Vpc);
            }
            return;
        }
        let Some((other, vpc)) = self.vpc.iter().next() else { return };
        if vpc.ours {
            // It is being taken out, and then this is asked again.
            steps.retain(|step| !associate(step));
            // What is left to do is not nothing.
            it.unit.done = false;
            return;
        }
        let failure = Failure {
            doing: "putting the VPC into the service network".into(),
            kind: "foreign",
            message: format!(
                "the VPC is in service network {other} already, by an association that this cluster's Lath has not \
                 made: {}",
                vpc.id
            ),
            needs_operator: true,
            draining: false,
            rules: BTreeSet::new(),
        };
        steps.retain(|step| !associate(step));
        it.unit.lanes.tell(&Lane::Vpc, failure, at.wall);
        self.listing.hasten(at.now + FOREIGN);
    }

    fn read_network(&mut self, name: &str, it: &mut NetworkUnit, at: Moment) {
        if it.unit.lanes.busy() {
            return;
        }
        match it.unit.lanes.turn(&Lane::Tree, at.now) {
            Turn::Now => {}
            Turn::At(then) => return self.wake(then, Name::Network(name.to_owned())),
            Turn::Busy => return,
        }
        let Some(network) = &it.network else {
            it.unit.doubt = None;
            return;
        };
        let arn = network.arn.clone();
        it.unit.lanes.begin(&Lane::Tree);
        let (client, site, ours) = (self.links.client.clone(), self.links.site.clone(), self.ours.clone());
        let destinations = it.unit.wanted.as_ref().map(|spec| spec.access_logs.clone()).unwrap_or_default();
        let (name, doubt, steps) = (name.to_owned(), it.unit.doubt, it.steps);
        self.tasks.spawn(async move {
            let urgency = Self::urgency(doubt);
            let result = read::policies(&client, &site, &arn, ours, destinations, urgency).await;
            super::super::Answer::Network(name, Answer::Read { doubt, steps, result })
        });
    }

    /// Looks at the VPC's association, when it is time.
    fn await_vpc(&mut self, name: &str, it: &mut NetworkUnit, waits: bool, at: Moment) {
        let there = it.network.as_ref().and_then(|network| self.vpc.get(&network.id));
        let Some(there) = there else { return };
        if there.status == Status::Active {
            it.unit.lanes.stands(&Lane::Vpc);
        }
        if !waits {
            return;
        }
        let id = there.id.clone();
        let mut then = it.unit.lanes.poll(&Lane::Vpc, at.now);
        match it.unit.lanes.turn(&Lane::Vpc, at.now) {
            Turn::Busy => return,
            Turn::At(later) => then = then.max(later),
            Turn::Now => {}
        }
        if then > at.now {
            return self.wake(then, Name::Network(name.to_owned()));
        }
        it.unit.lanes.begin(&Lane::Vpc);
        let (client, name) = (self.links.client.clone(), name.to_owned());
        self.tasks.spawn(async move {
            let result = client.vpc_association(&id, Urgency::Change).await;
            super::super::Answer::Network(name, Answer::Looked(id, result))
        });
    }

    fn step_network(&mut self, name: &str, it: &mut NetworkUnit, lane: Lane, step: NetworkStep) {
        let network = it.network.as_ref().map(|network| {
            let identifier = self.identifier(&network.id).unwrap_or_else(|| network.id.as_str().to_owned());
            (network.id.clone(), network.arn.clone(), identifier)
        });
        let call = NetworkCall {
            step,
            name: name.to_owned(),
            spec: it.unit.wanted.clone().unwrap_or_default(),
            network,
            vpc: self.links.site.vpc.clone(),
            tags: Arc::clone(&self.child_tags),
            claim: Arc::clone(&self.claim_tags),
            token: self.token(),
        };
        self.call_network(name, it, lane, call, false);
    }

    fn call_network(
        &mut self,
        name: &str,
        it: &mut NetworkUnit,
        lane: Lane,
        call: NetworkCall,
        unsure: bool,
    ) {
        it.unit.lanes.begin(&lane);
        it.steps += 1;
        self.network_steps += 1;
        let (client, name) = (self.links.client.clone(), name.to_owned());
        self.tasks.spawn(async move {
            let result = call.make(&client).await;
            super::super::Answer::Network(name, Answer::Step { lane, call: Box::new(call), unsure, result })
        });
    }

    /// Takes in what a task for a service network has brought.
    pub(in crate::gateway::engine) fn network_answered(&mut self, name: String, answer: Answer) {
        let Some(mut it) = self.networks.remove(&name) else { return };
        let at = self.moment();
        match answer {
            Answer::Read { doubt, steps, result } => {
                it.unit.lanes.answered(&Lane::Tree);
                self.network_read(&mut it, doubt, steps, result, at);
            }
            Answer::Step { lane, call, unsure, result } => {
                it.unit.lanes.answered(&lane);
                let label = match &call.step {
                    NetworkStep::Plan(step) => words::label_of_network(step),
                    NetworkStep::Claim | NetworkStep::Disclaim => "tag_network",
                };
                self.links.metrics.stepped(label, result.as_ref().err());
                // An answer counts as a step too: a listing that began before it may not show what it has brought.
                self.network_steps += 1;
                self.network_stepped(&mut it, &lane, *call, unsure, result, at);
            }
            Answer::Looked(id, result) => {
                it.unit.lanes.answered(&Lane::Vpc);
                it.unit.lanes.polled(&Lane::Vpc, at.now);
                self.vpc_looked(&mut it, &id, result, at);
            }
        }
        self.networks.insert(name.clone(), it);
        self.touch(Name::Network(name));
        self.settle_networks();
    }

    /// Units of networks come and go with what there is.
    fn settle_networks(&mut self) {
        if let Some(desired) = self.desired.clone().filter(|_| self.loaded) {
            self.want_networks(&desired, tokio::time::Instant::now());
        }
    }

    fn network_read(
        &mut self,
        it: &mut NetworkUnit,
        doubt: Option<Doubt>,
        steps: u64,
        result: Result<Option<(Policies, BTreeSet<String>)>, Error>,
        at: Moment,
    ) {
        let audit = doubt == Some(Doubt::Audit);
        if audit && (it.steps != steps || result.is_err()) {
            if it.unit.doubt == doubt {
                it.unit.doubt = None;
            }
            it.unit.audit = Some(at.now + self.retry_audit());
            return;
        }
        match result {
            Ok(read) => {
                if it.unit.doubt <= doubt {
                    it.unit.doubt = None;
                }
                it.unit.lanes.succeeded(&Lane::Tree);
                let Some((policies, mut mine)) = read else {
                    self.listing.hasten(at.now);
                    return;
                };
                Arc::make_mut(&mut self.ours).append(&mut mine);
                if let Some(network) = &it.network {
                    if policies.tags.get(tags::POLICIES) == Some(&self.links.site.cluster) {
                        self.claimed.insert(network.id.clone());
                    } else {
                        self.claimed.remove(&network.id);
                    }
                    if audit && it.unit.tree.read().is_some_and(|believed| *believed != policies) {
                        self.links.metrics.drifted(Kind::Network);
                        tracing::info!(
                            network = network.name,
                            "others have changed a service network's policies"
                        );
                    }
                }
                it.unit.tree = Tree::Read(policies);
            }
            Err(error) => {
                let failure = Failure::of("reading the service network".into(), &error);
                it.unit.lanes.failed(&Lane::Tree, failure, at);
            }
        }
    }

    fn network_stepped(
        &mut self,
        it: &mut NetworkUnit,
        lane: &Lane,
        call: NetworkCall,
        unsure: bool,
        result: Result<NetworkNews, Error>,
        at: Moment,
    ) {
        let error = match result {
            Ok(news) => return self.network_moved(it, lane, &call, news),
            Err(Error::Missing { .. }) if call.deletes() => {
                return self.network_moved(it, lane, &call, NetworkNews::Done);
            }
            Err(error) => error,
        };
        let doing = match &call.step {
            NetworkStep::Plan(step) => words::of_network(step),
            NetworkStep::Claim | NetworkStep::Disclaim => "setting the network's tags".into(),
        };
        let failure = Failure::of(doing, &error);
        let unknown = call.creates()
            && match error {
                Error::Unanswered { .. } => true,
                Error::Throttled { .. } | Error::Unreachable { .. } | Error::NotSent { .. } => unsure,
                _ => false,
            };
        if unknown {
            it.unit.lanes.failed(lane, failure, at);
            it.unit.lanes.keep(lane, call);
            return;
        }
        let stale = matches!(error, Error::Conflict { .. } | Error::Missing { .. } | Error::Refused { .. });
        if unsure || stale || error.may_have_applied() {
            // Names of networks, and the VPC's place, are told by a listing.
            self.listing.hasten(at.now);
            if it.unit.tree.read().is_some() {
                it.unit.doubt(Doubt::Stale);
            }
        }
        it.unit.lanes.failed(lane, failure, at);
    }

    fn network_moved(&mut self, it: &mut NetworkUnit, lane: &Lane, call: &NetworkCall, news: NetworkNews) {
        it.unit.lanes.succeeded(lane);
        if let Tree::Read(policies) = &mut it.unit.tree {
            networks::apply(policies, call, &news);
        }
        let id = call.network.as_ref().map(|(id, ..)| id);
        match (&call.step, news) {
            (NetworkStep::Plan(Step::Create), NetworkNews::Network(network)) => {
                let tags = call.new_tags();
                if tags.get(tags::POLICIES) == Some(&self.links.site.cluster) {
                    self.claimed.insert(network.id.clone());
                }
                let auth = call.spec.auth_policy.is_some();
                it.unit.tree = Tree::Read(Policies { tags, auth, ..Policies::default() });
                it.network = Some(network.clone());
                self.known_networks.get_or_insert_default().push(network);
            }
            (NetworkStep::Plan(Step::AssociateVpc(security_groups)), NetworkNews::Vpc(is)) => {
                let tree = VpcTree {
                    id: is.id,
                    status: is.status,
                    security_groups: is.security_groups.unwrap_or_else(|| security_groups.clone()),
                    ours: true,
                };
                self.vpc.insert(is.network, tree);
            }
            (NetworkStep::Plan(Step::UpdateVpc(_, security_groups)), NetworkNews::Status(status)) => {
                if let Some(vpc) = id.and_then(|id| self.vpc.get_mut(id)) {
                    vpc.status = status;
                    vpc.security_groups.clone_from(security_groups);
                }
            }
            (NetworkStep::Plan(Step::DissociateVpc(_)), NetworkNews::Status(status)) => {
                if let Some(vpc) = id.and_then(|id| self.vpc.get_mut(id)) {
                    vpc.status = status;
                }
            }
            (NetworkStep::Plan(Step::DissociateVpc(_)), _) => {
                if let Some(id) = id {
                    self.vpc.remove(id);
                }
            }
            (NetworkStep::Claim, _) => {
                if let Some(id) = id {
                    self.claimed.insert(id.clone());
                }
            }
            (NetworkStep::Disclaim, _) => {
                if let Some(id) = id {
                    self.claimed.remove(id);
                }
            }
            (NetworkStep::Plan(Step::CreateAccessLog(_)), NetworkNews::AccessLog(id)) => {
                Arc::make_mut(&mut self.ours).insert(id.as_str().to_owned());
            }
            _ => return,
        }
        self.networks_changed();
    }

    fn vpc_looked(
        &mut self,
        it: &mut NetworkUnit,
        id: &VpcAssociationId,
        result: Result<VpcAssociation, Error>,
        at: Moment,
    ) {
        match result {
            Ok(is) => {
                let Some(vpc) = self.vpc.get_mut(&is.network) else { return };
                let before = std::mem::replace(&mut vpc.status, is.status.clone());
                if let Some(security_groups) = is.security_groups {
                    vpc.security_groups = security_groups;
                }
                if let Status::Failed { what, message } = &is.status
                    && before != is.status
                {
                    let failure = gave_up("the VPC's association", *what, message);
                    it.unit.lanes.stumbled(&Lane::Vpc, failure, at);
                }
            }
            Err(Error::Missing { .. }) => {
                self.vpc.retain(|_, vpc| vpc.id != *id);
                self.network_steps += 1;
            }
            Err(error) => {
                let failure = Failure::of("looking at the VPC's association".into(), &error);
                return it.unit.lanes.failed(&Lane::Vpc, failure, at);
            }
        }
        self.networks_changed();
    }

    /// Tells how far a network is.
    fn show_network(&mut self, name: &str, it: &NetworkUnit, at: Moment) {
        if it.leftover {
            return;
        }
        let network = it.network.as_ref();
        let mut troubles: Vec<Trouble> = it.unit.lanes.troubles().cloned().collect();
        let before = self.progress.networks.get(name);
        let creates = it.unit.wanted.as_ref().is_some_and(|wanted| wanted.create);
        if network.is_none() && !creates && self.known_networks.is_some() {
            let doing = "finding the service network".to_owned();
            let same = before.and_then(|before| before.troubles.iter().find(|one| one.doing == doing));
            let since = same.map_or(at.wall, |same| same.since);
            troubles.push(Trouble {
                doing,
                kind: "missing",
                message: format!(
                    "there is no service network {name} in account {}, and none of that name is shared with it: it is \
                     looked for again every minute",
                    self.links.site.account
                ),
                since,
                needs_operator: true,
                rules: BTreeSet::new(),
            });
        }
        let progress = NetworkProgress {
            found: network.is_some(),
            id: network.map(|network| network.id.clone()),
            arn: network.map(|network| network.arn.clone()),
            vpc: network.and_then(|network| self.vpc.get(&network.id)).map(|vpc| vpc.status.clone()),
            done: network.is_some() && troubles.is_empty() && (it.unit.done || it.unit.wanted.is_none()),
            troubles,
        };
        if before != Some(&progress) {
            self.progress.networks.insert(name.to_owned(), progress);
            self.news.push(News::Network(name.to_owned()));
        }
    }
}
