//! Services with their listeners, and listeners with their rules.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::SimTime;

use super::Tags;
use super::delayed::Delayed;
use super::life::Life;
use super::policy::AuthPolicy;
use super::published::Listening;
use super::resource::resource;
use super::table::Table;
use super::target_group::enumeration;

enumeration! {
    /// What a listener speaks.
    ListenerProtocol { Http = "HTTP", Https = "HTTPS", TlsPassthrough = "TLS_PASSTHROUGH", }
}

/// A service.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Service {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) account: String,
    pub(crate) name: String,
    pub(crate) custom_domain: Option<String>,
    pub(crate) certificate: Option<String>,
    pub(crate) auth: AuthPolicy,
    pub(crate) idle_timeout: u64,
    pub(crate) domain_name: String,
    pub(crate) tags: Tags,
    pub(crate) life: Life,
    pub(crate) listeners: Table<Listener>,
    /// What the data plane knows of the listeners.
    #[serde(skip)]
    pub(crate) published: Delayed<Arc<[Listening]>>,
}

resource!(Service in services, Service, "service", "svc-", "service", named by name);

impl Service {
    /// Whether this is its Lattice name or its custom domain name.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        self.domain_name.eq_ignore_ascii_case(name)
            || self.custom_domain.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(name))
    }
}

/// A listener.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Listener {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) protocol: ListenerProtocol,
    pub(crate) port: u16,
    pub(crate) tags: Tags,
    pub(crate) created: SimTime,
    pub(crate) updated: SimTime,
    /// The default rule is one of them, always.
    pub(crate) rules: Table<Rule>,
}

impl Listener {
    /// The action of the default rule.
    pub(crate) fn default_action(&self) -> Value {
        self.rules
            .rows()
            .find(|rule| rule.priority.is_none())
            .map_or(Value::Null, |rule| rule.action.0.clone())
    }
}

/// A rule. The default rule is the one without priority.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Rule {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) priority: Option<u16>,
    /// What it matches, as in the API. The default rule matches all and has none.
    pub(crate) matches: Option<Value>,
    pub(crate) action: Action,
    pub(crate) tags: Tags,
    pub(crate) created: SimTime,
    pub(crate) updated: SimTime,
}

impl Rule {
    /// Whether it is the listener's default rule.
    pub(crate) fn is_default(&self) -> bool {
        self.priority.is_none()
    }
}

/// What a rule does, as in the API: checked, weights filled in, target groups by id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Action(pub(crate) Value);

impl Action {
    /// The ids of the target groups that it forwards to, each once.
    pub(crate) fn groups(&self) -> Vec<String> {
        let groups = self.0["forward"]["targetGroups"].as_array();
        let mut ids: Vec<String> = groups
            .into_iter()
            .flatten()
            .filter_map(|group| group["targetGroupIdentifier"].as_str())
            .map(str::to_owned)
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}
