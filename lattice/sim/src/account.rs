//! Accounts, and which one a request is from.

use http::HeaderMap;
use serde::{Deserialize, Serialize};

use crate::random::Random;

/// An account with its keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The account's 12 digits.
    pub id: String,
    /// The access key id, which decides the account of a request.
    pub access_key_id: String,
    /// The secret that goes with it.
    pub secret_access_key: String,
}

/// The accounts that can exist, in order. The same seed gives the same keys.
pub(crate) fn accounts(seed: u64) -> [Account; 2] {
    ["123456789012", "210987654321"].map(|id| {
        let mut random = Random::new(seed, id);
        Account {
            id: id.to_owned(),
            access_key_id: format!("AKIA{:016X}", random.next()),
            secret_access_key: format!(
                "{:016x}{:016x}{:08x}",
                random.next(),
                random.next(),
                random.next() >> 32
            ),
        }
    })
}

/// The access key id in the header `Authorization` of a signed request.
pub(crate) fn access_key_id(headers: &HeaderMap) -> Option<&str> {
    let authorization = headers.get(http::header::AUTHORIZATION)?.to_str().ok()?;
    let (_, credential) = authorization.split_once("Credential=")?;
    credential.split('/').next()
}
