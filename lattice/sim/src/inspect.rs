//! What tests ask and tell the simulator directly; the admin endpoints speak the same types.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::account::Account;
use crate::faults::{self, Fault};
use crate::record::LogEntry;
use crate::settings::{self, Settings};
use crate::simulator::{Simulator, World};
use crate::state::End;
use crate::state::arn::last_part;
use crate::state::service::{Listener, Rule, Service};
use crate::state::target::{Key, Leaving, Target, TargetStatus, reason_code};
use crate::state::target_group::TargetGroup;

/// Settings that are for the start only.
const AT_THE_START: [&str; 5] = ["clock.start", "data.connections", "data.interface", "dns.listen", "region"];

/// A target's state to set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetTarget {
    /// The target group, by id or ARN.
    pub group: String,
    /// The target's id.
    pub id: String,
    /// Its port; the group's without one.
    #[serde(default)]
    pub port: Option<u16>,
    /// The state. It stays until the target is deregistered, registered anew or set again; DRAINING goes after its
    /// time.
    pub status: TargetStatus,
}

/// A target as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetView {
    /// Its id, an address say.
    pub id: String,
    /// Its port; Lambda functions have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Its state.
    pub status: TargetStatus,
    /// The reason for the state, where one is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason_code: Option<String>,
}

/// A target group as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetGroupView {
    /// Id.
    pub id: String,
    /// ARN.
    pub arn: String,
    /// The account's id.
    pub account: String,
    /// Name.
    pub name: String,
    /// Status, as the API writes it.
    pub status: String,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// The ids of the services that forward to it.
    pub services: Vec<String>,
    /// Its targets in order of registration.
    pub targets: Vec<TargetView>,
}

/// A service as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceView {
    /// Id.
    pub id: String,
    /// ARN.
    pub arn: String,
    /// The account's id.
    pub account: String,
    /// Name.
    pub name: String,
    /// Status, as the API writes it.
    pub status: String,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// Its listeners in order of creation.
    pub listeners: Vec<ListenerView>,
}

/// A listener as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListenerView {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Protocol, as the API writes it.
    pub protocol: String,
    /// Port.
    pub port: u16,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// Its rules in order of creation, the default rule among them.
    pub rules: Vec<RuleView>,
}

/// A rule as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleView {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Priority; the default rule has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<u16>,
    /// What it matches, as in the API; the default rule has none.
    #[serde(rename = "match", skip_serializing_if = "Option::is_none")]
    pub matches: Option<Value>,
    /// What it does, as in the API.
    pub action: Value,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// Everything that calls have made, of all accounts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StateView {
    /// The simulator's wall clock in seconds since 1970.
    pub time: f64,
    /// The region.
    pub region: String,
    /// The accounts' ids.
    pub accounts: Vec<String>,
    /// Target groups in order of creation.
    pub target_groups: Vec<TargetGroupView>,
    /// Services in order of creation.
    pub services: Vec<ServiceView>,
}

/// What a client has to know to use a simulator, see [`Simulator::ready`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    /// Where the API and the admin endpoints are.
    pub endpoint: String,
    /// The accounts with their keys.
    pub accounts: Vec<Account>,
    /// The region.
    pub region: String,
}

/// There is no such target group or target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no {0}")]
pub struct Absent(pub String);

impl Simulator {
    /// What a client has to know to use the simulator at `endpoint`.
    #[must_use]
    pub fn ready(&self, endpoint: &str) -> Ready {
        Ready { endpoint: endpoint.to_owned(), accounts: self.accounts(), region: self.settings().region.0 }
    }

    /// Calls per operation since the start or the last [`Simulator::reset_calls`].
    #[must_use]
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.lock().record.counts()
    }

    /// Counts calls anew.
    pub fn reset_calls(&self) {
        self.lock().record.reset_counts();
    }

    /// The log's entries with a number above `after`, as far as the bounded log still holds them.
    #[must_use]
    pub fn log(&self, after: u64) -> Vec<LogEntry> {
        // Parsing takes its time, so it is not done under the lock.
        let calls = self.lock().record.after(after);
        calls.into_iter().map(|(n, kept)| kept.entry(n)).collect()
    }

    /// Replaces the fault rules, or keeps them all if one of the new ones is wrong.
    pub fn set_faults(&self, faults: Vec<Fault>) -> Result<(), faults::Error> {
        self.lock().faults.set(faults)
    }

    /// The fault rules with the counts that are left.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        self.lock().faults.list()
    }

    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.lock().settings.clone()
    }

    /// Changes settings by name, all of them or, if one is wrong, none.
    ///
    /// What was decided under the old settings (a status's end, a first check) stays decided.
    pub fn change_settings<'a>(
        &self,
        changes: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<(), settings::Error> {
        let mut world = self.lock();
        let mut settings = world.settings.clone();
        for (name, value) in changes {
            settings.set(name, value)?;
        }
        let was = world.settings.list();
        let fixed = settings
            .list()
            .into_iter()
            .zip(was)
            .find(|((name, new), (_, old))| AT_THE_START.contains(name) && new != old);
        if let Some(((name, _), _)) = fixed {
            return Err(settings::Error::Fixed(name));
        }
        world.clock.freeze(settings.clock_frozen.0);
        world.settings = settings;
        world.changes += 1;
        Ok(())
    }

    /// Moves the simulator's clock on. The sum of all advances is at most ten years.
    pub fn advance(&self, by: Duration) {
        let mut world = self.lock();
        world.clock.advance(by);
        world.changes += 1;
    }

    /// The simulator's wall clock in seconds since 1970.
    #[must_use]
    pub fn time(&self) -> f64 {
        let world = self.lock();
        world.clock.epoch_seconds(world.clock.now())
    }

    /// The targets of a group (id or ARN, of any account), in order of registration.
    pub fn targets(&self, group: &str) -> Result<Vec<TargetView>, Absent> {
        let world = self.lock();
        let found = world.state.groups.get(last_part(group));
        let found = found.ok_or_else(|| Absent(format!("target group {group}")))?;
        Ok(found.targets.rows().map(|target| world.target_view(found, target)).collect())
    }

    /// Sets a target's state.
    pub fn set_target(&self, set: &SetTarget) -> Result<(), Absent> {
        let mut world = self.lock();
        let now = world.clock.now();
        world.changes += 1;
        let drain = world.settings.drain.0;
        let id = last_part(&set.group).to_owned();
        let group = world.state.groups.get_mut(&id);
        let group = group.ok_or_else(|| Absent(format!("target group with the id or ARN {}", set.group)))?;
        let key = Key::new(&set.id, set.port.or(group.config.port));
        let place = group.targets.place(&key);
        let (place, target) =
            place.and_then(|place| Some((place, group.targets.at_mut(place)?))).ok_or_else(|| {
                let port = set.port.map(|port| format!(" on port {port}")).unwrap_or_default();
                Absent(format!("target {}{port} in target group {}", set.id, set.group))
            })?;
        let before = target.leaving.take();
        if set.status == TargetStatus::Draining {
            target.leaving = Some(Leaving { since: now, until: now + drain, draining: true });
        } else {
            target.held = Some(set.status);
        }
        let end = End::Target { group: id, place };
        if let Some(before) = before {
            world.state.keep(before.until, end.clone());
        }
        if set.status == TargetStatus::Draining {
            world.state.end_at(now + drain, end);
        }
        Ok(())
    }

    /// Everything that calls have made.
    #[must_use]
    pub fn state(&self) -> StateView {
        let accounts = self.accounts().into_iter().map(|account| account.id).collect();
        let world = self.lock();
        StateView {
            time: world.clock.epoch_seconds(world.clock.now()),
            region: world.settings.region.0.clone(),
            accounts,
            target_groups: world.state.groups.rows().map(|group| world.group_view(group)).collect(),
            services: world.state.services.rows().map(|service| world.service_view(service)).collect(),
        }
    }
}

impl World {
    fn target_view(&self, group: &TargetGroup, target: &Target) -> TargetView {
        let status = target.status(group, self.clock.now());
        TargetView {
            id: target.id.clone(),
            port: target.port,
            status,
            reason_code: reason_code(group, status).map(str::to_owned),
        }
    }

    fn group_view(&self, group: &TargetGroup) -> TargetGroupView {
        TargetGroupView {
            id: group.id.clone(),
            arn: group.arn.clone(),
            account: group.account.clone(),
            name: group.name.clone(),
            status: group.life.status(self.clock.now()).to_owned(),
            tags: group.tags.clone(),
            services: group.services().map(str::to_owned).collect(),
            targets: group.targets.rows().map(|target| self.target_view(group, target)).collect(),
        }
    }

    fn service_view(&self, service: &Service) -> ServiceView {
        ServiceView {
            id: service.id.clone(),
            arn: service.arn.clone(),
            account: service.account.clone(),
            name: service.name.clone(),
            status: service.life.status(self.clock.now()).to_owned(),
            tags: service.tags.clone(),
            listeners: service.listeners.rows().map(listener_view).collect(),
        }
    }
}

fn listener_view(listener: &Listener) -> ListenerView {
    ListenerView {
        id: listener.id.clone(),
        name: listener.name.clone(),
        protocol: listener.protocol.text().to_owned(),
        port: listener.port,
        tags: listener.tags.clone(),
        rules: listener.rules.rows().map(rule_view).collect(),
    }
}

fn rule_view(rule: &Rule) -> RuleView {
    RuleView {
        id: rule.id.clone(),
        name: rule.name.clone(),
        priority: rule.priority,
        matches: rule.matches.clone(),
        action: rule.action.0.clone(),
        tags: rule.tags.clone(),
    }
}
