//! What the Secret of the certificate holds, and which step of a renewal is due. Pure.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Secret;

use crate::webhook::certificate::{self, Loaded, Pair};

/// The keys of the Secret. The first three are cert-manager's as well.
pub(super) const CHAIN: &str = "tls.crt";
pub(super) const KEY: &str = "tls.key";
pub(super) const BUNDLE: &str = "ca.crt";
pub(super) const NEXT_CHAIN: &str = "next.crt";
pub(super) const NEXT_KEY: &str = "next.key";

/// The annotation on the Secret with the time of its last step.
pub(super) const CHANGED: &str = "lath.dev/changed";

/// What the Secret holds, as far as it can be used.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) pair: Pair,
    pub(super) loaded: Loaded,
    pub(super) next: Option<Pair>,
    pub(super) bundle: Vec<u8>,
    pub(super) changed: Option<Timestamp>,
}

/// What to do about the Secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// It is as it should be, or a step has to settle.
    Keep,
    /// Put the next pair beside the present one.
    Prepare,
    /// Put the next pair into its place.
    Promote,
    /// Trust the newest authority only.
    Prune,
}

impl Held {
    /// What a Secret holds, if API servers that trust its bundle would take it under `name`. One that is not good yet is:
    /// another's clock goes before this one's.
    pub(super) fn read(secret: &Secret, name: &str, now: Timestamp) -> Result<Self, certificate::Error> {
        let bundle = data(secret, BUNDLE);
        let usable = |pair: &Pair, trusted: &[u8]| {
            let loaded = certificate::load(pair)?;
            certificate::verify(&loaded, trusted, name, now.max(loaded.validity.from))?;
            Ok(loaded)
        };
        let pair = read_pair(secret, CHAIN, KEY);
        let loaded = usable(&pair, &bundle)?;
        let next = Some(read_pair(secret, NEXT_CHAIN, NEXT_KEY)).filter(|next| !next.chain.is_empty());
        // Renewals go by the newest authority's being that of the newest pair.
        let newest = certificate::newest_of_several(&bundle);
        usable(next.as_ref().unwrap_or(&pair), newest.as_ref().unwrap_or(&bundle))?;
        let changed = secret.metadata.annotations.as_ref().and_then(|annotations| annotations.get(CHANGED));
        let changed = changed.and_then(|text| text.parse().ok());
        Ok(Self { pair, loaded, next, bundle, changed })
    }
}

/// A pair that the Secret holds; empty where it holds none.
pub(super) fn read_pair(secret: &Secret, chain: &str, key: &str) -> Pair {
    Pair { chain: data(secret, chain), key: data(secret, key) }
}

fn data(secret: &Secret, key: &str) -> Vec<u8> {
    secret.data.as_ref().and_then(|data| data.get(key)).map(|value| value.0.clone()).unwrap_or_default()
}

/// The step that is due. `published`: API servers have been told of the bundle. `settle` passes between steps.
pub(super) fn decide(held: &Held, published: bool, settle: Duration, now: Timestamp) -> Step {
    let settle = SignedDuration::try_from(settle).unwrap_or(SignedDuration::MAX);
    // A time that lies ahead is another clock's. It counts, unless it is so far ahead that it can't be right.
    let settled = held.changed.is_none_or(|changed| changed.duration_until(now).abs() >= settle);
    let ready = settled && published;
    let validity = held.loaded.validity;
    let half = validity.from.duration_until(validity.until) / 2;
    if held.next.is_some() {
        if ready { Step::Promote } else { Step::Keep }
    } else if now >= validity.from.saturating_add(half).unwrap_or(validity.from) {
        Step::Prepare
    } else if ready && certificate::newest_of_several(&held.bundle).is_some() {
        Step::Prune
    } else {
        Step::Keep
    }
}
