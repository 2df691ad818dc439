//! Auth policies of services and service networks.

use std::sync::Arc;

use lattice::policy::Policy;
use serde::{Deserialize, Serialize};

use crate::clock::SimTime;

use super::delayed::Delayed;

/// Whether and how requests are authorised.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct AuthPolicy {
    /// Whether the auth type is `AWS_IAM`, and not `NONE`.
    pub(crate) iam: bool,
    /// The policy, if one was put.
    pub(crate) policy: Option<PolicyText>,
    /// What the data plane knows of it.
    #[serde(skip)]
    pub(crate) published: Delayed<Arc<Gate>>,
}

/// What is asked of requests.
#[derive(Debug)]
pub(crate) enum Gate {
    /// Nothing.
    Open,
    /// To be allowed by a policy; without one, nobody is.
    Policy(Option<Policy>),
}

/// A policy as it was put.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PolicyText {
    pub(crate) text: String,
    pub(crate) created: SimTime,
    pub(crate) updated: SimTime,
}

impl AuthPolicy {
    /// With the auth type of a call, `NONE` where it names none.
    pub(crate) fn of(auth_type: Option<&str>) -> Self {
        Self { iam: auth_type == Some("AWS_IAM"), ..Self::default() }
    }

    /// Puts what it asks for now in force for the data plane from `from` on.
    pub(crate) fn publish(&mut self, now: SimTime, from: SimTime) {
        let gate = if self.iam {
            // A policy that can't be read was refused when it was put.
            Gate::Policy(self.policy.as_ref().and_then(|policy| Policy::resource(&policy.text).ok()))
        } else {
            Gate::Open
        };
        self.published.publish(Arc::new(gate), now, from);
    }

    /// The auth type as the API writes it.
    pub(crate) fn auth_type(&self) -> &'static str {
        if self.iam { "AWS_IAM" } else { "NONE" }
    }

    /// The state of the policy as the API writes it.
    pub(crate) fn state(&self) -> &'static str {
        if self.iam { "Active" } else { "Inactive" }
    }
}
