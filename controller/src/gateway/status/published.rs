//! What is said of a route's services in Cloud Map. Nothing of it keeps a route from being programmed.

use super::in_words;
use crate::gateway::{directories::Notes, engine::progress::Progress, translate::Publication};

/// What is worth saying, in sentences; `None`: it can't be told now, as after a start.
pub(super) fn remarks(published: &[Publication], progress: &Progress, notes: &Notes) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut remarks = Vec::new();
    for publication in published {
        let (key, name) = match publication {
            Publication::As(key, name) => (key, name),
            Publication::Not(why) => {
                remarks.push(format!("It is not published in Cloud Map: {why}"));
                continue;
            }
        };
        let it = progress.resources.get(key);
        let there = it.is_some_and(|it| it.resource.is_some());
        let trouble = it.and_then(|it| it.troubles.first());
        let note = notes.get(key);
        if let Some(trouble) = note.and_then(|note| note.trouble.as_ref()) {
            remarks.push(format!("Publishing it in Cloud Map as {name} fails: {trouble}; it is tried again"));
        } else if there && !note.is_some_and(|note| note.empty) {
            names.push(name.as_str());
        } else if let Some(trouble) = trouble {
            remarks.push(format!("It is not published in Cloud Map as {name}: {}", in_words(trouble)));
        } else if there || progress.read {
            remarks.push(format!("It is being published in Cloud Map as {name}"));
        } else {
            return None;
        }
    }
    if !names.is_empty() {
        remarks.insert(0, format!("Cloud Map leads there from {}", names.join(", ")));
    }
    Some(remarks)
}

#[cfg(test)]
mod tests;
