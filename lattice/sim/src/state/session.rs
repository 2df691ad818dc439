//! Temporary credentials, which STS and EKS Auth give out.

use serde::{Deserialize, Serialize};

use crate::clock::SimTime;

use super::Tags;
use super::table::Table;

/// Most sessions at a time; beyond it the oldest goes.
const MOST: usize = 10_000;

/// A session of a role.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Session {
    /// The role's ARN.
    pub(crate) role: String,
    /// The session's name.
    pub(crate) name: String,
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
    pub(crate) token: String,
    pub(crate) expires: SimTime,
    /// Tags of the session, which come over those of the role.
    pub(crate) tags: Tags,
}

impl Session {
    /// The ARN under which policies know the session.
    pub(crate) fn arn(&self) -> String {
        let account = self.account();
        let role = self.role.rsplit('/').next().unwrap_or_default();
        format!("arn:aws:sts::{account}:assumed-role/{role}/{}", self.name)
    }

    /// The id of the role's account.
    pub(crate) fn account(&self) -> &str {
        self.role.split(':').nth(4).unwrap_or_default()
    }
}

/// Adds a session to those that are not over.
pub(crate) fn begin(sessions: &mut Table<Session>, session: Session, now: SimTime) {
    while sessions.first().is_some_and(|oldest| oldest.expires <= now || sessions.len() >= MOST) {
        sessions.remove_first();
    }
    sessions.insert(session.access_key_id.clone(), session);
}
