//! Resource shares of AWS RAM: which resources an account sees that are another's.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::clock::SimTime;

use super::Tags;
use super::table::Table;

/// All shares, of all accounts, by ARN.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Shares {
    pub(crate) table: Table<Share>,
    /// Which resource, by ARN, is given to which account by a share that it has accepted. Follows from the table.
    #[serde(skip)]
    given: BTreeSet<(String, String)>,
}

/// Resources that an account shares with others.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Share {
    pub(crate) arn: String,
    pub(crate) name: String,
    /// The account that shares.
    pub(crate) owner: String,
    /// ARNs.
    pub(crate) resources: BTreeSet<String>,
    /// By account.
    pub(crate) invitations: BTreeMap<String, Invitation>,
    pub(crate) tags: Tags,
    pub(crate) created: SimTime,
    pub(crate) updated: SimTime,
}

/// An account's invitation to a share.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Invitation {
    pub(crate) arn: String,
    pub(crate) sent: SimTime,
    pub(crate) answer: Answer,
}

/// What became of an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Answer {
    Pending,
    Accepted,
    Rejected,
}

impl Shares {
    /// Whether a share that the account has accepted holds the resource.
    pub(crate) fn holds(&self, resource: &str, account: &str) -> bool {
        !self.given.is_empty() && self.given.contains(&(resource.to_owned(), account.to_owned()))
    }

    /// Changes shares, and brings up to date who sees what.
    pub(crate) fn change<R>(&mut self, change: impl FnOnce(&mut Table<Share>) -> R) -> R {
        let result = change(&mut self.table);
        self.given.clear();
        for share in self.table.rows() {
            let accepted =
                share.invitations.iter().filter(|(_, invitation)| invitation.answer == Answer::Accepted);
            for (account, _) in accepted {
                let given = share.resources.iter().map(|resource| (resource.clone(), account.clone()));
                self.given.extend(given);
            }
        }
        result
    }
}
