//! Pages of lists, and the opaque tokens that lead from one to the next.

use std::time::Duration;

use lattice::limits::PAGE_ITEMS;
use serde_json::{Value, json};

use crate::error::Refusal;
use crate::operations::Call;
use crate::random::hash;
use crate::settings::choice::StalePage;

/// Where a page begins: after this place, at the beginning without one.
///
/// A token holds the place, the second of its issue, and a hash that binds both to the operation, the account and
/// the filters, so that a token of another list is refused.
pub(crate) fn start(call: &Call<'_>) -> Result<Option<u64>, Refusal> {
    let Some(token) = call.input.get("nextToken").and_then(Value::as_str) else { return Ok(None) };
    let place = read(call, token);
    match (place, call.settings.stale_next_token) {
        (Some(place), _) => Ok(Some(place)),
        (None, StalePage::Restart) => Ok(None),
        (None, StalePage::Validation) => {
            Err(Refusal::field("nextToken", "is expired or was not issued for this list"))
        }
    }
}

/// The answer with one page of `items`, which begin where [`start`] said, each with its place.
///
/// A call that does not say how many gets as many as the API ever gives.
pub(crate) fn page<T>(
    call: &Call<'_>,
    items: impl Iterator<Item = (u64, T)>,
    show: impl Fn(T) -> Value,
) -> Value {
    let size =
        call.input.get("maxResults").and_then(Value::as_u64).unwrap_or(PAGE_ITEMS.unsigned_abs().into());
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let mut items = items.peekable();
    let mut shown = Vec::new();
    let mut last = 0;
    while shown.len() < size {
        let Some((place, item)) = items.next() else { break };
        shown.push(show(item));
        last = place;
    }
    if items.peek().is_some() {
        json!({"items": shown, "nextToken": write(call, last)})
    } else {
        json!({"items": shown})
    }
}

fn write(call: &Call<'_>, place: u64) -> String {
    let issued = call.now.as_secs();
    format!("{place:016x}{issued:08x}{:016x}", seal(call, place, issued))
}

fn read(call: &Call<'_>, token: &str) -> Option<u64> {
    if token.len() != 40 || !token.is_ascii() {
        return None;
    }
    let part = |from, to| u64::from_str_radix(token.get(from..to)?, 16).ok();
    let (place, issued, seal_read) = (part(0, 16)?, part(16, 24)?, part(24, 40)?);
    let age = call.now.saturating_sub(Duration::from_secs(issued));
    (seal_read == seal(call, place, issued) && age < call.settings.next_token_ttl.0).then_some(place)
}

fn seal(call: &Call<'_>, place: u64, issued: u64) -> u64 {
    let mut text = format!("{} {} {place} {issued}", call.operation.name, call.account);
    for member in call.operation.input.members() {
        if let Some(value) =
            call.input.get(member.name).filter(|_| !matches!(member.name, "nextToken" | "maxResults"))
        {
            text.push_str(member.name);
            text.push_str(&value.to_string());
        }
    }
    hash(call.seed, text.as_bytes())
}
