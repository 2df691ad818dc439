//! What is said of TCPRoutes and UDPRoutes.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::jiff::Timestamp;
use lattice::{plan::Wait, resource::ResourceKey};

use super::*;
use crate::gateway::{
    directories::Note,
    engine::progress::{ResourceFacts, ResourceProgress, Trouble},
};

fn key(kind: ResourceKind) -> ResourceKey {
    ResourceKey { kind, owner: "TCPRoute/shop/db".into() }
}

fn done(dns_name: Option<&str>) -> ResourceProgress {
    ResourceProgress {
        resource: Some(ResourceFacts {
            arn: String::new(),
            name: "db-shop".into(),
            dns_name: dns_name.map(Into::into),
            directory: None,
        }),
        done: true,
        waits: Vec::new(),
        troubles: Vec::new(),
        since: Timestamp::UNIX_EPOCH,
    }
}

#[test]
fn a_route_is_programmed_when_all_that_carries_it_is_there() {
    let kinds = [ResourceKind::Gateway, ResourceKind::Directory, ResourceKind::Configuration];
    let tcp = RouteVerdict { resources: kinds.map(key).into(), ..RouteVerdict::default() };
    let udp = RouteVerdict {
        resources: BTreeSet::from([key(ResourceKind::Directory)]),
        direct: Some("dns.infra.shop.internal".into()),
        ..RouteVerdict::default()
    };
    let all = |configuration: ResourceProgress, directory: ResourceProgress| Progress {
        loaded: true,
        resources: BTreeMap::from([
            (key(ResourceKind::Gateway), done(None)),
            (key(ResourceKind::Directory), directory),
            (key(ResourceKind::Configuration), configuration),
        ]),
        ..Progress::default()
    };
    let well = || all(done(Some("db.on.aws")), done(None));
    let trouble = Trouble {
        doing: "making the directory".into(),
        kind: "taken",
        message: "the name is taken".into(),
        since: Timestamp::UNIX_EPOCH,
        needs_operator: true,
        rules: BTreeSet::new(),
    };
    let note = |note| Notes::from([(key(ResourceKind::Directory), note)]);
    let broken = Note { trouble: Some("RegisterInstance is not allowed".into()), ..Note::default() };
    for (what, verdict, progress, notes, holds, reason, said) in [
        ("all is there", &tcp, well(), Notes::new(), true, "Programmed", "serves it as db-shop (db.on.aws)"),
        (
            "it is direct",
            &udp,
            well(),
            Notes::new(),
            true,
            "Programmed",
            "serves it as dns.infra.shop.internal: traffic goes straight to the pods",
        ),
        (
            "the configuration waits",
            &tcp,
            all(ResourceProgress { done: false, waits: vec![Wait::Directory], ..done(None) }, done(None)),
            Notes::new(),
            false,
            "Pending",
            "waiting for the directory",
        ),
        (
            "the directory is another's",
            &tcp,
            all(done(None), ResourceProgress { done: false, troubles: vec![trouble], ..done(None) }),
            Notes::new(),
            false,
            "Conflicted",
            "the name is taken",
        ),
        (
            "there are many pods",
            &tcp,
            well(),
            note(Note { crowded: true, ..Note::default() }),
            true,
            "Programmed",
            "more than 8 ready pods",
        ),
        (
            "there are none",
            &tcp,
            well(),
            note(Note { empty: true, ..Note::default() }),
            true,
            "Programmed",
            "No pod of it is ready",
        ),
        ("they can't be published", &tcp, well(), note(broken), false, "Failed", "RegisterInstance is not"),
        (
            "it is attached to nothing",
            &RouteVerdict::default(),
            well(),
            Notes::new(),
            false,
            "ListenersNotValid",
            "No listener",
        ),
    ] {
        let (is, why, message) = programmed(verdict, &progress, &notes).unwrap();
        assert_eq!((is, why), (holds, reason), "{what}: {message}");
        assert!(message.contains(said), "{what}: {message}");
    }
    assert_eq!(programmed(&tcp, &Progress::default(), &Notes::new()), None, "nothing is known yet");
}
