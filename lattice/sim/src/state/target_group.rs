//! Target groups and their health checks.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::clock::SimTime;
use crate::operations::Call;
use crate::random::Random;
use crate::settings::Settings;
use crate::settings::value::FirstCheck;

use super::Tags;
use super::life::Life;
use super::resource::resource;
use super::target::Targets;

/// An enumeration of the API with its strings.
macro_rules! enumeration {
    ($(#[doc = $about:literal])+ $name:ident { $($variant:ident = $text:literal,)+ }) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub(crate) enum $name { $(#[serde(rename = $text)] $variant,)+ }

        impl $name {
            pub(crate) fn parse(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$variant),)+
                    _ => None,
                }
            }

            pub(crate) fn text(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }
    };
}
pub(crate) use enumeration;

enumeration! {
    /// What the targets of a group are.
    GroupType { Ip = "IP", Lambda = "LAMBDA", Instance = "INSTANCE", Alb = "ALB", }
}

enumeration! {
    /// How traffic goes to the targets.
    Protocol { Http = "HTTP", Https = "HTTPS", Tcp = "TCP", }
}

/// A target group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TargetGroup {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) account: String,
    pub(crate) name: String,
    pub(crate) kind: GroupType,
    pub(crate) config: Config,
    pub(crate) tags: Tags,
    pub(crate) life: Life,
    /// How many rules of each service forward to it, by id of the service.
    uses: BTreeMap<String, usize>,
    pub(crate) targets: Targets,
}

/// What `config` says, with its defaults filled in.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Config {
    pub(crate) port: Option<u16>,
    pub(crate) protocol: Option<Protocol>,
    pub(crate) protocol_version: Option<String>,
    pub(crate) ip_address_type: Option<String>,
    pub(crate) vpc: Option<String>,
    pub(crate) lambda_version: Option<String>,
    /// Absent where health checks do not apply.
    pub(crate) health: Option<HealthCheck>,
}

/// A health check with its defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HealthCheck {
    pub(crate) enabled: bool,
    pub(crate) protocol: Protocol,
    pub(crate) protocol_version: String,
    /// The target's own port without one.
    pub(crate) port: Option<u16>,
    pub(crate) path: String,
    pub(crate) interval: u32,
    pub(crate) timeout: u32,
    pub(crate) healthy: u32,
    pub(crate) unhealthy: u32,
    pub(crate) matcher: String,
}

resource!(TargetGroup in groups, TargetGroup, "target group", "tg-", "targetgroup", named by name);

impl TargetGroup {
    pub(crate) fn new(
        (id, arn): (String, String),
        call: &Call<'_>,
        kind: GroupType,
        config: Config,
        tags: Tags,
    ) -> Self {
        Self {
            id,
            arn,
            account: call.account.to_owned(),
            name: call.text("name").to_owned(),
            kind,
            config,
            tags,
            life: Life::begin(call, call.settings.target_group_create.0),
            uses: BTreeMap::new(),
            targets: Targets::default(),
        }
    }

    /// Whether any service uses the group.
    pub(crate) fn used(&self) -> bool {
        !self.uses.is_empty()
    }

    /// The services that use the group, by id.
    pub(crate) fn services(&self) -> impl Iterator<Item = &str> {
        self.uses.keys().map(String::as_str)
    }

    /// Whether its targets are checked.
    pub(crate) fn checked(&self) -> bool {
        self.used() && self.config.health.as_ref().is_some_and(|health| health.enabled)
    }

    /// Notes one more rule of `service`. The first one starts the health checks.
    pub(crate) fn acquire(&mut self, service: &str, now: SimTime, settings: &Settings) {
        let before = self.checked();
        *self.uses.entry(service.to_owned()).or_default() += 1;
        self.start_checks(before, now, settings);
    }

    /// Notes one rule of `service` less.
    pub(crate) fn release(&mut self, service: &str) {
        if let Some(rules) = self.uses.get_mut(service) {
            *rules -= 1;
            if *rules == 0 {
                self.uses.remove(service);
            }
        }
    }

    /// Replaces the health check.
    pub(crate) fn set_health(&mut self, health: Option<HealthCheck>, now: SimTime, settings: &Settings) {
        let before = self.checked();
        self.config.health = health;
        self.life.updated = now;
        self.start_checks(before, now, settings);
    }

    /// Gives every target the time of its first verdict, when checks begin that were not there `before`.
    fn start_checks(&mut self, before: bool, now: SimTime, settings: &Settings) {
        if before || !self.checked() {
            return;
        }
        let interval = self.interval();
        for target in self.targets.rows_mut() {
            target.verdict_at = now + first_check(settings, interval, target.check_fraction);
            if target.checked.due.is_some() {
                target.checked.due = Some(target.verdict_at);
            }
        }
    }

    /// Seconds between checks, 30 where there are none.
    pub(crate) fn interval(&self) -> u32 {
        self.config.health.as_ref().map_or(30, |health| health.interval)
    }

    /// When a target that is registered now gets its first verdict, and the fraction of the interval that the seed
    /// drew for it.
    pub(crate) fn first_verdict(
        &self,
        now: SimTime,
        settings: &Settings,
        checks: &mut Random,
    ) -> (SimTime, f64) {
        let fraction = checks.fraction();
        (now + first_check(settings, self.interval(), fraction), fraction)
    }
}

fn first_check(settings: &Settings, interval: u32, fraction: f64) -> SimTime {
    match settings.first_check_delay {
        FirstCheck::After(delay) => delay.0,
        FirstCheck::Interval => SimTime::from_secs_f64(f64::from(interval) * fraction),
    }
}
