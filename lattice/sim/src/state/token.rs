//! Idempotency tokens: which resource a client token made, and from which parameters.

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::SimTime;
use crate::error::{Refusal, ResourceType};
use crate::operations::Call;
use crate::random::hash;
use crate::settings::choice::{DuplicateAnswer, TokenAfterDelete};

/// Most tokens remembered; beyond it the oldest is forgotten. Ten times the largest number of resources that the
/// quotas of a kind allow an account is far more than a client retries.
const MOST: usize = 10_000;

/// Account, operation and token.
type Key = (String, String, String);

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "Vec<(Key, Made)>", into = "Vec<(Key, Made)>")]
pub(crate) struct Tokens {
    made: HashMap<Key, Made>,
    /// The keys, oldest first.
    order: VecDeque<Key>,
}

impl From<Vec<(Key, Made)>> for Tokens {
    fn from(kept: Vec<(Key, Made)>) -> Self {
        let order = kept.iter().map(|(key, _)| key.clone()).collect();
        Self { made: kept.into_iter().collect(), order }
    }
}

impl From<Tokens> for Vec<(Key, Made)> {
    fn from(tokens: Tokens) -> Self {
        let Tokens { mut made, order } = tokens;
        order.into_iter().filter_map(|key| made.remove(&key).map(|made| (key, made))).collect()
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Made {
    at: SimTime,
    /// A hash of the parameters; their text could have megabytes.
    parameters: u64,
    id: String,
}

impl Tokens {
    /// The id of what an earlier call with the same token made, of this kind, if it is still there by `exists`.
    pub(crate) fn replay(
        &self,
        call: &Call<'_>,
        kind: ResourceType,
        exists: impl Fn(&str) -> bool,
    ) -> Result<Option<String>, Refusal> {
        let Some((key, made)) = key(call).and_then(|key| self.made.get_key_value(&key)) else {
            return Ok(None);
        };
        if call.now.saturating_sub(made.at) >= call.settings.token_ttl.0 {
            return Ok(None);
        }
        let refuse = |answer, what: &str| {
            let message = format!("The client token {} was used before {what}.", key.2);
            call.duplicate(answer, kind, &made.id, "clientToken", message)
        };
        if made.parameters != parameters(call) {
            return Err(refuse(call.settings.token_mismatch, "with other parameters"));
        }
        if !exists(&made.id) {
            return match call.settings.token_after_delete {
                TokenAfterDelete::Create => Ok(None),
                TokenAfterDelete::Conflict => {
                    Err(refuse(DuplicateAnswer::Conflict, "for a resource that is deleted by now"))
                }
            };
        }
        Ok(Some(made.id.clone()))
    }

    /// Remembers what the call made.
    pub(crate) fn remember(&mut self, call: &Call<'_>, id: &str) {
        let Some(key) = key(call) else { return };
        let made = Made { at: call.now, parameters: parameters(call), id: id.to_owned() };
        self.insert(key, made, call.settings.token_ttl.0);
    }

    fn insert(&mut self, key: Key, made: Made, ttl: SimTime) {
        let now = made.at;
        if self.made.insert(key.clone(), made).is_some() {
            self.order.retain(|known| *known != key);
        }
        self.order.push_back(key);
        while let Some(oldest) = self.order.front() {
            let expired = self.made.get(oldest).is_none_or(|made| now.saturating_sub(made.at) >= ttl);
            if !expired && self.order.len() <= MOST {
                break;
            }
            if let Some(oldest) = self.order.pop_front() {
                self.made.remove(&oldest);
            }
        }
    }
}

fn key(call: &Call<'_>) -> Option<Key> {
    let token = call.operation.input.members().iter().find(|member| member.token)?;
    let token = call.input.get(token.name)?.as_str()?;
    Some((call.account.to_owned(), call.operation.name.to_owned(), token.to_owned()))
}

/// A hash of the input without the token.
fn parameters(call: &Call<'_>) -> u64 {
    let members = call.operation.input.members().iter().filter(|member| !member.token);
    members
        .filter_map(|member| Some((member, call.input.get(member.name)?)))
        .fold(0, |sum, (member, value)| digest(hash(sum, member.name.as_bytes()), value))
}

/// A hash of the value, whatever the order of its objects' members.
fn digest(seed: u64, value: &Value) -> u64 {
    match value {
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| digest(hash(seed, name.as_bytes()), value));
            hash(members.fold(seed, u64::wrapping_add), b"object")
        }
        Value::Array(items) => items.iter().fold(hash(seed, b"array"), digest),
        other => hash(seed, other.to_string().as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn insert(tokens: &mut Tokens, n: usize, at: u64) {
        let made = Made { at: Duration::from_secs(at), parameters: 0, id: String::new() };
        tokens.insert(
            (String::new(), "CreateService".to_owned(), n.to_string()),
            made,
            Duration::from_secs(10),
        );
    }

    #[test]
    fn tokens_are_bounded_by_number_and_age() {
        let mut tokens = Tokens::default();
        for n in 0..=MOST {
            insert(&mut tokens, n, 0);
        }
        assert_eq!((tokens.made.len(), tokens.order.len()), (MOST, MOST));
        insert(&mut tokens, 5, 1);
        assert_eq!((tokens.made.len(), tokens.order.len()), (MOST, MOST));
        insert(&mut tokens, 0, 10);
        assert_eq!((tokens.made.len(), tokens.order.len()), (2, 2));
    }
}
