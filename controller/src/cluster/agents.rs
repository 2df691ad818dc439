//! Which nodes have a living agent: Leases judged by this controller's own clock.
//!
//! A Lease counts from when this controller last saw it change, never by the times written in it, because clocks
//! differ and jump. After a start and after each interruption of the watch everything counts anew, so that an outage
//! of the API server is not taken for an outage of agents.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use lath_kubernetes::{names, watch::ObjectName};
use tokio::time::Instant;

use super::objects::AgentLease;

/// The share of agents that may be lapsed at once before the controller stops acting on lapses: more than that is
/// rather a fault of the network, the API server or this controller than of so many nodes.
const MOST_LAPSED_SHARE: f64 = 0.2;

/// Lapsed agents of which no share is taken, so that one node of four may fail.
const ALWAYS_LAPSABLE: usize = 1;

/// How a node's agent fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Agent {
    /// It renews its Lease.
    Live,
    /// It renewed its Lease for the last time longer ago than the Lease lasts, or its Lease is gone.
    Lapsed,
    /// The node never had one.
    Absent,
    /// Too early to tell.
    Unjudged,
}

/// The agents' Leases and when they changed.
#[derive(Debug, Default)]
pub struct Agents {
    leases: BTreeMap<String, Seen>,
    /// Nodes, and since when they have been known without interruption.
    nodes: BTreeMap<String, Instant>,
    /// Nodes whose Lease was seen and went.
    lost: BTreeMap<String, Instant>,
    /// The watch of Leases is broken.
    interrupted: bool,
    /// The longest Lease seen, which is the period after which a node without one is judged.
    period: Option<Duration>,
}

#[derive(Debug)]
struct Seen {
    lease: AgentLease,
    changed: Instant,
}

/// All agents, judged at one time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roll {
    agents: BTreeMap<String, Agent>,
    /// So many agents are lapsed that none of the lapses is acted on.
    pub braked: bool,
}

impl Roll {
    /// How the agent of a node fares.
    #[must_use]
    pub fn of(&self, node: &str) -> Agent {
        self.agents.get(node).copied().unwrap_or(Agent::Unjudged)
    }

    /// Whether the controller may act in the place of the node's agent.
    #[must_use]
    pub fn stands_in_for(&self, node: &str) -> bool {
        match self.of(node) {
            Agent::Absent => true,
            Agent::Lapsed => !self.braked,
            Agent::Live | Agent::Unjudged => false,
        }
    }

    /// How many agents fare so.
    #[must_use]
    pub fn count(&self, agent: Agent) -> usize {
        self.agents.values().filter(|other| **other == agent).count()
    }

    /// Nodes and their agents, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&String, Agent)> {
        self.agents.iter().map(|(node, agent)| (node, *agent))
    }
}

impl Agents {
    /// A Lease was seen. Its time starts anew if it has changed.
    pub fn observe(&mut self, lease: AgentLease, now: Instant) {
        self.period = self.period.max(Some(lease.duration));
        self.lost.remove(&lease.node);
        let known = self.leases.get(&lease.node);
        let changed =
            known.filter(|seen| seen.lease.renewal == lease.renewal).map_or(now, |seen| seen.changed);
        self.leases.insert(lease.node.clone(), Seen { lease, changed });
    }

    /// A Lease is gone.
    pub fn lease_gone(&mut self, lease: &str) {
        if let Some(node) = names::node_of_agent_lease(lease)
            && let Some(seen) = self.leases.remove(node)
        {
            self.lost.insert(node.into(), seen.changed);
        }
    }

    /// A Node was seen.
    pub fn observe_node(&mut self, node: &str, now: Instant) {
        self.nodes.entry(node.into()).or_insert(now);
    }

    /// A Node is gone.
    pub fn forget_node(&mut self, node: &str) {
        self.nodes.remove(node);
        self.lost.remove(node);
    }

    /// The watch of Leases broke: nothing is judged until it is back, and then everything counts anew.
    pub fn interrupted(&mut self) {
        self.interrupted = true;
    }

    /// The watch of Leases has brought something.
    pub fn reached(&mut self, now: Instant) {
        if std::mem::take(&mut self.interrupted) {
            for seen in self.leases.values_mut() {
                seen.changed = now;
            }
            for since in self.nodes.values_mut().chain(self.lost.values_mut()) {
                *since = now;
            }
        }
    }

    /// The Leases that are there, as objects' names.
    #[must_use]
    pub fn lease_names(&self) -> BTreeSet<ObjectName> {
        self.leases
            .keys()
            .map(|node| ObjectName { namespace: String::new(), name: names::agent_lease(node) })
            .collect()
    }

    /// The nodes whose agents have a Lease.
    pub fn lease_nodes(&self) -> impl Iterator<Item = String> {
        self.leases.keys().cloned()
    }

    /// What tells the renewals of an agent's Lease apart, as last seen.
    #[must_use]
    pub fn renewal(&self, node: &str) -> Option<&str> {
        self.leases.get(node).map(|seen| seen.lease.renewal.as_str())
    }

    /// What an agent says of its targets pipeline, unless that is well.
    #[must_use]
    pub fn complaint(&self, node: &str) -> Option<&str> {
        let health = self.leases.get(node)?.lease.health.as_str();
        (!matches!(health, "" | "ok")).then_some(health)
    }

    /// Judges every node's agent at the time `now`.
    ///
    /// `grace` is how long a node without a Lease is given for its first one. `had_agent` tells of nodes of which an
    /// agent has left a record.
    #[must_use]
    pub fn roll(&self, now: Instant, grace: Duration, had_agent: impl Fn(&str) -> bool) -> Roll {
        let grace = self.period.map_or(grace, |period| period.max(grace));
        let judge = |node: &str, since: Instant| {
            if self.interrupted {
                return Agent::Unjudged;
            }
            if let Some(seen) = self.leases.get(node) {
                return if now - seen.changed > seen.lease.duration { Agent::Lapsed } else { Agent::Live };
            }
            let lost = self.lost.get(node).copied();
            if now - lost.unwrap_or(since).max(since) <= grace {
                Agent::Unjudged
            } else if lost.is_some() || had_agent(node) {
                Agent::Lapsed
            } else {
                Agent::Absent
            }
        };
        let agents: BTreeMap<String, Agent> =
            self.nodes.iter().map(|(node, since)| (node.clone(), judge(node, *since))).collect();
        let mut roll = Roll { agents, braked: false };
        let lapsed = roll.count(Agent::Lapsed);
        let all = lapsed + roll.count(Agent::Live);
        roll.braked = lapsed > ALWAYS_LAPSABLE && lapsed as f64 > MOST_LAPSED_SHARE * all as f64;
        roll
    }
}

#[cfg(test)]
mod tests;
