//! Accounts, and which one a request is from.

use http::HeaderMap;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::SimTime;
use crate::random::Random;
use crate::signature::Key;
use crate::state::Tags;
use crate::state::session::Session;
use crate::state::table::Table;
use crate::surroundings::Surroundings;

/// An account with its keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// The account's 12 digits.
    pub id: String,
    /// The access key id, which decides the account of a request.
    pub access_key_id: String,
    /// The secret that goes with it.
    pub secret_access_key: String,
}

/// The ids of the accounts that exist where the surroundings name none.
pub(crate) const IDS: [&str; 2] = ["123456789012", "210987654321"];

/// The accounts that exist where the surroundings name none, in order. The same seed gives the same keys.
pub(crate) fn accounts(seed: u64, number: usize) -> Vec<Account> {
    let of = |id: &str| {
        let mut random = Random::new(seed, id);
        Account {
            id: id.to_owned(),
            access_key_id: format!("AKIA{:016X}", random.next()),
            secret_access_key: secret(&mut random),
        }
    };
    IDS.into_iter().take(number).map(of).collect()
}

/// A secret key of 40 characters. It guards nothing but a simulator.
pub(crate) fn secret(random: &mut Random) -> String {
    format!("{:016x}{:016x}{:08x}", random.next(), random.next(), random.next() >> 32)
}

/// Who a request is from.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The account's id.
    pub(crate) account: String,
    /// The principal's ARN.
    pub(crate) arn: String,
    pub(crate) secret: String,
    /// The token that has to come with temporary keys.
    pub(crate) token: Option<String>,
    /// When temporary keys end.
    pub(crate) expires: Option<SimTime>,
    /// Identity policies, `None` where the surroundings know of none.
    pub(crate) policies: Option<Vec<serde_json::Value>>,
    /// Tags of the principal.
    pub(crate) tags: Tags,
}

/// Who has this access key: an account, a user, or a session of a role.
pub(crate) fn caller(
    key: &str,
    accounts: &[Account],
    surroundings: &Surroundings,
    sessions: &Table<Session>,
) -> Option<Caller> {
    if let Some(account) = accounts.iter().find(|account| account.access_key_id == key) {
        return Some(account.root());
    }
    if let Some(user) = surroundings.users.iter().find(|user| user.access_key_id == key) {
        return Some(Caller {
            account: user.arn.split(':').nth(4).unwrap_or_default().to_owned(),
            arn: user.arn.clone(),
            secret: user.secret_access_key.clone(),
            token: None,
            expires: None,
            policies: Some(user.policies.clone()),
            tags: user.tags.clone(),
        });
    }
    let session = sessions.get(key)?;
    let role = surroundings.roles.iter().find(|role| role.arn == session.role);
    let mut tags = role.map(|role| role.tags.clone()).unwrap_or_default();
    tags.extend(session.tags.clone());
    Some(Caller {
        account: session.account().to_owned(),
        arn: session.arn(),
        secret: session.secret_access_key.clone(),
        token: Some(session.token.clone()),
        expires: Some(session.expires),
        policies: role.map(|role| role.policies.clone()),
        tags,
    })
}

impl Caller {
    /// What verifies the caller's signatures at `now`. Times of the simulator mean nothing to a verifier that goes by the
    /// machine's, so that only whether the keys have ended is told.
    pub(crate) fn key(&self, now: SimTime) -> Key {
        Key {
            secret: self.secret.clone(),
            session_token: self.token.clone(),
            expires: self.expires.filter(|end| *end <= now).map(|_| Timestamp::MIN),
        }
    }
}

impl Account {
    /// The caller that the account's own keys stand for, who may do everything.
    pub(crate) fn root(&self) -> Caller {
        Caller {
            account: self.id.clone(),
            arn: format!("arn:aws:iam::{}:root", self.id),
            secret: self.secret_access_key.clone(),
            token: None,
            expires: None,
            policies: None,
            tags: Tags::new(),
        }
    }
}

/// The access key id in the header `Authorization` of a signed request.
pub(crate) fn access_key_id(headers: &HeaderMap) -> Option<&str> {
    let authorization = headers.get(http::header::AUTHORIZATION)?.to_str().ok()?;
    let (_, credential) = authorization.split_once("Credential=")?;
    credential.split('/').next()
}
