//! Whether what carries a TCPRoute's connections is there, and what leads to a UDPRoute's pods.

use lattice::resource::{ADDRESSES_PER_ANSWER, ResourceKind};

use super::{Reason, Said, in_words, trouble_reason, wait_in_words};
use crate::gateway::{directories::Notes, engine::progress::Progress, translate::RouteVerdict};

/// Whether all of a route is there that is no service.
pub(super) fn programmed(verdict: &RouteVerdict, progress: &Progress, notes: &Notes) -> Said {
    if verdict.resources.is_empty() {
        let message = "No listener that the route is attached to is valid";
        return Some((false, Reason::ListenersNotValid.as_str(), message.into()));
    }
    let mut names = Vec::new();
    let mut remarks = Vec::new();
    for key in &verdict.resources {
        let it = progress.resources.get(key).filter(|_| progress.loaded)?;
        let known = it.done || it.resource.is_some() || !it.waits.is_empty() || !it.troubles.is_empty();
        if !known {
            return None;
        }
        if let Some(trouble) = it.troubles.first() {
            return Some((false, trouble_reason(trouble), in_words(trouble)));
        }
        if !it.done {
            let waits: Vec<String> = it.waits.iter().map(wait_in_words).collect();
            let message = match waits.as_slice() {
                [] => "It is being made".into(),
                waits => format!("Since {}, waiting for {}", it.since, waits.join(", ")),
            };
            return Some((false, "Pending", message));
        }
        if key.kind == ResourceKind::Configuration
            && let Some(facts) = &it.resource
        {
            let dns = facts.dns_name.as_deref().unwrap_or("a name that is not known yet");
            names.push(format!("{} ({dns})", facts.name));
        }
        let Some(note) = notes.get(key) else { continue };
        if let Some(trouble) = &note.trouble {
            let message = format!("Publishing its pods in Cloud Map fails: {trouble}; it is tried again");
            return Some((false, "Failed", message));
        }
        if note.crowded {
            remarks.push(format!(
                "It has more than {ADDRESSES_PER_ANSWER} ready pods, of which each answer of DNS has {ADDRESSES_PER_ANSWER}"
            ));
        }
        if note.empty {
            remarks.push("No pod of it is ready".to_owned());
        }
    }
    let mut message = match &verdict.direct {
        Some(name) => {
            format!("Cloud Map serves it as {name}: traffic goes straight to the pods, past VPC Lattice")
        }
        None => format!("VPC Lattice serves it as {}", names.join(", ")),
    };
    remarks.dedup();
    for remark in remarks {
        message.push_str(". ");
        message.push_str(&remark);
    }
    Some((true, "Programmed", message))
}

#[cfg(test)]
mod tests;
