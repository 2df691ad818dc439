//! Auth policies of services and service networks.

use serde::{Deserialize, Serialize};

use crate::clock::SimTime;

/// Whether and how requests are authorised.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct AuthPolicy {
    /// Whether the auth type is `AWS_IAM`, and not `NONE`.
    pub(crate) iam: bool,
    /// The policy, if one was put.
    pub(crate) policy: Option<PolicyText>,
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
        Self { iam: auth_type == Some("AWS_IAM"), policy: None }
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
