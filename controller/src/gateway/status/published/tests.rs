//! What is said of services in Cloud Map.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::jiff::Timestamp;
use lattice::resource::{ResourceKey, ResourceKind};

use super::*;
use crate::gateway::{
    directories::Note,
    engine::progress::{ResourceFacts, ResourceProgress, Trouble},
};

const NAME: &str = "www.apps.internal";

fn key() -> ResourceKey {
    ResourceKey { kind: ResourceKind::Directory, owner: "CloudMap/apps.internal/www".into() }
}

fn progress(read: bool, resource: bool, trouble: bool) -> Progress {
    let facts = ResourceFacts { arn: String::new(), name: "www".into(), dns_name: None, directory: None };
    let trouble = trouble.then(|| Trouble {
        doing: "making the directory".into(),
        kind: "taken",
        message: "the name is taken".into(),
        since: Timestamp::UNIX_EPOCH,
        needs_operator: false,
        rules: BTreeSet::new(),
    });
    let it = ResourceProgress {
        resource: resource.then_some(facts),
        done: resource,
        waits: Vec::new(),
        troubles: trouble.into_iter().collect(),
        since: Timestamp::UNIX_EPOCH,
    };
    Progress { loaded: true, read, resources: BTreeMap::from([(key(), it)]), ..Progress::default() }
}

#[test]
fn what_cloud_map_makes_of_a_service_is_told_in_a_sentence() {
    let published = [Publication::As(key(), NAME.into())];
    let note = |note| Notes::from([(key(), note)]);
    let broken = || note(Note { trouble: Some("RegisterInstance is not allowed".into()), ..Note::default() });
    let empty = || note(Note { empty: true, ..Note::default() });
    let leads = "Cloud Map leads there from www.apps.internal";
    let begins = "It is being published in Cloud Map as www.apps.internal";
    for (what, progress, notes, said) in [
        ("all is there", progress(true, true, false), Notes::new(), Some(leads)),
        ("its tags can't be set", progress(true, true, true), Notes::new(), Some(leads)),
        ("it is being made", progress(true, false, false), Notes::new(), Some(begins)),
        ("its name is not in it yet", progress(true, true, false), empty(), Some(begins)),
        (
            "it can't be made",
            progress(true, false, true),
            Notes::new(),
            Some(
                "It is not published in Cloud Map as www.apps.internal: Since 1970-01-01T00:00:00Z, making the directory fails: \
                 the name is taken; it is tried again",
            ),
        ),
        (
            "it can't be filled",
            progress(true, true, false),
            broken(),
            Some(
                "Publishing it in Cloud Map as www.apps.internal fails: RegisterInstance is not allowed; it is tried again",
            ),
        ),
        ("it was not read since the start", progress(false, false, false), Notes::new(), None),
    ] {
        let expected = said.map(|said| vec![said.to_owned()]);
        assert_eq!(remarks(&published, &progress, &notes), expected, "{what}");
    }
    let both = [Publication::Not("the name is taken".into()), Publication::As(key(), NAME.into())];
    let expected = vec![leads.to_owned(), "It is not published in Cloud Map: the name is taken".to_owned()];
    assert_eq!(remarks(&both, &progress(true, true, false), &Notes::new()), Some(expected));
    assert_eq!(remarks(&[], &Progress::default(), &Notes::new()), Some(Vec::new()));
}
