//! Which calls a resource takes, given what is there.

use std::collections::BTreeMap;

use super::*;
use crate::{
    resource::{
        Directory, DirectorySpec, GatewayUse, Holds, ResourceAssociation, ResourceGateway, ResourceKey,
        ResourceKind,
    },
    target::IpFamily,
};

fn target(name: &str) -> DnsTarget {
    DnsTarget { name: name.into(), family: IpFamily::IPv4 }
}

fn spec() -> ResourceSpec {
    ResourceSpec::Configuration(ConfigurationSpec {
        name: "db".into(),
        gateway: GatewayUse::External("rgw-1".into()),
        port: 5432,
        directory: ResourceKey { kind: ResourceKind::Directory, owner: "TCPRoute/shop/db".into() },
        target: target("db.internal"),
        network: "net".into(),
        tags: Tags::from([("a".into(), "b".into())]),
    })
}

fn there(status: Status, association: Option<(&str, Status, Option<&str>)>) -> ResourceTree {
    let configuration = Configuration {
        id: "rcfg-1".into(),
        arn: String::new(),
        name: "db".into(),
        status,
        gateway: Some("rgw-1".into()),
        ports: vec!["5432".into()],
        target: Some(target("db.internal")),
    };
    let associations = association.map(|(network, status, dns_name)| {
        let association = ResourceAssociation {
            id: "snra-1".into(),
            arn: String::new(),
            status,
            network: network.into(),
            dns_name: dns_name.map(Into::into),
        };
        (network.into(), association)
    });
    ResourceTree::Configuration(configuration, BTreeMap::from_iter(associations))
}

fn around() -> Around {
    Around {
        gateway: Known::Yes("rgw-1".into()),
        directory: Known::Yes(()),
        network: Known::Yes("sn-1".into()),
        used: false,
    }
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn a_configuration_is_made_joined_changed_and_left_before_it_goes() {
    let (wanted, tags) = (spec(), Tags::from([("a".into(), "b".into())]));
    let active = || there(Status::Active, Some(("sn-1", Status::Active, Some("db.on.aws"))));
    let leave = |network: &str| Step::Dissociate(network.into(), "snra-1".into());
    let failed = |what| Status::Failed { what, message: String::new() };
    let other = |around: Around| (around, active());
    for (what, wanted, around, tree, steps, waits) in [
        ("nothing is there", true, around(), None, vec![Step::Create(Some("rgw-1".into()))], vec![]),
        (
            "no directory yet",
            true,
            Around { directory: Known::NotYet, ..around() },
            None,
            vec![],
            vec![Wait::Directory],
        ),
        (
            "no gateway yet",
            true,
            Around { gateway: Known::NotYet, ..around() },
            None,
            vec![],
            vec![Wait::ResourceGateway],
        ),
        (
            "it is being made",
            true,
            around(),
            Some(there(Status::Creating, None)),
            vec![],
            vec![Wait::Resource],
        ),
        (
            "it is in no network",
            true,
            around(),
            Some(there(Status::Active, None)),
            vec![Step::Associate("sn-1".into())],
            vec![],
        ),
        (
            "its name is not known",
            true,
            around(),
            Some(there(Status::Active, Some(("sn-1", Status::Active, None)))),
            vec![],
            vec![Wait::Association("sn-1".into())],
        ),
        ("all is well", true, around(), Some(active()), vec![], vec![]),
        (
            "it is in another network",
            true,
            around(),
            Some(there(Status::Active, Some(("sn-2", Status::Active, Some("db.on.aws"))))),
            vec![leave("sn-2"), Step::Associate("sn-1".into())],
            vec![],
        ),
        (
            "no network is there",
            true,
            Around { network: Known::No, ..around() },
            Some(active()),
            vec![],
            vec![Wait::Network("net".into())],
        ),
        (
            "it could not be made",
            true,
            around(),
            Some(there(failed(Attempt::Create), None)),
            vec![Step::Delete],
            vec![],
        ),
        ("nobody wants it", false, around(), Some(active()), vec![leave("sn-1")], vec![]),
        (
            "nobody wants it, and it leaves",
            false,
            around(),
            Some(there(Status::Active, Some(("sn-1", Status::Deleting, None)))),
            vec![],
            vec![Wait::Association("sn-1".into())],
        ),
        (
            "nobody wants it, and it has left",
            false,
            around(),
            Some(there(Status::Active, None)),
            vec![Step::Delete],
            vec![],
        ),
        {
            let (around, tree) = other(Around { gateway: Known::Yes("rgw-2".into()), ..around() });
            ("it is behind another gateway", true, around, Some(tree), vec![leave("sn-1")], vec![])
        },
    ] {
        let plan = next(wanted.then_some(&self::spec()), tree.as_ref().map(|tree| (tree, &tags)), &around);
        assert_eq!((plan.steps, plan.waits), (steps, waits), "{what}");
    }
    let mut tree = active();
    if let ResourceTree::Configuration(configuration, _) = &mut tree {
        configuration.target = None;
    }
    let plan = next(Some(&wanted), Some((&tree, &Tags::new())), &around());
    assert_eq!(plan.steps, [Step::Update(target("db.internal")), Step::Tag(tags)]);
}

#[test]
fn what_others_need_stays() {
    let gateway = ResourceTree::Gateway(ResourceGateway {
        id: "rgw-1".into(),
        arn: String::new(),
        name: "gateway".into(),
        status: Status::Active,
        vpc: None,
        resolves_in_vpc: true,
    });
    let directory =
        ResourceTree::Directory(Directory { id: "srv-1".into(), arn: String::new(), name: "db".into() });
    for tree in [gateway, directory] {
        for used in [false, true] {
            let plan = next(None, Some((&tree, &Tags::new())), &Around { used, ..around() });
            assert_eq!(plan.steps, if used { vec![] } else { vec![Step::Delete] }, "{tree:?}");
        }
    }
    let spec = ResourceSpec::Directory(DirectorySpec {
        namespace: "internal".into(),
        create_namespace: true,
        vpc: "vpc-1".into(),
        name: "db".into(),
        holds: Holds::Pods { of: None, family: IpFamily::IPv4, ports: false },
        tags: Tags::new(),
    });
    assert_eq!(next(Some(&spec), None, &around()).steps, [Step::Create(None)]);
}

#[test]
fn a_port_may_be_written_as_a_range() {
    for (ranges, alone) in [
        (&["80"][..], true),
        (&["80-80"], true),
        (&["80-81"], false),
        (&["80", "81"], false),
        (&[], false),
        (&["x"], false),
    ] {
        let ranges: Vec<String> = ranges.iter().map(|range| (*range).to_owned()).collect();
        assert_eq!(is_port(&ranges, 80), alone, "{ranges:?}");
    }
}
